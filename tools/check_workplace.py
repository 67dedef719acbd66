#!/usr/bin/env python3
"""check_workplace.py - fails on a trace of the machine the work was done on.

usage: check_workplace.py [ROOT]

The files that git knows (or would add) must name no absolute folder of a workplace and no host
of a package registry or mirror: a build takes both from the machine it runs on. The patterns
are spelled in pieces so that this file passes its own check.
"""
import os
import re
import sys

from tree import files

PATTERNS = {
    "a folder of one machine": r"(?<![\w.~-])/" + r"(work|root|home/\w+|Users/\w+)/",
    "a package registry": r"(registry\." + r"npmjs|npm\.pkg\." + r"github|registry\." + r"yarnpkg)",
    "a package mirror": r"((deb|security|snapshot|ftp)\.[\w.]*" + r"debian\.org|deb\." + r"nodesource)",
    "a lock with hosts in it": r'"resolved":\s*"' + r"https?:",
}


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    names, faults = files(root), 0
    for name in names:
        path = os.path.join(root, name)
        with open(path, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                for what, pattern in PATTERNS.items():
                    match = re.search(pattern, line)
                    if match:
                        print(f"{name}:{number}: {what}: {match[0]}")
                        faults += 1
    print(f"workplace: {len(names)} files, {faults} traces")
    sys.exit(1 if faults else 0)


main()
