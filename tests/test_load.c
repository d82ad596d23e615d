/* SPDX-License-Identifier: MIT */
/*
 * test_load.c: YAML to nodes, its errors with their places and advice, and its
 * limits under hostile texts.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* The node at (path), keys and numbers with slashes between. */
static const struct node *at(const char *path)
{
	const struct node *node = root;
	char step[64];

	while (*path) {
		size_t len = strcspn(path, "/");

		memcpy(step, path, len);
		step[len] = '\0';
		path += len + (path[len] == '/');
		if (node && node->kind == NODE_SEQ)
			node = (size_t)atoi(step) < node->n ?
				       node->at[atoi(step)] :
				       NULL;
		else
			node = node_get(node, step);
	}
	return node;
}

static void is(const char *path, const char *text)
{
	const struct node *node = at(path);

	if (!node_is(node, text))
		fail_msg("%s is %s", path, !node ? "missing" : node->text);
}

static void stands(const struct node *node, uint32_t line, uint32_t column)
{
	assert_non_null(node);
	assert_int_equal(node->pos.line, line);
	assert_int_equal(node->pos.column, column);
}

/* The first error of (text), (len) bytes, and where it is. */
static void bad_len(const char *text, size_t len, uint32_t line,
		    uint32_t column, const char *message)
{
	struct tree *none = NULL;
	const struct node *top;

	diag_fini(&diag);
	if (load_yaml(&none, &top, text, len, &diag) != -EINVAL)
		fail_msg("%.60s: no error", text);
	assert_null(none);
	assert_true(diag.n >= 1);
	assert_string_equal(diag.message[0].text, message);
	assert_int_equal(diag.message[0].pos.line, line);
	assert_int_equal(diag.message[0].pos.column, column);
}

/* What is always said of such a mistake; NULL: nothing. */
static const char *usual_advice(const char *message)
{
	static const char *const usual[][2] = {
		{ "is not UTF-8", "save the file as UTF-8" },
		{ "in a string", "take the escape out" },
		{ "U+", "take it out: it cannot be seen, and means nothing "
			"here" },
		{ "tags are not used here", "remove the line" },
		{ "bytes in one value", "is a quote missing?" },
		{ "values, aliases expanded",
		  "an alias counts with all that it stands for" },
		{ "contains itself",
		  "what is named must end before it is used again" },
		{ "duplicate key", "keep one of them" },
	};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (strstr(message, usual[i][0]))
			return usual[i][1];
	return NULL;
}

static void bad(const char *text, uint32_t line, uint32_t column,
		const char *message, const char *advice)
{
	bad_len(text, strlen(text), line, column, message);
	if (!advice)
		advice = usual_advice(message);
	if (!advice)
		assert_null(diag.message[0].advice);
	else if (!diag.message[0].advice)
		fail_msg("%s: no advice", text);
	else
		assert_string_equal(diag.message[0].advice, advice);
}

static const char model[] =
	"device:\n"
	"  name: nic # a comment\n"
	"  match: [ { vendorId: 0x10ec, deviceId: 0x8029 } ]\n"
	"registers:\n"
	"  CR:  { at: io+0x00, fields: { STP: 0, RD: 3..5 } }\n"
	"  RAP: { at: [ io+0x12 if !B.D, io+0x14 if B.D ] }\n"
	"let:\n"
	"  last: \"R < s && e >= s ? e : 0\"\n"
	"dma:\n"
	"  txRing: &tx\n"
	"    base: TDBA\n"
	"    size: 16\n"
	"  txHigh: { <<: *tx, base: THPDS }\n"
	"machines:\n"
	"  tx:\n"
	"    idle: &txRules\n"
	"      - { on: write CR, when: value.TXP && !value.STP, to: busy }\n"
	"      - { on: poll, when: '!device.CR.TXP' }\n"
	"    busy:\n"
	"      - { on: poll, to: idle }\n"
	"      - *txRules\n"
	"  rx:\n"
	"    bytes: &rxOn\n"
	"      - { on: write CR }\n"
	"    ring: *rxOn\n"
	"tests:\n"
	"  - events: [ write TPSR 0xbf, { refused: frame, tx: idle } ]\n"
	"on: off\n";

