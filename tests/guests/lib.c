/* SPDX-License-Identifier: MIT */
/*
 * lib.c: print on the serial port, end the guest, move memory.
 */

#include "guest.h"

#define COM1 0x3f8
#define COM1_FCR (COM1 + 2)
#define COM1_LSR (COM1 + 5)
#define LSR_THRE 0x20
#define FIFO_LEN 16

struct line {
	char text[640];
	size_t len;
};

/* THRE says the whole FIFO is empty, so 16 bytes follow one look at it. */
static void serial_write(const char *s, size_t len)
{
	static bool fifo_on;

	if (!fifo_on) {
		outb(COM1_FCR, 0x07);
		fifo_on = true;
	}
	while (len) {
		size_t n = len < FIFO_LEN ? len : FIFO_LEN;

		while (!(inb(COM1_LSR) & LSR_THRE))
			pause();
		outsb(COM1, s, n);
		s += n;
		len -= n;
	}
}

static void put(struct line *line, char c)
{
	if (line->len < sizeof(line->text))
		line->text[line->len++] = c;
}

static void put_string(struct line *line, const char *s)
{
	while (*s)
		put(line, *s++);
}

static void put_number(struct line *line, uint64_t v, unsigned int base,
		       unsigned int width)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (width > n) {
		put(line, '0');
		width--;
	}
	while (n)
		put(line, digits[--n]);
}

static void put_ip(struct line *line, uint32_t ip)
{
	int shift;

	for (shift = 24; shift >= 0; shift -= 8) {
		put_number(line, (ip >> shift) & 0xff, 10, 0);
		if (shift)
			put(line, '.');
	}
}

static void put_mac(struct line *line, const uint8_t *mac)
{
	int i;

	for (i = 0; i < 6; i++) {
		if (i)
			put(line, ':');
		put_number(line, mac[i], 16, 2);
	}
}

/* One conversion; (s) is after the percent sign.  Returns what follows. */
static const char *convert(struct line *line, const char *s, va_list *args)
{
	unsigned int width = 0;
	bool is_long = false;
	int d;

	while (*s >= '0' && *s <= '9')
		width = 10 * width + (unsigned int)(*s++ - '0');
	if (*s == 'l') {
		is_long = true;
		s++;
	}
	switch (*s) {
	case 's':
		put_string(line, va_arg(*args, const char *));
		break;
	case 'c':
		put(line, (char)va_arg(*args, int));
		break;
	case 'd':
		d = va_arg(*args, int);
		if (d < 0)
			put(line, '-');
		put_number(line, d < 0 ? 0u - (unsigned int)d : (unsigned int)d,
			   10, width);
		break;
	case 'u':
	case 'x':
		put_number(line,
			   is_long ? va_arg(*args, uint64_t) :
				     va_arg(*args, uint32_t),
			   *s == 'x' ? 16 : 10, width);
		break;
	case 'I':
		put_ip(line, va_arg(*args, uint32_t));
		break;
	case 'M':
		put_mac(line, va_arg(*args, const uint8_t *));
		break;
	case '\0':
		return s;
	default:
		put(line, *s);
	}
	return s + 1;
}

void say_args(const char *format, va_list args)
{
	struct line line;
	va_list copy;

	line.len = 0;
	va_copy(copy, args);
	while (*format) {
		if (*format == '%')
			format = convert(&line, format + 1, &copy);
		else
			put(&line, *format++);
	}
	va_end(copy);
	serial_write(line.text, line.len);
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_args(format, args);
	va_end(args);
}

void guest_exit(uint8_t status)
{
	outb(EXIT_PORT, status);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void succeed(void)
{
	say("SUCCESS\n");
	guest_exit(0);
}

void fail(const char *format, ...)
{
	va_list args;

	say("FAILURE: ");
	va_start(args, format);
	say_args(format, args);
	va_end(args);
	say("\n");
	guest_exit(1);
}

/* In assembly: the compiler would turn a loop into a call to itself. */
void *memcpy(void *to, const void *from, size_t n)
{
	void *result = to;
	size_t quads = n / 8;

	n %= 8;
	__asm__ volatile("rep movsq"
			 : "+D"(to), "+S"(from), "+c"(quads)
			 :
			 : "memory");
	__asm__ volatile("rep movsb"
			 : "+D"(to), "+S"(from), "+c"(n)
			 :
			 : "memory");
	return result;
}

void *memset(void *to, int c, size_t n)
{
	void *result = to;
	uint64_t fill = 0x0101010101010101u * (uint8_t)c;
	size_t quads = n / 8;

	n %= 8;
	__asm__ volatile("rep stosq"
			 : "+D"(to), "+c"(quads)
			 : "a"(fill)
			 : "memory");
	__asm__ volatile("rep stosb"
			 : "+D"(to), "+c"(n)
			 : "a"(fill)
			 : "memory");
	return result;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (; n; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

size_t strlen(const char *s)
{
	const volatile char *end = s; /* volatile: not made into strlen() */

	while (*end)
		end++;
	return (size_t)(end - s);
}

bool parse_ip(const char *s, uint32_t *ip)
{
	uint32_t result = 0;
	int i;

	for (i = 0; i < 4; i++) {
		uint32_t part = 0;

		if (*s < '0' || *s > '9')
			return false;
		while (*s >= '0' && *s <= '9')
			part = 10 * part + (uint32_t)(*s++ - '0');
		if (part > 255 || (i < 3 && *s++ != '.'))
			return false;
		result = result << 8 | part;
	}
	*ip = result;
	return *s == '\0' || *s == ' ';
}

uint64_t parse_hex(const char *s)
{
	uint64_t v = 0;

	if (s[0] == '0' && s[1] == 'x')
		s += 2;
	for (;; s++) {
		if (*s >= '0' && *s <= '9')
			v = v << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			v = v << 4 | (uint64_t)(*s - 'a' + 10);
		else if (*s >= 'A' && *s <= 'F')
			v = v << 4 | (uint64_t)(*s - 'A' + 10);
		else
			return v;
	}
}
