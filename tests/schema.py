#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""schema.py: models/model.schema.json and the loader say the same.

usage: schema.py [--update] [MODEL...]

Every MODEL is good: the loader and the schema take it.  Every file of
tests/model-fail is bad, and tests/model-fail/classes says how: "text" (no YAML,
or more of it than is read: the schema is not asked), "shape" (the schema
refuses it too) or "meaning" (only the loader can know).  That is held against
the class of the loader's own messages, as SARIF has them.  --update writes the
list anew, to be read and kept.

Then places of each MODEL are broken in several ways, one at a time: the schema
must refuse what the loader says is wrong in shape, and nothing else.  Some
hundred changes to a model, always the same ($SCHEMA_LIMIT: how many).

SARIF's required structure is checked on the way.
Environment: VPIO (build/vpio).  Prints "ok NAME" or "not ok NAME: WHY".
"""

import json
import os
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
SHOWN = 40
LIMIT = int(os.environ.get("SCHEMA_LIMIT", "250"))  # changes to a model
VPIO = os.environ.get("VPIO", "build/vpio")
BAD = os.path.join(HERE, "model-fail")
LIST = os.path.join(BAD, "classes")
INT = re.compile(r"[-+]?[0-9]+$|0x[0-9a-fA-F]+$|0o[0-7]+$")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}

failed = False


def say(name, why=None):
    global failed
    failed = failed or why is not None
    print(f"ok {name}" if why is None else f"not ok {name}: {why}")


def scalar(node):
    """YAML 1.2's core schema, which editors use; PyYAML's own is 1.1's."""
    text = node.value
    if node.style is not None:
        return text
    if text in WORDS:
        return WORDS[text]
    if INT.match(text):
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text, 10)
    return float(text) if FLOAT.match(text) else text


def value(node, seen):
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        return scalar(node)
    if isinstance(node, yaml.SequenceNode):
        out = []
        for item in node.value:
            # The loader splices an alias to a list into a list.
            alias = id(item) in seen
            v = value(item, seen)
            if alias and isinstance(v, list):
                out += v
            else:
                out.append(v)
        return out
    out = {}
    for key, item in node.value:
        v = value(item, seen)
        if key.value == "<<" and key.style is None:
            for m in v if isinstance(v, list) else [v]:
                out = {**m, **out}
        else:
            out[key.value] = v
    return out


def load(path):
    with open(path, encoding="utf-8") as f:
        node = yaml.compose(f, Loader=yaml.SafeLoader)
    return value(node, set()) if node else None


def need(condition, what):
    if not condition:
        raise AssertionError(f"SARIF: {what}")


def check_region(r, name):
    need(r["startLine"] >= 1, f"{name} without a line")
    if "startColumn" in r:
        need(r["startColumn"] >= 1, "a column counts from 1")
        need(r["endLine"] == r["startLine"], "a region is of one line")
        need(r["endColumn"] > r["startColumn"], "an empty region")


def check_sarif(log):
    """What SARIF 2.1.0 requires of a log, and what we promise beyond."""
    need(log["version"] == "2.1.0", "version")
    need(log["$schema"].endswith("sarif-schema-2.1.0.json"), "$schema")
    need(len(log["runs"]) == 1, "one run")
    run = log["runs"][0]
    need(run["columnKind"] == "unicodeCodePoints", "columnKind")
    driver = run["tool"]["driver"]
    need(driver["name"] == "vpio", "driver")
    rules = driver["rules"]
    need(len({r["id"] for r in rules}) == len(rules), "a rule given twice")
    for r in rules:
        need(re.fullmatch(r"[a-z]+(-[a-z]+)*", r["id"]), f"id {r['id']}")
        need(r["shortDescription"]["text"] and r["help"]["text"], "texts")
        need(r["properties"]["class"] in ("text", "shape", "meaning"), "class")
    for r in run["results"]:
        rule = rules[r["ruleIndex"]]
        need(rule["id"] == r["ruleId"], "ruleIndex is another rule")
        need(rule["properties"]["class"] == r["properties"]["class"], "class")
        need(r["level"] in ("error", "warning"), "level")
        need(r["message"]["text"], "message")
        need(r["properties"]["advice"] is None or
             r["properties"]["advice"] in r["message"]["text"], "advice")
        need(len(r["locations"]) == 1, "a location")
        place = r["locations"][0]["physicalLocation"]
        need(place["artifactLocation"]["uri"], "uri")
        if "region" in place:
            check_region(place["region"], "a region")
        for fix in r.get("fixes", []):
            for change in fix["artifactChanges"]:
                need(change["artifactLocation"]["uri"], "uri")
                for rep in change["replacements"]:
                    check_region(rep["deletedRegion"], "a fix")
                    need(rep["insertedContent"]["text"], "a fix")


def run(paths):
    """All errors that the loader finds in the files."""
    p = subprocess.run([VPIO, "model", "check", "--json", *paths],
                       stdout=subprocess.PIPE, check=False, timeout=240)
    log = json.loads(p.stdout)
    check_sarif(log)
    results = [r for r in log["runs"][0]["results"] if r["level"] == "error"]
    need((p.returncode == 2) == bool(results), "status and results differ")
    return results


def ask(path):
    """The class of the errors in a file, the worst first, and the errors."""
    results = run([path])
    classes = {r["properties"]["class"] for r in results}
    for c in ("text", "shape", "meaning"):
        if c in classes:
            return c, results
    return None, results


