/* SPDX-License-Identifier: MIT */
/*
 * test_backend_qtest.c: QEMU's devices behind backend.h: what the gate sees of
 * them.  What needs QEMU is skipped where there is none.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "dmm/load.h"
#include "vmm/backend.h"
#include "vmm/log.h"
#include "vmm/mem.h"
#include "vmm/pcicap.h"
#include "vmm/qemu.h"

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

struct card {
	struct tree *tree;
	struct backend *be;
	char dir[32], local[64], remote[64];
	int wire; /* our end of its network */
	uint8_t *memory;
	uint64_t iova, size;
};

static void need_qemu(void)
{
	char *path = xstrdup(getenv("PATH") ? getenv("PATH") : ""), *rest, *at;
	char *dir, name[4200];
	bool found = false;

	rest = at = path;
	while ((dir = strsep(&rest, ":"))) {
		snprintf(name, sizeof(name), "%s/" QEMU_PROGRAM, dir);
		found |= !access(name, X_OK);
	}
	free(at);
	if (!found)
		skip();
}

static int open_text(struct card *card, uint16_t vendor, uint16_t device,
		     const char *text, char **why)
{
	const struct node *root;
	struct diag diag;

	diag_init(&diag, "test");
	assert_int_equal(
		load_yaml(&card->tree, &root, text, strlen(text), &diag), 0);
	diag_fini(&diag);
	return backend_qtest.open(&card->be, root, vendor, device, why);
}

/* With a network of datagrams whose other end is (wire). */
static void open_card(struct card *card, uint16_t vendor, uint16_t device)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char *text, *why = NULL;

	*card = (struct card){ .dir = "/tmp/vpio-test-XXXXXX" };
	assert_non_null(mkdtemp(card->dir));
	snprintf(card->local, sizeof(card->local), "%s/a", card->dir);
	snprintf(card->remote, sizeof(card->remote), "%s/b", card->dir);
	card->wire = socket(AF_UNIX, SOCK_DGRAM, 0);
	strcpy(un.sun_path, card->remote);
	assert_int_equal(bind(card->wire, (void *)&un, sizeof(un)), 0);
	text = xasprintf("network: { dgram: { local: %s, remote: %s } }\n"
			 "mac: 52:54:00:01:02:03\nmemory: 64M\n",
			 card->local, card->remote);
	if (open_text(card, vendor, device, text, &why))
		fail_msg("%s", why);
	strcpy(un.sun_path, card->local);
	assert_int_equal(connect(card->wire, (void *)&un, sizeof(un)), 0);
	free(text);
}

static void close_card(struct card *card)
{
	if (card->memory)
		munmap(card->memory, card->size);
	card->be->ops->close(card->be);
	load_free(card->tree);
	close(card->wire);
	unlink(card->remote);
	assert_int_equal(rmdir(card->dir), 0); /* and nothing is left in it */
}

/* 64 KiB of memory that the device reaches. */
static void take_memory(struct card *card)
{
	uint64_t offset;
	int fd;

	card->size = 0x10000;
	assert_int_equal(card->be->ops->guest_memory(card->be, card->size, &fd,
						     &offset, &card->iova),
			 0);
	card->memory = mmap(NULL, card->size, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, (off_t)offset);
	assert_true(card->memory != MAP_FAILED);
	assert_int_equal(card->be->ops->dma_map(card->be, card->iova,
						card->memory, card->size, true),
			 0);
	card->be->ops->bus_master(card->be, true);
}

static uint32_t rd(struct card *card, uint64_t off)
{
	return (uint32_t)card->be->ops->read(card->be, 0, off, 4);
}

static void wr(struct card *card, uint64_t off, uint32_t value)
{
	card->be->ops->write(card->be, 0, off, 4, value);
}

static uint8_t in(struct card *card, uint64_t off)
{
	return (uint8_t)card->be->ops->read(card->be, 0, off, 1);
}

static void out(struct card *card, uint64_t off, unsigned int value)
{
	card->be->ops->write(card->be, 0, off, 1, value);
}

static void put32(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
}

static void make_frame(uint8_t frame[64])
{
	static const uint8_t head[] = { 0x52, 0x54, 0, 1, 2, 3, 0x52,
					0x54, 0,    1, 2, 3, 8, 0 };

	for (unsigned int i = 0; i < 64; i++)
		frame[i] = (uint8_t)(i * 7);
	memcpy(frame, head, sizeof(head));
}

