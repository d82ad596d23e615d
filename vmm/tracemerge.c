// SPDX-License-Identifier: MIT
/*
 * tracemerge.c: several traces as one, by time.  Devices are numbered anew, in
 * the order of the files; each keeps its own records in their order.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "tracecut.h"
#include "traceout.h"

#define NAME 64

struct source_device {
	bool there;
	int to;	    /* its number in the result */
	bool again; /* its model is in an earlier file */
	struct trace_packet model;
	uint64_t first, last; /* sequences behind the model's */
};

struct source {
	struct tracefile f;
	struct trace_packet p; /* the next */
	bool more;
	struct source_device device[TRACEFILE_DEVICES];
};

struct target { /* a device of the result */
	const struct source *source;
	unsigned int device; /* there */
	char name[NAME];
	unsigned int interface;
	unsigned int guests;
	char guest[DMM_MAX_GUESTS][NAME];
	unsigned int guest_interface[DMM_MAX_GUESTS];
};

struct merging {
	struct source *source;
	size_t sources;
	struct target target[TRACEFILE_DEVICES];
	unsigned int targets;
	struct traceout out;
	/* interfaces that are no device's, nor guest's */
	struct {
		uint16_t linktype;
		char name[NAME];
		unsigned int interface;
	} other[TRACE_INTERFACES];
	unsigned int others;
	bool bad;
};

/* ---- which devices there are ---- */

/* Is it the same device of the same run, in a file that goes on? */
static bool goes_on(const struct source_device *a,
		    const struct source_device *b)
{
	return a->model.ns == b->model.ns && a->model.len == b->model.len &&
	       !memcmp(a->model.bytes, b->model.bytes, a->model.len) &&
	       (a->last < b->first || b->last < a->first);
}

static void look_over(struct source *s)
{
	struct source_device *d;
	struct trace_packet p;

	s->f.quiet = true;
	while (tracefile_packet(&s->f, &p)) {
		if (!p.ours)
			continue;
		d = &s->device[p.head.device];
		if (p.head.kind == TRACE_MODEL && !d->there)
			*d = (struct source_device){ .there = true,
						     .model = p,
						     .first = UINT64_MAX };
		if (p.head.kind == TRACE_MODEL || !d->there)
			continue;
		if (d->first > p.head.sequence)
			d->first = p.head.sequence;
		if (d->last < p.head.sequence)
			d->last = p.head.sequence;
	}
}

static bool is_taken(const struct merging *m, const char *name)
{
	unsigned int i;

	for (i = 0; i < m->targets; i++)
		if (!strcmp(m->target[i].name, name))
			return true;
	return false;
}

/* Is a guest of another file called so? */
static bool is_guest(const struct merging *m, const struct source *s,
		     const char *name)
{
	unsigned int i, g;

	for (i = 0; i < m->targets; i++)
		for (g = 0; g < m->target[i].guests; g++)
			if (m->target[i].source != s &&
			    !strcmp(m->target[i].guest[g], name))
				return true;
	return false;
}

/* (name), or with a number behind it; short enough for an interface's. */
static void new_name(char to[NAME], const char *name, unsigned int n)
{
	if (n < 2)
		snprintf(to, NAME, "%.14s", name);
	else
		snprintf(to, NAME, "%.10s-%u", name, n);
}

static void name_target(struct merging *m, struct target *t, unsigned int d)
{
	const struct tracefile *f = &t->source->f;
	struct trace_device dev;
	const char *name;
	unsigned int g, n;

	trace_read_model(&t->source->device[d].model, &dev);
	name = f->device[d] ? f->device[d] : dev.name;
	for (n = 1; new_name(t->name, name, n), is_taken(m, t->name); n++)
		;
	t->guests = dev.model.guests;
	for (g = 0; g < t->guests; g++) {
		char guest[NAME];

		tracefile_guest(f, d, g, guest, sizeof(guest));
		for (n = 1; new_name(t->guest[g], guest, n),
		    is_guest(m, t->source, t->guest[g]);
		     n++)
			;
	}
}

/* The number of device (d) of source (s) in the result; false: no room. */
static bool number_device(struct merging *m, size_t s, unsigned int d)
{
	struct source_device *this = &m->source[s].device[d];
	struct target *t;
	size_t i;

	for (i = 0; i < s; i++) {
		const struct source_device *old = &m->source[i].device[d];

		if (old->there && goes_on(old, this)) {
			this->to = old->to;
			this->again = true;
			return true;
		}
	}
	if (m->targets == TRACEFILE_DEVICES) {
		log_errorx("more than %u devices", TRACEFILE_DEVICES);
		return false;
	}
	t = &m->target[m->targets];
	t->source = &m->source[s];
	t->device = d;
	name_target(m, t, d);
	this->to = (int)m->targets++;
	return true;
}

/* ---- interfaces ---- */

