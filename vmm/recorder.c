// SPDX-License-Identifier: MIT
/*
 * recorder.c: the side of the file: a thread that takes blocks from the tapes,
 * oldest first, and writes them, whole blocks at a time, so that the file can
 * be read while it grows.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crash.h"
#include "log.h"
#include "record_impl.h"
#include "why.h"

#define OUT_SIZE (512u << 10) /* written at once; more than any block */
#define LOOK_NS 2000000	      /* how often the tapes are looked at */
#define ETHERNET 1u
#define BLOCK_HEAD 28u

int record_kinds(const char *list, struct record_conf *conf, char **why)
{
	const char *names[TRACE_KINDS + 1], *at, *near;
	unsigned int n = 0, i;
	char word[32];
	size_t len;

	for (i = TRACE_MODEL; i < TRACE_KINDS; i++)
		names[n++] = trace_kind_name((enum trace_kind)i);
	names[n++] = "frame";
	conf->no_frames = true;
	conf->kinds = 1u << TRACE_LOST;
	for (at = list; *at; at += len + (at[len] == ',')) {
		len = strcspn(at, ",");
		snprintf(word, sizeof(word), "%.*s", (int)len, at);
		for (i = 0; i < n && strcmp(names[i], word); i++)
			;
		if (i == n) {
			near = diag_nearest(word, names, n);
			return why_set(why, -EINVAL,
				       "no kind of record is called \"%s\"%s%s",
				       word, near ? "; did you mean " : "",
				       near ? near : "");
		}
		if (i == n - 1)
			conf->no_frames = false;
		else
			conf->kinds |= 1u << (TRACE_MODEL + i);
	}
	return 0;
}

/* ---- what a file begins with ---- */

static void add_interface(struct recorder *rec, uint16_t linktype,
			  const char *name)
{
	rec->header_len += trace_put_interface(rec->header + rec->header_len,
					       512, linktype, name);
	rec->interfaces++;
}

/* Ours, then the devices', each with those of its guests behind it. */
static void make_interfaces(struct recorder *rec)
{
	const struct machine *m = rec->m;
	unsigned int d, i, k, n;
	char name[80];

	rec->header_len =
		trace_put_section(rec->header, 512, "vpio " VPIO_VERSION);
	add_interface(rec, TRACE_LINKTYPE, "vpio");
	for (d = 0; d < m->devices; d++) {
		if (rec->interfaces < TRACE_INTERFACES) {
			rec->wire_interface[d] = rec->interfaces;
			add_interface(rec, ETHERNET, m->device[d].name);
		}
		for (i = n = 0; i < m->guests; i++)
			for (k = 0; k < m->guest[i].uses; k++) {
				if (m->guest[i].use[k].device != d ||
				    n == DMM_MAX_GUESTS ||
				    rec->interfaces == TRACE_INTERFACES)
					continue;
				snprintf(name, sizeof(name), "%s:%s",
					 m->device[d].name, m->guest[i].name);
				rec->interface[d][n++] = rec->interfaces;
				add_interface(rec, ETHERNET, name);
			}
	}
}

/* The models' records; what has lost its beginning cannot be replayed. */
static void add_models(struct recorder *rec)
{
	size_t at = BLOCK_HEAD + sizeof(struct trace_head) +
		    offsetof(struct trace_model, complete);
	unsigned int d;

	for (d = 0; d < MACHINE_MAX_DEVICES; d++) {
		const struct record *r = rec->record[d];
		uint8_t *to;

		if (!r)
			continue;
		rec->header =
			realloc(rec->header, rec->header_len + r->model_len);
		if (!rec->header)
			fatal("no memory to record");
		to = rec->header + rec->header_len;
		memcpy(to, r->model, r->model_len);
		if (rec->conf.ring)
			to[at] = 0;
		rec->header_len += r->model_len;
	}
}

/* ---- the file ---- */

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
	ssize_t n;

	for (; len; bytes += n, len -= (size_t)n) {
		n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}
	return true;
}

static void put_out(struct recorder *rec, const uint8_t *bytes, size_t len)
{
	if (rec->failed)
		return;
	rec->written += len;
	if (write_all(rec->fd, bytes, len))
		return;
	rec->failed = true;
	log_warn("cannot write %s; the record ends here", rec->conf.path);
}

static int open_file(struct recorder *rec)
{
	char *path = NULL;
	int n = rec->files ?
			asprintf(&path, "%s.%u", rec->conf.path, rec->files) :
			asprintf(&path, "%s", rec->conf.path);

	if (n < 0)
		return -ENOMEM;
	rec->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	n = rec->fd < 0 ? -errno : 0;
	free(path);
	rec->files++;
	rec->written = 0;
	return n;
}