static void assert_frame(struct card *card, const uint8_t frame[64])
{
	uint8_t got[2000];

	assert_true(readable(card->wire, 5000));
	assert_int_equal(read(card->wire, got, sizeof(got)), 64);
	assert_memory_equal(got, frame, 64);
}

/* The processes that are children of ours; the first in (*pid). */
static unsigned int children(pid_t *pid)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	unsigned int n = 0;

	while ((task = readdir(tasks))) {
		char path[300], text[200];
		int fd;
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/task/%s/children",
			 task->d_name);
		fd = task->d_name[0] == '.' ? -1 : open(path, O_RDONLY);
		len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
		text[len > 0 ? len : 0] = '\0';
		for (char *at = text; *at; at = strchr(at, ' ') + 1)
			if (!n++)
				*pid = (pid_t)strtol(at, NULL, 10);
	}
	closedir(tasks);
	return n;
}

static unsigned int open_files(void)
{
	DIR *fds = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(fds))
		n++;
	closedir(fds);
	return n;
}

/* Registers of an 82540EM (Software Developer's Manual, 13.2) */
enum {
	STATUS = 0x8,
	EERD = 0x14,
	ICR = 0xc0,
	ICS = 0xc8,
	IMS = 0xd0,
	IMC = 0xd8,
	RCTL = 0x100,
	TCTL = 0x400,
	RDBAL = 0x2800,
	RDLEN = 0x2808,
	RDT = 0x2818,
	TDBAL = 0x3800,
	TDLEN = 0x3808,
	TDT = 0x3818,
	RAL = 0x5400,
};

static unsigned int eeprom(struct card *card, unsigned int word)
{
	uint32_t value;

	wr(card, EERD, word << 8 | 1);
	value = rd(card, EERD);
	assert_true(value & 0x10);
	return value >> 16;
}

static void test_e1000(void **state)
{
	struct card card;

	(void)state;
	need_qemu();
	open_card(&card, 0x8086, 0x100e);
	assert_int_equal(card.be->info.bar[0].space, BACKEND_MMIO);
	assert_int_equal(card.be->info.bar[0].size, 0x20000);
	assert_int_equal(card.be->info.bar[1].space, BACKEND_IO);
	assert_int_equal(card.be->info.bar[1].size, 0x40);
	assert_int_equal(card.be->info.bar[2].space, BACKEND_NONE);
	assert_true(card.be->info.intx);
	assert_int_equal(card.be->info.config[2], 0x0e);
	assert_int_equal(card.be->info.config[0x10], 0);
	assert_int_equal(eeprom(&card, 0), 0x5452);
	assert_int_equal(eeprom(&card, 1), 0x0100);
	assert_int_equal(eeprom(&card, 2), 0x0302);
	assert_true(rd(&card, STATUS) & 2);
	/* outside of it */
	assert_int_equal(rd(&card, 0x20000), UINT32_MAX);
	assert_int_equal(card.be->ops->read(card.be, 2, 0, 4), UINT32_MAX);
	close_card(&card);
}

static void test_e1000_dma(void **state)
{
	struct card card;
	uint8_t frame[64];
	uint64_t until = now_ms() + 5000;

	(void)state;
	need_qemu();
	open_card(&card, 0x8086, 0x100e);
	take_memory(&card);
	make_frame(frame);
	memcpy(card.memory + 0x1000, frame, sizeof(frame));
	put32(card.memory, (uint32_t)card.iova + 0x1000);
	put32(card.memory + 8, 64 | 0x0b000000); /* RS, IFCS, EOP */
	wr(&card, TDBAL, (uint32_t)card.iova);
	wr(&card, TDLEN, 128);
	wr(&card, TCTL, 2);
	wr(&card, TDT, 1);
	assert_frame(&card, frame);
	while (!(*(volatile uint8_t *)(card.memory + 12) & 1))
		assert_true(now_ms() < until);

	put32(card.memory + 0x2000, (uint32_t)card.iova + 0x3000);
	wr(&card, RDBAL, (uint32_t)card.iova + 0x2000);
	wr(&card, RDLEN, 128);
	wr(&card, RCTL, 0x02);
	wr(&card, RDT, 1);
	/* It hears nothing for a second after RCTL; QEMU holds the frame. */
	assert_int_equal(send(card.wire, frame, 64, 0), 64);
	while (!(*(volatile uint8_t *)(card.memory + 0x200c) & 1))
		assert_true(now_ms() < until);
	assert_memory_equal(card.memory + 0x3000, frame, 64);
	close_card(&card);
}

