/* SPDX-License-Identifier: MIT */
/*
 * vm.c: a guest: its machine, from opening to how it ended.
 *
 * A machine has a thread for each vCPU and one that minds it: it looks for
 * hangs and time-outs, and when all vCPUs have left it tells how it went.
 */

#include "vm.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "boot.h"
#include "bus.h"
#include "file.h"
#include "irq.h"
#include "log.h"
#include "mem.h"
#include "mptable.h"
#include "platform.h"
#include "serial.h"
#include "symbols.h"
#include "unwind.h"
#include "vcpu.h"

#define NS UINT64_C(1000000000)
#define MINDER_STACK ((size_t)512 << 10) /* thread-local buffers too */
#define REKICK_NS (20 * NS / 1000)
#define TICKS 8 /* looks in the time of the watchdog */

struct vm {
	struct vm_conf conf; /* the strings are ours */
	struct hv *hv;
	struct mem *mem;
	struct bus *bus;
	struct irq *irq;
	struct vpci *vpci;
	struct serial *serial;
	struct platform *platform;
	struct vcpu *vcpu[HV_CPUS_MAX];
	struct boot_entry entry;
	struct symbols *symbols; /* of the image; NULL: none */
	int fd;

	pthread_t minder;
	bool has_minder;
	atomic_bool stopping;

	pthread_mutex_t lock; /* of what is below */
	pthread_cond_t cond;
	unsigned int left;   /* vCPUs whose thread is through */
	bool ended, settled; /* the result stands; all have been told */
	uint64_t opened_ns, started_ns;
	struct vm_result result;

	/* The minder's own. */
	bool asked; /* for samples */
	uint64_t seen_exits, quiet_since_ns;
};

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

void vm_end(struct vm *vm, enum vm_status status, uint32_t code,
	    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pthread_mutex_lock(&vm->lock);
	if (!atomic_load(&vm->stopping)) {
		vm->result.status = status;
		vm->result.code = code;
		vsnprintf(vm->result.why, sizeof(vm->result.why), fmt, ap);
		atomic_store(&vm->stopping, true);
		pthread_cond_broadcast(&vm->cond);
	}
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
	return atomic_load_explicit(&vm->stopping, memory_order_acquire);
}

static void on_exit_port(void *ctx, uint32_t code)
{
	if (code)
		vm_end(ctx, VM_FAILED, code,
		       "wrote %" PRIu32 " to the exit port", code);
	else
		vm_end(ctx, VM_OK, 0, "%s", "");
}

static void on_reset(void *ctx, const char *what)
{
	vm_end(ctx, VM_RESET, 0, "reset by %s", what);
}

