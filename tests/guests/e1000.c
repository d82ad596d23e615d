/* SPDX-License-Identifier: MIT */
/*
 * e1000.c: a driver for the 82540EM, written from the SDM (see e1000.h).
 *
 * Two rings of 64 descriptors; what became of each is read from memory, so
 * that a part with many frames is touched only by its tail registers, and
 * ICR is read only with the option `irq`.  Options:
 *   eecd=1   the MAC by EECD's wires, not by EERD
 *   ctx=1    UDP frames with a context and data descriptors: the part does the
 *            checksums; ctx=once: one context for all frames of a layout
 */

#include "e1000.h"
#include "nic.h"
#include "pci.h"

#define RING_LEN 64
#define BUFFER_LEN 2048
#define RX_BATCH 16 /* buffers given back at once */

#define RESET_TIMEOUT_MS 100
#define LINK_TIMEOUT_MS 5000
#define TX_TIMEOUT_MS 2000
#define TX_TRIES 3

/* Offsets in a UDP frame whose IP header has no options */
#define ETH_TYPE 12
#define IP_AT 14
#define IP_PROTO 23
#define IP_SUM 24
#define UDP_AT 34
#define UDP_SUM 40
#define UDP_END 42

/* The part moves these, too: order between them is the processor's, which
 * keeps stores and loads each in order. */
static volatile struct e1000_rx rx_ring[RING_LEN] __attribute__((aligned(128)));
static volatile struct e1000_tx tx_ring[RING_LEN] __attribute__((aligned(128)));
static uint8_t rx_buffers[RING_LEN][BUFFER_LEN] __attribute__((aligned(2048)));

static struct {
	uint32_t base;
	uint32_t rx_next;	/* the next to be filled */
	uint32_t rx_taken;	/* taken since RDT was written */
	uint32_t tx_next;	/* the next to be written */
	uint32_t tx_oldest;	/* the first that the part may still have */
	bool tx_ends[RING_LEN]; /* the last descriptor of a frame */
	bool context_sent;
	bool offload;
	bool context_once;
	bool cut; /* rest of a frame that is too long */
} card;

static uint32_t next(uint32_t i)
{
	return (i + 1) % RING_LEN;
}

static void write_reg(uint32_t reg, uint32_t v)
{
	__asm__ volatile("" : : : "memory");
	e1000_write(card.base, reg, v);
}

static uint32_t read_reg(uint32_t reg)
{
	return e1000_read(card.base, reg);
}

uint32_t e1000_find(uint8_t *irq)
{
	uint64_t base;
	uint8_t devfn;

	if (!cfg_find(E1000_VENDOR, E1000_DEVICE, &devfn))
		return 0;
	*irq = cfg_irq(devfn);
	base = cfg_enable(devfn);
	return base < 1ull << 32 ? (uint32_t)base : 0;
}

/* SDM 14.4 */
static void start_receive(const uint8_t *mac)
{
	uint32_t i;

	for (i = 0; i < RING_LEN; i++) {
		rx_ring[i].addr = (uintptr_t)rx_buffers[i];
		rx_ring[i].status = 0;
	}
	card.rx_next = card.rx_taken = 0;
	card.cut = false;
	write_reg(E1000_RAL0,
		  mac[0] | mac[1] << 8 | mac[2] << 16 | (uint32_t)mac[3] << 24);
	write_reg(E1000_RAH0, mac[4] | mac[5] << 8 | RAH_AV);
	for (i = 0; i < E1000_MTA_LEN; i++)
		write_reg(E1000_MTA + 4 * i, 0);
	write_reg(E1000_RDTR, 0);
	write_reg(E1000_RDBAL, (uint32_t)(uintptr_t)rx_ring);
	write_reg(E1000_RDBAH, 0);
	write_reg(E1000_RDLEN, sizeof(rx_ring));
	write_reg(E1000_RDH, 0);
	write_reg(E1000_RDT, RING_LEN - 1);
	write_reg(E1000_RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC);
}

