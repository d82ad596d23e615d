/* SPDX-License-Identifier: MIT */
/*
 * cmd_model_new.c: vpio model new: the beginning of a model, from a part's
 * configuration space and from the registers that its vendor published.
 */

#include <errno.h>
#include <pci/pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../dmm/dmm.h"
#include "../dmm/fmt.h"
#include "cmd_model.h"
#include "file.h"
#include "hostpci.h"
#include "libpci.h"
#include "log.h"
#include "models.h"
#include "skeleton.h"

/* What --pci asks for: a part, or a place; neither: the one network card. */
struct wanted {
	int vendor, device; /* -1: any */
	char address[HOSTPCI_ADDRESS];
};

static struct wanted take_pci(const char *text)
{
	struct wanted w = { .vendor = -1, .device = -1 };
	unsigned int vendor, device;
	char more;

	if (!text)
		return w;
	if (strlen(text) == 9 &&
	    sscanf(text, "%4x:%4x%c", &vendor, &device, &more) == 2) {
		w.vendor = (int)vendor;
		w.device = (int)device;
	} else if (!hostpci_address(text, w.address)) {
		fatalx("model new: --pci %s: expected VVVV:DDDD (a part) or "
		       "an address such as 0000:01:00.0",
		       text);
	}
	return w;
}

static bool fits(const struct wanted *w, const struct pci_dev *dev)
{
	char address[32];

	if (w->vendor >= 0)
		return dev->vendor_id == w->vendor &&
		       dev->device_id == w->device;
	if (*w->address) {
		snprintf(address, sizeof(address), "%04x:%02x:%02x.%d",
			 dev->domain, dev->bus, dev->dev, dev->func);
		return !strcmp(address, w->address);
	}
	return dev->device_class >> 8 == PCI_BASE_CLASS_NETWORK;
}

static struct pci_dev *find(struct pci_access *pci, const struct wanted *w,
			    const struct model_options *o)
{
	struct pci_dev *found = NULL;

	for (struct pci_dev *dev = pci->devices; dev; dev = dev->next) {
		pci_fill_info(dev, PCI_FILL_IDENT | PCI_FILL_CLASS);
		if (!fits(w, dev))
			continue;
		/* several cards of a part are alike */
		if (found && !o->pci)
			fatalx("model new: there are several network cards: "
			       "say which by --pci (vpio list shows them)");
		found = found ? found : dev;
	}
	if (!found && o->dump)
		fatalx("model new: %s has no %s; vpio list --dump %s shows "
		       "what it has",
		       o->dump, o->pci ? o->pci : "network card", o->dump);
	if (!found)
		fatalx("model new: this machine has no %s; vpio list shows "
		       "what it has, and --dump takes what lspci -xxx printed "
		       "elsewhere",
		       o->pci ? o->pci : "network card");
	return found;
}

