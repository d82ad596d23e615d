// SPDX-License-Identifier: MIT
/*
 * ringrig.c: the guests, the host and the card of ringrig.h.
 */

#include "ringrig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "replay.h"

void ringrig_mac(unsigned int g, uint8_t mac[6])
{
	const uint8_t base[6] = { 0x52, 0x54, 0x00, 0x00, 0x00, 0x0a };

	memcpy(mac, base, 6);
	mac[5] = (uint8_t)(mac[5] + g);
}

static uint64_t clock_now(const struct ringrig *rig)
{
	struct timespec ts;

	if (!rig->real_clock)
		return rig->clock;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- the card's surroundings ---- */

static void card_transmit(void *ctx, const uint8_t *frame, size_t len)
{
	struct ringrig *rig = ctx;

	if (rig->wire)
		rig->wire(rig->ctx, frame, len);
}

static void card_irq(void *ctx, bool level)
{
	struct ringrig *rig = ctx;

	rig->level = level;
	rig->changed = true;
}

static uint64_t card_now(void *ctx)
{
	return clock_now(ctx);
}

static void card_arm(void *ctx, uint64_t at_ns)
{
	((struct ringrig *)ctx)->due = at_ns;
}

/* Device addresses to memory; NULL: nothing is there. */
static uint8_t *reach(struct ringrig *rig, uint64_t addr, size_t len)
{
	unsigned int g;

	if (cc_within(addr, len, RIG_AREA, rig->conf.area.size))
		return rig->conf.area.host + (addr - RIG_AREA);
	for (g = 0; g < rig->conf.guests; g++)
		if (cc_within(addr, len, RIG_GUEST(g), RIG_MEM))
			return rig->guest[g].mem + (addr - RIG_GUEST(g));
	rig->faults++;
	return NULL;
}

static int card_dma_read(void *ctx, uint64_t addr, void *to, size_t len)
{
	const uint8_t *from = reach(ctx, addr, len);

	if (from)
		memcpy(to, from, len);
	return from ? 0 : -EFAULT;
}

static int card_dma_write(void *ctx, uint64_t addr, const void *from,
			  size_t len)
{
	uint8_t *to = reach(ctx, addr, len);

	if (to)
		memcpy(to, from, len);
	return to ? 0 : -EFAULT;
}

static const struct sim_host card_host = {
	.transmit = card_transmit,
	.irq = card_irq,
	.now = card_now,
	.arm = card_arm,
	.dma_read = card_dma_read,
	.dma_write = card_dma_write,
};

/* ---- the monitor's host ---- */

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	return sim_e1000.read(((struct ringrig *)ctx)->card, space, off, width);
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	sim_e1000.write(((struct ringrig *)ctx)->card, space, off, width,
			value);
}

static void card_turn(struct ringrig *rig)
{
	while (rig->due <= clock_now(rig)) {
		rig->due = SIM_NEVER;
		sim_e1000.run(rig->card);
	}
}

static void host_pause(void *ctx, uint64_t ns)
{
	struct ringrig *rig = ctx;

	rig->clock += ns;
	card_turn(rig);
}

static uint64_t host_now(void *ctx)
{
	return clock_now(ctx);
}

static int host_reset(void *ctx)
{
	sim_e1000.reset(((struct ringrig *)ctx)->card);
	return 0;
}

static void host_line(void *ctx, unsigned int guest, bool level)
{
	((struct ringrig *)ctx)->guest[guest].line = level;
}

static void host_report(void *ctx, const struct dmm_report *r)
{
	struct ringrig *rig = ctx;

	rig->reports++;
	rig->last = *r;
}

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	(void)ctx;
	*iova = RIG_GUEST(guest) + gpa;
	return cc_within(gpa, len, 0, RIG_MEM) ? 0 : -EFAULT;
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	struct ringrig *rig = ctx;

	if (!cc_within(gpa, len, 0, RIG_MEM))
		return -EFAULT;
	memcpy(to, rig->guest[guest].mem + gpa, len);
	return 0;
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	struct ringrig *rig = ctx;

	if (!cc_within(gpa, len, 0, RIG_MEM))
		return -EFAULT;
	memcpy(rig->guest[guest].mem + gpa, from, len);
	return 0;
}

/* ---- opening ---- */

