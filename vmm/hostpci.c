// SPDX-License-Identifier: MIT
/*
 * hostpci.c: PCI devices of this machine, by sysfs.
 *
 * Each file is read by its path from (root) on, so that a test can make them.
 */

#include "hostpci.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "why.h"

#define PATH 512
#define DEVICES "/sys/bus/pci/devices"

/* ---- files ---- */

/* "ROOT/sys/bus/pci/devices/ADDRESS/NAME"; true if it fits. */
static bool device_path(char path[PATH], const char *root, const char *address,
			const char *name)
{
	return snprintf(path, PATH, "%s" DEVICES "/%s/%s", root, address,
			name) < PATH;
}

/* As much as there is room for. */
static void copy_name(char *to, size_t room, const char *from)
{
	size_t len = strnlen(from, room - 1);

	memcpy(to, from, len);
	to[len] = '\0';
}

/* The last part of what a link names; "" if there is none. */
static void link_name(const char *root, const char *address, const char *name,
		      char *out, size_t room)
{
	char path[PATH], to[PATH];
	const char *last;
	ssize_t n;

	*out = '\0';
	if (!device_path(path, root, address, name))
		return;
	n = readlink(path, to, sizeof(to) - 1);
	if (n < 0)
		return;
	to[n] = '\0';
	last = strrchr(to, '/');
	copy_name(out, room, last ? last + 1 : to);
}

/* A file's number in (base); 0 if there is none. */
static unsigned long read_number(const char *path, int base)
{
	char text[32];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtoul(text, NULL, base);
}

/* 0 or -errno; drivers do their work, and fail, in the write. */
static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/*
 * Call (fn) for each entry of a directory, until it says false; none if it
 * cannot be read.
 */
static void each_entry(const char *path,
		       bool (*fn)(void *ctx, const char *name), void *ctx)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	if (!dir)
		return;
	while ((e = readdir(dir)))
		if (*e->d_name != '.' && !fn(ctx, e->d_name))
			break;
	closedir(dir);
}

static bool note_entry(void *ctx, const char *name)
{
	(void)name;
	*(bool *)ctx = true;
	return false;
}

static bool has_entries(const char *path)
{
	bool any = false;

	each_entry(path, note_entry, &any);
	return any;
}

/* ---- looking ---- */

bool hostpci_address(const char *text, char out[HOSTPCI_ADDRESS])
{
	unsigned int domain = 0, bus, slot, function;
	int n = -1;

	sscanf(text, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &n);
	if (n < 0) {
		domain = 0;
		sscanf(text, "%2x:%2x.%1x%n", &bus, &slot, &function, &n);
	}
	/* no blanks, no signs: scanf would take them */
	if (n < 0 || text[n] ||
	    strspn(text, "0123456789abcdefABCDEF:.") != (size_t)n ||
	    slot > 31 || function > 7)
		return false;
	snprintf(out, HOSTPCI_ADDRESS, "%04x:%02x:%02x.%x", domain & 0xffff,
		 bus & 0xff, slot & 0x1f, function & 7);
	return true;
}

struct look {
	struct hostpci *out;
	const char *root;
};

/* Bridges' drivers and those that do nothing leave a group to its users. */
static bool in_the_way(const char *driver)
{
	static const char *const harmless[] = { "", HOSTPCI_VFIO, "pci-stub",
						"pcieport" };

	for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
		if (!strcmp(driver, harmless[i]))
			return false;
	return true;
}

static bool note_neighbour(void *ctx, const char *name)
{
	struct look *look = ctx;
	struct hostpci *out = look->out;
	struct hostpci_neighbour *n = &out->neighbour[out->neighbours];

	if (!strcmp(name, out->address) || !hostpci_address(name, n->address))
		return true;
	link_name(look->root, name, "driver", n->driver, sizeof(n->driver));
	if (in_the_way(n->driver))
		out->neighbours++;
	return out->neighbours < HOSTPCI_NEIGHBOURS;
}

/* One with messages of its own does not use the line that it names. */
static bool note_line(void *ctx, const char *name)
{
	struct look *look = ctx;
	char path[PATH];

	if (!strcmp(name, look->out->address) ||
	    !device_path(path, look->root, name, "msi_irqs") ||
	    has_entries(path) ||
	    !device_path(path, look->root, name, "driver") ||
	    access(path, F_OK) || !device_path(path, look->root, name, "irq") ||
	    read_number(path, 10) != look->out->irq)
		return true;
	copy_name(look->out->shares, sizeof(look->out->shares), name);
	return false;
}

