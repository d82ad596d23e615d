/* SPDX-License-Identifier: MIT */
/*
 * tty.h: vpio's own terminal, raw for a while, and put back at any end.
 *
 * Threads: one; the end may come from any.
 */

#ifndef VMM_TTY_H
#define VMM_TTY_H

#include "../dmm/cc.h"

/*
 * Every key is passed on as it is typed, Ctrl-C too.  Nothing if (fd) is no
 * terminal.  Undone by tty_restore(), exit(), a crash, SIGQUIT or SIGPIPE.
 */
MUST_CHECK int tty_raw(int fd);
void tty_restore(void);

#endif /* VMM_TTY_H */
