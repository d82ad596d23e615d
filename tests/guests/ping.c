/* SPDX-License-Identifier: MIT */
/*
 * ping.c: the network client: DHCP, ARP, pings and a TFTP download.
 *
 * Options (key=value, blanks between):
 *   count=10      pings to the gateway, and to the peer
 *   file=NAME     what to download (file.bin); file=- downloads nothing
 *   server=IP     from whom (DHCP's next server, else the gateway)
 *   expect=HEX    the checksum it must have
 *   ip=IP gw=IP   use these, no DHCP; gw=0.0.0.0: no gateway to ping
 *   peer=IP       ping this one too, once it is there (20 s)
 *   linger=MS     go on answering others at the end (2000 with peer=)
 *   log=frames    a line for each received frame
 *   irq           wait by interrupt
 *   nic=NAME      only this driver: ne2k, e1000 or rtl8139 (else what is found)
 *   io=32         ne2k: 32-bit data port
 *   eecd=1 ctx=1  e1000: see e1000.c
 *   mmio=1 wrap=1 rtl8139: see rtl8139.c
 *   again         reset the machine once, after the pings, its card as it is
 *   ring3         all that in ring 3
 */

#include "net.h"
#include "pci.h"

#define TRY_MS 1000
#define TRIES 5
#define PEER_MS 20000

static uint32_t ip_option(const char *name, uint32_t otherwise)
{
	const char *s = option(name);
	uint32_t ip;

	if (!s)
		return otherwise;
	if (!parse_ip(s, &ip))
		fail("%s= is no address", name);
	return ip;
}

static void get_address(void)
{
	if (!option("ip")) {
		if (!dhcp_run())
			fail("dhcp: no lease");
		return;
	}
	net.ip = ip_option("ip", 0);
	net.mask = 0xffffff00;
	net.gateway = ip_option("gw", (net.ip & net.mask) | 2);
	say("static: %I\n", net.ip);
}

static void find(const char *what, uint32_t ip, uint32_t ms)
{
	uint8_t mac[6];

	if (!net_resolve(ip, mac, ms))
		fail("arp: no answer from the %s %I", what, ip);
	say("arp: %s %I is %M\n", what, ip, mac);
}

/* Each ping has some tries: frames may be lost on a shared card. */
static void ping(const char *what, uint32_t ip, uint32_t count)
{
	uint32_t answered = 0;
	uint32_t lost = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		int tries = TRIES;

		while (tries && !net_ping(ip, (uint16_t)(i + 1), TRY_MS)) {
			tries--;
			lost++;
		}
		answered += tries != 0;
	}
	say("ping: %u of %u, %s %I", answered, count, what, ip);
	if (lost)
		say(", %u lost", lost);
	say("\n");
	if (answered != count)
		fail("ping: %u answers missing", count - answered);
}

static void download(void)
{
	char file[120] = "file.bin";
	uint32_t server = net.server ? net.server : net.gateway;
	uint64_t checksum;
	const char *why;
	uint64_t start;
	uint32_t len;

	option_copy("file", file, sizeof(file));
	if (file[0] == '-' && !file[1])
		return;
	server = ip_option("server", server);
	start = now_ms();
	why = tftp_get(server, file, &len, &checksum);
	if (why)
		fail("%s", why);
	say("tftp: %s %u bytes, checksum 0x%016lx, %lu ms\n", file, len,
	    checksum, now_ms() - start);
	if (option("expect") && parse_hex(option("expect")) != checksum)
		fail("tftp: another checksum was expected");
}

/* Give the others the time to finish with us. */
static void linger(void)
{
	uint64_t end =
		now_ms() + option_number("linger", option("peer") ? 2000 : 0);

	while (now_ms() < end)
		net_step();
}

/* As firmware leaves a card: it neither masters the bus nor receives. */
static void card_is_reset(void)
{
	static const struct {
		uint16_t vendor, device;
		bool io;
		uint32_t at, on;
	} cards[] = {
		{ 0x10ec, 0x8029, true, 0x00, 0x02 },	/* CR: started */
		{ 0x8086, 0x100e, false, 0x100, 0x02 }, /* RCTL: enabled */
	};
	uint8_t devfn;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cards); i++) {
		uint32_t bar, value;

		if (!cfg_find(cards[i].vendor, cards[i].device, &devfn))
			continue;
		if (cfg_read(devfn, PCI_COMMAND) & PCI_COMMAND_MASTER)
			fail("the card masters the bus after a reset");
		bar = cfg_read(devfn, PCI_BAR0) & ~0xfu;
		value = cards[i].io ?
				inb((uint16_t)(bar + cards[i].at)) :
				*(volatile uint32_t *)(uintptr_t)(bar +
								  cards[i].at);
		if (value & cards[i].on)
			fail("the card runs after a reset: 0x%x", value);
		say("ping: the card is reset\n");
	}
}

static void again(void)
{
	if (!option("again") || cmos_read(0x40))
		return;
	cmos_write(0x40, 1);
	say("ping: resetting the machine\n");
	outb(0x64, 0xfe);
	fail("still running");
}

static void report_nic(void)
{
	const struct nic *nic = &net.nic;

	if (nic->resets || nic->overflows || nic->bad)
		say("nic: %u resets, %u overflows, %u bad\n", nic->resets,
		    nic->overflows, nic->bad);
	if (!nic->irq_used)
		return;
	say("irq: %u from the nic\n", irq_counts[nic->irq]);
	if (!irq_counts[nic->irq])
		fail("irq: the nic never interrupted");
}

void guest_main(void)
{
	uint32_t count;
	uint32_t peer;

	guest_start();
	count = option_number("count", 10);
	peer = ip_option("peer", 0);
	if (option("again") && cmos_read(0x40))
		card_is_reset();
	net_open();
	get_address();
	if (net.gateway) {
		find("gateway", net.gateway, 10000);
		ping("gateway", net.gateway, count);
	}
	if (peer) {
		find("peer", peer, PEER_MS);
		ping("peer", peer, count);
	}
	again();
	download();
	linger();
	report_nic();
	succeed();
}
