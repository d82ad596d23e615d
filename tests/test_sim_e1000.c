/* SPDX-License-Identifier: MIT */
/*
 * test_sim_e1000.c: the simulated 82540EM against Intel's manual: registers,
 * aliases, the I/O window, EEPROM, PHY, interrupts and resets.
 */

#include "test_sim_e1000.h"

#define PHY(op, reg, value) \
	((op) | 1u << 21 | (uint32_t)(reg) << 16 | (uint32_t)(value))

static uint16_t phy_read(struct rig *rig, unsigned int reg)
{
	wr(rig, R_MDIC, PHY(MDIC_READ, reg, 0));
	assert_int_equal(rd(rig, R_MDIC) & (MDIC_R | MDIC_E), MDIC_R);
	return (uint16_t)rd(rig, R_MDIC);
}

static void phy_write(struct rig *rig, unsigned int reg, unsigned int value)
{
	wr(rig, R_MDIC, PHY(MDIC_WRITE, reg, value));
	assert_int_equal(rd(rig, R_MDIC) & (MDIC_R | MDIC_E), MDIC_R);
}

/* SDM 4.1: what PCI shows. */
static void test_info(void **state)
{
	struct backend_info info;

	(void)state;
	sim_e1000.info(&info);
	assert_memory_equal(info.config, "\x86\x80\x0e\x10", 4);
	assert_memory_equal(info.config + 9, "\0\0\2", 3);
	assert_int_equal(info.config[0x3d], 1);
	assert_int_equal(info.bar[0].space, BACKEND_MMIO);
	assert_int_equal(info.bar[0].size, 0x20000);
	assert_int_equal(info.bar[1].space, BACKEND_IO);
	assert_int_equal(info.bar[1].size, 0x40);
	assert_int_equal(info.bar[2].space, BACKEND_NONE);
	assert_true(info.intx);
	assert_int_equal(info.msi_vectors, 0);
}

/* The initial values in SDM 13.4. */
static void test_power_on(void **state)
{
	struct sim_conf bad = { .ram = 0x4000 };
	struct rig *rig = power_on(NULL);

	(void)state;
	assert_int_equal(rd(rig, R_CTRL), CTRL_RESET_VALUE);
	assert_int_equal(rd(rig, R_STATUS), 0x80080783);
	assert_int_equal(rd(rig, R_EECD), EECD_PRES | EECD_DO);
	assert_int_equal(rd(rig, R_PBA), 0x00100030);
	assert_int_equal(rd(rig, R_VET), 0x8100);
	assert_int_equal(rd(rig, R_LEDCTL), 0x07068302);
	assert_int_equal(rd(rig, R_RCTL), 0);
	assert_int_equal(rd(rig, R_TCTL), 0);
	assert_int_equal(rd(rig, R_ICR), 0);
	assert_int_equal(rd(rig, R_IMS), 0);
	/* The address comes from the EEPROM: SDM 13.5.3. */
	assert_int_equal(rd(rig, R_RAL), 0x12005452);
	assert_int_equal(rd(rig, R_RAH), 0x80005634);
	assert_int_equal(rd(rig, R_RAH + 8), 0);
	assert_false(sim_e1000.irq_level(rig->e));
	assert_int_equal(rig->edges, 0);
	assert_int_equal(sim_e1000.init(rig->e, &bad, &host, rig), -EINVAL);
	power_off(rig);
}

