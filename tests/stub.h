/* SPDX-License-Identifier: MIT */
/*
 * stub.h: a model in a few lines, and a device that is no more than a memory
 * and a log of what was done to it: for tests of what a monitor does.
 *
 *	stub_model(&s, "device: { name: t }\n…");
 *	stub_open(&s, DMM_EXCLUSIVE, 1);
 *	stub_write(&s, 0, 0x04, 1, 0x40);
 *	assert_string_equal(stub_log(&s), "w0+4.1=40 ");
 *	stub_close(&s);
 *
 * All fail the running test if something cannot be done that should be.
 */

#ifndef TESTS_STUB_H
#define TESTS_STUB_H

#include "dmm/mon.h"

#define STUB_SPACES MODEL_MAX_SPACES
#define STUB_BYTES 0x2000u
#define STUB_LOG 4096u
#define STUB_MEMORY 0x10000u /* a guest's, from 0 */

struct stub {
	struct diag diag;
	struct dmm_model *model;
	struct dmm *dmm;
	struct dmm_host host;
	struct dmm_conf conf; /* as stub_open() had it */
	/* what reads say; with (keeps) a write changes it */
	uint8_t says[STUB_SPACES][STUB_BYTES];
	bool keeps;
	uint8_t memory[STUB_MEMORY];
	uint64_t now;
	char log[STUB_LOG]; /* "r0+4.1 ", "w0+4.1=40 ", "m0.2 ", in hex */
	size_t logged;
	enum dmm_verdict verdict; /* of the last access */
	struct dmm_report report; /* the last one; access is not kept */
	unsigned int reports, resets, wakes, frames, dues;
	bool line[DMM_MAX_GUESTS];
};

/* Start with an empty stub; compile (text), which must be a model. */
void stub_model(struct stub *s, const char *text);
/*
 * Compile what is no model: of (n) errors in all, the one that comes first in
 * the text must be (message), at (line) and (column).
 */
void stub_bad(const char *text, unsigned int n, uint32_t line, uint32_t column,
	      const char *message);
/* Watch the device for (guests); empties the log. */
void stub_open(struct stub *s, enum dmm_how how, unsigned int guests);
/* The same where the model may say no: 0 or what dmm_open() returned. */
int stub_try(struct stub *s, enum dmm_how how, unsigned int guests);
void stub_close(struct stub *s); /* the model too */

/* One access of guest 0; the verdict is in s->verdict. */
void stub_write(struct stub *s, unsigned int space, uint64_t off,
		unsigned int width, uint64_t value);
uint64_t stub_read(struct stub *s, unsigned int space, uint64_t off,
		   unsigned int width);
/* The same, of any guest. */
void stub_write_as(struct stub *s, unsigned int guest, unsigned int space,
		   uint64_t off, unsigned int width, uint64_t value);
uint64_t stub_read_as(struct stub *s, unsigned int guest, unsigned int space,
		      uint64_t off, unsigned int width);

/* What was done to the device since the last call. */
const char *stub_log(struct stub *s);

/* The latch of guest 0's register (name); its index in the model. */
uint64_t stub_latch(struct stub *s, const char *name);
unsigned int stub_reg(const struct stub *s, const char *name);
/* Accesses of guest 0 by (path) so far. */
uint64_t stub_count(struct stub *s, enum dmm_path path);

#endif /* TESTS_STUB_H */
