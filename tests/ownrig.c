// SPDX-License-Identifier: MIT
/*
 * ownrig.c: see ownrig.h.  The part is written from the Am79C970A data sheet,
 * as far as the monitor uses it: word I/O, SWSTYLE 2.
 */

#include "ownrig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

#define OWN 0x80000000u /* of a descriptor's second word */
#define STP 0x02000000u
#define ENP 0x01000000u
#define CAUSES 0x7f00u
#define FCS 4u

/* ---- the part ---- */

static uint8_t *dma(struct ownrig *rig, uint64_t at, uint64_t len)
{
	unsigned int g;

	if (cc_within(at, len, OWN_AREA, rig->conf.area.size))
		return rig->conf.area.host + (at - OWN_AREA);
	for (g = 0; g < OWN_GUESTS; g++)
		if (cc_within(at, len, OWN_GUEST(g), OWN_MEM))
			return rig->mem[g] + (at - OWN_GUEST(g));
	rig->faults++;
	return NULL;
}

static void initialize(struct ownrig *rig)
{
	uint64_t at = rig->csr[1] | (uint64_t)rig->csr[2] << 16;
	uint8_t *p = dma(rig, at, 28);
	uint32_t w[7] = { 0 };

	if (p)
		memcpy(w, p, sizeof(w));
	rig->csr[15] = (uint16_t)w[0];
	rig->rx_count = 1u << (w[0] >> 20 & 15);
	rig->tx_count = 1u << (w[0] >> 28 & 15);
	rig->rx_base = w[5];
	rig->tx_base = w[6];
	rig->rx_at = rig->tx_at = 0;
	rig->csr[0] = (uint16_t)((rig->csr[0] & ~4u) | 0x101);
}

static uint32_t *next(struct ownrig *rig, uint64_t base, uint32_t at)
{
	uint32_t *d = (uint32_t *)(void *)dma(rig, base + at * 16u, 16);

	return d && d[1] & OWN ? d : NULL;
}

static void transmit(struct ownrig *rig)
{
	uint32_t *d, n = 0, len = 0;
	uint8_t *p;

	while (n++ < 2 * rig->tx_count &&
	       (d = next(rig, rig->tx_base, rig->tx_at))) {
		uint32_t count = 4096 - (d[1] & 0xfff);

		if (d[1] & STP)
			len = 0;
		p = dma(rig, d[0], count);
		if (p && len + count <= OWN_FRAME)
			memcpy(rig->frame + len, p, count);
		len += count;
		if (d[1] & ENP) {
			rig->sent++;
			rig->len = len;
		}
		rig->torn += !(d[1] & ENP) &&
			     !next(rig, rig->tx_base,
				   (rig->tx_at + 1) % rig->tx_count);
		d[1] &= ~OWN;
		rig->tx_at = (rig->tx_at + 1) % rig->tx_count;
		rig->csr[0] |= 0x200;
	}
}

void ownrig_work(struct ownrig *rig)
{
	if (rig->csr[0] & 2)
		transmit(rig);
	dmm_interrupt(rig->dmm, rig->csr[0] & CAUSES && rig->csr[0] & 0x40);
}

void ownrig_receive(struct ownrig *rig, const uint8_t *frame, size_t len)
{
	uint32_t *d = next(rig, rig->rx_base, rig->rx_at);
	uint8_t *p = d ? dma(rig, d[0], 4096 - (d[1] & 0xfff)) : NULL;

	if (!p || len + FCS > 4096 - (d[1] & 0xfff))
		return;
	memcpy(p, frame, len);
	memset(p + len, 0xee, FCS);
	d[2] = (uint32_t)(len + FCS);
	d[1] = (d[1] & 0xffff) | STP | ENP;
	rig->rx_at = (rig->rx_at + 1) % rig->rx_count;
	rig->csr[0] |= 0x400;
	dmm_interrupt(rig->dmm, true);
}

static void write_csr0(struct ownrig *rig, uint16_t v)
{
	uint16_t now = rig->csr[0] & (uint16_t) ~(v & CAUSES);

	rig->csr[0] = (uint16_t)((now & ~0x40u) | (v & 0x40));
	if (v & 4) {
		rig->csr[0] = 4;
		return;
	}
	if (v & 1)
		initialize(rig);
	if (v & 2)
		rig->csr[0] = (uint16_t)((rig->csr[0] & ~4u) | 2);
	if (v & 8 && !rig->idle && rig->csr[0] & 2)
		transmit(rig);
}

/* ---- the host ---- */

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	struct ownrig *rig = ctx;

	(void)space, (void)width;
	if (off == 0x10)
		return rig->csr[rig->rap & 127];
	return off == 0x12 ? rig->rap : 0;
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct ownrig *rig = ctx;

	(void)space, (void)width;
	if (off == 0x12)
		rig->rap = (uint16_t)value;
	else if (off == 0x10 && rig->rap == 0)
		write_csr0(rig, (uint16_t)value);
	else if (off == 0x10)
		rig->csr[rig->rap & 127] = (uint16_t)value;
	else
		rig->strange++;
}

static int host_reset(void *ctx)
{
	struct ownrig *rig = ctx;

	memset(rig->csr, 0, sizeof(rig->csr));
	rig->csr[0] = 4;
	rig->rap = 0;
	return 0;
}

