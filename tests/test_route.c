/* SPDX-License-Identifier: MIT */
/*
 * test_route.c: KVM's table of interrupts: messages are added to it, lines
 * stay what they were, and eventfds raise both.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/kvm_impl.h"

static struct hv *open_hv(void)
{
	struct hv *hv;
	char *why;

	if (!hv_open(&hv, &why))
		return hv;
	print_message("%s\n", why);
	free(why);
	skip();
	return NULL;
}

/* Which lines both PICs have seen rise. */
static uint16_t requests(struct hv *hv)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_PIC_MASTER };
	uint16_t irr;

	assert_int_equal(hv_ioctl(hv->vm, KVM_GET_IRQCHIP, &chip), 0);
	irr = chip.chip.pic.irr;
	chip.chip_id = KVM_IRQCHIP_PIC_SLAVE;
	assert_int_equal(hv_ioctl(hv->vm, KVM_GET_IRQCHIP, &chip), 0);
	return (uint16_t)(irr | chip.chip.pic.irr << 8);
}

/* KVM may do it a moment later. */
static void wait_for(struct hv *hv, uint16_t bit)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	for (int i = 0; i < 2000 && !(requests(hv) & bit); i++)
		nanosleep(&ms, NULL);
	assert_true(requests(hv) & bit);
}

static void lines_stay_what_they_were(void **state)
{
	struct hv *hv = open_hv();
	unsigned int gsi;

	(void)state;
	assert_int_equal(hv_route_new(hv, &gsi), 0);
	assert_int_equal(hv_route(hv, gsi, 0xfee00000, 0x41), 0);
	assert_int_equal(requests(hv), 0);
	assert_true(hv_irq_line(hv, 4, true) >= 0);
	assert_int_equal(requests(hv), 1u << 4);
	assert_true(hv_irq_line(hv, 12, true) >= 0);
	assert_int_equal(requests(hv) & ~(1u << 2), 1u << 4 | 1u << 12);
	assert_true(hv_irq_line(hv, 23, true) >= 0);
	hv_close(hv);
}

static void an_eventfd_is_a_line(void **state)
{
	struct hv *hv = open_hv();
	int fd = eventfd(0, EFD_NONBLOCK), done = eventfd(0, EFD_NONBLOCK);
	unsigned int gsi;

	(void)state;
	assert_int_equal(hv_route_new(hv, &gsi), 0);
	assert_int_equal(hv_route(hv, gsi, 0xfee00000, 0x41), 0);
	assert_int_equal(hv_eventfd(hv, fd, 10, done), 0);
	assert_int_equal(hv_eventfd(hv, fd, 11, -1), -EBUSY);
	assert_int_equal(requests(hv), 0);
	assert_int_equal(eventfd_write(fd, 1), 0);
	wait_for(hv, 1u << 10);
	hv_eventfd_end(hv, fd, 10);
	/* What came while nobody was bound comes with the binding. */
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_int_equal(hv_eventfd(hv, fd, 5, -1), 0);
	wait_for(hv, 1u << 5);
	hv_eventfd_end(hv, fd, 5);
	assert_int_equal(hv_eventfd(hv, fd, gsi, -1), 0);
	hv_eventfd_end(hv, fd, gsi);
	close(fd);
	close(done);
	hv_close(hv);
}

static void there_are_so_many(void **state)
{
	struct hv *hv = open_hv();
	unsigned int gsi, last = 0;

	(void)state;
	for (unsigned int i = 0; i < HV_ROUTES; i++) {
		assert_int_equal(hv_route_new(hv, &gsi), 0);
		assert_true(gsi >= 24 && gsi != last);
		last = gsi;
	}
	assert_int_equal(hv_route_new(hv, &gsi), -ENOSPC);
	assert_int_equal(hv_route(hv, last, 0xfee0f000, 0x4041), 0);
	assert_int_equal(hv_route(hv, last, 0xfee00000, 0x42), 0);
	hv_close(hv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_stay_what_they_were),
		cmocka_unit_test(an_eventfd_is_a_line),
		cmocka_unit_test(there_are_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
