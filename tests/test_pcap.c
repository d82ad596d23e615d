/* SPDX-License-Identifier: MIT */
/*
 * test_pcap.c: a capture file read back byte by byte, as its format says.
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "vmm/pcap.h"

struct file {
	char path[64];
	uint8_t *text;
	size_t len;
};

static int setup(void **state)
{
	struct file *file = calloc(1, sizeof(*file));
	int fd;

	assert_non_null(file);
	strcpy(file->path, "/tmp/vpio-test-pcap-XXXXXX");
	fd = mkstemp(file->path);
	assert_true(fd >= 0);
	close(fd);
	*state = file;
	return 0;
}

static int teardown(void **state)
{
	struct file *file = *state;

	unlink(file->path);
	free(file->text);
	free(file);
	return 0;
}

static void slurp(struct file *file)
{
	FILE *f = fopen(file->path, "rb");

	assert_non_null(f);
	file->text = malloc(1 << 20);
	assert_non_null(file->text);
	file->len = fread(file->text, 1, 1 << 20, f);
	fclose(f);
}

static uint32_t word(const struct file *file, size_t at)
{
	uint32_t value;

	assert_in_range(at + 4, 4, file->len);
	memcpy(&value, file->text + at, 4);
	return value;
}

static void test_records(void **state)
{
	struct file *file = *state;
	struct pcap *pcap;
	uint8_t frame[1514];
	static const size_t lens[] = { 14, 60, 1514 };
	uint64_t before = 0;
	size_t at = 24;

	memset(frame, 0xa5, sizeof(frame));
	assert_int_equal(pcap_open(&pcap, file->path), 0);
	for (unsigned int i = 0; i < 3; i++)
		pcap_frame(pcap, frame, lens[i]);
	pcap_close(pcap);

	slurp(file);
	assert_int_equal(word(file, 0), 0xa1b23c4d);
	assert_int_equal(word(file, 4), 2 | 4 << 16);
	assert_int_equal(word(file, 16), 65535);
	assert_int_equal(word(file, 20), 1);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t ns = word(file, at) * UINT64_C(1000000000) +
			      word(file, at + 4);

		assert_true(word(file, at + 4) < 1000000000);
		assert_true(ns >= before);
		before = ns;
		assert_int_equal(word(file, at + 8), lens[i]);
		assert_int_equal(word(file, at + 12), lens[i]);
		assert_memory_equal(file->text + at + 16, frame, lens[i]);
		at += 16 + lens[i];
	}
	assert_int_equal(at, file->len);
}

/* A file that was there is begun anew; NULL is fine; a bad path is told. */
static void test_edges(void **state)
{
	struct file *file = *state;
	struct pcap *pcap;
	uint8_t frame[60] = { 0 };

	assert_int_equal(pcap_open(&pcap, file->path), 0);
	pcap_frame(pcap, frame, sizeof(frame));
	pcap_close(pcap);
	assert_int_equal(pcap_open(&pcap, file->path), 0);
	pcap_close(pcap);
	slurp(file);
	assert_int_equal(file->len, 24);
	pcap_frame(NULL, frame, sizeof(frame));
	pcap_close(NULL);
	assert_int_equal(pcap_open(&pcap, "/nonexistent/x.pcap"), -ENOENT);
	assert_int_equal(pcap_open(&pcap, "/dev/full"), -ENOSPC);
}

static void *writer(void *arg)
{
	uint8_t frame[100];

	for (unsigned int i = 0; i < 500; i++) {
		memset(frame, (int)i, sizeof(frame));
		pcap_frame(arg, frame, 14 + i % 80);
	}
	return NULL;
}

/* Threads do not mix: each record is whole. */
static void test_threads(void **state)
{
	struct file *file = *state;
	pthread_t thread[4];
	struct pcap *pcap;
	unsigned int n = 0;
	size_t at = 24;

	assert_int_equal(pcap_open(&pcap, file->path), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, writer, pcap),
				 0);
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	pcap_close(pcap);
	slurp(file);
	while (at < file->len) {
		uint32_t len = word(file, at + 8);

		assert_in_range(len, 14, 93);
		for (uint32_t i = 1; i < len; i++)
			assert_int_equal(file->text[at + 16 + i],
					 file->text[at + 16]);
		at += 16 + len;
		n++;
	}
	assert_int_equal(n, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_edges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