static void a_model(void **ctx)
{
	(void)ctx;
	good(model);
	is("device/name", "nic");
	stands(at("device/name"), 2, 9);
	stands(at("device"), 2, 3);
	stands(node_key(root, "registers"), 4, 1);
	is("device/match/0/deviceId", "0x8029");
	is("registers/RAP/at/0", "io+0x12 if !B.D");
	is("let/last", "R < s && e >= s ? e : 0");
	assert_true(at("let/last")->quoted);
	assert_false(at("device/name")->quoted);
	is("dma/txHigh/base", "THPDS");
	is("dma/txHigh/size", "16");
	stands(at("dma/txHigh/size"), 12, 11);
	assert_int_equal(at("dma/txHigh")->n, 2);
	assert_int_equal(at("machines/tx/busy")->n, 3);
	is("machines/tx/busy/0/to", "idle");
	is("machines/tx/busy/1/on", "write CR");
	is("machines/tx/busy/2/when", "!device.CR.TXP");
	stands(at("machines/tx/busy/1"), 17, 9);
	assert_ptr_equal(at("machines/rx/ring"), at("machines/rx/bytes"));
	is("tests/0/events/0", "write TPSR 0xbf");
	is("on", "off");
	assert_null(at("nothing"));
	assert_null(node_key(root, "nothing"));
	assert_null(node_get(at("device/name"), "x"));
	assert_null(node_get(NULL, "x"));
	assert_false(node_is(at("device"), "x"));
	assert_false(node_is(NULL, "x"));
}

static void small_things(void **ctx)
{
	(void)ctx;
	good("a:\nb: ''\nc: ~\nd: |\n  two\n  lines\n");
	is("a", "");
	assert_false(at("a")->quoted);
	is("b", "");
	assert_true(at("b")->quoted);
	is("c", "~");
	is("d", "two\nlines\n");
	good("{}");
	assert_int_equal(root->n, 0);
	good("\xef\xbb\xbf"
	     "a: \xc3\xa9 x");
	stands(at("a"), 1, 4);
	good("---\r\na: 1\r\n...\r\n");
	stands(at("a"), 2, 4);
	good("a: 1\rb: \"\\t\"\n");
	stands(at("b"), 2, 4);
	good("%YAML 1.2\n---\na: []");
	assert_int_equal(at("a")->n, 0);
	load_free(NULL);
}

static void merges(void **ctx)
{
	(void)ctx;
	good("a: &a { x: 1, y: 2 }\n"
	     "b: &b { <<: *a, x: 3, z: 4 }\n"
	     "c: { y: 5, <<: [ *a, *b, { w: 6 } ] }\n"
	     "d: { <<: { q: 1 } }\n"
	     "\"e\": { \"<<\": 7 }\n");
	/* The first place of a key counts, for states have an order. */
	assert_string_equal(at("b")->key[0]->text, "x");
	assert_string_equal(at("b")->key[1]->text, "y");
	assert_string_equal(at("b")->key[2]->text, "z");
	stands(at("b")->key[0], 2, 17);
	is("b/x", "3");
	is("b/y", "2");
	assert_int_equal(at("c")->n, 4);
	is("c/y", "5");
	is("c/x", "1");
	is("c/z", "4");
	is("c/w", "6");
	is("d/q", "1");
	is("e/<<", "7");

	bad("a: { <<: 1 }", 1, 10, "\"<<\" merges a mapping, got \"1\"", NULL);
	bad("a: { <<: [ 1 ] }", 1, 12, "\"<<\" merges mappings, this is none",
	    NULL);
	bad("a: { <<: {}, <<: {} }", 1, 14,
	    "duplicate key \"<<\": first given on line 1",
	    "merge several by a list: <<: [ *a, *b ]");
}

static void splices(void **ctx)
{
	(void)ctx;
	good("a: &a [ 1, 2 ]\nb: &b [ *a, 3, *a ]\nc: [ *b, [ *a ] ]\n"
	     "d: [ &d [ 7 ], *d ]\ne: &e 5\nf: [ *e ]\ng: &g []\nh: [ *g ]\n");
	assert_int_equal(at("b")->n, 5);
	assert_int_equal(at("c")->n, 6);
	is("c/4", "2");
	is("c/5/1", "2");
	assert_int_equal(at("d")->n, 2); /* where it is defined it stays */
	is("d/0/0", "7");
	is("d/1", "7");
	is("f/0", "5");
	assert_int_equal(at("h")->n, 0);
	good("a: &x 1\nb: &x 2\nc: *x\n");
	is("c", "2");
}

