// SPDX-License-Identifier: MIT
/*
 * run.c: run a machine: its devices' gates, its guests, and the wait for all
 * of them to end.
 */

#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "console.h"
#include "gate.h"
#include "log.h"
#include "models.h"

/* How often progress is shown, and signals looked for. */
#define LOOK_NS UINT64_C(200000000)
/* How long a guest may take to power off when it is asked to. */
#define GRACE_NS UINT64_C(30000000000)

struct run {
	const struct machine *m;
	struct dmm_model *model[MACHINE_MAX_DEVICES];
	struct gate *gate[MACHINE_MAX_DEVICES];
	struct recorder *recorder; /* NULL: none */
	struct vm *vm[MACHINE_MAX_GUESTS];
	struct console *console; /* NULL: no guest has one */
	bool on_terminal;	 /* one has it on the terminal */
	bool stdout_taken;
	uint64_t asked_ns; /* when guests were asked to end; 0: not yet */
	bool stopped;	   /* they were told to */
	struct owner {	   /* what a machine's callback needs */
		struct run *run;
		unsigned int guest;
	} owner[MACHINE_MAX_GUESTS];
	int log_fd[MACHINE_MAX_GUESTS]; /* -1: the terminal */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	if (interrupted < 2)
		interrupted++;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	interrupted = 0;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

/* ---- set-up: what is wrong here ends the process ---- */

static void open_device(struct run *run, unsigned int i)
{
	const struct machine_device *dev = &run->m->device[i];
	struct gate_recording recording = { .recorder = run->recorder };
	struct model_file file = { .text = NULL };
	char *why = NULL;

	if (models_open(&run->model[i], dev->model))
		exit(EXIT_BAD_INPUT);
	if (run->recorder && models_read(&file, dev->model, &why))
		fatalx("%s", why);
	recording.text = file.text;
	recording.len = file.len;
	if (gate_open(&run->gate[i], run->m, i, run->model[i],
		      run->recorder ? &recording : NULL, &why))
		fatalx("%s: %s", dev->name, why ? why : "?");
	models_free(&file);
}

static void open_devices(struct run *run, const struct record_conf *record)
{
	const struct machine *m = run->m;
	char *why = NULL;
	unsigned int i;

	if (record->path && recorder_open(&run->recorder, record, m, &why))
		fatalx("--record: %s", why);

	for (i = 0; i < m->devices; i++) {
		if (!m->device[i].users) {
			log_warnx("%s: no guest uses it", m->device[i].name);
			continue;
		}
		open_device(run, i);
	}
	if (run->recorder && recorder_start(run->recorder, &why))
		fatalx("--record: %s", why);
}

/* On a thread of the guest's machine: its devices are the others' now. */
static void guest_ended(void *ctx, struct vm *vm)
{
	struct owner *o = ctx;
	unsigned int i;

	(void)vm;
	for (i = 0; i < o->run->m->devices; i++)
		if (o->run->gate[i])
			gate_leave(o->run->gate[i], o->guest);
	if (o->run->console)
		console_ended(o->run->console, o->guest);
}

/* As above, in mid-life. */
static void guest_reset(void *ctx, struct vm *vm)
{
	struct owner *o = ctx;
	unsigned int i;

	(void)vm;
	for (i = 0; i < o->run->m->devices; i++)
		if (o->run->gate[i])
			gate_reset(o->run->gate[i], o->guest);
}

static void open_log(struct run *run, unsigned int i)
{
	const char *path = run->m->guest[i].log;

	run->log_fd[i] = -1;
	if (!path)
		return;
	run->log_fd[i] =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (run->log_fd[i] < 0)
		fatal("%s: cannot write %s", run->m->guest[i].name, path);
}

/* A device may reach only memory that it gives out itself. */
static void place_memory(struct run *run, unsigned int i, struct vm_conf *conf)
{
	const char *name = run->m->guest[i].name;
	char *why = NULL;
	unsigned int k;
	int err;

	for (k = 0; k < run->m->devices; k++) {
		uint64_t offset = conf->mem_offset;
		int fd = conf->mem_fd;

		if (!run->gate[k])
			continue;
		err = gate_memory(run->gate[k], i, conf->memory, &fd, &offset,
				  &why);
		if (err == -ENOENT)
			continue;
		if (err)
			fatalx("%s: %s", name, why ? why : "?");
		if (conf->shared_memory &&
		    (fd != conf->mem_fd || offset != conf->mem_offset))
			fatalx("%s: only one of its devices can give out its "
			       "memory; two do",
			       name);
		conf->shared_memory = true;
		conf->mem_fd = fd;
		conf->mem_offset = offset;
	}
}

static void open_guest(struct run *run, unsigned int i)
{
	const struct machine_guest *g = &run->m->guest[i];
	struct vm_conf conf = {
		.name = g->name,
		.image = g->image,
		.cmdline = g->cmdline,
		.initrd = g->initrd,
		.memory = g->memory,
		.cpus = g->cpus,
		.watchdog_ns = g->watchdog_ns ? g->watchdog_ns : VM_WATCHDOG_NS,
		.timeout_ns = g->timeout_ns,
		.mem_fd = -1,
		.reboots = g->reboots,
		.ended = guest_ended,
		.reset = guest_reset,
		.ctx = &run->owner[i],
	};
	char *why = NULL;
	unsigned int k;

	open_log(run, i);
	place_memory(run, i, &conf);
	conf.log_fd = run->log_fd[i] >= 0	     ? run->log_fd[i] :
		      g->console == CONSOLE_TERMINAL ? -1 :
		      run->stdout_taken		     ? STDERR_FILENO :
						       STDOUT_FILENO;
	conf.log_prefix = run->log_fd[i] < 0 && run->m->guests > 1;
	run->owner[i] = (struct owner){ .run = run, .guest = i };
	if (vm_open(&run->vm[i], &conf, &why))
		fatalx("%s: %s", g->name, why ? why : "?");
	for (k = 0; k < run->m->devices; k++)
		if (run->gate[k] &&
		    gate_attach(run->gate[k], i, run->vm[i], &why))
			fatalx("%s: %s", g->name, why ? why : "?");
}

/* As a signal does that somebody sends. */
static void on_quit(void *ctx)
{
	(void)ctx;
	kill(getpid(), SIGTERM);
}

static void open_console(struct run *run, uint8_t escape)
{
	struct console_conf conf = {
		.in = STDIN_FILENO,
		.out = run->stdout_taken ? STDERR_FILENO : STDOUT_FILENO,
		.escape = escape,
		.quit = on_quit,
	};
	char *why = NULL;

	for (unsigned int i = 0; i < run->m->guests; i++) {
		const struct machine_guest *g = &run->m->guest[i];

		if (g->console == CONSOLE_NONE)
			continue;
		if (!run->console && console_open(&run->console, &conf, &why))
			fatalx("%s", why);
		if (console_add(run->console, i, g->name, vm_serial(run->vm[i]),
				g->console, g->socket, &why))
			fatalx("%s: %s", g->name, why);
		run->on_terminal |= g->console == CONSOLE_TERMINAL;
	}
	if (run->console && console_start(run->console, &why))
		fatalx("%s", why);
}

static void start_all(struct run *run)
{
	char *why = NULL;
	unsigned int i;

	for (i = 0; i < run->m->devices; i++)
		if (run->gate[i] && gate_start(run->gate[i]))
			fatalx("%s: no thread for it", run->m->device[i].name);
	for (i = 0; i < run->m->guests; i++) {
		if (vm_start(run->vm[i], &why)) {
			log_warnx("%s: %s", run->m->guest[i].name,
				  why ? why : "?");
			free(why);
			why = NULL;
			vm_stop(run->vm[i]);
		}
	}
}

/* ---- the run ---- */

static void show_progress(struct run *run)
{
	struct dmm_guest_stats s;
	char line[160] = "";
	size_t at = 0;
	unsigned int i, k;
	int n;

	for (i = 0; i < run->m->guests && at < sizeof(line) - 1; i++) {
		s = (struct dmm_guest_stats){ .drops = 0 };
		for (k = 0; k < run->m->devices; k++)
			if (run->gate[k])
				gate_guest_stats(run->gate[k], i, &s);
		n = snprintf(line + at, sizeof(line) - at,
			     "%s%s: %llu sent, %llu received", i ? "; " : "",
			     run->m->guest[i].name,
			     (unsigned long long)s.frames_sent,
			     (unsigned long long)s.frames_received);
		if (n > 0)
			at += (size_t)n;
	}
	log_progress("%s", line);
}

static void stop_all(struct run *run)
{
	log_info("ending all guests");
	for (unsigned int i = 0; i < run->m->guests; i++)
		vm_stop(run->vm[i]);
}

/*
 * A first signal presses the power button of guests that listen to it, and
 * ends the others; a second one ends all, or that they take too long.
 */
static void ask_all(struct run *run)
{
	unsigned int asked = 0;

	for (unsigned int i = 0; i < run->m->guests; i++)
		if (vm_result(run->vm[i]).status == VM_RUNNING &&
		    vm_power_button(run->vm[i]))
			asked++;
		else
			vm_stop(run->vm[i]);
	if (asked)
		log_info("asking %u to power off; once more to end %s", asked,
			 asked > 1 ? "them" : "it");
	else
		log_info("ending all guests");
}

static void heed_signals(struct run *run)
{
	uint64_t now = clock_now();

	if (run->stopped || !interrupted)
		return;
	if (!run->asked_ns) {
		run->asked_ns = now;
		interrupted = 1; /* two in one go are one */
		ask_all(run);
	} else if (interrupted > 1 || now - run->asked_ns >= GRACE_NS) {
		run->stopped = true;
		stop_all(run);
	}
}

static void wait_all(struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->m->guests; i++) {
		while (!vm_wait(run->vm[i], LOOK_NS)) {
			if (!run->on_terminal)
				show_progress(run);
			heed_signals(run);
		}
	}
	log_progress_end();
}

