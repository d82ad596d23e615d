/* SPDX-License-Identifier: MIT */
/*
 * boot.c: take command line and memory map from PVH or multiboot.
 *
 * Everything is copied at once, so a guest may use all other memory.
 */

#include "guest.h"

#define PVH_MAGIC 0x336ec578u
#define MB_HAS_OPTIONS (1u << 2)
#define MB_HAS_MAP (1u << 6)

/* Xen, public/arch-x86/hvm/start_info.h */
struct pvh_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t modules;
	uint64_t module_list;
	uint64_t options;
	uint64_t rsdp;
	uint64_t map; /* from version 1 on */
	uint32_t map_len;
};

struct pvh_range {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

/* Multiboot specification 0.6.96, section 3.3 */
struct mb_info {
	uint32_t flags;
	uint32_t unused1[3];
	uint32_t options;
	uint32_t unused2[6];
	uint32_t map_bytes;
	uint32_t map;
};

struct mb_range {
	uint32_t size; /* of what follows */
	uint64_t addr;
	uint64_t len;
	uint32_t type;
} __attribute__((packed));

extern uint32_t boot_info;     /* start.S */
extern uint32_t boot_protocol; /* start.S: 1 multiboot, 2 PVH */

struct boot boot;

static void add_range(uint64_t addr, uint64_t size, uint32_t type)
{
	if (boot.map_len == ARRAY_LEN(boot.map))
		return;
	boot.map[boot.map_len++] = (struct memory_range){ addr, size, type };
}

static void copy_options(const char *from)
{
	size_t i;

	for (i = 0; i + 1 < sizeof(boot.options) && from[i]; i++)
		boot.options[i] = from[i];
}

static void read_pvh(const struct pvh_info *info)
{
	const struct pvh_range *range = (void *)info->map;
	uint32_t i;

	boot.protocol = "pvh";
	if (info->magic != PVH_MAGIC)
		fail("pvh start info has magic 0x%x", info->magic);
	if (info->options)
		copy_options((const char *)info->options);
	if (info->version < 1)
		return;
	for (i = 0; i < info->map_len; i++, range++)
		add_range(range->addr, range->size, range->type);
}

static void read_multiboot(const struct mb_info *info)
{
	uint32_t at = info->map;
	uint32_t end = info->map + info->map_bytes;

	boot.protocol = "multiboot";
	if (info->flags & MB_HAS_OPTIONS)
		copy_options((const char *)(uintptr_t)info->options);
	if (!(info->flags & MB_HAS_MAP))
		return;
	while (at < end) {
		const struct mb_range *range = (void *)(uintptr_t)at;

		add_range(range->addr, range->len, range->type);
		at += range->size + 4;
	}
}

void guest_start(void)
{
	void *info = (void *)(uintptr_t)boot_info;

	if (boot_protocol == 1)
		read_multiboot(info);
	else
		read_pvh(info);
	trap_start();
	time_start();
	if (option("ring3") && !option_is("ring3", "0"))
		ring3_enter();
}

const char *option(const char *name)
{
	const char *s = boot.options;
	size_t len = strlen(name);

	while (*s) {
		while (*s == ' ')
			s++;
		if (!memcmp(s, name, len)) {
			if (s[len] == '=')
				return s + len + 1;
			if (s[len] == ' ' || s[len] == '\0')
				return "";
		}
		while (*s && *s != ' ')
			s++;
	}
	return NULL;
}

bool option_copy(const char *name, char *to, size_t size)
{
	const char *s = option(name);
	size_t i;

	if (!s)
		return false;
	for (i = 0; i + 1 < size && s[i] && s[i] != ' '; i++)
		to[i] = s[i];
	to[i] = '\0';
	return true;
}

bool option_is(const char *name, const char *value)
{
	const char *s = option(name);
	size_t len = strlen(value);

	return s && !memcmp(s, value, len) && (!s[len] || s[len] == ' ');
}

uint32_t option_number(const char *name, uint32_t otherwise)
{
	const char *s = option(name);
	uint32_t v = 0;

	if (!s || *s < '0' || *s > '9')
		return otherwise;
	while (*s >= '0' && *s <= '9')
		v = 10 * v + (uint32_t)(*s++ - '0');
	return v;
}
