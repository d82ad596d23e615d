/* SPDX-License-Identifier: MIT */
/*
 * sim_e1000_regs.c: the registers of a simulated 82540EM: where they are,
 * what reading and writing does, what a reset leaves.
 *
 * See sim_e1000.h for what "SDM" is.
 */

#include <string.h>

#include "sim_e1000.h"

/*
 * Where the 82542 has its registers, the 82540EM answers, too: SDM 13.3, the
 * column "Alias Offset" of table 13-2.
 */
static unsigned int canonical(unsigned int off)
{
	static const struct {
		uint16_t from, to;
	} alias[] = {
		{ 0x0108, R_RDTR },  { 0x0110, R_RDBAL }, { 0x0114, R_RDBAH },
		{ 0x0118, R_RDLEN }, { 0x0120, R_RDH },	  { 0x0128, R_RDT },
		{ 0x0160, R_FCRTH }, { 0x0168, R_FCRTL }, { 0x0420, R_TDBAL },
		{ 0x0424, R_TDBAH }, { 0x0428, R_TDLEN }, { 0x0430, R_TDH },
		{ 0x0438, R_TDT },   { 0x0440, R_TIDV },  { 0x8000, R_RDFH },
		{ 0x8008, R_RDFT },  { 0x8010, R_TDFH },  { 0x8018, R_TDFT },
	};

	if (off == R_CTRL_DUP)
		return R_CTRL;
	if (off >= 0x0040 && off < 0x00c0)
		return R_RAL + (off - 0x0040);
	if (off >= 0x0200 && off < 0x0400)
		return R_MTA + (off - 0x0200);
	if (off >= 0x0600 && off < 0x0800)
		return R_VFTA + (off - 0x0600);
	/* All that is left of them is below, or in the diagnostics. */
	if (off >= 0x0800 && off < 0x8000)
		return off;
	for (size_t i = 0; i < ARRAY_LEN(alias); i++)
		if (alias[i].from == off)
			return alias[i].to;
	return off;
}

/*
 * Registers that keep what is written to them, those of the bits that exist.
 * In order of address.
 */
static const struct range {
	uint16_t at, n; /* words */
	uint32_t mask;
} ranges[] = {
	{ R_FCAL, 1, 0xffffffff },   { R_FCAH, 1, 0x0000ffff },
	{ R_FCT, 1, 0x0000ffff },    { R_VET, 1, 0x0000ffff },
	{ R_ITR, 1, 0x0000ffff },    { R_RCTL, 1, 0x06dfb3fe },
	{ R_FCTTV, 1, 0x0000ffff },  { R_TXCW, 1, 0xc000ffff },
	{ R_TCTL, 1, 0x037ffffa },   { R_TIPG, 1, 0x3fffffff },
	{ R_AIT, 1, 0x0000ffff },    { R_LEDCTL, 1, 0xcfcfcfcf },
	{ R_PBA, 1, 0x0000ffff },    { R_FCRTL, 1, 0x8000fff8 },
	{ R_FCRTH, 1, 0x8000fff8 },  { R_RDFH, 1, 0x00001fff },
	{ R_RDFT, 1, 0x00001fff },   { R_RDFHS, 1, 0x00001fff },
	{ R_RDFTS, 1, 0x00001fff },  { R_RDFPC, 1, 0x00001fff },
	{ R_RDBAL, 1, 0xfffffff0 },  { R_RDBAH, 1, 0xffffffff },
	{ R_RDLEN, 1, 0x000fff80 },  { R_RDH, 1, 0x0000ffff },
	{ R_RDT, 1, 0x0000ffff },    { R_RDTR, 1, 0x0000ffff },
	{ R_RXDCTL, 1, 0x013f3f3f }, { R_RADV, 1, 0x0000ffff },
	{ R_RSRPD, 1, 0x00000fff },  { R_TXDMAC, 1, 0x00000001 },
	{ R_TDFH, 1, 0x00001fff },   { R_TDFT, 1, 0x00001fff },
	{ R_TDFHS, 1, 0x00001fff },  { R_TDFTS, 1, 0x00001fff },
	{ R_TDFPC, 1, 0x00001fff },  { R_TDBAL, 1, 0xfffffff0 },
	{ R_TDBAH, 1, 0xffffffff },  { R_TDLEN, 1, 0x000fff80 },
	{ R_TDH, 1, 0x0000ffff },    { R_TDT, 1, 0x0000ffff },
	{ R_TIDV, 1, 0x0000ffff },   { R_TXDCTL, 1, 0xff3f3f3f },
	{ R_TADV, 1, 0x0000ffff },   { R_TSPMT, 1, 0xffffffff },
	{ R_RXCSUM, 1, 0x000007ff }, { R_MTA, 128, 0xffffffff },
	{ R_RAL, 32, 0xffffffff },   { R_VFTA, 128, 0xffffffff },
	{ R_WUC, 1, 0x0000000f },    { R_WUFC, 1, 0x000f00ff },
	{ R_MANC, 1, 0xffffffff },   { R_IPAV, 1, 0x0001000f },
	{ R_IP4AT, 7, 0xffffffff },  { R_IP6AT, 4, 0xffffffff },
	{ R_FFLT, 8, 0x000007ff },   { R_FFMT, 256, 0x0000000f },
	{ R_FFVT, 256, 0xffffffff },
};

