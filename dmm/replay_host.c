// SPDX-License-Identifier: MIT
/*
 * replay_host.c: a host that answers what was answered, and notices if it is
 * asked something else.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "replay_impl.h"

static void describe_call(const struct trace_call *c, char *text, size_t room)
{
	char at[96] = "";

	switch ((enum trace_host)c->what) {
	case TRACE_READ:
	case TRACE_READ_STRING:
		snprintf(at, sizeof(at),
			 " space %u + 0x%" PRIx64 ", %u bytes, %" PRIu64
			 " times",
			 c->space, c->at, c->width, c->count);
		break;
	case TRACE_WRITE:
	case TRACE_WRITE_STRING:
		snprintf(at, sizeof(at),
			 " space %u + 0x%" PRIx64 ", %u bytes, %" PRIu64
			 " times, 0x%" PRIx64,
			 c->space, c->at, c->width, c->count, c->value);
		break;
	case TRACE_PAUSE:
		snprintf(at, sizeof(at), " %" PRIu64 " ns", c->at);
		break;
	case TRACE_TRANSLATE:
	case TRACE_READ_MEM:
	case TRACE_WRITE_MEM:
	case TRACE_AREA:
		snprintf(at, sizeof(at),
			 " guest %u 0x%" PRIx64 ", %" PRIu64 " bytes", c->guest,
			 c->at, c->count);
		break;
	case TRACE_NOW:
	case TRACE_RESET:
		break;
	}
	snprintf(text, room, "host %s%s",
		 trace_host_name((enum trace_host)c->what), at);
}

static void describe_violation(const struct replay_queued *q, char *text,
			       size_t room)
{
	struct trace_violation v;
	const char *name = (const char *)q->body + sizeof(v);

	memcpy(&v, q->body, sizeof(v));
	snprintf(text, room,
		 "violation of guest %u: %.40s, line %u [0x%" PRIx64
		 ", +0x%" PRIx64 ")",
		 q->head.guest, name, v.line, v.address, v.length);
}

void replay_describe(const struct replay_queued *q, char *text, size_t room)
{
	struct trace_value value;
	struct trace_switch sw;
	struct trace_state st;
	struct trace_call call;

	switch ((enum trace_kind)q->head.kind) {
	case TRACE_HOST:
		memcpy(&call, q->body, sizeof(call));
		describe_call(&call, text, room);
		break;
	case TRACE_LINE:
		memcpy(&value, q->body, sizeof(value));
		snprintf(text, room, "line of guest %u %s", q->head.guest,
			 value.value ? "up" : "down");
		break;
	case TRACE_MESSAGE:
		memcpy(&value, q->body, sizeof(value));
		snprintf(text, room, "message %" PRIu64 " to guest %u",
			 value.value, q->head.guest);
		break;
	case TRACE_STATE:
		memcpy(&st, q->body, sizeof(st));
		snprintf(text, room, "guest %u, machine %u: state %u to %u",
			 q->head.guest, st.machine, st.from, st.to);
		break;
	case TRACE_SWITCH:
		memcpy(&sw, q->body, sizeof(sw));
		snprintf(text, room, "switch from %u to %u%s, %" PRIu64 " ns",
			 sw.from, sw.to, sw.forced ? ", forced" : "", sw.ns);
		break;
	case TRACE_VIOLATION:
		describe_violation(q, text, room);
		break;
	default:
		snprintf(text, room, "%s",
			 trace_kind_name((enum trace_kind)q->head.kind));
		break;
	}
}

void replay_unexpected(struct replay *r, const struct replay_queued *q,
		       const char *came)
{
	char expected[160] = "nothing more";

	if (r->differs)
		return;
	if (!q && r->taken < r->queued)
		q = &r->queue[r->taken];
	if (q)
		replay_describe(q, expected, sizeof(expected));
	replay_differ(r, q ? &q->at : &r->at, expected, came);
}

/* ---- questions ---- */

static inline bool same_call(const struct trace_call *was,
			     const struct trace_call *is)
{
	bool writes = is->what == TRACE_WRITE;

	return was->what == is->what && was->space == is->space &&
	       was->width == is->width && was->at == is->at &&
	       was->count == is->count && (!writes || was->value == is->value);
}

static COLD bool other_call(struct replay *r, const struct replay_queued *q,
			    const struct trace_call *is, const char *how)
{
	char came[160];
	size_t n;

	describe_call(is, came, sizeof(came));
	n = strlen(came);
	snprintf(came + n, sizeof(came) - n, "%s", how);
	replay_unexpected(r, q, came);
	return false;
}

