// SPDX-License-Identifier: MIT
/*
 * attack_e1000.c: a small driver for the guests of attack.h on an 82540EM, and
 * the neighbour's transfer: frames whose checksums the card puts in.
 */

#include "attack.h"

#include <string.h>

#include "vmm/sim_e1000.h"

#define RING 64u
#define UDP_AT 34u
#define PAYLOAD_AT 42u

const uint8_t attack_outside[6] = { 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02 };

uint32_t nic_read(struct rig *rig, unsigned int g, uint32_t reg)
{
	return (uint32_t)attack_access(rig, g, 0, reg, 4, false, 0);
}

void nic_write(struct rig *rig, unsigned int g, uint32_t reg, uint32_t v)
{
	attack_access(rig, g, 0, reg, 4, true, v);
}

uint8_t *nic_mem(struct rig *rig, unsigned int g, uint64_t gpa)
{
	return mem_ptr(&rig->guest[g].mem, gpa, 1);
}

uint64_t attack_at(const struct rig *rig)
{
	switch (rig->c->at) {
	case ON_NEIGHBOUR:
		return rig->dma.guest[NEIGHBOUR].iova[0] + TX_BUFS;
	case ON_THIRD:
		return rig->dma.guest[THIRD].iova[0];
	case ON_AREA:
		return rig->dma.area.iova;
	case ON_AREA_HEADS:
		return rig->dma.area.iova + 0x4000;
	default:
		return rig->c->at;
	}
}

/* ---- a driver ---- */

static void put64(uint8_t *to, uint64_t v)
{
	memcpy(to, &v, sizeof(v));
}

void nic_ring(struct rig *rig, unsigned int g, uint64_t base, uint32_t len)
{
	nic_write(rig, g, R_TDBAL, (uint32_t)base);
	nic_write(rig, g, R_TDBAH, (uint32_t)(base >> 32));
	nic_write(rig, g, R_TDLEN, len);
	nic_write(rig, g, R_TDH, 0);
	nic_write(rig, g, R_TDT, 0);
	rig->guest[g].tx = 0;
	rig->guest[g].tx_count = len / 16 ? len / 16 : 1;
}

void nic_start(struct rig *rig, unsigned int g)
{
	struct seat *s = &rig->guest[g];
	unsigned int i;

	nic_write(rig, g, R_CTRL, CTRL_RST);
	if (g != THIRD)
		memset(s->host + TX_RING, 0, RING * DESC_LEN);
	for (i = 0; i < RING; i++) {
		put64(s->host + RX_RING + i * 16, RX_BUFS + i * 2048);
		put64(s->host + RX_RING + i * 16 + 8, 0);
	}
	nic_write(rig, g, R_RDBAL, RX_RING);
	nic_write(rig, g, R_RDBAH, 0);
	nic_write(rig, g, R_RDLEN, RING * DESC_LEN);
	nic_write(rig, g, R_RDH, 0);
	nic_write(rig, g, R_RDT, RING - 1);
	s->rx = 0;
	nic_write(rig, g, R_RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC);
	nic_ring(rig, g, TX_RING, RING * DESC_LEN);
	nic_write(rig, g, R_TCTL, TCTL_EN | TCTL_PSP | 0x40100);
}

void nic_desc(struct rig *rig, unsigned int g, uint64_t low, uint32_t cmd,
	      uint32_t high)
{
	struct seat *s = &rig->guest[g];
	uint8_t *d = s->host + TX_RING + s->tx * DESC_LEN;

	put64(d, low);
	put64(d + 8, cmd | (uint64_t)high << 32);
	s->tx = (s->tx + 1) % s->tx_count;
}

void nic_bell(struct rig *rig, unsigned int g)
{
	nic_write(rig, g, R_TDT, rig->guest[g].tx);
}

void nic_frame(struct rig *rig, uint64_t at, size_t len)
{
	uint8_t *p = mem_ptr(&rig->guest[HOSTILE].mem, at, len);

	memset(p, MARK_H, len);
	memcpy(p, attack_outside, 6);
	memcpy(p + 6, rig->guest[HOSTILE].mac, 6);
	p[12] = 0x88;
	p[13] = 0xb5;
}

void nic_send(struct rig *rig, uint64_t at, size_t len)
{
	nic_frame(rig, at, len);
	nic_desc(rig, HOSTILE, at, (uint32_t)len | D_ONE, 0);
	nic_bell(rig, HOSTILE);
}

void nic_context(struct rig *rig, unsigned int g, uint64_t low, uint32_t cmd,
		 uint32_t high)
{
	nic_desc(rig, g, low, cmd | D_DEXT | D_RS, high);
}

/* ---- the neighbour ---- */

static uint16_t sum(const uint8_t *p, size_t len, uint32_t seed)
{
	for (; len > 1; p += 2, len -= 2)
		seed += (uint32_t)(p[0] << 8 | p[1]);
	if (len)
		seed += (uint32_t)p[0] << 8;
	while (seed >> 16)
		seed = (seed & 0xffff) + (seed >> 16);
	return (uint16_t)seed;
}

