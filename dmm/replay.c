// SPDX-License-Identifier: MIT
/*
 * replay.c: a trace's records, shown to a monitor entry by entry, and what
 * came of it.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay_impl.h"

COLD void replay_differ(struct replay *r, const struct replay_at *at,
			const char *expected, const char *came)
{
	struct replay_difference *d = &r->difference;

	if (r->differs)
		return;
	r->differs = true;
	d->at = *at;
	snprintf(d->expected, sizeof(d->expected), "%s", expected);
	snprintf(d->came, sizeof(d->came), "%s", came);
}

static COLD void other_number(struct replay *r, const char *what, uint64_t was,
			      uint64_t is)
{
	char expected[80], came[80];

	snprintf(expected, sizeof(expected), "%s %" PRIu64, what, was);
	snprintf(came, sizeof(came), "%s %" PRIu64, what, is);
	replay_differ(r, &r->at, expected, came);
}

static inline void differ_in_number(struct replay *r, const char *what,
				    uint64_t was, uint64_t is)
{
	if (was != is)
		other_number(r, what, was, is);
}

/* ---- opening ---- */

static int refuse(char **why, const char *what)
{
	*why = strdup(what);
	return -EINVAL;
}

static int take_conf(struct replay *r, const struct trace_device *dev,
		     char **why)
{
	const struct trace_model *m = &dev->model;
	unsigned int i;

	if (!m->guests || m->how > DMM_HOW_DEFAULT || m->when_parked > DMM_DROP)
		return refuse(why, "its record of the model makes no sense");
	if (m->area_size < dmm_model_area(r->model) && m->complete)
		return refuse(why,
			      "it was recorded with another kind of model");
	r->conf = (struct dmm_conf){
		.how = (enum dmm_how)m->how,
		.when_parked = (enum dmm_when_parked)m->when_parked,
		/* frames in memory that is not known are nobody's */
		.antispoof = m->antispoof && (m->complete || !r->model->rings),
		.mirror = m->mirror,
		.lease_ns = m->lease_ns,
		.guests = m->guests,
	};
	r->conf.area.size = dmm_model_area(r->model);
	r->conf.area.iova = m->area_iova;
	for (i = 0; i < m->guests; i++) {
		struct dmm_guest_conf *g = &r->conf.guest[i];

		if (dev->guest[i].policy > DMM_POLICY_STOP)
			return refuse(why, "its record of the model makes no "
					   "sense");
		memcpy(g->mac, dev->guest[i].mac, 6);
		g->has_mac = dev->guest[i].has_mac;
		g->weight = dev->guest[i].weight > 1000 ? 1000 :
							  dev->guest[i].weight;
		g->policy = (enum dmm_policy)dev->guest[i].policy;
	}
	return 0;
}

static int allocate(struct replay *r)
{
	const struct dmm_model *m = r->model;

	r->data = malloc(TRACE_RECORD_MAX);
	r->state = calloc(m->states + 1u, sizeof(*r->state));
	r->covered = calloc((size_t)m->regs + m->rules + 1u, 1);
	r->echo.dev = calloc(2 * (m->slots + 1u), sizeof(uint64_t));
	r->conf.area.host = calloc(1, r->conf.area.size + 1);
	if (!r->data || !r->state || !r->covered || !r->echo.dev ||
	    !r->conf.area.host)
		return -ENOMEM;
	r->echo.rest = r->echo.dev + m->slots + 1;
	r->sum.states = m->states;
	r->sum.state = r->state;
	r->sum.registers = m->regs;
	r->sum.rules = m->rules;
	r->sum.reg = r->covered;
	r->sum.rule = r->covered + m->regs;
	return 0;
}

int replay_open(struct replay **out, const struct dmm_model *model,
		const struct trace_packet *first,
		const struct replay_sink *sink, char **why)
{
	struct replay *r = calloc(1, sizeof(*r));
	struct trace_device dev;
	int err;

	*why = NULL;
	if (!r)
		return -ENOMEM;
	trace_read_model(first, &dev);
	r->model = model;
	r->sum.exact = dev.model.complete;
	r->sum.first_ns = r->sum.last_ns = first->ns;
	r->next = first->head.sequence + 1;
	r->at.ns = first->ns;
	if (sink)
		r->sink = *sink;
	r->host = r->sum.exact ? replay_exact_host : replay_echo_host;
	r->host.ctx = r;
	err = take_conf(r, &dev, why);
	if (!err)
		err = allocate(r);
	if (err) {
		replay_close(r);
		return err;
	}
	*out = r;
	return 0;
}

void replay_close(struct replay *r)
{
	if (!r)
		return;
	dmm_close(r->dmm);
	free(r->conf.area.host);
	free(r->echo.dev);
	free(r->covered);
	free(r->state);
	free(r->data);
	free(r->queue);
	free(r);
}

