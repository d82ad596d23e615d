/* SPDX-License-Identifier: MIT */
/*
 * test_diff_known.c: what the simulated parts and QEMU's do differently, and
 * the drivers of test_diff_*.c therefore do not do: each once, both pinned.
 *
 * And docs/sim.md has a word on each exception, these and those.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diff_e1000.h"
#include "vmm/log.h"
#include "vmm/sim_ne2k.h"

static const uint8_t everyone[6] = { 255, 255, 255, 255, 255, 255 };
static const uint8_t other[6] = { 0x52, 0x54, 0, 9, 9, 9 };

/* Both did what docs/sim.md says of (name), the simulated card (sim). */
static void pin(struct diff *d, const char *name, uint32_t sim, uint32_t qemu,
		const uint32_t is[DIFF_SIDES])
{
	if (is[DIFF_SIM] != sim || is[DIFF_QEMU] != qemu)
		diff_fail(d, "%s: %#x, QEMU's %#x; it was to be %#x and %#x",
			  name, is[DIFF_SIM], is[DIFF_QEMU], sim, qemu);
	diff_excuse(d, name);
}

/* How many frames came out of each; they are forgotten. */
static void pin_frames(struct diff *d, const char *name, uint32_t sim,
		       uint32_t qemu)
{
	uint32_t n[DIFF_SIDES];

	diff_quiet(d);
	for (unsigned int i = 0; i < DIFF_SIDES; i++)
		n[i] = (uint32_t)d->side[i].n_out;
	pin(d, name, sim, qemu, n);
	d->side[DIFF_SIM].n_out = d->side[DIFF_QEMU].n_out = 0;
}

/*
 * NE2000.
 */

static const struct diff_exception ne2k_known[] = {
	{ "ne2k-pro", 0, 0, 0 },
	{ "ne2k-mon", 0, 0, 0 },
	{ "ne2k-par", 0, 0, 0 },
	{ "ne2k-crc-inhibit", 0, 0, 0 },
	{ "ne2k-loopback", 0, 0, 0 },
	{ "ne2k-send-packet", 0, 0, 0 },
	{ "ne2k-curr-is-bnry", 0, 0, 0 },
	{ "ne2k-overflow", 0, 0, 0 },
	{ NULL, 0, 0, 0 },
};

static void out(struct diff *d, unsigned int off, unsigned int value)
{
	diff_write(d, off, 1, value);
}

static void read_paged(struct diff *d, unsigned int reg, uint32_t v[DIFF_SIDES])
{
	out(d, NE2K_CR, (reg >> 4) << 6 | CR_RD2 | CR_STA);
	diff_read_both(d, reg & 15, 1, v);
	out(d, NE2K_CR, CR_RD2 | CR_STA);
}

/* A ring of (pages) from page 0x50, empty. */
static void ne2k_start(struct diff *d, unsigned int pages, unsigned int rcr)
{
	static const uint8_t page0[][2] = {
		{ P0_DCR, 0x49 },    { P0_RBCR0, 0 },	{ P0_RBCR1, 0 },
		{ P0_PSTART, 0x50 }, { P0_BNRY, 0x50 }, { P0_ISR, 0xff },
		{ P0_IMR, 0 },	     { P0_TCR, 0 }
	};

	out(d, NE2K_CR, CR_RD2 | CR_STP);
	for (unsigned int i = 0; i < ARRAY_LEN(page0); i++)
		out(d, page0[i][0], page0[i][1]);
	out(d, P0_PSTOP, 0x50 + pages);
	out(d, NE2K_CR, 0x40 | CR_RD2 | CR_STP);
	for (unsigned int i = 0; i < 6; i++)
		out(d, (P1_PAR0 & 15) + i, diff_mac[i]);
	for (unsigned int i = 0; i < 8; i++)
		out(d, (P1_MAR0 & 15) + i, 0);
	out(d, P1_CURR & 15, 0x51);
	out(d, NE2K_CR, CR_RD2 | CR_STA);
	out(d, P0_RCR, rcr);
}