static void put16(uint8_t *to, unsigned int v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

/* An UDP datagram; the sums as a driver leaves them to the card. */
static void make(uint8_t *p, size_t len, const uint8_t to[6],
		 const uint8_t from[6], uint32_t seq)
{
	static const uint8_t ip[20] = { 0x45, 0, 0,  0, 0, 1,  0,  0, 64, 17,
					0,    0, 10, 0, 2, 15, 10, 0, 2,  2 };

	memset(p, MARK_N, len);
	memcpy(p, to, 6);
	memcpy(p + 6, from, 6);
	put16(p + 12, 0x0800);
	memcpy(p + 14, ip, sizeof(ip));
	put16(p + 16, (unsigned int)len - 14);
	put16(p + UDP_AT, 4660);
	put16(p + UDP_AT + 2, 22136);
	put16(p + UDP_AT + 4, (unsigned int)len - UDP_AT);
	put16(p + UDP_AT + 6, sum(p + 26, 8, 17 + (uint32_t)len - UDP_AT));
	memcpy(p + PAYLOAD_AT, &seq, sizeof(seq));
}

/* What the card makes of it. */
static void finish(uint8_t *p, size_t len)
{
	put16(p + 24, 0xffffu & ~(unsigned int)sum(p + 14, 20, 0));
	put16(p + UDP_AT + 6,
	      0xffffu & ~(unsigned int)sum(p + UDP_AT, len - UDP_AT, 0));
}

void nic_neighbour_post(struct rig *rig, const uint8_t to[6])
{
	struct seat *s = &rig->guest[NEIGHBOUR];
	uint32_t seq = ++s->seq, at = TX_BUFS + seq % 16 * 4096;
	size_t len = 200 + seq * 61 % 1000;

	make(s->host + at, len, to, s->mac, seq);
	memcpy(rig->expect, s->host + at, len);
	finish(rig->expect, len);
	rig->expect_len = len;
	nic_desc(rig, NEIGHBOUR, at, (uint32_t)len | D_ONE | D_DATA,
		 D_IXSM | D_TXSM);
	nic_bell(rig, NEIGHBOUR);
}

static bool sent(struct rig *rig)
{
	struct seat *s = &rig->guest[NEIGHBOUR];
	uint32_t last = (s->tx + s->tx_count - 1) % s->tx_count;
	const volatile uint8_t *back =
		s->host + TX_RING + last * DESC_LEN + TXD_STA;

	return *back & 1;
}

void nic_neighbour_wait(struct rig *rig)
{
	attack_sent(rig);
	attack_keep_ring(rig);
}

void nic_neighbour_to(struct rig *rig, const uint8_t to[6])
{
	nic_neighbour_post(rig, to);
	nic_neighbour_wait(rig);
}

void nic_neighbour_out(struct rig *rig)
{
	nic_neighbour_to(rig, attack_outside);
}

/* The neighbour's next descriptor; others' frames are skipped.  True: done */
static bool take(struct rig *rig, const uint8_t *frame, size_t len)
{
	struct seat *s = &rig->guest[NEIGHBOUR];
	uint8_t *d = s->host + RX_RING + s->rx * DESC_LEN;
	const uint8_t *p = s->host + RX_BUFS + s->rx * 2048;
	size_t got = d[8] | (size_t)d[9] << 8;
	bool sibling;

	if (!(d[12] & RXD_DD))
		return false;
	sibling = !memcmp(p + 6, rig->guest[HOSTILE].mac, 6) || p[12] == 0x88;
	if (!sibling && !(d[12] & RXD_EOP))
		attack_bad(rig, "the neighbour's frame is in pieces");
	if (!sibling)
		attack_took(rig, p, got, frame, len);
	put64(d + 8, 0);
	memset(s->host + RX_BUFS + s->rx * 2048, 0, 2048);
	nic_write(rig, NEIGHBOUR, R_RDT, s->rx);
	s->rx = (s->rx + 1) % RING;
	return !sibling;
}

/* As the card lets it come out, and others in. */
static void make_whole(uint8_t *p, size_t len, const uint8_t to[6],
		       const uint8_t from[6], uint32_t seq)
{
	make(p, len, to, from, seq);
	finish(p, len);
}

static void start(struct rig *rig)
{
	unsigned int g;

	for (g = 0; g < GUESTS; g++)
		nic_start(rig, g);
	/* 14 24 33, 34 40 end */
	nic_context(rig, NEIGHBOUR,
		    14 | 24 << 8 | 33 << 16 | UINT64_C(34) << 32 |
			    UINT64_C(40) << 40,
		    D_IP4, 0);
	nic_bell(rig, NEIGHBOUR);
}

static bool idle(struct rig *rig)
{
	return rig->ops->read(rig->be, 0, R_TDH, 4) ==
	       rig->ops->read(rig->be, 0, R_TDT, 4);
}

/* As a driver would: EERD. */
static void eeprom(struct rig *rig, uint16_t words[64])
{
	unsigned int i, k;
	uint64_t v = 0;

	for (i = 0; i < 64; i++) {
		rig->ops->write(rig->be, 0, R_EERD, 4, i << 8 | 1);
		for (k = 0; k < 1000 && !(v & 0x10); k++)
			v = rig->ops->read(rig->be, 0, R_EERD, 4);
		words[i] = (uint16_t)(v >> 16);
		v = 0;
	}
}

/* CTRL is 0x4, too: a 0 ends the list. */
static const uint32_t regs[] = {
	0x0004,	  R_STATUS, R_CTRL_EXT, R_VET,	   R_IMS,   R_RCTL,
	R_TCTL,	  R_TIPG,   R_PBA,	R_LEDCTL,  R_FCRTL, R_FCRTH,
	R_RDBAL,  R_RDBAH,  R_RDLEN,	R_TDBAL,   R_TDBAH, R_TDLEN,
	R_RXCSUM, R_MTA,    R_RAL,	R_RAH,	   R_VFTA,  R_WUC,
	R_WUFC,	  R_MANC,   R_RAL + 8,	R_RAH + 8, 0,
};

const struct attack_part attack_e1000 = {
	.regs = regs,
	.model = "models/e1000.yaml",
	.start = start,
	.out = nic_neighbour_out,
	.frames = 2,
	.sent = sent,
	.make = make_whole,
	.take = take,
	.idle = idle,
	.eeprom = eeprom,
};
