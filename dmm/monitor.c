// SPDX-License-Identifier: MIT
/*
 * monitor.c: a monitored device's beginning, its end, and its numbers.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"

uint64_t mon_eval(const struct dmm *d, unsigned int g, const struct expr *expr)
{
	static const uint64_t none[EXPR_EVENTS];
	const struct context *c = &d->guest[g];
	struct expr_env env = { .array = { [EXPR_REG] = c->reg,
					   [EXPR_STATE] = c->state,
					   [EXPR_EVENT] = none } };

	return expr_eval(expr, &env, NULL);
}

void mon_report(struct dmm *d, struct dmm_report report)
{
	/* a guest may be told of in the midst of another's access */
	report.access = d->accessor == report.guest ? d->access : NULL;
	d->host.report(d->host.ctx, &report);
}

void mon_offence(struct dmm *d, struct dmm_report report)
{
	unsigned int g = report.guest;

	report.policy = d->conf.guest[g].policy;
	d->guest[g].stats.violations++;
	if (report.policy == DMM_POLICY_STOP && d->access && d->accessor == g)
		d->stop_guest = true;
	mon_report(d, report);
}

/* ---- contexts ---- */

static void put_mac(struct dmm *d, unsigned int g)
{
	const struct identity *id = &d->model->identity;
	const uint8_t *mac = d->conf.guest[g].mac;
	uint8_t *to;
	unsigned int i;

	if (id->mac_memory == MODEL_NONE || !d->mac_set[g])
		return;
	to = d->guest[g].memory + d->model->memory[id->mac_memory].copy +
	     id->mac_at;
	for (i = 0; i < 6; i++)
		memset(to + i * id->mac_stride, mac[i], id->mac_stride);
}

void mon_identity(struct dmm *d, unsigned int g)
{
	const uint8_t *mac = d->conf.guest[g].mac;
	struct span sets = d->model->identity.reset;
	uint64_t event[EXPR_EVENTS] = { 0 };
	struct expr_env env = {
		.array = { [EXPR_REG] = d->guest[g].reg, [EXPR_EVENT] = event }
	};
	const struct set *s;
	uint64_t v;
	unsigned int i;

	put_mac(d, g);
	door_identity(d, g);
	for (i = 0; d->model->identity.mac_reg != MODEL_NONE && i < 6; i++)
		d->guest[g].reg[d->model->reg[d->model->identity.mac_reg].slot +
				i] = mac[i];
	for (i = 0; i < 6; i++)
		event[EXPR_MAC] |= (uint64_t)mac[i] << 8 * i;
	for (i = 0; i < sets.n; i++) {
		s = &d->model->set[sets.first + i];
		v = (expr_eval(s->value, &env, NULL) & s->mask) << s->shift;
		d->guest[g].reg[s->slot] &= ~(s->mask << s->shift);
		d->guest[g].reg[s->slot] |= v;
	}
}

void mon_blank(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];
	const struct dmm_model *m = d->model;
	unsigned int i;

	memcpy(c->reg, d->initial, m->slots * sizeof(*c->reg));
	for (i = 0; i < m->machines; i++)
		c->state[i] = m->machine[i].states.first;
	if (m->memory_bytes) {
		memcpy(c->memory, d->blank, m->memory_bytes);
		memset(c->kept, 0, m->memory_bytes / PAGE);
	}
	for (i = 0; i < m->eeproms; i++)
		microwire_reset(&c->wire[i]);
	c->rx_seen = (struct rx_seen){ .base = 0 };
	c->rx_head = 0;
	txring_reset(d, g);
	mon_identity(d, g);
	c->transfer.on = c->noted.on = false;
	c->pending = 0;
	c->own = 0;
	c->ring_full = c->held = false;
	c->want_since = 0;
	c->sending = SEND_NONE;
	c->frame_len = 0;
}

void mon_dev_reset(struct dmm *d)
{
	unsigned int i;

	for (i = 0; i < d->model->slots; i++)
		d->dev[i] = d->model->reg[d->reg_of[i]].reset;
}

int mon_device_reset(struct dmm *d)
{
	struct proc_args args = { .guest = -1 };
	int err = d->host.reset(d->host.ctx);

	mon_dev_reset(d);
	if (err == -ENOTTY && d->model->proc[PROC_FORCE].n)
		err = proc_run(d, PROC_FORCE, &args);
	return err;
}

