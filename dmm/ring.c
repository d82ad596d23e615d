/* SPDX-License-Identifier: MIT */
/*
 * ring.c: rings of received frames: room, filling, walking, watching.
 */

#include <errno.h>
#include <string.h>

#include "ring.h"

/* The header's bytes. */
enum { STATUS, NEXT, COUNT_LOW, COUNT_HIGH };

static unsigned int pages(const struct ring_page *r)
{
	return (unsigned int)(r->stop - r->start);
}

/* Of a frame and its CRC of (count) bytes. */
static unsigned int pages_for(unsigned int count)
{
	return (RING_HEADER + count + RING_PAGE - 1) / RING_PAGE;
}

static bool inside(const struct ring_page *r, uint8_t page)
{
	return page >= r->start && page < r->stop;
}

/* The page (n) behind (page); (n) is at most the ring's pages. */
static uint8_t page_after(const struct ring_page *r, uint8_t page,
			  unsigned int n)
{
	unsigned int next = page + n;

	return (uint8_t)(next >= r->stop ? next - pages(r) : next);
}

/* boundary, as the driver meant it. */
static uint8_t limit(const struct ring_page *r)
{
	if (r->boundary == (uint8_t)(r->start - 1))
		return (uint8_t)(r->stop - 1);
	return r->boundary;
}

static bool bounded(const struct ring_page *r)
{
	return r->start < r->stop &&
	       cc_within(r->start * RING_PAGE, pages(r) * RING_PAGE,
			 r->mem_start, r->mem_size);
}

bool ring_valid(const struct ring_page *r)
{
	return bounded(r) && inside(r, limit(r)) && inside(r, r->current);
}

static unsigned int free_pages(const struct ring_page *r)
{
	unsigned int boundary = limit(r);

	if (boundary == r->current)
		return r->full ? 0 : pages(r);
	if (boundary > r->current)
		return boundary - r->current;
	return pages(r) - (r->current - boundary);
}

unsigned int ring_free(const struct ring_page *r)
{
	return ring_valid(r) ? free_pages(r) * RING_PAGE : 0;
}

/*
 * Writes (at) bytes behind the start of page current; returns where it ends.
 * The ring is valid, and all that is written fits into it.
 */
static unsigned int append(struct ring_page *r, unsigned int at,
			   const uint8_t *bytes, size_t len)
{
	uint32_t size = pages(r) * RING_PAGE;
	uint32_t from = (uint32_t)(r->current - r->start) * RING_PAGE + at;
	uint8_t *ring = r->memory + (r->start * RING_PAGE - r->mem_start);
	size_t n;

	if (from >= size)
		from -= size;
	n = len < size - from ? len : size - from;
	memcpy(ring + from, bytes, n);
	memcpy(ring, bytes + n, len - n);
	return at + (unsigned int)len;
}

int ring_put(struct ring_page *r, const uint8_t *frame, size_t len,
	     uint8_t status)
{
	static const uint8_t zeros[FRAME_MIN];
	size_t pad = len < FRAME_MIN ? FRAME_MIN - len : 0;
	unsigned int count = (unsigned int)(len + pad) + FRAME_FCS;
	uint8_t header[RING_HEADER], fcs[FRAME_FCS];
	unsigned int at, i;
	uint32_t crc;

	if (!ring_valid(r) || len < FRAME_HEADER || len > RING_FRAME_MAX)
		return -EINVAL;
	if (pages_for(count) > free_pages(r))
		return -ENOSPC;
	header[STATUS] = status;
	header[NEXT] = page_after(r, r->current, pages_for(count));
	header[COUNT_LOW] = (uint8_t)count;
	header[COUNT_HIGH] = (uint8_t)(count >> 8);
	crc = frame_crc(frame_crc(0, frame, len), zeros, pad);
	for (i = 0; i < FRAME_FCS; i++)
		fcs[i] = (uint8_t)(crc >> 8 * i);
	at = append(r, 0, header, sizeof(header));
	at = append(r, at, frame, len);
	at = append(r, at, zeros, pad);
	append(r, at, fcs, sizeof(fcs));
	r->current = header[NEXT];
	r->full = r->current == limit(r);
	return 0;
}

int ring_next(const struct ring_page *r, uint8_t page, const uint8_t header[4],
	      uint8_t *next, uint32_t *len)
{
	unsigned int count = header[COUNT_LOW] | header[COUNT_HIGH] << 8;

	if (!bounded(r) || !inside(r, page))
		return -EINVAL;
	if (count < FRAME_MIN + FRAME_FCS || count > RING_COUNT_MAX ||
	    pages_for(count) > pages(r))
		return -EINVAL;
	if (header[NEXT] != page_after(r, page, pages_for(count)))
		return -EINVAL;
	*next = header[NEXT];
	*len = count - FRAME_FCS;
	return 0;
}

void ring_watch_start(struct ring_watch *w, const struct ring_page *r)
{
	w->expect = r->current;
	w->have = 0;
}

/*
 * Takes what [at, end) has of the expected header; (bytes) is what is at (at).
 * Returns where it stopped, (end) if the header is not yet whole.
 */
static uint64_t collect(struct ring_watch *w, uint64_t at, uint64_t end,
			const uint8_t *bytes)
{
	uint64_t first = (uint64_t)w->expect * RING_PAGE;
	uint64_t want;

	if (at <= first && first < end)
		w->have = 0; /* from its first byte, maybe anew */
	want = first + w->have;
	if (want < at || want >= end)
		return end;
	for (; want < end && w->have < RING_HEADER; want++)
		w->header[w->have++] = bytes[want - at];
	return want;
}

void ring_watch_read(struct ring_watch *w, const struct ring_page *r,
		     uint32_t addr, const uint8_t *bytes, size_t n)
{
	uint64_t at = addr, end = at + n, to;
	uint32_t len;
	uint8_t next;

	while (at < end) {
		to = collect(w, at, end, bytes);
		bytes += to - at;
		at = to;
		if (w->have < RING_HEADER)
			continue; /* then at is end */
		w->have = 0;
		if (ring_next(r, w->expect, w->header, &next, &len))
			continue;
		w->expect = next;
		w->frames++;
		w->bytes += len;
	}
}
