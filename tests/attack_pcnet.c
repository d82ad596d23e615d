// SPDX-License-Identifier: MIT
/*
 * attack_pcnet.c: a small driver for the guests of attack.h on a PCnet, and
 * the neighbour's transfer.
 */

#include "attack_pcnet.h"

#include <string.h>

#define RING (1u << PC_LOG)
#define DESC 16u
#define FCS 4u

/* Through BAR 1, the memory door, for odd guests. */
static void reg(struct rig *rig, unsigned int g, unsigned int off, uint32_t v)
{
	attack_access(rig, g, g & 1, off, 2, true, v);
}

uint16_t pc_csr(struct rig *rig, unsigned int g, unsigned int n)
{
	reg(rig, g, PC_RAP, n);
	return (uint16_t)attack_access(rig, g, g & 1, PC_RDP, 2, false, 0);
}

void pc_set(struct rig *rig, unsigned int g, unsigned int n, uint32_t v)
{
	reg(rig, g, PC_RAP, n);
	reg(rig, g, PC_RDP, v & 0xffff);
}

void pc_set32(struct rig *rig, unsigned int g, unsigned int n, uint32_t v)
{
	pc_set(rig, g, n, v);
	pc_set(rig, g, n + 1, v >> 16);
}

void pc_bcr(struct rig *rig, unsigned int g, unsigned int n, uint32_t v)
{
	reg(rig, g, PC_RAP, n);
	reg(rig, g, PC_BDP, v);
}

static void put32(uint8_t *to, uint32_t v)
{
	memcpy(to, &v, sizeof(v));
}

void pc_block(struct rig *rig, unsigned int g, uint32_t tx, uint32_t rx,
	      unsigned int log, unsigned int mode)
{
	uint8_t *b = rig->guest[g].host + PC_INIT_AT;

	memset(b, 0, 28);
	put32(b, mode | log << 20 | log << 28);
	memcpy(b + 4, rig->guest[g].mac, 6);
	put32(b + 20, rx);
	put32(b + 24, tx);
}

void pc_go(struct rig *rig, unsigned int g, uint32_t at)
{
	pc_set(rig, g, 0, CSR0_STOP);
	pc_set32(rig, g, CSR_IADR, at);
	pc_set(rig, g, 0, CSR0_INIT);
	pc_set(rig, g, 0, CSR0_STRT | CSR0_IDON);
	rig->guest[g].tx = rig->guest[g].rx = 0;
}

static void give_rx(struct rig *rig, unsigned int g, unsigned int i)
{
	uint8_t *d = rig->guest[g].host + RX_RING + i * DESC;

	put32(d, RX_BUFS + i * 2048);
	put32(d + 8, 0);
	put32(d + 12, 0);
	put32(d + 4, 0xf000 | (4096 - 2048) | (uint32_t)DESC_OWN << 16);
}

void pc_start(struct rig *rig, unsigned int g)
{
	struct seat *s = &rig->guest[g];
	unsigned int i;

	attack_access(rig, g, g & 1, PC_RESET, 2, false, 0);
	if (g != THIRD)
		memset(s->host + TX_RING, 0, RING * DESC);
	for (i = 0; i < RING; i++)
		give_rx(rig, g, i);
	s->tx_count = RING;
	pc_bcr(rig, g, BCR_STYLE, 2);
	pc_block(rig, g, TX_RING, RX_RING, PC_LOG, 0);
	pc_go(rig, g, PC_INIT_AT);
}

void pc_desc(struct rig *rig, unsigned int g, uint64_t at, size_t len,
	     unsigned int status)
{
	struct seat *s = &rig->guest[g];
	uint8_t *d = s->host + TX_RING + s->tx * DESC;

	put32(d, (uint32_t)at);
	put32(d + 8, 0);
	put32(d + 12, 0);
	put32(d + 4, 0xf000 | ((4096 - (uint32_t)len) & 0xfff) |
			     (uint32_t)status << 16);
	s->tx = (s->tx + 1) % s->tx_count;
}

void pc_demand(struct rig *rig, unsigned int g)
{
	pc_set(rig, g, 0, CSR0_TDMD);
}

void pc_send(struct rig *rig, uint64_t at, size_t len)
{
	nic_frame(rig, at, len);
	pc_desc(rig, HOSTILE, at, len, DESC_ONE);
	pc_demand(rig, HOSTILE);
}

/* ---- the neighbour ---- */

/* The byte that says what became of the neighbour's last descriptor. */
static const volatile uint8_t *last_of(const struct rig *rig)
{
	const struct seat *s = &rig->guest[NEIGHBOUR];
	uint32_t last = (s->tx + s->tx_count - 1) % s->tx_count;

	return s->host + TX_RING + last * DESC + 7;
}

static bool sent(struct rig *rig)
{
	return !(*last_of(rig) & DESC_OWN >> 8);
}

/* In two pieces, so that rings of several descriptors are tried, too. */
static void out(struct rig *rig)
{
	struct seat *s = &rig->guest[NEIGHBOUR];
	uint32_t seq = ++s->seq, at = TX_BUFS + seq % 8 * 4096, first = s->tx;
	size_t len = 200 + seq * 61 % 1000, head = 60 + seq % 80;

	attack_make(s->host + at, len, attack_outside, s->mac, seq);
	memcpy(rig->expect, s->host + at, len);
	rig->expect_len = len;
	pc_desc(rig, NEIGHBOUR, at, head, DESC_STP);
	pc_desc(rig, NEIGHBOUR, at + head, len - head, DESC_OWN | DESC_ENP);
	s->host[TX_RING + first * DESC + 7] |= DESC_OWN >> 8;
	if (seq % 3) /* else the part looks by itself */
		pc_demand(rig, NEIGHBOUR);
	attack_sent(rig);
	if (*last_of(rig) & DESC_ERR >> 8)
		attack_bad(rig, "the neighbour's frame has an error");
	attack_keep_ring(rig);
}

/* The neighbour's next descriptor; others' frames are skipped.  True: done */
static bool take(struct rig *rig, const uint8_t *frame, size_t len)
{
	struct seat *s = &rig->guest[NEIGHBOUR];
	uint8_t *d = s->host + RX_RING + s->rx * DESC;
	const uint8_t *p = s->host + RX_BUFS + s->rx * 2048;
	size_t got = d[8] | (size_t)(d[9] & 0xf) << 8;
	bool sibling;

	if (d[7] & DESC_OWN >> 8)
		return false;
	sibling = !memcmp(p + 6, rig->guest[HOSTILE].mac, 6);
	if (!sibling && (d[7] & 0x43) != (DESC_STP | DESC_ENP) >> 8)
		attack_bad(rig, "the neighbour's frame is in pieces");
	if (!sibling)
		attack_took(rig, p, got - FCS, frame, len);
	memset(s->host + RX_BUFS + s->rx * 2048, 0, 2048);
	give_rx(rig, NEIGHBOUR, s->rx);
	s->rx = (s->rx + 1) % RING;
	return !sibling;
}

static void start(struct rig *rig)
{
	unsigned int g;

	for (g = 0; g < GUESTS; g++)
		pc_start(rig, g);
}

/* QEMU's part sends all that it owns within the write that demands it. */
static bool idle(struct rig *rig)
{
	(void)rig;
	return true;
}

const struct attack_part attack_pcnet = {
	.model = "models/pcnet.yaml",
	.start = start,
	.out = out,
	.frames = 3,
	.sent = sent,
	.take = take,
	.idle = idle,
};
