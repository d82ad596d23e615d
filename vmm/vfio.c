// SPDX-License-Identifier: MIT
/*
 * vfio.c: container, group and device of the kernel's VFIO.
 */

#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"
#include "vfio_container.h"
#include "why.h"

#define PAGE 4096u

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- opening ---- */

struct first {
	char *text;
};

static void keep_first(void *ctx, const char *text)
{
	struct first *first = ctx;

	if (!first->text)
		first->text = xstrdup(text);
}

static int check_place(struct vfio_dev *dev, const char *address, char **why)
{
	struct first first = { NULL };
	int err = hostpci_look(&dev->at, "", address, why);

	if (err || !hostpci_obstacles(&dev->at, keep_first, &first))
		return err;
	err = why_set(why, -EBUSY, "%s: %s", address, first.text);
	free(first.text);
	return err;
}

static int open_group(struct vfio_dev *dev, char **why)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[32];

	snprintf(path, sizeof(path), "/dev/vfio/%d", dev->at.group);
	dev->group = open(path, O_RDWR | O_CLOEXEC);
	if (dev->group < 0 && errno == EBUSY)
		return why_set(why, -EBUSY,
			       "%s: another program has it, or a device of its "
			       "IOMMU group (%d) is in use already",
			       dev->at.address, dev->at.group);
	if (dev->group < 0 && (errno == EACCES || errno == EPERM))
		return why_set(why, -errno,
			       "%s is not yours to open: be root, or have it "
			       "chowned to you",
			       path);
	if (dev->group < 0)
		return why_set(why, -errno, "cannot open %s: %s", path,
			       strerror(errno));
	if (ioctl(dev->group, VFIO_GROUP_GET_STATUS, &status))
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (status.flags & VFIO_GROUP_FLAGS_VIABLE)
		return 0;
	return why_set(why, -EBUSY,
		       "%s: a driver of the host's has another device of its "
		       "IOMMU group (%d): see /sys/kernel/iommu_groups/%d",
		       dev->at.address, dev->at.group, dev->at.group);
}

static int join(struct vfio_dev *dev, char **why)
{
	int err = vfio_container_join(dev->container, dev->group);

	if (err == -EPERM)
		return why_set(why, -EPERM,
			       "this machine does not remap interrupts, so a "
			       "device could fake them; if you trust all "
			       "guests: modprobe vfio_iommu_type1 "
			       "allow_unsafe_interrupts=1");
	if (err)
		return why_set(why, err, "%s: its IOMMU group: %s",
			       dev->at.address, strerror(-err));
	return 0;
}

static int find_region(struct vfio_dev *dev, unsigned int index,
		       struct region *out)
{
	struct vfio_region_info info = { .argsz = sizeof(info),
					 .index = index };
	int prot = PROT_READ | PROT_WRITE;
	void *map;

	if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info))
		return -errno;
	*out = (struct region){ .offset = info.offset,
				.size = info.size,
				.fd = dev->fd };
	if (!(info.flags & VFIO_REGION_INFO_FLAG_READ))
		out->size = 0;
	if (!out->size || !(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return 0;
	/* One of which only parts can be mapped is read and written. */
	map = mmap(NULL, (out->size + PAGE - 1) & ~(uint64_t)(PAGE - 1), prot,
		   MAP_SHARED, dev->fd, (off_t)info.offset);
	if (map != MAP_FAILED)
		out->map = map;
	return 0;
}

static unsigned int count_irqs(const struct vfio_dev *dev, unsigned int index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(dev->fd, VFIO_DEVICE_GET_IRQ_INFO, &info) ||
	    !(info.flags & VFIO_IRQ_INFO_EVENTFD))
		return 0;
	return info.count;
}

