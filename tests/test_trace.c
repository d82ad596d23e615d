/* SPDX-License-Identifier: MIT */
/*
 * test_trace.c: a stock Linux driver's recorded session with an NE2000 against
 * the monitor: how few accesses step the model, that none but 16 reads beyond its PROM is refused, and that
 * the driver reads on a shared card what it read on its own.
 *
 * Usage: test_trace [DIRECTORY of the traces]; without them it skips.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay.h"
#include "vmm/sim_ne2k.h"

/* What the trace holds; test_qlog.c counts the same in another way. */
#define ACCESSES 218052
#define SENDS 350
#define RECEIVED 458
#define RECEIVED_BYTES 512021

#define FRAMES_MAX 512
#define RING_PAGES 64u

/* The driver reads 32 bytes of 16 words of its PROM; the others are ones. */
#define DENIED 16

static const char *traces = "traces";
static struct trace trace;
static struct dmm_model *model;

/* ---- the device is the trace ---- */

static void print_paths(const char *what, const struct dmm_guest_stats *s,
			const struct dmm_stats *d)
{
	uint64_t sum = 0, hooks = s->accesses[DMM_HOOK];
	int p;

	for (p = 0; p < DMM_PATHS; p++)
		sum += s->accesses[p];
	print_message("# %s: %llu accesses:", what, (unsigned long long)sum);
	for (p = 0; p < DMM_PATHS; p++)
		if (s->accesses[p])
			print_message(" %s %llu",
				      dmm_path_name((enum dmm_path)p),
				      (unsigned long long)s->accesses[p]);
	print_message("\n# %s: %llu steps; hooked 1 in %.1f, latched 1 in "
		      "%.1f\n",
		      what, (unsigned long long)d->steps,
		      (double)sum / (double)(hooks ? hooks : 1),
		      (double)sum / (double)(s->accesses[DMM_LATCH] ?
						     s->accesses[DMM_LATCH] :
						     1));
}

/* What must hold on every way of sharing. */
static void check_numbers(const char *what, const struct dmm_guest_stats *s,
			  const struct dmm_stats *d)
{
	print_paths(what, s, d);
	assert_int_equal(s->violations, 0);
	assert_int_equal(s->accesses[DMM_DENY], DENIED);
	assert_true(s->accesses[DMM_HOOK] * 100 <= ACCESSES);
	assert_true(d->steps * 100 <= ACCESSES);
	assert_int_equal(s->frames_sent, SENDS);
	assert_int_equal(s->frames_received, RECEIVED);
	assert_int_equal(s->bytes_received, RECEIVED_BYTES);
	assert_int_equal(s->drops, 0);
	assert_int_equal(d->forced, 0);
}

static void test_echo(void **state)
{
	struct dmm_guest_stats s;
	struct dmm_stats d;
	struct echo e;
	uint64_t value;
	size_t i;

	(void)state;
	if (!trace.n)
		skip();
	assert_int_equal(echo_open(&e, model), 0);
	for (i = 0; i < trace.n; i++) {
		echo_before(&e, &trace.access[i]);
		assert_int_equal(echo_access(&e, &trace.access[i], &value),
				 DMM_PASS);
		echo_after(&e, &trace.access[i]);
	}
	dmm_guest_stats(e.dmm, 0, &s);
	dmm_stats(e.dmm, &d);
	check_numbers("echo", &s, &d);
	assert_int_equal(e.reports, 0);
	echo_close(&e);
}

/* ---- the device is a simulated one ---- */

/* The frames that the recorded driver took from its ring, in order. */
static struct frame {
	uint8_t page; /* where it began */
	uint16_t len;
	uint8_t bytes[SIM_FRAME_MAX];
} frames[FRAMES_MAX];
static size_t n_frames;

/* What of the card it takes to know which bytes are a frame's. */
struct gather {
	uint8_t bank, page;
	uint16_t at, count; /* RSAR, RBCR */
	uint16_t have, want;
	uint8_t header[4];
	bool body;
};

static void gather_start(struct gather *g)
{
	g->body = g->count != sizeof(g->header) || g->at & 0xff;
	g->have = 0;
	g->want = g->at < NE2K_RAM || n_frames == FRAMES_MAX ? 0 : g->count;
	if (!g->body)
		g->page = (uint8_t)(g->at >> 8);
	if (g->body && g->want && g->at != (g->page << 8 | 4))
		g->want = 0;
}

static void gather_write(struct gather *g, uint64_t off, uint8_t v)
{
	if (off == NE2K_CR) {
		g->bank = v >> 6;
		if ((v & CR_RD) == CR_RD_READ)
			gather_start(g);
	} else if (g->bank == 0 && off == P0_RSAR0) {
		g->at = (uint16_t)((g->at & 0xff00) | v);
	} else if (g->bank == 0 && off == P0_RSAR1) {
		g->at = (uint16_t)((g->at & 0xff) | v << 8);
	} else if (g->bank == 0 && off == P0_RBCR0) {
		g->count = (uint16_t)((g->count & 0xff00) | v);
	} else if (g->bank == 0 && off == P0_RBCR1) {
		g->count = (uint16_t)((g->count & 0xff) | v << 8);
	}
}

