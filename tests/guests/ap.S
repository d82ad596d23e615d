/* SPDX-License-Identifier: MIT */
/*
 * ap.S: where a second processor starts: real mode at AP_BASE, then as start.S.
 *
 * smp.c copies ap_code below 1 MiB and sends a start-up interrupt there.
 */

#include "smp.h"

	.section .rodata
	.code16
	.globl ap_code, ap_code_end
ap_code:
	cli
	cld
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl AP_BASE + (ap_gdt_pointer - ap_code)
	movl %cr0, %eax
	orl $1, %eax			/* PE */
	movl %eax, %cr0
	ljmpl $0x18, $ap32		/* CS32 of start.S */
	.balign 4
ap_gdt_pointer:
	.word 0x1f
	.long gdt
ap_code_end:

	.text
	.code32
ap32:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $ap64, %esi
	jmp enter_long

	.code64
ap64:
	movl $ap_stack_top, %esp
	xorl %ebp, %ebp
	call ap_main
1:	cli
	hlt
	jmp 1b

	.section .bss
	.balign 16
	.skip 4096
ap_stack_top:

	.section .note.GNU-stack, "", @progbits
