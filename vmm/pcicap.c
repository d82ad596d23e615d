// SPDX-License-Identifier: MIT
/*
 * pcicap.c: the capabilities of a virtual PCI function.
 */

#include "pcicap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The list (6.7, appendix H). */
#define REG_STATUS 0x06
#define STATUS_LIST 0x10
#define REG_LIST 0x34
#define LIST_FIRST 0x40
#define LIST_MOST 48 /* that many fit */

enum { ID_PM = 0x01, ID_VPD = 0x03, ID_MSI = 0x05, ID_MSIX = 0x11 };

/* Power management, section 3.2. */
#define PM_SIZE 8
#define PMC_VERSION 0x0007u
#define PMCSR_STATE 0x0003u
#define PMCSR_NO_SOFT_RESET 0x0008u

/* Vital product data, appendix I. */
#define VPD_SIZE 8
#define VPD_ADDRESS 0x7ffcu
#define VPD_DONE 0x8000u

/* MSI, 6.8.1. */
#define MSI_ENABLE 0x0001u
#define MSI_64 0x0080u
#define MSI_MASKS 0x0100u

/* MSI-X, 6.8.2. */
#define MSIX_SIZE 12
#define MSIX_COUNT 0x07ffu
#define MSIX_MASK 0x4000u
#define MSIX_ENABLE 0x8000u
#define MSIX_ENTRY 16u
#define ENTRY_MASKED 1u

/* Where local APICs take messages. */
#define APIC_BASE UINT64_C(0xfee00000)
#define APIC_SIZE UINT64_C(0x00100000)

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

/* ---- what is shown ---- */

/* States in between, and waking others, are the host's. */
static void show_pm(struct pcicap *cap, uint8_t *config, unsigned int at)
{
	cap->pm = (uint8_t)at;
	put16(config + at + 2, get16(config + at + 2) & PMC_VERSION);
	memset(config + at + 4, 0, 4);
}

static void show_vpd(struct pcicap *cap, const struct backend_info *info,
		     unsigned int at)
{
	cap->vpd = (uint8_t)at;
	cap->vpd_len = info->vpd_len < BACKEND_VPD ? info->vpd_len :
						     BACKEND_VPD;
	memcpy(cap->vpd_copy, info->vpd, cap->vpd_len);
}

static unsigned int msi_size(unsigned int control)
{
	unsigned int size = control & MSI_64 ? 14 : 10;

	return control & MSI_MASKS ? size + 10 : size;
}

static void show_msi(struct pcicap *cap, uint8_t *config, unsigned int at)
{
	unsigned int control = get16(config + at + 2);

	cap->msi = (uint8_t)at;
	cap->msi_wide = control & MSI_64;
	cap->msi_masks = control & MSI_MASKS;
	put16(config + at + 2, control & (MSI_64 | MSI_MASKS));
	memset(config + at + 4, 0, msi_size(control) - 4);
}

static bool in_bar(const struct backend_info *info, unsigned int bar,
		   uint64_t at, uint64_t len)
{
	return bar < BACKEND_BARS && info->bar[bar].space == BACKEND_MMIO &&
	       cc_within(at, len, 0, info->bar[bar].size);
}

