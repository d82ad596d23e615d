/* SPDX-License-Identifier: MIT */
/*
 * fuzz_slots.c: two guests that do what the input says, on models/rtl8139.yaml
 * and a card that says what the input says: slots, rings of bytes, and all
 * that is around them.
 *
 * What must hold, whatever the guests and the card do: every call ends, the
 * card is told of no memory but the monitor's, what it is given to send has
 * its guest's source and is no longer than its buffer, and frames come to
 * those whom they are for.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmm/dmm.h"
#include "replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define GUESTS 2u
#define MEMORY 0x10000u
#define AREA UINT64_C(0x40000000)
#define TOUCHES_MAX 100000u
#define OPS_MAX 300u
#define RING_AT 0x6000u /* a guest's that behaves */
#define FRAME_LEN 2048u

enum {
	TSD = 0x10,
	TSAD = 0x20,
	RBSTART = 0x30,
	CR = 0x37,
	CAPR = 0x38,
	CBR = 0x3a,
	IMR = 0x3c,
	ISR = 0x3e,
	RCR = 0x44,
};

struct run {
	const uint8_t *in, *end;
	struct dmm *dmm;
	struct dmm_area area;
	uint8_t reg[256]; /* the card's */
	uint8_t memory[GUESTS][MEMORY];
	uint64_t now;
	unsigned int touches;
	bool alive[GUESTS];
};

static struct dmm_model *model;

#define must(held) must_at(held, __LINE__)

static void must_at(bool held, int line)
{
	if (held)
		return;
	fprintf(stderr, "fuzz_slots.c:%d\n", line);
	abort();
}

static uint8_t next(struct run *r)
{
	return r->in < r->end ? *r->in++ : 0;
}

static uint32_t next32(struct run *r)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 8 | next(r);
	return v;
}

/* ---- the card ---- */

static void touch(struct run *r, unsigned int space, uint64_t off,
		  unsigned int width)
{
	must(space < 2 && cc_within(off, width, 0, sizeof(r->reg)));
	must(++r->touches <= TOUCHES_MAX);
}

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	struct run *r = ctx;
	uint64_t v = 0;

	touch(r, space, off, width);
	memcpy(&v, r->reg + off, width);
	return v;
}

static uint32_t reg32(const struct run *r, unsigned int off)
{
	uint32_t v;

	memcpy(&v, r->reg + off, sizeof(v));
	return v;
}

/* What the card is given is the monitor's copy of a guest's own frame. */
static void given(struct run *r, unsigned int slot, uint32_t tsd)
{
	uint32_t at = reg32(r, TSAD + 4 * slot), len = tsd & 0x1fff;
	const uint8_t *from;

	must(len >= 14 && len <= FRAME_LEN);
	must(cc_within(at, len, r->area.iova, r->area.size));
	from = r->area.host + (at - r->area.iova) + 6;
	must(!memcmp(from, "\x52\x54\0\0\0", 5) && from[5] < GUESTS);
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct run *r = ctx;

	touch(r, space, off, width);
	memcpy(r->reg + off, &value, width);
	if (off >= TSD && off < TSAD)
		must(width == 4 && off % 4 == 0);
	if (off >= TSD && off < TSAD && !(value & 0x2000))
		given(r, (unsigned int)(off - TSD) / 4, (uint32_t)value);
	if (off == RBSTART)
		must(cc_within(value, 65536, r->area.iova, r->area.size));
	must(off < 0x81 || off == 0xd8); /* no second mode */
}

static void host_string(void *ctx, unsigned int space, uint64_t off,
			unsigned int width, void *to, size_t n)
{
	(void)ctx, (void)space, (void)off, (void)width, (void)to, (void)n;
	must(false);
}

static void host_string_out(void *ctx, unsigned int space, uint64_t off,
			    unsigned int width, const void *from, size_t n)
{
	(void)ctx, (void)space, (void)off, (void)width, (void)from, (void)n;
	must(false);
}

static void host_pause(void *ctx, uint64_t ns)
{
	((struct run *)ctx)->now += ns;
}

static uint64_t host_now(void *ctx)
{
	return ((struct run *)ctx)->now;
}

static int host_reset(void *ctx)
{
	struct run *r = ctx;

	must(++r->touches <= TOUCHES_MAX);
	memset(r->reg, 0, sizeof(r->reg));
	return 0;
}

static void host_line(void *ctx, unsigned int guest, bool level)
{
	must(guest < GUESTS && (!level || ((struct run *)ctx)->alive[guest]));
}

