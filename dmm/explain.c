// SPDX-License-Identifier: MIT
/*
 * explain.c: the dispatch plan and the machines, for people.
 */

#include "explain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mon.h"

struct out {
	explain_put *put;
	void *ctx;
};

static void say(const struct out *o, const char *fmt, ...) PRINTF(2, 3);

static void say(const struct out *o, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	o->put(o->ctx, text);
}

/* ---- the plan ---- */

/* The first rule that a write or a read could fire, or NULL. */
static const struct rule *hooked_by(const struct dmm_model *m, unsigned int reg,
				    bool write)
{
	unsigned int i;

	for (i = 0; i < m->rules; i++)
		if (m->rule[i].reg == reg &&
		    m->rule[i].on == (write ? ON_WRITE : ON_READ))
			return &m->rule[i];
	return NULL;
}

static void why(const struct dmm *d, unsigned int i, char *text, size_t room)
{
	const struct dmm_model *m = d->model;
	const struct reg *reg = &m->reg[i];
	const struct rule *r = hooked_by(m, i, true);

	if (!r)
		r = hooked_by(m, i, false);
	text[0] = '\0';
	if (r)
		snprintf(text, room, "the rule in line %u looks at it",
			 r->pos.line);
	else if (reg->port_memory != MODEL_NONE)
		snprintf(text, room, "a data port: counted");
	else if (reg->window != MODEL_NONE)
		snprintf(text, room, "a door to other registers");
	else if (reg->eeprom != MODEL_NONE)
		snprintf(text, room, "an EEPROM's pins");
	else if (reg->global)
		snprintf(text, room, "the card's, not one guest's");
	else if (d->flags[i] & REG_IN_LINE)
		snprintf(text, room, "the interrupt line rests on it");
	else if (d->checks[i])
		snprintf(text, room, "check %s rests on it",
			 m->check[__builtin_ctz(d->checks[i])].name);
	else if (m->space[m->place[reg->place].space].kind == SPACE_WINDOW)
		snprintf(text, room, "behind a door to it");
	else if (d->flags[i] & (REG_RING | REG_MONITOR))
		snprintf(text, room, "it says where a ring is");
	else if (reg->selector)
		snprintf(text, room, "it selects a bank");
	else if (reg->answer != ANSWER_NONE)
		snprintf(text, room, "the model answers it");
}

/* "forward", or "hook (latch)": where some values are looked at. */
static const char *path_text(const struct dmm *d, unsigned int i, bool write,
			     bool parked, char *text, size_t room)
{
	const struct reg *reg = &d->model->reg[i];
	enum dmm_path path = paths_of(d, reg, write, parked);

	if (path == DMM_DENY)
		return "-";
	if (!hooked_by(d->model, i, write))
		return dmm_path_name(path);
	snprintf(text, room, "hook or %s", dmm_path_name(path));
	return text;
}

static void plan_register(const struct out *o, const struct dmm *d,
			  unsigned int i, const struct place *pl)
{
	const struct reg *reg = &d->model->reg[i];
	char cell[4][32], reason[96], dim[16] = "";
	unsigned int k;

	why(d, i, reason, sizeof(reason));
	if (reg->dim > 1)
		snprintf(dim, sizeof(dim), "[%u]", reg->dim);
	say(o, "  0x%04x%s%-4s %s%-*s", pl->off,
	    pl->cond && pl->sel_reg == MODEL_NONE ? "?" : " ",
	    pl->read && pl->write ? "rw" :
	    pl->read		  ? "r" :
				    "w",
	    reg->name, (int)(12 - strlen(reg->name)), dim);
	for (k = 0; k < 4; k++)
		say(o, " %-15s",
		    (k & 1 ? pl->write : pl->read) ?
			    path_text(d, i, k & 1, k & 2, cell[k],
				      sizeof(cell[k])) :
			    "-");
	say(o, " %s\n", reason);
}

