/* SPDX-License-Identifier: MIT */
/*
 * machine.c: machine files, checked as a whole: one run names all that is
 * wrong.  A value that is wrong leaves its default, so that what is said
 * later is not said because of it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "hostpci.h"
#include "machine.h"

#define PAGE 4096
#define MEBI (UINT64_C(1) << 20)
#define MAX_PATH 1024
#define MAX_CMDLINE 2048

const char *const machine_hows[MACHINE_HOWS] = {
	[DMM_EXCLUSIVE] = "exclusive",
	[DMM_LEASE] = "lease",
	[DMM_MERGE] = "merge",
};

const char *const machine_when_parkeds[MACHINE_WHEN_PARKEDS] = {
	[DMM_SPOOL] = "spool",
	[DMM_DROP] = "drop",
};

const char *const machine_policies[MACHINE_POLICIES] = {
	[DMM_IGNORE] = "ignore",
	[DMM_ABORT] = "abort",
	[DMM_MCE] = "mce",
	[DMM_POLICY_STOP] = "stop",
};

/* In the order of machine_guest.reboots. */
const char *const machine_reboots[MACHINE_REBOOTS] = { "end", "restart" };

/* ---- single values ---- */

/* A string of 1 to (max) bytes at (key), or NULL: not there, or not right. */
static const char *get_string(const struct node *map, const char *key,
			      const char *what, size_t max, struct diag *diag)
{
	const struct node *node = node_get(map, key);

	if (!node || node_expect(node, NODE_SCALAR, what, diag))
		return NULL;
	if (!*node->text) {
		diag_error(diag, node->pos, "expected %s, found nothing", what);
		return NULL;
	}
	if (strlen(node->text) > max) {
		diag_error(diag, node->pos, "%s is longer than %zu bytes", what,
			   max);
		return NULL;
	}
	return node->text;
}

/* The same, but it must be there; (pos) is the place if it is not. */
static const char *need_string(const struct node *map, const char *key,
			       const char *what, const char *example,
			       struct diag_pos pos, struct diag *diag)
{
	if (!node_get(map, key)) {
		diag_error(diag, pos, "\"%s\" is missing", key);
		diag_advise(diag, "give %s, for example: %s: %s", what, key,
			    example);
		return NULL;
	}
	return get_string(map, key, what, MAX_PATH, diag);
}

static void get_number(const struct node *map, const char *key,
		       const char *what, unsigned int min, unsigned int max,
		       unsigned int *out, struct diag *diag)
{
	const struct node *node = node_get(map, key);
	uint64_t n;

	if (!node || node_u64(node, what, UINT64_MAX, &n, diag))
		return;
	if (n < min || n > max)
		diag_error(diag, node->pos, "%s is from %u to %u", what, min,
			   max);
	else
		*out = (unsigned int)n;
}

static void get_time(const struct node *map, const char *key, const char *what,
		     uint64_t *out, struct diag *diag)
{
	const struct node *node = node_get(map, key);
	uint64_t ns;

	if (!node || node_time(node, what, &ns, diag))
		return;
	if (!ns)
		diag_error(diag, node->pos, "%s cannot be 0", what);
	else
		*out = ns;
}

/* A number of whole pages. */
static void get_pages(const struct node *map, const char *key, const char *what,
		      uint64_t min, uint64_t *out, struct diag *diag)
{
	const struct node *node = node_get(map, key);
	uint64_t size;

	if (!node || node_size(node, what, &size, diag))
		return;
	if (size < min || size > MACHINE_MAX_MEMORY) {
		bool mega = min >= UINT64_C(1) << 20;

		diag_error(diag, node->pos, "%s is from %u%c to %uG", what,
			   (unsigned int)(min >> (mega ? 20 : 10)),
			   mega ? 'M' : 'K',
			   (unsigned int)(MACHINE_MAX_MEMORY >> 30));
	} else if (size % PAGE) {
		diag_error(diag, node->pos, "%s must be whole pages of 4K",
			   what);
		diag_advise(diag, "%lluK is the next that is",
			    (unsigned long long)(size / PAGE + 1) * 4);
	} else {
		*out = size;
	}
}