/* What is kept, which bits of it, and that nothing else is. */
static void test_masks(void **state)
{
	static const struct {
		unsigned int at;
		uint32_t mask;
	} regs[] = {
		{ R_FCAL, 0xffffffff },	 { R_FCAH, 0xffff },
		{ R_FCT, 0xffff },	 { R_VET, 0xffff },
		{ R_ITR, 0xffff },	 { R_FCTTV, 0xffff },
		{ R_TXCW, 0xc000ffff },	 { R_TIPG, 0x3fffffff },
		{ R_AIT, 0xffff },	 { R_FCRTL, 0x8000fff8 },
		{ R_FCRTH, 0x8000fff8 }, { R_RDBAL, 0xfffffff0 },
		{ R_RDBAH, 0xffffffff }, { R_RDLEN, 0xfff80 },
		{ R_RDH, 0xffff },	 { R_RDT, 0xffff },
		{ R_RDTR, 0xffff },	 { R_RXDCTL, 0x013f3f3f },
		{ R_RADV, 0xffff },	 { R_RSRPD, 0xfff },
		{ R_RXCSUM, 0x7ff },	 { R_TDBAL, 0xfffffff0 },
		{ R_TDBAH, 0xffffffff }, { R_TDLEN, 0xfff80 },
		{ R_TDH, 0xffff },	 { R_TDT, 0xffff },
		{ R_TIDV, 0xffff },	 { R_TXDCTL, 0xff3f3f3f },
		{ R_TADV, 0xffff },	 { R_TSPMT, 0xffffffff },
		{ R_MTA, 0xffffffff },	 { R_MTA + 0x1fc, 0xffffffff },
		{ R_RAL, 0xffffffff },	 { R_RAL + 0x7c, 0xffffffff },
		{ R_VFTA, 0xffffffff },	 { R_VFTA + 0x1fc, 0xffffffff },
		{ R_WUFC, 0xf00ff },	 { R_IPAV, 0x1000f },
		{ R_IP4AT, 0xffffffff }, { R_IP6AT + 12, 0xffffffff },
		{ R_FFMT + 1020, 0xf },	 { R_FFVT + 1020, 0xffffffff },
		{ R_RDFH, 0x1fff },	 { R_TDFTS, 0x1fff },
		{ R_STATUS, 0 },	 { R_RXCW, 0 },
		{ R_WUPL, 0 },		 { R_WUPM, 0 },
		{ R_STATS, 0 },		 { R_TSCTFC, 0 },
		{ 0x605c, 0 },		 { 0x9ffc, 0 },
		{ 0xa000, 0 },		 { 0xfffc, 0 },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(regs); i++) {
		uint32_t was = rd(rig, regs[i].at) & ~regs[i].mask;

		wr(rig, regs[i].at, 0xffffffff);
		if (rd(rig, regs[i].at) != (regs[i].mask | was))
			fail_msg("register %#x: %#x", regs[i].at,
				 rd(rig, regs[i].at));
		wr(rig, regs[i].at, 0);
		if (rd(rig, regs[i].at) != was)
			fail_msg("register %#x keeps ones", regs[i].at);
	}
}

/* The 82542's addresses: SDM 13.3, table 13-2; both ways. */
static void test_aliases(void **state)
{
	static const uint16_t pairs[][2] = {
		{ 0x0108, R_RDTR },	  { 0x0110, R_RDBAL },
		{ 0x0114, R_RDBAH },	  { 0x0118, R_RDLEN },
		{ 0x0120, R_RDH },	  { 0x0128, R_RDT },
		{ 0x0160, R_FCRTH },	  { 0x0168, R_FCRTL },
		{ 0x0420, R_TDBAL },	  { 0x0424, R_TDBAH },
		{ 0x0428, R_TDLEN },	  { 0x0430, R_TDH },
		{ 0x0438, R_TDT },	  { 0x0440, R_TIDV },
		{ 0x0040, R_RAL },	  { 0x0044, R_RAH },
		{ 0x00bc, R_RAL + 0x7c }, { 0x0200, R_MTA },
		{ 0x03fc, R_MTA + 508 },  { 0x0600, R_VFTA },
		{ 0x07fc, R_VFTA + 508 }, { 0x8000, R_RDFH },
		{ 0x8008, R_RDFT },	  { 0x8010, R_TDFH },
		{ 0x8018, R_TDFT },	  { R_CTRL_DUP, R_CTRL },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		uint32_t value = 0x00000780;

		wr(rig, pairs[i][0], value);
		if (rd(rig, pairs[i][1]) != value)
			fail_msg("alias %#x is not %#x", pairs[i][0],
				 pairs[i][1]);
		wr(rig, pairs[i][1], 0x80);
		assert_int_equal(rd(rig, pairs[i][0]), 0x80);
	}
}

