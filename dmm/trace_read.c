// SPDX-License-Identifier: MIT
/*
 * trace_read.c: pcapng blocks out of memory that nobody vouches for.
 */

#include <errno.h>
#include <string.h>

#include "trace.h"
#include "tracefmt.h"

static uint16_t get16(const struct trace_reader *r, const uint8_t *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return r->swapped ? __builtin_bswap16(v) : v;
}

static uint32_t get32(const struct trace_reader *r, const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return r->swapped ? __builtin_bswap32(v) : v;
}

void trace_open(struct trace_reader *r, const void *bytes, size_t len)
{
	memset(r, 0, sizeof(*r));
	r->bytes = bytes;
	r->len = len;
}

/* ---- our records ---- */

/* Are there (n) strings, each with its end, and nothing behind them? */
static bool strings(const uint8_t *at, size_t len, unsigned int n)
{
	const uint8_t *end;

	for (; n; n--) {
		end = len ? memchr(at, 0, len) : NULL;
		if (!end)
			return false;
		len -= (size_t)(end - at) + 1;
		at = end + 1;
	}
	return len == 0;
}

static bool whole_access(const uint8_t *body, size_t len)
{
	struct trace_access a;

	if (len < sizeof(a))
		return false;
	memcpy(&a, body, sizeof(a));
	return a.width <= 8 && 0x116u >> a.width & 1 && /* 1, 2, 4, 8 */
	       len - sizeof(a) == (uint64_t)a.count * a.width &&
	       a.done <= a.count && a.from <= a.done;
}

static bool whole_model(const uint8_t *body, size_t len)
{
	struct trace_model m;
	size_t guests;

	if (len < sizeof(m))
		return false;
	memcpy(&m, body, sizeof(m));
	guests = m.guests * sizeof(struct trace_guest);
	return m.guests <= DMM_MAX_GUESTS && len - sizeof(m) >= guests &&
	       strings(body + sizeof(m) + guests, len - sizeof(m) - guests, 3);
}

/* Has it the length that its kind and its counts say? */
static inline bool whole(const struct trace_head *head, const uint8_t *body)
{
	size_t len = head->len;
	struct trace_call call;

	if (head->kind == TRACE_ACCESS) /* half of them all */
		return whole_access(body, len);
	switch (head->kind) {
	case TRACE_MODEL:
		return whole_model(body, len);
	case TRACE_INTERRUPT:
	case TRACE_TICK:
	case TRACE_LINE:
	case TRACE_LOST:
	case TRACE_STEP:
	case TRACE_SIGNALS:
	case TRACE_MESSAGE:
		return len == sizeof(struct trace_value);
	case TRACE_LEAVE:
	case TRACE_GUEST_RESET:
		return len == 0;
	case TRACE_HOST:
		if (len < sizeof(call))
			return false;
		memcpy(&call, body, sizeof(call));
		return len - sizeof(call) == call.bytes;
	case TRACE_STATE:
		return len == sizeof(struct trace_state);
	case TRACE_SWITCH:
		return len == sizeof(struct trace_switch);
	case TRACE_VIOLATION:
		return len >= sizeof(struct trace_violation) &&
		       strings(body + sizeof(struct trace_violation),
			       len - sizeof(struct trace_violation), 2);
	default:
		return true; /* of a version to come */
	}
}

/* A packet of our link type; others may use that number, too. */
static int look_at_record(struct trace_packet *out)
{
	if (out->len < sizeof(out->head))
		return 0;
	memcpy(&out->head, out->bytes, sizeof(out->head));
	if (out->head.version != TRACE_VERSION || !out->head.kind)
		return 0;
	if (out->head.len != out->len - sizeof(out->head) ||
	    out->len > TRACE_RECORD_MAX)
		return -EINVAL;
	out->body = out->bytes + sizeof(out->head);
	if (!whole(&out->head, out->body))
		return -EINVAL;
	out->ours = true;
	return 0;
}

void trace_read_model(const struct trace_packet *p, struct trace_device *out)
{
	const uint8_t *at = p->body + sizeof(out->model);

	memset(out, 0, sizeof(*out));
	memcpy(&out->model, p->body, sizeof(out->model));
	memcpy(out->guest, at, out->model.guests * sizeof(out->guest[0]));
	at += out->model.guests * sizeof(out->guest[0]);
	out->name = (const char *)at;
	out->text = out->name + strlen(out->name) + 1;
	out->machine = out->text + strlen(out->text) + 1;
}

