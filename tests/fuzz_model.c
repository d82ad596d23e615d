/* SPDX-License-Identifier: MIT */
/*
 * fuzz_model.c: any text as a model; one that is a model is monitored by a
 * device that is no more than a memory, and its tests are run.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct stub s;

#define must(held) must_at(held, __LINE__)

static void must_at(bool held, int line)
{
	if (held)
		return;
	fprintf(stderr, "fuzz_model.c:%d\n", line);
	abort();
}

/* What model.h promises to those who walk it and check nothing. */
static void check(const struct dmm_model *m)
{
	struct dmm_space space;
	unsigned int i;
	size_t n;

	must(m->name && dmm_model_name(m) && dmm_model_lines(m));
	must(dmm_model_match(m, &n) || !n);
	for (i = 0; i < 2 * MODEL_MAX_SPACES; i++)
		if (dmm_model_space(m, i, &space))
			must(space.name && space.size &&
			     (space.window || space.bar < 6));
	for (i = 0; i < m->regs; i++)
		must(m->reg[i].slot + m->reg[i].dim <= m->slots &&
		     m->reg[i].bits && m->reg[i].bits <= 64 &&
		     m->reg[i].place + m->reg[i].places <= m->places);
	for (i = 0; i < m->checks; i++)
		must(m->check[i].memories && m->check[i].start &&
		     m->check[i].length);
	for (i = 0; i < m->rules; i++)
		must(m->rule[i].to == MODEL_NONE || m->rule[i].to < m->states);
	for (i = 0; i < m->sets; i++)
		must(m->set[i].value != NULL);
}

/* Every offset of every space, both ways, some of them twice. */
static void touch_all(unsigned int guest)
{
	unsigned int i, width;
	uint64_t off, end;

	for (i = 0; i < s.model->spaces; i++) {
		if (s.model->space[i].kind == SPACE_WINDOW)
			continue; /* a guest comes there by its registers */
		end = s.model->space[i].size < 300 ? s.model->space[i].size :
						     300;
		for (off = 0; off < end; off++) {
			width = 1u << off % 4;
			stub_write_as(&s, guest, i, off, width, off * 0x1357);
			stub_read_as(&s, guest, i, off, width);
			if (off % 16)
				continue;
			s.now += 1000000;
			dmm_interrupt(s.dmm, off & 16);
			dmm_tick(s.dmm);
		}
		stub_read_as(&s, guest, i, s.model->space[i].size - 1, 1);
	}
}

static void run(enum dmm_how how, enum dmm_when_parked parked,
		unsigned int guests)
{
	unsigned int g;

	memset(s.says, 0x5a, sizeof(s.says));
	memset(&s.conf, 0, sizeof(s.conf));
	s.keeps = true;
	s.conf.when_parked = parked;
	s.conf.antispoof = true;
	if (stub_try(&s, how, guests))
		return;
	for (g = 0; g < guests; g++)
		touch_all(g);
	dmm_guest_reset(s.dmm, 0);
	touch_all(0);
	dmm_leave(s.dmm, guests - 1);
	dmm_tick(s.dmm);
	dmm_quiet(s.dmm);
	dmm_close(s.dmm);
	free(s.conf.area.host);
	s.conf.area.host = NULL;
	s.dmm = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	unsigned int passed, failed, errors;
	char *said;
	int err;

	diag_init(&s.diag, "fuzz.yaml");
	s.model = NULL;
	s.now = 1;
	err = dmm_model_parse(&s.model, text, size, &s.diag);
	must(!err == !!s.model && !err == !s.diag.errors);
	must(!err || err == -EINVAL);
	if (s.model) {
		check(s.model);
		errors = s.diag.errors;
		err = dmm_model_test(s.model, &s.diag, &passed, &failed);
		must(!err || s.diag.errors > errors);
		run(DMM_EXCLUSIVE, DMM_DROP, 1);
		run(DMM_LEASE, DMM_DROP, 2);
		run(DMM_LEASE, DMM_SPOOL, 2);
		run(DMM_MERGE, DMM_SPOOL, 3);
	}
	said = diag_render(&s.diag, text, size);
	must(said);
	free(said);
	dmm_model_free(s.model);
	diag_fini(&s.diag);
	return 0;
}
