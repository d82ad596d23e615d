/* SPDX-License-Identifier: MIT */
/*
 * tinyelf.h: an ELF image of two functions and a label, made by hand, for
 * tests of symbols and of unwinding.
 *
 * inner() pushed one word and called nobody; outer() calls it and pushed
 * nothing; `start`, a label without a size, has no unwind table.
 */

#ifndef TESTS_TINYELF_H
#define TESTS_TINYELF_H

#include <stddef.h>
#include <stdint.h>

#define TINYELF_FRAMES 0x3000u /* where .eh_frame is linked */
#define TINYELF_INNER 0x1000u  /* of 0x100 bytes; pushes in its first */
#define TINYELF_OUTER 0x2000u  /* of 0x100 bytes */
#define TINYELF_START 0x2800u
#define TINYELF_MAX 2048u

/* Fill (image); its length. */
size_t tinyelf(uint8_t image[TINYELF_MAX]);

#endif /* TESTS_TINYELF_H */
