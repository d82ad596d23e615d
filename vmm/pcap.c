/* SPDX-License-Identifier: MIT */
/*
 * pcap.c: Ethernet frames into a capture file, each record by one write, so
 * that a file whose writer was killed can be read to its last frame.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "pcap.h"

struct pcap {
	pthread_mutex_t lock;
	int fd; /* -1 once a write failed */
};

/* In our own byte order, which the magic tells: pcap-savefile(5). */
struct pcap_file {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, sigfigs, snaplen, linktype;
};

struct pcap_record {
	uint32_t sec, nsec, caplen, len;
};

_Static_assert(sizeof(struct pcap_file) == 24, "as pcap-savefile(5) has it");
_Static_assert(sizeof(struct pcap_record) == 16, "as pcap-savefile(5) has it");

int pcap_open(struct pcap **out, const char *path)
{
	static const struct pcap_file head = {
		.magic = 0xa1b23c4d, /* nanoseconds */
		.major = 2,
		.minor = 4,
		.snaplen = PCAP_MAX,
		.linktype = 1, /* Ethernet */
	};
	struct pcap *pcap;
	int err;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		return -errno;
	if (write(fd, &head, sizeof(head)) != (ssize_t)sizeof(head)) {
		err = errno ? -errno : -EIO;
		close(fd);
		return err;
	}
	pcap = xcalloc(1, sizeof(*pcap));
	pcap->fd = fd;
	pthread_mutex_init(&pcap->lock, NULL);
	*out = pcap;
	return 0;
}

void pcap_close(struct pcap *pcap)
{
	if (!pcap)
		return;
	if (pcap->fd >= 0)
		close(pcap->fd);
	pthread_mutex_destroy(&pcap->lock);
	free(pcap);
}

/* Half a record would spoil all that follow it: stop at the first. */
static void give_up(struct pcap *pcap)
{
	log_warn("cannot write the capture file; it ends here");
	close(pcap->fd);
	pcap->fd = -1;
}

void pcap_frame(struct pcap *pcap, const uint8_t *frame, size_t len)
{
	struct pcap_record head;
	struct timespec now;
	struct iovec part[2];

	if (!pcap)
		return;
	head.len = (uint32_t)len;
	head.caplen = len < PCAP_MAX ? (uint32_t)len : PCAP_MAX;
	part[0].iov_base = &head;
	part[0].iov_len = sizeof(head);
	part[1].iov_base = (void *)(uintptr_t)frame;
	part[1].iov_len = head.caplen;

	pthread_mutex_lock(&pcap->lock);
	/* Inside the lock, so that the times in the file never fall. */
	clock_gettime(CLOCK_REALTIME, &now);
	head.sec = (uint32_t)now.tv_sec;
	head.nsec = (uint32_t)now.tv_nsec;
	if (pcap->fd >= 0) {
		ssize_t n = writev(pcap->fd, part, 2);

		if (n != (ssize_t)(sizeof(head) + head.caplen))
			give_up(pcap);
	}
	pthread_mutex_unlock(&pcap->lock);
}
