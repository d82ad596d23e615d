// SPDX-License-Identifier: MIT
/*
 * console.c: guests' serial ports to be typed into.
 *
 * One thread reads what is typed, from all.  What a guest says is written by
 * the vCPU that said it; where nobody takes it, it is lost, but for the last
 * of it, which is shown to who comes later.
 */

#include "console.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "log.h"
#include "machine.h"
#include "serial.h"
#include "tty.h"

#define PAST 4096   /* bytes that are shown to who comes later */
#define TYPED 256   /* bytes that a guest has not taken yet */
#define RETRY_MS 10 /* until it is asked again to */
#define TAKE_MS 200 /* so long a terminal may take nothing */

struct port {
	struct console *console;
	const char *name;
	struct serial *serial;
	enum console_kind kind;
	char *path; /* of the socket, to be removed */
	int fd;	    /* the pseudo-terminal's, or the client's; -1: none */
	int spare;  /* its other end, or the listening socket; -1: none */
	bool ended;
	size_t typed_len; /* the thread's own */
	uint8_t typed[TYPED];
	size_t past_len; /* all bytes so far */
	uint8_t past[PAST];
};

struct console {
	struct console_conf conf;
	pthread_mutex_t lock; /* of ports' fd, ended and past, and of front */
	unsigned int front;   /* which guest has the terminal */
	bool terminal;	      /* one has */
	bool eof;	      /* of what is typed; the thread's own */
	bool escaped;	      /* the escape character was typed */
	int stop_fd;
	pthread_t thread;
	bool running;
	struct port port[MACHINE_MAX_GUESTS];
};

/* ---- what guests say ---- */

/* To a terminal that takes it; bounded, so that a guest can be ended. */
static void write_terminal(int fd, const uint8_t *from, size_t len)
{
	while (len) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		ssize_t n;

		if (poll(&p, 1, TAKE_MS) <= 0)
			return;
		n = write(fd, from, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		from += n;
		len -= (size_t)n;
	}
}

/* Under the lock.  A client or a pseudo-terminal that is full misses some. */
static void put(struct port *port, const uint8_t *from, size_t len)
{
	struct console *c = port->console;

	if (port->kind == CONSOLE_TERMINAL) {
		if (&c->port[c->front] == port)
			write_terminal(c->conf.out, from, len);
	} else if (port->kind == CONSOLE_SOCKET) {
		if (port->fd >= 0)
			(void)!send(port->fd, from, len,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
	} else {
		(void)!write(port->fd, from, len);
	}
}

static void on_said(void *ctx, const uint8_t *bytes, size_t len)
{
	struct port *port = ctx;

	pthread_mutex_lock(&port->console->lock);
	for (size_t i = 0; i < len; i++)
		port->past[port->past_len++ % PAST] = bytes[i];
	put(port, bytes, len);
	pthread_mutex_unlock(&port->console->lock);
}

/* Under the lock: what was said of late, to one who has just come. */
static void put_past(struct port *port)
{
	size_t n = port->past_len < PAST ? port->past_len : PAST;
	size_t at = (port->past_len - n) % PAST;
	size_t first = n < PAST - at ? n : PAST - at;

	put(port, port->past + at, first);
	put(port, port->past, n - first);
}

/* ---- the terminal ---- */

static void PRINTF(2, 3) tell(struct console *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0)
		write_terminal(c->conf.out, (const uint8_t *)text,
			       (size_t)n < sizeof(text) ? (size_t)n :
							  sizeof(text) - 1);
}

/* "Ctrl-]", or the character itself. */
static const char *key_name(uint8_t key, char text[8])
{
	if (key < 0x20)
		snprintf(text, 8, "Ctrl-%c", key + '@');
	else
		snprintf(text, 8, "%c", key);
	return text;
}

static void help(struct console *c)
{
	char key[8];

	key_name(c->conf.escape, key);
	tell(c,
	     "\r\n[vpio: %s and then: q ends all guests, n the next guest,"
	     "\r\n 1 to 9 one of the first nine, %s types itself, ? this]\r\n",
	     key, key);
}

/* The (n)th guest of those on the terminal; false if there is none. */
static bool nth(const struct console *c, unsigned int n, unsigned int *guest)
{
	for (unsigned int i = 0; i < MACHINE_MAX_GUESTS; i++)
		if (c->port[i].kind == CONSOLE_TERMINAL && !n--) {
			*guest = i;
			return true;
		}
	return false;
}

/* The one behind the front that has not ended; else the front itself. */
static unsigned int next(const struct console *c)
{
	for (unsigned int i = 1; i < MACHINE_MAX_GUESTS; i++) {
		unsigned int g = (c->front + i) % MACHINE_MAX_GUESTS;

		if (c->port[g].kind == CONSOLE_TERMINAL && !c->port[g].ended)
			return g;
	}
	return c->front;
}

