// SPDX-License-Identifier: MIT
/*
 * export_chrome.c: a trace as the JSON that Perfetto and Chrome show: a
 * process a device; in it a lane for the device, for who owned it, for each
 * guest and for each machine of each guest.
 *
 * The format: "Trace Event Format", Google, 2016: X are slices, i instants, M
 * names; times are microseconds.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "json.h"
#include "log.h"

enum { LANE_DEVICE = 1, LANE_OWNER, LANE_GUEST };

#define MACHINES 16u /* that have a lane, of a guest */

struct lane_state { /* what a slice that is not over yet began with */
	bool there;
	uint64_t since;
	unsigned int what;
};

struct process { /* of a device */
	bool there, is_high;
	uint64_t high_since;
	struct lane_state owner;
	struct lane_state held[DMM_MAX_GUESTS];
	struct lane_state machine[DMM_MAX_GUESTS][MACHINES];
};

struct chrome {
	struct exporting *e;
	bool any;
	uint64_t last;
	struct process process[TRACEFILE_DEVICES];
};

static unsigned int machine_lane(unsigned int guest, unsigned int machine)
{
	return LANE_GUEST + DMM_MAX_GUESTS + guest * MACHINES + machine;
}

static void put_us(FILE *to, const char *key, uint64_t ns)
{
	fprintf(to, ",\"%s\":%" PRIu64 ".%03" PRIu64, key, ns / 1000,
		ns % 1000);
}

/* {"ph":...,"pid":...,"tid":...,"name":... and no end yet */
static void begin(struct chrome *c, char ph, unsigned int device,
		  unsigned int lane, const char *name)
{
	fprintf(c->e->to, "%s{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u,\"name\":",
		c->any ? ",\n" : "", ph, device + 1, lane);
	json_quote(c->e->to, name);
	c->any = true;
}

static void put_slice(struct chrome *c, unsigned int device, unsigned int lane,
		      const char *name, uint64_t from, uint64_t to)
{
	begin(c, 'X', device, lane, name);
	put_us(c->e->to, "ts", from);
	put_us(c->e->to, "dur", to > from ? to - from : 0);
	fputc('}', c->e->to);
}

static void put_instant(struct chrome *c, unsigned int device,
			unsigned int lane, const char *name, uint64_t ns,
			const char *text)
{
	begin(c, 'i', device, lane, name);
	put_us(c->e->to, "ts", ns);
	fputs(",\"s\":\"t\",\"args\":{\"what\":", c->e->to);
	json_quote(c->e->to, text);
	fputs("}}", c->e->to);
}

static void put_name(struct chrome *c, unsigned int device, unsigned int lane,
		     const char *what, const char *name)
{
	begin(c, 'M', device, lane, what);
	fputs(",\"args\":{\"name\":", c->e->to);
	json_quote(c->e->to, name);
	fputs("}}", c->e->to);
}

static void put_lane(struct chrome *c, unsigned int device, unsigned int lane,
		     const char *name)
{
	put_name(c, device, lane, "thread_name", name);
	begin(c, 'M', device, lane, "thread_sort_index");
	fprintf(c->e->to, ",\"args\":{\"sort_index\":%u}}", lane);
}

/* ---- lanes ---- */

static void begin_process(struct chrome *c, const struct trace_packet *p)
{
	struct process *this = &c->process[p->head.device];
	unsigned int d = p->head.device, g;
	struct trace_device dev;
	char name[64], lane[192];

	if (this->there)
		return;
	this->there = true;
	trace_read_model(p, &dev);
	tracefile_device(c->e->f, d, name, sizeof(name));
	snprintf(lane, sizeof(lane), "%s (%.60s)", name, dev.name);
	put_name(c, d, LANE_DEVICE, "process_name", lane);
	put_lane(c, d, LANE_DEVICE, "device");
	put_lane(c, d, LANE_OWNER, "owner");
	for (g = 0; g < dev.model.guests; g++) {
		tracefile_guest(c->e->f, d, g, name, sizeof(name));
		put_lane(c, d, LANE_GUEST + g, name);
	}
}

static void put_access(struct chrome *c, const struct trace_packet *p,
		       uint64_t ns, const char *text)
{
	unsigned int d = p->head.device, g = p->head.guest;
	struct trace_access a;
	char name[128], *colon;

	memcpy(&a, p->body, sizeof(a));
	snprintf(name, sizeof(name), "%.120s", text);
	colon = strchr(name, ':');
	if (colon)
		*colon = '\0';
	put_instant(c, d, LANE_GUEST + g, name, ns, text);
	if (g >= DMM_MAX_GUESTS)
		return;
	if (a.verdict == DMM_HOLD && !c->process[d].held[g].there)
		c->process[d].held[g] =
			(struct lane_state){ .there = true, .since = ns };
	if (a.verdict != DMM_HOLD && c->process[d].held[g].there) {
		put_slice(c, d, LANE_GUEST + g, "held",
			  c->process[d].held[g].since, ns);
		c->process[d].held[g].there = false;
	}
}

