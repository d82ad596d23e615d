// SPDX-License-Identifier: MIT
/*
 * region.c: registers of a device in our hands.
 */

#include "region.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

#include "../dmm/cc.h"

static uint64_t load(const volatile uint8_t *at, unsigned int width)
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

static void store(volatile uint8_t *at, unsigned int width, uint64_t value)
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

uint64_t region_read(const struct region *r, uint64_t off, unsigned int width)
{
	uint64_t value = 0;

	if (!cc_within(off, width, 0, r->size))
		return cc_ones(8 * width);
	if (r->map && !(off % width))
		return load(r->map + off, width);
	if (pread(r->fd, &value, width, (off_t)(r->offset + off)) !=
	    (ssize_t)width)
		return cc_ones(8 * width);
	return le64toh(value);
}

void region_write(const struct region *r, uint64_t off, unsigned int width,
		  uint64_t value)
{
	if (!cc_within(off, width, 0, r->size))
		return;
	if (r->map && !(off % width)) {
		store(r->map + off, width, value);
		return;
	}
	value = htole64(value);
	(void)!pwrite(r->fd, &value, width, (off_t)(r->offset + off));
}

void region_read_string(const struct region *r, uint64_t off,
			unsigned int width, void *to, size_t n)
{
	uint8_t *byte = to;
	uint64_t value;

	for (size_t i = 0; i < n; i++) {
		value = htole64(region_read(r, off, width));
		memcpy(byte + i * width, &value, width);
	}
}

void region_write_string(const struct region *r, uint64_t off,
			 unsigned int width, const void *from, size_t n)
{
	const uint8_t *byte = from;
	uint64_t value;

	for (size_t i = 0; i < n; i++) {
		value = 0;
		memcpy(&value, byte + i * width, width);
		region_write(r, off, width, le64toh(value));
	}
}
