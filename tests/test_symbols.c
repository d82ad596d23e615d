/* SPDX-License-Identifier: MIT */
/*
 * test_symbols.c: names and unwind tables of an image, and images that lie.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <elf.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "../vmm/symbols.h"
#include "tinyelf.h"

static uint8_t image[TINYELF_MAX];
static size_t len;

static int set_up(void **state)
{
	(void)state;
	len = tinyelf(image);
	return 0;
}

static Elf64_Shdr *section(unsigned int i)
{
	const Elf64_Ehdr *head = (const void *)image;

	return (Elf64_Shdr *)(void *)(image + head->e_shoff) + i;
}

static const char *name_of(const struct symbols *s, uint64_t addr)
{
	static char name[SYMBOLS_NAME_MAX];

	return symbols_find(s, addr, name) ? name : "";
}

static void names(void **state)
{
	struct symbols *s;

	(void)state;
	assert_int_equal(symbols_open(&s, image, len), 0);
	assert_string_equal(name_of(s, TINYELF_INNER), "inner");
	assert_string_equal(name_of(s, TINYELF_INNER + 0xff), "inner");
	assert_string_equal(name_of(s, TINYELF_INNER + 0x100), "");
	assert_string_equal(name_of(s, TINYELF_INNER - 1), "");
	assert_string_equal(name_of(s, TINYELF_OUTER + 5), "outer");
	assert_string_equal(name_of(s, TINYELF_START + 5), "start");
	assert_string_equal(name_of(s, TINYELF_START + 0x10000), "");
	assert_string_equal(name_of(NULL, TINYELF_START), "");
	symbols_close(s);
}

static void tables(void **state)
{
	struct symbols *s;

	(void)state;
	assert_int_equal(symbols_open(&s, image, len), 0);
	assert_int_equal(s->entries, 2);
	assert_true(symbols_unwinds(s, TINYELF_INNER));
	assert_true(symbols_unwinds(s, TINYELF_OUTER + 0xff));
	assert_false(symbols_unwinds(s, TINYELF_OUTER + 0x100));
	assert_false(symbols_unwinds(s, TINYELF_START));
	assert_false(symbols_unwinds(NULL, TINYELF_INNER));
	symbols_close(s);
}

static void nothing_there(void **state)
{
	struct symbols *s = NULL;

	(void)state;
	assert_int_equal(symbols_open(&s, "", 0), -ENOENT);
	assert_int_equal(symbols_open(&s, image, 20), -ENOENT);
	section(1)->sh_type = SHT_NOBITS;
	section(2)->sh_type = SHT_NOBITS;
	assert_int_equal(symbols_open(&s, image, len), -ENOENT);
	assert_null(s);
}

/* What is wrong is left out; the rest stays. */
static void lies(void **state)
{
	struct symbols *s;
	uint32_t huge = 0xfffffff0;

	(void)state;
	section(1)->sh_size = UINT64_MAX;
	section(3)->sh_offset = UINT64_MAX - 5;
	assert_int_equal(symbols_open(&s, image, len), -ENOENT);
	len = tinyelf(image);
	section(2)->sh_link = 77;
	assert_int_equal(symbols_open(&s, image, len), 0);
	assert_int_equal(s->names, 0);
	assert_int_equal(s->entries, 2);
	symbols_close(s);
	/* the second FDE is longer than its section */
	memcpy(image + 64 + 44, &huge, sizeof(huge));
	assert_int_equal(symbols_open(&s, image, len), 0);
	assert_int_equal(s->entries, 1);
	symbols_close(s);
	/* a name with bytes that no terminal should get */
	len = tinyelf(image);
	image[512 + 1] = 0x1b;
	assert_int_equal(symbols_open(&s, image, len), 0);
	assert_string_equal(name_of(s, TINYELF_INNER), "?nner");
	symbols_close(s);
}

/* Every image that is a byte off is read, and nothing worse. */
static void every_byte(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	struct symbols *s;
	char name[SYMBOLS_NAME_MAX];
	size_t i, k;

	(void)state;
	for (i = 0; i < len; i++)
		for (k = 0; k < sizeof(values); k++) {
			tinyelf(image);
			image[i] = values[k];
			if (symbols_open(&s, image, len))
				continue;
			symbols_find(s, TINYELF_OUTER, name);
			symbols_unwinds(s, TINYELF_INNER);
			symbols_close(s);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names, set_up),
		cmocka_unit_test_setup(tables, set_up),
		cmocka_unit_test_setup(nothing_there, set_up),
		cmocka_unit_test_setup(lies, set_up),
		cmocka_unit_test_setup(every_byte, set_up),
	};

	return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
