/* SPDX-License-Identifier: MIT */
/*
 * fuzz_step.c: two guests that do what the input says, on models/ne2k-pci.yaml
 * and a card that is honest about its memory and nothing else.
 *
 * What must hold, whatever the guests and the card do: every call ends, the
 * card is touched inside its space and not without end, frames go out with
 * their guest's source alone, and no guest reads from the data port what only
 * the other one wrote.  Guests write bytes of their own kind (SECRET), which
 * nobody else does; a frame that has some is not secret any more.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmm/dmm.h"
#include "replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define GUESTS 2u
#define TOUCHES_MAX 100000u /* of the card, in one call of the monitor */
#define OPS_MAX 400u
/* Even, so that no address made of them is a group's. */
#define SECRET(guest) (0xa0u + 0x10u * (guest))

struct card {
	uint8_t latch[4][16]; /* registers by bank */
	uint8_t ram[0x10000];
	uint32_t at, left; /* of a remote transfer */
	bool to_card;
};

struct run {
	const uint8_t *in, *end;
	struct card card;
	struct dmm *dmm;
	uint64_t now, due;
	unsigned int touches, guests, secrets; /* still kept: a bit each */
	bool alive[GUESTS];
};

static struct dmm_model *model;

#define must(held) must_at(held, __LINE__)

static void must_at(bool held, int line)
{
	if (held)
		return;
	fprintf(stderr, "fuzz_step.c:%d\n", line);
	abort();
}

static uint8_t next(struct run *r)
{
	return r->in < r->end ? *r->in++ : 0;
}

static unsigned int next16(struct run *r)
{
	unsigned int low = next(r);

	return low | next(r) << 8;
}

/* ---- the card ---- */

static void touch(struct run *r, unsigned int space, uint64_t off,
		  unsigned int width)
{
	must(space == 0 && cc_within(off, width, 0, 0x20));
	must(width == 1 || width == 2 || width == 4);
	must(++r->touches <= TOUCHES_MAX);
}

static uint8_t port_byte(struct run *r, bool write, uint8_t value)
{
	struct card *c = &r->card;
	uint8_t *at = &c->ram[c->at & 0xffff], v;

	if (!c->left || write != c->to_card)
		return 0xff;
	v = *at;
	if (write)
		*at = value;
	c->at++;
	if (c->at == (uint32_t)c->latch[0][2] << 8)
		c->at = (uint32_t)c->latch[0][1] << 8;
	if (--c->left == 0)
		c->latch[0][7] |= 0x40;
	return v;
}

static void command(struct card *c, uint8_t v)
{
	unsigned int rd = v >> 3 & 7;

	if (v & 1)
		c->latch[0][7] |= 0x80;
	if (rd != 1 && rd != 2)
		return;
	c->at = c->latch[0][8] | c->latch[0][9] << 8;
	c->left = c->latch[0][10] | c->latch[0][11] << 8;
	c->to_card = rd == 2;
	if (!c->left)
		c->latch[0][7] |= 0x40;
}

static void write_byte(struct run *r, unsigned int off, uint8_t v)
{
	struct card *c = &r->card;
	unsigned int bank = c->latch[0][0] >> 6;

	if (off >= 0x18)
		return;
	if (off >= 0x10)
		port_byte(r, true, v);
	else if (off == 0)
		command(c, c->latch[0][0] = v);
	else if (off == 7 && bank == 0)
		c->latch[0][7] &= (uint8_t) ~(v & 0x7f);
	else
		c->latch[bank][off] = v;
}

static uint8_t read_byte(struct run *r, unsigned int off)
{
	struct card *c = &r->card;
	unsigned int bank = c->latch[0][0] >> 6;

	if (off >= 0x10)
		return off < 0x18 ? port_byte(r, false, 0) : 0;
	return c->latch[off ? bank : 0][off];
}

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	uint64_t v = 0;

	touch(ctx, space, off, width);
	for (unsigned int i = 0; i < width; i++)
		v |= (uint64_t)read_byte(ctx, (unsigned int)off + i) << 8 * i;
	return v;
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	touch(ctx, space, off, width);
	must(value <= cc_ones(8 * width));
	for (unsigned int i = 0; i < width; i++)
		write_byte(ctx, (unsigned int)off + i,
			   (uint8_t)(value >> 8 * i));
}

static void host_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	touch(ctx, space, off, width);
	for (size_t i = 0; i < n * width; i++)
		((uint8_t *)to)[i] = port_byte(ctx, false, 0);
}

static void host_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	touch(ctx, space, off, width);
	for (size_t i = 0; i < n * width; i++)
		port_byte(ctx, true, ((const uint8_t *)from)[i]);
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
	memset(r->card.latch, 0, sizeof(r->card.latch));
	r->card.latch[0][0] = 0x21;
	r->card.latch[0][7] = 0x80;
	r->card.left = 0;
	return 0;
}

