/* SPDX-License-Identifier: MIT */
/*
 * dmm.h: the device modelling monitor, as its host sees it.
 *
 * A monitor stands between its guests and one physical device.  The host shows
 * it each access of a guest and each interrupt of the device; the monitor
 * judges them by the device's model, does what may be done, and hands the
 * device from guest to guest when the model says that it is reusable.
 *
 * A monitor makes no system call, starts no thread and reads no clock.  All it
 * knows came in by these functions or by struct dmm_host, so equal inputs give
 * equal verdicts and every bug report can be a trace.
 *
 * Errors:  int functions return 0 or a negative errno and write (*out) only on
 *          success.  A refusal is a verdict, not an error: the guest
 *          misbehaved, and we did not.
 * Threads: one monitor, one thread at a time (the host's device lock).  Models
 *          never change once parsed and may be shared.
 */

#ifndef DMM_DMM_H
#define DMM_DMM_H

#include "cc.h"
#include "diag.h"

#define DMM_MAX_GUESTS 16

struct dmm;	  /* one monitored device */
struct dmm_model; /* a compiled device model */

/* ---- models ---- */

/* What libpci or a config space says of a part that a model serves. */
struct dmm_match {
	uint16_t vendor;
	uint16_t device;
};

/*
 * Compile the model in (text), which is untrusted.  (diag) has the messages,
 * warnings too.  -EINVAL if it is not a model, -ENOMEM.
 */
MUST_CHECK int dmm_model_parse(struct dmm_model **out, const char *text,
			       size_t len, struct diag *diag);
void dmm_model_free(struct dmm_model *model); /* NULL is fine */

const char *dmm_model_name(const struct dmm_model *model);
unsigned int dmm_model_lines(const struct dmm_model *model); /* of its text */
/* The parts it serves; (*n) of them. */
const struct dmm_match *dmm_model_match(const struct dmm_model *model,
					size_t *n);

/* The PCI revision that guests are to see, or -1: the part's own. */
int dmm_model_revision(const struct dmm_model *model);

/* Bytes of struct dmm_area that a device of this model needs; 0: none. */
uint64_t dmm_model_area(const struct dmm_model *model);

/* Run the tests that the model carries; failures are errors in (diag). */
MUST_CHECK int dmm_model_test(const struct dmm_model *model, struct diag *diag,
			      unsigned int *passed, unsigned int *failed);

/* A space of registers, as the host must route it. */
struct dmm_space {
	const char *name;
	bool io;	  /* ports, else memory */
	unsigned int bar; /* of the PCI function */
	uint64_t size;	  /* bytes */
	bool window;	  /* reached through a register: not to be routed */
};

/* Space (i), or false if there are no more. */
bool dmm_model_space(const struct dmm_model *model, unsigned int i,
		     struct dmm_space *out);

/* Names of machines and states, by number; NULL behind the last. */
unsigned int dmm_model_machines(const struct dmm_model *model);
const char *dmm_model_machine(const struct dmm_model *model, unsigned int i);
/* A state's number is its own among those of all machines. */
const char *dmm_model_state(const struct dmm_model *model, unsigned int i);
/* The machine that state (i) is of. */
const char *dmm_model_machine_of(const struct dmm_model *model, unsigned int i);

/* ---- accesses ---- */

enum dmm_verdict {
	DMM_PASS, /* done */
	DMM_HOLD, /* not done: wait until dmm_host.wake(), then ask again */
	DMM_STOP, /* not done: the guest's policy says that it must end */
};

/* The paths of design: what an access cost.  Counted per guest. */
enum dmm_path {
	DMM_DIRECT,  /* no exit: counted nowhere but in the plan */
	DMM_FORWARD, /* to the device, no model */
	DMM_LATCH,   /* to the device, and one store */
	DMM_HOOK,    /* the model stepped */
	DMM_DEFER,   /* batched */
	DMM_ANSWER,  /* answered by the monitor */
	DMM_DENY,    /* lost, or ones */
	DMM_PATHS
};

const char *dmm_path_name(enum dmm_path path); /* "forward" */

/* (count) elements of (width) bytes at one offset of one space. */
struct dmm_access {
	unsigned int space; /* as dmm_model_space() numbers them */
	uint64_t off;
	uint8_t *data;	/* little endian, element by element */
	uint32_t count; /* 1, or more for a string access */
	uint32_t done;	/* elements done; start with 0, keep on DMM_HOLD */
	uint8_t width;	/* 1, 2, 4 or 8 bytes */
	bool write;
	unsigned int vcpu; /* for reports */
};

