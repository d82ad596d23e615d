/* SPDX-License-Identifier: MIT */
/*
 * trace.h: what a monitor saw and did, as records in a pcapng file: so that
 * Wireshark and its tools read it, and a replay gives the same verdicts.
 *
 * A file is a section: one interface of link type TRACE_LINKTYPE for the
 * records of this header, then an Ethernet interface for each device (what
 * was on the wire, where the host knows it) and for each guest of a device
 * (what it sent and received).  Times are nanoseconds (if_tsresol 9).
 *
 * Order.  What the host answered while an entry (an access, an interrupt, a
 * tick, ...) was served comes before that entry's own record, which carries
 * the verdict; so do its lines, violations, switches and states.  So a reader
 * that collects TRACE_HOST records until an entry comes has all that the
 * monitor knew, and can serve it again.  A device's TRACE_MODEL is its first
 * record; the answers that opening the monitor took stand between it and
 * those of the first entry, and are taken first.
 *
 * All numbers are little endian.  Every record starts with struct trace_head;
 * a reader skips kinds that it does not know.
 *
 * Errors:  readers return 0, -EINVAL (malformed: where is in offset), -ENODATA
 *          (the end, also of a file that was cut off) or -ENOMEM.
 * Threads: none of its own; one object, one thread.
 */

#ifndef DMM_TRACE_H
#define DMM_TRACE_H

#include "dmm.h"

#define TRACE_LINKTYPE 147u /* LINKTYPE_USER0 */
#define TRACE_VERSION 1u
#define TRACE_NOBODY 0xffu	 /* no guest */
#define TRACE_RECORD_MAX 131072u /* bytes of one, head included */

enum trace_kind {
	TRACE_MODEL = 1,   /* a device: its model and how it is shared */
	TRACE_ACCESS,	   /* entry: an access of a guest */
	TRACE_INTERRUPT,   /* entry: the device's line is now (value) */
	TRACE_TICK,	   /* entry */
	TRACE_LEAVE,	   /* entry: a guest is gone */
	TRACE_GUEST_RESET, /* entry */
	TRACE_HOST,	   /* a question to the host, and its answer */
	TRACE_LINE,	   /* a guest's line is now (value) */
	TRACE_STATE,	   /* a machine of a guest's model changed its state */
	TRACE_SWITCH,	   /* a hand-over, and what it took */
	TRACE_VIOLATION,
	TRACE_LOST, /* (value) records could not be kept here */
	TRACE_STEP, /* of a hand-over, that begins: (value) is enum dmm_step */
	TRACE_SIGNALS, /* entry: a guest's interrupts come by (value) now */
	TRACE_MESSAGE, /* a guest gets message (value) */
	TRACE_KINDS
};

/* What a TRACE_HOST record is the answer of, by struct dmm_host's names. */
enum trace_host {
	TRACE_READ = 1,
	TRACE_WRITE,
	TRACE_READ_STRING,
	TRACE_WRITE_STRING,
	TRACE_PAUSE,
	TRACE_NOW,
	TRACE_RESET,
	TRACE_TRANSLATE,
	TRACE_READ_MEM,
	TRACE_WRITE_MEM,
	TRACE_AREA, /* what the device had written at (at) of the area */
};

/* 16 bytes, then (len) more that depend on the kind. */
struct trace_head {
	uint8_t version; /* TRACE_VERSION */
	uint8_t kind;
	uint8_t device; /* as TRACE_MODEL records number them */
	uint8_t guest;	/* of the device, or TRACE_NOBODY */
	uint32_t len;
	uint64_t sequence; /* of this device's records, from 0: gaps show */
};

/*
 * TRACE_ACCESS: 40 bytes, then count * width bytes of data (for a read: what
 * the guest got).
 */
struct trace_access {
	uint64_t off, rip; /* rip 0: not known */
	uint32_t count, done;
	uint8_t space, width, write, verdict; /* enum dmm_verdict */
	uint8_t path; /* enum dmm_path of its last element */
	uint8_t vcpu, pad[2];
	uint32_t from; /* elements done before: it was held in the middle */
	uint32_t pad2;
};

/*
 * TRACE_HOST: 40 bytes, then (bytes) of data: what was read or written,
 * TRACE_READ_MEM's being the DMA snapshots.
 */
struct trace_call {
	uint8_t what; /* enum trace_host */
	uint8_t space, width, guest;
	int32_t result; /* of those that return one: 0 or -errno */
	uint64_t at;	/* offset, guest address, or nanoseconds of a pause */
	uint64_t value; /* read, written, the time, or a device address */
	uint64_t count; /* elements, or length asked for */
	uint32_t bytes, pad;
};

/*
 * TRACE_INTERRUPT and TRACE_LINE: the level; TRACE_LOST: how many;
 * TRACE_TICK: when it is to be called again; TRACE_STEP: enum dmm_step;
 * TRACE_SIGNALS: enum dmm_signals; TRACE_MESSAGE: the vector.  TRACE_LEAVE and
 * TRACE_GUEST_RESET have nothing behind their head.
 */
