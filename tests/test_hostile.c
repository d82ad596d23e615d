/* SPDX-License-Identifier: MIT */
/*
 * test_hostile.c: guest 0 does what no driver does; guest 1, its neighbour,
 * must not notice.  And, with a safeguard taken away, that it would.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dmm/mon.h"
#include "share.h"

#define SECRET 0x5e /* fills all frames of the neighbour */
#define RUN 4	    /* that many of it in a row are no accident */
#define STA_TXP (CR_RD2 | CR_TXP | CR_STA)

static bool drops(const struct share *s)
{
	return s->conf.when_parked == DMM_DROP && s->conf.how == DMM_LEASE;
}

/* ---- a guest without manners ---- */

/* Once, and held for 5 ms at most: whatever comes of it. */
static void poke(struct share *s, unsigned int off, unsigned int width,
		 bool write, void *data, unsigned int count)
{
	struct dmm_access a = { .off = off,
				.data = data,
				.count = count,
				.width = (uint8_t)width,
				.write = write };
	unsigned int i;

	for (i = 0; share_try(s, 0, &a) == DMM_HOLD && i < 50; i++)
		share_pass(s, 100 * SHARE_US);
}

static void out(struct share *s, unsigned int off, unsigned int width,
		uint64_t v)
{
	poke(s, off, width, true, &v, 1);
}

static uint64_t in(struct share *s, unsigned int off, unsigned int width)
{
	uint64_t v = 0;

	poke(s, off, width, false, &v, 1);
	return v;
}

static void out16(struct share *s, unsigned int off, unsigned int v)
{
	out(s, off, 1, v & 0xff);
	out(s, off + 1, 1, v >> 8);
}

static void remote(struct share *s, unsigned int at, unsigned int len,
		   unsigned int rd)
{
	out(s, P0_ISR, 1, ISR_RDC);
	out16(s, P0_RBCR0, len);
	out16(s, P0_RSAR0, at);
	out(s, NE2K_CR, 1, CR_STA | rd << 3);
}

/* Read (n) elements of (width), one by one and then as a string. */
static void suck(struct share *s, unsigned int width, unsigned int n)
{
	static uint8_t buf[0x10000 * 4];
	unsigned int i;

	for (i = 0; i < 8; i++)
		in(s, NE2K_DATA, width);
	assert_in_range(n * width, 0, sizeof(buf));
	poke(s, NE2K_DATA, width, false, buf, n);
}

static void spray(struct share *s, unsigned int width, unsigned int n,
		  uint8_t value)
{
	static uint8_t buf[0x4000];

	memset(buf, value, sizeof(buf));
	assert_in_range(n * width, 0, sizeof(buf));
	poke(s, NE2K_DATA, width, true, buf, n);
}

/* All memory that it may read, in two parts: a transfer wraps at PSTOP. */
static void read_all(struct share *s)
{
	remote(s, 0x4000, 0x4000, 1);
	suck(s, 2, 0x2000);
	remote(s, 0x8000, 0x4000, 1);
	suck(s, 2, 0x2000);
}

static void abort_all(struct share *s)
{
	out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
	share_pass(s, 3 * SHARE_MS);
	out(s, P0_ISR, 1, 0xff);
}

/* ---- what it tries ---- */

