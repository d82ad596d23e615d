// SPDX-License-Identifier: MIT
/*
 * rtc.c: a PC's clock and its memory.  Sections in brackets are of the
 * MC146818A data sheet, 1984.
 */

#include "rtc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "bus.h"
#include "irq.h"

#define CMOS_SIZE 128
#define DAY 86400
#define SECOND 1000000000L
#define UIP_NS 244000L /* an update is near [Update Cycle] */

/* Registers; the first ten are the clock. */
enum {
	SECONDS = 0x00,
	SECONDS_ALARM = 0x01,
	MINUTES = 0x02,
	MINUTES_ALARM = 0x03,
	HOURS = 0x04,
	HOURS_ALARM = 0x05,
	WEEKDAY = 0x06,
	MDAY = 0x07,
	MONTH = 0x08,
	YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_C = 0x0c,
	REG_D = 0x0d,
	CENTURY = 0x32,
};

/* Their bits. [Registers] */
enum {
	A_UIP = 0x80,
	A_RESET = 0x60, /* both: the divider stands still */
	A_RATE = 0x26,	/* 32768 Hz, as a PC's firmware leaves it */
	B_SET = 0x80,
	B_24 = 0x02,
	ALARM = 0x20, /* of B: it interrupts; of C: it is so */
	UPDATED = 0x10,
	C_IRQ = 0x80,
	D_VALID = 0x80,
	DONT_CARE = 0xc0, /* of an alarm */
};

struct rtc {
	struct irq_pin pin;
	struct rtc_ops ops;
	void *ctx;
	pthread_mutex_t lock; /* of what is below */
	uint8_t index;
	uint8_t cmos[CMOS_SIZE];
	struct timespec ahead; /* of this machine's clock */
	time_t seen;	       /* the second that flags are right for */
};

static struct timespec sum(struct timespec a, struct timespec b)
{
	struct timespec t = { a.tv_sec + b.tv_sec, a.tv_nsec + b.tv_nsec };

	if (t.tv_nsec >= SECOND) {
		t.tv_sec++;
		t.tv_nsec -= SECOND;
	}
	return t;
}

static struct timespec host_time(struct rtc *rtc)
{
	struct timespec t;

	if (rtc->ops.now)
		rtc->ops.now(rtc->ctx, &t);
	else
		clock_gettime(CLOCK_REALTIME, &t);
	return t;
}

static struct timespec guest_time(struct rtc *rtc)
{
	return sum(host_time(rtc), rtc->ahead);
}

/* It is (t) for the guest now. */
static void set_time(struct rtc *rtc, struct timespec t)
{
	struct timespec now = host_time(rtc);
	struct timespec less = { -now.tv_sec - 1, SECOND - now.tv_nsec };

	rtc->ahead = sum(t, less);
	rtc->seen = t.tv_sec;
}

static uint8_t bcd(int value)
{
	return (uint8_t)((value / 10 % 10) << 4 | value % 10);
}

static int binary(uint8_t value)
{
	return (value >> 4) * 10 + (value & 0xf);
}

/* ---- the time, between seconds and registers ---- */

static bool is_time(unsigned int index)
{
	return index == SECONDS || index == MINUTES || index == HOURS ||
	       (index >= WEEKDAY && index <= YEAR) || index == CENTURY;
}

static bool is_held(const struct rtc *rtc)
{
	return (rtc->cmos[REG_A] & A_RESET) == A_RESET;
}

/* By SET, or by its divider: registers are what was written to them. */
static bool stands(const struct rtc *rtc)
{
	return rtc->cmos[REG_B] & B_SET || is_held(rtc);
}

