#!/usr/bin/env python3
"""check_links.py [ROOT] - fails on a page that names a file which is not there.

Looks at relative links, and at names in code font that look like a path of this repository
(`src/...`, `tests/...`, `tools/...`, `docs/...`, `deploy/...`); a bare `name.c` must exist
somewhere below src/. `<name>` and `*` stand for anything.
"""
import fnmatch
import os
import re
import sys

from tree import files

LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`((?:src|tests|tools|docs|deploy|definitions|bench)/[\w./<>*-]*|[\w-]+\.[ch])`")


def missing(page, text, names):
    folders = {os.path.dirname(name) for name in names}
    known = set(names)
    while folders:
        known |= folders
        folders = {os.path.dirname(folder) for folder in folders} - known
    here = os.path.dirname(page)
    for match in LINK.finditer(text):
        target = os.path.normpath(os.path.join(here, match[1]))
        if target not in known:
            yield match[1]
    bases = {os.path.basename(name) for name in names}
    for match in CODE.finditer(text):
        pattern = re.sub(r"<\w+>", "*", match[1]).rstrip("/")
        pool = known if "/" in match[1] else bases
        if "*" not in pattern and pattern not in pool:
            yield match[1]
        elif "*" in pattern and "/" in pattern and not fnmatch.filter(known, os.path.dirname(
                pattern) + "*"):
            yield match[1]


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    names = files(root)
    pages, faults = [name for name in names if name.endswith(".md")], 0
    for page in pages:
        with open(os.path.join(root, page), encoding="utf-8") as file:
            text = file.read()
        for name in missing(page, text, names):
            print(f"{page}: there is no {name}")
            faults += 1
    print(f"links: {len(pages)} pages, {faults} names of nothing")
    sys.exit(1 if faults else 0)


main()
