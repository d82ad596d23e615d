/* SPDX-License-Identifier: MIT */
/*
 * test_diff_e1000.c: the simulated 82540EM held against QEMU's e1000: a driver
 * that does at random what the manual allows.
 *
 * QEMU's hears nothing for a second after each write to RCTL.  So a run has a
 * few rounds, each with one setting of it: first all but receiving, then all.
 * "SDM" is what sim_e1000.h says; docs/sim.md has a word on each exception.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diff_e1000.h"
#include "vmm/log.h"

#define LONGEST 1518u /* without check sequence, with a tag */
#define JUMBO 9000u
#define ROUNDS 3u

static const struct diff_exception exceptions[] = {
	{ "e1000-tipg", R_TIPG, R_TIPG, ~0u },
	{ "e1000-rxdctl", R_RXDCTL, R_RXDCTL, ~0u },
	{ "e1000-ledctl", R_LEDCTL, R_LEDCTL, ~0u },
	{ "e1000-moderation", R_RADV, R_RADV, ~0u },
	{ "e1000-moderation", R_RDTR, R_RDTR, ~0u },
	{ "e1000-moderation", R_TADV, R_TADV, ~0u },
	{ "e1000-moderation", R_ITR, R_ITR, ~0u },
	{ "e1000-total-received", R_TORL, R_TPR, ~0u },
	{ "e1000-eecd-grant", 0, 0, 0 },
	{ "e1000-eecd-do", 0, 0, 0 },
	{ "e1000-phy-status", PHY(PHY_PSTATUS), PHY(PHY_PSTATUS),
	  PSTATUS_LINK | PSTATUS_DONE },
	{ "e1000-phy-partner", PHY(PHY_LPA), PHY(PHY_ANE), 0x401f },
	{ "e1000-eeprom", 0, 0, 0 },
	{ "e1000-reset", 0, 0, 0 },
	{ "e1000-txqe", 0, 0, 0 },
	{ "e1000-psp", 0, 0, 0 },
	{ "e1000-tx-octets", 0, 0, 0 },
	{ "e1000-rx-octets", 0, 0, 0 },
	{ "e1000-tsctc", 0, 0, 0 },
	{ "e1000-rnbc", 0, 0, 0 },
	{ "e1000-roc", 0, 0, 0 },
	{ "e1000-fcs", 0, 0, 0 },
	{ "e1000-packet-checksum", 0, 0, 0 },
	{ "e1000-pif", 0, 0, 0 },
	{ "e1000-tag-status", 0, 0, 0 },
	{ NULL, 0, 0, 0 },
};

/* If (may), what differs is exception (name). */
static void rd_but(struct diff *d, uint32_t reg, bool may, const char *name)
{
	uint32_t v[DIFF_SIDES];

	if (!may) {
		rd(d, reg);
		return;
	}
	diff_read_both(d, reg, 4, v);
	if (v[0] != v[1])
		diff_excuse(d, name);
}

/*
 * Setting up: SDM 14.
 */

static void post_buffer(struct diff *d, uint32_t i)
{
	uint64_t desc[2] = { d->iova + RX_BUFS + i * RX_BUF, 0 };

	diff_poke(d, RX_RING + i * DESC_LEN, desc, sizeof(desc));
}

/* ASEL is 0, and addresses are not groups': those are the table's. */
static void set_address(struct diff *d, unsigned int i)
{
	uint8_t mac[6];
	bool valid = diff_chance(d, 60);

	random_bytes(d, mac, sizeof(mac));
	mac[0] &= 0xfe;
	if (!i) {
		memcpy(mac, diff_mac, sizeof(diff_mac));
		valid = true;
	}
	wr(d, R_RAL + 8 * i, e1000_le32(mac));
	wr(d, R_RAH + 8 * i, e1000_le16(mac + 4) | (valid ? RAH_AV : 0));
}

static void set_table(struct diff *d, uint32_t reg, uint32_t *table,
		      unsigned int i, uint32_t value)
{
	table[i] = value;
	wr(d, reg + 4 * i, value);
}

