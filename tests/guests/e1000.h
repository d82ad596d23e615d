/* SPDX-License-Identifier: MIT */
/*
 * e1000.h: registers and descriptors of the 82540EM, for the driver and for
 * guests that go at the part directly.
 *
 * "SDM" is Intel's "PCI/PCI-X Family of Gigabit Ethernet Controllers Software
 * Developer's Manual", 317453, section 13.4 for registers.
 */

#ifndef E1000_H
#define E1000_H

#include "guest.h"

#define E1000_VENDOR 0x8086
#define E1000_DEVICE 0x100e
#define E1000_LEN 0x20000 /* of BAR 0 */

#define E1000_CTRL 0x0000
#define E1000_STATUS 0x0008
#define E1000_EECD 0x0010
#define E1000_EERD 0x0014
#define E1000_MDIC 0x0020
#define E1000_FCAL 0x0028
#define E1000_FCAH 0x002c
#define E1000_FCT 0x0030
#define E1000_ICR 0x00c0 /* reading clears it */
#define E1000_ITR 0x00c4
#define E1000_ICS 0x00c8
#define E1000_IMS 0x00d0
#define E1000_IMC 0x00d8
#define E1000_RCTL 0x0100
#define E1000_FCTTV 0x0170
#define E1000_TCTL 0x0400
#define E1000_TIPG 0x0410
#define E1000_RDBAL 0x2800
#define E1000_RDBAH 0x2804
#define E1000_RDLEN 0x2808
#define E1000_RDH 0x2810
#define E1000_RDT 0x2818
#define E1000_RDTR 0x2820
#define E1000_TDBAL 0x3800
#define E1000_TDBAH 0x3804
#define E1000_TDLEN 0x3808
#define E1000_TDH 0x3810
#define E1000_TDT 0x3818
#define E1000_MTA 0x5200 /* 128 words */
#define E1000_MTA_LEN 128
#define E1000_RAL0 0x5400
#define E1000_RAH0 0x5404

#define CTRL_LRST (1u << 3)
#define CTRL_ASDE (1u << 5)
#define CTRL_SLU (1u << 6)
#define CTRL_ILOS (1u << 7)
#define CTRL_FRCSPD (1u << 11)
#define CTRL_FRCDPX (1u << 12)
#define CTRL_RST (1u << 26)
#define CTRL_VME (1u << 30)
#define CTRL_PHY_RST (1u << 31)

#define STATUS_LU (1u << 1)

#define EECD_SK (1u << 0)
#define EECD_CS (1u << 1)
#define EECD_DI (1u << 2)
#define EECD_DO (1u << 3)
#define EECD_REQ (1u << 6)
#define EECD_GNT (1u << 7)
#define EECD_SIZE (1u << 9) /* 256 words, 8 bits of address; else 64 and 6 */

#define EERD_START (1u << 0)
#define EERD_DONE (1u << 4)
#define EERD_ADDR_SHIFT 8
#define EERD_DATA_SHIFT 16

#define INT_TXDW (1u << 0)
#define INT_LSC (1u << 2)
#define INT_RXO (1u << 6)
#define INT_RXT0 (1u << 7)

#define RCTL_EN (1u << 1)
#define RCTL_BAM (1u << 15)
#define RCTL_SECRC (1u << 26) /* BSIZE 0, BSEX 0: 2048 bytes */

#define TCTL_EN (1u << 1)
#define TCTL_PSP (1u << 3)
#define TCTL_CT (0x0fu << 4)
#define TCTL_COLD (0x40u << 12) /* full duplex */

#define RAH_AV (1u << 31)

/* SDM 3.2.3 */
struct e1000_rx {
	uint64_t addr;
	uint16_t len;
	uint16_t checksum;
	uint8_t status;
	uint8_t errors;
	uint16_t special;
};

#define RX_DD 0x01
#define RX_EOP 0x02
#define RX_BAD 0x97 /* RXE, CXE, SEQ, SE, CE */

/*
 * SDM 3.3.3, 3.3.6 and 3.3.7: (low) is an address or, in a context, offsets.
 *
 * (high):       legacy            context           data
 *   bits 0-15   length            payload length    length
 *       16-19   CSO (to 23)       payload length    length
 *       20-23                     0                 1
 *       24-31   command           command           command
 *       32-39   status            status            status
 *       40-47   CSS               header length     POPTS
 *       48-63   special           MSS               special
 */
struct e1000_tx {
	uint64_t low;
	uint64_t high;
};

#define TX_EOP (1ull << 24)
#define TX_IFCS (1ull << 25)
#define TX_RS (1ull << 27)
#define TX_DEXT (1ull << 29)
#define TX_DATA (1ull << 20)	 /* with TX_DEXT: not a context */
#define TX_DD (1ull << 32)	 /* status: done */
#define TX_SUM_IP (1ull << 40)	 /* POPTS.IXSM */
#define TX_SUM_UDP (2ull << 40)	 /* POPTS.TXSM */
#define TX_TUCMD_IP (1ull << 25) /* context: IPv4; TCP is bit 24 */

static inline uint32_t e1000_read(uint32_t base, uint32_t reg)
{
	return *(volatile uint32_t *)(uintptr_t)(base + reg);
}

static inline void e1000_write(uint32_t base, uint32_t reg, uint32_t v)
{
	*(volatile uint32_t *)(uintptr_t)(base + reg) = v;
}

/* Enable the part; the address of BAR 0, or 0 if there is none. */
uint32_t e1000_find(uint8_t *irq);

/* e1000_eeprom.c: the first six bytes, by EERD or by EECD's four wires. */
bool e1000_mac(uint32_t base, bool by_wires, uint8_t *mac);

#endif /* E1000_H */
