/* SPDX-License-Identifier: MIT */
/*
 * symbols.h: what an ELF image says of its own code: names of functions, and
 * how to unwind each (.eh_frame).
 *
 * The image is untrusted: sizes and counts are bounded, every offset is
 * checked, names are made printable.  What is wrong in it is left out.
 *
 * Threads: any, after symbols_open().
 */

#ifndef VMM_SYMBOLS_H
#define VMM_SYMBOLS_H

#include "../dmm/cc.h"

/* As libunwind searches it: both from the start of the frames. */
struct symbols_entry {
	int32_t function;
	int32_t frame;
};

struct symbols_name {
	uint64_t addr, size; /* size 0: not known */
	uint32_t text;	     /* offset in (texts) */
};

struct symbols {
	uint64_t frames_at; /* linear address of .eh_frame */
	uint8_t *frames;
	size_t frames_len;
	struct symbols_entry *entry; /* sorted */
	uint64_t *entry_len;	     /* bytes of the function */
	size_t entries;
	struct symbols_name *name; /* sorted */
	size_t names;
	char *texts; /* ends in a NUL */
	size_t texts_len;
};

#define SYMBOLS_NAME_MAX 48 /* of a name that is shown, with its NUL */

/* -ENOENT: the image has neither names nor frames; -ENOMEM. */
MUST_CHECK int symbols_open(struct symbols **out, const void *image,
			    size_t len);
void symbols_close(struct symbols *s); /* NULL is fine */

/* The function that (addr) is in; false if it has no name.  NULL is fine. */
bool symbols_find(const struct symbols *s, uint64_t addr,
		  char name[SYMBOLS_NAME_MAX]);

/* Can the function that (addr) is in be unwound?  NULL is fine. */
bool symbols_unwinds(const struct symbols *s, uint64_t addr);

#endif /* VMM_SYMBOLS_H */