static void test_e1000_interrupt(void **state)
{
	struct card card;
	uint64_t n;

	(void)state;
	need_qemu();
	open_card(&card, 0x8086, 0x100e);
	assert_false(card.be->ops->irq_level(card.be));
	(void)!read(card.be->irq_fd, &n, sizeof(n));
	wr(&card, IMS, 4);
	wr(&card, ICS, 4);
	assert_true(readable(card.be->irq_fd, 5000));
	assert_true(card.be->ops->irq_level(card.be));
	wr(&card, IMC, 4); /* seen at once, though no write waits */
	assert_false(card.be->ops->irq_level(card.be));
	wr(&card, IMS, 4);
	assert_true(card.be->ops->irq_level(card.be));
	assert_true(rd(&card, ICR) & 4);
	assert_false(card.be->ops->irq_level(card.be));
	/* and gone with a reset */
	wr(&card, ICS, 4);
	assert_true(card.be->ops->irq_level(card.be));
	assert_int_equal(card.be->ops->reset(card.be), 0);
	assert_false(card.be->ops->irq_level(card.be));
	assert_int_equal(rd(&card, IMS), 0);
	close_card(&card);
}

/* Power-on means all of it; memory is not the device's. */
static void test_reset(void **state)
{
	struct card card;
	pid_t before, after;

	(void)state;
	need_qemu();
	open_card(&card, 0x8086, 0x100e);
	take_memory(&card);
	assert_int_equal(children(&before), 1);
	assert_int_equal(card.be->ops->reset(card.be), 0);
	assert_int_equal(children(&after), 1);
	assert_int_equal(before, after); /* nothing to undo */
	memset(card.memory, 0x5a, card.size);
	for (unsigned int i = 0; i < 8; i++)
		wr(&card, RAL + 4 * i, 0x5a5a5a5a);
	wr(&card, TDLEN, 0x1000);
	assert_int_equal(rd(&card, TDLEN), 0x1000);
	assert_int_equal(card.be->ops->reset(card.be), 0);
	assert_int_equal(children(&after), 1);
	assert_int_not_equal(before, after);
	assert_int_equal(rd(&card, TDLEN), 0);
	assert_int_equal(rd(&card, RAL), 0x01005452);
	assert_int_equal(rd(&card, RAL + 8), 0);
	for (unsigned int i = 0; i < card.size; i++)
		assert_int_equal(card.memory[i], 0x5a);
	close_card(&card);
}

static void remote(struct card *card, unsigned int addr, unsigned int len,
		   unsigned int command)
{
	out(card, 0, 0x22);
	out(card, 0x0e, 0x49);
	out(card, 0x0a, len & 0xff);
	out(card, 0x0b, len >> 8);
	out(card, 0x08, addr & 0xff);
	out(card, 0x09, addr >> 8);
	out(card, 0, command);
}

static void ne2k_setup(struct card *card)
{
	static const uint8_t page0[][2] = { { 0x0e, 0x49 }, { 0x0c, 0x1c },
					    { 0x0d, 0 },    { 0x01, 0x46 },
					    { 0x02, 0x80 }, { 0x03, 0x46 },
					    { 0x07, 0xff }, { 0x0f, 0x03 } };

	out(card, 0, 0x21);
	for (unsigned int i = 0; i < ARRAY_LEN(page0); i++)
		out(card, page0[i][0], page0[i][1]);
	out(card, 0, 0x61);
	out(card, 7, 0x47);
	out(card, 0, 0x22);
}

static void test_ne2k(void **state)
{
	struct card card;
	uint8_t frame[64], prom[32], got[68];
	uint64_t n;

	(void)state;
	need_qemu();
	open_card(&card, 0x10ec, 0x8029);
	assert_int_equal(card.be->info.bar[0].space, BACKEND_IO);
	remote(&card, 0, 32, 0x0a);
	card.be->ops->read_string(card.be, 0, 0x10, 2, prom, 16);
	assert_memory_equal(prom, "\x52\x52\x54\x54\0\0\1\1\2\2\3\3", 12);
	ne2k_setup(&card);
	make_frame(frame);
	remote(&card, 0x4000, 64, 0x12);
	card.be->ops->write_string(card.be, 0, 0x10, 2, frame, 32);
	out(&card, 0x04, 0x40);
	out(&card, 0x05, 64);
	out(&card, 0x06, 0);
	(void)!read(card.be->irq_fd, &n, sizeof(n));
	out(&card, 0, 0x26);
	assert_frame(&card, frame);
	assert_true(card.be->ops->irq_level(card.be));
	assert_int_equal(in(&card, 7) & 2, 2);
	out(&card, 7, 0xff);
	assert_false(card.be->ops->irq_level(card.be));
	(void)!read(card.be->irq_fd, &n, sizeof(n));
	assert_int_equal(send(card.wire, frame, 64, 0), 64);
	assert_true(readable(card.be->irq_fd, 5000));
	assert_true(card.be->ops->irq_level(card.be));
	remote(&card, 0x4700, 68, 0x0a);
	card.be->ops->read_string(card.be, 0, 0x10, 2, got, 34);
	assert_memory_equal(got + 4, frame, 64);
	/* The card's memory does not outlive a reset. */
	assert_int_equal(card.be->ops->reset(card.be), 0);
	remote(&card, 0x4700, 68, 0x0a);
	card.be->ops->read_string(card.be, 0, 0x10, 2, got, 34);
	for (unsigned int i = 0; i < sizeof(got); i++)
		assert_int_equal(got[i], 0);
	close_card(&card);
}

