/* SPDX-License-Identifier: MIT */
/*
 * share.c: a monitor, a simulated card, guests with small drivers, and a clock
 * that goes when it is told to.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "replay.h"
#include "share.h"

#define MODEL "models/ne2k-pci.yaml"
#define ACCESS_NS 300u		/* that an access costs */
#define LOOK_NS 20000u		/* between two looks of one that is held */
#define PATIENCE_NS 2000000000u /* of a held access, then the test fails */

const uint8_t share_everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
const uint8_t share_outside[6] = { 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02 };

const uint8_t *share_mac(unsigned int g)
{
	static uint8_t mac[DMM_MAX_GUESTS][6];

	memcpy(mac[g], "\x52\x54\x00\x00\x00", 5);
	mac[g][5] = (uint8_t)(0x0a + g);
	return mac[g];
}

static void add_frame(struct share_frames *list, const uint8_t *bytes,
		      size_t len)
{
	assert_in_range(len, 0, SHARE_FRAME_MAX);
	if (list->n == list->room) {
		list->room = list->room ? 2 * list->room : 16;
		list->at = realloc(list->at, list->room * sizeof(*list->at));
		assert_non_null(list->at);
	}
	list->at[list->n].len = len;
	memcpy(list->at[list->n].bytes, bytes, len);
	list->n++;
}

/* ---- what the card asks of us ---- */

static void sim_transmit(void *ctx, const uint8_t *frame, size_t len)
{
	struct share *s = ctx;

	add_frame(&s->wire, frame, len);
}

static void sim_irq(void *ctx, bool level)
{
	((struct share *)ctx)->level = level;
}

static uint64_t now(void *ctx)
{
	return ((struct share *)ctx)->now;
}

static void sim_arm(void *ctx, uint64_t at_ns)
{
	((struct share *)ctx)->sim_due = at_ns;
}

static const struct sim_host sim_host = {
	.transmit = sim_transmit,
	.irq = sim_irq,
	.now = now,
	.arm = sim_arm,
};

static void run_card(struct share *s)
{
	while (s->sim_due <= s->now && !s->stuck) {
		s->sim_due = SIM_NEVER;
		sim_ne2k.run(s->ne);
	}
}

/* ---- what the monitor asks of us ---- */

static uint64_t host_read(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	struct share *s = ctx;

	assert_int_equal(space, 0);
	run_card(s);
	return sim_ne2k.read(s->ne, 0, off, width);
}

static void host_write(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	struct share *s = ctx;

	assert_int_equal(space, 0);
	run_card(s);
	sim_ne2k.write(s->ne, 0, off, width, value);
}

static void host_read_string(void *ctx, unsigned int space, uint64_t off,
			     unsigned int width, void *to, size_t n)
{
	uint8_t *p = to;
	uint64_t v;

	for (; n; n--, p += width) {
		v = host_read(ctx, space, off, width);
		memcpy(p, &v, width);
	}
}

static void host_write_string(void *ctx, unsigned int space, uint64_t off,
			      unsigned int width, const void *from, size_t n)
{
	const uint8_t *p = from;
	uint64_t v;

	for (; n; n--, p += width) {
		v = 0;
		memcpy(&v, p, width);
		host_write(ctx, space, off, width, v);
	}
}

static void host_pause(void *ctx, uint64_t ns)
{
	struct share *s = ctx;

	s->now += ns;
	run_card(s);
}

static int host_reset(void *ctx)
{
	struct share *s = ctx;

	s->resets++;
	sim_ne2k.reset(s->ne);
	return 0;
}

static void host_line(void *ctx, unsigned int g, bool level)
{
	struct share_guest *guest = &((struct share *)ctx)->guest[g];

	assert_true(guest->level != level);
	guest->level = level;
	guest->edges++;
}

static void host_wake(void *ctx, unsigned int g)
{
	((struct share *)ctx)->guest[g].wakes++;
}

static void host_due(void *ctx, uint64_t at_ns)
{
	struct share *s = ctx;

	if (at_ns < s->tick_due)
		s->tick_due = at_ns;
}

static void host_frame(void *ctx, unsigned int g, bool sent,
		       const uint8_t *bytes, size_t len)
{
	struct share_guest *guest = &((struct share *)ctx)->guest[g];

	add_frame(sent ? &guest->sent : &guest->got, bytes, len);
}

static void host_report(void *ctx, const struct dmm_report *r)
{
	struct share_guest *guest = &((struct share *)ctx)->guest[r->guest];

	guest->reports++;
	guest->offence = r->offence;
}

