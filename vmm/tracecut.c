// SPDX-License-Identifier: MIT
/*
 * tracecut.c: parts of a trace.  What an entry of the monitor took stands
 * before the entry's own record, so that a cut takes all of it or nothing.
 */

#include "tracecut.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "traceout.h"

/* More than one entry can take, as a replay has it. */
#define GROUP_MAX (1u << 18)

void tracecut_init(struct tracecut *cut)
{
	*cut = (struct tracecut){ .to_ns = UINT64_MAX, .last = UINT64_MAX };
}

/* ---- names ---- */

/* (name) is a number below (n): it, else -1. */
static int number_of(const char *name, unsigned int n)
{
	unsigned long v;
	char *end;

	if (*name < '0' || *name > '9')
		return -1;
	errno = 0;
	v = strtoul(name, &end, 10);
	return *end || errno || v >= n ? -1 : (int)v;
}

static int find_guest(const struct tracefile *f, const char *name, int device)
{
	unsigned int d, g;

	for (d = 0; d < TRACEFILE_DEVICES; d++)
		for (g = 0; g < DMM_MAX_GUESTS; g++)
			if ((device < 0 || d == (unsigned int)device) &&
			    f->guest[d][g] && !strcmp(f->guest[d][g], name))
				return (int)g;
	return number_of(name, DMM_MAX_GUESTS);
}

bool tracecut_names(const struct tracecut *cut, const struct tracefile *f,
		    int *device, int *guest)
{
	unsigned int d;

	*device = *guest = -1;
	if (cut->device) {
		for (d = 0; d < TRACEFILE_DEVICES && *device < 0; d++)
			if (f->device[d] && !strcmp(f->device[d], cut->device))
				*device = (int)d;
		if (*device < 0)
			*device = number_of(cut->device, TRACEFILE_DEVICES);
		if (*device < 0) {
			log_errorx("%s: no device is called \"%s\"", f->path,
				   cut->device);
			return false;
		}
	}
	if (!cut->guest)
		return true;
	*guest = find_guest(f, cut->guest, *device);
	if (*guest < 0)
		log_errorx("%s: no guest is called \"%s\"", f->path,
			   cut->guest);
	return *guest >= 0;
}

/* ---- what is wanted ---- */

static bool wants_owner(int device, int guest, int of_device, int of_guest)
{
	return (device < 0 || of_device == device) &&
	       (guest < 0 || of_guest < 0 || of_guest == guest);
}

static bool wants_kind(const struct tracecut *cut, const struct trace_packet *p)
{
	if (!p->ours)
		return !cut->no_frames;
	return !cut->kinds || p->head.kind >= 32 ||
	       (cut->kinds >> p->head.kind & 1);
}

static bool wants_place(const struct tracecut *cut, const struct tracefile *f,
			uint64_t number, uint64_t ns)
{
	uint64_t at = ns > f->start_ns ? ns - f->start_ns : 0;

	return number >= cut->first && number <= cut->last &&
	       at >= cut->from_ns && at <= cut->to_ns;
}

static bool wants_rest(const struct tracecut *cut, const struct tracefile *f,
		       const struct trace_packet *p, int device, int guest)
{
	int d = -1, g = -1;

	if (p->ours) {
		d = p->head.device;
		g = p->head.guest == TRACE_NOBODY ? -1 : p->head.guest;
	} else if (p->interface < TRACE_INTERFACES) {
		d = f->of[p->interface].device;
		g = f->of[p->interface].guest;
	}
	return wants_kind(cut, p) && wants_owner(device, guest, d, g);
}

bool tracecut_wants(const struct tracecut *cut, const struct tracefile *f,
		    const struct trace_packet *p, int device, int guest)
{
	return wants_place(cut, f, f->number, p->ns) &&
	       wants_rest(cut, f, p, device, guest);
}

/* ---- cutting ---- */

struct held { /* a packet of an entry that has not come yet */
	struct trace_packet p;
	uint64_t number;
};

struct part { /* of a device */
	struct held *held;
	size_t n, room;
	uint64_t records, kept, accesses;
	uint64_t sequence; /* of the next that is written, where some lack */
	bool was_complete, left_out, gap;
};