/* PCI Local Bus Specification 3.0, 6.2.5.1; sizes are the kernel's. */
static void take_bars(struct skeleton_part *part, struct pci_dev *dev)
{
	for (int i = 0; i < 6; i++) {
		uint32_t v = pci_read_long(dev, PCI_BASE_ADDRESS_0 + 4 * i);
		struct skeleton_bar *bar = &part->bar[i];

		bar->size = dev->known_fields & PCI_FILL_SIZES ?
				    (uint64_t)dev->size[i] :
				    0;
		if (!v && !bar->size)
			continue;
		bar->there = true;
		bar->io = v & PCI_BASE_ADDRESS_SPACE_IO;
		bar->wide = !bar->io && (v & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
						PCI_BASE_ADDRESS_MEM_TYPE_64;
		i += bar->wide;
	}
}

static void take_part(struct skeleton_part *part, struct pci_access *pci,
		      struct pci_dev *dev)
{
	pci_fill_info(dev, PCI_FILL_BASES | PCI_FILL_SIZES | PCI_FILL_CAPS |
				   PCI_FILL_EXT_CAPS);
	part->there = true;
	part->vendor = dev->vendor_id;
	part->device = dev->device_id;
	part->revision = pci_read_byte(dev, PCI_REVISION_ID);
	part->pin = pci_read_byte(dev, PCI_INTERRUPT_PIN);
	part->pin = part->pin <= 4 ? part->pin : 0;
	part->subvendor = pci_read_word(dev, PCI_SUBSYSTEM_VENDOR_ID);
	part->subdevice = pci_read_word(dev, PCI_SUBSYSTEM_ID);
	pci_lookup_name(pci, part->name, sizeof(part->name),
			PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, dev->vendor_id,
			dev->device_id);
	take_bars(part, dev);
	for (struct pci_cap *c = dev->first_cap; c; c = c->next)
		if (part->caps < SKELETON_CAPS)
			part->cap[part->caps++] = (struct skeleton_cap){
				.id = c->id,
				.at = c->addr,
				.extended = c->type == PCI_CAP_EXTENDED
			};
}

static void read_pci(struct skeleton_part *part, const struct model_options *o)
{
	struct wanted w = take_pci(o->pci);
	struct pci_access *pci;
	bool any = false;

	if (!o->pci && !o->dump)
		return;
	pci = libpci_open("model new", o->dump);
	take_part(part, pci, find(pci, &w, o));
	pci_cleanup(pci);
	for (int i = 0; i < 6; i++)
		any |= part->bar[i].there;
	if (!any)
		log_warnx("model new: no BAR of it can be seen: it is not "
			  "configured; bar0 is a guess");
}

static void read_svd(struct svd *svd, const char *path)
{
	char *text, *why = NULL;
	size_t len;
	int err;

	if (file_read(path, SVD_MAX_BYTES, &text, &len, &why))
		fatalx("model new: %s", why);
	err = svd_read(svd, text, len, &why);
	free(text);
	if (err == -ENOMEM)
		fatalx("model new: no memory for %s", path);
	if (err)
		fatalx("model new: %s: %s", path, why);
	if (!svd->regs)
		log_warnx("model new: %s has no register that a model can have",
			  path);
}

static char *describe(const struct model_options *o)
{
	const char *pci = o->dump ? "a dump by lspci" :
			  o->pci  ? "a card's configuration space" :
				    "";
	const char *svd = o->svd ? "a CMSIS-SVD file" : "";

	return xasprintf("%s%s%s", pci, *pci && *svd ? " and " : "", svd);
}

/*
 * In the layout that vpio model fmt gives, and a model: else what is wrong is
 * ours, and is said.
 */
static void finish(char **text, size_t *len)
{
	struct dmm_model *model;
	struct diag diag;
	char *out;

	diag_init(&diag, "(skeleton)");
	if (fmt_text(&out, len, *text, *len, &diag) ||
	    dmm_model_parse(&model, out, *len, &diag)) {
		models_say(&diag, *text, strlen(*text));
		fatalx("model new: what came of it is not a model (above)");
	}
	free(*text);
	*text = out;
	dmm_model_free(model);
	diag_fini(&diag);
}

int model_new(int n, char **names, const struct model_options *o)
{
	struct skeleton_part part = { .there = false };
	struct svd svd = { .name = "" };
	char *text = NULL, *from;
	FILE *to;
	size_t len;

	if (n)
		fatalx("model new: unexpected \"%s\"; the name of the file "
		       "goes behind -o",
		       names[0]);
	if (!o->pci && !o->dump && !o->svd)
		fatalx("model new: of what? --pci VVVV:DDDD, --pci ADDRESS, "
		       "--dump FILE or --svd FILE");
	read_pci(&part, o);
	if (o->svd)
		read_svd(&svd, o->svd);
	from = describe(o);
	to = open_memstream(&text, &len);
	if (!to)
		fatal("model new: no memory");
	skeleton_write(to, &part, o->svd ? &svd : NULL, from);
	if (fclose(to))
		fatal("model new: no memory");
	finish(&text, &len);
	to = o->output ? fopen(o->output, "wxe") : stdout;
	if (!to)
		fatal("model new: cannot make %s", o->output);
	if (fwrite(text, 1, len, to) != len || fflush(to) ||
	    (o->output && fclose(to)))
		fatal("model new: cannot write %s",
		      o->output ? o->output : "standard output");
	svd_free(&svd);
	free(from);
	free(text);
	return 0;
}
