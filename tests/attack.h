/* SPDX-License-Identifier: MIT */
/*
 * attack.h: a hostile guest, its neighbour and a third that does nothing, on
 * one card behind a monitor, without KVM: guests are memory and calls of
 * dmm_access(), as the gate's; the card is a backend's.
 *
 * Each byte that nobody may touch is filled with a marker of its own: what
 * changes is a bad write, and what shows up elsewhere is a bad read.
 *
 * Interface: attack_open(); attack_run() for one case, which says what is wrong
 * or NULL; attack_close().  Nothing here asserts, so that a test can want a
 * case to fail.
 *
 * Files: attack.c is the rig, attack_host.c the monitor's host and the wire,
 * attack_e1000.c a driver for good and bad guests, attack_ne2k.c and
 * attack_rtl8139.c and attack_pcnet.c others, attack_peer.c what they share;
 * attack_ring.c, attack_door.c, attack_frame.c, attack_offload.c, attack_rx.c,
 * attack_port.c, attack_slots.c and attack_own.c are the tables of cases.
 */

#ifndef TESTS_ATTACK_H
#define TESTS_ATTACK_H

#include <stdio.h>
#include <sys/types.h>

#include "dmm/dmm.h"
#include "vmm/backend.h"
#include "vmm/dma.h"
#include "vmm/mem.h"

enum { HOSTILE, NEIGHBOUR, THIRD, GUESTS };

/* A guest's memory: LOW_SIZE from 0, HIGH_SIZE from 4 GiB. */
#define LOW_SIZE 0x100000u
#define HIGH_SIZE 0x10000u
#define TX_RING 0x10000u /* the drivers': up to 256 descriptors, */
#define RX_RING 0x12000u
#define TX_BUFS 0x20000u /* 16 of 4 KiB */
#define RX_BUFS 0x40000u /* 64 of 2 KiB */
#define DRIVER_END 0x60000u

/* Bytes that memory is filled with: a hostile's, a neighbour's, a third's. */
#define MARK_H 0x48
#define MARK_N 0x4e
#define MARK_T 0x54
#define MARK_ZONE 0xf1 /* and up: what is nobody's */

#define ZONES_MAX 16u
#define REPORTS_MAX 64u
#define WIRE_MAX 9216u
#define REGS_MAX 40u
#define STALLS_MAX 8u

struct zone {
	const char *name;
	uint8_t *host;
	uint64_t iova, len;
	uint8_t fill;
	bool own; /* allocated here, and mapped for the device */
};

struct heard {
	enum dmm_offence offence;
	unsigned int guest, line;
	bool other; /* the access at hand was another guest's */
	char name[32];
};

struct seat {
	struct mem mem;
	uint8_t *host; /* LOW_SIZE, then HIGH_SIZE */
	uint8_t mac[6];
	bool master; /* it may master the bus */
	bool gone;
	bool stopped; /* the monitor said so */
	bool line;
	uint32_t tx, tx_count; /* the driver's: next descriptor, in the ring */
	uint32_t rx;
	uint32_t seq; /* frames of its transfers */
};

struct rig;

enum {
	ON_SIM = 1 << 0,
	ON_QTEST = 1 << 1,
	ON_BOTH = ON_SIM | ON_QTEST,
	IN_MERGE = 1 << 2,
	IN_LEASE = 1 << 3,
	IN_DROP = 1 << 4, /* a lease with whenParked: drop */
	IN_ALL = IN_MERGE | IN_LEASE,
	EVERYWHERE = ON_BOTH | IN_ALL,
};

/* What the hostile guest's frames do on the wire; and what is allowed. */
enum {
	WIRE_NONE = 1 << 0,   /* there are none */
	WIRE_TAGGED = 1 << 1, /* they may have a tag */
	WIRE_SOME = 1 << 2,   /* there is one at least */
	MAY_TELL = 1 << 3,    /* reports beside the one that is wanted */
	MAY_REACH = 1 << 4,   /* its bytes may be in siblings' buffers */
	MAY_SEE = 1 << 5,     /* the neighbour's bytes may be in its own */
	WIRE_PURE = 1 << 6,   /* they have no byte but its marker's */
};

struct attack_case {
	const char *name;
	unsigned int on; /* where it makes sense */
	void (*attack)(struct rig *rig);
	/* What is to be told, and a part of its line in the model. */
	bool told;
	enum dmm_offence offence;
	const char *who, *line;
	unsigned int may;     /* WIRE_... and MAY_... */
	unsigned int without; /* safeguards that it tests */
	enum dmm_policy policy;
	bool mirror;
	/* Parameters of (attack). */
	uint64_t at, len, arg;
};

#define CASE(n, where, how) .name = n, .on = where, .attack = how

