// SPDX-License-Identifier: MIT
/*
 * clock.c: the clock that monitors live by, and waiting by it.
 */

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void clock_empty(int fd)
{
	uint64_t n;

	while (read(fd, &n, sizeof(n)) > 0)
		;
}

void clock_wait(int a, int b, uint64_t until)
{
	struct pollfd fds[2] = { { .fd = a, .events = POLLIN },
				 { .fd = b, .events = POLLIN } };
	uint64_t now = clock_now(), ns = until > now ? until - now : 0;
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000u),
			       .tv_nsec = (long)(ns % 1000000000u) };

	(void)!ppoll(fds, 2, until == UINT64_MAX ? NULL : &ts, NULL);
}
