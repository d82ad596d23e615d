// SPDX-License-Identifier: MIT
/*
 * rules.c: the compiler's second part: memories of the card, checks, and the
 * machines with their rules.
 */

#include <string.h>

#include "build.h"

/* ---- memories ---- */

#define MEMORY_PAGE 256u /* what is saved, restored and scrubbed at once */

static const char *const memory_keys[] = { "start", "size", "port", "answer",
					   "isolate" };

static void build_memory(struct build *b, const struct node *key,
			 const struct node *node)
{
	static const char *const answers[] = { "identity" };
	static const char *const isolate[] = { "scrub" };
	struct dmm_model *m = b->m;
	struct memory mem = { .name = key->text, .pos = key->pos };
	const struct node *n;
	uint64_t start, size;
	unsigned int word;

	if (node_expect(node, NODE_MAP, "a memory", b->diag) ||
	    node_known(node, "a memory", memory_keys, ARRAY_LEN(memory_keys),
		       b->diag) ||
	    build_full(b, key->pos, "memories", m->memories,
		       MODEL_MAX_MEMORIES))
		return;
	if (!node_get(node, "start") || !node_get(node, "size") ||
	    !node_get(node, "port")) {
		diag_error(b->diag, key->pos,
			   DIAG_MISSING "a memory needs start, size and port");
		return;
	}
	mem.port = build_reg(b, node_get(node, "port"), "a data port");
	if (node_u64(node_get(node, "start"), "an address on the card",
		     MODEL_MAX_MEMORY_BYTES, &start, b->diag) ||
	    node_size(node_get(node, "size"), "a size in bytes", &size,
		      b->diag) ||
	    mem.port == MODEL_NONE)
		return;
	if (size == 0 || size > MODEL_MAX_MEMORY_BYTES) {
		diag_error(b->diag, key->pos,
			   DIAG_RANGE "a memory has 1 byte to 1M");
		return;
	}
	n = node_get(node, "answer");
	if (n && !node_word(n, "who answers", answers, 1, &word, b->diag))
		mem.identity = true;
	if (!mem.identity && (start % MEMORY_PAGE || size % MEMORY_PAGE))
		diag_error(b->diag, key->pos,
			   DIAG_ALIGN
			   "a memory that guests write is of whole pages of "
			   "%u bytes",
			   MEMORY_PAGE);
	n = node_get(node, "isolate");
	if (n && !node_word(n, "how to isolate", isolate, 1, &word, b->diag))
		mem.scrub = true;
	for (word = 0; word < m->memories; word++)
		if (start < m->memory[word].start + m->memory[word].size &&
		    m->memory[word].start < start + size)
			diag_error(b->diag, key->pos,
				   DIAG_OVERLAP "memory %s overlaps %s",
				   mem.name, m->memory[word].name);
	mem.start = (uint32_t)start;
	mem.size = (uint32_t)size;
	mem.copy = m->memory_bytes;
	if (m->reg[mem.port].port_memory == MODEL_NONE)
		m->reg[mem.port].port_memory = m->memories;
	m->memory_bytes += (mem.size + 255u) & ~255u;
	m->memory[m->memories++] = mem;
}

void build_memories(struct build *b, const struct node *root)
{
	const struct node *map = node_get(root, "memories");
	size_t i;

	if (!map || node_expect(map, NODE_MAP, "the memories", b->diag))
		return;
	for (i = 0; i < map->n; i++)
		build_memory(b, map->key[i], map->at[i]);
}

/* ---- checks ---- */

static const char *const check_keys[] = { "memory",  "start", "length",
					  "wrap",    "port",  "address",
					  "refused", "done",  "frame" };

static bool check_memories(struct build *b, const struct node *n,
			   struct check *c)
{
	const struct node *one = n;
	unsigned int i;
	size_t k;

