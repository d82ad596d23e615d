/* SPDX-License-Identifier: MIT */
/*
 * diag.c: messages about a text: collected, given advice, and shown with the
 * line they are about.
 *
 * Both the messages and the text may hold what a stranger wrote, so nothing
 * leaves diag_render() that a terminal would obey: in messages such bytes are
 * written as \xNN, in source lines as one "?" so that the caret stays right.
 * Columns count code points, and a byte that is not UTF-8 counts as one.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "kinds.h"
#include "utf8.h"

#define TEXT_MAX 400	/* bytes kept of one message or piece of advice */
#define WORD_MAX_LEN 63 /* longer names are never taken for misspelt */
#define SHOWN 120	/* code points of a source line that are shown */

/* A string that grows; once memory was missing it stays as it is. */
struct buf {
	char *s;
	size_t len, size;
	bool failed;
};

void diag_init(struct diag *diag, const char *file)
{
	memset(diag, 0, sizeof(*diag));
	diag->file = file;
}

void diag_fini(struct diag *diag)
{
	for (unsigned int i = 0; i < diag->n; i++) {
		free(diag->message[i].text);
		free(diag->message[i].advice);
		free(diag->message[i].wrong);
		free(diag->message[i].right);
	}
	diag_init(diag, diag->file);
}

/* Format at most TEXT_MAX bytes; a longer text ends in "..." */
static char *format(const char *fmt, va_list ap)
{
	char text[TEXT_MAX + 1];
	int len = vsnprintf(text, sizeof(text), fmt, ap);
	char *copy;

	if (len < 0)
		return NULL;
	if (len > TEXT_MAX) {
		len = TEXT_MAX - 3;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--; /* do not cut a code point in two */
		memcpy(text + len, "...", 4);
		len += 3;
	}
	copy = malloc((size_t)len + 1);
	if (copy)
		memcpy(copy, text, (size_t)len + 1);
	return copy;
}

/*
 * Once one message was dropped all are, so that the last one kept is the last
 * one added exactly while none was dropped: diag_advise() relies on it.
 */
static void add(struct diag *diag, enum diag_level level, struct diag_pos pos,
		const char *fmt, va_list ap)
{
	struct diag_message *m = &diag->message[diag->n];
	const struct diag_kind *kind = diag_kind_of(&fmt);
	char *text = NULL;

	if (level == DIAG_ERROR)
		diag->errors++;
	if (!diag->dropped && diag->n < DIAG_MAX)
		text = format(fmt, ap);
	if (!text) {
		diag->dropped++;
		return;
	}
	*m = (struct diag_message){
		.level = level, .kind = kind, .pos = pos, .text = text
	};
	diag->n++;
}

int diag_error(struct diag *diag, struct diag_pos pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diag, DIAG_ERROR, pos, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

void diag_warning(struct diag *diag, struct diag_pos pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diag, DIAG_WARNING, pos, fmt, ap);
	va_end(ap);
}

void diag_advise(struct diag *diag, const char *fmt, ...)
{
	struct diag_message *m;
	va_list ap;

	if (!diag->n || diag->dropped)
		return;
	m = &diag->message[diag->n - 1];
	free(m->advice);
	va_start(ap, fmt);
	m->advice = format(fmt, ap);
	va_end(ap);
}

