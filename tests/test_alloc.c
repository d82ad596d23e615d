// SPDX-License-Identifier: MIT
/*
 * test_alloc.c: once it is open, a monitor allocates nothing: not while it
 * steps through recorded traces, nor while guests send and receive by merge,
 * lease or spool.
 *
 * It is linked with a libdmm whose calls of malloc() and the like come here
 * (see the Makefile), so what rigs and simulated cards allocate is not counted.
 *
 * Usage: test_alloc [DIRECTORY of the traces]; without them it skips those.
 */

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dmm/replay.h"
#include "replay.h"
#include "ringrig.h"
#include "share.h"

static const char *traces = "traces";
static uint64_t allocated;
static uint64_t grown; /* by realloc(): of what runs, a replay's queue alone */

void *counted_malloc(size_t size);
void *counted_calloc(size_t n, size_t size);
void *counted_realloc(void *p, size_t size);
char *counted_strdup(const char *s);

void *counted_malloc(size_t size)
{
	allocated++;
	return malloc(size);
}

void *counted_calloc(size_t n, size_t size)
{
	allocated++;
	return calloc(n, size);
}

void *counted_realloc(void *p, size_t size)
{
	grown++;
	return realloc(p, size);
}

char *counted_strdup(const char *s)
{
	allocated++;
	return strdup(s);
}

/* What opening allocates is seen: so would be what a step did. */
static uint64_t opened(void)
{
	uint64_t n = allocated;

	assert_true(n > 0);
	allocated = grown = 0;
	return n;
}

/* ---- recorded drivers ---- */

static void test_ne2k(void **state)
{
	struct dmm_model *model = replay_model("models/ne2k-pci.yaml");
	struct trace trace;
	struct echo e;
	uint64_t value;
	size_t i;

	(void)state;
	if (!model || trace_load(&trace, traces, NE2K_TRACE)) {
		dmm_model_free(model);
		skip();
	}
	allocated = 0;
	assert_int_equal(echo_open(&e, model), 0);
	opened();
	for (i = 0; i < trace.n; i++) {
		echo_before(&e, &trace.access[i]);
		assert_int_equal(echo_access(&e, &trace.access[i], &value),
				 DMM_PASS);
		echo_after(&e, &trace.access[i]);
	}
	assert_int_equal(allocated + grown, 0);
	echo_close(&e);
	trace_free(&trace);
	dmm_model_free(model);
}

static struct trace_packet packet(enum trace_kind kind, size_t len,
				  uint64_t sequence, const uint8_t *body)
{
	return (struct trace_packet){ .block = TRACE_BLOCK_PACKET,
				      .ns = 1000 * sequence,
				      .ours = true,
				      .head = { .version = TRACE_VERSION,
						.kind = (uint8_t)kind,
						.len = (uint32_t)len,
						.sequence = sequence },
				      .body = body };
}

/* The first access opens the monitor; from the second on nothing may come. */
static void test_e1000(void **state)
{
	struct dmm_model *model = replay_model("models/e1000.yaml");
	struct trace_model m = { .guests = 1 };
	struct trace_guest g = { .has_mac = 1, .weight = 1 };
	uint8_t body[128] = { 0 };
	struct replay *r = NULL;
	struct trace_packet p;
	struct trace trace;
	char *why = NULL;
	size_t i;

	(void)state;
	if (!model ||
	    trace_load(&trace, traces, "linux-6.1-e1000.qemu.log.xz")) {
		dmm_model_free(model);
		skip();
	}
	memcpy(g.mac, replay_mac, 6);
	memcpy(body, &m, sizeof(m));
	memcpy(body + sizeof(m), &g, sizeof(g));
	p = packet(TRACE_MODEL, sizeof(m) + sizeof(g) + 3, 0, body);
	allocated = 0;
	assert_int_equal(replay_open(&r, model, &p, NULL, &why), 0);
	for (i = 0; i < trace.n; i++) {
		const struct qlog_access *q = &trace.access[i];
		struct trace_access a = { .off = q->addr,
					  .count = 1,
					  .done = 1,
					  .width = q->size,
					  .write = q->write };

		memcpy(body, &a, sizeof(a));
		memcpy(body + sizeof(a), &q->value, q->size);
		p = packet(TRACE_ACCESS, sizeof(a) + q->size, i + 1, body);
		assert_int_equal(replay_record(r, &p, i + 2), 0);
		if (!i)
			opened();
	}
	assert_int_equal(replay_summary(r)->events, trace.n);
	assert_int_equal(allocated, 0);
	replay_close(r);
	trace_free(&trace);
	dmm_model_free(model);
}

/* ---- all traces that are kept ---- */

static uint8_t *unpack(const char *file, size_t *len)
{
	char command[512];
	uint8_t *bytes = NULL;
	size_t n = 0, got;
	FILE *from;

	snprintf(command, sizeof(command), "xz -dc '%s'", file);
	from = popen(command, "r");
	assert_non_null(from);
	do {
		bytes = realloc(bytes, n + (1u << 20));
		assert_non_null(bytes);
		got = fread(bytes + n, 1, 1u << 20, from);
		n += got;
	} while (got);
	*len = pclose(from) ? 0 : n;
	return bytes;
}

