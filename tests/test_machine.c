/* SPDX-License-Identifier: MIT */
/*
 * test_machine.c: machine files and flags that are right; those that are
 * wrong are in machine-fail/.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../vmm/machine.h"

static const char two[] =
	"devices:\n"
	"  nic0: { model: card, backend: sim, network: user }\n"
	"guests:\n"
	"  alpha: { image: a.elf, memory: 32M, cpus: 2,\n"
	"           devices: [ { use: nic0, mac: 52:54:00:00:00:0a,\n"
	"                        weight: 2, pcap: a.pcap } ] }\n"
	"  beta:  { image: b.elf, log: b.log,\n"
	"           devices: [ { use: nic0, mac: 52:54:00:00:00:0b } ] }\n";

static struct machine *parse(const char *text)
{
	struct machine *m = NULL;
	struct diag diag;
	int err;

	diag_init(&diag, "test");
	err = machine_parse(&m, text, strlen(text), &diag);
	if (err) {
		char *said = diag_render(&diag, text, strlen(text));

		print_error("%s", said);
		free(said);
	}
	assert_int_equal(err, 0);
	diag_fini(&diag);
	return m;
}

static void all_keys(void **state)
{
	static const char text[] =
		"devices:\n"
		"  nic0:\n"
		"    model: ./card.yaml\n"
		"    backend: sim\n"
		"    network: { user: { tftp: dir }, pcap: wire.pcap }\n"
		"    share: { how: lease, whenParked: drop, lease: 5ms,\n"
		"             antispoof: false, mirror: true }\n"
		"guests:\n"
		"  alpha:\n"
		"    image: a.elf\n"
		"    memory: 1M\n"
		"    cpus: 16\n"
		"    cmdline: \"expect=0x1 x y\"\n"
		"    timeout: 60s\n"
		"    watchdog: 500ms\n"
		"    log: a.log\n"
		"    policy: mce\n"
		"    reboot: end\n"
		"    console: { socket: alpha.sock }\n"
		"    devices: [ { use: nic0, mac: 52:54:00:00:00:0a,\n"
		"                 weight: 1000, dmaWindow: 16M } ]\n";
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 0, 0, 0x0a };
	struct machine *m = parse(text);
	const struct machine_device *d = &m->device[0];
	const struct machine_guest *g = &m->guest[0];

	(void)state;
	assert_int_equal(m->devices, 1);
	assert_string_equal(d->name, "nic0");
	assert_string_equal(d->model, "./card.yaml");
	assert_string_equal(d->backend, "sim");
	assert_ptr_equal(d->network, node_get(d->conf, "network"));
	assert_int_equal(d->share.how, DMM_LEASE);
	assert_int_equal(d->share.when_parked, DMM_DROP);
	assert_int_equal(d->share.lease_ns, 5000000);
	assert_false(d->share.antispoof);
	assert_true(d->share.mirror);
	assert_int_equal(d->users, 1);
	assert_int_equal(m->guests, 1);
	assert_string_equal(g->image, "a.elf");
	assert_int_equal(g->memory, 1 << 20);
	assert_int_equal(g->cpus, 16);
	assert_string_equal(g->cmdline, "expect=0x1 x y");
	assert_int_equal(g->timeout_ns, UINT64_C(60000000000));
	assert_int_equal(g->watchdog_ns, 500000000);
	assert_string_equal(g->log, "a.log");
	assert_int_equal(g->policy, DMM_MCE);
	assert_false(g->reboots);
	assert_int_equal(g->console, CONSOLE_SOCKET);
	assert_string_equal(g->socket, "alpha.sock");
	assert_int_equal(g->uses, 1);
	assert_true(g->use[0].has_mac);
	assert_memory_equal(g->use[0].mac, mac, 6);
	assert_int_equal(g->use[0].weight, 1000);
	assert_int_equal(g->use[0].dma_window, 16 << 20);
	machine_free(m);
}

static void defaults(void **state)
{
	struct machine *m = parse("devices:\n"
				  "  n: { model: c, backend: sim }\n"
				  "guests:\n"
				  "  g: { image: a, cmdline: '',\n"
				  "       devices: [ { use: n } ] }\n");
	const struct machine_guest *g = &m->guest[0];

	(void)state;
	assert_int_equal(m->device[0].share.how, DMM_HOW_DEFAULT);
	assert_int_equal(m->device[0].share.when_parked, DMM_SPOOL);
	assert_true(m->device[0].share.antispoof);
	assert_false(m->device[0].share.mirror);
	assert_null(m->device[0].network);
	assert_int_equal(g->memory, 64 << 20);
	assert_int_equal(g->cpus, 1);
	assert_string_equal(g->cmdline, "");
	assert_null(g->log);
	assert_int_equal(g->policy, DMM_IGNORE);
	assert_true(g->reboots);
	assert_int_equal(g->console, CONSOLE_NONE);
	assert_int_equal(g->use[0].weight, 1);
	assert_false(g->use[0].has_mac);
	machine_free(m);
}

static void guest_without_devices(void **state)
{
	struct machine *m = parse("guests: { g: { image: a } }");

	(void)state;
	assert_int_equal(m->devices, 0);
	assert_int_equal(m->guest[0].uses, 0);
	machine_free(m);
}

/* ---- changes ---- */