static bool ranges_meet(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

/* Bytes of the pending bits: whole words of 64. */
static uint64_t pba_len(const struct pcicap *cap)
{
	return (cap->vectors + 63) / 64 * 8;
}

static uint64_t table_len(const struct pcicap *cap)
{
	return (uint64_t)cap->vectors * MSIX_ENTRY;
}

void pcicap_reset(struct pcicap *cap)
{
	cap->power = 0;
	cap->vpd_at = 0;
	cap->vpd_data = 0;
	cap->msi_on = cap->msix_on = cap->msix_masked = false;
	cap->msi_vector = (struct pcicap_vector){ .masked = false };
	for (unsigned int i = 0; i < cap->vectors; i++)
		cap->vector[i] = (struct pcicap_vector){ .masked = true };
}

/* Not shown where what the part says of it cannot be. */
static int show_msix(struct pcicap *cap, const struct backend_info *info,
		     uint8_t *config, unsigned int at, bool *shown)
{
	uint32_t table = get32(config + at + 4), pba = get32(config + at + 8);

	*shown = false;
	cap->vectors = (get16(config + at + 2) & MSIX_COUNT) + 1u;
	cap->table_bar = table & 7;
	cap->table_at = table & ~7u;
	cap->pba_bar = pba & 7;
	cap->pba_at = pba & ~7u;
	if (!in_bar(info, cap->table_bar, cap->table_at, table_len(cap)) ||
	    !in_bar(info, cap->pba_bar, cap->pba_at, pba_len(cap)) ||
	    (cap->table_bar == cap->pba_bar &&
	     ranges_meet(cap->table_at, table_len(cap), cap->pba_at,
			 pba_len(cap)))) {
		cap->vectors = 0;
		return 0;
	}
	cap->vector = calloc(cap->vectors, sizeof(*cap->vector));
	if (!cap->vector)
		return -ENOMEM;
	pcicap_reset(cap);
	cap->msix = (uint8_t)at;
	put16(config + at + 2, cap->vectors - 1);
	*shown = true;
	return 0;
}

/* One of the part's list; each kind is shown once. */
static int show(struct pcicap *cap, const struct backend_info *info,
		uint8_t *config, unsigned int at, bool messages, bool *shown)
{
	unsigned int room = 256 - at;

	*shown = false;
	switch (config[at]) {
	case ID_PM:
		*shown = !cap->pm && room >= PM_SIZE;
		if (*shown)
			show_pm(cap, config, at);
		break;
	case ID_VPD:
		*shown = !cap->vpd && room >= VPD_SIZE;
		if (*shown)
			show_vpd(cap, info, at);
		break;
	case ID_MSI:
		*shown = messages && !cap->msi &&
			 room >= msi_size(get16(config + at + 2));
		if (*shown)
			show_msi(cap, config, at);
		break;
	case ID_MSIX:
		if (messages && !cap->msix && room >= MSIX_SIZE)
			return show_msix(cap, info, config, at, shown);
		break;
	}
	return 0;
}

int pcicap_open(struct pcicap *cap, const struct backend_info *info,
		uint8_t config[256], bool messages)
{
	unsigned int last = REG_LIST, at = config[REG_LIST] & ~3u, next, i;
	bool shown, list = config[REG_STATUS] & STATUS_LIST;
	int rc;

	memset(cap, 0, sizeof(*cap));
	config[REG_LIST] = 0;
	config[REG_STATUS] &= (uint8_t)~STATUS_LIST;
	for (i = 0; list && i < LIST_MOST && at >= LIST_FIRST; i++) {
		next = config[at + 1] & ~3u;
		rc = show(cap, info, config, at, messages, &shown);
		if (rc)
			return rc;
		if (shown) {
			config[last] = (uint8_t)at;
			config[at + 1] = 0;
			config[REG_STATUS] |= STATUS_LIST;
			last = at + 1;
		}
		at = next;
	}
	return 0;
}

bool pcicap_within(const struct backend_info *info, unsigned int bar,
		   uint64_t off, uint64_t len)
{
	unsigned int at = info->config[REG_LIST] & ~3u;
	uint32_t table, pba, n;

	for (int i = 0; i < LIST_MOST && at >= LIST_FIRST; i++) {
		if (info->config[at] == ID_MSIX && 256 - at >= MSIX_SIZE) {
			table = get32(info->config + at + 4);
			pba = get32(info->config + at + 8);
			n = (get16(info->config + at + 2) & MSIX_COUNT) + 1u;
			return ((table & 7) == bar &&
				ranges_meet(off, len, table & ~7u,
					    n * MSIX_ENTRY)) ||
			       ((pba & 7) == bar &&
				ranges_meet(off, len, pba & ~7u,
					    (n + 63) / 64 * 8));
		}
		at = info->config[at + 1] & ~3u;
	}
	return false;
}

bool pcicap_needs(const struct backend_info *info, unsigned int bar)
{
	return pcicap_within(info, bar, 0, info->bar[bar].size);
}

void pcicap_close(struct pcicap *cap)
{
	free(cap->vector);
	cap->vector = NULL;
}

/* ---- configuration space ---- */

static uint32_t msi_read(const struct pcicap *cap, unsigned int off,
			 uint32_t value)
{
	const struct pcicap_vector *v = &cap->msi_vector;
	unsigned int data = cap->msi_wide ? 12 : 8;

	if (off == 0)
		return value | (cap->msi_on ? MSI_ENABLE << 16 : 0);
	if (off == 4)
		return (uint32_t)v->addr;
	if (off == 8 && cap->msi_wide)
		return (uint32_t)(v->addr >> 32);
	if (off == data)
		return v->data;
	return off == data + 4 ? v->masked : v->pending;
}

static bool msi_write(struct pcicap *cap, unsigned int off, uint32_t value)
{
	struct pcicap_vector *v = &cap->msi_vector;
	unsigned int data = cap->msi_wide ? 12 : 8;

	if (off == 0)
		cap->msi_on = value >> 16 & MSI_ENABLE;
	else if (off == 4)
		v->addr = (v->addr & ~(uint64_t)UINT32_MAX) | (value & ~3u);
	else if (off == 8 && cap->msi_wide)
		v->addr = (v->addr & UINT32_MAX) | (uint64_t)value << 32;
	else if (off == data)
		v->data = value & 0xffff;
	else if (off == data + 4)
		v->masked = value & 1;
	else
		return false;
	return true;
}

/* The offset of (reg) in the capability at (at) of (size) bytes, or ~0. */
static unsigned int inside(unsigned int at, unsigned int size, unsigned int reg)
{
	return at && reg >= at && reg < at + size ? reg - at : ~0u;
}

static unsigned int msi_bytes(const struct pcicap *cap)
{
	return msi_size((cap->msi_wide ? MSI_64 : 0) |
			(cap->msi_masks ? MSI_MASKS : 0));
}

uint32_t pcicap_read(const struct pcicap *cap, unsigned int reg, uint32_t value)
{
	unsigned int off = inside(cap->msi, msi_bytes(cap), reg);

	if (off != ~0u)
		return msi_read(cap, off, value);
	if (inside(cap->pm, PM_SIZE, reg) == 4)
		return PMCSR_NO_SOFT_RESET | cap->power;
	if (inside(cap->msix, MSIX_SIZE, reg) == 0)
		return value | (cap->msix_on ? MSIX_ENABLE << 16 : 0) |
		       (cap->msix_masked ? MSIX_MASK << 16 : 0);
	off = inside(cap->vpd, VPD_SIZE, reg);
	if (off == 0)
		return (value & 0xffff) | (uint32_t)cap->vpd_at << 16;
	return off == 4 ? cap->vpd_data : value;
}

/* Reads give the copy at once; what is to be written looks written. */
static void vpd_command(struct pcicap *cap, uint16_t value)
{
	unsigned int at = value & VPD_ADDRESS;

	cap->vpd_at = value ^ VPD_DONE;
	if (value & VPD_DONE)
		return;
	cap->vpd_data = UINT32_MAX;
	if (cc_within(at, 4, 0, cap->vpd_len))
		cap->vpd_data = get32(cap->vpd_copy + at);
}

bool pcicap_write(struct pcicap *cap, unsigned int reg, uint32_t value)
{
	unsigned int off = inside(cap->msi, msi_bytes(cap), reg);

	if (off != ~0u)
		return msi_write(cap, off, value);
	if (inside(cap->pm, PM_SIZE, reg) == 4) {
		/* to a state that is not offered: as if not written */
		if ((value & PMCSR_STATE) % 3 == 0)
			cap->power = value & PMCSR_STATE;
	} else if (inside(cap->msix, MSIX_SIZE, reg) == 0) {
		cap->msix_on = value >> 16 & MSIX_ENABLE;
		cap->msix_masked = value >> 16 & MSIX_MASK;
	} else if (inside(cap->vpd, VPD_SIZE, reg) == 0) {
		vpd_command(cap, (uint16_t)(value >> 16));
	} else if (inside(cap->vpd, VPD_SIZE, reg) == 4) {
		cap->vpd_data = value;
	} else {
		return false;
	}
	return true;
}

/* ---- the table and its pending bits ---- */

bool pcicap_covers(const struct pcicap *cap, unsigned int bar, uint64_t off,
		   unsigned int width)
{
	if (!cap->msix)
		return false;
	return (bar == cap->table_bar &&
		ranges_meet(off, width, cap->table_at, table_len(cap))) ||
	       (bar == cap->pba_bar &&
		ranges_meet(off, width, cap->pba_at, pba_len(cap)));
}

static uint32_t entry_read(const struct pcicap_vector *v, unsigned int dword)
{
	switch (dword) {
	case 0:
		return (uint32_t)v->addr;
	case 1:
		return (uint32_t)(v->addr >> 32);
	case 2:
		return v->data;
	default:
		return v->masked ? ENTRY_MASKED : 0;
	}
}

static void entry_write(struct pcicap_vector *v, unsigned int dword,
			uint32_t value)
{
	switch (dword) {
	case 0:
		v->addr = (v->addr & ~(uint64_t)UINT32_MAX) | (value & ~3u);
		break;
	case 1:
		v->addr = (v->addr & UINT32_MAX) | (uint64_t)value << 32;
		break;
	case 2:
		v->data = value;
		break;
	default:
		v->masked = value & ENTRY_MASKED;
	}
}

static uint8_t pba_byte(const struct pcicap *cap, uint64_t at)
{
	uint8_t byte = 0;

	for (unsigned int i = 0; i < 8; i++)
		if (at * 8 + i < cap->vectors &&
		    cap->vector[at * 8 + i].pending)
			byte |= (uint8_t)(1u << i);
	return byte;
}

uint64_t pcicap_table_read(const struct pcicap *cap, unsigned int bar,
			   uint64_t off, unsigned int width)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < width; i++) {
		uint64_t at = off + i - cap->table_at;
		uint8_t byte = 0xff;

		if (bar == cap->table_bar &&
		    cc_within(off + i, 1, cap->table_at, table_len(cap)))
			byte = (uint8_t)(entry_read(
						 &cap->vector[at / MSIX_ENTRY],
						 at / 4 % 4) >>
					 at % 4 * 8);
		else if (bar == cap->pba_bar &&
			 cc_within(off + i, 1, cap->pba_at, pba_len(cap)))
			byte = pba_byte(cap, off + i - cap->pba_at);
		value |= (uint64_t)byte << 8 * i;
	}
	return value;
}

