/* SPDX-License-Identifier: MIT */
/*
 * machine.h: a machine file as plain structs: which devices there are, which
 * guests, and who uses what.
 *
 *   devices:
 *     nic0:
 *       model: NAME or PATH		names come from the model directories
 *       backend: sim
 *       network: user			and whatever else the backend takes
 *       address: 0000:01:00.0		of a real one: backend vfio
 *       share: { how: lease, whenParked: spool, lease: 5ms,
 *                antispoof: true, mirror: false, protect: model }
 *   guests:
 *     alpha:
 *       image: ping.elf
 *       memory: 32M			default 64M
 *       cpus: 1
 *       cmdline: "expect=0x1234"
 *       initrd: initrd.cpio		of a kernel; "kernel:" is "image:"
 *       timeout: 60s			default: none
 *       watchdog: 5s			default: 10s
 *       log: alpha.log			default: the terminal
 *       reboot: restart			or end
 *       console: terminal		or pty, or { socket: PATH }
 *       policy: ignore			or abort, mce, stop
 *       devices:
 *         - { use: nic0, mac: 52:54:00:00:00:0a, weight: 2,
 *             pcap: alpha.pcap, dmaWindow: 16M }
 *
 * Everything is checked here, once; who reads a struct machine checks nothing.
 * Paths are as from the current directory.
 */

#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include "../dmm/dmm.h"
#include "../dmm/load.h"
#include "console.h"

#define MACHINE_MAX_DEVICES 8
#define MACHINE_MAX_GUESTS 64
#define MACHINE_MAX_CPUS 16
#define MACHINE_MAX_NAME 32
#define MACHINE_MIN_MEMORY (UINT64_C(1) << 20)
#define MACHINE_MAX_MEMORY (UINT64_C(64) << 30)
#define MACHINE_MAX_WEIGHT 1000

struct machine_share {
	enum dmm_how how;
	enum dmm_when_parked when_parked;
	uint64_t lease_ns; /* 0: as the model's maxPark says */
	bool alone;	   /* protect: iommu */
	bool antispoof;
	bool mirror;
};

struct machine_device {
	const char *name;
	const char *model;	    /* a name, or a path with a slash */
	const char *backend;	    /* one that backend_find() knows */
	const struct node *network; /* NULL: none given */
	const struct node *conf;    /* the whole mapping, for the backend */
	struct machine_share share;
	unsigned int users; /* how many guests use it */
	struct diag_pos pos;
};

struct machine_use {
	unsigned int device; /* index into machine.device */
	bool has_mac;	     /* else the card's own: the device has one user */
	uint8_t mac[6];
	unsigned int weight;
	uint64_t dma_window; /* bytes; 0: all of its memory */
	const char *pcap;    /* NULL: none */
};

struct machine_guest {
	const char *name;
	const char *image;
	const char *cmdline; /* "" if none */
	const char *initrd;  /* NULL: none */
	const char *log;     /* NULL: the terminal */
	uint64_t memory;     /* bytes, whole pages */
	unsigned int cpus;
	uint64_t timeout_ns;  /* 0: none */
	uint64_t watchdog_ns; /* 0: VM_WATCHDOG_NS */
	enum dmm_policy policy;
	bool reboots; /* else a reset ends it */
	enum console_kind console;
	const char *socket; /* of its console; NULL: none */
	unsigned int uses;
	struct machine_use use[MACHINE_MAX_DEVICES];
	struct diag_pos pos;
};

struct machine {
	unsigned int devices, guests;
	struct machine_device device[MACHINE_MAX_DEVICES];
	struct machine_guest guest[MACHINE_MAX_GUESTS];
	struct tree *tree; /* what the strings above point into, */
	char **owned;	   /* or one of these */
	size_t n_owned;
};

/*
 * Read (text), which is untrusted.  -EINVAL with everything that is wrong with
 * it in (diag), or -ENOMEM.
 */
MUST_CHECK int machine_parse(struct machine **out, const char *text, size_t len,
			     struct diag *diag);
void machine_free(struct machine *m); /* NULL is fine */

/*
 * The same as text from flags, for machine_parse(); the caller frees it.
 *
 *   --device NAME=MODEL[,KEY=VALUE...]
 *   --guest NAME=IMAGE[,KEY=VALUE...]
 *
 * KEY is one of the file's; VALUE is a word, or YAML in brackets, braces or
 * quotes: share={how: lease}.  A guest's use, mac, weight, pcap and dmaWindow
 * are of its device, and "use" is not needed if there is only one.
 * NULL with one line in (*why), which the caller frees, if a flag has no "=".
 */
char *machine_from_flags(const char *const device[], size_t devices,
			 const char *const guest[], size_t guests, char **why);

/* What flags change in a machine; 0, NULL and DMM_HOW_DEFAULT change nothing. */
struct machine_changes {
	unsigned int guests;	/* so many, as copies of those there are */
	uint64_t timeout_ns;	/* of every guest */
	const char *pcap_dir;	/* DIR/GUEST-DEVICE.pcap for every use */
	enum dmm_how how;	/* of every device */
	bool when_parked_given; /* and so is this: */
	enum dmm_when_parked when_parked;
};

/* -EINVAL with one line in (*why), which the caller frees. */
MUST_CHECK int machine_change(struct machine *m,
			      const struct machine_changes *changes,
			      char **why);

/* As the file says it: "lease", "spool", "stop". */
extern const char *const machine_hows[];
extern const char *const machine_when_parkeds[];
extern const char *const machine_policies[];
extern const char *const machine_reboots[];
#define MACHINE_HOWS 3
#define MACHINE_WHEN_PARKEDS 2
#define MACHINE_POLICIES 4
#define MACHINE_REBOOTS 2

#endif /* VMM_MACHINE_H */
