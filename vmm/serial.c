/* SPDX-License-Identifier: MIT */
/*
 * serial.c: a 16550A serial port.
 *
 * National Semiconductor PC16550D, 1995, section 8: registers.  Sending takes
 * no time, so the transmitter is always empty; its interrupt comes at once.
 */

#include "serial.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "irq.h"

#define INPUT_MAX 1024 /* a power of two */
#define TAPPED_MAX 64

enum {
	REG_DATA,
	REG_IER,
	REG_IIR,
	REG_LCR,
	REG_MCR,
	REG_LSR,
	REG_MSR,
	REG_SCR
};

enum {
	IER_RECEIVED = 0x01,
	IER_EMPTY = 0x02,
	IER_LINE = 0x04,
	IER_MODEM = 0x08,

	IIR_NONE = 0x01,
	IIR_MODEM = 0x00,
	IIR_EMPTY = 0x02,
	IIR_RECEIVED = 0x04,
	IIR_LINE = 0x06,
	IIR_FIFOS = 0xc0,

	FCR_ENABLE = 0x01,
	FCR_CLEAR_INPUT = 0x02,

	LCR_DLAB = 0x80,

	MCR_DTR = 0x01,
	MCR_RTS = 0x02,
	MCR_OUT1 = 0x04,
	MCR_OUT2 = 0x08,
	MCR_LOOP = 0x10,

	LSR_READY = 0x01,
	LSR_OVERRUN = 0x02,
	LSR_EMPTY = 0x60, /* holding and shift register */

	MSR_CTS = 0x10,
	MSR_DSR = 0x20,
	MSR_RI = 0x40,
	MSR_DCD = 0x80,
};

struct serial {
	pthread_mutex_t lock;
	struct irq_pin pin;
	serial_line_fn *line;
	void *ctx;

	uint8_t ier, lcr, mcr, scr, fcr, dll, dlm;
	uint8_t msr; /* the lines now, and what changed (bits 0-3) */
	bool overrun;
	bool empty_pending; /* the transmitter's interrupt is not yet seen */

	uint8_t input[INPUT_MAX];
	size_t head, tail; /* counts: taken out, put in */

	size_t len;
	char text[SERIAL_LINE + 8];

	serial_bytes_fn *tap; /* NULL: none */
	void *tap_ctx;
	size_t tapped_len;
	uint8_t tapped[TAPPED_MAX]; /* of one access */
};

static void power_on(struct serial *s)
{
	s->ier = s->mcr = s->scr = s->fcr = s->dlm = 0;
	s->dll = 1; /* 115200 baud */
	s->lcr = 3; /* 8 bits, no parity */
	s->msr = MSR_CTS | MSR_DSR | MSR_DCD;
	s->overrun = s->empty_pending = false;
	s->head = s->tail;
}

int serial_open(struct serial **out, struct irq *irq, serial_line_fn *line,
		void *ctx)
{
	struct serial *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	irq_pin_init(&s->pin, irq, SERIAL_IRQ);
	s->line = line;
	s->ctx = ctx;
	power_on(s);
	*out = s;
	return 0;
}

