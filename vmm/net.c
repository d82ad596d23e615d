/* SPDX-License-Identifier: MIT */
/*
 * net.c: a network port: reads its description, runs its thread, queues and
 * counts its frames.  The kinds of ports are in files of their own.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../dmm/load.h"
#include "log.h"
#include "net_port.h"
#include "pcap.h"
#include "why.h"

#define QUEUE_BYTES (256u << 10)
#define READ_BURST 64

struct net {
	const struct net_kind *kind; /* NULL: none */
	void *state;
	net_receive_fn *receive;
	void *ctx;
	struct pcap *pcap;
	pthread_mutex_t watch_lock;
	net_receive_fn *watch; /* NULL: nobody */
	void *watch_ctx;
	pthread_t thread;
	int wake_fd;
	atomic_bool stop;

	pthread_mutex_t lock; /* of (queue) */
	struct net_queue queue;

	atomic_uint_fast64_t sent, received, lost, bad;
};

/*
 * Queues.  A frame is two bytes of length, then its own, around the end of
 * the buffer if need be.
 */

void net_queue_init(struct net_queue *queue, size_t size)
{
	queue->buf = xcalloc(1, size);
	queue->size = size;
	queue->head = 0;
	queue->used = 0;
}

void net_queue_fini(struct net_queue *queue)
{
	free(queue->buf);
}

static void queue_in(struct net_queue *queue, const uint8_t *from, size_t len)
{
	size_t at = (queue->head + queue->used) % queue->size;
	size_t part = queue->size - at < len ? queue->size - at : len;

	memcpy(queue->buf + at, from, part);
	memcpy(queue->buf, from + part, len - part);
	queue->used += len;
}

static void queue_out(struct net_queue *queue, uint8_t *to, size_t len)
{
	size_t part = queue->size - queue->head;

	part = part < len ? part : len;
	memcpy(to, queue->buf + queue->head, part);
	memcpy(to + part, queue->buf, len - part);
	queue->head = (queue->head + len) % queue->size;
	queue->used -= len;
}

bool net_queue_put(struct net_queue *queue, const uint8_t *frame, size_t len)
{
	uint8_t head[2] = { (uint8_t)len, (uint8_t)(len >> 8) };

	if (queue->size - queue->used < sizeof(head) + len)
		return false;
	queue_in(queue, head, sizeof(head));
	queue_in(queue, frame, len);
	return true;
}

size_t net_queue_get(struct net_queue *queue, uint8_t *to)
{
	uint8_t head[2];
	size_t len;

	if (!queue->used)
		return 0;
	queue_out(queue, head, sizeof(head));
	len = (size_t)(head[0] | head[1] << 8);
	queue_out(queue, to, len);
	return len;
}

/*
 * The port "loop": what is sent comes back, by the thread.
 */

static int loop_open(struct net *net, const struct node *conf, void **state,
		     char **why)
{
	(void)conf;
	(void)why;
	*state = net;
	return 0;
}

static void loop_close(void *state)
{
	(void)state;
}

static bool loop_send(void *state, const uint8_t *frame, size_t len)
{
	net_deliver(state, frame, len);
	return true;
}

static const struct net_kind net_loop = {
	.name = "loop",
	.open = loop_open,
	.close = loop_close,
	.send = loop_send,
};

/*
 * The port "sink": what is sent is counted and gone, with no thread's help.
 */

static bool sink_send(void *state, const uint8_t *frame, size_t len)
{
	(void)state;
	(void)frame;
	(void)len;
	return true;
}

static const struct net_kind net_sink = {
	.name = "sink",
	.open = loop_open,
	.close = loop_close,
	.direct = true,
	.send = sink_send,
};

/* NULL ends the table; "none" is no kind at all. */
static const struct net_kind *const kinds[] = { &net_user,  &net_tap,
						&net_dgram, &net_loop,
						&net_sink,  NULL };

/* For people; "sink" is for benchmarks. */
#define KINDS_HELP "user, tap, dgram, loop or none"

/*
 * The thread.
 */

size_t net_poll_add(struct net_polls *polls, int fd, short events)
{
	if (polls->n == polls->room) {
		size_t room = polls->room ? 2 * polls->room : 8;
		struct pollfd *fds =
			realloc(polls->fd, room * sizeof(*polls->fd));

		if (!fds)
			fatalx("no memory for %zu sockets", room);
		polls->fd = fds;
		polls->room = room;
	}
	polls->fd[polls->n].fd = fd;
	polls->fd[polls->n].events = events;
	polls->fd[polls->n].revents = 0;
	return polls->n++;
}

