// SPDX-License-Identifier: MIT
/*
 * attack_host.c: what the monitor asks of its host, as vmm/gate.c does it, and
 * the card's wire, whose every frame is judged.
 */

#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HOLD_NS UINT64_C(3000000000)
#define PCAP_HEAD 24 /* bytes before the first frame */
#define MARK_RUN 4u  /* bytes of a marker in a row that are no accident */

/* ---- the host ---- */

uint64_t attack_now(struct rig *rig)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec +
	       rig->skew;
}

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	struct rig *rig = ctx;
	unsigned int i;

	for (i = 0; i < rig->stalls; i++)
		if (space == 0 && off == rig->stall[i].at)
			return rig->stall[i].value;
	return rig->ops->read(rig->be, space, off, width);
}

/* At one place the last one counts. */
static void stall(struct rig *rig, uint64_t off, unsigned int width,
		  uint64_t value)
{
	unsigned int i;

	for (i = 0; i < rig->stalls; i++)
		if (rig->stall[i].at == off)
			break;
	if (i == STALLS_MAX)
		abort();
	rig->stall[i].at = off;
	rig->stall[i].width = width;
	rig->stall[i].value = rig->stall_value = value;
	rig->stalls += i == rig->stalls;
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct rig *rig = ctx;

	if (rig->stalled && space == 0 &&
	    off - rig->stall_from < rig->stall_len) {
		stall(rig, off, width, value);
		return;
	}
	rig->ops->write(rig->be, space, off, width, value);
}

static void host_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	struct rig *rig = ctx;

	rig->ops->read_string(rig->be, space, off, width, to, n);
}

static void host_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	struct rig *rig = ctx;

	rig->ops->write_string(rig->be, space, off, width, from, n);
}

static void host_pause(void *ctx, uint64_t ns)
{
	struct timespec ts = { .tv_nsec = (long)(ns % 1000000000u) };

	(void)ctx;
	nanosleep(&ts, NULL);
}

static uint64_t host_now(void *ctx)
{
	return attack_now(ctx);
}

static int host_reset(void *ctx)
{
	struct rig *rig = ctx;

	rig->stalls = 0;
	return rig->ops->reset(rig->be);
}

static void host_line(void *ctx, unsigned int guest, bool level)
{
	struct rig *rig = ctx;

	rig->guest[guest].line = level;
}

static void host_report(void *ctx, const struct dmm_report *r)
{
	struct rig *rig = ctx;
	struct heard *h = &rig->heard[rig->reports % REPORTS_MAX];

	rig->reports++;
	*h = (struct heard){ .offence = r->offence,
			     .guest = r->guest,
			     .line = r->line };
	snprintf(h->name, sizeof(h->name), "%s", r->name);
	if (r->access && r->access->vcpu != r->guest)
		attack_bad(rig, "a report of guest %u has an access of %u",
			   r->guest, r->access->vcpu);
}

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	struct rig *rig = ctx;

	if (!rig->guest[guest].master || rig->guest[guest].gone)
		return -EFAULT;
	return dma_translate(&rig->dma, guest, gpa, len, iova);
}

static void *memory_of(struct rig *rig, unsigned int guest, uint64_t gpa,
		       size_t len)
{
	if (rig->guest[guest].gone) {
		attack_bad(rig, "memory of a guest that is gone is touched");
		return NULL;
	}
	return mem_ptr(&rig->guest[guest].mem, gpa, len);
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	const void *from = memory_of(ctx, guest, gpa, len);

	if (!from)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	void *to = memory_of(ctx, guest, gpa, len);

	if (!to)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

const struct dmm_host attack_host = {
	.read = host_read,
	.write = host_write,
	.read_string = host_read_string,
	.write_string = host_write_string,
	.pause = host_pause,
	.now = host_now,
	.reset = host_reset,
	.line = host_line,
	.report = host_report,
	.translate = host_translate,
	.read_mem = host_read_mem,
	.write_mem = host_write_mem,
};

void attack_stall_range(struct rig *rig, uint64_t off, uint64_t len)
{
	rig->stalled = true;
	rig->stall_from = off;
	rig->stall_len = len;
	rig->stalls = 0;
}

void attack_stall(struct rig *rig, uint64_t off)
{
	attack_stall_range(rig, off, 1);
}

void attack_release(struct rig *rig)
{
	unsigned int i;

	rig->stalled = false;
	for (i = 0; i < rig->stalls; i++)
		rig->ops->write(rig->be, 0, rig->stall[i].at,
				rig->stall[i].width, rig->stall[i].value);
	rig->stalls = 0;
}

/* ---- time ---- */

void attack_turn(struct rig *rig)
{
	bool level = rig->ops->irq_level(rig->be);
	uint64_t n;

	while (read(rig->be->irq_fd, &n, sizeof(n)) > 0)
		;
	dmm_interrupt(rig->dmm, level);
	dmm_tick(rig->dmm);
}

void attack_settle(struct rig *rig)
{
	uint64_t end = attack_now(rig) + 1000000000u;
	unsigned int quiet = 0;

	while (quiet < 8 && attack_now(rig) < end) {
		attack_turn(rig);
		quiet = rig->stalled || rig->part->idle(rig) ? quiet + 1 : 0;
		attack_nap();
	}
}

/* Which one would be stopped does not matter to the others. */
uint64_t attack_access(struct rig *rig, unsigned int g, unsigned int bar,
		       uint64_t off, unsigned int width, bool write,
		       uint64_t value)
{
	uint8_t data[8];
	struct dmm_access a = { .space = bar,
				.off = off,
				.data = data,
				.count = 1,
				.width = (uint8_t)width,
				.write = write,
				.vcpu = g };
	uint64_t end = attack_now(rig) + HOLD_NS;
	enum dmm_verdict v;

	if (rig->guest[g].stopped)
		return UINT64_MAX;
	memcpy(data, &value, sizeof(data));
	while ((v = dmm_access(rig->dmm, g, &a)) == DMM_HOLD) {
		if (attack_now(rig) > end) {
			attack_bad(rig, "guest %u is held for ever", g);
			return UINT64_MAX;
		}
		attack_turn(rig);
		attack_nap();
	}
	rig->accesses++;
	if (v == DMM_STOP) {
		rig->guest[g].stopped = true;
		if (g != HOSTILE)
			attack_bad(rig, "guest %u is stopped", g);
		return UINT64_MAX;
	}
	memcpy(&value, data, sizeof(value));
	return value & cc_ones(8 * width);
}

/* ---- the wire ---- */

/*
 * Frames come from the network port's capture file: it has each one, where a
 * socket loses some.
 */
bool attack_wire_open(struct rig *rig)
{
	strcpy(rig->dir, "/tmp/vpio-attack-XXXXXX");
	rig->wire = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!mkdtemp(rig->dir) || rig->wire < 0)
		return false;
	snprintf(rig->local, sizeof(rig->local), "%s/a", rig->dir);
	snprintf(rig->remote, sizeof(rig->remote), "%s/b", rig->dir);
	snprintf(rig->capture, sizeof(rig->capture), "%s/c", rig->dir);
	return true;
}

