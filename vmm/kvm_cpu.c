// SPDX-License-Identifier: MIT
/*
 * kvm_cpu.c: KVM's processors: their set-up, their exits, what is in them.
 */

#include "kvm_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

#define CR0_PE (UINT64_C(1) << 0)
#define CR0_ET (UINT64_C(1) << 4) /* it is always one */
#define CR0_PG (UINT64_C(1) << 31)
#define CR4_PAE (UINT64_C(1) << 5)
#define EFER_LME (UINT64_C(1) << 8)
#define EFER_LMA (UINT64_C(1) << 10)
#define CR4_MCE (UINT64_C(1) << 6)

/* Machine checks: Intel SDM volume 3B, 16.3 and 16.9. */
#define MSR_MCG_STATUS 0x17a
#define MCG_STATUS_RIPV (UINT64_C(1) << 0) /* it may go on where it is */
#define MCG_STATUS_MCIP (UINT64_C(1) << 2) /* it is in a machine check */
#define MCG_CAP_CTL_P (UINT64_C(1) << 8)
#define MCE_BANKS 10
#define MCE_BANK 4
#define MCE_VALID (UINT64_C(1) << 63)
#define MCE_UNCORRECTED (UINT64_C(1) << 61)
#define MCE_ENABLED (UINT64_C(1) << 60)
#define MCE_HAS_ADDR (UINT64_C(1) << 58)
/* bus or interconnect (16.9.2): anybody's, no time-out, I/O, any level */
#define MCE_BUS 0x0e0b

/* How many bits of an APIC id tell (count) processors apart. */
static unsigned int apic_id_bits(unsigned int count)
{
	unsigned int bits = 0;

	while ((1U << bits) < count)
		bits++;
	return bits;
}

/*
 * What differs from what KVM supports: the number of processors, this one's
 * APIC id (one package, cores without threads), and that there is a
 * hypervisor: without that bit Linux looks for no kvm-clock.
 * Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E.
 */
static void cpuid_fix(struct kvm_cpuid_entry2 *e, unsigned int index,
		      unsigned int count, bool deadline)
{
	unsigned int bits = apic_id_bits(count);

	switch (e->function) {
	case 0x1:
		e->ebx = (e->ebx & 0xffff) | count << 16 | index << 24;
		e->ecx |= 1U << 31;
		if (deadline)
			e->ecx |= 1U << 24;
		e->edx = (e->edx & ~(1U << 28)) | (count > 1U ? 1U << 28 : 0U);
		break;
	case 0x4: /* caches: cores in the package, sharers of the cache */
		e->eax &= 0x3fff;
		e->eax |= ((1U << bits) - 1) << 26;
		break;
	case 0x80000008:
		e->ecx = bits << 12 | (count - 1);
		break;
	case 0x8000001e:
		e->eax = index;
		e->ebx = index;
		e->ecx = 0;
		break;
	}
}

/* Level (level) of leaf 0xb: 0 is threads of a core, 1 cores of the package. */
static struct kvm_cpuid_entry2 cpuid_level(unsigned int level,
					   unsigned int index,
					   unsigned int count)
{
	return (struct kvm_cpuid_entry2){
		.function = 0xb,
		.index = level,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = level ? apic_id_bits(count) : 0,
		.ebx = level ? count : 1,
		.ecx = level | (level + 1) << 8,
		.edx = index,
	};
}

static int cpu_set_cpuid(struct hv_cpu *cpu, struct hv *hv, unsigned int index,
			 unsigned int count)
{
	const struct kvm_cpuid2 *from = hv->cpuid;
	struct kvm_cpuid2 *list;
	bool levels = false;
	uint32_t n = 0;
	int rc;

	list = xcalloc(1, sizeof(*list) +
				  (from->nent + 2) * sizeof(list->entries[0]));
	for (uint32_t i = 0; i < from->nent; i++) {
		struct kvm_cpuid_entry2 e = from->entries[i];

		/* KVM's say nothing of levels, or what the host's are. */
		levels |= e.function == 0xb;
		if (e.function == 0xb || e.function == 0x1f)
			continue;
		cpuid_fix(&e, index, count, hv->deadline);
		list->entries[n++] = e;
	}
	for (unsigned int level = 0; levels && level < 2; level++)
		list->entries[n++] = cpuid_level(level, index, count);
	list->nent = n;
	rc = hv_ioctl(cpu->fd, KVM_SET_CPUID2, list);
	free(list);
	return rc;
}

/*
 * As firmware leaves it: on the boot processor LINT0 passes the PIC's
 * interrupts on and LINT1 is the NMI.  Intel SDM volume 3A, 11.5.1.
 */
