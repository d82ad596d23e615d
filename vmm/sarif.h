/* SPDX-License-Identifier: MIT */
/*
 * sarif.h: messages about texts as SARIF 2.1.0 (OASIS, 2020), for editors and
 * CI services.
 *
 *   sarif_open(&s, stdout);
 *   sarif_add(&s, &diag, text, len);	for each file
 *   err = sarif_close(&s);
 *
 * A result's rule is the kind of the message (dmm/kinds.h).  Columns count
 * code points.  Advice is in the message, and in properties; where a word is
 * known to be misspelt, a fix has the right one.
 */

#ifndef VMM_SARIF_H
#define VMM_SARIF_H

#include "../dmm/diag.h"
#include "json.h"

struct sarif {
	struct json json;
};

void sarif_open(struct sarif *s, FILE *to);
/* The messages of (diag), about its file, whose text is (text). */
void sarif_add(struct sarif *s, const struct diag *diag, const char *text,
	       size_t len);
/* -EIO if something did not reach the file. */
MUST_CHECK int sarif_close(struct sarif *s);

#endif /* VMM_SARIF_H */
