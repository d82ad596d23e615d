/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ring.c: a pageRing with any registers, in memory that any guest wrote,
 * filled and walked: nothing is touched outside, and what goes in comes out.
 *
 * Input: start, stop, boundary, current, full, first page and pages of the
 * memory, a byte to fill it with; then operations of three bytes.
 */

#include <stdlib.h>
#include <string.h>

#include "dmm/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
	if (!truth)
		abort();
}

/* What was put at (page) is there: header, bytes, CRC. */
static void verify(const struct ring_page *r, uint8_t page,
		   const uint8_t *frame, size_t len, uint8_t status)
{
	const uint8_t *base = r->memory + (r->start * RING_PAGE - r->mem_start);
	uint32_t ring = (uint32_t)(r->stop - r->start) * RING_PAGE;
	uint32_t at = (uint32_t)(page - r->start) * RING_PAGE, i, got, crc = 0;
	size_t padded = len < FRAME_MIN ? FRAME_MIN : len;
	uint8_t next;

	expect(ring_next(r, page, base + at, &next, &got) == 0);
	expect(base[at] == status && next == r->current && got == padded);
	for (i = 0; i < padded; i++) {
		const uint8_t *b = base + (at + RING_HEADER + i) % ring;

		expect(*b == (i < len ? frame[i] : 0));
		crc = frame_crc(crc, b, 1);
	}
	for (i = 0; i < FRAME_FCS; i++)
		expect(base[(at + RING_HEADER + padded + i) % ring] ==
		       (uint8_t)(crc >> 8 * i));
}

static void put(struct ring_page *r, size_t len, uint8_t seed)
{
	uint8_t *frame = malloc(len ? len : 1); /* exact, so ASan sees */
	struct ring_page before = *r;
	unsigned int room = ring_free(r);
	int ret;

	if (!frame)
		return;
	memset(frame, seed, len);
	ret = ring_put(r, frame, len, seed);
	if (ret == 0) {
		expect(ring_valid(r) && ring_free(r) < room);
		expect(r->current != before.current || r->full);
		verify(r, before.current, frame, len, seed);
	} else {
		expect(memcmp(&before, r, sizeof(before)) == 0);
	}
	free(frame);
}

static void watch(struct ring_watch *w, const struct ring_page *r, uint8_t page,
		  uint8_t n)
{
	uint64_t frames = w->frames;
	uint32_t addr = (uint32_t)page * RING_PAGE + (n >> 6);
	uint32_t len = n & 0x3f ? n & 0x3f : 2 * RING_PAGE;

	if (!cc_within(addr, len, r->mem_start, r->mem_size))
		return;
	ring_watch_read(w, r, addr, r->memory + (addr - r->mem_start), len);
	expect(w->have < RING_HEADER);
	expect(w->frames == frames ||
	       (w->expect >= r->start && w->expect < r->stop));
}

static void operate(struct ring_page *r, struct ring_watch *w,
		    const uint8_t op[3])
{
	uint32_t len;
	uint8_t next;

	switch (op[0] & 3) {
	case 0:
		put(r, (size_t)(op[1] | (op[2] & 7) << 8), op[2]);
		break;
	case 1:
		watch(w, r, op[1], op[2]);
		break;
	case 2: /* the guest moves a register, or scribbles */
		if (op[0] & 4)
			r->boundary = op[1];
		else if (op[0] & 8)
			r->current = op[1];
		else if (r->mem_size)
			r->memory[(op[1] << 8 | (op[0] & 0xf0) >> 4) %
				  r->mem_size] = op[2];
		r->full = false;
		break;
	case 3:
		if (cc_within(op[1] * RING_PAGE, RING_HEADER, r->mem_start,
			      r->mem_size) &&
		    ring_next(r, op[1],
			      r->memory + (op[1] * RING_PAGE - r->mem_start),
			      &next, &len) == 0)
			expect(next >= r->start && next < r->stop &&
			       len >= FRAME_MIN && len <= RING_FRAME_MAX);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ring_watch w = { 0 };
	struct ring_page r = { 0 };

	if (size < 8)
		return 0;
	r.start = data[0];
	r.stop = data[1];
	r.boundary = data[2];
	r.current = data[3];
	r.full = data[4] & 1;
	r.mem_start = data[5] * RING_PAGE;
	r.mem_size = data[6] * RING_PAGE / (data[4] & 2 ? 3 : 1);
	r.memory = malloc(r.mem_size ? r.mem_size : 1);
	if (!r.memory)
		return 0;
	memset(r.memory, data[7], r.mem_size);
	ring_watch_start(&w, &r);
	for (data += 8, size -= 8; size >= 3; data += 3, size -= 3)
		operate(&r, &w, data);
	free(r.memory);
	return 0;
}
