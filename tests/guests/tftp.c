/* SPDX-License-Identifier: MIT */
/*
 * tftp.c: a TFTP client (RFC 1350) that reads one file in octet mode.
 *
 * Blocks are kept by number, in whatever order they come.  A proper server
 * repeats a lost block when we repeat our acknowledgement; libslirp's goes on
 * with the next one and never repeats any.  So when the last block is there
 * and others are missing, the file is asked for again until all have come.
 */

#include "checksum.h"
#include "net.h"

#define CLIENT_PORT 2070
#define SERVER_PORT 69
#define BLOCK 512
#define MAX_BLOCKS 2048
#define WAIT_MS 250
#define TRIES 40
#define PATIENCE 3
#define LIMIT_MS 120000 /* for all of it */
#define PROGRESS 16384

enum { RRQ = 1, DATA = 3, ACK = 4, ERROR = 5 };

static struct {
	const char *file;
	uint32_t server;
	uint16_t port;		  /* the server's, once it answered */
	uint8_t message[4 + 128]; /* sent last, and sent again if need be */
	size_t message_len;
	uint32_t have; /* blocks that came */
	uint32_t last; /* the last block's number, 0: not known yet */
	uint32_t len;  /* of the whole file, once (last) is known */
	uint32_t repeats;
	bool came[MAX_BLOCKS + 1];
} t;

static uint8_t content[MAX_BLOCKS * BLOCK];

static void send_message(void)
{
	net_send_udp(t.server, t.port, CLIENT_PORT, t.message, t.message_len);
}

static void send_request(void)
{
	size_t len = strlen(t.file);

	t.port = SERVER_PORT;
	put16(t.message, RRQ);
	memcpy(t.message + 2, t.file, len + 1);
	memcpy(t.message + 3 + len, "octet", 6);
	t.message_len = 9 + len;
	send_message();
}

static void send_ack(uint16_t block)
{
	put16(t.message, ACK);
	put16(t.message + 2, block);
	t.message_len = 4;
	send_message();
}

static bool is_complete(void)
{
	return t.last && t.have == t.last;
}

static void keep(uint32_t block, const uint8_t *data, size_t len)
{
	if (t.came[block])
		return;
	t.came[block] = true;
	t.have++;
	memcpy(content + (block - 1) * BLOCK, data, len);
	if (len < BLOCK) {
		t.last = block;
		t.len = (block - 1) * BLOCK + (uint32_t)len;
	}
	if (t.have * BLOCK % PROGRESS == 0)
		say("tftp: %u of ?\n", t.have * BLOCK);
}

/* Handle what net_step() brought.  True if it was a block of our file. */
static bool take(const char **why)
{
	const uint8_t *d = datagram.data;
	size_t len = datagram.len - 4;
	uint16_t block;

	if (!d || datagram.len < 4 || datagram.from != t.server)
		return false;
	if (t.port != SERVER_PORT && datagram.from_port != t.port)
		return false; /* of an earlier request */
	if (get16(d) == ERROR)
		*why = "tftp: the server says there is no such file";
	if (get16(d) != DATA)
		return false;
	block = get16(d + 2);
	if (!block || block > MAX_BLOCKS || len > BLOCK) {
		*why = "tftp: the file or a block is too long";
		return false;
	}
	t.port = datagram.from_port;
	keep(block, d + 4, len);
	send_ack(block);
	if (len < BLOCK && !is_complete()) {
		t.repeats++;
		send_request();
	}
	return true;
}

/* Wait for any block.  After some timeouts it is not our message or its answer
 * that was lost: the server has forgotten us, so begin again. */
static const char *await_block(void)
{
	const char *why = NULL;
	int i;

	for (i = 0; i < TRIES; i++) {
		uint64_t end = now_ms() + WAIT_MS;

		do {
			net_step();
			if (take(&why))
				return NULL;
			if (why)
				return why;
		} while (now_ms() < end);
		t.repeats++;
		if (i < PATIENCE)
			send_message();
		else
			send_request();
	}
	return "tftp: no answer";
}

const char *tftp_get(uint32_t server, const char *file, uint32_t *len,
		     uint64_t *checksum)
{
	struct checksum sum = { 0, 0, 0 };
	uint64_t end = now_ms() + LIMIT_MS;
	uint32_t at;

	if (strlen(file) > sizeof(t.message) - 9)
		return "tftp: the file's name is too long";
	memset(&t, 0, sizeof(t));
	t.file = file;
	t.server = server;
	net_listen(CLIENT_PORT);
	send_request();
	while (!is_complete()) {
		const char *why = await_block();

		if (why)
			return why;
		if (now_ms() > end)
			return "tftp: not done after two minutes";
	}
	for (at = 0; at < t.len; at += 65536)
		checksum_add(&sum, content + at,
			     t.len - at < 65536 ? t.len - at : 65536);
	*len = t.len;
	*checksum = checksum_end(&sum);
	if (t.repeats)
		say("tftp: %u repeats\n", t.repeats);
	return NULL;
}
