/* SPDX-License-Identifier: MIT */
/*
 * vpci.c: the PCI bus a guest sees.
 *
 * The bus map is the only judge of where a BAR may be: RAM, the APICs and the
 * other devices are on it too.  A BAR that overlaps any of them keeps what
 * was written and is not mapped; each later change tries again.
 */

#include "vpci_impl.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* Where firmware's part of us puts BARs. */
#define IO_BASE UINT64_C(0xc000)
#define IO_END UINT64_C(0x10000)

/* Offsets in the header (6.1, figure 6-1). */
enum {
	REG_ID = 0x00,
	REG_COMMAND = 0x04,
	REG_CLASS = 0x08,
	REG_HEADER = 0x0c,
	REG_BAR0 = 0x10,
	REG_BAR5 = 0x24,
	REG_ROM = 0x30,
	REG_INTERRUPT = 0x3c,
};

/* Parity and SERR enable change nothing here, but drivers expect to see them */
#define COMMAND_COSMETIC 0x0140
#define STATUS_INTX 0x0008
#define STATUS_LIST 0x0010
#define STATUS_FIXED 0x06e0 /* speed and timing: what never changes */

/* The four lines, one after the other, by slot and pin as boards do. */
static unsigned int line_of(unsigned int slot, unsigned int pin)
{
	static const unsigned int lines[] = { 11, 10, 5, 9 };

	return lines[(slot - VPCI_FIRST_SLOT + pin - 1) % ARRAY_LEN(lines)];
}

static uint32_t config_dword(const struct vpci_dev *dev, unsigned int reg)
{
	uint32_t value;

	memcpy(&value, dev->config + reg, sizeof(value));
	return le32toh(value);
}

static enum bus_space bus_space_of(const struct vpci_bar *bar)
{
	return bar->space == BACKEND_IO ? BUS_IO : BUS_MMIO;
}

static void bar_access(void *ctx, struct bus_access *access)
{
	struct vpci_bar *bar = ctx;
	struct vpci_dev *dev = bar->dev;

	if (pcicap_covers(&dev->cap, bar->index, access->off, access->width))
		vpci_table(dev, bar->index, access);
	else
		dev->ops->access(dev->ctx, bar->index, access);
}

static bool bar_wanted(const struct vpci_bar *bar)
{
	uint16_t command = atomic_load(&bar->dev->effective);

	switch (bar->space) {
	case BACKEND_IO:
		return command & VPCI_COMMAND_IO;
	case BACKEND_MMIO:
		return command & VPCI_COMMAND_MEMORY;
	default:
		return false;
	}
}

static void bar_unmap(struct vpci_bar *bar)
{
	bus_unmap(bar->dev->vpci->bus, bus_space_of(bar), bar->mapped_at);
	bar->mapped = false;
	if (bar->dev->ops && bar->dev->ops->placed)
		bar->dev->ops->placed(bar->dev->ctx, bar->index, false,
				      bar->mapped_at);
}

/* In no place it may take it is not mapped, and nobody answers there. */
static void bar_map(struct vpci_bar *bar)
{
	bar->mapped = !bus_map(bar->dev->vpci->bus, bus_space_of(bar),
			       bar->addr, bar->size, bar_access, bar);
	bar->mapped_at = bar->addr;
	if (bar->mapped && bar->dev->ops && bar->dev->ops->placed)
		bar->dev->ops->placed(bar->dev->ctx, bar->index, true,
				      bar->addr);
}

/*
 * Make the bus map follow the registers.  All that goes goes first, so two
 * BARs may change places, and one that was in the way sets others free.
 */
static void remap(struct vpci *vpci)
{
	for (int pass = 0; pass < 2; pass++) {
		for (unsigned int i = 0; i < VPCI_SLOTS * BACKEND_BARS; i++) {
			struct vpci_dev *dev = vpci->dev[i / BACKEND_BARS];
			struct vpci_bar *bar;
			bool wanted;

			if (!dev)
				continue;
			bar = &dev->bar[i % BACKEND_BARS];
			wanted = bar_wanted(bar);
			if (pass == 0 && bar->mapped &&
			    (!wanted || bar->mapped_at != bar->addr))
				bar_unmap(bar);
			else if (pass == 1 && wanted && !bar->mapped)
				bar_map(bar);
		}
	}
}

