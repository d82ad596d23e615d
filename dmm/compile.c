// SPDX-License-Identifier: MIT
/*
 * compile.c: a model's text to tables: the order of the work, and its top
 * level.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "plan.h"

static const char *const top_keys[] = {
	"device",     "spaces",	   "registers", "let",	    "memories",
	"checks",     "dma",	   "eeproms",	"machines", "sharing",
	"reusable",   "interrupt", "identity",	"receive",  "transmit",
	"procedures", "tests",
};

static const char *const device_keys[] = { "name", "class", "source", "match",
					   "revision" };

static void build_match(struct build *b, const struct node *list)
{
	static const char *const keys[] = { "vendorId", "deviceId" };
	struct dmm_model *m = b->m;
	uint64_t vendor, device;
	size_t i, k;

	if (!list || node_expect(list, NODE_SEQ, "a list of matches", b->diag))
		return;
	m->match = calloc(list->n + 1, sizeof(*m->match));
	if (!m->match) {
		b->no_memory = true;
		return;
	}
	for (i = 0; i < list->n; i++) {
		const struct node *n = list->at[i];

		if (node_expect(n, NODE_MAP, "a match", b->diag) ||
		    node_known(n, "a match", keys, ARRAY_LEN(keys), b->diag))
			continue;
		if (!node_get(n, keys[0]) || !node_get(n, keys[1])) {
			diag_error(b->diag, n->pos,
				   DIAG_MISSING
				   "a match needs vendorId and deviceId");
			continue;
		}
		if (node_u64(node_get(n, keys[0]), "a PCI vendor ID", 0xffff,
			     &vendor, b->diag) ||
		    node_u64(node_get(n, keys[1]), "a PCI device ID", 0xffff,
			     &device, b->diag))
			continue;
		for (k = 0; k < m->matches; k++)
			if (m->match[k].vendor == vendor &&
			    m->match[k].device == device)
				diag_error(b->diag, n->pos,
					   DIAG_TAKEN
					   "this part is listed before");
		m->match[m->matches].vendor = (uint16_t)vendor;
		m->match[m->matches++].device = (uint16_t)device;
	}
}

static void build_device(struct build *b, const struct node *root)
{
	static const char *const classes[] = { "network" };
	const struct node *dev = node_get(root, "device"), *name, *n;
	unsigned int word;
	uint64_t revision;

	if (!dev) {
		diag_error(b->diag, root->pos,
			   DIAG_MISSING "a model needs \"device:\"");
		diag_advise(b->diag,
			    "device: { name: …, class: network, "
			    "match: [ { vendorId: …, deviceId: … } ] }");
		return;
	}
	if (node_expect(dev, NODE_MAP, "what the device is", b->diag))
		return;
	(void)!node_known(dev, "a device", device_keys, ARRAY_LEN(device_keys),
			  b->diag);
	name = node_get(dev, "name");
	if (!name)
		diag_error(b->diag, dev->pos,
			   DIAG_MISSING "a device needs a name");
	else if (!node_expect(name, NODE_SCALAR, "a name", b->diag) &&
		 !(b->m->name = strdup(name->text)))
		b->no_memory = true;
	n = node_get(dev, "class");
	if (n)
		(void)!node_word(n, "a class of parts", classes, 1, &word,
				 b->diag);
	n = node_get(dev, "source");
	if (n)
		(void)!node_expect(n, NODE_SCALAR, "source", b->diag);
	n = node_get(dev, "revision");
	if (n && !node_u64(n, "a PCI revision", 0xff, &revision, b->diag))
		b->m->revision = (int)revision;
	build_match(b, node_get(dev, "match"));
}

static int alloc_model(struct dmm_model **out)
{
	struct dmm_model *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	*out = m;
	m->revision = -1;
	m->reg = calloc(MODEL_MAX_REGS, sizeof(*m->reg));
	m->place = calloc(MODEL_MAX_PLACES, sizeof(*m->place));
	m->machine = calloc(MODEL_MAX_MACHINES, sizeof(*m->machine));
	m->state = calloc(MODEL_MAX_STATES, sizeof(*m->state));
	m->rule = calloc(MODEL_MAX_RULES, sizeof(*m->rule));
	m->set = calloc(MODEL_MAX_SETS, sizeof(*m->set));
	m->step = calloc(MODEL_MAX_STEPS, sizeof(*m->step));
	m->but = calloc(MODEL_MAX_REGS, sizeof(*m->but));
	return m->reg && m->place && m->machine && m->state && m->rule &&
			       m->set && m->step && m->but ?
		       0 :
		       -ENOMEM;
}

static void build_all(struct build *b, const struct node *root)
{
	struct diag *diag = b->diag;

	(void)!node_known(root, "a model", top_keys, ARRAY_LEN(top_keys), diag);
	build_device(b, root);
	build_spaces(b, root);
	build_registers(b, root);
	build_machine_names(b, root);
	build_lets(b, root);
	build_places(b, root);
	build_windows(b, root);
	build_eeproms(b, root);
	build_memories(b, root);
	build_checks(b, root);
	build_rings(b, root);
	build_machines(b, root);
	build_sharing(b, root);
	build_procedures(b, root);
	build_tests(b, root);
	if (!diag->errors && !b->no_memory)
		build_plan(b);
	if (!diag->errors && !b->no_memory)
		build_analyze(b);
}

static unsigned int count_lines(const char *text, size_t len)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < len; i++)
		n += text[i] == '\n';
	return n + (len && text[len - 1] != '\n');
}

int dmm_model_parse(struct dmm_model **out, const char *text, size_t len,
		    struct diag *diag)
{
	struct build b = { .diag = diag };
	const struct node *root;
	struct tree *tree;
	unsigned int i;
	int err;

	err = load_yaml(&tree, &root, text, len, diag);
	if (err)
		return err;
	err = alloc_model(&b.m);
	if (!b.m) {
		load_free(tree);
		return err;
	}
	b.m->tree = tree;
	b.m->lines = count_lines(text, len);
	if (!err)
		build_all(&b, root);
	for (i = 0; i < b.lets; i++)
		free(b.let[i].expr);
	if (!err && b.no_memory)
		err = -ENOMEM;
	if (!err && diag->errors)
		err = -EINVAL;
	if (err) {
		dmm_model_free(b.m);
		return err;
	}
	*out = b.m;
	return 0;
}

const char *dmm_model_name(const struct dmm_model *model)
{
	return model->name;
}

unsigned int dmm_model_lines(const struct dmm_model *model)
{
	return model->lines;
}

const struct dmm_match *dmm_model_match(const struct dmm_model *model,
					size_t *n)
{
	*n = model->matches;
	return model->match;
}

bool dmm_model_space(const struct dmm_model *model, unsigned int i,
		     struct dmm_space *out)
{
	if (i >= model->spaces)
		return false;
	*out = (struct dmm_space){ .name = model->space[i].name,
				   .io = model->space[i].kind == SPACE_IO,
				   .bar = model->space[i].bar,
				   .size = model->space[i].size,
				   .window = model->space[i].kind ==
					     SPACE_WINDOW };
	return true;
}