def good(path, schema):
    name = "schema-good-" + os.path.basename(path)
    kind, results = ask(path)
    if kind:
        return say(name, "the loader says " + results[0]["message"]["text"])
    with open(path, encoding="utf-8") as f:
        first = f.readline()
    if path.startswith("models/") and "$schema=model.schema.json" not in first:
        return say(name, "its first line does not name the schema")
    e = jsonschema.exceptions.best_match(schema.iter_errors(load(path)))
    return say(name, e and f"the schema says {e.json_path}: {e.message}")


def bad(path, marks, schema):
    stem = os.path.basename(path)[:-5]
    name = "schema-bad-" + stem
    kind, results = ask(path)
    if stem not in marks:
        return say(name, f"{LIST} does not say if it is text, shape or meaning")
    if kind != marks[stem]:
        return say(name, f"the loader says {kind}, {LIST} {marks[stem]}")
    if kind == "text":
        return say(name)
    errors = list(schema.iter_errors(load(path)))
    if kind == "shape" and not errors:
        codes = [r["message"]["text"] for r in results
                 if r["properties"]["class"] == "shape"]
        return say(name, f"the schema takes it; the loader: {codes}")
    if kind == "meaning" and errors:
        e = jsonschema.exceptions.best_match(errors)
        return say(name, f"the schema refuses it: {e.json_path}: {e.message}")
    return say(name)


WRONG = ([], {}, None, "a b", -1, True, "7", 1.5, [[1]], {"zzz": 1}, 3, "rest")


def broken(tree):
    """(where, copy) for each change to each place of the tree."""
    def places(v, path):
        yield path, v
        pairs = v.items() if isinstance(v, dict) else (
            enumerate(v) if isinstance(v, list) else ())
        for k, item in pairs:
            yield from places(item, path + [k])

    def changed(path, change):
        copy = json.loads(json.dumps(tree))
        at = copy
        for k in path[:-1]:
            at = at[k]
        change(at, path[-1])
        return copy

    for path, v in list(places(tree, []))[1:]:
        where = ".".join(map(str, path))
        for w in WRONG:
            if type(w) is not type(v) or w != v:
                yield (f"{where} := {json.dumps(w)}",
                       changed(path, lambda at, k: at.__setitem__(k, w)))
        yield f"no {where}", changed(path, lambda at, k: at.pop(k))
        if isinstance(v, dict):
            yield (f"{where}.zzz", changed(
                path, lambda at, k: at[k].__setitem__("zzz", "ZZZ")))


def text_of(v):
    """JSON is YAML; but sizes and times stand without quotes."""
    if isinstance(v, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {text_of(item)}"
                               for k, item in v.items()) + "}"
    if isinstance(v, list):
        return "[" + ", ".join(map(text_of, v)) + "]"
    if isinstance(v, str) and re.fullmatch("[0-9]+(K|M|G|ns|us|ms|s)", v):
        return v
    return json.dumps(v)


def broken_all(path, schema, limit=LIMIT):
    name = "schema-broken-" + os.path.basename(path)
    cases = list(broken(load(path)))
    # Some of them, always the same, where they are too many.
    cases = cases[::max(1, -(-len(cases) // limit))]
    with tempfile.TemporaryDirectory() as tmp:
        files = [os.path.join(tmp, f"{i}.yaml") for i in range(len(cases))]
        for file, (_, tree) in zip(files, cases):
            with open(file, "w", encoding="utf-8") as f:
                f.write(text_of(tree))
        said = {f: [] for f in files}
        for i in range(0, len(files), 500):
            for r in run(files[i:i + 500]):
                place = r["locations"][0]["physicalLocation"]
                said[place["artifactLocation"]["uri"]].append(r)
        wrong = []
        for file, (where, tree) in zip(files, cases):
            shape = [r for r in said[file]
                     if r["properties"]["class"] == "shape"]
            if bool(shape) == (not schema.is_valid(tree)):
                continue
            e = jsonschema.exceptions.best_match(schema.iter_errors(tree))
            first = said[file][0]["message"]["text"] if said[file] else "yes"
            wrong.append(f"{where}: the schema says "
                         f"{e.message if e else 'yes'}, the loader {first}")
    print(f"# {len(cases)} changes to {path}")
    for w in wrong[:SHOWN]:
        print("#   " + w)
    say(name, f"{len(wrong)} of {len(cases)} differ" if wrong else None)


def main():
    args = sys.argv[1:]
    update = "--update" in args
    os.chdir(os.path.join(HERE, ".."))
    with open("models/model.schema.json", encoding="utf-8") as f:
        text = json.load(f)
    jsonschema.Draft202012Validator.check_schema(text)
    schema = jsonschema.Draft202012Validator(text)
    bads = sorted(os.path.join(BAD, f) for f in os.listdir(BAD)
                  if f.endswith(".yaml"))
    if update:
        with open(LIST, "w", encoding="utf-8") as f:
            f.write("# How each file is bad; see tests/schema.py.\n")
            for path in bads:
                f.write(f"{os.path.basename(path)[:-5]} {ask(path)[0]}\n")
    with open(LIST, encoding="utf-8") as f:
        marks = dict(line.split() for line in f if line[0] != "#")
    for stem in marks:
        if not os.path.exists(os.path.join(BAD, stem + ".yaml")):
            say(f"schema-bad-{stem}", f"{LIST} has it, and it is not there")
    for path in [a for a in args if a != "--update"]:
        good(path, schema)
        broken_all(path, schema)
    for path in bads:
        bad(path, marks, schema)
    sys.exit(failed)


if __name__ == "__main__":
    main()
