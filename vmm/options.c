/* SPDX-License-Identifier: MIT */
/*
 * options.c: command lines against a table of options.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../dmm/diag.h"
#include "log.h"
#include "options.h"

#define HELP_COLUMN 26

void options_init(struct options *o, const char *command,
		  const struct option_spec spec[], size_t n, int argc,
		  char **argv)
{
	*o = (struct options){
		.command = command,
		.spec = spec,
		.n = n,
		.argv = argv,
		.argc = argc,
		.at = 1,
	};
}

_Noreturn static void unknown(const struct options *o, const char *word)
{
	const char *names[OPTIONS_MAX];
	const char *near = NULL;
	char *name = xstrdup(word);

	name[strcspn(name, "=")] = '\0';
	if (o->n <= OPTIONS_MAX && !strncmp(name, "--", 2)) {
		for (size_t i = 0; i < o->n; i++)
			names[i] = o->spec[i].name;
		near = diag_nearest(name + 2, names, o->n);
	}
	if (near)
		fatalx("%s: unknown option %s; did you mean --%s?", o->command,
		       name, near);
	fatalx("%s: unknown option %s; see vpio help %s", o->command, name,
	       o->command);
}

/* The value of option (i): what follows "=" or a letter, else the next word. */
static int take_value(struct options *o, int i, const char *rest)
{
	const struct option_spec *spec = &o->spec[i];

	if (!spec->value) {
		if (rest)
			fatalx("%s: --%s takes no value", o->command,
			       spec->name);
		return i;
	}
	if (!rest) {
		if (o->at >= o->argc)
			fatalx("%s: --%s needs a value: %s", o->command,
			       spec->name, spec->value);
		rest = o->argv[o->at++];
	}
	o->value = rest;
	return i;
}

static int long_option(struct options *o, const char *word)
{
	size_t len = strcspn(word + 2, "=");

	for (size_t i = 0; i < o->n; i++) {
		const char *name = o->spec[i].name;

		if (strlen(name) != len || strncmp(name, word + 2, len))
			continue;
		return take_value(o, (int)i,
				  word[2 + len] ? word + 3 + len : NULL);
	}
	unknown(o, word);
}

static int short_option(struct options *o, const char *word)
{
	for (size_t i = 0; i < o->n; i++) {
		if (!o->spec[i].letter || o->spec[i].letter != word[1])
			continue;
		return take_value(o, (int)i, word[2] ? word + 2 : NULL);
	}
	unknown(o, word);
}

int options_next(struct options *o)
{
	const char *word;

	o->value = NULL;
	if (o->at >= o->argc)
		return OPTIONS_END;
	word = o->argv[o->at++];
	if (!o->only_words && !strcmp(word, "--")) {
		o->only_words = true;
		return options_next(o);
	}
	if (!o->only_words && !strncmp(word, "--", 2))
		return long_option(o, word);
	if (!o->only_words && word[0] == '-' && word[1])
		return short_option(o, word);
	o->value = word;
	return OPTIONS_WORD;
}

uint64_t options_number(const struct options *o, int option, uint64_t min,
			uint64_t max)
{
	const char *s = o->value;
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(s, &end, 0);
	/* strtoull() takes a sign, which is no part of ours. */
	if (errno || end == s || *end || *s < '0' || *s > '9' || n < min ||
	    n > max)
		fatalx("%s: --%s %s: expected a number from %llu to %llu",
		       o->command, o->spec[option].name, s,
		       (unsigned long long)min, (unsigned long long)max);
	return n;
}

static void help_one(const struct option_spec *spec, FILE *to)
{
	const char *line = spec->help;
	int len = fprintf(to, "  %c%c%s--%s%s%s", spec->letter ? '-' : ' ',
			  spec->letter ? spec->letter : ' ',
			  spec->letter ? ", " : "  ", spec->name,
			  spec->value ? " " : "",
			  spec->value ? spec->value : "");

	if (len >= HELP_COLUMN - 1) {
		fprintf(to, "\n");
		len = 0;
	}
	while (line) {
		const char *end = strchr(line, '\n');

		fprintf(to, "%*s%.*s\n", HELP_COLUMN - len, "",
			(int)(end ? end - line : (long)strlen(line)), line);
		len = 0;
		line = end ? end + 1 : NULL;
	}
}

void options_help(const struct option_spec spec[], size_t n, FILE *to)
{
	for (size_t i = 0; i < n; i++)
		help_one(&spec[i], to);
}
