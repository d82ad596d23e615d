/* SPDX-License-Identifier: MIT */
/*
 * hostile.c: a guest that goes for its neighbours through the card's ports.
 *
 * It tries one attack after another, again and again, and prints each byte
 * that it could read and that is not its own doing:
 *   read ADDRESS HEX		from the card's memory, 16 bytes a line
 *   frame DST SRC TYPE LEN	a frame in its receive ring
 * Whether one of them is a neighbour's is for the test to say, which knows
 * what the neighbour's frames look like.  It succeeds if it lives.
 *
 * Options:
 *   victim=HEX   a neighbour's address, as a number: 52540000000b
 *   ms=2000      for how long
 *   stuck=20     between attacks, hold the card in mid-transfer: so many ms
 */

#include "ne2k.h"
#include "net.h"

#define OWN 0x5a /* what we fill memory with */
#define RAM 0x4000
#define RAM_END 0xc000
#define TX 0x40
#define TYPE_OWN 0x88b5 /* IEEE 802, for experiments */
#define LINES_MAX 600
#define CR_START (CR_ABORT | CR_STA)

static uint16_t io;
static uint8_t mac[6];
static uint8_t victim[6];
static uint8_t buf[RAM_END - RAM + 16] __attribute__((aligned(8)));
static uint32_t lines;

static void out(uint8_t reg, uint8_t v)
{
	ne2k_write(io, reg, v);
}

static void remote(uint8_t command, uint16_t addr, uint16_t len)
{
	ne2k_remote(io, command, addr, len);
}

/* Show what is neither ones (denied), nor zeros, nor what we wrote. */
static void look(uint32_t addr, size_t len)
{
	static const uint64_t own = 0x0101010101010101ull * OWN;
	size_t i;

	for (i = 0; i + 16 <= len; i += 16) {
		const uint64_t *w = (void *)(buf + i);
		const uint8_t *p = buf + i;

		if ((!w[0] && !w[1]) || (!~w[0] && !~w[1]) ||
		    (w[0] == own && w[1] == own))
			continue;
		if (lines++ < LINES_MAX)
			say("read %04x %08x%08x%08x%08x\n",
			    (uint32_t)(addr + i), get32(p), get32(p + 4),
			    get32(p + 8), get32(p + 12));
	}
}

static void fill(size_t len)
{
	memset(buf, OWN, len);
}

static void take(uint16_t addr, size_t words)
{
	insw(io + NE2K_DATA, buf, words);
	look(addr, 2 * words);
}

/* A card that works as a driver would have it, hearing all it may. */
static void start(uint8_t pstart, uint8_t pstop, uint8_t bnry, uint8_t curr)
{
	uint8_t i;

	out(NE2K_CR, CR_ABORT | CR_STP);
	out(NE2K_DCR, DCR_WORD | DCR_NORMAL | DCR_FIFO8);
	out(NE2K_RBCR0, 0);
	out(NE2K_RBCR1, 0);
	out(NE2K_RCR, 0x1f); /* runts, broken ones, groups, promiscuous */
	out(NE2K_TCR, 0);
	out(NE2K_PSTART, pstart);
	out(NE2K_PSTOP, pstop);
	out(NE2K_BNRY, bnry);
	out(NE2K_ISR, 0xff);
	out(NE2K_IMR, 0);
	out(NE2K_CR, CR_PAGE1 | CR_ABORT | CR_STP);
	for (i = 0; i < 6; i++)
		out(NE2K_PAR0 + i, victim[i]);
	for (i = 0; i < 8; i++)
		out(NE2K_MAR0 + i, 0xff);
	out(NE2K_CURR, curr);
	out(NE2K_CR, CR_START);
}

/* ---- attacks ---- */

