// SPDX-License-Identifier: MIT
/*
 * export_pcap.c: the Ethernet frames of a trace, as pcap-savefile(5) with
 * nanoseconds, in the byte order of this machine, which its magic tells.
 */

#include <string.h>

#include "export.h"

#define ETHERNET 1u
#define SNAPLEN 262144u

void export_pcap(struct exporting *e)
{
	const uint32_t head[] = { 0xa1b23c4d, 2 | 4 << 16, 0,
				  0,	      SNAPLEN,	   ETHERNET };
	struct trace_packet p;

	fwrite(head, sizeof(head), 1, e->to);
	while (export_next(e, &p)) {
		uint32_t len = p.len < SNAPLEN ? p.len : SNAPLEN;
		const uint32_t record[] = { (uint32_t)(p.ns / 1000000000u),
					    (uint32_t)(p.ns % 1000000000u), len,
					    p.original };

		if (p.ours || p.linktype != ETHERNET)
			continue;
		fwrite(record, sizeof(record), 1, e->to);
		fwrite(p.bytes, 1, len, e->to);
	}
}
