// SPDX-License-Identifier: MIT
/*
 * replays_print.c: what came of replays: tables for people, JSON for programs.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "log.h"
#include "replays.h"
#include "report.h"
#include "table.h"

#define VIOLATIONS_SHOWN 20u

/* What all guests of a device did. */
static void sum_of(const struct replays_result *res,
		   struct dmm_guest_stats *sum, uint64_t *accesses)
{
	struct dmm *dmm = replay_dmm(res->replay);
	struct dmm_guest_stats s;
	unsigned int i;

	*sum = (struct dmm_guest_stats){ .drops = 0 };
	for (i = 0; dmm && i < res->guests; i++) {
		dmm_guest_stats(dmm, i, &s);
		report_add(sum, &s);
	}
	*accesses = 0;
	for (i = 0; i < DMM_PATHS; i++)
		*accesses += sum->accesses[i];
}

static unsigned int count(const uint8_t *met, unsigned int n)
{
	unsigned int i, sum = 0;

	for (i = 0; i < n; i++)
		sum += met[i];
	return sum;
}

/* The machine that a state is of: states stand machine by machine. */
static void full_name(const struct replays_result *res, unsigned int state,
		      char *text, size_t room)
{
	const char *machine = dmm_model_machine_of(res->model, state);

	snprintf(text, room, "%s.%s", machine ? machine : "?",
		 dmm_model_state(res->model, state));
}

static unsigned int states_met(const struct replay_summary *s)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->states; i++)
		n += s->state[i].entered != 0;
	return n;
}

/* ---- for people ---- */

static void print_states(const struct replays_result *res, FILE *to,
			 bool colour)
{
	const struct replay_summary *s = replay_summary(res->replay);
	struct table t;
	char name[100];
	unsigned int i;

	table_open(&t);
	table_column(&t, "state", TABLE_LEFT);
	table_column(&t, "entered", TABLE_RIGHT);
	table_column(&t, "time", TABLE_RIGHT);
	for (i = 0; i < s->states; i++) {
		full_name(res, i, name, sizeof(name));
		table_text(&t, name);
		table_count(&t, s->state[i].entered);
		table_time(&t, s->state[i].ns);
	}
	table_print(&t, to, colour);
	table_close(&t);
}

static void print_paths(const struct dmm_guest_stats *sum, uint64_t accesses,
			FILE *to)
{
	int p;

	fprintf(to, "%" PRIu64 " accesses:", accesses);
	for (p = 0; p < DMM_PATHS; p++)
		if (sum->accesses[p])
			fprintf(to, " %s %" PRIu64,
				dmm_path_name((enum dmm_path)p),
				sum->accesses[p]);
	if (sum->accesses[DMM_HOOK])
		fprintf(to, "; hooked 1 in %.1f",
			(double)accesses / (double)sum->accesses[DMM_HOOK]);
	fputc('\n', to);
}

static void print_coverage(const struct replays_result *res, FILE *to)
{
	const struct replay_summary *s = replay_summary(res->replay);
	unsigned int i;

	fprintf(to,
		"covered: %u of %u states, %u of %u transitions, %u of %u "
		"registers\n",
		states_met(s), s->states, count(s->rule, s->rules), s->rules,
		count(s->reg, s->registers), s->registers);
	if (count(s->rule, s->rules) == s->rules)
		return;
	fprintf(to, "transitions not taken: %s line", res->model_file);
	for (i = 0; i < s->rules; i++)
		if (!s->rule[i])
			fprintf(to, " %u", replay_rule_line(res->replay, i));
	fputc('\n', to);
}

static void print_violations(const struct replays_result *res, FILE *to)
{
	uint64_t all = replay_summary(res->replay)->violations;
	unsigned int i;

	for (i = 0; i < res->violations && i < VIOLATIONS_SHOWN; i++) {
		const struct replay_violation *v = &res->violation[i];

		fprintf(to, "%s: packet %" PRIu64 ": guest %u: %s: %s: %s",
			res->file, v->at.number, v->guest,
			dmm_offence_name(v->offence), v->name, v->rule);
		if (v->length)
			fprintf(to, ": [0x%" PRIx64 ", +0x%" PRIx64 ")",
				v->address, v->length);
		if (v->line)
			fprintf(to, " (%s line %u)", res->model_file, v->line);
		fputc('\n', to);
	}
	if (all > i)
		fprintf(to, "and %" PRIu64 " more violations\n", all - i);
}