static void host_pause(void *ctx, uint64_t ns)
{
	((struct ownrig *)ctx)->clock += ns;
}

static uint64_t host_now(void *ctx)
{
	return ((struct ownrig *)ctx)->clock;
}

static void host_line(void *ctx, unsigned int guest, bool level)
{
	((struct ownrig *)ctx)->line[guest] = level;
}

static void host_due(void *ctx, uint64_t at_ns)
{
	struct ownrig *rig = ctx;

	if (at_ns < rig->due)
		rig->due = at_ns;
}

static void host_report(void *ctx, const struct dmm_report *r)
{
	struct ownrig *rig = ctx;

	rig->last = *r;
	rig->reports++;
}

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	*iova = OWN_GUEST(guest) + ((struct ownrig *)ctx)->far + gpa;
	return cc_within(gpa, len, 0, OWN_MEM) ? 0 : -EFAULT;
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	struct ownrig *rig = ctx;

	if (!cc_within(gpa, len, 0, OWN_MEM))
		return -EFAULT;
	rig->watched += cc_within(gpa, len, rig->watch, rig->watch_len);
	memcpy(to, rig->mem[guest] + gpa, len);
	return 0;
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	struct ownrig *rig = ctx;

	if (!cc_within(gpa, len, 0, OWN_MEM))
		return -EFAULT;
	memcpy(rig->mem[guest] + gpa, from, len);
	return 0;
}

static const struct dmm_host host = {
	.read = host_read,
	.write = host_write,
	.pause = host_pause,
	.now = host_now,
	.reset = host_reset,
	.line = host_line,
	.due = host_due,
	.report = host_report,
	.translate = host_translate,
	.read_mem = host_read_mem,
	.write_mem = host_write_mem,
};

/* ---- opening ---- */

int ownrig_try(struct ownrig *rig, enum dmm_how how, unsigned int guests,
	       uint64_t area)
{
	struct dmm_host h = host;
	struct dmm_model *model = rig->model;
	char *why = NULL;
	unsigned int g;
	int err;

	*rig = (struct ownrig){ .model = model, .clock = 1, .due = UINT64_MAX };
	if (!rig->model)
		rig->model = replay_model("models/pcnet.yaml");
	if (!rig->model)
		abort();
	rig->conf = (struct dmm_conf){ .how = how,
				       .antispoof = true,
				       .guests = guests };
	for (g = 0; g < guests; g++)
		rig->conf.guest[g] = (struct dmm_guest_conf){
			.mac = { 0x52, 0x54, 0, 0, 0, (uint8_t)(0xa0 + g) },
			.has_mac = true,
			.weight = 1
		};
	rig->conf.area.size = dmm_model_area(rig->model);
	rig->conf.area.iova = area;
	rig->conf.area.host = calloc(1, rig->conf.area.size);
	h.ctx = rig;
	host_reset(rig);
	if (!rig->conf.area.host)
		abort();
	err = dmm_open(&rig->dmm, rig->model, &rig->conf, &h, &why);
	if (err)
		free(rig->conf.area.host);
	free(why);
	return err;
}

void ownrig_open(struct ownrig *rig, unsigned int guests)
{
	if (ownrig_try(rig, DMM_MERGE, guests, OWN_AREA))
		abort();
}

void ownrig_close(struct ownrig *rig)
{
	dmm_close(rig->dmm);
	rig->dmm = NULL;
	free(rig->conf.area.host);
}

uint64_t ownrig_access(struct ownrig *rig, unsigned int g, uint64_t off,
		       unsigned int width, bool write, uint64_t value)
{
	uint8_t data[8];
	struct dmm_access a = { .off = off,
				.data = data,
				.count = 1,
				.width = (uint8_t)width,
				.write = write,
				.vcpu = g };

	memcpy(data, &value, sizeof(data));
	(void)dmm_access(rig->dmm, g, &a);
	memcpy(&value, data, sizeof(value));
	return value & cc_ones(8 * width);
}

uint16_t ownrig_csr(struct ownrig *rig, unsigned int g, unsigned int n)
{
	ownrig_access(rig, g, 0x12, 2, true, n);
	return (uint16_t)ownrig_access(rig, g, 0x10, 2, false, 0);
}

void ownrig_set(struct ownrig *rig, unsigned int g, unsigned int n,
		uint32_t value)
{
	ownrig_access(rig, g, 0x12, 2, true, n);
	ownrig_access(rig, g, 0x10, 2, true, value);
}

void ownrig_set32(struct ownrig *rig, unsigned int g, unsigned int n,
		  uint32_t value)
{
	ownrig_set(rig, g, n, value & 0xffff);
	ownrig_set(rig, g, n + 1, value >> 16);
}

void ownrig_style(struct ownrig *rig, unsigned int g, unsigned int style)
{
	ownrig_access(rig, g, 0x12, 2, true, 20);
	ownrig_access(rig, g, 0x16, 2, true, style);
}

void ownrig_wait(struct ownrig *rig, uint64_t ns)
{
	uint64_t end = rig->clock + ns;

	while (rig->due <= end) {
		rig->clock = rig->due > rig->clock ? rig->due : rig->clock + 1;
		rig->due = UINT64_MAX;
		rig->due = dmm_tick(rig->dmm);
	}
	rig->clock = end;
}
