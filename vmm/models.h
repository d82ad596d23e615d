/* SPDX-License-Identifier: MIT */
/*
 * models.h: where models are on this machine.
 *
 * A model is asked for by path (it has a slash, or ends in .yaml) or by name;
 * NAME is DIR/NAME.yaml in the first of these directories that has it:
 * those of $VPIO_MODELS (colons between them), ./models, and the installed.
 */

#ifndef VMM_MODELS_H
#define VMM_MODELS_H

#include "../dmm/dmm.h"

/* More than load.h takes, so that it can say where a text got too long. */
#define MODELS_MAX_BYTES (16u << 20)

struct model_file {
	char *path;
	char *text;
	size_t len;
};

/*
 * Find and read one.  0, or -errno with one line in (*why), which the caller
 * frees.
 */
MUST_CHECK int models_read(struct model_file *out, const char *name,
			   char **why);
void models_free(struct model_file *file);

/* What the file of (name) is called, for people; the caller frees it. */
char *models_file(const char *name);

/*
 * Call (fn) with the path of each model that a name would find; a directory
 * that is not there has none.
 */
void models_each(void (*fn)(void *ctx, const char *path), void *ctx);

/*
 * Read and compile (name).  0, or -errno after it has been said (on standard
 * error) what is wrong; with warnings said in any case.
 */
MUST_CHECK int models_open(struct dmm_model **out, const char *name);

/* Write what (diag) holds to standard error; (text) as diag_render() has it. */
void models_say(const struct diag *diag, const char *text, size_t len);

#endif /* VMM_MODELS_H */
