// SPDX-License-Identifier: MIT
/*
 * replays.c: trace files, mapped, record by record into the replays of their
 * devices.
 */

#include "replays.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "models.h"

/* Bytes of a file between looks at the clock, and so many are kept mapped. */
#define CHUNK (8u << 20)

void replays_open(struct replays *r, const struct replays_conf *conf)
{
	memset(r, 0, sizeof(*r));
	r->conf = *conf;
}

/* ---- what is told on the way ---- */

static void put_place(struct replays_result *res, const struct replay_at *at)
{
	uint64_t ns = at->ns - res->first_ns;

	fprintf(res->timeline,
		"%5" PRIu64 ".%09" PRIu64 " packet %" PRIu64 " device %u: ",
		ns / 1000000000u, ns % 1000000000u, at->number, res->device);
}

static void put_guest(char *text, size_t room, unsigned int guest)
{
	if (guest == TRACE_NOBODY)
		snprintf(text, room, "nobody");
	else
		snprintf(text, room, "guest %u", guest);
}

static void on_state(void *ctx, const struct replay_at *at, unsigned int guest,
		     const struct trace_state *st)
{
	struct replays_result *res = ctx;

	if (res->page)
		page_state(res->page, at, guest, st);
	if (!res->timeline)
		return;
	put_place(res, at);
	fprintf(res->timeline, "guest %u: %s: %s to %s\n", guest,
		dmm_model_machine(res->model, st->machine),
		dmm_model_state(res->model, st->from),
		dmm_model_state(res->model, st->to));
}

static void on_owner(void *ctx, const struct replay_at *at,
		     const struct trace_switch *sw)
{
	struct replays_result *res = ctx;
	char from[16], to[16];

	if (res->page)
		page_owner(res->page, at, sw);
	if (res->counts) {
		res->counts->switches++;
		res->counts->switch_ns += sw->ns;
	}
	if (!res->timeline)
		return;
	put_guest(from, sizeof(from), sw->from);
	put_guest(to, sizeof(to), sw->to);
	put_place(res, at);
	fprintf(res->timeline, "from %s to %s in %" PRIu64 " ns%s\n", from, to,
		sw->ns, sw->forced ? ", forced" : "");
}

static void on_window(void *ctx, const struct replay_at *at, bool open)
{
	struct replays_result *res = ctx;

	if (res->page)
		page_window(res->page, at, open);
	if (!res->timeline)
		return;
	put_place(res, at);
	fprintf(res->timeline, "%s\n", open ? "reusable" : "not reusable");
}

static void on_violation(void *ctx, const struct replay_at *at,
			 const struct dmm_report *report)
{
	struct replays_result *res = ctx;

	if (res->page)
		page_violation(res->page, at, report);
	if (res->timeline) {
		put_place(res, at);
		fprintf(res->timeline, "guest %u: violation: %s: %s\n",
			report->guest, report->name, report->rule);
	}
	if (res->violations == REPLAYS_VIOLATIONS)
		return;
	if (!res->violation)
		res->violation =
			xcalloc(REPLAYS_VIOLATIONS, sizeof(*res->violation));
	replay_keep(&res->violation[res->violations++], at, report);
}

static void count_access(struct replays_result *res, unsigned int guest,
			 const struct replay_access *access)
{
	const struct dmm_access *a = access->access;
	enum replay_class class =
		replay_class_of(res->replay, guest, a, access->path);
	struct dmm_space space;

	if (access->verdict == DMM_PASS &&
	    dmm_model_space(res->model, a->space, &space))
		res->counts->n[space.io][a->write][class]++;
}

/* These two are for the page and for what-if. */
static void on_access(void *ctx, const struct replay_at *at, unsigned int guest,
		      const struct replay_access *access)
{
	struct replays_result *res = ctx;

	if (res->page)
		page_access(res->page, at, guest, access);
	if (res->counts)
		count_access(res, guest, access);
}

static void on_line(void *ctx, const struct replay_at *at, unsigned int guest,
		    bool level)
{
	struct replays_result *res = ctx;

	if (res->page)
		page_line(res->page, at, guest, level);
	if (res->counts)
		res->counts->interrupts += level;
}

/*
 * The interfaces' names: "nic0" is a device's, "nic0:alpha" one of its
 * guests', in their order.
 */
static void find_names(struct replays_result *res,
		       const struct trace_reader *tr)
{
	unsigned int i, guest = 0;
	int device = -1;
	const char *name, *colon;

	for (i = 0; i < tr->interfaces && i < TRACE_INTERFACES; i++) {
		name = tr->interface[i].name;
		colon = strchr(name, ':');
		if (tr->interface[i].linktype == TRACE_LINKTYPE)
			continue;
		if (!colon && ++device == (int)res->device)
			memcpy(res->name, name, sizeof(res->name));
		else if (colon && device == (int)res->device &&
			 guest < DMM_MAX_GUESTS)
			snprintf(res->guest_name[guest++],
				 sizeof(res->guest_name[0]), "%s", colon + 1);
	}
}

