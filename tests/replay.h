/* SPDX-License-Identifier: MIT */
/*
 * replay.h: shows a monitor the accesses of a recorded trace of an NE2000, for
 * tests and benchmarks.
 *
 *	trace_load(&trace, "traces", "linux-6.1-ne2k_pci.qemu.log.xz");
 *	echo_open(&echo, model);
 *	for (i = 0; i < trace.n; i++) {
 *		echo_before(&echo, &trace.access[i]);
 *		verdict = echo_access(&echo, &trace.access[i], &value);
 *		echo_after(&echo, &trace.access[i]);
 *	}
 *
 * The device that an echo has is the trace: each read gives what was read
 * when it was recorded, and interrupts come where the recorded driver found
 * their cause.
 */

#ifndef TESTS_REPLAY_H
#define TESTS_REPLAY_H

#include "dmm/dmm.h"
#include "qlog.h"

#define NE2K_TRACE "linux-6.1-ne2k_pci.qemu.log.xz"

struct trace {
	struct qlog_access *access;
	size_t n;
};

/*
 * Load all of DIR/NAME.  0; -ENOENT if there is no such file or no xz here;
 * -EINVAL if it is not a trace; -ENOMEM.
 */
MUST_CHECK int trace_load(struct trace *out, const char *dir, const char *name);
void trace_free(struct trace *trace); /* zeros are fine */

/* The model in FILE; NULL, said on standard error, if it is none. */
struct dmm_model *replay_model(const char *file);

/* The recorded card's own address. */
extern const uint8_t replay_mac[6];

struct echo {
	struct dmm *dmm;
	const struct qlog_access *at; /* shown to the monitor now */
	bool asked;		      /* and it asked the device for it */
	bool level;
	uint8_t page, cr, isr, imr;
	uint64_t now_ns;
	uint64_t reports;
};

/* The functions of its device; ctx is the echo's. */
extern const struct dmm_host echo_device;

/* 0, or what dmm_open() said. */
MUST_CHECK int echo_open(struct echo *echo, const struct dmm_model *model);
void echo_close(struct echo *echo);

/* What the device does before the access: a frame sent, an interrupt. */
void echo_before(struct echo *echo, const struct qlog_access *access);
/* And what follows from the access. */
void echo_after(struct echo *echo, const struct qlog_access *access);

/*
 * An access of a guest; what it wrote is in (*value), little endian, or what
 * it read will be.  Here, so that a benchmark measures little of it.
 */
static inline enum dmm_verdict replay_access(struct dmm *dmm,
					     unsigned int guest,
					     const struct qlog_access *access,
					     uint64_t *value)
{
	struct dmm_access a = { .off = access->addr,
				.data = (uint8_t *)value,
				.count = 1,
				.width = access->size,
				.write = access->write };

	return dmm_access(dmm, guest, &a);
}

/* The access itself; what was read is in (*value). */
static inline enum dmm_verdict echo_access(struct echo *echo,
					   const struct qlog_access *access,
					   uint64_t *value)
{
	enum dmm_verdict verdict;

	echo->at = access;
	echo->asked = false;
	*value = access->write ? access->value : 0;
	verdict = replay_access(echo->dmm, 0, access, value);
	echo->at = NULL;
	return verdict;
}

#endif /* TESTS_REPLAY_H */
