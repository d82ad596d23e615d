/* SPDX-License-Identifier: MIT */
/*
 * diff_e1000.h: the driver of an 82540EM that drives two: test_diff_e1000.c
 * has all of it but what sends, which is in diff_e1000_tx.c, and what deals
 * with the EEPROM and the PHY, which is in diff_e1000_nvm.c.
 */

#ifndef TESTS_DIFF_E1000_H
#define TESTS_DIFF_E1000_H

#include "diff.h"
#include "vmm/sim_e1000.h"

/* Memory: offsets */
#define MEMORY 0x100000u
#define TX_RING 0u
#define RX_RING 0x1000u
#define TX_BUFS 0x10000u
#define TX_BUFS_END 0x80000u
#define RX_BUFS 0x80000u
#define RX_BUF 0x4000u /* the largest that RCTL can say */
#define RX_DESCS 32u

#define PHY(reg) (0x100000u | (reg)) /* a register of the PHY, to exceptions */
#define WAIT_US 5000000u	     /* for QEMU's timers */

struct diff_driver {
	uint32_t ctrl, rctl, tctl, ims;
	uint32_t tx_n, tail;
	uint32_t rx_n, rdt, next; /* (next) to look at */
	uint32_t buf;		  /* bytes of a receive buffer, as RCTL says */
	uint32_t at;		  /* in TX_BUFS, the next free one */
	unsigned int frames;	  /* since the last doorbell */
	unsigned int context;	  /* what the last one without TSE was for */
	uint32_t mta[128], vfta[128];
	bool hears;
	/* Counts that QEMU's has otherwise, since they were read. */
	bool tx_octets, rx_octets, tsctc, rnbc, roc;
};

static inline struct diff_driver *driver(struct diff *d)
{
	return d->driver;
}

static inline uint32_t rd(struct diff *d, uint32_t reg)
{
	return diff_read(d, reg, reg, 4);
}

static inline void wr(struct diff *d, uint32_t reg, uint32_t value)
{
	diff_write(d, reg, 4, value);
}

static inline void random_bytes(struct diff *d, uint8_t *to, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		to[i] = (uint8_t)diff_random(d, 256);
}

/* A few frames of all kinds, and the doorbell; they are out on return. */
void diff_transmit(struct diff *d);

/* The EEPROM, all of it by EERD, and a word of it by EECD. */
void diff_eeprom(struct diff *d);
void diff_microwire(struct diff *d);

/* Registers of the PHY; and a new autonegotiation, to its end. */
void diff_phy(struct diff *d);
void diff_negotiate(struct diff *d);

#endif /* TESTS_DIFF_E1000_H */
