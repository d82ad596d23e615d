/* SPDX-License-Identifier: MIT */
/*
 * load.c: YAML text to a tree of nodes; the only file that includes yaml.h.
 *
 * Three steps: text_check() looks at the raw bytes, so that libyaml only
 * meets UTF-8 without surprises; the events of libyaml become nodes, under
 * the limits of load.h; tree.c completes each collection.  An alias shares
 * the nodes of its anchor but is counted as if it were a copy, so no text can
 * unfold into more than LOAD_MAX_NODES.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "kinds.h"
#include "load.h"
#include "tree.h"
#include "utf8.h"

#define MAX_ANCHORS 256 /* each alias looks through them all */

struct anchor {
	const char *name;
	struct full_node *node;
};

/* A collection whose end is not yet read. */
struct frame {
	struct full_node *node;
	struct full_node *key; /* in a mapping: of the value to come */
	size_t first;	       /* of its items */
};

struct loader {
	struct tree *tree;
	struct diag *diag;
	const char *text;
	size_t len;
	struct item *items; /* a stack, shared by all open collections */
	size_t n_items, items_size;
	struct frame frames[LOAD_MAX_DEPTH];
	unsigned int depth;
	struct anchor anchors[MAX_ANCHORS];
	unsigned int n_anchors;
	uint32_t count; /* nodes, aliases expanded */
	unsigned int documents;
	struct full_node *root;
	struct full_node *poison; /* in place of what is known to be wrong */
	bool done;
};

/* ---- text ---- */

/* An error that was just said, with what to do about it. */
static int advised(struct diag *diag, int err, const char *advice)
{
	diag_advise(diag, "%s", advice);
	return err;
}

/* The whole text, before libyaml sees it. */
static int text_check(const char *text, size_t len, struct diag *diag)
{
	struct diag_pos pos = { 1, 1 };
	size_t n;

	if (len > LOAD_MAX_BYTES) {
		/* where the last byte that would be read stands */
		for (n = 0; n + 1 < LOAD_MAX_BYTES; n++) {
			pos.line += text[n] == '\n';
			pos.column = text[n] == '\n' ? 1 : pos.column + 1;
		}
		diag_error(diag, pos,
			   DIAG_BIG
			   "the file has %zu bytes, at most %u are read",
			   len, LOAD_MAX_BYTES);
		diag_advise(diag, "is it the right file? A description has "
				  "some hundred lines");
		return -EINVAL;
	}
	for (size_t at = 0; at < len; at += n) {
		uint32_t c = utf8_get(text + at, len - at, &n);
		const char *why = n ? utf8_wrong(c) : NULL;

		if (!n)
			return advised(diag,
				       diag_error(diag, pos,
						  DIAG_ENCODING
						  "byte 0x%02x is not UTF-8",
						  c),
				       "save the file as UTF-8");
		if (why)
			return advised(diag,
				       diag_error(diag, pos,
						  DIAG_ENCODING "%s U+%04X",
						  why, c),
				       "take it out: it cannot be seen, and "
				       "means nothing here");
		/* libyaml compares each %TAG with all before it. */
		if (pos.column == 1 && len - at >= 4 &&
		    !memcmp(text + at, "%TAG", 4))
			return advised(diag,
				       diag_error(diag, pos,
						  DIAG_TAG
						  "tags are not used here"),
				       "remove the line");
		if (c == '\n' ||
		    (c == '\r' && !(at + 1 < len && text[at + 1] == '\n'))) {
			pos.line++;
			pos.column = 1;
		} else {
			pos.column++;
		}
	}
	return 0;
}

/* A scalar's value: escapes may have made what text_check() refuses. */
static int scalar_check(struct loader *l, const char *text, size_t len,
			struct diag_pos pos)
{
	size_t n;

	if (len > LOAD_MAX_SCALAR)
		return advised(
			l->diag,
			diag_error(l->diag, pos,
				   DIAG_BIG
				   "%zu bytes in one value, at most %u may be",
				   len, LOAD_MAX_SCALAR),
			"is a quote missing?");
	for (size_t at = 0; at < len; at += n) {
		uint32_t c = utf8_get(text + at, len - at, &n);
		const char *why = n ? utf8_wrong(c) : "invalid byte";

		if (why)
			return advised(l->diag,
				       diag_error(l->diag, pos,
						  DIAG_ENCODING
						  "%s U+%04X in a string",
						  why, c),
				       "take the escape out");
	}
	return 0;
}