static void ne2k_hear(struct diff *d, const uint8_t to[6], unsigned int len)
{
	uint8_t frame[1514] = { 0 };

	memcpy(frame, to, 6);
	diff_inject(d, frame, len);
	diff_quiet(d);
}

/* Which of them took the frame: a page each. */
static void ne2k_pin_heard(struct diff *d, const char *name, bool sim,
			   bool qemu)
{
	uint32_t v[DIFF_SIDES];

	read_paged(d, P1_CURR, v);
	pin(d, name, sim ? 0x52 : 0x51, qemu ? 0x52 : 0x51, v);
}

static void ne2k_filters(struct diff *d)
{
	ne2k_start(d, 32, RCR_PRO);
	ne2k_hear(d, everyone, 60);
	ne2k_pin_heard(d, "ne2k-pro", false, true);
	ne2k_start(d, 32, RCR_AB | RCR_MON);
	ne2k_hear(d, everyone, 60);
	ne2k_pin_heard(d, "ne2k-mon", false, true);
	ne2k_start(d, 32, RCR_AB);
	out(d, NE2K_CR, 0x40 | CR_RD2 | CR_STA);
	for (unsigned int i = 0; i < 6; i++)
		out(d, (P1_PAR0 & 15) + i, other[i]);
	out(d, NE2K_CR, CR_RD2 | CR_STA);
	ne2k_hear(d, other, 60);
	ne2k_pin_heard(d, "ne2k-par", true, false);
}

static void ne2k_send(struct diff *d, unsigned int tcr)
{
	out(d, P0_TCR, tcr);
	out(d, P0_TPSR, 0x40);
	out(d, P0_TBCR0, 64);
	out(d, P0_TBCR1, 0);
	out(d, NE2K_CR, CR_RD2 | CR_STA | CR_TXP);
	diff_quiet(d);
	out(d, P0_TCR, 0);
}

/* 60 zeros and their check sequence. */
static void ne2k_transmission(struct diff *d)
{
	uint8_t frame[64] = { 0 };
	uint32_t fcs = ne2k_fcs(frame, 60), len[DIFF_SIDES];

	for (unsigned int i = 0; i < 4; i++)
		frame[60 + i] = (uint8_t)(fcs >> (8 * i));
	ne2k_start(d, 32, 0);
	out(d, P0_RBCR0, 64);
	out(d, P0_RBCR1, 0);
	out(d, P0_RSAR0, 0);
	out(d, P0_RSAR1, 0x40);
	out(d, NE2K_CR, CR_RD_WRITE | CR_STA);
	diff_write_string(d, NE2K_DATA, 2, frame, 32);
	ne2k_send(d, TCR_CRC);
	for (unsigned int i = 0; i < DIFF_SIDES; i++)
		len[i] = d->side[i].n_out == 1 ?
				 (uint32_t)d->side[i].out[0].len :
				 0;
	pin(d, "ne2k-crc-inhibit", 60, 64, len);
	d->side[DIFF_SIM].n_out = d->side[DIFF_QEMU].n_out = 0;
	ne2k_send(d, TCR_LB_NIC);
	pin_frames(d, "ne2k-loopback", 0, 1);
}

static void ne2k_ring(struct diff *d)
{
	uint32_t v[DIFF_SIDES];

	/* Send packet: the address comes from BNRY. */
	ne2k_start(d, 32, RCR_AB);
	out(d, P0_RSAR0, 0x12);
	out(d, P0_RSAR1, 0x34);
	out(d, NE2K_CR, CR_RD_SEND | CR_STA);
	diff_read_both(d, P0_CRDA1, 1, v);
	pin(d, "ne2k-send-packet", 0x50, 0x34, v);
	/* Six pages are free, five without the one before BNRY. */
	ne2k_start(d, 7, RCR_AB);
	ne2k_hear(d, everyone, 1514);
	read_paged(d, P1_CURR, v);
	pin(d, "ne2k-curr-is-bnry", 0x51, 0x50, v);
	/* The second finds no room; then there is, but nobody asks again. */
	ne2k_start(d, 7, RCR_AB);
	ne2k_hear(d, everyone, 1000);
	ne2k_hear(d, everyone, 1000);
	diff_read_both(d, P0_ISR, 1, v);
	pin(d, "ne2k-overflow", ISR_PRX | ISR_RXE | ISR_OVW | ISR_RST, ISR_PRX,
	    v);
	out(d, P0_BNRY, 0x54);
	diff_quiet(d);
	read_paged(d, P1_CURR, v);
	pin(d, "ne2k-overflow", 0x55, 0x55, v);
}