static void gather_data(struct gather *g, const struct qlog_access *a)
{
	struct frame *f = &frames[n_frames];
	unsigned int i;

	for (i = 0; i < a->size && g->have < g->want; i++, g->have++) {
		uint8_t v = (uint8_t)(a->value >> 8 * i);

		if (g->body)
			f->bytes[g->have] = v;
		else
			g->header[g->have] = v;
		if (!g->body || g->have + 1 < g->want)
			continue;
		f->page = g->page;
		f->len = g->want;
		n_frames++;
	}
}

static void gather_frames(void)
{
	struct gather g = { 0 };
	size_t i;

	n_frames = 0;
	for (i = 0; i < trace.n; i++) {
		const struct qlog_access *a = &trace.access[i];

		if (a->write && a->addr < NE2K_DATA)
			gather_write(&g, a->addr, (uint8_t)a->value);
		else if (!a->write && a->addr == NE2K_DATA)
			gather_data(&g, a);
	}
}

/* A simulated card under a monitor, with all that has a thread left out. */
struct card {
	struct dmm *dmm;
	struct ne2k part;
	bool level, run;
	uint64_t now_ns;
	uint8_t bank;
	size_t arrived; /* of (frames) */
	bool prx;	/* as the driver sees it */
	uint64_t commands, data_reads;
	uint64_t reports, sent, bytes, others, differ;
};

static void part_transmit(void *ctx, const uint8_t *frame, size_t len)
{
	struct card *c = ctx;

	(void)frame;
	c->sent++;
	c->bytes += len;
}

static void part_irq(void *ctx, bool level)
{
	((struct card *)ctx)->level = level;
}

static uint64_t card_now(void *ctx)
{
	return ((struct card *)ctx)->now_ns;
}

static void part_arm(void *ctx, uint64_t at_ns)
{
	((struct card *)ctx)->run = at_ns != SIM_NEVER;
}

static const struct sim_host part_host = {
	.transmit = part_transmit,
	.irq = part_irq,
	.now = card_now,
	.arm = part_arm,
};

static uint64_t card_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	(void)space;
	return sim_ne2k.read(&((struct card *)ctx)->part, 0, off, width);
}

static void card_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	(void)space;
	sim_ne2k.write(&((struct card *)ctx)->part, 0, off, width, value);
}

static void card_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	uint8_t *bytes = to;
	uint64_t value;

	for (; n; n--, bytes += width) {
		value = card_read(ctx, space, off, width);
		memcpy(bytes, &value, width);
	}
}

static void card_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	const uint8_t *bytes = from;
	uint64_t value = 0;

	for (; n; n--, bytes += width) {
		memcpy(&value, bytes, width);
		card_write(ctx, space, off, width, value);
	}
}

/* Hardware works while the monitor waits. */
static void card_pause(void *ctx, uint64_t ns)
{
	struct card *c = ctx;

	c->now_ns += ns;
	if (c->run)
		sim_ne2k.run(&c->part);
}

static int card_reset(void *ctx)
{
	sim_ne2k.reset(&((struct card *)ctx)->part);
	return 0;
}

static void card_frame(void *ctx, unsigned int guest, bool sent,
		       const uint8_t *bytes, size_t len)
{
	(void)sent;
	(void)bytes;
	(void)len;
	((struct card *)ctx)->others += guest != 0;
}

static void card_report(void *ctx, const struct dmm_report *r)
{
	((struct card *)ctx)->reports++;
	print_message("# report: guest %u %s: %s (line %u)\n", r->guest,
		      r->name, r->rule, r->line);
}

static void open_card(struct card *c, const struct dmm_conf *conf)
{
	struct sim_conf sim = { .wire_bps = 0 };
	const struct dmm_host host = {
		.ctx = c,
		.read = card_read,
		.write = card_write,
		.read_string = card_read_string,
		.write_string = card_write_string,
		.pause = card_pause,
		.now = card_now,
		.reset = card_reset,
		.frame = card_frame,
		.report = card_report,
	};
	char *why = NULL;

	memset(c, 0, sizeof(*c));
	c->now_ns = 1;
	memcpy(sim.mac, replay_mac, 6);
	assert_int_equal(sim_ne2k.init(&c->part, &sim, &part_host, c), 0);
	assert_int_equal(dmm_open(&c->dmm, model, conf, &host, &why), 0);
}

/* The hardware's turn, then the monitor's: nothing is left to do after it. */
static void settle(struct card *c)
{
	int i;

	for (i = 0; i < 4 && (c->run || c->level || !i); i++) {
		if (c->run)
			sim_ne2k.run(&c->part);
		dmm_interrupt(c->dmm, c->level);
		dmm_tick(c->dmm);
	}
}