static void host_wake(void *ctx, unsigned int guest)
{
	(void)ctx;
	must(guest < GUESTS);
}

/* None gets what is for the other one alone. */
static void host_frame(void *ctx, unsigned int guest, bool sent,
		       const uint8_t *bytes, size_t len)
{
	(void)ctx;
	must(guest < GUESTS && len >= 14 && len <= FRAME_LEN);
	if (!sent)
		must(memcmp(bytes, "\x52\x54\0\0\0", 5) || bytes[5] != !guest);
}

static void host_report(void *ctx, const struct dmm_report *report)
{
	(void)ctx;
	must(report->guest < GUESTS && report->name && report->rule);
}

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	(void)ctx;
	*iova = gpa + 0x100000u * (guest + 1);
	return len && cc_within(gpa, len, 0, MEMORY) ? 0 : -EFAULT;
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	if (!cc_within(gpa, len, 0, MEMORY))
		return -EFAULT;
	memcpy(to, ((struct run *)ctx)->memory[guest] + gpa, len);
	return 0;
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	if (!cc_within(gpa, len, 0, MEMORY))
		return -EFAULT;
	memcpy(((struct run *)ctx)->memory[guest] + gpa, from, len);
	return 0;
}

static const struct dmm_host host = {
	.read = host_read,
	.write = host_write,
	.read_string = host_string,
	.write_string = host_string_out,
	.pause = host_pause,
	.now = host_now,
	.reset = host_reset,
	.line = host_line,
	.wake = host_wake,
	.frame = host_frame,
	.report = host_report,
	.translate = host_translate,
	.read_mem = host_read_mem,
	.write_mem = host_write_mem,
};

/* ---- the guests ---- */

static void access_card(struct run *r, unsigned int guest, unsigned int bar,
			unsigned int off, unsigned int width, bool write,
			uint64_t value)
{
	uint8_t bytes[8];
	struct dmm_access a = { .space = bar,
				.off = off,
				.data = bytes,
				.count = 1,
				.width = (uint8_t)width,
				.write = write };
	enum dmm_verdict v;

	if (!r->alive[guest])
		return;
	memcpy(bytes, &value, sizeof(bytes));
	v = dmm_access(r->dmm, guest, &a);
	must(v == DMM_PASS || v == DMM_HOLD || v == DMM_STOP);
	if (v == DMM_STOP) {
		r->alive[guest] = false;
		dmm_leave(r->dmm, guest);
	}
}

static void put(struct run *r, unsigned int guest, unsigned int off,
		unsigned int width, uint64_t value)
{
	access_card(r, guest, 0, off, width, true, value);
}

static void start(struct run *r, unsigned int guest, uint8_t how)
{
	put(r, guest, CR, 1, 0x10);
	put(r, guest, RBSTART, 4, how & 1 ? next32(r) & 0x1ffff : RING_AT);
	put(r, guest, CR, 1, 0x0c);
	put(r, guest, RCR, 4, how & 2 ? next32(r) : how & 0x80 ? 0x8a : 0x0a);
	put(r, guest, IMR, 2, 0xffff);
}

/* A frame, good or a little wrong, into slot (how). */
static void send(struct run *r, unsigned int guest, uint8_t how)
{
	uint32_t at = how & 4 ? next32(r) & 0x1ffff : 0x1000;
	uint8_t *p = r->memory[guest] + 0x1000;

	memcpy(p, how & 8 ? "\x52\x54\0\0\0" : "\xff\xff\xff\xff\xff\xff", 6);
	if (how & 8)
		p[5] = how & 16 ? (uint8_t)!guest : 0x77;
	memcpy(p + 6, "\x52\x54\0\0\0", 5);
	p[11] = how & 32 ? (uint8_t)!guest : (uint8_t)guest;
	put(r, guest, TSAD + how % 4 * 4, 4, at);
	put(r, guest, TSD + how % 4 * 4, 4, how & 64 ? next32(r) : 60);
}

static void scribble(struct run *r, unsigned int guest)
{
	uint32_t at = next32(r) & (MEMORY - 1), n = next(r);

	for (; n && at < MEMORY; n--, at++)
		r->memory[guest][at] = next(r);
}

/* ---- the card's own doing ---- */

