/* SPDX-License-Identifier: MIT */
/*
 * backend_qtest.c: a device of a stock QEMU as the physical device.
 *
 *   backend: qtest
 *   network: user			see net.h
 *   mac: 52:54:00:12:34:56		the card's own
 *   memory: 512M			all that the device can reach
 *   qemu: qemu-system-x86_64		a name in PATH, or a path
 *
 * A QEMU of our own runs a machine whose processor is parked and whose one
 * device we drive by the qtest protocol.  Its memory is a file without a name
 * that guests' memory and the monitor's are windows of: so its DMA is real.
 * Its wire is a pair of datagram sockets to our own network port.  All that
 * it has of us it inherits, so nothing of it is in any file system, and it
 * dies when we do.
 *
 * QEMU's own resets leave registers as they were (an 8390's all, a pcnet's
 * CSRs, an e1000e's EIAC); so our reset is a new QEMU, in 30 ms.
 *
 * Threads: the card's thread starts QEMU, which must not outlive the thread
 *          that did, and relays its frames; qtest.h's watches its interrupts.
 *          (lock) is of what the card's thread is asked for.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../dmm/load.h"
#include "backend.h"
#include "log.h"
#include "net.h"
#include "qemu.h"
#include "qtest_pci.h"
#include "why.h"

#define TIMEOUT_MS 5000
#define RELAY_BURST 64
#define STALL_MS 10 /* how long a frame waits for QEMU */

#define MEMORY_MIN (16 * QEMU_MEGA)
#define MEMORY_DEFAULT (512 * QEMU_MEGA)
#define PAGE UINT64_C(4096)

struct part {
	uint16_t vendor, device;
	const char *name; /* QEMU's */
};

/* e1000's mitigation would hold interrupts back for 128 us at least. */
static const struct part parts[] = {
	{ 0x8086, 0x100e, "e1000,mitigation=off" },
	{ 0x8086, 0x1008, "e1000-82544gc,mitigation=off" },
	{ 0x8086, 0x100f, "e1000-82545em,mitigation=off" },
	{ 0x8086, 0x10d3, "e1000e" },
	{ 0x10ec, 0x8029, "ne2k_pci" },
	{ 0x10ec, 0x8139, "rtl8139" },
	{ 0x1022, 0x2000, "pcnet" },
};

enum ask { ASK_NOTHING, ASK_START, ASK_END };

struct card {
	struct backend be; /* first */
	const struct part *part;
	uint8_t mac[6];
	uint64_t given; /* bytes of the memory, from 0 */
	struct qemu_conf conf;
	char device[96]; /* of (conf) */
	struct net *net;
	int net_fd; /* our end of the wire; QEMU's stays open */
	uint64_t addr[BACKEND_BARS]; /* where they are in QEMU's machine */
	struct qemu qemu;
	struct qtest *qtest;	   /* NULL: QEMU could not be started */
	bool touched;		   /* since it was started */
	bool master;		   /* it may master the bus */
	atomic_bool stalled;	   /* QEMU takes no frames */
	atomic_bool running;	   /* and what goes wrong is to be said */
	atomic_uint_fast64_t lost; /* frames that QEMU had no room for */

	pthread_t thread;
	int ask_fd;
	pthread_mutex_t lock; /* all below */
	pthread_cond_t done;
	enum ask ask;
	int err;
	char *why;
};

