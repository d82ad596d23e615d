/* SPDX-License-Identifier: MIT */
/*
 * skeleton.c: the beginning of a model, as text.
 *
 * What a model may hold is bounded (dmm/load.h and the compiler): what goes
 * beyond that, or would stand where another register stands, is left out with
 * a comment.
 */

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "skeleton.h"

#define SPACE_MAX (1u << 20) /* bytes of a space, as the compiler has it */
#define REGISTERS_MAX 500u
#define ELEMENTS_MAX 4000u
#define GUESS_IO 0x100u
#define GUESS_MMIO 0x1000u

/* PCI Code and ID Assignment Specification 1.16, sections 2 and 3. */
static const char *const caps[] = {
	[0x01] = "power management",
	[0x02] = "AGP",
	[0x03] = "vital product data",
	[0x04] = "slot identification",
	[0x05] = "MSI",
	[0x06] = "CompactPCI hot swap",
	[0x07] = "PCI-X",
	[0x08] = "HyperTransport",
	[0x09] = "vendor specific",
	[0x0a] = "debug port",
	[0x0b] = "CompactPCI resources",
	[0x0c] = "hot-plug",
	[0x0d] = "bridge subsystem ID",
	[0x0e] = "AGP 8x",
	[0x0f] = "secure device",
	[0x10] = "PCI Express",
	[0x11] = "MSI-X",
	[0x12] = "SATA",
	[0x13] = "advanced features",
	[0x14] = "enhanced allocation",
};
static const char *const extended[] = {
	[0x01] = "advanced error reporting",
	[0x02] = "virtual channel",
	[0x03] = "serial number",
	[0x04] = "power budgeting",
	[0x0b] = "vendor specific",
	[0x0d] = "access control services",
	[0x0e] = "alternative routing-ID",
	[0x0f] = "address translation",
	[0x10] = "SR-IOV",
	[0x15] = "resizable BAR",
	[0x17] = "TPH requester",
	[0x18] = "latency tolerance",
	[0x19] = "secondary PCI Express",
	[0x1e] = "L1 PM substates",
	[0x1f] = "precision time measurement",
};

static const char *cap_name(const struct skeleton_cap *c)
{
	const char *const *names = c->extended ? extended : caps;
	size_t n = c->extended ? ARRAY_LEN(extended) : ARRAY_LEN(caps);

	return c->id < n && names[c->id] ? names[c->id] : "of no known kind";
}

/* A comment's text: what would end its line is no part of it. */
static void plain(FILE *to, const char *text)
{
	for (; *text; text++)
		fputc(*text < ' ' && *text >= 0 ? ' ' : *text, to);
}

static void write_head(FILE *to, const struct skeleton_part *part,
		       const struct svd *svd, const char *from)
{
	char name[SVD_NAME] = "part";

	if (part->there)
		snprintf(name, sizeof(name), "nic-%04x-%04x", part->vendor,
			 part->device);
	else if (svd && *svd->name)
		memcpy(name, svd->name, sizeof(name));
	fputs("# yaml-language-server: $schema=model.schema.json\n# ", to);
	plain(to, part->there && *part->name ? part->name : name);
	fputs(": the beginning of a model, from ", to);
	plain(to, from);
	fputs(".\n"
	      "#\n"
	      "# To do, in this order; `vpio model check` and `vpio model "
	      "explain` after each:\n"
	      "# 1. device: the data sheet, and all parts that it is of.\n"
	      "# 2. spaces: what is not known below, and who else leads "
	      "there (sameAs, windows).\n"
	      "# 3. registers: each that a driver touches; w1c, "
	      "readAction, volatile, selfClear as the data sheet says.\n"
	      "# 4. memories and checks, or dma: where the part gets "
	      "addresses from.\n"
	      "# 5. machines: what starts a transfer, and what says that it "
	      "has ended.\n"
	      "# 6. sharing, reusable, interrupt, identity, receive, "
	      "transmit, procedures; then `vpio model verify`.\n"
	      "# 7. tests: what a driver does; then `vpio model test`.\n"
	      "device:\n",
	      to);
	fprintf(to, "  name: %s\n  class: network\n", name);
	fputs("  source: \"to do: the data sheet, its revision\"\n", to);
	if (part->there)
		fprintf(to,
			"  match: [ { vendorId: 0x%04x, deviceId: 0x%04x } ]   "
			"# revision 0x%02x, subsystem %04x:%04x\n",
			part->vendor, part->device, part->revision,
			part->subvendor, part->subdevice);
	else
		fputs("  match: []   # to do: "
		      "{ vendorId: 0x…, deviceId: 0x… }\n",
		      to);
}

