/* SPDX-License-Identifier: MIT */
/*
 * net.h: where the frames of a simulated device go: a network port.
 *
 *   network: user                                  libslirp: DHCP, DNS, TFTP, NAT
 *   network: { user: { tftp: DIR }, pcap: FILE }
 *   network: { tap: IFNAME }                       a TAP interface (needs root)
 *   network: { dgram: { local: PATH, remote: PATH } }  a frame a datagram
 *   network: loop                                  what is sent comes back
 *   network: sink                                  what is sent is counted
 *   network: none
 *
 * A port has a thread of its own that polls its file descriptors and timers.
 * Frames are Ethernet without the check sequence, 14 to NET_MAX bytes.
 *
 * Threads: net_send() from any thread.  The receiver's function is called from
 *          the port's thread alone, with no lock of the port held.
 */

#ifndef VMM_NET_H
#define VMM_NET_H

#include "../dmm/cc.h"

#define NET_MAX 9216

struct net;
struct node;

typedef void net_receive_fn(void *ctx, const uint8_t *frame, size_t len);

/*
 * Open the port that (conf) (the value of `network:`, NULL for none)
 * describes.  0 or -errno with one line in (*why), which the caller frees.
 */
MUST_CHECK int net_open(struct net **out, const struct node *conf,
			net_receive_fn *receive, void *ctx, char **why);
void net_close(struct net *net); /* waits for the thread; NULL is fine */

/*
 * Have (fn) told of every frame from now on, either way, in the thread that
 * moves it; NULL: nobody.
 */
void net_watch(struct net *net, net_receive_fn *fn, void *ctx);

/* Put a frame on the wire; one that the port has no room for is lost. */
void net_send(struct net *net, const uint8_t *frame, size_t len);

#endif /* VMM_NET_H */
