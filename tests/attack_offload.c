// SPDX-License-Identifier: MIT
/*
 * attack_offload.c: attacks by what the card does to frames by itself: sums
 * and segments over addresses that were checked, by others' contexts, of no
 * length, too many, too long.
 */

#include "attack.h"

#include <string.h>

#include "vmm/sim_e1000.h"

#define REFUSED \
	.told = true, .offence = DMM_REFUSED, .who = "txRing", .line = "txRing:"
#define OFFLOAD .without = DMM_WITHOUT_OFFLOAD

/* A context of (at) and (len), command and upper half in (arg); a frame. */
enum { SUM_L4 = D_TXSM, SUM_IP = D_IXSM, SEGMENT = 1 << 16, LATE = 1 << 17 };

static void offload(struct rig *rig)
{
	uint32_t what = (uint32_t)rig->c->arg, high = (uint32_t)rig->c->len;
	uint32_t tse = what & SEGMENT ? D_TSE : 0, len = 400;
	uint32_t opts = what & (SUM_L4 | SUM_IP);

	nic_frame(rig, TX_BUFS, len);
	nic_context(rig, HOSTILE, rig->c->at,
		    D_IP4 | D_TCP | tse | (len - (high >> 8 & 0xff)), high);
	if (what & LATE) {
		/* asked for by the last descriptor, or the first, alone */
		nic_desc(rig, HOSTILE, TX_BUFS, 100 | D_DATA,
			 opts ^ (tse ? 0 : opts));
		nic_desc(rig, HOSTILE, TX_BUFS + 100,
			 300 | D_DATA | D_ONE | tse, opts);
	} else {
		nic_desc(rig, HOSTILE, TX_BUFS, len | D_DATA | D_ONE | tse,
			 opts);
	}
	nic_bell(rig, HOSTILE);
}

/* The card is told that it is TCP, so the sequence goes on. */
static void segments_of_tcp(struct rig *rig)
{
	offload(rig);
	attack_settle(rig);
	attack_wire_judge(rig);
	if (rig->last_len != 100 ||
	    memcmp(rig->last + 38, "\x48\x48\x49\x74", 4))
		attack_bad(rig, "the last segment is not the third: %zu bytes",
			   rig->last_len);
}

/* As legacy descriptors ask for a sum: from CSS on, at CSO. */
static void legacy_sum(struct rig *rig)
{
	uint32_t at = (uint32_t)rig->c->at;

	nic_frame(rig, TX_BUFS, 400);
	nic_desc(rig, HOSTILE, TX_BUFS, 100 | D_IFCS, 0);
	nic_desc(rig, HOSTILE, TX_BUFS + 100, 300 | D_ONE | D_IC | at << 16,
		 (uint32_t)rig->c->len << 8);
	nic_bell(rig, HOSTILE);
}

/* A checksum by a context that is not its own. */
static void no_context(struct rig *rig)
{
	uint32_t tse = rig->c->arg & SEGMENT ? D_TSE : 0;

	nic_frame(rig, TX_BUFS, 400);
	nic_neighbour_out(rig);
	nic_desc(rig, HOSTILE, TX_BUFS, 400 | D_DATA | D_ONE | tse,
		 D_IXSM | D_TXSM);
	nic_bell(rig, HOSTILE);
}

/* A context of one kind, and a frame that wants the other. */
static void other_context(struct rig *rig)
{
	nic_context(rig, HOSTILE, 14 | 24 << 8 | UINT64_C(34) << 32, D_IP4, 0);
	no_context(rig);
}

static void context_inside(struct rig *rig)
{
	nic_frame(rig, TX_BUFS, 400);
	nic_desc(rig, HOSTILE, TX_BUFS, 100 | D_DATA, 0);
	nic_context(rig, HOSTILE, 14 | 24 << 8 | UINT64_C(34) << 32, D_IP4, 0);
	nic_desc(rig, HOSTILE, TX_BUFS, 100 | D_DATA | D_ONE, 0);
	nic_bell(rig, HOSTILE);
}

/* Its own good contexts, all the time, do not reach the neighbour's frames. */
static void contexts(struct rig *rig)
{
	uint64_t low;
	unsigned int i;

	nic_frame(rig, TX_BUFS, 400);
	for (i = 0; i < 12; i++) {
		low = 14 | (60 + i) << 8 | UINT64_C(20) << 32 |
		      (uint64_t)(100 + i) << 40;
		nic_context(rig, HOSTILE, low, D_IP4 | (i & 1 ? D_TCP : 0), 0);
		nic_desc(rig, HOSTILE, TX_BUFS, 400 | D_DATA | D_ONE,
			 D_IXSM | D_TXSM);
		nic_bell(rig, HOSTILE);
		nic_neighbour_out(rig);
		nic_context(rig, HOSTILE, low, D_IP4 | D_TCP | D_TSE | 346,
			    100 << 16 | 54 << 8);
		nic_bell(rig, HOSTILE);
		nic_neighbour_out(rig);
	}
}

