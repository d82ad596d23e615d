/* SPDX-License-Identifier: MIT */
/*
 * log.c: lines for the person at the terminal, each written by one write(2).
 */

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define LOG_LINE 4096
#define LOG_ERASE "\r\033[K" /* a progress line that stands there */

enum level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR, LEVEL_FATAL };

static const struct {
	const char *colour; /* of the prefix */
	const char *prefix;
} levels[] = {
	[LEVEL_DEBUG] = { "\033[2m", "vpio: " },
	[LEVEL_INFO] = { "", "vpio: " },
	[LEVEL_WARN] = { "\033[33m", "vpio: warning: " },
	[LEVEL_ERROR] = { "\033[31m", "vpio: error: " },
	[LEVEL_FATAL] = { "\033[31m", "vpio: error: " },
};

static bool quiet, verbose, terminal, colour;
static atomic_bool progress; /* a progress line stands on the terminal */
static _Thread_local struct {
	FILE *to; /* NULL: nothing is kept */
	char *text;
	size_t len;
} kept;

/* A line in the making; what does not fit is cut, and shown to be. */
struct line {
	size_t len;
	char text[LOG_LINE];
};

void log_init(bool be_quiet, bool be_verbose)
{
	const char *term = getenv("TERM");

	quiet = be_quiet;
	verbose = be_verbose;
	terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
	colour = terminal && !getenv("NO_COLOR");
}

static void line_add(struct line *line, const char *text)
{
	size_t room = sizeof(line->text) - line->len - 1;
	size_t len = strlen(text);

	if (len > room)
		len = room;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	line->text[line->len] = '\0';
}

/*
 * Add a message.  Names and texts in it may come from a guest or a file, so
 * no control character of theirs reaches the terminal.
 */
static void line_format(struct line *line, const char *fmt, va_list args)
{
	/* Room for what ends a line: the text of errno, a newline. */
	size_t room = sizeof(line->text) - line->len - 256;
	char *at = line->text + line->len;
	int len = vsnprintf(at, room, fmt, args);

	if (len < 0)
		return;
	if ((size_t)len >= room) {
		memcpy(at + room - 4, "...", 3);
		len = (int)room - 1;
	}
	for (int i = 0; i < len; i++) {
		unsigned char c = (unsigned char)at[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			at[i] = '?';
	}
	line->len += (size_t)len;
}

static void write_all(const char *text, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(STDERR_FILENO, text + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody is there to tell */
		done += (size_t)n;
	}
}

static void line_write(struct line *line)
{
	write_all(line->text, line->len);
}

static void say(enum level level, int error, const char *fmt, va_list args)
{
	bool keep = kept.to && level != LEVEL_FATAL;
	struct line line = { 0 };
	int saved = errno;

	if (!keep && atomic_exchange(&progress, false))
		line_add(&line, LOG_ERASE);
	if (colour)
		line_add(&line, levels[level].colour);
	line_add(&line, levels[level].prefix);
	if (colour && *levels[level].colour)
		line_add(&line, "\033[0m");
	line_format(&line, fmt, args);
	if (error) {
		char text[128];

		line_add(&line, ": ");
		line_add(&line, strerror_r(error, text, sizeof(text)));
	}
	if (line.text[line.len - 1] != '\n')
		line_add(&line, "\n");
	if (keep)
		fwrite(line.text, 1, line.len, kept.to);
	else
		line_write(&line);
	errno = saved;
}

void log_keep(void)
{
	kept.text = NULL;
	kept.to = open_memstream(&kept.text, &kept.len);
	if (!kept.to)
		fatal("cannot keep what is said");
}

char *log_kept(void)
{
	if (fclose(kept.to))
		fatal("cannot keep what is said");
	kept.to = NULL;
	return kept.text;
}

void log_text(const char *text)
{
	if (!*text)
		return;
	if (kept.to) {
		fputs(text, kept.to);
		return;
	}
	log_progress_end();
	write_all(text, strlen(text));
}

void log_info(const char *fmt, ...)
{
	va_list args;

	if (quiet)
		return;
	va_start(args, fmt);
	say(LEVEL_INFO, 0, fmt, args);
	va_end(args);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	if (!verbose)
		return;
	va_start(args, fmt);
	say(LEVEL_DEBUG, 0, fmt, args);
	va_end(args);
}

void log_warn(const char *fmt, ...)
{
	int error = errno;
	va_list args;

	va_start(args, fmt);
	say(LEVEL_WARN, error, fmt, args);
	va_end(args);
}

void log_warnx(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(LEVEL_WARN, 0, fmt, args);
	va_end(args);
}

void log_errorx(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(LEVEL_ERROR, 0, fmt, args);
	va_end(args);
}

void fatal(const char *fmt, ...)
{
	int error = errno;
	va_list args;

	va_start(args, fmt);
	say(LEVEL_FATAL, error, fmt, args);
	va_end(args);
	exit(EXIT_BAD_INPUT);
}

void fatalx(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(LEVEL_FATAL, 0, fmt, args);
	va_end(args);
	exit(EXIT_BAD_INPUT);
}

void log_progress(const char *fmt, ...)
{
	struct line line = { 0 };
	va_list args;

	if (!terminal || quiet)
		return;
	line_add(&line, LOG_ERASE);
	va_start(args, fmt);
	line_format(&line, fmt, args);
	va_end(args);
	atomic_store(&progress, true);
	line_write(&line);
}

void log_progress_end(void)
{
	struct line line = { 0 };

	if (!atomic_exchange(&progress, false))
		return;
	line_add(&line, LOG_ERASE);
	line_write(&line);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		fatalx("no memory for %zu elements of %zu bytes", n, size);
	return p;
}

char *xstrdup(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		fatalx("no memory for a string of %zu bytes", strlen(s));
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	char *s = NULL;

	va_start(args, fmt);
	if (vasprintf(&s, fmt, args) < 0)
		fatalx("no memory for a string");
	va_end(args);
	return s;
}
