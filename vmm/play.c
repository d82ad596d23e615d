// SPDX-License-Identifier: MIT
/*
 * play.c: code for the guest of play.h, and its run.
 */

#include "play.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "log.h"
#include "why.h"

#define MEMORY 0x100000u
#define CODE 0x1000u
#define BEGIN 0x5f0u /* ports that say where the loop begins and ends */
#define END 0x5f4u

struct play {
	struct hv *hv;
	struct hv_cpu *cpu;
	uint8_t *memory, *readonly;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int play_open(struct play **out, char **why)
{
	struct play *p = xcalloc(1, sizeof(*p));
	int err = hv_open(&p->hv, why);

	p->memory = mmap(NULL, MEMORY + 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (!err && p->memory == MAP_FAILED)
		err = why_set(why, -ENOMEM, "no memory for a small guest");
	if (err) {
		p->memory = NULL;
		play_close(p);
		return err;
	}
	p->readonly = p->memory + MEMORY;
	err = hv_slot(p->hv, 0, 0, MEMORY, p->memory, false);
	if (!err)
		err = hv_slot(p->hv, 1, PLAY_READONLY, 4096, p->readonly, true);
	if (err)
		why_set(why, err, "memory slots of a small guest: %s",
			strerror(-err));
	else
		err = hv_cpu_open(&p->cpu, p->hv, 0, 1, why);
	if (err) {
		play_close(p);
		return err;
	}
	*out = p;
	return 0;
}

void play_close(struct play *p)
{
	if (!p)
		return;
	hv_cpu_close(p->cpu);
	hv_close(p->hv);
	if (p->memory)
		munmap(p->memory, MEMORY + 4096);
	free(p);
}

struct hv *play_hv(struct play *p)
{
	return p->hv;
}

struct hv_cpu *play_cpu(struct play *p)
{
	return p->cpu;
}

/* ---- code: Intel SDM volume 2 ---- */

static uint8_t *put32(uint8_t *at, uint8_t op, uint32_t v)
{
	*at = op;
	memcpy(at + 1, &v, sizeof(v));
	return at + 5;
}

/* One access: by eax, and dx for ports. */
static uint8_t *put_op(uint8_t *at, const struct play_op *op)
{
	static const uint8_t byte[2][2] = { { 0xa0, 0xa2 }, { 0xec, 0xee } };

	if (op->write)
		at = put32(at, 0xb8, op->value); /* mov eax, value */
	if (op->io)
		at = put32(at, 0xba, op->addr); /* mov edx, addr */
	if (op->width == 2)
		*at++ = 0x66;
	*at = byte[op->io][op->write] + (op->width > 1);
	if (op->io)
		return at + 1;
	return put32(at, *at, op->addr);
}

static uint8_t *put_mark(uint8_t *at, uint32_t port)
{
	at = put32(at, 0xba, port);
	*at++ = 0xee; /* out dx, al */
	return at;
}

static void put_code(uint8_t *code, const struct play_op *op, size_t ops,
		     uint32_t times)
{
	uint8_t *at = put_mark(put32(code, 0xb9, times), BEGIN), *loop = at;
	size_t i;

	for (i = 0; i < ops; i++)
		at = put_op(at, &op[i]);
	*at++ = 0x49; /* dec ecx */
	*at++ = 0x0f; /* jnz loop */
	at = put32(at, 0x85, (uint32_t)(loop - (at + 5)));
	at = put_mark(at, END);
	*at++ = 0xf4; /* hlt */
}

/* ---- running ---- */

static int strange(const struct hv_exit *e, char **why)
{
	return why_set(why, -EIO, "a small guest ended by %s (%llu)",
		       hv_cause_name(e->cause), (unsigned long long)e->code);
}

int play_run(struct play *p, const struct play_op *op, size_t ops,
	     uint32_t times, play_exit_fn *on_exit, void *ctx,
	     struct play_result *out, char **why)
{
	struct hv_entry entry = { .eip = CODE };
	uint64_t start = 0, exits = 0;
	struct hv_exit e;
	int err;

	if (!times || ops > PLAY_OPS)
		return why_set(why, -EINVAL, "too much for a small guest");
	put_code(p->memory + CODE, op, ops, times);
	err = hv_cpu_enter(p->cpu, &entry);
	if (err)
		return why_set(why, err, "a small guest does not start: %s",
			       strerror(-err));
	for (;;) {
		hv_cpu_run(p->cpu, &e);
		if (e.cause == HV_KICKED)
			continue;
		if (e.cause != HV_IO && e.cause != HV_MMIO)
			return strange(&e, why);
		if (e.cause == HV_IO && e.addr == BEGIN) {
			start = now_ns();
			continue;
		}
		if (e.cause == HV_IO && e.addr == END)
			break;
		exits++;
		if (on_exit)
			on_exit(ctx, &e);
		else if (!e.write)
			memset(e.data, 0, (size_t)e.width * e.count);
	}
	*out = (struct play_result){ .ns = now_ns() - start, .exits = exits };
	return 0;
}
