/* SPDX-License-Identifier: MIT */
/*
 * pcap.h: Ethernet frames into a capture file (classic pcap, nanoseconds).
 *
 * Threads: any; a frame is written whole.
 */

#ifndef VMM_PCAP_H
#define VMM_PCAP_H

#include "../dmm/cc.h"

#define PCAP_MAX 65535 /* bytes of a frame that are kept */

struct pcap;

/* 0 or -errno. */
MUST_CHECK int pcap_open(struct pcap **out, const char *path);
void pcap_close(struct pcap *pcap); /* NULL is fine */
void pcap_frame(struct pcap *pcap, const uint8_t *frame,
		size_t len); /* NULL is fine */

#endif /* VMM_PCAP_H */
