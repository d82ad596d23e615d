/* SPDX-License-Identifier: MIT */
/*
 * model.h: a compiled model, as the rest of dmm/ walks it: flat arrays of
 * numbers, all bounds checked when it was compiled.
 *
 * A register of `dim` N has N slots; a guest's context holds one 64-bit value
 * a slot.  Expressions load from slots, so nothing here is looked up by name
 * when a guest runs.
 */

#ifndef DMM_MODEL_H
#define DMM_MODEL_H

#include "dmm.h"
#include "expr.h"
#include "plan.h"

#define MODEL_MAX_SPACES 8u
#define MODEL_MAX_REGS 512u
#define MODEL_MAX_SLOTS 4096u
#define MODEL_MAX_PLACES 2048u
#define MODEL_MAX_FIELDS 40u
#define MODEL_MAX_LETS 64u
#define MODEL_MAX_MEMORIES 8u
#define MODEL_MAX_CHECKS 16u
#define MODEL_MAX_MACHINES 16u
#define MODEL_MAX_STATES 128u /* of all machines */
#define MODEL_MAX_RULES 1024u
#define MODEL_MAX_SETS 512u
#define MODEL_MAX_STEPS 256u
#define MODEL_MAX_RINGS 8u
#define MODEL_MAX_LAYOUTS 4u
#define MODEL_MAX_BLOCKS 2u
#define MODEL_MAX_FORMS 2u
#define MODEL_MAX_LOADS 16u /* registers that a block is loaded to */
#define MODEL_MAX_EEPROMS 2u
#define MODEL_MAX_VECTORS 8u
#define MODEL_MAX_WORDS 4u /* of a descriptor, 64 bits each */
#define MODEL_MAX_STICKY 4u
#define MODEL_MAX_SLOTS_OF_RING 8u
#define MODEL_MAX_SPACE_BYTES (1u << 20)
#define MODEL_MAX_MEMORY_BYTES (1u << 20)
#define MODEL_NONE 0xffffu

struct span { /* elements of one of the model's arrays */
	uint16_t first, n;
};

enum space_kind { SPACE_IO, SPACE_MMIO, SPACE_WINDOW };

struct space {
	const char *name;
	struct diag_pos pos;
	enum space_kind kind;
	uint8_t bar;
	uint8_t width;	  /* bits of a register that gives none */
	uint8_t grain;	  /* bytes of one entry of the plan: 1, or width / 8 */
	uint64_t size;	  /* bytes */
	uint16_t same_as; /* a second door: the space it is; else MODEL_NONE */
	uint16_t window;  /* in model.window: how it is reached; MODEL_NONE */
	uint16_t denied;  /* ranges that are denied on purpose */
	bool denied_rest; /* all that no register classes */
	struct {
		uint32_t first, last;
	} deny[32];
};

/* Some bits of a register, or of a descriptor (then slot is a word). */
struct bits {
	uint16_t reg, slot;
	uint8_t shift;
	uint64_t mask; /* before the shift; 0: there are none */
};

/*
 * A second door: an access to (data) is one to (space) at what (index) says.
 * With (command) the door is one register, told what to do: its bits (read)
 * or (write) are as in the sets, and (ready) rises.
 */
struct window {
	struct diag_pos pos;
	const struct node *node; /* until registers have names */
	uint16_t space;
	struct bits index, data, ready;
	bool command;
	struct span read, write; /* sets */
};

struct field {
	const char *name;
	uint8_t low, bits;
};

#define REG_ANY_WIDTH (1 | 2 | 4 | 8)

enum reg_answer {
	ANSWER_NONE,
	ANSWER_LATCH,
	ANSWER_EXPR,
	ANSWER_DEVICE, /* by the device, whoever asks */
};
enum reg_merge { MERGE_NONE, MERGE_OR, MERGE_IDENTITY, MERGE_EXPR };

struct reg {
	const char *name;
	struct diag_pos pos;
	uint8_t bits;	/* size of one element: 1 to 64 */
	uint8_t widths; /* access widths it answers, bytes: bit 1, 2, 4, 8 */
	uint16_t dim;
	uint16_t slot; /* its first; dim of them */
	uint64_t reset;
	uint64_t w1c, w1s;   /* bits that ones clear, set */
	uint16_t w1_reg;     /* whose bits, if another register's; MODEL_NONE */
	uint64_t vol;	     /* bits that the device changes too */
	uint64_t self_clear; /* bits that are commands: they read 0 */
	uint64_t ro;	     /* bits that a guest's writes do not change */
	bool readable, writable; /* has a place for it */
	bool read_clears;	 /* readAction: clear */
	struct span after_read;	 /* sets, once a guest has read it */
	bool global;
	bool keep_on_reset;
	bool save_none;
	bool parked_hold;
	bool selector; /* a place's condition rests on it */
	enum reg_answer answer;
	enum reg_merge merge;
	struct expr *answer_expr;
	struct expr *merge_expr;
	struct expr *select; /* its other bits when a procedure selects */
	struct expr *moves;  /* a data port: bytes that a narrow access moves */
	uint16_t port_memory; /* it is a data port: its first memory; NONE */
	uint16_t window;      /* it is a window's data; NONE */
	uint16_t eeprom;      /* it has an EEPROM's pins, or reads it; NONE */
	struct field field[MODEL_MAX_FIELDS];
	uint8_t fields;
	uint16_t place, places; /* in model.place */
	uint32_t hooks[2];	/* machines with a rule on its read, write */
	uint8_t hook_widths;	/* of writes that a rule can be on, bytes */
	uint16_t filter[2]; /* in model.filter_of; one entry for each state */
};

