/* SPDX-License-Identifier: MIT */
/*
 * import.h: logs of others made into traces.
 */

#ifndef VMM_IMPORT_H
#define VMM_IMPORT_H

/*
 * Make (out) from (path), a log in (format), of the accesses that a guest made
 * to the part that (model) describes.  An exit status, after it has been said
 * what is wrong, with the line.
 */
int import_trace(const char *format, const char *path, const char *model,
		 const char *out);

#endif /* VMM_IMPORT_H */