static void ranges(struct share *s)
{
	static const struct {
		uint16_t at, len;
	} range[] = {
		{ 0xc000, 0x4000 }, { 0xbfff, 2 },	{ 0xbf00, 0x101 },
		{ 0xbf00, 0xffff }, { 0x4000, 0xffff }, { 0x4000, 0x8001 },
		{ 0x3fff, 2 },	    { 0x3fff, 0x8000 }, { 0x0020, 4 },
		{ 0x001f, 2 },	    { 0x0000, 0x21 },	{ 0x0000, 0xffff },
		{ 0xffff, 0xffff }, { 0xffff, 1 },	{ 0x8000, 0xffff },
		{ 0x8000, 0x8000 }, { 0x4000, 0 },	{ 0xc000, 0 },
		{ 0xffff, 0 },	    { 0x7fff, 0x8001 },
	};
	static const uint8_t width[] = { 1, 2, 4 };
	unsigned int i, w;

	for (i = 0; i < ARRAY_LEN(range); i++)
		for (w = 0; w < ARRAY_LEN(width); w++) {
			remote(s, range[i].at, range[i].len, 1);
			suck(s, width[w], 0x10000);
			remote(s, range[i].at, range[i].len, 2);
			spray(s, width[w], 0x1000, 0x77);
			abort_all(s);
		}
}

/* Reads that go on behind the count, odd counts, odd addresses, by any width. */
static void counts(struct share *s)
{
	static const uint8_t width[] = { 1, 2, 4, 8 };
	unsigned int len, w, at, wts;

	for (len = 0; len < 10; len++)
		for (w = 0; w < ARRAY_LEN(width); w++)
			for (at = 0; at < 4; at++)
				for (wts = 0; wts < 2; wts++) {
					out(s, P0_DCR, 1, 0x48 | wts);
					remote(s, 0xbff0 + at, len, 1);
					suck(s, width[w], 0x200);
					remote(s, 0x5000 + at, len, 2);
					spray(s, width[w], 0x20, 0x77);
					suck(s, width[w], 0x200);
					out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
				}
}

/* The ring's ends are where a transfer jumps: move them, before and during. */
static void wraps(struct share *s)
{
	static const uint8_t page[] = { 0x00, 0x01, 0x3f, 0x40, 0x41, 0x7f,
					0x80, 0xbf, 0xc0, 0xc1, 0xfe, 0xff };
	unsigned int a, b;

	for (a = 0; a < ARRAY_LEN(page); a++)
		for (b = 0; b < ARRAY_LEN(page); b++) {
			out(s, P0_PSTART, 1, page[a]);
			out(s, P0_PSTOP, 1, page[b]);
			remote(s, (page[b] << 8) - 6, 0x100, 1);
			suck(s, 1 << (a & 1), 0x400);
			remote(s, (page[b] << 8) - 6, 0x100, 2);
			spray(s, 2, 4, 0x77);
			out(s, P0_PSTART, 1, page[b]);
			out(s, P0_PSTOP, 1, page[a]);
			spray(s, 2, 0x80, 0x77);
			remote(s, 0x4000, 0x8000, 1);
			suck(s, 2, 0x100);
			out(s, P0_PSTOP, 1, 0x44);
			out(s, P0_PSTART, 1, 0xc0);
			suck(s, 2, 0x8000);
			abort_all(s);
		}
}

/* The working registers, written or not written between two starts. */
static void rewrites(struct share *s)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		remote(s, 0xbe00, 0x200, 1 + (i & 1));
		suck(s, 2, 0x80);
		if (i & 2)
			out16(s, P0_RSAR0, 0xbf80);
		if (i & 4)
			out16(s, P0_RBCR0, 0xffff);
		suck(s, 2, 0x400);
		out(s, NE2K_CR, 1, CR_STA | CR_RD_READ);
		suck(s, 2, 0x400);
		out(s, NE2K_CR, 1, CR_STA | CR_RD_WRITE);
		spray(s, 2, 0x400, 0x77);
		out(s, NE2K_CR, 1, CR_STA); /* RD = 0 */
		suck(s, 2, 0x400);
		out(s, NE2K_CR, 1, CR_STA | CR_RD_SEND); /* RD = 3 */
		suck(s, 4, 0x400);
		abort_all(s);
	}
}

