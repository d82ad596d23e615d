// SPDX-License-Identifier: MIT
/*
 * attack_rtl8139.c: a small driver for the guests of attack.h on an RTL8139,
 * and the neighbour's transfer.
 */

#include "attack_rtl8139.h"

#include <string.h>

#define RING_LEN 8192u
#define HEADER 4u
#define FCS 4u
#define RCR_START (7u << 13 | 7u << 8 | 8 | 2) /* AB, APM */

uint32_t rtl_read(struct rig *rig, unsigned int g, unsigned int reg,
		  unsigned int width)
{
	return (uint32_t)attack_access(rig, g, 0, reg, width, false, 0);
}

void rtl_write(struct rig *rig, unsigned int g, unsigned int reg,
	       unsigned int width, uint32_t v)
{
	attack_access(rig, g, 0, reg, width, true, v);
}

uint64_t rtl_buffer(const struct rig *rig, unsigned int g)
{
	return TX_BUFS + rig->guest[g].tx % RTL_SLOTS * 4096u;
}

void rtl_start(struct rig *rig, unsigned int g)
{
	struct seat *s = &rig->guest[g];
	unsigned int i;

	rtl_write(rig, g, RTL_CR, 1, CR_RST);
	rtl_write(rig, g, RTL_RBSTART, 4, RX_BUFS);
	for (i = 0; i < RTL_SLOTS; i++)
		rtl_write(rig, g, RTL_TSAD + 4 * i, 4, TX_BUFS + i * 4096u);
	rtl_write(rig, g, RTL_CR, 1, CR_TE | CR_RE);
	rtl_write(rig, g, RTL_RCR, 4, RCR_START);
	s->tx = s->rx = 0;
}

void rtl_give(struct rig *rig, unsigned int g, uint64_t at, uint32_t tsd)
{
	unsigned int slot = rig->guest[g].tx++ % RTL_SLOTS;

	rtl_write(rig, g, RTL_TSAD + 4 * slot, 4, (uint32_t)at);
	rtl_write(rig, g, RTL_TSD + 4 * slot, 4, tsd);
}

void rtl_send(struct rig *rig, size_t len)
{
	uint64_t at = rtl_buffer(rig, HOSTILE);

	nic_frame(rig, at, len);
	rtl_give(rig, HOSTILE, at, (uint32_t)len);
}

/* ---- the neighbour ---- */

static void out(struct rig *rig)
{
	struct seat *s = &rig->guest[NEIGHBOUR];
	uint64_t at = rtl_buffer(rig, NEIGHBOUR);
	uint32_t seq = ++s->seq;
	size_t len = 200 + seq * 61 % 1000;

	attack_make(s->host + at, len, attack_outside, s->mac, seq);
	memcpy(rig->expect, s->host + at, len);
	rig->expect_len = len;
	rtl_give(rig, NEIGHBOUR, at, (uint32_t)len);
	attack_sent(rig);
}

static bool sent(struct rig *rig)
{
	unsigned int last = rig->guest[NEIGHBOUR].tx + RTL_SLOTS - 1;

	return rtl_read(rig, NEIGHBOUR, RTL_TSD + 4 * (last % RTL_SLOTS), 4) &
	       TSD_TOK;
}

static void copy_out(const struct seat *s, uint8_t *to, uint32_t at, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = s->host[RX_BUFS + (at + i) % RING_LEN];
}

/* The neighbour's next frame; others' are skipped.  True: it was (frame). */
static bool take(struct rig *rig, const uint8_t *frame, size_t len)
{
	struct seat *s = &rig->guest[NEIGHBOUR];
	uint8_t header[HEADER], got[2048];
	size_t n;
	bool sibling;

	if (rtl_read(rig, NEIGHBOUR, RTL_CR, 1) & CR_BUFE)
		return false;
	copy_out(s, header, s->rx, HEADER);
	n = (size_t)(header[2] | header[3] << 8);
	if (!(header[0] & 1) || n < 60 + FCS || n > 1518 + FCS) {
		attack_bad(rig, "the neighbour's ring has a header %02x %zu",
			   header[0], n);
		return false;
	}
	copy_out(s, got, s->rx + HEADER, n - FCS);
	s->rx = (uint32_t)((s->rx + HEADER + n + 3) & ~3u) % RING_LEN;
	rtl_write(rig, NEIGHBOUR, RTL_CAPR, 2, (s->rx - 16) & 0xffff);
	sibling = !memcmp(got + 6, rig->guest[HOSTILE].mac, 6);
	if (!sibling)
		attack_took(rig, got, n - FCS, frame, len);
	return !sibling;
}

/* What the device was told of memory is the monitor's; its C+ mode is off. */
static void check_device(struct rig *rig)
{
	unsigned int i;
	uint64_t at;

	if (rig->ops->read(rig->be, 0, RTL_CPCR, 2))
		attack_bad(rig, "the device is in C+ mode");
	if (rig->ops->read(rig->be, 0, RTL_BMCR, 2) & 0x4000)
		attack_bad(rig, "the device loops back");

	for (i = 0; i < RTL_SLOTS; i++) {
		at = rig->ops->read(rig->be, 0, RTL_TSAD + 4 * i, 4);
		if (at && !cc_within(at, 2048, rig->dma.area.iova,
				     rig->dma.area.size))
			attack_bad(rig, "TSAD%u of the device is 0x%x", i,
				   (unsigned int)at);
	}
}

static void start(struct rig *rig)
{
	unsigned int g;

	for (g = 0; g < GUESTS; g++)
		rtl_start(rig, g);
}

static bool idle(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < RTL_SLOTS; i++)
		if (!(rig->ops->read(rig->be, 0, RTL_TSD + 4 * i, 4) & TSD_OWN))
			return false;
	return true;
}

/* ---- the card's EEPROM, by its pins ---- */

static bool clock_bit(struct rig *rig, bool bit)
{
	uint64_t v = EE_PROGRAM | EE_CS | (bit ? EE_DI : 0);

	rig->ops->write(rig->be, 0, RTL_9346CR, 1, v);
	rig->ops->write(rig->be, 0, RTL_9346CR, 1, v | EE_SK);
	return rig->ops->read(rig->be, 0, RTL_9346CR, 1) & EE_DO;
}

static void eeprom(struct rig *rig, uint16_t words[64])
{
	unsigned int k;
	int i;

	for (k = 0; k < 64; k++) {
		words[k] = 0;
		for (i = 8; i >= 0; i--)
			clock_bit(rig, (6u << 6 | k) >> i & 1);
		for (i = 0; i < 16; i++)
			words[k] = (uint16_t)(words[k] << 1 |
					      clock_bit(rig, false));
		rig->ops->write(rig->be, 0, RTL_9346CR, 1, EE_PROGRAM);
	}
	rig->ops->write(rig->be, 0, RTL_9346CR, 1, 0);
}

/* IDR is at 0x4, too: a 0 ends the list.  CR's and ISR's have bits that move. */
static const uint32_t regs[] = {
	RTL_IDR + 4, RTL_MAR,	RTL_MAR + 4,   RTL_RBSTART, RTL_TCR,
	RTL_RCR,     0x54,	RTL_CONFIG0,   0x58,	    0x5c,
	0xd8,	     RTL_RDSAR, RTL_RDSAR + 4, 0,
};

const struct attack_part attack_rtl8139 = {
	.regs = regs,
	.model = "models/rtl8139.yaml",
	.start = start,
	.out = out,
	.frames = 3,
	.sent = sent,
	.take = take,
	.look = check_device,
	.idle = idle,
	.eeprom = eeprom,
};
