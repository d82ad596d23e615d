/* SPDX-License-Identifier: MIT */
/*
 * sim_e1000.c: a simulated Intel 82540EM as its surroundings see it: PCI, the
 * bus, the interrupt pin, its resets.  sim_e1000.h names the other files.
 *
 * It is as dangerous as the parts one meets, for a monitor is to be tested on
 * it.  In these it does as QEMU's part, where the manual is silent:
 *  - a DMA that fails is not told: what cannot be read is zeros, TDH and RDH
 *    move, DD is set;
 *  - bytes without EOP stay in the part, and CTRL.RST does not clear them:
 *    they are the head of the next frame, whoever sends it;
 *  - offload contexts and the prototype header are remembered, over CTRL.RST
 *    too;
 *  - with bus mastering off, transmit descriptors are read as zeros and TDH
 *    moves; received frames stay in the FIFO;
 *  - a tail beyond its ring makes the part go around it, once a doorbell.
 * In these it does as the manual says, and QEMU's part does not:
 *  - the I/O window, the 82542's addresses and the packet buffer work;
 *  - frames wait in a receive FIFO while the ring is full, and while RCTL.EN
 *    is clear those that are in it stay;
 *  - TPR and TORL count what the filters refused, too;
 *  - CTRL.RST resets registers.
 * Interrupts are immediate: ITR, RDTR, RADV, TIDV and TADV are kept and have
 * no effect.  No clock is needed but for the wire's speed.
 */

#include <errno.h>
#include <string.h>

#include "sim_e1000.h"

/*
 * The bus.
 */

void e1000_dma_read(struct e1000 *e, uint64_t from, void *to, size_t len)
{
	if (!e->master || !e->host->dma_read ||
	    e->host->dma_read(e->ctx, from, to, len))
		memset(to, 0, len);
}

void e1000_dma_write(struct e1000 *e, uint64_t to, const void *from, size_t len)
{
	/* A failure changes nothing of what the part does. */
	if (e->master && e->host->dma_write)
		(void)e->host->dma_write(e->ctx, to, from, len);
}

static void e1000_bus_master(void *part, bool on)
{
	struct e1000 *e = part;

	e->master = on;
	if (on)
		e1000_arm(e);
}

/* ICR & IMS is the pin: SDM 3.2.7, 13.4.17. */
void e1000_irq(struct e1000 *e)
{
	bool level = e->icr & e->ims;

	if (level == e->level)
		return;
	e->level = level;
	e->host->irq(e->ctx, level);
}

void e1000_cause(struct e1000 *e, uint32_t causes)
{
	e->icr |= causes & ICR_ALL;
}

/*
 * Work.
 */

void e1000_arm(struct e1000 *e)
{
	e->host->arm(e->ctx, 0);
}

static void e1000_run(void *part)
{
	struct e1000 *e = part;
	uint64_t due = e1000_transmit(e);

	if (e1000_drain(e))
		due = 0;
	e1000_irq(e);
	if (due != SIM_NEVER)
		e->host->arm(e->ctx, due);
}

/*
 * The check sequence of IEEE 802.3, eight bytes at a time.
 */

static void fill_crc(struct e1000 *e)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
		e->crc[0][i] = crc;
	}
	for (unsigned int i = 0; i < 256; i++)
		for (unsigned int n = 1; n < 8; n++)
			e->crc[n][i] = e->crc[n - 1][i] >> 8 ^
				       e->crc[0][e->crc[n - 1][i] & 0xff];
}

