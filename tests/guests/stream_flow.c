/* SPDX-License-Identifier: MIT */
/*
 * stream_flow.c: stream.h's protocol: a window, cumulative acknowledgements,
 * and on loss everything again from the first frame that is missing.
 *
 * A frame's head is made once and lies in its slot until the frame is
 * acknowledged; its data is never copied.  So little is done for each byte
 * that a guest whose every instruction is emulated gets along, too.
 */

#include "stream.h"

#define MAGIC 0x6f697076u
#define SLOTS 64
#define ACK_SLOTS 8
#define UDP_AT 34
#define HEADER_AT 42
#define RETRY_US 20000
#define RETRY_MAX_US 2560000
#define ACK_DELAY_US 500
#define STALL_US 30000000
#define QUIET_US 400000 /* of the peer, before we end */
#define BURST 32

/* A frame that was, or is to be, sent.  Two bytes in front of the head put the
 * header's words at their natural alignment. */
struct slot {
	uint8_t pad[2];
	uint8_t head[STREAM_HEAD];
	uint32_t posted; /* nic->posted after it was */
	uint32_t data_len;
	const uint8_t *data;
} __attribute__((aligned(8)));

static const struct stream_options *options;

static struct {
	uint32_t count; /* frames to send */
	uint32_t base;	/* the first without acknowledgement */
	uint32_t next;	/* the next to send */
	uint32_t made;	/* the first without a head */
	uint32_t repeats;
	uint32_t went_back; /* base, when a gap was last told of, plus one */
	uint64_t retry_us;
	uint64_t retry_at;
	struct checksum sum;
	struct slot slots[SLOTS];
} out;

static struct {
	uint32_t next;	/* the next frame that we want */
	uint32_t count; /* what the peer said it has; 0: not known yet */
	uint32_t seed;	/* of all its frames */
	uint32_t bytes;
	uint32_t unacked;
	uint64_t first_unacked_us;
	bool ack_now;
	bool gap;
	struct checksum sum;
	unsigned int ack_slot;
	struct slot acks[ACK_SLOTS];
} in;

static uint32_t peer;
static uint8_t peer_mac[6];
static uint64_t progress_us;
static uint64_t heard_us;

static struct stream_header *header_of(struct slot *slot)
{
	return (struct stream_header *)(void *)(slot->head + HEADER_AT);
}

static uint32_t room_for_data(void)
{
	return options->frame - STREAM_HEAD;
}

static uint32_t sum_add(struct checksum *sum, const uint8_t *data, uint32_t len)
{
	uint32_t at[3] = { 0, len / 8 * 4, len < 4 ? 0 : len - 4 };
	uint32_t word;
	int i;

	if (options->sampled) {
		for (i = 0; i < 3; i++) {
			__builtin_memcpy(&word, data + at[i], 4);
			checksum_word(sum, word);
		}
		sum->len += len;
	} else {
		/* Frames are padded with zeros, in the sum, to whole words. */
		checksum_add(sum, data, len);
	}
	return (uint32_t)(sum->a ^ sum->b);
}

static void make_head(struct slot *slot, uint32_t data_len)
{
	size_t len = sizeof(struct stream_header) + data_len;
	uint8_t *ip = slot->head + 14;
	uint32_t sum = 0;
	int i;

	memset(slot->head, 0, STREAM_HEAD);
	memcpy(slot->head, peer_mac, 6);
	memcpy(slot->head + 6, net.nic.mac, 6);
	put16(slot->head + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)(28 + len));
	ip[8] = 64;
	ip[9] = 17;
	put32(ip + 12, net.ip);
	put32(ip + 16, peer);
	for (i = 0; i < 20; i += 2)
		sum += get16(ip + i);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, (uint16_t) ~(sum + (sum >> 16)));
	put16(slot->head + UDP_AT, options->port);
	put16(slot->head + UDP_AT + 2, options->port);
	put16(slot->head + UDP_AT + 4, (uint16_t)(8 + len));
	header_of(slot)->magic = MAGIC;
	header_of(slot)->count = out.count;
	header_of(slot)->seed = net.ip;
	slot->data_len = data_len;
}

