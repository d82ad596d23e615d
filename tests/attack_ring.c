// SPDX-License-Identifier: MIT
/*
 * attack_ring.c: attacks by a transmit ring: where it lies, its head and tail,
 * the buffers in it, and all of these changed while it is in use.
 */

#include "attack.h"

#include <string.h>

#include "vmm/sim_e1000.h"

#define TOP UINT64_C(0xffffffffffffff80)
#define HIGH_END (MEM_HIGH_BASE + HIGH_SIZE)
#define BAR UINT64_C(0xe0000000)
#define TOLD_RING \
	.told = true, .offence = DMM_REFUSED, .who = "txRing", .line = "txRing:"
#define RING_BITS .without = DMM_WITHOUT_RING
#define BUFFER_BITS .without = DMM_WITHOUT_BUFFER

/* The transmitter off, the ring moved, a tail, on again. */
static void move_ring(struct rig *rig)
{
	nic_write(rig, HOSTILE, R_TCTL, 0);
	nic_ring(rig, HOSTILE, attack_at(rig), (uint32_t)rig->c->len);
	nic_write(rig, HOSTILE, R_TCTL, TCTL_EN);
	nic_write(rig, HOSTILE, R_TDT, (uint32_t)rig->c->arg);
}

/* A ring that is the guest's, with a frame in it, at the address given. */
static void good_ring(struct rig *rig)
{
	uint64_t at = rig->c->at, d[2] = { TX_BUFS, 100 | D_ONE };

	nic_frame(rig, TX_BUFS, 100);
	memcpy(nic_mem(rig, HOSTILE, at), d, sizeof(d));
	move_ring(rig);
}

static void tail(struct rig *rig)
{
	nic_frame(rig, TX_BUFS, 100);
	nic_desc(rig, HOSTILE, TX_BUFS, 100 | D_ONE, 0);
	nic_write(rig, HOSTILE, R_TDT, (uint32_t)rig->c->arg);
}

static void head(struct rig *rig)
{
	nic_write(rig, HOSTILE, R_TDH, (uint32_t)rig->c->arg);
	nic_send(rig, TX_BUFS, 100);
}

/* A buffer that is not its memory: alone, or behind its own bytes. */
static void buffer(struct rig *rig)
{
	uint32_t len = (uint32_t)rig->c->len;

	nic_desc(rig, HOSTILE, attack_at(rig), len | D_ONE, 0);
	nic_desc(rig, HOSTILE, attack_at(rig), len | D_ONE | D_DATA, 0);
	nic_bell(rig, HOSTILE);
}

static void buffer_behind(struct rig *rig)
{
	uint32_t len = (uint32_t)rig->c->len;

	nic_frame(rig, TX_BUFS, 64);
	nic_desc(rig, HOSTILE, TX_BUFS, 64, 0);
	nic_desc(rig, HOSTILE, attack_at(rig), len | D_ONE, 0);
	nic_desc(rig, HOSTILE, TX_BUFS, 64 | D_DATA, 0);
	nic_desc(rig, HOSTILE, attack_at(rig), len | D_ONE | D_DATA, 0);
	nic_bell(rig, HOSTILE);
}

static void buffer_long(struct rig *rig)
{
	nic_frame(rig, TX_BUFS, 64);
	nic_desc(rig, HOSTILE, TX_BUFS, 64 | D_DATA, 0);
	nic_desc(rig, HOSTILE, attack_at(rig),
		 (uint32_t)rig->c->len | D_ONE | D_DATA, 0);
	nic_bell(rig, HOSTILE);
}

