/* SPDX-License-Identifier: MIT */
/*
 * test_uio.c: backend uio: a card of files, in a directory that looks like
 * sysfs; hugepages, as far as they can be had without taking any.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../dmm/load.h"
#include "../vmm/backend.h"
#include "../vmm/hugemem.h"
#include "../vmm/mem.h"
#include "../vmm/uio.h"

#define CARD "0000:01:00.0"
#define DEV "sys/bus/pci/devices/" CARD "/"
#define COMMAND 0x04
#define MASTER 0x04
#define NO_INTX 0x04 /* in the command register's second byte */

/* ---- a machine of files ---- */

static char root[] = "/tmp/vpio-test-XXXXXX";
static struct uio_dev dev;
static int events; /* the other end of /dev/uio0 */

static char *at(const char *path)
{
	static char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	return full;
}

static void make_dir(const char *path)
{
	char *full = at(path);

	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		(void)!mkdir(full, 0777);
		*p = '/';
	}
	assert_true(!mkdir(full, 0777) || errno == EEXIST);
}

static void make_file(const char *path, const void *bytes, size_t len)
{
	FILE *to = fopen(at(path), "w");

	assert_non_null(to);
	assert_int_equal(fwrite(bytes, 1, len, to), len);
	fclose(to);
}

static void make_link(const char *path, const char *to)
{
	(void)!unlink(at(path));
	assert_int_equal(symlink(to, at(path)), 0);
}

static void peek(const char *path, long offset, void *to, size_t len)
{
	FILE *from = fopen(at(path), "r");

	assert_non_null(from);
	assert_int_equal(fseek(from, offset, SEEK_SET), 0);
	assert_int_equal(fread(to, 1, len, from), len);
	fclose(from);
}

static void make_driver(const char *driver)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", driver);
	make_dir(path);
	snprintf(path, sizeof(path), "../../drivers/%s", driver);
	make_link(DEV "driver", path);
}

