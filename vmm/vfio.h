/* SPDX-License-Identifier: MIT */
/*
 * vfio.h: the kernel's VFIO: the way to a PCI device from a process, behind
 * an IOMMU.
 *
 * A device has a container of its own, or one with all devices of an owner:
 * what it reaches is what was mapped there, whatever other devices do.
 *
 * Errors:  -errno; where there is (*why), with one line that says what to do,
 *          which the caller frees.
 * Threads: vfio_map() and vfio_unmap() from any; the others one at a time.
 */

#ifndef VMM_VFIO_H
#define VMM_VFIO_H

#include "hostpci.h"
#include "iova.h"
#include "region.h"

#define VFIO_BARS 6

struct vfio_container;

struct vfio_dev {
	struct hostpci at;
	struct vfio_container *container; /* NULL: not open */
	int group, fd;			  /* -1: not open */
	bool resets;			  /* alone, by VFIO_DEVICE_RESET */
	struct region bar[VFIO_BARS], config;
	unsigned int msi; /* vectors */
	bool intx;
	bool msi_used; /* else the pin is */
};

/*
 * Open the device at (address), as hostpci_address() gives it.  Those of one
 * (owner) share a container: what is mapped for several, and alike, is mapped
 * once.  NULL: it is nobody's with another.
 */
MUST_CHECK int vfio_open(struct vfio_dev *dev, const char *address,
			 const char *owner, char **why);

/* The kernel resets it where it can; what was mapped is unmapped. */
void vfio_close(struct vfio_dev *dev);

/* Configuration space; a part that does not answer reads as ones. */
void vfio_config_read(const struct vfio_dev *dev, unsigned int at, void *to,
		      size_t len);
void vfio_config_write(const struct vfio_dev *dev, unsigned int at,
		       const void *from, size_t len);

/* The device's interrupts as counts in the eventfd (fd); (fd) -1: none. */
MUST_CHECK int vfio_interrupt(struct vfio_dev *dev, int fd, char **why);
/*
 * Those of (index) to the (n) eventfds at (fd); the others are off then.  As
 * backend_ops.signals, but (index) is VFIO's.
 */
MUST_CHECK int vfio_signals(struct vfio_dev *dev, unsigned int index,
			    const int *fd, unsigned int n, int unmask);
/* The pin is masked each time it was told of; let it be told of again. */
void vfio_unmask(const struct vfio_dev *dev);

/* As backend_ops.dma_map and dma_unmap. */
MUST_CHECK int vfio_map(const struct vfio_dev *dev, uint64_t iova, void *host,
			uint64_t len, bool writable);
void vfio_unmap(const struct vfio_dev *dev, uint64_t iova, uint64_t len);
size_t vfio_ranges(const struct vfio_dev *dev, struct iova_range *range,
		   size_t max);

/* As after power-on.  -ENOTTY: there is no way that leaves others alone. */
MUST_CHECK int vfio_reset(const struct vfio_dev *dev);

#endif /* VMM_VFIO_H */
