/* SPDX-License-Identifier: MIT */
/*
 * vfio_container.h: VFIO's containers: what memory their devices reach.
 *
 * Errors:  -errno; where there is (*why), as vfio.h.
 * Threads: any.
 */

#ifndef VMM_VFIO_CONTAINER_H
#define VMM_VFIO_CONTAINER_H

#include "../dmm/cc.h"
#include "iova.h"

struct vfio_container;

/* That of (owner), which may be there; a new one if NULL. */
MUST_CHECK int vfio_container_get(struct vfio_container **out,
				  const char *owner, char **why);
void vfio_container_put(struct vfio_container *c); /* NULL is fine */

/* Take in (group), an open group's file. */
MUST_CHECK int vfio_container_join(struct vfio_container *c, int group);

/* As backend_ops.dma_map and dma_unmap; the same map twice is one. */
MUST_CHECK int vfio_container_map(struct vfio_container *c, uint64_t iova,
				  void *host, uint64_t len, bool writable);
MUST_CHECK int vfio_container_unmap(struct vfio_container *c, uint64_t iova,
				    uint64_t len);

/* As backend_ops.dma_ranges. */
size_t vfio_container_ranges(struct vfio_container *c, struct iova_range *range,
			     size_t max);

#endif /* VMM_VFIO_CONTAINER_H */
