/* SPDX-License-Identifier: MIT */
/*
 * test_expr.c: expressions: values, errors and their places, limits; and
 * expr_eval_known() held against expr_eval() on random programs.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dmm/expr.h"

#define POS ((struct diag_pos){ 7, 10 })

static uint64_t reg[4], state[2], event[EXPR_EVENTS];
static struct diag diag;

/* a, b, c, d: registers; tx, rx: machines, with states idle = 0, busy = 1 or
 * on = 0, idle = 2; value, width; q: asked, 0x50; none: asked, unknown;
 * sum: a + b; deep, high: built by the tests. */
static struct expr *sum, *high;

static int resolve(void *ctx, const char *name, int machine,
		   struct diag_pos pos, struct expr_operand *out,
		   struct diag *d)
{
	static const char *const asked[] = { "q", "none" };
	static const char *const events[] = { "value", "width" };

	(void)ctx;
	out->machine = -1;
	out->ins.k = UINT64_MAX;
	out->kind = EXPR_IS_LOAD;
	out->ins.op = EXPR_OP_LOAD;
	if (!name[1] && name[0] >= 'a' && name[0] <= 'd') {
		out->ins.array = EXPR_REG;
		out->ins.index = (uint16_t)(name[0] - 'a');
		return 0;
	}
	if (!strcmp(name, "a.F[3].G")) { /* bits 4 to 7 of a */
		out->ins.array = EXPR_REG;
		out->ins.shift = 4;
		out->ins.k = 15;
		return 0;
	}
	for (uint16_t i = 0; i < 2; i++) {
		if (!strcmp(name, events[i])) {
			out->ins.array = EXPR_EVENT;
			out->ins.index = i;
			return 0;
		}
		if (!strcmp(name, asked[i])) {
			out->kind = EXPR_IS_ASK;
			out->ins.op = EXPR_OP_ASK;
			out->ins.index = i;
			return 0;
		}
		if (!strcmp(name, i ? "rx" : "tx")) {
			out->ins.array = EXPR_STATE;
			out->ins.index = i;
			out->machine = i;
			return 0;
		}
	}
	out->ins = (struct expr_ins){ .op = EXPR_OP_CONST };
	out->kind = EXPR_IS_CONST;
	out->state = machine >= 0;
	if (!strcmp(name, "idle") && machine >= 0) {
		out->ins.k = machine ? 2 : 0;
		return 0;
	}
	if (!strcmp(name, "busy") && machine == 0) {
		out->ins.k = 1;
		return 0;
	}
	if (!strcmp(name, "sum") || !strcmp(name, "high")) {
		out->kind = EXPR_IS_EXPR;
		out->expr = *name == 's' ? sum : high;
		return 0;
	}
	return diag_error(d, pos, "no name \"%s\"", name);
}

static uint64_t ask(void *ctx, unsigned int index, bool *unknown)
{
	(void)ctx;
	if (index)
		*unknown = true;
	return index ? 0 : 0x50;
}

static const struct expr_env env = {
	.array = { [EXPR_REG] = reg,
		   [EXPR_STATE] = state,
		   [EXPR_EVENT] = event },
	.ask = ask,
};

static struct expr *parse(const char *text)
{
	struct expr *e = NULL;

	if (!expr_parse(&e, text, POS, resolve, NULL, &diag))
		return e;
	fail_msg("%s: %s", text, diag.n ? diag.message[0].text : "no memory");
	return NULL;
}

static uint64_t value_of(const char *text)
{
	struct expr *e = parse(text);
	uint64_t v = expr_eval(e, &env, NULL);

	assert_true(e->stack <= EXPR_MAX_STACK);
	free(e);
	return v;
}

static int setup(void **ctx)
{
	static const uint64_t regs[] = { 1, 0x23, 0, UINT64_MAX };

	(void)ctx;
	diag_init(&diag, "x.yaml");
	memcpy(reg, regs, sizeof(reg));
	state[0] = 1;
	state[1] = 2;
	event[EXPR_VALUE] = 0x26;
	event[EXPR_WIDTH] = 8;
	return 0;
}

static int teardown(void **ctx)
{
	(void)ctx;
	diag_fini(&diag);
	return 0;
}

#pragma GCC diagnostic ignored "-Wparentheses"
#define C(e)                      \
	{                         \
#e, (uint64_t)(e) \
	}

