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

	if (!map || node_expect(map, NODE_MAP, key, b->diag))
		return NULL;
	(void)!node_known(map, key, keys, n, b->diag);
	return map;
}

static struct expr *expr_of(struct build *b, const struct node *map,
			    const char *key, unsigned int flags)
{
	const struct node *n = node_get(map, key);

	return n ? build_expr(b, n, flags, NULL) : NULL;
}

static uint16_t reg_of(struct build *b, const struct node *map, const char *key)
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
	static const char *const keys[] = { "kind", "memory",	"start",
					    "stop", "boundary", "current" };
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
		diag_error(b->diag, n->pos,
			   DIAG_MISSING "a pageRing needs \"%s:\"", keys[i]);
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

static uint16_t ring_named(struct build *b, const struct node *n,
			   bool to_device)
{
	uint16_t i = build_find_ring(b, n->text);

	if (i == MODEL_NONE) {
		build_unknown(b, n->pos, "ring", n->text, &b->m->ring[0].name,
			      b->m->rings, sizeof(b->m->ring[0]));
	} else if (b->m->ring[i].to_device != to_device) {
		diag_error(b->diag, n->pos,
			   DIAG_DIRECTION "%s goes the other way", n->text);
		i = MODEL_NONE;
	}
	return i;
}

static void receive_vlan(struct build *b, const struct node *map)
{
	static const char *const keys[] = { "filter", "table", "strip" };
	struct receive *rx = &b->m->receive;

	if (!map || node_expect(map, NODE_MAP, "vlan", b->diag) ||
	    node_known(map, "vlan", keys, ARRAY_LEN(keys), b->diag))
		return;
	rx->vlan_filter = expr_of(b, map, "filter", SCOPE_VOLATILE);
	rx->vlan_strip = expr_of(b, map, "strip", SCOPE_VOLATILE);
	rx->vlan_table = reg_of(b, map, "table");
}

static void build_receive(struct build *b, const struct node *root)
{
	static const char *const keys[] = { "ring",    "enabled",
					    "arrived", "overflow",
					    "max",     "checkSequence",
					    "vlan" };
	struct receive *rx = &b->m->receive;
	const struct node *map = map_of(b, root, "receive", keys,
					ARRAY_LEN(keys)),
			  *n;

	rx->dring = rx->vlan_table = MODEL_NONE;
	if (!map)
		return;
	rx->pos = map->pos;
	n = node_get(map, "ring");
	if (n && n->kind == NODE_SCALAR &&
	    !node_expect(n, NODE_SCALAR, "a ring", b->diag))
		rx->dring = ring_named(b, n, false);
	else if (n && n->kind != NODE_SCALAR)
		build_ring(b, n);
	rx->max = expr_of(b, map, "max", SCOPE_VOLATILE);
	rx->check = expr_of(b, map, "checkSequence", SCOPE_VOLATILE);
	receive_vlan(b, node_get(map, "vlan"));
	rx->enabled = expr_of(b, map, "enabled", SCOPE_VOLATILE | SCOPE_STATES);
	rx->arrived = build_sets(b, node_get(map, "arrived"),
				 SCOPE_VOLATILE | SCOPE_PARAMS);
	rx->overflow = build_sets(b, node_get(map, "overflow"), SCOPE_VOLATILE);
}

static void build_transmit(struct build *b, const struct node *root)
{
	static const char *const keys[] = { "ring",	"sent",	   "local",
					    "loopback", "enabled", "max" };
	struct transmit *tx = &b->m->transmit;
	const struct node *map = map_of(b, root, "transmit", keys,
					ARRAY_LEN(keys)),
			  *n;

	tx->dring = MODEL_NONE;
	if (!map)
		return;
	n = node_get(map, "ring");
	if (n && !node_expect(n, NODE_SCALAR, "a ring", b->diag))
		tx->dring = ring_named(b, n, true);
	tx->sent = build_sets(b, node_get(map, "sent"),
			      SCOPE_VOLATILE | SCOPE_DEVICE | SCOPE_PARAMS);
	tx->local = build_sets(b, node_get(map, "local"), SCOPE_VOLATILE);
	tx->enabled = expr_of(b, map, "enabled", SCOPE_VOLATILE | SCOPE_STATES);
	tx->loopback = expr_of(b, map, "loopback", SCOPE_VOLATILE);
	tx->max = expr_of(b, map, "max", SCOPE_VOLATILE);
}

