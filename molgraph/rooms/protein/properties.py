"""What one wants to know about a protein besides its score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from molgraph.errors import ConfigError, did_you_mean
from molgraph.rooms.protein.residues import LETTERS, STANDARD, UNKNOWN, Refusal, as_written, codes_of, shares

PH = 7.4
WATER = 18.0153  # g/mol
# Average residue masses, g/mol, selenocysteine and pyrrolysine included.
# See: https://web.expasy.org/findmod/findmod_masses.html
MASS = {
    **{"A": 71.0788, "C": 103.1388, "D": 115.0886, "E": 129.1155, "F": 147.1766, "G": 57.0519, "H": 137.1411},
    **{"I": 113.1594, "K": 128.1741, "L": 113.1594, "M": 131.1926, "N": 114.1038, "P": 97.1167, "Q": 128.1307},
    **{"R": 156.1875, "S": 87.0782, "T": 101.1051, "V": 99.1326, "W": 186.2132, "Y": 163.1760},
    **{"U": 150.0388, "O": 237.3018},
}
# See: Kyte and Doolittle 1982, https://doi.org/10.1016/0022-2836(82)90515-0
HYDROPATHY = {
    **{"A": 1.8, "C": 2.5, "D": -3.5, "E": -3.5, "F": 2.8, "G": -0.4, "H": -3.2, "I": 4.5, "K": -3.9, "L": 3.8},
    **{"M": 1.9, "N": -3.5, "P": -1.6, "Q": -3.5, "R": -4.5, "S": -0.8, "T": -0.7, "V": 4.2, "W": -0.9, "Y": -1.3},
}
# pK of side chains and of the ends, which depend on the residue there.
# See: Bjellqvist 1993, https://doi.org/10.1002/elps.11501401163; 1994, https://doi.org/10.1002/elps.1150150171
BASES = {"K": 10.0, "R": 12.0, "H": 5.98}
ACIDS = {"D": 4.05, "E": 4.45, "C": 9.0, "Y": 10.0}
FIRST, FIRST_OF = 7.5, {"A": 7.59, "M": 7.0, "S": 6.93, "P": 8.36, "T": 6.82, "V": 7.44, "E": 7.7}
LAST, LAST_OF = 3.55, {"D": 4.55, "E": 4.75}

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Property:
    """Describe one column: what it says, the type of its cells, where it comes from.

    `of` takes the sequence and how often each standard residue occurs in it (ambiguous letters in equal shares, an
    unknown one, X, in none) and returns None where it cannot be known.
    """

    of: Callable[[str, Counts], float | int | None]
    dtype: str
    about: str
    source: str


def _per_letter(table: Mapping[str, float], letters: str = STANDARD) -> Counts:
    return np.array([table.get(letter, 0.0) for letter in letters])


_SHARES = shares().astype(np.float64)
_SHARES[UNKNOWN] = 0
_HYDROPATHY = _per_letter(HYDROPATHY)
_LETTER_MASS = np.where(
    _per_letter(MASS, LETTERS) > 0, _per_letter(MASS, LETTERS), shares().astype(np.float64) @ _per_letter(MASS)
)


def weight(sequence: str) -> float | None:
    """Return the average molecular weight in g/mol; unknown where a residue is (X)."""
    if "X" in sequence:
        return None
    return float(_LETTER_MASS[codes_of(sequence)].sum() + WATER)


def charge(sequence: str, counts: Counts, ph: float = PH) -> float | None:
    """Return the net charge at a pH; unknown where a residue is (X)."""
    if "X" in sequence:
        return None
    bases = [(FIRST_OF.get(sequence[0], FIRST), 1.0), *((pk, counts[STANDARD.index(a)]) for a, pk in BASES.items())]
    acids = [(LAST_OF.get(sequence[-1], LAST), 1.0), *((pk, counts[STANDARD.index(a)]) for a, pk in ACIDS.items())]
    plus = sum(n / (1 + 10 ** (ph - pk)) for pk, n in bases)
    return float(plus - sum(n / (1 + 10 ** (pk - ph)) for pk, n in acids))


def isoelectric_point(sequence: str, counts: Counts) -> float | None:
    """Return the pH of no net charge; unknown where a residue is (X)."""
    if "X" in sequence:
        return None
    return float(brentq(lambda ph: charge(sequence, counts, ph), 0.0, 14.0, xtol=1e-4))


def _mean(counts: Counts, values: Counts) -> float | None:
    return float(counts @ values / counts.sum()) if counts.sum() else None


_EXPASY = "https://doi.org/10.1385/1-59259-890-0:571"
_PK = "https://doi.org/10.1002/elps.11501401163"

PROPERTIES: dict[str, Property] = {
    "length": Property(lambda s, n: len(s), "Int64", "residues", _EXPASY),
    "mw": Property(lambda s, n: weight(s), "Float64", "average molecular weight, g/mol", _EXPASY),
    "pi": Property(isoelectric_point, "Float64", "isoelectric point", _PK),
    "charge": Property(charge, "Float64", f"net charge at pH {PH}", _PK),
    "gravy": Property(
        lambda s, n: _mean(n, _HYDROPATHY),
        "Float64",
        "mean hydropathy, above 0 is hydrophobic",
        "https://doi.org/10.1016/0022-2836(82)90515-0",
    ),
    "aromaticity": Property(
        lambda s, n: _mean(n, _per_letter({"F": 1, "W": 1, "Y": 1})),
        "Float64",
        "share of F, W and Y",
        "https://doi.org/10.1093/nar/22.15.3174",
    ),
}


def properties(keys: Sequence[str], names: Sequence[str] = tuple(PROPERTIES)) -> pd.DataFrame:
    """Compute the named properties of proteins, one row per key; a cell is blank where it cannot be known.

    Raises: ConfigError for an unknown name.

    >>> properties(["INGAR", "MKX", "12"], ["length", "pi", "gravy"]).round(2)
       length    pi  gravy
    0       5  9.75  -0.42
    1       3  <NA>   -1.0
    2    <NA>  <NA>   <NA>
    """
    for name in names:
        if name not in PROPERTIES:
            raise ConfigError(f"unknown property '{name}'{did_you_mean(name, PROPERTIES)}")
    sequences = [None if isinstance(as_written(key), Refusal) else key for key in keys]
    counts = [None if s is None else np.bincount(codes_of(s), minlength=len(LETTERS)) @ _SHARES for s in sequences]
    return pd.DataFrame(
        {
            name: pd.Series(
                [
                    None if s is None or n is None else PROPERTIES[name].of(s, n)
                    for s, n in zip(sequences, counts, strict=True)
                ],
                dtype=PROPERTIES[name].dtype,
            )
            for name in names
        }
    )