/* Expressions of constants, that the C compiler evaluates too. */
static const struct {
	const char *text;
	uint64_t value;
} in_c[] = {
	/* clang-format off */
	C(1), C(0x1fULL), C(1 + 2 * 3), C((1 + 2) * 3), C(10 - 3 - 2),
	C(100 / 7 / 2), C(100 % 7), C(1 << 4 + 1), C(256 >> 2 >> 1),
	C(1 | 2 ^ 3 & 5), C(4 & 6 == 6), C(1 < 2 == 1), C(3 > 2 > 1),
	C(1 <= 1), C(2 >= 3), C(1 != 2), C(!0), C(!7), C(~0ULL & 0xff),
	C(-1ULL), C(- - 3ULL), C(!!9), C(~~5ULL), C(2 && 3), C(0 || 5),
	C(0 && 1 || 1), C(1 || 0 && 0), C(1 ? 2 : 3), C(0 ? 2 : 0 ? 4 : 5),
	C(1 ? 0 ? 1 : 2 : 3), C(0 ? 1 : 2 + 3), C(1 + (1 ? 2 : 3)),
	C(5 - 6ULL), C(1 << 2 < 5), C(1 == 1 ? 7 : 8), C(6 / 2 * 3),
	C(!1 == 0), C(~0ULL >> 60 << 1), C(1 | 1 == 2), C(2 * (3 + 4) * 5),
	/* clang-format on */
};

static void constants(void **ctx)
{
	char text[64];

	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(in_c); i++) {
		size_t n = 0;
		struct expr *e;

		for (const char *s = in_c[i].text; *s; s++)
			if (*s != 'U' && *s != 'L')
				text[n++] = *s;
		text[n] = '\0';
		e = parse(text);
		assert_int_equal(e->n, 1); /* folded */
		assert_int_equal(e->ins[0].op, EXPR_OP_CONST);
		if (e->ins[0].k != in_c[i].value)
			fail_msg("%s is %llu", text,
				 (unsigned long long)e->ins[0].k);
		free(e);
	}
	assert_int_equal(value_of("0b101"), 5);
	assert_int_equal(value_of("0xffffffffffffffff"), UINT64_MAX);
	assert_int_equal(value_of("18446744073709551615"), UINT64_MAX);
	assert_int_equal(value_of("1 << 64"), 0);
	assert_int_equal(value_of("d >> 64"), 0);
	assert_int_equal(value_of("d << (d - 1)"), 0);
	assert_int_equal(value_of("1 / 0"), 0);
	assert_int_equal(value_of("b % c"), 0);
	assert_int_equal(value_of("\t( 1\n+ 1 )\r\n"), 2);
}

static void names(void **ctx)
{
	(void)ctx;
	assert_int_equal(value_of("a+b"), 0x24);
	assert_int_equal(value_of("a.F[3].G"), 0);
	reg[0] = 0xabc;
	assert_int_equal(value_of("a.F[3].G"), 0xb);
	assert_int_equal(value_of("a.F[3].G == 0xb && value == 0x26"), 1);
	assert_int_equal(value_of("b && c"), 0);
	assert_int_equal(value_of("b && d"), 1);
	assert_int_equal(value_of("c || b"), 1);
	assert_int_equal(value_of("c || c"), 0);
	assert_int_equal(value_of("(b || c) + (b && b) + (c || b)"), 3);
	assert_int_equal(value_of("c ? a : b ? 2 : 3"), 2);
	assert_int_equal(value_of("b ? c ? 1 : 2 : 3"), 2);
	assert_int_equal(value_of("1 ? b : a"), 0x23);
	assert_int_equal(value_of("0 ? b : c ? 1 : 9"), 9);
	assert_int_equal(value_of("1 && b"), 1);
	assert_int_equal(value_of("0 || b"), 1);
	assert_int_equal(value_of("2 || b"), 1);
	assert_int_equal(value_of("0 && b"), 0);
	assert_int_equal(value_of("b && 2"), 1);
	assert_int_equal(value_of("-b + ~c + !c"), -0x23ull);
	assert_int_equal(value_of("width*width"), 64);
	/* What the language's own page shows. */
	assert_int_equal(value_of("a < b && c >= b ? c - b + (a << 8) : c"), 0);
}

