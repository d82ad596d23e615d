/* SPDX-License-Identifier: MIT */
/*
 * serial.h: a 16550A serial port; what a guest sends comes out as text lines.
 *
 * What comes out is safe to show on a terminal: control characters and bytes
 * beyond ASCII are spelt out (^[ and \xe9), tabs stay, carriage returns go, and
 * a line is broken after SERIAL_LINE bytes.
 *
 * Threads: any.  The line function is called on the vCPU's thread, with the
 *          port's lock held; serial_flush() may call it too.
 */

#ifndef VMM_SERIAL_H
#define VMM_SERIAL_H

#include "../dmm/cc.h"
#include "bus.h"

#define SERIAL_PORT 0x3f8
#define SERIAL_PORTS 8
#define SERIAL_IRQ 4
#define SERIAL_LINE 480

/* A line without its newline, and with a NUL behind its (len) bytes. */
typedef void serial_line_fn(void *ctx, const char *line, size_t len);

/* Bytes as the guest sent them, not made safe; called as above. */
typedef void serial_bytes_fn(void *ctx, const uint8_t *bytes, size_t len);

struct irq;
struct serial;

/* -ENOMEM. */
MUST_CHECK int serial_open(struct serial **out, struct irq *irq,
			   serial_line_fn *line, void *ctx);
void serial_close(struct serial *serial); /* NULL is fine */

/* As after power-on; a line without an end is put out. */
void serial_reset(struct serial *serial);

/* From now on tell (fn) too; NULL: no more. */
void serial_tap(struct serial *serial, serial_bytes_fn *fn, void *ctx);

/* Serve the ports at SERIAL_PORT; a bus_fn. */
void serial_access(void *serial, struct bus_access *access);

/* Type to the guest.  Returns how many of (len) bytes there was room for. */
size_t serial_input(struct serial *serial, const uint8_t *from, size_t len);

/* Put out a line that has no end yet: the guest has ended. */
void serial_flush(struct serial *serial);

#endif /* VMM_SERIAL_H */
