/* SPDX-License-Identifier: MIT */
/*
 * test_pcicap.c: capabilities as a guest sees them, and interrupts as
 * messages: also with a guest, and a part, that mean harm.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../vmm/bus.h"
#include "../vmm/irq.h"
#include "../vmm/vpci.h"

enum { PM = 0xc8, MSI = 0xd0, EXPRESS = 0xe0, MSIX = 0xa0, VPD = 0x70 };
enum { BAR1 = 0xe0001000, REGS = 0xe0000000 }; /* where they are put */
#define PBA 0x800u
#define VECTORS 5u
#define ADDRESS 0xfee01000u

struct rig {
	struct bus *bus;
	struct irq *irq;
	struct vpci *vpci;
	struct vpci_dev *dev;
	bool level;
	unsigned int sent, accesses, modes, told;
	uint64_t addr;
	uint32_t data;
	enum pcicap_mode mode;
	unsigned int vector;
	bool let_out;
};

static void on_irq(void *ctx, unsigned int line, bool level)
{
	(void)line;
	((struct rig *)ctx)->level = level;
}

static void on_send(void *ctx, uint64_t addr, uint32_t data)
{
	struct rig *r = ctx;

	r->sent++;
	r->addr = addr;
	r->data = data;
}

static void on_access(void *ctx, unsigned int bar, struct bus_access *a)
{
	(void)bar;
	((struct rig *)ctx)->accesses++;
	if (!a->write)
		memset(a->data, 0x5a, a->width);
}

static void on_mode(void *ctx, enum pcicap_mode mode)
{
	struct rig *r = ctx;

	r->modes++;
	r->mode = mode;
}

static void on_vector(void *ctx, unsigned int vector,
		      const struct pcicap_vector *message)
{
	struct rig *r = ctx;

	r->told++;
	r->vector = vector;
	r->let_out = message;
}

static const struct vpci_ops ops = { .access = on_access,
				     .mode = on_mode,
				     .vector = on_vector };

static void put(struct backend_info *info, unsigned int at, unsigned int id,
		unsigned int next, unsigned int control)
{
	info->config[at] = (uint8_t)id;
	info->config[at + 1] = (uint8_t)next;
	info->config[at + 2] = (uint8_t)control;
	info->config[at + 3] = (uint8_t)(control >> 8);
}

/* The list of an 82574L, and a VPD and a vendor's own with it. */
static struct backend_info card(void)
{
	struct backend_info info = { .config = { 0x86, 0x80, 0xd3, 0x10 },
				     .intx = true,
				     .vpd = { 0x82, 0x02, 0x00, 'o', 'k', 0x78,
					      0, 0 },
				     .vpd_len = 8 };

	info.config[0x06] = 0x10;
	info.config[0x34] = PM;
	put(&info, PM, 0x01, MSI, 0xc823); /* D1 to D3, and waking */
	info.config[PM + 4] = 0x00;
	info.config[PM + 5] = 0x81;
	put(&info, MSI, 0x05, EXPRESS, 0x0080 | 1 << 1); /* two, 64 bits */
	put(&info, EXPRESS, 0x10, MSIX, 0x0001);
	put(&info, MSIX, 0x11, 0x60, VECTORS - 1);
	info.config[MSIX + 4] = 1; /* table: BAR 1 at 0 */
	info.config[MSIX + 8] = (PBA & 0xff) | 1;
	info.config[MSIX + 9] = PBA >> 8;
	put(&info, 0x60, 0x09, VPD, 0x1234); /* a vendor's */
	put(&info, VPD, 0x03, 0, 0);
	info.bar[0] = (struct backend_bar){ BACKEND_MMIO, 4096, false, false };
	info.bar[1] = (struct backend_bar){ BACKEND_MMIO, 4096, false, false };
	return info;
}

static void plug(struct rig *r, const struct backend_info *info)
{
	char *why;

	assert_int_equal(irq_open(&r->irq, on_irq, r), 0);
	assert_int_equal(bus_open(&r->bus), 0);
	assert_int_equal(vpci_open(&r->vpci, r->bus, r->irq), 0);
	vpci_messages(r->vpci, on_send, r);
	assert_int_equal(bus_map(r->bus, BUS_IO, VPCI_PORT, VPCI_PORTS,
				 vpci_config, r->vpci),
			 0);
	assert_int_equal(vpci_add(r->vpci, info, &ops, r, &r->dev, &why), 0);
}

