/* SPDX-License-Identifier: MIT */
/*
 * pcnet.c: a driver for the PCnet-PCI, written from the data sheet (pcnet.h).
 *
 * Rings of 32 descriptors, found by the part through a block in memory; what
 * became of each is read from memory.  Options:
 *   dwio=1   32-bit accesses
 *   style=0  16-bit structures, else SWSTYLE 2; style=3: its order of words
 *   tdmd=0   frames are not announced: the part finds them by itself
 *   init=0   no block: the registers that it would be loaded to are written
 */

#include "nic.h"
#include "pci.h"
#include "pcnet.h"

#define RING_LOG 5
#define RING_LEN (1 << RING_LOG)
#define BUFFER_LEN 1536

#define INIT_TIMEOUT_MS 100
#define TX_TIMEOUT_MS 2000
#define TX_TRIES 3

static union {
	struct pcnet_desc wide[RING_LEN];
	struct pcnet_desc16 narrow[RING_LEN];
} rx_ring __attribute__((aligned(16))), tx_ring __attribute__((aligned(16)));

static union {
	struct pcnet_init wide;
	struct pcnet_init16 narrow;
} init __attribute__((aligned(4)));

static uint8_t rx_buffers[RING_LEN][BUFFER_LEN] __attribute__((aligned(16)));
static uint8_t tx_buffers[RING_LEN][BUFFER_LEN] __attribute__((aligned(16)));

static struct {
	struct pcnet part;
	uint8_t style;
	bool quiet;  /* tdmd=0 */
	bool direct; /* init=0 */
	uint32_t rx_next, tx_next, tx_oldest;
	bool tx_ends[RING_LEN]; /* the last descriptor of a frame */
} card;

uint16_t pcnet_find(uint8_t *irq)
{
	uint8_t devfn;

	if (!cfg_find(PCNET_VENDOR, PCNET_DEVICE, &devfn))
		return 0;
	*irq = cfg_irq(devfn);
	return (uint16_t)cfg_enable(devfn);
}

static void select(const struct pcnet *p, uint16_t n)
{
	if (p->wide)
		outl(p->io + PCNET_RAP32, n);
	else
		outw(p->io + PCNET_RAP, n);
}

uint16_t pcnet_csr(const struct pcnet *p, uint16_t n)
{
	select(p, n);
	return p->wide ? (uint16_t)inl(p->io + PCNET_RDP) :
			 inw(p->io + PCNET_RDP);
}

void pcnet_set_csr(const struct pcnet *p, uint16_t n, uint16_t v)
{
	__asm__ volatile("" : : : "memory");
	select(p, n);
	if (p->wide)
		outl(p->io + PCNET_RDP, v);
	else
		outw(p->io + PCNET_RDP, v);
}

void pcnet_set_bcr(const struct pcnet *p, uint16_t n, uint16_t v)
{
	select(p, n);
	if (p->wide)
		outl(p->io + PCNET_BDP32, v);
	else
		outw(p->io + PCNET_BDP, v);
}

/* The part answers one of the two, whichever way it was used before. */
void pcnet_reset(const struct pcnet *p)
{
	inw(p->io + PCNET_RESET);
	inl(p->io + PCNET_RESET32);
	delay_us(10);
	if (p->wide)
		outl(p->io + PCNET_RDP, 0); /* this is what makes it wide */
}

/* ---- descriptors, in the order of words that the style has ---- */

static uint16_t status_of(const volatile struct pcnet_desc *d,
			  const volatile struct pcnet_desc16 *n)
{
	return card.style ? d->status : (uint16_t)(n->addr >> 16) & 0xff00;
}

static void give(volatile struct pcnet_desc *d, volatile struct pcnet_desc16 *n,
		 const void *addr, uint16_t len, uint16_t status)
{
	uint32_t at = (uint32_t)(uintptr_t)addr;
	uint16_t count = (uint16_t)-len;

	if (!card.style) {
		n->count = count;
		n->message = 0;
		n->addr = at | (uint32_t)status << 16;
		return;
	}
	d->count = count;
	d->addr = card.style == 3 ? 0 : at;
	d->message = card.style == 3 ? at : 0;
	__asm__ volatile("" : : : "memory");
	d->status = status;
}