static void arrive(struct card *c)
{
	if (c->arrived == n_frames)
		return;
	sim_ne2k.receive(&c->part, frames[c->arrived].bytes,
			 frames[c->arrived].len, 0);
	c->arrived++;
	c->prx = true;
	settle(c);
}

/* What the driver is about to see has come by now: frames, that is. */
static void before(struct card *c, const struct qlog_access *a)
{
	size_t i;

	if (a->write)
		return;
	if (c->bank == 0 && a->addr == P0_ISR && a->value & ISR_PRX && !c->prx)
		arrive(c); /* at least; CURR tells of all */
	if (c->bank != 1 || a->addr != (P1_CURR & 15))
		return;
	for (i = c->arrived; i < n_frames && frames[i].page != a->value; i++)
		;
	if (i == n_frames && i - c->arrived > RING_PAGES)
		return; /* none: it is far away */
	while (c->arrived < i)
		arrive(c);
}

/* What may differ: QEMU's card is not quite the data sheet's. */
static bool is_same(struct card *c, const struct qlog_access *a, uint64_t value)
{
	uint64_t mask = UINT64_MAX;

	if (a->addr == NE2K_CR && !c->commands)
		return true; /* as power-on leaves it: 0 there, STP here */
	if (a->addr >= NE2K_RESET)
		return true; /* nothing is said of what it reads */
	if (c->bank == 0 && a->addr == P0_TSR)
		mask = (uint64_t)~TSR_ONE; /* always 1, but not there */
	if (a->addr == NE2K_DATA && c->data_reads < 12 && c->data_reads++ >= 6)
		return true; /* its PROM has other things behind the address */
	return !((value ^ a->value) & mask);
}

static void after(struct card *c, const struct qlog_access *a)
{
	if (a->write && a->addr == NE2K_CR) {
		c->bank = (uint8_t)(a->value >> 6);
		c->commands++;
	}
	if (a->write && a->addr == P0_ISR && !c->bank)
		c->prx &= !(a->value & ISR_PRX);
	if (a->addr < NE2K_DATA)
		settle(c);
}

static void replay(struct card *c)
{
	uint64_t value;
	size_t i;

	for (i = 0; i < trace.n; i++) {
		const struct qlog_access *a = &trace.access[i];

		before(c, a);
		c->now_ns += 1000;
		value = a->write ? a->value : 0;
		assert_int_equal(replay_access(c->dmm, 0, a, &value), DMM_PASS);
		if (!a->write && !is_same(c, a, value) && ++c->differ < 10) {
			print_message("# access %zu of 0x%llx: 0x%llx, was "
				      "0x%llx\n",
				      i, (unsigned long long)a->addr,
				      (unsigned long long)value,
				      (unsigned long long)a->value);
		}
		after(c, a);
	}
}

static void test_mode(const char *name, enum dmm_how how,
		      enum dmm_when_parked parked, unsigned int guests)
{
	struct dmm_conf conf = { .how = how,
				 .when_parked = parked,
				 .antispoof = true,
				 .guests = guests };
	static struct card c;
	struct dmm_guest_stats s;
	struct dmm_stats d;
	unsigned int i;

	if (!trace.n)
		skip();
	for (i = 0; i < guests; i++) {
		conf.guest[i].weight = 1;
		conf.guest[i].has_mac = true;
		memcpy(conf.guest[i].mac, replay_mac, 6);
		conf.guest[i].mac[5] = (uint8_t)(replay_mac[5] + i);
	}
	open_card(&c, &conf);
	replay(&c);
	dmm_guest_stats(c.dmm, 0, &s);
	dmm_stats(c.dmm, &d);
	check_numbers(name, &s, &d);
	assert_int_equal(c.differ, 0);
	assert_int_equal(c.reports, 0);
	assert_int_equal(c.arrived, RECEIVED);
	assert_int_equal(c.sent, SENDS);
	assert_int_equal(c.bytes, s.bytes_sent);
	assert_int_equal(c.others, 0);
	dmm_close(c.dmm);
}

static void test_exclusive(void **state)
{
	(void)state;
	test_mode("exclusive", DMM_EXCLUSIVE, DMM_SPOOL, 1);
}

static void test_spool(void **state)
{
	(void)state;
	test_mode("spool", DMM_LEASE, DMM_SPOOL, 2);
}

static void test_drop(void **state)
{
	(void)state;
	test_mode("drop", DMM_LEASE, DMM_DROP, 2);
}

static int load(void **state)
{
	(void)state;
	model = replay_model("models/ne2k-pci.yaml");
	if (!model)
		return -1;
	if (trace_load(&trace, traces, NE2K_TRACE))
		print_message("# no trace in %s\n", traces);
	else
		gather_frames();
	return 0;
}

static int unload(void **state)
{
	(void)state;
	dmm_model_free(model);
	trace_free(&trace);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_spool),
		cmocka_unit_test(test_drop),
	};

	if (argc > 1)
		traces = argv[1];
	return cmocka_run_group_tests(tests, load, unload);
}
