// SPDX-License-Identifier: MIT
/*
 * test_iova.c: chains of capabilities as VFIO has them, and as it does not.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/vfio.h>

#include "vmm/iova.h"

#define OTHER 0x20u /* where capabilities stand */
#define RANGES 0x40u
#define BYTES 0x100u

static union {
	uint8_t byte[BYTES];
	struct vfio_iommu_type1_info info;
} buf;

static void put_cap(uint32_t at, uint16_t id, uint32_t next)
{
	const struct vfio_info_cap_header cap = { .id = id, .next = next };

	memcpy(buf.byte + at, &cap, sizeof(cap));
}

/* What another IOMMU may say first, and two ranges. */
static void make(void)
{
	const struct vfio_iova_range range[] = { { 0, 0xfedfffff },
						 { 0xfef00000, 0x7fffffffff } };
	const uint32_t two = 2;

	memset(&buf, 0, sizeof(buf));
	buf.info.argsz = BYTES;
	buf.info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	buf.info.cap_offset = OTHER;
	put_cap(OTHER, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, RANGES);
	put_cap(RANGES, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, 0);
	memcpy(buf.byte + RANGES + 8, &two, 4);
	memcpy(buf.byte + RANGES + 16, range, sizeof(range));
}

static size_t parse(struct iova_range *r, size_t len)
{
	/* of its own, so that a sanitizer sees what is read beyond */
	void *copy = malloc(len ? len : 1);
	size_t n;

	memcpy(copy, &buf, len);
	n = iova_parse(copy, len, r, 4);
	free(copy);
	return n;
}

static void ranges(void **state)
{
	struct iova_range r[4];
	char text[80];

	(void)state;
	make();
	assert_int_equal(parse(r, BYTES), 2);
	assert_int_equal(r[1].first, 0xfef00000);
	assert_int_equal(r[1].last, 0x7fffffffff);
	iova_text(r, 2, text, sizeof(text));
	assert_string_equal(text,
			    "0 to 0xfedfffff, 0xfef00000 to 0x7fffffffff");
	iova_text(r, 2, text, 10);
	assert_string_equal(text, "0 to 0xfe");
	assert_int_equal(iova_parse(&buf, BYTES, r, 1), 1);
	buf.info.flags = VFIO_IOMMU_INFO_PGSIZES;
	assert_int_equal(parse(r, BYTES), 0);
}

static void spoiled(void **state)
{
	const uint32_t many = UINT32_MAX;
	const uint64_t late = UINT64_MAX;
	struct iova_range r[4];
	uint32_t at;
	size_t len;

	(void)state;
	make();
	for (len = 0; len < RANGES + 16; len++)
		assert_int_equal(parse(r, len), 0);
	assert_int_equal(parse(r, RANGES + 31), 0);
	assert_int_equal(parse(r, RANGES + 32), 1);
	/* a chain that ends nowhere, goes back, or on itself */
	for (at = 0; at < 2 * BYTES; at++) {
		make();
		put_cap(OTHER, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, at);
		(void)parse(r, BYTES);
		buf.info.cap_offset = at;
		(void)parse(r, BYTES);
	}
	make();
	put_cap(OTHER, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, OTHER);
	assert_int_equal(parse(r, BYTES), 0);
	/* more than there are, and one that ends before it begins */
	make();
	memcpy(buf.byte + RANGES + 8, &many, 4);
	memcpy(buf.byte + RANGES + 16, &late, 8);
	assert_int_equal(parse(r, BYTES), 4);
	assert_int_equal(r[0].first, 0xfef00000);
}

static void fits(void **state)
{
	const struct iova_range r[] = { { 0x1000, 0x1fff },
					{ 0x2000, UINT64_MAX } };

	(void)state;
	assert_int_equal(iova_fits(r, 2, 0, 1), 0);
	assert_int_equal(iova_fits(r, 2, 0x1000, 0x1000), 0x1000);
	assert_int_equal(iova_fits(r, 2, 0x1000, 0x1001), 0x1000);
	assert_int_equal(iova_fits(r, 2, 0x1fff, 8), 1);
	assert_int_equal(iova_fits(r, 2, 0x2000, UINT64_MAX),
			 UINT64_MAX - 0x1fff);
	assert_int_equal(iova_fits(r, 2, UINT64_MAX, 1), 1);
	assert_int_equal(iova_fits(r, 0, 0x1000, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(spoiled),
		cmocka_unit_test(fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
