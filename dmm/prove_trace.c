// SPDX-License-Identifier: MIT
/*
 * prove_trace.c: the way to what is not so, as accesses of a guest.
 *
 * The exploration takes every check to pass and every value of the device to
 * be possible.  Here they must be real ones: registers that checks rest on get
 * values that pass, at the start; where a transfer ends, its port is moved; the
 * device's own steps come when the guest reads its interrupt's cause.  A replay
 * runs beside and says whether an access did what it should.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mon.h"
#include "prove_impl.h"
#include "replay.h"

#define LONG 10000000u /* nanoseconds: every poll is due */
#define MOVES 4096u    /* elements of a transfer that are tried */
#define TRIED 4u       /* registers of a check that are varied */
#define CHOICES 16u    /* values of each */

struct way {
	const struct dmm_model *m;
	struct replay *replay;
	prove_put *put;
	void *ctx;
	uint64_t sequence, ns;
	bool known[MODEL_MAX_REGS]; /* registers that have their value */
	uint64_t value[MODEL_MAX_REGS];
};

/* ---- records ---- */

static int show(struct way *w, struct trace_head *head, const uint8_t *body)
{
	const struct trace_packet p = { .block = TRACE_BLOCK_PACKET,
					.ns = w->ns,
					.ours = true,
					.head = *head,
					.body = body };

	return replay_record(w->replay, &p, w->sequence);
}

static void keep(struct way *w, const struct trace_head *head,
		 const uint8_t *body)
{
	w->put(w->ctx, w->ns, head, body);
	w->sequence++;
}

/* One element at (place); (*denied) if it did nothing, and is not kept. */
static int move(struct way *w, const struct place *pl, unsigned int width,
		bool write, uint64_t value, bool *denied)
{
	struct trace_access a = { .off = pl->off,
				  .count = 1,
				  .done = 1,
				  .space = (uint8_t)pl->space,
				  .width = (uint8_t)width,
				  .write = write };
	struct trace_head head = { .version = TRACE_VERSION,
				   .kind = TRACE_ACCESS,
				   .len = (uint32_t)(sizeof(a) + width),
				   .sequence = w->sequence };
	uint8_t body[sizeof(a) + 8];
	int err;

	memcpy(body, &a, sizeof(a));
	memcpy(body + sizeof(a), &value, width);
	w->ns += 1000;
	err = show(w, &head, body);
	if (err)
		return err;
	if (!replay_dmm(w->replay))
		return -EIO; /* its device does not open */
	*denied = dmm_last_path(replay_dmm(w->replay)) == DMM_DENY;
	/* what the replay saw, a reader of the trace must see, too */
	keep(w, &head, body);
	return 0;
}

/* ---- registers ---- */

/* Where it stands now; the widest access that it takes in (*width). */
static const struct place *place_of(const struct way *w, unsigned int reg,
				    bool write, unsigned int *width)
{
	const struct dmm *d = replay_dmm(w->replay);
	const struct reg *r = &w->m->reg[reg];
	unsigned int i;

	for (*width = 8;
	     *width > 1 && !(r->widths & *width && 8 * *width <= r->bits);)
		*width /= 2;
	for (i = 0; i < r->places; i++) {
		const struct place *pl = &w->m->place[r->place + i];

		if ((write ? pl->write : pl->read) &&
		    w->m->space[pl->space].kind != SPACE_WINDOW &&
		    (!pl->cond || !d || mon_eval(d, 0, pl->cond)))
			return pl;
	}
	return NULL;
}

static int touch(struct way *w, unsigned int reg, bool write, uint64_t value);

/* By the window that the register is in: the index, and what it shows. */
static int touch_behind(struct way *w, unsigned int reg, bool write,
			uint64_t value)
{
	const struct reg *r = &w->m->reg[reg];
	const struct place *pl = &w->m->place[r->place], *data;
	const struct space *s = &w->m->space[pl->space];
	unsigned int at, unit = s->width / 8u, width;
	const struct window *win;
	bool denied;
	int err = 0;

	if (s->kind != SPACE_WINDOW)
		return 0; /* in no bank that is selected */
	win = &w->m->window[s->window];
	if (win->command)
		return 0; /* nothing that an access names */
	for (at = 0; at < r->bits / 8u && !err; at += unit) {
		err = touch(w, win->index.reg, true,
			    (uint64_t)((pl->off + at) / unit)
				    << win->index.shift);
		data = place_of(w, win->data.reg, write, &width);
		if (!err && data)
			err = move(w, data, unit, write, value >> 8 * at,
				   &denied);
	}
	return err;
}

static int touch(struct way *w, unsigned int reg, bool write, uint64_t value)
{
	unsigned int width, at, bytes = w->m->reg[reg].bits / 8u;
	const struct place *pl = place_of(w, reg, write, &width);
	struct place here;
	bool denied;
	int err = 0;

	if (!pl)
		return touch_behind(w, reg, write, value);
	here = *pl;
	for (at = 0; at < bytes && !err; at += width) {
		err = move(w, &here, width, write, value >> 8 * at, &denied);
		here.off += width;
	}
	return err;
}