static int allocate_rings(struct dmm *d)
{
	size_t n = d->conf.guests, i, words = d->model->eeproms * 256u;

	d->eeprom = calloc(n + 1, words * sizeof(*d->eeprom) + 1);
	if (!d->eeprom)
		return -ENOMEM;
	for (i = 0; i < n && words; i++)
		d->guest[i].eeprom = d->eeprom + (i + 1) * words;
	if (!d->model->rings)
		return 0;
	d->tx = calloc(1, sizeof(*d->tx));
	d->txqs = calloc(n, sizeof(*d->txqs));
	d->big = malloc(4u * BIG);
	if (!d->tx || !d->txqs || !d->big)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		d->guest[i].txq = &d->txqs[i];
	return 0;
}

static int allocate(struct dmm *d)
{
	const struct dmm_model *m = d->model;
	size_t pages = m->memory_bytes / PAGE + 1, n = d->conf.guests, i;

	d->registers = calloc((n + 2) * m->slots + 1, sizeof(uint64_t));
	d->path = calloc(m->regs + 1u, 4);
	d->flags = calloc(m->regs + 1u, 1);
	d->reg_of = calloc(m->slots + 1u, sizeof(*d->reg_of));
	d->checks = calloc(m->regs + 1u, sizeof(*d->checks));
	d->arena = calloc(n, m->memory_bytes + 1);
	d->blank = calloc(1, m->memory_bytes + 1);
	d->dirty = calloc(n + 1, pages);
	if (!d->registers || !d->path || !d->flags || !d->reg_of ||
	    !d->checks || !d->arena || !d->blank || !d->dirty)
		return -ENOMEM;
	d->dev = d->registers + n * m->slots;
	d->initial = d->dev + m->slots;
	for (i = 0; i < n; i++) {
		d->guest[i].reg = d->registers + i * m->slots;
		d->guest[i].memory = d->arena + i * m->memory_bytes;
		d->guest[i].kept = d->dirty + (i + 1) * pages;
	}
	return allocate_rings(d);
}

/* ---- opening ---- */

static int refuse(char **why, const char *fmt, const char *name)
{
	size_t n = strlen(fmt) + strlen(name) + 1;

	*why = malloc(n);
	if (*why)
		snprintf(*why, n, fmt, name);
	return -EINVAL;
}

/* Can what the device is told of the ring say where the area is? */
static bool ring_fits(const struct ring *r, uint64_t last)
{
	const struct expr *base = r->base;
	unsigned int i;

	for (i = 0; i < r->layouts; i++)
		if (r->layout[i].length && last > r->layout[i].buffer.mask)
			return false;
	return !base || base->n != 1 || base->ins[0].op != EXPR_OP_LOAD ||
	       last <= base->ins[0].k;
}

static bool area_fits(const struct dmm *d)
{
	const struct dmm_model *m = d->model;
	uint64_t last = d->conf.area.iova + d->conf.area.size - 1;

	return last >= d->conf.area.iova &&
	       ring_fits(&m->ring[m->transmit.dring], last) &&
	       ring_fits(&m->ring[m->receive.dring], last);
}

/* What a model with rings must have, and where the monitor's own may lie. */
static int check_rings(const struct dmm *d, char **why)
{
	const struct dmm_model *m = d->model;

	if (m->transmit.dring == MODEL_NONE || m->receive.dring == MODEL_NONE ||
	    m->interrupt.cause == MODEL_NONE || !m->proc[PROC_OPEN].n)
		return refuse(why,
			      "the model of %s has rings, but not what "
			      "the monitor needs to drive them: "
			      "transmit.ring, receive.ring, "
			      "interrupt.cause and procedure open",
			      m->name);
	if (d->conf.area.size < dmm_model_area(m))
		return refuse(why, "%s needs memory that the device can reach",
			      m->name);
	if (!area_fits(d))
		return refuse(why,
			      "the monitor's memory is beyond the addresses "
			      "that %s has",
			      m->name);
	return 0;
}

