// SPDX-License-Identifier: MIT
/*
 * test_rxring.c: frames from the wire into a guest's ring of descriptors: how
 * long its buffers are, and when it is told.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../dmm/mon.h"
#include "ringrig.h"
#include "vmm/file.h"

#define MODEL "models/e1000.yaml"
#define LAYOUTS                                                      \
	"all: { buffer: ADDR, length: \"RCTL.LPE || rxBuf < 1522 ? " \
	"rxBuf : 1522\" }"
#define UNTOUCHED 0xee

static struct ringrig rig;
static unsigned int early, frames;

/* The model, with other words where it says what a buffer is. */
static struct dmm_model *model_with(const char *layouts)
{
	struct dmm_model *model = NULL;
	char *text, *why, *at, other[1 << 15];
	struct diag diag;
	size_t len;

	assert_int_equal(file_read(MODEL, sizeof(other), &text, &len, &why), 0);
	at = strstr(text, LAYOUTS);
	assert_non_null(at);
	len = (size_t)snprintf(other, sizeof(other), "%.*s%s%s",
			       (int)(at - text), text, layouts,
			       at + strlen(LAYOUTS));
	assert_true(len < sizeof(other));
	diag_init(&diag, MODEL);
	assert_int_equal(dmm_model_parse(&model, other, len, &diag), 0);
	diag_fini(&diag);
	free(text);
	return model;
}

static void open_rig(const char *layouts)
{
	char *why = NULL;

	rig = (struct ringrig){ .sim = { .model = model_with(layouts),
					 .conf = { .how = DMM_MERGE,
						   .guests = 1 },
					 .clock = 1 } };
	if (sim_rig_open(&rig.sim, 0, &why))
		fail_msg("%s", why);
	ringrig_start(&rig, 0);
	memset(rig.sim.mem[0] + RIG_RXBUF, UNTOUCHED, 8 * 2048);
}

/* (n) frames of (len) bytes come, and the card tells of them all at once. */
static void come(unsigned int n, size_t len)
{
	uint8_t frame[1514] = { 0 };
	size_t i;

	sim_rig_mac(0, frame);
	for (i = 6; i < len; i++)
		frame[i] = (uint8_t)(i % 199);
	frame[6] = 2;
	while (n--)
		sim_e1000.receive(rig.sim.card, frame, len, 0);
	ringrig_run(&rig, 1000);
}

/* Descriptor (i) has (len) bytes of a frame, from its byte (from) on. */
static void holds(unsigned int i, size_t len, size_t from, bool end)
{
	const uint8_t *d = rig.sim.mem[0] + RIG_RX + i * 16;
	const uint8_t *b = rig.sim.mem[0] + RIG_RXBUF + i * 2048;
	size_t k;

	assert_int_equal(d[8] | d[9] << 8, len);
	assert_int_equal(d[12] & 3, end ? 3 : 1); /* DD, EOP */
	for (k = from < 7 ? 7 - from : 0; k < len; k++)
		assert_int_equal(b[k], (from + k) % 199);
	assert_int_equal(b[len], UNTOUCHED);
}

/* The second descriptor alone says so. */
static void of_512(const char *layouts)
{
	open_rig(layouts);
	rig.sim.mem[0][RIG_RX + 16 + 14] = 7;
	come(2, 1000);
	holds(0, 1000, 0, true);
	holds(1, 512, 0, false);
	holds(2, 488, 512, true);
	assert_int_equal(rig.sim.reports, 0);
	sim_rig_close(&rig.sim);
}

/* By registers all are alike; by a field each is what it says. */
static void lengths(void **state)
{
	(void)state;
	open_rig(LAYOUTS);
	come(1, 1000);
	holds(0, 1000, 0, true);
	ringrig_write(&rig, 0, R_RCTL, 0x04038002); /* of 256 bytes */
	come(1, 600);
	holds(1, 256, 0, false);
	holds(2, 256, 256, false);
	holds(3, 88, 512, true);
	sim_rig_close(&rig.sim);
	of_512("all: { buffer: ADDR, length: \"SPECIAL == 7 ? 512 : 2048\" }");
	of_512("few: { when: SPECIAL == 7, buffer: ADDR, length: 512 }, "
	       "all: { buffer: ADDR, length: 2048 }");
}

static void on_frame(void *ctx, unsigned int guest, bool sent,
		     const uint8_t *bytes, size_t len)
{
	(void)ctx, (void)sent, (void)bytes, (void)len;
	frames++;
	early += rig.sim.dmm->guest[guest].line;
}

/* One interrupt for what came together, and behind the last of it. */
static void told_once(void **state)
{
	(void)state;
	open_rig(LAYOUTS);
	rig.sim.dmm->host.frame = on_frame;
	ringrig_write(&rig, 0, R_IMS, 0x80); /* RXT0 */
	come(4, 100);
	assert_int_equal(frames, 4);
	assert_int_equal(early, 0);
	assert_true(rig.sim.dmm->guest[0].line);
	holds(3, 100, 0, true);
	sim_rig_close(&rig.sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test(told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
