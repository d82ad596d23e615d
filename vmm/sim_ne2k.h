/* SPDX-License-Identifier: MIT */
/*
 * sim_ne2k.h: a simulated RTL8029AS, the NE2000 for PCI: its registers by the
 * names of the data sheets, and its state.
 *
 * "NS" in comments here and in the sources is National Semiconductor's
 * DP8390D data sheet of July 1995, "RTL" is Realtek's RTL8029AS data sheet of
 * 1997, "AN-937" is National's note on loopback diagnostics.
 */

#ifndef VMM_SIM_NE2K_H
#define VMM_SIM_NE2K_H

#include "sim.h"

/* I/O map: NS chapter 10, RTL 5.1; the ports above 0x0f are the NE2000's. */
enum {
	NE2K_CR = 0x00,
	NE2K_DATA = 0x10,  /* to 0x17 */
	NE2K_RESET = 0x18, /* to 0x1f */
	NE2K_PORTS = 0x20,
};

/* A register of a page: the page in bits 4 and 5, the offset below. */
enum {
	/* page 0, read */
	P0_CLDA0 = 0x01,
	P0_CLDA1 = 0x02,
	P0_BNRY = 0x03, /* written, too */
	P0_TSR = 0x04,
	P0_NCR = 0x05,
	P0_FIFO = 0x06,
	P0_ISR = 0x07, /* written, too */
	P0_CRDA0 = 0x08,
	P0_CRDA1 = 0x09,
	P0_8029ID0 = 0x0a,
	P0_8029ID1 = 0x0b,
	P0_RSR = 0x0c,
	P0_CNTR0 = 0x0d,
	P0_CNTR1 = 0x0e,
	P0_CNTR2 = 0x0f,
	/* page 0, written */
	P0_PSTART = 0x01,
	P0_PSTOP = 0x02,
	P0_TPSR = 0x04,
	P0_TBCR0 = 0x05,
	P0_TBCR1 = 0x06,
	P0_RSAR0 = 0x08,
	P0_RSAR1 = 0x09,
	P0_RBCR0 = 0x0a,
	P0_RBCR1 = 0x0b,
	P0_RCR = 0x0c,
	P0_TCR = 0x0d,
	P0_DCR = 0x0e,
	P0_IMR = 0x0f,
	/* page 1, read and written */
	P1_PAR0 = 0x11,
	P1_PAR5 = 0x16,
	P1_CURR = 0x17,
	P1_MAR0 = 0x18,
	P1_MAR7 = 0x1f,
	/* page 2, read: what page 0 takes, and the DMA logic's own pointers */
	P2_PSTART = 0x21,
	P2_PSTOP = 0x22,
	P2_RNPP = 0x23, /* remote next packet pointer */
	P2_TPSR = 0x24,
	P2_LNPP = 0x25,	 /* local next packet pointer */
	P2_ADDR1 = 0x26, /* address counter, upper */
	P2_ADDR0 = 0x27,
	P2_RCR = 0x2c,
	P2_TCR = 0x2d,
	P2_DCR = 0x2e,
	P2_IMR = 0x2f,
	/* page 3: RTL */
	P3_9346CR = 0x31,
	P3_CONFIG0 = 0x33,
	P3_CONFIG2 = 0x35,
	P3_CONFIG3 = 0x36,
	P3_HLTCLK = 0x39,
	P3_8029ASID0 = 0x3e,
	P3_8029ASID1 = 0x3f,
};

enum {
	CR_STP = 0x01,
	CR_STA = 0x02,
	CR_TXP = 0x04,
	CR_RD = 0x38,
	CR_RD_READ = 0x08,
	CR_RD_WRITE = 0x10,
	CR_RD_SEND = 0x18,
	CR_RD2 = 0x20, /* abort or complete */
	CR_PS = 0xc0,

	ISR_PRX = 0x01,
	ISR_PTX = 0x02,
	ISR_RXE = 0x04,
	ISR_TXE = 0x08,
	ISR_OVW = 0x10,
	ISR_CNT = 0x20,
	ISR_RDC = 0x40,
	ISR_RST = 0x80,

	DCR_WTS = 0x01,
	DCR_LAS = 0x04,
	DCR_LS = 0x08,

