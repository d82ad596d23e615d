/* SPDX-License-Identifier: MIT */
/*
 * net_port.h: between net.c, which owns a port's thread, its queue and its
 * counters, and the kinds of ports: net_user.c, net_tap.c, net_dgram.c.
 */

#ifndef VMM_NET_PORT_H
#define VMM_NET_PORT_H

#include <poll.h>

#include "../dmm/cc.h"
#include "net.h"

#define NET_MIN 14 /* an Ethernet header */

struct node;

/* The descriptors that a port's thread waits for. */
struct net_polls {
	struct pollfd *fd;
	size_t n, room;
	int timeout_ms; /* -1: no limit */
};

struct net_kind {
	const char *name; /* as in a machine file: "tap" */

	/*
	 * Open (conf), NULL for the plain name, and leave what the other
	 * functions need in (*state).  0 or -errno with (*why).
	 */
	int (*open)(struct net *net, const struct node *conf, void **state,
		    char **why);
	void (*close)(void *state); /* when the thread has ended */

	/*
	 * Send; false if the frame was lost.  If (direct), from any thread and
	 * several at once, without waiting; else from the port's thread.
	 */
	bool direct;
	bool (*send)(void *state, const uint8_t *frame, size_t len);

	/* The port's thread: what to wait for, and what came of it. */
	void (*fill)(void *state, struct net_polls *polls);
	void (*ready)(void *state, const struct net_polls *polls);
};

extern const struct net_kind net_user;
extern const struct net_kind net_tap;
extern const struct net_kind net_dgram;

/* For (fill): its index in (polls). */
size_t net_poll_add(struct net_polls *polls, int fd, short events);

/* For (ready), from the port's thread: a frame came from outside. */
void net_deliver(struct net *net, const uint8_t *frame, size_t len);

/*
 * Read frames from (fd), which does not block, by read(2), and deliver them;
 * a bounded number, so that what is to be sent gets its turn.
 */
void net_read(struct net *net, int fd);

/* Have the port's thread look again at once.  From any thread. */
void net_wake(struct net *net);

/* A bounded queue of frames; no lock of its own. */
struct net_queue {
	uint8_t *buf;
	size_t size, head, used;
};

void net_queue_init(struct net_queue *queue, size_t size);
void net_queue_fini(struct net_queue *queue);
bool net_queue_put(struct net_queue *queue, const uint8_t *frame, size_t len);
/* The oldest frame into (to), of NET_MAX bytes; its length, or 0 if none. */
size_t net_queue_get(struct net_queue *queue, uint8_t *to);

#endif /* VMM_NET_PORT_H */