void pcicap_table_write(struct pcicap *cap, unsigned int bar, uint64_t off,
			unsigned int width, uint64_t value)
{
	if (width < 4 || off % width || bar != cap->table_bar ||
	    !cc_within(off, width, cap->table_at, table_len(cap)))
		return;
	for (unsigned int i = 0; i < width; i += 4) {
		uint64_t at = off + i - cap->table_at;

		entry_write(&cap->vector[at / MSIX_ENTRY], at / 4 % 4,
			    (uint32_t)(value >> 8 * i));
	}
}

unsigned int pcicap_vector_at(const struct pcicap *cap, uint64_t off)
{
	return cc_within(off, 1, cap->table_at, table_len(cap)) ?
		       (unsigned int)((off - cap->table_at) / MSIX_ENTRY) :
		       PCICAP_VECTORS;
}

/* ---- messages ---- */

enum pcicap_mode pcicap_mode(const struct pcicap *cap)
{
	if (cap->msix_on)
		return PCICAP_MSIX;
	return cap->msi_on ? PCICAP_MSI : PCICAP_PIN;
}

unsigned int pcicap_count(const struct pcicap *cap)
{
	switch (pcicap_mode(cap)) {
	case PCICAP_MSIX:
		return cap->vectors;
	case PCICAP_MSI:
		return 1;
	default:
		return 0;
	}
}