struct place {
	struct diag_pos pos;
	uint16_t reg;
	uint16_t space;
	uint32_t off, last; /* last: every offset is the same byte(s) */
	uint32_t step;	    /* from one element of dim to the next */
	bool read, write;
	struct expr *cond; /* NULL: always */
	/* the condition as "selector's field is value", if it is of that form */
	uint16_t sel_reg;
	uint8_t sel_shift;
	uint64_t sel_mask, sel_value;
};

/* Does its condition hold under the registers' values (reg)? */
static inline bool place_holds(const struct place *pl, const uint64_t *reg)
{
	struct expr_env env = { .array = { [EXPR_REG] = reg } };

	if (pl->sel_reg != MODEL_NONE)
		return (reg[pl->sel_reg] >> pl->sel_shift & pl->sel_mask) ==
		       pl->sel_value;
	return !pl->cond || expr_eval(pl->cond, &env, NULL);
}

/* An assignment: some bits of a slot get an expression's value. */
struct set {
	struct diag_pos pos;
	uint16_t reg, slot;
	uint8_t shift;
	uint64_t mask; /* of the field, before the shift */
	struct expr *value;
};

struct memory {
	const char *name;
	struct diag_pos pos;
	uint32_t start, size; /* on the card, bytes */
	uint16_t port;	      /* register */
	bool identity;	      /* answer: identity */
	bool scrub;	      /* isolate: scrub */
	uint32_t copy;	      /* where a guest's copy starts in its store */
};

/* A check: a range on the card.  (Ranges in guest memory: see dma.) */
struct check {
	const char *name;
	struct diag_pos pos;
	uint32_t memories; /* bit set of those it may lie in */
	struct expr *start, *length;
	struct expr *wrap_from, *wrap_to; /* NULL: does not wrap */
	uint16_t port;	  /* starts a counted transfer; MODEL_NONE */
	uint16_t address; /* register that shows where it is; MODEL_NONE */
	bool frame;	  /* what it covers is a frame to send */
	struct span refused[2]; /* sets: DMM_IGNORE, DMM_ABORT */
	struct span done;	/* sets: what the guest sees at its end */
};

/* ---- rings of descriptors in guest memory ---- */

struct layout {
	const char *name;
	struct expr *when;   /* NULL: always */
	struct expr *length; /* NULL: no buffer */
	struct bits buffer, length_bits;
	struct expr *sticky; /* the part remembers it, by this key; NULL */
	bool fixed; /* always this one, and no field is in its length */
};

/*
 * Of slots, a descriptor is in registers: word i is the element of (word[i]).
 * Of bytes, (count) are the ring's, (head) is where the part writes next, and
 * (tail) + (lag) how far the driver has read.
 */
enum ring_kind { RING_OF_DESCRIPTORS, RING_OF_SLOTS, RING_OF_BYTES };

/* Another way to lay out the fields of a ring's descriptors, or a block's. */
struct form {
	const char *name;
	struct expr *when;
	uint8_t bytes;
	struct bits at[MODEL_MAX_FIELDS]; /* of each field; mask 0: not there */
	struct span adds;		  /* sets of fields, once it was read */
};

