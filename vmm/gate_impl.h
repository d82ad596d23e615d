/* SPDX-License-Identifier: MIT */
/*
 * gate_impl.h: a gate, as its files share it.
 *
 *  gate.c       accesses of guests, the device's thread, opening and closing
 *  gate_host.c  what the monitor asks of its host
 */

#ifndef VMM_GATE_IMPL_H
#define VMM_GATE_IMPL_H

#include <pthread.h>

#include "alone.h"
#include "backend.h"
#include "dma.h"
#include "gate.h"
#include "pcap.h"
#include "record.h"

/* Reports of one access that are printed. */
#define NOTES 4u

/* What an access at hand was reported for, to be told without the lock. */
struct notes {
	unsigned int n;
	struct dmm_report report[NOTES];
};

struct seat { /* of a guest at this device */
	struct gate *gate;
	unsigned int guest; /* of the machine */
	unsigned int index; /* of the monitor */
	const char *name;
	const char *pcap_path;
	uint64_t window; /* of its memory, for DMA; 0: all */
	struct vm *vm;
	struct vpci_dev *pci;
	struct pcap *pcap;
	pthread_cond_t wake;
	unsigned int reports;
	bool gone;
};

struct gate {
	const char *name;
	const struct dmm_model *model;
	char *model_file; /* its name, for reports */
	struct backend *be;
	struct dmm *dmm;
	struct record *record; /* NULL: none */
	struct dma dma;
	bool whole; /* one guest's, behind an IOMMU */
	struct alone alone;
	pthread_mutex_t lock;
	struct notes *notes; /* under lock; NULL: no access is at hand */
	pthread_t thread;
	bool running;		 /* the thread was started */
	bool stop;		 /* under lock */
	int wake_fd;		 /* to the thread: look again */
	uint64_t sleeps_until;	 /* under lock; UINT64_MAX while it does not */
	unsigned int bar[8];	 /* of a space of the model */
	int space[BACKEND_BARS]; /* of a BAR; -1: none */
	unsigned int seats;
	struct seat seat[DMM_MAX_GUESTS];
};

/* The monitor's host, whose context is (gate). */
struct dmm_host gate_host(struct gate *gate);
/* The device's thread looks again at what is due. */
void gate_kick(struct gate *gate);
/* A report in a line, with the calls that led there. */
void gate_say(const struct gate *gate, const struct seat *seat,
	      const struct dmm_report *r);

#endif /* VMM_GATE_IMPL_H */
