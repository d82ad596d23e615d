// SPDX-License-Identifier: MIT
/*
 * attack_slots.c: attacks by registers that are transmit descriptors, by a
 * ring of received bytes, and by a part's second, richer mode behind them.
 */

#include "attack_rtl8139.h"

#include <string.h>

#define SLOTS_ON (ON_QTEST | IN_ALL)
#define TOLD_SLOT \
	.told = true, .offence = DMM_REFUSED, .who = "slots", .line = "slots:"
#define TOLD_RING                                               \
	.told = true, .offence = DMM_REFUSED, .who = "rxBytes", \
	.line = "rxBytes:"
#define SLOT_BITS .without = DMM_WITHOUT_BUFFER
#define RING_BITS .without = DMM_WITHOUT_RING
#define RCR_OPEN 0xe70au

/* ---- slots ---- */

static void buffer(struct rig *rig)
{
	rtl_give(rig, HOSTILE, attack_at(rig), (uint32_t)rig->c->len);
}

/* By the memory BAR, which is the same. */
static void buffer_mmio(struct rig *rig)
{
	unsigned int slot = rig->guest[HOSTILE].tx++ % RTL_SLOTS;

	attack_access(rig, HOSTILE, 1, RTL_TSAD + 4 * slot, 4, true,
		      attack_at(rig));
	attack_access(rig, HOSTILE, 1, RTL_TSD + 4 * slot, 4, true,
		      rig->c->len);
}

/* Good frames beside bad ones: they go out, and in order. */
static void buffers_mixed(struct rig *rig)
{
	rtl_send(rig, 100);
	rtl_give(rig, HOSTILE, attack_at(rig), 200);
	rtl_send(rig, 300);
	rtl_give(rig, HOSTILE, attack_at(rig), 400);
}

static void own_frame(struct rig *rig)
{
	uint64_t at = rig->c->at;

	nic_frame(rig, at, rig->c->len);
	rtl_give(rig, HOSTILE, at, (uint32_t)rig->c->len);
}

/* All that TSD can say of how, with (arg) as its other bits. */
static void size_bits(struct rig *rig)
{
	uint64_t at = rtl_buffer(rig, HOSTILE);

	nic_frame(rig, at, 100);
	rtl_give(rig, HOSTILE, at, 100 | (uint32_t)rig->c->arg);
}

static void forged(struct rig *rig)
{
	uint64_t at = rtl_buffer(rig, HOSTILE);

	nic_frame(rig, at, 100);
	memcpy(nic_mem(rig, HOSTILE, at) + 6, rig->guest[NEIGHBOUR].mac, 6);
	rtl_give(rig, HOSTILE, at, 100);
}

/* Between the check and the device's read its own memory changes. */
static void race(struct rig *rig)
{
	uint64_t at = rtl_buffer(rig, HOSTILE);
	uint8_t *p = nic_mem(rig, HOSTILE, at);

	attack_stall_range(rig, RTL_TSD, 16);
	rtl_send(rig, 200);
	attack_turn(rig);
	memcpy(p + 6, rig->guest[NEIGHBOUR].mac, 6);
	attack_release(rig);
}

/* The registers, too: they are its own, and were read. */
static void race_registers(struct rig *rig)
{
	unsigned int slot = rig->guest[HOSTILE].tx % RTL_SLOTS;

	attack_stall_range(rig, RTL_TSD, 16);
	rtl_send(rig, 200);
	rtl_write(rig, HOSTILE, RTL_TSAD + 4 * slot, 4,
		  (uint32_t)AT_NEIGHBOUR(rig) + TX_BUFS);
	rtl_write(rig, HOSTILE, RTL_TSD + 4 * slot, 4, 1500);
	attack_turn(rig);
	attack_release(rig);
}

/* A slot given again and again, and others out of their order. */
static void hammer(struct rig *rig)
{
	uint64_t at = rtl_buffer(rig, HOSTILE);
	unsigned int i;

	nic_frame(rig, at, 100);
	for (i = 0; i < 200; i++) {
		rtl_write(rig, HOSTILE, RTL_TSAD + i * 7 % 4 * 4, 4,
			  (uint32_t)at);
		rtl_write(rig, HOSTILE, RTL_TSD + i * 7 % 4 * 4, 4, 100);
	}
}

/* A reset with frames under way: what comes back is nobody's. */
static void reset_under_way(struct rig *rig)
{
	unsigned int i;

	attack_stall_range(rig, RTL_TSD, 16);
	for (i = 0; i < 6; i++) {
		rtl_send(rig, 100);
		rtl_write(rig, HOSTILE, RTL_CR, 1, CR_RST);
		rtl_start(rig, HOSTILE);
	}
	attack_release(rig);
	attack_settle(rig);
	rtl_send(rig, 100);
}