static int choose_mode(struct dmm *d, char **why)
{
	const struct dmm_model *m = d->model;
	enum dmm_how how = d->conf.how;

	if (how == DMM_HOW_DEFAULT)
		how = d->conf.guests == 1 && (m->rings || d->conf.alone) ?
			      DMM_EXCLUSIVE :
			      m->how;
	if (d->conf.alone && d->conf.guest[0].has_mac &&
	    m->identity.mac_memory != MODEL_NONE)
		return refuse(why,
			      "%s shows its own address where nobody looks: a "
			      "guest that has it alone gets no mac",
			      m->name);
	if (d->conf.alone && d->conf.guests == 1 && how == DMM_EXCLUSIVE) {
		d->mode = MODE_EXCLUSIVE;
		return 0;
	}
	if (d->conf.alone)
		return refuse(why,
			      "%s is to be one guest's alone: that is "
			      "exclusive, and of one guest",
			      m->name);
	if (m->rings && check_rings(d, why))
		return -EINVAL;
	if (how == DMM_MERGE && !m->rings)
		return refuse(why,
			      "%s cannot be shared by merge: its model "
			      "has no descriptor ring; use lease",
			      m->name);
	if (how == DMM_EXCLUSIVE && d->conf.guests > 1)
		return refuse(why,
			      "%s is exclusive: it takes one guest; use "
			      "share: { how: lease } for several",
			      m->name);
	d->mode = how == DMM_EXCLUSIVE			      ? MODE_EXCLUSIVE :
		  how == DMM_MERGE			      ? MODE_SPOOL :
		  d->conf.when_parked == DMM_DROP || m->rings ? MODE_DROP :
								MODE_SPOOL;
	if (how == DMM_LEASE && m->how == DMM_EXCLUSIVE)
		return refuse(why,
			      "the model of %s does not say how it can "
			      "be leased",
			      m->name);
	if (d->mode == MODE_SPOOL && !m->rings &&
	    (!m->receive.ring.present || !m->proc[PROC_OPEN].n ||
	     !m->proc[PROC_SEND].n || !m->proc[PROC_FETCH].n ||
	     !m->proc[PROC_STORE].n || m->interrupt.cause == MODEL_NONE))
		return refuse(why,
			      "the model of %s cannot spool: it needs "
			      "receive, interrupt.cause and procedures "
			      "open, send, fetch and store; use "
			      "whenParked: drop",
			      m->name);
	return 0;
}

/* What the device has in memories that answer with a guest's identity. */
static int read_identity(struct dmm *d)
{
	const struct dmm_model *m = d->model;
	const struct memory *mem;
	unsigned int i;
	uint32_t at, n;
	int err = 0;

	if (!m->proc[PROC_FETCH].n)
		return 0;
	for (i = 0; i < m->memories && !err; i++) {
		mem = &m->memory[i];
		if (!mem->identity)
			continue;
		for (at = 0; at < mem->size && !err; at += n) {
			n = mem->size - at < PAGE ? mem->size - at : PAGE;
			err = proc_fetch(d, mem->start + at,
					 d->blank + mem->copy + at, n);
		}
	}
	return err ? err : mon_device_reset(d);
}

/* What only the device writes is what it says after its reset. */
static void read_initial(struct dmm *d)
{
	const struct dmm_model *m = d->model;
	const struct reg *reg;
	unsigned int i, k;

	for (i = 0; i < m->regs; i++) {
		reg = &m->reg[i];
		for (k = 0; k < reg->dim; k++)
			d->initial[reg->slot + k] =
				reg->writable || reg->read_clears ||
						reg->save_none ||
						reg->port_memory != MODEL_NONE ?
					reg->reset :
					card_read(d, reg->slot + k, true, NULL);
	}
}

/* A guest alone that was given no address has the card's. */
static void own_address(struct dmm *d)
{
	const struct identity *id = &d->model->identity;
	const uint16_t *words;
	unsigned int i;

	if (d->conf.guest[0].has_mac)
		return;
	for (i = 0; id->mac_reg != MODEL_NONE && i < 6; i++)
		d->conf.guest[0].mac[i] =
			(uint8_t)
				d->initial[d->model->reg[id->mac_reg].slot + i];
	d->conf.guest[0].has_mac = id->mac_reg != MODEL_NONE;
	if (id->mac_eeprom == MODEL_NONE)
		return;
	words = d->eeprom + id->mac_eeprom * 256u + id->mac_word;
	for (i = 0; i < 6; i++)
		d->conf.guest[0].mac[i] = (uint8_t)(words[i / 2] >> i % 2 * 8);
	d->conf.guest[0].has_mac = true;
}

