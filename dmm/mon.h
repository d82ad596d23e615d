/* SPDX-License-Identifier: MIT */
/*
 * mon.h: a running monitor, as the files of dmm/ share it.
 *
 *  access.c   an access of a guest: look-up, path, effect
 *  single.c   the short way for one register and no rule
 *  judge.c    what the rules say of its registers, one after another
 *  step.c     rules: which fire, what they do
 *  port.c     counted transfers through a data port
 *  card.c     touching the device's registers, banks and all
 *  proc.c     the model's procedures
 *  signal.c   a guest's interrupts: its line, or messages
 *  lease.c    who owns the device: leases and hand-overs
 *  pages.c    what lies in the card's memory, and whose it is
 *  spool.c    frames: when the monitor sends and receives for the guests
 *  slots.c    transmit descriptors that are registers
 *  bytering.c rings in which received frames follow one another
 *  paths.c    what each access costs: the plan
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
#include "microwire.h"
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
	bool identity; /* (memory) answers with the guest's own */
	/*
	 * Another access like the last one, which was to the port at (off) of
	 * (space) and whole, may take the quick way.
	 */
	bool quick;
	uint8_t width;
	uint16_t check, port;
	uint32_t space;
	uint64_t off;
	uint16_t memory;   /* that (at) lies in */
	uint32_t at, left; /* bytes */
	uint64_t end;	   /* one past what follows (at) without a jump */
	uint32_t copy;	   /* (at) is context.memory + at + copy, wrapping */
	uint32_t wrap_from, wrap_to; /* from 0: does not wrap */
};

/* A doorbell of a parked guest, to be rung when it owns the device. */
struct noted {
	bool on;
	uint32_t space, off;
	uint8_t width;
	uint64_t data;
};

/* Registers that only the device writes: what of them is from before. */
enum own { OWN_SENT = 1, OWN_REST = 2, OWN_ALL = 3 };

/* How far a guest's frame is. */
enum sending { SEND_NONE, SEND_WAITS, SEND_ON_CARD };

/* Why a page is put onto the card when its guest comes back. */
enum kept { KEPT_NOT, KEPT_WRITTEN, KEPT_ARRIVED };

/* Receive descriptors that one access looks at; all are checked when used. */
#define RX_LOOK_MAX 2048u

/* Receive descriptors that were looked at when they were given. */
struct rx_seen {
	uint64_t base, count, size, tail;
};

struct context {
	struct rx_seen rx_seen;
	uint64_t *reg; /* slots */
	uint64_t state[MODEL_MAX_MACHINES];
	uint8_t *memory;  /* its copies of the card's memories */
	uint8_t *kept;	  /* a byte a page: enum kept */
	uint64_t pending; /* causes that the device no longer shows */
	uint8_t own; /* enum own: what is the context's, not the device's */
	bool ring_full;
	uint32_t rx_head; /* of a ring with own: to be filled next */
	uint64_t block[MODEL_MAX_BLOCKS][MODEL_MAX_WORDS]; /* as read */
	bool line;
	uint8_t signals; /* enum dmm_signals */
	uint32_t told;	 /* bits of messages whose cause is still up */
	bool alive;
	bool held; /* a vCPU waits for the device, and was not woken */
	uint64_t want_since; /* 0: does not want it */
	struct transfer transfer;
	struct noted noted;
	enum sending sending;
	uint32_t frame_at, frame_len; /* the frame being sent; length 0: none */
	struct span_of_state frame_during;
	struct ring_watch watch;
	struct txq *txq;  /* NULL: no ring to send from */
	uint16_t *eeprom; /* all EEPROMs' words, 256 each */
	struct microwire wire[MODEL_MAX_EEPROMS];
	struct dmm_guest_stats stats;
};

/* ---- rings of descriptors in guest memory ---- */

#define TXQ_DEPTH 256u	   /* descriptors of a guest that the monitor holds */
#define TX_FRAME_DESCS 64u /* of one frame */
#define TX_FRAME_MAX 0x40000u
#define SHADOW_DEPTH 256u /* descriptors of a ring that the device sees */
#define SHADOW_HEAD 64u	  /* bytes of a frame's head that may be copied */
#define SHADOW_BUFFER 2048u
#define BYTE_RING_MAX 65536u
/*
 * Bytes that may wait in the device: of one guest, and where several share,
 * little, so that shares are decided late and a guest with few descriptors
 * gets its own back in time (16 KiB are 131 us of a gigabit).  If the device
 * ran dry while more was there, it was too little: then it may be twice that.
 */
#define SHADOW_ALONE 262144u
#define SHADOW_SHARED 16384u

