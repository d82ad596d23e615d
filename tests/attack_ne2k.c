// SPDX-License-Identifier: MIT
/*
 * attack_ne2k.c: a small driver for the guests of attack.h on an NE2000, whose
 * memory is on the card, and the neighbour's transfer.
 */

#include "attack.h"

#include <string.h>

#include "vmm/sim_ne2k.h"

#define TX_AT 0x4000u
#define FIRST 0x46u
#define STOP 0x80u
#define HEAD 18u /* and the number of the frame */

uint8_t ne_read(struct rig *rig, unsigned int g, unsigned int reg)
{
	return (uint8_t)attack_access(rig, g, 0, reg, 1, false, 0);
}

void ne_write(struct rig *rig, unsigned int g, unsigned int reg, uint8_t v)
{
	attack_access(rig, g, 0, reg, 1, true, v);
}

void ne_write16(struct rig *rig, unsigned int g, unsigned int reg, uint16_t v)
{
	ne_write(rig, g, reg, (uint8_t)v);
	ne_write(rig, g, reg + 1, (uint8_t)(v >> 8));
}

void ne_remote(struct rig *rig, unsigned int g, uint16_t at, uint16_t len,
	       uint8_t cr)
{
	ne_write16(rig, g, P0_RBCR0, len);
	ne_write16(rig, g, P0_RSAR0, at);
	ne_write(rig, g, NE2K_CR, cr);
}

void ne_put(struct rig *rig, unsigned int g, const uint8_t *from, size_t len)
{
	for (size_t i = 0; i < len; i += 2)
		attack_access(rig, g, 0, NE2K_DATA, 2, true,
			      from[i] | (uint64_t)from[i + 1] << 8);
}

void ne_take(struct rig *rig, unsigned int g, uint8_t *to, size_t len)
{
	uint64_t v;

	for (size_t i = 0; i < len; i += 2) {
		v = attack_access(rig, g, 0, NE2K_DATA, 2, false, 0);
		to[i] = (uint8_t)v;
		to[i + 1] = (uint8_t)(v >> 8);
	}
}

void ne_start(struct rig *rig, unsigned int g)
{
	const uint8_t *mac = rig->guest[g].mac;
	unsigned int i;

	ne_write(rig, g, NE2K_CR, 0x21);
	ne_write(rig, g, P0_DCR, 0x49);
	ne_write16(rig, g, P0_RBCR0, 0);
	ne_write(rig, g, P0_RCR, 0x20);
	ne_write(rig, g, P0_TCR, 2);
	ne_write(rig, g, P0_PSTART, FIRST);
	ne_write(rig, g, P0_PSTOP, STOP);
	ne_write(rig, g, P0_BNRY, FIRST);
	ne_write(rig, g, P0_ISR, 0xff);
	ne_write(rig, g, P0_IMR, 0);
	ne_write(rig, g, NE2K_CR, 0x61);
	for (i = 0; i < 6; i++)
		ne_write(rig, g, 1 + i, mac[i]);
	for (i = 0; i < 8; i++)
		ne_write(rig, g, 8 + i, 0);
	ne_write(rig, g, 7, FIRST + 1);
	ne_write(rig, g, NE2K_CR, 0x22);
	ne_write(rig, g, P0_TCR, 0);
	ne_write(rig, g, P0_RCR, 4);
	rig->guest[g].rx = FIRST + 1;
}

void ne_send(struct rig *rig, unsigned int g, uint8_t page, uint16_t len)
{
	ne_write(rig, g, P0_TPSR, page);
	ne_write16(rig, g, P0_TBCR0, len);
	ne_write(rig, g, NE2K_CR, 0x26);
}

static bool sent(struct rig *rig)
{
	return ne_read(rig, NEIGHBOUR, P0_ISR) & 2;
}

static void out(struct rig *rig)
{
	struct seat *s = &rig->guest[NEIGHBOUR];
	uint32_t seq = ++s->seq;
	uint16_t len = (uint16_t)(100 + seq * 64 % 1000);

	attack_make(rig->expect, len, attack_outside, s->mac, seq);
	ne_remote(rig, NEIGHBOUR, TX_AT, len, 0x12);
	ne_put(rig, NEIGHBOUR, rig->expect, len);
	rig->expect_len = len;
	ne_send(rig, NEIGHBOUR, TX_AT >> 8, len);
	attack_sent(rig);
	ne_write(rig, NEIGHBOUR, P0_ISR, 2);
}

/* The next frame of the ring; its length, 0: none. */
static size_t next(struct rig *rig, uint8_t *to)
{
	struct seat *s = &rig->guest[NEIGHBOUR];
	uint8_t current, head[4];
	size_t len;

	ne_write(rig, NEIGHBOUR, NE2K_CR, 0x62);
	current = ne_read(rig, NEIGHBOUR, 7);
	ne_write(rig, NEIGHBOUR, NE2K_CR, 0x22);
	if (current == s->rx)
		return 0;
	ne_remote(rig, NEIGHBOUR, (uint16_t)(s->rx << 8), 4, 0x0a);
	ne_take(rig, NEIGHBOUR, head, 4);
	len = (head[2] | (size_t)head[3] << 8) - 4;
	if (len > 1514 || head[1] < FIRST || head[1] >= STOP) {
		attack_bad(rig, "the neighbour's ring makes no sense");
		return 0;
	}
	ne_remote(rig, NEIGHBOUR, (uint16_t)((s->rx << 8) + 4),
		  (uint16_t)(len + (len & 1)), 0x0a);
	ne_take(rig, NEIGHBOUR, to, len);
	s->rx = head[1];
	ne_write(rig, NEIGHBOUR, P0_BNRY,
		 (uint8_t)(head[1] == FIRST ? STOP - 1 : head[1] - 1u));
	return len;
}

/* Those of before, that were said again, are skipped. */
static bool take(struct rig *rig, const uint8_t *frame, size_t len)
{
	uint8_t have[1516];
	size_t got;

	/* QEMU's hears the address in its PROM alone, which is no guest's */
	if (rig->way == IN_DROP && rig->ops == &backend_qtest)
		return true;
	got = next(rig, have);
	if (!got || (memcmp(have, frame, HEAD) && !memcmp(have, frame, 14)))
		return false;
	attack_took(rig, have, got, frame, len);
	return true;
}

static void start(struct rig *rig)
{
	unsigned int g;

	for (g = 0; g < GUESTS; g++)
		ne_start(rig, g);
}

/* It is the neighbour's transfer that shows it. */
static bool idle(struct rig *rig)
{
	(void)rig;
	return true;
}

const struct attack_part attack_ne2k = {
	.model = "models/ne2k-pci.yaml",
	.start = start,
	.out = out,
	.frames = 2,
	.sent = sent,
	.take = take,
	.idle = idle,
};
