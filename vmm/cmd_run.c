/* SPDX-License-Identifier: MIT */
/*
 * cmd_run.c: vpio run: options and machine file in, tables and status out;
 * what lies between is run.c.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "file.h"
#include "log.h"
#include "models.h"
#include "options.h"
#include "run.h"
#include "table.h"

enum {
	OPTION_DEVICE,
	OPTION_GUEST,
	OPTION_GUESTS,
	OPTION_HOW,
	OPTION_WHEN_PARKED,
	OPTION_TIMEOUT,
	OPTION_PCAP,
	OPTION_RECORD,
	OPTION_RECORD_GUEST,
	OPTION_RECORD_DEVICE,
	OPTION_RECORD_KIND,
	OPTION_RECORD_SIZE,
	OPTION_RECORD_RING,
	OPTION_ESCAPE,
	OPTION_JSON,
	OPTION_CHECK,
	OPTION_QUIET,
	OPTION_VERBOSE,
	OPTION_HELP,
	OPTIONS
};

static const struct option_spec specs[OPTIONS] = {
	[OPTION_DEVICE] = { 0, "device", "NAME=MODEL[,KEY=VALUE...]",
			    "a device, instead of a machine file; keys as\n"
			    "there: backend=sim,network=user" },
	[OPTION_GUEST] = { 0, "guest", "NAME=IMAGE[,KEY=VALUE...]",
			   "a guest: memory=32M,mac=52:54:00:00:00:0a,weight=2;"
			   "\nuse=NAME where there are several devices" },
	[OPTION_GUESTS] = { 0, "guests", "N",
			    "so many guests, as copies of those there are" },
	[OPTION_HOW] = { 0, "how", "HOW",
			 "share devices by exclusive, lease or merge" },
	[OPTION_WHEN_PARKED] = { 0, "when-parked", "WHAT",
				 "frames for a guest that waits for the device:\n"
				 "spool or drop" },
	[OPTION_TIMEOUT] = { 0, "timeout", "TIME",
			     "end each guest after so long: 30s, 500ms" },
	[OPTION_PCAP] = { 0, "pcap", "DIR",
			  "capture each guest's frames in "
			  "DIR/GUEST-DEVICE.pcap" },
	[OPTION_RECORD] = { 0, "record", "FILE",
			    "write down what the monitors see and do, for "
			    "vpio\nreplay and Wireshark" },
	[OPTION_RECORD_GUEST] = { 0, "record-guest", "NAME",
				  "only what this guest does; a part cannot\n"
				  "be replayed" },
	[OPTION_RECORD_DEVICE] = { 0, "record-device", "NAME",
				   "only this device" },
	[OPTION_RECORD_KIND] = { 0, "record-kind", "KIND[,KIND...]",
				 "only these: access, interrupt, tick, leave,\n"
				 "host, line, state, switch, violation, frame" },
	[OPTION_RECORD_SIZE] = { 0, "record-size", "SIZE",
				 "go on in FILE.1, FILE.2 after so much: 64M" },
	[OPTION_RECORD_RING] = { 0, "record-ring", NULL,
				 "keep the last of it in memory, and write it "
				 "at a\nviolation, or if vpio crashes" },
	[OPTION_ESCAPE] = { 0, "escape", "KEY",
			    "the console's key for commands: ^A is Ctrl-A; "
			    "else\nCtrl-]" },
	[OPTION_JSON] = { 0, "json", "FILE",
			  "write the final tables as JSON; - for standard\n"
			  "output" },
	[OPTION_CHECK] = { 0, "check", NULL,
			   "say what is wrong with the machine file, run "
			   "nothing" },
	[OPTION_QUIET] = { 'q', "quiet", NULL,
			   "no tables, no progress, only warnings" },
	[OPTION_VERBOSE] = { 'v', "verbose", NULL, "say more" },
	[OPTION_HELP] = { 'h', "help", NULL, "this text" },
};

#define MAX_FLAGS MACHINE_MAX_GUESTS

struct arguments {
	const char *file; /* NULL: by flags */
	const char *device[MAX_FLAGS], *guest[MAX_FLAGS];
	size_t devices, guests;
	const char *json; /* NULL: none */
	bool check;
	struct machine_changes changes;
	struct run_options run;
};

static void help(void)
{
	puts("usage: vpio run MACHINE.yaml [OPTION...]\n"
	     "       vpio run --device NAME=MODEL[,...] "
	     "--guest NAME=IMAGE[,...] [OPTION...]\n\n"
	     "Runs the guests of a machine file, each with its own driver on\n"
	     "the devices that it shares with the others, until all have\n"
	     "ended; then prints what each guest and each device did.\n");
	options_help(specs, OPTIONS, stdout);
	puts("\nA machine file:\n\n"
	     "  devices:\n"
	     "    nic0: { model: MODEL, backend: sim, network: user }\n"
	     "  guests:\n"
	     "    alpha:\n"
	     "      image: ping.elf\n"
	     "      memory: 32M\n"
	     "      devices: [ { use: nic0, mac: 52:54:00:00:00:0a } ]\n"
	     "    beta:\n"
	     "      image: ping.elf\n"
	     "      devices: [ { use: nic0, mac: 52:54:00:00:00:0b } ]\n\n"
	     "Exit status: 0 if every guest ended well, 1 if one did not, 2\n"
	     "if a file or an argument is not what it must be.");
}