static void host_line(void *ctx, unsigned int guest, bool level)
{
	struct run *r = ctx;

	must(guest < r->guests && (!level || r->alive[guest]));
}

static void host_wake(void *ctx, unsigned int guest)
{
	must(guest < ((struct run *)ctx)->guests);
}

static void host_due(void *ctx, uint64_t at_ns)
{
	((struct run *)ctx)->due = at_ns;
}

static bool is_secret(unsigned int guest, uint8_t byte)
{
	return (byte & 0xf1) == SECRET(guest);
}

static void host_frame(void *ctx, unsigned int guest, bool sent,
		       const uint8_t *bytes, size_t len)
{
	struct run *r = ctx;

	must(guest < r->guests && len >= 14 && len <= 1532);
	if (!sent)
		return;
	/* nobody sends under another's address */
	must(r->guests == 1 ||
	     (!memcmp(bytes + 6, "\x52\x54\0\0\0", 5) && bytes[11] == guest));
	for (size_t i = 0; i < len; i++)
		if (is_secret(guest, bytes[i]))
			r->secrets &= ~(1u << guest);
}

static void host_report(void *ctx, const struct dmm_report *report)
{
	must(report->guest < ((struct run *)ctx)->guests);
	must(report->name && report->rule);
}

static const struct dmm_host host = {
	.read = host_read,
	.write = host_write,
	.read_string = host_read_string,
	.write_string = host_write_string,
	.pause = host_pause,
	.now = host_now,
	.reset = host_reset,
	.line = host_line,
	.wake = host_wake,
	.due = host_due,
	.frame = host_frame,
	.report = host_report,
};

/* ---- the guests ---- */

/* No guest sees what the other one keeps. */
static void look(struct run *r, unsigned int guest, const struct dmm_access *a)
{
	unsigned int other;
	size_t i;

	if (a->write || a->off < 0x10 || a->off >= 0x18)
		return;
	for (other = 0; other < r->guests; other++)
		for (i = 0; other != guest && r->secrets & 1u << other &&
			    i < (size_t)a->done * a->width;
		     i++)
			must(!is_secret(other, a->data[i]));
}

static void access_card(struct run *r, unsigned int guest, struct dmm_access *a)
{
	enum dmm_verdict v;

	if (!r->alive[guest])
		return;
	r->touches = 0;
	v = dmm_access(r->dmm, guest, a);
	must(v == DMM_PASS || v == DMM_HOLD || v == DMM_STOP);
	must(a->done <= a->count && (v != DMM_PASS || a->done == a->count));
	look(r, guest, a);
	if (v == DMM_STOP) {
		r->alive[guest] = false;
		dmm_leave(r->dmm, guest);
	}
}

static void put(struct run *r, unsigned int guest, unsigned int off,
		unsigned int width, uint32_t value)
{
	uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8),
			     (uint8_t)(value >> 16), (uint8_t)(value >> 24) };
	struct dmm_access a = { .off = off,
				.data = bytes,
				.count = 1,
				.width = (uint8_t)width,
				.write = true };

	access_card(r, guest, &a);
}

static void single(struct run *r, unsigned int guest, uint8_t how)
{
	uint8_t bytes[4];
	struct dmm_access a = { .off = next(r) & 0x1f,
				.data = bytes,
				.count = 1,
				.width = 1u << how % 3,
				.write = how & 4 };

	for (unsigned int i = 0; i < 4; i++)
		bytes[i] = a.write && a.off >= 0x10 ? (uint8_t)SECRET(guest) :
			   a.write		    ? next(r) :
						      0xee;
	access_card(r, guest, &a);
}

/* Through the data port: the guest's own bytes, or a look for others. */
static void string(struct run *r, unsigned int guest, uint8_t how)
{
	static uint8_t bytes[4 * 512];
	struct dmm_access a = { .off = 0x10,
				.data = bytes,
				.count = next16(r) & 0x1ff,
				.width = 1u << how % 3,
				.write = how & 4 };

	memset(bytes, a.write ? (int)(SECRET(guest) + (how >> 4 & 0xe)) : 0xee,
	       sizeof(bytes));
	access_card(r, guest, &a);
}

/* What a driver does: a transfer of (len) bytes at (at). */
static void transfer(struct run *r, unsigned int guest, unsigned int at,
		     unsigned int len, bool write)
{
	put(r, guest, 0, 1, 0x22);
	put(r, guest, 0x08, 2, at);
	put(r, guest, 0x0a, 2, len);
	put(r, guest, 0, 1, write ? 0x12 : 0x0a);
}