static struct pcicap_vector *vector_of(struct pcicap *cap, unsigned int vector)
{
	if (vector >= pcicap_count(cap))
		return NULL;
	return cap->msix_on ? &cap->vector[vector] : &cap->msi_vector;
}

const struct pcicap_vector *pcicap_let_out(struct pcicap *cap,
					   unsigned int vector)
{
	const struct pcicap_vector *v = vector_of(cap, vector);

	if (!v || v->masked || (cap->msix_on && cap->msix_masked))
		return NULL;
	return v;
}

bool pcicap_signal(struct pcicap *cap, unsigned int vector, uint64_t *addr,
		   uint32_t *data)
{
	struct pcicap_vector *v = vector_of(cap, vector);

	if (!v)
		return false;
	*addr = v->addr;
	*data = v->data;
	if (pcicap_let_out(cap, vector))
		return true;
	v->pending = true;
	return false;
}

bool pcicap_release(struct pcicap *cap, unsigned int *from)
{
	for (; *from < pcicap_count(cap); ++*from) {
		struct pcicap_vector *v = vector_of(cap, *from);

		if (!v->pending || !pcicap_let_out(cap, *from))
			continue;
		v->pending = false;
		return true;
	}
	return false;
}

bool pcicap_is_interrupt(uint64_t addr)
{
	return cc_within(addr, 4, APIC_BASE, APIC_SIZE);
}