static struct card *to_card(struct backend *be)
{
	return (struct card *)be;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/*
 * QEMU.
 */

/* Nothing that was meant for the QEMU before may reach the next. */
static void clear_wire(struct card *card)
{
	char byte;

	while (recv(card->conf.wire_fd, &byte, 1, MSG_DONTWAIT) >= 0)
		;
	atomic_store(&card->stalled, false);
}

/* qtest's: on any thread, with its lock held. */
static void qemu_died(void *ctx, const char *why)
{
	struct card *card = ctx;
	char said[256];

	qemu_kill(&card->qemu); /* it may hang, and master the bus still */
	if (!atomic_load(&card->running))
		return;
	qemu_words(&card->qemu, said, sizeof(said));
	log_warnx("QEMU's %.*s is gone: %s%s%s; it reads as ones now",
		  (int)strcspn(card->part->name, ","), card->part->name, why,
		  *said ? ": " : "", said);
}

static void end_qemu(struct card *card)
{
	atomic_store(&card->running, false);
	qtest_close(card->qtest); /* first: until then it may kill it */
	card->qtest = NULL;
	qemu_end(&card->qemu);
}

/*
 * The wire.
 */

/* From the network port's thread; QEMU has room for ten frames or so. */
static void card_receive(void *ctx, const uint8_t *frame, size_t len)
{
	struct card *card = ctx;
	struct pollfd room = { .fd = card->net_fd, .events = POLLOUT };

	for (int try = 0; try < 2; try++) {
		if (send(card->net_fd, frame, len,
			 MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
			atomic_store(&card->stalled, false);
			return;
		}
		/* One that hears nothing shall not delay what is sent. */
		if (errno != EAGAIN || atomic_load(&card->stalled) ||
		    poll(&room, 1, STALL_MS) < 1)
			break;
	}
	atomic_store(&card->stalled, true);
	atomic_fetch_add(&card->lost, 1);
}

static void relay(struct card *card)
{
	uint8_t frame[NET_MAX + 1]; /* longer ones show */

	for (unsigned int i = 0; i < RELAY_BURST; i++) {
		ssize_t n =
			recv(card->net_fd, frame, sizeof(frame), MSG_DONTWAIT);

		if (n < 0)
			return;
		net_send(card->net, frame, (size_t)n);
	}
}

/* What was asked of the card's thread; false if it is to end. */
static bool serve(struct card *card)
{
	enum ask ask;

	pthread_mutex_lock(&card->lock);
	ask = card->ask;
	if (ask == ASK_START) {
		clear_wire(card);
		card->err = qemu_start(&card->qemu, &card->conf, &card->why);
	}
	card->ask = ASK_NOTHING;
	pthread_cond_signal(&card->done);
	pthread_mutex_unlock(&card->lock);
	return ask != ASK_END;
}

static void *card_thread(void *arg)
{
	struct card *card = arg;
	struct pollfd fds[] = { { .fd = card->ask_fd, .events = POLLIN },
				{ .fd = card->net_fd, .events = POLLIN } };
	uint64_t n;

	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 1)
			continue; /* a signal */
		if (fds[1].revents)
			relay(card);
		if (!fds[0].revents)
			continue;
		if (read(card->ask_fd, &n, sizeof(n)) < 0)
			continue;
		if (!serve(card))
			return NULL;
	}
}

static int ask(struct card *card, enum ask what, char **why)
{
	uint64_t one = 1;
	int err;

	pthread_mutex_lock(&card->lock);
	card->ask = what;
	card->err = 0;
	card->why = NULL;
	if (write(card->ask_fd, &one, sizeof(one)) < 0)
		log_warn("cannot wake a thread");
	while (card->ask != ASK_NOTHING)
		pthread_cond_wait(&card->done, &card->lock);
	err = card->err;
	if (err && why)
		*why = card->why;
	else
		free(card->why);
	pthread_mutex_unlock(&card->lock);
	return err;
}

/* Find it, place its BARs, let it answer there. */
static int set_up(struct card *card, char **why)
{
	bool good = qtest_pci_place(card->qtest, card->part->vendor,
				    card->part->device, &card->be.info,
				    card->addr);

	qtest_pci_command(card->qtest, card->master);
	if (good || qtest_dead(card->qtest))
		return 0;
	return why_set(why, -EIO, "%s gives us another device",
		       card->conf.program);
}

static int bring_up(struct card *card, char **why)
{
	struct qtest_conf conf = { .event_fd = card->be.irq_fd,
				   .timeout_ms = TIMEOUT_MS,
				   .dead = qemu_died,
				   .ctx = card };
	char said[256];
	int err = ask(card, ASK_START, why);

	conf.fd = card->qemu.protocol_fd;
	if (err) {
		close_fd(conf.fd);
		return err;
	}
	err = qtest_open(&card->qtest, &conf, why);
	if (err)
		return err;
	err = qtest_command(card->qtest, "irq_intercept_in ioapic");
	if (!err)
		err = set_up(card, why);
	atomic_store(&card->running, !err); /* from here on it is told */
	if (!err && qtest_dead(card->qtest))
		err = -EIO;
	card->touched = false;
	if (!err || *why)
		return err;
	qemu_wait(&card->qemu); /* what it said is whole then */
	qemu_words(&card->qemu, said, sizeof(said));
	return why_set(why, err, "%s gives us no device: %s",
		       card->conf.program,
		       *said ? said : "it ended without a word");
}

