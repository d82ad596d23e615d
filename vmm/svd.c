/* SPDX-License-Identifier: MIT */
/*
 * svd.c: the registers of a CMSIS-SVD file, by expat.
 *
 * Element by element: what is inside a device, a peripheral, a cluster or a
 * register is noted in its level, which begins as a copy of the one around it
 * (so sizes, accesses and reset values are inherited); a register is kept when
 * its element ends.
 */

#include <errno.h>
#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svd.h"

#define MAX_DEPTH 24
#define MAX_TEXT 256

enum kind { OTHER, DEVICE, PERIPHERAL, CLUSTER, REGISTER, FIELD };

/* What is known of the element at hand. */
struct level {
	enum kind kind;
	char name[SVD_NAME];
	uint64_t at, step, reset;
	unsigned int bits, dim;
	bool read, write, read_clears, ones_clear, ones_set;
	bool derived; /* of another, which is not followed */
	bool refused; /* a number in it is none */
	/* of a field */
	unsigned int low, width;
	bool placed;
};

struct parse {
	struct svd *svd;
	XML_Parser xml;
	struct level level[MAX_DEPTH];
	unsigned int depth;
	char text[MAX_TEXT];
	size_t text_len;
	char peripheral[SVD_NAME];
	struct svd_register reg; /* its fields so far */
	struct svd_field field[SVD_MAX_FIELDS];
	size_t room;
	char *why;
	bool no_memory;
};

static void stop(struct parse *p, const char *fmt, ...) PRINTF(2, 3);

static void stop(struct parse *p, const char *fmt, ...)
{
	va_list ap;

	if (p->why || p->no_memory)
		return;
	va_start(ap, fmt);
	if (vasprintf(&p->why, fmt, ap) < 0) {
		p->why = NULL;
		p->no_memory = true;
	}
	va_end(ap);
	XML_StopParser(p->xml, XML_FALSE);
}

/* ---- values ---- */

/* "%s", where the number of an element goes, falls away, and "[%s]" too. */
static void take_name(const char *text, char out[SVD_NAME])
{
	size_t n = 0;

	for (; *text && n < SVD_NAME - 1; text++) {
		char c = *text;
		bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9' && n) || c == '_';

		if (!strncmp(text, "[%s]", 4))
			text += 3;
		else if (!strncmp(text, "%s", 2))
			text += 1;
		else if (fine)
			out[n++] = c;
		else
			out[n++] = '_';
	}
	out[n] = '\0';
}

/* scaledNonNegativeInteger: decimal, 0x, #binary; K, M, G and T may follow. */
static bool take_number(const char *text, uint64_t *out)
{
	unsigned int base = 10, shift = 0;
	const char *p = text + (*text == '+');
	char *end;

	if (!strncmp(p, "0x", 2) || !strncmp(p, "0X", 2)) {
		base = 16;
		p += 2;
	} else if (*p == '#' || !strncmp(p, "0b", 2) || !strncmp(p, "0B", 2)) {
		base = 2;
		p += *p == '#' ? 1 : 2;
	}
	if (!strchr("0123456789abcdefABCDEF", *p) || !*p)
		return false;
	errno = 0;
	*out = strtoull(p, &end, (int)base);
	if (errno || end == p)
		return false;
	switch (*end) {
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'm':
	case 'M':
		shift = 20;
		break;
	case 'g':
	case 'G':
		shift = 30;
		break;
	default:
		return !*end;
	}
	if (end[1] || *out > UINT64_MAX >> shift)
		return false;
	*out <<= shift;
	return true;
}

static void take_access(struct level *l, const char *text)
{
	l->read = strcmp(text, "write-only") && strcmp(text, "writeOnce");
	l->write = strcmp(text, "read-only");
}

/* "[7:4]" */
static bool take_range(const char *text, struct level *l)
{
	unsigned int high, low;
	char close, more;

	if (sscanf(text, "[%3u:%3u%c%c", &high, &low, &close, &more) != 3 ||
	    close != ']' || high < low || high > 63)
		return false;
	l->low = low;
	l->width = high - low + 1;
	return l->placed = true;
}

static bool field_value(struct level *l, const char *tag, const char *text)
{
	uint64_t v;

	if (!strcmp(tag, "bitRange"))
		return take_range(text, l);
	if (strcmp(tag, "bitOffset") && strcmp(tag, "lsb") &&
	    strcmp(tag, "bitWidth") && strcmp(tag, "msb"))
		return true;
	if (!take_number(text, &v) || v > 64)
		return false;
	if (!strcmp(tag, "bitOffset") || !strcmp(tag, "lsb")) {
		l->low = (unsigned int)v;
		l->placed = true;
	} else if (!strcmp(tag, "bitWidth")) {
		l->width = (unsigned int)v;
	} else if (v >= l->low) {
		l->width = (unsigned int)v - l->low + 1;
	} else {
		return false;
	}
	return true;
}

