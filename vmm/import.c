// SPDX-License-Identifier: MIT
/*
 * import.c: QEMU's log of memory_region_ops_*, in which its devices' accesses
 * stand, made into a trace.
 *
 *	pci_update_mappings_add NAME BDF BAR,0xADDR+0xSIZE
 *	memory_region_ops_read|write cpu N mr 0x.. addr 0xABS value 0x..
 *		size N name 'REGION'			(one line)
 *
 * The log has no times: the lines of a trace are 1 us apart.
 */

#include "import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "models.h"
#include "tracefile.h"

#define LINE_NS 1000u

struct qemu_log {
	const char *path;
	FILE *to;
	struct dmm_model *model;
	uint64_t line, accesses, skipped, sequence;
	struct {
		uint64_t addr, size;
	} bar[6];
};

static bool put(struct qemu_log *q, uint8_t kind, uint8_t guest,
		const void *body, size_t len, const void *more, size_t more_len)
{
	struct trace_head head = { .version = TRACE_VERSION,
				   .kind = kind,
				   .guest = guest,
				   .sequence = q->sequence++ };

	return tracefile_put(q->to, q->line * LINE_NS, head, body, len, more,
			     more_len);
}

static bool put_model(struct qemu_log *q, const struct model_file *file)
{
	struct trace_model m = { .hash = trace_hash(file->text, file->len),
				 .how = DMM_EXCLUSIVE,
				 .guests = 1 };
	struct trace_guest g = { .weight = 1 };
	const char *name = dmm_model_name(q->model);
	size_t n = sizeof(g) + strlen(name) + 1 + file->len + 2;
	char *more = xcalloc(1, n);
	bool ok;

	memcpy(more, &g, sizeof(g));
	strcpy(more + sizeof(g), name);
	memcpy(more + sizeof(g) + strlen(name) + 1, file->text, file->len);
	ok = put(q, TRACE_MODEL, TRACE_NOBODY, &m, sizeof(m), more, n);
	free(more);
	return ok;
}

/* Which space of the model an address is in; false: none. */
static bool find_space(const struct qemu_log *q, uint64_t addr,
		       unsigned int width, struct trace_access *a)
{
	struct dmm_space s;
	unsigned int i;

	for (i = 0; dmm_model_space(q->model, i, &s); i++) {
		if (s.window || s.bar >= 6 ||
		    !cc_within(addr, width, q->bar[s.bar].addr,
			       q->bar[s.bar].size) ||
		    !cc_within(addr - q->bar[s.bar].addr, width, 0, s.size))
			continue;
		a->space = (uint8_t)i;
		a->off = addr - q->bar[s.bar].addr;
		return true;
	}
	return false;
}

static bool read_access(struct qemu_log *q, const char *line)
{
	struct trace_access a = { .count = 1, .done = 1 };
	uint64_t addr, value;
	unsigned int width, cpu;
	char verb[16];

	if (sscanf(line,
		   "memory_region_ops_%15s cpu %u mr %*s addr %" SCNx64
		   " value %" SCNx64 " size %u",
		   verb, &cpu, &addr, &value, &width) != 5)
		return true;
	a.write = !strcmp(verb, "write");
	if ((width != 1 && width != 2 && width != 4 && width != 8) ||
	    (!a.write && strcmp(verb, "read") != 0)) {
		log_warnx("%s:%" PRIu64 ": not an access", q->path, q->line);
		return false;
	}
	a.width = (uint8_t)width;
	a.vcpu = (uint8_t)cpu;
	a.path = DMM_FORWARD;
	if (!find_space(q, addr, width, &a)) {
		q->skipped++;
		return true;
	}
	q->accesses++;
	/* a value in the log can be wider than its access */
	return put(q, TRACE_ACCESS, 0, &a, sizeof(a), &value, width);
}

static void read_mapping(struct qemu_log *q, const char *line)
{
	uint64_t addr, size;
	unsigned int bar;

	if (sscanf(line,
		   "pci_update_mappings_add %*s %*s %u,%" SCNx64 "+%" SCNx64,
		   &bar, &addr, &size) == 3 &&
	    bar < 6) {
		q->bar[bar].addr = addr;
		q->bar[bar].size = size;
	}
}

static int read_log(struct qemu_log *q, FILE *from)
{
	char line[512];

	while (fgets(line, sizeof(line), from)) {
		q->line++;
		read_mapping(q, line);
		if (!read_access(q, line))
			return EXIT_BAD_INPUT;
	}
	if (!q->accesses) {
		log_warnx("%s: no access to a BAR of this model: is it "
			  "QEMU's log, with memory_region_ops_* and "
			  "pci_update_mappings_add?",
			  q->path);
		return EXIT_BAD_INPUT;
	}
	log_info("%s: %" PRIu64 " accesses, %" PRIu64 " others skipped",
		 q->path, q->accesses, q->skipped);
	return 0;
}

int import_trace(const char *format, const char *path, const char *model,
		 const char *out)
{
	struct qemu_log q = { .path = path };
	struct model_file file;
	char *why = NULL;
	FILE *from;
	int status;

	if (strcmp(format, "qemu") != 0)
		fatalx("trace import: no format is called \"%s\"; there is: "
		       "qemu",
		       format);
	if (models_open(&q.model, model))
		return EXIT_BAD_INPUT;
	if (models_read(&file, model, &why))
		fatalx("%s", why);
	from = !strcmp(path, "-") ? stdin : fopen(path, "re");
	if (!from)
		fatal("cannot read %s", path);
	q.to = fopen(out, "we");
	if (!q.to)
		fatal("cannot write %s", out);
	status = tracefile_begin(q.to) && put_model(&q, &file) ?
			 read_log(&q, from) :
			 EXIT_BAD_RUN;
	if (fclose(q.to) || status == EXIT_BAD_RUN) {
		log_warnx("%s could not be written whole", out);
		status = EXIT_BAD_RUN;
	}
	if (from != stdin)
		fclose(from);
	models_free(&file);
	dmm_model_free(q.model);
	return status;
}
