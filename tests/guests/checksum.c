/* SPDX-License-Identifier: MIT */
/*
 * checksum.c: a program for the host: the checksum that ping.elf prints.
 *
 * checksum FILE...    one line a file: 0x… and the name
 */

#include <stdio.h>

#include "checksum.h"

static int print_one(const char *name)
{
	static unsigned char block[65536];
	struct checksum sum = { 0, 0, 0 };
	FILE *file = fopen(name, "rb");
	size_t n;
	int bad;

	if (!file) {
		perror(name);
		return 1;
	}
	while ((n = fread(block, 1, sizeof(block), file)))
		checksum_add(&sum, block, n);
	bad = ferror(file);
	if (bad)
		perror(name);
	else
		printf("0x%016llx  %s\n",
		       (unsigned long long)checksum_end(&sum), name);
	fclose(file);
	return bad;
}

int main(int argc, char **argv)
{
	int status = 0;
	int i;

	if (argc < 2) {
		fprintf(stderr, "usage: checksum FILE...\n");
		return 2;
	}
	for (i = 1; i < argc; i++)
		status |= print_one(argv[i]);
	return status;
}
