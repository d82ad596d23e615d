/* SPDX-License-Identifier: MIT */
/*
 * sim_ne2k.c: a simulated RTL8029AS: its ports, its memory, its remote DMA
 * channel, its command register and its reset.  sim_ne2k_regs.c has its other
 * registers, sim_ne2k_wire.c sends and receives.
 *
 * It is as dangerous as the parts one meets, for a monitor is to be tested on
 * it.  QEMU's part and this one agree in these, where the data sheets are
 * silent and real cards differ:
 *  - the data port moves memory whatever CR.RD says; reads go on behind the
 *    counted end, writes do not;
 *  - RSAR and RBCR are the working registers: written in mid-transfer, they
 *    are obeyed;
 *  - both directions wrap from PSTOP to PSTART, if they meet PSTOP exactly.
 */

#include <errno.h>
#include <string.h>

#include "sim_ne2k.h"

uint8_t ne2k_peek(const struct ne2k *ne, uint16_t addr)
{
	if (addr < NE2K_PROM)
		return ne->prom[addr];
	if (cc_within(addr, 1, NE2K_RAM, ne->conf.ram))
		return ne->ram[addr - NE2K_RAM];
	return 0xff;
}

/* The PROM is one: writes to it are lost. */
void ne2k_poke(struct ne2k *ne, uint16_t addr, uint8_t value)
{
	if (cc_within(addr, 1, NE2K_RAM, ne->conf.ram))
		ne->ram[addr - NE2K_RAM] = value;
}

/* RST makes no interrupt: NS 10.3, ISR. */
void ne2k_irq(struct ne2k *ne)
{
	bool level = ne->isr & ne->imr & 0x7f;

	if (level == ne->level)
		return;
	ne->level = level;
	ne->host->irq(ne->ctx, level);
}

/*
 * Remote DMA: NS chapter 9.
 */

/* A "send packet" is over: the packet at BNRY is removed from the ring. */
static void remote_sent(struct ne2k *ne)
{
	ne->sending = false;
	ne->bnry = ne->rnpp;
	if (ne->running)
		ne->isr &= (uint8_t)~ISR_RST;
}

static void remote_done(struct ne2k *ne)
{
	ne->rbcr = 0;
	ne->isr |= ISR_RDC;
	if (ne->sending)
		remote_sent(ne);
	ne2k_irq(ne);
}

/*
 * Advance by (n) bytes.  At PSTOP the address goes back to PSTART: NS chapter
 * 9, "If the DMA pointer crosses the Page Stop Register".
 */
static void remote_advance(struct ne2k *ne, unsigned int n)
{
	ne->rsar = (uint16_t)(ne->rsar + n);
	if (ne->rsar == ne->pstop << 8)
		ne->rsar = (uint16_t)(ne->pstart << 8);
	if (!ne->rbcr)
		return;
	if (ne->rbcr <= n)
		remote_done(ne);
	else
		ne->rbcr = (uint16_t)(ne->rbcr - n);
}

/*
 * How many bytes one access to the data port moves: WTS says a byte or a word
 * (NS 10.3, DCR); a PCI access of four bytes moves four (RTL).
 */
static unsigned int remote_unit(const struct ne2k *ne, unsigned int width)
{
	if (width >= 4)
		return 4;
	return ne->dcr & DCR_WTS ? 2 : 1;
}

/* The word lanes have no address line 0: an odd address is the even one. */
static uint16_t remote_addr(const struct ne2k *ne, unsigned int unit)
{
	return unit == 1 ? ne->rsar : ne->rsar & 0xfffe;
}

static uint64_t data_read(struct ne2k *ne, unsigned int width)
{
	unsigned int unit = remote_unit(ne, width);
	uint16_t addr = remote_addr(ne, unit);
	uint64_t value = 0;

	for (unsigned int i = 0; i < unit; i++)
		value |= (uint64_t)ne2k_peek(ne, (uint16_t)(addr + i))
			 << (8 * i);
	remote_advance(ne, unit);
	return value & cc_ones(8 * width);
}

