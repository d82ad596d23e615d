/* SPDX-License-Identifier: MIT */
/*
 * stream.c: bulk transfer: with a peer by UDP, or just out on the wire.
 *
 * Options (key=value, blanks between):
 *   send=BYTES to=IP    send so much (bytes, or 20M, 64K)
 *   receive=BYTES       receive so much, from peer=IP or whoever sends
 *   both=BYTES peer=IP  both ways at once; the peer may be a UDP echo server
 *   seconds=N           send raw frames to dst=MAC, or the gateway's, for N s
 *   ip=IP gw=IP         our address (else by DHCP), gateway (ip's .2)
 *   frame=1514          length of a frame, without FCS: from 60, or 74 by UDP
 *   window=32 batch=16  frames under way (an NE2000: 4), for each doorbell
 *   port=7071           UDP's, of both
 *   sum=sampled         sum three words a frame: for slow guests; both ends
 *   rate                print frames and bytes a second
 *   ring3=0             stay in ring 0, as with `irq` or an NE2000
 *   nic=NAME and the driver's options: see ping.c, e1000.c
 */

#include "stream.h"

#define POOL_STEPS 4096
#define TYPE_EXPERIMENT 0x88b5 /* IEEE 802 local experimental */
#define POLL_US 1000

static uint64_t pool[POOL_STEPS + FRAME_MAX / 8 + 1];

void stream_fill(void)
{
	uint64_t v = 0x9e3779b97f4a7c15;
	size_t i;

	for (i = 0; i < ARRAY_LEN(pool); i++) {
		v ^= v << 13;
		v ^= v >> 7;
		v ^= v << 17;
		pool[i] = v;
	}
}

/* 1237 is odd: each frame of 4096 begins elsewhere. */
const uint8_t *stream_data(uint32_t seq, uint32_t seed)
{
	return (const uint8_t *)&pool[(seq * 1237 + seed) % POOL_STEPS];
}

static uint32_t bytes_option(const char *name)
{
	const char *s = option(name);
	uint32_t v = option_number(name, 0);

	while (s && *s >= '0' && *s <= '9')
		s++;
	if (s && *s == 'K')
		v <<= 10;
	if (s && *s == 'M')
		v <<= 20;
	return v;
}

static uint32_t ip_option(const char *name)
{
	const char *s = option(name);
	uint32_t ip = 0;

	if (s && !parse_ip(s, &ip))
		fail("%s= is no address", name);
	return ip;
}

static void get_address(void)
{
	net.ip = ip_option("ip");
	if (!net.ip) {
		if (!dhcp_run())
			fail("dhcp: no lease");
		return;
	}
	net.mask = 0xffffff00;
	net.gateway = option("gw") ? ip_option("gw") : (net.ip & net.mask) | 2;
	say("static: %I\n", net.ip);
}

/* The MAC of dst=, which needs no address of ours, or of the gateway. */
static void get_destination(uint8_t *mac)
{
	char text[20];
	int i;

	if (!option_copy("dst", text, sizeof(text))) {
		get_address();
		if (!net_resolve(net.gateway, mac, 20000))
			fail("arp: no answer from %I", net.gateway);
		return;
	}
	if (strlen(text) != 17)
		fail("dst= is no MAC");
	for (i = 0; i < 6; i++)
		mac[i] = (uint8_t)parse_hex(text + 3 * i);
}

/* All frames are the same, so any number of them can be under way. */
static void blast(uint32_t seconds, uint32_t frame, uint32_t batch)
{
	static uint8_t head[14];
	struct nic_frame f = { head, 14, stream_data(0, 0), frame - 14 };
	uint64_t start, now, poll;
	uint32_t first;
	uint32_t sent;

	get_destination(head);
	memcpy(head + 6, net.nic.mac, 6);
	put16(head + 12, TYPE_EXPERIMENT);
	first = net.nic.sent;
	start = now = poll = now_us();
	while (now - start < seconds * 1000000ull) {
		uint32_t n = 0;

		while (n < batch && nic_post(&net.nic, &f))
			n++;
		if (n)
			nic_kick(&net.nic);
		now = now_us();
		if (!n || now - poll > POLL_US) {
			poll = now;
			if (!net_poll() && !n)
				nic_idle(&net.nic);
		}
	}
	sent = net.nic.sent - first;
	say("stream: sent %u frames, %lu bytes in %lu ms to %M\n", sent,
	    (uint64_t)sent * frame, (now - start) / 1000, head);
	if (option("rate"))
		say("rate: %lu frames/s, %lu bytes/s\n",
		    sent * 1000000ull / (now - start),
		    sent * 1000000ull / (now - start) * frame);
}

static void transfer(struct stream_options *o)
{
	uint32_t both = bytes_option("both");

	o->send = both ? both : bytes_option("send");
	o->receive = both ? both : bytes_option("receive");
	o->peer = ip_option(option("to") ? "to" : "peer");
	o->port = (uint16_t)option_number("port", 7071);
	o->window = option_number("window", net.nic.driver->post ? 32 : 4);
	o->sampled = option_is("sum", "sampled");
	if (!o->send && !o->receive)
		fail("nothing to do: send=, receive=, both= or seconds=");
	if (o->send && !o->peer)
		fail("to= or peer= is missing");
	if (o->window < 1 || o->window > 64)
		fail("window= must be from 1 to 64");
	get_address();
	stream_run(o);
}

void guest_main(void)
{
	struct stream_options o = { 0 };
	uint32_t seconds;

	guest_start();
	seconds = option_number("seconds", 0);
	o.frame = option_number("frame", FRAME_MAX);
	o.batch = option_number("batch", 16);
	if (o.frame < (seconds ? FRAME_MIN : STREAM_HEAD + 4) ||
	    o.frame > FRAME_MAX || !o.batch)
		fail("frame= or batch= is too small or too large");
	net_open();
	/* A part with rings has few exits, which cost more from there. */
	if (net.nic.driver->post && !ring3 && !option("irq") &&
	    !option_is("ring3", "0"))
		ring3_enter();
	stream_fill();
	if (seconds)
		blast(seconds, o.frame, o.batch);
	else
		transfer(&o);
	if (net.nic.resets || net.nic.overflows || net.nic.bad)
		say("nic: %u resets, %u overflows, %u bad\n", net.nic.resets,
		    net.nic.overflows, net.nic.bad);
	succeed();
}
