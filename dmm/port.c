// SPDX-License-Identifier: MIT
/*
 * port.c: a memory of the card behind a data port: the check of a transfer's
 * range when it starts, and the counting of its bytes as they pass.
 */

#include <string.h>

#include "access.h"

/* The memory of (set) that holds [at, at + len) whole; MODEL_NONE if none. */
static unsigned int memory_at(const struct dmm *d, uint32_t set, uint64_t at,
			      uint64_t len)
{
	const struct memory *mem;
	unsigned int i;

	for (; set; set &= set - 1) {
		i = (unsigned int)__builtin_ctz(set);
		mem = &d->model->memory[i];
		if (cc_within(at, len, mem->start, mem->size))
			return i;
	}
	return MODEL_NONE;
}

/* What follows from where (at) is: after a check, and after a jump. */
static void place(const struct dmm *d, struct transfer *t)
{
	const struct memory *mem = &d->model->memory[t->memory];

	t->end = (uint64_t)mem->start + mem->size;
	if (t->at < t->wrap_from && t->wrap_from < t->end)
		t->end = t->wrap_from;
	t->copy = mem->copy - mem->start;
	t->identity = mem->identity;
	t->quick = false;
}

bool port_check(struct dmm *d, unsigned int g, const struct check *c,
		struct transfer *out, uint64_t *at, uint64_t *len)
{
	uint64_t from = 0, to = 0, first;
	unsigned int mem, rest;

	*at = mon_eval(d, g, c->start);
	*len = mon_eval(d, g, c->length);
	*out = (struct transfer){ .check = (uint16_t)(c - d->model->check),
				  .on = true };
	if (*at > UINT32_MAX || *len > MODEL_MAX_MEMORY_BYTES)
		return false;
	first = *len;
	if (c->wrap_from) {
		from = mon_eval(d, g, c->wrap_from);
		to = mon_eval(d, g, c->wrap_to);
		if (*at < from && from - *at < first)
			first = from - *at;
	}
	mem = memory_at(d, c->memories, *at, first);
	rest = mem;
	if (first < *len)
		rest = memory_at(d, c->memories, to, *len - first);
	if (first<*len && * len - first> from - to)
		rest = MODEL_NONE; /* it would go round twice */
	out->at = (uint32_t)*at;
	out->left = (uint32_t)*len;
	out->wrap_from = (uint32_t)from;
	out->wrap_to = (uint32_t)to;
	out->memory = (uint16_t)mem;
	out->port = c->port;
	if (mem == MODEL_NONE || rest == MODEL_NONE) {
		out->memory = (uint16_t)(31 - __builtin_clz(c->memories));
		place(d, out);
		return d->conf.without & DMM_WITHOUT_RANGE;
	}
	place(d, out);
	return true;
}

/* A guest's copy of the byte at t->at. */
static uint8_t *copy_of(struct dmm *d, unsigned int g, const struct transfer *t)
{
	const struct memory *mem = &d->model->memory[t->memory];
	uint64_t off = (size_t)g * d->model->memory_bytes + mem->copy +
		       (t->at - mem->start);

	/* only without its check can a range leave the guest's own part */
	return d->arena +
	       off % ((uint64_t)d->model->memory_bytes * d->conf.guests);
}

static void advance(const struct dmm *d, struct transfer *t, uint32_t n)
{
	const struct check *c = &d->model->check[t->check];
	unsigned int mem;

	t->at += n;
	t->left -= n < t->left ? n : t->left;
	if (t->at == t->wrap_from && t->wrap_from) {
		t->at = t->wrap_to;
		mem = memory_at(d, c->memories, t->at, 1);
		if (mem != MODEL_NONE)
			t->memory = (uint16_t)mem;
		place(d, t);
	}
}

/* (n) bytes in one run, to or from the guest's copy. */
static void move_copy(struct dmm *d, unsigned int g, struct transfer *t,
		      uint8_t *data, uint32_t n, bool write)
{
	const struct memory *mem = &d->model->memory[t->memory];
	uint8_t *copy = copy_of(d, g, t);

	if (!write)
		memcpy(data, copy, n);
	else if (!mem->identity)
		memcpy(copy, data, n);
}

