/* SPDX-License-Identifier: MIT */
/*
 * test_net.c: network ports, each with real frames: libslirp's DHCP, ARP and
 * TFTP, a pair of datagram sockets, a TAP interface where there is the right
 * to make one; and what bad descriptions are told.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "dmm/load.h"
#include "vmm/net.h"
#include "vmm/net_port.h"

#define KEEP 64

/* What a port received. */
struct inbox {
	pthread_mutex_t lock;
	pthread_cond_t more;
	unsigned int n, taken;
	size_t len[KEEP];
	uint8_t frame[KEEP][NET_MAX];
};

struct fixture {
	struct inbox in;
	char dir[64];
	struct tree *tree;
	struct net *net;
};

static const uint8_t mac[6] = { 0x52, 0x54, 0, 0, 0, 0x0a };

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	assert_non_null(fx);
	pthread_mutex_init(&fx->in.lock, NULL);
	pthread_cond_init(&fx->in.more, NULL);
	strcpy(fx->dir, "/tmp/vpio-test-net-XXXXXX");
	assert_non_null(mkdtemp(fx->dir));
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;
	char *cmd;

	net_close(fx->net);
	load_free(fx->tree);
	assert_true(asprintf(&cmd, "rm -r %s", fx->dir) > 0);
	assert_int_equal(system(cmd), 0);
	free(cmd);
	pthread_cond_destroy(&fx->in.more);
	pthread_mutex_destroy(&fx->in.lock);
	free(fx);
	return 0;
}

static void receive(void *ctx, const uint8_t *frame, size_t len)
{
	struct inbox *in = ctx;

	pthread_mutex_lock(&in->lock);
	if (in->n < KEEP) {
		memcpy(in->frame[in->n], frame, len);
		in->len[in->n++] = len;
	}
	pthread_cond_signal(&in->more);
	pthread_mutex_unlock(&in->lock);
}

/* The next frame, or NULL if none comes in two seconds. */
static const uint8_t *next(struct inbox *in, size_t *len)
{
	struct timespec until;
	const uint8_t *frame = NULL;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	pthread_mutex_lock(&in->lock);
	while (in->taken == in->n && !err)
		err = pthread_cond_timedwait(&in->more, &in->lock, &until);
	if (in->taken < in->n) {
		frame = in->frame[in->taken];
		*len = in->len[in->taken++];
	}
	pthread_mutex_unlock(&in->lock);
	return frame;
}

/* Open what (fmt), YAML of a device's mapping, describes. */
static int open_port(struct fixture *fx, struct net **net, char **why,
		     const char *fmt, ...) PRINTF(4, 5);

static int open_port(struct fixture *fx, struct net **net, char **why,
		     const char *fmt, ...)
{
	const struct node *root;
	struct diag diag;
	va_list args;
	char *text;
	int err;

	va_start(args, fmt);
	assert_true(vasprintf(&text, fmt, args) > 0);
	va_end(args);
	diag_init(&diag, "test");
	load_free(fx->tree);
	fx->tree = NULL;
	err = load_yaml(&fx->tree, &root, text, strlen(text), &diag);
	assert_int_equal(err, 0);
	diag_fini(&diag);
	free(text);
	return net_open(net, node_get(root, "network"), receive, &fx->in, why);
}

static uint32_t sum(uint32_t acc, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		acc += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	return acc;
}

