"""Alternate locations in atom records: which atoms are one residue in several places, and which place counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from molgraph.rooms.binding.records import Records
from molgraph.rooms.binding.residues import WATERS

_DIGITS = 6  # of occupancies that are compared


def one_conformation(records: Records) -> tuple[Records, NDArray[np.int64]]:
    """Return the records with each atom once where a residue has alternate locations, and which ones those are.

    The location that is occupied most counts, on the average of the atoms that all locations have, or else of its own;
    of equal ones the first. An atom that it lacks is taken from where it is occupied most, if the residue there is the
    same. Where two residues share a place, atoms without a letter belong to the one that counts.
    """
    keep = np.ones(len(records.element), dtype=bool)
    called = records.residue.astype(object)
    for rows in _sites(records):
        letter, residue = _occupied_most(records, rows)
        keep[rows] = False
        kept = _kept(records, rows, letter, residue)
        keep[kept] = True
        called[kept] = residue
    whole = np.flatnonzero(keep)
    return replace(records, residue=called.astype(np.str_)).take(whole), whole


def _sites(records: Records) -> Iterator[list[int]]:
    """Yield the rows of each residue that has alternate locations.

    A residue is what stands together under one number, and what goes on under its name later. Two names are two
    residues in one place where each has letters of its own; else they only share a number, as in a file without chains.
    A water is never a place of another residue.
    """
    if not (records.alternate != "").any():
        return
    for rows in _blocks(records):
        letters: dict[str, set[str]] = {}
        for row in rows:
            if records.alternate[row]:
                letters.setdefault(str(records.residue[row]), set()).add(str(records.alternate[row]))
        if sum(map(len, letters.values())) == len(set().union(*letters.values())):
            together = [set(letters)] if letters else []
        else:
            together = [{name} for name in letters]
        for names in together:
            yield [row for row in rows if str(records.residue[row]) in names]


def _blocks(records: Records) -> list[list[int]]:
    blocks: list[list[int]] = []
    of: dict[tuple[str, str, bool], list[tuple[set[str], list[int]]]] = {}
    before = None
    places = zip(records.chain.tolist(), records.number.tolist(), records.residue.tolist(), strict=True)
    for row, (chain, number, residue) in enumerate(places):
        key = (chain, number, residue in WATERS)
        known = of.setdefault(key, [])
        found = known[-1] if known and before == key else next((each for each in known if residue in each[0]), None)
        if found is None:
            found = (set(), [])
            known.append(found)
            blocks.append(found[1])
        found[0].add(residue)
        found[1].append(row)
        before = key
    return blocks


def _occupied_most(records: Records, rows: Sequence[int]) -> tuple[str, str]:
    """Return the letter and the residue that count."""
    atoms: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        if records.alternate[row]:
            found = atoms.setdefault((str(records.alternate[row]), str(records.residue[row])), {})
            found.setdefault(str(records.name[row]), []).append(float(records.occupancy[row]))
    shared = set.intersection(*(set(names) for names in atoms.values()))

    def occupied(of: tuple[str, str]) -> float:
        names = shared or set(atoms[of])
        return round(fmean(each for name in names for each in atoms[of][name]), _DIGITS)

    return max(atoms, key=occupied)


def _kept(records: Records, rows: Sequence[int], letter: str, residue: str) -> list[int]:
    """Return the rows of a residue that has these, each atom once."""
    mine = [row for row in rows if records.residue[row] == residue or not records.alternate[row]]
    written = Counter((records.alternate[row], records.residue[row], records.name[row]) for row in rows)
    if max(written.values()) > 1:  # atoms that are called alike, as by programs that name them by their elements
        return [row for row in mine if records.alternate[row] in ("", letter)]

    def rank(row: int) -> tuple[bool, bool, float, int]:
        of_it = records.alternate[row] == letter, records.residue[row] == residue
        return *of_it, round(float(records.occupancy[row]), _DIGITS), -row

    best: dict[str, int] = {}
    for row in mine:
        best[str(records.name[row])] = max(best.get(str(records.name[row]), row), row, key=rank)
    return sorted(best.values())
