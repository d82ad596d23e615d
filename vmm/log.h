/* SPDX-License-Identifier: MIT */
/*
 * log.h: what vpio says to the person at the terminal, on standard error.
 *
 * The forms with x do not look at errno; the others add ": " and its text.
 * A line is written whole by one write(2), so threads do not mix.  Colour only
 * on a terminal, and not if NO_COLOR is set.
 *
 * Threads: any.
 */

#ifndef VMM_LOG_H
#define VMM_LOG_H

#include "../dmm/cc.h"

/* Exit statuses of vpio. */
enum {
	EXIT_BAD_RUN = 1,   /* a guest ended badly, a check found something */
	EXIT_BAD_INPUT = 2, /* a file or an argument is not what it must be */
};

void log_init(bool quiet, bool verbose);

void log_info(const char *fmt, ...) PRINTF(1, 2);  /* not if quiet */
void log_debug(const char *fmt, ...) PRINTF(1, 2); /* only if verbose */
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_warnx(const char *fmt, ...) PRINTF(1, 2);
/* For what ends in EXIT_BAD_INPUT, when the rest has been looked at, too. */
void log_errorx(const char *fmt, ...) PRINTF(1, 2);

/* Only during set-up: say it and exit with EXIT_BAD_INPUT. */
_Noreturn void fatal(const char *fmt, ...) PRINTF(1, 2);
_Noreturn void fatalx(const char *fmt, ...) PRINTF(1, 2);

/*
 * What the calling thread says from now on is kept, until log_kept() gives it
 * back, for log_text() in a better moment: "" if it was nothing; the caller
 * frees it.  What ends the process is said at once.
 */
void log_keep(void);
char *log_kept(void);
void log_text(const char *text); /* whole lines, as they are */

/* One line that is replaced by the next; only if standard error is a terminal. */
void log_progress(const char *fmt, ...) PRINTF(1, 2);
void log_progress_end(void);

/* malloc and friends that do not return NULL; for set-up, never per access. */
void *xcalloc(size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);

#endif /* VMM_LOG_H */
