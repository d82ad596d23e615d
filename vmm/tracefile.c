// SPDX-License-Identifier: MIT
/*
 * tracefile.c: traces in files, and their records in words.
 */

#include "tracefile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "why.h"

#define BYTES_SHOWN 32u /* of memory, in words */
#define SAID_MAX 20u	/* messages of one file */

int tracefile_open(struct tracefile *f, const char *path, char **why)
{
	struct stat st;

	*f = (struct tracefile){ .fd = -1, .path = path };
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st))
		return why_set(why, -errno, "cannot read %s: %s", path,
			       strerror(errno));
	if (!S_ISREG(st.st_mode)) {
		close(f->fd);
		return why_set(why, -EINVAL, "%s is not a file", path);
	}
	f->len = (size_t)st.st_size;
	if (f->len)
		f->map = mmap(NULL, f->len, PROT_READ, MAP_PRIVATE, f->fd, 0);
	if (f->map == MAP_FAILED) {
		close(f->fd);
		return why_set(why, -errno, "cannot read %s: %s", path,
			       strerror(errno));
	}
	trace_open(&f->reader, f->len ? f->map : "", f->len);
	return 0;
}

void tracefile_close(struct tracefile *f)
{
	unsigned int i;

	for (i = 0; i < TRACEFILE_DEVICES; i++)
		dmm_model_free(f->model[i]);
	if (f->map)
		munmap(f->map, f->len);
	if (f->fd >= 0)
		close(f->fd);
}

/* ---- packets ---- */

static void say(struct tracefile *f, const char *fmt, ...) PRINTF(2, 3);

static void say(struct tracefile *f, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (!f->quiet && f->said++ < SAID_MAX && vasprintf(&text, fmt, ap) >= 0)
		log_warnx("%s: %s", f->path, text);
	if (!f->quiet && f->said == SAID_MAX)
		log_warnx("%s: more of these are only counted", f->path);
	va_end(ap);
	free(text);
}

/* There is nothing in it that could be read. */
static void say_useless(struct tracefile *f, const char *text)
{
	f->bad = true;
	if (!f->quiet)
		log_errorx("%s: %s", f->path, text);
}

/* The number of a device by its name; as many as there are: a new one. */
static unsigned int find_device(const struct tracefile *f, const char *name,
				size_t len)
{
	unsigned int i;

	for (i = 0; f->device[i]; i++)
		if (strlen(f->device[i]) == len &&
		    !memcmp(f->device[i], name, len))
			break;
	return i;
}

/* "nic0" is a device's, "nic0:alpha" its guest's: in their order. */
static void name_interfaces(struct tracefile *f)
{
	unsigned int i, d, g, n = f->reader.interfaces;
	const char *name, *colon;

	memset(f->device, 0, sizeof(f->device));
	memset(f->guest, 0, sizeof(f->guest));
	for (i = 0; i < n && i < TRACE_INTERFACES; i++) {
		f->of[i].device = f->of[i].guest = -1;
		name = f->reader.interface[i].name;
		if (f->reader.interface[i].linktype != 1 || !*name)
			continue;
		colon = strchr(name, ':');
		d = find_device(f, name,
				colon ? (size_t)(colon - name) : strlen(name));
		if (colon && !f->device[d])
			continue;
		f->of[i].device = (int)d;
		if (!colon) {
			f->device[d] = name;
			continue;
		}
		for (g = 0; g < DMM_MAX_GUESTS && f->guest[d][g] &&
			    strcmp(f->guest[d][g], colon + 1) != 0;
		     g++)
			;
		if (g == DMM_MAX_GUESTS)
			continue;
		f->guest[d][g] = colon + 1;
		f->of[i].guest = (int)g;
	}
}

static void say_end(struct tracefile *f)
{
	if (f->reader.at < f->reader.len)
		say(f, "cut off at offset 0x%zx; read up to there",
		    f->reader.at);
	if (f->any || f->bad)
		return;
	say_useless(f, f->len ? "there is no record of vpio in it" :
				"it is empty");
}

/* Malformed, or no block at all: true if there is more behind it. */
static bool go_on(struct tracefile *f, const struct trace_packet *p, int err)
{
	size_t from = f->reader.at;

	if (err == -EINVAL && from > p->offset) {
		say(f, "packet %" PRIu64 " at offset 0x%zx: malformed",
		    f->number + 1, p->offset);
		f->bad = true;
		f->number += p->block == TRACE_BLOCK_PACKET;
		return true;
	}
	if (!from && err == -EINVAL) {
		say_useless(f, "this is not a pcapng file");
		f->any = true; /* said enough */
		f->reader.at = f->reader.len;
		return false;
	}
	if (!trace_resync(&f->reader)) {
		if (err != -EINVAL)
			return false;
		say(f, "not a block of pcapng at offset 0x%zx, nor later",
		    from);
		f->reader.at = f->reader.len;
		f->bad = true;
		return false;
	}
	say(f,
	    "not a block of pcapng at offset 0x%zx; "
	    "goes on at 0x%zx",
	    from, f->reader.at);
	f->bad = true;
	return true;
}