static void set_rings(struct diff *d)
{
	struct diff_driver *drv = driver(d);

	drv->tx_n = 8 * (2 + diff_random(d, 7));
	drv->rx_n = 8 * (2 + diff_random(d, RX_DESCS / 8 - 1));
	drv->tail = drv->next = 0;
	drv->rdt = drv->rx_n - 1;
	for (uint32_t i = 0; i < drv->rx_n; i++)
		post_buffer(d, i);
	wr(d, R_TDBAL, (uint32_t)d->iova + TX_RING);
	wr(d, R_TDBAH, 0);
	wr(d, R_TDLEN, drv->tx_n * DESC_LEN);
	wr(d, R_TDH, 0);
	wr(d, R_TDT, 0);
	wr(d, R_RDBAL, (uint32_t)d->iova + RX_RING);
	wr(d, R_RDBAH, 0);
	wr(d, R_RDLEN, drv->rx_n * DESC_LEN);
	wr(d, R_RDH, 0);
	wr(d, R_RDT, drv->rdt);
}

/* QEMU's says "queue empty" whenever it looks: no more than that differs. */
static void write_tctl(struct diff *d, uint32_t value)
{
	uint32_t v[DIFF_SIDES];

	wr(d, R_IMC, ~0u);
	wr(d, R_TCTL, value);
	diff_quiet(d);
	diff_read_both(d, R_ICR, 4, v);
	if (v[0] != v[1])
		diff_excuse(d, "e1000-txqe");
	if ((v[0] ^ v[1]) & ~(uint32_t)ICR_TXQE)
		diff_fail(d, "ICR is %#x, QEMU's %#x", v[0], v[1]);
	driver(d)->tctl = value;
	wr(d, R_IMS, driver(d)->ims);
}

/* CTRL.RST, and then all that a driver uses, as it cannot know: SDM 14.3. */
static void reset(struct diff *d)
{
	struct diff_driver *drv = driver(d);
	uint32_t v[DIFF_SIDES];

	wr(d, R_IMC, ~0u);
	wr(d, R_RCTL, 0);
	wr(d, R_TCTL, TCTL_PSP);
	wr(d, R_CTRL, drv->ctrl | CTRL_RST);
	diff_read_both(d, R_TDLEN, 4, v);
	if (v[0] != v[1])
		diff_excuse(d, "e1000-reset");
	wr(d, R_IMC, ~0u);
	drv->ims = 0;
	drv->ctrl = CTRL_RESET_VALUE;
	wr(d, R_CTRL, drv->ctrl);
	diff_read_both(d, R_ICR, 4, v);
	wr(d, R_RCTL, 0);
	wr(d, R_TCTL, TCTL_PSP);
	wr(d, R_VET, 0x8100);
	wr(d, R_TXDCTL, diff_chance(d, 50) ? 0x01000000 : 0);
	wr(d, R_TIPG, 0x00602008);
	for (unsigned int i = 0; i < 16; i++)
		set_address(d, i);
	for (unsigned int i = 0; i < 128; i++) {
		set_table(d, R_MTA, drv->mta, i, 0);
		set_table(d, R_VFTA, drv->vfta, i, 0);
	}
	set_rings(d);
	write_tctl(d, TCTL_EN | TCTL_PSP | 0x0004000f << 4);
}

/*
 * Receiving, one setting of RCTL: SDM 13.4.22.
 */

static void choose_rctl(struct diff *d)
{
	struct diff_driver *drv = driver(d);
	static const uint32_t sizes[] = { 0, 1, 2, 3, 1, 2, 3 };
	unsigned int size = diff_random(d, ARRAY_LEN(sizes));
	uint32_t rctl = RCTL_EN;

	rctl |= sizes[size] << RCTL_BSIZE_AT | (size > 3 ? RCTL_BSEX : 0);
	drv->buf = (size > 3 ? 32768 : 2048) >> sizes[size];
	rctl |= diff_random(d, 3) << RCTL_RDMTS_AT;
	rctl |= diff_random(d, 4) << RCTL_MO_AT;
	rctl |= diff_chance(d, 70) ? RCTL_BAM : 0;
	rctl |= diff_chance(d, 25) ? RCTL_UPE : 0;
	rctl |= diff_chance(d, 25) ? RCTL_MPE : 0;
	rctl |= diff_chance(d, 40) ? RCTL_LPE : 0;
	rctl |= diff_chance(d, 50) ? RCTL_VFE : 0;
	rctl |= diff_chance(d, 50) ? RCTL_SECRC : 0;
	wr(d, R_RCTL, 0);
	wr(d, R_RCTL, rctl);
	drv->rctl = rctl;
	drv->hears = false;
}

