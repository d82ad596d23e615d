/* SPDX-License-Identifier: MIT */
/*
 * utf8.h: code points, and which of them have no place in a text.
 */

#ifndef DMM_UTF8_H
#define DMM_UTF8_H

#include "cc.h"

/*
 * The code point at (s), which has (len) bytes left, at least 1.  (*n) is the
 * bytes that it takes, or 0 if this is not UTF-8; then the byte is returned.
 */
static inline uint32_t utf8_get(const char *s, size_t len, size_t *n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t want = 1 + (p[0] >= 0xc0) + (p[0] >= 0xe0) + (p[0] >= 0xf0);
	uint32_t c = want == 1 ? p[0] : p[0] & (0x7fu >> want);

	*n = 0;
	if ((p[0] >= 0x80 && p[0] < 0xc0) || p[0] >= 0xf8 || want > len)
		return p[0];
	for (size_t i = 1; i < want; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return p[0];
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[want] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return p[0];
	*n = want;
	return c;
}

/*
 * What is wrong with the code point (c), or NULL: a terminal or an editor
 * would obey it, or take it for the end of a line.  Tabs and line ends are no
 * wrong.
 */
static inline const char *utf8_wrong(uint32_t c)
{
	if (c == '\t' || c == '\n' || c == '\r')
		return NULL;
	if (c == 0)
		return "NUL byte";
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
		return "control character";
	if (c == 0x2028 || c == 0x2029)
		return "line separator";
	if (c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069))
		return "text direction mark";
	if (c == 0xfeff || c == 0xfffe || c == 0xffff)
		return "byte order mark";
	return NULL;
}

#endif /* DMM_UTF8_H */