/* What passed to or from the card itself is noted beside. */
static void note_passed(struct dmm *d, unsigned int g, struct transfer *t,
			uint8_t *data, uint32_t n, bool write)
{
	const struct memory *mem = &d->model->memory[t->memory];
	struct ring_page ring;

	if (mem->identity && d->mac_set[g]) {
		if (!write)
			move_copy(d, g, t, data, n, false);
		return;
	}
	memcpy(copy_of(d, g, t), data, n);
	if (write)
		pages_keep(d, g, mem, t->at, n);
	else if (ring_watch_wants(&d->guest[g].watch, t->at, n) &&
		 spool_ring(d, g, &ring) &&
		 t->memory == d->model->receive.ring.memory)
		ring_watch_read(&d->guest[g].watch, &ring, t->at, data, n);
}

static void finish(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];
	const struct check *ck = &d->model->check[c->transfer.check];

	c->transfer.on = false;
	if (ck->address != MODEL_NONE)
		c->reg[d->model->reg[ck->address].slot] = c->transfer.at;
	if (!mon_on_device(d, g))
		step_sets(d, g, ck->done, 0, false);
	step_end(d, g, c->transfer.check);
	lease_line(d, g);
}

/*
 * As many of the access's elements as follow each other on the card; an
 * element that straddles a jump goes byte by byte.  Returns elements done.
 */
static uint32_t move_run(struct dmm *d, unsigned int g, struct dmm_access *a)
{
	struct context *c = &d->guest[g];
	struct transfer *t = &c->transfer;
	uint8_t *data = a->data + (size_t)a->done * a->width;
	uint64_t room = t->end > t->at ? t->end - t->at : 0;
	uint64_t n = a->count - a->done, bytes;
	unsigned int i;

	if (d->conf.without & (DMM_WITHOUT_RANGE | DMM_WITHOUT_COUNT))
		room = UINT32_MAX;
	if (!(d->conf.without & DMM_WITHOUT_COUNT) &&
	    n > (t->left + a->width - 1u) / a->width)
		n = (t->left + a->width - 1u) / a->width;
	if (n > room / a->width)
		n = room / a->width;
	bytes = n * a->width;
	if (mon_on_device(d, g) && bytes == 0)
		bytes = a->width;
	if (mon_on_device(d, g)) {
		n = bytes / a->width;
		if (a->write)
			d->host.write_string(d->host.ctx, a->space, a->off,
					     a->width, data, n);
		else
			d->host.read_string(d->host.ctx, a->space, a->off,
					    a->width, data, n);
	}
	if (bytes && bytes <= room) {
		if (mon_on_device(d, g))
			note_passed(d, g, t, data, (uint32_t)bytes, a->write);
		else
			move_copy(d, g, t, data, (uint32_t)bytes, a->write);
		advance(d, t, (uint32_t)bytes);
		return (uint32_t)n;
	}
	for (i = 0; i < a->width; i++) {
		if (t->at >= t->end) { /* the last element's rest */
			if (!a->write)
				data[i] = 0xff;
			continue;
		}
		if (mon_on_device(d, g))
			note_passed(d, g, t, data + i, 1, a->write);
		else
			move_copy(d, g, t, data + i, 1, a->write);
		advance(d, t, 1);
	}
	return 1;
}

/* The card may still be reading the frame that this would write over. */
static bool writes_frame(struct dmm *d, unsigned int g,
			 const struct dmm_access *a)
{
	struct context *c = &d->guest[g];
	uint64_t n = (uint64_t)(a->count - a->done) * a->width;

	if (!a->write || !c->frame_len || !mon_on_device(d, g))
		return false;
	if (c->transfer.at >= c->frame_at + c->frame_len ||
	    c->transfer.at + n <= c->frame_at)
		return false;
	if (mon_during(c, c->frame_during))
		step_poll(d, g, false);
	if (mon_during(c, c->frame_during))
		return true;
	c->frame_len = 0;
	return false;
}

/*
 * How many bytes of the card's memory an access moves: its own, or what the
 * model says of one that is narrower than the port.
 */
