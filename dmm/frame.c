/* SPDX-License-Identifier: MIT */
/*
 * frame.c: Ethernet frames as bytes: addresses, filters, the CRC.
 */

#include <string.h>

#include "frame.h"

#define GROUP 0x01 /* of an address's first byte: 802.3, 3.2.3 */

static const uint8_t everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

enum frame_kind frame_kind(const uint8_t *bytes, size_t len)
{
	if (len < FRAME_HEADER)
		return FRAME_BAD;
	if (!(bytes[0] & GROUP))
		return FRAME_UNICAST;
	return frame_is_to(bytes, everyone) ? FRAME_BROADCAST : FRAME_MULTICAST;
}

bool frame_is_to(const uint8_t *bytes, const uint8_t mac[6])
{
	return memcmp(bytes, mac, 6) == 0;
}

bool frame_is_from(const uint8_t *bytes, const uint8_t mac[6])
{
	return memcmp(bytes + 6, mac, 6) == 0;
}

/*
 * Four bits at a time, least significant first as they go over the wire: a
 * table of 16 is small enough to read, and a frame costs 3,000 steps at most.
 */
/* clang-format off */
static const uint32_t crc_of[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
	0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
	0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
	0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};
/* clang-format on */

uint32_t frame_crc(uint32_t crc, const uint8_t *bytes, size_t len)
{
	size_t i;

	crc = ~crc;
	for (i = 0; i < len; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ crc_of[crc & 15];
		crc = crc >> 4 ^ crc_of[crc & 15];
	}
	return ~crc;
}

unsigned int frame_hash_be(const uint8_t mac[6])
{
	/* Our register is mirrored: x^31 is bit 0. */
	uint32_t crc = ~frame_crc(0, mac, 6);
	unsigned int hash = 0, i;

	for (i = 0; i < 6; i++)
		hash = hash << 1 | (crc >> i & 1);
	return hash;
}

unsigned int frame_hash_le(const uint8_t mac[6])
{
	return ~frame_crc(0, mac, 6) >> 26;
}

static bool accepts_multicast(const struct frame_filter *f,
			      const uint8_t *bytes)
{
	unsigned int n = f->hash_low ? frame_hash_le(bytes) :
				       frame_hash_be(bytes);

	return f->promiscuous || f->all_multicast ||
	       (f->multicast && f->hash >> n & 1);
}

static bool accepts_unicast(const struct frame_filter *f, const uint8_t *bytes,
			    bool siblings)
{
	if (frame_is_to(bytes, f->mac))
		return !f->has_unicast || f->promiscuous ||
		       frame_is_to(bytes, f->unicast);
	return f->promiscuous && (!siblings || f->mirror);
}

bool frame_accepts(const struct frame_filter *f, const uint8_t *bytes,
		   size_t len, bool siblings)
{
	switch (frame_kind(bytes, len)) {
	case FRAME_BAD:
		break;
	case FRAME_UNICAST:
		return accepts_unicast(f, bytes, siblings);
	case FRAME_MULTICAST:
		return accepts_multicast(f, bytes);
	case FRAME_BROADCAST:
		return f->promiscuous || f->broadcast;
	}
	return false;
}

bool frame_spoofed(const uint8_t *bytes, size_t len, const uint8_t mac[6])
{
	return len < FRAME_HEADER || bytes[6] & GROUP ||
	       !frame_is_from(bytes, mac);
}
