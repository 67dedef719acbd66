#!/usr/bin/env python3
"""check.py - a kept file of dictionaries is what its maker makes of its inputs.

Command line: check.py MAKER EXAMPLES FILE

When the samples (the demo generator grows) or zstd are no longer those of that version, the
bytes can not be made again: then it is only checked that two runs agree.
"""
import os
import subprocess
import sys
import tempfile


def head(data):
    lines = data.split(b"\n\n", 1)[0].decode("ascii").split("\n")
    return dict(line.rsplit(" ", 1) for line in lines)


def make(maker, version, examples, folder, name):
    path = os.path.join(folder, name)
    subprocess.run([maker, version, examples, path], check=True)
    with open(path, "rb") as file:
        return file.read()


def main(argv):
    maker, examples, kept_path = argv[1:]
    with open(kept_path, "rb") as file:
        kept = file.read()
    was = head(kept)
    with tempfile.TemporaryDirectory() as folder:
        made = make(maker, was["medulla dictionaries"], examples, folder, "first")
        now = head(made)
        if (now["inputs"], now["zstd"]) == (was["inputs"], was["zstd"]):
            if made != kept:
                sys.exit(f"{kept_path} is not what its maker makes of the same inputs")
            print("the same inputs give the same bytes")
            return
        print("inputs or zstd have changed since this version was made")
        if made != make(maker, was["medulla dictionaries"], examples, folder, "second"):
            sys.exit("two runs of the maker give different bytes")


main(sys.argv)