static void read_outside(void)
{
	static const uint16_t at[][2] = {
		{ 0x0020, 0x200 },  { 0x3ff0, 0x20 }, { 0xbff0, 0x20 },
		{ 0xc000, 0x200 },  { 0xfffe, 2 },    { 0x4000, 0xffff },
		{ 0x1000, 0x200 },  { 0xbffe, 4 },    { 0x0000, 0x8000 },
		{ 0x8000, 0x4002 }, { 0x001e, 0x10 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(at); i++) {
		remote(CR_READ, at[i][0], at[i][1]);
		take(at[i][0], 0x100);
	}
}

static void read_past_count(void)
{
	remote(CR_READ, RAM, 4);
	take(RAM, 0x1000);
	remote(CR_READ, 0xbff0, 16);
	insl(io + NE2K_DATA, buf, 0x400);
	look(0xbff0, 0x1000);
	remote(CR_READ, RAM, 0);
	take(RAM, 0x100);
	remote(CR_READ, 0, 32);
	take(0, 0x1000);
}

static void write_outside(void)
{
	static const uint16_t at[] = { 0x0000, 0x3ff0, 0xbff0, 0xc000 };
	size_t i;

	fill(0x200);
	for (i = 0; i < ARRAY_LEN(at); i++) {
		remote(CR_WRITE, at[i], 0x200);
		outsw(io + NE2K_DATA, buf, 0x100);
	}
	remote(CR_WRITE, RAM, 2);
	outsw(io + NE2K_DATA, buf, 0x100);
}

/* The part wraps from PSTOP to PSTART; and obeys RSAR in mid-transfer. */
static void move_in_transfer(void)
{
	out(NE2K_PSTART, 0x46);
	out(NE2K_PSTOP, 0x48);
	remote(CR_READ, 0x47f0, 0x8000);
	take(0x47f0, 0x200);
	out(NE2K_PSTART, 0xc0);
	remote(CR_READ, 0x47f0, 0x100);
	take(0x47f0, 0x80);
	remote(CR_READ, RAM, 0x100);
	insw(io + NE2K_DATA, buf, 8);
	out(NE2K_RSAR0, 0);
	out(NE2K_RSAR0 + 1, 0xc0);
	out(NE2K_RBCR0, 0xff);
	out(NE2K_RBCR1, 0xff);
	out(NE2K_PSTOP, 0x41);
	out(NE2K_PSTART, 0xc1);
	out(NE2K_DCR, DCR_NORMAL);
	take(RAM, 0x400);
	out(NE2K_DCR, DCR_WORD | DCR_NORMAL);
	/* odd, so that word lanes put it where it is not counted */
	remote(CR_READ, 0x4001, 0x41);
	take(0x4001, 0x40);
}

static void put_frame(uint8_t page, const uint8_t *src, uint8_t lane)
{
	fill(64);
	memset(buf, 0xff, 6);
	memcpy(buf + 6, src, 6);
	put16(buf + 12, TYPE_OWN);
	remote(CR_WRITE, (uint16_t)(page << 8 | lane), 64);
	outsw(io + NE2K_DATA, buf, 32);
}

static void transmit(uint8_t page, uint16_t len)
{
	out(NE2K_TPSR, page);
	out(NE2K_TBCR0, (uint8_t)len);
	out(NE2K_TBCR1, (uint8_t)(len >> 8));
	out(NE2K_CR, CR_START | CR_TXP);
}

static void forge_source(void)
{
	static const uint8_t zero[6];
	static const uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 1 };

	put_frame(TX, victim, 0);
	transmit(TX, 60);
	put_frame(TX, zero, 0);
	transmit(TX, 60);
	put_frame(TX, group, 0);
	transmit(TX, 60);
	put_frame(TX, victim, 1);
	transmit(TX, 60);
	/* what was checked is replaced while it waits */
	put_frame(TX, mac, 0);
	transmit(TX, 60);
	put_frame(TX, victim, 0);
	put_frame(0x42, victim, 0);
	out(NE2K_TPSR, 0x42);
	transmit(0x42, 60);
}

