/* SPDX-License-Identifier: MIT */
/*
 * sarif.c: messages about texts as SARIF 2.1.0.  Section numbers are of that
 * standard.
 */

#include <stdlib.h>
#include <string.h>

#include "../dmm/kinds.h"
#include "log.h"
#include "sarif.h"
#include "utf8.h"

#define SCHEMA                                                       \
	"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os" \
	"/schemas/sarif-schema-2.1.0.json"

static void text_object(struct json *j, const char *key, const char *text)
{
	json_object(j, key);
	json_string(j, "text", text);
	json_end(j);
}

/* 3.49: what a rule is. */
static void rule(struct json *j, const struct diag_kind *kind)
{
	json_object(j, NULL);
	json_string(j, "id", kind->code);
	text_object(j, "shortDescription", kind->summary);
	text_object(j, "help", kind->help);
	json_object(j, "properties");
	json_string(j, "class", diag_class_name(kind->class));
	json_end(j);
	json_end(j);
}

void sarif_open(struct sarif *s, FILE *to)
{
	struct json *j = &s->json;
	const struct diag_kind *kind;

	json_open(j, to);
	json_object(j, NULL);
	json_string(j, "$schema", SCHEMA);
	json_string(j, "version", "2.1.0");
	json_array(j, "runs");
	json_object(j, NULL);
	json_object(j, "tool");
	json_object(j, "driver");
	json_string(j, "name", "vpio");
	json_string(j, "version", VPIO_VERSION);
	json_array(j, "rules");
	for (unsigned int i = 0; (kind = diag_kind(i)); i++)
		rule(j, kind);
	json_end(j);
	json_end(j);
	json_end(j);
	json_string(j, "columnKind", "unicodeCodePoints");
	json_array(j, "results");
}

/* 3.4.4: a path as a relative or absolute URI reference. */
static char *uri_of(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/+,@";
	char *uri = xcalloc(3 * strlen(path) + 1, 1), *to = uri;

	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (strchr(plain, c)) {
			*to++ = (char)c;
		} else {
			*to++ = '%';
			*to++ = "0123456789ABCDEF"[c >> 4];
			*to++ = "0123456789ABCDEF"[c & 15];
		}
	}
	return uri;
}

static void artifact(struct json *j, const char *file)
{
	char *uri = uri_of(file ? file : "");

	json_object(j, "artifactLocation");
	json_string(j, "uri", uri);
	json_end(j);
	free(uri);
}

/* Bytes of the character at (s), of which (len) are left; 1 if it is none. */
static size_t character(const char *s, size_t len)
{
	char copy[5] = { 0 };
	size_t n;

	memcpy(copy, s, len < 4 ? len : 4);
	n = utf8_length(copy);
	return n ? n : 1;
}

/* Where (pos) is in the text, and the bytes that its line has from there. */
static const char *at_pos(const char *text, size_t len, struct diag_pos pos,
			  size_t *left)
{
	const char *p = text, *end = text + len, *stop;

	if (len >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		p += 3;
	for (uint32_t line = 1; line < pos.line; line++) {
		while (p < end && *p != '\n' && *p != '\r')
			p++;
		if (p == end)
			break;
		p += *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
	}
	for (stop = p; stop < end && *stop != '\n' && *stop != '\r';)
		stop++;
	for (uint32_t column = 1; column < pos.column && p < stop; column++)
		p += character(p, (size_t)(stop - p));
	*left = p < stop ? (size_t)(stop - p) : 0;
	return p;
}

/* Characters of the word, number or quoted string at (p); at least 1. */
static uint32_t word_columns(const char *p, size_t left)
{
	const char *end = p + left;
	uint32_t columns = 0;
	char quote = left && (*p == '"' || *p == '\'') ? *p : 0;

	for (; p < end; p += character(p, (size_t)(end - p)), columns++) {
		if (quote && columns && *p == quote)
			return columns + 1;
		if (!quote && columns && strchr(" \t,:[]{}#\"()", *p))
			break;
	}
	return columns ? columns : 1;
}

/* 3.30; 1 based, the end column is that behind the last character. */
static void region(struct json *j, const char *key, struct diag_pos pos,
		   uint32_t columns)
{
	json_object(j, key);
	json_u64(j, "startLine", pos.line);
	if (pos.column) {
		json_u64(j, "startColumn", pos.column);
		json_u64(j, "endLine", pos.line);
		json_u64(j, "endColumn", (uint64_t)pos.column + columns);
	}
	json_end(j);
}

/* 3.55: the word that was meant. */
static void fix(struct json *j, const struct diag *diag,
		const struct diag_message *m, const char *p, size_t left)
{
	size_t len = m->wrong ? strlen(m->wrong) : 0;

	if (!len || !m->right || len > left || memcmp(p, m->wrong, len))
		return;
	json_array(j, "fixes");
	json_object(j, NULL);
	text_object(j, "description", m->advice);
	json_array(j, "artifactChanges");
	json_object(j, NULL);
	artifact(j, diag->file);
	json_array(j, "replacements");
	json_object(j, NULL);
	region(j, "deletedRegion", m->pos, (uint32_t)utf8_columns(m->wrong));
	text_object(j, "insertedContent", m->right);
	json_end(j);
	json_end(j);
	json_end(j);
	json_end(j);
	json_end(j);
	json_end(j);
}

static void result(struct json *j, const struct diag *diag,
		   const struct diag_message *m, const char *text, size_t len)
{
	size_t left = 0;
	const char *p = at_pos(text, len, m->pos, &left);
	char *whole = xasprintf("%s%s%s", m->text, m->advice ? "; " : "",
				m->advice ? m->advice : "");

	json_object(j, NULL);
	json_string(j, "ruleId", m->kind->code);
	json_u64(j, "ruleIndex", diag_kind_index(m->kind));
	json_string(j, "level", m->level == DIAG_ERROR ? "error" : "warning");
	text_object(j, "message", whole);
	json_array(j, "locations");
	json_object(j, NULL);
	json_object(j, "physicalLocation");
	artifact(j, diag->file);
	if (m->pos.line)
		region(j, "region", m->pos, word_columns(p, left));
	json_end(j);
	json_end(j);
	json_end(j);
	fix(j, diag, m, p, left);
	json_object(j, "properties");
	json_string(j, "class", diag_class_name(m->kind->class));
	json_string(j, "advice", m->advice);
	json_end(j);
	json_end(j);
	free(whole);
}

void sarif_add(struct sarif *s, const struct diag *diag, const char *text,
	       size_t len)
{
	struct diag_message more = { .level = DIAG_ERROR };

	for (unsigned int i = 0; i < diag->n; i++)
		result(&s->json, diag, &diag->message[i], text, len);
	if (!diag->dropped)
		return;
	for (unsigned int i = 0; (more.kind = diag_kind(i)); i++)
		if (!strcmp(more.kind->code, "other"))
			break;
	more.text = xasprintf("%u more messages are not shown", diag->dropped);
	result(&s->json, diag, &more, text, len);
	free(more.text);
}

int sarif_close(struct sarif *s)
{
	json_end(&s->json);
	json_end(&s->json);
	json_end(&s->json);
	json_end(&s->json);
	return json_close(&s->json);
}