static void end_window(struct replay *r)
{
	if (r->at.ns > r->reusable_since) /* a strange file goes backward */
		r->sum.window_ns += r->at.ns - r->reusable_since;
}

static void look_at_window(struct replay *r)
{
	bool now = dmm_reusable(r->dmm);

	if (now == r->is_reusable)
		return;
	r->is_reusable = now;
	if (now) {
		r->sum.windows++;
		r->reusable_since = r->at.ns;
	} else {
		end_window(r);
	}
	if (r->sink.window)
		r->sink.window(r->sink.ctx, &r->at, now);
}

static void note_states(struct replay *r)
{
	unsigned int g, i;

	for (g = 0; g < r->conf.guests; g++)
		for (i = 0; i < r->model->machines; i++) {
			r->since[g][i] = r->at.ns;
			r->state[dmm_states(r->dmm, g)[i]].entered++;
		}
}

/* Do the states of machines alone say if the device could change hands? */
static bool rests_on_states(const struct dmm *d)
{
	const struct expr *e = d->model->reusable;
	unsigned int i;

	if (d->model->rings || d->mode == MODE_SPOOL)
		return false;
	for (i = 0; e && i < e->n; i++)
		if (e->ins[i].op == EXPR_OP_ASK ||
		    (e->ins[i].op == EXPR_OP_LOAD &&
		     e->ins[i].array != EXPR_STATE))
			return false;
	return true;
}

/* Before the first entry: what opening takes is in the queue, first. */
static int open_monitor(struct replay *r)
{
	char *why = NULL;
	int err;

	err = dmm_open(&r->dmm, r->model, &r->conf, &r->host, &why);
	r->opening = r->taken;
	if (err && err != -ENOMEM) {
		replay_differ(r, &r->at, "a monitor that opens",
			      why ? why : "one that does not");
		err = 0;
	}
	free(why);
	if (err || !r->dmm)
		return err;
	r->dmm->covered = r->covered;
	changes_init(&r->changes, r->dmm, r->model, r->conf.guests);
	note_states(r);
	look_at_window(r);
	r->by_state = rests_on_states(r->dmm);
	return r->sum.exact ? 0 : replay_echo_open(r);
}

/* ---- after an entry ---- */

static void leave_state(struct replay *r, unsigned int g, unsigned int machine,
			unsigned int state)
{
	if (r->at.ns > r->since[g][machine])
		r->state[state].ns += r->at.ns - r->since[g][machine];
	r->since[g][machine] = r->at.ns;
}

static void state_changed(void *ctx, unsigned int guest,
			  const struct trace_state *st)
{
	struct replay *r = ctx;
	const struct replay_queued *q;
	char came[80];

	leave_state(r, guest, st->machine, st->from);
	r->state[st->to].entered++;
	if (r->sink.state)
		r->sink.state(r->sink.ctx, &r->at, guest, st);
	if (!r->sum.exact)
		return;
	q = replay_take(r, TRACE_STATE, (uint8_t)guest);
	if (q && !memcmp(q->body, st, sizeof(*st)))
		return;
	snprintf(came, sizeof(came), "guest %u, machine %u: state %u to %u",
		 guest, st->machine, st->from, st->to);
	replay_unexpected(r, q, came);
}

static void owner_changed(void *ctx, const struct trace_switch *sw)
{
	struct replay *r = ctx;
	const struct replay_queued *q;
	char came[80];

	if (r->sink.owner)
		r->sink.owner(r->sink.ctx, &r->at, sw);
	if (!r->sum.exact)
		return;
	q = replay_take(r, TRACE_SWITCH, TRACE_NOBODY);
	if (q && !memcmp(q->body, sw, sizeof(*sw)))
		return;
	snprintf(came, sizeof(came), "switch from %u to %u%s, %" PRIu64 " ns",
		 sw->from, sw->to, sw->forced ? ", forced" : "", sw->ns);
	replay_unexpected(r, q, came);
}

static void finish_entry(struct replay *r, bool window)
{
	const struct changes_to to = { r, state_changed, owner_changed };

	bool changed = changes_look(&r->changes, r->dmm, &to);

	if (r->taken < r->queued && r->sum.exact)
		replay_unexpected(r, NULL, "the end of the entry");
	if (r->by_state ? changed : window)
		look_at_window(r);
}

/* ---- entries ---- */

static COLD void other_data(struct replay *r, const uint8_t *was,
			    const uint8_t *is, size_t at)
{
	char expected[64], came[64];

	while (was[at] == is[at])
		at++;
	snprintf(expected, sizeof(expected), "byte %zu is 0x%02x", at, was[at]);
	snprintf(came, sizeof(came), "byte %zu is 0x%02x", at, is[at]);
	replay_differ(r, &r->at, expected, came);
}

