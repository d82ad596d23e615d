/* SPDX-License-Identifier: MIT */
/*
 * trap.S: entry points for exceptions and interrupts, without IRET.
 *
 * Some KVMs emulate ring 0 and lack IRET in long mode.  An interrupt here
 * returns by RET to the code it interrupted, in the same ring on the same
 * stack, with interrupts off.  So `sti; hlt` waits for one interrupt, and
 * a level-triggered line that is still up cannot interrupt for ever.
 */

	.code64
	.text

/* Exceptions end the guest: trap_report() does not return. */
	.balign 16
	.globl trap_stubs
trap_stubs:
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, \
		16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	.balign 16
	/* Vectors 8, 10 to 14, 17 and 21 push an error code themselves. */
	.if ((0x00227d00 >> \n) & 1) == 0
	pushq $0
	.endif
	pushq $\n
	jmp exception_common
	.endr

	.balign 64
	.globl irq_stubs
irq_stubs:
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign 64
	pushq %rax
	incl irq_counts + 4 * \n
	movb $0x20, %al			/* end of interrupt */
	.if \n >= 8
	outb %al, $0xa0
	.endif
	outb %al, $0x20
	popq %rax
	jmp interrupt_return
	.endr

exception_common:
	movq %rsp, %rdi
	cld
	andq $-16, %rsp
	call trap_report
	ud2

/*
 * On the stack: rip cs rflags rsp ss.  The interrupted code has no red zone,
 * so rip and rflags can be laid just below its stack pointer; the processor
 * left at least 16 bytes there (the slots of rsp and ss).
 */
interrupt_return:
	pushq %rax
	pushq %rbx
	movq 40(%rsp), %rax		/* rsp */
	movq 16(%rsp), %rbx		/* rip */
	movq %rbx, -8(%rax)
	movq 32(%rsp), %rbx		/* rflags */
	andq $~0x200, %rbx		/* interrupts stay off */
	movq %rbx, -16(%rax)
	subq $16, %rax
	movq %rax, 24(%rsp)		/* in place of cs */
	popq %rbx
	popq %rax
	movq 8(%rsp), %rsp
	popfq
	ret

	.section .note.GNU-stack, "", @progbits
