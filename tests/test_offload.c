/* SPDX-License-Identifier: MIT */
/*
 * test_offload.c: segments and checksums against packets that were built
 * right from the start: field by field, each with its own checksum.
 *
 * The reference does not cut anything up.  It builds the packet that a sender
 * without a clever card would have sent, with the sum taken over an explicit
 * pseudo-header, byte by byte.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dmm/frame.h"
#include "dmm/offload.h"

#define FIN 0x01
#define PSH 0x08
#define ACK 0x10
#define ROOM 70000

/* A packet by its fields. */
struct packet {
	bool ipv4, tcp, vlan;
	unsigned int ip_options, tcp_options; /* bytes; multiples of 4 */
	uint16_t id;
	uint32_t sequence;
	uint8_t flags;
	const uint8_t *data;
	uint32_t data_len;
};

/* Where its headers start, in the frame. */
struct layout {
	unsigned int ip, l4, data;
};

static uint8_t stream[ROOM];

static struct layout layout_of(const struct packet *p)
{
	struct layout l;

	l.ip = 14 + (p->vlan ? 4 : 0);
	l.l4 = l.ip + (p->ipv4 ? 20 : 40) + p->ip_options;
	l.data = l.l4 + (p->tcp ? 20 + p->tcp_options : 8);
	return l;
}

