/* SPDX-License-Identifier: MIT */
/*
 * net.c: Ethernet, ARP, IPv4, ICMP echo and UDP, one frame at a time.
 *
 * No fragments, no options in what we send, one listening port.
 */

#include "net.h"

/* Offsets in a frame; IP and what follows for a header without options */
#define ETH_SRC 6
#define ETH_TYPE 12
#define ETH_LEN 14
#define ARP_LEN 28
#define IP_LEN 20
#define UDP_LEN 8
#define ICMP_LEN 8

#define TYPE_IP 0x0800
#define TYPE_ARP 0x0806
#define PROTO_ICMP 1
#define PROTO_UDP 17
#define ICMP_ANSWER 0
#define ICMP_REQUEST 8
#define PING_DATA 56
#define PING_ID 0x7670
#define ARP_AGAIN_MS 300

struct net net;
struct datagram datagram;

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static uint8_t rx[FRAME_MAX + 6] __attribute__((aligned(8)));
static uint8_t tx[FRAME_MAX + 6] __attribute__((aligned(8)));
static uint16_t listen_port;
static uint16_t ip_id;

/* Who answered our ARP requests */
static struct neighbour {
	uint32_t ip;
	uint8_t mac[6];
} neighbours[4];
static unsigned int next_neighbour;

static struct {
	uint32_t from;
	uint16_t seq;
	bool came;
} echo;

/* RFC 1071; words are summed as they lie in memory, 16 bytes a turn. */
static uint16_t ip_sum(const uint8_t *p, size_t len, uint64_t sum)
{
	uint32_t w[4];
	uint16_t last;

	for (; len >= 16; len -= 16, p += 16) {
		__builtin_memcpy(w, p, 16);
		sum += w[0];
		sum += w[1];
		sum += w[2];
		sum += w[3];
	}
	for (; len >= 2; len -= 2, p += 2) {
		__builtin_memcpy(&last, p, 2);
		sum += last;
	}
	if (len)
		sum += *p;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint16_t udp_sum(const uint8_t *ip, const uint8_t *udp, size_t len)
{
	uint32_t src;
	uint32_t dst;

	__builtin_memcpy(&src, ip + 12, 4);
	__builtin_memcpy(&dst, ip + 16, 4);
	return ip_sum(udp, len,
		      (uint64_t)src + dst + __builtin_bswap16(PROTO_UDP) +
			      __builtin_bswap16((uint16_t)len));
}

static bool send_frame(const uint8_t *to, uint16_t type, size_t len)
{
	memcpy(tx, to, 6);
	memcpy(tx + ETH_SRC, net.nic.mac, 6);
	put16(tx + ETH_TYPE, type);
	return net.nic.driver->send(&net.nic, tx, ETH_LEN + len);
}

static void send_arp(uint16_t operation, const uint8_t *mac, uint32_t ip)
{
	static const uint8_t start[] = { 0, 1, 8, 0, 6, 4 };
	uint8_t *arp = tx + ETH_LEN;

	memcpy(arp, start, sizeof(start));
	put16(arp + 6, operation);
	memcpy(arp + 8, net.nic.mac, 6);
	put32(arp + 14, net.ip);
	memcpy(arp + 18, mac, 6);
	put32(arp + 24, ip);
	if (operation == 1)
		memset(arp + 18, 0, 6);
	send_frame(mac, TYPE_ARP, ARP_LEN);
}

/* Fill in the IP header for (len) bytes of payload, already in place. */
static bool send_ip(const uint8_t *mac, uint32_t to, uint8_t proto, size_t len)
{
	uint8_t *ip = tx + ETH_LEN;
	uint16_t sum;

	memset(ip, 0, 12);
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)(IP_LEN + len));
	put16(ip + 4, ++ip_id);
	ip[8] = 64;
	ip[9] = proto;
	put32(ip + 12, net.ip);
	put32(ip + 16, to);
	sum = ip_sum(ip, IP_LEN, 0);
	__builtin_memcpy(ip + 10, &sum, 2);
	return send_frame(mac, TYPE_IP, IP_LEN + len);
}

static void learn(uint32_t ip, const uint8_t *mac)
{
	struct neighbour *n = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(neighbours); i++) {
		if (neighbours[i].ip == ip)
			n = &neighbours[i];
	}
	if (!n)
		n = &neighbours[next_neighbour++ % ARRAY_LEN(neighbours)];
	n->ip = ip;
	memcpy(n->mac, mac, 6);
}

static void on_arp(const uint8_t *arp, size_t len)
{
	uint16_t operation;

	if (len < ARP_LEN || !net.ip || get32(arp + 24) != net.ip)
		return;
	operation = get16(arp + 6);
	learn(get32(arp + 14), arp + 8);
	if (operation == 1)
		send_arp(2, arp + 8, get32(arp + 14));
}

/* The answer is the request with type, addresses and sums changed. */
static void answer_echo(const uint8_t *ip, const uint8_t *icmp, size_t len)
{
	uint8_t *answer = tx + ETH_LEN + IP_LEN;
	uint16_t sum;

	memcpy(answer, icmp, len);
	answer[0] = ICMP_ANSWER;
	put16(answer + 2, 0);
	sum = ip_sum(answer, len, 0);
	__builtin_memcpy(answer + 2, &sum, 2);
	send_ip(rx + ETH_SRC, get32(ip + 12), PROTO_ICMP, len);
}