/*
 * A frame that is ours where the transfer was counted, and forged where the
 * part put it: word lanes have no odd addresses, and a long word that begins
 * before PSTOP does not wrap.
 */
static void forge_by_lanes(void)
{
	put_frame(TX, mac, 0);
	remote(CR_WRITE, TX << 8 | 11, 2);
	outw(io + NE2K_DATA, (uint16_t)(mac[5] | victim[5] << 8));
	transmit(TX, 60);

	put_frame(TX, mac, 0);
	remote(CR_WRITE, TX << 8 | 10, 4); /* bytes, where words are moved */
	outb(io + NE2K_DATA, mac[4]);
	outb(io + NE2K_DATA, victim[5]);
	transmit(TX, 60);

	put_frame(TX, victim, 0);
	memcpy(buf + 6, mac, 6);
	out(NE2K_PSTART, TX);
	out(NE2K_PSTOP, TX + 1);
	remote(CR_WRITE, TX << 8 | 0xfe, 62);
	outl(io + NE2K_DATA, get32(buf));
	outsl(io + NE2K_DATA, buf + 2, 15);
	transmit(TX, 60);
}

static void send_outside(void)
{
	static const uint8_t page[] = { 0x00, 0x3f, 0xbf, 0xc0, 0xff, TX };
	static const uint16_t len[] = { 0, 1, 13, 0x600, 0x2400, 0xffff };
	size_t i;

	put_frame(TX, mac, 0);
	for (i = 0; i < ARRAY_LEN(page) * ARRAY_LEN(len); i++)
		transmit(page[i % ARRAY_LEN(page)], len[i / ARRAY_LEN(page)]);
	out(NE2K_CR, CR_READ | CR_WRITE | CR_STA); /* "send packet" */
	take(RAM, 0x40);
}

static void show_frames(uint8_t page, uint8_t stop, uint8_t curr)
{
	uint32_t i;

	for (i = 0; i < 64 && page < stop && page != curr; i++) {
		remote(CR_READ, (uint16_t)(page << 8), 20);
		insw(io + NE2K_DATA, buf, 10);
		if (lines++ < LINES_MAX)
			say("frame %M %M %04x %u\n", buf + 4, buf + 10,
			    get16(buf + 16), buf[2] | (uint32_t)buf[3] << 8);
		if (buf[1] < 0x46 || buf[1] == page)
			return;
		page = buf[1];
	}
}

/* As the neighbour, and promiscuous: what comes is not ours. */
static void listen(void)
{
	uint8_t curr;

	start(0x46, 0x80, 0x46, 0x47);
	delay_us(30000);
	out(NE2K_CR, CR_PAGE1 | CR_START);
	curr = ne2k_read(io, NE2K_CURR);
	out(NE2K_CR, CR_START);
	show_frames(0x47, 0x80, curr);
}