	TCR_CRC = 0x01,
	TCR_LB = 0x06,
	TCR_LB_NIC = 0x02,  /* mode 1: inside the controller */
	TCR_LB_SNI = 0x04,  /* mode 2: inside the encoder */
	TCR_LB_COAX = 0x06, /* mode 3: over the wire */

	TSR_PTX = 0x01,
	TSR_ONE = 0x02, /* always 1: RTL, TSR bit 1 */
	TSR_CRS = 0x10,
	TSR_CDH = 0x40,

	RCR_SEP = 0x01,
	RCR_AR = 0x02,
	RCR_AB = 0x04,
	RCR_AM = 0x08,
	RCR_PRO = 0x10,
	RCR_MON = 0x20,

	RSR_PRX = 0x01,
	RSR_CRC = 0x02,
	RSR_FAE = 0x04,
	RSR_MPA = 0x10,
	RSR_PHY = 0x20,
	RSR_DIS = 0x40,

	EEM = 0xc0, /* 9346CR, mode of the configuration registers */
	EEM_NORMAL = 0x00,
	EEM_WRITE = 0xc0, /* CONFIG2 and CONFIG3 may be written */
};

/* The card's memory, as its DMA channels address it (NE2000). */
enum {
	NE2K_PROM = 0x20,	  /* bytes from 0, */
	NE2K_RAM = 0x4000,	  /* then nothing to here */
	NE2K_RAM_USUAL = 0x8000,  /* bytes: QEMU's part, to 0xbfff */
	NE2K_RAM_RTL8029 = 0x4000 /* the real one's, to 0x7fff: RTL 1 */
};

enum ne2k_tx {
	NE2K_TX_IDLE,
	NE2K_TX_BUSY, /* until (tx_due_ns) */
	NE2K_TX_SENT, /* the frame is out, TXP has not fallen */
};

struct ne2k {
	const struct sim_host *host;
	void *ctx;
	struct sim_conf conf;
	struct sim_stats stats;

	uint8_t cr, isr, imr, dcr, tcr, rcr, tsr, rsr;
	uint8_t pstart, pstop, bnry, curr, tpsr;
	uint8_t rnpp, lnpp; /* next packet pointers, remote and local */
	uint16_t tbcr, rsar, rbcr, clda;
	uint8_t par[6], mar[8], cntr[3];
	uint8_t ee, config2, config3;
	uint8_t fifo[8];
	unsigned int fifo_at;

	bool running;  /* started, and not stopped since */
	bool overflow; /* the ring was full: NS chapter 7 */
	bool sending;  /* RD is "send packet": advance BNRY when done */
	bool level;    /* the interrupt pin */

	enum ne2k_tx tx;
	uint64_t tx_due_ns;
	uint8_t tx_start; /* TPSR and TBCR as TXP found them */
	uint16_t tx_len;

	uint8_t prom[NE2K_PROM];
	uint8_t ram[0x10000 - NE2K_RAM];
	uint8_t frame[SIM_FRAME_MAX];
};

extern const struct sim_ops sim_ne2k;

/*
 * Between sim_ne2k.c, sim_ne2k_regs.c (registers) and sim_ne2k_wire.c
 * (frames).
 */
uint8_t ne2k_read_reg(struct ne2k *ne, unsigned int off);
void ne2k_write_reg(struct ne2k *ne, unsigned int off, uint8_t value);
void ne2k_command(struct ne2k *ne, uint8_t value); /* CR is written */
uint8_t ne2k_peek(const struct ne2k *ne, uint16_t addr);
void ne2k_poke(struct ne2k *ne, uint16_t addr, uint8_t value);
void ne2k_irq(struct ne2k *ne); /* ISR or IMR changed */
void ne2k_stopped(struct ne2k *ne);
void ne2k_transmit(struct ne2k *ne); /* TXP was written */
void ne2k_run(void *part);
void ne2k_receive(void *part, const uint8_t *frame, size_t len,
		  unsigned int flags);

/* The Ethernet frame check sequence of (len) bytes, as a little-endian word. */
uint32_t ne2k_fcs(const uint8_t *data, size_t len);
/* Which bit of MAR an address selects: NS 10.3, "Multicast Address Registers". */
unsigned int ne2k_hash(const uint8_t mac[6]);

#endif /* VMM_SIM_NE2K_H */