static void plan_pages(const struct out *o, struct dmm *d, unsigned int space)
{
	const struct space *s = &d->model->space[space];
	const struct reg *reg, *alone;
	uint64_t page;
	bool direct, whole;
	enum mode mode;

	if (s->kind != SPACE_MMIO)
		return;
	for (page = 0; page < s->size; page += DMM_PAGE) {
		direct = paths_direct(d, space, page, &reg);
		mode = d->mode;
		d->mode = MODE_EXCLUSIVE;
		d->conf.alone = true;
		whole = paths_direct(d, space, page, &alone);
		d->mac_given = true;
		(void)paths_direct(d, space, page, &alone);
		d->mac_given = d->conf.alone = false;
		d->mode = mode;
		if (!direct && !reg && !whole)
			continue;
		say(o, "  page 0x%05llx: %s%s%s%s%s\n",
		    (unsigned long long)page,
		    direct ? "could be mapped: direct" : "traps whole, for ",
		    direct ? "" : reg->name,
		    direct || !whole ? "" : "; protect: iommu: direct",
		    !direct && whole && alone ? ", but with a mac: " : "",
		    !direct && whole && alone ? alone->name : "");
	}
}

static int plan_dmm(struct dmm *d)
{
	const struct dmm_model *m = d->model;

	d->path = calloc(m->regs + 1u, 4);
	d->flags = calloc(m->regs + 1u, sizeof(*d->flags));
	d->reg_of = calloc(m->slots + 1u, sizeof(*d->reg_of));
	d->checks = calloc(m->regs + 1u, sizeof(*d->checks));
	if (!d->path || !d->flags || !d->reg_of || !d->checks)
		return -ENOMEM;
	paths_plan(d);
	return 0;
}

int explain_plan(const struct dmm_model *m, enum dmm_how how,
		 enum dmm_when_parked when_parked, explain_put *put, void *ctx)
{
	static const char *const hows[] = { "exclusive", "lease", "merge" };
	struct dmm *d = calloc(1, sizeof(*d));
	struct out o = { .put = put, .ctx = ctx };
	unsigned int s, i;
	int err = -ENOMEM;

	if (!d)
		return err;
	if (how == DMM_HOW_DEFAULT)
		how = m->how;
	d->model = m;
	d->mode = how == DMM_EXCLUSIVE		      ? MODE_EXCLUSIVE :
		  how == DMM_MERGE		      ? MODE_SPOOL :
		  when_parked == DMM_DROP || m->rings ? MODE_DROP :
							MODE_SPOOL;
	err = plan_dmm(d);
	for (s = 0; !err && s < m->spaces; s++) {
		say(&o, "%s%s%s (%s%s, %llu bytes)\n", s ? "\n" : "",
		    m->space[s].name, s ? "" : "", hows[how],
		    m->space[s].kind == SPACE_WINDOW ? ", a window" :
		    m->space[s].kind == SPACE_IO     ? ", ports" :
						       ", memory",
		    (unsigned long long)m->space[s].size);
		say(&o, "  %-11s %-12s %-15s %-15s %-15s %-15s %s\n", "offset",
		    "register", "owner reads", "owner writes", "parked reads",
		    "parked writes", "why");
		for (i = 0; i < m->places; i++)
			if (m->place[i].space == s)
				plan_register(&o, d, m->place[i].reg,
					      &m->place[i]);
		plan_pages(&o, d, s);
	}
	free(d->path);
	free(d->flags);
	free(d->reg_of);
	free(d->checks);
	free(d);
	return err;
}

/* ---- the machines ---- */

static void event_text(const struct dmm_model *m, const struct rule *r,
		       char *text, size_t room)
{
	static const char *const ons[] = { "read", "write", "end", "poll" };

	if (r->on == ON_POLL)
		snprintf(text, room, "poll");
	else
		snprintf(text, room, "%s_%s", ons[r->on],
			 r->on == ON_END ? m->check[r->reg].name :
					   m->reg[r->reg].name);
}

/* ---- the page ---- */

static void doc_register(const struct out *o, const struct dmm_model *m,
			 const struct reg *reg)
{
	unsigned int i;

	say(o, "| %s%s | ", reg->name, reg->dim > 1 ? "[]" : "");
	for (i = 0; i < reg->places; i++) {
		const struct place *pl = &m->place[reg->place + i];

		say(o, "%s%s+0x%x%s", i ? ", " : "", m->space[pl->space].name,
		    pl->off,
		    pl->read && pl->write ? "" :
		    pl->read		  ? " (r)" :
					    " (w)");
	}
	say(o, " | %u | ", reg->bits);
	for (i = 0; i < reg->fields; i++)
		say(o, "%s%s %u", i ? ", " : "", reg->field[i].name,
		    reg->field[i].low);
	say(o, " | %s%s%s%s |\n", reg->global ? "the card's " : "",
	    reg->w1c ? "w1c " : "", reg->read_clears ? "read clears " : "",
	    reg->vol ? "volatile" : "");
}

