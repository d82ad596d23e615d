/* SPDX-License-Identifier: MIT */
/*
 * page.h: what replays told, as one HTML page to look at: who owned the device
 * when, states, doorbells, interrupts, exits by cause, violations.
 *
 * Interface: page_new() of a device, the functions that the replay's sink
 * calls, then page_write() of all devices; page_free().
 *
 * The page is self-contained: it asks for nothing, and a policy in it keeps it
 * so.  Events are columns of numbers, compressed (zlib), 17 bytes each before
 * that; vmm/page.js has the same layout.
 *
 * Threads: one page, one thread at a time.
 */

#ifndef VMM_PAGE_H
#define VMM_PAGE_H

#include <stdio.h>

#include "../dmm/replay.h"

/* Kept of one device; the page says so where there were more. */
#define PAGE_EVENTS 2000000u
#define PAGE_VIOLATIONS 2000u

struct page;

/* (model) is borrowed until page_free(). */
struct page *page_new(const struct dmm_model *model, unsigned int guests);
void page_free(struct page *page); /* NULL is fine */

void page_access(struct page *page, const struct replay_at *at,
		 unsigned int guest, const struct replay_access *access);
void page_line(struct page *page, const struct replay_at *at,
	       unsigned int guest, bool level);
void page_state(struct page *page, const struct replay_at *at,
		unsigned int guest, const struct trace_state *state);
void page_owner(struct page *page, const struct replay_at *at,
		const struct trace_switch *sw);
void page_window(struct page *page, const struct replay_at *at, bool open);
void page_violation(struct page *page, const struct replay_at *at,
		    const struct dmm_report *report);

/* A device of the page: what is known of it beside its events. */
struct page_device {
	const struct page *page;
	struct replay *replay;		   /* at its end */
	const char *file;		   /* that it was recorded in */
	const char *model_file;		   /* for lines in it */
	const char *name;		   /* "" if it is not known */
	const char *guest[DMM_MAX_GUESTS]; /* NULL: not known */
	unsigned int guests;
};

/* -EIO if it did not reach (to) whole. */
MUST_CHECK int page_write(FILE *to, const struct page_device *device,
			  size_t devices);

#endif /* VMM_PAGE_H */