static bool note_network(void *ctx, const char *name)
{
	struct look *look = ctx;
	char path[PATH];

	if (snprintf(path, PATH, "%s" DEVICES "/%s/net/%s/flags", look->root,
		     look->out->address, name) >= PATH ||
	    !(read_number(path, 16) & IFF_UP))
		return true;
	copy_name(look->out->network, sizeof(look->out->network), name);
	return false;
}

static bool note_uio(void *ctx, const char *name)
{
	struct look *look = ctx;

	copy_name(look->out->uio, sizeof(look->out->uio), name);
	return false;
}

/* An IOMMU that lets all through is as good as none; who does not say does. */
static bool translates(const char *root, const char *address)
{
	char path[PATH], type[16] = "";
	ssize_t n = -1;
	int fd = -1;

	if (device_path(path, root, address, "iommu_group/type"))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, type, sizeof(type) - 1);
		close(fd);
	}
	return n < 0 || strncmp(type, "identity", 8) != 0;
}

int hostpci_look(struct hostpci *out, const char *root, const char *address,
		 char **why)
{
	struct look look = { .out = out, .root = root };
	char path[PATH], group[16];

	*out = (struct hostpci){ .group = -1 };
	copy_name(out->address, sizeof(out->address), address);
	if (!device_path(path, root, address, "") || access(path, F_OK))
		return why_set(why, -ENODEV,
			       "there is no PCI device %s; vpio list names "
			       "them",
			       address);
	link_name(root, address, "driver", out->driver, sizeof(out->driver));
	link_name(root, address, "iommu_group", group, sizeof(group));
	if (*group) {
		out->group = atoi(group);
		out->translated = translates(root, address);
	}
	if (device_path(path, root, address, "uio"))
		each_entry(path, note_uio, &look);
	snprintf(path, PATH, "%s/sys/kernel/iommu_groups", root);
	out->iommu = *group || has_entries(path);
	if (device_path(path, root, address, "iommu_group/devices"))
		each_entry(path, note_neighbour, &look);
	if (device_path(path, root, address, "irq"))
		out->irq = (unsigned int)read_number(path, 10);
	snprintf(path, PATH, "%s" DEVICES, root);
	if (out->irq)
		each_entry(path, note_line, &look);
	if (device_path(path, root, address, "net"))
		each_entry(path, note_network, &look);
	return 0;
}

/* ---- what stands in the way ---- */

static void tell_freed(void (*tell)(void *ctx, const char *text), void *ctx,
		       char *text)
{
	tell(ctx, text);
	free(text);
}

unsigned int hostpci_obstacles(const struct hostpci *at,
			       void (*tell)(void *ctx, const char *text),
			       void *ctx)
{
	unsigned int n = at->neighbours;

	if (!at->iommu) {
		tell_freed(tell, ctx,
			   xasprintf("this machine uses no IOMMU: turn it on "
				     "in the firmware, and by intel_iommu=on "
				     "or amd_iommu=on on the kernel's command "
				     "line; if it has none: vpio bind --uio "
				     "%s, for backend uio, which is unsafe",
				     at->address));
		n++;
	} else if (at->group < 0) {
		tell(ctx, "the IOMMU does not serve this device");
		n++;
	}
	if (strcmp(at->driver, HOSTPCI_VFIO)) {
		tell_freed(tell, ctx,
			   *at->driver ?
				   xasprintf("the host's driver %s has it: "
					     "vpio bind %s",
					     at->driver, at->address) :
				   xasprintf("it is not bound to " HOSTPCI_VFIO
					     ": vpio bind %s",
					     at->address));
		n++;
	}
	for (unsigned int i = 0; i < at->neighbours; i++)
		tell_freed(tell, ctx,
			   xasprintf("%s is in the same IOMMU group (%d), and "
				     "the host's driver %s has it: vpio bind "
				     "%s, if the host can do without",
				     at->neighbour[i].address, at->group,
				     at->neighbour[i].driver,
				     at->neighbour[i].address));
	return n;
}

unsigned int hostpci_uio_obstacles(const struct hostpci *at,
				   void (*tell)(void *ctx, const char *text),
				   void *ctx)
{
	unsigned int n = 0;

	if (at->translated) {
		tell_freed(tell, ctx,
			   xasprintf("the IOMMU stands before it, so backend "
				     "vfio can have it, and uio cannot: "
				     "vpio bind %s",
				     at->address));
		n++;
	}
	if (strcmp(at->driver, HOSTPCI_UIO) || !*at->uio) {
		tell_freed(tell, ctx,
			   xasprintf("%s%s has it: vpio bind --uio %s",
				     *at->driver ? "the host's driver " :
						   "no driver",
				     at->driver, at->address));
		n++;
	}
	return n;
}

