/* SPDX-License-Identifier: MIT */
/*
 * diff_run.c: sequences of tests/diff.h run, each in a process of its own, and
 * what became of them.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "diff.h"

#define JOBS 4 /* QEMU's card is often waited for */

enum { RUN_SAME, RUN_DIFFERS, RUN_CANNOT };

static void say_difference(const struct diff *d)
{
	unsigned int first = d->written < DIFF_LOG ? 0 : d->written % DIFF_LOG;

	fprintf(stderr, "%s, VPIO_DIFF_SEED=%ju, step %u: %s\n", d->part->name,
		(uintmax_t)d->seed, d->step, d->why);
	for (unsigned int i = 0; i < DIFF_LOG && i < d->written; i++)
		fprintf(stderr, "    %s\n", d->log[(first + i) % DIFF_LOG]);
}

static int run(const struct diff_part *part, uint64_t seed, unsigned int steps,
	       const struct diff_error *error, struct diff_tally *tally)
{
	struct diff *d;
	volatile int result = RUN_SAME;

	if (diff_open(&d, part)) {
		fprintf(stderr, "%s: %s\n", part->name, d->why);
		diff_close(d);
		return RUN_CANNOT;
	}
	d->seed = d->random = seed;
	d->steps = steps;
	d->error = error;
	d->tally = tally;
	if (!setjmp(d->over))
		part->sequence(d);
	else
		result = RUN_DIFFERS;
	if (result != RUN_SAME && !error)
		say_difference(d);
	diff_close(d);
	return result;
}

static int wait_one(void)
{
	int status;

	while (wait(&status) < 0)
		if (errno != EINTR)
			return RUN_CANNOT;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "a run died of signal %d\n", WTERMSIG(status));
	return RUN_CANNOT;
}

static unsigned int number(const char *name, unsigned int usual)
{
	const char *text = getenv(name);

	return text ? (unsigned int)strtoul(text, NULL, 0) : usual;
}

/* Exceptions that docs/sim.md, from the top of the tree, says nothing of. */
static unsigned int undocumented(const struct diff_part *part)
{
	const struct diff_exception *e = part->exceptions;
	int fd = open("docs/sim.md", O_RDONLY | O_CLOEXEC);
	static char text[1 << 16];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	unsigned int missing = n < 0;

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	for (size_t i = 0; e[i].name; i++) {
		char name[64];

		snprintf(name, sizeof(name), "`%s`", e[i].name);
		if (strstr(text, name))
			continue;
		fprintf(stderr, "%s: docs/sim.md says nothing of %s\n",
			part->name, name);
		missing++;
	}
	return missing;
}

/* Exceptions that were not met have nothing to excuse. */
static unsigned int say_tally(const struct diff_part *part,
			      const struct diff_tally *tally, bool usual)
{
	const struct diff_exception *e = part->exceptions;
	unsigned int idle = 0;

	fprintf(stderr,
		"%s: %ju accesses, %ju bytes, %ju frames, %ju times at rest\n",
		part->name, (uintmax_t)tally->accesses, (uintmax_t)tally->bytes,
		(uintmax_t)tally->frames, (uintmax_t)tally->settled);
	for (size_t i = 0; e[i].name; i++) {
		fprintf(stderr, "%s: %6ju %s\n", part->name,
			(uintmax_t)tally->met[i], e[i].name);
		idle += usual && !tally->met[i];
	}
	return idle;
}

unsigned int diff_check(const struct diff_part *part, const uint64_t *seeds,
			size_t n)
{
	unsigned int steps = number("VPIO_DIFF_STEPS", part->steps);
	const char *text = getenv("VPIO_DIFF_SEED");
	uint64_t only = text ? strtoull(text, NULL, 0) : 0;
	unsigned int bad = 0, running = 0;
	struct diff_tally *tally = mmap(NULL, sizeof(*tally),
					PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (tally == MAP_FAILED)
		return 1;
	if (text)
		n = 1;
	for (size_t i = 0; i < n; i++) {
		uint64_t seed = text ? only : seeds[i];

		if (running == JOBS) {
			bad += wait_one() != RUN_SAME;
			running--;
		}
		fprintf(stderr, "%s: seed %ju, %u steps\n", part->name,
			(uintmax_t)seed, steps);
		if (!fork())
			_exit(run(part, seed, steps, NULL, tally));
		running++;
	}
	while (running--)
		bad += wait_one() != RUN_SAME;
	if (!bad)
		bad = say_tally(part, tally, !text && steps == part->steps);
	bad += undocumented(part);
	munmap(tally, sizeof(*tally));
	return bad;
}

unsigned int diff_notices(const struct diff_part *part,
			  const struct diff_error *errors, size_t n)
{
	static struct diff_tally unused;
	unsigned int missed = 0;
	int status;

	for (size_t i = 0; i < n; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(run(part, 1, part->steps, &errors[i], &unused));
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (WIFEXITED(status) && WEXITSTATUS(status) == RUN_DIFFERS)
			continue;
		fprintf(stderr, "%s: nobody noticed: %s\n", part->name,
			errors[i].name);
		missed++;
	}
	return missed;
}
