// SPDX-License-Identifier: MIT
/*
 * import_mmiotrace.c: what Linux's mmiotrace writes of a driver's accesses to
 * memory (Documentation/trace/mmiotrace.rst, "Trace Log Format").
 *
 *	VERSION 20070824
 *	PCIDEV BBDF VVVVDDDD IRQ BASE*7 SIZE*7 [DRIVER]	(hexadecimal)
 *	MAP SECS.USECS ID 0xPHYS 0xVIRT 0xLEN 0xPC PID
 *	UNMAP SECS.USECS ID 0xPC PID
 *	R|W WIDTH SECS.USECS ID 0xPHYS 0xVALUE 0xPC PID
 *	UNKNOWN SECS.USECS ID 0xPHYS OP,OP,OP 0xPC PID
 *	MARK SECS.USECS TEXT
 *
 * Ports are not in it.  A MARK of "Lost N events" is a gap.  PCIDEV is only in
 * what trace_pipe gives, not in the file trace: then a MAP that is as long as
 * the model's memory BAR is of that BAR.
 */

#include <string.h>

#include "import.h"

#define PAGE 4096u

static void access_line(struct import *im, const char *at, bool write)
{
	struct import_access a = { .kind = IMPORT_MEMORY,
				   .write = write,
				   .count = 1 };
	uint64_t width, ns, id;

	if (!import_number(&at, " ", &width) || !import_width(width) ||
	    !import_seconds(&at, " ", &ns) || !import_number(&at, " ", &id) ||
	    !import_number(&at, " ", &a.addr) ||
	    !import_number(&at, " ", &a.value) ||
	    !import_number(&at, " ", &a.rip)) {
		import_bad(im, "not an access");
		return;
	}
	a.width = (unsigned int)width;
	im->ns = ns;
	import_access(im, &a);
}

/* Bases have the low bits of the BAR in them. */
static void device_line(struct import *im, const char *at)
{
	uint64_t where, id, irq, base[7], size[7];
	unsigned int i;
	bool ok;

	ok = import_hex(&at, " ", &where) && import_hex(&at, " ", &id) &&
	     import_hex(&at, " ", &irq) && where <= 0xffff;
	for (i = 0; ok && i < ARRAY_LEN(base); i++)
		ok = import_hex(&at, " ", &base[i]);
	for (i = 0; ok && i < ARRAY_LEN(size); i++)
		ok = import_hex(&at, " ", &size[i]);
	if (!ok) {
		import_bad(im, "not a PCIDEV");
		return;
	}
	*(bool *)im->own = true;
	import_id(im, (uint32_t)where, (uint16_t)(id >> 16), (uint16_t)id);
	for (i = 0; i < IMPORT_BARS; i++)
		if (size[i])
			import_map(im, (uint32_t)where, i,
				   base[i] & ~(uint64_t)(base[i] & 1 ? 3 : 15),
				   size[i]);
}

static void map_line(struct import *im, const char *at)
{
	uint64_t ns, id, phys, virt, len;
	struct dmm_space s;
	unsigned int i;

	if (!import_seconds(&at, " ", &ns) || !import_number(&at, " ", &id) ||
	    !import_number(&at, " ", &phys) ||
	    !import_number(&at, " ", &virt) || !import_number(&at, " ", &len)) {
		import_bad(im, "not a MAP");
		return;
	}
	for (i = 0; !*(bool *)im->own && dmm_model_space(im->model, i, &s); i++)
		if (!s.io && !s.window &&
		    len == ((s.size + PAGE - 1) & ~(uint64_t)(PAGE - 1)))
			import_map(im, IMPORT_NOWHERE, s.bar, phys, s.size);
}

static void mark_line(struct import *im, const char *at)
{
	uint64_t ns, n;

	if (!import_seconds(&at, " ", &ns)) {
		import_bad(im, "not a MARK");
		return;
	}
	if (import_number(&at, " Lost ", &n) && import_word(&at, " events"))
		import_lost(im, n);
}

static void line(struct import *im, char *text)
{
	const char *at = text;

	if (import_word(&at, "R") && *at == ' ')
		access_line(im, at, false);
	else if ((at = text, import_word(&at, "W")) && *at == ' ')
		access_line(im, at, true);
	else if ((at = text, import_word(&at, "PCIDEV")))
		device_line(im, at);
	else if (import_word(&at, "MAP"))
		map_line(im, at);
	else if (import_word(&at, "MARK"))
		mark_line(im, at);
	else if (import_word(&at, "UNKNOWN"))
		import_bad(im, "an access that mmiotrace did not understand");
}

const struct import_format import_mmiotrace = {
	.name = "mmiotrace",
	.what = "what Linux's mmiotrace writes",
	.own_size = sizeof(bool), /* there were PCIDEVs */
	.has_times = true,
	.line = line,
};
