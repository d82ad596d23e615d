/* SPDX-License-Identifier: MIT */
/*
 * vpci.h: the PCI bus a guest sees: a host bridge, and functions whose
 * configuration space is the real part's with what is the guest's own made up.
 *
 * Virtual are the BARs, the command register, the interrupt line and the
 * capabilities (pcicap.h), of which those that are safe are shown; the rest
 * reads as the part's and cannot be written.  Sections are of the PCI Local
 * Bus Specification 3.0.
 *
 * Threads: vpci_set_line(), vpci_message() and vpci_command() from any, also
 *          with the lock of the caller's device held; vpci_config() and the
 *          callbacks on a vCPU's; the others during set-up.
 */

#ifndef VMM_VPCI_H
#define VMM_VPCI_H

#include "../dmm/cc.h"
#include "backend.h"
#include "bus.h"
#include "pcicap.h"

#define VPCI_SLOTS 32
#define VPCI_FIRST_SLOT 2
#define VPCI_DEVICES (VPCI_SLOTS - VPCI_FIRST_SLOT)

/* Configuration mechanism 1 (3.2.2.3.2): address and data, 8 ports in all. */
#define VPCI_PORT 0xcf8
#define VPCI_PORTS 8

/* Where BARs in memory are: between RAM and what the kernel has. */
#define VPCI_MMIO_BASE UINT64_C(0xe0000000)
#define VPCI_MMIO_END UINT64_C(0xfec00000)

/* The command register's bits that a guest may set (6.2.2). */
#define VPCI_COMMAND_IO 0x0001
#define VPCI_COMMAND_MEMORY 0x0002
#define VPCI_COMMAND_MASTER 0x0004
#define VPCI_COMMAND_INTX_OFF 0x0400

/* The lines that interrupt pins go to, level-triggered; a bit each. */
#define VPCI_IRQ_MASK (1U << 5 | 1U << 9 | 1U << 10 | 1U << 11)

struct irq;
struct vpci;	 /* a guest's bus */
struct vpci_dev; /* a function on it */

/* What a function does; called on the vCPU that made the access. */
struct vpci_ops {
	/* An access to (bar); access->off is from the BAR's start. */
	void (*access)(void *ctx, unsigned int bar, struct bus_access *access);
	/*
	 * The command register is now (command).  May be NULL.  The bus's lock
	 * is held: set the line, ask for the command, but no more of vpci.
	 */
	void (*command)(void *ctx, uint16_t command);
	/*
	 * It tells of interrupts by (mode) from now on.  May be NULL.  As
	 * command(): the line is low, and messages may be sent.
	 */
	void (*mode)(void *ctx, enum pcicap_mode mode);
	/*
	 * BAR (bar) is seen at (addr) now, or not any more.  May be NULL.  As
	 * command(), and from vpci_add().
	 */
	void (*placed)(void *ctx, unsigned int bar, bool seen, uint64_t addr);
	/*
	 * Vector (vector) was let out, with this message; NULL: it is held
	 * back.  May be NULL.  As command().
	 */
	void (*vector)(void *ctx, unsigned int vector,
		       const struct pcicap_vector *message);
};

/* Send a message: a write of (data) to (addr), which is an interrupt's. */
typedef void vpci_send_fn(void *ctx, uint64_t addr, uint32_t data);

/* A function's way to the interrupt controllers, for the MP table. */
struct vpci_route {
	unsigned int slot, pin; /* pin 0 is INTA */
	unsigned int line;
};

/* Functions claim ports and addresses on (bus), lines on (irq). -ENOMEM. */
MUST_CHECK int vpci_open(struct vpci **out, struct bus *bus, struct irq *irq);
void vpci_close(struct vpci *vpci); /* with its functions; NULL is fine */

/* Messages go to (send); without it functions are not shown to have any. */
void vpci_messages(struct vpci *vpci, vpci_send_fn *send, void *ctx);

/*
 * Plug in a function at the next slot, its BARs placed as firmware would and
 * decoded.  Copies (info), borrows (ops).  -EINVAL if a BAR's size is not a
 * power of two or too large, -ENOSPC if there is no slot or no room.
 */
MUST_CHECK int vpci_add(struct vpci *vpci, const struct backend_info *info,
			const struct vpci_ops *ops, void *ctx,
			struct vpci_dev **out, char **why);

/* All functions as vpci_add() left them; no vCPU runs. */
void vpci_reset(struct vpci *vpci);

/* Assert or release the interrupt pin; one load when nothing changes. */
void vpci_set_line(struct vpci_dev *dev, bool level);

/*
 * Vector (vector) of the mode the function is in has something to tell: a
 * message, now or when the guest lets it out.  Lost if there is no such one.
 */
void vpci_message(struct vpci_dev *dev, unsigned int vector);

/* Messages that were no interrupts, and so were not sent. */
uint64_t vpci_lost(const struct vpci_dev *dev);

/* The command register: what the guest has enabled, and its state allows. */
uint16_t vpci_command(const struct vpci_dev *dev);

/* Where a BAR is now; false if the guest does not see it. */
bool vpci_where(struct vpci_dev *dev, unsigned int bar, uint64_t *addr);

unsigned int vpci_slot(const struct vpci_dev *dev);

/* The line of its pin, and its vectors in the mode that it is in. */
unsigned int vpci_line(const struct vpci_dev *dev);
unsigned int vpci_vectors(const struct vpci_dev *dev);

/* The (i)th function's route; false if it has no pin or is not there. */
bool vpci_route(const struct vpci *vpci, unsigned int i,
		struct vpci_route *out);

/* Serve the ports at VPCI_PORT; a bus_fn. */
void vpci_config(void *vpci, struct bus_access *access);

#endif /* VMM_VPCI_H */