static bool put_interfaces(struct merging *m)
{
	char name[2 * NAME + 1];
	struct target *t;
	unsigned int g, n = 1;

	for (t = m->target; t < m->target + m->targets; t++)
		n += 1 + t->guests;
	if (n > TRACE_INTERFACES) {
		log_errorx("%u devices and guests: a trace can have %u; merge "
			   "fewer files",
			   n - 1, TRACE_INTERFACES - 1);
		return false;
	}
	for (t = m->target; t < m->target + m->targets; t++) {
		t->interface = traceout_interface(&m->out, 1, t->name);
		for (g = 0; g < t->guests; g++) {
			snprintf(name, sizeof(name), "%s:%s", t->name,
				 t->guest[g]);
			t->guest_interface[g] =
				traceout_interface(&m->out, 1, name);
		}
	}
	return true;
}

/* Where a frame of (s) goes, or 0: nowhere. */
static unsigned int interface_of(struct merging *m, const struct source *s,
				 unsigned int i)
{
	const struct trace_reader *r = &s->f.reader;
	int d = s->f.of[i].device, g = s->f.of[i].guest;
	unsigned int k;

	if (d >= 0 && s->device[d].there) {
		const struct target *t = &m->target[s->device[d].to];

		if (g < 0)
			return t->interface;
		if ((unsigned int)g < t->guests)
			return t->guest_interface[g];
	}
	for (k = 0; k < m->others; k++)
		if (m->other[k].linktype == r->interface[i].linktype &&
		    !strcmp(m->other[k].name, r->interface[i].name))
			return m->other[k].interface;
	if (m->out.interfaces == TRACE_INTERFACES)
		return 0;
	m->other[k].linktype = r->interface[i].linktype;
	snprintf(m->other[k].name, NAME, "%s", r->interface[i].name);
	m->other[k].interface = traceout_interface(
		&m->out, r->interface[i].linktype, r->interface[i].name);
	m->others++;
	return m->other[k].interface;
}

/* ---- packets ---- */

static void put(struct merging *m, const struct source *s)
{
	const struct trace_packet *p = &s->p;
	const struct trace_piece frame = { p->bytes, p->len };
	const struct source_device *d;
	struct trace_head head = p->head;
	unsigned int i;

	if (!p->ours) {
		if (p->linktype == TRACE_LINKTYPE)
			return;
		i = interface_of(m, s, p->interface);
		if (i)
			traceout_packet(&m->out, i, p->ns, &frame, 1);
		m->bad |= !i;
		return;
	}
	d = &s->device[p->head.device];
	if (!d->there || (p->head.kind == TRACE_MODEL && d->again))
		return;
	head.device = (uint8_t)d->to;
	traceout_record(&m->out, p->ns, head, p->body, p->head.len, NULL, 0);
}

static struct source *earliest(struct merging *m)
{
	struct source *best = NULL;
	size_t i;

	for (i = 0; i < m->sources; i++) {
		struct source *s = &m->source[i];

		if (s->more && (!best || s->p.ns < best->p.ns))
			best = s;
	}
	return best;
}

static void say_names(const struct merging *m)
{
	const struct target *t;
	char name[NAME];
	unsigned int g;

	for (t = m->target; t < m->target + m->targets; t++) {
		tracefile_device(&t->source->f, t->device, name, sizeof(name));
		log_info("%s: %s is %s", t->source->f.path, name, t->name);
		for (g = 0; g < t->guests; g++) {
			tracefile_guest(&t->source->f, t->device, g, name,
					sizeof(name));
			if (strcmp(name, t->guest[g]))
				log_info("%s: %s is %s", t->source->f.path,
					 name, t->guest[g]);
		}
	}
}

static bool merge(struct merging *m)
{
	struct source *s;
	unsigned int d;
	size_t i;

	for (i = 0; i < m->sources; i++) {
		look_over(&m->source[i]);
		for (d = 0; d < TRACEFILE_DEVICES; d++)
			if (m->source[i].device[d].there &&
			    !number_device(m, i, d))
				return false;
	}
	if (!put_interfaces(m))
		return false;
	say_names(m);
	for (i = 0; i < m->sources; i++) {
		s = &m->source[i];
		tracefile_rewind(&s->f);
		s->more = tracefile_packet(&s->f, &s->p);
	}
	while ((s = earliest(m))) {
		put(m, s);
		s->more = tracefile_packet(&s->f, &s->p);
	}
	for (i = 0; i < m->sources; i++)
		m->bad |= m->source[i].f.bad;
	return !m->bad;
}

int trace_merge(const char *const *path, size_t n, const char *to)
{
	struct merging *m = xcalloc(1, sizeof(*m));
	struct tracefile *reading = xcalloc(n, sizeof(*reading));
	int status = EXIT_BAD_INPUT;
	char *why = NULL;

	m->source = xcalloc(n, sizeof(*m->source));
	for (m->sources = 0; m->sources < n; m->sources++) {
		struct source *s = &m->source[m->sources];

		if (tracefile_open(&s->f, path[m->sources], &why)) {
			log_errorx("%s", why);
			free(why);
			break;
		}
		reading[m->sources].fd = s->f.fd;
	}
	if (m->sources == n) {
		traceout_open(&m->out, to, reading, n);
		status = merge(m) ? 0 : EXIT_BAD_INPUT;
		if (!traceout_close(&m->out))
			status = EXIT_BAD_RUN;
	}
	while (m->sources)
		tracefile_close(&m->source[--m->sources].f);
	free(m->source);
	free(reading);
	free(m);
	return status;
}
