// SPDX-License-Identifier: MIT
/*
 * attack_rx.c: attacks by what is received: a receive ring or its buffers in
 * other memory, buffers that grow or move after they were given, and filters
 * for what is not the guest's to hear.
 */

#include "attack.h"

#include <string.h>

#include "vmm/sim_e1000.h"

#define REFUSED \
	.told = true, .offence = DMM_REFUSED, .who = "rxRing", .line = "rxRing:"
#define RING_BITS .without = DMM_WITHOUT_RING
#define BUFFER_BITS .without = DMM_WITHOUT_BUFFER
#define FILTER .without = DMM_WITHOUT_FILTER
#define HIGH_END (MEM_HIGH_BASE + HIGH_SIZE)
#define TOP UINT64_C(0xffffffffffffff80)
#define LISTEN (RCTL_EN | RCTL_BAM | RCTL_SECRC)
#define SLOW_NS UINT64_C(10000000)

/* Frames from the wire for the hostile guest, of (len) bytes. */
static void wire_to(struct rig *rig, const uint8_t to[6], size_t len,
		    unsigned int n)
{
	uint8_t frame[WIRE_MAX];

	memset(frame, 'W', sizeof(frame));
	memcpy(frame, to, 6);
	memcpy(frame + 6, attack_outside, 6);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	while (n--) {
		attack_wire_send(rig, frame, len);
		attack_turn(rig);
	}
	attack_settle(rig);
}

static void wire_to_hostile(struct rig *rig)
{
	wire_to(rig, rig->guest[HOSTILE].mac, 300, 3);
}

static void rx_desc(struct rig *rig, unsigned int i, uint64_t at)
{
	uint8_t *d = rig->guest[HOSTILE].host + RX_RING + i * DESC_LEN;

	memcpy(d, &at, sizeof(at));
	memset(d + 8, 0, 8);
}

/* The receiver off; a ring of (len) bytes at (base), (tail) given; on. */
static void rx_ring(struct rig *rig, uint64_t base, uint32_t len, uint32_t tail,
		    uint32_t rctl)
{
	nic_write(rig, HOSTILE, R_RCTL, 0);
	nic_write(rig, HOSTILE, R_RDBAL, (uint32_t)base);
	nic_write(rig, HOSTILE, R_RDBAH, (uint32_t)(base >> 32));
	nic_write(rig, HOSTILE, R_RDLEN, len);
	nic_write(rig, HOSTILE, R_RDH, 0);
	nic_write(rig, HOSTILE, R_RDT, tail);
	nic_write(rig, HOSTILE, R_RCTL, rctl);
}

static void ring(struct rig *rig)
{
	rx_ring(rig, attack_at(rig), (uint32_t)rig->c->len,
		(uint32_t)rig->c->arg, LISTEN);
	wire_to_hostile(rig);
}

static void tail(struct rig *rig)
{
	nic_write(rig, HOSTILE, R_RDT, (uint32_t)rig->c->arg);
	wire_to_hostile(rig);
}

/* A bad buffer given when the receiver runs, behind good ones. */
static void buffer(struct rig *rig)
{
	rx_ring(rig, RX_RING, 64 * DESC_LEN, 8, LISTEN);
	rx_desc(rig, 8, attack_at(rig));
	nic_write(rig, HOSTILE, R_RDT, 9);
	wire_to_hostile(rig);
	wire_to_hostile(rig);
	wire_to_hostile(rig);
}

/* A bad buffer given before the receiver is on. */
static void buffer_first(struct rig *rig)
{
	rx_desc(rig, 5, attack_at(rig));
	rx_ring(rig, RX_RING, 64 * DESC_LEN, 10, LISTEN);
	wire_to_hostile(rig);
}

static void spoil(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 64; i++)
		rx_desc(rig, i, attack_at(rig));
}

/* Good ones, changed after they were given: frames, and a sibling's, come. */
static void buffer_late(struct rig *rig)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };

	spoil(rig);
	wire_to_hostile(rig);
	wire_to(rig, all, 100, 2);
}

static void buffer_late_sibling(struct rig *rig)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };

	spoil(rig);
	nic_neighbour_to(rig, all);
	nic_neighbour_to(rig, all);
	nic_read(rig, HOSTILE, R_ICR);
}

/* The ring itself, behind its check: its last pages are not there. */
static void ring_late(struct rig *rig)
{
	wire_to_hostile(rig);
	nic_write(rig, HOSTILE, R_RDLEN, 0xfff80);
	nic_write(rig, HOSTILE, R_RDT, 0xfff7);
	wire_to_hostile(rig);
}

