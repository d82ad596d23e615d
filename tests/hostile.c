/* SPDX-License-Identifier: MIT */
/*
 * hostile.c: what guest 0 of a rig does that no driver would.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hostile.h"

#define STA_TXP (CR_RD2 | CR_TXP | CR_STA)

bool hostile_drops(const struct share *s)
{
	return s->conf.when_parked == DMM_DROP && s->conf.how == DMM_LEASE;
}

/* ---- a guest without manners ---- */

/* Once, and held for 5 ms at most: whatever comes of it. */
void hostile_poke(struct share *s, unsigned int off, unsigned int width,
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

void hostile_out(struct share *s, unsigned int off, unsigned int width,
		 uint64_t v)
{
	hostile_poke(s, off, width, true, &v, 1);
}

uint64_t hostile_in(struct share *s, unsigned int off, unsigned int width)
{
	uint64_t v = 0;

	hostile_poke(s, off, width, false, &v, 1);
	return v;
}

static void out16(struct share *s, unsigned int off, unsigned int v)
{
	hostile_out(s, off, 1, v & 0xff);
	hostile_out(s, off + 1, 1, v >> 8);
}

void hostile_remote(struct share *s, unsigned int at, unsigned int len,
		    unsigned int rd)
{
	hostile_out(s, P0_ISR, 1, ISR_RDC);
	out16(s, P0_RBCR0, len);
	out16(s, P0_RSAR0, at);
	hostile_out(s, NE2K_CR, 1, CR_STA | rd << 3);
}

/* Read (n) elements of (width), one by one and then as a string. */
void hostile_suck(struct share *s, unsigned int width, unsigned int n)
{
	static uint8_t buf[0x10000 * 4];
	unsigned int i;

	for (i = 0; i < 8; i++)
		hostile_in(s, NE2K_DATA, width);
	assert_in_range(n * width, 0, sizeof(buf));
	hostile_poke(s, NE2K_DATA, width, false, buf, n);
}

static void spray(struct share *s, unsigned int width, unsigned int n,
		  uint8_t value)
{
	static uint8_t buf[0x4000];

	memset(buf, value, sizeof(buf));
	assert_in_range(n * width, 0, sizeof(buf));
	hostile_poke(s, NE2K_DATA, width, true, buf, n);
}

/* All memory that it may read, in two parts: a transfer wraps at PSTOP. */
void hostile_read_all(struct share *s)
{
	hostile_remote(s, 0x4000, 0x4000, 1);
	hostile_suck(s, 2, 0x2000);
	hostile_remote(s, 0x8000, 0x4000, 1);
	hostile_suck(s, 2, 0x2000);
}

void hostile_abort(struct share *s)
{
	hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
	share_pass(s, 3 * SHARE_MS);
	hostile_out(s, P0_ISR, 1, 0xff);
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
			hostile_remote(s, range[i].at, range[i].len, 1);
			hostile_suck(s, width[w], 0x10000);
			hostile_remote(s, range[i].at, range[i].len, 2);
			spray(s, width[w], 0x1000, 0x77);
			hostile_abort(s);
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
					hostile_out(s, P0_DCR, 1, 0x48 | wts);
					hostile_remote(s, 0xbff0 + at, len, 1);
					hostile_suck(s, width[w], 0x200);
					hostile_remote(s, 0x5000 + at, len, 2);
					spray(s, width[w], 0x20, 0x77);
					hostile_suck(s, width[w], 0x200);
					hostile_out(s, NE2K_CR, 1,
						    CR_RD2 | CR_STA);
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
			hostile_out(s, P0_PSTART, 1, page[a]);
			hostile_out(s, P0_PSTOP, 1, page[b]);
			hostile_remote(s, (page[b] << 8) - 6, 0x100, 1);
			hostile_suck(s, 1 << (a & 1), 0x400);
			hostile_remote(s, (page[b] << 8) - 6, 0x100, 2);
			spray(s, 2, 4, 0x77);
			hostile_out(s, P0_PSTART, 1, page[b]);
			hostile_out(s, P0_PSTOP, 1, page[a]);
			spray(s, 2, 0x80, 0x77);
			hostile_remote(s, 0x4000, 0x8000, 1);
			hostile_suck(s, 2, 0x100);
			hostile_out(s, P0_PSTOP, 1, 0x44);
			hostile_out(s, P0_PSTART, 1, 0xc0);
			hostile_suck(s, 2, 0x8000);
			hostile_abort(s);
		}
}

