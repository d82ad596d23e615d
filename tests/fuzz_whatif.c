// SPDX-License-Identifier: MIT
/*
 * fuzz_whatif.c: any bytes as a what-if file, and what is reckoned by it.
 */

#include <stdlib.h>
#include <string.h>

#include "../vmm/whatif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct whatif_counts counts = {
		.n = { [0][1] = { 1000, 1000, 1000, 1000, 1000, 1000 },
		       [1][0] = { UINT32_MAX, 1, 1, 1, 1, 1 } },
		.interrupts = 10,
		.switches = 3,
		.switch_ns = 1000,
		.ns = 1000000000,
		.busy_ns = 400000000,
		.lease_ns = 1000000,
		.guests = 2,
	};
	struct diag diag;
	struct whatif w;
	FILE *nowhere;
	int err;

	diag_init(&diag, "fuzz");
	err = whatif_parse(&w, (const char *)data, size, &diag);
	if (!err != !diag.errors)
		abort();
	diag_fini(&diag);
	if (err)
		return 0;
	if (w.leases > WHATIF_LIST || w.numbers > WHATIF_LIST)
		abort();
	nowhere = fopen("/dev/null", "we");
	if (!nowhere)
		abort();
	whatif_print(&w, &counts, nowhere, false);
	fclose(nowhere);
	return 0;
}
