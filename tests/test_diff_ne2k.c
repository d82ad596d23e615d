/* SPDX-License-Identifier: MIT */
/*
 * test_diff_ne2k.c: the simulated RTL8029AS held against QEMU's ne2k_pci: a
 * driver that does at random what the data sheets allow.
 *
 * "NS", "RTL" and "AN-937" are what sim_ne2k.h says; docs/sim.md has a word
 * on each exception.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diff.h"
#include "vmm/log.h"
#include "vmm/sim_ne2k.h"

#define RAM_FIRST 0x4000u
#define RAM_END 0xc000u
#define FIRST_PAGE 0x40u
#define LONGEST 1514u
#define ROOM 7u /* pages: QEMU's wants 6, ours keeps one free */
#define RESET_PORT 0x1fu

/* Registers are named as in sim_ne2k.h: the page in bits 4 and 5. */
static const struct diff_exception exceptions[] = {
	{ "ne2k-tsr-one", P0_TSR, P0_TSR, TSR_ONE },
	{ "ne2k-isr-rst", P0_ISR, P0_ISR, ISR_RST },
	{ "ne2k-clda", P0_CLDA0, P0_CLDA1, 0xff },
	{ "ne2k-page2", P2_RNPP, 0x2f, 0xff },
	{ "ne2k-8029as-id", P3_8029ASID0, P3_8029ASID1, 0xff },
	{ "ne2k-reset", 0, 0, 0 },
	{ "ne2k-fcs", 0, 0, 0 },
	{ "ne2k-prom", 0, 0, 0 },
	{ NULL, 0, 0, 0 },
};

enum { SAME, OTHER_FCS, OTHER_PROM };

struct driver {
	unsigned int page;
	unsigned int pstart, pstop;
	unsigned int next, curr; /* packets to read: from, to */
	bool bnry_behind; /* BNRY is the page before (next), not (next) */
	bool running;
	uint8_t rcr, dcr;
	uint8_t other[RAM_END]; /* which bytes of memory differ, and why */
};

static const char *const other_names[] = {
	[OTHER_FCS] = "ne2k-fcs",
	[OTHER_PROM] = "ne2k-prom",
};

static struct driver *driver(struct diff *d)
{
	return d->driver;
}

/*
 * Registers.
 */

static void command(struct diff *d, unsigned int value)
{
	struct driver *drv = driver(d);

	drv->page = value >> 6;
	diff_write(d, NE2K_CR, 1, value);
}

static unsigned int started(struct diff *d)
{
	return driver(d)->running ? CR_STA : CR_STP;
}

/* As drivers do, a page is selected when it is needed. */
static void select_page(struct diff *d, unsigned int page)
{
	if (driver(d)->page != page)
		command(d, page << 6 | CR_RD2 | started(d));
}

static uint8_t in(struct diff *d, unsigned int reg)
{
	select_page(d, reg >> 4);
	return (uint8_t)diff_read(d, reg, reg & 15, 1);
}

static void out(struct diff *d, unsigned int reg, unsigned int value)
{
	select_page(d, reg >> 4);
	diff_write(d, reg & 15, 1, value);
}

/*
 * Remote DMA: NS chapter 9.
 */

static void remote(struct diff *d, unsigned int cmd, unsigned int at,
		   unsigned int len)
{
	out(d, P0_RBCR0, len & 0xff);
	out(d, P0_RBCR1, len >> 8);
	out(d, P0_RSAR0, at & 0xff);
	out(d, P0_RSAR1, at >> 8);
	command(d, cmd | started(d));
}

/* Bytes an access: what DCR says, or four; wide ones start at even places. */
static unsigned int unit(struct diff *d, unsigned int at)
{
	if (!(at & 1) && diff_chance(d, 30))
		return 4;
	return driver(d)->dcr & DCR_WTS ? 2 : 1;
}

static void end_remote(struct diff *d)
{
	if (!(in(d, P0_ISR) & ISR_RDC))
		diff_fail(d, "remote DMA does not end");
	out(d, P0_ISR, ISR_RDC);
}

