/* SPDX-License-Identifier: MIT */
/*
 * test_table.c: tables, as they are printed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../vmm/table.h"
#include "../vmm/utf8.h"

static void expect(const struct table *t, bool colour, const char *expected)
{
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	table_print(t, to, colour);
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
}

static void columns_fit(void **state)
{
	struct table t;

	(void)state;
	table_open(&t);
	table_column(&t, "guest", TABLE_LEFT);
	table_column(&t, "n", TABLE_RIGHT);
	table_column(&t, "last", TABLE_LEFT);
	expect(&t, false, "guest  n  last\n");
	table_text(&t, "a");
	table_count(&t, 1234567);
	table_text(&t, "x");
	table_text(&t, "a longer one");
	table_count(&t, 0);
	table_text(&t, NULL);
	expect(&t, false,
	       "guest                 n  last\n"
	       "a             1,234,567  x\n"
	       "a longer one          0  -\n");
	expect(&t, true,
	       "\033[1mguest                 n  last\033[0m\n"
	       "a             1,234,567  x\n"
	       "a longer one          0  -\n");
	table_close(&t);
}

static void counts_and_times(void **state)
{
	static const struct {
		uint64_t n;
		const char *count, *time;
	} row[] = {
		{ 0, "0", "0" },
		{ 999, "999", "999 ns" },
		{ 1000, "1,000", "1.00 us" },
		{ 12345, "12,345", "12.3 us" },
		{ 123456789, "123,456,789", "123 ms" },
		{ 1234567890, "1,234,567,890", "1.23 s" },
		{ UINT64_MAX, "18,446,744,073,709,551,615", "18446744074 s" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct table t;

		table_open(&t);
		table_column(&t, "", TABLE_LEFT);
		table_column(&t, "", TABLE_LEFT);
		table_count(&t, row[i].n);
		table_time(&t, row[i].n);
		assert_string_equal(t.cell[0], row[i].count);
		assert_string_equal(t.cell[1], row[i].time);
		table_close(&t);
	}
}

static void names_of_strangers(void **state)
{
	struct table t;

	(void)state;
	table_open(&t);
	table_column(&t, "name", TABLE_LEFT);
	table_column(&t, "n", TABLE_RIGHT);
	table_text(&t, "\033[31mred\n");
	table_count(&t, 1);
	table_text(&t, "gr\xc3\xbc\xc3\x9f"
		       "e"); /* 5 columns, 7 bytes */
	table_count(&t, 2);
	expect(&t, false,
	       "name       n\n"
	       "?[31mred?  1\n"
	       "gr\xc3\xbc\xc3\x9f"
	       "e      2\n");
	table_close(&t);
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(utf8_columns(""), 0);
	assert_int_equal(utf8_columns("abc"), 3);
	assert_int_equal(utf8_columns("\xe6\x97\xa5"), 2); /* CJK */
	assert_int_equal(utf8_columns("e\xcc\x81"), 1);	   /* combining */
	assert_int_equal(utf8_columns("\xff\xfe"), 2);	   /* not UTF-8 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_fit),
		cmocka_unit_test(counts_and_times),
		cmocka_unit_test(names_of_strangers),
		cmocka_unit_test(widths),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