/* The working registers, written or not written between two starts. */
static void rewrites(struct share *s)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		hostile_remote(s, 0xbe00, 0x200, 1 + (i & 1));
		hostile_suck(s, 2, 0x80);
		if (i & 2)
			out16(s, P0_RSAR0, 0xbf80);
		if (i & 4)
			out16(s, P0_RBCR0, 0xffff);
		hostile_suck(s, 2, 0x400);
		hostile_out(s, NE2K_CR, 1, CR_STA | CR_RD_READ);
		hostile_suck(s, 2, 0x400);
		hostile_out(s, NE2K_CR, 1, CR_STA | CR_RD_WRITE);
		spray(s, 2, 0x400, 0x77);
		hostile_out(s, NE2K_CR, 1, CR_STA); /* RD = 0 */
		hostile_suck(s, 2, 0x400);
		hostile_out(s, NE2K_CR, 1, CR_STA | CR_RD_SEND); /* RD = 3 */
		hostile_suck(s, 4, 0x400);
		hostile_abort(s);
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
			hostile_out(s, P0_TPSR, 1, page[i]);
			out16(s, P0_TBCR0, len[k]);
			hostile_out(s, NE2K_CR, 1, STA_TXP);
			share_pass(s, 2 * SHARE_MS);
			hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_TXP);
			hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_TXP | CR_STP);
			hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
			hostile_abort(s);
		}
}

/* A frame of its own in (page), and one with its neighbour's source in 0x50. */
static void two_frames(struct share *s, unsigned int page)
{
	struct share_frame f;

	hostile_abort(s);
	hostile_out(s, P0_DCR, 1, 0x49);
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
	hostile_abort(s);
	share_make(&f, share_outside, group, 0x71, 0, 100);
	share_load(s, 0, 0x40, &f);
	share_ring(s, 0, 0x40, 100);
	hostile_abort(s);
	/* changed while it is being sent */
	two_frames(s, 0x40);
	share_ring(s, 0, 0x40, 1500);
	hostile_out(s, P0_TPSR, 1, 0x50);
	hostile_out(s, NE2K_CR, 1, STA_TXP);
	share_pass(s, 2 * SHARE_MS);
	hostile_abort(s);
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
				hostile_remote(s, 0x45f0, 0x80, 2);
				if (i & 1)
					share_ring(s, 0, 0x46, 1500);
				else
					hostile_out(s, NE2K_CR, 1,
						    CR_STA | CR_TXP |
							    CR_RD_WRITE);
				hostile_out(s, P0_DCR, 1, 0x48 | (i >> 1 & 1));
				spray(s, width[w], 12, share_mac(1)[5]);
				hostile_out(s, NE2K_CR, 1,
					    CR_STA | CR_RD_WRITE);
				spray(s, width[w], 12, share_mac(1)[5]);
				hostile_remote(s, at, 0x40, 2);
				spray(s, width[w], 0x40, share_mac(1)[5]);
				hostile_abort(s);
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
		hostile_out(s, P0_PSTART, 1, 0x50);
		hostile_out(s, P0_PSTOP, 1, 0x60);
		if (i & 1) /* keeps what the context forgets */
			hostile_in(s, NE2K_RESET, 1);
		hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
		hostile_out(s, P0_DCR, 1, i & 2 ? 0x48 : 0x49);
		if (i & 4) { /* over the ring's end, and not exactly */
			hostile_remote(s, 0x5ffe, 1502, 2);
			hostile_poke(s, NE2K_DATA, 4, true, own, 1);
			hostile_poke(s, NE2K_DATA, 4, true, own, 374);
		}
		hostile_remote(s, 0x4fff + (i >> 3), 1500, 2);
		hostile_poke(s, NE2K_DATA, i & 2 ? 2 : 1, true, own, 700);
		hostile_out(s, NE2K_CR, 1, CR_STA | CR_RD_WRITE);
		hostile_poke(s, NE2K_DATA, 2, true, own, 750);
		hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
		share_ring(s, 0, 0x50, 1500);
		hostile_abort(s);
		share_ring(s, 0, 0x4f, 1500);
		hostile_abort(s);
	}
}

