/* SPDX-License-Identifier: MIT */
/*
 * platform.c: the small legacy ports of a PC, and what is not a device's.
 */

#include "platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "kvm.h"
#include "mem.h"
#include "vpci.h"

#define RESET_PORT (0xcf9 - VPCI_PORT)
#define RESET_CPU 0x04

struct platform {
	struct vpci *vpci;
	const struct platform_ops *ops;
	void *ctx;
	_Atomic uint8_t reset_control;
};

/* Call (fn) for each byte: these chips have 8 bits. */
static void each_byte(struct platform *p, struct bus_access *a,
		      uint8_t (*read)(struct platform *p, uint64_t off),
		      void (*write)(struct platform *p, uint64_t off,
				    uint8_t value))
{
	uint8_t *data = a->data;

	for (uint32_t n = 0; n < a->count; n++) {
		for (unsigned int i = 0; i < a->width; i++, data++) {
			if (a->write)
				write(p, a->off + i, *data);
			else
				*data = read(p, a->off + i);
		}
	}
}

/* RAM, and what the kernel serves: it is never asked, but for odd accesses. */
static void claimed(void *ctx, struct bus_access *a)
{
	(void)ctx;
	if (!a->write)
		memset(a->data, 0xff, (size_t)a->width * a->count);
}

static void exit_access(void *ctx, struct bus_access *a)
{
	struct platform *p = ctx;
	uint32_t code = 0;

	if (!a->write) {
		memset(a->data, 0xff, (size_t)a->width * a->count);
		return;
	}
	memcpy(&code, a->data, a->width < 4 ? a->width : 4);
	p->ops->exit(p->ctx, code);
}

static uint8_t ones(struct platform *p, uint64_t off)
{
	(void)p;
	(void)off;
	return 0xff;
}

static void keyboard_write(struct platform *p, uint64_t off, uint8_t value)
{
	(void)off;
	if (value == 0xfe)
		p->ops->reset(p->ctx, "port 0x64");
}

static void keyboard_access(void *ctx, struct bus_access *a)
{
	each_byte(ctx, a, ones, keyboard_write);
}

/* Address line 20 is always on, and says so. */
static uint8_t fast_read(struct platform *p, uint64_t off)
{
	(void)p;
	(void)off;
	return 0x02;
}

static void fast_write(struct platform *p, uint64_t off, uint8_t value)
{
	(void)off;
	if (value & 0x01)
		p->ops->reset(p->ctx, "port 0x92");
}

static void fast_access(void *ctx, struct bus_access *a)
{
	each_byte(ctx, a, fast_read, fast_write);
}

/* A byte to port 0xcf9 is the reset control register, all else is vpci's. */
static void config_access(void *ctx, struct bus_access *a)
{
	struct platform *p = ctx;
	uint8_t value;

	if (a->off != RESET_PORT || a->width != 1) {
		vpci_config(p->vpci, a);
		return;
	}
	if (!a->write) {
		memset(a->data, p->reset_control, a->count);
		return;
	}
	value = a->data[a->count - 1];
	p->reset_control = value & (uint8_t)~RESET_CPU;
	if (value & RESET_CPU)
		p->ops->reset(p->ctx, "port 0xcf9");
}

static int map_all(struct platform *p, struct bus *bus, const struct mem *mem)
{
	const struct {
		enum bus_space space;
		uint64_t base, size;
		bus_fn *fn;
	} ranges[] = {
		{ BUS_IO, 0x20, 2, claimed }, /* PIC */
		{ BUS_IO, 0x40, 4, claimed }, /* PIT */
		{ BUS_IO, 0x61, 1, claimed }, /* PIT, speaker */
		{ BUS_IO, 0x64, 1, keyboard_access },
		{ BUS_IO, 0x92, 1, fast_access },
		{ BUS_IO, 0xa0, 2, claimed }, /* PIC */
		{ BUS_IO, PLATFORM_EXIT_PORT, 4, exit_access },
		{ BUS_IO, 0x4d0, 2, claimed }, /* ELCR */
		{ BUS_IO, VPCI_PORT, VPCI_PORTS, config_access },
		{ BUS_MMIO, HV_RESERVED_BASE, HV_RESERVED_SIZE, claimed },
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_LEN(ranges); i++)
		rc = bus_map(bus, ranges[i].space, ranges[i].base,
			     ranges[i].size, ranges[i].fn, p);
	for (unsigned int i = 0; !rc && i < mem->count; i++)
		rc = bus_map(bus, BUS_MMIO, mem->region[i].gpa,
			     mem->region[i].size, claimed, p);
	return rc;
}

int platform_open(struct platform **out, struct bus *bus, const struct mem *mem,
		  struct vpci *vpci, const struct platform_ops *ops, void *ctx)
{
	struct platform *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	p->vpci = vpci;
	p->ops = ops;
	p->ctx = ctx;
	rc = map_all(p, bus, mem);
	if (rc)
		platform_close(p);
	else
		*out = p;
	return rc;
}

void platform_reset(struct platform *p)
{
	p->reset_control = 0;
}

void platform_close(struct platform *p)
{
	free(p);
}
