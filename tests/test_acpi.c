/* SPDX-License-Identifier: MIT */
/*
 * test_acpi.c: ACPI tables that hang together: sums, pointers, lengths, and
 * AML that iasl can read, where there is one.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../vmm/acpi.h"
#include "../vmm/aml.h"
#include "../vmm/pm.h"

#define BASE 0xf2000
#define ROOM 0xe000

static uint8_t rom[ROOM];

static const struct vpci_route routes[] = {
	{ .slot = 2, .pin = 0, .line = 11 },
	{ .slot = 3, .pin = 1, .line = 5 },
};

static uint64_t get(const uint8_t *p, size_t at, size_t width)
{
	uint64_t value = 0;

	memcpy(&value, p + at, width);
	return value;
}

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t total = 0;

	while (len--)
		total = (uint8_t)(total + *p++);
	return total;
}

/* The table at (gpa), which must be whole; its length in (*len). */
static const uint8_t *table(uint64_t gpa, const char *name, size_t total,
			    size_t *len)
{
	const uint8_t *t = rom + (gpa - BASE);

	assert_in_range(gpa, BASE, BASE + total - 36);
	assert_int_equal(gpa % 16, 0);
	assert_memory_equal(t, name, 4);
	*len = get(t, 4, 4);
	assert_in_range(*len, 36, total - (gpa - BASE));
	if (strcmp(name, "FACS"))
		assert_int_equal(sum(t, *len), 0);
	return t;
}

static size_t build(unsigned int cpus, unsigned int n_routes)
{
	const struct acpi_conf conf = { .cpus = cpus,
					.routes = routes,
					.n_routes = n_routes };
	int len;

	memset(rom, 0xee, sizeof(rom));
	len = acpi_build(&conf, BASE, rom, sizeof(rom));
	assert_true(len > 0);
	assert_int_equal(rom[len], 0xee);
	return (size_t)len;
}

/* The table (name) of the XSDT. */
static const uint8_t *find(const char *name, size_t total, size_t *len)
{
	uint64_t at = get(rom, 24, 8);
	const uint8_t *xsdt;
	size_t n;

	assert_memory_equal(rom, "RSD PTR ", 8);
	assert_int_equal(sum(rom, 20), 0);
	assert_int_equal(sum(rom, 36), 0);
	assert_int_equal(rom[15], 2);
	xsdt = table(at, "XSDT", total, &n);
	for (size_t i = 36; i < n; i += 8)
		if (!memcmp(rom + (get(xsdt, i, 8) - BASE), name, 4))
			return table(get(xsdt, i, 8), name, total, len);
	fail_msg("no %s", name);
	return NULL;
}

static void fixed_hardware_is_where_pm_has_it(void **state)
{
	size_t total = build(1, 2), len, n;
	const uint8_t *fadt = find("FACP", total, &len);

	(void)state;
	assert_int_equal(len, 268);
	table(get(fadt, 36, 4), "FACS", total, &n);
	assert_int_equal(get(fadt, 36, 4) % 64, 0);
	assert_int_equal(n, 64);
	table(get(fadt, 40, 4), "DSDT", total, &n);
	assert_int_equal(get(fadt, 140, 8), get(fadt, 40, 4));
	assert_int_equal(get(fadt, 46, 2), PM_SCI);
	assert_int_equal(get(fadt, 48, 4), 0); /* always in ACPI mode */
	assert_int_equal(get(fadt, 56, 4), PM_EVENT_PORT);
	assert_int_equal(get(fadt, 64, 4), PM_CONTROL_PORT);
	assert_int_equal(get(fadt, 76, 4), PM_TIMER_PORT);
	assert_int_equal(fadt[88], 4);
	assert_int_equal(fadt[89], 2);
	assert_int_equal(fadt[91], 4);
	assert_int_equal(fadt[108], 0x32);		  /* century */
	assert_int_equal(get(fadt, 109, 2) & 2, 0);	  /* no keyboard */
	assert_int_equal(get(fadt, 112, 4) >> 10 & 1, 1); /* can be reset */
	assert_int_equal(get(fadt, 112, 4) >> 4 & 1, 0);  /* fixed button */
	assert_int_equal(fadt[116], 1);
	assert_int_equal(get(fadt, 120, 8), 0xcf9);
	assert_int_equal(fadt[128], 6);
	assert_int_equal(get(fadt, 152, 8), PM_EVENT_PORT);
	assert_int_equal(get(fadt, 176, 8), PM_CONTROL_PORT);
	assert_int_equal(get(fadt, 212, 8), PM_TIMER_PORT);
}

static void processors_and_lines_are_listed(void **state)
{
	size_t total = build(3, 2), len, cpus = 0, others = 0;
	const uint8_t *madt = find("APIC", total, &len);

	(void)state;
	assert_int_equal(get(madt, 36, 4), 0xfee00000);
	for (size_t i = 44; i < len; i += madt[i + 1]) {
		const uint8_t *e = madt + i;

		assert_true(e[1] >= 6 && i + e[1] <= len);
		switch (e[0]) {
		case 0:
			assert_int_equal(e[2], cpus);
			assert_int_equal(e[3], cpus++);
			assert_int_equal(get(e, 4, 4), 1);
			break;
		case 1:
			assert_int_equal(e[2], 3); /* no processor's id */
			assert_int_equal(get(e, 4, 4), 0xfec00000);
			assert_int_equal(get(e, 8, 4), 0);
			others |= 1;
			break;
		case 2:
			assert_int_equal(e[3], PM_SCI);
			assert_int_equal(get(e, 4, 4), PM_SCI);
			assert_int_equal(get(e, 8, 2), 0xf);
			others |= 2;
			break;
		case 4:
			assert_int_equal(e[2], 0xff);
			assert_int_equal(e[5], 1);
			others |= 4;
			break;
		default:
			fail_msg("entry of type %u", e[0]);
		}
	}
	assert_int_equal(cpus, 3);
	assert_int_equal(others, 7);
}