static uint8_t *rx_desc(struct diff *d, unsigned int side, uint32_t i)
{
	return d->side[side].memory + RX_RING + i * DESC_LEN;
}

/* Byte (at) of a descriptor differs in (bits) only: exception (name). */
static void excuse_desc(struct diff *d, uint32_t i, unsigned int at,
			unsigned int bits, const char *name)
{
	uint8_t *a = rx_desc(d, DIFF_SIM, i) + at;
	uint8_t *b = rx_desc(d, DIFF_QEMU, i) + at;

	if ((*a ^ *b) & bits)
		diff_excuse(d, name);
	*a = (uint8_t)(*a & ~bits);
	*b = (uint8_t)(*b & ~bits);
}

/* The last four bytes of a frame whose last descriptor is (i). */
static void excuse_fcs(struct diff *d, uint32_t i)
{
	const struct diff_driver *drv = driver(d);
	uint32_t len = e1000_le16(rx_desc(d, DIFF_SIM, i) + 8);

	for (unsigned int n = 0; n < E1000_FCS_LEN; n++) {
		uint32_t at;

		if (!len) {
			i = (i + drv->rx_n - 1) % drv->rx_n;
			len = drv->buf;
		}
		at = RX_BUFS + i * RX_BUF + --len;
		if (d->side[0].memory[at] != d->side[1].memory[at])
			diff_excuse(d, "e1000-fcs");
		d->side[0].memory[at] = d->side[1].memory[at] = 0;
	}
}

/* The descriptors that the cards have filled; then their memory is equal. */
static void take_frames(struct diff *d)
{
	struct diff_driver *drv = driver(d);
	uint32_t head = rd(d, R_RDH);

	for (uint32_t i = drv->next; i != head; i = (i + 1) % drv->rx_n) {
		bool last = rx_desc(d, DIFF_SIM, i)[RXD_STATUS] & RXD_EOP;

		excuse_desc(d, i, 10, 0xff, "e1000-packet-checksum");
		excuse_desc(d, i, 11, 0xff, "e1000-packet-checksum");
		excuse_desc(d, i, RXD_STATUS, RXD_PIF, "e1000-pif");
		if (!last) {
			excuse_desc(d, i, RXD_STATUS, RXD_VP,
				    "e1000-tag-status");
			excuse_desc(d, i, 14, 0xff, "e1000-tag-status");
			excuse_desc(d, i, 15, 0xff, "e1000-tag-status");
		}
		diff_same(d, "a receive descriptor", i << 4,
			  rx_desc(d, DIFF_SIM, i), rx_desc(d, DIFF_QEMU, i),
			  DESC_LEN);
		if (last && !(drv->rctl & RCTL_SECRC))
			excuse_fcs(d, i);
	}
	for (; drv->next != head; drv->next = (drv->next + 1) % drv->rx_n)
		post_buffer(d, drv->next);
	diff_memory(d);
}

static void give_back(struct diff *d)
{
	struct diff_driver *drv = driver(d);

	drv->rdt = (drv->next + drv->rx_n - 1) % drv->rx_n;
	wr(d, R_RDT, drv->rdt);
}

static uint32_t free_buffers(const struct diff_driver *drv)
{
	return (drv->rdt + drv->rx_n - drv->next) % drv->rx_n;
}

static bool in_table(const struct diff_driver *drv, const uint8_t *mac)
{
	static const uint8_t shift[] = { 4, 3, 2, 0 };
	uint32_t hash = e1000_le16(mac + 4) >>
				shift[drv->rctl >> RCTL_MO_AT & 3] &
			0xfff;

	return drv->mta[hash >> 5] >> (hash & 31) & 1;
}

