/* SPDX-License-Identifier: MIT */
/*
 * crash.h: when vpio itself crashes: a backtrace, and what this thread was
 * doing for which guest.
 *
 * Interface:
 *  - crash_init() once, early; crash_thread() at the start of each thread that
 *    is to survive a stack overflow long enough to tell of it;
 *  - crash_note_set() and crash_note_clear() around an access: plain stores,
 *    nothing that costs.
 */

#ifndef VMM_CRASH_H
#define VMM_CRASH_H

#include "../dmm/cc.h"

/* What a thread does at the moment; strings live as long as the thread. */
struct crash_note {
	const char *guest;     /* NULL: none */
	const char *device;    /* NULL: none */
	const char *operation; /* NULL: nothing noted */
	uint64_t address;
	uint64_t value;
	unsigned int width; /* bytes */
};

/* Volatile: a signal handler of the same thread reads it. */
extern _Thread_local volatile struct crash_note crash_note;

static inline void crash_note_set(const char *guest, const char *device,
				  const char *operation, uint64_t address,
				  uint64_t value, unsigned int width)
{
	crash_note.guest = guest;
	crash_note.device = device;
	crash_note.address = address;
	crash_note.value = value;
	crash_note.width = width;
	crash_note.operation = operation; /* last: the rest is whole then */
}

static inline void crash_note_clear(void)
{
	crash_note.operation = NULL;
}

/* Handle SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT: tell, then die of it. */
void crash_init(void);

/*
 * Call (fn), too, when it has been told: in the signal handler, so what it may
 * do is little.  Two such functions are enough for us.
 */
void crash_also(void (*fn)(void));

/* Give the calling thread a stack to handle them on; crash_init() does, too. */
void crash_thread(void);

#endif /* VMM_CRASH_H */