struct cutting {
	const struct tracecut *want;
	struct tracefile *f;
	struct traceout *out; /* NULL: only look */
	unsigned int interface[TRACE_INTERFACES], interfaces;
	int device, guest;
	bool named, bad;
	struct part part[TRACEFILE_DEVICES];
};

/* Its entry: what a replay shows to the monitor. */
static bool is_entry(const struct trace_packet *p)
{
	return (p->head.kind >= TRACE_ACCESS &&
		p->head.kind <= TRACE_GUEST_RESET) ||
	       p->head.kind == TRACE_SIGNALS;
}

/* Those of the file, in its order: names are told by that. */
static void put_interfaces(struct cutting *c)
{
	const struct trace_reader *r = &c->f->reader;

	for (;
	     c->interfaces < r->interfaces && c->interfaces < TRACE_INTERFACES;
	     c->interfaces++) {
		unsigned int i = c->interfaces;

		c->interface[i] =
			r->interface[i].linktype == TRACE_LINKTYPE ?
				0 :
				traceout_interface(c->out,
						   r->interface[i].linktype,
						   r->interface[i].name);
	}
}

/* A device's model: it can be replayed exactly only if nothing is missing. */
static void put_model(struct cutting *c, const struct part *part,
		      const struct trace_packet *p)
{
	struct trace_head head = p->head;
	struct trace_model m;

	memcpy(&m, p->body, sizeof(m));
	m.complete = m.complete && !part->gap;
	if (part->gap)
		head.sequence = 0;
	traceout_record(c->out, p->ns, head, &m, sizeof(m), p->body + sizeof(m),
			p->head.len - sizeof(m));
}

static void put(struct cutting *c, struct part *part,
		const struct trace_packet *p)
{
	const struct trace_piece frame = { p->bytes, p->len };
	struct trace_head head = p->head;

	if (!c->out)
		return;
	put_interfaces(c);
	if (!p->ours) {
		traceout_packet(c->out, c->interface[p->interface], p->ns,
				&frame, 1);
		return;
	}
	if (p->head.kind == TRACE_MODEL) {
		put_model(c, part, p);
		part->sequence = 1;
		return;
	}
	if (part->gap)
		head.sequence = part->sequence++;
	traceout_record(c->out, p->ns, head, p->body, p->head.len, NULL, 0);
}

static void take(struct cutting *c, struct part *part,
		 const struct trace_packet *p, bool wanted)
{
	if (!p->ours) {
		if (wanted)
			put(c, NULL, p);
		return;
	}
	part->records++;
	if (!wanted) {
		part->left_out = true;
		return;
	}
	part->gap |= part->left_out;
	part->kept++;
	part->accesses += p->head.kind == TRACE_ACCESS;
	put(c, part, p);
}

/* An entry has come, or the end: all that it took goes its way. */
static void take_group(struct cutting *c, struct part *part,
		       const struct held *entry)
{
	bool place = wants_place(c->want, c->f, entry->number, entry->p.ns);
	bool wanted = place &&
		      wants_rest(c->want, c->f, &entry->p, c->device, c->guest);
	bool of_entry = wanted || (place && c->want->kinds &&
				   !wants_kind(c->want, &entry->p));
	size_t i;

	for (i = 0; i < part->n; i++)
		take(c, part, &part->held[i].p,
		     of_entry && wants_rest(c->want, c->f, &part->held[i].p,
					    c->device, c->guest));
	part->n = 0;
	if (is_entry(&entry->p))
		take(c, part, &entry->p, wanted);
}

static void hold(struct cutting *c, struct part *part,
		 const struct trace_packet *p)
{
	size_t room = part->room ? 2 * part->room : 64;

	if (part->n == GROUP_MAX) {
		log_warnx("%s: packet %" PRIu64 ": no entry takes so much",
			  c->f->path, c->f->number);
		c->bad = true;
		part->n = 0;
		part->left_out = true;
	}
	if (part->n == part->room) {
		part->held =
			reallocarray(part->held, room, sizeof(*part->held));
		if (!part->held)
			fatalx("no memory");
		part->room = room;
	}
	part->held[part->n++] =
		(struct held){ .p = *p, .number = c->f->number };
}

