// SPDX-License-Identifier: MIT
/*
 * test_faults.c: faults put into the models one by one, as an author would
 * make them: check, verify and the model's own tests together must notice.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dmm/prove.h"

#define NE2K "models/ne2k-pci.yaml"
#define GIGA "models/e1000.yaml"
#define FAST "models/rtl8139.yaml"
#define OWNS "models/pcnet.yaml"

/* The first (from) of the file becomes (to). */
static const struct fault {
	const char *file, *what, *from, *to;
} faults[] = {
	/* a dropped check */
	{ NE2K, "transmit unchecked", "!value.STP, check: frame, to: busy",
	  "!value.STP, to: busy" },
	{ NE2K, "remote DMA unchecked", "check: remote, to: moving",
	  "to: moving" },
	{ NE2K, "a restarted transfer unchecked",
	  "value.RD == 2, check: remote }", "value.RD == 2 }" },
	{ NE2K, "no rule for a second transmit",
	  "- { on: write CR, when: value.TXP && !value.STP, then: hold }", "" },
	{ GIGA, "the doorbell unchecked when idle",
	  "- { on: write TDT, check: txRing, to: busy }",
	  "- { on: write TDT, to: busy }" },
	{ GIGA, "the doorbell unchecked when busy",
	  "- { on: write TDT, check: txRing }\n", "\n" },
	{ GIGA, "enabling transmission unchecked",
	  "when: value.EN, check: txRing, to: busy",
	  "when: value.EN, to: busy" },
	{ GIGA, "receive buffers unchecked",
	  "- { on: write RDT, check: rxRing }", "- { on: write RDT }" },
	{ GIGA, "enabling reception unchecked",
	  "when: value.EN, check: rxRing, to: enabled",
	  "when: value.EN, to: enabled" },
	/* a check that rests on what moves */
	{ NE2K, "RSAR may change in mid-transfer",
	  "write RSAR RBCR PSTART PSTOP, then: deny",
	  "write RBCR PSTART PSTOP, then: deny" },
	{ NE2K, "the count may change in mid-transfer",
	  "write RSAR RBCR PSTART PSTOP, then: deny",
	  "write RSAR PSTART PSTOP, then: deny" },
	{ NE2K, "the wrap may change in mid-transfer",
	  "write RSAR RBCR PSTART PSTOP, then: deny",
	  "write RSAR RBCR PSTART, then: deny" },
	{ NE2K, "TPSR may change while sending",
	  "on: write TPSR TBCR, then: hold", "on: write TBCR, then: hold" },
	{ NE2K, "TBCR may change while sending",
	  "on: write TPSR TBCR, then: hold", "on: write TPSR, then: hold" },
	{ GIGA, "the ring may move while sending",
	  "- { on: write TDBAL TDBAH TDLEN TDH, then: deny }", "" },
	{ GIGA, "the length may change while sending",
	  "- { on: write TDBAL TDBAH TDLEN TDH, then: deny }",
	  "- { on: write TDBAL TDBAH TDH, then: deny }" },
	{ GIGA, "the receive ring may move",
	  "- { on: write RDBAL RDBAH RDLEN RDH, then: deny }", "" },
	/* a context that misses something */
	{ NE2K, "IMR not saved",
	  "IMR:    { at: [ io+0x0f write if CR.PS == 0, io+0x0f read if CR.PS == 2 ] }",
	  "IMR:    { at: [ io+0x0f write if CR.PS == 0, io+0x0f read if CR.PS == 2 ], save: none }" },
	{ NE2K, "MAR not saved",
	  "MAR:    { at: io+0x08 if CR.PS == 1, size: 64 }",
	  "MAR:    { at: io+0x08 if CR.PS == 1, size: 64, save: none }" },
	{ NE2K, "PSTOP not restored", "{ allBut: [ CR ] }",
	  "{ allBut: [ CR, PSTOP ] }" },
	{ NE2K, "CR not restored", ", { write: CR, value: \"CR & 0xc0",
	  ", { write: TCR, value: \"CR & 0xc0" },
	{ NE2K, "the memory is not scrubbed",
	  "scrub:    [ { fill: packetRam, value: 0 } ]", "scrub:   [ ]" },
	{ NE2K, "the memory is not isolated", ", isolate: scrub }", " }" },
	{ NE2K, "no quiesce",
	  "  quiesce:  [ { write: CR, value: 0x21 }, { wait: device.ISR.RST, timeout: 2ms, late: ok } ]",
	  "" },
	{ GIGA, "ITR not saved", "ITR:    { at: bar0+0x00c4 }",
	  "ITR:    { at: bar0+0x00c4, save: none }" },
	/* a wrong bank or place */
	{ NE2K, "TPSR in the wrong bank",
	  "TPSR:   { at: [ io+0x04 write if CR.PS == 0",
	  "TPSR:   { at: [ io+0x04 write if CR.PS == 1" },
	{ NE2K, "CURR over MAR", "CURR:   { at: io+0x07 if CR.PS == 1",
	  "CURR:   { at: io+0x08 if CR.PS == 1" },
	{ NE2K, "ISR in every bank", "ISR:    { at: io+0x07 if CR.PS == 0",
	  "ISR:    { at: io+0x07" },
	{ NE2K, "a field too far", "PS: 6..7 }", "PS: 6..8 }" },
	{ NE2K, "two fields overlap", "RD: 3..5", "RD: 2..5" },
	{ GIGA, "two registers at one place", "RDH:    { at: [ bar0+0x2810",
	  "RDH:    { at: [ bar0+0x2818" },
	{ GIGA, "a register beyond its space", "bar0+0x5f00, dim: 8",
	  "bar0+0x1fffc, dim: 8" },
	/* a rule that cannot be, or fights */
	{ NE2K, "a rule behind one that always fires",
	  "- { on: access RESET, do: reset }\n",
	  "- { on: access RESET, do: reset }\n      - { on: access RESET, do: reset }\n" },
	{ NE2K, "a condition that is never true",
	  "when: value.RD == 3, then: deny",
	  "when: value.RD == 8, then: deny" },
	{ NE2K, "a state that nothing leads to",
	  "- { on: end remote, to: idle }", "- { on: end remote }" },
	{ NE2K, "busy for ever",
	  "- { on: poll, when: \"!device.CR.TXP\", to: idle }",
	  "- { on: poll, when: \"!device.CR.TXP\" }" },
	{ NE2K, "a name that is none", "check: remote, to: moving",
	  "check: remot, to: moving" },
	{ GIGA, "sending for ever",
	  "- { on: poll, when: txRing.idle, to: idle }", "" },
	{ GIGA, "a state that is none", "to: enabled } ]", "to: on } ]" },
	/* a window left open, an address that is not the guest's */
	{ GIGA, "the window's data is a register",
	  "door: { kind: window, index: IOADDR, data: IODATA, into: bar0 }",
	  "" },
	{ GIGA, "reset is not the guest's own",
	  "on: write CTRL, when: value.RST, do: reset",
	  "on: write CTRL, when: value.RST" },
	{ GIGA, "the address is the card's",
	  "  mac:    { eeprom: nvm, word: 0 }\n", "" },
	{ NE2K, "the address is the card's",
	  "  mac:    [ { memory: prom, at: 0, stride: 2 } ]\n", "" },
	/* swapped or wrong bounds */
	{ NE2K, "the frame's start is a page number",
	  "start: TPSR << 8, length: TBCR", "start: TPSR, length: TBCR" },
	{ NE2K, "start and length swapped", "start: TPSR << 8, length: TBCR",
	  "start: TBCR, length: TPSR << 8" },
	{ NE2K, "the memory is too large", "start: 0x4000, size: 0x8000",
	  "start: 0x4000, size: 0xc000" },
	{ NE2K, "start and length of remote DMA swapped",
	  "start: RSAR, length: RBCR", "start: RBCR, length: RSAR" },
	{ GIGA, "descriptors of half the size", "    size:      16\n",
	  "    size: 8\n" },
	{ GIGA, "the count is bytes", "count:     TDLEN.LEN << 3",
	  "count:     TDLEN" },
	{ GIGA, "the buffer is the length", "buffer: ADDR, length: LEN16",
	  "buffer: LEN16, length: ADDR" },
	/* reusable when it is not */
	{ NE2K, "reusable while sending",
	  "reusable:  tx == idle && remote == idle",
	  "reusable:  tx == busy && remote == idle" },
	{ NE2K, "reusable: no such state", "tx == idle && remote == idle",
	  "tx == idle && remote == rest" },
	{ NE2K, "the count ends in nothing", "port: DATA, address: CRDA",
	  "address: CRDA" },
	{ NE2K, "no cause", "interrupt: { line: ISR & IMR & 0x7f, cause: ISR }",
	  "interrupt: { line: ISR & IMR & 0x7f }" },
	/* slots, and a ring of bytes */
	{ FAST, "slots are given unchecked",
	  "- { on: write TSD, when: \"!value.OWN\", check: slots, to: busy }",
	  "- { on: write TSD, when: \"!value.OWN\", to: busy }" },
	{ FAST, "enabling transmission unchecked",
	  "value.TE && !value.RST, check: slots, to: busy",
	  "value.TE && !value.RST, to: busy" },
	{ FAST, "enabling transmission again unchecked",
	  "- { on: write CR, check: slots }", "- { on: write CR }" },
	{ FAST, "enabling reception unchecked",
	  "value.RE && !value.RST, check: rxBytes, do:",
	  "value.RE && !value.RST, do:" },
	{ FAST, "the ring may move while it is in use",
	  "on: write CR RBSTART RCR, check: rxBytes",
	  "on: write CR RCR, check: rxBytes" },
	{ FAST, "the ring may grow while it is in use",
	  "on: write CR RBSTART RCR, check: rxBytes",
	  "on: write CR RBSTART, check: rxBytes" },
	{ FAST, "the slack is nobody's",
	  "slack: \"RCR.WRAP && RCR.RBLEN != 3 ? 1536 : 0\", ", "" },
	{ FAST, "the ring is as long as its shift", "bytes: rxLen,",
	  "bytes: RCR.RBLEN," },
	{ FAST, "a slot's size is its address", "buffer: TSAD, length: SIZE",
	  "buffer: SIZE, length: TSAD" },
	{ FAST, "the slots are one register's", "registers: [ TSAD, TSD ]",
	  "registers: [ TSAD, CR ]" },
	{ FAST, "what is given is not", "given: \"!OWN\"", "given: OWNER" },
	{ FAST, "reusable while sending", "reusable:  tx != busy",
	  "reusable:  tx != off" },
	{ FAST, "sending for ever",
	  "- { on: poll, when: slots.idle, to: idle }\n", "\n" },
	{ FAST, "a reset is forgotten",
	  "on: write CR, when: value.RST, do: reset",
	  "on: write CR, when: value.RST" },
	{ FAST, "the richer mode is a register",
	  "  CONFIG5: { at: io+0xd8, global: true }",
	  "  CONFIG5: { at: io+0xd8, global: true }\n  CPCR: { at: io+0xe0, size: 16 }" },
	{ FAST, "the flash is not denied", "0x81..0xd7", "0x81..0xd3" },
	{ FAST, "IMR not saved",
	  "IMR:     { at: io+0x3c, size: 16, width: *any }",
	  "IMR:     { at: io+0x3c, size: 16, width: *any, save: none }" },
	{ FAST, "the address is the card's",
	  "  mac:    { eeprom: nvm, word: 7 }\n", "" },
	{ FAST, "the configuration's lock is always open",
	  "io+0x51 write if EECR.EEM == 3", "io+0x51 write if EECR.EEM == 4" },
	{ FAST, "the buffer is empty when it is not", "| CBR == used",
	  "| CBR != used" },
	/* a block, and rings whose descriptors say whose they are */
	{ OWNS, "a block and its rings started unchecked",
	  "check: [ init, txRing, rxRing ], do: { CSR0.IDON: 1 }, to: running",
	  "check: init, do: { CSR0.IDON: 1 }, to: running" },
	{ OWNS, "the transmit ring unchecked when it starts",
	  "value.STRT\", check: [ txRing, rxRing ], to: running",
	  "value.STRT\", check: rxRing, to: running" },
	{ OWNS, "the receive ring unchecked behind a block",
	  "when: value.STRT, check: [ txRing, rxRing ], to: running",
	  "when: value.STRT, check: txRing, to: running" },
	{ OWNS, "a demand unchecked",
	  "when: value.STRT || value.TDMD, check: [ txRing, rxRing ] }",
	  "when: value.STRT || value.TDMD }" },
	{ OWNS, "the ring may move while it is in use",
	  "write SWS RDRA RLEN TDRA TLEN, then: deny",
	  "write SWS RDRA RLEN TLEN, then: deny" },
	{ OWNS, "the receive ring may grow while it is in use",
	  "write SWS RDRA RLEN TDRA TLEN, then: deny",
	  "write SWS RDRA TDRA TLEN, then: deny" },
	{ OWNS, "the layout may change while it is in use",
	  "write SWS RDRA RLEN TDRA TLEN, then: deny",
	  "write RDRA RLEN TDRA TLEN, then: deny" },
	{ OWNS, "it never stops", "    running:\n      - *stop\n",
	  "    running:\n" },
	{ OWNS, "a stop leaves its causes", "do: { CSR0: 0, CSR5.SPND: 0 }, ",
	  "" },
	{ OWNS, "the rings of the block are swapped", "RDRA: RDRA, TDRA: TDRA,",
	  "RDRA: TDRA, TDRA: RDRA," },
	{ OWNS, "the block stands at another address", "    at:     IADR\n",
	  "    at: RDRA\n" },
	{ OWNS, "a block that is too short for its fields", "    size:   28\n",
	  "    size: 20\n" },
	{ OWNS, "nobody says whose a descriptor is", "    own:       OWN\n",
	  "" },
	{ OWNS, "the part's own length is the guest's",
	  "    shadow:    { BCNT: 4096 - length, ONES: 15 }\n",
	  "    shadow:  { ONES: 15 }\n" },
	{ OWNS, "the count is not negative", "count:     0x10000 - TLEN",
	  "count: TLEN" },
	{ OWNS, "a form has a field that is none",
	  "fields: { BUF: 0..23, ST: 24..31, BCNT: 32..43, MISC: 48..63 }",
	  "fields: { BUF: 0..23, STATUS: 24..31, BCNT: 32..43, MISC: 48..63 }" },
	{ OWNS, "the 16-bit block is never read",
	  "narrow: { when: SWS.STYLE == 0, size: 24,",
	  "narrow: { when: SWS.STYLE == 1, size: 24," },
	{ OWNS, "double words by the register", "readOnly: [ DWIO ], ", "" },
	{ OWNS, "a reset by writing", "on: read RESET, do: reset",
	  "on: write RESET, do: reset" },
	{ OWNS, "both windows have one data register", "data: BDP, size: 64",
	  "data: RDP, size: 64" },
	{ OWNS, "two registers at one index", "PADR:    { at: csr+12",
	  "PADR:  { at: csr+11" },
	{ OWNS, "IADR not saved", "at: [ csr+1, csr+16 ], size: 32 }",
	  "at: [ csr+1, csr+16 ], size: 32, save: none }" },
	{ OWNS, "the address is nobody's",
	  "  mac:    { register: APROM }                  # [Address PROM Space] with a sum over it\n",
	  "" },
	{ OWNS, "no cause", ", cause: CSR0 }", " }" },
};

