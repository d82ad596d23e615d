// SPDX-License-Identifier: MIT
/*
 * tracefile.c: traces in files, and their records in words.
 */

#include "tracefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "why.h"

int tracefile_open(struct tracefile *f, const char *path, char **why)
{
	struct stat st;

	*f = (struct tracefile){ .fd = -1 };
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
	trace_open(&f->reader, f->map, f->len);
	return 0;
}

void tracefile_close(struct tracefile *f)
{
	if (f->map)
		munmap(f->map, f->len);
	if (f->fd >= 0)
		close(f->fd);
}

/* ---- words ---- */

static void access_text(const struct trace_packet *p, char *to, size_t room)
{
	static const char *const verdicts[] = { "pass", "hold", "stop" };
	struct trace_access a;
	uint64_t value = 0;
	size_t n;

	memcpy(&a, p->body, sizeof(a));
	n = a.width < 8 ? a.width : 8;
	if (p->head.len >= sizeof(a) + n)
		memcpy(&value, p->body + sizeof(a), n);
	n = (size_t)snprintf(to, room, "%s space %u+0x%02llx width %u: 0x%llx",
			     a.write ? "write" : "read", a.space,
			     (unsigned long long)a.off, a.width,
			     (unsigned long long)value);
	if (a.count > 1 && n < room)
		n += (size_t)snprintf(to + n, room - n, " (first of %u)",
				      a.count);
	if (n < room)
		snprintf(to + n, room - n, " %s, %s, vCPU %u",
			 a.verdict < ARRAY_LEN(verdicts) ? verdicts[a.verdict] :
							   "?",
			 a.path < DMM_PATHS ?
				 dmm_path_name((enum dmm_path)a.path) :
				 "?",
			 a.vcpu);
}

static void call_text(const struct trace_packet *p, char *to, size_t room)
{
	struct trace_call c;

	memcpy(&c, p->body, sizeof(c));
	snprintf(to, room,
		 "%s space %u at 0x%llx width %u count %llu: "
		 "0x%llx, %d",
		 trace_host_name(c.what), c.space, (unsigned long long)c.at,
		 c.width, (unsigned long long)c.count,
		 (unsigned long long)c.value, c.result);
}

static void violation_text(const struct trace_packet *p, char *to, size_t room)
{
	struct trace_violation v;
	const char *name = (const char *)p->body + sizeof(v);

	memcpy(&v, p->body, sizeof(v));
	snprintf(to, room, "%s: %s [0x%llx, +0x%llx) (model line %u)", name,
		 name + strlen(name) + 1, (unsigned long long)v.address,
		 (unsigned long long)v.length, v.line);
}

void tracefile_text(const struct trace_packet *p, char *to, size_t room)
{
	struct trace_device d;
	struct trace_switch sw;
	struct trace_state st;
	uint64_t value = 0;

	to[0] = '\0';
	switch ((enum trace_kind)p->head.kind) {
	case TRACE_MODEL:
		trace_read_model(p, &d);
		snprintf(to, room, "model %s, %u guests, %s", d.name,
			 d.model.guests,
			 d.model.complete ? "complete" : "accesses alone");
		return;
	case TRACE_ACCESS:
		access_text(p, to, room);
		return;
	case TRACE_HOST:
		call_text(p, to, room);
		return;
	case TRACE_STATE:
		memcpy(&st, p->body, sizeof(st));
		snprintf(to, room, "machine %u: %u to %u", st.machine, st.from,
			 st.to);
		return;
	case TRACE_SWITCH:
		memcpy(&sw, p->body, sizeof(sw));
		snprintf(to, room, "%d to %u%s, %llu ns",
			 sw.from == TRACE_NOBODY ? -1 : sw.from, sw.to,
			 sw.forced ? ", forced" : "",
			 (unsigned long long)sw.ns);
		return;
	case TRACE_VIOLATION:
		violation_text(p, to, room);
		return;
	default:
		memcpy(&value, p->body,
		       p->head.len < sizeof(value) ? p->head.len :
						     sizeof(value));
		snprintf(to, room, "%llu", (unsigned long long)value);
		return;
	}
}

/* ---- writing ---- */

#define BLOCK (TRACE_RECORD_MAX + 256u)

static bool put_block(FILE *to, const uint8_t *block, size_t len)
{
	return len && fwrite(block, 1, len, to) == len;
}

bool tracefile_begin(FILE *to)
{
	uint8_t block[512];

	return put_block(to, block,
			 trace_put_section(block, sizeof(block), "vpio")) &&
	       put_block(to, block,
			 trace_put_interface(block, sizeof(block),
					     TRACE_LINKTYPE, "vpio"));
}

bool tracefile_put(FILE *to, uint64_t ns, struct trace_head head,
		   const void *body, size_t body_len, const void *more,
		   size_t more_len)
{
	static _Thread_local uint8_t block[BLOCK];
	struct trace_piece piece[] = { { &head, sizeof(head) },
				       { body, body_len },
				       { more, more_len } };

	head.len = (uint32_t)(body_len + more_len);
	return put_block(to, block,
			 trace_put_packet(block, sizeof(block), 0, ns, piece,
					  3));
}
