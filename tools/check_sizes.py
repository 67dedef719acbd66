#!/usr/bin/env python3
"""check_sizes.py - fails on a function over 100 lines or a file over 800.

usage: check_sizes.py [ROOT]

A function's length is from the line of its name to its closing brace, as universal-ctags sees
it. Medians are reported, not enforced. Generated data (src/demo/data_*.c) is exempt.
"""
import fnmatch
import json
import os
import statistics
import subprocess
import sys

FUNCTION_LIMIT = 100
FILE_LIMIT = 800
FOLDERS = ("src", "tests", "bench", "tools")
EXEMPT = ("src/demo/data_*.c",)


def sources(root):
    for top in FOLDERS:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), root)
                if name.endswith((".c", ".h")) and not any(
                    fnmatch.fnmatch(path, pattern) for pattern in EXEMPT
                ):
                    yield path


def functions(root, paths):
    command = ["ctags", "--language-force=C", "--output-format=json", "--fields=+ne",
               "--kinds-C=f", "-f", "-", "-L", "-"]
    done = subprocess.run(command, input="\n".join(paths), cwd=root, text=True,
                          stdout=subprocess.PIPE, check=True)
    for line in done.stdout.splitlines():
        tag = json.loads(line)
        if tag.get("_type") == "tag" and "end" in tag:
            yield tag["end"] - tag["line"] + 1, tag["path"], tag["line"], tag["name"]


def report(what, sizes):
    if sizes:
        sizes = sorted(sizes)
        print(f"sizes: {len(sizes)} {what}, median {statistics.median(sizes):.0f}, "
              f"p95 {sizes[int(0.95 * (len(sizes) - 1))]}, longest {sizes[-1]} lines")


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    paths = sorted(sources(root))
    faults, lengths = [], {}
    for path in paths:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            lengths[path] = sum(1 for _ in file)
        if lengths[path] > FILE_LIMIT:
            faults.append(f"{path}: {lengths[path]} lines, at most {FILE_LIMIT}")
    ours = []
    for size, path, line, name in functions(root, paths):
        if path.startswith("src/"):
            ours.append(size)
        if size > FUNCTION_LIMIT:
            faults.append(f"{path}:{line}: {name} has {size} lines, at most {FUNCTION_LIMIT}")
    for fault in faults:
        print(fault)
    report("functions in src", ours)
    report("files in src", [n for path, n in lengths.items() if path.startswith("src/")])
    sys.exit(1 if faults else 0)


main()