/* An Ethernet, IPv4 and UDP header in front of (len) bytes at frame + 42. */
static size_t udp(uint8_t *frame, const uint8_t to[6], uint32_t src,
		  uint32_t dst, uint16_t sport, uint16_t dport, size_t len)
{
	uint8_t *ip = frame + 14;
	uint32_t acc;

	memcpy(frame, to, 6);
	memcpy(frame + 6, mac, 6);
	memset(frame + 12, 0, 30);
	frame[12] = 8;
	ip[0] = 0x45;
	ip[2] = (uint8_t)((28 + len) >> 8);
	ip[3] = (uint8_t)(28 + len);
	ip[8] = 64;
	ip[9] = 17;
	for (unsigned int i = 0; i < 4; i++) {
		ip[12 + i] = (uint8_t)(src >> (24 - 8 * i));
		ip[16 + i] = (uint8_t)(dst >> (24 - 8 * i));
	}
	acc = sum(0, ip, 20);
	while (acc >> 16)
		acc = (acc & 0xffff) + (acc >> 16);
	ip[10] = (uint8_t)(~acc >> 8);
	ip[11] = (uint8_t)~acc;
	ip[20] = (uint8_t)(sport >> 8);
	ip[21] = (uint8_t)sport;
	ip[22] = (uint8_t)(dport >> 8);
	ip[23] = (uint8_t)dport;
	ip[24] = (uint8_t)((8 + len) >> 8);
	ip[25] = (uint8_t)(8 + len);
	return 42 + len;
}

static const uint8_t everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void dhcp_discover(struct net *net)
{
	uint8_t frame[342] = { 0 };
	uint8_t *bootp = frame + 42;

	bootp[0] = 1;
	bootp[1] = 1;
	bootp[2] = 6;
	bootp[4] = 0x12;
	memcpy(bootp + 28, mac, 6);
	memcpy(bootp + 236, "\x63\x82\x53\x63\x35\x01\x01\xff", 8);
	net_send(net, frame, udp(frame, everyone, 0, 0xffffffff, 68, 67, 300));
}

/* ARP for (ip); libslirp learns our address from it, too. */
static void arp_request(struct net *net, uint32_t ip)
{
	uint8_t frame[42] = { 0 };

	memcpy(frame, everyone, 6);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
	memcpy(frame + 22, mac, 6);
	memcpy(frame + 28, "\x0a\x00\x02\x0f", 4);
	for (unsigned int i = 0; i < 4; i++)
		frame[38 + i] = (uint8_t)(ip >> (24 - 8 * i));
	net_send(net, frame, sizeof(frame));
}

static bool is_arp_reply(const uint8_t *frame)
{
	return frame[12] == 8 && frame[13] == 6 && frame[21] == 2;
}

static const uint8_t *next_udp(struct inbox *in, uint16_t dport, size_t *len)
{
	const uint8_t *frame;

	while ((frame = next(in, len)))
		if (frame[12] == 8 && frame[13] == 0 && frame[23] == 17 &&
		    (frame[36] << 8 | frame[37]) == dport)
			return frame;
	return NULL;
}

static void test_user_dhcp(void **state)
{
	struct fixture *fx = *state;
	const uint8_t *frame;
	char *why = NULL;
	size_t len;

	assert_int_equal(open_port(fx, &fx->net, &why, "network: user"), 0);
	dhcp_discover(fx->net);
	frame = next_udp(&fx->in, 68, &len);
	assert_non_null(frame);
	assert_true(len >= 42 + 240);
	assert_int_equal(frame[42], 2); /* a reply, */
	assert_memory_equal(frame + 42 + 16, "\x0a\x00\x02\x0f", 4);
	assert_memory_equal(frame + 42 + 236, "\x63\x82\x53\x63\x35\x01\x02",
			    7); /* an offer */
}

static void test_user_arp(void **state)
{
	struct fixture *fx = *state;
	static const uint32_t hosts[] = { 0x0a000202, 0x0a000203 };
	char *why = NULL;

	assert_int_equal(open_port(fx, &fx->net, &why, "network: { user: }"),
			 0);
	for (unsigned int i = 0; i < 2; i++) {
		const uint8_t *frame;
		size_t len;

		arp_request(fx->net, hosts[i]);
		do
			frame = next(&fx->in, &len);
		while (frame && !is_arp_reply(frame));
		assert_non_null(frame);
		assert_memory_equal(frame, mac, 6);
		assert_int_equal(frame[31], hosts[i] & 0xff);
	}
}