static void get_bool(const struct node *map, const char *key, const char *what,
		     bool *out, struct diag *diag)
{
	const struct node *node = node_get(map, key);
	bool value;

	if (node && !node_bool(node, what, &value, diag))
		*out = value;
}

/* One of (words), as its index; (absent) if it is not there or wrong. */
static unsigned int get_word(const struct node *map, const char *key,
			     const char *what, const char *const words[],
			     size_t n, unsigned int absent, struct diag *diag)
{
	const struct node *node = node_get(map, key);
	unsigned int value;

	if (!node || node_word(node, what, words, n, &value, diag))
		return absent;
	return value;
}

/* Names stand in logs, file names and tables: keep them plain. */
static void check_name(const struct node *key, const char *what,
		       struct diag *diag)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t len = strlen(key->text);

	if (len >= 1 && len <= MACHINE_MAX_NAME && *key->text != '-' &&
	    strspn(key->text, plain) == len)
		return;
	diag_error(diag, key->pos, "\"%s\" cannot be the name of %s", key->text,
		   what);
	diag_advise(diag, "1 to %u of a-z, 0-9 and -, the first not a -",
		    MACHINE_MAX_NAME);
}

/* ---- devices ---- */

static void read_share(const struct node *share, struct machine_share *out,
		       struct diag *diag)
{
	static const char *const keys[] = {
		"how", "whenParked", "lease", "antispoof", "mirror", "protect"
	};
	static const char *const protects[] = { "model", "iommu" };

	*out = (struct machine_share){ .how = DMM_HOW_DEFAULT,
				       .when_parked = DMM_SPOOL,
				       .antispoof = true };
	if (!share || node_expect(share, NODE_MAP, "how it is shared", diag))
		return;
	(void)!node_known(share, "share", keys, ARRAY_LEN(keys), diag);
	out->how = get_word(share, "how", "a way of sharing", machine_hows,
			    MACHINE_HOWS, DMM_HOW_DEFAULT, diag);
	out->when_parked = get_word(share, "whenParked",
				    "what happens to frames of the parked",
				    machine_when_parkeds, MACHINE_WHEN_PARKEDS,
				    DMM_SPOOL, diag);
	get_time(share, "lease", "a lease", &out->lease_ns, diag);
	get_bool(share, "antispoof", "antispoof", &out->antispoof, diag);
	get_bool(share, "mirror", "mirror", &out->mirror, diag);
	out->alone = get_word(share, "protect", "what protects", protects,
			      ARRAY_LEN(protects), 0, diag);
}

static void read_backend(const struct node *map, struct machine_device *d,
			 struct diag *diag)
{
	const struct node *node = node_get(map, "backend");
	unsigned int i;

	if (!need_string(map, "backend", "what stands for the device",
			 backend_names[0], d->pos, diag))
		return;
	if (!node_word(node, "a backend", backend_names, backend_count, &i,
		       diag))
		d->backend = backend_names[i];
}

/* Of a real device; its wire is a real one. */
static void check_address(const struct node *map, struct diag_pos pos,
			  struct diag *diag)
{
	char address[HOSTPCI_ADDRESS];
	const char *text;

	text = need_string(map, "address", "its PCI address", "0000:01:00.0",
			   pos, diag);
	if (!text || hostpci_address(text, address))
		return;
	diag_error(diag, node_get(map, "address")->pos,
		   "\"%s\" is no PCI address", text);
	diag_advise(diag, "vpio list shows them; for example 0000:01:00.0");
}

static void check_vfio(const struct node *map, const struct machine_device *d,
		       struct diag *diag)
{
	static const char *const keys[] = { "model", "backend", "share",
					    "address" };

	(void)!node_known(map, "a device of backend vfio", keys,
			  ARRAY_LEN(keys), diag);
	check_address(map, d->pos, diag);
}

