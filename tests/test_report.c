/* SPDX-License-Identifier: MIT */
/*
 * test_report.c: the final table and its JSON, whose keys are an interface.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../vmm/report.h"

static void fill(struct report *r)
{
	report_init(r, 1, 1);
	r->guest[0] = (struct report_guest){
		.name = "alpha",
		.status = "ok",
		.reboots = 26,
		.stats = {
			.frames_sent = 70,
			.frames_received = 141,
			.bytes_sent = 5000,
			.bytes_received = 70000,
			.accesses = { 1, 2, 3, 4, 5, 6, 7 },
			.drops = 8,
			.held_ns = 9,
			.parked_ns = 10,
			.violations = 11,
		},
	};
	r->device[0] = (struct report_device){
		.name = "nic0",
		.model = "card",
		.model_lines = 120,
		.stats = { .steps = 12,
			   .switches = 13,
			   .forced = 14,
			   .switch_ns_min = 15,
			   .switch_ns_median = 16,
			   .switch_ns_max = 17,
			   .transmit = { .packets = 18,
					 .exits = 19,
					 .doorbell_exits = 20,
					 .hooked = 21,
					 .descriptor_bytes_copied = 22,
					 .head_bytes_copied = 23,
					 .payload_bytes_copied = 24,
					 .local_bytes_copied = 25123 } },
		.unheard = UINT64_MAX,
	};
}

static char *json(const struct report *r)
{
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	assert_int_equal(report_json(r, to), 0);
	fclose(to);
	return text;
}

static const char every_key[] = "{\n"
				"  \"guests\": [\n"
				"    {\n"
				"      \"name\": \"alpha\",\n"
				"      \"status\": \"ok\",\n"
				"      \"reboots\": 26,\n"
				"      \"frames_sent\": 70,\n"
				"      \"frames_received\": 141,\n"
				"      \"bytes_sent\": 5000,\n"
				"      \"bytes_received\": 70000,\n"
				"      \"accesses\": {\n"
				"        \"direct\": 1,\n"
				"        \"forward\": 2,\n"
				"        \"latch\": 3,\n"
				"        \"hook\": 4,\n"
				"        \"defer\": 5,\n"
				"        \"answer\": 6,\n"
				"        \"deny\": 7\n"
				"      },\n"
				"      \"drops\": 8,\n"
				"      \"held_ns\": 9,\n"
				"      \"parked_ns\": 10,\n"
				"      \"violations\": 11\n"
				"    }\n"
				"  ],\n"
				"  \"devices\": [\n"
				"    {\n"
				"      \"name\": \"nic0\",\n"
				"      \"model\": \"card\",\n"
				"      \"model_lines\": 120,\n"
				"      \"steps\": 12,\n"
				"      \"switches\": 13,\n"
				"      \"forced\": 14,\n"
				"      \"switch_ns\": {\n"
				"        \"min\": 15,\n"
				"        \"median\": 16,\n"
				"        \"max\": 17\n"
				"      },\n"
				"      \"unheard\": null,\n"
				"      \"transmit\": {\n"
				"        \"packets\": 18,\n"
				"        \"exits\": 19,\n"
				"        \"doorbell_exits\": 20,\n"
				"        \"hooked\": 21,\n"
				"        \"descriptor_bytes_copied\": 22,\n"
				"        \"head_bytes_copied\": 23,\n"
				"        \"payload_bytes_copied\": 24,\n"
				"        \"local_bytes_copied\": 25123\n"
				"      }\n"
				"    }\n"
				"  ]\n"
				"}\n";

static void keys(void **state)
{
	struct report r;
	char *text;

	(void)state;
	fill(&r);
	text = json(&r);
	assert_string_equal(text, every_key);
	free(text);
	report_fini(&r);
}

static void nothing_ran(void **state)
{
	struct report r;
	char *text;

	(void)state;
	report_init(&r, 0, 0);
	text = json(&r);
	assert_string_equal(text, "{\n  \"guests\": [],\n"
				  "  \"devices\": []\n}\n");
	free(text);
	report_fini(&r);
}

static void table_for_people(void **state)
{
	static const char *const parts[] = { "alpha", "70,000", "status",
					     "28",    "nic0",	"120" };
	struct report r;
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	fill(&r);
	report_print(&r, to, false);
	fclose(to);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!strstr(text, parts[i]))
			fail_msg("no \"%s\" in:\n%s", parts[i], text);
	free(text);
	report_fini(&r);
}

/* The line of what transmission copied is there for rings, and only then. */
static void table_of_rings(void **state)
{
	struct report r;
	char *text;
	size_t len;

	(void)state;
	for (int rings = 0; rings < 2; rings++) {
		FILE *to = open_memstream(&text, &len);

		fill(&r);
		r.device[0].rings = rings;
		report_print(&r, to, false);
		fclose(to);
		assert_int_equal(strstr(text, "payload") != NULL, rings);
		assert_int_equal(strstr(text, "25,123") != NULL, rings);
		free(text);
		report_fini(&r);
	}
}

static void sums(void **state)
{
	struct dmm_guest_stats sum = { 0 };
	struct report r;

	(void)state;
	fill(&r);
	report_add(&sum, &r.guest[0].stats);
	report_add(&sum, &r.guest[0].stats);
	assert_int_equal(sum.frames_sent, 140);
	assert_int_equal(sum.accesses[DMM_DENY], 14);
	assert_int_equal(sum.violations, 22);
	report_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(nothing_ran),
		cmocka_unit_test(table_for_people),
		cmocka_unit_test(table_of_rings),
		cmocka_unit_test(sums),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