/* Sending through the aliases alone. */
static void test_alias_door(void **state)
{
	struct rig *rig = *state;

	fill(rig->mem + BUFS, 60, other);
	legacy(rig, BUFS, 60, TXD_EOP | TXD_IFCS | TXD_RS);
	wr(rig, 0x0438, rig->tail);
	run(rig);
	assert_int_equal(rig->sent, 1);
	assert_int_equal(rd(rig, 0x0430), 1);
}

/* IOADDR and IODATA: SDM 13.2.2. */
static void test_io_window(void **state)
{
	struct rig *rig = *state;
	struct e1000 *e = rig->e;

	sim_e1000.write(e, 1, 0, 4, 0xfff00000 | R_RDBAL);
	assert_int_equal(sim_e1000.read(e, 1, 0, 4), R_RDBAL);
	sim_e1000.write(e, 1, 4, 4, 0x12345670);
	assert_int_equal(rd(rig, R_RDBAL), 0x12345670);
	assert_int_equal(sim_e1000.read(e, 1, 4, 4), 0x12345670);
	/* "Writes that are less than 32 bits are ignored"; reads are not. */
	sim_e1000.write(e, 1, 0, 2, 0);
	sim_e1000.write(e, 1, 4, 1, 0xff);
	sim_e1000.write(e, 1, 2, 4, 0x55555555);
	assert_int_equal(sim_e1000.read(e, 1, 0, 2), R_RDBAL);
	assert_int_equal(sim_e1000.read(e, 1, 5, 1), 0x56);
	assert_int_equal(rd(rig, R_RDBAL), 0x12345670);
	/* The packet buffer, too, and nothing behind it. */
	sim_e1000.write(e, 1, 0, 4, 0x1fffc);
	sim_e1000.write(e, 1, 4, 4, 0xabcdef01);
	assert_int_equal(rd(rig, 0x1fffc), 0xabcdef01);
	sim_e1000.write(e, 1, 0, 4, 0x20000);
	sim_e1000.write(e, 1, 4, 4, 0xffffffff);
	assert_int_equal(sim_e1000.read(e, 1, 4, 4), 0);
	assert_int_equal(sim_e1000.read(e, 1, 8, 4), 0);
	assert_int_equal(sim_e1000.read(e, 1, 0x3c, 4), 0);
	/* A software reset by it, which keeps IOADDR. */
	sim_e1000.write(e, 1, 0, 4, R_CTRL);
	sim_e1000.write(e, 1, 4, 4, CTRL_RST);
	assert_int_equal(rd(rig, R_RCTL), 0);
	sim_e1000.write(e, 1, 0, 4, R_ITR);
	wr(rig, R_CTRL, CTRL_RST);
	assert_int_equal(sim_e1000.read(e, 1, 0, 4), R_ITR);
	sim_e1000.reset(e);
	assert_int_equal(sim_e1000.read(e, 1, 0, 4), 0);
}

/* Narrow, wide and crooked accesses: PCI's byte enables. */
static void test_widths(void **state)
{
	struct rig *rig = *state;
	struct e1000 *e = rig->e;

	sim_e1000.write(e, 0, R_RDBAL, 8, UINT64_C(0x1122334455667780));
	assert_int_equal(rd(rig, R_RDBAL), 0x55667780);
	assert_int_equal(rd(rig, R_RDBAH), 0x11223344);
	assert_true(sim_e1000.read(e, 0, R_RDBAL, 8) ==
		    UINT64_C(0x1122334455667780));
	assert_int_equal(sim_e1000.read(e, 0, R_RDBAL + 3, 2), 0x4455);
	assert_int_equal(sim_e1000.read(e, 0, R_RDBAL + 1, 1), 0x77);
	sim_e1000.write(e, 0, R_RDBAL + 2, 4, 0xaabbccdd);
	assert_int_equal(rd(rig, R_RDBAL), 0xccdd7780);
	assert_int_equal(rd(rig, R_RDBAH), 0x1122aabb);
	sim_e1000.write(e, 0, 0x10001, 2, 0x1234);
	assert_int_equal(rd(rig, 0x10000), 0x00123400);
	assert_int_equal(sim_e1000.read(e, 0, 0x1fffe, 2), 0);
	/* A reset by one byte is a reset. */
	assert_int_not_equal(rd(rig, R_RCTL), 0);
	sim_e1000.write(e, 0, R_CTRL + 3, 1, CTRL_RST >> 24);
	assert_int_equal(rd(rig, R_RCTL), 0);
}

