/* SPDX-License-Identifier: MIT */
/*
 * dma.h: where a device finds memory: the monitor's own area, and each
 * guest's, at disjoint device addresses.
 *
 * Interface: dma_open() with the backend; dma_memory() before a guest's
 * machine is made, for backends that give memory out themselves; dma_attach()
 * when it is; dma_translate() whenever the monitor checks an address.
 *
 * A guest's memory is read-only to the device: what the device writes are the
 * monitor's rings and buffers, from which guests get copies.
 *
 * Threads: dma_translate() under the device's lock; the others during set-up.
 */

#ifndef VMM_DMA_H
#define VMM_DMA_H

#include "../dmm/dmm.h"
#include "backend.h"
#include "mem.h"

struct dma_guest {
	struct mem *mem;
	uint64_t iova[MEM_REGIONS];
	uint64_t mapped[MEM_REGIONS]; /* bytes, by dma_map() */
	uint64_t window;	      /* bytes from 0 that it may use; 0: all */
	bool given;		      /* by the backend, at iova[0] */
};

struct dma {
	struct backend *be;
	struct dmm_area area;
	uint64_t own;  /* bytes mapped for it, ours to give back; 0: none */
	bool alone;    /* one guest's memory is where the guest has it */
	uint64_t next; /* first device address that is free */
	struct dma_guest guest[DMM_MAX_GUESTS];
};

/*
 * (area) bytes for the monitor; 0: the device masters no bus.  With (alone)
 * set before dma_attach() there is none, and all of the guest's memory is the
 * device's to write, at the guest's own addresses.  As gate.h.
 */
MUST_CHECK int dma_open(struct dma *dma, struct backend *be, uint64_t area,
			char **why);
void dma_close(struct dma *dma);

/*
 * The backend gives out guests' memory: (bytes) for (guest), as struct vm_conf
 * takes them; or, if (*fd) is not -1, shows the device what another gave.
 * -ENOENT if it does not: any memory will do.
 */
MUST_CHECK int dma_memory(struct dma *dma, unsigned int guest, uint64_t bytes,
			  int *fd, uint64_t *offset, char **why);

/* (guest)'s memory is (mem); of it the first (window) bytes are for DMA. */
MUST_CHECK int dma_attach(struct dma *dma, unsigned int guest, struct mem *mem,
			  uint64_t window, char **why);
/* The guest is gone: the device does not see its memory any more. */
void dma_detach(struct dma *dma, unsigned int guest);

/* Where the device finds (len) bytes at (gpa); -EFAULT unless in one piece. */
MUST_CHECK int dma_translate(const struct dma *dma, unsigned int guest,
			     uint64_t gpa, uint64_t len, uint64_t *iova);

#endif /* VMM_DMA_H */
