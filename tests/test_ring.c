/* SPDX-License-Identifier: MIT */
/*
 * test_ring.c: the pageRing: room, filling, walking, and watching a driver
 * walk it.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "dmm/ring.h"

#define MEM_START 0x4000u
#define MEM_SIZE 0x1000u /* pages 0x40 to 0x4f */
#define GUARD 64u

static uint8_t store[GUARD + MEM_SIZE + GUARD];

/* Eight pages, 0x46 to 0x4d, as drivers set them up: boundary one behind. */
static struct ring_page ring(void)
{
	memset(store, 0xee, sizeof(store));
	return (struct ring_page){ .memory = store + GUARD,
				   .mem_start = MEM_START,
				   .mem_size = MEM_SIZE,
				   .start = 0x46,
				   .stop = 0x4e,
				   .boundary = 0x46,
				   .current = 0x47 };
}

static uint8_t *at_page(unsigned int page)
{
	return store + GUARD + page * RING_PAGE - MEM_START;
}

/* A frame whose bytes count up; good until the next call. */
static const uint8_t *frame(size_t len)
{
	static uint8_t bytes[RING_FRAME_MAX + 1];
	size_t i;

	assert_true(len <= sizeof(bytes));
	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i + len);
	return bytes;
}

/* True if nothing outside [first, stop) pages was written. */
static bool untouched(unsigned int first, unsigned int stop)
{
	const uint8_t *p;

	for (p = store; p < store + sizeof(store); p++)
		if ((p < at_page(first) || p >= at_page(stop)) && *p != 0xee)
			return false;
	return true;
}

static void test_valid(void **state)
{
	struct ring_page r = ring();

	(void)state;
	assert_true(ring_valid(&r));
	r.stop = 0x50; /* up to the memory's end */
	assert_true(ring_valid(&r));
	r.stop = 0x51;
	assert_false(ring_valid(&r));
	r.stop = 0x46;
	assert_false(ring_valid(&r));
	r.stop = 0x45;
	assert_false(ring_valid(&r));
	r = ring();
	r.start = 0x40;
	assert_true(ring_valid(&r));
	r.start = 0x3f;
	assert_false(ring_valid(&r));
	r = ring();
	r.current = 0x4e;
	assert_false(ring_valid(&r));
	r.current = 0x45;
	assert_false(ring_valid(&r));
	r = ring();
	r.boundary = 0x4e;
	assert_false(ring_valid(&r));
	r.boundary = 0x44;
	assert_false(ring_valid(&r));
	assert_int_equal(ring_free(&r), 0);
	assert_int_equal(ring_put(&r, frame(60), 60, 1), -EINVAL);
	r = ring();
	r.mem_size = 0;
	r.memory = NULL;
	assert_false(ring_valid(&r));
	assert_true(untouched(0x40, 0x40));
}

/* Linux writes next - 1 to the boundary, and so start - 1 at the wrap. */
static void test_boundary_before_start(void **state)
{
	struct ring_page r = ring(), s = ring();

	(void)state;
	r.boundary = 0x45;
	s.boundary = 0x4d;
	for (r.current = 0x46; r.current < 0x4e; r.current++) {
		s.current = r.current;
		assert_true(ring_valid(&r));
		assert_int_equal(ring_free(&r), ring_free(&s));
	}
	r.current = 0x4c; /* one page of room */
	assert_int_equal(ring_put(&r, frame(60), 60, 1), 0);
	assert_int_equal(r.current, 0x4d);
	assert_true(r.full);
	assert_int_equal(ring_free(&r), 0);

	r = (struct ring_page){ .memory = store, .mem_size = MEM_SIZE };
	r.stop = 16; /* a ring at page 0: start - 1 is 0xff */
	r.boundary = 0xff;
	assert_true(ring_valid(&r));
	assert_int_equal(ring_free(&r), 15 * RING_PAGE);
}

