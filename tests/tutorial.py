#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# tutorial.py: docs/write-a-model.md is true: its steps are followed, and what
# its commands print is what it says.
#
#   tests/tutorial.py [--update]     --update writes what was printed into it
#
# A block of YAML whose first line is "# in FILE" puts its sections (the keys
# of a model) into FILE, each in place of the one of that name.  In a block of
# console, lines after "$ COMMAND" are its output; "..." stands for any lines,
# and behind a line for its rest.
# Environment: VPIO (build/vpio).
import os, re, subprocess, sys, tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(TOP, "docs/write-a-model.md")
VPIO = os.path.abspath(os.environ.get("VPIO", os.path.join(TOP, "build/vpio")))


def sections(text):
    """(name, text) of each top level key; what stands before the first: ''."""
    parts = re.split(r"(?m)^(?=[A-Za-z]+:)", text)
    return {re.match(r"[A-Za-z]*", part).group(): part.rstrip("\n") + "\n"
            for part in parts if part.strip()}


def put(directory, text):
    first, rest = text.split("\n", 1)
    path = os.path.join(directory, first.split()[-1])
    have = sections(open(path).read()) if os.path.exists(path) else {}
    have.update(sections(rest))
    with open(path, "w") as f:
        f.write("\n".join(have.values()))


def run(directory, command):
    """Output of COMMAND, or None where it cannot run here."""
    if "scripts/demo" in command:
        if not os.access("/dev/kvm", os.W_OK):
            return None
        if subprocess.run(["sh", "-c", "command -v qemu-system-x86_64"],
                          stdout=subprocess.DEVNULL).returncode:
            return None
        command = command.replace("scripts/demo", TOP + "/scripts/demo")
    env = dict(os.environ, PATH=os.path.dirname(VPIO) + ":" + os.environ["PATH"],
               VPIO=VPIO)
    done = subprocess.run(["bash", "-c", command], cwd=directory, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, timeout=200)
    return done.stdout.decode("utf-8", "replace").replace(TOP + "/", "")


def fits(want, got):
    """Lines, of which "..." is any number, or the end of one."""
    if not want:
        return not got
    if want[0].strip() == "...":
        return any(fits(want[1:], got[i:]) for i in range(len(got) + 1))
    if not got:
        return False
    same = (got[0].startswith(want[0][:-3]) if want[0].endswith(" ...")
            else got[0].rstrip() == want[0])
    return same and fits(want[1:], got[1:])


def console(directory, text, name, update):
    """The block as it must be; False if it is not."""
    out, good = [], True
    for part in re.split(r"(?m)^(?=\$ )", text):
        if not part.strip():
            continue
        command, _, want = part.partition("\n")
        got = run(directory, command[2:])
        if got is None:
            print(f"skip tutorial-{name}: needs /dev/kvm and a QEMU")
            out.append(part)
            continue
        right = fits(want.splitlines(), got.splitlines())
        if not right and not update:
            good = False
            print(f"not ok tutorial-{name}\n    {command}\n    it says:")
            print("".join("    " + l + "\n" for l in got.splitlines()), end="")
        elif not update:
            print(f"ok tutorial-{name}")
        out.append(part if right else command + "\n" +
                   re.sub(r"(?m) +$", "", got))
    return "".join(out), good


def main():
    update = "--update" in sys.argv[1:]
    page = open(PAGE).read()
    blocks = re.split(r"(?m)^(```\w*\n)(.*?)(^```\n)", page, flags=re.S)
    good, out, n = True, [], 0
    with tempfile.TemporaryDirectory() as directory:
        for i, text in enumerate(blocks):
            before = blocks[i - 1] if i else ""
            if before == "```yaml\n" and text.startswith("# in "):
                put(directory, text)
            elif before == "```console\n":
                n += 1
                text, fine = console(directory, text, str(n), update)
                good &= fine
            out.append(text)
    if update:
        open(PAGE, "w").write("".join(out))
    sys.exit(not good)


main()