static char *read_all(const char *path)
{
	char *text = calloc(1, 1 << 17);
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 17) - 1, f) > 0);
	fclose(f);
	return text;
}

static char *spoil(const char *text, const struct fault *f)
{
	const char *at = strstr(text, f->from);
	size_t room = strlen(text) + strlen(f->to) + 1;
	char *out;

	if (!at)
		fail_msg("%s: \"%s\" is not in the file any more", f->what,
			 f->from);
	out = malloc(room);
	assert_non_null(out);
	snprintf(out, room, "%.*s%s%s", (int)(at - text), text, f->to,
		 at + strlen(f->from));
	return out;
}

/* "check", "verify" or "test", whichever notices first; NULL: none does. */
static const char *noticed(const char *text)
{
	unsigned int passed, failed;
	struct prove_result result;
	struct dmm_model *model = NULL;
	const char *by = NULL;
	struct diag diag;

	diag_init(&diag, "a spoiled model");
	if (dmm_model_parse(&model, text, strlen(text), &diag))
		by = "check";
	else if (prove_model(model, &diag, PROVE_MAX_STEPS, &result))
		by = "verify";
	else if (dmm_model_test(model, &diag, &passed, &failed))
		by = "test";
	dmm_model_free(model);
	diag_fini(&diag);
	return by;
}

