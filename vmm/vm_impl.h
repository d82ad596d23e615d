/* SPDX-License-Identifier: MIT */
/*
 * vm_impl.h: what vm.c (a guest's life) and vm_open.c (its parts, set up and
 * reset) share.
 */

#ifndef VMM_VM_IMPL_H
#define VMM_VM_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "boot.h"
#include "vm.h"

struct vm_span {
	uint64_t low, high;
};

struct vm {
	struct vm_conf conf; /* the strings are ours */
	struct hv *hv;
	unsigned int slots; /* beside the memory's */
	struct mem *mem;
	struct bus *bus;
	struct irq *irq;
	struct vpci *vpci;
	struct serial *serial;
	struct platform *platform;
	struct pm *pm;
	struct rtc *rtc;
	struct vcpu *vcpu[HV_CPUS_MAX];
	struct boot_entry entry;
	struct symbols *symbols; /* of the image; NULL: none */
	int fd;

	pthread_t minder;
	bool has_minder;
	atomic_uint leave; /* of VM_LEAVE_: why vCPUs are not to run */

	pthread_mutex_t lock; /* of what is below */
	pthread_cond_t cond;
	unsigned int left;   /* vCPUs whose thread is through */
	unsigned int rested; /* vCPUs that wait for a reset */
	char reset_why[256];
	bool ended, settled; /* the result stands; all have been told */
	uint64_t opened_ns, started_ns;
	struct vm_result result;

	/* The minder's own. */
	bool asked; /* for samples */
	unsigned int
		looks; /* in a row, at a guest that did not show that it lives */
	struct vm_span rip[HV_CPUS_MAX]; /* where each was in these */
	uint64_t seen_exits, quiet_since_ns;
};

enum {
	VM_LEAVE_STOP = 1,  /* it ends */
	VM_LEAVE_RESET = 2, /* it starts anew, once all have left */
};

/* ---- vm.c, for vCPUs ---- */

void vm_first(struct vm *vm);
void vm_left(struct vm *vm);
/* Wait for a reset; false if the guest ends instead. */
bool vm_rest(struct vm *vm);

/* ---- vm_open.c ---- */

/* What the guest finds its machine by; when all devices are plugged in. */
MUST_CHECK int vm_tables(struct vm *vm, char **why);

/* All as at power-on, the image read again.  No vCPU runs. */
MUST_CHECK int vm_power_on(struct vm *vm, char **why);

#endif /* VMM_VM_IMPL_H */
