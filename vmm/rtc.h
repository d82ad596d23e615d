/* SPDX-License-Identifier: MIT */
/*
 * rtc.h: a PC's clock and its memory (Motorola MC146818A), ports 0x70 and 0x71.
 *
 * It shows UTC, in BCD, of 24 hours; a guest that sets it moves its own clock,
 * not this machine's, and until vpio ends.  An alarm and the end of an update
 * interrupt; there are no periodic interrupts.  UIP is set as the part sets it,
 * 244 us before a second ends.
 *
 * Threads: any.
 */

#ifndef VMM_RTC_H
#define VMM_RTC_H

#include <time.h>

#include "../dmm/cc.h"

#define RTC_PORT 0x70
#define RTC_PORTS 2
#define RTC_IRQ 8

struct bus;
struct irq;
struct rtc;

struct rtc_ops {
	/* What time it is; NULL: this machine's. */
	void (*now)(void *ctx, struct timespec *out);
	/* rtc_due() may be sooner than it was; from a vCPU's thread. */
	void (*wake)(void *ctx);
};

/* -ENOMEM, or as bus_map(). */
MUST_CHECK int rtc_open(struct rtc **out, struct bus *bus, struct irq *irq,
			const struct rtc_ops *ops, void *ctx);
void rtc_close(struct rtc *rtc); /* NULL is fine */

/* As after power-on, but for what the battery keeps: the time, too. */
void rtc_reset(struct rtc *rtc);

/*
 * Interrupt if there is a reason.  In how many nanoseconds to call again; 0:
 * not before ops->wake().
 */
uint64_t rtc_due(struct rtc *rtc);

#endif /* VMM_RTC_H */
