/* SPDX-License-Identifier: MIT */
/*
 * net.h: a small IPv4 host: ARP, echo, UDP; DHCP and TFTP clients.
 *
 * Nothing happens by itself: whoever waits calls net_step() over and over, and
 * each call answers ARP and echo requests on the way.  Addresses are numbers
 * in host order.
 */

#ifndef NET_H
#define NET_H

#include "nic.h"

#define IP_BROADCAST 0xffffffffu

struct net {
	struct nic nic;
	uint32_t ip;
	uint32_t mask;
	uint32_t gateway;
	uint32_t server; /* DHCP's next server, 0 if none */
	bool log_frames;
};

extern struct net net;

/* The last datagram to the port that net_listen() named.  (data) is good
 * until the next net_step(), which forgets the datagram. */
struct datagram {
	const uint8_t *data; /* NULL: none came */
	size_t len;
	uint32_t from;
	uint16_t from_port;
};

extern struct datagram datagram;

/* Open the NIC; the address is 0.0.0.0 until someone sets it. */
void net_open(void);

/* Handle one received frame, or sleep a little if there is none. */
void net_step(void);

/* The same without sleeping: false if there is none. */
bool net_poll(void);

/* Find the MAC of (ip), asking again each 300 ms for (ms). */
bool net_resolve(uint32_t ip, uint8_t *mac, uint32_t ms);

void net_listen(uint16_t port);
bool net_send_udp(uint32_t to, uint16_t to_port, uint16_t from_port,
		  const void *data, size_t len);

/* One echo request, up to (ms) for its answer. */
bool net_ping(uint32_t ip, uint16_t seq, uint32_t ms);

/* dhcp.c: fill in net's addresses.  False after all tries. */
bool dhcp_run(void);

/* tftp.c: fetch (file), print progress; its length and checksum.  Returns
 * NULL, or why it failed. */
const char *tftp_get(uint32_t server, const char *file, uint32_t *len,
		     uint64_t *checksum);

/* Big-endian fields at any address */
static inline uint16_t get16(const void *p)
{
	uint16_t v;

	__builtin_memcpy(&v, p, 2);
	return __builtin_bswap16(v);
}

static inline uint32_t get32(const void *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}

static inline void put16(void *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	__builtin_memcpy(p, &v, 2);
}

static inline void put32(void *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	__builtin_memcpy(p, &v, 4);
}

#endif /* NET_H */
