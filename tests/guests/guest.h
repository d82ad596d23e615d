/* SPDX-License-Identifier: MIT */
/*
 * guest.h: what every test guest may use; there is no C library.
 *
 * A guest defines guest_main(), which calls guest_start() first and ends in
 * succeed() or fail().  Interrupts are off except inside irq_wait().
 */

#ifndef GUEST_H
#define GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The test's verdict goes here; QEMU's isa-debug-exit can listen too. */
#define EXIT_PORT 0xf4

/* ---- ports ---- */

static inline uint8_t inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline void outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

/* Move (n) units of 2 or 4 bytes: one exit to the monitor where KVM batches. */
static inline void insw(uint16_t port, void *to, size_t n)
{
	__asm__ volatile("rep insw" : "+D"(to), "+c"(n) : "d"(port) : "memory");
}

static inline void insl(uint16_t port, void *to, size_t n)
{
	__asm__ volatile("rep insl" : "+D"(to), "+c"(n) : "d"(port) : "memory");
}

static inline void outsb(uint16_t port, const void *from, size_t n)
{
	__asm__ volatile("rep outsb"
			 : "+S"(from), "+c"(n)
			 : "d"(port)
			 : "memory");
}

static inline void outsw(uint16_t port, const void *from, size_t n)
{
	__asm__ volatile("rep outsw"
			 : "+S"(from), "+c"(n)
			 : "d"(port)
			 : "memory");
}

static inline void outsl(uint16_t port, const void *from, size_t n)
{
	__asm__ volatile("rep outsl"
			 : "+S"(from), "+c"(n)
			 : "d"(port)
			 : "memory");
}

/* A byte of the clock chip's memory: the only thing that a reset leaves. */
static inline uint8_t cmos_read(uint8_t index)
{
	outb(0x70, index);
	return inb(0x71);
}

static inline void cmos_write(uint8_t index, uint8_t value)
{
	outb(0x70, index);
	outb(0x71, value);
}

/* ---- boot.c: what the monitor told us ---- */

struct memory_range {
	uint64_t addr;
	uint64_t size;
	uint32_t type; /* 1 is usable RAM, as in E820 */
};

struct boot {
	const char *protocol; /* "pvh" or "multiboot" */
	char options[512];
	struct memory_range map[16];
	uint32_t map_len;
};

extern struct boot boot;

/* Read the start information, set up serial port, traps and time. */
void guest_start(void);

/* The value of `name=value` on the command line, "" for a bare `name`, or
 * NULL.  It ends at the next blank: use option_copy() for a C string. */
const char *option(const char *name);
bool option_is(const char *name, const char *value);
bool option_copy(const char *name, char *to, size_t size);
uint32_t option_number(const char *name, uint32_t otherwise);

/* ---- lib.c ---- */

/* printf to the serial port: %s %c %u %x %02x %08x %lx %lu %d, and ours:
 * %I an IPv4 address (uint32_t, host order), %M a MAC (const uint8_t *). */
void say(const char *format, ...);
void say_args(const char *format, va_list args);

/* End the guest: a last line, then the exit port. */
void guest_exit(uint8_t status) __attribute__((noreturn));
void succeed(void) __attribute__((noreturn));
void fail(const char *format, ...) __attribute__((noreturn));

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

/* "10.0.2.2" to a number; false if it is none.  A blank ends it too. */
bool parse_ip(const char *s, uint32_t *ip);
uint64_t parse_hex(const char *s);

/* ---- time.c: real time, from the PIT or a TSC measured against it ---- */

void time_start(void);
uint64_t now_us(void);
uint64_t now_ms(void);
void delay_us(uint64_t us);
static inline void pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* ---- irq.c ---- */

extern volatile uint32_t irq_counts[16]; /* interrupts taken, by PIC line */

/* Exceptions are reported and end the guest. */
void trap_start(void);
void trap_gate(unsigned int vector, const char *handler);

/* Set up the PIC.  False if this machine delivers no interrupt at all. */
bool irq_start(void);

/* Let PIC line (line) through; level triggered, as PCI wants. */
void irq_enable(uint8_t line);

/* Take a pending interrupt, if there is one. */
void irq_window(void);

/* Sleep until an interrupt; the timer's comes within 55 ms. */
void irq_wait(void);

/* ---- ring3.c ---- */

extern bool ring3; /* we run in ring 3, where no interrupt can be taken */

/* Go on in ring 3, with all ports and all memory: guest_start() does it for
 * the option `ring3`.  Some KVMs emulate ring 0, instruction by instruction,
 * and run ring 3 natively: ALU code is a hundred times faster there, and
 * exits are slower. */
void ring3_enter(void);

#endif /* GUEST_H */
