#!/usr/bin/env python3
"""make_table.py - turns the UCUM units of npm @lhncbc/ucum-lhc into a C table.

    make_table.py ucumDefs.min.json OUTPUT.c

The package keeps each unit's size as a double; here the sizes are worked out again, exactly,
from the text of the definitions ("254e-2 cm", "m/3937"), so that 1 [in_i] is 0.0254 m and not
0.025400000000000002. What is no finite decimal stays a fraction: factor / divisor. Only where
both would be too long (that is, where pi comes in) is the value rounded, to 34 digits.
The package's double must agree with the exact value, else the build fails; the few that are
wrong in the package are listed in CORRECTED, with what UCUM says.

Deterministic: the same input gives the same bytes. Format of the table: ucum_table.h.
"""
import json
import re
import sys
from fractions import Fraction

BASES = ["C", "K", "cd", "g", "m", "mol", "rad", "s"]
DIGITS = 34

# code -> (value, unit) as UCUM 2.1 has it, where the package says otherwise.
CORRECTED = {
    "[mu_0]": ("1", "4.[pi].10*-7.N/A2"),
    "Oe": ("250", "/[pi].A/m"),
    "[S]": ("1", "10*-13.s"),
    "[diop]": ("1", "/m"),
    "[mesh_i]": ("1", "/[in_i]"),
    "Bd": ("1", "/s"),
}
# Scales with another zero: (value + shift) * size = kelvin.
SHIFTED = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67")),
    "[degRe]": (Fraction(5, 4), Fraction("218.52")),
}
# The package counts these as numbers or gives a wrong size; the exact value stands.
DISAGREES = set(CORRECTED) | {"mol", "[LPF]", "[car_Au]"}


def fail(text):
    sys.exit(f"make_table.py: {text}")


class Table:
    def __init__(self, data):
        names = ["code_", "value_", "exp_"]
        rows = self.rows(data["prefixes"], names)
        self.prefixes = {c: Fraction(10) ** int(e) if e else Fraction(v) for c, v, e in rows}
        names = ["csCode_", "isBase_", "magnitude_", "isMetric_", "isSpecial_", "isArbitrary_",
                 "csUnitString_", "baseFactorStr_", "baseFactor_", "source_"]
        self.units = {r[0]: dict(zip(names, r)) for r in self.rows(data["units"], names)
                      if r[-1] == "UCUM"}
        if len(self.units) < 300 or len(self.prefixes) != 24:
            fail("the package holds another number of units than expected")
        self.known = {}

    @staticmethod
    def rows(part, names):
        config = [c[0] if isinstance(c, list) else c for c in part["config"]]
        return [[row[config.index(n)] for n in names] for row in part["data"]]

    def define(self, code):
        """(size, {base: exponent}) of an atom."""
        if code not in self.known:
            self.known[code] = None  # a circle ends in a TypeError
            self.known[code] = self.work_out(code, self.units[code])
        return self.known[code]

    def work_out(self, code, unit):
        if unit["isBase_"] or code == "mol":
            return Fraction(1), {code: 1}
        if code in SHIFTED:
            return SHIFTED[code][0], {"K": 1}
        if unit["isArbitrary_"] and unit["csUnitString_"] != "1":
            return self.term(unit["csUnitString_"])  # [IU] is another spelling of [iU]
        if unit["isArbitrary_"] or unit["isSpecial_"]:
            return Fraction(1), {code: 1}  # comparable with itself only
        value, text = CORRECTED.get(code, (unit["baseFactorStr_"] or str(unit["baseFactor_"]),
                                           unit["csUnitString_"]))
        size, dims = self.term(text)
        return Fraction(value) * size, dims

    def term(self, text):
        """Terms of definitions have no parentheses and no annotations."""
        size, dims, sign = Fraction(1), {}, 1
        for part in re.findall(r"[./]|(?:\[[^]]*\]|[^./\[])+", text):
            if part in "./":
                sign = -1 if part == "/" else 1
                continue
            factor, bases = self.component(part)
            size *= factor ** sign
            for base, exponent in bases.items():
                dims[base] = dims.get(base, 0) + sign * exponent
            sign = 1
        return size, {b: e for b, e in dims.items() if e}

    def component(self, text):
        if text.isdigit():
            return Fraction(text), {}
        name, exponent = re.fullmatch(r"(10[*^]|.*?[^-+0-9])([-+]?\d+)?", text).groups()
        size, dims = self.atom(name)
        power = int(exponent or 1)
        return size ** power, {b: e * power for b, e in dims.items()}

    def atom(self, name):
        if name in self.units:
            return self.define(name)
        for prefix, by in self.prefixes.items():
            rest = name[len(prefix):]
            if name.startswith(prefix) and rest in self.units \
                    and (self.units[rest]["isMetric_"] or self.units[rest]["isBase_"]):
                size, dims = self.define(rest)
                return by * size, dims
        fail(f"unknown unit {name!r} in a definition")