static uint32_t unit_of(const struct dmm *d, unsigned int g,
			const struct reg *reg, unsigned int width)
{
	uint64_t n = width;

	if (reg->moves && 8 * width < reg->bits)
		n = mon_eval(d, g, reg->moves);
	return n >= 1 && n <= 8 ? (uint32_t)n : width;
}

/*
 * An element that the card might put elsewhere than it is counted: on an odd
 * address (word lanes have no address line 0) or over a jump.
 */
static bool astray(const struct transfer *t, uint32_t unit)
{
	return (unit > 1 && t->at & 1) || t->at >= t->end ||
	       t->end - t->at < unit;
}

/*
 * One element that is not as wide as what it moves.  Reading shows as much as
 * fits; what a write would put into the rest is not known, so it is lost.
 */
static bool move_narrow(struct dmm *d, unsigned int g, struct dmm_access *a,
			uint32_t unit)
{
	struct transfer *t = &d->guest[g].transfer;
	uint8_t *data = a->data + (size_t)a->done * a->width;
	uint32_t n = unit < a->width ? unit : a->width;

	if (a->write || astray(t, unit))
		return false;
	memset(data, 0, a->width);
	if (mon_on_device(d, g)) {
		d->host.read_string(d->host.ctx, a->space, a->off, a->width,
				    data, 1);
		note_passed(d, g, t, data, n, false);
	} else {
		move_copy(d, g, t, data, n, false);
	}
	advance(d, t, unit);
	return true;
}

static void deny_one(struct dmm *d, unsigned int g, struct dmm_access *a)
{
	if (!a->write)
		memset(a->data + (size_t)a->done * a->width, 0xff, a->width);
	mon_count(d, g, DMM_DENY, 1);
}

static enum dmm_verdict deny_rest(struct dmm *d, unsigned int g,
				  struct dmm_access *a)
{
	if (!a->write)
		memset(a->data + (size_t)a->done * a->width, 0xff,
		       (size_t)(a->count - a->done) * a->width);
	mon_count(d, g, DMM_DENY, a->count - a->done);
	a->done = a->count;
	return DMM_PASS;
}

/* Elements done: one, or a run of them; 0 if the next may not be. */
static uint32_t move(struct dmm *d, unsigned int g, struct dmm_access *a,
		     uint32_t unit)
{
	const struct transfer *t = &d->guest[g].transfer;

	if (unit != a->width)
		return move_narrow(d, g, a, unit);
	if (mon_on_device(d, g) && astray(t, unit) && !d->conf.without)
		return 0;
	return move_run(d, g, a);
}

/* May what is like this access take the quick way, up to the next jump? */
static void allow_quick(const struct dmm *d, const struct reg *reg,
			struct transfer *t, const struct dmm_access *a)
{
	t->quick = t->on && !t->identity && !d->conf.without &&
		   (a->width == 1 || !(t->at & 1)) &&
		   (!reg->moves || 8u * a->width >= reg->bits) &&
		   reg->places == 1 && !d->model->place[reg->place].cond;
	t->width = a->width;
	t->space = a->space;
	t->off = a->off;
}

enum dmm_verdict port_access(struct dmm *d, unsigned int g, unsigned int port,
			     struct dmm_access *a)
{
	const struct reg *reg = &d->model->reg[port];
	struct context *c = &d->guest[g];
	enum dmm_path path = DMM_FORWARD;
	uint32_t n, unit = unit_of(d, g, reg, a->width);

	if (d->mode == MODE_SPOOL)
		path = DMM_ANSWER;
	while (a->done < a->count) {
		if (!c->transfer.on || c->transfer.port != port)
			return deny_rest(d, g, a);
		if (d->mode == MODE_DROP && mon_parked(d, g))
			return DMM_HOLD;
		if (writes_frame(d, g, a))
			return DMM_HOLD;
		n = move(d, g, a, unit);
		mon_count(d, g, path, n);
		if (!n)
			deny_one(d, g, a);
		a->done += n ? n : 1;
		if (c->transfer.left == 0 &&
		    !(d->conf.without & DMM_WITHOUT_COUNT))
			finish(d, g);
	}
	allow_quick(d, reg, &c->transfer, a);
	return DMM_PASS;
}