static void states(void **ctx)
{
	(void)ctx;
	assert_int_equal(value_of("tx == idle"), 0);
	assert_int_equal(value_of("tx == busy"), 1);
	assert_int_equal(value_of("tx != busy"), 0);
	assert_int_equal(value_of("rx == idle"), 1);
	assert_int_equal(value_of("(rx) == idle"), 1);
	assert_int_equal(value_of("!(tx == idle) && rx == idle"), 1);
	assert_int_equal(value_of("tx == busy == 1"), 1);
	assert_int_equal(value_of("tx == busy ? 5 : 6"), 5);
}

static void not_a_state(void **ctx)
{
	static const char *const bad[] = {
		"idle",	       "idle == tx",	 "tx + 1 == idle",
		"tx == -idle", "tx == idle + 1", "tx == (idle)",
		"tx < idle",   "tx && idle",	 "rx == busy",
		"a == idle",
	};
	struct expr *e;

	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (expr_parse(&e, bad[i], POS, resolve, NULL, &diag) !=
		    -EINVAL)
			fail_msg("%s is taken", bad[i]);
}

static void inlined(void **ctx)
{
	(void)ctx;
	sum = parse("b > 9 && a ? a + b : 0");
	assert_int_equal(value_of("sum"), 0x24);
	assert_int_equal(value_of("sum * sum"), 0x24 * 0x24);
	assert_int_equal(value_of("c || sum == 0x24 ? sum + 1 : 2"), 0x25);
	assert_int_equal(value_of("!sum"), 0);
	free(sum);
	sum = parse("2 + 2");
	high = parse("sum * 4");
	assert_int_equal(high->n, 1);
	assert_int_equal(high->ins[0].k, 16);
	assert_int_equal(value_of("sum && 1"), 1);
	free(sum);
	free(high);
}

static void unknowns(void **ctx)
{
	struct expr_env no_host = env;
	struct expr *e = parse("q + 1");
	bool unknown = false;

	(void)ctx;
	assert_int_equal(expr_eval(e, &env, &unknown), 0x51);
	assert_false(unknown);
	assert_int_equal(expr_eval(e, &env, NULL), 0x51);
	no_host.ask = NULL;
	assert_int_equal(expr_eval(e, &no_host, &unknown), 1);
	assert_true(unknown);
	free(e);

	unknown = false;
	e = parse("c && none");
	assert_int_equal(expr_eval(e, &env, &unknown), 0);
	assert_false(unknown);
	reg[2] = 1;
	expr_eval(e, &env, &unknown);
	assert_true(unknown);
	expr_eval(e, &env, NULL);
	free(e);
}

static const struct {
	const char *text, *message;
	unsigned int column;
	const char *advice;
} errors[] = {
	{ "", "an expression is missing", 10, NULL },
	{ "  ", "an expression is missing", 12, NULL },
	{ ")", "unexpected \")\"", 10, NULL },
	{ "a)", "unexpected \")\"", 11, NULL },
	{ "()", "unexpected \")\"", 11, NULL },
	{ "a &&", "missing operand after \"&&\"", 12, NULL },
	{ "a && )", "missing operand after \"&&\"", 12, NULL },
	{ "(a + )", "missing operand after \"+\"", 13, NULL },
	{ "a ? : b", "missing operand after \"?\"", 12, NULL },
	{ "a ? b", "missing \":\" for this \"?\"", 12, NULL },
	{ "(a ? b)", "missing \":\" for this \"?\"", 13, NULL },
	{ "a : b", "unexpected \":\"", 12, NULL },
	{ "(a", "missing \")\" for this \"(\"", 10, NULL },
	{ "((a)", "missing \")\" for this \"(\"", 10, NULL },
	{ "(a b)", "unexpected \"b\"", 13, NULL },
	{ "a b", "unexpected \"b\"", 12, NULL },
	{ "a 12", "unexpected \"12\"", 12, NULL },
	{ "* a", "unexpected \"*\"", 10, NULL },
	{ "a || && b", "unexpected \"&&\"", 15, NULL },
	{ "!", "missing operand after \"!\"", 10, NULL },
	{ "a = b", "unexpected \"=\"", 12, "compare with \"==\"" },
	{ "a $ b", "unexpected \"$\"", 12, NULL },
	{ "\xc3\xa9", "unexpected \"\xc3\xa9\"", 10, NULL },
	{ "a \xff", "unexpected \"\xff\"", 12, NULL },
	{ "0x", "\"0x\" is not a number", 10, NULL },
	{ "0b12", "\"0b12\" is not a number", 10, NULL },
	{ "12ab", "\"12ab\" is not a number", 10, NULL },
	{ "a ? 0 : 1ms", "\"1ms\" is not a number", 18,
	  "numbers in an expression have no units: times are in nanoseconds, "
	  "sizes in bytes" },
	{ "18446744073709551616",
	  "\"18446744073709551616\" does not fit in 64 bits", 10, NULL },
	{ "0x10000000000000000",
	  "\"0x10000000000000000\" does not fit in 64 bits", 10, NULL },
	{ "a.", "expected a name after \".\"", 12, NULL },
	{ "a.1", "expected a name after \".\"", 12, NULL },
	{ "a . b", "unexpected \".\"", 12, NULL },
	{ "a[b]", "expected a number and \"]\" after \"[\"", 11, NULL },
	{ "a[]", "expected a number and \"]\" after \"[\"", 11, NULL },
	{ "a[1", "expected a number and \"]\" after \"[\"", 11, NULL },
	{ "zz + 1", "no name \"zz\"", 10, NULL },
	{ "1 +  a.F[3]", "no name \"a.F[3]\"", 15, NULL },
};

