// SPDX-License-Identifier: MIT
/*
 * replay_jobs.c: several traces at a time, and what comes of it in order.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "replays.h"
#include "tracefile.h"

/* Files that are one trace. */
struct job {
	struct replays r;
	const char *const *file;
	size_t files;
	FILE *timeline;
	char *said;
};

struct pool {
	struct replays_conf conf;
	struct job *job;
	size_t jobs;
	_Atomic size_t next;
};

/*
 * Does the file go on with the trace before it?  Its first record but for the
 * models', which are in each part, is then not the trace's first.
 */
static bool goes_on(const char *path)
{
	struct tracefile f;
	struct trace_packet p;
	char *why = NULL;
	bool on = false;
	int err;

	if (tracefile_open(&f, path, &why)) {
		free(why);
		return false; /* that will be said when its turn comes */
	}
	do {
		err = trace_next(&f.reader, &p);
		if (err || !p.ours || p.head.kind == TRACE_MODEL)
			continue;
		on = p.head.sequence > 1;
		break;
	} while (!err);
	tracefile_close(&f);
	return on;
}

static size_t split(struct job *job, const char *const file[], size_t files)
{
	size_t n = 0, i;

	for (i = 0; i < files; i++) {
		if (!i || !goes_on(file[i]))
			job[n++].file = &file[i];
		job[n - 1].files++;
	}
	return n;
}

static void run_job(struct job *j, const struct replays_conf *conf)
{
	size_t i;

	replays_open(&j->r, conf);
	for (i = 0; i < j->files; i++)
		replays_file(&j->r, j->file[i]);
	replays_finish(&j->r);
}

static void *worker(void *ctx)
{
	struct pool *pool = ctx;
	struct replays_conf conf = pool->conf;
	struct job *j;
	size_t i;

	while ((i = atomic_fetch_add(&pool->next, 1)) < pool->jobs) {
		j = &pool->job[i];
		if (pool->conf.timeline) {
			j->timeline = tmpfile();
			if (!j->timeline)
				fatal("cannot keep a timeline");
			conf.timeline = j->timeline;
		}
		log_keep();
		run_job(j, &conf);
		j->said = log_kept();
	}
	return NULL;
}

static void copy_timeline(FILE *from, FILE *to)
{
	char text[8192];
	size_t n;

	rewind(from);
	while ((n = fread(text, 1, sizeof(text), from)))
		fwrite(text, 1, n, to);
	fclose(from);
}

/* The results of (j) behind those of (r). */
static void append(struct replays *r, struct job *j)
{
	r->result = reallocarray(r->result, r->results + j->r.results + 1,
				 sizeof(struct replays_result *));
	r->map = reallocarray(r->map, r->maps + j->r.maps + 1, sizeof(*r->map));
	if (!r->result || !r->map)
		fatalx("no memory");
	if (j->r.results)
		memcpy(r->result + r->results, j->r.result,
		       j->r.results * sizeof(struct replays_result *));
	if (j->r.maps)
		memcpy(r->map + r->maps, j->r.map, j->r.maps * sizeof(*r->map));
	r->results += j->r.results;
	r->maps += j->r.maps;
	r->bad |= j->r.bad;
	free(j->r.result);
	free(j->r.map);
}

static void run_threads(struct pool *pool, unsigned int threads)
{
	pthread_t *thread = xcalloc(threads, sizeof(*thread));
	unsigned int i;

	for (i = 0; i < threads; i++) {
		errno = pthread_create(&thread[i], NULL, worker, pool);
		if (errno)
			fatal("cannot start a thread");
	}
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	free(thread);
}

static uint64_t bytes_of(const char *const file[], size_t files)
{
	uint64_t sum = 0;
	struct stat st;
	size_t i;

	for (i = 0; i < files; i++)
		if (!stat(file[i], &st) && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	return sum;
}

void replays_run(struct replays *r, const struct replays_conf *conf,
		 const char *const file[], size_t files, unsigned int jobs)
{
	struct replays_progress progress = { .total = bytes_of(file, files) };
	struct pool pool = { .conf = *conf,
			     .job = xcalloc(files, sizeof(*pool.job)) };
	size_t i;

	pool.conf.progress = &progress;
	pool.jobs = split(pool.job, file, files);
	replays_open(r, conf);
	if (jobs > pool.jobs)
		jobs = (unsigned int)pool.jobs;
	if (jobs > 1)
		run_threads(&pool, jobs);
	for (i = 0; i < pool.jobs; i++) {
		struct job *j = &pool.job[i];

		if (jobs <= 1)
			run_job(j, &pool.conf);
		if (j->said)
			log_text(j->said);
		if (j->timeline)
			copy_timeline(j->timeline, conf->timeline);
		free(j->said);
		append(r, j);
	}
	log_progress_end();
	free(pool.job);
}
