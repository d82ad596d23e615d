// SPDX-License-Identifier: MIT
/*
 * cmd_trace.c: vpio trace: what is in a trace, and what differs between two.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "export.h"
#include "import.h"
#include "json.h"
#include "log.h"
#include "options.h"
#include "record.h"
#include "tracecut.h"
#include "tracefile.h"

enum {
	OPTION_OUT,
	OPTION_FROM,
	OPTION_TO,
	OPTION_RECORDS,
	OPTION_DEVICE,
	OPTION_GUEST,
	OPTION_KIND,
	OPTION_MODEL,
	OPTION_BAR,
	OPTION_FUNCTION,
	OPTION_JSON,
	OPTION_HELP,
	OPTIONS
};

static const struct option_spec specs[OPTIONS] = {
	[OPTION_OUT] = { 'o', "out", "FILE",
			 "write there; \"-\" is standard output" },
	[OPTION_FROM] = { 0, "from", "TIME",
			  "cut, export: from so long behind the first packet:\n"
			  "2.5s, 300ms" },
	[OPTION_TO] = { 0, "to", "TIME", "cut, export: up to there" },
	[OPTION_RECORDS] = { 0, "records", "N-M",
			     "cut, export: by number, as cat has them" },
	[OPTION_DEVICE] = { 0, "device", "NAME",
			    "cut, export: of this device" },
	[OPTION_GUEST] = { 0, "guest", "NAME", "cut, export: of this guest" },
	[OPTION_KIND] = { 0, "kind", "LIST",
			  "cut, export: access,violation,frame, ..." },
	[OPTION_MODEL] = { 0, "model", "NAME",
			   "import: the model that the accesses are for" },
	[OPTION_BAR] = { 0, "bar", "N=ADDR[+SIZE]",
			 "import, export: where a BAR is; once for each" },
	[OPTION_FUNCTION] = { 0, "function", "BB:DD.F",
			      "import, export: which PCI function it is" },
	[OPTION_JSON] = { 0, "json", NULL, "info, cat: JSON" },
	[OPTION_HELP] = { 'h', "help", NULL, "this text" },
};

static void help(void)
{
	puts("usage: vpio trace info [--json] FILE...\n"
	     "       vpio trace cat [--json] FILE\n"
	     "       vpio trace diff FILE FILE\n"
	     "       vpio trace cut [WHAT...] FILE -o FILE\n"
	     "       vpio trace merge FILE FILE... -o FILE\n"
	     "       vpio trace import FORMAT FILE --model NAME -o FILE\n"
	     "       vpio trace export FORMAT FILE -o FILE\n\n"
	     "Traces are pcapng: Wireshark and its tools read them, too.\n");
	options_help(specs, OPTIONS, stdout);
	puts("\nFormats to import (\"-\" is standard input):");
	import_help(stdout);
	puts("\nFormats to export:");
	export_help(stdout);
	puts("\nExit status: 0, 1 if two traces differ, 2 if a file is not\n"
	     "what it must be; what of it could be read is there, then.");
}

static bool opened(struct tracefile *f, const char *path)
{
	char *why = NULL;

	if (!tracefile_open(f, path, &why))
		return true;
	log_errorx("%s", why ? why : path);
	free(why);
	return false;
}

/* ---- info ---- */

struct counts {
	uint64_t kind[TRACE_KINDS], frames, first, last, packets;
	struct trace_packet model[TRACEFILE_DEVICES];
};

static void count(struct counts *c, const struct trace_packet *p)
{
	if (!c->packets++ || p->ns < c->first)
		c->first = p->ns;
	if (p->ns > c->last)
		c->last = p->ns;
	if (!p->ours) {
		c->frames++;
		return;
	}
	if (p->head.kind < TRACE_KINDS)
		c->kind[p->head.kind]++;
	if (p->head.kind == TRACE_MODEL)
		c->model[p->head.device] = *p;
}

static void print_info(const struct tracefile *f, const struct counts *c)
{
	char text[256], name[64];
	unsigned int i;

	printf("%s: %zu bytes\n", f->path, f->len);
	printf("  %llu packets in %.3f s, %llu frames\n",
	       (unsigned long long)c->packets,
	       (double)(c->last - c->first) / 1e9,
	       (unsigned long long)c->frames);
	for (i = 0; i < TRACEFILE_DEVICES; i++)
		if (c->model[i].ours) {
			tracefile_device(f, i, name, sizeof(name));
			tracefile_text(f, &c->model[i], text, sizeof(text));
			printf("  %s: %s\n", name, text);
		}
	for (i = 1; i < TRACE_KINDS; i++)
		if (c->kind[i])
			printf("  %-12s %llu\n",
			       trace_kind_name((enum trace_kind)i),
			       (unsigned long long)c->kind[i]);
	for (i = 0; i < f->reader.interfaces && i < TRACE_INTERFACES; i++)
		printf("  interface %u: %s\n", i, f->reader.interface[i].name);
}