static void ne2k_sequence(struct diff *d)
{
	ne2k_filters(d);
	ne2k_transmission(d);
	ne2k_ring(d);
}

static const struct diff_part ne2k_part = {
	.name = "ne2k",
	.vendor = 0x10ec,
	.device = 0x8029,
	.exceptions = ne2k_known,
	.harmless = NE2K_CR,
	.sequence = ne2k_sequence,
};

/*
 * 82540EM.
 */

static const struct diff_exception e1000_known[] = {
	{ "e1000-iodata", 0, 0, 0 },
	{ "e1000-alias", 0, 0, 0 },
	{ "e1000-manc", 0, 0, 0 },
	{ "e1000-phy-registers", 0, 0, 0 },
	{ "e1000-phy-reset", 0, 0, 0 },
	{ "e1000-eeprom-write", 0, 0, 0 },
	{ "e1000-ifcs", 0, 0, 0 },
	{ "e1000-legacy-checksum", 0, 0, 0 },
	{ "e1000-tso-whole", 0, 0, 0 },
	{ "e1000-tso-ip6", 0, 0, 0 },
	{ "e1000-mac-loopback", 0, 0, 0 },
	{ "e1000-receiver-off", 0, 0, 0 },
	{ "e1000-mpe-broadcast", 0, 0, 0 },
	{ "e1000-unicast-hash", 0, 0, 0 },
	{ "e1000-asel", 0, 0, 0 },
	{ "e1000-cfi", 0, 0, 0 },
	{ "e1000-oversize", 0, 0, 0 },
	{ "e1000-rxcsum", 0, 0, 0 },
	{ "e1000-few-buffers", 0, 0, 0 },
	{ NULL, 0, 0, 0 },
};

static uint64_t in_io(struct diff *d, unsigned int side, uint64_t off)
{
	struct backend *be = d->side[side].be;

	return be->ops->read(be, 1, off, 4);
}

static void e1000_doors(struct diff *d)
{
	uint32_t v[DIFF_SIDES];

	for (unsigned int i = 0; i < DIFF_SIDES; i++) {
		struct backend *be = d->side[i].be;

		be->ops->write(be, 1, E1000_IOADDR, 4, R_VET);
		v[i] = (uint32_t)in_io(d, i, E1000_IODATA);
	}
	pin(d, "e1000-iodata", 0x8100, 0, v);
	wr(d, R_TDBAL, 0x1230);
	wr(d, 0x0420, 0x4560); /* its alias */
	diff_read_both(d, R_TDBAL, 4, v);
	pin(d, "e1000-alias", 0x4560, 0x1230, v);
	wr(d, R_MANC, 0);
	diff_read_both(d, R_MANC, 4, v);
	pin(d, "e1000-manc", 0, 0x222300, v);
}

static void e1000_mdic(struct diff *d, uint32_t op, unsigned int reg,
		       uint32_t value, uint32_t v[DIFF_SIDES])
{
	wr(d, R_MDIC, op | 1u << 21 | reg << 16 | value);
	diff_read_both(d, R_MDIC, 4, v);
}

static void e1000_phy(struct diff *d)
{
	uint32_t v[DIFF_SIDES];

	e1000_mdic(d, MDIC_READ, PHY_NPT, 0, v);
	v[DIFF_SIM] &= MDIC_E;
	v[DIFF_QEMU] &= MDIC_E;
	pin(d, "e1000-phy-registers", 0, MDIC_E, v);
	e1000_mdic(d, MDIC_WRITE, PHY_ANA, 0x0123, v);
	e1000_mdic(d, MDIC_WRITE, PHY_PCTRL, 0x1140 | PCTRL_RESET, v);
	e1000_mdic(d, MDIC_READ, PHY_ANA, 0, v);
	v[DIFF_SIM] &= 0xffff;
	v[DIFF_QEMU] &= 0xffff;
	pin(d, "e1000-phy-reset", 0x0de1, 0x0123, v);
}

