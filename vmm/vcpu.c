/* SPDX-License-Identifier: MIT */
/*
 * vcpu.c: one processor of a guest: run, serve the exit, run again.
 */

#include "vcpu.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "mem.h"
#include "vm.h"

#define KICK_SIGNAL SIGRTMIN
#define STACK_SIZE ((size_t)512 << 10) /* thread-local buffers too */

struct vcpu {
	struct vcpu_conf conf;
	struct hv_cpu *cpu;
	pthread_t thread;
	atomic_bool has_thread;
	_Atomic uint64_t exits[HV_CAUSES]; /* written by the thread alone */

	atomic_bool sample_wanted;
	pthread_mutex_t sample_lock;
	bool sample_taken;
	struct hv_state sample;

	atomic_bool mce_wanted;
	pthread_mutex_t mce_lock; /* of what is below */
	bool mce_has_addr;
	uint64_t mce_addr;
};

static void kicked(int signal)
{
	(void)signal; /* it is enough that a system call was interrupted */
}

static void install_kick(void)
{
	struct sigaction action = { .sa_handler = kicked };

	sigemptyset(&action.sa_mask);
	sigaction(KICK_SIGNAL, &action, NULL);
}

int vcpu_open(struct vcpu **out, const struct vcpu_conf *conf, char **why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct vcpu *v = xcalloc(1, sizeof(*v));
	int rc;

	pthread_once(&once, install_kick);
	v->conf = *conf;
	rc = hv_cpu_open(&v->cpu, conf->hv, conf->index, conf->count, why);
	if (rc) {
		free(v);
		return rc;
	}
	pthread_mutex_init(&v->sample_lock, NULL);
	pthread_mutex_init(&v->mce_lock, NULL);
	*out = v;
	return 0;
}

void vcpu_close(struct vcpu *v)
{
	if (!v)
		return;
	if (atomic_load(&v->has_thread))
		pthread_join(v->thread, NULL);
	hv_cpu_close(v->cpu);
	pthread_mutex_destroy(&v->sample_lock);
	pthread_mutex_destroy(&v->mce_lock);
	free(v);
}

void vcpu_tell_rip(struct vcpu *v)
{
	hv_cpu_tell_rip(v->cpu);
}

int vcpu_keep(struct vcpu *v)
{
	return hv_cpu_keep(v->cpu, v->conf.hv);
}

int vcpu_reset(struct vcpu *v, char **why)
{
	atomic_store(&v->mce_wanted, false);
	return hv_cpu_reset(v->cpu, why);
}

int vcpu_enter(struct vcpu *v, const struct hv_entry *entry)
{
	return hv_cpu_enter(v->cpu, entry);
}

/* Widths that are no bus access (an access cut by a page) go by the byte. */
static void serve(struct vcpu *v, enum bus_space space,
		  const struct hv_exit *exit)
{
	bool odd = exit->width & (exit->width - 1);
	unsigned int parts = odd ? exit->width : 1;

	for (unsigned int i = 0; i < parts; i++) {
		struct bus_access access = {
			.addr = exit->addr + i,
			.data = exit->data + i,
			.count = exit->count,
			.width = odd ? 1 : exit->width,
			.write = exit->write,
			.vcpu = v->conf.index,
			.rip = exit->rip,
		};

		bus_access(v->conf.bus, space, &access);
	}
}

/* The instruction where it stopped, from KVM or from the guest's memory. */
static void print_insn(struct vcpu *v, const struct hv_exit *exit,
		       const struct hv_state *state, char *to, size_t room)
{
	const uint8_t *from = exit->insn;
	unsigned int n = exit->insn_len;
	uint64_t gpa;

	if (!n && !hv_cpu_translate(v->cpu, state->linear_rip, &gpa)) {
		n = MEM_PAGE - gpa % MEM_PAGE;
		if (n > HV_INSN_MAX)
			n = HV_INSN_MAX;
		from = mem_ptr(v->conf.mem, gpa, n);
	}
	snprintf(to, room, " unknown");
	if (!from)
		return;
	for (unsigned int i = 0; i < n && room > 3; i++, to += 3, room -= 3)
		snprintf(to, room, " %02x", from[i]);
}

