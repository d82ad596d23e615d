/* SPDX-License-Identifier: MIT */
/*
 * ne2k.c: a driver for the RTL8029, written from the DP8390D data sheet (DS).
 *
 * The part's 32 KiB of memory: transmit pages 0x40 to 0x45, receive ring 0x46
 * to 0x7f.  BNRY stays one page behind the next frame to read (DS 7.0), so
 * BNRY == CURR means full and never empty.  Between calls page 0 is selected
 * and no remote DMA runs.
 */

#include "ne2k.h"
#include "nic.h"
#include "pci.h"

#define TX_PAGE 0x40
#define RING_START 0x46
#define RING_STOP 0x80

#define TX_TIMEOUT_MS 200
#define TX_TRIES 5
#define DMA_TIMEOUT_MS 200
#define RESET_TIMEOUT_MS 100

#define IMR_BITS (ISR_PRX | ISR_PTX | ISR_RXE | ISR_TXE | ISR_OVW | ISR_CNT)

/* What the part lays before each frame in the ring (DS 7.0). */
struct ring_header {
	uint8_t status;
	uint8_t next; /* page of the next frame */
	uint16_t len; /* of frame and header */
};

static struct {
	uint16_t io;
	uint8_t next; /* page of the next frame to read */
	uint8_t curr; /* CURR when last read */
	uint8_t imr;
	bool wide; /* 32-bit transfers, which an NE2000 had not */
} card;

static void write_reg(uint8_t reg, uint8_t v)
{
	ne2k_write(card.io, reg, v);
}

static uint8_t read_reg(uint8_t reg)
{
	return ne2k_read(card.io, reg);
}

uint16_t ne2k_find(uint8_t *irq)
{
	uint8_t devfn;

	if (!cfg_find(NE2K_VENDOR, NE2K_DEVICE, &devfn))
		return 0;
	*irq = cfg_irq(devfn);
	return (uint16_t)cfg_enable(devfn);
}

void ne2k_remote(uint16_t io, uint8_t command, uint16_t addr, uint16_t len)
{
	ne2k_write(io, NE2K_RBCR0, (uint8_t)len);
	ne2k_write(io, NE2K_RBCR1, (uint8_t)(len >> 8));
	ne2k_write(io, NE2K_RSAR0, (uint8_t)addr);
	ne2k_write(io, NE2K_RSAR1, (uint8_t)(addr >> 8));
	ne2k_write(io, NE2K_CR, command | CR_STA);
}

uint8_t ne2k_wait(uint16_t io, uint8_t bits, uint32_t ms)
{
	uint8_t isr = ne2k_read(io, NE2K_ISR);
	uint64_t end;

	if (isr & bits)
		return isr;
	end = now_ms() + ms;
	do {
		pause();
		isr = ne2k_read(io, NE2K_ISR);
		if (isr & bits)
			return isr;
	} while (now_ms() < end);
	return 0;
}

/* Remote DMA is complete when the part says so; else end it by force. */
static bool remote_end(void)
{
	bool done = ne2k_wait(card.io, ISR_RDC, DMA_TIMEOUT_MS);

	if (done)
		write_reg(NE2K_ISR, ISR_RDC);
	else
		write_reg(NE2K_CR, CR_ABORT | CR_STA);
	return done;
}

/* (len) is even. */
static bool remote_read(uint16_t addr, void *to, uint16_t len)
{
	uint16_t wide = card.wide ? len & ~3 : 0;

	ne2k_remote(card.io, CR_READ, addr, len);
	insl(card.io + NE2K_DATA, to, wide / 4);
	insw(card.io + NE2K_DATA, (uint8_t *)to + wide, (len - wide) / 2);
	return remote_end();
}

static bool remote_write(uint16_t addr, const void *from, uint16_t len)
{
	uint16_t wide = card.wide ? len & ~3 : 0;

	ne2k_remote(card.io, CR_WRITE, addr, len);
	outsl(card.io + NE2K_DATA, from, wide / 4);
	outsw(card.io + NE2K_DATA, (const uint8_t *)from + wide,
	      (len - wide) / 2);
	return remote_end();
}

