/* SPDX-License-Identifier: MIT */
/*
 * test_sim_e1000_backend.c: a simulated card that masters the bus behind
 * backend.h: windows of memory, with a hardware thread that uses them.
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dmm/load.h"
#include "vmm/backend.h"
#include "vmm/sim_e1000.h"

#define PAGE 4096u
#define PAGES 16u
#define AT UINT64_C(0x140000000)
#define RING 32u

struct card {
	struct tree *tree;
	struct backend *be;
	const struct backend_ops *ops;
	uint8_t *mem; /* PAGES, at AT: the transmit ring, the receive ring */
	uint32_t tail;
};

static void open_as(struct card *card, const char *text, uint16_t vendor,
		    uint16_t device)
{
	const struct node *root;
	struct diag diag;
	char *why = NULL;

	memset(card, 0, sizeof(*card));
	card->ops = backend_find("sim");
	assert_non_null(card->ops);
	diag_init(&diag, "test");
	assert_int_equal(
		load_yaml(&card->tree, &root, text, strlen(text), &diag), 0);
	diag_fini(&diag);
	if (card->ops->open(&card->be, root, vendor, device, &why))
		fail_msg("%s", why);
	card->mem = aligned_alloc(PAGE, PAGES * PAGE);
	assert_non_null(card->mem);
	memset(card->mem, 0, PAGES * PAGE);
}

static void open_card(struct card *card, const char *text)
{
	open_as(card, text, 0x8086, 0x100e);
}

static void close_card(struct card *card)
{
	card->ops->close(card->be);
	load_free(card->tree);
	free(card->mem);
}

static uint32_t rd(struct card *card, unsigned int reg)
{
	return (uint32_t)card->ops->read(card->be, 0, reg, 4);
}

static void wr(struct card *card, unsigned int reg, uint32_t value)
{
	card->ops->write(card->be, 0, reg, 4, value);
}

static int map(struct card *card, uint64_t at, uint64_t len, bool writable)
{
	return card->ops->dma_map(card->be, at, card->mem, len, writable);
}

/* Rings in pages 0 and 1, buffers for receiving in pages 8 and up. */
static void bring_up(struct card *card)
{
	card->ops->bus_master(card->be, true);
	wr(card, R_TDBAL, (uint32_t)AT);
	wr(card, R_TDBAH, (uint32_t)(AT >> 32));
	wr(card, R_TDLEN, RING * DESC_LEN);
	wr(card, R_RDBAL, (uint32_t)AT + PAGE);
	wr(card, R_RDBAH, (uint32_t)(AT >> 32));
	wr(card, R_RDLEN, 8 * DESC_LEN);
	for (uint64_t i = 0; i < 8; i++) {
		uint64_t at = AT + (8 + i) * PAGE;

		memcpy(card->mem + PAGE + i * DESC_LEN, &at, 8);
	}
	wr(card, R_RDT, 7);
	wr(card, R_RCTL, RCTL_EN | RCTL_UPE | RCTL_BAM | RCTL_SECRC);
	wr(card, R_TCTL, TCTL_EN | TCTL_PSP);
	card->tail = 0;
}

static void post(struct card *card, uint64_t at, uint32_t len)
{
	uint64_t desc[2] = { at, len | TXD_EOP | TXD_IFCS | TXD_RS };

	memcpy(card->mem + card->tail * DESC_LEN, desc, sizeof(desc));
	card->tail = (card->tail + 1) % RING;
	wr(card, R_TDT, card->tail);
}

/* Until the register is (value); at most for 2 s. */
static void wait_for(struct card *card, unsigned int reg, uint32_t value)
{
	for (unsigned int i = 0; i < 20000; i++) {
		if (rd(card, reg) == value)
			return;
		usleep(100);
	}
	fail_msg("register %#x is %#x after 2 s", reg, rd(card, reg));
}