	if (!n || (n->kind == NODE_SEQ && n->n == 0)) {
		diag_error(b->diag, c->pos,
			   DIAG_MISSING "check %s needs a memory", c->name);
		return false;
	}
	for (k = 0; k < (n->kind == NODE_SEQ ? n->n : 1); k++) {
		if (n->kind == NODE_SEQ)
			one = n->at[k];
		if (node_expect(one, NODE_SCALAR, "a memory", b->diag))
			return false;
		for (i = 0; i < b->m->memories; i++)
			if (node_is(one, b->m->memory[i].name))
				break;
		if (i == b->m->memories) {
			build_unknown(b, one->pos, "memory", one->text,
				      &b->m->memory[0].name, b->m->memories,
				      sizeof(b->m->memory[0]));
			return false;
		}
		c->memories |= 1u << i;
	}
	return true;
}

static void check_wrap(struct build *b, const struct node *n, struct check *c)
{
	static const char *const keys[] = { "from", "to" };

	if (!n || node_expect(n, NODE_MAP, "from and to", b->diag) ||
	    node_known(n, "a wrap", keys, 2, b->diag))
		return;
	if (!node_get(n, "from") || !node_get(n, "to")) {
		diag_error(b->diag, n->pos,
			   DIAG_MISSING "a wrap needs from and to");
		return;
	}
	c->wrap_from = build_expr(b, node_get(n, "from"), 0, NULL);
	c->wrap_to = build_expr(b, node_get(n, "to"), 0, NULL);
}

static void check_refused(struct build *b, const struct node *n,
			  struct check *c)
{
	static const char *const keys[] = { "ignore", "abort" };
	unsigned int i;

	if (!n ||
	    node_expect(n, NODE_MAP, "what a refusal looks like", b->diag) ||
	    node_known(n, "refused", keys, 2, b->diag))
		return;
	for (i = 0; i < 2; i++)
		c->refused[i] =
			build_sets(b, node_get(n, keys[i]), SCOPE_VOLATILE);
}

/* A transfer is counted at a port that all its memories are behind. */
static void check_port(struct build *b, const struct node *n, struct check *c)
{
	const struct dmm_model *m = b->m;
	unsigned int i;

	if (!n)
		return;
	c->port = build_reg(b, n, "a data port");
	for (i = 0; c->port != MODEL_NONE && i < m->memories; i++) {
		if (!(c->memories & 1u << i) || m->memory[i].port == c->port)
			continue;
		diag_error(b->diag, n->pos, DIAG_FITS "%s is not behind %s",
			   m->memory[i].name, m->reg[c->port].name);
		return;
	}
}

static void build_check(struct build *b, const struct node *key,
			const struct node *node)
{
	struct check *c = &b->m->check[b->m->checks];
	const struct node *n;

	if (build_full(b, key->pos, "checks", b->m->checks, MODEL_MAX_CHECKS) ||
	    node_expect(node, NODE_MAP, "a check", b->diag))
		return;
	(void)!node_known(node, "a check", check_keys, ARRAY_LEN(check_keys),
			  b->diag);
	*c = (struct check){ .name = key->text,
			     .pos = key->pos,
			     .port = MODEL_NONE,
			     .address = MODEL_NONE };
	b->m->checks++;
	if (!check_memories(b, node_get(node, "memory"), c))
		return;
	if (!node_get(node, "start") || !node_get(node, "length")) {
		diag_error(b->diag, key->pos,
			   DIAG_MISSING "a check needs start and length");
		return;
	}
	c->start = build_expr(b, node_get(node, "start"), 0, NULL);
	c->length = build_expr(b, node_get(node, "length"), 0, NULL);
	check_wrap(b, node_get(node, "wrap"), c);
	check_port(b, node_get(node, "port"), c);
	n = node_get(node, "address");
	if (n)
		c->address = build_reg(b, n, "a register");
	n = node_get(node, "frame");
	if (n)
		(void)!node_bool(n, "true or false", &c->frame, b->diag);
	check_refused(b, node_get(node, "refused"), c);
	c->done = build_sets(b, node_get(node, "done"), SCOPE_VOLATILE);
}

