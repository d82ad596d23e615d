/* SPDX-License-Identifier: MIT */
/*
 * mon.h: a running monitor, as the files of dmm/ share it.
 *
 *  access.c   an access of a guest: look-up, path, effect
 *  step.c     rules: which fire, what they do
 *  port.c     counted transfers through a data port
 *  card.c     touching the device's registers, banks and all
 *  proc.c     the model's procedures
 *  lease.c    who owns the device: leases and hand-overs
 *  spool.c    frames: when the monitor sends and receives for the guests
 *  monitor.c  opening, closing, numbers
 *
 * Where a guest's registers live depends on the mode:
 *  - MODE_EXCLUSIVE and MODE_DROP: on the device, while the guest owns it; the
 *    context holds what was written, and all while it is parked;
 *  - MODE_SPOOL: in the context, always.  The monitor alone drives the device,
 *    by the model's procedures.
 */

#ifndef DMM_MON_H
#define DMM_MON_H

#include "frame.h"
#include "model.h"
#include "ring.h"
#include "sched.h"

enum mode { MODE_EXCLUSIVE, MODE_DROP, MODE_SPOOL };

/* Pages of the card's memories, for noting who wrote what. */
#define PAGE 256u

/*
 * What a check allowed lasts while the machine that asked for it stays in the
 * state that this led to.
 */
struct span_of_state {
	uint16_t machine, state;
};

/* A transfer through a data port that a check allowed. */
struct transfer {
	bool on;
	struct span_of_state during;
	uint16_t check;
	uint16_t memory;   /* that (at) lies in */
	uint32_t at, left; /* bytes */
	uint32_t wrap_from, wrap_to; /* from 0: does not wrap */
};

/* A doorbell of a parked guest, to be rung when it owns the device. */
struct noted {
	bool on;
	uint32_t space, off;
	uint8_t width;
	uint64_t data;
};

/* How far a guest's frame is. */
enum sending { SEND_NONE, SEND_WAITS, SEND_ON_CARD };

struct context {
	uint64_t *reg; /* slots */
	uint64_t state[MODEL_MAX_MACHINES];
	uint8_t *memory; /* its copies of the card's memories */
	uint8_t *kept;	 /* a byte a page: the guest put something there */
	uint64_t pending; /* causes that the device no longer shows */
	bool own_status;  /* what only the device writes is the context's */
	bool ring_full;
	bool line;
	bool alive;
	bool held;	 /* a vCPU waits for the device */
	bool used;	 /* the device did something for it since it came */
	uint64_t want_since; /* 0: does not want it */
	struct transfer transfer;
	struct noted noted;
	enum sending sending;
	uint32_t frame_at, frame_len; /* the frame being sent; length 0: none */
	struct span_of_state frame_during;
	struct ring_watch watch;
	struct dmm_guest_stats stats;
};

#define SWITCHES_KEPT 4096u

struct dmm {
	const struct dmm_model *model;
	struct dmm_conf conf;
	struct dmm_host host;
	enum mode mode;
	struct context guest[DMM_MAX_GUESTS];
	uint64_t *dev;	/* slots: what was last written to the device */
	uint64_t *initial; /* slots: a guest's registers after a reset */
	uint8_t *path;	/* [register][write][parked], enum dmm_path */
	uint8_t *flags; /* [register], enum reg_flags */
	uint16_t *reg_of; /* slot to register */
	uint8_t *arena; /* all guests' memories, one after another */
	uint8_t *dirty; /* a byte a page: not clean on the card */
	uint8_t *blank; /* identity memories as the device has them */
	uint64_t *registers;
	bool dev_level; /* the device's interrupt line */
	bool mac_set[DMM_MAX_GUESTS];
	int owner; /* -1: none */
	uint64_t owner_since, lease_end, last_use;
	struct sched sched;
	uint8_t ring_next; /* page of the card's ring to be read next */
	bool failed; /* the device does not answer: told once */
	struct dmm_stats stats;
	uint64_t switch_ns[SWITCHES_KEPT];
	const struct dmm_access *access; /* at hand, for reports */
	uint8_t frame[RING_COUNT_MAX + 8];
};

enum reg_flags {
	REG_IN_LINE = 1 << 0, /* the interrupt line rests on it */
	REG_RING = 1 << 1,    /* boundary or current of the receive ring */
	REG_PORT = 1 << 2,    /* a data port */
};

static inline enum dmm_path mon_path(const struct dmm *d, unsigned int reg,
				     bool write, bool parked)
{
	return (enum dmm_path)d->path[reg * 4 + write * 2 + parked];
}

static inline bool mon_during(const struct context *c, struct span_of_state s)
{
	return c->state[s.machine] == s.state;
}

static inline bool mon_parked(const struct dmm *d, unsigned int g)
{
	return d->owner != (int)g;
}

/* The device's registers stand for the guest's: it owns it, and not by spool. */
static inline bool mon_on_device(const struct dmm *d, unsigned int g)
{
	return d->mode != MODE_SPOOL && d->owner == (int)g;
}