static void flush(struct recorder *rec)
{
	if (!rec->out_len)
		return;
	if (!rec->written && rec->fd >= 0)
		put_out(rec, rec->header, rec->header_len);
	put_out(rec, rec->out, rec->out_len);
	rec->out_len = 0;
	if (!rec->conf.size || rec->written < rec->conf.size || rec->failed)
		return;
	close(rec->fd);
	if (open_file(rec)) {
		rec->failed = true;
		log_warn("cannot write %s.%u; the record ends here",
			 rec->conf.path, rec->files - 1);
	}
}

/* ---- from the tapes ---- */

static uint64_t time_of(const uint8_t *block)
{
	uint32_t high, low;

	memcpy(&high, block + 12, sizeof(high));
	memcpy(&low, block + 16, sizeof(low));
	return (uint64_t)high << 32 | low;
}

/* What a tape that keeps had dropped before what comes now. */
static void tell_gap(struct recorder *rec, struct record *r, uint64_t ns)
{
	struct tape *t = &r->tape;
	struct trace_value value = { .value = t->gap };
	struct trace_head head = { .version = TRACE_VERSION,
				   .kind = TRACE_LOST,
				   .device = r->device,
				   .guest = TRACE_NOBODY,
				   .len = sizeof(value),
				   .sequence = t->gap_last };
	const struct trace_piece piece[] = { { &head, sizeof(head) },
					     { &value, sizeof(value) } };

	if (t->gap_id == t->gap_seen)
		return;
	t->gap_seen = t->gap_id;
	if (OUT_SIZE - rec->out_len < 256)
		flush(rec);
	rec->out_len += trace_put_packet(rec->out + rec->out_len,
					 OUT_SIZE - rec->out_len, 0, ns, piece,
					 2);
}

/* Each record has two: its own, and that for frames. */
#define TAPES (2 * MACHINE_MAX_DEVICES)

static struct tape *tape_of(struct recorder *rec, unsigned int i)
{
	struct record *r = rec->record[i / 2];

	if (!r)
		return NULL;
	return i % 2 ? &r->wire : &r->tape;
}

/* The tape with the oldest block, or -1; (*other) is the next one's time. */
static int oldest(struct recorder *rec, uint64_t *other)
{
	uint64_t best_ns = UINT64_MAX, ns, tail;
	int best = -1;
	unsigned int i;

	*other = UINT64_MAX;
	for (i = 0; i < TAPES; i++) {
		struct tape *t = tape_of(rec, i);

		if (!t)
			continue;
		tail = atomic_load_explicit(&t->tail, memory_order_relaxed);
		if (tape_limit(t) <= tail)
			continue;
		ns = time_of(tape_at(t, tail));
		if (best < 0 || ns < best_ns) {
			*other = best < 0 ? UINT64_MAX : best_ns;
			best = (int)i;
			best_ns = ns;
		} else if (ns < *other) {
			*other = ns;
		}
	}
	return best;
}

/* Its blocks up to that time, and up to what fits. */
static void take(struct recorder *rec, unsigned int i, uint64_t until)
{
	struct tape *t = tape_of(rec, i);
	bool first = true;
	uint64_t tail, limit;

	if (!t)
		return;
	tail = atomic_load_explicit(&t->tail, memory_order_relaxed);
	limit = tape_limit(t);
	if (i % 2 == 0)
		tell_gap(rec, rec->record[i / 2], time_of(tape_at(t, tail)));
	while (tail < limit) {
		const uint8_t *block = tape_at(t, tail);
		uint32_t len = tape_block_len(block);

		if (!first && time_of(block) > until)
			break;
		if (OUT_SIZE - rec->out_len < len)
			flush(rec);
		memcpy(rec->out + rec->out_len, block, len);
		rec->out_len += len;
		tail += len;
		first = false;
		atomic_store_explicit(&t->tail, tail, memory_order_release);
	}
}

static void drain(struct recorder *rec)
{
	uint64_t other;
	int i;

	while ((i = oldest(rec, &other)) >= 0)
		take(rec, (unsigned int)i, other);
	flush(rec);
}

static void *writer(void *arg)
{
	const struct timespec ts = { .tv_nsec = LOOK_NS };
	struct recorder *rec = arg;

	crash_thread();
	while (!atomic_load(&rec->stop)) {
		atomic_store(&rec->busy, true);
		if (!atomic_load(&rec->crashed))
			drain(rec);
		atomic_store(&rec->busy, false);
		nanosleep(&ts, NULL);
	}
	return NULL;
}

