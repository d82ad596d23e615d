// SPDX-License-Identifier: MIT
/*
 * sim_drive.c: two guests, each a transmit ring in memory, on a simulated
 * 82540EM.
 */

#include "sim_drive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "models.h"
#include "sim_e1000.h"
#include "why.h"

#define MODEL "e1000"
#define GUESTS 2u
#define MEMORY 0x20000u
#define RING 0x1000u
#define RING_LEN 64u
#define BUFFER 0x4000u
#define AREA UINT64_C(0x1000000) /* device addresses */
#define GUEST(g) (UINT64_C(0x2000000) + (uint64_t)(g)*0x100000)
#define SWITCHES 2000u
#define ACCESSES 20000u

struct guest {
	uint8_t *mem;
	uint32_t tail;
};

struct drive {
	struct dmm_model *model;
	struct dmm *dmm;
	struct dmm_area area;
	void *card;
	struct guest guest[GUESTS];
	uint64_t due;
	bool level, changed, odd;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- the card's surroundings ---- */

static void card_transmit(void *ctx, const uint8_t *frame, size_t len)
{
	(void)ctx;
	(void)frame;
	(void)len;
}

static void card_irq(void *ctx, bool level)
{
	struct drive *d = ctx;

	d->level = level;
	d->changed = true;
}

static uint64_t card_now(void *ctx)
{
	(void)ctx;
	return now_ns();
}

static void card_arm(void *ctx, uint64_t at_ns)
{
	((struct drive *)ctx)->due = at_ns;
}

static uint8_t *reach(struct drive *d, uint64_t addr, size_t len)
{
	unsigned int g;

	if (cc_within(addr, len, AREA, d->area.size))
		return d->area.host + (addr - AREA);
	for (g = 0; g < GUESTS; g++)
		if (cc_within(addr, len, GUEST(g), MEMORY))
			return d->guest[g].mem + (addr - GUEST(g));
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
	return sim_e1000.read(((struct drive *)ctx)->card, space, off, width);
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	sim_e1000.write(((struct drive *)ctx)->card, space, off, width, value);
}

static void card_turn(struct drive *d)
{
	while (d->due <= now_ns()) {
		d->due = SIM_NEVER;
		sim_e1000.run(d->card);
	}
}

static void host_pause(void *ctx, uint64_t ns)
{
	(void)ns;
	card_turn(ctx);
}

static uint64_t host_now(void *ctx)
{
	(void)ctx;
	return now_ns();
}

static int host_reset(void *ctx)
{
	sim_e1000.reset(((struct drive *)ctx)->card);
	return 0;
}

static void host_report(void *ctx, const struct dmm_report *report)
{
	(void)report;
	((struct drive *)ctx)->odd = true;
}

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	(void)ctx;
	*iova = GUEST(guest) + gpa;
	return cc_within(gpa, len, 0, MEMORY) ? 0 : -EFAULT;
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	struct drive *d = ctx;

	if (!cc_within(gpa, len, 0, MEMORY))
		return -EFAULT;
	memcpy(to, d->guest[guest].mem + gpa, len);
	return 0;
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	struct drive *d = ctx;

	if (!cc_within(gpa, len, 0, MEMORY))
		return -EFAULT;
	memcpy(d->guest[guest].mem + gpa, from, len);
	return 0;
}

static const struct dmm_host host_of_drive = {
	.read = host_read,
	.write = host_write,
	.pause = host_pause,
	.now = host_now,
	.reset = host_reset,
	.report = host_report,
	.translate = host_translate,
	.read_mem = host_read_mem,
	.write_mem = host_write_mem,
};

/* ---- a driver ---- */

static void access_register(struct drive *d, unsigned int g, uint32_t reg,
			    uint32_t value, bool write)
{
	uint8_t data[8];
	struct dmm_access a = {
		.off = reg, .data = data, .count = 1, .width = 4, .write = write
	};

	memcpy(data, &value, sizeof(value));
	d->odd |= dmm_access(d->dmm, g, &a) != DMM_PASS;
}

static void write_register(struct drive *d, unsigned int g, uint32_t reg,
			   uint32_t value)
{
	access_register(d, g, reg, value, true);
}

