// SPDX-License-Identifier: MIT
/*
 * import_bitvisor.c: what the command monitor of BitVisor's dbgsh prints of a
 * device that its driver "monitor" was given:
 *
 *	0: BB:DD.F/VVVV:DDDD				(a line a device)
 *	monitor> 0
 *	MICROSECONDS barN|conf mem|i/o|--- r|w 0xADDR 0xOFF b|w|l|q 0xVALUE [N]
 *
 * N: so many of the same one after another, with the first one's value; the
 * others are not in the trace.  Of several devices, those are left out that
 * are not the model's.
 */

#include <string.h>

#include "import.h"

#define DEVICES 64u

struct own {
	struct {
		uint32_t where;
		bool there;
	} device[DEVICES];
	uint32_t where; /* of what is printed now */
	bool named;
	bool other; /* and it is not ours */
};

static void device_line(struct import *im, const char *at, uint64_t n)
{
	struct own *own = im->own;
	uint64_t vendor, device;
	uint32_t where;

	if (!import_where(&at, " ", &where) || !import_hex(&at, "/", &vendor) ||
	    !import_hex(&at, ":", &device) || n >= DEVICES) {
		import_bad(im, "not a device");
		return;
	}
	own->device[n].where = where;
	own->device[n].there = true;
	import_id(im, where, (uint16_t)vendor, (uint16_t)device);
}

static void prompt_line(struct import *im, const char *at)
{
	struct own *own = im->own;
	const struct dmm_match *m;
	size_t count, i;
	unsigned int k;
	uint64_t n;

	if (!import_number(&at, "", &n))
		return; /* an empty one ends it */
	own->named = n < DEVICES && own->device[n].there;
	if (!own->named) {
		import_bad(im, "a device that was not listed");
		return;
	}
	own->where = own->device[n].where;
	own->other = true;
	m = dmm_model_match(im->model, &count);
	for (k = 0; k < im->functions; k++)
		for (i = 0; i < count; i++)
			if (im->function[k].where == own->where &&
			    im->function[k].vendor == m[i].vendor &&
			    im->function[k].device == m[i].device)
				own->other = false;
	if (im->conf->function != IMPORT_NOWHERE)
		own->other = own->where != im->conf->function;
}

/* Behind the time: "barN mem r 0x.. 0x.. l 0x.." */
static void entry_line(struct import *im, const char *at, uint64_t us)
{
	static const char widths[] = "bwlq";
	struct import_access a = { .count = 1 };
	struct own *own = im->own;
	uint64_t bar = IMPORT_BARS, addr, count;
	const char *width = NULL;
	bool ok, config;

	at += strspn(at, " ");
	config = import_word(&at, "conf ");
	ok = config || (import_number(&at, "bar", &bar) && bar < IMPORT_BARS &&
			import_word(&at, " "));
	if (ok && import_word(&at, "i/o "))
		a.kind = IMPORT_PORT;
	else if (ok && import_word(&at, "mem "))
		a.kind = IMPORT_MEMORY;
	else
		ok = ok && config && import_word(&at, "--- ");
	a.write = ok && *at == 'w';
	ok = ok && (import_word(&at, "r ") || import_word(&at, "w ")) &&
	     import_number(&at, "", &addr) && import_number(&at, " ", &a.addr);
	if (ok && at[0] == ' ' && at[1])
		width = strchr(widths, at[1]);
	if (width)
		at += 2;
	if (!width || !import_number(&at, " ", &a.value)) {
		import_bad(im, "not an access");
		return;
	}
	if (own->other)
		return;
	a.width = 1u << (width - widths);
	im->ns = us * 1000u;
	if (config)
		import_config(im, own->where, (unsigned int)a.addr & 0xfff,
			      a.width, a.write, a.value);
	else
		import_bar_access(im, (unsigned int)bar, &a);
	if (import_number(&at, " ", &count) && count > 1)
		im->grouped += count - 1;
}

static void line(struct import *im, char *text)
{
	const char *at = text + strspn(text, " ");
	uint64_t n;

	if (import_word(&at, "monitor> ")) {
		prompt_line(im, at);
		return;
	}
	if (!import_number(&at, "", &n))
		return;
	if (import_word(&at, ":"))
		device_line(im, at, n);
	else if (*at == ' ')
		entry_line(im, at, n);
	else
		import_bad(im, "not a line of the command monitor");
}

const struct import_format import_bitvisor = {
	.name = "bitvisor",
	.what = "what BitVisor's command monitor prints",
	.own_size = sizeof(struct own),
	.has_times = true,
	.line = line,
};