/* ---- events ---- */

static int item_push(struct loader *l, struct full_node *key,
		     struct full_node *value)
{
	if (l->n_items == l->items_size) {
		size_t size = l->items_size ? l->items_size * 2 : 256;
		struct item *items = realloc(l->items, size * sizeof(*items));

		if (!items)
			return -ENOMEM;
		l->items = items;
		l->items_size = size;
	}
	l->items[l->n_items++] = (struct item){ key, value };
	return 0;
}

static struct diag_pos mark_pos(const yaml_mark_t *mark)
{
	return (struct diag_pos){ (uint32_t)mark->line + 1,
				  (uint32_t)mark->column + 1 };
}

/* Count (weight) nodes more; an error ends the loading. */
static int count(struct loader *l, uint32_t weight, struct diag_pos pos)
{
	if (weight > LOAD_MAX_NODES - l->count)
		return advised(
			l->diag,
			diag_error(l->diag, pos,
				   DIAG_BIG
				   "more than %u values, aliases expanded",
				   LOAD_MAX_NODES),
			"an alias counts with all that it stands for");
	l->count += weight;
	return 0;
}

static struct full_node *find_anchor(struct loader *l, const char *name)
{
	for (unsigned int i = 0; i < l->n_anchors; i++)
		if (!strcmp(l->anchors[i].name, name))
			return l->anchors[i].node;
	return NULL;
}

/* Let (name), which may be NULL, stand for (node) from here on. */
static int set_anchor(struct loader *l, const yaml_char_t *name,
		      struct full_node *node, struct diag_pos pos)
{
	const char *s = (const char *)name;
	unsigned int i = 0;

	if (!s)
		return 0;
	while (i < l->n_anchors && strcmp(l->anchors[i].name, s))
		i++;
	if (i == MAX_ANCHORS)
		return diag_error(l->diag, pos, DIAG_BIG "more than %d anchors",
				  MAX_ANCHORS);
	if (i == l->n_anchors) {
		s = tree_text(l->tree, s, strlen(s));
		if (!s)
			return -ENOMEM;
		l->anchors[l->n_anchors++].name = s;
	}
	l->anchors[i].node = node;
	return 0;
}

static void set_key(struct loader *l, struct frame *f, struct full_node *node)
{
	f->key = node;
	if (node->poison)
		return;
	if (node->node.kind != NODE_SCALAR) {
		diag_error(l->diag, node->node.pos,
			   DIAG_BAD_KEY "a key must be a word");
		diag_advise(l->diag, "quote the value if it is an expression "
				     "that begins with \"[\" or \"{\"");
		f->key = l->poison;
	} else if (!node->node.quoted && !*node->node.text) {
		diag_error(l->diag, node->node.pos,
			   DIAG_BAD_KEY "a key is missing");
		f->key = l->poison;
	}
}

/* Give (node), which is complete, to the collection that it stands in. */
static int put(struct loader *l, struct full_node *node, bool alias)
{
	struct full_node *key;
	struct frame *f;
	int ret = 0;

	if (!l->depth) {
		l->root = node;
		return 0;
	}
	f = &l->frames[l->depth - 1];
	if (f->node->node.kind == NODE_SEQ) {
		if (!alias || node->node.kind != NODE_SEQ)
			return item_push(l, NULL, node);
		for (size_t i = 0; i < node->node.n && !ret; i++)
			ret = item_push(l, NULL,
					(struct full_node *)node->node.at[i]);
		return ret;
	}
	if (!f->key) {
		set_key(l, f, node);
		return 0;
	}
	key = f->key;
	f->key = NULL;
	return key->poison ? 0 : item_push(l, key, node);
}

/* True if there is a tag, which is an error. */
static bool has_tag(struct loader *l, const yaml_event_t *ev,
		    const yaml_char_t *tag)
{
	if (!tag)
		return false;
	diag_error(l->diag, mark_pos(&ev->start_mark),
		   DIAG_TAG "\"%s\" is a YAML tag, and tags are not used here",
		   tag);
	diag_advise(l->diag, "quote the expression if it begins with \"!\"");
	return true;
}

