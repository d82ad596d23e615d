/* SPDX-License-Identifier: MIT */
/*
 * kinds.c: the kinds of messages about a text: their codes, and what to do
 * about each in general.
 */

#include <assert.h>
#include <string.h>

#include "kinds.h"

/* Codes are kept for ever: programs know them.  New ones are added. */
static const struct diag_kind kinds[] = {
	{ "text-encoding", DIAG_TEXT, "The file has bytes that are no text",
	  "Save the file as UTF-8, without control characters." },
	{ "yaml-syntax", DIAG_TEXT, "The file is not YAML",
	  "Look at indentation, quotes and brackets; quote an expression that "
	  "begins with !, &, * or |, or holds \": \", \"[\" or \",\"." },
	{ "text-too-big", DIAG_TEXT, "The file has more than is read",
	  "A model has some hundred lines; aliases count with all that they "
	  "stand for." },
	{ "yaml-key", DIAG_TEXT, "A key is missing, no word, or given twice",
	  "Give each key once." },
	{ "yaml-alias", DIAG_TEXT, "An alias or a merge stands for nothing",
	  "Define the anchor before its aliases; merge mappings only." },
	{ "yaml-tag", DIAG_TEXT, "YAML's tags are not used here",
	  "Quote an expression that begins with \"!\"." },
	{ "unknown-key", DIAG_SHAPE, "The language has no such key here",
	  "docs/model-language.md has every key." },
	{ "missing-key", DIAG_SHAPE, "A key is needed here",
	  "Add the key that the message names." },
	{ "wrong-type", DIAG_SHAPE,
	  "A value, a list or a mapping where another of these belongs",
	  "Write what the message expects." },
	{ "wrong-value", DIAG_SHAPE, "The value is none that is possible here",
	  "Write what the message expects; numbers stand without quotes." },
	{ "wrong-form", DIAG_SHAPE, "The text has not the form that it needs",
	  "Write it in the form that the message shows." },
	{ "not-together", DIAG_SHAPE, "These keys do not go together",
	  "Keep one of them." },
	{ "unknown-name", DIAG_MEANING, "Nothing has this name",
	  "Correct the name, or define it." },
	{ "name-taken", DIAG_MEANING, "The name or part is there already",
	  "Give it another name, or take one out." },
	{ "too-many", DIAG_MEANING, "There are more than the monitor takes",
	  "Take some out, or write them as an array (dim)." },
	{ "expression", DIAG_MEANING, "The expression cannot be read",
	  "Correct it: C's operators on unsigned 64-bit numbers." },
	{ "not-here", DIAG_MEANING, "The name means something, but not here",
	  "docs/model-language.md says where each name can be used." },
	{ "volatile", DIAG_MEANING,
	  "The device changes this by itself, so what the guest wrote says "
	  "nothing",
	  "Name a field that only the guest changes, or ask the device in a "
	  "rule on poll." },
	{ "out-of-range", DIAG_MEANING, "The number does not fit here",
	  "Use a number in the range that the message gives." },
	{ "overlap", DIAG_MEANING, "Two things stand at the same place",
	  "Move one of them, or tell them apart by a condition." },
	{ "alignment", DIAG_MEANING, "It stands across a border", "Align it." },
	{ "never", DIAG_MEANING, "This can never happen",
	  "Correct the condition, or take it out." },
	{ "direction", DIAG_MEANING,
	  "It cannot be read, or not written, as is asked here",
	  "Give the register such a place, or use another." },
	{ "does-not-fit", DIAG_MEANING, "This does not go with the rest",
	  "Make the two agree." },
	{ "sharing", DIAG_MEANING,
	  "Something that sharing the part needs is not said",
	  "Add what the message names." },
	{ "test-failed", DIAG_MEANING, "A test in the model failed",
	  "Correct the model, or what the test expects." },
	{ "not-proved", DIAG_MEANING, "The model cannot be shared safely",
	  "The message has the shortest way that leads there." },
	{ "layout", DIAG_TEXT, "vpio model fmt does not know this form of YAML",
	  "Write strings on one line, in quotes." },
	{ "other", DIAG_MEANING, "Something else is wrong",
	  "The message says what." },
};

const struct diag_kind *diag_kind_of(const char **fmt)
{
	const char *code = *fmt + 1, *end;
	size_t i;

	if (**fmt != '\1')
		return &kinds[ARRAY_LEN(kinds) - 1];
	end = strchr(code, '\2');
	assert(end);
	*fmt = end + 1;
	for (i = 0; i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i].code) == (size_t)(end - code) &&
		    !memcmp(kinds[i].code, code, (size_t)(end - code)))
			break;
	assert(i < ARRAY_LEN(kinds));
	return &kinds[i];
}

const struct diag_kind *diag_kind(unsigned int i)
{
	return i < ARRAY_LEN(kinds) ? &kinds[i] : NULL;
}

unsigned int diag_kind_index(const struct diag_kind *kind)
{
	return (unsigned int)(kind - kinds);
}

const char *diag_class_name(enum diag_class class)
{
	static const char *const names[] = { "text", "shape", "meaning" };

	return names[class];
}