def finite(value):
    """(digits, exponent) of a Fraction that is a finite decimal, else None."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return None
    exponent = max(twos, fives)
    digits = value.numerator * 10 ** exponent // value.denominator
    exponent = -exponent
    while digits and digits % 10 == 0:
        digits, exponent = digits // 10, exponent + 1
    return digits, exponent


def rounded(value):
    exponent = 0
    while value >= 10 ** DIGITS:
        value, exponent = value / 10, exponent + 1
    while value < 10 ** (DIGITS - 1):
        value, exponent = value * 10, exponent - 1
    digits = int(value + Fraction(1, 2))
    while digits % 10 == 0:
        digits, exponent = digits // 10, exponent + 1
    return digits, exponent


def size_as_decimals(value):
    """factor and divisor, each (digits, exponent)."""
    whole = finite(value)
    if whole and whole[0] < 10 ** DIGITS:
        return whole, (1, 0)
    over, under = finite(Fraction(value.numerator)), finite(Fraction(value.denominator))
    if over[0] < 10 ** 19 and under[0] < 10 ** 19:
        return over, under
    return rounded(value), (1, 0)


def decimal(value):
    digits, exponent = value
    high, low = digits >> 64, digits & (2 ** 64 - 1)
    text = f"{low}U" if high == 0 else f"(med_u128){high}U << 64 | {low}U"
    return f"{{.digits = {text}, .exponent = {exponent}, .precision = {len(str(digits))}, " \
           f".scale = {-exponent}}}"


def row(table, code):
    unit = table.units[code]
    size, dims = table.define(code)
    stated = float(unit["magnitude_"])
    if code not in DISAGREES and not unit["isSpecial_"] and "mol" not in dims \
            and abs(float(size) - stated) > 1e-9 * stated:
        fail(f"{code} is {float(size)} by its definition and {stated} by its magnitude")
    factor, divisor = size_as_decimals(size)
    shift = (0, 0)
    if code in SHIFTED:
        # canonical = (value * factor + offset) / divisor
        shift = finite(SHIFTED[code][0] * SHIFTED[code][1] * divisor[0] * 10 ** divisor[1])
    own = [b for b in dims if b not in BASES]
    if len(own) > 1 or (own and dims[own[0]] != 1):
        fail(f"{code} has more than one base of its own")
    exponents = ", ".join(str(dims.get(b, 0)) for b in BASES)
    flags = [name for name, on in (("MED_UCUM_METRIC", unit["isMetric_"] or unit["isBase_"]),
                                   ("MED_UCUM_SPECIAL", unit["isSpecial_"])) if on]
    quoted = json.dumps(code)
    return (f"    {{MED_LIT({quoted}), {' | '.join(flags) or '0'}, "
            f"{json.dumps(own[0]) if own else 'NULL'},\n"
            f"     {{{exponents}}},\n     {decimal(factor)},\n     {decimal(divisor)},\n"
            f"     {decimal(shift)}}},\n")


def main(argv):
    if len(argv) != 3:
        fail("usage: make_table.py ucumDefs.min.json OUTPUT.c")
    with open(argv[1], encoding="utf-8") as file:
        table = Table(json.load(file))
    lines = ["/* Made by make_table.py from @lhncbc/ucum-lhc, data/ucumDefs.min.json; do not edit.\n"
             " * The unit table is UCUM's, copyright Regenstrief Institute; see NOTICE. */\n"
             '#include "model/ucum/ucum_table.h"\n\n']
    codes = sorted(table.units, key=lambda c: c.encode())
    lines.append("const struct med_ucum_atom med_ucum_atoms[] = {\n")
    lines += [row(table, code) for code in codes]
    lines.append(f"}};\nconst size_t med_ucum_atom_count = {len(codes)};\n\n")
    prefixes = sorted(table.prefixes, key=lambda c: c.encode())
    lines.append("const struct med_ucum_prefix med_ucum_prefixes[] = {\n")
    lines += [f"    {{MED_LIT({json.dumps(p)}), {decimal(finite(table.prefixes[p]))}}},\n"
              for p in prefixes]
    lines.append(f"}};\nconst size_t med_ucum_prefix_count = {len(prefixes)};\n")
    with open(argv[2], "w", encoding="ascii") as file:
        file.write("".join(lines))


main(sys.argv)