static const struct attack_case cases[] = {
	{ CASE("a ring at the neighbour's device address", EVERYWHERE,
	       move_ring),
	  TOLD_RING, RING_BITS, .at = ON_NEIGHBOUR, .len = 256, .arg = 4,
	  .may = WIRE_NONE },
	{ CASE("a ring at the third's device address", EVERYWHERE, move_ring),
	  TOLD_RING, RING_BITS, .at = ON_THIRD, .len = 256, .arg = 4,
	  .may = WIRE_NONE },
	{ CASE("a ring in the monitor's area", EVERYWHERE, move_ring),
	  TOLD_RING, RING_BITS, .at = ON_AREA, .len = 256, .arg = 4,
	  .may = WIRE_NONE },
	{ CASE("a ring in a BAR", EVERYWHERE, move_ring), TOLD_RING, RING_BITS,
	  .at = BAR, .len = 256, .arg = 4, .may = WIRE_NONE },
	{ CASE("a ring across the end of low memory", EVERYWHERE, move_ring),
	  TOLD_RING, RING_BITS, .at = LOW_SIZE - 128, .len = 256, .arg = 4,
	  .may = WIRE_NONE },
	{ CASE("a ring across the end of high memory", EVERYWHERE, move_ring),
	  TOLD_RING, RING_BITS, .at = HIGH_END - 128, .len = 256, .arg = 4,
	  .may = WIRE_NONE },
	{ CASE("a ring just before high memory", EVERYWHERE, move_ring),
	  TOLD_RING, RING_BITS, .at = MEM_HIGH_BASE - 128, .len = 256,
	  .arg = 12, .may = WIRE_NONE },
	{ CASE("a ring across 2^64", EVERYWHERE, move_ring), TOLD_RING,
	  RING_BITS, .at = TOP, .len = 256, .arg = 12, .may = WIRE_NONE },
	{ CASE("a ring in a hole", EVERYWHERE, move_ring), TOLD_RING, RING_BITS,
	  .at = 0x80000000, .len = 256, .arg = 4, .may = WIRE_NONE },
	{ CASE("a ring longer than memory", EVERYWHERE, move_ring), TOLD_RING,
	  RING_BITS, .at = TX_RING, .len = 0xfff80, .arg = 4,
	  .may = WIRE_NONE },
	{ CASE("a ring of length 0, and a tail", EVERYWHERE, move_ring),
	  TOLD_RING, RING_BITS, .at = TX_RING, .len = 0, .arg = 1,
	  .may = WIRE_NONE },
	{ CASE("a ring of length 16, which is none", EVERYWHERE, move_ring),
	  TOLD_RING, RING_BITS, .at = TX_RING, .len = 16, .arg = 1,
	  .may = WIRE_NONE },
	{ CASE("a ring of length 0 at rest", EVERYWHERE, move_ring),
	  .at = TX_RING, .len = 0, .arg = 0, .may = WIRE_NONE },
	{ CASE("a ring of length 128 + 127", EVERYWHERE, move_ring), TOLD_RING,
	  RING_BITS, .at = TX_RING, .len = 255, .arg = 8, .may = WIRE_NONE },
	{ CASE("a ring at the end of low memory", EVERYWHERE, good_ring),
	  .at = LOW_SIZE - 128, .len = 128, .arg = 1, .may = WIRE_SOME },
	{ CASE("a ring at the end of high memory", EVERYWHERE, good_ring),
	  .at = HIGH_END - 128, .len = 128, .arg = 1, .may = WIRE_SOME },
	{ CASE("the tail is the count", EVERYWHERE, tail), TOLD_RING, RING_BITS,
	  .arg = 64, .may = WIRE_NONE },
	{ CASE("the tail is beyond the count", EVERYWHERE, tail), TOLD_RING,
	  RING_BITS, .arg = 65, .may = WIRE_NONE },
	{ CASE("the tail is 0xffff", EVERYWHERE, tail), TOLD_RING, RING_BITS,
	  .arg = 0xffff, .may = WIRE_NONE },
	{ CASE("the tail has bits above its field", EVERYWHERE, tail),
	  TOLD_RING, RING_BITS, .arg = 0x80000001, .may = WIRE_NONE },
	{ CASE("the head is written while it runs", EVERYWHERE, head),
	  .told = true, .offence = DMM_DENIED, .who = "TDH",
	  .line = "write TDBAL TDBAH TDLEN TDH, then: deny", .arg = 5,
	  .may = WIRE_SOME },
	{ CASE("a buffer at the neighbour's device address", EVERYWHERE,
	       buffer),
	  TOLD_RING, BUFFER_BITS, .at = ON_NEIGHBOUR, .len = 100,
	  .may = WIRE_NONE },
	{ CASE("the same behind its own bytes", EVERYWHERE, buffer_behind),
	  TOLD_RING, BUFFER_BITS, .at = ON_NEIGHBOUR, .len = 100,
	  .may = WIRE_NONE },
	{ CASE("a buffer at the third's device address", EVERYWHERE,
	       buffer_behind),
	  TOLD_RING, BUFFER_BITS, .at = ON_THIRD, .len = 1000,
	  .may = WIRE_NONE },
	{ CASE("a buffer in the monitor's area", EVERYWHERE, buffer_behind),
	  TOLD_RING, BUFFER_BITS, .at = ON_AREA, .len = 1000,
	  .may = WIRE_NONE },
	{ CASE("a buffer in the monitor's copies of heads", EVERYWHERE,
	       buffer_behind),
	  TOLD_RING, BUFFER_BITS, .at = ON_AREA_HEADS, .len = 1000,
	  .may = WIRE_NONE },
	{ CASE("a buffer in a BAR", EVERYWHERE, buffer_behind), TOLD_RING,
	  BUFFER_BITS, .at = BAR, .len = 64, .may = WIRE_NONE },
	{ CASE("a buffer across the end of low memory", EVERYWHERE,
	       buffer_behind),
	  TOLD_RING, BUFFER_BITS, .at = LOW_SIZE - 1, .len = 2,
	  .may = WIRE_NONE },
	{ CASE("a buffer from the end of low memory on", EVERYWHERE,
	       buffer_behind),
	  TOLD_RING, BUFFER_BITS, .at = LOW_SIZE, .len = 64, .may = WIRE_NONE },
	{ CASE("a buffer across the end of high memory", EVERYWHERE,
	       buffer_behind),
	  TOLD_RING, BUFFER_BITS, .at = HIGH_END - 63, .len = 64,
	  .may = WIRE_NONE },
	{ CASE("a buffer across 2^64", EVERYWHERE, buffer_behind), TOLD_RING,
	  BUFFER_BITS, .at = TOP, .len = 0x1000, .may = WIRE_NONE },
	{ CASE("a buffer as long as a field can say", EVERYWHERE, buffer_long),
	  TOLD_RING, BUFFER_BITS, .at = LOW_SIZE - 0xfffe, .len = 0xfffff,
	  .may = WIRE_NONE },
};

const struct attack_table attack_ring_table = { &attack_e1000, cases,
						ARRAY_LEN(cases) };
