"""What the numbers of a target mean: a sentence, and the measured quantity that a logarithm stands for."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

POTENCY = re.compile(r"^p[ _\-]?(K[id]|[IEAX]C50)(?![A-Za-z])")  # columns that say by their names what they are
LOG = re.compile(r"^(-?)\s*log(?:10)?\s*(?:\(\s*(?P<inside>[^()]+?)\s*\)$|.*\bin (?P<behind>[\w/]+)$)", re.IGNORECASE)
MOLAR = {"M": "M", "mol/L": "mol/L"}
PREFIXES = ((0, ""), (-3, "m"), (-6, "µ"), (-9, "n"), (-12, "p"), (-15, "f"))  # BIPM, SI brochure, table 7
OTHER = {"<": ">", ">": "<"}


class Logarithm(NamedTuple):
    """Say of which unit a number is the decadic logarithm, or, with the sign -1, the negative one."""

    sign: int
    unit: str


def logarithm(name: str, units: str) -> Logarithm | None:
    """Return what a target is the logarithm of, None where it is none, or nobody says so.

    >>> logarithm("pIC50", ""), logarithm("logS", "log10(mol/L)")
    (Logarithm(sign=-1, unit='M'), Logarithm(sign=1, unit='mol/L'))
    >>> logarithm("y", "log10 of the half-life, in hours"), logarithm("IC50", "nM"), logarithm("pKa", "")
    (Logarithm(sign=1, unit='hours'), None, None)
    """
    found = LOG.match(units)
    if found:
        return Logarithm(-1 if found[1] else 1, found["inside"] or found["behind"])
    return Logarithm(-1, "M") if not units and POTENCY.match(name) else None


def natural(value: float | None, name: str, units: str, bound: str = "") -> str:
    """Write the quantity that a logarithm stands for, "" where the number is none.

    A `bound` (<, >) of a negative logarithm is the other one of the quantity.

    >>> natural(7.2, "pIC50", "-log10(M)"), natural(-3.2, "logS", "log10(mol/L)"), natural(2.0, "logD", "")
    ('63 nM', '630 µmol/L', '')
    >>> natural(5.0, "pIC50", "", "<")
    '>10 µM'
    """
    scale = logarithm(name, units)
    if value is None or scale is None or not math.isfinite(value) or abs(value) > 30:
        return ""
    exponent = scale.sign * value
    shift, prefix = 0, ""
    if scale.unit in MOLAR:
        shift, prefix = next(((p, word) for p, word in PREFIXES if exponent - p >= 0), PREFIXES[-1])
    amount = 10 ** (exponent - shift)
    digits = max(0, 1 - math.floor(math.log10(amount)))
    shown = f"{amount:.{digits}f}" if 1e-3 <= amount < 1e5 else f"{amount:.1e}"
    if digits == 0 and amount < 1e5:
        shown = f"{round(amount, 1 - math.floor(math.log10(amount))):.0f}"
    sign = OTHER.get(bound, bound) if scale.sign < 0 else bound
    return f"{sign}{shown} {prefix}{scale.unit}"


def meaning(name: str, units: str, *, chance: bool = False) -> str:
    """Say in plain words what a number of a target means, and what a higher one does.

    >>> meaning("pIC50", "-log10(M)")
    'one unit higher is ten times as potent: 7 is 100 nM, 8 is 10 nM'
    >>> meaning("logS", "log10(mol/L)")
    'one unit higher is ten times as much: 0 is 1.0 mol/L, 1 is 10 mol/L'
    >>> meaning("hERG_p", "probability of blocking the hERG channel", chance=True), meaning("dose", "mg")
    ('from 0 to 1, higher is likelier', 'higher is more')
    """
    if chance:
        return "from 0 to 1, higher is likelier"
    scale = logarithm(name, units)
    if scale is None:
        return "higher is more" + ("" if units else ", in the units of the training data")
    low, high = (7.0, 8.0) if scale == (-1, "M") else (0.0, 1.0)
    what = "potent" if scale == (-1, "M") else "much" if scale.sign > 0 else "little"
    shown = f"{low:g} is {natural(low, name, units)}, {high:g} is {natural(high, name, units)}"
    return f"one unit higher is ten times as {what}: {shown}"
