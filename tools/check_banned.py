#!/usr/bin/env python3
"""check_banned.py - what src/base/banned.h can not say.

usage: check_banned.py [ROOT]

* the heap: malloc and its family are called in src/base/ alone; a free of what libc made says
  who made it in the same line ("scandir made it", "getline made it");
* SQL: a text that looks like a statement stands in src/store/ alone;
* mutable globals: none (ctags' file-level variables that are not const; atomics for a lock or
  a signal flag carry the words "global:" and a reason in a comment on the same line).
"""
import json
import os
import re
import subprocess
import sys

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
HEAP = re.compile(r"\b(malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf"
                  r"|posix_memalign|aligned_alloc|memalign)\s*\(")
MADE = re.compile(r"/\* (scandir|getline|getaddrinfo|realpath) made it \*/")
LOCAL_STATIC = re.compile(r"^[ \t]+static\s+(?!const\b|inline\b|_Static)[^;({]*[;={]", re.M)
SQL = re.compile(r'"\s*(SELECT\s.+\sFROM\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s'
                 r'|DELETE\s+FROM\s|CREATE\s+(UNIQUE\s+)?(TABLE|INDEX)\s|PRAGMA\s)', re.I)


def sources(src):
    for folder, _, names in sorted(os.walk(src)):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, name), src)


def blank(text, keep_strings):
    """The text with comments (and strings, unless kept) turned into blanks, lines kept."""
    def erase(match):
        found = match[0]
        if keep_strings and found[0] in "\"'":
            return found
        return re.sub(r"[^\n]", " ", found)
    return TOKEN.sub(erase, text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def heap_faults(path, text):
    code = blank(text, keep_strings=False)
    for match in HEAP.finditer(code):
        # A member or a field of that name (x->free) is not the function.
        if code[max(0, match.start() - 2):match.start()].endswith((".", "->")):
            continue
        line = line_of(code, match.start())
        if match[1] == "free" and MADE.search(text.splitlines()[line - 1]):
            continue
        yield f"src/{path}:{line}: {match[1]}, but only base/ calls the heap"


def static_faults(path, text):
    code = blank(text, keep_strings=False)
    for match in LOCAL_STATIC.finditer(code):
        if not re.search(r"\bconst\b", match[0]):
            yield f"src/{path}:{line_of(code, match.start())}: a static of a function is a global"


def sql_faults(path, text):
    code = blank(text, keep_strings=True)
    for match in SQL.finditer(code):
        yield f"src/{path}:{line_of(code, match.start())}: SQL outside store/"


def declaration(lines, at):
    """The lines of the declaration that names a variable in line `at`: a struct's body may
    stand between its first word, which is in column one, and the name."""
    start = at
    while start > 0 and not re.match(r"[A-Za-z_]", lines[start]):
        start -= 1
    text = "\n".join(lines[start:at + 1])
    return re.sub(r"\{[^}]*\}", "", text)


def global_faults(src, paths):
    command = ["ctags", "--language-force=C", "--output-format=json", "--fields=+n",
               "--kinds-C=v", "-f", "-", "-L", "-"]
    done = subprocess.run(command, input="\n".join(paths), cwd=src, text=True,
                          stdout=subprocess.PIPE, check=True)
    for row in done.stdout.splitlines():
        tag = json.loads(row)
        if tag.get("_type") != "tag":
            continue
        with open(os.path.join(src, tag["path"]), encoding="utf-8") as file:
            text = declaration(file.read().splitlines(), tag["line"] - 1)
        if not re.search(r"\bconst\b", text) and "global:" not in text:
            yield f"src/{tag['path']}:{tag['line']}: the global {tag['name']} can be changed"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    src = os.path.join(root, "src")
    paths = list(sources(src))
    faults = list(global_faults(src, paths))
    for path in paths:
        with open(os.path.join(src, path), encoding="utf-8") as file:
            text = file.read()
        faults += static_faults(path, text)
        if not path.startswith("base/"):
            faults += heap_faults(path, text)
        if not path.startswith("store/"):
            faults += sql_faults(path, text)
    for fault in faults:
        print(fault)
    print(f"banned: {len(paths)} files, {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()