/* One property of an element that has registers, or is one. */
static bool value(struct level *l, const char *tag, const char *text)
{
	uint64_t v = 0;

	if (!strcmp(tag, "access"))
		take_access(l, text);
	else if (!strcmp(tag, "readAction"))
		l->read_clears = !strcmp(text, "clear");
	else if (!strcmp(tag, "modifiedWriteValues")) {
		l->ones_clear = !strcmp(text, "oneToClear");
		l->ones_set = !strcmp(text, "oneToSet");
	} else if (!strcmp(tag, "baseAddress") || !strcmp(tag, "addressOffset"))
		return take_number(text, &v) && !cc_add(l->at, v, &l->at);
	else if (!strcmp(tag, "resetValue"))
		return take_number(text, &l->reset);
	else if (!strcmp(tag, "dimIncrement"))
		return take_number(text, &l->step);
	else if (!strcmp(tag, "size") || !strcmp(tag, "dim")) {
		if (!take_number(text, &v) || !v || v > 1024)
			return false;
		*(*tag == 's' ? &l->bits : &l->dim) = (unsigned int)v;
	}
	return true;
}

/* ---- what is kept ---- */

static void keep_field(struct parse *p, const struct level *l)
{
	struct svd_field *f = &p->field[p->reg.fields];

	for (unsigned int i = 0; i < p->reg.fields; i++) {
		const struct svd_field *o = &p->field[i];

		if (!strcmp(o->name, l->name) ||
		    (l->low < o->low + o->bits && o->low < l->low + l->width)) {
			p->svd->left_out++;
			return;
		}
	}
	if (!l->placed || !*l->name || !l->width || l->refused || l->dim > 1 ||
	    l->derived || l->low + l->width > 64 ||
	    p->reg.fields == SVD_MAX_FIELDS) {
		p->svd->left_out++;
		return;
	}
	memcpy(f->name, l->name, sizeof(f->name));
	f->low = l->low;
	f->bits = l->width;
	p->reg.fields++;
}

/* Those that lie in it, whose size may have come last. */
static void take_fields(struct parse *p, struct svd_register *r)
{
	for (unsigned int i = 0; i < p->reg.fields; i++)
		if (p->field[i].low + p->field[i].bits <= r->bits)
			r->field[r->fields++] = p->field[i];
		else
			p->svd->left_out++;
}

static void keep_register(struct parse *p, const struct level *l)
{
	struct svd *svd = p->svd;
	struct svd_register *r, *more;

	if (!*l->name || l->bits % 8 || l->bits > 64 || l->refused ||
	    l->derived || svd->regs == SVD_MAX_REGISTERS) {
		svd->left_out++;
		return;
	}
	if (svd->regs == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		more = realloc(svd->reg, p->room * sizeof(*more));
		if (!more)
			goto no_memory;
		svd->reg = more;
	}
	r = &svd->reg[svd->regs];
	*r = (struct svd_register){ .at = l->at,
				    .bits = l->bits,
				    .dim = l->dim,
				    .step = l->step ? l->step : l->bits / 8,
				    .reset = l->reset & cc_ones(l->bits),
				    .read = l->read,
				    .write = l->write,
				    .read_clears = l->read_clears,
				    .ones_clear = l->ones_clear,
				    .ones_set = l->ones_set };
	memcpy(r->name, l->name, sizeof(r->name));
	memcpy(r->peripheral, p->peripheral, sizeof(r->peripheral));
	r->field = calloc(p->reg.fields + 1u, sizeof(*r->field));
	if (!r->field)
		goto no_memory;
	take_fields(p, r);
	svd->regs++;
	return;
no_memory:
	p->no_memory = true;
	XML_StopParser(p->xml, XML_FALSE);
}

/* ---- elements ---- */

/* The end of an element that was stopped at is told still. */
static bool stopped(const struct parse *p)
{
	return p->why || p->no_memory;
}

static enum kind kind_of(const char *tag)
{
	static const char *const tags[] = { [DEVICE] = "device",
					    [PERIPHERAL] = "peripheral",
					    [CLUSTER] = "cluster",
					    [REGISTER] = "register",
					    [FIELD] = "field" };

	for (unsigned int i = DEVICE; i <= FIELD; i++)
		if (!strcmp(tag, tags[i]))
			return (enum kind)i;
	return OTHER;
}

