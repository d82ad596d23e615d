// SPDX-License-Identifier: MIT
/*
 * uio.c: a PCI device by sysfs and uio_pci_generic.
 */

#include "uio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "why.h"

#define PATH 512
#define PAGE 4096u
/* Who was killed has a keeper; it needs so long at most. */
#define BUSY_TRIES 200
#define BUSY_NS 10000000

/* The command register.  PCI 3.0, 6.2.2. */
#define REG_COMMAND 0x04
#define COMMAND_DECODE 0x0003u
#define COMMAND_MASTER 0x0004u
#define COMMAND_NO_INTX 0x0400u

/* Flags of sysfs's resource file: those of the kernel's ioport.h. */
#define RESOURCE_IO 0x100u
#define RESOURCE_MEMORY 0x200u
#define RESOURCE_PREFETCH 0x2000u
#define RESOURCE_64 0x100000u

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static char *path_of(const char *root, const char *address, const char *name)
{
	return xasprintf("%s/sys/bus/pci/devices/%s/%s", root, address, name);
}

static int open_file(const char *root, const char *address, const char *name)
{
	char *path = path_of(root, address, name);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	free(path);
	return fd < 0 ? -errno : fd;
}

/* ---- configuration space ---- */

void uio_config_read(const struct uio_dev *dev, unsigned int at, void *to,
		     size_t len)
{
	if (pread(dev->config, to, len, (off_t)at) != (ssize_t)len)
		memset(to, 0xff, len);
}

/* Async-signal-safe, for the keeper. */
static bool write_command(int config, uint16_t value)
{
	uint8_t bytes[2] = { (uint8_t)value, (uint8_t)(value >> 8) };

	return pwrite(config, bytes, 2, REG_COMMAND) == 2;
}

