/* SPDX-License-Identifier: MIT */
/*
 * svd.h: the registers of a CMSIS-SVD file (System View Description 1.3, by
 * Arm): the start of a model, where a vendor publishes one.
 *
 * The file is untrusted.  It has no document type, so no entities of its own;
 * its depth, its registers and their fields are bounded.  What the language of
 * models cannot say is left out, and counted.
 */

#ifndef VMM_SVD_H
#define VMM_SVD_H

#include "../dmm/cc.h"

#define SVD_MAX_BYTES (16u << 20)
#define SVD_MAX_REGISTERS 4096u
#define SVD_MAX_FIELDS 64u
#define SVD_NAME 48 /* bytes of a name, with its NUL */

struct svd_field {
	char name[SVD_NAME];
	unsigned int low, bits;
};

struct svd_register {
	char name[SVD_NAME];
	char peripheral[SVD_NAME];
	uint64_t at; /* its address, as the file has it */
	unsigned int bits, dim;
	uint64_t step; /* bytes from one element to the next */
	uint64_t reset;
	bool read, write;
	bool read_clears, ones_clear, ones_set; /* the whole of it */
	struct svd_field *field;
	unsigned int fields;
};

struct svd {
	char name[SVD_NAME]; /* of the device; "" if it has none */
	unsigned int peripherals;
	struct svd_register *reg;
	size_t regs;
	unsigned int left_out; /* registers and fields */
};

/*
 * 0, -ENOMEM, or -EINVAL with one line in (*why), which the caller frees.
 * Names are words: letters, digits and "_".
 */
MUST_CHECK int svd_read(struct svd *out, const char *text, size_t len,
			char **why);
void svd_free(struct svd *svd);

#endif /* VMM_SVD_H */
