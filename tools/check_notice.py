#!/usr/bin/env python3
"""check_notice.py - fails unless NOTICE names all that is in the program or linked with it.

usage: check_notice.py [ROOT]

* every -dev package of tools/packages.build, and every package of definitions/package-lock.json
  with its version;
* every library in build/medulla.cdx.json, if a build is there, by its Debian source package;
* the licence that came with the UCUM table, word for word, if the package is there.
"""
import html
import json
import os
import re
import sys

# Debian source package -> the -dev package that NOTICE names.
SOURCES = {
    "libpq": "libpq-dev", "libevent": "libevent-dev", "openssl": "libssl-dev", "sqlite3": "libsqlite3-dev",
    "libzstd": "libzstd-dev", "pcre2": "libpcre2-dev", "utf8proc": "libutf8proc-dev",
    "libxml2": "libxml2-dev", "postgresql-15": "libpq-dev",
    "zlib": "zlib1g-dev", "bzip2": "libbz2-dev", "glibc": "libc6-dev",
}


def words(text):
    text = html.unescape(text).replace("\u00ae", "(R)").replace("\u00a9", "(c)")
    return " ".join(re.sub(r"^# LICENSE\s", "", text).split())


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def wanted(root):
    """(what NOTICE must contain, why)."""
    for line in read(root, "tools", "packages.build").splitlines():
        if re.match(r"[a-z0-9.+-]+-dev\b", line):
            yield f"({line.split()[0]})", "tools/packages.build"
    lock = json.loads(read(root, "definitions", "package-lock.json"))["packages"]
    for path in filter(None, lock):
        yield (f"{path.removeprefix('node_modules/')} {lock[path]['version']}",
               "definitions/package-lock.json")
    bom = os.path.join(root, "build", "medulla.cdx.json")
    if os.path.exists(bom):
        for row in json.loads(read(bom))["components"]:
            direct = any(p["name"] == "linked" for p in row.get("properties", ()))
            if row["type"] != "library" or not direct:
                continue  # what our libraries are linked with is theirs to name; the SBOM lists it
            source = next((p["value"] for p in row.get("properties", ())
                           if p["name"] == "debian:source"), row["name"])
            if source not in SOURCES:
                yield source, "linked into build/medulla (tell tools/check_notice.py too)"
            else:
                yield f"({SOURCES[source]})", "linked into build/medulla"
    licence = os.path.join(root, "definitions/node_modules/@lhncbc/ucum-lhc/LICENSE.md")
    if os.path.exists(licence):
        yield words(read(licence)), "the licence of the UCUM table"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    notice = words(read(root, "NOTICE"))
    faults = n = 0
    for text, why in wanted(root):
        n += 1
        if text not in notice:
            print(f"NOTICE lacks {text[:70]!r}: {why}")
            faults += 1
    print(f"notice: {n} entries wanted, {faults} missing")
    sys.exit(1 if faults else 0)


main()
