/* SPDX-License-Identifier: MIT */
/*
 * sim_e1000_tx.c: a simulated 82540EM sends: the transmit ring, its three
 * kinds of descriptors, segmentation, the way to the wire.
 *
 * See sim_e1000.h for what "SDM" is.  A run() ends when it has sent SIM_BURST
 * frames, wherever it is: in the middle of a descriptor, if one makes more.
 */

#include <string.h>

#include "sim_e1000.h"

/*
 * To the wire.
 */

/* The transmit FIFO is what PBA leaves of the packet buffer: SDM 13.4.16. */
static void fill_fifo(struct e1000 *e, const uint8_t *frame, uint32_t len)
{
	uint32_t start = e->rx.size, size = E1000_PBM_SIZE - start;
	uint32_t at = e1000_get(e, R_TDFT) * 8, part;

	at = at < start ? 0 : (at - start) % size;
	len = len < size ? len : size;
	part = size - at < len ? size - at : len;
	memcpy(e->pbm + start + at, frame, part);
	memcpy(e->pbm + start, frame + part, len - part);
	at = (at + ((len + 7) & ~7u)) % size;
	e1000_set(e, R_TDFT, (start + at) / 8);
	e1000_set(e, R_TDFH, (start + at) / 8);
}

/* SDM 13.7: sizes are with the check sequence. */
static void count_sent(struct e1000 *e, const uint8_t *frame, uint32_t len)
{
	static const uint8_t everyone[6] = { 255, 255, 255, 255, 255, 255 };
	uint32_t size = len + E1000_FCS_LEN;

	e1000_count(e, R_TPT);
	e1000_count64(e, R_TOTL, size);
	if (len < E1000_FRAME_MIN)
		return;
	e1000_count(e, R_GPTC);
	e1000_count64(e, R_GOTCL, size);
	e1000_count_size(e, R_PTC64, size);
	if (!memcmp(frame, everyone, sizeof(everyone)))
		e1000_count(e, R_BPTC);
	else if (frame[0] & 1)
		e1000_count(e, R_MPTC);
}

/* With a preamble, a check sequence and a gap. */
static uint64_t wire_ns(const struct e1000 *e, uint32_t len)
{
	uint64_t bits = 8 * ((uint64_t)len + 8 + E1000_FCS_LEN + 12);

	return e->conf.wire_bps ? bits * 1000000000 / e->conf.wire_bps : 0;
}

/*
 * IFCS clear: the driver made the check sequence, which is not ours to pass
 * on; if it is wrong, nobody takes the frame: SDM 3.3.3.1.
 */
static bool strip_fcs(const struct e1000 *e, const uint8_t *frame,
		      uint32_t *len)
{
	if (e->tx.ifcs)
		return true;
	if (*len < E1000_FCS_LEN)
		return false;
	*len -= E1000_FCS_LEN;
	return e1000_le32(frame + *len) == e1000_fcs(e, frame, *len);
}

static void put_out(struct e1000 *e, const uint8_t *frame, uint32_t len)
{
	e->tx.sent++;
	e->tx.due_ns = wire_ns(e, len);
	fill_fifo(e, frame, len);
	if (!strip_fcs(e, frame, &len) || len < 14 || len > SIM_FRAME_MAX) {
		e->stats.spoiled++;
		return;
	}
	count_sent(e, frame, len);
	if (e1000_looped(e)) {
		e1000_hear(e, frame, len, 0);
	} else if (e->link) {
		e->stats.sent++;
		e->host->transmit(e->ctx, frame, len);
	} else {
		e->stats.spoiled++;
	}
}

/*
 * The frame in (data) is whole.  The tag goes between the addresses and the
 * type: SDM 9.2; to make room, the addresses move.  Padding is zeros, and
 * before the tag: SDM 13.4.33, TCTL.PSP.
 */
static void send_frame(struct e1000 *e)
{
	struct e1000_tx *tx = &e->tx;
	uint8_t *frame = e1000_data(tx);
	uint32_t len = tx->size;

	if (!len)
		return;
	e1000_offload(e);
	if (tx->tag) {
		frame = tx->buf;
		memmove(frame, e1000_data(tx), 12);
		e1000_put16(frame + 12, e1000_get(e, R_VET));
		e1000_put16(frame + 14, tx->special);
		len += E1000_TAG_LEN;
	}
	if (e1000_get(e, R_TCTL) & TCTL_PSP && tx->ifcs &&
	    len < E1000_FRAME_MIN) {
		memset(frame + len, 0, E1000_FRAME_MIN - len);
		len = E1000_FRAME_MIN;
	}
	put_out(e, frame, len);
	tx->frames++;
}

static bool burst_over(const struct e1000 *e)
{
	return e->tx.sent >= (e->conf.wire_bps ? 1 : SIM_BURST);
}