static const struct dmm_host host = {
	.read = host_read,
	.write = host_write,
	.read_string = host_read_string,
	.write_string = host_write_string,
	.pause = host_pause,
	.now = now,
	.reset = host_reset,
	.line = host_line,
	.wake = host_wake,
	.due = host_due,
	.frame = host_frame,
	.report = host_report,
};

/* ---- beginning and end ---- */

static void power_on(struct share *s)
{
	struct sim_conf conf = { .mac = { 0x00, 0xca, 0x7d, 1, 2, 3 },
				 .wire_bps = s->conf.wire_bps };

	s->ne = calloc(1, sim_ne2k.size);
	assert_non_null(s->ne);
	s->sim_due = SIM_NEVER;
	assert_int_equal(sim_ne2k.init(s->ne, &conf, &sim_host, s), 0);
}

struct share *share_open(const struct share_conf *conf)
{
	struct share *s = calloc(1, sizeof(*s));
	struct dmm_host h = host;
	struct dmm_conf c = { .how = conf->how,
			      .when_parked = conf->when_parked,
			      .antispoof = !conf->spoof,
			      .mirror = conf->mirror,
			      .lease_ns = conf->lease_ns,
			      .without = conf->without };
	unsigned int i;
	char *why;

	assert_non_null(s);
	s->conf = *conf;
	s->guests = conf->guests ? conf->guests :
				   1 + (conf->how != DMM_EXCLUSIVE);
	if (!s->conf.wire_bps)
		s->conf.wire_bps = 10000000;
	s->now = 1000;
	s->tick_due = UINT64_MAX;
	c.guests = s->guests;
	for (i = 0; i < s->guests; i++) {
		memcpy(c.guest[i].mac, share_mac(i), 6);
		c.guest[i].has_mac = true;
		c.guest[i].weight = conf->weight[i];
		c.guest[i].policy = conf->policy;
	}
	h.ctx = s;
	power_on(s);
	s->model = replay_model(MODEL);
	assert_non_null(s->model);
	if (dmm_open(&s->dmm, s->model, &c, &h, &why))
		fail_msg("%s", why);
	return s;
}

void share_close(struct share *s)
{
	unsigned int i;

	for (i = 0; i < s->guests; i++) {
		free(s->guest[i].read);
		free(s->guest[i].sent.at);
		free(s->guest[i].got.at);
	}
	free(s->wire.at);
	dmm_close(s->dmm);
	dmm_model_free(s->model);
	free(s->ne);
	free(s);
}

int share_setup(void **state)
{
	*state = share_open(*state);
	return 0;
}

int share_teardown(void **state)
{
	share_close(*state);
	return 0;
}

/* ---- time ---- */

/* What a device thread does when it looks. */
static void settle(struct share *s)
{
	unsigned int i;

	for (i = 0; i < 64; i++) {
		run_card(s);
		if (s->level || s->level != s->told) {
			s->told = s->level;
			dmm_interrupt(s->dmm, s->level);
		}
		if (s->tick_due <= s->now) {
			s->tick_due = UINT64_MAX;
			host_due(s, dmm_tick(s->dmm));
		}
		run_card(s);
		if (s->told == s->level && s->tick_due > s->now)
			return;
	}
}

void share_pass(struct share *s, uint64_t ns)
{
	uint64_t until = s->now + ns, next;

	settle(s);
	while (s->now < until) {
		next = until;
		if (s->sim_due > s->now && s->sim_due < next)
			next = s->sim_due;
		if (s->tick_due > s->now && s->tick_due < next)
			next = s->tick_due;
		s->now = next;
		settle(s);
	}
}

/* ---- accesses ---- */

static void keep_read(struct share_guest *guest, const uint8_t *data, size_t n)
{
	if (guest->n + n > guest->room) {
		guest->room = 2 * (guest->n + n);
		guest->read = realloc(guest->read, guest->room);
		assert_non_null(guest->read);
	}
	memcpy(guest->read + guest->n, data, n);
	guest->n += n;
}

enum dmm_verdict share_try(struct share *s, unsigned int g,
			   struct dmm_access *a)
{
	enum dmm_verdict v;

	s->now += ACCESS_NS;
	settle(s);
	v = dmm_access(s->dmm, g, a);
	if (v == DMM_PASS && !a->write)
		keep_read(&s->guest[g], a->data, (size_t)a->count * a->width);
	settle(s);
	return v;
}

enum dmm_verdict share_io(struct share *s, unsigned int g, unsigned int off,
			  unsigned int width, bool write, void *data,
			  unsigned int count)
{
	struct dmm_access a = { .off = off,
				.data = data,
				.count = count,
				.width = (uint8_t)width,
				.write = write };
	uint64_t since = s->now;
	enum dmm_verdict v;

	while ((v = share_try(s, g, &a)) == DMM_HOLD) {
		if (s->now - since > PATIENCE_NS)
			fail_msg("guest %u is held for ever at 0x%x", g, off);
		share_pass(s, LOOK_NS);
		s->guest[g].held_ns += LOOK_NS;
	}
	return v;
}