static void print_end(const struct replays_result *res, FILE *to)
{
	const struct replay_difference *d = replay_difference(res->replay);
	const struct replay_summary *s = replay_summary(res->replay);

	if (d)
		fprintf(to,
			"DIFFERENT at packet %" PRIu64 " (record %" PRIu64
			", offset 0x%" PRIx64 "): expected %s, came %s\n",
			d->at.number, d->at.sequence, d->at.offset, d->expected,
			d->came);
	else if (s->lost)
		fprintf(to,
			"%" PRIu64 " records are missing: replayed up to "
			"there\n",
			s->lost);
	else if (s->exact)
		fputs("identical to what was recorded\n", to);
}

static void print_one(const struct replays_result *res, const struct whatif *w,
		      FILE *to, bool colour)
{
	const struct replay_summary *s = replay_summary(res->replay);
	struct dmm_guest_stats sum;
	uint64_t accesses, ns = s->last_ns - s->first_ns;

	sum_of(res, &sum, &accesses);
	fprintf(to,
		"%s: device %u: %s, %u guest%s, %" PRIu64 ".%03u s, %" PRIu64
		" events\n",
		res->file, res->device, dmm_model_name(res->model), res->guests,
		res->guests == 1 ? "" : "s", ns / 1000000000u,
		(unsigned int)(ns / 1000000u % 1000), s->events);
	print_paths(&sum, accesses, to);
	fprintf(to, "reusable: %" PRIu64 " windows, %.1f%% of the time\n",
		s->windows,
		ns ? 100.0 * (double)s->window_ns / (double)ns : 0.0);
	print_coverage(res, to);
	fputc('\n', to);
	print_states(res, to, colour);
	fputc('\n', to);
	print_violations(res, to);
	print_end(res, to);
	if (!w)
		return;
	fputs("\nwhat if:\n", to);
	whatif_print(w, res->counts, to, colour);
}

void replays_print(const struct replays *r, FILE *to, bool colour)
{
	size_t i;

	for (i = 0; i < r->results; i++) {
		if (i)
			fputc('\n', to);
		print_one(r->result[i], r->conf.what_if, to, colour);
	}
}

/* ---- for programs ---- */

/* Results of one model, and what all of them met. */
struct cover {
	const struct replays_result *res; /* one of them, for names */
	struct replay_summary sum;
	bool prefix; /* its names need the model's */
};

static bool same_model(const struct replays_result *a,
		       const struct replays_result *b)
{
	const struct replay_summary *s = replay_summary(a->replay);
	const struct replay_summary *t = replay_summary(b->replay);

	return !strcmp(dmm_model_name(a->model), dmm_model_name(b->model)) &&
	       s->states == t->states && s->registers == t->registers &&
	       s->rules == t->rules;
}

static void add_cover(struct cover *c, const struct replays_result *res)
{
	const struct replay_summary *s = replay_summary(res->replay);
	struct replay_state *state = (struct replay_state *)c->sum.state;
	uint8_t *met = (uint8_t *)c->sum.reg;
	unsigned int i;

	for (i = 0; i < s->states; i++) {
		state[i].entered += s->state[i].entered;
		state[i].ns += s->state[i].ns;
	}
	for (i = 0; i < s->registers; i++)
		met[i] |= s->reg[i];
	for (i = 0; i < s->rules; i++)
		met[s->registers + i] |= s->rule[i];
}

static struct cover open_cover(const struct replays_result *res)
{
	struct cover c = { .res = res, .sum = *replay_summary(res->replay) };
	uint8_t *met = xcalloc(c.sum.registers + c.sum.rules, 1);

	c.sum.state = xcalloc(c.sum.states, sizeof(*c.sum.state));
	c.sum.reg = met;
	c.sum.rule = met + c.sum.registers;
	return c;
}

