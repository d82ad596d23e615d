/* SPDX-License-Identifier: MIT */
/*
 * test_crash.c: children of this test crash, and their last words are read.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../vmm/crash.h"

static char words[16384]; /* the last ones of a child */
static volatile int never = 1000;

__attribute__((noinline)) static void bad_store(void)
{
	*(volatile int *)(uintptr_t)0x1230 = 1;
}

__attribute__((noinline)) static int endless(volatile char *above)
{
	volatile char here[4096];

	here[0] = above ? (char)(above[0] + 1) : 1;
	return here[0] == never ? 0 : endless(here) + here[0];
}

static void crash_by_store(void)
{
	crash_note_set("alpha", "nic0", "write", 0x1f, 0x26, 1);
	bad_store();
}

static void crash_by_abort(void)
{
	crash_note_set("beta", NULL, "read", 0xffff, 0, 2);
	crash_note_clear();
	abort();
}

static void crash_by_stack(void)
{
	_exit(endless(NULL));
}

/* Run (crash) in a child; returns the signal it died of, 0 if it did not. */
static int last_words(void (*crash)(void))
{
	size_t len = 0;
	int status, fd[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		/* What cmocka put there is not what is tested. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		dup2(fd[1], STDERR_FILENO);
		crash_init();
		crash();
		_exit(0);
	}
	close(fd[1]);
	while ((n = read(fd[0], words + len, sizeof(words) - len - 1)) > 0)
		len += (size_t)n;
	words[len] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void want(const char *part)
{
	if (!strstr(words, part))
		fail_msg("no \"%s\" in:\n%s", part, words);
}

static void store_is_told(void **state)
{
	(void)state;
	assert_int_equal(last_words(crash_by_store), SIGSEGV);
	want("SIGSEGV");
	want("address 0x1230");
	want("write at 0x1f, 1 bytes, value 0x26, guest alpha, device nic0");
	want("bad_store+0x");
	want("last_words+0x");
}

static void abort_is_told(void **state)
{
	(void)state;
	assert_int_equal(last_words(crash_by_abort), SIGABRT);
	want("SIGABRT");
	want("the gate was doing nothing");
	want("abort+0x");
}

static void stack_overflow_is_told(void **state)
{
	(void)state;
	assert_int_equal(last_words(crash_by_stack), SIGSEGV);
	want("SIGSEGV");
	want("endless+0x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(store_is_told),
		cmocka_unit_test(abort_is_told),
		cmocka_unit_test(stack_overflow_is_told),
	};

	return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
