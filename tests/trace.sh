#!/bin/bash
# SPDX-License-Identifier: MIT
# trace.sh: vpio trace: logs of others made into traces, word by word; parts of
# traces and several as one; other programs' formats; bad files of each kind.
#
#   tests/trace.sh            each case against tests/data/trace/NAME.ok
#   tests/trace.sh --update   write the .ok files anew, to be read and kept
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh
VPIO=$(realpath "$VPIO")
export VPIO_MODELS=$PWD/models
data=$PWD/tests/data/trace
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
update=
[ "${1-}" = --update ] && update=yes

vpio() {
	timeout 60 "$VPIO" "$@"
}

# What COMMAND says is what NAME.ok has, with its exit status at the end.  A
# model's hash and length change with every word of it.
golden() { # NAME COMMAND...
	local name=$1
	shift
	(
		cd "$tmp" || exit 1
		"$@" 2>&1
		echo "status $?"
	) | sed -E -e 's/hash 0x[0-9a-f]+/hash H/; s/"hash": [0-9]+/"hash": H/' \
		-e 's/("bytes": ?|pcapng: )[0-9]{4,}/\1N/' >"$tmp/$name.came"
	if [ "$update" ]; then
		cp "$tmp/$name.came" "$data/$name.ok"
		return
	fi
	try "trace-$name" diff -u "$data/$name.ok" "$tmp/$name.came"
}

# ---- import ----

import() { # FORMAT LOG MODEL [OPTION...]: what is said, and what came of it
	local format=$1 log=$2 model=$3 status
	shift 3
	cp "$data/$log.log" .
	vpio trace import "$format" "$log.log" --model "$model" \
		-o "$log.pcapng" "$@"
	status=$?
	vpio trace cat "$log.pcapng"
	return $status
}

golden import-qemu import qemu qemu e1000
golden import-qemu-other import qemu qemu e1000 --function 00:04.0
golden import-qemu-events import qemu qemu-events e1000
golden import-ne2000-events import qemu ne2000-events ne2k-pci
golden import-kvm import kvm kvm ne2k-pci
golden import-kvm-report import kvm kvm-report e1000
golden import-kvm-no-bar import kvm kvm-report ne2k-pci
golden import-mmiotrace import mmiotrace mmiotrace e1000
golden import-mmiotrace-trace import mmiotrace mmiotrace-trace e1000
golden import-mmiotrace-bar import mmiotrace mmiotrace e1000 \
	--bar 0=0xfee00000+0x20000 --function 00:00.0
golden import-qtest import qtest qtest ne2k-pci
golden import-bitvisor import bitvisor bitvisor e1000
golden import-empty vpio trace import qemu /dev/null --model e1000 -o x
cp tests/data/machine.lspci "$tmp/foreign"
golden import-foreign vpio trace import kvm foreign --model e1000 -o x
golden import-format vpio trace import mmiotrcae x --model e1000 -o x
golden import-bar vpio trace import qemu x --model e1000 -o x --bar 6=1
golden import-function vpio trace import qemu x --model e1000 -o x \
	--function 99:33.9
golden import-over vpio trace import qemu qemu.log --model e1000 -o qemu.log

# ---- a recorded run: two guests, of which one does what it may not ----

story=$tmp/story.pcapng
xz -dc traces/attack-denied.pcapng.xz >"$story" || exit 2
cp "$story" "$tmp/a.pcapng"
printf '' >"$tmp/empty.pcapng"

identical() { # FILE
	vpio replay --model ne2k-pci "$1" >"$tmp/said" 2>&1
	cat "$tmp/said"
	grep -q '^identical to' "$tmp/said"
}

cp "$tmp/qtest.pcapng" "$tmp/q.pcapng"
golden info vpio trace info q.pcapng
# without what there is none of: kinds may come to be
some() {
	vpio trace info --json q.pcapng | grep -v ': 0,*$'
}
golden info-json some
golden cat-json vpio trace cat --json q.pcapng

# Of each kind of record something is there, with the names of its guests.
kinds() {
	vpio trace info --json "$story" >"$tmp/info.json" || return 1
	python3 - "$tmp/info.json" <<-'END'
	import json, sys
	r = json.load(open(sys.argv[1]))
	for kind in "model access interrupt tick leave host state switch " \
	            "violation".split():
	    assert r["kinds"][kind] > 0, kind
	assert r["devices"][0]["guests"] == ["alpha", "beta", "evil"], r
	END
}
try trace-info-kinds kinds