uint32_t e1000_fcs(const struct e1000 *e, const uint8_t *data, size_t len)
{
	uint32_t crc = ~0u;

	for (; len >= 8; len -= 8, data += 8) {
		uint32_t low = crc ^ e1000_le32(data);
		uint32_t high = e1000_le32(data + 4);

		crc = e->crc[7][low & 0xff] ^ e->crc[6][low >> 8 & 0xff] ^
		      e->crc[5][low >> 16 & 0xff] ^ e->crc[4][low >> 24] ^
		      e->crc[3][high & 0xff] ^ e->crc[2][high >> 8 & 0xff] ^
		      e->crc[1][high >> 16 & 0xff] ^ e->crc[0][high >> 24];
	}
	for (; len; len--, data++)
		crc = crc >> 8 ^ e->crc[0][(crc ^ *data) & 0xff];
	return ~crc;
}

/*
 * Resets.
 */

/*
 * The receive FIFO is empty and has the size that PBA gave it: SDM 13.4.16.
 * What lies in the packet buffer stays.
 */
static void flush_fifos(struct e1000 *e)
{
	uint32_t kib = e1000_get(e, R_PBA) & 0xffff;

	kib = kib < 1 ? 1 : kib;
	kib = kib > 63 ? 63 : kib;
	e->rx.size = kib * 1024;
	e->rx.used = 0;
	e->rx.first = 0;
	e->rx.count = 0;
	e->rx.done = 0;
	e->rx.descs = 0;
	e1000_set(e, R_TDFH, e->rx.size / 8);
	e1000_set(e, R_TDFT, e->rx.size / 8);
}

/*
 * CTRL.RST: SDM 13.4.1, 14.7.  The PHY, the packet buffer and PCI are not
 * reset; the frame that is being gathered should be, and is not (see above).
 */
void e1000_software_reset(struct e1000 *e)
{
	e1000_regs_reset(e, false);
	e->icr = 0;
	e->ims = 0;
	e->tx.busy = false;
	e->tx.left = 0;
	e->tx.quota = 0;
	e1000_eecd_write(e, 0);
	flush_fifos(e);
	e1000_nvm_load(e);
	e1000_link(e);
	e->icr = 0; /* whatever the link did */
	e1000_irq(e);
}

/* All but the EEPROM, which keeps what was written to it. */
static void e1000_power_on(struct e1000 *e)
{
	e->ioaddr = 0;
	e->icr = 0;
	e->ims = 0;
	memset(e->reg, 0, sizeof(e->reg));
	memset(&e->wire, 0, sizeof(e->wire));
	memset(&e->tx, 0, sizeof(e->tx));
	memset(&e->rx, 0, sizeof(e->rx));
	memset(e->pbm, 0, sizeof(e->pbm));
	e1000_regs_reset(e, true);
	flush_fifos(e);
	e1000_nvm_load(e);
	e->link = true;
	e1000_phy_reset(e);
	e->phy_dropped = false;
	e1000_link(e);
	e->icr = 0;
	e->host->arm(e->ctx, SIM_NEVER);
	e1000_irq(e);
}

static void e1000_reset(void *part)
{
	e1000_power_on(part);
}

static int e1000_init(void *part, const struct sim_conf *conf,
		      const struct sim_host *host, void *ctx)
{
	struct e1000 *e = part;

	if (conf->ram)
		return -EINVAL;
	e->host = host;
	e->ctx = ctx;
	e->conf = *conf;
	fill_crc(e);
	e1000_nvm_fill(e);
	e1000_power_on(e);
	return 0;
}

/*
 * Accesses.
 */

/* The bytes of an access that lie in the aligned four at (at). */
static uint32_t lanes(uint64_t at, uint64_t off, unsigned int width)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < 4; i++)
		if (cc_within(at + i, 1, off, width))
			mask |= 0xffu << (8 * i);
	return mask;
}

/* SDM 13.2.2: undefined between the registers and the flash; none here. */
static uint32_t io_read(struct e1000 *e, uint64_t at)
{
	if (at == E1000_IOADDR)
		return e->ioaddr;
	if (at == E1000_IODATA && e->ioaddr < E1000_MEM_SIZE)
		return e1000_reg_read(e, e->ioaddr & ~3u);
	return 0;
}

