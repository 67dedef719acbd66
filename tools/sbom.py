#!/usr/bin/env python3
"""sbom.py - writes the software bill of materials of a build, CycloneDX 1.5 JSON.

usage: sbom.py PROGRAM VERSION LOCK OUTPUT

Lists the shared libraries PROGRAM is bound to with the Debian packages and versions they come
from on this machine (what the dynamic loader really takes, one level and below), and the data
packages of the npm LOCK with their hashes. The same build on the same machine gives the same
file: it holds no time and no random number.
"""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import uuid


def output(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False)
    return done.stdout if done.returncode == 0 else ""


def needed(program):
    """(direct library names, {name: path} of all libraries the loader takes)."""
    direct = re.findall(r"\(NEEDED\).*\[(.+?)\]", output("readelf", "-d", program))
    paths = dict(re.findall(r"^\s*(\S+) => (/\S+) \(", output("ldd", program), re.M))
    return direct, paths


def debian_package(path):
    """(package, version, source) that installed a file, or None."""
    if shutil.which("dpkg-query") is None:
        return None
    real = os.path.realpath(path)
    for name in (real, path, real.removeprefix("/usr"), path.removeprefix("/usr")):
        owner = output("dpkg-query", "-S", name).split(": ")[0].split(",")[0].strip()
        if owner:
            row = output("dpkg-query", "-W", "-f", "${Package}\t${Version}\t${source:Package}", owner)
            return tuple(row.split("\t"))
    return None


def library_components(program):
    direct, paths = needed(program)
    rows = {}
    for name, path in paths.items():
        found = debian_package(path)
        if found is None:
            rows[name] = {"type": "library", "name": name, "bom-ref": "lib:" + name}
            continue
        package, version, source = found
        ref = f"pkg:deb/debian/{package}@{version}"
        row = rows.setdefault(package, {
            "type": "library", "name": package, "version": version, "purl": ref, "bom-ref": ref,
            "scope": "required",
            "properties": [{"name": "debian:source", "value": source}],
        })
        row["properties"].append({"name": "linked" if name in direct else "linked:indirectly",
                                  "value": name})
    for row in rows.values():
        row.get("properties", []).sort(key=lambda p: (p["name"], p["value"]))
    return [rows[name] for name in sorted(rows)]


def data_components(lock):
    with open(lock, encoding="utf-8") as file:
        packages = json.load(file)["packages"]
    rows = []
    for path in sorted(p for p in packages if p):
        name, row = path.removeprefix("node_modules/"), packages[path]
        algorithm, digest = row["integrity"].split("-", 1)
        ref = f"pkg:npm/{name.replace('@', '%40')}@{row['version']}"
        licence = row.get("license", "")
        known = re.fullmatch(r"[A-Za-z0-9.+-]+", licence)
        rows.append({
            "type": "data", "name": name, "version": row["version"], "purl": ref, "bom-ref": ref,
            "licenses": [{"license": {"id": licence} if known else {"name": "see NOTICE"}}],
            "hashes": [{"alg": algorithm.upper().replace("SHA", "SHA-"),
                        "content": base64.b64decode(digest).hex()}],
        })
    return rows


def main():
    program, version, lock, out = sys.argv[1:]
    with open(program, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    components = library_components(program) + data_components(lock)
    ref = f"pkg:generic/medulla@{version}"
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {
            "type": "application", "name": "medulla", "version": version, "bom-ref": ref,
            "licenses": [{"license": {"id": "Apache-2.0"}}],
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }},
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": [row["bom-ref"] for row in components]}],
    }
    text = json.dumps(bom, sort_keys=True)
    bom["serialNumber"] = "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_OID, text))
    with open(out, "w", encoding="utf-8") as file:
        json.dump(bom, file, indent=2)
        file.write("\n")


main()
