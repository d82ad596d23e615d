// SPDX-License-Identifier: MIT
/*
 * record.c: the side of a gate: entries of its monitor and answers of its
 * host, as records on a tape.  No lock but the device's, no system call, no
 * memory taken.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "record_impl.h"

/* What of a call's data is kept: a record has a length that it may have. */
#define DATA_MAX (TRACE_RECORD_MAX - 64u)
/* Of a frame that leaves in pieces: more than a part takes. */
#define FRAME_MAX (256u << 10)

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void put(struct record *r, enum trace_kind kind, uint8_t guest,
		const void *body, size_t len, const void *data, size_t data_len)
{
	struct trace_head head = { .kind = (uint8_t)kind,
				   .device = r->device,
				   .guest = guest };

	if (!(r->kinds >> kind & 1) || !r->wanted)
		return;
	if (r->only != TRACE_NOBODY && guest != TRACE_NOBODY &&
	    guest != r->only)
		return;
	tape_record(&r->tape, r->ns, &head, body, len, data, data_len);
}

/* ---- what the monitor asks of its host ---- */

/* Numbers are looked up outside of entries, too: that is nobody's business. */
static void call(struct record *r, struct trace_call *c, const void *data,
		 size_t len)
{
	if (!r->entered)
		return;
	if (len > DATA_MAX)
		len = DATA_MAX;
	c->bytes = (uint32_t)len;
	put(r, TRACE_HOST, c->guest, c, sizeof(*c), data, len);
}

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	struct record *r = ctx;
	uint64_t value = r->host.read(r->host.ctx, space, off, width);

	call(r,
	     &(struct trace_call){ .what = TRACE_READ,
				   .space = (uint8_t)space,
				   .width = (uint8_t)width,
				   .guest = TRACE_NOBODY,
				   .at = off,
				   .value = value,
				   .count = 1 },
	     NULL, 0);
	return value;
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct record *r = ctx;

	call(r,
	     &(struct trace_call){ .what = TRACE_WRITE,
				   .space = (uint8_t)space,
				   .width = (uint8_t)width,
				   .guest = TRACE_NOBODY,
				   .at = off,
				   .value = value,
				   .count = 1 },
	     NULL, 0);
	r->host.write(r->host.ctx, space, off, width, value);
}

static void host_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	struct record *r = ctx;

	r->host.read_string(r->host.ctx, space, off, width, to, n);
	call(r,
	     &(struct trace_call){ .what = TRACE_READ_STRING,
				   .space = (uint8_t)space,
				   .width = (uint8_t)width,
				   .guest = TRACE_NOBODY,
				   .at = off,
				   .count = n },
	     to, n * width);
}

static void host_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	struct record *r = ctx;

	call(r,
	     &(struct trace_call){ .what = TRACE_WRITE_STRING,
				   .space = (uint8_t)space,
				   .width = (uint8_t)width,
				   .guest = TRACE_NOBODY,
				   .at = off,
				   .count = n },
	     from, n * width);
	r->host.write_string(r->host.ctx, space, off, width, from, n);
}

static void host_pause(void *ctx, uint64_t ns)
{
	struct record *r = ctx;

	call(r,
	     &(struct trace_call){
		     .what = TRACE_PAUSE, .guest = TRACE_NOBODY, .at = ns },
	     NULL, 0);
	r->host.pause(r->host.ctx, ns);
}

static uint64_t host_now(void *ctx)
{
	struct record *r = ctx;
	uint64_t now = r->host.now(r->host.ctx);

	if (r->entered)
		r->ns = now + r->epoch_ns;
	call(r,
	     &(struct trace_call){
		     .what = TRACE_NOW, .guest = TRACE_NOBODY, .value = now },
	     NULL, 0);
	return now;
}

static int host_reset(void *ctx)
{
	struct record *r = ctx;
	int result = r->host.reset(r->host.ctx);

	call(r,
	     &(struct trace_call){ .what = TRACE_RESET,
				   .guest = TRACE_NOBODY,
				   .result = result },
	     NULL, 0);
	return result;
}

