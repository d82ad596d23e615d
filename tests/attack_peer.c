// SPDX-License-Identifier: MIT
/*
 * attack_peer.c: what the neighbour of attack.h does meanwhile, on any part:
 * it sends frames and receives some, and all of them must be as they were.
 */

#include "attack.h"

#include <string.h>
#include <time.h>

#define WAIT_NS UINT64_C(2500000000)
#define AGAIN 20u /* turns */

void attack_nap(void)
{
	struct timespec ts = { .tv_nsec = 20000 };

	nanosleep(&ts, NULL);
}

void attack_make(uint8_t *p, size_t len, const uint8_t to[6],
		 const uint8_t from[6], uint32_t seq)
{
	memset(p, MARK_N, len);
	memcpy(p, to, 6);
	memcpy(p + 6, from, 6);
	p[12] = 0x88;
	p[13] = 0xb6;
	memcpy(p + 14, &seq, sizeof(seq));
}

void attack_sent(struct rig *rig)
{
	uint64_t end = attack_now(rig) + WAIT_NS;
	bool told = false;

	while (!rig->verdict[0] && attack_now(rig) < end) {
		attack_turn(rig);
		attack_wire_judge(rig);
		told = rig->part->sent(rig);
		if (!rig->expect_len && told)
			break;
		attack_nap();
	}
	if (rig->expect_len || !told)
		attack_bad(rig, "the neighbour's frame %u does not go out%s",
			   rig->guest[NEIGHBOUR].seq,
			   rig->expect_len ? "" : ": its driver is not told");
}

/*
 * A parked guest may miss frames (whenParked: drop): the wire says them again.
 */
void attack_in(struct rig *rig)
{
	struct seat *s = &rig->guest[NEIGHBOUR];
	uint32_t seq = ++s->seq;
	size_t len = 100 + seq * 97 % 1200;
	uint64_t end = attack_now(rig) + WAIT_NS;
	bool done = false;
	uint8_t frame[1514];
	unsigned int i;

	(rig->part->make ? rig->part->make : attack_make)(frame, len, s->mac,
							  attack_outside, seq);
	for (i = 0; !done && !rig->verdict[0] && attack_now(rig) < end; i++) {
		if (i == 0 || (rig->way == IN_DROP && i % AGAIN == 0))
			attack_wire_send(rig, frame, len);
		attack_turn(rig);
		done = rig->part->take(rig, frame, len);
		if (!done)
			attack_nap();
	}
	if (!done)
		attack_bad(rig, "the neighbour does not receive");
}

void attack_took(struct rig *rig, const uint8_t *got, size_t got_len,
		 const uint8_t *frame, size_t len)
{
	if (got_len != len || memcmp(got, frame, len))
		attack_bad(rig,
			   "what the neighbour received is not what was "
			   "sent: %zu bytes of %zu",
			   got_len, len);
}

void attack_transfer(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < rig->part->frames; i++) {
		rig->part->out(rig);
		attack_in(rig);
	}
	if (rig->part->look && !rig->conf.without)
		rig->part->look(rig);
}