/* End the guest with where it was; (what) says what happened. */
static void end_here(struct vcpu *v, const struct hv_exit *exit,
		     enum vm_status status, const char *what)
{
	char insn[HV_INSN_MAX * 3 + 16];
	struct hv_state s = { 0 };

	if (hv_cpu_state(v->cpu, &s)) {
		vm_end(v->conf.vm, status, 0, "cpu %u: %s", v->conf.index,
		       what);
		return;
	}
	print_insn(v, exit, &s, insn, sizeof(insn));
	vm_end(v->conf.vm, status, 0,
	       "cpu %u: %s at rip %#" PRIx64 ", bytes%s (rsp %#" PRIx64
	       " cr0 %#" PRIx64 " cr3 %#" PRIx64 ")",
	       v->conf.index, what, s.rip, insn, s.rsp, s.cr0, s.cr3);
}

static void end_internal(struct vcpu *v, const struct hv_exit *exit)
{
	static const char *const names[] = {
		[1] = "an instruction it cannot emulate",
		[2] = "simultaneous exceptions",
		[3] = "an exit while delivering an event",
		[4] = "an unexpected exit",
	};
	const char *name = "unknown";
	char what[96];

	if (exit->code < ARRAY_LEN(names) && names[exit->code])
		name = names[exit->code];
	snprintf(what, sizeof(what), "KVM internal error %" PRIu64 " (%s)",
		 exit->code, name);
	end_here(v, exit, VM_CRASHED, what);
}

static void take_sample(struct vcpu *v)
{
	struct hv_state state;

	if (!atomic_exchange(&v->sample_wanted, false) ||
	    hv_cpu_state(v->cpu, &state))
		return;
	pthread_mutex_lock(&v->sample_lock);
	v->sample = state;
	v->sample_taken = true;
	pthread_mutex_unlock(&v->sample_lock);
}

static void take_machine_check(struct vcpu *v)
{
	uint64_t addr;
	bool has_addr;
	int rc;

	if (!atomic_exchange(&v->mce_wanted, false))
		return;
	pthread_mutex_lock(&v->mce_lock);
	has_addr = v->mce_has_addr;
	addr = v->mce_addr;
	pthread_mutex_unlock(&v->mce_lock);
	rc = hv_cpu_machine_check(v->cpu, has_addr ? &addr : NULL);
	if (rc)
		vm_end(v->conf.vm, VM_KILLED, 0,
		       "cpu %u: a machine check that it cannot take: %s",
		       v->conf.index,
		       rc == -EPERM  ? "the guest has them off (CR4.MCE)" :
		       rc == -EBUSY  ? "it is in one already" :
		       rc == -ENOSYS ? "this KVM has none" :
				       strerror(-rc));
}

/* What is not a bus access: rare, or the end. */
static void serve_rare(struct vcpu *v, const struct hv_exit *exit)
{
	struct vm *vm = v->conf.vm;
	char what[96];

	switch (exit->cause) {
	case HV_KICKED:
		/* In this order: a kick from here on makes the next run end */
		hv_cpu_unkick(v->cpu);
		take_sample(v);
		take_machine_check(v);
		break;
	case HV_HALT:
		break;
	case HV_TRIPLE_FAULT:
		end_here(v, exit, VM_TRIPLE_FAULT, "triple fault");
		break;
	case HV_INTERNAL:
		end_internal(v, exit);
		break;
	case HV_SYSTEM_RESET:
		vm_end(vm, VM_RESET, 0, "reset");
		break;
	case HV_SYSTEM_OFF:
		vm_end(vm, VM_POWEROFF, 0, "%s", "");
		break;
	case HV_FAIL_ENTRY:
		snprintf(what, sizeof(what),
			 "the processor refused to enter the guest, reason "
			 "%#" PRIx64,
			 exit->code);
		end_here(v, exit, VM_CRASHED, what);
		break;
	case HV_ERROR:
		snprintf(what, sizeof(what), "KVM_RUN: %s",
			 strerror((int)exit->code));
		end_here(v, exit, VM_CRASHED, what);
		break;
	default:
		snprintf(what, sizeof(what), "unknown exit %" PRIu64 " of KVM",
			 exit->code);
		end_here(v, exit, VM_CRASHED, what);
	}
}