struct ring {
	const char *name;
	struct diag_pos pos;
	enum ring_kind kind;
	struct expr *base, *count;
	uint16_t head, tail; /* registers; MODEL_NONE */
	/*
	 * There is no doorbell: (done) is a bit that is set while the
	 * descriptor is the part's, and clear when it is used.
	 */
	bool own;
	uint64_t scan_ns;     /* how often the part looks; 0: when told to */
	struct expr *scan_if; /* NULL: always */
	bool to_device;
	uint8_t words; /* of a descriptor, 64 bits each */
	struct field field[MODEL_MAX_FIELDS];
	uint8_t fields;
	struct form form[MODEL_MAX_FORMS]; /* of a guest's */
	uint8_t forms;
	struct layout layout[MODEL_MAX_LAYOUTS];
	uint8_t layouts;
	struct bits end, report, done; /* last of a frame; wants a write-back */
	struct bits tagged, tag, len;  /* VLAN; length received */
	struct bits start, total; /* first of a frame; length of all of it */
	struct bits error;	  /* what was received is no frame */
	uint8_t trailer; /* bytes behind a frame that the part receives */
	uint8_t back_low, back_high;  /* bits that the part writes back */
	struct span refused[2], then; /* sets of fields; of registers */
	struct span shadow;	      /* sets of fields, in each shadow entry */
	struct span frame;	      /* in each that a frame was put into */
	struct expr *forbid; /* true: the descriptor is refused; or NULL */
	/* slots */
	uint16_t word[MODEL_MAX_WORDS]; /* registers, (slots) elements each */
	uint16_t slots;
	struct expr *given, *finished; /* by the driver; by the part */
	struct span local; /* sets of fields: the monitor delivered it */
	/* bytes */
	struct expr *slack; /* behind the end, for what does not fit; NULL */
	uint16_t lag;
	uint8_t header, align;			   /* bytes */
	struct bits unicast, multicast, broadcast; /* of a header */
	/* what the part does to a frame by itself */
	struct expr *off[16]; /* enum offload_key; NULL: never */
};

/*
 * A structure in guest memory that the part reads when it is told to, once:
 * its fields go to registers.  (form) has its address as base, its fields, and
 * as shadow those of the monitor's own.
 */
struct block {
	struct ring form;
	uint8_t bytes;
	struct span loads; /* sets of registers, of the fields */
	uint32_t begins;   /* bit set of rings that begin anew */
};

enum offload_key {
	OFF_IP_SUM,
	OFF_L4_SUM,
	OFF_SEGMENT, /* of the data's first descriptor */
	OFF_IP_START,
	OFF_IP_AT,
	OFF_IP_END, /* of the sticky one's */
	OFF_L4_START,
	OFF_L4_AT,
	OFF_L4_END,
	OFF_IPV4,
	OFF_TCP,
	OFF_MSS,
	OFF_HEADER,
	OFF_PAYLOAD,
	OFF_KEYS
};

struct eeprom {
	const char *name;
	struct diag_pos pos;
	uint16_t words, address_bits;
	uint16_t sum; /* of all words */
	bool has_sum;
	struct bits cs, sk, di, dout, request, grant;
	struct bits start, done, address, data; /* of the read register */
	struct span mode; /* sets, while the monitor moves the pins */
};

enum rule_verdict { RULE_PASS, RULE_ANSWER, RULE_HOLD, RULE_DENY, RULE_STOP };
enum rule_on { ON_READ, ON_WRITE, ON_END, ON_POLL };

struct rule {
	struct diag_pos pos;
	uint8_t on;	   /* enum rule_on */
	uint16_t reg;	   /* ON_READ, ON_WRITE; ON_END: the check */
	struct expr *when; /* NULL: always */
	uint32_t checks;   /* bit set */
	uint32_t rings;	  /* bit set of those whose new descriptors it checks */
	uint8_t blocks;	  /* bit set of those that are read */
	uint32_t forgets; /* bit set of rings that are left as they are */
	uint8_t then;	  /* enum rule_verdict */
	bool reset;	  /* do: reset */
	struct span sets; /* do: assignments */
	uint16_t to;	  /* state, as model.state counts, or MODEL_NONE */
};

/*
 * Which values of a register can fire a rule in a state: bit
 * (value >> shift & mask) of table; built when the model is compiled.
 */
struct filter {
	uint8_t shift;
	uint16_t mask; /* at most 10 bits */
	uint64_t table[16];
};

struct state {
	const char *name;
	struct diag_pos pos;
	struct span rules; /* in the file's order */
	bool polls;	   /* has a rule on poll */
};

/* Its states are model.state[states.first] and on; the first is the start. */
struct machine {
	const char *name;
	struct diag_pos pos;
	struct span states;
};

enum step_kind {
	STEP_WRITE, /* value to reg */
	STEP_READ,  /* reg, for its effect */
	STEP_WAIT,  /* until value, at most timeout */
	STEP_FILL,  /* a memory with value, where it was written */
	STEP_OUT,   /* the bytes at hand to a port, width bits wide */
	STEP_IN,    /* from it */
	STEP_PUT,   /* the frame at hand to value on the card */
	STEP_SAVE,  /* reg into the context */
	STEP_ALL,   /* every register but (but): save or restore */
};

struct proc_step {
	struct diag_pos pos;
	uint8_t kind;
	uint8_t width;	    /* OUT, IN: bytes */
	bool late_ok;	    /* WAIT: a timeout is not a failure */
	uint16_t reg, slot; /* or the memory of FILL */
	struct expr *value;
	struct expr *cond; /* if: */
	uint64_t timeout_ns;
	uint32_t but; /* STEP_ALL: first of a list of registers to leave out */
	uint16_t buts;
};

