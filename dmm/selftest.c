// SPDX-License-Identifier: MIT
/*
 * selftest.c: the tests that a model carries: events in, states and verdicts
 * out.
 *
 *   - name: a frame goes out
 *     events: [ write TPSR 0x40, { tx: busy }, device CR 0x22, poll ]
 *
 * A scalar is an event: `write R V`, `read R`, `poll`, `device R V` (what the
 * device will say), or `memory A V` (four bytes of the guest's at A).  A mapping is what must hold after the event before
 * it: machines and their states, `refused: CHECK`, `denied: R`, `value: V` of
 * the last read, or a register and its latch.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "mon.h"

struct selftest {
	const struct dmm_model *m;
	struct dmm *dmm;
	struct diag *diag;
	uint64_t *device;	      /* slots: what the device says */
	uint64_t *wrote;	      /* slots: what it was told */
	const char *refused, *denied; /* by the last event */
	uint64_t value;		      /* of the last read */
	uint8_t *memory;	      /* the guest's */
};

/* ---- a device that says what the test told it to ---- */

/* Its banks are as they were written last. */
static const struct plan_entry *entry_at(const struct selftest *t,
					 unsigned int space, uint64_t off,
					 bool write)
{
	return plan_find(t->m, space, off, write, t->wrote);
}

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	const struct selftest *t = ctx;
	unsigned int i, grain = t->m->space[space].grain;
	const struct plan_entry *e;
	uint64_t v = 0;

	for (i = 0; i < width; i += grain) {
		e = entry_at(t, space, off + i, false);
		if (e)
			v |= (t->device[e->slot] >> 8 * e->byte &
			      cc_ones(8 * grain))
			     << 8 * i;
	}
	return v & cc_ones(8 * width);
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct selftest *t = ctx;
	unsigned int i, grain = t->m->space[space].grain;
	const struct plan_entry *e;
	uint64_t mask;

	for (i = 0; i < width; i += grain) {
		e = entry_at(t, space, off + i, true);
		if (!e)
			continue;
		mask = cc_ones(8 * grain) << 8 * e->byte;
		t->wrote[e->slot] = (t->wrote[e->slot] & ~mask) |
				    (value >> 8 * i << 8 * e->byte & mask);
	}
}

static void host_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	(void)ctx, (void)space, (void)off;
	memset(to, 0, n * width);
}

static void host_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	(void)ctx, (void)space, (void)off, (void)width, (void)from, (void)n;
}

static void host_report(void *ctx, const struct dmm_report *r)
{
	struct selftest *t = ctx;

	if (r->offence == DMM_REFUSED || r->offence == DMM_SPOOFED)
		t->refused = r->name;
	if (r->offence == DMM_DENIED)
		t->denied = r->name;
}

/* The guest of a test has this much memory, from 0. */
#define MEMORY 65536u

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	(void)ctx, (void)guest;
	*iova = gpa;
	return cc_within(gpa, len, 0, MEMORY) ? 0 : -EFAULT;
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	struct selftest *t = ctx;

	(void)guest;
	if (!cc_within(gpa, len, 0, MEMORY))
		return -EFAULT;
	memcpy(to, t->memory + gpa, len);
	return 0;
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	struct selftest *t = ctx;

	(void)guest;
	if (!cc_within(gpa, len, 0, MEMORY))
		return -EFAULT;
	memcpy(t->memory + gpa, from, len);
	return 0;
}

static const struct dmm_host host = {
	.read = host_read,
	.write = host_write,
	.read_string = host_read_string,
	.write_string = host_write_string,
	.report = host_report,
	.translate = host_translate,
	.read_mem = host_read_mem,
	.write_mem = host_write_mem,
};

/* ---- events ---- */

/* The word (text) of an event as a number. */
static bool number(struct selftest *t, const struct node *at, const char *text,
		   uint64_t *out)
{
	struct node word = { .kind = NODE_SCALAR,
			     .pos = at->pos,
			     .text = text };

	return !node_u64(&word, "a value", UINT64_MAX, out, t->diag);
}

static bool find_slot(struct selftest *t, const struct node *at,
		      const char *name, const struct reg **reg,
		      unsigned int *slot)
{
	char base[64] = "", *end;
	size_t n = strcspn(name, "[");
	unsigned long index = 0;
	unsigned int i;

	if (n < sizeof(base))
		memcpy(base, name, n);
	i = model_reg(t->m, base);
	if (name[n]) {
		index = strtoul(name + n + 1, &end, 10);
		if (end == name + n + 1 || strcmp(end, "]"))
			i = MODEL_NONE;
	}
	if (i == MODEL_NONE) {
		diag_error(t->diag, at->pos,
			   DIAG_TEST "no register is called \"%s\"", name);
		return false;
	}
	*reg = &t->m->reg[i];
	if (index >= (*reg)->dim) {
		diag_error(t->diag, at->pos,
			   DIAG_TEST "%s has elements 0 to %u, not %lu", base,
			   (*reg)->dim - 1u, index);
		return false;
	}
	*slot = (*reg)->slot + (unsigned int)index;
	return true;
}

