/* SPDX-License-Identifier: MIT */
/*
 * kvm.h: a virtual machine of the kernel's, and its processors.
 *
 * Only kvm_impl.h includes <linux/kvm.h>, for kvm.c and kvm_cpu.c: what it says here is all
 * that the rest of vmm/ sees of KVM.  Section numbers are those of the
 * kernel's Documentation/virt/kvm/api.rst.
 *
 * Errors:  functions return 0 or a negative errno; those of set-up also put
 *          one line that says what to do in (*why), which the caller frees.
 * Threads: struct hv from any; struct hv_cpu from the thread that runs it,
 *          but for hv_cpu_kick().
 */

#ifndef VMM_KVM_H
#define VMM_KVM_H

#include "../dmm/cc.h"

/* What the kernel keeps for itself, up to 4 GiB: APICs, TSS, identity map. */
#define HV_RESERVED_BASE UINT64_C(0xfec00000)
#define HV_RESERVED_SIZE UINT64_C(0x01400000)

#define HV_CPUS_MAX 64
#define HV_INSN_MAX 15

struct hv;     /* a machine: memory slots, interrupt controllers, timer */
struct hv_cpu; /* one of its processors */

/* Why a processor came back; the order is that of hv_cause_name(). */
enum hv_cause {
	HV_IO,		 /* addr, data, width, count, write */
	HV_MMIO,	 /* addr, data, width (1 to 8), write */
	HV_KICKED,	 /* hv_cpu_kick(), or a signal */
	HV_HALT,	 /* halted, and the kernel does not wait for it */
	HV_TRIPLE_FAULT, /* the processor shut down */
	HV_INTERNAL,	 /* KVM gave up: code (suberror), insn */
	HV_FAIL_ENTRY,	 /* the hardware refused: code (reason) */
	HV_SYSTEM_RESET,
	HV_SYSTEM_OFF,
	HV_UNKNOWN, /* code (KVM's exit reason) */
	HV_ERROR,   /* KVM_RUN failed: code (errno) */
	HV_CAUSES
};

struct hv_exit {
	enum hv_cause cause;
	bool write;
	uint8_t width;
	uint8_t insn_len; /* 0: not known */
	uint32_t count;
	uint64_t addr;
	uint8_t *data; /* in the page shared with the kernel */
	uint64_t code;
	uint64_t rip; /* 0, unless hv_cpu_tell_rip() */
	uint8_t insn[HV_INSN_MAX];
};

struct hv_state {
	uint64_t rip, rflags, rsp, cr0, cr3;
	uint64_t linear_rip; /* with the base of CS */
	bool started;	     /* not waiting for INIT or SIPI */
	bool halted;
};

/* The general registers, in the order that DWARF numbers them. */
#define HV_REGISTERS 17 /* rax rdx rcx rbx rsi rdi rbp rsp r8 to r15 rip */
#define HV_RIP 16

struct hv_registers {
	uint64_t reg[HV_REGISTERS];
	uint64_t cr0, cr3, cr4, efer;
	bool long_mode; /* runs 64-bit code: segments have no bases */
};

/*
 * How a processor starts: flat, interrupts off; 32 bits without paging or, with
 * page tables, 64 bits.  With a GDT of four entries, code is its third and data
 * its fourth.
 */
struct hv_entry {
	uint32_t eip, eax, ebx, esi;
	uint32_t page_tables, gdt; /* 0: none */
};

/*
 * Make a machine with PIC, IOAPIC and PIT in the kernel (4.2, 4.24, 4.71).
 * -ENOENT: no /dev/kvm; -EACCES: not for this user; -ENOSYS: too old.
 */
MUST_CHECK int hv_open(struct hv **out, char **why);
void hv_close(struct hv *hv); /* after all its processors; NULL is fine */

/* Put (size) bytes at (host) into the guest at (gpa); size 0 removes (4.35) */
MUST_CHECK int hv_slot(struct hv *hv, unsigned int slot, uint64_t gpa,
		       uint64_t size, void *host, bool readonly);

/* Drive an interrupt line of PIC and IOAPIC (4.25). */
int hv_irq_line(struct hv *hv, unsigned int gsi, bool level);

/* A message-signalled interrupt: (data) written to (addr) (4.70). */
int hv_message(struct hv *hv, uint64_t addr, uint32_t data);

/*
 * Without us: each signal of the eventfd (fd) is interrupt (gsi) (4.75).  With
 * (resample) not -1 that is a line, which rises, and falls when the guest is
 * done with it; (resample) is signalled then.  -EBUSY: (fd) is bound already.
 */
MUST_CHECK int hv_eventfd(struct hv *hv, int fd, unsigned int gsi,
			  int resample);
void hv_eventfd_end(struct hv *hv, int fd, unsigned int gsi);