/* A write where its width matters: one access of that. */
static int write_wide(struct way *w, const struct prove_step *s)
{
	unsigned int width;
	const struct place *pl = place_of(w, s->which, true, &width);
	bool denied;

	return pl ? move(w, pl, s->width / 8, true, s->value, &denied) : 0;
}

/* ---- values that checks let pass ---- */

static unsigned int loads_of(const struct way *w, const struct expr *const e[],
			     unsigned int n, uint16_t reg[])
{
	unsigned int i, k, found = 0;

	for (i = 0; i < w->m->regs; i++)
		for (k = 0; k < n; k++)
			if (mon_loads(e[k], &w->m->reg[i]) &&
			    w->m->reg[i].writable && found < TRIED) {
				reg[found++] = (uint16_t)i;
				break;
			}
	return found;
}

static uint64_t number(const uint64_t *slots, const struct expr *e)
{
	static const uint64_t none[DMM_MAX_GUESTS * EXPR_RING_NUMBERS];
	const struct expr_env env = { .array = { [EXPR_REG] = slots,
						 [EXPR_STATE] = none,
						 [EXPR_EVENT] = none,
						 [EXPR_SHADOW] = none },
				      .ask = prove_ask };

	return e ? expr_eval(e, &env, NULL) : 0;
}

static bool passes(const struct way *w, const struct check *c,
		   const uint64_t *slots)
{
	uint64_t start = number(slots, c->start);
	uint64_t length = number(slots, c->length);
	uint64_t from = number(slots, c->wrap_from);
	uint64_t to = number(slots, c->wrap_to);
	unsigned int i;

	if (c->wrap_from && !(from <= start && start < to))
		return false;
	for (i = 0; i < w->m->memories; i++) {
		const struct memory *mem = &w->m->memory[i];

		if (c->memories & 1u << i && length &&
		    cc_within(start, length, mem->start, mem->size) &&
		    (!c->wrap_from ||
		     cc_within(from, to - from, mem->start, mem->size)))
			return true;
	}
	return false;
}

static bool fits(const struct ring *r, const uint64_t *slots)
{
	uint64_t count = number(slots, r->count);

	return number(slots, r->base) && count >= 8 && count <= 4096;
}

static unsigned int choices(const struct way *w, uint64_t *value)
{
	unsigned int n = 0, i;

	value[n++] = 64; /* the length of a short frame, a page */
	value[n++] = 0x1000;
	value[n++] = 8;
	value[n++] = 0;
	value[n++] = (uint64_t)-8; /* lengths that are negative */
	for (i = 0; i < w->m->memories && n + 3 < CHOICES; i++) {
		value[n++] = w->m->memory[i].start;
		value[n++] = w->m->memory[i].start >> 8;
		value[n++] = (w->m->memory[i].start + w->m->memory[i].size) >>
			     8;
	}
	return n;
}

/* Every choice of every register, until (c) or (r) is content. */
static void solve(struct way *w, const struct check *c, const struct ring *r,
		  const uint16_t *reg, unsigned int n)
{
	uint64_t value[CHOICES], *slots;
	unsigned int k, of = choices(w, value);
	uint64_t all = 1, i, left;

	slots = calloc(w->m->slots + 1u, sizeof(*slots));
	for (k = 0; k < w->m->regs; k++)
		if (slots)
			slots[w->m->reg[k].slot] =
				w->known[k] ? w->value[k] : w->m->reg[k].reset;
	for (k = 0; k < n; k++)
		all *= of;
	for (i = 0; slots && i < all; i++) {
		for (k = 0, left = i; k < n; k++, left /= of)
			if (!w->known[reg[k]])
				slots[w->m->reg[reg[k]].slot] =
					value[left % of] &
					cc_ones(w->m->reg[reg[k]].bits);
		if (c ? passes(w, c, slots) : fits(r, slots))
			break;
	}
	for (k = 0; slots && k < n && i < all; k++) {
		w->known[reg[k]] = true;
		w->value[reg[k]] = slots[w->m->reg[reg[k]].slot];
	}
	free(slots);
}

static int prepare(struct way *w)
{
	uint16_t reg[TRIED];
	unsigned int i;
	int err = 0;

	for (i = 0; i < w->m->checks; i++) {
		const struct check *c = &w->m->check[i];
		const struct expr *e[] = { c->start, c->length, c->wrap_from,
					   c->wrap_to };

		solve(w, c, NULL, reg, loads_of(w, e, 4, reg));
	}
	for (i = 0; i < w->m->rings; i++) {
		const struct ring *r = &w->m->ring[i];
		const struct expr *e[] = { r->base, r->count };

		solve(w, NULL, r, reg, loads_of(w, e, 2, reg));
	}
	for (i = 0; i < w->m->regs && !err; i++)
		if (w->known[i])
			err = touch(w, i, true, w->value[i]);
	return err;
}

/* ---- steps of the way ---- */

