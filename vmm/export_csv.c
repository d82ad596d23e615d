// SPDX-License-Identifier: MIT
/*
 * export_csv.c: a line a packet (RFC 4180), with a head.  What an access has
 * stands in columns of its own; the last column has all in words.
 */

#include <inttypes.h>
#include <string.h>

#include "export.h"

static void put_quoted(FILE *to, const char *s)
{
	fputc('"', to);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', to);
		fputc(*s, to);
	}
	fputc('"', to);
}

static void put_access(FILE *to, const struct trace_packet *p)
{
	static const char *const verdicts[] = { "pass", "hold", "stop" };
	struct trace_access a;
	uint64_t value = 0;

	memcpy(&a, p->body, sizeof(a));
	memcpy(&value, p->body + sizeof(a), a.count ? a.width : 0u);
	fprintf(to, "%s,%u,0x%" PRIx64 ",%u,%" PRIu32 ",0x%" PRIx64,
		a.write ? "write" : "read", a.space, a.off, a.width, a.count,
		value);
	fprintf(to, ",%s,%s,%u,0x%" PRIx64 ",",
		a.verdict < ARRAY_LEN(verdicts) ? verdicts[a.verdict] : "?",
		a.path < DMM_PATHS ? dmm_path_name((enum dmm_path)a.path) : "?",
		a.vcpu, a.rip);
}

void export_csv(struct exporting *e)
{
	char device[64] = "", guest[64], text[256];
	struct trace_packet p;

	fputs("number,ns,kind,device,guest,direction,space,offset,width,count,"
	      "value,verdict,path,vcpu,rip,text\r\n",
	      e->to);
	while (export_next(e, &p)) {
		int d = p.ours ? p.head.device : e->f->of[p.interface].device;
		int g = p.ours ? p.head.guest : e->f->of[p.interface].guest;

		*device = *guest = '\0';
		if (d >= 0)
			tracefile_device(e->f, (unsigned int)d, device,
					 sizeof(device));
		if (d >= 0 && g >= 0 && g != TRACE_NOBODY)
			tracefile_guest(e->f, (unsigned int)d, (unsigned int)g,
					guest, sizeof(guest));
		fprintf(e->to, "%" PRIu64 ",%" PRIu64 ",%s,", e->f->number,
			export_ns(e, &p),
			p.ours ? trace_kind_name((enum trace_kind)p.head.kind) :
				 "frame");
		put_quoted(e->to, device);
		fputc(',', e->to);
		put_quoted(e->to, guest);
		fputc(',', e->to);
		if (p.ours && p.head.kind == TRACE_ACCESS)
			put_access(e->to, &p);
		else
			fputs(",,,,,,,,,,", e->to);
		if (p.ours)
			tracefile_text(e->f, &p, text, sizeof(text));
		else
			snprintf(text, sizeof(text), "%u bytes", p.original);
		put_quoted(e->to, text);
		fputs("\r\n", e->to);
	}
}
