/* SPDX-License-Identifier: MIT */
/*
 * test_trace_format.c: a trace's blocks, written and read again: whole, cut
 * off at every byte, of the other byte order, and broken in every way that a
 * field can be.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dmm/trace.h"

static uint8_t file[8192];
static size_t len;

static void put_record(enum trace_kind kind, uint64_t ns, const void *body,
		       size_t n, const void *data, size_t m)
{
	const struct trace_head head = { .version = TRACE_VERSION,
					 .kind = (uint8_t)kind,
					 .guest = 1,
					 .len = (uint32_t)(n + m),
					 .sequence = 7 };
	const struct trace_piece piece[] = { { &head, sizeof(head) },
					     { body, n },
					     { data, m } };
	size_t size = trace_put_packet(file + len, sizeof(file) - len, 0, ns,
				       piece, 3);

	assert_int_not_equal(size, 0);
	len += size;
}

static const struct trace_access access_body = { .off = 0x10,
						 .count = 3,
						 .done = 3,
						 .width = 2 };

/* A section, two interfaces, a model, an access, a frame. */
static void write_file(void)
{
	const struct trace_model m = { .hash = 1, .guests = 1 };
	const struct trace_guest g = { .weight = 5 };
	const struct trace_piece frame = { "abcdefg", 7 };
	uint8_t model[256];

	len = trace_put_section(file, sizeof(file), "test");
	len += trace_put_interface(file + len, sizeof(file) - len,
				   TRACE_LINKTYPE, "vpio");
	len += trace_put_interface(file + len, sizeof(file) - len, 1,
				   "a name that is longer than 31 bytes are");
	memcpy(model, &m, sizeof(m));
	memcpy(model + sizeof(m), &g, sizeof(g));
	put_record(TRACE_MODEL, 1, model, sizeof(m) + sizeof(g), "t\0x: y\0",
		   8);
	put_record(TRACE_ACCESS, UINT64_C(0x123456789abcdef0), &access_body,
		   sizeof(access_body), "abcdef", 6);
	len += trace_put_packet(file + len, sizeof(file) - len, 1, 3, &frame,
				1);
}

static void expect(struct trace_reader *r, enum trace_block block,
		   struct trace_packet *p)
{
	assert_int_equal(trace_next(r, p), 0);
	assert_int_equal(p->block, block);
}

static void test_round(void **state)
{
	struct trace_reader r;
	struct trace_packet p;
	struct trace_device d;

	(void)state;
	write_file();
	trace_open(&r, file, len);
	expect(&r, TRACE_BLOCK_SECTION, &p);
	expect(&r, TRACE_BLOCK_INTERFACE, &p);
	expect(&r, TRACE_BLOCK_INTERFACE, &p);
	assert_int_equal(r.interfaces, 2);
	assert_string_equal(r.interface[0].name, "vpio");
	assert_int_equal(strlen(r.interface[1].name), 31);
	assert_int_equal(r.interface[0].tsresol, 9);
	expect(&r, TRACE_BLOCK_PACKET, &p);
	assert_true(p.ours);
	trace_read_model(&p, &d);
	assert_int_equal(d.model.hash, 1);
	assert_int_equal(d.guest[0].weight, 5);
	assert_string_equal(d.name, "t");
	assert_string_equal(d.text, "x: y");
	assert_string_equal(d.machine, "");
	expect(&r, TRACE_BLOCK_PACKET, &p);
	assert_true(p.ours);
	assert_true(p.ns == UINT64_C(0x123456789abcdef0));
	assert_int_equal(p.head.kind, TRACE_ACCESS);
	assert_int_equal(p.head.sequence, 7);
	assert_memory_equal(p.body + sizeof(access_body), "abcdef", 6);
	expect(&r, TRACE_BLOCK_PACKET, &p);
	assert_false(p.ours);
	assert_int_equal(p.linktype, 1);
	assert_int_equal(p.len, 7);
	assert_memory_equal(p.bytes, "abcdefg", 7);
	assert_int_equal(trace_next(&r, &p), -ENODATA);
	assert_int_equal(r.at, r.len);
}

