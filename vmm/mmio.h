/* SPDX-License-Identifier: MIT */
/*
 * mmio.h: a mapped register, by one access of the processor's of just its
 * width; a bus is little endian.  (width) is 1, 2, 4 or 8 bytes, (at) aligned.
 *
 * Threads: any.
 */

#ifndef VMM_MMIO_H
#define VMM_MMIO_H

#include <endian.h>
#include <stdint.h>

static inline uint64_t mmio_load(const volatile uint8_t *at, unsigned int width)
{
	switch (width) {
	case 1:
		return *at;
	case 2:
		return le16toh(*(const volatile uint16_t *)at);
	case 4:
		return le32toh(*(const volatile uint32_t *)at);
	default:
		return le64toh(*(const volatile uint64_t *)at);
	}
}

static inline void mmio_store(volatile uint8_t *at, unsigned int width,
			      uint64_t value)
{
	switch (width) {
	case 1:
		*at = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)at = htole16((uint16_t)value);
		break;
	case 4:
		*(volatile uint32_t *)at = htole32((uint32_t)value);
		break;
	default:
		*(volatile uint64_t *)at = htole64(value);
	}
}

#endif /* VMM_MMIO_H */
