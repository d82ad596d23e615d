/* SPDX-License-Identifier: MIT */
/*
 * backend_sim.c: a simulated part as the physical device: a lock around it, a
 * thread that is its hardware, and a network port.
 *
 *   backend: sim
 *   network: user			see net.h
 *   mac: 52:54:00:12:34:56		the card's own
 *   speed: instant			or 10M: sending takes a wire's time
 *   packetRam: 32K			of an NE2000; the real RTL8029 has 16K
 *
 * Sending is asynchronous, as on hardware: the access that starts it returns
 * at once; the hardware thread lets the part run when its time has come, and
 * puts its frames on the network with no lock held.
 *
 * A part that masters the bus reaches the windows of backend.h, and copies
 * through them under the lock: a window that is taken away is not in use.
 *
 * Locks: (lock) is held for one call into the part, or for a change of the
 * windows, and for nothing else.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../dmm/load.h"
#include "backend.h"
#include "log.h"
#include "net.h"
#include "sim.h"
#include "sim_e1000.h"
#include "sim_ne2k.h"
#include "why.h"

#define WIRE_MIN 60 /* no station sends less: its padding is zeros */

const struct sim_ops *const sim_parts[] = { &sim_ne2k, &sim_e1000, NULL };

struct sim_frame {
	size_t len;
	uint8_t data[SIM_FRAME_MAX];
};

/* Memory that the part may reach: see backend.h. */
struct sim_window {
	uint64_t iova, len;
	uint8_t *host;
	bool writable;
};

struct sim {
	struct backend be; /* first */
	const struct sim_ops *ops;
	void *part;
	struct net *net;
	pthread_t thread;
	atomic_bool level; /* of the interrupt pin */

	pthread_mutex_t lock; /* all below, and (part) */
	pthread_cond_t wake;
	bool stop;
	uint64_t due_ns; /* when to run the part; SIM_NEVER */
	struct sim_window window[BACKEND_WINDOWS];
	size_t windows, last; /* how many, and the one used last */
	uint64_t faults;
	size_t out_n; /* frames it sent, not yet on the network */
	struct sim_frame out[SIM_BURST];
};

static struct sim *to_sim(struct backend *be)
{
	return (struct sim *)be;
}

/*
 * What the part asks of us; always under the lock.
 */

static void host_transmit(void *ctx, const uint8_t *frame, size_t len)
{
	struct sim *sim = ctx;
	struct sim_frame *to = &sim->out[sim->out_n];

	/* sim.h allows it SIM_BURST frames a run, and we send after each. */
	if (sim->out_n == SIM_BURST || len > sizeof(to->data))
		return;
	memcpy(to->data, frame, len);
	to->len = len;
	sim->out_n++;
}

