// SPDX-License-Identifier: MIT
/*
 * fmt.c: the one layout of a model's text.
 *
 * By lines: each is cut into its tokens and put together anew (cut_line), then
 * the names of neighbours are brought to one width (align), then all is
 * written with its indentation (write_out).  None of this knows all of YAML:
 * where it errs, the result is another tree, and is refused (same_tree).
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "kinds.h"
#include "load.h"

#define MAX_OPEN 64   /* brackets in each other */
#define MAX_LEVELS 64 /* of indentation */
#define WIDE_NAME 32  /* a longer one is no measure for its neighbours */
static const size_t comment_columns[] = { 47, 88 };

struct line {
	char *text;	     /* put together anew; without its comment */
	const char *comment; /* in the source, or NULL */
	size_t comment_len;
	size_t name; /* bytes of "NAME:", where a value follows; or 0 */
	size_t pad;  /* blanks behind it, beyond the one */
	unsigned int indent;
	unsigned int closes; /* brackets of lines before that end here */
	bool blank, raw;     /* raw: begins inside a string */
	bool inside;	     /* begins inside brackets */
	bool leads_closed;   /* begins with what ends a bracket */
	bool dash;
	size_t open[MAX_OPEN]; /* where in (text) brackets open that stay so */
	unsigned int opens;
};

struct level {
	size_t from;	 /* 2 * column in the source, + 1 for a dash */
	unsigned int to; /* column in the result */
};

struct fmt {
	const char *p, *end; /* the rest of the source */
	struct line *line;
	size_t lines, room;
	struct level level[MAX_LEVELS];
	unsigned int levels;
	unsigned int depth; /* of brackets */
	char quote;	    /* of a string that goes on in the next line */
	bool failed;	    /* cannot be laid out, in line (lines) */
	bool no_memory;
};

/* A line that is put together. */
struct buf {
	char *s;
	size_t len;
};

/* ---- tokens ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void put(struct buf *b, const char *s, size_t len)
{
	memcpy(b->s + b->len, s, len);
	b->len += len;
}

static void blank_before(struct buf *b)
{
	if (b->len && b->s[b->len - 1] != ' ')
		b->s[b->len++] = ' ';
}

/* The end of a string that began with (quote) before (p), or NULL. */
static const char *string_end(const char *p, const char *end, char quote)
{
	for (; p < end; p++) {
		if (quote == '"' && *p == '\\' && p + 1 < end) {
			p++;
		} else if (*p == quote) {
			if (quote != '\'' || p + 1 == end || p[1] != '\'')
				return p + 1;
			p++;
		}
	}
	return NULL;
}

/* ":" ends a key here. */
static bool is_colon(const char *p, const char *end, bool flow)
{
	return *p == ':' && (p + 1 == end || is_blank(p[1]) ||
			     (flow && strchr(",[]{}", p[1])));
}

static const char *plain_end(const char *p, const char *end, bool flow)
{
	const char *start = p, *last;
	bool mark = *p == '&' || *p == '*' || *p == '!';

	for (; p < end; p++) {
		if (is_colon(p, end, flow) && !(mark && *start == '*'))
			break;
		if (flow && strchr(",[]{}", *p))
			break;
		if (is_blank(*p) && (mark || (p + 1 < end && p[1] == '#')))
			break;
	}
	for (last = p; last > start && is_blank(last[-1]);)
		last--;
	return last > start ? last : start + 1;
}

static void open_bracket(struct fmt *f, struct line *l, struct buf *b, char c)
{
	blank_before(b);
	if (l->opens == MAX_OPEN || f->depth == MAX_OPEN) {
		f->failed = true;
		return;
	}
	l->open[l->opens++] = b->len;
	f->depth++;
	put(b, &c, 1);
}

static void close_bracket(struct fmt *f, struct line *l, struct buf *b, char c)
{
	if (!f->depth) {
		f->failed = true;
		return;
	}
	/* "{}", else "{ … }" */
	if (b->len && b->s[b->len - 1] != '{' && b->s[b->len - 1] != '[')
		blank_before(b);
	if (!b->len)
		l->leads_closed = true;
	if (l->opens)
		l->opens--;
	else
		l->closes++;
	f->depth--;
	put(b, &c, 1);
}

