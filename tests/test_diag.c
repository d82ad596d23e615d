/* SPDX-License-Identifier: MIT */
/*
 * test_diag.c: messages as they are shown, and names that are near enough.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dmm/diag.h"

static struct diag diag;

static int setup(void **ctx)
{
	(void)ctx;
	diag_init(&diag, "nic.yaml");
	return 0;
}

static int teardown(void **ctx)
{
	(void)ctx;
	diag_fini(&diag);
	return 0;
}

static struct diag_pos at(uint32_t line, uint32_t column)
{
	return (struct diag_pos){ line, column };
}

/* What is shown, with (text), is (expected). */
static void shows(const char *text, const char *expected)
{
	char *s = diag_render(&diag, text, text ? strlen(text) : 0);

	assert_non_null(s);
	assert_string_equal(s, expected);
	free(s);
}

static void nothing(void **ctx)
{
	(void)ctx;
	shows("a: b\n", "");
}

static void as_in_the_header(void **ctx)
{
	(void)ctx;
	assert_int_equal(diag_error(&diag, at(2, 9), "unknown key \"%s\"",
				    "regsters"),
			 -EINVAL);
	diag_advise(&diag, "did you mean \"%s\"?", "registers");
	assert_int_equal(diag.errors, 1);
	shows("device:\n        regsters:\n",
	      "nic.yaml:2:9: error: unknown key \"regsters\"\n"
	      "    2 |         regsters:\n"
	      "      |         ^\n"
	      "      = did you mean \"registers\"?\n");
	shows(NULL, "nic.yaml:2:9: error: unknown key \"regsters\"\n"
		    "      = did you mean \"registers\"?\n");
}

static void places(void **ctx)
{
	(void)ctx;
	diag_warning(&diag, at(0, 0), "of no line");
	diag_error(&diag, at(1, 0), "of no column");
	diag_error(&diag, at(2, 3), "behind the end of the line");
	diag_error(&diag, at(9, 1), "of no such line");
	assert_int_equal(diag.errors, 3);
	shows("a\r\nb\r\n", "nic.yaml: warning: of no line\n"
			    "nic.yaml:1: error: of no column\n"
			    "    1 | a\n"
			    "nic.yaml:2:3: error: behind the end of the line\n"
			    "    2 | b\n"
			    "      |  ^\n"
			    "nic.yaml:9:1: error: of no such line\n");
}

static void sorted(void **ctx)
{
	(void)ctx;
	diag_error(&diag, at(3, 1), "d");
	diag_error(&diag, at(1, 2), "b");
	diag_error(&diag, at(1, 1), "a");
	diag_error(&diag, at(1, 2), "c");
	shows(NULL, "nic.yaml:1:1: error: a\n"
		    "nic.yaml:1:2: error: b\n"
		    "nic.yaml:1:2: error: c\n"
		    "nic.yaml:3:1: error: d\n");
}

static void tabs_and_utf8(void **ctx)
{
	(void)ctx;
	diag_error(&diag, at(1, 5), "x");
	shows("\xef\xbb\xbf\ta\t\xc3\xa9!\n", "nic.yaml:1:5: error: x\n"
					      "    1 | \ta\t\xc3\xa9!\n"
					      "      | \t \t ^\n");
}

/* A lone CR ends a line, as it does for libyaml. */
static void line_ends(void **ctx)
{
	(void)ctx;
	diag_error(&diag, at(3, 1), "x");
	shows("a\rb\nc\r\nd", "nic.yaml:3:1: error: x\n"
			      "    3 | c\n"
			      "      | ^\n");
}

static void harmless(void **ctx)
{
	(void)ctx;
	/* An escape, DEL, a C1 control, a direction mark, no UTF-8. */
	diag_error(&diag, at(1, 7), "%s",
		   "\x1b[m\n\x7f\xc2\x9b\xe2\x80\xae\xff\xc3\xa9");
	shows("\x1b\x7f\xc2\x9b\xe2\x80\xae\xff\xc3\xa9+",
	      "nic.yaml:1:7: error: \\x1b[m\\x0a\\x7f\\xc2\\x9b"
	      "\\xe2\\x80\\xae\\xff\xc3\xa9\n"
	      "    1 | ?????\xc3\xa9+\n"
	      "      |       ^\n");
	diag_fini(&diag);
	diag.file = "a\033b";
	diag_error(&diag, at(0, 0), "x");
	shows(NULL, "a\\x1bb: error: x\n");
}