uint8_t share_in(struct share *s, unsigned int g, unsigned int off)
{
	uint8_t v = 0;

	share_io(s, g, off, 1, false, &v, 1);
	return v;
}

void share_out(struct share *s, unsigned int g, unsigned int off,
	       unsigned int value)
{
	uint8_t v = (uint8_t)value;

	share_io(s, g, off, 1, true, &v, 1);
}

void share_out16(struct share *s, unsigned int g, unsigned int off,
		 unsigned int value)
{
	share_out(s, g, off, value & 0xff);
	share_out(s, g, off + 1, value >> 8);
}

static void page(struct share *s, unsigned int g, unsigned int reg)
{
	share_out(s, g, NE2K_CR,
		  (share_in(s, g, NE2K_CR) & 3) | CR_RD2 | (reg >> 4) << 6);
}

uint8_t share_get(struct share *s, unsigned int g, unsigned int reg)
{
	uint8_t v;

	page(s, g, reg);
	v = share_in(s, g, reg & 15);
	page(s, g, 0);
	return v;
}

void share_set(struct share *s, unsigned int g, unsigned int reg,
	       unsigned int value)
{
	page(s, g, reg);
	share_out(s, g, reg & 15, value);
	page(s, g, 0);
}

/* ---- a driver ---- */

void share_remote(struct share *s, unsigned int g, unsigned int addr,
		  unsigned int len, bool write)
{
	share_out(s, g, P0_ISR, ISR_RDC);
	share_out16(s, g, P0_RBCR0, len);
	share_out16(s, g, P0_RSAR0, addr);
	share_out(s, g, NE2K_CR, CR_STA | (write ? CR_RD_WRITE : CR_RD_READ));
}

void share_read(struct share *s, unsigned int g, unsigned int addr, void *to,
		unsigned int len)
{
	uint8_t buf[0x8000];

	assert_in_range(len, 1, sizeof(buf) - 1);
	share_remote(s, g, addr, len, false);
	share_io(s, g, NE2K_DATA, 2, false, buf, (len + 1) / 2);
	memcpy(to, buf, len);
	assert_true(share_in(s, g, P0_ISR) & ISR_RDC);
	share_out(s, g, P0_ISR, ISR_RDC);
}

void share_write(struct share *s, unsigned int g, unsigned int addr,
		 const void *from, unsigned int len)
{
	uint8_t buf[0x8000] = { 0 };

	assert_in_range(len, 1, sizeof(buf) - 1);
	memcpy(buf, from, len);
	len += len & 1;
	share_remote(s, g, addr, len, true);
	share_io(s, g, NE2K_DATA, 2, true, buf, len / 2);
	assert_true(share_in(s, g, P0_ISR) & ISR_RDC);
	share_out(s, g, P0_ISR, ISR_RDC);
}

/* As Linux's NS8390_init() does it, boundary and all. */
void share_up(struct share *s, unsigned int g, unsigned int rcr)
{
	unsigned int i;

	share_out(s, g, NE2K_CR, CR_RD2 | CR_STP);
	share_out(s, g, P0_DCR, DCR_LS | 0x40 | DCR_WTS);
	share_out16(s, g, P0_RBCR0, 0);
	share_out(s, g, P0_RCR, RCR_MON);
	share_out(s, g, P0_TCR, TCR_LB_NIC);
	share_out(s, g, P0_TPSR, SHARE_TX);
	share_out(s, g, P0_PSTART, SHARE_START);
	share_out(s, g, P0_BNRY, SHARE_STOP - 1);
	share_out(s, g, P0_PSTOP, SHARE_STOP);
	share_out(s, g, P0_ISR, 0xff);
	share_out(s, g, P0_IMR, 0);
	share_out(s, g, NE2K_CR, CR_RD2 | CR_STP | 1 << 6);
	for (i = 0; i < 6; i++)
		share_out(s, g, (P1_PAR0 & 15) + i, share_mac(g)[i]);
	for (i = 0; i < 8; i++)
		share_out(s, g, (P1_MAR0 & 15) + i, 0xff);
	share_out(s, g, P1_CURR & 15, SHARE_START);
	share_out(s, g, NE2K_CR, CR_RD2 | CR_STP);
	share_out(s, g, P0_ISR, 0xff);
	share_out(s, g, P0_IMR,
		  ISR_PRX | ISR_PTX | ISR_RXE | ISR_TXE | ISR_OVW);
	share_out(s, g, NE2K_CR, CR_RD2 | CR_STA);
	share_out(s, g, P0_TCR, 0);
	share_out(s, g, P0_RCR, rcr);
	s->guest[g].next = SHARE_START;
}