static void info_device(struct json *j, const struct tracefile *f,
			unsigned int device, const struct trace_packet *p)
{
	struct trace_device d;
	char name[64];
	unsigned int g;

	trace_read_model(p, &d);
	json_object(j, NULL);
	tracefile_device(f, device, name, sizeof(name));
	json_u64(j, "device", device);
	json_string(j, "name", name);
	json_string(j, "model", d.name);
	json_u64(j, "hash", d.model.hash);
	json_bool(j, "complete", d.model.complete);
	json_array(j, "guests");
	for (g = 0; g < d.model.guests; g++) {
		tracefile_guest(f, device, g, name, sizeof(name));
		json_string(j, NULL, name);
	}
	json_end(j);
	json_end(j);
}

static int json_info(const struct tracefile *f, const struct counts *c)
{
	struct json j;
	unsigned int i;

	json_open(&j, stdout);
	json_object(&j, NULL);
	json_string(&j, "file", f->path);
	json_u64(&j, "bytes", f->len);
	json_u64(&j, "packets", c->packets);
	json_u64(&j, "frames", c->frames);
	json_u64(&j, "ns", c->last - c->first);
	json_object(&j, "kinds");
	for (i = 1; i < TRACE_KINDS; i++)
		json_u64(&j, trace_kind_name((enum trace_kind)i), c->kind[i]);
	json_end(&j);
	json_array(&j, "devices");
	for (i = 0; i < TRACEFILE_DEVICES; i++)
		if (c->model[i].ours)
			info_device(&j, f, i, &c->model[i]);
	json_end(&j);
	json_end(&j);
	return json_close(&j) ? EXIT_BAD_RUN : 0;
}

static int info(const char *path, bool json)
{
	struct counts *c;
	struct trace_packet p;
	struct tracefile f;
	int status = 0;

	if (!opened(&f, path))
		return EXIT_BAD_INPUT;
	c = xcalloc(1, sizeof(*c));
	while (tracefile_packet(&f, &p))
		count(c, &p);
	if (json)
		status = json_info(&f, c);
	else
		print_info(&f, c);
	if (f.bad)
		status = EXIT_BAD_INPUT;
	tracefile_close(&f);
	free(c);
	return status;
}

/* ---- cat ---- */

/* Device and guest of it, by name; "" where there is none. */
static void names(const struct tracefile *f, const struct trace_packet *p,
		  char device[64], char guest[64])
{
	int d = p->ours ? p->head.device : f->of[p->interface].device;
	int g = p->ours ? p->head.guest : f->of[p->interface].guest;

	*device = *guest = '\0';
	if (d < 0)
		return;
	tracefile_device(f, (unsigned int)d, device, 64);
	if (g >= 0 && g != TRACE_NOBODY)
		tracefile_guest(f, (unsigned int)d, (unsigned int)g, guest, 64);
}

static void print_line(const struct tracefile *f, const struct trace_packet *p)
{
	char device[64], guest[64], text[256];

	names(f, p, device, guest);
	if (p->ours)
		tracefile_text(f, p, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "%u bytes", p->original);
	printf("%llu %llu.%09llu %s%s%s %s %s\n", (unsigned long long)f->number,
	       (unsigned long long)(p->ns / 1000000000),
	       (unsigned long long)(p->ns % 1000000000), device,
	       *guest ? " " : "", guest,
	       p->ours ? trace_kind_name((enum trace_kind)p->head.kind) :
			 "frame",
	       text);
}

static void print_json(const struct tracefile *f, const struct trace_packet *p)
{
	char device[64], guest[64], text[256] = "";

	names(f, p, device, guest);
	if (p->ours)
		tracefile_text(f, p, text, sizeof(text));
	printf("{\"number\":%llu,\"ns\":%llu,\"kind\":",
	       (unsigned long long)f->number, (unsigned long long)p->ns);
	json_quote(stdout,
		   p->ours ? trace_kind_name((enum trace_kind)p->head.kind) :
			     "frame");
	fputs(",\"device\":", stdout);
	json_quote(stdout, device);
	fputs(",\"guest\":", stdout);
	json_quote(stdout, guest);
	printf(",\"bytes\":%u,\"text\":", p->original);
	json_quote(stdout, text);
	puts("}");
}