static void long_lines(void **ctx)
{
	char text[400];
	char *s, *caret;

	(void)ctx;
	memset(text, '-', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (uint32_t column = 1; column <= 400; column++) {
		if (column < 400)
			text[column - 1] = 'X';
		diag_error(&diag, at(1, column), "x");
		s = diag_render(&diag, text, strlen(text));
		assert_non_null(s);
		assert_true(strlen(s) < 2 * 140 + 30);
		caret = strchr(s, '^');
		assert_non_null(caret);
		if (column < 400) {
			char *line = strchr(s, '\n') + 1;
			char *next = strchr(line, '\n') + 1;

			assert_int_equal(line[caret - next], 'X');
			text[column - 1] = '-';
		}
		free(s);
		diag_fini(&diag);
	}
}

static void long_message(void **ctx)
{
	char word[1000];

	(void)ctx;
	for (size_t i = 0; i < sizeof(word) - 1; i++)
		word[i] = i & 1 ? '\xa9' : '\xc3';
	word[sizeof(word) - 1] = '\0';
	diag_error(&diag, at(1, 1), "x%s", word);
	assert_int_equal(strlen(diag.message[0].text), 400);
	assert_string_equal(diag.message[0].text + 395, "\xc3\xa9...");
}

static void many(void **ctx)
{
	char *s;

	(void)ctx;
	for (uint32_t i = 0; i < DIAG_MAX + 5; i++) {
		diag_error(&diag, at(i + 1, 1), "error %u", i);
		diag_advise(&diag, "advice %u", i);
	}
	assert_int_equal(diag.n, DIAG_MAX);
	assert_int_equal(diag.errors, DIAG_MAX + 5);
	assert_int_equal(diag.dropped, 5);
	s = diag_render(&diag, NULL, 0);
	assert_non_null(strstr(s, "= advice 19\n"
				  "nic.yaml: 5 more messages not shown\n"));
	assert_null(strstr(s, "advice 20"));
	free(s);
}

static void advice_alone(void **ctx)
{
	(void)ctx;
	diag_advise(&diag, "nobody asked");
	shows(NULL, "");
	diag_error(&diag, at(1, 1), "x");
	diag_advise(&diag, "this");
	diag_advise(&diag, "or rather that");
	shows(NULL, "nic.yaml:1:1: error: x\n      = or rather that\n");
}

#define LONG_NAME \
	"a_name_of_more_than_sixty_three_letters_is_longer_than_any_model_has"

static void nearest(void **ctx)
{
	static const char *const names[] = {
		"registers", "spaces", "let",  "at",
		"RDT",	     "TDT",    "TPSR", LONG_NAME,
	};
	static const struct {
		const char *word, *name;
	} cases[] = {
		{ "regsters", "registers" },
		{ "regitsers", "registers" },
		{ "Registers", "registers" },
		{ "regs", NULL },
		{ "rigistars", "registers" },
		{ "rigistrrz", "registers" },
		{ "rigxstrrz", NULL },
		{ "registersss", "registers" },
		{ "registerssss", "registers" },
		{ "registersssss", NULL },
		{ "space", "spaces" },
		{ "lte", "let" },
		{ "lxy", NULL },
		{ "ta", "at" },
		{ "xat", "at" },
		{ "RTD", "RDT" },
		{ "XDT", "RDT" },
		{ "TPRS", "TPSR" },
		{ "x", NULL },
		{ "", NULL },
		{ "a", "at" },
	};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *name =
			diag_nearest(cases[i].word, names, ARRAY_LEN(names));

		if (!name || !cases[i].name ? name != cases[i].name :
					      strcmp(name, cases[i].name))
			fail_msg("%s: %s", cases[i].word,
				 name ? name : "(none)");
	}
	assert_null(diag_nearest("x", NULL, 0));
	assert_null(diag_nearest(LONG_NAME, names, ARRAY_LEN(names)));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing),	TEST(as_in_the_header), TEST(places),
		TEST(sorted),	TEST(tabs_and_utf8),	TEST(line_ends),
		TEST(harmless), TEST(long_lines),	TEST(long_message),
		TEST(many),	TEST(advice_alone),	TEST(nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
