/* SPDX-License-Identifier: MIT */
/*
 * net_dgram.c: a network port that is a pair of UNIX datagram sockets, a
 * frame a datagram, as QEMU's `-netdev dgram` has it.
 *
 * The other side may come and go; what is sent while it is away is lost.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../dmm/load.h"
#include "log.h"
#include "net_port.h"
#include "why.h"

struct dgram {
	struct net *net;
	int fd;
	struct sockaddr_un local, remote;
};

static int dgram_path(const struct node *conf, const char *key,
		      struct sockaddr_un *to, char **why)
{
	const struct node *node = node_get(conf, key);

	if (!node || node->kind != NODE_SCALAR || !*node->text)
		return why_set(why, -EINVAL,
			       "line %u: \"dgram\" wants \"%s: PATH\", a UNIX "
			       "socket",
			       node ? node->pos.line : conf->pos.line, key);
	to->sun_family = AF_UNIX;
	if (strlen(node->text) >= sizeof(to->sun_path))
		return why_set(why, -EINVAL,
			       "line %u: a socket's path has at most %zu "
			       "bytes: use a shorter one",
			       node->pos.line, sizeof(to->sun_path) - 1);
	strcpy(to->sun_path, node->text);
	return 0;
}

static int dgram_parse(struct dgram *dg, const struct node *conf, char **why)
{
	static const char *const keys[] = { "local", "remote" };
	struct diag diag;
	int err;

	if (!conf)
		return why_set(
			why, -EINVAL,
			"the network \"dgram\" needs two paths: { dgram: "
			"{ local: PATH, remote: PATH } }");
	diag_init(&diag, NULL);
	err = node_expect(conf, NODE_MAP, "dgram", &diag);
	if (!err)
		err = node_known(conf, "dgram", keys, ARRAY_LEN(keys), &diag);
	if (err)
		return why_diag(why, &diag);
	diag_fini(&diag);
	err = dgram_path(conf, "local", &dg->local, why);
	return err ? err : dgram_path(conf, "remote", &dg->remote, why);
}

/*
 * Take away a socket that a killed process left, but not one that somebody
 * listens to, and nothing that is not a socket.
 */
static int clear_stale(const struct sockaddr_un *local, int fd, char **why)
{
	struct stat st;

	if (lstat(local->sun_path, &st) < 0)
		return 0; /* bind will say what is wrong */
	if (!S_ISSOCK(st.st_mode))
		return why_set(why, -EEXIST,
			       "%s exists and is no socket: remove it or use "
			       "another path",
			       local->sun_path);
	if (!connect(fd, (const struct sockaddr *)local, sizeof(*local)))
		return why_set(why, -EADDRINUSE,
			       "%s belongs to a running program: end it or "
			       "use another path",
			       local->sun_path);
	if (unlink(local->sun_path) < 0)
		return why_set(why, -errno,
			       "cannot remove the old socket %s: %s",
			       local->sun_path, strerror(errno));
	return 0;
}

static int dgram_open(struct net *net, const struct node *conf, void **state,
		      char **why)
{
	struct dgram *dg = xcalloc(1, sizeof(*dg));
	int err = dgram_parse(dg, conf, why);

	dg->net = net;
	if (err)
		goto out;
	dg->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dg->fd < 0) {
		err = why_set(why, -errno, "cannot make a socket: %s",
			      strerror(errno));
		goto out;
	}
	err = clear_stale(&dg->local, dg->fd, why);
	if (err)
		goto out_fd;
	if (bind(dg->fd, (const struct sockaddr *)&dg->local,
		 sizeof(dg->local)) < 0) {
		err = why_set(why, -errno, "cannot make the socket %s: %s",
			      dg->local.sun_path, strerror(errno));
		goto out_fd;
	}
	*state = dg;
	return 0;
out_fd:
	close(dg->fd);
out:
	free(dg);
	return err;
}

static void dgram_close(void *state)
{
	struct dgram *dg = state;

	close(dg->fd);
	unlink(dg->local.sun_path);
	free(dg);
}

static bool dgram_send(void *state, const uint8_t *frame, size_t len)
{
	const struct dgram *dg = state;

	return sendto(dg->fd, frame, len, MSG_NOSIGNAL,
		      (const struct sockaddr *)&dg->remote,
		      sizeof(dg->remote)) == (ssize_t)len;
}

static void dgram_fill(void *state, struct net_polls *polls)
{
	const struct dgram *dg = state;

	net_poll_add(polls, dg->fd, POLLIN);
}

static void dgram_ready(void *state, const struct net_polls *polls)
{
	const struct dgram *dg = state;

	(void)polls;
	net_read(dg->net, dg->fd);
}

const struct net_kind net_dgram = {
	.name = "dgram",
	.open = dgram_open,
	.close = dgram_close,
	.direct = true,
	.send = dgram_send,
	.fill = dgram_fill,
	.ready = dgram_ready,
};