/* The register's place in the bank that is selected; NULL: there is none. */
static const struct place *place_now(const struct selftest *t,
				     const struct reg *reg, bool write)
{
	const uint64_t *regs = t->dmm->guest[0].reg;
	struct expr_env env = { .array = { [EXPR_REG] = regs } };
	const struct place *pl;
	unsigned int i;

	for (i = 0; i < reg->places; i++) {
		pl = &t->m->place[reg->place + i];
		if ((write ? pl->write : pl->read) &&
		    (!pl->cond || expr_eval(pl->cond, &env, NULL)))
			return pl;
	}
	return NULL;
}

static bool access_reg(struct selftest *t, const struct node *at,
		       const char *name, bool write, uint64_t value)
{
	struct dmm_access a = { .count = 1, .write = write };
	const struct place *pl;
	const struct reg *reg;
	unsigned int slot, i, width;
	uint8_t data[8];

	if (!find_slot(t, at, name, &reg, &slot))
		return false;
	pl = place_now(t, reg, write);
	if (!pl) {
		diag_error(t->diag, at->pos,
			   DIAG_TEST "%s is not in the selected bank", name);
		return false;
	}
	a.space = pl->space;
	t->value = 0;
	for (i = 0; i < reg->bits / 8u; i += width) {
		width = card_width(t->dmm, pl, reg, reg->bits / 8u - i);
		a.width = (uint8_t)width;
		a.off = pl->off + (slot - reg->slot) * pl->step + i;
		a.done = 0;
		a.data = data;
		memset(data, 0, sizeof(data));
		for (unsigned int k = 0; write && k < width; k++)
			data[k] = (uint8_t)(value >> 8 * (i + k));
		dmm_access(t->dmm, 0, &a);
		for (unsigned int k = 0; k < width; k++)
			t->value |= (uint64_t)data[k] << 8 * (i + k);
	}
	return true;
}

/* "VERB NAME VALUE" in (text), cut in place; a fourth word is one too many. */
static unsigned int cut(char *text, char *word[4])
{
	unsigned int n = 0;

	for (char *p = text; *p && n < 4;) {
		word[n++] = p;
		p += strcspn(p, " ");
		while (*p == ' ')
			*p++ = '\0';
	}
	return n;
}

/* Four bytes of the guest's memory. */
static bool poke(struct selftest *t, const struct node *node, uint64_t at,
		 uint64_t v)
{
	uint32_t bytes = (uint32_t)v;

	if (v <= UINT32_MAX && !host_write_mem(t, 0, at, &bytes, 4))
		return true;
	diag_error(t->diag, node->pos,
		   DIAG_TEST
		   "the guest of a test has %u bytes of memory, and 4 of them "
		   "are written",
		   MEMORY);
	return false;
}

static bool run_event(struct selftest *t, const struct node *node)
{
	char text[128], *word[4] = { NULL };
	const struct reg *reg;
	unsigned int n = 0, slot;
	uint64_t v = 0, at = 0;

	if (strlen(node->text) < sizeof(text)) {
		strcpy(text, node->text);
		n = cut(text, word);
	}
	t->refused = t->denied = NULL;
	if (n == 1 && strcmp(word[0], "poll") == 0) {
		step_poll(t->dmm, 0, false);
		return true;
	}
	if (n == 2 && strcmp(word[0], "read") == 0)
		return access_reg(t, node, word[1], false, 0);
	if (n == 3 && strcmp(word[0], "write") == 0)
		return number(t, node, word[2], &v) &&
		       access_reg(t, node, word[1], true, v);
	if (n == 3 && strcmp(word[0], "memory") == 0)
		return number(t, node, word[1], &at) &&
		       number(t, node, word[2], &v) && poke(t, node, at, v);
	if (n == 3 && strcmp(word[0], "device") == 0) {
		if (!number(t, node, word[2], &v) ||
		    !find_slot(t, node, word[1], &reg, &slot))
			return false;
		t->device[slot] = v;
		return true;
	}
	diag_error(t->diag, node->pos,
		   DIAG_TEST "\"%s\" is not an event of a test", node->text);
	diag_advise(t->diag, "an event is write R V, read R, device R V, "
			     "memory A V or poll");
	return false;
}

/* ---- what must hold ---- */

static bool same(struct selftest *t, const struct node *at, const char *what,
		 const char *is, const char *want)
{
	if (is && strcmp(is, want) == 0)
		return true;
	diag_error(t->diag, at->pos, DIAG_TEST "%s is %s, not %s", what,
		   is ? is : "nothing", want);
	return false;
}

