/* SPDX-License-Identifier: MIT */
/*
 * boot.c: a guest's image into its memory, and what its protocol tells it.
 *
 * Each format is parsed into the same list of segments and an entry; the
 * segments are then checked and copied in one place.
 */

#include "boot.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mem.h"

#define SEGMENTS_MAX 64
#define MEMORY_SANE (UINT64_C(1) << 40)
#define MIB UINT64_C(0x100000)

/* Xen, public/elfnote.h and public/arch-x86/hvm/start_info.h. */
#define PVH_NOTE_ENTRY 18
#define PVH_MAGIC 0x336ec578

struct pvh_info {
	uint32_t magic, version, flags, modules;
	uint64_t modules_addr, cmdline_addr, rsdp_addr, memmap_addr;
	uint32_t memmap_count, reserved;
};

struct pvh_memmap {
	uint64_t addr, size;
	uint32_t type, reserved;
};

/* Multiboot Specification 0.6.96, 3.1 to 3.3. */
#define MB_SEARCH 8192
#define MB_MAGIC 0x1badb002
#define MB_LOADED 0x2badb002
#define MB_ADDRESSES (1U << 16)
#define MB_UNKNOWN 0xfff8U /* requirements that we could not meet */

struct mb_header {
	uint32_t magic, flags, checksum;
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr;
	uint32_t entry_addr;
};

struct mb_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
	uint32_t mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr, config_table, loader_name;
};

struct mb_mmap {
	uint32_t size; /* of what follows */
	uint64_t addr, len;
	uint32_t type;
} __attribute__((packed));

_Static_assert(sizeof(struct pvh_info) == 56, "as Xen lays it out");
_Static_assert(sizeof(struct pvh_memmap) == 24, "as Xen lays it out");
_Static_assert(sizeof(struct mb_info) == 68, "as multiboot lays it out");
_Static_assert(sizeof(struct mb_mmap) == 24, "as multiboot lays it out");

/* The one place for what we tell a guest, from BOOT_INFO_BASE on. */
struct boot_info {
	union {
		struct pvh_info pvh;
		struct mb_info mb;
	};
	union {
		struct pvh_memmap pvh_map[8];
		struct mb_mmap mb_map[8];
	};
	struct pvh_module {
		uint64_t addr, size, cmdline_addr, reserved;
	} module;
	char loader[8];
	char cmdline[BOOT_CMDLINE_MAX];
};

_Static_assert(sizeof(struct boot_info) <= BOOT_INFO_SIZE, "fits");

struct segment {
	uint64_t gpa, vaddr;
	uint64_t offset, filesz, memsz;
};

struct loader {
	struct mem *mem;
	const struct boot_image *image;
	char **why;
	bool has_entry; /* by a PVH note */
	uint64_t entry, elf_entry;
	unsigned int count;
	struct segment segment[SEGMENTS_MAX];
};

static int PRINTF(3, 4) fail(struct loader *ld, int err, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	*ld->why = xasprintf("%s: %s", ld->image->name,
			     text ? text : "out of memory");
	free(text);
	return err;
}

/* Copy (len) bytes at (offset) of the image; false if it has them not. */
static bool peek(const struct loader *ld, uint64_t offset, void *to, size_t len)
{
	if (!cc_within(offset, len, 0, ld->image->len))
		return false;
	memcpy(to, ld->image->data + offset, len);
	return true;
}

static int add_segment(struct loader *ld, const struct segment *s)
{
	if (!s->memsz)
		return 0;
	if (ld->count == SEGMENTS_MAX)
		return fail(ld, -ENOEXEC, "has more than %d segments",
			    SEGMENTS_MAX);
	ld->segment[ld->count++] = *s;
	return 0;
}

