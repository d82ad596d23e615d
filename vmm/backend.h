/* SPDX-License-Identifier: MIT */
/*
 * backend.h: one physical PCI device, whatever stands for it.
 *
 * A backend is opened once, used by the gate, and closed.  It checks nothing
 * that a guest did: that is the model's work, done before it is called.
 *
 * Errors:  open returns 0 or a negative errno with one line that says what to
 *          do in (*why) (the caller frees it).  Accesses cannot fail: a
 *          device that is gone reads as ones.
 * Threads: read, write and their string forms are called under the device's
 *          lock (one at a time); irq_level too.  A backend may have threads of
 *          its own, as hardware does, and tells of itself by irq_fd alone.
 */

#ifndef VMM_BACKEND_H
#define VMM_BACKEND_H

#include "../dmm/cc.h"
#include "iova.h"

#define BACKEND_BARS 6
#define BACKEND_WINDOWS 64
#define BACKEND_VPD 256 /* bytes of vital product data, at most */

enum backend_space { BACKEND_NONE, BACKEND_IO, BACKEND_MMIO };

enum backend_signal { BACKEND_PIN, BACKEND_MSI, BACKEND_MSIX };

struct backend_bar {
	enum backend_space space;
	uint64_t size;
	bool is64, prefetch;
};

/* What the gate and the virtual PCI function need to know of the device. */
struct backend_info {
	uint8_t config[256]; /* as the device's after its reset; BARs zero */
	struct backend_bar bar[BACKEND_BARS];
	bool intx;		  /* has an interrupt pin */
	unsigned int msi_vectors; /* 0: none */
	uint8_t vpd[BACKEND_VPD]; /* what is known of it */
	unsigned int vpd_len;
};

struct node;
struct backend;

struct backend_ops {
	const char *name; /* as in a machine file: "sim" */

	/*
	 * Open the device that (conf) (the device's mapping in the machine
	 * file) describes, for a model whose first match is (vendor):(device).
	 */
	int (*open)(struct backend **out, const struct node *conf,
		    uint16_t vendor, uint16_t device, char **why);
	/*
	 * Optional: the same for one guest alone, called (owner), which may
	 * have others so: they share what can be shared.
	 */
	int (*open_for)(struct backend **out, const struct node *conf,
			const char *owner, char **why);
	void (*close)(struct backend *be);

	uint64_t (*read)(struct backend *be, unsigned int bar, uint64_t off,
			 unsigned int width);
	void (*write)(struct backend *be, unsigned int bar, uint64_t off,
		      unsigned int width, uint64_t value);
	/* (n) elements of (width) bytes at one offset: rep ins, rep outs. */
	void (*read_string)(struct backend *be, unsigned int bar, uint64_t off,
			    unsigned int width, void *to, size_t n);
	void (*write_string)(struct backend *be, unsigned int bar, uint64_t off,
			     unsigned int width, const void *from, size_t n);

	/*
	 * Put the device in its state after power-on.  0 or -errno; -ENOTTY:
	 * there is no way to, but the model's own (procedure force).
	 */
	int (*reset)(struct backend *be);

	/* Is the interrupt pin asserted now? */
	bool (*irq_level)(struct backend *be);
	/*
	 * Optional; NULL: irq_level() is the pin's at any time, and the reader
	 * of irq_fd empties it.  Else irq_level() does, and is true until this
	 * is called: what it told of was served, and it may tell again.
	 */
	void (*irq_done)(struct backend *be);

	/*
	 * Both optional, together: for a device that a guest has alone.
	 *
	 * Where BAR (bar) is in this process; NULL: it cannot be mapped.
	 */
	uint8_t *(*bar_host)(struct backend *be, unsigned int bar);
	/*
	 * Interrupts of (kind) go to the (n) eventfds at (fd), of which some
	 * may be -1, and no more to irq_fd; (n) 0: there are none.  A pin is
	 * masked when it told, until (unmask) is signalled.  0 or -errno.
	 */
	int (*signals)(struct backend *be, enum backend_signal kind,
		       const int *fd, unsigned int n, int unmask);

