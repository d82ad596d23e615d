// SPDX-License-Identifier: MIT
/*
 * backend_uio.c: a PCI device of this machine, where no IOMMU is.
 *
 *   backend: uio
 *   address: 0000:01:00.0		as vpio list shows it
 *   unsafe: true			or it is not opened
 *   memory: 512M			the guests' and the monitor's, hugepages
 *   reach: 4G				the part's physical addresses end there
 *
 * The device masters the bus with physical addresses, and nothing holds it to
 * any: what the monitor checked is all the protection there is.
 *
 * Its interrupt is the pin.  The kernel disables it, by the device's own bit,
 * when it tells of it, until irq_done().
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../dmm/load.h"
#include "backend.h"
#include "hugemem.h"
#include "log.h"
#include "uio.h"
#include "why.h"

/* Offsets in configuration space.  PCI 3.0, 6.1. */
enum { REG_BAR0 = 0x10, REG_ROM = 0x30, REG_PIN = 0x3d };

#define MEMORY_DEFAULT (UINT64_C(512) << 20)
#define REACH_DEFAULT (UINT64_C(4) << 30)
_Static_assert(UIO_BARS == BACKEND_BARS, "a PCI function has six BARs");

struct card {
	struct backend be; /* first */
	struct uio_dev dev;
	struct hugemem memory; /* from the first use: some parts need none */
	uint64_t bytes, reach;
	bool raised;  /* its interrupt was told of, and not yet served */
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
	return &card->dev.bar[bar].at;
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

/* ---- interrupt, reset, memory ---- */

static bool card_irq_level(struct backend *be)
{
	struct card *card = to_card(be);

	if (uio_interrupted(&card->dev))
		card->raised = true;
	return card->raised;
}

static void card_irq_done(struct backend *be)
{
	struct card *card = to_card(be);

	if (!card->raised)
		return;
	card->raised = false;
	uio_command(&card->dev, card->dev.master, true);
}

/* Off the bus meanwhile: a reset that is the model's alone leaves it there. */
static int card_reset(struct backend *be)
{
	struct card *card = to_card(be);
	bool master = card->dev.master;
	int err;

	if (!card->touched)
		return 0;
	uio_command(&card->dev, false, card->dev.intx);
	err = uio_reset(&card->dev);
	uio_command(&card->dev, master, card->dev.intx);
	if (!err)
		card->touched = false;
	return err;
}

static void card_bus_master(struct backend *be, bool on)
{
	struct card *card = to_card(be);

	if (on && card->memory.pages && !hugemem_stays(&card->memory)) {
		log_warnx("%s: the kernel moved its memory: it stays off the "
			  "bus",
			  card->dev.at.address);
		on = false;
	}
	uio_command(&card->dev, on, card->dev.intx);
}

static int card_guest_memory(struct backend *be, uint64_t bytes, int *fd,
			     uint64_t *offset, uint64_t *iova)
{
	struct card *card = to_card(be);
	char *why = NULL;
	int err = 0;

	if (!card->memory.pages)
		err = hugemem_open(&card->memory, card->bytes, card->reach,
				   &why);
	if (!err && !card->dev.keeper)
		err = uio_keep(&card->dev, card->memory.fd, &why);
	if (err) {
		log_warnx("%s: %s", card->dev.at.address, why);
		free(why);
		return err;
	}
	return hugemem_take(&card->memory, bytes, fd, offset, iova);
}

/* All that guest_memory() gave it reaches, and all else, too. */
static int card_dma_map(struct backend *be, uint64_t iova, void *host,
			uint64_t len, bool writable)
{
	(void)be;
	(void)iova;
	(void)host;
	(void)len;
	(void)writable;
	return -EINVAL;
}

static void card_dma_unmap(struct backend *be, uint64_t iova, uint64_t len)
{
	(void)be;
	(void)iova;
	(void)len;
}

static uint64_t not_known(struct backend *be)
{
	(void)be;
	return UINT64_MAX;
}

/* ---- opening and closing ---- */

static void note_card(struct card *card)
{
	struct backend_info *info = &card->be.info;

	uio_config_read(&card->dev, 0, info->config, sizeof(info->config));
	for (unsigned int i = 0; i < BACKEND_BARS; i++) {
		const struct uio_region *r = &card->dev.bar[i];

		if (r->at.size)
			info->bar[i] = (struct backend_bar){
				.space = r->io ? BACKEND_IO : BACKEND_MMIO,
				.size = r->at.size,
				.is64 = r->is64,
				.prefetch = r->prefetch,
			};
	}
	memset(info->config + REG_BAR0, 0, 4 * BACKEND_BARS);
	memset(info->config + REG_ROM, 0, 4);
	info->intx = info->config[REG_PIN];
}

/* The machine file was checked; what is not there has its default. */
static int parse(struct card *card, const struct node *conf,
		 char address[HOSTPCI_ADDRESS], char **why)
{
	const struct node *at = node_get(conf, "address");
	const struct node *unsafe = node_get(conf, "unsafe");
	const struct node *size = node_get(conf, "memory");
	const struct node *limit = node_get(conf, "reach");
	bool agreed = false;
	struct diag diag;
	int err = 0;

	diag_init(&diag, NULL);
	if (unsafe)
		err = node_bool(unsafe, "unsafe", &agreed, &diag);
	if (!err && size)
		err = node_size(size, "memory", &card->bytes, &diag);
	if (!err && limit)
		err = node_size(limit, "reach", &card->reach, &diag);
	if (err)
		return why_diag(why, &diag);
	diag_fini(&diag);
	if (!at || at->kind != NODE_SCALAR ||
	    !hostpci_address(at->text, address))
		return why_set(why, -EINVAL,
			       "backend uio needs the device's address, as in "
			       "address: 0000:01:00.0; vpio list shows it");
	if (!agreed)
		return why_set(why, -EPERM,
			       "with backend uio nothing but vpio's own checks "
			       "keeps the device, and so its guests, from this "
			       "machine's memory: if you trust them and "
			       "the model, say unsafe: true");
	return 0;
}

static int card_open(struct backend **out, const struct node *conf,
		     uint16_t vendor, uint16_t device, char **why)
{
	struct card *card = xcalloc(1, sizeof(*card));
	char address[HOSTPCI_ADDRESS];
	int err;

	(void)vendor; /* the gate sees which part it is, and whether it fits */
	(void)device;
	*card = (struct card){
		.be = { .ops = &backend_uio },
		.memory = { .fd = -1, .pin = -1 },
		.bytes = MEMORY_DEFAULT,
		.reach = REACH_DEFAULT,
		.touched = true, /* who knows who was here before */
	};
	err = parse(card, conf, address, why);
	if (!err)
		err = uio_open(&card->dev, "", address, why);
	if (err) {
		free(card);
		return err;
	}
	log_warnx("%s: no IOMMU holds this device: the checks of vpio and its "
		  "model are the only protection of this machine's memory",
		  address);
	card->be.irq_fd = card->dev.events;
	note_card(card);
	uio_command(&card->dev, false, true);
	*out = &card->be;
	return 0;
}

/* Its keeper has it off the bus before the memory goes. */
static void card_close(struct backend *be)
{
	struct card *card = to_card(be);

	if (!be)
		return;
	uio_command(&card->dev, false, false);
	uio_close(&card->dev);
	hugemem_close(&card->memory);
	free(card);
}

const struct backend_ops backend_uio = {
	.name = "uio",
	.open = card_open,
	.close = card_close,
	.read = card_read,
	.write = card_write,
	.read_string = card_read_string,
	.write_string = card_write_string,
	.reset = card_reset,
	.irq_level = card_irq_level,
	.irq_done = card_irq_done,
	.unheard = not_known,
	.dma_map = card_dma_map,
	.dma_unmap = card_dma_unmap,
	.bus_master = card_bus_master,
	.dma_faults = not_known,
	.guest_memory = card_guest_memory,
};
