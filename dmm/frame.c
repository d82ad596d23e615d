/* SPDX-License-Identifier: MIT */
/*
 * frame.c: Ethernet frames as bytes: addresses, filters, the CRC.
 */

#include <string.h>
#include <zlib.h>

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

uint32_t frame_crc(uint32_t crc, const uint8_t *bytes, size_t len)
{
	return (uint32_t)crc32_z(crc, bytes, len);
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