/* A terminal that does not take it must not hold a guest that is to end. */
static void write_all(struct vm *vm, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(vm->conf.log_fd, text, len);

		if (n < 0 && errno == EINTR && !vm_stopping(vm))
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static void on_line(void *ctx, const char *line, size_t len)
{
	char text[SERIAL_LINE + 128];
	struct vm *vm = ctx;
	int n;

	if (vm->conf.line) {
		vm->conf.line(vm->conf.ctx, vm, line, len);
		return;
	}
	if (vm->conf.log_fd < 0)
		return;
	n = snprintf(text, sizeof(text), "%.64s%s%s\n",
		     vm->conf.log_prefix ? vm->conf.name : "",
		     vm->conf.log_prefix ? ": " : "", line);
	if (n > 0)
		write_all(vm, text, (size_t)n);
}

static void on_irq(void *ctx, unsigned int line, bool level)
{
	struct vm *vm = ctx;

	hv_irq_line(vm->hv, line, level);
}

static void on_first(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->started_ns = now_ns();
	vm->result.start_ns = vm->started_ns - vm->opened_ns;
	pthread_mutex_unlock(&vm->lock);
}

static void on_left(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->left++;
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
}

static int open_memory(struct vm *vm, char **why)
{
	const struct vm_conf *c = &vm->conf;

	if (c->shared_memory)
		return mem_open_fd(&vm->mem, c->mem_fd, c->mem_offset,
				   c->memory, why);
	return mem_open(&vm->mem, c->memory, why);
}

static int open_image(struct vm *vm, char **why)
{
	struct boot_image image = { .name = vm->conf.image,
				    .cmdline = vm->conf.cmdline };
	char *data, *initrd = NULL;
	int rc;

	rc = file_read(vm->conf.image, BOOT_IMAGE_MAX, &data, &image.len, why);
	if (rc)
		return rc;
	image.data = (const uint8_t *)data;
	if (vm->conf.initrd)
		rc = file_read(vm->conf.initrd, BOOT_IMAGE_MAX, &initrd,
			       &image.initrd_len, why);
	if (rc) {
		free(data);
		return rc;
	}
	image.initrd = (const uint8_t *)initrd;
	rc = boot_load(vm->mem, &image, &vm->entry, why);
	/* an image that says nothing of its code is as good to run */
	if (!rc && symbols_open(&vm->symbols, data, image.len))
		vm->symbols = NULL;
	free(initrd);
	free(data);
	return rc;
}

static int open_devices(struct vm *vm)
{
	static const struct platform_ops ops = {
		.exit = on_exit_port,
		.reset = on_reset,
	};
	int rc;

	rc = irq_open(&vm->irq, on_irq, vm);
	if (!rc)
		rc = bus_open(&vm->bus);
	if (!rc)
		rc = vpci_open(&vm->vpci, vm->bus, vm->irq);
	if (!rc)
		rc = platform_open(&vm->platform, vm->bus, vm->mem, vm->vpci,
				   &ops, vm);
	if (!rc)
		rc = serial_open(&vm->serial, vm->irq, on_line, vm);
	if (!rc)
		rc = bus_map(vm->bus, BUS_IO, SERIAL_PORT, SERIAL_PORTS,
			     serial_access, vm->serial);
	return rc;
}

static int open_vcpus(struct vm *vm, char **why)
{
	for (unsigned int i = 0; i < vm->conf.cpus; i++) {
		struct vcpu_conf conf = {
			.vm = vm,
			.hv = vm->hv,
			.bus = vm->bus,
			.mem = vm->mem,
			.index = i,
			.count = vm->conf.cpus,
			.first = on_first,
			.left = on_left,
		};
		int rc = vcpu_open(&vm->vcpu[i], &conf, why);

		if (rc)
			return rc;
	}
	return 0;
}

static int open_machine(struct vm *vm, char **why)
{
	const struct hv_entry entry = { vm->entry.eip, vm->entry.eax,
					vm->entry.ebx };
	int rc;

	rc = hv_open(&vm->hv, why);
	if (rc)
		return rc;
	rc = open_vcpus(vm, why);
	if (rc)
		return rc;
	rc = mem_attach(vm->mem, vm->hv);
	if (!rc)
		rc = hv_set_elcr(vm->hv, VPCI_IRQ_MASK);
	if (!rc)
		rc = vcpu_enter(vm->vcpu[0], &entry);
	if (rc)
		*why = xasprintf("setting up KVM: %s", strerror(-rc));
	return rc;
}

/* Without its parts yet, but good for vm_close(). */
static struct vm *vm_new(const struct vm_conf *conf)
{
	struct vm *vm = xcalloc(1, sizeof(*vm));
	pthread_condattr_t attr;

	vm->opened_ns = now_ns();
	vm->conf = *conf;
	vm->conf.name = xstrdup(conf->name);
	vm->conf.image = xstrdup(conf->image);
	vm->conf.initrd = conf->initrd ? xstrdup(conf->initrd) : NULL;
	vm->conf.cmdline = conf->cmdline ? xstrdup(conf->cmdline) : NULL;
	vm->fd = -1;
	pthread_mutex_init(&vm->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&vm->cond, &attr);
	pthread_condattr_destroy(&attr);
	return vm;
}

/*
 * What can fail by the user's doing comes first, so a bad image is told even
 * where there is no KVM.
 */
int vm_open(struct vm **out, const struct vm_conf *conf, char **why)
{
	struct vm *vm;
	int rc;

	if (!conf->cpus || conf->cpus > HV_CPUS_MAX) {
		*why = xasprintf("cpus: %u is not from 1 to %d", conf->cpus,
				 HV_CPUS_MAX);
		return -EINVAL;
	}
	vm = vm_new(conf);
	rc = open_memory(vm, why);
	if (!rc)
		rc = open_image(vm, why);
	if (rc)
		goto out;
	vm->fd = eventfd(0, EFD_CLOEXEC);
	rc = vm->fd < 0 ? -errno : open_devices(vm);
	if (rc)
		*why = xasprintf("setting up devices: %s", strerror(-rc));
	else
		rc = open_machine(vm, why);
out:
	if (rc)
		vm_close(vm);
	else
		*out = vm;
	return rc;
}

int vm_add_pci(struct vm *vm, const struct backend_info *info,
	       const struct vpci_ops *ops, void *ctx, struct vpci_dev **out,
	       char **why)
{
	assert(!vm->has_minder);
	return vpci_add(vm->vpci, info, ops, ctx, out, why);
}

static int write_tables(struct vm *vm, char **why)
{
	struct vpci_route routes[VPCI_DEVICES];
	struct mptable_conf conf = { .cpus = vm->conf.cpus,
				     .level_lines = VPCI_IRQ_MASK,
				     .routes = routes };
	uint8_t *rom = mem_ptr(vm->mem, BOOT_ROM_BASE, BOOT_ROM_SIZE);
	int rc;

	for (unsigned int i = 0; i < VPCI_DEVICES; i++)
		if (vpci_route(vm->vpci, i, &routes[conf.n_routes]))
			conf.n_routes++;
	rc = mptable_build(&conf, (uint32_t)BOOT_ROM_BASE, rom, BOOT_ROM_SIZE);
	if (rc < 0)
		*why = xasprintf("MP table: %s", strerror(-rc));
	return rc < 0 ? rc : 0;
}

/* Exits by which a guest shows that it lives. */
static uint64_t live_exits(const struct vm *vm)
{
	uint64_t count[HV_CAUSES];

	vm_exits(vm, count);
	return count[HV_IO] + count[HV_MMIO];
}

/* Every vCPU that runs has its interrupts off and was not in a handler. */
static bool all_deaf(struct vm *vm, uint64_t *rip)
{
	struct hv_state s;

	for (unsigned int i = 0; i < vm->conf.cpus; i++) {
		if (!vcpu_sampled(vm->vcpu[i], &s))
			return false;
		if (s.started && s.rflags & 1 << 9)
			return false;
		if (i == 0)
			*rip = s.rip;
	}
	return true;
}

/*
 * One look.  It takes a row of looks in which all vCPUs were deaf, with no
 * exit from first to last, to call a guest hung: one moment with interrupts
 * off is nothing.
 */
static void look(struct vm *vm, uint64_t now)
{
	uint64_t exits = live_exits(vm), rip = 0;

	if (exits != vm->seen_exits || !vm->asked || !all_deaf(vm, &rip))
		vm->quiet_since_ns = now;
	else if (now - vm->quiet_since_ns >= vm->conf.watchdog_ns)
		vm_end(vm, VM_HUNG, 0,
		       "interrupts off and no exit for %.1f s, cpu 0 at rip "
		       "%#" PRIx64,
		       (double)(now - vm->quiet_since_ns) / (double)NS, rip);
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

		wait_until(vm, stopping ? now_ns() + REKICK_NS :
					  sooner(look_at, end_at));
		/* What follows calls others, so not with the lock. */
		pthread_mutex_unlock(&vm->lock);
		now = now_ns();
		if (stopping) {
			/* A call that blocks may have begun after the kick. */
			kick_all(vm);
		} else if (end_at && now >= end_at) {
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
	int rc = write_tables(vm, why);

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
			on_left(vm); /* they were never there */
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
		[VM_RUNNING] = "running",
		[VM_OK] = "ok",
		[VM_FAILED] = "failed",
		[VM_RESET] = "reset",
		[VM_TRIPLE_FAULT] = "triple-fault",
		[VM_CRASHED] = "crashed",
		[VM_HUNG] = "hung",
		[VM_TIMEOUT] = "timeout",
		[VM_STOPPED] = "stopped",
		[VM_KILLED] = "killed",
	};

	return (unsigned int)status < VM_STATUSES ? names[status] : "unknown";
}