static void write_caps(FILE *to, const struct skeleton_part *part)
{
	if (!part->there)
		return;
	fprintf(to, "\n# Capabilities: %s", part->caps ? "" : "none");
	for (unsigned int i = 0; i < part->caps; i++)
		fprintf(to, "%s%s (%s0x%02x at 0x%02x)", i ? ", " : "",
			cap_name(&part->cap[i]),
			part->cap[i].extended ? "extended " : "",
			part->cap[i].id, part->cap[i].at);
	if (part->pin)
		fprintf(to, ".\n# Interrupt: pin INT%c.\n", '@' + part->pin);
	else
		fputs(".\n# Interrupt: no pin.\n", to);
}

/* The first address of the registers, and how many bytes they take. */
static uint64_t svd_base(const struct svd *svd)
{
	uint64_t base = svd->regs ? UINT64_MAX : 0;

	for (size_t i = 0; i < svd->regs; i++)
		if (svd->reg[i].at < base)
			base = svd->reg[i].at;
	/* a register file rarely begins with a register that is not at 0 */
	return base & ~UINT64_C(0xfff);
}

static uint64_t svd_size(const struct svd *svd)
{
	uint64_t base = svd_base(svd), size = 16, end;

	for (size_t i = 0; i < svd->regs; i++) {
		const struct svd_register *r = &svd->reg[i];

		if (r->at - base < SPACE_MAX && r->step <= 4096 &&
		    r->dim <= 1024) {
			end = r->at - base + r->step * (r->dim - 1) +
			      r->bits / 8;
			while (size < end && size < SPACE_MAX)
				size *= 2;
		}
	}
	return size;
}

/* Where the registers of an SVD file go: the first BAR of memory, or any. */
static int svd_bar(const struct skeleton_part *part)
{
	for (int i = 0; i < 6; i++)
		if (part->bar[i].there && !part->bar[i].io)
			return i;
	for (int i = 0; i < 6; i++)
		if (part->bar[i].there)
			return i;
	return 0;
}

/* One space; returns its size. */
static uint64_t write_space(FILE *to, const struct skeleton_bar *bar, int i,
			    uint64_t need)
{
	uint64_t size = bar->size, least = bar->io ? GUESS_IO : GUESS_MMIO;
	const char *why = "";

	if (!size) {
		size = need > least ? need : least;
		why = "   # to do: its size, which could not be seen: lspci -v "
		      "says it on the machine";
		if (need)
			why = "   # to do: its size; this is what the "
			      "registers take";
	}
	if (size > SPACE_MAX) {
		size = SPACE_MAX;
		why = "   # it is larger: 1M is what a space can have";
	}
	fprintf(to,
		"  bar%d: { kind: %s, bar: %d, size: 0x%llx, width: %d }%s\n",
		i, bar->io ? "io" : "mmio", i, (unsigned long long)size,
		bar->io || need ? 8 : 32, why);
	return size;
}

static uint64_t write_spaces(FILE *to, const struct skeleton_part *part,
			     const struct svd *svd)
{
	static const struct skeleton_bar guess = { .there = true };
	uint64_t size = 0, one, need = svd ? svd_size(svd) : 0;
	int at = svd_bar(part);

	fputs("\nspaces:\n", to);
	for (int i = 0; i < 6; i++) {
		if (!part->bar[i].there)
			continue;
		one = write_space(to, &part->bar[i], i, i == at ? need : 0);
		if (i == at)
			size = one;
	}
	if (!size)
		size = write_space(to, &guess, at, need);
	return size;
}

/* ---- registers ---- */

struct kept {
	const struct svd_register *reg;
	char name[2 * SVD_NAME + 8];
};

static bool in_range(const struct svd_register *r, uint64_t base, uint64_t size)
{
	return r->at - base < size && r->step <= 4096 && r->dim <= 1024 &&
	       r->step >= r->bits / 8 &&
	       cc_within(r->at - base, r->step * (r->dim - 1) + r->bits / 8, 0,
			 size);
}

/* Is a byte of [at, at + bytes) one of register (r)'s? */
static bool covers(const struct svd_register *r, uint64_t at, uint64_t bytes)
{
	uint64_t size = r->bits / 8, k = 0;

	/* the first element that ends behind (at) */
	if (at >= r->at + size)
		k = (at - r->at - size) / r->step + 1;
	return k < r->dim && r->at + k * r->step < at + bytes;
}

static bool overlap(const struct svd_register *a, const struct svd_register *b)
{
	if (!(a->read && b->read) && !(a->write && b->write))
		return false;
	for (unsigned int i = 0; i < a->dim; i++)
		if (covers(b, a->at + i * a->step, a->bits / 8))
			return true;
	return false;
}

static bool taken(const struct kept *kept, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(kept[i].name, name))
			return true;
	return false;
}

