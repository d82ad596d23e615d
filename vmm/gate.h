/* SPDX-License-Identifier: MIT */
/*
 * gate.h: where guests, a device's model and the physical device meet: one
 * gate a device.
 *
 * Interface: gate_open() takes the device and sets it up; gate_attach() plugs
 * it into each guest that shares it; gate_start() lets its thread run; then
 * the guests may.  gate_leave() when a guest has ended, gate_close() at last.
 *
 * A device has one lock.  A guest's access is judged and done in one hold of
 * it, and so is a hand-over: nothing lands after one.
 *
 * Threads: gate_leave(), gate_reset() and the numbers from any; the others from one.
 */

#ifndef VMM_GATE_H
#define VMM_GATE_H

#include "machine.h"
#include "report.h"
#include "vm.h"

struct gate;
struct recorder;

struct gate_recording {
	struct recorder *recorder;
	const char *text; /* the model's */
	size_t len;
};

/*
 * Open the device (dev) of a machine, for the guests of (m) that use it.
 * (model) is borrowed; (recording) NULL: not recorded.  0, or -errno with one line in (*why), which the caller
 * frees.
 */
MUST_CHECK int gate_open(struct gate **out, const struct machine *m,
			 unsigned int device, const struct dmm_model *model,
			 const struct gate_recording *recording, char **why);

/*
 * The memory of guest (guest) must be (bytes) of (*fd) at (*offset): the
 * device reaches no other.  (*fd) is -1, or what another device's gate said.
 * -ENOENT: any will do.  Else as gate_open().
 */
MUST_CHECK int gate_memory(struct gate *gate, unsigned int guest,
			   uint64_t bytes, int *fd, uint64_t *offset,
			   char **why);

/* Plug it into (vm), which is guest (guest) of the machine.  As gate_open(). */
MUST_CHECK int gate_attach(struct gate *gate, unsigned int guest, struct vm *vm,
			   char **why);

/* -EAGAIN if there is no thread to be had. */
MUST_CHECK int gate_start(struct gate *gate);

/* Guest (guest) of the machine was reset, and so is its side of the device. */
void gate_reset(struct gate *gate, unsigned int guest);

/* Guest (guest) of the machine has ended: its device is the others'. */
void gate_leave(struct gate *gate, unsigned int guest);

/* Leave the device quiet, and let it go.  NULL is fine. */
void gate_close(struct gate *gate);

/* Add what guest (guest) of the machine did here to (sum). */
void gate_guest_stats(struct gate *gate, unsigned int guest,
		      struct dmm_guest_stats *sum);
void gate_stats(struct gate *gate, struct report_device *out);

#endif /* VMM_GATE_H */
