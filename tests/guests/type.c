/* SPDX-License-Identifier: MIT */
/*
 * type.c: a guest that is typed to: it says each line again, backward, and
 * ends well at "end", badly at "crash", by a reset at "reset".
 */

#include "guest.h"

#define COM1 0x3f8
#define FCR (COM1 + 2)
#define LSR (COM1 + 5)
#define FIFO_ON 0x01
#define READY 0x01

static size_t read_line(char *line, size_t room)
{
	size_t len = 0;

	for (;;) {
		char c;

		while (!(inb(LSR) & READY))
			pause();
		c = (char)inb(COM1);
		if (c == '\r' || c == '\n')
			return len;
		if (len + 1 < room)
			line[len++] = c;
	}
}

void guest_main(void)
{
	static char line[600], back[600];

	guest_start();
	outb(FCR, FIFO_ON);
	say("type: ready\n");
	for (;;) {
		size_t len = read_line(line, sizeof(line)), i;

		line[len] = '\0';
		for (i = 0; i < len; i++)
			back[i] = line[len - 1 - i];
		back[len] = '\0';
		say("type: %u: %s\n", (uint32_t)len, back);
		if (len == 3 && !memcmp(line, "end", 3))
			succeed();
		if (len == 5 && !memcmp(line, "crash", 5))
			fail("as asked");
		if (len == 5 && !memcmp(line, "reset", 5))
			outb(0x64, 0xfe);
	}
}
