// SPDX-License-Identifier: MIT
/*
 * export_qtest.c: accesses as lines of QEMU's qtest protocol, behind those
 * that put the device's BARs where they are: for
 *
 *	qemu-system-x86_64 -machine pc -device NAME,addr=3 ... -qtest stdio
 *
 * Of a trace that has what the device itself was asked, that; unless a guest
 * was named, then its accesses.
 */

#include <inttypes.h>
#include <string.h>

#include "export.h"
#include "log.h"

#define CONFIG_ADDRESS 0xcf8u
#define CONFIG_DATA 0xcfcu
#define PORTS 0xc000u
#define MEMORY UINT64_C(0xfe000000)

struct script {
	struct exporting *e;
	const struct dmm_model *model; /* NULL: not met yet */
	unsigned int device;
	bool of_host; /* what the device was asked */
	uint64_t base[EXPORT_BARS];
};

static void put_config(const struct script *s, unsigned int off, uint64_t value)
{
	fprintf(s->e->to, "outl 0x%x 0x%x\noutl 0x%x 0x%" PRIx64 "\n",
		CONFIG_ADDRESS, 0x80000000u | s->e->conf->function << 8 | off,
		CONFIG_DATA, value);
}

/* Where a BAR that was not placed goes: aligned, away from what is there. */
static uint64_t place(const struct dmm_space *space)
{
	uint64_t step = space->io ? 0x100 : 0x100000;

	while (step < space->size)
		step *= 2;
	return (space->io ? PORTS : MEMORY) + space->bar * step;
}

static void begin(struct script *s, const struct trace_packet *p)
{
	const struct export_conf *conf = s->e->conf;
	struct trace_device d;
	struct dmm_space space;
	unsigned int i;

	s->model = s->e->f->model[p->head.device];
	s->device = p->head.device;
	trace_read_model(p, &d);
	s->of_host = d.model.complete && s->e->guest < 0;
	if (!s->model) {
		log_errorx("%s: its model is not in it: where would its "
			   "registers be?",
			   s->e->f->path);
		s->e->bad = true;
		return;
	}
	for (i = 0; dmm_model_space(s->model, i, &space); i++) {
		if (space.window || space.bar >= EXPORT_BARS)
			continue;
		s->base[space.bar] = conf->bar[space.bar] ?
					     conf->bar[space.bar] :
					     place(&space);
		put_config(s, 0x10 + 4 * space.bar, s->base[space.bar]);
	}
	/* I/O, memory, bus master: PCI 3.0, 6.2.2 */
	put_config(s, 0x04, 0x7);
}

static void put_line(const struct script *s, unsigned int space, uint64_t off,
		     unsigned int width, bool write, uint64_t value)
{
	static const char letters[] = {
		[1] = 'b', [2] = 'w', [4] = 'l', [8] = 'q'
	};
	struct dmm_space sp;
	uint64_t at;

	if (!dmm_model_space(s->model, space, &sp) || sp.window ||
	    sp.bar >= EXPORT_BARS || (sp.io && width == 8) ||
	    (width != 1 && width != 2 && width != 4 && width != 8))
		return;
	at = s->base[sp.bar] + off;
	fprintf(s->e->to, "%s%c 0x%" PRIx64,
		sp.io ? (write ? "out" : "in") : (write ? "write" : "read"),
		letters[width], at);
	if (write)
		fprintf(s->e->to, " 0x%" PRIx64, value);
	fputc('\n', s->e->to);
}

static uint64_t element(const uint8_t *bytes, size_t i, unsigned int width)
{
	uint64_t value = 0;

	memcpy(&value, bytes + i * width, width);
	return value;
}

static void put_access(const struct script *s, const struct trace_packet *p)
{
	struct trace_access a;
	uint32_t i;

	memcpy(&a, p->body, sizeof(a));
	for (i = a.from; i < a.done; i++)
		put_line(s, a.space, a.off, a.width, a.write,
			 element(p->body + sizeof(a), i, a.width));
}

static void put_call(const struct script *s, const struct trace_packet *p)
{
	struct trace_call c;
	bool string, write;
	uint64_t i;

	memcpy(&c, p->body, sizeof(c));
	string = c.what == TRACE_READ_STRING || c.what == TRACE_WRITE_STRING;
	write = c.what == TRACE_WRITE || c.what == TRACE_WRITE_STRING;
	if (c.what == TRACE_READ || c.what == TRACE_WRITE)
		put_line(s, c.space, c.at, c.width, write, c.value);
	for (i = 0; string && c.width && c.width <= 8 && i < c.bytes / c.width;
	     i++)
		put_line(s, c.space, c.at, c.width, write,
			 element(p->body + sizeof(c), i, c.width));
}

void export_qtest(struct exporting *e)
{
	struct script s = { .e = e };
	struct trace_packet p;

	while (export_next(e, &p)) {
		if (!p.ours)
			continue;
		if (p.head.kind == TRACE_MODEL && !s.model) {
			begin(&s, &p);
		} else if (p.head.kind == TRACE_MODEL &&
			   p.head.device != s.device) {
			log_errorx("%s: it has more than one device; give "
				   "--device NAME",
				   e->f->path);
			e->bad = true;
		} else if (s.model && p.head.kind == TRACE_ACCESS &&
			   !s.of_host) {
			put_access(&s, &p);
		} else if (s.model && p.head.kind == TRACE_HOST && s.of_host) {
			put_call(&s, &p);
		}
	}
}
