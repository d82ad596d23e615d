// SPDX-License-Identifier: MIT
/*
 * replay_echo.c: a device that is the trace: for accesses of which nothing but
 * their values is known.
 *
 * Its registers hold what was last written there or read from there.  Bits
 * that the device moves by itself (vol) are taken to be let go when a cause of
 * an interrupt shows up.  While the monitor waits for something, the answers
 * go round: as it was, all ones, all zeros; so every wait ends.
 */

#include <errno.h>
#include <string.h>

#include "replay_impl.h"

static const struct plan_entry *find(const struct replay *r, unsigned int space,
				     uint64_t off, bool write)
{
	const struct dmm_model *m = r->model;

	if (space >= m->spaces || off >= m->space[space].size ||
	    off % m->space[space].grain)
		return NULL;
	return plan_find(m, space, off, write, r->echo.dev);
}

static uint64_t get_le(const uint8_t *p, unsigned int n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

/* What the device was given to send by slots of registers, it has sent. */
static bool sent_by_slot(struct replay *r, const struct plan_entry *e,
			 uint64_t *v)
{
	unsigned int tx = r->model->transmit.dring, last;
	uint64_t w[MODEL_MAX_WORDS] = { 0 };
	const struct ring *ring;

	if (!r->dmm || tx == MODEL_NONE)
		return false;
	ring = &r->model->ring[tx];
	last = ring->words - 1u;
	if (ring->kind != RING_OF_SLOTS || ring->word[last] != e->reg)
		return false;
	w[last] = r->echo.dev[e->slot];
	desc_sets(r->dmm, 0, ring->local, w, 0);
	*v = w[last];
	return true;
}

/* What a register of the device reads, when nobody saw it. */
static uint64_t guess(struct replay *r, const struct plan_entry *e)
{
	const struct reg *reg = &r->model->reg[e->reg];
	struct replay_echo *echo = &r->echo;
	uint64_t v = echo->dev[e->slot] & ~echo->rest[e->slot];

	if (sent_by_slot(r, e, &v))
		return v >> 8 * e->byte & cc_ones(reg->bits);
	if (echo->pauses % 3 == 1)
		v = UINT64_MAX;
	else if (echo->pauses % 3 == 2)
		v = 0;
	if (e->reg == r->model->interrupt.cause && !r->dmm)
		v = UINT64_MAX; /* opening waits for nothing */
	if (reg->read_clears)
		echo->dev[e->slot] = 0;
	return v >> 8 * e->byte & cc_ones(reg->bits);
}

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	struct replay *r = ctx;
	struct replay_echo *echo = &r->echo;
	const struct dmm_access *a = echo->access;
	const struct plan_entry *e = find(r, space, off, false);

	if (a && !a->write && !echo->asked && a->space == space &&
	    a->off == off && a->width == width && a->done < a->count) {
		echo->asked = a->count == 1;
		return get_le(a->data + (size_t)a->done * width, width);
	}
	return e ? guess(r, e) & cc_ones(8 * width) : 0;
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct replay *r = ctx;
	const struct plan_entry *e = find(r, space, off, true);
	const struct reg *reg;
	uint64_t mask, *to;

	r->echo.pauses = 0;
	if (!e)
		return;
	reg = &r->model->reg[e->reg];
	to = &r->echo.dev[e->slot];
	mask = cc_ones(8 * width) << 8 * e->byte;
	value = value << 8 * e->byte & cc_ones(reg->bits);
	if (reg->w1c & mask) {
		*to &= ~(value & reg->w1c);
		mask &= ~reg->w1c;
	}
	*to = (*to & ~mask) | (value & mask & ~reg->self_clear);
	r->echo.rest[e->slot] = 0;
}

static void host_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	const struct replay *r = ctx;
	const struct dmm_access *a = r->echo.access;
	size_t left;

	if (!a || a->write || a->space != space || a->off != off ||
	    a->width != width) {
		memset(to, 0, n * width);
		return;
	}
	left = a->count - a->done;
	if (n > left) {
		memset((uint8_t *)to + left * width, 0, (n - left) * width);
		n = left;
	}
	memmove(to, a->data + (size_t)a->done * width, n * width);
}

static void host_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	(void)ctx;
	(void)space;
	(void)off;
	(void)width;
	(void)from;
	(void)n;
}

static void host_pause(void *ctx, uint64_t ns)
{
	struct replay *r = ctx;

	r->clock += ns;
	r->echo.pauses++;
}

static uint64_t host_now(void *ctx)
{
	struct replay *r = ctx;

	if (r->at.ns > r->clock)
		r->clock = r->at.ns;
	return r->clock;
}

static int host_reset(void *ctx)
{
	struct replay *r = ctx;
	unsigned int i, k;

	for (i = 0; i < r->model->regs; i++) {
		const struct reg *reg = &r->model->reg[i];

		for (k = 0; k < reg->dim; k++)
			r->echo.dev[reg->slot + k] = reg->reset;
	}
	r->echo.pauses = 0;
	return 0;
}

/* Memory is not known: it is all the guest's, and zero but for frames sent. */
static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	uint64_t end;

	(void)ctx;
	(void)guest;
	if (cc_add(gpa, len, &end))
		return -EFAULT;
	*iova = gpa;
	return 0;
}

