// SPDX-License-Identifier: MIT
/*
 * costs.c: names of costs, and costs in files.
 */

#include "costs.h"

#include <inttypes.h>

static const struct {
	const char *key, *what;
} names[COSTS] = {
	[COST_PIO_READ] = { "pio_read", "a port read, by user space" },
	[COST_PIO_WRITE] = { "pio_write", "a port write, by user space" },
	[COST_MMIO_READ] = { "mmio_read", "a memory read, by user space" },
	[COST_MMIO_WRITE] = { "mmio_write", "a memory write, by user space" },
	[COST_IOEVENTFD] = { "ioeventfd", "a write that rings an eventfd" },
	[COST_COALESCED] = { "coalesced", "a write into the coalesced ring" },
	[COST_READONLY] = { "readonly", "a read of a read-only slot" },
	[COST_IRQFD] = { "irqfd", "an interrupt by eventfd" },
	[COST_WAKEUP] = { "wakeup", "a thread that sleeps is woken" },
	[COST_SWITCH_MERGE] = { "switch_merge", "the next guest, by merge" },
	[COST_SWITCH_LEASE] = { "switch_lease", "the next guest, by lease" },
	[COST_ACCESS] = { "access", "the monitor, where no rule fires" },
	[COST_STEP] = { "step", "the monitor, where the model steps" },
	[COST_USER_EXCEPTION] = { "user_exception",
				  "HA-IOV's, in place of an exit" },
	[COST_EVENT_INTERRUPT] = { "event_interrupt",
				   "HA-IOV's, in place of a doorbell's exit" },
};

const char *costs_key(enum cost c)
{
	return names[c].key;
}

const char *costs_what(enum cost c)
{
	return names[c].what;
}

void costs_read(struct costs *c, const struct node *map, struct diag *diag)
{
	const char *keys[COSTS];
	const struct node *node;
	unsigned int i;

	if (node_expect(map, NODE_MAP, "costs: times by name", diag))
		return;
	for (i = 0; i < COSTS; i++)
		keys[i] = names[i].key;
	(void)!node_known(map, "costs", keys, COSTS, diag);
	for (i = 0; i < COSTS; i++) {
		node = node_get(map, names[i].key);
		if (!node || node_time(node, "a time", &c->ns[i], diag))
			continue;
		c->known[i] = true;
		if (c->ns[i] <= UINT64_C(3600000000000))
			continue;
		c->ns[i] = 0;
		diag_error(diag, node->pos, "a cost is at most an hour");
		diag_advise(diag, "give it as 8us, 120ns, 1ms");
	}
}

void costs_write(const struct costs *c, FILE *to)
{
	unsigned int i;

	fputs("# What things cost here, by vpio calibrate; for\n"
	      "# vpio replay --what-if\n"
	      "costs:\n",
	      to);
	for (i = 0; i < COSTS; i++)
		if (c->known[i])
			fprintf(to, "  %s: %" PRIu64 "ns # %s\n", names[i].key,
				c->ns[i], names[i].what);
}
