/* SPDX-License-Identifier: MIT */
/*
 * test_sim_e1000_filter.c: which frames the simulated 82540EM takes, and what
 * it tells of their tags and checksums, against Intel's manual.
 */

#include "test_sim_e1000.h"

static uint8_t *buf(struct rig *rig, uint32_t i)
{
	return rig->mem + RXBUFS + i * RXBUF;
}

static unsigned int rxlen(struct rig *rig, uint32_t i)
{
	return e1000_le16(rxd(rig, i) + 8);
}

static unsigned int status(struct rig *rig, uint32_t i)
{
	return rxd(rig, i)[RXD_STATUS];
}

static unsigned int errors(struct rig *rig, uint32_t i)
{
	return rxd(rig, i)[13];
}

static void rctl(struct rig *rig, uint32_t value)
{
	wr(rig, R_RCTL, RCTL_EN | value);
	run(rig);
}

/* Is a frame for (to) taken? */
static bool takes(struct rig *rig, const uint8_t to[6])
{
	uint64_t before = stats(rig).received;
	uint8_t frame[60];

	fill(frame, sizeof(frame), to);
	give(rig, 1);
	hear(rig, frame, sizeof(frame));
	return stats(rig).received != before;
}

/* SDM 3.2.1, 13.4.22, 13.5. */
static void test_unicast(void **state)
{
	static const uint8_t third[6] = { 0x02, 0, 0, 0, 0, 0x33 };
	struct rig *rig = *state;

	assert_true(takes(rig, own));
	assert_false(takes(rig, other));
	wr(rig, R_RAL + 120, e1000_le32(third));
	wr(rig, R_RAH + 120, e1000_le16(third + 4));
	assert_false(takes(rig, third));
	wr(rig, R_RAH + 120, e1000_le16(third + 4) | (uint32_t)RAH_AV);
	assert_true(takes(rig, third));
	/* By source: fill() sends all from (other). */
	wr(rig, R_RAL + 8, e1000_le32(other));
	wr(rig, R_RAH + 8,
	   e1000_le16(other + 4) | (uint32_t)RAH_AV | RAH_ASEL_SOURCE);
	assert_true(takes(rig, everyone));
	wr(rig, R_RAL + 8, e1000_le32(own));
	assert_false(takes(rig, other));
	rctl(rig, RCTL_UPE);
	assert_true(takes(rig, other));
	assert_false(takes(rig, group));
	assert_false(takes(rig, everyone));
}

static void test_groups(void **state)
{
	struct rig *rig = *state;
	uint32_t hash;

	assert_true(takes(rig, everyone)); /* BAM */
	assert_false(takes(rig, group));
	rctl(rig, RCTL_MPE);
	assert_true(takes(rig, group));
	assert_false(takes(rig, everyone));
	assert_false(takes(rig, other));
	rctl(rig, 0);
	wr(rig, R_RAL + 16, e1000_le32(group));
	wr(rig, R_RAH + 16, e1000_le16(group + 4) | (uint32_t)RAH_AV);
	assert_true(takes(rig, group));
	assert_false(status(rig, rd(rig, R_RDH) - 1) & RXD_PIF);
	wr(rig, R_RAH + 16, 0);
	/* [47:36], [46:35], [45:34], [43:32] of the address: SDM 13.5.1. */
	for (unsigned int mo = 0; mo < 4; mo++) {
		static const uint8_t shift[] = { 36, 35, 34, 32 };
		uint64_t addr = e1000_le32(group) |
				(uint64_t)e1000_le16(group + 4) << 32;

		rctl(rig, mo << RCTL_MO_AT);
		hash = (uint32_t)(addr >> shift[mo]) & 0xfff;
		assert_false(takes(rig, group));
		wr(rig, R_MTA + 4 * (hash / 32), 1u << hash % 32);
		assert_true(takes(rig, group));
		assert_true(status(rig, rd(rig, R_RDH) - 1) & RXD_PIF);
		wr(rig, R_MTA + 4 * (hash / 32), 0);
	}
	/* The table is for groups. */
	for (unsigned int i = 0; i < 128; i++)
		wr(rig, R_MTA + 4 * i, 0xffffffff);
	assert_true(takes(rig, group));
	assert_true(takes(rig, everyone));
	assert_false(takes(rig, other));
}

