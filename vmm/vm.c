/* SPDX-License-Identifier: MIT */
/*
 * vm.c: a guest: its machine, from opening to how it ended.
 *
 * A machine has a thread for each vCPU and one that minds it: it looks for
 * hangs and time-outs, and when all vCPUs have left it tells how it went.
 */

#include "vm_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bus.h"
#include "irq.h"
#include "log.h"
#include "mem.h"
#include "platform.h"
#include "pm.h"
#include "rtc.h"
#include "serial.h"
#include "symbols.h"
#include "unwind.h"
#include "vcpu.h"

#define NS UINT64_C(1000000000)
#define MINDER_STACK ((size_t)512 << 10) /* thread-local buffers too */
#define REKICK_NS (20 * NS / 1000)
#define TICKS 8		/* looks in the time of the watchdog */
#define LOOP_BYTES 128u /* who stays in so few of code goes nowhere */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS + (uint64_t)ts.tv_nsec;
}

/* Wait on the condition, at most until (deadline_ns); 0: for ever. */
static void wait_until(struct vm *vm, uint64_t deadline_ns)
{
	struct timespec ts = { .tv_sec = (time_t)(deadline_ns / NS),
			       .tv_nsec = (long)(deadline_ns % NS) };

	if (deadline_ns)
		pthread_cond_timedwait(&vm->cond, &vm->lock, &ts);
	else
		pthread_cond_wait(&vm->cond, &vm->lock);
}

static void kick_all(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->conf.cpus; i++)
		if (vm->vcpu[i])
			vcpu_kick(vm->vcpu[i]);
}

/* Is it what a machine is reset by, and is this one to go on then? */
static bool is_reboot(const struct vm *vm, enum vm_status status)
{
	return vm->conf.reboots &&
	       (status == VM_RESET || status == VM_TRIPLE_FAULT);
}

void vm_end(struct vm *vm, enum vm_status status, uint32_t code,
	    const char *fmt, ...)
{
	unsigned int leave;
	va_list ap;

	va_start(ap, fmt);
	pthread_mutex_lock(&vm->lock);
	leave = atomic_load(&vm->leave);
	if (is_reboot(vm, status) && !leave) {
		vsnprintf(vm->reset_why, sizeof(vm->reset_why), fmt, ap);
		atomic_store(&vm->leave, VM_LEAVE_RESET);
	} else if (!is_reboot(vm, status) && !(leave & VM_LEAVE_STOP)) {
		vm->result.status = status;
		vm->result.code = code;
		vsnprintf(vm->result.why, sizeof(vm->result.why), fmt, ap);
		atomic_store(&vm->leave, leave | VM_LEAVE_STOP);
	}
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
	va_end(ap);
	kick_all(vm);
}

void vm_stop(struct vm *vm)
{
	vm_end(vm, VM_STOPPED, 0, "stopped");
}

bool vm_stopping(const struct vm *vm)
{
	return atomic_load_explicit(&vm->leave, memory_order_acquire);
}

void vm_first(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->started_ns = now_ns();
	vm->result.start_ns = vm->started_ns - vm->opened_ns;
	pthread_mutex_unlock(&vm->lock);
}

void vm_left(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->left++;
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
}

/* The last one in does it; the lock is not held meanwhile. */
static void start_anew(struct vm *vm)
{
	char *why = NULL;
	int rc;

	pthread_mutex_unlock(&vm->lock);
	if (vm->conf.reset)
		vm->conf.reset(vm->conf.ctx, vm);
	rc = vm_power_on(vm, &why);
	if (rc)
		vm_end(vm, VM_CRASHED, 0, "it cannot be started anew: %s",
		       why ? why : strerror(-rc));
	free(why);
	pthread_mutex_lock(&vm->lock);
	vm->rested = 0;
	vm->result.reboots++;
	log_info("%s: reboot %u: %s", vm->conf.name, vm->result.reboots,
		 vm->reset_why);
	atomic_fetch_and(&vm->leave, ~(unsigned int)VM_LEAVE_RESET);
	pthread_cond_broadcast(&vm->cond);
}

bool vm_rest(struct vm *vm)
{
	unsigned int reboots, leave;

	pthread_mutex_lock(&vm->lock);
	reboots = vm->result.reboots;
	if (atomic_load(&vm->leave) == VM_LEAVE_RESET &&
	    ++vm->rested == vm->conf.cpus)
		start_anew(vm);
	while (atomic_load(&vm->leave) == VM_LEAVE_RESET &&
	       vm->result.reboots == reboots)
		pthread_cond_wait(&vm->cond, &vm->lock);
	leave = atomic_load(&vm->leave);
	pthread_mutex_unlock(&vm->lock);
	return !(leave & VM_LEAVE_STOP);
}

bool vm_power_button(struct vm *vm)
{
	return pm_power_button(vm->pm);
}

