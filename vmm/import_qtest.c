// SPDX-License-Identifier: MIT
/*
 * import_qtest.c: QEMU's log of its qtest protocol (-qtest-log FILE):
 *
 *	[R +SECS.USECS] REQUEST
 *	[S +SECS.USECS] OK [0xVALUE] | FAIL WHY | IRQ raise|lower N
 *
 * Requests may be ahead of their replies, which come in order.  An access is
 * where its request stands, with what its reply says; one that failed, or has
 * no reply, was none.
 */

#include <string.h>

#include "import.h"

#define AHEAD 4096u /* requests without a reply */

struct request {
	struct import_access access;
	uint64_t ns;
	bool is_access;
};

struct own {
	struct request request[AHEAD];
	unsigned int first, n;
};

/* "outb", "readl": direction, width and kind of an access; false: no such. */
static bool parse_verb(const char **at, struct import_access *a)
{
	static const struct {
		const char *verb;
		bool write;
		enum import_kind kind;
	} verbs[] = {
		{ "out", true, IMPORT_PORT },
		{ "in", false, IMPORT_PORT },
		{ "write", true, IMPORT_MEMORY },
		{ "read", false, IMPORT_MEMORY },
	};
	static const char widths[] = "bwlq";
	const char *from, *width;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(verbs); i++) {
		from = *at;
		if (!import_word(&from, verbs[i].verb) || !*from)
			continue;
		width = strchr(widths, *from);
		if (!width || from[1] != ' ')
			continue;
		a->write = verbs[i].write;
		a->kind = verbs[i].kind;
		a->width = 1u << (width - widths);
		*at = from + 1;
		return true;
	}
	return false;
}

static void request_line(struct import *im, const char *at, uint64_t ns)
{
	struct own *own = im->own;
	struct request *r = &own->request[(own->first + own->n) % AHEAD];

	if (own->n == AHEAD) {
		import_bad(im, "more than %u requests have no reply", AHEAD);
		return;
	}
	*r = (struct request){ .access = { .count = 1 }, .ns = ns };
	own->n++;
	if (!parse_verb(&at, &r->access))
		return;
	r->is_access = import_number(&at, " ", &r->access.addr) &&
		       (!r->access.write ||
			import_number(&at, " ", &r->access.value)) &&
		       !*at;
	if (!r->is_access)
		import_bad(im, "not a request of this protocol");
}

static void reply_line(struct import *im, const char *at)
{
	bool ok = import_word(&at, "OK");
	struct own *own = im->own;
	struct request *r = &own->request[own->first];

	if (!ok && !import_word(&at, "FAIL")) {
		import_bad(im, "not a reply of this protocol");
		return;
	}
	if (!own->n) {
		import_bad(im, "a reply to no request");
		return;
	}
	own->first = (own->first + 1) % AHEAD;
	own->n--;
	if (!ok || !r->is_access)
		return;
	if (!r->access.write && !import_number(&at, " ", &r->access.value)) {
		import_bad(im, "a reply without the value that was read");
		return;
	}
	im->ns = r->ns;
	import_access(im, &r->access);
}

static void line(struct import *im, char *text)
{
	const char *at = text;
	bool request;
	uint64_t ns, irq;

	request = import_word(&at, "[R ");
	if (!request && !import_word(&at, "[S "))
		return; /* [I: opened, closed */
	if (!import_seconds(&at, "+", &ns) || !import_word(&at, "] ")) {
		import_bad(im, "no time where one must be");
		return;
	}
	if (request) {
		request_line(im, at, ns);
	} else if (import_number(&at, "IRQ raise ", &irq)) {
		im->ns = ns;
		import_irq(im, (unsigned int)irq, true);
	} else if (import_number(&at, "IRQ lower ", &irq)) {
		im->ns = ns;
		import_irq(im, (unsigned int)irq, false);
	} else {
		reply_line(im, at);
	}
}

const struct import_format import_qtest = {
	.name = "qtest",
	.what = "QEMU's log of its qtest protocol",
	.own_size = sizeof(struct own),
	.has_times = true,
	.line = line,
};