static int cpu_set_lapic(struct hv_cpu *cpu, unsigned int index)
{
	struct kvm_lapic_state state;
	uint32_t lint0 = index ? 1U << 16 : 7U << 8; /* masked; ExtINT */
	uint32_t lint1 = 4U << 8;		     /* NMI */
	int rc = hv_ioctl(cpu->fd, KVM_GET_LAPIC, &state);

	if (rc < 0)
		return rc;
	memcpy(&state.regs[0x350], &lint0, sizeof(lint0));
	memcpy(&state.regs[0x360], &lint1, sizeof(lint1));
	return hv_ioctl(cpu->fd, KVM_SET_LAPIC, &state);
}

/*
 * Fast strings on, memory write-back by default: what a firmware would set.
 * Not every processor has these; one that has not is as good.
 */
static void cpu_set_msrs(struct hv_cpu *cpu)
{
	static const struct {
		uint32_t index;
		uint64_t value;
	} values[] = {
		{ 0x1a0, 1 },	  /* IA32_MISC_ENABLE */
		{ 0x2ff, 0xc06 }, /* IA32_MTRR_DEF_TYPE */
	};

	struct kvm_msrs *msrs;

	msrs = xcalloc(1, sizeof(*msrs) + sizeof(msrs->entries[0]));
	msrs->nmsrs = 1;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		msrs->entries[0].index = values[i].index;
		msrs->entries[0].data = values[i].value;
		hv_ioctl(cpu->fd, KVM_SET_MSRS, msrs);
	}
	free(msrs);
}

/* Without it the processor has no bank that tells of anything. */
static void cpu_set_mce(struct hv_cpu *cpu, struct hv *hv)
{
	uint64_t cap = 0;

	if (ioctl(hv->dev, KVM_CHECK_EXTENSION, KVM_CAP_MCE) <= 0 ||
	    hv_ioctl(hv->dev, KVM_X86_GET_MCE_CAP_SUPPORTED, &cap) < 0)
		return;
	cap = MCE_BANKS | (cap & MCG_CAP_CTL_P);
	cpu->mce = hv_ioctl(cpu->fd, KVM_X86_SETUP_MCE, &cap) >= 0;
}

int hv_cpu_open(struct hv_cpu **out, struct hv *hv, unsigned int index,
		unsigned int count, char **why)
{
	struct hv_cpu *cpu = xcalloc(1, sizeof(*cpu));
	const char *what = "KVM_CREATE_VCPU";
	void *run;
	int rc;

	assert(index < count && count <= HV_CPUS_MAX);
	cpu->fd = rc =
		hv_ioctl(hv->vm, KVM_CREATE_VCPU, (void *)(uintptr_t)index);
	if (rc < 0)
		goto out;
	what = "mapping kvm_run";
	run = mmap(NULL, hv->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   cpu->fd, 0);
	if (run == MAP_FAILED) {
		rc = -errno;
		goto out;
	}
	cpu->run = run;
	cpu->run_size = hv->run_size;
	what = "KVM_SET_CPUID2";
	rc = cpu_set_cpuid(cpu, hv, index, count);
	if (rc < 0)
		goto out;
	what = "KVM_SET_LAPIC";
	rc = cpu_set_lapic(cpu, index);
	if (rc < 0)
		goto out;
	cpu->sync_regs =
		ioctl(hv->dev, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS) &
		KVM_SYNC_X86_REGS;
	cpu_set_msrs(cpu);
	cpu_set_mce(cpu, hv);
	rc = 0;
	*out = cpu;
out:
	if (rc) {
		hv_failed(rc, what, why);
		hv_cpu_close(cpu);
	}
	return rc;
}

void hv_cpu_close(struct hv_cpu *cpu)
{
	if (!cpu)
		return;
	if (cpu->run)
		munmap(cpu->run, cpu->run_size);
	if (cpu->fd >= 0)
		close(cpu->fd);
	hv_cpu_kept_free(cpu);
	free(cpu);
}

/* Types: Intel SDM volume 3A, 3.4.5.1 and 3.5. */
static void flat_segments(struct kvm_sregs *sregs, bool wide)
{
	struct kvm_segment code = { .limit = 0xffffffff,
				    .selector = wide ? 0x10 : 0x08,
				    .type = 0xb,
				    .present = 1,
				    .db = !wide,
				    .l = wide,
				    .s = 1,
				    .g = 1 };
	struct kvm_segment data = { .limit = 0xffffffff,
				    .selector = wide ? 0x18 : 0x10,
				    .type = 0x3,
				    .present = 1,
				    .db = 1,
				    .s = 1,
				    .g = 1 };
	struct kvm_segment task = {
		.limit = 0x67, .selector = 0x18, .type = 0xb, .present = 1
	};

	sregs->cs = code;
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	sregs->tr = task;
	sregs->ldt.unusable = 1;
}