/* The parts whose MAC lies in their first bytes; and one that has a ring. */
static void test_others(void **state)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0, 1, 2, 3 };
	struct card card;

	(void)state;
	need_qemu();
	for (unsigned int i = 0; i < 2; i++) {
		open_card(&card, i ? 0x1022 : 0x10ec, i ? 0x2000 : 0x8139);
		for (unsigned int k = 0; k < 6; k++)
			assert_int_equal(in(&card, k), mac[k]);
		assert_int_equal(card.be->info.bar[1].space, BACKEND_MMIO);
		/* BAR 1 is the same device. */
		assert_int_equal(card.be->ops->read(card.be, 1, 0, 1), 0x52);
		close_card(&card);
	}
	open_card(&card, 0x8086, 0x10d3);
	assert_int_equal(rd(&card, RAL), 0x01005452);
	assert_int_equal(card.be->info.bar[2].space, BACKEND_IO);
	close_card(&card);
}

static void test_memory(void **state)
{
	uint64_t offset[2], iova[2], left;
	struct card card;
	struct mem *mem;
	char *why = NULL;
	int fd;
	int (*get)(struct backend *, uint64_t, int *, uint64_t *, uint64_t *);

	(void)state;
	need_qemu();
	open_card(&card, 0x8086, 0x100e);
	get = card.be->ops->guest_memory;
	assert_int_equal(get(card.be, 0, &fd, &left, &left), -EINVAL);
	assert_int_equal(get(card.be, 5000, &fd, &offset[0], &iova[0]), 0);
	assert_int_equal(get(card.be, 32 << 20, &fd, &offset[1], &iova[1]), 0);
	assert_true(iova[0] >= 0x100000);
	assert_int_equal(iova[1], iova[0] + 8192);
	assert_int_equal(offset[1] % 4096, 0);
	assert_int_equal(get(card.be, 32 << 20, &fd, &left, &left), -ENOMEM);
	assert_int_equal(get(card.be, UINT64_MAX, &fd, &left, &left), -ENOMEM);
	assert_int_equal(card.be->ops->dma_map(card.be, iova[1], NULL, 32 << 20,
					       true),
			 0);
	assert_int_equal(card.be->ops->dma_map(card.be, iova[1] + 4096, NULL,
					       32 << 20, true),
			 -EINVAL);
	assert_int_equal(card.be->ops->dma_map(card.be, 0xff000, NULL, 8192,
					       true),
			 -EINVAL);
	/* It cannot be made shorter, by whoever has it. */
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(
		mem_open_fd(&mem, fd, offset[1], UINT64_C(32) << 20, &why), 0);
	mem_close(mem);
	close_card(&card);
}

static void test_killed(void **state)
{
	struct card card;
	pid_t pid;
	uint8_t many[10];

	(void)state;
	need_qemu();
	open_card(&card, 0x8086, 0x100e);
	wr(&card, IMS, 4);
	wr(&card, ICS, 4);
	assert_true(card.be->ops->irq_level(card.be));
	assert_int_equal(children(&pid), 1);
	kill(pid, SIGKILL);
	assert_true(readable(card.be->irq_fd, 5000));
	wr(&card, IMS, 4);
	assert_int_equal(rd(&card, STATUS), UINT32_MAX);
	wr(&card, IMS, 4);
	memset(many, 0, sizeof(many));
	card.be->ops->read_string(card.be, 0, 8, 1, many, sizeof(many));
	for (unsigned int i = 0; i < sizeof(many); i++)
		assert_int_equal(many[i], 0xff);
	assert_false(card.be->ops->irq_level(card.be));
	assert_int_equal(card.be->ops->reset(card.be), -EIO);
	close_card(&card);
	assert_int_equal(children(&pid), 0);
}