static void test_user_tftp(void **state)
{
	struct fixture *fx = *state;
	static const uint8_t gateway[6] = { 0x52, 0x55, 10, 0, 2, 2 };
	static const char request[] = "\0\1file.bin\0octet";
	char path[128], *why = NULL;
	uint8_t frame[128] = { 0 };
	const uint8_t *got;
	uint16_t port;
	FILE *f;
	size_t len;

	snprintf(path, sizeof(path), "%s/file.bin", fx->dir);
	f = fopen(path, "wb");
	assert_non_null(f);
	for (unsigned int i = 0; i < 700; i++)
		fputc((int)(i * 3 & 255), f);
	fclose(f);

	assert_int_equal(open_port(fx, &fx->net, &why,
				   "network: { user: { tftp: %s } }", fx->dir),
			 0);
	arp_request(fx->net, 0x0a000202);
	memcpy(frame + 42, request, sizeof(request));
	net_send(fx->net, frame,
		 udp(frame, gateway, 0x0a00020f, 0x0a000202, 2000, 69,
		     sizeof(request)));
	for (unsigned int block = 1; block <= 2; block++) {
		size_t want = block == 1 ? 512 : 188;

		got = next_udp(&fx->in, 2000, &len);
		assert_non_null(got);
		port = (uint16_t)(got[34] << 8 | got[35]);
		assert_int_equal(got[43], 3); /* data */
		assert_int_equal(got[45], block);
		assert_int_equal((got[38] << 8 | got[39]) - 8 - 4, want);
		for (size_t i = 0; i < want; i++)
			assert_int_equal(got[46 + i],
					 ((block - 1) * 512 + i) * 3 & 255);
		memset(frame + 42, 0, 4);
		frame[43] = 4; /* acknowledged */
		frame[45] = (uint8_t)block;
		net_send(fx->net, frame,
			 udp(frame, gateway, 0x0a00020f, 0x0a000202, 2000, port,
			     4));
	}
}

/* Ten ports at once, opened and closed while they talk. */
static void test_user_many(void **state)
{
	struct fixture *fx = *state;
	struct net *net[10];
	char *why = NULL;
	size_t len;

	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(open_port(fx, &net[i], &why,
					   "network: { user: { restricted: "
					   "true } }"),
				 0);
		arp_request(net[i], 0x0a000202);
		dhcp_discover(net[i]);
	}
	assert_non_null(next_udp(&fx->in, 68, &len));
	for (unsigned int i = 0; i < 10; i++)
		net_close(net[i]);
}

static void test_loop(void **state)
{
	struct fixture *fx = *state;
	uint8_t frame[NET_MAX + 1] = { 0 };
	static const size_t lens[] = { 14, 60, 1514, NET_MAX };
	char *why = NULL;
	size_t len;

	assert_int_equal(open_port(fx, &fx->net, &why, "network: loop"), 0);
	net_send(fx->net, frame, 13); /* no frames, both */
	net_send(fx->net, frame, NET_MAX + 1);
	for (unsigned int i = 0; i < ARRAY_LEN(lens); i++) {
		const uint8_t *got;

		memset(frame, (int)(i + 1), sizeof(frame));
		net_send(fx->net, frame, lens[i]);
		got = next(&fx->in, &len);
		assert_non_null(got);
		assert_int_equal(len, lens[i]);
		assert_memory_equal(got, frame, len);
	}
}

/* None takes everything and gives nothing; no description is none. */
static void test_none(void **state)
{
	struct fixture *fx = *state;
	uint8_t frame[60] = { 0 };
	char *why = NULL;
	struct net *net;

	assert_int_equal(open_port(fx, &net, &why, "network: none"), 0);
	net_send(net, frame, sizeof(frame));
	net_close(net);
	assert_int_equal(open_port(fx, &net, &why, "other: 1"), 0);
	net_send(net, frame, sizeof(frame));
	net_close(net);
	assert_int_equal(fx->in.n, 0);
	net_close(NULL);
}