/*
 * (len) bytes in one frame; by (arg) cut into segments of so many; by (at) only
 * as the last descriptor says, or not as an empty one before them all does.
 */
enum { ALL_CUT, LAST_CUT, EMPTY_UNCUT };

static void limit(struct rig *rig)
{
	uint64_t left = rig->c->len, n, cut = rig->c->arg ? D_TSE : 0;

	nic_frame(rig, TX_BUFS, 4096);
	nic_context(rig, HOSTILE,
		    14 | 24 << 8 | UINT64_C(34) << 32 | UINT64_C(50) << 40,
		    D_IP4 | D_TCP | cut | (left - 54),
		    (uint32_t)rig->c->arg << 16 | 54 << 8);
	if (rig->c->at == EMPTY_UNCUT)
		nic_desc(rig, HOSTILE, TX_BUFS, D_DATA | D_IFCS, 0);
	for (; left; left -= n) {
		n = left < 4096 ? left : 4096;
		nic_desc(rig, HOSTILE, TX_BUFS,
			 n | D_DATA | D_IFCS |
				 (rig->c->at == LAST_CUT && n < left ? 0 :
								       cut) |
				 (n < left ? 0 : D_ONE),
			 0);
	}
	nic_bell(rig, HOSTILE);
	nic_neighbour_out(rig);
}

/* Huge frames in tiny segments: the neighbour has its share still. */
static void segments(struct rig *rig)
{
	uint32_t mss = (uint32_t)rig->c->arg;
	unsigned int i;

	nic_frame(rig, TX_BUFS, 4096);
	nic_context(rig, HOSTILE,
		    14 | 24 << 8 | UINT64_C(34) << 32 | UINT64_C(50) << 40,
		    D_IP4 | D_TCP | D_TSE | 0xfffff, mss << 16 | 54 << 8);
	for (i = 0; i < 15; i++)
		nic_desc(rig, HOSTILE, TX_BUFS, 4096 | D_DATA | D_TSE | D_IFCS,
			 0);
	nic_desc(rig, HOSTILE, TX_BUFS, 4096 | D_DATA | D_TSE | D_ONE, 0);
	nic_bell(rig, HOSTILE);
	nic_neighbour_out(rig);
}

#define L4(start, at) ((uint64_t)(start) << 32 | (uint64_t)(at) << 40)
#define L3(start, at) ((uint64_t)(start) | (uint64_t)(at) << 8)
#define GOOD (L3(14, 24) | L4(34, 50))
#define CUT(header, mss) ((uint64_t)(header) << 8 | (uint64_t)(mss) << 16)

