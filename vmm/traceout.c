// SPDX-License-Identifier: MIT
/*
 * traceout.c: trace files, written from the start.
 */

#include "traceout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "tracefile.h"

FILE *traceout_file(const char *path, const struct tracefile *reading, size_t n)
{
	struct stat to, from;
	FILE *file;
	size_t i;
	int fd;

	if (!strcmp(path, "-"))
		return stdout;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || fstat(fd, &to))
		fatal("cannot write %s", path);
	for (i = 0; i < n; i++)
		if (!fstat(reading[i].fd, &from) && from.st_dev == to.st_dev &&
		    from.st_ino == to.st_ino)
			fatalx("%s is being read; write to another file", path);
	if (S_ISREG(to.st_mode) && ftruncate(fd, 0))
		fatal("cannot write %s", path);
	file = fdopen(fd, "w");
	if (!file)
		fatal("cannot write %s", path);
	return file;
}

void traceout_open(struct traceout *o, const char *path,
		   const struct tracefile *reading, size_t n)
{
	FILE *to = traceout_file(path, reading, n);

	traceout_begin(o, to);
	o->path = path;
}

static void put_block(struct traceout *o, const uint8_t *block, size_t len)
{
	if (!len || fwrite(block, 1, len, o->to) != len)
		o->failed = true;
}

void traceout_begin(struct traceout *o, FILE *to)
{
	uint8_t block[512];

	*o = (struct traceout){ .to = to };
	put_block(o, block,
		  trace_put_section(block, sizeof(block),
				    "vpio " VPIO_VERSION));
	traceout_interface(o, TRACE_LINKTYPE, "vpio");
}

bool traceout_close(struct traceout *o)
{
	if (fflush(o->to) || ferror(o->to))
		o->failed = true;
	if (o->path && o->to != stdout && fclose(o->to))
		o->failed = true;
	if (o->failed)
		log_warnx("%s could not be written whole",
			  o->path ? o->path : "the trace");
	return !o->failed;
}

unsigned int traceout_interface(struct traceout *o, uint16_t linktype,
				const char *name)
{
	uint8_t block[512];

	put_block(o, block,
		  trace_put_interface(block, sizeof(block), linktype, name));
	return o->interfaces++;
}

void traceout_packet(struct traceout *o, unsigned int interface, uint64_t ns,
		     const struct trace_piece *piece, unsigned int n)
{
	size_t len = 64, i;
	uint8_t *block;

	for (i = 0; i < n; i++)
		len += piece[i].len;
	block = malloc(len);
	if (!block) {
		o->failed = true;
		return;
	}
	put_block(o, block,
		  trace_put_packet(block, len, interface, ns, piece, n));
	free(block);
}

void traceout_record(struct traceout *o, uint64_t ns, struct trace_head head,
		     const void *body, size_t len, const void *more,
		     size_t more_len)
{
	const struct trace_piece piece[] = { { &head, sizeof(head) },
					     { body, len },
					     { more, more_len } };

	head.len = (uint32_t)(len + more_len);
	traceout_packet(o, 0, ns, piece, 3);
}