void net_wake(struct net *net)
{
	uint64_t one = 1;

	/* EAGAIN: it was woken 2^64 - 2 times, and will come. */
	if (write(net->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warn("cannot wake a network port");
}

static bool length_ok(struct net *net, size_t len)
{
	if (len >= NET_MIN && len <= NET_MAX)
		return true;
	atomic_fetch_add(&net->bad, 1);
	return false;
}

void net_watch(struct net *net, net_receive_fn *fn, void *ctx)
{
	pthread_mutex_lock(&net->watch_lock);
	net->watch = fn;
	net->watch_ctx = ctx;
	pthread_mutex_unlock(&net->watch_lock);
}

/* A frame on the wire, seen by who looks. */
static void show(struct net *net, const uint8_t *frame, size_t len)
{
	pcap_frame(net->pcap, frame, len);
	pthread_mutex_lock(&net->watch_lock);
	if (net->watch)
		net->watch(net->watch_ctx, frame, len);
	pthread_mutex_unlock(&net->watch_lock);
}

void net_deliver(struct net *net, const uint8_t *frame, size_t len)
{
	if (!length_ok(net, len))
		return;
	show(net, frame, len);
	atomic_fetch_add(&net->received, 1);
	net->receive(net->ctx, frame, len);
}

void net_read(struct net *net, int fd)
{
	/* A byte more than may be shows what was too long. */
	uint8_t frame[NET_MAX + 1];

	for (unsigned int i = 0; i < READ_BURST; i++) {
		ssize_t n = read(fd, frame, sizeof(frame));

		if (n < 0)
			return;
		net_deliver(net, frame, (size_t)n);
	}
}

static void send_now(struct net *net, const uint8_t *frame, size_t len)
{
	if (net->kind->send(net->state, frame, len))
		atomic_fetch_add(&net->sent, 1);
	else
		atomic_fetch_add(&net->lost, 1);
}

static void drain(struct net *net)
{
	uint8_t frame[NET_MAX];

	for (;;) {
		size_t len;

		pthread_mutex_lock(&net->lock);
		len = net_queue_get(&net->queue, frame);
		pthread_mutex_unlock(&net->lock);
		if (!len)
			return;
		send_now(net, frame, len);
	}
}

static void *net_thread(void *arg)
{
	struct net *net = arg;
	struct net_polls polls = { 0 };
	uint64_t woken;

	while (!atomic_load(&net->stop)) {
		drain(net);
		polls.n = 0;
		polls.timeout_ms = -1;
		net_poll_add(&polls, net->wake_fd, POLLIN);
		if (net->kind->fill)
			net->kind->fill(net->state, &polls);
		if (poll(polls.fd, polls.n, polls.timeout_ms) < 0 &&
		    errno != EINTR)
			log_warn("cannot wait for the network");
		if (read(net->wake_fd, &woken, sizeof(woken)) < 0 &&
		    errno != EAGAIN)
			log_warn("cannot read a network port's eventfd");
		if (net->kind->ready)
			net->kind->ready(net->state, &polls);
	}
	drain(net); /* what was sent before the end is sent */
	free(polls.fd);
	return NULL;
}

void net_send(struct net *net, const uint8_t *frame, size_t len)
{
	bool queued;

	if (!length_ok(net, len))
		return;
	show(net, frame, len);
	if (!net->kind) {
		atomic_fetch_add(&net->lost, 1);
		return;
	}
	if (net->kind->direct) {
		send_now(net, frame, len);
		return;
	}
	pthread_mutex_lock(&net->lock);
	queued = net_queue_put(&net->queue, frame, len);
	pthread_mutex_unlock(&net->lock);
	if (queued)
		net_wake(net);
	else
		atomic_fetch_add(&net->lost, 1);
}

/*
 * Opening.
 */

static const struct net_kind *find_kind(const char *name)
{
	for (size_t i = 0; kinds[i]; i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

/* "network: user" */
static int parse_word(struct net *net, const struct node *conf, char **why)
{
	net->kind = find_kind(conf->text);
	if (net->kind || node_is(conf, "none"))
		return 0;
	return why_set(why, -EINVAL,
		       "line %u: there is no network \"%s\": use " KINDS_HELP,
		       conf->pos.line, conf->text);
}

static bool node_empty(const struct node *node)
{
	return (node->kind != NODE_SCALAR && !node->n) || node_is(node, "") ||
	       node_is(node, "null") || node_is(node, "~");
}

/* "network: { user: { tftp: DIR }, pcap: FILE }": one kind, maybe pcap. */
static int parse_map(struct net *net, const struct node *conf,
		     const struct node **arg, const char **pcap, char **why)
{
	unsigned int found = 0;

	for (size_t i = 0; i < conf->n; i++) {
		const struct node *key = conf->key[i];

		if (node_is(key, "pcap")) {
			if (conf->at[i]->kind != NODE_SCALAR ||
			    node_empty(conf->at[i]))
				return why_set(why, -EINVAL,
					       "line %u: \"pcap\" wants the "
					       "name of a file",
					       key->pos.line);
			*pcap = conf->at[i]->text;
			continue;
		}
		if (parse_word(net, key, why))
			return -EINVAL;
		found++;
		*arg = node_empty(conf->at[i]) ? NULL : conf->at[i];
	}
	if (found == 1)
		return 0;
	return why_set(why, -EINVAL,
		       "line %u: a network has one of " KINDS_HELP ", not %u",
		       conf->pos.line, found);
}

static int parse(struct net *net, const struct node *conf,
		 const struct node **arg, const char **pcap, char **why)
{
	int err;

	if (!conf)
		return 0;
	if (conf->kind == NODE_SCALAR)
		err = parse_word(net, conf, why);
	else if (conf->kind == NODE_MAP)
		err = parse_map(net, conf, arg, pcap, why);
	else
		err = why_set(why, -EINVAL,
			      "line %u: a network is one word or a mapping, "
			      "not a list: use " KINDS_HELP,
			      conf->pos.line);
	if (!err && *arg &&
	    (!net->kind || net->kind == &net_loop || net->kind == &net_sink))
		err = why_set(why, -EINVAL,
			      "line %u: \"%s\" takes nothing: leave it empty",
			      (*arg)->pos.line,
			      net->kind ? net->kind->name : "none");
	return err;
}

static int start(struct net *net, const struct node *arg, char **why)
{
	int err;

	net->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (net->wake_fd < 0)
		return why_set(why, -errno, "cannot make an eventfd: %s",
			       strerror(errno));
	net_queue_init(&net->queue, QUEUE_BYTES);
	err = net->kind->open(net, arg, &net->state, why);
	if (err)
		goto out;
	err = -pthread_create(&net->thread, NULL, net_thread, net);
	if (!err)
		return 0;
	why_set(why, err, "cannot start a thread: %s", strerror(-err));
	net->kind->close(net->state);
out:
	close(net->wake_fd);
	net_queue_fini(&net->queue);
	return err;
}

int net_open(struct net **out, const struct node *conf, net_receive_fn *receive,
	     void *ctx, char **why)
{
	struct net *net = xcalloc(1, sizeof(*net));
	const struct node *arg = NULL;
	const char *pcap = NULL;
	int err;

	net->receive = receive;
	net->ctx = ctx;
	pthread_mutex_init(&net->lock, NULL);
	pthread_mutex_init(&net->watch_lock, NULL);
	err = parse(net, conf, &arg, &pcap, why);
	if (err)
		goto out;
	if (pcap) {
		err = pcap_open(&net->pcap, pcap);
		if (err) {
			why_set(why, err,
				"cannot write the capture file %s: %s", pcap,
				strerror(-err));
			goto out;
		}
	}
	if (net->kind)
		err = start(net, arg, why);
	if (err)
		goto out;
	*out = net;
	return 0;
out:
	pcap_close(net->pcap);
	pthread_mutex_destroy(&net->lock);
	pthread_mutex_destroy(&net->watch_lock);
	free(net);
	return err;
}

void net_close(struct net *net)
{
	if (!net)
		return;
	if (net->kind) {
		atomic_store(&net->stop, true);
		net_wake(net);
		pthread_join(net->thread, NULL);
		net->kind->close(net->state);
		close(net->wake_fd);
		net_queue_fini(&net->queue);
	}
	log_debug("network %s: %ju frames sent, %ju received, %ju lost, "
		  "%ju of a bad length",
		  net->kind ? net->kind->name : "none", (uintmax_t)net->sent,
		  (uintmax_t)net->received, (uintmax_t)net->lost,
		  (uintmax_t)net->bad);
	pcap_close(net->pcap);
	pthread_mutex_destroy(&net->lock);
	pthread_mutex_destroy(&net->watch_lock);
	free(net);
}