/* One for each model; (*n) of them. */
static struct cover *open_covers(const struct replays *r, size_t *n)
{
	struct cover *c = xcalloc(r->results, sizeof(*c));
	size_t i, k;

	*n = 0;
	for (i = 0; i < r->results; i++) {
		for (k = 0; k < *n; k++)
			if (same_model(c[k].res, r->result[i]))
				break;
		if (k == *n)
			c[(*n)++] = open_cover(r->result[i]);
		add_cover(&c[k], r->result[i]);
	}
	for (k = 0; k < *n; k++)
		c[k].prefix = *n > 1;
	return c;
}

static void close_covers(struct cover *c, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free((void *)c[i].sum.state);
		free((void *)c[i].sum.reg);
	}
	free(c);
}

static void cover_name(const struct cover *c, const char *name, char *text,
		       size_t room)
{
	snprintf(text, room, "%s%s%s",
		 c->prefix ? dmm_model_name(c->res->model) : "",
		 c->prefix ? ":" : "", name);
}

static void json_met(struct json *j, const char *key, unsigned int met,
		     unsigned int of)
{
	json_object(j, key);
	json_u64(j, "met", met);
	json_u64(j, "of", of);
}

static void cover_states(struct json *j, const struct cover *c, size_t n)
{
	unsigned int met = 0, of = 0, i;
	char name[100], text[200];
	size_t k;

	for (k = 0; k < n; k++) {
		met += states_met(&c[k].sum);
		of += c[k].sum.states;
	}
	json_met(j, "states", met, of);
	json_array(j, "missing");
	for (k = 0; k < n; k++)
		for (i = 0; i < c[k].sum.states; i++) {
			if (c[k].sum.state[i].entered)
				continue;
			full_name(c[k].res, i, name, sizeof(name));
			cover_name(&c[k], name, text, sizeof(text));
			json_string(j, NULL, text);
		}
	json_end(j);
	json_end(j);
}

static void cover_transitions(struct json *j, const struct cover *c, size_t n)
{
	unsigned int met = 0, of = 0, i;
	size_t k;

	for (k = 0; k < n; k++) {
		met += count(c[k].sum.rule, c[k].sum.rules);
		of += c[k].sum.rules;
	}
	json_met(j, "transitions", met, of);
	json_array(j, "missing_lines");
	for (k = 0; k < n; k++)
		for (i = 0; i < c[k].sum.rules; i++)
			if (!c[k].sum.rule[i])
				json_u64(j, NULL,
					 replay_rule_line(c[k].res->replay, i));
	json_end(j);
	json_end(j);
}

static void cover_registers(struct json *j, const struct cover *c, size_t n)
{
	unsigned int met = 0, of = 0, i;
	char text[200];
	size_t k;

	for (k = 0; k < n; k++) {
		met += count(c[k].sum.reg, c[k].sum.registers);
		of += c[k].sum.registers;
	}
	json_met(j, "registers", met, of);
	json_array(j, "missing");
	for (k = 0; k < n; k++)
		for (i = 0; i < c[k].sum.registers; i++) {
			if (c[k].sum.reg[i])
				continue;
			cover_name(&c[k], replay_register(c[k].res->replay, i),
				   text, sizeof(text));
			json_string(j, NULL, text);
		}
	json_end(j);
	json_end(j);
}

static void json_covers(struct json *j, const struct cover *c, size_t n)
{
	char name[100], text[200];
	unsigned int i;
	size_t k;

	json_object(j, "states");
	for (k = 0; k < n; k++)
		for (i = 0; i < c[k].sum.states; i++) {
			full_name(c[k].res, i, name, sizeof(name));
			cover_name(&c[k], name, text, sizeof(text));
			json_object(j, text);
			json_u64(j, "entered", c[k].sum.state[i].entered);
			json_u64(j, "ns", c[k].sum.state[i].ns);
			json_end(j);
		}
	json_end(j);
	json_object(j, "coverage");
	cover_states(j, c, n);
	cover_transitions(j, c, n);
	cover_registers(j, c, n);
	json_end(j);
}

