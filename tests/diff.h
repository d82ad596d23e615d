/* SPDX-License-Identifier: MIT */
/*
 * diff.h: a simulated card held against a stock QEMU's, both behind
 * vmm/backend.h: the same accesses go to both, and what comes back is
 * compared.
 *
 * Interface:
 *  - a part has a sequence: a driver that does what the data sheet allows, in
 *    an order and with values that diff_random() gives;
 *  - diff_check() runs it, in a process a seed: VPIO_DIFF_SEED in the
 *    environment is one seed instead, VPIO_DIFF_STEPS how long each is;
 *  - what both do differently is an exception of the part, by its name in
 *    docs/sim.md: bits of registers, or something that the sequence knows of
 *    (diff_excuse()).  Each is to be met, or it has no business there.
 *
 * At the first difference the sequence is over: diff_fail() does not return.
 */

#ifndef TESTS_DIFF_H
#define TESTS_DIFF_H

#include <setjmp.h>

#include "dmm/cc.h"
#include "vmm/backend.h"
#include "vmm/net.h"

#define DIFF_FRAMES 64 /* that come out between two diff_settle() */
#define DIFF_EXCEPTIONS 48
#define DIFF_LOG 40

enum { DIFF_SIM, DIFF_QEMU, DIFF_SIDES };

/* Registers (first) to (last) differ in (mask); mask 0: see diff_excuse(). */
struct diff_exception {
	const char *name;
	uint32_t first, last, mask;
};

struct diff;

struct diff_part {
	const char *name;
	uint16_t vendor, device;
	const struct diff_exception *exceptions; /* the end has no name */
	uint64_t memory;   /* bytes that the card reaches; 0: masters no bus */
	uint64_t harmless; /* a register that can be read at any time */
	/* QEMU's frames that are shorter get zeros; exception (padded). */
	unsigned int pad;
	const char *padded;
	unsigned int steps;
	void (*sequence)(struct diff *d);
};

/* What the simulated card, or what we see of it, does wrong for a test. */
enum diff_wrong {
	DIFF_RIGHT,
	DIFF_WRONG_READ,   /* a bit of what is read at (at) */
	DIFF_WRONG_WRITE,  /* a bit of what is written at (at) */
	DIFF_WRONG_STRING, /* a bit of a string that is read at (at) */
	DIFF_WRONG_LEVEL,  /* the interrupt pin */
	DIFF_WRONG_FRAME,  /* a bit of a frame that comes out */
	DIFF_WRONG_LOST,   /* a frame does not come out */
	DIFF_WRONG_MEMORY, /* a bit of memory, at (at) */
};

struct diff_error {
	const char *name;
	enum diff_wrong wrong;
	uint64_t at, bit;
};

struct diff_frame {
	size_t len;
	uint8_t data[NET_MAX + 1];
};

struct diff_side {
	const char *name;
	struct backend *be;
	struct tree *tree;
	char local[64], remote[64];
	int wire; /* the other end of the card's */
	uint8_t *memory;
	size_t n_out;
	struct diff_frame out[DIFF_FRAMES]; /* since diff_settle() */
};

/* What was compared, by all processes together. */
struct diff_tally {
	uint64_t accesses, bytes, frames, levels, settled;
	uint64_t met[DIFF_EXCEPTIONS];
};

struct diff {
	struct diff_side side[DIFF_SIDES];
	const struct diff_part *part;
	const struct diff_error *error;
	struct diff_tally *tally;
	uint64_t seed, random;
	unsigned int steps, step;
	uint64_t iova; /* of the memory, on both sides */
	uint32_t socket_n;
	int socket
		[16]; /* of this process: frames are in none, or on their way */
	uint64_t written; /* accesses, for the log */
	char log[DIFF_LOG][80];
	char why[400];
	char dir[32];
	jmp_buf over;
	void *driver; /* the sequence's */
};

extern const uint8_t diff_mac[6]; /* of both cards */

bool diff_have_qemu(void);

/*
 * Run the sequence with each of the seeds, and say what was compared and how
 * often each exception was met.  The number of seeds that saw a difference, or
 * could not run; of the exceptions that none met, if they ran as usual; and of
 * those that docs/sim.md does not name.
 */
MUST_CHECK unsigned int diff_check(const struct diff_part *part,
				   const uint64_t *seeds, size_t n);

/* How many of (errors) the sequence does not notice; they are named. */
MUST_CHECK unsigned int diff_notices(const struct diff_part *part,
				     const struct diff_error *errors, size_t n);

/* Cards alone, for a test that drives each by itself. */
MUST_CHECK int diff_open(struct diff **out, const struct diff_part *part);
void diff_close(struct diff *d);

/*
 * For the sequence.
 */

_Noreturn void diff_fail(struct diff *d, const char *fmt, ...) PRINTF(2, 3);
void diff_note(struct diff *d, const char *fmt, ...) PRINTF(2, 3);
/* Exception (name) was met. */
void diff_excuse(struct diff *d, const char *name);

uint32_t diff_random(struct diff *d, uint32_t below);
bool diff_chance(struct diff *d, unsigned int percent);

/* BAR 0; (reg) is what exceptions call the register at (off). */
void diff_write(struct diff *d, uint64_t off, unsigned int width,
		uint32_t value);
/* Compares, but for exceptions, whose bits are 0 in what it returns. */
uint32_t diff_read(struct diff *d, uint32_t reg, uint64_t off,
		   unsigned int width);
/* Compares nothing. */
void diff_read_both(struct diff *d, uint64_t off, unsigned int width,
		    uint32_t value[DIFF_SIDES]);
void diff_write_string(struct diff *d, uint64_t off, unsigned int width,
		       const void *from, size_t n);
void diff_read_strings(struct diff *d, uint64_t off, unsigned int width,
		       uint8_t *to[DIFF_SIDES], size_t n);
/* Both are the same (n) bytes of (what), the first of them at (at). */
void diff_same(struct diff *d, const char *what, uint64_t at, const uint8_t *a,
	       const uint8_t *b, size_t n);

/* The same into both memories; all of both compared. */
void diff_poke(struct diff *d, uint64_t at, const void *from, size_t len);
void diff_memory(struct diff *d);

/* Put a frame on both wires. */
void diff_inject(struct diff *d, const uint8_t *frame, size_t len);
/* Wait until both cards have done all there is to do. */
void diff_quiet(struct diff *d);
/* And compare the frames that came out, and the interrupt pins. */
void diff_settle(struct diff *d);

void diff_sleep_us(unsigned int us);

#endif /* TESTS_DIFF_H */
