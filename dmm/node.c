/* SPDX-License-Identifier: MIT */
/*
 * node.c: one node of a loaded text read as a number, a word, a size; or a
 * message that says what was expected and what was there.
 *
 * A node that is missing (NULL) is "nothing", at no known place.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kinds.h"
#include "load.h"

#define SHOWN 40 /* bytes of a value that a message quotes */

/* What follows a number, and what it multiplies by. */
struct unit {
	const char *name;
	uint64_t times;
};

static const struct unit sizes[] = {
	{ "", 1 },
	{ "K", 1 << 10 },
	{ "M", 1 << 20 },
	{ "G", 1 << 30 },
};

static const struct unit times[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
};

static struct diag_pos pos_of(const struct node *node)
{
	return node ? node->pos : (struct diag_pos){ 0, 0 };
}

const struct node *node_get(const struct node *map, const char *key)
{
	if (!map || map->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (!strcmp(map->key[i]->text, key))
			return map->at[i];
	return NULL;
}

const struct node *node_key(const struct node *map, const char *key)
{
	if (!map || map->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (!strcmp(map->key[i]->text, key))
			return map->key[i];
	return NULL;
}

bool node_is(const struct node *node, const char *text)
{
	return node && node->kind == NODE_SCALAR && !strcmp(node->text, text);
}

/* What YAML's core schema takes for nothing. */
static bool is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && !node->quoted &&
	       (!*node->text || node_is(node, "~") || node_is(node, "null"));
}

/* What (node) is, for a message: into (buf), which is returned. */
static const char *describe(const struct node *node, char buf[SHOWN + 32])
{
	const char *kind = node && node->quoted ? "the string " : "";
	size_t len;

	if (!node || is_null(node))
		return "nothing";
	if (node->kind != NODE_SCALAR)
		return node->kind == NODE_SEQ ? "a list" : "a mapping";
	len = strlen(node->text);
	if (len > SHOWN) {
		len = SHOWN;
		while (((unsigned char)node->text[len] & 0xc0) == 0x80)
			len--;
	}
	snprintf(buf, SHOWN + 32, "%s\"%.*s%s\"", kind, (int)len, node->text,
		 node->text[len] ? "..." : "");
	return buf;
}

static int unexpected(const struct node *node, const char *what,
		      const char *more, struct diag *diag)
{
	char buf[SHOWN + 32];

	return diag_error(diag, pos_of(node),
			  DIAG_VALUE "expected %s%s, got %s", what, more,
			  describe(node, buf));
}

static int digit(char c, unsigned int base)
{
	int d = c >= '0' && c <= '9' ? c - '0' :
		c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 :
				       -1;

	return d < (int)base ? d : -1;
}

/*
 * The number at the beginning of (s); what follows it is in (*end).  False if
 * there is none, or it does not fit.
 */
static bool number(const char *s, uint64_t *out, const char **end)
{
	unsigned int base = 10;
	uint64_t v = 0;
	int d;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'b')) {
		base = s[1] == 'x' ? 16 : 2;
		s += 2;
	}
	if (digit(*s, base) < 0)
		return false;
	for (; (d = digit(*s, base)) >= 0; s++)
		if (__builtin_mul_overflow(v, base, &v) ||
		    cc_add(v, (uint64_t)d, &v))
			return false;
	*out = v;
	*end = s;
	return true;
}

/* True if (node) can be a number at all. */
static bool plain(const struct node *node)
{
	return node && node->kind == NODE_SCALAR && !node->quoted;
}

/* Advice to one who put a number in quotes. */
static void advise_plain(const struct node *node, struct diag *diag)
{
	const char *end;
	uint64_t v;

	if (node && node->kind == NODE_SCALAR && node->quoted &&
	    number(node->text, &v, &end))
		diag_advise(diag, "a number stands without quotes");
}

int node_u64(const struct node *node, const char *what, uint64_t max,
	     uint64_t *out, struct diag *diag)
{
	char range[40] = "";
	const char *end;
	uint64_t v;

	if (plain(node) && number(node->text, &v, &end) && !*end && v <= max) {
		*out = v;
		return 0;
	}
	if (max < 10000)
		snprintf(range, sizeof(range), " (0 to %u)", (unsigned int)max);
	else if (max < UINT64_MAX)
		snprintf(range, sizeof(range), " (0 to 0x%llx)",
			 (unsigned long long)max);
	unexpected(node, what, range, diag);
	advise_plain(node, diag);
	return -EINVAL;
}

/* A number and one of (n) units.  False if (node) is none, or is too big. */
static bool with_unit(const struct node *node, const struct unit *units,
		      size_t n, uint64_t *out)
{
	const char *end;
	uint64_t v;

	if (!plain(node) || !number(node->text, &v, &end))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(end, units[i].name))
			return !__builtin_mul_overflow(v, units[i].times, out);
	return false;
}

