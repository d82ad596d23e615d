/* SPDX-License-Identifier: MIT */
/*
 * sim_e1000_filter.c: which frames a simulated 82540EM takes, and what it
 * finds out of their checksums.
 *
 * See sim_e1000.h for what "SDM" is.
 */

#include <string.h>

#include "sim_e1000.h"

enum {
	TYPE_IP4 = 0x0800,
	TYPE_IP6 = 0x86dd,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
};

/*
 * Filters: SDM 3.2.1, 13.5.
 */

/* One of sixteen, by destination or, if ASEL says so, source: SDM 13.5.3. */
static bool exact(const struct e1000 *e, const uint8_t *frame)
{
	for (unsigned int i = 0; i < 16; i++) {
		uint32_t low = e1000_get(e, R_RAL + 8 * i);
		uint32_t high = e1000_get(e, R_RAH + 8 * i);
		const uint8_t *addr = frame;

		if (!(high & RAH_AV))
			continue;
		if ((high & RAH_ASEL) == RAH_ASEL_SOURCE)
			addr += 6;
		if (e1000_le32(addr) == low &&
		    e1000_le16(addr + 4) == (high & 0xffff))
			return true;
	}
	return false;
}

/* Twelve bits of the address, which ones RCTL.MO says: SDM 13.5.1. */
static bool in_table(const struct e1000 *e, const uint8_t *frame)
{
	static const uint8_t shift[] = { 4, 3, 2, 0 };
	uint32_t rctl = e1000_get(e, R_RCTL);
	uint32_t hash = e1000_le16(frame + 4) >> shift[rctl >> RCTL_MO_AT & 3] &
			0xfff;

	return e1000_get(e, R_MTA + 4 * (hash >> 5)) >> (hash & 31) & 1;
}

bool e1000_tagged(const struct e1000 *e, const uint8_t *frame, size_t len)
{
	return len >= 18 && e1000_be16(frame + 12) == e1000_get(e, R_VET);
}

/* SDM 9.3; CFI: 13.4.22. */
static bool in_vlan(const struct e1000 *e, const uint8_t *frame, size_t len)
{
	uint32_t rctl = e1000_get(e, R_RCTL);
	uint32_t tag, vid;

	if (!(rctl & RCTL_VFE) || !e1000_tagged(e, frame, len))
		return true;
	tag = e1000_be16(frame + 14);
	vid = tag & 0xfff;
	if (rctl & RCTL_CFIEN && !(tag & 0x1000) != !(rctl & RCTL_CFI))
		return false;
	return e1000_get(e, R_VFTA + 4 * (vid >> 5)) >> (vid & 31) & 1;
}

/* (*hashed): only the table took it, and software should look: SDM 3.2.3.1. */
bool e1000_filter(const struct e1000 *e, const uint8_t *frame, size_t len,
		  bool *hashed)
{
	static const uint8_t everyone[6] = { 255, 255, 255, 255, 255, 255 };
	uint32_t rctl = e1000_get(e, R_RCTL);
	bool group = frame[0] & 1;
	bool pass;

	if (!memcmp(frame, everyone, sizeof(everyone)))
		pass = rctl & RCTL_BAM;
	else
		pass = rctl & (group ? RCTL_MPE : RCTL_UPE);
	*hashed = false;
	if (!pass)
		pass = exact(e, frame);
	if (!pass && group)
		pass = *hashed = in_table(e, frame);
	return pass && in_vlan(e, frame, len);
}

/*
 * Checksums: SDM 3.2.9, table 3-5.
 */

/* Where the network header is, of Ethernet II and of SNAP; tagged or not. */
static size_t network(const struct e1000 *e, const uint8_t *data, size_t len,
		      uint16_t *type)
{
	static const uint8_t snap[6] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
	size_t at = 12;

	if (e1000_tagged(e, data, len))
		at += E1000_TAG_LEN;
	if (len < at + 2)
		return 0;
	*type = e1000_be16(data + at);
	at += 2;
	if (*type <= 1500 && len >= at + 8 &&
	    !memcmp(data + at, snap, sizeof(snap))) {
		*type = e1000_be16(data + at + 6);
		at += 8;
	}
	return at;
}

static bool sums_up(uint32_t sum, const uint8_t *data, size_t len)
{
	sum = e1000_sum(sum, data, len);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* (pseudo) is the sum of the addresses. */
static void check_transport(const struct e1000 *e, const uint8_t *data,
			    size_t len, unsigned int proto, uint32_t pseudo,
			    struct e1000_packet *packet)
{
	size_t at = proto == PROTO_TCP ? 16 : 6;

	if (!(e1000_get(e, R_RXCSUM) & RXCSUM_TUOFL) ||
	    (proto != PROTO_TCP && proto != PROTO_UDP) || len < at + 2)
		return;
	/* UDP without a checksum. */
	if (proto == PROTO_UDP && !e1000_be16(data + at))
		return;
	packet->status |= RXD_TCPCS;
	if (!sums_up(pseudo + proto + (uint32_t)len, data, len))
		packet->errors |= RXE_TCPE;
}

/* A fragment's transport cannot be checked. */
static bool check_ip4(const struct e1000 *e, const uint8_t *ip, size_t len,
		      struct e1000_packet *packet)
{
	size_t head, total;

	if (len < 20 || ip[0] >> 4 != 4)
		return false;
	head = 4u * (ip[0] & 15);
	total = e1000_be16(ip + 2);
	if (head < 20 || head > total || total > len)
		return false;
	if (e1000_get(e, R_RXCSUM) & RXCSUM_IPOFL) {
		packet->status |= RXD_IPCS;
		if (!sums_up(0, ip, head))
			packet->errors |= RXE_IPE;
	}
	if (!(e1000_be16(ip + 6) & 0x3fff))
		check_transport(e, ip + head, total - head, ip[9],
				e1000_sum(0, ip + 12, 8), packet);
	return true;
}

/* Without extension headers, and if IPV6OFL is set: SDM 13.4.47. */
static bool check_ip6(const struct e1000 *e, const uint8_t *ip, size_t len,
		      struct e1000_packet *packet)
{
	size_t total;

	if (!(e1000_get(e, R_RXCSUM) & RXCSUM_IPV6OFL) || len < 40 ||
	    ip[0] >> 4 != 6)
		return false;
	total = e1000_be16(ip + 4);
	if (total > len - 40)
		return false;
	check_transport(e, ip + 40, total, ip[6], e1000_sum(0, ip + 8, 32),
			packet);
	return packet->status & RXD_TCPCS;
}

void e1000_check(const struct e1000 *e, const uint8_t *data, size_t len,
		 struct e1000_packet *packet)
{
	uint16_t type = 0;
	size_t at;
	bool known = false;

	if (e1000_get(e, R_RXCSUM) & (RXCSUM_IPOFL | RXCSUM_TUOFL)) {
		at = network(e, data, len, &type);
		if (at && type == TYPE_IP4)
			known = check_ip4(e, data + at, len - at, packet);
		else if (at && type == TYPE_IP6)
			known = check_ip6(e, data + at, len - at, packet);
	}
	if (!known)
		packet->status |= RXD_IXSM;
}
