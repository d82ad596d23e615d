// SPDX-License-Identifier: MIT
/*
 * echo.c: for the host: sends back what comes to a UDP port of 127.0.0.1, so
 * that a guest behind libslirp has somebody on the wire to talk to.
 *
 *   echo PORT [SECONDS]	says "ready", ends by itself (default 120)
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET }, from;
	socklen_t len;
	char buf[2048];
	ssize_t n;
	int fd;

	if (argc < 2)
		return 2;
	at.sin_port = htons((unsigned short)atoi(argv[1]));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		perror("echo");
		return 1;
	}
	alarm(argc > 2 ? (unsigned int)atoi(argv[2]) : 120);
	puts("ready");
	fflush(stdout);
	for (;;) {
		len = sizeof(from);
		n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from,
			     &len);
		if (n > 0 && sendto(fd, buf, (size_t)n, 0,
				    (struct sockaddr *)&from, len) < 0)
			perror("echo");
	}
}
