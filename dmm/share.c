// SPDX-License-Identifier: MIT
/*
 * share.c: the compiler's third part: how the device is shared: reusable
 * states, interrupts, identity, receiving and sending, and the procedures of
 * a hand-over.
 */

#include <string.h>

#include "build.h"

static const struct node *map_of(struct build *b, const struct node *root,
				 const char *key, const char *const keys[],
				 size_t n)
{
	const struct node *map = node_get(root, key);

	if (!map || node_expect(map, NODE_MAP, key, b->diag) ||
	    node_known(map, key, keys, n, b->diag))
		return NULL;
	return map;
}

static struct expr *expr_of(struct build *b, const struct node *map,
			    const char *key, unsigned int flags)
{
	const struct node *n = node_get(map, key);

	return n ? build_expr(b, n, flags, NULL) : NULL;
}

static uint16_t reg_of(struct build *b, const struct node *map,
		       const char *key)
{
	const struct node *n = node_get(map, key);

	return n ? build_reg(b, n, "a register") : MODEL_NONE;
}

static uint16_t memory_of(struct build *b, const struct node *n)
{
	unsigned int i;

	if (!n || node_expect(n, NODE_SCALAR, "a memory", b->diag))
		return MODEL_NONE;
	for (i = 0; i < b->m->memories; i++)
		if (node_is(n, b->m->memory[i].name))
			return (uint16_t)i;
	build_unknown(b, n->pos, "memory", n->text, &b->m->memory[0].name,
		      b->m->memories, sizeof(b->m->memory[0]));
	return MODEL_NONE;
}

static void build_ring(struct build *b, const struct node *n)
{
	static const char *const keys[] = { "kind",  "memory",	 "start",
					    "stop",  "boundary", "current" };
	static const char *const kinds[] = { "pageRing" };
	struct page_ring *ring = &b->m->receive.ring;
	unsigned int kind;
	size_t i;

	if (!n || node_expect(n, NODE_MAP, "a ring", b->diag) ||
	    node_known(n, "a ring", keys, ARRAY_LEN(keys), b->diag))
		return;
	for (i = 0; i < ARRAY_LEN(keys); i++) {
		if (node_get(n, keys[i]))
			continue;
		diag_error(b->diag, n->pos, "a pageRing needs \"%s:\"",
			   keys[i]);
		return;
	}
	if (node_word(node_get(n, "kind"), "a kind of ring", kinds, 1, &kind,
		      b->diag))
		return;
	ring->memory = memory_of(b, node_get(n, "memory"));
	ring->start = reg_of(b, n, "start");
	ring->stop = reg_of(b, n, "stop");
	ring->boundary = reg_of(b, n, "boundary");
	ring->current = reg_of(b, n, "current");
	ring->present = ring->memory != MODEL_NONE &&
			ring->start != MODEL_NONE && ring->stop != MODEL_NONE &&
			ring->boundary != MODEL_NONE &&
			ring->current != MODEL_NONE;
}

static void build_receive(struct build *b, const struct node *root)
{
	static const char *const keys[] = { "ring", "enabled", "arrived",
					    "overflow", "frame" };
	struct receive *rx = &b->m->receive;
	const struct node *map = map_of(b, root, "receive", keys,
					ARRAY_LEN(keys));

	if (!map)
		return;
	rx->pos = map->pos;
	build_ring(b, node_get(map, "ring"));
	rx->enabled = expr_of(b, map, "enabled", SCOPE_VOLATILE | SCOPE_STATES);
	rx->arrived = build_sets(b, node_get(map, "arrived"), SCOPE_VOLATILE);
	rx->overflow = build_sets(b, node_get(map, "overflow"),
				  SCOPE_VOLATILE);
}

static void build_transmit(struct build *b, const struct node *root)
{
	static const char *const keys[] = { "sent", "local", "loopback" };
	struct transmit *tx = &b->m->transmit;
	const struct node *map = map_of(b, root, "transmit", keys,
					ARRAY_LEN(keys));

	if (!map)
		return;
	tx->sent = build_sets(b, node_get(map, "sent"),
			      SCOPE_VOLATILE | SCOPE_DEVICE);
	tx->local = build_sets(b, node_get(map, "local"), SCOPE_VOLATILE);
	tx->loopback = expr_of(b, map, "loopback", SCOPE_VOLATILE);
}

static void identity_mac(struct build *b, const struct node *n)
{
	static const char *const keys[] = { "memory", "at", "stride" };
	struct identity *id = &b->m->identity;
	const struct memory *mem;
	uint64_t at = 0, stride = 1;

	if (!n)
		return;
	if (n->kind == NODE_SEQ && n->n == 1)
		n = n->at[0];
	if (node_expect(n, NODE_MAP, "where the address stands", b->diag) ||
	    node_known(n, "an address", keys, ARRAY_LEN(keys), b->diag))
		return;
	id->mac_memory = memory_of(b, node_get(n, "memory"));
	if ((node_get(n, "at") &&
	     node_u64(node_get(n, "at"), "an offset", 4096, &at, b->diag)) ||
	    (node_get(n, "stride") &&
	     node_u64(node_get(n, "stride"), "a stride in bytes", 8, &stride,
		      b->diag)))
		return;
	id->mac_at = (uint32_t)at;
	id->mac_stride = (uint8_t)(stride ? stride : 1);
	if (id->mac_memory == MODEL_NONE)
		return;
	mem = &b->m->memory[id->mac_memory];
	if (!cc_within(at, 6u * id->mac_stride, 0, mem->size))
		diag_error(b->diag, n->pos, "the address ends beyond %s",
			   mem->name);
}

