// SPDX-License-Identifier: MIT
/*
 * pages.c: what lies where in the card's memory while its guests own it by
 * turns: pages that are a guest's and come along, and pages that must not stay.
 */

#include <string.h>

#include "mon.h"

/* Pages that a frame can take, and the one that the ring's current is. */
#define FRAME_PAGES ((RING_HEADER + RING_COUNT_MAX) / PAGE + 2)

static void mark(struct dmm *d, const struct memory *mem, unsigned int page)
{
	if (cc_within((uint64_t)page * PAGE, PAGE, mem->start, mem->size))
		d->dirty[mem->copy / PAGE + page - mem->start / PAGE] = 1;
}

static unsigned int page_after(const struct ring_page *ring, unsigned int page)
{
	return page + 1 >= ring->stop ? ring->start : page + 1;
}

/* Some drivers keep boundary one page behind, and do not wrap it. */
static unsigned int boundary(const struct ring_page *ring)
{
	return ring->boundary < ring->start ? ring->stop - 1u : ring->boundary;
}

void pages_soil(struct dmm *d)
{
	memset(d->dirty, 1, d->model->memory_bytes / PAGE);
}

void pages_keep(struct dmm *d, unsigned int g, const struct memory *mem,
		uint32_t at, uint32_t n)
{
	uint32_t first = (mem->copy + (at - mem->start)) / PAGE;
	uint32_t last = (mem->copy + (at - mem->start) + n - 1) / PAGE;
	uint32_t pages = d->model->memory_bytes / PAGE;

	for (; first <= last && first < pages; first++) {
		d->guest[g].kept[first] = KEPT_WRITTEN;
		d->dirty[first] = 1;
	}
}

void pages_ring_written(struct dmm *d, unsigned int g, unsigned int reg,
			uint64_t old)
{
	const struct page_ring *r = &d->model->receive.ring;
	const struct memory *mem = &d->model->memory[r->memory];
	struct context *c = &d->guest[g];
	struct ring_page ring;
	unsigned int page, i;

	if (reg == r->boundary || reg == r->current)
		c->ring_full = false;
	if (!spool_ring(d, g, &ring))
		return;
	if (reg == r->current)
		ring_watch_start(&c->watch, &ring);
	if (!mon_on_device(d, g))
		return;
	if (reg != r->boundary || ring.stop <= ring.start) {
		pages_soil(d); /* where it was is not known any more */
		return;
	}
	/* pages that the guest gives back are pages that the card has filled */
	page = (unsigned int)old;
	for (i = ring.start; i <= ring.stop; i++) {
		mark(d, mem, page);
		if (page == ring.boundary)
			break;
		page = page_after(&ring, page);
	}
}

bool pages_sending(struct dmm *d, unsigned int g, unsigned int reg)
{
	const struct context *c = &d->guest[g];

	return d->flags[reg] & REG_RING && c->frame_len &&
	       mon_on_device(d, g) && reg != d->model->receive.ring.boundary &&
	       !step_over(d, g, c->frame_during);
}

/* Frames, and behind them what the card had of one that it gave up. */
static void soil_ring(struct dmm *d, const struct memory *mem,
		      const struct ring_page *ring)
{
	unsigned int page = boundary(ring), i, behind = 0;

	for (i = ring->start; i < ring->stop && behind < FRAME_PAGES; i++) {
		mark(d, mem, page);
		if (page == ring->current || behind)
			behind++;
		page = page_after(ring, page);
	}
}

int pages_save(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];
	const struct memory *mem;
	struct ring_page ring;
	unsigned int page, i, at;
	int err;

	for (i = 0; i < d->model->memory_bytes / PAGE; i++)
		if (c->kept[i] == KEPT_ARRIVED)
			c->kept[i] = KEPT_NOT;
	if (!spool_ring(d, g, &ring))
		return 0;
	if (!ring_valid(&ring)) {
		pages_soil(d); /* it could be anywhere */
		return 0;
	}
	mem = &d->model->memory[d->model->receive.ring.memory];
	soil_ring(d, mem, &ring);
	page = boundary(&ring);
	for (i = ring.start; c->alive && i < ring.stop; i++) {
		if (page == ring.current)
			break;
		at = mem->copy / PAGE + page - mem->start / PAGE;
		err = proc_fetch(d, page * PAGE, c->memory + (size_t)at * PAGE,
				 PAGE);
		if (err)
			return err;
		if (!c->kept[at])
			c->kept[at] = KEPT_ARRIVED;
		page = page_after(&ring, page);
	}
	return 0;
}

int pages_restore(struct dmm *d, unsigned int g)
{
	const struct context *c = &d->guest[g];
	const struct memory *mem = d->model->memory;
	unsigned int i, k, at;
	int err;

	for (k = 0; k < d->model->memories; k++, mem++) {
		if (mem->identity)
			continue;
		for (i = 0; i < mem->size / PAGE; i++) {
			at = mem->copy / PAGE + i;
			if (!c->kept[at]) {
				/* as it is on the card: clean */
				memset(c->memory + (size_t)at * PAGE, 0, PAGE);
				continue;
			}
			err = proc_store(d, mem->start + i * PAGE,
					 c->memory + (size_t)at * PAGE, PAGE);
			if (err)
				return err;
			d->dirty[at] = 1;
		}
	}
	return 0;
}
