/* SPDX-License-Identifier: MIT */
/*
 * test_record.c: what is recorded is in the file, what did not fit is counted,
 * and two devices at once do not disturb each other.
 *
 * For ThreadSanitizer, too: make B=build/tsan SANFLAGS=-fsanitize=thread \
 * build/tsan/tests/test_record
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "replay.h"
#include "vmm/file.h"
#include "vmm/record.h"
#include "vmm/replays.h"

#define BUFFER (256u << 10) /* the least */
#define ACCESSES 20000u

static char path[64];
static struct dmm_model *model;
static char *text;
static size_t text_len;

static struct machine machine = {
	.devices = 2,
	.guests = 1,
	.device = { { .name = "nic0" }, { .name = "nic1" } },
	.guest = { { .name = "alpha",
		     .uses = 2,
		     .use = { { .device = 0 }, { .device = 1 } } } },
};

struct device {
	struct record *record;
	struct echo echo;
};

static struct recorder *open_recorder(const struct record_conf *like)
{
	struct record_conf conf = *like;
	struct recorder *rec = NULL;
	char *why = NULL;

	conf.path = path;
	conf.buffer = BUFFER;
	if (recorder_open(&rec, &conf, &machine, &why))
		fail_msg("%s", why);
	return rec;
}

static void start(struct recorder *rec)
{
	char *why = NULL;

	if (recorder_start(rec, &why))
		fail_msg("%s", why);
}

static void open_device(struct device *d, struct recorder *rec, unsigned int i)
{
	struct dmm_conf conf = { .how = DMM_EXCLUSIVE,
				 .antispoof = true,
				 .guests = 1 };
	struct dmm_host host = echo_device;
	char *why = NULL;

	d->echo = (struct echo){ .now_ns = 1 };
	memcpy(conf.guest[0].mac, replay_mac, 6);
	conf.guest[0].has_mac = true;
	conf.guest[0].weight = 1;
	host.ctx = &d->echo;
	d->record = record_open(rec, i, model, text, text_len, &conf, &host);
	if (dmm_open(&d->echo.dmm, model, &conf, &host, &why))
		fail_msg("%s", why ? why : "?");
	record_start(d->record, d->echo.dmm);
}

static void close_device(struct device *d)
{
	record_stop(d->record);
	echo_close(&d->echo);
}

static void access_one(struct device *d, uint64_t off, bool write,
		       uint8_t value)
{
	struct dmm_access a = { .off = off,
				.data = &value,
				.count = 1,
				.width = 1,
				.write = write };

	assert_int_equal(enter_access(d->record, d->echo.dmm, 0, &a, 0),
			 DMM_PASS);
}

static void work(struct device *d, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		access_one(d, 7, false, 0);
		access_one(d, 3, true, (uint8_t)i);
	}
	enter_interrupt(d->record, d->echo.dmm, true);
	(void)enter_tick(d->record, d->echo.dmm);
}

static void replay_all(struct replays *r, unsigned int files)
{
	const struct replays_conf conf = { .model = NULL };
	static char name[16][80];
	unsigned int i;

	replays_open(r, &conf);
	for (i = 0; i < files; i++) {
		snprintf(name[i], sizeof(name[i]), i ? "%s.%u" : "%s", path, i);
		replays_file(r, name[i]);
	}
	replays_finish(r);
	assert_false(r->bad);
	for (i = 0; i < r->results; i++) {
		const struct replay_difference *d =
			replay_difference(r->result[i]->replay);

		if (d)
			fail_msg("%s; %s", d->expected, d->came);
	}
}

static void *worker(void *arg)
{
	work(arg, ACCESSES);
	return NULL;
}

/* Lost or not, depending on the disk; but what is there is right. */
static void test_two(void **state)
{
	struct recorder *rec = open_recorder(&(struct record_conf){ 0 });
	static struct device d[2];
	pthread_t thread[2];
	struct replays r;
	uint64_t events, lost;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++)
		open_device(&d[i], rec, i);
	start(rec);
	for (i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, worker, &d[i]), 0);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < 2; i++)
		close_device(&d[i]);
	recorder_close(rec);
	replay_all(&r, 1);
	assert_int_equal(r.results, 2);
	for (i = 0; i < 2; i++) {
		events = replay_summary(r.result[i]->replay)->events;
		lost = replay_summary(r.result[i]->replay)->lost;
		assert_true(lost ? events < 2 * ACCESSES + 2 :
				   events == 2 * ACCESSES + 2);
	}
	replays_close(&r);
	unlink(path);
}