static void microwire_out(struct diff *d, uint32_t bits, unsigned int n)
{
	wr(d, R_EECD, EECD_REQ | EECD_CS);
	while (n--) {
		uint32_t value = EECD_REQ | EECD_CS |
				 (bits >> n & 1 ? EECD_DI : 0);

		wr(d, R_EECD, value);
		wr(d, R_EECD, value | EECD_SK);
		wr(d, R_EECD, value);
	}
	wr(d, R_EECD, EECD_REQ);
}

/* Word 3: write enable, write. */
static void e1000_eeprom(struct diff *d)
{
	uint32_t v[DIFF_SIDES];

	microwire_out(d, 0x130, 9);
	microwire_out(d, 0x143u << 16 | 0x4321, 25);
	wr(d, R_EERD, 3 << 8 | EERD_START);
	diff_read_both(d, R_EERD, 4, v);
	v[DIFF_SIM] >>= 16;
	v[DIFF_QEMU] >>= 16;
	pin(d, "e1000-eeprom-write", 0x4321, 0, v);
}

/*
 * Sending: a ring of 16, a buffer.
 */

static void e1000_start(struct diff *d)
{
	wr(d, R_RCTL, 0);
	wr(d, R_TDBAL, (uint32_t)d->iova + TX_RING);
	wr(d, R_TDLEN, 256);
	wr(d, R_RDBAL, (uint32_t)d->iova + RX_RING);
	wr(d, R_RDLEN, 256);
	for (uint64_t i = 0; i < 16; i++) {
		uint64_t desc[2] = { d->iova + RX_BUFS + i * RX_BUF, 0 };

		diff_poke(d, RX_RING + i * DESC_LEN, desc, sizeof(desc));
	}
	wr(d, R_RDT, 15);
	wr(d, R_TCTL, TCTL_EN);
}

static void e1000_post(struct diff *d, uint64_t low, uint64_t high)
{
	struct diff_driver *drv = driver(d);
	uint64_t desc[2] = { low, high };

	diff_poke(d, TX_RING + drv->tail * DESC_LEN, desc, sizeof(desc));
	drv->tail = (drv->tail + 1) % 16;
}

/* What (n) bytes at (at) of the first frame are, as a number. */
static void pin_bytes(struct diff *d, const char *name, unsigned int at,
		      uint32_t sim, uint32_t qemu)
{
	uint32_t v[DIFF_SIDES] = { 0 };

	wr(d, R_TDT, driver(d)->tail);
	diff_quiet(d);
	for (unsigned int i = 0; i < DIFF_SIDES; i++)
		if (d->side[i].n_out)
			v[i] = e1000_be16(d->side[i].out[0].data + at);
	pin(d, name, sim, qemu, v);
	d->side[DIFF_SIM].n_out = d->side[DIFF_QEMU].n_out = 0;
}

static void e1000_legacy(struct diff *d)
{
	uint64_t cmd = TXD_EOP | 64, sum = TXD_EOP | TXD_IFCS | TXD_IC | 64;
	uint8_t frame[64] = { 0 };
	uint32_t len[DIFF_SIDES];

	/* 60 zeros and their check sequence, as in ne2k_transmission(). */
	*(uint32_t *)(void *)(frame + 60) = ne2k_fcs(frame, 60);
	diff_poke(d, TX_BUFS, frame, sizeof(frame));
	e1000_post(d, d->iova + TX_BUFS, cmd);
	wr(d, R_TDT, driver(d)->tail);
	diff_quiet(d);
	for (unsigned int i = 0; i < DIFF_SIDES; i++)
		len[i] = d->side[i].n_out == 1 ?
				 (uint32_t)d->side[i].out[0].len :
				 0;
	pin(d, "e1000-ifcs", 60, 64, len);
	d->side[DIFF_SIM].n_out = d->side[DIFF_QEMU].n_out = 0;
	memset(frame, 0, sizeof(frame));
	frame[21] = 1;
	diff_poke(d, TX_BUFS, frame, sizeof(frame));
	/* CSS 14, CSO 40 */
	e1000_post(d, d->iova + TX_BUFS,
		   sum | UINT64_C(40) << 16 | UINT64_C(14) << 40);
	pin_bytes(d, "e1000-legacy-checksum", 40, 0xfffe, 0);
}