void serial_close(struct serial *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* The most urgent cause that is enabled (8.6, table IV). */
static uint8_t cause(const struct serial *s)
{
	if (s->ier & IER_LINE && s->overrun)
		return IIR_LINE;
	if (s->ier & IER_RECEIVED && s->head != s->tail)
		return IIR_RECEIVED;
	if (s->ier & IER_EMPTY && s->empty_pending)
		return IIR_EMPTY;
	if (s->ier & IER_MODEM && s->msr & 0x0f)
		return IIR_MODEM;
	return IIR_NONE;
}

/* On a PC, OUT2 is the gate between the chip and its interrupt line. */
static void update_irq(struct serial *s)
{
	irq_pin_set(&s->pin, s->mcr & MCR_OUT2 && !(s->mcr & MCR_LOOP) &&
				     cause(s) != IIR_NONE);
}

static void flush(struct serial *s)
{
	s->text[s->len] = '\0';
	s->line(s->ctx, s->text, s->len);
	s->len = 0;
}

static void put_text(struct serial *s, uint8_t byte)
{
	char *at = s->text + s->len;

	if (byte == '\n') {
		flush(s);
		return;
	}
	if (byte == '\r' || byte == '\0')
		return;
	if (byte == '\t' || (byte >= ' ' && byte < 0x7f)) {
		*at = (char)byte;
		s->len++;
	} else if (byte < ' ' || byte == 0x7f) {
		*at++ = '^';
		*at = (char)(byte ^ 0x40);
		s->len += 2;
	} else {
		s->len += (size_t)snprintf(at, 5, "\\x%02x", byte);
	}
	if (s->len >= SERIAL_LINE)
		flush(s);
}

static void put_tapped(struct serial *s)
{
	if (s->tapped_len)
		s->tap(s->tap_ctx, s->tapped, s->tapped_len);
	s->tapped_len = 0;
}

static void put_output(struct serial *s, uint8_t byte)
{
	put_text(s, byte);
	if (!s->tap)
		return;
	s->tapped[s->tapped_len++] = byte;
	if (s->tapped_len == TAPPED_MAX)
		put_tapped(s);
}

static bool put_input(struct serial *s, uint8_t byte)
{
	if (s->tail - s->head == INPUT_MAX)
		return false;
	s->input[s->tail++ % INPUT_MAX] = byte;
	return true;
}

/* What the modem's lines are when our outputs are wired to them (8.7). */
static uint8_t looped_lines(uint8_t mcr)
{
	return (mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
	       (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void write_mcr(struct serial *s, uint8_t value)
{
	uint8_t lines = MSR_CTS | MSR_DSR | MSR_DCD, changed;

	s->mcr = value & 0x1f;
	if (s->mcr & MCR_LOOP)
		lines = looped_lines(s->mcr);
	changed = (uint8_t)((lines ^ s->msr) >> 4);
	/* The bell counts when it stops ringing (8.8, TERI). */
	if (lines & MSR_RI)
		changed &= (uint8_t) ~(MSR_RI >> 4);
	s->msr = lines | (s->msr & 0x0f) | changed;
}

static void write_data(struct serial *s, uint8_t value)
{
	/* Down and up again: the line's edge says that there is room. */
	s->empty_pending = false;
	update_irq(s);
	if (!(s->mcr & MCR_LOOP))
		put_output(s, value);
	else if (!put_input(s, value))
		s->overrun = true;
	s->empty_pending = true;
}

static void write_reg(struct serial *s, unsigned int reg, uint8_t value)
{
	bool dlab = s->lcr & LCR_DLAB;

	switch (reg) {
	case REG_DATA:
		if (dlab)
			s->dll = value;
		else
			write_data(s, value);
		break;
	case REG_IER:
		if (dlab) {
			s->dlm = value;
			break;
		}
		/* Enabling it while the transmitter is empty is a cause. */
		if (value & ~s->ier & IER_EMPTY)
			s->empty_pending = true;
		s->ier = value & 0x0f;
		break;
	case REG_IIR: /* FCR when written */
		if (value & FCR_CLEAR_INPUT || (value ^ s->fcr) & FCR_ENABLE)
			s->head = s->tail;
		s->fcr = value;
		break;
	case REG_LCR:
		s->lcr = value;
		break;
	case REG_MCR:
		write_mcr(s, value);
		break;
	case REG_SCR:
		s->scr = value;
		break;
	}
	update_irq(s);
}

static uint8_t read_iir(struct serial *s)
{
	uint8_t value = cause(s);

	if (value == IIR_EMPTY)
		s->empty_pending = false;
	return value | (s->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t read_reg(struct serial *s, unsigned int reg)
{
	bool dlab = s->lcr & LCR_DLAB;
	uint8_t value = 0;

	switch (reg) {
	case REG_DATA:
		if (dlab)
			value = s->dll;
		else if (s->head != s->tail)
			value = s->input[s->head++ % INPUT_MAX];
		break;
	case REG_IER:
		value = dlab ? s->dlm : s->ier;
		break;
	case REG_IIR:
		value = read_iir(s);
		break;
	case REG_LCR:
		value = s->lcr;
		break;
	case REG_MCR:
		value = s->mcr;
		break;
	case REG_LSR:
		value = LSR_EMPTY | (s->head != s->tail ? LSR_READY : 0) |
			(s->overrun ? LSR_OVERRUN : 0);
		s->overrun = false;
		break;
	case REG_MSR:
		value = s->msr;
		s->msr &= 0xf0;
		break;
	case REG_SCR:
		value = s->scr;
		break;
	}
	update_irq(s);
	return value;
}

void serial_reset(struct serial *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->len)
		flush(s);
	power_on(s);
	update_irq(s);
	pthread_mutex_unlock(&s->lock);
}

/* The chip has 8 bits: a wider access is one of each byte in a row. */
void serial_access(void *ctx, struct bus_access *a)
{
	struct serial *s = ctx;
	uint8_t *data = a->data;

	pthread_mutex_lock(&s->lock);
	for (uint32_t n = 0; n < a->count; n++) {
		for (unsigned int i = 0; i < a->width; i++, data++) {
			unsigned int reg = (a->off + i) % SERIAL_PORTS;

			if (a->write)
				write_reg(s, reg, *data);
			else
				*data = read_reg(s, reg);
		}
	}
	put_tapped(s);
	pthread_mutex_unlock(&s->lock);
}

void serial_tap(struct serial *s, serial_bytes_fn *fn, void *ctx)
{
	pthread_mutex_lock(&s->lock);
	s->tap = fn;
	s->tap_ctx = ctx;
	pthread_mutex_unlock(&s->lock);
}

size_t serial_input(struct serial *s, const uint8_t *from, size_t len)
{
	size_t n = 0;

	pthread_mutex_lock(&s->lock);
	while (n < len && put_input(s, from[n]))
		n++;
	update_irq(s);
	pthread_mutex_unlock(&s->lock);
	return n;
}

void serial_flush(struct serial *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->len)
		flush(s);
	pthread_mutex_unlock(&s->lock);
}
