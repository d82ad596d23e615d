/* SPDX-License-Identifier: MIT */
/*
 * rtl8139.h: registers of the RTL8139C, for the driver and for guests that go
 * at the part directly.
 *
 * "DS" is Realtek's RTL8139C(L) data sheet, revision 1.4.
 */

#ifndef RTL8139_H
#define RTL8139_H

#include "guest.h"

#define RTL_VENDOR 0x10ec
#define RTL_DEVICE 0x8139

#define RTL_IDR 0x00
#define RTL_MAR 0x08
#define RTL_TSD 0x10  /* 4 of 4 bytes */
#define RTL_TSAD 0x20 /* 4 of 4 bytes */
#define RTL_RBSTART 0x30
#define RTL_CR 0x37
#define RTL_CAPR 0x38
#define RTL_CBR 0x3a
#define RTL_IMR 0x3c
#define RTL_ISR 0x3e
#define RTL_TCR 0x40
#define RTL_RCR 0x44
#define RTL_MPC 0x4c
#define RTL_9346CR 0x50
#define RTL_CONFIG1 0x52
#define RTL_MSR 0x58
#define RTL_TSALL 0x60
#define RTL_CPCR 0xe0

#define RTL_SLOTS 4

enum {
	CR_BUFE = 0x01,
	CR_TE = 0x04,
	CR_RE = 0x08,
	CR_RST = 0x10,

	INT_ROK = 0x0001,
	INT_RER = 0x0002,
	INT_TOK = 0x0004,
	INT_TER = 0x0008,
	INT_RXOVW = 0x0010,
	INT_FOVW = 0x0040,

	RCR_APM = 0x02,
	RCR_AB = 0x08,
	RCR_WRAP = 0x80,
	RCR_BURST = 7 << 8,  /* without limit */
	RCR_WHOLE = 7 << 13, /* no early receive */
	TCR_BURST = 6 << 8,
	TCR_GAP = 3 << 24,

	TSD_OWN = 1 << 13,
	TSD_TOK = 1 << 15,
	TSD_TABT = 1 << 30,

	RX_ROK = 0x0001, /* of the header before a frame: DS 6.1 */

	EE_DO = 0x01,
	EE_DI = 0x02,
	EE_SK = 0x04,
	EE_CS = 0x08,
	EE_PROGRAM = 0x80,

	MSR_NO_LINK = 0x04,
};

#endif /* RTL8139_H */
