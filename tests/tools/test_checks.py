#!/usr/bin/env python3
"""test_checks.py - shows that each check of tools/ notices what it is there for.

Each case makes a small tree with one fault in it and wants the check to fail and to name the
place; the same tree without the fault must pass. A check that never fails proves nothing.
"""
import json
import os
import shutil
import subprocess
import tempfile
import time
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

    def test_only_one_file_names_a_back_end(self):
        self.put("src/app.c", '#include "store/sqlite.h"\n')
        self.passes("check_layers.py")
        self.put("src/serve.c", '#include "store/sqlite.h"\n')
        self.fails("check_layers.py", "src/serve.c:1", "app.c")

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
    def compiles(self, body, compiler="gcc"):
        self.put("probe.c", "#include <string.h>\n" + body)
        return run(compiler, "-std=c17", "-D_GNU_SOURCE", "-fsyntax-only",
                   "-include", os.path.join(ROOT, "src/base/banned.h"), "probe.c", cwd=self.root)

    def test_functions_do_not_compile(self):
        good = self.compiles("struct dice { int rand, random; };\nsize_t f(const char *s);\n"
                             "size_t f(const char *s) { return strlen(s); }\n")
        self.assertEqual(good.returncode, 0, good.stdout)
        calls = ["strcpy(s, s)", "strcat(s, s)", "stpcpy(s, s)", "strncpy(s, s, 1)",
                 "strncat(s, s, 1)", 'sprintf(s, "x")', "vsprintf(s, s, 0)", "gets(s)",
                 'strtok(s, "x")', "gmtime(0)", "localtime(0)", "ctime(0)", "asctime(0)",
                 "alloca(8)", "rand()", "random()", "rand_r(0)", "drand48()", "tmpnam(s)"]
        calls += [f"{name}(s)" for name in ("atoi", "atol", "atoll", "atof")]
        calls += [f"{name}(*s)" for name in (
            "isalnum", "isalpha", "isblank", "iscntrl", "isdigit", "isgraph", "islower", "isprint",
            "ispunct", "isspace", "isupper", "isxdigit", "tolower", "toupper")]
        for compiler in filter(shutil.which, ("gcc", "clang")):
            for call in calls:
                bad = self.compiles("void f(char *s);\nvoid f(char *s) { (void)s; (void)%s; }\n" % call,
                                    compiler)
                self.assertNotEqual(bad.returncode, 0, f"{call} compiles with {compiler}")
                self.assertRegex(bad.stdout, "poisoned|banned_function")

    def test_heap_outside_base(self):
        text = "/* malloc(1) in a comment, and x->free(1) */\nvoid *f(void) { return malloc(1); }\n"
        self.put("src/base/heap.c", text)
        self.passes("check_banned.py")
        self.put("src/http/heap.c", text)
        self.fails("check_banned.py", "src/http/heap.c:2: malloc")

    def test_free_of_what_libc_made(self):
        self.put("src/fhir/names.c", "void f(char *x)\n{\n    free(x); /* scandir made it */\n}\n")
        self.passes("check_banned.py")

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


class Links(Tree):
    def setUp(self):
        super().setUp()
        run("git", "init", "-q", cwd=self.root)

    def test_names_of_nothing(self):
        self.put("docs/a.md", "[b](b.md) `good.c` `src/base/good.h` `src/base/` `src/<name>/x.c`\n")
        self.put("docs/b.md", "[out](https://example.org/x) [up](../docs/a.md)\n")
        self.passes("check_links.py")
        for text in ("[gone](gone.md)", "`src/base/gone.c`", "`gone.h`", "`tests/gone/`"):
            self.put("docs/c.md", text + "\n")
            self.fails("check_links.py", "docs/c.md: there is no", "gone")


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


class Notice(Tree):
    """NOTICE names every library and every data package."""

    def setUp(self):
        super().setUp()
        os.mkdir(os.path.join(self.root, "definitions"))
        for name in ("tools/packages.build", "NOTICE", "definitions/package-lock.json"):
            shutil.copy(os.path.join(ROOT, name), os.path.join(self.root, name))

    def test_new_library(self):
        self.passes("check_notice.py")
        with open(os.path.join(self.root, "tools/packages.build"), "a", encoding="utf-8") as file:
            file.write("libunheard-dev\n")
        self.fails("check_notice.py", "libunheard-dev")

    def test_new_version_of_data(self):
        path = os.path.join(self.root, "definitions/package-lock.json")
        with open(path, encoding="utf-8") as file:
            lock = json.load(file)
        lock["packages"]["node_modules/hl7.fhir.uv.ips"]["version"] = "3.0.0"
        self.put("definitions/package-lock.json", json.dumps(lock))
        self.fails("check_notice.py", "hl7.fhir.uv.ips 3.0.0")

    def test_linked_library(self):
        for how, noticed in (("linked", True), ("linked:indirectly", False)):
            bom = {"components": [{"type": "library", "name": "libcurl4",
                                   "properties": [{"name": "debian:source", "value": "curl"},
                                                  {"name": how, "value": "libcurl.so.4"}]}]}
            self.put("build/medulla.cdx.json", json.dumps(bom))
            if noticed:
                self.fails("check_notice.py", "curl")
            else:
                self.passes("check_notice.py")

    def test_licence_text(self):
        self.put("definitions/node_modules/@lhncbc/ucum-lhc/LICENSE.md", "Another licence")
        self.fails("check_notice.py", "Another licence")


