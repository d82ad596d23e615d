// SPDX-License-Identifier: MIT
/*
 * graph.c: the machines of a model as graphs in DOT.
 *
 * What the kernel's dot2c and dot2k take is a dialect of lines: the nodes, each
 * on its own, the one of the beginning first; an edge from that; then each edge
 * on a line that begins with a quote.  Names have no blanks.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "model.h"

#define NAME 80 /* of an event, and room */

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

/* (text) as a word of C, which is what the kernel's tools make of it. */
static const char *word(const char *text, char out[NAME])
{
	size_t i;

	for (i = 0; text[i] && i < NAME - 12; i++) {
		char c = text[i];
		bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9');

		out[i] = fine ? c : '_';
	}
	out[i] = '\0';
	return out;
}

static bool same_event(const struct rule *a, const struct rule *b)
{
	return a->on == b->on && (a->on == ON_POLL || a->reg == b->reg);
}

static bool same_when(const struct rule *a, const struct rule *b)
{
	unsigned int i;

	if (!a->when || !b->when || a->when->n != b->when->n)
		return a->when == b->when;
	for (i = 0; i < a->when->n; i++) {
		const struct expr_ins *p = &a->when->ins[i];
		const struct expr_ins *q = &b->when->ins[i];

		if (p->op != q->op || p->array != q->array ||
		    p->shift != q->shift || p->index != q->index ||
		    p->k != q->k)
			return false;
	}
	return true;
}

/* The rules of a machine stand one behind the other. */
static struct span rules_of(const struct dmm_model *m, const struct machine *mc)
{
	struct span all = { .first = m->state[mc->states.first].rules.first };
	unsigned int i;

	for (i = 0; i < mc->states.n; i++)
		all.n = (uint16_t)(all.n +
				   m->state[mc->states.first + i].rules.n);
	return all;
}

/* Is it the first rule of the machine with this event and this condition? */
static bool is_first(const struct dmm_model *m, const struct machine *mc,
		     const struct rule *r)
{
	const struct rule *p = &m->rule[rules_of(m, mc).first];

	for (; p < r; p++)
		if (same_event(p, r) && same_when(p, r))
			return false;
	return true;
}

/*
 * The name of a rule's event: with a number if the machine has rules for it
 * under several conditions.
 */
static const char *event(const struct dmm_model *m, const struct machine *mc,
			 const struct rule *r, char out[NAME])
{
	static const char *const ons[] = { "read", "write", "end", "poll" };
	struct span all = rules_of(m, mc);
	unsigned int i, kinds = 0, number = 0;
	char name[NAME];
	int n;

	n = snprintf(out, NAME, "%s", ons[r->on]);
	if (r->on != ON_POLL)
		n += snprintf(out + n, NAME - (size_t)n, "_%s",
			      word(r->on == ON_END ? m->check[r->reg].name :
						     m->reg[r->reg].name,
				   name));
	for (i = 0; i < all.n; i++) {
		const struct rule *p = &m->rule[all.first + i];

		if (!same_event(p, r) || !is_first(m, mc, p))
			continue;
		kinds++;
		if (same_when(p, r))
			number = kinds;
	}
	if (kinds > 1 && n < NAME)
		snprintf(out + n, NAME - (size_t)n, "_%u", number);
	return out;
}

static const char *to_of(const struct dmm_model *m, const struct machine *mc,
			 const struct state *from, const struct rule *r)
{
	if (r->reset)
		return m->state[mc->states.first].name;
	return r->to != MODEL_NONE ? m->state[r->to].name : from->name;
}

/* In a state the first rule is the one. */
static bool is_shadowed(const struct dmm_model *m, const struct state *st,
			const struct rule *r)
{
	const struct rule *p = &m->rule[st->rules.first];

	for (; p < r; p++)
		if (same_event(p, r) && same_when(p, r))
			return true;
	return false;
}

