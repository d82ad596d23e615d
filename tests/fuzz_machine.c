/* SPDX-License-Identifier: MIT */
/*
 * fuzz_machine.c: any bytes as a machine file, and what becomes of it when
 * flags change it.
 */

#include <stdlib.h>
#include <string.h>

#include "../vmm/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What machine.h promises to those who read a machine and check nothing. */
static void check(const struct machine *m)
{
	if (!m->guests || m->guests > MACHINE_MAX_GUESTS ||
	    m->devices > MACHINE_MAX_DEVICES)
		abort();
	for (unsigned int i = 0; i < m->devices; i++)
		if (!m->device[i].model || !m->device[i].backend ||
		    m->device[i].conf->kind != NODE_MAP)
			abort();
	for (unsigned int g = 0; g < m->guests; g++) {
		const struct machine_guest *guest = &m->guest[g];

		if (!guest->image || !guest->cmdline || !guest->cpus ||
		    guest->memory < MACHINE_MIN_MEMORY ||
		    guest->memory % 4096 || strlen(guest->name) > 32 ||
		    (guest->console == CONSOLE_SOCKET) != !!guest->socket)
			abort();
		for (unsigned int u = 0; u < guest->uses; u++)
			if (guest->use[u].device >= m->devices ||
			    !guest->use[u].weight || (guest->use[u].mac[0] & 1))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine_changes changes = {
		.guests = size ? data[size - 1] % 70 : 0,
		.how = DMM_LEASE,
		.pcap_dir = "dir",
	};
	struct machine *m = NULL;
	char *why = NULL, *said;
	struct diag diag;

	diag_init(&diag, "fuzz");
	if (!machine_parse(&m, (const char *)data, size, &diag)) {
		check(m);
		if (machine_change(m, &changes, &why))
			free(why);
		else
			check(m);
		machine_free(m);
	} else if (!diag.errors) {
		abort();
	}
	said = diag_render(&diag, (const char *)data, size);
	free(said);
	diag_fini(&diag);
	return 0;
}