void build_checks(struct build *b, const struct node *root)
{
	const struct node *map = node_get(root, "checks");
	size_t i;

	if (!map || node_expect(map, NODE_MAP, "the checks", b->diag))
		return;
	for (i = 0; i < map->n; i++)
		build_check(b, map->key[i], map->at[i]);
}

/* ---- rules ---- */

static const char *const rule_keys[] = { "on", "when", "check", "then",
					 "do", "to",   "forget" };
static const char *const then_words[] = { "pass", "answer", "hold", "deny",
					  "stop" };

static uint16_t find_check(struct build *b, const char *name,
			   struct diag_pos pos)
{
	unsigned int i;

	for (i = 0; i < b->m->checks; i++)
		if (strcmp(b->m->check[i].name, name) == 0)
			return (uint16_t)i;
	build_unknown(b, pos, "check", name, &b->m->check[0].name, b->m->checks,
		      sizeof(b->m->check[0]));
	return MODEL_NONE;
}

static void rule_checks(struct build *b, const struct node *n, struct rule *r)
{
	const struct node *one = n;
	uint16_t check;
	size_t i;

	for (i = 0; n && i < (n->kind == NODE_SEQ ? n->n : 1); i++) {
		if (n->kind == NODE_SEQ)
			one = n->at[i];
		if (node_expect(one, NODE_SCALAR, "a check", b->diag))
			continue;
		check = build_find_ring(b, one->text);
		if (check != MODEL_NONE) {
			r->rings |= 1u << check;
			continue;
		}
		for (check = 0; check < b->m->blocks; check++)
			if (node_is(one, b->m->block[check].form.name))
				break;
		if (check < b->m->blocks) {
			r->blocks |= (uint8_t)(1u << check);
			continue;
		}
		check = find_check(b, one->text, one->pos);
		if (check != MODEL_NONE)
			r->checks |= 1u << check;
	}
}

static void rule_do(struct build *b, const struct node *n, struct rule *r)
{
	unsigned int flags = SCOPE_VOLATILE |
			     (r->on == ON_WRITE ? SCOPE_VALUE : 0) |
			     (r->on == ON_POLL ? SCOPE_DEVICE : 0);
	const struct reg *reg = r->on == ON_WRITE ? &b->m->reg[r->reg] : NULL;

	if (!n)
		return;
	if (node_is(n, "reset"))
		r->reset = true;
	else if (n->kind == NODE_MAP)
		r->sets = build_event_sets(b, n, flags, reg);
	else
		diag_error(b->diag, n->pos,
			   DIAG_TYPE
			   "expected reset, or registers and their values");
}

static void rule_to(struct build *b, const struct node *n,
		    const struct machine *mc, struct rule *r)
{
	unsigned int i;

	r->to = MODEL_NONE;
	if (!n || node_expect(n, NODE_SCALAR, "a state", b->diag))
		return;
	for (i = mc->states.first; i < mc->states.first + mc->states.n; i++)
		if (node_is(n, b->m->state[i].name))
			r->to = (uint16_t)i;
	if (r->to == MODEL_NONE)
		build_unknown(b, n->pos, "state of this machine", n->text,
			      &b->m->state[mc->states.first].name, mc->states.n,
			      sizeof(b->m->state[0]));
}

/* What is judged and what is checked is an access, and a check's a write. */
static void rule_fits(struct build *b, const struct node *node,
		      const struct rule *r)
{
	const struct node *then = node_get(node, "then");
	const struct node *check = node_get(node, "check");

	if (then && (r->on == ON_END || r->on == ON_POLL))
		diag_error(b->diag, then->pos,
			   DIAG_FITS
			   "a verdict is on an access: read, write or access");
	if (check && r->on != ON_WRITE)
		diag_error(b->diag, check->pos,
			   DIAG_FITS "a check goes with a write");
	if (r->on == ON_END && b->m->check[r->reg].port == MODEL_NONE)
		diag_error(b->diag, node->pos,
			   DIAG_NEVER
			   "%s has no port to be counted at, so it never ends",
			   b->m->check[r->reg].name);
}

