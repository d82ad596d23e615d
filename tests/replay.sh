#!/bin/bash
# SPDX-License-Identifier: MIT
# replay.sh: vpio replay's command line: several traces at a time, its JSON,
# exit statuses, and failing traces made small.
# Environment: VPIO (build/vpio), BENCH (build/bench).
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh

BENCH=${BENCH:-build/bench}
model=models/ne2k-pci.yaml
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

if ! command -v xz >/dev/null; then
	skip replay "xz is not installed"
	exit 0
fi

status() { # STATUS ARGUMENT...
	local want=$1 got=0
	shift
	"$VPIO" replay "$@" || got=$?
	echo "exit status $got, not $want"
	[ "$got" = "$want" ]
}

truth() { # FILE EXPRESSION...: each is true of the JSON in FILE, which is r
	python3 - "$@" <<-'END'
	import json, sys
	r = json.load(open(sys.argv[1]))
	for e in sys.argv[2:]:
	    assert eval(e), e + "\n" + json.dumps(r)[:2000]
	END
}

import() { # LOG OUT
	"$VPIO" trace import qemu "$1" --model $model -o "$2" 2>/dev/null
}

xz -dc traces/linux-6.1-ne2k_pci.qemu.log.xz >"$tmp/log"
import "$tmp/log" "$tmp/good"
head -n 150000 "$tmp/log" >"$tmp/short.log"
import "$tmp/short.log" "$tmp/short"

# A frame beyond the card's memory, in the midst of what a driver does: four
# accesses are needed for it (page, two bytes of the length, command).
awk '
	function out(at, value) {
		printf "memory_region_ops_write cpu 0 mr 0x1 addr 0x%x " \
			"value 0x%x size 1 name \047ne2000\047\n", 49152 + at,
			value
	}
	{ print }
	/memory_region_ops_write.*addr 0xc000 value 0x22 / && ++n == 300 {
		out(4, 191); out(5, 234); out(6, 5); out(0, 38)
	}' "$tmp/log" >"$tmp/seeded.log"
import "$tmp/seeded.log" "$tmp/seeded"

same_as_one() {
	local j
	for j in 1 2 5; do
		"$VPIO" replay -j $j --timeline --json "$tmp/$j.json" \
			--model $model "$tmp/good" "$tmp/seeded" "$tmp/short" \
			"$tmp/log" "$tmp/good" >"$tmp/$j.out" 2>"$tmp/$j.err"
		[ $? = 2 ] || return 1 # a log is no trace
		cmp "$tmp/1.json" "$tmp/$j.json" || return 1
		cmp "$tmp/1.out" "$tmp/$j.out" || return 1
		cmp "$tmp/1.err" "$tmp/$j.err" || return 1
	done
	[ "$(wc -l <"$tmp/5.err")" = 1 ]
}

keys() {
	status 0 -q --json "$tmp/one.json" --model $model "$tmp/good" &&
		status 1 -q --json "$tmp/two.json" --model $model \
			"$tmp/good" "$tmp/seeded" || return 1
	for f in one two; do
		truth "$tmp/$f.json" 'list(r) == ["events", "accesses", "hooked",
			"denied", "violations", "reusable_windows", "states",
			"coverage", "devices"]' \
			'set(r["coverage"]) == {"states", "transitions",
				"registers"}' \
			'r["states"]["remote.moving"]["entered"] > 1000' \
			'r["coverage"]["registers"]["met"] == 19' || return 1
	done
	truth "$tmp/one.json" 'r["accesses"] == 218052' 'r["violations"] == 0' \
		'r["hooked"] * 100 < r["accesses"]'
	truth "$tmp/two.json" 'r["accesses"] == 2 * 218052 + 4' \
		'r["violations"] == 1' \
		'r["devices"][1]["first_violations"][0]["line"] > 0' \
		'r["devices"][1]["first_violations"][0]["packet"] > 1000'
}

violation() { # TRACE: offence, name, rule, line, range
	"$VPIO" replay -q --json "$tmp/v.json" --model $model "$1"
	python3 - "$tmp/v.json" <<-'END'
	import json, sys
	v = json.load(open(sys.argv[1]))["devices"][0]["first_violations"]
	print(len(v), [v[0][k] for k in ("offence", "name", "rule", "line",
	    "address", "length")])
	END
}

shrinks() {
	status 0 --shrink -o "$tmp/small" --model $model "$tmp/seeded" ||
		return 1
	"$VPIO" replay -q --json "$tmp/small.json" --model $model "$tmp/small"
	truth "$tmp/small.json" 'r["events"] == 4' 'r["violations"] == 1' &&
		[ "$(violation "$tmp/small")" = "$(violation "$tmp/seeded")" ]
}

