// SPDX-License-Identifier: MIT
/*
 * attack_port.c: attacks on a card with memory of its own behind a data port:
 * transfers and frames outside of it, more than was counted, what others left
 * there, and never letting go.
 */

#include "attack.h"

#include <string.h>

#include "vmm/sim_ne2k.h"

#define WAYS (ON_BOTH | IN_LEASE | IN_DROP)
#define REFUSED(check) \
	.told = true, .offence = DMM_REFUSED, .who = check, .line = check ":"
#define OWN_PAGE 0x90u

/* Nothing that others' frames are filled with may be read. */
static void look(struct rig *rig, const uint8_t *p, size_t len)
{
	if (memmem(p, len, "NNNNNNNN", 8))
		attack_bad(rig,
			   "the hostile guest reads the neighbour's bytes");
}

static void own_frame(struct rig *rig, uint8_t page, const uint8_t from[6],
		      uint16_t len)
{
	uint8_t frame[1514];

	memset(frame, MARK_H, sizeof(frame));
	memcpy(frame, attack_outside, 6);
	memcpy(frame + 6, from, 6);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	ne_remote(rig, HOSTILE, (uint16_t)(page << 8), len, 0x12);
	ne_put(rig, HOSTILE, frame, len);
}

/* (len) bytes from (at) by remote DMA, (arg) being its command. */
static void remote(struct rig *rig)
{
	uint8_t buf[512];

	memset(buf, MARK_H, sizeof(buf));
	ne_remote(rig, HOSTILE, (uint16_t)rig->c->at, (uint16_t)rig->c->len,
		  (uint8_t)rig->c->arg);
	if (rig->c->arg & 0x10) {
		ne_put(rig, HOSTILE, buf, sizeof(buf));
		return;
	}
	ne_take(rig, HOSTILE, buf, sizeof(buf));
	look(rig, buf, sizeof(buf));
}

/* More than was counted: ones, and no byte of the card. */
static void beyond(struct rig *rig)
{
	uint8_t buf[2048];
	unsigned int i;

	ne_remote(rig, HOSTILE, (uint16_t)rig->c->at, 4, 0x0a);
	ne_take(rig, HOSTILE, buf, sizeof(buf));
	for (i = 4; i < sizeof(buf); i++)
		if (buf[i] != 0xff) {
			attack_bad(rig, "byte %u of 4 is read", i);
			return;
		}
}

static void beyond_write(struct rig *rig)
{
	uint8_t buf[2048];

	memset(buf, MARK_H, sizeof(buf));
	ne_remote(rig, HOSTILE, 0x4000, 4, 0x12);
	ne_put(rig, HOSTILE, buf, sizeof(buf));
	ne_remote(rig, HOSTILE, 0x4004, 64, 0x0a);
	ne_take(rig, HOSTILE, buf, 64);
	if (memmem(buf, 64, "HHHHHHHH", 8))
		attack_bad(rig, "more is written than was counted");
}

/* All of the card's memory, while and after the neighbour uses it. */
static void everything(struct rig *rig)
{
	uint8_t buf[0x4000];

	attack_transfer(rig);
	ne_remote(rig, HOSTILE, 0x4000, sizeof(buf), 0x0a);
	ne_take(rig, HOSTILE, buf, sizeof(buf));
	look(rig, buf, sizeof(buf));
	ne_remote(rig, HOSTILE, 0x8000, sizeof(buf), 0x0a);
	ne_take(rig, HOSTILE, buf, sizeof(buf));
	look(rig, buf, sizeof(buf));
}

static void send(struct rig *rig)
{
	own_frame(rig, OWN_PAGE, rig->guest[HOSTILE].mac, 100);
	ne_send(rig, HOSTILE, (uint8_t)rig->c->at, (uint16_t)rig->c->len);
	attack_settle(rig);
}

static void forged(struct rig *rig)
{
	own_frame(rig, OWN_PAGE, rig->guest[NEIGHBOUR].mac, 100);
	ne_send(rig, HOSTILE, OWN_PAGE, 100);
	attack_settle(rig);
}

