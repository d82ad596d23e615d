// SPDX-License-Identifier: MIT
/*
 * calibrate.c: measures costs: by a guest of a few instructions, by threads,
 * and by a simulated card.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <time.h>

#include "costs.h"
#include "play.h"
#include "sim_drive.h"
#include "why.h"

#define TIMES 4000u /* accesses of a round; each of a long exit */
#define OPS 8u	    /* of the loop, so that the loop itself is little */
#define ROUNDS 7u
#define WAKEUPS 300u
#define GSI 5u

/* What HA-IOV's slides say of it: twice as fast as an exit. */
#define FASTER 2u

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void set(struct costs *c, enum cost cost, uint64_t ns)
{
	c->ns[cost] = ns ? ns : 1;
	c->known[cost] = true;
}

/* ---- by a guest ---- */

/* The ring is emptied where the guest comes out because it is full. */
static void drain(void *ctx, struct hv_exit *exit)
{
	struct play *p = ctx;

	(void)exit;
	(void)hv_cpu_coalesced(play_cpu(p), play_hv(p), NULL, NULL);
}

/*
 * Nanoseconds of an access beside the loop: best of some rounds.  (inside): it
 * must not come out, but now and then.
 */
static int time_op(struct play *p, struct play_op op, bool inside, uint64_t *ns,
		   char **why)
{
	struct play_op ops[OPS];
	struct play_result r, loop;
	uint64_t best = UINT64_MAX, least = UINT64_MAX;
	unsigned int i;
	int err;

	for (i = 0; i < OPS; i++)
		ops[i] = op;
	for (i = 0; i < ROUNDS; i++) {
		err = play_run(p, ops, OPS, TIMES / OPS, inside ? drain : NULL,
			       p, &r, why);
		if (!err)
			err = play_run(p, NULL, 0, TIMES / OPS, NULL, NULL,
				       &loop, why);
		if (err)
			return err;
		if (r.ns < best)
			best = r.ns;
		if (loop.ns < least)
			least = loop.ns;
	}
	if (inside && r.exits > TIMES / 8)
		return why_set(why, -ENOSYS,
			       "KVM comes out of the kernel where it should "
			       "not");
	*ns = best > least ? (best - least) / TIMES : 0;
	return 0;
}

static int time_exits(struct costs *c, struct play *p, char **why)
{
	static const struct {
		enum cost cost;
		struct play_op op;
	} list[] = {
		{ COST_PIO_READ, { true, false, 1, PLAY_PORT, 0 } },
		{ COST_PIO_WRITE, { true, true, 1, PLAY_PORT, 1 } },
		{ COST_MMIO_READ, { false, false, 4, PLAY_MMIO, 0 } },
		{ COST_MMIO_WRITE, { false, true, 4, PLAY_MMIO, 1 } },
	};
	uint64_t ns;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < ARRAY_LEN(list); i++) {
		err = time_op(p, list[i].op, false, &ns, why);
		if (!err)
			set(c, list[i].cost, ns);
	}
	return err;
}

static int time_kernel(struct costs *c, struct play *p, char **why)
{
	struct hv *hv = play_hv(p);
	const struct play_op write = { false, true, 4, PLAY_MMIO, 1 };
	const struct play_op read = { false, false, 4, PLAY_READONLY, 0 };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), err;
	uint64_t ns;

	err = hv_coalesce(hv, false, PLAY_MMIO, 4096, true);
	if (!err) {
		err = time_op(p, write, true, &ns, why);
		if (!err)
			set(c, COST_COALESCED, ns);
		(void)!hv_coalesce(hv, false, PLAY_MMIO, 4096, false);
	}
	err = fd < 0 ? -errno : hv_ioeventfd(hv, false, PLAY_MMIO, 4, fd, true);
	if (!err) {
		err = time_op(p, write, true, &ns, why);
		if (!err)
			set(c, COST_IOEVENTFD, ns);
		(void)!hv_ioeventfd(hv, false, PLAY_MMIO, 4, fd, false);
	}
	if (!err)
		err = time_op(p, read, true, &ns, why);
	if (!err)
		set(c, COST_READONLY, ns);
	if (fd >= 0)
		close(fd);
	return err;
}

