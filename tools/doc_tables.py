#!/usr/bin/env python3
"""doc_tables.py [--check] - the tables of docs/ that the source already knows.

    docs/configuration.md   the settings, from the table in src/config.c
    docs/errors.md          issue codes and HTTP statuses, from src/base/issue.h

Each stands between two markers. Without --check they are written; with it, a table that is
another one fails, so that no setting and no status is added without being told.
"""
import os
import re
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
SETTING = re.compile(r'\{"([a-z_.]+)",\s*MED_CONFIG_(\w+),\s*"([^"]*)",\s*([^,]+),\s*([^,]+),\s*'
                     r'((?:"(?:[^"\\]|\\.)*"\s*)+)\}')
ISSUE = re.compile(r'X\((\w+), "([a-z-]+)", (\d{3})\)')
KINDS = {"TEXT": "text", "WORD": "one of", "BOOL": "true, false", "LIST": "list, comma between"}


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def bound(text, kind):
    """A bound as C says it (16 * MIB, GIB, 1000), as a reader would."""
    text = text.strip()
    match = re.fullmatch(r"(?:(\d+) \* )?([KMG])IB", text)
    if match:
        return f"{match[1] or 1} {match[2]}iB"
    return f"{int(text):,} bytes" if kind == "BYTES" else f"{int(text):,}"


def settings():
    source = read("src", "config.c")
    source = source[source.index("med_config_key keys[]"):]
    source = source[:source.index("};")]
    found = SETTING.findall(source)
    if not found or len(found) != source.count('{"'):
        sys.exit("doc_tables.py can not read the table in src/config.c")
    yield "| setting | default | values | meaning |"
    yield "|---|---|---|---|"
    for name, kind, default, low, high, text in found:
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)).replace("|", "\\|")
        values = KINDS.get(kind) or f"{bound(low, kind)} to {bound(high, kind)}"
        yield f"| `{name}` | {f'`{default}`' if default else 'none'} | {values} | {text} |"


def issues():
    found = ISSUE.findall(read("src", "base", "issue.h"))
    if not found:
        sys.exit("doc_tables.py can not read the list in src/base/issue.h")
    yield "| `OperationOutcome.issue.code` | HTTP status |"
    yield "|---|---|"
    for _, code, status in found:
        yield f"| `{code}` | {status} |"


TABLES = {"configuration.md": ("settings", settings), "errors.md": ("issues", issues)}


def main():
    check, stale = "--check" in sys.argv, []
    for name, (what, rows) in TABLES.items():
        page = read("docs", name)
        begin, end = f"<!-- {what}: begin (tools/doc_tables.py) -->", f"<!-- {what}: end -->"
        start, stop = page.index(begin) + len(begin), page.index(end)
        wanted = page[:start] + "\n" + "\n".join(rows()) + "\n" + page[stop:]
        if wanted == page:
            continue
        stale.append(name)
        if not check:
            with open(os.path.join(ROOT, "docs", name), "w", encoding="utf-8") as file:
                file.write(wanted)
    if check and stale:
        sys.exit(f"docs: {', '.join(stale)} behind the source: run tools/doc_tables.py")
    print(f"docs: {len(TABLES)} tables as the source says")


main()