/* Who uses it must have said that he knows what it is. */
static void check_uio(const struct node *map, const struct machine_device *d,
		      struct diag *diag)
{
	static const char *const keys[] = { "model",   "backend", "share",
					    "address", "unsafe",  "memory",
					    "reach" };
	uint64_t size;
	bool unsafe = false;

	(void)!node_known(map, "a device of backend uio", keys, ARRAY_LEN(keys),
			  diag);
	check_address(map, d->pos, diag);
	get_pages(map, "memory", "memory for a device", MEBI, &size, diag);
	get_pages(map, "reach", "what a device reaches", MEBI, &size, diag);
	get_bool(map, "unsafe", "whether you take the risk", &unsafe, diag);
	if (unsafe)
		return;
	diag_error(diag, d->pos,
		   "backend uio has no IOMMU to hold the device: nothing but "
		   "vpio's own checks keeps its guests from this machine's "
		   "memory");
	diag_advise(diag, "use backend vfio; or, if you trust the model or "
			  "the guests that far, say unsafe: true");
}

/* What each backend takes beside the keys that all devices have. */
static void check_device_keys(const struct node *map,
			      const struct machine_device *d, struct diag *diag)
{
	static const char *const keys[] = { "model", "backend", "network",
					    "share" };

	/* A backend that has keys of its own says itself what it knows. */
	if (d->backend && !strcmp(d->backend, "vfio"))
		check_vfio(map, d, diag);
	else if (d->backend && !strcmp(d->backend, "uio"))
		check_uio(map, d, diag);
	else if (!d->backend || !strcmp(d->backend, "sim"))
		(void)!node_known(map, "a device", keys, ARRAY_LEN(keys), diag);
}

static void check_network(const struct node *network, struct diag *diag)
{
	static const char *const words[] = { "user", "loop", "none" };
	static const char *const keys[] = { "user", "tap",  "dgram",
					    "loop", "none", "pcap" };
	unsigned int i;

	if (!network)
		return;
	if (network->kind == NODE_MAP)
		(void)!node_known(network, "a network", keys, ARRAY_LEN(keys),
				  diag);
	else if (node_word(network, "a network", words, ARRAY_LEN(words), &i,
			   diag) &&
		 network->kind == NODE_SCALAR &&
		 !strncmp(network->text, "tap", 3))
		diag_advise(diag, "write { tap: NAME }, for example: network: "
				  "{ tap: tap0 }");
}

static void read_device(const struct node *key, const struct node *map,
			struct machine_device *d, struct diag *diag)
{
	d->name = key->text;
	d->pos = key->pos;
	d->conf = map;
	check_name(key, "a device", diag);
	if (node_expect(map, NODE_MAP, "a device's keys", diag))
		return;
	d->model = need_string(map, "model", "a model's name or its file",
			       "./card.yaml", d->pos, diag);
	read_backend(map, d, diag);
	check_device_keys(map, d, diag);
	d->network = node_get(map, "network");
	check_network(d->network, diag);
	read_share(node_get(map, "share"), &d->share, diag);
}

static void read_devices(const struct node *map, struct machine *m,
			 struct diag *diag)
{
	if (!map || node_expect(map, NODE_MAP, "devices by name", diag))
		return;
	for (size_t i = 0; i < map->n; i++) {
		if (m->devices == MACHINE_MAX_DEVICES) {
			diag_error(diag, map->key[i]->pos,
				   "more than %u devices", MACHINE_MAX_DEVICES);
			return;
		}
		read_device(map->key[i], map->at[i], &m->device[m->devices],
			    diag);
		m->devices++;
	}
}

/* ---- guests ---- */

static int find_device(const struct machine *m, const struct node *use,
		       struct diag *diag)
{
	const char *names[MACHINE_MAX_DEVICES];
	const char *near;

