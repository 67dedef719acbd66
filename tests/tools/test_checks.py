#!/usr/bin/env python3
"""test_checks.py - shows that each check of tools/ notices what it is there for.

Each case makes a small tree with one fault in it and wants the check to fail and to name the
place; the same tree without the fault must pass. A check that never fails proves nothing.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
GOOD_C = '#include "base/good.h"\n\nint med_good(void)\n{\n    return 1;\n}\n'
GOOD_H = "#ifndef MED_BASE_GOOD_H\n#define MED_BASE_GOOD_H\n\nint med_good(void);\n\n#endif\n"


def run(*command, cwd=ROOT):
    return subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


class Tree(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="medulla-checks-")
        self.addCleanup(shutil.rmtree, self.root)
        self.put("src/base/good.c", GOOD_C)
        self.put("src/base/good.h", GOOD_H)
        for folder in ("tests", "bench", "tools"):
            os.mkdir(os.path.join(self.root, folder))
        for name in ("tools/layers.rules", ".clang-format"):
            shutil.copy(os.path.join(ROOT, name), os.path.join(self.root, name))

    def put(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def passes(self, tool):
        done = run(os.path.join(ROOT, "tools", tool), self.root)
        self.assertEqual(done.returncode, 0, done.stdout)

    def fails(self, tool, *words):
        done = run(os.path.join(ROOT, "tools", tool), self.root)
        self.assertNotEqual(done.returncode, 0, f"{tool} noticed nothing:\n{done.stdout}")
        for word in words:
            self.assertIn(word, done.stdout)


class Layers(Tree):
    def test_base_includes_nobody(self):
        self.passes("check_layers.py")
        self.put("src/base/bad.c", '#include "fhir/call.h"\n')
        self.fails("check_layers.py", "src/base/bad.c:1", "fhir/call.h")

    def test_search_knows_no_http(self):
        self.put("src/search/bad.h", '#include "base/good.h"\n#include "http/message.h"\n')
        self.fails("check_layers.py", "src/search/bad.h:2")

    def test_only_main_names_a_back_end(self):
        self.put("src/main.c", '#include "store/sqlite.h"\n')
        self.passes("check_layers.py")
        self.put("src/serve.c", '#include "store/sqlite.h"\n')
        self.fails("check_layers.py", "src/serve.c:1", "main.c")

    def test_only_http_knows_libevent(self):
        self.put("src/http/server.c", "#include <event2/http.h>\n")
        self.passes("check_layers.py")
        self.put("src/fhir/bad.c", "#include <event2/http.h>\n")
        self.fails("check_layers.py", "src/fhir/bad.c:1")

    def test_a_new_folder_needs_a_rule(self):
        self.put("src/attic/new.c", "\n")
        self.fails("check_layers.py", "src/attic/new.c")


class Sizes(Tree):
    def test_long_function(self):
        self.passes("check_sizes.py")
        self.put("src/base/bad.c", "int med_bad(int x)\n{\n" + "    x++;\n" * 98 + "    return x;\n}\n")
        self.fails("check_sizes.py", "med_bad has 102 lines")

    def test_long_file(self):
        self.put("src/base/bad.h", "/* */\n" * 801)
        self.fails("check_sizes.py", "src/base/bad.h: 801 lines")

    def test_demo_data_is_exempt(self):
        self.put("src/demo/data_names.c", "/* */\n" * 2000)
        self.passes("check_sizes.py")


class Banned(Tree):
    def compiles(self, body):
        self.put("probe.c", "#include <string.h>\n" + body)
        return run("gcc", "-std=c17", "-D_GNU_SOURCE", "-fsyntax-only",
                   "-include", os.path.join(ROOT, "src/base/banned.h"), "probe.c", cwd=self.root)

    def test_functions_do_not_compile(self):
        good = self.compiles("size_t f(const char *s);\nsize_t f(const char *s) { return strlen(s); }\n")
        self.assertEqual(good.returncode, 0, good.stdout)
        for call in ("strcpy(s, s)", "strcat(s, s)", 'sprintf(s, "x")', "atoi(s)", "atol(s)",
                     'strtok(s, "x")', "gmtime(0)", "localtime(0)", "isdigit(*s)", "tolower(*s)",
                     "alloca(8)", "strncpy(s, s, 1)"):
            bad = self.compiles("void f(char *s);\nvoid f(char *s) { (void)%s; }\n" % call)
            self.assertNotEqual(bad.returncode, 0, f"{call} compiles")
            self.assertIn("poisoned", bad.stdout)

    def test_heap_outside_base(self):
        text = "/* malloc(1) in a comment, and x->free(1) */\nvoid *f(void) { return malloc(1); }\n"
        self.put("src/base/heap.c", text)
        self.passes("check_banned.py")
        self.put("src/http/heap.c", text)
        self.fails("check_banned.py", "src/http/heap.c:2: malloc")

    def test_sql_outside_store(self):
        text = 'static const char sql[] = "SELECT id FROM resource WHERE rid = ?";\n'
        self.put("src/store/rows.c", text)
        self.passes("check_banned.py")
        self.put("src/fhir/rows.c", text)
        self.fails("check_banned.py", "src/fhir/rows.c:1: SQL")

    def test_mutable_global(self):
        self.put("src/base/fine.c", "static const struct {\n    int a;\n} rows[] = {{1}};\n"
                 "static int lock; /* global: a lock */\n")
        self.passes("check_banned.py")
        self.put("src/base/bad.c", "static struct {\n    const int a;\n} rows[3];\n")
        self.fails("check_banned.py", "src/base/bad.c:3", "rows")

    def test_static_in_a_function(self):
        self.put("src/base/bad.c", "int f(void)\n{\n    static int n;\n    return n++;\n}\n")
        self.fails("check_banned.py", "src/base/bad.c:3")


class Format(Tree):
    def test_format(self):
        self.passes("check_format.sh")
        self.put("src/base/bad.c", "int f(void) {\n  return 1; }\n")
        self.fails("check_format.sh", "bad.c")


class Headers(Tree):
    def test_header_alone(self):
        self.passes("check_headers.sh")
        self.put("src/base/bad.h", "size_t med_bad(void);\n")
        self.fails("check_headers.sh", "bad.h")


class Workplace(Tree):
    def setUp(self):
        super().setUp()
        run("git", "init", "-q", cwd=self.root)

    def test_traces(self):
        self.passes("check_workplace.py")
        for trace in ("/wo" + "rk/main/x", "/ro" + "ot/.npmrc", "https://registry." + "npmjs.org/x",
                      "http://deb." + "debian.org/debian", '"resolved": "ht' + 'tps://x/y.tgz"'):
            self.put("docs/bad.md", "see\n" + trace + "\n")
            self.fails("check_workplace.py", "docs/bad.md:2")


class Hardening(Tree):
    FLAGS = ["-O2", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3"]
    LINK = ["-pie", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack", "-Wl,-z,separate-code"]
    PROGRAM = ('#include <stdio.h>\n#include <string.h>\n'
               'int main(int n, char **v)\n{\n    char a[64];\n'
               '    memcpy(a, v[0], (size_t)n);\n    snprintf(a + n, 8, "%s", v[0]);\n'
               '    return puts(a);\n}\n')

    def build(self, flags, link):
        self.put("p.c", self.PROGRAM)
        done = run("gcc", *flags, *link, "p.c", "-o", "p", cwd=self.root)
        self.assertEqual(done.returncode, 0, done.stdout)
        return run(os.path.join(ROOT, "tools", "check_hardening.sh"), os.path.join(self.root, "p"))

    def test_each_protection(self):
        good = self.build(["-fPIE", *self.FLAGS], self.LINK)
        self.assertEqual(good.returncode, 0, good.stdout)
        cases = {
            "MISSING position independent": (["-fno-pie", *self.FLAGS], ["-no-pie", *self.LINK[1:]]),
            "MISSING bound at start": (["-fPIE", *self.FLAGS], ["-pie", "-Wl,-z,relro", "-Wl,-z,lazy"]),
            "MISSING relocations": (["-fPIE", *self.FLAGS], ["-pie", "-Wl,-z,norelro", "-Wl,-z,now"]),
            "MISSING stack not": (["-fPIE", *self.FLAGS], [*self.LINK, "-Wl,-z,execstack"]),
            "MISSING stack protector": (["-fPIE", "-O2", "-fno-stack-protector",
                                         "-D_FORTIFY_SOURCE=3"], self.LINK),
            "MISSING fortified": (["-fPIE", "-O2", "-fstack-protector-strong",
                                   "-U_FORTIFY_SOURCE"], self.LINK),
        }
        for word, (flags, link) in cases.items():
            bad = self.build(flags, link)
            self.assertNotEqual(bad.returncode, 0, word)
            self.assertIn(word, bad.stdout)

    def test_flags_of_each_source(self):
        self.build(["-fPIE", *self.FLAGS], self.LINK)
        rows = [{"output": "src/medulla-core.a.p/x.o", "command": "gcc -O2 -c x.c"}]
        self.put("compile_commands.json", json.dumps(rows))
        bad = run(os.path.join(ROOT, "tools", "check_hardening.sh"),
                  os.path.join(self.root, "p"), self.root)
        self.assertIn("MISSING every source compiled with -fstack-clash-protection", bad.stdout)


class Lock(Tree):
    """What npm is given is pinned by hash: another content is refused."""

    def test_other_hash_is_refused(self):
        here = os.path.join(ROOT, "definitions")
        with open(os.path.join(here, "package-lock.json"), encoding="utf-8") as file:
            lock = json.load(file)
        for name, row in lock["packages"].items():
            if name:
                self.assertRegex(row["integrity"], r"^sha512-[A-Za-z0-9+/]{86}==$")
                self.assertNotIn("resolved", row)
        self.assertEqual({"node_modules/" + n for n in lock["packages"][""]["dependencies"]},
                         {n for n in lock["packages"] if n})


if __name__ == "__main__":
    # main() prints what ./test counts: "Ran N tests", "OK" or "FAILED (failures=N)".
    unittest.main(argv=[sys.argv[0]], verbosity=1)
