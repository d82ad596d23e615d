// SPDX-License-Identifier: MIT
/*
 * tape.c: the ring between a gate that records and the thread that writes.
 *
 * Positions only grow; a block stands at its position modulo the size.  The
 * memory is mapped twice in a row, so what passes the end needs no care.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tape.h"

#define MIN_SIZE (256u << 10) /* the longest record, and then some */
/* Where a record's parts stand in the block of its packet. */
#define BLOCK_INTERFACE 8u
#define BLOCK_HEAD 28u
#define BLOCK_OVERHEAD 36u /* with padding, at most */

/* With its pages there already: a gate is not to wait for them. */
static bool map_at(uint8_t *at, size_t n, int fd)
{
	return mmap(at, n, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) != MAP_FAILED;
}

int tape_open(struct tape *t, size_t size, bool keep)
{
	uint8_t *base;
	size_t n;
	int fd, err = 0;

	memset(t, 0, sizeof(*t));
	for (n = MIN_SIZE; n < size; n *= 2)
		;
	fd = memfd_create("tape", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	base = mmap(NULL, 2 * n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED || ftruncate(fd, (off_t)n) ||
	    !map_at(base, n, fd) || !map_at(base + n, n, fd))
		err = -errno;
	close(fd);
	if (err) {
		if (base != MAP_FAILED)
			munmap(base, 2 * n);
		return err;
	}
	t->base = base;
	t->size = n;
	t->keep = keep;
	return 0;
}

void tape_close(struct tape *t)
{
	if (t->base)
		munmap(t->base, 2 * t->size);
	t->base = NULL;
}

/* ---- the producer ---- */

static void drop_oldest(struct tape *t)
{
	const uint8_t *block = tape_at(t, t->tail_seen);
	struct trace_head head;
	uint32_t interface;

	memcpy(&interface, block + BLOCK_INTERFACE, sizeof(interface));
	if (interface == 0) {
		memcpy(&head, block + BLOCK_HEAD, sizeof(head));
		t->kept_out++;
		t->last_out = head.sequence;
	}
	t->tail_seen += tape_block_len(block);
	atomic_store_explicit(&t->tail, t->tail_seen, memory_order_release);
}

/* Room for (need) bytes at t->at? */
static bool has_room(struct tape *t, size_t need)
{
	uint64_t head;

	if (need > t->size)
		return false;
	if (t->at + need - t->tail_seen <= t->size)
		return true;
	t->tail_seen = atomic_load_explicit(&t->tail, memory_order_acquire);
	if (!t->keep ||
	    t->tail_seen <
		    atomic_load_explicit(&t->release, memory_order_relaxed))
		return t->at + need - t->tail_seen <= t->size;
	head = atomic_load_explicit(&t->head, memory_order_relaxed);
	while (t->at + need - t->tail_seen > t->size && t->tail_seen < head)
		drop_oldest(t);
	return t->at + need - t->tail_seen <= t->size;
}

static void put(struct tape *t, uint32_t interface, uint64_t ns,
		const struct trace_piece *piece, unsigned int n)
{
	size_t need = BLOCK_OVERHEAD;
	unsigned int i;

	for (i = 0; i < n; i++)
		need += piece[i].len;
	if (t->dropping || !has_room(t, need)) {
		t->dropping = true;
		return;
	}
	t->at += trace_put_packet(t->base + (t->at & (t->size - 1)), need,
				  interface, ns, piece, n);
}

void tape_record(struct tape *t, uint64_t ns, struct trace_head *head,
		 const void *body, size_t len, const void *data,
		 size_t data_len)
{
	const struct trace_piece piece[] = { { head, sizeof(*head) },
					     { body, len },
					     { data, data_len } };

	head->version = TRACE_VERSION;
	head->len = (uint32_t)(len + data_len);
	head->sequence = t->sequence++;
	t->in_group++;
	put(t, 0, ns, piece, 3);
}

void tape_frame(struct tape *t, uint32_t interface, uint64_t ns,
		const void *bytes, size_t len)
{
	const struct trace_piece piece = { bytes, len };

	put(t, interface, ns, &piece, 1);
}

static void tell_lost(struct tape *t, uint8_t device, uint64_t ns,
		      uint64_t last)
{
	struct trace_value value = { .value = t->lost };
	struct trace_head head = { .version = TRACE_VERSION,
				   .kind = TRACE_LOST,
				   .device = device,
				   .guest = TRACE_NOBODY,
				   .len = sizeof(value),
				   .sequence = last };
	const struct trace_piece piece[] = { { &head, sizeof(head) },
					     { &value, sizeof(value) } };

	put(t, 0, ns, piece, 2);
	t->lost = 0;
}

void tape_end(struct tape *t, uint8_t device, uint64_t ns)
{
	uint64_t head = atomic_load_explicit(&t->head, memory_order_relaxed);

	if (t->dropping) {
		t->lost += t->in_group;
		t->sum_lost += t->in_group;
		t->at = head;
		t->dropping = false;
		t->full = true;
	}
	t->in_group = 0;
	/* with a quarter of it free, so that there are few gaps */
	if (t->full && has_room(t, t->size / 4)) {
		tell_lost(t, device, ns, t->sequence - 1);
		t->full = false;
	}
	/* the group that comes after what was lost must not be seen before */
	t->dropping = t->full;
	if (t->at != head)
		atomic_store_explicit(&t->head, t->at, memory_order_release);
}

void tape_end_frame(struct tape *t)
{
	uint64_t head = atomic_load_explicit(&t->head, memory_order_relaxed);

	if (t->dropping) {
		t->sum_lost++;
		t->at = head;
		t->dropping = false;
	} else if (t->at != head) {
		atomic_store_explicit(&t->head, t->at, memory_order_release);
	}
}

void tape_release(struct tape *t)
{
	if (!t->keep)
		return;
	if (t->kept_out) {
		t->gap = t->kept_out;
		t->gap_last = t->last_out;
		t->gap_id++;
		t->kept_out = 0;
	}
	atomic_store_explicit(&t->release,
			      atomic_load_explicit(&t->head,
						   memory_order_relaxed),
			      memory_order_release);
}

/* ---- the consumer ---- */

uint64_t tape_limit(struct tape *t)
{
	return atomic_load_explicit(t->keep ? &t->release : &t->head,
				    memory_order_acquire);
}