class Sbom(Tree):
    def test_lists_libraries_and_data(self):
        self.put("p.c", "#include <zlib.h>\nint main(void) { return zlibVersion()[0] == 0; }\n")
        done = run("gcc", "p.c", "-o", "p", "-lz", cwd=self.root)
        self.assertEqual(done.returncode, 0, done.stdout)
        texts = []
        for name in ("one.json", "two.json"):
            done = run(os.path.join(ROOT, "tools", "sbom.py"), "p", "9.9", os.path.join(
                ROOT, "definitions", "package-lock.json"), name, cwd=self.root)
            self.assertEqual(done.returncode, 0, done.stdout)
            with open(os.path.join(self.root, name), encoding="utf-8") as file:
                texts.append(file.read())
        self.assertEqual(texts[0], texts[1], "not reproducible")
        rows = {row["name"]: row for row in json.loads(texts[0])["components"]}
        self.assertEqual(rows["zlib1g"]["type"], "library")
        self.assertTrue(rows["zlib1g"]["version"])
        self.assertEqual(rows["hl7.fhir.r4.examples"]["hashes"][0]["alg"], "SHA-512")
        self.assertEqual(len(rows["hl7.fhir.r4.examples"]["hashes"][0]["content"]), 128)


class Counts(Tree):
    """A runner that says nothing, or dies, never counts as passed."""

    def counts(self, kind, text, code):
        self.put("log", text)
        done = run(os.path.join(ROOT, "tools", "count_tests.py"), kind,
                   os.path.join(self.root, "log"), str(code))
        return done.stdout.strip()

    def test_counts(self):
        row = '{"name": "a", "result": "%s", "stdout": "%s", "stderr": "%s"}\n'
        cases = [
            ("line", "x\n3 passed, 0 failed\n", 0, "3 0 0"),
            ("line", "3 passed, 1 failed, 2 skipped\n", 1, "3 1 2"),
            ("line", "3 passed, 0 failed\n", 1, "3 1 0"),
            ("line", "Segmentation fault\n", 139, "0 1 0"),
            ("line", "", 0, "0 1 0"),
            ("node", "# pass 5\n# fail 0\n# cancelled 0\n# skipped 1\n# todo 0\n", 0, "5 0 1"),
            ("node", "# pass 5\n# fail 1\n# cancelled 1\n# skipped 0\n# todo 0\n", 1, "5 2 0"),
            ("unittest", "Ran 7 tests in 1.0s\n\nFAILED (failures=1, errors=1)\n", 1, "5 2 0"),
            ("unittest", "Ran 7 tests in 1.0s\n\nOK (skipped=2)\n", 0, "5 0 2"),
            ("meson", row % ("OK", "", "[  PASSED  ] 4 test(s)."), 0, "4 0 0"),
            ("meson", row % ("OK", "", ""), 0, "1 0 0"),
            ("meson", row % ("ERROR", "", "AddressSanitizer"), 1, "0 1 0"),
            ("meson", row % ("FAIL", "", "[  PASSED  ] 3 test(s).\\n[  FAILED  ] tests: 2 test(s),"),
             1, "3 2 0"),
            ("meson", row % ("OK", "skipped: shared data absent", "[  PASSED  ] 4 test(s)."), 0,
             "4 0 1"),
        ]
        for kind, text, code, wanted in cases:
            self.assertEqual(self.counts(kind, text, code), wanted, (kind, text, code))


class Runner(Tree):
    """./test itself: it sums, it is not fooled, and it leaves nothing running."""

    def setUp(self):
        super().setUp()
        for name in ("test", "tools/lib.sh", "tools/count_tests.py", "tests/stages/common.sh"):
            os.makedirs(os.path.dirname(os.path.join(self.root, name)), exist_ok=True)
            shutil.copy(os.path.join(ROOT, name), os.path.join(self.root, name))
        for name in ("tools/packages.build", "tools/packages.test", "definitions/package-lock.json",
                     "definitions/node_modules/.medulla-lock"):
            self.put(name, "")

    def stage(self, name, body):
        self.put(f"tests/stages/{name}.sh", "#!/bin/sh\n# a stage\n. tests/stages/common.sh\n" + body)

    def last(self, *stages):
        done = run("./test", *stages, cwd=self.root)
        return done.returncode, done.stdout.splitlines()[-1]

    def test_sums(self):
        self.stage("good", "pass one\npass two\nskip three\n")
        self.stage("bad", "pass one\nfail two\n")
        self.assertEqual(self.last("good"), (0, "2 passed, 0 failed, 1 skipped"))
        self.assertEqual(self.last("good", "bad"), (1, "3 passed, 1 failed, 1 skipped"))

    def test_a_stage_that_breaks_or_says_nothing(self):
        self.stage("breaks", "pass one\nfalse\npass two\n")
        self.stage("silent", ":\n")
        self.assertEqual(self.last("breaks"), (1, "1 passed, 1 failed"))
        self.assertEqual(self.last("silent"), (1, "0 passed, 1 failed"))

    def test_leaves_nothing_running(self):
        self.stage("leaky", 'sleep 300 &\necho $! >leaked\ntrap "" TERM\npass one\n')
        self.assertEqual(self.last("leaky"), (0, "1 passed, 0 failed"))
        with open(os.path.join(self.root, "leaked"), encoding="ascii") as file:
            self.assertFalse(os.path.exists(f"/proc/{file.read().strip()}"))

    def test_stopped_half_way(self):
        self.stage("slow", "echo $$ >pid\nsleep 300\npass one\n")
        with subprocess.Popen(["./test", "slow"], cwd=self.root, stdout=subprocess.DEVNULL) as top:
            path = os.path.join(self.root, "pid")
            while not os.path.exists(path) or os.path.getsize(path) == 0:
                time.sleep(0.05)
            top.terminate()
            self.assertEqual(top.wait(30), 143)
        with open(path, encoding="ascii") as file:
            self.assertFalse(os.path.exists(f"/proc/{file.read().strip()}"))


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
    unittest.main()
