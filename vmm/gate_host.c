// SPDX-License-Identifier: MIT
/*
 * gate_host.c: what the monitor asks of its host: the device, time, guests'
 * memory and interrupts; and what it reports.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "gate_impl.h"
#include "log.h"
#include "mem.h"
#include "unwind.h"

/* Reports of one guest that are printed; the rest are counted. */
#define REPORTS_SHOWN 10u

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	struct gate *gate = ctx;

	return gate->be->ops->read(gate->be, gate->bar[space], off, width);
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct gate *gate = ctx;

	gate->be->ops->write(gate->be, gate->bar[space], off, width, value);
}

static void host_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	struct gate *gate = ctx;

	gate->be->ops->read_string(gate->be, gate->bar[space], off, width, to,
				   n);
}

static void host_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	struct gate *gate = ctx;

	gate->be->ops->write_string(gate->be, gate->bar[space], off, width,
				    from, n);
}

static void host_pause(void *ctx, uint64_t ns)
{
	struct timespec ts = { .tv_nsec = (long)(ns % 1000000000u) };

	(void)ctx;
	nanosleep(&ts, NULL);
}

static uint64_t host_now(void *ctx)
{
	(void)ctx;
	return clock_now();
}

static int host_reset(void *ctx)
{
	struct gate *gate = ctx;

	return gate->be->ops->reset(gate->be);
}

static void host_line(void *ctx, unsigned int guest, bool level)
{
	struct gate *gate = ctx;

	if (gate->seat[guest].pci)
		vpci_set_line(gate->seat[guest].pci, level);
}

static void host_message(void *ctx, unsigned int guest, unsigned int vector)
{
	struct gate *gate = ctx;

	if (gate->seat[guest].pci)
		vpci_message(gate->seat[guest].pci, vector);
}

static void host_wake(void *ctx, unsigned int guest)
{
	struct gate *gate = ctx;

	pthread_cond_broadcast(&gate->seat[guest].wake);
}

void gate_kick(struct gate *gate)
{
	uint64_t one = 1;

	if (write(gate->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warn("%s: cannot wake its thread", gate->name);
}

static void host_due(void *ctx, uint64_t at_ns)
{
	struct gate *gate = ctx;

	if (at_ns < gate->sleeps_until)
		gate_kick(gate);
}

static void host_frame(void *ctx, unsigned int guest, bool sent,
		       const uint8_t *bytes, size_t len)
{
	struct gate *gate = ctx;

	(void)sent;
	pcap_frame(gate->seat[guest].pcap, bytes, len);
}

/* With an access at hand: on its vCPU's thread, and better without the lock. */
void gate_say(const struct gate *gate, const struct seat *seat,
	      const struct dmm_report *r)
{
	char range[96], where[UNWIND_TEXT] = "";

	report_range(gate->model, r, range, sizeof(range));
	if (r->access && seat->vm)
		vm_where(seat->vm, r->access->vcpu, where, sizeof(where));
	if (*where)
		log_warnx("%s: %s: %s: %s%s (%s line %u), vCPU %u at %s",
			  gate->name, seat->name, r->name, r->rule, range,
			  gate->model_file, r->line, r->access->vcpu, where);
	else if (r->line)
		log_warnx("%s: %s: %s: %s%s (%s line %u)", gate->name,
			  seat->name, r->name, r->rule, range, gate->model_file,
			  r->line);
	else
		log_warnx("%s: %s: %s: %s%s", gate->name, seat->name, r->name,
			  r->rule, range);
}

/* What the guest's policy has us do, and not the monitor. */
static void answer(const struct gate *gate, const struct seat *seat,
		   const struct dmm_report *r)
{
	if (!seat->vm || seat->gone)
		return;
	if (r->policy == DMM_MCE)
		vm_machine_check(seat->vm, r->access ? r->access->vcpu : 0,
				 r->length ? &r->address : NULL);
	else if (r->policy == DMM_POLICY_STOP)
		vm_end(seat->vm, VM_KILLED, 0, "%s: %s: %s", gate->name,
		       r->name, r->rule);
}

static void host_report(void *ctx, const struct dmm_report *r)
{
	struct gate *gate = ctx;
	struct seat *seat = &gate->seat[r->guest];

	answer(gate, seat, r);
	if (seat->reports++ >= REPORTS_SHOWN) {
		if (seat->reports == REPORTS_SHOWN + 1)
			log_warnx("%s: %s: more of these are only counted",
				  gate->name, seat->name);
	} else if (!r->access || !gate->notes) {
		gate_say(gate, seat, r);
	} else if (gate->notes->n < NOTES) {
		gate->notes->report[gate->notes->n++] = *r;
	}
}

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	struct gate *gate = ctx;
	struct vpci_dev *pci = gate->seat[guest].pci;

	/* a function that may not master the bus reaches nothing */
	if (!pci || !(vpci_command(pci) & VPCI_COMMAND_MASTER))
		return -EFAULT;
	return dma_translate(&gate->dma, guest, gpa, len, iova);
}

static void *guest_mem(void *ctx, unsigned int guest, uint64_t gpa, size_t len)
{
	struct gate *gate = ctx;
	struct vm *vm = gate->seat[guest].vm;

	return vm ? mem_ptr(vm_mem(vm), gpa, len) : NULL;
}

static int get_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
		   size_t len)
{
	void *from = guest_mem(ctx, guest, gpa, len);

	if (!from)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

static int put_mem(void *ctx, unsigned int guest, uint64_t gpa,
		   const void *from, size_t len)
{
	void *to = guest_mem(ctx, guest, gpa, len);

	if (!to)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

/* What the device reads from a guest's memory, for its capture file. */
static void host_sent(void *ctx, unsigned int guest,
		      const struct dmm_piece *piece, unsigned int n)
{
	struct gate *gate = ctx;
	const struct dmm_host mem = { .ctx = gate, .read_mem = get_mem };
	uint8_t frame[PCAP_MAX];

	if (gate->seat[guest].pcap)
		pcap_frame(gate->seat[guest].pcap, frame,
			   dmm_gather(&mem, guest, piece, n, frame,
				      sizeof(frame)));
}

struct dmm_host gate_host(struct gate *gate)
{
	return (struct dmm_host){
		.ctx = gate,
		.read = host_read,
		.write = host_write,
		.read_string = host_read_string,
		.write_string = host_write_string,
		.pause = host_pause,
		.now = host_now,
		.reset = host_reset,
		.line = host_line,
		.message = host_message,
		.wake = host_wake,
		.due = host_due,
		.frame = host_frame,
		.sent = host_sent,
		.report = host_report,
		.translate = host_translate,
		.read_mem = get_mem,
		.write_mem = put_mem,
	};
}
