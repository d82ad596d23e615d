#!/bin/bash
# SPDX-License-Identifier: MIT
# install.sh: make install, and use what it installed.
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The example of docs/, built as a stranger would, shown a driver's accesses.
example() {
	local flags
	export PKG_CONFIG_PATH=$tmp/usr/lib/pkgconfig
	flags=$(pkg-config --define-variable=prefix="$tmp/usr" --cflags --libs \
		--static libdmm) || return 1
	[ "$(wc -l <docs/step.c)" -lt 60 ] || return 1
	# shellcheck disable=SC2086
	cc -std=c11 -Wall -Wextra -Wpedantic -Werror docs/step.c $flags \
		-o "$tmp/step" || return 1
	"$tmp/step" models/ne2k-pci.yaml <tests/data/step.in >"$tmp/out" || return 1
	diff tests/data/step.out "$tmp/out"
}

headers() { # each by itself
	local h
	for h in "$tmp"/usr/include/dmm/*.h; do
		cc -std=c11 -Wall -Wextra -Werror -fsyntax-only "$h" || return 1
	done
}

try install make -s install DESTDIR="$tmp" PREFIX=/usr
try install-runs "$tmp/usr/bin/vpio" --version
try install-models test -n "$(ls "$tmp"/usr/share/vpio/models/*.yaml)"
try install-schema cmp models/model.schema.json \
	"$tmp/usr/share/vpio/models/model.schema.json"
try install-headers headers
try install-example example
if command -v man >/dev/null; then
	try install-man sh -c "man -l --warnings -Tutf8 \
		'$tmp/usr/share/man/man1/vpio.1' 2>&1 >/dev/null | (! grep .)"
else
	skip install-man "man is not installed"
fi
tap_end
