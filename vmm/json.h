/* SPDX-License-Identifier: MIT */
/*
 * json.h: write JSON, indented, with strings escaped; for --json.
 *
 *   json_open(&j, to);
 *   json_object(&j, NULL);
 *   json_u64(&j, "switches", 21);
 *   json_end(&j);
 *   err = json_close(&j);
 *
 * (key) is NULL for the outermost value and for elements of an array.  The
 * text has no '<' in it (strings say \u003c), so that it may stand in HTML.
 */

#ifndef VMM_JSON_H
#define VMM_JSON_H

#include <stdio.h>

#include "../dmm/cc.h"

#define JSON_MAX_DEPTH 16

struct json {
	FILE *to;
	unsigned int depth;
	char close[JSON_MAX_DEPTH]; /* '}' or ']' */
	bool any[JSON_MAX_DEPTH];   /* something stands there already */
};

void json_open(struct json *j, FILE *to);

void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j); /* of the innermost object or array */

void json_u64(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* Bytes that are not UTF-8 become U+FFFD; NULL is null. */
void json_string(struct json *j, const char *key, const char *value);

/* One string alone, quoted and escaped, for what is not written by a json. */
void json_quote(FILE *to, const char *s);

/* End the line; -EIO if something did not reach the file. */
MUST_CHECK int json_close(struct json *j);

#endif /* VMM_JSON_H */
