// SPDX-License-Identifier: MIT
/*
 * gate.c: a device's gate: accesses of guests to the monitor, the monitor's to
 * the backend, interrupts back.
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "crash.h"
#include "gate_impl.h"
#include "log.h"
#include "mem.h"
#include "models.h"
#include "unwind.h"
#include "why.h"

/* A held access looks again after this, whatever it was told. */
#define HOLD_NS 10000000u
#define PCI_REVISION 8 /* in configuration space: PCI 3.0, 6.2.1 */

/* ---- a guest's access ---- */

/* Sleep until the guest's turn may have come; the lock is given up. */
static void wait_for_turn(struct gate *gate, struct seat *seat)
{
	uint64_t until = clock_now() + HOLD_NS;
	struct timespec ts = { .tv_sec = (time_t)(until / 1000000000u),
			       .tv_nsec = (long)(until % 1000000000u) };

	pthread_cond_timedwait(&seat->wake, &gate->lock, &ts);
}

static void bar_access(void *ctx, unsigned int bar, struct bus_access *access)
{
	struct seat *seat = ctx;
	struct gate *gate = seat->gate;
	struct dmm_access a = {
		.space = (unsigned int)gate->space[bar],
		.off = access->off,
		.data = access->data,
		.count = access->count,
		.width = access->width,
		.write = access->write,
		.vcpu = access->vcpu,
	};
	enum dmm_verdict verdict = DMM_PASS;
	struct notes notes;
	unsigned int i;

	if (gate->space[bar] < 0) { /* no more of it than an MSI-X table */
		if (!access->write)
			memset(access->data, 0xff,
			       (size_t)access->count * access->width);
		return;
	}
	notes.n = 0;
	crash_note_set(seat->name, gate->name, access->write ? "write" : "read",
		       access->addr, 0, access->width);
	pthread_mutex_lock(&gate->lock);
	while (!seat->gone && !vm_stopping(seat->vm)) {
		gate->notes = &notes;
		verdict = enter_access(gate->record, gate->dmm, seat->index, &a,
				       access->rip);
		gate->notes = NULL;
		if (verdict != DMM_HOLD)
			break;
		wait_for_turn(gate, seat);
	}
	pthread_mutex_unlock(&gate->lock);
	for (i = 0; i < notes.n; i++)
		gate_say(gate, seat, &notes.report[i]);
	if (verdict == DMM_STOP)
		vm_end(seat->vm, VM_KILLED, 0,
		       "%s: it did what its policy ends it for", gate->name);
	crash_note_clear();
}

/* The function tells of interrupts in another way: so does the monitor. */
static void mode_changed(void *ctx, enum pcicap_mode mode)
{
	struct seat *seat = ctx;
	struct gate *gate = seat->gate;

	pthread_mutex_lock(&gate->lock);
	if (!seat->gone)
		enter_signals(gate->record, gate->dmm, seat->index,
			      mode == PCICAP_MSIX ? DMM_VECTORS :
			      mode == PCICAP_MSI  ? DMM_MESSAGE :
						    DMM_LINE);
	pthread_mutex_unlock(&gate->lock);
}

static const struct vpci_ops pci_ops = { .access = bar_access,
					 .mode = mode_changed };

/* Of a card that the guest has alone. */
static void whole_command(void *ctx, uint16_t command)
{
	struct seat *seat = ctx;

	if (!seat->gone)
		alone_command(&seat->gate->alone, seat->pci, command);
}

static void whole_mode(void *ctx, enum pcicap_mode mode)
{
	struct seat *seat = ctx;

	if (!seat->gone)
		alone_mode(&seat->gate->alone, seat->pci, mode);
}

static void whole_placed(void *ctx, unsigned int bar, bool seen, uint64_t addr)
{
	struct seat *seat = ctx;

	alone_placed(&seat->gate->alone, bar, seen, addr);
}

static void whole_vector(void *ctx, unsigned int vector,
			 const struct pcicap_vector *message)
{
	struct seat *seat = ctx;

	if (!seat->gone)
		alone_vector(&seat->gate->alone, vector, message);
}

static const struct vpci_ops whole_ops = { .access = bar_access,
					   .command = whole_command,
					   .mode = whole_mode,
					   .placed = whole_placed,
					   .vector = whole_vector };

/* ---- the device's thread ---- */