static void bad_text(void **ctx)
{
	struct expr *e = NULL;

	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		const struct diag_message *m = &diag.message[0];

		assert_int_equal(expr_parse(&e, errors[i].text, POS, resolve,
					    NULL, &diag),
				 -EINVAL);
		assert_null(e);
		assert_int_equal(diag.n, 1);
		assert_string_equal(m->text, errors[i].message);
		assert_int_equal(m->pos.line, 7);
		if (m->pos.column != errors[i].column)
			fail_msg("%s: column %u", errors[i].text,
				 m->pos.column);
		if (errors[i].advice)
			assert_string_equal(m->advice, errors[i].advice);
		diag_fini(&diag);
	}
}

/* Each name that means nothing is said, and a place may be unknown. */
static void two_errors(void **ctx)
{
	struct diag_pos nowhere = { 0, 0 };
	struct expr *e;

	(void)ctx;
	assert_int_equal(expr_parse(&e, "x + y", nowhere, resolve, NULL, &diag),
			 -EINVAL);
	assert_int_equal(diag.n, 2);
	assert_int_equal(diag.message[1].pos.line, 0);
	assert_int_equal(diag.message[1].pos.column, 0);
}

/* (open) (n) times, (middle), (close) (n) times. */
static int repeated(const char *open, unsigned int n, const char *middle,
		    const char *close)
{
	char text[8192] = "";
	struct expr *e;
	int ret;

	for (unsigned int i = 0; i < n; i++)
		strcat(text, open);
	strcat(text, middle);
	for (unsigned int i = 0; i < n; i++)
		strcat(text, close);
	ret = expr_parse(&e, text, POS, resolve, NULL, &diag);
	if (!ret) {
		assert_true(e->n <= EXPR_MAX_OPS);
		assert_true(e->stack <= EXPR_MAX_STACK);
		expr_eval(e, &env, NULL);
		free(e);
	}
	return ret;
}

static void limits(void **ctx)
{
	char name[70];
	struct expr *e;

	(void)ctx;
	assert_int_equal(repeated("(", 31, "a", ")"), 0);
	assert_int_equal(repeated("(", 32, "a", ")"), -EINVAL);
	assert_int_equal(repeated("(", 2000, "a", ")"), -EINVAL);
	assert_int_equal(repeated("!", 32, "a", ""), 0);
	assert_int_equal(repeated("!", 33, "a", ""), -EINVAL);
	assert_int_equal(repeated("~-!", 2000, "a", ""), -EINVAL);
	assert_int_equal(repeated("a?b:", 31, "a", ""), 0);
	assert_int_equal(repeated("a?b:", 32, "a", ""), -EINVAL);
	assert_int_equal(repeated("a+(", 15, "a", ")"), 0);
	assert_int_equal(repeated("a+(", 16, "a", ")"), -EINVAL);
	assert_int_equal(repeated("a+", 127, "a", ""), 0);  /* 255 */
	assert_int_equal(repeated("a+", 127, "!a", ""), 0); /* 256 */
	assert_int_equal(repeated("a+", 127, "!!a", ""), -EINVAL);
	assert_int_equal(repeated("1+", 1000, "1", ""), 0); /* folded */
	assert_int_equal(repeated("a||", 84, "a", ""), 0);
	assert_int_equal(repeated("a||", 300, "a", ""), -EINVAL);

	memset(name, 'n', sizeof(name));
	name[64] = '\0';
	diag_fini(&diag);
	assert_int_equal(expr_parse(&e, name, POS, resolve, NULL, &diag),
			 -EINVAL);
	assert_string_equal(diag.message[0].text,
			    "a name of 64 bytes, at most 63 may be");
	sum = parse("a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a");	     /* 31 */
	assert_int_equal(repeated("sum+", 7, "sum", ""), 0); /* 255 */
	assert_int_equal(repeated("sum+", 8, "sum", ""), -EINVAL);
	free(sum);
}