/* Exits by which a guest shows that it lives. */
static uint64_t live_exits(const struct vm *vm)
{
	uint64_t count[HV_CAUSES];

	vm_exits(vm, count);
	return count[HV_IO] + count[HV_MMIO];
}

/*
 * Every vCPU that runs has its interrupts off and was not in a handler.  Then
 * where each was in this row of looks is noted; (*still): in a few bytes.
 */
static bool all_deaf(struct vm *vm, bool first, bool *still)
{
	struct hv_state s;

	*still = true;
	for (unsigned int i = 0; i < vm->conf.cpus; i++) {
		struct vm_span *rip = &vm->rip[i];

		if (!vcpu_sampled(vm->vcpu[i], &s))
			return false;
		if (s.started && s.rflags & 1 << 9)
			return false;
		if (first || s.rip < rip->low)
			rip->low = s.rip;
		if (first || s.rip > rip->high)
			rip->high = s.rip;
		if (rip->high - rip->low >= LOOP_BYTES)
			*still = false;
	}
	return true;
}

/*
 * One look.  It takes a row of looks in which all vCPUs were deaf, with no
 * exit from first to last, to call a guest hung: one moment with interrupts
 * off is nothing.  One that is not in a small loop may be at work, as a kernel
 * that unpacks itself: it has longer.
 */
static void look(struct vm *vm, uint64_t now)
{
	uint64_t exits = live_exits(vm), most = vm->conf.watchdog_ns;
	bool first = vm->looks == 0, still;

	if (exits != vm->seen_exits || !vm->asked ||
	    !all_deaf(vm, first, &still)) {
		vm->quiet_since_ns = now;
		vm->looks = 0;
	} else {
		vm->looks++;
		if (now - vm->quiet_since_ns >=
		    (still ? most : VM_WATCHDOG_WORK * most))
			vm_end(vm, VM_HUNG, 0,
			       "interrupts off and no exit for %.1f s, cpu 0 "
			       "at rip %#" PRIx64 "%s",
			       (double)(now - vm->quiet_since_ns) / (double)NS,
			       vm->rip[0].low, still ? "" : " and beyond");
	}
	vm->asked = exits == vm->seen_exits;
	vm->seen_exits = exits;
	for (unsigned int i = 0; vm->asked && i < vm->conf.cpus; i++)
		vcpu_sample(vm->vcpu[i]);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* Mind the machine until the last vCPU is through; under the lock. */
static void mind(struct vm *vm)
{
	const struct vm_conf *c = &vm->conf;
	uint64_t now = now_ns(), look_at = 0, end_at = 0;

	if (c->watchdog_ns)
		look_at = now + c->watchdog_ns / TICKS;
	if (c->timeout_ns)
		end_at = now + c->timeout_ns;
	while (vm->left < c->cpus) {
		bool stopping = vm_stopping(vm);
		uint64_t alarm = rtc_due(vm->rtc);

		alarm += alarm ? now_ns() : 0;
		wait_until(vm, stopping ?
				       now_ns() + REKICK_NS :
				       sooner(sooner(look_at, end_at), alarm));
		/* What follows calls others, so not with the lock. */
		pthread_mutex_unlock(&vm->lock);
		now = now_ns();
		if (stopping) {
			/* A call that blocks may have begun after the kick. */
			kick_all(vm);
		}
		if (end_at && now >= end_at) {
			vm_end(vm, VM_TIMEOUT, 0, "still ran after %.1f s",
			       (double)c->timeout_ns / (double)NS);
		} else if (look_at && now >= look_at) {
			look(vm, now);
			look_at = now + c->watchdog_ns / TICKS;
		}
		pthread_mutex_lock(&vm->lock);
	}
}

static void *minder(void *arg)
{
	struct vm *vm = arg;
	uint64_t one = 1;

	pthread_mutex_lock(&vm->lock);
	mind(vm);
	if (vm->started_ns)
		vm->result.ran_ns = now_ns() - vm->started_ns;
	vm->ended = true;
	pthread_mutex_unlock(&vm->lock);

	serial_flush(vm->serial);
	if (vm->conf.ended)
		vm->conf.ended(vm->conf.ctx, vm);

	pthread_mutex_lock(&vm->lock);
	vm->settled = true;
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
	if (write(vm->fd, &one, sizeof(one)) < 0)
		log_warn("%s: telling of its end", vm->conf.name);
	return NULL;
}

static int start_minder(struct vm *vm)
{
	sigset_t mask, old;
	pthread_attr_t attr;
	int rc;

	sigfillset(&mask);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, MINDER_STACK);
	pthread_sigmask(SIG_SETMASK, &mask, &old);
	rc = pthread_create(&vm->minder, &attr, minder, vm);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	vm->has_minder = !rc;
	return -rc;
}

/* It never ran, and nobody minds it: who waits for its end must see one. */
static void never_ran(struct vm *vm)
{
	vm_end(vm, VM_STOPPED, 0, "it could not be started");
	if (vm->conf.ended)
		vm->conf.ended(vm->conf.ctx, vm);
	pthread_mutex_lock(&vm->lock);
	vm->ended = vm->settled = true;
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
}

