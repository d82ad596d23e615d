/* SPDX-License-Identifier: MIT */
/*
 * net_user.c: a network port in user space, by libslirp: no rights needed.
 *
 * The network is 10.0.2.0/24: the host at .2, DNS at .3, DHCP from .15, and
 * the world behind NAT.  IPv4 alone; nothing outside reaches in.
 *
 *   user: { tftp: DIR }		the files of DIR, by TFTP from .2
 *   user: { restricted: true }	no world: only what .2 and .3 answer
 */

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../dmm/load.h"
#include "log.h"
#include "net_port.h"
#include "why.h"

#define REPLY_BYTES (256u << 10)

/*
 * libslirp keeps a few things for all its instances together (the address of
 * the host's DNS is one), so one thread at a time is inside it.
 */
static pthread_mutex_t slirp_lock = PTHREAD_MUTEX_INITIALIZER;

struct user {
	struct net *net;
	Slirp *slirp;
	const struct net_polls *polls;
	struct net_polls *filling;
	/*
	 * What it answered while it was called: delivered when the lock is
	 * free again.
	 */
	struct net_queue replies;
	uint64_t lost;
};

/*
 * What libslirp asks of us.
 */

static ssize_t user_reply(const void *frame, size_t len, void *opaque)
{
	struct user *user = opaque;

	if (len > NET_MAX || !net_queue_put(&user->replies, frame, len))
		user->lost++;
	return (ssize_t)len;
}

static void user_guest_error(const char *msg, void *opaque)
{
	(void)opaque;
	log_debug("libslirp: %s", msg);
}

static int64_t user_clock(void *opaque)
{
	struct timespec now;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Timers are for IPv6 router advertisements, which we do not have. */
static void *user_timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
	(void)cb;
	(void)cb_opaque;
	(void)opaque;
	return NULL;
}

static void user_timer_free(void *timer, void *opaque)
{
	(void)timer;
	(void)opaque;
}

static void user_timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
	(void)timer;
	(void)expire_ms;
	(void)opaque;
}

static void user_poll_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void user_notify(void *opaque)
{
	struct user *user = opaque;

	net_wake(user->net);
}

static const SlirpCb callbacks = {
	.send_packet = user_reply,
	.guest_error = user_guest_error,
	.clock_get_ns = user_clock,
	.timer_new = user_timer_new,
	.timer_free = user_timer_free,
	.timer_mod = user_timer_mod,
	.register_poll_fd = user_poll_fd,
	.unregister_poll_fd = user_poll_fd,
	.notify = user_notify,
};

/*
 * The port.
 */

static void deliver_replies(struct user *user)
{
	uint8_t frame[NET_MAX];
	size_t len;

	while ((len = net_queue_get(&user->replies, frame)))
		net_deliver(user->net, frame, len);
}

static bool user_send(void *state, const uint8_t *frame, size_t len)
{
	struct user *user = state;

	pthread_mutex_lock(&slirp_lock);
	slirp_input(user->slirp, frame, (int)len);
	pthread_mutex_unlock(&slirp_lock);
	deliver_replies(user);
	return true;
}

static int user_add_poll(int fd, int events, void *opaque)
{
	struct user *user = opaque;
	short want = 0;

	if (events & SLIRP_POLL_IN)
		want |= POLLIN;
	if (events & SLIRP_POLL_OUT)
		want |= POLLOUT;
	if (events & SLIRP_POLL_PRI)
		want |= POLLPRI;
	return (int)net_poll_add(user->filling, fd, want);
}

static void user_fill(void *state, struct net_polls *polls)
{
	struct user *user = state;
	uint32_t timeout = UINT32_MAX;

	user->filling = polls;
	pthread_mutex_lock(&slirp_lock);
	slirp_pollfds_fill(user->slirp, &timeout, user_add_poll, user);
	pthread_mutex_unlock(&slirp_lock);
	if (timeout != UINT32_MAX)
		polls->timeout_ms = timeout > INT_MAX ? INT_MAX : (int)timeout;
}