static int host_translate(void *ctx, unsigned int guest, uint64_t gpa,
			  uint64_t len, uint64_t *iova)
{
	struct record *r = ctx;
	int result = r->host.translate(r->host.ctx, guest, gpa, len, iova);

	call(r,
	     &(struct trace_call){ .what = TRACE_TRANSLATE,
				   .guest = (uint8_t)guest,
				   .result = result,
				   .at = gpa,
				   .value = result ? 0 : *iova,
				   .count = len },
	     NULL, 0);
	return result;
}

static int host_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			 size_t len)
{
	struct record *r = ctx;
	int result = r->host.read_mem(r->host.ctx, guest, gpa, to, len);

	call(r,
	     &(struct trace_call){ .what = TRACE_READ_MEM,
				   .guest = (uint8_t)guest,
				   .result = result,
				   .at = gpa,
				   .count = len },
	     to, result ? 0 : len);
	return result;
}

static int host_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			  const void *from, size_t len)
{
	struct record *r = ctx;
	int result = r->host.write_mem(r->host.ctx, guest, gpa, from, len);

	call(r,
	     &(struct trace_call){ .what = TRACE_WRITE_MEM,
				   .guest = (uint8_t)guest,
				   .result = result,
				   .at = gpa,
				   .count = len },
	     from, len);
	return result;
}

static void host_area(void *ctx, uint64_t at, void *bytes, size_t len,
		      bool done)
{
	struct record *r = ctx;

	if (done)
		call(r,
		     &(struct trace_call){ .what = TRACE_AREA,
					   .guest = TRACE_NOBODY,
					   .at = at,
					   .count = len },
		     bytes, len);
}

/* ---- what the monitor tells its host ---- */

static void host_line(void *ctx, unsigned int guest, bool level)
{
	struct record *r = ctx;
	struct trace_value value = { .value = level };

	if (r->entered)
		put(r, TRACE_LINE, (uint8_t)guest, &value, sizeof(value), NULL,
		    0);
	r->host.line(r->host.ctx, guest, level);
}

static void host_message(void *ctx, unsigned int guest, unsigned int vector)
{
	struct record *r = ctx;
	struct trace_value value = { .value = vector };

	if (r->entered)
		put(r, TRACE_MESSAGE, (uint8_t)guest, &value, sizeof(value),
		    NULL, 0);
	r->host.message(r->host.ctx, guest, vector);
}

static void host_wake(void *ctx, unsigned int guest)
{
	struct record *r = ctx;

	r->host.wake(r->host.ctx, guest);
}

static void host_due(void *ctx, uint64_t at_ns)
{
	struct record *r = ctx;

	r->host.due(r->host.ctx, at_ns);
}

/*
 * Frames have a tape of their own: they are many bytes, and what finds no room
 * is a frame then and never a record, without which there is no replay.
 */
static void put_frame(struct record *r, uint32_t interface, uint64_t ns,
		      const uint8_t *bytes, size_t len)
{
	pthread_mutex_lock(&r->wire_lock);
	if (r->wire_on) {
		tape_frame(&r->wire, interface, ns, bytes, len);
		tape_end_frame(&r->wire);
	}
	pthread_mutex_unlock(&r->wire_lock);
}

static bool wants_frames(const struct record *r, unsigned int guest)
{
	return r->frames && r->interface[guest] && r->wanted &&
	       (r->only == TRACE_NOBODY || r->only == guest);
}

static void host_frame(void *ctx, unsigned int guest, bool sent,
		       const uint8_t *bytes, size_t len)
{
	struct record *r = ctx;

	if (wants_frames(r, guest))
		put_frame(r, r->interface[guest], r->ns, bytes, len);
	r->host.frame(r->host.ctx, guest, sent, bytes, len);
}

