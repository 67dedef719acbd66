#!/usr/bin/env python3
"""lint.py TOOL BUILD [FILE...] - runs a static checker over the sources below src/.

TOOL: tidy (BUILD made by clang), analyzer (gcc -fanalyzer; BUILD made by gcc) or cppcheck.
Each source counts as one test; what a checker says of a failed one is shown. FILEs narrow it
to those sources. The last line is "N passed, N failed".
"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
CPPCHECK = ["cppcheck", "--quiet", "--std=c11", "--enable=warning,performance,portability",
            "--inline-suppr", "--suppress=missingIncludeSystem", "--suppress=unknownMacro", "--suppress=ctuuninitvar",
            "--error-exitcode=1", "-D_GNU_SOURCE", '-DMED_VERSION="0"',
            "-DPCRE2_CODE_UNIT_WIDTH=8", "-I", "src"]


# Told to the analyzers before each source but the one that it is about.
KNOWN = os.path.join(ROOT, "tools", "analyzers.h")


def known(source):
    return [] if source == "src/base/err.c" else ["-include", KNOWN]


def rows(build, only):
    """(source named from the root, its row of compile_commands.json); generated ones are left
    out, and what several targets compile is looked at once."""
    seen = set()
    with open(os.path.join(ROOT, build, "compile_commands.json"), encoding="utf-8") as file:
        for row in json.load(file):
            source = os.path.relpath(os.path.join(row["directory"], row["file"]), ROOT)
            if source.startswith("src/") and source not in seen and (not only or source in only):
                seen.add(source)
                yield source, row


def analyzer_command(source, row):
    words = shlex.split(row["command"])
    words = words[1:] if os.path.basename(words[0]) == "ccache" else words
    out = words.index("-o")
    return [*words[:out + 1], "/dev/null", *words[out + 2:], "-fanalyzer", "-Werror",
            "-Wno-analyzer-use-of-uninitialized-value", "-fdiagnostics-color=never",
            "-fdiagnostics-path-format=none", "-MF", "/dev/null", *known(source)]


def command(tool, build, source, row):
    if tool == "tidy":
        extra = [f"--extra-arg={word}" for word in known(source)]
        return ["clang-tidy", "-p", build, "--quiet", *extra, source], ROOT
    if tool == "cppcheck":
        return [*CPPCHECK, source], ROOT
    return analyzer_command(source, row), row["directory"]


def lint(tool, build, item):
    source, row = item
    words, where = command(tool, build, source, row)
    done = subprocess.run(words, cwd=where, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return source, done.returncode, done.stdout


def main():
    tool, build, only = sys.argv[1], sys.argv[2], set(sys.argv[3:])
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, code, text in pool.map(lambda r: lint(tool, build, r), rows(build, only)):
            if code == 0:
                passed += 1
            else:
                failed += 1
                print(f"-- {tool} {source}\n{text}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
