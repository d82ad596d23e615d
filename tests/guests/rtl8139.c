/* SPDX-License-Identifier: MIT */
/*
 * rtl8139.c: a driver for the RTL8139C, written from its data sheet (DS, see
 * rtl8139.h).
 *
 * Four transmit slots, each with a buffer, and a receive ring of 8 KiB in
 * which frames follow one another behind headers of 4 bytes.  Options:
 *   mmio=1   by BAR 1 instead of BAR 0
 *   wrap=1   frames run on behind the ring's end instead of to its start
 *   rev      say which PCI revision the part is
 */

#include "rtl8139.h"
#include "nic.h"
#include "pci.h"

#define RING_LEN 8192u
#define RING_SLACK (16 + 1536)
#define BUFFER_LEN 1536u
#define HEADER_LEN 4u
#define FCS_LEN 4u

#define RESET_TIMEOUT_MS 100
#define LINK_TIMEOUT_MS 5000
#define TX_TIMEOUT_MS 1000
#define TX_TRIES 3
#define MAC_WORD 7 /* of the EEPROM */

/* The part writes the ring, and moves on its own write position after it. */
static volatile uint8_t ring[RING_LEN + RING_SLACK]
	__attribute__((aligned(256)));
static uint8_t buffers[RTL_SLOTS][BUFFER_LEN] __attribute__((aligned(8)));

static struct {
	uint16_t io;
	uint32_t mmio; /* 0: by ports */
	uint16_t imr;
	uint32_t at;	       /* in the ring: the next frame */
	uint32_t next, oldest; /* slots, free-running */
	bool wrap;
} card;

static uint8_t read8(uint8_t reg)
{
	return card.mmio ? *(volatile uint8_t *)(uintptr_t)(card.mmio + reg) :
			   inb(card.io + reg);
}

static uint16_t read16(uint8_t reg)
{
	return card.mmio ? *(volatile uint16_t *)(uintptr_t)(card.mmio + reg) :
			   inw(card.io + reg);
}

static uint32_t read32(uint8_t reg)
{
	return card.mmio ? *(volatile uint32_t *)(uintptr_t)(card.mmio + reg) :
			   inl(card.io + reg);
}

static void write8(uint8_t reg, uint8_t v)
{
	if (card.mmio)
		*(volatile uint8_t *)(uintptr_t)(card.mmio + reg) = v;
	else
		outb(card.io + reg, v);
}

static void write16(uint8_t reg, uint16_t v)
{
	if (card.mmio)
		*(volatile uint16_t *)(uintptr_t)(card.mmio + reg) = v;
	else
		outw(card.io + reg, v);
}

static void write32(uint8_t reg, uint32_t v)
{
	__asm__ volatile("" : : : "memory");
	if (card.mmio)
		*(volatile uint32_t *)(uintptr_t)(card.mmio + reg) = v;
	else
		outl(card.io + reg, v);
}

static bool find(struct nic *nic)
{
	struct pci_bar bar;
	uint8_t devfn;

	if (!cfg_find(RTL_VENDOR, RTL_DEVICE, &devfn))
		return false;
	nic->irq = cfg_irq(devfn);
	if (option("rev"))
		say("rtl8139: revision 0x%02x\n",
		    cfg_read(devfn, PCI_CLASS) & 0xff);
	card.io = (uint16_t)cfg_enable(devfn);
	if (option_is("mmio", "1")) {
		bar = cfg_bar(devfn, 1);
		if (bar.is_io || !bar.addr || bar.addr >> 32)
			return false;
		card.mmio = (uint32_t)bar.addr;
	}
	return card.io;
}

/* One clock of the EEPROM with (out) on DI; returns DO. */
static bool clock_bit(bool out)
{
	uint8_t v = EE_PROGRAM | EE_CS | (out ? EE_DI : 0);

	write8(RTL_9346CR, v);
	delay_us(1);
	write8(RTL_9346CR, v | EE_SK);
	delay_us(1);
	return read8(RTL_9346CR) & EE_DO;
}

/* A 93C46: a 1, the opcode 10, six bits of address.  DS 6.10 */
static uint16_t read_eeprom(uint32_t index)
{
	uint32_t out = 6u << 6 | index;
	uint16_t word = 0;
	int i;

	for (i = 8; i >= 0; i--)
		clock_bit(out >> i & 1);
	for (i = 0; i < 16; i++)
		word = (uint16_t)(word << 1 | clock_bit(false));
	write8(RTL_9346CR, EE_PROGRAM);
	delay_us(1);
	write8(RTL_9346CR, 0);
	return word;
}

/* From the EEPROM; what the part loaded of it must be the same. */
static bool read_mac(uint8_t *mac)
{
	uint16_t word;
	int i;

	for (i = 0; i < 6; i += 2) {
		word = read_eeprom(MAC_WORD + (uint32_t)i / 2);
		mac[i] = (uint8_t)word;
		mac[i + 1] = (uint8_t)(word >> 8);
	}
	for (i = 0; i < 6; i++) {
		if (read8((uint8_t)(RTL_IDR + i)) == mac[i])
			continue;
		say("rtl8139: the EEPROM and IDR differ\n");
		return false;
	}
	return true;
}

static bool reset(void)
{
	uint64_t end = now_ms() + RESET_TIMEOUT_MS;

	write8(RTL_CR, CR_RST);
	while (read8(RTL_CR) & CR_RST) {
		if (now_ms() >= end) {
			say("rtl8139: the reset does not end\n");
			return false;
		}
		delay_us(10);
	}
	return true;
}

