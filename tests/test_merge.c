// SPDX-License-Identifier: MIT
/*
 * test_merge.c: several guests on one card with descriptor rings: shares,
 * hand-overs that lose nothing and what they cost, siblings, offload contexts.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../dmm/mon.h"
#include "ringrig.h"

static const uint8_t outside[6] = { 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02 };

/* What came out on the wire, by sender. */
struct wire {
	uint64_t frames[RIG_GUESTS];
	uint64_t time[RIG_GUESTS]; /* bytes, with what a frame costs beside */
	uint64_t expect[RIG_GUESTS];
	uint64_t out_of_order, strange;
};

static void on_wire(void *ctx, const uint8_t *frame, size_t len)
{
	struct wire *w = ctx;
	uint32_t number;
	uint8_t mac[6];
	unsigned int g;

	for (g = 0; g < RIG_GUESTS; g++) {
		sim_rig_mac(g, mac);
		if (memcmp(frame + 6, mac, 6) == 0)
			break;
	}
	if (g == RIG_GUESTS || frame[14] != g) {
		w->strange++;
		return;
	}
	memcpy(&number, frame + 16, sizeof(number));
	w->out_of_order += number != w->expect[g];
	w->expect[g] = number + 1;
	w->frames[g]++;
	w->time[g] += len + 24;
}

static struct dmm_conf conf_of(enum dmm_how how, unsigned int guests)
{
	return (struct dmm_conf){ .how = how,
				  .guests = guests,
				  .antispoof = true };
}

/* Keep every guest's ring full for (rounds) of 100 us. */
static void stream(struct ringrig *rig, unsigned int rounds,
		   const size_t size[])
{
	unsigned int i, g;

	for (i = 0; i < rounds; i++) {
		for (g = 0; g < rig->sim.conf.guests; g++) {
			while (ringrig_room(rig, g))
				ringrig_post(rig, g, outside,
					     (uint32_t)rig->guest[g].sent,
					     size[g]);
			ringrig_bell(rig, g);
		}
		ringrig_run(rig, 100000);
	}
}

/* Device time by weight, whatever the size of the frames. */
static void shares(void **state)
{
	static const unsigned int weight[] = { 1, 1, 2, 4 };
	static const size_t size[][4] = { { 1514, 1514, 1514, 1514 },
					  { 60, 1514, 1514, 1514 },
					  { 1514, 60, 300, 1514 } };
	struct dmm_conf conf = conf_of(DMM_MERGE, 4);
	struct ringrig *rig = malloc(sizeof(*rig));
	uint64_t sum, want;
	struct wire w;
	unsigned int i, g;

	(void)state;
	for (g = 0; g < 4; g++)
		conf.guest[g].weight = weight[g];
	for (i = 0; i < 3; i++) {
		memset(&w, 0, sizeof(w));
		ringrig_open(rig, &conf, 1000000000, false);
		rig->sim.transmit = on_wire;
		rig->sim.ctx = &w;
		stream(rig, 1000, size[i]);
		sum = w.time[0] + w.time[1] + w.time[2] + w.time[3];
		/* the wire was never idle: 100 ms of a gigabit */
		assert_in_range(sum, 11800000, 12700000);
		for (g = 0; g < 4; g++) {
			want = sum * weight[g] / 8;
			assert_in_range(w.time[g], want * 9 / 10,
					want * 11 / 10);
		}
		assert_int_equal(w.out_of_order + w.strange, 0);
		assert_int_equal(rig->sim.faults + rig->sim.reports, 0);
		ringrig_close(rig);
	}
	free(rig);
}