/* ---- the quick way: most accesses of a driver are like the one before ---- */

static inline void copy_element(uint8_t *to, const uint8_t *from,
				unsigned int width)
{
	switch (width) {
	case 1:
		*to = *from;
		break;
	case 2:
		memcpy(to, from, 2);
		break;
	case 4:
		memcpy(to, from, 4);
		break;
	default:
		memcpy(to, from, width);
	}
}

/* Its second half: the element has passed; count it. */
static inline void passed(struct dmm *d, struct context *c,
			  struct dmm_access *a, enum dmm_path path)
{
	c->transfer.at += a->width;
	c->transfer.left -= a->width;
	a->done = 1;
	c->stats.accesses[path]++;
	d->last_path = path;
}

static inline uint8_t *quick_copy(const struct context *c)
{
	return c->memory + (uint32_t)(c->transfer.at + c->transfer.copy);
}

static bool quick_spool(struct dmm *d, struct context *c, struct dmm_access *a)
{
	if (a->write)
		copy_element(quick_copy(c), a->data, a->width);
	else
		copy_element(a->data, quick_copy(c), a->width);
	passed(d, c, a, DMM_ANSWER);
	return true;
}

/* As pages_keep(): an element lies in two pages at most. */
static inline void keep(struct dmm *d, struct context *c, unsigned int width)
{
	uint32_t first = (c->transfer.at + c->transfer.copy) / PAGE;
	uint32_t last = (c->transfer.at + c->transfer.copy + width - 1) / PAGE;

	c->kept[first] = c->kept[last] = KEPT_WRITTEN;
	d->dirty[first] = d->dirty[last] = 1;
}

static bool quick_write(struct dmm *d, struct context *c, struct dmm_access *a)
{
	if (c->frame_len)
		return false; /* it could be of the frame that is being sent */
	d->host.write_string(d->host.ctx, a->space, a->off, a->width, a->data,
			     1);
	copy_element(quick_copy(c), a->data, a->width);
	keep(d, c, a->width);
	passed(d, c, a, DMM_FORWARD);
	return true;
}

static bool quick_read(struct dmm *d, unsigned int g, struct context *c,
		       struct dmm_access *a)
{
	d->host.read_string(d->host.ctx, a->space, a->off, a->width, a->data,
			    1);
	copy_element(quick_copy(c), a->data, a->width);
	if (ring_watch_wants(&c->watch, c->transfer.at, a->width))
		note_passed(d, g, &c->transfer, a->data, a->width, false);
	passed(d, c, a, DMM_FORWARD);
	return true;
}

/*
 * One element, as wide as what it moves, with more of its transfer and no jump
 * behind it, and nothing to wait for: what move_run() and note_passed() would
 * do, and none of what they would find that there is not to do.
 */
static inline bool quick(struct dmm *d, unsigned int g, struct context *c,
			 struct dmm_access *a)
{
	const struct transfer *t = &c->transfer;

	if (t->left <= a->width || t->end <= (uint64_t)t->at + a->width)
		return false;
	if (d->mode == MODE_SPOOL)
		return quick_spool(d, c, a);
	if (d->owner != (int)g)
		return false;
	return a->write ? quick_write(d, c, a) : quick_read(d, g, c, a);
}

/* Is it like the last one to the port? */
static inline bool is_again(const struct transfer *t,
			    const struct dmm_access *a)
{
	/*
	 * Not count == 1 && !done: a compiler makes one load of it, and who
	 * has just stored them one by one waits for both.
	 */
	return t->on && t->quick && a->off == t->off && a->space == t->space &&
	       a->width == t->width && !((a->count ^ 1u) | a->done);
}

/* Here, so that what is done most is done in one function. */
enum dmm_verdict dmm_access(struct dmm *d, unsigned int g, struct dmm_access *a)
{
	struct context *c = &d->guest[g];

	if (is_again(&c->transfer, a) && quick(d, g, c, a))
		return DMM_PASS;
	return access_any(d, g, a);
}
