// SPDX-License-Identifier: MIT
/*
 * attack_frame.c: attacks by what is sent: forged sources, frames without an
 * end, tags, and descriptors changed after they were checked.
 */

#include "attack.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/sim_e1000.h"

#define SPOOFED \
	.told = true, .offence = DMM_SPOOFED, .who = "txRing", .line = "txRing:"
#define REFUSED \
	.told = true, .offence = DMM_REFUSED, .who = "txRing", .line = "txRing:"
#define SOURCE .without = DMM_WITHOUT_SOURCE
#define RACE_ROUNDS 1500u
#define RACE_MAX 200000

/* ---- sources ---- */

enum { OF_NEIGHBOUR, OF_THIRD, OF_CARD, OF_ALL, OF_GROUP, OF_NOBODY, OF_OWN };

static void source(struct rig *rig, uint8_t mac[6])
{
	static const uint8_t card[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

	memset(mac, 0, 6);
	switch (rig->c->arg) {
	case OF_NEIGHBOUR:
	case OF_THIRD:
		memcpy(mac, rig->guest[NEIGHBOUR + rig->c->arg].mac, 6);
		break;
	case OF_CARD:
		memcpy(mac, card, 6);
		break;
	case OF_ALL:
		memset(mac, 0xff, 6);
		break;
	case OF_GROUP:
		memcpy(mac, rig->guest[HOSTILE].mac, 6);
		mac[0] |= 1;
		break;
	case OF_OWN:
		memcpy(mac, rig->guest[HOSTILE].mac, 6);
		break;
	}
}

static void forged(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		nic_frame(rig, TX_BUFS, 100);
		source(rig, nic_mem(rig, HOSTILE, TX_BUFS + 6));
		nic_desc(rig, HOSTILE, TX_BUFS, 100 | D_ONE | (i ? D_DATA : 0),
			 0);
		nic_bell(rig, HOSTILE);
	}
}

/* (len) bytes of the head by descriptors of (at) bytes each, then the rest. */
static void split(struct rig *rig)
{
	uint32_t step = (uint32_t)rig->c->at, n = (uint32_t)rig->c->len, i;

	nic_frame(rig, TX_BUFS, 100);
	source(rig, nic_mem(rig, HOSTILE, TX_BUFS + 6));
	for (i = 0; i < n; i += step)
		nic_desc(rig, HOSTILE, TX_BUFS + i, step | D_DATA, 0);
	nic_desc(rig, HOSTILE, TX_BUFS + i, (100 - i) | D_DATA | D_ONE, 0);
	nic_bell(rig, HOSTILE);
}

/* The same with descriptors of no length, and buffers anywhere, between. */
static void split_empty(struct rig *rig)
{
	uint32_t i;

	nic_frame(rig, TX_BUFS, 100);
	source(rig, nic_mem(rig, HOSTILE, TX_BUFS + 6));
	for (i = 0; i < 20; i++) {
		nic_desc(rig, HOSTILE, AT_NEIGHBOUR(rig), D_DATA, 0);
		nic_desc(rig, HOSTILE, TX_BUFS + i, 1 | D_DATA, 0);
	}
	nic_desc(rig, HOSTILE, TX_BUFS + i, (100 - i) | D_DATA | D_ONE, 0);
	nic_bell(rig, HOSTILE);
}

/* In pieces from both of its memories. */
static void scattered(struct rig *rig)
{
	uint8_t *high = nic_mem(rig, HOSTILE, MEM_HIGH_BASE + HIGH_SIZE - 7);

	nic_frame(rig, TX_BUFS, 100);
	source(rig, nic_mem(rig, HOSTILE, TX_BUFS + 6));
	memcpy(high, nic_mem(rig, HOSTILE, TX_BUFS), 7);
	nic_desc(rig, HOSTILE, MEM_HIGH_BASE + HIGH_SIZE - 7, 7 | D_DATA, 0);
	nic_desc(rig, HOSTILE, TX_BUFS + 7, 93 | D_DATA | D_ONE, 0);
	nic_bell(rig, HOSTILE);
	attack_settle(rig);
	memset(high, MARK_H, 7);
}