int vm_start(struct vm *vm, char **why)
{
	int rc = vm_tables(vm, why);

	if (!rc) {
		rc = start_minder(vm);
		if (rc)
			*why = xasprintf("starting a thread: %s",
					 strerror(-rc));
	}
	if (rc) {
		never_ran(vm);
		return rc;
	}
	for (unsigned int i = 0; !rc && i < vm->conf.cpus; i++) {
		rc = vcpu_start(vm->vcpu[i]);
		if (!rc)
			continue;
		vm_end(vm, VM_STOPPED, 0, "no thread for a cpu");
		for (; i < vm->conf.cpus; i++)
			vm_left(vm); /* they were never there */
	}
	if (rc)
		*why = xasprintf("starting a thread: %s", strerror(-rc));
	return rc;
}

bool vm_wait(struct vm *vm, uint64_t timeout_ns)
{
	uint64_t deadline = timeout_ns ? now_ns() + timeout_ns : 0;
	bool settled;

	pthread_mutex_lock(&vm->lock);
	while (!vm->settled && (!deadline || now_ns() < deadline))
		wait_until(vm, deadline);
	settled = vm->settled;
	pthread_mutex_unlock(&vm->lock);
	return settled;
}

int vm_fd(const struct vm *vm)
{
	return vm->fd;
}

struct vm_result vm_result(struct vm *vm)
{
	struct vm_result result;

	pthread_mutex_lock(&vm->lock);
	result = vm->result;
	if (!vm->ended)
		result.status = VM_RUNNING;
	pthread_mutex_unlock(&vm->lock);
	return result;
}

void vm_close(struct vm *vm)
{
	if (!vm)
		return;
	if (vm->has_minder) {
		vm_stop(vm);
		pthread_join(vm->minder, NULL);
	}
	for (unsigned int i = 0; i < vm->conf.cpus; i++)
		vcpu_close(vm->vcpu[i]);
	hv_close(vm->hv);
	serial_close(vm->serial);
	platform_close(vm->platform);
	pm_close(vm->pm);
	rtc_close(vm->rtc);
	vpci_close(vm->vpci);
	bus_close(vm->bus);
	irq_close(vm->irq);
	mem_close(vm->mem);
	symbols_close(vm->symbols);
	if (vm->fd >= 0)
		close(vm->fd);
	pthread_cond_destroy(&vm->cond);
	pthread_mutex_destroy(&vm->lock);
	free((char *)vm->conf.name);
	free((char *)vm->conf.image);
	free((char *)vm->conf.cmdline);
	free((char *)vm->conf.initrd);
	free(vm);
}

const char *vm_name(const struct vm *vm)
{
	return vm->conf.name;
}

unsigned int vm_slot(struct vm *vm)
{
	return MEM_REGIONS + vm->slots++;
}

struct hv *vm_hv(struct vm *vm)
{
	return vm->hv;
}

struct mem *vm_mem(struct vm *vm)
{
	return vm->mem;
}

struct serial *vm_serial(struct vm *vm)
{
	return vm->serial;
}

void vm_tell_rip(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->conf.cpus; i++)
		vcpu_tell_rip(vm->vcpu[i]);
}

void vm_where(struct vm *vm, unsigned int index, char *text, size_t room)
{
	struct hv_registers regs;

	if (index >= vm->conf.cpus || vcpu_registers(vm->vcpu[index], &regs))
		snprintf(text, room, "rip unknown");
	else
		unwind_say(vm->symbols, vm->mem, &regs, text, room);
}

void vm_machine_check(struct vm *vm, unsigned int index, const uint64_t *addr)
{
	if (index < vm->conf.cpus)
		vcpu_machine_check(vm->vcpu[index], addr);
}

void vm_exits(const struct vm *vm, uint64_t count[HV_CAUSES])
{
	for (int cause = 0; cause < HV_CAUSES; cause++) {
		count[cause] = 0;
		for (unsigned int i = 0; i < vm->conf.cpus; i++)
			count[cause] +=
				vcpu_exits(vm->vcpu[i], (enum hv_cause)cause);
	}
}

const char *vm_status_name(enum vm_status status)
{
	static const char *const names[VM_STATUSES] = {
		[VM_RUNNING] = "running",   [VM_OK] = "ok",
		[VM_POWEROFF] = "poweroff", [VM_FAILED] = "failed",
		[VM_RESET] = "reset",	    [VM_TRIPLE_FAULT] = "triple-fault",
		[VM_CRASHED] = "crashed",   [VM_HUNG] = "hung",
		[VM_TIMEOUT] = "timeout",   [VM_STOPPED] = "stopped",
		[VM_KILLED] = "killed",
	};

	return (unsigned int)status < VM_STATUSES ? names[status] : "unknown";
}