/* SDM 13.4.17 to 13.4.21. */
static void test_interrupts(void **state)
{
	struct rig *rig = *state;

	rd(rig, R_ICR);
	wr(rig, R_ICS, ICR_RXT0 | ICR_LSC);
	assert_int_equal(rd(rig, R_ICS), ICR_RXT0 | ICR_LSC);
	assert_false(rig->level);
	wr(rig, R_IMS, ICR_LSC);
	assert_true(rig->level);
	wr(rig, R_IMS, ICR_TXDW);
	assert_int_equal(rd(rig, R_IMS), ICR_LSC | ICR_TXDW);
	wr(rig, R_ICR, ICR_LSC);
	assert_false(rig->level);
	wr(rig, R_ICS, ICR_TXDW);
	assert_true(rig->level);
	wr(rig, R_IMC, ICR_TXDW);
	assert_false(rig->level);
	assert_int_equal(rd(rig, R_IMC), 0);
	wr(rig, R_IMS, ICR_TXDW);
	assert_true(rig->level);
	assert_int_equal(rd(rig, R_ICR), ICR_RXT0 | ICR_TXDW);
	assert_false(rig->level);
	assert_int_equal(rd(rig, R_ICR), 0);
	wr(rig, R_ICS, 0xffffffff);
	assert_int_equal(rd(rig, R_ICR), ICR_ALL);
}

/*
 * The EEPROM by its pins, as Linux's driver moves them.
 */

static void ee_clock(struct rig *rig, bool di)
{
	uint32_t pins = EECD_REQ | EECD_CS | (di ? EECD_DI : 0);

	wr(rig, R_EECD, pins);
	wr(rig, R_EECD, pins | EECD_SK);
	wr(rig, R_EECD, pins);
}

static void ee_out(struct rig *rig, uint32_t bits, unsigned int n)
{
	while (n--)
		ee_clock(rig, bits >> n & 1);
}

static uint16_t ee_in(struct rig *rig)
{
	unsigned int value = 0;

	for (unsigned int i = 0; i < 16; i++) {
		wr(rig, R_EECD, EECD_REQ | EECD_CS | EECD_SK);
		value = value << 1 | !!(rd(rig, R_EECD) & EECD_DO);
		wr(rig, R_EECD, EECD_REQ | EECD_CS);
	}
	return (uint16_t)value;
}

static void ee_select(struct rig *rig)
{
	wr(rig, R_EECD, EECD_REQ);
	wr(rig, R_EECD, EECD_REQ | EECD_SK);
	wr(rig, R_EECD, EECD_REQ);
	wr(rig, R_EECD, EECD_REQ | EECD_CS);
}

static uint16_t ee_read(struct rig *rig, unsigned int word)
{
	ee_select(rig);
	ee_out(rig, 6, 3);
	ee_out(rig, word, 6);
	return ee_in(rig);
}

static void ee_command(struct rig *rig, unsigned int bits)
{
	ee_select(rig);
	ee_out(rig, bits, 9);
}

static void ee_write(struct rig *rig, unsigned int op, unsigned int data)
{
	ee_command(rig, op);
	ee_out(rig, data, 16);
	ee_select(rig);
	assert_true(rd(rig, R_EECD) & EECD_DO); /* ready */
}