static void short_frames(struct rig *rig)
{
	uint32_t len;

	nic_frame(rig, TX_BUFS, 100);
	memcpy(nic_mem(rig, HOSTILE, TX_BUFS + 6), rig->guest[NEIGHBOUR].mac,
	       6);
	for (len = 0; len < 14; len++)
		nic_desc(rig, HOSTILE, TX_BUFS, len | D_ONE, 0);
	nic_bell(rig, HOSTILE);
}

/* ---- whole frames ---- */

static void no_end(struct rig *rig)
{
	nic_frame(rig, TX_BUFS, 100);
	nic_desc(rig, HOSTILE, TX_BUFS, 40 | D_RS | D_IFCS, 0);
	nic_bell(rig, HOSTILE);
	attack_settle(rig);
	nic_neighbour_out(rig);
}

static void no_end_reset(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		no_end(rig);
		nic_start(rig, HOSTILE);
	}
}

/* (arg) descriptors without an end, of (len) bytes each. */
static void no_end_many(struct rig *rig)
{
	uint32_t i, len = (uint32_t)rig->c->len;

	nic_frame(rig, TX_BUFS, 4096);
	for (i = 0; i < rig->c->arg; i++) {
		nic_desc(rig, HOSTILE, TX_BUFS, len | D_DATA | D_RS | D_IFCS,
			 0);
		nic_bell(rig, HOSTILE);
	}
	attack_settle(rig);
	nic_neighbour_out(rig);
}

static void unknown(struct rig *rig)
{
	uint32_t type;

	nic_frame(rig, TX_BUFS, 100);
	for (type = 2; type < 16; type++)
		nic_desc(rig, HOSTILE, TX_BUFS,
			 100 | D_ONE | D_DEXT | type << 20, 0);
	nic_bell(rig, HOSTILE);
}

/* ---- what was checked, changed ---- */

/* The source, after the doorbell: the card was not told yet. */
static void change_source(struct rig *rig)
{
	attack_stall(rig, R_TDT);
	nic_send(rig, TX_BUFS, 100);
	attack_turn(rig);
	source(rig, nic_mem(rig, HOSTILE, TX_BUFS + 6));
}

static void give_many(struct rig *rig, unsigned int n)
{
	unsigned int i;

	nic_frame(rig, TX_BUFS, 4000);
	for (i = 0; i < n; i++)
		nic_desc(rig, HOSTILE, TX_BUFS, 4000 | D_DATA | D_ONE, 0);
	nic_bell(rig, HOSTILE);
}

/* Descriptors that wait in the monitor for room, while the card is slow. */
static void change_waiting(struct rig *rig)
{
	uint8_t *ring = rig->guest[HOSTILE].host + TX_RING;
	uint64_t bad = attack_at(rig);
	unsigned int i;

	attack_stall(rig, R_TDT);
	give_many(rig, 40);
	attack_turn(rig);
	for (i = 0; i < 40; i++)
		memcpy(ring + i * 16, &bad, sizeof(bad));
}

/* The same for what the card has been given. */
static void change_given(struct rig *rig)
{
	uint8_t *ring = rig->guest[HOSTILE].host + TX_RING;
	uint64_t bad = attack_at(rig);

	attack_stall(rig, R_TDT);
	nic_send(rig, TX_BUFS, 100);
	attack_turn(rig);
	memcpy(ring, &bad, sizeof(bad));
	ring[8] = 0xff;
}

struct race {
	atomic_bool stop;
	_Atomic uint64_t *word;
	uint64_t good, bad;
	atomic_uint flips;
};

static void *flip(void *arg)
{
	struct race *r = arg;

	while (!atomic_load(&r->stop)) {
		atomic_store(r->word, r->bad);
		atomic_store(r->word, r->good);
		atomic_fetch_add(&r->flips, 1);
	}
	return NULL;
}