static void write_card(struct diff *d, unsigned int at, const uint8_t *from,
		       unsigned int len)
{
	unsigned int width = unit(d, at);
	unsigned int n = (len + width - 1) / width;

	remote(d, CR_RD_WRITE, at, n * width);
	diff_write_string(d, NE2K_DATA, width, from, n);
	end_remote(d);
	for (unsigned int i = 0; i < n * width; i++)
		if (at + i >= RAM_FIRST && at + i < RAM_END)
			driver(d)->other[at + i] = SAME;
}

/* Where byte (i) of a read from (at) comes from. */
static unsigned int wrapped(const struct driver *drv, unsigned int at,
			    unsigned int i)
{
	unsigned int stop = drv->pstop << 8;

	if (at < stop && at + i >= stop)
		return at + i - stop + (drv->pstart << 8);
	return at + i;
}

/* Take (n) bytes that were read from (at) and may differ out of both. */
static void excuse_bytes(struct diff *d, unsigned int at, uint8_t *both[],
			 unsigned int n)
{
	const struct driver *drv = driver(d);

	for (unsigned int i = 0; i < n; i++) {
		uint8_t why = drv->other[wrapped(drv, at, i) % RAM_END];

		if (!why)
			continue;
		if (both[0][i] != both[1][i])
			diff_excuse(d, other_names[why]);
		both[0][i] = both[1][i] = 0;
	}
}

/* What is compared comes back in (to). */
static void read_card(struct diff *d, unsigned int at, uint8_t *to,
		      unsigned int len)
{
	unsigned int width = unit(d, at), n = (len + width - 1) / width;
	uint8_t sim[0x8000], qemu[0x8000], *both[] = { sim, qemu };

	remote(d, CR_RD_READ, at, n * width);
	diff_read_strings(d, NE2K_DATA, width, both, n);
	end_remote(d);
	excuse_bytes(d, at, both, n * width);
	diff_same(d, "packet memory", at, sim, qemu, n * width);
	if (to)
		memcpy(to, sim, len);
}

static void random_bytes(struct diff *d, uint8_t *to, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		to[i] = (uint8_t)diff_random(d, 256);
}

/*
 * Setting up: NS chapter 11, "Initialization Procedure".
 */

static void write_mar(struct diff *d)
{
	uint8_t mar[8];

	random_bytes(d, mar, sizeof(mar));
	if (driver(d)->rcr & RCR_PRO)
		memset(mar, 0xff, sizeof(mar));
	for (unsigned int i = 0; i < sizeof(mar); i++)
		out(d, P1_MAR0 + i, mar[i]);
}

/* All frames are those with all bits: NS 10.3, RCR.PRO. */
static void choose_filter(struct diff *d)
{
	unsigned int n = diff_random(d, 8);

	driver(d)->rcr = (n & 1 ? RCR_AB : 0) | (n & 2 ? RCR_AM : 0);
	if (n == 7)
		driver(d)->rcr = RCR_AB | RCR_AM | RCR_PRO;
}

static void choose_ring(struct diff *d)
{
	struct driver *drv = driver(d);

	drv->pstart = FIRST_PAGE + 8 + diff_random(d, 60);
	drv->pstop = drv->pstart + ROOM + 3 + diff_random(d, 40);
	if (drv->pstop > RAM_END >> 8)
		drv->pstop = RAM_END >> 8;
	drv->bnry_behind = diff_chance(d, 50);
	drv->next = drv->curr = drv->pstart + (drv->bnry_behind ? 1 : 0);
}

static void set_up(struct diff *d)
{
	struct driver *drv = driver(d);

	drv->running = false;
	choose_ring(d);
	choose_filter(d);
	drv->dcr = (uint8_t)(0x48 | diff_random(d, 2));
	command(d, CR_RD2 | CR_STP);
	out(d, P0_DCR, drv->dcr);
	out(d, P0_RBCR0, 0);
	out(d, P0_RBCR1, 0);
	out(d, P0_RCR, RCR_MON);
	out(d, P0_TCR, TCR_LB_NIC);
	out(d, P0_PSTART, drv->pstart);
	out(d, P0_BNRY, drv->pstart);
	out(d, P0_PSTOP, drv->pstop);
	out(d, P0_ISR, 0xff);
	out(d, P0_IMR, diff_random(d, 128));
	for (unsigned int i = 0; i < 6; i++)
		out(d, P1_PAR0 + i, diff_mac[i]);
	write_mar(d);
	out(d, P1_CURR, drv->curr);
	drv->running = true;
	command(d, CR_RD2 | CR_STA);
	out(d, P0_TCR, 0);
	out(d, P0_RCR, drv->rcr);
}