/* The same as in (q); out of line, as most are like the one before. */
static COLD bool other_data(struct replay *r, const struct replay_queued *q,
			    struct trace_call is, bool recorded)
{
	return other_call(r, q, &is,
			  recorded ? " with other data" :
				     ", but its data was not recorded");
}

/*
 * The answer to (is), or false.  (from): bytes written, which must be the
 * same; (to): bytes read, which come out of the record.  In line, so that what
 * is known of (is) need not be looked at.
 */
static inline __attribute__((always_inline)) bool ask(struct replay *r,
						      struct trace_call is,
						      const void *from,
						      void *to, size_t len,
						      struct trace_call *was)
{
	const struct replay_queued *q = replay_take(r, TRACE_HOST, is.guest);
	const uint8_t *data;

	if (!q)
		return other_call(r, NULL, &is, "");
	memcpy(was, q->body, sizeof(*was));
	data = q->body + sizeof(*was);
	if (!same_call(was, &is))
		return other_call(r, q, &is, "");
	if ((!from && !to) || (to && was->result))
		return true;
	if (was->bytes != len)
		return other_data(r, q, is, false);
	if (to)
		replay_copy(to, data, len);
	if (from && !replay_equal(from, data, len))
		return other_data(r, q, is, true);
	return true;
}

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	const struct trace_call is = { .what = TRACE_READ,
				       .space = (uint8_t)space,
				       .width = (uint8_t)width,
				       .guest = TRACE_NOBODY,
				       .at = off,
				       .count = 1 };
	struct trace_call was;

	return ask(ctx, is, NULL, NULL, 0, &was) ? was.value : 0;
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	const struct trace_call is = { .what = TRACE_WRITE,
				       .space = (uint8_t)space,
				       .width = (uint8_t)width,
				       .guest = TRACE_NOBODY,
				       .at = off,
				       .value = value,
				       .count = 1 };
	struct trace_call was;

	(void)ask(ctx, is, NULL, NULL, 0, &was);
}

static void host_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	const struct trace_call is = { .what = TRACE_READ_STRING,
				       .space = (uint8_t)space,
				       .width = (uint8_t)width,
				       .guest = TRACE_NOBODY,
				       .at = off,
				       .count = n };
	struct trace_call was;

	if (!ask(ctx, is, NULL, to, n * width, &was))
		memset(to, 0, n * width);
}

static void host_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	const struct trace_call is = { .what = TRACE_WRITE_STRING,
				       .space = (uint8_t)space,
				       .width = (uint8_t)width,
				       .guest = TRACE_NOBODY,
				       .at = off,
				       .count = n };
	struct trace_call was;

	(void)ask(ctx, is, from, NULL, n * width, &was);
}

static void host_pause(void *ctx, uint64_t ns)
{
	const struct trace_call is = { .what = TRACE_PAUSE,
				       .guest = TRACE_NOBODY,
				       .at = ns };
	struct trace_call was;

	(void)ask(ctx, is, NULL, NULL, 0, &was);
}

/* Numbers are looked up outside of entries, too. */
static uint64_t host_now(void *ctx)
{
	const struct trace_call is = { .what = TRACE_NOW,
				       .guest = TRACE_NOBODY };
	struct replay *r = ctx;
	struct trace_call was;

	if (!r->ended && ask(r, is, NULL, NULL, 0, &was))
		r->clock = was.value;
	else
		r->clock += r->differs; /* loops that wait for it must end */
	return r->clock;
}

static int host_reset(void *ctx)
{
	const struct trace_call is = { .what = TRACE_RESET,
				       .guest = TRACE_NOBODY };
	struct trace_call was;

	return ask(ctx, is, NULL, NULL, 0, &was) ? was.result : 0;
}

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	const struct trace_call is = { .what = TRACE_TRANSLATE,
				       .guest = (uint8_t)guest,
				       .at = gpa,
				       .count = len };
	struct trace_call was;

	if (!ask(ctx, is, NULL, NULL, 0, &was))
		return -EFAULT;
	*iova = was.value;
	return was.result;
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	const struct trace_call is = { .what = TRACE_READ_MEM,
				       .guest = (uint8_t)guest,
				       .at = gpa,
				       .count = len };
	struct trace_call was;

	return ask(ctx, is, NULL, to, len, &was) ? was.result : -EFAULT;
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	const struct trace_call is = { .what = TRACE_WRITE_MEM,
				       .guest = (uint8_t)guest,
				       .at = gpa,
				       .count = len };
	struct trace_call was;

	return ask(ctx, is, from, NULL, len, &was) ? was.result : -EFAULT;
}