static int on_scalar(struct loader *l, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct diag_pos pos = mark_pos(&ev->start_mark);
	struct full_node *node = l->poison;
	int ret = count(l, 1, pos);

	if (ret)
		return ret;
	if (!has_tag(l, ev, ev->data.scalar.tag) &&
	    !scalar_check(l, text, len, pos)) {
		node = tree_node(l->tree, NODE_SCALAR, pos);
		if (!node)
			return -ENOMEM;
		node->node.quoted = ev->data.scalar.style !=
				    YAML_PLAIN_SCALAR_STYLE;
		node->node.text = tree_text(l->tree, text, len);
		if (!node->node.text)
			return -ENOMEM;
	}
	ret = set_anchor(l, ev->data.scalar.anchor, node, pos);
	return ret ? ret : put(l, node, false);
}

static void no_anchor(struct loader *l, const char *name, struct diag_pos pos)
{
	const char *names[MAX_ANCHORS], *near;

	for (unsigned int i = 0; i < l->n_anchors; i++)
		names[i] = l->anchors[i].name;
	near = diag_nearest(name, names, l->n_anchors);
	diag_error(l->diag, pos,
		   DIAG_ALIAS "no anchor \"&%s\" before this alias", name);
	if (near)
		diag_advise(l->diag, "did you mean \"*%s\"?", near);
	else
		diag_advise(l->diag, "quote the expression if it begins with "
				     "\"*\"");
}

static int on_alias(struct loader *l, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.alias.anchor;
	struct diag_pos pos = mark_pos(&ev->start_mark);
	struct full_node *node = find_anchor(l, name);
	int ret;

	if (!node) {
		no_anchor(l, name, pos);
		node = l->poison;
	} else if (node->open) {
		diag_error(l->diag, pos,
			   DIAG_ALIAS
			   "anchor \"&%s\" of line %u contains itself",
			   name, node->node.pos.line);
		diag_advise(l->diag, "what is named must end before it is "
				     "used again");
		node = l->poison;
	}
	if (l->depth + node->height > LOAD_MAX_DEPTH)
		return diag_error(l->diag, pos,
				  DIAG_BIG
				  "more than %u levels deep, aliases expanded",
				  LOAD_MAX_DEPTH);
	ret = count(l, node->weight, pos);
	return ret ? ret : put(l, node, true);
}

static int on_open(struct loader *l, const yaml_event_t *ev,
		   enum node_kind kind)
{
	const yaml_char_t *tag = ev->data.mapping_start.tag;
	const yaml_char_t *anchor = ev->data.mapping_start.anchor;
	struct diag_pos pos = mark_pos(&ev->start_mark);
	struct full_node *node;
	int ret = count(l, 1, pos);

	if (kind == NODE_SEQ) {
		tag = ev->data.sequence_start.tag;
		anchor = ev->data.sequence_start.anchor;
	}
	has_tag(l, ev, tag); /* go on: what is in it may be read */
	if (ret)
		return ret;
	if (l->depth == LOAD_MAX_DEPTH)
		return advised(l->diag,
			       diag_error(l->diag, pos,
					  DIAG_BIG "more than %u levels deep",
					  LOAD_MAX_DEPTH),
			       "is a bracket not closed?");
	node = tree_node(l->tree, kind, pos);
	if (!node)
		return -ENOMEM;
	node->open = true;
	ret = set_anchor(l, anchor, node, pos);
	if (ret)
		return ret;
	l->frames[l->depth++] =
		(struct frame){ .node = node, .first = l->n_items };
	return 0;
}

static int on_close(struct loader *l)
{
	struct frame *f = &l->frames[--l->depth];
	size_t n = l->n_items - f->first;
	const struct item *items = n ? l->items + f->first : NULL;
	struct full_node *node = f->node;
	int ret;

	ret = tree_close(l->tree, node, items, n, l->diag);
	if (ret)
		return ret;
	l->n_items = f->first;
	return put(l, node, false);
}

static int on_document(struct loader *l, const yaml_event_t *ev)
{
	if (!l->documents++)
		return 0;
	diag_error(l->diag, mark_pos(&ev->start_mark),
		   DIAG_YAML "a second document begins here");
	diag_advise(l->diag, "a file is one document: remove the line \"---\" "
			     "and what follows, or make it a file");
	return -EINVAL;
}

