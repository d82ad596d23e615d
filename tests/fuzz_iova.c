/* SPDX-License-Identifier: MIT */
/*
 * fuzz_iova.c: fuzz target for what VFIO says of an IOMMU.
 */

#include <stdlib.h>
#include <string.h>

#include "../vmm/iova.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct iova_range r[IOVA_RANGES];
	size_t n = iova_parse(data, size, r, IOVA_RANGES);
	uint64_t fits;
	char text[100];

	if (n > IOVA_RANGES)
		abort();
	for (size_t i = 0; i < n; i++) {
		fits = iova_fits(r, n, r[i].first, UINT64_MAX);
		if (r[i].first > r[i].last || !fits ||
		    fits - 1 > UINT64_MAX - r[i].first)
			abort();
	}
	iova_text(r, n, text, sizeof(text));
	if (strlen(text) >= sizeof(text))
		abort();
	return 0;
}
