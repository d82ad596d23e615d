// SPDX-License-Identifier: MIT
/*
 * shrink.c: delta debugging over the entries of a trace.
 */

#include "shrink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "tracefile.h"
#include "traceout.h"
#include "why.h"

/* A record: its head in the file, its body behind it. */
struct record_at {
	const uint8_t *head;
	uint64_t ns;
};

/* An entry, and before it what belongs to it. */
struct entry {
	size_t first, n; /* records */
};

struct failure {
	bool differs;
	char expected[160], came[160];
	enum dmm_offence offence;
	unsigned int line;
	uint64_t address, length;
	char name[48];
};

struct shrinking {
	const struct replays_result *res;
	struct trace_packet model;
	struct record_at *record;
	size_t records;
	size_t opening; /* of them: what opening the monitor took */
	struct entry *entry;
	uint64_t *digest;     /* after each entry of the whole */
	size_t *kept, *trial; /* entries */
	size_t n;
	struct failure want;
	bool met; /* in the trial at hand */
	uint64_t tries, until_ns;
	size_t all;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- the trace ---- */

static bool fails(const struct replays_result *res)
{
	return replay_difference(res->replay) ||
	       replay_summary(res->replay)->violations;
}

/* Where it failed, and how. */
static struct replay_at failure_of(const struct replays_result *res,
				   struct failure *f)
{
	const struct replay_difference *d = replay_difference(res->replay);
	const struct replay_violation *v = res->violation;

	memset(f, 0, sizeof(*f));
	if (d) {
		f->differs = true;
		memcpy(f->expected, d->expected, sizeof(f->expected));
		memcpy(f->came, d->came, sizeof(f->came));
		return d->at;
	}
	f->offence = v->offence;
	f->line = v->line;
	f->address = v->address;
	f->length = v->length;
	memcpy(f->name, v->name, sizeof(f->name));
	return v->at;
}

static bool is_entry(uint8_t kind)
{
	return kind >= TRACE_ACCESS && kind <= TRACE_GUEST_RESET;
}

static struct trace_head head_of(const struct record_at *r)
{
	struct trace_head head;

