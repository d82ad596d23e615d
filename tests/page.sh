#!/bin/bash
# SPDX-License-Identifier: MIT
# page.sh: the page of a replay, looked at in a headless Chromium (page.py).
# Environment: VPIO (build/vpio), logs (build/check): the screenshot goes there.
set -euo pipefail
cd "$(dirname "$0")/.."

VPIO=${VPIO:-build/vpio}
for tool in chromium chromedriver xz; do
	command -v $tool >/dev/null ||
		{ echo "skip page: $tool is not installed"; exit 0; }
done
/usr/bin/python3 -c 'import selenium' 2>/dev/null ||
	{ echo "skip page: python3-selenium is not installed"; exit 0; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
xz -dc traces/linux-6.1-ne2k_pci.qemu.log.xz >"$tmp/log"
"$VPIO" trace import qemu "$tmp/log" --model models/ne2k-pci.yaml \
	-o "$tmp/base"
mkdir -p "${logs:-build/check}"
# A browser beside other tests: what is measured is allowed to take longer.
SLACK=${SLACK:-4} /usr/bin/python3 tests/page.py "$VPIO" models/ne2k-pci.yaml \
	"$tmp/base" "$tmp" "${logs:-build/check}/page.png"
