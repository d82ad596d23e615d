// SPDX-License-Identifier: MIT
/*
 * test_single.c: the short way of an access (dmm/single.c) does what the long
 * one does: two monitors see the same accesses, interrupts and ticks at random,
 * one of them always goes the long way, and nothing may differ.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dmm/mon.h"
#include "replay.h"
#include "stub.h"

#define ACCESSES 60000u
#define GUESTS 2u

/* A monitor, and a device that answers by what it was asked so far. */
struct side {
	struct dmm *dmm;
	uint64_t seen;	/* a hash of all that the host was asked and told */
	uint64_t calls; /* of its device */
	uint64_t now;
	uint8_t *area;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static void see(struct side *s, uint64_t a, uint64_t b, uint64_t c)
{
	s->seen = mix(mix(mix(s->seen, a), b), c);
}

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	struct side *s = ctx;

	see(s, 1 + space, off, width);
	return mix(s->seen, s->calls++) & cc_ones(8 * width);
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	see(ctx, 101 + space, off << 8 | width, value);
}

static void host_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	uint8_t *p = to;
	size_t i;

	for (i = 0; i < n * width; i++)
		p[i] = (uint8_t)host_read(ctx, space, off, 1);
}

static void host_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	const uint8_t *p = from;
	size_t i;

	for (i = 0; i < n * width; i++)
		host_write(ctx, space, off, 1, p[i]);
}

static void host_pause(void *ctx, uint64_t ns)
{
	((struct side *)ctx)->now += ns;
}

static uint64_t host_now(void *ctx)
{
	return ((struct side *)ctx)->now;
}

static int host_reset(void *ctx)
{
	see(ctx, 2, 0, 0);
	return 0;
}

static void host_line(void *ctx, unsigned int guest, bool level)
{
	see(ctx, 3, guest, level);
}

static void host_wake(void *ctx, unsigned int guest)
{
	see(ctx, 4, guest, 0);
}

static void host_due(void *ctx, uint64_t at_ns)
{
	see(ctx, 5, at_ns, 0);
}

static void host_frame(void *ctx, unsigned int guest, bool sent,
		       const uint8_t *bytes, size_t len)
{
	see(ctx, 6 + sent, guest, len ? bytes[len - 1] : 0);
}

static void host_report(void *ctx, const struct dmm_report *report)
{
	see(ctx, 8, report->line, report->address);
}

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	see(ctx, 9, gpa, len);
	*iova = gpa + (UINT64_C(0x10000000) << guest);
	return cc_within(gpa, len, 0, 0x100000) ? 0 : -1;
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	see(ctx, 10 + guest, gpa, len);
	memset(to, (int)(gpa & 0x7f), len);
	return cc_within(gpa, len, 0, 0x100000) ? 0 : -1;
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	see(ctx, 20 + guest, gpa, len ? *(const uint8_t *)from : 0);
	return cc_within(gpa, len, 0, 0x100000) ? 0 : -1;
}

static const struct dmm_host device = {
	.read = host_read,
	.write = host_write,
	.read_string = host_read_string,
	.write_string = host_write_string,
	.pause = host_pause,
	.now = host_now,
	.reset = host_reset,
	.line = host_line,
	.wake = host_wake,
	.due = host_due,
	.frame = host_frame,
	.report = host_report,
	.translate = host_translate,
	.read_mem = host_read_mem,
	.write_mem = host_write_mem,
};

static bool open_side(struct side *s, const struct dmm_model *model,
		      enum dmm_how how, enum dmm_when_parked parked)
{
	struct dmm_conf conf = { .how = how,
				 .when_parked = parked,
				 .antispoof = true,
				 .guests = how == DMM_EXCLUSIVE ? 1 : GUESTS };
	struct dmm_host host = device;
	char *why = NULL;
	unsigned int i;
	int err;

	memset(s, 0, sizeof(*s));
	s->now = 1;
	host.ctx = s;
	conf.area.size = dmm_model_area(model);
	conf.area.host = s->area = calloc(1, conf.area.size + 1);
	conf.area.iova = 0x1000000;
	for (i = 0; i < conf.guests; i++) {
		memcpy(conf.guest[i].mac, replay_mac, 6);
		conf.guest[i].mac[5] = (uint8_t)i;
		conf.guest[i].has_mac = true;
		conf.guest[i].weight = 1;
	}
	err = dmm_open(&s->dmm, model, &conf, &host, &why);
	free(why);
	return !err;
}

static void close_side(struct side *s)
{
	dmm_close(s->dmm);
	free(s->area);
}

static void same(const struct side *a, const struct side *b, unsigned int i)
{
	const struct dmm_model *m = a->dmm->model;
	unsigned int g;

	if (a->seen != b->seen)
		fail_msg("access %u: the device was asked otherwise", i);
	assert_int_equal(a->dmm->last_path, b->dmm->last_path);
	assert_int_equal(a->dmm->owner, b->dmm->owner);
	assert_memory_equal(a->dmm->dev, b->dmm->dev,
			    m->slots * sizeof(uint64_t));
	for (g = 0; g < a->dmm->conf.guests; g++) {
		const struct context *x = &a->dmm->guest[g],
				     *y = &b->dmm->guest[g];

		assert_memory_equal(x->reg, y->reg,
				    m->slots * sizeof(uint64_t));
		assert_memory_equal(x->state, y->state, sizeof(x->state));
		assert_memory_equal(&x->stats, &y->stats, sizeof(x->stats));
		assert_int_equal(x->pending, y->pending);
		assert_int_equal(x->own, y->own);
		assert_int_equal(x->line, y->line);
	}
}