/* All of a counted transfer, in the direction that is not denied. */
static int finish(struct way *w, unsigned int check)
{
	unsigned int port = w->m->check[check].port, width, i;
	const uint64_t *now = dmm_states(replay_dmm(w->replay), 0);
	uint64_t was[MODEL_MAX_MACHINES];
	const struct place *pl;
	bool write = false, denied = false;
	int err = 0;

	memcpy(was, now, w->m->machines * sizeof(*was));
	for (i = 0; i < MOVES && !err; i++) {
		write ^= denied;
		pl = place_of(w, port, write, &width);
		if (!pl)
			return 0;
		err = move(w, pl, width, write, 0, &denied);
		now = dmm_states(replay_dmm(w->replay), 0);
		if (memcmp(was, now, w->m->machines * sizeof(*was)))
			break;
	}
	return err;
}

/* A frame to send: what comes of it, the device does. */
static int ring_doorbell(struct way *w)
{
	const struct dmm *d = replay_dmm(w->replay);
	unsigned int tail;

	if (!d || w->m->transmit.dring == MODEL_NONE)
		return 0;
	tail = w->m->ring[w->m->transmit.dring].tail;
	if (tail == MODEL_NONE)
		return 0;
	return touch(w, tail, true, d->guest[0].reg[w->m->reg[tail].slot] + 1);
}

/*
 * The device has a cause of an interrupt: what it did is done.  And time goes
 * on, so that the monitor looks.
 */
static int device_steps(struct way *w)
{
	const uint64_t never = UINT64_MAX;
	struct trace_head head = { .version = TRACE_VERSION,
				   .kind = TRACE_TICK,
				   .guest = TRACE_NOBODY,
				   .len = sizeof(never) };
	unsigned int cause = w->m->interrupt.cause;
	uint8_t body[sizeof(never)];
	int err = 0;

	memcpy(body, &never, sizeof(never));
	if (cause != MODEL_NONE)
		err = touch(w, cause, false, cc_ones(w->m->reg[cause].bits));
	if (err)
		return err;
	head.sequence = w->sequence;
	w->ns += LONG;
	err = show(w, &head, body);
	keep(w, &head, body);
	return err;
}

static int take(struct way *w, const struct prove_step *s)
{
	int err;

	switch (s->what) {
	case PROVE_WRITE:
		return s->width ? write_wide(w, s) :
				  touch(w, s->which, true, s->value);
	case PROVE_READ:
		return touch(w, s->which, false, 0);
	case PROVE_END:
		return finish(w, s->which);
	case PROVE_POLL:
		err = ring_doorbell(w);
		return err ? err : device_steps(w);
	}
	return 0;
}

/* ---- all ---- */

/* The first record: the model, one guest that has the device. */
static int begin(struct way *w, const char *text, size_t len)
{
	struct trace_model m = { .hash = trace_hash(text, len),
				 .how = DMM_EXCLUSIVE,
				 .guests = 1 };
	struct trace_guest g = { .mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 },
				 .has_mac = 1,
				 .weight = 1 };
	size_t name = strlen(w->m->name) + 1;
	struct trace_head head = { .version = TRACE_VERSION,
				   .kind = TRACE_MODEL,
				   .guest = TRACE_NOBODY };
	struct trace_packet p = { .ns = 1, .ours = true };
	uint8_t *body, *at;
	char *why = NULL;
	int err;

	head.len = (uint32_t)(sizeof(m) + sizeof(g) + name + len + 2);
	if (len > TRACE_RECORD_MAX - sizeof(head) - sizeof(m) - 1024 ||
	    memchr(text, 0, len))
		return -EFBIG;
	body = calloc(1, head.len);
	if (!body)
		return -ENOMEM;
	at = body;
	at = (uint8_t *)memcpy(at, &m, sizeof(m)) + sizeof(m);
	at = (uint8_t *)memcpy(at, &g, sizeof(g)) + sizeof(g);
	at = (uint8_t *)memcpy(at, w->m->name, name) + name;
	memcpy(at, text, len);
	p.head = head;
	p.body = body;
	err = replay_open(&w->replay, w->m, &p, NULL, &why);
	free(why);
	w->ns = 1;
	keep(w, &head, body);
	free(body);
	return err;
}

static bool is_there(const struct way *w, const struct prove_result *r)
{
	return !memcmp(dmm_states(replay_dmm(w->replay), 0), r->state,
		       w->m->machines * sizeof(*r->state));
}

int prove_trace(const struct dmm_model *m, const char *text, size_t len,
		const struct prove_result *r, prove_put *put, void *ctx,
		bool *there)
{
	struct way w = { .m = m, .put = put, .ctx = ctx };
	unsigned int i;
	int err;

	if (!r->has_way)
		return -ENODATA;
	err = begin(&w, text, len);
	/* the first entry opens the monitor: any read does */
	if (!err)
		err = device_steps(&w);
	if (!err && replay_dmm(w.replay))
		err = prepare(&w);
	*there = false;
	for (i = 0; i <= r->ways && !err && replay_dmm(w.replay); i++) {
		if (i == r->ways_to_state)
			*there = is_there(&w, r);
		if (i < r->ways)
			err = take(&w, &r->way[i]);
	}
	replay_close(w.replay);
	return err;
}