/* Under the lock. */
static void show(struct console *c, unsigned int guest)
{
	char key[8];

	c->front = guest;
	tell(c, "\r\n[vpio: %s%s; %s ? helps]\r\n", c->port[guest].name,
	     c->port[guest].ended ? ", which has ended" : "",
	     key_name(c->conf.escape, key));
	put_past(&c->port[guest]);
}

/* To the guest in front; what it does not take is lost. */
static void type(struct console *c, uint8_t key)
{
	struct port *port = &c->port[c->front];

	if (port->typed_len < TYPED)
		port->typed[port->typed_len++] = key;
}

static void command(struct console *c, uint8_t key)
{
	unsigned int guest;

	if (key == c->conf.escape) {
		type(c, key);
	} else if (key == 'q') {
		c->conf.quit(c->conf.ctx);
	} else if (key == 'n') {
		show(c, next(c));
	} else if (key >= '1' && key <= '9') {
		if (nth(c, key - '1', &guest))
			show(c, guest);
		else
			tell(c, "\r\n[vpio: there is no guest %c]\r\n", key);
	} else {
		help(c);
	}
}

static void read_terminal(struct console *c)
{
	uint8_t keys[TYPED];
	ssize_t n = read(c->conf.in, keys, sizeof(keys));

	if (n <= 0) {
		c->eof = n == 0 || (errno != EINTR && errno != EAGAIN);
		return;
	}
	pthread_mutex_lock(&c->lock);
	for (ssize_t i = 0; i < n; i++) {
		if (c->escaped)
			command(c, keys[i]);
		else if (keys[i] != c->conf.escape)
			type(c, keys[i]);
		c->escaped = !c->escaped && keys[i] == c->conf.escape;
	}
	pthread_mutex_unlock(&c->lock);
}

/* ---- the others ---- */

static void drop_client(struct port *port)
{
	pthread_mutex_lock(&port->console->lock);
	close(port->fd);
	port->fd = -1;
	pthread_mutex_unlock(&port->console->lock);
}

static void read_port(struct port *port)
{
	ssize_t n = read(port->fd, port->typed, TYPED);

	if (n > 0)
		port->typed_len = (size_t)n;
	else if (port->kind == CONSOLE_SOCKET &&
		 (n == 0 || (errno != EAGAIN && errno != EINTR)))
		drop_client(port);
}