static void transmits(struct share *s)
{
	static const uint8_t page[] = { 0x00, 0x01, 0x3f, 0x40, 0x7f,
					0xba, 0xbb, 0xbf, 0xc0, 0xff };
	static const uint16_t len[] = { 0,    1,    13,	  14,	  60,
					1514, 1515, 1600, 0x4000, 0xffff };
	unsigned int i, k;

	for (i = 0; i < ARRAY_LEN(page); i++)
		for (k = 0; k < ARRAY_LEN(len); k++) {
			out(s, P0_TPSR, 1, page[i]);
			out16(s, P0_TBCR0, len[k]);
			out(s, NE2K_CR, 1, STA_TXP);
			share_pass(s, 2 * SHARE_MS);
			out(s, NE2K_CR, 1, CR_RD2 | CR_TXP);
			out(s, NE2K_CR, 1, CR_RD2 | CR_TXP | CR_STP);
			out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
			abort_all(s);
		}
}

/* A frame of its own in (page), and one with its neighbour's source in 0x50. */
static void two_frames(struct share *s, unsigned int page)
{
	struct share_frame f;

	abort_all(s);
	out(s, P0_DCR, 1, 0x49);
	share_make(&f, share_outside, share_mac(0), 0x70, 0, 1500);
	share_load(s, 0, page, &f);
	share_make(&f, share_outside, share_mac(1), 0x71, 0, 1500);
	share_load(s, 0, 0x50, &f);
}

static void forged(struct share *s)
{
	static const uint8_t group[6] = { 0x01, 0, 0x5e, 0, 0, 1 };
	struct share_frame f;

	two_frames(s, 0x40);
	share_ring(s, 0, 0x50, 1500);
	abort_all(s);
	share_make(&f, share_outside, group, 0x71, 0, 100);
	share_load(s, 0, 0x40, &f);
	share_ring(s, 0, 0x40, 100);
	abort_all(s);
	/* changed while it is being sent */
	two_frames(s, 0x40);
	share_ring(s, 0, 0x40, 1500);
	out(s, P0_TPSR, 1, 0x50);
	out(s, NE2K_CR, 1, STA_TXP);
	share_pass(s, 2 * SHARE_MS);
	abort_all(s);
}

/* Write over the frame that is being sent, by every way to its memory. */
static void overwrites(struct share *s)
{
	static const uint8_t width[] = { 1, 2, 4 };
	unsigned int i, w, at;

	for (i = 0; i < 6; i++)
		for (w = 0; w < ARRAY_LEN(width); w++)
			for (at = 0x45f0; at < 0x4610; at += 5) {
				two_frames(s, 0x46);
				remote(s, 0x45f0, 0x80, 2);
				if (i & 1)
					share_ring(s, 0, 0x46, 1500);
				else
					out(s, NE2K_CR, 1,
					    CR_STA | CR_TXP | CR_RD_WRITE);
				out(s, P0_DCR, 1, 0x48 | (i >> 1 & 1));
				spray(s, width[w], 12, share_mac(1)[5]);
				out(s, NE2K_CR, 1, CR_STA | CR_RD_WRITE);
				spray(s, width[w], 12, share_mac(1)[5]);
				remote(s, at, 0x40, 2);
				spray(s, width[w], 0x40, share_mac(1)[5]);
				abort_all(s);
			}
}

/* Make the card's memory differ from what the monitor thinks is in it. */
static void confuses(struct share *s)
{
	static uint8_t own[1500];
	struct share_frame f;
	unsigned int i;

	share_make(&f, share_outside, share_mac(0), 0x70, 0, 1500);
	memcpy(own, f.bytes, sizeof(own));
	for (i = 0; i < 16; i++) {
		two_frames(s, 0x40);
		out(s, P0_PSTART, 1, 0x50);
		out(s, P0_PSTOP, 1, 0x60);
		if (i & 1) /* keeps what the context forgets */
			in(s, NE2K_RESET, 1);
		out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
		out(s, P0_DCR, 1, i & 2 ? 0x48 : 0x49);
		if (i & 4) { /* over the ring's end, and not exactly */
			remote(s, 0x5ffe, 1502, 2);
			poke(s, NE2K_DATA, 4, true, own, 1);
			poke(s, NE2K_DATA, 4, true, own, 374);
		}
		remote(s, 0x4fff + (i >> 3), 1500, 2);
		poke(s, NE2K_DATA, i & 2 ? 2 : 1, true, own, 700);
		out(s, NE2K_CR, 1, CR_STA | CR_RD_WRITE);
		poke(s, NE2K_DATA, 2, true, own, 750);
		out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
		share_ring(s, 0, 0x50, 1500);
		abort_all(s);
		share_ring(s, 0, 0x4f, 1500);
		abort_all(s);
	}
}