/* A descriptor as it was read, once, and checked. */
struct tx_desc {
	uint64_t w[MODEL_MAX_WORDS];
	uint64_t gpa, iova; /* of its buffer */
	uint32_t len;	    /* bytes; 0: it has none */
	uint32_t index;	    /* in the guest's ring */
	uint8_t layout;
	bool report; /* the guest wants a write-back */
	bool bad;    /* refused */
	bool done;   /* nothing is to be waited for */
	/* in the first descriptor of a unit (a frame, or a sticky one): */
	uint16_t unit; /* descriptors */
	uint32_t bytes;
};

/* Free-running counters; clean <= sent <= ready <= got, got - clean <= DEPTH. */
struct txq {
	uint64_t base;
	uint32_t count, fetch, head; /* the ring as it is being read */
	uint32_t clean, sent, ready, got;
	uint32_t part_bytes; /* of the frame whose end has not come */
	bool part_bad;
	uint32_t generation; /* completions of an older one are nobody's */
	bool sticky_set[MODEL_MAX_STICKY];
	uint64_t sticky[MODEL_MAX_STICKY][MODEL_MAX_WORDS];
	struct tx_desc d[TXQ_DEPTH];
};

/* What stands behind an entry of the shadow. */
struct shadow_note {
	uint8_t guest;
	bool last; /* of its unit: this is where the write-back comes */
	uint32_t generation;
	uint16_t unit;
	uint32_t bytes;
};

struct shadow {
	uint64_t *desc; /* in the area; words of it each */
	uint8_t words;
	uint32_t clean, tail; /* free-running */
	uint32_t bytes;	      /* outstanding */
	uint32_t limit;	      /* of them, where several share */
	bool limited;	      /* something waits for that */
	uint64_t since;	      /* something was outstanding and did not move */
	bool more;	      /* there is work that was put off */
	uint32_t copied;      /* bytes, by the monitor in one go */
	struct shadow_note note[SHADOW_DEPTH];
};

/* Bits of a register that select a bank, where a procedure may set them. */
struct bank {
	uint16_t slot;
	uint64_t mask;
};

#define SWITCHES_KEPT 4096u

struct dmm {
	const struct dmm_model *model;
	struct dmm_conf conf;
	struct dmm_host host;
	enum mode mode;
	struct context guest[DMM_MAX_GUESTS];
	uint64_t *dev;	   /* slots: what was last written to the device */
	uint64_t *initial; /* slots: a guest's registers after a reset */
	uint8_t *path;	   /* [register][write][parked], enum dmm_path */
	uint8_t *flags;	   /* [register], enum reg_flags */
	uint16_t *reg_of;  /* slot to register */
	uint16_t *checks;  /* [register], a bit set: checks that look at it */
	uint16_t *loads;   /* slots that checks look at, check by check */
	struct span loads_of[MODEL_MAX_CHECKS];
	struct bank *bank; /* each once */
	unsigned int banks;
	uint8_t *arena; /* all guests' memories, one after another */
	uint8_t *dirty; /* a byte a page: not clean on the card */
	uint8_t *blank; /* identity memories as the device has them */
	uint64_t *registers;
	bool dev_level; /* the device's interrupt line */
	bool mac_set[DMM_MAX_GUESTS];
	bool mac_given; /* guest 0's is not the card's own */
	int owner;	/* -1: none */
	uint64_t owner_since, lease_end, last_use;
	uint64_t asked_since; /* that it should let go; 0: was not asked */
	struct sched sched;
	uint8_t ring_next; /* page of the card's ring to be read next */
	bool failed;	   /* the device does not answer: told once */
	bool long_way;	   /* tests: never by single.c */
	struct dmm_stats stats;
	uint64_t switch_ns[SWITCHES_KEPT], last_switch_ns;
	enum dmm_path last_path;
	uint8_t *covered; /* NULL, or bytes: of registers, then of rules */
	const struct dmm_access *access; /* at hand, for reports; NULL: none */
	unsigned int accessor;		 /* the guest that made it */
	uint8_t frame[RING_COUNT_MAX + 8];

	/* rings of descriptors; NULL without */
	struct shadow *tx;
	uint64_t shadow_env[MODEL_MAX_RINGS * EXPR_RING_NUMBERS +
			    MODEL_MAX_BLOCKS];
	bool scans;	  /* there are rings to be looked at now and then */
	bool scanning;	  /* the host will call for that */
	uint64_t scanned; /* when the rings with own were looked at */
	uint64_t *rx_desc;
	uint8_t *rx_buffer, *heads;
	uint32_t rx_next; /* index to be filled next */
	uint32_t rx_len;  /* bytes of the frame being put together */
	/* a ring of bytes, in rx_buffer: rx_next is where the next frame is */
	uint32_t rx_size, rx_slack;
	unsigned int rx_tries; /* looks that found no whole frame */
	bool rx_more;	       /* there was more than one look takes */
	bool draining;	       /* lines are told of when all is delivered */
	int last_sender;       /* whose sticky descriptors the part remembers */
	bool stop_guest;       /* the access at hand ends its guest */
	uint8_t *big; /* frames of BIG bytes: sent, segment, given, coming */
	uint16_t *eeprom; /* as the device's */
	struct txq *txqs;
};