	/* Frames on the wire that the device did not take; ~0: not known. */
	uint64_t (*unheard)(struct backend *be);

	/*
	 * Optional; NULL: the wire is not ours to see.  Else (fn) is told of
	 * every frame on it, either way, from threads of the backend's; NULL:
	 * no longer.
	 */
	void (*watch)(struct backend *be,
		      void (*fn)(void *ctx, const uint8_t *frame, size_t len),
		      void *ctx);

	/*
	 * All four optional, together; NULL: what the device reaches is not
	 * ours to say.  Else it reaches windows alone, and none at first: a
	 * DMA beyond them fails, as by a master abort, and is counted.
	 *
	 * From now on the device may read [iova, iova + len), and write there
	 * if (writable): it is the (len) bytes at (host), until dma_unmap().
	 * Windows may touch, and one DMA may go through several.  -EINVAL if
	 * the range is empty or wraps, -EEXIST if it overlaps a window,
	 * -ENOSPC if there are BACKEND_WINDOWS, -ENOSYS if the device masters
	 * no bus.  From any thread.
	 */
	int (*dma_map)(struct backend *be, uint64_t iova, void *host,
		       uint64_t len, bool writable);
	/*
	 * Take away the window at (iova) of (len) bytes; nothing else is one.
	 * When this returns, the device does not touch it any more.
	 */
	void (*dma_unmap)(struct backend *be, uint64_t iova, uint64_t len);
	/*
	 * Optional.  Device addresses that a window may be at, one range, the
	 * first (max): how many; 0: it is not known.
	 */
	size_t (*dma_ranges)(struct backend *be, struct iova_range *range,
			     size_t max);
	/* Bit 2 of its command register; off at first; a reset keeps it. */
	void (*bus_master)(struct backend *be, bool on);
	/*
	 * DMA that failed since open; with bus mastering off there is none.
	 * ~0: not known, as there is no IOMMU: nothing holds the device to
	 * its windows, and what was checked is all the protection there is.
	 */
	uint64_t (*dma_faults)(struct backend *be);

	/*
	 * Optional; NULL: any memory can be a window.  Else only memory that
	 * the backend gives out, at the address that it says; dma_map() of
	 * anything else is -EINVAL.
	 *
	 * (bytes) of (*fd), which stays the backend's, from (*offset) on,
	 * whole pages; the device will see them at (*iova), in one piece below
	 * 4 GiB.  For a guest's memory (mem_open_fd()) and for the monitor's
	 * own.  Zeros at first; a reset keeps them; there is no giving back
	 * before close.  During set-up.  -EINVAL if (bytes) is 0, -ENOMEM if
	 * so many are not left: the device's "memory:" is too small.
	 * If (*fd) from (*offset) is what another device of this backend gave,
	 * that may stay, and (*iova) be where this one sees it.
	 */
	int (*guest_memory)(struct backend *be, uint64_t bytes, int *fd,
			    uint64_t *offset, uint64_t *iova);
};

/* Every backend's structure starts with this. */
struct backend {
	const struct backend_ops *ops;
	struct backend_info info;
	int irq_fd; /* an eventfd: readable when irq_level may have changed */
};

static inline void backend_watch(struct backend *be,
				 void (*fn)(void *ctx, const uint8_t *frame,
					    size_t len),
				 void *ctx)
{
	if (be->ops->watch)
		be->ops->watch(be, fn, ctx);
}

extern const struct backend_ops backend_qtest;
extern const struct backend_ops backend_sim;
extern const struct backend_ops backend_uio;
extern const struct backend_ops backend_vfio;

/* NULL if there is none of that name; backend_names() are all, for messages. */
const struct backend_ops *backend_find(const char *name);
extern const char *const backend_names[];
extern const size_t backend_count;

#endif /* VMM_BACKEND_H */
