/* SPDX-License-Identifier: MIT */
/*
 * diff_e1000_nvm.c: the EEPROM and the PHY of two 82540EMs, as a driver gets
 * at them.
 *
 * See sim_e1000.h for what "SDM" is.
 */

#include "diff_e1000.h"

static unsigned int eerd(struct diff *d, unsigned int word, unsigned int side)
{
	uint32_t v[DIFF_SIDES];

	wr(d, R_EERD, word << 8 | EERD_START);
	diff_read_both(d, R_EERD, 4, v);
	if (!(v[0] & v[1] & EERD_DONE) || (v[0] ^ v[1]) & 0xffff)
		diff_fail(d, "EERD is %#x, QEMU's %#x", v[0], v[1]);
	return v[side] >> 16;
}

/* What is in them is the card's own, but for a few words: SDM 5.6. */
void diff_eeprom(struct diff *d)
{
	static const uint8_t same[] = { 0, 1, 2, 12, 13, 14, 15 };
	uint16_t sum[DIFF_SIDES] = { 0 };

	for (unsigned int i = 0; i < ARRAY_LEN(same); i++) {
		wr(d, R_EERD, (uint32_t)same[i] << 8 | EERD_START);
		rd(d, R_EERD);
	}
	for (unsigned int i = 0; i < E1000_EEPROM_WORDS; i++) {
		unsigned int a = eerd(d, i, DIFF_SIM);
		unsigned int b = eerd(d, i, DIFF_QEMU);

		if (a != b)
			diff_excuse(d, "e1000-eeprom");
		sum[DIFF_SIM] = (uint16_t)(sum[DIFF_SIM] + a);
		sum[DIFF_QEMU] = (uint16_t)(sum[DIFF_QEMU] + b);
	}
	if (sum[DIFF_SIM] != 0xbaba || sum[DIFF_QEMU] != 0xbaba)
		diff_fail(d, "the EEPROM's sum is %#x, QEMU's %#x",
			  sum[DIFF_SIM], sum[DIFF_QEMU]);
}

/* DO means something while data comes out, and then alone. */
static void look_at_eecd(struct diff *d)
{
	uint32_t v[DIFF_SIDES];

	diff_read_both(d, R_EECD, 4, v);
	if ((v[0] ^ v[1]) & EECD_DO)
		diff_excuse(d, "e1000-eecd-do");
	if ((v[0] ^ v[1]) & EECD_GNT)
		diff_excuse(d, "e1000-eecd-grant");
	if ((v[0] ^ v[1]) & ~(uint32_t)(EECD_DO | EECD_GNT))
		diff_fail(d, "EECD is %#x, QEMU's %#x", v[0], v[1]);
}

/* A bit into the EEPROM, or out: DI and SK, as drivers do. */
static bool clock_bit(struct diff *d, bool out, bool sample)
{
	uint32_t value = EECD_REQ | EECD_CS | (out ? EECD_DI : 0), got = 0;

	wr(d, R_EECD, value);
	wr(d, R_EECD, value | EECD_SK);
	if (sample)
		got = rd(d, R_EECD);
	else
		look_at_eecd(d);
	wr(d, R_EECD, value);
	return got & EECD_DO;
}

/* SDM 5.3.1, and the 93C46's own: words that are the same in both. */
void diff_microwire(struct diff *d)
{
	static const uint8_t same[] = { 0, 1, 2, 12, 13, 14, 15 };
	uint32_t word = same[diff_random(d, ARRAY_LEN(same))];
	uint32_t command = 6 << 6 | word, value = 0;

	look_at_eecd(d);
	wr(d, R_EECD, EECD_REQ);
	look_at_eecd(d);
	wr(d, R_EECD, EECD_REQ | EECD_CS);
	for (unsigned int i = 9; i--;)
		clock_bit(d, command >> i & 1, false);
	for (unsigned int i = 16; i--;)
		value |= clock_bit(d, false, true) ? 1u << i : 0;
	wr(d, R_EECD, EECD_REQ);
	wr(d, R_EECD, 0);
	look_at_eecd(d);
	if (value != eerd(d, word, DIFF_SIM))
		diff_fail(d, "word %u is %#x by EECD", word, value);
	diff_note(d, "word %u is %#x", word, value);
}

/*
 * The PHY: SDM 13.4.7.
 */

/* Poll both until they have (bits) set. */
static void await(struct diff *d, uint32_t reg, uint32_t bits)
{
	uint32_t v[DIFF_SIDES];

	for (unsigned int us = 0; us < WAIT_US; us += 1000) {
		diff_read_both(d, reg, 4, v);
		if ((v[0] & v[1] & bits) == bits)
			return;
		diff_sleep_us(1000);
	}
	diff_fail(d, "register %#x never has %#x", reg, bits);
}

static uint32_t phy_read(struct diff *d, unsigned int reg)
{
	wr(d, R_MDIC, MDIC_READ | 1u << 21 | reg << 16);
	return diff_read(d, PHY(reg), R_MDIC, 4);
}

static void phy_write(struct diff *d, unsigned int reg, unsigned int value,
		      uint32_t more)
{
	wr(d, R_MDIC, MDIC_WRITE | 1u << 21 | reg << 16 | value | more);
	rd(d, R_MDIC);
}

void diff_phy(struct diff *d)
{
	static const uint8_t regs[] = { PHY_PCTRL, PHY_PSTATUS, PHY_ID1,
					PHY_ID2,   PHY_ANA,	PHY_LPA,
					PHY_ANE,   PHY_GCON,	PHY_GSTATUS,
					PHY_PSCON, PHY_PSSTAT,	PHY_EPSCON };
	static const uint8_t writable[] = { PHY_ANA, PHY_GCON, PHY_PSCON,
					    PHY_EPSCON };
	unsigned int reg = writable[diff_random(d, ARRAY_LEN(writable))];

	phy_write(d, reg, diff_random(d, 0x10000),
		  diff_chance(d, 50) ? MDIC_I : 0);
	phy_read(d, reg);
	for (unsigned int i = 0; i < ARRAY_LEN(regs); i++)
		phy_read(d, regs[i]);
}

/* QEMU's takes half a second, ours no time. */
void diff_negotiate(struct diff *d)
{
	wr(d, R_IMC, ~0u);
	phy_write(d, PHY_PCTRL, 0x1140 | PCTRL_RESTART, 0);
	await(d, R_ICS, ICR_LSC);
	await(d, R_STATUS, STATUS_LU);
	phy_read(d, PHY_PCTRL);
	rd(d, R_ICR);
	wr(d, R_IMS, driver(d)->ims);
}
