/* SPDX-License-Identifier: MIT */
/*
 * stub.c: a device that is a memory and a log.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stub.h"

/* cmocka takes this signal for a failed test; a fuzzer, for a crash. */
static void die(const char *what, const char *more)
{
	fprintf(stderr, "stub: %s%s\n", what, more);
	raise(SIGILL);
	abort();
}

/* ---- the device ---- */

static void note(struct stub *s, char what, unsigned int space, uint64_t off,
		 unsigned int width)
{
	if (s->logged + 64 > sizeof(s->log))
		return;
	s->logged += (size_t)sprintf(s->log + s->logged, "%c%u+%llx.%u", what,
				     space, (unsigned long long)off, width);
}

static void note_end(struct stub *s, const char *fmt, uint64_t v)
{
	if (s->logged + 64 > sizeof(s->log))
		return;
	s->logged +=
		(size_t)sprintf(s->log + s->logged, fmt, (unsigned long long)v);
}

/* What a host may take for granted of what a monitor asks of it. */
static void check_touch(const struct stub *s, unsigned int space, uint64_t off,
			unsigned int width)
{
	if (space >= STUB_SPACES || space >= s->model->spaces)
		die("no such space", "");
	if (width != 1 && width != 2 && width != 4 && width != 8)
		die("no such width", "");
	if (!cc_within(off, width, 0, s->model->space[space].size))
		die("beyond the space", "");
}

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	struct stub *s = ctx;
	uint64_t v = 0;

	check_touch(s, space, off, width);
	note(s, 'r', space, off, width);
	note_end(s, " ", 0);
	for (unsigned int i = width; i--;)
		v = v << 8 | s->says[space][(off + i) % STUB_BYTES];
	return v;
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct stub *s = ctx;

	check_touch(s, space, off, width);
	if (width < 8 && value >> 8 * width)
		die("a value wider than its access", "");
	note(s, 'w', space, off, width);
	note_end(s, "=%llx ", value);
	for (unsigned int i = 0; s->keeps && i < width; i++)
		s->says[space][(off + i) % STUB_BYTES] =
			(uint8_t)(value >> 8 * i);
}

static void host_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	struct stub *s = ctx;

	check_touch(s, space, off, width);
	note(s, 'R', space, off, width);
	note_end(s, "*%llu ", n);
	for (size_t i = 0; i < n * width; i++)
		((uint8_t *)to)[i] =
			s->says[space][(off + i % width) % STUB_BYTES];
}

static void host_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	struct stub *s = ctx;

	if (!from)
		die("a string without bytes", "");
	check_touch(s, space, off, width);
	note(s, 'W', space, off, width);
	note_end(s, "*%llu ", n);
}

static void host_pause(void *ctx, uint64_t ns)
{
	((struct stub *)ctx)->now += ns;
}

static uint64_t host_now(void *ctx)
{
	return ((struct stub *)ctx)->now;
}

static int host_reset(void *ctx)
{
	((struct stub *)ctx)->resets++;
	return 0;
}

static void host_line(void *ctx, unsigned int guest, bool level)
{
	((struct stub *)ctx)->line[guest] = level;
}

static void host_message(void *ctx, unsigned int guest, unsigned int vector)
{
	struct stub *s = ctx;

	if (s->logged + 64 <= sizeof(s->log))
		s->logged += (size_t)sprintf(s->log + s->logged, "m%u.%u ",
					     guest, vector);
}

static void host_wake(void *ctx, unsigned int guest)
{
	(void)guest;
	((struct stub *)ctx)->wakes++;
}

static void host_due(void *ctx, uint64_t at_ns)
{
	(void)at_ns;
	((struct stub *)ctx)->dues++;
}

static void host_frame(void *ctx, unsigned int guest, bool sent,
		       const uint8_t *bytes, size_t len)
{
	(void)guest, (void)sent, (void)bytes, (void)len;
	((struct stub *)ctx)->frames++;
}

static void host_report(void *ctx, const struct dmm_report *report)
{
	struct stub *s = ctx;

	s->reports++;
	s->report = *report;
	s->report.access = NULL;
}

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	(void)ctx, (void)guest;
	*iova = gpa;
	return cc_within(gpa, len, 0, STUB_MEMORY) ? 0 : -EFAULT;
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	(void)guest;
	if (!cc_within(gpa, len, 0, STUB_MEMORY))
		return -EFAULT;
	memcpy(to, ((struct stub *)ctx)->memory + gpa, len);
	return 0;
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	(void)guest;
	if (!cc_within(gpa, len, 0, STUB_MEMORY))
		return -EFAULT;
	memcpy(((struct stub *)ctx)->memory + gpa, from, len);
	return 0;
}

static const struct dmm_host stub_host = {
	.read = host_read,
	.write = host_write,
	.read_string = host_read_string,
	.write_string = host_write_string,
	.pause = host_pause,
	.now = host_now,
	.reset = host_reset,
	.line = host_line,
	.message = host_message,
	.wake = host_wake,
	.due = host_due,
	.frame = host_frame,
	.report = host_report,
	.translate = host_translate,
	.read_mem = host_read_mem,
	.write_mem = host_write_mem,
};

/* ---- models ---- */

static void show(const struct diag *diag, const char *text)
{
	char *said = diag_render(diag, text, strlen(text));

	fprintf(stderr, "%s", said ? said : "");
	free(said);
}