/* Notes: System V ABI, "Note Section"; padded to the segment's alignment. */
static int read_notes(struct loader *ld, const Elf64_Phdr *ph)
{
	uint64_t pad = ph->p_align == 8 ? 7 : 3;
	uint64_t at = 0, size = ph->p_filesz;
	Elf64_Nhdr n;

	if (!cc_within(ph->p_offset, size, 0, ld->image->len))
		return fail(ld, -ENOEXEC, "is cut short in its notes");
	while (size - at >= sizeof(n)) {
		char name[4] = "";
		uint64_t name_at, desc_at, value = 0;

		if (!peek(ld, ph->p_offset + at, &n, sizeof(n)))
			break;
		name_at = at + sizeof(n);
		desc_at = (name_at + n.n_namesz + pad) & ~pad;
		if (!cc_within(desc_at, n.n_descsz, 0, size))
			return fail(ld, -ENOEXEC, "has a broken note");
		if (n.n_type == PVH_NOTE_ENTRY && n.n_namesz == 4 &&
		    (n.n_descsz == 4 || n.n_descsz == 8) &&
		    peek(ld, ph->p_offset + name_at, name, 4) &&
		    !memcmp(name, "Xen", 4) &&
		    peek(ld, ph->p_offset + desc_at, &value, n.n_descsz)) {
			ld->entry = value;
			ld->has_entry = true;
		}
		at = (desc_at + n.n_descsz + pad) & ~pad;
		if (at > size)
			break;
	}
	return 0;
}

/* Program header (i) of either class, as that of the wider one. */
static bool read_phdr(const struct loader *ld, bool wide, uint64_t table,
		      unsigned int i, Elf64_Phdr *out)
{
	Elf32_Phdr narrow;
	uint64_t at;

	if (cc_add(table, i * (wide ? sizeof(*out) : sizeof(narrow)), &at))
		return false;
	if (wide)
		return peek(ld, at, out, sizeof(*out));
	if (!peek(ld, at, &narrow, sizeof(narrow)))
		return false;
	*out = (Elf64_Phdr){
		.p_type = narrow.p_type,
		.p_offset = narrow.p_offset,
		.p_vaddr = narrow.p_vaddr,
		.p_paddr = narrow.p_paddr,
		.p_filesz = narrow.p_filesz,
		.p_memsz = narrow.p_memsz,
		.p_align = narrow.p_align,
	};
	return true;
}

static int read_phdrs(struct loader *ld, bool wide, uint64_t table,
		      unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		Elf64_Phdr ph;
		int rc = 0;

		if (!read_phdr(ld, wide, table, i, &ph))
			return fail(ld, -ENOEXEC,
				    "is cut short in its program headers");
		if (ph.p_type == PT_NOTE)
			rc = read_notes(ld, &ph);
		else if (ph.p_type == PT_LOAD)
			rc = add_segment(ld, &(struct segment){
						     .gpa = ph.p_paddr,
						     .vaddr = ph.p_vaddr,
						     .offset = ph.p_offset,
						     .filesz = ph.p_filesz,
						     .memsz = ph.p_memsz,
					     });
		if (rc)
			return rc;
	}
	return 0;
}

