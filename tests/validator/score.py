#!/usr/bin/env python3
"""score.py - how far `medulla validate` agrees with the cases of validator-open.

usage: score.py PROGRAM [--misses] [--least-places N]

Each case is a resource and the OperationOutcome that the reference validator gives, with the
definitions that the case names; many have a second one, against a profile. Two scores: the verdict
(an error or none), and the places of the errors (the same set of FHIRPaths, those of choices
without their type). misses.txt lists every case with another verdict, and why. Exit code 77: the
shared data is not there; 1: a case became worse, or better, than misses.txt says, or fewer places
are the same.
"""
import argparse
import json
import os
import re
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def normal(place):
    """Both speak FHIRPath, in two accents."""
    place = re.sub(r"/\*.*?\*/", "", place)
    place = re.sub(r"\[url='[^']*'\]|\.ofType\([^)]*\)|\.as\([^)]*\)", "", place)
    return place.replace("[x]", "")


def errors(outcome):
    found = [i for i in outcome.get("issue", []) if i["severity"] in ("error", "fatal")]
    return {normal((i.get("expression") or i.get("location") or ["?"])[0]) for i in found}


def expected(folder, java):
    if isinstance(java, str):
        path = os.path.join(folder, "outcomes", java)
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as file:
            java = json.load(file)
    outcome = (java or {}).get("outcome", java)
    return outcome if outcome and outcome.get("resourceType") == "OperationOutcome" else None


def canonical(folder, source):
    """The url in a StructureDefinition, JSON or XML."""
    with open(os.path.join(folder, source), encoding="utf-8") as file:
        text = file.read()
    if text.lstrip().startswith("{"):
        return json.loads(text)["url"]
    return re.search(r"<url\s+value=\"([^\"]*)\"", text).group(1)


def questions(folder, cases):
    """(name, outcome wanted, arguments) of each case, and of each case's profile."""
    for case in cases:
        with_files = case.get("supporting", []) + case.get("profiles", [])
        outcome = expected(folder, case["java"])
        name = f"{case['name']}"
        yield name, outcome, with_arguments(folder, with_files), case
        profile = case.get("profile")
        if not profile or not profile.get("java"):
            continue
        source = profile["source"]
        files = with_files + profile.get("supporting", []) + [source]
        if source.startswith("http"):
            files, url = files[:-1], source
        else:
            url = canonical(folder, source)
        yield name + " by profile", expected(folder, profile["java"]), [
            *with_arguments(folder, files), "--profile", url], case


def with_arguments(folder, files):
    found = [f for f in files if os.path.exists(os.path.join(folder, f))]
    return [word for file in found for word in ("--with", file)]


def ask(program, folder, arguments, file):
    run = subprocess.run([program, "validate", "--format", "json", *arguments, file], cwd=folder,
                         capture_output=True, check=False)
    return json.loads(run.stdout.decode("utf-8").splitlines()[0])["outcome"]


def print_miss(name, case, wanted, found, outcome):
    print(f"{name} ({case.get('module')}): expected {sorted(wanted)[:4]}, found {sorted(found)[:4]}")
    for issue in outcome["issue"][:3]:
        if issue["severity"] == "error":
            print("   ", issue.get("expression", [""])[0], issue["diagnostics"][:150])


def read_pinned():
    """Cases with another verdict, each with its reason."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "misses.txt"),
              encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip() and line[0] != "#"]
    return {row[0]: row[1] for row in rows}


def compare(missed, pinned):
    """What is pinned must be missed, and nothing else may be."""
    for name in sorted(set(missed) - set(pinned)):
        print(f"worse: {name} has another verdict now")
    for name in sorted(set(pinned) - set(missed)):
        print(f"better: {name} has the right verdict now: take it out of misses.txt")
    return set(missed) == set(pinned)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--least-places", type=int, default=0)
    args = parser.parse_args()
    shared = os.environ.get("MEDULLA_SHARED", os.path.join(ROOT, "..", "shared"))
    folder = os.path.join(shared, "data", "validator-open")
    if not os.path.exists(os.path.join(folder, "manifest.json")):
        print("skipped: shared data absent")
        return 77
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        cases = json.load(file)["test-cases"]
    program = os.path.abspath(args.program)
    n = unknown = places = 0
    missed = []
    for name, outcome, arguments, case in questions(folder, cases):
        if outcome is None:
            unknown += 1
            continue
        n += 1
        found = ask(program, folder, arguments, case["file"])
        wanted, got = errors(outcome), errors(found)
        places += wanted == got
        if bool(wanted) != bool(got):
            missed.append(name)
            if args.misses:
                print_miss(name, case, wanted, got, found)
    print(f"validator-open: {n - len(missed)} of {n} verdicts, {places} sets of places "
          f"({unknown} have no stored outcome)")
    same = compare(missed, read_pinned())
    return 0 if same and places >= args.least_places else 1


if __name__ == "__main__":
    sys.exit(main())
