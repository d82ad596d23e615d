/* SPDX-License-Identifier: MIT */
/*
 * test_vfio.c: PCI devices of this machine as sysfs shows them, in a directory
 * that looks like it; and what backend vfio says where there is nothing.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../dmm/load.h"
#include "../vmm/backend.h"
#include "../vmm/hostpci.h"

#define CARD "0000:01:00.0"
#define DEV "sys/bus/pci/devices/"

/* ---- a machine of files ---- */

static char root[] = "/tmp/vpio-test-XXXXXX";

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

static void make_file(const char *path, const char *text)
{
	FILE *to = fopen(at(path), "w");

	assert_non_null(to);
	fputs(text, to);
	fclose(to);
}

static const char *read_back(const char *path)
{
	static char text[256];
	int fd = open(at(path), O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return n < 0 ? "(none)" : text;
}

static void make_link(const char *path, const char *to)
{
	(void)!unlink(at(path));
	assert_int_equal(symlink(to, at(path)), 0);
}

/* A device with (driver) in IOMMU group (group); NULL: none. */
static void make_device(const char *address, const char *driver,
			const char *group)
{
	char path[256], to[256];

	snprintf(path, sizeof(path), DEV "%s", address);
	make_dir(path);
	snprintf(path, sizeof(path), DEV "%s/driver_override", address);
	make_file(path, "");
	snprintf(path, sizeof(path), DEV "%s/irq", address);
	make_file(path, "11\n");
	if (driver) {
		snprintf(to, sizeof(to), "sys/bus/pci/drivers/%s", driver);
		make_dir(to);
		snprintf(to, sizeof(to), "sys/bus/pci/drivers/%s/unbind",
			 driver);
		make_file(to, "");
		snprintf(path, sizeof(path), DEV "%s/driver", address);
		snprintf(to, sizeof(to), "../../drivers/%s", driver);
		make_link(path, to);
	}
	if (!group)
		return;
	snprintf(to, sizeof(to), "sys/kernel/iommu_groups/%s/devices/%s", group,
		 address);
	make_dir(to);
	snprintf(path, sizeof(path), DEV "%s/iommu_group", address);
	snprintf(to, sizeof(to), "../../../../kernel/iommu_groups/%s", group);
	make_link(path, to);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	if (!mkdtemp(root))
		return -1;
	make_dir("sys/bus/pci/devices");
	make_dir("sys/bus/pci/drivers");
	make_dir("sys/kernel/iommu_groups");
	make_file("sys/bus/pci/drivers_probe", "");
	return 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void look(struct hostpci *out)
{
	char *why = NULL;

	assert_int_equal(hostpci_look(out, root, CARD, &why), 0);
}

/* ---- obstacles ---- */

struct told {
	unsigned int n;
	char text[4][256];
};

static void note(void *ctx, const char *text)
{
	struct told *told = ctx;

	if (told->n < 4)
		snprintf(told->text[told->n], sizeof(told->text[0]), "%s",
			 text);
	told->n++;
}

static struct told obstacles(void)
{
	struct told told = { 0 };
	struct hostpci pci;
	unsigned int n;

	look(&pci);
	n = hostpci_obstacles(&pci, note, &told);
	assert_int_equal(n, told.n);
	return told;
}

static void addresses(void **state)
{
	static const char *const bad[] = {
		"",	     "1:2",	      "01:00",	  "01:00.8",
		"01:20.0",   "0000:01:00.0 ", " 01:00.0", "0000:01:00.0.1",
		"../01:0.0", "00000:01:00.0", "-1:00.0",  "0x1:00.0"
	};
	char out[HOSTPCI_ADDRESS];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (hostpci_address(bad[i], out))
			fail_msg("\"%s\" is taken for %s", bad[i], out);
	assert_true(hostpci_address("01:00.0", out));
	assert_string_equal(out, CARD);
	assert_true(hostpci_address("1:0.0", out));
	assert_string_equal(out, CARD);
	assert_true(hostpci_address("0002:ff:1F.7", out));
	assert_string_equal(out, "0002:ff:1f.7");
}

static void ready(void **state)
{
	(void)state;
	make_device(CARD, HOSTPCI_VFIO, "7");
	assert_int_equal(obstacles().n, 0);
}

static void no_device(void **state)
{
	struct hostpci pci;
	char *why = NULL;

	(void)state;
	assert_int_equal(hostpci_look(&pci, root, CARD, &why), -ENODEV);
	assert_non_null(strstr(why, "there is no PCI device 0000:01:00.0"));
	free(why);
}

static void no_iommu(void **state)
{
	struct told told;

	(void)state;
	make_device(CARD, "e1000", NULL);
	told = obstacles();
	assert_int_equal(told.n, 2);
	assert_non_null(strstr(told.text[0], "uses no IOMMU"));
	assert_non_null(strstr(told.text[0], "intel_iommu=on"));
	assert_string_equal(told.text[1], "the host's driver e1000 has it: "
					  "vpio bind 0000:01:00.0");
}

static void not_behind_the_iommu(void **state)
{
	struct told told;

	(void)state;
	make_device(CARD, HOSTPCI_VFIO, NULL);
	make_device("0000:02:00.0", NULL, "3");
	told = obstacles();
	assert_int_equal(told.n, 1);
	assert_non_null(strstr(told.text[0], "does not serve this device"));
}

static void a_neighbour_has_a_driver(void **state)
{
	struct told told;

	(void)state;
	make_device(CARD, NULL, "7");
	make_device("0000:01:00.1", "snd", "7");
	make_device("0000:00:1c.0", "pcieport", "7");
	make_device("0000:02:00.0", "ahci", "8");
	told = obstacles();
	assert_int_equal(told.n, 2);
	assert_string_equal(told.text[0], "it is not bound to vfio-pci: "
					  "vpio bind 0000:01:00.0");
	assert_string_equal(told.text[1],
			    "0000:01:00.1 is in the same IOMMU group (7), and "
			    "the host's driver snd has it: vpio bind "
			    "0000:01:00.1, if the host can do without");
}

static void a_shared_line_is_a_caution(void **state)
{
	struct hostpci pci;
	char *text;

	(void)state;
	make_device(CARD, HOSTPCI_VFIO, "7");
	make_device("0000:02:00.0", "ahci", "8");
	make_dir(DEV "0000:02:00.0/msi_irqs");
	make_file(DEV "0000:02:00.0/msi_irqs/30", "msi\n");
	look(&pci);
	assert_null(hostpci_caution(&pci));
	make_device("0000:03:00.0", "usb", "9");
	look(&pci);
	text = hostpci_caution(&pci);
	assert_non_null(strstr(text, "line (11) is also that of 0000:03:00.0"));
	assert_int_equal(hostpci_obstacles(&pci, note, &(struct told){ 0 }), 0);
	free(text);
}

/* ---- binding ---- */

static void bind_takes_it_from_its_driver(void **state)
{
	struct hostpci pci;
	char *why = NULL;

	(void)state;
	make_device(CARD, "e1000", "7");
	make_dir("sys/bus/pci/drivers/" HOSTPCI_VFIO);
	look(&pci);
	/* files do not bind: so it is undone, and said */
	assert_int_equal(hostpci_bind(&pci, root, HOSTPCI_VFIO, false, &why),
			 -EIO);
	assert_non_null(strstr(why, "vfio-pci does not take it"));
	assert_string_equal(read_back("sys/bus/pci/drivers/e1000/unbind"),
			    CARD);
	assert_string_equal(read_back("sys/bus/pci/drivers_probe"), CARD);
	assert_string_equal(read_back(DEV CARD "/driver_override"),
			    "\nfio-pci\n"); /* the later, shorter write */
	free(why);
}

static void bind_does_nothing_twice(void **state)
{
	struct hostpci pci;
	char *why = NULL;

	(void)state;
	make_device(CARD, HOSTPCI_VFIO, "7");
	look(&pci);
	assert_int_equal(hostpci_bind(&pci, root, HOSTPCI_VFIO, false, &why),
			 0);
	assert_string_equal(read_back(DEV CARD "/driver_override"), "");
}

static void bind_leaves_a_network_that_is_up(void **state)
{
	struct hostpci pci;
	char *why = NULL;

	(void)state;
	make_device(CARD, "e1000", "7");
	make_dir("sys/bus/pci/drivers/" HOSTPCI_VFIO);
	make_dir(DEV CARD "/net/eth7");
	make_file(DEV CARD "/net/eth7/flags", "0x1003\n");
	look(&pci);
	assert_int_equal(hostpci_bind(&pci, root, HOSTPCI_VFIO, false, &why),
			 -EBUSY);
	assert_string_equal(why, CARD " is the host's interface eth7, which is "
				      "up: ip link set eth7 down, or --force");
	assert_string_equal(read_back("sys/bus/pci/drivers/e1000/unbind"), "");
	free(why);
	make_file(DEV CARD "/net/eth7/flags", "0x1002\n");
	look(&pci);
	assert_string_equal(pci.network, "");
}

static void bind_needs_the_driver(void **state)
{
	struct hostpci pci;
	char *why = NULL;

	(void)state;
	make_device(CARD, "e1000", "7");
	look(&pci);
	assert_int_equal(hostpci_bind(&pci, root, HOSTPCI_VFIO, false, &why),
			 -ENOENT);
	assert_non_null(strstr(why, "modprobe vfio-pci first"));
	free(why);
	why = NULL;
	assert_int_equal(hostpci_bind(&pci, root, "../x", false, &why),
			 -EINVAL);
	assert_string_equal(read_back(DEV CARD "/driver_override"), "");
	free(why);
}

static void unbind_lets_the_kernel_choose(void **state)
{
	struct hostpci pci;
	char *why = NULL;

	(void)state;
	make_device(CARD, HOSTPCI_VFIO, "7");
	look(&pci);
	assert_int_equal(hostpci_unbind(&pci, root, &why), 0);
	assert_string_equal(read_back(DEV CARD "/driver_override"), "\n");
	assert_string_equal(read_back("sys/bus/pci/drivers/vfio-pci/unbind"),
			    CARD);
	assert_string_equal(read_back("sys/bus/pci/drivers_probe"), CARD);
}

static void unbind_leaves_the_hosts_driver(void **state)
{
	struct hostpci pci;
	char *why = NULL;

	(void)state;
	make_device(CARD, "e1000", "7");
	look(&pci);
	assert_int_equal(hostpci_unbind(&pci, root, &why), 0);
	assert_string_equal(read_back("sys/bus/pci/drivers/e1000/unbind"), "");
	assert_string_equal(read_back("sys/bus/pci/drivers_probe"), "");
}

/* ---- the backend where there is no such card ---- */

static void open_says(const char *text, const char *words)
{
	const struct node *root_node;
	struct backend *be;
	struct tree *tree;
	struct diag diag;
	char *why = NULL;

	diag_init(&diag, "test");
	assert_int_equal(
		load_yaml(&tree, &root_node, text, strlen(text), &diag), 0);
	assert_true(backend_find("vfio")->open(&be, root_node, 0x8086, 0x100e,
					       &why) < 0);
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
	open_says("{ address: 1 }", "needs the device's address");
	open_says("{ address: \"ffff:ff:1f.7\" }",
		  "there is no PCI device ffff:ff:1f.7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test_setup_teardown(ready, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_device, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_iommu, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_behind_the_iommu, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_neighbour_has_a_driver,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_shared_line_is_a_caution,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(bind_takes_it_from_its_driver,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(bind_does_nothing_twice, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			bind_leaves_a_network_that_is_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bind_needs_the_driver, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(unbind_lets_the_kernel_choose,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(unbind_leaves_the_hosts_driver,
						set_up, tear_down),
		cmocka_unit_test(the_backend_says_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
