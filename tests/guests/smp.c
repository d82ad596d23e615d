/* SPDX-License-Identifier: MIT */
/*
 * smp.c: does a second processor start, and share memory with the first?
 *
 * Both add to one counter and each waits for the other to have done its part.
 * With the option `again` all that once more, after a reset of the machine.
 */

#include "guest.h"
#include "smp.h"

#define APIC 0xfee00000u
#define APIC_ID 0x020
#define APIC_SVR 0x0f0
#define APIC_ICR 0x300
#define APIC_ICR_HIGH 0x310
#define ICR_PENDING 0x1000u
#define ICR_INIT 0x000c4500u  /* all but self, assert, INIT */
#define ICR_START 0x000c4600u /* all but self, assert, start-up */

#define ROUNDS 1000
#define TIMEOUT_MS 5000

extern const char ap_code[]; /* ap.S */
extern const char ap_code_end[];
void ap_main(void);

static uint64_t counter;
static uint32_t ap_apic_id;
static uint32_t ap_state; /* 1: running, 2: done */
static uint32_t go;

static uint32_t apic_read(uint32_t reg)
{
	return *(volatile uint32_t *)(uintptr_t)(APIC + reg);
}

static void apic_write(uint32_t reg, uint32_t v)
{
	*(volatile uint32_t *)(uintptr_t)(APIC + reg) = v;
}

static void add_rounds(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
}

void ap_main(void)
{
	ap_apic_id = apic_read(APIC_ID) >> 24;
	__atomic_store_n(&ap_state, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		pause();
	add_rounds();
	__atomic_store_n(&ap_state, 2, __ATOMIC_RELEASE);
}

static void send(uint32_t command)
{
	apic_write(APIC_ICR, command);
	while (apic_read(APIC_ICR) & ICR_PENDING)
		pause();
}

static void await_state(uint32_t state)
{
	uint64_t end = now_ms() + TIMEOUT_MS;

	while (__atomic_load_n(&ap_state, __ATOMIC_ACQUIRE) != state) {
		if (now_ms() >= end)
			fail("the second processor is not in state %u", state);
		pause();
	}
}

void guest_main(void)
{
	guest_start();
	memcpy((void *)AP_BASE, ap_code, (size_t)(ap_code_end - ap_code));
	apic_write(APIC_SVR, 0x1ff); /* on, spurious vector 0xff */
	apic_write(APIC_ICR_HIGH, 0);
	send(ICR_INIT);
	delay_us(10000);
	send(ICR_START | AP_BASE >> 12);
	await_state(1);
	say("smp: processor %u started\n", ap_apic_id);
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	add_rounds();
	await_state(2);
	say("smp: counter %lu\n", counter);
	if (counter != 2 * ROUNDS || ap_apic_id == apic_read(APIC_ID) >> 24)
		fail("counter or processor is wrong");
	if (option("again") && !cmos_read(0x40)) {
		cmos_write(0x40, 1);
		say("smp: resetting the machine\n");
		outb(0x64, 0xfe);
		fail("still running");
	}
	succeed();
}
