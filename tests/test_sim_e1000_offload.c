/* SPDX-License-Identifier: MIT */
/*
 * test_sim_e1000_offload.c: what the simulated 82540EM does to frames before
 * they are sent, checksums and segments, against a plain reference.
 */

#include "test_sim_e1000.h"

#define WHOLE (TXD_EOP | TXD_IFCS)

static void expect(struct rig *rig, const uint8_t *frame, size_t len)
{
	assert_int_equal(last(rig)->len, len);
	assert_memory_equal(last(rig)->data, frame, len);
}

/*
 * Checksums: SDM 3.6.
 */

static uint16_t sum16(const uint8_t *at, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void set16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void set_checksum(uint8_t *at, uint16_t sum)
{
	set16(at, sum == 0xffff ? 0xffff : (uint16_t)~sum);
}

/* Legacy IC: from CSS to the end, at CSO: SDM 3.3.3.1. */
static void test_legacy_sum(void **state)
{
	struct rig *rig = *state;
	uint8_t want[99];

	fill(want, sizeof(want), other);
	memcpy(rig->mem + BUFS, want, sizeof(want));
	set_checksum(want + 50, sum16(want + 34, sizeof(want) - 34, 0));
	post(rig, BASE + BUFS,
	     99 | WHOLE | TXD_IC | 50 << 16 | UINT64_C(34) << 40);
	go(rig);
	expect(rig, want, sizeof(want));
	/* Out of the frame: ignored. */
	post(rig, BASE + BUFS,
	     99 | WHOLE | TXD_IC | 50 << 16 | UINT64_C(99) << 40);
	go(rig);
	expect(rig, rig->mem + BUFS, 99);
	post(rig, BASE + BUFS,
	     99 | WHOLE | TXD_IC | 98 << 16 | UINT64_C(34) << 40);
	go(rig);
	expect(rig, rig->mem + BUFS, 99);
}

/* A context's checksums, and that it is remembered: SDM 3.3.5, 3.6. */
static void test_context(void **state)
{
	struct e1000_context ctx = {
		.ipcss = 14, .ipcso = 24, .ipcse = 33, .tucss = 34, .tucso = 50
	};
	struct rig *rig = *state;
	uint8_t plain[133], both[133];

	fill(plain, sizeof(plain), other);
	memcpy(rig->mem + BUFS, plain, sizeof(plain));
	memcpy(both, plain, sizeof(both));
	set_checksum(both + 50, sum16(both + 34, sizeof(both) - 34, 0));
	set_checksum(both + 24, sum16(both + 14, 20, 0));
	context(rig, &ctx, TXD_RS);
	data(rig, BUFS, 133, WHOLE, POPTS_IXSM | POPTS_TXSM);
	go(rig);
	expect(rig, both, sizeof(both));
	assert_int_equal(txd(rig, 0)[TXD_STA], TXD_DD);
	bring_up(rig); /* not even a reset forgets */
	data(rig, BUFS, 33, 0, POPTS_IXSM | POPTS_TXSM);
	data(rig, BUFS + 33, 100, WHOLE, 0); /* the first one's count */
	go(rig);
	expect(rig, both, sizeof(both));
	data(rig, BUFS, 33, 0, 0);
	data(rig, BUFS + 33, 100, WHOLE, POPTS_IXSM | POPTS_TXSM);
	go(rig);
	expect(rig, plain, sizeof(plain));
	data(rig, BUFS, 133, WHOLE, POPTS_IXSM);
	go(rig);
	assert_memory_equal(last(rig)->data + 24, both + 24, 2);
	assert_memory_equal(last(rig)->data + 50, plain + 50, 2);
	/* Outside of the frame. */
	ctx.tucso = 132;
	ctx.ipcss = 200;
	ctx.ipcse = 1000;
	context(rig, &ctx, 0);
	data(rig, BUFS, 133, WHOLE, POPTS_TXSM);
	go(rig);
	expect(rig, plain, sizeof(plain));
	data(rig, BUFS, 133, WHOLE, POPTS_IXSM);
	go(rig);
	assert_memory_equal(last(rig)->data + 24, "\xff\xff", 2);
}

/*
 * Segmentation: SDM 3.5, against frames built one by one.
 */

struct flow {
	bool ip4, tcp;
	unsigned int link, options, mss, paylen;
	uint8_t head[256];
	unsigned int ip, l4, hdrlen;
};

static uint16_t pseudo(const struct flow *flow, const uint8_t *frame)
{
	unsigned int proto = flow->tcp ? 6 : 17;

	if (flow->ip4)
		return sum16(frame + flow->ip + 12, 8, proto);
	return sum16(frame + flow->ip + 8, 32, proto);
}

static void build(struct flow *flow)
{
	uint8_t *head = flow->head;

	flow->ip = flow->link;
	flow->l4 = flow->ip + (flow->ip4 ? 20 : 40);
	flow->hdrlen = flow->l4 + (flow->tcp ? 20 + flow->options : 8);
	memset(head, 0x11, sizeof(flow->head));
	memcpy(head, other, 6);
	memcpy(head + 6, own, 6);
	set16(head + 12, flow->ip4 ? 0x0800 : 0x86dd);
	if (flow->ip4) {
		head[flow->ip] = 0x45;
		set16(head + flow->ip + 2, 0);
		set16(head + flow->ip + 4, 0xfffe); /* wraps */
		set16(head + flow->ip + 6, 0x4000);
		head[flow->ip + 9] = flow->tcp ? 6 : 17;
		set16(head + flow->ip + 10, 0);
	} else {
		head[flow->ip] = 0x60;
		set16(head + flow->ip + 4, 0);
		head[flow->ip + 6] = flow->tcp ? 6 : 17;
	}
	if (flow->tcp) {
		memcpy(head + flow->l4 + 4, "\xff\xff\xff\x00", 4);
		head[flow->l4 + 12] = (uint8_t)((20 + flow->options) / 4 << 4);
		head[flow->l4 + 13] = 0x19; /* ACK, PSH, FIN */
		set16(head + flow->l4 + 16, pseudo(flow, head));
	} else {
		set16(head + flow->l4 + 4, 0);
		set16(head + flow->l4 + 6, pseudo(flow, head));
	}
}

/* What the (i)th frame should be. */
static size_t reference(const struct flow *flow, const uint8_t *payload,
			unsigned int i, uint8_t *frame)
{
	unsigned int from = i * flow->mss, l4_len, sum_at;
	unsigned int n = flow->paylen - from;
	bool is_last = n <= flow->mss;

	n = is_last ? n : flow->mss;
	memcpy(frame, flow->head, flow->hdrlen);
	memcpy(frame + flow->hdrlen, payload + from, n);
	l4_len = flow->hdrlen - flow->l4 + n;
	if (flow->ip4) {
		set16(frame + flow->ip + 2, 20 + l4_len);
		set16(frame + flow->ip + 4, 0xfffe + i);
		set_checksum(frame + flow->ip + 10,
			     sum16(frame + flow->ip, 20, 0));
	} else {
		set16(frame + flow->ip + 4, l4_len);
	}
	if (flow->tcp) {
		uint32_t seq = 0xffffff00 + from;

		set16(frame + flow->l4 + 4, seq >> 16);
		set16(frame + flow->l4 + 6, seq);
		if (!is_last)
			frame[flow->l4 + 13] = 0x10;
	} else {
		set16(frame + flow->l4 + 4, l4_len);
	}
	sum_at = flow->l4 + (flow->tcp ? 16 : 6);
	set16(frame + sum_at, 0);
	set_checksum(frame + sum_at, sum16(frame + flow->l4, l4_len,
					   pseudo(flow, frame) + l4_len));
	return flow->hdrlen + n;
}

static void segment_context(const struct flow *flow, struct e1000_context *ctx)
{
	*ctx = (struct e1000_context){
		.ipcss = (uint8_t)flow->ip,
		.ipcso = (uint8_t)(flow->ip + 10),
		.ipcse = flow->ip4 ? (uint16_t)(flow->l4 - 1) : 0,
		.tucss = (uint8_t)flow->l4,
		.tucso = (uint8_t)(flow->l4 + (flow->tcp ? 16 : 6)),
		.hdrlen = (uint8_t)flow->hdrlen,
		.mss = (uint16_t)flow->mss,
		.paylen = flow->paylen,
		.tcp = flow->tcp,
		.ip4 = flow->ip4,
	};
}

/* The header by itself, then the payload in pieces of (cut); 0: all in one. */
static void send_flow(struct rig *rig, struct flow *flow,
		      const uint8_t *payload, unsigned int cut)
{
	unsigned int popts = POPTS_TXSM | (flow->ip4 ? POPTS_IXSM : 0);
	uint32_t at = BUFS, left = flow->hdrlen + flow->paylen, n;
	struct e1000_context ctx;

	segment_context(flow, &ctx);
	memcpy(rig->mem + BUFS, flow->head, flow->hdrlen);
	memcpy(rig->mem + BUFS + flow->hdrlen, payload, flow->paylen);
	context(rig, &ctx, TXD_TSE);
	n = cut ? flow->hdrlen : left;
	while (left) {
		data(rig, at, n,
		     TXD_TSE | TXD_IFCS | (n == left ? TXD_EOP | TXD_RS : 0),
		     at == BUFS ? popts : 0);
		at += n;
		left -= n;
		n = left < cut ? left : cut;
	}
	go(rig);
}

static void check_flow(struct rig *rig, struct flow *flow, unsigned int cut)
{
	unsigned int frames = (flow->paylen + flow->mss - 1) / flow->mss;
	unsigned int first = rig->sent, i;
	uint8_t *want = malloc(0x10000), *payload = malloc(0x20000);

	assert_non_null(want);
	assert_non_null(payload);
	for (i = 0; i < flow->paylen; i++)
		payload[i] = (uint8_t)(i * i >> 3 ^ i);
	build(flow);
	send_flow(rig, flow, payload, cut);
	assert_int_equal(rig->sent, first + frames);
	for (i = 0; i < frames; i++) {
		const struct sent *sent = &rig->frame[(first + i) % SENT_MAX];
		size_t len = reference(flow, payload, i, want);

		memset(want + len, 0, 60);
		len = len < 60 ? 60 : len;
		assert_int_equal(sent->len, len);
		assert_memory_equal(sent->data, want, len);
	}
	free(want);
	free(payload);
}

static void test_segments(void **state)
{
	static const uint16_t sizes[][2] = {
		/* MSS, payload */
		{ 1460, 14600 }, { 1460, 14601 }, { 1460, 1460 },
		{ 1460, 100 },	 { 1400, 60000 }, { 536, 5360 },
		{ 333, 10001 },	 { 8, 1000 },	  { 8960, 60000 },
	};
	static const uint16_t cuts[] = { 0, 0xffff, 4096, 1460, 701 };
	struct rig *rig = *state;

	rings(rig, 256, RING);
	for (unsigned int kind = 0; kind < 4; kind++) {
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			for (size_t j = 0; j < ARRAY_LEN(cuts); j++) {
				struct flow flow = {
					.ip4 = kind & 1,
					.tcp = kind & 2,
					.link = i & 1 ? 14 : 18,
					.options = i & 2 ? 12 : 0,
					.mss = sizes[i][0],
					.paylen = sizes[i][1],
				};

				check_flow(rig, &flow, cuts[j]);
			}
		}
	}
	assert_int_equal(rd(rig, R_TSCTC),
			 4 * ARRAY_LEN(sizes) * ARRAY_LEN(cuts));
	assert_int_equal(rd(rig, R_TSCTFC), 0);
}