static uint16_t read_command(int config)
{
	uint8_t bytes[2] = { 0xff, 0xff };

	if (pread(config, bytes, 2, REG_COMMAND) != 2)
		return 0xffff;
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

void uio_command(struct uio_dev *dev, bool master, bool intx)
{
	uint16_t value = COMMAND_DECODE;

	dev->master = master;
	dev->intx = intx;
	if (master)
		value |= COMMAND_MASTER;
	if (!intx)
		value |= COMMAND_NO_INTX;
	if (!write_command(dev->config, value))
		log_debug("%s: its command register cannot be written",
			  dev->at.address);
}

bool uio_interrupted(const struct uio_dev *dev)
{
	uint32_t count;

	return dev->events >= 0 &&
	       read(dev->events, &count, sizeof(count)) == sizeof(count);
}

/* The kernel saves and restores what configuration space had. */
int uio_reset(struct uio_dev *dev)
{
	int fd, err = 0;

	if (!dev->reset)
		return -ENOTTY;
	fd = open(dev->reset, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		err = -errno;
	close_fd(&fd);
	uio_command(dev, dev->master, dev->intx);
	return err;
}

/* ---- opening ---- */

struct first {
	char *text;
};

static void keep_first(void *ctx, const char *text)
{
	struct first *first = ctx;

	if (!first->text)
		first->text = xstrdup(text);
}

static int check_place(struct uio_dev *dev, const char *root,
		       const char *address, char **why)
{
	struct first first = { NULL };
	int err = hostpci_look(&dev->at, root, address, why);

	if (err || !hostpci_uio_obstacles(&dev->at, keep_first, &first))
		return err;
	err = why_set(why, -EBUSY, "%s: %s", address, first.text);
	free(first.text);
	return err;
}

/* One that was killed keeps it until its card is off the bus. */
static int lock(struct uio_dev *dev, char **why)
{
	const struct timespec nap = { .tv_nsec = BUSY_NS };

	for (int i = 0; i < BUSY_TRIES; i++) {
		if (!flock(dev->config, LOCK_EX | LOCK_NB))
			return 0;
		nanosleep(&nap, NULL);
	}
	return why_set(why, -EBUSY, "%s: another vpio has it", dev->at.address);
}

static int open_config(struct uio_dev *dev, const char *root, char **why)
{
	int err;

	dev->config = open_file(root, dev->at.address, "config");
	if (dev->config < 0)
		return why_set(why, dev->config,
			       "%s: its configuration space: %s: be root",
			       dev->at.address, strerror(-dev->config));
	err = lock(dev, why);
	if (err)
		return err;
	/* Whoever was here before: it masters no bus from here on. */
	dev->found = read_command(dev->config);
	uio_command(dev, false, false);
	return 0;
}

static int open_events(struct uio_dev *dev, const char *root, char **why)
{
	char *path = xasprintf("%s/dev/%s", root, dev->at.uio);
	int err = 0;

	dev->events = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (dev->events < 0)
		err = why_set(why, -errno, "cannot open %s: %s", path,
			      strerror(errno));
	free(path);
	return err;
}

static int open_region(struct uio_dev *dev, const char *root, unsigned int i)
{
	struct uio_region *r = &dev->bar[i];
	char name[16];
	void *map;

	snprintf(name, sizeof(name), "resource%u", i);
	r->at.fd = open_file(root, dev->at.address, name);
	if (r->at.fd < 0)
		return r->at.fd;
	if (r->io)
		return 0;
	map = mmap(NULL, (r->at.size + PAGE - 1) & ~(uint64_t)(PAGE - 1),
		   PROT_READ | PROT_WRITE, MAP_SHARED, r->at.fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r->at.map = map;
	close_fd(&r->at.fd);
	return 0;
}

/* A line a BAR: its first address, its last, its flags. */
static int open_regions(struct uio_dev *dev, const char *root, char **why)
{
	char *path = path_of(root, dev->at.address, "resource");
	FILE *file = fopen(path, "re");
	uint64_t first, last, flags;
	int err = file ? 0 : -errno;
	unsigned int i;

	for (i = 0; i < UIO_BARS && !err; i++) {
		struct uio_region *r = &dev->bar[i];

		if (fscanf(file, "%" SCNx64 " %" SCNx64 " %" SCNx64, &first,
			   &last, &flags) != 3)
			break;
		if (!(flags & (RESOURCE_IO | RESOURCE_MEMORY)) || last <= first)
			continue;
		r->at.size = last - first + 1;
		r->io = flags & RESOURCE_IO;
		r->is64 = flags & RESOURCE_64;
		r->prefetch = flags & RESOURCE_PREFETCH;
		err = open_region(dev, root, i);
	}
	if (file)
		fclose(file);
	free(path);
	if (!err)
		return 0;
	return why_set(why, err, "%s: its registers: %s", dev->at.address,
		       strerror(-err));
}

int uio_open(struct uio_dev *dev, const char *root, const char *address,
	     char **why)
{
	unsigned int i;
	int err;

	*dev = (struct uio_dev){ .config = -1, .events = -1, .lifeline = -1 };
	for (i = 0; i < UIO_BARS; i++)
		dev->bar[i].at.fd = -1;
	err = check_place(dev, root, address, why);
	if (!err)
		err = open_config(dev, root, why);
	if (!err)
		err = open_events(dev, root, why);
	if (!err)
		err = open_regions(dev, root, why);
	dev->reset = path_of(root, address, "reset");
	if (access(dev->reset, W_OK)) {
		free(dev->reset);
		dev->reset = NULL;
	}
	if (err)
		uio_close(dev);
	return err;
}

static void end_keeper(struct uio_dev *dev)
{
	close_fd(&dev->lifeline);
	while (dev->keeper > 0 && waitpid(dev->keeper, NULL, 0) < 0 &&
	       errno == EINTR)
		;
	dev->keeper = 0;
}

void uio_close(struct uio_dev *dev)
{
	unsigned int i;

	for (i = 0; i < UIO_BARS; i++) {
		struct uio_region *r = &dev->bar[i];

		if (r->at.map)
			munmap(r->at.map,
			       (r->at.size + PAGE - 1) & ~(uint64_t)(PAGE - 1));
		r->at.map = NULL;
		close_fd(&r->at.fd);
	}
	end_keeper(dev);
	if (dev->config >= 0)
		write_command(dev->config,
			      (uint16_t)(dev->found & ~COMMAND_MASTER));
	close_fd(&dev->events);
	close_fd(&dev->config);
	free(dev->reset);
	dev->reset = NULL;
}

/* ---- the keeper ---- */

/* All but the three that are given, which are not sorted. */
static void close_others(const int keep[3])
{
	int from = 0;

	for (;;) {
		int next = -1;

		for (int i = 0; i < 3; i++)
			if (keep[i] >= from && (next < 0 || keep[i] < next))
				next = keep[i];
		if (next < 0) {
			close_range((unsigned int)from, ~0u, 0);
			return;
		}
		if (next > from)
			close_range((unsigned int)from, (unsigned int)next - 1,
				    0);
		from = next + 1;
	}
}

/* System calls alone: the others' locks may be held for ever in here. */
__attribute__((noreturn)) static void keep(int config, int memory, int death)
{
	const int fds[3] = { config, memory, death };
	struct timespec nap = { .tv_nsec = 1000000 };
	char byte;

	setsid();
	close_others(fds);
	while (read(death, &byte, 1) < 0 && errno == EINTR)
		;
	write_command(config, COMMAND_DECODE | COMMAND_NO_INTX);
	(void)read_command(config); /* what was written is there now */
	nanosleep(&nap, NULL);	    /* and what was under way has come */
	_exit(0);
}

int uio_keep(struct uio_dev *dev, int memory, char **why)
{
	sigset_t every, before;
	int end[2];

	if (pipe2(end, O_CLOEXEC))
		return why_set(why, -errno, "no pipe");
	sigfillset(&every);
	sigprocmask(SIG_SETMASK, &every, &before);
	dev->keeper = fork();
	if (!dev->keeper)
		keep(dev->config, memory, end[0]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(end[0]);
	dev->lifeline = end[1];
	if (dev->keeper > 0)
		return 0;
	dev->keeper = 0;
	return why_set(why, -errno, "no process to keep its memory");
}