static void bytes(void **ctx)
{
	(void)ctx;
	bad("a: b\n c\xff", 2, 3, "byte 0xff is not UTF-8", NULL);
	bad("a: \xc0\x80", 1, 4, "byte 0xc0 is not UTF-8", NULL);
	bad("a: \xed\xa0\x80", 1, 4, "byte 0xed is not UTF-8", NULL);
	bad("a: \xf4\x90\x80\x80", 1, 4, "byte 0xf4 is not UTF-8", NULL);
	bad("a: \xc3\xa9\xc3", 1, 5, "byte 0xc3 is not UTF-8", NULL);
	bad("\xff\xfe"
	    "a",
	    1, 1, "byte 0xff is not UTF-8", NULL);
	bad_len("a: b\0c", 6, 1, 5, "NUL byte U+0000");
	bad("a: \x1b[m", 1, 4, "control character U+001B", NULL);
	bad("# \x7f", 1, 3, "control character U+007F", NULL);
	bad("a: \xc2\x85", 1, 4, "control character U+0085", NULL);
	bad("a: \xe2\x80\xa8", 1, 4, "line separator U+2028", NULL);
	bad("a: \xe2\x80\xae", 1, 4, "text direction mark U+202E", NULL);
	bad("a: \xef\xbb\xbf", 1, 4, "byte order mark U+FEFF", NULL);
	bad("a: \"\\0\"", 1, 4, "NUL byte U+0000 in a string", NULL);
	bad("a: \"\\e[m\"", 1, 4, "control character U+001B in a string", NULL);
}

#define QUOTE_TAG "quote the expression if it begins with \"!\""
#define QUOTE(c) "quote the expression that begins with \"" c "\""
#define QUOTE_FLOW "quote a value that holds \": \", \"[\" or \",\""
#define LOOK "look at the indentation, at quotes and brackets"
#define LOOK_VALUE                                                           \
	"quote a value that holds \": \", else look at the indentation and " \
	"for a missing space after \":\" in the line above"
#define LOOK_KEY                                                      \
	"a key is followed by a colon and a space; else look at the " \
	"indentation"