/* What QEMU's filter takes otherwise is not sent: see docs/sim.md. */
static void choose_destination(struct diff *d, uint8_t *to)
{
	const struct diff_driver *drv = driver(d);

	random_bytes(d, to, 6);
	switch (diff_random(d, 6)) {
	case 0:
		if (!(drv->rctl & RCTL_MPE)) {
			memset(to, 0xff, 6);
			return;
		}
		break;
	case 1:
	case 2:
		to[0] |= 1;
		return;
	case 3:
		to[0] &= 0xfe;
		if (!in_table(drv, to))
			return;
		break;
	}
	memcpy(to, diff_mac, sizeof(diff_mac));
}

static uint32_t choose_length(struct diff *d)
{
	const struct diff_driver *drv = driver(d);
	uint32_t len = diff_chance(d, 50) ? 60 + diff_random(d, 200) :
					    60 + diff_random(d, 1459);

	if (diff_chance(d, 15))
		len = 14 + diff_random(d, 60);
	if (diff_chance(d, 20))
		len = drv->buf - 4 + diff_random(d, 9);
	if (len < 14 || (len > LONGEST && !(drv->rctl & RCTL_LPE)))
		len = 60;
	if (diff_chance(d, 20))
		len = 1523 + diff_random(d, JUMBO - 1523);
	if (len > JUMBO)
		len = JUMBO;
	if (len > LONGEST && len < 1523)
		len = LONGEST; /* these four lengths QEMU's takes */
	if (len > drv->buf * (drv->rx_n - 3))
		len = drv->buf * (drv->rx_n - 3);
	return len;
}

static void send_one(struct diff *d)
{
	struct diff_driver *drv = driver(d);
	uint8_t frame[JUMBO];
	uint32_t len;

	choose_destination(d, frame);
	len = choose_length(d);
	/* QEMU's counts those that the filters refuse, too. */
	drv->roc |= len > LONGEST && !(drv->rctl & RCTL_LPE);
	random_bytes(d, frame + 6, len - 6);
	e1000_put16(frame + 12, 0x0800);
	if (len > 18 && diff_chance(d, 40)) {
		e1000_put16(frame + 12, 0x8100);
		if (diff_chance(d, 60))
			e1000_put16(frame + 14, diff_random(d, 64));
		drv->rx_octets |= drv->ctrl & CTRL_VME;
	}
	drv->rx_octets |= drv->rctl & RCTL_SECRC;
	if (free_buffers(drv) < (len + 4) / drv->buf + 2)
		give_back(d);
	diff_inject(d, frame, len);
	diff_settle(d);
	take_frames(d);
}

/* QEMU's hears again; whatever else it does in the meantime. */
static void start_hearing(struct diff *d)
{
	struct diff_driver *drv = driver(d);
	uint8_t frame[60] = { 0 };
	uint32_t v[DIFF_SIDES], head = (drv->next + 1) % drv->rx_n;

	if (!free_buffers(drv))
		give_back(d);
	memcpy(frame, diff_mac, sizeof(diff_mac));
	drv->rx_octets |= drv->rctl & RCTL_SECRC;
	diff_inject(d, frame, sizeof(frame));
	for (unsigned int us = 0; us < WAIT_US; us += 2000) {
		diff_quiet(d);
		diff_read_both(d, R_RDH, 4, v);
		if (v[0] == head && v[1] == head)
			break;
		diff_sleep_us(2000);
	}
	drv->hears = true;
	diff_settle(d);
	take_frames(d);
}

/* No buffers: a frame waits in the card until there are. */
static void hold(struct diff *d)
{
	struct diff_driver *drv = driver(d);
	uint8_t frame[60];

	while (free_buffers(drv)) {
		random_bytes(d, frame, sizeof(frame));
		memcpy(frame, diff_mac, sizeof(diff_mac));
		e1000_put16(frame + 12, 0x0800);
		drv->rx_octets |= drv->rctl & RCTL_SECRC;
		diff_inject(d, frame, sizeof(frame));
		diff_settle(d);
		take_frames(d);
	}
	drv->rnbc = true;
	diff_inject(d, frame, sizeof(frame));
	diff_settle(d);
	give_back(d);
	diff_settle(d);
	take_frames(d);
}

static void receive(struct diff *d)
{
	if (!driver(d)->hears)
		return;
	if (diff_chance(d, 3))
		hold(d);
	for (unsigned int n = 1 + diff_random(d, 4); n; n--)
		send_one(d);
	if (diff_chance(d, 60))
		give_back(d);
}

