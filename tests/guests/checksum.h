/* SPDX-License-Identifier: MIT */
/*
 * checksum.h: Fletcher-64 over 32-bit words, for guests and for the host.
 *
 * Two sums modulo 2^32 - 1 over little-endian words: (a) of the words, (b) of
 * all (a) so far, so order counts.  The last word is padded with zeros and the
 * length in bytes follows as one more word.  Result: b << 32 | a.  That is two
 * additions a word: cheap where each instruction is emulated.
 */

#ifndef CHECKSUM_H
#define CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

struct checksum {
	uint64_t a;
	uint64_t b;
	uint64_t len;
};

/* 2^32 is 1 modulo 2^32 - 1: add the halves until one is left. */
static inline uint64_t checksum_fold(uint64_t v)
{
	v = (v & 0xffffffff) + (v >> 32);
	v = (v & 0xffffffff) + (v >> 32);
	return v == 0xffffffff ? 0 : v;
}

static inline void checksum_word(struct checksum *sum, uint32_t word)
{
	sum->a = checksum_fold(sum->a + word);
	sum->b = checksum_fold(sum->b + sum->a);
}

/* Add (len) bytes, at most 64 KiB; all calls but the last a multiple of 4. */
static inline void checksum_add(struct checksum *sum, const void *data,
				size_t len)
{
	const uint8_t *p = data;
	uint64_t a = sum->a;
	uint64_t b = sum->b;
	uint32_t word;
	size_t n;

	for (n = len / 4; n; n--, p += 4) {
		__builtin_memcpy(&word, p, 4);
		a += word;
		b += a; /* under 2^32 * 2^14 * 2^14: no overflow */
	}
	sum->a = checksum_fold(a);
	sum->b = checksum_fold(b);
	sum->len += len;
	if (len % 4) {
		word = 0;
		for (n = 0; n < len % 4; n++)
			word |= (uint32_t)p[n] << (8 * n);
		checksum_word(sum, word);
	}
}

static inline uint64_t checksum_end(struct checksum *sum)
{
	checksum_word(sum, (uint32_t)sum->len);
	return sum->b << 32 | sum->a;
}

#endif /* CHECKSUM_H */