/* A new QEMU.  The one before lets go of memory first. */
static int card_reset(struct backend *be)
{
	struct card *card = to_card(be);
	char *why = NULL;
	uint64_t one = 1;
	int err;

	if (!card->qtest || qtest_dead(card->qtest))
		return -EIO;
	if (!card->touched)
		return 0;
	end_qemu(card);
	err = bring_up(card, &why);
	if (err) {
		log_warnx("QEMU does not start again: %s; the device reads as "
			  "ones now",
			  why ? why : "?");
		end_qemu(card);
	}
	free(why);
	if (write(be->irq_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warn("cannot tell of an interrupt");
	return err;
}

/*
 * Accesses.
 */

/* Where it is in QEMU's machine; false if it is nowhere. */
static bool locate(struct card *card, unsigned int bar, uint64_t off,
		   unsigned int width, enum qtest_space *space, uint64_t *addr)
{
	const struct backend_bar *b;

	if (!card->qtest || bar >= BACKEND_BARS)
		return false;
	b = &card->be.info.bar[bar];
	if (b->space == BACKEND_NONE || !cc_within(off, width, 0, b->size))
		return false;
	*space = b->space == BACKEND_IO ? QTEST_IO : QTEST_MEMORY;
	*addr = card->addr[bar] + off;
	card->touched = true;
	return true;
}

static uint64_t card_read(struct backend *be, unsigned int bar, uint64_t off,
			  unsigned int width)
{
	struct card *card = to_card(be);
	enum qtest_space space;
	uint64_t addr;

	if (!locate(card, bar, off, width, &space, &addr))
		return cc_ones(8 * width);
	return qtest_read(card->qtest, space, addr, width);
}

static void card_write(struct backend *be, unsigned int bar, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct card *card = to_card(be);
	enum qtest_space space;
	uint64_t addr;

	if (locate(card, bar, off, width, &space, &addr))
		qtest_write(card->qtest, space, addr, width,
			    value & cc_ones(8 * width));
}

static void card_read_string(struct backend *be, unsigned int bar, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	struct card *card = to_card(be);
	enum qtest_space space;
	uint64_t addr;

	if (locate(card, bar, off, width, &space, &addr))
		qtest_read_many(card->qtest, space, addr, width, to, n);
	else
		memset(to, 0xff, n * width);
}

static void card_write_string(struct backend *be, unsigned int bar,
			      uint64_t off, unsigned int width,
			      const void *from, size_t n)
{
	struct card *card = to_card(be);
	enum qtest_space space;
	uint64_t addr;

	if (locate(card, bar, off, width, &space, &addr))
		qtest_write_many(card->qtest, space, addr, width, from, n);
}

static bool card_irq_level(struct backend *be)
{
	struct card *card = to_card(be);

	return card->qtest && qtest_lines(card->qtest) & QEMU_PIRQ_LINES;
}

/*
 * Bus mastering.  QEMU's memory is there from the start, and there is no
 * IOMMU: a window is a promise, kept by those who check descriptors.
 */

static int card_guest_memory(struct backend *be, uint64_t bytes, int *fd,
			     uint64_t *offset, uint64_t *iova)
{
	struct card *card = to_card(be);

	if (!bytes)
		return -EINVAL;
	if (bytes > card->conf.memory - card->given)
		return -ENOMEM;
	*fd = card->conf.memory_fd;
	*offset = card->given;
	*iova = card->given;
	card->given += (bytes + PAGE - 1) & ~(PAGE - 1);
	return 0;
}

static int card_dma_map(struct backend *be, uint64_t iova, void *host,
			uint64_t len, bool writable)
{
	struct card *card = to_card(be);

	(void)host;
	(void)writable;
	if (len && cc_within(iova, len, QEMU_MEMORY_FIRST,
			     card->given - QEMU_MEMORY_FIRST))
		return 0;
	return -EINVAL;
}

static void card_dma_unmap(struct backend *be, uint64_t iova, uint64_t len)
{
	(void)be;
	(void)iova;
	(void)len;
}

static void card_bus_master(struct backend *be, bool on)
{
	struct card *card = to_card(be);

	card->master = on;
	if (card->qtest)
		qtest_pci_command(card->qtest, card->master);
}

static uint64_t not_known(struct backend *be)
{
	(void)be;
	return UINT64_MAX;
}

/*
 * Opening and closing.
 */

static int parse(struct card *card, const struct node *conf, char **why)
{
	static const char *const keys[] = { "model", "backend", "network",
					    "share", "mac",	"memory",
					    "qemu" };
	const struct node *mac = node_get(conf, "mac");
	const struct node *memory = node_get(conf, "memory");
	const struct node *qemu = node_get(conf, "qemu");
	struct diag diag;
	int err;

	diag_init(&diag, NULL);
	err = node_known(conf, "a device", keys, ARRAY_LEN(keys), &diag);
	if (!err && mac)
		err = node_mac(mac, "the card's mac", card->mac, &diag);
	if (!err && memory)
		err = node_size(memory, "memory", &card->conf.memory, &diag);
	if (!err && (card->conf.memory < MEMORY_MIN ||
		     card->conf.memory > QEMU_MEMORY_MAX ||
		     card->conf.memory % QEMU_MEGA))
		err = diag_error(&diag, memory->pos,
				 "memory is from 16M to 2G, in whole M");
	if (!err && qemu)
		err = node_expect(qemu, NODE_SCALAR, "a program's name", &diag);
	if (!err && qemu && !*qemu->text)
		err = diag_error(&diag, qemu->pos,
				 "qemu is a program's name or path");
	if (err)
		return why_diag(why, &diag);
	diag_fini(&diag);
	snprintf(card->device, sizeof(card->device),
		 "%s,mac=%02x:%02x:%02x:%02x:%02x:%02x", card->part->name,
		 card->mac[0], card->mac[1], card->mac[2], card->mac[3],
		 card->mac[4], card->mac[5]);
	card->conf.device = card->device;
	if (qemu)
		card->conf.program = qemu->text;
	return 0;
}

static int make_all(struct card *card, char **why)
{
	int wire[2], err;

	card->be.irq_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	card->ask_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (card->be.irq_fd < 0 || card->ask_fd < 0 ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, wire) < 0)
		return why_set(why, -errno, "cannot make a socket: %s",
			       strerror(errno));
	card->net_fd = wire[0];
	card->conf.wire_fd = wire[1];
	err = qemu_file("vpio-memory", card->conf.memory, &card->conf.memory_fd,
			why);
	return err ? err : qemu_rom(&card->conf.rom_fd, why);
}

static void card_free(struct card *card)
{
	close_fd(card->be.irq_fd);
	close_fd(card->ask_fd);
	close_fd(card->net_fd);
	close_fd(card->conf.wire_fd);
	close_fd(card->conf.memory_fd);
	close_fd(card->conf.rom_fd);
	pthread_cond_destroy(&card->done);
	pthread_mutex_destroy(&card->lock);
	free(card);
}

static struct card *card_new(const struct part *part)
{
	struct card *card = xcalloc(1, sizeof(*card));

	*card = (struct card){
		.be = { .ops = &backend_qtest, .irq_fd = -1 },
		.part = part,
		.mac = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 },
		.given = QEMU_MEMORY_FIRST,
		.conf = { .program = QEMU_PROGRAM,
			  .memory = MEMORY_DEFAULT,
			  .memory_fd = -1,
			  .rom_fd = -1,
			  .wire_fd = -1 },
		.qemu = { .protocol_fd = -1, .say_fd = -1 },
		.net_fd = -1,
		.ask_fd = -1,
	};
	pthread_mutex_init(&card->lock, NULL);
	pthread_cond_init(&card->done, NULL);
	return card;
}