static void on_icmp(const uint8_t *ip, const uint8_t *icmp, size_t len)
{
	if (len < ICMP_LEN || ip_sum(icmp, len, 0))
		return;
	if (icmp[0] == ICMP_REQUEST) {
		answer_echo(ip, icmp, len);
	} else if (icmp[0] == ICMP_ANSWER && get16(icmp + 4) == PING_ID) {
		echo.from = get32(ip + 12);
		echo.seq = get16(icmp + 6);
		echo.came = true;
	}
}

static void on_udp(const uint8_t *ip, const uint8_t *udp, size_t len)
{
	size_t udp_len;

	if (len < UDP_LEN || get16(udp + 2) != listen_port)
		return;
	udp_len = get16(udp + 4);
	if (udp_len < UDP_LEN || udp_len > len)
		return;
	if (get16(udp + 6) && udp_sum(ip, udp, udp_len)) {
		say("udp: bad checksum\n");
		return;
	}
	datagram.data = udp + UDP_LEN;
	datagram.len = udp_len - UDP_LEN;
	datagram.from = get32(ip + 12);
	datagram.from_port = get16(udp);
}

static void on_ip(const uint8_t *ip, size_t len)
{
	size_t head = (ip[0] & 15) * 4u;
	size_t total;
	uint32_t to;

	if (len < IP_LEN || ip[0] >> 4 != 4 || head < IP_LEN)
		return;
	total = get16(ip + 2);
	if (total < head || total > len || ip_sum(ip, head, 0))
		return;
	if (get16(ip + 6) & 0x3fff) /* a fragment */
		return;
	to = get32(ip + 16);
	if (net.ip && to != net.ip && to != IP_BROADCAST)
		return;
	if (ip[9] == PROTO_UDP)
		on_udp(ip, ip + head, total - head);
	else if (ip[9] == PROTO_ICMP && net.ip)
		on_icmp(ip, ip + head, total - head);
}

void net_open(void)
{
	nic_open(&net.nic);
	net.log_frames = option_is("log", "frames");
}

bool net_poll(void)
{
	size_t len = net.nic.driver->receive(&net.nic, rx);

	datagram.data = NULL;
	if (!len)
		return false;
	if (net.log_frames)
		say("rx %M %M %04x %u\n", rx, rx + ETH_SRC,
		    get16(rx + ETH_TYPE), (uint32_t)len);
	if (get16(rx + ETH_TYPE) == TYPE_ARP)
		on_arp(rx + ETH_LEN, len - ETH_LEN);
	else if (get16(rx + ETH_TYPE) == TYPE_IP)
		on_ip(rx + ETH_LEN, len - ETH_LEN);
	return true;
}

void net_step(void)
{
	if (!net_poll())
		nic_idle(&net.nic);
}

static const uint8_t *known(uint32_t ip)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(neighbours); i++) {
		if (ip && neighbours[i].ip == ip)
			return neighbours[i].mac;
	}
	return NULL;
}

bool net_resolve(uint32_t ip, uint8_t *mac, uint32_t ms)
{
	uint64_t end = now_ms() + ms;
	const uint8_t *found = known(ip);

	while (!found && now_ms() < end) {
		uint64_t again = now_ms() + ARP_AGAIN_MS;

		send_arp(1, broadcast, ip);
		while (!(found = known(ip)) && now_ms() < again)
			net_step();
	}
	if (found)
		memcpy(mac, found, 6);
	return found != NULL;
}

/* The MAC that takes a packet to (ip): its own, or the gateway's. */
static bool route(uint32_t ip, uint8_t *mac)
{
	if (ip == IP_BROADCAST) {
		memcpy(mac, broadcast, 6);
		return true;
	}
	if ((ip ^ net.ip) & net.mask)
		ip = net.gateway;
	return net_resolve(ip, mac, 3000);
}

void net_listen(uint16_t port)
{
	listen_port = port;
}

/* The MAC first: finding it sends ARP requests from the same buffer. */
bool net_send_udp(uint32_t to, uint16_t to_port, uint16_t from_port,
		  const void *data, size_t len)
{
	uint8_t *ip = tx + ETH_LEN;
	uint8_t *udp = ip + IP_LEN;
	uint8_t mac[6];
	uint16_t sum;

	if (!route(to, mac))
		return false;
	put16(udp, from_port);
	put16(udp + 2, to_port);
	put16(udp + 4, (uint16_t)(UDP_LEN + len));
	put16(udp + 6, 0);
	memcpy(udp + UDP_LEN, data, len);
	put32(ip + 12, net.ip);
	put32(ip + 16, to);
	sum = udp_sum(ip, udp, UDP_LEN + len);
	if (!sum)
		sum = 0xffff;
	__builtin_memcpy(udp + 6, &sum, 2);
	return send_ip(mac, to, PROTO_UDP, UDP_LEN + len);
}

bool net_ping(uint32_t ip, uint16_t seq, uint32_t ms)
{
	uint8_t *icmp = tx + ETH_LEN + IP_LEN;
	uint64_t end = now_ms() + ms;
	uint8_t mac[6];
	uint16_t sum;

	if (!route(ip, mac))
		return false;
	memset(icmp, (uint8_t)seq, ICMP_LEN + PING_DATA);
	icmp[0] = ICMP_REQUEST;
	icmp[1] = 0;
	put16(icmp + 2, 0);
	put16(icmp + 4, PING_ID);
	put16(icmp + 6, seq);
	sum = ip_sum(icmp, ICMP_LEN + PING_DATA, 0);
	__builtin_memcpy(icmp + 2, &sum, 2);
	echo.came = false;
	if (!send_ip(mac, ip, PROTO_ICMP, ICMP_LEN + PING_DATA))
		return false;
	do {
		net_step();
		if (echo.came && echo.from == ip && echo.seq == seq)
			return true;
	} while (now_ms() < end);
	return false;
}