/* ---- models ---- */

static int parse(struct replays_result *res, const char *text, size_t len)
{
	struct diag diag;
	int err;

	diag_init(&diag, res->model_file);
	err = dmm_model_parse(&res->model, text, len, &diag);
	if (err)
		models_say(&diag, text, len);
	diag_fini(&diag);
	return err;
}

/* The one that was asked for, or the one that the trace brings along. */
static int find_model(struct replays *r, struct replays_result *res,
		      const struct trace_device *dev)
{
	size_t len = strlen(dev->text);
	const char *text = dev->text;
	struct model_file file = { .text = NULL };
	char *why = NULL;
	int err;

	res->model_file = "the trace's model";
	if (r->conf.model) {
		if (models_read(&file, r->conf.model, &why)) {
			log_errorx("%s", why);
			free(why);
			return -ENOENT;
		}
		text = file.text;
		len = file.len;
		res->model_file = r->conf.model;
	} else if (!len) {
		log_errorx("%s: device %u: its model (%s) is not in it; give "
			   "--model FILE",
			   res->file, res->device, dev->name);
		return -ENOENT;
	}
	res->other_model = trace_hash(text, len) != dev->model.hash;
	err = parse(res, text, len);
	models_free(&file);
	if (!err && res->other_model && dev->model.complete)
		log_warnx("%s: device %u: this is not the model that was "
			  "recorded",
			  res->file, res->device);
	return err;
}

static int open_device(struct replays *r, const char *path,
		       const struct trace_reader *tr,
		       const struct trace_packet *p)
{
	struct replays_result *res = xcalloc(1, sizeof(*res));
	struct replay_sink sink = { .ctx = res,
				    .state = on_state,
				    .owner = on_owner,
				    .violation = on_violation,
				    .window = on_window };
	struct trace_device dev;
	char *why = NULL;
	int err;

	trace_read_model(p, &dev);
	res->file = path;
	res->device = p->head.device;
	res->guests = dev.model.guests;
	res->timeline = r->conf.timeline;
	res->first_ns = p->ns;
	find_names(res, tr);
	err = find_model(r, res, &dev);
	if (!err && r->conf.page) {
		res->page = page_new(res->model, res->guests);
	}
	if (!err && r->conf.what_if)
		res->counts = xcalloc(1, sizeof(*res->counts));
	if (res->page || res->counts) {
		sink.access = on_access;
		sink.line = on_line;
	}
	if (!err)
		err = replay_open(&res->replay, res->model, p, &sink, &why);
	if (err) {
		if (why)
			log_errorx("%s: device %u: %s", path, res->device, why);
		free(why);
		page_free(res->page);
		free(res->counts);
		dmm_model_free(res->model);
		free(res);
		r->at[p->head.device] = NULL;
		return err;
	}
	r->result = reallocarray(r->result, r->results + 1, sizeof(res));
	if (!r->result)
		fatalx("no memory");
	r->result[r->results++] = res;
	r->at[p->head.device] = res;
	return 0;
}

/* ---- records ---- */

static void bad_record(struct replays *r, const char *path,
		       const struct trace_packet *p, uint64_t number,
		       const char *what)
{
	r->bad = true;
	log_warnx("%s: packet %" PRIu64 " at offset 0x%zx: %s", path, number,
		  p->offset, what);
}

/* False if nothing more of the file should be shown. */
static bool take_record(struct replays *r, const char *path,
			const struct trace_reader *tr,
			const struct trace_packet *p, uint64_t number)
{
	struct replays_result *res = r->at[p->head.device];
	int err;

	if (p->head.kind == TRACE_MODEL) {
		if (res) {
			res->again = *p;
			res->is_again = true;
			return true;
		}
		r->bad |= open_device(r, path, tr, p) != 0;
		return true;
	}
	if (!res)
		return true; /* a device without a model: said already */
	if (res->is_again && p->head.sequence != replay_next(res->replay)) {
		replay_end(res->replay);
		if (open_device(r, path, tr, &res->again)) {
			r->bad = true;
			return true;
		}
		res = r->at[p->head.device];
	}
	res->is_again = false;
	err = replay_record(res->replay, p, number);
	if (err)
		bad_record(r, path, p, number,
			   err == -ENOMEM ? "no memory" :
					    "no such record can be here");
	return !err;
}

/*
 * What has been read need not stay in memory.  Should it still be borrowed, it
 * comes back from the file: pages of a map that nobody writes to.
 */
static void let_go(const struct trace_reader *tr, size_t from)
{
	(void)madvise((uint8_t *)(uintptr_t)tr->bytes + from, CHUNK,
		      MADV_DONTNEED);
}

