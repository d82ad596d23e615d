/* SPDX-License-Identifier: MIT */
/*
 * sim_ne2k_wire.c: the simulated RTL8029AS on its wire: transmission and
 * loopback, the address filter, the receive ring.
 *
 * See sim_ne2k.h for what "NS", "RTL" and "AN-937" are.
 */

#include <string.h>

#include "sim_ne2k.h"

#define FCS_LEN 4
#define HEADER_LEN 4 /* of a packet in the ring: status, next, count */
#define MIN_LEN 64   /* of a frame with its check sequence; less is a runt */
#define CNTR_MAX 192 /* a tally counter stops here: NS 10.3 */

enum { CNTR_FAE, CNTR_CRC, CNTR_MISSED };

/* Half a byte at a time: the polynomial of IEEE 802.3, least bit first. */
uint32_t ne2k_fcs(const uint8_t *data, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc = table[(crc ^ data[i]) & 15] ^ crc >> 4;
		crc = table[(crc ^ data[i] >> 4) & 15] ^ crc >> 4;
	}
	return ~crc;
}

/*
 * The six highest bits of the CRC register after the address.  Its highest
 * is our lowest, for we shift the other way.
 */
unsigned int ne2k_hash(const uint8_t mac[6])
{
	uint32_t crc = ~ne2k_fcs(mac, 6);
	unsigned int hash = 0;

	for (unsigned int i = 0; i < 6; i++)
		hash |= (crc >> i & 1) << (5 - i);
	return hash;
}

/* CNT rises when a counter's highest bit does: NS 10.3, ISR. */
static void count(struct ne2k *ne, unsigned int which)
{
	if (ne->cntr[which] < CNTR_MAX)
		ne->cntr[which]++;
	if (ne->cntr[which] & 0x80)
		ne->isr |= ISR_CNT;
}

/*
 * Receiving: NS chapter 7.
 */

/* What the filter makes of (frame): NS 10.3, RCR. */
static bool wanted(const struct ne2k *ne, const uint8_t *frame)
{
	static const uint8_t broadcast[6] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	unsigned int hash;

	if (!memcmp(frame, broadcast, sizeof(broadcast)))
		return ne->rcr & RCR_AB;
	if (frame[0] & 1) {
		hash = ne2k_hash(frame);
		return ne->rcr & RCR_AM && ne->mar[hash >> 3] >> (hash & 7) & 1;
	}
	return ne->rcr & RCR_PRO || !memcmp(frame, ne->par, sizeof(ne->par));
}

/* The frame is for us, and there is no room, or MON says not to keep it. */
static void miss(struct ne2k *ne)
{
	ne->rsr |= RSR_MPA;
	ne->isr |= ISR_RXE;
	ne->stats.missed++;
	count(ne, CNTR_MISSED);
}

/*
 * The page after (page).  Two comparisons: with PSTOP, then with BNRY, which
 * must not be entered: NS chapter 7, "Linking Receive Buffer Pages".
 */
static bool link_page(const struct ne2k *ne, uint8_t *page)
{
	uint8_t next = (uint8_t)(*page + 1);

	if (next == ne->pstop)
		next = ne->pstart;
	if (next == ne->bnry)
		return false;
	*page = next;
	return true;
}

static bool store_byte(struct ne2k *ne, uint8_t *page, unsigned int *at,
		       uint8_t value)
{
	if (*at == 256) {
		if (!link_page(ne, page))
			return false;
		*at = 0;
	}
	ne2k_poke(ne, (uint16_t)(*page << 8 | *at), value);
	++*at;
	return true;
}

/*
 * Put the frame and its check sequence in the ring behind the room for its
 * header; (*page) becomes the page for the next one.  False if the ring is
 * too full: what was written so far stays, CURR does not move.
 *
 * The sheet lets CURR meet BNRY when the ring is empty (chapter 7, "Initiali-
 * zation of the Buffer Ring") and when it is full.  So that equal is always
 * empty, and no register is hidden, a frame must leave one page before BNRY.
 */
static bool store(struct ne2k *ne, const uint8_t *frame, size_t len,
		  uint32_t fcs, uint8_t *page)
{
	unsigned int at = HEADER_LEN;

	for (size_t i = 0; i < len; i++)
		if (!store_byte(ne, page, &at, frame[i]))
			return false;
	for (unsigned int i = 0; i < FCS_LEN; i++)
		if (!store_byte(ne, page, &at, (uint8_t)(fcs >> (8 * i))))
			return false;
	ne->clda = (uint16_t)((*page << 8) + at);
	return link_page(ne, page);
}