static void command(struct rig *rig)
{
	ne_write16(rig, HOSTILE, P0_RBCR0, 100);
	ne_write(rig, HOSTILE, NE2K_CR, (uint8_t)rig->c->arg);
	ne_write(rig, HOSTILE, NE2K_CR, 0x22);
}

/* Where it reads, in the middle of reading. */
static void moved(struct rig *rig)
{
	uint8_t buf[200];

	ne_remote(rig, HOSTILE, 0x9000, 200, 0x0a);
	ne_take(rig, HOSTILE, buf, 10);
	ne_write16(rig, HOSTILE, P0_RSAR0, 0x4000);
	ne_take(rig, HOSTILE, buf, 190);
	look(rig, buf, 190);
}

/* It never ends its transfer, so that the card cannot be handed over. */
static void never(struct rig *rig)
{
	uint8_t buf[4];

	ne_remote(rig, HOSTILE, 0x9000, 200, 0x0a);
	ne_take(rig, HOSTILE, buf, 4);
	attack_settle(rig);
}

static void listens(struct rig *rig)
{
	const uint8_t *mac = rig->guest[NEIGHBOUR].mac;
	unsigned int i;

	ne_write(rig, HOSTILE, NE2K_CR, 0x62);
	for (i = 0; i < 6; i++)
		ne_write(rig, HOSTILE, 1 + i, mac[i]);
	for (i = 0; i < 8; i++)
		ne_write(rig, HOSTILE, 8 + i, 0xff);
	ne_write(rig, HOSTILE, NE2K_CR, 0x22);
	ne_write(rig, HOSTILE, P0_RCR, 0x1f);
	everything(rig);
}

static void resets(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 50; i++) {
		own_frame(rig, OWN_PAGE, rig->guest[HOSTILE].mac, 100);
		ne_send(rig, HOSTILE, OWN_PAGE, 100);
		ne_read(rig, HOSTILE, NE2K_RESET);
		ne_write(rig, HOSTILE, NE2K_RESET, 0);
		ne_start(rig, HOSTILE);
	}
}

static void bad_ring(struct rig *rig)
{
	static const uint8_t pages[][4] = { { 0, 0xff, 0, 0 },
					    { 0x40, 0x40, 0x40, 0x40 },
					    { 0x80, 0x40, 0x60, 0x61 },
					    { 0xbf, 0xff, 0xfe, 0xfe },
					    { 0x40, 0xc1, 0xc0, 0xc0 } };
	uint8_t frame[600];
	unsigned int i;

	memset(frame, 'W', sizeof(frame));
	memcpy(frame, rig->guest[HOSTILE].mac, 6);
	memcpy(frame + 6, attack_outside, 6);
	for (i = 0; i < ARRAY_LEN(pages); i++) {
		ne_write(rig, HOSTILE, P0_PSTART, pages[i][0]);
		ne_write(rig, HOSTILE, P0_PSTOP, pages[i][1]);
		ne_write(rig, HOSTILE, P0_BNRY, pages[i][2]);
		ne_write(rig, HOSTILE, NE2K_CR, 0x62);
		ne_write(rig, HOSTILE, 7, pages[i][3]);
		ne_write(rig, HOSTILE, NE2K_CR, 0x22);
		attack_wire_send(rig, frame, sizeof(frame));
		attack_settle(rig);
	}
	everything(rig);
}

/* Writing to page 3 reaches the EEPROM, on the part. */
static void config(struct rig *rig)
{
	unsigned int i;

	ne_write(rig, HOSTILE, NE2K_CR, 0xe2);
	for (i = 1; i < 16; i++)
		ne_write(rig, HOSTILE, i, 0xc0 | (uint8_t)i);
	ne_write(rig, HOSTILE, NE2K_CR, 0x22);
}

static void loops(struct rig *rig)
{
	unsigned int i;

	for (i = 1; i < 4; i++) {
		ne_write(rig, HOSTILE, P0_TCR, (uint8_t)(i << 1 | 1));
		own_frame(rig, OWN_PAGE, rig->guest[HOSTILE].mac, 100);
		ne_send(rig, HOSTILE, OWN_PAGE, 100);
		attack_settle(rig);
		attack_transfer(rig);
	}
}

