/* SPDX-License-Identifier: MIT */
/*
 * test_dma.c: which of a guest's memory a device is shown, and where.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../vmm/dma.h"

#define MEGA (UINT64_C(1) << 20)
#define GIGA (UINT64_C(1) << 30)
#define MOST 16

/* ---- a device that notes what it is shown ---- */

struct window {
	uint64_t iova, len;
	void *host;
	bool writable;
};

static struct window window[MOST];
static unsigned int windows;
static int answer;    /* of the next dma_map() */
static uint64_t ends; /* it maps nothing from here on; 0: it does */
static bool known;    /* what the IOMMU takes */
static bool master;

static int note_map(struct backend *be, uint64_t iova, void *host, uint64_t len,
		    bool writable)
{
	(void)be;
	if (answer)
		return answer;
	if (ends && iova + len > ends)
		return -EINVAL;
	for (unsigned int i = 0; i < windows; i++)
		assert_false(iova < window[i].iova + window[i].len &&
			     window[i].iova < iova + len);
	assert_in_range(windows, 0, MOST - 1);
	window[windows++] = (struct window){ iova, len, host, writable };
	return 0;
}

static void note_unmap(struct backend *be, uint64_t iova, uint64_t len)
{
	(void)be;
	for (unsigned int i = 0; i < windows; i++)
		if (window[i].iova == iova && window[i].len == len) {
			window[i] = window[--windows];
			return;
		}
	fail_msg("it was not shown %#lx", (unsigned long)iova);
}

static void note_master(struct backend *be, bool on)
{
	(void)be;
	master = on;
	assert_int_not_equal(windows, 0);
}

/* As a processor's: interrupts are in the middle, and it ends somewhere. */
static const struct iova_range takes[] = { { 0, 0xfedfffff },
					   { 0xfef00000, 5 * GIGA - 1 } };

static size_t note_ranges(struct backend *be, struct iova_range *range,
			  size_t max)
{
	(void)be;
	assert_true(max >= ARRAY_LEN(takes));
	memcpy(range, takes, sizeof(takes));
	return known ? ARRAY_LEN(takes) : 0;
}

static const struct backend_ops ops = { .dma_map = note_map,
					.dma_ranges = note_ranges,
					.dma_unmap = note_unmap,
					.bus_master = note_master };
static struct backend be = { .ops = &ops };
static struct dma dma;
static struct mem mem[4]; /* never touched */

static void make_mem(struct mem *m, uint64_t bytes)
{
	uint64_t low = bytes < MEM_LOW_MAX ? bytes : MEM_LOW_MAX;

	*m = (struct mem){ .bytes = bytes, .count = bytes > low ? 2 : 1 };
	m->region[0].size = low;
	m->region[1] = (struct mem_region){ .gpa = MEM_HIGH_BASE,
					    .size = bytes - low,
					    .offset = low };
}

static int set_up(void **state)
{
	char *why = NULL;

	(void)state;
	windows = 0;
	answer = 0;
	return dma_open(&dma, &be, MEGA, &why);
}

static int tear_down(void **state)
{
	(void)state;
	answer = 0;
	dma_close(&dma);
	return windows || master;
}

/* ---- tests ---- */

static void guests_memory_is_for_reading(void **state)
{
	char *why = NULL;
	uint64_t iova;

	(void)state;
	assert_true(master);
	assert_true(window[0].writable);
	make_mem(&mem[0], 64 * MEGA);
	make_mem(&mem[1], 64 * MEGA);
	assert_int_equal(dma_attach(&dma, 0, &mem[0], 0, &why), 0);
	assert_int_equal(dma_attach(&dma, 1, &mem[1], 0, &why), 0);
	assert_int_equal(windows, 3);
	assert_false(window[1].writable || window[2].writable);
	assert_int_equal(dma_translate(&dma, 1, 0x1234, 16, &iova), 0);
	assert_int_equal(iova, window[2].iova + 0x1234);
	assert_int_equal(dma_translate(&dma, 1, 64 * MEGA - 8, 16, &iova),
			 -EFAULT);
	dma_detach(&dma, 1);
	assert_int_equal(dma_translate(&dma, 1, 0x1234, 16, &iova), -EFAULT);
	assert_int_equal(windows, 2);
}

