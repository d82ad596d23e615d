// SPDX-License-Identifier: MIT
/*
 * import_qemu.c: QEMU's log of its trace events (-trace NAME -D FILE), each
 * maybe behind "PID@SECONDS.MICROSECONDS:".
 *
 *	memory_region_ops_read|write cpu N mr 0x.. addr 0xABS value 0x..
 *		size N [name 'REGION']			(one line)
 *	pci_cfg_read NAME BB:DD.F @0xOFF -> 0xVALUE
 *	pci_cfg_write NAME BB:DD.F @0xOFF <- 0xVALUE
 *	pci_update_mappings_add|del NAME BB:DD.F BAR,0xADDR+0xSIZE
 *	pic_set_irq master 0|1 irq N level 0|1
 *
 * and, of a log that has no memory_region_ops_ at all, the devices' own:
 *
 *	EVENT Read from|Write to register 0xOFF, N byte(s), value: 0xVALUE
 *	EVENT read|write addr=0xOFF val=0xVALUE
 *
 * of which the last have no width: it is the least that holds the value.  A
 * vCPU of -1 is the device itself.
 */

#include <inttypes.h>
#include <string.h>

#include "import.h"

struct own {
	bool has_ops; /* memory_region_ops_ were met */
};

/* "BAR" of the only register space that those events count from. */
#define EVENT_BAR 0

static void access_line(struct import *im, const char *at, bool write)
{
	struct import_access a = { .write = write, .count = 1 };
	uint64_t cpu = 0, mr, width;
	struct own *own = im->own;

	own->has_ops = true;
	if (import_word(&at, "cpu -1 "))
		return;
	if (!import_number(&at, "cpu ", &cpu) ||
	    !import_number(&at, " mr ", &mr) ||
	    !import_number(&at, " addr ", &a.addr) ||
	    !import_number(&at, " value ", &a.value) ||
	    !import_number(&at, " size ", &width) || !import_width(width) ||
	    (*at && *at != ' ')) {
		import_bad(im, "not an access");
		return;
	}
	a.width = (unsigned int)width;
	a.vcpu = (unsigned int)cpu;
	import_access(im, &a);
}

/* Behind a device's name, which has no space in it. */
static bool skip_name(const char **at)
{
	const char *space = strchr(*at, ' ');

	if (!space)
		return false;
	*at = space;
	return true;
}

/* Older logs have DD:F where there is BB:DD.F now, without a bus. */
static bool where(const char **at, uint32_t *out)
{
	const char *from = *at;
	uint64_t device, function;

	if (import_where(at, " ", out))
		return true;
	if (!import_hex(&from, " ", &device) ||
	    !import_hex(&from, ":", &function) || device > 31 || function > 7)
		return false;
	*out = (uint32_t)(device << 3 | function);
	*at = from;
	return true;
}

static void config_line(struct import *im, const char *at, bool write)
{
	uint64_t off, value;
	unsigned int width;
	uint32_t bdf;

	if (!skip_name(&at) || !where(&at, &bdf) ||
	    !import_number(&at, " @", &off) || off > 0xfff ||
	    !import_number(&at, write ? " <- " : " -> ", &value) || *at) {
		import_bad(im, "not a config access");
		return;
	}
	/* the width is not told: what the place and the value leave */
	width = off % 4 == 0 ? 4 : off % 2 == 0 ? 2 : 1;
	if (off == 0 && value <= 0xffff)
		width = 2;
	import_config(im, bdf, (unsigned int)off, width, write, value);
}

static void mapping_line(struct import *im, const char *at, bool add)
{
	uint64_t bar, addr, size;
	uint32_t bdf;

	if (!skip_name(&at) || !where(&at, &bdf) ||
	    !import_number(&at, " ", &bar) || !import_number(&at, ",", &addr) ||
	    !import_number(&at, "+", &size) || *at) {
		import_bad(im, "not a mapping");
		return;
	}
	if (add)
		import_map(im, bdf, (unsigned int)bar, addr, size);
	else
		import_unmap(im, bdf, (unsigned int)bar);
}

static void pic_line(struct import *im, const char *at)
{
	uint64_t master, irq, level;

	if (!import_number(&at, "master ", &master) ||
	    !import_number(&at, " irq ", &irq) ||
	    !import_number(&at, " level ", &level) || irq > 7) {
		import_bad(im, "not an interrupt");
		return;
	}
	import_irq(im, (unsigned int)(irq + (master ? 0 : 8)), level);
}

/* A device's own event: registers by their offset in its first BAR. */
static void event_line(struct import *im, const char *at, bool write,
		       const char *value, bool has_width)
{
	struct import_access a = { .write = write, .count = 1, .width = 1 };
	const struct own *own = im->own;
	uint64_t width;

	if (own->has_ops)
		return;
	if (!import_number(&at, "", &a.addr) ||
	    (has_width &&
	     (!import_number(&at, ", ", &width) || !import_width(width) ||
	      !import_word(&at, " byte(s)"))) ||
	    !import_number(&at, value, &a.value)) {
		import_bad(im, "not a register");
		return;
	}
	if (has_width)
		a.width = (unsigned int)width;
	else if (a.value > 0xff)
		a.width = a.value > 0xffff ? 4 : 2;
	import_bar_access(im, EVENT_BAR, &a);
}

static void event(struct import *im, const char *at)
{
	if (!skip_name(&at))
		return;
	if (import_word(&at, " Read from register "))
		event_line(im, at, false, ", value: ", true);
	else if (import_word(&at, " Write to register "))
		event_line(im, at, true, ", value: ", true);
	else if (import_word(&at, " read addr="))
		event_line(im, at, false, " val=", false);
	else if (import_word(&at, " write addr="))
		event_line(im, at, true, " val=", false);
}

/* "PID@SECONDS.MICROSECONDS:", if it is there. */
static void take_time(struct import *im, const char **at)
{
	const char *from = *at;
	uint64_t pid, ns;

	im->ns = im->line * 1000u;
	if (!import_number(&from, "", &pid) ||
	    !import_seconds(&from, "@", &ns) || *from != ':')
		return;
	im->ns = ns;
	*at = from + 1;
}

static void line(struct import *im, char *text)
{
	const char *at = text;

	take_time(im, &at);
	if (import_word(&at, "memory_region_ops_read "))
		access_line(im, at, false);
	else if (import_word(&at, "memory_region_ops_write "))
		access_line(im, at, true);
	else if (import_word(&at, "pci_cfg_read "))
		config_line(im, at, false);
	else if (import_word(&at, "pci_cfg_write "))
		config_line(im, at, true);
	else if (import_word(&at, "pci_update_mappings_add "))
		mapping_line(im, at, true);
	else if (import_word(&at, "pci_update_mappings_del "))
		mapping_line(im, at, false);
	else if (import_word(&at, "pic_set_irq "))
		pic_line(im, at);
	else
		event(im, at);
}

const struct import_format import_qemu = {
	.name = "qemu",
	.what = "QEMU's log of memory_region_ops_* and pci_*",
	.own_size = sizeof(struct own),
	.has_times = true,
	.line = line,
};