void ringrig_open(struct ringrig *rig, const struct dmm_conf *conf,
		  uint64_t bps, bool real_clock)
{
	struct sim_conf card = { .mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 },
				 .wire_bps = bps };
	struct dmm_host host = {
		.ctx = rig,
		.read = host_read,
		.write = host_write,
		.pause = host_pause,
		.now = host_now,
		.reset = host_reset,
		.line = host_line,
		.report = host_report,
		.translate = host_translate,
		.read_mem = host_read_mem,
		.write_mem = host_write_mem,
	};
	char *why = NULL;
	unsigned int g;

	*rig = (struct ringrig){ .conf = *conf,
				 .due = SIM_NEVER,
				 .clock = 1,
				 .real_clock = real_clock };
	rig->model = replay_model("models/e1000.yaml");
	assert_non_null(rig->model);
	rig->conf.area.size = dmm_model_area(rig->model);
	rig->conf.area.iova = RIG_AREA;
	rig->conf.area.host = calloc(1, rig->conf.area.size);
	rig->card = calloc(1, sim_e1000.size);
	assert_non_null(rig->card);
	assert_non_null(rig->conf.area.host);
	for (g = 0; g < conf->guests; g++) {
		rig->guest[g].mem = calloc(1, RIG_MEM);
		assert_non_null(rig->guest[g].mem);
		rig->conf.guest[g].has_mac = true;
		ringrig_mac(g, rig->conf.guest[g].mac);
		if (!rig->conf.guest[g].weight)
			rig->conf.guest[g].weight = 1;
	}
	assert_int_equal(sim_e1000.init(rig->card, &card, &card_host, rig), 0);
	sim_e1000.reset(rig->card);
	sim_e1000.bus_master(rig->card, true);
	if (dmm_open(&rig->dmm, rig->model, &rig->conf, &host, &why))
		fail_msg("%s", why);
	for (g = 0; g < conf->guests; g++)
		ringrig_start(rig, g);
}

void ringrig_close(struct ringrig *rig)
{
	unsigned int g;

	dmm_close(rig->dmm);
	dmm_model_free(rig->model);
	free(rig->card);
	free(rig->conf.area.host);
	for (g = 0; g < rig->conf.guests; g++)
		free(rig->guest[g].mem);
}

/* ---- a driver ---- */