/* RST is set, and what else there was, until it is programmed anew. */
static void reset(struct diff *d)
{
	uint32_t v[DIFF_SIDES];

	diff_read_both(d, RESET_PORT, 1, v);
	diff_write(d, RESET_PORT, 1, 0xff);
	driver(d)->running = false;
	command(d, CR_RD2 | CR_STP);
	diff_read_both(d, P0_ISR, 1, v);
	if (v[0] != v[1])
		diff_excuse(d, "ne2k-reset");
	if (!(v[0] & v[1] & ISR_RST))
		diff_fail(d, "a reset does not end");
	set_up(d);
}

/* As after an overflow, without one: NS chapter 7, "Overwrite Warning". */
static void restart(struct diff *d)
{
	struct driver *drv = driver(d);
	uint8_t frame[60];

	drv->running = false;
	command(d, CR_RD2 | CR_STP);
	in(d, P0_ISR);
	out(d, P0_RBCR0, 0);
	out(d, P0_RBCR1, 0);
	if (diff_chance(d, 50)) {
		/* nobody hears this */
		random_bytes(d, frame, sizeof(frame));
		memcpy(frame, diff_mac, sizeof(diff_mac));
		diff_inject(d, frame, sizeof(frame));
		diff_quiet(d);
	}
	out(d, P0_TCR, TCR_LB_NIC);
	drv->running = true;
	command(d, CR_RD2 | CR_STA);
	out(d, P0_ISR, ISR_OVW);
	out(d, P0_TCR, 0);
}

/*
 * Receiving: NS chapter 7.
 */

static unsigned int room(const struct driver *drv)
{
	unsigned int n = drv->pstop - drv->pstart;
	unsigned int used = (drv->curr + n - drv->next) % n;

	return n - used - (drv->bnry_behind ? 1 : 0);
}

/* Read the packet at (next), and free its pages. */
static void take_packet(struct diff *d)
{
	struct driver *drv = driver(d);
	unsigned int n = drv->pstop - drv->pstart, len;
	uint8_t head[4];

	read_card(d, drv->next << 8, head, 4);
	len = head[2] | (unsigned int)head[3] << 8;
	if (len < 64 || len > LONGEST + 4 || head[1] < drv->pstart ||
	    head[1] >= drv->pstop)
		diff_fail(d, "a bad header in page %#x", drv->next);
	if (diff_chance(d, 80))
		read_card(d, wrapped(drv, drv->next << 8, 4), NULL, len);
	drv->next = head[1];
	if (drv->bnry_behind)
		out(d, P0_BNRY,
		    drv->pstart + (drv->next - drv->pstart + n - 1) % n);
	else
		out(d, P0_BNRY, drv->next);
}

static void take_packets(struct diff *d, unsigned int most)
{
	struct driver *drv = driver(d);

	if (drv->next != drv->curr)
		out(d, P0_ISR, ISR_PRX);
	while (most-- && drv->next != drv->curr)
		take_packet(d);
}

/* A frame of (len) came: its bytes are known, those behind it are not. */
static void stored(struct diff *d, unsigned int from, unsigned int len)
{
	struct driver *drv = driver(d);

	for (unsigned int i = 0; i < 4 + len + 4; i++)
		drv->other[wrapped(drv, from << 8, i)] =
			i < 4 + len ? SAME : OTHER_FCS;
}

static unsigned int make_frame(struct diff *d, uint8_t *frame)
{
	unsigned int len = 14 + diff_random(d, 200);

	if (diff_chance(d, 40))
		len = 60 + diff_random(d, LONGEST + 1 - 60);
	if (diff_chance(d, 10))
		len = 256 * (1 + diff_random(d, 5)) - 8 - diff_random(d, 3);
	random_bytes(d, frame, len);
	switch (diff_random(d, 5)) {
	case 0:
		memset(frame, 0xff, 6);
		break;
	case 1:
		frame[0] |= 1;
		break;
	case 2:
		frame[0] &= 0xfe;
		break;
	default:
		memcpy(frame, diff_mac, sizeof(diff_mac));
	}
	return len;
}