static void reset_storm(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		rtl_write(rig, HOSTILE, RTL_CR, 1, (i * 37) & 0xff);
		rtl_write(rig, HOSTILE, RTL_TSD, 4, i * 99);
	}
	rtl_start(rig, HOSTILE);
	rtl_send(rig, 100);
}

static void not_enabled(struct rig *rig)
{
	rtl_write(rig, HOSTILE, RTL_CR, 1, CR_RE);
	rtl_send(rig, 100);
}

/* Accesses that are not of four bytes, at every offset. */
static void narrow(struct rig *rig)
{
	unsigned int off, w;

	for (w = 1; w <= 8; w *= 2)
		for (off = RTL_TSD; off < RTL_RBSTART; off++)
			if (w != 4)
				attack_access(rig, HOSTILE, off % 2, off, w,
					      true, 0x6001006010060100);
	if (rtl_read(rig, HOSTILE, RTL_TSD, 4) != TSD_OWN)
		attack_bad(rig, "TSD took a narrow write");
}

static void no_master(struct rig *rig)
{
	rig->guest[HOSTILE].master = false;
	rtl_send(rig, 100);
	attack_turn(rig);
	rig->guest[HOSTILE].master = true;
}

static void gone(struct rig *rig)
{
	attack_stall_range(rig, RTL_TSD, 16);
	rtl_send(rig, 100);
	dmm_leave(rig->dmm, HOSTILE);
	rig->guest[HOSTILE].gone = rig->guest[HOSTILE].stopped = true;
	memset(rig->guest[HOSTILE].host + TX_BUFS, MARK_ZONE, 4096);
	attack_release(rig);
	rig->spent = true;
}

/* To itself in loopback: nothing of it leaves. */
static void loopback(struct rig *rig)
{
	rtl_write(rig, HOSTILE, RTL_TCR, 4, 3u << 17);
	rtl_send(rig, 100);
}

/* ---- the ring of received bytes ---- */

/* Off, moved, on again. */
static void move_ring(struct rig *rig)
{
	rtl_write(rig, HOSTILE, RTL_CR, 1, CR_TE);
	rtl_write(rig, HOSTILE, RTL_RCR, 4, RCR_OPEN | (uint32_t)rig->c->arg);
	rtl_write(rig, HOSTILE, RTL_RBSTART, 4, (uint32_t)attack_at(rig));
	rtl_write(rig, HOSTILE, RTL_CR, 1, CR_TE | CR_RE);
	if (rig->c->told && rtl_read(rig, HOSTILE, RTL_CR, 1) & CR_RE)
		attack_bad(rig, "the receiver is on with a bad ring");
}

/* On, and then moved or made longer. */
static void move_on(struct rig *rig)
{
	rtl_write(rig, HOSTILE, RTL_RBSTART, 4, (uint32_t)attack_at(rig));
	rtl_write(rig, HOSTILE, RTL_RCR, 4, RCR_OPEN | (uint32_t)rig->c->arg);
}

/* A frame from outside for the hostile guest. */
static void to_hostile(struct rig *rig, size_t len)
{
	uint8_t frame[1514];

	memset(frame, 0x33, sizeof(frame));
	memcpy(frame, rig->guest[HOSTILE].mac, 6);
	memcpy(frame + 6, attack_outside, 6);
	attack_wire_send(rig, frame, len);
}

/* What it says of its own reading, with frames coming in. */
static void read_position(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 40; i++) {
		rtl_write(rig, HOSTILE, RTL_CAPR, 2, i * 0x1f35 & 0xffff);
		rtl_write(rig, HOSTILE, RTL_CBR, 2, i * 0x2357 & 0xffff);
		attack_access(rig, HOSTILE, 0, RTL_CAPR + 1, 1, true, i * 71);
		rtl_send(rig, 1000 + i);
		attack_turn(rig);
	}
}

/* Bus mastering goes while its ring is in use: nothing is written there. */
static void ring_no_master(struct rig *rig)
{
	unsigned int i;

	rig->guest[HOSTILE].master = false;
	for (i = 0; i < 4; i++) {
		to_hostile(rig, 200);
		attack_turn(rig);
	}
	attack_settle(rig);
	if (rig->guest[HOSTILE].host[RX_BUFS] != MARK_H)
		attack_bad(rig, "a guest that masters no bus got a frame");
	rig->guest[HOSTILE].master = true;
}