static bool run_expect(struct selftest *t, const struct node *key,
		       const struct node *value)
{
	const struct reg *reg;
	unsigned int slot;
	const char *state;
	uint64_t v, is;

	if (node_is(key, "refused"))
		return same(t, key, "the check that refused", t->refused,
			    value->text);
	if (node_is(key, "denied"))
		return same(t, key, "the register denied", t->denied,
			    value->text);
	state = dmm_state(t->dmm, 0, key->text);
	if (state)
		return same(t, key, key->text, state, value->text);
	is = t->value;
	if (!node_is(key, "value")) {
		if (!find_slot(t, key, key->text, &reg, &slot))
			return false;
		is = t->dmm->guest[0].reg[slot];
	}
	if (node_u64(value, "a value", UINT64_MAX, &v, t->diag))
		return false;
	if (v != is)
		diag_error(t->diag, key->pos,
			   DIAG_TEST "%s is 0x%llx, not 0x%llx", key->text,
			   (unsigned long long)is, (unsigned long long)v);
	return v == is;
}

static bool run_events(struct selftest *t, const struct node *events)
{
	const struct node *e;
	size_t i, k;

	for (i = 0; i < events->n; i++) {
		e = events->at[i];
		if (e->kind == NODE_SCALAR && !run_event(t, e))
			return false;
		for (k = 0; e->kind == NODE_MAP && k < e->n; k++)
			if (!run_expect(t, e->key[k], e->at[k]))
				return false;
	}
	return true;
}

/* 0 with (*ok), or -errno. */
static int run_one(const struct dmm_model *m, const struct node *test,
		   struct diag *diag, bool *ok)
{
	struct dmm_conf conf = { .how = DMM_EXCLUSIVE, .guests = 1 };
	struct selftest t = { .m = m, .diag = diag };
	struct dmm_host h = host;
	const struct node *events = node_get(test, "events");
	char *why = NULL;
	unsigned int i;
	int err = 0;

	*ok = false;
	t.device = calloc(2 * m->slots + 1u, sizeof(*t.device));
	t.memory = calloc(1, MEMORY);
	conf.area.size = dmm_model_area(m);
	conf.area.host = calloc(1, conf.area.size + 1);
	if (!t.device || !t.memory || !conf.area.host) {
		free(t.device);
		free(t.memory);
		free(conf.area.host);
		return -ENOMEM;
	}
	t.wrote = t.device + m->slots;
	/* a device that is at rest, and done with all that it is asked for */
	for (i = 0; i < m->slots; i++)
		t.device[i] = UINT64_MAX;
	for (i = 0; i < m->regs; i++)
		for (unsigned int k = 0; k < m->reg[i].dim; k++)
			t.wrote[m->reg[i].slot + k] = m->reg[i].reset;
	h.ctx = &t;
	err = dmm_open(&t.dmm, m, &conf, &h, &why);
	if (!err)
		*ok = run_events(&t, events);
	else if (why)
		diag_error(diag, test->pos, DIAG_TEST "%s", why);
	free(why);
	dmm_close(t.dmm);
	free(t.device);
	free(t.memory);
	free(conf.area.host);
	return err == -ENOMEM ? err : 0;
}

static bool test_shape(const struct node *test, struct diag *diag)
{
	static const char *const keys[] = { "name", "events" };
	const struct node *name, *events;
	size_t i;

	if (node_expect(test, NODE_MAP, "a test", diag) ||
	    node_known(test, "a test", keys, 2, diag))
		return false;
	name = node_get(test, "name");
	if (name && node_expect(name, NODE_SCALAR, "a name", diag))
		return false;
	events = node_get(test, "events");
	if (!events)
		diag_error(diag, test->pos, DIAG_MISSING "a test needs events");
	if (!events || node_expect(events, NODE_SEQ, "a list of events", diag))
		return false;
	for (i = 0; i < events->n; i++) {
		const struct node *e = events->at[i];

		for (size_t k = 0; e->kind == NODE_MAP && k < e->n; k++)
			if (node_expect(e->at[k], NODE_SCALAR, "what must hold",
					diag))
				return false;
		if (e->kind != NODE_MAP &&
		    node_expect(e, NODE_SCALAR, "an event or what must hold",
				diag))
			return false;
	}
	return true;
}

void build_tests(struct build *b, const struct node *root)
{
	const struct node *tests = node_get(root, "tests");
	size_t i;

	if (!tests || node_expect(tests, NODE_SEQ, "a list of tests", b->diag))
		return;
	for (i = 0; i < tests->n; i++)
		(void)!test_shape(tests->at[i], b->diag);
	b->m->tests = tests;
}

int dmm_model_test(const struct dmm_model *model, struct diag *diag,
		   unsigned int *passed, unsigned int *failed)
{
	const struct node *tests = model->tests;
	bool ok;
	size_t i;
	int err;

	*passed = *failed = 0;
	if (!tests)
		return 0;
	for (i = 0; i < tests->n; i++) {
		err = run_one(model, tests->at[i], diag, &ok);
		if (err)
			return err;
		*(ok ? passed : failed) += 1;
	}
	return *failed ? -EINVAL : 0;
}