/* ---- what the host must provide ---- */

enum dmm_offence {
	DMM_REFUSED, /* a check said no: (name) is the check's */
	DMM_DENIED,  /* a rule said no: (name) is the register's */
	DMM_SPOOFED, /* a frame with a source that is not the guest's */
	DMM_FORCED,  /* did not let go of the device in time */
	DMM_FAILED,  /* the device did not do what a procedure waited for */
};

const char *dmm_offence_name(enum dmm_offence offence); /* "refused" */

/* What becomes of a guest that offends. */
enum dmm_policy { DMM_IGNORE, DMM_ABORT, DMM_MCE, DMM_POLICY_STOP };

struct dmm_report {
	enum dmm_offence offence;
	/* DMM_MCE, DMM_POLICY_STOP: to be done by the host; else nothing */
	enum dmm_policy policy;
	unsigned int guest;
	const char *name;  /* of the check or the register */
	const char *rule;  /* in words: what was broken */
	unsigned int line; /* in the model, 0 if none */
	uint64_t address;  /* of a refused range */
	uint64_t length;
	const struct dmm_access *access; /* that did it; NULL: none at hand */
};

/*
 * A function that a host has no use for may be NULL: then nothing is done,
 * reads give ones, time stands still, and guests have no memory.
 */
/* A part of a frame: (bytes), or where they are in the guest's memory. */
struct dmm_piece {
	const uint8_t *bytes; /* NULL: at gpa */
	uint64_t gpa;
	uint32_t len;
};

/* What a hand-over is made of; those that move registers are the model's. */
enum dmm_step {
	DMM_STEP_QUIESCE = 1, /* the part is made to do nothing */
	DMM_STEP_SAVE,	      /* its registers into the guest's context */
	DMM_STEP_SCRUB,	      /* nothing of one guest is left for the next */
	DMM_STEP_RESTORE,     /* the context into the registers */
	DMM_STEP_CONTEXT,     /* what the part remembers between frames */
	DMM_STEP_FORCE,	      /* taken from one that did not let go */
	DMM_STEPS
};

const char *dmm_step_name(enum dmm_step step); /* "quiesce" */

struct dmm_host {
	void *ctx;
	/* Touch the device.  (width) in bytes. */
	uint64_t (*read)(void *ctx, unsigned int space, uint64_t off,
			 unsigned int width);
	void (*write)(void *ctx, unsigned int space, uint64_t off,
		      unsigned int width, uint64_t value);
	void (*read_string)(void *ctx, unsigned int space, uint64_t off,
			    unsigned int width, void *to, size_t n);
	void (*write_string)(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, const void *from, size_t n);
	/* Let some time pass, about (ns); for procedures that wait. */
	void (*pause)(void *ctx, uint64_t ns);
	uint64_t (*now)(void *ctx); /* nanoseconds, never backward */
	/*
	 * The last resort: the device as after power-on.  0 or -errno;
	 * -ENOTTY: the host has no way to, but the model may (force).
	 */
	int (*reset)(void *ctx);
	/* The guest's interrupt line is now (level). */
	void (*line)(void *ctx, unsigned int guest, bool level);
	/* The guest gets message (vector); NULL without dmm_signals(). */
	void (*message)(void *ctx, unsigned int guest, unsigned int vector);
	/* Held accesses of the guest may be asked again. */
	void (*wake)(void *ctx, unsigned int guest);
	/* dmm_tick() is due at (at_ns) already, sooner than was said. */
	void (*due)(void *ctx, uint64_t at_ns);
	/* A frame of the guest went out (sent) or was put into its ring. */
	void (*frame)(void *ctx, unsigned int guest, bool sent,
		      const uint8_t *bytes, size_t len);
	/*
	 * A frame of the guest goes to the device, which reads it from where it
	 * lies: (n) pieces, as it was given, before the part cuts or fills in
	 * anything.  Else frame() has it.
	 */
	void (*sent)(void *ctx, unsigned int guest,
		     const struct dmm_piece *piece, unsigned int n);
	/* A step of a hand-over begins; (guest) -1: of none. */
	void (*step)(void *ctx, int guest, enum dmm_step step);
	void (*report)(void *ctx, const struct dmm_report *report);
	/*
	 * Guest memory, for parts that master the bus: -EFAULT unless all
	 * (len) bytes at (gpa) are the guest's.  translate() says where the
	 * device finds them, in one piece.
	 */
	int (*translate)(void *ctx, unsigned int guest, uint64_t gpa,
			 uint64_t len, uint64_t *iova);
	int (*read_mem)(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			size_t len);
	int (*write_mem)(void *ctx, unsigned int guest, uint64_t gpa,
			 const void *from, size_t len);
	/*
	 * Told of what the monitor took from the area: (bytes) from
	 * (at) on, of which (done) says that the device had finished them.  A
	 * replay puts there what it was.
	 */
	void (*area)(void *ctx, uint64_t at, void *bytes, size_t len,
		     bool done);
};