static void host_irq(void *ctx, bool level)
{
	struct sim *sim = ctx;
	uint64_t one = 1;

	atomic_store(&sim->level, level);
	if (write(sim->be.irq_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warn("cannot tell of an interrupt");
}

static uint64_t host_now(void *ctx)
{
	struct timespec now;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)now.tv_nsec;
}

static void host_arm(void *ctx, uint64_t at_ns)
{
	struct sim *sim = ctx;

	sim->due_ns = at_ns;
	if (at_ns != SIM_NEVER)
		pthread_cond_signal(&sim->wake);
}

/* The window in which (addr) is; NULL if none. */
static const struct sim_window *find_window(struct sim *sim, uint64_t addr)
{
	const struct sim_window *window = &sim->window[sim->last];

	if (sim->last < sim->windows &&
	    cc_within(addr, 1, window->iova, window->len))
		return window;
	for (size_t i = 0; i < sim->windows; i++) {
		window = &sim->window[i];
		if (cc_within(addr, 1, window->iova, window->len)) {
			sim->last = i;
			return window;
		}
	}
	return NULL;
}

/* What of [addr, addr + len) is in (window). */
static size_t part_in(const struct sim_window *window, uint64_t addr,
		      size_t len)
{
	uint64_t part = window->len - (addr - window->iova);

	return part < len ? (size_t)part : len;
}

/* All of it or nothing, so look before the first byte moves. */
static bool reachable(struct sim *sim, uint64_t addr, size_t len, bool write)
{
	while (len) {
		const struct sim_window *window = find_window(sim, addr);
		size_t part;

		if (!window || (write && !window->writable))
			return false;
		part = part_in(window, addr, len);
		len -= part;
		/* Behind the last byte of all there is nothing. */
		if (cc_add(addr, part, &addr) && len)
			return false;
	}
	return true;
}

static int host_dma_read(void *ctx, uint64_t addr, void *to, size_t len)
{
	struct sim *sim = ctx;
	uint8_t *at = to;

	if (!reachable(sim, addr, len, false)) {
		sim->faults++;
		return -EFAULT;
	}
	while (len) {
		const struct sim_window *window = find_window(sim, addr);
		size_t part = part_in(window, addr, len);

		memcpy(at, window->host + (addr - window->iova), part);
		at += part;
		addr += part;
		len -= part;
	}
	/* A descriptor is read before what it names. */
	atomic_thread_fence(memory_order_acquire);
	return 0;
}

static int host_dma_write(void *ctx, uint64_t addr, const void *from,
			  size_t len)
{
	struct sim *sim = ctx;
	const uint8_t *at = from;

	if (!reachable(sim, addr, len, true)) {
		sim->faults++;
		return -EFAULT;
	}
	/* As on the bus: who sees this write sees those before it. */
	atomic_thread_fence(memory_order_release);
	while (len) {
		const struct sim_window *window = find_window(sim, addr);
		size_t part = part_in(window, addr, len);

		memcpy(window->host + (addr - window->iova), at, part);
		at += part;
		addr += part;
		len -= part;
	}
	return 0;
}

static const struct sim_host host = {
	.transmit = host_transmit,
	.irq = host_irq,
	.now = host_now,
	.arm = host_arm,
	.dma_read = host_dma_read,
	.dma_write = host_dma_write,
};

/*
 * The hardware.
 */

static void wait_until(struct sim *sim, uint64_t at_ns)
{
	struct timespec at = {
		.tv_sec = (time_t)(at_ns / 1000000000),
		.tv_nsec = (long)(at_ns % 1000000000),
	};

	if (at_ns == SIM_NEVER)
		pthread_cond_wait(&sim->wake, &sim->lock);
	else
		pthread_cond_timedwait(&sim->wake, &sim->lock, &at);
}

/* Only this thread empties (out), and only under run() does it fill. */
static void send_out(struct sim *sim)
{
	pthread_mutex_unlock(&sim->lock);
	for (size_t i = 0; i < sim->out_n; i++)
		net_send(sim->net, sim->out[i].data, sim->out[i].len);
	pthread_mutex_lock(&sim->lock);
	sim->out_n = 0;
}

static void *hardware_thread(void *arg)
{
	struct sim *sim = arg;

	pthread_mutex_lock(&sim->lock);
	while (!sim->stop) {
		if (sim->due_ns &&
		    (sim->due_ns == SIM_NEVER || sim->due_ns > host_now(sim))) {
			wait_until(sim, sim->due_ns);
			continue;
		}
		sim->due_ns = SIM_NEVER;
		sim->ops->run(sim->part);
		if (sim->out_n)
			send_out(sim);
	}
	pthread_mutex_unlock(&sim->lock);
	return NULL;
}

/* From the network port's thread. */
static void sim_receive(void *ctx, const uint8_t *frame, size_t len)
{
	struct sim *sim = ctx;
	uint8_t padded[WIRE_MIN] = { 0 };

	if (len < WIRE_MIN) {
		memcpy(padded, frame, len);
		frame = padded;
		len = WIRE_MIN;
	}
	if (len > SIM_FRAME_MAX)
		return;
	pthread_mutex_lock(&sim->lock);
	sim->ops->receive(sim->part, frame, len, 0);
	pthread_mutex_unlock(&sim->lock);
}

/*
 * Accesses.
 */

static bool in_bar(const struct sim *sim, unsigned int bar, uint64_t off,
		   unsigned int width)
{
	return bar < BACKEND_BARS &&
	       sim->be.info.bar[bar].space != BACKEND_NONE &&
	       cc_within(off, width, 0, sim->be.info.bar[bar].size);
}

static uint64_t sim_read(struct backend *be, unsigned int bar, uint64_t off,
			 unsigned int width)
{
	struct sim *sim = to_sim(be);
	uint64_t value;

	if (!in_bar(sim, bar, off, width))
		return cc_ones(8 * width);
	pthread_mutex_lock(&sim->lock);
	value = sim->ops->read(sim->part, bar, off, width);
	pthread_mutex_unlock(&sim->lock);
	return value;
}

static void sim_write(struct backend *be, unsigned int bar, uint64_t off,
		      unsigned int width, uint64_t value)
{
	struct sim *sim = to_sim(be);

	if (!in_bar(sim, bar, off, width))
		return;
	pthread_mutex_lock(&sim->lock);
	sim->ops->write(sim->part, bar, off, width, value);
	pthread_mutex_unlock(&sim->lock);
}

/* A guest's memory, and so little-endian. */
static void sim_read_string(struct backend *be, unsigned int bar, uint64_t off,
			    unsigned int width, void *to, size_t n)
{
	struct sim *sim = to_sim(be);
	uint8_t *at = to;

	if (!in_bar(sim, bar, off, width)) {
		memset(to, 0xff, n * width);
		return;
	}
	pthread_mutex_lock(&sim->lock);
	for (size_t i = 0; i < n; i++, at += width) {
		uint64_t value = sim->ops->read(sim->part, bar, off, width);

		memcpy(at, &value, width);
	}
	pthread_mutex_unlock(&sim->lock);
}

static void sim_write_string(struct backend *be, unsigned int bar, uint64_t off,
			     unsigned int width, const void *from, size_t n)
{
	struct sim *sim = to_sim(be);
	const uint8_t *at = from;

	if (!in_bar(sim, bar, off, width))
		return;
	pthread_mutex_lock(&sim->lock);
	for (size_t i = 0; i < n; i++, at += width) {
		uint64_t value = 0;

		memcpy(&value, at, width);
		sim->ops->write(sim->part, bar, off, width, value);
	}
	pthread_mutex_unlock(&sim->lock);
}

static int sim_reset(struct backend *be)
{
	struct sim *sim = to_sim(be);

	pthread_mutex_lock(&sim->lock);
	sim->ops->reset(sim->part);
	pthread_mutex_unlock(&sim->lock);
	return 0;
}

static bool sim_irq_level(struct backend *be)
{
	return atomic_load(&to_sim(be)->level);
}

static void sim_watch(struct backend *be, net_receive_fn *fn, void *ctx)
{
	net_watch(to_sim(be)->net, fn, ctx);
}

static uint64_t sim_unheard(struct backend *be)
{
	struct sim *sim = to_sim(be);
	struct sim_stats stats;

	pthread_mutex_lock(&sim->lock);
	sim->ops->stats(sim->part, &stats);
	pthread_mutex_unlock(&sim->lock);
	return stats.unheard;
}

/*
 * Bus mastering.
 */

/* Under the lock. */
static int add_window(struct sim *sim, const struct sim_window *new)
{
	for (size_t i = 0; i < sim->windows; i++) {
		const struct sim_window *old = &sim->window[i];

		if (cc_within(new->iova, 1, old->iova, old->len) ||
		    cc_within(old->iova, 1, new->iova, new->len))
			return -EEXIST;
	}
	if (sim->windows == BACKEND_WINDOWS)
		return -ENOSPC;
	sim->window[sim->windows++] = *new;
	return 0;
}

static int sim_dma_map(struct backend *be, uint64_t iova, void *host,
		       uint64_t len, bool writable)
{
	struct sim *sim = to_sim(be);
	struct sim_window window = { iova, len, host, writable };
	uint64_t last;
	int err;

	if (!sim->ops->bus_master)
		return -ENOSYS;
	if (!len || cc_add(iova, len - 1, &last))
		return -EINVAL;
	pthread_mutex_lock(&sim->lock);
	err = add_window(sim, &window);
	pthread_mutex_unlock(&sim->lock);
	return err;
}

static void sim_dma_unmap(struct backend *be, uint64_t iova, uint64_t len)
{
	struct sim *sim = to_sim(be);

	pthread_mutex_lock(&sim->lock);
	for (size_t i = 0; i < sim->windows; i++) {
		if (sim->window[i].iova == iova && sim->window[i].len == len) {
			sim->window[i] = sim->window[--sim->windows];
			break;
		}
	}
	pthread_mutex_unlock(&sim->lock);
}

static void sim_bus_master(struct backend *be, bool on)
{
	struct sim *sim = to_sim(be);

	if (!sim->ops->bus_master)
		return;
	pthread_mutex_lock(&sim->lock);
	sim->ops->bus_master(sim->part, on);
	pthread_mutex_unlock(&sim->lock);
}

static uint64_t sim_dma_faults(struct backend *be)
{
	struct sim *sim = to_sim(be);
	uint64_t faults;

	pthread_mutex_lock(&sim->lock);
	faults = sim->faults;
	pthread_mutex_unlock(&sim->lock);
	return faults;
}

/*
 * Opening and closing.
 */

static const struct sim_ops *find_part(uint16_t vendor, uint16_t device)
{
	for (size_t i = 0; sim_parts[i]; i++)
		if (sim_parts[i]->vendor == vendor &&
		    sim_parts[i]->device == device)
			return sim_parts[i];
	return NULL;
}

static int sim_parse(struct sim_conf *to, const struct node *conf, char **why)
{
	static const char *const speeds[] = { "instant", "10M" };
	static const uint64_t bps[] = { 0, 10000000 };
	const struct node *mac = node_get(conf, "mac");
	const struct node *speed = node_get(conf, "speed");
	const struct node *ram = node_get(conf, "packetRam");
	unsigned int i = 0;
	uint64_t bytes = 0;
	struct diag diag;
	int err = 0;

	diag_init(&diag, NULL);
	if (mac)
		err = node_mac(mac, "the card's mac", to->mac, &diag);
	if (!err && speed)
		err = node_word(speed, "speed", speeds, ARRAY_LEN(speeds), &i,
				&diag);
	if (!err && ram)
		err = node_size(ram, "packetRam", &bytes, &diag);
	if (!err && ram && bytes != 0x4000 && bytes != 0x8000)
		err = diag_error(&diag, ram->pos, "packetRam is 16K or 32K");
	if (err)
		return why_diag(why, &diag);
	diag_fini(&diag);
	to->wire_bps = bps[i];
	to->ram = (uint32_t)bytes;
	return 0;
}

static int part_open(struct sim *sim, const struct node *conf, char **why)
{
	struct sim_conf part = {
		.mac = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 },
	};
	int err = sim_parse(&part, conf, why);

	if (err)
		return err;
	sim->part = xcalloc(1, sim->ops->size);
	err = sim->ops->init(sim->part, &part, &host, sim);
	if (err)
		return why_set(why, err, "a simulated %s has no such settings",
			       sim->ops->title);
	sim->ops->info(&sim->be.info);
	return 0;
}

