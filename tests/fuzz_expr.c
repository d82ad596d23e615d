/* SPDX-License-Identifier: MIT */
/*
 * fuzz_expr.c: any text as an expression; what is made of it is evaluated,
 * and what is said to be known must be so.
 */

#include <stdlib.h>
#include <string.h>

#include "dmm/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct expr *inner; /* what the name "E" stands for, if anything */

static void must(bool held)
{
	if (!held)
		abort();
}

/* The first letter says what a name is; its length, which one. */
static int resolve(void *ctx, const char *name, int machine,
		   struct diag_pos pos, struct expr_operand *out,
		   struct diag *diag)
{
	size_t len = strlen(name);

	(void)ctx;
	must(len >= 1 && len <= 63 && machine >= -1);
	*out = (struct expr_operand){ .kind = EXPR_IS_LOAD, .machine = -1 };
	out->ins.op = EXPR_OP_LOAD;
	out->ins.k = UINT64_MAX;
	out->ins.index = len & 1;
	switch (*name) {
	case 'v':
		out->ins.array = EXPR_EVENT;
		return 0;
	case 'r':
		out->ins.array = EXPR_REG;
		out->ins.shift = len & 63;
		out->ins.k = cc_ones(len);
		return 0;
	case 'm':
		out->ins.array = EXPR_STATE;
		out->machine = len & 1;
		return 0;
	case 'a':
		out->kind = EXPR_IS_ASK;
		out->ins.op = EXPR_OP_ASK;
		return 0;
	case 'E':
		if (!inner)
			break;
		out->kind = EXPR_IS_EXPR;
		out->expr = inner;
		return 0;
	case 'c':
		out->kind = EXPR_IS_CONST;
		out->ins = (struct expr_ins){ .op = EXPR_OP_CONST, .k = len };
		return 0;
	}
	if (machine >= 0) {
		out->kind = EXPR_IS_CONST;
		out->ins = (struct expr_ins){ .op = EXPR_OP_CONST, .k = 1 };
		return 0;
	}
	return diag_error(diag, pos, "no name \"%s\"", name);
}

static uint64_t ask(void *ctx, unsigned int index, bool *unknown)
{
	*unknown = index;
	return *(uint64_t *)ctx;
}

static uint64_t odd_value(unsigned int i, unsigned int j)
{
	static const uint64_t values[] = {
		0, 1, 2, 63, 64, 0xff, UINT64_MAX, UINT64_C(1) << 63, 0x26
	};

	return values[(i * 7 + j * 5 + i * j) % ARRAY_LEN(values)];
}

static void evaluate(const struct expr *e)
{
	uint64_t reg[2], state[2], event[EXPR_EVENTS], kept[EXPR_EVENTS], v;
	struct expr_env env = { { reg, state, event, NULL }, ask, &reg[0] };
	bool unknown = false;

	for (unsigned int known = 0; known < 4; known++) {
		for (unsigned int k = 0; k < EXPR_EVENTS; k++)
			kept[k] = odd_value(known, k + 1);
		if (!expr_eval_known(e, kept, known, &v))
			continue;
		for (unsigned int i = 0; i < 40; i++) {
			for (unsigned int k = 0; k < 2; k++) {
				reg[k] = odd_value(i, k);
				state[k] = odd_value(i, k + 2) & 3;
			}
			for (unsigned int k = 0; k < EXPR_EVENTS; k++)
				event[k] = known >> k & 1 ? kept[k] :
							    odd_value(i, k + 4);
			must(expr_eval(e, &env, &unknown) == v);
		}
	}
	memset(reg, 0, sizeof(reg));
	memset(state, 0, sizeof(state));
	memset(event, 0xff, sizeof(event));
	expr_eval(e, &env, NULL);
}

static int parse(struct expr **e, const char *text, struct diag_pos pos)
{
	struct diag diag;
	int ret;
	char *s;

	diag_init(&diag, "fuzz.yaml");
	ret = expr_parse(e, text, pos, resolve, NULL, &diag);
	must(!ret == !diag.errors);
	if (!ret) {
		must((*e)->n <= EXPR_MAX_OPS && (*e)->stack <= EXPR_MAX_STACK);
		evaluate(*e);
	}
	s = diag_render(&diag, text, strlen(text));
	must(s);
	free(s);
	diag_fini(&diag);
	return ret;
}

/* Of two lines the second is what "E" stands for in the first. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *second;
	struct expr *e;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	second = strchr(text, '\n');
	if (second)
		*second++ = '\0';
	if (second && parse(&inner, second, (struct diag_pos){ 0, 0 }))
		inner = NULL;
	if (!parse(&e, text, (struct diag_pos){ 1, 1 }))
		free(e);
	free(inner);
	inner = NULL;
	free(text);
	return 0;
}