static void mac_eeprom(struct build *b, const struct node *n)
{
	struct identity *id = &b->m->identity;
	const struct node *name = node_get(n, "eeprom");
	uint64_t word = 0;
	unsigned int i;

	if (node_expect(name, NODE_SCALAR, "an EEPROM", b->diag) ||
	    (node_get(n, "word") &&
	     node_u64(node_get(n, "word"), "a word", 252, &word, b->diag)))
		return;
	for (i = 0; i < b->m->eeproms; i++)
		if (node_is(name, b->m->eeprom[i].name))
			break;
	if (i == b->m->eeproms || word + 3 > b->m->eeprom[i].words) {
		build_unknown(b, name->pos, "EEPROM with such a word",
			      name->text, &b->m->eeprom[0].name, b->m->eeproms,
			      sizeof(b->m->eeprom[0]));
		return;
	}
	id->mac_eeprom = (uint16_t)i;
	id->mac_word = (uint16_t)word;
}

/* Bytes, one after another. */
static void mac_register(struct build *b, const struct node *n)
{
	const struct reg *reg;
	uint16_t i = build_reg(b, n, "a register");

	if (i == MODEL_NONE)
		return;
	reg = &b->m->reg[i];
	if (reg->bits != 8 || reg->dim < 6)
		diag_error(b->diag, n->pos,
			   DIAG_FITS
			   "an address is six elements of 8 bits; %s has %u "
			   "of %u",
			   reg->name, reg->dim, reg->bits);
	else
		b->m->identity.mac_reg = i;
}

static void identity_mac(struct build *b, const struct node *n)
{
	static const char *const keys[] = { "memory", "at",   "stride",
					    "eeprom", "word", "register" };
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
	if (node_get(n, "eeprom")) {
		mac_eeprom(b, n);
		return;
	}
	if (node_get(n, "register")) {
		mac_register(b, node_get(n, "register"));
		return;
	}
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
		diag_error(b->diag, n->pos,
			   DIAG_RANGE "the address ends beyond %s", mem->name);
}

static void build_identity(struct build *b, const struct node *root)
{
	static const char *const keys[] = { "mac", "filter", "reset" };
	static const char *const filters[] = {
		"unicast",   "unicastHigh",  "valid",	    "hash",
		"hashBits",  "table",	     "shift",	    "broadcast",
		"multicast", "allMulticast", "promiscuous", "own"
	};
	static const char *const sixes[] = { "high", "low" };
	struct identity *id = &b->m->identity;
	const struct node *map =
		map_of(b, root, "identity", keys, ARRAY_LEN(keys));
	unsigned int word;
	const struct node *f, *n;

	id->mac_memory = id->unicast = id->hash = MODEL_NONE;
	id->mac_reg = MODEL_NONE;
	id->mac_eeprom = id->unicast_high = id->table = MODEL_NONE;
	if (!map)
		return;
	identity_mac(b, node_get(map, "mac"));
	id->reset = build_sets(b, node_get(map, "reset"),
			       SCOPE_VOLATILE | SCOPE_MAC);
	f = map_of(b, map, "filter", filters, ARRAY_LEN(filters));
	if (!f)
		return;
	id->unicast = reg_of(b, f, "unicast");
	id->unicast_high = reg_of(b, f, "unicastHigh");
	n = node_get(f, "valid");
	if (n)
		(void)!node_u64(n, "a mask", UINT64_MAX, &id->unicast_valid,
				b->diag);
	id->hash = reg_of(b, f, "hash");
	n = node_get(f, "hashBits");
	if (n && !node_word(n, "bits of the CRC", sixes, 2, &word, b->diag))
		id->hash_low = word == 1;
	id->table = reg_of(b, f, "table");
	id->table_shift = expr_of(b, f, "shift", SCOPE_VOLATILE);
	id->own = expr_of(b, f, "own", SCOPE_VOLATILE);
	id->broadcast = expr_of(b, f, "broadcast", SCOPE_VOLATILE);
	id->multicast = expr_of(b, f, "multicast", SCOPE_VOLATILE);
	id->all_multicast = expr_of(b, f, "allMulticast", SCOPE_VOLATILE);
	id->promiscuous = expr_of(b, f, "promiscuous", SCOPE_VOLATILE);
}

