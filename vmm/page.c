// SPDX-License-Identifier: MIT
/*
 * page.c: events of replays as columns, and the page that shows them.
 */

#include "page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "json.h"
#include "log.h"

/* As vmm/page.js numbers them. */
enum page_kind {
	PAGE_GAP, /* nothing but time: a longer one than a step can be */
	PAGE_ACCESS,
	PAGE_LINE,
	PAGE_STATE,
	PAGE_OWNER,
	PAGE_WINDOW,
	PAGE_VIOLATION
};

#define PAGE_WRITE 0x08u /* in (how) of an access, above its path */
#define PAGE_HELD 0x10u
#define PAGE_STRING 0x20u

struct event {
	uint32_t step; /* nanoseconds since the one before */
	uint32_t number;
	uint32_t value;
	uint16_t what;
	uint8_t kind, guest, how;
};

struct page {
	const struct dmm_model *model;
	unsigned int guests;
	struct event *event;
	size_t events, room;
	uint64_t left_out;
	uint64_t ns; /* of the last event */
	uint64_t first_ns;
	int owner; /* before the first event */
	bool any_owner;
	struct replay_violation *violation;
	size_t violations;
};

struct page *page_new(const struct dmm_model *model, unsigned int guests)
{
	struct page *p = xcalloc(1, sizeof(*p));

	p->model = model;
	p->guests = guests;
	p->owner = -1;
	p->violation = xcalloc(PAGE_VIOLATIONS, sizeof(*p->violation));
	return p;
}

void page_free(struct page *p)
{
	if (!p)
		return;
	free(p->violation);
	free(p->event);
	free(p);
}

/* ---- events ---- */