cut_end() {
	vpio trace cut --records 1-2000 "$story" -o "$tmp/cut.pcapng" 2>&1 |
		grep -q 'it replays exactly' && identical "$tmp/cut.pcapng"
}
cut_all() {
	vpio trace cut "$story" -o "$tmp/all.pcapng" &&
		vpio trace diff "$story" "$tmp/all.pcapng" &&
		cmp <(vpio trace cat "$story") <(vpio trace cat "$tmp/all.pcapng")
}
cut_middle() {
	vpio trace cut --from 100ms --to 500ms "$story" -o "$tmp/cut.pcapng" \
		2>"$tmp/said" || return 1
	cat "$tmp/said"
	grep -q 'only its accesses are shown' "$tmp/said" || return 1
	vpio replay --model ne2k-pci "$tmp/cut.pcapng" >"$tmp/said" 2>&1
	[ $? -lt 2 ] || { cat "$tmp/said"; return 1; }
	! grep missing "$tmp/said"
}
cut_guest() {
	vpio trace cut --guest evil "$story" -o "$tmp/cut.pcapng" || return 1
	vpio trace cat "$tmp/cut.pcapng" >"$tmp/said"
	grep -c ' evil access' "$tmp/said" >/dev/null || return 1
	! awk '$4 == "alpha" || $4 == "beta"' "$tmp/said" | grep .
}
cut_kind() {
	vpio trace cut --kind violation,frame "$story" -o "$tmp/cut.pcapng" \
		2>"$tmp/said" || return 1
	cat "$tmp/said"
	grep -q 'nothing to replay' "$tmp/said" || return 1
	[ "$(vpio trace cat "$tmp/cut.pcapng" | awk '{ print $4 }' |
		grep -cE '^(access|host)$')" = 0 ]
}
try trace-cut-end cut_end
try trace-cut-all cut_all
try trace-cut-middle cut_middle
try trace-cut-guest cut_guest
try trace-cut-kind cut_kind
golden cut-names vpio trace cut --guest gamma story.pcapng -o x
golden cut-device vpio trace cut --device nic9 story.pcapng -o x
golden cut-kinds vpio trace cut --kind acess story.pcapng -o x
golden cut-time vpio trace cut --from soon story.pcapng -o x
golden cut-records vpio trace cut --records x-y story.pcapng -o x
golden cut-over vpio trace cut story.pcapng -o story.pcapng

merge_two() {
	vpio trace merge "$story" "$tmp/a.pcapng" -o "$tmp/two.pcapng" \
		2>"$tmp/said" || return 1
	cat "$tmp/said"
	grep -q 'nic0 is nic0-2' "$tmp/said" || return 1
	grep -q 'alpha is alpha-2' "$tmp/said" || return 1
	vpio replay --model ne2k-pci "$tmp/two.pcapng" >"$tmp/said" 2>&1
	[ $? = 1 ] && [ "$(grep -c '^identical' "$tmp/said")" = 2 ] ||
		{ cat "$tmp/said"; return 1; }
}
# One of the two, taken out again, is what it was; the other is not touched.
cut_device() {
	vpio trace cut --device nic0-2 "$tmp/two.pcapng" -o "$tmp/cut.pcapng" \
		2>"$tmp/said" || return 1
	cat "$tmp/said"
	grep -q 'it replays exactly' "$tmp/said" || return 1
	identical "$tmp/cut.pcapng" && ! vpio trace cat "$tmp/cut.pcapng" |
		grep -E '^[0-9]+ [0-9.]+ nic0 '
}
# Parts of one run are one device again.
merge_parts() {
	vpio trace merge "$tmp/half1" "$tmp/half2" -o "$tmp/one.pcapng" ||
		return 1
	vpio trace diff "$story" "$tmp/one.pcapng"
}
# as --record-size makes them: the second begins with the same head
halves() {
	python3 - "$story" "$tmp/half1" "$tmp/half2" <<-'END'
	import struct, sys
	b = open(sys.argv[1], "rb").read()
	at, head, half = 0, None, None
	while at < len(b):
	    kind, size = struct.unpack_from("<II", b, at)
	    if kind == 6 and b[at + 28 + 1] != 1 and head is None:
	        head = at
	    # an entry's end: an access
	    if at > len(b) / 2 and kind == 6 and b[at + 28 + 1] == 2 and \
	       struct.unpack_from("<I", b, at + 8)[0] == 0:
	        half = at + size
	        break
	    at += size
	open(sys.argv[2], "wb").write(b[:half])
	open(sys.argv[3], "wb").write(b[:head] + b[half:])
	END
}
halves
try trace-merge-two merge_two
try trace-cut-device-again cut_device
try trace-merge-parts merge_parts
# the first record that differs, with what is around it
sed 's/0x1234/0x1235/' "$data/qtest.log" >"$tmp/other.log"
(cd "$tmp" && vpio trace import qtest other.log --model ne2k-pci \
	-o other.pcapng 2>/dev/null)