static void sim_free(struct sim *sim)
{
	if (sim->be.irq_fd >= 0)
		close(sim->be.irq_fd);
	pthread_cond_destroy(&sim->wake);
	pthread_mutex_destroy(&sim->lock);
	free(sim->part);
	free(sim);
}

static struct sim *sim_new(const struct sim_ops *ops)
{
	struct sim *sim = xcalloc(1, sizeof(*sim));
	pthread_condattr_t attr;

	sim->ops = ops;
	sim->be.ops = &backend_sim;
	sim->be.irq_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	sim->due_ns = SIM_NEVER;
	pthread_mutex_init(&sim->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&sim->wake, &attr);
	pthread_condattr_destroy(&attr);
	return sim;
}

static int sim_open(struct backend **out, const struct node *conf,
		    uint16_t vendor, uint16_t device, char **why)
{
	const struct sim_ops *ops = find_part(vendor, device);
	struct sim *sim;
	int err;

	if (!ops)
		return why_set(why, -ENODEV,
			       "there is no simulated part for PCI %04x:%04x: "
			       "use another backend, or a model of a part "
			       "that there is: 10ec:8029, 8086:100e",
			       vendor, device);
	sim = sim_new(ops);
	if (sim->be.irq_fd < 0) {
		err = why_set(why, -errno, "cannot make an eventfd: %s",
			      strerror(errno));
		goto out;
	}
	err = part_open(sim, conf, why);
	if (err)
		goto out;
	err = net_open(&sim->net, node_get(conf, "network"), sim_receive, sim,
		       why);
	if (err)
		goto out;
	err = -pthread_create(&sim->thread, NULL, hardware_thread, sim);
	if (err) {
		why_set(why, err, "cannot start a thread: %s", strerror(-err));
		net_close(sim->net);
		goto out;
	}
	*out = &sim->be;
	return 0;
out:
	sim_free(sim);
	return err;
}

/* The thread that sends ends before the port, and the port before the part. */
static void sim_close(struct backend *be)
{
	struct sim *sim = to_sim(be);

	if (!be)
		return;
	pthread_mutex_lock(&sim->lock);
	sim->stop = true;
	pthread_cond_signal(&sim->wake);
	pthread_mutex_unlock(&sim->lock);
	pthread_join(sim->thread, NULL);
	net_close(sim->net);
	sim_free(sim);
}

const struct backend_ops backend_sim = {
	.name = "sim",
	.open = sim_open,
	.close = sim_close,
	.read = sim_read,
	.write = sim_write,
	.read_string = sim_read_string,
	.write_string = sim_write_string,
	.reset = sim_reset,
	.irq_level = sim_irq_level,
	.unheard = sim_unheard,
	.watch = sim_watch,
	.dma_map = sim_dma_map,
	.dma_unmap = sim_dma_unmap,
	.bus_master = sim_bus_master,
	.dma_faults = sim_dma_faults,
};