/* ---- when vpio itself crashes ---- */

static struct recorder *_Atomic at_hand;

/* In a signal handler: write(2), nanosleep(2), and nothing else. */
static void dump(void)
{
	const struct timespec ts = { .tv_nsec = 1000000 };
	struct recorder *rec = atomic_load(&at_hand);
	unsigned int i;

	if (!rec || rec->fd < 0)
		return;
	atomic_store(&rec->crashed, true);
	for (i = 0; i < 200 && atomic_load(&rec->busy); i++)
		nanosleep(&ts, NULL);
	if (!rec->written)
		(void)!write_all(rec->fd, rec->header, rec->header_len);
	(void)!write_all(rec->fd, rec->out, rec->out_len);
	for (i = 0; i < TAPES; i++) {
		struct tape *t = tape_of(rec, i);
		uint64_t tail, head;

		if (!t)
			continue;
		tail = atomic_load(&t->tail);
		head = atomic_load(&t->head);
		if (head - tail <= t->size)
			(void)!write_all(rec->fd, tape_at(t, tail),
					 head - tail);
	}
}

/* ---- opening and closing ---- */

static int check_filters(const struct record_conf *conf,
			 const struct machine *m, char **why)
{
	unsigned int i;

	for (i = 0; conf->device && i < m->devices; i++)
		if (!strcmp(m->device[i].name, conf->device))
			break;
	if (conf->device && i == m->devices)
		return why_set(why, -EINVAL, "no device is called \"%s\"",
			       conf->device);
	for (i = 0; conf->guest && i < m->guests; i++)
		if (!strcmp(m->guest[i].name, conf->guest))
			break;
	if (conf->guest && i == m->guests)
		return why_set(why, -EINVAL, "no guest is called \"%s\"",
			       conf->guest);
	return 0;
}

int recorder_open(struct recorder **out, const struct record_conf *conf,
		  const struct machine *m, char **why)
{
	struct recorder *rec;
	int err = check_filters(conf, m, why);

	if (err)
		return err;
	rec = xcalloc(1, sizeof(*rec));
	rec->conf = *conf;
	rec->m = m;
	rec->header = xcalloc(TRACE_INTERFACES + 2, 512);
	rec->out = xcalloc(1, OUT_SIZE);
	make_interfaces(rec);
	err = open_file(rec);
	if (err) {
		why_set(why, err, "cannot write %s: %s", conf->path,
			strerror(-err));
		recorder_close(rec);
		return err;
	}
	*out = rec;
	return 0;
}

int recorder_start(struct recorder *rec, char **why)
{
	int err;

	add_models(rec);
	if (!rec->conf.ring)
		put_out(rec, rec->header, rec->header_len);
	atomic_store(&at_hand, rec);
	crash_also(dump);
	err = pthread_create(&rec->thread, NULL, writer, rec);
	rec->running = !err;
	return err ? why_set(why, -err, "no thread to record") : 0;
}

static uint64_t close_record(struct record *r)
{
	uint64_t lost = r->tape.sum_lost;

	if (r->wire.sum_lost)
		log_warnx("%s: %" PRIu64 " frames were lost: the "
			  "disk was too slow for them",
			  r->recorder->conf.path, r->wire.sum_lost);
	tape_close(&r->tape);
	tape_close(&r->wire);
	pthread_mutex_destroy(&r->wire_lock);
	free(r->frame);
	free(r->model);
	free(r);
	return lost;
}

bool recorder_close(struct recorder *rec)
{
	uint64_t lost = 0;
	unsigned int d;
	bool whole;

	if (!rec)
		return true;
	atomic_store(&at_hand, NULL);
	if (rec->running) {
		atomic_store(&rec->stop, true);
		pthread_join(rec->thread, NULL);
		drain(rec);
		/* with room now, what was lost last can be told */
		for (d = 0; d < MACHINE_MAX_DEVICES; d++)
			if (rec->record[d])
				tape_end(&rec->record[d]->tape, (uint8_t)d,
					 rec->record[d]->ns);
		drain(rec);
	}
	for (d = 0; d < MACHINE_MAX_DEVICES; d++)
		if (rec->record[d])
			lost += close_record(rec->record[d]);
	if (lost)
		log_warnx("%s: %" PRIu64 " records were lost: the disk was "
			  "too slow for them",
			  rec->conf.path, lost);
	if (rec->conf.ring && !rec->written)
		log_info("nothing happened that %s would tell of",
			 rec->conf.path);
	if (rec->fd >= 0)
		close(rec->fd);
	whole = !rec->failed;
	free(rec->header);
	free(rec->out);
	free(rec);
	return whole;
}