/* All that there is: its neighbours' own frames are not among it. */
static void listen(struct rig *rig)
{
	unsigned int i;

	rtl_write(rig, HOSTILE, RTL_RCR, 4, RCR_OPEN | 0x3f);
	rtl_write(rig, HOSTILE, RTL_MAR, 4, 0xffffffff);
	rtl_write(rig, HOSTILE, RTL_MAR + 4, 4, 0xffffffff);
	for (i = 0; i < 6; i++)
		attack_access(rig, HOSTILE, 0, i, 1, true,
			      rig->guest[NEIGHBOUR].mac[i]);
	attack_transfer(rig);
}

/* ---- other registers ---- */

/* The C+ mode of later parts: rings and a dump behind the same offsets. */
static void richer_mode(struct rig *rig)
{
	uint32_t at = (uint32_t)AT_NEIGHBOUR(rig);

	rtl_write(rig, HOSTILE, RTL_CPCR, 2, 3);
	attack_access(rig, HOSTILE, 1, RTL_CPCR, 1, true, 3);
	attack_access(rig, HOSTILE, 1, RTL_CPCR, 4, true, 3);
	rtl_write(rig, HOSTILE, RTL_TSAD, 4, at); /* TNPDS */
	rtl_write(rig, HOSTILE, RTL_TSAD + 4, 4, 0);
	rtl_write(rig, HOSTILE, RTL_RDSAR, 4, at);
	rtl_write(rig, HOSTILE, RTL_RDSAR + 4, 4, 0);
	attack_access(rig, HOSTILE, 0, RTL_RDSAR, 8, true, at);
	rtl_write(rig, HOSTILE, RTL_TPPOLL, 1, 0xc0);
	attack_access(rig, HOSTILE, 1, RTL_TPPOLL, 1, true, 0x40);
	/* DTCCR: dump the counters; as TSD 0 it is a frame of 8 bytes */
	rtl_write(rig, HOSTILE, RTL_TSD + 4, 4, TSD_OWN);
	rtl_write(rig, HOSTILE, RTL_TSD, 4, at | 8 | TSD_OWN);
	if (rtl_read(rig, HOSTILE, RTL_CPCR, 2) != 0xffff)
		attack_bad(rig, "CPCR reads something");
}

/* What no register classes reads as ones, by both doors. */
static void unclassed(struct rig *rig)
{
	unsigned int off, bar;

	for (bar = 0; bar < 2; bar++)
		for (off = 0x81; off < 0x100; off++) {
			if (off == 0xd8)
				continue;
			attack_access(rig, HOSTILE, bar, off, 1, true, 0xff);
			if (attack_access(rig, HOSTILE, bar, off, 1, false,
					  0) != 0xff)
				attack_bad(rig, "0x%x reads something", off);
		}
}

/* Every byte of both BARs, in every width, with every kind of value. */
static void everything(struct rig *rig)
{
	static const uint64_t values[] = { 0, UINT64_MAX, 0x5555555555555555,
					   0x0100010001000100 };
	unsigned int off, w, i;

	for (i = 0; i < ARRAY_LEN(values); i++)
		for (w = 1; w <= 8; w *= 2)
			for (off = 0; off <= 0x100; off++)
				attack_access(rig, HOSTILE, off % 2, off, w,
					      true, values[i]);
	rtl_write(rig, HOSTILE, RTL_CR, 1, CR_RST);
}

static void configuration(struct rig *rig)
{
	uint32_t before = rtl_read(rig, HOSTILE, RTL_CONFIG1, 1);

	rtl_write(rig, HOSTILE, RTL_CONFIG1, 1, 0x5a);
	if (rtl_read(rig, HOSTILE, RTL_CONFIG1, 1) != before)
		attack_bad(rig, "Config1 is open");
	rtl_write(rig, HOSTILE, RTL_9346CR, 1, EE_CONFIG);
	rtl_write(rig, HOSTILE, RTL_CONFIG1, 1, 0x5a);
	rtl_write(rig, HOSTILE, 0x59, 1, 0xff);
	rtl_write(rig, HOSTILE, RTL_BMCR, 2, 0x4000);
	rtl_write(rig, HOSTILE, RTL_9346CR, 1, 0);
	if (rtl_read(rig, HOSTILE, RTL_CONFIG1, 1) != 0x5a)
		attack_bad(rig, "Config1 is the guest's own, and is not kept");
	/* auto-load: the part would take all of the EEPROM again */
	rtl_write(rig, HOSTILE, RTL_9346CR, 1, 0x40);
}