/* A descriptor that the guest gives: a short frame, all in one piece. */
static void make_desc(struct replay *r, unsigned int guest,
		      const struct ring *ring, void *to)
{
	uint64_t w[MODEL_MAX_WORDS] = { 0 };
	const struct layout *l = desc_layout(r->dmm, guest, ring, w);

	desc_put(w, ring->end, 1);
	desc_put(w, ring->report, 1);
	if (l && l->length)
		desc_put(w, l->length_bits, FRAME_MIN);
	memcpy(to, w, ring->words * 8u);
}

/* The ring of descriptors that frames leave by; NULL: none, or not yet. */
static const struct ring *sends_from(const struct replay *r)
{
	unsigned int tx = r->model->transmit.dring;

	return r->dmm && tx != MODEL_NONE &&
			       r->model->ring[tx].kind == RING_OF_DESCRIPTORS ?
		       &r->model->ring[tx] :
		       NULL;
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	struct replay *r = ctx;
	const struct ring *ring = sends_from(r);
	uint64_t base;

	memset(to, 0, len);
	if (!ring || len != ring->words * 8u)
		return 0;
	base = mon_eval(r->dmm, guest, ring->base);
	if (cc_within(gpa, len, base,
		      mon_eval(r->dmm, guest, ring->count) * len))
		make_desc(r, guest, ring, to);
	return 0;
}

/* What the device was given to send, it has sent. */
static void host_area(void *ctx, uint64_t at, void *bytes, size_t len,
		      bool done)
{
	struct replay *r = ctx;
	const struct ring *ring = sends_from(r);
	uint64_t w[MODEL_MAX_WORDS] = { 0 }, first;

	if (done || !ring || len != ring->words * 8u)
		return;
	first = (uint64_t)((uint8_t *)r->dmm->tx->desc - r->conf.area.host);
	if (!cc_within(at, len, first, SHADOW_DEPTH * len))
		return;
	memcpy(w, bytes, len);
	desc_put(w, ring->done, 1);
	memcpy(bytes, w, len);
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	(void)ctx;
	(void)guest;
	(void)gpa;
	(void)from;
	(void)len;
	return 0;
}

static void host_line(void *ctx, unsigned int guest, bool level)
{
	struct replay *r = ctx;

	if (r->sink.line)
		r->sink.line(r->sink.ctx, &r->at, guest, level);
}

static void host_report(void *ctx, const struct dmm_report *report)
{
	struct replay *r = ctx;

	r->sum.violations++;
	if (r->sink.violation)
		r->sink.violation(r->sink.ctx, &r->at, report);
}

const struct dmm_host replay_echo_host = {
	.read = host_read,
	.write = host_write,
	.read_string = host_read_string,
	.write_string = host_write_string,
	.pause = host_pause,
	.now = host_now,
	.reset = host_reset,
	.line = host_line,
	.report = host_report,
	.translate = host_translate,
	.read_mem = host_read_mem,
	.write_mem = host_write_mem,
	.area = host_area,
};

/* ---- before and after ---- */

int replay_echo_open(struct replay *r)
{
	(void)host_reset(r);
	return 0;
}

/* The device's line follows from its causes, by the model. */
static void look_at_line(struct replay *r, unsigned int guest)
{
	const struct interrupt *irq = &r->model->interrupt;
	struct context *c = &r->dmm->guest[guest];
	unsigned int slot;
	uint64_t old;
	bool level;

	if (!irq->line || irq->cause == MODEL_NONE)
		return;
	slot = r->model->reg[irq->cause].slot;
	old = c->reg[slot];
	c->reg[slot] = r->echo.dev[slot];
	level = mon_eval(r->dmm, guest, irq->line) != 0;
	c->reg[slot] = old;
	if (level == r->echo.level)
		return;
	r->echo.level = level;
	dmm_interrupt(r->dmm, level);
}

/* A cause has come: what the device was at work on, it may be done with. */
static void let_go(struct replay *r)
{
	const struct reg *reg;
	unsigned int i, k;

	for (i = 0; i < r->model->regs; i++) {
		reg = &r->model->reg[i];
		for (k = 0; k < reg->dim && reg->vol; k++)
			r->echo.rest[reg->slot + k] = reg->vol;
	}
	r->echo.rest[r->model->reg[r->model->interrupt.cause].slot] = 0;
}

void replay_echo_before(struct replay *r, unsigned int guest,
			const struct dmm_access *a)
{
	const struct plan_entry *e = find(r, a->space, a->off, a->write);
	struct replay_echo *echo = &r->echo;
	uint64_t v, mask;

	echo->access = a;
	echo->asked = false;
	echo->pauses = 0;
	if (!e || a->write || !a->count)
		return;
	/* what is about to be seen has happened by now */
	v = get_le(a->data, a->width) << 8 * e->byte;
	mask = cc_ones(8u * a->width) << 8 * e->byte;
	mask &= cc_ones(r->model->reg[e->reg].bits);
	if (e->reg != r->model->interrupt.cause) {
		echo->dev[e->slot] = (echo->dev[e->slot] & ~mask) | (v & mask);
		echo->rest[e->slot] = 0;
		return;
	}
	if (v & mask & ~echo->dev[e->slot])
		let_go(r);
	echo->dev[e->slot] = (echo->dev[e->slot] & ~mask) | (v & mask);
	look_at_line(r, guest);
}

void replay_echo_after(struct replay *r, unsigned int guest)
{
	const struct dmm_access *a = r->echo.access;
	const struct plan_entry *e = find(r, a->space, a->off, a->write);

	r->echo.access = NULL;
	if (e && (r->dmm->flags[e->reg] & REG_IN_LINE))
		look_at_line(r, guest);
}
