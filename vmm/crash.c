/* SPDX-License-Identifier: MIT */
/*
 * crash.c: the report of our own crash, written by a signal handler: only
 * write(2), libunwind's local unwinder and stack memory are used in it.
 */

#define UNW_LOCAL_ONLY
#include <assert.h>
#include <libunwind.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crash.h"
#include "log.h"

#define MAX_FRAMES 64
#define ALSO_MAX 2
#define STACK_SIZE 65536 /* libunwind's cursor and context take 4 KiB */

/* Given by the linker: where our code lies, for addr2line. */
extern const char __executable_start[], etext[];

_Thread_local volatile struct crash_note crash_note;

/* Zero pages until it is used, so it costs a thread nothing. */
static _Thread_local char stack[STACK_SIZE] __attribute__((aligned(16)));

static void (*_Atomic also[ALSO_MAX])(void);

static atomic_int crashing; /* the thread that tells of its crash, or 0 */

static const struct {
	int signal;
	const char *name;
} signals[] = {
	{ SIGSEGV, "SIGSEGV: no such memory, or not so" },
	{ SIGBUS, "SIGBUS: memory that is not there any more" },
	{ SIGILL, "SIGILL: not an instruction" },
	{ SIGFPE, "SIGFPE: a division" },
	{ SIGABRT, "SIGABRT: a broken assertion" },
};

static void put(const char *s)
{
	(void)!write(STDERR_FILENO, s, strlen(s));
}

static void put_hex(uint64_t n)
{
	static const char digits[] = "0123456789abcdef";
	char text[19];
	size_t at = sizeof(text) - 1;

	text[at] = '\0';
	do {
		text[--at] = digits[n & 15];
		n >>= 4;
	} while (n);
	text[--at] = 'x';
	text[--at] = '0';
	put(text + at);
}

static void put_number(unsigned int n)
{
	char text[12];
	size_t at = sizeof(text) - 1;

	text[at] = '\0';
	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	put(text + at);
}

static void put_note(void)
{
	if (!crash_note.operation) {
		put("  the gate was doing nothing in this thread\n");
		return;
	}
	put("  the gate was doing: ");
	put(crash_note.operation);
	put(" at ");
	put_hex(crash_note.address);
	put(", ");
	put_number(crash_note.width);
	put(" bytes, value ");
	put_hex(crash_note.value);
	put(", guest ");
	put(crash_note.guest ? crash_note.guest : "-");
	put(", device ");
	put(crash_note.device ? crash_note.device : "-");
	put("\n");
}

static void put_frame(unsigned int i, unw_cursor_t *cursor)
{
	unw_word_t ip = 0, off = 0;
	char name[256];

	unw_get_reg(cursor, UNW_REG_IP, &ip);
	put("  #");
	put_number(i);
	put(i < 10 ? "  " : " ");
	put_hex(ip);
	if (!unw_get_proc_name(cursor, name, sizeof(name), &off)) {
		put(" ");
		put(name);
		put("+");
		put_hex(off);
	}
	if (ip >= (uintptr_t)__executable_start && ip < (uintptr_t)etext) {
		put(" (vpio ");
		put_hex(ip - (uintptr_t)__executable_start);
		put(")");
	}
	put("\n");
}

static void put_backtrace(void *context)
{
	unw_cursor_t cursor;
	unsigned int i = 0;

	/* From where the signal struck; the handler itself is of no interest. */
	if (unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME)) {
		put("  no backtrace\n");
		return;
	}
	do {
		put_frame(i++, &cursor);
	} while (i < MAX_FRAMES && unw_step(&cursor) > 0);
}

static void handle(int signal, siginfo_t *info, void *context)
{
	int self = (int)syscall(SYS_gettid), nobody = 0;

	if (!atomic_compare_exchange_strong(&crashing, &nobody, self)) {
		/* A crash in the handler ends it; another thread's waits. */
		while (nobody != self)
			pause();
		put("  (crashed again while telling of it)\n");
		goto out;
	}
	put("\nvpio: crashed, which is a bug of vpio: ");
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (signals[i].signal == signal)
			put(signals[i].name);
	if (signal == SIGSEGV || signal == SIGBUS) {
		put(", address ");
		put_hex((uintptr_t)info->si_addr);
	}
	put("\n");
	put_note();
	put_backtrace(context);
	put("  addr2line -fie vpio ADDRESS... says the lines\n");
	for (size_t i = 0; i < ALSO_MAX; i++) {
		void (*more)(void) = also[i];

		if (more)
			more();
	}
out:
	/* Die of it, so that whoever started us sees it, core file and all. */
	sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	raise(signal);
}

void crash_also(void (*fn)(void))
{
	size_t i = 0;

	while (also[i] && also[i] != fn)
		i++;
	assert(i < ALSO_MAX);
	also[i] = fn;
}

void crash_thread(void)
{
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) }, old;

	/* a sanitizer has set up one, and wants it back when the thread ends */
	if (!sigaltstack(NULL, &old) && !(old.ss_flags & SS_DISABLE))
		return;
	if (sigaltstack(&alternate, NULL))
		log_warn("no stack for reporting a crash");
}

void crash_init(void)
{
	struct sigaction action = {
		.sa_sigaction = handle,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};

	crash_thread();
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (sigaction(signals[i].signal, &action, NULL))
			log_warn("no report if vpio should crash");
}
