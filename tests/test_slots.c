// SPDX-License-Identifier: MIT
/*
 * test_slots.c: transmit descriptors that are registers, and rings of bytes,
 * by models/rtl8139.yaml and a device that is no more than a memory.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stub.h"

#define AREA UINT64_C(0x1000000)
/* RTL8139C(L) data sheet, 6 */
#define TSD 0x10u
#define TSAD 0x20u
#define RBSTART 0x30u
#define CR 0x37u
#define CAPR 0x38u
#define CBR 0x3au
#define IMR 0x3cu
#define ISR 0x3eu
#define TCR 0x40u
#define RCR 0x44u
#define MPC 0x4cu
#define EECR 0x50u
#define TSALL 0x60u

#define OWN 0x2000u
#define TOK 0x8000u
#define BUFFER 0x1000u /* of guests: all have one memory here */
#define RING 0x4000u
#define WRAP 0x80u
#define START (8u | 2u) /* RCR: AB, APM; 8 KiB */

static struct stub s;
static uint8_t mac[2][6] = { { 0x52, 0x54, 0, 0, 0, 10 },
			     { 0x52, 0x54, 0, 0, 0, 11 } };
static const uint8_t outside[6] = { 0x52, 0x55, 0, 0, 0, 1 };
static const uint8_t everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void load(void)
{
	char *text = calloc(1, 1 << 16);
	FILE *f = fopen("models/rtl8139.yaml", "re");

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
	fclose(f);
	stub_model(&s, text);
	free(text);
	s.keeps = true;
	s.conf.area.iova = AREA;
	s.conf.antispoof = true;
}

static void guest_start(unsigned int g, uint32_t rcr)
{
	stub_write_as(&s, g, 0, RBSTART, 4, RING);
	stub_write_as(&s, g, 0, CR, 1, 0x0c);
	stub_write_as(&s, g, 0, RCR, 4, rcr);
	stub_write_as(&s, g, 0, IMR, 2, 0xffff);
}

static int setup(void **state)
{
	(void)state;
	load();
	stub_open(&s, DMM_MERGE, 2);
	s.says[0][ISR] = s.says[0][ISR + 1] = 0;
	guest_start(0, START);
	guest_start(1, START);
	stub_log(&s);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stub_close(&s);
	return 0;
}

static void make(uint8_t *p, const uint8_t *to, const uint8_t *from, size_t len)
{
	memset(p, 0x5a, len);
	memcpy(p, to, 6);
	memcpy(p + 6, from, 6);
}

static void give(unsigned int g, unsigned int slot, uint32_t at, uint32_t len)
{
	stub_write_as(&s, g, 0, TSAD + 4 * slot, 4, at);
	stub_write_as(&s, g, 0, TSD + 4 * slot, 4, len);
}

static uint32_t says(unsigned int off)
{
	uint32_t v;

	memcpy(&v, &s.says[0][off], sizeof(v));
	return v;
}

/* The device has sent what is in its slot. */
static void device_sends(unsigned int slot)
{
	s.says[0][TSD + 4 * slot + 1] |= (OWN | TOK) >> 8;
	dmm_interrupt(s.dmm, true);
}

/* ---- slots ---- */

static void device_sees_a_copy(void **state)
{
	uint8_t *copy;

	(void)state;
	make(s.memory + BUFFER, outside, mac[0], 100);
	give(0, 0, BUFFER, 100);
	copy = s.conf.area.host + (says(TSAD) - AREA);
	assert_true(cc_within(says(TSAD), 2048, AREA, s.conf.area.size));
	assert_memory_equal(copy, s.memory + BUFFER, 100);
	/* early transmit is the model's, the rest the guest's */
	assert_int_equal(says(TSD), 100 | 8u << 16);
	s.memory[BUFFER + 6] = 0x66;
	assert_int_equal(copy[6], 0x52);
	/* the address comes before what gives it */
	assert_true(strstr(s.log, "w0+20.4") < strstr(s.log, "w0+10.4"));
	/* the guest's own is not done, and then it is */
	assert_int_equal(stub_read(&s, 0, TSD, 4), 100);
	assert_int_equal(stub_read(&s, 0, TSAD, 4), BUFFER);
	device_sends(0);
	assert_int_equal(stub_read(&s, 0, TSD, 4) & 0xffff, 100 | OWN | TOK);
	assert_int_equal(stub_read(&s, 0, ISR, 2), 4);
	assert_true(s.line[0] && !s.line[1]);
	assert_int_equal(stub_read(&s, 0, TSALL, 2), 0x100f);
	stub_write(&s, 0, ISR, 2, 4);
	assert_false(s.line[0]);
}

