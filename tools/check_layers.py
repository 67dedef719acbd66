#!/usr/bin/env python3
"""check_layers.py - fails on an #include that goes the wrong way.

usage: check_layers.py [ROOT]      the rules are in tools/layers.rules

Every includer below ROOT/src is looked at. An own header is named from src/ ("base/str.h") or,
inside one folder, by its file name alone. A folder that the rules do not know is an error too:
a new part of the house states its place first.
"""
import fnmatch
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def read_rules(path):
    folders, only = {}, []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.split("#", 1)[0].strip()
            if not line:
                continue
            if "->" in line:
                pattern, places = (part.strip() for part in line.split("->"))
                only.append((pattern[0], pattern[1:-1], places.split()))
            elif ":" in line:
                folder, allowed = line.split(":")
                folders[folder.strip()] = set(allowed.split())
            else:
                sys.exit(f"{path}:{number}: neither 'folder: folders' nor 'pattern -> places'")
    return folders, only


def sources(src):
    for folder, subfolders, names in os.walk(src):
        subfolders.sort()
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, name), src)


def in_place(path, place):
    return path.startswith(place) if place.endswith("/") else path == place


def wrong(path, quote, header, folders, only):
    """Why `path` must not include `header`, or None."""
    for kind, pattern, places in only:
        if kind == quote and fnmatch.fnmatch(header, pattern):
            if not any(in_place(path, place) for place in places):
                return f"only {' and '.join(places)} may include it"
    if quote == "<" or "/" not in header:
        return None
    own = path.split("/")[0] if "/" in path else None
    target = header.split("/")[0]
    if own is None or target == own or target not in folders:
        return None
    if target in folders[own]:
        return None
    return f"{own}/ may include {', '.join(sorted(folders[own])) or 'nothing but itself'}"


def check(root):
    folders, only = read_rules(os.path.join(root, "tools", "layers.rules"))
    faults, files = [], 0
    for path in sources(os.path.join(root, "src")):
        files += 1
        if "/" in path and path.split("/")[0] not in folders:
            faults.append(f"src/{path}: tools/layers.rules says nothing about this folder")
            continue
        with open(os.path.join(root, "src", path), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                match = INCLUDE.match(line)
                why = match and wrong(path, match[1], match[2], folders, only)
                if why:
                    faults.append(f"src/{path}:{number}: includes {match[2]}, but {why}")
    return files, faults


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    files, faults = check(root)
    for fault in faults:
        print(fault)
    print(f"layers: {files} files, {len(faults)} wrong includes")
    sys.exit(1 if faults else 0)


main()
