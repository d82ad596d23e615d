// SPDX-License-Identifier: MIT
/*
 * pm.c: ACPI's fixed hardware: the power button, power-off, a timer.
 */

#include "pm.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "clock.h"
#include "irq.h"

#define TIMER_HZ UINT64_C(3579545) /* 4.8.2.1 */
#define NS UINT64_C(1000000000)

/* 4.8.3.1, tables 4.12 and 4.13; 4.8.3.2, table 4.14. */
#define POWER_BUTTON 0x0100 /* of both event registers */
#define ENABLES 0x0721	    /* that there are; ours is the button's alone */
#define SCI_ENABLED 0x0001
#define SLEEP_ENABLE 0x2000
#define SLEEP_TYPE(control) ((control) >> 10 & 7)

struct pm {
	struct irq_pin pin;
	void (*off)(void *ctx);
	void *ctx;
	pthread_mutex_t lock; /* of what is below */
	uint16_t status, enable;
};

/* As the ports show them, low byte first. */
struct ports {
	uint16_t status, enable, control, none;
	uint32_t timer;
};

_Static_assert(sizeof(struct ports) == PM_PORTS, "one behind the other");

static void update_irq(struct pm *pm)
{
	irq_pin_set(&pm->pin, pm->status & pm->enable);
}

static uint32_t timer(void)
{
	uint64_t now = clock_now();

	return (uint32_t)(now / NS * TIMER_HZ + now % NS * TIMER_HZ / NS);
}

static void read_ports(const struct pm *pm, uint64_t off, unsigned int width,
		       uint8_t *to)
{
	const struct ports ports = {
		.status = htole16(pm->status),
		.enable = htole16(pm->enable),
		.control = htole16(SCI_ENABLED),
		.timer = htole32(timer()),
	};

	memcpy(to, (const uint8_t *)&ports + off, width);
}

/* A byte at a time, as the access puts them on the bus; true: it is off. */
static bool write_port(struct pm *pm, uint64_t off, uint8_t value)
{
	unsigned int shift = off % 2 * 8;
	uint16_t bits = (uint16_t)(value << shift);

	switch (off & ~UINT64_C(1)) {
	case 0: /* a one clears */
		pm->status &= (uint16_t)~bits;
		break;
	case 2:
		pm->enable = (uint16_t)((pm->enable & ~(0xff << shift)) |
					(bits & ENABLES));
		break;
	case 4:
		return bits & SLEEP_ENABLE && SLEEP_TYPE(bits) == PM_S5;
	}
	update_irq(pm);
	return false;
}

static void pm_access(void *ctx, struct bus_access *a)
{
	struct pm *pm = ctx;
	uint8_t *data = a->data;
	bool off = false;

	pthread_mutex_lock(&pm->lock);
	for (uint32_t n = 0; n < a->count; n++, data += a->width) {
		if (!a->write)
			read_ports(pm, a->off, a->width, data);
		for (unsigned int i = 0; a->write && i < a->width; i++)
			off |= write_port(pm, a->off + i, data[i]);
	}
	pthread_mutex_unlock(&pm->lock);
	if (off)
		pm->off(pm->ctx);
}

int pm_open(struct pm **out, struct bus *bus, struct irq *irq,
	    void (*off)(void *ctx), void *ctx)
{
	struct pm *pm = calloc(1, sizeof(*pm));
	int rc;

	if (!pm)
		return -ENOMEM;
	pm->off = off;
	pm->ctx = ctx;
	irq_pin_init(&pm->pin, irq, PM_SCI);
	pthread_mutex_init(&pm->lock, NULL);
	rc = bus_map(bus, BUS_IO, PM_PORT, PM_PORTS, pm_access, pm);
	if (rc)
		pm_close(pm);
	else
		*out = pm;
	return rc;
}

void pm_close(struct pm *pm)
{
	if (!pm)
		return;
	pthread_mutex_destroy(&pm->lock);
	free(pm);
}

void pm_reset(struct pm *pm)
{
	pthread_mutex_lock(&pm->lock);
	pm->status = pm->enable = 0;
	update_irq(pm);
	pthread_mutex_unlock(&pm->lock);
}

bool pm_power_button(struct pm *pm)
{
	bool listens;

	pthread_mutex_lock(&pm->lock);
	listens = pm->enable & POWER_BUTTON;
	if (listens)
		pm->status |= POWER_BUTTON;
	update_irq(pm);
	pthread_mutex_unlock(&pm->lock);
	return listens;
}