static const struct {
	const char *text;
	uint32_t line, column;
	const char *message, *advice;
} errors[] = {
	/* What libyaml takes and we do not. */
	{ "", 1, 1, "the file is empty", NULL },
	{ "# only this\n", 1, 1, "the file is empty", NULL },
	{ "---\n...\n", 1, 1, "the file is empty", NULL },
	{ "a", 1, 1, "the file must be a mapping (\"key: value\")", NULL },
	{ "\n- a", 2, 1, "the file must be a mapping (\"key: value\")", NULL },
	{ "a: 1\nb: 2\na: 3\n", 3, 1,
	  "duplicate key \"a\": first given on line 1", NULL },
	{ "a: 1\n---\nb: 1\n", 2, 1, "a second document begins here",
	  "a file is one document: remove the line \"---\" and what follows, "
	  "or make it a file" },
	{ "a: *b", 1, 4, "no anchor \"&b\" before this alias",
	  "quote the expression if it begins with \"*\"" },
	{ "a: &rules x\nb: *rule", 2, 4,
	  "no anchor \"&rule\" before this alias", "did you mean \"*rules\"?" },
	{ "a: &x [ 1, *x ]", 1, 12, "anchor \"&x\" of line 1 contains itself",
	  NULL },
	{ "a: &x\n  b: { <<: *x }", 2, 12,
	  "anchor \"&x\" of line 1 contains itself", NULL },
	{ "&x a: { b: *x, c: *y }", 1, 19, "no anchor \"&y\" before this alias",
	  "quote the expression if it begins with \"*\"" },
	{ "[ a ]: b", 1, 1, "a key must be a word",
	  "quote the value if it is an expression that begins with \"[\" or "
	  "\"{\"" },
	{ "? { a: b }\n: c", 1, 3, "a key must be a word",
	  "quote the value if it is an expression that begins with \"[\" or "
	  "\"{\"" },
	{ "?\n: a", 1, 2, "a key is missing", NULL },
	{ "a: !x y", 1, 4, "\"!x\" is a YAML tag, and tags are not used here",
	  QUOTE_TAG },
	{ "a: !x [ y ]", 1, 4,
	  "\"!x\" is a YAML tag, and tags are not used here", QUOTE_TAG },
	{ "a: !!map { y: z }", 1, 4,
	  "\"tag:yaml.org,2002:map\" is a YAML tag, and tags are not used "
	  "here",
	  QUOTE_TAG },
	{ "a: { when: !value.EN, to: b }", 1, 12,
	  "\"!value.EN\" is a YAML tag, and tags are not used here",
	  QUOTE_TAG },
	{ "%TAG ! x\n---\na: b", 1, 1, "tags are not used here", NULL },
	/* What libyaml does not take. */
	{ "a:\n\tb: 1", 2, 1, "a tab where only spaces may indent",
	  "indent with spaces" },
	{ "a: 1\n\tb: 1", 2, 1, "a tab where only spaces may indent",
	  "indent with spaces" },
	{ "a: b: c", 1, 5, "\":\" does not fit here", LOOK_VALUE },
	{ "last: a ? b : c", 1, 13, "\":\" does not fit here", LOOK_VALUE },
	{ "a: ? b", 1, 4, "\"?\" may not begin a value",
	  "quote the expression" },
	{ "a: - b", 1, 4, "\"- \" may not follow on the same line",
	  "begin the list on a line of its own, or write [ a, b ]" },
	{ "a: 1\nbcd\nd: 1", 2, 1, "expected \":\" after this key", LOOK_KEY },
	{ "a: \"b\nc: d\n", 1, 4, "this quote is never closed", NULL },
	{ "a: 'b\n---\n", 1, 4, "this quote is never closed", NULL },
	{ "a: \"\\q\"", 1, 5, "unknown escape in a quoted string",
	  "use single quotes, or write \\\\ for a backslash" },
	{ "a: { when: !v.EN && b }", 1, 18, "\"&\" without a name",
	  QUOTE("!") },
	{ "a: & b", 1, 4, "\"&\" without a name", QUOTE("&") },
	{ "a: [ b, * c ]", 1, 9, "\"*\" without a name", QUOTE("*") },
	{ "a: || b", 1, 4,
	  "text may not follow on the line of this \"|\" or "
	  "\">\"",
	  QUOTE("|") },
	{ "a: >= 3", 1, 4,
	  "text may not follow on the line of this \"|\" or "
	  "\">\"",
	  QUOTE(">") },
	{ "a: @b", 1, 4, "\"@\" may not begin a value",
	  "quote the expression" },
	{ "a: % 3", 1, 4, "\"%\" may not begin a value",
	  "quote the expression" },
	{ "a: !b!c d", 1, 4, "this is taken for a tag", QUOTE("!") },
	{ "{ when: a ? b : c }", 1, 15, "expected \",\" or \"}\"", QUOTE_FLOW },
	{ "{ when: X[0] == 1 }", 1, 10, "expected \",\" or \"}\"", QUOTE_FLOW },
	{ "a: [ 1, 2\nb: c\n", 2, 2,
	  "expected \",\" or \"]\" in the list that begins on line 1",
	  QUOTE_FLOW },
	{ "a:\n  b: 1\n c: 2", 3, 2,
	  "expected a key in the mapping that begins on line 1", LOOK },
	{ "a: b\n}", 2, 1,
	  "expected a key in the mapping that begins on line 1", LOOK },
	{ "a: 'x' y", 1, 8, "expected a key", LOOK },
	{ "- a\nb: c", 2, 1,
	  "expected \"- \" in the list that begins on line 1",
	  "look at the indentation" },
	{ "a: ]", 1, 4, "expected a value", NULL },
	{ "%YAML 2.0\n---\na: b", 1, 1,
	  "this is no version of YAML that is known", "remove the line" },
	{ "%FOO\n---\na: b", 1, 5,
	  "while scanning a directive: found unknown directive name", NULL },
	{ "{ a: b } c", 1, 10, "text behind the end of the document", NULL },
};

