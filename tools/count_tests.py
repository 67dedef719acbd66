#!/usr/bin/env python3
"""count_tests.py KIND LOG CODE - prints "PASSED FAILED SKIPPED" of a test runner's output.

KIND: meson (testlog.json), node (TAP), unittest, line (a closing line "N passed, N failed").
CODE is the runner's exit code: a runner that failed without naming a failure counts as one,
and one that ended well without counting anything is a failure too.
"""
import json
import re
import sys


def cmocka(text):
    """Cases of one cmocka program, None if it printed no summary."""
    found = re.findall(r"\[  (PASSED|FAILED|SKIPPED)\s*\] (?:\w+: )?(\d+) test\(s\)", text)
    if not found:
        return None
    total = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for word, number in found:
        total[word] += int(number)
    return total["PASSED"], total["FAILED"], total["SKIPPED"]


def meson(text):
    passed = failed = skipped = 0
    for line in text.splitlines():
        if not line.strip():
            continue
        row = json.loads(line)
        output = (row.get("stdout") or "") + (row.get("stderr") or "")
        cases = cmocka(output)
        p, f, s = cases or (0, 0, 0)
        if row["result"] in ("OK", "EXPECTEDFAIL"):
            p = p if cases else 1
        elif row["result"] == "SKIP":
            s += 1
        elif f == 0:
            f = 1
        s += output.count("skipped: shared data absent")
        passed, failed, skipped = passed + p, failed + f, skipped + s
    return passed, failed, skipped


def node(text):
    def number(word):
        found = re.findall(rf"^# {word} (\d+)$", text, re.M)
        return int(found[-1]) if found else 0
    return number("pass"), number("fail") + number("cancelled"), number("skipped") + number("todo")


def unittest(text):
    ran = re.findall(r"^Ran (\d+) tests? in", text, re.M)
    total = int(ran[-1]) if ran else 0
    bad = sum(int(n) for n in re.findall(r"\b(?:failures|errors)=(\d+)", text))
    skipped = sum(int(n) for n in re.findall(r"\bskipped=(\d+)", text))
    return total - bad - skipped, bad, skipped


def line(text):
    found = re.findall(r"^(?:\S+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", text, re.M)
    return tuple(int(n or 0) for n in found[-1]) if found else (0, 0, 0)


def main():
    kind, path, code = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    passed, failed, skipped = {"meson": meson, "node": node, "unittest": unittest,
                               "line": line}[kind](text)
    if failed == 0 and (code != 0 or passed + skipped == 0):
        failed = 1
    print(passed, failed, skipped)


main()
