/* SPDX-License-Identifier: MIT */
/*
 * aml.h: writes ACPI machine language: the few terms that a DSDT of ours has.
 *
 * ACPI Specification 6.4, chapter 20.  Terms are written in the order they
 * stand; what has a length is begun and ended, and may nest.  What does not
 * fit is remembered: look at (full) once, at the end.
 *
 * Threads: one; it only writes the caller's buffer.
 */

#ifndef VMM_AML_H
#define VMM_AML_H

#include "../dmm/cc.h"

#define AML_DEPTH 8

struct aml {
	uint8_t *to;
	size_t room, len;
	bool full;
	unsigned int depth;
	size_t begun[AML_DEPTH]; /* where the length goes */
};

/* Names: "\\_SB_", "PCI0", "_CRS": segments of four characters. */
void aml_scope(struct aml *a, const char *name);
void aml_device(struct aml *a, const char *name);
void aml_package(struct aml *a, uint8_t elements);
void aml_buffer(struct aml *a, uint8_t size); /* then its bytes */
void aml_end(struct aml *a);		      /* of what was begun last */

void aml_name(struct aml *a, const char *name); /* its value comes next */
void aml_integer(struct aml *a, uint64_t value);
void aml_eisaid(struct aml *a, const char *id); /* such as "PNP0A03" */
void aml_bytes(struct aml *a, const void *from, size_t len);

#endif /* VMM_AML_H */