enum proc {
	PROC_OPEN, /* the monitor's own use of the card (spool) */
	PROC_SEND,
	PROC_FETCH,
	PROC_STORE,
	PROC_OVERFLOW, /* likewise */
	PROC_DEMAND,   /* look at your ring: where there is no tail */
	PROC_QUIESCE,
	PROC_SAVE,
	PROC_SCRUB,
	PROC_RESTORE,
	PROC_FORCE,
	PROCS
};

struct page_ring {
	bool present;
	uint16_t memory;
	uint16_t start, stop, boundary, current; /* registers */
};

struct receive {
	struct diag_pos pos;
	struct page_ring ring;
	uint16_t dring;	    /* in model.ring; NONE */
	struct expr *max;   /* longest frame that a guest takes; NULL: any */
	struct expr *check; /* the check sequence is left on; NULL: never */
	struct expr *vlan_filter, *vlan_strip; /* NULL: never */
	uint16_t vlan_table;		       /* register, or NONE */
	struct expr *enabled;
	struct span arrived, overflow; /* sets */
};

struct identity {
	uint16_t mac_reg;    /* NONE, or an array of 8 bits each with it */
	uint16_t mac_memory; /* NONE, or where the address stands */
	uint32_t mac_at;
	uint8_t mac_stride;
	uint16_t mac_eeprom, mac_word; /* NONE, or where else it stands */
	struct span reset; /* sets, after a reset; they may name mac */
	uint16_t unicast, unicast_high; /* registers, NONE; high of a pair */
	uint64_t unicast_valid;		/* bit of the high one */
	uint16_t hash;			/* 64 bits by check sequence; or */
	uint16_t table; /* 4096 bits by the last bytes, shifted by */
	bool hash_low;	/* by the low bits of it */
	struct expr *table_shift;
	struct expr *own; /* its own address counts; NULL: always */
	struct expr *broadcast, *multicast; /* NULL: no */
	struct expr *all_multicast, *promiscuous;
};

/* A message for some causes alone: sent when (when) becomes true. */
struct vector {
	struct expr *when, *vector;
	struct expr *clears; /* causes that sending acknowledges; NULL */
	struct span sets;    /* what else it does */
};

struct interrupt {
	struct expr *line;
	uint16_t cause; /* register whose w1c bits are the causes; NONE */
	uint64_t all;	/* causes that every guest is told of */
	struct vector vector[MODEL_MAX_VECTORS];
	uint8_t vectors;
};

struct transmit {
	struct span sent;      /* sets, when the device has sent for a guest */
	struct span local;     /* when the monitor delivered it itself */
	uint16_t dring;	       /* in model.ring; NONE */
	struct expr *loopback; /* not for the wire; NULL: never */
	struct expr *max;      /* longest frame for the wire; NULL: any */
	struct expr *enabled;  /* a ring is read; NULL: always */
};

struct dmm_model {
	char *name;
	unsigned int lines;
	struct dmm_match *match;
	size_t matches;
	int revision;	   /* that guests see of the part; -1: its own */
	struct tree *tree; /* owns every name */

	struct space space[MODEL_MAX_SPACES];
	struct reg *reg;
	struct place *place;
	struct window window[MODEL_MAX_SPACES];
	struct ring ring[MODEL_MAX_RINGS];
	struct block block[MODEL_MAX_BLOCKS];
	struct eeprom eeprom[MODEL_MAX_EEPROMS];
	uint16_t windows, rings, blocks, eeproms;
	struct memory memory[MODEL_MAX_MEMORIES];
	struct check check[MODEL_MAX_CHECKS];
	struct machine *machine;
	struct rule *rule;
	struct set *set;
	struct proc_step *step;
	uint16_t *but;
	struct state *state;
	struct filter *filter;
	uint16_t *filter_of; /* in filter, or MODEL_NONE: no rule can fire */
	uint16_t spaces, regs, slots, places, memories, checks, machines;
	uint16_t states, rules, sets, steps, buts, filters, filter_ofs;
	struct plan plan;
	uint32_t memory_bytes; /* of a guest's copies */
	struct span proc[PROCS];

	struct expr *reusable;
	struct receive receive;
	struct transmit transmit;
	struct identity identity;
	struct interrupt interrupt;
	struct diag_pos share_pos; /* of `sharing` */
	enum dmm_how how;	   /* the model's own choice */
	enum dmm_when_parked when_parked;
	uint64_t max_park_ns;
	const struct node *tests; /* in tree; NULL: none */
};

/* The register named (name), or MODEL_NONE. */
unsigned int model_reg(const struct dmm_model *model, const char *name);

#endif /* DMM_MODEL_H */