/* A host that is late: what waits in the device grows until that has work. */
static void late(void **state)
{
	struct dmm_conf conf = conf_of(DMM_MERGE, 2);
	struct ringrig *rig = malloc(sizeof(*rig));
	struct wire w = { .strange = 0 };
	unsigned int i, g;

	(void)state;
	ringrig_open(rig, &conf, 1000000000, false);
	rig->sim.transmit = on_wire;
	rig->sim.ctx = &w;
	assert_int_equal(rig->sim.dmm->tx->limit, SHADOW_SHARED);
	for (i = 0; i < 200; i++) {
		for (g = 0; g < 2; g++) {
			while (ringrig_room(rig, g))
				ringrig_post(rig, g, outside,
					     (uint32_t)rig->guest[g].sent,
					     1514);
			ringrig_bell(rig, g);
		}
		ringrig_sleep(rig, 500000); /* 62,500 bytes of the wire */
	}
	/* four fifths of what there was room for; shares are kept */
	assert_in_range(w.time[0] + w.time[1], 10000000, 12700000);
	assert_in_range(w.time[0] * 100 / (w.time[0] + w.time[1]), 48, 52);
	assert_in_range(rig->sim.dmm->tx->limit, 62500, SHADOW_ALONE);
	/* one that is not late: little is enough */
	for (i = 0; i < 200; i++) {
		for (g = 0; g < 2; g++) {
			while (ringrig_room(rig, g))
				ringrig_post(rig, g, outside,
					     (uint32_t)rig->guest[g].sent,
					     1514);
			ringrig_bell(rig, g);
		}
		ringrig_run(rig, 100000);
	}
	assert_in_range(rig->sim.dmm->tx->limit, SHADOW_SHARED, 40000);
	assert_int_equal(w.out_of_order + w.strange, 0);
	ringrig_close(rig);
	free(rig);
}

/* Frames of two guests in turn: (n) hand-overs, each frame once, in order. */
static void take_turns(enum dmm_how how, unsigned int n, uint64_t most_ns)
{
	struct dmm_conf conf = conf_of(how, 2);
	struct ringrig *rig = malloc(sizeof(*rig));
	struct dmm_stats stats;
	struct wire w = { .strange = 0 };
	unsigned int i, g;

	/* a lease of nothing: the device goes over as soon as it can */
	conf.lease_ns = 1;
	ringrig_open(rig, &conf, 0, true);
	rig->sim.transmit = on_wire;
	rig->sim.ctx = &w;
	for (i = 0; i < n; i++) {
		g = i % 2;
		while (!ringrig_room(rig, g))
			ringrig_run(rig, 0);
		ringrig_post(rig, g, outside, (uint32_t)rig->guest[g].sent,
			     60 + i % 1400);
		ringrig_bell(rig, g);
		ringrig_run(rig, 0);
	}
	ringrig_run(rig, 2000000);
	dmm_stats(rig->sim.dmm, &stats);
	print_message("%s: %llu hand-overs: fastest %llu ns, median %llu ns\n",
		      how == DMM_MERGE ? "merge" : "lease",
		      (unsigned long long)stats.switches,
		      (unsigned long long)stats.switch_ns_min,
		      (unsigned long long)stats.switch_ns_median);
	assert_true(stats.switches >= n - 2);
	assert_true(stats.switch_ns_median < most_ns);
	assert_int_equal(stats.forced, 0);
	for (g = 0; g < 2; g++)
		assert_int_equal(w.frames[g], rig->guest[g].sent);
	assert_int_equal(w.out_of_order + w.strange, 0);
	assert_int_equal(stats.transmit.packets, n);
	assert_int_equal(stats.transmit.payload_bytes_copied, 0);
	assert_int_equal(stats.transmit.head_bytes_copied, 18u * n);
	assert_int_equal(stats.transmit.local_bytes_copied, 0);
	ringrig_close(rig);
	free(rig);
}

static void merge_turns(void **state)
{
	(void)state;
	take_turns(DMM_MERGE, 10002, 1000);
}

static void lease_turns(void **state)
{
	(void)state;
	take_turns(DMM_LEASE, 10002, 100000);
}