static uint64_t state = 1;

static uint64_t pick(uint64_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (state >> 33) % n;
}

/* Mostly where a register stands, whole. */
static struct dmm_access some_access(const struct dmm_model *m)
{
	const struct place *pl = &m->place[pick(m->places)];
	const struct reg *r = &m->reg[pl->reg];
	struct dmm_access a = { .space = pl->space,
				.off = pl->off + pick(r->dim) * pl->step,
				.count = 1,
				.width = (uint8_t)(r->bits / 8u),
				.write = pick(2) };

	if (!pick(8))
		a.width = (uint8_t)(1u << pick(4));
	if (!pick(8))
		a.off += pick(4);
	if (!pick(16))
		a.count = 1 + (uint32_t)pick(3);
	return a;
}

/* A frame of the guest is on the card, as chance alone seldom brings it. */
static void send(struct side *s, unsigned int g)
{
	const struct dmm_model *m = s->dmm->model;
	struct context *c = &s->dmm->guest[g];
	unsigned int i;

	if (s->dmm->mode != MODE_SPOOL || m->rings || c->sending)
		return;
	for (i = 0; i < m->states && !m->state[i].polls; i++)
		;
	c->sending = SEND_ON_CARD;
	c->frame_len = 60;
	c->frame_during.state = (uint16_t)i;
	for (i = 0; m->machine[i].states.first + m->machine[i].states.n <=
		    c->frame_during.state;
	     i++)
		;
	c->frame_during.machine = (uint16_t)i;
	c->state[i] = c->frame_during.state;
	s->dmm->owner = (int)g;
}

static void compare(const struct dmm_model *model, enum dmm_how how,
		    enum dmm_when_parked parked)
{
	struct side a, b;
	unsigned int i, g;

	if (!open_side(&a, model, how, parked)) {
		close_side(&a);
		return; /* it cannot be shared so */
	}
	assert_true(open_side(&b, model, how, parked));
	b.dmm->long_way = true;
	for (i = 0; i < ACCESSES; i++) {
		struct dmm_access x = some_access(model), y = x;
		uint64_t v = pick(4) ? pick(256) : mix(i, state);
		uint8_t p[32], q[32];

		memset(p, 0, sizeof(p));
		memcpy(p, &v, sizeof(v));
		memcpy(q, p, sizeof(p));
		x.data = p;
		y.data = q;
		g = (unsigned int)pick(a.dmm->conf.guests);
		assert_int_equal(dmm_access(a.dmm, g, &x),
				 dmm_access(b.dmm, g, &y));
		assert_int_equal(x.done, y.done);
		assert_memory_equal(p, q, sizeof(p));
		if (!pick(32)) {
			send(&a, g);
			send(&b, g);
		}
		if (!pick(16)) {
			bool level = pick(2);

			dmm_interrupt(a.dmm, level);
			dmm_interrupt(b.dmm, level);
		}
		if (!pick(64)) {
			a.now = b.now += pick(50000000);
			assert_int_equal(dmm_tick(a.dmm), dmm_tick(b.dmm));
		}
		same(&a, &b, i);
	}
	close_side(&a);
	close_side(&b);
}

static void compare_all(const char *file)
{
	struct dmm_model *model = replay_model(file);

	assert_non_null(model);
	compare(model, DMM_EXCLUSIVE, DMM_SPOOL);
	compare(model, DMM_LEASE, DMM_SPOOL);
	compare(model, DMM_LEASE, DMM_DROP);
	compare(model, DMM_MERGE, DMM_SPOOL);
	dmm_model_free(model);
}

static void test_ne2k(void **unused)
{
	(void)unused;
	compare_all("models/ne2k-pci.yaml");
}

static void test_e1000(void **unused)
{
	(void)unused;
	compare_all("models/e1000.yaml");
}

static void test_rtl8139(void **unused)
{
	(void)unused;
	compare_all("models/rtl8139.yaml");
}

static void test_pcnet(void **unused)
{
	(void)unused;
	compare_all("models/pcnet.yaml");
}

static void test_e1000e(void **unused)
{
	(void)unused;
	compare_all("models/e1000e.yaml");
}

/* What a read does is done, whichever way it goes. */
static void test_after_read(void **unused)
{
	static struct stub s;

	(void)unused;
	stub_model(&s,
		   "device: { name: t }\n"
		   "spaces: { io: { kind: io, bar: 0, size: 8, width: 32 } }\n"
		   "registers:\n"
		   "  A: { at: io+0, answer: latch, "
		   "afterRead: { B: B + 1 } }\n"
		   "  B: { at: io+4, answer: latch }\n");
	stub_open(&s, DMM_EXCLUSIVE, 1);
	stub_read(&s, 0, 0, 4);
	assert_int_equal(stub_read(&s, 0, 4, 4), 1);
	s.dmm->long_way = true;
	stub_read(&s, 0, 0, 4);
	assert_int_equal(stub_read(&s, 0, 4, 4), 2);
	stub_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ne2k),
		cmocka_unit_test(test_e1000),
		cmocka_unit_test(test_rtl8139),
		cmocka_unit_test(test_pcnet),
		cmocka_unit_test(test_e1000e),
		cmocka_unit_test(test_after_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
