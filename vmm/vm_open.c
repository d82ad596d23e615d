// SPDX-License-Identifier: MIT
/*
 * vm_open.c: a guest's parts: opened, plugged together, and reset.
 */

#include "vm_impl.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "acpi.h"
#include "bus.h"
#include "clock.h"
#include "file.h"
#include "irq.h"
#include "log.h"
#include "mem.h"
#include "mptable.h"
#include "platform.h"
#include "pm.h"
#include "rtc.h"
#include "serial.h"
#include "symbols.h"
#include "vcpu.h"

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

static void on_power_off(void *ctx)
{
	vm_end(ctx, VM_POWEROFF, 0, "%s", "");
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
	symbols_close(vm->symbols);
	vm->symbols = NULL;
	/* an image that says nothing of its code is as good to run */
	if (!rc && symbols_open(&vm->symbols, data, image.len))
		vm->symbols = NULL;
	free(initrd);
	free(data);
	return rc;
}

static void on_message(void *ctx, uint64_t addr, uint32_t data)
{
	struct vm *vm = ctx;

	hv_message(vm->hv, addr, data);
}

/* The minder is to look again when to wake. */
static void on_clock(void *ctx)
{
	struct vm *vm = ctx;

	pthread_mutex_lock(&vm->lock);
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
}

static int open_devices(struct vm *vm)
{
	static const struct platform_ops ops = {
		.exit = on_exit_port,
		.reset = on_reset,
	};
	static const struct rtc_ops clock = { .wake = on_clock };
	int rc;

	rc = irq_open(&vm->irq, on_irq, vm);
	if (!rc)
		rc = bus_open(&vm->bus);
	if (!rc)
		rc = vpci_open(&vm->vpci, vm->bus, vm->irq);
	if (!rc)
		vpci_messages(vm->vpci, on_message, vm);
	if (!rc)
		rc = platform_open(&vm->platform, vm->bus, vm->mem, vm->vpci,
				   &ops, vm);
	if (!rc)
		rc = pm_open(&vm->pm, vm->bus, vm->irq, on_power_off, vm);
	if (!rc)
		rc = rtc_open(&vm->rtc, vm->bus, vm->irq, &clock, vm);
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
			.first = vm_first,
			.left = vm_left,
			.rest = vm_rest,
		};
		int rc = vcpu_open(&vm->vcpu[i], &conf, why);

		if (rc)
			return rc;
	}
	return 0;
}

/* To the first instruction, from a state as hv_keep() found it. */
static int enter(struct vm *vm)
{
	const struct hv_entry entry = {
		.eip = vm->entry.eip,
		.eax = vm->entry.eax,
		.ebx = vm->entry.ebx,
		.esi = vm->entry.esi,
		.page_tables = vm->entry.page_tables,
		.gdt = vm->entry.gdt,
	};

	return vcpu_enter(vm->vcpu[0], &entry);
}

static int open_machine(struct vm *vm, char **why)
{
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
	if (!rc && vm->conf.reboots)
		rc = hv_keep(vm->hv);
	for (unsigned int i = 0; !rc && vm->conf.reboots && i < vm->conf.cpus;
	     i++)
		rc = vcpu_keep(vm->vcpu[i]);
	if (!rc)
		rc = enter(vm);
	if (rc)
		*why = xasprintf("setting up KVM: %s", strerror(-rc));
	return rc;
}

int vm_power_on(struct vm *vm, char **why)
{
	int rc;

	vpci_reset(vm->vpci);
	serial_reset(vm->serial);
	platform_reset(vm->platform);
	pm_reset(vm->pm);
	rtc_reset(vm->rtc);
	rc = open_image(vm, why);
	if (!rc)
		rc = vm_tables(vm, why);
	if (rc)
		return rc;
	rc = hv_reset(vm->hv, why);
	for (unsigned int i = 0; !rc && i < vm->conf.cpus; i++)
		rc = vcpu_reset(vm->vcpu[i], why);
	return rc ? rc : enter(vm);
}

/* Without its parts yet, but good for vm_close(). */
static struct vm *vm_new(const struct vm_conf *conf)
{
	struct vm *vm = xcalloc(1, sizeof(*vm));
	pthread_condattr_t attr;

	vm->opened_ns = clock_now();
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

/* The MP table from the area's start on, ACPI behind it. */
int vm_tables(struct vm *vm, char **why)
{
	struct vpci_route routes[VPCI_DEVICES];
	struct mptable_conf mp = { .cpus = vm->conf.cpus,
				   .level_lines = VPCI_IRQ_MASK,
				   .routes = routes };
	struct acpi_conf acpi = { .cpus = vm->conf.cpus, .routes = routes };
	uint8_t *rom = mem_ptr(vm->mem, BOOT_ROM_BASE, BOOT_ROM_SIZE);
	const size_t mp_room = BOOT_ACPI_BASE - BOOT_ROM_BASE;
	int rc;

	for (unsigned int i = 0; i < VPCI_DEVICES; i++)
		if (vpci_route(vm->vpci, i, &routes[mp.n_routes]))
			mp.n_routes++;
	acpi.n_routes = mp.n_routes;
	rc = mptable_build(&mp, (uint32_t)BOOT_ROM_BASE, rom, mp_room);
	if (rc < 0) {
		*why = xasprintf("MP table: %s", strerror(-rc));
		return rc;
	}
	rc = acpi_build(&acpi, (uint32_t)BOOT_ACPI_BASE, rom + mp_room,
			BOOT_ROM_SIZE - mp_room);
	if (rc < 0)
		*why = xasprintf("ACPI tables: %s", strerror(-rc));
	return rc < 0 ? rc : 0;
}