/* ---- blocks ---- */

/* Ticks since the epoch into nanoseconds. */
static uint64_t to_ns(uint8_t tsresol, uint64_t ticks)
{
	unsigned int n = tsresol & 0x7f;
	uint64_t scale = 1;

	if (tsresol == 9) /* as ours are */
		return ticks;
	if (tsresol & 0x80)
		return n > 63 ? 0 :
				(uint64_t)(((unsigned __int128)ticks *
					    1000000000u) >>
					   n);
	for (; n < 9; n++)
		scale *= 10;
	for (; n > 9 && n <= 27; n--)
		ticks /= 10;
	return n > 27 ? 0 : ticks * scale;
}

static int read_section(struct trace_reader *r, const uint8_t *block,
			size_t len)
{
	if (len < 28 || get16(r, block + 12) != 1)
		return -EINVAL;
	r->interfaces = 0;
	return 0;
}

static void copy_name(char *to, size_t room, const uint8_t *from, size_t len)
{
	if (len > room - 1)
		len = room - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

static int read_interface(struct trace_reader *r, const uint8_t *block,
			  size_t len)
{
	const uint8_t *at = block + 16, *end = block + len - 4;
	unsigned int n = r->interfaces, code, size;

	if (len < 20 || n == UINT32_MAX)
		return -EINVAL;
	r->interfaces++;
	if (n >= TRACE_INTERFACES)
		return 0; /* what comes of it is skipped */
	r->interface[n].linktype = get16(r, block + 8);
	r->interface[n].tsresol = 6;
	r->interface[n].name[0] = '\0';
	while (end - at >= 4) {
		code = get16(r, at);
		size = get16(r, at + 2);
		at += 4;
		if (!code)
			break;
		if (size > (size_t)(end - at))
			return -EINVAL;
		if (code == PCAPNG_OPT_IF_NAME)
			copy_name(r->interface[n].name,
				  sizeof(r->interface[n].name), at, size);
		if (code == PCAPNG_OPT_IF_TSRESOL && size)
			r->interface[n].tsresol = *at;
		size = (size + 3) & ~3u;
		if (size > (size_t)(end - at))
			return -EINVAL;
		at += size;
	}
	return 0;
}

/* (body) of a packet begins so far into its block. */
static int read_packet(struct trace_reader *r, const uint8_t *block, size_t len,
		       uint32_t type, struct trace_packet *out)
{
	size_t at = type == PCAPNG_SIMPLE ? 12 : 28;
	uint64_t ticks = 0;

	if (len < at + 4)
		return -EINVAL;
	if (type == PCAPNG_SIMPLE) {
		out->original = get32(r, block + 8);
		out->len = (uint32_t)(len - 16);
		if (out->original < out->len)
			out->len = out->original;
	} else {
		out->interface = type == PCAPNG_PACKET ? get32(r, block + 8) :
							 get16(r, block + 8);
		ticks = (uint64_t)get32(r, block + 12) << 32 |
			get32(r, block + 16);
		out->len = get32(r, block + 20);
		out->original = get32(r, block + 24);
	}
	if (out->len > len - at - 4 || out->interface >= r->interfaces)
		return -EINVAL;
	if (out->interface >= TRACE_INTERFACES)
		return 0;
	out->block = TRACE_BLOCK_PACKET;
	out->bytes = block + at;
	out->linktype = r->interface[out->interface].linktype;
	out->ns = to_ns(r->interface[out->interface].tsresol, ticks);
	return out->linktype == TRACE_LINKTYPE ? look_at_record(out) : 0;
}

/*
 * How long the block at r->at is, and of what type.  A section's first number
 * says the byte order of all that follows, so of its length, too.
 */
static int measure(struct trace_reader *r, uint32_t *type, size_t *len)
{
	const uint8_t *block = r->bytes + r->at;
	size_t left = r->len - r->at;
	uint32_t magic;

	if (left >= 4 && !r->at && memcmp(block, "\n\r\r\n", 4))
		return -EINVAL;
	if (left < 12)
		return -ENODATA;
	*type = get32(r, block);
	if (*type == PCAPNG_SECTION) {
		memcpy(&magic, block + 8, sizeof(magic));
		if (magic != PCAPNG_MAGIC && magic != PCAPNG_SWAPPED)
			return -EINVAL;
		r->swapped = magic == PCAPNG_SWAPPED;
	}
	*len = get32(r, block + 4);
	if (*len < 12 || *len % 4 || *len > PCAPNG_BLOCK_MAX)
		return -EINVAL;
	if (*len > left)
		return -ENODATA;
	return get32(r, block + *len - 4) == *len ? 0 : -EINVAL;
}

/* The numbers before an Enhanced Packet's data. */
struct enhanced {
	uint32_t type, len, interface, high, low, captured, original;
};

/*
 * What nearly all blocks of a trace are: a sound record of ours, in nanoseconds
 * and this machine's byte order.  False: it is something else, or not sound,
 * which is for the others to say.
 */
static bool quick_record(struct trace_reader *r, struct trace_packet *out)
{
	const uint8_t *block = r->bytes + r->at;
	size_t left = r->len - r->at;
	struct trace_head head;
	struct enhanced b;
	uint32_t len;

	if (left < sizeof(b) + sizeof(head) + 4 || r->swapped)
		return false;
	memcpy(&b, block, sizeof(b));
	memcpy(&head, block + sizeof(b), sizeof(head));
	if (b.type != PCAPNG_PACKET || b.len > left || b.len % 4 ||
	    b.len > PCAPNG_BLOCK_MAX || b.len < sizeof(b) + sizeof(head) + 4)
		return false;
	memcpy(&len, block + b.len - 4, sizeof(len));
	if (len != b.len || b.captured > len - sizeof(b) - 4 ||
	    b.captured > TRACE_RECORD_MAX ||
	    b.captured != head.len + (uint64_t)sizeof(head) ||
	    b.interface >= r->interfaces || b.interface >= TRACE_INTERFACES ||
	    r->interface[b.interface].linktype != TRACE_LINKTYPE ||
	    r->interface[b.interface].tsresol != 9 ||
	    head.version != TRACE_VERSION || !head.kind ||
	    !whole(&head, block + sizeof(b) + sizeof(head)))
		return false;
	out->block = TRACE_BLOCK_PACKET;
	out->offset = r->at;
	out->interface = b.interface;
	out->linktype = TRACE_LINKTYPE;
	out->ns = (uint64_t)b.high << 32 | b.low;
	out->bytes = block + sizeof(b);
	out->len = b.captured;
	out->original = b.original;
	out->ours = true;
	out->head = head;
	out->body = block + sizeof(b) + sizeof(head);
	r->at += len;
	return true;
}

int trace_next(struct trace_reader *r, struct trace_packet *out)
{
	const uint8_t *block = r->bytes + r->at;
	uint32_t type;
	size_t len;
	int err;

	if (quick_record(r, out))
		return 0;
	memset(out, 0, sizeof(*out));
	out->block = TRACE_BLOCK_OTHER;
	out->offset = r->at;
	err = measure(r, &type, &len);
	if (err)
		return err;
	r->at += len;
	switch (type) {
	case PCAPNG_SECTION:
		out->block = TRACE_BLOCK_SECTION;
		return read_section(r, block, len);
	case PCAPNG_INTERFACE:
		out->block = TRACE_BLOCK_INTERFACE;
		return read_interface(r, block, len);
	case PCAPNG_PACKET:
	case PCAPNG_OLD_PACKET:
	case PCAPNG_SIMPLE:
		return read_packet(r, block, len, type, out);
	default:
		return 0;
	}
}

/* Does a whole block begin at (at)?  By its type and both of its lengths. */
static bool plausible(const struct trace_reader *r, size_t at)
{
	const uint8_t *block = r->bytes + at;
	uint32_t type = get32(r, block), len;

	if (type != PCAPNG_SECTION && type != PCAPNG_INTERFACE &&
	    type != PCAPNG_PACKET)
		return false;
	if (type == PCAPNG_SECTION && get32(r, block + 8) != PCAPNG_MAGIC)
		return false;
	len = get32(r, block + 4);
	return len >= 20 && len % 4 == 0 && len <= r->len - at &&
	       get32(r, block + len - 4) == len;
}

bool trace_resync(struct trace_reader *r)
{
	size_t at;

	/* what does not begin with a section is none of ours at all */
	for (at = r->at + 4;
	     r->at && r->len - r->at >= 4 && at <= r->len && r->len - at >= 20;
	     at += 4)
		if (plausible(r, at)) {
			r->at = at;
			return true;
		}
	return false;
}
