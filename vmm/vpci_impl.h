/* SPDX-License-Identifier: MIT */
/*
 * vpci_impl.h: what vpci.c and vpci_msg.c share.
 */

#ifndef VMM_VPCI_IMPL_H
#define VMM_VPCI_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "irq.h"
#include "vpci.h"

struct vpci_bar {
	struct vpci_dev *dev;
	unsigned int index;
	enum backend_space space;
	bool is64, prefetch;
	uint64_t size, addr, first_addr;
	bool mapped;
	uint64_t mapped_at;
};

struct vpci_dev {
	struct vpci *vpci;
	const struct vpci_ops *ops; /* NULL: the host bridge */
	void *ctx;
	unsigned int slot, pin; /* pin: 1 is INTA, 0 none */
	uint8_t config[256];
	uint16_t command_mask, first_command;
	_Atomic uint16_t command;   /* the register */
	_Atomic uint16_t effective; /* what of it counts in its power state */
	uint8_t line; /* the register: what the guest notes there */
	struct vpci_bar bar[BACKEND_BARS];
	struct pcicap cap;
	enum pcicap_mode mode; /* that was told of */
	atomic_uint_least64_t lost;

	/* Orders the pin, its disable bit and (cap), with the bus's over it. */
	pthread_mutex_t pin_lock;
	atomic_bool asserted;
	struct irq_pin irq_pin;
};

struct vpci {
	struct bus *bus;
	struct irq *irq;
	vpci_send_fn *send; /* NULL: no messages */
	void *send_ctx;
	pthread_mutex_t lock; /* of configuration space */
	uint32_t address;     /* what was written to the address port */
	uint64_t next_io, next_mmio;
	unsigned int count; /* of functions beside the host bridge */
	struct vpci_dev *dev[VPCI_SLOTS];
};

/* The pin as the interrupt controllers see it; under pin_lock. */
void vpci_drive_pin(struct vpci_dev *dev);
/* Pin and messages follow what was written to (cap); under pin_lock. */
void vpci_changed(struct vpci_dev *dev);
/* The same for the function's host: vectors [first, first + n). */
void vpci_tell(struct vpci_dev *dev, unsigned int first, unsigned int n);
/* An access that touches the MSI-X table or its pending bits. */
void vpci_table(struct vpci_dev *dev, unsigned int bar,
		struct bus_access *access);

#endif /* VMM_VPCI_IMPL_H */