static void host_step(void *ctx, int guest, enum dmm_step step)
{
	struct record *r = ctx;
	struct trace_value value = { .value = step };

	if (!r->entered || !r->wanted)
		return;
	r->ns = clock_ns(CLOCK_MONOTONIC) + r->epoch_ns;
	put(r, TRACE_STEP, guest < 0 ? TRACE_NOBODY : (uint8_t)guest, &value,
	    sizeof(value), NULL, 0);
}

/* What goes out of the guest's memory is read here for nobody else. */
static void host_sent(void *ctx, unsigned int guest,
		      const struct dmm_piece *piece, unsigned int n)
{
	struct record *r = ctx;
	size_t len;

	if (wants_frames(r, guest)) {
		len = dmm_gather(&r->host, guest, piece, n, r->frame,
				 FRAME_MAX);
		put_frame(r, r->interface[guest], r->ns, r->frame, len);
	}
	if (r->host.sent)
		r->host.sent(r->host.ctx, guest, piece, n);
}

static void host_report(void *ctx, const struct dmm_report *report)
{
	struct record *r = ctx;
	struct trace_violation v = { .address = report->address,
				     .length = report->length,
				     .line = report->line,
				     .offence = (uint8_t)report->offence };
	const char *name = report->name ? report->name : "";
	const char *rule = report->rule ? report->rule : "";
	char text[512];
	size_t n = strnlen(name, 127), k = strnlen(rule, 255);

	memcpy(text, name, n);
	text[n++] = '\0';
	memcpy(text + n, rule, k);
	text[n + k] = '\0';
	put(r, TRACE_VIOLATION, (uint8_t)report->guest, &v, sizeof(v), text,
	    n + k + 1);
	r->happened = true;
	r->host.report(r->host.ctx, report);
}

static const struct dmm_host recording_host = {
	.read = host_read,
	.write = host_write,
	.read_string = host_read_string,
	.write_string = host_write_string,
	.pause = host_pause,
	.now = host_now,
	.reset = host_reset,
	.line = host_line,
	.message = host_message,
	.wake = host_wake,
	.due = host_due,
	.frame = host_frame,
	.sent = host_sent,
	.step = host_step,
	.report = host_report,
	.translate = host_translate,
	.read_mem = host_read_mem,
	.write_mem = host_write_mem,
	.area = host_area,
};

/* ---- the wire ---- */

void record_wire(void *ctx, const uint8_t *frame, size_t len)
{
	struct record *r = ctx;

	/* the wire is everybody's */
	if (r->wire_interface && r->only == TRACE_NOBODY)
		put_frame(r, r->wire_interface,
			  clock_ns(CLOCK_MONOTONIC) + r->epoch_ns, frame, len);
}

/* ---- entries ---- */

static void state_changed(void *ctx, unsigned int guest,
			  const struct trace_state *state)
{
	put(ctx, TRACE_STATE, (uint8_t)guest, state, sizeof(*state), NULL, 0);
}

static void owner_changed(void *ctx, const struct trace_switch *sw)
{
	put(ctx, TRACE_SWITCH, TRACE_NOBODY, sw, sizeof(*sw), NULL, 0);
}

static void enter(struct record *r, unsigned int guest)
{
	r->wanted = r->only == TRACE_NOBODY || guest == TRACE_NOBODY ||
		    guest == r->only;
	r->ns = clock_ns(CLOCK_MONOTONIC) + r->epoch_ns;
	r->entered = true;
}

/* Something happened: what was kept is to be written. */
static void release(struct record *r)
{
	tape_release(&r->tape);
	pthread_mutex_lock(&r->wire_lock);
	tape_release(&r->wire);
	pthread_mutex_unlock(&r->wire_lock);
}

static void leave(struct record *r, enum trace_kind kind, uint8_t guest,
		  const void *body, size_t len, const void *data,
		  size_t data_len)
{
	const struct changes_to to = { r, state_changed, owner_changed };

	changes_look(&r->changes, r->dmm, &to);
	put(r, kind, guest, body, len, data, data_len);
	r->entered = false;
	tape_end(&r->tape, r->device, r->ns);
	if (r->happened)
		release(r);
	r->happened = false;
}