static void tag(uint8_t *frame, unsigned int value)
{
	frame[12] = 0x81;
	frame[13] = 0x00;
	frame[14] = (uint8_t)(value >> 8);
	frame[15] = (uint8_t)value;
}

/* SDM 9.2, 9.3, 13.5.4. */
static void test_vlan(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[100];

	fill(frame, sizeof(frame), own);
	tag(frame, 0xa123);
	give(rig, 20);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rxlen(rig, 0), 100);
	assert_false(status(rig, 0) & RXD_VP);
	wr(rig, R_CTRL, CTRL_SLU | CTRL_VME);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rxlen(rig, 1), 96);
	assert_true(status(rig, 1) & RXD_VP);
	assert_int_equal(e1000_le16(rxd(rig, 1) + 14), 0xa123);
	assert_memory_equal(buf(rig, 1), frame, 12);
	assert_memory_equal(buf(rig, 1) + 12, frame + 16, 84);
	/* Its check sequence is that of the wire. */
	rctl(rig, 0);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rxlen(rig, 2), 100);
	assert_int_equal(e1000_le32(buf(rig, 2) + 96),
			 e1000_fcs(rig->e, frame, 100));
	rctl(rig, RCTL_VFE | RCTL_SECRC);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDH), 3);
	wr(rig, R_VFTA + 4 * (0x123 / 32), 1u << (0x123 % 32));
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDH), 4);
	/* CFI: the tag has it clear. */
	rctl(rig, RCTL_VFE | RCTL_CFIEN | RCTL_CFI);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDH), 4);
	rctl(rig, RCTL_VFE | RCTL_CFIEN);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDH), 5);
	/* Untagged frames are not filtered; VET says what a tag is. */
	wr(rig, R_VFTA + 4 * (0x123 / 32), 0);
	wr(rig, R_VET, 0x88a8);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDH), 6);
	assert_false(status(rig, 5) & RXD_VP);
}

/*
 * Checksums: SDM 3.2.9.
 */

static uint16_t sum16(const uint8_t *at, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void set16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* A packet of 200 bytes behind a header of (link); all sums are right. */
static void packet(uint8_t *frame, size_t link, bool ip4, unsigned int proto)
{
	uint8_t *ip = frame + link, *l4 = ip + (ip4 ? 20 : 40);
	size_t head = ip4 ? 20 : 40, len = 200 - head;
	uint32_t sum;

	memset(frame, 0x23, link + 200);
	memcpy(frame, own, 6);
	set16(ip - 2, ip4 ? 0x0800 : 0x86dd);
	ip[0] = ip4 ? 0x45 : 0x60;
	set16(ip + (ip4 ? 2 : 4), ip4 ? 200 : 160);
	ip[ip4 ? 9 : 6] = (uint8_t)proto;
	if (ip4) {
		set16(ip + 6, 0x4000);
		set16(ip + 10, 0);
		set16(ip + 10, (uint16_t)~sum16(ip, 20, 0));
		sum = sum16(ip + 12, 8, proto + (uint32_t)len);
	} else {
		sum = sum16(ip + 8, 32, proto + (uint32_t)len);
	}
	set16(l4 + (proto == 6 ? 16 : 6), 0);
	set16(l4 + (proto == 6 ? 16 : 6), (uint16_t)~sum16(l4, len, sum));
}

#define BOTH (RXD_IPCS | RXD_TCPCS)

static void checked(struct rig *rig, const uint8_t *frame, size_t len,
		    unsigned int want_status, unsigned int want_errors)
{
	uint32_t at = rd(rig, R_RDH);

	give(rig, 1);
	hear(rig, frame, len);
	assert_int_equal(rd(rig, R_RDH), (at + 1) % RING);
	assert_int_equal(status(rig, at) & (BOTH | RXD_IXSM), want_status);
	assert_int_equal(errors(rig, at), want_errors);
}

static void test_checksums(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[300];

	packet(frame, 14, true, 6);
	checked(rig, frame, 214, RXD_IXSM, 0);
	wr(rig, R_RXCSUM, RXCSUM_IPOFL | RXCSUM_TUOFL);
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int proto = i ? 17 : 6;

		packet(frame, 14, true, proto);
		checked(rig, frame, 214, BOTH, 0);
		frame[100] ^= 1;
		checked(rig, frame, 214, BOTH, RXE_TCPE);
		frame[14 + 8] ^= 1;
		checked(rig, frame, 214, BOTH, RXE_TCPE | RXE_IPE);
		packet(frame, 14, false, proto);
		checked(rig, frame, 214, RXD_IXSM, 0);
		wr(rig, R_RXCSUM, 0x700);
		checked(rig, frame, 214, RXD_TCPCS, 0);
		frame[100] ^= 1;
		checked(rig, frame, 214, RXD_TCPCS, RXE_TCPE);
		wr(rig, R_RXCSUM, 0x300);
	}
	/* One by one. */
	packet(frame, 14, true, 6);
	wr(rig, R_RXCSUM, RXCSUM_IPOFL);
	checked(rig, frame, 214, RXD_IPCS, 0);
	wr(rig, R_RXCSUM, RXCSUM_TUOFL);
	checked(rig, frame, 214, RXD_TCPCS, 0);
}