static void to_registers(struct rtc *rtc)
{
	struct timespec t = guest_time(rtc);
	struct tm tm;
	int year;

	if (stands(rtc))
		return;
	gmtime_r(&t.tv_sec, &tm);
	year = (tm.tm_year + 11900) % 10000; /* a guest may be before 0 */
	rtc->cmos[SECONDS] = bcd(tm.tm_sec);
	rtc->cmos[MINUTES] = bcd(tm.tm_min);
	rtc->cmos[HOURS] = bcd(tm.tm_hour);
	rtc->cmos[WEEKDAY] = bcd(tm.tm_wday + 1);
	rtc->cmos[MDAY] = bcd(tm.tm_mday);
	rtc->cmos[MONTH] = bcd(tm.tm_mon + 1);
	rtc->cmos[YEAR] = bcd(year % 100);
	rtc->cmos[CENTURY] = bcd(year / 100);
}

static void from_registers(struct rtc *rtc)
{
	struct tm tm = { .tm_sec = binary(rtc->cmos[SECONDS]),
			 .tm_min = binary(rtc->cmos[MINUTES]),
			 .tm_hour = binary(rtc->cmos[HOURS]),
			 .tm_mday = binary(rtc->cmos[MDAY]),
			 .tm_mon = binary(rtc->cmos[MONTH]) - 1,
			 .tm_year = binary(rtc->cmos[CENTURY]) * 100 +
				    binary(rtc->cmos[YEAR]) - 1900 };

	set_time(rtc,
		 (struct timespec){ timegm(&tm), guest_time(rtc).tv_nsec });
}

/* ---- alarms and updates ---- */

static bool matches(uint8_t alarm, time_t value)
{
	return alarm >= DONT_CARE || binary(alarm) == (int)value;
}

static bool alarm_at(const struct rtc *rtc, time_t second)
{
	time_t of_day = (second % DAY + DAY) % DAY;

	return matches(rtc->cmos[SECONDS_ALARM], of_day % 60) &&
	       matches(rtc->cmos[MINUTES_ALARM], of_day / 60 % 60) &&
	       matches(rtc->cmos[HOURS_ALARM], of_day / 3600);
}

static void update_irq(struct rtc *rtc)
{
	uint8_t *c = &rtc->cmos[REG_C];

	*c &= ALARM | UPDATED;
	if (*c & rtc->cmos[REG_B])
		*c |= C_IRQ;
	irq_pin_set(&rtc->pin, *c & C_IRQ);
}

/* The flags of all seconds that went by; after a day they are all set. */
static void catch_up(struct rtc *rtc)
{
	time_t now = guest_time(rtc).tv_sec;

	if (stands(rtc) || now <= rtc->seen) {
		rtc->seen = now;
		return;
	}
	if (rtc->seen < now - DAY)
		rtc->seen = now - DAY;
	rtc->cmos[REG_C] |= UPDATED;
	while (rtc->seen < now && !(rtc->cmos[REG_C] & ALARM))
		if (alarm_at(rtc, ++rtc->seen))
			rtc->cmos[REG_C] |= ALARM;
	rtc->seen = now;
	update_irq(rtc);
}

uint64_t rtc_due(struct rtc *rtc)
{
	uint64_t ns = 0;

	pthread_mutex_lock(&rtc->lock);
	catch_up(rtc);
	if (rtc->cmos[REG_B] & (ALARM | UPDATED) && !stands(rtc))
		ns = (uint64_t)(SECOND - guest_time(rtc).tv_nsec);
	pthread_mutex_unlock(&rtc->lock);
	return ns;
}

/* ---- ports ---- */

static uint8_t read_register(struct rtc *rtc)
{
	uint8_t value;

	if (is_time(rtc->index))
		to_registers(rtc);
	value = rtc->cmos[rtc->index];
	switch (rtc->index) {
	case REG_A:
		return guest_time(rtc).tv_nsec >= SECOND - UIP_NS &&
				       !stands(rtc) ?
			       value | A_UIP :
			       value;
	case REG_C:
		catch_up(rtc);
		value = rtc->cmos[REG_C];
		rtc->cmos[REG_C] = 0;
		update_irq(rtc);
		return value;
	case REG_D:
		return D_VALID;
	default:
		return value;
	}
}

