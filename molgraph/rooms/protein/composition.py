"""What a protein is made of, as numbers for trees: residues, words of two and three, and how groups lie along it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from molgraph.rooms.protein.kmers import RESIDUE, words_of
from molgraph.rooms.protein.residues import STANDARD

# Seven classes of residues alike in dipole and volume. See: Shen 2007, https://doi.org/10.1073/pnas.0607879104
TRIAD_CLASSES = ("AGV", "ILFP", "YMTS", "HNQW", "RK", "DE", "C")
# Three groups of residues for each of seven properties.
# See: Dubchak 1995, https://doi.org/10.1073/pnas.92.19.8700; groups as in Li 2006, https://doi.org/10.1093/nar/gkl305
CTD_GROUPS = {
    "hydrophobicity": ("RKEDQN", "GASTPHY", "CLVIMFW"),
    "volume": ("GASTPDC", "NVEQIL", "MHKFRYW"),
    "polarity": ("LIFWCMVY", "PATGS", "HQRKNED"),
    "polarizability": ("GASDT", "CPNVEQIL", "KMHFRYW"),
    "charge": ("KR", "ANCQGHILMFPSTWYV", "DE"),
    "structure": ("EALMQKRH", "VIYCWFT", "GNPSD"),
    "exposure": ("ALFCGIVW", "RKQEND", "MSPTHY"),
}
QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
PAIRS = ((0, 1), (0, 2), (1, 2))

COMPOSITION = (
    "log_length",
    *STANDARD,
    *map("".join, product(STANDARD, repeat=2)),
    *(f"triad_{a}{b}{c}" for a, b, c in product(range(1, 8), repeat=3)),
    *(f"{name}_{group}" for name in CTD_GROUPS for group in range(1, 4)),
    *(f"{name}_{a + 1}_to_{b + 1}" for name in CTD_GROUPS for a, b in PAIRS),
    *(f"{name}_{group}_at_{q:g}" for name in CTD_GROUPS for group in range(1, 4) for q in QUARTILES),
)


def _class_of(classes: Sequence[str]) -> NDArray[np.int64]:
    return np.array([next(i for i, members in enumerate(classes) if letter in members) for letter in STANDARD])


_TRIAD = _class_of(TRIAD_CLASSES)
_GROUPS = np.stack([_class_of(groups) for groups in CTD_GROUPS.values()])


def composition(sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Return shares of residues, pairs, triads and groups, columns as in `COMPOSITION`; 0 where there is nothing.

    Ambiguous letters (B, Z, J, X) count for none of them.

    Shapes: codes uint8 [L] per protein to float32 [P, D].
    """
    rows = [_row(codes) for codes in sequences]
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(COMPOSITION))


def _row(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    residues = RESIDUE[codes]
    known = residues[residues < len(STANDARD)]
    first, second, third = np.unravel_index(words_of(residues, 20, 3), (len(STANDARD),) * 3)
    triads = (_TRIAD[first] * 7 + _TRIAD[second]) * 7 + _TRIAD[third]
    groups = _GROUPS[:, known]
    return np.concatenate(
        [
            [np.log10(max(len(codes), 1))],
            _shares(known, 20),
            _shares(words_of(residues, 20, 2), 400),
            _shares(triads, 343),
            *(_shares(along, 3) for along in groups),
            *(_transitions(along) for along in groups),
            *(_places(along) for along in groups),
        ]
    )


def _shares(values: NDArray[np.int64], kinds: int) -> NDArray[np.float64]:
    return np.bincount(values, minlength=kinds) / max(len(values), 1)


def _transitions(along: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how often a residue of one group follows one of another, either way round, as a share of all pairs."""
    between = np.bincount(along[:-1] * 3 + along[1:], minlength=9).reshape(3, 3) / max(len(along) - 1, 1)
    return np.array([between[a, b] + between[b, a] for a, b in PAIRS])


def _places(along: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return where along the chain (0 to 1) the first, 25 %, 50 %, 75 % and all residues of each group are reached."""
    found = []
    for group in range(3):
        at = np.flatnonzero(along == group) + 1
        ranks = [max(int(np.ceil(q * len(at))) - 1, 0) for q in QUARTILES]
        found.append(at[ranks] / len(along) if len(at) else np.zeros(len(QUARTILES)))
    return np.concatenate(found)