static void build_vector(struct build *b, const struct node *map)
{
	static const char *const keys[] = { "when", "vector", "clears", "do" };
	struct interrupt *irq = &b->m->interrupt;
	struct vector *v = &irq->vector[irq->vectors];

	if (node_expect(map, NODE_MAP, "a vector", b->diag) ||
	    node_known(map, "a vector", keys, ARRAY_LEN(keys), b->diag) ||
	    build_full(b, map->pos, "vectors", irq->vectors, MODEL_MAX_VECTORS))
		return;
	if (!node_get(map, "when") || !node_get(map, "vector")) {
		diag_error(b->diag, map->pos,
			   DIAG_MISSING "a vector needs when and vector");
		return;
	}
	v->when = expr_of(b, map, "when", SCOPE_VOLATILE);
	v->vector = expr_of(b, map, "vector", SCOPE_VOLATILE);
	v->clears = expr_of(b, map, "clears", SCOPE_VOLATILE);
	v->sets = build_sets(b, node_get(map, "do"), SCOPE_VOLATILE);
	irq->vectors++;
}

static void build_interrupt(struct build *b, const struct node *root)
{
	static const char *const keys[] = { "line", "cause", "all", "vectors" };
	const struct node *map = map_of(b, root, "interrupt", keys,
					ARRAY_LEN(keys)),
			  *n;
	size_t i;

	b->m->interrupt.cause = MODEL_NONE;
	if (!map)
		return;
	b->m->interrupt.line = expr_of(b, map, "line", SCOPE_VOLATILE);
	b->m->interrupt.cause = reg_of(b, map, "cause");
	n = node_get(map, "all");
	if (n)
		(void)!node_u64(n, "a mask", UINT64_MAX, &b->m->interrupt.all,
				b->diag);
	n = node_get(map, "vectors");
	if (!n || node_expect(n, NODE_SEQ, "a list of vectors", b->diag))
		return;
	if (!node_get(map, "cause"))
		diag_error(b->diag, n->pos,
			   DIAG_MISSING "vectors need a cause");
	for (i = 0; i < n->n; i++)
		build_vector(b, n->at[i]);
}

static void build_how(struct build *b, const struct node *root)
{
	static const char *const keys[] = { "how", "whenParked", "maxPark" };
	static const char *const hows[] = { "exclusive", "lease", "merge" };
	static const char *const parked[] = { "spool", "drop" };
	const struct node *map = map_of(b, root, "sharing", keys,
					ARRAY_LEN(keys)),
			  *n;
	struct dmm_model *m = b->m;
	unsigned int word;

	m->how = DMM_EXCLUSIVE;
	m->max_park_ns = 100000000;
	if (!map)
		return;
	m->share_pos = map->pos;
	n = node_get(map, "how");
	if (n && !node_word(n, "a way to share", hows, 3, &word, b->diag))
		m->how = (enum dmm_how)word;
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
	[PROC_OPEN] = "open",	      [PROC_SEND] = "send",
	[PROC_FETCH] = "fetch",	      [PROC_STORE] = "store",
	[PROC_OVERFLOW] = "overflow", [PROC_QUIESCE] = "quiesce",
	[PROC_SAVE] = "save",	      [PROC_SCRUB] = "scrub",
	[PROC_RESTORE] = "restore",   [PROC_FORCE] = "force",
	[PROC_DEMAND] = "demand",
};

#define PROC_FLAGS                                                     \
	(SCOPE_VOLATILE | SCOPE_DEVICE | SCOPE_PARAMS | SCOPE_STATES | \
	 SCOPE_SHADOW)

static struct proc_step *new_step(struct build *b, struct diag_pos pos)
{
	struct dmm_model *m = b->m;

	if (build_full(b, pos, "steps of procedures", m->steps,
		       MODEL_MAX_STEPS))
		return NULL;
	m->step[m->steps] = (struct proc_step){ .pos = pos, .reg = MODEL_NONE };
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
	if (!list ||
	    node_expect(list, NODE_SEQ, "a list of registers", b->diag))
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
	struct proc_step *st;
	struct target t;