/* Buffers at the very end of memory, given when they were of 256 bytes. */
static void grow(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 64; i++)
		rx_desc(rig, i, LOW_SIZE - 256);
	rx_ring(rig, RX_RING, 64 * DESC_LEN, 40,
		LISTEN | RCTL_LPE | 3u << RCTL_BSIZE_AT);
	wire_to(rig, rig->guest[HOSTILE].mac, 200, 1);
	nic_write(rig, HOSTILE, R_RCTL, (uint32_t)rig->c->arg);
	wire_to(rig, rig->guest[HOSTILE].mac, 1500, 3);
}

static void jumbo(struct rig *rig)
{
	rx_ring(rig, RX_RING, 64 * DESC_LEN, 63, (uint32_t)rig->c->arg);
	wire_to(rig, rig->guest[HOSTILE].mac, 9000, 3);
	wire_to(rig, rig->guest[HOSTILE].mac, 1515, 3);
}

/* ---- filters ---- */

static void neighbour_hears(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		attack_in(rig);
		nic_neighbour_out(rig);
	}
}

static void promiscuous(struct rig *rig)
{
	nic_write(rig, HOSTILE, R_RCTL,
		  LISTEN | RCTL_UPE | RCTL_MPE | RCTL_SBP | RCTL_LPE);
	neighbour_hears(rig);
	if (rig->c->mirror &&
	    !memmem(rig->guest[HOSTILE].host, LOW_SIZE, "NNNNNNNN", 8))
		attack_bad(rig, "with mirror, it does not see the frames");
}

static void other_addresses(struct rig *rig)
{
	const uint8_t *mac = rig->guest[NEIGHBOUR].mac;
	uint32_t low, high = RAH_AV, i;

	memcpy(&low, mac, 4);
	high |= mac[4] | (uint32_t)mac[5] << 8;
	for (i = 0; i < 16; i++) {
		nic_write(rig, HOSTILE, R_RAL + 8 * i, low);
		nic_write(rig, HOSTILE, R_RAH + 8 * i,
			  high | (i & 1 ? RAH_ASEL_SOURCE : 0));
	}
	neighbour_hears(rig);
	for (i = 0; i < 16; i++) /* by their old addresses, too */
		nic_write(rig, HOSTILE, 0x40 + 4 * i, i & 1 ? high : low);
	neighbour_hears(rig);
}

static void all_tables(struct rig *rig)
{
	uint32_t i, offset;

	for (offset = 0; offset < 4; offset++) {
		for (i = 0; i < 128; i++) {
			nic_write(rig, HOSTILE, R_MTA + 4 * i, 0xffffffff);
			nic_write(rig, HOSTILE, R_VFTA + 4 * i, 0xffffffff);
		}
		nic_write(rig, HOSTILE, R_RCTL,
			  LISTEN | RCTL_VFE | RCTL_MPE | offset << RCTL_MO_AT);
		attack_in(rig);
	}
}

/* PAUSE frames by the card's address and type: those of the neighbour. */
static void pause_type(struct rig *rig)
{
	const uint8_t *mac = rig->guest[NEIGHBOUR].mac;
	uint32_t low;

	memcpy(&low, mac, 4);
	nic_write(rig, HOSTILE, R_CTRL, CTRL_SLU | CTRL_RFCE | CTRL_TFCE);
	nic_write(rig, HOSTILE, R_FCAL, low);
	nic_write(rig, HOSTILE, R_FCAH, mac[4] | (uint32_t)mac[5] << 8);
	nic_write(rig, HOSTILE, R_FCT, 0x0800);
	nic_write(rig, HOSTILE, R_RCTL, LISTEN | RCTL_DPF | RCTL_PMCF);
	neighbour_hears(rig);
}

/* ---- together ---- */

/* The device has no descriptor left to receive into. */
static void wait_full(struct rig *rig)
{
	uint64_t end = attack_now(rig) + 1000000000u;

	while (attack_now(rig) < end &&
	       rig->ops->read(rig->be, 0, R_RDH, 4) !=
		       rig->ops->read(rig->be, 0, R_RDT, 4))
		attack_settle(rig);
	attack_settle(rig);
}

/*
 * A long frame for the neighbour is half in the monitor's ring when the
 * hostile guest sends one to all: they do not mix.
 */
