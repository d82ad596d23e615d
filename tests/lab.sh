#!/bin/bash
# SPDX-License-Identifier: MIT
# lab.sh: what scripts/lab says without a machine: its list, wrong words, and
# the table of a bench, from the lines of one.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh

lists() {
	local name list
	list=$(scripts/lab --list)
	for name in one-e1000 two-e1000 four-e1000 two-ne2k both-cards faults \
		attack uio kill; do
		grep -q "^$name " <<<"$list" || return 1
	done
}

says() { # STATUS WORDS ARGUMENT...
	local status=$1 words=$2 said
	shift 2
	said=$(scripts/lab "$@" 2>&1)
	[ $? = "$status" ] && grep -qF -- "$words" <<<"$said" && return
	echo "$said"
	return 1
}

exits() { # RUN
	cat <<-END
	BENCH run=$1 phase=down when=before exits=0 mmio_exits=0 io_exits=0
	BENCH run=$1 phase=down when=after exits=10 mmio_exits=1 io_exits=2
	BENCH run=$1 phase=up when=before exits=0 mmio_exits=0 io_exits=0
	BENCH run=$1 phase=up when=after exits=20 mmio_exits=3 io_exits=4
	END
}

# A run, the second round slower; then one of two guests: the slower ends it.
bench_log() {
	local run=qemu-vfio
	cat <<-END
	BENCH run=vpio boot=2.00
	noise BENCH run=vpio boot=4.00
	BENCH run=vpio boot=3.00
	BENCH run=qemu boot=6.00
	BENCH run=$run phase=down when=before exits=100 mmio_exits=10 io_exits=0 card_interrupts=20
	BENCH run=$run phase=down when=after exits=1100 mmio_exits=510 io_exits=0 card_interrupts=70
	BENCH run=$run phase=up when=before exits=0 mmio_exits=0 io_exits=0
	BENCH run=$run rss=2048
	BENCH run=$run phase=up when=after exits=500 mmio_exits=0 io_exits=250
	BENCH run=$run guest=guest1 phase=down round=1 bytes=10000000 seconds=10.00 packets=1000
	BENCH run=$run guest=guest1 phase=up round=1 bytes=10000000 seconds=5.00 packets=1000
	BENCH run=$run guest=guest1 phase=down round=2 bytes=10000000 seconds=12.00 packets=999
	BENCH run=$run guest=guest1 cost=read us=0.05
	BENCH run=$run guest=guest1 cost=cpuid us=36.25
	END
	run=merge-4
	cat <<-END
	BENCH run=$run json={"guests":[{"frames_sent":20,"frames_received":0,"accesses":{"hook":10}}]}
	$(exits $run)
	BENCH run=$run guest=guest1 phase=down round=1 bytes=5000000 seconds=10.00 packets=5
	BENCH run=$run guest=guest2 phase=down round=1 bytes=5000000 seconds=20.00 packets=5
	BENCH run=$run guest=guest1 phase=up round=1 bytes=5000000 seconds=5.00 packets=5
	BENCH run=$run guest=guest2 phase=up round=1 bytes=5000000 seconds=5.00 packets=5
	END
	run=merge-1
	cat <<-END
	$(exits $run)
	BENCH run=$run guest=guest1 phase=down round=1 bytes=8000000 seconds=8.00 packets=5
	BENCH run=$run guest=guest1 phase=up round=1 bytes=8000000 seconds=4.00 packets=5
	END
	run=iommu
	cat <<-END
	$(exits $run)
	BENCH run=$run guest=guest1 phase=down round=1 bytes=8000000 seconds=10.00 packets=5
	BENCH run=$run guest=guest1 phase=up round=1 bytes=8000000 seconds=5.00 packets=5
	BENCH run=$run json={"guests":[{"frames_sent":0,"frames_received":0,"accesses":{}}]}
	END
}

tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

table() {
	bench_log >"$tmp/log"
	scripts/lab.d/bench-table "$tmp/log" >"$tmp/table" 2>"$tmp/missing"
	[ $? = 1 ] && cat "$tmp/table" &&
		grep -q "not measured: exclusive, merge-2" "$tmp/missing"
}

# Only what was asked for can be missing.
some() {
	scripts/lab.d/bench-table --runs merge-4,boot "$tmp/log"
}

missing_of_some() {
	local said
	said=$(scripts/lab.d/bench-table --runs merge-4,merge-2 "$tmp/log" \
		2>&1 >"$tmp/table.some")
	[ $? = 1 ] && grep -q 'not measured: merge-2; ' <<<"$said"
}

row() { # WORDS
	grep -qF -- "$*" <<<"$(tr -s ' ' <"$tmp/table")"
}

json() {
	{ scripts/lab.d/bench-table --json "$tmp/log" 2>/dev/null || true; } |
		python3 -c 'import json, sys
r = json.load(sys.stdin)
assert r["runs"]["merge-4"]["down"]["bytes_per_second"] == 5e5
assert r["boot_seconds"] == {"vpio": 3.0, "qemu": 6.0}'
}

try lab-list lists
try lab-no-scenario says 2 'there is no scenario "one-e10"' one-e10
try lab-no-option says 2 'unknown option --loud' --loud
try lab-no-version says 2 '--linux wants a version' --linux newest one-e1000
try lab-no-card says 2 '--card wants e1000 or e1000e' bench --card e100
try lab-no-card-word says 2 '--card wants' bench --card
try lab-no-run says 2 'bench has no run "merge-3", but: qemu-vfio' bench merge-3
try lab-no-kernel says 2 '--guest-kernel wants a file' --guest-kernel
try lab-bench-table table
try lab-bench-some some
try lab-bench-some-missing missing_of_some
try lab-bench-speed row "QEMU, card by vfio-pci 1.00 2.00 100 200 2.0"
try lab-bench-exits row "QEMU, card by vfio-pci down 1.00 0.50 0.00"
try lab-bench-accesses row "vpio, merge, 4 guests 20 0.00 0.00 0.00 0.50"
try lab-bench-slowest row "vpio, merge, 4 guests 0.50 2.00"
try lab-bench-ratio row "short: merge, four guests, down, of QEMU with vfio-pci: 50%"
try lab-bench-ratio-one row "short: merge, four guests, down, of one guest: 50%"
try lab-bench-reached row "ok: merge, four guests, up, of QEMU with vfio-pci: 100%"
try lab-bench-reached-one row "ok: merge, four guests, up, of one guest: 100%"
try lab-bench-boot row "ok: boot to init, of QEMU's time: 50%"
try lab-bench-costs row "QEMU, card by vfio-pci 0.05 0.00 36.25"
try lab-bench-json json
try lab-bench-interrupts row "0.50 0.05 0.00"
tap_end
