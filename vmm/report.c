/* SPDX-License-Identifier: MIT */
/*
 * report.c: the tables at the end of a run, and the same as JSON.
 */

#include <stdlib.h>

#include "json.h"
#include "log.h"
#include "report.h"
#include "table.h"

/* The keys are an interface: scripts read them. */
static const char *const paths[DMM_PATHS] = {
	[DMM_DIRECT] = "direct", [DMM_FORWARD] = "forward",
	[DMM_LATCH] = "latch",	 [DMM_HOOK] = "hook",
	[DMM_DEFER] = "defer",	 [DMM_ANSWER] = "answer",
	[DMM_DENY] = "deny",
};

void report_init(struct report *r, size_t guests, size_t devices)
{
	r->guest = xcalloc(guests, sizeof(*r->guest));
	r->guests = guests;
	r->device = xcalloc(devices, sizeof(*r->device));
	r->devices = devices;
}

void report_fini(struct report *r)
{
	free(r->guest);
	free(r->device);
	*r = (struct report){ 0 };
}

void report_add(struct dmm_guest_stats *sum, const struct dmm_guest_stats *s)
{
	sum->frames_sent += s->frames_sent;
	sum->frames_received += s->frames_received;
	sum->bytes_sent += s->bytes_sent;
	sum->bytes_received += s->bytes_received;
	for (int i = 0; i < DMM_PATHS; i++)
		sum->accesses[i] += s->accesses[i];
	sum->drops += s->drops;
	sum->held_ns += s->held_ns;
	sum->parked_ns += s->parked_ns;
	sum->violations += s->violations;
}

/* ---- for people ---- */

static void print_guests(const struct report *r, FILE *to, bool colour)
{
	static const char *const headings[] = {
		"sent",	 "bytes", "received", "bytes",
		"drops", "held",  "parked",   "violations",
	};
	struct table t;

	table_open(&t);
	table_column(&t, "guest", TABLE_LEFT);
	table_column(&t, "status", TABLE_LEFT);
	for (size_t i = 0; i < ARRAY_LEN(headings); i++)
		table_column(&t, headings[i], TABLE_RIGHT);
	for (size_t i = 0; i < r->guests; i++) {
		const struct dmm_guest_stats *s = &r->guest[i].stats;

		table_text(&t, r->guest[i].name);
		table_text(&t, r->guest[i].status);
		table_count(&t, s->frames_sent);
		table_count(&t, s->bytes_sent);
		table_count(&t, s->frames_received);
		table_count(&t, s->bytes_received);
		table_count(&t, s->drops);
		table_time(&t, s->held_ns);
		table_time(&t, s->parked_ns);
		table_count(&t, s->violations);
	}
	table_print(&t, to, colour);
	table_close(&t);
}

static void print_paths(const struct report *r, FILE *to, bool colour)
{
	struct table t;

	table_open(&t);
	table_column(&t, "accesses by", TABLE_LEFT);
	for (int p = 0; p < DMM_PATHS; p++)
		table_column(&t, paths[p], TABLE_RIGHT);
	table_column(&t, "sum", TABLE_RIGHT);
	for (size_t i = 0; i < r->guests; i++) {
		const struct dmm_guest_stats *s = &r->guest[i].stats;
		uint64_t sum = 0;

		table_text(&t, r->guest[i].name);
		for (int p = 0; p < DMM_PATHS; p++) {
			table_count(&t, s->accesses[p]);
			sum += s->accesses[p];
		}
		table_count(&t, sum);
	}
	table_print(&t, to, colour);
	table_close(&t);
}

static void print_devices(const struct report *r, FILE *to, bool colour)
{
	static const char *const headings[] = {
		"lines",  "switches", "forced",	 "fastest",
		"median", "slowest",  "unheard",
	};
	struct table t;

	table_open(&t);
	table_column(&t, "device", TABLE_LEFT);
	table_column(&t, "model", TABLE_LEFT);
	for (size_t i = 0; i < ARRAY_LEN(headings); i++)
		table_column(&t, headings[i], TABLE_RIGHT);
	for (size_t i = 0; i < r->devices; i++) {
		const struct report_device *d = &r->device[i];

		table_text(&t, d->name);
		table_text(&t, d->model);
		table_count(&t, d->model_lines);
		table_count(&t, d->stats.switches);
		table_count(&t, d->stats.forced);
		table_time(&t, d->stats.switch_ns_min);
		table_time(&t, d->stats.switch_ns_median);
		table_time(&t, d->stats.switch_ns_max);
		if (d->unheard == UINT64_MAX)
			table_text(&t, NULL);
		else
			table_count(&t, d->unheard);
	}
	table_print(&t, to, colour);
	table_close(&t);
}