/*
 * The ring is full: reception of this frame is aborted, and of all that come
 * until the driver stops and starts the chip: NS chapter 7, "Buffer Ring
 * Overflow".  RST is set, too: NS 10.3, ISR.
 */
static void ring_full(struct ne2k *ne)
{
	ne->overflow = true;
	ne->isr |= ISR_OVW | ISR_RST;
	miss(ne);
}

static void deliver(struct ne2k *ne, const uint8_t *frame, size_t len,
		    unsigned int flags)
{
	uint16_t head = (uint16_t)(ne->curr << 8);
	size_t total = len + FCS_LEN;
	uint8_t page = ne->curr;
	uint32_t fcs = ne2k_fcs(frame, len);

	if (ne->overflow) {
		miss(ne);
		return;
	}
	if (!store(ne, frame, len, flags ? ~fcs : fcs, &page)) {
		ring_full(ne);
		return;
	}
	/* The header: NS chapter 7, "End of Packet Operations". */
	ne->rsr |= flags ? 0 : RSR_PRX;
	ne2k_poke(ne, head, ne->rsr);
	ne2k_poke(ne, (uint16_t)(head + 1), page);
	ne2k_poke(ne, (uint16_t)(head + 2), (uint8_t)total);
	ne2k_poke(ne, (uint16_t)(head + 3), (uint8_t)(total >> 8));
	ne->curr = page;
	ne->lnpp = page;
	ne->isr |= flags ? 0 : ISR_PRX;
	ne->stats.received++;
}

/*
 * RSR, ISR and the counters for a frame with errors; it is kept only if SEP
 * says so: NS 10.3, RSR and RCR.
 */
static bool damaged(struct ne2k *ne, unsigned int flags)
{
	if (!flags)
		return false;
	ne->rsr |= flags & SIM_BAD_ALIGN ? RSR_FAE | RSR_CRC : RSR_CRC;
	ne->isr |= ISR_RXE;
	count(ne, flags & SIM_BAD_ALIGN ? CNTR_FAE : CNTR_CRC);
	return !(ne->rcr & RCR_SEP);
}

void ne2k_receive(void *part, const uint8_t *frame, size_t len,
		  unsigned int flags)
{
	struct ne2k *ne = part;
	bool runt = len + FCS_LEN < MIN_LEN;

	if (!ne->running || ne->tcr & TCR_LB || len < 6 ||
	    (runt && !(ne->rcr & RCR_AR)) || !wanted(ne, frame)) {
		ne->stats.unheard++;
		return;
	}
	ne->rsr = frame[0] & 1 ? RSR_PHY : 0;
	if (ne->rcr & RCR_MON) {
		ne->rsr |= RSR_DIS;
		if (!damaged(ne, flags))
			miss(ne);
	} else if (!damaged(ne, flags)) {
		deliver(ne, frame, len, flags);
	}
	ne2k_irq(ne);
}

/*
 * Transmitting: NS chapter 8.
 */

/* How long (len) bytes and a preamble, a check sequence and a gap last. */
static uint64_t wire_ns(const struct ne2k *ne, size_t len)
{
	uint64_t bits = 8 * ((uint64_t)len + 8 + FCS_LEN + 12);

	return ne->conf.wire_bps ? bits * 1000000000 / ne->conf.wire_bps : 0;
}

/* TXP was written: TSR is cleared, TPSR and TBCR are taken: NS 10.3. */
void ne2k_transmit(struct ne2k *ne)
{
	ne->cr |= CR_TXP;
	ne->tsr = 0;
	ne->tx = NE2K_TX_BUSY;
	ne->tx_start = ne->tpsr;
	ne->tx_len = ne->tbcr;
	ne->tx_due_ns = 0;
	if (ne->conf.wire_bps)
		ne->tx_due_ns =
			ne->host->now(ne->ctx) + wire_ns(ne, ne->tx_len);
	ne->host->arm(ne->ctx, ne->tx_due_ns);
}

/* The last eight bytes through the FIFO, three of them the count: NS 12. */
static void fill_fifo(struct ne2k *ne, const uint8_t *frame, size_t len)
{
	uint8_t count[3] = { (uint8_t)len, (uint8_t)(len >> 8),
			     (uint8_t)(len >> 8) };

	for (size_t i = len > 8 ? len - 8 : 0; i < len; i++)
		ne->fifo[i % 8] = frame[i];
	for (unsigned int i = 0; i < 3; i++)
		ne->fifo[(len + i) % 8] = count[i];
	ne->fifo_at = 0;
}