static void slots_take_turns(void **state)
{
	(void)state;
	make(s.memory + BUFFER, outside, mac[0], 200);
	give(0, 1, BUFFER, 61);
	give(0, 3, BUFFER, 63);
	assert_string_equal(stub_log(&s), "");
	give(0, 0, BUFFER, 60); /* and now its successor, too */
	assert_int_equal(says(TSD) & 0x1fff, 60);
	assert_int_equal(says(TSD + 4) & 0x1fff, 61);
	assert_int_equal(says(TSD + 8), 0);
	give(0, 2, BUFFER, 62);
	assert_int_equal(says(TSD + 12) & 0x1fff, 63);
	/* a slot that is given again before it is free is not sent twice */
	give(0, 0, BUFFER, 70);
	assert_int_equal(says(TSD) & 0x1fff, 60);
	assert_int_equal(s.reports, 0);
}

static void guests_share_four(void **state)
{
	unsigned int i;

	(void)state;
	make(s.memory + BUFFER, outside, mac[0], 100);
	make(s.memory + BUFFER + 2048, outside, mac[1], 100);
	for (i = 0; i < 4; i++)
		give(0, i, BUFFER, 100 + i);
	give(1, 0, BUFFER + 2048, 90);
	assert_int_equal(stub_read_as(&s, 1, 0, TSD, 4), 90);
	assert_int_equal(says(TSD) & 0x1fff, 100);
	device_sends(0); /* its place is the next guest's */
	assert_int_equal(says(TSD) & 0x1fff, 90);
	assert_int_equal(stub_read(&s, 0, TSD, 4) & TOK, TOK);
	assert_int_equal(stub_read_as(&s, 1, 0, TSD, 4) & TOK, 0);
	for (i = 1; i < 5; i++)
		device_sends(i % 4);
	assert_int_equal(stub_read_as(&s, 1, 0, TSD, 4) & TOK, TOK);
}

static void refusals(void **state)
{
	(void)state;
	make(s.memory + BUFFER, outside, mac[1], 100);
	give(0, 0, BUFFER, 100);
	assert_int_equal(s.report.offence, DMM_SPOOFED);
	assert_int_equal(stub_read(&s, 0, TSD, 4), 100 | OWN | TOK);
	assert_int_equal(stub_read(&s, 0, ISR, 2), 0xc);
	give(0, 1, STUB_MEMORY - 50, 100);
	assert_int_equal(s.report.offence, DMM_REFUSED);
	assert_int_equal(s.report.address, STUB_MEMORY - 50);
	give(0, 2, 0, 2049);
	assert_int_equal(s.reports, 3);
	give(0, 3, 0, 10); /* shorter than its addresses */
	assert_int_equal(s.reports, 3);
	assert_int_equal(
		says(TSD) | says(TSD + 4) | says(TSD + 8) | says(TSD + 12), 0);
}

/* A long one spoils what the device was given behind it: others' frames. */
static void no_long_frame(void **state)
{
	(void)state;
	make(s.memory + BUFFER, outside, mac[0], 2048);
	give(0, 0, BUFFER, 1793);
	assert_int_equal(s.reports, 1);
	assert_string_equal(s.report.name, "slots");
	assert_int_equal(says(TSD), 0);
	give(0, 1, BUFFER, 1792);
	assert_int_equal(s.reports, 1);
	assert_int_equal(says(TSD) & 0x1fff, 1792);
}

/* What the device has is of a guest that began anew. */
static void reset_forgets(void **state)
{
	(void)state;
	make(s.memory + BUFFER, outside, mac[0], 100);
	give(0, 0, BUFFER, 100);
	stub_write(&s, 0, CR, 1, 0x10);
	assert_int_equal(stub_read(&s, 0, TSD, 4), OWN);
	guest_start(0, START);
	device_sends(0);
	assert_int_equal(stub_read(&s, 0, TSD, 4), OWN);
	assert_int_equal(stub_read(&s, 0, ISR, 2), 0);
	give(0, 0, BUFFER, 80); /* from the first slot on */
	assert_int_equal(says(TSD + 4) & 0x1fff, 80);
}