static void count(struct vcpu *v, enum hv_cause cause)
{
	uint64_t n =
		atomic_load_explicit(&v->exits[cause], memory_order_relaxed);

	/* Nobody else writes it, so it needs no locked addition. */
	atomic_store_explicit(&v->exits[cause], n + 1, memory_order_relaxed);
}

static void serve_all(struct vcpu *v)
{
	struct hv_exit exit;

	while (!vm_stopping(v->conf.vm)) {
		hv_cpu_run(v->cpu, &exit);
		count(v, exit.cause);
		if (exit.cause == HV_IO)
			serve(v, BUS_IO, &exit);
		else if (exit.cause == HV_MMIO)
			serve(v, BUS_MMIO, &exit);
		else
			serve_rare(v, &exit);
	}
}

static void *run(void *arg)
{
	struct vcpu *v = arg;

	if (v->conf.index == 0)
		v->conf.first(v->conf.vm);
	do {
		serve_all(v);
		/* or the kernel would do it to the state after the reset */
		hv_cpu_finish(v->cpu);
	} while (v->conf.rest(v->conf.vm));
	v->conf.left(v->conf.vm);
	return NULL;
}

/* All signals are for the main thread, but those that say we crashed. */
static void thread_signals(sigset_t *set)
{
	sigfillset(set);
	sigdelset(set, KICK_SIGNAL);
	sigdelset(set, SIGSEGV);
	sigdelset(set, SIGBUS);
	sigdelset(set, SIGILL);
	sigdelset(set, SIGFPE);
	sigdelset(set, SIGABRT);
	sigdelset(set, SIGTRAP);
}

int vcpu_start(struct vcpu *v)
{
	sigset_t mask, old;
	pthread_attr_t attr;
	char name[16];
	int rc;

	thread_signals(&mask);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &mask, &old);
	rc = pthread_create(&v->thread, &attr, run, v);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (rc)
		return -rc;
	snprintf(name, sizeof(name), "%.9s/%u", vm_name(v->conf.vm),
		 v->conf.index);
	pthread_setname_np(v->thread, name);
	atomic_store(&v->has_thread, true);
	return 0;
}

/*
 * No kick is lost: what it is for was stored before; if the thread is about
 * to run, the flag makes KVM_RUN return at once; if it is in the kernel, the
 * signal does; if it has not started, it will look before it runs.
 */
void vcpu_kick(struct vcpu *v)
{
	hv_cpu_kick(v->cpu);
	if (atomic_load(&v->has_thread))
		pthread_kill(v->thread, KICK_SIGNAL);
}

void vcpu_sample(struct vcpu *v)
{
	pthread_mutex_lock(&v->sample_lock);
	v->sample_taken = false;
	pthread_mutex_unlock(&v->sample_lock);
	atomic_store(&v->sample_wanted, true);
	vcpu_kick(v);
}

bool vcpu_sampled(struct vcpu *v, struct hv_state *out)
{
	bool taken;

	pthread_mutex_lock(&v->sample_lock);
	taken = v->sample_taken;
	if (taken)
		*out = v->sample;
	pthread_mutex_unlock(&v->sample_lock);
	return taken;
}

uint64_t vcpu_exits(const struct vcpu *v, enum hv_cause cause)
{
	return atomic_load_explicit(&v->exits[cause], memory_order_relaxed);
}

int vcpu_registers(struct vcpu *v, struct hv_registers *out)
{
	return hv_cpu_registers(v->cpu, out);
}

/*
 * By a kick: the kernel ends the instruction that made the access before it
 * minds one, so the machine check comes between two.
 */
void vcpu_machine_check(struct vcpu *v, const uint64_t *addr)
{
	pthread_mutex_lock(&v->mce_lock);
	v->mce_has_addr = addr;
	v->mce_addr = addr ? *addr : 0;
	pthread_mutex_unlock(&v->mce_lock);
	if (!atomic_exchange(&v->mce_wanted, true))
		vcpu_kick(v);
}
