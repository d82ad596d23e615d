/* SPDX-License-Identifier: MIT */
/*
 * test_log.c: what reaches the terminal, and what must not.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../vmm/log.h"

static char said[65536];

/* What a child says that runs (fn), and its exit status. */
static int run(void (*fn)(void))
{
	size_t len = 0;
	int status, fd[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fd[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	close(fd[1]);
	while ((n = read(fd[0], said + len, sizeof(said) - len - 1)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void say_all(void)
{
	log_init(false, true);
	errno = ENOENT;
	log_info("one %d", 1);
	log_debug("two");
	log_warn("three");
	log_warnx("four\n");
	log_errorx("and %s", "on");
	log_progress("five");
	log_progress_end();
}

static void levels(void **state)
{
	(void)state;
	assert_int_equal(run(say_all), 0);
	assert_string_equal(said, "vpio: one 1\nvpio: two\n"
				  "vpio: warning: three: No such file or "
				  "directory\nvpio: warning: four\n"
				  "vpio: error: and on\n");
}

static void say_quietly(void)
{
	log_init(true, false);
	log_info("one");
	log_debug("two");
	log_warnx("three");
}

static void quiet(void **state)
{
	(void)state;
	assert_int_equal(run(say_quietly), 0);
	assert_string_equal(said, "vpio: warning: three\n");
}

static void say_strange(void)
{
	char *text = xcalloc(1, 20001);

	log_info("%s", "a\033[31mb\rc\x7f");
	memset(text, 'x', 20000);
	errno = ENOENT;
	log_warn("%s", text);
	free(text);
}

static void strangers(void **state)
{
	static const char end[] = "...: No such file or directory\n";
	static const char first[] = "vpio: a?[31mb?c?\n";

	(void)state;
	assert_int_equal(run(say_strange), 0);
	assert_memory_equal(said, first, sizeof(first) - 1);
	assert_true(strlen(said) < 5000);
	assert_string_equal(said + strlen(said) - sizeof(end) + 1, end);
}

static void die(void)
{
	fatalx("no %s", "way");
}

static void dies(void **state)
{
	(void)state;
	assert_int_equal(run(die), EXIT_BAD_INPUT);
	assert_string_equal(said, "vpio: error: no way\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),
		cmocka_unit_test(quiet),
		cmocka_unit_test(strangers),
		cmocka_unit_test(dies),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
