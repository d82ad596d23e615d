/* SPDX-License-Identifier: MIT */
/*
 * test_node.c: nodes read as numbers, sizes, words and the like; and what is
 * said if they are not.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dmm/load.h"

static struct diag diag;
static struct tree *tree;
static const struct node *root;

static int setup(void **ctx)
{
	(void)ctx;
	diag_init(&diag, "f.yaml");
	tree = NULL;
	return 0;
}

static int teardown(void **ctx)
{
	(void)ctx;
	diag_fini(&diag);
	load_free(tree);
	tree = NULL;
	return 0;
}

static void good(const char *text)
{
	load_free(tree);
	tree = NULL;
	if (load_yaml(&tree, &root, text, strlen(text), &diag))
		fail_msg("%s: %s", text,
			 diag.n ? diag.message[0].text : "no memory");
}

/* The value of x in (text), which is loaded. */
static const struct node *x(const char *text)
{
	good(text);
	return node_get(root, "x");
}

/* The message and advice last added are these. */
static void said(const char *message, const char *advice)
{
	const struct diag_message *m = &diag.message[diag.n - 1];

	assert_true(diag.n > 0);
	assert_string_equal(m->text, message);
	if (advice)
		assert_string_equal(m->advice, advice);
	else
		assert_null(m->advice);
	diag_fini(&diag);
}

static const struct {
	const char *text;
	uint64_t value;
} good_numbers[] = {
	{ "x: 0", 0 },
	{ "x: 5", 5 },
	{ "x: 0x1F", 31 },
	{ "x: 0b101", 5 },
	{ "x: 010", 10 },
	{ "x: 18446744073709551615", UINT64_MAX },
	{ "x: 0xffffffffffffffff", UINT64_MAX },
};
static const char *const bad_numbers[] = {
	"x: 0x",
	"x: 0b2",
	"x: -1",
	"x: +1",
	"x: 1.5",
	"x: 1_000",
	"x: 5K",
	"x: 18446744073709551616",
	"x: ''",
	"x: 5 6",
	"x: 0x10000000000000000",
	"x: 0X5",
};

static void numbers(void **ctx)
{
	uint64_t v = 99;

	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(good_numbers); i++) {
		assert_int_equal(node_u64(x(good_numbers[i].text), "a number",
					  UINT64_MAX, &v, &diag),
				 0);
		assert_int_equal(v, good_numbers[i].value);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad_numbers); i++) {
		v = 99;
		if (node_u64(x(bad_numbers[i]), "a number", UINT64_MAX, &v,
			     &diag) != -EINVAL)
			fail_msg("%s is taken", bad_numbers[i]);
		assert_int_equal(v, 99);
		diag_fini(&diag);
	}
	assert_int_equal(node_u64(x("x: six"), "a BAR number", 5, &v, &diag),
			 -EINVAL);
	assert_int_equal(diag.message[0].pos.column, 4);
	said("expected a BAR number (0 to 5), got \"six\"", NULL);
	assert_int_equal(node_u64(x("x: 6"), "a BAR number", 5, &v, &diag),
			 -EINVAL);
	said("expected a BAR number (0 to 5), got \"6\"", NULL);
	assert_int_equal(node_u64(x("x: '5'"), "a BAR number", 5, &v, &diag),
			 -EINVAL);
	said("expected a BAR number (0 to 5), got the string \"5\"",
	     "a number stands without quotes");
	assert_int_equal(node_u64(x("x: []"), "an ID", 0xffff, &v, &diag),
			 -EINVAL);
	said("expected an ID (0 to 0xffff), got a list", NULL);
	assert_int_equal(node_u64(x("x: {}"), "n", UINT64_MAX, &v, &diag),
			 -EINVAL);
	said("expected n, got a mapping", NULL);
	assert_int_equal(node_u64(x("x:"), "n", UINT64_MAX, &v, &diag),
			 -EINVAL);
	said("expected n, got nothing", NULL);
	assert_int_equal(node_u64(NULL, "n", UINT64_MAX, &v, &diag), -EINVAL);
	said("expected n, got nothing", NULL);
	assert_int_equal(node_u64(x("x: a234567890123456789012345678901234567"
				    "8\xc3\xa9x"),
				  "n", 9999, &v, &diag),
			 -EINVAL);
	said("expected n (0 to 9999), got \"a2345678901234567890123456789012"
	     "345678\xc3\xa9...\"",
	     NULL);
}

