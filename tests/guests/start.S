/* SPDX-License-Identifier: MIT */
/*
 * start.S: from the monitor's entry (PVH or multiboot) to C in long mode.
 *
 * Both protocols enter in 32-bit protected mode, paging off, flat segments.
 *   PVH        ebx = struct hvm_start_info      entry from the ELF note
 *   multiboot  ebx = multiboot information      entry from the ELF header,
 *              eax = 0x2badb002
 * We map the first 4 GiB one to one with 2 MiB pages and call guest_main().
 * Processor 0 comes through here once; ap.S joins at enter_long.
 */

#define CS64 0x08
#define CS32 0x18
#define DS32 0x10

	.section .boot, "ax"

#ifndef NO_MULTIBOOT
	.balign 4
	.long 0x1badb002		/* magic */
	.long 0x00000002		/* flags: we want the memory map */
	.long -(0x1badb002 + 0x00000002)
#endif

	.code32
	.globl entry_multiboot
entry_multiboot:
	cmpl $0x2badb002, %eax
	jne entry_pvh
	movl $1, boot_protocol
	jmp start32

entry_pvh:
	movl $2, boot_protocol

start32:
	cli
	cld
	movl %ebx, boot_info
	lgdt gdt_pointer
	ljmp $CS32, $1f
1:	movl $DS32, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $stack_top, %esp

	/* The loader cleared .bss, so only used entries are written. */
	movl $pdpt + 7, pml4		/* present, writable, user */
	movl $page_directories + 7, %eax
	movl $pdpt, %edi
	movl $4, %ecx
2:	movl %eax, (%edi)
	addl $4096, %eax
	addl $8, %edi
	decl %ecx
	jnz 2b

	movl $0x87, %eax		/* and 2 MiB large */
	movl $page_directories, %edi
	movl $2048, %ecx
3:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	decl %ecx
	jnz 3b

	movl $start64, %esi
	/* falls through */

/* In: protected mode, our GDT, esi = where to go on in long mode. */
	.globl enter_long
enter_long:
	movl %cr4, %eax
	orl $0x20, %eax			/* PAE */
	movl %eax, %cr4
	movl $pml4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx		/* EFER */
	rdmsr
	orl $0x100, %eax		/* LME */
	wrmsr
	movl %cr0, %eax
	orl $0x80000001, %eax		/* PG, PE */
	movl %eax, %cr0
	ljmp $CS64, $1f

	.code64
1:	movl $DS32, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %esi, %esi			/* the upper half is undefined */
	jmp *%rsi

start64:
	movl $stack_top, %esp
	xorl %ebp, %ebp
	call guest_main
	ud2

	.section .data
	.balign 8
	.globl gdt
gdt:
	.quad 0
	.quad 0x00af9a000000ffff	/* CS64 */
	.quad 0x00cf92000000ffff	/* DS32 */
	.quad 0x00cf9a000000ffff	/* CS32 */
	.quad 0				/* from here on for ring3.c */
	.quad 0x00affa000000ffff	/* 0x28: ring 3's code */
	.quad 0x00cff2000000ffff	/* 0x30: ring 3's data */
	.globl gdt_task
gdt_task:
	.quad 0, 0			/* 0x38: the task state segment */
	.globl gdt_pointer
gdt_pointer:
	.word gdt_pointer - gdt - 1
	.long gdt

	.section .note.pvh, "a", @note
	.balign 4
	.long 4				/* name size */
	.long 8				/* descriptor size */
	.long 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad entry_pvh

	.section .data
	.globl boot_info, boot_protocol
boot_info:
	.long 0
boot_protocol:
	.long 0

	.section .bss
	.balign 4096
pml4:
	.skip 4096
pdpt:
	.skip 4096
page_directories:
	.skip 4 * 4096
	.skip 16384
stack_top:

	.section .note.GNU-stack, "", @progbits