enum dmm_verdict record_access(struct record *r, unsigned int guest,
			       struct dmm_access *a, uint64_t rip)
{
	size_t len = (size_t)a->count * a->width;
	struct trace_access body = { .off = a->off,
				     .rip = rip,
				     .count = a->count,
				     .space = (uint8_t)a->space,
				     .width = a->width,
				     .write = a->write,
				     .vcpu = (uint8_t)a->vcpu,
				     .from = a->done };

	enter(r, guest);
	body.verdict = (uint8_t)dmm_access(r->dmm, guest, a);
	body.done = a->done;
	body.path = (uint8_t)dmm_last_path(r->dmm);
	leave(r, TRACE_ACCESS, (uint8_t)guest, &body, sizeof(body), a->data,
	      len);
	return (enum dmm_verdict)body.verdict;
}

void record_interrupt(struct record *r, bool level)
{
	struct trace_value value = { .value = level };

	enter(r, TRACE_NOBODY);
	dmm_interrupt(r->dmm, level);
	leave(r, TRACE_INTERRUPT, TRACE_NOBODY, &value, sizeof(value), NULL, 0);
}

uint64_t record_tick(struct record *r)
{
	struct trace_value value;

	enter(r, TRACE_NOBODY);
	value.value = dmm_tick(r->dmm);
	leave(r, TRACE_TICK, TRACE_NOBODY, &value, sizeof(value), NULL, 0);
	return value.value;
}

void record_leave(struct record *r, unsigned int guest)
{
	enter(r, guest);
	dmm_leave(r->dmm, guest);
	leave(r, TRACE_LEAVE, (uint8_t)guest, NULL, 0, NULL, 0);
}

void record_guest_reset(struct record *r, unsigned int guest)
{
	enter(r, guest);
	dmm_guest_reset(r->dmm, guest);
	leave(r, TRACE_GUEST_RESET, (uint8_t)guest, NULL, 0, NULL, 0);
}

void record_signals(struct record *r, unsigned int guest, enum dmm_signals how)
{
	struct trace_value value = { .value = how };

	enter(r, guest);
	dmm_signals(r->dmm, guest, how);
	leave(r, TRACE_SIGNALS, (uint8_t)guest, &value, sizeof(value), NULL, 0);
}

/* ---- the beginning ---- */

static size_t put_guests(struct trace_guest *to, const struct dmm_conf *conf)
{
	unsigned int i;

	for (i = 0; i < conf->guests; i++) {
		memcpy(to[i].mac, conf->guest[i].mac, 6);
		to[i].has_mac = conf->guest[i].has_mac;
		to[i].policy = (uint8_t)conf->guest[i].policy;
		to[i].weight = conf->guest[i].weight;
	}
	return conf->guests * sizeof(*to);
}

static uint8_t *make_block(const struct trace_piece *piece, unsigned int n,
			   struct trace_head *head, uint64_t ns, size_t *len)
{
	uint8_t *block;
	unsigned int i;

	for (i = 1; i < n; i++)
		head->len += (uint32_t)piece[i].len;
	block = xcalloc(1, head->len + 128u);
	*len = trace_put_packet(block, head->len + 128u, 0, ns, piece, n);
	return block;
}

