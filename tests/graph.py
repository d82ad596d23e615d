#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""graph.py: reads one DOT file the strict way of Linux's runtime verification
(Documentation/trace/rv/deterministic_automata.rst): by lines, not as DOT.

usage: graph.py FILE.dot
Prints the states, the initial one first, the events, and how many edges; exits
with 1 and a message if a line is not as it must be, or if the automaton is not
deterministic.
"""

import re
import sys

NODE = re.compile(r'\t\{node \[.*\] "([A-Za-z0-9_]+)"\};$')
EDGE = re.compile(r'\t"([A-Za-z0-9_]+)" -> "([A-Za-z0-9_]+)"'
                  r' \[ label = "([A-Za-z0-9_]+)" \];$')


def need(condition, what):
    if not condition:
        sys.exit(f"{sys.argv[1]}: {what}")


def main():
    with open(sys.argv[1], encoding="ascii") as f:
        lines = f.read().splitlines()
    need(lines[0].split()[:2] == ["digraph", "state_automaton"], "first line")
    need(all(line.split() for line in lines), "an empty line")
    at = 0
    while not lines[at].lstrip().startswith("{node"):
        at += 1
    nodes = []
    while lines[at].split()[0] == "{node":
        m = NODE.match(lines[at])
        need(m, f"line {at + 1}: no node")
        nodes.append(m.group(1))
        at += 1
    need(nodes[0].startswith("__init_"), "the first node is no __init_")
    initial = nodes[0][len("__init_"):]
    need(nodes[1] == initial and len(set(nodes)) == len(nodes), "nodes")
    need(lines[at] == f'\t"__init_{initial}" -> "{initial}";', "initial edge")
    edges = {}
    for at in range(at + 1, len(lines)):
        if not lines[at].lstrip().startswith('"'):
            break
        m = EDGE.match(lines[at])
        need(m, f"line {at + 1}: no edge")
        frm, to, event = m.groups()
        need(frm in nodes[1:] and to in nodes[1:], f"line {at + 1}: states")
        need((frm, event) not in edges, f"line {at + 1}: {event} twice")
        edges[frm, event] = to
    need(lines[at] == "\t{ rank = min ;", "rank")
    need(lines[-1] == "}" and lines.count("}") == 1, "one digraph a file")
    print(" ".join(nodes[1:]), "|", " ".join(sorted({e for _, e in edges})),
          "|", len(edges))


main()