void vpci_set_line(struct vpci_dev *dev, bool level)
{
	if (atomic_load(&dev->asserted) == level)
		return;
	pthread_mutex_lock(&dev->pin_lock);
	atomic_store(&dev->asserted, level);
	vpci_drive_pin(dev);
	pthread_mutex_unlock(&dev->pin_lock);
}

uint16_t vpci_command(const struct vpci_dev *dev)
{
	return atomic_load(&dev->effective);
}

/* Base address registers (6.2.5.1). */
static uint32_t bar_read(const struct vpci_dev *dev, unsigned int i)
{
	const struct vpci_bar *bar = &dev->bar[i];

	if (i > 0 && dev->bar[i - 1].is64)
		return (uint32_t)(dev->bar[i - 1].addr >> 32);
	switch (bar->space) {
	case BACKEND_IO:
		return (uint32_t)bar->addr | 1;
	case BACKEND_MMIO:
		return (uint32_t)bar->addr | (bar->is64 ? 4 : 0) |
		       (bar->prefetch ? 8 : 0);
	default:
		return 0;
	}
}

static void bar_write(struct vpci_dev *dev, unsigned int i, uint32_t value)
{
	struct vpci_bar *bar = &dev->bar[i];
	uint64_t addr;

	if (i > 0 && dev->bar[i - 1].is64) {
		bar = &dev->bar[i - 1];
		addr = (bar->addr & UINT32_MAX) | (uint64_t)value << 32;
	} else {
		addr = (bar->addr & ~(uint64_t)UINT32_MAX) | value;
	}
	if (bar->space == BACKEND_NONE)
		return;
	/* Sizing works by these bits' staying zero. */
	bar->addr = addr & ~(bar->size - 1);
	remap(dev->vpci);
}

/* What of the command register counts: asleep, a function does nothing. */
static void command_counts(struct vpci_dev *dev)
{
	uint16_t old = atomic_load(&dev->effective);
	uint16_t now = atomic_load(&dev->command);

	if (dev->cap.power)
		now &= (uint16_t) ~(VPCI_COMMAND_IO | VPCI_COMMAND_MEMORY |
				    VPCI_COMMAND_MASTER);
	if (now == old)
		return;
	atomic_store(&dev->effective, now);
	if ((now ^ old) & (VPCI_COMMAND_IO | VPCI_COMMAND_MEMORY))
		remap(dev->vpci);
	if (dev->ops && dev->ops->command)
		dev->ops->command(dev->ctx, now);
}

static void command_write(struct vpci_dev *dev, uint16_t value)
{
	uint16_t old = atomic_load(&dev->command);

	value &= dev->command_mask;
	if (value == old)
		return;
	pthread_mutex_lock(&dev->pin_lock);
	atomic_store(&dev->command, value);
	vpci_drive_pin(dev);
	pthread_mutex_unlock(&dev->pin_lock);
	command_counts(dev);
}

/* A capability's registers; what they changed is told with no pin_lock. */
static void cap_write(struct vpci_dev *dev, unsigned int reg, uint32_t value)
{
	bool wrote;

	pthread_mutex_lock(&dev->pin_lock);
	wrote = pcicap_write(&dev->cap, reg, value);
	if (wrote)
		vpci_changed(dev);
	pthread_mutex_unlock(&dev->pin_lock);
	if (!wrote)
		return;
	command_counts(dev);
	vpci_tell(dev, 0, PCICAP_VECTORS);
}

static uint32_t dev_read(struct vpci_dev *dev, unsigned int reg)
{
	uint32_t value = config_dword(dev, reg);

	switch (reg) {
	case REG_COMMAND:
		value = (value & (uint32_t)(STATUS_FIXED | STATUS_LIST) << 16) |
			atomic_load(&dev->command);
		if (atomic_load(&dev->asserted))
			value |= (uint32_t)STATUS_INTX << 16;
		return value;
	case REG_HEADER: /* one function, an ordinary header, no self-test */
		return value & 0x0000ffff;
	case REG_BAR0 ... REG_BAR5:
		return bar_read(dev, (reg - REG_BAR0) / 4);
	case REG_ROM:
		return 0;
	case REG_INTERRUPT:
		return (value & 0xffff0000) | dev->pin << 8 | dev->line;
	default:
		pthread_mutex_lock(&dev->pin_lock);
		value = pcicap_read(&dev->cap, reg, value);
		pthread_mutex_unlock(&dev->pin_lock);
		return value;
	}
}