#define BIG (TX_FRAME_MAX + 4096u)

enum reg_flags {
	REG_IN_LINE = 1 << 0, /* the interrupt line rests on it */
	REG_RING = 1 << 1,    /* of the receive ring */
	REG_PORT = 1 << 2,    /* a data port */
	REG_MONITOR = 1 << 3, /* never the guest's on the device */
	REG_DOOR = 1 << 4,    /* a window's data */
	REG_SENT = 1 << 5,    /* tells of the frame that was sent last */
	/* alone and whole, it may be read or written by single.c */
	REG_SINGLE_READ = 1 << 6,
	REG_SINGLE_WRITE = 1 << 7,
};

static inline enum dmm_path mon_path(const struct dmm *d, unsigned int reg,
				     bool write, bool parked)
{
	return (enum dmm_path)d->path[reg * 4 + write * 2 + parked];
}

static inline void mon_count(struct dmm *d, unsigned int g, enum dmm_path path,
			     uint64_t n)
{
	d->guest[g].stats.accesses[path] += n;
	d->last_path = path;
}

static inline bool mon_during(const struct context *c, struct span_of_state s)
{
	return c->state[s.machine] == s.state;
}

static inline bool mon_parked(const struct dmm *d, unsigned int g)
{
	return d->owner != (int)g;
}

/* The causes of interrupts are read from the device, with pending ones over. */
static inline bool mon_cause_on_device(const struct dmm *d)
{
	return d->mode != MODE_SPOOL && !d->model->rings;
}

/* The device's registers stand for the guest's: it owns it, and not by spool. */
static inline bool mon_on_device(const struct dmm *d, unsigned int g)
{
	return d->mode != MODE_SPOOL && d->owner == (int)g;
}

uint64_t mon_eval(const struct dmm *d, unsigned int g, const struct expr *expr);
/* Tell the host; fills in the access at hand, if it is the guest's. */
void mon_report(struct dmm *d, struct dmm_report report);
/* The guest did what it may not: count, tell, and answer by its policy. */
void mon_offence(struct dmm *d, struct dmm_report report);
/* The guest's own address, wherever the part shows it. */
void mon_identity(struct dmm *d, unsigned int g);
/* Does the expression read the register? */
bool mon_loads(const struct expr *e, const struct reg *reg);
/* The device as after power-on; or known to be so. */
MUST_CHECK int mon_device_reset(struct dmm *d);
void mon_dev_reset(struct dmm *d);
/* A context as after power-on; its statistics stay. */
void mon_blank(struct dmm *d, unsigned int g);

void mon_failed(struct dmm *d, unsigned int g);

/* ---- paths.c ---- */

/* The path of an access, as the mode and the model say; the hooks aside. */
enum dmm_path paths_of(const struct dmm *d, const struct reg *reg, bool write,
		       bool parked);
/* Could the page be mapped?  If not, (*why) is a register that traps. */
bool paths_direct(const struct dmm *d, unsigned int space, uint64_t off,
		  const struct reg **why);
/* Fill d->path, flags, reg_of and checks. */
void paths_plan(struct dmm *d);
/* Behind it: d->loads and bank, which are made.  -ENOMEM. */
MUST_CHECK int paths_lists(struct dmm *d);

/* ---- card.c ---- */

/*
 * Read or write a register (by slot) of the device.  Without (select), a
 * register in a bank that is not selected is unknown, or not written (false).
 */
uint64_t card_read(struct dmm *d, unsigned int slot, bool select,
		   bool *unknown);
bool card_write(struct dmm *d, unsigned int slot, uint64_t value, bool select);

/*
 * How wide to touch a register of which (left) bytes are left: as its space
 * is, or as widely as it says itself, and never what lies behind it.
 */
unsigned int card_width(const struct dmm *d, const struct place *pl,
			const struct reg *reg, unsigned int left);

/*
 * The registers that these checks looked at, written once more: a part may
 * have counted them on since the guest wrote them.
 */
void card_load(struct dmm *d, unsigned int g, uint32_t checks);
/* What the device gets for a register, of the guest that owns it. */
uint64_t card_value(struct dmm *d, unsigned int g, unsigned int slot);

/* ---- step.c ---- */

