// SPDX-License-Identifier: MIT
/*
 * import_kvm.c: KVM's trace points, as tracefs or trace-cmd report shows them:
 *
 *	TASK-TID [CPU] FLAGS SECS.USECS: EVENT: ...
 *	kvm_mmio: mmio read|write len N gpa 0x.. val 0x..
 *	kvm_pio: pio_read|pio_write at 0xPORT size N count N val 0x.. [(...)]
 *	kvm_exit: [vcpu N] reason WHAT rip 0x.. ...
 *	kvm_set_irq: gsi N level 0|1 source N
 *	CPU:N [LOST N EVENTS]
 *
 * Of a string of ports only the first value is there.  The rip of an access is
 * that of its task's last kvm_exit; a vCPU is told by kvm_exit, else by QEMU's
 * name of the thread, "CPU N/KVM".
 */

#include <string.h>

#include "import.h"

#define TASKS 64u

struct own {
	struct task {
		uint64_t tid, rip;
		unsigned int vcpu;
	} task[TASKS];
	unsigned int tasks;
	uint64_t last_ns;
};

/* "CPU N/KVM", as QEMU names a vCPU's thread, or "NAME/N", as we do. */
static unsigned int vcpu_of(const char *name, const char *end)
{
	const char *slash = memrchr(name, '/', (size_t)(end - name));
	const char *at = slash;
	uint64_t vcpu;

	if (!slash)
		return 0;
	if (import_number(&at, "/", &vcpu) && at == end)
		return (unsigned int)vcpu;
	for (at = slash; at > name && at[-1] >= '0' && at[-1] <= '9'; at--)
		;
	return import_number(&at, "", &vcpu) && at == slash ?
		       (unsigned int)vcpu :
		       0;
}

/* The thread of a line, "TASK-TID [CPU] ...", whose head ends at (end). */
static struct task *task_of(struct import *im, const char *text,
			    const char *end)
{
	const char *at = memchr(text, '[', (size_t)(end - text));
	struct own *own = im->own;
	const char *name = NULL;
	uint64_t tid = 0;
	struct task *t;

	while (at && at > text && at[-1] == ' ')
		at--;
	while (at && at > text && at[-1] >= '0' && at[-1] <= '9')
		at--;
	if (at && at > text && at[-1] == '-') {
		name = at - 1;
		(void)!import_number(&at, "", &tid);
	}
	for (t = own->task; t < own->task + own->tasks; t++)
		if (t->tid == tid)
			return t;
	if (own->tasks == TASKS)
		return &own->task[TASKS - 1];
	t = &own->task[own->tasks++];
	*t = (struct task){ .tid = tid,
			    .vcpu = name ? vcpu_of(text, name) : 0 };
	return t;
}

static void mmio_line(struct import *im, const char *at, const struct task *t)
{
	struct import_access a = { .kind = IMPORT_MEMORY,
				   .count = 1,
				   .rip = t->rip,
				   .vcpu = t->vcpu };
	uint64_t len;

	if (import_word(&at, "mmio unsatisfied-read "))
		return; /* it comes again, with its value */
	if (import_word(&at, "mmio write "))
		a.write = true;
	else if (!import_word(&at, "mmio read ")) {
		import_bad(im, "not an access");
		return;
	}
	if (!import_number(&at, "len ", &len) ||
	    !import_number(&at, " gpa ", &a.addr) ||
	    !import_number(&at, " val ", &a.value)) {
		import_bad(im, "not an access");
		return;
	}
	if (!import_width(len)) {
		im->skipped++; /* KVM has them of any length */
		return;
	}
	a.width = (unsigned int)len;
	import_access(im, &a);
}

static void pio_line(struct import *im, const char *at, const struct task *t)
{
	struct import_access a = { .kind = IMPORT_PORT,
				   .rip = t->rip,
				   .vcpu = t->vcpu };
	uint64_t size, count;

	if (import_word(&at, "pio_write "))
		a.write = true;
	else if (!import_word(&at, "pio_read ")) {
		import_bad(im, "not an access");
		return;
	}
	if (!import_number(&at, "at ", &a.addr) ||
	    !import_number(&at, " size ", &size) || !import_width(size) ||
	    !import_number(&at, " count ", &count) || !count ||
	    count > UINT32_MAX || !import_number(&at, " val ", &a.value)) {
		import_bad(im, "not an access");
		return;
	}
	a.width = (unsigned int)size;
	a.count = (uint32_t)count;
	import_access(im, &a);
}

static void exit_line(const char *at, struct task *t)
{
	const char *rip = strstr(at, "rip ");
	uint64_t vcpu;

	if (import_number(&at, "vcpu ", &vcpu))
		t->vcpu = (unsigned int)vcpu;
	if (!rip || !import_hex(&rip, "rip ", &t->rip))
		t->rip = 0;
}

static void irq_line(struct import *im, const char *at)
{
	uint64_t gsi, level;

	if (!import_number(&at, "gsi ", &gsi) ||
	    !import_number(&at, " level ", &level)) {
		import_bad(im, "not an interrupt");
		return;
	}
	import_irq(im, (unsigned int)gsi, level);
}

/* "SECS.USECS" in front of (end). */
static void take_time(struct import *im, const char *text, const char *end)
{
	struct own *own = im->own;
	const char *at = end;
	uint64_t ns;

	while (at > text && ((at[-1] >= '0' && at[-1] <= '9') || at[-1] == '.'))
		at--;
	if (import_seconds(&at, "", &ns) && at == end)
		own->last_ns = ns;
	im->ns = own->last_ns;
}

static void line(struct import *im, char *text)
{
	static const char *const names[] = { ": kvm_mmio:", ": kvm_pio:",
					     ": kvm_exit:", ": kvm_set_irq:" };
	const char *at = NULL, *lost;
	unsigned int i;
	struct task *t;
	uint64_t n;

	lost = strstr(text, "[LOST ");
	if (lost && import_number(&lost, "[LOST ", &n) &&
	    import_word(&lost, " EVENTS")) {
		import_lost(im, n);
		return;
	}
	for (i = 0; i < ARRAY_LEN(names) && !at; i++)
		at = strstr(text, names[i]);
	if (!at)
		return;
	i--;
	t = task_of(im, text, at);
	take_time(im, text, at);
	at += strlen(names[i]);
	at += strspn(at, " ");
	if (i == 0)
		mmio_line(im, at, t);
	else if (i == 1)
		pio_line(im, at, t);
	else if (i == 2)
		exit_line(at, t);
	else
		irq_line(im, at);
}

const struct import_format import_kvm = {
	.name = "kvm",
	.what = "KVM's trace points kvm_mmio and kvm_pio, from ftrace",
	.own_size = sizeof(struct own),
	.has_times = true,
	.line = line,
};
