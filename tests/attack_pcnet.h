/* SPDX-License-Identifier: MIT */
/*
 * attack_pcnet.h: a PCnet's registers, and the driver of attack_pcnet.c for
 * good and bad guests.
 */

#ifndef TESTS_ATTACK_PCNET_H
#define TESTS_ATTACK_PCNET_H

#include "attack.h"

/* Am79C970A data sheet, I/O Registers; word mode */
#define PC_APROM 0x00u
#define PC_RDP 0x10u
#define PC_RAP 0x12u
#define PC_RESET 0x14u
#define PC_BDP 0x16u

enum {
	CSR0_INIT = 0x0001,
	CSR0_STRT = 0x0002,
	CSR0_STOP = 0x0004,
	CSR0_TDMD = 0x0008,
	CSR0_IDON = 0x0100,
	CSR_IADR = 1,
	CSR_LADRF = 8,
	CSR_PADR = 12,
	CSR_MODE = 15,
	CSR_RDRA = 24,
	CSR_TDRA = 30,
	CSR_RLEN = 76,
	CSR_TLEN = 78,
	BCR_EECAS = 19,
	BCR_STYLE = 20,
	MODE_LOOP = 0x0004,
	MODE_PROM = 0x8000,
	DESC_OWN = 0x8000,
	DESC_ERR = 0x4000,
	DESC_STP = 0x0200,
	DESC_ENP = 0x0100,
	DESC_ONE = DESC_OWN | DESC_STP | DESC_ENP,
};

#define PC_INIT_AT 0x1f000u /* of a guest: its block, between ring and frames */
#define PC_LOG 4u	    /* of the length of both rings */

extern const struct attack_part attack_pcnet;

uint16_t pc_csr(struct rig *rig, unsigned int g, unsigned int n);
void pc_set(struct rig *rig, unsigned int g, unsigned int n, uint32_t v);
/* Two of them: an address. */
void pc_set32(struct rig *rig, unsigned int g, unsigned int n, uint32_t v);
void pc_bcr(struct rig *rig, unsigned int g, unsigned int n, uint32_t v);
/* The guest's block: rings of 1 << (log) at (tx) and (rx), and (mode). */
void pc_block(struct rig *rig, unsigned int g, uint32_t tx, uint32_t rx,
	      unsigned int log, unsigned int mode);
/* STOP, INIT by the block at (at), STRT. */
void pc_go(struct rig *rig, unsigned int g, uint32_t at);
void pc_start(struct rig *rig, unsigned int g);
/* The next descriptor of the ring at TX_RING; no demand. */
void pc_desc(struct rig *rig, unsigned int g, uint64_t at, size_t len,
	     unsigned int status);
void pc_demand(struct rig *rig, unsigned int g);
/* A frame of the hostile's at (at), sent. */
void pc_send(struct rig *rig, uint64_t at, size_t len);

#endif /* TESTS_ATTACK_PCNET_H */