static void filters(struct diff *d)
{
	struct diff_driver *drv = driver(d);
	unsigned int i = diff_random(d, 128);

	/* Many bits, for random addresses to meet them. */
	if (diff_chance(d, 50))
		for (i = 0; i < 128; i += 1 + diff_random(d, 4))
			set_table(d, R_MTA, drv->mta, i, diff_random(d, 0));
	set_table(d, R_VFTA, drv->vfta, diff_random(d, 2), diff_random(d, 0));
	set_address(d, 1 + diff_random(d, 15));
	if (diff_chance(d, 20))
		set_table(d, R_MTA, drv->mta, diff_random(d, 128), 0);
}

/*
 * The rest.
 */

static void interrupts(struct diff *d)
{
	struct diff_driver *drv = driver(d);
	uint32_t some = diff_random(d, 0) & ICR_ALL & ~(uint32_t)ICR_TXD_LOW;

	switch (diff_random(d, 6)) {
	case 0:
		wr(d, R_IMS, some);
		drv->ims |= some;
		break;
	case 1:
		wr(d, R_IMC, some);
		drv->ims &= ~some;
		break;
	case 2:
		wr(d, R_ICS, some);
		break;
	case 3:
		wr(d, R_ICR, some); /* clears */
		break;
	case 4:
		rd(d, R_ICS);
		rd(d, R_IMS);
		break;
	default:
		rd(d, R_ICR);
	}
}

/* All at once, for QEMU's are copies of one another: SDM 13.7. */
static void statistics(struct diff *d)
{
	struct diff_driver *drv = driver(d);

	rd(d, R_CRCERRS);
	rd(d, R_MPC);
	rd_but(d, R_ROC, drv->roc, "e1000-roc");
	rd(d, R_RUC);
	rd_but(d, R_RNBC, drv->rnbc, "e1000-rnbc");
	for (unsigned int i = 0; i < 6; i++) {
		rd_but(d, R_PRC64 + 4 * i, drv->rx_octets, "e1000-rx-octets");
		rd_but(d, R_PTC64 + 4 * i, drv->tx_octets, "e1000-tx-octets");
	}
	for (unsigned int i = 0; i < 8; i += 4) {
		rd_but(d, R_GORCL + i, drv->rx_octets, "e1000-rx-octets");
		rd_but(d, R_GOTCL + i, drv->tx_octets, "e1000-tx-octets");
		rd_but(d, R_TOTL + i, drv->tx_octets, "e1000-tx-octets");
		rd(d, R_TORL + i);
	}
	rd(d, R_GPRC);
	rd(d, R_TPR);
	rd(d, R_BPRC);
	rd(d, R_MPRC);
	rd(d, R_GPTC);
	rd(d, R_TPT);
	rd(d, R_BPTC);
	rd(d, R_MPTC);
	rd_but(d, R_TSCTC, drv->tsctc, "e1000-tsctc");
	drv->rx_octets = drv->tx_octets = drv->tsctc = false;
	drv->rnbc = drv->roc = false;
}

static void registers(struct diff *d)
{
	static const uint16_t regs[] = {
		R_CTRL,	    R_STATUS, R_RCTL,	R_TCTL,	  R_VET,   R_TDBAL,
		R_TDBAH,    R_TDLEN,  R_TDH,	R_TDT,	  R_RDBAL, R_RDBAH,
		R_RDLEN,    R_RDH,    R_RDT,	R_IMS,	  R_ICS,   R_LEDCTL,
		R_PBA,	    R_MANC,   R_TXDCTL, R_RXDCTL, R_TIPG,  R_RDTR,
		R_RADV,	    R_TADV,   R_ITR,	R_WUC,	  R_WUFC,  R_IPAV,
		R_CTRL_EXT,
	};

	for (unsigned int i = 0; i < ARRAY_LEN(regs); i++)
		rd(d, regs[i]);
	for (unsigned int i = 0; i < 16; i++) {
		rd(d, R_RAL + 8 * i);
		rd(d, R_RAH + 8 * i);
	}
	for (unsigned int i = 0; i < 128; i += 1 + diff_random(d, 20)) {
		rd(d, R_MTA + 4 * i);
		rd(d, R_VFTA + 4 * i);
	}
	if (diff_chance(d, 50)) {
		wr(d, R_RADV, diff_random(d, 0x10000));
		wr(d, R_RDTR, diff_random(d, 0x10000));
		wr(d, R_TADV, diff_random(d, 0x10000));
		wr(d, R_ITR, diff_random(d, 0x10000));
	}
}

