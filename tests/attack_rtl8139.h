/* SPDX-License-Identifier: MIT */
/*
 * attack_rtl8139.h: an RTL8139's registers, and the driver of attack_rtl8139.c
 * for good and bad guests.
 */

#ifndef TESTS_ATTACK_RTL8139_H
#define TESTS_ATTACK_RTL8139_H

#include "attack.h"

/* RTL8139C(L) data sheet, 6 */
#define RTL_IDR 0x00u
#define RTL_MAR 0x08u
#define RTL_TSD 0x10u  /* 4 */
#define RTL_TSAD 0x20u /* 4 */
#define RTL_RBSTART 0x30u
#define RTL_CR 0x37u
#define RTL_CAPR 0x38u
#define RTL_CBR 0x3au
#define RTL_IMR 0x3cu
#define RTL_ISR 0x3eu
#define RTL_TCR 0x40u
#define RTL_RCR 0x44u
#define RTL_MPC 0x4cu
#define RTL_9346CR 0x50u
#define RTL_CONFIG0 0x50u /* with 9346CR: a dword */
#define RTL_CONFIG1 0x52u
#define RTL_BMCR 0x62u
#define RTL_TPPOLL 0xd9u
#define RTL_CPCR 0xe0u
#define RTL_RDSAR 0xe4u
#define RTL_SLOTS 4u

enum {
	CR_BUFE = 0x01,
	CR_TE = 0x04,
	CR_RE = 0x08,
	CR_RST = 0x10,
	RCR_AAP = 0x01,
	RCR_AB = 0x08,
	RCR_WRAP = 0x80,
	TSD_OWN = 1 << 13,
	TSD_TOK = 1 << 15,
	TSD_TABT = 1 << 30,
	EE_DO = 0x01,
	EE_DI = 0x02,
	EE_SK = 0x04,
	EE_CS = 0x08,
	EE_PROGRAM = 0x80,
	EE_CONFIG = 0xc0,
};

extern const struct attack_part attack_rtl8139;

uint32_t rtl_read(struct rig *rig, unsigned int g, unsigned int reg,
		  unsigned int width);
void rtl_write(struct rig *rig, unsigned int g, unsigned int reg,
	       unsigned int width, uint32_t v);
/* The buffer of the slot that is next. */
uint64_t rtl_buffer(const struct rig *rig, unsigned int g);
void rtl_start(struct rig *rig, unsigned int g);
/* The next slot: (at) into TSAD, (tsd) into TSD. */
void rtl_give(struct rig *rig, unsigned int g, uint64_t at, uint32_t tsd);
/* A frame of the hostile's, sent. */
void rtl_send(struct rig *rig, size_t len);

#endif /* TESTS_ATTACK_RTL8139_H */
