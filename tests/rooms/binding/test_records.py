"""Atom records of PDB, PDBQT and mmCIF."""

from __future__ import annotations

import numpy as np
import pytest
from pockets import atom_line

from molgraph.rooms.binding.records import Records, parse
from molgraph.rooms.molecule.standardise import Refusal

HEAD = "data_X\n#\nloop_\n_atom_site.group_PDB\n_atom_site.type_symbol\n_atom_site.label_atom_id\n"
ITEMS = (
    "_atom_site.label_alt_id\n_atom_site.label_comp_id\n_atom_site.auth_asym_id\n_atom_site.auth_seq_id\n"
    "_atom_site.pdbx_PDB_ins_code\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n"
    "_atom_site.occupancy\n_atom_site.pdbx_PDB_model_num\n"
)
ROWS = (
    "ATOM C \"C5'\" . DA B 7 A 1.5 -2 3e1 0.50 1\nHETATM ZN 'ZN' ? ZN C 9 ?\n 4 5 6 ? 1\n"
    "ATOM C CA . ALA A 1 ? 9 9 9 1.00 2\n#\n_other.item 1\n"
)


def read(text: str, suffix: str = ".pdb") -> Records:
    found = parse(text, suffix)
    assert isinstance(found, Records), found
    return found


def test_pdb_columns() -> None:
    line = atom_line(1, "CA", "HIS", (1.5, -2.25, 30), number=57, insertion="A", alternate="B", occupancy=0.4)
    found = read(line)
    assert [str(getattr(found, n)[0]) for n in ("name", "alternate", "residue", "chain", "number")] == [
        "CA",
        "B",
        "HIS",
        "A",
        "57A",
    ]
    assert found.xyz.tolist() == [[1.5, -2.25, 30]] and found.occupancy.tolist() == [0.4]


@pytest.mark.parametrize(
    ("name", "residue", "element", "number"),
    [
        ("CA", "ALA", "", 6),
        ("CA", "ALA", "C", 6),
        ("HG21", "VAL", "", 1),
        ("1HB", "ALA", "", 1),
        ("O", "HOH", "", 8),
        ("P", "DA", "", 15),
        ("C", "LIG", "CL", 17),
        ("X", "LIG", "X", 0),
        ("D", "DOD", "D", 1),
    ],
)
def test_elements(name: str, residue: str, element: str, number: int) -> None:
    assert read(atom_line(1, name, residue, (0, 0, 0), element=element)).element.tolist() == [number]


def test_calcium_and_carbon_are_told_apart_by_the_place_of_the_name() -> None:
    calcium = atom_line(1, "CA", "CA", (0, 0, 0), record="HETATM").replace("  CA  ", " CA   ")
    assert calcium[12:16] == "CA  "
    carbon = atom_line(1, "CA", "LIG", (0, 0, 0), record="HETATM")
    assert [read(line).element[0] for line in (calcium, carbon)] == [20, 6]


def test_only_the_first_model_is_read() -> None:
    line = atom_line(1, "CA", "ALA", (0, 0, 0))
    assert len(read(f"MODEL        1\n{line}ENDMDL\nMODEL        2\n{line}ENDMDL\n").element) == 1


def test_a_blank_occupancy_is_full() -> None:
    assert read(atom_line(1, "CA", "ALA", (0, 0, 0))[:54]).occupancy.tolist() == [1.0]


@pytest.mark.parametrize("place", ["     nan", "        ", "   1.2.3", "     inf"])
def test_coordinates_that_are_none_are_refused(place: str) -> None:
    line = atom_line(1, "CA", "ALA", (0, 0, 0))
    found = parse(line[:30] + place + line[38:], ".pdb")
    assert isinstance(found, Refusal) and found.reason == "no_coordinates" and "CA" in found.message


@pytest.mark.parametrize("suffix", [".pdb", ".pdbqt", ".cif"])
@pytest.mark.parametrize("text", ["", "nonsense\n", "REMARK only\nEND\n"])
def test_a_file_without_atoms_is_refused(text: str, suffix: str) -> None:
    found = parse(text, suffix)
    assert isinstance(found, Refusal) and found.reason == "no_atoms"


@pytest.mark.parametrize(
    ("kind", "number"), [("A", 6), ("C", 6), ("OA", 8), ("NA", 7), ("SA", 16), ("HD", 1), ("Cl", 17), ("Zn", 30)]
)
def test_autodock_types(kind: str, number: int) -> None:
    line = atom_line(1, "X1", "LIG", (1, 2, 3), element="")[:70] + f" 0.123 {kind:<2}\n"
    found = read(line, ".pdbqt")
    assert found.element.tolist() == [number]


def test_mmcif_quotes_blanks_and_rows_over_lines() -> None:
    found = read(HEAD + ITEMS + ROWS, ".cif")
    assert found.name.tolist() == ["C5'", "ZN"] and found.residue.tolist() == ["DA", "ZN"]
    assert found.number.tolist() == ["7A", "9"] and found.chain.tolist() == ["B", "C"]
    assert found.alternate.tolist() == ["", ""] and found.element.tolist() == [6, 30]
    np.testing.assert_array_equal(found.xyz, [[1.5, -2, 30], [4, 5, 6]])
    assert found.occupancy.tolist() == [0.5, 1.0]


def test_a_damaged_mmcif_is_refused() -> None:
    cut = parse(HEAD + ITEMS + "ATOM C CA . ALA A 1 ? 9 9\n", ".cif")
    assert isinstance(cut, Refusal) and cut.reason == "damaged"
    bare = parse(HEAD + "ATOM C CA\n", ".cif")
    assert isinstance(bare, Refusal) and "Cartn_x" in bare.message
    odd = parse(HEAD + ITEMS + "ATOM C CA . ALA A 1 ? 9 ? 9 1 1\n", ".cif")
    assert isinstance(odd, Refusal) and odd.reason == "no_coordinates"


def test_a_comment_ends_no_loop_and_no_atom_lies_beyond_all() -> None:
    head = "\n".join(f"_atom_site.{item}" for item in ("type_symbol", "Cartn_x", "Cartn_y", "Cartn_z"))
    found = parse(f"data_x\nloop_\n{head}\nC 0 0 0\n# half way\nN 1 0 0\n#\n", ".cif")
    assert not isinstance(found, Refusal) and found.element.tolist() == [6, 7]
    far = parse(f"data_x\nloop_\n{head}\nC 0 0 0\nN 1e300 0 0\n#\n", ".cif")
    assert isinstance(far, Refusal) and far.reason == "no_coordinates"


def test_the_uncertainty_of_the_last_digits_is_no_part_of_a_number() -> None:
    head = "\n".join(f"_atom_site.{item}" for item in ("type_symbol", "Cartn_x", "Cartn_y", "Cartn_z", "occupancy"))
    found = parse(f"data_x\nloop_\n{head}\nC 1.458(4) -2.0(12) 3(1) 0.50(2)\nN 1. 0 0 1\n#\n", ".cif")
    assert not isinstance(found, Refusal)
    assert found.xyz.tolist() == [[1.458, -2.0, 3.0], [1, 0, 0]] and found.occupancy.tolist() == [0.5, 1]
    for odd in ("1.458(x)", "(4)", "1.4(5)6", "1.458("):
        wrong = parse(f"data_x\nloop_\n{head}\nC {odd} 0 0 1\n#\n", ".cif")
        assert isinstance(wrong, Refusal) and f"'{odd} 0 0'" in wrong.message
