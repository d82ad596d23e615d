// SPDX-License-Identifier: MIT
/*
 * whatif_file.c: the file of vpio replay --what-if, which is untrusted.
 */

#include <errno.h>
#include <stdlib.h>

#include "file.h"
#include "log.h"
#include "models.h"
#include "whatif.h"

static void each(const struct node *list, struct diag *diag, const char *what,
		 void (*take)(struct whatif *w, const struct node *node,
			      struct diag *diag),
		 struct whatif *w)
{
	size_t i;

	if (!list || node_expect(list, NODE_SEQ, what, diag))
		return;
	if (!list->n || list->n > WHATIF_LIST) {
		diag_error(diag, list->pos, "%s: 1 to %u of them", what,
			   WHATIF_LIST);
		return;
	}
	for (i = 0; i < list->n; i++)
		take(w, list->at[i], diag);
}

static void take_lease(struct whatif *w, const struct node *node,
		       struct diag *diag)
{
	uint64_t ns;

	if (node_time(node, "a time", &ns, diag))
		return;
	if (!ns || ns > UINT64_C(3600000000000))
		diag_error(diag, node->pos, "a lease is from 1ns to 3600s");
	else
		w->lease_ns[w->leases++] = ns;
}

static void take_number(struct whatif *w, const struct node *node,
			struct diag *diag)
{
	uint64_t n;

	if (node_u64(node, "a number of guests", DMM_MAX_GUESTS, &n, diag))
		return;
	if (!n)
		diag_error(diag, node->pos, "there is at least one guest");
	else
		w->guests[w->numbers++] = (unsigned int)n;
}

static bool get_mechanism(const struct node *node, enum mechanism *out,
			  struct diag *diag)
{
	const char *words[WHATIF_MECHANISMS];
	unsigned int i;

	for (i = 0; i < WHATIF_MECHANISMS; i++)
		words[i] = whatif_name((enum mechanism)i);
	if (node_word(node, "a mechanism", words, WHATIF_MECHANISMS, &i, diag))
		return false;
	*out = (enum mechanism)i;
	return true;
}

static void take_mechanism(struct whatif *w, const struct node *node,
			   struct diag *diag)
{
	enum mechanism m;

	if (get_mechanism(node, &m, diag))
		w->wanted[m] = true;
}

/* All costs must be known: of what was not measured nothing can be said. */
static void need_costs(const struct whatif *w, const struct node *root,
		       struct diag *diag)
{
	unsigned int i;

	for (i = 0; i < COSTS; i++) {
		if (w->costs.known[i])
			continue;
		diag_error(diag, root->pos, "the cost \"%s\" is missing",
			   costs_key((enum cost)i));
		diag_advise(diag, "vpio calibrate -o FILE measures all of "
				  "them");
		return;
	}
}

static void take_all(struct whatif *w, const struct node *root,
		     struct diag *diag)
{
	static const char *const keys[] = { "costs", "recorded", "mechanisms",
					    "leases", "guests" };
	const struct node *list = node_get(root, "mechanisms");
	const struct node *node;
	unsigned int i;

	(void)!node_known(root, "a what-if file", keys, ARRAY_LEN(keys), diag);
	node = node_get(root, "costs");
	if (node)
		costs_read(&w->costs, node, diag);
	need_costs(w, root, diag);
	w->recorded = WHATIF_VPIO;
	node = node_get(root, "recorded");
	if (node)
		(void)get_mechanism(node, &w->recorded, diag);
	for (i = 0; i < WHATIF_MECHANISMS; i++)
		w->wanted[i] = !list;
	each(list, diag, "a list of mechanisms", take_mechanism, w);
	each(node_get(root, "leases"), diag, "a list of leases", take_lease, w);
	each(node_get(root, "guests"), diag, "a list of numbers of guests",
	     take_number, w);
}

int whatif_parse(struct whatif *out, const char *text, size_t len,
		 struct diag *diag)
{
	struct whatif w = { .leases = 0 };
	const struct node *root;
	struct tree *tree;
	int err = load_yaml(&tree, &root, text, len, diag);

	if (err)
		return err;
	take_all(&w, root, diag);
	load_free(tree);
	if (diag->errors)
		return -EINVAL;
	*out = w;
	return 0;
}

int whatif_open(struct whatif *out, const char *path)
{
	char *text = NULL, *why = NULL;
	struct diag diag;
	size_t len;
	int err = file_read(path, LOAD_MAX_BYTES, &text, &len, &why);

	if (err) {
		log_errorx("%s", why);
		free(why);
		return err;
	}
	diag_init(&diag, path);
	err = whatif_parse(out, text, len, &diag);
	models_say(&diag, text, len);
	diag_fini(&diag);
	free(text);
	return err;
}