static void arrives(struct run *r, uint8_t how)
{
	uint32_t at = reg32(r, RBSTART), cbr = reg32(r, CBR - 2) >> 16, word;
	uint32_t len = how & 1 ? next32(r) & 0xfff : 64;
	uint8_t *p;

	if (!cc_within(at, 65536, r->area.iova, r->area.size))
		return;
	cbr = cbr % 32768 & ~3u;
	p = r->area.host + (at - r->area.iova) + cbr;
	word = (how & 2 ? next(r) : 1) | len << 16;
	memcpy(p, &word, 4);
	memcpy(p + 4, "\x52\x54\0\0\0", 5);
	p[9] = how >> 2 & 1;
	memset(p + 10, 0x66, 6);
	cbr = how & 8 ? next32(r) & 0xffff : (cbr + len + 7) & 0x7ffc;
	r->reg[CBR] = (uint8_t)cbr;
	r->reg[CBR + 1] = (uint8_t)(cbr >> 8);
	r->reg[ISR] = 1;
}

static void card_does(struct run *r, uint8_t how)
{
	unsigned int i;

	switch (how & 3) {
	case 0:
		i = next(r);
		/* it does not lie of where its buffers are */
		if (i < TSAD || i >= RBSTART + 4)
			r->reg[i] = next(r);
		break;
	case 1: /* it has sent */
		for (i = 0; i < 4; i++)
			if (how & 16u << i)
				r->reg[TSD + 4 * i + 1] |= 0xa0;
		r->reg[ISR] |= 4;
		break;
	default:
		arrives(r, how >> 2);
	}
}

static void step(struct run *r)
{
	uint8_t op = next(r), how = next(r);
	unsigned int guest = op >> 7;

	r->touches = 0;
	switch (op & 15) {
	case 0:
	case 1:
		access_card(r, guest, how & 1, next(r), 1u << (how >> 1 & 3),
			    how & 8, (uint64_t)next32(r) << 32 | next32(r));
		break;
	case 2:
	case 3:
	case 4:
		send(r, guest, how);
		break;
	case 5:
		start(r, guest, how);
		break;
	case 6:
		put(r, guest, CAPR, 2, next32(r));
		break;
	case 7:
		scribble(r, guest);
		break;
	case 8:
	case 9:
	case 10:
		card_does(r, how);
		break;
	case 11:
	case 12:
		/* causes that stay are looked at for ever, but not in one call */
		dmm_interrupt(r->dmm, how & 1);
		break;
	case 13:
		if (!how && r->alive[guest])
			dmm_guest_reset(r->dmm, guest);
		else if (how == 1 && r->alive[guest]) {
			r->alive[guest] = false;
			dmm_leave(r->dmm, guest);
		}
		break;
	default:
		r->now += (uint64_t)how << (op >> 4 & 7) << 12;
		dmm_tick(r->dmm);
	}
}

static void run_mode(struct run *r, uint8_t how)
{
	struct dmm_conf conf = { .antispoof = true, .guests = GUESTS };
	struct dmm_host h = host;
	struct dmm_guest_stats stats;
	char *why = NULL;
	unsigned int i;

	conf.how = how & 1 ? DMM_LEASE : DMM_MERGE;
	conf.when_parked = how & 2 ? DMM_DROP : DMM_SPOOL;
	for (i = 0; i < GUESTS; i++) {
		conf.guest[i] = (struct dmm_guest_conf){
			.mac = { 0x52, 0x54, 0, 0, 0, (uint8_t)i },
			.has_mac = true,
			.weight = 1 + i,
			.policy = (enum dmm_policy)(how >> 4 & 3),
		};
		r->alive[i] = true;
	}
	r->area = (struct dmm_area){ .iova = AREA,
				     .size = dmm_model_area(model) };
	r->area.host = calloc(1, r->area.size);
	must(r->area.host != NULL);
	conf.area = r->area;
	h.ctx = r;
	must(!dmm_open(&r->dmm, model, &conf, &h, &why));
	for (i = 0; i < OPS_MAX && r->in < r->end; i++)
		step(r);
	for (i = 0; i < GUESTS; i++)
		dmm_guest_stats(r->dmm, i, &stats);
	r->touches = 0;
	dmm_quiet(r->dmm);
	dmm_close(r->dmm);
	free(r->area.host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;

	if (!model)
		model = replay_model("models/rtl8139.yaml");
	if (!model)
		abort();
	memset(&r, 0, sizeof(r));
	if (size < 2)
		return 0;
	r.in = data + 1;
	r.end = data + size;
	r.now = 1;
	run_mode(&r, data[0]);
	return 0;
}
