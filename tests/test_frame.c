/* SPDX-License-Identifier: MIT */
/*
 * test_frame.c: kinds, addresses, the CRC, the multicast hash and the filter.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "dmm/frame.h"

static const uint8_t alpha[6] = { 0x52, 0x54, 0x00, 0x00, 0x00, 0x0a };
static const uint8_t beta[6] = { 0x52, 0x54, 0x00, 0x00, 0x00, 0x0b };
static const uint8_t other[6] = { 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02 };
static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 };
static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* A frame of 60 bytes; good until the next call. */
static const uint8_t *frame(const uint8_t *to, const uint8_t *from)
{
	static uint8_t bytes[60];

	memcpy(bytes, to, 6);
	memcpy(bytes + 6, from, 6);
	bytes[12] = 0x08;
	return bytes;
}

static void test_kind(void **state)
{
	const uint8_t *f;

	(void)state;
	assert_int_equal(frame_kind(frame(alpha, beta), 60), FRAME_UNICAST);
	assert_int_equal(frame_kind(frame(alpha, beta), 14), FRAME_UNICAST);
	assert_int_equal(frame_kind(frame(alpha, beta), 13), FRAME_BAD);
	assert_int_equal(frame_kind(NULL, 0), FRAME_BAD);
	assert_int_equal(frame_kind(frame(group, beta), 60), FRAME_MULTICAST);
	assert_int_equal(frame_kind(frame(all, beta), 60), FRAME_BROADCAST);
	f = frame(alpha, beta);
	assert_true(frame_is_to(f, alpha));
	assert_false(frame_is_to(f, beta));
	assert_true(frame_is_from(f, beta));
	assert_false(frame_is_from(f, alpha));
}

static void test_crc(void **state)
{
	static const uint8_t check[] = "123456789";
	uint32_t crc;

	(void)state;
	/* The check value of CRC-32 in every catalogue. */
	assert_int_equal(frame_crc(0, check, 9), 0xcbf43926);
	/* In pieces it is the same; of nothing it is nothing. */
	crc = frame_crc(0, check, 4);
	crc = frame_crc(crc, check, 0);
	assert_int_equal(frame_crc(crc, check + 4, 5), 0xcbf43926);
	assert_int_equal(frame_crc(0, check, 0), 0);
}

/*
 * By zlib's crc32() and, apart from it, by a register shifted to the left bit
 * by bit.  Those marked L are what Linux's lib8390 wrote to MAR0 to MAR7 in
 * traces/linux-6.1-ne2k_pci.qemu.log.xz: 40 in MAR7, 80 in MAR3, 04 in MAR0.
 */
static const struct {
	uint8_t mac[6];
	unsigned int hash;
} hashes[] = {
	{ { 0x33, 0x33, 0x00, 0x00, 0x00, 0x01 }, 62 }, /* L */
	{ { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 }, 31 }, /* L */
	{ { 0x33, 0x33, 0xff, 0x12, 0x34, 0x56 }, 2 },	/* L */
	{ { 0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb }, 15 },
	{ { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x00 }, 25 },
	{ { 0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa }, 43 },
	{ { 0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcc }, 15 },
	{ { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 }, 48 },
	{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 63 },
};

static void test_hash(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(hashes); i++)
		assert_int_equal(frame_hash_be(hashes[i].mac), hashes[i].hash);
}

static bool accepts(const struct frame_filter *f, const uint8_t *to,
		    bool siblings)
{
	return frame_accepts(f, frame(to, other), 60, siblings);
}

static void test_unicast(void **state)
{
	struct frame_filter f = { .has_unicast = true };

	(void)state;
	memcpy(f.mac, alpha, 6);
	memcpy(f.unicast, alpha, 6);
	assert_true(accepts(&f, alpha, false));
	assert_false(accepts(&f, beta, false));
	assert_false(accepts(&f, beta, true));
	assert_false(frame_accepts(&f, frame(alpha, other), 13, false));

	/* A register that claims a neighbour's address gets nothing. */
	memcpy(f.unicast, beta, 6);
	assert_false(accepts(&f, alpha, false));
	assert_false(accepts(&f, beta, true));
	assert_false(accepts(&f, beta, false));

	f.has_unicast = false;
	assert_true(accepts(&f, alpha, false));
	assert_false(accepts(&f, beta, false));
}

static void test_groups(void **state)
{
	struct frame_filter f = { .hash = UINT64_C(1) << 31 };

	(void)state;
	memcpy(f.mac, alpha, 6);
	assert_false(accepts(&f, group, false));
	f.multicast = true;
	assert_true(accepts(&f, group, false));
	assert_false(accepts(&f, hashes[0].mac, false));
	f.hash = ~f.hash;
	assert_false(accepts(&f, group, false));
	assert_true(accepts(&f, hashes[0].mac, false));
	f.all_multicast = true;
	assert_true(accepts(&f, group, false));

	/* Broadcast has a switch of its own. */
	f.hash = UINT64_MAX;
	assert_false(accepts(&f, all, false));
	f = (struct frame_filter){ .broadcast = true };
	assert_true(accepts(&f, all, false));
	assert_false(accepts(&f, group, false));
}

static void test_promiscuous(void **state)
{
	struct frame_filter f = { .promiscuous = true, .has_unicast = true };

	(void)state;
	memcpy(f.mac, alpha, 6);
	assert_true(accepts(&f, alpha, false)); /* unicast is still zeros */
	assert_true(accepts(&f, other, false));
	assert_true(accepts(&f, group, false));
	assert_true(accepts(&f, all, false));
	assert_false(accepts(&f, beta, true));
	f.mirror = true;
	assert_true(accepts(&f, beta, true));
	f.promiscuous = false; /* a mirror alone shows nothing */
	assert_false(accepts(&f, beta, true));
	assert_false(accepts(&f, other, false));
}

static void test_spoofed(void **state)
{
	static const uint8_t grouped[6] = { 0x53, 0x54, 0, 0, 0, 0x0a };

	(void)state;
	assert_false(frame_spoofed(frame(other, alpha), 60, alpha));
	assert_false(frame_spoofed(frame(other, alpha), 14, alpha));
	assert_true(frame_spoofed(frame(other, alpha), 13, alpha));
	assert_true(frame_spoofed(NULL, 0, alpha));
	assert_true(frame_spoofed(frame(other, beta), 60, alpha));
	assert_true(frame_spoofed(frame(alpha, beta), 60, alpha));
	/* A group is never a source, even one that was configured. */
	assert_true(frame_spoofed(frame(other, grouped), 60, grouped));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_unicast),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_promiscuous),
		cmocka_unit_test(test_spoofed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