static void siblings_and_loopback(void **state)
{
	struct dmm_guest_stats stats;

	(void)state;
	make(s.memory + BUFFER, mac[1], mac[0], 100);
	give(0, 0, BUFFER, 100);
	assert_int_equal(says(TSD), 0);
	assert_int_equal(stub_read(&s, 0, TSD, 4), 100 | OWN | TOK);
	dmm_guest_stats(s.dmm, 1, &stats);
	assert_int_equal(stats.frames_received, 1);
	make(s.memory + BUFFER, mac[0], mac[0], 100);
	stub_write(&s, 0, TCR, 4, 3u << 17);
	give(0, 1, BUFFER, 100);
	assert_int_equal(says(TSD + 4) | says(TSD), 0);
	dmm_guest_stats(s.dmm, 0, &stats);
	assert_int_equal(stats.frames_received, 1);
}

/* Four slots' addresses have 32 bits. */
static void area_is_reached(void **state)
{
	(void)state;
	load();
	s.conf.area.iova = UINT64_C(0x100000000) - 4096;
	assert_int_equal(stub_try(&s, DMM_MERGE, 2), -EINVAL);
	s.conf.area.iova = UINT64_C(0x100000000) - dmm_model_area(s.model);
	stub_open(&s, DMM_MERGE, 2);
	stub_close(&s);
}

/* ---- rings of bytes ---- */

static uint32_t device_at; /* where the device writes next */

static void put_header(uint32_t at, uint32_t status, uint32_t len)
{
	uint32_t v = status | len << 16;

	memcpy(s.dmm->rx_buffer + at, &v, sizeof(v));
}

static void set_cbr(uint32_t at)
{
	s.says[0][CBR] = (uint8_t)at;
	s.says[0][CBR + 1] = (uint8_t)(at >> 8);
	dmm_interrupt(s.dmm, true);
}

static void arrive(const uint8_t *to, size_t len)
{
	put_header(device_at, 1, (uint32_t)len + 4);
	make(s.dmm->rx_buffer + device_at + 4, to, outside, len);
	device_at = (uint32_t)(device_at + 4 + len + 4 + 3) & ~3u;
	device_at %= s.dmm->rx_size;
	set_cbr(device_at);
}

static unsigned int cr(void)
{
	return (unsigned int)stub_read(&s, 0, CR, 1);
}

static void frames_follow(void **state)
{
	uint32_t header;

	(void)state;
	device_at = 0;
	assert_int_equal(cr(), 0x0d); /* empty */
	arrive(mac[0], 101);
	assert_int_equal(cr(), 0x0c);
	assert_true(s.line[0] && !s.line[1]);
	memcpy(&header, s.memory + RING, 4);
	assert_int_equal(header, 0x4001 | 105u << 16); /* PAM, ROK */
	assert_memory_equal(s.memory + RING + 4, mac[0], 6);
	assert_int_equal(stub_read(&s, 0, CBR, 2), 112);
	/* the device is told that it was taken, 16 bytes behind */
	assert_int_equal(says(CAPR) & 0xffff, device_at - 16);
	stub_write(&s, 0, CAPR, 2, 112 - 16);
	assert_int_equal(cr(), 0x0d);
	stub_write_as(&s, 1, 0, CR, 1, 4); /* all have one memory here */
	arrive(everyone, 60);
	memcpy(&header, s.memory + RING + 112, 4);
	assert_int_equal(header, 0x2001 | 64u << 16); /* BAR */
}

/* A frame at the end goes on at the start, or behind the end. */
static void at_the_end(void **state)
{
	uint8_t frame[1000];

	(void)state;
	device_at = 0;
	make(frame, mac[0], outside, sizeof(frame));
	s.dmm->guest[0].reg[s.model->reg[stub_reg(&s, "CBR")].slot] = 8000;
	stub_write(&s, 0, CAPR, 2, 8000 - 16);
	memset(s.memory + RING + 8192, 0xee, 2048);
	arrive(mac[0], sizeof(frame));
	assert_memory_equal(s.memory + RING + 8004, frame, 188);
	assert_memory_equal(s.memory + RING, frame + 188, 1000 - 188);
	assert_int_equal(s.memory[RING + 8192], 0xee);
	assert_int_equal(stub_read(&s, 0, CBR, 2), 8000 + 1008 - 8192);

	stub_write(&s, 0, RCR, 4, START | WRAP);
	s.dmm->guest[0].reg[s.model->reg[stub_reg(&s, "CBR")].slot] = 8000;
	stub_write(&s, 0, CAPR, 2, 8000 - 16);
	memset(s.memory + RING, 0xdd, 1000);
	arrive(mac[0], sizeof(frame));
	assert_memory_equal(s.memory + RING + 8004, frame, 1000);
	assert_int_equal(s.memory[RING], 0xdd);
	assert_int_equal(stub_read(&s, 0, CBR, 2), 8000 + 1008 - 8192);
}

