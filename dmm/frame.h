/* SPDX-License-Identifier: MIT */
/*
 * frame.h: what a monitor asks of an Ethernet frame: whose it is, who sent
 * it, and whether a guest's filter takes it.
 *
 * A frame here starts with its destination (IEEE 802.3, 3.1.1) and ends with
 * its data: no preamble, no check sequence.  Its bytes come from a guest or a
 * wire and are not trusted.
 *
 * Errors:  none; a frame too short to be one is FRAME_BAD, and nobody's.
 * Threads: all functions are pure.
 */

#ifndef DMM_FRAME_H
#define DMM_FRAME_H

#include "cc.h"

#define FRAME_HEADER 14u /* destination, source, length or type */
#define FRAME_MIN 60u	 /* without the check sequence: 802.3, 4.4.2 */
#define FRAME_FCS 4u	 /* bytes of the check sequence */

enum frame_kind { FRAME_BAD, FRAME_UNICAST, FRAME_MULTICAST, FRAME_BROADCAST };

/* What the destination is (802.3, 3.2.3); FRAME_BAD below FRAME_HEADER. */
enum frame_kind frame_kind(const uint8_t *bytes, size_t len);

/* True if the frame's destination, source is (mac).  It has 12 bytes. */
bool frame_is_to(const uint8_t *bytes, const uint8_t mac[6]);
bool frame_is_from(const uint8_t *bytes, const uint8_t mac[6]);

/*
 * CRC-32 of 802.3, 3.2.9: of (len) bytes that follow those whose CRC is (crc);
 * 0 to begin with.  A frame carries it behind its data, low byte first.
 */
uint32_t frame_crc(uint32_t crc, const uint8_t *bytes, size_t len);

/*
 * Where (mac) stands in a table of 64 multicast bits, 0 to 63: the six most
 * significant bits of the CRC register once the address has gone through it,
 * not inverted, x^31 first.  Bit n is bit (n & 7) of byte (n >> 3).
 */
unsigned int frame_hash_be(const uint8_t mac[6]);
/* The same by the six least significant bits, x^0 first. */
unsigned int frame_hash_le(const uint8_t mac[6]);

/* What one guest wants to hear, and may. */
struct frame_filter {
	uint8_t unicast[6]; /* what its own register says */
	bool has_unicast;   /* there is such a register */
	uint8_t mac[6];	    /* the address that it was given */
	uint64_t hash;	    /* bit n is bit n of frame_hash_be(), or _le() */
	bool hash_low;	    /* of frame_hash_le() */
	bool multicast;	    /* hash is in force */
	bool all_multicast;
	bool broadcast;
	bool promiscuous;
	bool mirror; /* promiscuous takes siblings' frames too */
};

/*
 * True if the guest of (f) is to have the frame.  (siblings): its destination
 * is an address that was given to another guest.
 *
 * A guest's address is the one it was given.  With has_unicast its register
 * must say the same, or it hears nothing for itself; a register that says
 * anything else claims nothing.  Promiscuous adds unicast that is no guest's,
 * every multicast and broadcast; frames of siblings only with mirror.
 */
bool frame_accepts(const struct frame_filter *f, const uint8_t *bytes,
		   size_t len, bool siblings);

/*
 * True if the frame does not come from (mac): another source, a group address
 * as source (802.3, 3.2.3 b), or no frame.  Only the Ethernet source is looked
 * at: addresses inside ARP, IP or any other protocol are not.
 */
bool frame_spoofed(const uint8_t *bytes, size_t len, const uint8_t mac[6]);

#endif /* DMM_FRAME_H */
