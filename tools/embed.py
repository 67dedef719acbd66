#!/usr/bin/env python3
"""embed.py - puts a file into the program as read-only bytes.

In a meson.build below src/ (the generator `embed` is defined in the top meson.build):

    core += embed.process('zstd.dict')       # or the result of a custom_target

Then, in C sources of the same target:

    #include "zstd_embedded.h"               # declares  med_str med_embedded_zstd(void);

NAME is the file's name up to its last dot, in lower case, with every other character than a
letter or digit turned into '_'; it must be unique in the program. The bytes are aligned to
64, live in .rodata as long as the program, and are followed by one NUL that is not counted
in the slice's length. Nothing is parsed or copied: the assembler reads the file with
`.incbin`, so a pack of many megabytes costs no compile time.

Command line: embed.py INPUT OUTPUT.c OUTPUT.h
"""
import hashlib
import os
import re
import sys

C_TEXT = """/* Made by tools/embed.py from {source}; do not edit.
 * sha256 {digest} */
#include "{header}"

__asm__(".pushsection .rodata\\n"
        ".balign 64\\n"
        ".global med_embedded_{name}_bytes\\n"
        ".hidden med_embedded_{name}_bytes\\n"
        ".type med_embedded_{name}_bytes, @object\\n"
        ".size med_embedded_{name}_bytes, {size}\\n"
        "med_embedded_{name}_bytes:\\n"
        ".incbin \\"{path}\\"\\n"
        ".byte 0\\n"
        ".popsection\\n");

extern const char med_embedded_{name}_bytes[{room}] __attribute__((visibility("hidden")));

med_str med_embedded_{name}(void)
{{
    return (med_str){{med_embedded_{name}_bytes, {size}}};
}}
"""

H_TEXT = """/* Made by tools/embed.py from {source}; do not edit. */
#ifndef MED_EMBEDDED_{upper}_H
#define MED_EMBEDDED_{upper}_H

#include "base/str.h"

/* The bytes of {source}: constant, 64-byte aligned, a NUL behind the last. */
med_str med_embedded_{name}(void);

#endif
"""


def main(argv):
    if len(argv) != 4:
        sys.exit("usage: embed.py INPUT OUTPUT.c OUTPUT.h")
    source, out_c, out_h = argv[1:]
    path = os.path.abspath(source)
    if '"' in path or "\\" in path or "\n" in path:
        sys.exit(f"embed.py: the path {path!r} can not be quoted for the assembler")
    with open(path, "rb") as file:
        data = file.read()
    base = os.path.basename(source)
    stem = base.rsplit(".", 1)[0] if "." in base[1:] else base
    name = re.sub(r"[^a-z0-9]", "_", stem.lower())
    words = {
        "source": base,
        "header": os.path.basename(out_h),
        "name": name,
        "upper": name.upper(),
        "path": path,
        "size": len(data),
        "room": len(data) + 1,
        "digest": hashlib.sha256(data).hexdigest(),
    }
    for out, text in ((out_c, C_TEXT), (out_h, H_TEXT)):
        with open(out, "w", encoding="ascii") as file:
            file.write(text.format(**words))


main(sys.argv)
