// SPDX-License-Identifier: MIT
/*
 * attack_own.c: attacks by a block that says where rings are, by rings whose
 * descriptors say whose they are, and by the windows to all of it.
 */

#include "attack_pcnet.h"

#include <string.h>

#define OWN_ON (ON_QTEST | IN_ALL)
#define REFUSED(ring) \
	.told = true, .offence = DMM_REFUSED, .who = ring, .line = ring ":"
#define RING_BITS .without = DMM_WITHOUT_RING
#define BUFFER_BITS .without = DMM_WITHOUT_BUFFER

/* ---- where things are ---- */

/* Refused, it leaves the rings where they were. */
static void block(struct rig *rig)
{
	pc_go(rig, HOSTILE, (uint32_t)attack_at(rig));
	pc_send(rig, TX_BUFS, 100);
}

static void tx_ring(struct rig *rig)
{
	pc_block(rig, HOSTILE, (uint32_t)attack_at(rig), RX_RING,
		 (unsigned int)rig->c->arg, 0);
	pc_go(rig, HOSTILE, PC_INIT_AT);
	pc_send(rig, TX_BUFS, 100);
}

static void rx_ring(struct rig *rig)
{
	pc_block(rig, HOSTILE, TX_RING, (uint32_t)attack_at(rig),
		 (unsigned int)rig->c->arg, 0);
	pc_go(rig, HOSTILE, PC_INIT_AT);
	pc_send(rig, TX_BUFS, 100);
}

/* INIT and STRT in one write, the block read and its rings checked at once. */
static void at_once(struct rig *rig)
{
	pc_block(rig, HOSTILE, (uint32_t)attack_at(rig), RX_RING, 4, 0);
	pc_set(rig, HOSTILE, 0, CSR0_STOP);
	pc_set(rig, HOSTILE, 0, CSR0_INIT | CSR0_STRT);
	if (!(pc_csr(rig, HOSTILE, 0) & CSR0_STOP))
		attack_bad(rig, "it does not stay stopped");
	pc_send(rig, TX_BUFS, 100);
}

/* The second door: the registers that a block is loaded to. */
static void by_registers(struct rig *rig)
{
	pc_set(rig, HOSTILE, 0, CSR0_STOP);
	pc_set32(rig, HOSTILE, CSR_TDRA, (uint32_t)attack_at(rig));
	pc_set(rig, HOSTILE, CSR_TLEN, (uint32_t)-16);
	pc_set(rig, HOSTILE, 0, CSR0_STRT);
	pc_send(rig, TX_BUFS, 100);
}

static void long_ring(struct rig *rig)
{
	pc_set(rig, HOSTILE, 0, CSR0_STOP);
	pc_set(rig, HOSTILE, CSR_TLEN, (uint32_t)rig->c->arg);
	pc_set(rig, HOSTILE, 0, CSR0_STRT);
	pc_send(rig, TX_BUFS, 100);
}

static void good_ring(struct rig *rig)
{
	uint32_t at = (uint32_t)rig->c->at;
	uint8_t *from = nic_mem(rig, HOSTILE, TX_RING);

	pc_desc(rig, HOSTILE, TX_BUFS, 100, DESC_ONE);
	nic_frame(rig, TX_BUFS, 100);
	memset(nic_mem(rig, HOSTILE, at), 0, 256);
	memcpy(nic_mem(rig, HOSTILE, at), from, 16);
	pc_block(rig, HOSTILE, at, RX_RING, 4, 0);
	pc_go(rig, HOSTILE, PC_INIT_AT);
	pc_demand(rig, HOSTILE);
}

/* While it runs: what names memory does not move. */
static void move_on(struct rig *rig)
{
	pc_set32(rig, HOSTILE, (unsigned int)rig->c->arg,
		 (uint32_t)AT_NEIGHBOUR(rig) + TX_RING);
	pc_send(rig, TX_BUFS, 100);
}

/* The block changes behind its reading, and before the start. */
static void block_late(struct rig *rig)
{
	pc_set(rig, HOSTILE, 0, CSR0_STOP);
	pc_set(rig, HOSTILE, 0, CSR0_INIT);
	pc_block(rig, HOSTILE, (uint32_t)AT_NEIGHBOUR(rig) + TX_RING,
		 (uint32_t)AT_NEIGHBOUR(rig) + RX_RING, 9, 0);
	pc_set(rig, HOSTILE, 0, CSR0_STRT);
	rig->guest[HOSTILE].tx = 0;
	pc_send(rig, TX_BUFS, 100);
}

/* ---- descriptors ---- */

