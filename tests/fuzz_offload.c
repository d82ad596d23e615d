/* SPDX-License-Identifier: MIT */
/*
 * fuzz_offload.c: any frame and any wishes for it, any levels on an EEPROM's
 * pins; both must do what a plain reading of their rules says.
 *
 * Input: a byte; if it is odd, pins: address bits, words, then a byte for each
 * change.  If it is even, struct offload's fields in FIELDS bytes and a frame.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dmm/microwire.h"
#include "dmm/offload.h"

#define FIELDS 23

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
	if (!truth)
		abort();
}

/* ---- frames ---- */

/* What is to arrive: segment by segment of the frame as it was. */
struct wire {
	const struct offload *o;
	const uint8_t *frame;
	size_t len, done;
	unsigned int nth;
};

/* Add (n) to the number of (bytes) at (at), which wraps. */
static void plus(uint8_t *at, unsigned int bytes, uint32_t n)
{
	for (uint64_t carry = n; bytes--; carry >>= 8) {
		carry += at[bytes];
		at[bytes] = (uint8_t)carry;
	}
}

static void set(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v / 256);
	at[1] = (uint8_t)v;
}

/* The one's complement sum, byte by byte, each carry at once. */
static unsigned int ones_sum(const uint8_t *b, size_t len, unsigned int start,
			     unsigned int end, size_t sum)
{
	while (sum > 0xffff)
		sum = sum % 0x10000 + sum / 0x10000;
	for (size_t i = start; i < len && (!end || i <= end); i++) {
		sum += (i - start) % 2 ? b[i] : b[i] * 256u;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (unsigned int)sum;
}

static void expect_sums(const struct offload *o, uint8_t *want, size_t len)
{
	unsigned int ip = 0xffff ^
			  ones_sum(want, len, o->ip_start, o->ip_end, 0);
	unsigned int l4 = 0xffff ^ ones_sum(want, len, o->l4_start, o->l4_end,
					    o->segment ? len - o->l4_start : 0);

	if (o->ip_sum)
		set(want + o->ip_at, ip);
	if (o->l4_sum)
		set(want + o->l4_at, l4 || o->tcp ? l4 : 0xffff);
}

static void arrives(void *ctx, const uint8_t *frame, size_t len)
{
	struct wire *w = ctx;
	const struct offload *o = w->o;
	uint8_t *want = malloc(len);
	size_t part = len - o->header;

	expect(want);
	if (!o->segment) {
		expect(w->nth++ == 0 && len == w->len);
		memcpy(want, w->frame, len);
	} else {
		bool last = w->done + part == o->payload;

		expect(len > o->header && (part == o->mss || last));
		expect(part <= o->mss && w->done + part <= o->payload);
		memcpy(want, w->frame, o->header);
		memcpy(want + o->header, w->frame + o->header + w->done, part);
		if (o->ipv4)
			plus(want + o->ip_start + 4, 2, w->nth);
		set(want + o->ip_start + (o->ipv4 ? 2 : 4),
		    len - o->ip_start - (o->ipv4 ? 0 : 40));
		if (o->tcp)
			plus(want + o->l4_start + 4, 4, (uint32_t)w->done);
		else
			set(want + o->l4_start + 4, len - o->l4_start);
		if (o->tcp && !last)
			want[o->l4_start + 13] &= 0xf6;
		w->done += part;
		w->nth++;
	}
	expect_sums(o, want, len);
	expect(memcmp(frame, want, len) == 0);
	free(want);
}

static void fuzz_frame(const uint8_t *data, size_t size)
{
	uint16_t n[10];
	struct offload o;
	struct wire w = { .o = &o };
	uint8_t *frame, *copy, *scratch;
	size_t scratch_len;
	int ret;

	if (size < FIELDS)
		return;
	memcpy(n, data + 3, sizeof(n));
	o = (struct offload){
		.ip_sum = data[0] & 1,
		.l4_sum = data[0] & 2,
		.ip_start = n[0],
		.ip_at = n[1],
		.ip_end = n[2],
		.l4_start = n[3],
		.l4_at = n[4],
		.l4_end = n[5],
		.segment = data[0] & 4,
		.ipv4 = data[0] & 8,
		.tcp = data[0] & 16,
		.mss = n[6],
		.header = n[7],
		.payload = n[8] | (uint32_t)data[1] << 16,
	};
	w.len = size - FIELDS;
	if (data[2] & 1) /* what there is, or it would hardly ever fit */
		o.payload = (uint32_t)(w.len - o.header);
	scratch_len = n[9];
	frame = malloc(w.len ? w.len : 1);
	copy = malloc(w.len ? w.len : 1);
	scratch = malloc(scratch_len ? scratch_len : 1);
	if (frame && copy && scratch) {
		memcpy(frame, data + FIELDS, w.len);
		memcpy(copy, data + FIELDS, w.len);
		w.frame = copy;
		ret = offload_run(&o, frame, w.len, scratch, scratch_len,
				  arrives, &w);
		expect(ret == 0 || ret == -EINVAL);
		expect((ret == 0) == (w.nth > 0));
		expect(ret || !o.segment || w.done == o.payload);
		if (ret || o.segment)
			expect(w.len == 0 || !memcmp(frame, copy, w.len));
	}
	free(frame);
	free(copy);
	free(scratch);
}

/* ---- pins ---- */

/* All that DI said, at each edge, since the part was selected. */
struct history {
	uint8_t di[4096];
	unsigned int n;
	const uint16_t *words;
	unsigned int words_n, address_bits;
};

/* From the whole history: DO, and true in (*tried) if the last bit wrote. */
static bool replay(const struct history *h, bool *tried)
{
	unsigned int i = 0, end, op = 0, address = 0, behind, at;
	uint16_t word;

	*tried = false;
	while (i < h->n && !h->di[i])
		i++;
	end = i + 3 + h->address_bits;
	if (h->n < end)
		return true;
	op = h->di[i + 1] * 2u + h->di[i + 2];
	for (unsigned int k = i + 3; k < end; k++)
		address = address * 2 + h->di[k];
	behind = h->n - end;
	if (op == 0) /* the first two bits of the address are more opcode */
		op = 10 + h->di[i + 3] * 2u + h->di[i + 4];
	*tried = ((op == 1 || op == 11) && behind == 16) ||
		 ((op == 3 || op == 12) && behind == 0);
	if (op != 2)
		return true;
	if (behind == 0)
		return false;
	at = (address + (behind - 1) / 16) % (1u << h->address_bits);
	word = at < h->words_n ? h->words[at] : 0xffff;
	return word >> (15 - (behind - 1) % 16) & 1;
}

static void fuzz_pins(const uint8_t *data, size_t size)
{
	static struct history h;
	struct microwire m;
	bool was_cs = false, was_sk = false, tried, want, now = true;
	uint16_t *words;

	if (size < 2)
		return;
	h.n = 0;
	h.address_bits = 2 + data[0] % 15;
	h.words_n = data[1];
	words = malloc(h.words_n ? 2 * h.words_n : 1);
	if (!words)
		return;
	for (unsigned int i = 0; i < h.words_n; i++)
		words[i] = (uint16_t)(i * 40503 + data[0]);
	h.words = words;
	microwire_reset(&m);
	for (size_t i = 2; i < size && h.n < sizeof(h.di); i++) {
		bool cs = data[i] & 1, sk = data[i] & 2, di = data[i] & 4;
		bool got;

		tried = want = false;
		got = microwire_pins(&m, cs, sk, di, words, h.words_n,
				     h.address_bits, &tried);
		if (!cs) {
			h.n = 0;
			now = true;
		} else if (was_cs && sk && !was_sk) {
			h.di[h.n++] = di;
			now = replay(&h, &want);
		}
		expect(got == now && tried == want);
		was_cs = cs;
		was_sk = sk;
	}
	free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 1)
		fuzz_pins(data + 1, size - 1);
	else
		fuzz_frame(data + 1, size - 1);
	return 0;
}
