// SPDX-License-Identifier: MIT
/*
 * attack_door.c: attacks by registers: second doors onto them, odd accesses,
 * resets, interrupts, statistics, the PHY and the EEPROM, bus mastering, and a
 * device that is stuck.
 */

#include "attack.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vmm/sim_e1000.h"

#define DENIED(reg, rule) \
	.told = true, .offence = DMM_DENIED, .who = reg, .line = rule
#define DENIED_TX(reg) DENIED(reg, "write TDBAL TDBAH TDLEN TDH, then: deny")
#define DENIED_RX(reg) DENIED(reg, "write RDBAL RDBAH RDLEN RDH, then: deny")
#define REFUSED(ring) \
	.told = true, .offence = DMM_REFUSED, .who = ring, .line = ring ":"
#define BAR_SIZE 0x20000u
#define STORM_NS 20000000u
#define SERVED_MIN 100u /* in that time; some 10,000 are usual */
#define STUCK_NS UINT64_C(700000000)

/* ---- registers and their doors ---- */

/* (arg) into the register (at), by each of its doors in turn: (len). */
enum { PLAIN, WINDOW };

static void put(struct rig *rig, uint32_t reg, uint32_t v)
{
	if (rig->c->len == PLAIN) {
		nic_write(rig, HOSTILE, reg, v);
		return;
	}
	attack_access(rig, HOSTILE, 1, E1000_IOADDR, 4, true, reg);
	attack_access(rig, HOSTILE, 1, E1000_IODATA, 4, true, v);
}

static void one_write(struct rig *rig)
{
	put(rig, (uint32_t)rig->c->at, (uint32_t)rig->c->arg);
	nic_send(rig, TX_BUFS, 100);
}

/* The transmitter off, the ring moved by doors, on again. */
static void door_ring(struct rig *rig)
{
	static const uint32_t reg[2][4] = {
		{ 0x420, 0x424, 0x428, 0x430 },
		{ R_TDBAL, R_TDBAH, R_TDLEN, R_TDH },
	};
	const uint32_t *r = reg[rig->c->len];
	uint64_t at = attack_at(rig);

	put(rig, R_TCTL, 0);
	put(rig, r[0], (uint32_t)at);
	put(rig, r[1], (uint32_t)(at >> 32));
	put(rig, r[2], 128);
	put(rig, r[3], 0);
	put(rig, R_TCTL, TCTL_EN);
	put(rig, rig->c->len == PLAIN ? 0x438 : R_TDT, 4);
}

/* The window pointed at nothing, at odd places, at the window's registers. */
static void window_odd(struct rig *rig)
{
	static const uint32_t at[] = { 0x3819,	   0x381a,     0x381b,
				       0x1fffd,	   BAR_SIZE,   BAR_SIZE + 4,
				       0xfffff,	   0x7ffffffc, 0xfffffffc,
				       0xffffffff, 0x10000,    0x2410 };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(at); i++) {
		attack_access(rig, HOSTILE, 1, E1000_IOADDR, 4, true, at[i]);
		attack_access(rig, HOSTILE, 1, E1000_IODATA, 4, true, 0x40);
		if (attack_access(rig, HOSTILE, 1, E1000_IODATA, 4, false, 0) !=
		    UINT32_MAX)
			attack_bad(rig, "IOADDR 0x%x reads something", at[i]);
	}
}

static void window_narrow(struct rig *rig)
{
	static const uint8_t width[] = { 1, 2, 8 };
	unsigned int i, off;

	attack_access(rig, HOSTILE, 1, E1000_IOADDR, 4, true, R_TDT);
	for (i = 0; i < ARRAY_LEN(width); i++)
		for (off = 0; off < 12; off++)
			attack_access(rig, HOSTILE, 1, off, width[i], true,
				      0x4000000040);
	if (nic_read(rig, HOSTILE, R_TDT) != 0)
		attack_bad(rig, "a narrow write went through the window");
	nic_send(rig, TX_BUFS, 100);
}

