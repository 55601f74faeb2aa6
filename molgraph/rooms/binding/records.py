"""Atom records of PDB, PDBQT and mmCIF files as columns; nothing is chosen or left out here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from molgraph.rooms.binding.residues import AMINO, NUCLEOTIDES, SPELLED, WATERS
from molgraph.rooms.molecule.standardise import Refusal

FARTHEST = 1e6  # angstrom: 0.1 mm, beyond any molecule; also of what is no number
PDB_FILES = (".pdb", ".ent", ".pdbqt")
CIF_FILES = (".cif", ".mmcif")
SPLIT = 3.0  # angstrom between two places of one water; two waters that touch are 2.8 apart
Texts = NDArray[np.str_]
Floats = NDArray[np.float64]

# Columns of an atom record, https://www.wwpdb.org/documentation/file-format-content/format33/sect9.html
_COLUMNS = {"name": (12, 16), "alternate": (16, 17), "residue": (17, 20), "chain": (21, 22), "number": (22, 27)}
_PLACE = ((30, 38), (38, 46), (46, 54))
_OCCUPANCY, _ELEMENT = (54, 60), (76, 78)
_AUTODOCK = (77, 79)  # the AutoDock atom type of a PDBQT record
# AutoDock 4 atom types that are not spelled as the element, https://autodock.scripps.edu (AD4_parameters.dat)
_AUTODOCK_TYPES = {
    "A": "C",
    "OA": "O",
    "OS": "O",
    "NA": "N",
    "NS": "N",
    "SA": "S",
    "HD": "H",
    "HS": "H",
    "G": "",
    "W": "O",
}
_ITEM = re.compile(r"""'((?:[^']|'(?=\S))*)'(?=\s|$)|"((?:[^"]|"(?=\S))*)"(?=\s|$)|(\S+)""")
_UNCERTAIN = re.compile(r"(?<=[\d.])\(\d+\)$")
_ITEMS = {
    "name": ("auth_atom_id", "label_atom_id"),
    "alternate": ("label_alt_id",),
    "residue": ("auth_comp_id", "label_comp_id"),
    "chain": ("auth_asym_id", "label_asym_id"),
    "number": ("auth_seq_id", "label_seq_id"),
}


@dataclass(frozen=True)
class Records:
    """Hold the atom records of one model.

    Shapes: `name`, `alternate`, `residue` (name), `chain`, `number` (with its insertion code) text [N];
    `element` int16 [N], 0 for what is no atom; `xyz` float64 [N, 3]; `occupancy` float64 [N].
    """

    name: Texts
    alternate: Texts
    residue: Texts
    chain: Texts
    number: Texts
    element: NDArray[np.int16]
    xyz: NDArray[np.float64]
    occupancy: NDArray[np.float64]

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Records:
        """Return some of the records."""
        return Records(**{name: column[rows] for name, column in vars(self).items()})


def parse(text: str, suffix: str) -> Records | Refusal:
    """Read the first model of a file's text in the format that `suffix` names."""
    return _mmcif(text) if suffix in CIF_FILES else _pdb(text, docked=suffix == ".pdbqt")


def _pdb(text: str, *, docked: bool) -> Records | Refusal:
    lines = list(_first_model(text.splitlines()))
    if not lines:
        return Refusal("no_atoms", "the file has no ATOM or HETATM record")
    table = np.array([line.ljust(80)[:80] for line in lines], dtype="U80").view("U1").reshape(len(lines), 80)
    field = {name: _stripped(table, *at) for name, at in _COLUMNS.items()}
    places = [_numbers(_stripped(table, *at)) for at in _PLACE]
    xyz = np.stack(places, axis=1)
    wrong = np.flatnonzero(~(np.abs(xyz) < FARTHEST).all(axis=1))
    if len(wrong):
        return Refusal("no_coordinates", f"'{lines[wrong[0]][:54].strip()}' has no coordinates")
    symbols = _stripped(table, *(_AUTODOCK if docked else _ELEMENT))
    raw_names = table[:, 12:16]
    element = [
        _autodock(symbol) if docked and symbol else _element(symbol, "".join(raw), residue)
        for symbol, raw, residue in zip(symbols.tolist(), raw_names, field["residue"].tolist(), strict=True)
    ]
    occupancy = _full(_numbers(_stripped(table, *_OCCUPANCY)))
    return Records(
        **field,
        element=np.array(element, np.int16),
        xyz=xyz,
        occupancy=occupancy,
    )