/* (value) is the whole register, with the bytes that were not written. */
static void dev_write(struct vpci_dev *dev, unsigned int reg, uint32_t value)
{
	switch (reg) {
	case REG_COMMAND:
		command_write(dev, (uint16_t)value);
		break;
	case REG_BAR0 ... REG_BAR5:
		bar_write(dev, (reg - REG_BAR0) / 4, value);
		break;
	case REG_INTERRUPT:
		dev->line = (uint8_t)value;
		break;
	default:
		cap_write(dev, reg, value);
	}
}

/* The function that the address port selects, or NULL (3.2.2.3.2). */
static struct vpci_dev *selected(const struct vpci *vpci)
{
	uint32_t bus_and_function = vpci->address & 0x00ff0700;

	if (!(vpci->address >> 31) || bus_and_function)
		return NULL;
	return vpci->dev[vpci->address >> 11 & (VPCI_SLOTS - 1)];
}

/* Bytes [at, at + width) of the selected register. */
static uint32_t data_read(struct vpci *vpci, unsigned int at)
{
	struct vpci_dev *dev = selected(vpci);

	if (!dev)
		return UINT32_MAX;
	return dev_read(dev, vpci->address & 0xfc) >> (8 * at);
}

static void data_write(struct vpci *vpci, unsigned int at, unsigned int width,
		       uint32_t value)
{
	struct vpci_dev *dev = selected(vpci);
	unsigned int reg = vpci->address & 0xfc;
	uint32_t mask = (uint32_t)cc_ones(8 * width) << (8 * at);

	if (dev)
		dev_write(dev, reg,
			  (dev_read(dev, reg) & ~mask) |
				  (value << (8 * at) & mask));
}

/* One element.  Only a whole dword reaches the address port. */
static void config_element(struct vpci *vpci, uint64_t off, unsigned int width,
			   bool write, uint8_t *data)
{
	uint32_t value = 0;

	if (write) {
		memcpy(&value, data, width);
		value = le32toh(value);
		if (off == 0 && width == 4)
			vpci->address = value;
		else if (off >= 4)
			data_write(vpci, off - 4, width, value);
		return;
	}
	value = UINT32_MAX;
	if (off == 0 && width == 4)
		value = vpci->address;
	else if (off >= 4)
		value = data_read(vpci, off - 4);
	value = htole32(value);
	memcpy(data, &value, width);
}

void vpci_config(void *ctx, struct bus_access *a)
{
	struct vpci *vpci = ctx;

	assert(a->width <= 4 && a->off + a->width <= VPCI_PORTS);
	/* One that straddles address and data is neither. */
	if (a->off < 4 && a->off + a->width > 4) {
		if (!a->write)
			memset(a->data, 0xff, (size_t)a->width * a->count);
		return;
	}
	pthread_mutex_lock(&vpci->lock);
	for (uint32_t i = 0; i < a->count; i++)
		config_element(vpci, a->off, a->width, a->write,
			       a->data + (size_t)i * a->width);
	pthread_mutex_unlock(&vpci->lock);
}

static struct vpci_dev *dev_new(struct vpci *vpci, unsigned int slot)
{
	struct vpci_dev *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return NULL;
	dev->vpci = vpci;
	dev->slot = slot;
	pthread_mutex_init(&dev->pin_lock, NULL);
	for (unsigned int i = 0; i < BACKEND_BARS; i++) {
		dev->bar[i].dev = dev;
		dev->bar[i].index = i;
	}
	return dev;
}

static void dev_free(struct vpci_dev *dev)
{
	if (!dev)
		return;
	pthread_mutex_destroy(&dev->pin_lock);
	pcicap_close(&dev->cap);
	free(dev);
}

/* A host bridge that only says it is one (class 0600). */
static struct vpci_dev *host_bridge(struct vpci *vpci)
{
	static const uint8_t head[16] = {
		[REG_ID] = 0x36,	0x1b, 0x08, 0x00, /* a virtual one's */
		[REG_CLASS + 2] = 0x00, 0x06,
	};
	struct vpci_dev *dev = dev_new(vpci, 0);