static void XMLCALL on_start(void *ctx, const XML_Char *tag,
			     const XML_Char **attributes)
{
	struct parse *p = ctx;
	struct level *l, *around;
	enum kind kind = kind_of(tag);

	if (stopped(p))
		return;
	if (p->depth + 1 == MAX_DEPTH) {
		stop(p, "elements are more than %d deep", MAX_DEPTH);
		return;
	}
	if (!p->depth && kind != DEVICE) {
		stop(p,
		     "the file is no CMSIS-SVD: it begins with <%.40s>, "
		     "not <device>",
		     tag);
		return;
	}
	around = &p->level[p->depth++];
	l = &p->level[p->depth];
	*l = *around;
	l->kind = OTHER;
	p->text_len = 0;
	if (kind == OTHER)
		return;
	l->kind = kind;
	l->name[0] = '\0';
	l->width = 1;
	l->low = 0;
	l->placed = false;
	if (kind == FIELD)
		l->dim = 1;
	for (; attributes[0]; attributes += 2)
		if (!strcmp(attributes[0], "derivedFrom"))
			l->derived = true;
	if (kind == REGISTER)
		p->reg.fields = 0;
	if (kind == PERIPHERAL)
		p->svd->peripherals++;
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int len)
{
	struct parse *p = ctx;
	size_t room = MAX_TEXT - 1 - p->text_len;
	size_t n = (size_t)len < room ? (size_t)len : room;

	memcpy(p->text + p->text_len, text, n);
	p->text_len += n;
}

/* What a leaf says, to the element that it is in. */
static void leaf(struct parse *p, const char *tag)
{
	struct level *in = &p->level[p->depth];
	const char *text = p->text;
	bool good;

	while (p->text_len && strchr(" \t\r\n", p->text[p->text_len - 1]))
		p->text_len--;
	p->text[p->text_len] = '\0';
	while (*text && strchr(" \t\r\n", *text))
		text++;
	if (in->kind == OTHER)
		return;
	if (!strcmp(tag, "name")) {
		take_name(text, in->name);
		if (in->kind == DEVICE)
			memcpy(p->svd->name, in->name, SVD_NAME);
		if (in->kind == PERIPHERAL)
			memcpy(p->peripheral, in->name, SVD_NAME);
		return;
	}
	if (in->kind == FIELD && strcmp(tag, "dim"))
		good = field_value(in, tag, text);
	else if (in->kind == REGISTER && !strcmp(tag, "dim") && in->dim > 1)
		good = false; /* an array in an array */
	else
		good = value(in, tag, text);
	in->refused |= !good;
}

static void XMLCALL on_end(void *ctx, const XML_Char *tag)
{
	struct parse *p = ctx;
	struct level *l = &p->level[p->depth];

	if (stopped(p))
		return;
	p->depth--;
	if (l->kind == FIELD)
		keep_field(p, l);
	else if (l->kind == REGISTER)
		keep_register(p, l);
	else if (l->kind == OTHER)
		leaf(p, tag);
	p->text_len = 0;
}

/* No entities, so none that expand without end, and none of other files. */
static void XMLCALL on_doctype(void *ctx, const XML_Char *name,
			       const XML_Char *system, const XML_Char *public,
			       int internal)
{
	(void)name, (void)system, (void)public, (void)internal;
	stop(ctx, "a document type (<!DOCTYPE …>) is not taken: remove it");
}

int svd_read(struct svd *out, const char *text, size_t len, char **why)
{
	struct svd svd = { .name = "" };
	struct parse *p = calloc(1, sizeof(*p));
	int err = -ENOMEM;

	*why = NULL;
	if (!p)
		return -ENOMEM;
	p->svd = &svd;
	p->level[0] = (struct level){
		.bits = 32, .dim = 1, .read = true, .write = true
	};
	p->xml = XML_ParserCreate(NULL);
	if (!p->xml)
		goto out;
	XML_SetUserData(p->xml, p);
	XML_SetElementHandler(p->xml, on_start, on_end);
	XML_SetCharacterDataHandler(p->xml, on_text);
	XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
	if (len > SVD_MAX_BYTES)
		stop(p, "the file has more than %u MiB", SVD_MAX_BYTES >> 20);
	else if (XML_Parse(p->xml, text, (int)len, 1) != XML_STATUS_OK)
		stop(p, "line %lu: %s",
		     (unsigned long)XML_GetCurrentLineNumber(p->xml),
		     XML_ErrorString(XML_GetErrorCode(p->xml)));
	if (p->no_memory)
		goto out;
	err = p->why ? -EINVAL : 0;
	*why = p->why;
out:
	if (p->xml)
		XML_ParserFree(p->xml);
	free(p);
	if (err)
		svd_free(&svd);
	else
		*out = svd;
	return err;
}

void svd_free(struct svd *svd)
{
	for (size_t i = 0; i < svd->regs; i++)
		free(svd->reg[i].field);
	free(svd->reg);
	*svd = (struct svd){ .name = "" };
}