/* DS 11.0, "Initialization of the NIC", after a reset by port 0x1f. */
static void start(const uint8_t *mac)
{
	uint8_t i;

	read_reg(NE2K_RESET);
	ne2k_wait(card.io, ISR_RST, RESET_TIMEOUT_MS);
	write_reg(NE2K_CR, CR_ABORT | CR_STP);
	write_reg(NE2K_DCR, DCR_WORD | DCR_NORMAL | DCR_FIFO8);
	write_reg(NE2K_RBCR0, 0);
	write_reg(NE2K_RBCR1, 0);
	write_reg(NE2K_RCR, RCR_MON);
	write_reg(NE2K_TCR, TCR_LOOP);
	write_reg(NE2K_PSTART, RING_START);
	write_reg(NE2K_PSTOP, RING_STOP);
	write_reg(NE2K_BNRY, RING_START);
	write_reg(NE2K_TPSR, TX_PAGE);
	write_reg(NE2K_ISR, 0xff);
	write_reg(NE2K_IMR, card.imr);

	write_reg(NE2K_CR, CR_PAGE1 | CR_ABORT | CR_STP);
	for (i = 0; i < 6; i++)
		write_reg(NE2K_PAR0 + i, mac[i]);
	for (i = 0; i < 8; i++)
		write_reg(NE2K_MAR0 + i, 0);
	card.next = card.curr = RING_START + 1;
	write_reg(NE2K_CURR, card.curr);

	write_reg(NE2K_CR, CR_ABORT | CR_STA);
	write_reg(NE2K_TCR, 0);
	write_reg(NE2K_RCR, RCR_AB);
}

static void start_over(struct nic *nic, const char *why)
{
	say("ne2k: %s, reset\n", why);
	nic->resets++;
	start(nic->mac);
}

