// SPDX-License-Identifier: MIT
/*
 * unwind.c: a guest's call chain by libunwind's remote interface.
 *
 * libunwind asks for three kinds of words: of the image's unwind tables, which
 * we give from our copy of the image; of a search table, which we made and
 * show at an address that no guest can have; and of the stack, from guest
 * memory.
 */

#include "unwind.h"

#include <inttypes.h>
#include <libunwind.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pagewalk.h"
#include "symbols.h"

/* Words that one chain may read: tables can send libunwind round and round. */
#define READS 50000u
/* Not canonical: no linear address of a guest. */
#define TABLE_AT UINT64_C(0x4000000000000000)

/* Exported by libunwind, and in none of its headers. */
extern int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t as,
					      unw_word_t ip, unw_dyn_info_t *di,
					      unw_proc_info_t *pi,
					      int need_unwind_info, void *arg);

struct walk {
	const struct symbols *symbols;
	const struct mem *mem;
	const struct hv_registers *regs;
	unsigned int reads;
};

static int find_proc(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi,
		     int need, void *arg)
{
	const struct walk *w = arg;
	unw_dyn_info_t di = {
		.start_ip = 0,
		.end_ip = UINT64_MAX,
		.format = UNW_INFO_FORMAT_REMOTE_TABLE,
	};

	if (!symbols_unwinds(w->symbols, ip))
		return -UNW_ENOINFO;
	di.u.rti.segbase = w->symbols->frames_at;
	di.u.rti.table_data = TABLE_AT;
	di.u.rti.table_len = w->symbols->entries *
			     sizeof(w->symbols->entry[0]) / sizeof(unw_word_t);
	return UNW_OBJ(dwarf_search_unwind_table)(as, ip, &di, pi, need, arg);
}

/*
 * What find_proc() got is of a pool that libunwind does not let others give
 * back to: a hundred bytes a frame stay.  Reports are limited, so are they.
 */
static void put_proc(unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
	(void)as, (void)pi, (void)arg;
}

static int no_dynamic_info(unw_addr_space_t as, unw_word_t *at, void *arg)
{
	(void)as, (void)at, (void)arg;
	return -UNW_ENOINFO;
}

/* The part of a word at (at) that lies in our (len) bytes; the rest is 0. */
static bool from_ours(uint64_t at, uint64_t base, const void *bytes, size_t len,
		      unw_word_t *value)
{
	uint64_t n;

	*value = 0;
	if (!bytes || at < base || at - base >= len)
		return false;
	n = len - (at - base);
	memcpy(value, (const uint8_t *)bytes + (at - base),
	       n < sizeof(*value) ? n : sizeof(*value));
	return true;
}

static int access_mem(unw_addr_space_t as, unw_word_t at, unw_word_t *value,
		      int write, void *arg)
{
	struct walk *w = arg;
	const struct symbols *s = w->symbols;

	(void)as;
	if (write || !w->reads)
		return -UNW_EINVAL;
	w->reads--;
	if (from_ours(at, TABLE_AT, s->entry, s->entries * sizeof(s->entry[0]),
		      value))
		return 0;
	/* words are aligned, the section need not be */
	if (at < s->frames_at && s->frames_at - at < sizeof(*value) &&
	    from_ours(s->frames_at, s->frames_at, s->frames, s->frames_len,
		      value)) {
		*value <<= 8 * (s->frames_at - at);
		return 0;
	}
	if (from_ours(at, s->frames_at, s->frames, s->frames_len, value))
		return 0;
	return pagewalk_read(w->mem, w->regs, at, value, sizeof(*value)) ?
		       -UNW_EINVAL :
		       0;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *value,
		      int write, void *arg)
{
	const struct walk *w = arg;

	(void)as;
	if (write || reg < 0 || reg >= HV_REGISTERS)
		return -UNW_EBADREG;
	*value = w->regs->reg[reg];
	return 0;
}

static int access_fpreg(unw_addr_space_t as, unw_regnum_t reg,
			unw_fpreg_t *value, int write, void *arg)
{
	(void)as, (void)reg, (void)value, (void)write, (void)arg;
	return -UNW_EBADREG;
}

static int resume(unw_addr_space_t as, unw_cursor_t *cursor, void *arg)
{
	(void)as, (void)cursor, (void)arg;
	return -UNW_EINVAL;
}

static int proc_name(unw_addr_space_t as, unw_word_t ip, char *name,
		     size_t room, unw_word_t *off, void *arg)
{
	(void)as, (void)ip, (void)name, (void)room, (void)off, (void)arg;
	return -UNW_ENOINFO;
}

static unw_accessors_t accessors = {
	.find_proc_info = find_proc,
	.put_unwind_info = put_proc,
	.get_dyn_info_list_addr = no_dynamic_info,
	.access_mem = access_mem,
	.access_reg = access_reg,
	.access_fpreg = access_fpreg,
	.resume = resume,
	.get_proc_name = proc_name,
};

/* ---- the text ---- */

struct text {
	char *at;
	size_t left; /* with the NUL, and what " ..." takes */
	bool full;
};

static void PRINTF(2, 3) put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->at, t->left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->left) {
		strcpy(t->at, " ..."); /* room for it was kept */
		t->full = true;
		return;
	}
	t->at += n;
	t->left -= (size_t)n;
}

/* Of a caller, the instruction is the call: one byte before the return. */
static void put_frame(struct text *t, const struct symbols *symbols,
		      uint64_t ip, unsigned int depth)
{
	char name[SYMBOLS_NAME_MAX];

	if (symbols_find(symbols, ip - (depth > 0), name))
		put(t, "%s%s", depth ? " < " : " ", name);
	else if (depth)
		put(t, " < 0x%" PRIx64, ip);
}

static void put_chain(struct text *t, struct walk *w)
{
	unw_addr_space_t as = unw_create_addr_space(&accessors, 0);
	unsigned int depth;
	unw_cursor_t cursor;
	unw_word_t ip = 0;

	if (!as)
		return;
	unw_set_caching_policy(as, UNW_CACHE_NONE);
	if (unw_init_remote(&cursor, as, w))
		goto out;
	for (depth = 0; depth < UNWIND_FRAMES && !t->full; depth++) {
		if (unw_get_reg(&cursor, UNW_REG_IP, &ip) || !ip)
			break;
		put_frame(t, w->symbols, ip, depth);
		/* without tables, libunwind would guess */
		if (!symbols_unwinds(w->symbols, ip - (depth > 0)) ||
		    unw_step(&cursor) <= 0)
			break;
	}
out:
	unw_destroy_addr_space(as);
}

void unwind_say(const struct symbols *symbols, const struct mem *mem,
		const struct hv_registers *regs, char *text, size_t room)
{
	struct text t = { .at = text, .left = room - strlen(" ...") };
	struct walk w = {
		.symbols = symbols, .mem = mem, .regs = regs, .reads = READS
	};
	uint64_t rip = regs->reg[HV_RIP];

	put(&t, "rip 0x%" PRIx64, rip);
	/* names are of linear addresses, as long mode has them */
	if (!regs->long_mode || !symbols)
		return;
	if (symbols_unwinds(symbols, rip))
		put_chain(&t, &w);
	else
		put_frame(&t, symbols, rip, 0);
}
