/* SPDX-License-Identifier: MIT */
/*
 * sim_e1000_rx.c: a simulated 82540EM receives: into its FIFO, which is the
 * head of the packet buffer, and from there into the receive ring.
 *
 * See sim_e1000.h for what "SDM" is.  RDFH and RDFT are the FIFO's working
 * pointers: written in between, they are obeyed, within the FIFO.
 */

#include <string.h>

#include "sim_e1000.h"

#define FIFO_HEAD 16 /* bytes that the part keeps with a frame */

/*
 * The FIFO.
 */

static uint32_t fifo_at(const struct e1000 *e, unsigned int reg, uint32_t more)
{
	return (e1000_get(e, reg) * 8 + more) % e->rx.size;
}

static uint32_t fifo_space(uint32_t len)
{
	return ((len + 7) & ~7u) + FIFO_HEAD;
}

static void fifo_in(struct e1000 *e, uint32_t at, const uint8_t *from,
		    uint32_t len)
{
	uint32_t part;

	at = fifo_at(e, R_RDFT, at);
	part = e->rx.size - at < len ? e->rx.size - at : len;
	memcpy(e->pbm + at, from, part);
	memcpy(e->pbm, from + part, len - part);
}

static void fifo_step(struct e1000 *e, unsigned int reg, uint32_t len)
{
	e1000_set(e, reg, fifo_at(e, reg, (len + 7) & ~7u) / 8);
}

static bool fifo_room(const struct e1000 *e, uint32_t len)
{
	return e->rx.count < E1000_RX_QUEUE &&
	       fifo_space(len) <= e->rx.size - e->rx.used;
}

static void fifo_pop(struct e1000 *e)
{
	uint32_t len = e->rx.queue[e->rx.first].len;

	e->rx.used -= fifo_space(len);
	e->rx.first = (e->rx.first + 1) % E1000_RX_QUEUE;
	e->rx.count--;
	e->rx.done = 0;
	e->rx.descs = 0;
	fifo_step(e, R_RDFH, len);
	e1000_set(e, R_RDFPC, e->rx.count);
}

/*
 * To the ring.
 */

/* SDM 13.4.22, BSIZE and BSEX, as they are now.  The reserved one: 2048. */
static uint32_t buffer_size(const struct e1000 *e)
{
	uint32_t rctl = e1000_get(e, R_RCTL);
	uint32_t bsize = rctl >> RCTL_BSIZE_AT & 3;

	if (rctl & RCTL_BSEX && bsize)
		return 32768 >> bsize;
	return rctl & RCTL_BSEX ? 2048 : 2048 >> bsize;
}

/* SDM 13.4.22, RDMTS: half, a quarter or an eighth of the ring is left. */
static bool few_left(const struct e1000 *e)
{
	uint32_t rdh = e1000_get(e, R_RDH), rdt = e1000_get(e, R_RDT);
	uint32_t len = e1000_get(e, R_RDLEN);
	uint32_t shift = (e1000_get(e, R_RCTL) >> RCTL_RDMTS_AT & 3) + 1;
	uint32_t left = rdt >= rdh ? rdt - rdh : rdt + len / DESC_LEN - rdh;

	return left * DESC_LEN <= len >> shift;
}

static void advance(struct e1000 *e)
{
	uint32_t next = e1000_get(e, R_RDH) + 1;

	if ((uint64_t)next * DESC_LEN >= e1000_get(e, R_RDLEN))
		next = 0;
	e1000_set(e, R_RDH, next & 0xffff);
	e->rx.descs++;
}

static void write_buffer(struct e1000 *e, uint64_t to, uint32_t len)
{
	uint32_t at = fifo_at(e, R_RDFH, e->rx.done);
	uint32_t part = e->rx.size - at < len ? e->rx.size - at : len;

	e1000_dma_write(e, to, e->pbm + at, part);
	if (part < len)
		e1000_dma_write(e, to + part, e->pbm, len - part);
	e->rx.done += len;
}

/*
 * The status, and DD in it, is written last, by itself, so that who sees it
 * sees all: SDM 3.2.5.
 */
static void write_back(struct e1000 *e, uint64_t at, uint32_t len,
		       const struct e1000_packet *packet)
{
	bool last = e->rx.done >= packet->len;
	uint8_t back[8] = { (uint8_t)len, (uint8_t)(len >> 8) };
	uint8_t status = RXD_DD;

	if (last && len) {
		back[2] = (uint8_t)packet->csum;
		back[3] = (uint8_t)(packet->csum >> 8);
		back[5] = packet->errors;
		back[6] = (uint8_t)packet->special;
		back[7] = (uint8_t)(packet->special >> 8);
		status |= packet->status | RXD_EOP;
	}
	e1000_dma_write(e, at + 8, back, sizeof(back));
	e1000_dma_write(e, at + RXD_STATUS, &status, 1);
}