static void window_itself(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 16; i++) {
		attack_access(rig, HOSTILE, 1, E1000_IOADDR, 4, true, i);
		attack_access(rig, HOSTILE, 1, E1000_IODATA, 4, true, i * 4);
	}
	attack_access(rig, HOSTILE, 1, E1000_IOADDR, 4, true, E1000_IODATA);
	attack_access(rig, HOSTILE, 1, E1000_IODATA, 4, true, CTRL_RST);
	if (nic_read(rig, HOSTILE, R_TCTL))
		attack_bad(rig, "CTRL at 4, by the window, does not reset");
}

/* What no register classes reads as ones, and keeps nothing. */
static void unclassed(struct rig *rig)
{
	uint64_t off, end = rig->c->at + rig->c->len;

	for (off = rig->c->at; off < end; off += 4) {
		attack_access(rig, HOSTILE, 0, off, 4, true, 0);
		if (attack_access(rig, HOSTILE, 0, off, 4, false, 0) !=
		    UINT32_MAX)
			attack_bad(rig, "0x%x reads something",
				   (unsigned int)off);
	}
}

static void bar_end(struct rig *rig)
{
	static const uint8_t width[] = { 1, 2, 4, 8 };
	unsigned int bar, i;
	uint64_t size, off;

	for (bar = 0; bar < 2; bar++)
		for (i = 0; i < ARRAY_LEN(width); i++) {
			size = bar ? 0x40 : BAR_SIZE;
			for (off = size - 8; off < size + 16; off++) {
				attack_access(rig, HOSTILE, bar, off, width[i],
					      true, 0);
				attack_access(rig, HOSTILE, bar, off, width[i],
					      false, 0);
			}
			attack_access(rig, HOSTILE, bar, UINT64_MAX - 1,
				      width[i], true, 0);
		}
}

/* Every register and every gap, of every width, with numbers of all kinds. */
static void everything(struct rig *rig)
{
	static const uint8_t width[] = { 4, 4, 4, 1, 2, 8 };
	uint64_t seed = rig->c->arg, v;
	unsigned int i;

	for (i = 0; i < 30000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		v = seed >> 20;
		v = seed >> 60 < 4 ? 1u << (v & 31) : seed >> 60 < 6 ? ~0u : v;
		attack_access(rig, HOSTILE, (seed >> 8 & 15) == 0,
			      (seed >> 33 & 0xffff) >> (seed >> 12 & 3) * 2,
			      width[(seed >> 16) % 6], seed >> 4 & 1, v);
	}
}

static void wide(struct rig *rig)
{
	uint64_t at = rig->dma.guest[NEIGHBOUR].iova[0];

	nic_write(rig, HOSTILE, R_TCTL, 0);
	attack_access(rig, HOSTILE, 0, R_TDBAL, 8, true, at);
	attack_access(rig, HOSTILE, 0, R_TDBAL - 4, 8, true, at << 32);
	nic_write(rig, HOSTILE, R_TCTL, TCTL_EN);
	attack_access(rig, HOSTILE, 0, R_TDT - 4, 8, true, UINT64_C(63) << 32);
	attack_access(rig, HOSTILE, 0, R_TDT, 2, true, 64);
	attack_access(rig, HOSTILE, 0, R_TDT, 1, true, 65);
	attack_access(rig, HOSTILE, 0, R_TDT + 2, 2, true, 1);
	nic_send(rig, TX_BUFS, 100);
}

/* ---- resets ---- */

static void reset_storm(struct rig *rig)
{
	unsigned int i, k;

	for (i = 0; i < 200; i++) {
		for (k = 0; k < i % 7; k++)
			nic_send(rig, TX_BUFS + k * 4096, 60 + 20 * i % 1400);
		if (i % 3 == 0)
			attack_turn(rig);
		nic_start(rig, HOSTILE);
	}
	nic_neighbour_out(rig);
}

