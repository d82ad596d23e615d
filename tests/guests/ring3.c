/* SPDX-License-Identifier: MIT */
/*
 * ring3.c: leave ring 0 for ring 3 without leaving the function.
 *
 * By SYSEXIT, which a KVM that emulates ring 0 knows, as it does not know IRET.
 * AMD's processors have no SYSEXIT in long mode: the exception goes on by IRET.
 * The ports are opened by the task's map: POPF to IOPL 3 does not last there.
 */

#include "guest.h"

#define MSR_SYSENTER_CS 0x174
#define SYSEXIT_BASE 0x08 /* SYSEXIT loads cs and ss from 32 and 40 further */
#define TASK_SELECTOR 0x38
#define VECTOR_UD 6
#define TRAP_STUB_LEN 16

/* 64-bit task state segment: where a trap from ring 3 finds its stack. */
struct task {
	uint32_t reserved;
	uint64_t rsp[3];
	uint64_t unused[9];
	uint16_t reserved2;
	uint16_t map_at;
	uint8_t map[65536 / 8]; /* a 0 lets ring 3 use the port */
	uint8_t map_end;	/* all ones */
} __attribute__((packed));

extern uint64_t gdt_task[2]; /* start.S */
extern char trap_stubs[];    /* trap.S */
extern char ring3_by_iret[];

bool ring3;

static struct task task;
static uint8_t trap_stack[4096] __attribute__((aligned(16)));

/* On the stack: rip cs rflags rsp ss. */
__asm__(".text\n"
	"ring3_by_iret:\n"
	"	movq %rdx, (%rsp)\n"
	"	movq $0x2b, 8(%rsp)\n"
	"	movq $0x33, 32(%rsp)\n"
	"	iretq\n");

static void set_task(void)
{
	uint64_t base = (uintptr_t)&task;

	task.rsp[0] = (uintptr_t)trap_stack + sizeof(trap_stack);
	task.map_at = offsetof(struct task, map);
	task.map_end = 0xff;
	gdt_task[0] = (sizeof(task) - 1) | (base & 0xffffff) << 16 |
		      0x89ull << 40 | /* present, available 64-bit TSS */
		      (base >> 24 & 0xff) << 56;
	gdt_task[1] = base >> 32;
	__asm__ volatile("ltr %0" : : "r"((uint16_t)TASK_SELECTOR) : "memory");
}

void ring3_enter(void)
{
	set_task();
	__asm__ volatile("wrmsr"
			 :
			 : "a"(SYSEXIT_BASE), "d"(0), "c"(MSR_SYSENTER_CS));
	trap_gate(VECTOR_UD, ring3_by_iret);
	__asm__ volatile("movq %%rsp, %%rcx\n\t"
			 "leaq 1f(%%rip), %%rdx\n\t"
			 ".byte 0x48, 0x0f, 0x35\n" /* SYSEXIT, to 64 bits */
			 "1:"
			 :
			 :
			 : "rcx", "rdx", "memory", "cc");
	trap_gate(VECTOR_UD, trap_stubs + VECTOR_UD * TRAP_STUB_LEN);
	ring3 = true;
}