static void two_halves(struct rig *rig)
{
	struct seat *s = &rig->guest[NEIGHBOUR];
	static const uint8_t nobody[6] = { 0x52, 0x54, 0, 9, 9, 9 };
	uint8_t *d = s->host + RX_RING + s->rx * DESC_LEN;
	const uint8_t *p = s->host + RX_BUFS + s->rx * 2048;
	unsigned int i;

	nic_write(rig, NEIGHBOUR, R_RCTL, LISTEN | RCTL_LPE);
	attack_stall(rig, R_RDT);
	/* all descriptors of the device but one */
	wire_to(rig, nobody, 60, 254);
	wire_to(rig, s->mac, 4000, 1);
	wait_full(rig);
	nic_frame(rig, TX_BUFS, 1500);
	memset(nic_mem(rig, HOSTILE, TX_BUFS), 0xff, 6);
	nic_desc(rig, HOSTILE, TX_BUFS, 1500 | D_ONE, 0);
	nic_bell(rig, HOSTILE);
	attack_release(rig);
	attack_settle(rig);
	if (p[0] == 0xff) { /* the other came first, as it should */
		d += DESC_LEN;
		p += 2048;
	}
	if (!(d[12] & 1) || !(d[DESC_LEN + 12] & 1))
		attack_bad(rig, "the neighbour's long frame does not come");
	for (i = 14; i < 4000; i++)
		if (p[i] != 'W')
			attack_bad(rig,
				   "byte %u of the neighbour's frame is 0x%02x",
				   i, p[i]);
	for (i = 0; i < 3; i++)
		memset(s->host + RX_RING + (s->rx + i) * DESC_LEN + 8, 0, 8);
	memset(s->host + RX_BUFS, 0, 64 * 2048);
	s->rx += 3;
}

/* The neighbour waits for the monitor no longer than a moment. */
static void huge_ring(struct rig *rig)
{
	uint64_t at = 0x100, start, ns;
	uint8_t *p = rig->guest[HOSTILE].host;
	unsigned int i;

	for (i = 0; i < 0xfff80; i += 16) {
		memcpy(p + i, &at, sizeof(at));
		memset(p + i + 8, 0, 8);
	}
	start = attack_now(rig);
	rx_ring(rig, 0, 0xfff80, 0xfff0, LISTEN);
	for (i = 0; i < 10; i++)
		nic_write(rig, HOSTILE, R_RDT, 0xfff0 - i);
	ns = (attack_now(rig) - start) / 11;
	if (ns > SLOW_NS)
		attack_bad(rig, "a doorbell takes %u us",
			   (unsigned int)(ns / 1000));
	wire_to_hostile(rig);
}