/* Frames of the old ring come back when there are some of a new one. */
static void reset_in_flight(struct rig *rig)
{
	struct seat *s = &rig->guest[HOSTILE];
	uint64_t tail;
	unsigned int i;

	attack_stall(rig, R_TDT);
	for (i = 0; i < 3; i++)
		nic_send(rig, TX_BUFS + i * 4096, 100);
	attack_settle(rig);
	tail = rig->stall_value;
	nic_start(rig, HOSTILE);
	for (i = 0; i < 3; i++)
		nic_send(rig, TX_BUFS + i * 4096, 100);
	attack_settle(rig);
	rig->ops->write(rig->be, 0, R_TDT, 4, tail);
	for (i = 0; i < 10000; i++)
		if (rig->ops->read(rig->be, 0, R_TDH, 4) == tail)
			break;
	attack_settle(rig);
	for (i = 0; i < 3; i++)
		if (s->host[TX_RING + i * 16 + 12] & 1)
			attack_bad(rig, "a frame from before a reset completes "
					"one from after it");
}

static void leave_in_flight(struct rig *rig)
{
	unsigned int i;

	rig->spent = true;
	attack_stall(rig, R_TDT);
	for (i = 0; i < 5; i++)
		nic_send(rig, TX_BUFS + i * 4096, 1000);
	attack_turn(rig);
	dmm_leave(rig->dmm, HOSTILE);
	rig->guest[HOSTILE].gone = true;
	attack_release(rig);
	attack_settle(rig);
}

/* What the card has from a guest that is gone is not asked for by others. */
static void stuck(struct rig *rig)
{
	unsigned int i;

	attack_stall(rig, R_TDT);
	for (i = 0; i < 3; i++)
		nic_send(rig, TX_BUFS + i * 4096, 1000);
	attack_settle(rig);
	if (rig->c->arg)
		nic_neighbour_post(rig, attack_outside);
	rig->skew += STUCK_NS;
	attack_turn(rig);
	attack_release(rig);
	if (rig->c->arg)
		nic_neighbour_wait(rig);
}

/* ---- interrupts and statistics ---- */

static void interrupts(struct rig *rig)
{
	unsigned int i;

	nic_write(rig, HOSTILE, R_IMS, 0xffffffff);
	for (i = 0; i < 2000; i++) {
		nic_write(rig, HOSTILE, R_ICS, 0xffffffff);
		nic_read(rig, HOSTILE, R_ICR);
		nic_write(rig, HOSTILE, R_ICS, 1u << i % 32);
		if (i % 500 == 0)
			nic_neighbour_out(rig);
	}
	if (!rig->guest[HOSTILE].line)
		attack_bad(rig, "ICS makes no interrupt");
	if (rig->guest[NEIGHBOUR].line || rig->guest[THIRD].line)
		attack_bad(rig, "a guest interrupts another");
}

struct storm {
	struct rig *rig;
	pthread_mutex_t lock; /* as the gate's, of the device */
	atomic_bool stop;
};

static void *make_storm(void *arg)
{
	struct storm *s = arg;
	unsigned int i;

	while (!atomic_load(&s->stop)) {
		pthread_mutex_lock(&s->lock);
		nic_write(s->rig, HOSTILE, R_ICS, 0xffffffff);
		pthread_mutex_unlock(&s->lock);
		for (i = 0; i < 4000; i++) /* an exit has its cost */
			atomic_load(&s->stop);
	}
	return NULL;
}

/* That this thread ran: where others have the machine, it must have, too. */
static uint64_t ran_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t))
		abort();
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* From a processor of its own: the neighbour's accesses are served. */
static void storm(struct rig *rig)
{
	struct storm s = { .rig = rig, .lock = PTHREAD_MUTEX_INITIALIZER };
	uint64_t start = attack_now(rig), now = start;
	uint64_t run = ran_ns() + STORM_NS / 4;
	unsigned int served = 0;
	pthread_t other;

	nic_write(rig, HOSTILE, R_IMS, 0xffffffff);
	if (pthread_create(&other, NULL, make_storm, &s))
		abort();
	while (now - start < STORM_NS ||
	       (now - start < 100ull * STORM_NS && ran_ns() < run)) {
		pthread_mutex_lock(&s.lock);
		nic_read(rig, NEIGHBOUR, R_STATUS);
		pthread_mutex_unlock(&s.lock);
		served++;
		now = attack_now(rig);
	}
	atomic_store(&s.stop, true);
	pthread_join(other, NULL);
	if (served < SERVED_MIN)
		attack_bad(rig, "only %u accesses of the neighbour are served",
			   served);
}