static const struct attack_case cases[] = {
	{ CASE("a checksum into the source's start", EVERYWHERE, offload),
	  REFUSED, OFFLOAD, .at = L3(14, 24) | L4(34, 6), .arg = SUM_L4,
	  .may = WIRE_NONE },
	{ CASE("a checksum into the source's middle", EVERYWHERE, offload),
	  REFUSED, OFFLOAD, .at = L3(14, 24) | L4(34, 8), .arg = SUM_L4,
	  .may = WIRE_NONE },
	{ CASE("a checksum into the source's end", EVERYWHERE, offload),
	  REFUSED, OFFLOAD, .at = L3(14, 24) | L4(34, 11), .arg = SUM_L4,
	  .may = WIRE_NONE },
	{ CASE("a checksum into the destination's end", EVERYWHERE, offload),
	  REFUSED, OFFLOAD, .at = L3(14, 24) | L4(34, 5), .arg = SUM_L4,
	  .may = WIRE_NONE },
	{ CASE("a checksum into the type", EVERYWHERE, offload), REFUSED,
	  OFFLOAD, .at = L3(14, 24) | L4(34, 12), .arg = SUM_L4,
	  .may = WIRE_NONE },
	{ CASE("an IP checksum into the source", EVERYWHERE, offload), REFUSED,
	  OFFLOAD, .at = L3(14, 6) | L4(34, 50), .arg = SUM_IP,
	  .may = WIRE_NONE },
	{ CASE("a checksum that the last descriptor wants", EVERYWHERE,
	       offload),
	  REFUSED, OFFLOAD, .at = L3(14, 24) | L4(34, 8), .arg = SUM_L4 | LATE,
	  .may = WIRE_NONE },
	{ CASE("a good checksum", EVERYWHERE, offload), .at = GOOD,
	  .arg = SUM_L4 | SUM_IP, .may = WIRE_SOME },
	{ CASE("a legacy checksum into the source", EVERYWHERE, legacy_sum),
	  REFUSED, OFFLOAD, .at = 8, .len = 14, .may = WIRE_NONE },
	{ CASE("a legacy checksum at the source's end", EVERYWHERE, legacy_sum),
	  REFUSED, OFFLOAD, .at = 11, .len = 14, .may = WIRE_NONE },
	{ CASE("a good legacy checksum", EVERYWHERE, legacy_sum), .at = 50,
	  .len = 34, .may = WIRE_SOME },
	{ CASE("segments with no header", EVERYWHERE, offload), REFUSED,
	  OFFLOAD, .at = GOOD, .len = CUT(0, 60), .arg = SEGMENT,
	  .may = WIRE_NONE },
	{ CASE("segments with half a source in the header", EVERYWHERE,
	       offload),
	  REFUSED, OFFLOAD, .at = GOOD, .len = CUT(9, 60), .arg = SEGMENT,
	  .may = WIRE_NONE },
	{ CASE("segments whose IP length is the source", EVERYWHERE, offload),
	  REFUSED, OFFLOAD, .at = L3(4, 24) | L4(34, 50), .len = CUT(54, 100),
	  .arg = SEGMENT, .may = WIRE_NONE },
	{ CASE("segments whose sequence is the source", EVERYWHERE, offload),
	  REFUSED, OFFLOAD, .at = L3(14, 24) | L4(4, 50), .len = CUT(54, 100),
	  .arg = SEGMENT, .may = WIRE_NONE },
	{ CASE("segments whose sum is the source", EVERYWHERE, offload),
	  REFUSED, OFFLOAD, .at = L3(14, 24) | L4(34, 7), .len = CUT(54, 100),
	  .arg = SEGMENT | SUM_L4, .may = WIRE_NONE },
	{ CASE("segments that the last descriptor wants", EVERYWHERE, offload),
	  REFUSED, OFFLOAD, .at = L3(4, 24) | L4(34, 50), .len = CUT(54, 100),
	  .arg = SEGMENT | LATE, .may = WIRE_NONE },
	{ CASE("segments of no length", EVERYWHERE, offload), REFUSED, OFFLOAD,
	  .at = GOOD, .len = CUT(54, 0), .arg = SEGMENT, .may = WIRE_NONE },
	{ CASE("a frame longer than the part sends", EVERYWHERE, limit),
	  REFUSED, .len = 16289, .may = WIRE_NONE,
	  .without = DMM_WITHOUT_OFFLOAD },
	{ CASE("segments longer than the part sends", EVERYWHERE, limit),
	  REFUSED, .len = 20000, .arg = 16235, .may = WIRE_NONE },
	{ CASE("a long frame that its end alone wants cut", EVERYWHERE, limit),
	  REFUSED, .len = 20000, .arg = 1000, .at = LAST_CUT,
	  .may = WIRE_NONE },
	{ CASE("a long frame whose empty start wants no cut", EVERYWHERE,
	       limit),
	  REFUSED, .len = 20000, .arg = 1000, .at = EMPTY_UNCUT,
	  .may = WIRE_NONE },
	{ CASE("a frame as long as the part sends", EVERYWHERE, limit),
	  .len = 16288 },
	{ CASE("segments as long as the part sends", EVERYWHERE, limit),
	  .len = 20000, .arg = 16234, .may = WIRE_SOME },
	{ CASE("a header longer than the frame", EVERYWHERE, offload),
	  .at = GOOD, .len = CUT(255, 1000), .arg = SEGMENT },
	{ CASE("good segments", EVERYWHERE, offload), .at = GOOD,
	  .len = CUT(54, 100), .arg = SEGMENT | SUM_L4 | SUM_IP,
	  .may = WIRE_SOME },
	{ CASE("good segments of TCP", EVERYWHERE, segments_of_tcp), .at = GOOD,
	  .len = CUT(54, 100), .arg = SEGMENT | SUM_L4 | SUM_IP,
	  .may = WIRE_SOME },
	{ CASE("segments of one byte, 64 KiB of them", EVERYWHERE, segments),
	  REFUSED, OFFLOAD, .arg = 1, .may = WIRE_NONE },
	{ CASE("segments of no byte, 64 KiB of them", EVERYWHERE, segments),
	  REFUSED, OFFLOAD, .arg = 0, .may = WIRE_NONE },
	{ CASE("64 KiB in good segments", EVERYWHERE, segments), .arg = 1460,
	  .may = WIRE_SOME },
	{ CASE("a checksum without a context", EVERYWHERE, no_context), REFUSED,
	  OFFLOAD, .may = WIRE_NONE },
	{ CASE("segments without a context", EVERYWHERE, no_context), REFUSED,
	  OFFLOAD, .arg = SEGMENT, .may = WIRE_NONE },
	{ CASE("segments with a context for sums", EVERYWHERE, other_context),
	  REFUSED, OFFLOAD, .arg = SEGMENT, .may = WIRE_NONE },
	{ CASE("a context inside a frame", EVERYWHERE, context_inside), REFUSED,
	  .may = WIRE_NONE },
	{ CASE("contexts between the neighbour's frames", EVERYWHERE, contexts),
	  .may = WIRE_SOME, .without = DMM_WITHOUT_STICKY },
};

const struct attack_table attack_offload_table = { &attack_e1000, cases,
						   ARRAY_LEN(cases) };