static void change(struct machine *m, struct machine_changes c)
{
	char *why = NULL;

	assert_int_equal(machine_change(m, &c, &why), 0);
	assert_null(why);
}

static void refuse(struct machine *m, struct machine_changes c,
		   const char *part)
{
	char *why = NULL;

	assert_true(machine_change(m, &c, &why) < 0);
	if (!strstr(why, part))
		fail_msg("no \"%s\" in \"%s\"", part, why);
	free(why);
}

static void no_change(void **state)
{
	struct machine *m = parse(two);

	(void)state;
	change(m, (struct machine_changes){ .how = DMM_HOW_DEFAULT });
	assert_int_equal(m->guests, 2);
	assert_int_equal(m->device[0].share.how, DMM_HOW_DEFAULT);
	assert_string_equal(m->guest[0].use[0].pcap, "a.pcap");
	machine_free(m);
}

static void more_guests(void **state)
{
	struct machine *m = parse(two);

	(void)state;
	change(m,
	       (struct machine_changes){ .guests = 5, .how = DMM_HOW_DEFAULT });
	assert_int_equal(m->guests, 5);
	assert_int_equal(m->device[0].users, 5);
	assert_string_equal(m->guest[2].name, "alpha-2");
	assert_string_equal(m->guest[3].name, "beta-2");
	assert_string_equal(m->guest[4].name, "alpha-3");
	assert_string_equal(m->guest[2].use[0].pcap, "a.pcap.2");
	assert_string_equal(m->guest[3].log, "b.log.2");
	assert_int_equal(m->guest[4].use[0].weight, 2);
	assert_int_equal(m->guest[4].cpus, 2);
	for (unsigned int i = 0; i < 5; i++)
		for (unsigned int k = 0; k < i; k++)
			assert_memory_not_equal(m->guest[i].use[0].mac,
						m->guest[k].use[0].mac, 6);
	machine_free(m);
}

static void fewer_guests(void **state)
{
	struct machine *m = parse(two);

	(void)state;
	change(m,
	       (struct machine_changes){ .guests = 1, .how = DMM_EXCLUSIVE });
	assert_int_equal(m->guests, 1);
	assert_int_equal(m->device[0].users, 1);
	assert_int_equal(m->device[0].share.how, DMM_EXCLUSIVE);
	machine_free(m);
}

static void copies_get_addresses(void **state)
{
	struct machine *m =
		parse("devices:\n"
		      "  n: { model: c, backend: sim }\n"
		      "guests:\n"
		      "  g: { image: a, devices: [ { use: n } ] }\n");

	(void)state;
	change(m, (struct machine_changes){ .guests = DMM_MAX_GUESTS,
					    .how = DMM_HOW_DEFAULT });
	for (unsigned int i = 0; i < m->guests; i++) {
		assert_true(m->guest[i].use[0].has_mac);
		assert_int_equal(m->guest[i].use[0].mac[0] & 1, 0);
	}
	machine_free(m);
}

