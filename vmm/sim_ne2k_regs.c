/* SPDX-License-Identifier: MIT */
/*
 * sim_ne2k_regs.c: the simulated RTL8029AS's four pages of registers.
 *
 * See sim_ne2k.h for what "NS" and "RTL" are.
 */

#include "sim_ne2k.h"

#define PAGE(reg) ((reg) >> 4)

/*
 * Reading.
 */

/* A tally counter is cleared by reading: NS 10.3, "Network Tally Counters". */
static uint8_t read_cntr(struct ne2k *ne, unsigned int i)
{
	uint8_t value = ne->cntr[i];

	ne->cntr[i] = 0;
	return value;
}

static uint8_t read_fifo(struct ne2k *ne)
{
	return ne->fifo[ne->fifo_at++ % ARRAY_LEN(ne->fifo)];
}

static uint8_t read_page0(struct ne2k *ne, unsigned int reg)
{
	switch (reg) {
	case P0_CLDA0:
		return (uint8_t)ne->clda;
	case P0_CLDA1:
		return ne->clda >> 8;
	case P0_BNRY:
		return ne->bnry;
	case P0_TSR:
		return ne->tsr;
	case P0_NCR:
		return 0; /* nobody else is on this wire */
	case P0_FIFO:
		return read_fifo(ne);
	case P0_ISR:
		return ne->isr;
	case P0_CRDA0:
		return (uint8_t)ne->rsar;
	case P0_CRDA1:
		return ne->rsar >> 8;
	case P0_8029ID0:
		return 'P';
	case P0_8029ID1:
		return 'C';
	case P0_RSR:
		return ne->rsr;
	default:
		return read_cntr(ne, reg - P0_CNTR0);
	}
}

static uint8_t read_page1(const struct ne2k *ne, unsigned int reg)
{
	if (reg <= P1_PAR5)
		return ne->par[reg - P1_PAR0];
	if (reg == P1_CURR)
		return ne->curr;
	return ne->mar[reg - P1_MAR0];
}

/* Bits that the sheets show as "always 1" read so: RTL, TCR, RCR, DCR, IMR. */
static uint8_t read_page2(const struct ne2k *ne, unsigned int reg)
{
	switch (reg) {
	case P2_PSTART:
		return ne->pstart;
	case P2_PSTOP:
		return ne->pstop;
	case P2_RNPP:
		return ne->rnpp;
	case P2_TPSR:
		return ne->tpsr;
	case P2_LNPP:
		return ne->lnpp;
	case P2_ADDR1:
		return ne->clda >> 8;
	case P2_ADDR0:
		return (uint8_t)ne->clda;
	case P2_RCR:
		return ne->rcr | 0xc0;
	case P2_TCR:
		return ne->tcr | 0xe0;
	case P2_DCR:
		return ne->dcr | 0x80;
	case P2_IMR:
		return ne->imr | 0x80;
	default:
		return 0xff;
	}
}

static uint8_t read_page3(const struct ne2k *ne, unsigned int reg)
{
	switch (reg) {
	case P3_9346CR:
		return ne->ee;
	case P3_CONFIG0:
		return 0; /* BNC is not connected */
	case P3_CONFIG2:
		return ne->config2;
	case P3_CONFIG3:
		return ne->config3;
	case P3_8029ASID0:
		return 0x29;
	case P3_8029ASID1:
		return 0x80;
	default:
		return 0;
	}
}

uint8_t ne2k_read_reg(struct ne2k *ne, unsigned int off)
{
	unsigned int reg = (ne->cr & CR_PS) >> 2 | off;

	if (off == NE2K_CR)
		return ne->cr;
	switch (PAGE(reg)) {
	case 0:
		return read_page0(ne, reg);
	case 1:
		return read_page1(ne, reg);
	case 2:
		return read_page2(ne, reg);
	default:
		return read_page3(ne, reg);
	}
}

/*
 * Writing.
 */