static void a_window_is_all_that_is_shown(void **state)
{
	char *why = NULL;
	uint64_t iova;

	(void)state;
	make_mem(&mem[0], 6 * GIGA);
	assert_int_equal(dma_attach(&dma, 0, &mem[0], 16 * MEGA, &why), 0);
	assert_int_equal(windows, 2);
	assert_int_equal(window[1].len, 16 * MEGA);
	assert_int_equal(dma_translate(&dma, 0, 16 * MEGA - 4, 4, &iova), 0);
	assert_int_equal(dma_translate(&dma, 0, 16 * MEGA - 4, 8, &iova),
			 -EFAULT);
	assert_int_equal(dma_translate(&dma, 0, MEM_HIGH_BASE, 8, &iova),
			 -EFAULT);
}

static void what_does_not_fit_says_what_would(void **state)
{
	char *why = NULL;
	uint64_t mega;

	(void)state;
	make_mem(&mem[0], 2 * GIGA);
	make_mem(&mem[1], 2 * GIGA);
	assert_int_equal(dma_attach(&dma, 0, &mem[0], 0, &why), 0);
	assert_int_equal(dma_attach(&dma, 1, &mem[1], 0, &why), -ENOSPC);
	assert_non_null(strstr(why, "does not fit below 4 GiB"));
	mega = strtoull(strstr(why, "dmaWindow: ") + 11, NULL, 10);
	free(why);
	why = NULL;
	assert_int_equal(dma_attach(&dma, 1, &mem[1], mega * MEGA, &why), 0);
	assert_true(window[2].iova + window[2].len <= 0xfee00000);
}

static void memory_that_cannot_be_pinned(void **state)
{
	char *why = NULL;

	(void)state;
	make_mem(&mem[0], 64 * MEGA);
	answer = -ENOMEM;
	assert_int_equal(dma_attach(&dma, 0, &mem[0], 0, &why), -ENOMEM);
	assert_non_null(strstr(why, "cannot be pinned"));
	free(why);
}

/* One guest alone, at its own addresses: the IOMMU does not take all. */
static void what_the_iommu_takes(void **state)
{
	struct dma own = { .be = &be, .alone = true };
	char *why = NULL;
	uint64_t mega;

	(void)state;
	windows = 0;
	answer = 0;
	ends = 5 * GIGA;
	make_mem(&mem[0], 6 * GIGA);
	known = true;
	assert_int_equal(dma_attach(&own, 0, &mem[0], 0, &why), -EINVAL);
	assert_non_null(strstr(why, "its memory from 0x100000000 to "));
	assert_non_null(strstr(why, "its IOMMU takes 0 to 0xfedfffff, "
				    "0xfef00000 to 0x13fffffff; "));
	assert_non_null(strstr(why, "dmaWindow: 5120M"));
	mega = strtoull(strstr(why, "dmaWindow: ") + 11, NULL, 10);
	free(why);
	why = NULL;
	dma_detach(&own, 0);
	assert_int_equal(dma_attach(&own, 0, &mem[0], mega * MEGA, &why), 0);
	dma_detach(&own, 0);
	/* it does not say: what is below may do */
	known = false;
	assert_int_equal(dma_attach(&own, 0, &mem[0], 0, &why), -EINVAL);
	assert_null(strstr(why, "IOMMU"));
	assert_non_null(strstr(why, "dmaWindow: 4096M"));
	free(why);
	why = NULL;
	dma_detach(&own, 0);
	/* addresses are not why: nothing of it would do */
	known = true;
	make_mem(&mem[0], 64 * MEGA);
	answer = -EPERM;
	assert_int_equal(dma_attach(&own, 0, &mem[0], 0, &why), -EPERM);
	assert_null(strstr(why, "dmaWindow"));
	assert_non_null(strstr(why, "give it less memory"));
	free(why);
	ends = 0;
	answer = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(guests_memory_is_for_reading,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_window_is_all_that_is_shown,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_does_not_fit_says_what_would, set_up, tear_down),
		cmocka_unit_test_setup_teardown(memory_that_cannot_be_pinned,
						set_up, tear_down),
		cmocka_unit_test(what_the_iommu_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