/*
 * Descriptors.
 */

static uint32_t desc_word(const struct e1000_tx *tx)
{
	return e1000_le32(tx->desc + 8);
}

/* SDM 3.3.6. */
static void take_context(struct e1000_tx *tx)
{
	const uint8_t *desc = tx->desc;
	uint32_t cmd = desc_word(tx);
	struct e1000_context *ctx = cmd & TXD_TSE ? &tx->tso : &tx->sum;

	ctx->ipcss = desc[0];
	ctx->ipcso = desc[1];
	ctx->ipcse = e1000_le16(desc + 2);
	ctx->tucss = desc[4];
	ctx->tucso = desc[5];
	ctx->tucse = e1000_le16(desc + 6);
	ctx->paylen = cmd & 0xfffff;
	ctx->hdrlen = desc[13];
	ctx->mss = e1000_le16(desc + 14);
	ctx->tcp = cmd & TUCMD_TCP;
	ctx->ip4 = cmd & TUCMD_IP;
	if (cmd & TXD_TSE)
		tx->frames = tx->payload = 0;
}

/*
 * IFCS, VLE and the tag count in the first descriptor with TSE, else in the
 * last: SDM 3.3.7.1.  POPTS counts in the first: 3.3.7.3.
 */
static void take_options(struct e1000 *e)
{
	struct e1000_tx *tx = &e->tx;
	uint32_t cmd = desc_word(tx);
	bool data = cmd & TXD_DEXT, first = !tx->size;

	tx->tse = data && cmd & TXD_TSE;
	if (first) {
		tx->popts = data ? tx->desc[13] : 0;
		if (tx->tse)
			tx->frames = tx->payload = 0;
	}
	if (tx->tse ? first : !!(cmd & TXD_EOP)) {
		tx->ifcs = cmd & TXD_IFCS;
		tx->tag = cmd & TXD_VLE && e1000_get(e, R_CTRL) & CTRL_VME;
		tx->special = e1000_le16(tx->desc + 14);
	}
}

/* SDM 3.3.3: a null address or no length: nothing is transferred. */
static void fetch(struct e1000 *e)
{
	struct e1000_tx *tx = &e->tx;
	uint32_t cmd;

	tx->desc_at = ((uint64_t)e1000_get(e, R_TDBAH) << 32 |
		       e1000_get(e, R_TDBAL)) +
		      (uint64_t)e1000_get(e, R_TDH) * DESC_LEN;
	e1000_dma_read(e, tx->desc_at, tx->desc, DESC_LEN);
	tx->busy = true;
	tx->left = 0;
	cmd = desc_word(tx);
	if (cmd & TXD_DEXT && (cmd & TXD_DTYP) == TXD_DTYP_CONTEXT) {
		take_context(tx);
		return;
	}
	take_options(e);
	tx->from = e1000_le64(tx->desc);
	if (tx->from)
		tx->left = cmd & (cmd & TXD_DEXT ? 0xfffff : 0xffff);
}

/* Take (n) bytes of the buffer; what finds no room is lost. */
static void take_bytes(struct e1000 *e, uint32_t n)
{
	struct e1000_tx *tx = &e->tx;
	uint32_t room = E1000_TX_MAX - tx->size;
	uint32_t taken = n < room ? n : room;

	e1000_dma_read(e, tx->from, e1000_data(tx) + tx->size, taken);
	tx->size += taken;
	tx->from += n;
	tx->left -= n;
}

/*
 * Segmentation: SDM 3.5.  The first HDRLEN bytes are remembered and stand
 * before each MSS bytes of payload.  False: this run() has sent enough.
 */
static bool segment(struct e1000 *e)
{
	struct e1000_tx *tx = &e->tx;
	uint32_t head = tx->tso.hdrlen, full = head + tx->tso.mss;

	full = full < E1000_TX_MAX ? full : E1000_TX_MAX;
	while (tx->left) {
		uint32_t n, was = tx->size;

		if (was >= full) {
			tx->left = 0; /* no room for a byte more */
			break;
		}
		n = full - was < tx->left ? full - was : tx->left;
		if (was + n == full && burst_over(e))
			return false;
		take_bytes(e, n);
		if (was < head && tx->size >= head)
			memcpy(tx->header, e1000_data(tx), head);
		if (tx->size < full)
			break;
		tx->payload += tx->tso.mss;
		send_frame(e);
		memcpy(e1000_data(tx), tx->header, head);
		tx->size = head;
	}
	return true;
}

/* Legacy checksum, for the whole frame: SDM 3.3.3.1, IC. */
static void legacy_sum(struct e1000_tx *tx)
{
	uint32_t cmd = desc_word(tx), css = tx->desc[13], cso = tx->desc[10];

	if (cmd & TXD_DEXT || !(cmd & TXD_IC) || css >= tx->size)
		return;
	e1000_insert(e1000_data(tx), tx->size, css, cso, 0);
}