static void statistics(struct rig *rig)
{
	unsigned int off;

	nic_read(rig, NEIGHBOUR, R_ICR);
	for (off = R_STATS; off < R_STATS_END; off += 4)
		nic_read(rig, NEIGHBOUR, off);
	attack_in(rig);
	nic_neighbour_out(rig);
	for (off = R_STATS; off < R_STATS_END; off += 4)
		if (nic_read(rig, HOSTILE, off))
			attack_bad(rig, "statistics of another are at 0x%x",
				   off);
	if (nic_read(rig, HOSTILE, R_ICR) & (ICR_TXDW | ICR_RXT0))
		attack_bad(rig, "causes of another are shown");
	if ((nic_read(rig, NEIGHBOUR, R_ICR) & (ICR_TXDW | ICR_RXT0)) !=
	    (ICR_TXDW | ICR_RXT0))
		attack_bad(rig, "the neighbour's causes are lost");
	if (nic_read(rig, NEIGHBOUR, R_GPRC) != 1)
		attack_bad(rig, "the neighbour's statistics are lost");
}

/* ---- PHY and EEPROM ---- */

static void mdic(struct rig *rig)
{
	unsigned int phy, reg;

	for (phy = 0; phy < 32; phy++)
		for (reg = 0; reg < 32; reg++) {
			nic_write(rig, HOSTILE, R_MDIC,
				  (uint32_t)rig->c->arg | reg << 16 |
					  phy << 21 | MDIC_WRITE);
			nic_write(rig, HOSTILE, R_MDIC,
				  reg << 16 | phy << 21 | MDIC_READ);
			nic_read(rig, HOSTILE, R_MDIC);
		}
	nic_send(rig, TX_BUFS, 100);
}

static void pin(struct rig *rig, uint32_t v)
{
	nic_write(rig, HOSTILE, R_EECD, EECD_REQ | v);
}

static void bits(struct rig *rig, uint32_t v, unsigned int n)
{
	while (n--) {
		uint32_t di = v >> n & 1 ? EECD_DI : 0;

		pin(rig, EECD_CS | di);
		pin(rig, EECD_CS | di | EECD_SK);
		pin(rig, EECD_CS | di);
	}
}

/* A 93C46's commands: a start bit, two of what, six of where. */
static void eeprom_write(struct rig *rig)
{
	unsigned int i;

	pin(rig, 0);
	pin(rig, EECD_CS);
	bits(rig, 0x130, 9); /* writing is enabled */
	pin(rig, 0);
	for (i = 0; i < 3; i++) {
		pin(rig, EECD_CS);
		bits(rig, 0x140 | i, 9);
		bits(rig, 0xdead, 16);
		pin(rig, 0);
		pin(rig, EECD_CS);
		pin(rig, 0);
	}
	pin(rig, EECD_CS);
	bits(rig, (uint32_t)rig->c->arg, 9); /* all of it */
	bits(rig, 0xbeef, 16);
	pin(rig, 0);
}

static void eeprom_read(struct rig *rig)
{
	const uint8_t *mac = rig->guest[HOSTILE].mac;
	uint32_t i, v, sum = 0;

	for (i = 0; i < 64; i++) {
		nic_write(rig, HOSTILE, R_EERD, i << 8 | EERD_START);
		v = nic_read(rig, HOSTILE, R_EERD) >> 16;
		sum += v;
		if (i < 3 && v != (mac[2 * i] | (uint32_t)mac[2 * i + 1] << 8))
			attack_bad(rig, "an address that is not its own");
	}
	if ((sum & 0xffff) != 0xbaba)
		attack_bad(rig, "the EEPROM's sum is wrong");
	for (; i < 256; i++) {
		nic_write(rig, HOSTILE, R_EERD, i << 8 | EERD_START);
		if (nic_read(rig, HOSTILE, R_EERD) >> 16)
			attack_bad(rig, "word %u of 64 reads something", i);
	}
}

/* ---- bus mastering ---- */

static void master_off(struct rig *rig)
{
	rig->guest[HOSTILE].master = false;
	nic_send(rig, TX_BUFS, 100);
	attack_settle(rig);
}