static void pins(struct rig *rig, uint32_t out, unsigned int n)
{
	uint8_t v;

	while (n--) {
		v = EE_PROGRAM | EE_CS | (out >> n & 1 ? EE_DI : 0);
		rtl_write(rig, HOSTILE, RTL_9346CR, 1, v);
		rtl_write(rig, HOSTILE, RTL_9346CR, 1, v | EE_SK);
	}
}

/* Writing is enabled; word 7 and then all words are written. */
static void eeprom_write(struct rig *rig)
{
	pins(rig, 0x130, 9);
	rtl_write(rig, HOSTILE, RTL_9346CR, 1, EE_PROGRAM);
	pins(rig, 0x147, 9);
	pins(rig, 0xdead, 16);
	rtl_write(rig, HOSTILE, RTL_9346CR, 1, EE_PROGRAM);
	pins(rig, 0x110, 9);
	pins(rig, 0xbeef, 16);
	rtl_write(rig, HOSTILE, RTL_9346CR, 1, 0);
}

static void interrupts(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 64; i++) {
		rtl_write(rig, HOSTILE, RTL_IMR, 2, i & 1 ? 0xffff : 0);
		rtl_write(rig, HOSTILE, RTL_ISR, 2, 0xffff);
		rtl_write(rig, HOSTILE, 0x54, 4, 1); /* TimerInt */
		rtl_write(rig, HOSTILE, 0x48, 4, 0);
		rtl_send(rig, 100);
	}
}

