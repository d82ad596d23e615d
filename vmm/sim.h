/* SPDX-License-Identifier: MIT */
/*
 * sim.h: what a simulated part looks like: a chip's state machine, and
 * nothing else.
 *
 * A part has no thread, no clock, no lock and no memory of its own beyond
 * (size) bytes: all it does happens inside one of its functions, and all it
 * knows of the world came through them or through struct sim_host.  So equal
 * calls give equal answers, and a test or a fuzzer drives it directly.
 *
 * Interface:
 *  - calloc(1, ops->size) is a part; init() it once, then everything else;
 *    there is nothing to give back but its memory;
 *  - what takes time, as putting a frame on the wire does, happens in run():
 *    the part asks for it by host->arm().
 *
 * Threads: one part, one thread at a time.
 */

#ifndef VMM_SIM_H
#define VMM_SIM_H

#include "../dmm/cc.h"
#include "backend.h"

#define SIM_FRAME_MAX 9216 /* without the frame check sequence */
#define SIM_BURST 64	   /* frames that one run() may transmit */
#define SIM_NEVER UINT64_MAX

/*
 * What a part needs from its surroundings.  Called from inside the part's
 * functions: none of these may call back into the part.
 */
struct sim_host {
	/* (frame) is on the wire now, without its frame check sequence. */
	void (*transmit)(void *ctx, const uint8_t *frame, size_t len);
	/* The interrupt pin changed to (level). */
	void (*irq)(void *ctx, bool level);
	/* Nanoseconds since some moment; never falls. */
	uint64_t (*now)(void *ctx);
	/*
	 * Call run() once, as soon as now() is (at_ns) or more; 0 is at once,
	 * SIM_NEVER is not any more.  Replaces what was asked before.
	 */
	void (*arm)(void *ctx, uint64_t at_ns);
	/*
	 * Bus mastering: all of [addr, addr + len) or nothing.  0 or -EFAULT.
	 * NULL for a part that masters no bus.
	 */
	int (*dma_read)(void *ctx, uint64_t addr, void *to, size_t len);
	int (*dma_write)(void *ctx, uint64_t addr, const void *from,
			 size_t len);
};

/* What one card has and another of its kind has not. */
struct sim_conf {
	uint8_t mac[6];
	uint64_t wire_bps; /* bits a second of the wire; 0: no time at all */
	uint32_t ram;	   /* bytes of on-board memory; 0: the usual */
};

/* How a frame came in: ORed into receive()'s (flags). */
enum {
	SIM_BAD_CRC = 1,   /* its frame check sequence does not match, */
	SIM_BAD_ALIGN = 2, /* or it did not end with a whole byte */
};

/* Frames, counted since init(); a reset keeps them. */
struct sim_stats {
	uint64_t sent;
	uint64_t received; /* stored for the driver */
	uint64_t unheard;  /* refused by the filter, or while it was off */
	uint64_t missed;   /* for this station, but there was no room */
	uint64_t spoiled;  /* sent so that no receiver would take them */
};

struct sim_ops {
	const char *name;
	const char *title; /* for people: "Realtek RTL8029AS (NE2000)" */
	uint16_t vendor, device;
	size_t size; /* of a part */
	void (*info)(struct backend_info *info);

	/*
	 * (part) is zeros.  -EINVAL, with nothing written, if (conf) does not
	 * describe such a part.  Borrows (host) and (ctx).
	 */
	int (*init)(void *part, const struct sim_conf *conf,
		    const struct sim_host *host, void *ctx);
	void (*reset)(void *part); /* as after power-on */

	/* (off) and (width) lie in one of info's BARs; width is 1, 2, 4, 8. */
	uint64_t (*read)(void *part, unsigned int bar, uint64_t off,
			 unsigned int width);
	void (*write)(void *part, unsigned int bar, uint64_t off,
		      unsigned int width, uint64_t value);

	/* A frame of at most SIM_FRAME_MAX bytes came from the wire. */
	void (*receive)(void *part, const uint8_t *frame, size_t len,
			unsigned int flags);
	void (*run)(void *part); /* see arm(); harmless at any time */
	bool (*irq_level)(const void *part);
	void (*stats)(const void *part, struct sim_stats *out);
	/*
	 * Bus mastering is allowed, or not any more: bit 2 of the command
	 * register.  Off at first; reset() keeps it.  NULL for a part that
	 * masters no bus.
	 */
	void (*bus_master)(void *part, bool on);
};

/* A NULL ends the table. */
extern const struct sim_ops *const sim_parts[];

#endif /* VMM_SIM_H */
