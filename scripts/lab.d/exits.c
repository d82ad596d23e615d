// SPDX-License-Identifier: MIT
/*
 * exits.c: what leaving the guest costs, in the lab's guests:
 *
 *   exits FILE     FILE is BAR 0 of an 8254x or 82574L (sysfs: resource0)
 *
 * Prints "NAME MICROSECONDS" for each, the least of a few rounds:
 *   cpuid   an exit that KVM answers by itself
 *   read    of a register (STATUS), and write (of nothing, to IMC): exits to
 *           the VMM, or where the BAR is mapped none
 *   pages   touching 100 pages, and again after an exit: what it forgot
 */

#include <cpuid.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#define ROUNDS 7
#define TIMES 500
#define PAGES 100
#define STATUS (0x8 / 4)
#define IMC (0xd8 / 4)

static volatile uint32_t *bar;
static char pages[PAGES * 4096];

static void do_cpuid(void)
{
	unsigned int a, b, c, d;

	__cpuid(0, a, b, c, d);
}

static void do_read(void)
{
	(void)bar[STATUS];
}

static void do_write(void)
{
	bar[IMC] = 0;
}

static void do_pages(void)
{
	for (size_t i = 0; i < sizeof(pages); i += 4096)
		((volatile char *)pages)[i]++;
}

static void do_pages_after(void)
{
	do_cpuid();
	do_pages();
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static double least(void (*what)(void))
{
	double best = 0, us;

	for (int round = 0; round < ROUNDS; round++) {
		us = now_us();
		for (int i = 0; i < TIMES; i++)
			what();
		us = (now_us() - us) / TIMES;
		if (!round || us < best)
			best = us;
	}
	return best;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDWR | O_SYNC) : -1;
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED) {
		fprintf(stderr, "exits: cannot map the BAR: iomem=relaxed?\n");
		return 1;
	}
	bar = at;
	printf("cpuid %.2f\n", least(do_cpuid));
	printf("read %.2f\n", least(do_read));
	printf("write %.2f\n", least(do_write));
	printf("pages %.2f\n", least(do_pages));
	printf("pages_after %.2f\n", least(do_pages_after) - least(do_cpuid));
	return 0;
}
