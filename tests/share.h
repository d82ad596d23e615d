/* SPDX-License-Identifier: MIT */
/*
 * share.h: a monitor on a simulated NE2000 with some guests, on one thread and
 * a clock of its own: what tests of sharing stand on.
 *
 * Interface:
 *  - share_open() a rig, share_close() it;
 *  - share_io() is a guest's access, held until it may be done (time passes);
 *    share_try() asks once; share_in(), share_out() are bytes;
 *  - share_up(), share_load(), share_ring(), share_send(), share_recv() are a
 *    driver, as common ones are written;
 *  - share_wire() is a frame from outside; share_pass() lets time pass.
 * All that a guest ever read is kept, so that a test can search it.
 *
 * Errors:  there are none: what should not happen fails the test.
 */

#ifndef TESTS_SHARE_H
#define TESTS_SHARE_H

#include "dmm/dmm.h"
#include "vmm/sim_ne2k.h"

#define SHARE_FRAME_MAX 1514u
#define SHARE_US UINT64_C(1000)
#define SHARE_MS UINT64_C(1000000)

/* Pages of the driver's own layout, as Linux's. */
enum {
	SHARE_TX = 0x40,
	SHARE_TX2 = 0x46,
	SHARE_START = 0x4c,
	SHARE_STOP = 0x80
};

struct share_frame {
	size_t len;
	uint8_t bytes[SHARE_FRAME_MAX];
};

struct share_frames {
	size_t n, room;
	struct share_frame *at;
};

struct share_conf {
	enum dmm_how how;
	enum dmm_when_parked when_parked;
	unsigned int guests; /* 0: 2, or 1 if exclusive */
	unsigned int weight[DMM_MAX_GUESTS];
	unsigned int without;
	bool mirror;
	bool spoof; /* antispoof off */
	enum dmm_policy policy;
	uint64_t lease_ns;
	uint64_t wire_bps; /* 0: 10 Mbit/s */
};

struct share_guest {
	uint8_t *read; /* every byte that it ever got */
	size_t n, room;
	struct share_frames sent, got; /* as the monitor told */
	bool level;		       /* of its interrupt line */
	unsigned int edges, wakes, reports;
	enum dmm_offence offence; /* of the last report */
	uint8_t next;		  /* page of the next frame, to its driver */
	uint64_t held_ns;	  /* in share_io() */
};

struct share {
	struct dmm *dmm;
	struct dmm_model *model;
	struct ne2k *ne;
	struct share_conf conf;
	unsigned int guests;
	uint64_t now, sim_due, tick_due;
	bool level, told; /* the card's line; as the monitor knows it */
	bool stuck;	  /* the card never finishes to send */
	unsigned int resets;
	struct share_frames wire; /* what the card sent */
	struct share_guest guest[DMM_MAX_GUESTS];
};

struct share *share_open(const struct share_conf *conf);
void share_close(struct share *s);

/* As cmocka's: *state is a struct share_conf before, a struct share after. */
int share_setup(void **state);
int share_teardown(void **state);

extern const uint8_t share_everyone[6], share_outside[6];
/* The address of a guest; good for ever. */
const uint8_t *share_mac(unsigned int g);

/* Time passes: the card works, leases end. */
void share_pass(struct share *s, uint64_t ns);

/* One access.  (data) has count * width bytes.  For share_try() see dmm.h. */
enum dmm_verdict share_try(struct share *s, unsigned int g,
			   struct dmm_access *a);
enum dmm_verdict share_io(struct share *s, unsigned int g, unsigned int off,
			  unsigned int width, bool write, void *data,
			  unsigned int count);
uint8_t share_in(struct share *s, unsigned int g, unsigned int off);
void share_out(struct share *s, unsigned int g, unsigned int off,
	       unsigned int value);
/* Of two bytes, or of any page (reg >> 4); the page is left at 0. */
void share_out16(struct share *s, unsigned int g, unsigned int off,
		 unsigned int value);
uint8_t share_get(struct share *s, unsigned int g, unsigned int reg);
void share_set(struct share *s, unsigned int g, unsigned int reg,
	       unsigned int value);

/* Remote DMA: start it, and move (len) bytes by (width). */
void share_remote(struct share *s, unsigned int g, unsigned int addr,
		  unsigned int len, bool write);
void share_read(struct share *s, unsigned int g, unsigned int addr, void *to,
		unsigned int len);
void share_write(struct share *s, unsigned int g, unsigned int addr,
		 const void *from, unsigned int len);

/* Bring the guest's chip up, to hear what (rcr) says; all hash bits set. */
void share_up(struct share *s, unsigned int g, unsigned int rcr);
void share_up_all(struct share *s);
/* Put a frame into the card's memory at (page); ring its bell. */
void share_load(struct share *s, unsigned int g, unsigned int page,
		const struct share_frame *f);
void share_ring(struct share *s, unsigned int g, unsigned int page, size_t len);
/* True if it was sent within 300 ms (of the guest's time). */
bool share_wait_sent(struct share *s, unsigned int g);
void share_send(struct share *s, unsigned int g, const struct share_frame *f);
/* The next frame in the guest's ring; false if there is none. */
bool share_recv(struct share *s, unsigned int g, struct share_frame *f);

/* A frame from outside reaches the card. */
void share_wire(struct share *s, const struct share_frame *f);

/* A frame whose bytes all come from (tag) and (seq). */
void share_make(struct share_frame *f, const uint8_t to[6],
		const uint8_t from[6], uint8_t tag, unsigned int seq,
		size_t len);
bool share_same(const struct share_frame *a, const struct share_frame *b);
bool share_frames_have(const struct share_frames *list,
		       const struct share_frame *f);
/* Did the guest ever read (len) bytes of (tag) in a row? */
bool share_leaked(const struct share *s, unsigned int g, uint8_t tag,
		  size_t len);

struct dmm_guest_stats share_stats(struct share *s, unsigned int g);
uint64_t share_switches(struct share *s);

#endif /* TESTS_SHARE_H */
