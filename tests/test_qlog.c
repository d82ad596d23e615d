/* SPDX-License-Identifier: MIT */
/*
 * test_qlog.c: reads logs, good and bad; and checks dmm/ring.c against what a
 * real driver read from QEMU's card in the recorded trace.
 *
 * Usage: test_qlog [DIRECTORY of the traces]; without them it skips those.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "dmm/ring.h"
#include "qlog.h"

static const char *traces = "traces";

static const char text[] =
	"pic_set_irq master 1 irq 4 level 0\n"
	"memory_region_ops_read cpu 0 mr 0x5 addr 0xc000 value 0x1 size 1 "
	"name 'nic'\n"
	"pci_cfg_write nic 00:02.0 @0x10 <- 0xc000\n"
	"pci_update_mappings_add nic 00:02.0 0,0xc000+0x100\n"
	"pci_update_mappings_add nic 00:02.0 6,0xfebc0000+0x40000\n"
	"memory_region_ops_read cpu 0 mr 0x5 addr 0xc010 value 0x5252 size 1 "
	"name 'nic'\n"
	"memory_region_ops_write cpu 0 mr 0x5 addr 0xc010 value 0x1 size 1 "
	"name 'nicer'\r\n"
	"memory_region_ops_write cpu -1 mr 0x5 addr 0xc0fc "
	"value 0xffffffff12345678 size 4 name 'nic'\n"
	"pci_update_mappings_add nic 00:02.0 0,0xd000+0x100\n"
	"memory_region_ops_write cpu 1 mr 0x5 addr 0xd007 value 0xff size 1 "
	"name 'nic'\n"
	"memory_region_ops_read cpu 1 mr 0x5 addr 0xd0ff value 0xff size 2 "
	"name 'nic'\n"
	"memory_region_ops_read cpu 1 mr 0x5 addr 0xfebc0008 "
	"value 0xfedcba9876543210 size 8";

static void expect(struct qlog *q, bool write, unsigned int bar, uint64_t addr,
		   unsigned int size, uint64_t value)
{
	struct qlog_access a;

	assert_int_equal(qlog_next(q, &a), 1);
	assert_int_equal(a.write, write);
	assert_int_equal(a.bar, bar);
	assert_int_equal(a.addr, addr);
	assert_int_equal(a.size, size);
	assert_int_equal(a.value, value);
}

static void expect_text(struct qlog *q)
{
	struct qlog_access a = { .addr = 99 };

	expect(q, false, 0, 0x10, 1, 0x52);
	expect(q, true, 0, 0xfc, 4, 0x12345678);
	expect(q, true, 0, 7, 1, 0xff);
	expect(q, false, 6, 8, 8, UINT64_C(0xfedcba9876543210));
	assert_int_equal(qlog_next(q, &a), 0);
	assert_int_equal(a.addr, 99);
	assert_int_equal(q->unmapped, 2); /* too early; over the end */
	assert_int_equal(q->line, 12);
}

static void test_text(void **state)
{
	struct qlog q;
	FILE *file;

	(void)state;
	qlog_init_text(&q, text, strlen(text), "nic");
	expect_text(&q);
	file = tmpfile();
	assert_non_null(file);
	assert_int_equal(fwrite(text, strlen(text), 1, file), 1);
	rewind(file);
	qlog_init_file(&q, file, "nic");
	expect_text(&q);
	fclose(file);
	qlog_init_text(&q, "", 0, NULL);
	assert_int_equal(qlog_next(&q, &(struct qlog_access){ 0 }), 0);
}

static const char *const bad[] = {
	"memory_region_ops_read ",
	"memory_region_ops_read cpu 0 mr 0x5 addr 0xc000 value 0x1",
	"memory_region_ops_read cpu 0 mr 0x5 addr 0xc000 value 0x1 size 3",
	"memory_region_ops_read cpu 0 mr 0x5 addr 0xc000 value -1 size 1",
	"memory_region_ops_read cpu  mr 0x5 addr 0xc000 value 1 size 1",
	"memory_region_ops_read cpu 0 mr 0x5 addr 0xc000 value 1 size 1 nam",
	"memory_region_ops_read cpu 0 mr 0x5 addr 0xc000 value 1 size 1 name '",
	"memory_region_ops_read cpu 0 mr 0x5 addr 0xc000 value 1 size 1 name 'n",
	("memory_region_ops_write cpu 0 mr 0x5 addr 0x10000000000000000 "
	 "value 1 size 1"),
	"pci_update_mappings_add nic 00:02.0 7,0xc000+0x100",
	"pci_update_mappings_add nic 00:02.0 0,0xc000",
	"pci_update_mappings_add nic",
	"pci_update_mappings_add ",
};

static void test_bad(void **state)
{
	struct qlog_access a;
	struct qlog q;
	char *line;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		qlog_init_text(&q, bad[i], strlen(bad[i]), NULL);
		assert_int_equal(qlog_next(&q, &a), -EINVAL);
		assert_int_equal(q.line, 1);
	}
	/* A line without end. */
	line = malloc(1 << 20);
	assert_non_null(line);
	memset(line, 'x', 1 << 20);
	memcpy(line, "memory_region_ops_read", 22);
	qlog_init_text(&q, line, 1 << 20, NULL);
	assert_int_equal(qlog_next(&q, &a), 0);
	line[22] = ' ';
	qlog_init_text(&q, line, 1 << 20, NULL);
	assert_int_equal(qlog_next(&q, &a), -EINVAL);
	free(line);
}

