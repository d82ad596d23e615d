// SPDX-License-Identifier: MIT
/*
 * attack.c: the rig of attack.h: a card, a monitor, three guests' memory and
 * what lies around it; and the run of one case with all that is looked at.
 */

#include "attack.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dmm/load.h"

#define RAM_BYTES (16u << 20)
#define MEM_BYTES (LOW_SIZE + HIGH_SIZE)
#define EDGE 0x10000u /* bytes of a zone beside somebody's memory */
#define LOW_RAM 0xa0000u
#define LEASE_NS 300000u

const struct attack_table *const attack_tables[] = {
	&attack_ring_table,    &attack_door_table, &attack_frame_table,
	&attack_offload_table, &attack_rx_table,   &attack_port_table,
	&attack_slots_table,   &attack_own_table,  NULL,
};

static const uint8_t marks[GUESTS] = { MARK_H, MARK_N, MARK_T };

void attack_bad(struct rig *rig, const char *fmt, ...)
{
	va_list ap;

	if (rig->verdict[0])
		return;
	va_start(ap, fmt);
	vsnprintf(rig->verdict, sizeof(rig->verdict), fmt, ap);
	va_end(ap);
}

/* ---- memory ---- */

static bool all(const uint8_t *p, uint8_t v, size_t len)
{
	return !len || (p[0] == v && !memcmp(p, p + 1, len - 1));
}

static void add_zone(struct rig *rig, const char *name, uint64_t iova,
		     uint64_t len)
{
	struct zone *z = &rig->zone[rig->zones];

	*z = (struct zone){ .name = name,
			    .iova = iova,
			    .len = len,
			    .fill = (uint8_t)(MARK_ZONE + rig->zones % 8),
			    .own = !rig->ram };
	if (rig->ram)
		z->host = rig->ram + iova;
	else
		z->host = malloc(len);
	if (!z->host)
		abort();
	rig->zones++;
	if (z->own && rig->ops->dma_map(rig->be, iova, z->host, len, true)) {
		free(z->host);
		rig->zones--; /* it is somebody's: no matter */
	}
}

/* Mapped for the device, writable, so that a stray DMA has a place. */
static void zones_of_sim(struct rig *rig)
{
	const struct dma *dma = &rig->dma;
	unsigned int g;

	add_zone(rig, "low memory", 0, LOW_SIZE + EDGE);
	add_zone(rig, "memory at 4 GiB", MEM_HIGH_BASE, EDGE);
	add_zone(rig, "the end of all addresses", UINT64_MAX - EDGE + 1, EDGE);
	add_zone(rig, "before the monitor's area", dma->area.iova - EDGE, EDGE);
	add_zone(rig, "behind the monitor's area",
		 dma->area.iova + dma->area.size, EDGE);
	for (g = 0; g < GUESTS; g++) {
		add_zone(rig, "before a guest", dma->guest[g].iova[0] - EDGE,
			 EDGE);
		add_zone(rig, "behind a guest's memory",
			 dma->guest[g].iova[0] + LOW_SIZE, EDGE);
		add_zone(rig, "behind a guest's high memory",
			 dma->guest[g].iova[1] + HIGH_SIZE, EDGE);
	}
}

static void zones_of_qtest(struct rig *rig)
{
	uint64_t end = rig->dma.guest[THIRD].iova[0] + MEM_BYTES;

	add_zone(rig, "low memory", 0, LOW_RAM);
	add_zone(rig, "the rest of memory", end, rig->ram_size - end);
}

static void fill(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < rig->zones; i++)
		memset(rig->zone[i].host, rig->zone[i].fill, rig->zone[i].len);
	for (i = 0; i < GUESTS; i++)
		if (rig->guest[i].host)
			memset(rig->guest[i].host, marks[i], MEM_BYTES);
}

/* A guest's memory but for its driver's. */
static void check_guest(struct rig *rig, unsigned int g)
{
	const uint8_t *p = rig->guest[g].host;

	if (!all(p, marks[g], TX_RING) ||
	    !all(p + DRIVER_END, marks[g], MEM_BYTES - DRIVER_END))
		attack_bad(rig, "memory of guest %u changed", g);
	if (!(rig->c->may & MAY_REACH) && memmem(p, MEM_BYTES, "HHHHHHHH", 8))
		attack_bad(rig, "bytes of the hostile guest are in guest %u",
			   g);
}