/* ---- options ---- */

/* An argument as the machine file would read it; fatal if it is not right. */
static struct node value_node(const struct options *o)
{
	return (struct node){ .kind = NODE_SCALAR, .text = o->value };
}

_Noreturn static void bad_value(const struct options *o, int option,
				struct diag *diag)
{
	const struct diag_message *m = &diag->message[0];

	if (!diag->n)
		fatalx("run: --%s %s: no memory", specs[option].name, o->value);
	fatalx("run: --%s: %s%s%s", specs[option].name, m->text,
	       m->advice ? "; " : "", m->advice ? m->advice : "");
}

static unsigned int word_value(const struct options *o, int option,
			       const char *const words[], size_t n)
{
	struct node node = value_node(o);
	unsigned int value = 0;
	struct diag diag;

	diag_init(&diag, "");
	if (node_word(&node, "a word", words, n, &value, &diag))
		bad_value(o, option, &diag);
	diag_fini(&diag);
	return value;
}

static uint64_t time_value(const struct options *o, int option)
{
	struct node node = value_node(o);
	struct diag diag;
	uint64_t ns = 0;

	diag_init(&diag, "");
	if (node_time(&node, "a time", &ns, &diag))
		bad_value(o, option, &diag);
	diag_fini(&diag);
	if (!ns)
		fatalx("run: --%s cannot be 0", specs[option].name);
	return ns;
}

static void add_flag(const char *list[], size_t *n, const struct options *o,
		     int option)
{
	if (*n == MAX_FLAGS)
		fatalx("run: more than %d of --%s", MAX_FLAGS,
		       specs[option].name);
	list[(*n)++] = o->value;
}

/* Bytes, as a machine file's memory: 64M. */
static uint64_t size_value(const struct options *o, int option)
{
	struct node node = value_node(o);
	struct diag diag;
	uint64_t n = 0;

	diag_init(&diag, "");
	if (node_size(&node, "a size", &n, &diag))
		bad_value(o, option, &diag);
	diag_fini(&diag);
	if (!n)
		fatalx("run: --%s cannot be 0", specs[option].name);
	return n;
}

static void take_record(struct record_conf *r, const struct options *o,
			int option)
{
	char *why = NULL;

	if (option == OPTION_RECORD)
		r->path = o->value;
	else if (option == OPTION_RECORD_GUEST)
		r->guest = o->value;
	else if (option == OPTION_RECORD_DEVICE)
		r->device = o->value;
	else if (option == OPTION_RECORD_SIZE)
		r->size = size_value(o, option);
	else if (option == OPTION_RECORD_RING)
		r->ring = true;
	else if (record_kinds(o->value, r, &why))
		fatalx("run: --record-kind: %s", why);
}

/* ^A, or the character itself. */
static uint8_t key_value(const struct options *o)
{
	const char *v = o->value;

	if (v[0] == '^' && v[1] >= '@' && v[1] <= '_' && !v[2])
		return (uint8_t)(v[1] - '@');
	if (v[0] == '^' && v[1] >= 'a' && v[1] <= 'z' && !v[2])
		return (uint8_t)(v[1] - '`');
	if (v[0] && !v[1])
		return (uint8_t)v[0];
	fatalx("run: --escape %s: expected a key, such as ^A", v);
}

static void take_option(struct arguments *a, const struct options *o,
			int option)
{
	switch (option) {
	case OPTION_DEVICE:
		add_flag(a->device, &a->devices, o, option);
		break;
	case OPTION_GUEST:
		add_flag(a->guest, &a->guests, o, option);
		break;
	case OPTION_GUESTS:
		a->changes.guests = (unsigned int)options_number(
			o, option, 1, MACHINE_MAX_GUESTS);
		break;
	case OPTION_HOW:
		a->changes.how =
			word_value(o, option, machine_hows, MACHINE_HOWS);
		break;
	case OPTION_WHEN_PARKED:
		a->changes.when_parked = word_value(
			o, option, machine_when_parkeds, MACHINE_WHEN_PARKEDS);
		a->changes.when_parked_given = true;
		break;
	case OPTION_TIMEOUT:
		a->changes.timeout_ns = time_value(o, option);
		break;
	case OPTION_PCAP:
		a->changes.pcap_dir = o->value;
		break;
	case OPTION_RECORD:
	case OPTION_RECORD_GUEST:
	case OPTION_RECORD_DEVICE:
	case OPTION_RECORD_KIND:
	case OPTION_RECORD_SIZE:
	case OPTION_RECORD_RING:
		take_record(&a->run.record, o, option);
		break;
	case OPTION_ESCAPE:
		a->run.escape = key_value(o);
		break;
	case OPTION_JSON:
		a->json = o->value;
		break;
	case OPTION_CHECK:
		a->check = true;
		break;
	case OPTION_QUIET:
		a->run.quiet = true;
		break;
	case OPTION_VERBOSE:
		a->run.verbose = true;
		break;
	default:
		if (a->file)
			fatalx("run: one machine file, not \"%s\" and \"%s\"",
			       a->file, o->value);
		a->file = o->value;
		break;
	}
}