static void data_write(struct ne2k *ne, unsigned int width, uint64_t value)
{
	unsigned int unit = remote_unit(ne, width);
	uint16_t addr = remote_addr(ne, unit);

	if (!ne->rbcr)
		return;
	value &= cc_ones(8 * width);
	for (unsigned int i = 0; i < unit; i++)
		ne2k_poke(ne, (uint16_t)(addr + i),
			  (uint8_t)(value >> (8 * i)));
	remote_advance(ne, unit);
}

/*
 * RD = 3: read the packet at BNRY, its length from its header, and remove it:
 * NS chapter 9, "Send Packet Command".
 */
static void remote_send(struct ne2k *ne)
{
	uint16_t at = (uint16_t)(ne->bnry << 8);

	ne->rsar = at;
	ne->rnpp = ne2k_peek(ne, (uint16_t)(at + 1));
	ne->rbcr = (uint16_t)(ne2k_peek(ne, (uint16_t)(at + 2)) |
			      ne2k_peek(ne, (uint16_t)(at + 3)) << 8);
	ne->sending = true;
}

static void remote_command(struct ne2k *ne)
{
	switch (ne->cr & CR_RD) {
	case CR_RD_SEND:
		remote_send(ne);
		break;
	case CR_RD_READ:
	case CR_RD_WRITE:
		ne->sending = false;
		break;
	default:
		/* Not allowed (0), or aborted (4 to 7): nothing completes. */
		ne->sending = false;
		return;
	}
	/* Nothing to move is done at once: drivers' probes count on it. */
	if (!ne->rbcr)
		remote_done(ne);
}

/*
 * The command register: NS 10.3, CR.
 */

/* Stopped, all that was in progress having ended: NS 10.3, ISR.RST. */
void ne2k_stopped(struct ne2k *ne)
{
	ne->isr |= ISR_RST;
}

static void start_stop(struct ne2k *ne, uint8_t value)
{
	if (value & CR_STP) {
		ne->running = false;
		/* What is being sent is sent to its end first. */
		if (ne->tx == NE2K_TX_IDLE)
			ne2k_stopped(ne);
	} else if (value & CR_STA) {
		/* A start after a stop ends the overflow: NS chapter 7. */
		if (!ne->running)
			ne->overflow = false;
		ne->running = true;
		ne->isr &= (uint8_t)~ISR_RST;
	}
}

/* TXP is set by the driver and cleared by the chip alone. */
void ne2k_command(struct ne2k *ne, uint8_t value)
{
	bool start = value & CR_TXP;

	ne->cr = (uint8_t)((value & ~CR_TXP) | (ne->cr & CR_TXP));
	start_stop(ne, value);
	remote_command(ne);
	if (start && ne->running && ne->tx == NE2K_TX_IDLE)
		ne2k_transmit(ne);
}

/*
 * The part.
 */

/*
 * What the reset input does, from the port or at power-on: NS chapter 11,
 * "Reset".  All that is not named there keeps its value; what was being sent
 * is cut off.
 */
static void ne2k_hard_reset(struct ne2k *ne)
{
	ne->cr = CR_RD2 | CR_STP;
	ne->isr |= ISR_RST;
	ne->imr = 0;
	ne->dcr |= DCR_LAS;
	ne->tcr &= (uint8_t)~TCR_LB;
	ne->running = false;
	ne->overflow = false;
	ne->sending = false;
	ne->tx = NE2K_TX_IDLE;
	ne->host->arm(ne->ctx, SIM_NEVER);
	ne2k_irq(ne);
}

/*
 * The station's address, each byte twice for byte and word readers alike,
 * and the mark of a card with 16 bits: NE2000.
 */
static void fill_prom(struct ne2k *ne)
{
	for (unsigned int i = 0; i < NE2K_PROM; i++) {
		if (i < 2 * sizeof(ne->conf.mac))
			ne->prom[i] = ne->conf.mac[i / 2];
		else
			ne->prom[i] = i < NE2K_PROM - 4 ? 0 : 'W';
	}
}

