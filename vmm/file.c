/* SPDX-License-Identifier: MIT */
/*
 * file.c: read files that may be anything: too long, a directory, a pipe.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "log.h"

/* By read(2) until the end, for a pipe has no size to ask for. */
static int read_all(int fd, size_t max, char **text, size_t *len)
{
	size_t room = 16384, done = 0;
	char *buf = malloc(room + 1);

	while (buf) {
		ssize_t n = read(fd, buf + done, room - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int error = errno;

			free(buf);
			return -error;
		}
		done += (size_t)n;
		if (done > max) {
			free(buf);
			return -EFBIG;
		}
		if (n == 0) {
			buf[done] = '\0';
			*text = buf;
			*len = done;
			return 0;
		}
		if (done == room) {
			char *more = realloc(buf, 2 * room + 1);

			if (!more)
				break;
			buf = more;
			room *= 2;
		}
	}
	free(buf);
	return -ENOMEM;
}

int file_read(const char *path, size_t max, char **text, size_t *len,
	      char **why)
{
	bool in = !strcmp(path, "-");
	int fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0) {
		err = -errno;
		*why = xasprintf("cannot open %s: %s", path, strerror(-err));
		return err;
	}
	err = read_all(fd, max, text, len);
	if (!in)
		close(fd);
	if (err == -EFBIG)
		*why = xasprintf("%s is longer than the %zu KiB that such a "
				 "file may have",
				 path, max / 1024);
	else if (err)
		*why = xasprintf("cannot read %s: %s", path, strerror(-err));
	return err;
}
