// SPDX-License-Identifier: MIT
/*
 * kvm_reset.c: a machine's and its processors' state as at power-on, kept
 * before the first instruction and put back when the guest reboots.
 *
 * The machine stays the same one for KVM: memory slots, interrupt routes and
 * file descriptors stay.
 */

#include "kvm_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "log.h"

#define MSRS_MAX 1024
#define MSR_TSC 0x10  /* time goes on */
#define FINISH_MAX 64 /* parts of one instruction: a page of rep ins, say */
#define CHIPS 3

struct hv_kept {
	struct kvm_irqchip chip[CHIPS];
	struct kvm_pit_state2 pit;
};

struct hv_cpu_kept {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_debugregs debug;
	struct kvm_mp_state mp;
	struct kvm_vcpu_events events;
	struct kvm_lapic_state lapic;
	struct kvm_xcrs xcrs;
	bool has_xcrs, has_xsave, has_debug;
	uint32_t n;
	struct kvm_msr_entry *msr;
	struct kvm_xsave xsave; /* last: it may be longer */
};

/* ---- the machine ---- */

static const unsigned int chips[CHIPS] = { KVM_IRQCHIP_PIC_MASTER,
					   KVM_IRQCHIP_PIC_SLAVE,
					   KVM_IRQCHIP_IOAPIC };

int hv_keep(struct hv *hv)
{
	struct hv_kept *kept = xcalloc(1, sizeof(*kept));
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < CHIPS; i++) {
		kept->chip[i].chip_id = chips[i];
		rc = hv_ioctl(hv->vm, KVM_GET_IRQCHIP, &kept->chip[i]);
	}
	if (rc >= 0)
		rc = hv_ioctl(hv->vm, KVM_GET_PIT2, &kept->pit);
	if (rc < 0) {
		free(kept);
		return rc;
	}
	free(hv->kept);
	hv->kept = kept;
	return 0;
}

int hv_reset(struct hv *hv, char **why)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < CHIPS; i++)
		rc = hv_ioctl(hv->vm, KVM_SET_IRQCHIP, &hv->kept->chip[i]);
	if (rc < 0)
		return hv_failed(rc, "KVM_SET_IRQCHIP", why);
	rc = hv_ioctl(hv->vm, KVM_SET_PIT2, &hv->kept->pit);
	return rc < 0 ? hv_failed(rc, "KVM_SET_PIT2", why) : 0;
}

void hv_kept_free(struct hv *hv)
{
	free(hv->kept);
}

/* ---- processors ---- */

/* The registers that this KVM lets us see; NULL with (*rc). */
static struct kvm_msr_list *msr_list(struct hv *hv, int *rc)
{
	struct kvm_msr_list *list;

	list = xcalloc(1, sizeof(*list) + MSRS_MAX * sizeof(list->indices[0]));
	list->nmsrs = MSRS_MAX;
	*rc = hv_ioctl(hv->dev, KVM_GET_MSR_INDEX_LIST, list);
	if (*rc >= 0)
		return list;
	free(list);
	return NULL;
}

/* One at a time: of a list KVM stops at the first that it does not like. */
static int one_msr(struct hv_cpu *cpu, unsigned long request,
		   struct kvm_msr_entry *entry)
{
	struct kvm_msrs *msrs;
	int rc;

	msrs = xcalloc(1, sizeof(*msrs) + sizeof(msrs->entries[0]));
	msrs->nmsrs = 1;
	msrs->entries[0] = *entry;
	rc = hv_ioctl(cpu->fd, request, msrs);
	*entry = msrs->entries[0];
	free(msrs);
	return rc;
}

static void keep_msrs(struct hv_cpu *cpu, struct hv_cpu_kept *kept,
		      const struct kvm_msr_list *list)
{
	for (uint32_t i = 0; i < list->nmsrs; i++) {
		struct kvm_msr_entry e = { .index = list->indices[i] };

		if (e.index != MSR_TSC && one_msr(cpu, KVM_GET_MSRS, &e) == 1)
			kept->msr[kept->n++] = e;
	}
}