static int cat(const char *path, bool json)
{
	struct trace_packet p;
	struct tracefile f;
	int status;

	if (!opened(&f, path))
		return EXIT_BAD_INPUT;
	while (tracefile_packet(&f, &p)) {
		if (p.ours && p.head.kind == TRACE_MODEL)
			tracefile_model(&f, &p);
		if (json)
			print_json(&f, &p);
		else
			print_line(&f, &p);
	}
	status = f.bad ? EXIT_BAD_INPUT : 0;
	tracefile_close(&f);
	return status;
}

/* ---- diff ---- */

#define CONTEXT 5u /* records before the first that differs */

struct side {
	struct tracefile f;
	struct trace_packet p, before[CONTEXT];
	uint64_t number[CONTEXT];
	uint64_t n; /* of those before */
	bool more;
};

/* The next record of ours; false at the end. */
static bool next_record(struct side *s)
{
	while (tracefile_packet(&s->f, &s->p)) {
		if (s->p.ours && s->p.head.kind == TRACE_MODEL)
			tracefile_model(&s->f, &s->p);
		/* times differ from run to run, and so do what they cost */
		if (s->p.ours && s->p.head.kind != TRACE_SWITCH)
			return true;
	}
	return false;
}

static void remember(struct side *s)
{
	s->before[s->n % CONTEXT] = s->p;
	s->number[s->n++ % CONTEXT] = s->f.number;
}

/* What both have before, then what each goes on with. */
static void print_context(struct side *s)
{
	uint64_t i = s->n > CONTEXT ? s->n - CONTEXT : 0, number = s->f.number;

	for (; i < s->n; i++) {
		s->f.number = s->number[i % CONTEXT];
		fputs("  ", stdout);
		print_line(&s->f, &s->before[i % CONTEXT]);
	}
	s->f.number = number;
}

static void print_side(struct side *s, char mark)
{
	unsigned int i;

	for (i = 0; s->more && i < CONTEXT; i++) {
		printf("%c ", mark);
		print_line(&s->f, &s->p);
		s->more = next_record(s);
	}
	if (!s->more)
		printf("%c the end\n", mark);
}

static bool same(const struct trace_packet *a, const struct trace_packet *b)
{
	return a->head.kind == b->head.kind &&
	       a->head.device == b->head.device &&
	       a->head.guest == b->head.guest && a->head.len == b->head.len &&
	       memcmp(a->body, b->body, a->head.len) == 0;
}

static int compare(struct side s[2])
{
	for (;;) {
		s[0].more = next_record(&s[0]);
		s[1].more = next_record(&s[1]);
		if (!s[0].more && !s[1].more)
			return s[0].f.bad || s[1].f.bad ? EXIT_BAD_INPUT : 0;
		if (!s[0].more || !s[1].more || !same(&s[0].p, &s[1].p))
			break;
		remember(&s[0]);
		remember(&s[1]);
	}
	printf("--- %s\n+++ %s\n", s[0].f.path, s[1].f.path);
	print_context(&s[0]);
	print_side(&s[0], '-');
	print_side(&s[1], '+');
	return s[0].f.bad || s[1].f.bad ? EXIT_BAD_INPUT : EXIT_BAD_RUN;
}

static int diff(const char *a, const char *b)
{
	struct side *s = xcalloc(2, sizeof(*s));
	int status = EXIT_BAD_INPUT;

	if (opened(&s[0].f, a)) {
		if (opened(&s[1].f, b)) {
			status = compare(s);
			tracefile_close(&s[1].f);
		}
		tracefile_close(&s[0].f);
	}
	free(s);
	return status;
}

/* ---- all ---- */

struct request {
	const char **word;
	size_t n;
	const char *out, *model;
	bool json;
	struct export_conf export;
	struct import_conf import;
};

static const char *needs_out(const struct request *r)
{
	if (!r->out)
		fatalx("trace %s: needs -o FILE", r->word[0]);
	return r->out;
}

/* "2.5s", "300ms", "7us", "1000ns"; a number alone is seconds. */
static uint64_t parse_time(const char *option, const char *text)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {
		{ "", 1e9 },   { "s", 1e9 },  { "ms", 1e6 },
		{ "us", 1e3 }, { "ns", 1.0 },
	};
	double value;
	char *end;
	size_t i;

	value = strtod(text, &end);
	for (i = 0; i < ARRAY_LEN(units); i++)
		if (end != text && !strcmp(end, units[i].unit) && value >= 0 &&
		    value * units[i].ns < 1e19)
			return (uint64_t)(value * units[i].ns + 0.5);
	fatalx("--%s %s: expected a time, such as 2.5s or 300ms", option, text);
}

static void parse_records(struct tracecut *cut, const char *text)
{
	const char *at = text;

	cut->last = UINT64_MAX;
	if (!import_number(&at, "", &cut->first)) {
		cut->first = 0;
		at = *text == '-' && text[1] ? text : "?";
	}
	if (import_word(&at, "-") && *at && !import_number(&at, "", &cut->last))
		at = "?";
	else if (!strchr(text, '-'))
		cut->last = cut->first;
	if (*at)
		fatalx("--records %s: expected numbers, such as 100-200, 100- "
		       "or 100",
		       text);
}

