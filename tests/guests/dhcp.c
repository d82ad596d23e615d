/* SPDX-License-Identifier: MIT */
/*
 * dhcp.c: a DHCP client (RFC 2131) that takes the first offer.
 */

#include "net.h"

#define CLIENT_PORT 68
#define SERVER_PORT 67
#define TRIES 10
#define WAIT_MS 1000

/* Offsets in a message (RFC 2131, figure 1) */
#define OP 0
#define XID 4
#define FLAGS 10
#define YIADDR 16
#define SIADDR 20
#define CHADDR 28
#define COOKIE 236
#define OPTIONS 240
#define MESSAGE_LEN 300 /* as BOOTP had it */
#define COOKIE_VALUE 0x63825363u

enum {
	DISCOVER = 1,
	OFFER = 2,
	REQUEST = 3,
	ACK = 5,
	NAK = 6,

	OPTION_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_ADDRESS = 50,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_END = 255,
};

struct lease {
	uint8_t type;
	uint32_t ip;
	uint32_t mask;
	uint32_t router;
	uint32_t server; /* who leases */
	uint32_t next;	 /* who serves files */
};

static uint32_t xid(void)
{
	return get32(net.nic.mac + 2);
}

static uint8_t *add32(uint8_t *option, uint8_t code, uint32_t v)
{
	option[0] = code;
	option[1] = 4;
	put32(option + 2, v);
	return option + 6;
}

static void send_message(uint8_t type, const struct lease *lease)
{
	static uint8_t message[MESSAGE_LEN];
	uint8_t *option = message + OPTIONS;

	memset(message, 0, sizeof(message));
	message[OP] = 1;
	message[OP + 1] = 1; /* Ethernet */
	message[OP + 2] = 6;
	put32(message + XID, xid());
	put16(message + FLAGS, 0x8000); /* answer by broadcast */
	memcpy(message + CHADDR, net.nic.mac, 6);
	put32(message + COOKIE, COOKIE_VALUE);
	*option++ = OPTION_TYPE;
	*option++ = 1;
	*option++ = type;
	if (type == REQUEST) {
		option = add32(option, OPTION_ADDRESS, lease->ip);
		option = add32(option, OPTION_SERVER, lease->server);
	}
	*option = OPTION_END;
	net_send_udp(IP_BROADCAST, SERVER_PORT, CLIENT_PORT, message,
		     sizeof(message));
}

static void read_options(const uint8_t *p, const uint8_t *end,
			 struct lease *lease)
{
	while (p < end && *p != OPTION_END) {
		if (*p == 0) { /* padding */
			p++;
			continue;
		}
		if (end - p < 2 || end - p < 2 + p[1])
			return;
		if (p[0] == OPTION_TYPE && p[1] == 1)
			lease->type = p[2];
		else if (p[0] == OPTION_MASK && p[1] == 4)
			lease->mask = get32(p + 2);
		else if (p[0] == OPTION_ROUTER && p[1] >= 4)
			lease->router = get32(p + 2);
		else if (p[0] == OPTION_SERVER && p[1] == 4)
			lease->server = get32(p + 2);
		p += 2 + p[1];
	}
}

/* Wait for a message to us of that type; false if none comes in time.  Others
 * are late answers: taken for new ones, they would keep us a step behind. */
static bool await_answer(struct lease *lease, uint8_t type)
{
	uint64_t end = now_ms() + WAIT_MS;

	while (now_ms() < end) {
		const uint8_t *m;

		net_step();
		m = datagram.data;
		if (!m || datagram.len < OPTIONS || m[OP] != 2 ||
		    get32(m + XID) != xid() ||
		    memcmp(m + CHADDR, net.nic.mac, 6) ||
		    get32(m + COOKIE) != COOKIE_VALUE)
			continue;
		*lease = (struct lease){ .ip = get32(m + YIADDR),
					 .next = get32(m + SIADDR) };
		read_options(m + OPTIONS, m + datagram.len, lease);
		if (lease->type == type)
			return true;
	}
	return false;
}

bool dhcp_run(void)
{
	struct lease offer;
	struct lease lease;
	int i;

	net_listen(CLIENT_PORT);
	for (i = 0; i < TRIES; i++) {
		send_message(DISCOVER, NULL);
		if (!await_answer(&offer, OFFER))
			continue;
		send_message(REQUEST, &offer);
		if (!await_answer(&lease, ACK))
			continue;
		net.ip = lease.ip;
		net.mask = lease.mask;
		net.gateway = lease.router;
		net.server = lease.next;
		say("dhcp: %I from %I\n", net.ip, lease.server);
		return true;
	}
	return false;
}
