/* SPDX-License-Identifier: MIT */
/*
 * hostpci.h: a PCI device of this machine as the kernel shows it in sysfs:
 * what stands between it and its use by guests, and the step that changes it.
 *
 * Interface: hostpci_look(), then hostpci_obstacles() on what it found;
 * hostpci_bind() and hostpci_unbind() give it to a driver and back.
 *
 * (root) is "" for this machine; a test gives a directory that looks alike.
 *
 * Threads: any, but for two that bind one device.
 */

#ifndef VMM_HOSTPCI_H
#define VMM_HOSTPCI_H

#include "../dmm/cc.h"

#define HOSTPCI_ADDRESS 16 /* "0000:01:00.0", and room */
#define HOSTPCI_NAME 64	   /* of a driver */
#define HOSTPCI_NEIGHBOURS 16
#define HOSTPCI_VFIO "vfio-pci"
#define HOSTPCI_UIO "uio_pci_generic"

struct hostpci_neighbour {
	char address[HOSTPCI_ADDRESS];
	char driver[HOSTPCI_NAME]; /* "": none */
};

struct hostpci {
	char address[HOSTPCI_ADDRESS];
	char driver[HOSTPCI_NAME];    /* "": none */
	char network[HOSTPCI_NAME];   /* an interface on it that is up; or "" */
	int group;		      /* of the IOMMU; -1: none */
	bool iommu;		      /* the machine uses one */
	bool translated;	      /* it stands before this device */
	char uio[HOSTPCI_ADDRESS];    /* "uio0", if it is one; or "" */
	unsigned int irq;	      /* its line; 0: none */
	char shares[HOSTPCI_ADDRESS]; /* who has the same line; or "" */
	/* Those of its group whose drivers are in the way. */
	unsigned int neighbours;
	struct hostpci_neighbour neighbour[HOSTPCI_NEIGHBOURS];
};

/*
 * "0000:01:00.0", or without the domain, as lspci prints it: (out) is always
 * with it.  False if (text) is neither.
 */
bool hostpci_address(const char *text, char out[HOSTPCI_ADDRESS]);

/* -ENODEV if there is none at (address), which hostpci_address() made. */
MUST_CHECK int hostpci_look(struct hostpci *out, const char *root,
			    const char *address, char **why);

/*
 * Tell of each thing that stands between the device and backend vfio, with
 * what to do about it; how many did.  None of them: it is ready.
 */
unsigned int hostpci_obstacles(const struct hostpci *at,
			       void (*tell)(void *ctx, const char *text),
			       void *ctx);

/* The same for backend uio, where no IOMMU is. */
unsigned int hostpci_uio_obstacles(const struct hostpci *at,
				   void (*tell)(void *ctx, const char *text),
				   void *ctx);

/* What is no obstacle, but may become one; NULL: nothing.  To be freed. */
char *hostpci_caution(const struct hostpci *at);

/*
 * Take the device from its driver and give it to (driver).  Does nothing if
 * that has it.  -EBUSY unless (force) if a network interface on it is up;
 * -ENOENT if there is no such driver; what failed leaves it as it was.
 */
MUST_CHECK int hostpci_bind(const struct hostpci *at, const char *root,
			    const char *driver, bool force, char **why);

/*
 * Let the kernel choose its driver again; 0 also if none wants it, or if it is
 * the host's already.
 */
MUST_CHECK int hostpci_unbind(const struct hostpci *at, const char *root,
			      char **why);

#endif /* VMM_HOSTPCI_H */