def _first_model(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith(("ATOM  ", "HETATM")):
            yield line
        elif line.startswith("ENDMDL"):
            return


def _stripped(table: NDArray[np.str_], begin: int, end: int) -> Texts:
    cells = np.ascontiguousarray(table[:, begin:end]).view(f"U{end - begin}").ravel()
    stripped: Texts = np.char.strip(cells)
    return stripped


def _numbers(cells: Texts) -> NDArray[np.float64]:
    """Return numbers, NaN where a cell holds none."""
    try:
        return cells.astype(np.float64)
    except ValueError:
        return np.array([_number(cell) for cell in cells.tolist()], dtype=np.float64)


def _measured(cells: Texts) -> Floats:
    """Return the numbers of an mmCIF column; the uncertainty of the last digits, as in 1.458(4), is left out.

    See: International Tables for Crystallography G, 2.2.7.3 (a number with its standard uncertainty)
    """
    if (np.char.find(cells, "(") < 0).all():
        return _numbers(cells)
    return _numbers(np.array([_UNCERTAIN.sub("", cell) for cell in cells.tolist()], dtype=np.str_))


def _full(found: Floats) -> Floats:
    """Return occupancies; one that is not given is 1."""
    return np.where(np.isfinite(found), found, 1.0)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _element(symbol: str, name: str, residue: str) -> int:
    """Return the atomic number from the element columns, else from the atom's name (` CA ` carbon, `CA  ` calcium)."""
    found = _ATOMIC.get(symbol.upper())
    if found is not None:
        return found
    letters = name.strip().lstrip("0123456789")
    known = SPELLED.get(residue, residue) in AMINO or residue in NUCLEOTIDES or residue in WATERS
    if known or name[:1] in " 0123456789":
        return _ATOMIC.get(letters[:1].upper(), 0)
    return _ATOMIC.get(letters[:2].upper().rstrip(), 0) or _ATOMIC.get(letters[:1].upper(), 0)


def _autodock(kind: str) -> int:
    return _ATOMIC.get(_AUTODOCK_TYPES.get(kind, kind).upper(), 0)


def _mmcif(text: str) -> Records | Refusal:
    names, rows = _atom_site(text)
    if not rows:
        return Refusal("no_atoms", "the file has no _atom_site loop with atoms")
    if any(len(row) != len(names) for row in rows):
        return Refusal("damaged", "the _atom_site loop is cut short: its items do not fill its columns")
    at = {name: column for column, name in enumerate(names)}
    missing = [item for item in ("Cartn_x", "Cartn_y", "Cartn_z", "type_symbol") if item not in at]
    if missing:
        return Refusal("damaged", f"the _atom_site loop has no {', '.join(missing)}")
    if "pdbx_PDB_model_num" in at:
        first = rows[0][at["pdbx_PDB_model_num"]]
        rows = [row for row in rows if row[at["pdbx_PDB_model_num"]] == first]
    cells = np.array(rows, dtype=np.str_)

    def column(*items: str) -> Texts:
        """Return of each atom the first of these items that is given."""
        found = np.full(len(cells), "", dtype=cells.dtype)
        for item in (item for item in items if item in at):
            given = cells[:, at[item]]
            found = np.where((found == "") & ~np.isin(given, (".", "?")), given, found)
        return found

    fields = {name: column(*items) for name, items in _ITEMS.items()}
    fields["number"] = np.char.add(fields["number"], column("pdbx_PDB_ins_code"))
    xyz = np.stack([_measured(column(f"Cartn_{axis}")) for axis in "xyz"], axis=1)
    wrong = np.flatnonzero(~(np.abs(xyz) < FARTHEST).all(axis=1))
    if len(wrong):
        shown = " ".join(column(f"Cartn_{axis}")[wrong[0]] or "?" for axis in "xyz")
        what = f"atom {wrong[0] + 1} of the _atom_site loop has no coordinates: '{shown[:60]}'"
        return Refusal("no_coordinates", what)
    fields["number"] = _numbered(**fields, xyz=xyz)
    element = np.array([_ATOMIC.get(symbol.upper(), 0) for symbol in column("type_symbol").tolist()], np.int16)
    return Records(**fields, element=element, xyz=xyz, occupancy=_full(_measured(column("occupancy"))))


def _numbered(name: Texts, alternate: Texts, residue: Texts, chain: Texts, number: Texts, xyz: Floats) -> Texts:
    """Return residue numbers, counted (".1", ".2", ...) where none is given, as of waters that have labels only.

    There a residue ends where its chain or name does, or where an atom comes again: without a letter, or with one that
    is another place of none of those before, of waters of none near enough.
    """
    if (number != "").all():
        return number
    found, count, now, run = number.tolist(), 0, "", _Run("")
    for row, of in enumerate(zip(name.tolist(), alternate.tolist(), strict=True)):
        if found[row]:
            now = ""
            continue
        place = f"{chain[row]} {residue[row]}"
        if place != now:
            now, run = place, _Run(str(residue[row]))
        where = run.place_of(*of, xyz[row])
        if where is None:
            count += 1
            where = count
        run.add(*of, xyz[row], where)
        found[row] = f".{where}"
    return np.array(found, dtype=np.str_)


class _Run:
    """Gather the atoms of residues without numbers, one after the other, of one chain and name."""

    def __init__(self, residue: str) -> None:
        self.water = residue in WATERS
        self.letters: dict[tuple[int, str], set[str]] = {}  # of an atom in a residue
        self.near: dict[
            tuple[str, tuple[int, ...]], list[tuple[int, Floats]]
        ] = {}  # atoms with letters, by their place
        self.last: int | None = None

    def place_of(self, name: str, letter: str, xyz: Floats) -> int | None:
        """Return the residue of which this is an atom, None where it is of a new one."""
        there = [] if not letter else [
            (float(np.sum((at - xyz) ** 2)), residue)
            for cell in self._cells(xyz)
            for residue, at in self.near.get((name, cell), ())
            if not self.letters[residue, name] & {letter, ""}
        ]  # fmt: skip
        if there and (not self.water or min(there)[0] <= SPLIT**2):
            return min(there)[1]
        return self.last if self.last is not None and (self.last, name) not in self.letters else None

    def add(self, name: str, letter: str, xyz: Floats, residue: int) -> None:
        self.letters.setdefault((residue, name), set()).add(letter)
        if letter:
            self.near.setdefault((name, self._cell(xyz)), []).append((residue, xyz))
        self.last = residue

    def _cell(self, xyz: Floats) -> tuple[int, ...]:
        """Return in which cube of space a water lies; other residues lie in one, as their places may be far apart."""
        return tuple(int(v) for v in np.floor(xyz / SPLIT)) if self.water else ()

    def _cells(self, xyz: Floats) -> Iterator[tuple[int, ...]]:
        middle = self._cell(xyz)
        return (tuple(map(sum, zip(middle, off, strict=True))) for off in product((-1, 0, 1), repeat=len(middle)))


def _atom_site(text: str) -> tuple[list[str], list[list[str]]]:
    """Return the item names and the rows of the `_atom_site` loop, https://mmcif.wwpdb.org (PDBx/mmCIF)."""
    lines = iter(text.splitlines())
    names: list[str] = []
    for line in lines:
        if line.startswith("_atom_site."):
            names.append(line.split()[0].removeprefix("_atom_site."))
        elif names:
            break
    else:
        return names, []
    return names, list(_rows(line, lines, len(names)))


def _rows(first: str, lines: Iterator[str], width: int) -> Iterator[list[str]]:
    """Yield rows until the loop ends; a row may span lines."""
    row: list[str] = []
    line: str | None = first
    while line is not None and not line.startswith(("loop_", "_", "data_")):
        row += _items(line) if not line.startswith("#") else ()  # a comment ends no loop
        if len(row) >= width:
            yield row
            row = []
        line = next(lines, None)
    if row:
        yield row


def _items(line: str) -> Sequence[str]:
    if "'" not in line and '"' not in line:
        return line.split()
    return [single or double or plain for single, double, plain in _ITEM.findall(line)]


def _symbols() -> dict[str, int]:
    table = Chem.GetPeriodicTable()
    return {table.GetElementSymbol(number).upper(): number for number in range(1, 119)} | {"D": 1, "T": 1}


_ATOMIC = _symbols()
