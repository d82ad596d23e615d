/* SPDX-License-Identifier: MIT */
/*
 * iova.h: the device addresses that an IOMMU takes, as VFIO tells of them.
 *
 * Threads: any.
 */

#ifndef VMM_IOVA_H
#define VMM_IOVA_H

#include "../dmm/cc.h"

#define IOVA_RANGES 16u

struct iova_range {
	uint64_t first, last;
};

/*
 * The ranges in the (len) bytes of a struct vfio_iommu_type1_info and its
 * capabilities, the first (max) of them; how many.  0: it does not say.
 */
size_t iova_parse(const void *info, size_t len, struct iova_range *out,
		  size_t max);
/* How many of the (len) bytes from (at) on are in the range that (at) is in. */
uint64_t iova_fits(const struct iova_range *range, size_t n, uint64_t at,
		   uint64_t len);
/* For people: "0x0 to 0xfedfffff, 0xfef00000 to 0x7fffffffff". */
void iova_text(const struct iova_range *range, size_t n, char *to, size_t size);

#endif /* VMM_IOVA_H */
