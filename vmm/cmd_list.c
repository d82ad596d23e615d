/* SPDX-License-Identifier: MIT */
/*
 * cmd_list.c: vpio list: the PCI devices of this machine, or of a recorded
 * one, and the model that would serve each.
 */

#include <pci/pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "file.h"
#include "hostpci.h"
#include "json.h"
#include "libpci.h"
#include "log.h"
#include "models.h"
#include "options.h"
#include "table.h"

enum { OPTION_JSON, OPTION_DUMP, OPTION_HELP, OPTIONS };

static const struct option_spec specs[OPTIONS] = {
	[OPTION_JSON] = { 0, "json", NULL, "as JSON, for programs" },
	[OPTION_DUMP] = { 0, "dump", "FILE",
			  "another machine's devices, from what lspci -xxx\n"
			  "printed there" },
	[OPTION_HELP] = { 'h', "help", NULL, "this text" },
};

/* The parts that models serve, in the order in which they are looked at. */
struct part {
	struct dmm_match match;
	char *model;
};

struct parts {
	struct part *part;
	size_t n;
};

/* What is known of one device; strings are ours, NULL if not known. */
struct entry {
	char address[32];
	uint16_t vendor, device, class;
	char name[256], class_name[256];
	char *driver, *group;
	const char *model;
	bool looked;	 /* the rest is known: it is here, and has a model */
	bool uio;	 /* for backend uio, else vfio */
	char **obstacle; /* what stands between it and its use */
	size_t obstacles;
	char *caution;
};

static void add_model(void *ctx, const char *path)
{
	struct parts *parts = ctx;
	const struct dmm_match *match;
	struct dmm_model *model;
	struct model_file file;
	struct diag diag;
	char *why = NULL;
	size_t n;

	if (models_read(&file, path, &why)) {
		log_warnx("%s", why);
		free(why);
		return;
	}
	diag_init(&diag, path);
	if (dmm_model_parse(&model, file.text, file.len, &diag)) {
		log_warnx("%s is not a model: vpio model check says why", path);
		goto out;
	}
	match = dmm_model_match(model, &n);
	parts->part =
		realloc(parts->part, (parts->n + n + 1) * sizeof(*parts->part));
	if (!parts->part)
		fatalx("no memory for models");
	for (size_t i = 0; i < n; i++)
		parts->part[parts->n++] =
			(struct part){ match[i],
				       xstrdup(dmm_model_name(model)) };
	dmm_model_free(model);
out:
	diag_fini(&diag);
	models_free(&file);
}

static const char *model_for(const struct parts *parts, uint16_t vendor,
			     uint16_t device)
{
	for (size_t i = 0; i < parts->n; i++)
		if (parts->part[i].match.vendor == vendor &&
		    parts->part[i].match.device == device)
			return parts->part[i].model;
	return NULL;
}

/* ---- libpci ---- */

static int by_address(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->address,
		      ((const struct entry *)b)->address);
}

static void fill(struct entry *e, struct pci_access *pci, struct pci_dev *dev,
		 const struct parts *parts)
{
	char *s;

	pci_fill_info(dev, PCI_FILL_IDENT | PCI_FILL_CLASS |
				   PCI_FILL_IOMMU_GROUP | PCI_FILL_DRIVER);
	snprintf(e->address, sizeof(e->address), "%04x:%02x:%02x.%d",
		 dev->domain, dev->bus, dev->dev, dev->func);
	e->vendor = dev->vendor_id;
	e->device = dev->device_id;
	e->class = dev->device_class;
	pci_lookup_name(pci, e->name, sizeof(e->name),
			PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, dev->vendor_id,
			dev->device_id);
	pci_lookup_name(pci, e->class_name, sizeof(e->class_name),
			PCI_LOOKUP_CLASS, dev->device_class);
	s = pci_get_string_property(dev, PCI_FILL_DRIVER);
	e->driver = s ? xstrdup(s) : NULL;
	s = pci_get_string_property(dev, PCI_FILL_IOMMU_GROUP);
	e->group = s ? xstrdup(s) : NULL;
	e->model = model_for(parts, e->vendor, e->device);
}

static void add_obstacle(void *ctx, const char *text)
{
	struct entry *e = ctx;

	e->obstacle =
		realloc(e->obstacle, (e->obstacles + 1) * sizeof(*e->obstacle));
	if (!e->obstacle)
		fatalx("no memory for devices");
	e->obstacle[e->obstacles++] = xstrdup(text);
}

static void look_for_obstacles(struct entry *e)
{
	struct hostpci at;
	char *why = NULL;

	if (!e->model)
		return;
	if (hostpci_look(&at, "", e->address, &why)) {
		free(why); /* gone since */
		return;
	}
	e->looked = true;
	e->uio = !strcmp(at.driver, HOSTPCI_UIO);
	(e->uio ? hostpci_uio_obstacles : hostpci_obstacles)(&at, add_obstacle,
							     e);
	e->caution = hostpci_caution(&at);
}

static struct entry *read_devices(char *dump, const struct parts *parts,
				  size_t *n)
{
	struct pci_access *pci = libpci_open("list", dump);
	struct entry *entries;

	*n = 0;
	for (struct pci_dev *dev = pci->devices; dev; dev = dev->next)
		++*n;
	entries = xcalloc(*n, sizeof(*entries));
	*n = 0;
	for (struct pci_dev *dev = pci->devices; dev; dev = dev->next)
		fill(&entries[(*n)++], pci, dev, parts);
	for (size_t i = 0; !dump && i < *n; i++)
		look_for_obstacles(&entries[i]);
	qsort(entries, *n, sizeof(*entries), by_address);
	pci_cleanup(pci);
	return entries;
}