static void *device_thread(void *arg)
{
	struct gate *gate = arg;
	bool level = false, now;
	uint64_t next;

	crash_thread();
	for (;;) {
		pthread_mutex_lock(&gate->lock);
		if (gate->stop) {
			pthread_mutex_unlock(&gate->lock);
			return NULL;
		}
		crash_note_set(NULL, gate->name, "interrupt or tick", 0, 0, 0);
		now = gate->be->ops->irq_level(gate->be);
		if (now || now != level)
			enter_interrupt(gate->record, gate->dmm, now);
		level = now;
		if (now && gate->be->ops->irq_done)
			gate->be->ops->irq_done(gate->be);
		next = enter_tick(gate->record, gate->dmm);
		gate->sleeps_until = next;
		crash_note_clear();
		pthread_mutex_unlock(&gate->lock);
		clock_wait(gate->be->irq_fd, gate->wake_fd, next);
		clock_empty(gate->wake_fd);
		if (!gate->be->ops->irq_done)
			clock_empty(gate->be->irq_fd);
		pthread_mutex_lock(&gate->lock);
		gate->sleeps_until = 0;
		pthread_mutex_unlock(&gate->lock);
	}
}

/* ---- opening and closing ---- */

static int map_spaces(struct gate *gate, char **why)
{
	struct dmm_space s;
	unsigned int i;

	for (i = 0; i < BACKEND_BARS; i++)
		gate->space[i] = -1;
	for (i = 0; dmm_model_space(gate->model, i, &s); i++) {
		const struct backend_bar *bar;

		if (s.window)
			continue;
		bar = &gate->be->info.bar[s.bar];
		gate->bar[i] = s.bar;
		if (bar->space != (s.io ? BACKEND_IO : BACKEND_MMIO))
			return why_set(why, -EINVAL,
				       "%s: the model says that BAR %u is %s; "
				       "the device's is not",
				       gate->name, s.bar,
				       s.io ? "I/O" : "memory");
		gate->space[s.bar] = (int)i;
	}
	return 0;
}

static void seat_guests(struct gate *gate, const struct machine *m,
			unsigned int device, struct dmm_conf *conf)
{
	unsigned int i, k;

	for (i = 0; i < m->guests; i++)
		for (k = 0; k < m->guest[i].uses; k++) {
			const struct machine_use *use = &m->guest[i].use[k];
			struct seat *seat = &gate->seat[gate->seats];
			struct dmm_guest_conf *g = &conf->guest[gate->seats];

			if (use->device != device ||
			    gate->seats == DMM_MAX_GUESTS)
				continue;
			seat->gate = gate;
			seat->guest = i;
			seat->index = gate->seats++;
			seat->name = m->guest[i].name;
			seat->pcap_path = use->pcap;
			seat->window = use->dma_window;
			memcpy(g->mac, use->mac, 6);
			g->has_mac = use->has_mac;
			g->weight = use->weight;
			g->policy = m->guest[i].policy;
		}
	conf->guests = gate->seats;
}

static int open_pcaps(struct gate *gate, char **why)
{
	unsigned int i;
	int err;

	for (i = 0; i < gate->seats; i++) {
		if (!gate->seat[i].pcap_path)
			continue;
		err = pcap_open(&gate->seat[i].pcap, gate->seat[i].pcap_path);
		if (err)
			return why_set(why, err, "cannot write %s: %s",
				       gate->seat[i].pcap_path, strerror(-err));
	}
	return 0;
}

static int open_backend(struct gate *gate, const struct machine_device *dev,
			char **why)
{
	const struct backend_ops *ops = backend_find(dev->backend);
	const struct dmm_match *match;
	uint16_t vendor = 0, device = 0;
	const uint8_t *config;
	size_t n;
	int err;

	if (!ops)
		return why_set(why, -EINVAL, "%s: no backend is called \"%s\"",
			       dev->name, dev->backend);
	match = dmm_model_match(gate->model, &n);
	if (n) {
		vendor = match[0].vendor;
		device = match[0].device;
	}
	if (gate->whole && gate->seats && ops->open_for)
		err = ops->open_for(&gate->be, dev->conf, gate->seat[0].name,
				    why);
	else
		err = ops->open(&gate->be, dev->conf, vendor, device, why);
	if (err || !n)
		return err;
	config = gate->be->info.config;
	vendor = (uint16_t)(config[0] | config[1] << 8);
	device = (uint16_t)(config[2] | config[3] << 8);
	for (size_t i = 0; i < n; i++)
		if (match[i].vendor == vendor && match[i].device == device)
			return 0;
	return why_set(why, -ENODEV,
		       "it is a PCI %04x:%04x, which model %s does not serve; "
		       "vpio list shows which one does",
		       vendor, device, dmm_model_name(gate->model));
}