/* The divider goes again: the next second is half of one away. [Divider] */
static void write_a(struct rtc *rtc, uint8_t value)
{
	bool held = is_held(rtc);
	struct timespec t;

	to_registers(rtc);
	rtc->cmos[REG_A] = value & (uint8_t)~A_UIP;
	if (!held || is_held(rtc))
		return;
	if (!stands(rtc))
		from_registers(rtc);
	t = guest_time(rtc);
	t.tv_nsec = SECOND / 2;
	set_time(rtc, t);
}

static void write_b(struct rtc *rtc, uint8_t value)
{
	uint8_t *b = &rtc->cmos[REG_B];
	bool stood = stands(rtc);

	to_registers(rtc);
	*b = (value & (B_SET | ALARM | UPDATED)) | B_24;
	if (*b & B_SET)
		*b &= (uint8_t)~UPDATED;
	if (stood && !stands(rtc))
		from_registers(rtc);
	update_irq(rtc);
}

static void write_register(struct rtc *rtc, uint8_t value)
{
	catch_up(rtc);
	if (is_time(rtc->index))
		to_registers(rtc);
	switch (rtc->index) {
	case REG_A:
		write_a(rtc, value);
		return;
	case REG_B:
		write_b(rtc, value);
		return;
	case REG_C:
	case REG_D:
		return;
	default:
		rtc->cmos[rtc->index] = value;
		if (is_time(rtc->index) && !stands(rtc))
			from_registers(rtc);
	}
}

/* A byte at a time: the chip has 8 bits. */
static void rtc_access(void *ctx, struct bus_access *a)
{
	struct rtc *rtc = ctx;
	uint8_t *data = a->data;
	bool wake;

	pthread_mutex_lock(&rtc->lock);
	for (uint64_t n = 0; n < (uint64_t)a->count * a->width; n++, data++) {
		bool first = a->off + n % a->width == 0;

		if (a->write && first)
			rtc->index = *data % CMOS_SIZE; /* bit 7 masks NMIs */
		else if (a->write)
			write_register(rtc, *data);
		else
			*data = first ? 0xff : read_register(rtc);
	}
	wake = a->write && rtc->cmos[REG_B] & (ALARM | UPDATED);
	pthread_mutex_unlock(&rtc->lock);
	if (wake && rtc->ops.wake)
		rtc->ops.wake(rtc->ctx);
}

int rtc_open(struct rtc **out, struct bus *bus, struct irq *irq,
	     const struct rtc_ops *ops, void *ctx)
{
	struct rtc *rtc = calloc(1, sizeof(*rtc));
	int rc;

	if (!rtc)
		return -ENOMEM;
	rtc->ops = *ops;
	rtc->ctx = ctx;
	irq_pin_init(&rtc->pin, irq, RTC_IRQ);
	pthread_mutex_init(&rtc->lock, NULL);
	rtc->cmos[REG_A] = A_RATE;
	rtc->cmos[REG_B] = B_24;
	rtc->seen = guest_time(rtc).tv_sec;
	rc = bus_map(bus, BUS_IO, RTC_PORT, RTC_PORTS, rtc_access, rtc);
	if (rc)
		rtc_close(rtc);
	else
		*out = rtc;
	return rc;
}

void rtc_reset(struct rtc *rtc)
{
	pthread_mutex_lock(&rtc->lock);
	if (stands(rtc))
		from_registers(rtc);
	rtc->index = 0;
	rtc->cmos[REG_A] = A_RATE;
	rtc->cmos[REG_B] = B_24;
	rtc->cmos[REG_C] = 0;
	update_irq(rtc);
	pthread_mutex_unlock(&rtc->lock);
}

void rtc_close(struct rtc *rtc)
{
	if (!rtc)
		return;
	pthread_mutex_destroy(&rtc->lock);
	free(rtc);
}