/* A second processor changes (word) while the first rings the doorbell. */
static void race(struct rig *rig, struct race *r)
{
	uint8_t *ring = rig->guest[HOSTILE].host + TX_RING;
	pthread_t other;
	unsigned int i, flips = 0;

	if (pthread_create(&other, NULL, flip, r))
		abort();
	/* on a busy machine the other may not run for a while */
	/* nor see the one value and then the other */
	for (i = 0; i < RACE_ROUNDS ||
		    (i < RACE_MAX &&
		     (flips < RACE_ROUNDS ||
		      (rig->c->told && !rig->reports && !rig->conf.without)));
	     i++) {
		if (flips == atomic_load(&r->flips))
			sched_yield();
		flips = atomic_load(&r->flips);
		nic_bell(rig, HOSTILE);
		rig->guest[HOSTILE].tx = (rig->guest[HOSTILE].tx + 1) % 64;
		if (i % 50 == 49)
			attack_settle(rig);
		if (i % 500 == 499)
			nic_neighbour_out(rig);
	}
	atomic_store(&r->stop, true);
	pthread_join(other, NULL);
	memset(ring, 0, 64 * 16);
}

/* All descriptors are one, and its address is good and bad in turn. */
static void race_address(struct rig *rig)
{
	uint8_t *ring = rig->guest[HOSTILE].host + TX_RING;
	uint64_t d[2] = { TX_BUFS, 400 | D_DATA | D_ONE };
	struct race r = { .good = TX_BUFS, .bad = attack_at(rig) };
	unsigned int i;

	nic_frame(rig, TX_BUFS, 400);
	for (i = 0; i < 64; i++) {
		memcpy(ring + i * 16, d, sizeof(d));
		/* a good head, and a tail that changes */
		if (i & 1)
			continue;
		d[1] = 64 | D_DATA;
		memcpy(ring + i * 16, d, sizeof(d));
		d[1] = 400 | D_DATA | D_ONE;
	}
	r.word = (_Atomic uint64_t *)(void *)(ring + 16 * 33);
	race(rig, &r);
}

static void race_source(struct rig *rig)
{
	uint8_t *ring = rig->guest[HOSTILE].host + TX_RING;
	uint64_t d[2] = { TX_BUFS + 2, 400 | D_ONE };
	uint8_t own[8] = { 0 }, other[8] = { 0 };
	struct race r = { .good = 0 };
	unsigned int i;

	/* so that the source is in one word that can be changed at once */
	nic_frame(rig, TX_BUFS + 2, 400);
	memcpy(own, nic_mem(rig, HOSTILE, TX_BUFS + 8), 8);
	memcpy(other, own, 8);
	memcpy(other, rig->guest[NEIGHBOUR].mac, 6);
	memcpy(&r.good, own, 8);
	memcpy(&r.bad, other, 8);
	for (i = 0; i < 64; i++)
		memcpy(ring + i * 16, d, sizeof(d));
	r.word = (_Atomic uint64_t *)(void *)nic_mem(rig, HOSTILE, TX_BUFS + 8);
	race(rig, &r);
}

/* ---- tags ---- */

static void tagged(struct rig *rig)
{
	uint32_t vme = rig->c->arg ? CTRL_VME : 0;

	nic_write(rig, HOSTILE, R_CTRL, CTRL_SLU | vme);
	nic_frame(rig, TX_BUFS, 100);
	nic_desc(rig, HOSTILE, TX_BUFS, 100 | D_ONE | D_VLE, 5 << 16);
	nic_desc(rig, HOSTILE, TX_BUFS, 100 | D_ONE | D_VLE | D_DATA, 5 << 16);
	nic_bell(rig, HOSTILE);
	attack_settle(rig);
	attack_wire_judge(rig);
	if (vme && (rig->last[12] != 0x81 || rig->last[15] != 5))
		attack_bad(rig, "a tag that was asked for is not there");
}

static void tagged_twice(struct rig *rig)
{
	uint8_t *p = nic_mem(rig, HOSTILE, TX_BUFS);

	nic_write(rig, HOSTILE, R_CTRL, CTRL_SLU | CTRL_VME);
	nic_frame(rig, TX_BUFS, 100);
	memcpy(p + 12, "\x81\0\0\x07\x81\0\0\x09\x88\xb5", 10);
	nic_desc(rig, HOSTILE, TX_BUFS, 100 | D_ONE | D_VLE, 5 << 16);
	nic_bell(rig, HOSTILE);
}

/* ---- to siblings ---- */