/* However much of it is there: whole blocks, then the end, and where. */
static void test_cut(void **state)
{
	struct trace_reader r;
	struct trace_packet p;
	size_t n, last;
	uint8_t *exact;
	int err;

	(void)state;
	write_file();
	for (n = 0; n < len; n++) {
		exact = malloc(n + 1); /* so that ASan sees */
		memcpy(exact, file, n);
		trace_open(&r, exact, n);
		do {
			last = r.at;
			err = trace_next(&r, &p);
		} while (!err);
		assert_int_equal(err, -ENODATA);
		assert_int_equal(r.at, last);
		assert_true(n - r.at < 512);
		free(exact);
	}
}

static void test_no_room(void **state)
{
	const struct trace_piece piece = { "abcde", 5 };
	uint8_t small[64];
	size_t n;

	(void)state;
	for (n = 0; n < 40; n++)
		assert_int_equal(trace_put_packet(small, n, 0, 0, &piece, 1),
				 0);
	assert_int_equal(trace_put_packet(small, 40, 0, 0, &piece, 1), 40);
	assert_int_equal(trace_put_section(small, 20, "x"), 0);
	assert_int_equal(trace_put_interface(small, 20, 1, "x"), 0);
}

static void put32(size_t at, uint32_t v)
{
	memcpy(file + at, &v, sizeof(v));
}

/* Reads until it is not 0; (*at) is where it stopped. */
static int read_to_end(size_t *at)
{
	struct trace_reader r;
	struct trace_packet p;
	int err;

	trace_open(&r, file, len);
	while (!(err = trace_next(&r, &p)))
		;
	*at = p.offset;
	return err;
}

static size_t offset_of_packet(unsigned int n)
{
	struct trace_reader r;
	struct trace_packet p;

	trace_open(&r, file, len);
	while (!trace_next(&r, &p))
		if (p.block == TRACE_BLOCK_PACKET && !n--)
			return p.offset;
	fail();
	return 0;
}

/* (value) at (off) of packet (n): -EINVAL, there. */
static void broken(unsigned int n, size_t off, uint32_t value)
{
	size_t at, packet;

	write_file();
	packet = offset_of_packet(n);
	put32(packet + off, value);
	assert_int_equal(read_to_end(&at), -EINVAL);
	assert_int_equal(at, packet);
}

static void test_broken(void **state)
{
	size_t at;

	(void)state;
	broken(0, 4, 8);	     /* shorter than a block can be */
	broken(0, 4, 33);	     /* not of whole words */
	broken(0, 4, 0xfffffff0u);   /* 4 GiB */
	broken(0, 8, 2);	     /* an interface that is not there */
	broken(0, 20, 0x7fffffff);   /* captured more than is there */
	broken(1, 28 + 16 + 16, 4);  /* more elements than there are */
	broken(1, 28 + 4, 5);	     /* head.len */
	broken(1, 28 + 16 + 20, 4);  /* done more than count */
	broken(0, 28 + 16 + 36, 17); /* guests */
	write_file();
	file[0] = 'x';
	assert_int_equal(read_to_end(&at), -EINVAL);
	assert_int_equal(at, 0);
	write_file();
	put32(8, 0x12345678); /* the section's magic */
	assert_int_equal(read_to_end(&at), -EINVAL);
	assert_int_equal(at, 0);
}

/* A record that is malformed is said, and the next one is read. */
static void test_goes_on(void **state)
{
	struct trace_reader r;
	struct trace_packet p;
	size_t at;
	int n;

	(void)state;
	write_file();
	at = offset_of_packet(1);
	put32(at + 28 + 4, 5);
	trace_open(&r, file, len);
	for (n = 0; n < 4; n++)
		assert_int_equal(trace_next(&r, &p), 0);
	assert_int_equal(trace_next(&r, &p), -EINVAL);
	assert_int_equal(p.offset, at);
	assert_true(r.at > at);
	assert_int_equal(trace_next(&r, &p), 0);
	assert_int_equal(p.len, 7);
}

