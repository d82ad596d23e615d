/* SPDX-License-Identifier: MIT */
/*
 * file.h: a whole file into memory, with a limit.
 */

#ifndef VMM_FILE_H
#define VMM_FILE_H

#include "../dmm/cc.h"

/*
 * Read (path) ("-": standard input) of at most (max) bytes.  (*text) has a
 * NUL behind its (*len) bytes, and the caller frees it.
 * 0, or -errno with one line that names the file in (*why), which the caller
 * frees; -EFBIG if it is longer.
 */
MUST_CHECK int file_read(const char *path, size_t max, char **text, size_t *len,
			 char **why);

#endif /* VMM_FILE_H */