static void check_memory(struct rig *rig)
{
	const struct zone *z = rig->zone;
	unsigned int i;

	for (i = 0; i < rig->zones; i++, z++)
		if (!all(z->host, z->fill, z->len))
			attack_bad(rig, "memory that is nobody's changed: %s",
				   z->name);
	if (!rig->dma.area.size)
		return;
	check_guest(rig, NEIGHBOUR);
	check_guest(rig, THIRD);
	if (!all(rig->guest[THIRD].host + TX_RING, MARK_T, RX_RING - TX_RING))
		attack_bad(rig, "the third guest's ring changed");
	if (memmem(rig->guest[HOSTILE].host, MEM_BYTES, "NNNNNNNN", 8) &&
	    !(rig->c->may & MAY_SEE))
		attack_bad(rig, "the hostile guest has bytes of the "
				"neighbour's");
	if (rig->ops->dma_faults(rig->be) != rig->faults)
		attack_bad(rig, "the device tried a DMA beyond all memory");
}

void attack_keep_ring(struct rig *rig)
{
	if (rig->dma.area.size)
		memcpy(rig->before, rig->guest[NEIGHBOUR].host + TX_RING,
		       sizeof(rig->before));
}

static void check_ring(struct rig *rig)
{
	if (rig->dma.area.size &&
	    memcmp(rig->before, rig->guest[NEIGHBOUR].host + TX_RING,
		   sizeof(rig->before)))
		attack_bad(rig, "the neighbour's ring changed");
}

/* ---- the card's EEPROM ---- */

static void check_eeprom(struct rig *rig)
{
	uint16_t words[64];

	if (!rig->part->eeprom)
		return;
	rig->part->eeprom(rig, words);
	if (memcmp(words, rig->eeprom, sizeof(words)))
		attack_bad(rig, "the card's EEPROM changed");
}

static void read_regs(struct rig *rig, uint32_t to[REGS_MAX])
{
	unsigned int i;

	for (i = 0; i < REGS_MAX && rig->part->regs && rig->part->regs[i]; i++)
		to[i] = (uint32_t)rig->ops->read(rig->be, 0, rig->part->regs[i],
						 4);
}

static void check_regs(struct rig *rig)
{
	uint32_t now[REGS_MAX];
	unsigned int i;

	read_regs(rig, now);
	for (i = 0; i < REGS_MAX && rig->part->regs && rig->part->regs[i]; i++)
		if (now[i] != rig->regs[i])
			attack_bad(rig,
				   "the device's register 0x%x changed from "
				   "0x%x to 0x%x",
				   rig->part->regs[i], rig->regs[i], now[i]);
}

/* ---- opening ---- */

static bool load(struct rig *rig)
{
	FILE *f = fopen(rig->part->model, "re");
	struct diag diag;
	size_t len;

	rig->text = calloc(1, 1 << 20);
	if (!f || !rig->text)
		return false;
	len = fread(rig->text, 1, (1 << 20) - 1, f);
	fclose(f);
	diag_init(&diag, rig->part->model);
	if (dmm_model_parse(&rig->model, rig->text, len, &diag))
		rig->model = NULL;
	diag_fini(&diag);
	return rig->model;
}

static bool open_backend(struct rig *rig, char **why)
{
	const struct dmm_match *m;
	const struct node *root;
	struct diag diag;
	char text[320];
	size_t n;
	int err;

	snprintf(text, sizeof(text),
		 "network: { dgram: { local: %s, remote: %s }, pcap: %s }\n"
		 "mac: 52:54:00:12:34:56\n%s",
		 rig->local, rig->remote, rig->capture,
		 rig->ops == &backend_qtest ? "memory: 16M\n" : "");
	diag_init(&diag, "attack");
	err = load_yaml(&rig->tree, &root, text, strlen(text), &diag);
	diag_fini(&diag);
	if (err)
		return false;
	m = dmm_model_match(rig->model, &n);
	return !rig->ops->open(&rig->be, root, m[0].vendor, m[0].device, why);
}