static void accept_client(struct port *port)
{
	int fd = accept4(port->spare, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	pthread_mutex_lock(&port->console->lock);
	port->fd = fd;
	put_past(port);
	pthread_mutex_unlock(&port->console->lock);
}

/* ---- the thread ---- */

/* What was typed to the guests; true if some of it must wait. */
static bool hand_on(struct console *c)
{
	bool waits = false;

	for (unsigned int i = 0; i < MACHINE_MAX_GUESTS; i++) {
		struct port *p = &c->port[i];
		size_t n;

		if (p->kind == CONSOLE_NONE || !p->typed_len)
			continue;
		n = serial_input(p->serial, p->typed, p->typed_len);
		memmove(p->typed, p->typed + n, p->typed_len - n);
		p->typed_len -= n;
		waits |= p->typed_len;
	}
	return waits;
}

/* Wait for one of them all, and serve those that have something. */
static void serve(struct console *c, bool waits)
{
	struct pollfd fds[MACHINE_MAX_GUESTS + 2];
	struct port *of[MACHINE_MAX_GUESTS + 2];
	nfds_t n = 0;

	fds[n++] = (struct pollfd){ .fd = c->stop_fd, .events = POLLIN };
	fds[n++] =
		(struct pollfd){ .fd = c->terminal && !c->eof ? c->conf.in : -1,
				 .events = POLLIN };
	for (unsigned int i = 0; i < MACHINE_MAX_GUESTS; i++) {
		struct port *p = &c->port[i];

		/* one that has not taken what it got gets no more */
		if (p->kind <= CONSOLE_TERMINAL || p->typed_len)
			continue;
		of[n] = p;
		fds[n++] = (struct pollfd){ .fd = p->fd >= 0 ? p->fd : p->spare,
					    .events = POLLIN };
	}
	if (poll(fds, n, waits ? RETRY_MS : -1) <= 0)
		return;
	if (fds[1].revents)
		read_terminal(c);
	for (nfds_t i = 2; i < n; i++) {
		if (!fds[i].revents)
			continue;
		if (of[i]->fd >= 0)
			read_port(of[i]);
		else
			accept_client(of[i]);
	}
}

static bool stopped(const struct console *c)
{
	struct pollfd p = { .fd = c->stop_fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static void *run(void *arg)
{
	struct console *c = arg;

	while (!stopped(c))
		serve(c, hand_on(c));
	return NULL;
}

/* ---- opening and closing ---- */

int console_open(struct console **out, const struct console_conf *conf,
		 char **why)
{
	struct console *c = xcalloc(1, sizeof(*c));

	c->conf = *conf;
	if (!c->conf.escape)
		c->conf.escape = CONSOLE_ESCAPE;
	pthread_mutex_init(&c->lock, NULL);
	for (unsigned int i = 0; i < MACHINE_MAX_GUESTS; i++)
		c->port[i].fd = c->port[i].spare = -1;
	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (c->stop_fd < 0) {
		*why = xasprintf("no file descriptor: %s", strerror(errno));
		console_close(c);
		return -EMFILE;
	}
	*out = c;
	return 0;
}

/*
 * Raw, or it would echo to the guest what the guest says.  We keep the other
 * end open, or what is said before somebody comes would be an error.
 */
static int open_pty(struct port *port, char **why)
{
	struct termios t;
	char name[64];

	port->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (port->fd < 0 || grantpt(port->fd) || unlockpt(port->fd) ||
	    ptsname_r(port->fd, name, sizeof(name)) ||
	    fcntl(port->fd, F_SETFL, O_NONBLOCK))
		goto failed;
	port->spare = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (port->spare < 0 || tcgetattr(port->spare, &t))
		goto failed;
	cfmakeraw(&t);
	if (tcsetattr(port->spare, TCSANOW, &t))
		goto failed;
	log_info("%s: console at %s", port->name, name);
	return 0;
failed:
	*why = xasprintf("console: no pseudo-terminal: %s", strerror(errno));
	return -EIO;
}

/* A socket that nobody listens at is from one who was killed. */
static void remove_stale(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		return;
	if (!lstat(addr->sun_path, &st) && S_ISSOCK(st.st_mode) &&
	    connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) &&
	    errno == ECONNREFUSED)
		unlink(addr->sun_path);
	close(fd);
}

static int open_socket(struct port *port, const char *path, char **why)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int rc;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		*why = xasprintf("console: a socket's path has at most %zu "
				 "bytes",
				 sizeof(addr.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	memcpy(addr.sun_path, path, strlen(path));
	remove_stale(&addr);
	port->spare =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0077); /* who may type is who runs it */
	rc = port->spare < 0 ?
		     -1 :
		     bind(port->spare, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (!rc)
		port->path = xstrdup(path);
	if (rc || listen(port->spare, 1)) {
		rc = -errno;
		*why = xasprintf("console: socket %s: %s", path, strerror(-rc));
		return rc;
	}
	return 0;
}

int console_add(struct console *c, unsigned int guest, const char *name,
		struct serial *serial, enum console_kind kind, const char *path,
		char **why)
{
	struct port *port = &c->port[guest];
	int rc = 0;

	assert(guest < MACHINE_MAX_GUESTS && !c->running);
	port->console = c;
	port->name = name;
	port->serial = serial;
	if (kind == CONSOLE_PTY)
		rc = open_pty(port, why);
	else if (kind == CONSOLE_SOCKET)
		rc = open_socket(port, path, why);
	if (rc)
		return rc;
	port->kind = kind;
	if (kind == CONSOLE_TERMINAL && !c->terminal) {
		c->terminal = true;
		c->front = guest;
	}
	serial_tap(serial, on_said, port);
	return 0;
}

int console_start(struct console *c, char **why)
{
	sigset_t mask, old;
	int rc;

	rc = c->terminal ? tty_raw(c->conf.in) : 0;
	if (rc) {
		*why = xasprintf("console: the terminal: %s", strerror(-rc));
		return rc;
	}
	if (c->terminal && isatty(c->conf.in))
		show(c, c->front);
	sigfillset(&mask);
	pthread_sigmask(SIG_SETMASK, &mask, &old);
	rc = pthread_create(&c->thread, NULL, run, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc) {
		*why = xasprintf("console: no thread: %s", strerror(rc));
		tty_restore();
		return -rc;
	}
	c->running = true;
	return 0;
}

void console_ended(struct console *c, unsigned int guest)
{
	unsigned int other;

	pthread_mutex_lock(&c->lock);
	c->port[guest].ended = true;
	other = next(c);
	if (c->port[guest].kind == CONSOLE_TERMINAL && c->front == guest &&
	    other != guest) {
		tell(c, "\r\n[vpio: %s has ended]", c->port[guest].name);
		show(c, other);
	}
	pthread_mutex_unlock(&c->lock);
}

static void close_port(struct port *port)
{
	if (port->serial)
		serial_tap(port->serial, NULL, NULL);
	if (port->fd >= 0)
		close(port->fd);
	if (port->spare >= 0)
		close(port->spare);
	if (port->path)
		unlink(port->path);
	free(port->path);
}

void console_close(struct console *c)
{
	uint64_t one = 1;

	if (!c)
		return;
	if (c->running && write(c->stop_fd, &one, sizeof(one)) > 0)
		pthread_join(c->thread, NULL);
	for (unsigned int i = 0; i < MACHINE_MAX_GUESTS; i++)
		close_port(&c->port[i]);
	if (c->terminal)
		tty_restore();
	if (c->stop_fd >= 0)
		close(c->stop_fd);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
