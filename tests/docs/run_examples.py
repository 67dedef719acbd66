#!/usr/bin/env python3
"""run_examples.py - runs the examples of README.md and docs/ and compares what they show.

usage: run_examples.py [--program build/medulla] [FILE...]

An example is a fenced block with `<!-- test -->` in the line before it:

    <!-- test -->
    ```console
    $ curl -s http://127.0.0.1:8080/fhir/Patient/p1
    {"resourceType":"Patient",...
    ```

Lines with "$ " are commands (going on in the next lines for as long as the shell wants more, as
with an open quote); the lines below are what they print, compared without regard to white space: "..." in a line stands for anything in
it, a line that is only "..." for any lines. Nothing below a command means that only its exit
code counts. The blocks of one file share one shell, whose `medulla` is PROGRAM, whose
folder is a fresh one, and for which http://127.0.0.1:8080 is a fresh demo server (without
PROGRAM there is none). The last line is "N passed, N failed".
"""
import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SHOWN_ORIGIN = "127.0.0.1:8080"
BLOCK = re.compile(r"^<!-- test -->\n```\w*\n(.*?)^```$", re.M | re.S)
SECONDS = 60


def documents():
    yield os.path.join(ROOT, "README.md")
    for folder, _, names in sorted(os.walk(os.path.join(ROOT, "docs"))):
        yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".md"))


def is_whole(command):
    done = subprocess.run(["sh", "-n", "-c", command], stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0 and not command.endswith("\\")


def examples(text):
    """(line number, command, expected lines) of each marked block."""
    for block in BLOCK.finditer(text):
        number = text.count("\n", 0, block.start(1)) + 1
        command, expected, start, more = None, [], 0, False
        for offset, line in enumerate(block[1].splitlines()):
            if more:
                command += "\n" + line
                more = not is_whole(command)
            elif line.startswith("$ "):
                if command is not None:
                    yield start, command, expected
                command, expected, start = line[2:], [], number + offset
                more = not is_whole(command)
            else:
                expected.append(line)
        if command is not None:
            yield start, command, expected


def pattern(expected):
    """A regular expression of the expected lines, blind to white space."""
    parts = []
    for line in expected:
        if line.strip() == "...":
            parts.append(".*")
        else:
            text = "".join(line.split())
            parts.append(re.sub(r"(\\\.){3}", ".*", re.escape(text)))
    return re.compile("".join(parts), re.S)


class Shell:
    """One sh for all commands of a document, so that variables live on."""

    MARK = "medulla-example-ended"

    def __init__(self, folder, path):
        environment = dict(os.environ, PATH=path + os.pathsep + os.environ["PATH"], LC_ALL="C.UTF-8")
        self.process = subprocess.Popen(
            ["sh"], cwd=folder, env=environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def run(self, command):
        def expire(*_):
            raise TimeoutError
        signal.signal(signal.SIGALRM, expire)
        signal.alarm(SECONDS)
        try:
            self.process.stdin.write(f"{command}\nprintf '\\n%s %s\\n' {self.MARK} $?\n")
            self.process.stdin.flush()
            lines = []
            for line in self.process.stdout:
                if line.startswith(self.MARK):
                    return int(line.split()[1]), "".join(lines)
                lines.append(line)
            return -1, "".join(lines) + "(the shell ended)"
        except TimeoutError:
            return -1, f"(no end within {SECONDS} s)"
        finally:
            signal.alarm(0)

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Server:
    def __init__(self, program, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % probe.getsockname()[1]
        with open(os.path.join(folder, "server.log"), "wb") as log:
            self.process = subprocess.Popen(
                [program, "demo", "--people", "20", "--listen", self.address,
                 "--data", os.path.join(folder, "store")], stdout=log, stderr=log,
                env=dict(os.environ, MEDULLA_ADMIN_LISTEN=""))
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://{self.address}/health/ready", timeout=2).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        self.close()
        with open(os.path.join(folder, "server.log"), encoding="utf-8", errors="replace") as log:
            sys.exit("the demo server did not start:\n" + log.read()[-4000:])

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run_document(path, address, bin_folder):
    passed = failed = 0
    with open(path, encoding="utf-8") as file:
        found = list(examples(file.read()))
    if not found:
        return 0, 0
    folder = tempfile.mkdtemp(prefix="medulla-docs-")
    shell = Shell(folder, bin_folder)
    try:
        for line, command, expected in found:
            if address:
                command = command.replace(SHOWN_ORIGIN, address)
            code, output = shell.run(command)
            if address:
                output = output.replace(address, SHOWN_ORIGIN)
            good = pattern(expected).fullmatch("".join(output.split())) if expected else code == 0
            if good:
                passed += 1
                continue
            failed += 1
            print(f"{os.path.relpath(path, ROOT)}:{line}: $ {command}\nexit code {code}, said:\n"
                  f"{output[:4000]}\nwanted:\n" + "\n".join(expected) + "\n")
            if code == -1:
                break
    finally:
        shell.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{os.path.relpath(path, ROOT)}: {passed} examples as shown, {failed} not")
    return passed, failed


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--program")
    arguments.add_argument("files", nargs="*")
    options = arguments.parse_args()
    work = tempfile.mkdtemp(prefix="medulla-docs-server-")
    server, total = None, [0, 0]
    try:
        if options.program:
            os.symlink(os.path.abspath(options.program), os.path.join(work, "medulla"))
            server = Server(os.path.abspath(options.program), work)
        for path in options.files or documents():
            passed, failed = run_document(path, server and server.address, work)
            total = [total[0] + passed, total[1] + failed]
    finally:
        if server:
            server.close()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{total[0]} passed, {total[1]} failed")
    sys.exit(1 if total[1] else 0)


main()
