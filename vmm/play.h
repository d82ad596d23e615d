/* SPDX-License-Identifier: MIT */
/*
 * play.h: a guest of a few instructions that makes accesses, over and over: to
 * measure what they cost, and to run what was predicted.
 *
 * It runs in ring 0, 32 bits, flat, as drivers do that are measured with it.
 *
 * Errors:  0 or -errno with one line in (*why), which the caller frees.
 * Threads: one play, one thread.
 */

#ifndef VMM_PLAY_H
#define VMM_PLAY_H

#include "kvm.h"

#define PLAY_OPS 1024u
/* Guest addresses that are not its memory: of devices, and a read-only slot. */
#define PLAY_MMIO 0xd0000000u
#define PLAY_READONLY 0xd0100000u
#define PLAY_PORT 0x1000u

struct play_op {
	bool io, write;
	uint8_t width; /* 1, 2, 4 */
	uint32_t addr, value;
};

struct play;

MUST_CHECK int play_open(struct play **out, char **why);
void play_close(struct play *p); /* NULL is fine */

struct hv *play_hv(struct play *p);
struct hv_cpu *play_cpu(struct play *p);

struct play_result {
	uint64_t ns;
	uint64_t exits; /* to user space */
};

/* An access that exited; reads are answered in exit->data. */
typedef void play_exit_fn(void *ctx, struct hv_exit *exit);

/*
 * Do (op), (ops) of them, (times) over.  (exit) is called for each that comes
 * out of the kernel; NULL: reads get zeros.
 */
MUST_CHECK int play_run(struct play *p, const struct play_op *op, size_t ops,
			uint32_t times, play_exit_fn *exit, void *ctx,
			struct play_result *out, char **why);

#endif /* VMM_PLAY_H */