static int on_event(struct loader *l, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(l, ev);
	case YAML_SCALAR_EVENT:
		return on_scalar(l, ev);
	case YAML_ALIAS_EVENT:
		return on_alias(l, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(l, ev, NODE_SEQ);
	case YAML_MAPPING_START_EVENT:
		return on_open(l, ev, NODE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(l);
	case YAML_STREAM_END_EVENT:
		l->done = true;
		return 0;
	default:
		return 0;
	}
}

/*
 * libyaml's errors
 */

/* The text of the source at (mark). */
static const char *mark_text(const struct loader *l, const yaml_mark_t *mark)
{
	size_t at = 0, n = 0;

	for (; at < l->len; at++) /* a mark counts code points */
		if (((unsigned char)l->text[at] & 0xc0) != 0x80 &&
		    n++ == mark->index)
			break;
	return l->text + at;
}

/*
 * The last character, at or before (mark) on its line, that means something to
 * YAML where a value begins, and that an expression may begin with; or 0.
 */
static char quotable(const struct loader *l, const yaml_mark_t *mark)
{
	const char *at = mark_text(l, mark), *before;

	if (at == l->text + l->len && at > l->text)
		at--;
	for (; at > l->text && *at != '\n' && *at != '\r'; at--) {
		if (!strchr("!&*|>%@`", *at))
			continue;
		before = at - 1;
		while (before > l->text && *before == ' ')
			before--;
		if (strchr(":-,[{", *before))
			return *at;
	}
	return 0;
}

/* What libyaml's messages mean to somebody who writes a model. */
static const struct cause {
	const char *problem; /* its beginning */
	const char *context; /* its end, or NULL */
	bool at_context;     /* there is what is wrong, not where it showed */
	const char *text;
	const char *advice;
} causes[] = {
	{ "found a tab character", NULL, false,
	  "a tab where only spaces may indent", "indent with spaces" },
	{ "mapping values are not", NULL, false, "\":\" does not fit here",
	  "quote a value that holds \": \", else look at the indentation and "
	  "for a missing space after \":\" in the line above" },
	{ "mapping keys are not", NULL, false, "\"?\" may not begin a value",
	  "quote the expression" },
	{ "block sequence entries are not", NULL, false,
	  "\"- \" may not follow on the same line",
	  "begin the list on a line of its own, or write [ a, b ]" },
	{ "could not find expected ':'", NULL, true,
	  "expected \":\" after this key",
	  "a key is followed by a colon and a space; else look at the "
	  "indentation" },
	{ "found unexpected end", "quoted scalar", true,
	  "this quote is never closed", NULL },
	{ "found unexpected document", "quoted scalar", true,
	  "this quote is never closed", NULL },
	{ "found unknown escape", NULL, false,
	  "unknown escape in a quoted string",
	  "use single quotes, or write \\\\ for a backslash" },
	{ "did not find expected alphabetic", "anchor", true,
	  "\"&\" without a name", "quote the expression" },
	{ "did not find expected alphabetic", "alias", true,
	  "\"*\" without a name", "quote the expression" },
	{ "did not find expected comment", NULL, true,
	  "text may not follow on the line of this \"|\" or \">\"",
	  "quote the expression" },
	{ "did not find expected ',' or ']'", NULL, false,
	  "expected \",\" or \"]\"",
	  "quote a value that holds \": \", \"[\" or \",\"" },
	{ "did not find expected ',' or '}'", NULL, false,
	  "expected \",\" or \"}\"",
	  "quote a value that holds \": \", \"[\" or \",\"" },
	{ "did not find expected key", NULL, false, "expected a key",
	  "look at the indentation, at quotes and brackets" },
	{ "did not find expected '-'", NULL, false, "expected \"- \"",
	  "look at the indentation" },
	{ "did not find expected node", NULL, false, "expected a value", NULL },
	{ "found undefined tag", NULL, false, "this is taken for a tag",
	  "quote the expression if it begins with \"!\"" },
	{ "did not find expected", "a tag", true, "this is taken for a tag",
	  "quote the expression if it begins with \"!\"" },
	{ "found incompatible YAML", NULL, false,
	  "this is no version of YAML that is known", "remove the line" },
	{ "did not find expected <document", NULL, false,
	  "text behind the end of the document", NULL },
};

static const struct cause *find_cause(const yaml_parser_t *parser)
{
	const char *context = parser->context ? parser->context : "";
	size_t len = strlen(context);

	for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
		const struct cause *c = &causes[i];
		size_t tail = c->context ? strlen(c->context) : 0;

		if (!strncmp(parser->problem, c->problem, strlen(c->problem)) &&
		    tail <= len &&
		    !strcmp(context + len - tail, c->context ? c->context : ""))
			return c;
	}
	return NULL;
}