static void bad_text(void **ctx)
{
	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		bad(errors[i].text, errors[i].line, errors[i].column,
		    errors[i].message, errors[i].advice);
}

static void several(void **ctx)
{
	char *s;

	(void)ctx;
	bad("a: 1\na: 2\nb: !x 3\nc: *d\ne: &e [ *e ]\nb: 4\nf: \"\\0\"\na: 5\n",
	    3, 4, "\"!x\" is a YAML tag, and tags are not used here",
	    QUOTE_TAG);
	assert_int_equal(diag.errors, 7);
	s = diag_render(&diag, NULL, 0);
	assert_non_null(strstr(s, "f.yaml:2:1: error: duplicate key"));
	assert_non_null(strstr(s, "f.yaml:8:1: error: duplicate key \"a\": "
				  "first given on line 1"));
	free(s);
}

/* (n) times (s), with (i) counting, between (before) and (after). */
static char *repeat(const char *before, const char *s, size_t n,
		    const char *after)
{
	char *text = malloc(strlen(before) + n * (strlen(s) + 12) +
			    strlen(after) + 1);
	size_t len = strlen(before);

	strcpy(text, before);
	for (size_t i = 0; i < n; i++) {
		if (strchr(s, '%')) {
			len += (size_t)sprintf(text + len, "%.*s%zu%s",
					       (int)strcspn(s, "%"), s, i,
					       strchr(s, '%') + 1);
		} else {
			memcpy(text + len, s, strlen(s));
			len += strlen(s);
		}
	}
	strcpy(text + len, after);
	return text;
}

static void bad_repeat(const char *before, const char *s, size_t n,
		       const char *after, uint32_t line, uint32_t column,
		       const char *message)
{
	char *text = repeat(before, s, n, after);

	bad_len(text, strlen(text), line, column, message);
	free(text);
}

static void good_repeat(const char *before, const char *s, size_t n,
			const char *after)
{
	char *text = repeat(before, s, n, after);

	good(text);
	free(text);
}