static bool has(const uint8_t *in, size_t len, const void *what, size_t n)
{
	for (size_t i = 0; i + n <= len; i++)
		if (!memcmp(in + i, what, n))
			return true;
	return false;
}

static void dsdt_has_routes_and_power_off(void **state)
{
	static const uint8_t route2[] = { 0x12, 0x0b, 4, 0x0c, 0xff, 0xff,
					  2,	0,    0, 0,    0x0a, 11 };
	static const uint8_t route3[] = { 0x12, 0x0c, 4, 0x0c, 0xff, 0xff, 3,
					  0,	0x0a, 1, 0,    0x0a, 5 };
	static const uint8_t s5[] = { 8,    '_', 'S',  '5',   '_',  0x12,
				      0x08, 4,	 0x0a, PM_S5, 0x0a, PM_S5 };
	static const uint8_t pnp0a03[] = { 0x0c, 0x41, 0xd0, 0x0a, 0x03 };
	size_t total = build(1, 2), len;
	const uint8_t *fadt = find("FACP", total, &len);
	const uint8_t *dsdt = table(get(fadt, 40, 4), "DSDT", total, &len);

	(void)state;
	assert_true(has(dsdt, len, s5, sizeof(s5)));
	assert_true(has(dsdt, len, pnp0a03, sizeof(pnp0a03)));
	assert_true(has(dsdt, len, route2, sizeof(route2)));
	assert_true(has(dsdt, len, route3, sizeof(route3)));
}

static void without_room_it_says_so(void **state)
{
	const struct acpi_conf conf = { .cpus = 2,
					.routes = routes,
					.n_routes = 2 };
	size_t total = build(2, 2);

	(void)state;
	for (size_t room = 0; room < total; room++) {
		uint8_t *to = malloc(room ? room : 1);

		assert_int_equal(acpi_build(&conf, BASE, to, room), -ENOSPC);
		free(to);
	}
	assert_int_equal(acpi_build(&conf, BASE, rom, total), total);
}

/* 20.2.4: each size of a length at both ends. */
static void lengths_have_the_bytes_they_need(void **state)
{
	static const struct {
		size_t body, code;
	} tries[] = { { 0, 1 },	   { 57, 1 },	{ 58, 2 },
		      { 4088, 2 }, { 4089, 3 }, { 9000, 3 } };
	static uint8_t to[16384], body[16384];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		struct aml a = { .to = to, .room = sizeof(to) };
		size_t n = tries[i].code, len;

		memset(body, 0x5a, sizeof(body));
		aml_scope(&a, "\\_SB_");
		aml_bytes(&a, body, tries[i].body);
		aml_end(&a);
		assert_false(a.full);
		assert_int_equal(a.len, 1 + n + 5 + tries[i].body);
		assert_int_equal(to[1] >> 6, n - 1);
		len = n == 1 ? to[1] : to[1] & 0xf;
		for (size_t k = 1; k < n; k++)
			len |= (size_t)to[1 + k] << (4 + 8 * (k - 1));
		assert_int_equal(len, a.len - 1);
		assert_memory_equal(to + 1 + n, "\\_SB_", 5);
	}
}

/* Each table to a file; iasl disassembles them and finds nothing wrong. */
static void iasl_can_read_them(void **state)
{
	static const char *const names[] = { "FACP", "APIC", "DSDT" };
	char dir[] = "/tmp/vpio-acpi-XXXXXX", command[256];
	size_t total, len;

	(void)state;
	if (system("command -v iasl >/dev/null 2>&1"))
		skip();
	assert_non_null(mkdtemp(dir));
	for (unsigned int n = 0; n < 2 * ARRAY_LEN(names); n++) {
		const char *name = names[n / 2];
		const uint8_t *t;
		FILE *file;

		total = build(n % 2 ? 16 : 1, n % 2 ? 2 : 0);
		t = find("FACP", total, &len);
		if (!strcmp(name, "DSDT"))
			t = table(get(t, 40, 4), "DSDT", total, &len);
		else
			t = find(name, total, &len);
		snprintf(command, sizeof(command), "%s/t.aml", dir);
		file = fopen(command, "wb");
		assert_non_null(file);
		assert_int_equal(fwrite(t, 1, len, file), len);
		assert_int_equal(fclose(file), 0);
		/* and what it makes of it compiles again */
		snprintf(command, sizeof(command),
			 "cd %s && iasl -d t.aml >out 2>&1 && "
			 "! grep -iE 'error|warning|invalid' out && "
			 "iasl -we t.dsl >out 2>&1 || { cat out; exit 1; }",
			 dir);
		assert_int_equal(system(command), 0);
	}
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_hardware_is_where_pm_has_it),
		cmocka_unit_test(processors_and_lines_are_listed),
		cmocka_unit_test(dsdt_has_routes_and_power_off),
		cmocka_unit_test(without_room_it_says_so),
		cmocka_unit_test(lengths_have_the_bytes_they_need),
		cmocka_unit_test(iasl_can_read_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