/* Frames for a sibling do not go out; broadcasts do both. */
static void siblings(void **state)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct dmm_conf conf = conf_of(DMM_MERGE, 3);
	struct ringrig *rig = malloc(sizeof(*rig));
	struct wire w = { .strange = 0 };
	struct dmm_stats stats;
	uint8_t to[6];
	unsigned int i;

	(void)state;
	ringrig_open(rig, &conf, 0, false);
	rig->sim.transmit = on_wire;
	rig->sim.ctx = &w;
	sim_rig_mac(1, to);
	for (i = 0; i < 1000; i++) {
		ringrig_post(rig, 0, to, i, 60 + i % 1400);
		ringrig_bell(rig, 0);
		ringrig_take(rig, 1);
	}
	assert_int_equal(rig->guest[1].received, 1000);
	assert_int_equal(rig->guest[1].bad, 0);
	assert_int_equal(w.frames[0], 0);
	for (i = 1000; i < 1010; i++)
		ringrig_post(rig, 0, all, i, 100);
	ringrig_bell(rig, 0);
	ringrig_run(rig, 1000000);
	ringrig_take(rig, 1);
	ringrig_take(rig, 2);
	ringrig_take(rig, 0);
	assert_int_equal(rig->guest[1].received, 1010);
	assert_int_equal(rig->guest[2].received, 10);
	assert_int_equal(rig->guest[0].received, 0); /* not its own */
	assert_int_equal(w.frames[0], 10);
	dmm_stats(rig->sim.dmm, &stats);
	assert_true(stats.transmit.local_bytes_copied > 1000u * 60);
	assert_int_equal(stats.transmit.payload_bytes_copied, 0);
	ringrig_close(rig);
	free(rig);
}

/* A machine is idle again when all came back, and no driver looked. */
static void idle_again(void **state)
{
	struct dmm_conf conf = conf_of(DMM_MERGE, 2);
	struct ringrig *rig = malloc(sizeof(*rig));
	struct wire w = { .strange = 0 };
	uint8_t to[6];

	(void)state;
	ringrig_open(rig, &conf, 1000000000, false);
	rig->sim.transmit = on_wire;
	rig->sim.ctx = &w;
	assert_string_equal(dmm_state(rig->sim.dmm, 0, "tx"), "idle");
	ringrig_post(rig, 0, outside, 0, 100);
	ringrig_bell(rig, 0);
	assert_string_equal(dmm_state(rig->sim.dmm, 0, "tx"), "busy");
	assert_string_equal(dmm_state(rig->sim.dmm, 1, "tx"), "idle");
	ringrig_run(rig, 1000000);
	assert_int_equal(w.frames[0], 1);
	assert_string_equal(dmm_state(rig->sim.dmm, 0, "tx"), "idle");
	/* nothing comes back of what did not go out */
	sim_rig_mac(1, to);
	ringrig_post(rig, 0, to, 1, 100);
	ringrig_bell(rig, 0);
	assert_string_equal(dmm_state(rig->sim.dmm, 0, "tx"), "idle");
	ringrig_close(rig);
	free(rig);
}

/* Rules on poll, that set RXT0, too; guest 0 hears of that alone. */
static struct ringrig *open_polls(enum dmm_how how, bool move)
{
	struct dmm_conf conf = conf_of(how, how == DMM_EXCLUSIVE ? 1 : 2);
	struct ringrig *rig = malloc(sizeof(*rig));
	struct dmm_model *m;
	unsigned int i;

	conf.lease_ns = 1;
	ringrig_open(rig, &conf, 1000000000, false);
	m = rig->sim.model;
	for (i = 0; i < m->rules; i++) {
		if (m->rule[i].on != ON_POLL)
			continue;
		m->rule[i].sets = m->receive.arrived;
		if (!move)
			m->rule[i].to = MODEL_NONE;
	}
	ringrig_write(rig, 0, R_IMS, 0x80);
	return rig;
}

/* Guest 0 has the device, and sends what does not go there. */
static void post_refused(struct ringrig *rig)
{
	ringrig_post(rig, 0, outside, 0, 100);
	ringrig_bell(rig, 0);
	ringrig_run(rig, 1000000);
	ringrig_read(rig, 0, R_ICR);
	ringrig_post(rig, 0, outside, 1, 100);
	rig->sim.mem[0][RIG_TXBUF + 2048 + 6] ^= 2; /* its source */
	ringrig_bell(rig, 0);
	assert_int_equal(rig->sim.reports, 1);
	assert_false(rig->sim.dmm->guest[0].line);
}

static void check_polled(struct ringrig *rig, const char *state)
{
	assert_string_equal(dmm_state(rig->sim.dmm, 0, "tx"), state);
	assert_true(rig->sim.dmm->guest[0].line);
	ringrig_close(rig);
	free(rig);
}

