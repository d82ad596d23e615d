// SPDX-License-Identifier: MIT
/*
 * aml.c: writes ACPI machine language.
 */

#include "aml.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* 20.3, table 20.1 */
enum {
	OP_ZERO = 0x00,
	OP_NAME = 0x08,
	OP_BYTE = 0x0a,
	OP_WORD = 0x0b,
	OP_DWORD = 0x0c,
	OP_QWORD = 0x0e,
	OP_SCOPE = 0x10,
	OP_BUFFER = 0x11,
	OP_PACKAGE = 0x12,
	OP_EXT = 0x5b,
	OP_EXT_DEVICE = 0x82,
};

void aml_bytes(struct aml *a, const void *from, size_t len)
{
	if (len > a->room - a->len) {
		a->full = true;
		return;
	}
	memcpy(a->to + a->len, from, len);
	a->len += len;
}

static void put(struct aml *a, uint8_t byte)
{
	aml_bytes(a, &byte, 1);
}

static void put_name(struct aml *a, const char *name)
{
	size_t len = strlen(name);

	assert(len == 4 || (len == 5 && *name == '\\'));
	aml_bytes(a, name, len);
}

static void begin(struct aml *a)
{
	assert(a->depth < AML_DEPTH);
	a->begun[a->depth++] = a->len;
}

/*
 * A length counts its own bytes (20.2.4): 1 of 6 bits, or 2 to 4 of 4 and then
 * 8 bits each.  What it measures makes room for it.
 */
void aml_end(struct aml *a)
{
	uint8_t code[4];
	size_t at, len, n = 1;

	assert(a->depth);
	at = a->begun[--a->depth];
	len = a->len - at;
	while (n < 4 && len + n >= (n == 1 ? 1U << 6 : 1U << (4 + 8 * (n - 1))))
		n++;
	len += n;
	code[0] = (uint8_t)(n == 1 ? len : (n - 1) << 6 | (len & 0xf));
	for (size_t i = 1; i < n; i++)
		code[i] = (uint8_t)(len >> (4 + 8 * (i - 1)));
	if (n > a->room - a->len) {
		a->full = true;
		return;
	}
	memmove(a->to + at + n, a->to + at, a->len - at);
	memcpy(a->to + at, code, n);
	a->len += n;
}

void aml_scope(struct aml *a, const char *name)
{
	put(a, OP_SCOPE);
	begin(a);
	put_name(a, name);
}

void aml_device(struct aml *a, const char *name)
{
	put(a, OP_EXT);
	put(a, OP_EXT_DEVICE);
	begin(a);
	put_name(a, name);
}

void aml_package(struct aml *a, uint8_t elements)
{
	put(a, OP_PACKAGE);
	begin(a);
	put(a, elements);
}

void aml_buffer(struct aml *a, uint8_t size)
{
	put(a, OP_BUFFER);
	begin(a);
	aml_integer(a, size);
}

void aml_name(struct aml *a, const char *name)
{
	put(a, OP_NAME);
	put_name(a, name);
}

void aml_integer(struct aml *a, uint64_t value)
{
	unsigned int width = value <= UINT8_MAX	 ? 1 :
			     value <= UINT16_MAX ? 2 :
			     value <= UINT32_MAX ? 4 :
						   8;

	if (!value) {
		put(a, OP_ZERO);
		return;
	}
	put(a, width == 1 ? OP_BYTE :
	       width == 2 ? OP_WORD :
	       width == 4 ? OP_DWORD :
			    OP_QWORD);
	for (unsigned int i = 0; i < width; i++)
		put(a, (uint8_t)(value >> (8 * i)));
}

/* Three letters of 5 bits, four digits of 4; the high byte first (19.3.4). */
void aml_eisaid(struct aml *a, const char *id)
{
	uint32_t value = 0;

	assert(strlen(id) == 7);
	for (int i = 0; i < 3; i++)
		value = value << 5 | (uint32_t)(id[i] - '@');
	value = value << 16 | (uint32_t)strtoul(id + 3, NULL, 16);
	put(a, OP_DWORD);
	for (int shift = 24; shift >= 0; shift -= 8)
		put(a, (uint8_t)(value >> shift));
}
