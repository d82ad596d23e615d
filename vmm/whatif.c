// SPDX-License-Identifier: MIT
/*
 * whatif.c: the formulas of docs/what-if.md.
 */

#include "whatif.h"

#include "table.h"

#define RING 170u /* writes that the kernel's ring holds */

static const char *const names[WHATIF_MECHANISMS] = {
	[WHATIF_TRAP] = "trap",
	[WHATIF_VPIO] = "vpio",
	[WHATIF_HOOKS] = "hooks",
	[WHATIF_COALESCED] = "coalesced",
	[WHATIF_IOEVENTFD] = "ioeventfd",
	[WHATIF_READONLY] = "readonly",
	[WHATIF_POLLED] = "polled",
	[WHATIF_ALL] = "all",
	[WHATIF_OWNER] = "owner",
	[WHATIF_UER] = "uer",
	[WHATIF_VEI] = "vei",
};

const char *whatif_name(enum mechanism mechanism)
{
	return names[mechanism];
}

/* ---- one access ---- */

struct price {
	double exits, ns;
};

static double exit_ns(const struct costs *c, bool io, bool write)
{
	return (double)c->ns[io	   ? write ? COST_PIO_WRITE : COST_PIO_READ :
			     write ? COST_MMIO_WRITE :
				     COST_MMIO_READ];
}

static bool steps(enum replay_class k)
{
	return k == REPLAY_BELL || k == REPLAY_STEP;
}

/* As vpio does it: out, and what the monitor takes. */
static struct price by_exit(const struct costs *c, enum replay_class k, bool io,
			    bool write, bool always_steps)
{
	bool step = always_steps || steps(k);

	return (struct price){
		1, exit_ns(c, io, write) +
			   (double)c->ns[step ? COST_STEP : COST_ACCESS]
	};
}

static struct price by_ring(const struct costs *c, bool io, bool write)
{
	return (struct price){ 1.0 / RING,
			       (double)c->ns[COST_COALESCED] +
				       exit_ns(c, io, write) / RING };
}

static struct price inside(const struct costs *c, enum cost cost)
{
	return (struct price){ 0, (double)c->ns[cost] };
}

static bool has(enum mechanism m, enum mechanism part)
{
	return m == part || (m == WHATIF_ALL && part >= WHATIF_HOOKS &&
			     part <= WHATIF_READONLY);
}

static struct price price_of(const struct costs *c, enum mechanism m,
			     enum replay_class k, bool io, bool write)
{
	if (m == WHATIF_UER)
		return (struct price){
			1, (double)(c->ns[COST_USER_EXCEPTION] +
				    c->ns[steps(k) ? COST_STEP : COST_ACCESS])
		};
	if (m == WHATIF_OWNER)
		return io ? (struct price){ 1, exit_ns(c, io, write) } :
			    inside(c, COST_READONLY);
	if (k == REPLAY_BELL && has(m, WHATIF_IOEVENTFD))
		return inside(c, COST_IOEVENTFD);
	if (k == REPLAY_BELL && m == WHATIF_POLLED)
		return inside(c, COST_COALESCED);
	if (k == REPLAY_BELL && m == WHATIF_VEI)
		return inside(c, COST_EVENT_INTERRUPT);
	/* a port is never mapped */
	if (k == REPLAY_PLAIN && !io && has(m, WHATIF_HOOKS))
		return inside(c, COST_READONLY);
	if (k == REPLAY_WAITS && has(m, WHATIF_COALESCED))
		return by_ring(c, io, write);
	if (k == REPLAY_COPY && !io && has(m, WHATIF_READONLY))
		return inside(c, COST_READONLY);
	return by_exit(c, k, io, write, m == WHATIF_TRAP);
}

/* ---- a run ---- */

static struct price sum_of(const struct whatif *w,
			   const struct whatif_counts *c, enum mechanism m)
{
	struct price sum = { 0, 0 }, one;
	enum cost interrupt = m == WHATIF_VEI ? COST_EVENT_INTERRUPT :
						COST_IRQFD;
	int io, write, k;
	double n;

	for (io = 0; io < 2; io++)
		for (write = 0; write < 2; write++)
			for (k = 0; k < REPLAY_CLASSES; k++) {
				n = (double)c->n[io][write][k];
				one = price_of(&w->costs, m,
					       (enum replay_class)k, io, write);
				sum.exits += n * one.exits;
				sum.ns += n * one.ns;
			}
	sum.ns += (double)c->interrupts * (double)w->costs.ns[interrupt];
	return sum;
}

static double switch_ns(const struct whatif *w, const struct whatif_counts *c)
{
	if (c->switches)
		return (double)c->switch_ns / (double)c->switches;
	return (double)
		w->costs.ns[c->merge ? COST_SWITCH_MERGE : COST_SWITCH_LEASE];
}

