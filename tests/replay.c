/* SPDX-License-Identifier: MIT */
/*
 * replay.c: a recorded trace in memory, and a device that is that trace.
 */

#include "replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/file.h"

#define MODEL_MAX (1u << 20)

/* Registers of the 8390 that the device's own doings show in. */
enum {
	CR = 0x00,
	ISR = 0x07, /* page 0 */
	IMR = 0x0f, /* page 0 */
	TXP = 0x04,
	PTX = 0x02,
	TXE = 0x08,
	IRQ_BITS = 0x7f,
};

const uint8_t replay_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

static int add(struct trace *trace, const struct qlog_access *access)
{
	struct qlog_access *more;

	if (!(trace->n & (trace->n - 1))) {
		more = realloc(trace->access,
			       (trace->n ? 2 * trace->n : 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		trace->access = more;
	}
	trace->access[trace->n++] = *access;
	return 0;
}

int trace_load(struct trace *out, const char *dir, const char *name)
{
	char path[1024], command[1100];
	struct trace trace = { 0 };
	struct qlog_access next;
	struct qlog log;
	FILE *file;
	int ret;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (access(path, R_OK) || strchr(path, '\''))
		return -ENOENT;
	snprintf(command, sizeof(command), "xz -dc '%s'", path);
	file = popen(command, "r");
	if (!file)
		return -ENOENT;
	qlog_init_file(&log, file, NULL);
	while ((ret = qlog_next(&log, &next)) > 0)
		if ((ret = add(&trace, &next)))
			break;
	if (pclose(file) && !ret)
		ret = -ENOENT;
	if (!ret && (!trace.n || log.unmapped))
		ret = -EINVAL;
	if (ret)
		trace_free(&trace);
	else
		*out = trace;
	return ret;
}

void trace_free(struct trace *trace)
{
	free(trace->access);
	*trace = (struct trace){ 0 };
}

struct dmm_model *replay_model(const char *file)
{
	struct dmm_model *model = NULL;
	char *text = NULL, *why = NULL;
	struct diag diag;
	size_t len;

	if (file_read(file, MODEL_MAX, &text, &len, &why)) {
		fprintf(stderr, "%s\n", why);
		free(why);
		return NULL;
	}
	diag_init(&diag, file);
	if (dmm_model_parse(&model, text, len, &diag) && diag.n)
		fprintf(stderr, "%s: %s\n", file, diag.message[0].text);
	diag_fini(&diag);
	free(text);
	return model;
}

/* ---- the device ---- */

static uint64_t echo_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	struct echo *e = ctx;

	(void)space;
	if (e->at && !e->at->write && !e->asked && e->at->addr == off &&
	    e->at->size == width) {
		e->asked = true;
		return e->at->value;
	}
	/* the monitor asks for itself */
	if (off == CR)
		return e->cr;
	if (off == ISR && e->page == 0)
		return e->dmm ? e->isr : 0xff; /* opening waits for nothing */
	return 0;
}

static void echo_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct echo *e = ctx;

	(void)space;
	(void)width;
	if (off == CR) {
		e->cr = (uint8_t)(value | (e->cr & TXP));
		e->page = (uint8_t)(value >> 6);
	} else if (off == ISR && e->page == 0) {
		e->isr &= (uint8_t)~value;
	} else if (off == IMR && e->page == 0) {
		e->imr = (uint8_t)value;
	}
}

static void echo_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	const struct qlog_access *at = ((struct echo *)ctx)->at;

	(void)space;
	if (n == 1 && at && at->addr == off && at->size == width)
		memcpy(to, &at->value, 8); /* there is room for 8 */
	else
		memset(to, 0, n * width);
}

static void echo_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	(void)ctx;
	(void)space;
	(void)off;
	(void)width;
	(void)from;
	(void)n;
}

static void echo_pause(void *ctx, uint64_t ns)
{
	((struct echo *)ctx)->now_ns += ns;
}

static uint64_t echo_now(void *ctx)
{
	return ((struct echo *)ctx)->now_ns;
}

static int echo_reset(void *ctx)
{
	struct echo *e = ctx;

	e->page = 0;
	e->cr = 0x21;
	e->isr = 0x80;
	e->imr = 0;
	return 0;
}

static void echo_line(void *ctx, unsigned int guest, bool level)
{
	(void)ctx;
	(void)guest;
	(void)level;
}

static void echo_wake(void *ctx, unsigned int guest)
{
	(void)ctx;
	(void)guest;
}

static void echo_due(void *ctx, uint64_t at_ns)
{
	(void)ctx;
	(void)at_ns;
}

static void echo_frame(void *ctx, unsigned int guest, bool sent,
		       const uint8_t *bytes, size_t len)
{
	(void)ctx;
	(void)guest;
	(void)sent;
	(void)bytes;
	(void)len;
}

static void echo_report(void *ctx, const struct dmm_report *report)
{
	(void)report;
	((struct echo *)ctx)->reports++;
}

const struct dmm_host echo_device = {
	.read = echo_read,
	.write = echo_write,
	.read_string = echo_read_string,
	.write_string = echo_write_string,
	.pause = echo_pause,
	.now = echo_now,
	.reset = echo_reset,
	.line = echo_line,
	.wake = echo_wake,
	.due = echo_due,
	.frame = echo_frame,
	.report = echo_report,
};

int echo_open(struct echo *e, const struct dmm_model *model)
{
	struct dmm_conf conf = { .how = DMM_EXCLUSIVE,
				 .antispoof = true,
				 .guests = 1 };
	struct dmm_host host = echo_device;
	char *why = NULL;
	int err;

	host.ctx = e;
	*e = (struct echo){ .now_ns = 1 };
	memcpy(conf.guest[0].mac, replay_mac, 6);
	conf.guest[0].has_mac = true;
	conf.guest[0].weight = 1;
	err = dmm_open(&e->dmm, model, &conf, &host, &why);
	if (err)
		fprintf(stderr, "%s\n", why ? why : "cannot open the monitor");
	free(why);
	echo_reset(e);
	return err;
}

void echo_close(struct echo *e)
{
	dmm_close(e->dmm);
}

/* ---- one access ---- */

static void interrupt(struct echo *e)
{
	bool level = e->isr & e->imr & IRQ_BITS;

	if (level != e->level)
		dmm_interrupt(e->dmm, level);
	e->level = level;
}

/* What the driver is about to see in ISR has happened by now. */
void echo_before(struct echo *e, const struct qlog_access *access)
{
	e->now_ns += 1000;
	if (access->write || access->addr != ISR || e->page)
		return;
	e->isr = (uint8_t)access->value;
	if (e->isr & (PTX | TXE))
		e->cr &= (uint8_t)~TXP;
	interrupt(e);
}

void echo_after(struct echo *e, const struct qlog_access *access)
{
	if (access->write && !e->page &&
	    (access->addr == ISR || access->addr == IMR))
		interrupt(e);
}