struct attack_part {
	const char *model; /* path */
	/* Every guest's driver, from the start. */
	void (*start)(struct rig *rig);
	/* The neighbour sends a frame, by attack_sent(); so often. */
	void (*out)(struct rig *rig);
	unsigned int frames;
	/* Does its driver see that the last one was sent? */
	bool (*sent)(struct rig *rig);
	/* A frame as it comes from the wire; NULL: attack_make(). */
	void (*make)(uint8_t *p, size_t len, const uint8_t to[6],
		     const uint8_t from[6], uint32_t seq);
	/* It takes what came; true if it was (frame), by attack_took(). */
	bool (*take)(struct rig *rig, const uint8_t *frame, size_t len);
	/* What else must be so behind a transfer; NULL. */
	void (*look)(struct rig *rig);
	/* The card has nothing more to send of what it was given. */
	bool (*idle)(struct rig *rig);
	/* The words of its EEPROM, by the device itself; NULL: it has none. */
	void (*eeprom)(struct rig *rig, uint16_t words[64]);
	/* Registers of the device's BAR 0 that no guest may move; 0 ends. */
	const uint32_t *regs;
};

extern const struct attack_part attack_e1000, attack_ne2k;

struct rig {
	const struct attack_part *part;
	const struct attack_case *c;
	const struct backend_ops *ops;
	unsigned int way; /* IN_... */
	struct tree *tree;
	struct backend *be;
	struct dmm_model *model;
	char *text; /* the model's */
	struct dmm_conf conf;
	struct dma dma;
	struct dmm *dmm;
	struct seat guest[GUESTS];
	struct zone zone[ZONES_MAX];
	unsigned int zones;
	uint8_t *ram; /* qtest: all that the device reaches */
	size_t ram_size;
	uint8_t before[RX_RING - TX_RING]; /* the neighbour's ring */
	uint16_t eeprom[64];
	uint64_t faults;

	uint64_t skew; /* nanoseconds that the clock is ahead */
	bool stalled;  /* the device's doorbells wait here: */
	uint64_t stall_from, stall_len, stall_value;
	struct {
		uint64_t at, value;
		unsigned int width;
	} stall[STALLS_MAX];
	unsigned int stalls;
	uint64_t accesses; /* of guests, served */
	uint32_t regs[REGS_MAX];
	bool spent; /* the monitor is not to be used for another case */

	char verdict[256]; /* what is wrong; "" */
	struct heard heard[REPORTS_MAX];
	unsigned int reports;
	unsigned int hostile_frames, neighbour_frames;
	uint8_t last[WIRE_MAX]; /* the hostile's latest frame on the wire */
	size_t last_len;
	uint8_t expect[WIRE_MAX]; /* the neighbour's next; 0: none is due */
	size_t expect_len;

	char dir[32], local[64], remote[64], capture[64];
	int wire, capture_fd;
	off_t capture_at;
};

/* ---- attack.c ---- */

/*
 * A rig on the backend (ops), shared in the way (way) (one of IN_...), with
 * safeguards (without) taken away.  NULL with a line in (why) on failure.
 */
MUST_CHECK struct rig *attack_open(const struct attack_part *part,
				   const struct backend_ops *ops,
				   unsigned int way, unsigned int without,
				   char why[128]);
void attack_close(struct rig *rig);

/* NULL, or what is wrong; good until the next call. */
const char *attack_run(struct rig *rig, const struct attack_case *c);

/* The first complaint stays. */
void attack_bad(struct rig *rig, const char *fmt, ...) PRINTF(2, 3);
/* The neighbour's ring is to be as it is now, after the attack. */
void attack_keep_ring(struct rig *rig);
bool attack_heard(const struct rig *rig, enum dmm_offence offence,
		  const char *who);

/* ---- attack_host.c ---- */

extern const struct dmm_host attack_host;

bool attack_wire_open(struct rig *rig);
void attack_wire_close(struct rig *rig);
/* All that came until now is judged. */
void attack_wire_judge(struct rig *rig);
void attack_wire_send(struct rig *rig, const uint8_t *frame, size_t len);
uint64_t attack_now(struct rig *rig);

/* Let the card work and the monitor look, once; until it is quiet. */
void attack_turn(struct rig *rig);
void attack_settle(struct rig *rig);

/*
 * Doorbells of the device at (off) of its BAR 0, or in (len) bytes from there,
 * wait until released; of several at one place the last.  Meanwhile they read
 * as they will be.
 */
void attack_stall(struct rig *rig, uint64_t off);
void attack_stall_range(struct rig *rig, uint64_t off, uint64_t len);
void attack_release(struct rig *rig);

/* An access of a guest; ~0 if it was stopped or held for too long. */
uint64_t attack_access(struct rig *rig, unsigned int g, unsigned int bar,
		       uint64_t off, unsigned int width, bool write,
		       uint64_t value);