static void show_progress(struct replays_progress *p)
{
	static const char bar[] = "########################################";
	const int width = (int)sizeof(bar) - 1;
	unsigned int percent;
	uint64_t done;

	if (!p || !p->total)
		return;
	done = atomic_fetch_add(&p->done, CHUNK) + CHUNK;
	percent = done > p->total ? 100 : (unsigned int)(done * 100 / p->total);
	if (atomic_exchange(&p->percent, percent) != percent)
		log_progress("replay [%-*.*s] %3u%% of %" PRIu64 " MiB", width,
			     (int)percent * width / 100, bar, percent,
			     p->total >> 20);
}

static void read_all(struct replays *r, const char *path, const void *bytes,
		     size_t len)
{
	struct trace_reader tr;
	struct trace_packet p;
	uint64_t number = 0;
	bool any = false;
	size_t before, gone = 0;
	int err;

	trace_open(&tr, bytes, len);
	do {
		before = tr.at;
		err = trace_next(&tr, &p);
		number += p.block == TRACE_BLOCK_PACKET;
		if (err == -EINVAL && tr.at > before) {
			bad_record(r, path, &p, number, "malformed");
			continue;
		}
		if (err)
			break;
		any |= p.ours;
		if (p.ours && !take_record(r, path, &tr, &p, number))
			return;
		if (tr.at - gone > 2 * CHUNK) {
			let_go(&tr, gone);
			gone += CHUNK;
			show_progress(r->conf.progress);
		}
	} while (true);
	if (err == -EINVAL && !tr.at) {
		r->bad = true;
		log_errorx("%s: this is not a pcapng file", path);
	} else if (err == -EINVAL) {
		bad_record(r, path, &p, number, "not a block of pcapng");
	} else if (tr.at < tr.len) {
		log_warnx("%s: cut off at offset 0x%zx; read up to there", path,
			  tr.at);
	}
	if (!any && err == -ENODATA) {
		r->bad = true;
		log_errorx("%s: there is no record of vpio in it", path);
	}
}

void replays_file(struct replays *r, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *bytes = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		log_errorx("cannot open %s: %s", path, strerror(errno));
		r->bad = true;
	} else if (!S_ISREG(st.st_mode) || !st.st_size) {
		log_errorx("%s: it is empty, or not a file", path);
		r->bad = true;
	} else {
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
			     fd, 0);
		if (bytes == MAP_FAILED)
			fatal("cannot map %s", path);
		(void)madvise(bytes, (size_t)st.st_size, MADV_SEQUENTIAL);
		r->map = reallocarray(r->map, r->maps + 1, sizeof(*r->map));
		if (!r->map)
			fatalx("no memory");
		r->map[r->maps++] =
			(struct replays_map){ path, bytes, (size_t)st.st_size };
		read_all(r, path, bytes, (size_t)st.st_size);
	}
	if (fd >= 0)
		close(fd);
}

static void end_one(struct replays_result *res)
{
	const struct replay_summary *s = replay_summary(res->replay);
	struct whatif_counts *c = res->counts;

	replay_end(res->replay);
	if (!c)
		return;
	c->ns = s->last_ns > s->first_ns ? s->last_ns - s->first_ns : 0;
	c->busy_ns = s->window_ns < c->ns ? c->ns - s->window_ns : 0;
	c->lease_ns = replay_lease_ns(res->replay);
	c->guests = res->guests;
	c->merge = replay_how(res->replay) == DMM_MERGE;
}

void replays_finish(struct replays *r)
{
	size_t i;

	for (i = 0; i < r->results; i++)
		end_one(r->result[i]);
}

int replays_page(const struct replays *r, FILE *to)
{
	struct page_device *device = xcalloc(r->results + 1, sizeof(*device));
	unsigned int g;
	size_t i;
	int err;

	for (i = 0; i < r->results; i++) {
		const struct replays_result *res = r->result[i];

		device[i] = (struct page_device){ .page = res->page,
						  .replay = res->replay,
						  .file = res->file,
						  .model_file = res->model_file,
						  .name = res->name,
						  .guests = res->guests };
		for (g = 0; g < res->guests; g++)
			if (res->guest_name[g][0])
				device[i].guest[g] = res->guest_name[g];
	}
	err = page_write(to, device, r->results);
	free(device);
	return err;
}

void replays_close(struct replays *r)
{
	size_t i;

	for (i = 0; i < r->results; i++) {
		replay_close(r->result[i]->replay);
		page_free(r->result[i]->page);
		free(r->result[i]->counts);
		dmm_model_free(r->result[i]->model);
		free(r->result[i]->violation);
		free(r->result[i]);
	}
	for (i = 0; i < r->maps; i++)
		munmap(r->map[i].bytes, r->map[i].len);
	free(r->result);
	free(r->map);
}
