/* SPDX-License-Identifier: MIT */
/*
 * cmd_model_fmt.c: vpio model fmt: the one layout of a model's text.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../dmm/fmt.h"
#include "cmd_model.h"
#include "log.h"
#include "models.h"

/* Put (text) in the file's place at once, with its mode; a link stays one. */
static void replace(const char *path, const char *text, size_t len)
{
	char *real = realpath(path, NULL), *temp;
	struct stat st;
	FILE *to;
	int fd;

	if (!real || stat(real, &st))
		fatal("model fmt: cannot find %s", path);
	temp = xasprintf("%s.XXXXXX", real);
	fd = mkstemp(temp);
	if (fd < 0)
		fatal("model fmt: cannot write beside %s", path);
	to = fdopen(fd, "w");
	if (!to || fchmod(fd, st.st_mode & 07777) ||
	    fwrite(text, 1, len, to) != len || fflush(to) || fsync(fd) ||
	    fclose(to) || rename(temp, real)) {
		int err = errno;

		unlink(temp);
		errno = err;
		fatal("model fmt: cannot write %s", path);
	}
	free(temp);
	free(real);
}

static int fmt_one(const char *name, const struct model_options *o)
{
	struct model_file file;
	char *why = NULL, *out;
	int status = 0, err;
	struct diag diag;
	size_t len;
	bool same;

	if (models_read(&file, name, &why)) {
		log_errorx("%s", why);
		free(why);
		return EXIT_BAD_INPUT;
	}
	diag_init(&diag, file.path);
	err = fmt_text(&out, &len, file.text, file.len, &diag);
	models_say(&diag, file.text, file.len);
	if (err == -ENOMEM)
		fatalx("model fmt: no memory for %s", file.path);
	if (err) {
		status = EXIT_BAD_INPUT;
	} else {
		same = len == file.len && !memcmp(out, file.text, len);
		if (o->check && !same)
			printf("%s\n", file.path);
		else if (o->write && !same)
			replace(file.path, out, len);
		else if (!o->check && !o->write)
			fwrite(out, 1, len, stdout);
		status = o->check && !same ? EXIT_BAD_RUN : 0;
		free(out);
	}
	diag_fini(&diag);
	models_free(&file);
	return status;
}

int model_fmt(int n, char **names, const struct model_options *o)
{
	int status = 0;

	if (o->check && o->write)
		fatalx("model fmt: --check looks and -w writes: not both");
	for (int i = 0; i < n; i++) {
		int one;

		if (o->write && !strcmp(names[i], "-"))
			fatalx("model fmt: -w cannot write to standard input");
		one = fmt_one(names[i], o);
		status = one > status ? one : status;
	}
	if (fflush(stdout) || ferror(stdout))
		fatal("model fmt: cannot write standard output");
	return status;
}