int node_size(const struct node *node, const char *what, uint64_t *out,
	      struct diag *diag)
{
	uint64_t v;

	if (with_unit(node, sizes, ARRAY_LEN(sizes), &v)) {
		*out = v;
		return 0;
	}
	unexpected(node, what, "", diag);
	diag_advise(diag, "a number of bytes, without quotes; K, M or G may "
			  "follow it: 64K");
	return -EINVAL;
}

int node_time(const struct node *node, const char *what, uint64_t *out,
	      struct diag *diag)
{
	uint64_t v;

	if (with_unit(node, times, ARRAY_LEN(times), &v)) {
		*out = v;
		return 0;
	}
	unexpected(node, what, "", diag);
	diag_advise(diag, "a whole number and its unit, without quotes: ns, "
			  "us, ms or s, such as 100ms");
	return -EINVAL;
}

int node_bool(const struct node *node, const char *what, bool *out,
	      struct diag *diag)
{
	if (plain(node) && (node_is(node, "true") || node_is(node, "false"))) {
		*out = node_is(node, "true");
		return 0;
	}
	unexpected(node, what, "", diag);
	diag_advise(diag, "write true or false, without quotes");
	return -EINVAL;
}

/* Advice that names all (words), if they are few. */
static void advise_words(const char *const words[], size_t n, struct diag *diag)
{
	char list[200];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		int more = snprintf(list + len, sizeof(list) - len, "%s%s",
				    i ? ", " : "", words[i]);

		if (more < 0 || (size_t)more >= sizeof(list) - len)
			return;
		len += (size_t)more;
	}
	if (n)
		diag_advise(diag, "%s: %s", n == 1 ? "there is only" : "one of",
			    list);
}

static void advise_nearest(const char *word, const char *const words[],
			   size_t n, struct diag *diag)
{
	const char *near;

	if (diag->dropped)
		return; /* the message is not kept, so save the time */
	near = diag_nearest(word, words, n);
	if (near)
		diag_suggest(diag, word, near);
	else
		advise_words(words, n, diag);
}

int node_word(const struct node *node, const char *what,
	      const char *const words[], size_t n, unsigned int *out,
	      struct diag *diag)
{
	for (size_t i = 0; i < n; i++) {
		if (node_is(node, words[i])) {
			*out = (unsigned int)i;
			return 0;
		}
	}
	unexpected(node, what, "", diag);
	if (node && node->kind == NODE_SCALAR)
		advise_nearest(node->text, words, n, diag);
	else
		advise_words(words, n, diag);
	return -EINVAL;
}

int node_mac(const struct node *node, const char *what, uint8_t out[6],
	     struct diag *diag)
{
	uint8_t mac[6] = { 0 };
	const char *s = node && node->kind == NODE_SCALAR ? node->text : "";
	bool good = strlen(s) == 17;

	for (size_t i = 0; good && i < 6; i++, s += 3) {
		int high = digit(s[0], 16), low = digit(s[1], 16);

		good = high >= 0 && low >= 0 && s[2] == (i < 5 ? ':' : '\0');
		mac[i] = (uint8_t)((high & 15) << 4 | (low & 15));
	}
	if (good) {
		memcpy(out, mac, sizeof(mac));
		return 0;
	}
	unexpected(node, what, "", diag);
	diag_advise(diag, "six bytes in hexadecimal, such as "
			  "52:54:00:12:34:56");
	return -EINVAL;
}

int node_expect(const struct node *node, enum node_kind kind, const char *what,
		struct diag *diag)
{
	static const char *const kinds[] = { "a single value", "a list",
					     "a mapping" };
	char buf[SHOWN + 32];

	if (node && node->kind == kind && !is_null(node))
		return 0;
	diag_error(diag, pos_of(node), DIAG_TYPE "expected %s for %s, got %s",
		   kinds[kind], what, describe(node, buf));
	if (node && kind == NODE_SEQ)
		diag_advise(diag, "write [ a, b ], or a line \"- a\" for each");
	return -EINVAL;
}

int node_known(const struct node *map, const char *what,
	       const char *const keys[], size_t n, struct diag *diag)
{
	int ret = node_expect(map, NODE_MAP, what, diag);
	size_t pairs = ret ? 0 : map->n;
	char buf[SHOWN + 32];

	for (size_t i = 0; i < pairs; i++) {
		const struct node *key = map->key[i];
		size_t k = 0;

		while (k < n && strcmp(key->text, keys[k]))
			k++;
		if (k < n)
			continue;
		ret = diag_error(diag, key->pos,
				 DIAG_UNKNOWN_KEY "unknown key %s in %s",
				 describe(key, buf), what);
		advise_nearest(key->text, keys, n, diag);
	}
	return ret;
}
