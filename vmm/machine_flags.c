/* SPDX-License-Identifier: MIT */
/*
 * machine_flags.c: machines from the command line.  Flags become the text of
 * a machine file, so that there is one place that knows what is right; and
 * some flags change a machine that was read.
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "machine.h"

/* ---- flags to text ---- */

static bool plain(const char *s, size_t len)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./+=:";

	for (size_t i = 0; i < len; i++)
		if (!memchr(chars, s[i], sizeof(chars) - 1) &&
		    !(s[i] == '-' && i > 0))
			return false;
	/* A colon within, as in an address, is part of a word. */
	return len && s[0] != ':' && s[0] != '=' && s[len - 1] != ':';
}

/* A word as YAML; what is YAML already stays as it is. */
static void write_value(FILE *to, const char *s, size_t len)
{
	bool yaml = len >= 2 && ((s[0] == '{' && s[len - 1] == '}') ||
				 (s[0] == '[' && s[len - 1] == ']') ||
				 (s[0] == '"' && s[len - 1] == '"') ||
				 (s[0] == '\'' && s[len - 1] == '\''));

	if (yaml || plain(s, len)) {
		fwrite(s, 1, len, to);
		return;
	}
	fputc('"', to);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(to, "\\x%02x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

/* The length up to a comma that is not within brackets, braces or quotes. */
static size_t part_length(const char *s)
{
	unsigned int depth = 0;
	char quote = 0;
	size_t i;

	for (i = 0; s[i] && (s[i] != ',' || depth || quote); i++) {
		if (quote)
			quote = s[i] == quote ? 0 : quote;
		else if (i && s[i - 1] == '=' && (s[i] == '"' || s[i] == '\''))
			quote = s[i];
		else if (s[i] == '{' || s[i] == '[')
			depth++;
		else if ((s[i] == '}' || s[i] == ']') && depth)
			depth--;
	}
	return i;
}

/* Is this KEY=VALUE about a guest's device, rather than the guest? */
static bool of_use(const char *part, size_t key_len)
{
	static const char *const keys[] = { "use", "mac", "weight", "pcap",
					    "dmaWindow" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strlen(keys[i]) == key_len &&
		    !strncmp(keys[i], part, key_len))
			return true;
	return false;
}

/*
 * Write those parts of (s) that are about a use, or those that are not;
 * returns how many, or -1 if one has no "=".
 */
static int write_parts(FILE *to, const char *s, bool uses, const char *first)
{
	int n = 0;

	while (*s == ',') {
		size_t len = part_length(++s);
		const char *eq = memchr(s, '=', len);
		size_t key_len = eq ? (size_t)(eq - s) : 0;

		if (!key_len)
			return -1;
		if (of_use(s, key_len) == uses) {
			fputs(n++ ? ", " : first, to);
			write_value(to, s, key_len);
			fputs(": ", to);
			write_value(to, eq + 1, len - key_len - 1);
		}
		s += len;
	}
	return n;
}

/* NAME=WHAT[,KEY=VALUE...] as one line; -EINVAL if it is not that. */
static int write_flag(FILE *to, const char *flag, const char *what,
		      const char *only_device)
{
	const char *eq = strchr(flag, '=');
	bool guest = !strcmp(what, "image");
	size_t len;
	int n = 0;

	if (!eq || eq == flag || memchr(flag, ',', (size_t)(eq - flag)))
		return -EINVAL;
	len = part_length(eq + 1);
	fputs("  ", to);
	write_value(to, flag, (size_t)(eq - flag));
	fprintf(to, ": { %s: ", what);
	write_value(to, eq + 1, len);
	if (write_parts(to, eq + 1 + len, false, ", ") < 0)
		return -EINVAL;
	if (!guest) {
		n = write_parts(to, eq + 1 + len, true, ", ");
	} else {
		bool named = strstr(eq + 1 + len, ",use=");
		char *first = !named && only_device ?
				      xasprintf(", devices: [ { use: %s, ",
						only_device) :
				      xstrdup(", devices: [ { ");

		n = write_parts(to, eq + 1 + len, true, first);
		if (n > 0)
			fputs(" } ]", to);
		else if (only_device && !strstr(eq + 1 + len, ",devices="))
			fprintf(to, ", devices: [ { use: %s } ]", only_device);
		free(first);
	}
	fputs(" }\n", to);
	return n < 0 ? -EINVAL : 0;
}

char *machine_from_flags(const char *const device[], size_t devices,
			 const char *const guest[], size_t guests, char **why)
{
	char *only = NULL, *text = NULL;
	const char *bad = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		fatal("cannot make a machine of flags");
	if (devices)
		fputs("devices:\n", to);
	for (size_t i = 0; i < devices && !bad; i++)
		if (write_flag(to, device[i], "model", NULL))
			bad = device[i];
	/* A quoted name finds its device all the same. */
	if (devices == 1 && !bad)
		only = xasprintf("%.*s", (int)strcspn(device[0], "="),
				 device[0]);
	if (guests)
		fputs("guests:\n", to);
	for (size_t i = 0; i < guests && !bad; i++)
		if (write_flag(to, guest[i], "image", only))
			bad = guest[i];
	free(only);
	if (fclose(to))
		fatal("cannot make a machine of flags");
	if (!bad)
		return text;
	free(text);
	*why = xasprintf("\"%s\" is not NAME=VALUE[,KEY=VALUE...]", bad);
	return NULL;
}

/* ---- changes ---- */

/* (s) belongs to the machine now. */
static const char *own(struct machine *m, char *s)
{
	m->owned = realloc(m->owned, (m->n_owned + 1) * sizeof(*m->owned));
	if (!m->owned)
		fatalx("no memory for a machine");
	m->owned[m->n_owned++] = s;
	return s;
}

static bool mac_used(const struct machine *m, const uint8_t mac[6])
{
	for (unsigned int g = 0; g < m->guests; g++)
		for (unsigned int u = 0; u < m->guest[g].uses; u++)
			if (m->guest[g].use[u].has_mac &&
			    !memcmp(m->guest[g].use[u].mac, mac, 6))
				return true;
	return false;
}

/* The next address that nobody has; the maker's three bytes stay. */
static void new_mac(const struct machine *m, uint8_t mac[6])
{
	uint32_t n = (uint32_t)mac[3] << 16 | (uint32_t)mac[4] << 8 | mac[5];

	do {
		n++;
		mac[3] = (uint8_t)(n >> 16);
		mac[4] = (uint8_t)(n >> 8);
		mac[5] = (uint8_t)n;
	} while (mac_used(m, mac));
}

static bool name_used(const struct machine *m, const char *name)
{
	for (unsigned int g = 0; g < m->guests; g++)
		if (!strcmp(m->guest[g].name, name))
			return true;
	return false;
}

/* "alpha-2", or the first after it that is free; the number is in (*n). */
static const char *new_name(struct machine *m, const char *base,
			    unsigned int *n)
{
	char name[MACHINE_MAX_NAME + 12];

	*n = 2;
	do {
		snprintf(name, sizeof(name), "%.*s-%u", MACHINE_MAX_NAME - 4,
			 base, *n);
	} while (name_used(m, name) && ++*n);
	return own(m, xstrdup(name));
}

/* A guest like (from), with its own name, addresses and files. */
static void clone(struct machine *m, const struct machine_guest *from)
{
	struct machine_guest *g = &m->guest[m->guests];
	unsigned int n;

	*g = *from;
	g->uses = 0;
	g->name = new_name(m, from->name, &n);
	m->guests++; /* so that its addresses count, one after the other */
	if (from->socket)
		g->socket = own(m, xasprintf("%s.%u", from->socket, n));
	if (from->log)
		g->log = own(m, xasprintf("%s.%u", from->log, n));
	for (unsigned int u = 0; u < from->uses; u++) {
		struct machine_use *use = &g->use[u];

		if (use->pcap)
			use->pcap = own(m, xasprintf("%s.%u", use->pcap, n));
		if (use->has_mac)
			new_mac(m, use->mac);
		m->device[use->device].users++;
		g->uses++;
	}
}

/* Who shares a device now and did not before needs an address. */
static void give_macs(struct machine *m)
{
	for (unsigned int g = 0; g < m->guests; g++) {
		for (unsigned int u = 0; u < m->guest[g].uses; u++) {
			static const uint8_t base[6] = {
				0x52, 0x54, 0, 0, 0, 0
			};
			struct machine_use *use = &m->guest[g].use[u];

			if (use->has_mac || m->device[use->device].users < 2)
				continue;
			memcpy(use->mac, base, sizeof(base));
			new_mac(m, use->mac);
			use->has_mac = true;
		}
	}
}

static void set_guests(struct machine *m, unsigned int want)
{
	unsigned int had = m->guests;

	while (m->guests > want) {
		const struct machine_guest *g = &m->guest[--m->guests];

		for (unsigned int u = 0; u < g->uses; u++)
			m->device[g->use[u].device].users--;
	}
	while (m->guests < want)
		clone(m, &m->guest[(m->guests - had) % had]);
	give_macs(m);
}

static int check_devices(const struct machine *m, char **why)
{
	for (unsigned int i = 0; i < m->devices; i++) {
		const struct machine_device *d = &m->device[i];

		if (d->users > DMM_MAX_GUESTS) {
			*why = xasprintf("%u guests would use \"%s\", which "
					 "can have %u",
					 d->users, d->name, DMM_MAX_GUESTS);
			return -EINVAL;
		}
		if (d->users > 1 && d->share.how == DMM_EXCLUSIVE) {
			*why = xasprintf("\"%s\" is exclusive, and %u guests "
					 "would use it",
					 d->name, d->users);
			return -EINVAL;
		}
	}
	return 0;
}

int machine_change(struct machine *m, const struct machine_changes *changes,
		   char **why)
{
	assert(m->guests > 0);
	if (changes->guests > MACHINE_MAX_GUESTS) {
		*why = xasprintf("at most %u guests", MACHINE_MAX_GUESTS);
		return -EINVAL;
	}
	if (changes->guests)
		set_guests(m, changes->guests);
	for (unsigned int i = 0; i < m->devices; i++) {
		struct machine_share *share = &m->device[i].share;

		if (changes->how != DMM_HOW_DEFAULT)
			share->how = changes->how;
		if (changes->when_parked_given)
			share->when_parked = changes->when_parked;
	}
	for (unsigned int g = 0; g < m->guests; g++) {
		struct machine_guest *guest = &m->guest[g];

		if (changes->timeout_ns)
			guest->timeout_ns = changes->timeout_ns;
		for (unsigned int u = 0; changes->pcap_dir && u < guest->uses;
		     u++) {
			struct machine_use *use = &guest->use[u];

			use->pcap =
				own(m, xasprintf("%s/%s-%s.pcap",
						 changes->pcap_dir, guest->name,
						 m->device[use->device].name));
		}
	}
	return check_devices(m, why);
}