static void e1000_segments(struct diff *d, bool ip6)
{
	uint64_t l4 = ip6 ? 54 : 34, head = l4 + 20, payload = 200;
	uint64_t low = 14 | 24 << 8 | (l4 - 1) << 16 | l4 << 32 |
		       (l4 + 16) << 40;

	e1000_post(d, low,
		   TXD_DEXT | TXD_TSE | TUCMD_TCP | (ip6 ? 0 : TUCMD_IP) |
			   payload | head << 40 | UINT64_C(100) << 48);
	e1000_post(d, d->iova + TX_BUFS,
		   TXD_DEXT | TXD_DTYP_DATA | TXD_TSE | TXD_EOP | TXD_IFCS |
			   (head + payload));
}

static void e1000_transmission(struct diff *d)
{
	e1000_legacy(d);
	e1000_segments(d, false);
	wr(d, R_TDT, driver(d)->tail);
	pin_frames(d, "e1000-tso-whole", 2, 3);
	e1000_segments(d, true);
	pin_bytes(d, "e1000-tso-ip6", 18, 120, 160);
	wr(d, R_RCTL, RCTL_EN | RCTL_LBM);
	e1000_post(d, d->iova + TX_BUFS, TXD_EOP | TXD_IFCS | 64);
	wr(d, R_TDT, driver(d)->tail);
	pin_frames(d, "e1000-mac-loopback", 0, 1);
}

/*
 * Receiving.
 */

static void nic_hear(struct diff *d, const uint8_t to[6], unsigned int tag,
		     unsigned int len)
{
	uint8_t frame[9000] = { 0 };

	memcpy(frame, to, 6);
	memcpy(frame + 6, other, 6);
	e1000_put16(frame + 12, tag ? 0x8100 : 0x0800);
	e1000_put16(frame + 14, tag);
	diff_inject(d, frame, len);
	diff_quiet(d);
}

/* Which of them took the frames since the last look. */
static void pin_heard(struct diff *d, const char *name, bool sim, bool qemu)
{
	uint32_t v[DIFF_SIDES];

	diff_read_both(d, R_GPRC, 4, v);
	pin(d, name, sim, qemu, v);
	diff_read_both(d, R_TPR, 4, v);
}

/* One frame that waits for QEMU's second to be over. */
static void e1000_listen(struct diff *d)
{
	uint32_t v[DIFF_SIDES] = { 0 };

	wr(d, R_RCTL, 0);
	nic_hear(d, diff_mac, 0, 60);
	wr(d, R_RCTL, RCTL_EN | RCTL_MPE | RCTL_SECRC);
	for (unsigned int us = 0; !v[DIFF_QEMU] && us < WAIT_US; us += 2000) {
		diff_sleep_us(2000);
		diff_read_both(d, R_RDH, 4, v);
	}
	pin_heard(d, "e1000-receiver-off", false, true);
}

static void e1000_filters(struct diff *d)
{
	nic_hear(d, everyone, 0, 60);
	pin_heard(d, "e1000-mpe-broadcast", false, true);
	/* MO is 0: the upper twelve bits of 09:09 */
	wr(d, R_MTA + 4 * (0x90 >> 5), 1u << (0x90 & 31));
	nic_hear(d, other, 0, 60);
	pin_heard(d, "e1000-unicast-hash", false, true);
	wr(d, R_MTA + 4 * (0x90 >> 5), 0);
	wr(d, R_RAL + 8, e1000_le32(other));
	wr(d, R_RAH + 8, RAH_AV | RAH_ASEL_SOURCE | e1000_le16(other + 4));
	nic_hear(d, (const uint8_t *)"\x02\0\0\0\0\1", 0, 60);
	pin_heard(d, "e1000-asel", true, false);
	wr(d, R_RAH + 8, 0);
	nic_hear(d, diff_mac, 0, 1520);
	pin_heard(d, "e1000-oversize", false, true);
}