static void start(void)
{
	uint8_t i;

	card.at = card.next = card.oldest = 0;
	write32(RTL_RBSTART, (uint32_t)(uintptr_t)ring);
	for (i = 0; i < RTL_SLOTS; i++)
		write32((uint8_t)(RTL_TSAD + 4 * i),
			(uint32_t)(uintptr_t)buffers[i]);
	write8(RTL_CR, CR_TE | CR_RE);
	write32(RTL_RCR, RCR_WHOLE | RCR_BURST | RCR_AB | RCR_APM |
				 (card.wrap ? RCR_WRAP : 0));
	write32(RTL_TCR, TCR_GAP | TCR_BURST);
	write32(RTL_MAR, 0);
	write32(RTL_MAR + 4, 0);
	write32(RTL_MPC, 0);
	write16(RTL_ISR, 0xffff);
	write16(RTL_IMR, card.imr);
}

static bool probe(struct nic *nic)
{
	uint64_t end = now_ms() + LINK_TIMEOUT_MS;

	if (!find(nic))
		return false;
	card.wrap = option_is("wrap", "1");
	if (!reset() || !read_mac(nic->mac))
		return false;
	while (read8(RTL_MSR) & MSR_NO_LINK && now_ms() < end)
		delay_us(1000);
	start();
	return true;
}

static void start_over(struct nic *nic, const char *why)
{
	say("rtl8139: %s, reset\n", why);
	nic->resets++;
	nic->sent = nic->posted;
	reset();
	start();
}

/* Slots that the part is done with; false: one of them was not sent. */
static bool reap(struct nic *nic)
{
	bool good = true;
	uint32_t tsd;

	while (card.oldest != card.next) {
		tsd = read32(
			(uint8_t)(RTL_TSD + 4 * (card.oldest % RTL_SLOTS)));
		if (!(tsd & (TSD_TOK | TSD_TABT)))
			break;
		good &= !(tsd & TSD_TABT);
		card.oldest++;
		nic->sent++;
	}
	return good;
}

static bool post(struct nic *nic, const struct nic_frame *f)
{
	uint32_t slot = card.next % RTL_SLOTS;
	size_t len = f->head_len + f->data_len;

	if (!reap(nic))
		nic->bad++;
	if (card.next - card.oldest >= RTL_SLOTS || len > BUFFER_LEN)
		return false;
	memcpy(buffers[slot], f->head, f->head_len);
	memcpy(buffers[slot] + f->head_len, f->data, f->data_len);
	if (len < FRAME_MIN) { /* the part does not pad */
		memset(buffers[slot] + len, 0, FRAME_MIN - len);
		len = FRAME_MIN;
	}
	card.next++;
	nic->posted++;
	/* early transmit at 256 bytes; OWN falls, and the slot is given */
	write32((uint8_t)(RTL_TSD + 4 * slot), (uint32_t)len | 8u << 16);
	return true;
}

static void kick(struct nic *nic)
{
	(void)nic;
}

static void hear(struct nic *nic)
{
	uint16_t isr;

	if (!nic_called(nic))
		return;
	isr = read16(RTL_ISR);
	if (isr)
		write16(RTL_ISR, isr);
	if (isr & (INT_RXOVW | INT_FOVW))
		nic->overflows++;
}

static bool send(struct nic *nic, const void *frame, size_t len)
{
	static uint8_t copy[FRAME_MAX];
	struct nic_frame f = { .head = copy, .head_len = len, .data = copy };
	uint64_t end;
	int i;

	if (len > FRAME_MAX)
		return false;
	memcpy(copy, frame, len);
	for (i = 0; i < TX_TRIES; i++) {
		end = now_ms() + TX_TIMEOUT_MS;
		while (!post(nic, &f) && now_ms() < end)
			pause();
		for (;;) {
			hear(nic);
			if (!reap(nic))
				break;
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

/* (n) bytes at (at), which may go on at the ring's start. */
static void copy_out(uint8_t *to, uint32_t at, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++, at++)
		to[i] = ring[card.wrap ? at : at % RING_LEN];
}

static size_t receive(struct nic *nic, void *to)
{
	uint8_t header[HEADER_LEN];
	size_t len, got;

	hear(nic);
	if (read8(RTL_CR) & CR_BUFE)
		return 0;
	copy_out(header, card.at, HEADER_LEN);
	len = (size_t)(header[2] | header[3] << 8);
	if (!(header[0] & RX_ROK) || len < FRAME_MIN + FCS_LEN ||
	    len > FRAME_MAX + FCS_LEN) {
		say("rtl8139: at %u: header %02x %02x, %u bytes\n", card.at,
		    header[0], header[1], (uint32_t)len);
		nic->bad++;
		start_over(nic, "bad frame header");
		return 0;
	}
	got = len - FCS_LEN;
	copy_out(to, card.at + HEADER_LEN, got);
	card.at = (uint32_t)((card.at + HEADER_LEN + len + 3) & ~3u) % RING_LEN;
	/* DS 6.6: 16 bytes behind what was read */
	write16(RTL_CAPR, (uint16_t)(card.at - 16));
	return got;
}

static void irq_on(struct nic *nic)
{
	(void)nic;
	card.imr = INT_ROK | INT_RER | INT_TOK | INT_TER | INT_RXOVW | INT_FOVW;
	write16(RTL_IMR, card.imr);
}

const struct nic_driver rtl8139_driver = {
	.name = "rtl8139",
	.probe = probe,
	.send = send,
	.receive = receive,
	.irq_on = irq_on,
	.post = post,
	.kick = kick,
};
