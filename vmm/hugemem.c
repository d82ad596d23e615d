// SPDX-License-Identifier: MIT
/*
 * hugemem.c: hugepages with known physical addresses.
 *
 * The kernel does not say which pages it gives.  So more than are needed are
 * taken at first, looked at, and the best let go one by one: each is then the
 * only one that is free, and is what the next page of the file gets.
 */

#include "hugemem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/io_uring.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "why.h"

#define FREE "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
#define MIB(bytes) ((bytes) >> 20)
#define SMALL_PAGE 4096u
/* Those of a vpio that was killed are free after a moment. */
#define FREE_TRIES 50
#define FREE_NS 10000000
/* What io_uring takes as one buffer. */
#define PIN_MAX (UINT64_C(1) << 30)

/* Of pagemap's entries (kernel: admin-guide/mm/pagemap). */
#define PRESENT (UINT64_C(1) << 63)
#define FRAME ((UINT64_C(1) << 55) - 1)

static struct hugemem *all; /* that are open */

/* ---- parts ---- */

int hugemem_physical(int pagemap, uint64_t addr, uint64_t *physical)
{
	uint64_t entry;

	if (pread(pagemap, &entry, sizeof(entry),
		  (off_t)(addr / SMALL_PAGE * sizeof(entry))) != sizeof(entry))
		return -EFAULT;
	if (!(entry & PRESENT))
		return -EFAULT;
	if (!(entry & FRAME))
		return -EPERM;
	*physical = (entry & FRAME) * SMALL_PAGE;
	return 0;
}

/* Pages from (first) on that lie one after the other and can be taken. */
static size_t run_length(const uint64_t *at, const bool *taken, size_t n,
			 size_t first, uint64_t limit)
{
	size_t i = first;

	while (i < n && !taken[i] && at[i] <= limit - HUGEMEM_PAGE &&
	       (i == first || at[i] == at[i - 1] + HUGEMEM_PAGE))
		i++;
	return i - first;
}

size_t hugemem_choose(const uint64_t *at, size_t n, uint64_t limit, size_t need,
		      size_t *out)
{
	bool *taken = xcalloc(n, sizeof(*taken));
	size_t have = 0, best, longest, i, len;

	while (have < need && limit >= HUGEMEM_PAGE) {
		longest = best = 0;
		for (i = 0; i < n; i += len ? len : 1) {
			len = run_length(at, taken, n, i, limit);
			if (len > longest) {
				longest = len;
				best = i;
			}
		}
		if (!longest)
			break;
		for (i = best; i < best + longest && have < need; i++) {
			taken[i] = true;
			out[have++] = i;
		}
	}
	free(taken);
	return have;
}

size_t hugemem_find(const uint64_t *at, const bool *given, size_t pages,
		    size_t n)
{
	size_t i, len;

	for (i = 0; i < pages; i += len ? len : 1) {
		len = run_length(at, given, pages, i, UINT64_MAX);
		if (len >= n)
			return i;
	}
	return pages;
}

/* ---- files of hugepages ---- */

static size_t count_free(void)
{
	FILE *file = fopen(FREE, "re");
	size_t n = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%zu", &n) != 1)
		n = 0;
	fclose(file);
	return n;
}

/* At least (pages), or how many there are. */
static size_t wait_free(size_t pages)
{
	const struct timespec nap = { .tv_nsec = FREE_NS };
	size_t n = count_free();

	for (int i = 0; n < pages && i < FREE_TRIES; i++) {
		nanosleep(&nap, NULL);
		n = count_free();
	}
	return n;
}

/* A file with room for (pages), and its mapping; it has no page yet. */
static int make_file(size_t pages, int *fd, uint8_t **host)
{
	uint64_t bytes = pages * HUGEMEM_PAGE;
	void *map;
	int err;

	*fd = memfd_create("vpio-hugemem",
			   MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
	if (*fd < 0)
		return -errno;
	map = ftruncate(*fd, (off_t)bytes) ?
		      MAP_FAILED :
		      mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_NORESERVE, *fd, 0);
	if (map == MAP_FAILED) {
		err = -errno;
		close(*fd);
		*fd = -1;
		return err;
	}
	*host = map;
	return 0;
}

