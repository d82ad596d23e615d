/* SPDX-License-Identifier: MIT */
/*
 * test_trace.c: a stock Linux driver's recorded session with an NE2000 against
 * the monitor: how few accesses step the model, that none is refused, and that
 * the driver reads on a shared card what it read on its own.
 *
 * Usage: test_trace [DIRECTORY of the traces]; without them it skips.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay.h"
#include "vmm/sim_ne2k.h"

/* What the trace holds; test_qlog.c counts the same in another way. */
#define ACCESSES 218052
#define SENDS 350
#define RECEIVED 458
#define RECEIVED_BYTES 512021

#define FRAMES_MAX 512

static const char *traces = "traces";
static struct trace trace;
static struct dmm_model *model;

/* ---- the device is the trace ---- */

static void print_paths(const char *what, const struct dmm_guest_stats *s,
			const struct dmm_stats *d)
{
	uint64_t sum = 0, hooks = s->accesses[DMM_HOOK];
	int p;

	for (p = 0; p < DMM_PATHS; p++)
		sum += s->accesses[p];
	print_message("# %s: %llu accesses:", what, (unsigned long long)sum);
	for (p = 0; p < DMM_PATHS; p++)
		if (s->accesses[p])
			print_message(" %s %llu",
				      dmm_path_name((enum dmm_path)p),
				      (unsigned long long)s->accesses[p]);
	print_message("\n# %s: %llu steps; hooked 1 in %.1f, latched 1 in "
		      "%.1f\n",
		      what, (unsigned long long)d->steps,
		      (double)sum / (double)(hooks ? hooks : 1),
		      (double)sum / (double)(s->accesses[DMM_LATCH] ?
						     s->accesses[DMM_LATCH] :
						     1));
}

static void test_echo(void **state)
{
	struct dmm_guest_stats s;
	struct dmm_stats d;
	struct echo e;
	uint64_t value, steps = 0;
	size_t i;

	(void)state;
	if (!trace.n)
		skip();
	assert_int_equal(echo_open(&e, model), 0);
	for (i = 0; i < trace.n; i++) {
		echo_before(&e, &trace.access[i]);
		assert_int_equal(echo_access(&e, &trace.access[i], &value),
				 DMM_PASS);
		echo_after(&e, &trace.access[i]);
	}
	dmm_guest_stats(e.dmm, 0, &s);
	dmm_stats(e.dmm, &d);
	print_paths("exclusive", &s, &d);
	assert_int_equal(s.violations, 0);
	assert_int_equal(e.reports, 0);
	assert_int_equal(s.frames_sent, SENDS);
	assert_int_equal(s.frames_received, RECEIVED);
	assert_int_equal(s.bytes_received, RECEIVED_BYTES);
	assert_true(s.accesses[DMM_HOOK] * 100 <= trace.n);
	steps = d.steps;
	assert_true(steps * 100 <= trace.n);
	echo_close(&e);
}

/* ---- the device is a simulated one ---- */

/* The frames that the recorded driver took from its ring, in order. */
static struct frame {
	uint8_t page; /* where it began */
	uint16_t len;
	uint8_t bytes[SIM_FRAME_MAX];
} frames[FRAMES_MAX];
static size_t n_frames;

/* Reads the trace as the card's bytes came: whose they are is by address. */
struct gather {
	uint8_t page;
	uint16_t at, count; /* RSAR, RBCR */
	uint16_t have, want; /* of the frame at hand */
	uint8_t header[4];
	struct frame *frame;
};

static void gather_write(struct gather *g, unsigned int off, uint8_t v)
{
	if (off == NE2K_CR)
		g->page = v >> 6;
	if (g->page)
		return;
	switch (off) {
	case P0_RSAR0:
		g->at = (uint16_t)((g->at & 0xff00) | v);
		break;
	case P0_RSAR1:
		g->at = (uint16_t)((g->at & 0xff) | v << 8);
		break;
	case P0_RBCR0:
		g->count = (uint16_t)((g->count & 0xff00) | v);
		break;
	case P0_RBCR1:
		g->count = (uint16_t)((g->count & 0xff) | v << 8);
		break;
	case NE2K_CR:
		g->frame = NULL;
		if ((v & CR_RD) != CR_RD_READ || g->at < NE2K_RAM)
			break;
		if (g->count == 4 && !(g->at & 0xff)) {
			g->have = 0;
			g->want = 4;
		} else if (n_frames < FRAMES_MAX &&
			   g->at == (g->frame = &frames[n_frames])->page << 8
					    | 4) {
			n_frames++;
		}
		break;
	}
}