static const struct {
	const char *text;
	bool known;
	uint64_t value;
} known_cases[] = {
	/* clang-format off */
	{ "value", true, 0x26 }, { "width", false, 0 },
	{ "a", false, 0 }, { "a && 0", true, 0 },
	{ "a & 0", true, 0 }, { "0 & a", true, 0 },
	{ "a * 0", true, 0 }, { "0 << a", true, 0 },
	{ "a / 0", true, 0 }, { "0 % a", true, 0 },
	{ "a || 1", true, 1 }, { "a || b", false, 0 },
	{ "a && !(value & 4)", true, 0 },
	{ "a && value & 4", false, 0 },
	{ "value & 4 || a", true, 1 },
	{ "a ? 5 : 5", true, 5 }, { "a ? 5 : 6", false, 0 },
	{ "(a ? 5 : 7) & 1", true, 1 },
	{ "(a ? 5 : 7) < 8", true, 1 },
	{ "a.F[3].G < 16", true, 1 }, { "a.F[3].G < 15", false, 0 },
	{ "a.F[3].G == 16", true, 0 }, { "a.F[3].G > 15", true, 0 },
	{ "a | 1 == 0", false, 0 }, { "(a | 1) == 0", true, 0 },
	{ "(a | 1) != 0", true, 1 }, { "!(a | 1)", true, 0 },
	{ "(a | 1) && 1", true, 1 }, { "~(a & 1) >> 1 & 1", true, 1 },
	{ "(a & 1) ^ 2 && 1", true, 1 }, { "a ^ a", false, 0 },
	{ "q & 0", true, 0 }, { "q", false, 0 },
	{ "value ? value : a", true, 0x26 },
	{ "!value ? a : 3", true, 3 },
	{ "a ? value : 0x26", true, 0x26 },
	{ "a ? b ? 1 : 1 : 1", true, 1 },
	{ "(a ? 1 : 0) + (b ? 1 : 0)", false, 0 },
	{ "a << 64", true, 0 }, { "a << 8 & 0xff", true, 0 },
	{ "b + (a && 0)", false, 0 },
	{ "value == 0x26 && (a || value > 3)", true, 1 },
	{ "-value + value", true, 0 }, { "value - 0x26 ? a : 9", true, 9 },
	{ "tx == idle && value & 1", true, 0 },
	/* clang-format on */
};

static void known(void **ctx)
{
	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(known_cases); i++) {
		struct expr *e = parse(known_cases[i].text);
		uint64_t v = 0;
		bool is = expr_eval_known(e, event, 1u << EXPR_VALUE, &v);

		if (is != known_cases[i].known ||
		    (is && v != known_cases[i].value))
			fail_msg("%s: %d, %llu", known_cases[i].text, is,
				 (unsigned long long)v);
		free(e);
	}
}

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* A random expression, appended to (s). */
static void make(char *s, unsigned int depth)
{
	static const char *const leaves[] = {
		"a",	 "b",	  "c",	  "d",
		"value", "width", "q",	  "a.F[3].G",
		"0",	 "1",	  "2",	  "8",
		"63",	 "64",	  "0xff", "0xffffffffffffffff"
	};
	static const char *const ops[] = { "||", "&&", "|",  "^", "&",	"==",
					   "!=", "<",  "<=", ">", ">=", "<<",
					   ">>", "+",  "-",  "*", "/",	"%" };
	unsigned int pick = (unsigned int)(rnd() % 8);

	if (!depth || pick == 0) {
		strcat(s, leaves[rnd() % ARRAY_LEN(leaves)]);
		return;
	}
	if (pick == 1)
		strcat(s, &"!\0~\0-"[rnd() % 3 * 2]);
	strcat(s, "(");
	make(s, depth - 1);
	if (pick == 2) {
		strcat(s, "?");
		make(s, depth - 1);
		strcat(s, ":");
		make(s, depth - 1);
	} else if (pick > 2) {
		strcat(s, ops[rnd() % ARRAY_LEN(ops)]);
		make(s, depth - 1);
	}
	strcat(s, ")");
}