static uint32_t capped(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void put(struct page *p, const struct event *e)
{
	if (p->events == p->room) {
		p->room = p->room ? 2 * p->room : 4096;
		p->event = reallocarray(p->event, p->room, sizeof(*p->event));
		if (!p->event)
			fatalx("no memory");
	}
	p->event[p->events++] = *e;
}

static void add(struct page *p, const struct replay_at *at, struct event e)
{
	const struct event gap = { .step = UINT32_MAX };
	uint64_t ns = at->ns;

	if (p->left_out || p->events >= PAGE_EVENTS) {
		p->left_out++;
		return;
	}
	if (!p->events)
		p->first_ns = p->ns = at->ns;
	if (ns < p->ns) /* a clock that was set: not before what it follows */
		ns = p->ns;
	while (ns - p->ns > UINT32_MAX && p->events < PAGE_EVENTS) {
		put(p, &gap);
		p->ns += UINT32_MAX;
	}
	e.step = capped(ns - p->ns);
	e.number = (uint32_t)at->number;
	p->ns = ns;
	put(p, &e);
}

void page_access(struct page *p, const struct replay_at *at, unsigned int guest,
		 const struct replay_access *ra)
{
	const struct dmm_access *a = ra->access;
	unsigned int bytes = a->width < 4 ? a->width : 4;
	struct event e = { .kind = PAGE_ACCESS, .guest = (uint8_t)guest };

	if (a->count)
		memcpy(&e.value, a->data, bytes); /* little endian, as we are */
	e.what = ra->reg == REPLAY_NO_REGISTER ? UINT16_MAX : (uint16_t)ra->reg;
	e.how = (uint8_t)ra->path;
	e.how |= a->write ? PAGE_WRITE : 0;
	e.how |= ra->verdict == DMM_HOLD ? PAGE_HELD : 0;
	e.how |= a->count > 1 ? PAGE_STRING : 0;
	add(p, at, e);
}

void page_line(struct page *p, const struct replay_at *at, unsigned int guest,
	       bool level)
{
	add(p, at,
	    (struct event){ .kind = PAGE_LINE,
			    .guest = (uint8_t)guest,
			    .what = level });
}

void page_state(struct page *p, const struct replay_at *at, unsigned int guest,
		const struct trace_state *st)
{
	add(p, at,
	    (struct event){ .kind = PAGE_STATE,
			    .guest = (uint8_t)guest,
			    .how = (uint8_t)st->machine,
			    .value = st->from,
			    .what = st->to });
}

void page_owner(struct page *p, const struct replay_at *at,
		const struct trace_switch *sw)
{
	if (!p->any_owner)
		p->owner = sw->from == TRACE_NOBODY ? -1 : sw->from;
	p->any_owner = true;
	add(p, at,
	    (struct event){ .kind = PAGE_OWNER,
			    .guest = sw->from,
			    .what = sw->to,
			    .how = sw->forced,
			    .value = capped(sw->ns) });
}

void page_window(struct page *p, const struct replay_at *at, bool open)
{
	add(p, at,
	    (struct event){
		    .kind = PAGE_WINDOW, .guest = TRACE_NOBODY, .what = open });
}

void page_violation(struct page *p, const struct replay_at *at,
		    const struct dmm_report *report)
{
	if (p->violations == PAGE_VIOLATIONS) {
		p->left_out++;
		return;
	}
	replay_keep(&p->violation[p->violations], at, report);
	add(p, at,
	    (struct event){ .kind = PAGE_VIOLATION,
			    .guest = (uint8_t)report->guest,
			    .what = (uint16_t)p->violations++ });
}

/* ---- what stands beside the events: JSON ---- */

static void json_hex(struct json *j, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_string(j, key, text);
}

static void json_violations(struct json *j, const struct page *p)
{
	const struct replay_violation *v;
	size_t i;

	json_array(j, "violations");
	for (i = 0; i < p->violations; i++) {
		v = &p->violation[i];
		json_object(j, NULL);
		json_u64(j, "packet", v->at.number);
		json_u64(j, "ns", v->at.ns - p->first_ns);
		json_u64(j, "guest", v->guest);
		json_string(j, "offence", dmm_offence_name(v->offence));
		json_string(j, "name", v->name);
		json_string(j, "rule", v->rule);
		json_u64(j, "line", v->line);
		json_hex(j, "address", v->address);
		json_hex(j, "length", v->length);
		json_end(j);
	}
	json_end(j);
}

static void json_machines(struct json *j, const struct dmm_model *m)
{
	const char *machine, *state;
	unsigned int i, k;

	json_array(j, "machines");
	for (i = 0; (machine = dmm_model_machine(m, i)); i++) {
		json_object(j, NULL);
		json_string(j, "name", machine);
		json_array(j, "states");
		for (k = 0; (state = dmm_model_state(m, k)); k++)
			if (dmm_model_machine_of(m, k) == machine) {
				json_object(j, NULL);
				json_u64(j, "number", k);
				json_string(j, "name", state);
				json_end(j);
			}
		json_end(j);
		json_end(j);
	}
	json_end(j);
}

static void json_names(struct json *j, const struct page_device *d)
{
	const char *name;
	char text[32];
	unsigned int i;

	json_array(j, "guests");
	for (i = 0; i < d->guests; i++) {
		snprintf(text, sizeof(text), "guest %u", i);
		json_string(j, NULL, d->guest[i] ? d->guest[i] : text);
	}
	json_end(j);
	json_array(j, "registers");
	for (i = 0; (name = replay_register(d->replay, i)); i++)
		json_string(j, NULL, name);
	json_end(j);
	json_array(j, "doorbells");
	for (i = 0; replay_register(d->replay, i); i++)
		if (replay_is_doorbell(d->replay, i))
			json_u64(j, NULL, i);
	json_end(j);
	json_array(j, "paths");
	for (i = 0; i < DMM_PATHS; i++)
		json_string(j, NULL, dmm_path_name((enum dmm_path)i));
	json_end(j);
}

static void json_outcome(struct json *j, const struct page_device *d)
{
	const struct replay_difference *diff = replay_difference(d->replay);
	const struct replay_summary *s = replay_summary(d->replay);

	json_u64(j, "entries", s->events);
	json_bool(j, "exact", s->exact);
	json_u64(j, "lost", s->lost);
	json_u64(j, "windows", s->windows);
	json_u64(j, "violations_in_all", s->violations);
	json_object(j, "difference");
	if (diff) {
		json_u64(j, "packet", diff->at.number);
		json_string(j, "expected", diff->expected);
		json_string(j, "came", diff->came);
	}
	json_end(j);
}

static void json_device(struct json *j, const struct page_device *d)
{
	const struct page *p = d->page;
	struct dmm *dmm = replay_dmm(d->replay);
	int owner = p->any_owner || !dmm ? p->owner : dmm_owner(dmm);

	json_object(j, NULL);
	json_string(j, "name", d->name);
	json_string(j, "file", d->file);
	json_string(j, "model", dmm_model_name(p->model));
	json_string(j, "model_file", d->model_file);
	json_u64(j, "events", p->events);
	json_u64(j, "left_out", p->left_out);
	json_u64(j, "owner", owner < 0 ? TRACE_NOBODY : (uint64_t)owner);
	json_outcome(j, d);
	json_names(j, d);
	json_machines(j, p->model);
	json_violations(j, p);
	json_end(j);
}

/* ---- columns: compressed, as base64 ---- */

static void base64(FILE *to, const uint8_t *in, size_t len)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i, left;
	uint32_t v;

	for (i = 0; i < len; i += 3) {
		left = len - i;
		v = (uint32_t)in[i] << 16;
		v |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		v |= left > 2 ? in[i + 2] : 0;
		putc(digit[v >> 18], to);
		putc(digit[v >> 12 & 63], to);
		putc(left > 1 ? digit[v >> 6 & 63] : '=', to);
		putc(left > 2 ? digit[v & 63] : '=', to);
	}
}

