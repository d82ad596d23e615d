#!/bin/bash
# SPDX-License-Identifier: MIT
# layers.sh: the machine, not a reader, keeps the layers apart.
#
#   scripts/layers.sh [TREE]
#
# In TREE (default: this one) it looks for
#  - symbols that dmm/'s objects want and pure code does not need (TREE/build
#    must be built; LAYERS_BUILD names another directory);
#  - names of devices in dmm/ and vmm/, but for the simulated ones;
#  - includes that cross a layer;
#  - functions of 60 lines or more, and files of 700, in dmm/, vmm/ and tests/.
# Each finding is a line FILE:LINE: WHAT, and the exit status is then 1.
set -uo pipefail

cd "${1:-$(dirname "$0")/..}" || exit 2
build=${LAYERS_BUILD:-build}
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
findings=$tmp/findings
: >"$findings"

found() { # FILE LINE WHAT
	echo "$1:$2: $3" >>"$findings"
}

# ---- (a) what dmm/ asks of the world ----

pure='mem[a-z]*|str[a-z]*|malloc|calloc|realloc|free|qsort|bsearch'
pure+='|snprintf|vsnprintf|asprintf|vasprintf|abort|__assert_fail'
pure+='|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__ctype_[a-z_]*'
pure+='|__(mem|str|v?s|v?as)[a-z]*_chk|__isoc[0-9]*_str[a-z]*'
pure+='|__[a-z]+[sdt]i[234]' # the compiler's own: __popcountdi2, __udivti3

symbols() {
	local object source symbol line
	local objects=("$build"/dmm/*.o)

	if [ ! -e "${objects[0]}" ]; then
		found "$build/dmm" 0 "no objects: run make first"
		return
	fi
	# Together, so that what they have of each other does not count.
	if ! ld -r -o "$tmp/dmm.o" "${objects[@]}" 2>"$tmp/ld"; then
		found "$build/dmm" 0 "ld -r: $(head -n 1 "$tmp/ld")"
		return
	fi
	nm -u "$tmp/dmm.o" | awk '{ print $NF }' | sort -u >"$tmp/wanted"
	for object in "${objects[@]}"; do
		source=dmm/$(basename "$object" .o).c
		nm -u "$object" | awk '{ print $NF }' |
			grep -xFf "$tmp/wanted" |
			grep -vxE "$pure" |
			while read -r symbol; do
				case $source:$symbol in
				dmm/load.c:yaml_* | dmm/frame.c:crc32_z)
					continue
					;;
				esac
				line=$(grep -nwF -m 1 "$symbol" "$source" \
					2>/dev/null | cut -d: -f1)
				found "$source" "${line:-0}" \
					"uses $symbol, which pure code may not"
			done
	done
}

# ---- (b) names of devices ----

# From models: their files' names, and the names in their device: mapping.
model_names() {
	local model

	for model in models/*.yaml; do
		[ -e "$model" ] || continue
		basename "$model" .yaml
		awk '/^[a-zA-Z]/ { in_device = /^device:/ } in_device' "$model" |
			sed 's/#.*//' |
			grep -oE '\bname: *"?[A-Za-z0-9_-]+' |
			sed 's/.*[ "]//'
	done | sort -u | awk 'length >= 4'
}

device_names() {
	local words numbers file files=()

	words='ne[-_ ]?2k|ne[-_ ]?2000|e1000e?|pcnet|rtl[0-9]{4}|realtek'
	words+='|am79|dp83'
	while read -r name; do
		words+="|$name|${name//-/_}"
	done < <(model_names)
	numbers='8029|8390|8139|82540|82543|82544|82545|82546|82574|79c97[0-9]'
	for file in dmm/*.[ch] dmm/*.def vmm/*.[ch] vmm/*.def; do
		case $file in
		vmm/sim_* | vmm/sim.[ch] | vmm/backend_sim* | \
			vmm/backend_qtest.c | *'*'*) ;;
		*) files+=("$file") ;;
		esac
	done
	[ ${#files[@]} -gt 0 ] || return
	grep -HniE "$words|(^|[^0-9])($numbers)([^0-9]|\$)" "${files[@]}" |
		while IFS=: read -r file line text; do
			found "$file" "$line" \
				"names a device: ${text#"${text%%[![:space:]]*}"}"
		done
}

# ---- (c) includes ----

public='dmm.h cc.h diag.h fmt.h kinds.h load.h trace.h changes.h replay.h prove.h explain.h'
dmm_system='assert.h ctype.h errno.h inttypes.h limits.h stdarg.h stdbool.h
stdatomic.h stddef.h stdint.h stdio.h stdlib.h string.h'

one_of() { # WORD LIST
	local word
	for word in $2; do
		[ "$word" = "$1" ] && return 0
	done
	return 1
}

dmm_include() { # FILE LINE HEADER
	case $3 in
	yaml.h)
		[ "$1" = dmm/load.c ] ||
			found "$1" "$2" "only dmm/load.c may include yaml.h"
		;;
	zlib.h)
		[ "$1" = dmm/frame.c ] ||
			found "$1" "$2" "only dmm/frame.c may include zlib.h"
		;;
	*/*) found "$1" "$2" "dmm/ may not include $3" ;;
	*)
		[ -e "dmm/$3" ] || one_of "$3" "$dmm_system" ||
			found "$1" "$2" "dmm/ may not include $3"
		;;
	esac
}

vmm_include() { # FILE LINE HEADER
	local only=
	case $3 in
	*dmm/*)
		one_of "${3##*dmm/}" "$public" ||
			found "$1" "$2" "$3 is not public: only $public are"
		;;
	linux/kvm.h) only='vmm/kvm.c vmm/kvm_impl.h' ;;
	pci/pci.h) only='vmm/libpci.c vmm/cmd_list.c vmm/cmd_model_new.c' ;;
	expat.h) only='vmm/svd.c' ;;
	libunwind*) only='vmm/crash.c vmm/unwind.c' ;;
	slirp/*) only='vmm/net_user.c' ;;
	yaml.h) only='dmm/load.c' ;;
	esac
	[ -z "$only" ] || one_of "$1" "$only" ||
		found "$1" "$2" "only $only may include $3"
}

includes() {
	local file line text header
	grep -HnE '^[[:space:]]*#[[:space:]]*include' dmm/*.[ch] vmm/*.[ch] \
		2>/dev/null |
		while IFS=: read -r file line text; do
			[[ $text =~ include\ *[\"\<]([^\">]*) ]] || continue
			header=${BASH_REMATCH[1]}
			case $file in
			dmm/*) dmm_include "$file" "$line" "$header" ;;
			vmm/*) vmm_include "$file" "$line" "$header" ;;
			esac
		done
}

# ---- (d) lengths ----

# A function's body stands between lines that are "{" and "}" alone.
lengths() {
	local files
	mapfile -t files < <(find dmm vmm tests -name '*.[ch]' 2>/dev/null)
	[ ${#files[@]} -gt 0 ] || return
	awk '
		FNR == 1 { start = 0 }
		FNR == 700 { print FILENAME ":700: a file of 700 lines or more: split it" }
		$0 == "{" { start = FNR }
		$0 == "}" && start {
			if (FNR - start > 60)
				print FILENAME ":" start ": a function of " \
					FNR - start - 1 " lines: under 60 is the rule"
			start = 0
		}' "${files[@]}" >>"$findings"
}

symbols
device_names
includes
lengths
sort -t: -k1,1 -k2,2n -u "$findings"
[ ! -s "$findings" ]
