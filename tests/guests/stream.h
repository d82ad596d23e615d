/* SPDX-License-Identifier: MIT */
/*
 * stream.h: bulk data between two stations, by UDP with a window.
 *
 * Both ends run the same program, and every packet has the same header, so a
 * station that just echoes UDP is a good other end of `both`.
 */

#ifndef STREAM_H
#define STREAM_H

#include "checksum.h"
#include "net.h"

#define STREAM_HEAD 70 /* Ethernet, IP, UDP, struct stream_header */

struct stream_header {
	uint32_t magic;
	uint32_t seq;	/* of this frame */
	uint32_t count; /* frames that the sender has in all */
	uint32_t ack;	/* all before this one came */
	uint32_t gap;	/* and one behind it came, too */
	uint32_t seed;	/* of the sender's data */
	uint32_t sum; /* of the data up to this frame's end, both sums xored */
};

struct stream_options {
	uint32_t peer; /* 0: whoever sends first */
	uint16_t port;
	uint32_t send;	  /* bytes to send */
	uint32_t receive; /* bytes to receive */
	uint32_t frame;	  /* length of a frame, with all headers */
	uint32_t window;  /* frames under way at most */
	uint32_t batch;	  /* frames for each doorbell */
	bool sampled;	  /* sum three words of each frame only */
};

/* Data that is told from other frames' and other senders': at least FRAME_MAX
 * bytes. */
const uint8_t *stream_data(uint32_t seq, uint32_t seed);

/* Fill what stream_data() returns. */
void stream_fill(void);

/* Transfer; prints what was done, fails the guest if it goes wrong. */
void stream_run(const struct stream_options *options);

#endif /* STREAM_H */