void attack_wire_close(struct rig *rig)
{
	if (rig->wire >= 0)
		close(rig->wire);
	if (rig->capture_fd > 0)
		close(rig->capture_fd);
	unlink(rig->capture);
	rmdir(rig->dir);
}

void attack_wire_send(struct rig *rig, const uint8_t *frame, size_t len)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	strcpy(un.sun_path, rig->local);
	if (sendto(rig->wire, frame, len, 0, (void *)&un, sizeof(un)) < 0)
		attack_bad(rig, "the wire is broken: %s", strerror(errno));
}

/* Is there a marker in it that is not the hostile guest's? */
static bool foreign(const uint8_t *p, size_t len)
{
	size_t i, same = 0;

	for (i = 0; i < len; i++) {
		same = i && p[i] == p[i - 1] ? same + 1 : 1;
		if (same >= MARK_RUN &&
		    (p[i] == MARK_N || p[i] == MARK_T ||
		     (p[i] >= MARK_ZONE && p[i] < MARK_ZONE + 8)))
			return true;
	}
	return false;
}

static void judge_hostile(struct rig *rig, const uint8_t *frame, size_t len)
{
	rig->hostile_frames++;
	memcpy(rig->last, frame, len);
	rig->last_len = len;
	if (foreign(frame + 12, len - 12))
		attack_bad(rig, "foreign bytes are in a frame on the wire");
	if (rig->c->may & WIRE_PURE && memcmp(frame + 14, frame + 15, len - 15))
		attack_bad(rig, "a frame has bytes that are not its sender's");
	if (frame[12] == 0x81 && frame[13] == 0 && !(rig->c->may & WIRE_TAGGED))
		attack_bad(rig, "a frame has a tag that it may not have");
	if (rig->c->may & WIRE_NONE)
		attack_bad(rig,
			   "a frame that was to be refused is on the "
			   "wire: %zu bytes, type %02x%02x",
			   len, frame[12], frame[13]);
}

static void judge(struct rig *rig, const uint8_t *frame, size_t len)
{
	const uint8_t *from = frame + 6;

	if (!memcmp(from, attack_outside, 6) &&
	    memcmp(frame, attack_outside, 6))
		return; /* it came from there */
	if (!memcmp(from, rig->guest[HOSTILE].mac, 6)) {
		judge_hostile(rig, frame, len);
	} else if (!memcmp(from, rig->guest[NEIGHBOUR].mac, 6)) {
		rig->neighbour_frames++;
		if (len != rig->expect_len || memcmp(frame, rig->expect, len))
			attack_bad(rig, "a frame in the neighbour's name is "
					"not what it sent");
		rig->expect_len = 0;
	} else {
		attack_bad(rig,
			   "a frame with a forged source is on the wire: "
			   "%02x:%02x:%02x:%02x:%02x:%02x",
			   from[0], from[1], from[2], from[3], from[4],
			   from[5]);
	}
}

void attack_wire_judge(struct rig *rig)
{
	struct {
		uint32_t sec, nsec, len, whole;
	} head;
	uint8_t frame[WIRE_MAX];

	if (!rig->capture_fd)
		rig->capture_fd = open(rig->capture, O_RDONLY | O_CLOEXEC);
	if (!rig->capture_at)
		rig->capture_at = PCAP_HEAD;
	while (pread(rig->capture_fd, &head, sizeof(head), rig->capture_at) ==
	       (ssize_t)sizeof(head)) {
		if (head.len < 14 || head.len > sizeof(frame)) {
			attack_bad(rig, "a frame of %u bytes is on the wire",
				   head.len);
			return;
		}
		if (pread(rig->capture_fd, frame, head.len,
			  rig->capture_at + (off_t)sizeof(head)) !=
		    (ssize_t)head.len)
			return; /* it is being written */
		rig->capture_at += (off_t)(sizeof(head) + head.len);
		judge(rig, frame, head.len);
	}
}