/* One descriptor; one with a null address takes nothing: SDM 3.2.4. */
static void fill_one(struct e1000 *e, const struct e1000_packet *packet)
{
	uint64_t at = ((uint64_t)e1000_get(e, R_RDBAH) << 32 |
		       e1000_get(e, R_RDBAL)) +
		      (uint64_t)e1000_get(e, R_RDH) * DESC_LEN;
	uint32_t len = packet->len - e->rx.done, size = buffer_size(e);
	uint8_t desc[8];
	uint64_t to;

	e1000_dma_read(e, at, desc, sizeof(desc));
	to = e1000_le64(desc);
	len = len < size ? len : size;
	if (to)
		write_buffer(e, to, len);
	else
		len = 0;
	write_back(e, at, len, packet);
	advance(e);
}

/* A ring that goes around and around does not get the frame. */
static void overrun(struct e1000 *e)
{
	e1000_count(e, R_MPC);
	e1000_cause(e, ICR_RXO);
	e->stats.missed++;
}

/*
 * The first frame of the FIFO, or what is left of it, while there are
 * descriptors.  True if it is gone.
 */
static bool place(struct e1000 *e)
{
	const struct e1000_packet *packet = &e->rx.queue[e->rx.first];
	uint32_t small = e1000_get(e, R_RSRPD);
	uint16_t len = packet->len;

	while (e->rx.done < len) {
		if (e1000_get(e, R_RDH) == e1000_get(e, R_RDT))
			return false;
		if (e->rx.descs >= e1000_ring(e, R_RDLEN)) {
			overrun(e);
			fifo_pop(e);
			return true;
		}
		fill_one(e, packet);
	}
	fifo_pop(e);
	e->stats.received++;
	e1000_cause(e, ICR_RXT0);
	if (small && len <= small)
		e1000_cause(e, ICR_SRPD); /* SDM 13.4.32 */
	if (few_left(e))
		e1000_cause(e, ICR_RXDMT0);
	return true;
}

bool e1000_drain(struct e1000 *e)
{
	unsigned int n = 0;

	if (!(e1000_get(e, R_RCTL) & RCTL_EN) || !e->master)
		return false;
	while (e->rx.count && n < E1000_DESCS && place(e))
		n++;
	return n == E1000_DESCS && e->rx.count;
}

/*
 * From the wire.
 */

/* SDM 13.7: what came, before any filter. */
static void count_all(struct e1000 *e, uint32_t size)
{
	e1000_count(e, R_TPR);
	e1000_count64(e, R_TORL, size);
}

/*
 * BPRC "does not count broadcast packets received when the broadcast address
 * filter is disabled": SDM 13.7.28.  What the table took then is a group's.
 */
static void count_good(struct e1000 *e, const uint8_t *frame, uint32_t size)
{
	static const uint8_t everyone[6] = { 255, 255, 255, 255, 255, 255 };

	e1000_count(e, R_GPRC);
	e1000_count64(e, R_GORCL, size);
	e1000_count_size(e, R_PRC64, size);
	if (!memcmp(frame, everyone, sizeof(everyone)) &&
	    e1000_get(e, R_RCTL) & RCTL_BAM)
		e1000_count(e, R_BPRC);
	else if (frame[0] & 1)
		e1000_count(e, R_MPRC);
}

/*
 * The errors of a frame: SDM 3.2.3.2, counted as 13.7 says.  Bad frames are
 * kept if SBP is set.
 */
static bool sound(struct e1000 *e, size_t len, unsigned int flags,
		  uint8_t *errors)
{
	uint32_t rctl = e1000_get(e, R_RCTL);
	uint32_t size = (uint32_t)len + E1000_FCS_LEN;
	bool ok = !flags;

	if (flags & SIM_BAD_ALIGN)
		e1000_count(e, R_ALGNERRC);
	else if (flags && len >= E1000_FRAME_MIN)
		e1000_count(e, R_CRCERRS);
	*errors = flags ? RXE_CE : 0;
	if (len < E1000_FRAME_MIN) {
		e1000_count(e, flags ? R_RFC : R_RUC);
		ok = false;
	} else if (!(rctl & RCTL_LPE) && size > E1000_SIZE_USUAL) {
		e1000_count(e, flags ? R_RJC : R_ROC);
		ok = false;
	}
	return ok || rctl & RCTL_SBP;
}

/*
 * MAC control: SDM 8.7 (a PAUSE frame by its address, type and opcode).  Sent
 * frames take no time here, so that none are held back.  True if the frame
 * goes no further: DPF and PMCF, 13.4.22.
 */