/* The trace (name), decompressed; skips the test if it is not there. */
static FILE *open_trace(const char *name)
{
	char path[1024], command[1100];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", traces, name);
	if (access(path, R_OK) || strchr(path, '\''))
		skip();
	snprintf(command, sizeof(command), "xz -dc '%s'", path);
	file = popen(command, "r");
	assert_non_null(file);
	return file;
}

/* As much of an NE2000 as it takes to know what its driver reads. */
struct card {
	struct ring_page ring;
	struct ring_watch watch;
	uint8_t bank;
	uint16_t at; /* remote DMA */
	uint64_t accesses, commands, sends, reads, writes, freed;
	uint64_t hash;
};

static void card_read(struct card *c, const struct qlog_access *a)
{
	uint8_t bytes[8];
	unsigned int i;

	if (a->addr != 0x10)
		return;
	for (i = 0; i < a->size; i++)
		bytes[i] = (uint8_t)(a->value >> 8 * i);
	ring_watch_read(&c->watch, &c->ring, c->at, bytes, a->size);
	c->at = (uint16_t)(c->at + a->size);
	if (c->at == c->ring.stop * RING_PAGE)
		c->at = (uint16_t)(c->ring.start * RING_PAGE);
}

/*
 * The driver moves its boundary when it is done with a frame: one page behind
 * the next, which is where the watch must be by then.
 */
static void card_boundary(struct card *c, uint8_t page)
{
	c->ring.boundary = page;
	if (!c->watch.frames || !page)
		return;
	c->freed++;
	assert_int_equal(c->watch.expect, page + 1);
	assert_int_equal(c->watch.frames, c->freed);
	assert_true(ring_valid(&c->ring));
}

static void card_command(struct card *c, uint8_t value)
{
	c->bank = value >> 6;
	c->commands++;
	c->sends += value >> 2 & 1;
	c->reads += (value >> 3 & 7) == 1;
	c->writes += (value >> 3 & 7) == 2;
}

static void card_write(struct card *c, const struct qlog_access *a)
{
	uint8_t value = (uint8_t)a->value;
	unsigned int shift = (a->addr & 7) * 8;

	if (a->addr == 0) {
		card_command(c, value);
	} else if (c->bank == 1 && a->addr == 7) {
		c->ring.current = value;
		ring_watch_start(&c->watch, &c->ring);
	} else if (c->bank == 1 && a->addr >= 8 && a->addr < 0x10) {
		c->hash &= ~((uint64_t)0xff << shift);
		c->hash |= (uint64_t)value << shift;
	} else if (c->bank == 0) {
		switch (a->addr) {
		case 1:
			c->ring.start = value;
			break;
		case 2:
			c->ring.stop = value;
			break;
		case 3:
			card_boundary(c, value);
			break;
		case 8:
			c->at = (uint16_t)((c->at & 0xff00) | value);
			break;
		case 9:
			c->at = (uint16_t)((c->at & 0xff) | value << 8);
			break;
		}
	}
}

static void test_pages(void **state)
{
	static const uint8_t groups[][6] = {
		{ 0x33, 0x33, 0x00, 0x00, 0x00, 0x01 },
		{ 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 },
		{ 0x33, 0x33, 0xff, 0x12, 0x34, 0x56 },
	};
	struct card c = { .ring = { .mem_start = 0x4000, .mem_size = 0x8000 } };
	uint64_t hash = 0;
	struct qlog_access a;
	struct qlog q;
	FILE *file;
	size_t i;
	int ret;

	(void)state;
	file = open_trace("linux-6.1-ne2k_pci.qemu.log.xz");
	qlog_init_file(&q, file, "ne2000");
	while ((ret = qlog_next(&q, &a)) > 0) {
		assert_true(a.bar == 0 && a.addr < 0x20);
		c.accesses++;
		if (a.write)
			card_write(&c, &a);
		else
			card_read(&c, &a);
	}
	assert_int_equal(ret, 0);
	assert_int_equal(pclose(file), 0);
	assert_int_equal(q.unmapped, 0);
	assert_int_equal(c.accesses, 218052);
	assert_int_equal(c.commands, 5515);
	assert_int_equal(c.sends, 350);
	assert_int_equal(c.reads, 917);
	assert_int_equal(c.writes, 350);
	assert_int_equal(c.watch.frames, c.freed);
	assert_int_equal(c.watch.frames, 458);
	assert_int_equal(c.watch.bytes, 512021);
	for (i = 0; i < ARRAY_LEN(groups); i++)
		hash |= UINT64_C(1) << frame_hash_be(groups[i]);
	assert_int_equal(c.hash, hash);
}

static void test_descriptors(void **state)
{
	uint64_t doorbells = 0, resets = 0;
	struct qlog_access a;
	struct qlog q;
	FILE *file;
	int ret;

	(void)state;
	file = open_trace("linux-6.1-e1000.qemu.log.xz");
	qlog_init_file(&q, file, NULL);
	while ((ret = qlog_next(&q, &a)) > 0) {
		assert_true(a.size == 4 && a.bar <= 1);
		assert_true(a.addr < (a.bar ? 0x40 : 0x20000));
		doorbells += a.bar == 0 && a.write && a.addr == 0x3818;
		resets += a.bar == 1 && a.write;
	}
	assert_int_equal(ret, 0);
	assert_int_equal(pclose(file), 0);
	assert_int_equal(q.unmapped, 0);
	assert_int_equal(doorbells, 298);
	assert_int_equal(resets, 6);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_descriptors),
	};

	if (argc > 1)
		traces = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