	if (!dev)
		return NULL;
	memcpy(dev->config, head, sizeof(head));
	dev->command_mask = VPCI_COMMAND_IO | VPCI_COMMAND_MEMORY |
			    VPCI_COMMAND_MASTER | COMMAND_COSMETIC;
	dev->first_command = VPCI_COMMAND_IO | VPCI_COMMAND_MEMORY |
			     VPCI_COMMAND_MASTER;
	atomic_init(&dev->command, dev->first_command);
	atomic_init(&dev->effective, dev->first_command);
	return dev;
}

int vpci_open(struct vpci **out, struct bus *bus, struct irq *irq)
{
	struct vpci *vpci = calloc(1, sizeof(*vpci));

	if (!vpci)
		return -ENOMEM;
	vpci->bus = bus;
	vpci->irq = irq;
	vpci->next_io = IO_BASE;
	vpci->next_mmio = VPCI_MMIO_BASE;
	vpci->dev[0] = host_bridge(vpci);
	if (!vpci->dev[0]) {
		free(vpci);
		return -ENOMEM;
	}
	pthread_mutex_init(&vpci->lock, NULL);
	*out = vpci;
	return 0;
}

void vpci_messages(struct vpci *vpci, vpci_send_fn *send, void *ctx)
{
	vpci->send = send;
	vpci->send_ctx = ctx;
}

void vpci_close(struct vpci *vpci)
{
	if (!vpci)
		return;
	for (unsigned int i = 0; i < VPCI_SLOTS; i++)
		dev_free(vpci->dev[i]);
	pthread_mutex_destroy(&vpci->lock);
	free(vpci);
}

/* Smallest sizes: 6.2.5.1; the largest is what there is room for. */
static int bar_check(const struct backend_info *info, unsigned int i,
		     char **why)
{
	const struct backend_bar *bar = &info->bar[i];
	uint64_t least = bar->space == BACKEND_IO ? 4 : 16;

	if (bar->size < least || bar->size & (bar->size - 1)) {
		*why = xasprintf("BAR %u has %" PRIu64 " bytes, which is not "
				 "a power of two from %" PRIu64 " on",
				 i, bar->size, least);
		return -EINVAL;
	}
	if (bar->is64 && (bar->space != BACKEND_MMIO || i + 1 >= BACKEND_BARS ||
			  info->bar[i + 1].space != BACKEND_NONE)) {
		*why = xasprintf("BAR %u has 64 bits and no next BAR for the "
				 "upper half",
				 i);
		return -EINVAL;
	}
	return 0;
}

static int bar_place(struct vpci *vpci, struct vpci_bar *bar, char **why)
{
	bool io = bar->space == BACKEND_IO;
	uint64_t *next = io ? &vpci->next_io : &vpci->next_mmio;
	uint64_t limit = io ? IO_END : VPCI_MMIO_END;
	uint64_t base = (*next + bar->size - 1) & ~(bar->size - 1);

	if (bar->size > limit ||
	    !cc_within(base, bar->size, *next, limit - *next)) {
		*why = xasprintf("BAR %u has %" PRIu64 " bytes, for which "
				 "there is no room left below %#" PRIx64,
				 bar->index, bar->size, limit);
		return -ENOSPC;
	}
	bar->addr = bar->first_addr = base;
	*next = base + bar->size;
	return 0;
}

static int dev_bars(struct vpci_dev *dev, const struct backend_info *info,
		    char **why)
{
	uint16_t decode = 0;

	for (unsigned int i = 0; i < BACKEND_BARS; i++) {
		struct vpci_bar *bar = &dev->bar[i];
		int rc;

		if (info->bar[i].space == BACKEND_NONE)
			continue;
		rc = bar_check(info, i, why);
		if (rc)
			return rc;
		bar->space = info->bar[i].space;
		bar->size = info->bar[i].size;
		bar->is64 = info->bar[i].is64;
		bar->prefetch = info->bar[i].prefetch;
		rc = bar_place(dev->vpci, bar, why);
		if (rc)
			return rc;
		decode |= bar->space == BACKEND_IO ? VPCI_COMMAND_IO :
						     VPCI_COMMAND_MEMORY;
	}
	dev->first_command = decode;
	atomic_init(&dev->command, decode);
	atomic_init(&dev->effective, decode);
	dev->command_mask = decode | VPCI_COMMAND_MASTER | COMMAND_COSMETIC;
	return 0;
}

