/* SPDX-License-Identifier: MIT */
/*
 * fmt.h: the one layout of a model's text.
 *
 * Line breaks are the author's, and so are quotes; the rest is not: two
 * columns a level, "{ a: 1, b: [ 2, 3 ] }", values of neighbours under each
 * other, what a bracket holds under its first element, comments at the ends of
 * lines in column 48 or 89 where they fit, one empty line at most.
 *
 * Threads: any.
 */

#ifndef DMM_FMT_H
#define DMM_FMT_H

#include "cc.h"
#include "diag.h"

/*
 * Lay out (len) bytes of (text) into a string that the caller frees.  It is
 * the same tree and has the same comments, and laying it out again changes
 * nothing: all three are looked at.  -EINVAL (said in diag): the text is not
 * YAML, or of a form that cannot be laid out, such as block scalars; -ENOMEM.
 */
MUST_CHECK int fmt_text(char **out, size_t *out_len, const char *text,
			size_t len, struct diag *diag);

#endif /* DMM_FMT_H */