static uint16_t eerd(struct rig *rig, unsigned int word)
{
	wr(rig, R_EERD, word << 8 | EERD_START);
	assert_int_equal(rd(rig, R_EERD) & 0xffff, word << 8 | EERD_DONE);
	return rd(rig, R_EERD) >> 16;
}

/* SDM 5.3, 5.6, 13.4.3, 13.4.4. */
static void test_eeprom_read(void **state)
{
	struct rig *rig = *state;
	uint16_t sum = 0, word;

	wr(rig, R_EECD, EECD_REQ);
	assert_true(rd(rig, R_EECD) & EECD_GNT);
	for (unsigned int i = 0; i < 64; i++) {
		word = ee_read(rig, i);
		assert_int_equal(word, eerd(rig, i));
		sum = (uint16_t)(sum + word);
	}
	assert_int_equal(sum, 0xbaba);
	assert_int_equal(ee_read(rig, 0), 0x5452);
	assert_int_equal(ee_in(rig), 0x1200); /* on to the next */
	assert_int_equal(ee_read(rig, 63), eerd(rig, 63));
	assert_int_equal(ee_in(rig), 0x5452);
	assert_int_equal(ee_read(rig, 10) & 0xc000, 0x4000);
	wr(rig, R_EERD, 64 << 8 | EERD_START);
	assert_int_equal(rd(rig, R_EERD), 64 << 8 | EERD_DONE);
	/* Leading zeros are no start bit. */
	ee_select(rig);
	ee_out(rig, 0, 5);
	ee_out(rig, 6 << 6 | 1, 9);
	assert_int_equal(ee_in(rig), 0x1200);
}

/* Without the grant the pins are not ours: SDM 5.3.1. */
static void test_eeprom_grant(void **state)
{
	struct rig *rig = *state;

	wr(rig, R_EECD, EECD_CS | EECD_SK | EECD_DI);
	assert_int_equal(rd(rig, R_EECD) & ~(uint32_t)EECD_DO, EECD_PRES);
	wr(rig, R_EECD, EECD_REQ | EECD_CS);
	assert_int_equal(rd(rig, R_EECD) & (EECD_CS | EECD_GNT),
			 EECD_CS | EECD_GNT);
	wr(rig, R_EECD, 0);
	assert_false(rd(rig, R_EECD) & EECD_GNT);
}

/* 93C46: EWEN, WRITE, ERASE, WRAL, ERAL, EWDS; and no reset undoes it. */
static void test_eeprom_write(void **state)
{
	struct rig *rig = *state;

	ee_write(rig, 5 << 6 | 2, 0x4321);
	assert_int_equal(eerd(rig, 2), 0x5634);
	ee_command(rig, 0x130); /* EWEN */
	ee_write(rig, 5 << 6 | 2, 0x4321);
	assert_int_equal(ee_read(rig, 2), 0x4321);
	assert_int_equal(rd(rig, R_RAH), 0x80005634);
	wr(rig, R_CTRL_EXT, CTRL_EXT_EE_RST);
	assert_int_equal(rd(rig, R_CTRL_EXT), 0);
	assert_int_equal(rd(rig, R_RAH), 0x80004321);
	ee_command(rig, 7 << 6 | 3); /* ERASE */
	assert_int_equal(ee_read(rig, 3), 0xffff);
	ee_command(rig, 0x100); /* EWDS */
	ee_write(rig, 5 << 6 | 0, 0);
	assert_int_equal(ee_read(rig, 0), 0x5452);
	sim_e1000.reset(rig->e);
	assert_int_equal(rd(rig, R_RAH), 0x80004321);
	ee_command(rig, 0x130);
	ee_write(rig, 0x110, 0x1234); /* WRAL */
	assert_int_equal(ee_read(rig, 0), 0x1234);
	assert_int_equal(ee_read(rig, 63), 0x1234);
	ee_command(rig, 0x120); /* ERAL */
	assert_int_equal(ee_read(rig, 31), 0xffff);
	/* More bits than a write has are not heard. */
	ee_command(rig, 5 << 6 | 7);
	ee_out(rig, 0x1111, 16);
	ee_out(rig, 0x2222, 16);
	assert_int_equal(ee_read(rig, 7), 0x1111);
}