/* One column behind the other; the widest first, so that each is aligned. */
static uint8_t *columns(const struct page *p, size_t *len)
{
	size_t n = p->events, i;
	uint32_t *step, *number, *value;
	uint8_t *all, *kind;
	uint16_t *what;

	*len = n * 17;
	all = xcalloc(1, *len + 1);
	step = (uint32_t *)all;
	number = step + n;
	value = number + n;
	what = (uint16_t *)(value + n);
	kind = (uint8_t *)(what + n);
	for (i = 0; i < n; i++) {
		step[i] = p->event[i].step;
		number[i] = p->event[i].number;
		value[i] = p->event[i].value;
		what[i] = p->event[i].what;
		kind[i] = p->event[i].kind;
		kind[n + i] = p->event[i].guest;
		kind[2 * n + i] = p->event[i].how;
	}
	return all;
}

static void put_columns(FILE *to, const struct page *p)
{
	size_t len;
	uint8_t *all = columns(p, &len), *packed;
	uLongf size = compressBound(len);

	packed = xcalloc(1, size);
	if (compress2(packed, &size, all, len, 6) != Z_OK)
		fatalx("no memory");
	base64(to, packed, size);
	free(packed);
	free(all);
}

/* ---- the page ---- */

/* A file of ours, as it was when this was compiled: NAME, NAME_end. */
#define FILE_IN(name, path)                                             \
	__asm__(".pushsection .rodata\n" #name ":\n"                    \
		".incbin \"" path "\"\n" #name "_end:\n"                \
		".popsection\n");                                       \
	extern const char name[] __attribute__((visibility("hidden"))); \
	extern const char name##_end[] __attribute__((visibility("hidden")))

FILE_IN(page_html, "vmm/page.html");
FILE_IN(page_css, "vmm/page.css");
FILE_IN(page_draw_js, "vmm/page_draw.js");
FILE_IN(page_tables_js, "vmm/page_tables.js");
FILE_IN(page_js, "vmm/page.js");

static void put_text(FILE *to, const char *from, const char *end)
{
	fwrite(from, 1, (size_t)(end - from), to);
}

int page_write(FILE *to, const struct page_device *device, size_t devices)
{
	struct json j;
	size_t i;
	int err;

	put_text(to, page_html, page_html_end);
	fputs("<style>\n", to);
	put_text(to, page_css, page_css_end);
	fputs("</style>\n<script type=\"application/json\" id=\"meta\">", to);
	json_open(&j, to);
	json_object(&j, NULL);
	json_string(&j, "version", VPIO_VERSION);
	json_array(&j, "devices");
	for (i = 0; i < devices; i++)
		json_device(&j, &device[i]);
	json_end(&j);
	json_end(&j);
	err = json_close(&j);
	fputs("</script>\n", to);
	for (i = 0; i < devices; i++) {
		fprintf(to, "<script type=\"text/plain\" id=\"data%zu\">", i);
		put_columns(to, device[i].page);
		fputs("</script>\n", to);
	}
	fputs("<script>\n\"use strict\";\n", to);
	put_text(to, page_draw_js, page_draw_js_end);
	put_text(to, page_tables_js, page_tables_js_end);
	put_text(to, page_js, page_js_end);
	fputs("</script>\n", to);
	return err || fflush(to) || ferror(to) ? -EIO : 0;
}