/* A BAR of memory, one of ports, and bus mastering left on by somebody. */
static int set_up(void **state)
{
	static const char resource[] =
		"0x00000000fe000000 0x00000000fe001fff 0x0000000000140204\n"
		"0x000000000000c000 0x000000000000c03f 0x0000000000040101\n"
		"0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
	uint8_t config[256] = { 0x86, 0x80, 0x0e, 0x10, 0x07, 0x01 };
	uint8_t zeros[0x2000] = { 0 };

	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	if (!mkdtemp(root))
		return -1;
	config[0x3d] = 1;
	make_dir(DEV "uio/uio0");
	make_dir("dev");
	make_dir("sys/kernel/iommu_groups");
	make_driver(HOSTPCI_UIO);
	make_file(DEV "irq", "11\n", 3);
	make_file(DEV "config", config, sizeof(config));
	make_file(DEV "resource", resource, sizeof(resource) - 1);
	make_file(DEV "resource0", zeros, sizeof(zeros));
	make_file(DEV "resource1", zeros, 0x40);
	make_file(DEV "reset", "", 0);
	if (mkfifo(at("dev/uio0"), 0666))
		return -1;
	events = open(at("dev/uio0"), O_RDWR);
	return events < 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	close(events);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void open_dev(void)
{
	char *why = NULL;

	if (uio_open(&dev, root, CARD, &why))
		fail_msg("%s", why);
}

static unsigned int command(unsigned int byte)
{
	uint8_t value;

	peek(DEV "config", COMMAND + (long)byte, &value, 1);
	return value;
}

/* ---- obstacles ---- */

static void note(void *ctx, const char *text)
{
	snprintf(ctx, 256, "%s", text);
}

static void obstacle(const char *words)
{
	char text[256] = "", *why = NULL;
	struct hostpci pci;
	unsigned int n;

	assert_int_equal(hostpci_look(&pci, root, CARD, &why), 0);
	n = hostpci_uio_obstacles(&pci, note, text);
	assert_int_equal(n, words ? 1 : 0);
	if (words && !strstr(text, words))
		fail_msg("\"%s\" has no \"%s\"", text, words);
}

static void obstacles(void **state)
{
	char *why = NULL;

	(void)state;
	obstacle(NULL);
	make_driver("e1000");
	obstacle("the host's driver e1000 has it: vpio bind --uio " CARD);
	assert_int_equal(uio_open(&dev, root, CARD, &why), -EBUSY);
	assert_non_null(strstr(why, "vpio bind --uio"));
	free(why);
	/* and it was let alone */
	assert_true(command(0) & MASTER);
	unlink(at(DEV "driver"));
	obstacle("no driver has it");
	make_driver(HOSTPCI_UIO);
	/* an IOMMU: its addresses are not physical ones */
	make_dir("sys/kernel/iommu_groups/3/devices/" CARD);
	make_link(DEV "iommu_group", "../../../../kernel/iommu_groups/3");
	obstacle("the IOMMU stands before it");
	make_file("sys/kernel/iommu_groups/3/type", "DMA-FQ\n", 7);
	obstacle("vpio bind " CARD);
	make_file("sys/kernel/iommu_groups/3/type", "identity\n", 9);
	obstacle(NULL);
}

/* ---- the card ---- */

static void opening_takes_it_off_the_bus(void **state)
{
	uint8_t id[4];

	(void)state;
	open_dev();
	assert_int_equal(command(0), 0x03);
	assert_int_equal(command(1), NO_INTX);
	uio_config_read(&dev, 0, id, 4);
	assert_int_equal(id[0] | id[1] << 8, 0x8086);
	uio_command(&dev, true, true);
	assert_int_equal(command(0), 0x07);
	assert_int_equal(command(1), 0);
	/* as it was found, but off the bus */
	uio_close(&dev);
	assert_int_equal(command(0), 0x03);
	assert_int_equal(command(1), 0x01);
}

static void its_registers(void **state)
{
	uint32_t value = 0;

	(void)state;
	open_dev();
	assert_int_equal(dev.bar[0].at.size, 0x2000);
	assert_false(dev.bar[0].io);
	assert_true(dev.bar[0].is64);
	assert_int_equal(dev.bar[1].at.size, 0x40);
	assert_true(dev.bar[1].io);
	assert_null(dev.bar[1].at.map);
	assert_int_equal(dev.bar[2].at.size, 0);
	*(volatile uint32_t *)(void *)(dev.bar[0].at.map + 0x1ffc) = 0x12345678;
	peek(DEV "resource0", 0x1ffc, &value, 4);
	assert_int_equal(value, 0x12345678);
	assert_int_equal(pwrite(dev.bar[1].at.fd, "x", 1, 0x3f), 1);
	uio_close(&dev);
}

static void its_reset(void **state)
{
	char said;

	(void)state;
	open_dev();
	uio_command(&dev, true, true);
	assert_int_equal(uio_reset(&dev), 0);
	peek(DEV "reset", 0, &said, 1);
	assert_int_equal(said, '1');
	assert_int_equal(command(0), 0x07);
	uio_close(&dev);
	unlink(at(DEV "reset"));
	open_dev();
	assert_int_equal(uio_reset(&dev), -ENOTTY);
	uio_close(&dev);
}

static void its_interrupt(void **state)
{
	uint32_t count = 1;

	(void)state;
	open_dev();
	assert_false(uio_interrupted(&dev));
	assert_int_equal(write(events, &count, 4), 4);
	assert_true(uio_interrupted(&dev));
	assert_false(uio_interrupted(&dev));
	uio_close(&dev);
}

static void one_process_has_it(void **state)
{
	struct uio_dev other;
	char *why = NULL;

	(void)state;
	open_dev();
	assert_int_equal(uio_open(&other, root, CARD, &why), -EBUSY);
	assert_string_equal(why, CARD ": another vpio has it");
	free(why);
	uio_close(&dev);
	open_dev();
	uio_close(&dev);
}

/* A process that is killed while its card masters the bus. */
static void be_killed(int memory)
{
	char *why = NULL;

	if (uio_open(&dev, root, CARD, &why) || uio_keep(&dev, memory, &why))
		_exit(1);
	uio_command(&dev, true, true);
	raise(SIGKILL);
}

static void kill_leaves_it_off_the_bus(void **state)
{
	int memory = fileno(tmpfile()), status;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		be_killed(memory);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	/* this waits for the keeper, which has the lock */
	open_dev();
	assert_int_equal(dev.found & MASTER, 0);
	assert_int_equal(dev.found >> 8, NO_INTX);
	uio_close(&dev);
}

static void the_keeper_goes_with_the_device(void **state)
{
	char *why = NULL;
	pid_t keeper;

	(void)state;
	open_dev();
	assert_int_equal(uio_keep(&dev, fileno(tmpfile()), &why), 0);
	keeper = dev.keeper;
	assert_int_equal(kill(keeper, 0), 0);
	uio_close(&dev);
	assert_int_equal(kill(keeper, 0), -1);
}

/* ---- hugepages ---- */

#define P HUGEMEM_PAGE

static void the_longest_pieces_below_the_limit(void **state)
{
	const uint64_t pages[] = { 1 * P,  2 * P,  4 * P,  5 * P, 6 * P,
				   10 * P, 11 * P, 12 * P, 13 * P };
	size_t out[9];

	(void)state;
	/* [10, 13] is longer, but beyond */
	assert_int_equal(hugemem_choose(pages, 9, 12 * P, 3, out), 3);
	assert_int_equal(out[0], 2);
	assert_int_equal(out[2], 4);
	assert_int_equal(hugemem_choose(pages, 9, 100 * P, 6, out), 6);
	assert_int_equal(out[0], 5);
	assert_int_equal(out[3], 8);
	assert_int_equal(out[4], 2);
	/* one more than there are; the limit cuts a page */
	assert_int_equal(hugemem_choose(pages, 9, 7 * P - 1, 9, out), 4);
	assert_int_equal(hugemem_choose(pages, 9, 0, 9, out), 0);
	assert_int_equal(hugemem_choose(pages, 0, P, 1, out), 0);
}

static void a_piece_is_in_one_piece(void **state)
{
	const uint64_t pages[] = { 8 * P, 9 * P, 3 * P, 4 * P, 5 * P };
	bool given[5] = { false };

	(void)state;
	assert_int_equal(hugemem_find(pages, given, 5, 2), 0);
	assert_int_equal(hugemem_find(pages, given, 5, 3), 2);
	assert_int_equal(hugemem_find(pages, given, 5, 4), 5);
	given[3] = true;
	assert_int_equal(hugemem_find(pages, given, 5, 3), 5);
	given[0] = true;
	assert_int_equal(hugemem_find(pages, given, 5, 2), 5);
	assert_int_equal(hugemem_find(pages, given, 5, 1), 1);
}

static void what_pagemap_says(void **state)
{
	const uint64_t map[] = { UINT64_C(1) << 63 | 0x1234,
				 UINT64_C(0x81) << 56, 0x55 };
	uint64_t physical = 0;
	int fd;

	(void)state;
	make_file("pagemap", map, sizeof(map));
	fd = open(at("pagemap"), O_RDONLY);
	assert_int_equal(hugemem_physical(fd, 0x10, &physical), 0);
	assert_int_equal(physical, 0x1234000);
	/* there, but not for us to know; not there; beyond */
	assert_int_equal(hugemem_physical(fd, 0x1000, &physical), -EPERM);
	assert_int_equal(hugemem_physical(fd, 0x2000, &physical), -EFAULT);
	assert_int_equal(hugemem_physical(fd, 0x3000, &physical), -EFAULT);
	close(fd);
}

static void too_few_hugepages(void **state)
{
	struct hugemem h;
	char *why = NULL;

	(void)state;
	assert_int_equal(hugemem_open(&h, UINT64_C(1) << 50, UINT64_MAX, &why),
			 -ENOMEM);
	assert_non_null(strstr(why, "it needs 536870912 hugepages of 2M"));
	assert_non_null(strstr(why, "hugepages=536870912 on the kernel's"));
	free(why);
	hugemem_close(&h);
}

/* As it is on a machine that has some. */
static void real_hugepages(void **state)
{
	uint64_t offset[2] = { 0 }, physical[2], again;
	struct hugemem h;
	char *why = NULL;
	int fd[2] = { -1, -1 };

	(void)state;
	if (hugemem_open(&h, 3 * P - 1, UINT64_MAX, &why)) {
		free(why);
		skip();
	}
	assert_int_equal(h.pages, 3);
	assert_int_equal(hugemem_take(&h, 1, &fd[0], &offset[0], &physical[0]),
			 0);
	assert_int_equal(physical[0], h.at[offset[0] / P]);
	assert_int_equal(hugemem_take(&h, P, &fd[1], &offset[1], &physical[1]),
			 0);
	assert_int_not_equal(offset[0], offset[1]);
	/* where another device finds what was given */
	again = 0;
	assert_int_equal(hugemem_take(&h, P, &fd[1], &offset[1], &again), 0);
	assert_int_equal(again, physical[1]);
	fd[0] = -1;
	assert_int_equal(hugemem_take(&h, 2 * P, &fd[0], &offset[0], &again),
			 -ENOMEM);
	assert_true(hugemem_stays(&h));
	h.at[0] += P;
	assert_false(hugemem_stays(&h));
	assert_int_equal(mem_span(h.fd, 5000), P);
	hugemem_close(&h);
}

static void spans(void **state)
{
	FILE *file = tmpfile();

	(void)state;
	assert_int_equal(mem_span(fileno(file), 5000), 8192);
	fclose(file);
}

/* ---- the backend ---- */

static void open_says(const char *text, const char *words)
{
	const struct node *map;
	struct backend *be;
	struct tree *tree;
	struct diag diag;
	char *why = NULL;

	diag_init(&diag, "test");
	assert_int_equal(load_yaml(&tree, &map, text, strlen(text), &diag), 0);
	assert_true(backend_find("uio")->open(&be, map, 0x8086, 0x100e, &why) <
		    0);
	if (!why || !strstr(why, words))
		fail_msg("\"%s\" says \"%s\"", text, why ? why : "nothing");
	free(why);
	load_free(tree);
	diag_fini(&diag);
}

static void the_backend_says_what_is_missing(void **state)
{
	(void)state;
	open_says("{ model: e1000 }", "needs the device's address");
	open_says("{ address: \"ffff:ff:1f.7\" }", "say unsafe: true");
	open_says("{ address: \"ffff:ff:1f.7\", unsafe: false }",
		  "nothing but vpio's own checks");
	open_says("{ address: \"ffff:ff:1f.7\", unsafe: true }",
		  "there is no PCI device ffff:ff:1f.7");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(obstacles),
		T(opening_takes_it_off_the_bus),
		T(its_registers),
		T(its_reset),
		T(its_interrupt),
		T(one_process_has_it),
		T(kill_leaves_it_off_the_bus),
		T(the_keeper_goes_with_the_device),
		cmocka_unit_test(the_longest_pieces_below_the_limit),
		cmocka_unit_test(a_piece_is_in_one_piece),
		T(what_pagemap_says),
		cmocka_unit_test(too_few_hugepages),
		cmocka_unit_test(real_hugepages),
		cmocka_unit_test(spans),
		cmocka_unit_test(the_backend_says_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