static void build_identity(struct build *b, const struct node *root)
{
	static const char *const keys[] = { "mac", "filter" };
	static const char *const filters[] = { "unicast", "hash", "broadcast",
					       "multicast", "promiscuous" };
	struct identity *id = &b->m->identity;
	const struct node *map = map_of(b, root, "identity", keys,
					ARRAY_LEN(keys));
	const struct node *f;

	id->mac_memory = id->unicast = id->hash = MODEL_NONE;
	if (!map)
		return;
	identity_mac(b, node_get(map, "mac"));
	f = map_of(b, map, "filter", filters, ARRAY_LEN(filters));
	if (!f)
		return;
	id->unicast = reg_of(b, f, "unicast");
	id->hash = reg_of(b, f, "hash");
	id->broadcast = expr_of(b, f, "broadcast", SCOPE_VOLATILE);
	id->multicast = expr_of(b, f, "multicast", SCOPE_VOLATILE);
	id->promiscuous = expr_of(b, f, "promiscuous", SCOPE_VOLATILE);
}

static void build_interrupt(struct build *b, const struct node *root)
{
	static const char *const keys[] = { "line", "cause" };
	const struct node *map = map_of(b, root, "interrupt", keys,
					ARRAY_LEN(keys));

	b->m->interrupt.cause = MODEL_NONE;
	if (!map)
		return;
	b->m->interrupt.line = expr_of(b, map, "line", SCOPE_VOLATILE);
	b->m->interrupt.cause = reg_of(b, map, "cause");
}

static void build_how(struct build *b, const struct node *root)
{
	static const char *const keys[] = { "how", "whenParked", "maxPark" };
	static const char *const hows[] = { "exclusive", "lease" };
	static const char *const parked[] = { "spool", "drop" };
	const struct node *map = map_of(b, root, "sharing", keys,
					ARRAY_LEN(keys)), *n;
	struct dmm_model *m = b->m;
	unsigned int word;

	m->how = DMM_EXCLUSIVE;
	m->max_park_ns = 100000000;
	if (!map)
		return;
	n = node_get(map, "how");
	if (n && !node_word(n, "a way to share", hows, 2, &word, b->diag))
		m->how = word ? DMM_LEASE : DMM_EXCLUSIVE;
	n = node_get(map, "whenParked");
	if (n && !node_word(n, "spool or drop", parked, 2, &word, b->diag))
		m->when_parked = word ? DMM_DROP : DMM_SPOOL;
	n = node_get(map, "maxPark");
	if (n)
		(void)!node_time(n, "a time", &m->max_park_ns, b->diag);
}

void build_sharing(struct build *b, const struct node *root)
{
	const struct node *n = node_get(root, "reusable");

	build_how(b, root);
	if (n)
		b->m->reusable = build_expr(b, n, SCOPE_STATES, NULL);
	build_receive(b, root);
	build_transmit(b, root);
	build_identity(b, root);
	build_interrupt(b, root);
}

/* ---- procedures ---- */

static const char *const proc_names[PROCS] = {
	[PROC_OPEN] = "open",	    [PROC_SEND] = "send",
	[PROC_FETCH] = "fetch",	    [PROC_STORE] = "store",
	[PROC_OVERFLOW] = "overflow", [PROC_QUIESCE] = "quiesce",
	[PROC_SAVE] = "save",	    [PROC_SCRUB] = "scrub",
	[PROC_RESTORE] = "restore", [PROC_FORCE] = "force",
};

#define PROC_FLAGS \
	(SCOPE_VOLATILE | SCOPE_DEVICE | SCOPE_PARAMS | SCOPE_STATES)

static struct proc_step *new_step(struct build *b, struct diag_pos pos)
{
	struct dmm_model *m = b->m;

	if (build_full(b, pos, "steps of procedures", m->steps,
		       MODEL_MAX_STEPS))
		return NULL;
	m->step[m->steps] = (struct proc_step){ .pos = pos,
						.reg = MODEL_NONE };
	return &m->step[m->steps++];
}

static void step_all_but(struct build *b, const struct node *list,
			 struct proc_step *st)
{
	struct dmm_model *m = b->m;
	uint16_t reg;
	size_t i;

	st->kind = STEP_ALL;
	st->but = m->buts;
	if (!list || node_expect(list, NODE_SEQ, "a list of registers",
				 b->diag))
		return;
	for (i = 0; i < list->n; i++) {
		reg = build_reg(b, list->at[i], "a register");
		if (reg == MODEL_NONE ||
		    build_full(b, list->pos, "registers left out", m->buts,
			       MODEL_MAX_REGS))
			continue;
		m->but[m->buts++] = reg;
		st->buts++;
	}
}

