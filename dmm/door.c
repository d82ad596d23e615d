// SPDX-License-Identifier: MIT
/*
 * door.c: second doors as a guest meets them: windows onto other registers,
 * and serial EEPROMs behind pins, each answered from the guest's context.
 */

#include <errno.h>
#include <string.h>

#include "mon.h"

#define WORDS 256u /* of one EEPROM, at most */
#define READ_LOOKS 1000u
#define READ_NS 1000u
#define DOORS 2u /* one behind another */

static uint64_t get(const struct context *c, struct bits b)
{
	return c->reg[b.slot] >> b.shift & b.mask;
}

static void put(struct context *c, struct bits b, uint64_t v)
{
	c->reg[b.slot] &= ~(b.mask << b.shift);
	c->reg[b.slot] |= (v & b.mask) << b.shift;
}

/* ---- windows ---- */

/* The register of a window's space at (index); NULL: none is there. */
static const struct plan_entry *behind(const struct dmm *d, unsigned int g,
				       const struct window *w, uint64_t index,
				       bool write)
{
	const struct space *s = &d->model->space[w->space];
	uint64_t off = index * (s->width / 8u);

	if (off >= s->size)
		return NULL;
	return plan_find(d->model, w->space, off, write, d->guest[g].reg);
}

bool door_open(const struct dmm *d, unsigned int g, struct dmm_access *a,
	       const struct plan_entry *e)
{
	const struct dmm_model *m = d->model;
	const struct window *w;
	uint64_t index;

	w = &m->window[m->reg[e->reg].window];
	if (m->space[w->space].kind == SPACE_WINDOW)
		return true; /* of one register at a time: door_behind() */
	index = get(&d->guest[g], w->index);
	a->space = w->space;
	a->off = index;
	/* a window onto a window's data would go round */
	e = index < m->space[w->space].size ?
		    plan_find(m, a->space,
			      index - index % m->space[w->space].grain,
			      a->write, d->guest[g].reg) :
		    NULL;
	return e && !(d->flags[e->reg] & REG_DOOR);
}

const struct plan_entry *door_behind(const struct dmm *d, unsigned int g,
				     const struct plan_entry *e,
				     const struct dmm_access *a,
				     unsigned int *bytes)
{
	const struct dmm_model *m = d->model;
	unsigned int i, unit;
	const struct window *w;

	for (i = 0; e && d->flags[e->reg] & REG_DOOR; i++) {
		w = &m->window[m->reg[e->reg].window];
		unit = m->space[w->space].width / 8u;
		/* the part knows no half of a register there */
		if (i == DOORS || e->byte || *bytes < unit ||
		    !(m->reg[e->reg].widths & a->width))
			return NULL;
		*bytes = unit;
		e = behind(d, g, w, get(&d->guest[g], w->index), a->write);
	}
	return e;
}

static bool sets_hold(const struct dmm *d, unsigned int g, struct span sets,
		      uint64_t value)
{
	unsigned int i;

	for (i = sets.first; i < (unsigned int)sets.first + sets.n; i++) {
		const struct set *s = &d->model->set[i];

		if ((value >> s->shift & s->mask) !=
		    (mon_eval(d, g, s->value) & s->mask))
			return false;
	}
	return sets.n != 0;
}

static void command(struct dmm *d, unsigned int g, const struct window *w,
		    uint64_t value)
{
	struct context *c = &d->guest[g];
	uint64_t index = value >> w->index.shift & w->index.mask;
	uint64_t data = value >> w->data.shift & w->data.mask;
	const struct plan_entry *e;
	const struct reg *reg;

	if (sets_hold(d, g, w->read, value)) {
		e = behind(d, g, w, index, false);
		put(c, w->data, e ? c->reg[e->slot] : w->data.mask);
	} else if (sets_hold(d, g, w->write, value)) {
		e = behind(d, g, w, index, true);
		if (e) {
			reg = &d->model->reg[e->reg];
			step_latch(d, g, reg, e->slot, data,
				   cc_ones(reg->bits));
			c->reg[e->slot] &= ~reg->self_clear;
		}
	}
	put(c, w->ready, 1);
}

/* ---- EEPROMs ---- */

static void pins(struct dmm *d, unsigned int g, unsigned int i)
{
	const struct eeprom *e = &d->model->eeprom[i];
	struct context *c = &d->guest[g];
	bool write_tried = false, out;

	if (e->grant.mask)
		put(c, e->grant, get(c, e->request));
	out = microwire_pins(&c->wire[i], get(c, e->cs), get(c, e->sk),
			     get(c, e->di), c->eeprom + i * WORDS, e->words,
			     e->address_bits, &write_tried);
	put(c, e->dout, out);
	if (d->conf.without & DMM_WITHOUT_EEPROM)
		card_write(d, e->cs.slot, c->reg[e->cs.slot], true);
	if (!write_tried)
		return;
	mon_offence(d, (struct dmm_report){ .offence = DMM_DENIED,
					    .guest = g,
					    .name = e->name,
					    .rule = "an EEPROM is not written "
						    "by guests",
					    .line = e->pos.line });
}

static void read_word(struct dmm *d, unsigned int g, unsigned int i)
{
	const struct eeprom *e = &d->model->eeprom[i];
	struct context *c = &d->guest[g];
	uint64_t address = get(c, e->address);

	if (!get(c, e->start))
		return;
	put(c, e->data,
	    address < e->words ? c->eeprom[i * WORDS + address] : 0);
	put(c, e->start, 0);
	put(c, e->done, 1);
}

