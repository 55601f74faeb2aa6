"""How a number is written where a person reads it: with the digits that say something, never as a 0 that is none."""

from __future__ import annotations

import math
from collections.abc import Callable

DIGITS = 3  # significant ones of a score, or of the widest of an estimate and its interval
PLAIN = -4, 6  # powers of ten within which numbers are written without one
MOST = 15  # digits of float64


def figure(value: float, digits: int = DIGITS, *, zeros: bool = False) -> str:
    """Write a number with so many significant digits, `zeros` at its end included or not.

    >>> [figure(v) for v in (0.5, 12.345, 91783.2, 3.2e7, 1.2345e-9, 0.0)]
    ['0.5', '12.3', '91800', '3.2e+07', '1.23e-09', '0']
    >>> figure(0.5, zeros=True), figure(1234.5, zeros=True), figure(10000005.48, 10)
    ('0.500', '1230', '10000005.48')
    """
    if not math.isfinite(value):
        return str(value)
    power = _power(float(f"{value:.{digits - 1}e}"))
    if PLAIN[0] <= power < max(PLAIN[1], digits + 1):
        text, end = f"{round(value, digits - 1 - power) + 0.0:.{max(0, digits - 1 - power)}f}", ""
    else:
        text, _, end = f"{value:.{digits - 1}e}".partition("e")
        end = f"e{end}"
    if not zeros and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text + end


def figures(*values: float, digits: int = DIGITS, zeros: bool = False) -> list[str]:
    """Write numbers that are read beside each other, with more digits where it needs them to tell them apart.

    >>> figures(0.62, 0.5512, 0.7), figures(32000041.0, 32000010.0, 32000070.0), figures(1e-9, 5e-10, 2.1e-9)
    (['0.62', '0.551', '0.7'], ['32000041', '32000010', '32000070'], ['1e-09', '5e-10', '2.1e-09'])
    """
    known = [value for value in values if math.isfinite(value)]
    span = max(known, default=0.0) - min(known, default=0.0)
    if span > 0 and math.isfinite(span):
        digits = min(max(digits, _power(max(map(abs, known))) - _power(span) + 2), MOST)  # two of the span
    return [figure(value, digits, zeros=zeros) for value in values]


def decimal(value: float, places: int = DIGITS) -> str:
    """Write a number with so many decimals, or as `figure` does where they would hide what it is.

    >>> decimal(1.0), decimal(-0.0004), decimal(3.2e7), decimal(7.123, 2), decimal(10000005.4812, 2), decimal(0.0)
    ('1.000', '-0.0004', '32000000.000', '7.12', '10000005.48', '0.000')
    """
    hidden = value and (abs(value) < 10.0**-places or abs(value) >= 10.0 ** (MOST - places))
    return figure(value) if hidden or not math.isfinite(value) else f"{value:.{places}f}"


def alike(largest: float, *ends: float) -> Callable[[float | None], str]:
    """Return what writes numbers to the place of the third digit of the largest, and so far that an interval of a
    difference with these ends, which leaves 0 out, does not look as if it held it.

    >>> show = alike(0.8123, -0.0004, -0.0001)
    >>> show(0.8123), show(-0.0001), alike(0.8)(-0.04), alike(2.5e-9)(-1e-10), alike(3.2e7)(-123456.0)
    ('0.8123', '-0.0001', '-0.040', '-1e-10', '-100000')
    """
    place = 2 - _power(largest) if largest and math.isfinite(largest) else 3
    if ends and (min(ends) > 0 or max(ends) < 0):
        place = min(max(place, -_power(min(map(abs, ends)))), place + MOST // 3)
    plain = largest == 0 or PLAIN[0] <= _power(largest) < PLAIN[1]

    def show(value: float | None) -> str:
        number = round(value or 0.0, place) + 0.0  # + 0.0 turns -0.0 into 0.0
        if plain or not math.isfinite(number):
            return f"{number:.{max(place, 0)}f}" if place > 0 else f"{round(value or 0.0) + 0:d}"
        return figure(number, min(max(place + _power(number) + 1, 1), MOST))

    return show


def _power(value: float) -> int:
    """Return the power of ten of a number's first digit, 0 of 0."""
    return math.floor(math.log10(abs(value)) + 1e-12) if value else 0