static int open_device(struct vfio_dev *dev, char **why)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int err = 0;

	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, dev->at.address);
	if (dev->fd < 0 || ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info))
		return why_set(why, -errno, "%s: cannot be opened: %s",
			       dev->at.address, strerror(errno));
	dev->resets = info.flags & VFIO_DEVICE_FLAGS_RESET;
	for (unsigned int i = 0; i < VFIO_BARS && !err; i++)
		err = find_region(dev, VFIO_PCI_BAR0_REGION_INDEX + i,
				  &dev->bar[i]);
	if (!err)
		err = find_region(dev, VFIO_PCI_CONFIG_REGION_INDEX,
				  &dev->config);
	dev->intx = count_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX);
	dev->msi = count_irqs(dev, VFIO_PCI_MSI_IRQ_INDEX);
	if (!err)
		return 0;
	return why_set(why, err, "%s: its regions: %s", dev->at.address,
		       strerror(-err));
}

int vfio_open(struct vfio_dev *dev, const char *address, const char *owner,
	      char **why)
{
	int err;

	*dev = (struct vfio_dev){ .group = -1, .fd = -1 };
	err = check_place(dev, address, why);
	if (!err)
		err = vfio_container_get(&dev->container, owner, why);
	if (!err)
		err = open_group(dev, why);
	if (!err)
		err = join(dev, why);
	if (!err)
		err = open_device(dev, why);
	if (err)
		vfio_close(dev);
	return err;
}

void vfio_close(struct vfio_dev *dev)
{
	for (unsigned int i = 0; i < VFIO_BARS; i++) {
		if (dev->bar[i].map)
			munmap(dev->bar[i].map, dev->bar[i].size);
		dev->bar[i].map = NULL;
	}
	close_fd(&dev->fd);
	close_fd(&dev->group);
	vfio_container_put(dev->container);
	dev->container = NULL;
}

/* ---- configuration space ---- */

void vfio_config_read(const struct vfio_dev *dev, unsigned int at, void *to,
		      size_t len)
{
	if (pread(dev->fd, to, len, (off_t)(dev->config.offset + at)) !=
	    (ssize_t)len)
		memset(to, 0xff, len);
}

void vfio_config_write(const struct vfio_dev *dev, unsigned int at,
		       const void *from, size_t len)
{
	if (pwrite(dev->fd, from, len, (off_t)(dev->config.offset + at)) !=
	    (ssize_t)len)
		log_debug("%s: its configuration space does not take %zu "
			  "bytes at 0x%x",
			  dev->at.address, len, at);
}

/* ---- interrupts ---- */

static int set_irqs(const struct vfio_dev *dev, unsigned int index,
		    unsigned int action, const int *fd)
{
	uint64_t room[(sizeof(struct vfio_irq_set) + sizeof(int) + 7) / 8];
	struct vfio_irq_set *set = (struct vfio_irq_set *)room;
	bool off = action == VFIO_IRQ_SET_ACTION_TRIGGER && !fd;

	*set = (struct vfio_irq_set){
		.argsz = (unsigned int)(sizeof(*set) + (fd ? sizeof(*fd) : 0)),
		.flags = action | (fd ? VFIO_IRQ_SET_DATA_EVENTFD :
					VFIO_IRQ_SET_DATA_NONE),
		.index = index,
		.count = off ? 0 : 1,
	};
	if (fd)
		memcpy(set->data, fd, sizeof(*fd));
	return ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, set) ? -errno : 0;
}

static int set_vectors(const struct vfio_dev *dev, unsigned int index,
		       const int *fd, unsigned int n)
{
	size_t size = sizeof(struct vfio_irq_set) + n * sizeof(*fd);
	struct vfio_irq_set *set = xcalloc(1, size);
	int err;

	*set = (struct vfio_irq_set){ .argsz = (uint32_t)size,
				      .flags = VFIO_IRQ_SET_ACTION_TRIGGER |
					       VFIO_IRQ_SET_DATA_EVENTFD,
				      .index = index,
				      .count = n };
	memcpy(set->data, fd, n * sizeof(*fd));
	err = ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, set) ? -errno : 0;
	free(set);
	return err;
}