static void start(struct drive *d, unsigned int g)
{
	write_register(d, g, R_TDBAL, RING);
	write_register(d, g, R_TDLEN, RING_LEN * 16);
	write_register(d, g, R_TDH, 0);
	write_register(d, g, R_TDT, 0);
	write_register(d, g, R_TCTL, 0x0004010a);
}

/* A frame of 60 bytes: EOP, IFCS, RS; SDM 3.3.3. */
static void send(struct drive *d, unsigned int g)
{
	struct guest *guest = &d->guest[g];
	uint64_t w[2] = { BUFFER, 60 | UINT64_C(0x0b) << 24 };

	memcpy(guest->mem + RING + guest->tail * 16, w, sizeof(w));
	guest->tail = (guest->tail + 1) % RING_LEN;
	write_register(d, g, R_TDT, guest->tail);
}

static void let_work(struct drive *d)
{
	card_turn(d);
	if (d->changed || d->level) {
		d->changed = false;
		dmm_interrupt(d->dmm, d->level);
	}
	(void)dmm_tick(d->dmm);
}

/* Nanoseconds an access, of the best of some rounds. */
static uint64_t time_accesses(struct drive *d, uint32_t reg, uint32_t value,
			      bool write)
{
	uint64_t best = UINT64_MAX, ns;
	unsigned int i, k;

	for (k = 0; k < 5; k++) {
		ns = now_ns();
		for (i = 0; i < ACCESSES; i++)
			access_register(d, 0, reg, value, write);
		ns = now_ns() - ns;
		if (ns < best)
			best = ns;
	}
	return best / ACCESSES;
}

static int open_drive(struct drive *d, enum dmm_how how, char **why)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 0, 0, 0x0a };
	struct sim_conf card = { .mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } };
	struct dmm_conf conf = { .how = how, .guests = GUESTS, .lease_ns = 1 };
	struct dmm_host host = host_of_drive;
	unsigned int g;

	if (models_open(&d->model, MODEL))
		return why_set(why, -ENOENT, "there is no model %s", MODEL);
	host.ctx = d;
	d->due = SIM_NEVER;
	d->card = xcalloc(1, sim_e1000.size);
	conf.area.size = dmm_model_area(d->model);
	conf.area.iova = AREA;
	conf.area.host = xcalloc(1, conf.area.size);
	d->area = conf.area;
	for (g = 0; g < GUESTS; g++) {
		d->guest[g].mem = xcalloc(1, MEMORY);
		memcpy(conf.guest[g].mac, mac, 6);
		conf.guest[g].mac[5] = (uint8_t)(mac[5] + g);
		conf.guest[g].has_mac = true;
		conf.guest[g].weight = 1;
		memset(d->guest[g].mem + BUFFER, 0xff, 6);
		memcpy(d->guest[g].mem + BUFFER + 6, conf.guest[g].mac, 6);
	}
	if (sim_e1000.init(d->card, &card, &card_host, d))
		return why_set(why, -EIO, "no simulated card");
	sim_e1000.reset(d->card);
	sim_e1000.bus_master(d->card, true);
	return dmm_open(&d->dmm, d->model, &conf, &host, why);
}

static void close_drive(struct drive *d)
{
	unsigned int g;

	dmm_close(d->dmm);
	dmm_model_free(d->model);
	free(d->card);
	free(d->area.host);
	for (g = 0; g < GUESTS; g++)
		free(d->guest[g].mem);
}

int sim_drive(enum dmm_how how, struct sim_drive_costs *out, char **why)
{
	struct drive d = { .dmm = NULL };
	struct dmm_stats stats;
	unsigned int i, k;
	int err = open_drive(&d, how, why);

	for (i = 0; !err && i < GUESTS; i++)
		start(&d, i);
	for (i = 0; !err && i < SWITCHES; i++) {
		send(&d, i % GUESTS);
		for (k = 0; k < 3; k++)
			let_work(&d);
	}
	if (!err) {
		dmm_stats(d.dmm, &stats);
		out->switches = stats.switches;
		out->switch_ns = stats.switch_ns_median;
		out->access_ns = time_accesses(&d, R_STATUS, 0, false);
		out->step_ns = time_accesses(&d, R_TDT, d.guest[0].tail, true);
		if (d.odd)
			err = why_set(why, -EIO,
				      "a driver of a simulated card was "
				      "refused");
	}
	close_drive(&d);
	return err;
}
