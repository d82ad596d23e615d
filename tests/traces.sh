#!/bin/bash
# SPDX-License-Identifier: MIT
# traces.sh: each trace of traces/ through its model, as the model is now, and
# what came of it against traces/NAME.ok.
#
#   tests/traces.sh            all of them
#   tests/traces.sh --update   write the .ok files anew, to be read and kept
#
# A trace of vpio's own (the stories) replays exactly, or not at all: if the
# monitor asks its card something else now, scripts/record makes them anew.
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh
VPIO=$(realpath "$VPIO")
export VPIO_MODELS=$PWD/models
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
update=
[ "${1-}" = --update ] && update=yes

# What must not change by itself: no times, no lines of the model.
summary() { # TRACE MODEL
	local status
	timeout 120 "$VPIO" replay -q --model "$2" --json "$tmp/json" "$1" \
		>"$tmp/said" 2>&1
	status=$?
	python3 - "$tmp/json" <<-'END'
	import collections, json, sys
	r = json.load(open(sys.argv[1]))
	for key in "accesses hooked denied violations".split():
	    print(key, r[key])
	c = r["coverage"]
	print("states met", c["states"]["met"], "of", c["states"]["of"])
	for d in r["devices"]:
	    print("model", d["model"])
	    print("replayed", "exactly" if d["exact"] else "by its accesses",
	          "and it is different" if d["difference"] else "",
	          "and records are missing" if d["lost"] else "")
	    for path, n in sorted(d["paths"].items()):
	        if n:
	            print("  " + path, n)
	    told = collections.Counter(
	        (v["guest"], v["name"], v["rule"]) for v in d["first_violations"])
	    for (guest, name, rule), n in sorted(told.items()):
	        print(f"  guest {guest}: {name}: {rule}: {n}")
	END
	echo "status $status"
}

one() { # FILE
	local name model
	name=$(basename "$1" .pcapng.xz)
	xz -dc "$1" >"$tmp/$name.pcapng" || return 1
	model=$("$VPIO" trace info --json "$tmp/$name.pcapng" |
		sed -n 's/.*"model": "\(.*\)".*/\1/p' | head -n 1)
	summary "$tmp/$name.pcapng" "$model" | sed 's/ *$//' >"$tmp/$name.ok"
	rm -f "$tmp/$name.pcapng"
	if [ "$update" ]; then
		cp "$tmp/$name.ok" "traces/$name.ok"
		return
	fi
	try "traces-$name" diff -u "traces/$name.ok" "$tmp/$name.ok"
}

for file in traces/*.pcapng.xz; do
	one "$file"
done

# What the importer makes of the recorded logs is what is kept here.
imported() { # LOG MODEL
	xz -dc "traces/$1.qemu.log.xz" |
		"$VPIO" trace import qemu - --model "$2" -o "$tmp/a" || return 1
	xz -dc "traces/$1.pcapng.xz" >"$tmp/b"
	# but for the model's text, which goes its own way
	for file in a b; do
		"$VPIO" trace cat "$tmp/$file" | grep -v ' model model ' |
			sha256sum >"$tmp/$file.sum"
	done
	cmp "$tmp/a.sum" "$tmp/b.sum"
}
if [ ! "$update" ]; then
	try traces-imported-e1000 imported linux-6.1-e1000 e1000
	try traces-imported-ne2k imported linux-6.1-ne2k_pci ne2k-pci
fi
tap_end