/* RXCSUM is nothing to QEMU's: it says that it did not look. */
static void e1000_checksum(struct diff *d)
{
	uint8_t frame[60] = { 0 };
	uint32_t v[DIFF_SIDES], head[DIFF_SIDES];

	wr(d, R_RXCSUM, RXCSUM_IPOFL);
	memcpy(frame, diff_mac, 6);
	e1000_put16(frame + 12, 0x0800);
	frame[14] = 0x45;
	frame[17] = 20;
	e1000_put16(frame + 24, 0xffff - 0x4514);
	diff_read_both(d, R_RDH, 4, head);
	diff_inject(d, frame, sizeof(frame));
	diff_quiet(d);
	for (unsigned int i = 0; i < DIFF_SIDES; i++)
		v[i] = d->side[i].memory[RX_RING + head[i] * DESC_LEN +
					 RXD_STATUS];
	pin(d, "e1000-rxcsum", RXD_DD | RXD_EOP | RXD_IPCS,
	    RXD_DD | RXD_EOP | RXD_IXSM, v);
	wr(d, R_RXCSUM, 0);
	diff_read_both(d, R_GPRC, 4, v);
	diff_read_both(d, R_TPR, 4, v);
}

/* Then two settings more, for a second each: CFI; too few buffers. */
static void e1000_settings(struct diff *d)
{
	uint32_t v[DIFF_SIDES], head[DIFF_SIDES];

	diff_read_both(d, R_MPC, 4, v);
	diff_read_both(d, R_RDH, 4, head);
	for (unsigned int i = 0; i < DIFF_SIDES; i++) {
		struct backend *be = d->side[i].be;

		/* One is left. */
		be->ops->write(be, 0, R_RDT, 4, (head[i] + 1) % 16);
	}
	wr(d, R_RCTL, RCTL_EN | RCTL_VFE | RCTL_CFIEN | RCTL_LPE);
	wr(d, R_VFTA, 2);
	nic_hear(d, diff_mac, 0x1001, 60);
	for (unsigned int us = 0; us < WAIT_US; us += 2000) {
		uint32_t now[DIFF_SIDES];

		diff_read_both(d, R_RDH, 4, now);
		if (now[DIFF_QEMU] != head[DIFF_QEMU])
			break;
		diff_sleep_us(2000);
	}
	pin_heard(d, "e1000-cfi", false, true);
	for (unsigned int i = 0; i < DIFF_SIDES; i++) {
		struct backend *be = d->side[i].be;

		diff_read_both(d, R_RDH, 4, head);
		be->ops->write(be, 0, R_RDT, 4, (head[i] + 1) % 16);
	}
	nic_hear(d, diff_mac, 0, 3000);
	diff_read_both(d, R_MPC, 4, v);
	pin(d, "e1000-few-buffers", 0, 1, v);
}

static void e1000_sequence(struct diff *d)
{
	d->driver = xcalloc(1, sizeof(struct diff_driver));
	e1000_doors(d);
	e1000_phy(d);
	e1000_eeprom(d);
	e1000_start(d);
	e1000_transmission(d);
	e1000_listen(d);
	e1000_filters(d);
	e1000_checksum(d);
	e1000_settings(d);
}

static const struct diff_part e1000_part = {
	.name = "e1000",
	.vendor = 0x8086,
	.device = 0x100e,
	.exceptions = e1000_known,
	.memory = MEMORY,
	.harmless = R_STATUS,
	.sequence = e1000_sequence,
};

static void test_ne2k(void **state)
{
	static const uint64_t seeds[] = { 1 };

	(void)state;
	if (!diff_have_qemu())
		skip();
	assert_int_equal(diff_check(&ne2k_part, seeds, 1), 0);
}

static void test_e1000(void **state)
{
	static const uint64_t seeds[] = { 1 };

	(void)state;
	if (!diff_have_qemu())
		skip();
	assert_int_equal(diff_check(&e1000_part, seeds, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ne2k),
		cmocka_unit_test(test_e1000),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
