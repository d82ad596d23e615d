// SPDX-License-Identifier: MIT
// step: a model by itself, without a machine: shows it accesses of a driver.
// Lines on standard input: SPACE OFFSET WIDTH [VALUE-TO-WRITE], hexadecimal.
//	cc step.c $(pkg-config --cflags --libs --static libdmm) -o step
#include <dmm/dmm.h>
#include <stdio.h>
#include <stdlib.h>

/* A card that is done with whatever it is asked for. */
static uint64_t read_card(void *ctx, unsigned int space, uint64_t off,
			  unsigned int width)
{
	(void)ctx, (void)space, (void)off, (void)width;
	return UINT64_MAX;
}

static void write_card(void *ctx, unsigned int space, uint64_t off,
		       unsigned int width, uint64_t value)
{
	(void)ctx, (void)width;
	printf("  card: write space %u + 0x%02llx: 0x%llx\n", space,
	       (unsigned long long)off, (unsigned long long)value);
}

int main(int argc, char **argv)
{
	static char text[1 << 20], *why;
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	struct dmm_host host = { .read = read_card, .write = write_card };
	struct dmm_conf conf = { .how = DMM_EXCLUSIVE, .guests = 1 };
	size_t len = file ? fread(text, 1, sizeof(text), file) : 0;
	unsigned long long off, value;
	struct dmm_model *model;
	struct dmm_access a;
	struct diag diag;
	struct dmm *dmm;
	char line[100];
	int n;

	diag_init(&diag, argc == 2 ? argv[1] : "?");
	if (dmm_model_parse(&model, text, len, &diag) ||
	    dmm_open(&dmm, model, &conf, &host, &why))
		return fprintf(stderr, "no model\n"), 2;
	while (fgets(line, sizeof(line), stdin)) {
		a = (struct dmm_access){ .data = (uint8_t *)&value,
					 .count = 1 };
		n = sscanf(line, "%u %llx %hhu %llx", &a.space, &off, &a.width,
			   &value);
		a.off = off;
		a.write = n == 4;
		dmm_access(dmm, 0, &a);
		printf("%s", dmm_path_name(dmm_last_path(dmm)));
		for (unsigned int i = 0; dmm_model_machine(model, i); i++)
			printf(", %s %s", dmm_model_machine(model, i),
			       dmm_state(dmm, 0, dmm_model_machine(model, i)));
		printf("%s\n", dmm_reusable(dmm) ? ", reusable" : "");
	}
	return 0;
}