void door_written(struct dmm *d, unsigned int g, unsigned int reg,
		  uint64_t value)
{
	const struct reg *r = &d->model->reg[reg];

	if (r->window != MODEL_NONE && d->model->window[r->window].command)
		command(d, g, &d->model->window[r->window], value);
	if (r->eeprom == MODEL_NONE)
		return;
	if (d->model->eeprom[r->eeprom].cs.mask &&
	    d->model->eeprom[r->eeprom].cs.reg == reg)
		pins(d, g, r->eeprom);
	else
		read_word(d, g, r->eeprom);
}

static uint16_t sum_of(const uint16_t *words, unsigned int n)
{
	uint16_t sum = 0;

	while (n--)
		sum = (uint16_t)(sum + words[n]);
	return sum;
}

void door_identity(struct dmm *d, unsigned int g)
{
	const struct identity *id = &d->model->identity;
	const uint8_t *mac = d->conf.guest[g].mac;
	uint16_t *words = d->guest[g].eeprom;
	const struct eeprom *e;
	unsigned int i;

	if (!words)
		return;
	memcpy(words, d->eeprom,
	       (size_t)d->model->eeproms * WORDS * sizeof(*words));
	if (id->mac_eeprom == MODEL_NONE || !d->mac_set[g])
		return;
	e = &d->model->eeprom[id->mac_eeprom];
	words += id->mac_eeprom * WORDS;
	for (i = 0; i < 3; i++)
		words[id->mac_word + i] =
			(uint16_t)(mac[2 * i] | mac[2 * i + 1] << 8);
	if (e->has_sum) {
		words[e->words - 1] = 0;
		words[e->words - 1] =
			(uint16_t)(e->sum - sum_of(words, e->words));
	}
}

static int read_one(struct dmm *d, const struct eeprom *e, unsigned int at,
		    uint16_t *out)
{
	unsigned int i;
	uint64_t v;

	card_write(d, e->start.slot,
		   e->start.mask << e->start.shift |
			   (at & e->address.mask) << e->address.shift,
		   true);
	for (i = 0; i < READ_LOOKS; i++) {
		v = card_read(d, e->done.slot, true, NULL);
		if (v >> e->done.shift & e->done.mask) {
			*out = (uint16_t)(v >> e->data.shift & e->data.mask);
			return 0;
		}
		d->host.pause(d->host.ctx, READ_NS);
	}
	return -ETIMEDOUT;
}

/* The register, as it is while the monitor moves the pins. */
static uint64_t pins_rest(struct dmm *d, const struct eeprom *e)
{
	struct expr_env env = { .array = { [EXPR_REG] = d->dev } };
	uint64_t v = 0;
	unsigned int i;

	for (i = e->mode.first; i < (unsigned int)e->mode.first + e->mode.n;
	     i++) {
		const struct set *s = &d->model->set[i];

		v |= (expr_eval(s->value, &env, NULL) & s->mask) << s->shift;
	}
	return v;
}

/*
 * One clock: DI, and what DO says then.  The look before the edge lets the write
 * arrive and lasts longer than half a clock: 250 ns, DS20001749, table 1-2.
 */
static bool clock_pins(struct dmm *d, const struct eeprom *e, bool di)
{
	uint64_t v = pins_rest(d, e) | UINT64_C(1) << e->cs.shift |
		     (uint64_t)di << e->di.shift;

	card_write(d, e->cs.slot, v, true);
	card_read(d, e->cs.slot, true, NULL);
	card_write(d, e->cs.slot, v | UINT64_C(1) << e->sk.shift, true);
	return card_read(d, e->cs.slot, true, NULL) >> e->dout.shift & 1;
}

/* A start bit, READ, the address; then a word comes out.  DS20001749, 2.7. */
static uint16_t read_by_pins(struct dmm *d, const struct eeprom *e,
			     unsigned int at)
{
	unsigned int command = 6u << e->address_bits | at, i;
	uint16_t word = 0;

	for (i = e->address_bits + 3u; i-- > 0;)
		clock_pins(d, e, command >> i & 1);
	for (i = 0; i < 16; i++)
		word = (uint16_t)(word << 1 | clock_pins(d, e, false));
	card_write(d, e->cs.slot, pins_rest(d, e), true);
	card_read(d, e->cs.slot, true, NULL);
	return word;
}

static void read_all_by_pins(struct dmm *d, const struct eeprom *e,
			     uint16_t *words)
{
	unsigned int k;

	for (k = 0; k < e->words; k++)
		words[k] = read_by_pins(d, e, k);
	card_write(d, e->cs.slot, 0, true);
}

int door_read_eeproms(struct dmm *d)
{
	const struct eeprom *e = d->model->eeprom;
	unsigned int i, k;
	int err;

	for (i = 0; i < d->model->eeproms; i++, e++) {
		if (!e->start.mask)
			read_all_by_pins(d, e, &d->eeprom[i * WORDS]);
		for (k = 0; e->start.mask && k < e->words; k++) {
			err = read_one(d, e, k, &d->eeprom[i * WORDS + k]);
			if (err)
				return err;
		}
	}
	return 0;
}
