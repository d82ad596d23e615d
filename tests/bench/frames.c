// SPDX-License-Identifier: MIT
/*
 * frames.c: what a frame costs the monitor, where it drives a card with
 * descriptor rings (merge): frames in batches from the wire to a guest, and
 * from a guest to the wire, on the simulated 82540EM.
 *
 *   frames          nanoseconds a frame, the card and the test's driver included
 *   frames --once   one run and no clock, for callgrind (scripts/bench)
 *
 * The guest asks for the check sequence behind frames, as Linux's driver does.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../ringrig.h"

#define BATCH 32u
#define ROUNDS 100u
#define RUNS 15u
#define RUNS_QUICK 3u
#define RCTL_PLAIN 0x8002u /* EN, BAM: the check sequence is kept */

/* The wire's side: one that knows nobody, with frames of (len) bytes. */
static void from_wire(struct ringrig *rig, size_t len, uint32_t *number)
{
	uint8_t frame[1514] = { 0 };
	unsigned int i;

	sim_rig_mac(0, frame);
	memset(frame + 6, 2, 6);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	for (i = 0; i < BATCH; i++, ++*number) {
		memcpy(frame + 16, number, sizeof(*number));
		sim_e1000.receive(rig->sim.card, frame, len, 0);
	}
	ringrig_run(rig, 1000);
	ringrig_read(rig, 0, R_ICR);
	ringrig_take(rig, 0);
}

static void to_wire(struct ringrig *rig, size_t len, uint32_t *number)
{
	static const uint8_t nobody[6] = { 2, 2, 2, 2, 2, 2 };
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		ringrig_post(rig, 0, nobody, (*number)++, len);
	ringrig_bell(rig, 0);
	ringrig_run(rig, 1000);
	ringrig_read(rig, 0, R_ICR);
}

typedef void way(struct ringrig *rig, size_t len, uint32_t *number);

static double ns_a_frame(way *go, unsigned int guests, size_t len,
			 unsigned int runs)
{
	struct dmm_conf conf = { .guests = guests, .how = DMM_MERGE };
	struct timespec a, b;
	struct ringrig rig;
	uint32_t number = 0;
	double best = 0, ns;
	unsigned int i, k;

	ringrig_open(&rig, &conf, 0, false);
	for (i = 0; i < guests; i++)
		ringrig_write(&rig, i, R_RCTL, RCTL_PLAIN);
	for (i = 0; i < runs; i++) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		for (k = 0; k < ROUNDS; k++)
			go(&rig, len, &number);
		clock_gettime(CLOCK_MONOTONIC, &b);
		ns = (double)(b.tv_sec - a.tv_sec) * 1e9 +
		     (double)(b.tv_nsec - a.tv_nsec);
		if (!best || ns < best)
			best = ns;
	}
	if (go == from_wire && rig.guest[0].received != number) {
		fprintf(stderr, "frames: %llu of %u came\n",
			(unsigned long long)rig.guest[0].received, number);
		exit(1);
	}
	ringrig_close(&rig);
	return best / (ROUNDS * BATCH);
}

static void once(const char *what)
{
	size_t len = strstr(what, "60") ? 60 : 1514;
	unsigned int guests = strstr(what, "four") ? 4 : 1;

	ns_a_frame(strstr(what, "rx") ? from_wire : to_wire, guests, len, 1);
	printf("frames %u\n", ROUNDS * BATCH);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		way *go;
		size_t len;
	} rows[] = {
		{ "rx 1514 bytes", from_wire, 1514 },
		{ "rx 60 bytes", from_wire, 60 },
		{ "tx 1514 bytes", to_wire, 1514 },
		{ "tx 60 bytes", to_wire, 60 },
	};
	unsigned int runs = getenv("VPIO_BENCH_QUICK") ? RUNS_QUICK : RUNS;

	if (argc == 3 && strcmp(argv[1], "--once") == 0) {
		once(argv[2]);
		return 0;
	}
	printf("nanoseconds a frame, the best of %u runs, with the simulated "
	       "card and the test's driver:\n"
	       "                 1 guest  4 guests\n",
	       runs);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		printf("%-14s  %8.0f  %8.0f\n", rows[i].name,
		       ns_a_frame(rows[i].go, 1, rows[i].len, runs),
		       ns_a_frame(rows[i].go, 4, rows[i].len, runs));
	return 0;
}