static void sizes_and_times(void **ctx)
{
	static const char *const bad_sizes[] = {
		"x: 1k",   "x: 1KB",	      "x: K",  "x: 1.5G", "x: '64K'",
		"x: 64 K", "x: 17179869184G", "x: []",
	};
	static const char *const bad_times[] = {
		"x: 100", "x: 1.5ms",	     "x: ms",	 "x: 100 ms",
		"x: 1m",  "x: 18446744074s", "x: '1ms'",
	};
	uint64_t v = 7;

	(void)ctx;
	assert_int_equal(node_size(x("x: 0x20"), "s", &v, &diag), 0);
	assert_int_equal(v, 32);
	assert_int_equal(node_size(x("x: 64K"), "s", &v, &diag), 0);
	assert_int_equal(v, 65536);
	assert_int_equal(node_size(x("x: 3M"), "s", &v, &diag), 0);
	assert_int_equal(v, 3 << 20);
	assert_int_equal(node_size(x("x: 17179869183G"), "s", &v, &diag), 0);
	assert_int_equal(v, 17179869183u * (UINT64_C(1) << 30));
	assert_int_equal(node_time(x("x: 5ns"), "t", &v, &diag), 0);
	assert_int_equal(v, 5);
	assert_int_equal(node_time(x("x: 5us"), "t", &v, &diag), 0);
	assert_int_equal(v, 5000);
	assert_int_equal(node_time(x("x: 100ms"), "t", &v, &diag), 0);
	assert_int_equal(v, 100000000);
	assert_int_equal(node_time(x("x: 2s"), "t", &v, &diag), 0);
	assert_int_equal(v, 2000000000);
	for (size_t i = 0; i < ARRAY_LEN(bad_sizes); i++) {
		if (!node_size(x(bad_sizes[i]), "a size", &v, &diag))
			fail_msg("%s is taken", bad_sizes[i]);
	}
	diag_fini(&diag);
	for (size_t i = 0; i < ARRAY_LEN(bad_times); i++) {
		if (!node_time(x(bad_times[i]), "a time", &v, &diag))
			fail_msg("%s is taken", bad_times[i]);
	}
	diag_fini(&diag);
	assert_int_equal(v, 2000000000);
	assert_int_equal(node_time(x("x: 100"), "a time", &v, &diag), -EINVAL);
	said("expected a time, got \"100\"",
	     "a whole number and its unit, without quotes: ns, us, ms or s, "
	     "such as 100ms");
	assert_int_equal(node_size(x("x: big"), "a size", &v, &diag), -EINVAL);
	said("expected a size, got \"big\"",
	     "a number of bytes, without quotes; K, M or G may follow it: 64K");
}

