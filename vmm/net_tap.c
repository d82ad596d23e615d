/* SPDX-License-Identifier: MIT */
/*
 * net_tap.c: a network port that is a TAP interface of the host, an existing
 * one or one that lives as long as the port.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../dmm/load.h"
#include "log.h"
#include "net_port.h"
#include "why.h"

struct tap {
	struct net *net;
	int fd;
};

static int tap_refused(char **why, int err, const char *name)
{
	switch (err) {
	case -EPERM:
	case -EACCES:
		return why_set(why, err,
			       "no right to open the TAP interface %s: run as "
			       "root, or once: sudo ip tuntap add dev %s mode "
			       "tap user $USER",
			       name, name);
	case -EBUSY:
		return why_set(why, err,
			       "the TAP interface %s is in use: end its user "
			       "or name another",
			       name);
	case -EINVAL:
		return why_set(why, err,
			       "%s exists and is no TAP interface: name "
			       "another",
			       name);
	default:
		return why_set(why, err, "cannot open the TAP interface %s: %s",
			       name, strerror(-err));
	}
}

/* A new interface is down; without the right to raise it, say so. */
static void tap_up(const char *name)
{
	struct ifreq req = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(req.ifr_name, name);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &req) < 0)
		goto out;
	if (req.ifr_flags & IFF_UP)
		goto out;
	req.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		log_warnx("the TAP interface %s is down: sudo ip link set %s "
			  "up",
			  name, name);
out:
	if (fd >= 0)
		close(fd);
}

static int tap_attach(struct tap *tap, const char *name, char **why)
{
	struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int err;

	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd < 0 && errno == ENOENT)
		return why_set(why, -ENOENT,
			       "no /dev/net/tun: sudo modprobe tun");
	if (tap->fd < 0)
		return tap_refused(why, -errno, name);
	strcpy(req.ifr_name, name);
	if (ioctl(tap->fd, TUNSETIFF, &req) < 0) {
		err = tap_refused(why, -errno, name);
		close(tap->fd);
		return err;
	}
	tap_up(name);
	return 0;
}

static int tap_open(struct net *net, const struct node *conf, void **state,
		    char **why)
{
	struct tap *tap;
	int err;

	if (!conf || conf->kind != NODE_SCALAR || !*conf->text)
		return why_set(why, -EINVAL,
			       "the network \"tap\" wants an interface's name: "
			       "{ tap: NAME }");
	if (strlen(conf->text) >= IFNAMSIZ || strpbrk(conf->text, "/%"))
		return why_set(why, -EINVAL,
			       "line %u: \"%s\" is no name of an interface: "
			       "at most %d characters, without / and %%",
			       conf->pos.line, conf->text, IFNAMSIZ - 1);
	tap = xcalloc(1, sizeof(*tap));
	tap->net = net;
	err = tap_attach(tap, conf->text, why);
	if (err) {
		free(tap);
		return err;
	}
	*state = tap;
	return 0;
}

static void tap_close(void *state)
{
	struct tap *tap = state;

	close(tap->fd);
	free(tap);
}

static bool tap_send(void *state, const uint8_t *frame, size_t len)
{
	const struct tap *tap = state;

	return write(tap->fd, frame, len) == (ssize_t)len;
}

static void tap_fill(void *state, struct net_polls *polls)
{
	const struct tap *tap = state;

	net_poll_add(polls, tap->fd, POLLIN);
}

static void tap_ready(void *state, const struct net_polls *polls)
{
	const struct tap *tap = state;

	(void)polls;
	net_read(tap->net, tap->fd);
}

const struct net_kind net_tap = {
	.name = "tap",
	.open = tap_open,
	.close = tap_close,
	.direct = true,
	.send = tap_send,
	.fill = tap_fill,
	.ready = tap_ready,
};