/* What cannot be checked is not; what can be, is found. */
static void test_packet_kinds(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[300];

	wr(rig, R_RXCSUM, 0x700);
	packet(frame, 14, true, 1); /* ICMP */
	checked(rig, frame, 214, RXD_IPCS, 0);
	packet(frame, 14, true, 17); /* UDP without a checksum */
	set16(frame + 14 + 26, 0);
	checked(rig, frame, 214, RXD_IPCS, 0);
	packet(frame, 14, true, 6); /* a fragment */
	set16(frame + 14 + 6, 0x2000);
	set16(frame + 14 + 10, 0);
	set16(frame + 14 + 10, (uint16_t)~sum16(frame + 14, 20, 0));
	checked(rig, frame, 214, RXD_IPCS, 0);
	packet(frame, 14, true, 6); /* a length that lies */
	set16(frame + 14 + 2, 201);
	checked(rig, frame, 214, RXD_IXSM, 0);
	frame[14] = 0x4f;
	set16(frame + 14 + 2, 50);
	checked(rig, frame, 214, RXD_IXSM, 0);
	packet(frame, 14, false, 0); /* extension headers */
	checked(rig, frame, 214, RXD_IXSM, 0);
	fill(frame, 100, own);
	checked(rig, frame, 100, RXD_IXSM, 0);
	packet(frame, 22, true, 6); /* SNAP */
	set16(frame + 12, 208);
	memcpy(frame + 14, "\xaa\xaa\x03\0\0\0", 6);
	checked(rig, frame, 222, BOTH, 0);
	packet(frame, 18, true, 6); /* a tag, left and stripped */
	tag(frame, 5);
	checked(rig, frame, 218, BOTH, 0);
	wr(rig, R_CTRL, CTRL_SLU | CTRL_VME);
	checked(rig, frame, 218, BOTH, 0);
}

/* The Packet Checksum: from PCSS to the end: SDM 3.2.9, 13.4.47. */
static void test_packet_checksum(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[105];
	uint32_t fcs;

	fill(frame, 101, own);
	give(rig, 8);
	wr(rig, R_RXCSUM, 14);
	hear(rig, frame, 101);
	assert_int_equal(e1000_le16(rxd(rig, 0) + 10),
			 sum16(frame + 14, 87, 0));
	wr(rig, R_RXCSUM, 101);
	hear(rig, frame, 101);
	assert_int_equal(e1000_le16(rxd(rig, 1) + 10), 0);
	wr(rig, R_RXCSUM, 14);
	rctl(rig, 0);
	hear(rig, frame, 101);
	fcs = e1000_fcs(rig->e, frame, 101);
	memcpy(frame + 101, &fcs, 4);
	assert_int_equal(e1000_le16(rxd(rig, 2) + 10),
			 sum16(frame + 14, 91, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unicast),	 TEST(test_groups),
		TEST(test_vlan),	 TEST(test_checksums),
		TEST(test_packet_kinds), TEST(test_packet_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