static void set_low(uint16_t *reg, uint8_t value)
{
	*reg = (uint16_t)((*reg & 0xff00) | value);
}

static void set_high(uint16_t *reg, uint8_t value)
{
	*reg = (uint16_t)((*reg & 0x00ff) | value << 8);
}

/*
 * Moving BNRY removes packets, which clears the RST of an overflow: NS 10.3,
 * ISR.RST.
 */
static void write_bnry(struct ne2k *ne, uint8_t value)
{
	ne->bnry = value;
	if (ne->running)
		ne->isr &= (uint8_t)~ISR_RST;
}

/* RSR.DIS tells monitor mode: NS 10.3, RSR. */
static void write_rcr(struct ne2k *ne, uint8_t value)
{
	ne->rcr = value & 0x3f;
	ne->rsr = (uint8_t)((ne->rsr & ~RSR_DIS) |
			    (value & RCR_MON ? RSR_DIS : 0));
}

static void write_page0(struct ne2k *ne, unsigned int reg, uint8_t value)
{
	switch (reg) {
	case P0_PSTART:
		ne->pstart = value;
		break;
	case P0_PSTOP:
		ne->pstop = value;
		break;
	case P0_BNRY:
		write_bnry(ne, value);
		break;
	case P0_TPSR:
		ne->tpsr = value;
		break;
	case P0_TBCR0:
		set_low(&ne->tbcr, value);
		break;
	case P0_TBCR1:
		set_high(&ne->tbcr, value);
		break;
	case P0_ISR:
		ne->isr &= (uint8_t)(~value | ISR_RST);
		ne2k_irq(ne);
		break;
	case P0_RSAR0:
		set_low(&ne->rsar, value);
		break;
	case P0_RSAR1:
		set_high(&ne->rsar, value);
		break;
	case P0_RBCR0:
		set_low(&ne->rbcr, value);
		break;
	case P0_RBCR1:
		set_high(&ne->rbcr, value);
		break;
	case P0_RCR:
		write_rcr(ne, value);
		break;
	case P0_TCR:
		ne->tcr = value & 0x1f;
		break;
	case P0_DCR:
		ne->dcr = value & 0x7f;
		break;
	case P0_IMR:
		ne->imr = value & 0x7f;
		ne2k_irq(ne);
		break;
	}
}

static void write_page1(struct ne2k *ne, unsigned int reg, uint8_t value)
{
	if (reg <= P1_PAR5)
		ne->par[reg - P1_PAR0] = value;
	else if (reg == P1_CURR)
		ne->curr = value;
	else
		ne->mar[reg - P1_MAR0] = value;
}

/*
 * The mode bits of 9346CR open CONFIG2 and CONFIG3: RTL, 9346CR.  Behind its
 * other bits there is no EEPROM here.
 */
static void write_page3(struct ne2k *ne, unsigned int reg, uint8_t value)
{
	bool open = (ne->ee & EEM) == EEM_WRITE;

	if (reg == P3_9346CR)
		ne->ee = value & 0xce;
	else if (reg == P3_CONFIG2 && open)
		ne->config2 = (uint8_t)((ne->config2 & 0x1f) | (value & 0xe0));
	else if (reg == P3_CONFIG3 && open)
		ne->config3 = (uint8_t)((ne->config3 & ~0x46) | (value & 0x46));
}

void ne2k_write_reg(struct ne2k *ne, unsigned int off, uint8_t value)
{
	unsigned int reg = (ne->cr & CR_PS) >> 2 | off;

	if (off == NE2K_CR)
		ne2k_command(ne, value);
	else if (PAGE(reg) == 0)
		write_page0(ne, reg, value);
	else if (PAGE(reg) == 1)
		write_page1(ne, reg, value);
	else if (PAGE(reg) == 3)
		write_page3(ne, reg, value);
	/* Page 2 is for reading: "should not be modified", NS 10.1. */
}
