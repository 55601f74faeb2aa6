"""The letters of a protein sequence, what each of them stands for, and how a text becomes such letters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from molgraph.data.labels import MISSING

STANDARD = "ACDEFGHIKLMNPQRSTVWY"
# IUPAC-IUB letters for what is not one of the twenty, and the residues they are read as: an ambiguous letter is
# each of its residues in equal shares, selenocysteine a cysteine, pyrrolysine a lysine.
# See: https://doi.org/10.1351/pac198456050595 (B, Z, X), https://www.uniprot.org/help/sequences (U, O), J: I or L.
READ_AS = {"B": "DN", "Z": "EQ", "J": "IL", "X": STANDARD, "U": "C", "O": "K"}
LETTERS = STANDARD + "".join(READ_AS)
UNKNOWN = LETTERS.index("X")
GAPS = "-."
# Chignolin, of 10 residues, is the smallest peptide known to fold as proteins do; what is shorter is a ligand (oxytocin
# has 9) or a name: EGFR, KIT and TXK are spelled in residues.
# See: Honda 2004, https://doi.org/10.1016/j.str.2004.05.022
LEAST = 10
NUCLEOTIDES = frozenset("ACGTUN")
NAME = "gene_name"

_CODE = np.zeros(256, dtype=np.uint8)
_CODE[np.frombuffer(LETTERS.encode(), dtype=np.uint8)] = np.arange(len(LETTERS), dtype=np.uint8)
_FOREIGN = re.compile(rf"[^{LETTERS}{LETTERS.lower()}\s{re.escape(GAPS)}]")
_DROPPED = re.compile(rf"[\s{re.escape(GAPS)}]+")
_ODD = re.compile(rf"[^{LETTERS}]")
CALLED = re.compile(r"[A-Za-z][\w()./-]{1,29}", re.ASCII)  # EGFR, P00533, Abl-1, JAK2(JH1domain-catalytic)


class Refusal(NamedTuple):
    """Say why a text is no protein: a status word and a sentence."""

    reason: str
    message: str


EMPTY = Refusal("empty", "there is no sequence")


def standardised(text: str) -> str | Refusal:
    """Bring a sequence to upper-case letters: white space, gaps (- and .) and stops (*) at its end are left out.

    >>> standardised(" mkt-ay IA*"), standardised("MK1").reason
    ('MKTAYIA', 'invalid_sequence')
    """
    body = text.rstrip("* \t\r\n")
    found = _FOREIGN.search(body)
    if found:
        return _foreign(found)
    return _DROPPED.sub("", body).upper() or EMPTY


def as_written(text: str) -> str | Refusal:
    """Take a sequence as it stands, apart from white space around it; anything but the 26 letters is refused."""
    body = text.strip()
    found = _ODD.search(body)
    return _foreign(found) if found else body or EMPTY


def protein(text: str, read: Callable[[str], str | Refusal]) -> str | Refusal:
    """Read a text, and refuse letters that are no protein, or too little of one to say which.

    >>> [protein(text, standardised).reason for text in ("EGFR", "nan", "XXXXXXXXXXXX", "ACGTTGCAACGT")]
    ['gene_name', 'empty', 'no_residues', 'nucleotides']
    """
    if text.strip().lower() in MISSING:
        return EMPTY
    letters = read(text)
    refusal = letters if isinstance(letters, Refusal) else _unlike(letters)
    if refusal and refusal.reason in ("invalid_sequence", "too_short") and CALLED.fullmatch(text.strip()):
        return Refusal(
            NAME, f"{refusal.message.partition(';')[0]}; '{text.strip()}' looks like the name of a gene or a protein"
        )
    return refusal or letters


def _unlike(letters: str) -> Refusal | None:
    """Say why letters are no protein, if they are none."""
    known = len(letters) - letters.count("X")
    if not known:
        return Refusal("no_residues", "every residue is X, so nothing is known of the protein")
    if known < LEAST:
        return Refusal("too_short", f"too short for a sequence: {known} known residues, of {LEAST} at least")
    if NUCLEOTIDES.issuperset(letters):
        return Refusal("nucleotides", "a sequence of nucleotides (A, C, G, T, U, N); translate it to residues")
    return None


def _foreign(found: re.Match[str]) -> Refusal:
    return Refusal(
        "invalid_sequence",
        f"character {found[0]!r} at place {found.start() + 1} is no residue; known are {''.join(sorted(LETTERS))}, "
        "gaps - and ., and * at the end",
    )


def codes_of(sequence: str) -> NDArray[np.uint8]:
    """Return the place of each letter in `LETTERS`: uint8 [L]."""
    return _CODE[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]


def shares() -> NDArray[np.float32]:
    """Return for each letter the share of each standard residue in what it stands for: float32 [26, 20].

    >>> shares()[LETTERS.index("B")].nonzero()[0].tolist()  # D and N
    [2, 11]
    """
    table = np.zeros((len(LETTERS), len(STANDARD)), dtype=np.float32)
    for row, letter in zip(table, LETTERS, strict=True):
        meant = READ_AS.get(letter, letter)
        row[[STANDARD.index(one) for one in meant]] = 1 / len(meant)
    return table