static void step_word(struct build *b, const struct node *node)
{
	struct proc_step *st = new_step(b, node->pos);
	struct target t;

	if (!st)
		return;
	if (node_is(node, "all")) {
		step_all_but(b, NULL, st);
		return;
	}
	st->kind = STEP_SAVE;
	if (build_target(b, node->text, node->pos, &t)) {
		st->reg = t.reg;
		st->slot = t.slot;
	}
}

static void step_target(struct build *b, const struct node *n,
			struct proc_step *st)
{
	struct target t;

	if (node_expect(n, NODE_SCALAR, "a register", b->diag) ||
	    !build_target(b, n->text, n->pos, &t))
		return;
	st->reg = t.reg;
	st->slot = t.slot;
	if (st->kind == STEP_WRITE && !b->m->reg[t.reg].writable)
		diag_error(b->diag, n->pos, "%s cannot be written", n->text);
	if (st->kind == STEP_READ && !b->m->reg[t.reg].readable)
		diag_error(b->diag, n->pos, "%s cannot be read", n->text);
}

static void step_rest(struct build *b, const struct node *node,
		      struct proc_step *st, const struct node *what)
{
	static const char *const late[] = { "ok" };
	const struct node *n;
	unsigned int word;
	uint64_t v = 8;

	switch (st->kind) {
	case STEP_WRITE:
	case STEP_READ:
	case STEP_OUT:
	case STEP_IN:
		step_target(b, what, st);
		break;
	case STEP_WAIT:
	case STEP_PUT:
		st->value = build_expr(b, what, PROC_FLAGS, NULL);
		break;
	case STEP_FILL:
		st->reg = memory_of(b, what);
		break;
	default:
		break;
	}
	n = node_get(node, "value");
	if (n)
		st->value = build_expr(b, n, PROC_FLAGS, NULL);
	if (st->kind == STEP_WRITE && !n)
		diag_error(b->diag, node->pos, "what value is written?");
	n = node_get(node, "width");
	if (n && node_u64(n, "a width in bits", 32, &v, b->diag))
		return;
	st->width = v == 16 || v == 32 ? (uint8_t)(v / 8) : 1;
	n = node_get(node, "timeout");
	if (n)
		(void)!node_time(n, "a time", &st->timeout_ns, b->diag);
	if (st->kind == STEP_WAIT && (!n || st->timeout_ns > 1000000000))
		diag_error(b->diag, node->pos,
			   "a wait needs a timeout of at most 1s");
	n = node_get(node, "late");
	if (n && !node_word(n, "what a late answer is", late, 1, &word,
			    b->diag))
		st->late_ok = true;
	n = node_get(node, "if");
	if (n)
		st->cond = build_expr(b, n, PROC_FLAGS, NULL);
}

static void step_map(struct build *b, const struct node *node)
{
	static const char *const keys[] = { "write", "read",  "wait", "fill",
					    "out",   "in",    "put",  "allBut",
					    "value", "width", "timeout", "late",
					    "if" };
	static const uint8_t kinds[] = { STEP_WRITE, STEP_READ, STEP_WAIT,
					 STEP_FILL,  STEP_OUT,	STEP_IN,
					 STEP_PUT,   STEP_ALL };
	const struct node *what = NULL;
	struct proc_step *st;
	size_t i;

	if (node_known(node, "a step", keys, ARRAY_LEN(keys), b->diag))
		return;
	for (i = 0; i < ARRAY_LEN(kinds) && !what; i++)
		what = node_get(node, keys[i]);
	if (!what) {
		diag_error(b->diag, node->pos, "what does this step do?");
		diag_advise(b->diag, "write, read, wait, fill, put, out, in, "
				     "allBut, all, or a register's name");
		return;
	}
	st = new_step(b, node->pos);
	if (!st)
		return;
	st->kind = kinds[i - 1];
	if (st->kind == STEP_ALL)
		step_all_but(b, what, st);
	step_rest(b, node, st, what);
}

void build_procedures(struct build *b, const struct node *root)
{
	const struct node *map = map_of(b, root, "procedures", proc_names,
					PROCS), *list;
	unsigned int i;
	size_t k;

	for (i = 0; map && i < PROCS; i++) {
		list = node_get(map, proc_names[i]);
		b->m->proc[i].first = b->m->steps;
		if (!list || node_expect(list, NODE_SEQ, "a list of steps",
					 b->diag))
			continue;
		for (k = 0; k < list->n; k++) {
			if (list->at[k]->kind == NODE_SCALAR)
				step_word(b, list->at[k]);
			else if (!node_expect(list->at[k], NODE_MAP, "a step",
					      b->diag))
				step_map(b, list->at[k]);
		}
		b->m->proc[i].n = (uint16_t)(b->m->steps -
					     b->m->proc[i].first);
	}
}