static void to_sibling(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		nic_frame(rig, TX_BUFS, 100);
		memcpy(nic_mem(rig, HOSTILE, TX_BUFS),
		       rig->guest[NEIGHBOUR].mac, 6);
		source(rig, nic_mem(rig, HOSTILE, TX_BUFS + 6));
		nic_desc(rig, HOSTILE, TX_BUFS, 100 | D_ONE, 0);
		nic_bell(rig, HOSTILE);
	}
}

/* More for a sibling than the monitor holds, by one doorbell. */
static void flood(struct rig *rig)
{
	struct seat *s = &rig->guest[HOSTILE];
	uint64_t d[2] = { TX_BUFS, 100 | D_ONE };
	uint32_t n = 2048, i;

	nic_frame(rig, TX_BUFS, 100);
	memcpy(nic_mem(rig, HOSTILE, TX_BUFS), rig->guest[THIRD].mac, 6);
	nic_write(rig, HOSTILE, R_TCTL, 0);
	for (i = 0; i < n; i++)
		memcpy(s->host + 0x70000 + i * 16, d, sizeof(d));
	nic_ring(rig, HOSTILE, 0x70000, n * 16);
	nic_write(rig, HOSTILE, R_TCTL, TCTL_EN);
	nic_write(rig, HOSTILE, R_TDT, n - 1);
	attack_settle(rig);
	if (nic_read(rig, HOSTILE, R_TDH) != n - 1)
		attack_bad(rig, "it stands still at %u of %u",
			   nic_read(rig, HOSTILE, R_TDH), n - 1);
}