/* A block's length is broken: the next whole one is found, and no other. */
static void test_resync(void **state)
{
	static const uint32_t lengths[] = { 0, 11, 13, 0x7ffffffc, 0xfffffffc };
	const struct trace_piece frame = { "abcdefgh", 8 };
	struct trace_reader r;
	struct trace_packet p;
	size_t i, at, next;

	(void)state;
	write_file();
	at = len;
	len += trace_put_packet(file + len, sizeof(file) - len, 1, 4, &frame,
				1);
	next = len;
	len += trace_put_packet(file + len, sizeof(file) - len, 1, 5, &frame,
				1);
	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		memcpy(file + at + 4, &lengths[i], 4);
		trace_open(&r, file, len);
		while (r.at != at)
			(void)!trace_next(&r, &p);
		assert_int_not_equal(trace_next(&r, &p), 0);
		assert_int_equal(r.at, at);
		assert_true(trace_resync(&r));
		assert_int_equal(r.at, next);
		assert_int_equal(trace_next(&r, &p), 0);
		assert_int_equal(p.ns, 5);
		/* behind the last there is none */
		assert_false(trace_resync(&r));
		assert_int_equal(r.at, len);
	}
	/* what is not ours at all has nothing to find */
	trace_open(&r, file + at, len - at);
	assert_false(trace_resync(&r));
}

static void swap(size_t at, size_t n)
{
	uint8_t tmp;
	size_t i;

	for (i = 0; i < n / 2; i++) {
		tmp = file[at + i];
		file[at + i] = file[at + n - 1 - i];
		file[at + n - 1 - i] = tmp;
	}
}

/* From a machine of the other byte order, in microseconds. */
static void test_swapped(void **state)
{
	static const uint8_t interface[] = { 1, 0, 0, 0, 20, 0, 0,  0, 1, 0,
					     0, 0, 0, 0, 0,  0, 20, 0, 0, 0 };
	const struct trace_piece frame = { "xyz", 3 };
	struct trace_reader r;
	struct trace_packet p;
	size_t i, at;

	(void)state;
	len = trace_put_section(file, sizeof(file), "");
	memcpy(file + len, interface, sizeof(interface));
	at = len += sizeof(interface);
	len += trace_put_packet(file + len, 64, 0, 5, &frame, 1);
	for (i = 0; i < 12; i += 4)
		swap(i, 4);
	swap(12, 2);
	swap(24, 2);
	swap(32, 4);
	for (i = at - 20; i < at + 28; i += 4)
		if (i != at - 12)
			swap(i, 4);
	swap(at - 12, 2);
	swap(at + 32, 4);
	trace_open(&r, file, len);
	expect(&r, TRACE_BLOCK_SECTION, &p);
	assert_true(r.swapped);
	expect(&r, TRACE_BLOCK_INTERFACE, &p);
	expect(&r, TRACE_BLOCK_PACKET, &p);
	assert_int_equal(p.ns, 5000);
	assert_int_equal(p.len, 3);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(trace_kind_name(TRACE_GUEST_RESET), "guest_reset");
	assert_string_equal(trace_kind_name((enum trace_kind)99), "unknown");
	assert_string_equal(trace_host_name(TRACE_READ_MEM), "read_mem");
	assert_string_equal(trace_host_name((enum trace_host)0), "unknown");
	/* as FNV's authors publish it */
	assert_true(trace_hash("", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(trace_hash("foobar", 6) == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),	cmocka_unit_test(test_cut),
		cmocka_unit_test(test_no_room), cmocka_unit_test(test_broken),
		cmocka_unit_test(test_goes_on), cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_names),	cmocka_unit_test(test_resync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