# One answer of the device is not what it was: so is the guest's, later.
flip() { # FROM TO
	python3 - "$@" <<-'END'
	import struct, sys
	b = bytearray(open(sys.argv[1], "rb").read())
	at = n = 0
	while at < len(b):
	    kind, size = struct.unpack_from("<II", b, at)
	    # a host record (7) of one read (1), of the register at 0x07
	    if kind == 6 and b[at + 29] == 7 and b[at + 44] == 1 and \
	       struct.unpack_from("<Q", b, at + 52)[0] == 7:
	        n += 1
	        if n == 700:
	            b[at + 60] ^= 0x20
	    at += size
	assert n > 700
	open(sys.argv[2], "wb").write(b)
	END
}

difference() { # TRACE
	"$VPIO" replay -q --json "$tmp/d.json" "$1"
	python3 - "$tmp/d.json" <<-'END'
	import json, sys
	d = json.load(open(sys.argv[1]))["devices"][0]["difference"]
	print(d["expected"], "|", d["came"])
	END
}

shrinks_difference() {
	"$BENCH/replay" --write "$tmp/exact" 200000 &&
		status 0 -q "$tmp/exact" && flip "$tmp/exact" "$tmp/flipped" &&
		status 1 "$tmp/flipped" &&
		status 0 --shrink -o "$tmp/small" "$tmp/flipped" || return 1
	[ "$(difference "$tmp/flipped")" = "$(difference "$tmp/small")" ] ||
		return 1
	truth "$tmp/d.json" 'r["events"] <= 4'
}

what_if() {
	cp tests/corpus/whatif/costs.yaml "$tmp/w.yaml"
	printf '%s\n' 'mechanisms: [ trap, vpio, ioeventfd ]' \
		'guests: [ 1, 4 ]' >>"$tmp/w.yaml"
	status 0 --what-if "$tmp/w.yaml" --json "$tmp/w.json" \
		--model $model "$tmp/good" || return 1
	truth "$tmp/w.json" 'len(r["devices"][0]["what_if"]) == 6' \
		'r["devices"][0]["what_if"][0] == dict(mechanism="trap",
			guests=1, lease_ns=100000000, exits=218052,
			access_ns=r["devices"][0]["what_if"][0]["access_ns"],
			ns=r["devices"][0]["what_if"][0]["ns"])' \
		'(r["devices"][0]["what_if"][5]["exits"] ==
			4 * r["devices"][0]["what_if"][4]["exits"])' \
		'(218052 - r["devices"][0]["what_if"][4]["exits"] ==
			r["hooked"] - 1)' # one is a read
}

# What calibrate writes is what --what-if takes.
calibrates() {
	local got=0
	"$VPIO" calibrate -o "$tmp/costs.yaml" || got=$?
	[ $got = 0 ] && [ "$(grep -c 'ns #' "$tmp/costs.yaml")" = 15 ] &&
		status 0 --what-if "$tmp/costs.yaml" --model $model \
			"$tmp/short"
}

# A bar on a terminal, and nowhere else.
progress() {
	local line="$VPIO replay -q --model $model $tmp/good"
	TERM=xterm script -qec "$line" /dev/null </dev/null >"$tmp/tty"
	grep -qE 'replay \[#+ *\] +[0-9]+% of [0-9]+ MiB' "$tmp/tty" || return 1
	[ -z "$($line 2>&1)" ]
}

try replay-jobs same_as_one
if command -v script >/dev/null; then
	try replay-progress progress
else
	skip replay-progress "script is not installed"
fi
if [ -w /dev/kvm ]; then
	try replay-calibrate calibrates
else
	skip replay-calibrate "no /dev/kvm that we may write"
fi
try replay-what-if what_if
printf 'mechanisms: [ magic ]\n' >"$tmp/bad.yaml"
try replay-what-if-bad status 2 --what-if "$tmp/bad.yaml" --model $model \
	"$tmp/short"
try replay-what-if-none status 2 --what-if "$tmp/none.yaml" --model $model \
	"$tmp/short"
try replay-jobs-none status 2 -j 0 "$tmp/good"
try replay-json keys
try replay-shrink shrinks
try replay-shrink-nothing status 2 --shrink -o "$tmp/no" --model $model \
	"$tmp/short"
try replay-shrink-where status 2 --shrink --model $model "$tmp/seeded"
if [ -x "$BENCH/replay" ]; then
	try replay-shrink-difference shrinks_difference
else
	skip replay-shrink-difference "no $BENCH/replay (make benches)"
fi
tap_end
