/* SPDX-License-Identifier: MIT */
/*
 * utf8.c: measure UTF-8, near enough for tables.
 */

#include "utf8.h"

/* What the second byte may be, after each first byte. */
static bool second_ok(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0: /* shorter forms exist below */
		return second >= 0xa0 && second <= 0xbf;
	case 0xed: /* surrogates above */
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4: /* the end of Unicode */
		return second >= 0x80 && second <= 0x8f;
	default:
		return second >= 0x80 && second <= 0xbf;
	}
}

size_t utf8_length(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len;

	if (u[0] == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (!second_ok(u[0], u[1]))
		return 0;
	for (size_t i = 2; i < len; i++)
		if (u[i] < 0x80 || u[i] > 0xbf)
			return 0;
	return len;
}

static uint32_t code_point(const char *s, size_t len)
{
	static const uint8_t first_mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = (unsigned char)s[0] & first_mask[len];

	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return c;
}

/* The blocks that people's names and units come from; not all of Unicode. */
static size_t width(uint32_t c)
{
	if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0xfe00 && c <= 0xfe0f))
		return 0;
	if ((c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
	    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	    (c >= 0xff00 && c <= 0xff60) || (c >= 0x1f300 && c <= 0x1faff))
		return 2;
	return 1;
}

size_t utf8_columns(const char *s)
{
	size_t columns = 0;

	while (*s) {
		size_t len = utf8_length(s);

		columns += len ? width(code_point(s, len)) : 1;
		s += len ? len : 1;
	}
	return columns;
}
