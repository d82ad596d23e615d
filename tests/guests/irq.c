/* SPDX-License-Identifier: MIT */
/*
 * irq.c: interrupt descriptor table, the two 8259s, and waiting.
 */

#include "guest.h"

#define PIC1 0x20
#define PIC2 0xa0
#define ELCR1 0x4d0 /* edge or level, a bit a line */
#define ELCR2 0x4d1
#define IRQ_VECTOR 0x20
#define CS64 0x08
#define TRAP_STUB_LEN 16
#define IRQ_STUB_LEN 64

struct gate {
	uint16_t low;
	uint16_t cs;
	uint16_t flags;
	uint16_t middle;
	uint32_t high;
	uint32_t zero;
};

struct trap_frame {
	uint64_t vector;
	uint64_t error;
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
};

extern char trap_stubs[]; /* trap.S */
extern char irq_stubs[];  /* trap.S */
void trap_report(const struct trap_frame *frame);

volatile uint32_t irq_counts[16];
static struct gate idt[48];

void trap_gate(unsigned int vector, const char *handler)
{
	uintptr_t at = (uintptr_t)handler;

	idt[vector] = (struct gate){
		.low = (uint16_t)at,
		.cs = CS64,
		.flags = 0x8e00, /* present, 64-bit interrupt gate */
		.middle = (uint16_t)(at >> 16),
		.high = (uint32_t)(at >> 32),
	};
}

void trap_start(void)
{
	struct {
		uint16_t limit;
		void *base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, idt };
	unsigned int i;

	for (i = 0; i < 32; i++)
		trap_gate(i, trap_stubs + i * TRAP_STUB_LEN);
	for (i = 0; i < 16; i++)
		trap_gate(IRQ_VECTOR + i, irq_stubs + i * IRQ_STUB_LEN);
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void trap_report(const struct trap_frame *frame)
{
	uint64_t cr2;

	__asm__ volatile("movq %%cr2, %0" : "=r"(cr2));
	fail("trap %lu error 0x%lx rip 0x%lx cr2 0x%lx", frame->vector,
	     frame->error, frame->rip, cr2);
}

static void pic_start(void)
{
	outb(PIC1, 0x11); /* ICW1: edge, cascade, ICW4 follows */
	outb(PIC2, 0x11);
	outb(PIC1 + 1, IRQ_VECTOR);
	outb(PIC2 + 1, IRQ_VECTOR + 8);
	outb(PIC1 + 1, 1 << 2); /* the second one is on line 2 */
	outb(PIC2 + 1, 2);
	outb(PIC1 + 1, 1); /* ICW4: 8086 mode */
	outb(PIC2 + 1, 1);
	outb(PIC1 + 1, 0xfa); /* timer and cascade */
	outb(PIC2 + 1, 0xff);
}

void irq_window(void)
{
	__asm__ volatile("sti; nop; nop; cli" : : : "memory", "cc");
}

void irq_wait(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory", "cc");
}

/* Our handlers return without IRET, so never to another ring.
 *
 * Not by irq_wait(): where no interrupt comes, it would never return.  A busy
 * host may stop us for longer than the timeout, so some tries come first. */
bool irq_start(void)
{
	uint64_t end = now_ms() + 300;
	int tries = 0;

	if (ring3)
		return false;
	pic_start();
	while (!irq_counts[0] && (tries++ < 5000 || now_ms() < end))
		irq_window();
	return irq_counts[0] != 0;
}

void irq_enable(uint8_t line)
{
	uint16_t elcr = line < 8 ? ELCR1 : ELCR2;
	uint16_t mask = line < 8 ? PIC1 + 1 : PIC2 + 1;
	uint8_t bit = (uint8_t)(1 << (line & 7));

	outb(elcr, inb(elcr) | bit);
	outb(mask, inb(mask) & (uint8_t)~bit);
}
