/* SPDX-License-Identifier: MIT */
/*
 * libpci.c: opening libpci, with its messages turned into ours.
 */

#include <pci/pci.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "file.h"
#include "libpci.h"
#include "log.h"

/* libpci would say no more than that it cannot. */
static void check_dump(const char *command, const char *path)
{
	char *text, *why = NULL;
	size_t len;

	if (file_read(path, 64u << 20, &text, &len, &why))
		fatalx("%s: %s", command, why);
	free(text);
}

__attribute__((noreturn)) static void pci_failed(char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fatalx("libpci: %s", text);
}

static void pci_said(char *fmt, ...)
{
	(void)fmt; /* what it misses, the columns show */
}

struct pci_access *libpci_open(const char *command, char *dump)
{
	struct pci_access *pci;

	if (dump)
		check_dump(command, dump);
	pci = pci_alloc();
	pci->error = pci_failed;
	pci->warning = pci_said;
	pci->debug = pci_said;
	if (dump) {
		pci->method = PCI_ACCESS_DUMP;
		pci_set_param(pci, (char *)"dump.name", dump);
	} else if (access("/sys/bus/pci", F_OK)) {
		fatalx("%s: this machine has no PCI bus (/sys/bus/pci)",
		       command);
	}
	/* Names from pci.ids alone; the other source leaks what it opens. */
	pci_set_param(pci, (char *)"hwdb.disable", (char *)"1");
	pci_init(pci);
	pci_scan_bus(pci);
	return pci;
}