static const struct attack_case cases[] = {
	{ CASE("the neighbour's source", EVERYWHERE, forged), SPOOFED, SOURCE,
	  .arg = OF_NEIGHBOUR, .may = WIRE_NONE },
	{ CASE("the third's source", EVERYWHERE, forged), SPOOFED, SOURCE,
	  .arg = OF_THIRD, .may = WIRE_NONE },
	{ CASE("the card's source", EVERYWHERE, forged), SPOOFED, SOURCE,
	  .arg = OF_CARD, .may = WIRE_NONE },
	{ CASE("everybody's source", EVERYWHERE, forged), SPOOFED, SOURCE,
	  .arg = OF_ALL, .may = WIRE_NONE },
	{ CASE("its own source as a group's", EVERYWHERE, forged), SPOOFED,
	  SOURCE, .arg = OF_GROUP, .may = WIRE_NONE },
	{ CASE("a source of zeros", EVERYWHERE, forged), SPOOFED, SOURCE,
	  .arg = OF_NOBODY, .may = WIRE_NONE },
	{ CASE("a forged source, the head byte by byte", EVERYWHERE, split),
	  SPOOFED, SOURCE, .at = 1, .len = 30, .arg = OF_NEIGHBOUR,
	  .may = WIRE_NONE },
	{ CASE("a forged source in two halves", EVERYWHERE, split), SPOOFED,
	  SOURCE, .at = 9, .len = 9, .arg = OF_NEIGHBOUR, .may = WIRE_NONE },
	{ CASE("a forged source behind six bytes", EVERYWHERE, split), SPOOFED,
	  SOURCE, .at = 6, .len = 6, .arg = OF_NEIGHBOUR, .may = WIRE_NONE },
	{ CASE("its own source, the head byte by byte", EVERYWHERE, split),
	  .at = 1, .len = 30, .arg = OF_OWN, .may = WIRE_SOME },
	{ CASE("its own source, 17 bytes and the rest", EVERYWHERE, split),
	  .at = 17, .len = 17, .arg = OF_OWN, .may = WIRE_SOME },
	{ CASE("a forged source between empty descriptors", EVERYWHERE,
	       split_empty),
	  SPOOFED, SOURCE, .arg = OF_NEIGHBOUR, .may = WIRE_NONE },
	{ CASE("its own source between empty descriptors", EVERYWHERE,
	       split_empty),
	  .arg = OF_OWN, .may = WIRE_SOME },
	{ CASE("a forged source from two memories", EVERYWHERE, scattered),
	  SPOOFED, SOURCE, .arg = OF_NEIGHBOUR, .may = WIRE_NONE },
	{ CASE("its own source from two memories", EVERYWHERE, scattered),
	  .arg = OF_OWN, .may = WIRE_SOME },
	{ CASE("frames too short to have a source", EVERYWHERE, short_frames),
	  .may = WIRE_NONE },
	{ CASE("forged, by policy abort", ON_SIM | IN_ALL, forged), SPOOFED,
	  SOURCE, .arg = OF_NEIGHBOUR, .may = WIRE_NONE, .policy = DMM_ABORT },
	{ CASE("forged, by policy stop", ON_SIM | IN_ALL, forged), SPOOFED,
	  SOURCE, .arg = OF_NEIGHBOUR, .may = WIRE_NONE,
	  .policy = DMM_POLICY_STOP },

	{ CASE("a frame without its end", EVERYWHERE, no_end), .may = WIRE_NONE,
	  .without = DMM_WITHOUT_WHOLE },
	{ CASE("frames without their end, and resets", EVERYWHERE,
	       no_end_reset),
	  .may = WIRE_NONE, .without = DMM_WITHOUT_WHOLE },
	{ CASE("63 descriptors without an end", EVERYWHERE, no_end_many),
	  .arg = 63, .len = 60, .may = WIRE_NONE,
	  .without = DMM_WITHOUT_WHOLE },
	{ CASE("200 descriptors without an end", EVERYWHERE, no_end_many),
	  REFUSED, .arg = 200, .len = 60, .may = WIRE_NONE,
	  .without = DMM_WITHOUT_WHOLE },
	{ CASE("300 KiB without an end", EVERYWHERE, no_end_many), REFUSED,
	  .arg = 60, .len = 0x2000, .may = WIRE_NONE,
	  .without = DMM_WITHOUT_WHOLE },
	{ CASE("descriptors of types that are none", EVERYWHERE, unknown),
	  REFUSED, .may = WIRE_NONE },

	{ CASE("the source changed after the doorbell", EVERYWHERE,
	       change_source),
	  .arg = OF_NEIGHBOUR, .may = WIRE_SOME },
	{ CASE("what waits for room changed to the neighbour's", EVERYWHERE,
	       change_waiting),
	  .at = ON_NEIGHBOUR, .may = WIRE_SOME | WIRE_PURE,
	  .without = DMM_WITHOUT_SHADOW },
	{ CASE("what waits for room changed to the monitor's", EVERYWHERE,
	       change_waiting),
	  .at = ON_AREA, .may = WIRE_SOME | WIRE_PURE,
	  .without = DMM_WITHOUT_SHADOW },
	{ CASE("what is in the card changed to the neighbour's", EVERYWHERE,
	       change_given),
	  .at = ON_NEIGHBOUR, .may = WIRE_SOME | WIRE_PURE },
	{ CASE("a second processor changes addresses", EVERYWHERE,
	       race_address),
	  REFUSED, .at = ON_NEIGHBOUR, .may = MAY_TELL | WIRE_SOME,
	  .without = DMM_WITHOUT_BUFFER },
	{ CASE("a second processor changes sources", EVERYWHERE, race_source),
	  SPOOFED, SOURCE, .may = MAY_TELL | WIRE_SOME },

	{ CASE("a tag with VME off", EVERYWHERE, tagged), .may = WIRE_SOME },
	{ CASE("a tag with VME on", EVERYWHERE, tagged), .arg = 1,
	  .may = WIRE_SOME | WIRE_TAGGED },
	{ CASE("three tags", EVERYWHERE, tagged_twice),
	  .may = WIRE_SOME | WIRE_TAGGED },
	{ CASE("a sibling's frame with the sibling's source", EVERYWHERE,
	       to_sibling),
	  SPOOFED, SOURCE, .arg = OF_NEIGHBOUR, .may = WIRE_NONE },
	{ CASE("frames for a sibling", EVERYWHERE, to_sibling), .arg = OF_OWN,
	  .may = WIRE_NONE | MAY_REACH },
	{ CASE("a flood for a sibling", EVERYWHERE, flood),
	  .may = WIRE_NONE | MAY_REACH },
};

const struct attack_table attack_frame_table = { &attack_e1000, cases,
						 ARRAY_LEN(cases) };