/* Its first record, kept as a block: every file has it. */
static void make_model(struct record *r, const struct dmm_model *model,
		       const char *text, size_t len,
		       const struct dmm_conf *conf, bool complete)
{
	const char *machine = r->recorder->conf.machine;
	size_t machine_len = machine ? strlen(machine) : 0;
	struct trace_guest guest[DMM_MAX_GUESTS] = { 0 };
	struct trace_model body = {
		.hash = trace_hash(text, len),
		.lease_ns = conf->lease_ns,
		.area_size = conf->area.size,
		.area_iova = conf->area.iova,
		.how = (uint8_t)conf->how,
		.when_parked = (uint8_t)conf->when_parked,
		.antispoof = conf->antispoof,
		.mirror = conf->mirror,
		.guests = (uint8_t)conf->guests,
		.complete = complete,
	};
	struct trace_head head = { .version = TRACE_VERSION,
				   .kind = TRACE_MODEL,
				   .device = r->device,
				   .guest = TRACE_NOBODY,
				   .sequence = r->tape.sequence++ };
	const char *name = dmm_model_name(model);
	size_t room = TRACE_RECORD_MAX - 2048u;
	struct trace_piece piece[] = {
		{ &head, sizeof(head) },
		{ &body, sizeof(body) },
		{ guest, 0 },
		{ name, strnlen(name, 255) },
		{ "", 1 },
		{ text, len },
		{ "", 1 },
		{ machine, machine_len },
		{ "", 1 },
	};

	piece[2].len = put_guests(guest, conf);
	/* what is too long stays out; the hash still says which it was */
	if (len > room || memchr(text, 0, len))
		piece[5].len = 0;
	if (machine_len > room - piece[5].len)
		piece[7].len = 0;
	r->model = make_block(piece, ARRAY_LEN(piece), &head, r->ns,
			      &r->model_len);
}

/* The guest of the device that is the machine's guest (name). */
static uint8_t only_guest(const struct recorder *rec, unsigned int device)
{
	const struct machine *m = rec->m;
	unsigned int i, k, n = 0;

	if (!rec->conf.guest)
		return TRACE_NOBODY;
	for (i = 0; i < m->guests; i++)
		for (k = 0; k < m->guest[i].uses; k++) {
			if (m->guest[i].use[k].device != device)
				continue;
			if (!strcmp(m->guest[i].name, rec->conf.guest))
				return (uint8_t)n;
			n++;
		}
	return DMM_MAX_GUESTS; /* nobody here */
}

struct record *record_open(struct recorder *rec, unsigned int device,
			   const struct dmm_model *model, const char *text,
			   size_t len, const struct dmm_conf *conf,
			   struct dmm_host *host)
{
	const struct record_conf *rc = &rec->conf;
	struct record *r;

	if (rc->device && strcmp(rec->m->device[device].name, rc->device))
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->recorder = rec;
	if (tape_open(&r->tape, rc->buffer ? rc->buffer : RECORD_RING,
		      rc->ring) ||
	    tape_open(&r->wire, RECORD_WIRE, rc->ring))
		fatal("no memory to record %s", rec->m->device[device].name);
	r->of = model;
	r->guests = conf->guests;
	r->host = *host;
	r->device = (uint8_t)device;
	r->kinds = rc->kinds ? rc->kinds : ~0u;
	r->frames = !rc->no_frames;
	r->only = only_guest(rec, device);
	pthread_mutex_init(&r->wire_lock, NULL);
	r->wire_interface = rec->wire_interface[device];
	r->wire_on = r->frames;
	r->frame = xcalloc(1, FRAME_MAX);
	memcpy(r->interface, rec->interface[device], sizeof(r->interface));
	r->epoch_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	r->ns = clock_ns(CLOCK_MONOTONIC) + r->epoch_ns;
	make_model(r, model, text, len, conf,
		   !rc->guest && !rc->device && !rc->kinds && !conf->alone);
	*host = recording_host;
	host->ctx = r;
	r->wanted = r->entered = true; /* opening it is the first entry */
	rec->record[device] = r;
	return r;
}

void record_start(struct record *r, struct dmm *dmm)
{
	r->dmm = dmm;
	changes_init(&r->changes, dmm, r->of, r->guests);
	r->entered = false;
	tape_end(&r->tape, r->device, r->ns);
}

void record_stop(struct record *r)
{
	r->entered = r->wanted = false;
	r->kinds = 0;
	r->frames = false;
	pthread_mutex_lock(&r->wire_lock);
	r->wire_on = false;
	pthread_mutex_unlock(&r->wire_lock);
}