/* Say that it is its neighbour, or that it wants everything. */
static void claims(struct share *s)
{
	struct share_frame f;
	unsigned int i, width;

	for (width = 1; width <= 4; width *= 2) {
		out(s, NE2K_CR, 1, CR_RD2 | CR_STA | 1 << 6);
		for (i = 0; i < 6; i += width) {
			uint64_t v = 0;

			memcpy(&v, share_mac(1) + i,
			       width < 6 - i ? width : 6 - i);
			out(s, 1 + i, width, v);
		}
		out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
		/* the bank changes in mid-access */
		out(s, NE2K_CR, 4, 0x54520062 | UINT64_C(0x52) << 8);
		out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
		out(s, P0_RCR, 1, 0x3f & ~RCR_MON);
		share_make(&f, share_mac(1), share_outside, SECRET, 99, 400);
		share_wire(s, &f);
		if (!drops(s))
			assert_true(share_recv(s, 1, &f));
		read_all(s);
		abort_all(s);
	}
	if (drops(s))
		assert_memory_equal(s->ne->par, share_mac(0), 6);
}

static void configures(struct share *s)
{
	unsigned int i, width;

	for (width = 1; width <= 8; width *= 2)
		for (i = 0; i < 16; i++) {
			out(s, NE2K_CR, 1, CR_RD2 | CR_STA | 3 << 6);
			out(s, i ? i : 1, width, UINT64_MAX / 255 * 0xc0);
			in(s, i, width);
			out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
			/* page 3 and its registers at once */
			out(s, NE2K_CR, width, UINT64_MAX / 255 * 0xe2);
			out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
		}
}

static void resets(struct share *s)
{
	unsigned int i, k;

	for (i = 0; i < 300; i++) {
		out(s, NE2K_CR, 1, CR_STA | (i & 3) << 6);
		for (k = 0; k < (i & 7); k++)
			in(s, NE2K_RESET + k, 1 << (i % 3));
		remote(s, 0x4000, 0x8000, 1);
		suck(s, 2, 16);
		out(s, NE2K_RESET + (i & 7), 1 << (i % 3), i);
		suck(s, 2, 0x100);
		dmm_guest_reset(s->dmm, 0);
		suck(s, 2, 0x100);
	}
}

/* Every offset, by every width, aligned or not, in every page. */
static void widths(struct share *s)
{
	unsigned int off, width, bank;

	for (bank = 0; bank < 4; bank++)
		for (width = 1; width <= 8; width *= 2)
			for (off = 0; off <= 0x20; off++) {
				remote(s, 0xbf00, 8, 1);
				out(s, NE2K_CR, 1, CR_STA | bank << 6);
				in(s, off, width);
				in(s, off, width);
				out(s, off, width, UINT64_MAX / 255 * 0xbf);
				in(s, NE2K_DATA, 2);
				out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
			}
	in(s, 0x1f, 4);
	out(s, 0x1f, 4, 0);
}

static void strings(struct share *s)
{
	static uint8_t buf[0x4000];
	unsigned int off, width;

	for (width = 1; width <= 4; width *= 2)
		for (off = 0; off < 0x20; off++) {
			memset(buf, 0x0a + (int)off, sizeof(buf));
			remote(s, 0xbf00, 0x80, 1);
			poke(s, off, width, true, buf, 200);
			poke(s, off, width, false, buf, 0x1000);
			out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
		}
}