static void test_room(void **state)
{
	struct ring_page r = ring();

	(void)state;
	assert_int_equal(ring_free(&r), 7 * RING_PAGE); /* empty, one behind */
	r.current = 0x4d;
	assert_int_equal(ring_free(&r), RING_PAGE);
	r.boundary = 0x4d;
	r.current = 0x46;
	assert_int_equal(ring_free(&r), 7 * RING_PAGE);
	/* Both the same: empty if the host caught up, full if the card did. */
	r.current = 0x4d;
	assert_int_equal(ring_free(&r), 8 * RING_PAGE);
	r.full = true;
	assert_int_equal(ring_free(&r), 0);
	r.current = 0x4c; /* they differ: it does not matter */
	assert_int_equal(ring_free(&r), RING_PAGE);
}

static void test_put(void **state)
{
	/* zlib.crc32(bytes(range(60, 120))) */
	static const uint8_t fcs[4] = { 0x9e, 0xa4, 0x9f, 0x7b };
	struct ring_page r = ring();
	const uint8_t *p = at_page(0x47);

	(void)state;
	assert_int_equal(ring_put(&r, frame(60), 60, 0x21), 0);
	assert_int_equal(r.current, 0x48);
	assert_int_equal(r.boundary, 0x46);
	assert_int_equal(p[0], 0x21);
	assert_int_equal(p[1], 0x48);
	assert_int_equal(p[2] | p[3] << 8, 64); /* Linux: count - 4 == 60 */
	assert_memory_equal(p + 4, frame(60), 60);
	assert_memory_equal(p + 64, fcs, 4);
	assert_int_equal(p[68], 0xee);
	assert_true(untouched(0x47, 0x48));
}

static void test_pad(void **state)
{
	static const uint8_t zeros[46];
	struct ring_page r = ring();
	const uint8_t *p = at_page(0x47);
	uint32_t crc;

	(void)state;
	assert_int_equal(ring_put(&r, frame(14), 14, 1), 0);
	assert_int_equal(p[2] | p[3] << 8, 64);
	assert_memory_equal(p + 4, frame(14), 14);
	assert_memory_equal(p + 18, zeros, 46);
	crc = frame_crc(0, p + 4, 60);
	assert_int_equal(
		p[64] | p[65] << 8 | p[66] << 16 | (uint32_t)p[67] << 24, crc);
	assert_int_equal(ring_put(&r, frame(13), 13, 1), -EINVAL);
	assert_int_equal(ring_put(&r, NULL, 0, 1), -EINVAL);
	assert_int_equal(ring_put(&r, frame(RING_FRAME_MAX + 1),
				  RING_FRAME_MAX + 1, 1),
			 -EINVAL);
	assert_int_equal(r.current, 0x48);
}

/* Header, frame and CRC of 256 bytes are one page; one more is two. */
static void test_page_edge(void **state)
{
	struct ring_page r = ring();

	(void)state;
	assert_int_equal(ring_put(&r, frame(248), 248, 1), 0);
	assert_int_equal(r.current, 0x48);
	assert_int_equal(ring_put(&r, frame(249), 249, 1), 0);
	assert_int_equal(r.current, 0x4a);
	assert_int_equal(at_page(0x48)[1], 0x4a);
	assert_true(untouched(0x47, 0x4a));
}

static void test_wrap(void **state)
{
	struct ring_page r = ring();
	uint32_t len;
	uint8_t next;

	(void)state;
	r.boundary = 0x4b;
	r.current = 0x4c;
	assert_int_equal(ring_put(&r, frame(1514), 1514, 1), 0);
	assert_int_equal(r.current, 0x4a); /* 0x4c 0x4d 0x46 to 0x49 */
	assert_memory_equal(at_page(0x4c) + 4, frame(1514), 508);
	assert_memory_equal(at_page(0x46), frame(1514) + 508, 1514 - 508);
	assert_true(untouched(0x46, 0x4e));
	assert_int_equal(ring_next(&r, 0x4c, at_page(0x4c), &next, &len), 0);
	assert_int_equal(next, 0x4a);
	assert_int_equal(len, 1514);
	assert_int_equal(ring_put(&r, frame(60), 60, 1), 0);
	assert_int_equal(r.current, 0x4b);
	assert_true(r.full);
	assert_int_equal(ring_put(&r, frame(60), 60, 1), -ENOSPC);

	/* A frame that ends with the last page. */
	r = ring();
	r.current = 0x4d;
	r.boundary = 0x4a;
	assert_int_equal(ring_put(&r, frame(248), 248, 1), 0);
	assert_int_equal(r.current, 0x46);
	assert_int_equal(at_page(0x4d)[1], 0x46);
	assert_true(untouched(0x4d, 0x4e));
}

