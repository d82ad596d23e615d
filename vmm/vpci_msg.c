// SPDX-License-Identifier: MIT
/*
 * vpci_msg.c: interrupts of a virtual PCI function: its pin, and messages.
 *
 * Configuration space and the MSI-X table change under the bus's lock and
 * that of the pin; who signals takes the latter alone.
 */

#include <endian.h>
#include <string.h>

#include "vpci_impl.h"

/* A message is a write of the function's: anywhere else it were DMA. */
static void send(struct vpci_dev *dev, uint64_t addr, uint32_t data)
{
	if (pcicap_is_interrupt(addr) &&
	    atomic_load(&dev->effective) & VPCI_COMMAND_MASTER)
		dev->vpci->send(dev->vpci->send_ctx, addr, data);
	else
		atomic_fetch_add(&dev->lost, 1);
}

void vpci_drive_pin(struct vpci_dev *dev)
{
	uint16_t command = atomic_load(&dev->command);

	if (dev->pin)
		irq_pin_set(&dev->irq_pin,
			    atomic_load(&dev->asserted) &&
				    !(command & VPCI_COMMAND_INTX_OFF) &&
				    pcicap_mode(&dev->cap) == PCICAP_PIN);
}

void vpci_changed(struct vpci_dev *dev)
{
	unsigned int vector = 0;
	uint64_t addr;
	uint32_t data;

	vpci_drive_pin(dev);
	while (pcicap_release(&dev->cap, &vector))
		if (pcicap_signal(&dev->cap, vector, &addr, &data))
			send(dev, addr, data);
}

void vpci_tell(struct vpci_dev *dev, unsigned int first, unsigned int n)
{
	enum pcicap_mode mode = pcicap_mode(&dev->cap);

	if (!dev->ops)
		return;
	if (mode != dev->mode && dev->ops->mode)
		dev->ops->mode(dev->ctx, mode);
	dev->mode = mode;
	for (unsigned int i = first;
	     dev->ops->vector && i < first + n && i < pcicap_count(&dev->cap);
	     i++)
		dev->ops->vector(dev->ctx, i, pcicap_let_out(&dev->cap, i));
}

/* One element of an access to the MSI-X table; the bus's lock is held. */
static void table_element(struct vpci_dev *dev, unsigned int bar,
			  const struct bus_access *a, uint8_t *data)
{
	uint64_t value = 0;

	pthread_mutex_lock(&dev->pin_lock);
	if (a->write) {
		memcpy(&value, data, a->width);
		pcicap_table_write(&dev->cap, bar, a->off, a->width,
				   le64toh(value));
		vpci_changed(dev);
	} else {
		value = htole64(
			pcicap_table_read(&dev->cap, bar, a->off, a->width));
		memcpy(data, &value, a->width);
	}
	pthread_mutex_unlock(&dev->pin_lock);
	if (a->write)
		vpci_tell(dev, pcicap_vector_at(&dev->cap, a->off), 1);
}

void vpci_table(struct vpci_dev *dev, unsigned int bar, struct bus_access *a)
{
	pthread_mutex_lock(&dev->vpci->lock);
	for (uint32_t i = 0; i < a->count; i++)
		table_element(dev, bar, a, a->data + (size_t)i * a->width);
	pthread_mutex_unlock(&dev->vpci->lock);
}

uint64_t vpci_lost(const struct vpci_dev *dev)
{
	return atomic_load(&dev->lost);
}

void vpci_message(struct vpci_dev *dev, unsigned int vector)
{
	uint64_t addr;
	uint32_t data;

	pthread_mutex_lock(&dev->pin_lock);
	if (pcicap_signal(&dev->cap, vector, &addr, &data))
		send(dev, addr, data);
	pthread_mutex_unlock(&dev->pin_lock);
}
