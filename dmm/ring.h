/* SPDX-License-Identifier: MIT */
/*
 * ring.h: rings of received frames, in the ways that families of devices lay
 * them out.
 *
 * A pageRing lies in a card's own memory, in pages of 256 bytes numbered as
 * the card addresses them.  The card writes from (current) on, the host reads
 * up to it and moves (boundary) behind itself.  Each frame starts a page:
 *
 *    status | page of the next frame | count, low byte first | frame | CRC
 *
 * and goes on in the pages that follow, start after the last.  The count is
 * frame and CRC without the four bytes of the header, so a frame takes
 * (count + 4) / 256 pages, rounded up.  (The NIC's data sheet, 7.0 Packet
 * Reception: Storage Format for Received Packets.)
 *
 * Registers are a guest's and say what they like; nothing here reaches beyond
 * the memory for it.
 *
 * Errors:  -EINVAL, -ENOSPC as said; outputs and rings change only on success.
 * Threads: one ring, one thread at a time.
 */

#ifndef DMM_RING_H
#define DMM_RING_H

#include "cc.h"
#include "frame.h"

#define RING_PAGE 256u	     /* bytes */
#define RING_HEADER 4u	     /* bytes before each frame */
#define RING_COUNT_MAX 1536u /* frame and CRC: room for tags */
#define RING_FRAME_MAX (RING_COUNT_MAX - FRAME_FCS)

struct ring_page {
	uint8_t *memory;    /* the card's, or a guest's copy of it */
	uint32_t mem_start; /* card address of memory[0] */
	uint32_t mem_size;
	uint8_t start, stop, boundary, current; /* pages, as in the registers */
	/*
	 * What boundary == current means.  "If BNDRY caught up with CURR the
	 * buffer is empty and if CURR caught up with BNDRY the buffer is full"
	 * (7.0, Removing Packets): the part remembers, its registers do not
	 * tell.  ring_put() sets it; the owner of the ring keeps it between
	 * calls, and clears it when the host writes either register (even the
	 * same value) or resets the part.  No matter when they differ.
	 */
	bool full;
};

/*
 * True if the registers make sense: start < stop, all pages of the ring inside
 * the memory, boundary and current among them.  boundary may also be start - 1,
 * which everywhere here is stop - 1: common drivers keep it one page behind the
 * next frame and do not wrap it.
 */
bool ring_valid(const struct ring_page *r);

/*
 * Bytes in the pages that the card may fill: from current up to, never into,
 * boundary (7.0, Linking Receive Buffer Pages); the whole ring if it is empty
 * and they are equal.  0 if the ring is not valid.
 */
unsigned int ring_free(const struct ring_page *r);

/*
 * Receive a frame as the card does: header with (status), the frame, zeros up
 * to FRAME_MIN (a card that pads nothing would have refused a runt), its CRC.
 * Moves current; the rest of the last page keeps what it held.
 *
 * -EINVAL if the ring is not valid or (len) is not that of a frame:
 * FRAME_HEADER to RING_FRAME_MAX.  -ENOSPC if there is no room, where the card
 * would abort the reception and warn of an overflow.
 */
MUST_CHECK int ring_put(struct ring_page *r, const uint8_t *frame, size_t len,
			uint8_t status);

/*
 * Check a header found at (page), whoever wrote it: (page) and the next page
 * in the ring, a count of FRAME_MIN + FRAME_FCS to RING_COUNT_MAX that the
 * ring can hold, and the next page just behind what the count takes.  Else
 * -EINVAL.  (*len) is the frame without its CRC; it starts behind the header.
 * boundary and current do not matter here.
 */
MUST_CHECK int ring_next(const struct ring_page *r, uint8_t page,
			 const uint8_t header[4], uint8_t *next, uint32_t *len);

/* Counts the frames that a host reads from a card's ring by itself. */
struct ring_watch {
	uint8_t expect;	   /* page of the next header */
	uint8_t have;	   /* bytes of it seen: 0 to 3 */
	uint8_t header[4]; /* those */
	uint64_t frames;
	uint64_t bytes; /* of the frames, without their CRCs */
};

/*
 * Expect the next frame at the ring's current page; counts stay.  To be called
 * at the start (on a zeroed watch) and when the host writes current.
 */
void ring_watch_start(struct ring_watch *w, const struct ring_page *r);

/* Could (n) bytes at (addr) be of the expected header? */
static inline bool ring_watch_wants(const struct ring_watch *w, uint32_t addr,
				    uint32_t n)
{
	uint32_t first = w->expect * RING_PAGE;

	return addr < first + RING_HEADER && addr + n > first;
}

/*
 * The host read (n) bytes at (addr) of the card's memory, in order, in one
 * piece or in several calls; a read that the card wraps from stop to start is
 * two.  A frame counts when the four bytes of the expected header have passed
 * and are valid; then the next is expected where it says.  Any other page,
 * a header read again, or one that is not valid, changes nothing.
 */
void ring_watch_read(struct ring_watch *w, const struct ring_page *r,
		     uint32_t addr, const uint8_t *bytes, size_t n);

#endif /* DMM_RING_H */
