/* SPDX-License-Identifier: MIT */
/*
 * console.h: guests' serial ports to be typed into: on vpio's own terminal,
 * one guest at a time, or each on a pseudo-terminal or a socket of its own.
 *
 * Interface: console_open(), console_add() for each guest, console_start();
 * console_ended() as each ends, console_close() before their machines go.
 * What the guest says goes there as it is, not made safe as log lines are.
 *
 * The terminal is raw from console_start() to console_close(), exit(), or the
 * end of a process that crashes.
 *
 * Errors:  -errno with one line in (*why), which the caller frees.
 * Threads: console_ended() from any, the others from one; it has a thread of
 *          its own.
 */

#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include "../dmm/cc.h"

enum console_kind {
	CONSOLE_NONE,
	CONSOLE_TERMINAL,
	CONSOLE_PTY,
	CONSOLE_SOCKET
};

#define CONSOLE_ESCAPE 0x1d /* Ctrl-], unless told otherwise */

struct console;
struct serial;

struct console_conf {
	int in, out;		 /* the terminal, or files instead */
	uint8_t escape;		 /* 0: CONSOLE_ESCAPE */
	void (*quit)(void *ctx); /* escape and q; on the console's thread */
	void *ctx;
};

MUST_CHECK int console_open(struct console **out,
			    const struct console_conf *conf, char **why);

/*
 * The port of guest (guest), which has not started; borrows the name and the
 * port.  (path) is the socket's.
 */
MUST_CHECK int console_add(struct console *console, unsigned int guest,
			   const char *name, struct serial *serial,
			   enum console_kind kind, const char *path,
			   char **why);

MUST_CHECK int console_start(struct console *console, char **why);

/* The guest has ended; if it had the terminal, another one gets it. */
void console_ended(struct console *console, unsigned int guest);

void console_close(struct console *console); /* NULL is fine */

#endif /* VMM_CONSOLE_H */
