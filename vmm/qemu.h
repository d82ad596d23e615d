/* SPDX-License-Identifier: MIT */
/*
 * qemu.h: a process that runs a stock QEMU whose machine is a bus, a parked
 * processor and one device.
 *
 * What it has of us it inherits as file descriptors; nothing of it is in any
 * file system.  It dies when we do.
 *
 * Threads: qemu_start() on a thread that lives for as long as QEMU is to: the
 *          kernel ends it when that thread ends.  The others from any.
 */

#ifndef VMM_QEMU_H
#define VMM_QEMU_H

#include <sys/types.h>

#include "../dmm/cc.h"

#define QEMU_PROGRAM "qemu-system-x86_64"
#define QEMU_MEGA (UINT64_C(1) << 20)

/* Where things are in its machine, a "q35". */
#define QEMU_SLOT 3	       /* of the device, on bus 0 */
#define QEMU_CONFIG_PORT 0xcf8 /* PCI configuration mechanism 1 */
#define QEMU_IO_BASE 0xc000    /* nothing else from here on */
#define QEMU_IO_END 0x10000
#define QEMU_MMIO_BASE 0xe0000000 /* and from here */
#define QEMU_MMIO_END 0xfec00000
#define QEMU_PIRQ_LINES 0xff0000u   /* pins of the I/O APIC for PCI: 16 to 23 */
#define QEMU_MEMORY_FIRST QEMU_MEGA /* below it there is ROM in places */
#define QEMU_MEMORY_MAX (2048 * QEMU_MEGA)

struct qemu_conf {
	const char *program; /* a name in PATH, or a path */
	const char *device;  /* for -device, without its slot and its wire */
	uint64_t memory;     /* bytes, whole megabytes */
	int memory_fd;	     /* of that size */
	int rom_fd;	     /* of qemu_rom() */
	int wire_fd;	     /* a datagram socket: a frame each */
};

struct qemu {
	pid_t pid;	 /* 0: none */
	int protocol_fd; /* our end of a stream socket; the caller's.  -1 */
	int say_fd;	 /* what it says on its standard error; -1 */
};

/* A file without a name that cannot shrink or grow: 0 or -errno and (*why). */
MUST_CHECK int qemu_file(const char *name, uint64_t size, int *fd, char **why);

/* The same with the program that parks the processor. */
MUST_CHECK int qemu_rom(int *fd, char **why);

/* Fills in (qemu), also if it fails; then -errno with (*why). */
MUST_CHECK int qemu_start(struct qemu *qemu, const struct qemu_conf *conf,
			  char **why);

/* It stops at once; qemu_end() is due still. */
void qemu_kill(const struct qemu *qemu);

/* Wait until it has stopped by itself or by qemu_kill(). */
void qemu_wait(const struct qemu *qemu);

/* Its last line, printable, or "". */
void qemu_words(const struct qemu *qemu, char *to, size_t size);

/* Ends it if need be; closes say_fd, but not protocol_fd. */
void qemu_end(struct qemu *qemu);

#endif /* VMM_QEMU_H */