/* "Writes that are less than 32 bits are ignored": SDM 13.2.2.1, 13.2.2.2. */
static void io_write(struct e1000 *e, uint64_t at, uint32_t value,
		     uint32_t mask)
{
	if (mask != UINT32_MAX)
		return;
	if (at == E1000_IOADDR)
		e->ioaddr = value & 0xfffff;
	else if (at == E1000_IODATA && e->ioaddr < E1000_MEM_SIZE)
		e1000_reg_write(e, e->ioaddr & ~3u, value, mask);
}

/*
 * Registers are words of 32 bits: SDM 13.1.  Another access is one to each
 * word in turn, of those bytes that PCI's byte enables name.
 */
static uint64_t e1000_read(void *part, unsigned int bar, uint64_t off,
			   unsigned int width)
{
	struct e1000 *e = part;
	uint64_t value = 0;

	for (uint64_t at = off & ~UINT64_C(3); at < off + width; at += 4) {
		uint64_t word = bar == E1000_MEM_BAR ?
					e1000_reg_read(e, (unsigned int)at) :
					io_read(e, at);

		if (at < off)
			value |= word >> (8 * (off - at));
		else
			value |= word << (8 * (at - off));
	}
	return value & cc_ones(8 * width);
}

static void e1000_write(void *part, unsigned int bar, uint64_t off,
			unsigned int width, uint64_t value)
{
	struct e1000 *e = part;

	for (uint64_t at = off & ~UINT64_C(3); at < off + width; at += 4) {
		uint64_t word = at < off ? value << (8 * (off - at)) :
					   value >> (8 * (at - off));
		uint32_t mask = lanes(at, off, width);

		if (bar == E1000_MEM_BAR)
			e1000_reg_write(e, (unsigned int)at,
					(uint32_t)word & mask, mask);
		else
			io_write(e, at, (uint32_t)word, mask);
	}
}

static bool e1000_irq_level(const void *part)
{
	const struct e1000 *e = part;

	return e->level;
}

static void e1000_stats(const void *part, struct sim_stats *out)
{
	const struct e1000 *e = part;

	*out = e->stats;
}

/*
 * PCI configuration space: SDM 4.1.  The manual has I/O at BAR 2 and a window
 * of 32 bytes; QEMU's part has it at BAR 1 and 64 bytes, and so has this one,
 * for one model is to do for both.
 */
static void e1000_info(struct backend_info *info)
{
	static const uint8_t head[16] = {
		0x86, 0x80, 0x0e, 0x10, /* vendor and device */
		0x00, 0x00, 0x20, 0x02, /* command, status: 66 MHz, medium */
		0x02, 0x00, 0x00, 0x02, /* revision 2, Ethernet controller */
	};
	static const uint8_t subsystem[4] = { 0x86, 0x80, 0x1e, 0x00 };

	memset(info, 0, sizeof(*info));
	memcpy(info->config, head, sizeof(head));
	memcpy(info->config + 0x2c, subsystem, sizeof(subsystem));
	info->config[0x3d] = 1; /* INTA */
	info->config[0x3e] = 0xff;
	info->bar[E1000_MEM_BAR].space = BACKEND_MMIO;
	info->bar[E1000_MEM_BAR].size = E1000_MEM_SIZE;
	info->bar[E1000_IO_BAR].space = BACKEND_IO;
	info->bar[E1000_IO_BAR].size = E1000_IO_SIZE;
	info->intx = true;
}

const struct sim_ops sim_e1000 = {
	.name = "e1000",
	.title = "Intel 82540EM (PRO/1000 MT)",
	.vendor = 0x8086,
	.device = 0x100e,
	.size = sizeof(struct e1000),
	.info = e1000_info,
	.init = e1000_init,
	.reset = e1000_reset,
	.read = e1000_read,
	.write = e1000_write,
	.receive = e1000_receive,
	.run = e1000_run,
	.irq_level = e1000_irq_level,
	.stats = e1000_stats,
	.bus_master = e1000_bus_master,
};
