// SPDX-License-Identifier: MIT
/*
 * trace.c: pcapng blocks into memory, and the names of what is in them.
 *
 * See "PCAP Next Generation (pcapng) Capture File Format",
 * draft-ietf-opsawg-pcapng, sections 4.1 to 4.3.
 */

#include <string.h>

#include "trace.h"
#include "tracefmt.h"

uint64_t trace_hash(const char *text, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325u;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3u;
	return hash;
}

const char *trace_kind_name(enum trace_kind kind)
{
	static const char *const names[TRACE_KINDS] = {
		[TRACE_MODEL] = "model",
		[TRACE_ACCESS] = "access",
		[TRACE_INTERRUPT] = "interrupt",
		[TRACE_TICK] = "tick",
		[TRACE_LEAVE] = "leave",
		[TRACE_GUEST_RESET] = "guest_reset",
		[TRACE_HOST] = "host",
		[TRACE_LINE] = "line",
		[TRACE_STATE] = "state",
		[TRACE_SWITCH] = "switch",
		[TRACE_VIOLATION] = "violation",
		[TRACE_LOST] = "lost",
		[TRACE_STEP] = "step",
		[TRACE_SIGNALS] = "signals",
		[TRACE_MESSAGE] = "message",
	};

	if ((unsigned int)kind >= TRACE_KINDS || !names[kind])
		return "unknown";
	return names[kind];
}

const char *trace_host_name(enum trace_host what)
{
	static const char *const names[] = {
		[TRACE_READ] = "read",
		[TRACE_WRITE] = "write",
		[TRACE_READ_STRING] = "read_string",
		[TRACE_WRITE_STRING] = "write_string",
		[TRACE_PAUSE] = "pause",
		[TRACE_NOW] = "now",
		[TRACE_RESET] = "reset",
		[TRACE_TRANSLATE] = "translate",
		[TRACE_READ_MEM] = "read_mem",
		[TRACE_WRITE_MEM] = "write_mem",
		[TRACE_AREA] = "area",
	};

	if ((unsigned int)what >= ARRAY_LEN(names) || !names[what])
		return "unknown";
	return names[what];
}

/* ---- blocks ---- */

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static void put32(uint8_t *to, uint32_t v)
{
	memcpy(to, &v, sizeof(v));
}

/* Type and length at both ends of a block of (len) bytes. */
static size_t frame_block(uint8_t *to, uint32_t type, size_t len)
{
	put32(to, type);
	put32(to + 4, (uint32_t)len);
	put32(to + len - 4, (uint32_t)len);
	return len;
}

static uint8_t *put_option(uint8_t *to, uint16_t code, const void *value,
			   uint16_t len)
{
	memcpy(to, &code, 2);
	memcpy(to + 2, &len, 2);
	memset(to + 4, 0, padded(len));
	memcpy(to + 4, value, len);
	return to + 4 + padded(len);
}

/* A name as an option's value: no longer than a line. */
static uint16_t option_len(const char *text)
{
	size_t len = strlen(text);

	return (uint16_t)(len > 255 ? 255 : len);
}

size_t trace_put_section(uint8_t *to, size_t room, const char *application)
{
	uint16_t len = option_len(application);
	size_t size = 24 + 4 + padded(len) + 4 + 4;
	uint16_t version[2] = { 1, 0 };
	uint8_t *at;

	if (room < size)
		return 0;
	put32(to + 8, PCAPNG_MAGIC);
	memcpy(to + 12, version, sizeof(version));
	memset(to + 16, 0xff, 8); /* length: not known */
	at = put_option(to + 24, PCAPNG_OPT_APPLICATION, application, len);
	put32(at, 0); /* no more of them */
	return frame_block(to, PCAPNG_SECTION, size);
}

size_t trace_put_interface(uint8_t *to, size_t room, uint16_t linktype,
			   const char *name)
{
	static const uint8_t nanoseconds = 9;
	uint16_t len = option_len(name);
	size_t size = 16 + 4 + padded(len) + 8 + 4 + 4;
	uint8_t *at;

	if (room < size)
		return 0;
	put32(to + 8, linktype);
	put32(to + 12, 0); /* no limit to a packet's length */
	at = put_option(to + 16, PCAPNG_OPT_IF_NAME, name, len);
	at = put_option(at, PCAPNG_OPT_IF_TSRESOL, &nanoseconds, 1);
	put32(at, 0);
	return frame_block(to, PCAPNG_INTERFACE, size);
}

size_t trace_put_packet(uint8_t *to, size_t room, uint32_t interface,
			uint64_t ns, const struct trace_piece *piece,
			unsigned int n)
{
	size_t len = 0, size, at = 28;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (piece[i].len > PCAPNG_BLOCK_MAX - len)
			return 0;
		len += piece[i].len;
	}
	size = 28 + padded(len) + 4;
	if (size > PCAPNG_BLOCK_MAX || room < size)
		return 0;
	put32(to + 8, interface);
	put32(to + 12, (uint32_t)(ns >> 32));
	put32(to + 16, (uint32_t)ns);
	put32(to + 20, (uint32_t)len);
	put32(to + 24, (uint32_t)len);
	put32(to + size - 8, 0); /* the padding, before what may cover it */
	for (i = 0; i < n; i++) {
		if (piece[i].len)
			memcpy(to + at, piece[i].bytes, piece[i].len);
		at += piece[i].len;
	}
	return frame_block(to, PCAPNG_PACKET, size);
}