/* SDM 14.5; the gaps are those of section 13.4.34 for copper. */
static void start_transmit(void)
{
	uint32_t i;

	for (i = 0; i < RING_LEN; i++) {
		tx_ring[i].low = tx_ring[i].high = 0;
		card.tx_ends[i] = false;
	}
	card.tx_next = card.tx_oldest = 0;
	card.context_sent = false;
	write_reg(E1000_TDBAL, (uint32_t)(uintptr_t)tx_ring);
	write_reg(E1000_TDBAH, 0);
	write_reg(E1000_TDLEN, sizeof(tx_ring));
	write_reg(E1000_TDH, 0);
	write_reg(E1000_TDT, 0);
	write_reg(E1000_TIPG, 10 | 8 << 10 | 6 << 20);
	write_reg(E1000_TCTL, TCTL_EN | TCTL_PSP | TCTL_CT | TCTL_COLD);
}

/* Wait until (reg).(mask) is (want). */
static bool await(uint32_t reg, uint32_t mask, uint32_t want, uint32_t ms)
{
	uint64_t end = now_ms() + ms;

	while ((read_reg(reg) & mask) != want) {
		if (now_ms() >= end)
			return false;
		delay_us(100);
	}
	return true;
}

/* SDM 14.3; after a reset the part loads some registers from its EEPROM. */
static void reset(void)
{
	uint32_t ctrl;

	write_reg(E1000_IMC, 0xffffffff);
	write_reg(E1000_RCTL, 0);
	write_reg(E1000_TCTL, 0);
	write_reg(E1000_CTRL, read_reg(E1000_CTRL) | CTRL_RST);
	delay_us(10);
	if (!await(E1000_CTRL, CTRL_RST, 0, RESET_TIMEOUT_MS))
		say("e1000: the reset does not end\n");
	delay_us(5000);
	write_reg(E1000_IMC, 0xffffffff);
	ctrl = read_reg(E1000_CTRL);
	ctrl &= ~(CTRL_LRST | CTRL_ILOS | CTRL_FRCSPD | CTRL_FRCDPX | CTRL_VME |
		  CTRL_RST | CTRL_PHY_RST);
	write_reg(E1000_CTRL, ctrl | CTRL_SLU | CTRL_ASDE);
	write_reg(E1000_FCAL, 0);
	write_reg(E1000_FCAH, 0);
	write_reg(E1000_FCT, 0);
	write_reg(E1000_FCTTV, 0);
}

static void start(const struct nic *nic)
{
	start_receive(nic->mac);
	start_transmit();
	if (nic->irq_used)
		write_reg(E1000_IMS, INT_RXT0 | INT_TXDW | INT_LSC);
	if (!await(E1000_STATUS, STATUS_LU, STATUS_LU, LINK_TIMEOUT_MS))
		say("e1000: no link\n");
}

static bool probe(struct nic *nic)
{
	card.base = e1000_find(&nic->irq);
	if (!card.base)
		return false;
	card.offload = option("ctx") && !option_is("ctx", "0");
	card.context_once = option_is("ctx", "once");
	reset();
	if (!e1000_mac(card.base, option_is("eecd", "1"), nic->mac))
		return false;
	start(nic);
	return true;
}

/* Frames that were not sent yet are lost. */
static void start_over(struct nic *nic, const char *why)
{
	say("e1000: %s, reset\n", why);
	nic->resets++;
	nic->sent = nic->posted;
	reset();
	start(nic);
}

/* Take back the descriptors of frames that were sent. */
static void reap(struct nic *nic)
{
	uint32_t i = card.tx_oldest;

	while (i != card.tx_next) {
		if (card.tx_ends[i]) {
			if (!(tx_ring[i].high & TX_DD))
				return;
			card.tx_ends[i] = false;
			card.tx_oldest = next(i);
			nic->sent++;
		}
		i = next(i);
	}
}

static uint32_t room(void)
{
	return (card.tx_oldest - card.tx_next - 1) % RING_LEN;
}

static void put(uint64_t low, uint64_t high)
{
	volatile struct e1000_tx *d = &tx_ring[card.tx_next];

	d->low = low;
	d->high = high;
	card.tx_ends[card.tx_next] = high & TX_EOP;
	card.tx_next = next(card.tx_next);
}

/* SDM 3.3.6: from where to where the part sums, and where it puts the sum.
 * An end of 0 is the frame's end. */
static void put_context(void)
{
	if (card.context_sent && card.context_once)
		return;
	card.context_sent = true;
	put(IP_AT | IP_SUM << 8 | (UDP_AT - 1) << 16 |
		    (uint64_t)(UDP_AT | UDP_SUM << 8) << 32,
	    TX_DEXT | TX_TUCMD_IP);
}