static void store(uint8_t *at, unsigned int bytes, uint32_t v)
{
	while (bytes--) {
		at[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

static unsigned int load16(const uint8_t *at)
{
	return at[0] * 256u + at[1];
}

/* One's complement addition, a byte at a time, with the carry at once. */
static unsigned int add(unsigned int sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? bytes[i] : bytes[i] * 256u;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

/* The sum of the pseudo-header: RFC 9293, 3.1 and RFC 8200, 8.1. */
static unsigned int pseudo(const struct packet *p, const uint8_t *ip,
			   uint32_t l4_len)
{
	uint8_t tail[8] = { 0 };
	unsigned int sum;

	sum = p->ipv4 ? add(0, ip + 12, 8) : add(0, ip + 8, 32);
	store(tail, 4, l4_len);
	tail[7] = p->tcp ? 6 : 17;
	return add(sum, tail, 8);
}

static void build_ip(const struct packet *p, uint8_t *ip, unsigned int header,
		     uint32_t total)
{
	if (p->ipv4) {
		ip[0] = (uint8_t)(0x40 | header / 4);
		store(ip + 2, 2, total);
		store(ip + 4, 2, p->id);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = p->tcp ? 6 : 17;
		store(ip + 12, 4, 0x0a000203);
		store(ip + 16, 4, 0xc0a801fe);
		memset(ip + 20, 1, header - 20); /* no operation */
		store(ip + 10, 2, 0xffff ^ add(0, ip, header));
		return;
	}
	ip[0] = 0x60;
	store(ip + 4, 2, total - 40);
	ip[6] = p->ip_options ? 60 : p->tcp ? 6 : 17;
	ip[7] = 64;
	for (unsigned int i = 8; i < 40; i++)
		ip[i] = (uint8_t)(0xfd + 37 * i);
	memset(ip + 40, 1, header - 40);
}

/* Build (p) with right lengths and checksums; returns the frame's length. */
static size_t build(const struct packet *p, uint8_t *frame)
{
	struct layout l = layout_of(p);
	size_t len = l.data + p->data_len;
	uint32_t l4_len = (uint32_t)(len - l.l4);
	uint8_t *l4 = frame + l.l4, *at = l4 + (p->tcp ? 16 : 6);
	unsigned int sum;

	memset(frame, 0, len);
	memcpy(frame, "\x52\x54\0\0\0\x0b\x52\x54\0\0\0\x0a", 12);
	if (p->vlan)
		store(frame + 12, 4, 0x81000123);
	store(frame + l.ip - 2, 2, p->ipv4 ? 0x0800 : 0x86dd);
	build_ip(p, frame + l.ip, l.l4 - l.ip, (uint32_t)(len - l.ip));
	store(l4, 4, 0x1389c001); /* ports */
	if (p->tcp) {
		store(l4 + 4, 4, p->sequence);
		store(l4 + 8, 4, 0xdeadbeef);
		l4[12] = (uint8_t)((20 + p->tcp_options) / 4 << 4);
		l4[13] = p->flags;
		store(l4 + 14, 2, 0x7210);
		memset(l4 + 20, 1, p->tcp_options);
	} else {
		store(l4 + 4, 2, l4_len);
	}
	memcpy(frame + l.data, p->data, p->data_len);
	sum = add(pseudo(p, frame + l.ip, l4_len), l4, l4_len);
	store(at, 2, sum == 0xffff && !p->tcp ? 0xffff : 0xffff ^ sum);
	return len;
}

/*
 * What a driver does with (p) before it hands it over: the partial sum goes
 * into the checksum field, with the length only if it is not to be segmented;
 * lengths that the card fills in hold nothing of use.
 */
static size_t prepare(const struct packet *p, uint16_t mss, uint8_t *frame,
		      struct offload *o)
{
	struct layout l = layout_of(p);
	size_t len = build(p, frame);
	unsigned int at = l.l4 + (p->tcp ? 16 : 6);

	*o = (struct offload){
		.ip_sum = p->ipv4,
		.l4_sum = true,
		.ip_start = (uint16_t)l.ip,
		.ip_at = (uint16_t)(l.ip + 10),
		.ip_end = (uint16_t)(l.l4 - 1),
		.l4_start = (uint16_t)l.l4,
		.l4_at = (uint16_t)at,
		.segment = mss != 0,
		.ipv4 = p->ipv4,
		.tcp = p->tcp,
		.mss = mss,
		.header = (uint16_t)l.data,
		.payload = p->data_len,
	};
	if (p->ipv4)
		store(frame + l.ip + 10, 2, 0);
	store(frame + at, 2,
	      pseudo(p, frame + l.ip, mss ? 0 : (uint32_t)(len - l.l4)));
	if (mss) {
		store(frame + l.ip + (p->ipv4 ? 2 : 4), 2, 0);
		if (!p->tcp)
			store(frame + l.l4 + 4, 2, 0xaaaa);
	}
	return len;
}

/* Compares what arrives with the segments of (whole), one after the other. */
struct expect {
	struct packet whole;
	uint32_t mss, done;
	unsigned int frames;
};

static void arrives(void *ctx, const uint8_t *frame, size_t len)
{
	static uint8_t want[ROOM];
	struct expect *e = ctx;
	struct packet part = e->whole;
	size_t want_len;

	part.data += e->done;
	part.data_len -= e->done;
	if (part.data_len > e->mss) {
		part.data_len = e->mss;
		part.flags &= (uint8_t) ~(FIN | PSH);
	}
	part.id = (uint16_t)(part.id + e->frames);
	part.sequence += e->done;
	want_len = build(&part, want);
	assert_int_equal(len, want_len);
	assert_memory_equal(frame, want, len);
	e->done += part.data_len;
	e->frames++;
}

/* Run (p) through, in buffers of the very size, so that ASan sees. */
static void check(const struct packet *p, uint16_t mss)
{
	struct layout l = layout_of(p);
	struct expect e = { .whole = *p, .mss = mss ? mss : p->data_len };
	uint32_t part = p->data_len < e.mss ? p->data_len : e.mss;
	size_t len = l.data + p->data_len,
	       scratch_len = mss ? l.data + part : 0;
	uint8_t *frame = malloc(len);
	uint8_t *scratch = mss ? malloc(scratch_len) : NULL;
	struct offload o;

	assert_non_null(frame);
	assert_int_equal(prepare(p, mss, frame, &o), len);
	assert_int_equal(offload_run(&o, frame, len, scratch, scratch_len,
				     arrives, &e),
			 0);
	assert_int_equal(e.done, p->data_len);
	assert_int_equal(e.frames, mss ? (p->data_len + mss - 1) / mss : 1);
	free(frame);
	free(scratch);
}

static struct packet packet(bool ipv4, bool tcp, uint32_t data_len)
{
	return (struct packet){
		.ipv4 = ipv4,
		.tcp = tcp,
		.id = 0xfffe,
		.sequence = 0xfffffa00,
		.flags = ACK | PSH | FIN,
		.data = stream,
		.data_len = data_len,
	};
}

static int set_up(void **state)
{
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(stream); i++) {
		x = x * 1664525 + 1013904223;
		stream[i] = (uint8_t)(x >> 24);
	}
	return 0;
}

/* The worked example of RFC 1071, 3, and a header whose sum is well known. */
static void test_reference(void **state)
{
	static const uint8_t words[] = {
		0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7
	};
	static const uint8_t header[20] = {
		0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
		0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
	};

	(void)state;
	assert_int_equal(add(0, words, 8), 0xddf2);
	assert_int_equal(add(0, header, 20), 0xffff);
}

static void test_segments(void **state)
{
	static const uint16_t sizes[] = { 1, 2, 535, 1448, 1460, 8960 };
	struct packet p;

	(void)state;
	for (unsigned int kind = 0; kind < 4; kind++) {
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			uint16_t mss = sizes[i];

			p = packet(kind & 1, kind & 2, mss);
			check(&p, mss);
			p.data_len = mss + 1;
			check(&p, mss);
			p.data_len = 3 * mss - 1;
			check(&p, mss);
			p.data_len = 1;
			check(&p, mss);
		}
		p = packet(kind & 1, kind & 2, OFFLOAD_PAYLOAD_MAX);
		check(&p, 1460);
	}
}

static void test_headers(void **state)
{
	struct packet p;

	(void)state;
	for (unsigned int i = 0; i < 64; i++) {
		p = packet(i & 1, i & 2, 4001);
		p.vlan = i & 4;
		p.ip_options = i & 8 ? 8 : 0;
		p.tcp_options = i & 16 ? 12 : 0;
		p.flags = i & 32 ? ACK | FIN : ACK | PSH;
		check(&p, 1001);
		check(&p, 0);
	}
}

static void test_sums(void **state)
{
	struct packet p;

	(void)state;
	for (unsigned int kind = 0; kind < 4; kind++) {
		for (uint32_t len = 0; len < 70; len++) {
			p = packet(kind & 1, kind & 2, len);
			check(&p, 0);
		}
		p = packet(kind & 1, kind & 2, 9001);
		check(&p, 0);
	}
}

/* Of UDP a sum of 0 is sent as ffff: two bytes of data are chosen for it. */
static void test_zero(void **state)
{
	uint8_t frame[100], data[2] = { 0 };
	struct packet p = packet(true, false, 2);

	(void)state;
	p.data = data;
	build(&p, frame);
	memcpy(data, frame + layout_of(&p).l4 + 6, 2);
	build(&p, frame);
	assert_int_equal(load16(frame + layout_of(&p).l4 + 6), 0xffff);
	check(&p, 0);
	check(&p, 2);
}

static void keep(void *ctx, const uint8_t *frame, size_t len)
{
	(void)frame;
	*(size_t *)ctx += len;
}

/* A range may end before the frame does, as it must before padding. */
static void test_end(void **state)
{
	uint8_t frame[100], want[100];
	struct packet p = packet(true, true, 3);
	struct offload o;
	size_t len, out = 0;

	(void)state;
	build(&p, want);
	len = prepare(&p, 0, frame, &o);
	memset(frame + len, 0x77, 3);
	o.l4_end = (uint16_t)(len - 1);
	assert_int_equal(offload_run(&o, frame, len + 3, NULL, 0, keep, &out),
			 0);
	assert_int_equal(out, len + 3);
	assert_memory_equal(frame, want, len);
	/* An end behind the frame's is the frame's. */
	len = prepare(&p, 0, frame, &o);
	o.l4_end = 0xffff;
	assert_int_equal(offload_run(&o, frame, len, NULL, 0, keep, &out), 0);
	assert_memory_equal(frame, want, len);
	/* Nothing asked for, nothing done. */
	o = (struct offload){ 0 };
	assert_int_equal(offload_run(&o, frame, 14, NULL, 0, keep, &out), 0);
	assert_memory_equal(frame, want, len);
}

struct refusal {
	const char *what;
	size_t field, size;
	uint32_t value;
};

/* clang-format off */
#define SET(name, value)                                                      \
	{ #name " = " #value, offsetof(struct offload, name),                 \
	  sizeof(((struct offload *)0)->name), value }

/* Each spoils a TCP/IPv4 frame: 14 + 20 + 20 and 2,000 bytes, 500 a piece. */
static const struct refusal of_segments[] = {
	SET(mss, 0), SET(mss, 501), SET(mss, 65535), SET(payload, 0),
	SET(payload, 1999), SET(payload, 2001), SET(payload, 0xffffffff),
	SET(header, 0), SET(header, 53), SET(header, 55), SET(header, 241),
	SET(header, 0xffff), SET(ip_start, 0), SET(ip_start, 13),
	SET(ip_start, 15), SET(ip_start, 0xffff), SET(l4_start, 33),
	SET(l4_start, 35), SET(l4_start, 0xffff), SET(ip_at, 13),
	SET(ip_at, 53), SET(ip_at, 0xffff), SET(ip_end, 13), SET(l4_at, 0),
	SET(l4_at, 6), SET(l4_at, 53), SET(l4_end, 33), SET(ipv4, false),
};

/* Of the same frame, whole: 2,054 bytes. */
static const struct refusal of_sums[] = {
	SET(ip_start, 2054), SET(ip_start, 0xffff), SET(ip_at, 0),
	SET(ip_at, 12), SET(ip_at, 13), SET(ip_at, 2053), SET(ip_at, 0xffff),
	SET(ip_end, 1), SET(l4_start, 2054), SET(l4_at, 13),
	SET(l4_at, 2053), SET(l4_at, 0xffff), SET(l4_end, 33),
};
/* clang-format on */

static void refuse(const struct refusal *r, uint16_t mss)
{
	static uint8_t frame[2054], before[2054], scratch[554];
	struct packet p = packet(true, true, 2000);
	size_t len, out = 0;
	struct offload o;

	len = prepare(&p, mss, frame, &o);
	memcpy(before, frame, len);
	memcpy((uint8_t *)&o + r->field, &r->value, r->size);
	if (offload_run(&o, frame, len, scratch, 554, keep, &out) != -EINVAL)
		fail_msg("%s is taken", r->what);
	assert_int_equal(out, 0);
	assert_memory_equal(frame, before, len);
}

static void test_refused(void **state)
{
	uint8_t frame[2054], scratch[554];
	struct packet p = packet(true, true, 2000);
	struct offload o;
	size_t out = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(of_segments); i++)
		refuse(&of_segments[i], 500);
	for (size_t i = 0; i < ARRAY_LEN(of_sums); i++)
		refuse(&of_sums[i], 0);
	prepare(&p, 500, frame, &o);
	/* Unspoilt it is taken, and in one byte less of scratch it is not. */
	assert_int_equal(offload_run(&o, frame, 2054, scratch, 553, keep, &out),
			 -EINVAL);
	assert_int_equal(out, 0);
	assert_int_equal(offload_run(&o, frame, 2054, scratch, 554, keep, &out),
			 0);
	assert_int_equal(out, 2000 + 4 * 54);
	o = (struct offload){ 0 };
	assert_int_equal(offload_run(&o, frame, 13, NULL, 0, keep, &out),
			 -EINVAL);
	assert_int_equal(offload_run(&o, frame, 0, NULL, 0, keep, &out),
			 -EINVAL);
}

/* A frame of (header) and (payload) bytes that is right but for its size. */
static int run_sized(uint16_t header, uint32_t payload)
{
	static uint8_t frame[ROOM], scratch[2000];
	struct packet p = packet(true, true, 1);
	struct offload o;
	size_t out = 0;
	int ret;

	prepare(&p, 1460, frame, &o);
	o.header = header;
	o.payload = payload;
	ret = offload_run(&o, frame, header + payload, scratch, 2000, keep,
			  &out);
	assert_true((ret == 0) == (out > 0));
	return ret;
}

static void test_sizes(void **state)
{
	(void)state;
	assert_int_equal(run_sized(54, 1), 0);
	assert_int_equal(run_sized(54, 0), -EINVAL);
	assert_int_equal(run_sized(240, 1), 0);
	assert_int_equal(run_sized(241, 1), -EINVAL);
	assert_int_equal(run_sized(54, OFFLOAD_PAYLOAD_MAX), 0);
	assert_int_equal(run_sized(54, OFFLOAD_PAYLOAD_MAX + 1), -EINVAL);
}

/* The longest IP packet, and one byte more. */
static void test_longest(void **state)
{
	static uint8_t frame[ROOM], scratch[ROOM];
	size_t len, out = 0;
	struct packet p;
	struct offload o;

	(void)state;
	for (uint32_t more = 0; more < 2; more++) {
		p = packet(true, true, 65535 - 40 + more);
		len = prepare(&p, 65535, frame, &o);
		assert_int_equal(offload_run(&o, frame, len, scratch, ROOM,
					     keep, &out),
				 more ? -EINVAL : 0);
		p = packet(false, false, 65535 - 48 + more);
		len = prepare(&p, 65535, frame, &o);
		assert_int_equal(offload_run(&o, frame, len, scratch, ROOM,
					     keep, &out),
				 more ? -EINVAL : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_zero),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests_name("offload", tests, set_up, NULL);
}