void diag_suggest(struct diag *diag, const char *wrong, const char *right)
{
	struct diag_message *m;

	diag_advise(diag, "did you mean \"%s\"?", right);
	if (!diag->n || diag->dropped)
		return;
	m = &diag->message[diag->n - 1];
	m->wrong = strdup(wrong);
	m->right = strdup(right);
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance; neither is over WORD_MAX_LEN long. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t row[3][WORD_MAX_LEN + 1]; /* this one and the two before */

	for (size_t j = 0; j <= nb; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *now = row[i % 3], *last = row[(i + 2) % 3];
		size_t *older = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t d = last[j - 1] + (a[i - 1] != b[j - 1]);

			d = min(d, min(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d = min(d, older[j - 2] + 1);
			now[j] = d;
		}
	}
	return row[na % 3][nb];
}

const char *diag_nearest(const char *word, const char *const names[], size_t n)
{
	size_t len = strlen(word), limit = len / 3, best;
	const char *found = NULL;

	if (!len || len > WORD_MAX_LEN)
		return NULL;
	limit = limit < 1 ? 1 : min(limit, 3);
	best = limit + 1;
	for (size_t i = 0; i < n; i++) {
		size_t ln = strlen(names[i]), d;

		if (ln > WORD_MAX_LEN || ln > len + limit || len > ln + limit)
			continue;
		d = distance(word, len, names[i], ln);
		/* With no letter in common, nothing else was meant. */
		if (d < best && (d < len || d < ln)) {
			best = d;
			found = names[i];
		}
	}
	return found;
}

/* Room for (more) bytes and the NUL. */
static bool buf_room(struct buf *b, size_t more)
{
	size_t size = b->size ? b->size : 256;
	char *s;

	if (b->failed)
		return false;
	while (size - b->len <= more)
		size *= 2;
	if (size == b->size)
		return true;
	s = realloc(b->s, size);
	if (!s) {
		b->failed = true;
		return false;
	}
	b->s = s;
	b->size = size;
	return true;
}

static void buf_add(struct buf *b, const char *s, size_t len)
{
	if (!buf_room(b, len))
		return;
	memcpy(b->s + b->len, s, len);
	b->len += len;
	b->s[b->len] = '\0';
}

static void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/* For numbers and such: what comes out is short. */
static void buf_printf(struct buf *b, const char *fmt, ...)
{
	char text[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_str(b, text);
}

/*
 * Bytes of the code point at (s), which has (len) bytes left, at least 1; or
 * 0 if it is not one, or not one to be shown.
 */
static size_t glyph(const char *s, size_t len)
{
	size_t n;
	uint32_t c = utf8_get(s, len, &n);

	return c < 0x20 || utf8_wrong(c) ? 0 : n;
}

/* Bytes of the column at (s): a code point, or one byte that is none. */
static size_t column_len(const char *s, size_t len)
{
	unsigned char c = (unsigned char)*s;
	size_t want = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, n = 1;

	while (n < min(want, len) && ((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* A message's text, made harmless. */
static void buf_safe(struct buf *b, const char *s)
{
	size_t len = strlen(s);

	while (len) {
		size_t n = glyph(s, len);

		if (n)
			buf_add(b, s, n);
		else
			buf_printf(b, "\\x%02x", (unsigned char)*s);
		n = n ? n : 1;
		s += n;
		len -= n;
	}
}

/* Line (line) of (text): true if there is one. */
static bool find_line(const char *text, size_t len, uint32_t line,
		      const char **start, size_t *line_len)
{
	size_t at = 0, end;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		at = 3; /* a byte order mark is no column */
	for (;; at++) {
		end = at;
		while (end < len && text[end] != '\n' && text[end] != '\r')
			end++;
		if (line == 1)
			break;
		if (end >= len)
			return false;
		line--;
		at = end;
		if (text[at] == '\r' && at + 1 < len && text[at + 1] == '\n')
			at++;
	}
	*start = text + at;
	*line_len = end - at;
	return true;
}

/*
 * One of the two lines about the columns [from, to) of a source line: the line
 * itself, or blanks as wide as it is.  Tabs stay tabs in both.
 */
static void buf_columns(struct buf *b, const char *s, size_t len, size_t from,
			size_t to, bool blank)
{
	for (size_t column = 0; len && column < to; column++) {
		size_t n = column_len(s, len);

		if (column >= from && *s == '\t')
			buf_add(b, "\t", 1);
		else if (column >= from && blank)
			buf_add(b, " ", 1);
		else if (column >= from && glyph(s, n) == n)
			buf_add(b, s, n);
		else if (column >= from)
			buf_add(b, "?", 1);
		s += n;
		len -= n;
	}
}

/* The source line of a message, cut around its column, and the caret. */
static void buf_source(struct buf *b, struct diag_pos pos, const char *text,
		       size_t len)
{
	const char *s;
	size_t n, width = 0, from = 0, caret;

	if (!pos.line || !text || !find_line(text, len, pos.line, &s, &n))
		return;
	for (size_t at = 0; at < n; at += column_len(s + at, n - at))
		width++;
	/* What is wrong may be what is missing at the end of the line. */
	caret = pos.column ? min(pos.column - 1, width) : 0;
	if (width > SHOWN && caret > SHOWN / 2)
		from = min(caret - SHOWN / 2, width - SHOWN);
	buf_printf(b, "%5u | %s", (unsigned int)pos.line, from ? "..." : "");
	buf_columns(b, s, n, from, from + SHOWN, false);
	buf_str(b, from + SHOWN < width ? "...\n" : "\n");
	if (!pos.column)
		return;
	buf_printf(b, "      | %s", from ? "   " : "");
	buf_columns(b, s, n, from, caret, true);
	buf_str(b, "^\n");
}

static void buf_message(struct buf *b, const struct diag *diag,
			const struct diag_message *m, const char *text,
			size_t len)
{
	buf_safe(b, diag->file ? diag->file : "(text)");
	if (m->pos.line)
		buf_printf(b, ":%u", (unsigned int)m->pos.line);
	if (m->pos.line && m->pos.column)
		buf_printf(b, ":%u", (unsigned int)m->pos.column);
	buf_str(b, m->level == DIAG_ERROR ? ": error: " : ": warning: ");
	buf_safe(b, m->text);
	buf_str(b, "\n");
	buf_source(b, m->pos, text, len);
	if (m->advice) {
		buf_str(b, "      = ");
		buf_safe(b, m->advice);
		buf_str(b, "\n");
	}
}

static bool before(struct diag_pos a, struct diag_pos b)
{
	return a.line != b.line ? a.line < b.line : a.column < b.column;
}

char *diag_render(const struct diag *diag, const char *text, size_t len)
{
	unsigned int order[DIAG_MAX];
	struct buf b = { 0 };

	for (unsigned int i = 0; i < diag->n; i++) {
		unsigned int at = i;

		while (at && before(diag->message[i].pos,
				    diag->message[order[at - 1]].pos)) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = i;
	}
	buf_str(&b, "");
	for (unsigned int i = 0; i < diag->n; i++)
		buf_message(&b, diag, &diag->message[order[i]], text, len);
	if (diag->dropped) {
		buf_safe(&b, diag->file ? diag->file : "(text)");
		buf_printf(&b, ": %u more message%s not shown\n", diag->dropped,
			   diag->dropped == 1 ? "" : "s");
	}
	if (b.failed) {
		free(b.s);
		return NULL;
	}
	return b.s;
}