uint64_t mon_eval(const struct dmm *d, unsigned int g,
		  const struct expr *expr);
void mon_report(struct dmm *d, struct dmm_report report);
/* A context as after power-on; its statistics stay. */
void mon_blank(struct dmm *d, unsigned int g);

/* ---- card.c ---- */

/*
 * Read or write a register (by slot) of the device.  Without (select), a
 * register in a bank that is not selected is unknown, or not written (false).
 */
uint64_t card_read(struct dmm *d, unsigned int slot, bool select,
		   bool *unknown);
bool card_write(struct dmm *d, unsigned int slot, uint64_t value,
		bool select);

/* What the device gets for a register, of the guest that owns it. */
uint64_t card_value(struct dmm *d, unsigned int g, unsigned int slot);

/* ---- step.c ---- */

struct judged {
	enum rule_verdict verdict;
	uint32_t checks;		   /* that passed */
	const struct check *refused;	   /* or this one did not */
	bool spoofed;			   /* because of its source */
	const struct rule *culprit;	   /* rule that was strictest */
	const struct rule *rule[MODEL_MAX_MACHINES];
	uint64_t address, length;	   /* of the range refused */
};

/* Which rules fire on an event, and what its checks say.  Changes nothing. */
void step_judge(struct dmm *d, unsigned int g, enum rule_on on,
		unsigned int reg, unsigned int slot, uint64_t value,
		unsigned int width, struct judged *out);
/* Do what the rules say (not the event itself). */
void step_apply(struct dmm *d, unsigned int g, const struct judged *j,
		uint64_t value);
/* Could a rule fire on this value, as the machines stand? */
bool step_hooks(const struct dmm *d, unsigned int g, const struct reg *reg,
		bool write, uint64_t value);
/* Run the rules on poll; with (rest), as if the device had nothing to do. */
void step_poll(struct dmm *d, unsigned int g, bool rest);
void step_end(struct dmm *d, unsigned int g, unsigned int check);
void step_sets(struct dmm *d, unsigned int g, struct span sets,
	       uint64_t value, bool select);
/* The write's new latch; w1c and w1s applied. */
void step_latch(struct dmm *d, unsigned int g, const struct reg *reg,
		unsigned int slot, uint64_t value, uint64_t mask);
/* Say and do what follows a refusal; true if the guest must stop. */
bool step_refused(struct dmm *d, unsigned int g, const struct judged *j,
		  const char *reg);
bool step_reusable(const struct dmm *d, unsigned int g);

/* ---- port.c ---- */

/* The range of a check; false if it may not be. (*out) is what it allows. */
bool port_check(struct dmm *d, unsigned int g, const struct check *c,
		struct transfer *out, uint64_t *at, uint64_t *len);
enum dmm_verdict port_access(struct dmm *d, unsigned int g,
			     struct dmm_access *a);

/* ---- proc.c ---- */

struct proc_args {
	int guest;	/* whose registers names mean; -1: the device's own */
	uint64_t at, count, length;
	uint8_t *bytes; /* for out, in and put */
};

/* 0, or -ETIMEDOUT if a wait was in vain. */
MUST_CHECK int proc_run(struct dmm *d, enum proc proc,
			const struct proc_args *args);
/* Bytes between the card's memory and ours, by fetch and store. */
MUST_CHECK int proc_fetch(struct dmm *d, uint32_t at, uint8_t *to,
			  uint32_t len);
MUST_CHECK int proc_store(struct dmm *d, uint32_t at, const uint8_t *from,
			  uint32_t len);

/* ---- lease.c ---- */

void lease_want(struct dmm *d, unsigned int g, uint64_t now);
/* Hand over if somebody wants it, it is time, and it can be. */
void lease_try(struct dmm *d, uint64_t now);
uint64_t lease_next(struct dmm *d, uint64_t now);
void lease_line(struct dmm *d, unsigned int g);
void lease_account(struct dmm *d, uint64_t now);

/* ---- spool.c ---- */

/* The guest's ring as its registers say; false if there is none. */
bool spool_ring(struct dmm *d, unsigned int g, struct ring_page *out);
/* A checked frame of the guest, in its own memory: to siblings, and out. */
void spool_send(struct dmm *d, unsigned int g);
/* The frame waits no longer: put it on the card.  The guest owns it. */
void spool_ring_out(struct dmm *d, unsigned int g);
/* The device wants something: completions, arrivals. */
void spool_service(struct dmm *d);
int spool_open(struct dmm *d);
/* A frame for a guest's siblings that does not go by the card. */
void spool_local(struct dmm *d, unsigned int g, const uint8_t *bytes,
		 size_t len);
/* Is the frame for another guest on this device alone? */
bool spool_is_local(const struct dmm *d, unsigned int g, const uint8_t *bytes,
		    size_t len);
/* The part says that its frame is away. */
void spool_sent(struct dmm *d, unsigned int g);

#endif /* DMM_MON_H */
