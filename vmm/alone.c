// SPDX-License-Identifier: MIT
/*
 * alone.c: a card that one guest has to itself, behind an IOMMU.
 */

#include "alone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"
#include "why.h"

/* ---- pages ---- */

static bool grants(const struct alone *a, const struct dmm *dmm,
		   const int *space, unsigned int bar, uint64_t off)
{
	return dmm_direct(dmm, (unsigned int)space[bar], off) &&
	       !pcicap_within(&a->be->info, bar, off, DMM_PAGE);
}

static void find_runs(struct alone *a, const struct dmm *dmm, const int *space,
		      unsigned int bar)
{
	struct alone_run *run = NULL;
	uint64_t off;

	for (off = 0; off < a->be->info.bar[bar].size; off += DMM_PAGE) {
		if (!grants(a, dmm, space, bar, off)) {
			run = NULL;
			continue;
		}
		if (!run && a->runs == ARRAY_LEN(a->run))
			return; /* the rest traps: slower, and as good */
		if (!run) {
			run = &a->run[a->runs];
			*run = (struct alone_run){ .bar = bar, .off = off };
			run->slot = vm_slot(a->vm);
			a->runs++;
		}
		run->size += DMM_PAGE;
	}
}

static void show(struct alone *a, struct alone_run *run, bool seen,
		 uint64_t addr)
{
	uint8_t *host = a->be->ops->bar_host(a->be, run->bar);
	int err;

	if (!seen && !run->seen)
		return;
	err = hv_slot(vm_hv(a->vm), run->slot, addr + run->off,
		      seen ? run->size : 0, host + run->off, false);
	run->seen = seen && !err;
	if (err)
		log_warnx("%s: pages of BAR %u are not mapped: %s", a->name,
			  run->bar, strerror(-err));
}

/* What cannot be mapped traps, and goes to the card all the same. */
void alone_placed(struct alone *a, unsigned int bar, bool seen, uint64_t addr)
{
	unsigned int i;

	if (addr % DMM_PAGE)
		return;
	for (i = 0; i < a->runs; i++)
		if (a->run[i].bar == bar)
			show(a, &a->run[i], seen, addr);
}

/* ---- interrupts ---- */

static void unbind(struct alone *a, unsigned int i, unsigned int gsi)
{
	if (a->bound[i])
		hv_eventfd_end(vm_hv(a->vm), a->fd[i], gsi);
	a->bound[i] = false;
}

static void no_signals(struct alone *a)
{
	unsigned int i;

	for (i = 0; i < a->fds; i++) {
		unbind(a, i, a->pin ? a->line : a->gsi[i]);
		close(a->fd[i]);
	}
	a->fds = 0;
	a->pin = false;
	(void)!a->be->ops->signals(a->be, BACKEND_PIN, NULL, 0, -1);
}

static int make_fds(struct alone *a, unsigned int n)
{
	for (a->fds = 0; a->fds < n; a->fds++) {
		a->fd[a->fds] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (a->fd[a->fds] < 0)
			return -errno;
		a->bound[a->fds] = false;
	}
	return 0;
}

static int use_pin(struct alone *a, const struct vpci_dev *pci)
{
	int err = make_fds(a, 1);

	if (!err) {
		a->line = vpci_line(pci);
		err = hv_eventfd(vm_hv(a->vm), a->fd[0], a->line, a->unmask);
	}
	if (err)
		return err;
	a->bound[0] = a->pin = true;
	return a->be->ops->signals(a->be, BACKEND_PIN, a->fd, 1, a->unmask);
}

/* Routes are made once, and used again: numbers of them are few. */
static int use_messages(struct alone *a, const struct vpci_dev *pci,
			enum pcicap_mode mode)
{
	unsigned int n = vpci_vectors(pci), i;
	int err;

	if (n > ALONE_VECTORS)
		n = ALONE_VECTORS;
	err = make_fds(a, n);
	for (; !err && a->routes < n; a->routes++)
		err = hv_route_new(vm_hv(a->vm), &a->gsi[a->routes]);
	for (i = 0; i < n && !err; i++)
		a->bound[i] = false;
	if (err)
		return err;
	return a->be->ops->signals(
		a->be, mode == PCICAP_MSIX ? BACKEND_MSIX : BACKEND_MSI, a->fd,
		n, -1);
}

/* By the way that the guest has chosen, if it has not turned the pin off. */
static void choose(struct alone *a, const struct vpci_dev *pci)
{
	int err = 0;

	no_signals(a);
	if (a->mode != PCICAP_PIN)
		err = use_messages(a, pci, a->mode);
	else if (!(a->command & VPCI_COMMAND_INTX_OFF) && a->be->info.intx)
		err = use_pin(a, pci);
	if (err)
		log_warnx("%s: its interrupts do not reach the guest: %s",
			  a->name, strerror(-err));
}

void alone_mode(struct alone *a, const struct vpci_dev *pci,
		enum pcicap_mode mode)
{
	a->mode = mode;
	choose(a, pci);
}

/* What came while it was held back is in the eventfd, and comes then. */
void alone_vector(struct alone *a, unsigned int vector,
		  const struct pcicap_vector *message)
{
	struct hv *hv = vm_hv(a->vm);
	int err;

	if (vector >= a->fds || a->mode == PCICAP_PIN)
		return;
	if (!message || !pcicap_is_interrupt(message->addr)) {
		unbind(a, vector, a->gsi[vector]);
		return;
	}
	err = hv_route(hv, a->gsi[vector], message->addr, message->data);
	if (!err && !a->bound[vector])
		err = hv_eventfd(hv, a->fd[vector], a->gsi[vector], -1);
	if (!err)
		a->bound[vector] = true;
	else
		log_warnx("%s: vector %u does not reach the guest: %s", a->name,
			  vector, strerror(-err));
}

void alone_command(struct alone *a, const struct vpci_dev *pci,
		   uint16_t command)
{
	uint16_t changed = a->command ^ command;

	a->command = command;
	if (changed & VPCI_COMMAND_MASTER)
		a->be->ops->bus_master(a->be, command & VPCI_COMMAND_MASTER);
	if (changed & VPCI_COMMAND_INTX_OFF && a->mode == PCICAP_PIN)
		choose(a, pci);
}

/* ---- the whole ---- */

int alone_open(struct alone *a, const char *name, struct backend *be,
	       struct vm *vm, const struct dmm *dmm,
	       const int space[BACKEND_BARS], char **why)
{
	unsigned int i;

	*a = (struct alone){ .be = be, .vm = vm, .name = name };
	if (!be->ops->bar_host || !be->ops->signals || !be->ops->dma_map) {
		a->be = NULL;
		return why_set(why, -EINVAL,
			       "%s: backend %s does not give a card whole",
			       name, be->ops->name);
	}
	a->unmask = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (a->unmask < 0) {
		a->be = NULL;
		return why_set(why, -errno, "no file descriptor");
	}
	for (i = 0; i < BACKEND_BARS; i++)
		if (space[i] >= 0 && be->info.bar[i].space == BACKEND_MMIO &&
		    be->ops->bar_host(be, i))
			find_runs(a, dmm, space, i);
	return 0;
}

void alone_close(struct alone *a)
{
	if (!a->be)
		return;
	a->be->ops->bus_master(a->be, false);
	no_signals(a);
	close(a->unmask);
	a->be = NULL;
}