static void parse_kinds(struct tracecut *cut, const char *list)
{
	struct record_conf conf = { .kinds = 0 };
	char *why = NULL;

	if (record_kinds(list, &conf, &why))
		fatalx("--kind %s: %s", list, why);
	cut->kinds = conf.kinds;
	cut->no_frames = conf.no_frames;
}

static void parse_bar(struct request *r, const char *text)
{
	unsigned int i;

	if (!import_bar_option(text, &r->import))
		fatalx("--bar %s: expected N=ADDR+SIZE, such as "
		       "0=0xfeb80000+0x20000",
		       text);
	for (i = 0; i < EXPORT_BARS; i++)
		r->export.bar[i] = r->import.bar[i].addr;
}

static void parse_function(struct request *r, const char *text)
{
	if (!import_function_option(text, &r->import))
		fatalx("--function %s: expected BUS:DEVICE.FUNCTION, such as "
		       "00:03.0",
		       text);
	r->export.function = r->import.function;
}

static void take_option(struct request *r, int option, const char *value)
{
	struct tracecut *cut = &r->export.cut;

	switch (option) {
	case OPTION_OUT:
		r->out = value;
		break;
	case OPTION_FROM:
		cut->from_ns = parse_time("from", value);
		break;
	case OPTION_TO:
		cut->to_ns = parse_time("to", value);
		break;
	case OPTION_RECORDS:
		parse_records(cut, value);
		break;
	case OPTION_DEVICE:
		cut->device = value;
		break;
	case OPTION_GUEST:
		cut->guest = value;
		break;
	case OPTION_KIND:
		parse_kinds(cut, value);
		break;
	case OPTION_MODEL:
		r->model = value;
		break;
	case OPTION_BAR:
		parse_bar(r, value);
		break;
	case OPTION_FUNCTION:
		parse_function(r, value);
		break;
	case OPTION_JSON:
		r->json = true;
		break;
	default:
		r->word[r->n++] = value;
		break;
	}
}

static int run(const struct request *r)
{
	static const char *const verbs[] = { "info",  "cat",	"diff",	 "cut",
					     "merge", "import", "export" };
	const char *verb = r->word[0], *near;
	int status = 0;
	size_t i;

	if (!strcmp(verb, "info") && r->n >= 2) {
		for (i = 1; i < r->n; i++)
			status |= info(r->word[i], r->json);
		return status;
	}
	if (!strcmp(verb, "cat") && r->n == 2)
		return cat(r->word[1], r->json);
	if (!strcmp(verb, "diff") && r->n == 3)
		return diff(r->word[1], r->word[2]);
	if (!strcmp(verb, "cut") && r->n == 2)
		return trace_cut(r->word[1], &r->export.cut, needs_out(r));
	if (!strcmp(verb, "merge") && r->n >= 2)
		return trace_merge(r->word + 1, r->n - 1, needs_out(r));
	if (!strcmp(verb, "export") && r->n == 3)
		return export_trace(r->word[1], r->word[2], &r->export,
				    needs_out(r));
	if (!strcmp(verb, "import") && r->n == 3) {
		if (!r->model)
			fatalx("trace import: needs --model NAME");
		return import_trace(r->word[1], r->word[2], r->model,
				    &r->import, needs_out(r));
	}
	for (i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(verb, verbs[i]))
			fatalx("trace %s: not with these files; see vpio help "
			       "trace",
			       verb);
	near = diag_nearest(verb, verbs, ARRAY_LEN(verbs));
	fatalx("trace: there is no \"%s\"%s%s; see vpio help trace", verb,
	       near ? "; did you mean " : "", near ? near : "");
}

int cmd_trace(int argc, char **argv)
{
	struct request r = { .word = xcalloc((size_t)argc + 1,
					     sizeof(*r.word)) };
	struct options o;
	int option, status;

	tracecut_init(&r.export.cut);
	r.export.function = 3 << 3; /* 00:03.0 */
	r.import.function = IMPORT_NOWHERE;
	options_init(&o, "trace", specs, OPTIONS, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_END) {
		if (option == OPTION_HELP) {
			help();
			free(r.word);
			return 0;
		}
		take_option(&r, option, o.value);
	}
	if (!r.n)
		fatalx("trace: what is to be done? See vpio help trace");
	status = run(&r);
	if (fflush(stdout) || ferror(stdout)) {
		log_warn("cannot write what there is to say");
		status = EXIT_BAD_RUN;
	}
	free(r.word);
	return status;
}
