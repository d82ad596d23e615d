/* SPDX-License-Identifier: MIT */
/*
 * mon_rings.h: the part of mon.h that is of rings in memory: guests', the device's,
 * and what stands for them in parts that have none.
 */

#ifndef DMM_MON_RINGS_H
#define DMM_MON_RINGS_H

#include "mon.h"

static inline const struct ring *mon_tx_ring(const struct dmm *d)
{
	return &d->model->ring[d->model->transmit.dring];
}

static inline struct tx_desc *txq_at(struct txq *q, uint32_t i)
{
	return &q->d[i % TXQ_DEPTH];
}

/* ---- desc.c: bits of descriptors ---- */

uint64_t desc_get(const uint64_t *w, struct bits b);
void desc_put(uint64_t *w, struct bits b, uint64_t value);
void desc_sets(const struct dmm *d, unsigned int g, struct span sets,
	       uint64_t *w, uint64_t length);
/* What the part writes back, from its descriptor into another. */
void desc_written_back(const struct ring *r, uint64_t *to,
		       const uint64_t *from);
/* The layout of a descriptor; NULL: none fits. */
const struct layout *desc_layout(const struct dmm *d, unsigned int g,
				 const struct ring *r, const uint64_t *w);
uint64_t desc_eval(const struct dmm *d, unsigned int g, const struct expr *e,
		   const uint64_t *w);
/*
 * Take the descriptor at (from) in the area, if the device is done with it;
 * what it wrote before it said so is there, too.
 */
bool desc_take(struct dmm *d, const struct ring *r,
	       const volatile uint64_t *from, uint64_t w[MODEL_MAX_WORDS]);
/* (n) bytes at (from) in the area were taken, as (to) has them. */
void desc_took(struct dmm *d, const volatile void *from, void *to, size_t n,
	       bool done);
/* Write what the part would into a guest's descriptor, the done bit last. */
void desc_write_back(struct dmm *d, unsigned int g, const struct ring *r,
		     uint64_t at, const uint64_t *w);

/* ---- txring.c: a guest's ring, read once and checked ---- */

/* Where the guest's ring lies; false if that is not its memory. */
bool txring_check(struct dmm *d, unsigned int g, const struct ring *r,
		  uint64_t *at, uint64_t *len);
/* Descriptors were given: read them, and let what may enter the shadow. */
void txring_doorbell(struct dmm *d, unsigned int g);
/* More of what was given before, now that there is room. */
void txring_fetch(struct dmm *d, unsigned int g);
/* Drop all that has not entered. */
void txring_reset(struct dmm *d, unsigned int g);
/*
 * The same, but the ring stays where it is: what is not done is the guest's
 * again, and is read anew.  Nothing is written back any more.
 */
void txring_forget(struct dmm *d, unsigned int g);
/* All of a unit that could be sent, is: tell the guest, in order. */
void txring_finish(struct dmm *d, unsigned int g);
/* To a host that wants to see it: the frame at q->sent, its (head) checked. */
void txring_tell(struct dmm *d, unsigned int g, const uint8_t *head,
		 uint32_t head_len);

/* ---- shadow.c: the rings that the device sees ---- */

/* Set up the device and both shadows: PROC_OPEN. */
MUST_CHECK int shadow_open(struct dmm *d);
/* May (bytes) more not wait in the device now? */
bool shadow_limited(struct dmm *d, uint32_t bytes);
/* Some came back: may more wait from now on, or less? */
void shadow_adjust(struct dmm *d);
/* What came back; true if anything did. */
bool shadow_clean(struct dmm *d);
/* Let units enter, by weight, while there is room. */
void shadow_pump(struct dmm *d);
/* Completions, arrivals, link changes. */
void shadow_service(struct dmm *d);
/* Something is in the device that did not come back. */
bool shadow_busy(const struct dmm *d);
/* The device is stuck: what is in it is lost. */
void shadow_lose(struct dmm *d);
/* The same, and the device begins anew. */
void shadow_restart(struct dmm *d);

/* ---- block.c: structures that the part reads when told to ---- */

/* Read the guest's block (i), once, into its context; false: not its memory. */
MUST_CHECK bool block_read(struct dmm *d, unsigned int g, unsigned int i,
			   uint64_t *at, uint64_t *len);
/* What was read goes to registers, and its rings begin anew. */
void block_load(struct dmm *d, unsigned int g, unsigned int i);
/*
 * The same for registers alone, for a look at what would be: (old) gets what
 * they were, for block_unload().
 */
void block_try(struct dmm *d, unsigned int g, unsigned int i,
	       uint64_t old[MODEL_MAX_LOADS]);
void block_undo(struct dmm *d, unsigned int g, unsigned int i,
		const uint64_t old[MODEL_MAX_LOADS]);
/* The monitor's own blocks, in the area at (host), which is (iova). */
void block_open(struct dmm *d, uint8_t *host, uint64_t iova);

/* ---- forms.c: descriptors laid out in several ways ---- */

/* Bytes of one of the guest's descriptors. */
unsigned int form_bytes(const struct dmm *d, unsigned int g,
			const struct ring *r);
