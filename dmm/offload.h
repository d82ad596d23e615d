/* SPDX-License-Identifier: MIT */
/*
 * offload.h: what a controller would do to a frame on its way to the wire, by
 * the processor: insert checksums, cut one long frame into segments.
 *
 * A frame for a neighbour on the same card never reaches the wire, so nobody
 * does this for it.  What is asked for comes from the guest, as does the frame;
 * neither is trusted.  The rules are those of the gigabit controllers' manual
 * (Software Developer's Manual, 317453), 3.3.6, 3.3.7 and 3.5.
 *
 * Errors:  0 or -EINVAL; then nothing was emitted, nothing was written.
 * Threads: nothing is kept between calls.
 */

#ifndef DMM_OFFLOAD_H
#define DMM_OFFLOAD_H

#include "cc.h"

#define OFFLOAD_HEADER_MAX 240u	   /* bytes that are repeated: 3.5.5 */
#define OFFLOAD_PAYLOAD_MAX 65536u /* bytes that are cut up; our limit */

/* What is wanted.  Offsets count bytes from the frame's first, from 0. */
struct offload {
	bool ip_sum, l4_sum; /* insert these checksums */
	/*
	 * Sum from (start) to (end), the last byte, or to the end of the frame
	 * if (end) is 0 or lies behind it; store the sum, inverted, in two
	 * bytes at (at).  What the driver left there takes part in the sum.
	 */
	uint16_t ip_start, ip_at, ip_end;
	uint16_t l4_start, l4_at, l4_end;

	bool segment; /* one frame becomes several; what follows counts then */
	bool ipv4;    /* the header at (ip_start) is IPv4's, or else IPv6's */
	bool tcp;     /* ...at (l4_start) is TCP's, or else UDP's */
	uint16_t mss; /* bytes of payload in a frame; the last may have less */
	uint16_t header;  /* bytes that begin each frame */
	uint32_t payload; /* bytes behind them, all that there are */
};

/* Take one frame.  It is gone when this returns. */
typedef void offload_fn(void *ctx, const uint8_t *frame, size_t len);

/*
 * Do (o) to (frame), (len) bytes; each frame that would be on the wire goes
 * to (fn) once, in order, with (ctx).  Segments are built in (scratch), which
 * does not overlap (frame); it may be NULL if (o) does not segment.  A frame
 * that is not segmented is changed in place.
 *
 * Returns -EINVAL if the numbers make no sense for this frame:
 *  - it is no frame: below FRAME_HEADER bytes;
 *  - a sum starts behind its end or the frame's, or would be stored outside
 *    the frame (of a segment: outside its header) or in the Ethernet header,
 *    whose addresses were checked before;
 *  - the header is above OFFLOAD_HEADER_MAX or does not hold, in this order,
 *    the Ethernet, IP and TCP or UDP headers;
 *  - (payload) is 0, above OFFLOAD_PAYLOAD_MAX or not what follows the header;
 *  - (mss) is 0, or a segment does not fit into (scratch_len) bytes or into an
 *    IP length.
 *
 * Work is bounded: OFFLOAD_PAYLOAD_MAX frames if (mss) is 1, and each byte of
 * a frame is copied once and added up twice at most.
 */
MUST_CHECK int offload_run(const struct offload *o, uint8_t *frame, size_t len,
			   uint8_t *scratch, size_t scratch_len, offload_fn *fn,
			   void *ctx);

#endif /* DMM_OFFLOAD_H */