static bool guest_memory(struct rig *rig, unsigned int g, char **why)
{
	struct seat *s = &rig->guest[g];
	uint64_t offset = 0;
	int fd = -1, err;

	err = dma_memory(&rig->dma, g, MEM_BYTES, &fd, &offset, why);
	if (err && *why)
		return false;
	if (!err && !rig->ram) {
		rig->ram_size = RAM_BYTES;
		rig->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE,
				MAP_SHARED, fd, 0);
		if (rig->ram == MAP_FAILED)
			return false;
	}
	s->host = rig->ram ? rig->ram + offset : malloc(MEM_BYTES);
	if (!s->host)
		return false;
	s->mem = (struct mem){
		.fd = fd,
		.bytes = MEM_BYTES,
		.count = 2,
		.region = { { 0, LOW_SIZE, offset, s->host },
			    { MEM_HIGH_BASE, HIGH_SIZE, offset + LOW_SIZE,
			      s->host + LOW_SIZE } },
	};
	return !dma_attach(&rig->dma, g, &s->mem, 0, why);
}

static bool open_memory(struct rig *rig, char **why)
{
	unsigned int g;

	if (dma_open(&rig->dma, rig->be, dmm_model_area(rig->model), why))
		return false;
	if (!rig->dma.area.size)
		return true;
	for (g = 0; g < GUESTS; g++)
		if (!guest_memory(rig, g, why))
			return false;
	if (rig->ram)
		zones_of_qtest(rig);
	else
		zones_of_sim(rig);
	if (rig->part->eeprom)
		rig->part->eeprom(rig, rig->eeprom);
	return true;
}

static bool open_monitor(struct rig *rig, char **why)
{
	struct dmm_host host = attack_host;
	unsigned int g;

	host.ctx = rig;
	rig->conf = (struct dmm_conf){
		.area = rig->dma.area,
		.how = rig->way == IN_MERGE ? DMM_MERGE : DMM_LEASE,
		.when_parked = rig->way == IN_DROP ? DMM_DROP : DMM_SPOOL,
		.antispoof = true,
		.lease_ns = LEASE_NS,
		.guests = GUESTS,
		.without = rig->conf.without,
		.mirror = rig->c && rig->c->mirror,
	};
	for (g = 0; g < GUESTS; g++) {
		static const uint8_t mac[6] = { 0x52, 0x54, 0, 0, 0, 0xa0 };
		struct dmm_guest_conf *c = &rig->conf.guest[g];

		memcpy(c->mac, mac, 6);
		c->mac[5] = (uint8_t)(mac[5] + g);
		c->has_mac = true;
		c->weight = 1;
		if (g == HOSTILE && rig->c)
			c->policy = rig->c->policy;
		memcpy(rig->guest[g].mac, c->mac, 6);
	}
	return !rig->ops->reset(rig->be) &&
	       !dmm_open(&rig->dmm, rig->model, &rig->conf, &host, why);
}

struct rig *attack_open(const struct attack_part *part,
			const struct backend_ops *ops, unsigned int way,
			unsigned int without, char said[128])
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char *why = NULL;

	if (!rig)
		abort();
	rig->part = part;
	rig->ops = ops;
	rig->way = way;
	rig->conf.without = without;
	rig->wire = -1;
	snprintf(said, 128, "no wire, or no model");
	if (attack_wire_open(rig) && load(rig) && open_backend(rig, &why) &&
	    open_memory(rig, &why))
		return rig;
	if (why)
		snprintf(said, 128, "%s", why);
	free(why);
	attack_close(rig);
	return NULL;
}

void attack_close(struct rig *rig)
{
	unsigned int i;

	if (!rig)
		return;
	dmm_close(rig->dmm);
	dma_close(&rig->dma);
	if (rig->be)
		rig->ops->close(rig->be);
	for (i = 0; i < rig->zones; i++)
		if (rig->zone[i].own)
			free(rig->zone[i].host);
	for (i = 0; i < GUESTS && !rig->ram; i++)
		free(rig->guest[i].host);
	if (rig->ram)
		munmap(rig->ram, rig->ram_size);
	attack_wire_close(rig);
	dmm_model_free(rig->model);
	load_free(rig->tree);
	free(rig->text);
	free(rig);
}