static void overflow(void **state)
{
	struct dmm_guest_stats stats;
	unsigned int i;

	(void)state;
	device_at = 0;
	for (i = 0; i < 6; i++)
		arrive(mac[0], 1500);
	dmm_guest_stats(s.dmm, 0, &stats);
	assert_int_equal(stats.frames_received, 5); /* 5 * 1508 <= 8192 */
	assert_int_equal(stats.drops, 1);
	assert_int_equal(stub_read(&s, 0, MPC, 4), 1);
	assert_int_equal(stub_read(&s, 0, ISR, 2), 0x11);
	stub_write(&s, 0, CAPR, 2, 1508 - 16);
	arrive(mac[0], 1400);
	dmm_guest_stats(s.dmm, 0, &stats);
	assert_int_equal(stats.frames_received, 6);
}

static void filters(void **state)
{
	struct dmm_guest_stats stats;

	(void)state;
	device_at = 0;
	stub_write(&s, 0, RCR, 4, 8); /* broadcasts alone */
	arrive(mac[0], 100);
	arrive(everyone, 100);
	stub_write(&s, 0, RCR, 4, 2); /* its own alone */
	arrive(mac[0], 100);
	arrive(everyone, 100);
	arrive(mac[1], 100);
	dmm_guest_stats(s.dmm, 0, &stats);
	assert_int_equal(stats.frames_received, 2);
	stub_write(&s, 0, CR, 1, 4); /* not at all */
	arrive(mac[0], 100);
	dmm_guest_stats(s.dmm, 0, &stats);
	assert_int_equal(stats.frames_received, 2);
}

/* Half a frame is waited for; one that never comes ends by a reset. */
static void half_a_frame(void **state)
{
	struct dmm_guest_stats stats;
	unsigned int i;

	(void)state;
	device_at = 0;
	put_header(0, 1, 504);
	make(s.dmm->rx_buffer + 4, mac[0], outside, 500);
	set_cbr(300);
	dmm_guest_stats(s.dmm, 0, &stats);
	assert_int_equal(stats.frames_received, 0);
	s.says[0][CBR] = (uint8_t)508;
	s.says[0][CBR + 1] = 508 >> 8;
	s.now += 1000000;
	dmm_tick(s.dmm); /* without another interrupt */
	dmm_guest_stats(s.dmm, 0, &stats);
	assert_int_equal(stats.frames_received, 1);
	assert_int_equal(s.resets, 0);
	put_header(508, 0, 0xffff);
	set_cbr(700);
	for (i = 0; i < 200 && !s.resets; i++) {
		s.now += 1000000;
		dmm_tick(s.dmm);
	}
	assert_int_equal(s.resets, 1);
	assert_true(i > 10);
}

/* One that is too long for all is no reason to begin anew. */
static void long_frame(void **state)
{
	struct dmm_guest_stats stats;
	unsigned int i;

	(void)state;
	device_at = 0;
	for (i = 0; i < 100; i++) {
		put_header(device_at, 1, 4000);
		device_at = (device_at + 4004) % s.dmm->rx_size;
		set_cbr(device_at);
		s.now += 1000000;
		dmm_tick(s.dmm);
	}
	assert_int_equal(s.resets, 0);
	arrive(mac[0], 100);
	dmm_guest_stats(s.dmm, 0, &stats);
	assert_int_equal(stats.frames_received, 1);
}

/* What the device says of its ring is bounded, whatever it is. */
static void wild_device(void **state)
{
	unsigned int i;

	(void)state;
	srand(1);
	for (i = 0; i < s.dmm->rx_size; i++)
		s.dmm->rx_buffer[i] = (uint8_t)rand();
	for (i = 0; i < 3000; i++) {
		put_header((uint32_t)rand() % 32768 & ~3u, 1,
			   (uint32_t)rand() % 4000);
		set_cbr((uint32_t)rand() & 0xffff);
	}
	assert_true(s.dmm->rx_next < s.dmm->rx_size);
}