struct trace_value {
	uint64_t value;
};

/* TRACE_STATE; names follow from the model. */
struct trace_state {
	uint16_t machine, from, to, pad;
};

/* TRACE_SWITCH. */
struct trace_switch {
	uint8_t from, to, forced, pad[5]; /* from may be TRACE_NOBODY */
	uint64_t ns;
};

/* TRACE_VIOLATION: 24 bytes, then its name and rule, NUL terminated each. */
struct trace_violation {
	uint64_t address, length;
	uint32_t line;
	uint8_t offence, pad[3];
};

/*
 * TRACE_MODEL: 56 bytes, then for each guest 16 bytes (struct trace_guest),
 * then name and text of the model and the machine file, NUL terminated each.
 */
struct trace_model {
	uint64_t hash; /* trace_hash() of the model's text */
	uint64_t lease_ns, area_size, area_iova;
	uint8_t how, when_parked, antispoof, mirror;
	uint8_t guests;
	uint8_t complete; /* nothing was filtered out: can be replayed */
	uint16_t pad;
	uint64_t pad2[2];
};

struct trace_guest {
	uint8_t mac[6], has_mac, policy;
	uint32_t weight, pad;
};

_Static_assert(sizeof(struct trace_head) == 16, "as in the file");
_Static_assert(sizeof(struct trace_access) == 40, "as in the file");
_Static_assert(sizeof(struct trace_call) == 40, "as in the file");
_Static_assert(sizeof(struct trace_violation) == 24, "as in the file");
_Static_assert(sizeof(struct trace_model) == 56, "as in the file");
_Static_assert(sizeof(struct trace_guest) == 16, "as in the file");

uint64_t trace_hash(const char *text, size_t len); /* FNV-1a, 64 bits */
const char *trace_kind_name(enum trace_kind kind); /* "access" */
const char *trace_host_name(enum trace_host what); /* "read_mem" */

/* ---- pcapng blocks, to and from memory ---- */

/*
 * Each writes one block into (to) of (room) bytes and returns its size, or 0
 * if there is no room.  An interface's number is the count of those before it
 * in its section.
 */
size_t trace_put_section(uint8_t *to, size_t room, const char *application);
size_t trace_put_interface(uint8_t *to, size_t room, uint16_t linktype,
			   const char *name);
/* (head), then (n) pieces, as one packet; a frame has no head. */
struct trace_piece {
	const void *bytes;
	size_t len;
};
size_t trace_put_packet(uint8_t *to, size_t room, uint32_t interface,
			uint64_t ns, const struct trace_piece *piece,
			unsigned int n);

enum trace_block {
	TRACE_BLOCK_SECTION,
	TRACE_BLOCK_INTERFACE,
	TRACE_BLOCK_PACKET,
	TRACE_BLOCK_OTHER
};

#define TRACE_INTERFACES 64u

/* A reader of a file in memory, which is untrusted, and borrowed. */
struct trace_reader {
	const uint8_t *bytes;
	size_t len, at; /* the next block */
	bool swapped;	/* written on a machine of the other byte order */
	unsigned int interfaces;
	struct {
		uint16_t linktype;
		uint8_t tsresol; /* 9: nanoseconds; 6 is the default */
		char name[32];
	} interface[TRACE_INTERFACES];
};

/*
 * A packet is (ours) only if it is whole: its body has the length that its
 * kind and its own counts say, and its strings end.  So the structs above may
 * be copied out of (body) without another look.
 */
struct trace_packet {
	enum trace_block block;
	size_t offset; /* of the block in the file */
	uint32_t interface;
	uint16_t linktype;
	uint64_t ns;
	const uint8_t *bytes; /* of a packet: captured */
	uint32_t len, original;
	/* of a packet of TRACE_LINKTYPE, when it is one of ours: */
	bool ours;
	struct trace_head head; /* head.len bytes follow at (body) */
	const uint8_t *body;
};

void trace_open(struct trace_reader *r, const void *bytes, size_t len);
/*
 * The next block.  -ENODATA with r->at < r->len: the file was cut off in the
 * block at r->at.  -EINVAL with r->at behind (out->offset): that block's
 * content is malformed, and the next call goes on behind it; else there is no
 * going on.
 */
MUST_CHECK int trace_next(struct trace_reader *r, struct trace_packet *out);

/*
 * After trace_next() could not go on at r->at: go to the next place behind it
 * where a whole block stands that this reader knows, and return true; false,
 * with r->at where it was, if there is none.
 */
MUST_CHECK bool trace_resync(struct trace_reader *r);

/* What a TRACE_MODEL that is (ours) says; strings point into the packet. */
struct trace_device {
	struct trace_model model;
	struct trace_guest guest[DMM_MAX_GUESTS];
	const char *name, *text, *machine; /* "": not there */
};

void trace_read_model(const struct trace_packet *p, struct trace_device *out);

#endif /* DMM_TRACE_H */