/* SDM 13.4.7. */
static void test_mdic(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(phy_read(rig, PHY_ID1), 0x0141);
	assert_int_equal(phy_read(rig, PHY_ID2), 0x0c20);
	phy_write(rig, PHY_ID1, 0);
	assert_int_equal(phy_read(rig, PHY_ID1), 0x0141);
	phy_write(rig, PHY_ANA, 0x01e1);
	assert_int_equal(phy_read(rig, PHY_ANA), 0x01e1);
	/* No other PHY, and no other operation. */
	wr(rig, R_MDIC, MDIC_READ | 2u << 21 | PHY_ID1 << 16);
	assert_true(rd(rig, R_MDIC) & MDIC_E);
	wr(rig, R_MDIC, PHY(0, PHY_ID1, 0));
	assert_true(rd(rig, R_MDIC) & MDIC_E);
	/* I: an interrupt when it is done. */
	rd(rig, R_ICR);
	wr(rig, R_IMS, ICR_MDAC);
	wr(rig, R_MDIC, PHY(MDIC_READ | MDIC_I, PHY_ID1, 0));
	assert_true(rig->level);
	assert_int_equal(rd(rig, R_ICR), ICR_MDAC);
}

/* The link, and LSC: SDM 13.4.1, 13.4.2, 13.4.7.1. */
static void test_link(void **state)
{
	struct rig *rig = *state;

	rd(rig, R_ICR);
	phy_read(rig, PHY_PSTATUS);
	assert_int_equal(phy_read(rig, PHY_PSTATUS), 0x796d);
	assert_true(rd(rig, R_STATUS) & STATUS_LU);
	phy_write(rig, PHY_PCTRL, 0x1140 | PCTRL_POWER_DOWN);
	assert_false(rd(rig, R_STATUS) & STATUS_LU);
	assert_int_equal(rd(rig, R_ICR), ICR_LSC);
	assert_false(phy_read(rig, PHY_PSTATUS) & PSTATUS_LINK);
	phy_write(rig, PHY_PCTRL, PCTRL_RESET);
	assert_int_equal(phy_read(rig, PHY_PCTRL), 0x1140);
	assert_true(rd(rig, R_STATUS) & STATUS_LU);
	assert_int_equal(rd(rig, R_ICR), ICR_LSC);
	/* That it was down is told once. */
	assert_false(phy_read(rig, PHY_PSTATUS) & PSTATUS_LINK);
	assert_true(phy_read(rig, PHY_PSTATUS) & PSTATUS_LINK);
	phy_write(rig, PHY_PCTRL, 0x1340);
	assert_int_equal(phy_read(rig, PHY_PCTRL), 0x1140);
	assert_int_equal(rd(rig, R_ICR), ICR_LSC);
	assert_true(rd(rig, R_STATUS) & STATUS_LU);
	/* CTRL: SLU, and PHY_RST for as long as it is set. */
	wr(rig, R_CTRL, CTRL_FD);
	assert_false(rd(rig, R_STATUS) & STATUS_LU);
	wr(rig, R_CTRL, CTRL_SLU | CTRL_FD | CTRL_PHY_RST);
	assert_false(rd(rig, R_STATUS) & STATUS_LU);
	wr(rig, R_CTRL, CTRL_SLU | CTRL_FD);
	assert_true(rd(rig, R_STATUS) & STATUS_LU);
	/* Forced: SDM 13.4.2. */
	wr(rig, R_CTRL, CTRL_SLU | CTRL_FRCSPD | CTRL_FRCDPX | 1u << 8);
	assert_int_equal(rd(rig, R_STATUS) & 0xc3, STATUS_LU | 1 << 6);
}