static void anything(struct share *s)
{
	static uint8_t buf[64 * 8];
	uint32_t seed = 1;
	unsigned int i, off;

	for (i = 0; i < 60000; i++) {
		seed = seed * 1664525u + 1013904223u;
		off = seed >> 27;
		memset(buf, (int)(seed >> 19), sizeof(buf));
		buf[0] = (uint8_t)(seed >> 9);
		poke(s, off, 1u << (seed >> 25 & 3 & (seed >> 14)),
		     seed >> 24 & 1, buf, seed >> 12 & 1 ? 1 : 50);
		if (i % 64 == 0)
			out(s, NE2K_CR, 1, CR_STA | (i / 64 & 0x3f) << 2);
		if (i % 1024 == 0) {
			out(s, P0_PSTART, 1, 0x4c);
			out(s, P0_PSTOP, 1, 0x80);
			remote(s, seed & 0xffff, seed >> 16, 1 + (i & 1));
		}
	}
}

static const struct {
	const char *name;
	void (*run)(struct share *s);
} cases[] = {
	{ "ranges", ranges },	      { "counts", counts },
	{ "wraps", wraps },	      { "rewrites", rewrites },
	{ "transmits", transmits },   { "forged", forged },
	{ "overwrites", overwrites }, { "confuses", confuses },
	{ "claims", claims },	      { "configures", configures },
	{ "resets", resets },	      { "widths", widths },
	{ "strings", strings },	      { "anything", anything },
};

/* ---- what must hold after each ---- */

static uint64_t sum(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n--)
		h = (h ^ *b++) * UINT64_C(0x100000001b3);
	return h;
}

/*
 * All of the neighbour that is not a count of frames or time.  With drop it
 * may have had the card meanwhile, for it listens: then what it wrote.
 */
static uint64_t context_of(const struct share *s)
{
	const struct context *c = &s->dmm->guest[1];
	const struct reg *reg;
	uint64_t h = 1;
	unsigned int i;

	for (i = 0; i < s->model->regs; i++) {
		reg = &s->model->reg[i];
		if (!drops(s) || (reg->writable && !reg->vol))
			h = sum(h, c->reg + reg->slot,
				reg->dim * sizeof(*c->reg));
	}
	h = sum(h, c->state, s->model->machines * sizeof(*c->state));
	for (i = 0; i < s->model->memory_bytes / PAGE; i++)
		if (!drops(s) || c->kept[i] == KEPT_WRITTEN)
			h = sum(h, c->memory + i * PAGE, PAGE);
	return h;
}

static struct share_frame unread[3], unsent;

/* The neighbour: secrets in its ring, in its buffers and under way. */
static void settle_neighbour(struct share *s)
{
	uint8_t fill[0x600];
	unsigned int i;

	share_up_all(s);
	memset(fill, SECRET, sizeof(fill));
	for (i = 0x4000; i < 0x4c00; i += sizeof(fill))
		share_write(s, 1, i, fill, sizeof(fill));
	share_write(s, 1, 0xb800, fill, sizeof(fill));
	for (i = 0; i < ARRAY_LEN(unread); i++) {
		share_make(&unread[i], share_mac(1), share_outside, SECRET, i,
			   700 + i);
		share_wire(s, &unread[i]);
	}
	share_make(&unsent, share_outside, share_mac(1), SECRET, 7, 1200);
	share_load(s, 1, SHARE_TX, &unsent);
	share_remote(s, 0, 0x7000, 2, false); /* the card changes hands */
	suck(s, 2, 1);
	abort_all(s);
	if (drops(s))
		assert_int_equal(dmm_owner(s->dmm), 0);
}