static void bad_rings(void)
{
	static const uint8_t ring[][4] = {
		{ 0x00, 0xff, 0x00, 0x00 }, { 0x46, 0x80, 0xff, 0xff },
		{ 0x80, 0x46, 0x60, 0x60 }, { 0x3f, 0x41, 0x40, 0x40 },
		{ 0xbf, 0xc5, 0xc0, 0xbf }, { 0x46, 0x46, 0x46, 0x46 },
		{ 0x40, 0xc0, 0x3f, 0xc0 }, { 0x46, 0x47, 0x46, 0x46 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(ring); i++) {
		start(ring[i][0], ring[i][1], ring[i][2], ring[i][3]);
		delay_us(3000);
	}
}

static void wide_accesses(void)
{
	uint16_t at;

	for (at = 0; at < NE2K_IO_LEN; at++) {
		outl(io + at, 0xffffffff);
		outw(io + at, 0x2126);
		inl(io + at);
		inw(io + at);
	}
	outl(io, 0xc0404622);
	outl(io + NE2K_RSAR0, 0xffffc000);
	outw(io + NE2K_CR, 0x460a);
	insl(io + NE2K_DATA, buf, 0x100);
	look(0, 0x400);
	insl(io + NE2K_DATA + 6, buf, 0x100); /* half of it is RESET */
	look(0, 0x400);
}

static void all_pages(void)
{
	uint8_t page, reg, i = 0;

	for (page = 0; page < 4; page++) {
		out(NE2K_CR, (uint8_t)(page << 6 | CR_START));
		for (reg = 1; reg < 16; reg++)
			buf[i++] = ne2k_read(io, reg);
		for (reg = 1; page == 3 && reg < 16; reg++)
			out(reg, 0xc0);
		for (reg = 1; page == 2 && reg < 16; reg++)
			out(reg, 0xff);
	}
	out(NE2K_CR, CR_START);
	for (reg = 0; reg < 16; reg++)
		buf[i++] = ne2k_read(io, 6); /* the FIFO */
	look(0, 64);
}

static void reset_storm(void)
{
	uint32_t i;

	for (i = 0; i < 200; i++) {
		outb(io + NE2K_RESET, inb(io + NE2K_RESET));
		out(NE2K_CR, CR_START | CR_TXP);
		out(NE2K_CR, CR_STP | CR_STA | CR_TXP | CR_READ);
		out(NE2K_CR, 0);
	}
}

static void flood(void)
{
	uint32_t i;

	start(0x46, 0x80, 0x46, 0x47);
	put_frame(TX, mac, 0);
	for (i = 0; i < 100; i++)
		transmit(TX, 60);
}

/* ---- and what it left ---- */

static void dump(void)
{
	uint16_t at;

	start(0x46, 0x80, 0x46, 0x47);
	remote(CR_READ, 0, 32);
	insw(io + NE2K_DATA, buf, 16);
	look(0, 32);
	for (at = RAM; at < RAM_END; at += 0x1000) {
		remote(CR_READ, at, 0x1000);
		take(at, 0x800);
	}
}

static const struct {
	const char *name;
	void (*fn)(void);
} attacks[] = {
	{ "read outside", read_outside },
	{ "read past the count", read_past_count },
	{ "write outside", write_outside },
	{ "move in mid-transfer", move_in_transfer },
	{ "forge a source", forge_source },
	{ "forge by lanes", forge_by_lanes },
	{ "send from outside", send_outside },
	{ "listen as the neighbour", listen },
	{ "bad rings", bad_rings },
	{ "wide accesses", wide_accesses },
	{ "all pages", all_pages },
	{ "reset storm", reset_storm },
	{ "flood", flood },
};

static void read_mac(void)
{
	uint8_t i;

	start(0x46, 0x80, 0x46, 0x47);
	remote(CR_READ, 0, 32);
	insw(io + NE2K_DATA, buf, 16);
	for (i = 0; i < 6; i++)
		mac[i] = buf[2 * i];
}

void guest_main(void)
{
	uint64_t number;
	uint64_t end;
	uint32_t rounds = 0;
	uint8_t irq;
	size_t i;

	guest_start();
	io = ne2k_find(&irq);
	if (!io)
		fail("no NIC found");
	number = option("victim") ? parse_hex(option("victim")) : 0;
	for (i = 0; i < 6; i++)
		victim[i] = (uint8_t)(number >> (40 - 8 * i));
	read_mac();
	say("hostile: %M goes for %M\n", mac, victim);
	end = now_ms() + option_number("ms", 2000);
	do {
		for (i = 0; i < ARRAY_LEN(attacks); i++) {
			if (!rounds)
				say("attack: %s\n", attacks[i].name);
			attacks[i].fn();
			if (option("stuck")) {
				remote(CR_READ, RAM, 0x100);
				delay_us(1000 * option_number("stuck", 20));
			}
		}
		dump();
		rounds++;
	} while (now_ms() < end);
	say("hostile: %u rounds, %u lines read\n", rounds, lines);
	succeed();
}
