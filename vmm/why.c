/* SPDX-License-Identifier: MIT */
/*
 * why.c: one line that says what failed and what to do.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "../dmm/diag.h"
#include "log.h"
#include "why.h"

int why_set(char **why, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (vasprintf(why, fmt, args) < 0)
		*why = xstrdup("no memory to say what is wrong");
	va_end(args);
	return err;
}

int why_diag(char **why, struct diag *diag)
{
	const struct diag_message *m = &diag->message[0];
	const char *advice = diag->n && m->advice ? m->advice : "";

	if (!diag->n)
		*why = xstrdup("no memory to say what is wrong");
	else if (m->pos.line)
		*why = xasprintf("line %u: %s%s%s", m->pos.line, m->text,
				 *advice ? ": " : "", advice);
	else
		*why = xasprintf("%s%s%s", m->text, *advice ? ": " : "",
				 advice);
	diag_fini(diag);
	return -EINVAL;
}