/* Its own name; with its peripheral's, if it has a double; or a number. */
static void name_it(const struct kept *kept, size_t n, struct kept *k)
{
	static const char *const words[] = { "value",  "width",	 "at", "count",
					     "length", "device", "mac" };
	bool word = false;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		word |= !strcmp(words[i], k->reg->name);
	snprintf(k->name, sizeof(k->name), "%s", k->reg->name);
	if (!word && !taken(kept, n, k->name))
		return;
	snprintf(k->name, sizeof(k->name), "%s_%s", k->reg->peripheral,
		 k->reg->name);
	for (unsigned int i = 2; taken(kept, n, k->name) && i < 10000; i++)
		snprintf(k->name, sizeof(k->name), "%s_%s_%u",
			 k->reg->peripheral, k->reg->name, i);
	k->name[60] = '\0'; /* a name of an expression is at most 63 long */
}

static void write_fields(FILE *to, const struct svd_register *r)
{
	for (unsigned int i = 0; i < r->fields; i++) {
		const struct svd_field *f = &r->field[i];

		fprintf(to, "%s%s: %u", i ? ", " : ", fields: { ", f->name,
			f->low);
		if (f->bits > 1)
			fprintf(to, "..%u", f->low + f->bits - 1);
	}
	if (r->fields)
		fputs(" }", to);
}

static void write_register(FILE *to, const struct kept *k, uint64_t base,
			   int bar)
{
	const struct svd_register *r = k->reg;

	fprintf(to, "  %s: { at: bar%d+0x%llx%s, size: %u", k->name, bar,
		(unsigned long long)(r->at - base),
		r->read && r->write ? "" :
		r->read		    ? " read" :
				      " write",
		r->bits);
	if (r->dim > 1)
		fprintf(to, ", dim: %u, step: %llu", r->dim,
			(unsigned long long)r->step);
	if (r->reset)
		fprintf(to, ", resetValue: 0x%llx",
			(unsigned long long)r->reset);
	if (r->read_clears)
		fputs(", readAction: clear", to);
	if (r->ones_clear && r->write)
		fputs(", w1c: all", to);
	if (r->ones_set && r->write)
		fputs(", w1s: all", to);
	write_fields(to, r);
	fputs(" }\n", to);
}

static const char *why_not(const struct kept *kept, size_t n,
			   const struct svd_register *r, uint64_t base,
			   uint64_t size, unsigned int elements)
{
	if (!in_range(r, base, size))
		return "it is beyond the BAR";
	if (n == REGISTERS_MAX || elements + r->dim > ELEMENTS_MAX)
		return "a model has no room for more";
	for (size_t i = 0; i < n; i++)
		if (overlap(kept[i].reg, r))
			return "another register is there: tell them apart by "
			       "a condition";
	return NULL;
}

static void write_registers(FILE *to, const struct svd *svd, uint64_t size,
			    int bar)
{
	struct kept *kept = xcalloc(REGISTERS_MAX, sizeof(*kept));
	uint64_t base = svd_base(svd);
	unsigned int elements = 0, left = svd->left_out;
	size_t n = 0;

	for (size_t i = 0; i < svd->regs; i++) {
		const struct svd_register *r = &svd->reg[i];
		const char *why = why_not(kept, n, r, base, size, elements);

		if (why && left++ < 100)
			fprintf(to, "  # %s at 0x%llx is left out: %s.\n",
				r->name, (unsigned long long)r->at, why);
		if (why)
			continue;
		kept[n].reg = r;
		name_it(kept, n, &kept[n]);
		write_register(to, &kept[n], base, bar);
		elements += r->dim;
		n++;
	}
	if (left)
		fprintf(to,
			"  # To do: %u registers or fields of the file are "
			"left out.\n",
			left);
	if (!n)
		fputs("  {}\n", to);
	free(kept);
}

void skeleton_write(FILE *to, const struct skeleton_part *part,
		    const struct svd *svd, const char *from)
{
	uint64_t size;
	int bar = svd_bar(part);

	write_head(to, part, svd, from);
	write_caps(to, part);
	size = write_spaces(to, part, svd);
	if (svd && svd->regs) {
		fprintf(to,
			"\n# Offsets are from 0x%llx, as the file has them.\n"
			"registers:\n",
			(unsigned long long)svd_base(svd));
		write_registers(to, svd, size, bar);
	} else {
		fprintf(to,
			"\n# Bytes that no register stands at are denied, so "
			"say each that drivers touch:\n"
			"#   CR: { at: bar%d+0x00, fields: { START: 0, BUSY: "
			"7 }, volatile: [ BUSY ] }\n"
			"registers: {}\n",
			bar);
	}
	fputs("\n# One guest after another's end; lease and merge need more "
	      "(6.).\n"
	      "sharing: { how: exclusive }\n",
	      to);
}