	for (unsigned int i = 0; i < m->devices; i++) {
		names[i] = m->device[i].name;
		if (!strcmp(names[i], use->text))
			return (int)i;
	}
	diag_error(diag, use->pos, "there is no device \"%s\"", use->text);
	near = diag_nearest(use->text, names, m->devices);
	if (near)
		diag_advise(diag, "did you mean \"%s\"?", near);
	else
		diag_advise(diag, "describe it under \"devices\"");
	return -1;
}

/* True if a guest before, or a use before (at) of the last one, has (mac). */
static bool mac_taken(const struct machine *m, const struct machine_use *at,
		      const char **by)
{
	for (unsigned int g = 0; g < m->guests; g++) {
		const struct machine_guest *guest = &m->guest[g];

		for (unsigned int u = 0; u < guest->uses; u++) {
			const struct machine_use *use = &guest->use[u];

			if (use == at || !use->has_mac)
				continue;
			*by = guest->name;
			if (!memcmp(use->mac, at->mac, sizeof(at->mac)))
				return true;
		}
	}
	return false;
}

static void read_mac(const struct machine *m, const struct node *node,
		     struct machine_use *use, struct diag *diag)
{
	static const uint8_t zero[6];
	const char *by;

	if (!node || node_mac(node, "a MAC address", use->mac, diag))
		return;
	use->has_mac = true;
	if (use->mac[0] & 1) {
		diag_error(diag, node->pos,
			   "%s is a group's address, not "
			   "a guest's",
			   node->text);
		diag_advise(diag, "the first byte must be even, as in "
				  "52:54:00:00:00:0a");
	} else if (!memcmp(use->mac, zero, sizeof(zero))) {
		diag_error(diag, node->pos, "%s is nobody's address",
			   node->text);
		diag_advise(diag, "for example 52:54:00:00:00:0a");
	} else if (mac_taken(m, use, &by)) {
		diag_error(diag, node->pos,
			   "%s is the address of guest "
			   "\"%s\" already",
			   node->text, by);
		diag_advise(diag, "give each use of a device its own");
	}
}

/* One element of a guest's devices; false if it is of no use to go on. */
static bool read_use(struct machine *m, struct machine_guest *g,
		     const struct node *map, struct diag *diag)
{
	static const char *const keys[] = { "use", "mac", "weight", "pcap",
					    "dmaWindow" };
	struct machine_use *use = &g->use[g->uses];
	int device;

	*use = (struct machine_use){ .weight = 1 };
	if (node_expect(map, NODE_MAP, "a device that the guest uses", diag))
		return false;
	(void)!node_known(map, "a use of a device", keys, ARRAY_LEN(keys),
			  diag);
	get_number(map, "weight", "a weight", 1, MACHINE_MAX_WEIGHT,
		   &use->weight, diag);
	use->pcap = get_string(map, "pcap", "a capture file", MAX_PATH, diag);
	get_pages(map, "dmaWindow", "a DMA window", PAGE, &use->dma_window,
		  diag);
	read_mac(m, node_get(map, "mac"), use, diag);
	if (!need_string(map, "use", "the device's name",
			 m->devices ? m->device[0].name : "nic0", map->pos,
			 diag))
		return true;
	device = find_device(m, node_get(map, "use"), diag);
	if (device < 0)
		return true;
	for (unsigned int u = 0; u < g->uses; u++)
		if (g->use[u].device == (unsigned int)device)
			diag_error(diag, node_get(map, "use")->pos,
				   "guest \"%s\" uses \"%s\" already", g->name,
				   m->device[device].name);
	use->device = (unsigned int)device;
	if (++m->device[device].users == DMM_MAX_GUESTS + 1)
		diag_error(diag, map->pos, "more than %u guests use \"%s\"",
			   DMM_MAX_GUESTS, m->device[device].name);
	return true;
}

