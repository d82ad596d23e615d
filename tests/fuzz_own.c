// SPDX-License-Identifier: MIT
/*
 * fuzz_own.c: two guests that do what the input says on a part whose rings are
 * found through a block in memory (ownrig.h): any register, any bytes in
 * memory, frames and time in between.
 *
 * Whatever they do, the part touches only what is shared with it, never finds
 * a frame without its end, and what it sends comes from one of the two.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ownrig.h"

#define STEPS_MAX 400u

static struct ownrig rig;

struct input {
	const uint8_t *at, *end;
};

static uint32_t take(struct input *in, unsigned int n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | (in->at < in->end ? *in->at++ : 0u);
	return v;
}

static void must(bool true_, const char *what)
{
	if (true_)
		return;
	fprintf(stderr, "fuzz_own: %s\n", what);
	abort();
}

static void put(unsigned int g, uint32_t at, uint32_t v)
{
	memcpy(rig.mem[g] + at % (OWN_MEM - 4), &v, sizeof(v));
}

/* Rings of 8, given buffers, and frames with its own source. */
static void begin(unsigned int g, unsigned int style)
{
	const uint8_t *mac = rig.conf.guest[g].mac;
	uint32_t i;

	ownrig_style(&rig, g, style);
	put(g, 0x100, 3u << 20 | 3u << 28);
	memcpy(rig.mem[g] + 0x104, mac, 6);
	put(g, 0x114, 0x2000);
	put(g, 0x118, 0x1000);
	for (i = 0; i < 8; i++) {
		put(g, 0x2000 + 16 * i, 0x8000 + 0x800 * i);
		put(g, 0x2004 + 16 * i, 0x8000f800);
		memcpy(rig.mem[g] + 0x4000 + 0x800 * i + 6, mac, 6);
	}
	ownrig_set32(&rig, g, 1, 0x100);
	ownrig_set(&rig, g, 0, 0x43);
}

static void give(unsigned int g, uint32_t i, uint32_t len, uint32_t flags)
{
	put(g, 0x1000 + 16 * (i % 8), 0x4000 + 0x800 * (i % 8));
	put(g, 0x1004 + 16 * (i % 8),
	    0xf000 | ((4096 - len % 2048) & 0xfff) | flags << 24);
}

static void hear(unsigned int g, uint32_t len)
{
	uint8_t frame[1600] = { 0 };

	memcpy(frame, rig.conf.guest[g].mac, 6);
	ownrig_receive(&rig, frame, 14 + len % 1500);
}

static void step(struct input *in)
{
	uint32_t op = take(in, 1), g = op >> 7, v;

	switch (op & 15) {
	case 0:
		v = take(in, 1);
		ownrig_set(&rig, g, v, take(in, 2));
		break;
	case 1:
		ownrig_style(&rig, g, take(in, 1));
		break;
	case 2:
		v = take(in, 2);
		ownrig_access(&rig, g, v & 0x3f, 1u << (v >> 6 & 3), v >> 8 & 1,
			      take(in, 4));
		break;
	case 3:
		v = take(in, 2);
		put(g, v, take(in, 4));
		break;
	case 4:
		hear(g, take(in, 2));
		break;
	case 5:
		ownrig_work(&rig);
		break;
	case 6:
		ownrig_wait(&rig, take(in, 3));
		break;
	case 7:
		rig.idle = take(in, 1) & 1;
		break;
	case 8:
		begin(g, take(in, 1) & 3);
		break;
	case 9:
		v = take(in, 1);
		give(g, v, take(in, 2), take(in, 1));
		break;
	case 10:
		ownrig_set(&rig, g, 0, 0x48);
		break;
	case 11:
		dmm_guest_reset(rig.dmm, g);
		break;
	default:
		ownrig_csr(&rig, g, take(in, 1));
		break;
	}
}

static bool is_theirs(const uint8_t *frame)
{
	return !memcmp(frame + 6, rig.conf.guest[0].mac, 6) ||
	       !memcmp(frame + 6, rig.conf.guest[1].mac, 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	unsigned int i, sent = 0;

	ownrig_open(&rig, OWN_GUESTS);
	for (i = 0; i < STEPS_MAX && in.at < in.end; i++) {
		step(&in);
		must(rig.faults == 0, "the part touches what is nobody's");
		must(rig.torn == 0, "the part finds a frame without its end");
		must(rig.sent == sent || is_theirs(rig.frame),
		     "a frame comes from nobody");
		sent = rig.sent;
	}
	dmm_leave(rig.dmm, 0);
	ownrig_work(&rig);
	ownrig_close(&rig);
	return 0;
}