/* An NE2000 with a 16-bit bus shows each byte of its PROM twice. */
static bool probe(struct nic *nic)
{
	static const uint8_t empty[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint8_t prom[32];
	uint8_t i;

	card.io = ne2k_find(&nic->irq);
	if (!card.io)
		return false;
	card.wide = option_is("io", "32");
	start(empty);
	memset(prom, 0, sizeof(prom));
	if (!remote_read(0, prom, sizeof(prom))) {
		say("ne2k: no end of remote read\n");
		return false;
	}
	for (i = 0; i < 6; i++)
		nic->mac[i] = prom[2 * i];
	start(nic->mac);
	return true;
}

/* Wait for the transmit's end, asleep if the part can wake us. */
static uint8_t wait_sent(struct nic *nic)
{
	uint64_t end = now_ms() + TX_TIMEOUT_MS;
	uint8_t isr = 0;

	do {
		if (nic_called(nic))
			isr = read_reg(NE2K_ISR) & (ISR_PTX | ISR_TXE);
		if (isr) {
			write_reg(NE2K_ISR, isr);
			return isr;
		}
		nic_idle(nic);
	} while (now_ms() < end);
	return 0;
}

static bool send(struct nic *nic, const void *frame, size_t len)
{
	static uint8_t padded[FRAME_MAX + 2] __attribute__((aligned(4)));
	uint8_t isr;
	int i;

	if (len > FRAME_MAX)
		return false;
	memcpy(padded, frame, len);
	if (len < FRAME_MIN) {
		memset(padded + len, 0, FRAME_MIN - len);
		len = FRAME_MIN;
	}
	for (i = 0; i < TX_TRIES; i++) {
		if (!remote_write(TX_PAGE << 8, padded,
				  (uint16_t)(len + (len & 1)))) {
			start_over(nic, "remote write without end");
			continue;
		}
		write_reg(NE2K_TPSR, TX_PAGE);
		write_reg(NE2K_TBCR0, (uint8_t)len);
		write_reg(NE2K_TBCR1, (uint8_t)(len >> 8));
		write_reg(NE2K_CR, CR_ABORT | CR_TXP | CR_STA);
		isr = wait_sent(nic);
		if (isr & ISR_PTX)
			return true;
		if (!isr)
			start_over(nic, "transmit without end");
		nic->bad++;
	}
	return false;
}

/* A frame may lie across the end of the ring: then it is read in two. */
static bool read_frame(uint8_t page, void *to, uint16_t len)
{
	uint16_t addr = (uint16_t)(page << 8 | sizeof(struct ring_header));
	uint16_t room = (uint16_t)((RING_STOP << 8) - addr);

	len += len & 1;
	if (len <= room)
		return remote_read(addr, to, len);
	return remote_read(addr, to, room) &&
	       remote_read(RING_START << 8, (uint8_t *)to + room, len - room);
}

/* Does a frame of (len) bytes at (page) end before (next)?  Parts differ in
 * whether (len) counts the FCS of 4 bytes that they store after the frame. */
static bool is_next(uint8_t page, uint8_t next, uint16_t len)
{
	unsigned int i;

	for (i = 0; i <= 4; i += 4) {
		unsigned int after = page + (len + i + 255u) / 256u;

		if (after >= RING_STOP)
			after -= RING_STOP - RING_START;
		if (after == next)
			return true;
	}
	return false;
}

/* Take the frame at card.next and give its pages back. */
static size_t take(struct nic *nic, void *to)
{
	struct ring_header header;
	size_t len;
	bool ok;

	if (!remote_read((uint16_t)(card.next << 8), &header, sizeof(header))) {
		start_over(nic, "remote read without end");
		return 0;
	}
	len = header.len - sizeof(header);
	if (header.len < FRAME_MIN + sizeof(header) ||
	    len > FRAME_MAX + 4 /* FCS */ ||
	    !is_next(card.next, header.next, header.len)) {
		say("ne2k: page 0x%02x says %02x %02x %u\n", card.next,
		    header.status, header.next, header.len);
		start_over(nic, "bad frame header");
		return 0;
	}
	if (len > FRAME_MAX)
		len = FRAME_MAX;
	ok = (header.status & RSR_PRX) &&
	     read_frame(card.next, to, (uint16_t)len);
	card.next = header.next;
	write_reg(NE2K_BNRY,
		  card.next == RING_START ? RING_STOP - 1 : card.next - 1);
	if (!ok)
		nic->bad++;
	return ok ? len : 0;
}

static void read_curr(void)
{
	write_reg(NE2K_CR, CR_PAGE1 | CR_ABORT | CR_STA);
	card.curr = read_reg(NE2K_CURR);
	write_reg(NE2K_CR, CR_ABORT | CR_STA);
}

/*
 * The ring overflowed: DS 7.0, "Buffer Ring Overflow", steps 1 to 11.  We
 * transmit only inside send(), which waits for the end, so a transmit cut
 * off here is one that send() gave up: there is nothing to send again.
 */
static size_t overflow(struct nic *nic, void *to)
{
	size_t len = 0;

	nic->overflows++;
	write_reg(NE2K_CR, CR_ABORT | CR_STP);
	delay_us(1600);
	write_reg(NE2K_RBCR0, 0);
	write_reg(NE2K_RBCR1, 0);
	write_reg(NE2K_TCR, TCR_LOOP);
	write_reg(NE2K_CR, CR_ABORT | CR_STA);
	read_curr();
	if (card.next != card.curr)
		len = take(nic, to);
	write_reg(NE2K_ISR, ISR_OVW | ISR_PRX);
	write_reg(NE2K_TCR, 0);
	return len;
}

static size_t receive(struct nic *nic, void *to)
{
	uint8_t isr;

	if (card.next != card.curr)
		return take(nic, to);
	if (!nic_called(nic))
		return 0;
	isr = read_reg(NE2K_ISR);
	if (isr & ISR_OVW)
		return overflow(nic, to);
	if (isr & (ISR_RXE | ISR_CNT)) {
		/* Reading the three tally counters clears them. */
		read_reg(NE2K_CNTR0);
		read_reg(NE2K_CNTR0 + 1);
		read_reg(NE2K_CNTR0 + 2);
		write_reg(NE2K_ISR, ISR_RXE | ISR_CNT);
		nic->bad++;
	}
	if (!(isr & ISR_PRX))
		return 0;
	/* Acknowledge first: a frame that comes now sets it again. */
	write_reg(NE2K_ISR, ISR_PRX);
	read_curr();
	return card.next != card.curr ? take(nic, to) : 0;
}

static void irq_on(struct nic *nic)
{
	(void)nic;
	card.imr = IMR_BITS;
	write_reg(NE2K_IMR, card.imr);
}

const struct nic_driver ne2k_driver = {
	.name = "ne2k",
	.probe = probe,
	.send = send,
	.receive = receive,
	.irq_on = irq_on,
};