/* Say that it is its neighbour, or that it wants everything. */
void hostile_claims(struct share *s)
{
	struct share_frame f;
	unsigned int i, width;

	for (width = 1; width <= 4; width *= 2) {
		hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA | 1 << 6);
		for (i = 0; i < 6; i += width) {
			uint64_t v = 0;

			memcpy(&v, share_mac(1) + i,
			       width < 6 - i ? width : 6 - i);
			hostile_out(s, 1 + i, width, v);
		}
		hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
		/* the bank changes in mid-access */
		hostile_out(s, NE2K_CR, 4, 0x54520062 | UINT64_C(0x52) << 8);
		hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
		hostile_out(s, P0_RCR, 1, 0x3f & ~RCR_MON);
		share_make(&f, share_mac(1), share_outside, HOSTILE_SECRET, 99,
			   400);
		share_wire(s, &f);
		if (!hostile_drops(s))
			assert_true(share_recv(s, 1, &f));
		hostile_read_all(s);
		hostile_abort(s);
	}
	if (hostile_drops(s))
		assert_memory_equal(s->ne->par, share_mac(0), 6);
}

static void configures(struct share *s)
{
	unsigned int i, width;

	for (width = 1; width <= 8; width *= 2)
		for (i = 0; i < 16; i++) {
			hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA | 3 << 6);
			hostile_out(s, i ? i : 1, width,
				    UINT64_MAX / 255 * 0xc0);
			hostile_in(s, i, width);
			hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
			/* page 3 and its registers at once */
			hostile_out(s, NE2K_CR, width, UINT64_MAX / 255 * 0xe2);
			hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
		}
}

static void resets(struct share *s)
{
	unsigned int i, k;

	for (i = 0; i < 300; i++) {
		hostile_out(s, NE2K_CR, 1, CR_STA | (i & 3) << 6);
		for (k = 0; k < (i & 7); k++)
			hostile_in(s, NE2K_RESET + k, 1 << (i % 3));
		hostile_remote(s, 0x4000, 0x8000, 1);
		hostile_suck(s, 2, 16);
		hostile_out(s, NE2K_RESET + (i & 7), 1 << (i % 3), i);
		hostile_suck(s, 2, 0x100);
		dmm_guest_reset(s->dmm, 0);
		hostile_suck(s, 2, 0x100);
	}
}

/* Every offset, by every width, aligned or not, in every page. */
static void widths(struct share *s)
{
	unsigned int off, width, bank;

	for (bank = 0; bank < 4; bank++)
		for (width = 1; width <= 8; width *= 2)
			for (off = 0; off <= 0x20; off++) {
				hostile_remote(s, 0xbf00, 8, 1);
				hostile_out(s, NE2K_CR, 1, CR_STA | bank << 6);
				hostile_in(s, off, width);
				hostile_in(s, off, width);
				hostile_out(s, off, width,
					    UINT64_MAX / 255 * 0xbf);
				hostile_in(s, NE2K_DATA, 2);
				hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
			}
	hostile_in(s, 0x1f, 4);
	hostile_out(s, 0x1f, 4, 0);
}

static void strings(struct share *s)
{
	static uint8_t buf[0x4000];
	unsigned int off, width;

	for (width = 1; width <= 4; width *= 2)
		for (off = 0; off < 0x20; off++) {
			memset(buf, 0x0a + (int)off, sizeof(buf));
			hostile_remote(s, 0xbf00, 0x80, 1);
			hostile_poke(s, off, width, true, buf, 200);
			hostile_poke(s, off, width, false, buf, 0x1000);
			hostile_out(s, NE2K_CR, 1, CR_RD2 | CR_STA);
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
		hostile_poke(s, off, 1u << (seed >> 25 & 3 & (seed >> 14)),
			     seed >> 24 & 1, buf, seed >> 12 & 1 ? 1 : 50);
		if (i % 64 == 0)
			hostile_out(s, NE2K_CR, 1,
				    CR_STA | (i / 64 & 0x3f) << 2);
		if (i % 1024 == 0) {
			hostile_out(s, P0_PSTART, 1, 0x4c);
			hostile_out(s, P0_PSTOP, 1, 0x80);
			hostile_remote(s, seed & 0xffff, seed >> 16,
				       1 + (i & 1));
		}
	}
}

const struct hostile_case hostile_cases[] = {
	{ "ranges", ranges },
	{ "counts", counts },
	{ "wraps", wraps },
	{ "rewrites", rewrites },
	{ "transmits", transmits },
	{ "forged", forged },
	{ "overwrites", overwrites },
	{ "confuses", confuses },
	{ "claims", hostile_claims },
	{ "configures", configures },
	{ "resets", resets },
	{ "widths", widths },
	{ "strings", strings },
	{ "anything", anything },
	{ NULL, NULL },
};
