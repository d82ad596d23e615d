/* SPDX-License-Identifier: MIT */
/*
 * fuzz_prove.c: any text as a model; one that is a model is explored, and what
 * is not so is made into a trace.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../dmm/prove.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS 20000u

static void put(void *ctx, uint64_t ns, const struct trace_head *head,
		const void *body)
{
	const uint8_t *bytes = body;
	uint64_t *sum = ctx;
	uint32_t i;

	for (i = 0; i < head->len; i++)
		*sum += bytes[i] + ns;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prove_result r = { .states = 0 };
	struct dmm_model *model = NULL;
	uint64_t sum = 0;
	struct diag diag;
	bool there;
	int err;

	diag_init(&diag, "fuzz");
	if (!dmm_model_parse(&model, (const char *)data, size, &diag)) {
		err = prove_model(model, &diag, STEPS, &r);
		if (err && err != -EINVAL && err != -ENOMEM)
			abort();
		if (r.steps > STEPS + 1024 * 1024)
			abort();
		if (r.has_way)
			(void)!prove_trace(model, (const char *)data, size, &r,
					   put, &sum, &there);
	}
	dmm_model_free(model);
	diag_fini(&diag);
	return 0;
}
