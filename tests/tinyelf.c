/* SPDX-License-Identifier: MIT */
/*
 * tinyelf.c: an ELF image of two functions and a label, made by hand.
 */

#include "tinyelf.h"

#include <elf.h>
#include <string.h>

static const char section_names[] = "\0.eh_frame\0.symtab\0.strtab";
static const char texts[] = "\0inner\0outer\0start";

/* Lengths and addresses that differ are written over below. */
static const uint8_t frames[] = {
	/* CIE: "zR", factors 1 and -8, return in 16, pcrel sdata4 */
	0x14, 0, 0, 0, 0, 0, 0, 0, 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b,
	/* the frame is at rsp + 8, the return at frame - 8 */
	0x0c, 7, 8, 0x90, 1, 0, 0,
	/* FDE of inner: one byte in, the frame is at rsp + 16 */
	0x10, 0, 0, 0, 0x1c, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x41, 0x0e, 16,
	/* FDE of outer */
	0x10, 0, 0, 0, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
	/* the end */
	0, 0, 0, 0
};

#define FDE_INNER 24u
#define FDE_OUTER 44u

static const Elf64_Sym symbols[] = {
	{ 0 },
	{ .st_name = 7,
	  .st_info = STT_FUNC,
	  .st_shndx = 1,
	  .st_value = TINYELF_OUTER,
	  .st_size = 0x100 },
	{ .st_name = 13,
	  .st_info = STT_NOTYPE,
	  .st_shndx = 1,
	  .st_value = TINYELF_START },
	{ .st_name = 1,
	  .st_info = STT_FUNC,
	  .st_shndx = 1,
	  .st_value = TINYELF_INNER,
	  .st_size = 0x100 },
};

static void put_start(uint8_t *bytes, uint32_t fde, uint32_t function)
{
	uint32_t off = function - (TINYELF_FRAMES + fde + 8);

	memcpy(bytes + fde + 8, &off, sizeof(off));
}

size_t tinyelf(uint8_t image[TINYELF_MAX])
{
	enum {
		FRAMES = 64,
		SYMBOLS = 256,
		TEXTS = 512,
		NAMES = 600,
		SECTIONS = 704
	};
	const Elf64_Shdr sections[] = {
		{ 0 },
		{ .sh_name = 1,
		  .sh_type = SHT_PROGBITS,
		  .sh_addr = TINYELF_FRAMES,
		  .sh_offset = FRAMES,
		  .sh_size = sizeof(frames) },
		{ .sh_name = 11,
		  .sh_type = SHT_SYMTAB,
		  .sh_link = 3,
		  .sh_offset = SYMBOLS,
		  .sh_size = sizeof(symbols) },
		{ .sh_name = 19,
		  .sh_type = SHT_STRTAB,
		  .sh_offset = TEXTS,
		  .sh_size = sizeof(texts) },
		{ .sh_name = 19,
		  .sh_type = SHT_STRTAB,
		  .sh_offset = NAMES,
		  .sh_size = sizeof(section_names) },
	};
	const Elf64_Ehdr head = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
		.e_shoff = SECTIONS,
		.e_shentsize = sizeof(sections[0]),
		.e_shnum = sizeof(sections) / sizeof(sections[0]),
		.e_shstrndx = 4,
	};

	memset(image, 0, TINYELF_MAX);
	memcpy(image, &head, sizeof(head));
	memcpy(image + FRAMES, frames, sizeof(frames));
	put_start(image + FRAMES, FDE_INNER, TINYELF_INNER);
	put_start(image + FRAMES, FDE_OUTER, TINYELF_OUTER);
	memcpy(image + SYMBOLS, symbols, sizeof(symbols));
	memcpy(image + TEXTS, texts, sizeof(texts));
	memcpy(image + NAMES, section_names, sizeof(section_names));
	memcpy(image + SECTIONS, sections, sizeof(sections));
	return SECTIONS + sizeof(sections);
}
