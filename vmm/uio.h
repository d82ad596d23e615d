/* SPDX-License-Identifier: MIT */
/*
 * uio.h: a PCI device by sysfs and the kernel's uio_pci_generic: for machines
 * without an IOMMU.  Nothing holds what it reaches.
 *
 * It is one process's at a time.  When that process dies, by SIGKILL too, a
 * child of its keeps the device's memory until the device is off the bus.
 *
 * (root) is "" for this machine; a test gives a directory that looks alike.
 *
 * Errors:  -errno; where there is (*why), with one line that says what to do,
 *          which the caller frees.
 * Threads: one at a time.
 */

#ifndef VMM_UIO_H
#define VMM_UIO_H

#include <sys/types.h>

#include "hostpci.h"
#include "region.h"

#define UIO_BARS 6

struct uio_region {
	struct region at; /* of a file, by 1, 2 or 4 bytes */
	bool io, is64, prefetch;
};

struct uio_dev {
	struct hostpci at;
	char *reset;	   /* the file that resets it; NULL: there is no way */
	int config;	   /* its configuration space, a file */
	int events;	   /* readable when it interrupted: /dev/uioN */
	uint16_t found;	   /* its command register before us */
	bool master, intx; /* as we have them */
	struct uio_region bar[UIO_BARS];
	pid_t keeper; /* 0: none */
	int lifeline; /* its keeper acts when this is closed */
};

/*
 * Open the device at (address): off the bus, its interrupt off.  -EBUSY if
 * another process has it.
 */
MUST_CHECK int uio_open(struct uio_dev *dev, const char *root,
			const char *address, char **why);
/* Off the bus, and else as it was found. */
void uio_close(struct uio_dev *dev);

/*
 * A child keeps (memory), a file, open until it has the device off the bus,
 * which it does when this process ends.  Call it where threads are few.
 */
MUST_CHECK int uio_keep(struct uio_dev *dev, int memory, char **why);

/* Configuration space; what cannot be read is ones. */
void uio_config_read(const struct uio_dev *dev, unsigned int at, void *to,
		     size_t len);
/* May it master the bus, and interrupt? */
void uio_command(struct uio_dev *dev, bool master, bool intx);

/* It interrupted since this was asked; the kernel has its interrupt off now. */
bool uio_interrupted(const struct uio_dev *dev);

/* As after power-on.  -ENOTTY: there is no way that leaves others alone. */
MUST_CHECK int uio_reset(struct uio_dev *dev);

#endif /* VMM_UIO_H */