/* A frame to the sibling, to all or to the network, and what follows it. */
static void send(struct run *r, unsigned int guest, uint8_t how)
{
	uint8_t frame[60] = { 0x52, 0x54, 0, 0, 0, 0,	 0x52,
			      0x54, 0,	  0, 0, 0, 0x08, 0x00 };
	struct dmm_access a = { .off = 0x10,
				.data = frame,
				.count = 30,
				.width = 2,
				.write = true };

	frame[5] = how & 1 ? (uint8_t)!guest : 0xee;
	if (how & 2)
		memset(frame, 0xff, 6);
	frame[11] = how & 4 ? (uint8_t)!guest : (uint8_t)guest;
	transfer(r, guest, 0x4000, sizeof(frame), true);
	access_card(r, guest, &a);
	put(r, guest, 0x04, 1, 0x40);
	put(r, guest, 0x05, 2, how & 8 ? next16(r) : sizeof(frame));
	put(r, guest, 0, 1, 0x26);
}

/* Set up to receive, as drivers do. */
static void start(struct run *r, unsigned int guest, uint8_t how)
{
	static const uint8_t steps[][2] = {
		{ 0x00, 0x21 }, { 0x01, 0x46 }, { 0x02, 0x80 },
		{ 0x03, 0x46 }, { 0x0f, 0x1f }, { 0x0c, 0x1f },
		{ 0x00, 0x61 }, { 0x07, 0x47 }, { 0x00, 0x22 },
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		put(r, guest, steps[i][0], 1,
		    how & 1 && i == 2 ? next(r) : steps[i][1]);
}

/* ---- the card's own doing ---- */

static void card_does(struct run *r, uint8_t how)
{
	struct card *c = &r->card;
	unsigned int page;

	switch (how & 3) {
	case 0: /* it says what it likes */
		page = next(r);
		c->latch[page >> 4 & 3][page & 15] = next(r);
		break;
	case 1: /* it has sent */
		c->latch[0][0] &= (uint8_t)~4;
		c->latch[0][4] |= 1;
		c->latch[0][7] |= 2;
		break;
	case 2: /* it has received */
		page = c->latch[1][7];
		memset(&c->ram[page << 8], 0x55, 256);
		c->ram[page << 8] = 1;
		c->ram[page << 8 | 1] = (uint8_t)(page + 1);
		c->ram[page << 8 | 2] = 64;
		c->ram[page << 8 | 3] = 0;
		memcpy(&c->ram[page << 8 | 4], "\x52\x54\0\0\0", 5);
		c->ram[page << 8 | 9] = how >> 2 & 1;
		c->latch[1][7] = (uint8_t)(page + 1);
		c->latch[0][7] |= 1;
		break;
	default: /* it is reset, of itself */
		host_reset(r);
	}
}

static void step(struct run *r)
{
	uint8_t op = next(r), how = next(r);
	unsigned int guest = op >> 7 & (r->guests - 1);

	r->touches = 0;
	switch (op & 15) {
	case 0:
	case 1:
	case 2:
	case 3:
		single(r, guest, how);
		break;
	case 4:
	case 5:
		string(r, guest, how);
		break;
	case 6:
	case 7:
		if (r->alive[guest])
			transfer(r, guest, next16(r), next16(r), how & 1);
		break;
	case 8:
		send(r, guest, how);
		break;
	case 9:
		start(r, guest, how);
		break;
	case 10:
	case 11:
		card_does(r, how);
		break;
	case 12:
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
		r->now += (uint64_t)how << (op >> 4 & 7) << 10;
		r->due = dmm_tick(r->dmm);
	}
	must(dmm_owner(r->dmm) < (int)r->guests);
}

static void run_mode(struct run *r, uint8_t how)
{
	struct dmm_conf conf = { .antispoof = true,
				 .guests = GUESTS,
				 .how = DMM_LEASE };
	struct dmm_guest_stats stats;
	char *why = NULL;
	unsigned int i;

	conf.when_parked = how & 1 ? DMM_DROP : DMM_SPOOL;
	conf.mirror = how & 8;
	if ((how & 6) == 6) {
		conf.guests = 1;
		conf.how = DMM_EXCLUSIVE;
	}
	r->guests = conf.guests;
	r->secrets = (1u << conf.guests) - 1;
	for (i = 0; i < conf.guests; i++) {
		conf.guest[i] = (struct dmm_guest_conf){
			.mac = { 0x52, 0x54, 0, 0, 0, (uint8_t)i },
			.has_mac = true,
			.weight = 1 + i,
			.policy = (enum dmm_policy)(how >> 4 & 3),
		};
		r->alive[i] = true;
	}
	host_reset(r);
	struct dmm_host h = host;
	h.ctx = r;
	if (dmm_open(&r->dmm, model, &conf, &h, &why)) {
		must(why != NULL);
		free(why);
		return;
	}
	for (i = 0; i < OPS_MAX && r->in < r->end; i++)
		step(r);
	for (i = 0; i < conf.guests; i++) {
		dmm_guest_stats(r->dmm, i, &stats);
		must(dmm_state(r->dmm, i, "tx") != NULL);
	}
	r->touches = 0;
	dmm_quiet(r->dmm);
	dmm_close(r->dmm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;

	if (!model)
		model = replay_model("models/ne2k-pci.yaml");
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
