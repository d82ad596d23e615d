// SPDX-License-Identifier: MIT
/*
 * backend_vfio.c: a PCI device of this machine, behind its IOMMU.
 *
 *   backend: vfio
 *   address: 0000:01:00.0		as vpio list shows it
 *
 * The IOMMU holds it to the windows that are mapped, and this process to the
 * device: what goes wrong with it stays with those who share it.
 *
 * Its interrupt is a message if it has any, else the pin.  The kernel masks
 * the pin when it tells of it, until irq_done().
 */

#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../dmm/load.h"
#include "backend.h"
#include "log.h"
#include "vfio.h"
#include "why.h"

/* Offsets in configuration space, and bits there.  PCI 3.0, 6.1, 6.2.5.1. */
enum {
	REG_COMMAND = 0x04,
	REG_BAR0 = 0x10,
	REG_ROM = 0x30,
	REG_PIN = 0x3d,
};

#define COMMAND_DECODE 0x0003
#define COMMAND_MASTER 0x0004
#define BAR_IO 0x1u
#define BAR_64 0x4u
#define BAR_PREFETCH 0x8u

_Static_assert(VFIO_BARS == BACKEND_BARS, "a PCI function has six BARs");

struct card {
	struct backend be; /* first */
	struct vfio_dev dev;
	bool raised;  /* its interrupt was told of, and not yet served */
	bool master;  /* it may master the bus */
	bool touched; /* since it was reset */
};

static struct card *to_card(struct backend *be)
{
	return (struct card *)be;
}

/* ---- accesses ---- */

static const struct region *touch(struct backend *be, unsigned int bar)
{
	static const struct region none = { .fd = -1 };
	struct card *card = to_card(be);

	if (bar >= BACKEND_BARS)
		return &none;
	card->touched = true;
	return &card->dev.bar[bar];
}

static uint64_t card_read(struct backend *be, unsigned int bar, uint64_t off,
			  unsigned int width)
{
	return region_read(touch(be, bar), off, width);
}

static void card_write(struct backend *be, unsigned int bar, uint64_t off,
		       unsigned int width, uint64_t value)
{
	region_write(touch(be, bar), off, width, value);
}

static void card_read_string(struct backend *be, unsigned int bar, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	region_read_string(touch(be, bar), off, width, to, n);
}

static void card_write_string(struct backend *be, unsigned int bar,
			      uint64_t off, unsigned int width,
			      const void *from, size_t n)
{
	region_write_string(touch(be, bar), off, width, from, n);
}

/* ---- interrupt, reset, bus mastering ---- */

static bool card_irq_level(struct backend *be)
{
	struct card *card = to_card(be);
	uint64_t n;

	if (read(be->irq_fd, &n, sizeof(n)) > 0)
		card->raised = true;
	return card->raised;
}

static void card_irq_done(struct backend *be)
{
	struct card *card = to_card(be);

	if (!card->raised)
		return;
	card->raised = false;
	vfio_unmask(&card->dev);
}

static void write_command(struct card *card)
{
	uint16_t value =
		htole16((uint16_t)(COMMAND_DECODE |
				   (card->master ? COMMAND_MASTER : 0)));

	vfio_config_write(&card->dev, REG_COMMAND, &value, sizeof(value));
}

/* The kernel has just done it where nothing was touched, if it can at all. */
static int card_reset(struct backend *be)
{
	struct card *card = to_card(be);
	int err;

	if (!card->touched && card->dev.resets)
		return 0;
	err = vfio_reset(&card->dev);
	if (err == -ENOTTY)
		log_warnx("%s: it has no reset of its own, and that of its "
			  "bus would hit devices of others",
			  card->dev.at.address);
	write_command(card);
	card->touched = false;
	return err;
}

static void card_bus_master(struct backend *be, bool on)
{
	struct card *card = to_card(be);

	card->master = on;
	write_command(card);
}

static int card_dma_map(struct backend *be, uint64_t iova, void *host,
			uint64_t len, bool writable)
{
	uint64_t end;

	if (!len || cc_add(iova, len, &end))
		return -EINVAL;
	return vfio_map(&to_card(be)->dev, iova, host, len, writable);
}

static size_t card_dma_ranges(struct backend *be, struct iova_range *range,
			      size_t max)
{
	return vfio_ranges(&to_card(be)->dev, range, max);
}

static void card_dma_unmap(struct backend *be, uint64_t iova, uint64_t len)
{
	vfio_unmap(&to_card(be)->dev, iova, len);
}