static bool fill(int fd, size_t page)
{
	return !fallocate(fd, 0, (off_t)(page * HUGEMEM_PAGE),
			  (off_t)HUGEMEM_PAGE);
}

static bool let_go(int fd, size_t page)
{
	return !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)(page * HUGEMEM_PAGE), (off_t)HUGEMEM_PAGE);
}

static int look_up(const uint8_t *host, size_t pages, uint64_t *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), err = 0;
	size_t i;

	if (fd < 0)
		return -errno;
	for (i = 0; i < pages && !err; i++) {
		const uint8_t *page = host + i * HUGEMEM_PAGE;

		(void)*(const volatile uint8_t *)page; /* it is there now */
		err = hugemem_physical(fd, (uintptr_t)page, &at[i]);
	}
	close(fd);
	return err;
}

/* ---- choosing ---- */

struct found { /* a page of the scratch file */
	uint64_t at;
	size_t page;
};

struct scratch {
	int fd;
	uint8_t *host;
	size_t pages;
	struct found *found; /* by address */
};

static int by_address(const void *a, const void *b)
{
	uint64_t x = ((const struct found *)a)->at;
	uint64_t y = ((const struct found *)b)->at;

	return x < y ? -1 : x > y;
}

static void scratch_close(struct scratch *s)
{
	if (s->fd < 0)
		return;
	munmap(s->host, s->pages * HUGEMEM_PAGE);
	close(s->fd);
	free(s->found);
	s->fd = -1;
}

/* All that are free: who else wants some now has to wait a moment. */
static int scratch_open(struct scratch *s, size_t pages)
{
	uint64_t *at = xcalloc(pages, sizeof(*at));
	size_t i, n = 0;
	int err;

	*s = (struct scratch){ .fd = -1, .pages = pages };
	err = make_file(pages, &s->fd, &s->host);
	if (err)
		goto out;
	while (n < pages && fill(s->fd, n))
		n++;
	err = look_up(s->host, n, at);
	s->found = xcalloc(n, sizeof(*s->found));
	for (i = 0; i < n; i++)
		s->found[i] = (struct found){ at[i], i };
	qsort(s->found, n, sizeof(*s->found), by_address);
	if (err)
		scratch_close(s);
	else
		munmap(s->host + n * HUGEMEM_PAGE, (pages - n) * HUGEMEM_PAGE);
	s->pages = n;
out:
	free(at);
	return err;
}

static int move_pages_over(struct hugemem *h, struct scratch *s, uint64_t limit)
{
	uint64_t *at = xcalloc(s->pages, sizeof(*at));
	size_t *chosen = xcalloc(h->pages, sizeof(*chosen));
	size_t i, n;
	int err = 0;

	for (i = 0; i < s->pages; i++)
		at[i] = s->found[i].at;
	n = hugemem_choose(at, s->pages, limit, h->pages, chosen);
	if (n < h->pages)
		err = -ENOMEM;
	for (i = 0; i < n && !err; i++)
		if (!let_go(s->fd, s->found[chosen[i]].page) || !fill(h->fd, i))
			err = -ENOMEM; /* somebody was faster */
	free(at);
	free(chosen);
	return err;
}

/* So that the kernel moves none: what is registered stays (io_uring.7). */
static void pin(struct hugemem *h)
{
	struct io_uring_params params = { 0 };
	uint64_t bytes = h->pages * HUGEMEM_PAGE, at;
	struct iovec *vec = xcalloc(bytes / PIN_MAX + 1, sizeof(*vec));
	unsigned int n = 0;

	for (at = 0; at < bytes; at += vec[n++].iov_len)
		vec[n] = (struct iovec){
			.iov_base = h->host + at,
			.iov_len = bytes - at < PIN_MAX ? bytes - at : PIN_MAX,
		};
	h->pin = (int)syscall(SYS_io_uring_setup, 1, &params);
	if (h->pin >= 0 && syscall(SYS_io_uring_register, h->pin,
				   IORING_REGISTER_BUFFERS, vec, n)) {
		close(h->pin);
		h->pin = -1;
	}
	if (h->pin < 0)
		log_warnx("its memory cannot be pinned, so leave the "
			  "machine's memory as it is while guests run (no "
			  "hot-unplug): io_uring: %s",
			  strerror(errno));
	free(vec);
}