/* ---- a case ---- */

bool attack_heard(const struct rig *rig, enum dmm_offence offence,
		  const char *who)
{
	unsigned int i;

	for (i = 0; i < rig->reports && i < REPORTS_MAX; i++)
		if (rig->heard[i].offence == offence &&
		    !strcmp(rig->heard[i].name, who))
			return true;
	return false;
}

/* Does line (n) of the model have (text) in it? */
static bool line_has(const struct rig *rig, unsigned int n, const char *text)
{
	const char *at = rig->text, *end, *found;

	for (; n > 1 && at; n--) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (!n || !at)
		return false;
	end = strchrnul(at, '\n');
	found = strstr(at, text);
	return found && found < end;
}

static void check_reports(struct rig *rig)
{
	const struct attack_case *c = rig->c;
	const struct heard *h = rig->heard;
	bool found = false;
	unsigned int i;

	for (i = 0; i < rig->reports && i < REPORTS_MAX; i++, h++) {
		if (h->guest != HOSTILE && h->offence != DMM_FAILED)
			attack_bad(rig, "guest %u is blamed: %s", h->guest,
				   h->name);
		if (c->told && h->offence == c->offence &&
		    !strcmp(h->name, c->who) &&
		    (!c->line || line_has(rig, h->line, c->line)))
			found = true;
	}
	if (c->told && !found)
		attack_bad(rig, "the offence is not told: %u reports%s%s",
			   rig->reports, rig->reports ? ", first of " : "",
			   rig->reports ? rig->heard[0].name : "");
	if (!c->told && rig->reports && !(c->may & MAY_TELL))
		attack_bad(rig, "what is no offence is told as one: %s",
			   rig->heard[0].name);
}

static bool renew(struct rig *rig)
{
	char *why = NULL;
	bool ok = true;
	unsigned int g;

	/* one that is open goes on being used, if it is as it should be */
	if (rig->dmm && (rig->ops == &backend_sim || rig->c->policy ||
			 rig->conf.guest[HOSTILE].policy || rig->c->mirror ||
			 rig->conf.mirror || rig->verdict[0] || rig->spent)) {
		rig->spent = false;
		dmm_close(rig->dmm);
		rig->dmm = NULL;
	}
	rig->verdict[0] = 0;
	if (!rig->dmm)
		ok = open_monitor(rig, &why);
	if (!ok)
		attack_bad(rig, "the monitor does not open: %s",
			   why ? why : "?");
	free(why);
	for (g = 0; g < GUESTS && ok; g++) {
		struct seat *s = &rig->guest[g];

		s->master = true;
		s->gone = s->stopped = false;
		s->seq = 0;
		dmm_guest_reset(rig->dmm, g);
	}
	return ok;
}

const char *attack_run(struct rig *rig, const struct attack_case *c)
{
	rig->c = c;
	rig->reports = rig->hostile_frames = rig->neighbour_frames = 0;
	rig->expect_len = rig->last_len = 0;
	rig->skew = 0;
	rig->stalled = false;
	if (!renew(rig))
		return rig->verdict;
	fill(rig);
	if (rig->dma.area.size)
		rig->faults = rig->ops->dma_faults(rig->be);
	rig->part->start(rig);
	attack_transfer(rig);
	attack_keep_ring(rig);
	read_regs(rig, rig->regs);
	c->attack(rig);
	attack_release(rig);
	attack_settle(rig);
	attack_wire_judge(rig);
	check_memory(rig);
	check_ring(rig);
	attack_transfer(rig);
	attack_settle(rig);
	attack_wire_judge(rig);
	check_memory(rig);
	check_regs(rig);
	check_eeprom(rig);
	check_reports(rig);
	if (c->may & WIRE_SOME && !rig->hostile_frames)
		attack_bad(rig, "the hostile guest's own frame is not sent");
	return rig->verdict[0] ? rig->verdict : NULL;
}
