/* SPDX-License-Identifier: MIT */
/*
 * kvm_impl.h: what kvm.c (machines), kvm_cpu.c (processors), kvm_fast.c
 * (what does not leave the kernel), kvm_route.c and kvm_reset.c share: the files that know
 * KVM.
 */

#ifndef VMM_KVM_IMPL_H
#define VMM_KVM_IMPL_H

#include "kvm.h"

#include <linux/kvm.h>
#include <pthread.h>

struct hv_routes; /* kvm_route.c */

struct hv {
	struct hv_routes *routes; /* NULL: as KVM's */
	pthread_mutex_t routes_lock;
	int dev, vm;
	size_t run_size;
	bool deadline; /* the local APIC has a TSC deadline timer */
	struct kvm_cpuid2 *cpuid;
	struct hv_kept *kept; /* kvm_reset.c; NULL: nothing yet */
};

struct hv_cpu {
	int fd;
	struct kvm_run *run;
	size_t run_size;
	bool mce;	/* it has machine checks */
	bool sync_regs; /* KVM can leave registers in (run) */
	struct hv_cpu_kept *kept;
};

void hv_kept_free(struct hv *hv);
void hv_cpu_kept_free(struct hv_cpu *cpu);

/* An ioctl that is tried again when a signal came in between: -errno. */
int hv_ioctl(int fd, unsigned long request, void *arg);
/* (err), with a line of what could not be done in (*why). */
int hv_failed(int err, const char *what, char **why);

#endif /* VMM_KVM_IMPL_H */
