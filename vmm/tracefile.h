/* SPDX-License-Identifier: MIT */
/*
 * tracefile.h: a trace as a file, mapped to be read; and its records in words.
 *
 *	tracefile_open(&f, path, &why);
 *	while (tracefile_packet(&f, &p))
 *		use(&p, f.number);
 *	tracefile_close(&f);
 */

#ifndef VMM_TRACEFILE_H
#define VMM_TRACEFILE_H

#include "../dmm/trace.h"

#define TRACEFILE_DEVICES 256u /* as a record can number them */

struct tracefile {
	struct trace_reader reader;
	const char *path; /* borrowed */
	void *map;
	size_t len;
	int fd;
	uint64_t number;   /* of the packet read last, from 1, as Wireshark */
	uint64_t start_ns; /* of the first packet */
	unsigned int said; /* messages */
	bool any;	   /* a record of ours was met */
	bool bad;	   /* something could not be read, and it was said */
	bool quiet;	   /* set by who reads a file twice: it is not said */
	/* device and guest that an interface's frames are of; -1: none */
	struct {
		int device, guest;
	} of[TRACE_INTERFACES];
	/* names of interfaces; NULL: not known */
	const char *device[TRACEFILE_DEVICES];
	const char *guest[TRACEFILE_DEVICES][DMM_MAX_GUESTS];
	/* compiled, where tracefile_model() was asked to; NULL: not there */
	struct dmm_model *model[TRACEFILE_DEVICES];
};

/* 0, or -errno with one line in (*why), which the caller frees. */
MUST_CHECK int tracefile_open(struct tracefile *f, const char *path,
			      char **why);
void tracefile_close(struct tracefile *f);

/*
 * The next packet, or false at the end.  What is malformed is told, with its
 * offset, and read over: then f->bad is set.  So it is for a file without a
 * record of ours; not for one that was cut off, which is told.
 */
bool tracefile_packet(struct tracefile *f, struct trace_packet *p);
/* Begin again, as after tracefile_open(). */
void tracefile_rewind(struct tracefile *f);

/* Of a TRACE_MODEL: compile its text, for names in tracefile_text(). */
void tracefile_model(struct tracefile *f, const struct trace_packet *p);
/* "nic0" and "alpha"; or their numbers, into (room) bytes of (to). */
void tracefile_device(const struct tracefile *f, unsigned int device, char *to,
		      size_t room);
void tracefile_guest(const struct tracefile *f, unsigned int device,
		     unsigned int guest, char *to, size_t room);

/*
 * One line that says what a record of ours is, without its time, such as
 * "write io+0x07 width 1: 0xff pass, hook, vCPU 0".
 */
void tracefile_text(const struct tracefile *f, const struct trace_packet *p,
		    char *to, size_t room);

#endif /* VMM_TRACEFILE_H */