static void receive(struct diff *d)
{
	struct driver *drv = driver(d);
	uint8_t frame[LONGEST];
	unsigned int len, curr;

	if (room(drv) < ROOM)
		take_packets(d, diff_chance(d, 50) ? 1 : ~0u);
	if (room(drv) < ROOM)
		return;
	len = make_frame(d, frame);
	diff_inject(d, frame, len);
	diff_settle(d);
	curr = in(d, P1_CURR);
	in(d, P0_RSR);
	if (curr == drv->curr)
		return;
	stored(d, drv->curr, len < 60 ? 60 : len);
	drv->curr = curr;
	if (diff_chance(d, 30))
		take_packets(d, ~0u);
}

/*
 * Sending, and the rest.
 */

static void transmit(struct diff *d)
{
	unsigned int len = 60 + diff_random(d, LONGEST + 1 - 60);
	unsigned int page = FIRST_PAGE + diff_random(d, 3);
	uint8_t frame[LONGEST + 4] = { 0 };

	random_bytes(d, frame, len);
	write_card(d, page << 8, frame, len);
	out(d, P0_TPSR, page);
	out(d, P0_TBCR0, len & 0xff);
	out(d, P0_TBCR1, len >> 8);
	command(d, CR_RD2 | CR_STA | CR_TXP);
	diff_settle(d);
	diff_read(d, NE2K_CR, NE2K_CR, 1);
	in(d, P0_ISR);
	in(d, P0_TSR);
	if (diff_chance(d, 80))
		out(d, P0_ISR, ISR_PTX | ISR_TXE);
}

/* Any memory but the ring's. */
static void scribble(struct diff *d)
{
	const struct driver *drv = driver(d);
	unsigned int first = RAM_FIRST, end = drv->pstart << 8, at, len;
	uint8_t data[2004];

	if (diff_chance(d, 50) && drv->pstop << 8 < RAM_END) {
		first = drv->pstop << 8;
		end = RAM_END;
	}
	at = first + diff_random(d, end - first - 8);
	len = 1 + diff_random(d, end - at - 4 < 2000 ? end - at - 4 : 2000);
	if (drv->dcr & DCR_WTS || diff_chance(d, 50))
		at &= ~1u;
	random_bytes(d, data, sizeof(data));
	write_card(d, at, data, len);
}

/* All of the map, the PROM and the hole behind it included. */
static void look(struct diff *d)
{
	static const unsigned int first[] = { 0, 0x10, 0x3f00, RAM_FIRST };
	unsigned int at = first[diff_random(d, 4)];
	unsigned int len = 1 + diff_random(d, 600);

	if (at == RAM_FIRST)
		at += diff_random(d, RAM_END - RAM_FIRST - 1000) & ~1u;
	if (!(driver(d)->dcr & DCR_WTS))
		at += diff_random(d, 2);
	read_card(d, at, NULL, len);
}

/* A transfer that is broken off; and what is left of it. */
static void abort_remote(struct diff *d)
{
	const struct driver *drv = driver(d);
	unsigned int width = drv->dcr & DCR_WTS ? 2 : 1;
	unsigned int n = 1 + diff_random(d, 50);
	uint8_t data[100], more[100], *both[] = { data, more };
	bool write = diff_chance(d, 50);

	random_bytes(d, data, sizeof(data));
	remote(d, write ? CR_RD_WRITE : CR_RD_READ, RAM_FIRST, 2 * n + 2);
	if (write) {
		diff_write_string(d, NE2K_DATA, width, data, n);
	} else {
		diff_read_strings(d, NE2K_DATA, width, both, n);
		excuse_bytes(d, RAM_FIRST, both, n * width);
		diff_same(d, "packet memory", RAM_FIRST, data, more, n * width);
	}
	for (unsigned int i = 0; write && i < n * width; i++)
		driver(d)->other[RAM_FIRST + i] = SAME;
	in(d, P0_CRDA0);
	in(d, P0_CRDA1);
	in(d, P0_ISR);
	command(d, CR_RD2 | CR_STA);
	in(d, P0_ISR);
}