struct judged {
	enum rule_verdict verdict;
	unsigned int width;		 /* of the access, in bits */
	uint32_t checks;		 /* that passed */
	const struct check *refused;	 /* or this one did not */
	bool spoofed;			 /* because of its source */
	uint32_t rings;			 /* of descriptors, likewise */
	const struct ring *refused_ring; /* or block */
	uint8_t blocks;			 /* that were read */
	const struct rule *culprit;	 /* rule that was strictest */
	const struct rule *rule[MODEL_MAX_MACHINES];
	uint64_t address, length; /* of the range refused */
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
/*
 * Run the rules on poll; with (rest), as if the device had nothing to do.  True
 * if one fired: lease_line() may have something to tell then.
 */
bool step_poll(struct dmm *d, unsigned int g, bool rest);
void step_end(struct dmm *d, unsigned int g, unsigned int check);
/* Does the device say that what led to (s) has ended? */
bool step_over(struct dmm *d, unsigned int g, struct span_of_state s);
/* Do the rules reset the guest's part; do they send a frame? */
bool step_resets(const struct dmm *d, const struct judged *j);
bool step_sends(const struct dmm *d, const struct judged *j);
void step_sets(struct dmm *d, unsigned int g, struct span sets, uint64_t value,
	       bool select);
/* Where a write to the register goes: its latch, or another's by w1c, w1s. */
uint64_t *step_latch_of(struct dmm *d, unsigned int g, const struct reg *reg,
			unsigned int slot);
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
enum dmm_verdict port_access(struct dmm *d, unsigned int g, unsigned int port,
			     struct dmm_access *a);
/* ---- proc.c ---- */

struct proc_args {
	int guest; /* whose registers names mean; -1: the device's own */
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

/* ---- signal.c ---- */

/* The guest's line, or its messages, follow its causes. */
void lease_line(struct dmm *d, unsigned int g);
/* Do its interrupts rest on the register? */
bool signal_rests_on(const struct dmm_model *m, unsigned int reg);

/* ---- lease.c ---- */

void lease_want(struct dmm *d, unsigned int g, uint64_t now);
/* Hand over if somebody wants it, it is time, and it can be. */
void lease_try(struct dmm *d, uint64_t now);
uint64_t lease_next(struct dmm *d, uint64_t now);
/* A hand-over took (ns). */
void lease_count(struct dmm *d, uint64_t ns);
void lease_account(struct dmm *d, uint64_t now);
/* The guest's held accesses may be asked again, if there are any. */
void lease_wake(struct dmm *d, unsigned int g);
/* The guest lost what it had begun on the device. */
void lease_lose(struct dmm *d, unsigned int g);
/* Its owner has reset the device. */
void lease_resync(struct dmm *d, unsigned int g);
/* The owner is no more: the device is nobody's. */
void lease_evict(struct dmm *d, unsigned int g);

/* ---- pages.c ---- */

/* Anything may be anywhere in the card's memory. */
void pages_soil(struct dmm *d);
/* The guest has put (n) bytes there, and finds them when it comes back. */
void pages_keep(struct dmm *d, unsigned int g, const struct memory *mem,
		uint32_t at, uint32_t n);
/* A register of the receive ring was written, and was (old). */
void pages_ring_written(struct dmm *d, unsigned int g, unsigned int reg,
			uint64_t old);
/* Would writing (reg) let the card receive into what it sends? */
bool pages_sending(struct dmm *d, unsigned int g, unsigned int reg);
/* What the guest has on the card into its copy, and back. */
MUST_CHECK int pages_save(struct dmm *d, unsigned int g);
MUST_CHECK int pages_restore(struct dmm *d, unsigned int g);

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

/* Give a frame to one guest, if it is for it. */
void spool_deliver(struct dmm *d, unsigned int g, const uint8_t *bytes,
		   size_t len);
/* Is the source the guest's own, as far as it is checked? */
bool spool_is_own(const struct dmm *d, unsigned int g, const uint8_t *bytes,
		  size_t len);

/* ---- door.c: windows and EEPROMs, as a guest meets them ---- */

/*
 * An access through a window, whose data is at (e): (a) becomes what it stands
 * for; false: deny.
 */
bool door_open(const struct dmm *d, unsigned int g, struct dmm_access *a,
	       const struct plan_entry *e);
/*
 * The register behind a window's data (e), of which (a) touches (*bytes): of
 * them, (*bytes) are then of the one register.  NULL: deny.
 */
const struct plan_entry *door_behind(const struct dmm *d, unsigned int g,
				     const struct plan_entry *e,
				     const struct dmm_access *a,
				     unsigned int *bytes);
/* A register with pins or a command was written. */
void door_written(struct dmm *d, unsigned int g, unsigned int reg,
		  uint64_t value);
/* The guest's EEPROM: the device's, with its own address. */
void door_identity(struct dmm *d, unsigned int g);
/* What the device's EEPROM holds, into d->eeprom. */
MUST_CHECK int door_read_eeproms(struct dmm *d);

/* host.c: a function for each that (host) does not have. */
void host_complete(struct dmm_host *host);

#include "mon_rings.h"

#endif /* DMM_MON_H */