/* Until it is full, never into the boundary page, and then nothing. */
static void test_full(void **state)
{
	struct ring_page r = ring(), before;
	unsigned int i;

	(void)state;
	for (i = 0; i < 7; i++) {
		assert_int_equal(ring_free(&r), (7 - i) * RING_PAGE);
		assert_int_equal(ring_put(&r, frame(60), 60, 1), 0);
	}
	assert_int_equal(r.current, r.boundary);
	assert_true(r.full);
	assert_true(untouched(0x47, 0x4e));
	before = r;
	assert_int_equal(ring_put(&r, frame(60), 60, 1), -ENOSPC);
	assert_memory_equal(&r, &before, sizeof(r));
	r.boundary = 0x47; /* the host took one */
	r.full = false;
	assert_int_equal(ring_put(&r, frame(1514), 1514, 1), -ENOSPC);
	assert_int_equal(ring_put(&r, frame(60), 60, 1), 0);
	assert_true(r.full);

	/* Both at start, as the data sheet begins: the whole ring is free. */
	r = ring();
	r.current = r.boundary = r.start;
	for (i = 0; i < 8; i++)
		assert_int_equal(ring_put(&r, frame(60), 60, 1), 0);
	assert_int_equal(ring_put(&r, frame(60), 60, 1), -ENOSPC);
}

static int next_of(struct ring_page *r, uint8_t page, uint8_t next,
		   unsigned int count)
{
	const uint8_t header[4] = { 1, next, (uint8_t)count,
				    (uint8_t)(count >> 8) };
	uint8_t to = 0;
	uint32_t len = 0;

	if (ring_next(r, page, header, &to, &len)) {
		assert_int_equal(to | len, 0);
		return -1;
	}
	assert_int_equal(to, next);
	assert_int_equal(len, count - 4);
	return 0;
}

static void test_next(void **state)
{
	struct ring_page r = ring();

	(void)state;
	assert_int_equal(next_of(&r, 0x47, 0x48, 64), 0);
	assert_int_equal(next_of(&r, 0x47, 0x48, 63), -1);
	assert_int_equal(next_of(&r, 0x47, 0x48, 0), -1);
	assert_int_equal(next_of(&r, 0x47, 0x48, 252), 0);
	assert_int_equal(next_of(&r, 0x47, 0x48, 253), -1);
	assert_int_equal(next_of(&r, 0x47, 0x49, 253), 0);
	assert_int_equal(next_of(&r, 0x47, 0x47, 64), -1);
	assert_int_equal(next_of(&r, 0x47, 0x49, 64), -1);
	assert_int_equal(next_of(&r, 0x47, 0x4d, 1518), 0);
	assert_int_equal(next_of(&r, 0x48, 0x46, 1518), 0);
	assert_int_equal(next_of(&r, 0x48, 0x4e, 1518), -1);
	assert_int_equal(next_of(&r, 0x4d, 0x46, 64), 0);
	assert_int_equal(next_of(&r, 0x4e, 0x47, 64), -1);
	assert_int_equal(next_of(&r, 0x45, 0x46, 64), -1);
	assert_int_equal(next_of(&r, 0x46, 0x4d, 1536), 0);
	assert_int_equal(next_of(&r, 0x46, 0x4d, 1537), -1);
	assert_int_equal(next_of(&r, 0x47, 0x48, 0xff40), -1);
	r.boundary = r.current = 0; /* registers of no matter here */
	assert_int_equal(next_of(&r, 0x47, 0x48, 64), 0);
	r.stop = 0x49; /* three pages: it fills them, it does not fit */
	assert_int_equal(next_of(&r, 0x47, 0x47, 700), 0);
	assert_int_equal(next_of(&r, 0x47, 0x48, 1000), -1);
	r.stop = 0xff;
	assert_int_equal(next_of(&r, 0x47, 0x48, 64), -1);
}

