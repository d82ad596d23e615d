// SPDX-License-Identifier: MIT
/*
 * qtest_pci.c: a QEMU's PCI function, by configuration mechanism 1.
 */

#include "qtest_pci.h"

#include <string.h>

#include "qemu.h"

/* Offsets in configuration space.  PCI 3.0, 6.1. */
enum { REG_ID = 0, REG_COMMAND = 4, REG_BAR0 = 0x10, REG_PIN = 0x3d };

static uint32_t config_read(struct qtest *qtest, unsigned int reg)
{
	qtest_write(qtest, QTEST_IO, QEMU_CONFIG_PORT, 4,
		    UINT32_C(1) << 31 | QEMU_SLOT << 11 | reg);
	return (uint32_t)qtest_read(qtest, QTEST_IO, QEMU_CONFIG_PORT + 4, 4);
}

static void config_write(struct qtest *qtest, unsigned int reg, uint32_t value)
{
	qtest_write(qtest, QTEST_IO, QEMU_CONFIG_PORT, 4,
		    UINT32_C(1) << 31 | QEMU_SLOT << 11 | reg);
	qtest_write(qtest, QTEST_IO, QEMU_CONFIG_PORT + 4, 4, value);
}

/* Its size shows by the bits that stay zero.  PCI 3.0, 6.2.5.1. */
static bool place_bar(struct qtest *qtest, unsigned int reg,
		      struct backend_bar *bar, uint64_t *addr, uint64_t *io,
		      uint64_t *mmio)
{
	uint32_t value, mask;
	uint64_t *at;

	config_write(qtest, reg, UINT32_MAX);
	value = config_read(qtest, reg);
	if (!value)
		return true;
	mask = value & (value & 1 ? ~3u : ~15u);
	*bar = (struct backend_bar){
		.space = value & 1 ? BACKEND_IO : BACKEND_MMIO,
		.size = mask & -mask,
		.prefetch = !(value & 1) && value & 8,
	};
	at = value & 1 ? io : mmio;
	*at = (*at + bar->size - 1) & ~(bar->size - 1);
	*addr = *at;
	*at += bar->size;
	/* No part of ours has 64-bit BARs. */
	if (!bar->size || mask != (uint32_t)-bar->size ||
	    (!(value & 1) && value & 6) || *io > QEMU_IO_END ||
	    *mmio > QEMU_MMIO_END)
		return false;
	config_write(qtest, reg, (uint32_t)*addr);
	return true;
}

bool qtest_pci_place(struct qtest *qtest, uint16_t vendor, uint16_t device,
		     struct backend_info *info, uint64_t addr[BACKEND_BARS])
{
	uint64_t io = QEMU_IO_BASE, mmio = QEMU_MMIO_BASE;
	bool good;

	memset(info, 0, sizeof(*info));
	for (unsigned int reg = 0; reg < sizeof(info->config); reg += 4) {
		uint32_t value = config_read(qtest, reg);

		if (reg >= REG_BAR0 && reg < REG_BAR0 + 4 * BACKEND_BARS)
			value = 0;
		for (unsigned int i = 0; i < 4; i++)
			info->config[reg + i] = (uint8_t)(value >> (8 * i));
	}
	good = config_read(qtest, REG_ID) == ((uint32_t)device << 16 | vendor);
	for (unsigned int i = 0; good && i < BACKEND_BARS; i++)
		good = place_bar(qtest, REG_BAR0 + 4 * i, &info->bar[i],
				 &addr[i], &io, &mmio);
	info->intx = info->config[REG_PIN];
	return good;
}

/* Ports and memory always. */
void qtest_pci_command(struct qtest *qtest, bool master)
{
	config_write(qtest, REG_COMMAND, master ? 7 : 3);
	(void)qtest_lines(qtest);
}