static void compare(struct replay *r, const struct trace_access *was,
		    const uint8_t *bytes, const struct dmm_access *a,
		    enum dmm_verdict verdict)
{
	size_t from = (size_t)was->from * was->width;
	size_t end = (size_t)was->done * was->width;

	differ_in_number(r, "verdict", was->verdict, verdict);
	differ_in_number(r, "elements", was->done, a->done);
	differ_in_number(r, "path", was->path, r->dmm->last_path);
	if (!was->write && !r->differs &&
	    !replay_equal(bytes + from, a->data + from, end - from))
		other_data(r, bytes, a->data, from);
}

/* Before the access, which may select another bank. */
static unsigned int register_at(const struct replay *r, unsigned int guest,
				const struct dmm_access *a)
{
	const struct plan_entry *e = NULL;
	const struct dmm_model *m = r->model;

	if (a->space < m->spaces && a->off < m->space[a->space].size &&
	    a->off % m->space[a->space].grain == 0)
		e = plan_find(m, a->space, a->off, a->write,
			      r->dmm->guest[guest].reg);
	return e ? e->reg : REPLAY_NO_REGISTER;
}

static COLD void tell_access(struct replay *r, unsigned int guest,
			     const struct dmm_access *a,
			     enum dmm_verdict verdict, unsigned int reg)
{
	const struct replay_access told = { .access = a,
					    .verdict = verdict,
					    .path = dmm_last_path(r->dmm),
					    .reg = reg };

	r->sink.access(r->sink.ctx, &r->at, guest, &told);
}

static int show_access(struct replay *r, const struct trace_packet *p)
{
	const uint8_t *bytes = p->body + sizeof(struct trace_access);
	unsigned int guest = p->head.guest;
	struct trace_access was;
	unsigned int reg = REPLAY_NO_REGISTER;
	enum dmm_verdict verdict;
	enum dmm_path path;
	struct dmm_access a;

	memcpy(&was, p->body, sizeof(was));
	if (guest >= r->conf.guests)
		return -EINVAL;
	if (!r->sum.exact && was.verdict == DMM_HOLD)
		return 0; /* it comes again */
	replay_copy(r->data, bytes, p->head.len - sizeof(was));
	a = (struct dmm_access){ .space = was.space,
				 .off = was.off,
				 .data = r->data,
				 .count = was.count,
				 .done = was.from,
				 .width = was.width,
				 .write = was.write,
				 .vcpu = was.vcpu };
	if (r->sink.access)
		reg = register_at(r, guest, &a);
	if (!r->sum.exact)
		replay_echo_before(r, guest, &a);
	verdict = dmm_access(r->dmm, guest, &a);
	if (!r->sum.exact)
		replay_echo_after(r, guest);
	r->sum.held += verdict == DMM_HOLD;
	path = r->dmm->last_path;
	if (r->sum.exact && !r->differs)
		compare(r, &was, bytes, &a, verdict);
	if (r->sink.access)
		tell_access(r, guest, &a, verdict, reg);
	finish_entry(r, was.write || path >= DMM_HOOK);
	return 0;
}

static COLD int show_other(struct replay *r, const struct trace_packet *p)
{
	struct trace_value value = { .value = 0 };
	uint64_t next;

	if (p->head.len >= sizeof(value))
		memcpy(&value, p->body, sizeof(value));
	switch ((enum trace_kind)p->head.kind) {
	case TRACE_INTERRUPT:
		if (r->sum.exact)
			dmm_interrupt(r->dmm, value.value);
		break;
	case TRACE_TICK:
		next = dmm_tick(r->dmm);
		if (r->sum.exact)
			differ_in_number(r, "next tick", value.value, next);
		break;
	case TRACE_SIGNALS:
		if (p->head.guest >= r->conf.guests ||
		    value.value >= DMM_SIGNALS)
			return -EINVAL;
		dmm_signals(r->dmm, p->head.guest,
			    (enum dmm_signals)value.value);
		break;
	case TRACE_LEAVE:
	case TRACE_GUEST_RESET:
		if (p->head.guest >= r->conf.guests)
			return -EINVAL;
		if (p->head.kind == TRACE_LEAVE)
			dmm_leave(r->dmm, p->head.guest);
		else
			dmm_guest_reset(r->dmm, p->head.guest);
		break;
	default:
		break;
	}
	finish_entry(r, true);
	return 0;
}

/* ---- records ---- */

static COLD int more_room(struct replay *r)
{
	size_t room = r->room ? 2 * r->room : 256;
	struct replay_queued *q;

	if (r->queued == REPLAY_QUEUE_MAX)
		return -EINVAL;
	q = realloc(r->queue, room * sizeof(*q));
	if (!q)
		return -ENOMEM;
	r->queue = q;
	r->room = room;
	return 0;
}