/*
 * The bytes of (n) pieces of a guest's frame into (to), by (host)'s read_mem();
 * returns how many there are: not all, if it cannot be read or (room) ends.
 */
size_t dmm_gather(const struct dmm_host *host, unsigned int guest,
		  const struct dmm_piece *piece, unsigned int n, uint8_t *to,
		  size_t room);

/* ---- a monitored device ---- */

enum dmm_how { DMM_EXCLUSIVE, DMM_LEASE, DMM_MERGE, DMM_HOW_DEFAULT };
enum dmm_when_parked { DMM_SPOOL, DMM_DROP };

struct dmm_guest_conf {
	uint8_t mac[6];
	bool has_mac;	     /* else the card's own; needs to be one guest */
	unsigned int weight; /* 1 to 1000 */
	enum dmm_policy policy;
};

/* Safeguards that a test takes away to see that something notices. */
enum dmm_without {
	DMM_WITHOUT_RANGE = 1 << 0,  /* the check of a range on the card */
	DMM_WITHOUT_SCRUB = 1 << 1,  /* the card's memory between guests */
	DMM_WITHOUT_COUNT = 1 << 2,  /* the counting of a transfer */
	DMM_WITHOUT_SOURCE = 1 << 3, /* the check of a frame's source */
	DMM_WITHOUT_FILTER = 1 << 4, /* whose frame it is */
	DMM_WITHOUT_RING = 1 << 5,   /* where a ring of descriptors lies */
	DMM_WITHOUT_BUFFER = 1 << 6, /* where a descriptor's buffer lies */
	DMM_WITHOUT_SHADOW = 1 << 7, /* descriptors are read only once */
	DMM_WITHOUT_WHOLE = 1 << 8,  /* a frame without its end waits */
	DMM_WITHOUT_STICKY = 1 << 9, /* offload contexts are each guest's */
	DMM_WITHOUT_GENERATION = 1 << 10, /* what a ring that is gone had */
	DMM_WITHOUT_EEPROM = 1 << 11,	  /* its pins are not the guest's */
	DMM_WITHOUT_OFFLOAD = 1 << 12,	  /* where an offload may write */
};

/* Memory that the monitor and the device share, and no guest reaches. */
struct dmm_area {
	uint8_t *host;
	uint64_t iova; /* where the device finds it */
	uint64_t size; /* dmm_model_area() or more */
};

struct dmm_conf {
	struct dmm_area area; /* for models with rings of descriptors */
	enum dmm_how how;
	enum dmm_when_parked when_parked;
	/*
	 * The one guest has the device whole, and something else holds that
	 * to the guest's memory: nothing is checked, and what needs no answer
	 * of the monitor's goes straight.  It needs no area.
	 */
	bool alone;
	bool antispoof;	   /* check source addresses */
	bool mirror;	   /* promiscuous guests see their siblings' frames */
	uint64_t lease_ns; /* 0: as the model's maxPark says */
	unsigned int guests;
	struct dmm_guest_conf guest[DMM_MAX_GUESTS];
	unsigned int without; /* of enum dmm_without; only tests set it */
};

/*
 * Reset the device: by the host's reset, or if that is -ENOTTY by the model's
 * procedure force.  -ENOTTY if there is none either, -ENOMEM, or what failed.
 */
MUST_CHECK int dmm_reset(const struct dmm_model *model,
			 const struct dmm_host *host);

/*
 * Watch a device that was just reset, and set it up.  Borrows (model); copies
 * (conf) and (host).  -ENOMEM; -EINVAL or -EIO with one line in (*why), which
 * the caller frees: the model cannot be shared so, the device did not answer.
 */