static const struct attack_case cases[] = {
	{ CASE("a receive ring at the neighbour's device address", EVERYWHERE,
	       ring),
	  REFUSED, RING_BITS, .at = ON_NEIGHBOUR, .len = 256, .arg = 8 },
	{ CASE("a receive ring in the monitor's area", EVERYWHERE, ring),
	  REFUSED, RING_BITS, .at = ON_AREA, .len = 256, .arg = 8 },
	{ CASE("a receive ring in a BAR", EVERYWHERE, ring), REFUSED, RING_BITS,
	  .at = 0xe0000000, .len = 256, .arg = 8 },
	{ CASE("a receive ring across the end of low memory", EVERYWHERE, ring),
	  REFUSED, RING_BITS, .at = LOW_SIZE - 128, .len = 256, .arg = 8 },
	{ CASE("a receive ring across the end of high memory", EVERYWHERE,
	       ring),
	  REFUSED, RING_BITS, .at = HIGH_END - 128, .len = 256, .arg = 8 },
	{ CASE("a receive ring across 2^64", EVERYWHERE, ring), REFUSED,
	  RING_BITS, .at = TOP, .len = 256, .arg = 12 },
	{ CASE("a receive ring longer than memory", EVERYWHERE, ring), REFUSED,
	  RING_BITS, .at = RX_RING, .len = 0xfff80, .arg = 8 },
	{ CASE("a receive ring of length 0, and a tail", EVERYWHERE, ring),
	  REFUSED, RING_BITS, .at = RX_RING, .len = 0, .arg = 1 },
	{ CASE("a receive ring of length 0 at rest", EVERYWHERE, ring),
	  .at = RX_RING, .len = 0, .arg = 0 },
	{ CASE("the receive tail is the count", EVERYWHERE, tail), REFUSED,
	  RING_BITS, .arg = 64 },
	{ CASE("the receive tail is 0xffff", EVERYWHERE, tail), REFUSED,
	  RING_BITS, .arg = 0xffff },
	{ CASE("a receive ring that grows while it is used", EVERYWHERE,
	       ring_late),
	  .told = true, .offence = DMM_DENIED, .who = "RDLEN",
	  .line = "write RDBAL RDBAH RDLEN RDH, then: deny", .may = MAY_TELL },

	{ CASE("a receive buffer at the neighbour's device address", EVERYWHERE,
	       buffer),
	  REFUSED, BUFFER_BITS, .at = ON_NEIGHBOUR },
	{ CASE("a receive buffer at the third's", EVERYWHERE, buffer), REFUSED,
	  BUFFER_BITS, .at = ON_THIRD },
	{ CASE("a receive buffer in the monitor's area", EVERYWHERE, buffer),
	  REFUSED, BUFFER_BITS, .at = ON_AREA },
	{ CASE("a receive buffer in a BAR", EVERYWHERE, buffer), REFUSED,
	  BUFFER_BITS, .at = 0xe0000000 },
	{ CASE("a receive buffer across the end of low memory", EVERYWHERE,
	       buffer),
	  REFUSED, BUFFER_BITS, .at = LOW_SIZE - 1521 },
	{ CASE("a receive buffer across the end of high memory", EVERYWHERE,
	       buffer),
	  REFUSED, BUFFER_BITS, .at = HIGH_END - 1 },
	{ CASE("a receive buffer across 2^64", EVERYWHERE, buffer), REFUSED,
	  BUFFER_BITS, .at = TOP },
	{ CASE("a receive buffer at the end of low memory", EVERYWHERE, buffer),
	  .at = LOW_SIZE - 2048 },
	{ CASE("a bad receive buffer before the receiver is on", EVERYWHERE,
	       buffer_first),
	  REFUSED, BUFFER_BITS, .at = ON_NEIGHBOUR },
	{ CASE("receive buffers moved to the neighbour after they were given",
	       EVERYWHERE, buffer_late),
	  REFUSED, .at = ON_NEIGHBOUR, .may = MAY_TELL },
	{ CASE("receive buffers moved to the monitor after they were given",
	       EVERYWHERE, buffer_late),
	  REFUSED, .at = ON_AREA, .may = MAY_TELL },
	{ CASE("receive buffers moved across an end after they were given",
	       EVERYWHERE, buffer_late),
	  REFUSED, .at = LOW_SIZE - 1, .may = MAY_TELL },
	{ CASE("a sibling's frame meets a bad buffer", EVERYWHERE,
	       buffer_late_sibling),
	  REFUSED, .at = ON_NEIGHBOUR, .may = MAY_TELL },
	{ CASE("the same, by policy stop", ON_SIM | IN_ALL,
	       buffer_late_sibling),
	  REFUSED, .at = ON_NEIGHBOUR, .may = MAY_TELL,
	  .policy = DMM_POLICY_STOP },
	{ CASE("receive buffers that grow to 2 KiB", EVERYWHERE, grow), REFUSED,
	  BUFFER_BITS, .arg = LISTEN | RCTL_LPE },
	{ CASE("receive buffers that grow to 16 KiB", EVERYWHERE, grow),
	  REFUSED, BUFFER_BITS,
	  .arg = LISTEN | RCTL_LPE | RCTL_BSEX | 1u << RCTL_BSIZE_AT },
	{ CASE("long frames without LPE", EVERYWHERE, jumbo), .arg = LISTEN },
	{ CASE("long frames into small buffers", EVERYWHERE, jumbo),
	  .arg = LISTEN | RCTL_LPE | 3u << RCTL_BSIZE_AT },
	{ CASE("a huge receive ring", EVERYWHERE, huge_ring) },

	{ CASE("promiscuous", EVERYWHERE, promiscuous), FILTER },
	{ CASE("promiscuous, with mirror", ON_SIM | IN_ALL, promiscuous),
	  .may = MAY_SEE, .mirror = true },
	{ CASE("the neighbour's address in all filters", EVERYWHERE,
	       other_addresses),
	  FILTER },
	{ CASE("all bits of the tables", EVERYWHERE, all_tables), FILTER },
	{ CASE("the neighbour's frames as PAUSE frames", EVERYWHERE,
	       pause_type) },
	{ CASE("two halves of two frames", ON_SIM | IN_ALL, two_halves),
	  .may = MAY_REACH | WIRE_SOME },
};

const struct attack_table attack_rx_table = { &attack_e1000, cases,
					      ARRAY_LEN(cases) };