/* Which bits of (at) can be written and stay; 0 if none. */
static uint32_t kept_bits(unsigned int at)
{
	size_t low = 0, high = ARRAY_LEN(ranges);

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct range *range = &ranges[mid];

		if (at < range->at)
			high = mid;
		else if (at >= range->at + 4u * range->n)
			low = mid + 1;
		else
			return range->mask;
	}
	return 0;
}

/*
 * Statistics: SDM 13.7: cleared by reading, a pair by reading its high half;
 * they stick at their maximum.
 */

static bool is_pair(unsigned int at)
{
	switch (at & ~4u) {
	case R_GORCL:
	case R_GOTCL:
	case R_TORL:
	case R_TOTL:
		return true;
	default:
		return false;
	}
}

static uint32_t read_stat(struct e1000 *e, unsigned int at)
{
	uint32_t value = e1000_get(e, at);

	if (!is_pair(at)) {
		e1000_set(e, at, 0);
	} else if (at & 4) {
		e1000_set(e, at, 0);
		e1000_set(e, at - 4, 0);
	}
	return value;
}

void e1000_count(struct e1000 *e, unsigned int at)
{
	if (e1000_get(e, at) != UINT32_MAX)
		e->reg[at / 4]++;
}

void e1000_count64(struct e1000 *e, unsigned int at, uint32_t n)
{
	uint64_t sum,
		was = (uint64_t)e1000_get(e, at + 4) << 32 | e1000_get(e, at);

	if (cc_add(was, n, &sum))
		sum = UINT64_MAX;
	e1000_set(e, at, (uint32_t)sum);
	e1000_set(e, at + 4, (uint32_t)(sum >> 32));
}

void e1000_count_size(struct e1000 *e, unsigned int at, uint32_t size)
{
	static const uint16_t above[] = { 64, 127, 255, 511, 1023 };
	unsigned int bin = 0;

	while (bin < ARRAY_LEN(above) && size > above[bin])
		bin++;
	e1000_count(e, at + 4 * bin);
}

uint32_t e1000_ring(const struct e1000 *e, unsigned int len_at)
{
	uint32_t n = e1000_get(e, len_at) / DESC_LEN;

	return n ? n : 1;
}

/*
 * Reading.
 */

static uint32_t read_status(const struct e1000 *e)
{
	uint32_t ctrl = e1000_get(e, R_CTRL);
	uint32_t speed = ctrl & CTRL_FRCSPD ? (ctrl & CTRL_SPEED) >> 8 : 2;
	bool duplex = ctrl & CTRL_FRCDPX ? ctrl & CTRL_FD : true;

	return STATUS_REST | speed << STATUS_SPEED_AT |
	       (duplex ? STATUS_FD : 0) | (e->link ? STATUS_LU : 0);
}

/* Reading clears it, and so lowers the pin: SDM 13.4.17. */
static uint32_t read_icr(struct e1000 *e)
{
	uint32_t value = e->icr;

	e->icr = 0;
	e1000_irq(e);
	return value;
}

/* SDM 13.8: the packet buffer. */
static uint32_t read_pbm(const struct e1000 *e, unsigned int off)
{
	return e1000_le32(e->pbm + (off - R_PBM));
}

uint32_t e1000_reg_read(struct e1000 *e, unsigned int off)
{
	unsigned int at = canonical(off);

	if (at >= R_PBM)
		return read_pbm(e, at);
	if (at >= E1000_REGS_END)
		return 0;
	if (at >= R_STATS && at < R_STATS_END)
		return read_stat(e, at);
	switch (at) {
	case R_STATUS:
		return read_status(e);
	case R_EECD:
		return e1000_eecd_read(e);
	case R_ICR:
		return read_icr(e);
	case R_ICS:
		/* Write-only by the manual; real parts show ICR. */
		return e->icr;
	case R_IMS:
		return e->ims;
	case R_PBA:
		/* What is not for receiving is for sending: SDM 13.4.16. */
		return e1000_get(e, at) | (64 - (e1000_get(e, at) & 0x3f))
						  << 16;
	default:
		/* Registers to write only, and none at all, are zeros here. */
		return e1000_get(e, at);
	}
}

/*
 * Writing.
 */

static void write_ctrl(struct e1000 *e, uint32_t value)
{
	uint32_t was = e1000_get(e, R_CTRL);

	if (value & CTRL_RST) {
		/* PHY_RST may come with it: SDM 13.4.1. */
		if (value & CTRL_PHY_RST)
			e1000_phy_reset(e);
		e1000_software_reset(e);
		return;
	}
	e1000_set(e, R_CTRL, value);
	/* As long as it is set, the PHY is held: SDM 13.4.1. */
	if (value & ~was & CTRL_PHY_RST)
		e1000_phy_reset(e);
	e1000_link(e);
}