/* What is posted while TCTL.EN is clear goes when it is set: SDM 13.4.33. */
static void pause_transmit(struct diff *d)
{
	uint32_t tctl = driver(d)->tctl;

	write_tctl(d, tctl & ~(uint32_t)TCTL_EN);
	diff_transmit(d);
	write_tctl(d, tctl);
	diff_settle(d);
}

static void vlan(struct diff *d)
{
	struct diff_driver *drv = driver(d);

	drv->ctrl ^= CTRL_VME;
	wr(d, R_CTRL, drv->ctrl);
}

static void step(struct diff *d)
{
	static const struct {
		unsigned int weight;
		const char *name;
		void (*run)(struct diff *d);
	} ops[] = {
		{ 32, "receive", receive },
		{ 30, "transmit", diff_transmit },
		{ 8, "filters", filters },
		{ 10, "interrupts", interrupts },
		{ 4, "statistics", statistics },
		{ 4, "registers", registers },
		{ 4, "phy", diff_phy },
		{ 4, "microwire", diff_microwire },
		{ 2, "vlan", vlan },
		{ 1, "eeprom", diff_eeprom },
		{ 1, "pause", pause_transmit },
	};
	unsigned int n = diff_random(d, 100), i = 0;

	while (n >= ops[i].weight)
		n -= ops[i++].weight;
	diff_note(d, "step %u: %s", d->step, ops[i].name);
	ops[i].run(d);
	diff_settle(d);
	diff_memory(d);
	d->step++;
}

static void sequence(struct diff *d)
{
	d->driver = xcalloc(1, sizeof(struct diff_driver));
	driver(d)->ctrl = CTRL_RESET_VALUE;
	driver(d)->at = TX_BUFS;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		if (!round || diff_chance(d, 50))
			reset(d);
		choose_rctl(d);
		for (unsigned int i = 0; i < d->steps / ROUNDS / 4; i++)
			step(d);
		if (diff_chance(d, 50))
			diff_negotiate(d);
		start_hearing(d);
		for (unsigned int i = 0; i < d->steps / ROUNDS; i++)
			step(d);
		registers(d);
		statistics(d);
	}
}

static const struct diff_part part = {
	.name = "e1000",
	.vendor = 0x8086,
	.device = 0x100e,
	.exceptions = exceptions,
	.memory = MEMORY,
	.harmless = R_STATUS,
	.pad = 60,
	.padded = "e1000-psp",
	.steps = 300,
	.sequence = sequence,
};

static void test_same(void **state)
{
	static const uint64_t seeds[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	(void)state;
	if (!diff_have_qemu())
		skip();
	assert_int_equal(diff_check(&part, seeds, ARRAY_LEN(seeds)), 0);
}

/* Each of these in the simulated card shows. */
static void test_notices(void **state)
{
	static const struct diff_error errors[] = {
		{ "a bit of TDH", DIFF_WRONG_READ, R_TDH, 1 },
		{ "a bit of ICR", DIFF_WRONG_READ, R_ICR, ICR_RXT0 },
		{ "a bit of GPTC", DIFF_WRONG_READ, R_GPTC, 1 },
		{ "a bit into RAL", DIFF_WRONG_WRITE, R_RAL, 1u << 31 },
		{ "a bit into MTA", DIFF_WRONG_WRITE, R_MTA, 1u << 16 },
		{ "a bit into RCTL", DIFF_WRONG_WRITE, R_RCTL, RCTL_BAM },
		{ "the pin", DIFF_WRONG_LEVEL, 0, 0 },
		{ "a frame's bit", DIFF_WRONG_FRAME, 0, 4 },
		{ "a lost frame", DIFF_WRONG_LOST, 0, 0 },
		{ "a byte of memory", DIFF_WRONG_MEMORY, MEMORY - 1, 0x80 },
	};

	(void)state;
	if (!diff_have_qemu())
		skip();
	assert_int_equal(diff_notices(&part, errors, ARRAY_LEN(errors)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_notices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