static void changes_of_devices(void **state)
{
	struct machine *m = parse(two);

	(void)state;
	change(m, (struct machine_changes){ .how = DMM_MERGE,
					    .when_parked_given = true,
					    .when_parked = DMM_DROP,
					    .timeout_ns = 77,
					    .pcap_dir = "dir" });
	assert_int_equal(m->device[0].share.how, DMM_MERGE);
	assert_int_equal(m->device[0].share.when_parked, DMM_DROP);
	assert_int_equal(m->guest[1].timeout_ns, 77);
	assert_string_equal(m->guest[0].use[0].pcap, "dir/alpha-nic0.pcap");
	machine_free(m);
}

static void changes_that_cannot_be(void **state)
{
	struct machine *m = parse(two);

	(void)state;
	refuse(m, (struct machine_changes){ .how = DMM_EXCLUSIVE },
	       "exclusive, and 2 guests");
	refuse(m, (struct machine_changes){ .guests = DMM_MAX_GUESTS + 1 },
	       "would use");
	refuse(m, (struct machine_changes){ .guests = 1000 }, "at most");
	machine_free(m);
}

/* ---- flags ---- */

static void flags(void **state)
{
	const char *const device[] = { "nic0=card,backend=sim,network=user,"
				       "share={how: lease, whenParked: drop}" };
	const char *const guest[] = {
		"alpha=a b.elf,memory=32M,mac=52:54:00:00:00:0a",
		"beta=b.elf,weight=3,mac=52:54:00:00:00:0b,cpus=2,"
		"cmdline=\"x, y: #z\"",
	};
	char *why = NULL, *text;
	struct machine *m;

	(void)state;
	text = machine_from_flags(device, 1, guest, 2, &why);
	assert_non_null(text);
	m = parse(text);
	assert_string_equal(m->device[0].model, "card");
	assert_int_equal(m->device[0].share.when_parked, DMM_DROP);
	assert_string_equal(m->guest[0].image, "a b.elf");
	assert_int_equal(m->guest[0].memory, 32 << 20);
	assert_int_equal(m->guest[0].use[0].mac[5], 0x0a);
	assert_int_equal(m->guest[1].use[0].weight, 3);
	assert_int_equal(m->guest[1].cpus, 2);
	assert_string_equal(m->guest[1].cmdline, "x, y: #z");
	machine_free(m);
	free(text);
}

static void flags_with_two_devices(void **state)
{
	const char *const device[] = { "n=c,backend=sim", "o=d,backend=sim" };
	const char *const guest[] = {
		"a=a.elf",
		"b=b.elf,use=o",
		"c=c.elf,devices=[{use: n},{use: o,mac: 02:00:00:00:00:01}]",
	};
	char *why = NULL, *text;
	struct machine *m;

	(void)state;
	text = machine_from_flags(device, 2, guest, 2, &why);
	assert_non_null(text);
	m = parse(text);
	assert_int_equal(m->guest[0].uses, 0);
	assert_int_equal(m->guest[1].use[0].device, 1);
	machine_free(m);
	free(text);
	text = machine_from_flags(device, 2, guest + 2, 1, &why);
	assert_non_null(text);
	m = parse(text);
	assert_int_equal(m->guest[0].uses, 2);
	machine_free(m);
	free(text);
}

static void flags_that_are_none(void **state)
{
	static const char *const bad[] = { "",	    "alpha",  "=a.elf", "a,b=c",
					   "a=b,c", "a=b,=c", "a=b," };
	char *why = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_null(machine_from_flags(NULL, 0, &bad[i], 1, &why));
		assert_non_null(strstr(why, "NAME=VALUE"));
		free(why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys),
		cmocka_unit_test(defaults),
		cmocka_unit_test(guest_without_devices),
		cmocka_unit_test(no_change),
		cmocka_unit_test(more_guests),
		cmocka_unit_test(fewer_guests),
		cmocka_unit_test(copies_get_addresses),
		cmocka_unit_test(changes_of_devices),
		cmocka_unit_test(changes_that_cannot_be),
		cmocka_unit_test(flags),
		cmocka_unit_test(flags_with_two_devices),
		cmocka_unit_test(flags_that_are_none),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
