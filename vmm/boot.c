/* SPDX-License-Identifier: MIT */
/*
 * boot.c: a guest's image into its memory, and what its protocol tells it.
 *
 * Each format is parsed into the same list of segments and an entry; the
 * segments are then checked and copied in one place.
 */

#include "boot_impl.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define MEMORY_SANE (UINT64_C(1) << 40)

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

int boot_fail(struct loader *ld, int err, const char *fmt, ...)
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

bool boot_peek(const struct loader *ld, uint64_t offset, void *to, size_t len)
{
	if (!cc_within(offset, len, 0, ld->image->len))
		return false;
	memcpy(to, ld->image->data + offset, len);
	return true;
}

int boot_add_segment(struct loader *ld, const struct segment *s)
{
	if (!s->memsz)
		return 0;
	if (ld->count == SEGMENTS_MAX)
		return boot_fail(ld, -ENOEXEC, "has more than %d segments",
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
		return boot_fail(ld, -ENOEXEC, "is cut short in its notes");
	while (size - at >= sizeof(n)) {
		char name[4] = "";
		uint64_t name_at, desc_at, value = 0;

		if (!boot_peek(ld, ph->p_offset + at, &n, sizeof(n)))
			break;
		name_at = at + sizeof(n);
		desc_at = (name_at + n.n_namesz + pad) & ~pad;
		if (!cc_within(desc_at, n.n_descsz, 0, size))
			return boot_fail(ld, -ENOEXEC, "has a broken note");
		if (n.n_type == PVH_NOTE_ENTRY && n.n_namesz == 4 &&
		    (n.n_descsz == 4 || n.n_descsz == 8) &&
		    boot_peek(ld, ph->p_offset + name_at, name, 4) &&
		    !memcmp(name, "Xen", 4) &&
		    boot_peek(ld, ph->p_offset + desc_at, &value, n.n_descsz)) {
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
		return boot_peek(ld, at, out, sizeof(*out));
	if (!boot_peek(ld, at, &narrow, sizeof(narrow)))
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
			return boot_fail(ld, -ENOEXEC,
					 "is cut short in its program headers");
		if (ph.p_type == PT_NOTE)
			rc = read_notes(ld, &ph);
		else if (ph.p_type == PT_LOAD)
			rc = boot_add_segment(ld, &(struct segment){
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

	if (!boot_peek(ld, 0, &e32, sizeof(e32)))
		return boot_fail(ld, -ENOEXEC,
				 "is cut short in its ELF header");
	wide = e32.e_ident[EI_CLASS] == ELFCLASS64;
	if (wide) {
		if (!boot_peek(ld, 0, &e64, sizeof(e64)))
			return boot_fail(ld, -ENOEXEC,
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
		return boot_fail(
			ld, -ENOEXEC,
			"is not a PVH or multiboot image: an ELF file for "
			"another processor than x86");
	if (type != ET_EXEC)
		return boot_fail(
			ld, -ENOEXEC,
			"is not a PVH or multiboot image: an ELF file of "
			"type %u, which needs a linker",
			type);
	if (entsize != (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return boot_fail(ld, -ENOEXEC,
				 "has program headers of an unknown size");
	return read_phdrs(ld, wide, table, count);
}

static bool find_mb_header(const struct loader *ld, struct mb_header *h,
			   uint64_t *at)
{
	uint64_t end = ld->image->len < MB_SEARCH ? ld->image->len : MB_SEARCH;

	for (*at = 0; *at + 12 <= end; *at += 4) {
		memset(h, 0, sizeof(*h));
		if (!boot_peek(ld, *at, h, 12) || h->magic != MB_MAGIC ||
		    h->magic + h->flags + h->checksum != 0)
			continue;
		if (h->flags & MB_ADDRESSES)
			return *at + sizeof(*h) <= end &&
			       boot_peek(ld, *at, h, sizeof(*h));
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
		return boot_fail(ld, -ENOEXEC,
				 "has a multiboot header with addresses that "
				 "contradict each other");
	s.offset = at - before;
	s.filesz = h->load_end_addr ? h->load_end_addr - h->load_addr :
				      ld->image->len - s.offset;
	s.memsz = s.filesz;
	if (h->bss_end_addr) {
		if (h->bss_end_addr < h->load_addr + s.filesz)
			return boot_fail(
				ld, -ENOEXEC,
				"has a multiboot header whose bss ends "
				"before its data");
		s.memsz = h->bss_end_addr - h->load_addr;
	}
	ld->count = 0;
	ld->entry = h->entry_addr;
	return boot_add_segment(ld, &s);
}

static int not_an_image(struct loader *ld, bool elf)
{
	if (elf)
		return boot_fail(
			ld, -ENOEXEC,
			"is not a PVH or multiboot image: an ELF file "
			"with neither a PVH note nor a multiboot header");
	return boot_fail(
		ld, -ENOEXEC,
		"is not a PVH or multiboot image: neither an ELF file "
		"nor one with a multiboot header, nor a Linux bzImage");
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
		return boot_fail(
			ld, -ENOEXEC,
			"is not a PVH or multiboot image: it is empty");
	elf = boot_peek(ld, 0, magic, SELFMAG) &&
	      !memcmp(magic, ELFMAG, SELFMAG);
	if (elf) {
		rc = read_elf(ld);
		if (rc)
			return rc;
		*kind = BOOT_PVH;
		if (ld->has_entry)
			return 0;
	}
	*kind = BOOT_LINUX;
	if (!elf && linux_is_bzimage(ld))
		return linux_parse(ld);
	*kind = BOOT_MULTIBOOT;
	if (!find_mb_header(ld, &h, &at)) {
		if (!elf || !linux_is_vmlinux(ld))
			return not_an_image(ld, elf);
		*kind = BOOT_LINUX;
		ld->entry = ld->elf_entry;
		return 0;
	}
	if (h.flags & MB_UNKNOWN)
		return boot_fail(ld, -ENOEXEC,
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
		return boot_fail(
			ld, -ENOEXEC,
			"has a segment with more bytes in the file than "
			"in memory");
	if (!cc_within(s->offset, s->filesz, 0, ld->image->len))
		return boot_fail(
			ld, -ENOEXEC,
			"is cut short: a segment has bytes up to %" PRIu64
			", the file has %zu",
			s->offset + s->filesz, ld->image->len);
	need = cc_add(s->gpa, s->memsz, &end) ? 0 : memory_needed(s->gpa, end);
	if (!need)
		return boot_fail(ld, -ENOEXEC,
				 "has a segment of %#" PRIx64
				 " bytes at %#" PRIx64
				 ", where no memory can be",
				 s->memsz, s->gpa);
	if (overlaps(s->gpa, end, BOOT_INFO_BASE, MIB - BOOT_INFO_BASE))
		return boot_fail(
			ld, -ENOEXEC,
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
		return boot_fail(ld, -ENOEXEC, "has nothing to load");
	for (unsigned int i = 0; i < ld->count; i++) {
		const struct segment *s = &ld->segment[i];
		int rc = check_segment(ld, s, &needed);

		if (rc)
			return rc;
		entry_found |= cc_within(ld->entry, 1, s->gpa, s->memsz);
		sum += s->memsz; /* each is below 2^40, and there are few */
	}
	if (needed > ld->mem->bytes)
		return boot_fail(ld, -ENOMEM,
				 "does not fit into %" PRIu64
				 "M: memory: %" PRIu64 "M would do",
				 ld->mem->bytes / MIB,
				 (needed + MIB - 1) / MIB);
	if (!entry_found || ld->entry > UINT32_MAX)
		return boot_fail(ld, -ENOEXEC,
				 "starts at %#" PRIx64
				 ", which is in none of its segments",
				 ld->entry);
	/* Bounds our work too: segments that overlap are copied twice. */
	if (sum > ld->mem->bytes)
		return boot_fail(ld, -ENOEXEC, "has segments that overlap");
	return 0;
}

static int copy_segments(struct loader *ld)
{
	for (unsigned int i = 0; i < ld->count; i++) {
		const struct segment *s = &ld->segment[i];
		uint8_t *to = mem_ptr(ld->mem, s->gpa, s->memsz);

		if (!to)
			return boot_fail(ld, -ENOMEM,
					 "has a segment at %#" PRIx64
					 " outside of memory",
					 s->gpa);
		memcpy(to, ld->image->data + s->offset, s->filesz);
		if (!s->loose)
			memset(to + s->filesz, 0, s->memsz - s->filesz);
	}
	return 0;
}

/* What the guest may use: RAM below the boot structures' end and from 1 MiB. */
unsigned int boot_memory_map(const struct mem *mem, struct pvh_memmap *map)
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

static void fill_pvh(struct boot_info *info, const struct mem *mem)
{
	unsigned int n = boot_memory_map(mem, info->pvh_map);

	info->pvh = (struct pvh_info){
		.magic = PVH_MAGIC,
		.version = 1,
		.cmdline_addr = INFO_AT(cmdline),
		.rsdp_addr = BOOT_ACPI_BASE,
		.memmap_addr = INFO_AT(pvh_map),
		.memmap_count = n,
		.modules = info->module.size ? 1 : 0,
		.modules_addr = info->module.size ? INFO_AT(module) : 0,
	};
}

static void fill_multiboot(struct boot_info *info, const struct mem *mem)
{
	struct pvh_memmap map[ARRAY_LEN(info->pvh_map)];
	unsigned int n = boot_memory_map(mem, map);
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
	size_t max = BOOT_CMDLINE_MAX - 1;
	int len = snprintf(to, BOOT_CMDLINE_MAX, "%s%s%s", name,
			   *name && *cmdline ? " " : "", cmdline);

	if (ld->cmdline_max && ld->cmdline_max < max)
		max = ld->cmdline_max;
	if (len < 0 || (size_t)len > max)
		return boot_fail(
			ld, -E2BIG,
			"cmdline: is longer than the %zu bytes there are", max);
	return 0;
}

/*
 * The module as high in low memory as it goes, clear of the image: a kernel
 * that unpacks itself upward does not meet it.
 */
static int copy_initrd(struct loader *ld, struct boot_info *info)
{
	const struct mem_region *low = &ld->mem->region[0];
	uint64_t len = ld->image->initrd_len, at, end = 0, top = low->size;

	if (!ld->image->initrd)
		return 0;
	if (ld->initrd_max && ld->initrd_max < top)
		top = ld->initrd_max + 1;
	for (unsigned int i = 0; i < ld->count; i++)
		if (ld->segment[i].gpa + ld->segment[i].memsz > end)
			end = ld->segment[i].gpa + ld->segment[i].memsz;
	if (len > top || top - len < end + MIB)
		return boot_fail(
			ld, -ENOMEM,
			"it and its initrd do not fit: memory: %lluM would do",
			(unsigned long long)((end + len) / MIB + 3));
	at = (top - len) / MEM_PAGE * MEM_PAGE;
	memcpy(low->host + at, ld->image->initrd, len);
	info->module = (struct pvh_module){ .addr = at, .size = len };
	return 0;
}

/* What the guest is told, and where it begins. */
static int tell(struct loader *ld, enum boot_kind kind, struct boot_entry *out)
{
	struct boot_info *info =
		mem_ptr(ld->mem, BOOT_INFO_BASE, BOOT_INFO_SIZE);
	int rc;

	if (!info)
		return boot_fail(ld, -ENOMEM, "memory: less than 1M");
	if (kind == BOOT_MULTIBOOT && ld->image->initrd)
		return boot_fail(ld, -EINVAL,
				 "an initrd needs a PVH or a Linux image");
	memset(info, 0, sizeof(*info));
	rc = fill_cmdline(ld, kind, info->cmdline);
	if (!rc)
		rc = copy_initrd(ld, info);
	if (rc)
		return rc;
	*out = (struct boot_entry){ .kind = kind, .eip = (uint32_t)ld->entry };
	switch (kind) {
	case BOOT_PVH:
		fill_pvh(info, ld->mem);
		out->ebx = (uint32_t)BOOT_INFO_BASE;
		break;
	case BOOT_MULTIBOOT:
		fill_multiboot(info, ld->mem);
		out->eax = MB_LOADED;
		out->ebx = (uint32_t)BOOT_INFO_BASE;
		break;
	case BOOT_LINUX:
		linux_fill(ld, info);
		out->esi = INFO_AT(zero_page);
		out->page_tables = (uint32_t)PAGE_TABLES;
		out->gdt = INFO_AT(gdt);
		break;
	}
	return 0;
}

int boot_load(struct mem *mem, const struct boot_image *image,
	      struct boot_entry *out, char **why)
{
	struct loader ld = { .mem = mem, .image = image, .why = why };
	enum boot_kind kind = BOOT_PVH;
	int rc;

	rc = parse(&ld, &kind);
	if (!rc)
		rc = check_segments(&ld);
	if (!rc)
		rc = copy_segments(&ld);
	if (!rc)
		rc = tell(&ld, kind, out);
	return rc;
}