static void expect_honest_wire(const struct share *s, size_t from)
{
	const struct share_frame *f;
	size_t i;

	for (i = from; i < s->wire.n; i++) {
		f = &s->wire.at[i];
		if (memcmp(f->bytes + 6, share_mac(0), 6))
			fail_msg("frame %zu from %02x:%02x:%02x:%02x:%02x:%02x",
				 i, f->bytes[6], f->bytes[7], f->bytes[8],
				 f->bytes[9], f->bytes[10], f->bytes[11]);
		if (memchr(f->bytes + 14, SECRET, 4))
			fail_msg("frame %zu has its neighbour's bytes", i);
	}
}

/* It reads its ring and sends its frame as if nothing had been. */
static void expect_unharmed(struct share *s)
{
	struct share_frame got;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(unread); i++) {
		assert_true(share_recv(s, 1, &got));
		assert_true(share_same(&got, &unread[i]));
	}
	share_ring(s, 1, SHARE_TX, unsent.len);
	assert_true(share_wait_sent(s, 1));
	assert_true(share_same(&s->wire.at[s->wire.n - 1], &unsent));
	assert_int_equal(share_stats(s, 1).violations, 0);
	share_make(&got, share_mac(1), share_outside, SECRET, 9, 900);
	share_wire(s, &got);
	assert_true(share_recv(s, 1, &got));
}

static void run_case(struct share *s, unsigned int i)
{
	uint64_t before, after;
	unsigned int k;
	size_t sent;

	settle_neighbour(s);
	before = context_of(s);
	sent = s->wire.n;
	cases[i].run(s);
	after = context_of(s);
	share_pass(s, 5 * SHARE_MS);
	expect_honest_wire(s, sent);
	if (cases[i].run != claims || drops(s))
		assert_true(before == after);
	if (cases[i].run == claims && !drops(s))
		return; /* it has read its frames by now */
	if (share_leaked(s, 0, SECRET, RUN))
		fail_msg("%s: it read of its neighbour", cases[i].name);
	assert_int_equal(s->ne->ee, 0);
	assert_int_equal(s->ne->config2, 0x40);
	assert_int_equal(s->ne->config3, 0x40);
	expect_unharmed(s);
	/* and once more, when the card has been the neighbour's */
	out(s, P0_PSTART, 1, SHARE_START);
	out(s, P0_PSTOP, 1, SHARE_STOP);
	for (k = 0; k < 10; k++)
		read_all(s);
	assert_true(s->guest[0].read[s->guest[0].n - 0x100] != 0xff);
	if (share_leaked(s, 0, SECRET, RUN))
		fail_msg("%s: it read what its neighbour left", cases[i].name);
}

/* One test a case and mode; a new rig each. */
static const struct share_conf modes[] = {
	{ .how = DMM_LEASE, .when_parked = DMM_DROP },
	{ .how = DMM_LEASE, .when_parked = DMM_SPOOL },
	{ .how = DMM_LEASE, .when_parked = DMM_DROP, .policy = DMM_ABORT },
	{ .how = DMM_LEASE, .when_parked = DMM_SPOOL, .policy = DMM_ABORT },
	{ .how = DMM_LEASE, .when_parked = DMM_SPOOL, .wire_bps = 1000000 },
};

static void test_case(void **state)
{
	unsigned int i = (unsigned int)(uintptr_t)*state, m;

	for (m = 0; m < ARRAY_LEN(modes); m++) {
		struct share *s = share_open(&modes[m]);

		run_case(s, i);
		share_close(s);
	}
}

/* Alone on the card, it can still not send as somebody else. */
static void test_exclusive(void **state)
{
	static const struct share_conf conf = { .how = DMM_EXCLUSIVE };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct share *s;

		if (cases[i].run == claims)
			continue; /* it has the card, and may */
		s = share_open(&conf);
		share_up(s, 0, RCR_AB);
		cases[i].run(s);
		share_pass(s, 5 * SHARE_MS);
		expect_honest_wire(s, 0);
		assert_int_equal(s->ne->ee, 0);
		share_close(s);
	}
}