void stub_model(struct stub *s, const char *text)
{
	memset(s, 0, sizeof(*s));
	s->now = 1000;
	diag_init(&s->diag, "stub.yaml");
	if (!dmm_model_parse(&s->model, text, strlen(text), &s->diag))
		return;
	show(&s->diag, text);
	die("this is no model", "");
}

static bool before(const struct diag_message *a, const struct diag_message *b)
{
	return a->pos.line < b->pos.line ||
	       (a->pos.line == b->pos.line && a->pos.column < b->pos.column);
}

void stub_bad(const char *text, unsigned int n, uint32_t line, uint32_t column,
	      const char *message)
{
	struct dmm_model *model = NULL;
	const struct diag_message *m;
	struct diag diag;
	int err;

	diag_init(&diag, "stub.yaml");
	err = dmm_model_parse(&model, text, strlen(text), &diag);
	m = &diag.message[0];
	for (unsigned int i = 1; i < diag.n; i++)
		if (before(&diag.message[i], m))
			m = &diag.message[i];
	if (err == -EINVAL && diag.errors == n && m->pos.line == line &&
	    m->pos.column == column && !strcmp(m->text, message)) {
		diag_fini(&diag);
		return;
	}
	show(&diag, text);
	fprintf(stderr, "wanted: %u errors, %u:%u: %s\n", n, line, column,
		message);
	die(err ? "it said something else" : "this is a model, after all", "");
}

int stub_try(struct stub *s, enum dmm_how how, unsigned int guests)
{
	char *why = NULL;
	int err;

	s->conf.how = how;
	s->conf.guests = guests;
	s->host = stub_host;
	s->host.ctx = s;
	for (unsigned int i = 0; i < guests; i++) {
		struct dmm_guest_conf *g = &s->conf.guest[i];

		g->weight = 1;
		g->has_mac |= guests > 1;
		memcpy(g->mac, "\x52\x54\x00\x00\x00", 5);
		g->mac[5] = (uint8_t)(10 + i);
	}
	s->conf.area.size = dmm_model_area(s->model);
	s->conf.area.host = calloc(1, s->conf.area.size + 1);
	if (!s->conf.area.host)
		die("no memory", "");
	err = dmm_open(&s->dmm, s->model, &s->conf, &s->host, &why);
	if (err && err != -ENOMEM && !why)
		die("it does not say why", "");
	if (err) {
		free(s->conf.area.host);
		s->conf.area.host = NULL;
	}
	free(why);
	return err;
}

void stub_open(struct stub *s, enum dmm_how how, unsigned int guests)
{
	if (stub_try(s, how, guests))
		die("not opened", "");
	stub_log(s);
}

void stub_close(struct stub *s)
{
	dmm_close(s->dmm);
	free(s->conf.area.host);
	s->conf.area.host = NULL;
	dmm_model_free(s->model);
	diag_fini(&s->diag);
	s->dmm = NULL;
	s->model = NULL;
}

/* ---- accesses ---- */

void stub_write_as(struct stub *s, unsigned int guest, unsigned int space,
		   uint64_t off, unsigned int width, uint64_t value)
{
	uint8_t data[8];
	struct dmm_access a = { .space = space,
				.off = off,
				.data = data,
				.count = 1,
				.width = (uint8_t)width,
				.write = true };

	for (unsigned int i = 0; i < 8; i++)
		data[i] = (uint8_t)(value >> 8 * i);
	s->verdict = dmm_access(s->dmm, guest, &a);
	if ((s->verdict == DMM_PASS) != (a.done == 1))
		die("done, or not?", "");
}

uint64_t stub_read_as(struct stub *s, unsigned int guest, unsigned int space,
		      uint64_t off, unsigned int width)
{
	uint8_t data[9] = { 0 };
	struct dmm_access a = { .space = space,
				.off = off,
				.data = data,
				.count = 1,
				.width = (uint8_t)width };
	uint64_t v = 0;

	data[width] = 0xa5;
	s->verdict = dmm_access(s->dmm, guest, &a);
	if (data[width] != 0xa5)
		die("read too much", "");
	for (unsigned int i = width; i--;)
		v = v << 8 | data[i];
	return v;
}

void stub_write(struct stub *s, unsigned int space, uint64_t off,
		unsigned int width, uint64_t value)
{
	stub_write_as(s, 0, space, off, width, value);
}

uint64_t stub_read(struct stub *s, unsigned int space, uint64_t off,
		   unsigned int width)
{
	return stub_read_as(s, 0, space, off, width);
}

const char *stub_log(struct stub *s)
{
	static char log[STUB_LOG];

	memcpy(log, s->log, s->logged);
	log[s->logged] = '\0';
	s->logged = 0;
	return log;
}

unsigned int stub_reg(const struct stub *s, const char *name)
{
	unsigned int i = model_reg(s->model, name);

	if (i == MODEL_NONE)
		die("no register ", name);
	return i;
}

uint64_t stub_latch(struct stub *s, const char *name)
{
	return s->dmm->guest[0].reg[s->model->reg[stub_reg(s, name)].slot];
}

uint64_t stub_count(struct stub *s, enum dmm_path path)
{
	struct dmm_guest_stats stats;

	dmm_guest_stats(s->dmm, 0, &stats);
	return stats.accesses[path];
}
