#!/usr/bin/env python3
"""score.py - how far `medulla validate` agrees with the cases of validator-open.

usage: score.py PROGRAM [--misses] [--least-verdicts N] [--least-places N]

Each case is a resource and the OperationOutcome that the reference validator gives for base R4.
Two scores: the verdict (an error or none), and the places of the errors (the same set of
FHIRPaths, those of choices without their type). Exit code 77: the shared data is not there; 1: a
score fell below the least one.
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


def expected(folder, case):
    java = case["java"]
    if isinstance(java, str):
        path = os.path.join(folder, "outcomes", java)
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as file:
            java = json.load(file)
    outcome = java.get("outcome", java)
    return outcome if outcome.get("resourceType") == "OperationOutcome" else None


def outcomes(program, folder, files):
    """file name -> OperationOutcome"""
    run = subprocess.run([program, "validate", "--format", "json", "--with", ".", *files], cwd=folder,
                         capture_output=True, check=False)
    lines = run.stdout.decode("utf-8").splitlines()
    return {one["file"]: one["outcome"] for one in map(json.loads, lines)}


def print_miss(case, wanted, found, outcome):
    print(f"{case['name']} ({case.get('module')}): expected {sorted(wanted)[:4]}, "
          f"found {sorted(found)[:4]}")
    for issue in outcome["issue"][:3]:
        if issue["severity"] == "error":
            print("   ", issue.get("expression", [""])[0], issue["diagnostics"][:150])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--least-verdicts", type=int, default=0)
    parser.add_argument("--least-places", type=int, default=0)
    args = parser.parse_args()
    shared = os.environ.get("MEDULLA_SHARED", os.path.join(ROOT, "..", "shared"))
    folder = os.path.join(shared, "data", "validator-open")
    if not os.path.exists(os.path.join(folder, "manifest.json")):
        print("skipped: shared data absent")
        return 77
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        cases = json.load(file)["test-cases"]
    cases = [(case, expected(folder, case)) for case in cases]
    known = [(case, outcome) for case, outcome in cases if outcome is not None]
    found = outcomes(os.path.abspath(args.program), folder, sorted({c["file"] for c, _ in known}))
    verdicts = places = 0
    for case, outcome in known:
        wanted, got = errors(outcome), errors(found[case["file"]])
        verdicts += bool(wanted) == bool(got)
        places += wanted == got
        if args.misses and bool(wanted) != bool(got):
            print_miss(case, wanted, got, found[case["file"]])
    print(f"validator-open: {verdicts} of {len(known)} verdicts, {places} sets of places "
          f"({len(cases) - len(known)} cases have no stored outcome)")
    return 1 if verdicts < args.least_verdicts or places < args.least_places else 0


if __name__ == "__main__":
    sys.exit(main())
