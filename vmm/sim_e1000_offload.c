/* SPDX-License-Identifier: MIT */
/*
 * sim_e1000_offload.c: what a simulated 82540EM does to a frame before it is
 * sent: the headers of a segment, and checksums.
 *
 * See sim_e1000.h for what "SDM" is.  No offset can reach outside of the
 * buffer: the largest are of 8 bits and a few bytes, or checked.
 */

#include <string.h>

#include "sim_e1000.h"

/*
 * The ones' complement sum of big-endian words, not folded to the end; an odd
 * last byte is a word's high half.
 */
uint32_t e1000_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	uint64_t wide = 0, word;
	uint32_t last = 0;

	for (; len >= 8; len -= 8, data += 8) {
		memcpy(&word, data, 8);
		wide += (word & 0xffffffff) + (word >> 32);
	}
	for (; len >= 2; len -= 2, data += 2)
		wide += e1000_le16(data);
	if (len)
		last = *data;
	wide += last;
	while (wide >> 16)
		wide = (wide & 0xffff) + (wide >> 16);
	/* The sum of swapped words is the swapped sum: RFC 1071. */
	sum += (uint32_t)((wide & 0xff) << 8 | wide >> 8);
	return (sum & 0xffff) + (sum >> 16);
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/*
 * Put the checksum of bytes (start) to (end), which is included, or to the
 * frame's own end if (end) is 0, at (at): SDM 3.6, 3.3.6.  Its complement is
 * never 0, which UDP has for "none".
 */
void e1000_insert(uint8_t *frame, uint32_t len, uint32_t start, uint32_t at,
		  uint32_t end)
{
	uint32_t stop = end && end < len ? end + 1 : len;
	uint16_t sum = 0;

	if (len < 2 || at > len - 2)
		return;
	if (start < stop)
		sum = fold(e1000_sum(0, frame + start, stop - start));
	e1000_put16(frame + at, sum == 0xffff ? 0xffff : ~sum & 0xffff);
}

static void put32(uint8_t *at, uint32_t value)
{
	e1000_put16(at, value >> 16);
	e1000_put16(at + 2, value & 0xffff);
}

/* Is this the frame that ends the context's payload? */
static bool last_frame(const struct e1000_tx *tx)
{
	return (uint64_t)(tx->frames + 1) * tx->tso.mss >= tx->tso.paylen;
}

/* SDM 3.5.9: IP. */
static void segment_ip(struct e1000_tx *tx)
{
	const struct e1000_context *tso = &tx->tso;
	uint8_t *ip = e1000_data(tx) + tso->ipcss;
	uint32_t len = tx->size - tso->ipcss;

	if (tso->ip4) {
		e1000_put16(ip + 2, len);
		e1000_put16(ip + 4, e1000_be16(ip + 4) + tx->frames);
	} else {
		/* Without the IPv6 header, whose 40 bytes are not counted. */
		e1000_put16(ip + 4, len - 40);
	}
}

/* SDM 3.5.9: TCP, with the payload sent before; UDP. */
static void segment_transport(struct e1000_tx *tx)
{
	const struct e1000_context *tso = &tx->tso;
	uint8_t *head = e1000_data(tx) + tso->tucss;

	if (tso->tcp) {
		put32(head + 4, ((uint32_t)e1000_be16(head + 4) << 16 |
				 e1000_be16(head + 6)) +
					tx->frames * tso->mss);
		if (!last_frame(tx))
			head[13] &= (uint8_t)~0x09; /* PSH, FIN */
	} else {
		e1000_put16(head + 4, tx->size - tso->tucss);
	}
}

/*
 * The driver's pseudo-header sum has no length, for that changes: SDM 3.5.5,
 * figure 3-7.
 */
static void pseudo_length(struct e1000_tx *tx)
{
	uint8_t *at = e1000_data(tx) + tx->tso.tucso;

	e1000_put16(at, fold(e1000_be16(at) + tx->size - tx->tso.tucss));
}

/* Make the frame in (tx) ready: SDM 3.5.8, 3.5.9, 3.6. */
void e1000_offload(struct e1000 *e)
{
	struct e1000_tx *tx = &e->tx;
	const struct e1000_context *ctx = tx->tse ? &tx->tso : &tx->sum;

	if (tx->tse) {
		segment_ip(tx);
		segment_transport(tx);
		if (tx->popts & POPTS_TXSM)
			pseudo_length(tx);
	}
	if (tx->popts & POPTS_TXSM)
		e1000_insert(e1000_data(tx), tx->size, ctx->tucss, ctx->tucso,
			     ctx->tucse);
	if (tx->popts & POPTS_IXSM)
		e1000_insert(e1000_data(tx), tx->size, ctx->ipcss, ctx->ipcso,
			     ctx->ipcse);
}
