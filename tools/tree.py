"""tree.py - the files of the project, for the checks: what git knows or would add, or, in a
tree that is no git repository (an unpacked release), all but what builds and fetches leave."""
import os
import subprocess

LEFT = ("build", ".fetch", "node_modules", "__pycache__")


def files(root):
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        names = [name.decode() for name in done.stdout.split(b"\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, below, here in os.walk(root):
            below[:] = [name for name in below if not name.startswith(LEFT) and name != ".git"]
            names += [os.path.relpath(os.path.join(folder, name), root) for name in here]
    return sorted(name for name in names if os.path.isfile(os.path.join(root, name)))