static void master_toggled(struct rig *rig)
{
	uint8_t frame[100] = { 0 };
	unsigned int i;

	memcpy(frame, rig->guest[HOSTILE].mac, 6);
	memcpy(frame + 6, attack_outside, 6);
	for (i = 0; i < 50; i++) {
		rig->guest[HOSTILE].master = i & 1;
		nic_send(rig, TX_BUFS + i % 8 * 4096, 100);
		if (i % 10 == 0)
			attack_wire_send(rig, frame, sizeof(frame));
		attack_turn(rig);
	}
	rig->guest[HOSTILE].master = true;
}

static const struct attack_case cases[] = {
	{ CASE("TDBAL while it runs", EVERYWHERE, one_write),
	  DENIED_TX("TDBAL"), .at = R_TDBAL, .arg = 0x1400000,
	  .may = WIRE_SOME },
	{ CASE("TDBAH while it runs", EVERYWHERE, one_write),
	  DENIED_TX("TDBAH"), .at = R_TDBAH, .arg = 1, .may = WIRE_SOME },
	{ CASE("TDLEN while it runs", EVERYWHERE, one_write),
	  DENIED_TX("TDLEN"), .at = R_TDLEN, .arg = 0xfff80, .may = WIRE_SOME },
	{ CASE("RDBAL while it runs", EVERYWHERE, one_write),
	  DENIED_RX("RDBAL"), .at = R_RDBAL, .arg = 0x1400000,
	  .may = WIRE_SOME },
	{ CASE("RDBAH while it runs", EVERYWHERE, one_write),
	  DENIED_RX("RDBAH"), .at = R_RDBAH, .arg = 1, .may = WIRE_SOME },
	{ CASE("RDLEN while it runs", EVERYWHERE, one_write),
	  DENIED_RX("RDLEN"), .at = R_RDLEN, .arg = 0xfff80, .may = WIRE_SOME },
	{ CASE("RDH while it runs", EVERYWHERE, one_write), DENIED_RX("RDH"),
	  .at = R_RDH, .arg = 7, .may = WIRE_SOME },
	{ CASE("TDBAL by its old address", EVERYWHERE, one_write),
	  DENIED_TX("TDBAL"), .at = 0x420, .arg = 0x1400000, .may = WIRE_SOME },
	{ CASE("TDLEN by its old address", EVERYWHERE, one_write),
	  DENIED_TX("TDLEN"), .at = 0x428, .arg = 0xfff80, .may = WIRE_SOME },
	{ CASE("TDT by its old address", EVERYWHERE, one_write),
	  REFUSED("txRing"), .at = 0x438, .arg = 64, .may = WIRE_SOME,
	  .without = DMM_WITHOUT_RING },
	{ CASE("RDBAL by its old address", EVERYWHERE, one_write),
	  DENIED_RX("RDBAL"), .at = 0x110, .arg = 0x1400000, .may = WIRE_SOME },
	{ CASE("RDT by its old address", EVERYWHERE, one_write),
	  REFUSED("rxRing"), .at = 0x128, .arg = 64, .may = WIRE_SOME,
	  .without = DMM_WITHOUT_RING },
	{ CASE("TDBAL by the window", EVERYWHERE, one_write),
	  DENIED_TX("TDBAL"), .at = R_TDBAL, .len = WINDOW, .arg = 0x1400000,
	  .may = WIRE_SOME },
	{ CASE("TDT by the window", EVERYWHERE, one_write), REFUSED("txRing"),
	  .at = R_TDT, .len = WINDOW, .arg = 64, .may = WIRE_SOME,
	  .without = DMM_WITHOUT_RING },
	{ CASE("an old address by the window", EVERYWHERE, one_write),
	  REFUSED("txRing"), .at = 0x438, .len = WINDOW, .arg = 0xffff,
	  .may = WIRE_SOME, .without = DMM_WITHOUT_RING },
	{ CASE("a ring by its old addresses", EVERYWHERE, door_ring),
	  REFUSED("txRing"), .at = ON_NEIGHBOUR, .len = PLAIN, .may = WIRE_NONE,
	  .without = DMM_WITHOUT_RING },
	{ CASE("a ring by the window", EVERYWHERE, door_ring),
	  REFUSED("txRing"), .at = ON_NEIGHBOUR, .len = WINDOW,
	  .may = WIRE_NONE, .without = DMM_WITHOUT_RING },
	{ CASE("the window at odd places", EVERYWHERE, window_odd) },
	{ CASE("the window with narrow accesses", EVERYWHERE, window_narrow),
	  .may = WIRE_SOME },
	{ CASE("the window at itself", EVERYWHERE, window_itself) },
	{ CASE("the packet buffer", EVERYWHERE, unclassed), .at = 0x10000,
	  .len = 0x1000 },
	{ CASE("the FIFOs' pointers", EVERYWHERE, unclassed), .at = 0x2410,
	  .len = 0x24 },
	{ CASE("the transmit FIFO's pointers", EVERYWHERE, unclassed),
	  .at = 0x3410, .len = 0x24 },
	{ CASE("the FIFOs' pointers by old addresses", EVERYWHERE, unclassed),
	  .at = 0x8000, .len = 0x20 },
	{ CASE("the flash's and the rest of the BAR", EVERYWHERE, unclassed),
	  .at = 0xa000, .len = 0x1000 },
	{ CASE("the end of a BAR", EVERYWHERE, bar_end) },
	{ CASE("everything, some way or other", EVERYWHERE, everything),
	  .arg = 1, .may = MAY_TELL },
	{ CASE("everything, another way", EVERYWHERE, everything), .arg = 77,
	  .may = MAY_TELL },
	{ CASE("registers by 8, 16 and 64 bits", EVERYWHERE, wide),
	  REFUSED("txRing"), .may = WIRE_NONE | MAY_TELL },
	{ CASE("a reset storm", EVERYWHERE, reset_storm) },
	{ CASE("a reset with frames in flight", EVERYWHERE, reset_in_flight),
	  .may = WIRE_SOME, .without = DMM_WITHOUT_GENERATION },
	{ CASE("gone with frames in flight", ON_SIM | IN_ALL,
	       leave_in_flight) },
	{ CASE("a device that is stuck", EVERYWHERE, stuck), .told = true,
	  .offence = DMM_FAILED, .who = "e1000" },
	{ CASE("a device that is stuck, and the neighbour waits",
	       ON_BOTH | IN_LEASE, stuck),
	  .told = true, .offence = DMM_FAILED, .who = "e1000", .may = MAY_TELL,
	  .arg = 1 },
	{ CASE("an interrupt storm", EVERYWHERE, interrupts) },
	{ CASE("an interrupt storm from a processor of its own", EVERYWHERE,
	       storm) },
	{ CASE("statistics and causes of another", EVERYWHERE, statistics) },
	{ CASE("the PHY's loopback", EVERYWHERE, mdic), .arg = PCTRL_LOOPBACK,
	  .may = WIRE_SOME },
	{ CASE("the PHY off, and its reset", EVERYWHERE, mdic),
	  .arg = PCTRL_RESET | PCTRL_POWER_DOWN | PCTRL_ISOLATE,
	  .may = WIRE_SOME },
	{ CASE("the EEPROM is written", EVERYWHERE, eeprom_write), .told = true,
	  .offence = DMM_DENIED, .who = "nvm", .line = "nvm:", .arg = 0x110,
	  .without = DMM_WITHOUT_EEPROM },
	{ CASE("the EEPROM is erased", EVERYWHERE, eeprom_write), .told = true,
	  .offence = DMM_DENIED, .who = "nvm", .line = "nvm:", .arg = 0x120,
	  .without = DMM_WITHOUT_EEPROM },
	{ CASE("the EEPROM's address is its own", EVERYWHERE, eeprom_read) },
	{ CASE("no bus mastering", EVERYWHERE, master_off), REFUSED("txRing"),
	  .may = WIRE_NONE },
	{ CASE("bus mastering on and off", EVERYWHERE, master_toggled),
	  REFUSED("txRing"), .may = MAY_TELL },
};

const struct attack_table attack_door_table = { &attack_e1000, cases,
						ARRAY_LEN(cases) };
