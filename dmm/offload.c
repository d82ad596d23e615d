/* SPDX-License-Identifier: MIT */
/*
 * offload.c: checksums and segments of frames that never reach the wire.
 *
 * Sections in comments are the controllers' manual's, as in offload.h.  All
 * numbers are checked before anything is written; from then on they are used
 * as they are.
 */

#include <errno.h>
#include <string.h>

#include "frame.h"
#include "offload.h"

/* Where things are in headers (RFC 791, 8200, 9293, 768), in bytes. */
#define IPV4_LENGTH 2
#define IPV4_ID 4
#define IPV4_MIN 20u
#define IPV6_LENGTH 4
#define IPV6_MIN 40u /* not counted by the length in it: RFC 8200, 3 */
#define IP_LENGTH_MAX 65535u
#define TCP_SEQUENCE 4
#define TCP_FLAGS 13
#define TCP_FIN_PSH 0x09
#define TCP_MIN 20u
#define UDP_LENGTH 4
#define UDP_MIN 8u

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

/*
 * The one's complement sum of (seed) and (len) bytes, as 16-bit words from the
 * first byte on, a last odd byte being the upper half of one (RFC 1071).
 * Four bytes at a time: 2^16 is 1 in this arithmetic, so halves fold later.
 */
static uint16_t sum(const uint8_t *p, size_t len, uint32_t seed)
{
	uint64_t total = seed;

	for (; len >= 4; p += 4, len -= 4)
		total += get32(p);
	if (len >= 2)
		total += get16(p);
	if (len & 1)
		total += (uint32_t)p[len - 1] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

/* The sum from (start) to (end) as 3.3.6 counts, of a frame of (len) bytes. */
static uint16_t sum_range(const uint8_t *frame, size_t len, uint16_t start,
			  uint16_t end, uint32_t seed)
{
	size_t stop = end && end < len ? end + 1u : len;

	return sum(frame + start, stop - start, seed);
}

/*
 * Put both checksums into a frame of (len) bytes.  Both sums are of the frame
 * as it came, since the hardware adds up the bytes as they pass.  Segments
 * have a partial sum without the length, which is added here: 3.5.8.
 */
static void insert_sums(const struct offload *o, uint8_t *frame, size_t len)
{
	uint32_t seed = o->segment ? (uint32_t)(len - o->l4_start) : 0;
	uint16_t ip = 0, l4 = 0;

	if (o->ip_sum)
		ip = ~sum_range(frame, len, o->ip_start, o->ip_end, 0);
	if (o->l4_sum) {
		l4 = ~sum_range(frame, len, o->l4_start, o->l4_end, seed);
		/* To UDP a 0 says that there is none: RFC 768. */
		if (l4 == 0 && !o->tcp)
			l4 = 0xffff;
	}
	if (o->ip_sum)
		put16(frame + o->ip_at, ip);
	if (o->l4_sum)
		put16(frame + o->l4_at, l4);
}

/* True if such a sum can be taken of (len) bytes and stored below (room). */
static bool sum_fits(uint16_t start, uint16_t at, uint16_t end, size_t len,
		     size_t room)
{
	return start < len && (end == 0 || end >= start) &&
	       cc_within(at, 2, FRAME_HEADER, room - FRAME_HEADER);
}

static bool sums_fit(const struct offload *o, size_t len, size_t room)
{
	return (!o->ip_sum ||
		sum_fits(o->ip_start, o->ip_at, o->ip_end, len, room)) &&
	       (!o->l4_sum ||
		sum_fits(o->l4_start, o->l4_at, o->l4_end, len, room));
}

/* True if the header holds Ethernet's, IP's and TCP's or UDP's in order. */
static bool header_fits(const struct offload *o)
{
	uint32_t ip_min = o->ipv4 ? IPV4_MIN : IPV6_MIN;
	uint32_t l4_min = o->tcp ? TCP_MIN : UDP_MIN;

	return o->header <= OFFLOAD_HEADER_MAX && o->ip_start >= FRAME_HEADER &&
	       o->l4_start >= o->ip_start + ip_min &&
	       o->header >= o->l4_start + l4_min;
}

/* The longest segment's payload. */
static uint32_t largest(const struct offload *o)
{
	return o->payload < o->mss ? o->payload : o->mss;
}

/*
 * True if (o) cuts a frame of (len) bytes into segments that can be built.
 * Sums are checked against the header: all of it is in every segment.
 */
static bool segments_fit(const struct offload *o, size_t len,
			 size_t scratch_len)
{
	if (!header_fits(o) || !sums_fit(o, o->header, o->header))
		return false;
	if (o->mss == 0 || o->payload == 0 || o->payload > OFFLOAD_PAYLOAD_MAX)
		return false;
	if (len != (size_t)o->header + o->payload)
		return false;
	return o->header + largest(o) <= scratch_len &&
	       o->header + largest(o) - o->ip_start <= IP_LENGTH_MAX;
}

/*
 * Bring the headers of a segment up to date: the (nth), (done) bytes of payload
 * behind the first, (len) bytes long: 3.5.9.1 to 3.5.9.3.
 *
 * The manual subtracts no more than IPCSS from IPv6's length, which would make
 * it 40 too much.  What was meant is in its successors' manuals and on wires:
 * the length without the fixed header.
 */
static void update(const struct offload *o, uint8_t *frame, size_t len,
		   uint16_t nth, uint32_t done)
{
	uint8_t *ip = frame + o->ip_start, *l4 = frame + o->l4_start;
	uint16_t ip_len = (uint16_t)(len - o->ip_start);

	if (o->ipv4) {
		put16(ip + IPV4_LENGTH, ip_len);
		put16(ip + IPV4_ID, get16(ip + IPV4_ID) + nth);
	} else {
		put16(ip + IPV6_LENGTH, (uint16_t)(ip_len - IPV6_MIN));
	}
	if (o->tcp) {
		put32(l4 + TCP_SEQUENCE, get32(l4 + TCP_SEQUENCE) + done);
		if (done + (len - o->header) < o->payload)
			l4[TCP_FLAGS] &= (uint8_t)~TCP_FIN_PSH;
	} else {
		put16(l4 + UDP_LENGTH, (uint16_t)(len - o->l4_start));
	}
}

static void segment(const struct offload *o, const uint8_t *frame,
		    uint8_t *scratch, offload_fn *fn, void *ctx)
{
	uint32_t done, part;
	uint16_t nth = 0;

	for (done = 0; done < o->payload; done += part, nth++) {
		part = o->payload - done < o->mss ? o->payload - done : o->mss;
		memcpy(scratch, frame, o->header);
		memcpy(scratch + o->header, frame + o->header + done, part);
		update(o, scratch, o->header + part, nth, done);
		insert_sums(o, scratch, o->header + part);
		fn(ctx, scratch, o->header + part);
	}
}

int offload_run(const struct offload *o, uint8_t *frame, size_t len,
		uint8_t *scratch, size_t scratch_len, offload_fn *fn, void *ctx)
{
	if (len < FRAME_HEADER)
		return -EINVAL;
	if (o->segment) {
		if (!segments_fit(o, len, scratch_len))
			return -EINVAL;
		segment(o, frame, scratch, fn, ctx);
		return 0;
	}
	if (!sums_fit(o, len, len))
		return -EINVAL;
	insert_sums(o, frame, len);
	fn(ctx, frame, len);
	return 0;
}
