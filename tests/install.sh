#!/bin/bash
# SPDX-License-Identifier: MIT
# install.sh: make install, and use what it installed.
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

libdmm() { # as a stranger would use it
	cat >"$tmp/x.c" <<-'END'
	#include <dmm/dmm.h>
	int main(void)
	{
		struct diag diag;
		struct dmm_model *model;
		diag_init(&diag, "x");
		int err = dmm_model_parse(&model, "a: 1", 4, &diag);
		diag_fini(&diag);
		return err == 0;
	}
	END
	cc -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$tmp/usr/include" \
		-o "$tmp/x" "$tmp/x.c" "$tmp/usr/lib/libdmm.a" -lyaml &&
		"$tmp/x"
}

try install make -s install DESTDIR="$tmp" PREFIX=/usr
try install-runs "$tmp/usr/bin/vpio" --version
try install-models test -n "$(ls "$tmp"/usr/share/vpio/models/*.yaml)"
try install-libdmm libdmm
if command -v man >/dev/null; then
	try install-man sh -c "man -l --warnings -Tutf8 \
		'$tmp/usr/share/man/man1/vpio.1' 2>&1 >/dev/null | (! grep .)"
else
	skip install-man "man is not installed"
fi
tap_end
