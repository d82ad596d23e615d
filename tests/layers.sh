#!/bin/bash
# SPDX-License-Identifier: MIT
# layers.sh: scripts/layers.sh finds what is wrong, and only that.
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# A small tree in which all is well; each test spoils it in one way.
fresh() {
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/"{dmm,vmm,models,build/dmm}
	cd "$tmp/tree" || exit 2
	printf '#include <string.h>\n#include "a.h"\nsize_t a(const char *s)\n{\n\treturn strlen(s);\n}\n' >dmm/a.c
	printf '#include <stddef.h>\nsize_t a(const char *s);\n' >dmm/a.h
	printf '#include "a.h"\nsize_t b(void);\nsize_t b(void)\n{\n\treturn a("b");\n}\n' >dmm/b.c
	printf '#include "../dmm/dmm.h"\n' >vmm/gate.c
	: >vmm/log.h
	printf '#include <linux/kvm.h>\n' >vmm/kvm.c
	printf '/* an RTL8029 is simulated here */\n' >vmm/sim_card.c
	printf 'device:\n  name: wonder-9\n  class: network\nspaces: {}\n' >models/wonder-9.yaml
	cd - >/dev/null || exit 2
}

compile() {
	local file
	for file in "$tmp"/tree/dmm/*.c; do
		${CC:-cc} -c -o "$tmp/tree/build/dmm/$(basename "$file" .c).o" \
			"$file" || return 1
	done
}

layers() {
	env -u LAYERS_BUILD scripts/layers.sh "$tmp/tree"
}

clean() {
	fresh
	compile && layers
}

# Spoil FILE with TEXT: the script must fail, and say WHAT of that file.
finds() { # FILE TEXT WHAT
	local said status
	fresh
	printf "$2\n" >>"$tmp/tree/$1"
	compile 2>/dev/null
	said=$(layers)
	status=$?
	echo "status $status: $said"
	[ $status = 1 ] && grep -qE "^$1:[0-9]+: .*$3" <<<"$said" &&
		[ "$(wc -l <<<"$said")" = 1 ]
}

# What is as long as may be.
finds_nothing() { # FILE TEXT
	fresh
	printf "$2\n" >>"$tmp/tree/$1"
	compile && layers
}

no_objects() {
	fresh
	! layers && layers | grep -q "run make first"
}

try layers-clean clean
try layers-no-objects no_objects
try layers-system-call finds dmm/b.c \
	'int getpid(void);\nint c(void);\nint c(void) { return getpid(); }' \
	'uses getpid'
try layers-yaml finds dmm/b.c \
	'int yaml_x(void);\nint c(void);\nint c(void) { return yaml_x(); }' \
	'uses yaml_x'
try layers-stdout finds dmm/b.c \
	'int puts(const char *);\nint c(void);\nint c(void) { return puts(""); }' \
	'uses puts'
try layers-device-in-comment finds dmm/a.c '/* as an NE2000 does */' \
	'names a device'
try layers-device-in-code finds vmm/gate.c 'static int e1000_quirk;' \
	'names a device'
try layers-device-number finds vmm/gate.c '#define ID 0x8029' \
	'names a device'
try layers-device-of-model finds vmm/gate.c 'const char *x = "Wonder_9";' \
	'names a device'
try layers-dmm-includes-vmm finds dmm/a.h '#include "../vmm/log.h"' \
	'may not include'
try layers-dmm-includes-system finds dmm/a.h '#include <unistd.h>' \
	'may not include'
try layers-dmm-includes-yaml finds dmm/a.h '#include <yaml.h>' \
	'only dmm/load.c'
try layers-not-public finds vmm/gate.c '#include "../dmm/plan.h"' \
	'not public'
try layers-kvm-header finds vmm/gate.c '# include <linux/kvm.h>' \
	'only vmm/kvm.c vmm/kvm_impl.h'
try layers-pci-header finds vmm/gate.c '#include <pci/pci.h>' \
	'may include pci'
try layers-long-function finds vmm/gate.c \
	"void f(void)\n{\n$(printf '\\tg();\\n%.0s' {1..60})}" \
	'a function of 60 lines'
try layers-no-long-function finds_nothing vmm/gate.c \
	"void f(void)\n{\n$(printf '\\tg();\\n%.0s' {1..59})}"
try layers-long-file finds vmm/log.h \
	"$(printf '/* a line */\\n%.0s' {1..699})" 'a file of 700 lines'
try layers-no-long-file finds_nothing vmm/log.h \
	"$(printf '/* a line */\\n%.0s' {1..698})"
tap_end