/* One token at (p), onto (b); returns what is behind it. */
static const char *token(struct fmt *f, struct line *l, struct buf *b,
			 const char *p, const char *end)
{
	bool flow = f->depth > 0;
	const char *to;
	char last;

	if (*p == '{' || *p == '[') {
		open_bracket(f, l, b, *p);
		return p + 1;
	}
	if (flow && (*p == '}' || *p == ']')) {
		close_bracket(f, l, b, *p);
		return p + 1;
	}
	if ((flow && *p == ',') || is_colon(p, end, flow)) {
		while (b->len && b->s[b->len - 1] == ' ')
			b->len--;
		put(b, p, 1);
		if (*p == ':' && !flow && !l->name && !l->inside)
			l->name = b->len;
		return p + 1;
	}
	last = b->len ? b->s[b->len - 1] : ' ';
	if (last != ' ')
		blank_before(b);
	if (*p == '"' || *p == '\'') {
		to = string_end(p + 1, end, *p);
		if (!to) {
			f->quote = *p;
			to = end;
		}
	} else {
		to = plain_end(p, end, flow);
	}
	put(b, p, (size_t)(to - p));
	return to;
}

/* "- " at the beginning, as often as it stands there. */
static const char *dashes(struct fmt *f, struct line *l, struct buf *b,
			  const char *start, const char *p, const char *end)
{
	while (p < end && *p == '-' && (p + 1 == end || is_blank(p[1]))) {
		put(b, "- ", 2);
		for (p++; p < end && is_blank(*p);)
			p++;
		l->dash = true;
		if (p == end || *p == '#' || f->levels == MAX_LEVELS)
			break;
		/* what the dash is of begins here */
		f->level[f->levels] =
			(struct level){ .from = 2 * (size_t)(p - start),
					.to = f->level[f->levels - 1].to + 2 };
		f->levels++;
	}
	return p;
}

static void indent(struct fmt *f, struct line *l, size_t column, bool dash)
{
	size_t from = 2 * column + dash;

	while (f->levels > 1 && f->level[f->levels - 1].from > from)
		f->levels--;
	if (f->level[f->levels - 1].from < from) {
		if (f->levels == MAX_LEVELS) {
			f->failed = true;
			return;
		}
		f->level[f->levels] =
			(struct level){ .from = from,
					.to = f->level[f->levels - 1].to + 2 };
		f->levels++;
	}
	l->indent = f->level[f->levels - 1].to;
}

/* The value of a key may not be a block scalar: its lines are no tokens. */
static bool is_block_scalar(const struct buf *b, const char *p)
{
	return (*p == '|' || *p == '>') &&
	       (!b->len || b->s[b->len - 1] == ':' || b->s[b->len - 1] == ' ');
}

static void tokens(struct fmt *f, struct line *l, struct buf *b, const char *p,
		   const char *end)
{
	while (!f->failed && p < end) {
		if (is_blank(*p)) {
			p++;
			continue;
		}
		if (*p == '#') {
			l->comment = p;
			l->comment_len = (size_t)(end - p);
			break;
		}
		if (!f->depth && is_block_scalar(b, p)) {
			f->failed = true;
			break;
		}
		p = token(f, l, b, p, end);
		if (f->quote)
			break;
	}
	while (l->comment_len && is_blank(l->comment[l->comment_len - 1]))
		l->comment_len--;
	/* behind a "- " without anything, and the like */
	while (b->len && b->s[b->len - 1] == ' ' && !f->quote)
		b->len--;
}

/* The line [start, end), put together anew. */
static void cut_line(struct fmt *f, struct line *l, const char *start,
		     const char *end)
{
	/* each token may get a blank at both sides */
	struct buf b = { .s = malloc(3 * (size_t)(end - start) + 4) };
	const char *p = start, *to;

	if (!b.s) {
		f->no_memory = true;
		return;
	}
	l->text = b.s;
	l->inside = f->depth > 0;
	if (f->quote) {
		l->raw = true;
		to = string_end(p, end, f->quote);
		if (to)
			f->quote = 0;
		put(&b, p, (size_t)((to ? to : end) - p));
		p = to ? to : end;
	} else {
		while (p < end && is_blank(*p))
			p++;
		l->blank = p == end;
		if (p < end && *p != '#' && !l->inside) {
			bool dash = *p == '-' &&
				    (p + 1 == end || is_blank(p[1]));

			indent(f, l, (size_t)(p - start), dash);
			p = dashes(f, l, &b, start, p, end);
		}
	}
	if (!f->quote)
		tokens(f, l, &b, p, end);
	b.s[b.len] = '\0';
	if (l->name == b.len || l->dash || l->raw)
		l->name = 0; /* no value in this line, or no neighbours */
}

