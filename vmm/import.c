// SPDX-License-Identifier: MIT
/*
 * import.c: the table of formats; lines of a log, and records of what its
 * format found in them.
 */

#include "import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "models.h"
#include "tracefile.h"

#define LINE_NS 1000u /* between lines of a log that has no times */
#define LINE_MAX_BYTES 4096u
#define BAD_SHOWN 10u
#define STRING_MAX 4096u /* elements of one access, as KVM has them */

static const struct import_format *const formats[] = {
	&import_bitvisor, &import_kvm,	 &import_mmiotrace,
	&import_qemu,	  &import_qtest,
};

void import_help(FILE *to)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(formats); i++)
		fprintf(to, "  %-10s %s\n", formats[i]->name, formats[i]->what);
}

void import_bad(struct import *im, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (im->bad++ < BAD_SHOWN)
		log_warnx("%s:%" PRIu64 ": %s", im->path, im->line, text);
	else if (im->bad == BAD_SHOWN + 1)
		log_warnx("%s: more of these are only counted", im->path);
}

/* ---- words and numbers ---- */

bool import_word(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool number(const char **at, const char *word, int base, uint64_t *out)
{
	const char *from = *at;
	char *end;

	if (!import_word(&from, word) || *from == '-' || *from == '+' ||
	    *from == ' ')
		return false;
	errno = 0;
	*out = strtoull(from, &end, base);
	if (end == from || errno)
		return false;
	*at = end;
	return true;
}

bool import_number(const char **at, const char *word, uint64_t *out)
{
	return number(at, word, 0, out);
}

bool import_hex(const char **at, const char *word, uint64_t *out)
{
	return number(at, word, 16, out);
}

bool import_seconds(const char **at, const char *word, uint64_t *ns)
{
	const char *from = *at;
	uint64_t whole, fraction = 0, scale = 1000000000u;

	if (!number(&from, word, 10, &whole) || *from++ != '.' ||
	    whole > UINT64_MAX / 1000000000u - 1)
		return false;
	for (; *from >= '0' && *from <= '9'; from++)
		if (scale > 1) {
			scale /= 10;
			fraction += (uint64_t)(*from - '0') * scale;
		}
	*ns = whole * 1000000000u + fraction;
	*at = from;
	return true;
}

bool import_where(const char **at, const char *word, uint32_t *where)
{
	const char *from = *at;
	uint64_t bus, device, function;

	if (!import_hex(&from, word, &bus) || !import_hex(&from, ":", &device))
		return false;
	/* a domain before it: there is one in what we read */
	if (*from == ':') {
		bus = device;
		if (!import_hex(&from, ":", &device))
			return false;
	}
	if (!import_hex(&from, ".", &function) || bus > 0xff || device > 31 ||
	    function > 7)
		return false;
	*where = (uint32_t)(bus << 8 | device << 3 | function);
	*at = from;
	return true;
}

bool import_width(uint64_t width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

/* ---- records ---- */

static void write_record(struct import *im, enum trace_kind kind, uint8_t guest,
			 const void *body, size_t len, const void *more,
			 size_t more_len)
{
	const struct trace_head head = { .version = TRACE_VERSION,
					 .kind = (uint8_t)kind,
					 .guest = guest,
					 .sequence = im->sequence++ };

	traceout_record(im->out, im->ns, head, body, len, more, more_len);
}

static void put_model(struct import *im)
{
	size_t len = im->text ? im->text->len : 0;
	const char *text = im->text ? im->text->text : "";
	const struct trace_model m = { .hash = trace_hash(text, len),
				       .how = DMM_EXCLUSIVE,
				       .guests = 1 };
	const struct trace_guest g = { .weight = 1 };
	const char *name = dmm_model_name(im->model);
	size_t n = sizeof(g) + strlen(name) + 1 + 2;
	char *more;

	if (len > TRACE_RECORD_MAX - 2048u)
		len = 0; /* more than a record may have */
	n += len;
	more = xcalloc(1, n);
	memcpy(more, &g, sizeof(g));
	memcpy(more + sizeof(g), name, strlen(name));
	memcpy(more + sizeof(g) + strlen(name) + 1, text, len);
	write_record(im, TRACE_MODEL, TRACE_NOBODY, &m, sizeof(m), more, n);
	free(more);
}

/* The model comes first, at the time of what comes then. */
static void put(struct import *im, enum trace_kind kind, uint8_t guest,
		const void *body, size_t len, const void *more, size_t more_len)
{
	if (!im->sequence)
		put_model(im);
	write_record(im, kind, guest, body, len, more, more_len);
}

void import_lost(struct import *im, uint64_t n)
{
	const struct trace_value value = { .value = n };

	log_warnx("%s:%" PRIu64 ": %" PRIu64 " events are not in it; a replay "
		  "ends there",
		  im->path, im->line, n);
	put(im, TRACE_LOST, TRACE_NOBODY, &value, sizeof(value), NULL, 0);
}

/* ---- functions ---- */

static struct import_function *function(struct import *im, uint32_t where)
{
	struct import_function *f;
	unsigned int i;

	for (i = 0; i < im->functions; i++)
		if (im->function[i].where == where)
			return &im->function[i];
	if (im->functions == IMPORT_FUNCTIONS) {
		import_bad(im, "more than %d PCI functions", IMPORT_FUNCTIONS);
		return &im->function[IMPORT_FUNCTIONS - 1];
	}
	f = &im->function[im->functions++];
	*f = (struct import_function){ .where = where };
	return f;
}

static bool is_of_model(const struct import *im,
			const struct import_function *f)
{
	const struct dmm_match *m;
	size_t n, i;

	m = dmm_model_match(im->model, &n);
	for (i = 0; i < n; i++)
		if (m[i].vendor == f->vendor && m[i].device == f->device)
			return true;
	return false;
}

/* Is it the device?  One that did not tell what it is may be. */
static bool is_ours(const struct import *im, const struct import_function *f)
{
	if (f->where == IMPORT_NOWHERE)
		return true;
	if (im->conf->function != IMPORT_NOWHERE)
		return f->where == im->conf->function;
	return !f->has_id || is_of_model(im, f);
}

void import_id(struct import *im, uint32_t where, uint16_t vendor,
	       uint16_t device)
{
	struct import_function *f = function(im, where);

	f->vendor = vendor;
	f->device = device;
	f->has_id = vendor != 0xffff;
}

void import_map(struct import *im, uint32_t where, unsigned int bar,
		uint64_t addr, uint64_t size)
{
	if (bar < IMPORT_BARS)
		function(im, where)->bar[bar] =
			(struct import_bar){ addr, size, true };
}

void import_unmap(struct import *im, uint32_t where, unsigned int bar)
{
	if (bar < IMPORT_BARS)
		function(im, where)->bar[bar].mapped = false;
}

/* A BAR's register: its address, or its size after ones. (PCI 3.0, 6.2.5.1) */
static void config_bar(struct import_function *f, unsigned int i, bool write,
		       uint32_t value)
{
	uint32_t flags = value & 1 ? 3 : 15;
	struct import_bar *bar = &f->bar[i];

	if (i && f->wide[i - 1]) {
		bar = &f->bar[i - 1];
		if (value != UINT32_MAX && !f->sizing[i - 1])
			bar->addr = (bar->addr & UINT32_MAX) | (uint64_t)value
								       << 32;
		return;
	}
	if (write && value >= 0xfffffff0u) {
		f->sizing[i] = true;
		return;
	}
	if (!write && f->sizing[i]) {
		bar->size = value & ~flags ? (uint32_t) ~(value & ~flags) + 1u :
					     0;
		if (value & 1)
			bar->size &= 0xffff;
		f->wide[i] = (value & 7) == 4;
		return;
	}
	f->sizing[i] = false;
	if (write) /* the lowest bits are the device's */
		flags = bar->size && bar->size < 16 ? (uint32_t)bar->size - 1 :
						      15;
	bar->addr = (bar->addr & ~(uint64_t)UINT32_MAX) | (value & ~flags);
	bar->mapped = (value & ~flags) != 0;
}

void import_config(struct import *im, uint32_t where, unsigned int off,
		   unsigned int width, bool write, uint64_t value)
{
	struct import_function *f = function(im, where);

	value &= cc_ones(8 * width);
	if (off == 0 && width >= 2 && !write)
		f->vendor = (uint16_t)value;
	if (off == 0 && width == 4 && !write) {
		f->device = (uint16_t)(value >> 16);
		f->has_id = f->vendor != 0xffff;
	}
	if (off == 2 && width == 2 && !write) {
		f->device = (uint16_t)value;
		f->has_id = f->vendor && f->vendor != 0xffff;
	}
	if (off >= 0x10 && off < 0x28 && off % 4 == 0 && width == 4)
		config_bar(f, (off - 0x10) / 4, write, (uint32_t)value);
	if (off == 0x3c && (uint8_t)value && (uint8_t)value != 0xff)
		f->irq = (uint8_t)value;
}

void import_irq(struct import *im, unsigned int irq, bool level)
{
	const struct trace_value value = { .value = level };
	struct import_function *f;

	for (f = im->function; f < im->function + im->functions; f++) {
		if (!f->irq || f->irq != irq || !is_ours(im, f) ||
		    f->level == level)
			continue;
		f->level = level;
		put(im, TRACE_INTERRUPT, TRACE_NOBODY, &value, sizeof(value),
		    NULL, 0);
		return;
	}
}

/* ---- accesses ---- */

static void put_access(struct import *im, unsigned int space, uint64_t off,
		       const struct import_access *a)
{
	struct trace_access body = { .off = off,
				     .rip = a->rip,
				     .count = a->count ? a->count : 1,
				     .space = (uint8_t)space,
				     .width = (uint8_t)a->width,
				     .write = a->write,
				     .path = DMM_FORWARD,
				     .vcpu = (uint8_t)a->vcpu };
	uint8_t data[8 * STRING_MAX];

	if (body.count > STRING_MAX) {
		import_bad(im, "a string of %" PRIu32 " elements", body.count);
		return;
	}
	memset(data, 0, (size_t)body.count * a->width);
	/* a value in a log can be wider than its access */
	memcpy(data, &a->value, a->width);
	body.done = body.count;
	im->first_only += body.count > 1;
	im->accesses++;
	put(im, TRACE_ACCESS, 0, &body, sizeof(body), data,
	    (size_t)body.count * a->width);
}

/* The space of the model that has (off) of BAR (bar); -1: none. */
static int find_space(const struct import *im, unsigned int bar, uint64_t off,
		      const struct import_access *a)
{
	struct dmm_space s;
	unsigned int i;

	for (i = 0; dmm_model_space(im->model, i, &s); i++)
		if (!s.window && s.bar == bar &&
		    cc_within(off, a->width, 0, s.size) &&
		    (a->kind == IMPORT_ANY || s.io == (a->kind == IMPORT_PORT)))
			return (int)i;
	return -1;
}

void import_bar_access(struct import *im, unsigned int bar,
		       const struct import_access *a)
{
	int space = find_space(im, bar, a->addr, a);

	if (space < 0)
		im->skipped++;
	else
		put_access(im, (unsigned int)space, a->addr, a);
}

static void config_port(struct import *im, const struct import_access *a)
{
	if (a->addr == 0xcf8 && a->width == 4 && a->write)
		im->config_address = (uint32_t)a->value;
	if (a->addr >= 0xcfc && im->config_address >> 31 && a->count <= 1)
		import_config(im, im->config_address >> 8 & 0xffff,
			      (im->config_address & 0xfc) |
				      (unsigned int)(a->addr & 3),
			      a->width, a->write, a->value);
}

void import_access(struct import *im, const struct import_access *a)
{
	struct import_function *f;
	unsigned int i;
	int space;

	if (a->kind == IMPORT_PORT && cc_within(a->addr, a->width, 0xcf8, 8)) {
		config_port(im, a);
		return;
	}
	for (f = im->function; f < im->function + im->functions; f++)
		for (i = 0; i < IMPORT_BARS && is_ours(im, f); i++) {
			const struct import_bar *bar = &f->bar[i];

			if (!bar->mapped || a->addr < bar->addr ||
			    (bar->size && !cc_within(a->addr, a->width,
						     bar->addr, bar->size)))
				continue;
			space = find_space(im, i, a->addr - bar->addr, a);
			if (space < 0)
				continue;
			put_access(im, (unsigned int)space, a->addr - bar->addr,
				   a);
			return;
		}
	im->skipped++;
}

/* ---- a whole log ---- */

/* A line without its end; 1, 0 at the end of the file, -1: it is too long. */
static int next_line(FILE *from, char *line, size_t room)
{
	size_t n = 0;
	bool whole = true;
	int c = getc_unlocked(from);

	if (c == EOF)
		return 0;
	for (; c != EOF && c != '\n'; c = getc_unlocked(from))
		if (n < room - 1)
			line[n++] = c ? (char)c : '.';
		else
			whole = false;
	while (n && line[n - 1] == '\r')
		n--;
	line[n] = '\0';
	return whole ? 1 : -1;
}

static int finish(struct import *im, FILE *from)
{
	if (ferror(from)) {
		log_warn("%s: cannot read on behind line %" PRIu64, im->path,
			 im->line);
		im->bad++;
	}
	if (!im->accesses) {
		log_errorx("%s: no access to a BAR of this device is in it; is "
			   "it %s?  If it does not tell where the BARs are, "
			   "give --bar N=ADDR+SIZE",
			   im->path, im->format->what);
		return EXIT_BAD_INPUT;
	}
	log_info("%s: %" PRIu64 " accesses, %" PRIu64 " elsewhere skipped",
		 im->path, im->accesses, im->skipped);
	if (im->first_only)
		log_info("%s: of %" PRIu64 " string accesses the log has the "
			 "first value only; the others are zero",
			 im->path, im->first_only);
	if (im->grouped)
		log_info("%s: %" PRIu64 " accesses were only counted in the "
			 "log, and are not in the trace",
			 im->path, im->grouped);
	if (im->bad)
		log_warnx("%s: %" PRIu64 " lines could not be read", im->path,
			  im->bad);
	return im->bad ? EXIT_BAD_INPUT : 0;
}

static int read_lines(struct import *im, FILE *from)
{
	char line[LINE_MAX_BYTES];
	int got;

	memcpy(function(im, IMPORT_NOWHERE)->bar, im->conf->bar,
	       sizeof(im->conf->bar));
	while ((got = next_line(from, line, sizeof(line))) != 0) {
		im->line++;
		if (!im->format->has_times)
			im->ns = im->line * LINE_NS;
		if (got < 0)
			import_bad(im, "longer than %u bytes",
				   LINE_MAX_BYTES - 1);
		else
			im->format->line(im, line);
	}
	return finish(im, from);
}

static int run(const struct import_format *format, FILE *from, const char *path,
	       const struct dmm_model *model, const struct model_file *text,
	       const struct import_conf *conf, struct traceout *out)
{
	struct import *im = xcalloc(1, sizeof(*im));
	char name[80];
	int status;

	im->format = format;
	im->conf = conf;
	im->path = path;
	im->model = model;
	im->out = out;
	im->own = xcalloc(1, format->own_size + 1);
	/* so that names count devices as records do */
	snprintf(name, sizeof(name), "%.14s", dmm_model_name(model));
	traceout_interface(out, 1, name);
	snprintf(name, sizeof(name), "%.14s:guest", dmm_model_name(model));
	traceout_interface(out, 1, name);
	im->text = text;
	status = read_lines(im, from);
	if (!im->sequence)
		put_model(im);
	free(im->own);
	free(im);
	return status;
}

int import_stream(const struct import_format *format, FILE *from,
		  const char *path, const struct dmm_model *model,
		  const struct import_conf *conf, struct traceout *out)
{
	return run(format, from, path, model, NULL, conf, out);
}

static const struct import_format *find_format(const char *name)
{
	const char *names[ARRAY_LEN(formats)], *near;
	size_t i;

	for (i = 0; i < ARRAY_LEN(formats); i++) {
		if (!strcmp(formats[i]->name, name))
			return formats[i];
		names[i] = formats[i]->name;
	}
	near = diag_nearest(name, names, ARRAY_LEN(formats));
	if (near)
		fatalx("trace import: no format is called \"%s\"; did you "
		       "mean \"%s\"?",
		       name, near);
	fatalx("trace import: no format is called \"%s\"; see vpio help trace",
	       name);
}

int import_trace(const char *name, const char *path, const char *model,
		 const struct import_conf *conf, const char *to)
{
	const struct import_format *format = find_format(name);
	struct model_file file;
	struct dmm_model *m;
	struct traceout out;
	char *why = NULL;
	FILE *from;
	int status;

	if (models_open(&m, model))
		return EXIT_BAD_INPUT;
	if (models_read(&file, model, &why))
		fatalx("%s", why);
	from = !strcmp(path, "-") ? stdin : fopen(path, "re");
	if (!from)
		fatal("cannot read %s", path);
	traceout_open(&out, to, &(struct tracefile){ .fd = fileno(from) }, 1);
	status = run(format, from, path, m, &file, conf, &out);
	if (!traceout_close(&out))
		status = EXIT_BAD_RUN;
	if (from != stdin)
		fclose(from);
	models_free(&file);
	dmm_model_free(m);
	return status;
}

/* ---- the user's words ---- */

bool import_bar_option(const char *text, struct import_conf *conf)
{
	uint64_t bar, addr, size = 0;

	if (!import_number(&text, "", &bar) ||
	    !import_number(&text, "=", &addr) ||
	    (*text && !import_number(&text, "+", &size)) || *text ||
	    bar >= IMPORT_BARS)
		return false;
	conf->bar[bar] = (struct import_bar){ addr, size, true };
	return true;
}

bool import_function_option(const char *text, struct import_conf *conf)
{
	return import_where(&text, "", &conf->function) && !*text;
}