int hv_cpu_enter(struct hv_cpu *cpu, const struct hv_entry *entry)
{
	struct kvm_regs regs = { .rip = entry->eip,
				 .rax = entry->eax,
				 .rbx = entry->ebx,
				 .rsi = entry->esi,
				 .rflags = 2 };
	bool wide = entry->page_tables;
	struct kvm_sregs sregs;
	int rc = hv_ioctl(cpu->fd, KVM_GET_SREGS, &sregs);

	if (rc < 0)
		return rc;
	flat_segments(&sregs, wide);
	sregs.gdt.base = entry->gdt;
	sregs.gdt.limit = entry->gdt ? 4 * 8 - 1 : 0;
	sregs.idt.base = sregs.idt.limit = 0;
	sregs.cr0 = CR0_PE | CR0_ET | (wide ? CR0_PG : 0);
	sregs.cr3 = entry->page_tables;
	sregs.cr4 = wide ? CR4_PAE : 0;
	sregs.efer = wide ? EFER_LME | EFER_LMA : 0;
	rc = hv_ioctl(cpu->fd, KVM_SET_SREGS, &sregs);
	if (rc < 0)
		return rc;
	return hv_ioctl(cpu->fd, KVM_SET_REGS, &regs);
}

static void exit_internal(struct hv_exit *exit, const struct kvm_run *run)
{
	exit->cause = HV_INTERNAL;
	exit->code = run->internal.suberror;
	/* The bytes are there if the kernel says so (5, kvm_run). */
	if (exit->code != KVM_INTERNAL_ERROR_EMULATION ||
	    run->emulation_failure.ndata < 4 ||
	    !(run->emulation_failure.flags &
	      KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		return;
	exit->insn_len = run->emulation_failure.insn_size;
	if (exit->insn_len > HV_INSN_MAX)
		exit->insn_len = HV_INSN_MAX;
	memcpy(exit->insn, run->emulation_failure.insn_bytes, exit->insn_len);
}

static void exit_system(struct hv_exit *exit, const struct kvm_run *run)
{
	exit->code = run->system_event.type;
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		exit->cause = HV_SYSTEM_OFF;
		break;
	case KVM_SYSTEM_EVENT_RESET:
		exit->cause = HV_SYSTEM_RESET;
		break;
	default:
		exit->cause = HV_UNKNOWN;
		exit->code = run->exit_reason;
	}
}

void hv_cpu_run(struct hv_cpu *cpu, struct hv_exit *exit)
{
	struct kvm_run *run = cpu->run;

	exit->insn_len = 0;
	exit->code = 0;
	exit->rip = 0;
	if (ioctl(cpu->fd, KVM_RUN, 0) < 0) {
		/* EAGAIN: a processor that waited for INIT or SIPI got one */
		exit->code = (uint64_t)errno;
		exit->cause = errno == EINTR || errno == EAGAIN ? HV_KICKED :
								  HV_ERROR;
		return;
	}
	if (run->kvm_valid_regs)
		exit->rip = run->s.regs.regs.rip;
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		exit->cause = HV_IO;
		exit->write = run->io.direction == KVM_EXIT_IO_OUT;
		exit->width = run->io.size;
		exit->count = run->io.count;
		exit->addr = run->io.port;
		exit->data = (uint8_t *)run + run->io.data_offset;
		break;
	case KVM_EXIT_MMIO:
		exit->cause = HV_MMIO;
		exit->write = run->mmio.is_write;
		exit->width = (uint8_t)run->mmio.len;
		exit->count = 1;
		exit->addr = run->mmio.phys_addr;
		exit->data = run->mmio.data;
		break;
	case KVM_EXIT_INTR:
		exit->cause = HV_KICKED;
		break;
	case KVM_EXIT_HLT:
		exit->cause = HV_HALT;
		break;
	case KVM_EXIT_SHUTDOWN:
		exit->cause = HV_TRIPLE_FAULT;
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		exit_internal(exit, run);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		exit->cause = HV_FAIL_ENTRY;
		exit->code = run->fail_entry.hardware_entry_failure_reason;
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		exit_system(exit, run);
		break;
	default:
		exit->cause = HV_UNKNOWN;
		exit->code = run->exit_reason;
	}
}

void hv_cpu_tell_rip(struct hv_cpu *cpu)
{
	if (cpu->sync_regs)
		cpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
}

/* The kernel and we share this byte; another thread of ours writes it too. */
static void set_immediate_exit(struct hv_cpu *cpu, uint8_t value)
{
	__atomic_store_n(&cpu->run->immediate_exit, value, __ATOMIC_SEQ_CST);
}

void hv_cpu_kick(struct hv_cpu *cpu)
{
	set_immediate_exit(cpu, 1);
}

void hv_cpu_unkick(struct hv_cpu *cpu)
{
	set_immediate_exit(cpu, 0);
}

