// SPDX-License-Identifier: MIT
/*
 * cmd_bind.c: vpio bind, vpio unbind: take a PCI device from the host's driver
 * for guests, and give it back.
 *
 * Nothing is noted anywhere: the kernel chooses a driver anew at unbind.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "hostpci.h"
#include "log.h"
#include "options.h"

enum { OPTION_DRIVER, OPTION_UIO, OPTION_FORCE, OPTION_HELP, OPTIONS };

static const struct option_spec bind_specs[OPTIONS] = {
	[OPTION_DRIVER] = { 0, "driver", "NAME",
			    "give it to this one: " HOSTPCI_VFIO
			    " if not said" },
	[OPTION_UIO] = { 0, "uio", NULL,
			 "give it to " HOSTPCI_UIO ", for backend uio: on a\n"
			 "machine without an IOMMU" },
	[OPTION_FORCE] = { 0, "force", NULL,
			   "even if a network interface on it is up" },
	[OPTION_HELP] = { 'h', "help", NULL, "this text" },
};

static const struct option_spec unbind_specs[] = {
	{ 'h', "help", NULL, "this text" },
};

static struct hostpci look(const char *command, const char *word)
{
	char address[HOSTPCI_ADDRESS], *why = NULL;
	struct hostpci at;

	if (!word)
		fatalx("%s: which device? vpio list shows addresses", command);
	if (!hostpci_address(word, address))
		fatalx("%s: \"%s\" is no PCI address, such as 0000:01:00.0",
		       command, word);
	if (hostpci_look(&at, "", address, &why))
		fatalx("%s: %s", command, why);
	return at;
}

static void say(void *ctx, const char *text)
{
	(void)ctx;
	log_warnx("%s", text);
}

/* It is bound: what else there is, for its use by a backend. */
static void say_rest(const char *driver, const char *address)
{
	bool uio = !strcmp(driver, HOSTPCI_UIO);
	char *why = NULL, *caution;
	struct hostpci at;

	if ((!uio && strcmp(driver, HOSTPCI_VFIO)) ||
	    hostpci_look(&at, "", address, &why)) {
		free(why);
		return;
	}
	(uio ? hostpci_uio_obstacles : hostpci_obstacles)(&at, say, NULL);
	caution = hostpci_caution(&at);
	if (caution)
		log_warnx("%s", caution);
	free(caution);
}

static void take_word(const char **word, const struct options *o)
{
	if (*word)
		fatalx("%s: one device, not \"%s\" and \"%s\"", o->command,
		       *word, o->value);
	*word = o->value;
}

int cmd_bind(int argc, char **argv)
{
	const char *word = NULL, *driver = HOSTPCI_VFIO;
	bool force = false;
	struct hostpci at;
	struct options o;
	char *why = NULL;
	int option;

	options_init(&o, "bind", bind_specs, OPTIONS, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_END) {
		if (option == OPTION_DRIVER) {
			driver = o.value;
		} else if (option == OPTION_UIO) {
			driver = HOSTPCI_UIO;
		} else if (option == OPTION_FORCE) {
			force = true;
		} else if (option == OPTION_HELP) {
			puts("usage: vpio bind ADDRESS [OPTION...]\n\n"
			     "Takes a PCI device from the host's driver, for "
			     "guests to use.\n");
			options_help(bind_specs, OPTIONS, stdout);
			return 0;
		} else {
			take_word(&word, &o);
		}
	}
	at = look("bind", word);
	if (hostpci_bind(&at, "", driver, force, &why))
		fatalx("bind: %s", why);
	printf("%s: %s has it%s\n", at.address, driver,
	       strcmp(at.driver, driver) ? "" : " already");
	say_rest(driver, at.address);
	return 0;
}

int cmd_unbind(int argc, char **argv)
{
	const char *word = NULL;
	struct hostpci at;
	struct options o;
	char *why = NULL;
	int option;

	options_init(&o, "unbind", unbind_specs, ARRAY_LEN(unbind_specs), argc,
		     argv);
	while ((option = options_next(&o)) != OPTIONS_END) {
		if (option == OPTIONS_WORD) {
			take_word(&word, &o);
			continue;
		}
		puts("usage: vpio unbind ADDRESS\n\n"
		     "Gives a PCI device back to the host: to the driver that "
		     "the\nkernel chooses.\n");
		options_help(unbind_specs, ARRAY_LEN(unbind_specs), stdout);
		return 0;
	}
	at = look("unbind", word);
	if (hostpci_unbind(&at, "", &why))
		fatalx("unbind: %s", why);
	at = look("unbind", word);
	printf("%s: %s\n", at.address,
	       *at.driver ? at.driver : "no driver of the host's wants it");
	return 0;
}