static const struct attack_case cases[] = {
	{ CASE("a slot at the neighbour's device address", SLOTS_ON, buffer),
	  TOLD_SLOT, SLOT_BITS, .at = ON_NEIGHBOUR, .len = 200,
	  .may = WIRE_NONE },
	{ CASE("a slot at the third's device address", SLOTS_ON, buffer),
	  TOLD_SLOT, SLOT_BITS, .at = ON_THIRD, .len = 1500, .may = WIRE_NONE },
	{ CASE("a slot in the monitor's area", SLOTS_ON, buffer), TOLD_SLOT,
	  SLOT_BITS, .at = ON_AREA, .len = 1000, .may = WIRE_NONE },
	{ CASE("a slot in the monitor's copies of frames", SLOTS_ON, buffer),
	  TOLD_SLOT, SLOT_BITS, .at = ON_AREA_HEADS, .len = 1000,
	  .may = WIRE_NONE },
	{ CASE("a slot in a BAR", SLOTS_ON, buffer), TOLD_SLOT, SLOT_BITS,
	  .at = 0xe0000000, .len = 64, .may = WIRE_NONE },
	{ CASE("a slot across the end of low memory", SLOTS_ON, buffer),
	  TOLD_SLOT, SLOT_BITS, .at = LOW_SIZE - 99, .len = 100,
	  .may = WIRE_NONE },
	{ CASE("a slot from the end of low memory on", SLOTS_ON, buffer),
	  TOLD_SLOT, SLOT_BITS, .at = LOW_SIZE, .len = 64, .may = WIRE_NONE },
	{ CASE("a slot across 2^32", SLOTS_ON, buffer), TOLD_SLOT, SLOT_BITS,
	  .at = 0xffffffe0, .len = 200, .may = WIRE_NONE },
	{ CASE("a slot by the memory BAR", SLOTS_ON, buffer_mmio), TOLD_SLOT,
	  SLOT_BITS, .at = ON_NEIGHBOUR, .len = 200, .may = WIRE_NONE },
	{ CASE("bad slots beside good ones", SLOTS_ON, buffers_mixed),
	  TOLD_SLOT, SLOT_BITS, .at = ON_NEIGHBOUR, .may = WIRE_SOME },
	{ CASE("a slot at the end of low memory", SLOTS_ON, own_frame),
	  .at = LOW_SIZE - 100, .len = 100, .may = WIRE_SOME },
	{ CASE("a slot at address 0", SLOTS_ON, own_frame), .at = 0, .len = 100,
	  .may = WIRE_SOME },
	{ CASE("a frame longer than the part's buffers", SLOTS_ON, own_frame),
	  TOLD_SLOT, .at = TX_BUFS, .len = 2049, .may = WIRE_NONE },
	{ CASE("a frame longer than the part's queue", SLOTS_ON, own_frame),
	  TOLD_SLOT, .at = TX_BUFS, .len = 1793, .may = WIRE_NONE },
	{ CASE("a frame as long as a field can say", SLOTS_ON, own_frame),
	  TOLD_SLOT, .at = TX_BUFS, .len = 0x1fff, .may = WIRE_NONE },
	{ CASE("a frame shorter than its addresses", SLOTS_ON, own_frame),
	  .at = TX_BUFS, .len = 13, .may = WIRE_NONE },
	{ CASE("a frame of no bytes", SLOTS_ON, buffer), .at = TX_BUFS,
	  .len = 0, .may = WIRE_NONE },
	{ CASE("status bits are written with a size", SLOTS_ON, size_bits),
	  .arg = 0xffffc000, .may = WIRE_SOME },
	{ CASE("a slot that is not given", SLOTS_ON, size_bits), .arg = TSD_OWN,
	  .may = WIRE_NONE },
	{ CASE("a slot while the transmitter is off", SLOTS_ON, not_enabled),
	  .may = WIRE_NONE },
	{ CASE("a source that is the neighbour's", SLOTS_ON, forged),
	  .told = true, .offence = DMM_SPOOFED, .who = "slots",
	  .line = "slots:", .without = DMM_WITHOUT_SOURCE, .may = WIRE_NONE },
	{ CASE("a frame changed after its check", SLOTS_ON, race),
	  .without = DMM_WITHOUT_SHADOW, .may = WIRE_SOME },
	{ CASE("a slot's registers changed after their check", SLOTS_ON,
	       race_registers),
	  .may = WIRE_SOME | WIRE_PURE },
	{ CASE("slots given without end and order", SLOTS_ON, hammer),
	  .may = WIRE_SOME },
	{ CASE("resets with frames under way", SLOTS_ON, reset_under_way),
	  .may = WIRE_SOME },
	{ CASE("a storm of commands", SLOTS_ON, reset_storm),
	  .may = WIRE_SOME | MAY_TELL },
	{ CASE("narrow and wide accesses of slots", SLOTS_ON, narrow),
	  .may = WIRE_NONE },
	{ CASE("a slot of a guest that masters no bus", SLOTS_ON, no_master),
	  TOLD_SLOT, SLOT_BITS, .may = WIRE_NONE },
	{ CASE("a guest that is gone while it sends", SLOTS_ON, gone) },
	{ CASE("loopback", SLOTS_ON, loopback), .may = WIRE_NONE },

	{ CASE("a ring at the neighbour's device address", SLOTS_ON, move_ring),
	  TOLD_RING, RING_BITS, .at = ON_NEIGHBOUR },
	{ CASE("a ring in the monitor's area", SLOTS_ON, move_ring), TOLD_RING,
	  RING_BITS, .at = ON_AREA },
	{ CASE("a ring across the end of low memory", SLOTS_ON, move_ring),
	  TOLD_RING, RING_BITS, .at = LOW_SIZE - 8191 },
	{ CASE("a ring whose slack is not its memory", SLOTS_ON, move_ring),
	  TOLD_RING, RING_BITS, .at = LOW_SIZE - 8192, .arg = RCR_WRAP },
	{ CASE("a ring across 2^32", SLOTS_ON, move_ring), TOLD_RING, RING_BITS,
	  .at = 0xfffff000 },
	{ CASE("a ring at the end of low memory", SLOTS_ON, move_ring),
	  .at = LOW_SIZE - 8192 },
	{ CASE("the ring is moved while it is in use", SLOTS_ON, move_on),
	  TOLD_RING, RING_BITS, .at = ON_NEIGHBOUR },
	{ CASE("the ring is made longer while it is in use", SLOTS_ON, move_on),
	  TOLD_RING, RING_BITS, .at = LOW_SIZE - 16384, .arg = 0x1000 },
	{ CASE("a read position that is anywhere", SLOTS_ON, read_position),
	  .may = WIRE_SOME },
	{ CASE("a ring of a guest that masters no bus", SLOTS_ON,
	       ring_no_master) },
	{ CASE("all frames, and the neighbour's address", SLOTS_ON, listen),
	  .without = DMM_WITHOUT_FILTER },

	{ CASE("the richer mode", SLOTS_ON, richer_mode), .may = WIRE_NONE },
	{ CASE("what has no register", SLOTS_ON, unclassed) },
	{ CASE("everything, everywhere", SLOTS_ON, everything),
	  .may = MAY_TELL },
	{ CASE("configuration and its lock", SLOTS_ON, configuration) },
	{ CASE("the EEPROM is written by its pins", SLOTS_ON, eeprom_write),
	  .told = true, .offence = DMM_DENIED, .who = "nvm",
	  .line = "nvm:", .without = DMM_WITHOUT_EEPROM },
	{ CASE("interrupts and the timer", SLOTS_ON, interrupts),
	  .may = WIRE_SOME },
};

const struct attack_table attack_slots_table = { &attack_rtl8139, cases,
						 ARRAY_LEN(cases) };
