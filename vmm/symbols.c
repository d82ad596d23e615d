// SPDX-License-Identifier: MIT
/*
 * symbols.c: names and unwind tables of an ELF image, 32 bits or 64.
 *
 * .eh_frame is described in the Linux Standard Base, Core, 10.6; its encodings
 * in 10.5.
 */

#include "symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define SECTIONS_MAX 4096u
#define FRAMES_MAX (8u << 20)
#define TEXTS_MAX (16u << 20)
#define NAMES_MAX (1u << 18)
#define ENTRIES_MAX (1u << 18)
#define FDE_MIN 16u /* length, CIE, address, length */
/* A label of assembly has no size: so far it may reach. */
#define LABEL_REACH 4096u

/* A section or a symbol, whichever class it came from. */
struct section {
	uint32_t name, type, link;
	uint64_t addr, offset, size;
};

struct elf {
	const uint8_t *image;
	size_t len;
	bool wide; /* 64 bits */
	uint64_t sections_at;
	uint32_t sections, names;
};

static bool peek(const struct elf *e, uint64_t at, void *to, size_t n)
{
	if (!cc_within(at, n, 0, e->len))
		return false;
	memcpy(to, e->image + at, n);
	return true;
}

static bool open_elf(struct elf *e)
{
	Elf64_Ehdr h64;
	Elf32_Ehdr h32;

	if (!peek(e, 0, &h32, sizeof(h32)) ||
	    memcmp(h32.e_ident, ELFMAG, SELFMAG) ||
	    h32.e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
	e->wide = h32.e_ident[EI_CLASS] == ELFCLASS64;
	if (e->wide && !peek(e, 0, &h64, sizeof(h64)))
		return false;
	e->sections_at = e->wide ? h64.e_shoff : h32.e_shoff;
	e->sections = e->wide ? h64.e_shnum : h32.e_shnum;
	e->names = e->wide ? h64.e_shstrndx : h32.e_shstrndx;
	return e->sections <= SECTIONS_MAX &&
	       (e->wide ? h64.e_shentsize == sizeof(Elf64_Shdr) :
			  h32.e_shentsize == sizeof(Elf32_Shdr));
}

/* Section (i), all of which the image has. */
static bool get_section(const struct elf *e, uint32_t i, struct section *s)
{
	Elf64_Shdr w;
	Elf32_Shdr n;
	uint64_t at;

	if (i >= e->sections ||
	    cc_add(e->sections_at,
		   (uint64_t)i * (e->wide ? sizeof(w) : sizeof(n)), &at))
		return false;
	if (e->wide) {
		if (!peek(e, at, &w, sizeof(w)))
			return false;
		*s = (struct section){ w.sh_name, w.sh_type,   w.sh_link,
				       w.sh_addr, w.sh_offset, w.sh_size };
	} else {
		if (!peek(e, at, &n, sizeof(n)))
			return false;
		*s = (struct section){ n.sh_name, n.sh_type,   n.sh_link,
				       n.sh_addr, n.sh_offset, n.sh_size };
	}
	return s->type != SHT_NOBITS &&
	       cc_within(s->offset, s->size, 0, e->len);
}

static bool is_called(const struct elf *e, const struct section *s,
		      const char *name)
{
	size_t n = strlen(name) + 1;
	struct section names;

	return get_section(e, e->names, &names) &&
	       cc_within(s->name, n, 0, names.size) &&
	       !memcmp(e->image + names.offset + s->name, name, n);
}

/* ---- names ---- */

static bool get_symbol(const struct elf *e, const struct section *table,
		       uint64_t i, struct symbols_name *out)
{
	uint64_t size = e->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	uint64_t at = table->offset + i * size;
	unsigned int type, section;
	Elf64_Sym w;
	Elf32_Sym n;

	if (e->wide) {
		if (!peek(e, at, &w, sizeof(w)))
			return false;
		*out = (struct symbols_name){ w.st_value, w.st_size,
					      w.st_name };
		type = ELF64_ST_TYPE(w.st_info);
		section = w.st_shndx;
	} else {
		if (!peek(e, at, &n, sizeof(n)))
			return false;
		*out = (struct symbols_name){ n.st_value, n.st_size,
					      n.st_name };
		type = ELF32_ST_TYPE(n.st_info);
		section = n.st_shndx;
	}
	return (type == STT_FUNC || type == STT_NOTYPE) &&
	       section != SHN_UNDEF && section < SHN_LORESERVE;
}

static int by_addr(const void *a, const void *b)
{
	const struct symbols_name *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	/* of several at one address, one with a size, then the first */
	if (!x->size != !y->size)
		return x->size ? 1 : -1;
	return x->text > y->text ? -1 : x->text < y->text;
}

static void read_names(struct symbols *s, const struct elf *e,
		       const struct section *table)
{
	uint64_t size = e->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	uint64_t count = table->size / size, i;
	struct section texts;

	if (count > NAMES_MAX || !get_section(e, table->link, &texts) ||
	    texts.size > TEXTS_MAX)
		return;
	s->texts = xcalloc(texts.size + 1, 1);
	memcpy(s->texts, e->image + texts.offset, texts.size);
	s->texts_len = texts.size;
	s->name = xcalloc(count + 1, sizeof(*s->name));
	for (i = 0; i < count; i++)
		if (get_symbol(e, table, i, &s->name[s->names]) &&
		    s->name[s->names].text < texts.size &&
		    s->texts[s->name[s->names].text])
			s->names++;
	qsort(s->name, s->names, sizeof(*s->name), by_addr);
}

bool symbols_find(const struct symbols *s, uint64_t addr,
		  char name[SYMBOLS_NAME_MAX])
{
	size_t low = 0, high = s ? s->names : 0, i;
	const struct symbols_name *n;
	const char *text;

	while (low < high) { /* the last one that begins at or before (addr) */
		size_t middle = low + (high - low) / 2;

		if (s->name[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	n = &s->name[low - 1];
	if (addr - n->addr >= (n->size ? n->size : LABEL_REACH))
		return false;
	text = s->texts + n->text;
	for (i = 0; i < SYMBOLS_NAME_MAX - 1 && text[i]; i++)
		name[i] = text[i] > ' ' && text[i] < 0x7f ? text[i] : '?';
	name[i] = '\0';
	return true;
}

/* ---- frames ---- */

struct reader {
	const struct symbols *s;
	size_t at, end;
	bool bad;
};

static uint64_t get(struct reader *r, unsigned int n)
{
	uint64_t v = 0;

	if (!cc_within(r->at, n, 0, r->end)) {
		r->bad = true;
		return 0;
	}
	memcpy(&v, r->s->frames + r->at, n);
	r->at += n;
	return v;
}

static uint64_t get_leb(struct reader *r)
{
	uint64_t v = 0, byte;
	unsigned int shift = 0;

	do {
		byte = get(r, 1);
		if (shift < 64)
			v |= (byte & 0x7f) << shift;
		shift += 7;
		r->bad |= shift > 70;
	} while (byte & 0x80 && !r->bad);
	return v;
}

#define ENC_PCREL 0x10
#define ENC_NONE 0xff

static uint64_t get_encoded(struct reader *r, unsigned int encoding)
{
	uint64_t at = r->s->frames_at + r->at, v;

	switch (encoding & 0x0f) {
	case 0x00: /* absptr */
	case 0x04: /* udata8 */
	case 0x0c: /* sdata8 */
		v = get(r, 8);
		break;
	case 0x03: /* udata4 */
		v = get(r, 4);
		break;
	case 0x0b: /* sdata4 */
		v = (uint64_t)(int64_t)(int32_t)get(r, 4);
		break;
	default:
		r->bad = true;
		return 0;
	}
	if ((encoding & 0xf0) == ENC_PCREL)
		return at + v;
	r->bad |= (encoding & 0xf0) != 0;
	return v;
}

/* How the CIE at (at) has its functions' addresses; ENC_NONE: not known. */
static unsigned int cie_encoding(const struct symbols *s, size_t at)
{
	struct reader r = { .s = s, .at = at, .end = s->frames_len };
	uint64_t len = get(&r, 4), version, letter;
	unsigned int encoding = 0;
	char letters[8];
	size_t n = 0;

	if (r.bad || !cc_within(r.at, len, 0, s->frames_len))
		return ENC_NONE;
	r.end = r.at + len;
	if (get(&r, 4) != 0) /* of a CIE */
		return ENC_NONE;
	version = get(&r, 1);
	while ((letter = get(&r, 1)) && n < sizeof(letters) - 1)
		letters[n++] = (char)letter;
	letters[n] = '\0';
	get_leb(&r);
	get_leb(&r);
	if (version == 1)
		get(&r, 1);
	else
		get_leb(&r);
	if (letter || letters[0] != 'z')
		return letter || n ? ENC_NONE : encoding;
	get_leb(&r);
	for (n = 1; letters[n] && !r.bad; n++)
		if (letters[n] == 'R')
			encoding = (unsigned int)get(&r, 1);
		else if (letters[n] == 'P')
			get_encoded(&r, (unsigned int)get(&r, 1));
		else if (letters[n] == 'L')
			get(&r, 1);
	return r.bad ? ENC_NONE : encoding;
}

struct entry {
	int32_t function, frame;
	uint64_t len;
};

static int by_function(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->function < y->function ? -1 : x->function > y->function;
}

/* The FDE whose length stands at (at); (*r) is behind that. */
static bool read_fde(struct reader *r, size_t at, struct entry *out)
{
	size_t id_at = r->at;
	uint64_t id = get(r, 4), start, len;
	unsigned int encoding;
	int64_t off;

	if (r->bad || id == 0 || id > id_at)
		return false;
	encoding = cie_encoding(r->s, id_at - (size_t)id);
	if (encoding == ENC_NONE)
		return false;
	start = get_encoded(r, encoding);
	len = get_encoded(r, encoding & 0x0f);
	off = (int64_t)(start - r->s->frames_at);
	if (r->bad || !len || off != (int32_t)off)
		return false;
	*out = (struct entry){ (int32_t)off, (int32_t)at, len };
	return true;
}

static void read_frames(struct symbols *s)
{
	struct reader r = { .s = s, .end = s->frames_len };
	size_t room = s->frames_len / FDE_MIN, n = 0, i;
	struct entry *list;

	if (room > ENTRIES_MAX)
		room = ENTRIES_MAX;
	list = xcalloc(room + 1, sizeof(*list));
	while (r.at < s->frames_len && n < room) {
		size_t at = r.at;
		uint64_t len = get(&r, 4);

		/* zero ends it; all ones: a longer form that nobody writes */
		if (r.bad || !len || !cc_within(r.at, len, 0, s->frames_len))
			break;
		r.end = r.at + len;
		n += read_fde(&r, at, &list[n]);
		r.at = at + 4 + len;
		r.end = s->frames_len;
		r.bad = false;
	}
	qsort(list, n, sizeof(*list), by_function);
	s->entry = xcalloc(n + 1, sizeof(*s->entry));
	s->entry_len = xcalloc(n + 1, sizeof(*s->entry_len));
	for (i = 0; i < n; i++) {
		s->entry[i].function = list[i].function;
		s->entry[i].frame = list[i].frame;
		s->entry_len[i] = list[i].len;
	}
	s->entries = n;
	free(list);
}

bool symbols_unwinds(const struct symbols *s, uint64_t addr)
{
	size_t low = 0, high = s ? s->entries : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t start = s->frames_at +
				 (uint64_t)(int64_t)s->entry[middle].function;

		if (addr < start)
			high = middle;
		else if (addr - start < s->entry_len[middle])
			return true;
		else
			low = middle + 1;
	}
	return false;
}

/* ---- all ---- */

int symbols_open(struct symbols **out, const void *image, size_t len)
{
	struct elf e = { .image = image, .len = len };
	struct symbols *s;
	struct section sec;
	uint32_t i;

	if (!open_elf(&e))
		return -ENOENT;
	s = xcalloc(1, sizeof(*s));
	for (i = 0; i < e.sections; i++) {
		if (!get_section(&e, i, &sec))
			continue;
		if (sec.type == SHT_SYMTAB && !s->name)
			read_names(s, &e, &sec);
		if (!s->frames && sec.size && sec.size <= FRAMES_MAX &&
		    is_called(&e, &sec, ".eh_frame")) {
			s->frames_at = sec.addr;
			s->frames_len = sec.size;
			s->frames = xcalloc(sec.size, 1);
			memcpy(s->frames, e.image + sec.offset, sec.size);
			read_frames(s);
		}
	}
	if (!s->names && !s->entries) {
		symbols_close(s);
		return -ENOENT;
	}
	*out = s;
	return 0;
}

void symbols_close(struct symbols *s)
{
	if (!s)
		return;
	free(s->frames);
	free(s->entry);
	free(s->entry_len);
	free(s->name);
	free(s->texts);
	free(s);
}