/* A guest that must stop for it, does. */
static void test_stop(void **state)
{
	static const struct share_conf conf = { .how = DMM_LEASE,
						.policy = DMM_POLICY_STOP };
	struct share *s = share_open(&conf);
	uint8_t cr = CR_STA | CR_RD_READ;

	(void)state;
	share_up_all(s);
	share_out16(s, 0, P0_RSAR0, 0xc000);
	share_out16(s, 0, P0_RBCR0, 4);
	assert_int_equal(share_io(s, 0, NE2K_CR, 1, true, &cr, 1), DMM_STOP);
	assert_int_equal(s->guest[0].offence, DMM_REFUSED);
	share_close(s);
}

/* ---- a frame that comes in while its guest is away ---- */

/* What the card had of frames that it gave up, and what a reset forgets. */
static void test_leftovers(void **state)
{
	static const struct share_conf conf = { .how = DMM_LEASE,
						.when_parked = DMM_DROP };
	struct share_frame f;
	unsigned int i, how;
	uint8_t byte, all[0x1000];

	(void)state;
	for (how = 0; how < 6; how++) {
		struct share *s = share_open(&conf);

		share_up_all(s);
		share_read(s, 1, 0x4000, &byte, 1);
		for (i = 0; i < 12; i++) { /* the ring runs over */
			share_make(&f, share_mac(1), share_outside, SECRET, i,
				   1514);
			share_wire(s, &f);
		}
		if (how == 1)
			share_in(s, 1, NE2K_RESET);
		if (how == 2)
			dmm_guest_reset(s->dmm, 1);
		if (how == 3)
			dmm_leave(s->dmm, 1);
		if (how == 4) {
			share_out(s, 1, P0_PSTOP, 0x50);
			share_set(s, 1, P1_CURR, SHARE_START);
			share_out(s, 1, P0_BNRY, SHARE_START);
		}
		if (how == 5)
			share_up(s, 1, RCR_AB);
		for (i = 0x4000; i < 0xc000; i += sizeof(all))
			share_read(s, 0, i, all, sizeof(all));
		assert_int_equal(dmm_owner(s->dmm), 0);
		if (share_leaked(s, 0, SECRET, RUN))
			fail_msg("it read what was received (%u)", how);
		share_close(s);
	}
}

/* Nor what was on the card before. */
static void test_before(void **state)
{
	static const struct share_conf conf = { .how = DMM_LEASE,
						.when_parked = DMM_DROP };
	struct share *s = share_open(&conf);

	(void)state;
	memset(s->ne->ram, SECRET, sizeof(s->ne->ram));
	share_up(s, 0, RCR_AB);
	read_all(s);
	assert_false(share_leaked(s, 0, SECRET, RUN));
	share_close(s);
}

/* What lies partly on the data port does not reach it, counted or not. */
static void test_straddle(void **state)
{
	static const struct share_conf conf = { .how = DMM_LEASE,
						.when_parked = DMM_DROP };
	struct share *s = share_open(&conf);
	unsigned int off, width;
	uint64_t v;

	(void)state;
	share_up(s, 0, RCR_AB);
	share_read(s, 0, 0x4000, &v, 2);
	share_remote(s, 0, 0x5000, 0x100, false);
	for (width = 2; width <= 8; width *= 2)
		for (off = 0x10 - width + 1; off < 0x18; off++) {
			if (off >= 0x10 && off % width == 0 && width < 8)
				continue; /* as it should be */
			v = in(s, off, width);
			assert_int_equal(v, UINT64_MAX >> (64 - 8 * width));
			out(s, off, width, 0);
			assert_int_equal(s->ne->rsar, 0x5000);
			assert_int_equal(s->ne->rbcr, 0x100);
			assert_true(s->ne->running);
		}
	share_close(s);
}