void share_up_all(struct share *s)
{
	unsigned int g;

	for (g = 0; g < s->guests; g++)
		share_up(s, g, RCR_AB | RCR_AM);
}

void share_load(struct share *s, unsigned int g, unsigned int page,
		const struct share_frame *f)
{
	share_write(s, g, page << 8, f->bytes, (unsigned int)f->len);
}

void share_ring(struct share *s, unsigned int g, unsigned int page, size_t len)
{
	share_out(s, g, P0_TPSR, page);
	share_out16(s, g, P0_TBCR0, (unsigned int)len);
	share_out(s, g, NE2K_CR, CR_RD2 | CR_TXP | CR_STA);
}

bool share_wait_sent(struct share *s, unsigned int g)
{
	uint64_t since = s->now;

	while (!(share_in(s, g, P0_ISR) & (ISR_PTX | ISR_TXE))) {
		if (s->now - since > 300 * SHARE_MS)
			return false;
		share_pass(s, 20 * SHARE_US);
	}
	share_out(s, g, P0_ISR, ISR_PTX | ISR_TXE);
	return true;
}

void share_send(struct share *s, unsigned int g, const struct share_frame *f)
{
	share_load(s, g, SHARE_TX, f);
	share_ring(s, g, SHARE_TX, f->len);
	assert_true(share_wait_sent(s, g));
}

static unsigned int bytes_to_end(unsigned int addr, unsigned int len)
{
	unsigned int room = (SHARE_STOP << 8) - addr;

	return len < room ? len : room;
}

bool share_recv(struct share *s, unsigned int g, struct share_frame *f)
{
	struct share_guest *guest = &s->guest[g];
	uint8_t header[4];
	unsigned int len, at = guest->next << 8, n;

	if (share_get(s, g, P1_CURR) == guest->next)
		return false;
	share_out(s, g, P0_ISR, ISR_PRX);
	share_read(s, g, at, header, 4);
	len = header[2] | (unsigned int)header[3] << 8;
	if (!(header[0] & RSR_PRX) || len < 64 || len > SHARE_FRAME_MAX + 4)
		fail_msg("guest %u: a bad header %02x %02x %u at 0x%x", g,
			 header[0], header[1], len, at);
	f->len = len - 4;
	n = bytes_to_end(at + 4, (unsigned int)f->len);
	share_read(s, g, at + 4, f->bytes, n);
	if (n < f->len)
		share_read(s, g, SHARE_START << 8, f->bytes + n,
			   (unsigned int)f->len - n);
	guest->next = header[1];
	share_out(s, g, P0_BNRY, header[1] - 1);
	return true;
}

/* ---- frames ---- */

void share_wire(struct share *s, const struct share_frame *f)
{
	settle(s);
	sim_ne2k.receive(s->ne, f->bytes, f->len, 0);
	settle(s);
}

void share_make(struct share_frame *f, const uint8_t to[6],
		const uint8_t from[6], uint8_t tag, unsigned int seq,
		size_t len)
{
	assert_in_range(len, 60, SHARE_FRAME_MAX);
	f->len = len;
	memset(f->bytes, tag, len);
	memcpy(f->bytes, to, 6);
	memcpy(f->bytes + 6, from, 6);
	f->bytes[12] = 0x88;
	f->bytes[13] = 0xb5; /* for experiments: 802.3, local */
	f->bytes[14] = (uint8_t)(seq >> 16);
	f->bytes[15] = (uint8_t)(seq >> 8);
	f->bytes[16] = (uint8_t)seq;
}

bool share_same(const struct share_frame *a, const struct share_frame *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool share_frames_have(const struct share_frames *list,
		       const struct share_frame *f)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (share_same(&list->at[i], f))
			return true;
	return false;
}

bool share_leaked(const struct share *s, unsigned int g, uint8_t tag,
		  size_t len)
{
	const struct share_guest *guest = &s->guest[g];
	size_t i, run = 0;

	for (i = 0; i < guest->n; i++) {
		run = guest->read[i] == tag ? run + 1 : 0;
		if (run >= len)
			return true;
	}
	return false;
}

/* ---- numbers ---- */

struct dmm_guest_stats share_stats(struct share *s, unsigned int g)
{
	struct dmm_guest_stats stats;

	dmm_guest_stats(s->dmm, g, &stats);
	return stats;
}

uint64_t share_switches(struct share *s)
{
	struct dmm_stats stats;

	dmm_stats(s->dmm, &stats);
	return stats.switches;
}