/* A tag on every segment, told with the first descriptor: SDM 3.3.7.1. */
static void test_segment_tags(void **state)
{
	struct e1000_context ctx = { .hdrlen = 14, .mss = 100, .paylen = 250 };
	struct rig *rig = *state;

	wr(rig, R_CTRL, CTRL_SLU | CTRL_VME);
	fill(rig->mem + BUFS, 264, other);
	context(rig, &ctx, TXD_TSE);
	post(rig, BASE + BUFS,
	     14 | TXD_DEXT | TXD_DTYP_DATA | TXD_TSE | TXD_IFCS | TXD_VLE |
		     UINT64_C(0x0123) << 48);
	data(rig, BUFS + 14, 250, WHOLE | TXD_TSE, 0);
	go(rig);
	assert_int_equal(rig->sent, 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(rig->frame[i].len, i < 2 ? 118 : 68);
		assert_memory_equal(rig->frame[i].data + 12,
				    "\x81\x00\x01\x23\x88\xb5", 6);
	}
}

/* Wrong lengths: what there is goes out, and TSCTFC counts: SDM 13.7.54. */
static void test_segment_lies(void **state)
{
	struct e1000_context ctx = {
		.hdrlen = 54, .mss = 100, .paylen = 500, .tcp = true
	};
	struct rig *rig = *state;

	fill(rig->mem + BUFS, 1000, other);
	context(rig, &ctx, TXD_TSE);
	data(rig, BUFS, 54 + 250, WHOLE | TXD_TSE, 0);
	go(rig);
	assert_int_equal(rig->sent, 3);
	data(rig, BUFS, 54 + 900, WHOLE | TXD_TSE, 0);
	go(rig);
	assert_int_equal(rig->sent, 12);
	assert_int_equal(rd(rig, R_TSCTFC), 2);
	/* Less than a header; no MSS; no header; nothing at all. */
	data(rig, BUFS, 20, WHOLE | TXD_TSE, 0);
	go(rig);
	assert_int_equal(rig->sent, 12);
	ctx.mss = 0;
	context(rig, &ctx, TXD_TSE);
	data(rig, BUFS, 900, WHOLE | TXD_TSE, 3);
	go(rig);
	ctx.hdrlen = 0;
	context(rig, &ctx, TXD_TSE);
	data(rig, BUFS, 900, WHOLE | TXD_TSE, 3);
	go(rig);
	ctx = (struct e1000_context){ .hdrlen = 255,
				      .mss = 0xffff,
				      .ipcss = 255,
				      .tucss = 255,
				      .tucso = 255,
				      .tcp = true };
	context(rig, &ctx, TXD_TSE);
	data(rig, BUFS, 0xfffff, TXD_TSE, 3);
	data(rig, BUFS, 0xfffff, WHOLE | TXD_TSE, 3);
	go(rig);
	assert_int_equal(rd(rig, R_TDH), rig->tail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_legacy_sum),	 TEST(test_context),
		TEST(test_segments),	 TEST(test_segment_tags),
		TEST(test_segment_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