/*
 * The chip hears itself.  The CRC logic can either make or check a sequence:
 * with TCR.CRC clear it makes one, and a frame with our address shows an
 * error.  Nothing is written to memory, so PRX stays: AN-937, 4.0 and 6.0.
 */
static void loop_back(struct ne2k *ne, const uint8_t *frame, size_t len)
{
	uint32_t fcs = ne2k_fcs(frame, len);
	bool good;

	if (!(ne->tcr & TCR_CRC) && len + FCS_LEN <= sizeof(ne->frame)) {
		for (unsigned int i = 0; i < FCS_LEN; i++)
			ne->frame[len + i] = (uint8_t)(fcs >> (8 * i));
		len += FCS_LEN;
		good = false;
	} else {
		/* What any frame with its right check sequence sums up to. */
		good = fcs == 0x2144df1c;
	}
	fill_fifo(ne, frame, len);
	ne->rsr = frame[0] & 1 ? RSR_PHY : 0;
	if (good || !wanted(ne, frame)) {
		ne->rsr |= RSR_PRX;
	} else {
		ne->rsr |= RSR_CRC;
		ne->isr |= ISR_RXE;
	}
}

/*
 * Onto the wire.  With TCR.CRC set the driver made the check sequence: it is
 * not ours to pass on, and if it is wrong nobody takes the frame.
 */
static void put_out(struct ne2k *ne, size_t len)
{
	if (ne->tcr & TCR_CRC) {
		if (len < FCS_LEN || ne2k_fcs(ne->frame, len) != 0x2144df1c) {
			ne->stats.spoiled++;
			return;
		}
		len -= FCS_LEN;
	}
	ne->stats.sent++;
	ne->host->transmit(ne->ctx, ne->frame, len);
}

/* Read by local DMA now, and not when TXP was written, as the wire needs it. */
static void send_frame(struct ne2k *ne)
{
	uint16_t at = (uint16_t)(ne->tx_start << 8);
	unsigned int mode = ne->tcr & TCR_LB;

	ne->clda = (uint16_t)(at + ne->tx_len);
	if (!ne->tx_len || ne->tx_len > sizeof(ne->frame)) {
		ne->stats.spoiled++; /* nothing, or a jabber */
		return;
	}
	for (unsigned int i = 0; i < ne->tx_len; i++)
		ne->frame[i] = ne2k_peek(ne, (uint16_t)(at + i));
	if (mode == 0 || mode == TCR_LB_COAX)
		put_out(ne, ne->tx_len);
	/* LS clear says that this is a loopback: NS 10.3, DCR. */
	if (mode && !(ne->dcr & DCR_LS))
		loop_back(ne, ne->frame, ne->tx_len);
}

/*
 * What the transceiver would show is not seen in modes 1 and 2: NS chapter
 * 12, "Network Management Functions" notes 1 to 3.
 */
static void end_transmit(struct ne2k *ne)
{
	unsigned int mode = ne->tcr & TCR_LB;

	ne->tsr = TSR_PTX | TSR_ONE;
	if (mode == TCR_LB_NIC)
		ne->tsr |= TSR_CRS | TSR_CDH;
	else if (mode == TCR_LB_SNI)
		ne->tsr |= TSR_CDH;
	ne->cr &= (uint8_t)~CR_TXP;
	ne->isr |= ISR_PTX;
	ne->tx = NE2K_TX_IDLE;
	if (!ne->running)
		ne2k_stopped(ne);
	ne2k_irq(ne);
}

/*
 * In two steps, so that a frame has left our host before TXP falls and its
 * driver can know.
 */
void ne2k_run(void *part)
{
	struct ne2k *ne = part;

	if (ne->tx == NE2K_TX_BUSY) {
		if (ne->tx_due_ns && ne->host->now(ne->ctx) < ne->tx_due_ns) {
			ne->host->arm(ne->ctx, ne->tx_due_ns);
			return;
		}
		send_frame(ne);
		ne->tx = NE2K_TX_SENT;
		ne->host->arm(ne->ctx, 0);
	} else if (ne->tx == NE2K_TX_SENT) {
		end_transmit(ne);
	}
}
