// SPDX-License-Identifier: MIT
/*
 * sim_drive.c: two guests, each a transmit ring in memory, on a simulated
 * 82540EM.
 */

#include "sim_drive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "models.h"
#include "sim_rig.h"
#include "why.h"

#define MODEL "e1000"
#define GUESTS 2u
#define RING 0x1000u
#define RING_LEN 64u
#define BUFFER 0x4000u
#define SWITCHES 2000u
#define ACCESSES 20000u

struct drive {
	struct sim_rig rig;
	uint32_t tail[GUESTS];
	bool odd;
};

static void access_register(struct drive *d, unsigned int g, uint32_t reg,
			    uint32_t value, bool write)
{
	d->odd |= sim_rig_access(&d->rig, g, reg, &value, write) != DMM_PASS;
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
	uint64_t w[2] = { BUFFER, 60 | UINT64_C(0x0b) << 24 };

	memcpy(d->rig.mem[g] + RING + d->tail[g] * 16, w, sizeof(w));
	d->tail[g] = (d->tail[g] + 1) % RING_LEN;
	write_register(d, g, R_TDT, d->tail[g]);
}

static void let_work(struct drive *d)
{
	sim_rig_work(&d->rig);
	(void)dmm_tick(d->rig.dmm);
}

/* Nanoseconds an access, of the best of some rounds. */
static uint64_t time_accesses(struct drive *d, uint32_t reg, uint32_t value,
			      bool write)
{
	uint64_t best = UINT64_MAX, ns;
	unsigned int i, k;

	for (k = 0; k < 5; k++) {
		ns = clock_now();
		for (i = 0; i < ACCESSES; i++)
			access_register(d, 0, reg, value, write);
		ns = clock_now() - ns;
		if (ns < best)
			best = ns;
	}
	return best / ACCESSES;
}

static int open_drive(struct drive *d, enum dmm_how how, char **why)
{
	unsigned int g;
	int err;

	d->rig = (struct sim_rig){
		.conf = { .how = how, .guests = GUESTS, .lease_ns = 1 },
		.real_clock = true
	};
	if (models_open(&d->rig.model, MODEL))
		return why_set(why, -ENOENT, "there is no model %s", MODEL);
	err = sim_rig_open(&d->rig, 0, why);
	for (g = 0; !err && g < GUESTS; g++) {
		memset(d->rig.mem[g] + BUFFER, 0xff, 6);
		sim_rig_mac(g, d->rig.mem[g] + BUFFER + 6);
	}
	return err;
}

int sim_drive(enum dmm_how how, struct sim_drive_costs *out, char **why)
{
	struct drive d = { .odd = false };
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
		dmm_stats(d.rig.dmm, &stats);
		out->switches = stats.switches;
		out->switch_ns = stats.switch_ns_median;
		out->access_ns = time_accesses(&d, R_STATUS, 0, false);
		out->step_ns = time_accesses(&d, R_TDT, d.tail[0], true);
		if (d.odd || d.rig.reports)
			err = why_set(why, -EIO,
				      "a driver of a simulated card was "
				      "refused");
	}
	sim_rig_close(&d.rig);
	return err;
}