static void unplug(struct rig *r)
{
	vpci_close(r->vpci);
	bus_close(r->bus);
	irq_close(r->irq);
	memset(r, 0, sizeof(*r));
}

static uint64_t io(struct rig *r, enum bus_space space, uint64_t addr,
		   uint8_t width, bool write, uint64_t value)
{
	struct bus_access a = { .addr = addr,
				.data = (uint8_t *)&value,
				.count = 1,
				.width = width,
				.write = write };

	bus_access(r->bus, space, &a);
	return value;
}

static uint32_t get(struct rig *r, unsigned int reg, uint8_t width)
{
	io(r, BUS_IO, 0xcf8, 4, true, 1U << 31 | 2 << 11 | (reg & 0xfc));
	return (uint32_t)io(r, BUS_IO, 0xcfc + (reg & 3), width, false, 0);
}

static void set(struct rig *r, unsigned int reg, uint8_t width, uint32_t value)
{
	io(r, BUS_IO, 0xcf8, 4, true, 1U << 31 | 2 << 11 | (reg & 0xfc));
	io(r, BUS_IO, 0xcfc + (reg & 3), width, true, value);
}

static uint32_t load(struct rig *r, unsigned int off)
{
	return (uint32_t)io(r, BUS_MMIO, BAR1 + off, 4, false, 0);
}

static void store(struct rig *r, unsigned int off, uint32_t value)
{
	io(r, BUS_MMIO, BAR1 + off, 4, true, value);
}

static void entry(struct rig *r, unsigned int i, uint64_t addr, uint32_t data)
{
	store(r, 16 * i, (uint32_t)addr);
	store(r, 16 * i + 4, (uint32_t)(addr >> 32));
	store(r, 16 * i + 8, data);
	store(r, 16 * i + 12, 0);
}

static int setup(void **state)
{
	static struct rig r;
	struct backend_info info = card();

	memset(&r, 0, sizeof(r));
	plug(&r, &info);
	set(&r, 4, 2, VPCI_COMMAND_MEMORY | VPCI_COMMAND_MASTER);
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	unplug(*state);
	return 0;
}

static void the_list_has_what_is_safe(void **state)
{
	struct rig *r = *state;

	assert_int_equal(get(r, 6, 2), 0x0010);
	assert_int_equal(get(r, 0x34, 1), PM);
	assert_int_equal(get(r, PM, 4), 0x00030000 | MSI << 8 | 0x01);
	assert_int_equal(get(r, PM + 4, 4), 0x0008);
	assert_int_equal(get(r, MSI, 4), 0x00800000 | MSIX << 8 | 0x05);
	assert_int_equal(get(r, MSIX, 4), 0x00040000 | VPD << 8 | 0x11);
	assert_int_equal(get(r, MSIX + 4, 4), 1);
	assert_int_equal(get(r, MSIX + 8, 4), PBA | 1);
	assert_int_equal(get(r, VPD, 4), 0x03);
}

static void a_part_that_lies_is_not_believed(void **state)
{
	struct backend_info info;
	struct rig r = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 7; i++) {
		info = card();
		if (i == 0)
			info.config[VPD + 1] = PM; /* round and round */
		else if (i == 1)
			info.config[MSIX + 4] = 2; /* no such BAR */
		else if (i == 2)
			info.config[MSIX + 5] = 0x10; /* behind its end */
		else if (i == 3)
			info.config[MSIX + 3] = 0x07; /* too many */
		else if (i == 4)
			info.config[MSIX + 9] = 0; /* pending bits in it */
		else if (i == 5)
			info.bar[1].space = BACKEND_IO;
		else
			info.config[MSIX + 4] = 7;
		plug(&r, &info);
		assert_int_equal(get(&r, MSI + 1, 1), i ? VPD : MSIX);
		assert_int_equal(get(&r, VPD + 1, 1), 0);
		set(&r, MSIX + 2, 2, 0x8000);
		set(&r, 4, 2, 7);
		vpci_message(r.dev, 0);
		assert_int_equal(r.mode, i ? PCICAP_PIN : PCICAP_MSIX);
		unplug(&r);
	}
	info = card();
	info.config[MSIX] = 0x09;
	info.config[MSI] = 0x09;
	put(&info, 0xfc, 0x05, 0, 0x0180); /* does not fit there */
	info.config[VPD + 1] = 0xfc;
	plug(&r, &info);
	assert_int_equal(get(&r, PM + 1, 1), VPD);
	assert_int_equal(get(&r, VPD + 1, 1), 0);
	unplug(&r);
}

