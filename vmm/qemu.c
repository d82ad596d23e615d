/* SPDX-License-Identifier: MIT */
/*
 * qemu.c: starting and ending a QEMU of our own.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "qemu.h"
#include "why.h"

#define ARGS 32
#define ARG_MAX_LEN 160
#define ROM_SIZE 0x10000u

struct command {
	const char *program;
	char *argv[ARGS];
	char text[ARGS][ARG_MAX_LEN];
	size_t n;
	int keep[4]; /* descriptors that it is to have */
};

PRINTF(2, 3) static void arg(struct command *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->text[c->n], ARG_MAX_LEN, fmt, args);
	va_end(args);
	c->argv[c->n] = c->text[c->n];
	c->n++;
}

static void put_command(struct command *c, const struct qemu_conf *conf,
			int protocol_fd)
{
	unsigned int mega = (unsigned int)(conf->memory / QEMU_MEGA);

	c->program = conf->program;
	c->keep[0] = conf->memory_fd;
	c->keep[1] = conf->rom_fd;
	c->keep[2] = conf->wire_fd;
	c->keep[3] = protocol_fd;
	arg(c, "%s", conf->program);
	arg(c, "-nodefaults");
	arg(c, "-no-user-config");
	arg(c, "-display");
	arg(c, "none");
	arg(c, "-machine");
	arg(c, "q35,pit=off,hpet=off,smm=off,vmport=off,i8042=off,sata=off,"
	       "smbus=off,memory-backend=ram");
	/* Not -S, and no accelerator but this: its clock would stand still. */
	arg(c, "-accel");
	arg(c, "tcg,tb-size=1");
	arg(c, "-m");
	arg(c, "%uM", mega);
	arg(c, "-object");
	arg(c,
	    "memory-backend-file,id=ram,size=%uM,mem-path=/proc/self/fd/%d,"
	    "share=on",
	    mega, conf->memory_fd);
	arg(c, "-bios");
	arg(c, "/proc/self/fd/%d", conf->rom_fd);
	arg(c, "-netdev");
	arg(c, "dgram,id=wire,local.type=fd,local.str=%d", conf->wire_fd);
	arg(c, "-device");
	arg(c, "%s,netdev=wire,addr=%d,romfile=", conf->device, QEMU_SLOT);
	/* -qtest looks for this very id. */
	arg(c, "-chardev");
	arg(c, "socket,id=qtest,fd=%d", protocol_fd);
	arg(c, "-qtest");
	arg(c, "chardev:qtest");
	arg(c, "-qtest-log");
	arg(c, "none");
}

/*
 * In the child, where only what a signal handler may do is safe: what it may
 * have of ours, and then it is QEMU.
 */
_Noreturn static void become_qemu(struct command *c, int say_fd, int err_fd,
				  pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;
	int err;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0); /* Ctrl-C is for us, who then end it */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(say_fd, 2) < 0)
		_exit(1);
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(c->keep); i++)
		fcntl(c->keep[i], F_SETFD, 0);
	execvp(c->program, c->argv);
	err = errno;
	_exit(write(err_fd, &err, sizeof(err)) < 0);
}

static int cannot_run(const char *program, int err, char **why)
{
	if (err == ENOENT)
		return why_set(why, -ENOENT,
			       "there is no %s here: install it (on Debian: "
			       "apt-get install qemu-system-x86), or write "
			       "where it is as \"qemu: PATH\"",
			       program);
	return why_set(why, -err, "cannot run %s: %s", program, strerror(err));
}

static int make_pipe(int fd[2], int flags, char **why)
{
	if (!pipe2(fd, O_CLOEXEC | flags))
		return 0;
	return why_set(why, -errno, "cannot make a pipe: %s", strerror(errno));
}

/* Fork, and wait until the child is QEMU or cannot be. */
static int run(struct qemu *qemu, struct command *c, int say_fd, char **why)
{
	pid_t parent = getpid();
	int failed[2], problem = 0;
	int err = make_pipe(failed, 0, why);

	if (err)
		return err;
	qemu->pid = fork();
	if (!qemu->pid)
		become_qemu(c, say_fd, failed[1], parent);
	close(failed[1]);
	if (qemu->pid < 0) {
		qemu->pid = 0;
		err = why_set(why, -errno, "cannot start a process: %s",
			      strerror(errno));
	} else if (read(failed[0], &problem, sizeof(problem)) > 0) {
		err = cannot_run(c->program, problem, why);
	}
	close(failed[0]);
	return err;
}

int qemu_start(struct qemu *qemu, const struct qemu_conf *conf, char **why)
{
	struct command *c;
	int protocol[2], say[2], err;

	*qemu = (struct qemu){ .protocol_fd = -1, .say_fd = -1 };
	/* If nobody reads what it says, that shall not stop it. */
	err = make_pipe(say, O_NONBLOCK, why);
	if (err)
		return err;
	qemu->say_fd = say[0];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, protocol) < 0) {
		close(say[1]);
		return why_set(why, -errno, "cannot make a socket: %s",
			       strerror(errno));
	}
	qemu->protocol_fd = protocol[0];
	c = xcalloc(1, sizeof(*c));
	put_command(c, conf, protocol[1]);
	err = run(qemu, c, say[1], why);
	free(c);
	close(protocol[1]);
	close(say[1]);
	return err;
}

void qemu_kill(const struct qemu *qemu)
{
	if (qemu->pid)
		kill(qemu->pid, SIGKILL);
}

void qemu_wait(const struct qemu *qemu)
{
	siginfo_t info;

	/* Not reaped: until qemu_end() the pid stays its own. */
	if (qemu->pid)
		while (waitid(P_PID, (id_t)qemu->pid, &info,
			      WEXITED | WNOWAIT) < 0 &&
		       errno == EINTR)
			;
}

void qemu_words(const struct qemu *qemu, char *to, size_t size)
{
	ssize_t n = qemu->say_fd < 0 ? -1 : read(qemu->say_fd, to, size - 1);
	char *start;

	to[n > 0 ? n : 0] = '\0';
	while (n > 0 && (to[n - 1] == '\n' || to[n - 1] == '\r'))
		to[--n] = '\0';
	start = strrchr(to, '\n');
	if (start)
		memmove(to, start + 1, strlen(start + 1) + 1);
	for (; *to; to++)
		if (*to < ' ' || *to > '~')
			*to = '?';
}

void qemu_end(struct qemu *qemu)
{
	qemu_kill(qemu);
	if (qemu->pid)
		while (waitpid(qemu->pid, NULL, 0) < 0 && errno == EINTR)
			;
	if (qemu->say_fd >= 0)
		close(qemu->say_fd);
	qemu->pid = 0;
	qemu->say_fd = -1;
}

int qemu_file(const char *name, uint64_t size, int *fd, char **why)
{
	*fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd >= 0 && !ftruncate(*fd, (off_t)size) &&
	    fcntl(*fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) >= 0)
		return 0;
	return why_set(why, -errno, "cannot make a file in memory: %s",
		       strerror(errno));
}

int qemu_rom(int *fd, char **why)
{
	/* cli; here: hlt; jmp here */
	static const uint8_t park[] = { 0xfa, 0xf4, 0xeb, 0xfd };
	int err = qemu_file("vpio-rom", ROM_SIZE, fd, why);

	if (!err && pwrite(*fd, park, sizeof(park), ROM_SIZE - 16) < 0)
		err = why_set(why, -errno, "cannot write to memory: %s",
			      strerror(errno));
	return err;
}
