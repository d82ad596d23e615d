/* SPDX-License-Identifier: MIT */
/*
 * pm.h: ACPI's fixed hardware: the power button, power-off, a timer.
 *
 * ACPI Specification 6.4, 4.8.3: the event block, the control block and the
 * timer of 32 bits, one behind the other from PM_PORT on.  It is always in
 * ACPI mode.  There is one sleeping state, S5, by the type PM_S5.
 *
 * Threads: any; the callback is called on the vCPU's.
 */

#ifndef VMM_PM_H
#define VMM_PM_H

#include "../dmm/cc.h"

#define PM_PORT 0x600
#define PM_EVENT_PORT PM_PORT
#define PM_CONTROL_PORT (PM_PORT + 4)
#define PM_TIMER_PORT (PM_PORT + 8)
#define PM_PORTS 12
#define PM_S5 5	 /* SLP_TYP of S5, as the DSDT has to say */
#define PM_SCI 9 /* the interrupt line, which PCI devices may share */

struct bus;
struct irq;
struct pm;

/* -ENOMEM, or as bus_map(). */
MUST_CHECK int pm_open(struct pm **out, struct bus *bus, struct irq *irq,
		       void (*off)(void *ctx), void *ctx);
void pm_close(struct pm *pm); /* NULL is fine */

/* As after power-on. */
void pm_reset(struct pm *pm);

/* Press the power button; false if the guest has not enabled its event. */
bool pm_power_button(struct pm *pm);

#endif /* VMM_PM_H */
