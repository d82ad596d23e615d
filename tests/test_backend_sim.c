/* SPDX-License-Identifier: MIT */
/*
 * test_backend_sim.c: a simulated card behind backend.h, with its hardware
 * thread and a network: what the gate sees of it.
 */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "dmm/load.h"
#include "vmm/backend.h"
#include "vmm/sim_ne2k.h"

#define START (CR_RD2 | CR_STA)

struct card {
	struct tree *tree;
	struct backend *be;
};

static int open_card(struct card *card, const char *text, char **why)
{
	const struct backend_ops *ops = backend_find("sim");
	const struct node *root;
	struct diag diag;

	assert_non_null(ops);
	diag_init(&diag, "test");
	assert_int_equal(
		load_yaml(&card->tree, &root, text, strlen(text), &diag), 0);
	diag_fini(&diag);
	return ops->open(&card->be, root, 0x10ec, 0x8029, why);
}

static void close_card(struct card *card)
{
	card->be->ops->close(card->be);
	load_free(card->tree);
}

static uint8_t in(struct card *card, unsigned int off)
{
	return (uint8_t)card->be->ops->read(card->be, 0, off, 1);
}

static void out(struct card *card, unsigned int off, unsigned int value)
{
	card->be->ops->write(card->be, 0, off, 1, value);
}

static void bring_up(struct card *card)
{
	out(card, 0, CR_RD2 | CR_STP);
	out(card, P0_DCR, DCR_LS | DCR_WTS);
	out(card, P0_RCR, RCR_AB);
	out(card, P0_TCR, 0);
	out(card, P0_PSTART, 0x46);
	out(card, P0_PSTOP, 0x80);
	out(card, P0_BNRY, 0x46);
	out(card, 0, CR_RD2 | CR_STP | 0x40);
	out(card, P1_CURR & 15, 0x47);
	out(card, 0, CR_RD2 | CR_STP);
	out(card, P0_ISR, 0xff);
	out(card, 0, START);
}

static void remote(struct card *card, unsigned int addr, unsigned int len,
		   unsigned int rd)
{
	out(card, P0_RBCR0, len & 0xff);
	out(card, P0_RBCR1, len >> 8);
	out(card, P0_RSAR0, addr & 0xff);
	out(card, P0_RSAR1, addr >> 8);
	out(card, 0, CR_STA | rd);
}

static void put_frame(struct card *card, uint8_t *frame, size_t len)
{
	memset(frame, 0xff, 6);
	for (size_t i = 6; i < len; i++)
		frame[i] = (uint8_t)i;
	remote(card, 0x4000, (unsigned int)len, CR_RD_WRITE);
	card->be->ops->write_string(card->be, 0, NE2K_DATA, 2, frame, len / 2);
	out(card, 0, START);
}

static void transmit(struct card *card, size_t len)
{
	out(card, P0_TPSR, 0x40);
	out(card, P0_TBCR0, len & 0xff);
	out(card, P0_TBCR1, (unsigned int)len >> 8);
	out(card, 0, START | CR_TXP);
}

/* Wait until all of (bits) are in ISR. */
static void wait_isr(struct card *card, unsigned int bits)
{
	struct pollfd fd = { .fd = card->be->irq_fd, .events = POLLIN };
	uint64_t n;

	for (unsigned int i = 0; i < 200; i++) {
		if ((in(card, P0_ISR) & bits) == bits)
			return;
		if (poll(&fd, 1, 10) > 0)
			assert_int_equal(read(fd.fd, &n, sizeof(n)), 8);
	}
	fail_msg("ISR is %#x after 2 s", in(card, P0_ISR));
}

/* Out by one thread, back by another, and the line tells of it. */
static void test_round_trip(void **state)
{
	struct card card = { 0 };
	uint8_t frame[200], got[204];
	char *why = NULL;
	uint64_t n;

	(void)state;
	assert_int_equal(open_card(&card, "network: loop", &why), 0);
	bring_up(&card);
	assert_false(card.be->ops->irq_level(card.be));
	put_frame(&card, frame, sizeof(frame));
	out(&card, P0_ISR, 0xff);
	out(&card, P0_IMR, ISR_PTX | ISR_PRX);
	transmit(&card, sizeof(frame));
	wait_isr(&card, ISR_PTX | ISR_PRX);
	assert_false(in(&card, 0) & CR_TXP);
	assert_true(card.be->ops->irq_level(card.be));
	while (read(card.be->irq_fd, &n, sizeof(n)) == 8)
		continue;
	remote(&card, 0x4700, sizeof(got), CR_RD_READ);
	card.be->ops->read_string(card.be, 0, NE2K_DATA, 4, got,
				  sizeof(got) / 4);
	assert_memory_equal(got + 4, frame, sizeof(frame));
	out(&card, P0_ISR, 0xff);
	assert_false(card.be->ops->irq_level(card.be));
	assert_int_equal(read(card.be->irq_fd, &n, sizeof(n)), 8);
	close_card(&card);
}