/* What a rule on poll does to the causes interrupts, like any other cause. */
static void poll_interrupts(void **state)
{
	struct ringrig *rig = open_polls(DMM_MERGE, true);

	(void)state;
	ringrig_post(rig, 0, outside, 0, 100);
	ringrig_bell(rig, 0);
	assert_false(rig->sim.dmm->guest[0].line);
	/* that it came back is seen before the card interrupts */
	rig->sim.clock += 1000000;
	sim_rig_turn(&rig->sim);
	dmm_tick(rig->sim.dmm);
	check_polled(rig, "idle");

	/* nothing comes back: it is asked at a tick */
	rig = open_polls(DMM_EXCLUSIVE, true);
	post_refused(rig);
	dmm_tick(rig->sim.dmm);
	check_polled(rig, "idle");

	/* or as another waits for the device, and does not get it */
	rig = open_polls(DMM_LEASE, false);
	post_refused(rig);
	rig->sim.clock += 1000000;
	ringrig_post(rig, 1, outside, 0, 100);
	ringrig_bell(rig, 1);
	dmm_tick(rig->sim.dmm);
	check_polled(rig, "busy");
}

/* A tag that a descriptor asks for is in the frame that a sibling gets. */
static void tags(void **state)
{
	struct dmm_conf conf = conf_of(DMM_MERGE, 2);
	struct ringrig *rig = malloc(sizeof(*rig));
	const uint8_t *got;
	uint8_t to[6], *b;

	(void)state;
	ringrig_open(rig, &conf, 0, false);
	sim_rig_mac(1, to);
	b = rig->sim.mem[0] + RIG_TXBUF;
	memcpy(b, to, 6);
	sim_rig_mac(0, b + 6);
	b[12] = 0x88;
	b[13] = 0xb5;
	memset(b + 14, 0x5a, 46);
	got = rig->sim.mem[1] + RIG_RXBUF;

	/* EOP, IFCS, RS, VLE; but VME is off: it leaves untagged */
	ringrig_desc(rig, 0, RIG_TXBUF,
		     60 | UINT64_C(0x4b) << 24 | UINT64_C(0x0123) << 48);
	ringrig_bell(rig, 0);
	assert_memory_equal(got, b, 60);
	ringrig_write(rig, 0, R_CTRL, 1u << 30);
	ringrig_desc(rig, 0, RIG_TXBUF,
		     60 | UINT64_C(0x4b) << 24 | UINT64_C(0x0123) << 48);
	ringrig_bell(rig, 0);
	got += 2048;
	assert_memory_equal(got, b, 12);
	assert_memory_equal(got + 12, "\x81\x00\x01\x23\x88\xb5", 6);
	assert_memory_equal(got + 18, b + 14, 46);

	/* who strips tags finds it in the descriptor */
	ringrig_write(rig, 1, R_CTRL, 1u << 30);
	ringrig_desc(rig, 0, RIG_TXBUF,
		     60 | UINT64_C(0x4b) << 24 | UINT64_C(0x0123) << 48);
	ringrig_bell(rig, 0);
	assert_memory_equal(got + 2048, b, 60);
	got = rig->sim.mem[1] + RIG_RX + 2 * 16;
	assert_int_equal(got[12] & 0x08, 0x08); /* VP */
	assert_int_equal(got[14] | got[15] << 8, 0x0123);
	ringrig_close(rig);
	free(rig);
}

/* ---- hidden state: an offload context that is never given again ---- */

struct sums {
	unsigned int good, bad;
};