static int say(char **why, int err, size_t pages, uint64_t limit, size_t n)
{
	if (err == -EPERM)
		return why_set(why, err,
			       "physical addresses are for root alone "
			       "(CAP_SYS_ADMIN)");
	if (err == -ENOMEM && n < pages)
		return why_set(why, err,
			       "it needs %zu hugepages of 2M, and %zu are "
			       "free: echo %zu >/proc/sys/vm/nr_hugepages, or "
			       "hugepages=%zu on the kernel's command line",
			       pages, n, pages, pages);
	if (err == -ENOMEM)
		return why_set(why, err,
			       "it needs %zu hugepages of 2M below %" PRIu64
			       "M, where the part reaches; of the %zu that "
			       "are free too few are there: reserve more, "
			       "early, by hugepages= on the kernel's command "
			       "line",
			       pages, MIB(limit), n);
	return why_set(why, err, "hugepages: %s", strerror(-err));
}

int hugemem_open(struct hugemem *h, uint64_t bytes, uint64_t limit, char **why)
{
	size_t pages = (bytes + HUGEMEM_PAGE - 1) / HUGEMEM_PAGE;
	size_t n = wait_free(pages);
	struct scratch s = { .fd = -1 };
	int err = n < pages ? -ENOMEM : 0;

	*h = (struct hugemem){ .fd = -1, .pin = -1, .pages = pages };
	if (!err)
		err = scratch_open(&s, n);
	if (!err)
		err = make_file(pages, &h->fd, &h->host);
	if (!err)
		err = move_pages_over(h, &s, limit);
	scratch_close(&s);
	if (!err) {
		h->at = xcalloc(pages, sizeof(*h->at));
		h->given = xcalloc(pages, sizeof(*h->given));
		pin(h);
		err = look_up(h->host, pages, h->at);
	}
	/* looked at once more: others may have been faster with a page */
	for (size_t i = 0; i < pages && !err; i++)
		if (h->at[i] > limit - HUGEMEM_PAGE)
			err = -ENOMEM;
	if (err) {
		hugemem_close(h);
		return say(why, err, pages, limit, n);
	}
	h->next = all;
	all = h;
	return 0;
}

void hugemem_close(struct hugemem *h)
{
	struct hugemem **p = &all;

	while (*p && *p != h)
		p = &(*p)->next;
	if (*p)
		*p = h->next;
	if (h->pin >= 0) {
		/* without it they would be free some time later */
		(void)!syscall(SYS_io_uring_register, h->pin,
			       IORING_UNREGISTER_BUFFERS, NULL, 0);
		close(h->pin);
	}
	if (h->fd >= 0) {
		munmap(h->host, h->pages * HUGEMEM_PAGE);
		close(h->fd);
	}
	free(h->at);
	free(h->given);
	*h = (struct hugemem){ .fd = -1, .pin = -1 };
}

/* ---- giving ---- */

/* What another gave before: its pages are where they are for everybody. */
static int find_given(int fd, uint64_t offset, uint64_t *physical)
{
	struct hugemem *h = all;

	while (h && h->fd != fd)
		h = h->next;
	if (!h || offset / HUGEMEM_PAGE >= h->pages)
		return -EINVAL;
	*physical = h->at[offset / HUGEMEM_PAGE];
	return 0;
}

int hugemem_take(struct hugemem *h, uint64_t bytes, int *fd, uint64_t *offset,
		 uint64_t *physical)
{
	size_t n = (bytes + HUGEMEM_PAGE - 1) / HUGEMEM_PAGE, first, i;

	if (!n)
		return -EINVAL;
	if (*fd >= 0)
		return find_given(*fd, *offset, physical);
	first = hugemem_find(h->at, h->given, h->pages, n);
	if (first == h->pages)
		return -ENOMEM;
	for (i = first; i < first + n; i++)
		h->given[i] = true;
	*fd = h->fd;
	*offset = first * HUGEMEM_PAGE;
	*physical = h->at[first];
	return 0;
}

bool hugemem_stays(const struct hugemem *h)
{
	uint64_t *now = xcalloc(h->pages, sizeof(*now));
	bool stays = !look_up(h->host, h->pages, now) &&
		     !memcmp(now, h->at, h->pages * sizeof(*now));

	free(now);
	return stays;
}
