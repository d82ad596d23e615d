/* SPDX-License-Identifier: MIT */
/*
 * tracefmt.h: the numbers of pcapng that its writer and its reader share.
 */

#ifndef DMM_TRACEFMT_H
#define DMM_TRACEFMT_H

#define PCAPNG_SECTION 0x0a0d0d0au
#define PCAPNG_INTERFACE 1u
#define PCAPNG_OLD_PACKET 2u
#define PCAPNG_SIMPLE 3u
#define PCAPNG_PACKET 6u

#define PCAPNG_MAGIC 0x1a2b3c4du
#define PCAPNG_SWAPPED 0x4d3c2b1au

#define PCAPNG_OPT_APPLICATION 4u
#define PCAPNG_OPT_IF_NAME 2u
#define PCAPNG_OPT_IF_TSRESOL 9u

/* As Wireshark's: a longer block is a broken one. */
#define PCAPNG_BLOCK_MAX (16u << 20)

#endif /* DMM_TRACEFMT_H */