static void test_leaves_nothing(void **state)
{
	unsigned int before = open_files();
	struct card card;
	pid_t pid;

	(void)state;
	need_qemu();
	for (unsigned int i = 0; i < 3; i++) {
		open_card(&card, 0x10ec, 0x8029);
		out(&card, 0, 0x21);
		assert_int_equal(card.be->ops->reset(card.be), 0);
		close_card(&card);
		assert_int_equal(children(&pid), 0);
		assert_int_equal(open_files(), before);
	}
}

/* kill -9 of the monitor ends QEMU as well. */
static void test_dies_with_us(void **state)
{
	struct card card = { .wire = -1 };
	pid_t monitor, qemu = 0;
	char *why = NULL;
	int tell[2];

	(void)state;
	need_qemu();
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe(tell), 0);
	monitor = fork();
	if (!monitor) {
		if (open_text(&card, 0x8086, 0x100e, "network: none", &why) ||
		    children(&qemu) != 1 ||
		    write(tell[1], &qemu, sizeof(qemu)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	close(tell[1]);
	assert_int_equal(read(tell[0], &qemu, sizeof(qemu)), sizeof(qemu));
	close(tell[0]);
	assert_int_equal(kill(qemu, 0), 0);
	kill(monitor, SIGKILL);
	assert_int_equal(waitpid(monitor, NULL, 0), monitor);
	assert_int_equal(waitpid(qemu, NULL, 0), qemu); /* ours now */
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* What is said when there is no QEMU, or none that we can use. */
static void test_no_qemu(void **state)
{
	static const struct {
		const char *text, *why;
		uint16_t device;
	} tests[] = {
		{ "qemu: no-such-qemu", "apt-get install qemu", 0x100e },
		{ "qemu: /dev/null", "cannot run /dev/null", 0x100e },
		{ "qemu: /bin/true", "without a word", 0x100e },
		{ "qemu: /bin/sh", "gives us no device", 0x100e },
		{ "qemu: ''", "line 1: qemu is", 0x100e },
		{ "memory: 1M", "memory is from 16M to 2G", 0x100e },
		{ "memory: 4G", "memory is from 16M to 2G", 0x100e },
		{ "mac: hello", "mac", 0x100e },
		{ "qeum: x", "qemu", 0x100e },
		{ "network: wire", "network", 0x100e },
		{ "network: none", "no device that fits PCI 8086:beef",
		  0xbeef },
	};
	unsigned int before = open_files();
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
		struct card card;
		char *why = NULL;

		assert_true(open_text(&card, 0x8086, tests[i].device,
				      tests[i].text, &why) < 0);
		assert_non_null(why);
		if (!strstr(why, tests[i].why))
			fail_msg("\"%s\": %s", tests[i].text, why);
		free(why);
		load_free(card.tree);
		assert_int_equal(children(&pid), 0);
		assert_int_equal(open_files(), before);
	}
}

/* Capabilities of a QEMU's 82574L: what of them a guest is shown. */
static void test_e1000e_messages(void **state)
{
	struct backend_info info;
	struct pcicap cap;
	struct card card;
	uint8_t config[256];
	unsigned int at, shown = 0;

	(void)state;
	need_qemu();
	open_card(&card, 0x8086, 0x10d3);
	info = card.be->info;
	memcpy(config, info.config, sizeof(config));
	assert_int_equal(pcicap_open(&cap, &info, config, true), 0);
	for (at = config[0x34]; at; at = config[at + 1])
		shown |= 1u << config[at];
	assert_int_equal(shown, 1u << 0x01 | 1u << 0x05 | 1u << 0x11);
	assert_int_equal(cap.vectors, 5);
	assert_int_equal(cap.table_bar, 3);
	assert_true(pcicap_needs(&info, 3));
	assert_false(pcicap_needs(&info, 0));
	pcicap_table_write(&cap, 3, 16 * 4 + 8, 4, 0x55);
	assert_int_equal(pcicap_table_read(&cap, 3, 16 * 4 + 8, 4), 0x55);
	/* It is ours: the card's own is as it was. */
	assert_int_equal(card.be->ops->read(card.be, 3, 16 * 4 + 8, 4), 0);
	pcicap_close(&cap);
	close_card(&card);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_qemu),
		cmocka_unit_test(test_e1000),
		cmocka_unit_test(test_e1000_dma),
		cmocka_unit_test(test_e1000_interrupt),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_ne2k),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_e1000e_messages),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_leaves_nothing),
		cmocka_unit_test(test_dies_with_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
