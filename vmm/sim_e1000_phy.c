/* SPDX-License-Identifier: MIT */
/*
 * sim_e1000_phy.c: the PHY of a simulated 82540EM behind MDIC, and the link.
 *
 * The other end of the cable is always there and autonegotiation takes no
 * time: a PHY that is reset, or negotiates anew, has lost its link and found
 * it again at once.  See sim_e1000.h for what "SDM" is.
 */

#include <string.h>

#include "sim_e1000.h"

#define PHY_ADDR 1 /* SDM 13.4.7 */

/* SDM 13.4.7.1: after a reset, and with a partner that can do everything. */
static const uint16_t phy_init[PHY_REGS] = {
	[PHY_PCTRL] = 0x1140,	[PHY_PSTATUS] = 0x796d,
	[PHY_ID1] = 0x0141, /* Marvell; as QEMU's part has them */
	[PHY_ID2] = 0x0c20,	[PHY_ANA] = 0x0de1,
	[PHY_LPA] = 0x41e1,	[PHY_ANE] = 0x000f,
	[PHY_NPT] = 0x2001,	[PHY_GCON] = 0x0e00,
	[PHY_GSTATUS] = 0x3c00, [PHY_ESTATUS] = 0x3000,
	[PHY_PSCON] = 0x0360,	[PHY_PSSTAT] = 0xac00,
	[PHY_EPSCON] = 0x0d60,	[PHY_LED] = 0x4100,
};

#define BIT(n) (1u << (n))
#define PHY_WRITABLE                                                        \
	(BIT(PHY_PCTRL) | BIT(PHY_ANA) | BIT(PHY_NPT) | BIT(PHY_GCON) |     \
	 BIT(PHY_PSCON) | BIT(PHY_PINTE) | BIT(PHY_EPSCON) | BIT(PHY_LED) | \
	 BIT(PHY_R30PS) | BIT(PHY_R30AW))

/* The link went down, and maybe came back since: SDM 13.4.7.1, PSTATUS. */
static void phy_drop(struct e1000 *e)
{
	e->phy_dropped = true;
	e1000_cause(e, ICR_LSC);
}

void e1000_phy_reset(struct e1000 *e)
{
	memcpy(e->phy, phy_init, sizeof(e->phy));
	phy_drop(e);
}

/* The MAC has a link if the PHY has, and CTRL.SLU: SDM 13.4.1, 13.4.2. */
static bool link_now(const struct e1000 *e)
{
	uint32_t ctrl = e1000_get(e, R_CTRL);

	return ctrl & CTRL_SLU && !(ctrl & CTRL_PHY_RST) &&
	       !(e->phy[PHY_PCTRL] & (PCTRL_POWER_DOWN | PCTRL_ISOLATE));
}

void e1000_link(struct e1000 *e)
{
	bool now = link_now(e);

	if (now == e->link)
		return;
	e->link = now;
	e1000_cause(e, ICR_LSC);
	if (!now)
		e->phy_dropped = true;
	e1000_irq(e);
}

/* In the PHY, or by RCTL.LBM in the MAC: SDM 13.4.22, 13.4.7.1. */
bool e1000_looped(const struct e1000 *e)
{
	return e->phy[PHY_PCTRL] & PCTRL_LOOPBACK ||
	       e1000_get(e, R_RCTL) & RCTL_LBM;
}

/* The bit for the link latches low until it is read: IEEE 802.3, 22.2.4.2. */
static uint16_t phy_read(struct e1000 *e, unsigned int reg)
{
	uint16_t value = e->phy[reg];

	if (reg == PHY_PSTATUS) {
		if (e->phy_dropped ||
		    e->phy[PHY_PCTRL] & (PCTRL_POWER_DOWN | PCTRL_ISOLATE))
			value &= (uint16_t)~PSTATUS_LINK;
		if (!(e->phy[PHY_PCTRL] & PCTRL_AUTONEG))
			value &= (uint16_t)~PSTATUS_DONE;
		e->phy_dropped = false;
	} else if (reg == PHY_PINTS) {
		e->phy[reg] = 0;
	}
	return value;
}

/* RESET and RESTART clear themselves; bits 5 to 0 are reserved. */
static void phy_control(struct e1000 *e, uint16_t value)
{
	if (value & PCTRL_RESET) {
		e1000_phy_reset(e);
		return;
	}
	e->phy[PHY_PCTRL] = value & (uint16_t) ~(0x3f | PCTRL_RESTART);
	if (value & PCTRL_RESTART && value & PCTRL_AUTONEG)
		phy_drop(e);
}

static void phy_write(struct e1000 *e, unsigned int reg, uint16_t value)
{
	if (reg == PHY_PCTRL)
		phy_control(e, value);
	else if (PHY_WRITABLE & BIT(reg))
		e->phy[reg] = value;
}

/* One transaction, done at once: SDM 13.4.7. */
void e1000_mdic_write(struct e1000 *e, uint32_t value)
{
	unsigned int reg = value >> 16 & 31, phy = value >> 21 & 31;
	uint32_t op = value & MDIC_OP;

	value &= ~(uint32_t)(MDIC_R | MDIC_E);
	if (phy != PHY_ADDR)
		value |= MDIC_E;
	else if (op == MDIC_READ)
		value = (value & 0xffff0000) | phy_read(e, reg);
	else if (op == MDIC_WRITE)
		phy_write(e, reg, (uint16_t)value);
	else
		value |= MDIC_E;
	e1000_set(e, R_MDIC, value | MDIC_R);
	if (value & MDIC_I)
		e1000_cause(e, ICR_MDAC);
	e1000_link(e);
}