/* The same of what has (plain) bytes in no other form. */
unsigned int form_size(const struct dmm *d, unsigned int g,
		       const struct ring *r, unsigned int plain);
/* Read one of the guest's, of (bytes) if it is as the fields are, to (w). */
MUST_CHECK int form_read(struct dmm *d, unsigned int g, const struct ring *r,
			 uint64_t at, uint64_t *w, unsigned int bytes);
/* As desc_write_back(); false: the guest has no other form, nothing is done. */
bool form_write_back(struct dmm *d, unsigned int g, const struct ring *r,
		     uint64_t at, const uint64_t *w);
/* Has the guest given the descriptor at (at), of a ring with own? */
bool form_given(struct dmm *d, unsigned int g, const struct ring *r,
		uint64_t at);

/* ---- ownring.c: rings whose descriptors say whose they are ---- */

/* Is the descriptor used by the part, as the ring (r) says so? */
bool own_done(const struct ring *r, const uint64_t *w);
void own_set_done(const struct ring *r, uint64_t *w, bool done);
/* Hand (w) to the device at (to): the word with the done bit last. */
void own_give(const struct ring *r, volatile uint64_t *to, const uint64_t *w);
/* The first descriptor of a frame that is there: the part may begin. */
void own_start(const struct ring *r, volatile uint64_t *to);
/* The part would look at its rings about now. */
void own_scan(struct dmm *d, uint64_t now);
/* When next; UINT64_MAX: never, until own_wake(). */
uint64_t own_next(struct dmm *d);
/* A guest's registers changed: is there something to look at now and then? */
void own_wake(struct dmm *d);
/* Room for (len) bytes in descriptors that the guest gave, from its next on. */
bool own_room(struct dmm *d, unsigned int g, uint64_t base, uint32_t count,
	      size_t len);
/* Each buffer that was given; false: one is not the guest's. */
bool own_buffers(struct dmm *d, unsigned int g, const struct ring *r,
		 uint64_t *at, uint64_t *len);

/* ---- rxring.c: into a guest's ring ---- */

/* 0, or -ENOSPC: the guest has no room; -EFAULT: it gave a bad buffer. */
MUST_CHECK int rxring_put(struct dmm *d, unsigned int g, const uint8_t *bytes,
			  size_t len);
/* All of the device's receive ring is the device's; take what it filled. */
void rxring_open(struct dmm *d);
void rxring_drain(struct dmm *d);
/* Look at what the guest gave: the ring, and each new buffer. */
bool rxring_check(struct dmm *d, unsigned int g, const struct ring *r,
		  uint64_t *at, uint64_t *len);

/* ---- slots.c: descriptors that are registers ---- */

/* Is the register (by number) one that descriptors are in? */
bool slots_have(const struct ring *r, unsigned int reg);
/* A guest's slot (index), as its registers are. */
void slots_read(const struct dmm *d, unsigned int g, uint32_t index,
		uint64_t w[MODEL_MAX_WORDS]);
/* Is the slot that is to be read next given, and none of before in it? */
bool slots_given(const struct dmm *d, unsigned int g, const struct txq *q);
/* What the device, or the monitor, made of the guest's slot. */
void slots_write_back(struct dmm *d, unsigned int g, uint32_t index,
		      const uint64_t *w);
/*
 * A frame into the memory of the device's slot d->tx->tail, its first bytes
 * from (head).
 */
void slots_copy(struct dmm *d, unsigned int g, const struct tx_desc *t,
		const uint8_t *head, uint32_t head_len);
/* Give the device that slot, with its memory or, if not 0, (elsewhere). */
void slots_put(struct dmm *d, const uint64_t *w, uint64_t elsewhere,
	       const struct layout *l);
/* The device's slot (at); true if the device is done with it. */
bool slots_take(struct dmm *d, uint32_t at, uint64_t w[MODEL_MAX_WORDS]);

/* ---- bytering.c: rings in which frames follow one another ---- */

/* As rxring_check(), rxring_put() (of a frame that is prepared). */
bool bytering_check(struct dmm *d, unsigned int g, const struct ring *r,
		    uint64_t *at, uint64_t *len);
MUST_CHECK int bytering_put(struct dmm *d, unsigned int g, const uint8_t *bytes,
			    size_t len);
/* Where the device's ring begins, once it was set up; -EINVAL. */
MUST_CHECK int bytering_open(struct dmm *d);
void bytering_drain(struct dmm *d);

/* ---- local.c: the unit of (g) that is to be sent next ---- */

/* More in a frame than the model lets out. */
bool frame_too_long(const struct dmm *d, unsigned int g, uint64_t bytes);
uint32_t frame_gather(struct dmm *d, unsigned int g, uint8_t *to, uint32_t max);
const char *frame_offload_fault(const struct dmm *d, unsigned int g,
				uint64_t *wire);
void frame_to_siblings(struct dmm *d, unsigned int g, const uint8_t *head,
		       uint32_t head_len);

#endif /* DMM_MON_RINGS_H */