/* Out of memory, around the wire, and into memory again. */
static void test_round_trip(void **state)
{
	struct card card;

	(void)state;
	open_card(&card, "network: loop");
	assert_int_equal(card.be->info.bar[0].space, BACKEND_MMIO);
	assert_int_equal(map(&card, AT, PAGES * PAGE, true), 0);
	bring_up(&card);
	for (unsigned int i = 0; i < 1000; i++)
		card.mem[2 * PAGE + i] = (uint8_t)(i * 5);
	card.mem[2 * PAGE] = 0x02;
	wr(&card, R_IMS, ICR_RXT0);
	post(&card, AT + 2 * PAGE, 1000);
	wait_for(&card, R_RDH, 1);
	assert_memory_equal(card.mem + 8 * PAGE, card.mem + 2 * PAGE, 1000);
	assert_int_equal(card.mem[PAGE + RXD_STATUS] & 3, 3);
	assert_int_equal(card.mem[TXD_STA], TXD_DD);
	assert_true(card.ops->irq_level(card.be));
	assert_true(rd(&card, R_ICR) & ICR_RXT0);
	assert_false(card.ops->irq_level(card.be));
	assert_true(card.ops->dma_faults(card.be) == 0);
	close_card(&card);
}

/* What a window may be: backend.h. */
static void test_windows(void **state)
{
	struct card card;
	uint64_t i;

	(void)state;
	open_card(&card, "network: sink");
	assert_int_equal(map(&card, AT, 0, true), -EINVAL);
	assert_int_equal(map(&card, UINT64_MAX, 2, true), -EINVAL);
	assert_int_equal(map(&card, 1, UINT64_MAX, true), 0);
	assert_int_equal(map(&card, UINT64_MAX, 1, true), -EEXIST);
	assert_int_equal(map(&card, 0, 1, true), 0);
	card.ops->dma_unmap(card.be, 1, UINT64_MAX - 1); /* not one */
	assert_int_equal(map(&card, AT, 1, true), -EEXIST);
	card.ops->dma_unmap(card.be, 1, UINT64_MAX);
	card.ops->dma_unmap(card.be, 0, 1);
	assert_int_equal(map(&card, UINT64_MAX, 1, true), 0);
	card.ops->dma_unmap(card.be, UINT64_MAX, 1);
	for (i = 0; i < BACKEND_WINDOWS; i++)
		assert_int_equal(map(&card, AT + 2 * i * PAGE, PAGE, true), 0);
	assert_int_equal(map(&card, 0, 1, true), -ENOSPC);
	assert_int_equal(map(&card, AT + PAGE - 1, 2, true), -EEXIST);
	assert_int_equal(map(&card, AT - 1, 2, true), -EEXIST);
	assert_int_equal(map(&card, AT - PAGE, 1000 * PAGE, true), -EEXIST);
	card.ops->dma_unmap(card.be, AT, PAGE);
	assert_int_equal(map(&card, AT + PAGE, PAGE, true), 0);
	close_card(&card);
}

/* A part that masters no bus has none. */
static void test_no_dma(void **state)
{
	struct card card;

	(void)state;
	open_as(&card, "network: none", 0x10ec, 0x8029);
	assert_int_equal(map(&card, AT, PAGE, true), -ENOSYS);
	card.ops->dma_unmap(card.be, AT, PAGE);
	card.ops->bus_master(card.be, true);
	assert_true(card.ops->dma_faults(card.be) == 0);
	close_card(&card);
}

/* Windows that touch are one; each side of them is a master abort. */
static void test_edges(void **state)
{
	struct card card;

	(void)state;
	open_card(&card, "network: loop");
	assert_int_equal(map(&card, AT, 2 * PAGE, true), 0);
	assert_int_equal(card.ops->dma_map(card.be, AT + 2 * PAGE,
					   card.mem + 4 * PAGE, PAGE, false),
			 0);
	assert_int_equal(card.ops->dma_map(card.be, AT + 3 * PAGE,
					   card.mem + 6 * PAGE, PAGE, false),
			 0);
	assert_int_equal(card.ops->dma_map(card.be, AT + 8 * PAGE,
					   card.mem + 8 * PAGE, 8 * PAGE, true),
			 0);
	bring_up(&card);
	memset(card.mem + 4 * PAGE, 0x02, PAGE);
	memset(card.mem + 6 * PAGE, 0x04, PAGE);
	post(&card, AT + 3 * PAGE - 100, 300);
	wait_for(&card, R_RDH, 1);
	assert_true(card.ops->dma_faults(card.be) == 0);
	assert_memory_equal(card.mem + 8 * PAGE, card.mem + 5 * PAGE - 100,
			    100);
	assert_memory_equal(card.mem + 8 * PAGE + 100, card.mem + 6 * PAGE,
			    200);
	/* A byte too many: nothing of it, so zeros. */
	post(&card, AT + 4 * PAGE - 99, 100);
	wait_for(&card, R_TDH, 2);
	assert_true(card.ops->dma_faults(card.be) == 1);
	close_card(&card);
}

