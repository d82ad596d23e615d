# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# tap.sh: for shell tests: one line a test, and an exit status at the end.
#
#   . tests/tap.sh
#   try NAME COMMAND...		ok if it succeeds; else not ok, with its output
#   tap_end
#
# Shell tests are run from the top of the tree.  VPIO is the binary to test.

VPIO=${VPIO:-build/vpio}
tap_failed=0

ok() {
	echo "ok $1"
}

not_ok() { # NAME [WHY]
	echo "not ok $1${2:+: $2}"
	tap_failed=1
}

skip() { # NAME WHY
	echo "skip $1: $2"
}

try() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name"
		sed 's/^/# /' <<<"$said"
	fi
}

tap_end() {
	exit $tap_failed
}