static void json_difference(struct json *j, const struct replays_result *res)
{
	const struct replay_difference *d = replay_difference(res->replay);

	if (!d) {
		json_string(j, "difference", NULL);
		return;
	}
	json_object(j, "difference");
	json_u64(j, "packet", d->at.number);
	json_u64(j, "record", d->at.sequence);
	json_u64(j, "offset", d->at.offset);
	json_string(j, "expected", d->expected);
	json_string(j, "came", d->came);
	json_end(j);
}

static void json_violations(struct json *j, const struct replays_result *res)
{
	unsigned int i;

	json_array(j, "first_violations");
	for (i = 0; i < res->violations; i++) {
		const struct replay_violation *v = &res->violation[i];

		json_object(j, NULL);
		json_u64(j, "packet", v->at.number);
		json_u64(j, "guest", v->guest);
		json_string(j, "offence", dmm_offence_name(v->offence));
		json_string(j, "name", v->name);
		json_string(j, "rule", v->rule);
		json_u64(j, "line", v->line);
		json_u64(j, "address", v->address);
		json_u64(j, "length", v->length);
		json_end(j);
	}
	json_end(j);
}

static void json_numbers(struct json *j, uint64_t events, uint64_t accesses,
			 const struct dmm_guest_stats *sum, uint64_t violations,
			 uint64_t windows)
{
	json_u64(j, "events", events);
	json_u64(j, "accesses", accesses);
	json_u64(j, "hooked", sum->accesses[DMM_HOOK]);
	json_u64(j, "denied", sum->accesses[DMM_DENY]);
	json_u64(j, "violations", violations);
	json_u64(j, "reusable_windows", windows);
}

static void json_one(struct json *j, const struct replays_result *res,
		     const struct whatif *w)
{
	const struct replay_summary *s = replay_summary(res->replay);
	const struct cover cover = { .res = res, .sum = *s };
	struct dmm_guest_stats sum;
	uint64_t accesses;
	int p;

	sum_of(res, &sum, &accesses);
	json_object(j, NULL);
	json_string(j, "file", res->file);
	json_u64(j, "device", res->device);
	json_string(j, "model", dmm_model_name(res->model));
	json_u64(j, "guests", res->guests);
	json_bool(j, "exact", s->exact);
	json_u64(j, "ns", s->last_ns - s->first_ns);
	json_u64(j, "lost", s->lost);
	json_numbers(j, s->events, accesses, &sum, s->violations, s->windows);
	json_u64(j, "reusable_ns", s->window_ns);
	json_object(j, "paths");
	for (p = 0; p < DMM_PATHS; p++)
		json_u64(j, dmm_path_name((enum dmm_path)p), sum.accesses[p]);
	json_end(j);
	json_difference(j, res);
	json_violations(j, res);
	json_covers(j, &cover, 1);
	if (w)
		whatif_json(w, res->counts, j);
	json_end(j);
}

/* Sums over all devices at the top, and what all traces of a model met. */
int replays_json(const struct replays *r, FILE *to)
{
	struct dmm_guest_stats sum = { .drops = 0 }, one;
	uint64_t events = 0, accesses = 0, violations = 0, windows = 0, n;
	struct cover *cover;
	size_t covers, i;
	struct json j;

	for (i = 0; i < r->results; i++) {
		const struct replay_summary *s =
			replay_summary(r->result[i]->replay);

		sum_of(r->result[i], &one, &n);
		report_add(&sum, &one);
		accesses += n;
		events += s->events;
		violations += s->violations;
		windows += s->windows;
	}
	json_open(&j, to);
	json_object(&j, NULL);
	json_numbers(&j, events, accesses, &sum, violations, windows);
	cover = open_covers(r, &covers);
	json_covers(&j, cover, covers);
	close_covers(cover, covers);
	json_array(&j, "devices");
	for (i = 0; i < r->results; i++)
		json_one(&j, r->result[i], r->conf.what_if);
	json_end(&j);
	json_end(&j);
	return json_close(&j);
}
