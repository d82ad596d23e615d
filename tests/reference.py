#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""reference.py: the tables of keys in docs/model-language.md.

usage: reference.py [--update] MODEL...

Between "<!-- keys: PREFIX… -->" and "<!-- end -->" the page has a table of the
keys of models/model.schema.json below these prefixes: type, default, meaning,
and an example, which is from one of the MODELs; all of them are checked,
verified and tested by the project's tests.  Without --update: each table is as
it should be, each key of the schema is in one of them, and each is in a MODEL.
Prints "ok NAME" or "not ok NAME: WHY".
"""

import importlib.util
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = "docs/model-language.md"
WIDTH = 56  # characters of an example

spec = importlib.util.spec_from_file_location("schema",
                                              os.path.join(HERE, "schema.py"))
schema_py = importlib.util.module_from_spec(spec)
spec.loader.exec_module(schema_py)

failed = False


def say(name, why=None):
    global failed
    failed = failed or bool(why)
    print(f"ok {name}" if not why else f"not ok {name}: {why}")


class Keys:
    """All keys of the schema by path; a shape that stands at several places,
    such as a step of a procedure, is told of at the first."""

    def __init__(self, schema):
        self.schema = schema
        self.at = {}       # path: its schema, references followed
        self.needed = set()
        self.seen = set()
        self.path_of = {}  # id of a table of properties: path
        self.walk(schema, "")

    @staticmethod
    def holds(test, value):
        """An "if" of the schema, which asks for a type or for keys."""
        kinds = {"array": list, "object": dict, "string": str}
        if not isinstance(value, kinds.get(test.get("type"), object)):
            return False
        if "properties" not in test and "required" not in test:
            return True
        return isinstance(value, dict) and all(
            k in value for k in test.get("required", [])) and all(
                value.get(k) == v["const"]
                for k, v in test.get("properties", {}).items())

    def parts(self, node, value=None):
        """The node and all that it refers to or chooses from; with a value,
        what it chooses for that."""
        out, todo = [], [node]
        while todo:
            n = todo.pop(0)
            if not isinstance(n, dict) or any(n is o for o in out):
                continue
            out.append(n)
            if "$ref" in n:
                todo.append(self.schema["$defs"][n["$ref"].split("/")[-1]])
            ways = ("then", "else")
            if value is not None and "if" in n:
                ways = ("then",) if self.holds(n["if"], value) else ("else",)
            todo += [n[k] for k in ways if k in n]
            for k in ("oneOf", "anyOf", "allOf"):
                todo += n.get(k, [])
        return out

    def what(self, node):
        """What a key is, in words; "" if the schema does not say."""
        return next((n["description"] for n in self.parts(node)
                     if "description" in n), "")

    def place_of(self, path, props):
        """Rings of several kinds have keys of their own; a step stands in
        any procedure."""
        kind = props.get("kind", {}).get("enum", [])
        if path.startswith("dma.") and len(kind) == 1:
            return f"{path[:-1]}[{kind[0]}]."
        return "procedures.*." if path.startswith("procedures.") else path

    def walk(self, node, path):
        if id(node) in self.seen:
            return
        self.seen.add(id(node))
        for n in self.parts(node):
            props = n.get("properties", {})
            named = {k: v for k, v in props.items() if self.what(v)}
            if named and id(props) not in self.path_of:
                place = self.place_of(path, props)
                self.path_of[id(props)] = place
                for key, v in named.items():
                    self.at[place + key] = v
                    if key in n.get("required", []):
                        self.needed.add(place + key)
                for key, v in named.items():
                    self.walk(v, place + key + ".")
            more = n.get("additionalProperties")
            if isinstance(more, dict):
                self.walk(more, path + "NAME.")
            if isinstance(n.get("items"), dict):
                self.walk(n["items"], path)

    def used(self, node, value, found):
        """Note (path, value) of each key of the schema in value."""
        parts = self.parts(node, value)
        if isinstance(value, list):
            for n in parts:
                if isinstance(n.get("items"), dict):
                    for item in value:
                        self.used(n["items"], item, found)
        if not isinstance(value, dict):
            return
        for n in parts:
            props = n.get("properties", {})
            for key, v in props.items():
                path = self.path_of.get(id(props))
                if key in value and path is not None and path + key in self.at:
                    found.setdefault(path + key, []).append((key, value[key]))
                    self.used(v, value[key], found)
            more = n.get("additionalProperties")
            if isinstance(more, dict):
                for key, v in value.items():
                    if key not in props:
                        self.used(more, v, found)

    def type_of(self, path):
        names = {"expression": "expression", "name": "name", "names": "names",
                 "text": "text", "u64": "number", "u16": "number",
                 "size": "size", "time": "time", "bits": "bits",
                 "run": "bits", "values": "values", "bool": "true or false",
                 "width": "8, 16, 32, 64", "steps": "steps", "place": "place"}
        node = self.at[path]
        for n in self.parts(node):
            ref = n.get("$ref", "").split("/")[-1]
            if ref in names and n is node:
                return names[ref]
        for n in self.parts(node):
            if "enum" in n:
                return ", ".join(f"`{e}`" for e in n["enum"]
                                 if not str(e).startswith("0b"))
        kinds = []
        for n in self.parts(node):
            ref = n.get("$ref", "").split("/")[-1]
            kind = names.get(ref) or {"integer": "number", "array": "list",
                                      "object": "mapping"}.get(
                n.get("type") if isinstance(n.get("type"), str) else None)
            if kind is None and isinstance(n.get("if"), dict):
                kind = {"array": "list", "object": "mapping"}.get(
                    n["if"].get("type"))
            if kind and kind not in kinds:
                kinds.append(kind)
        return " or ".join(kinds) or "text"


def flow(v):
    if isinstance(v, dict):
        return "{ " + ", ".join(f"{k}: {flow(x)}"
                                for k, x in v.items()) + " }" if v else "{}"
    if isinstance(v, list):
        return "[ " + ", ".join(map(flow, v)) + " ]" if v else "[]"
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int) and v > 4096:
        return hex(v)
    if isinstance(v, str) and (v[:1] in "!&*|>%@`{[\"'" or
                               re.search(r": |, |[][{}]| #", v)):
        return '"' + v + '"'
    return str(v)


def cut(text):
    if len(text) > WIDTH:
        text = text[:WIDTH].rsplit(" ", 1)[0] + " …"
    return "`" + text.replace("|", "\\|") + "`"


def example(uses, old):
    """One that fits; the one that is there, as long as some model has it."""
    texts = sorted({f"{k}: {flow(v)}" for k, v in uses}, key=lambda t: (
        len(t) > WIDTH, abs(len(t) - 24), t))
    return old if old in map(cut, texts) else cut(texts[0])


def table(keys, found, prefixes, old):
    rows = ["| key | type | default | what it is | example |",
            "|---|---|---|---|---|"]
    for path, node in keys.at.items():
        below = [p for p in prefixes if path == p or path.startswith(p + ".")]
        if not below:
            continue
        default = "needed" if path in keys.needed else node.get("default", "")
        default = default if default == "needed" or default == "" else (
            f"`{flow(default)}`")
        uses = found.get(path)
        what = keys.what(node).replace("|", "\\|")
        rows.append(f"| `{path}` | {keys.type_of(path)} | {default} | {what} "
                    f"| {example(uses, old.get(path)) if uses else '-'} |")
    return "\n".join(rows)


def main():
    update = "--update" in sys.argv
    models = [os.path.abspath(a) for a in sys.argv[1:] if a != "--update"]
    os.chdir(os.path.join(HERE, ".."))
    with open("models/model.schema.json", encoding="utf-8") as f:
        schema = json.load(f)
    keys, found = Keys(schema), {}
    for path in models:
        keys.used(schema, schema_py.load(path), found)
    with open(PAGE, encoding="utf-8") as f:
        page = f.read()
    shown = set()
    old = dict(re.findall(r"^\| `([^`]+)` \|.* \| (`[^`]*`) \|$", page, re.M))

    def fill(m):
        prefixes = m.group(1).split()
        for path in keys.at:
            if any(path == p or path.startswith(p + ".") for p in prefixes):
                shown.add(path)
        return (f"<!-- keys: {m.group(1)} -->\n\n"
                f"{table(keys, found, prefixes, old)}\n\n<!-- end -->")

    new = re.sub(r"<!-- keys: (.*?) -->\n.*?<!-- end -->", fill, page,
                 flags=re.S)
    if update:
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(new)
    say("docs-keys-current", None if new == page or update else
        f"{PAGE} is behind the schema: tests/docs.sh --update")
    missing = sorted(set(keys.at) - shown)
    say("docs-keys-shown", missing and f"{PAGE} has no table with {missing}")
    unused = sorted(set(keys.at) - set(found))
    say("docs-keys-used", unused and f"no model that is run has {unused}: "
        f"put them into an example of {PAGE}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