static int enqueue(struct replay *r, const struct trace_packet *p)
{
	int err;

	if (!r->sum.exact)
		return 0;
	if (r->queued == r->room) {
		err = more_room(r);
		if (err)
			return err;
	}
	r->queue[r->queued++] = (struct replay_queued){ .head = p->head,
							.body = p->body,
							.at = r->at };
	return 0;
}

static int entry(struct replay *r, const struct trace_packet *p)
{
	int err = 0;

	/* opening takes its part of the queue, the entry the rest */
	r->taken = 0;
	if (!r->dmm)
		err = open_monitor(r);
	if (!err && !r->differs)
		err = p->head.kind == TRACE_ACCESS ? show_access(r, p) :
						     show_other(r, p);
	if (!err)
		r->sum.events++;
	r->queued = r->taken = 0;
	return err;
}

/* Records are missing: what comes cannot be known to be right. */
static bool is_missing(struct replay *r, const struct trace_packet *p)
{
	struct trace_value value;
	uint64_t sequence = p->head.sequence;

	if (p->head.kind == TRACE_LOST) {
		memcpy(&value, p->body, sizeof(value));
		r->sum.lost += value.value;
		return true;
	}
	if (sequence == r->next)
		return false;
	r->sum.lost += sequence > r->next ? sequence - r->next : 1;
	return true;
}

int replay_record(struct replay *r, const struct trace_packet *p,
		  uint64_t number)
{
	if (r->differs || r->sum.lost)
		return 0;
	if (is_missing(r, p))
		return 0;
	r->at = (struct replay_at){ .number = number,
				    .offset = p->offset,
				    .sequence = p->head.sequence,
				    .ns = p->ns };
	r->next = p->head.sequence + 1;
	r->sum.last_ns = p->ns;
	if (p->head.kind == TRACE_ACCESS) /* nearly all are one of these two */
		return entry(r, p);
	if (p->head.kind == TRACE_HOST)
		return enqueue(r, p);
	switch ((enum trace_kind)p->head.kind) {
	case TRACE_MODEL:
		return -EINVAL;
	case TRACE_STEP:
	case TRACE_LINE:
	case TRACE_MESSAGE:
	case TRACE_STATE:
	case TRACE_SWITCH:
	case TRACE_VIOLATION:
		return enqueue(r, p);
	case TRACE_INTERRUPT:
	case TRACE_TICK:
	case TRACE_LEAVE:
	case TRACE_GUEST_RESET:
	case TRACE_SIGNALS:
		return entry(r, p);
	default:
		return 0; /* of a version to come */
	}
}

void replay_end(struct replay *r)
{
	unsigned int g, i;

	if (r->ended)
		return;
	r->ended = true;
	r->at.ns = r->sum.last_ns;
	for (g = 0; r->dmm && g < r->conf.guests; g++)
		for (i = 0; i < r->model->machines; i++)
			leave_state(r, g, i,
				    (unsigned int)r->changes.state[g][i]);
	if (r->is_reusable)
		end_window(r);
}

/* ---- what came of it ---- */

void replay_keep(struct replay_violation *v, const struct replay_at *at,
		 const struct dmm_report *report)
{
	v->at = *at;
	v->guest = report->guest;
	v->line = report->line;
	v->offence = report->offence;
	v->address = report->address;
	v->length = report->length;
	snprintf(v->name, sizeof(v->name), "%s",
		 report->name ? report->name : "");
	snprintf(v->rule, sizeof(v->rule), "%s",
		 report->rule ? report->rule : "");
}

const struct replay_summary *replay_summary(struct replay *r)
{
	return &r->sum;
}

const struct replay_difference *replay_difference(const struct replay *r)
{
	return r->differs ? &r->difference : NULL;
}

size_t replay_opening(const struct replay *r)
{
	return r->opening;
}

uint64_t replay_digest(const struct replay *r)
{
	return r->dmm ? changes_digest(r->dmm) : 0;
}

uint64_t replay_next(const struct replay *r)
{
	return r->next;
}

struct dmm *replay_dmm(struct replay *r)
{
	return r->dmm;
}

const char *replay_register(const struct replay *r, unsigned int i)
{
	return i < r->model->regs ? r->model->reg[i].name : NULL;
}

bool replay_is_doorbell(const struct replay *r, unsigned int i)
{
	const struct rule *rule = r->model->rule;
	unsigned int k;

	for (k = 0; k < r->model->rules; k++)
		if (rule[k].on == ON_WRITE && rule[k].reg == i &&
		    (rule[k].checks || rule[k].rings))
			return true;
	return false;
}

unsigned int replay_rule_line(const struct replay *r, unsigned int i)
{
	return i < r->model->rules ? r->model->rule[i].pos.line : 0;
}
