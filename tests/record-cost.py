#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""record-cost.py: what a record costs: one workload with and without it, by
turns, and the ratio of the medians.

Usage: record-cost.py VPIO GUESTS [TURNS]

On a machine that does nothing else: what differs is a few in a hundred.
Writes into the current directory.
"""
import json
import os
import re
import statistics
import subprocess
import sys

vpio, guests = sys.argv[1:3]
top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ.setdefault("VPIO_MODELS", os.path.join(top, "models"))
turns = int(sys.argv[3]) if len(sys.argv) > 3 else 5

MACHINE = """
devices:
  nic0: { model: e1000, backend: sim, network: none, share: { how: %s } }
guests:
  alpha:
    image: "%s/stream.elf"
    memory: 32M
    cmdline: "nic=e1000 ip=10.9.0.1 gw=10.9.0.2 dst=52:54:00:00:00:99 seconds=1 rate %s"
    timeout: 60s
    log: alpha.log
    devices: [ { use: nic0, mac: 52:54:00:00:00:0a } ]
"""


# Frames are nearly all of a record's bytes; this is all but them.
NO_FRAMES = ["--record-kind", "model,access,interrupt,tick,leave,guest_reset,"
             "host,line,state,switch,step,violation,lost"]

ACCESSES = ["--record-kind", "access"]


def run(record):
    args = [vpio, "run", "cost.yaml", "-q", "--json", "cost.json"]
    if record is not None:
        args += ["--record", "cost.pcapng"] + record
    done = subprocess.run(args, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    rate = re.findall(r"(\d+) frames/s", open("alpha.log").read())
    report = json.load(open("cost.json"))
    lost = re.findall(r"(\d+) records were lost", done.stderr)
    return (float(rate[-1]) if rate else
            report["guests"][0]["frames_sent"]), report, lost


def case(name, how, options, record=[]):
    with open("cost.yaml", "w") as to:
        to.write(MACHINE % (how, guests, options))
    off, on, lost = [], [], []
    for _ in range(turns):
        off.append(run(None)[0])
        rate, report, gone = run(record)
        on.append(rate)
        lost += gone
    size = os.path.getsize("cost.pcapng")
    accesses = sum(report["guests"][0]["accesses"].values())
    a, b = statistics.median(off), statistics.median(on)
    print("%s: %.0f frames/s without, %.0f with a record: ratio %.3f of "
          "the medians, %.3f of the best (%d accesses, %.1f MiB%s)" %
          (name, a, b, b / a, max(on) / max(off), accesses, size / 2**20,
           ", lost " + " ".join(lost) if lost else ""))
    return b / a


print("# without:", "with: medians of", turns, "turns")
case("merge, frames of 1514", "merge", "frame=1514")
case("merge, frames of 1514, not recorded", "merge", "frame=1514", NO_FRAMES)
case("merge, frames of 60", "merge", "frame=60")
case("merge, frames of 60, not recorded", "merge", "frame=60", NO_FRAMES)
case("merge, a doorbell a frame", "merge", "frame=60 batch=1 window=1")
case("merge, frames of 1514, accesses alone", "merge", "frame=1514", ACCESSES)
case("merge, frames of 60, accesses alone", "merge", "frame=60", ACCESSES)
case("merge, a doorbell a frame, accesses alone", "merge",
     "frame=60 batch=1 window=1", ACCESSES)