/* Only of devices whose guests send by rings: others' data is in accesses. */
static void print_transmit(const struct report *r, FILE *to, bool colour)
{
	static const char *const headings[] = {
		"packets",     "exits", "doorbells", "hooked",
		"descriptors", "heads", "payload",   "local",
	};
	struct table t;

	table_open(&t);
	table_column(&t, "bytes copied", TABLE_LEFT);
	for (size_t i = 0; i < ARRAY_LEN(headings); i++)
		table_column(&t, headings[i], TABLE_RIGHT);
	for (size_t i = 0; i < r->devices; i++) {
		const struct dmm_transmit *x = &r->device[i].stats.transmit;

		if (!r->device[i].rings)
			continue;
		table_text(&t, r->device[i].name);
		table_count(&t, x->packets);
		table_count(&t, x->exits);
		table_count(&t, x->doorbell_exits);
		table_count(&t, x->hooked);
		table_count(&t, x->descriptor_bytes_copied);
		table_count(&t, x->head_bytes_copied);
		table_count(&t, x->payload_bytes_copied);
		table_count(&t, x->local_bytes_copied);
	}
	table_print(&t, to, colour);
	table_close(&t);
}

static bool any_rings(const struct report *r)
{
	for (size_t i = 0; i < r->devices; i++)
		if (r->device[i].rings)
			return true;
	return false;
}

void report_print(const struct report *r, FILE *to, bool colour)
{
	print_guests(r, to, colour);
	if (!r->devices)
		return;
	fputc('\n', to);
	print_paths(r, to, colour);
	fputc('\n', to);
	print_devices(r, to, colour);
	if (!any_rings(r))
		return;
	fputc('\n', to);
	print_transmit(r, to, colour);
}

/* ---- for programs ---- */

static void json_guest(struct json *j, const struct report_guest *g)
{
	const struct dmm_guest_stats *s = &g->stats;

	json_object(j, NULL);
	json_string(j, "name", g->name);
	json_string(j, "status", g->status);
	json_u64(j, "reboots", g->reboots);
	json_u64(j, "frames_sent", s->frames_sent);
	json_u64(j, "frames_received", s->frames_received);
	json_u64(j, "bytes_sent", s->bytes_sent);
	json_u64(j, "bytes_received", s->bytes_received);
	json_object(j, "accesses");
	for (int p = 0; p < DMM_PATHS; p++)
		json_u64(j, paths[p], s->accesses[p]);
	json_end(j);
	json_u64(j, "drops", s->drops);
	json_u64(j, "held_ns", s->held_ns);
	json_u64(j, "parked_ns", s->parked_ns);
	json_u64(j, "violations", s->violations);
	json_end(j);
}

static void json_transmit(struct json *j, const struct dmm_transmit *x)
{
	json_object(j, "transmit");
	json_u64(j, "packets", x->packets);
	json_u64(j, "exits", x->exits);
	json_u64(j, "doorbell_exits", x->doorbell_exits);
	json_u64(j, "hooked", x->hooked);
	json_u64(j, "descriptor_bytes_copied", x->descriptor_bytes_copied);
	json_u64(j, "head_bytes_copied", x->head_bytes_copied);
	json_u64(j, "payload_bytes_copied", x->payload_bytes_copied);
	json_u64(j, "local_bytes_copied", x->local_bytes_copied);
	json_end(j);
}

static void json_device(struct json *j, const struct report_device *d)
{
	json_object(j, NULL);
	json_string(j, "name", d->name);
	json_string(j, "model", d->model);
	json_u64(j, "model_lines", d->model_lines);
	json_u64(j, "steps", d->stats.steps);
	json_u64(j, "switches", d->stats.switches);
	json_u64(j, "forced", d->stats.forced);
	json_object(j, "switch_ns");
	json_u64(j, "min", d->stats.switch_ns_min);
	json_u64(j, "median", d->stats.switch_ns_median);
	json_u64(j, "max", d->stats.switch_ns_max);
	json_end(j);
	if (d->unheard == UINT64_MAX)
		json_string(j, "unheard", NULL);
	else
		json_u64(j, "unheard", d->unheard);
	json_transmit(j, &d->stats.transmit);
	json_end(j);
}

int report_json(const struct report *r, FILE *to)
{
	struct json j;

	json_open(&j, to);
	json_object(&j, NULL);
	json_array(&j, "guests");
	for (size_t i = 0; i < r->guests; i++)
		json_guest(&j, &r->guest[i]);
	json_end(&j);
	json_array(&j, "devices");
	for (size_t i = 0; i < r->devices; i++)
		json_device(&j, &r->device[i]);
	json_end(&j);
	json_end(&j);
	return json_close(&j);
}

void report_range(const struct dmm_model *model, const struct dmm_report *r,
		  char *text, size_t room)
{
	struct dmm_space space;

	*text = '\0';
	if (r->offence == DMM_REFUSED || r->offence == DMM_SPOOFED)
		snprintf(text, room, ": [0x%llx, +0x%llx)",
			 (unsigned long long)r->address,
			 (unsigned long long)r->length);
	else if (r->access && dmm_model_space(model, r->access->space, &space))
		snprintf(text, room, ": %s [%s+0x%llx, +%u)",
			 r->access->write ? "write" : "read", space.name,
			 (unsigned long long)r->access->off, r->access->width);
}