static const struct attack_case cases[] = {
	{ CASE("remote DMA below the card's memory", WAYS, remote),
	  REFUSED("remote"), .at = 0x3f00, .len = 0x200, .arg = 0x0a,
	  .without = DMM_WITHOUT_RANGE },
	{ CASE("remote DMA beyond the card's memory", WAYS, remote),
	  REFUSED("remote"), .at = 0xbf00, .len = 0x200, .arg = 0x0a,
	  .without = DMM_WITHOUT_RANGE },
	{ CASE("remote DMA around 64 KiB", WAYS, remote), REFUSED("remote"),
	  .at = 0xff00, .len = 0x200, .arg = 0x0a,
	  .without = DMM_WITHOUT_RANGE },
	{ CASE("remote DMA of 64 KiB", WAYS, remote), REFUSED("remote"),
	  .at = 0x4000, .len = 0xffff, .arg = 0x0a,
	  .without = DMM_WITHOUT_RANGE },
	{ CASE("remote writing below the card's memory", WAYS, remote),
	  REFUSED("remote"), .at = 0x0100, .len = 0x200, .arg = 0x12,
	  .without = DMM_WITHOUT_RANGE },
	{ CASE("remote writing across the card's identity", WAYS, remote),
	  REFUSED("remote"), .at = 0x0010, .len = 0x40, .arg = 0x12,
	  .without = DMM_WITHOUT_RANGE },
	{ CASE("reading more than was counted", WAYS, beyond), .at = 0x4000,
	  .without = DMM_WITHOUT_COUNT },
	{ CASE("reading more than was counted at the end", WAYS, beyond),
	  .at = 0xbffc, .without = DMM_WITHOUT_COUNT },
	{ CASE("writing more than was counted", WAYS, beyond_write),
	  .without = DMM_WITHOUT_COUNT },
	{ CASE("reading all that is on the card", WAYS, everything),
	  .without = DMM_WITHOUT_SCRUB | DMM_WITHOUT_RANGE },
	{ CASE("a frame beyond the card's memory", WAYS, send),
	  REFUSED("frame"), .at = 0xbf, .len = 1514, .may = WIRE_NONE },
	{ CASE("a frame below the card's memory", WAYS, send), REFUSED("frame"),
	  .at = 0x3f, .len = 512, .may = WIRE_NONE },
	{ CASE("a frame of 64 KiB", WAYS, send), REFUSED("frame"),
	  .at = OWN_PAGE, .len = 0xffff, .may = WIRE_NONE },
	{ CASE("a frame of two bytes", WAYS, send), REFUSED("frame"),
	  .at = OWN_PAGE, .len = 2, .may = WIRE_NONE },
	{ CASE("a good frame", WAYS, send), .at = OWN_PAGE, .len = 100,
	  .may = WIRE_SOME },
	{ CASE("a forged source on the card", WAYS, forged), .told = true,
	  .offence = DMM_SPOOFED, .who = "frame",
	  .line = "frame:", .may = WIRE_NONE, .without = DMM_WITHOUT_SOURCE },
	{ CASE("the card sends by itself", WAYS, command), .told = true,
	  .offence = DMM_DENIED, .who = "CR", .line = "value.RD == 3",
	  .arg = 0x1a },
	{ CASE("remote DMA that moves", WAYS, moved), .told = true,
	  .offence = DMM_DENIED, .who = "RSAR",
	  .line = "write RSAR RBCR PSTART PSTOP, then: deny", .may = MAY_TELL },
	{ CASE("remote DMA that never ends, by spool", ON_BOTH | IN_LEASE,
	       never) },
	{ CASE("remote DMA that never ends", ON_BOTH | IN_DROP, never),
	  .told = true, .offence = DMM_FORCED, .who = "ne2k-pci",
	  .may = MAY_TELL },
	{ CASE("the neighbour's address on the card", WAYS, listens),
	  .without = DMM_WITHOUT_FILTER },
	{ CASE("resets of the card", WAYS, resets), .may = MAY_TELL },
	{ CASE("a ring in no memory of the card", WAYS, bad_ring),
	  .may = MAY_TELL },
	{ CASE("the card's configuration", WAYS, config) },
	{ CASE("loopback", WAYS, loops) },
};

const struct attack_table attack_port_table = { &attack_ne2k, cases,
						ARRAY_LEN(cases) };