/* ---- output ---- */

static void print_obstacles(const struct entry *e)
{
	if (!e->looked)
		return;
	putchar('\n');
	if (!e->obstacles)
		printf("%s: ready: backend: %s, address: %s%s\n", e->address,
		       e->uio ? "uio" : "vfio", e->address,
		       e->uio ? ", unsafe: true" : "");
	for (size_t i = 0; i < e->obstacles; i++)
		printf("%s: %s\n", e->address, e->obstacle[i]);
	if (e->caution)
		printf("%s: %s\n", e->address, e->caution);
}

static void print_table(const struct entry *e, size_t n)
{
	static const char *const headings[] = { "address", "part",  "model",
						"driver",  "group", "name" };
	struct table t;

	table_open(&t);
	for (size_t i = 0; i < ARRAY_LEN(headings); i++)
		table_column(&t, headings[i],
			     strcmp(headings[i], "group") ? TABLE_LEFT :
							    TABLE_RIGHT);
	for (size_t i = 0; i < n; i++) {
		char part[16];

		snprintf(part, sizeof(part), "%04x:%04x", e[i].vendor,
			 e[i].device);
		table_text(&t, e[i].address);
		table_text(&t, part);
		table_text(&t, e[i].model);
		table_text(&t, e[i].driver);
		table_text(&t, e[i].group);
		table_text(&t, e[i].name);
	}
	table_print(&t, stdout, table_colour(stdout));
	table_close(&t);
	for (size_t i = 0; i < n; i++)
		print_obstacles(&e[i]);
}

/* Somebody looks for a device to use, and there is none. */
static void print_advice(const struct entry *e, size_t n,
			 const struct parts *parts)
{
	if (!parts->n) {
		puts("\nThere is no model in $VPIO_MODELS, ./models or " VPIO_SHARE
		     "/models: set $VPIO_MODELS.");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (e[i].model)
			return;
	puts("\nNo device here has a model: vpio model new begins one, and\n"
	     "backend: sim or qtest needs no device.");
}

static void json_obstacles(struct json *j, const struct entry *e)
{
	if (!e->looked)
		return;
	json_string(j, "backend", e->uio ? "uio" : "vfio");
	json_array(j, "obstacles");
	for (size_t i = 0; i < e->obstacles; i++)
		json_string(j, NULL, e->obstacle[i]);
	json_end(j);
	if (e->caution)
		json_string(j, "caution", e->caution);
}

static int print_json(const struct entry *e, size_t n)
{
	struct json j;

	json_open(&j, stdout);
	json_object(&j, NULL);
	json_array(&j, "devices");
	for (size_t i = 0; i < n; i++) {
		json_object(&j, NULL);
		json_string(&j, "address", e[i].address);
		json_u64(&j, "vendor", e[i].vendor);
		json_u64(&j, "device", e[i].device);
		json_u64(&j, "class", e[i].class);
		json_string(&j, "name", e[i].name);
		json_string(&j, "class_name", e[i].class_name);
		json_string(&j, "driver", e[i].driver);
		json_string(&j, "iommu_group", e[i].group);
		json_string(&j, "model", e[i].model);
		json_obstacles(&j, &e[i]);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	return json_close(&j) ? EXIT_BAD_RUN : 0;
}

static void help(void)
{
	puts("usage: vpio list [OPTION...]\n\n"
	     "The PCI devices of this machine: where each is, which part it\n"
	     "is, the model that would serve it (- if there is none), the\n"
	     "driver that has it now and its IOMMU group.  Then, for each\n"
	     "that has a model, what stands between it and its use by guests,\n"
	     "and what to do about it.\n");
	options_help(specs, OPTIONS, stdout);
}

static void entry_fini(struct entry *e)
{
	for (size_t i = 0; i < e->obstacles; i++)
		free(e->obstacle[i]);
	free(e->obstacle);
	free(e->caution);
	free(e->driver);
	free(e->group);
}

int cmd_list(int argc, char **argv)
{
	struct parts parts = { 0 };
	struct entry *entries;
	char *dump = NULL;
	bool json = false;
	struct options o;
	int option, status = 0;
	size_t n;

	options_init(&o, "list", specs, OPTIONS, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_END) {
		if (option == OPTION_JSON) {
			json = true;
		} else if (option == OPTION_DUMP) {
			dump = (char *)o.value;
		} else if (option == OPTION_HELP) {
			help();
			return 0;
		} else {
			fatalx("list: unexpected \"%s\"", o.value);
		}
	}
	models_each(add_model, &parts);
	entries = read_devices(dump, &parts, &n);
	if (dump && !n)
		fatalx("list: %s has no device: is it what lspci -xxx prints?",
		       dump);
	if (json) {
		status = print_json(entries, n);
	} else {
		print_table(entries, n);
		print_advice(entries, n, &parts);
	}
	for (size_t i = 0; i < n; i++)
		entry_fini(&entries[i]);
	free(entries);
	for (size_t i = 0; i < parts.n; i++)
		free(parts.part[i].model);
	free(parts.part);
	return status;
}