/*
 * Interrupts beside the lines, for hv_eventfd(): (*gsi) of a new one, which does
 * nothing yet; then what message it is (4.51).  -ENOSPC: there are HV_ROUTES.
 */
#define HV_ROUTES 1024
MUST_CHECK int hv_route_new(struct hv *hv, unsigned int *gsi);
MUST_CHECK int hv_route(struct hv *hv, unsigned int gsi, uint64_t addr,
			uint32_t data);

/* Which of the 16 lines of the PIC are level-triggered (4.27, ELCR). */
MUST_CHECK int hv_set_elcr(struct hv *hv, uint16_t level);

/*
 * Writes of [addr, addr + len) do not exit: they wait in a ring for
 * hv_cpu_coalesced() (4.116); or no longer.  -ENOSYS: KVM has none.
 */
MUST_CHECK int hv_coalesce(struct hv *hv, bool io, uint64_t addr, uint32_t len,
			   bool on);
/*
 * Writes of (len) bytes at (addr) add one to the eventfd (fd), and do not exit
 * (4.59); or no longer.
 */
MUST_CHECK int hv_ioeventfd(struct hv *hv, bool io, uint64_t addr, uint32_t len,
			    int fd, bool on);
/* A write to the eventfd (fd) is an edge of interrupt line (gsi) (4.75). */
MUST_CHECK int hv_irqfd(struct hv *hv, unsigned int gsi, int fd);

/*
 * The interrupt controllers and the timer as they are now, and back to that.
 * hv_keep() once, when all is set up; hv_reset() while no processor runs.
 */
MUST_CHECK int hv_keep(struct hv *hv);
MUST_CHECK int hv_reset(struct hv *hv, char **why);

/* Processor (index) of (count), with its CPUID and local APIC. */
MUST_CHECK int hv_cpu_open(struct hv_cpu **out, struct hv *hv,
			   unsigned int index, unsigned int count, char **why);
void hv_cpu_close(struct hv_cpu *cpu);

MUST_CHECK int hv_cpu_enter(struct hv_cpu *cpu, const struct hv_entry *entry);

/* As hv_keep() and hv_reset(), of a processor: before hv_cpu_enter(). */
MUST_CHECK int hv_cpu_keep(struct hv_cpu *cpu, struct hv *hv);
MUST_CHECK int hv_cpu_reset(struct hv_cpu *cpu, char **why);

/*
 * Have the kernel finish the access that hv_cpu_run() came back for, and run
 * nothing more.  On the processor's thread, before hv_cpu_reset().
 */
void hv_cpu_finish(struct hv_cpu *cpu);

/* Run until an exit, told in (*exit).  Answers of reads go to exit->data. */
void hv_cpu_run(struct hv_cpu *cpu, struct hv_exit *exit);

/*
 * From the next run on tell each exit's rip, where KVM can without a system
 * call more (4.126, KVM_CAP_SYNC_REGS).  Of a write it may be that of the next
 * instruction.
 */
void hv_cpu_tell_rip(struct hv_cpu *cpu);

/*
 * Give (write) each write that waits in the ring of (hv), and empty it: how
 * many there were.  One thread at a time; any.
 */
size_t hv_cpu_coalesced(struct hv_cpu *cpu, struct hv *hv,
			void (*write)(void *ctx, bool io, uint64_t addr,
				      const uint8_t *data, uint32_t len),
			void *ctx);

/*
 * Make hv_cpu_run() return HV_KICKED, now or when next called; any thread.
 * The caller also sends the thread a signal, in case it is in the kernel.
 */
void hv_cpu_kick(struct hv_cpu *cpu);
/* Take back a kick; then look at what the kick was for, then run. */
void hv_cpu_unkick(struct hv_cpu *cpu);

MUST_CHECK int hv_cpu_state(struct hv_cpu *cpu, struct hv_state *out);

/* What it takes to unwind its stack. */
MUST_CHECK int hv_cpu_registers(struct hv_cpu *cpu, struct hv_registers *out);

/*
 * Give it a machine check: a bus error, at (addr) unless NULL (4.106).  Only
 * between instructions: hv_cpu_run() returned HV_KICKED.  -EPERM: the guest
 * has machine checks off; -EBUSY: it is in one; -ENOSYS: KVM has none.
 */
MUST_CHECK int hv_cpu_machine_check(struct hv_cpu *cpu, const uint64_t *addr);
/* Walk the guest's page tables (4.37); -EFAULT: not mapped. */
MUST_CHECK int hv_cpu_translate(struct hv_cpu *cpu, uint64_t linear,
				uint64_t *gpa);

/* A constant lower-case name, such as "mmio", for tables. */
const char *hv_cause_name(enum hv_cause cause);

#endif /* VMM_KVM_H */
