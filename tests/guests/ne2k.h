/* SPDX-License-Identifier: MIT */
/*
 * ne2k.h: registers of the RTL8029 (DP8390 core, NE2000 layout), for the
 * driver and for guests that go at the part directly.
 *
 * "DS" is National's DP8390D data sheet of July 1995, section 10.
 */

#ifndef NE2K_H
#define NE2K_H

#include "guest.h"

#define NE2K_VENDOR 0x10ec
#define NE2K_DEVICE 0x8029
#define NE2K_IO_LEN 0x20

/* In every page */
#define NE2K_CR 0x00
#define NE2K_DATA 0x10
#define NE2K_RESET 0x1f

/* Page 0, reading */
#define NE2K_CLDA0 0x01
#define NE2K_TSR 0x04
#define NE2K_NCR 0x05
#define NE2K_CRDA0 0x08
#define NE2K_ID0 0x0a /* RTL8029: 0x50 */
#define NE2K_ID1 0x0b /* RTL8029: 0x43 */
#define NE2K_RSR 0x0c
#define NE2K_CNTR0 0x0d

/* Page 0, writing; BNRY and ISR both ways */
#define NE2K_PSTART 0x01
#define NE2K_PSTOP 0x02
#define NE2K_BNRY 0x03
#define NE2K_TPSR 0x04
#define NE2K_TBCR0 0x05
#define NE2K_TBCR1 0x06
#define NE2K_ISR 0x07
#define NE2K_RSAR0 0x08
#define NE2K_RSAR1 0x09
#define NE2K_RBCR0 0x0a
#define NE2K_RBCR1 0x0b
#define NE2K_RCR 0x0c
#define NE2K_TCR 0x0d
#define NE2K_DCR 0x0e
#define NE2K_IMR 0x0f

/* Page 1 */
#define NE2K_PAR0 0x01
#define NE2K_CURR 0x07
#define NE2K_MAR0 0x08

enum {
	CR_STP = 0x01,
	CR_STA = 0x02,
	CR_TXP = 0x04,
	CR_READ = 0x08,	 /* start a remote read */
	CR_WRITE = 0x10, /* start a remote write */
	CR_ABORT = 0x20, /* end remote DMA */
	CR_PAGE1 = 0x40,

	ISR_PRX = 0x01,
	ISR_PTX = 0x02,
	ISR_RXE = 0x04,
	ISR_TXE = 0x08,
	ISR_OVW = 0x10,
	ISR_CNT = 0x20,
	ISR_RDC = 0x40,
	ISR_RST = 0x80,

	RSR_PRX = 0x01, /* also the status in a frame's header */

	RCR_AB = 0x04,	   /* broadcasts too */
	RCR_MON = 0x20,	   /* watch only */
	TCR_LOOP = 0x02,   /* internal loopback */
	DCR_WORD = 0x01,   /* 16-bit data port */
	DCR_NORMAL = 0x08, /* no loopback */
	DCR_FIFO8 = 0x40,  /* FIFO threshold of 8 bytes */
};

/* Raw access; (io) is the address of BAR 0. */
static inline uint8_t ne2k_read(uint16_t io, uint8_t reg)
{
	return inb(io + reg);
}

static inline void ne2k_write(uint16_t io, uint8_t reg, uint8_t v)
{
	outb(io + reg, v);
}

/* Enable the part; its I/O base, or 0 if there is none. */
uint16_t ne2k_find(uint8_t *irq);

/* Start a remote DMA of (len) bytes at (addr) of the part's memory.  The
 * part must be on page 0. */
void ne2k_remote(uint16_t io, uint8_t command, uint16_t addr, uint16_t len);

/* Wait for ISR.(bits); what ISR showed, or 0 after (ms). */
uint8_t ne2k_wait(uint16_t io, uint8_t bits, uint32_t ms);

#endif /* NE2K_H */
