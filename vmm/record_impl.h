/* SPDX-License-Identifier: MIT */
/*
 * record_impl.h: what record.c (the side of the gates) and recorder.c (the
 * side of the file) share.
 */

#ifndef VMM_RECORD_IMPL_H
#define VMM_RECORD_IMPL_H

#include <pthread.h>

#include "../dmm/changes.h"
#include "record.h"
#include "tape.h"

struct record {
	struct recorder *recorder;
	struct dmm *dmm;
	struct dmm_host host; /* who is really asked */
	struct tape tape;
	struct tape wire; /* frames, also from other threads: */
	pthread_mutex_t wire_lock;
	bool wire_on;		 /* under that lock */
	uint32_t wire_interface; /* 0: none */
	uint8_t *frame;		 /* one that leaves in pieces */
	const struct dmm_model *of;
	unsigned int guests;
	struct changes changes;
	uint64_t epoch_ns; /* of the host's clock */
	uint64_t ns;	   /* now, as since 1970 */
	uint32_t kinds;
	bool frames;
	bool entered;  /* in an entry, whose guest is: */
	bool wanted;   /* what this entry says */
	bool happened; /* something to be shown for it */
	uint8_t device;
	uint8_t only; /* records of this guest alone; TRACE_NOBODY: all */
	uint32_t interface[DMM_MAX_GUESTS]; /* 0: none */
	uint8_t *model;			    /* its TRACE_MODEL, as a block */
	size_t model_len;
};

struct recorder {
	struct record_conf conf;
	const struct machine *m;
	struct record *record[MACHINE_MAX_DEVICES];
	unsigned int interfaces;
	uint32_t interface[MACHINE_MAX_DEVICES][DMM_MAX_GUESTS];
	uint32_t wire_interface[MACHINE_MAX_DEVICES];
	uint8_t *header; /* blocks that every file begins with */
	size_t header_len;
	uint8_t *out; /* blocks on their way to the file */
	size_t out_len;
	uint64_t written; /* bytes of this file */
	unsigned int files;
	int fd;
	bool failed;
	pthread_t thread;
	bool running;
	_Atomic bool stop;
	_Atomic bool busy, crashed; /* the writer; the process */
};

#endif /* VMM_RECORD_IMPL_H */