/* A character that begins nothing. */
static void bad_start(struct loader *l, const yaml_mark_t *mark)
{
	char c = *mark_text(l, mark);

	if (c == '\t') {
		diag_error(l->diag, mark_pos(mark),
			   DIAG_YAML "a tab where only spaces may indent");
		diag_advise(l->diag, "indent with spaces");
		return;
	}
	diag_error(l->diag, mark_pos(mark),
		   DIAG_YAML "\"%c\" may not begin a value", c);
	diag_advise(l->diag, "quote the expression");
}

/* The collection that libyaml was about to read, or NULL. */
static const char *collection(const char *context)
{
	if (!context)
		return NULL;
	if (strstr(context, "mapping"))
		return "mapping";
	if (strstr(context, "sequence") || strstr(context, "collection"))
		return "list";
	return NULL;
}

static int yaml_failed(struct loader *l, const yaml_parser_t *parser)
{
	const yaml_mark_t *mark = &parser->problem_mark;
	const struct cause *cause;
	const char *in;
	char c;

	if (parser->error == YAML_MEMORY_ERROR || !parser->problem)
		return -ENOMEM;
	if (!strcmp(parser->problem,
		    "found character that cannot start any token")) {
		bad_start(l, mark);
		return -EINVAL;
	}
	cause = find_cause(parser);
	if (!cause)
		return diag_error(l->diag, mark_pos(mark), DIAG_YAML "%s%s%s",
				  parser->context ? parser->context : "",
				  parser->context ? ": " : "", parser->problem);
	if (cause->at_context)
		mark = &parser->context_mark;
	c = quotable(l, mark);
	in = collection(parser->context);
	if (in && parser->context_mark.line != mark->line)
		diag_error(l->diag, mark_pos(mark),
			   DIAG_YAML "%s in the %s that begins on line %zu",
			   cause->text, in, parser->context_mark.line + 1);
	else
		diag_error(l->diag, mark_pos(mark), DIAG_YAML "%s",
			   cause->text);
	if (c)
		diag_advise(l->diag,
			    "quote the expression that begins with \"%c\"", c);
	else if (cause->advice)
		diag_advise(l->diag, "%s", cause->advice);
	return -EINVAL;
}

/* ---- the whole ---- */

static int read_events(struct loader *l)
{
	const unsigned char *text = (const unsigned char *)l->text;
	yaml_parser_t parser;
	yaml_event_t ev;
	int ret = 0;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text, l->len);
	while (!l->done && !ret) {
		if (!yaml_parser_parse(&parser, &ev)) {
			ret = yaml_failed(l, &parser);
			break;
		}
		ret = on_event(l, &ev);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&parser);
	return ret;
}

/* The top of the document is there, and is a mapping. */
static void check_root(struct loader *l)
{
	const struct node *root = l->root ? &l->root->node : NULL;
	const struct diag_pos top = { 1, 1 };

	if (!root || (root->kind == NODE_SCALAR && !root->quoted &&
		      !*root->text && !l->root->poison))
		diag_error(l->diag, top, DIAG_TYPE "the file is empty");
	else if (root->kind != NODE_MAP && !l->root->poison)
		diag_error(l->diag, root->pos,
			   DIAG_TYPE
			   "the file must be a mapping (\"key: value\")");
}

static int load(struct loader *l)
{
	int ret = text_check(l->text, l->len, l->diag);

	if (ret)
		return ret;
	l->poison = tree_node(l->tree, NODE_SCALAR, (struct diag_pos){ 0, 0 });
	if (!l->poison)
		return -ENOMEM;
	l->poison->poison = true;
	ret = read_events(l);
	if (!ret)
		check_root(l);
	return ret;
}

int load_yaml(struct tree **out, const struct node **root, const char *text,
	      size_t len, struct diag *diag)
{
	struct loader *l = calloc(1, sizeof(*l));
	unsigned int errors = diag->errors;
	int ret = -ENOMEM;

	if (!l)
		return -ENOMEM;
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3; /* a byte order mark */
		len -= 3;
	}
	l->text = text;
	l->len = len;
	l->diag = diag;
	l->tree = tree_new();
	if (l->tree)
		ret = load(l);
	if (!ret && diag->errors != errors)
		ret = -EINVAL;
	if (!ret) {
		*out = l->tree;
		*root = &l->root->node;
	} else {
		load_free(l->tree);
	}
	free(l->items);
	free(l);
	return ret;
}