/* Who has nowhere to send messages to does not offer any. */
static void without_a_way_for_messages_there_are_none(void **state)
{
	struct rig *r = *state;
	struct backend_info info = card();
	struct vpci_dev *dev;
	char *why;

	vpci_messages(r->vpci, NULL, NULL);
	assert_int_equal(vpci_add(r->vpci, &info, &ops, r, &dev, &why), 0);
	io(r, BUS_IO, 0xcf8, 4, true, 1U << 31 | 3 << 11 | PM);
	assert_int_equal(io(r, BUS_IO, 0xcfd, 1, false, 0), VPD);
}

static void msi_is_sent(void **state)
{
	struct rig *r = *state;

	vpci_message(r->dev, 0); /* it is not on */
	assert_int_equal(r->sent, 0);
	set(r, MSI + 4, 4, ADDRESS | 3);
	set(r, MSI + 12, 4, 0xffff0041);
	assert_int_equal(get(r, MSI + 4, 4), ADDRESS);
	assert_int_equal(get(r, MSI + 12, 4), 0x41);
	vpci_set_line(r->dev, true);
	assert_true(r->level);
	set(r, MSI + 2, 2, 0xffff);
	assert_int_equal(get(r, MSI + 2, 2), 0x0081); /* one, not two */
	assert_int_equal(r->mode, PCICAP_MSI);
	assert_false(r->level); /* no pin any more */
	vpci_message(r->dev, 0);
	assert_int_equal(r->sent, 1);
	assert_int_equal(r->addr, ADDRESS);
	assert_int_equal(r->data, 0x41);
	vpci_message(r->dev, 1);
	vpci_message(r->dev, UINT32_MAX);
	assert_int_equal(r->sent, 1);
	set(r, MSI + 2, 2, 0);
	assert_int_equal(r->mode, PCICAP_PIN);
	assert_true(r->level);
}

static void msix_is_sent_by_vector(void **state)
{
	struct rig *r = *state;

	for (unsigned int i = 0; i < VECTORS; i++) {
		assert_int_equal(load(r, 16 * i + 12), 1); /* after a reset */
		entry(r, i, ADDRESS, 0x50 + i);
	}
	vpci_message(r->dev, 2);
	assert_int_equal(r->sent, 0);
	set(r, MSIX + 2, 2, 0x8000);
	assert_int_equal(get(r, MSIX + 2, 2), 0x8004);
	assert_int_equal(r->mode, PCICAP_MSIX);
	vpci_message(r->dev, 2);
	assert_int_equal(r->sent, 1);
	assert_int_equal(r->data, 0x52);
	assert_int_equal(r->accesses, 0);
	/* The rest of the BAR is the device's. */
	assert_int_equal(load(r, 16 * VECTORS), 0x5a5a5a5a);
	assert_int_equal(load(r, PBA + 8), 0x5a5a5a5a);
	assert_int_equal(io(r, BUS_MMIO, REGS, 4, false, 0), 0x5a5a5a5a);
	assert_int_equal(r->accesses, 3);
}

static void what_is_masked_is_pending(void **state)
{
	struct rig *r = *state;

	set(r, MSIX + 2, 2, 0x8000);
	for (unsigned int i = 0; i < VECTORS; i++)
		entry(r, i, ADDRESS, 0x50 + i);
	store(r, 16 + 12, UINT32_MAX);
	assert_int_equal(load(r, 16 + 12), 1);
	assert_false(r->let_out);
	assert_int_equal(r->vector, 1);
	vpci_message(r->dev, 1);
	vpci_message(r->dev, 1);
	assert_int_equal(r->sent, 0);
	assert_int_equal(load(r, PBA), 2);
	store(r, PBA, 0xff); /* nothing is written there */
	assert_int_equal(load(r, PBA), 2);
	store(r, 16 + 12, 0);
	assert_true(r->let_out);
	assert_int_equal(r->sent, 1);
	assert_int_equal(r->data, 0x51);
	assert_int_equal(load(r, PBA), 0);
	/* All at once. */
	set(r, MSIX + 2, 2, 0xc000);
	assert_int_equal(get(r, MSIX + 2, 2), 0xc004);
	vpci_message(r->dev, 0);
	vpci_message(r->dev, 4);
	assert_int_equal(r->sent, 1);
	assert_int_equal(load(r, PBA), 0x11);
	set(r, MSIX + 2, 2, 0x8000);
	assert_int_equal(r->sent, 3);
	assert_int_equal(r->data, 0x54);
}