/* False if only help was wanted. */
static bool read_arguments(struct arguments *a, int argc, char **argv)
{
	struct options o;
	int option;

	*a = (struct arguments){ .changes.how = DMM_HOW_DEFAULT };
	options_init(&o, "run", specs, OPTIONS, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_END) {
		if (option == OPTION_HELP) {
			help();
			return false;
		}
		take_option(a, &o, option);
	}
	if (a->file && (a->devices || a->guests))
		fatalx("run: a machine file, or --device and --guest; "
		       "not both");
	if (!a->run.record.path &&
	    (a->run.record.guest || a->run.record.device ||
	     a->run.record.kinds || a->run.record.size || a->run.record.ring))
		fatalx("run: record to which file? Give --record FILE");
	if (!a->file && !a->guests)
		fatalx("run: which machine? Give a file, or --device and "
		       "--guest; see vpio help run");
	return true;
}

/* ---- the machine ---- */

/* (*kept) is its text, for a record. */
static struct machine *read_machine(const struct arguments *a, char **kept)
{
	const char *name = a->file ? a->file : "command line";
	struct machine *m = NULL;
	char *text = NULL, *why = NULL;
	struct diag diag;
	size_t len;
	int err;

	if (a->file) {
		if (file_read(a->file, MODELS_MAX_BYTES, &text, &len, &why))
			fatalx("run: %s", why);
	} else {
		text = machine_from_flags(a->device, a->devices, a->guest,
					  a->guests, &why);
		if (!text)
			fatalx("run: %s", why);
		len = strlen(text);
	}
	diag_init(&diag, name);
	err = machine_parse(&m, text, len, &diag);
	models_say(&diag, text, len);
	if (err && !diag.n)
		fatalx("run: %s: %s", name, strerror(-err));
	diag_fini(&diag);
	if (err) {
		free(text);
		return NULL;
	}
	*kept = text;
	return m;
}

static void make_pcap_dir(const char *dir)
{
	if (mkdir(dir, 0777) && errno != EEXIST)
		fatal("run: cannot make directory %s", dir);
}

/* Now, while it costs nothing to be told that it cannot be written. */
static FILE *open_json(const char *path)
{
	FILE *to = !strcmp(path, "-") ? stdout : fopen(path, "we");

	if (!to)
		fatal("run: cannot write %s", path);
	return to;
}

static int write_json(const struct report *report, const char *path, FILE *to)
{
	int err = report_json(report, to);

	if (to != stdout && fclose(to))
		err = -EIO;
	if (err)
		log_warnx("%s could not be written whole", path);
	return err;
}

/* Where people's tables go: not into the middle of JSON. */
static void print_tables(const struct arguments *a, const struct report *report)
{
	FILE *to = a->json && !strcmp(a->json, "-") ? stderr : stdout;

	if (!a->run.quiet)
		report_print(report, to, table_colour(to));
}

int cmd_run(int argc, char **argv)
{
	struct report report = { 0 };
	char *why = NULL, *text = NULL;
	struct arguments a;
	struct machine *m;
	FILE *json = NULL;
	int status;

	if (!read_arguments(&a, argc, argv))
		return 0;
	log_init(a.run.quiet, a.run.verbose);
	m = read_machine(&a, &text);
	if (!m)
		return EXIT_BAD_INPUT;
	if (machine_change(m, &a.changes, &why))
		fatalx("run: %s", why);
	if (a.check) {
		machine_free(m);
		free(text);
		return 0;
	}
	if (a.changes.pcap_dir)
		make_pcap_dir(a.changes.pcap_dir);
	if (a.json)
		json = open_json(a.json);
	a.run.record.machine = text;
	a.run.stdout_taken = json == stdout;
	status = run_machine(m, &a.run, &report);
	log_progress_end();
	print_tables(&a, &report);
	if (json && write_json(&report, a.json, json) && !status)
		status = EXIT_BAD_RUN;
	report_fini(&report);
	machine_free(m);
	free(text);
	return status;
}