static const struct part *find_part(uint16_t vendor, uint16_t device)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i].vendor == vendor && parts[i].device == device)
			return &parts[i];
	return NULL;
}

static int card_open(struct backend **out, const struct node *conf,
		     uint16_t vendor, uint16_t device, char **why)
{
	const struct part *part = find_part(vendor, device);
	struct card *card;
	int err;

	if (!part)
		return why_set(why, -ENODEV,
			       "QEMU has no device that fits PCI %04x:%04x: "
			       "use another backend",
			       vendor, device);
	card = card_new(part);
	err = parse(card, conf, why);
	if (!err)
		err = make_all(card, why);
	if (!err)
		err = net_open(&card->net, node_get(conf, "network"),
			       card_receive, card, why);
	if (err)
		goto out;
	err = -pthread_create(&card->thread, NULL, card_thread, card);
	if (err) {
		why_set(why, err, "cannot start a thread: %s", strerror(-err));
		goto out_net;
	}
	err = bring_up(card, why);
	if (!err) {
		*out = &card->be;
		return 0;
	}
	end_qemu(card);
	ask(card, ASK_END, NULL);
	pthread_join(card->thread, NULL);
out_net:
	net_close(card->net);
out:
	card_free(card);
	return err;
}

/* The thread that sends ends before the port. */
static void card_close(struct backend *be)
{
	struct card *card = to_card(be);

	if (!be)
		return;
	end_qemu(card);
	ask(card, ASK_END, NULL);
	pthread_join(card->thread, NULL);
	net_close(card->net);
	log_debug("QEMU had no room for %ju frames", (uintmax_t)card->lost);
	card_free(card);
}

static void card_watch(struct backend *be, net_receive_fn *fn, void *ctx)
{
	net_watch(to_card(be)->net, fn, ctx);
}

const struct backend_ops backend_qtest = {
	.name = "qtest",
	.open = card_open,
	.close = card_close,
	.read = card_read,
	.write = card_write,
	.read_string = card_read_string,
	.write_string = card_write_string,
	.reset = card_reset,
	.irq_level = card_irq_level,
	.unheard = not_known,
	.watch = card_watch,
	.dma_map = card_dma_map,
	.dma_unmap = card_dma_unmap,
	.bus_master = card_bus_master,
	.dma_faults = not_known,
	.guest_memory = card_guest_memory,
};
