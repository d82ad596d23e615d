/* SPDX-License-Identifier: MIT */
/*
 * vm.h: a guest: its machine, from opening to how it ended.
 *
 * Interface:
 *  - vm_open() makes the machine and loads the image; vm_add_pci() plugs in
 *    devices; vm_start() lets it run, in threads of its own;
 *  - it ends by itself, or by vm_stop() or vm_end(); vm_fd() becomes readable
 *    and vm_conf.ended is called when no vCPU runs any more;
 *  - vm_result() says how it ended; vm_close() frees it.
 *
 * Machines are independent: what happens in one ends that one alone.
 *
 * Errors:  set-up returns 0 or -errno with one line in (*why), which the
 *          caller frees.  After vm_start() whatever goes wrong is a status.
 * Threads: vm_stop(), vm_end(), vm_stopping(), vm_wait(), vm_fd(), vm_name(),
 *          vm_mem(), vm_exits(), vm_machine_check(), vm_power_button() and
 *          vm_serial() from any; vm_where() see
 *          there; the others from one at a time.
 */

#ifndef VMM_VM_H
#define VMM_VM_H

#include "../dmm/cc.h"
#include "kvm.h"
#include "vpci.h"

#define VM_WATCHDOG_NS UINT64_C(10000000000)
/* So many times as long for one that is not in a small loop. */
#define VM_WATCHDOG_WORK 10u

enum vm_status {
	VM_RUNNING,
	VM_OK,		 /* it said so at the exit port */
	VM_POWEROFF,	 /* it switched itself off: as well */
	VM_FAILED,	 /* it wrote another code to the exit port */
	VM_RESET,	 /* it asked for a reset, and may not reboot */
	VM_TRIPLE_FAULT, /* its processor shut down */
	VM_CRASHED,	 /* KVM could not go on with it */
	VM_HUNG,	 /* no exit, and interrupts off, for too long */
	VM_TIMEOUT,	 /* it ran for longer than it may */
	VM_STOPPED,	 /* by us, because we were asked to */
	VM_KILLED,	 /* by us, for what it did */
	VM_STATUSES
};

struct vm;

struct vm_conf {
	const char *name;
	const char *image;    /* path */
	const char *cmdline;  /* NULL: none */
	const char *initrd;   /* path; NULL: none */
	uint64_t memory;      /* bytes */
	unsigned int cpus;    /* 1 to HV_CPUS_MAX */
	uint64_t watchdog_ns; /* 0: none; VM_WATCHDOG_NS is a good value */
	uint64_t timeout_ns;  /* 0: none; over all its reboots */
	bool reboots;	      /* a reset or a triple fault starts it anew */

	/* Guest memory in the caller's file (see mem.h), if (shared_memory) */
	bool shared_memory;
	int mem_fd;
	uint64_t mem_offset;

	/* Serial output: to a function, or as lines to (log_fd); -1: nowhere */
	void (*line)(void *ctx, struct vm *vm, const char *line, size_t len);
	int log_fd;
	bool log_prefix; /* "NAME: " before each line */

	/* All vCPUs have left; on a thread of the machine's.  May be NULL */
	void (*ended)(void *ctx, struct vm *vm);
	/*
	 * It is reset: its devices are to be as at power-on.  No vCPU runs; on
	 * one's thread.  May be NULL
	 */
	void (*reset)(void *ctx, struct vm *vm);
	void *ctx;
};

struct vm_result {
	enum vm_status status;
	uint32_t code; /* what was written to the exit port */
	unsigned int reboots;
	char why[256];	   /* one line; "" if there is no more to say */
	uint64_t start_ns; /* from vm_open() to the first instruction */
	uint64_t ran_ns;   /* from there to the end */
};

/* Copies (conf) and its strings. */
MUST_CHECK int vm_open(struct vm **out, const struct vm_conf *conf, char **why);

/* Before vm_start(); as vpci_add().  The function lives as long as (vm). */
MUST_CHECK int vm_add_pci(struct vm *vm, const struct backend_info *info,
			  const struct vpci_ops *ops, void *ctx,
			  struct vpci_dev **out, char **why);

MUST_CHECK int vm_start(struct vm *vm, char **why);

/* Ask it to end, with VM_STOPPED.  Returns at once. */
void vm_stop(struct vm *vm);

/*
 * End it with (status) and one line that says why.  Of several calls the
 * first counts.  Returns at once; also from a vCPU's own thread.  A guest that
 * may reboot does so instead, for VM_RESET and VM_TRIPLE_FAULT.
 */
void vm_end(struct vm *vm, enum vm_status status, uint32_t code,
	    const char *fmt, ...) PRINTF(4, 5);

/*
 * Press its power button; false if the guest does not listen: it has no driver
 * for it, or no ACPI.
 */
bool vm_power_button(struct vm *vm);

/*
 * True once it is to end, or to be reset: a handler that waits must look and
 * return.
 */
bool vm_stopping(const struct vm *vm);

/* Wait until it has ended; false if (timeout_ns) went by first (0: forever). */
bool vm_wait(struct vm *vm, uint64_t timeout_ns);

/* An eventfd that is readable when it has ended; never read it. */
int vm_fd(const struct vm *vm);

/* How it went; (status) is VM_RUNNING until it has ended. */
struct vm_result vm_result(struct vm *vm);

/* Ends it first if need be.  NULL is fine. */
void vm_close(struct vm *vm);

const char *vm_name(const struct vm *vm);
struct mem *vm_mem(struct vm *vm);
struct hv *vm_hv(struct vm *vm);
/* A number for hv_slot() that nobody else has; during set-up. */
unsigned int vm_slot(struct vm *vm);
struct serial;
struct serial *vm_serial(struct vm *vm);

/* Before vm_start(): accesses have their rip, in bus_access. */
void vm_tell_rip(struct vm *vm);

/*
 * Where vCPU (index) is, at the instruction of its access or just behind it:
 * "rip 0x1234", and by what functions it came there, as far as the image says
 * (unwind.h).  Only in a handler of that vCPU's access, and not often.
 */
void vm_where(struct vm *vm, unsigned int index, char *text, size_t room);

/*
 * Give vCPU (index) a machine check at its next entry: a bus error, at (addr)
 * unless NULL.  One that it cannot take ends the guest, with VM_KILLED.
 */
void vm_machine_check(struct vm *vm, unsigned int index, const uint64_t *addr);

/* Exits of all vCPUs so far, by cause. */
void vm_exits(const struct vm *vm, uint64_t count[HV_CAUSES]);

/* A constant lower-case name, such as "triple-fault". */
const char *vm_status_name(enum vm_status status);

#endif /* VMM_VM_H */
