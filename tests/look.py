#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""look.py: looks into what a run left behind, for tests/run-guests.

look.py json FILE EXPRESSION...
    Each EXPRESSION must be true.  In it r is the report, g its guests and d
    its devices by name, hooks(NAME...) the share of these guests' accesses
    that were hooked.
look.py keys FILE
    The report has the keys that scripts rely on; a guest has no others.
look.py isolated WIRE NAME=MAC...
    No frame of one guest is in the log of received frames (NAME.log) or in the
    capture (pcap/NAME-nic0.pcap) of another.
look.py unread LOG HEX...
    None of these bytes are in what a hostile guest could read.
look.py honest WIRE TYPE MAC...
    Every frame on the wire of that type has one of these sources.
"""

import json
import struct
import sys

GUEST_KEYS = ["name", "status", "reboots", "frames_sent",
              "frames_received", "bytes_sent", "bytes_received", "accesses", "drops", "held_ns",
              "parked_ns", "violations"]
PATHS = ["direct", "forward", "latch", "hook", "defer", "answer", "deny"]
DEVICE_KEYS = ["name", "model", "switches", "forced", "switch_ns"]


def fail(text):
    sys.exit("look: " + text)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def check_json(path, *expressions):
    report = load(path)
    guests = {g["name"]: g for g in report["guests"]}

    def hooks(*names):
        chosen = [guests[n]["accesses"] for n in names or guests]
        return (sum(a["hook"] for a in chosen) /
                max(1, sum(sum(a.values()) for a in chosen)))

    scope = {"r": report, "g": guests, "hooks": hooks,
             "d": {d["name"]: d for d in report["devices"]}}
    bad = [e for e in expressions if not eval(f"({e})", scope)]
    if bad:
        fail("not so: " + "; ".join(bad) + "\n" + json.dumps(report, indent=1))


def check_keys(path):
    report = load(path)
    if list(report) != ["guests", "devices"]:
        fail(f"top: {list(report)}")
    for guest in report["guests"]:
        if list(guest) != GUEST_KEYS or list(guest["accesses"]) != PATHS:
            fail(f"guest: {guest}")
    for device in report["devices"]:
        if set(DEVICE_KEYS) - set(device):
            fail(f"device: {list(device)}")
        if list(device["switch_ns"]) != ["min", "median", "max"]:
            fail(f"device: {device}")


def frames(path):
    """All frames of a capture, which must be whole; padded as cards do."""
    with open(path, "rb") as file:
        data = file.read()
    if struct.unpack_from("<I", data)[0] not in (0xa1b23c4d, 0xa1b2c3d4):
        fail(f"{path}: no capture")
    found, at = [], 24
    while at < len(data):
        size = struct.unpack_from("<8xI", data, at)[0]
        found.append(data[at + 16:at + 16 + size])
        if len(found[-1]) != size:
            fail(f"{path}: cut short")
        found[-1] = found[-1].ljust(60, b"\0")
        at += 16 + size
    return found


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def is_group(frame):
    return frame[0] & 1


def logged(path, address):
    """How many frames the guest says it took; all must be for it."""
    count = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("rx "):
                count += 1
                to = mac(line.split()[1])
                if to != address and not is_group(to):
                    fail(f"{path}: {line}")
    return count


def check_isolated(wire, *guests):
    on_wire = frames(wire)
    addresses = dict(g.split("=") for g in guests)
    addresses = {name: mac(text) for name, text in addresses.items()}
    got = {}
    for name, address in addresses.items():
        captured = frames(f"pcap/{name}-nic0.pcap")
        received = [f for f in captured if f[6:12] != address]
        sent = [f for f in captured if f[6:12] == address]
        for frame in received:
            if frame[:6] != address and not is_group(frame):
                fail(f"{name} got {frame[:14].hex()}")
        if len(received) < 100 or len(sent) < 100:
            fail(f"{name}: {len(sent)} sent, {len(received)} received")
        # At its end it may leave a frame in its ring.
        count = logged(f"{name}.log", address)
        if not len(received) - 8 <= count <= len(received):
            fail(f"{name} logged {count} of {len(received)} frames")
        for frame in sent:
            if frame not in on_wire:
                fail(f"{name} sent {frame[:14].hex()}, not on the wire")
        got[name] = {f for f in received if not is_group(f)}
    for name, mine in got.items():
        for other, theirs in got.items():
            if name < other and mine & theirs:
                fail(f"{name} and {other} got the same")
        lost = [f for f in on_wire if f[:6] == addresses[name] and
                f not in mine]
        if lost:
            fail(f"{name} did not get {len(lost)} frames of the wire")


def check_unread(path, *secrets):
    text = ""
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if words[:1] == ["read"]:
                text += words[2] + " "
            elif words[:1] == ["frame"]:
                text += " ".join(words[1:]).replace(":", "") + " "
    if not text:
        fail(f"{path}: it read nothing at all")
    for secret in secrets:
        if secret in text:
            at = text.index(secret)
            fail(f"{secret} was read: {text[max(0, at - 40):at + 60]}")


def check_honest(wire, kind, *sources):
    allowed = {mac(s) for s in sources}
    seen = [f for f in frames(wire) if f[12:14].hex() == kind]
    if not seen:
        fail(f"no frame of type {kind} on the wire")
    for frame in seen:
        if frame[6:12] not in allowed:
            fail(f"forged: {frame[:14].hex()}")


COMMANDS = {"json": check_json, "keys": check_keys,
            "isolated": check_isolated, "unread": check_unread,
            "honest": check_honest}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