/* ---- without a safeguard, it shows ---- */

/* Nothing but what came in for it: no transfer of its own is needed. */
static void settle_ring(struct share *s)
{
	struct share_frame f;

	share_up_all(s);
	share_make(&f, share_mac(1), share_outside, SECRET, 0, 1500);
	share_wire(s, &f);
}

static bool reads_neighbour(unsigned int when_parked, unsigned int without,
			    void (*attack)(struct share *s))
{
	struct share_conf conf = { .how = DMM_LEASE,
				   .when_parked = when_parked,
				   .without = without };
	struct share *s = share_open(&conf);
	bool leaked;

	if (when_parked == DMM_SPOOL)
		settle_ring(s);
	else
		settle_neighbour(s);
	attack(s);
	leaked = share_leaked(s, 0, SECRET, RUN);
	share_close(s);
	return leaked;
}

static void read_outside(struct share *s)
{
	remote(s, 0x9000, 0x7000, 1); /* to the neighbour's ring */
	suck(s, 2, 0x37f0);
}

static void read_behind(struct share *s)
{
	remote(s, 0xbf00, 0x100, 1);
	suck(s, 2, 0x2000);
}

static void hear_neighbour(struct share *s)
{
	struct share_frame f;

	share_make(&f, share_mac(1), share_outside, SECRET, 99, 400);
	share_wire(s, &f);
	read_all(s);
}

static void test_without_range(void **state)
{
	(void)state;
	assert_false(reads_neighbour(DMM_SPOOL, 0, read_outside));
	assert_true(
		reads_neighbour(DMM_SPOOL, DMM_WITHOUT_RANGE, read_outside));
}

static void test_without_scrub(void **state)
{
	(void)state;
	assert_false(reads_neighbour(DMM_DROP, 0, read_all));
	assert_true(reads_neighbour(DMM_DROP, DMM_WITHOUT_SCRUB, read_all));
}

static void test_without_count(void **state)
{
	(void)state;
	assert_false(reads_neighbour(DMM_SPOOL, 0, read_behind));
	assert_true(reads_neighbour(DMM_SPOOL, DMM_WITHOUT_COUNT, read_behind));
}

static void test_without_filter(void **state)
{
	(void)state;
	assert_false(reads_neighbour(DMM_SPOOL, 0, hear_neighbour));
	assert_true(
		reads_neighbour(DMM_SPOOL, DMM_WITHOUT_FILTER, hear_neighbour));
}

static void test_without_source(void **state)
{
	unsigned int m, without;

	(void)state;
	for (m = 0; m < 4; m++) {
		struct share_conf conf = { .how = DMM_LEASE,
					   .when_parked = m & 1 ? DMM_DROP :
								  DMM_SPOOL };
		struct share_frame f;
		struct share *s;

		without = m & 2 ? DMM_WITHOUT_SOURCE : 0;
		conf.without = without;
		s = share_open(&conf);
		share_up_all(s);
		share_make(&f, share_outside, share_mac(1), 0x66, 0, 100);
		share_load(s, 0, SHARE_TX, &f);
		share_ring(s, 0, SHARE_TX, 100);
		share_pass(s, SHARE_MS);
		assert_int_equal(share_frames_have(&s->wire, &f), without != 0);
		assert_int_equal(s->guest[0].reports, without == 0);
		share_close(s);
	}
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(cases) + 10] = {
		cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_before),
		cmocka_unit_test(test_straddle),
		cmocka_unit_test(test_without_range),
		cmocka_unit_test(test_without_scrub),
		cmocka_unit_test(test_without_count),
		cmocka_unit_test(test_without_filter),
		cmocka_unit_test(test_without_source),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(cases); i++)
		tests[10 + i] = (struct CMUnitTest){
			.name = cases[i].name,
			.test_func = test_case,
			.initial_state = (void *)(uintptr_t)i,
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