/* A short frame is padded by whoever sent it: a runt is not heard of. */
static void test_padding(void **state)
{
	struct card card = { 0 };
	uint8_t frame[20], got[64];
	char *why = NULL;

	(void)state;
	assert_int_equal(open_card(&card, "network: loop", &why), 0);
	bring_up(&card);
	put_frame(&card, frame, sizeof(frame));
	transmit(&card, sizeof(frame));
	wait_isr(&card, ISR_PTX | ISR_PRX);
	remote(&card, 0x4700, sizeof(got), CR_RD_READ);
	card.be->ops->read_string(card.be, 0, NE2K_DATA, 2, got, 32);
	assert_int_equal(got[2], 64);
	assert_memory_equal(got + 4, frame, sizeof(frame));
	for (unsigned int i = 24; i < 64; i++)
		assert_int_equal(got[i], 0);
	close_card(&card);
}

/* At 10M the busy state is seen, and a frame takes its time. */
static void test_speed(void **state)
{
	struct card card = { 0 };
	struct timespec a, b;
	uint8_t frame[1514];
	char *why = NULL;
	int64_t ns;

	(void)state;
	assert_int_equal(
		open_card(&card, "{ network: none, speed: 10M }", &why), 0);
	bring_up(&card);
	put_frame(&card, frame, sizeof(frame));
	clock_gettime(CLOCK_MONOTONIC, &a);
	transmit(&card, sizeof(frame));
	assert_true(in(&card, 0) & CR_TXP);
	assert_false(in(&card, P0_ISR) & ISR_PTX);
	wait_isr(&card, ISR_PTX);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ns = (b.tv_sec - a.tv_sec) * INT64_C(1000000000) + b.tv_nsec -
	     a.tv_nsec;
	assert_true(ns >= 1538 * 800);
	close_card(&card);
}

/* The card's own address, what is not heard, a reset, and the end of a BAR. */
static void test_rest(void **state)
{
	struct card card = { 0 };
	uint8_t frame[60], prom[12], ones[4] = { 0 };
	char *why = NULL;

	(void)state;
	assert_int_equal(open_card(&card,
				   "{ network: loop, packetRam: 16K, mac: "
				   "'02:00:00:00:00:77' }",
				   &why),
			 0);
	assert_int_equal(card.be->info.bar[0].size, 32);
	bring_up(&card);
	remote(&card, 0, 12, CR_RD_READ);
	card.be->ops->read_string(card.be, 0, NE2K_DATA, 2, prom, 6);
	assert_memory_equal(prom, "\2\2\0\0\0\0\0\0\0\0\x77\x77", 12);

	out(&card, P0_RCR, 0); /* no broadcast */
	put_frame(&card, frame, sizeof(frame));
	transmit(&card, sizeof(frame));
	for (unsigned int i = 0; i < 200 && !card.be->ops->unheard(card.be);
	     i++)
		usleep(10000);
	assert_int_equal(card.be->ops->unheard(card.be), 1);

	assert_int_equal(card.be->ops->read(card.be, 0, 30, 4), 0xffffffff);
	assert_int_equal(card.be->ops->read(card.be, 1, 0, 1), 0xff);
	assert_int_equal(card.be->ops->read(card.be, 7, 0, 2), 0xffff);
	assert_true(card.be->ops->read(card.be, 0, 32, 8) == UINT64_MAX);
	card.be->ops->write(card.be, 9, 0, 1, 0);
	card.be->ops->read_string(card.be, 3, 0, 2, ones, 2);
	assert_memory_equal(ones, "\xff\xff\xff\xff", 4);
	card.be->ops->write_string(card.be, 3, 0, 2, ones, 2);

	assert_int_equal(card.be->ops->reset(card.be), 0);
	assert_int_equal(in(&card, 0), 0x21);
	close_card(&card);
}

/* Closed while it sends as fast as it can. */
static void test_close_busy(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		struct card card = { 0 };
		uint8_t frame[60];
		char *why = NULL;

		assert_int_equal(open_card(&card, "network: loop", &why), 0);
		bring_up(&card);
		put_frame(&card, frame, sizeof(frame));
		for (unsigned int j = 0; j < 50; j++)
			transmit(&card, sizeof(frame));
		close_card(&card);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "{ network: loop, mac: 1 }", "mac" },
		{ "{ network: loop, speed: 1G }", "speed" },
		{ "{ network: loop, packetRam: 17K }", "16K or 32K" },
		{ "{ network: loop, packetRam: 0 }", "16K or 32K" },
		{ "{ network: nowhere }", "nowhere" },
	};
	struct backend *be;
	char *why = NULL;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_LEN(bad); i++) {
		struct card card = { 0 };

		assert_int_equal(open_card(&card, bad[i].text, &why), -EINVAL);
		if (!strstr(why, bad[i].says))
			fail_msg("%s: said \"%s\"", bad[i].text, why);
		free(why);
		load_free(card.tree);
	}
	assert_int_equal(backend_sim.open(&be, NULL, 0x1234, 0x5678, &why),
			 -ENODEV);
	assert_non_null(strstr(why, "1234:5678"));
	free(why);
	assert_null(backend_find("nothing"));
	assert_string_equal(backend_names[0], "sim");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_speed),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_close_busy),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