static void write_ctrl_ext(struct e1000 *e, uint32_t value)
{
	e1000_set(e, R_CTRL_EXT,
		  value & ~(uint32_t)(CTRL_EXT_ASDCHK | CTRL_EXT_EE_RST));
	if (value & CTRL_EXT_EE_RST)
		e1000_nvm_load(e);
}

/* Frames that waited in the FIFO may go on. */
static void write_rdt(struct e1000 *e)
{
	if (e->rx.count)
		e1000_arm(e);
}

/* Clear what is written, ICR or IMS. */
static void clear_bits(struct e1000 *e, uint32_t *reg, uint32_t value)
{
	*reg &= ~value;
	e1000_irq(e);
}

/* What else a register does when it is written. */
static void written(struct e1000 *e, unsigned int at)
{
	switch (at) {
	case R_RCTL:
	case R_RDT:
		write_rdt(e);
		break;
	case R_TCTL:
	case R_TDT:
		e1000_doorbell(e);
		break;
	}
}

static void write_kept(struct e1000 *e, unsigned int at, uint32_t value,
		       uint32_t lanes)
{
	uint32_t mask = kept_bits(at) & lanes;

	if (!mask)
		return;
	e1000_set(e, at, (e1000_get(e, at) & ~mask) | (value & mask));
	written(e, at);
}

static void write_pbm(struct e1000 *e, unsigned int off, uint32_t value,
		      uint32_t lanes)
{
	for (unsigned int i = 0; i < 4; i++)
		if (lanes >> (8 * i) & 0xff)
			e->pbm[off - R_PBM + i] = (uint8_t)(value >> (8 * i));
}

/* Bytes that are not written keep their value in CTRL, and are 0 elsewhere. */
void e1000_reg_write(struct e1000 *e, unsigned int off, uint32_t value,
		     uint32_t lanes)
{
	unsigned int at = canonical(off);

	if (at >= R_PBM) {
		write_pbm(e, at, value, lanes);
		return;
	}
	switch (at) {
	case R_CTRL:
		write_ctrl(e, (e1000_get(e, at) & ~lanes) | value);
		break;
	case R_CTRL_EXT:
		write_ctrl_ext(e, (e1000_get(e, at) & ~lanes) | value);
		break;
	case R_EECD:
		e1000_eecd_write(e, value);
		break;
	case R_EERD:
		e1000_eerd_write(e, value);
		break;
	case R_MDIC:
		e1000_mdic_write(e, value);
		e1000_irq(e);
		break;
	case R_ICR:
		clear_bits(e, &e->icr, value);
		break;
	case R_IMC:
		clear_bits(e, &e->ims, value);
		break;
	case R_ICS:
		e1000_cause(e, value);
		e1000_irq(e);
		break;
	case R_IMS:
		e->ims |= value & ICR_ALL;
		e1000_irq(e);
		break;
	case R_WUS: /* written 1 to clear: SDM 13.6.3 */
		e1000_set(e, at, e1000_get(e, at) & ~value);
		break;
	default:
		write_kept(e, at, value, lanes);
	}
}

/*
 * What a reset leaves: the tables of SDM 13.4 to 13.8.  What has the initial
 * value "X" there is left alone by CTRL.RST; so are statistics (SDM 13.7),
 * PBA (13.4.16: it works with the next reset) and wake-up status (14.7).
 */
void e1000_regs_reset(struct e1000 *e, bool power_on)
{
	static const uint16_t zero[] = {
		R_EERD,	  R_CTRL_EXT, R_MDIC,  R_FCTTV, R_TXCW,	  R_ITR,
		R_RCTL,	  R_FCRTL,    R_FCRTH, R_RDLEN, R_RDH,	  R_RDT,
		R_RDTR,	  R_RADV,     R_RSRPD, R_TCTL,	R_AIT,	  R_TDLEN,
		R_TDH,	  R_TDT,      R_TIDV,  R_TADV,	R_RXCSUM, R_WUC,
		R_WUFC,	  R_IPAV,     R_RDFH,  R_RDFT,	R_RDFHS,  R_RDFTS,
		R_RDFPC,  R_TDFHS,    R_TDFTS, R_TDFPC, R_TXDCTL, R_TIPG,
		R_TXDMAC,
	};
	static const struct {
		uint16_t at;
		uint32_t value;
	} init[] = {
		{ R_CTRL, CTRL_RESET_VALUE }, { R_VET, 0x8100 },
		{ R_LEDCTL, 0x07068302 },     { R_RXDCTL, 0x00010000 },
		{ R_TSPMT, 0x01000400 },      { R_MANC, 0x00222300 },
	};

	for (size_t i = 0; i < ARRAY_LEN(zero); i++)
		e1000_set(e, zero[i], 0);
	for (size_t i = 0; i < ARRAY_LEN(init); i++)
		e1000_set(e, init[i].at, init[i].value);
	/* No address but the EEPROM's is valid: SDM 13.5.3. */
	for (unsigned int i = 0; i < 16; i++)
		e->reg[(R_RAH + 8 * i) / 4] &= ~(uint32_t)RAH_AV;
	if (power_on)
		e1000_set(e, R_PBA, 0x30);
}
