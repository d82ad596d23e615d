/* SPDX-License-Identifier: MIT */
/*
 * json.c: the JSON writer (RFC 8259).
 */

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "json.h"
#include "utf8.h"

void json_open(struct json *j, FILE *to)
{
	*j = (struct json){ .to = to };
}

void json_quote(FILE *to, const char *s)
{
	fputc('"', to);
	while (*s) {
		unsigned char c = (unsigned char)*s;
		size_t len = utf8_length(s);

		if (!len)
			fputs("\\ufffd", to);
		else if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", to);
		else if (c == '\t')
			fputs("\\t", to);
		else if (c < 0x20 || c == 0x7f || c == '<')
			fprintf(to, "\\u%04x", c);
		else
			fwrite(s, 1, len, to);
		s += len ? len : 1;
	}
	fputc('"', to);
}

static void indent(const struct json *j)
{
	fputc('\n', j->to);
	for (unsigned int i = 0; i < j->depth; i++)
		fputs("  ", j->to);
}

/* What comes before every value: a comma, its line, its key. */
static void before(struct json *j, const char *key)
{
	if (j->depth) {
		bool *any = &j->any[j->depth - 1];

		assert((j->close[j->depth - 1] == '}') == (key != NULL));
		if (*any)
			fputc(',', j->to);
		*any = true;
		indent(j);
	}
	if (key) {
		json_quote(j->to, key);
		fputs(": ", j->to);
	}
}

static void begin(struct json *j, const char *key, char open, char close)
{
	before(j, key);
	assert(j->depth < JSON_MAX_DEPTH);
	j->close[j->depth] = close;
	j->any[j->depth] = false;
	j->depth++;
	fputc(open, j->to);
}

void json_object(struct json *j, const char *key)
{
	begin(j, key, '{', '}');
}

void json_array(struct json *j, const char *key)
{
	begin(j, key, '[', ']');
}

void json_end(struct json *j)
{
	assert(j->depth > 0);
	j->depth--;
	if (j->any[j->depth])
		indent(j);
	fputc(j->close[j->depth], j->to);
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	before(j, key);
	fprintf(j->to, "%" PRIu64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	before(j, key);
	fputs(value ? "true" : "false", j->to);
}

void json_string(struct json *j, const char *key, const char *value)
{
	before(j, key);
	if (value)
		json_quote(j->to, value);
	else
		fputs("null", j->to);
}

int json_close(struct json *j)
{
	assert(j->depth == 0);
	fputc('\n', j->to);
	return fflush(j->to) || ferror(j->to) ? -EIO : 0;
}