/* SDM 3.5: the part sums on from the pseudo header's sum.  (head) is a UDP
 * frame: put that sum, and no IP checksum, in place. */
static void seed_sums(uint8_t *head)
{
	uint32_t sum = (uint32_t)17 << 8; /* the protocol, as it lies there */
	uint16_t w[5];
	uint16_t seed;
	int i;

	__builtin_memcpy(w, head + UDP_AT - 8, 8);
	__builtin_memcpy(w + 4, head + UDP_AT + 4, 2);
	for (i = 0; i < 5; i++)
		sum += w[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	seed = (uint16_t)sum;
	__builtin_memcpy(head + UDP_SUM, &seed, 2);
	head[IP_SUM] = head[IP_SUM + 1] = 0;
}

static bool is_udp(const struct nic_frame *f)
{
	const uint8_t *h = f->head;

	return f->head_len >= UDP_END && h[ETH_TYPE] == 8 &&
	       h[ETH_TYPE + 1] == 0 && h[IP_AT] == 0x45 && h[IP_PROTO] == 17;
}

static bool post(struct nic *nic, const struct nic_frame *f)
{
	uint64_t kind = TX_IFCS;
	uint64_t options = 0;

	reap(nic);
	if (room() < 3)
		return false;
	if (card.offload && is_udp(f)) {
		seed_sums(f->head);
		put_context();
		kind |= TX_DEXT | TX_DATA;
		options = TX_SUM_IP | TX_SUM_UDP;
	}
	if (f->data_len) {
		put((uintptr_t)f->head, f->head_len | kind | options);
		put((uintptr_t)f->data, f->data_len | kind | TX_EOP | TX_RS);
	} else {
		put((uintptr_t)f->head,
		    f->head_len | kind | options | TX_EOP | TX_RS);
	}
	nic->posted++;
	return true;
}

static void kick(struct nic *nic)
{
	(void)nic;
	write_reg(E1000_TDT, card.tx_next);
}

/* With interrupts: acknowledge them.  What they are about is in memory. */
static void hear(struct nic *nic)
{
	if (nic->irq_used && nic_called(nic) && read_reg(E1000_ICR) & INT_RXO)
		nic->overflows++;
}

static bool send(struct nic *nic, const void *frame, size_t len)
{
	static uint8_t copy[FRAME_MAX];
	struct nic_frame f = { .head = copy, .head_len = len };
	uint64_t end;
	int i;

	if (len > FRAME_MAX)
		return false;
	for (i = 0; i < TX_TRIES; i++) {
		memcpy(copy, frame, len);
		end = now_ms() + TX_TIMEOUT_MS;
		while (!post(nic, &f) && now_ms() < end)
			pause();
		kick(nic);
		for (;;) {
			hear(nic);
			reap(nic);
			if (nic->sent == nic->posted)
				return true;
			if (now_ms() >= end)
				break;
			nic_idle(nic);
		}
		start_over(nic, "transmit without end");
		nic->bad++;
	}
	return false;
}

/* Give the descriptor back; the part hears of it when some came together. */
static void recycle(void)
{
	rx_ring[card.rx_next].status = 0;
	card.rx_next = next(card.rx_next);
	if (++card.rx_taken < RX_BATCH)
		return;
	card.rx_taken = 0;
	write_reg(E1000_RDT, (card.rx_next - 1) % RING_LEN);
}

static size_t receive(struct nic *nic, void *to)
{
	volatile struct e1000_rx *d = &rx_ring[card.rx_next];
	size_t len = 0;
	bool end;

	hear(nic);
	if (!(d->status & RX_DD))
		return 0;
	end = d->status & RX_EOP;
	if (end && !card.cut && !(d->errors & RX_BAD) && d->len <= FRAME_MAX) {
		len = d->len;
		memcpy(to, rx_buffers[card.rx_next], len);
	} else {
		nic->bad++;
	}
	card.cut = !end;
	recycle();
	return len;
}

static void irq_on(struct nic *nic)
{
	(void)nic;
	write_reg(E1000_IMS, INT_RXT0 | INT_TXDW | INT_LSC);
}

const struct nic_driver e1000_driver = {
	.name = "e1000",
	.probe = probe,
	.send = send,
	.receive = receive,
	.irq_on = irq_on,
	.post = post,
	.kick = kick,
};