static bool more_room(struct fmt *f)
{
	size_t room = f->room ? 2 * f->room : 64;
	struct line *line;

	if (f->lines < f->room)
		return true;
	line = realloc(f->line, room * sizeof(*line));
	if (!line)
		return false;
	f->line = line;
	f->room = room;
	return true;
}

static void cut_all(struct fmt *f)
{
	const char *stop;

	f->level[0] = (struct level){ 0, 0 };
	f->levels = 1;
	while (f->p < f->end && !f->failed && !f->no_memory) {
		for (stop = f->p; stop < f->end && *stop != '\n';)
			stop++;
		if (!more_room(f)) {
			f->no_memory = true;
			break;
		}
		f->line[f->lines] = (struct line){ .text = NULL };
		cut_line(f, &f->line[f->lines++], f->p, stop);
		f->p = stop + (stop < f->end);
	}
	f->failed |= f->depth || f->quote;
}

/* ---- neighbours ---- */

static size_t columns(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

/* Has (l) no say in who is whose neighbour? */
static bool between(const struct line *l)
{
	return l->inside || l->raw || (!*l->text && !l->blank);
}

/* Names that follow each other in one mapping, each with a value behind it. */
static void align(struct fmt *f)
{
	size_t i, k, wide, name;

	for (i = 0; i < f->lines; i = k) {
		wide = 0;
		for (k = i; k < f->lines; k++) {
			const struct line *l = &f->line[k];

			if (k > i && between(l))
				continue;
			if (!l->name || l->indent != f->line[i].indent)
				break;
			name = columns(l->text, l->name);
			if (name <= WIDE_NAME && name > wide)
				wide = name;
		}
		if (k == i) {
			k++;
			continue;
		}
		for (size_t n = i; n < k; n++) {
			struct line *l = &f->line[n];

			name = columns(l->text, l->name);
			if (l->name && !between(l) && name < wide)
				l->pad = wide - name;
		}
	}
}

/* A comment by itself stands as what follows it does. */
static void place_comments(struct fmt *f)
{
	unsigned int next = 0;

	for (size_t i = f->lines; i-- > 0;) {
		struct line *l = &f->line[i];

		if (l->blank || l->inside || l->raw)
			continue;
		if (!*l->text)
			l->indent = next;
		else
			next = l->indent;
	}
}

/* ---- the result ---- */

struct sink {
	char *s;
	size_t len, size;
	bool failed;
};

static void add(struct sink *out, const char *s, size_t len)
{
	size_t size = out->size ? out->size : 4096;
	char *more;

	while (size - out->len <= len)
		size *= 2;
	if (size != out->size) {
		more = realloc(out->s, size);
		if (!more) {
			out->failed = true;
			return;
		}
		out->s = more;
		out->size = size;
	}
	memcpy(out->s + out->len, s, len);
	out->len += len;
	out->s[out->len] = '\0';
}

static void blanks(struct sink *out, size_t n)
{
	for (; n && !out->failed; n--)
		add(out, " ", 1);
}

/* Behind (at) columns of text, which may be none. */
static void add_comment(struct sink *out, const struct line *l, size_t at,
			bool alone)
{
	size_t to = at + 3, i;

	if (!l->comment)
		return;
	for (i = 0; i < ARRAY_LEN(comment_columns); i++) {
		if (at + 2 <= comment_columns[i]) {
			to = comment_columns[i];
			break;
		}
	}
	if (!alone)
		blanks(out, to - at);
	add(out, l->comment, l->comment_len);
}

static void write_line(struct sink *out, struct line *l, size_t open[],
		       unsigned int *opens)
{
	size_t column = l->indent, len = strlen(l->text), i;

	if (l->raw)
		column = 0;
	else if (l->inside && *opens)
		column = open[*opens - 1] + (l->leads_closed ? 0 : 2);
	blanks(out, column);
	if (l->name) {
		add(out, l->text, l->name);
		blanks(out, l->pad);
		add(out, l->text + l->name, len - l->name);
	} else {
		add(out, l->text, len);
	}
	add_comment(out, l, column + columns(l->text, len) + l->pad, !len);
	add(out, "\n", 1);
	*opens = *opens > l->closes ? *opens - l->closes : 0;
	for (i = 0; i < l->opens && *opens < MAX_OPEN; i++)
		open[(*opens)++] = column + columns(l->text, l->open[i]) +
				   (l->open[i] >= l->name ? l->pad : 0);
}

static void write_out(struct fmt *f, struct sink *out)
{
	size_t open[MAX_OPEN];
	unsigned int opens = 0;
	bool gap = true;

	for (size_t i = 0; i < f->lines && !out->failed; i++) {
		struct line *l = &f->line[i];

		/* inside a string an empty line is a part of it */
		if (l->blank && !l->raw) {
			if (!gap)
				add(out, "\n", 1);
			gap = true;
			continue;
		}
		gap = false;
		write_line(out, l, open, &opens);
	}
	while (out->len > 1 && out->s[out->len - 2] == '\n')
		out->s[--out->len] = '\0';
}

/* ---- is it the same? ---- */

static bool same_node(const struct node *a, const struct node *b)
{
	size_t i;

	if (a->kind != b->kind || a->n != b->n || a->quoted != b->quoted)
		return false;
	if (a->kind == NODE_SCALAR)
		return !strcmp(a->text, b->text);
	for (i = 0; i < a->n; i++)
		if ((a->kind == NODE_MAP &&
		     strcmp(a->key[i]->text, b->key[i]->text)) ||
		    !same_node(a->at[i], b->at[i]))
			return false;
	return true;
}

static bool same_comments(const struct fmt *a, const struct fmt *b)
{
	size_t i = 0, k = 0;

	for (;; i++, k++) {
		while (i < a->lines && !a->line[i].comment)
			i++;
		while (k < b->lines && !b->line[k].comment)
			k++;
		if (i == a->lines || k == b->lines)
			return i == a->lines && k == b->lines;
		if (a->line[i].comment_len != b->line[k].comment_len ||
		    memcmp(a->line[i].comment, b->line[k].comment,
			   a->line[i].comment_len))
			return false;
	}
}

static void fmt_fini(struct fmt *f)
{
	for (size_t i = 0; i < f->lines; i++)
		free(f->line[i].text);
	free(f->line);
	f->line = NULL;
	f->lines = 0;
}

static int lay_out(struct fmt *f, struct sink *out, const char *text,
		   size_t len)
{
	*f = (struct fmt){ .p = text, .end = text + len };
	cut_all(f);
	if (!f->failed && !f->no_memory) {
		align(f);
		place_comments(f);
		add(out, "", 0);
		write_out(f, out);
	}
	if (f->no_memory || out->failed)
		return -ENOMEM;
	return f->failed ? -EINVAL : 0;
}

/* (first) and what it laid out are one model, and it would be so again. */
static int look_again(const struct fmt *first, const struct node *root,
		      const struct sink *out, struct diag *diag)
{
	struct sink twice = { .s = NULL };
	const struct node *again;
	struct tree *tree = NULL;
	struct diag quiet;
	struct fmt f;
	int err;

	diag_init(&quiet, diag->file);
	err = load_yaml(&tree, &again, out->s, out->len, &quiet);
	diag_fini(&quiet);
	if (!err && !same_node(root, again))
		err = -EINVAL;
	load_free(tree);
	if (err)
		return err;
	err = lay_out(&f, &twice, out->s, out->len);
	if (!err && (!same_comments(first, &f) || twice.len != out->len ||
		     memcmp(twice.s, out->s, out->len)))
		err = -EINVAL;
	fmt_fini(&f);
	free(twice.s);
	return err;
}

int fmt_text(char **out, size_t *out_len, const char *text, size_t len,
	     struct diag *diag)
{
	struct sink to = { .s = NULL };
	const struct node *root;
	struct tree *tree;
	struct fmt f;
	int err;

	err = load_yaml(&tree, &root, text, len, diag);
	if (err)
		return err;
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	err = lay_out(&f, &to, text, len);
	if (!err)
		err = look_again(&f, root, &to, diag);
	if (err == -EINVAL) {
		diag_error(diag, (struct diag_pos){ (uint32_t)f.lines, 1 },
			   DIAG_LAYOUT
			   "this file cannot be laid out, and stays "
			   "as it is");
		diag_advise(diag, "write strings on one line in quotes, not by "
				  "\"|\" or \">\"; else tell us of it");
	}
	fmt_fini(&f);
	load_free(tree);
	if (err) {
		free(to.s);
		return err;
	}
	*out = to.s;
	*out_len = to.len;
	return 0;
}
