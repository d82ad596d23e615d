// SPDX-License-Identifier: MIT
/*
 * dma.c: device addresses for the monitor's area and for guests' memory.
 */

#include "dma.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "why.h"

/* Ours to choose where the backend lets us: all parts reach below 4 GiB. */
#define FIRST UINT64_C(0x01000000)
#define LIMIT UINT64_C(0xfee00000) /* from there on they are interrupts */
#define ALIGN UINT64_C(0x200000)

static uint64_t take(struct dma *dma, uint64_t bytes)
{
	uint64_t at = dma->next;

	dma->next += (bytes + ALIGN - 1) / ALIGN * ALIGN;
	return at;
}

static int own_area(struct dma *dma, char **why)
{
	struct backend *be = dma->be;
	uint64_t offset, span = dma->area.size;
	int fd = -1, err;
	void *host;

	if (be->ops->guest_memory) {
		err = be->ops->guest_memory(be, dma->area.size, &fd, &offset,
					    &dma->area.iova);
		if (err)
			return why_set(why, err,
				       "the device has no memory for the "
				       "monitor: %s",
				       strerror(-err));
		span = mem_span(fd, span);
		host = mmap(NULL, span, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			    (off_t)offset);
	} else {
		host = mmap(NULL, dma->area.size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	if (host == MAP_FAILED)
		return why_set(why, -errno, "no memory for the device: %s",
			       strerror(errno));
	dma->area.host = host;
	dma->own = span;
	if (be->ops->guest_memory || !be->ops->dma_map)
		return 0;
	dma->area.iova = take(dma, dma->area.size);
	err = be->ops->dma_map(be, dma->area.iova, host, dma->area.size, true);
	if (err)
		return why_set(why, err,
			       "the device cannot be shown memory: "
			       "%s",
			       strerror(-err));
	return 0;
}

int dma_open(struct dma *dma, struct backend *be, uint64_t area, char **why)
{
	int err;

	*dma = (struct dma){ .be = be, .next = FIRST };
	if (!area)
		return 0;
	dma->area.size = (area + MEM_PAGE - 1) / MEM_PAGE * MEM_PAGE;
	err = own_area(dma, why);
	if (!err && be->ops->bus_master)
		be->ops->bus_master(be, true);
	return err;
}

void dma_close(struct dma *dma)
{
	unsigned int i;

	for (i = 0; i < DMM_MAX_GUESTS; i++)
		dma_detach(dma, i);
	if (!dma->own)
		return;
	if (dma->be->ops->bus_master)
		dma->be->ops->bus_master(dma->be, false);
	if (dma->be->ops->dma_unmap && !dma->be->ops->guest_memory)
		dma->be->ops->dma_unmap(dma->be, dma->area.iova,
					dma->area.size);
	munmap(dma->area.host, dma->own);
	dma->own = 0;
}

int dma_memory(struct dma *dma, unsigned int guest, uint64_t bytes, int *fd,
	       uint64_t *offset, char **why)
{
	struct backend *be = dma->be;
	struct dma_guest *g = &dma->guest[guest];
	int err;

	if (!dma->area.size || !be->ops->guest_memory)
		return -ENOENT;
	err = be->ops->guest_memory(be, bytes, fd, offset, &g->iova[0]);
	if (err)
		return why_set(why, err,
			       "the device has no %llu MiB left for a guest: "
			       "give it more by \"memory:\"",
			       (unsigned long long)(bytes >> 20));
	g->given = true;
	return 0;
}

/*
 * The backend did not take (len) bytes of the guest's region (r) at (iova): why
 * not, and how much of it would do.
 */
static int not_shown(struct dma *dma, const struct mem_region *r, uint64_t iova,
		     uint64_t len, int err, char **why)
{
	struct iova_range range[IOVA_RANGES];
	const struct backend_ops *ops = dma->be->ops;
	size_t n = ops->dma_ranges ?
			   ops->dma_ranges(dma->be, range, IOVA_RANGES) :
			   0;
	uint64_t fits = n ? iova_fits(range, n, iova, len) : len;
	char takes[256], would[64] = "give it less memory";

	if (err == -ENOMEM)
		return why_set(why, err,
			       "its memory cannot be pinned for the device: "
			       "be root, or ulimit -l more, or give it less");
	iova_text(range, n, takes, sizeof(takes));
	if (fits == len) /* addresses are not why: then none of it */
		fits = 0;
	if (r->gpa + fits >= UINT64_C(1) << 20)
		snprintf(would, sizeof(would),
			 "dmaWindow: %lluM, or less memory",
			 (unsigned long long)((r->gpa + fits) >> 20));
	return why_set(why, err,
		       "the device cannot be shown its memory from %#llx to "
		       "%#llx at device address %#llx: %s%s%s; what may do: "
		       "%s",
		       (unsigned long long)r->gpa,
		       (unsigned long long)(r->gpa + len - 1),
		       (unsigned long long)iova, strerror(-err),
		       n ? "; its IOMMU takes " : "", takes, would);
}

/* As much of region (i) as the guest's window lets the device see. */
static int map_region(struct dma *dma, struct dma_guest *g, struct mem *mem,
		      unsigned int i, char **why)
{
	const struct mem_region *r = &mem->region[i];
	struct backend *be = dma->be;
	uint64_t len = r->size, room = LIMIT - dma->next;
	int err;

	if (g->window && g->window < r->gpa + len)
		len = g->window > r->gpa ? g->window - r->gpa : 0;
	if (!len)
		return 0;
	if (!dma->alone && len > room)
		return why_set(why, -ENOSPC,
			       "the memory of all guests does not fit below "
			       "4 GiB of device addresses: give this one at "
			       "this device a dmaWindow: %lluM, or all less "
			       "memory",
			       (unsigned long long)((r->gpa + room) >> 20));
	g->iova[i] = dma->alone ? r->gpa : take(dma, len);
	err = be->ops->dma_map(be, g->iova[i], r->host, len, dma->alone);
	if (err)
		return not_shown(dma, r, g->iova[i], len, err, why);
	g->mapped[i] = len;
	return 0;
}

int dma_attach(struct dma *dma, unsigned int guest, struct mem *mem,
	       uint64_t window, char **why)
{
	struct dma_guest *g = &dma->guest[guest];
	unsigned int i;
	int err;

	if (!dma->area.size && !dma->alone)
		return 0;
	g->window = window;
	for (i = 0; i < mem->count; i++) {
		/* what a backend gave is one file, region after region */
		if (g->given)
			g->iova[i] = g->iova[0] + mem->region[i].offset -
				     mem->region[0].offset;
		else if (dma->be->ops->dma_map) {
			err = map_region(dma, g, mem, i, why);
			if (err)
				return err;
		}
	}
	g->mem = mem;
	return 0;
}

void dma_detach(struct dma *dma, unsigned int guest)
{
	struct dma_guest *g = &dma->guest[guest];
	unsigned int i;

	for (i = 0; i < MEM_REGIONS; i++) {
		if (g->mapped[i])
			dma->be->ops->dma_unmap(dma->be, g->iova[i],
						g->mapped[i]);
		g->mapped[i] = 0;
	}
	g->mem = NULL;
}

int dma_translate(const struct dma *dma, unsigned int guest, uint64_t gpa,
		  uint64_t len, uint64_t *iova)
{
	const struct dma_guest *g = &dma->guest[guest];
	unsigned int i;

	if (!len || (g->window && !cc_within(gpa, len, 0, g->window)))
		return -EFAULT;
	for (i = 0; g->mem && i < g->mem->count; i++) {
		const struct mem_region *r = &g->mem->region[i];

		if (!cc_within(gpa, len, r->gpa, r->size))
			continue;
		*iova = g->iova[i] + (gpa - r->gpa);
		return 0;
	}
	return -EFAULT;
}