static void registers(struct diff *d)
{
	static const uint8_t page0[] = { P0_CLDA0,   P0_CLDA1, P0_BNRY,
					 P0_TSR,     P0_NCR,   P0_ISR,
					 P0_CRDA0,   P0_CRDA1, P0_8029ID0,
					 P0_8029ID1, P0_RSR,   P0_CNTR0,
					 P0_CNTR1,   P0_CNTR2 };

	for (unsigned int i = 0; i < ARRAY_LEN(page0); i++)
		in(d, page0[i]);
	for (unsigned int reg = P1_PAR0; reg <= P1_MAR7; reg++)
		in(d, reg);
	for (unsigned int reg = P2_PSTART; reg <= P2_IMR; reg++)
		in(d, reg);
	for (unsigned int reg = P3_9346CR; reg <= P3_8029ASID1; reg++)
		in(d, reg);
}

static void interrupts(struct diff *d)
{
	if (diff_chance(d, 50))
		out(d, P0_IMR, diff_random(d, 128));
	if (diff_chance(d, 50))
		out(d, P0_ISR, diff_random(d, 128) & ~(unsigned int)ISR_PRX);
	in(d, P0_ISR);
}

static void filters(struct diff *d)
{
	choose_filter(d);
	write_mar(d);
	out(d, P0_RCR, driver(d)->rcr);
}

static void whole_memory(struct diff *d)
{
	unsigned int stop = driver(d)->pstop << 8;

	read_card(d, RAM_FIRST, NULL, stop - RAM_FIRST);
	if (stop < RAM_END)
		read_card(d, stop, NULL, RAM_END - stop);
	read_card(d, 0, NULL, NE2K_PROM);
}

static void sequence(struct diff *d)
{
	static const struct {
		unsigned int weight;
		const char *name;
		void (*run)(struct diff *d);
	} ops[] = {
		{ 30, "receive", receive },
		{ 15, "transmit", transmit },
		{ 10, "scribble", scribble },
		{ 15, "look", look },
		{ 5, "abort", abort_remote },
		{ 5, "registers", registers },
		{ 10, "interrupts", interrupts },
		{ 4, "filters", filters },
		{ 3, "restart", restart },
		{ 2, "set-up", set_up },
		{ 1, "reset", reset },
	};

	d->driver = xcalloc(1, sizeof(struct driver));
	/* After a second reset QEMU's has the address there once more. */
	memset(driver(d)->other + 2 * sizeof(diff_mac), OTHER_PROM, 16);
	reset(d);
	for (d->step = 0; d->step < d->steps; d->step++) {
		unsigned int n = diff_random(d, 100), i = 0;

		while (n >= ops[i].weight)
			n -= ops[i++].weight;
		diff_note(d, "step %u: %s", d->step, ops[i].name);
		ops[i].run(d);
		diff_settle(d);
		if (d->step % 100 == 99)
			whole_memory(d);
	}
	registers(d);
	whole_memory(d);
}

static const struct diff_part part = {
	.name = "ne2k",
	.vendor = 0x10ec,
	.device = 0x8029,
	.exceptions = exceptions,
	.harmless = NE2K_CR,
	.steps = 400,
	.sequence = sequence,
};

static void test_same(void **state)
{
	static const uint64_t seeds[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	(void)state;
	if (!diff_have_qemu())
		skip();
	assert_int_equal(diff_check(&part, seeds, ARRAY_LEN(seeds)), 0);
}

/* Each of these in the simulated card shows. */
static void test_notices(void **state)
{
	static const struct diff_error errors[] = {
		{ "a bit of ISR", DIFF_WRONG_READ, P0_ISR, ISR_PTX },
		{ "a bit of an ID or of MAR", DIFF_WRONG_READ, 0x0a, 1 },
		{ "a bit into TPSR", DIFF_WRONG_WRITE, P0_TPSR, 2 },
		{ "a bit into BNRY", DIFF_WRONG_WRITE, P0_BNRY, 1 },
		{ "a bit into IMR", DIFF_WRONG_WRITE, P0_IMR, ISR_RDC },
		{ "a bit of packet memory", DIFF_WRONG_STRING, NE2K_DATA, 8 },
		{ "the pin", DIFF_WRONG_LEVEL, 0, 0 },
		{ "a frame's bit", DIFF_WRONG_FRAME, 0, 4 },
		{ "a lost frame", DIFF_WRONG_LOST, 0, 0 },
	};

	(void)state;
	if (!diff_have_qemu())
		skip();
	assert_int_equal(diff_notices(&part, errors, ARRAY_LEN(errors)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_notices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