/* Only what the device had finished was recorded: so it is, if it comes now. */
static void host_area(void *ctx, uint64_t at, void *bytes, size_t len,
		      bool done)
{
	struct replay *r = ctx;
	const struct replay_queued *q = &r->queue[r->taken];
	struct trace_call call;

	(void)done;
	if (r->differs || r->taken == r->queued || q->head.kind != TRACE_HOST)
		return;
	memcpy(&call, q->body, sizeof(call));
	if (call.what != TRACE_AREA || call.at != at || call.bytes != len)
		return;
	if (len)
		memcpy(bytes, q->body + sizeof(call), len);
	r->taken++;
}

/* ---- what it is told ---- */

static void host_message(void *ctx, unsigned int guest, unsigned int vector)
{
	struct replay *r = ctx;
	const struct replay_queued *q =
		replay_take(r, TRACE_MESSAGE, (uint8_t)guest);
	struct trace_value value = { .value = ~UINT64_C(0) };
	char came[64];

	if (q)
		memcpy(&value, q->body, sizeof(value));
	if (value.value == vector)
		return;
	snprintf(came, sizeof(came), "message %u to guest %u", vector, guest);
	replay_unexpected(r, q, came);
}

static void host_line(void *ctx, unsigned int guest, bool level)
{
	struct replay *r = ctx;
	const struct replay_queued *q =
		replay_take(r, TRACE_LINE, (uint8_t)guest);
	struct trace_value value = { .value = !level };
	char came[64];

	if (q)
		memcpy(&value, q->body, sizeof(value));
	if (value.value != level) {
		snprintf(came, sizeof(came), "line of guest %u %s", guest,
			 level ? "up" : "down");
		replay_unexpected(r, q, came);
		return;
	}
	if (r->sink.line)
		r->sink.line(r->sink.ctx, &r->at, guest, level);
}

/* A trace of an older vpio has none; where there is one, it is this. */
static void host_step(void *ctx, int guest, enum dmm_step step)
{
	struct replay *r = ctx;
	const struct replay_queued *q = &r->queue[r->taken];
	struct trace_value value;
	char came[64];

	if (r->differs || r->taken == r->queued || q->head.kind != TRACE_STEP)
		return;
	memcpy(&value, q->body, sizeof(value));
	r->taken++;
	if (value.value == step &&
	    q->head.guest == (guest < 0 ? TRACE_NOBODY : (uint8_t)guest))
		return;
	snprintf(came, sizeof(came), "step %s of guest %d", dmm_step_name(step),
		 guest);
	replay_unexpected(r, q, came);
}

static bool same_report(const struct dmm_report *is,
			const struct replay_queued *q)
{
	struct trace_violation was;
	const char *name = (const char *)q->body + sizeof(was);

	memcpy(&was, q->body, sizeof(was));
	return was.address == is->address && was.length == is->length &&
	       was.line == is->line && was.offence == is->offence &&
	       !strncmp(name, is->name ? is->name : "", 127);
}

static void host_report(void *ctx, const struct dmm_report *report)
{
	struct replay *r = ctx;
	const struct replay_queued *q =
		replay_take(r, TRACE_VIOLATION, (uint8_t)report->guest);
	char came[160];

	if (!q || !same_report(report, q)) {
		snprintf(came, sizeof(came),
			 "violation of guest %u: %.40s, line %u [0x%" PRIx64
			 ", +0x%" PRIx64 ")",
			 report->guest, report->name ? report->name : "",
			 report->line, report->address, report->length);
		replay_unexpected(r, q, came);
		return;
	}
	r->sum.violations++;
	if (r->sink.violation)
		r->sink.violation(r->sink.ctx, &r->at, report);
}

const struct dmm_host replay_exact_host = {
	.read = host_read,
	.write = host_write,
	.read_string = host_read_string,
	.write_string = host_write_string,
	.pause = host_pause,
	.now = host_now,
	.reset = host_reset,
	.line = host_line,
	.step = host_step,
	.message = host_message,
	.report = host_report,
	.translate = host_translate,
	.read_mem = host_read_mem,
	.write_mem = host_write_mem,
	.area = host_area,
};
