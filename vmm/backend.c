/* SPDX-License-Identifier: MIT */
/*
 * backend.c: the table of backends.
 */

#include <string.h>

#include "backend.h"

static const struct backend_ops *const backends[] = {
	&backend_sim,
	&backend_qtest,
	&backend_vfio,
	&backend_uio,
};

/* In the order of the table above. */
const char *const backend_names[] = { "sim", "qtest", "vfio", "uio" };
const size_t backend_count = ARRAY_LEN(backend_names);

_Static_assert(ARRAY_LEN(backends) == ARRAY_LEN(backend_names),
	       "a backend without a name, or a name without one");

const struct backend_ops *backend_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		if (!strcmp(backends[i]->name, name))
			return backends[i];
	return NULL;
}