static uint32_t message_of(uint32_t i)
{
	if (!card.style)
		return rx_ring.narrow[i].message & 0xfff;
	return (card.style == 3 ? rx_ring.wide[i].addr :
				  rx_ring.wide[i].message) &
	       0xfff;
}

static void give_rx(uint32_t i)
{
	give(&rx_ring.wide[i], &rx_ring.narrow[i], rx_buffers[i], BUFFER_LEN,
	     DESC_OWN);
}

/* ---- start ---- */

static void write_32(uint16_t csr, uint32_t v)
{
	pcnet_set_csr(&card.part, csr, (uint16_t)v);
	pcnet_set_csr(&card.part, csr + 1, (uint16_t)(v >> 16));
}

static void fill_init(const uint8_t *mac)
{
	uint32_t rx = (uint32_t)(uintptr_t)&rx_ring;
	uint32_t tx = (uint32_t)(uintptr_t)&tx_ring;

	memset(&init, 0, sizeof(init));
	if (card.style) {
		init.wide.rlen = init.wide.tlen = RING_LOG << 4;
		memcpy(init.wide.mac, mac, 6);
		init.wide.rx_ring = rx;
		init.wide.tx_ring = tx;
		return;
	}
	memcpy(init.narrow.mac, mac, 6);
	init.narrow.rx_ring = rx | (uint32_t)RING_LOG << 29;
	init.narrow.tx_ring = tx | (uint32_t)RING_LOG << 29;
}

/* What the block would be loaded to. */
static void write_init(const uint8_t *mac)
{
	uint16_t i;

	for (i = 0; i < 4; i++)
		pcnet_set_csr(&card.part, CSR_LADRF + i, 0);
	for (i = 0; i < 3; i++)
		pcnet_set_csr(&card.part, CSR_PADR + i,
			      (uint16_t)(mac[2 * i] | mac[2 * i + 1] << 8));
	pcnet_set_csr(&card.part, CSR_MODE, 0);
	write_32(CSR_RDRA, (uint32_t)(uintptr_t)&rx_ring);
	write_32(CSR_TDRA, (uint32_t)(uintptr_t)&tx_ring);
	pcnet_set_csr(&card.part, CSR_RLEN, (uint16_t)-RING_LEN);
	pcnet_set_csr(&card.part, CSR_TLEN, (uint16_t)-RING_LEN);
}

static bool start(const struct nic *nic)
{
	uint16_t go = CSR0_STRT | (nic->irq_used ? CSR0_INEA : 0);
	uint64_t end = now_ms() + INIT_TIMEOUT_MS;
	uint32_t i;

	memset(&tx_ring, 0, sizeof(tx_ring));
	for (i = 0; i < RING_LEN; i++) {
		card.tx_ends[i] = false;
		give_rx(i);
	}
	card.rx_next = card.tx_next = card.tx_oldest = 0;
	pcnet_set_bcr(&card.part, BCR_STYLE, card.style);
	pcnet_set_csr(&card.part, CSR_MASKS, 0);
	pcnet_set_csr(&card.part, CSR_FEATURES, CSR4_MASKS | CSR4_APAD);
	if (card.direct) {
		write_init(nic->mac);
		pcnet_set_csr(&card.part, 0, go);
		return true;
	}
	fill_init(nic->mac);
	write_32(CSR_IADR, (uint32_t)(uintptr_t)&init);
	pcnet_set_csr(&card.part, 0, CSR0_INIT);
	while (!(pcnet_csr(&card.part, 0) & CSR0_IDON)) {
		if (now_ms() >= end)
			return false;
		pause();
	}
	pcnet_set_csr(&card.part, 0, go | CSR0_IDON);
	return true;
}

static bool probe(struct nic *nic)
{
	uint16_t sum = 0, want;
	uint8_t prom[16], i;

	card.part.io = pcnet_find(&nic->irq);
	if (!card.part.io)
		return false;
	card.part.wide = option_is("dwio", "1");
	card.quiet = option_is("tdmd", "0");
	card.direct = option_is("init", "0");
	card.style = option_is("style", "0") ? 0 :
		     option_is("style", "3") ? 3 :
					       2;
	/* before a reset to double words: the PROM is read by bytes */
	pcnet_reset(&(struct pcnet){ .io = card.part.io });
	for (i = 0; i < sizeof(prom); i++) {
		prom[i] = inb(card.part.io + PCNET_APROM + i);
		sum += i == 12 || i == 13 ? 0 : prom[i];
	}
	want = (uint16_t)(prom[12] | prom[13] << 8);
	if (sum != want || prom[14] != 'W' || prom[15] != 'W') {
		say("pcnet: the PROM has no right sum\n");
		return false;
	}
	memcpy(nic->mac, prom, 6);
	pcnet_reset(&card.part);
	if ((pcnet_csr(&card.part, CSR_CHIP) & 0xfff) != 3) {
		say("pcnet: this is another part\n");
		return false;
	}
	return start(nic);
}