static uint64_t odd_value(void)
{
	switch (rnd() % 4) {
	case 0:
		return rnd() % 4;
	case 1:
		return UINT64_MAX - rnd() % 3;
	case 2:
		return UINT64_C(1) << (rnd() % 64);
	default:
		return rnd();
	}
}

/* What is said to be known is so, whatever the rest is. */
static void known_is_sound(void **ctx)
{
	struct expr_env random_env = env;
	unsigned int n_known = 0, n = 0;

	(void)ctx;
	random_env.ask = NULL; /* 0, and unknown */
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int bits = (unsigned int)(rnd() % 4);
		char text[4096] = "";
		uint64_t v, kept[EXPR_EVENTS];
		struct expr *e;

		make(text, 1 + (unsigned int)(rnd() % 4));
		if (expr_parse(&e, text, POS, resolve, NULL, &diag))
			continue;
		n++;
		for (size_t k = 0; k < EXPR_EVENTS; k++)
			kept[k] = odd_value();
		if (expr_eval_known(e, kept, bits, &v)) {
			n_known++;
			for (unsigned int j = 0; j < 40; j++) {
				for (size_t k = 0; k < 4; k++)
					reg[k] = odd_value();
				for (size_t k = 0; k < EXPR_EVENTS; k++)
					event[k] = bits >> k & 1 ? kept[k] :
								   odd_value();
				if (expr_eval(e, j & 1 ? &env : &random_env,
					      NULL) != v)
					fail_msg("%s is not always %llx", text,
						 (unsigned long long)v);
			}
		}
		free(e);
	}
	/* Not because next to nothing was tried. */
	assert_true(n > 15000 && n_known > 1000 && n_known < n);
}

/* A constant expression is worth what it is worth with its names loaded. */
static void folding_is_sound(void **ctx)
{
	(void)ctx;
	for (unsigned int i = 0; i < 5000; i++) {
		char text[4096] = "", folded[8192] = "";
		struct expr *e, *f;

		make(text, 1 + (unsigned int)(rnd() % 4));
		for (const char *s = text; *s; s++) {
			char one[24] = { *s };

			if (*s == 'a' && s[1] != '.' && s[1] != 'l')
				snprintf(one, sizeof(one), "%llu",
					 (unsigned long long)reg[0]);
			else if (*s == 'd' && s[1] != 't')
				snprintf(one, sizeof(one), "%llu",
					 (unsigned long long)reg[3]);
			else if (*s == 'c')
				strcpy(one, "0");
			strcat(folded, one);
		}
		if (strstr(folded, "v1") || strstr(folded, "x"))
			continue; /* "value", 0xff: not whole names */
		if (expr_parse(&e, text, POS, resolve, NULL, &diag))
			continue;
		f = parse(folded);
		assert_int_equal(expr_eval(e, &env, NULL),
				 expr_eval(f, &env, NULL));
		free(e);
		free(f);
	}
}

/* Filled in by the linker if it wraps malloc(); else the test is skipped. */
void *__real_malloc(size_t size) __attribute__((weak));
void *__real_calloc(size_t n, size_t size) __attribute__((weak));
void *__real_realloc(void *p, size_t size) __attribute__((weak));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
static long countdown = -1; /* allocations until one fails */

void *__wrap_malloc(size_t size)
{
	return countdown-- ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return countdown-- ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
	return countdown-- ? __real_realloc(p, size) : NULL;
}

static void no_memory(void **ctx)
{
	struct expr *e;
	int ret = -ENOMEM;

	(void)ctx;
	if (!__real_malloc)
		skip();
	for (long i = 0; ret; i++) {
		countdown = i;
		ret = expr_parse(&e, "a + b * 2", POS, resolve, NULL, &diag);
		countdown = -1;
		assert_true(!ret || ret == -ENOMEM);
	}
	free(e);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(constants),   TEST(names),		 TEST(states),
		TEST(not_a_state), TEST(inlined),	 TEST(unknowns),
		TEST(bad_text),	   TEST(two_errors),	 TEST(limits),
		TEST(known),	   TEST(known_is_sound), TEST(folding_is_sound),
		TEST(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
