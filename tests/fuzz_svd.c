/* SPDX-License-Identifier: MIT */
/*
 * fuzz_svd.c: any CMSIS-SVD file: what is read of it keeps its bounds, and the
 * skeleton that comes of it is a model.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmm/dmm.h"
#include "vmm/skeleton.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
	if (!held)
		abort();
}

static void check(const struct svd *svd)
{
	must(svd->regs <= SVD_MAX_REGISTERS);
	for (size_t i = 0; i < svd->regs; i++) {
		const struct svd_register *r = &svd->reg[i];

		must(strlen(r->name) && strlen(r->name) < SVD_NAME);
		must(r->bits && r->bits <= 64 && r->bits % 8 == 0 && r->dim);
		must(!(r->reset & ~cc_ones(r->bits)));
		must(r->fields <= SVD_MAX_FIELDS);
		for (unsigned int k = 0; k < r->fields; k++)
			must(r->field[k].bits &&
			     r->field[k].low + r->field[k].bits <= r->bits);
	}
}

static void skeleton(const struct svd *svd, bool with_part)
{
	struct skeleton_part part = {
		.there = with_part, .bar[1] = { .there = true, .size = 0x400 }
	};
	struct dmm_model *model;
	struct diag diag;
	char *text = NULL, *said;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	must(to);
	skeleton_write(to, &part, svd, "a fuzzer");
	must(!fclose(to));
	diag_init(&diag, "skeleton.yaml");
	if (dmm_model_parse(&model, text, len, &diag)) {
		said = diag_render(&diag, text, len);
		fputs(said ? said : "", stderr);
		abort();
	}
	dmm_model_free(model);
	diag_fini(&diag);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct svd svd;
	char *why;

	if (svd_read(&svd, (const char *)data, size, &why)) {
		must(why && *why);
		free(why);
		return 0;
	}
	check(&svd);
	skeleton(&svd, false);
	skeleton(&svd, true);
	svd_free(&svd);
	return 0;
}
