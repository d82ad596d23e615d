/* SPDX-License-Identifier: MIT */
/*
 * qlog.c: QEMU's log, line by line.  A trace has some 200,000 of them, so they
 * are taken apart by hand and not by sscanf().
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qlog.h"

void qlog_init_file(struct qlog *q, FILE *file, const char *region)
{
	memset(q, 0, sizeof(*q));
	q->file = file;
	q->region = region;
}

void qlog_init_text(struct qlog *q, const char *text, size_t len,
		    const char *region)
{
	memset(q, 0, sizeof(*q));
	q->text = text;
	q->left = len;
	q->region = region;
}

static int next_byte(struct qlog *q)
{
	if (q->file)
		return getc_unlocked(q->file);
	if (!q->left)
		return EOF;
	q->left--;
	return (unsigned char)*q->text++;
}

/*
 * A line without its end into q->buf.  1, 0 at the end, -EIO.  What does not
 * fit is cut: no line that matters is that long, and a cut one is not valid.
 */
static int next_line(struct qlog *q)
{
	size_t n = 0;
	int c;

	c = next_byte(q);
	if (c == EOF)
		return q->file && ferror(q->file) ? -EIO : 0;
	for (; c != EOF && c != '\n'; c = next_byte(q))
		if (n < sizeof(q->buf) - 1)
			q->buf[n++] = (char)c;
	if (n && q->buf[n - 1] == '\r')
		n--;
	q->buf[n] = '\0';
	q->line++;
	return 1;
}

/* Steps over (word) at *at. */
static bool skip(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

/* Steps over (word), then reads a number as C writes it. */
static bool number(const char **at, const char *word, uint64_t *out)
{
	char *end;

	if (!skip(at, word) || **at < '0' || **at > '9')
		return false;
	errno = 0;
	*out = strtoull(*at, &end, 0);
	*at = end;
	return errno == 0;
}

/* "NAME BDF BAR,0xADDR+0xSIZE" */
static int add_mapping(struct qlog *q, const char *at)
{
	uint64_t bar, addr, size;

	at = strchr(at, ' ');
	at = at ? strchr(at + 1, ' ') : NULL;
	if (!at || !number(&at, " ", &bar) || !number(&at, ",", &addr) ||
	    !number(&at, "+", &size) || *at || bar >= QLOG_BARS)
		return -EINVAL;
	q->bar[bar] = (struct qlog_map){ addr, size, q->line };
	return 0;
}

/* Where (addr) is: the BAR mapped last of those that hold it. */
static bool find_bar(const struct qlog *q, uint64_t addr, uint64_t size,
		     struct qlog_access *out)
{
	const struct qlog_map *map, *best = NULL;

	for (map = q->bar; map < q->bar + QLOG_BARS; map++)
		if (map->size && cc_within(addr, size, map->addr, map->size) &&
		    (!best || map->order > best->order))
			best = map;
	if (!best)
		return false;
	out->bar = (uint8_t)(best - q->bar);
	out->addr = addr - best->addr;
	return true;
}

/* True if (at) is (region) and a quote. */
static bool is_region(const char *region, const char *at)
{
	return skip(&at, region) && strcmp(at, "'") == 0;
}

/*
 * "cpu N mr 0x.. addr 0x.. value 0x.. size N name 'REGION'": 1 and (*out), 0 if
 * it is not for us.  The name came late to QEMU: without it, it is any region.
 */
static int parse_access(struct qlog *q, const char *at, struct qlog_access *out)
{
	uint64_t cpu, mr, addr, value, size;

	/* "cpu -1": not from a vCPU */
	if (!skip(&at, "cpu -1") && !number(&at, "cpu ", &cpu))
		return -EINVAL;
	if (!number(&at, " mr ", &mr) || !number(&at, " addr ", &addr) ||
	    !number(&at, " value ", &value) || !number(&at, " size ", &size))
		return -EINVAL;
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return -EINVAL;
	if (*at) {
		if (!skip(&at, " name '") || !*at || at[strlen(at) - 1] != '\'')
			return -EINVAL;
		if (q->region && !is_region(q->region, at))
			return 0;
	}
	out->size = (uint8_t)size;
	out->value = value & cc_ones((unsigned int)size * 8);
	if (find_bar(q, addr, size, out))
		return 1;
	q->unmapped++;
	return 0;
}

int qlog_next(struct qlog *q, struct qlog_access *out)
{
	struct qlog_access access = { 0 };
	const char *at;
	int ret;

	while ((ret = next_line(q)) > 0) {
		at = q->buf;
		if (skip(&at, "pci_update_mappings_add ")) {
			ret = add_mapping(q, at);
		} else if (skip(&at, "memory_region_ops_read ")) {
			ret = parse_access(q, at, &access);
		} else if (skip(&at, "memory_region_ops_write ")) {
			access.write = true;
			ret = parse_access(q, at, &access);
		} else {
			continue;
		}
		if (ret < 0)
			return ret;
		if (ret > 0) {
			*out = access;
			return 1;
		}
		access.write = false;
	}
	return ret;
}