static void no_ring(void **state)
{
	(void)state;
	stub_write(&s, 0, CR, 1, 4);
	stub_write(&s, 0, RBSTART, 4, STUB_MEMORY - 8191);
	stub_write(&s, 0, CR, 1, 12);
	assert_int_equal(s.report.offence, DMM_REFUSED);
	assert_string_equal(s.report.name, "rxBytes");
	assert_int_equal(s.report.length, 8192);
	assert_int_equal(cr() & 8, 0);
	stub_write(&s, 0, RBSTART, 4, STUB_MEMORY - 8192);
	stub_write(&s, 0, CR, 1, 12);
	assert_int_equal(cr() & 8, 8);
	stub_write(&s, 0, RCR, 4, START | WRAP);
	assert_int_equal(s.report.length, 8192 + 1536);
	assert_int_equal(stub_read(&s, 0, RCR, 4), START);
}

/* ---- what else this part brought ---- */

static uint16_t words[64];
static struct microwire wire;
static uint64_t (*stub_reads)(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width);
static void (*stub_writes)(void *ctx, unsigned int space, uint64_t off,
			   unsigned int width, uint64_t value);
static bool wire_out;
static unsigned int written;

static uint64_t eeprom_read(void *ctx, unsigned int space, uint64_t off,
			    unsigned int width)
{
	return off == EECR ? wire_out : stub_reads(ctx, space, off, width);
}

static void eeprom_write(void *ctx, unsigned int space, uint64_t off,
			 unsigned int width, uint64_t value)
{
	bool tried = false;

	stub_writes(ctx, space, off, width, value);
	if (off != EECR)
		return;
	assert_true(value >> 6 == 2 || !value); /* its mode */
	wire_out = microwire_pins(&wire, value >> 3 & 1, value >> 2 & 1,
				  value >> 1 & 1, words, 64, 6, &tried);
	written += tried;
}

static void eeprom_by_pins(void **state)
{
	char *why = NULL;
	unsigned int i;

	(void)state;
	load();
	stub_open(&s, DMM_MERGE, 2);
	dmm_close(s.dmm);
	for (i = 0; i < 64; i++)
		words[i] = (uint16_t)(i * 0x1357 ^ 0x8129);
	stub_reads = s.host.read;
	stub_writes = s.host.write;
	s.host.read = eeprom_read;
	s.host.write = eeprom_write;
	assert_int_equal(dmm_open(&s.dmm, s.model, &s.conf, &s.host, &why), 0);
	assert_memory_equal(s.dmm->eeprom, words, sizeof(words));
	assert_int_equal(written, 0);
	/* a guest's has its own address at word 7 */
	for (i = 0; i < 64; i++)
		assert_int_equal(s.dmm->guest[1].eeprom[i], i == 7 ? 0x5452 :
							    i == 8 ? 0 :
							    i == 9 ? 11 << 8 :
								     words[i]);
	stub_close(&s);
}

/* A register is touched as widely as it says. */
static void widths(void **state)
{
	(void)state;
	load();
	stub_open(&s, DMM_MERGE, 2);
	s.says[0][ISR] = s.says[0][ISR + 1] = 0;
	dmm_interrupt(s.dmm, true);
	assert_string_equal(stub_log(&s), "r0+3e.2 r0+3a.2 ");
	assert_int_equal(dmm_model_revision(s.model), 0x10);
	stub_close(&s);
}

static void configuration_lock(void **state)
{
	(void)state;
	stub_write(&s, 0, 0x52, 1, 0x11);
	assert_int_equal(stub_read(&s, 0, 0x52, 1), 0);
	stub_write(&s, 0, EECR, 1, 0xc0);
	stub_write(&s, 0, 0x52, 1, 0x22);
	stub_write(&s, 0, EECR, 1, 0);
	stub_write(&s, 1, 0x52, 1, 0x33);
	assert_int_equal(stub_read(&s, 0, 0x52, 1), 0x22);
	assert_int_equal(stub_read_as(&s, 1, 0, 0x52, 1), 0);
	assert_int_equal(s.reports, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(device_sees_a_copy),
		TEST(slots_take_turns),
		TEST(guests_share_four),
		TEST(refusals),
		TEST(reset_forgets),
		TEST(siblings_and_loopback),
		cmocka_unit_test(area_is_reached),
		TEST(frames_follow),
		TEST(at_the_end),
		TEST(overflow),
		TEST(filters),
		TEST(half_a_frame),
		TEST(long_frame),
		TEST(no_long_frame),
		TEST(wild_device),
		TEST(no_ring),
		cmocka_unit_test(eeprom_by_pins),
		cmocka_unit_test(widths),
		TEST(configuration_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