/* ---- the end ---- */

static int collect(struct run *run, struct report *out)
{
	const struct machine *m = run->m;
	struct vm_result result;
	unsigned int i, k;
	int status = 0;

	report_init(out, m->guests, m->devices);
	for (i = 0; i < m->guests; i++) {
		result = vm_result(run->vm[i]);
		out->guest[i].name = m->guest[i].name;
		out->guest[i].status = vm_status_name(result.status);
		out->guest[i].reboots = result.reboots;
		if (result.status != VM_OK && result.status != VM_POWEROFF) {
			status = EXIT_BAD_RUN;
			log_warnx("%s: %s%s%s", m->guest[i].name,
				  vm_status_name(result.status),
				  result.why[0] ? ": " : "", result.why);
		}
		for (k = 0; k < m->devices; k++)
			if (run->gate[k])
				gate_guest_stats(run->gate[k], i,
						 &out->guest[i].stats);
	}
	for (i = 0; i < m->devices; i++) {
		if (run->gate[i])
			gate_stats(run->gate[i], &out->device[i]);
		out->device[i].name = m->device[i].name;
		/* the model goes with the run; its name in the file stays */
		out->device[i].model = m->device[i].model;
	}
	return status;
}

/* False if the record is not whole. */
static bool close_all(struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->m->guests; i++) {
		vm_close(run->vm[i]);
		if (run->log_fd[i] >= 0)
			close(run->log_fd[i]);
	}
	for (i = 0; i < run->m->devices; i++) {
		gate_close(run->gate[i]);
		dmm_model_free(run->model[i]);
	}
	return recorder_close(run->recorder);
}

int run_machine(const struct machine *m, const struct run_options *o,
		struct report *out)
{
	struct run *run = xcalloc(1, sizeof(*run));
	unsigned int i;
	int status;

	run->m = m;
	run->stdout_taken = o->stdout_taken;
	catch_signals();
	open_devices(run, &o->record);
	for (i = 0; i < m->guests; i++)
		open_guest(run, i);
	open_console(run, o->escape);
	start_all(run);
	wait_all(run);
	console_close(run->console);
	run->console = NULL;
	status = collect(run, out);
	if (!close_all(run) && !status)
		status = EXIT_BAD_RUN;
	free(run);
	return status;
}