/* A message anywhere else would be a write to memory that nobody checked. */
static void only_interrupts_are_sent(void **state)
{
	static const uint64_t bad[] = { 0,
					0x1000,
					0xfedffffc,
					0xfef00000,
					UINT64_C(0x1fee00000),
					UINT64_MAX };
	struct rig *r = *state;

	set(r, MSIX + 2, 2, 0x8000);
	for (unsigned int i = 0; i < ARRAY_LEN(bad); i++) {
		entry(r, 0, bad[i], 0x41);
		vpci_message(r->dev, 0);
		assert_int_equal(r->sent, 0);
		assert_int_equal(vpci_lost(r->dev), i + 1);
	}
	set(r, MSIX + 2, 2, 0);
	set(r, MSI + 4, 4, 0x100000);
	set(r, MSI + 2, 2, 1);
	vpci_message(r->dev, 0);
	assert_int_equal(r->sent, 0);
	/* A function that may not master the bus writes nothing. */
	set(r, MSI + 4, 4, ADDRESS);
	set(r, 4, 2, VPCI_COMMAND_MEMORY);
	vpci_message(r->dev, 0);
	assert_int_equal(r->sent, 0);
	set(r, 4, 2, VPCI_COMMAND_MEMORY | VPCI_COMMAND_MASTER);
	vpci_message(r->dev, 0);
	assert_int_equal(r->sent, 1);
}

static void the_table_takes_dwords(void **state)
{
	struct rig *r = *state;
	uint64_t both = UINT64_C(0xfee0f000) | UINT64_C(7) << 32;

	set(r, MSIX + 2, 2, 0x8000);
	entry(r, 1, ADDRESS, 0x77);
	io(r, BUS_MMIO, BAR1 + 16, 1, true, 0xff);
	io(r, BUS_MMIO, BAR1 + 16, 2, true, 0xffff);
	io(r, BUS_MMIO, BAR1 + 18, 4, true, UINT32_MAX);
	io(r, BUS_MMIO, BAR1 + 20, 8, true, UINT64_MAX);
	io(r, BUS_MMIO, BAR1 + 29, 2, true, 0xffff);
	assert_int_equal(load(r, 16), ADDRESS);
	assert_int_equal(load(r, 20), 0);
	assert_int_equal(load(r, 24), 0x77);
	assert_int_equal(load(r, 28), 0);
	assert_int_equal(io(r, BUS_MMIO, BAR1 + 24, 1, false, 0), 0x77);
	io(r, BUS_MMIO, BAR1 + 32, 8, true, both);
	assert_true(io(r, BUS_MMIO, BAR1 + 32, 8, false, 0) == both);
	/* Half of the table and half behind it: of nobody. */
	io(r, BUS_MMIO, BAR1 + 16 * VECTORS - 4, 8, true, UINT64_MAX);
	io(r, BUS_MMIO, BAR1 + 16 * VECTORS - 2, 4, true, 0);
	assert_int_equal(load(r, 16 * VECTORS - 4), 1);
	assert_true(io(r, BUS_MMIO, BAR1 + 16 * VECTORS - 4, 8, false, 0) ==
		    UINT64_C(0xffffffff00000001));
	assert_int_equal(r->accesses, 0);
}

/* The table goes where its BAR goes, and with the BAR's size unread. */
static void the_table_moves_with_its_bar(void **state)
{
	struct rig *r = *state;

	set(r, MSIX + 2, 2, 0x8000);
	entry(r, 0, ADDRESS, 0x33);
	set(r, 0x14, 4, UINT32_MAX);
	assert_int_equal(get(r, 0x14, 4), 0xfffff000);
	assert_int_equal(load(r, 8), UINT32_MAX);
	vpci_message(r->dev, 0);
	assert_int_equal(r->data, 0x33);
	set(r, 0x14, 4, 0xe8000000);
	assert_int_equal(io(r, BUS_MMIO, 0xe8000008, 4, false, 0), 0x33);
	/* Over the other one: it has not moved there. */
	set(r, 0x14, 4, REGS);
	assert_int_equal(io(r, BUS_MMIO, REGS, 4, false, 0), 0x5a5a5a5a);
}