int vfio_signals(struct vfio_dev *dev, unsigned int index, const int *fd,
		 unsigned int n, int unmask)
{
	static const unsigned int all[] = { VFIO_PCI_INTX_IRQ_INDEX,
					    VFIO_PCI_MSI_IRQ_INDEX,
					    VFIO_PCI_MSIX_IRQ_INDEX };
	int err;

	/* which of them is on is the kernel's to know; off twice is no harm */
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		(void)!set_irqs(dev, all[i], VFIO_IRQ_SET_ACTION_TRIGGER, NULL);
	dev->msi_used = index != VFIO_PCI_INTX_IRQ_INDEX;
	if (!n)
		return 0;
	err = set_vectors(dev, index, fd, n);
	if (!err && unmask >= 0)
		err = set_irqs(dev, index, VFIO_IRQ_SET_ACTION_UNMASK, &unmask);
	return err;
}

/* A message needs no unmasking and no line that another has too. */
int vfio_interrupt(struct vfio_dev *dev, int fd, char **why)
{
	unsigned int index;
	int err;

	if (fd < 0) {
		index = dev->msi_used ? VFIO_PCI_MSI_IRQ_INDEX :
					VFIO_PCI_INTX_IRQ_INDEX;
		return set_irqs(dev, index, VFIO_IRQ_SET_ACTION_TRIGGER, NULL);
	}
	dev->msi_used = dev->msi && !set_irqs(dev, VFIO_PCI_MSI_IRQ_INDEX,
					      VFIO_IRQ_SET_ACTION_TRIGGER, &fd);
	if (dev->msi_used || !dev->intx)
		return 0;
	err = set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX,
		       VFIO_IRQ_SET_ACTION_TRIGGER, &fd);
	if (!err)
		return 0;
	return why_set(why, err, "%s: its interrupt cannot be had: %s%s%s",
		       dev->at.address, strerror(-err),
		       *dev->at.shares ? "; its line is also that of " : "",
		       dev->at.shares);
}

void vfio_unmask(const struct vfio_dev *dev)
{
	if (!dev->msi_used && set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX,
				       VFIO_IRQ_SET_ACTION_UNMASK, NULL))
		log_warn("%s: cannot unmask its interrupt", dev->at.address);
}

/* ---- what the device reaches ---- */

int vfio_map(const struct vfio_dev *dev, uint64_t iova, void *host,
	     uint64_t len, bool writable)
{
	return vfio_container_map(dev->container, iova, host, len, writable);
}

size_t vfio_ranges(const struct vfio_dev *dev, struct iova_range *range,
		   size_t max)
{
	return vfio_container_ranges(dev->container, range, max);
}

void vfio_unmap(const struct vfio_dev *dev, uint64_t iova, uint64_t len)
{
	if (vfio_container_unmap(dev->container, iova, len))
		log_warn("%s: cannot take memory from it", dev->at.address);
}

/* ---- reset ---- */

/* Of its bus or slot: only where that is nobody's but ours. */
static int hot_reset(const struct vfio_dev *dev)
{
	enum { MOST = 32 };
	struct vfio_pci_hot_reset_info *info;
	struct vfio_pci_hot_reset *reset;
	size_t size = sizeof(*info) + MOST * sizeof(info->devices[0]);
	int err = 0;

	info = xcalloc(1, size);
	info->argsz = (uint32_t)size;
	reset = xcalloc(1, sizeof(*reset) + sizeof(reset->group_fds[0]));
	*reset = (struct vfio_pci_hot_reset){
		.argsz = sizeof(*reset) + sizeof(reset->group_fds[0]),
		.count = 1,
	};
	reset->group_fds[0] = dev->group;
	if (ioctl(dev->fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info))
		err = -ENOTTY;
	for (uint32_t i = 0; !err && i < info->count; i++)
		if (info->devices[i].group_id != (uint32_t)dev->at.group)
			err = -ENOTTY;
	if (!err && ioctl(dev->fd, VFIO_DEVICE_PCI_HOT_RESET, reset))
		err = -errno;
	free(reset);
	free(info);
	return err;
}

int vfio_reset(const struct vfio_dev *dev)
{
	if (!dev->resets)
		return hot_reset(dev);
	return ioctl(dev->fd, VFIO_DEVICE_RESET) ? -errno : 0;
}