static void buffer(struct rig *rig)
{
	pc_desc(rig, HOSTILE, attack_at(rig), rig->c->len, DESC_ONE);
	pc_demand(rig, HOSTILE);
}

static void buffer_behind(struct rig *rig)
{
	nic_frame(rig, TX_BUFS, 64);
	pc_desc(rig, HOSTILE, TX_BUFS, 64, DESC_OWN | DESC_STP);
	pc_desc(rig, HOSTILE, attack_at(rig), rig->c->len, DESC_OWN | DESC_ENP);
	pc_demand(rig, HOSTILE);
}

/* (len) bytes of its own, in two pieces. */
static void length(struct rig *rig)
{
	nic_frame(rig, TX_BUFS, rig->c->len);
	pc_desc(rig, HOSTILE, TX_BUFS, 1000, DESC_OWN | DESC_STP);
	pc_desc(rig, HOSTILE, TX_BUFS + 1000, rig->c->len - 1000,
		DESC_OWN | DESC_ENP);
	pc_demand(rig, HOSTILE);
}

/* Nobody says so: the part finds it by itself. */
static void buffer_found(struct rig *rig)
{
	pc_desc(rig, HOSTILE, attack_at(rig), rig->c->len, DESC_ONE);
	rig->skew += 10000000;
	attack_turn(rig);
	attack_turn(rig);
}

static void found(struct rig *rig)
{
	nic_frame(rig, TX_BUFS, 100);
	pc_desc(rig, HOSTILE, TX_BUFS, 100, DESC_ONE);
	rig->skew += 10000000;
	attack_turn(rig);
	attack_turn(rig);
}

static void no_end(struct rig *rig)
{
	nic_frame(rig, TX_BUFS, 100);
	pc_desc(rig, HOSTILE, TX_BUFS, 100, DESC_OWN | DESC_STP);
	pc_demand(rig, HOSTILE);
}

static void no_start(struct rig *rig)
{
	nic_frame(rig, TX_BUFS, 100);
	pc_desc(rig, HOSTILE, TX_BUFS, 100, DESC_OWN | DESC_ENP);
	pc_demand(rig, HOSTILE);
}

/* Every descriptor of the ring is the part's, and none is a frame's end. */
static void all_given(struct rig *rig)
{
	unsigned int i;

	nic_frame(rig, TX_BUFS, 100);
	for (i = 0; i < 16; i++)
		pc_desc(rig, HOSTILE, TX_BUFS, 100, DESC_OWN | DESC_STP);
	for (i = 0; i < 8; i++)
		pc_demand(rig, HOSTILE);
}

static void forged(struct rig *rig)
{
	nic_frame(rig, TX_BUFS, 100);
	memcpy(nic_mem(rig, HOSTILE, TX_BUFS) + 6, rig->guest[NEIGHBOUR].mac,
	       6);
	pc_desc(rig, HOSTILE, TX_BUFS, 100, DESC_ONE);
	pc_demand(rig, HOSTILE);
}

/*
 * Behind the check, and before the device looks; by a lease it may be before
 * the check, too.
 */
static void late_desc(struct rig *rig)
{
	uint32_t at = (uint32_t)AT_NEIGHBOUR(rig) + TX_BUFS;

	attack_stall(rig, PC_RDP);
	pc_send(rig, TX_BUFS, 300);
	memcpy(nic_mem(rig, HOSTILE, TX_RING), &at, sizeof(at));
	attack_turn(rig);
	attack_release(rig);
}

/* Read and checked, and with no room in the device yet. */
static void late_wait(struct rig *rig)
{
	uint32_t at = (uint32_t)AT_NEIGHBOUR(rig) + TX_BUFS, i;

	attack_stall(rig, PC_RDP);
	for (i = 0; i < 14; i++) {
		nic_frame(rig, TX_BUFS, 1500);
		pc_desc(rig, HOSTILE, TX_BUFS, 1500, DESC_ONE);
	}
	pc_demand(rig, HOSTILE);
	for (i = 0; i < 14; i++)
		memcpy(nic_mem(rig, HOSTILE, TX_RING + i * 16), &at,
		       sizeof(at));
	attack_turn(rig);
	attack_release(rig);
}

static void late_source(struct rig *rig)
{
	attack_stall(rig, PC_RDP);
	pc_send(rig, TX_BUFS, 300);
	memcpy(nic_mem(rig, HOSTILE, TX_BUFS) + 6, rig->guest[NEIGHBOUR].mac,
	       6);
	attack_turn(rig);
	attack_release(rig);
}

