/* SPDX-License-Identifier: MIT */
/*
 * models.c: find models by name or by part, and read them.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "models.h"

#define SUFFIX ".yaml"

/* Directory (i) to look in, which the caller frees; NULL after the last. */
static char *directory(unsigned int i)
{
	const char *env = getenv("VPIO_MODELS");

	while (env && *env) {
		size_t len = strcspn(env, ":");

		if (len && i-- == 0)
			return xasprintf("%.*s", (int)len, env);
		env += len + (env[len] == ':');
	}
	if (i == 0)
		return xstrdup("models");
	return i == 1 ? xstrdup(VPIO_SHARE "/models") : NULL;
}

static bool is_path(const char *name)
{
	size_t len = strlen(name);

	return strchr(name, '/') || !strcmp(name, "-") ||
	       (len > strlen(SUFFIX) &&
		!strcmp(name + len - strlen(SUFFIX), SUFFIX));
}

/* The path that (name) finds, which the caller frees, or NULL. */
static char *find(const char *name)
{
	char *dir;

	if (is_path(name))
		return xstrdup(name);
	for (unsigned int i = 0; (dir = directory(i)); i++) {
		char *path = xasprintf("%s/%s" SUFFIX, dir, name);

		free(dir);
		if (!access(path, F_OK))
			return path;
		free(path);
	}
	return NULL;
}

char *models_file(const char *name)
{
	return is_path(name) ? xstrdup(name) : xasprintf("%s" SUFFIX, name);
}

void models_free(struct model_file *file)
{
	free(file->path);
	free(file->text);
	*file = (struct model_file){ 0 };
}

/* ---- all of them ---- */

static int is_model(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return *entry->d_name != '.' && len > strlen(SUFFIX) &&
	       !strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX);
}

/* True if this file is what its name finds, and not one behind another. */
static bool is_first(const char *path, const char *file)
{
	char *name =
		xasprintf("%.*s", (int)(strlen(file) - strlen(SUFFIX)), file);
	char *first = find(name);
	bool same = first && !strcmp(first, path);

	free(first);
	free(name);
	return same;
}

void models_each(void (*fn)(void *ctx, const char *path), void *ctx)
{
	char *dir;

	for (unsigned int i = 0; (dir = directory(i)); i++) {
		struct dirent **entry = NULL;
		int n = scandir(dir, &entry, is_model, alphasort);

		for (int k = 0; k < n; k++) {
			char *path = xasprintf("%s/%s", dir, entry[k]->d_name);

			if (is_first(path, entry[k]->d_name))
				fn(ctx, path);
			free(path);
			free(entry[k]);
		}
		free(entry);
		free(dir);
	}
}

/* ---- one of them ---- */

struct names {
	char *name[64];
	size_t n;
};

static void add_name(void *ctx, const char *path)
{
	struct names *names = ctx;
	const char *file = strrchr(path, '/');

	file = file ? file + 1 : path;
	if (names->n < ARRAY_LEN(names->name))
		names->name[names->n++] = xasprintf(
			"%.*s", (int)(strlen(file) - strlen(SUFFIX)), file);
}

static int not_found(const char *name, char **why)
{
	struct names names = { .n = 0 };
	const char *near;

	models_each(add_name, &names);
	near = diag_nearest(name, (const char *const *)names.name, names.n);
	*why = xasprintf("there is no model \"%s\" in $VPIO_MODELS, ./models "
			 "or %s/models: %s%s%s",
			 name, VPIO_SHARE,
			 near ? "did you mean \"" :
				"give a path, or set $VPIO_MODELS",
			 near ? near : "", near ? "\"?" : "");
	while (names.n)
		free(names.name[--names.n]);
	return -ENOENT;
}

int models_read(struct model_file *out, const char *name, char **why)
{
	struct model_file file = { .path = find(name) };
	int err;

	if (!file.path)
		return not_found(name, why);
	err = file_read(file.path, MODELS_MAX_BYTES, &file.text, &file.len,
			why);
	if (err)
		free(file.path);
	else
		*out = file;
	return err;
}

/* ---- compiled ---- */

void models_say(const struct diag *diag, const char *text, size_t len)
{
	char *said;

	if (!diag->n)
		return;
	said = diag_render(diag, text, len);
	if (!said)
		fatalx("no memory to say what is wrong with %s", diag->file);
	log_text(said);
	free(said);
}

int models_open(struct dmm_model **out, const char *name)
{
	struct model_file file;
	struct diag diag;
	char *why = NULL;
	int err = models_read(&file, name, &why);

	if (err) {
		log_errorx("%s", why);
		free(why);
		return err;
	}
	diag_init(&diag, file.path);
	err = dmm_model_parse(out, file.text, file.len, &diag);
	models_say(&diag, file.text, file.len);
	if (err && !diag.n) {
		errno = -err;
		log_warn("%s", file.path);
	}
	diag_fini(&diag);
	models_free(&file);
	return err;
}