/* Whoever was here before: nothing of it runs from here on. */
static int reset_device(struct gate *gate, char **why)
{
	struct dmm_host host = gate_host(gate);
	int err = dmm_reset(gate->model, &host);

	if (!err)
		return 0;
	return why_set(why, err, "%s: the device cannot be reset: %s",
		       gate->name,
		       err == -ENOTTY ? "neither by the kernel nor by its "
					"model (procedure force)" :
					strerror(-err));
}

static int open_monitor(struct gate *gate, unsigned int device,
			const struct dmm_conf *conf,
			const struct gate_recording *recording, char **why)
{
	struct dmm_host host = gate_host(gate);
	int err;

	if (recording)
		gate->record = record_open(recording->recorder, device,
					   gate->model, recording->text,
					   recording->len, conf, &host);
	err = dmm_open(&gate->dmm, gate->model, conf, &host, why);
	if (err && !*why)
		why_set(why, err, "%s: %s", gate->name, strerror(-err));
	if (!err && gate->record) {
		record_start(gate->record, gate->dmm);
		backend_watch(gate->be, record_wire, gate->record);
	}
	return err;
}

static struct seat *find_seat(struct gate *gate, unsigned int guest)
{
	unsigned int i;

	for (i = 0; i < gate->seats; i++)
		if (gate->seat[i].guest == guest)
			return &gate->seat[i];
	return NULL;
}

int gate_memory(struct gate *gate, unsigned int guest, uint64_t bytes, int *fd,
		uint64_t *offset, char **why)
{
	struct seat *seat = find_seat(gate, guest);

	if (!seat)
		return -ENOENT;
	return dma_memory(&gate->dma, seat->index, bytes, fd, offset, why);
}