static void test_dgram(void **state)
{
	struct fixture *fx = *state;
	struct net *far;
	uint8_t frame[1514];
	const uint8_t *got;
	char *why = NULL;
	size_t len;

	memset(frame, 0x3c, sizeof(frame));
	assert_int_equal(open_port(fx, &fx->net, &why,
				   "network: { dgram: { local: %s/a, remote: "
				   "%s/b } }",
				   fx->dir, fx->dir),
			 0);
	net_send(fx->net, frame, 60); /* nobody there: lost */
	assert_int_equal(open_port(fx, &far, &why,
				   "network: { dgram: { local: %s/b, remote: "
				   "%s/a } }",
				   fx->dir, fx->dir),
			 0);
	net_send(fx->net, frame, sizeof(frame));
	got = next(&fx->in, &len);
	assert_non_null(got);
	assert_int_equal(len, sizeof(frame));
	net_send(far, frame, 14);
	got = next(&fx->in, &len);
	assert_non_null(got);
	assert_int_equal(len, 14);
	net_close(far);
	net_send(fx->net, frame, 60);
}

/* A socket left by a killed process is taken over; one in use is not. */
static void test_dgram_stale(void **state)
{
	struct fixture *fx = *state;
	struct net *again;
	char path[128], link_to[128], *why = NULL, *text;
	struct stat st;

	assert_true(asprintf(&text,
			     "network: { dgram: { local: %s/s, remote: %s/t "
			     "} }",
			     fx->dir, fx->dir) > 0);
	assert_int_equal(open_port(fx, &fx->net, &why, "%s", text), 0);
	assert_int_equal(open_port(fx, &again, &why, "%s", text), -EADDRINUSE);
	assert_non_null(strstr(why, "belongs to a running program"));
	free(why);
	net_close(fx->net);
	fx->net = NULL;

	/* A second name keeps the socket's file when the port removes it. */
	snprintf(path, sizeof(path), "%s/s", fx->dir);
	snprintf(link_to, sizeof(link_to), "%s/l", fx->dir);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(open_port(fx, &fx->net, &why, "%s", text), 0);
	assert_int_equal(link(path, link_to), 0);
	net_close(fx->net);
	assert_int_equal(rename(link_to, path), 0);
	assert_int_equal(open_port(fx, &fx->net, &why, "%s", text), 0);
	free(text);
}

/* The host's side of an interface: frames as they are. */
static int host_side(const char *name)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(0x88b5), /* for experiments: IEEE 802 */
		.sll_ifindex = (int)if_nametoindex(name),
	};
	struct timeval limit = { .tv_sec = 2 };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(0x88b5));

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
				    sizeof(limit)),
			 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* A frame each way between a port and the host. */
static void tap_exchange(struct fixture *fx)
{
	int fd = host_side("vpiotest0");
	uint8_t frame[100], got[200];
	const uint8_t *heard;
	size_t len;

	memset(frame, 0x42, sizeof(frame));
	memcpy(frame, everyone, 6);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	net_send(fx->net, frame, sizeof(frame));
	assert_int_equal(recv(fd, got, sizeof(got), 0), sizeof(frame));
	assert_memory_equal(got, frame, sizeof(frame));
	frame[50] = 0x43;
	assert_int_equal(send(fd, frame, sizeof(frame), 0), sizeof(frame));
	do /* the host may speak for itself, too */
		heard = next(&fx->in, &len);
	while (heard && heard[12] != 0x88);
	assert_non_null(heard);
	assert_int_equal(len, sizeof(frame));
	assert_memory_equal(heard, frame, sizeof(frame));
	close(fd);
}

/* Only with the right to make an interface. */
static void test_tap(void **state)
{
	struct fixture *fx = *state;
	char *why = NULL;
	struct net *net;
	int err = open_port(fx, &fx->net, &why, "network: { tap: vpiotest0 }");

	if (err) {
		assert_non_null(why);
		print_message("no TAP here: %s\n", why);
		free(why);
		skip();
	}
	assert_true(if_nametoindex("vpiotest0") != 0);
	tap_exchange(fx);
	assert_int_equal(open_port(fx, &net, &why,
				   "network: { tap: vpiotest0 }"),
			 -EBUSY);
	assert_non_null(strstr(why, "in use"));
	free(why);
	net_close(fx->net);
	fx->net = NULL;
	assert_int_equal(if_nametoindex("vpiotest0"), 0);
}

