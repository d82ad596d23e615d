/* SPDX-License-Identifier: MIT */
/*
 * hugemem.h: memory whose physical addresses are known and stay: for a device
 * that masters the bus where no IOMMU is.
 *
 * It is a file of hugepages of 2 MiB, chosen so that they lie in as few pieces
 * as the machine has, sorted, below a limit; and pinned.
 *
 * Interface: hugemem_open(), hugemem_take() for each thing that needs to be in
 * one piece, hugemem_close().  hugemem_physical() and hugemem_choose() are its
 * parts, for tests.
 *
 * Errors:  -errno; where there is (*why), with one line that says what to do,
 *          which the caller frees.
 * Threads: one, during set-up.
 */

#ifndef VMM_HUGEMEM_H
#define VMM_HUGEMEM_H

#include <stddef.h>

#include "../dmm/cc.h"

#define HUGEMEM_PAGE (UINT64_C(2) << 20)

struct hugemem {
	int fd;
	uint8_t *host; /* all of it; never moves */
	size_t pages;
	uint64_t *at; /* of each page of the file: its physical address */
	bool *given;  /* of each page: hugemem_take() gave it */
	int pin;      /* an io_uring that has it registered; -1: none */
	struct hugemem *next;
};

/*
 * (bytes) below physical address (limit).  -ENOMEM if there are not so many
 * free hugepages, -EPERM if physical addresses are not ours to know.
 */
MUST_CHECK int hugemem_open(struct hugemem *h, uint64_t bytes, uint64_t limit,
			    char **why);
void hugemem_close(struct hugemem *h);

/*
 * (bytes), rounded up to pages, of the file (*fd) from (*offset) on, in one
 * piece from (*physical) on.  If (*fd) and (*offset) are what one that is open
 * gave before, just say where that is.  -ENOMEM if there is no such piece.
 */
MUST_CHECK int hugemem_take(struct hugemem *h, uint64_t bytes, int *fd,
			    uint64_t *offset, uint64_t *physical);

/* Do all pages lie where they lay? */
bool hugemem_stays(const struct hugemem *h);

/*
 * Where the page at virtual address (addr) is, by (pagemap), an open
 * /proc/PID/pagemap.  -EPERM if it does not tell, -EFAULT if there is none.
 */
MUST_CHECK int hugemem_physical(int pagemap, uint64_t addr, uint64_t *physical);

/*
 * Of (n) pages at (at), ascending, the (need) that lie below (limit) in the
 * longest pieces: their indices into (out), piece after piece.  How many.
 */
size_t hugemem_choose(const uint64_t *at, size_t n, uint64_t limit, size_t need,
		      size_t *out);

/* The first of (n) pages in one piece that are not given; (pages): none. */
size_t hugemem_find(const uint64_t *at, const bool *given, size_t pages,
		    size_t n);

#endif /* VMM_HUGEMEM_H */
