// SPDX-License-Identifier: MIT
/*
 * kvm_route.c: KVM's table of interrupts: the lines, as KVM has them by
 * itself, and messages behind them.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_impl.h"
#include "log.h"

#define PIC_LINES 16u
#define LINES 24u /* of the IOAPIC */

struct hv_routes {
	unsigned int messages;
	struct kvm_irq_routing_entry message[HV_ROUTES];
};

static void add_line(struct kvm_irq_routing *table, unsigned int gsi,
		     unsigned int chip, unsigned int pin)
{
	table->entries[table->nr++] = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

/* All of it: KVM takes no part. */
static int write_table(struct hv *hv)
{
	const struct hv_routes *r = hv->routes;
	size_t most = LINES + PIC_LINES + r->messages;
	struct kvm_irq_routing *table;
	unsigned int i;
	int rc;

	table = xcalloc(1, sizeof(*table) + most * sizeof(table->entries[0]));
	for (i = 0; i < LINES; i++) {
		if (i < PIC_LINES)
			add_line(table, i,
				 i < 8 ? KVM_IRQCHIP_PIC_MASTER :
					 KVM_IRQCHIP_PIC_SLAVE,
				 i % 8);
		add_line(table, i, KVM_IRQCHIP_IOAPIC, i);
	}
	for (i = 0; i < r->messages; i++)
		if (r->message[i].type)
			table->entries[table->nr++] = r->message[i];
	rc = hv_ioctl(hv->vm, KVM_SET_GSI_ROUTING, table);
	free(table);
	return rc;
}

int hv_route_new(struct hv *hv, unsigned int *gsi)
{
	int rc = 0;

	pthread_mutex_lock(&hv->routes_lock);
	if (!hv->routes)
		hv->routes = xcalloc(1, sizeof(*hv->routes));
	if (hv->routes->messages == HV_ROUTES)
		rc = -ENOSPC;
	else
		*gsi = LINES + hv->routes->messages++;
	pthread_mutex_unlock(&hv->routes_lock);
	return rc;
}

int hv_route(struct hv *hv, unsigned int gsi, uint64_t addr, uint32_t data)
{
	struct kvm_irq_routing_entry *e;
	int rc = 0;

	pthread_mutex_lock(&hv->routes_lock);
	e = &hv->routes->message[gsi - LINES];
	if (e->type != KVM_IRQ_ROUTING_MSI ||
	    e->u.msi.address_lo != (uint32_t)addr ||
	    e->u.msi.address_hi != (uint32_t)(addr >> 32) ||
	    e->u.msi.data != data) {
		*e = (struct kvm_irq_routing_entry){
			.gsi = gsi,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi = { .address_lo = (uint32_t)addr,
				   .address_hi = (uint32_t)(addr >> 32),
				   .data = data },
		};
		rc = write_table(hv);
	}
	pthread_mutex_unlock(&hv->routes_lock);
	return rc;
}
