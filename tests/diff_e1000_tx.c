/* SPDX-License-Identifier: MIT */
/*
 * diff_e1000_tx.c: the half that sends of the driver of two 82540EMs: frames
 * by legacy and by data descriptors, with checksums, as segments, tagged.
 *
 * See sim_e1000.h for what "SDM" is.
 */

#include <string.h>

#include "diff_e1000.h"

#define BELL_FRAMES 8u /* our end of the wire holds ten */
#define TX_LONGEST 1514u
#define HEAD_MAX 80u
#define ETH_LEN 14u

/* What a frame's context is for: 0 is none. */
enum { USE_TCP = 1, USE_IP6 = 2, USE_CONTEXT = 4 };

struct request {
	unsigned int use;   /* USE_* */
	uint32_t len, head; /* bytes in all, of the headers */
	uint32_t mss;	    /* 0: no segmentation */
	uint32_t cmd;	    /* of each descriptor, but for its length */
	uint32_t upper;	    /* POPTS and the tag */
};

/* Descriptors that can be used: the ring is empty after each doorbell. */
static uint32_t room(const struct diff_driver *drv, uint32_t start)
{
	uint32_t used = (drv->tail + drv->tx_n - start) % drv->tx_n;

	return drv->tx_n - 1 - used;
}

static void put_desc(struct diff *d, uint64_t low, uint32_t cmd, uint32_t upper)
{
	struct diff_driver *drv = driver(d);
	uint64_t desc[2] = { low, (uint64_t)upper << 32 | cmd };

	diff_note(d, "descriptor %u: %#jx %#jx", drv->tail, (uintmax_t)desc[0],
		  (uintmax_t)desc[1]);
	diff_poke(d, TX_RING + drv->tail * DESC_LEN, desc, sizeof(desc));
	drv->tail = (drv->tail + 1) % drv->tx_n;
}

/*
 * The bytes, in up to (pieces) descriptors; the first one has all headers.
 */
static void put_frame(struct diff *d, const uint8_t *data,
		      const struct request *r, unsigned int pieces)
{
	struct diff_driver *drv = driver(d);
	uint32_t done = 0;

	while (done < r->len) {
		uint32_t left = r->len - done, n = left, cmd = r->cmd;

		if (pieces > 1 && left > r->head + 1)
			n = r->head + 1 + diff_random(d, left - r->head - 1);
		pieces--;
		if (done + n == r->len) {
			cmd |= TXD_EOP | (diff_chance(d, 80) ? TXD_RS : 0);
		} else if (!(cmd & TXD_DEXT)) {
			cmd &= ~(uint32_t)TXD_VLE;
		}
		if (diff_chance(d, 20))
			cmd |= TXD_RS;
		drv->at += diff_random(d, 64);
		if (drv->at + n > TX_BUFS_END)
			drv->at = TX_BUFS;
		diff_poke(d, drv->at, data + done, n);
		put_desc(d, d->iova + drv->at, cmd | n, r->upper);
		drv->at += n;
		done += n;
	}
}

/* VLE, and a tag; without VME it has no effect: SDM 9.2. */
static void choose_tag(struct diff *d, struct request *r)
{
	struct diff_driver *drv = driver(d);

	if (!diff_chance(d, 30))
		return;
	r->cmd |= TXD_VLE;
	r->upper |= diff_random(d, 0x10000) << 16;
	drv->tx_octets |= drv->ctrl & CTRL_VME;
}

static void legacy(struct diff *d)
{
	struct diff_driver *drv = driver(d);
	struct request r = { .cmd = TXD_IFCS };
	uint8_t data[TX_LONGEST];

	r.len = ETH_LEN + diff_random(d, diff_chance(d, 50) ?
						 200 :
						 TX_LONGEST + 1 - ETH_LEN);
	choose_tag(d, &r);
	drv->tx_octets |= r.len < E1000_FRAME_MIN;
	random_bytes(d, data, r.len);
	put_frame(d, data, &r, 1 + diff_random(d, 4));
	drv->frames++;
}

/*
 * Headers: Ethernet, IP, TCP or UDP.
 */

static uint32_t ip_len(const struct request *r)
{
	return r->use & USE_IP6 ? 40 : 20;
}

static void put_ip(const struct request *r, uint8_t *ip, uint32_t len)
{
	uint8_t proto = r->use & USE_TCP ? 6 : 17;

	if (r->use & USE_IP6) {
		ip[0] = 0x60;
		e1000_put16(ip + 4, r->mss ? 0 : len - 40);
		ip[6] = proto;
	} else {
		ip[0] = 0x45;
		e1000_put16(ip + 2, r->mss ? 0 : len);
		e1000_put16(ip + 6, 0x4000);
		ip[9] = proto;
		e1000_put16(ip + 10, 0);
	}
}