/* Stopped with a frame under way: nothing is written there any more. */
static void stopped(struct rig *rig)
{
	uint8_t *ring = nic_mem(rig, HOSTILE, TX_RING);

	attack_stall(rig, PC_RDP);
	pc_send(rig, TX_BUFS, 300);
	pc_set(rig, HOSTILE, 0, CSR0_STOP);
	memset(ring, 0xff, 16);
	attack_release(rig);
	attack_settle(rig);
	if (ring[7] != 0xff || ring[6] != 0xff || ring[8] != 0xff)
		attack_bad(rig, "a ring that was stopped is written to");
	pc_start(rig, HOSTILE);
}

static void storm(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 60; i++) {
		nic_frame(rig, TX_BUFS, 100);
		pc_desc(rig, HOSTILE, TX_BUFS, 100, DESC_ONE);
		pc_set(rig, HOSTILE, 0, (i * 37) & 0xff);
		if (i % 7 == 0)
			pc_go(rig, HOSTILE, PC_INIT_AT);
	}
	pc_start(rig, HOSTILE);
	pc_send(rig, TX_BUFS, 100);
}

/* ---- receiving ---- */

static void hear(struct rig *rig)
{
	uint8_t frame[300];
	unsigned int i;

	memset(frame, 'W', sizeof(frame));
	memcpy(frame, rig->guest[HOSTILE].mac, 6);
	memcpy(frame + 6, attack_outside, 6);
	for (i = 0; i < 3; i++) {
		attack_wire_send(rig, frame, sizeof(frame));
		attack_turn(rig);
	}
	attack_settle(rig);
}

static void rx_buffers(struct rig *rig)
{
	uint32_t at = (uint32_t)attack_at(rig);
	unsigned int i;

	for (i = 0; i < 16; i++)
		memcpy(nic_mem(rig, HOSTILE, RX_RING + i * 16), &at,
		       sizeof(at));
}

static void rx_buffer(struct rig *rig)
{
	rx_buffers(rig);
	pc_block(rig, HOSTILE, TX_RING, RX_RING, PC_LOG, 0);
	pc_go(rig, HOSTILE, PC_INIT_AT);
	hear(rig);
}

/* Given when it runs already: nobody is told of that. */
static void rx_buffer_late(struct rig *rig)
{
	rx_buffers(rig);
	hear(rig);
}

static void listen(struct rig *rig)
{
	uint8_t mac[8] = { 0 };
	unsigned int i;

	memcpy(mac, rig->guest[NEIGHBOUR].mac, 6);
	pc_set(rig, HOSTILE, CSR_MODE, MODE_PROM);
	for (i = 0; i < 4; i++)
		pc_set(rig, HOSTILE, CSR_LADRF + i, 0xffff);
	for (i = 0; i < 3; i++)
		pc_set(rig, HOSTILE, CSR_PADR + i,
		       (uint32_t)(mac[2 * i] | mac[2 * i + 1] << 8));
	attack_transfer(rig);
}

/* ---- the windows ---- */

static void loopback(struct rig *rig)
{
	pc_set(rig, HOSTILE, CSR_MODE, MODE_LOOP);
	pc_send(rig, TX_BUFS, 100);
}

/* The style cannot change what was checked. */
static void style(struct rig *rig)
{
	pc_bcr(rig, HOSTILE, BCR_STYLE, (uint32_t)rig->c->arg);
	pc_send(rig, TX_BUFS, 100);
}

static void pins(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 64; i++)
		pc_bcr(rig, HOSTILE, BCR_EECAS, 0x10 | (i & 7));
	for (i = 0; i < 16; i++)
		attack_access(rig, HOSTILE, 0, PC_APROM + i, 1, true, 0x55);
	if (attack_access(rig, HOSTILE, 0, PC_APROM, 1, false, 0) !=
	    rig->guest[HOSTILE].mac[0])
		attack_bad(rig, "its address changed");
}

/* Every register by both windows, with every kind of value; every byte. */
static void everything(struct rig *rig)
{
	static const uint64_t values[] = { 0, UINT64_MAX, 0x5555555555555555,
					   0x0004000400040004 };
	unsigned int i, n, w, off;

	for (i = 0; i < ARRAY_LEN(values); i++) {
		for (n = 0; n < 256; n++) {
			pc_set(rig, HOSTILE, n, (uint32_t)values[i]);
			pc_bcr(rig, HOSTILE, n, (uint32_t)values[i]);
			pc_csr(rig, HOSTILE, n);
		}
		for (w = 1; w <= 8; w *= 2)
			for (off = 0; off <= 0x20; off++) {
				attack_access(rig, HOSTILE, off % 2, off, w,
					      true, values[i]);
				attack_access(rig, HOSTILE, off % 2, off, w,
					      false, 0);
			}
	}
	dmm_guest_reset(rig->dmm, HOSTILE);
}