bool tracefile_packet(struct tracefile *f, struct trace_packet *p)
{
	int err;

	for (;;) {
		err = trace_next(&f->reader, p);
		if (err == -ENODATA && f->reader.at == f->reader.len)
			break;
		if (err && !go_on(f, p, err))
			break;
		if (err)
			continue;
		if (p->block == TRACE_BLOCK_INTERFACE)
			name_interfaces(f);
		if (p->block != TRACE_BLOCK_PACKET)
			continue;
		if (!f->number++)
			f->start_ns = p->ns;
		f->any |= p->ours;
		return true;
	}
	say_end(f);
	return false;
}

void tracefile_rewind(struct tracefile *f)
{
	trace_open(&f->reader, f->len ? f->map : "", f->len);
	f->number = 0;
	f->said = 0;
	f->any = f->bad = f->quiet = false;
}

/* ---- names ---- */

void tracefile_model(struct tracefile *f, const struct trace_packet *p)
{
	struct dmm_model **m = &f->model[p->head.device];
	struct trace_device d;
	struct diag diag;

	trace_read_model(p, &d);
	if (*m || !*d.text)
		return;
	diag_init(&diag, d.name);
	if (dmm_model_parse(m, d.text, strlen(d.text), &diag))
		*m = NULL; /* then there are numbers */
	diag_fini(&diag);
}

void tracefile_device(const struct tracefile *f, unsigned int device, char *to,
		      size_t room)
{
	if (device < TRACEFILE_DEVICES && f->device[device])
		snprintf(to, room, "%s", f->device[device]);
	else
		snprintf(to, room, "device %u", device);
}

void tracefile_guest(const struct tracefile *f, unsigned int device,
		     unsigned int guest, char *to, size_t room)
{
	if (guest == TRACE_NOBODY)
		snprintf(to, room, "nobody");
	else if (device < TRACEFILE_DEVICES && guest < DMM_MAX_GUESTS &&
		 f->guest[device][guest])
		snprintf(to, room, "%s", f->guest[device][guest]);
	else
		snprintf(to, room, "guest %u", guest);
}

/* ---- words ---- */

/* A space, "bar0", or its number. */
static void space_name(const struct tracefile *f, const struct trace_packet *p,
		       unsigned int space, char *to, size_t room)
{
	const struct dmm_model *m = f->model[p->head.device];
	struct dmm_space s;

	if (m && dmm_model_space(m, space, &s))
		snprintf(to, room, "%s", s.name);
	else
		snprintf(to, room, "space %u", space);
}

static void access_text(const struct tracefile *f, const struct trace_packet *p,
			char *to, size_t room)
{
	static const char *const verdicts[] = { "pass", "hold", "stop" };
	struct trace_access a;
	uint64_t value = 0;
	char space[64];
	size_t n;

	memcpy(&a, p->body, sizeof(a));
	n = a.width < 8 ? a.width : 8;
	if (p->head.len >= sizeof(a) + n)
		memcpy(&value, p->body + sizeof(a), n);
	space_name(f, p, a.space, space, sizeof(space));
	n = (size_t)snprintf(to, room, "%s %s+0x%02llx width %u: 0x%llx",
			     a.write ? "write" : "read", space,
			     (unsigned long long)a.off, a.width,
			     (unsigned long long)value);
	if (a.count > 1 && n < room)
		n += (size_t)snprintf(to + n, room - n, " (first of %u)",
				      a.count);
	if (n < room)
		n += (size_t)snprintf(
			to + n, room - n, " %s, %s, vCPU %u",
			a.verdict < ARRAY_LEN(verdicts) ? verdicts[a.verdict] :
							  "?",
			a.path < DMM_PATHS ?
				dmm_path_name((enum dmm_path)a.path) :
				"?",
			a.vcpu);
	if (a.rip && n < room)
		snprintf(to + n, room - n, " at rip 0x%llx",
			 (unsigned long long)a.rip);
}

/* Memory that was read or written, such as a descriptor: its first bytes. */
static void memory_text(const struct trace_call *c, const uint8_t *bytes,
			char *to, size_t room)
{
	uint32_t i, n = c->bytes < BYTES_SHOWN ? c->bytes : BYTES_SHOWN;
	size_t len;

	len = (size_t)snprintf(to, room, "%s [0x%llx, +0x%llx): %d%s",
			       trace_host_name(c->what),
			       (unsigned long long)c->at,
			       (unsigned long long)c->count, c->result,
			       n ? ", " : "");
	for (i = 0; i < n && len + 3 < room; i++)
		len += (size_t)snprintf(to + len, room - len, "%02x", bytes[i]);
	if (n < c->bytes && len + 4 < room)
		snprintf(to + len, room - len, "...");
}