/* Nothing goes out and nothing comes in without a link. */
static void test_no_link(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[60];

	give(rig, 8);
	wr(rig, R_CTRL, 0);
	fill(frame, sizeof(frame), own);
	hear(rig, frame, sizeof(frame));
	memcpy(rig->mem + BUFS, frame, sizeof(frame));
	legacy(rig, BUFS, 60, TXD_EOP | TXD_IFCS);
	go(rig);
	assert_int_equal(rig->sent, 0);
	assert_int_equal(rd(rig, R_RDH), 0);
	assert_int_equal(stats(rig).unheard, 1);
	assert_int_equal(stats(rig).spoiled, 1);
}

/* CTRL.RST: what is reset, and what "X", 13.4.16, 13.7 and 14.7 keep. */
static void test_reset(void **state)
{
	static const struct {
		unsigned int at;
		uint32_t value, after;
	} regs[] = {
		{ R_RCTL, RCTL_EN | RCTL_UPE, 0 },
		{ R_TCTL, TCTL_EN, 0 },
		{ R_RDLEN, 0x1000, 0 },
		{ R_TDLEN, 0x1000, 0 },
		{ R_RDT, 5, 0 },
		{ R_TDH, 5, 0 },
		{ R_RDBAL, 0x1230, 0x1230 },
		{ R_TDBAH, 0x77, 0x77 },
		{ R_MTA + 4, 0x55, 0x55 },
		{ R_VFTA + 4, 0x55, 0x55 },
		{ R_RAL, 0x11111111, 0x12005452 },
		{ R_RAL + 8, 0x11111111, 0x11111111 },
		{ R_RAH + 8, 0x8000abcd, 0x0000abcd },
		{ R_VET, 0x9100, 0x8100 },
		{ R_ITR, 7, 0 },
		{ R_RXCSUM, 0x300, 0 },
		{ R_CTRL, CTRL_VME | CTRL_SLU, CTRL_RESET_VALUE },
		{ R_WUFC, 1, 0 },
		{ R_RDFT, 9, 0 },
		{ 0x12344, 0xcafe, 0xcafe },
	};
	struct rig *rig = *state;

	phy_write(rig, PHY_ANA, 0x01e1);
	wr(rig, R_IMS, ICR_ALL);
	wr(rig, R_ICS, ICR_RXT0);
	assert_true(rig->level);
	for (size_t i = 0; i < ARRAY_LEN(regs); i++)
		wr(rig, regs[i].at, regs[i].value);
	wr(rig, R_CTRL, rd(rig, R_CTRL) | CTRL_RST);
	assert_false(rig->level);
	assert_int_equal(rd(rig, R_IMS), 0);
	assert_int_equal(rd(rig, R_ICR), 0);
	for (size_t i = 0; i < ARRAY_LEN(regs); i++)
		if (rd(rig, regs[i].at) != regs[i].after)
			fail_msg("register %#x is %#x", regs[i].at,
				 rd(rig, regs[i].at));
	assert_int_equal(phy_read(rig, PHY_ANA), 0x01e1);
	wr(rig, R_CTRL, CTRL_RST | CTRL_PHY_RST);
	assert_int_equal(phy_read(rig, PHY_ANA), 0x0de1);
	run(rig);
}

/* PBA tells the FIFO's size from the next reset on: SDM 13.4.16. */
static void test_pba(void **state)
{
	struct rig *rig = *state;

	wr(rig, R_PBA, 0x28);
	assert_int_equal(rd(rig, R_PBA), 0x00180028);
	assert_int_equal(rig->e->rx.size, 0x30 * 1024);
	wr(rig, R_CTRL, CTRL_RST);
	assert_int_equal(rd(rig, R_PBA), 0x00180028);
	assert_int_equal(rig->e->rx.size, 0x28 * 1024);
	wr(rig, R_PBA, 0);
	wr(rig, R_CTRL, CTRL_RST);
	assert_int_equal(rig->e->rx.size, 1024);
	wr(rig, R_PBA, 0xffff);
	wr(rig, R_CTRL, CTRL_RST);
	assert_int_equal(rig->e->rx.size, 63 * 1024);
}

