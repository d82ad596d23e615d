// SPDX-License-Identifier: MIT
/*
 * iova.c: an IOMMU's ranges, from VFIO's chain of capabilities.
 */

#include "iova.h"

#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>

/* Those of the capability at (at); (len) bytes are there in all. */
static size_t parse_ranges(const uint8_t *info, size_t len, size_t at,
			   struct iova_range *out, size_t max)
{
	struct vfio_iommu_type1_info_cap_iova_range cap;
	struct vfio_iova_range r;
	size_t n = 0;

	if (!cc_within(at, sizeof(cap), 0, len))
		return 0;
	memcpy(&cap, info + at, sizeof(cap));
	at += sizeof(cap);
	for (uint32_t i = 0; i < cap.nr_iovas && n < max; i++) {
		if (!cc_within(at, sizeof(r), 0, len))
			break;
		memcpy(&r, info + at, sizeof(r));
		at += sizeof(r);
		if (r.start <= r.end)
			out[n++] = (struct iova_range){ r.start, r.end };
	}
	return n;
}

size_t iova_parse(const void *info, size_t len, struct iova_range *out,
		  size_t max)
{
	struct vfio_iommu_type1_info head = { 0 };
	struct vfio_info_cap_header cap;
	size_t at, next;

	if (len < offsetof(struct vfio_iommu_type1_info, cap_offset) + 4)
		return 0;
	memcpy(&head, info, len < sizeof(head) ? len : sizeof(head));
	if (!(head.flags & VFIO_IOMMU_INFO_CAPS))
		return 0;
	/* forward only, so that it ends */
	for (at = head.cap_offset; at; at = next > at ? next : 0) {
		if (!cc_within(at, sizeof(cap), 0, len))
			return 0;
		memcpy(&cap, (const uint8_t *)info + at, sizeof(cap));
		if (cap.id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			return parse_ranges(info, len, at, out, max);
		next = cap.next;
	}
	return 0;
}

uint64_t iova_fits(const struct iova_range *range, size_t n, uint64_t at,
		   uint64_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (at < range[i].first || at > range[i].last)
			continue;
		/* no overflow: all but one of 2^64 bytes at most */
		return len && range[i].last - at < len - 1 ?
			       range[i].last - at + 1 :
			       len;
	}
	return 0;
}

void iova_text(const struct iova_range *range, size_t n, char *to, size_t size)
{
	size_t at = 0;

	*to = '\0';
	for (size_t i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(to + at, size - at, "%s%#llx to %#llx",
				       i ? ", " : "",
				       (unsigned long long)range[i].first,
				       (unsigned long long)range[i].last);
}