static void limits(void **ctx)
{
	(void)ctx;
	good_repeat("a: ", "[", 31, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	bad_repeat("a: ", "[", 32, "", 1, 35, "more than 32 levels deep");
	good_repeat("x: &x [[[[[[]]]]]]\na: ", "[", 25,
		    "*x]]]]]]]]]]]]]]]]]]]]]]]]]");
	bad_repeat("x: &x [[[[[[]]]]]]\na: ", "[", 26, "*x", 2, 30,
		   "more than 32 levels deep, aliases expanded");
	good_repeat("a: ", "b", LOAD_MAX_SCALAR, "");
	bad_repeat("a: ", "b", LOAD_MAX_SCALAR + 1, "", 1, 4,
		   "4097 bytes in one value, at most 4096 may be");
	good_repeat("a: [", "1,", LOAD_MAX_NODES - 3, "]");
	bad_repeat("a: [", "1,", LOAD_MAX_NODES - 2, "]", 1, 199999,
		   "more than 100000 values, aliases expanded");
	good_repeat("a: b\n#", "-", LOAD_MAX_BYTES - 6, "");
	bad_repeat("a: b\n#", "-", LOAD_MAX_BYTES - 5, "", 2, 1048571,
		   "the file has 1048577 bytes, at most 1048576 are read");
	good_repeat("a:\n", "- &a% x\n", 256, "b: *a255\n");
	bad_repeat("a:\n", "- &a% x\n", 257, "", 258, 3,
		   "more than 256 anchors");
}

static void laughs(void **ctx)
{
	char text[2000] = "a: &a { v: [ x, x, x, x, x, x, x, x, x, x ] }\n";

	(void)ctx;
	for (char c = 'b'; c < 'm'; c++)
		sprintf(text + strlen(text),
			"%c: &%c { v: [ *%c, *%c, *%c, *%c, *%c, *%c ] }\n", c,
			c, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
	bad(text, 6, 30, "more than 100000 values, aliases expanded", NULL);
	strcpy(text, "a: &a [ x, x, x, x, x, x, x, x, x, x ]\n");
	for (char c = 'b'; c < 'm'; c++)
		sprintf(text + strlen(text),
			"%c: &%c [ *%c, *%c, *%c, *%c, *%c, *%c, *%c ]\n", c, c,
			c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
	bad_len(text, strlen(text), 6, 17,
		"more than 100000 values, aliases expanded");
}

/* None of these may take long, whatever becomes of it. */
static const struct {
	const char *before, *s, *after;
} hostile_texts[] = {
	{ "", "[", "" },
	{ "", "{", "" },
	{ "", "- ", "" },
	{ "", "? ", "" },
	{ "", "k%: 1\n", "" },
	{ "", "a: 1\n", "" },
	{ "", "- a\n", "" },
	{ "[", "a,", "]" },
	{ "[", "[],", "]" },
	{ "{", "a,", "}" },
	{ "{", "? a,", "}" },
	{ "", "#", "" },
	{ "", "#\n", "" },
	{ "", "\n", "" },
	{ "", "\r", "" },
	{ "", " ", "" },
	{ "\"", "\\x41", "\"" },
	{ "\"", "\n", "\"" },
	{ "a: |\n", " x\n", "" },
	{ "a: |\n", "\n", "" },
	{ "a: ", "b\n ", "" },
	{ "'", "''", "'" },
	{ "", "\"", "" },
	{ "", "a:", "" },
	{ "", ": ", "" },
	{ "", "!a ", "" },
	{ "", "&a ", "" },
	{ "", "*", "" },
	{ "&", "a", "" },
	{ "", "%TAG !a% x\n", "" },
	{ "", "%YAML 1.1\n", "" },
	{ "", "...\n", "" },
	{ "", "\"a\" ", "" },
	{ "a: &a x\nb:\n", "- *a\n", "" },
	{ "", "- &a x\n", "" },
	{ "a: &a { k: 1 }\nb: { <<: [ ", "*a, ", "] }" },
};

static void hostile(void **ctx)
{
	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(hostile_texts); i++) {
		size_t n = (LOAD_MAX_BYTES - 64) /
			   (strlen(hostile_texts[i].s) +
			    (strchr(hostile_texts[i].s, '%') &&
					     hostile_texts[i].s[1] != 'Y' ?
				     5 :
				     0));
		char *text = repeat(hostile_texts[i].before, hostile_texts[i].s,
				    n, hostile_texts[i].after);
		clock_t start = clock();
		struct tree *t;
		char *s;

		if (!load_yaml(&t, &root, text, strlen(text), &diag))
			load_free(t);
		s = diag_render(&diag, text, strlen(text));
		assert_true(strlen(s) < DIAG_MAX * 1000);
		free(s);
		diag_fini(&diag);
		if (clock() - start > 2 * CLOCKS_PER_SEC)
			fail_msg("%s%s takes long", hostile_texts[i].before,
				 hostile_texts[i].s);
		free(text);
	}
}

/* Present only where the linker wraps malloc(); else the test is skipped. */
void *__real_malloc(size_t size) __attribute__((weak));
void *__real_calloc(size_t n, size_t size) __attribute__((weak));
void *__real_realloc(void *p, size_t size) __attribute__((weak));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
static long countdown = -1; /* allocations until all fail */

static bool fails(void)
{
	if (countdown > 0)
		countdown--;
	return countdown == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

static void no_memory(void **ctx)
{
	int ret = -ENOMEM;
	char *s;

	(void)ctx;
	if (!__real_malloc)
		skip();
	for (long i = 1; ret; i++) {
		countdown = i;
		ret = load_yaml(&tree, &root, model, strlen(model), &diag);
		countdown = -1;
		assert_true(!ret || ret == -ENOMEM);
	}
	/* Messages without memory are counted. */
	for (long i = 1; diag.n < 1; i++) {
		diag_fini(&diag);
		countdown = i;
		diag_error(&diag, root->pos, "x");
		diag_advise(&diag, "y");
		s = diag_render(&diag, model, strlen(model));
		countdown = -1;
		assert_int_equal(diag.errors, 1);
		assert_int_equal(diag.n + diag.dropped, 1);
		free(s);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_model), TEST(small_things), TEST(merges),
		TEST(splices), TEST(bytes),	   TEST(bad_text),
		TEST(several), TEST(limits),	   TEST(laughs),
		TEST(hostile), TEST(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