/* The headers' fields that matter, whatever the class. */
static int read_elf(struct loader *ld)
{
	unsigned int type, machine, count, entsize;
	uint64_t table;
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;
	bool wide;

	if (!peek(ld, 0, &e32, sizeof(e32)))
		return fail(ld, -ENOEXEC, "is cut short in its ELF header");
	wide = e32.e_ident[EI_CLASS] == ELFCLASS64;
	if (wide) {
		if (!peek(ld, 0, &e64, sizeof(e64)))
			return fail(ld, -ENOEXEC,
				    "is cut short in its ELF header");
		table = e64.e_phoff;
		count = e64.e_phnum;
		entsize = e64.e_phentsize;
		ld->elf_entry = e64.e_entry;
	} else {
		table = e32.e_phoff;
		count = e32.e_phnum;
		entsize = e32.e_phentsize;
		ld->elf_entry = e32.e_entry;
	}
	type = e32.e_type; /* these two are in the same place in both */
	machine = e32.e_machine;
	if (machine != EM_386 && machine != EM_X86_64)
		return fail(ld, -ENOEXEC,
			    "is not a PVH or multiboot image: an ELF file for "
			    "another processor than x86");
	if (type != ET_EXEC)
		return fail(ld, -ENOEXEC,
			    "is not a PVH or multiboot image: an ELF file of "
			    "type %u, which needs a linker",
			    type);
	if (entsize != (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return fail(ld, -ENOEXEC,
			    "has program headers of an unknown size");
	return read_phdrs(ld, wide, table, count);
}

static bool find_mb_header(const struct loader *ld, struct mb_header *h,
			   uint64_t *at)
{
	uint64_t end = ld->image->len < MB_SEARCH ? ld->image->len : MB_SEARCH;

	for (*at = 0; *at + 12 <= end; *at += 4) {
		memset(h, 0, sizeof(*h));
		if (!peek(ld, *at, h, 12) || h->magic != MB_MAGIC ||
		    h->magic + h->flags + h->checksum != 0)
			continue;
		if (h->flags & MB_ADDRESSES)
			return *at + sizeof(*h) <= end &&
			       peek(ld, *at, h, sizeof(*h));
		return true;
	}
	return false;
}

/* The address fields say it all (3.1.3): one segment around the header. */
static int read_mb_addresses(struct loader *ld, const struct mb_header *h,
			     uint64_t at)
{
	struct segment s = { .gpa = h->load_addr, .vaddr = h->load_addr };
	uint64_t before = (uint64_t)h->header_addr - h->load_addr;

	if (h->header_addr < h->load_addr || before > at ||
	    (h->load_end_addr && h->load_end_addr < h->load_addr))
		return fail(ld, -ENOEXEC,
			    "has a multiboot header with addresses that "
			    "contradict each other");
	s.offset = at - before;
	s.filesz = h->load_end_addr ? h->load_end_addr - h->load_addr :
				      ld->image->len - s.offset;
	s.memsz = s.filesz;
	if (h->bss_end_addr) {
		if (h->bss_end_addr < h->load_addr + s.filesz)
			return fail(ld, -ENOEXEC,
				    "has a multiboot header whose bss ends "
				    "before its data");
		s.memsz = h->bss_end_addr - h->load_addr;
	}
	ld->count = 0;
	ld->entry = h->entry_addr;
	return add_segment(ld, &s);
}

static int not_an_image(struct loader *ld, bool elf)
{
	char magic[4];

	if (elf)
		return fail(ld, -ENOEXEC,
			    "is not a PVH or multiboot image: an ELF file "
			    "with neither a PVH note nor a multiboot header");
	if (peek(ld, 0x202, magic, 4) && !memcmp(magic, "HdrS", 4))
		return fail(ld, -ENOEXEC,
			    "is not a PVH or multiboot image: it is a Linux "
			    "bzImage, take the vmlinux that is in it");
	return fail(ld, -ENOEXEC,
		    "is not a PVH or multiboot image: neither an ELF file "
		    "nor one with a multiboot header");
}

/* Where the ELF file's entry is in memory: its addresses may be virtual. */
static uint64_t physical_entry(const struct loader *ld)
{
	for (unsigned int i = 0; i < ld->count; i++) {
		const struct segment *s = &ld->segment[i];

		if (cc_within(ld->elf_entry, 1, s->vaddr, s->memsz))
			return s->gpa + (ld->elf_entry - s->vaddr);
	}
	return ld->elf_entry;
}

static int parse(struct loader *ld, enum boot_kind *kind)
{
	struct mb_header h;
	char magic[SELFMAG];
	bool elf;
	uint64_t at;
	int rc;

	if (!ld->image->len)
		return fail(ld, -ENOEXEC,
			    "is not a PVH or multiboot image: it is empty");
	elf = peek(ld, 0, magic, SELFMAG) && !memcmp(magic, ELFMAG, SELFMAG);
	if (elf) {
		rc = read_elf(ld);
		if (rc)
			return rc;
		*kind = BOOT_PVH;
		if (ld->has_entry)
			return 0;
	}
	*kind = BOOT_MULTIBOOT;
	if (!find_mb_header(ld, &h, &at))
		return not_an_image(ld, elf);
	if (h.flags & MB_UNKNOWN)
		return fail(ld, -ENOEXEC,
			    "has a multiboot header that requires what we "
			    "have not: flags %#" PRIx32,
			    h.flags & MB_UNKNOWN);
	if (h.flags & MB_ADDRESSES)
		return read_mb_addresses(ld, &h, at);
	if (!elf)
		return not_an_image(ld, elf);
	ld->entry = physical_entry(ld);
	return 0;
}

/* How much memory would hold up to (end); 0: none could. */
static uint64_t memory_needed(uint64_t gpa, uint64_t end)
{
	if (end <= MEM_LOW_MAX)
		return end;
	if (gpa >= MEM_HIGH_BASE && end <= MEMORY_SANE)
		return end - MEM_HIGH_BASE + MEM_LOW_MAX;
	return 0;
}

static bool overlaps(uint64_t gpa, uint64_t end, uint64_t base, uint64_t size)
{
	return gpa < base + size && base < end;
}

static int check_segment(struct loader *ld, const struct segment *s,
			 uint64_t *needed)
{
	uint64_t end, need;

	if (s->filesz > s->memsz)
		return fail(ld, -ENOEXEC,
			    "has a segment with more bytes in the file than "
			    "in memory");
	if (!cc_within(s->offset, s->filesz, 0, ld->image->len))
		return fail(ld, -ENOEXEC,
			    "is cut short: a segment has bytes up to %" PRIu64
			    ", the file has %zu",
			    s->offset + s->filesz, ld->image->len);
	need = cc_add(s->gpa, s->memsz, &end) ? 0 : memory_needed(s->gpa, end);
	if (!need)
		return fail(ld, -ENOEXEC,
			    "has a segment of %#" PRIx64 " bytes at %#" PRIx64
			    ", where no memory can be",
			    s->memsz, s->gpa);
	if (overlaps(s->gpa, end, BOOT_INFO_BASE, MIB - BOOT_INFO_BASE))
		return fail(ld, -ENOEXEC,
			    "has a segment at %#" PRIx64 "-%#" PRIx64
			    ", which overlaps the boot structures at %#" PRIx64
			    "-%#" PRIx64,
			    s->gpa, end, BOOT_INFO_BASE, MIB);
	if (need > *needed)
		*needed = need;
	return 0;
}

static int check_segments(struct loader *ld)
{
	uint64_t needed = 0, sum = 0;
	bool entry_found = false;

	if (!ld->count)
		return fail(ld, -ENOEXEC, "has nothing to load");
	for (unsigned int i = 0; i < ld->count; i++) {
		const struct segment *s = &ld->segment[i];
		int rc = check_segment(ld, s, &needed);

		if (rc)
			return rc;
		entry_found |= cc_within(ld->entry, 1, s->gpa, s->memsz);
		sum += s->memsz; /* each is below 2^40, and there are few */
	}
	if (needed > ld->mem->bytes)
		return fail(ld, -ENOMEM,
			    "does not fit into %" PRIu64 "M: memory: %" PRIu64
			    "M would do",
			    ld->mem->bytes / MIB, (needed + MIB - 1) / MIB);
	if (!entry_found || ld->entry > UINT32_MAX)
		return fail(ld, -ENOEXEC,
			    "starts at %#" PRIx64
			    ", which is in none of its segments",
			    ld->entry);
	/* Bounds our work too: segments that overlap are copied twice. */
	if (sum > ld->mem->bytes)
		return fail(ld, -ENOEXEC, "has segments that overlap");
	return 0;
}

static int copy_segments(struct loader *ld)
{
	for (unsigned int i = 0; i < ld->count; i++) {
		const struct segment *s = &ld->segment[i];
		uint8_t *to = mem_ptr(ld->mem, s->gpa, s->memsz);

		if (!to)
			return fail(ld, -ENOMEM,
				    "has a segment at %#" PRIx64
				    " outside of memory",
				    s->gpa);
		memcpy(to, ld->image->data + s->offset, s->filesz);
		memset(to + s->filesz, 0, s->memsz - s->filesz);
	}
	return 0;
}

/* What the guest may use: RAM below the boot structures' end and from 1 MiB. */
static unsigned int memory_map(const struct mem *mem, struct pvh_memmap *map)
{
	const uint64_t low_end = BOOT_INFO_BASE + BOOT_INFO_SIZE;
	unsigned int n = 0;

	map[n++] = (struct pvh_memmap){ 0, low_end, 1, 0 };
	map[n++] = (struct pvh_memmap){ low_end, MIB - low_end, 2, 0 };
	for (unsigned int i = 0; i < mem->count; i++) {
		const struct mem_region *r = &mem->region[i];
		uint64_t skip = i ? 0 : MIB;

		if (r->size > skip)
			map[n++] = (struct pvh_memmap){ r->gpa + skip,
							r->size - skip, 1, 0 };
	}
	return n;
}

#define INFO_AT(field) \
	((uint32_t)BOOT_INFO_BASE + offsetof(struct boot_info, field))

static void fill_pvh(struct boot_info *info, const struct mem *mem)
{
	unsigned int n = memory_map(mem, info->pvh_map);

	info->pvh = (struct pvh_info){
		.magic = PVH_MAGIC,
		.version = 1,
		.cmdline_addr = INFO_AT(cmdline),
		.memmap_addr = INFO_AT(pvh_map),
		.memmap_count = n,
	};
}

static void fill_multiboot(struct boot_info *info, const struct mem *mem)
{
	struct pvh_memmap map[ARRAY_LEN(info->pvh_map)];
	unsigned int n = memory_map(mem, map);
	uint64_t upper = (mem->region[0].size - MIB) / 1024;

	for (unsigned int i = 0; i < n; i++)
		info->mb_map[i] = (struct mb_mmap){
			.size = sizeof(struct mb_mmap) - sizeof(uint32_t),
			.addr = map[i].addr,
			.len = map[i].size,
			.type = map[i].type,
		};
	memcpy(info->loader, "vpio", 5);
	info->mb = (struct mb_info){
		.flags = 1U << 0 | 1U << 2 | 1U << 6 | 1U << 9,
		.mem_lower = (BOOT_INFO_BASE + BOOT_INFO_SIZE) / 1024,
		.mem_upper = (uint32_t)upper,
		.cmdline = INFO_AT(cmdline),
		.mmap_length = n * (uint32_t)sizeof(struct mb_mmap),
		.mmap_addr = INFO_AT(mb_map),
		.loader_name = INFO_AT(loader),
	};
}

/* A multiboot command line starts with the image's name, as from others. */
static int fill_cmdline(struct loader *ld, enum boot_kind kind, char *to)
{
	const char *cmdline = ld->image->cmdline ? ld->image->cmdline : "";
	const char *name = kind == BOOT_MULTIBOOT ? ld->image->name : "";
	int len = snprintf(to, BOOT_CMDLINE_MAX, "%s%s%s", name,
			   *name && *cmdline ? " " : "", cmdline);

	if (len < 0 || len >= BOOT_CMDLINE_MAX)
		return fail(ld, -E2BIG,
			    "cmdline: is longer than the %d bytes there are",
			    BOOT_CMDLINE_MAX - 1);
	return 0;
}

/*
 * The module as high in low memory as it goes, clear of the image: a kernel
 * that unpacks itself upward does not meet it.
 */
static int copy_initrd(struct loader *ld, struct boot_info *info)
{
	const struct mem_region *low = &ld->mem->region[0];
	uint64_t len = ld->image->initrd_len, at, end = 0;

	if (!ld->image->initrd)
		return 0;
	for (unsigned int i = 0; i < ld->count; i++)
		if (ld->segment[i].gpa + ld->segment[i].memsz > end)
			end = ld->segment[i].gpa + ld->segment[i].memsz;
	if (len > low->size || low->size - len < end + MIB)
		return fail(ld, -ENOMEM,
			    "it and its initrd do not fit: memory: %lluM would "
			    "do",
			    (unsigned long long)((end + len) / MIB + 3));
	at = (low->size - len) / MEM_PAGE * MEM_PAGE;
	memcpy(low->host + at, ld->image->initrd, len);
	info->module = (struct pvh_module){ .addr = at, .size = len };
	info->pvh.modules = 1;
	info->pvh.modules_addr = INFO_AT(module);
	return 0;
}

int boot_load(struct mem *mem, const struct boot_image *image,
	      struct boot_entry *out, char **why)
{
	struct loader ld = { .mem = mem, .image = image, .why = why };
	struct boot_info *info;
	enum boot_kind kind;
	int rc;

	rc = parse(&ld, &kind);
	if (!rc)
		rc = check_segments(&ld);
	if (!rc)
		rc = copy_segments(&ld);
	if (rc)
		return rc;
	info = mem_ptr(mem, BOOT_INFO_BASE, sizeof(*info));
	if (!info)
		return fail(&ld, -ENOMEM, "memory: less than 1M");
	memset(info, 0, sizeof(*info));
	rc = fill_cmdline(&ld, kind, info->cmdline);
	if (rc)
		return rc;
	if (kind == BOOT_PVH)
		fill_pvh(info, mem);
	else
		fill_multiboot(info, mem);
	if (kind == BOOT_PVH)
		rc = copy_initrd(&ld, info);
	else if (image->initrd)
		rc = fail(&ld, -EINVAL, "an initrd needs a PVH image");
	if (rc)
		return rc;
	*out = (struct boot_entry){
		.kind = kind,
		.eip = (uint32_t)ld.entry,
		.eax = kind == BOOT_MULTIBOOT ? MB_LOADED : 0,
		.ebx = (uint32_t)BOOT_INFO_BASE,
	};
	return 0;
}
