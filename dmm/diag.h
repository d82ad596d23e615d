/* SPDX-License-Identifier: MIT */
/*
 * diag.h: messages about a text that a person wrote, with file, line, column
 * and advice; collected, not printed, so that one run can show several.
 *
 * Errors:  none of these fails; a message that finds no memory is counted.
 * Threads: one collection, one thread at a time.
 */

#ifndef DMM_DIAG_H
#define DMM_DIAG_H

#include "cc.h"

/* A place in a text; lines and columns count from 1, 0 is "not known". */
struct diag_pos {
	uint32_t line;
	uint32_t column;
};

struct diag_kind; /* see kinds.h */

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag_message {
	enum diag_level level;
	const struct diag_kind *kind;
	struct diag_pos pos;
	char *text;   /* what is wrong, one sentence, lower case, no stop */
	char *advice; /* what to do about it; NULL if there is none */
	char *wrong;  /* a word that stands at (pos), and the one that was */
	char *right;  /* meant, if that is known; else NULL */
};

/* At most DIAG_MAX messages are kept; the rest are counted. */
#define DIAG_MAX 20

struct diag {
	const char *file; /* borrowed; for messages */
	struct diag_message message[DIAG_MAX];
	unsigned int n;
	unsigned int errors;  /* all errors, those not kept too */
	unsigned int dropped; /* messages not kept */
};

void diag_init(struct diag *diag, const char *file);
void diag_fini(struct diag *diag);

/*
 * Add a message; (fmt) begins with its kind (kinds.h), else it is "other".
 * diag_error() returns -EINVAL, for "return diag_error(…)".
 */
int diag_error(struct diag *diag, struct diag_pos pos, const char *fmt, ...)
	PRINTF(3, 4);
void diag_warning(struct diag *diag, struct diag_pos pos, const char *fmt, ...)
	PRINTF(3, 4);

/* Advice for the message added last. */
void diag_advise(struct diag *diag, const char *fmt, ...) PRINTF(2, 3);

/*
 * Advice for the message added last, which is about the word (wrong): perhaps
 * (right) was meant.
 */
void diag_suggest(struct diag *diag, const char *wrong, const char *right);

/*
 * The name among (names) (n of them) nearest to (word), or NULL if none is
 * near enough to be meant (optimal string alignment distance of a third of
 * its length, at least 1, at most 3).
 */
const char *diag_nearest(const char *word, const char *const names[], size_t n);

/*
 * All messages as text, in the order of their places, into a string that the
 * caller frees; NULL without memory.  With (text) (the file's own, (len)
 * bytes) each has its line and a caret under the column.
 *
 *   nic.yaml:12:9: error: unknown key "regsters"
 *      12 |         regsters:
 *         |         ^
 *         = did you mean "registers"?
 */
char *diag_render(const struct diag *diag, const char *text, size_t len);

#endif /* DMM_DIAG_H */