/* How often the device would change hands. */
static double switches(const struct whatif_counts *c, enum mechanism m,
		       double busy, unsigned int guests, uint64_t lease_ns)
{
	if (guests < 2 || m == WHATIF_OWNER)
		return 0;
	if (c->switches && c->guests > 1)
		return (double)c->switches * guests / c->guests *
		       (lease_ns ? (double)c->lease_ns / (double)lease_ns : 1);
	return lease_ns ? busy / (double)lease_ns : 0;
}

/* Whole, and no more than there is room for. */
static uint64_t whole(double v)
{
	return v >= 9e18 ? UINT64_C(9000000000000000000) : (uint64_t)(v + 0.5);
}

struct whatif_answer whatif_predict(const struct whatif *w,
				    const struct whatif_counts *c,
				    enum mechanism m, unsigned int guests,
				    uint64_t lease_ns)
{
	struct price was = sum_of(w, c, w->recorded), is = sum_of(w, c, m);
	double had = c->guests ? c->guests : 1, ns, busy, change;

	change = (is.ns - was.ns) / had; /* each on its own processor */
	ns = (double)c->ns + change;
	busy = (double)c->busy_ns / had * guests;
	ns -= (double)c->switch_ns / had;
	ns += switches(c, m, busy, guests, lease_ns) * switch_ns(w, c) /
	      (guests ? guests : 1);
	if (guests > c->guests && busy > ns)
		ns = busy; /* the device is what they wait for */
	if (ns < is.ns / had)
		ns = is.ns / had;
	return (struct whatif_answer){
		.exits = whole(is.exits * guests / had),
		.ns = whole(ns),
		.inside_ns = whole(is.ns * guests / had),
	};
}

/* ---- telling ---- */

struct row {
	const struct whatif *w;
	const struct whatif_counts *c;
	void *to;
	void (*put)(const struct row *row, enum mechanism m,
		    unsigned int guests, uint64_t lease_ns);
};

static unsigned int number(const struct whatif *w,
			   const struct whatif_counts *c, unsigned int i)
{
	return w->numbers ? w->guests[i] : c->guests;
}

static uint64_t lease(const struct whatif *w, const struct whatif_counts *c,
		      unsigned int i)
{
	return w->leases ? w->lease_ns[i] : c->lease_ns;
}

static void each_row(const struct row *row)
{
	const struct whatif *w = row->w;
	unsigned int m, g, l;

	for (m = 0; m < WHATIF_MECHANISMS; m++)
		for (g = 0; w->wanted[m] && g < (w->numbers ? w->numbers : 1);
		     g++)
			for (l = 0; l < (w->leases ? w->leases : 1); l++)
				row->put(row, (enum mechanism)m,
					 number(w, row->c, g),
					 lease(w, row->c, l));
}

static void put_text(const struct row *row, enum mechanism m,
		     unsigned int guests, uint64_t lease_ns)
{
	struct whatif_answer a =
		whatif_predict(row->w, row->c, m, guests, lease_ns);
	struct table *t = row->to;
	char ratio[32];

	snprintf(ratio, sizeof(ratio), "%.2f",
		 row->c->ns ? (double)a.ns / (double)row->c->ns : 0.0);
	table_text(t, names[m]);
	table_count(t, guests);
	table_time(t, lease_ns);
	table_count(t, a.exits);
	table_time(t, a.inside_ns);
	table_time(t, a.ns);
	table_text(t, ratio);
}

void whatif_print(const struct whatif *w, const struct whatif_counts *c,
		  FILE *to, bool colour)
{
	struct table t;
	const struct row row = { w, c, &t, put_text };

	table_open(&t);
	table_column(&t, "mechanism", TABLE_LEFT);
	table_column(&t, "guests", TABLE_RIGHT);
	table_column(&t, "lease", TABLE_RIGHT);
	table_column(&t, "exits", TABLE_RIGHT);
	table_column(&t, "accesses take", TABLE_RIGHT);
	table_column(&t, "run takes", TABLE_RIGHT);
	table_column(&t, "of recorded", TABLE_RIGHT);
	each_row(&row);
	table_print(&t, to, colour);
	table_close(&t);
}

static void put_json(const struct row *row, enum mechanism m,
		     unsigned int guests, uint64_t lease_ns)
{
	struct whatif_answer a =
		whatif_predict(row->w, row->c, m, guests, lease_ns);
	struct json *j = row->to;

	json_object(j, NULL);
	json_string(j, "mechanism", names[m]);
	json_u64(j, "guests", guests);
	json_u64(j, "lease_ns", lease_ns);
	json_u64(j, "exits", a.exits);
	json_u64(j, "access_ns", a.inside_ns);
	json_u64(j, "ns", a.ns);
	json_end(j);
}

void whatif_json(const struct whatif *w, const struct whatif_counts *c,
		 struct json *j)
{
	const struct row row = { w, c, j, put_json };

	json_array(j, "what_if");
	each_row(&row);
	json_end(j);
}