static uint8_t *card_bar_host(struct backend *be, unsigned int bar)
{
	struct card *card = to_card(be);

	if (card->dev.bar[bar].map)
		card->touched = true;
	return card->dev.bar[bar].map;
}

static int card_signals(struct backend *be, enum backend_signal kind,
			const int *fd, unsigned int n, int unmask)
{
	static const unsigned int index[] = {
		[BACKEND_PIN] = VFIO_PCI_INTX_IRQ_INDEX,
		[BACKEND_MSI] = VFIO_PCI_MSI_IRQ_INDEX,
		[BACKEND_MSIX] = VFIO_PCI_MSIX_IRQ_INDEX,
	};

	return vfio_signals(&to_card(be)->dev, index[kind], fd, n, unmask);
}

static uint64_t not_known(struct backend *be)
{
	(void)be;
	return UINT64_MAX;
}

/* ---- opening and closing ---- */

/* Sizes are the regions'; what kinds they are say the registers. */
static void note_bars(struct card *card)
{
	struct backend_info *info = &card->be.info;

	for (unsigned int i = 0; i < BACKEND_BARS; i++) {
		uint8_t low = info->config[REG_BAR0 + 4 * i];

		if (!card->dev.bar[i].size)
			continue;
		info->bar[i] = (struct backend_bar){
			.space = low & BAR_IO ? BACKEND_IO : BACKEND_MMIO,
			.size = card->dev.bar[i].size,
			.is64 = !(low & BAR_IO) && low & BAR_64,
			.prefetch = !(low & BAR_IO) && low & BAR_PREFETCH,
		};
	}
}

static void note_card(struct card *card)
{
	struct backend_info *info = &card->be.info;

	vfio_config_read(&card->dev, 0, info->config, sizeof(info->config));
	note_bars(card);
	memset(info->config + REG_BAR0, 0, 4 * BACKEND_BARS);
	memset(info->config + REG_ROM, 0, 4);
	info->intx = info->config[REG_PIN];
	info->msi_vectors = card->dev.msi;
}

static int find_address(const struct node *conf, char out[HOSTPCI_ADDRESS],
			char **why)
{
	const struct node *node = node_get(conf, "address");

	if (node && node->kind == NODE_SCALAR &&
	    hostpci_address(node->text, out))
		return 0;
	return why_set(why, -EINVAL,
		       "backend vfio needs the device's address, as in "
		       "address: 0000:01:00.0; vpio list shows it");
}

static void card_free(struct card *card)
{
	if (card->be.irq_fd >= 0)
		close(card->be.irq_fd);
	free(card);
}

static int card_open_for(struct backend **out, const struct node *conf,
			 const char *owner, char **why)
{
	char address[HOSTPCI_ADDRESS];
	struct card *card;
	int err = find_address(conf, address, why);

	if (err)
		return err;
	card = xcalloc(1, sizeof(*card));
	card->be.ops = &backend_vfio;
	card->be.irq_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (card->be.irq_fd < 0)
		err = why_set(why, -errno, "no file descriptor");
	if (!err)
		err = vfio_open(&card->dev, address, owner, why);
	if (err) {
		card_free(card);
		return err;
	}
	note_card(card);
	write_command(card);
	err = vfio_interrupt(&card->dev, card->be.irq_fd, why);
	if (err) {
		vfio_close(&card->dev);
		card_free(card);
		return err;
	}
	*out = &card->be;
	return 0;
}

/* The gate sees which part it is, and whether it fits. */
static int card_open(struct backend **out, const struct node *conf,
		     uint16_t vendor, uint16_t device, char **why)
{
	(void)vendor;
	(void)device;
	return card_open_for(out, conf, NULL, why);
}

/* The kernel resets it as it is closed, after SIGKILL too. */
static void card_close(struct backend *be)
{
	struct card *card = to_card(be);

	if (!be)
		return;
	(void)!vfio_interrupt(&card->dev, -1, NULL);
	card_bus_master(be, false);
	vfio_close(&card->dev);
	card_free(card);
}

const struct backend_ops backend_vfio = {
	.name = "vfio",
	.open = card_open,
	.open_for = card_open_for,
	.close = card_close,
	.read = card_read,
	.write = card_write,
	.read_string = card_read_string,
	.write_string = card_write_string,
	.reset = card_reset,
	.irq_level = card_irq_level,
	.irq_done = card_irq_done,
	.bar_host = card_bar_host,
	.signals = card_signals,
	.unheard = not_known,
	.dma_map = card_dma_map,
	.dma_ranges = card_dma_ranges,
	.dma_unmap = card_dma_unmap,
	.bus_master = card_bus_master,
	.dma_faults = not_known,
};