/* When it has it again, the part finds the frame by itself. */
static void no_master(struct rig *rig)
{
	rig->guest[HOSTILE].master = false;
	pc_send(rig, TX_BUFS, 100);
	hear(rig);
	attack_wire_judge(rig);
	if (rig->hostile_frames)
		attack_bad(rig, "a guest that masters no bus sends");
	rig->guest[HOSTILE].master = true;
}

static void gone(struct rig *rig)
{
	attack_stall(rig, PC_RDP);
	pc_send(rig, TX_BUFS, 300);
	dmm_leave(rig->dmm, HOSTILE);
	rig->guest[HOSTILE].gone = rig->guest[HOSTILE].stopped = true;
	attack_release(rig);
	rig->skew += 10000000;
	attack_turn(rig);
	rig->spent = true;
}

#define END (LOW_SIZE - 128)

static const struct attack_case cases[] = {
	{ CASE("a block at the neighbour's device address", OWN_ON, block),
	  REFUSED("init"), RING_BITS, .at = ON_NEIGHBOUR },
	{ CASE("a block in the monitor's area", OWN_ON, block), REFUSED("init"),
	  RING_BITS, .at = ON_AREA },
	{ CASE("a block across the end of memory", OWN_ON, block),
	  REFUSED("init"), RING_BITS, .at = LOW_SIZE - 27 },
	{ CASE("a block at the end of 32 bits", OWN_ON, block), REFUSED("init"),
	  RING_BITS, .at = 0xfffffff0 },
	{ CASE("a ring at the neighbour's device address", OWN_ON, tx_ring),
	  REFUSED("txRing"), RING_BITS, .at = ON_NEIGHBOUR, .arg = 4,
	  .may = WIRE_NONE },
	{ CASE("a ring in the monitor's area", OWN_ON, tx_ring),
	  REFUSED("txRing"), RING_BITS, .at = ON_AREA, .arg = 4,
	  .may = WIRE_NONE },
	{ CASE("a ring across the end of memory", OWN_ON, tx_ring),
	  REFUSED("txRing"), RING_BITS, .at = END, .arg = 4, .may = WIRE_NONE },
	{ CASE("a ring as long as can be", OWN_ON, tx_ring), REFUSED("txRing"),
	  RING_BITS, .at = LOW_SIZE - 0x1000, .arg = 15, .may = WIRE_NONE },
	{ CASE("a receive ring at the third's device address", OWN_ON, rx_ring),
	  REFUSED("rxRing"), RING_BITS, .at = ON_THIRD, .arg = 4,
	  .may = WIRE_NONE },
	{ CASE("a receive ring across the end of memory", OWN_ON, rx_ring),
	  REFUSED("rxRing"), RING_BITS, .at = END, .arg = 4, .may = WIRE_NONE },
	{ CASE("a bad ring, read and started in one write", OWN_ON, at_once),
	  REFUSED("txRing"), RING_BITS, .at = ON_NEIGHBOUR, .may = WIRE_NONE },
	{ CASE("a bad ring by the second door", OWN_ON, by_registers),
	  REFUSED("txRing"), RING_BITS, .at = ON_NEIGHBOUR, .may = WIRE_NONE },
	{ CASE("a length by the second door", OWN_ON, long_ring),
	  REFUSED("txRing"), RING_BITS, .arg = 1, .may = WIRE_NONE },
	{ CASE("a length of 65536", OWN_ON, long_ring), REFUSED("txRing"),
	  RING_BITS, .arg = 0, .may = WIRE_NONE },
	{ CASE("a ring at the end of memory", OWN_ON, good_ring),
	  .at = LOW_SIZE - 256, .may = WIRE_SOME },
	{ CASE("the ring moves while it runs", OWN_ON, move_on), .told = true,
	  .offence = DMM_DENIED, .who = "TDRA", .line = "TDRA TLEN, then: deny",
	  .arg = CSR_TDRA, .may = WIRE_SOME },
	{ CASE("the receive ring moves while it runs", OWN_ON, move_on),
	  .told = true, .offence = DMM_DENIED, .who = "RDRA",
	  .line = "RDRA RLEN", .arg = CSR_RDRA, .may = WIRE_SOME },
	{ CASE("the block changes behind its reading", OWN_ON, block_late),
	  .may = WIRE_SOME },
	{ CASE("the style changes while it runs", OWN_ON, style), .told = true,
	  .offence = DMM_DENIED, .who = "SWS", .line = "write SWS", .arg = 0,
	  .may = WIRE_SOME },
	{ CASE("a buffer at the neighbour's device address", OWN_ON, buffer),
	  REFUSED("txRing"), BUFFER_BITS, .at = ON_NEIGHBOUR, .len = 100,
	  .may = WIRE_NONE },
	{ CASE("the same behind its own bytes", OWN_ON, buffer_behind),
	  REFUSED("txRing"), BUFFER_BITS, .at = ON_NEIGHBOUR, .len = 100,
	  .may = WIRE_NONE },
	{ CASE("a buffer at the third's device address", OWN_ON, buffer_behind),
	  REFUSED("txRing"), BUFFER_BITS, .at = ON_THIRD, .len = 1000,
	  .may = WIRE_NONE },
	{ CASE("a buffer in the monitor's area", OWN_ON, buffer_behind),
	  REFUSED("txRing"), BUFFER_BITS, .at = ON_AREA, .len = 1000,
	  .may = WIRE_NONE },
	{ CASE("a buffer across the end of memory", OWN_ON, buffer_behind),
	  REFUSED("txRing"), BUFFER_BITS, .at = LOW_SIZE - 63, .len = 64,
	  .may = WIRE_NONE },
	{ CASE("a count of 0, which is 4096", OWN_ON, buffer_behind),
	  REFUSED("txRing"), BUFFER_BITS, .at = LOW_SIZE - 4095, .len = 4096,
	  .may = WIRE_NONE },
	{ CASE("a frame longer than the part sends", OWN_ON, length),
	  REFUSED("txRing"), .without = DMM_WITHOUT_OFFLOAD, .len = 1519,
	  .may = WIRE_NONE },
	{ CASE("a frame as long as the part sends", OWN_ON, length),
	  .len = 1518, .may = WIRE_SOME },
	{ CASE("a bad buffer that nobody tells of", OWN_ON, buffer_found),
	  REFUSED("txRing"), BUFFER_BITS, .at = ON_NEIGHBOUR, .len = 100,
	  .may = WIRE_NONE },
	{ CASE("a frame that nobody tells of", OWN_ON, found),
	  .may = WIRE_SOME },
	{ CASE("a frame without its end", OWN_ON, no_end), .may = WIRE_NONE,
	  .without = DMM_WITHOUT_WHOLE },
	{ CASE("a frame without its start", OWN_ON, no_start),
	  REFUSED("txRing"), .may = WIRE_NONE },
	{ CASE("a ring with no end in it", OWN_ON, all_given),
	  .may = WIRE_NONE | MAY_TELL },
	{ CASE("another's source", OWN_ON, forged), .told = true,
	  .offence = DMM_SPOOFED, .who = "txRing",
	  .without = DMM_WITHOUT_SOURCE, .may = WIRE_NONE },
	{ CASE("a descriptor changes while it waits", OWN_ON, late_wait),
	  .without = DMM_WITHOUT_SHADOW, .may = WIRE_SOME },
	{ CASE("a descriptor changes behind its check", OWN_ON, late_desc),
	  .may = WIRE_SOME },
	{ CASE("the source changes behind its check", OWN_ON, late_source),
	  .may = MAY_TELL },
	{ CASE("a stop with a frame under way", OWN_ON, stopped) },
	{ CASE("starts and stops", OWN_ON, storm), .may = MAY_TELL },
	{ CASE("a receive buffer at the neighbour's address", OWN_ON,
	       rx_buffer),
	  REFUSED("rxRing"), .at = ON_NEIGHBOUR },
	{ CASE("a receive buffer across the end of memory", OWN_ON, rx_buffer),
	  REFUSED("rxRing"), .at = LOW_SIZE - 2047 },
	{ CASE("receive buffers that move while it runs", OWN_ON,
	       rx_buffer_late),
	  REFUSED("rxRing"), .at = ON_NEIGHBOUR },
	{ CASE("it listens to all, under its neighbour's address", OWN_ON,
	       listen),
	  .without = DMM_WITHOUT_FILTER },
	{ CASE("loopback", OWN_ON, loopback), .may = WIRE_NONE },
	{ CASE("the EEPROM's pins, and the PROM", OWN_ON, pins) },
	{ CASE("every register, every byte", OWN_ON, everything),
	  .may = MAY_TELL },
	{ CASE("without bus mastering", OWN_ON, no_master), .may = MAY_TELL },
	{ CASE("gone with a frame under way", OWN_ON, gone) },
};

const struct attack_table attack_own_table = { &attack_pcnet, cases,
					       ARRAY_LEN(cases) };