/* SDM 3.5.5: the pseudo-header's sum, with no length for segmentation. */
static uint16_t pseudo(const struct request *r, const uint8_t *ip, uint32_t len)
{
	uint32_t at = r->use & USE_IP6 ? 8 : 12;
	uint32_t sum = e1000_sum(0, ip + at, ip_len(r) - at);

	sum += (r->use & USE_TCP ? 6 : 17) + (r->mss ? 0 : len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void put_headers(struct diff *d, const struct request *r, uint8_t *data)
{
	uint8_t *ip = data + ETH_LEN, *l4 = ip + ip_len(r);
	uint32_t l4_len = r->len - ETH_LEN - ip_len(r);
	bool tcp = r->use & USE_TCP;

	random_bytes(d, data, r->head);
	e1000_put16(data + 12, r->use & USE_IP6 ? 0x86dd : 0x0800);
	put_ip(r, ip, r->len - ETH_LEN);
	if (tcp)
		l4[12] = 0x50;
	else
		e1000_put16(l4 + 4, l4_len);
	e1000_put16(l4 + (tcp ? 16 : 6), pseudo(r, ip, l4_len));
}

/* SDM 3.3.6. */
static void put_context(struct diff *d, const struct request *r)
{
	uint64_t l4 = ETH_LEN + ip_len(r), low;
	bool tcp = r->use & USE_TCP;
	uint32_t cmd = TXD_DEXT | (tcp ? TUCMD_TCP : 0) |
		       (r->use & USE_IP6 ? 0 : TUCMD_IP);

	low = ETH_LEN | (ETH_LEN + 10) << 8 | (l4 - 1) << 16;
	low |= l4 << 32 | (l4 + (tcp ? 16 : 6)) << 40;
	if (r->mss)
		cmd |= TXD_TSE | (r->len - r->head);
	if (diff_chance(d, 20))
		cmd |= TXD_RS;
	put_desc(d, low, cmd, r->mss ? r->head << 8 | r->mss << 16 : 0);
	if (!r->mss)
		driver(d)->context = r->use | USE_CONTEXT;
}

static void offloaded(struct diff *d)
{
	struct diff_driver *drv = driver(d);
	struct request r = { .use = diff_random(d, 4),
			     .cmd = TXD_IFCS | TXD_DEXT | TXD_DTYP_DATA };
	uint8_t data[TX_LONGEST];

	r.head = ETH_LEN + ip_len(&r) + (r.use & USE_TCP ? 20 : 8);
	r.len = r.head + diff_random(d, TX_LONGEST + 1 - r.head);
	r.upper = POPTS_TXSM << 8;
	if (!(r.use & USE_IP6) && diff_chance(d, 80))
		r.upper |= POPTS_IXSM << 8;
	if (diff_chance(d, 20))
		r.upper = 0;
	choose_tag(d, &r);
	drv->tx_octets |= r.len < E1000_FRAME_MIN;
	random_bytes(d, data, r.len);
	put_headers(d, &r, data);
	/* A card remembers the one before: SDM 3.3.6. */
	if (drv->context != (r.use | USE_CONTEXT) || diff_chance(d, 50))
		put_context(d, &r);
	put_frame(d, data, &r, 1 + diff_random(d, 3));
	drv->frames++;
}

/*
 * Over IPv4 alone, and not a whole number of segments: see docs/sim.md for
 * what QEMU's makes of these.
 */
static void segmented(struct diff *d)
{
	struct diff_driver *drv = driver(d);
	struct request r = { .use = diff_random(d, 2),
			     .mss = 64 + diff_random(d, 1400),
			     .cmd = TXD_IFCS | TXD_DEXT | TXD_DTYP_DATA |
				    TXD_TSE,
			     .upper = (POPTS_TXSM | POPTS_IXSM) << 8 };
	uint32_t most = r.mss * (BELL_FRAMES - drv->frames);
	uint8_t data[BELL_FRAMES * 1464 + HEAD_MAX];

	r.head = ETH_LEN + ip_len(&r) + (r.use & USE_TCP ? 20 : 8);
	r.len = r.head + 1 + diff_random(d, most);
	if ((r.len - r.head) % r.mss == 0)
		r.len--;
	choose_tag(d, &r);
	drv->tsctc |= r.len <= r.head + r.mss || !(r.use & USE_TCP);
	drv->tx_octets |= (r.len - r.head) % r.mss + r.head < E1000_FRAME_MIN;
	random_bytes(d, data, r.len);
	put_headers(d, &r, data);
	put_context(d, &r);
	put_frame(d, data, &r, 1 + diff_random(d, 4));
	drv->frames += (r.len - r.head + r.mss - 1) / r.mss;
}

void diff_transmit(struct diff *d)
{
	static void (*const kinds[])(struct diff * d) = { legacy, offloaded,
							  segmented };
	struct diff_driver *drv = driver(d);
	uint32_t start = drv->tail;
	unsigned int n = 1 + diff_random(d, 4);

	drv->frames = 0;
	while (n-- && drv->frames < BELL_FRAMES && room(drv, start) > 5)
		kinds[diff_random(d, 3)](d);
	wr(d, R_TDT, drv->tail);
	diff_settle(d);
	rd(d, R_TDH);
	diff_memory(d);
}