/* As drivers do: the header by pieces of (width), then the frame. */
static void read_frame(struct ring_watch *w, const struct ring_page *r,
		       uint8_t page, unsigned int width, unsigned int len)
{
	unsigned int at;

	for (at = 0; at < 4 + len; at += width)
		ring_watch_read(w, r, page * RING_PAGE + at, at_page(page) + at,
				width);
}

static void test_watch(void **state)
{
	struct ring_page r = ring();
	struct ring_watch w = { 0 };
	unsigned int width;

	(void)state;
	ring_watch_start(&w, &r);
	assert_int_equal(w.expect, 0x47);
	for (width = 1; width <= 4; width *= 2)
		assert_int_equal(ring_put(&r, frame(100), 100, 1), 0);
	for (width = 1; width <= 4; width *= 2) {
		read_frame(&w, &r, w.expect, width, 100);
		assert_int_equal(w.bytes, w.frames * 100);
		/* Once more: it is not what is expected now. */
		read_frame(&w, &r, (uint8_t)(w.expect - 1), width, 100);
	}
	assert_int_equal(w.frames, 3);
	assert_int_equal(w.expect, 0x4a);
	read_frame(&w, &r, 0x4a, 4, 100); /* 0xee: not a header */
	assert_int_equal(w.frames, 3);
	assert_int_equal(w.expect, 0x4a);
	ring_watch_read(&w, &r, UINT32_MAX - 1, at_page(0x40), 64);
	assert_int_equal(w.frames, 3);
}

static void test_watch_pieces(void **state)
{
	struct ring_page r = ring();
	struct ring_watch w = { 0 };
	const uint8_t *p = at_page(0x47);

	(void)state;
	ring_watch_start(&w, &r);
	ring_watch_read(&w, &r, 0x4700, p, 2); /* before the frame came */
	assert_int_equal(w.have, 2);
	assert_int_equal(ring_put(&r, frame(60), 60, 1), 0);
	assert_int_equal(ring_put(&r, frame(60), 60, 1), 0);
	/* Not from its first byte, and with a hole. */
	ring_watch_read(&w, &r, 0x4701, p + 1, 3);
	ring_watch_read(&w, &r, 0x4700, p, 1);
	ring_watch_read(&w, &r, 0x4702, p + 2, 2);
	assert_int_equal(w.frames, 0);
	assert_int_equal(w.have, 1);
	/* Begun anew, with other reads between. */
	ring_watch_read(&w, &r, 0x4700, p, 2);
	ring_watch_read(&w, &r, 0x4600, at_page(0x46), 4);
	ring_watch_read(&w, &r, 0x4702, p + 2, 1);
	ring_watch_read(&w, &r, 0x4703, p + 3, 1);
	assert_int_equal(w.frames, 1);
	/* A header of which an older half was read. */
	ring_watch_read(&w, &r, 0x4800, at_page(0x40), 2);
	ring_watch_read(&w, &r, 0x4800, at_page(0x48), 4);
	assert_int_equal(w.frames, 2);
	/* One read that begins before the page and holds two headers. */
	ring_watch_start(&w, &(struct ring_page){ .current = 0x47 });
	ring_watch_read(&w, &r, 0x46f0, p - 16, 16 + 2 * RING_PAGE);
	assert_int_equal(w.frames, 4);
	assert_int_equal(w.bytes, 240);
	assert_int_equal(w.expect, 0x49);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_boundary_before_start),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_pad),
		cmocka_unit_test(test_page_edge),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_watch_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
