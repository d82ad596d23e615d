/* SPDX-License-Identifier: MIT */
/*
 * region.h: registers of a device of this machine that is in our hands: mapped,
 * or in a file.  A bus is little endian.
 *
 * A mapped register is touched by one access of just its width: 1, 2, 4 or 8
 * bytes.  What is not there, and what the device does not take, reads ones, and
 * writes there are lost.
 *
 * Threads: any.
 */

#ifndef VMM_REGION_H
#define VMM_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct region {
	uint64_t size;	 /* 0: there is none */
	uint8_t *map;	 /* NULL: in the file alone */
	int fd;		 /* -1: it is mapped, and not to be read otherwise */
	uint64_t offset; /* in the file */
};

uint64_t region_read(const struct region *r, uint64_t off, unsigned int width);
void region_write(const struct region *r, uint64_t off, unsigned int width,
		  uint64_t value);
/* (n) accesses of the one register, as a processor's string instruction. */
void region_read_string(const struct region *r, uint64_t off,
			unsigned int width, void *to, size_t n);
void region_write_string(const struct region *r, uint64_t off,
			 unsigned int width, const void *from, size_t n);

#endif /* VMM_REGION_H */
