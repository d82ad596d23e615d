/* SPDX-License-Identifier: MIT */
/*
 * nic.c: choose the NIC's driver, and how to wait for the NIC.
 */

#include "nic.h"

static const struct nic_driver *const drivers[] = {
	&ne2k_driver,
	&e1000_driver,
	&rtl8139_driver,
	&pcnet_driver,
};

static void use_interrupt(struct nic *nic)
{
	if (nic->irq == 0xff) {
		say("irq: no line, polling\n");
		return;
	}
	if (!irq_start()) {
		say("irq: none arrives on this machine, polling\n");
		return;
	}
	irq_enable(nic->irq);
	nic->driver->irq_on(nic);
	nic->irq_used = true;
	say("irq: line %u\n", nic->irq);
}

void nic_open(struct nic *nic)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(drivers); i++) {
		if (option("nic") && !option_is("nic", drivers[i]->name))
			continue;
		*nic = (struct nic){ .driver = drivers[i], .irq = 0xff };
		if (!drivers[i]->probe(nic))
			continue;
		say("nic: %s %M\n", nic->driver->name, nic->mac);
		if (option("irq"))
			use_interrupt(nic);
		return;
	}
	fail("no NIC found");
}

/* A line that is still up interrupts again, so no call is lost if the driver
 * leaves a cause standing. */
bool nic_called(struct nic *nic)
{
	uint32_t count;

	if (!nic->irq_used)
		return true;
	irq_window();
	count = irq_counts[nic->irq];
	if (count == nic->irq_seen)
		return false;
	nic->irq_seen = count;
	return true;
}

bool nic_post(struct nic *nic, const struct nic_frame *frame)
{
	static uint8_t whole[FRAME_MAX + 2];
	size_t len = frame->head_len + frame->data_len;

	if (nic->driver->post)
		return nic->driver->post(nic, frame);
	if (len > FRAME_MAX)
		return false;
	memcpy(whole, frame->head, frame->head_len);
	memcpy(whole + frame->head_len, frame->data, frame->data_len);
	if (!nic->driver->send(nic, whole, len))
		return false;
	nic->posted++;
	nic->sent++;
	return true;
}

void nic_kick(struct nic *nic)
{
	if (nic->driver->kick)
		nic->driver->kick(nic);
}

void nic_idle(const struct nic *nic)
{
	if (nic->irq_used)
		irq_wait();
	else
		pause();
}