static struct replay *open_trace(struct trace_packet *p,
				 struct dmm_model **model)
{
	struct trace_device dev;
	struct replay *r = NULL;
	struct diag diag;
	char *why = NULL;

	trace_read_model(p, &dev);
	diag_init(&diag, dev.name);
	assert_int_equal(
		dmm_model_parse(model, dev.text, strlen(dev.text), &diag), 0);
	diag_fini(&diag);
	assert_int_equal(replay_open(&r, *model, p, NULL, &why), 0);
	return r;
}

static void steps_of(const uint8_t *bytes, size_t len)
{
	struct dmm_model *model = NULL;
	struct replay *r = NULL;
	struct trace_reader tr;
	struct trace_packet p;
	uint64_t n = 0;

	trace_open(&tr, bytes, len);
	while (!trace_next(&tr, &p)) {
		if (!p.ours)
			continue;
		if (p.head.kind == TRACE_MODEL && !r) {
			allocated = 0;
			r = open_trace(&p, &model);
			continue;
		}
		assert_int_equal(replay_record(r, &p, ++n), 0);
		if (replay_summary(r)->events == 1 && allocated)
			opened();
	}
	assert_true(replay_summary(r)->events > 100);
	assert_null(replay_difference(r));
	assert_int_equal(allocated, 0);
	assert_true(grown < 20); /* doubled each time */
	replay_close(r);
	dmm_model_free(model);
}

static void test_kept(void **state)
{
	char pattern[300];
	glob_t found;
	uint8_t *bytes;
	size_t len, i;

	(void)state;
	snprintf(pattern, sizeof(pattern), "%s/*.pcapng.xz", traces);
	if (glob(pattern, 0, NULL, &found))
		skip();
	for (i = 0; i < found.gl_pathc; i++) {
		bytes = unpack(found.gl_pathv[i], &len);
		if (len) /* else there is no xz */
			steps_of(bytes, len);
		free(bytes);
	}
	globfree(&found);
}

/* ---- guests that share a card ---- */

static const uint8_t outside[6] = { 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02 };

static void wire(void *ctx, const uint8_t *frame, size_t len)
{
	(void)frame;
	*(uint64_t *)ctx += len;
}

static void rings(enum dmm_how how, unsigned int guests)
{
	struct dmm_conf conf = {
		.how = how, .guests = guests, .antispoof = true, .lease_ns = 1
	};
	struct ringrig *rig = calloc(1, sizeof(*rig));
	uint64_t bytes = 0;
	unsigned int i, g;
	uint8_t mac[6];

	allocated = 0;
	ringrig_open(rig, &conf, 0, false);
	rig->sim.transmit = wire;
	rig->sim.ctx = &bytes;
	opened();
	for (i = 0; i < 400; i++)
		for (g = 0; g < guests; g++) {
			sim_rig_mac((g + 1) % guests, mac);
			if (ringrig_room(rig, g))
				ringrig_post(rig, g, i % 4 ? outside : mac,
					     (uint32_t)rig->guest[g].sent,
					     60 + i * 7 % 1400);
			ringrig_bell(rig, g);
			ringrig_run(rig, 100000);
			ringrig_take(rig, g);
		}
	assert_true(bytes > 100000);
	assert_int_equal(allocated + grown, 0);
	ringrig_close(rig);
	free(rig);
}

static void test_merge(void **state)
{
	(void)state;
	rings(DMM_MERGE, 3);
}

static void test_ring_lease(void **state)
{
	(void)state;
	rings(DMM_LEASE, 2);
}

static void test_ring_exclusive(void **state)
{
	(void)state;
	rings(DMM_EXCLUSIVE, 1);
}

static void pages(const struct share_conf *conf)
{
	struct share_frame f, got;
	unsigned int i, g;
	struct share *s;

	allocated = 0;
	s = share_open(conf);
	opened();
	share_up_all(s);
	for (i = 0; i < 60; i++)
		for (g = 0; g < s->guests; g++) {
			share_make(&f, share_outside, share_mac(g),
				   (uint8_t)(0xa0 + g), i, 60 + i * 20);
			share_send(s, g, &f);
			share_make(&f, share_mac(g), share_outside,
				   (uint8_t)(0xc0 + g), i, 60 + i * 20);
			share_wire(s, &f);
			share_pass(s, SHARE_MS);
			while (share_recv(s, g, &got))
				;
		}
	assert_int_equal(s->wire.n, 60 * s->guests);
	assert_int_equal(allocated + grown, 0);
	share_close(s);
}

static void test_spool(void **state)
{
	const struct share_conf conf = { .how = DMM_LEASE, .guests = 3 };

	(void)state;
	pages(&conf);
}

static void test_drop(void **state)
{
	const struct share_conf conf = { .how = DMM_LEASE,
					 .when_parked = DMM_DROP };

	(void)state;
	pages(&conf);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ne2k),
		cmocka_unit_test(test_e1000),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_ring_lease),
		cmocka_unit_test(test_ring_exclusive),
		cmocka_unit_test(test_spool),
		cmocka_unit_test(test_drop),
	};

	if (argc > 1)
		traces = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
