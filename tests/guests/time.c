/* SPDX-License-Identifier: MIT */
/*
 * time.c: real time for timeouts, whatever speed the guest runs at.
 *
 * The PIT's channel 0 counts 65536 down to 1 at 1.193182 MHz and starts over.
 * The TSC is measured against it once; where it stands still, the PIT itself
 * is the clock, and must then be asked at least every 50 ms.
 */

#include "guest.h"

#define PIT_HZ 1193182u
#define PIT_CH0 0x40
#define PIT_MODE 0x43
#define MEASURE_US 10000u

struct sample {
	uint64_t tsc;
	uint16_t pit;
};

static uint64_t tsc_base;
static uint64_t tsc_khz; /* 0: no TSC to be used */
static uint64_t pit_total;
static uint16_t pit_last;

static uint64_t rdtsc(void)
{
	uint32_t lo;
	uint32_t hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static uint16_t pit_read(void)
{
	uint16_t v;

	outb(PIT_MODE, 0x00); /* latch channel 0 */
	v = inb(PIT_CH0);
	return (uint16_t)(v | inb(PIT_CH0) << 8);
}

/* Both clocks at one moment: the try that was disturbed least. */
static struct sample take_sample(void)
{
	struct sample best = { 0, 0 };
	uint64_t best_gap = UINT64_MAX;
	int i;

	for (i = 0; i < 4; i++) {
		uint64_t before = rdtsc();
		uint16_t pit = pit_read();
		uint64_t gap = rdtsc() - before;

		if (gap < best_gap) {
			best_gap = gap;
			best = (struct sample){ before + gap / 2, pit };
		}
	}
	return best;
}

static uint64_t measure_khz(void)
{
	struct sample a = take_sample();
	struct sample b;
	uint32_t want = MEASURE_US * (PIT_HZ / 1000) / 1000;

	while ((uint16_t)(a.pit - pit_read()) < want)
		pause();
	b = take_sample();
	return (b.tsc - a.tsc) * (PIT_HZ / 1000) / (uint16_t)(a.pit - b.pit);
}

void time_start(void)
{
	uint64_t khz[2];

	outb(PIT_MODE, 0x34); /* channel 0, both bytes, mode 2 */
	outb(PIT_CH0, 0);
	outb(PIT_CH0, 0);
	delay_us(100); /* until the count was loaded */

	/* A run that slept through a whole PIT period measures too much. */
	khz[0] = measure_khz();
	khz[1] = measure_khz();
	tsc_base = rdtsc();
	tsc_khz = khz[0] < khz[1] ? khz[0] : khz[1];
	if (tsc_khz < 10000)
		tsc_khz = 0;
}

uint64_t now_us(void)
{
	uint16_t pit;

	if (tsc_khz)
		return (rdtsc() - tsc_base) * 1000 / tsc_khz;
	pit = pit_read();
	pit_total += (uint16_t)(pit_last - pit);
	pit_last = pit;
	return pit_total * 1000000 / PIT_HZ;
}

uint64_t now_ms(void)
{
	return now_us() / 1000;
}

void delay_us(uint64_t us)
{
	uint64_t end = now_us() + us;

	while (now_us() < end)
		pause();
}
