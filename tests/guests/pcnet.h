/* SPDX-License-Identifier: MIT */
/*
 * pcnet.h: registers and structures of the PCnet-PCI, for the driver and for
 * guests that go at the part directly.
 *
 * "DS" is AMD's Am79C970A data sheet, 19436 rev E of June 2000.
 */

#ifndef PCNET_H
#define PCNET_H

#include "guest.h"

#define PCNET_VENDOR 0x1022
#define PCNET_DEVICE 0x2000

/* DS, I/O Registers: offsets in word mode, and in double word mode */
#define PCNET_APROM 0x00
#define PCNET_RDP 0x10
#define PCNET_RAP 0x12
#define PCNET_RESET 0x14
#define PCNET_BDP 0x16
#define PCNET_RAP32 0x14
#define PCNET_RESET32 0x18
#define PCNET_BDP32 0x1c

/* DS, Control and Status Registers */
#define CSR0_INIT 0x0001
#define CSR0_STRT 0x0002
#define CSR0_STOP 0x0004
#define CSR0_TDMD 0x0008
#define CSR0_INEA 0x0040
#define CSR0_IDON 0x0100
#define CSR0_TINT 0x0200
#define CSR0_RINT 0x0400
#define CSR0_MISS 0x1000
#define CSR0_CAUSES 0x7f00
#define CSR_IADR 1 /* and 2 */
#define CSR_MASKS 3
#define CSR_FEATURES 4
#define CSR4_MASKS 0x0115
#define CSR4_DPOLL 0x1000
#define CSR4_APAD 0x0800
#define CSR_LADRF 8
#define CSR_PADR 12
#define CSR_MODE 15
#define CSR_RDRA 24
#define CSR_TDRA 30
#define CSR_STYLE 58
#define CSR_RLEN 76
#define CSR_TLEN 78
#define CSR_CHIP 88
#define CSR_MISSED 112
#define BCR_STYLE 20

/* DS, Initialization Block, Descriptors: 32 bits wide, SWSTYLE 2 */
struct pcnet_init {
	uint16_t mode;
	uint8_t rlen, tlen; /* log2 in the upper four bits */
	uint8_t mac[6];
	uint16_t reserved;
	uint32_t filter[2];
	uint32_t rx_ring, tx_ring;
};

struct pcnet_desc {
	uint32_t addr;
	uint16_t count; /* negative */
	uint16_t status;
	uint32_t message; /* of a received frame: its length */
	uint32_t user;
};

/* The same with SWSTYLE 0: 24 bits of address, status in the rest */
struct pcnet_init16 {
	uint16_t mode;
	uint8_t mac[6];
	uint16_t filter[4];
	uint32_t rx_ring, tx_ring; /* log2 of the length in the upper three */
};

struct pcnet_desc16 {
	uint32_t addr;
	uint16_t count;
	uint16_t message;
};

#define DESC_OWN 0x8000
#define DESC_ERR 0x4000
#define DESC_STP 0x0200
#define DESC_ENP 0x0100

/* The part's registers by one way or the other. */
struct pcnet {
	uint16_t io;
	bool wide; /* double word I/O */
};

/* The part's port, or 0; in (*irq) its line. */
uint16_t pcnet_find(uint8_t *irq);
uint16_t pcnet_csr(const struct pcnet *p, uint16_t n);
void pcnet_set_csr(const struct pcnet *p, uint16_t n, uint16_t v);
void pcnet_set_bcr(const struct pcnet *p, uint16_t n, uint16_t v);
void pcnet_reset(const struct pcnet *p);

#endif /* PCNET_H */
