/* SPDX-License-Identifier: MIT */
/*
 * mem.h: a guest's memory: windows of one file, and where the guest sees them.
 *
 * Memory is always a file descriptor, so that a backend in another process
 * can map the same pages.  It lies in the guest from 0 up to MEM_LOW_MAX; the
 * rest from 4 GiB up.  In the file both parts lie one after the other.
 *
 * Threads: after mem_open() nothing changes, so any.  The guest writes its
 *          memory whenever it likes: read a thing once, then check it.
 */

#ifndef VMM_MEM_H
#define VMM_MEM_H

#include "../dmm/cc.h"

#define MEM_PAGE UINT64_C(4096)
#define MEM_MIN (UINT64_C(1) << 20)
#define MEM_LOW_MAX UINT64_C(0xc0000000) /* PCI devices are above it */
#define MEM_HIGH_BASE UINT64_C(0x100000000)
#define MEM_REGIONS 2

struct mem_region {
	uint64_t gpa, size;
	uint64_t offset; /* in the file */
	uint8_t *host;
};

struct mem {
	int fd;
	uint64_t bytes; /* the sum of the regions' sizes */
	unsigned int count;
	struct mem_region region[MEM_REGIONS];
};

struct hv;

/*
 * (bytes) of memory, rounded up to pages, in a file of our own.  -EINVAL if
 * less than MEM_MIN, -ENOMEM if the machine has not that much; (*why) says
 * what to write in the machine file.
 */
MUST_CHECK int mem_open(struct mem **out, uint64_t bytes, char **why);

/*
 * The same in the caller's file, from (offset) (of a page) on; (fd) is
 * duplicated.  -EINVAL also if the file is too short.
 */
MUST_CHECK int mem_open_fd(struct mem **out, int fd, uint64_t offset,
			   uint64_t bytes, char **why);
void mem_close(struct mem *mem); /* NULL is fine */

/* (bytes) as a mapping of (fd) takes them: in whole pages of that file. */
uint64_t mem_span(int fd, uint64_t bytes);

/* Show the memory to the guest, as slots 0 and up. */
MUST_CHECK int mem_attach(const struct mem *mem, struct hv *hv);

/* All of (len) bytes at guest address (gpa), or NULL. */
void *mem_ptr(const struct mem *mem, uint64_t gpa, uint64_t len);

/* Where in the file these bytes are; -EFAULT unless all are memory. */
MUST_CHECK int mem_offset(const struct mem *mem, uint64_t gpa, uint64_t len,
			  uint64_t *offset);

#endif /* VMM_MEM_H */