static bool flow_control(struct e1000 *e, const uint8_t *frame, size_t len)
{
	uint32_t low = e1000_le32(frame), high = e1000_le16(frame + 4);
	bool mine = low == e1000_get(e, R_RAL) &&
		    high == (e1000_get(e, R_RAH) & 0xffff);

	if (len < 18 || e1000_be16(frame + 12) != e1000_get(e, R_FCT) ||
	    !e1000_get(e, R_FCT) ||
	    (!mine &&
	     (low != e1000_get(e, R_FCAL) || high != e1000_get(e, R_FCAH))))
		return false;
	if (!(e1000_get(e, R_CTRL) & CTRL_RFCE) ||
	    e1000_be16(frame + 14) != 1) {
		e1000_count(e, R_FCRUC);
		return false;
	}
	e1000_count(e, e1000_be16(frame + 16) ? R_XOFFRXC : R_XONRXC);
	if (mine)
		return e1000_get(e, R_RCTL) & RCTL_DPF;
	return !(e1000_get(e, R_RCTL) & RCTL_PMCF);
}

/*
 * Into the FIFO, without the tag if VME is set (SDM 9.2), with its check
 * sequence unless SECRC is.  The Packet Checksum: SDM 3.2.9.
 */
static bool store(struct e1000 *e, const uint8_t *frame, uint32_t len,
		  struct e1000_packet *packet)
{
	bool tag = e1000_get(e, R_CTRL) & CTRL_VME &&
		   e1000_tagged(e, frame, len);
	bool keep_fcs = !(e1000_get(e, R_RCTL) & RCTL_SECRC);
	uint32_t skip = tag ? E1000_TAG_LEN : 0, size = len - skip;
	uint32_t pcss = e1000_get(e, R_RXCSUM) & RXCSUM_PCSS, fcs = 0, sum = 0;
	uint8_t data[SIM_FRAME_MAX + E1000_FCS_LEN];

	memcpy(data, frame, 12);
	memcpy(data + 12, frame + 12 + skip, len - 12 - skip);
	if (keep_fcs) {
		fcs = e1000_fcs(e, frame, len);
		fcs = packet->errors & RXE_CE ? ~fcs : fcs;
		for (unsigned int i = 0; i < E1000_FCS_LEN; i++)
			data[size + i] = (uint8_t)(fcs >> (8 * i));
		size += E1000_FCS_LEN;
	}
	if (!fifo_room(e, size))
		return false;
	e1000_check(e, data, len - skip, packet);
	if (pcss < size)
		sum = e1000_sum(0, data + pcss, size - pcss);
	packet->csum = (uint16_t)((sum & 0xffff) + (sum >> 16));
	packet->len = (uint16_t)size;
	if (tag) {
		packet->status |= RXD_VP;
		packet->special = e1000_be16(frame + 14);
	}
	fifo_in(e, 0, data, size);
	fifo_step(e, R_RDFT, size);
	e->rx.used += fifo_space(size);
	e->rx.queue[(e->rx.first + e->rx.count) % E1000_RX_QUEUE] = *packet;
	e->rx.count++;
	e1000_set(e, R_RDFPC, e->rx.count);
	return true;
}

void e1000_hear(struct e1000 *e, const uint8_t *frame, size_t len,
		unsigned int flags)
{
	struct e1000_packet packet = { 0 };
	uint32_t size = (uint32_t)len + E1000_FCS_LEN;
	bool hashed = false;

	if (!(e1000_get(e, R_RCTL) & RCTL_EN) || len > SIM_FRAME_MAX) {
		e->stats.unheard++;
		return;
	}
	count_all(e, size);
	if (len < 14 || flow_control(e, frame, len) ||
	    !e1000_filter(e, frame, len, &hashed) ||
	    !sound(e, len, flags, &packet.errors)) {
		e->stats.unheard++;
		return;
	}
	packet.status = hashed ? RXD_PIF : 0;
	if (!store(e, frame, (uint32_t)len, &packet)) {
		overrun(e);
		return;
	}
	if (!flags)
		count_good(e, frame, size);
	/* SDM 13.7.33. */
	if (e1000_get(e, R_RDH) == e1000_get(e, R_RDT))
		e1000_count(e, R_RNBC);
}

/* A part that hears itself hears nothing else. */
void e1000_receive(void *part, const uint8_t *frame, size_t len,
		   unsigned int flags)
{
	struct e1000 *e = part;

	if (!e->link || e1000_looped(e)) {
		e->stats.unheard++;
		return;
	}
	e1000_hear(e, frame, len, flags);
	if (e1000_drain(e))
		e1000_arm(e);
	e1000_irq(e);
}