static void make_frame(struct slot *slot, uint32_t seq)
{
	uint32_t len = options->send - seq * room_for_data();

	if (len > room_for_data())
		len = room_for_data();
	if (slot->data_len != len)
		make_head(slot, len);
	slot->data = stream_data(seq, net.ip);
	header_of(slot)->seq = seq;
	header_of(slot)->sum = sum_add(&out.sum, slot->data, len);
}

/* May it be changed, or is it still in the part's hands? */
static bool is_free(const struct slot *slot)
{
	return (int32_t)(net.nic.sent - slot->posted) >= 0;
}

static bool post(struct slot *slot)
{
	struct nic_frame frame = {
		.head = slot->head,
		.head_len = STREAM_HEAD,
		.data = slot->data,
		.data_len = slot->data_len,
	};

	header_of(slot)->ack = in.next;
	header_of(slot)->gap = in.gap;
	if (!nic_post(&net.nic, &frame))
		return false;
	slot->posted = net.nic.posted;
	in.unacked = 0;
	in.ack_now = in.gap = false;
	return true;
}

/* Send what window and ring let through, at most a batch. */
static bool send_data(void)
{
	uint32_t n;

	for (n = 0; n < options->batch; n++) {
		struct slot *slot = &out.slots[out.next % SLOTS];

		if (out.next == out.count ||
		    out.next - out.base >= options->window || !is_free(slot))
			break;
		if (out.next == out.made) {
			make_frame(slot, out.made);
			out.made++;
		} else {
			out.repeats++;
		}
		if (!post(slot)) {
			out.repeats -= out.next + 1 != out.made;
			break;
		}
		out.next++;
	}
	if (!n)
		return false;
	nic_kick(&net.nic);
	if (out.retry_at == UINT64_MAX)
		out.retry_at = now_us() + out.retry_us;
	return true;
}

static bool send_ack(void)
{
	struct slot *slot = &in.acks[in.ack_slot];

	if (!is_free(slot))
		return false;
	if (!header_of(slot)->magic)
		make_head(slot, 0);
	header_of(slot)->seq = out.count;
	if (!post(slot))
		return false;
	nic_kick(&net.nic);
	in.ack_slot = (in.ack_slot + 1) % ACK_SLOTS;
	return true;
}

static void take_ack(const struct stream_header *h)
{
	if (h->ack - out.base - 1 < out.made - out.base) {
		out.base = h->ack;
		if ((int32_t)(out.next - out.base) < 0)
			out.next = out.base;
		/* Doubled where it was too short, it comes down slowly. */
		out.retry_us -= out.retry_us / 16;
		if (out.retry_us < RETRY_US)
			out.retry_us = RETRY_US;
		progress_us = now_us();
		out.retry_at = UINT64_MAX;
		if (out.base != out.made)
			out.retry_at = progress_us + out.retry_us;
	}
	if (h->gap && h->ack == out.base && out.went_back != out.base + 1) {
		out.went_back = out.base + 1;
		out.next = out.base;
	}
}

static bool same(const void *a, const void *b, size_t len)
{
	size_t quads = len / 8;
	bool equal;

	if (!quads)
		return !memcmp(a, b, len);
	__asm__ volatile("repe cmpsq"
			 : "+S"(a), "+D"(b), "+c"(quads), "=@ccz"(equal)
			 :
			 : "memory");
	return equal && !memcmp(a, b, len % 8);
}

