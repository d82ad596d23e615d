#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""console.py: guests that are typed to, on a terminal, a pty, a socket.

  console.py VPIO GUESTS CASE

CASE: terminal, restored, pty, socket, button.  Works in the current directory.
The terminal is a pty of our own, so its modes can be looked at from outside.
"""
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import time

VPIO, GUESTS = sys.argv[1:3]
LIMIT = 30


def fail(what, said=b""):
    sys.exit("%s; it said: %s" % (what, said.decode("latin-1")))


class Talk:
    """What comes from a file descriptor, and what is typed into it."""

    def __init__(self, fd):
        self.fd = fd
        self.said = b""
        self.seen = 0

    def read(self, timeout):
        if not select.select([self.fd], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            data = b""
        self.said += data
        return bool(data)

    def wait(self, pattern):
        """Until (pattern) has come behind what was waited for before."""
        end = time.monotonic() + LIMIT
        while True:
            m = re.search(pattern, self.said[self.seen:])
            if m:
                self.seen += m.end()
                return m
            if time.monotonic() > end:
                fail("no %r in time" % pattern, self.said)
            self.read(0.1)

    def type(self, data):
        os.write(self.fd, data)


class Run:
    """vpio run on a terminal of its own."""

    def __init__(self, *guests, options=()):
        with open("machine.yaml", "w", encoding="ascii") as file:
            file.write("guests:\n")
            for name, image, keys in guests:
                file.write("  %s: { image: %s/%s.elf, memory: 32M, "
                           "timeout: 60s, %s }\n"
                           % (name, GUESTS, image, keys))
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [VPIO, "run", "machine.yaml", *options], stdin=self.slave,
            stdout=self.slave, stderr=self.slave, start_new_session=True)
        self.tty = Talk(self.master)

    def raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def end(self, status):
        end = time.monotonic() + LIMIT
        while self.process.poll() is None:
            self.tty.read(0.1)
            if time.monotonic() > end:
                self.process.kill()
                fail("it did not end", self.tty.said)
        while self.tty.read(0.1):
            pass
        if self.process.returncode != status:
            fail("status %d, not %d" % (self.process.returncode, status),
                 self.tty.said)
        if termios.tcgetattr(self.slave) != self.before:
            fail("the terminal is not as it was", self.tty.said)


def hello(talk, text=b"hello"):
    talk.type(text + b"\r")
    talk.wait(b"type: %d: %s\r?\n" % (len(text), text[::-1]))


def terminal():
    run = Run(("alpha", "type", "console: terminal"),
              ("beta", "type", "console: terminal"))
    run.tty.wait(b"alpha; Ctrl-\\] \\? helps")
    run.tty.wait(b"type: ready\r?\n")
    if not run.raw():
        fail("the terminal is not raw")
    hello(run.tty)
    hello(run.tty, b"x" * 500)
    hello(run.tty, b"\x03\x1a\x1c\x04")  # these are the guest's
    run.tty.type(b"\x1d?")
    run.tty.wait(b"q ends all guests")
    run.tty.type(b"\x1d\x1d!\r")
    run.tty.wait(b"type: 2: !\x1d")
    run.tty.type(b"\x1d2")
    run.tty.wait(b"\\[vpio: beta; ")
    run.tty.wait(b"type: ready")  # what it said before
    hello(run.tty, b"second")
    run.tty.type(b"\x1dn")
    run.tty.wait(b"\\[vpio: alpha; ")
    run.tty.type(b"\x1d3")
    run.tty.wait(b"there is no guest 3")
    hello(run.tty, b"first")
    run.tty.type(b"reset\r")
    run.tty.wait(b"alpha: reboot 1")
    run.tty.wait(b"type: ready")
    run.tty.type(b"end\r")
    run.tty.wait(b"\\[vpio: alpha has ended\\]")
    run.tty.wait(b"\\[vpio: beta; ")
    hello(run.tty, b"still")
    run.tty.type(b"\x1dq")
    run.end(1)
    if b"beta" not in run.tty.said or b"stopped" not in run.tty.said:
        fail("no table", run.tty.said)


def restored():
    for end in (b"end\r", signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
                signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
        run = Run(("alpha", "type", "console: terminal"),
                  options=("--escape", "^A"))
        run.tty.wait(b"Ctrl-A \\? helps")
        run.tty.wait(b"type: ready")
        hello(run.tty, b"\x1d")
        if not run.raw():
            fail("the terminal is not raw")
        if isinstance(end, bytes):
            run.tty.type(end)
            run.end(0)
            continue
        run.process.send_signal(end)
        gentle = end in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        run.end(1 if gentle else -end)


def ptys():
    run = Run(("alpha", "type", "console: pty, log: alpha.log"),
              ("beta", "type", "console: pty, log: beta.log"))
    for name in ("alpha", "beta"):
        m = run.tty.wait(b"vpio: %s: console at (/dev/pts/\\d+)"
                         % name.encode())
        talk = Talk(os.open(m.group(1), os.O_RDWR | os.O_NOCTTY))
        talk.wait(b"type: ready")
        hello(talk, name.encode())
        talk.type(b"end\r")
        if name == "alpha":  # of the last one nobody may be there to read
            talk.wait(b"SUCCESS")
        os.close(talk.fd)
    run.end(0)
    with open("alpha.log", encoding="ascii") as file:
        if "type: 5: ahpla\n" not in file.read():
            fail("alpha.log has not what it said")
    if run.raw():
        fail("the terminal is raw for nothing")


def connect(path):
    end = time.monotonic() + LIMIT
    while True:
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(path)
            return s
        except OSError:
            if time.monotonic() > end:
                fail("cannot connect")
            time.sleep(0.05)


def sockets():
    # one that is there from somebody who was killed
    stale = socket.socket(socket.AF_UNIX)
    stale.bind("alpha.sock")
    stale.close()
    run = Run(("alpha", "type", "console: { socket: alpha.sock }"))
    run.tty.wait(b"type: ready")
    if os.stat("alpha.sock").st_mode & 0o77:
        fail("others may type")
    for word in (b"one", b"another"):
        s = connect("alpha.sock")
        talk = Talk(s.fileno())
        talk.wait(b"type: ready")  # of late
        hello(talk, word)
        s.close()
    s = connect("alpha.sock")
    s.sendall(b"end\n")
    run.end(0)
    if os.path.exists("alpha.sock"):
        fail("the socket is left behind")


def button():
    run = Run(("alpha", "reset", "cmdline: button"),
              ("beta", "type", "console: terminal"))
    run.tty.wait(b"reset: listens")
    run.process.send_signal(signal.SIGTERM)
    run.tty.wait(b"asking 1 to power off")
    run.end(1)  # for beta, which could not be asked
    if not re.search(b"alpha +poweroff", run.tty.said):
        fail("alpha did not power off", run.tty.said)
    # and one that is asked, but does nothing, is ended by a second signal
    run = Run(("alpha", "reset", "cmdline: 'button deaf'"))
    run.tty.wait(b"reset: listens")
    run.process.send_signal(signal.SIGINT)
    run.tty.wait(b"once more to end it")
    time.sleep(0.5)
    run.process.send_signal(signal.SIGINT)
    run.end(1)


{"terminal": terminal, "restored": restored, "pty": ptys, "socket": sockets,
 "button": button}[sys.argv[3]]()