static void read_uses(struct machine *m, struct machine_guest *g,
		      const struct node *list, struct diag *diag)
{
	if (!list || node_expect(list, NODE_SEQ, "a list of devices", diag))
		return;
	for (size_t i = 0; i < list->n; i++) {
		if (g->uses == MACHINE_MAX_DEVICES) {
			diag_error(diag, list->at[i]->pos,
				   "more than %u devices in a guest",
				   MACHINE_MAX_DEVICES);
			return;
		}
		if (read_use(m, g, list->at[i], diag))
			g->uses++;
	}
}

/* A word, or a mapping that says where its socket is. */
static void read_console(const struct node *node, struct machine_guest *g,
			 struct diag *diag)
{
	static const char *const words[] = { "terminal", "pty" };
	static const char *const keys[] = { "socket" };
	unsigned int i;

	if (!node)
		return;
	if (node->kind != NODE_MAP) {
		if (!node_word(node, "a console", words, ARRAY_LEN(words), &i,
			       diag))
			g->console = i ? CONSOLE_PTY : CONSOLE_TERMINAL;
		return;
	}
	(void)!node_known(node, "a console", keys, ARRAY_LEN(keys), diag);
	g->socket = need_string(node, "socket", "where its socket is",
				"guest.sock", node->pos, diag);
	g->console = CONSOLE_SOCKET;
}

static void read_guest(struct machine *m, const struct node *key,
		       const struct node *map, struct diag *diag)
{
	static const char *const keys[] = { "image",   "kernel",   "initrd",
					    "memory",  "cpus",	   "cmdline",
					    "timeout", "watchdog", "log",
					    "policy",  "reboot",   "console",
					    "devices" };
	struct machine_guest *g = &m->guest[m->guests++];
	const struct node *cmdline;

	*g = (struct machine_guest){ .name = key->text,
				     .pos = key->pos,
				     .cmdline = "",
				     .memory = UINT64_C(64) << 20,
				     .cpus = 1 };
	check_name(key, "a guest", diag);
	if (node_expect(map, NODE_MAP, "a guest's keys", diag))
		return;
	(void)!node_known(map, "a guest", keys, ARRAY_LEN(keys), diag);
	/* "kernel" is the word of those who boot one */
	g->image = need_string(map,
			       node_get(map, "kernel") ? "kernel" : "image",
			       "the file to boot", "guest.elf", g->pos, diag);
	if (node_get(map, "kernel") && node_get(map, "image"))
		diag_error(diag, g->pos,
			   "image and kernel are the same: give "
			   "one");
	g->initrd = get_string(map, "initrd", "an initial RAM disk", MAX_PATH,
			       diag);
	cmdline = node_get(map, "cmdline");
	if (cmdline && cmdline->kind == NODE_SCALAR && !*cmdline->text)
		cmdline = NULL; /* an empty one is one */
	if (cmdline)
		g->cmdline = get_string(map, "cmdline", "a command line",
					MAX_CMDLINE, diag);
	g->log = get_string(map, "log", "a log file", MAX_PATH, diag);
	get_pages(map, "memory", "a guest's memory", MACHINE_MIN_MEMORY,
		  &g->memory, diag);
	get_number(map, "cpus", "a number of processors", 1, MACHINE_MAX_CPUS,
		   &g->cpus, diag);
	get_time(map, "timeout", "a timeout", &g->timeout_ns, diag);
	get_time(map, "watchdog", "a watchdog's time", &g->watchdog_ns, diag);
	g->policy = get_word(map, "policy", "a policy", machine_policies,
			     MACHINE_POLICIES, DMM_IGNORE, diag);
	g->reboots = get_word(map, "reboot", "what a reboot does",
			      machine_reboots, MACHINE_REBOOTS, 1, diag);
	read_console(node_get(map, "console"), g, diag);
	read_uses(m, g, node_get(map, "devices"), diag);
}

static void read_guests(const struct node *root, struct machine *m,
			struct diag *diag)
{
	const struct node *map = node_get(root, "guests");