/* SDM 13.7.53, 13.7.54: did the payload have the length it should? */
static void count_segments(struct e1000 *e)
{
	e1000_count(e, e->tx.payload == e->tx.tso.paylen ? R_TSCTC : R_TSCTFC);
}

/* What is left at EOP; a header alone only if nothing went before it. */
static void finish_segments(struct e1000 *e)
{
	struct e1000_tx *tx = &e->tx;
	uint32_t head = tx->tso.hdrlen;

	if (tx->size > head || (tx->size == head && !tx->frames)) {
		tx->payload += tx->size - head;
		send_frame(e);
	}
	count_segments(e);
}

static bool finish(struct e1000 *e)
{
	struct e1000_tx *tx = &e->tx;

	if (!(desc_word(tx) & TXD_EOP))
		return true;
	if (burst_over(e))
		return false;
	if (tx->tse) {
		finish_segments(e);
	} else {
		legacy_sum(tx);
		send_frame(e);
	}
	tx->frames = tx->payload = 0;
	tx->popts = 0;
	tx->tag = false;
	tx->tse = false;
	tx->size = 0;
	return true;
}

/* Go on with the descriptor; false if it takes another run(). */
static bool work(struct e1000 *e)
{
	struct e1000_tx *tx = &e->tx;
	uint32_t cmd = desc_word(tx);

	if (cmd & TXD_DEXT && (cmd & TXD_DTYP) == TXD_DTYP_CONTEXT)
		return true;
	if (tx->tse) {
		if (!segment(e))
			return false;
	} else if (tx->left) {
		take_bytes(e, tx->left);
	}
	return finish(e);
}

/*
 * The ring.
 */

/* What the driver has given and we have not taken. */
static uint32_t outstanding(const struct e1000 *e)
{
	uint32_t n = e1000_ring(e, R_TDLEN);
	uint32_t tdh = e1000_get(e, R_TDH), tdt = e1000_get(e, R_TDT);

	return tdt >= tdh ? tdt - tdh : tdt + n - (tdh < n ? tdh : n);
}

/*
 * RS asks for DD: SDM 3.3.3.2, 3.4.2, whether or not all DMA went well.
 * TXD_LOW: SDM 13.4.43, LWTHRESH.
 */
static void complete(struct e1000 *e)
{
	struct e1000_tx *tx = &e->tx;
	uint32_t next = e1000_get(e, R_TDH) + 1;
	uint32_t low = 8 * (e1000_get(e, R_TXDCTL) >> 25);
	uint8_t sta = tx->desc[TXD_STA] | TXD_DD;

	tx->busy = false;
	if (desc_word(tx) & TXD_RS) {
		e1000_dma_write(e, tx->desc_at + TXD_STA, &sta, 1);
		e1000_cause(e, ICR_TXDW);
	}
	if ((uint64_t)next * DESC_LEN >= e1000_get(e, R_TDLEN))
		next = 0;
	e1000_set(e, R_TDH, next & 0xffff);
	if (tx->quota)
		tx->quota--;
	if (low && outstanding(e) + 1 == low)
		e1000_cause(e, ICR_TXD_LOW);
	if (next == e1000_get(e, R_TDT))
		e1000_cause(e, ICR_TXQE);
}

static bool enabled(const struct e1000 *e)
{
	return e1000_get(e, R_TCTL) & TCTL_EN;
}

static bool waiting(const struct e1000 *e)
{
	return e->tx.busy ||
	       (e->tx.quota && e1000_get(e, R_TDH) != e1000_get(e, R_TDT));
}

/* A tail that is not in the ring is never met: once around, no more. */
void e1000_doorbell(struct e1000 *e)
{
	e->tx.quota = e1000_ring(e, R_TDLEN);
	if (enabled(e) && waiting(e))
		e1000_arm(e);
}

uint64_t e1000_transmit(struct e1000 *e)
{
	struct e1000_tx *tx = &e->tx;
	uint64_t now = 0;

	if (!enabled(e) || !waiting(e))
		return SIM_NEVER;
	if (e->conf.wire_bps) {
		now = e->host->now(e->ctx);
		if (now < tx->due_ns)
			return tx->due_ns;
	}
	tx->sent = 0;
	for (unsigned int i = 0; i < E1000_DESCS && waiting(e); i++) {
		if (!tx->busy)
			fetch(e);
		if (!work(e))
			break;
		complete(e);
		if (tx->sent && e->conf.wire_bps)
			break;
	}
	if (tx->sent)
		tx->due_ns += now; /* it was how long the frame takes */
	else
		tx->due_ns = now;
	return waiting(e) ? (e->conf.wire_bps ? tx->due_ns : 0) : SIM_NEVER;
}