static uint32_t reg_access(struct ringrig *rig, unsigned int g, uint32_t reg,
			   uint32_t value, bool write)
{
	uint8_t data[4] = { (uint8_t)value, (uint8_t)(value >> 8),
			    (uint8_t)(value >> 16), (uint8_t)(value >> 24) };
	struct dmm_access a = {
		.off = reg, .data = data, .count = 1, .width = 4, .write = write
	};

	assert_int_equal(dmm_access(rig->dmm, g, &a), DMM_PASS);
	return (uint32_t)data[0] | (uint32_t)data[1] << 8 |
	       (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

void ringrig_write(struct ringrig *rig, unsigned int g, uint32_t reg,
		   uint32_t value)
{
	reg_access(rig, g, reg, value, true);
}

uint32_t ringrig_read(struct ringrig *rig, unsigned int g, uint32_t reg)
{
	return reg_access(rig, g, reg, 0, false);
}

static void put64(uint8_t *to, uint64_t v)
{
	memcpy(to, &v, sizeof(v));
}

void ringrig_start(struct ringrig *rig, unsigned int g)
{
	struct ringguest *guest = &rig->guest[g];
	unsigned int i;

	ringrig_write(rig, g, R_CTRL, 1u << 26);
	memset(guest->mem + RIG_TX, 0, RIG_RING * 16);
	for (i = 0; i < RIG_RING; i++) {
		put64(guest->mem + RIG_RX + i * 16, RIG_RXBUF + i * 2048);
		put64(guest->mem + RIG_RX + i * 16 + 8, 0);
	}
	guest->tail = guest->rx_next = 0;
	ringrig_write(rig, g, R_RDBAL, RIG_RX);
	ringrig_write(rig, g, R_RDLEN, RIG_RING * 16);
	ringrig_write(rig, g, R_RDH, 0);
	ringrig_write(rig, g, R_RDT, RIG_RING - 1);
	ringrig_write(rig, g, R_RCTL, 0x04008002); /* EN, BAM, SECRC */
	ringrig_write(rig, g, R_TDBAL, RIG_TX);
	ringrig_write(rig, g, R_TDLEN, RIG_RING * 16);
	ringrig_write(rig, g, R_TDH, 0);
	ringrig_write(rig, g, R_TDT, 0);
	ringrig_write(rig, g, R_TCTL, 0x0004010a);
}

bool ringrig_room(struct ringrig *rig, unsigned int g)
{
	struct ringguest *guest = &rig->guest[g];
	uint32_t next = (guest->tail + 1) % RIG_RING;
	const uint8_t *d = guest->mem + RIG_TX + next * 16;
	uint64_t w;

	memcpy(&w, d + 8, sizeof(w));
	return w == 0 || w >> 32 & 1; /* never used, or DD */
}

void ringrig_desc(struct ringrig *rig, unsigned int g, uint64_t low,
		  uint64_t high)
{
	struct ringguest *guest = &rig->guest[g];
	uint8_t *d = guest->mem + RIG_TX + guest->tail * 16;

	put64(d, low);
	put64(d + 8, high);
	guest->tail = (guest->tail + 1) % RIG_RING;
}

void ringrig_post(struct ringrig *rig, unsigned int g, const uint8_t to[6],
		  uint32_t number, size_t len)
{
	struct ringguest *guest = &rig->guest[g];
	uint32_t at = RIG_TXBUF + guest->tail * 2048;
	uint8_t *b = guest->mem + at;

	assert_true(len >= 60 && len <= 1514);
	memcpy(b, to, 6);
	ringrig_mac(g, b + 6);
	b[12] = 0x88;
	b[13] = 0xb5;
	b[14] = (uint8_t)g;
	memcpy(b + 16, &number, sizeof(number));
	memset(b + 20, (int)(number * 7 + g), len - 20);
	/* EOP, IFCS, RS */
	ringrig_desc(rig, g, at, len | UINT64_C(0x0b) << 24);
	guest->sent++;
}

void ringrig_bell(struct ringrig *rig, unsigned int g)
{
	ringrig_write(rig, g, R_TDT, rig->guest[g].tail);
}

/* One of ringrig_post()'s, whole, and the next of its sender. */
static bool is_next(struct ringguest *guest, const uint8_t *b, size_t len)
{
	uint32_t number;
	size_t i;

	memcpy(&number, b + 16, sizeof(number));
	if (b[14] >= RIG_GUESTS || guest->expect[b[14]] != number)
		return false;
	guest->expect[b[14]]++;
	for (i = 20; i < len; i++)
		if (b[i] != (uint8_t)(number * 7 + b[14]))
			return false;
	return true;
}

void ringrig_take(struct ringrig *rig, unsigned int g)
{
	struct ringguest *guest = &rig->guest[g];
	unsigned int n;

	for (n = 0; n < RIG_RING; n++) {
		uint8_t *d = guest->mem + RIG_RX + guest->rx_next * 16;
		const uint8_t *b =
			guest->mem + RIG_RXBUF + guest->rx_next * 2048;

		if (!(d[12] & 1))
			break;
		guest->received++;
		if (!is_next(guest, b, d[8] | (size_t)d[9] << 8))
			guest->bad++;
		put64(d + 8, 0);
		ringrig_write(rig, g, R_RDT, guest->rx_next);
		guest->rx_next = (guest->rx_next + 1) % RIG_RING;
	}
}

void ringrig_run(struct ringrig *rig, uint64_t ns)
{
	uint64_t end = clock_now(rig) + ns;

	do {
		card_turn(rig);
		if (rig->changed || rig->level) {
			rig->changed = false;
			dmm_interrupt(rig->dmm, rig->level);
		}
		dmm_tick(rig->dmm);
		if (rig->real_clock || rig->due <= rig->clock)
			continue;
		if (rig->due < end)
			rig->clock = rig->due;
		else
			rig->clock = end;
	} while (clock_now(rig) < end);
	card_turn(rig);
	if (rig->changed || rig->level) {
		rig->changed = false;
		dmm_interrupt(rig->dmm, rig->level);
	}
}

void ringrig_sleep(struct ringrig *rig, uint64_t ns)
{
	uint64_t end = rig->clock + ns;

	while (rig->clock < end) {
		card_turn(rig);
		rig->clock = rig->due > rig->clock && rig->due < end ?
				     rig->due :
				     end;
	}
	ringrig_run(rig, 0);
}