/* ---- ways to faults, as traces ---- */

static unsigned int records;

static void count_record(void *ctx, uint64_t ns, const struct trace_head *head,
			 const void *body)
{
	(void)ctx, (void)ns, (void)body;
	records += head->kind == TRACE_ACCESS;
}

/* What verify says is so after some steps, a replay of them shows. */
static void ways(void **state)
{
	unsigned int there = 0, n = 0;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(faults); i++) {
		char *text = read_all(faults[i].file);
		char *bad = spoil(text, &faults[i]);
		struct prove_result r = { .has_way = false };
		struct dmm_model *model = NULL;
		struct diag diag;
		bool is = false;

		diag_init(&diag, "a spoiled model");
		if (!dmm_model_parse(&model, bad, strlen(bad), &diag) &&
		    prove_model(model, &diag, PROVE_MAX_STEPS, &r) &&
		    r.has_way) {
			assert_int_equal(prove_trace(model, bad, strlen(bad),
						     &r, count_record, NULL,
						     &is),
					 0);
			n++;
			there += is;
			if (!is)
				print_message("not there: %s (%s): %s\n",
					      faults[i].what, faults[i].file,
					      diag.message[0].advice);
		}
		dmm_model_free(model);
		diag_fini(&diag);
		free(bad);
		free(text);
	}
	print_message("%u of %u ways lead there, %u accesses\n", there, n,
		      records);
	assert_true(n >= 15);
	assert_int_equal(there, n);
}

static void whole_models(void **state)
{
	static const char *const files[] = { NE2K, GIGA, FAST, OWNS };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(files); i++) {
		char *text = read_all(files[i]);

		assert_null(noticed(text));
		free(text);
	}
}

static void seeded_faults(void **state)
{
	unsigned int caught = 0, n = ARRAY_LEN(faults);
	size_t i;

	(void)state;
	for (i = 0; i < n; i++) {
		char *text = read_all(faults[i].file);
		char *bad = spoil(text, &faults[i]);
		const char *by = noticed(bad);

		caught += by != NULL;
		if (!by)
			print_message("not noticed: %s (%s)\n", faults[i].what,
				      faults[i].file);
		free(bad);
		free(text);
	}
	print_message("%u of %u faults noticed\n", caught, n);
	assert_true(n >= 40);
	assert_true(caught * 100 >= n * 95);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_models),
		cmocka_unit_test(seeded_faults),
		cmocka_unit_test(ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