	if (node_expect(node, NODE_SCALAR, "a step", b->diag) ||
	    !(st = new_step(b, node->pos)))
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
	if ((st->kind == STEP_WRITE || st->kind == STEP_OUT) &&
	    !b->m->reg[t.reg].writable)
		diag_error(b->diag, n->pos,
			   DIAG_DIRECTION "%s cannot be written", n->text);
	if ((st->kind == STEP_READ || st->kind == STEP_IN) &&
	    !b->m->reg[t.reg].readable)
		diag_error(b->diag, n->pos, DIAG_DIRECTION "%s cannot be read",
			   n->text);
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
	if (n && (st->kind == STEP_WAIT || st->kind == STEP_PUT))
		diag_error(b->diag, n->pos,
			   DIAG_NOT_BOTH "a wait and a put have their value "
					 "already");
	else if (n)
		st->value = build_expr(b, n, PROC_FLAGS, NULL);
	if (st->kind == STEP_WRITE && !n)
		diag_error(b->diag, node->pos,
			   DIAG_MISSING "what value is written?");
	n = node_get(node, "width");
	if (n && node_u64(n, "a width in bits", 32, &v, b->diag))
		return;
	if (v != 8 && v != 16 && v != 32)
		diag_error(b->diag, n->pos,
			   DIAG_VALUE "a width is 8, 16 or 32 bits");
	st->width = (uint8_t)(v / 8);
	n = node_get(node, "timeout");
	if (n)
		(void)!node_time(n, "a time", &st->timeout_ns, b->diag);
	if (st->kind == STEP_WAIT && !n)
		diag_error(b->diag, node->pos,
			   DIAG_MISSING "a wait needs a timeout of at most 1s");
	if (st->timeout_ns > 1000000000)
		diag_error(b->diag, n->pos,
			   DIAG_RANGE "a wait needs a timeout of at most 1s");
	n = node_get(node, "late");
	if (n &&
	    !node_word(n, "what a late answer is", late, 1, &word, b->diag))
		st->late_ok = true;
	n = node_get(node, "if");
	if (n)
		st->cond = build_expr(b, n, PROC_FLAGS, NULL);
}

/* The bytes at hand are there in some procedures only. */
static bool step_belongs(struct build *b, const struct node *node,
			 enum step_kind kind, enum proc proc)
{
	static const struct {
		enum step_kind kind;
		enum proc proc;
		const char *name;
	} places[] = {
		{ STEP_PUT, PROC_SEND, "put" },
		{ STEP_OUT, PROC_STORE, "out" },
		{ STEP_IN, PROC_FETCH, "in" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(places); i++) {
		if (places[i].kind != kind || places[i].proc == proc)
			continue;
		diag_error(b->diag, node->pos,
			   DIAG_FITS
			   "\"%s\" has bytes to move only in procedure %s",
			   places[i].name, proc_names[places[i].proc]);
		return false;
	}
	return true;
}

static void step_map(struct build *b, const struct node *node, enum proc proc)
{
	static const char *const keys[] = {
		"write",  "read",  "wait",  "fill",    "out",  "in", "put",
		"allBut", "value", "width", "timeout", "late", "if"
	};
	static const uint8_t kinds[] = { STEP_WRITE, STEP_READ, STEP_WAIT,
					 STEP_FILL,  STEP_OUT,	STEP_IN,
					 STEP_PUT,   STEP_ALL };
	const struct node *what = NULL;
	struct proc_step *st;
	size_t i, k = 0;

	if (node_known(node, "a step", keys, ARRAY_LEN(keys), b->diag))
		return;
	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!node_get(node, keys[i]))
			continue;
		if (what)
			diag_error(b->diag, node->pos,
				   DIAG_NOT_BOTH
				   "a step does one thing, not \"%s\" and "
				   "\"%s\"",
				   keys[k], keys[i]);
		what = node_get(node, keys[i]);
		k = i;
	}
	if (what && !step_belongs(b, node, kinds[k], proc))
		return;
	if (!what) {
		diag_error(b->diag, node->pos,
			   DIAG_MISSING "what does this step do?");
		diag_advise(b->diag, "write, read, wait, fill, put, out, in, "
				     "allBut, all, or a register's name");
		return;
	}
	st = new_step(b, node->pos);
	if (!st)
		return;
	st->kind = kinds[k];
	if (st->kind == STEP_ALL)
		step_all_but(b, what, st);
	step_rest(b, node, st, what);
}

void build_procedures(struct build *b, const struct node *root)
{
	const struct node *map = map_of(b, root, "procedures", proc_names,
					PROCS),
			  *list;
	unsigned int i;
	size_t k;

	for (i = 0; map && i < PROCS; i++) {
		list = node_get(map, proc_names[i]);
		b->m->proc[i].first = b->m->steps;
		if (!list ||
		    node_expect(list, NODE_SEQ, "a list of steps", b->diag))
			continue;
		for (k = 0; k < list->n; k++) {
			if (list->at[k]->kind == NODE_SCALAR)
				step_word(b, list->at[k]);
			else if (!node_expect(list->at[k], NODE_MAP, "a step",
					      b->diag))
				step_map(b, list->at[k], (enum proc)i);
		}
		b->m->proc[i].n = (uint16_t)(b->m->steps - b->m->proc[i].first);
	}
}