static void asleep_it_does_nothing(void **state)
{
	struct rig *r = *state;

	set(r, MSIX + 2, 2, 0x8000);
	entry(r, 0, ADDRESS, 0x33);
	set(r, PM + 4, 2, 0x8101); /* D1: it has none */
	assert_int_equal(get(r, PM + 4, 4), 0x0008);
	set(r, PM + 4, 2, 0x8103);
	assert_int_equal(get(r, PM + 4, 4), 0x000b);
	assert_int_equal(vpci_command(r->dev), 0);
	assert_int_equal(get(r, 4, 2), 6); /* as it was written */
	assert_int_equal(load(r, 8), UINT32_MAX);
	vpci_message(r->dev, 0);
	assert_int_equal(r->sent, 0);
	set(r, PM + 4, 2, 0);
	assert_int_equal(load(r, 8), 0x33);
	vpci_message(r->dev, 0);
	assert_int_equal(r->sent, 1);
}

static void a_reset_turns_messages_off(void **state)
{
	struct rig *r = *state;

	set(r, MSIX + 2, 2, 0xc000);
	entry(r, 0, ADDRESS, 0x33);
	vpci_message(r->dev, 0);
	set(r, PM + 4, 2, 3);
	vpci_reset(r->vpci);
	assert_int_equal(r->mode, PCICAP_PIN);
	assert_int_equal(get(r, MSIX + 2, 2), VECTORS - 1);
	assert_int_equal(get(r, PM + 4, 4), 0x0008);
	assert_int_equal(load(r, 12), 1);
	assert_int_equal(load(r, 8), 0);
	assert_int_equal(load(r, PBA), 0);
	assert_int_equal(r->sent, 0);
}

static void vpd_is_read_from_a_copy(void **state)
{
	struct rig *r = *state;

	set(r, VPD + 2, 2, 0);
	assert_int_equal(get(r, VPD + 2, 2), 0x8000);
	assert_int_equal(get(r, VPD + 4, 4), 0x6f000282);
	set(r, VPD + 2, 2, 4);
	assert_int_equal(get(r, VPD + 4, 4), 0x0000786b);
	for (unsigned int at = 5; at < 0x8000; at += 777) {
		set(r, VPD + 2, 2, at);
		assert_int_equal(get(r, VPD + 4, 4),
				 at < 8 ? 0x0000786b : UINT32_MAX);
	}
	/* A write looks done, and was not. */
	set(r, VPD + 4, 4, 0xdeadbeef);
	set(r, VPD + 2, 2, 0x8000);
	assert_int_equal(get(r, VPD + 2, 2), 0);
	set(r, VPD + 2, 2, 0);
	assert_int_equal(get(r, VPD + 4, 4), 0x6f000282);
}

/* Whatever is written: no message that is no interrupt, and no crash. */
static void random_writes_send_interrupts_alone(void **state)
{
	struct rig *r = *state;
	uint32_t seed = 11;

	for (int i = 0; i < 200000; i++) {
		uint32_t a = seed = seed * 1664525 + 1013904223;
		uint32_t b = seed = seed * 1664525 + 1013904223;
		uint8_t width = (uint8_t)(1U << (a >> 5) % 4);

		r->addr = ADDRESS;
		if (a >> 28 < 4)
			set(r, 0x40 + (a >> 9) % 0xc0, width > 4 ? 4 : width,
			    b);
		else if (a >> 28 < 12)
			io(r, BUS_MMIO, BAR1 + (a >> 9) % 4096, width,
			   a >> 8 & 1, a & 64 ? b : ADDRESS | (b & 0xff));
		else
			vpci_message(r->dev, (a >> 9) % 9);
		if (r->sent)
			assert_true(pcicap_is_interrupt(r->addr));
		r->sent = 0;
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_list_has_what_is_safe),
		TEST(a_part_that_lies_is_not_believed),
		TEST(without_a_way_for_messages_there_are_none),
		TEST(msi_is_sent),
		TEST(msix_is_sent_by_vector),
		TEST(what_is_masked_is_pending),
		TEST(only_interrupts_are_sent),
		TEST(the_table_takes_dwords),
		TEST(the_table_moves_with_its_bar),
		TEST(asleep_it_does_nothing),
		TEST(a_reset_turns_messages_off),
		TEST(vpd_is_read_from_a_copy),
		TEST(random_writes_send_interrupts_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