static void doc_machine(const struct out *o, const struct dmm_model *m,
			const struct machine *mc)
{
	static const char *const thens[] = { "", "answer", "hold", "deny",
					     "stop" };
	char event[96];
	unsigned int i, k;

	say(o,
	    "\n### %s\n\n| state | event | line | checks | verdict | to |\n"
	    "|---|---|---|---|---|---|\n",
	    mc->name);
	for (i = 0; i < mc->states.n; i++) {
		const struct state *st = &m->state[mc->states.first + i];

		for (k = 0; k < st->rules.n; k++) {
			const struct rule *r = &m->rule[st->rules.first + k];
			unsigned int c;

			event_text(m, r, event, sizeof(event));
			say(o, "| %s | %s | %u |", st->name, event,
			    r->pos.line);
			for (c = 0; c < m->checks; c++)
				if (r->checks & 1u << c)
					say(o, " %s", m->check[c].name);
			for (c = 0; c < m->rings; c++)
				if (r->rings & 1u << c)
					say(o, " %s", m->ring[c].name);
			say(o, " | %s | %s |\n", thens[r->then],
			    r->reset		? "reset" :
			    r->to != MODEL_NONE ? m->state[r->to].name :
						  "");
		}
	}
}

static void doc_ring(const struct out *o, const struct dmm_model *m,
		     const struct ring *r)
{
	const char *way = r->to_device ? "to" : "from";

	switch (r->kind) {
	case RING_OF_DESCRIPTORS:
		say(o, "- %s: %s the device, %u bytes a descriptor, ", r->name,
		    way, r->words * 8u);
		if (r->own)
			say(o, "whose bits say whose they are\n");
		else
			say(o, "head %s, tail %s\n", m->reg[r->head].name,
			    m->reg[r->tail].name);
		break;
	case RING_OF_SLOTS:
		say(o, "- %s: %s the device, %u slots, given by %s\n", r->name,
		    way, r->slots, m->reg[r->tail].name);
		break;
	case RING_OF_BYTES:
		say(o,
		    "- %s: %s the device, frames behind one another, written "
		    "up to %s, read up to %s\n",
		    r->name, way, m->reg[r->head].name, m->reg[r->tail].name);
		break;
	}
}

int explain_doc(const struct dmm_model *m, explain_put *put, void *ctx)
{
	static const char *const hows[] = { "exclusive", "lease", "merge" };
	struct out o = { .put = put, .ctx = ctx };
	unsigned int i;

	say(&o, "# %s\n\nShared by %s; a guest waits at most %llu ms.  Serves",
	    m->name, hows[m->how],
	    (unsigned long long)(m->max_park_ns / 1000000));
	for (i = 0; i < m->matches; i++)
		say(&o, " %04x:%04x", m->match[i].vendor, m->match[i].device);
	say(&o, ".\n\n## Registers\n\n| register | places | bits | fields | "
		"notes |\n|---|---|---|---|---|\n");
	for (i = 0; i < m->regs; i++)
		doc_register(&o, m, &m->reg[i]);
	if (m->memories)
		say(&o, "\n## Memories on the card\n\n");
	for (i = 0; i < m->memories; i++)
		say(&o, "- %s: 0x%x to 0x%x, through %s\n", m->memory[i].name,
		    m->memory[i].start,
		    m->memory[i].start + m->memory[i].size - 1,
		    m->reg[m->memory[i].port].name);
	if (m->rings)
		say(&o, "\n## Rings\n\n");
	for (i = 0; i < m->rings; i++)
		doc_ring(&o, m, &m->ring[i]);
	for (i = 0; i < m->blocks; i++)
		say(&o, "- %s: a block of %u bytes, read when told to\n",
		    m->block[i].form.name, m->block[i].bytes);
	say(&o, "\n## Machines\n");
	for (i = 0; i < m->machines; i++)
		doc_machine(&o, m, &m->machine[i]);
	return 0;
}