int vpci_add(struct vpci *vpci, const struct backend_info *info,
	     const struct vpci_ops *ops, void *ctx, struct vpci_dev **out,
	     char **why)
{
	unsigned int slot = VPCI_FIRST_SLOT + vpci->count;
	struct vpci_dev *dev;
	int rc;

	if (vpci->count == VPCI_DEVICES) {
		*why = xasprintf("a guest has room for %d PCI devices",
				 VPCI_DEVICES);
		return -ENOSPC;
	}
	dev = dev_new(vpci, slot);
	if (!dev) {
		*why = xasprintf("out of memory");
		return -ENOMEM;
	}
	dev->ops = ops;
	dev->ctx = ctx;
	memcpy(dev->config, info->config, sizeof(dev->config));
	rc = dev_bars(dev, info, why);
	if (!rc) {
		rc = pcicap_open(&dev->cap, info, dev->config, vpci->send);
		if (rc)
			*why = xasprintf("out of memory");
	}
	if (rc) {
		dev_free(dev);
		return rc;
	}
	if (info->intx) {
		uint8_t pin = info->config[REG_INTERRUPT + 1];

		dev->pin = pin >= 1 && pin <= 4 ? pin : 1;
		dev->line = (uint8_t)line_of(slot, dev->pin);
		dev->command_mask |= VPCI_COMMAND_INTX_OFF;
		irq_pin_init(&dev->irq_pin, vpci->irq, dev->line);
	}
	vpci->dev[slot] = dev;
	vpci->count++;
	remap(vpci);
	*out = dev;
	return 0;
}

/* As firmware would leave it: BARs placed and decoded. */
static void dev_reset(struct vpci_dev *dev)
{
	for (unsigned int i = 0; i < BACKEND_BARS; i++)
		dev->bar[i].addr = dev->bar[i].first_addr;
	pthread_mutex_lock(&dev->pin_lock);
	pcicap_reset(&dev->cap);
	vpci_changed(dev);
	pthread_mutex_unlock(&dev->pin_lock);
	command_write(dev, dev->first_command);
	command_counts(dev);
	vpci_tell(dev, 0, PCICAP_VECTORS);
	if (dev->pin)
		dev->line = (uint8_t)line_of(dev->slot, dev->pin);
}

void vpci_reset(struct vpci *vpci)
{
	pthread_mutex_lock(&vpci->lock);
	vpci->address = 0;
	for (unsigned int i = 0; i < VPCI_SLOTS; i++)
		if (vpci->dev[i])
			dev_reset(vpci->dev[i]);
	remap(vpci);
	pthread_mutex_unlock(&vpci->lock);
}

bool vpci_where(struct vpci_dev *dev, unsigned int bar, uint64_t *addr)
{
	bool mapped;

	assert(bar < BACKEND_BARS);
	pthread_mutex_lock(&dev->vpci->lock);
	mapped = dev->bar[bar].mapped;
	*addr = dev->bar[bar].mapped_at;
	pthread_mutex_unlock(&dev->vpci->lock);
	return mapped;
}

unsigned int vpci_slot(const struct vpci_dev *dev)
{
	return dev->slot;
}

unsigned int vpci_line(const struct vpci_dev *dev)
{
	return line_of(dev->slot, dev->pin);
}

unsigned int vpci_vectors(const struct vpci_dev *dev)
{
	return pcicap_count(&dev->cap);
}

bool vpci_route(const struct vpci *vpci, unsigned int i, struct vpci_route *out)
{
	const struct vpci_dev *dev;

	if (i >= vpci->count)
		return false;
	dev = vpci->dev[VPCI_FIRST_SLOT + i];
	if (!dev->pin)
		return false;
	*out = (struct vpci_route){
		.slot = dev->slot,
		.pin = dev->pin - 1,
		.line = line_of(dev->slot, dev->pin),
	};
	return true;
}