/* Frames that were not sent yet are lost. */
static void start_over(struct nic *nic, const char *why)
{
	say("pcnet: %s, reset\n", why);
	nic->resets++;
	nic->sent = nic->posted;
	pcnet_set_csr(&card.part, 0, CSR0_STOP);
	if (!start(nic))
		say("pcnet: no start\n");
}

/* ---- frames ---- */

static uint32_t next(uint32_t i)
{
	return (i + 1) % RING_LEN;
}

static void reap(struct nic *nic)
{
	uint16_t status;
	uint32_t i;

	for (i = card.tx_oldest; i != card.tx_next; i = next(i)) {
		status = status_of(&tx_ring.wide[i], &tx_ring.narrow[i]);
		if (status & DESC_OWN)
			return;
		card.tx_oldest = next(i);
		if (status & DESC_ERR)
			nic->bad++;
		nic->sent += card.tx_ends[i];
	}
}

static bool post(struct nic *nic, const struct nic_frame *f)
{
	uint32_t i = card.tx_next, n = next(i);
	uint32_t room;

	reap(nic);
	room = (card.tx_oldest - card.tx_next - 1) % RING_LEN;
	if (room < 2)
		return false;
	card.tx_ends[i] = !f->data_len;
	card.tx_next = n;
	if (f->data_len) {
		/* the first is given last, when the rest is there */
		give(&tx_ring.wide[n], &tx_ring.narrow[n], f->data,
		     (uint16_t)f->data_len, DESC_OWN | DESC_ENP);
		card.tx_ends[n] = true;
		card.tx_next = next(n);
	}
	give(&tx_ring.wide[i], &tx_ring.narrow[i], f->head,
	     (uint16_t)f->head_len,
	     DESC_OWN | DESC_STP | (f->data_len ? 0 : DESC_ENP));
	nic->posted++;
	return true;
}

static void kick(struct nic *nic)
{
	if (!card.quiet)
		pcnet_set_csr(&card.part, 0,
			      CSR0_TDMD | (nic->irq_used ? CSR0_INEA : 0));
}

/* With interrupts: acknowledge them.  What they are about is in memory. */
static void hear(struct nic *nic)
{
	uint16_t csr0;

	if (!nic->irq_used || !nic_called(nic))
		return;
	csr0 = pcnet_csr(&card.part, 0);
	pcnet_set_csr(&card.part, 0, (csr0 & CSR0_CAUSES) | CSR0_INEA);
	if (csr0 & CSR0_MISS)
		nic->overflows++;
}

static bool send(struct nic *nic, const void *frame, size_t len)
{
	uint8_t *copy = tx_buffers[card.tx_next];
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

static size_t receive(struct nic *nic, void *to)
{
	uint32_t i = card.rx_next;
	uint16_t status;
	size_t len;

	hear(nic);
	status = status_of(&rx_ring.wide[i], &rx_ring.narrow[i]);
	if (status & DESC_OWN)
		return 0;
	len = message_of(i);
	if ((status & (DESC_ERR | DESC_STP | DESC_ENP)) !=
		    (DESC_STP | DESC_ENP) ||
	    len < FRAME_MIN + 4 || len > FRAME_MAX + 4) {
		nic->bad++;
		len = 0;
	} else {
		len -= 4; /* the check sequence */
		memcpy(to, rx_buffers[i], len);
	}
	give_rx(i);
	card.rx_next = next(i);
	return len;
}

static void irq_on(struct nic *nic)
{
	(void)nic;
	pcnet_set_csr(&card.part, 0, CSR0_INEA);
}

const struct nic_driver pcnet_driver = {
	.name = "pcnet",
	.probe = probe,
	.send = send,
	.receive = receive,
	.irq_on = irq_on,
	.post = post,
	.kick = kick,
};