static void take_data(const struct stream_header *h, const uint8_t *data,
		      uint32_t len)
{
	if (h->seq != in.next) {
		in.gap |= (int32_t)(h->seq - in.next) > 0;
		in.ack_now = true;
		return;
	}
	if (!in.next)
		in.seed = h->seed;
	if (!same(data, stream_data(h->seq, in.seed), len))
		fail("stream: frame %u has other data", h->seq);
	if (sum_add(&in.sum, data, len) != h->sum)
		fail("stream: frame %u has another checksum", h->seq);
	in.count = h->count;
	in.bytes += len;
	in.next++;
	in.gap = false;
	progress_us = now_us();
	if (!in.unacked++)
		in.first_unacked_us = progress_us;
	in.ack_now |= 2 * in.unacked >= options->window || in.next == in.count;
}

/* What net_poll() brought.  The first packet of an unknown peer is lost: to
 * find its MAC, others come and go. */
static void take(void)
{
	const struct stream_header *h = (const void *)datagram.data;

	if (!h || datagram.len < sizeof(*h) || h->magic != MAGIC)
		return;
	if (!peer) {
		peer = datagram.from;
		if (!net_resolve(peer, peer_mac, 5000))
			fail("arp: no answer from %I", peer);
		return;
	}
	if (datagram.from != peer)
		return;
	heard_us = now_us();
	take_ack(h);
	if (datagram.len > sizeof(*h))
		take_data(h, datagram.data + sizeof(*h),
			  (uint32_t)(datagram.len - sizeof(*h)));
}

static bool receive(void)
{
	int n;

	for (n = 0; n < BURST && net_poll(); n++)
		take();
	return n;
}

static void check_timers(void)
{
	uint64_t now = now_us();

	if (now >= out.retry_at) {
		out.next = out.base;
		out.retry_us = 2 * out.retry_us < RETRY_MAX_US ?
				       2 * out.retry_us :
				       RETRY_MAX_US;
		out.retry_at = now + out.retry_us;
	}
	if (in.unacked && now - in.first_unacked_us > ACK_DELAY_US)
		in.ack_now = true;
	if (now - progress_us > STALL_US)
		fail("stream: stalled: %u of %u frames acknowledged, %u of %u "
		     "bytes here",
		     out.base, out.count, in.bytes, options->receive);
}

static bool is_done(void)
{
	return out.base == out.count && in.bytes >= options->receive;
}

static void report(uint64_t us)
{
	uint64_t bytes = (uint64_t)options->send + in.bytes;
	uint64_t frames = (uint64_t)out.count + in.next;

	if (out.count)
		say("stream: sent %u bytes, %u frames, %u repeats, checksum "
		    "0x%016lx\n",
		    options->send, out.count, out.repeats,
		    checksum_end(&out.sum));
	if (in.next)
		say("stream: received %u bytes, %u frames, checksum "
		    "0x%016lx\n",
		    in.bytes, in.next, checksum_end(&in.sum));
	if (in.bytes != options->receive)
		fail("stream: %u bytes were to come", options->receive);
	us = us ? us : 1;
	if (option("rate"))
		say("rate: %lu frames/s, %lu bytes/s, %u repeats, %lu ms\n",
		    frames * 1000000 / us, bytes * 1000000 / us, out.repeats,
		    us / 1000);
}

void stream_run(const struct stream_options *o)
{
	uint64_t start = now_us();
	uint64_t end = 0;

	options = o;
	out.count = (o->send + room_for_data() - 1) / room_for_data();
	out.retry_us = RETRY_US;
	out.retry_at = UINT64_MAX;
	progress_us = start;
	peer = o->peer;
	if (peer && !net_resolve(peer, peer_mac, 20000))
		fail("arp: no answer from %I", peer);
	net_listen(o->port);
	/* At the end, stay until the peer is quiet: our last acknowledgement
	 * may have been lost. */
	while (!is_done() || now_us() - heard_us < QUIET_US) {
		bool busy = receive();

		check_timers();
		busy |= send_data();
		if (in.ack_now)
			busy |= send_ack();
		if (is_done() && !end)
			end = now_us();
		if (!busy)
			nic_idle(&net.nic);
	}
	report(end - start);
}