	if (map && node_expect(map, NODE_MAP, "guests by name", diag))
		return;
	if (!map || !map->n) {
		diag_error(diag, map ? map->pos : root->pos,
			   "there is no guest");
		diag_advise(diag, "for example: "
				  "guests: { alpha: { image: guest.elf } }");
		return;
	}
	for (size_t i = 0; i < map->n; i++) {
		if (m->guests == MACHINE_MAX_GUESTS) {
			diag_error(diag, map->key[i]->pos,
				   "more than %u guests", MACHINE_MAX_GUESTS);
			return;
		}
		read_guest(m, map->key[i], map->at[i], diag);
	}
}

/* ---- the whole ---- */

/* What can be said of a device only when all its users are known. */
static void check_users(const struct machine *m, struct diag *diag)
{
	for (unsigned int i = 0; i < m->devices; i++) {
		const struct machine_device *d = &m->device[i];

		if (!d->users) {
			diag_warning(diag, d->pos, "no guest uses \"%s\"",
				     d->name);
		} else if (d->users > 1 && d->share.how == DMM_EXCLUSIVE) {
			diag_error(diag, d->pos,
				   "\"%s\" is exclusive, and "
				   "%u guests use it",
				   d->name, d->users);
			diag_advise(diag, "share: { how: lease } lets them");
		}
	}
}

/* By the IOMMU alone: one guest, and a backend that has one. */
static void check_alone(const struct machine *m, struct diag *diag)
{
	for (unsigned int i = 0; i < m->devices; i++) {
		const struct machine_device *d = &m->device[i];

		if (!d->share.alone)
			continue;
		if (strcmp(d->backend, "vfio") != 0) {
			diag_error(diag, d->pos,
				   "\"%s\": protect: iommu, and backend %s "
				   "has none",
				   d->name, d->backend);
			diag_advise(diag, "only vfio has");
		} else if (d->users > 1 || (d->share.how != DMM_HOW_DEFAULT &&
					    d->share.how != DMM_EXCLUSIVE)) {
			diag_error(diag, d->pos,
				   "\"%s\": protect: iommu is for one guest "
				   "that has the card alone",
				   d->name);
			diag_advise(diag, "share: { how: exclusive, protect: "
					  "iommu }, or without protect");
		}
	}
}

/* A card has one address of its own: only one guest can go without. */
static void check_macs(const struct machine *m, struct diag *diag)
{
	for (unsigned int g = 0; g < m->guests; g++) {
		const struct machine_guest *guest = &m->guest[g];

		for (unsigned int u = 0; u < guest->uses; u++) {
			const struct machine_use *use = &guest->use[u];
			const struct machine_device *d =
				&m->device[use->device];

			if (use->has_mac || d->users < 2)
				continue;
			diag_error(diag, guest->pos,
				   "guest \"%s\" shares "
				   "\"%s\" but has no address on it",
				   guest->name, d->name);
			diag_advise(diag,
				    "for example mac: "
				    "52:54:00:00:00:%02x",
				    10 + g);
		}
	}
}

int machine_parse(struct machine **out, const char *text, size_t len,
		  struct diag *diag)
{
	static const char *const keys[] = { "devices", "guests" };
	unsigned int errors = diag->errors;
	const struct node *root;
	struct machine *m = calloc(1, sizeof(*m));
	int err = -ENOMEM;

	if (!m)
		return -ENOMEM;
	err = load_yaml(&m->tree, &root, text, len, diag);
	if (err)
		goto out;
	(void)!node_known(root, "a machine file", keys, ARRAY_LEN(keys), diag);
	read_devices(node_get(root, "devices"), m, diag);
	read_guests(root, m, diag);
	if (diag->errors == errors) {
		check_users(m, diag);
		check_alone(m, diag);
		check_macs(m, diag);
	}
	err = diag->errors == errors ? 0 : -EINVAL;
out:
	if (err)
		machine_free(m);
	else
		*out = m;
	return err;
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_owned; i++)
		free(m->owned[i]);
	free(m->owned);
	load_free(m->tree);
	free(m);
}