/* What raising an interrupt costs the one who does it. */
static int time_irqfd(struct costs *c, struct play *p, char **why)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int err = fd < 0 ? -errno : hv_irqfd(play_hv(p), GSI, fd);
	uint64_t best = UINT64_MAX, ns, one = 1;
	unsigned int i, k;

	for (k = 0; !err && k < ROUNDS; k++) {
		ns = now_ns();
		for (i = 0; !err && i < TIMES; i++)
			if (write(fd, &one, sizeof(one)) != sizeof(one))
				err = -errno;
		ns = now_ns() - ns;
		if (ns < best)
			best = ns;
	}
	if (fd >= 0)
		close(fd);
	if (err)
		return why_set(why, err, "no interrupt by eventfd");
	set(c, COST_IRQFD, best / TIMES);
	return 0;
}

/* ---- by threads ---- */

struct pair {
	int there, back;
};

static void *answer(void *ctx)
{
	const struct pair *p = ctx;
	unsigned int i;
	uint64_t n;

	for (i = 0; i < ROUNDS * WAKEUPS; i++)
		if (read(p->there, &n, sizeof(n)) != sizeof(n) ||
		    write(p->back, &n, sizeof(n)) != sizeof(n))
			break;
	return NULL;
}

/* Half of there and back, in the best of some rounds. */
static int time_wakeup(struct costs *c, char **why)
{
	struct pair p = { eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC) };
	uint64_t best = UINT64_MAX, ns, n = 1;
	pthread_t thread;
	unsigned int i, k;
	int err = 0;

	if (p.there < 0 || p.back < 0 ||
	    pthread_create(&thread, NULL, answer, &p))
		return why_set(why, -ENOMEM, "no second thread");
	for (k = 0; k < ROUNDS; k++) {
		ns = now_ns();
		for (i = 0; !err && i < WAKEUPS; i++)
			if (write(p.there, &n, sizeof(n)) != sizeof(n) ||
			    read(p.back, &n, sizeof(n)) != sizeof(n))
				err = -EIO;
		ns = now_ns() - ns;
		if (ns < best)
			best = ns;
	}
	pthread_join(thread, NULL);
	close(p.there);
	close(p.back);
	if (err)
		return why_set(why, err, "a thread does not answer");
	set(c, COST_WAKEUP, best / (2 * WAKEUPS));
	return 0;
}

/* ---- all ---- */

static int measure_guest(struct costs *c, char **why)
{
	struct play *p = NULL;
	int err = play_open(&p, why);

	if (!err)
		err = time_exits(c, p, why);
	if (!err)
		err = time_kernel(c, p, why);
	if (!err)
		err = time_irqfd(c, p, why);
	play_close(p);
	if (err && !*why)
		why_set(why, err, "KVM lacks what is to be measured");
	return err;
}

static void measure_paper(struct costs *c)
{
	uint64_t exits = 0;
	unsigned int i;

	for (i = COST_PIO_READ; i <= COST_MMIO_WRITE; i++)
		exits += c->ns[i];
	if (c->known[COST_MMIO_WRITE])
		set(c, COST_USER_EXCEPTION, exits / 4 / FASTER);
	if (c->known[COST_IOEVENTFD])
		set(c, COST_EVENT_INTERRUPT, c->ns[COST_IOEVENTFD] / FASTER);
}

int costs_measure(struct costs *c, char **why)
{
	struct sim_drive_costs merge, lease;
	int err = time_wakeup(c, why);

	if (!err)
		err = sim_drive(DMM_MERGE, &merge, why);
	if (!err)
		err = sim_drive(DMM_LEASE, &lease, why);
	if (err)
		return err;
	set(c, COST_SWITCH_MERGE, merge.switch_ns);
	set(c, COST_SWITCH_LEASE, lease.switch_ns);
	set(c, COST_ACCESS, merge.access_ns);
	set(c, COST_STEP, merge.step_ns);
	err = measure_guest(c, why);
	measure_paper(c);
	return err;
}