/* A model is there for every wanted device, whatever is cut. */
static void take_model(struct cutting *c, struct part *part,
		       const struct trace_packet *p)
{
	struct trace_model m;

	if (c->device >= 0 && p->head.device != c->device)
		return;
	if (part->kept && part->was_complete)
		return; /* again, in a later part of the same run */
	memcpy(&m, p->body, sizeof(m));
	part->was_complete = m.complete;
	part->records++;
	part->kept++;
	put(c, part, p);
}

static void look_at(struct cutting *c, const struct trace_packet *p)
{
	const struct held this = { .p = *p, .number = c->f->number };
	int d = p->ours ? p->head.device : c->f->of[p->interface].device;
	struct part *part = &c->part[d < 0 ? 0 : d];

	if (!p->ours && p->linktype == TRACE_LINKTYPE)
		return; /* another's use of that number */
	if (!p->ours && (d < 0 || !part->n))
		take(c, part, p,
		     tracecut_wants(c->want, c->f, p, c->device, c->guest));
	else if (!p->ours)
		hold(c, part, p); /* it keeps its place */
	else if (p->head.kind == TRACE_MODEL)
		take_model(c, part, p);
	else if (is_entry(p))
		take_group(c, part, &this);
	else if (p->head.kind == TRACE_LOST)
		take(c, part, p,
		     tracecut_wants(c->want, c->f, p, c->device, c->guest));
	else
		hold(c, part, p);
}

static bool pass(struct cutting *c)
{
	struct trace_packet p;
	struct part *part;

	c->interfaces = 0;
	while (tracefile_packet(c->f, &p)) {
		if (!c->named &&
		    !tracecut_names(c->want, c->f, &c->device, &c->guest))
			return false;
		c->named = true;
		look_at(c, &p);
	}
	/* what was cut off in the middle of an entry */
	for (part = c->part; part < c->part + TRACEFILE_DEVICES; part++)
		if (part->n)
			take_group(c, part,
				   &(struct held){
					   part->held[part->n - 1].p,
					   part->held[part->n - 1].number });
	return true;
}

/* For the second pass, which knows what the first found. */
static void again(struct cutting *c, struct traceout *out)
{
	struct part *part;

	for (part = c->part; part < c->part + TRACEFILE_DEVICES; part++) {
		part->records = part->kept = part->accesses = 0;
		part->left_out = false;
	}
	c->out = out;
	tracefile_rewind(c->f);
}

static void say(const struct cutting *c)
{
	const char *what;
	char name[64];
	unsigned int d;

	for (d = 0; d < TRACEFILE_DEVICES; d++) {
		const struct part *part = &c->part[d];

		if (!part->kept)
			continue;
		if (!part->accesses)
			what = "no access is left: there is nothing to replay";
		else if (part->gap || !part->was_complete)
			what = "it replays, but only its accesses are shown "
			       "and nothing is compared";
		else
			what = "it replays exactly";
		tracefile_device(c->f, d, name, sizeof(name));
		log_info("%s: %" PRIu64 " of %" PRIu64 " records: %s", name,
			 part->kept, part->records, what);
	}
}

int trace_cut(const char *path, const struct tracecut *want, const char *to)
{
	struct cutting *c = xcalloc(1, sizeof(*c));
	struct tracefile f;
	struct traceout out;
	int status = EXIT_BAD_INPUT;
	char *why = NULL;
	unsigned int d;

	if (tracefile_open(&f, path, &why)) {
		log_errorx("%s", why);
		free(why);
		free(c);
		return status;
	}
	c->want = want;
	c->f = &f;
	f.quiet = true;
	if (pass(c)) {
		traceout_open(&out, to, &f, 1);
		again(c, &out);
		(void)!pass(c);
		status = f.bad || c->bad ? EXIT_BAD_INPUT : 0;
		if (!traceout_close(&out))
			status = EXIT_BAD_RUN;
		say(c);
	}
	for (d = 0; d < TRACEFILE_DEVICES; d++)
		free(c->part[d].held);
	tracefile_close(&f);
	free(c);
	return status;
}