/* Both directions are in the capture file. */
static void test_pcap(void **state)
{
	struct fixture *fx = *state;
	uint8_t frame[60] = { 0 };
	char path[128], *why = NULL;
	struct stat st;
	struct net *net;
	size_t len;

	snprintf(path, sizeof(path), "%s/x.pcap", fx->dir);
	assert_int_equal(open_port(fx, &net, &why,
				   "network: { loop: , pcap: %s }", path),
			 0);
	net_send(net, frame, sizeof(frame));
	assert_non_null(next(&fx->in, &len));
	net_close(net);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 24 + 2 * (16 + 60));
}

/* Each with what it must say. */
static void test_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "network: usr", "use user, tap, dgram, loop or none" },
		{ "network: [ user ]", "not a list" },
		{ "network: {}", "has one of" },
		{ "network: { user: , loop: }", "not 2" },
		{ "network: { pcap: x }", "not 0" },
		{ "network: { loop: , pcap: }", "name of a file" },
		{ "network: { loop: , pcap: /nonexistent/x }", "No such file" },
		{ "network: { loop: 3 }", "takes nothing" },
		{ "network: { none: { a: b } }", "takes nothing" },
		{ "network: { user: { tftp: /nonexistent } }", "No such file" },
		{ "network: { user: { tftp: /etc/passwd } }", "directory" },
		{ "network: { user: { tftp: [] } }", "directory" },
		{ "network: { user: { tfpt: /tmp } }", "tftp" },
		{ "network: { user: { restricted: 3 } }", "restricted" },
		{ "network: { user: 3 }", "user" },
		{ "network: tap", "interface's name" },
		{ "network: { tap: a-name-that-is-too-long }", "15" },
		{ "network: { tap: a/b }", "no name" },
		{ "network: dgram", "two paths" },
		{ "network: { dgram: { local: a } }", "remote: PATH" },
		{ "network: { dgram: { remote: a } }", "local: PATH" },
		{ "network: { dgram: { local: a, remote: b, x: c } }", "x" },
		{ "network: { dgram: { local: /dev/null, remote: b } }",
		  "no socket" },
		{ "network: { dgram: { local: /nonexistent/a, remote: b } }",
		  "No such file" },
	};
	struct fixture *fx = *state;

	for (unsigned int i = 0; i < ARRAY_LEN(bad); i++) {
		struct net *net = NULL;
		char *why = NULL;
		int err = open_port(fx, &net, &why, "%s", bad[i].text);

		assert_true(err < 0);
		assert_non_null(why);
		if (!strstr(why, bad[i].says))
			fail_msg("%s: said \"%s\"", bad[i].text, why);
		assert_null(strchr(why, '\n'));
		free(why);
	}
}

/* The queue: order, wrap, and an end. */
static void test_queue(void **state)
{
	struct net_queue queue;
	uint8_t frame[NET_MAX], got[NET_MAX];
	unsigned int in = 0, out = 0;

	(void)state;
	net_queue_init(&queue, 1000);
	assert_int_equal(net_queue_get(&queue, got), 0);
	for (unsigned int round = 0; round < 300; round++) {
		for (;;) {
			size_t len = 14 + in * 13 % 90;

			memset(frame, (int)in, len);
			if (!net_queue_put(&queue, frame, len))
				break;
			in++;
		}
		assert_true(in > out);
		for (unsigned int i = 0; i < 1 + round % 5 && out < in; i++) {
			size_t len = net_queue_get(&queue, got);

			assert_int_equal(len, 14 + out * 13 % 90);
			assert_int_equal(got[0], out & 255);
			assert_int_equal(got[len - 1], out & 255);
			out++;
		}
	}
	net_queue_fini(&queue);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_user_dhcp), TEST(test_user_arp),
		TEST(test_user_tftp), TEST(test_user_many),
		TEST(test_loop),      TEST(test_none),
		TEST(test_dgram),     TEST(test_dgram_stale),
		TEST(test_tap),	      TEST(test_pcap),
		TEST(test_bad),	      cmocka_unit_test(test_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
