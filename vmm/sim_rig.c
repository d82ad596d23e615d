// SPDX-License-Identifier: MIT
/*
 * sim_rig.c: the guests' memory, the card's surroundings, the monitor's host.
 */

#include "sim_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "why.h"

void sim_rig_mac(unsigned int g, uint8_t mac[6])
{
	const uint8_t base[6] = { 0x52, 0x54, 0x00, 0x00, 0x00, 0x0a };

	memcpy(mac, base, 6);
	mac[5] = (uint8_t)(mac[5] + g);
}

uint64_t sim_rig_now(const struct sim_rig *rig)
{
	return rig->real_clock ? clock_now() : rig->clock;
}

/* ---- the card's surroundings ---- */

static void card_transmit(void *ctx, const uint8_t *frame, size_t len)
{
	struct sim_rig *rig = ctx;

	if (rig->transmit)
		rig->transmit(rig->ctx, frame, len);
}

static void card_irq(void *ctx, bool level)
{
	struct sim_rig *rig = ctx;

	rig->level = level;
	rig->changed = true;
}

static uint64_t card_now(void *ctx)
{
	return sim_rig_now(ctx);
}

static void card_arm(void *ctx, uint64_t at_ns)
{
	((struct sim_rig *)ctx)->due = at_ns;
}

/* Device addresses to memory; NULL: nothing is there. */
static uint8_t *reach(struct sim_rig *rig, uint64_t addr, size_t len)
{
	unsigned int g;

	if (cc_within(addr, len, SIM_RIG_AREA, rig->conf.area.size))
		return rig->conf.area.host + (addr - SIM_RIG_AREA);
	for (g = 0; g < rig->conf.guests; g++)
		if (cc_within(addr, len, SIM_RIG_GUEST(g), SIM_RIG_MEM))
			return rig->mem[g] + (addr - SIM_RIG_GUEST(g));
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
	return sim_e1000.read(((struct sim_rig *)ctx)->card, space, off, width);
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	sim_e1000.write(((struct sim_rig *)ctx)->card, space, off, width,
			value);
}

void sim_rig_turn(struct sim_rig *rig)
{
	while (rig->due <= sim_rig_now(rig)) {
		rig->due = SIM_NEVER;
		sim_e1000.run(rig->card);
	}
}

static void host_pause(void *ctx, uint64_t ns)
{
	struct sim_rig *rig = ctx;

	rig->clock += ns;
	sim_rig_turn(rig);
}

static int host_reset(void *ctx)
{
	sim_e1000.reset(((struct sim_rig *)ctx)->card);
	return 0;
}

static void host_report(void *ctx, const struct dmm_report *r)
{
	struct sim_rig *rig = ctx;

	rig->reports++;
	rig->last = *r;
}

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	(void)ctx;
	*iova = SIM_RIG_GUEST(guest) + gpa;
	return cc_within(gpa, len, 0, SIM_RIG_MEM) ? 0 : -EFAULT;
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	struct sim_rig *rig = ctx;

	if (!cc_within(gpa, len, 0, SIM_RIG_MEM))
		return -EFAULT;
	memcpy(to, rig->mem[guest] + gpa, len);
	return 0;
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	struct sim_rig *rig = ctx;

	if (!cc_within(gpa, len, 0, SIM_RIG_MEM))
		return -EFAULT;
	memcpy(rig->mem[guest] + gpa, from, len);
	return 0;
}

static const struct dmm_host host_of_rig = {
	.read = host_read,
	.write = host_write,
	.pause = host_pause,
	.now = card_now,
	.reset = host_reset,
	.report = host_report,
	.translate = host_translate,
	.read_mem = host_read_mem,
	.write_mem = host_write_mem,
};

/* ---- open, use, close ---- */

int sim_rig_open(struct sim_rig *rig, uint64_t bps, char **why)
{
	const struct sim_conf card = {
		.mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, .wire_bps = bps
	};
	struct dmm_host host = host_of_rig;
	struct dmm_conf *c = &rig->conf;
	unsigned int g;

	host.ctx = rig;
	rig->due = SIM_NEVER;
	c->area.size = dmm_model_area(rig->model);
	c->area.iova = SIM_RIG_AREA;
	c->area.host = xcalloc(1, c->area.size);
	for (g = 0; g < c->guests; g++) {
		rig->mem[g] = xcalloc(1, SIM_RIG_MEM);
		sim_rig_mac(g, c->guest[g].mac);
		c->guest[g].has_mac = true;
		if (!c->guest[g].weight)
			c->guest[g].weight = 1;
	}
	rig->card = xcalloc(1, sim_e1000.size);
	if (sim_e1000.init(rig->card, &card, &card_host, rig))
		return why_set(why, -EIO, "no simulated card");
	sim_e1000.reset(rig->card);
	sim_e1000.bus_master(rig->card, true);
	return dmm_open(&rig->dmm, rig->model, c, &host, why);
}

void sim_rig_close(struct sim_rig *rig)
{
	unsigned int g;

	dmm_close(rig->dmm);
	dmm_model_free(rig->model);
	free(rig->card);
	free(rig->conf.area.host);
	for (g = 0; g < rig->conf.guests; g++)
		free(rig->mem[g]);
}

enum dmm_verdict sim_rig_access(struct sim_rig *rig, unsigned int g,
				uint32_t reg, uint32_t *value, bool write)
{
	uint8_t data[4];
	struct dmm_access a = {
		.off = reg, .data = data, .count = 1, .width = 4, .write = write
	};
	enum dmm_verdict v;

	memcpy(data, value, sizeof(data));
	v = dmm_access(rig->dmm, g, &a);
	memcpy(value, data, sizeof(data));
	return v;
}

void sim_rig_work(struct sim_rig *rig)
{
	sim_rig_turn(rig);
	if (!rig->changed && !rig->level)
		return;
	rig->changed = false;
	dmm_interrupt(rig->dmm, rig->level);
}
