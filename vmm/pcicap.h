/* SPDX-License-Identifier: MIT */
/*
 * pcicap.h: the capabilities of a virtual PCI function: those of the real part
 * that are safe for a guest, each with registers of its own.
 *
 * What is shown, by PCI Local Bus Specification 3.0 and PCI Power Management
 * Interface Specification 1.2; nothing that a guest writes reaches the part:
 *
 *   power	the state is noted, and tells no event; the part stays awake
 *   VPD	reads give a copy; writes are held back, and look done
 *   MSI	one message
 *   MSI-X	the part's table and pending bits, ours alone
 *
 * All others are left out of the list, PCI Express among them: on this bus a
 * function is a conventional one.
 *
 * Threads: one at a time; the caller has a lock.
 */

#ifndef VMM_PCICAP_H
#define VMM_PCICAP_H

#include "backend.h"

#define PCICAP_VECTORS 2048u /* MSI-X has no more (6.8.2.3) */

/* How a function tells of interrupts. */
enum pcicap_mode { PCICAP_PIN, PCICAP_MSI, PCICAP_MSIX };

struct pcicap_vector {
	uint64_t addr;
	uint32_t data;
	bool masked, pending;
};

struct pcicap {
	/* Where each is in configuration space; 0: it is not there. */
	uint8_t pm, vpd, msi, msix;
	uint8_t power; /* 0 to 3: D0 to D3hot */

	uint16_t vpd_at; /* the register: an address, and bit 15: done */
	uint32_t vpd_data;
	uint8_t vpd_copy[BACKEND_VPD];
	unsigned int vpd_len;

	bool msi_on, msi_wide, msi_masks;
	struct pcicap_vector msi_vector;

	bool msix_on, msix_masked; /* as a whole */
	uint8_t table_bar, pba_bar;
	uint32_t table_at, pba_at;
	unsigned int vectors;
	struct pcicap_vector *vector;
};

/*
 * The list in (config), a copy of the part's, becomes the guest's.  A list
 * that goes round or out of bounds ends there; an MSI-X table outside of its
 * BAR is not shown, and with (messages) off no messages are.  -ENOMEM.
 */
MUST_CHECK int pcicap_open(struct pcicap *cap, const struct backend_info *info,
			   uint8_t config[256], bool messages);
void pcicap_close(struct pcicap *cap);
/* As after power-on: awake, and no messages. */
void pcicap_reset(struct pcicap *cap);

/* Is the part's MSI-X table, or its bits, in BAR (bar)? */
bool pcicap_needs(const struct backend_info *info, unsigned int bar);
/* ... or in [off, off + len) of it? */
bool pcicap_within(const struct backend_info *info, unsigned int bar,
		   uint64_t off, uint64_t len);

/* The dword at (reg), a multiple of 4, of which the part says (value). */
uint32_t pcicap_read(const struct pcicap *cap, unsigned int reg,
		     uint32_t value);
/* False if nothing there can be written. */
bool pcicap_write(struct pcicap *cap, unsigned int reg, uint32_t value);

/* Does [off, off + width) of (bar) touch the MSI-X table or its bits? */
bool pcicap_covers(const struct pcicap *cap, unsigned int bar, uint64_t off,
		   unsigned int width);
/*
 * An access there.  Writes are of 4 or 8 bytes, aligned, or lost; one that
 * reaches beyond the table is neither the table's nor the device's.
 */
uint64_t pcicap_table_read(const struct pcicap *cap, unsigned int bar,
			   uint64_t off, unsigned int width);
void pcicap_table_write(struct pcicap *cap, unsigned int bar, uint64_t off,
			unsigned int width, uint64_t value);

/* The vector whose entry is at (off) of the table's BAR, or none. */
unsigned int pcicap_vector_at(const struct pcicap *cap, uint64_t off);

enum pcicap_mode pcicap_mode(const struct pcicap *cap);

/* The vectors of its mode. */
unsigned int pcicap_count(const struct pcicap *cap);
/* The vector, if its messages are let out; else NULL. */
const struct pcicap_vector *pcicap_let_out(struct pcicap *cap,
					   unsigned int vector);

/*
 * Vector (vector) has something to tell: true if that is a message to be sent
 * now, to (*addr) with (*data).  One that is masked becomes pending.
 */
bool pcicap_signal(struct pcicap *cap, unsigned int vector, uint64_t *addr,
		   uint32_t *data);
/*
 * The next vector from (*from) on that was pending and is let out; it is not
 * pending any more.  False if there are no more.
 */
bool pcicap_release(struct pcicap *cap, unsigned int *from);

/*
 * A message is a write to memory.  True if (addr) is where processors take
 * interrupts, and so what it does is an interrupt and no more.
 */
bool pcicap_is_interrupt(uint64_t addr);

#endif /* VMM_PCICAP_H */