/* Nobody writes yet: what does not fit is counted, to the last record. */
static void test_lost(void **state)
{
	struct recorder *rec = open_recorder(&(struct record_conf){ 0 });
	uint64_t lost = 0, records = 0, next = 0;
	char *bytes = NULL, *why = NULL;
	static struct device d;
	struct trace_reader tr;
	struct trace_packet p;
	size_t len;

	(void)state;
	open_device(&d, rec, 0);
	work(&d, ACCESSES / 4);
	start(rec);
	usleep(20000);
	work(&d, 10);
	close_device(&d);
	recorder_close(rec);
	if (file_read(path, 64u << 20, &bytes, &len, &why))
		fail_msg("%s", why);
	trace_open(&tr, bytes, len);
	while (!trace_next(&tr, &p)) {
		struct trace_value value;

		if (!p.ours)
			continue;
		records++;
		if (p.head.kind == TRACE_LOST) {
			memcpy(&value, p.body, sizeof(value));
			lost += value.value;
			next += value.value - 1;
		}
		assert_int_equal(p.head.sequence, next);
		next++;
	}
	assert_true(lost > 1000);
	assert_true(records > 1000);
	free(bytes);
	unlink(path);
}

static void test_rotation(void **state)
{
	struct recorder *rec =
		open_recorder(&(struct record_conf){ .size = 300u << 10 });
	static struct device d;
	struct replays r;
	unsigned int i;
	char name[80];

	(void)state;
	open_device(&d, rec, 0);
	start(rec);
	for (i = 0; i < 10; i++) {
		work(&d, 300);
		usleep(20000);
	}
	close_device(&d);
	recorder_close(rec);
	for (i = 1; snprintf(name, sizeof(name), "%s.%u", path, i) &&
		    !access(name, R_OK);
	     i++)
		;
	assert_in_range(i, 3, 15);
	replay_all(&r, i);
	assert_int_equal(r.results, 1);
	if (!replay_summary(r.result[0]->replay)->lost)
		assert_int_equal(replay_summary(r.result[0]->replay)->events,
				 10 * 602);
	replays_close(&r);
	for (; i-- > 1;) {
		snprintf(name, sizeof(name), "%s.%u", path, i);
		unlink(name);
	}
	unlink(path);
}

/* Kept in memory; only what is not allowed brings it to the file. */
static void test_ring(void **state)
{
	struct recorder *rec =
		open_recorder(&(struct record_conf){ .ring = true });
	static struct device d;
	struct replays r;
	struct stat st;

	(void)state;
	open_device(&d, rec, 0);
	start(rec);
	work(&d, ACCESSES / 4);
	usleep(20000);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	/* send 0x600 bytes from page 0x10, where there is no memory */
	access_one(&d, 0, true, 0x22);
	access_one(&d, 4, true, 0x10);
	access_one(&d, 6, true, 0x06);
	access_one(&d, 0, true, 0x26);
	usleep(50000);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, BUFFER / 2, 2 * BUFFER);
	close_device(&d);
	recorder_close(rec);
	replay_all(&r, 1);
	assert_int_equal(r.results, 1);
	assert_false(replay_summary(r.result[0]->replay)->exact);
	assert_true(replay_summary(r.result[0]->replay)->lost > 1000);
	replays_close(&r);
	unlink(path);
}

static int load(void **state)
{
	char *why = NULL;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_record.%d", (int)getpid());
	model = replay_model("models/ne2k-pci.yaml");
	return model ? file_read("models/ne2k-pci.yaml", 1 << 20, &text,
				 &text_len, &why) :
		       -1;
}

static int unload(void **state)
{
	(void)state;
	dmm_model_free(model);
	free(text);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_ring),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
