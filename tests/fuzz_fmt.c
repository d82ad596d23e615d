/* SPDX-License-Identifier: MIT */
/*
 * fuzz_fmt.c: any text is laid out, or refused with a message; what comes out
 * is the same tree, and stays as it is when laid out again.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dmm/fmt.h"
#include "dmm/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
	if (!held)
		abort();
}

/* Its own comparison, not the one that it is to find fault with. */
static void same(const struct node *a, const struct node *b)
{
	must(a->kind == b->kind && a->n == b->n && a->quoted == b->quoted);
	if (a->kind == NODE_SCALAR)
		must(!strcmp(a->text, b->text));
	for (size_t i = 0; a->kind != NODE_SCALAR && i < a->n; i++) {
		if (a->kind == NODE_MAP)
			same(a->key[i], b->key[i]);
		same(a->at[i], b->at[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const struct node *before, *after;
	struct tree *one, *two;
	char *out, *again;
	struct diag diag;
	size_t len, len2;
	int err;

	diag_init(&diag, "fuzz.yaml");
	err = fmt_text(&out, &len, text, size, &diag);
	must(err == 0 || (err == -EINVAL && diag.errors));
	if (!err) {
		must(!diag.errors && strlen(out) == len);
		must(!load_yaml(&one, &before, text, size, &diag));
		must(!load_yaml(&two, &after, out, len, &diag));
		same(before, after);
		load_free(one);
		load_free(two);
		must(!fmt_text(&again, &len2, out, len, &diag));
		must(len == len2 && !memcmp(out, again, len));
		free(again);
		free(out);
	}
	diag_fini(&diag);
	return 0;
}
