/* SPDX-License-Identifier: MIT */
/*
 * nic.h: what a NIC driver offers the network client.
 *
 * A driver is a table in a file of its own; nic.c lists them.  A driver looks
 * at its part only when nic_called() says so: always, if it polls; else when
 * the part has interrupted.
 */

#ifndef NIC_H
#define NIC_H

#include "guest.h"

#define FRAME_MIN 60 /* without the FCS, which the part adds */
#define FRAME_MAX 1514

struct nic;

/* A frame in one or two pieces.  A driver may lay sums into the first, which
 * has all headers. */
struct nic_frame {
	uint8_t *head;
	size_t head_len;
	const uint8_t *data;
	size_t data_len; /* 0: no second piece */
};

struct nic_driver {
	const char *name; /* for the option nic=NAME */

	/* Find the part and set it up; fills (nic)'s mac and irq. */
	bool (*probe)(struct nic *nic);

	/* Send one frame and wait until it left.  False: it did not. */
	bool (*send)(struct nic *nic, const void *frame, size_t len);

	/* Take one received frame; its length, or 0 if there is none.
	 * (to) has room for FRAME_MAX bytes. */
	size_t (*receive)(struct nic *nic, void *to);

	/* Let the part interrupt. */
	void (*irq_on)(struct nic *nic);

	/* Or NULL both: see nic_post() and nic_kick(). */
	bool (*post)(struct nic *nic, const struct nic_frame *frame);
	void (*kick)(struct nic *nic);
};

struct nic {
	const struct nic_driver *driver;
	uint8_t mac[6];
	uint8_t irq; /* PIC line, 0xff: none */
	bool irq_used;
	uint32_t irq_seen;  /* interrupts that nic_called() told of */
	uint32_t resets;    /* the driver had to start over */
	uint32_t overflows; /* the part ran out of room */
	uint32_t bad;	    /* frames the part or driver gave up */
	uint32_t posted;    /* frames that nic_post() took */
	uint32_t sent;	    /* of them, those the part is done with */
};

extern const struct nic_driver ne2k_driver;
extern const struct nic_driver e1000_driver;
extern const struct nic_driver rtl8139_driver;
extern const struct nic_driver pcnet_driver;

/* Find a NIC, as the option `nic` says; fails the guest if there is none.
 * With the option `irq`, use its interrupt where that works. */
void nic_open(struct nic *nic);

/* Has the part interrupted since the last call?  Always true if polled. */
bool nic_called(struct nic *nic);

/* Queue a frame without waiting, to go out at nic_kick().  It must stay as it
 * is until nic->sent reaches the nic->posted of after this call.  False: no
 * room now; try again.  A part without a ring sends it at once. */
bool nic_post(struct nic *nic, const struct nic_frame *frame);
void nic_kick(struct nic *nic);

/* Nothing to do: sleep until an interrupt, or return at once if polled. */
void nic_idle(const struct nic *nic);

#endif /* NIC_H */