/* One rule for one event, all else as in (r). */
static void add_rule(struct build *b, const struct node *node,
		     const struct machine *mc, struct rule r)
{
	struct dmm_model *m = b->m;
	const struct reg *reg = NULL;
	const struct node *n;
	unsigned int word, flags = SCOPE_STATES;

	if (build_full(b, node->pos, "rules", m->rules, MODEL_MAX_RULES))
		return;
	if (r.on == ON_READ || r.on == ON_WRITE)
		reg = &m->reg[r.reg];
	if (r.on == ON_WRITE)
		flags |= SCOPE_VALUE;
	if (r.on == ON_POLL)
		flags |= SCOPE_DEVICE | SCOPE_IDLE;
	n = node_get(node, "when");
	if (n)
		r.when = build_expr(b, n, flags, reg);
	rule_checks(b, node_get(node, "check"), &r);
	r.forgets = build_ring_set(b, node_get(node, "forget"));
	rule_do(b, node_get(node, "do"), &r);
	rule_to(b, node_get(node, "to"), mc, &r);
	n = node_get(node, "then");
	if (n && !node_word(n, "a verdict", then_words, ARRAY_LEN(then_words),
			    &word, b->diag))
		r.then = (uint8_t)word;
	rule_fits(b, node, &r);
	if (reg)
		m->reg[r.reg].hooks[r.on == ON_WRITE] |= 1u
							 << (mc - m->machine);
	m->rule[m->rules++] = r;
}

static bool next_word(const char **p, char word[64])
{
	size_t n;

	while (**p == ' ')
		(*p)++;
	n = strcspn(*p, " ");
	if (n == 0 || n >= 64)
		return false;
	memcpy(word, *p, n);
	word[n] = '\0';
	*p += n;
	return true;
}

static void bad_event(struct build *b, const struct node *on)
{
	diag_error(b->diag, on->pos, DIAG_FORM "\"%s\" is not an event",
		   on->text);
	diag_advise(b->diag, "an event is read R, write R, access R, "
			     "end CHECK or poll");
}

/* Where (word), which ends at (p), stands in the file. */
static struct diag_pos word_pos(const struct node *on, const char *p,
				const char *word)
{
	struct diag_pos pos = on->pos;

	if (pos.column)
		pos.column += (uint32_t)(p - on->text) -
			      (uint32_t)strlen(word) + on->quoted;
	return pos;
}

/* "write CR BNRY": a rule for each register, and each direction. */
static void rule_registers(struct build *b, const struct node *node,
			   const struct node *on, const struct machine *mc,
			   const char *p, bool read, bool write)
{
	struct rule r = { .pos = node->pos };
	unsigned int errors = b->diag->errors;
	const struct reg *reg;
	struct target t;
	char word[64];
	bool any = false;

	/* what is wrong in a rule is said once, not for each register */
	for (; next_word(&p, word) && b->diag->errors == errors; any = true) {
		struct diag_pos pos = word_pos(on, p, word);

		if (!build_target(b, word, pos, &t))
			continue;
		reg = &b->m->reg[t.reg];
		r.reg = t.reg;
		if (!t.whole) {
			diag_error(b->diag, pos,
				   DIAG_FITS
				   "an event is of a whole register, not of %s",
				   word);
			diag_advise(b->diag, "say which part of the value "
					     "matters in \"when:\"");
			continue;
		}
		if ((write && !read && !reg->writable) ||
		    (read && !write && !reg->readable)) {
			diag_error(b->diag, pos,
				   DIAG_DIRECTION "%s has no place to %s", word,
				   write ? "write" : "read");
			diag_advise(b->diag, "so this rule can never fire");
			continue;
		}
		if (read && reg->readable) {
			r.on = ON_READ;
			add_rule(b, node, mc, r);
		}
		if (write && reg->writable && b->diag->errors == errors) {
			r.on = ON_WRITE;
			add_rule(b, node, mc, r);
		}
	}
	if (!any)
		bad_event(b, on);
}