int gate_open(struct gate **out, const struct machine *m, unsigned int device,
	      const struct dmm_model *model,
	      const struct gate_recording *recording, char **why)
{
	const struct machine_device *dev = &m->device[device];
	struct dmm_conf conf = { .how = dev->share.how,
				 .when_parked = dev->share.when_parked,
				 .alone = dev->share.alone,
				 .antispoof = dev->share.antispoof,
				 .mirror = dev->share.mirror,
				 .lease_ns = dev->share.lease_ns };
	struct gate *gate = xcalloc(1, sizeof(*gate));
	pthread_condattr_t attr;
	unsigned int i;
	int err;

	gate->name = dev->name;
	gate->whole = dev->share.alone;
	gate->model = model;
	gate->model_file = models_file(dev->model);
	pthread_mutex_init(&gate->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	for (i = 0; i < DMM_MAX_GUESTS; i++)
		pthread_cond_init(&gate->seat[i].wake, &attr);
	pthread_condattr_destroy(&attr);
	seat_guests(gate, m, device, &conf);
	gate->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = gate->wake_fd < 0 ? why_set(why, -errno, "no file descriptor") :
				  open_backend(gate, dev, why);
	if (!err)
		err = map_spaces(gate, why);
	if (!err)
		err = reset_device(gate, why);
	if (!err)
		err = dma_open(&gate->dma, gate->be,
			       gate->whole ? 0 : dmm_model_area(gate->model),
			       why);
	gate->dma.alone = gate->whole;
	conf.area = gate->dma.area;
	if (!err)
		err = open_pcaps(gate, why);
	if (!err)
		err = open_monitor(gate, device, &conf, recording, why);
	if (err) {
		gate_close(gate);
		return err;
	}
	*out = gate;
	return 0;
}

int gate_attach(struct gate *gate, unsigned int guest, struct vm *vm,
		char **why)
{
	struct seat *seat = find_seat(gate, guest);
	int revision = dmm_model_revision(gate->model);
	struct backend_info info = gate->be->info;
	unsigned int i;
	int err;

	if (!seat)
		return 0;
	seat->vm = vm;
	if (gate->record)
		vm_tell_rip(vm);
	/* a BAR that the model does not know is not the guest's to see */
	for (i = 0; i < BACKEND_BARS; i++)
		if (gate->space[i] < 0 && !pcicap_needs(&gate->be->info, i))
			info.bar[i].space = BACKEND_NONE;
	if (revision >= 0)
		info.config[PCI_REVISION] = (uint8_t)revision;
	err = dma_attach(&gate->dma, seat->index, vm_mem(vm), seat->window,
			 why);
	if (!err && gate->whole)
		err = alone_open(&gate->alone, gate->name, gate->be, vm,
				 gate->dmm, gate->space, why);
	if (!err)
		err = vm_add_pci(vm, &info, gate->whole ? &whole_ops : &pci_ops,
				 seat, &seat->pci, why);
	if (!err && gate->whole)
		alone_mode(&gate->alone, seat->pci, PCICAP_PIN);
	return err;
}

int gate_start(struct gate *gate)
{
	int err = pthread_create(&gate->thread, NULL, device_thread, gate);

	gate->running = !err;
	return -err;
}

void gate_reset(struct gate *gate, unsigned int guest)
{
	struct seat *seat = find_seat(gate, guest);

	if (!seat)
		return;
	pthread_mutex_lock(&gate->lock);
	if (!seat->gone)
		enter_guest_reset(gate->record, gate->dmm, seat->index);
	pthread_mutex_unlock(&gate->lock);
	gate_kick(gate);
}

void gate_leave(struct gate *gate, unsigned int guest)
{
	struct seat *seat = find_seat(gate, guest);

	if (!seat)
		return;
	pthread_mutex_lock(&gate->lock);
	if (!seat->gone)
		enter_leave(gate->record, gate->dmm, seat->index);
	if (!seat->gone && gate->whole) {
		alone_close(&gate->alone);
		(void)!gate->be->ops->reset(gate->be);
	}
	dma_detach(&gate->dma, seat->index);
	seat->gone = true;
	seat->pci = NULL; /* goes with the guest's machine */
	pthread_cond_broadcast(&seat->wake);
	pthread_mutex_unlock(&gate->lock);
	gate_kick(gate);
}

void gate_close(struct gate *gate)
{
	unsigned int i;

	if (!gate)
		return;
	if (gate->running) {
		pthread_mutex_lock(&gate->lock);
		gate->stop = true;
		pthread_mutex_unlock(&gate->lock);
		gate_kick(gate);
		pthread_join(gate->thread, NULL);
	}
	if (gate->record) {
		backend_watch(gate->be, NULL, NULL);
		record_stop(gate->record);
	}
	alone_close(&gate->alone);
	if (gate->dmm)
		dmm_quiet(gate->dmm);
	dmm_close(gate->dmm);
	dma_close(&gate->dma);
	if (gate->be)
		gate->be->ops->close(gate->be);
	for (i = 0; i < DMM_MAX_GUESTS; i++)
		pthread_cond_destroy(&gate->seat[i].wake);
	for (i = 0; i < gate->seats; i++)
		pcap_close(gate->seat[i].pcap);
	if (gate->wake_fd >= 0)
		close(gate->wake_fd);
	pthread_mutex_destroy(&gate->lock);
	free(gate->model_file);
	free(gate);
}

/* ---- numbers ---- */

void gate_guest_stats(struct gate *gate, unsigned int guest,
		      struct dmm_guest_stats *sum)
{
	struct seat *seat = find_seat(gate, guest);
	struct dmm_guest_stats s;

	if (!seat)
		return;
	pthread_mutex_lock(&gate->lock);
	dmm_guest_stats(gate->dmm, seat->index, &s);
	pthread_mutex_unlock(&gate->lock);
	report_add(sum, &s);
}

void gate_stats(struct gate *gate, struct report_device *out)
{
	*out = (struct report_device){
		.name = gate->name,
		.model = dmm_model_name(gate->model),
		.model_lines = dmm_model_lines(gate->model),
		.rings = dmm_model_area(gate->model) > 0 && !gate->whole,
		.unheard = gate->be->ops->unheard(gate->be),
	};
	pthread_mutex_lock(&gate->lock);
	dmm_stats(gate->dmm, &out->stats);
	pthread_mutex_unlock(&gate->lock);
}
