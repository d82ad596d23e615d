/* SPDX-License-Identifier: MIT */
/*
 * kinds.h: the kinds of messages about a text.  Each has a code, which never
 * changes, for programs; people read the message.
 *
 * The kind stands before the format, as a level does for printk():
 *
 *   diag_error(diag, pos, DIAG_UNKNOWN_KEY "unknown key %s in %s", …)
 *
 * A kind is of one class.  Text: not YAML, or more of it than is read; an
 * editor's parser says the same.  Shape: keys and types, which
 * models/model.schema.json knows too (tests/schema.py holds the two together).
 * Meaning: all that a schema cannot know.
 *
 * Threads: constant.
 */

#ifndef DMM_KINDS_H
#define DMM_KINDS_H

#include "cc.h"

enum diag_class { DIAG_TEXT, DIAG_SHAPE, DIAG_MEANING };

struct diag_kind {
	const char *code; /* words with "-" between them */
	enum diag_class class;
	const char *summary; /* one sentence, as a title */
	const char *help;    /* what to do in general */
};

#define DIAG_KIND(code) "\1" code "\2"

/* text */
#define DIAG_ENCODING DIAG_KIND("text-encoding")
#define DIAG_YAML DIAG_KIND("yaml-syntax")
#define DIAG_BIG DIAG_KIND("text-too-big")
#define DIAG_BAD_KEY DIAG_KIND("yaml-key")
#define DIAG_ALIAS DIAG_KIND("yaml-alias")
#define DIAG_TAG DIAG_KIND("yaml-tag")
/* shape */
#define DIAG_UNKNOWN_KEY DIAG_KIND("unknown-key")
#define DIAG_MISSING DIAG_KIND("missing-key")
#define DIAG_TYPE DIAG_KIND("wrong-type")
#define DIAG_VALUE DIAG_KIND("wrong-value")
#define DIAG_FORM DIAG_KIND("wrong-form")
#define DIAG_NOT_BOTH DIAG_KIND("not-together")
/* meaning */
#define DIAG_NAME DIAG_KIND("unknown-name")
#define DIAG_TAKEN DIAG_KIND("name-taken")
#define DIAG_MANY DIAG_KIND("too-many")
#define DIAG_EXPR DIAG_KIND("expression")
#define DIAG_SCOPE DIAG_KIND("not-here")
#define DIAG_VOLATILE DIAG_KIND("volatile")
#define DIAG_RANGE DIAG_KIND("out-of-range")
#define DIAG_OVERLAP DIAG_KIND("overlap")
#define DIAG_ALIGN DIAG_KIND("alignment")
#define DIAG_NEVER DIAG_KIND("never")
#define DIAG_DIRECTION DIAG_KIND("direction")
#define DIAG_FITS DIAG_KIND("does-not-fit")
#define DIAG_SHARING DIAG_KIND("sharing")
#define DIAG_TEST DIAG_KIND("test-failed")
#define DIAG_PROOF DIAG_KIND("not-proved")
#define DIAG_LAYOUT DIAG_KIND("layout")
#define DIAG_OTHER DIAG_KIND("other")

/*
 * The kind that begins (fmt), which is moved behind it; "other" if none does.
 * A code that is not in the table is a bug (asserted).
 */
const struct diag_kind *diag_kind_of(const char **fmt);

/* Kind (i), from 0; NULL after the last. */
const struct diag_kind *diag_kind(unsigned int i);

/* Its number, as diag_kind() counts. */
unsigned int diag_kind_index(const struct diag_kind *kind);

const char *diag_class_name(enum diag_class class);

#endif /* DMM_KINDS_H */
