// SPDX-License-Identifier: MIT
/*
 * tty.c: vpio's own terminal, raw for a while, and put back at any end.
 */

#include "tty.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "crash.h"

static struct termios before;
static int terminal;
static atomic_bool raw;

/* Also in a signal handler: tcsetattr() may be called there. */
void tty_restore(void)
{
	if (atomic_exchange(&raw, false))
		tcsetattr(terminal, TCSANOW, &before);
}

static void restore_and_die(int signal)
{
	tty_restore();
	sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	raise(signal);
}

static void restore_at_any_end(void)
{
	static const int deadly[] = { SIGQUIT, SIGPIPE };
	struct sigaction now;
	static bool done;

	if (done)
		return;
	done = true;
	atexit(tty_restore);
	crash_also(tty_restore);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++) {
		struct sigaction action = { .sa_handler = restore_and_die };

		if (!sigaction(deadly[i], NULL, &now) &&
		    now.sa_handler == SIG_DFL)
			sigaction(deadly[i], &action, NULL);
	}
}

int tty_raw(int fd)
{
	struct termios wanted;

	if (!isatty(fd))
		return 0;
	if (tcgetattr(fd, &before))
		return -errno;
	restore_at_any_end();
	terminal = fd;
	wanted = before;
	cfmakeraw(&wanted);
	/* our own lines end in a newline, which is to be a new line */
	wanted.c_oflag |= OPOST | ONLCR;
	atomic_store(&raw, true);
	if (!tcsetattr(fd, TCSANOW, &wanted))
		return 0;
	atomic_store(&raw, false);
	return -errno;
}