static void edges(const struct out *o, const struct dmm_model *m,
		  const struct machine *mc, const char *prefix)
{
	char from[NAME], to[NAME], name[NAME];
	unsigned int i, k;

	for (i = 0; i < mc->states.n; i++) {
		const struct state *st = &m->state[mc->states.first + i];

		for (k = 0; k < st->rules.n; k++) {
			const struct rule *r = &m->rule[st->rules.first + k];

			if (is_shadowed(m, st, r))
				continue;
			say(o, "\t\"%s%s\" -> \"%s%s\" [ label = \"%s\" ];\n",
			    prefix, word(st->name, from), prefix,
			    word(to_of(m, mc, st, r), to),
			    event(m, mc, r, name));
		}
	}
}

/* Which condition a number stands for. */
static void legend(const struct out *o, const struct dmm_model *m,
		   const struct machine *mc)
{
	struct span all = rules_of(m, mc);
	unsigned int i;
	char name[NAME];

	for (i = 0; i < all.n; i++) {
		const struct rule *r = &m->rule[all.first + i];

		if (r->when && is_first(m, mc, r))
			say(o, "\t// %s: when as in line %u\n",
			    event(m, mc, r, name), r->pos.line);
	}
}

static void graph(const struct out *o, const struct dmm_model *m,
		  const struct machine *mc)
{
	char first[NAME], name[NAME];
	unsigned int i;

	word(m->state[mc->states.first].name, first);
	say(o,
	    "digraph state_automaton {\n"
	    "\tcenter = true;\n\tsize = \"7,11\";\n\trankdir = LR;\n"
	    "\tlabel = \"%s\";\n"
	    "\t{node [shape = plaintext, style=invis, label=\"\"] "
	    "\"__init_%s\"};\n"
	    "\t{node [shape = doublecircle] \"%s\"};\n",
	    word(mc->name, name), first, first);
	for (i = 1; i < mc->states.n; i++)
		say(o, "\t{node [shape = circle] \"%s\"};\n",
		    word(m->state[mc->states.first + i].name, name));
	say(o, "\t\"__init_%s\" -> \"%s\";\n", first, first);
	edges(o, m, mc, "");
	say(o, "\t{ rank = min ;\n\t\t\"__init_%s\";\n\t\t\"%s\";\n\t}\n",
	    first, first);
	legend(o, m, mc);
	say(o, "}\n");
}

static void box(const struct out *o, const struct dmm_model *m,
		const struct machine *mc)
{
	char name[NAME], prefix[NAME + 1];
	unsigned int i;

	word(mc->name, name);
	snprintf(prefix, sizeof(prefix), "%s_", name);
	say(o, "\tsubgraph \"cluster_%s\" {\n\tlabel = \"%s\";\n", name, name);
	for (i = 0; i < mc->states.n; i++) {
		word(m->state[mc->states.first + i].name, name);
		say(o, "\t\"%s%s\" [ label = \"%s\", shape = %s ];\n", prefix,
		    name, name, i ? "circle" : "doublecircle");
	}
	edges(o, m, mc, prefix);
	say(o, "\t}\n");
}

static int each(const struct out *o, const struct dmm_model *m,
		const char *machine,
		void (*fn)(const struct out *o, const struct dmm_model *m,
			   const struct machine *mc))
{
	bool any = !machine;
	unsigned int i;

	for (i = 0; i < m->machines; i++) {
		if (machine && strcmp(m->machine[i].name, machine))
			continue;
		fn(o, m, &m->machine[i]);
		any = true;
	}
	return any ? 0 : -ENOENT;
}

int explain_graph(const struct dmm_model *m, const char *machine,
		  explain_put *put, void *ctx)
{
	struct out o = { .put = put, .ctx = ctx };

	return each(&o, m, machine, graph);
}

int explain_picture(const struct dmm_model *m, const char *machine,
		    explain_put *put, void *ctx)
{
	struct out o = { .put = put, .ctx = ctx };
	int err;

	say(&o, "digraph machines {\n\trankdir = LR;\n");
	err = each(&o, m, machine, box);
	say(&o, "}\n");
	return err;
}