/* A window to read only: received frames are not written. */
static void test_read_only(void **state)
{
	struct card card;

	(void)state;
	open_card(&card, "network: loop");
	assert_int_equal(map(&card, AT, PAGES * PAGE, false), 0);
	bring_up(&card);
	memset(card.mem + 2 * PAGE, 0x02, 100);
	post(&card, AT + 2 * PAGE, 100);
	wait_for(&card, R_RDH, 1);
	assert_int_equal(card.mem[8 * PAGE], 0);
	assert_int_equal(card.mem[PAGE + RXD_STATUS], 0);
	assert_int_equal(card.mem[TXD_STA], 0);
	/* DD; the buffer, and two for the descriptor. */
	assert_true(card.ops->dma_faults(card.be) == 4);
	close_card(&card);
}

/* Off at first, and off again: no DMA, and so no fault. */
static void test_bus_master(void **state)
{
	struct card card;

	(void)state;
	open_card(&card, "network: loop");
	assert_int_equal(map(&card, AT, PAGES * PAGE, true), 0);
	bring_up(&card);
	card.ops->bus_master(card.be, false);
	memset(card.mem + 2 * PAGE, 0x02, 100);
	post(&card, AT + 2 * PAGE, 100);
	wait_for(&card, R_TDH, 1);
	assert_int_equal(rd(&card, R_TPT), 0);
	assert_int_equal(card.mem[TXD_STA], 0);
	assert_true(card.ops->dma_faults(card.be) == 0);
	assert_int_equal(card.ops->reset(card.be), 0);
	card.ops->bus_master(card.be, true);
	bring_up(&card);
	assert_int_equal(card.ops->reset(card.be), 0); /* keeps it */
	wr(&card, R_TDBAL, 0);
	wr(&card, R_TDLEN, 128);
	wr(&card, R_TCTL, TCTL_EN);
	wr(&card, R_TDT, 1);
	wait_for(&card, R_TDH, 1);
	assert_true(card.ops->dma_faults(card.be) == 1);
	close_card(&card);
}

/*
 * A window that comes and goes while the card streams: what is gone is not
 * read any more, so that what goes out is from before, or zeros.
 */
static void test_races(void **state)
{
	struct card card;
	uint8_t *page = aligned_alloc(PAGE, PAGE);

	(void)state;
	assert_non_null(page);
	open_card(&card, "network: sink");
	assert_int_equal(map(&card, AT, 2 * PAGE, true), 0);
	bring_up(&card);
	for (unsigned int i = 0; i < 3000; i++) {
		assert_int_equal(card.ops->dma_map(card.be, AT + 4 * PAGE, page,
						   PAGE, true),
				 0);
		for (unsigned int j = 0; j < 4; j++)
			post(&card, AT + 4 * PAGE, 1500);
		card.ops->dma_unmap(card.be, AT + 4 * PAGE, PAGE);
		/* Ours again: a sanitizer would tell. */
		free(page);
		page = aligned_alloc(PAGE, PAGE);
		assert_non_null(page);
		memset(page, (int)i, PAGE);
		while (rd(&card, R_TDH) != card.tail)
			usleep(1);
	}
	free(page);
	close_card(&card);
}

/* Closed while it sends as fast as it can. */
static void test_close_busy(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		struct card card;

		open_card(&card, "network: sink");
		assert_int_equal(map(&card, AT, PAGES * PAGE, true), 0);
		bring_up(&card);
		for (unsigned int j = 0; j < 31; j++)
			post(&card, AT + 2 * PAGE, 1500);
		close_card(&card);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_no_dma),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_bus_master),
		cmocka_unit_test(test_races),
		cmocka_unit_test(test_close_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