static int start(struct dmm *d, char **why)
{
	const struct dmm_model *m = d->model;
	uint32_t weight[DMM_MAX_GUESTS];
	unsigned int i;
	int err;

	mon_dev_reset(d);
	read_initial(d);
	err = read_identity(d);
	if (!err && m->eeproms)
		err = door_read_eeproms(d);
	if (!err)
		own_address(d);
	mon_dev_reset(d);
	pages_soil(d); /* who knows who was here before */
	for (i = 0; i < d->conf.guests; i++) {
		d->mac_set[i] = d->conf.guest[i].has_mac;
		d->guest[i].alive = true;
		weight[i] = d->conf.guest[i].weight ? d->conf.guest[i].weight :
						      1;
		mon_blank(d, i);
	}
	sched_init(&d->sched, d->conf.guests, weight, m->max_park_ns,
		   d->conf.lease_ns);
	d->owner = d->mode == MODE_EXCLUSIVE ? 0 : -1;
	d->owner_since = d->host.now(d->host.ctx);
	if (!err && m->rings && !d->conf.alone)
		err = shadow_open(d);
	else if (!err && d->mode == MODE_SPOOL)
		err = spool_open(d);
	if (err) {
		refuse(why, "%s does not answer as its model says", m->name);
		return -EIO;
	}
	return 0;
}

int dmm_open(struct dmm **out, const struct dmm_model *model,
	     const struct dmm_conf *conf, const struct dmm_host *host,
	     char **why)
{
	struct dmm *d = calloc(1, sizeof(*d));
	int err;

	*why = NULL;
	if (!d)
		return -ENOMEM;
	d->model = model;
	d->conf = *conf;
	d->mac_given = conf->guest[0].has_mac;
	d->host = *host;
	host_complete(&d->host);
	if (conf->guests == 0 || conf->guests > DMM_MAX_GUESTS)
		err = refuse(why, "%s has no guest, or too many", model->name);
	else
		err = choose_mode(d, why);
	if (!err)
		err = allocate(d);
	if (!err) {
		paths_plan(d);
		single_plan(d);
		err = paths_lists(d);
	}
	if (!err)
		err = start(d, why);
	if (err) {
		dmm_close(d);
		return err;
	}
	*out = d;
	return 0;
}

int dmm_reset(const struct dmm_model *model, const struct dmm_host *host)
{
	struct dmm *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->model = model;
	d->host = *host;
	d->conf.guests = 1;
	err = allocate(d);
	if (!err)
		err = mon_device_reset(d);
	dmm_close(d);
	return err;
}

void dmm_close(struct dmm *d)
{
	if (!d)
		return;
	free(d->registers);
	free(d->path);
	free(d->flags);
	free(d->reg_of);
	free(d->checks);
	free(d->loads);
	free(d->bank);
	free(d->arena);
	free(d->blank);
	free(d->dirty);
	free(d->eeprom);
	free(d->tx);
	free(d->txqs);
	free(d->big);
	free(d);
}

/* ---- what the host tells ---- */

void dmm_interrupt(struct dmm *d, bool level)
{
	d->dev_level = level;
	if (d->conf.alone)
		return; /* it goes straight, too */
	if (d->model->rings) {
		shadow_service(d);
	} else if (d->mode == MODE_SPOOL) {
		spool_service(d);
	} else if (d->owner >= 0) {
		if (level) {
			step_poll(d, (unsigned int)d->owner, false);
			d->guest[d->owner].own &= OWN_SENT;
		}
		lease_line(d, (unsigned int)d->owner);
		lease_wake(d, (unsigned int)d->owner);
	}
	lease_try(d, d->host.now(d->host.ctx));
}

/* The device does not give back what it was given. */
static void stuck(struct dmm *d)
{
	const struct shadow *tx = d->tx;

	d->stats.forced++;
	mon_report(d, (struct dmm_report){
			      .offence = DMM_FAILED,
			      .guest = tx->note[tx->clean % SHADOW_DEPTH].guest,
			      .name = d->model->name,
			      .rule = "it does not write back what it was "
				      "given: reset",
		      });
	shadow_restart(d);
	shadow_pump(d);
}

uint64_t dmm_tick(struct dmm *d)
{
	uint64_t now = d->host.now(d->host.ctx), next;

	if (d->tx && d->tx->more)
		shadow_pump(d);
	if (d->rx_more)
		rxring_drain(d);
	if (shadow_busy(d)) {
		if (shadow_clean(d))
			shadow_pump(d);
		else if (now - d->tx->since > d->model->max_park_ns)
			stuck(d);
	}
	if (!d->model->rings && d->mode == MODE_SPOOL && d->owner >= 0 &&
	    d->guest[d->owner].sending == SEND_ON_CARD)
		spool_service(d);
	if (d->owner >= 0) {
		if (d->model->rings && d->mode == MODE_EXCLUSIVE &&
		    step_poll(d, (unsigned int)d->owner, false))
			lease_line(d, (unsigned int)d->owner);
		lease_wake(d, (unsigned int)d->owner);
	}
	own_scan(d, now);
	lease_try(d, now);
	next = own_next(d);
	now = lease_next(d, d->host.now(d->host.ctx));
	return next < now ? next : now;
}

