/* SPDX-License-Identifier: MIT */
/*
 * vcpu.h: one processor of a guest, and the thread that runs it.
 *
 * Threads: vcpu_kick(), vcpu_sample(), vcpu_sampled(), vcpu_machine_check() and
 *          vcpu_exits() from any; vcpu_registers() from the processor's own;
 *          the others from the one that sets up and tears down.
 */

#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include "../dmm/cc.h"
#include "kvm.h"

struct bus;
struct mem;
struct vcpu;
struct vm;

struct vcpu_conf {
	struct vm *vm; /* told of the end by vm_end(), asked by vm_stopping() */
	struct hv *hv;
	struct bus *bus;
	const struct mem *mem;
	unsigned int index, count;
	void (*first)(struct vm *vm); /* vCPU 0 runs its first instruction */
	void (*left)(struct vm *vm);  /* the last thing the thread does */
	bool (*rest)(struct vm *vm);  /* it stopped; true: it is to go on */
};

MUST_CHECK int vcpu_open(struct vcpu **out, const struct vcpu_conf *conf,
			 char **why);
void vcpu_close(struct vcpu *vcpu); /* waits for the thread; NULL is fine */

/* As it is now, before vcpu_enter(), and back to that while it rests. */
MUST_CHECK int vcpu_keep(struct vcpu *vcpu);
MUST_CHECK int vcpu_reset(struct vcpu *vcpu, char **why);

MUST_CHECK int vcpu_enter(struct vcpu *vcpu, const struct hv_entry *entry);
/* Before it starts: its accesses have their rip (hv_cpu_tell_rip()). */
void vcpu_tell_rip(struct vcpu *vcpu);
MUST_CHECK int vcpu_start(struct vcpu *vcpu);

/* Bring it out of the guest, or out of a system call, to look around. */
void vcpu_kick(struct vcpu *vcpu);

/*
 * Ask the thread to note the processor's state, and later fetch it; false if
 * it has not got to it: it is busy in a handler.
 */
void vcpu_sample(struct vcpu *vcpu);
bool vcpu_sampled(struct vcpu *vcpu, struct hv_state *out);

uint64_t vcpu_exits(const struct vcpu *vcpu, enum hv_cause cause);
/* In a handler of its access. */
MUST_CHECK int vcpu_registers(struct vcpu *vcpu, struct hv_registers *out);

/*
 * Give it a machine check, a bus error at (addr) unless NULL, once the access
 * that it may be in is done.  One that cannot take it ends the guest.
 */
void vcpu_machine_check(struct vcpu *vcpu, const uint64_t *addr);

#endif /* VMM_VCPU_H */