/* WUS is written 1 to clear: SDM 13.6.3. */
static void test_wus(void **state)
{
	struct rig *rig = *state;

	e1000_set(rig->e, R_WUS, 0x13);
	wr(rig, R_WUS, 0x11);
	assert_int_equal(rd(rig, R_WUS), 0x02);
	wr(rig, R_CTRL, CTRL_RST);
	assert_int_equal(rd(rig, R_WUS), 0x02);
}

/* Counters: they stick, reading clears, pairs by their high half: 13.7. */
static void test_statistics(void **state)
{
	struct rig *rig = *state;

	e1000_set(rig->e, R_MPC, 0xfffffffe);
	for (unsigned int i = 0; i < 3; i++)
		e1000_count(rig->e, R_MPC);
	assert_int_equal(rd(rig, R_MPC), 0xffffffff);
	assert_int_equal(rd(rig, R_MPC), 0);
	e1000_set(rig->e, R_TOTL, 0xfffffff0);
	e1000_count64(rig->e, R_TOTL, 0x20);
	assert_int_equal(rd(rig, R_TOTL), 0x10);
	assert_int_equal(rd(rig, R_TOTL), 0x10);
	assert_int_equal(rd(rig, R_TOTL + 4), 1);
	assert_int_equal(rd(rig, R_TOTL + 4), 0);
	assert_int_equal(rd(rig, R_TOTL), 0);
	e1000_set(rig->e, R_TOTL, 0xffffffff);
	e1000_set(rig->e, R_TOTL + 4, 0xffffffff);
	e1000_count64(rig->e, R_TOTL, 5);
	assert_int_equal(rd(rig, R_TOTL), 0xffffffff);
	assert_int_equal(rd(rig, R_TOTL + 4), 0xffffffff);
}

/* IEEE 802.3, against a bit at a time. */
static void test_fcs(void **state)
{
	struct rig *rig = *state;
	uint8_t bytes[67];

	assert_int_equal(e1000_fcs(rig->e, (const uint8_t *)"123456789", 9),
			 0xcbf43926);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		uint32_t crc = ~0u;

		for (size_t i = 0; i < len; i++) {
			bytes[i] = (uint8_t)(i * 37 + len);
			crc ^= bytes[i];
			for (unsigned int bit = 0; bit < 8; bit++)
				crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
		}
		assert_int_equal(e1000_fcs(rig->e, bytes, len), ~crc);
	}
}

/* Any accesses at all: nothing but the sanitizers looks. */
static void test_anything(void **state)
{
	struct rig *rig = *state;
	uint32_t seed = 1;

	for (unsigned int i = 0; i < 300000; i++) {
		unsigned int width, bar, size;
		uint64_t off, value;

		seed = seed * 1103515245 + 12345;
		width = 1u << (seed >> 20 & 3);
		bar = seed >> 23 & 1;
		size = bar ? E1000_IO_SIZE : E1000_MEM_SIZE;
		off = (seed >> 4) % (seed >> 28 ? 0x6000 : size);
		if (off + width > size)
			off %= size - width;
		seed = seed * 1103515245 + 12345;
		value = (uint64_t)seed << 32 | seed >> 3;
		if (seed & 0x8000)
			sim_e1000.write(rig->e, bar, off, width, value);
		else
			(void)sim_e1000.read(rig->e, bar, off, width);
		if (seed & 0x70000)
			continue;
		sim_e1000.receive(rig->e, rig->mem + (seed >> 17),
				  (seed >> 5) % 2000, seed >> 27 & 3);
		rig->due = SIM_NEVER;
		sim_e1000.run(rig->e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_power_on),
		TEST(test_masks),
		TEST(test_aliases),
		TEST(test_alias_door),
		TEST(test_io_window),
		TEST(test_widths),
		TEST(test_interrupts),
		TEST(test_eeprom_read),
		TEST(test_eeprom_grant),
		TEST(test_eeprom_write),
		TEST(test_mdic),
		TEST(test_link),
		TEST(test_no_link),
		TEST(test_reset),
		TEST(test_pba),
		TEST(test_wus),
		TEST(test_statistics),
		TEST(test_fcs),
		TEST(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