int hv_cpu_keep(struct hv_cpu *cpu, struct hv *hv)
{
	struct hv_cpu_kept *kept;
	struct kvm_msr_list *list;
	int rc;

	list = msr_list(hv, &rc);
	if (!list)
		return rc;
	kept = xcalloc(1, sizeof(*kept));
	kept->msr = xcalloc(list->nmsrs, sizeof(kept->msr[0]));
	keep_msrs(cpu, kept, list);
	free(list);
	rc = hv_ioctl(cpu->fd, KVM_GET_REGS, &kept->regs);
	if (rc >= 0)
		rc = hv_ioctl(cpu->fd, KVM_GET_SREGS, &kept->sregs);
	if (rc >= 0)
		rc = hv_ioctl(cpu->fd, KVM_GET_MP_STATE, &kept->mp);
	if (rc >= 0)
		rc = hv_ioctl(cpu->fd, KVM_GET_VCPU_EVENTS, &kept->events);
	if (rc >= 0)
		rc = hv_ioctl(cpu->fd, KVM_GET_LAPIC, &kept->lapic);
	hv_cpu_kept_free(cpu);
	cpu->kept = kept;
	if (rc < 0)
		return rc;
	/* What not every processor and not every KVM has. */
	kept->has_xcrs = hv_ioctl(cpu->fd, KVM_GET_XCRS, &kept->xcrs) >= 0 &&
			 kept->xcrs.nr_xcrs;
	kept->has_xsave = hv_ioctl(cpu->fd, KVM_GET_XSAVE, &kept->xsave) >= 0;
	kept->has_debug = hv_ioctl(cpu->fd, KVM_GET_DEBUGREGS, &kept->debug) >=
			  0;
	return 0;
}

/*
 * If it changed: to write some of them is to ask for something.  One that we
 * may not write the guest has not written either.
 */
static void restore_msrs(struct hv_cpu *cpu)
{
	for (uint32_t i = 0; i < cpu->kept->n; i++) {
		struct kvm_msr_entry kept = cpu->kept->msr[i], e = kept;

		if (one_msr(cpu, KVM_GET_MSRS, &e) != 1 || e.data != kept.data)
			one_msr(cpu, KVM_SET_MSRS, &kept);
	}
}

/*
 * The MSRs come before the local APIC, which must be at its base by then, and
 * the special registers before both: they end whatever mode it was in.
 */
int hv_cpu_reset(struct hv_cpu *cpu, char **why)
{
	struct hv_cpu_kept *k = cpu->kept;
	const struct {
		unsigned long request;
		void *from; /* NULL: this KVM, or processor, has none */
		const char *name;
	} steps[] = {
		{ KVM_SET_SREGS, &k->sregs, "KVM_SET_SREGS" },
		{ KVM_SET_REGS, &k->regs, "KVM_SET_REGS" },
		{ KVM_SET_XCRS, k->has_xcrs ? &k->xcrs : NULL, "KVM_SET_XCRS" },
		{ KVM_SET_XSAVE, k->has_xsave ? &k->xsave : NULL,
		  "KVM_SET_XSAVE" },
		{ KVM_SET_DEBUGREGS, k->has_debug ? &k->debug : NULL,
		  "KVM_SET_DEBUGREGS" },
		{ KVM_SET_MSRS, NULL, "KVM_SET_MSRS" },
		{ KVM_SET_LAPIC, &k->lapic, "KVM_SET_LAPIC" },
		{ KVM_SET_VCPU_EVENTS, &k->events, "KVM_SET_VCPU_EVENTS" },
		{ KVM_SET_MP_STATE, &k->mp, "KVM_SET_MP_STATE" },
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int rc = 0;

		if (steps[i].request == KVM_SET_MSRS)
			restore_msrs(cpu);
		else if (steps[i].from)
			rc = hv_ioctl(cpu->fd, steps[i].request, steps[i].from);
		if (rc < 0)
			return hv_failed(rc, steps[i].name, why);
	}
	return 0;
}

/* 5, immediate_exit: pending I/O is completed, the guest is not entered. */
void hv_cpu_finish(struct hv_cpu *cpu)
{
	hv_cpu_kick(cpu);
	for (int i = 0; i < FINISH_MAX && !ioctl(cpu->fd, KVM_RUN, 0); i++)
		; /* one more part of it */
	hv_cpu_unkick(cpu);
}

void hv_cpu_kept_free(struct hv_cpu *cpu)
{
	if (cpu->kept)
		free(cpu->kept->msr);
	free(cpu->kept);
}