/* ---- attack_peer.c: the neighbour; what is wrong by attack_bad() ---- */

/* It sends and receives. */
void attack_transfer(struct rig *rig);
void attack_in(struct rig *rig);
/* The frame at rig->expect is to go out. */
void attack_sent(struct rig *rig);
/* What it received is to be (frame). */
void attack_took(struct rig *rig, const uint8_t *got, size_t got_len,
		 const uint8_t *frame, size_t len);
void attack_make(uint8_t *p, size_t len, const uint8_t to[6],
		 const uint8_t from[6], uint32_t seq);
void attack_nap(void);

/* ---- attack_e1000.c ---- */

/* A neighbour's device address; the monitor's; the end of all. */
#define AT_NEIGHBOUR(rig) ((rig)->dma.guest[NEIGHBOUR].iova[0])
#define AT_AREA(rig) ((rig)->dma.area.iova)

/* Values of attack_case.at that are known only when the rig is there. */
enum {
	ON_NEIGHBOUR = 1, /* its device address; 0 is an address like others */
	ON_THIRD,
	ON_AREA,
	ON_AREA_HEADS,
	ON_SPECIALS,
};
uint64_t attack_at(const struct rig *rig); /* of the case */

extern const uint8_t attack_outside[6];

enum {
	D_EOP = 1u << 24,
	D_IFCS = 1u << 25,
	D_IC = 1u << 26,
	D_TSE = 1u << 26,
	D_RS = 1u << 27,
	D_DEXT = 1u << 29,
	D_VLE = 1u << 30,
	D_DATA = D_DEXT | 1u << 20,
	D_ONE = D_EOP | D_IFCS | D_RS,
	D_TCP = 1u << 24, /* of a context */
	D_IP4 = 1u << 25,
	D_IXSM = 1u << 8, /* of the upper half of the second word */
	D_TXSM = 2u << 8,
};

uint32_t nic_read(struct rig *rig, unsigned int g, uint32_t reg);
void nic_write(struct rig *rig, unsigned int g, uint32_t reg, uint32_t v);
uint8_t *nic_mem(struct rig *rig, unsigned int g, uint64_t gpa);
void nic_ring(struct rig *rig, unsigned int g, uint64_t base, uint32_t len);
void nic_start(struct rig *rig, unsigned int g);
/* A descriptor of (low), and (high) over (cmd): at the tail, no doorbell. */
void nic_desc(struct rig *rig, unsigned int g, uint64_t low, uint32_t cmd,
	      uint32_t high);
void nic_bell(struct rig *rig, unsigned int g);
/* A frame of (len) bytes at (at) of the hostile's memory, from itself. */
void nic_frame(struct rig *rig, uint64_t at, size_t len);
/* The same, sent. */
void nic_send(struct rig *rig, uint64_t at, size_t len);
/* An offload context; (high) is the upper half of the second word. */
void nic_context(struct rig *rig, unsigned int g, uint64_t low, uint32_t cmd,
		 uint32_t high);
/* The neighbour's: one frame out, checked on the wire; one frame in. */
void nic_neighbour_out(struct rig *rig);
/* The same in two steps: to (to), and until it is out. */
void nic_neighbour_post(struct rig *rig, const uint8_t to[6]);
void nic_neighbour_wait(struct rig *rig);
void nic_neighbour_to(struct rig *rig, const uint8_t to[6]);

/* ---- attack_ne2k.c ---- */

uint8_t ne_read(struct rig *rig, unsigned int g, unsigned int reg);
void ne_write(struct rig *rig, unsigned int g, unsigned int reg, uint8_t v);
void ne_write16(struct rig *rig, unsigned int g, unsigned int reg, uint16_t v);
/* Set up a remote DMA and write (cr); move words by it. */
void ne_remote(struct rig *rig, unsigned int g, uint16_t at, uint16_t len,
	       uint8_t cr);
void ne_put(struct rig *rig, unsigned int g, const uint8_t *from, size_t len);
void ne_take(struct rig *rig, unsigned int g, uint8_t *to, size_t len);
void ne_start(struct rig *rig, unsigned int g);
/* What lies on (page), sent. */
void ne_send(struct rig *rig, unsigned int g, uint8_t page, uint16_t len);

/* ---- the tables ---- */

struct attack_table {
	const struct attack_part *part;
	const struct attack_case *cases;
	size_t n;
};

extern const struct attack_table attack_ring_table, attack_door_table,
	attack_frame_table, attack_offload_table, attack_rx_table,
	attack_port_table, attack_slots_table, attack_own_table;
extern const struct attack_table *const attack_tables[]; /* NULL ends */

#endif /* TESTS_ATTACK_H */
