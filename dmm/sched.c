// SPDX-License-Identifier: MIT
/*
 * sched.c: virtual time of device use, by weight.
 */

#include "sched.h"

/* Virtual time is device time in these, over the weight (1 to 1000). */
#define SCALE 1024u

void sched_init(struct sched *s, unsigned int n, const uint32_t weight[],
		uint64_t max_park_ns, uint64_t lease_ns)
{
	uint64_t sum = 0, fair;
	unsigned int i;

	*s = (struct sched){ .n = n };
	if (lease_ns > max_park_ns)
		lease_ns = max_park_ns; /* and no product wraps */
	for (i = 0; i < n; i++)
		sum += weight[i];
	for (i = 0; i < n; i++) {
		s->weight[i] = weight[i];
		fair = max_park_ns / sum * weight[i];
		s->lease_ns[i] = fair;
		if (lease_ns && lease_ns * n / sum * weight[i] < fair)
			s->lease_ns[i] = lease_ns * n / sum * weight[i];
	}
}

/* Virtual time wraps: it is compared by how far it is apart. */
static bool behind(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

static bool least(const struct sched *s, uint32_t of, uint64_t *out)
{
	int next = sched_pick(s, of);

	if (next < 0)
		return false;
	*out = s->vtime[next];
	return true;
}

void sched_want(struct sched *s, unsigned int guest)
{
	uint64_t floor;

	if (s->active & 1u << guest)
		return;
	if (least(s, s->active, &floor) && behind(s->vtime[guest], floor))
		s->vtime[guest] = floor;
	s->active |= 1u << guest;
}

void sched_unwant(struct sched *s, unsigned int guest)
{
	s->active &= ~(1u << guest);
}

void sched_charge(struct sched *s, unsigned int guest, uint64_t ns)
{
	if (ns > INT64_MAX / SCALE / 2)
		ns = INT64_MAX / SCALE / 2;
	s->vtime[guest] += ns * SCALE / s->weight[guest];
}

int sched_pick(const struct sched *s, uint32_t of)
{
	int next = -1;
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (of & 1u << i &&
		    (next < 0 || behind(s->vtime[i], s->vtime[next])))
			next = (int)i;
	return next;
}