static void words(void **ctx)
{
	static const char *const kinds[] = { "descriptorRing", "byteRing",
					     "pageRing" };
	unsigned int i = 9;
	bool b = false;

	(void)ctx;
	assert_int_equal(
		node_word(x("x: pageRing"), "a kind", kinds, 3, &i, &diag), 0);
	assert_int_equal(i, 2);
	assert_int_equal(node_word(x("x: 'byteRing'"), "a kind", kinds, 3, &i,
				   &diag),
			 0);
	assert_int_equal(i, 1);
	assert_int_equal(node_word(x("x: descriptorRign"), "a kind of ring",
				   kinds, 3, &i, &diag),
			 -EINVAL);
	said("expected a kind of ring, got \"descriptorRign\"",
	     "did you mean \"descriptorRing\"?");
	assert_int_equal(node_word(x("x: round"), "a kind of ring", kinds, 3,
				   &i, &diag),
			 -EINVAL);
	said("expected a kind of ring, got \"round\"",
	     "one of: descriptorRing, byteRing, pageRing");
	assert_int_equal(node_word(x("x: [ pageRing ]"), "a kind of ring",
				   kinds, 3, &i, &diag),
			 -EINVAL);
	said("expected a kind of ring, got a list",
	     "one of: descriptorRing, byteRing, pageRing");
	assert_int_equal(node_word(NULL, "a kind of ring", kinds, 1, &i, &diag),
			 -EINVAL);
	said("expected a kind of ring, got nothing",
	     "there is only: descriptorRing");
	assert_int_equal(i, 1);

	assert_int_equal(node_bool(x("x: true"), "a switch", &b, &diag), 0);
	assert_true(b);
	assert_int_equal(node_bool(x("x: false"), "a switch", &b, &diag), 0);
	assert_false(b);
	assert_int_equal(node_bool(x("x: on"), "a switch", &b, &diag), -EINVAL);
	said("expected a switch, got \"on\"",
	     "write true or false, without quotes");
	assert_int_equal(node_bool(x("x: 'true'"), "a switch", &b, &diag),
			 -EINVAL);
	assert_false(b);
}

static void macs(void **ctx)
{
	static const char *const wrong[] = {
		"x: 52:54:00:12:34",
		"x: 52:54:00:12:34:56:78",
		"x: 52-54-00-12-34-56",
		"x: 52:54:00:12:34:5g",
		"x: 52:54:00:12:34:5",
		"x: 5:254:00:12:34:56",
		"x: []",
		"x:",
	};
	static const uint8_t expected[6] = { 0x52, 0x54, 0, 0x1a, 0x3B, 0x56 };
	uint8_t mac[6] = { 0 };

	(void)ctx;
	assert_int_equal(
		node_mac(x("x: 52:54:00:1a:3B:56"), "a MAC", mac, &diag), 0);
	assert_memory_equal(mac, expected, 6);
	assert_int_equal(
		node_mac(x("x: '52:54:00:1a:3B:56'"), "a MAC", mac, &diag), 0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (!node_mac(x(wrong[i]), "a MAC", mac, &diag))
			fail_msg("%s is taken", wrong[i]);
	assert_memory_equal(mac, expected, 6);
	said("expected a MAC, got nothing",
	     "six bytes in hexadecimal, such as 52:54:00:12:34:56");
}

static void shapes(void **ctx)
{
	static const char *const keys[] = { "at", "size", "fields" };

	(void)ctx;
	assert_int_equal(node_expect(x("x: [ a ]"), NODE_SEQ, "rules", &diag),
			 0);
	assert_int_equal(node_expect(x("x: a"), NODE_SEQ, "rules", &diag),
			 -EINVAL);
	said("expected a list for rules, got \"a\"",
	     "write [ a, b ], or a line \"- a\" for each");
	assert_int_equal(node_expect(x("x: []"), NODE_MAP, "a register", &diag),
			 -EINVAL);
	said("expected a mapping for a register, got a list", NULL);
	assert_int_equal(node_expect(x("x: {}"), NODE_SCALAR, "a name", &diag),
			 -EINVAL);
	said("expected a single value for a name, got a mapping", NULL);

	assert_int_equal(node_known(x("x: { at: 1, size: 2 }"), "a register",
				    keys, 3, &diag),
			 0);
	assert_int_equal(diag.n, 0);
	assert_int_equal(node_known(x("x: { sise: 1, at: 2, 'q': 3 }"),
				    "a register", keys, 3, &diag),
			 -EINVAL);
	assert_int_equal(diag.n, 2);
	assert_string_equal(diag.message[0].text,
			    "unknown key \"sise\" in a register");
	assert_string_equal(diag.message[0].advice, "did you mean \"size\"?");
	assert_int_equal(diag.message[0].pos.column, 6);
	said("unknown key the string \"q\" in a register",
	     "one of: at, size, fields");
	assert_int_equal(node_known(x("x: 1"), "a register", keys, 3, &diag),
			 -EINVAL);
	said("expected a mapping for a register, got \"1\"", NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers), TEST(sizes_and_times), TEST(words),
		TEST(macs),    TEST(shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
