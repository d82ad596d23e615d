/* SPDX-License-Identifier: MIT */
/*
 * cc.h: what C lacks and every file here wants: checked sums, array lengths,
 * and the compiler's help in not forgetting a result.
 */

#ifndef DMM_CC_H
#define DMM_CC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* True if (a + b) does not fit; (*sum) is written either way. */
static inline bool cc_add(uint64_t a, uint64_t b, uint64_t *sum)
{
	return __builtin_add_overflow(a, b, sum);
}

/*
 * The one range test: true if all of [at, at + len) lies in
 * [start, start + size).  By subtraction, so nothing can wrap, and a range
 * that ends at 2^64 is as good as any other.
 */
static inline bool cc_within(uint64_t at, uint64_t len, uint64_t start,
			     uint64_t size)
{
	return at >= start && at - start <= size && len <= size - (at - start);
}

/* (bits) ones from bit 0 up; (bits) is 0 to 64. */
static inline uint64_t cc_ones(unsigned int bits)
{
	return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

#endif /* DMM_CC_H */
