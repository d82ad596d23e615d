// SPDX-License-Identifier: MIT
/*
 * ringrig.c: the drivers of ringrig.h.
 */

#include "ringrig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay.h"

void ringrig_open(struct ringrig *rig, const struct dmm_conf *conf,
		  uint64_t bps, bool real_clock)
{
	char *why = NULL;
	unsigned int g;

	*rig = (struct ringrig){ .sim = { .model = replay_model(
						  "models/e1000.yaml"),
					  .conf = *conf,
					  .clock = 1,
					  .real_clock = real_clock } };
	assert_non_null(rig->sim.model);
	if (sim_rig_open(&rig->sim, bps, &why))
		fail_msg("%s", why);
	for (g = 0; g < conf->guests; g++)
		ringrig_start(rig, g);
}

void ringrig_close(struct ringrig *rig)
{
	sim_rig_close(&rig->sim);
}

/* ---- a driver ---- */

static uint32_t reg_access(struct ringrig *rig, unsigned int g, uint32_t reg,
			   uint32_t value, bool write)
{
	assert_int_equal(sim_rig_access(&rig->sim, g, reg, &value, write),
			 DMM_PASS);
	return value;
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
	memset(rig->sim.mem[g] + RIG_TX, 0, RIG_RING * 16);
	for (i = 0; i < RIG_RING; i++) {
		put64(rig->sim.mem[g] + RIG_RX + i * 16, RIG_RXBUF + i * 2048);
		put64(rig->sim.mem[g] + RIG_RX + i * 16 + 8, 0);
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
	const uint8_t *d = rig->sim.mem[g] + RIG_TX + next * 16;
	uint64_t w;

	memcpy(&w, d + 8, sizeof(w));
	return w == 0 || w >> 32 & 1; /* never used, or DD */
}

void ringrig_desc(struct ringrig *rig, unsigned int g, uint64_t low,
		  uint64_t high)
{
	struct ringguest *guest = &rig->guest[g];
	uint8_t *d = rig->sim.mem[g] + RIG_TX + guest->tail * 16;

	put64(d, low);
	put64(d + 8, high);
	guest->tail = (guest->tail + 1) % RIG_RING;
}

void ringrig_post(struct ringrig *rig, unsigned int g, const uint8_t to[6],
		  uint32_t number, size_t len)
{
	struct ringguest *guest = &rig->guest[g];
	uint32_t at = RIG_TXBUF + guest->tail * 2048;
	uint8_t *b = rig->sim.mem[g] + at;

	assert_true(len >= 60 && len <= 1514);
	memcpy(b, to, 6);
	sim_rig_mac(g, b + 6);
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
		uint8_t *d = rig->sim.mem[g] + RIG_RX + guest->rx_next * 16;
		const uint8_t *b =
			rig->sim.mem[g] + RIG_RXBUF + guest->rx_next * 2048;

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
	struct sim_rig *sim = &rig->sim;
	uint64_t end = sim_rig_now(sim) + ns;

	do {
		sim_rig_work(sim);
		dmm_tick(sim->dmm);
		if (sim->real_clock || sim->due <= sim->clock)
			continue;
		sim->clock = sim->due < end ? sim->due : end;
	} while (sim_rig_now(sim) < end);
	sim_rig_work(sim);
}

void ringrig_sleep(struct ringrig *rig, uint64_t ns)
{
	struct sim_rig *sim = &rig->sim;
	uint64_t end = sim->clock + ns;

	while (sim->clock < end) {
		sim_rig_turn(sim);
		sim->clock = sim->due > sim->clock && sim->due < end ?
				     sim->due :
				     end;
	}
	ringrig_run(rig, 0);
}