int hv_cpu_state(struct hv_cpu *cpu, struct hv_state *out)
{
	struct kvm_mp_state mp;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int rc;

	rc = hv_ioctl(cpu->fd, KVM_GET_REGS, &regs);
	if (rc >= 0)
		rc = hv_ioctl(cpu->fd, KVM_GET_SREGS, &sregs);
	if (rc >= 0)
		rc = hv_ioctl(cpu->fd, KVM_GET_MP_STATE, &mp);
	if (rc < 0)
		return rc;
	*out = (struct hv_state){
		.rip = regs.rip,
		.rflags = regs.rflags,
		.rsp = regs.rsp,
		.cr0 = sregs.cr0,
		.cr3 = sregs.cr3,
		.linear_rip = sregs.cs.base + regs.rip,
		.started = mp.mp_state != KVM_MP_STATE_UNINITIALIZED &&
			   mp.mp_state != KVM_MP_STATE_INIT_RECEIVED,
		.halted = mp.mp_state == KVM_MP_STATE_HALTED,
	};
	return 0;
}

int hv_cpu_registers(struct hv_cpu *cpu, struct hv_registers *out)
{
	struct kvm_sregs sregs;
	struct kvm_regs r;
	int rc;

	rc = hv_ioctl(cpu->fd, KVM_GET_REGS, &r);
	if (rc >= 0)
		rc = hv_ioctl(cpu->fd, KVM_GET_SREGS, &sregs);
	if (rc < 0)
		return rc;
	*out = (struct hv_registers){
		.reg = { r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp,
			 r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15,
			 r.rip },
		.cr0 = sregs.cr0,
		.cr3 = sregs.cr3,
		.cr4 = sregs.cr4,
		.efer = sregs.efer,
		.long_mode = sregs.efer & EFER_LMA && sregs.cs.l,
	};
	return 0;
}

/* ---- machine checks ---- */

static int get_msr(struct hv_cpu *cpu, uint32_t index, uint64_t *value)
{
	struct kvm_msrs *msrs;
	int rc;

	msrs = xcalloc(1, sizeof(*msrs) + sizeof(msrs->entries[0]));
	msrs->nmsrs = 1;
	msrs->entries[0].index = index;
	rc = hv_ioctl(cpu->fd, KVM_GET_MSRS, msrs);
	*value = msrs->entries[0].data;
	free(msrs);
	return rc == 1 ? 0 : rc < 0 ? rc : -ENOSYS;
}

int hv_cpu_machine_check(struct hv_cpu *cpu, const uint64_t *addr)
{
	struct kvm_x86_mce mce = {
		.status = MCE_VALID | MCE_UNCORRECTED | MCE_ENABLED | MCE_BUS,
		.mcg_status = MCG_STATUS_MCIP | MCG_STATUS_RIPV,
		.bank = MCE_BANK,
	};
	struct kvm_sregs sregs;
	uint64_t status;
	int rc;

	if (!cpu->mce)
		return -ENOSYS;
	rc = hv_ioctl(cpu->fd, KVM_GET_SREGS, &sregs);
	if (rc >= 0)
		rc = get_msr(cpu, MSR_MCG_STATUS, &status);
	if (rc < 0)
		return rc;
	/* KVM would shut the processor down, and say nothing of why */
	if (!(sregs.cr4 & CR4_MCE))
		return -EPERM;
	if (status & MCG_STATUS_MCIP)
		return -EBUSY;
	if (addr) {
		mce.status |= MCE_HAS_ADDR;
		mce.addr = *addr;
	}
	rc = hv_ioctl(cpu->fd, KVM_X86_SET_MCE, &mce);
	return rc < 0 ? rc : 0;
}

int hv_cpu_translate(struct hv_cpu *cpu, uint64_t linear, uint64_t *gpa)
{
	struct kvm_translation tr = { .linear_address = linear };
	int rc = hv_ioctl(cpu->fd, KVM_TRANSLATE, &tr);

	if (rc < 0)
		return rc;
	if (!tr.valid)
		return -EFAULT;
	*gpa = tr.physical_address;
	return 0;
}

const char *hv_cause_name(enum hv_cause cause)
{
	static const char *const names[HV_CAUSES] = {
		[HV_IO] = "io",
		[HV_MMIO] = "mmio",
		[HV_KICKED] = "kicked",
		[HV_HALT] = "halt",
		[HV_TRIPLE_FAULT] = "triple-fault",
		[HV_INTERNAL] = "internal-error",
		[HV_FAIL_ENTRY] = "fail-entry",
		[HV_SYSTEM_RESET] = "system-reset",
		[HV_SYSTEM_OFF] = "system-off",
		[HV_UNKNOWN] = "unknown",
		[HV_ERROR] = "error",
	};

	assert(cause < HV_CAUSES);
	return names[cause];
}