char *hostpci_caution(const struct hostpci *at)
{
	if (!*at->shares)
		return NULL;
	return xasprintf("its interrupt line (%u) is also that of %s: one of "
			 "them must go if the card cannot disable its "
			 "interrupts (old ones cannot)",
			 at->irq, at->shares);
}

/* ---- binding ---- */

static int failed(char **why, int err, const char *address, const char *what)
{
	if (err == -EACCES || err == -EPERM)
		return why_set(why, err, "%s: %s is for root alone", address,
			       what);
	return why_set(why, err, "%s: %s: %s", address, what, strerror(-err));
}

static int set_override(const char *root, const char *address,
			const char *driver)
{
	char path[PATH], line[HOSTPCI_NAME + 1];

	if (!device_path(path, root, address, "driver_override"))
		return -ENAMETOOLONG;
	snprintf(line, sizeof(line), "%s\n", driver);
	return write_file(path, line);
}

static int let_go(const char *root, const struct hostpci *at)
{
	char path[PATH];

	if (!*at->driver)
		return 0;
	if (!device_path(path, root, at->address, "driver/unbind"))
		return -ENAMETOOLONG;
	return write_file(path, at->address);
}

/* Its error is the driver's; that there is none for it is no error. */
static int probe(const char *root, const char *address)
{
	char path[PATH];

	snprintf(path, PATH, "%s/sys/bus/pci/drivers_probe", root);
	return write_file(path, address);
}

static int check_bind(const struct hostpci *at, const char *root,
		      const char *driver, bool force, char **why)
{
	char path[PATH];

	if (snprintf(path, PATH, "%s/sys/bus/pci/drivers/%s", root, driver) >=
		    PATH ||
	    strlen(driver) >= HOSTPCI_NAME || strchr(driver, '/') || !*driver)
		return why_set(why, -EINVAL, "\"%s\" is no driver's name",
			       driver);
	if (access(path, F_OK))
		return why_set(why, -ENOENT,
			       "the kernel has no driver %s: modprobe %s first",
			       driver, driver);
	if (*at->network && !force)
		return why_set(why, -EBUSY,
			       "%s is the host's interface %s, which is up: "
			       "ip link set %s down, or --force",
			       at->address, at->network, at->network);
	return 0;
}

int hostpci_bind(const struct hostpci *at, const char *root, const char *driver,
		 bool force, char **why)
{
	struct hostpci now;
	int err;

	if (!strcmp(at->driver, driver))
		return 0;
	err = check_bind(at, root, driver, force, why);
	if (err)
		return err;
	err = set_override(root, at->address, driver);
	if (err)
		return failed(why, err, at->address, "choosing its driver");
	err = let_go(root, at);
	if (err) {
		(void)set_override(root, at->address, "");
		return failed(why, err, at->address,
			      "taking it from its "
			      "driver");
	}
	err = probe(root, at->address);
	if (!err)
		err = hostpci_look(&now, root, at->address, why);
	if (!err && !strcmp(now.driver, driver))
		return 0;
	(void)set_override(root, at->address, "");
	(void)probe(root, at->address);
	if (*why)
		return err;
	return why_set(why, err ? err : -EIO,
		       "%s: %s does not take it%s%s; dmesg may say why",
		       at->address, driver, err ? ": " : "",
		       err ? strerror(-err) : "");
}

/* Drivers that do nothing but let a process at the device. */
static bool is_for_guests(const char *driver)
{
	return !strcmp(driver, HOSTPCI_VFIO) || !strcmp(driver, HOSTPCI_UIO) ||
	       !strcmp(driver, "pci-stub");
}

int hostpci_unbind(const struct hostpci *at, const char *root, char **why)
{
	int err;

	if (*at->driver && !is_for_guests(at->driver))
		return 0;
	err = set_override(root, at->address, "");
	if (err)
		return failed(why, err, at->address, "choosing its driver");
	err = let_go(root, at);
	if (err)
		return failed(why, err, at->address,
			      "taking it from its "
			      "driver");
	err = probe(root, at->address);
	return err ? failed(why, err, at->address, "finding it a driver") : 0;
}