/* Byte 20 of these frames says where the sum belongs; it must be right. */
static void check_sum(void *ctx, const uint8_t *frame, size_t len)
{
	struct sums *s = ctx;
	unsigned int from = frame[20], i;
	uint32_t sum = 0;

	for (i = from; i + 1 < len; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	if (i < len)
		sum += (uint32_t)frame[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	if (sum == 0xffff)
		s->good++;
	else
		s->bad++;
}

/* A data descriptor with TXSM, whose context says from where to where. */
static void post_sum(struct ringrig *rig, unsigned int g, unsigned int from)
{
	struct ringguest *guest = &rig->guest[g];
	uint32_t at = RIG_TXBUF + guest->tail * 2048;
	uint8_t *b = rig->sim.mem[g] + at;

	memset(b, (int)(guest->sent * 13 + g), 200);
	memcpy(b, outside, 6);
	sim_rig_mac(g, b + 6);
	b[20] = (uint8_t)from;
	b[from] = b[from + 1] = 0; /* where the sum goes */
	/* DEXT, IFCS, RS, EOP; DTYP 1; POPTS TXSM */
	ringrig_desc(rig, g, at,
		     200 | UINT64_C(1) << 20 | UINT64_C(0x2b) << 24 |
			     UINT64_C(2) << 40);
	guest->sent++;
}

static void contexts(void **state)
{
	static const unsigned int from[] = { 34, 40, 54 };
	struct dmm_conf conf = conf_of(DMM_MERGE, 3);
	struct ringrig *rig = malloc(sizeof(*rig));
	struct sums s = { .good = 0 };
	unsigned int i, g;

	(void)state;
	ringrig_open(rig, &conf, 0, false);
	rig->sim.transmit = check_sum;
	rig->sim.ctx = &s;
	for (g = 0; g < 3; g++) /* TUCSS, TUCSO; DEXT, IFCS, RS */
		ringrig_desc(rig, g,
			     (uint64_t)from[g] << 32 | (uint64_t)from[g] << 40,
			     UINT64_C(0x2a) << 24);
	for (i = 0; i < 999; i++) {
		g = i % 3;
		post_sum(rig, g, from[g]);
		ringrig_bell(rig, g);
		ringrig_run(rig, 100000);
	}
	assert_int_equal(s.good, 999);
	assert_int_equal(s.bad, 0);
	ringrig_close(rig);

	/* without the replay a neighbour's context is used */
	conf.without = DMM_WITHOUT_STICKY;
	s = (struct sums){ .good = 0 };
	ringrig_open(rig, &conf, 0, false);
	rig->sim.transmit = check_sum;
	rig->sim.ctx = &s;
	for (g = 0; g < 3; g++)
		ringrig_desc(rig, g,
			     (uint64_t)from[g] << 32 | (uint64_t)from[g] << 40,
			     UINT64_C(0x2a) << 24);
	for (i = 0; i < 30; i++) {
		post_sum(rig, i % 3, from[i % 3]);
		ringrig_bell(rig, i % 3);
		ringrig_run(rig, 100000);
	}
	assert_true(s.bad > 0);
	ringrig_close(rig);
	free(rig);
}

/* A device that gives nothing back is reset; nobody waits for ever. */
static void stuck(void **state)
{
	struct dmm_conf conf = conf_of(DMM_MERGE, 2);
	struct ringrig *rig = malloc(sizeof(*rig));
	struct wire w = { .strange = 0 };
	struct dmm_stats stats;

	(void)state;
	ringrig_open(rig, &conf, 0, false);
	rig->sim.transmit = on_wire;
	rig->sim.ctx = &w;
	ringrig_post(rig, 0, outside, 0, 100);
	sim_e1000.bus_master(rig->sim.card, false); /* as a broken bus */
	ringrig_bell(rig, 0);
	ringrig_run(rig, 1000);
	if (w.frames[0] == 0) {
		rig->sim.due = SIM_NEVER;
		rig->sim.clock += 600000000;
		sim_e1000.bus_master(rig->sim.card, true);
		dmm_tick(rig->sim.dmm);
	}
	ringrig_post(rig, 1, outside, 0, 100);
	ringrig_bell(rig, 1);
	ringrig_run(rig, 1000000);
	dmm_stats(rig->sim.dmm, &stats);
	assert_int_equal(w.frames[1], 1);
	assert_true(ringrig_room(rig, 0));
	assert_string_equal(dmm_state(rig->sim.dmm, 0, "tx"), "idle");
	ringrig_close(rig);
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares),
		cmocka_unit_test(late),
		cmocka_unit_test(merge_turns),
		cmocka_unit_test(lease_turns),
		cmocka_unit_test(siblings),
		cmocka_unit_test(idle_again),
		cmocka_unit_test(poll_interrupts),
		cmocka_unit_test(tags),
		cmocka_unit_test(contexts),
		cmocka_unit_test(stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
