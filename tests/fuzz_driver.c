/* SPDX-License-Identifier: MIT */
/*
 * fuzz_driver.c: main() for fuzz targets where there is no libFuzzer: runs
 * the target on each file given, and on each file in each directory given.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int runs;

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	struct stat st;
	size_t len;

	if (!file || fstat(fileno(file), &st)) {
		perror(path);
		return 1;
	}
	/* Of its size exactly, so that a read beyond it is noticed. */
	data = malloc(st.st_size ? (size_t)st.st_size : 1);
	len = data ? fread(data, 1, (size_t)st.st_size, file) : 0;
	fclose(file);
	if (!data || len != (size_t)st.st_size) {
		fprintf(stderr, "%s: cannot read it\n", path);
		free(data);
		return 1;
	}
	LLVMFuzzerTestOneInput(data, len);
	free(data);
	runs++;
	return 0;
}

static int run_path(const char *path)
{
	struct dirent *entry;
	struct stat st;
	int status = 0;
	DIR *dir;

	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return run_file(path);
	dir = opendir(path);
	if (!dir) {
		perror(path);
		return 1;
	}
	while ((entry = readdir(dir))) {
		char name[4096];

		if (*entry->d_name == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		status |= run_path(name);
	}
	closedir(dir);
	return status;
}

int main(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++)
		status |= run_path(argv[i]);
	printf("%u inputs\n", runs);
	return status;
}