golden diff vpio trace diff q.pcapng other.pcapng


# ---- export ----

golden export-csv vpio trace export csv q.pcapng -o -
golden export-qtest vpio trace export qtest q.pcapng -o -
golden export-chrome vpio trace export chrome q.pcapng -o -
golden export-format vpio trace export cvs q.pcapng -o -

# A driver's accesses as a script for a stock QEMU, and what its log says then.
qtest_round() {
	cd "$tmp" || return 1
	vpio trace cut --records 1-2000 --kind model,access linux.pcapng \
		-o part.pcapng && vpio trace export qtest part.pcapng -o script ||
		return 1
	timeout 60 qemu-system-x86_64 -nodefaults -no-user-config -S \
		-display none -machine pc -accel tcg -m 64 \
		-device e1000,addr=3,romfile= -qtest stdio -qtest-log log \
		<script >answers 2>/dev/null &
	local pid=$! i
	# it ends with its script only where that ends with the connection
	for ((i = 0; i < 300; i++)); do
		[ "$(grep -c '^OK' answers)" -ge "$(wc -l <script)" ] && break
		sleep 0.1
	done
	kill $pid 2>/dev/null
	wait $pid 2>/dev/null
	! grep FAIL answers || return 1
	vpio trace import qtest log --model e1000 -o round.pcapng || return 1
	# what was written, and what was looked at, in the same order
	for file in part round; do
		vpio trace export csv $file.pcapng --kind access -o - |
			awk -F, '$6 == "write" { print $7, $8, $9, $11 }
				$6 == "read" { print $7, $8, $9 }' >$file.list
	done
	[ "$(wc -l <part.list)" -gt 1000 ] && cmp part.list round.list
}
xz -dc traces/linux-6.12-e1000.pcapng.xz >"$tmp/linux.pcapng"
if command -v qemu-system-x86_64 >/dev/null; then
	try trace-qtest-round qtest_round
else
	skip trace-qtest-round "qemu-system-x86_64 is not installed"
fi

export_chrome() {
	vpio trace export chrome "$story" -o "$tmp/chrome.json" &&
		python3 - "$tmp/chrome.json" <<-'END'
	import collections, json, sys
	events = json.load(open(sys.argv[1]))["traceEvents"]
	lanes = {e["args"]["name"] for e in events
	         if e["ph"] == "M" and e["name"] == "thread_name"}
	assert {"device", "owner", "alpha", "beta", "evil"} <= lanes, lanes
	assert any(l.startswith("alpha: ") for l in lanes), lanes
	named = {(e["pid"], e["tid"]) for e in events
	         if e["name"] == "thread_name"}
	spans = collections.defaultdict(list)
	for e in events:
	    assert e["ph"] in "MXi", e
	    assert isinstance(e["pid"], int) and isinstance(e["tid"], int)
	    if e["ph"] == "M":
	        continue
	    assert (e["pid"], e["tid"]) in named, e
	    assert e["ts"] >= 0
	    if e["ph"] == "X":
	        assert e["dur"] >= 0
	        spans[e["pid"], e["tid"], e["name"] == "held"].append(
	            (e["ts"], e["ts"] + e["dur"]))
	    else:
	        assert e["s"] == "t"
	# one state at a time, one owner at a time
	for lane in spans.values():
	    lane.sort()
	    for a, b in zip(lane, lane[1:]):
	        assert b[0] >= a[1] - 0.001, (a, b)
	assert len(spans) > 4, spans.keys()
	assert any(e["name"] == "violation" for e in events)
	END
}
try trace-export-chrome export_chrome