static void build_rule(struct build *b, const struct node *node,
		       const struct machine *mc)
{
	struct rule r = { .pos = node->pos };
	const struct node *on;
	const char *p;
	char word[64];

	if (node_expect(node, NODE_MAP, "a rule", b->diag))
		return;
	(void)!node_known(node, "a rule", rule_keys, ARRAY_LEN(rule_keys),
			  b->diag);
	on = node_get(node, "on");
	if (!on) {
		diag_error(b->diag, node->pos,
			   DIAG_MISSING "a rule needs \"on:\"");
		return;
	}
	if (node_expect(on, NODE_SCALAR, "an event", b->diag))
		return;
	p = on->text;
	if (!next_word(&p, word)) {
		bad_event(b, on);
	} else if (strcmp(word, "poll") == 0 && !*p) {
		r.on = ON_POLL;
		add_rule(b, node, mc, r);
	} else if (strcmp(word, "end") == 0) {
		if (!next_word(&p, word) || *p) {
			bad_event(b, on);
			return;
		}
		r.on = ON_END;
		r.reg = find_check(b, word, word_pos(on, p, word));
		if (r.reg != MODEL_NONE)
			add_rule(b, node, mc, r);
	} else if (strcmp(word, "read") == 0) {
		rule_registers(b, node, on, mc, p, true, false);
	} else if (strcmp(word, "write") == 0) {
		rule_registers(b, node, on, mc, p, false, true);
	} else if (strcmp(word, "access") == 0) {
		rule_registers(b, node, on, mc, p, true, true);
	} else {
		bad_event(b, on);
	}
}

/* ---- machines ---- */

/* The names first, so that a rule may name a state that comes later. */
static void declare_states(struct build *b, const struct node *map,
			   struct machine *mc)
{
	struct dmm_model *m = b->m;
	size_t i;

	mc->states.first = m->states;
	for (i = 0; i < map->n; i++) {
		if (build_full(b, map->key[i]->pos, "states", m->states,
			       MODEL_MAX_STATES))
			return;
		m->state[m->states++] =
			(struct state){ .name = map->key[i]->text,
					.pos = map->key[i]->pos };
		mc->states.n++;
	}
	if (map->n == 0)
		diag_error(b->diag, mc->pos,
			   DIAG_MISSING "machine %s has no state", mc->name);
}

static void build_states(struct build *b, const struct node *map,
			 const struct machine *mc)
{
	struct state *st;
	size_t i, k;

	for (i = 0; i < mc->states.n; i++) {
		st = &b->m->state[mc->states.first + i];
		st->rules.first = b->m->rules;
		if (node_expect(map->at[i], NODE_SEQ, "a list of rules",
				b->diag))
			continue;
		for (k = 0; k < map->at[i]->n; k++)
			build_rule(b, map->at[i]->at[k], mc);
		st->rules.n = (uint16_t)(b->m->rules - st->rules.first);
		for (k = 0; k < st->rules.n; k++)
			if (b->m->rule[st->rules.first + k].on == ON_POLL)
				st->polls = true;
	}
}

void build_machine_names(struct build *b, const struct node *root)
{
	const struct node *map = node_get(root, "machines");
	struct dmm_model *m = b->m;
	size_t i;

	if (!map || node_expect(map, NODE_MAP, "the machines", b->diag))
		return;
	for (i = 0; i < map->n; i++) {
		if (build_full(b, map->key[i]->pos, "machines", m->machines,
			       MODEL_MAX_MACHINES))
			break;
		if (node_expect(map->at[i], NODE_MAP, "the states of a machine",
				b->diag))
			continue;
		m->machine[m->machines].name = map->key[i]->text;
		m->machine[m->machines].pos = map->key[i]->pos;
		declare_states(b, map->at[i], &m->machine[m->machines]);
		m->machines++;
	}
}

void build_machines(struct build *b, const struct node *root)
{
	const struct node *map = node_get(root, "machines");
	unsigned int i = 0;
	size_t k;

	if (!map || map->kind != NODE_MAP)
		return;
	for (k = 0; k < map->n && i < b->m->machines; k++)
		if (map->at[k]->kind == NODE_MAP)
			build_states(b, map->at[k], &b->m->machine[i++]);
}
