// SPDX-License-Identifier: MIT
/*
 * vfio_container.c: VFIO's containers.
 */

#include "vfio_container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend.h"
#include "log.h"
#include "why.h"

#define INFO_MAX 65536u /* bytes of what VFIO says of an IOMMU */

struct map {
	uint64_t iova, len;
	void *host;
	bool writable;
	unsigned int users; /* 0: it is none */
};

struct vfio_container {
	char *owner; /* NULL: nobody else finds it */
	int fd;
	unsigned int users;
	unsigned int groups; /* that ever joined */
	struct map map[BACKEND_WINDOWS];
	struct vfio_container *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct vfio_container *all; /* under lock, and so is each */

static int open_fd(int *fd, char **why)
{
	*fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (*fd < 0 && errno == ENOENT)
		return why_set(why, -ENOENT,
			       "the kernel has no VFIO: modprobe vfio-pci");
	if (*fd < 0 && (errno == EACCES || errno == EPERM))
		return why_set(why, -errno,
			       "/dev/vfio/vfio is not yours to open: be root, "
			       "or chmod it 0666: by itself it is no device");
	if (*fd < 0)
		return why_set(why, -errno, "cannot open /dev/vfio/vfio: %s",
			       strerror(errno));
	if (ioctl(*fd, VFIO_GET_API_VERSION) == VFIO_API_VERSION &&
	    ioctl(*fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) > 0)
		return 0;
	close(*fd);
	return why_set(why, -ENOTSUP,
		       "the kernel's VFIO has no type 1 IOMMU: "
		       "modprobe vfio_iommu_type1");
}

static struct vfio_container *find(const char *owner)
{
	struct vfio_container *c = all;

	while (c && (!owner || !c->owner || strcmp(c->owner, owner) != 0))
		c = c->next;
	return c;
}

int vfio_container_get(struct vfio_container **out, const char *owner,
		       char **why)
{
	struct vfio_container *c;
	int fd, err = 0;

	pthread_mutex_lock(&lock);
	c = find(owner);
	if (!c) {
		err = open_fd(&fd, why);
		if (!err) {
			c = xcalloc(1, sizeof(*c));
			c->fd = fd;
			c->owner = owner ? xstrdup(owner) : NULL;
			c->next = all;
			all = c;
		}
	}
	if (c) {
		c->users++;
		*out = c;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

void vfio_container_put(struct vfio_container *c)
{
	struct vfio_container **at = &all;

	if (!c)
		return;
	pthread_mutex_lock(&lock);
	if (--c->users == 0) {
		while (*at != c)
			at = &(*at)->next;
		*at = c->next;
		close(c->fd);
		free(c->owner);
		free(c);
	}
	pthread_mutex_unlock(&lock);
}

/* The kind of IOMMU is the container's while it has groups: EINVAL then. */
int vfio_container_join(struct vfio_container *c, int group)
{
	int err = 0;

	pthread_mutex_lock(&lock);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &c->fd))
		err = -errno;
	else if (ioctl(c->fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) &&
		 !(errno == EINVAL && c->groups))
		err = -errno;
	else
		c->groups++;
	pthread_mutex_unlock(&lock);
	return err;
}

static struct map *same(struct vfio_container *c, uint64_t iova, uint64_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(c->map); i++)
		if (c->map[i].users && c->map[i].iova == iova &&
		    c->map[i].len == len)
			return &c->map[i];
	return NULL;
}

static int map_new(struct vfio_container *c, const struct map *map)
{
	struct vfio_iommu_type1_dma_map request = {
		.argsz = sizeof(request),
		.flags = VFIO_DMA_MAP_FLAG_READ |
			 (map->writable ? VFIO_DMA_MAP_FLAG_WRITE : 0),
		.vaddr = (uintptr_t)map->host,
		.iova = map->iova,
		.size = map->len,
	};
	size_t i = 0;

	while (i < ARRAY_LEN(c->map) && c->map[i].users)
		i++;
	if (i == ARRAY_LEN(c->map))
		return -ENOSPC;
	/* Faster than page by page as they are pinned; older kernels cannot. */
	(void)!madvise(map->host, map->len, MADV_POPULATE_WRITE);
	if (ioctl(c->fd, VFIO_IOMMU_MAP_DMA, &request))
		return -errno;
	c->map[i] = *map;
	return 0;
}

int vfio_container_map(struct vfio_container *c, uint64_t iova, void *host,
		       uint64_t len, bool writable)
{
	const struct map map = { .iova = iova,
				 .len = len,
				 .host = host,
				 .writable = writable,
				 .users = 1 };
	struct map *old;
	int err = 0;

	pthread_mutex_lock(&lock);
	old = same(c, iova, len);
	if (old && old->host == host && old->writable == writable)
		old->users++;
	else
		err = map_new(c, &map);
	pthread_mutex_unlock(&lock);
	return err;
}

int vfio_container_unmap(struct vfio_container *c, uint64_t iova, uint64_t len)
{
	struct vfio_iommu_type1_dma_unmap request = {
		.argsz = sizeof(request),
		.iova = iova,
		.size = len,
	};
	struct map *map;
	int err = 0;

	pthread_mutex_lock(&lock);
	map = same(c, iova, len);
	if (map && --map->users == 0 &&
	    ioctl(c->fd, VFIO_IOMMU_UNMAP_DMA, &request))
		err = -errno;
	pthread_mutex_unlock(&lock);
	return err;
}

size_t vfio_container_ranges(struct vfio_container *c, struct iova_range *range,
			     size_t max)
{
	struct vfio_iommu_type1_info head = { .argsz = sizeof(head) }, *info;
	size_t n = 0;

	/* the first time it says how much it has to say */
	if (ioctl(c->fd, VFIO_IOMMU_GET_INFO, &head) ||
	    head.argsz < sizeof(head) || head.argsz > INFO_MAX)
		return 0;
	info = xcalloc(1, head.argsz);
	info->argsz = head.argsz;
	if (!ioctl(c->fd, VFIO_IOMMU_GET_INFO, info))
		n = iova_parse(info, head.argsz, range, max);
	free(info);
	return n;
}