export_pcap() {
	vpio trace export pcap "$story" --guest alpha -o "$tmp/a.pcap" || return 1
	python3 - "$tmp/a.pcap" <<-'END'
	import struct, sys
	b = open(sys.argv[1], "rb").read()
	assert struct.unpack_from("<I", b)[0] == 0xa1b23c4d
	assert struct.unpack_from("<I", b, 20)[0] == 1
	at, n = 24, 0
	while at < len(b):
	    size = struct.unpack_from("<I", b, at + 8)[0]
	    frame = b[at + 16:at + 16 + size]
	    assert len(frame) >= 14
	    at, n = at + 16 + size, n + 1
	assert at == len(b) and n > 10, n
	END
}
try trace-export-pcap export_pcap

# ---- bad files ----

head -c 100000 "$story" | head -c 99999 >"$tmp/cut-off.pcapng"
cp tests/data/machine.lspci "$tmp/foreign.pcapng"
printf '\n\r\r\n\xff\xff\xff\xff\x4d\x3c\x2b\x1a' >"$tmp/claims.pcapng"
# of a whole file, the length of one block in the middle: 4 GiB
python3 - "$story" "$tmp/corrupt.pcapng" "$tmp/hostile.pcapng" <<'END'
import struct, sys
b = bytearray(open(sys.argv[1], "rb").read())
at, n = 0, 0
while n < 1000:
    at += struct.unpack_from("<I", b, at + 4)[0]
    n += 1
whole = bytes(b)
b[at + 4:at + 8] = b"\xfc\xff\xff\xff"
open(sys.argv[2], "wb").write(b)
# an access that says it has 2^32 - 1 elements
b = bytearray(whole)
while not (b[at] == 6 and b[at + 8:at + 12] == bytes(4) and b[at + 29] == 2):
    at += struct.unpack_from("<I", b, at + 4)[0]
b[at + 28 + 16 + 16:at + 28 + 16 + 20] = b"\xff" * 4
open(sys.argv[3], "wb").write(b)
END
for verb in info cat; do
	for bad in empty foreign claims; do
		golden "bad-$verb-$bad" vpio trace $verb $bad.pcapng
	done
done
for bad in empty foreign claims; do
	golden "bad-replay-$bad" vpio replay -q $bad.pcapng
done
replays() { # FILE MESSAGE
	vpio replay -q --model ne2k-pci "$tmp/$1" >"$tmp/out" 2>&1
	[ $? = 2 ] && grep -E "$2" "$tmp/out" || { cat "$tmp/out"; return 1; }
}
golden bad-none vpio trace info no-such-file
golden bad-directory vpio trace cat .
golden bad-merge vpio trace merge story.pcapng empty.pcapng -o x
golden bad-export vpio trace export csv foreign.pcapng -o x

# All but what is broken is there, and the place of that is told.
kept() { # FILE LOST STATUS MESSAGE
	local status
	vpio trace cat "$tmp/$1" >"$tmp/out" 2>"$tmp/err"
	status=$?
	cat "$tmp/err"
	[ $status = "$3" ] && grep -qE "$4" "$tmp/err" &&
		[ "$(wc -l <"$tmp/out")" = $(($(vpio trace cat "$story" |
			wc -l) - $2)) ]
}
try trace-bad-corrupt kept corrupt.pcapng 1 2 \
	'not a block of pcapng at offset 0x[0-9a-f]+; goes on at 0x'
try trace-bad-hostile kept hostile.pcapng 1 2 \
	'packet [0-9]+ at offset 0x[0-9a-f]+: malformed'
try trace-bad-replay-corrupt replays corrupt.pcapng \
	'packet [0-9]+ at offset 0x[0-9a-f]+: not a block of pcapng'
try trace-bad-replay-hostile replays hostile.pcapng \
	'packet [0-9]+ at offset 0x[0-9a-f]+: malformed'
cut_off() {
	vpio trace info "$tmp/cut-off.pcapng" >"$tmp/said" 2>&1 || return 1
	grep -q 'cut off at offset 0x[0-9a-f]*; read up to there' "$tmp/said" &&
		grep -qE '^  access +[1-9]' "$tmp/said"
}
try trace-bad-cut-off cut_off
keeps_going() { # VERB...
	vpio trace "$@" "$tmp/hostile.pcapng" -o "$tmp/y" >"$tmp/out" 2>&1
	[ $? = 2 ] && [ "$(wc -c <"$tmp/y")" -gt 1000 ]
}
try trace-bad-hostile-cut keeps_going cut
try trace-bad-hostile-merge keeps_going merge
for format in chrome csv pcap; do
	try trace-bad-hostile-$format keeps_going export $format
done
tap_end