MUST_CHECK int dmm_open(struct dmm **out, const struct dmm_model *model,
			const struct dmm_conf *conf,
			const struct dmm_host *host, char **why);
void dmm_close(struct dmm *dmm); /* NULL is fine; the device is not touched */

/*
 * Judge an access, and do it if it may be done.  Bounded time and no
 * allocation: this runs on every exit of a vCPU.
 */
enum dmm_verdict dmm_access(struct dmm *dmm, unsigned int guest,
			    struct dmm_access *access);

/*
 * Of a device that its guest has alone: may the page of 4 KiB at (off) of a
 * space be the guest's own?  All of its registers go straight, then.
 */
#define DMM_PAGE 4096u
bool dmm_direct(const struct dmm *dmm, unsigned int space, uint64_t off);

/* The device's interrupt line is now (level). */
void dmm_interrupt(struct dmm *dmm, bool level);

/*
 * Do what time has made due: leases, forced hand-overs, polls.  Returns when
 * to be called again (nanoseconds of dmm_host.now), UINT64_MAX for never.
 */
uint64_t dmm_tick(struct dmm *dmm);

/* The guest is gone: it holds nothing and gets nothing any more. */
void dmm_leave(struct dmm *dmm, unsigned int guest);

/* The guest's machine was reset: its context is as after power-on. */
void dmm_guest_reset(struct dmm *dmm, unsigned int guest);

/* How a guest is told of interrupts; DMM_LINE at first. */
enum dmm_signals {
	DMM_LINE,    /* by its line */
	DMM_MESSAGE, /* by message 0, each time its line would rise */
	DMM_VECTORS, /* by a message a cause, as the model says */
	DMM_SIGNALS
};

void dmm_signals(struct dmm *dmm, unsigned int guest, enum dmm_signals how);

/* Leave the device quiet: no guest on it, nothing running. */
void dmm_quiet(struct dmm *dmm);

/* True when another guest may take the device. */
bool dmm_reusable(struct dmm *dmm);

/* ---- what happened ---- */

struct dmm_guest_stats {
	uint64_t frames_sent, frames_received;
	uint64_t bytes_sent, bytes_received;
	uint64_t accesses[DMM_PATHS];
	uint64_t drops;	    /* frames for it that it did not get */
	uint64_t held_ns;   /* it was the owner */
	uint64_t parked_ns; /* it was not */
	uint64_t violations;
};

/* What transmission costs; all but the accesses: by rings of descriptors. */
struct dmm_transmit {
	uint64_t packets;	 /* whole frames, to the wire or to siblings */
	uint64_t exits;		 /* accesses of all guests to the device */
	uint64_t doorbell_exits; /* of those, the ones that gave descriptors */
	uint64_t hooked;	 /* of those, the ones the model stepped on */
	uint64_t descriptor_bytes_copied;
	uint64_t head_bytes_copied;    /* for the check of addresses */
	uint64_t payload_bytes_copied; /* of frames to the wire */
	uint64_t local_bytes_copied;   /* of frames to siblings */
};

struct dmm_stats {
	struct dmm_transmit transmit;
	uint64_t steps;	   /* of the model */
	uint64_t switches; /* hand-overs, forced ones too */
	uint64_t forced;
	uint64_t switch_ns_min, switch_ns_median, switch_ns_max;
};

void dmm_guest_stats(struct dmm *dmm, unsigned int guest,
		     struct dmm_guest_stats *out);
void dmm_stats(struct dmm *dmm, struct dmm_stats *out);
int dmm_owner(const struct dmm *dmm); /* -1: none */
/* Of the element judged last. */
enum dmm_path dmm_last_path(const struct dmm *dmm);
/* What the last hand-over took; (*forced) of them all were forced. */
uint64_t dmm_last_switch(const struct dmm *dmm, uint64_t *forced);

/*
 * The states that the guest's machines are in, as dmm_model_state() numbers
 * them: dmm_model_machines() of them, until the next call of anything.
 */
const uint64_t *dmm_states(const struct dmm *dmm, unsigned int guest);

/* Name of the state that the guest's machine (name) is in, or NULL. */
const char *dmm_state(const struct dmm *dmm, unsigned int guest,
		      const char *machine);

#endif /* DMM_DMM_H */