	memcpy(&head, r->head, sizeof(head));
	return head;
}

static void add_record(struct shrinking *s, const struct trace_packet *p)
{
	if (!(s->records & (s->records - 1))) {
		s->record = reallocarray(s->record,
					 s->records ? 2 * s->records : 1,
					 sizeof(*s->record));
		if (!s->record)
			fatalx("no memory for the trace's records");
	}
	s->record[s->records++] =
		(struct record_at){ p->body - sizeof(struct trace_head),
				    p->ns };
}

/*
 * The device's records of one file.  True if there may be more in the next:
 * the entry that failed is still to come, and no other trace has begun.
 */
static bool read_file(struct shrinking *s, const struct replays_map *map,
		      uint64_t failed)
{
	struct trace_reader tr;
	struct trace_packet p;
	uint64_t next;
	int err;

	trace_open(&tr, map->bytes, map->len);
	while (!(err = trace_next(&tr, &p)) || (err == -EINVAL && tr.at)) {
		if (err || !p.ours || p.head.device != s->res->device)
			continue;
		if (p.head.kind == TRACE_MODEL) {
			if (!s->model.ours)
				s->model = p;
			continue;
		}
		next = s->model.head.sequence + 1 + s->records;
		if (p.head.sequence != next)
			return false;
		add_record(s, &p);
		if (is_entry(p.head.kind) && p.head.sequence >= failed)
			return false;
	}
	return true;
}

static void read_records(struct shrinking *s, const struct replays *r,
			 uint64_t failed)
{
	size_t i = 0;

	while (i < r->maps && strcmp(r->map[i].file, s->res->file))
		i++;
	while (i < r->maps && read_file(s, &r->map[i], failed))
		i++;
}

/* ---- a trial ---- */

static void on_violation(void *ctx, const struct replay_at *at,
			 const struct dmm_report *report)
{
	struct shrinking *s = ctx;
	const struct failure *f = &s->want;

	(void)at;
	s->met |= !f->differs && report->offence == f->offence &&
		  report->line == f->line && report->address == f->address &&
		  report->length == f->length &&
		  !strncmp(report->name ? report->name : "", f->name,
			   sizeof(f->name) - 1);
}

static int show(struct replay *r, const struct record_at *rec, uint64_t n)
{
	struct trace_packet p = { .block = TRACE_BLOCK_PACKET,
				  .offset = n,
				  .ns = rec->ns,
				  .ours = true,
				  .head = head_of(rec),
				  .body = rec->head + sizeof(p.head) };

	p.head.sequence = n;
	return replay_record(r, &p, n);
}

static int show_entry(struct shrinking *s, struct replay *r, size_t entry,
		      uint64_t *sequence)
{
	const struct entry *e = &s->entry[entry];
	int err = 0;
	size_t i;

	for (i = 0; !err && i < e->n; i++)
		err = show(r, &s->record[e->first + i], (*sequence)++);
	if (s->digest && s->tries == 1)
		s->digest[entry] = replay_digest(r);
	return err;
}

/* Does what is left fail as the whole does? */
static bool fails_so(struct shrinking *s, const size_t *entry, size_t n)
{
	const struct replay_sink sink = { .ctx = s, .violation = on_violation };
	const struct replay_difference *d;
	struct trace_packet model = s->model;
	struct replay *r = NULL;
	uint64_t sequence = 1;
	char *why = NULL;
	size_t i;
	int err;

	s->tries++;
	s->met = false;
	model.head.sequence = 0;
	err = replay_open(&r, s->res->model, &model, &sink, &why);
	free(why);
	for (i = 0; !err && i < s->opening; i++)
		err = show(r, &s->record[i], sequence++);
	for (i = 0; !err && i < n && !s->met && !replay_difference(r); i++)
		err = show_entry(s, r, entry[i], &sequence);
	d = r ? replay_difference(r) : NULL;
	if (s->want.differs)
		s->met = d && !strcmp(d->expected, s->want.expected) &&
			 !strcmp(d->came, s->want.came);
	replay_close(r);
	return !err && s->met;
}

/* ---- fewer entries ---- */

static bool hurry(const struct shrinking *s)
{
	return now_ns() > s->until_ns;
}

static void show_progress(const struct shrinking *s, size_t chunk)
{
	log_progress("shrink: %zu of %zu entries are left after %llu tries; "
		     "%zu at a time",
		     s->n, s->all, (unsigned long long)s->tries, chunk);
}

/* Without those from (from) to before (end)? */
static bool leave_out(struct shrinking *s, size_t from, size_t end)
{
	size_t left = s->n - (end - from);

	memcpy(s->trial, s->kept, from * sizeof(*s->kept));
	memcpy(s->trial + from, s->kept + end, (s->n - end) * sizeof(*s->kept));
	if (!fails_so(s, s->trial, left))
		return false;
	memcpy(s->kept, s->trial, left * sizeof(*s->kept));
	s->n = left;
	return true;
}

/*
 * From an entry at (from) on: all up to the last one after which the monitor
 * stands where it stood, then up to the one before, ...: a few, and if none
 * can be left out, the next.
 */
#define LOOPS_TRIED 8u

static bool loop_from(struct shrinking *s, size_t from)
{
	uint64_t digest = s->digest[s->kept[from]];
	size_t end, tried = 0;

	for (end = s->n - 1; end > from + 1 && tried < LOOPS_TRIED; end--) {
		if (s->digest[s->kept[end - 1]] != digest)
			continue;
		tried++;
		if (leave_out(s, from + 1, end))
			return true;
		if (hurry(s))
			break;
	}
	return false;
}

/*
 * A trace whose every answer was recorded makes sense only as it was: so first
 * leave out what leads back to where it began.
 */
static void without_loops(struct shrinking *s)
{
	size_t from;

	for (from = 0; from + 2 < s->n && !hurry(s); from++) {
		loop_from(s, from);
		show_progress(s, 0);
	}
}

/* One round: leave out each (chunk) in turn, the last ones first. */
static bool without(struct shrinking *s, size_t chunk)
{
	size_t end = s->n, from;
	bool any = false;

	while (end && !hurry(s)) {
		from = end > chunk ? end - chunk : 0;
		any |= leave_out(s, from, end);
		end = from;
		show_progress(s, chunk);
	}
	return any;
}

static void reduce(struct shrinking *s)
{
	size_t chunk;

	if (replay_summary(s->res->replay)->exact)
		without_loops(s);
	chunk = s->n / 2 ? s->n / 2 : 1;
	for (;;) {
		bool any = without(s, chunk);

		if (hurry(s) || (chunk == 1 && !any))
			break;
		if (chunk > 1)
			chunk /= 2;
		if (chunk > s->n / 2 && s->n > 1)
			chunk = s->n / 2;
	}
	log_progress_end();
}

/* ---- the file ---- */

static void put(struct traceout *to, const struct record_at *rec,
		uint64_t sequence)
{
	struct trace_head head = head_of(rec);

	head.sequence = sequence;
	traceout_record(to, rec->ns, head, rec->head + sizeof(head), head.len,
			NULL, 0);
}

static int write_file(const struct shrinking *s, const char *path, char **why)
{
	struct trace_head head = s->model.head;
	FILE *to = fopen(path, "we");
	uint64_t sequence = 1;
	struct traceout out;
	size_t i, k;
	bool fine;

	if (!to)
		return why_set(why, -errno, "cannot write %s: %s", path,
			       strerror(errno));
	head.sequence = 0;
	traceout_begin(&out, to);
	traceout_record(&out, s->model.ns, head, s->model.body, head.len, NULL,
			0);
	for (i = 0; i < s->opening; i++)
		put(&out, &s->record[i], sequence++);
	for (i = 0; i < s->n; i++)
		for (k = 0; k < s->entry[s->kept[i]].n; k++)
			put(&out, &s->record[s->entry[s->kept[i]].first + k],
			    sequence++);
	fine = traceout_close(&out);
	if (fclose(to) || !fine)
		return why_set(why, -EIO, "%s could not be written whole",
			       path);
	return 0;
}

/* ---- all of it ---- */

static void find_entries(struct shrinking *s)
{
	size_t i, first = s->opening;

	s->entry = xcalloc(s->records, sizeof(*s->entry));
	s->digest = xcalloc(s->records, sizeof(*s->digest));
	s->kept = xcalloc(s->records, sizeof(*s->kept));
	s->trial = xcalloc(s->records, sizeof(*s->trial));
	for (i = s->opening; i < s->records; i++) {
		if (!is_entry(head_of(&s->record[i]).kind))
			continue;
		s->entry[s->n] = (struct entry){ first, i + 1 - first };
		s->kept[s->n] = s->n;
		s->n++;
		first = i + 1;
	}
	s->all = s->n;
}

static const struct replays_result *first_that_fails(const struct replays *r)
{
	size_t i;

	for (i = 0; i < r->results; i++)
		if (fails(r->result[i]))
			return r->result[i];
	return NULL;
}

int shrink(const struct replays *r, const char *path, unsigned int seconds,
	   struct shrink_result *out, char **why)
{
	struct shrinking s = { .res = first_that_fails(r) };
	struct replay_at at;
	int err;

	if (!s.res)
		return why_set(why, -ENOENT,
			       "nothing fails, so there is nothing to shrink");
	at = failure_of(s.res, &s.want);
	read_records(&s, r, at.sequence);
	s.opening = replay_opening(s.res->replay);
	if (s.opening > s.records)
		s.opening = s.records;
	find_entries(&s);
	s.until_ns = now_ns() + seconds * UINT64_C(1000000000);
	if (fails_so(&s, s.kept, s.n)) {
		reduce(&s);
		err = write_file(&s, path, why);
	} else {
		err = why_set(why, -EINVAL,
			      "the device's records alone do not fail as the "
			      "trace does");
	}
	*out = (struct shrink_result){
		.from = s.all, .to = s.n, .tries = s.tries, .hurried = hurry(&s)
	};
	free(s.trial);
	free(s.kept);
	free(s.digest);
	free(s.entry);
	free(s.record);
	return err;
}