void dmm_leave(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];

	lease_account(d, d->host.now(d->host.ctx));
	c->alive = false;
	c->held = false;
	c->want_since = 0;
	c->noted.on = false;
	if (mon_on_device(d, g))
		lease_lose(d, g);
	txring_reset(d, g); /* what comes back finds nobody */
	c->transfer.on = false;
	if (c->sending == SEND_WAITS)
		c->sending = SEND_NONE;
	sched_unwant(&d->sched, g);
	lease_line(d, g);
	lease_try(d, d->host.now(d->host.ctx));
}

void dmm_guest_reset(struct dmm *d, unsigned int g)
{
	bool on_card = d->guest[g].sending == SEND_ON_CARD;
	struct proc_args args = { .guest = (int)g };

	if (mon_on_device(d, g) && d->mode == MODE_DROP)
		lease_evict(d, g);
	else if (mon_on_device(d, g) &&
		 (d->model->rings && !d->conf.alone ?
			  proc_run(d, PROC_QUIESCE, &args) :
			  mon_device_reset(d)))
		d->failed = true;
	mon_blank(d, g);
	if (on_card)
		d->guest[g].sending = SEND_ON_CARD;
	sched_unwant(&d->sched, g);
	lease_line(d, g);
	lease_try(d, d->host.now(d->host.ctx));
}

void dmm_quiet(struct dmm *d)
{
	struct proc_args args = { .guest = d->owner };

	lease_account(d, d->host.now(d->host.ctx));
	if (d->model->proc[PROC_QUIESCE].n && !d->conf.alone &&
	    (d->mode == MODE_SPOOL || d->owner >= 0) &&
	    proc_run(d, PROC_QUIESCE, &args))
		d->failed = true;
	if (mon_device_reset(d))
		d->failed = true;
}

bool dmm_reusable(struct dmm *d)
{
	return d->owner < 0 || step_reusable(d, (unsigned int)d->owner);
}

/* ---- numbers ---- */

void dmm_guest_stats(struct dmm *d, unsigned int g, struct dmm_guest_stats *out)
{
	uint64_t ns = d->host.now(d->host.ctx) - d->owner_since;

	/* looking changes nothing, or a replay would have to look, too */
	*out = d->guest[g].stats;
	if (d->guest[g].alive && d->owner == (int)g)
		out->held_ns += ns;
	else if (d->guest[g].alive)
		out->parked_ns += ns;
	out->parked_ns -= d->model->rings && d->mode == MODE_SPOOL &&
					  out->parked_ns > out->held_ns ?
				  out->held_ns :
				  0;
	if (d->mode != MODE_SPOOL) {
		out->frames_received += d->guest[g].watch.frames;
		out->bytes_received += d->guest[g].watch.bytes;
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void dmm_stats(struct dmm *d, struct dmm_stats *out)
{
	uint64_t n = d->stats.switches;
	unsigned int g, i;

	if (n > SWITCHES_KEPT)
		n = SWITCHES_KEPT;
	*out = d->stats;
	for (g = 0; g < d->conf.guests; g++) {
		const uint64_t *by_path = d->guest[g].stats.accesses;

		for (i = 0; i < DMM_PATHS; i++)
			out->transmit.exits += by_path[i];
		out->transmit.hooked += by_path[DMM_HOOK];
	}
	if (n) {
		qsort(d->switch_ns, n, sizeof(d->switch_ns[0]), compare);
		out->switch_ns_median = d->switch_ns[n / 2];
	}
}

int dmm_owner(const struct dmm *d)
{
	return d->owner;
}

const char *dmm_state(const struct dmm *d, unsigned int g, const char *machine)
{
	const struct dmm_model *m = d->model;
	unsigned int i;

	for (i = 0; i < m->machines; i++)
		if (strcmp(m->machine[i].name, machine) == 0)
			return m->state[d->guest[g].state[i]].name;
	return NULL;
}