static void call_text(const struct tracefile *f, const struct trace_packet *p,
		      char *to, size_t room)
{
	struct trace_call c;
	char space[64];

	memcpy(&c, p->body, sizeof(c));
	space_name(f, p, c.space, space, sizeof(space));
	switch ((enum trace_host)c.what) {
	case TRACE_READ:
	case TRACE_WRITE:
		snprintf(to, room, "%s %s+0x%02llx width %u: 0x%llx",
			 trace_host_name(c.what), space,
			 (unsigned long long)c.at, c.width,
			 (unsigned long long)c.value);
		return;
	case TRACE_READ_STRING:
	case TRACE_WRITE_STRING:
		snprintf(to, room, "%s %s+0x%02llx width %u, %llu times",
			 trace_host_name(c.what), space,
			 (unsigned long long)c.at, c.width,
			 (unsigned long long)c.count);
		return;
	case TRACE_PAUSE:
	case TRACE_NOW:
		snprintf(to, room, "%s %llu ns", trace_host_name(c.what),
			 (unsigned long long)(c.at + c.value));
		return;
	case TRACE_RESET:
		snprintf(to, room, "reset: %d", c.result);
		return;
	case TRACE_TRANSLATE:
		snprintf(to, room, "translate [0x%llx, +0x%llx): 0x%llx, %d",
			 (unsigned long long)c.at, (unsigned long long)c.count,
			 (unsigned long long)c.value, c.result);
		return;
	default:
		memory_text(&c, p->body + sizeof(c), to, room);
		return;
	}
}

/* What a stranger wrote goes to a terminal. */
static void put_text(char *to, size_t room, const char *from)
{
	size_t i;

	for (i = 0; from[i] && i + 1 < room; i++)
		to[i] = (unsigned char)from[i] < 0x20 || from[i] == 0x7f ?
				'.' :
				from[i];
	to[i] = '\0';
}

static void violation_text(const struct trace_packet *p, char *to, size_t room)
{
	struct trace_violation v;
	const char *name = (const char *)p->body + sizeof(v);
	char text[256];
	size_t n;

	memcpy(&v, p->body, sizeof(v));
	put_text(text, 64, name);
	n = strlen(text);
	text[n++] = ':';
	text[n++] = ' ';
	put_text(text + n, 128, name + strlen(name) + 1);
	snprintf(to, room, "%s [0x%llx, +0x%llx) (model line %u)", text,
		 (unsigned long long)v.address, (unsigned long long)v.length,
		 v.line);
}

static void model_text(const struct trace_packet *p, char *to, size_t room)
{
	struct trace_device d;
	char name[64];

	trace_read_model(p, &d);
	put_text(name, sizeof(name), d.name);
	snprintf(to, room, "model %s, hash 0x%016llx, %u guests, %s", name,
		 (unsigned long long)d.model.hash, d.model.guests,
		 d.model.complete ? "complete" : "accesses alone");
}

static void state_text(const struct tracefile *f, const struct trace_packet *p,
		       char *to, size_t room)
{
	const struct dmm_model *m = f->model[p->head.device];
	struct trace_state st;

	memcpy(&st, p->body, sizeof(st));
	if (m && st.machine < dmm_model_machines(m) &&
	    dmm_model_state(m, st.from) && dmm_model_state(m, st.to))
		snprintf(to, room, "%s: %s to %s",
			 dmm_model_machine(m, st.machine),
			 dmm_model_state(m, st.from),
			 dmm_model_state(m, st.to));
	else
		snprintf(to, room, "machine %u: %u to %u", st.machine, st.from,
			 st.to);
}

static void switch_text(const struct tracefile *f, const struct trace_packet *p,
			char *to, size_t room)
{
	char from[64], next[64];
	struct trace_switch sw;

	memcpy(&sw, p->body, sizeof(sw));
	tracefile_guest(f, p->head.device, sw.from, from, sizeof(from));
	tracefile_guest(f, p->head.device, sw.to, next, sizeof(next));
	snprintf(to, room, "%s to %s%s, %llu ns", from, next,
		 sw.forced ? ", forced" : "", (unsigned long long)sw.ns);
}

void tracefile_text(const struct tracefile *f, const struct trace_packet *p,
		    char *to, size_t room)
{
	uint64_t value = 0;

	to[0] = '\0';
	switch ((enum trace_kind)p->head.kind) {
	case TRACE_MODEL:
		model_text(p, to, room);
		return;
	case TRACE_ACCESS:
		access_text(f, p, to, room);
		return;
	case TRACE_HOST:
		call_text(f, p, to, room);
		return;
	case TRACE_STATE:
		state_text(f, p, to, room);
		return;
	case TRACE_SWITCH:
		switch_text(f, p, to, room);
		return;
	case TRACE_VIOLATION:
		violation_text(p, to, room);
		return;
	case TRACE_LEAVE:
	case TRACE_GUEST_RESET:
		return;
	case TRACE_STEP:
		memcpy(&value, p->body, sizeof(value));
		snprintf(to, room, "%s",
			 dmm_step_name(value < DMM_STEPS ?
					       (enum dmm_step)value :
					       DMM_STEPS));
		return;
	default:
		memcpy(&value, p->body,
		       p->head.len < sizeof(value) ? p->head.len :
						     sizeof(value));
		snprintf(to, room, "%llu", (unsigned long long)value);
		return;
	}
}