static int user_revents(int i, void *opaque)
{
	const struct user *user = opaque;
	short got = user->polls->fd[i].revents;
	int events = 0;

	if (got & POLLIN)
		events |= SLIRP_POLL_IN;
	if (got & POLLOUT)
		events |= SLIRP_POLL_OUT;
	if (got & POLLPRI)
		events |= SLIRP_POLL_PRI;
	if (got & POLLERR)
		events |= SLIRP_POLL_ERR;
	if (got & POLLHUP)
		events |= SLIRP_POLL_HUP;
	return events;
}

static void user_ready(void *state, const struct net_polls *polls)
{
	struct user *user = state;

	user->polls = polls;
	pthread_mutex_lock(&slirp_lock);
	slirp_pollfds_poll(user->slirp, 0, user_revents, user);
	pthread_mutex_unlock(&slirp_lock);
	deliver_replies(user);
}

static int check_tftp(const struct node *node, char **why)
{
	struct stat st;

	if (node->kind != NODE_SCALAR || !*node->text)
		return why_set(
			why, -EINVAL,
			"line %u: \"tftp\" wants the name of a directory",
			node->pos.line);
	if (stat(node->text, &st) < 0)
		return why_set(why, -errno,
			       "line %u: cannot serve %s by TFTP: %s",
			       node->pos.line, node->text, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return why_set(why, -ENOTDIR,
			       "line %u: cannot serve %s by TFTP: name the "
			       "directory that it is in",
			       node->pos.line, node->text);
	if (access(node->text, R_OK | X_OK) < 0)
		return why_set(why, -errno,
			       "line %u: cannot serve %s by TFTP: %s",
			       node->pos.line, node->text, strerror(errno));
	return 0;
}

static int user_parse(SlirpConfig *config, const struct node *conf, char **why)
{
	static const char *const keys[] = { "tftp", "restricted" };
	const struct node *tftp = node_get(conf, "tftp");
	const struct node *closed = node_get(conf, "restricted");
	bool restricted = false;
	struct diag diag;
	int err;

	if (!conf)
		return 0;
	diag_init(&diag, NULL);
	err = node_expect(conf, NODE_MAP, "user", &diag);
	if (!err)
		err = node_known(conf, "user", keys, ARRAY_LEN(keys), &diag);
	if (!err && closed)
		err = node_bool(closed, "restricted", &restricted, &diag);
	if (err)
		return why_diag(why, &diag);
	diag_fini(&diag);
	config->restricted = restricted;
	if (!tftp)
		return 0;
	config->tftp_path = tftp->text;
	return check_tftp(tftp, why);
}

static int user_open(struct net *net, const struct node *conf, void **state,
		     char **why)
{
	SlirpConfig config = {
		.version = SLIRP_CONFIG_VERSION_MAX,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(0x0a000200),
		.vnetmask.s_addr = htonl(0xffffff00),
		.vhost.s_addr = htonl(0x0a000202),
		.vdhcp_start.s_addr = htonl(0x0a00020f),
		.vnameserver.s_addr = htonl(0x0a000203),
	};
	int err = user_parse(&config, conf, why);
	struct user *user;

	if (err)
		return err;
	user = xcalloc(1, sizeof(*user));
	user->net = net;
	net_queue_init(&user->replies, REPLY_BYTES);
	pthread_mutex_lock(&slirp_lock);
	user->slirp = slirp_new(&config, &callbacks, user);
	pthread_mutex_unlock(&slirp_lock);
	if (!user->slirp) {
		net_queue_fini(&user->replies);
		free(user);
		return why_set(why, -ENOMEM, "cannot start libslirp %s",
			       slirp_version_string());
	}
	*state = user;
	return 0;
}

static void user_close(void *state)
{
	struct user *user = state;

	pthread_mutex_lock(&slirp_lock);
	slirp_cleanup(user->slirp);
	pthread_mutex_unlock(&slirp_lock);
	if (user->lost)
		log_debug("network user: %ju replies lost",
			  (uintmax_t)user->lost);
	net_queue_fini(&user->replies);
	free(user);
}

const struct net_kind net_user = {
	.name = "user",
	.open = user_open,
	.close = user_close,
	.send = user_send,
	.fill = user_fill,
	.ready = user_ready,
};
