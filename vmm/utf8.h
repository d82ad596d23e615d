/* SPDX-License-Identifier: MIT */
/*
 * utf8.h: characters of a text that may not be UTF-8 at all.
 */

#ifndef VMM_UTF8_H
#define VMM_UTF8_H

#include "../dmm/cc.h"

/*
 * The bytes of the well-formed character at (s) (Unicode 15, table 3-7), or 0
 * if there is none: at the end of the text, too.
 */
size_t utf8_length(const char *s);

/* Columns that (s) takes on a terminal; combining marks take none. */
size_t utf8_columns(const char *s);

#endif /* VMM_UTF8_H */