/* A machine's lane is there from its first change on. */
static void put_machine_lane(struct chrome *c, unsigned int d, unsigned int g,
			     unsigned int machine)
{
	const struct dmm_model *m = c->e->f->model[d];
	char guest[64], lane[192];

	tracefile_guest(c->e->f, d, g, guest, sizeof(guest));
	if (m && machine < dmm_model_machines(m))
		snprintf(lane, sizeof(lane), "%s: %.60s", guest,
			 dmm_model_machine(m, machine));
	else
		snprintf(lane, sizeof(lane), "%s: machine %u", guest, machine);
	put_lane(c, d, machine_lane(g, machine), lane);
}

static void put_state_name(const struct chrome *c, unsigned int d,
			   unsigned int state, char *to, size_t room)
{
	const struct dmm_model *m = c->e->f->model[d];
	const char *name = m ? dmm_model_state(m, state) : NULL;

	if (name)
		snprintf(to, room, "%s", name);
	else
		snprintf(to, room, "state %u", state);
}

static void put_state(struct chrome *c, const struct trace_packet *p,
		      uint64_t ns)
{
	unsigned int d = p->head.device, g = p->head.guest;
	struct lane_state *lane;
	struct trace_state st;
	char name[96];

	memcpy(&st, p->body, sizeof(st));
	if (g >= DMM_MAX_GUESTS || st.machine >= MACHINES)
		return;
	lane = &c->process[d].machine[g][st.machine];
	if (!lane->there)
		put_machine_lane(c, d, g, st.machine);
	put_state_name(c, d, st.from, name, sizeof(name));
	put_slice(c, d, machine_lane(g, st.machine), name, lane->since, ns);
	*lane = (struct lane_state){ true, ns, st.to };
}

static void put_owner(struct chrome *c, const struct trace_packet *p,
		      uint64_t ns, const char *text)
{
	struct lane_state *lane = &c->process[p->head.device].owner;
	struct trace_switch sw;
	char name[96];

	memcpy(&sw, p->body, sizeof(sw));
	tracefile_guest(c->e->f, p->head.device, sw.from, name, sizeof(name));
	put_slice(c, p->head.device, LANE_OWNER, name, lane->since, ns);
	put_instant(c, p->head.device, LANE_OWNER, "switch", ns, text);
	*lane = (struct lane_state){ true, ns, sw.to };
}

/* The device's interrupt line, while it is high. */
static void put_interrupt(struct chrome *c, const struct trace_packet *p,
			  uint64_t ns)
{
	struct process *this = &c->process[p->head.device];
	struct trace_value v;

	memcpy(&v, p->body, sizeof(v));
	if (this->is_high && !v.value)
		put_slice(c, p->head.device, LANE_DEVICE, "interrupt",
			  this->high_since, ns);
	if (!this->is_high)
		this->high_since = ns;
	this->is_high = v.value;
}

static void put_packet(struct chrome *c, const struct trace_packet *p)
{
	uint64_t ns = export_ns(c->e, p);
	char text[256];
	int d, g;

	c->last = ns;
	if (!p->ours) {
		d = c->e->f->of[p->interface].device;
		g = c->e->f->of[p->interface].guest;
		snprintf(text, sizeof(text), "%u bytes", p->original);
		if (d >= 0)
			put_instant(c, (unsigned int)d,
				    g < 0 ? LANE_DEVICE :
					    LANE_GUEST + (unsigned int)g,
				    "frame", ns, text);
		return;
	}
	tracefile_text(c->e->f, p, text, sizeof(text));
	switch ((enum trace_kind)p->head.kind) {
	case TRACE_MODEL:
		begin_process(c, p);
		return;
	case TRACE_ACCESS:
		put_access(c, p, ns, text);
		return;
	case TRACE_STATE:
		put_state(c, p, ns);
		return;
	case TRACE_SWITCH:
		put_owner(c, p, ns, text);
		return;
	case TRACE_INTERRUPT:
		put_interrupt(c, p, ns);
		return;
	default:
		put_instant(c, p->head.device,
			    p->head.guest < DMM_MAX_GUESTS ?
				    LANE_GUEST + p->head.guest :
				    LANE_DEVICE,
			    trace_kind_name((enum trace_kind)p->head.kind), ns,
			    text);
		return;
	}
}

/* ---- the end ---- */

static void end_process(struct chrome *c, unsigned int d)
{
	const struct process *this = &c->process[d];
	unsigned int g, i;
	char name[96];

	if (this->is_high)
		put_slice(c, d, LANE_DEVICE, "interrupt", this->high_since,
			  c->last);
	if (this->owner.there) {
		tracefile_guest(c->e->f, d, this->owner.what, name,
				sizeof(name));
		put_slice(c, d, LANE_OWNER, name, this->owner.since, c->last);
	}
	for (g = 0; g < DMM_MAX_GUESTS; g++)
		for (i = 0; i < MACHINES; i++) {
			const struct lane_state *lane = &this->machine[g][i];

			if (!lane->there)
				continue;
			put_state_name(c, d, lane->what, name, sizeof(name));
			put_slice(c, d, machine_lane(g, i), name, lane->since,
				  c->last);
		}
}

void export_chrome(struct exporting *e)
{
	struct chrome *c = xcalloc(1, sizeof(*c));
	struct trace_packet p;
	unsigned int d;

	c->e = e;
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", e->to);
	while (export_next(e, &p))
		put_packet(c, &p);
	for (d = 0; d < TRACEFILE_DEVICES; d++)
		end_process(c, d);
	fputs("\n]}\n", e->to);
	free(c);
}