static void ne2k_reset(void *part)
{
	struct ne2k *ne = part;
	const struct ne2k off = {
		.host = ne->host,
		.ctx = ne->ctx,
		.conf = ne->conf,
		.stats = ne->stats,
		.level = ne->level,
		.config2 = 0x40, /* 10BASE-T, */
		.config3 = 0x40, /* full duplex */
	};

	*ne = off;
	fill_prom(ne);
	ne2k_hard_reset(ne);
}

static int ne2k_init(void *part, const struct sim_conf *conf,
		     const struct sim_host *host, void *ctx)
{
	struct ne2k *ne = part;
	uint32_t ram = conf->ram ? conf->ram : NE2K_RAM_USUAL;

	if (ram > sizeof(ne->ram) || ram & 0xff)
		return -EINVAL;
	ne->host = host;
	ne->ctx = ctx;
	ne->conf = *conf;
	ne->conf.ram = ram;
	ne2k_reset(ne);
	return 0;
}

/*
 * Registers are bytes: a wider access is one to each byte in turn, low to
 * high, as PCI's byte enables say.  Only the data port is wider.
 */
static uint64_t ne2k_read(void *part, unsigned int bar, uint64_t off,
			  unsigned int width)
{
	struct ne2k *ne = part;
	uint64_t value = 0;

	(void)bar;
	if (off >= NE2K_DATA && off < NE2K_RESET)
		return data_read(ne, width);
	for (unsigned int i = 0; i < width; i++) {
		unsigned int at = (unsigned int)off + i;
		uint64_t byte = 0xff;

		if (at < NE2K_DATA)
			byte = ne2k_read_reg(ne, at);
		else if (at < NE2K_RESET)
			byte = data_read(ne, 1);
		else
			ne2k_hard_reset(ne);
		value |= byte << (8 * i);
	}
	return value;
}

static void ne2k_write(void *part, unsigned int bar, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct ne2k *ne = part;

	(void)bar;
	if (off >= NE2K_DATA && off < NE2K_RESET) {
		data_write(ne, width, value);
		return;
	}
	for (unsigned int i = 0; i < width; i++) {
		unsigned int at = (unsigned int)off + i;
		uint8_t byte = (uint8_t)(value >> (8 * i));

		if (at < NE2K_DATA)
			ne2k_write_reg(ne, at, byte);
		else if (at < NE2K_RESET)
			data_write(ne, 1, byte);
		else
			ne2k_hard_reset(ne);
	}
}

static bool ne2k_irq_level(const void *part)
{
	const struct ne2k *ne = part;

	return ne->level;
}

static void ne2k_stats(const void *part, struct sim_stats *out)
{
	const struct ne2k *ne = part;

	*out = ne->stats;
}

/* RTL, PCI configuration space: I/O of 32 bytes, INTA, medium DEVSEL. */
static void ne2k_info(struct backend_info *info)
{
	static const uint8_t head[16] = {
		0xec, 0x10, 0x29, 0x80, /* vendor and device */
		0x00, 0x00, 0x00, 0x02, /* command, status */
		0x00, 0x00, 0x00, 0x02, /* revision 0, Ethernet controller */
	};

	memset(info, 0, sizeof(*info));
	memcpy(info->config, head, sizeof(head));
	memcpy(info->config + 0x2c, head, 4); /* subsystem */
	info->config[0x3d] = 1;		      /* INTA */
	info->bar[0].space = BACKEND_IO;
	info->bar[0].size = NE2K_PORTS;
	info->intx = true;
}

const struct sim_ops sim_ne2k = {
	.name = "ne2k",
	.title = "Realtek RTL8029AS (NE2000)",
	.vendor = 0x10ec,
	.device = 0x8029,
	.size = sizeof(struct ne2k),
	.info = ne2k_info,
	.init = ne2k_init,
	.reset = ne2k_reset,
	.read = ne2k_read,
	.write = ne2k_write,
	.receive = ne2k_receive,
	.run = ne2k_run,
	.irq_level = ne2k_irq_level,
	.stats = ne2k_stats,
};
