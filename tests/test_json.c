/* SPDX-License-Identifier: MIT */
/*
 * test_json.c: what the JSON writer writes, byte by byte.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../vmm/json.h"

static char *text;
static size_t len;

static void open_text(struct json *j)
{
	json_open(j, open_memstream(&text, &len));
	assert_non_null(j->to);
}

static void close_text(struct json *j, const char *expected)
{
	assert_int_equal(json_close(j), 0);
	fclose(j->to);
	assert_string_equal(text, expected);
	free(text);
}

static void empty(void **state)
{
	struct json j;

	(void)state;
	open_text(&j);
	json_object(&j, NULL);
	json_end(&j);
	close_text(&j, "{}\n");
}

static void nested(void **state)
{
	struct json j;

	(void)state;
	open_text(&j);
	json_object(&j, NULL);
	json_array(&j, "list");
	json_u64(&j, NULL, 1);
	json_u64(&j, NULL, UINT64_MAX);
	json_array(&j, NULL);
	json_end(&j);
	json_end(&j);
	json_bool(&j, "yes", true);
	json_string(&j, "none", NULL);
	json_end(&j);
	close_text(&j, "{\n  \"list\": [\n    1,\n    18446744073709551615,\n"
		       "    []\n  ],\n  \"yes\": true,\n  \"none\": null\n}\n");
}

static void string(const char *value, const char *expected)
{
	struct json j;

	open_text(&j);
	json_string(&j, NULL, value);
	close_text(&j, expected);
}

static void strings(void **state)
{
	(void)state;
	string("", "\"\"\n");
	string("a \"b\" \\ /", "\"a \\\"b\\\" \\\\ /\"\n");
	string("</script>", "\"\\u003c/script>\"\n");
	string("\n\t\r\x01\x1f\x7f",
	       "\"\\n\\t\\u000d\\u0001\\u001f\\u007f\"\n");
	string("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
	       "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"\n");
}

static void not_utf8(void **state)
{
	(void)state;
	string("\xff", "\"\\ufffd\"\n");
	string("a\xc3", "\"a\\ufffd\"\n"); /* cut off */
	string("\xe2\x82", "\"\\ufffd\\ufffd\"\n");
	string("\xc0\x80", "\"\\ufffd\\ufffd\"\n"); /* too long a form */
	string("\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\"\n");
	string("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"\n"); /* surrogate */
	string("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"\n");
	string("\xc3\x28", "\"\\ufffd(\"\n");
}

static void full_disk(void **state)
{
	struct json j;

	(void)state;
	json_open(&j, fopen("/dev/full", "w"));
	assert_non_null(j.to);
	json_u64(&j, NULL, 1);
	assert_true(json_close(&j) < 0);
	fclose(j.to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),     cmocka_unit_test(nested),
		cmocka_unit_test(strings),   cmocka_unit_test(not_utf8),
		cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
