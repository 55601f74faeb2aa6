"""Proteins out of files: conformations, residues, bonds, sequences; on made-up and on real ones."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pockets import SEQUENCE, Made, Unzip, atom_line

from molgraph.rooms.binding import structure as structures
from molgraph.rooms.binding.ligand import read_poses
from molgraph.rooms.binding.residues import COFACTOR, ION, MODIFIED, NUCLEOTIDE, POLYMER_LAST, WATER
from molgraph.rooms.binding.structure import STRUCTURE_FILES, Structure, structure
from molgraph.rooms.molecule.standardise import Refusal


def made(path: Path) -> Structure:
    found = structure(str(path))
    assert isinstance(found, Structure), found
    return found


def written(folder: Path, *lines: str) -> Structure:
    path = folder / "made.pdb"
    path.write_text("".join(lines), encoding="utf-8")
    return made(path)


def mmcif_of(found: Structure, names: list[str]) -> str:
    """Write the atoms of a structure as an mmCIF file does."""
    given = "group_PDB type_symbol label_atom_id label_comp_id auth_asym_id auth_seq_id Cartn_x Cartn_y Cartn_z"
    items = given.split(" ")
    rows = [
        f"ATOM {'CNOS'[(6, 7, 8, 16).index(int(element))]} {name} {label.split(':')[1][:3]} A {label[5:]} "
        + " ".join(f"{c:.3f}" for c in xyz)
        for name, element, xyz, label in zip(
            names, found.element, found.xyz, (found.label[r] for r in found.residue), strict=True
        )
    ]
    return "\n".join(["data_T", "loop_", *(f"_atom_site.{item}" for item in items), *rows, "#", ""])


def test_a_peptide(files: Path, complex_made: Made) -> None:
    found = made(files / "receptor.pdb")
    heavy = complex_made.peptide.GetNumHeavyAtoms()
    assert len(found) == heavy and found.sequences == [SEQUENCE]
    assert len(found.kind) == len(SEQUENCE) and not found.missing.any()
    assert len(found.bonds) == sum(
        b.GetBeginAtom().GetAtomicNum() > 1 and b.GetEndAtom().GetAtomicNum() > 1
        for b in complex_made.peptide.GetBonds()
    )


def test_the_format_does_not_matter(files: Path, tmp_path: Path) -> None:
    plain = made(files / "receptor.pdb")
    text = (files / "receptor.pdb").read_text(encoding="utf-8")
    atoms = [line for line in text.splitlines() if line.startswith("ATOM")]
    names = [line[12:16].strip() for line in atoms if line[76:78].strip() != "H"]
    (tmp_path / "same.pdb.gz").write_bytes(gzip.compress(text.encode()))
    docked = [line[:70] + f"  0.000 {line[77]:<2}" for line in atoms]
    (tmp_path / "same.pdbqt").write_text("\n".join(docked), encoding="utf-8")
    (tmp_path / "same.cif").write_text(mmcif_of(plain, names), encoding="utf-8")
    for name in ("same.pdb.gz", "same.pdbqt", "same.cif"):
        other = made(tmp_path / name)
        np.testing.assert_allclose(other.xyz, plain.xyz, atol=1e-3)
        np.testing.assert_array_equal(other.codes, plain.codes)
        np.testing.assert_array_equal(other.bonds, plain.bonds)
        assert (other.label, other.letter) == (plain.label, plain.letter)


def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    first = written(tmp_path, atom_line(1, "CA", "ALA", (0, 0, 0), element="C"))
    assert made(tmp_path / "made.pdb") is first
    again = written(tmp_path, *(atom_line(n, "CA", "ALA", (n, 0, 0), element="C", number=n) for n in (1, 2)))
    assert len(again) == 2


def test_the_alternate_location_that_is_occupied_most_is_kept(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        atom_line(1, "CA", "SER", (0, 0, 0), element="C"),
        *(
            atom_line(n, name, "SER", (n, 0, 0), element="O", alternate=letter, occupancy=share)
            for n, (name, letter, share) in enumerate(
                [("OG", "A", 0.3), ("OG", "B", 0.7), ("O", "A", 0.3), ("O", "B", 0.7)], start=2
            )
        ),
        atom_line(7, "OG", "SER", (20, 0, 0), element="O", number=2, alternate="A", occupancy=0.5),
        atom_line(8, "OG", "SER", (21, 0, 0), element="O", number=2, alternate="B", occupancy=0.5),
    )
    assert found.xyz[:, 0].tolist() == [0, 3, 5, 20]


def test_two_residues_in_one_place_leave_one(tmp_path: Path) -> None:
    """Microheterogeneity: serine and threonine share a number; the one occupied more stays."""
    found = written(
        tmp_path,
        atom_line(1, "CA", "SER", (0, 0, 0), element="C", alternate="A", occupancy=0.4),
        atom_line(2, "CA", "THR", (0, 1, 0), element="C", alternate="B", occupancy=0.6),
        atom_line(3, "CB", "SER", (1, 0, 0), element="C", alternate="A", occupancy=0.4),
        atom_line(4, "CB", "THR", (1, 1, 0), element="C", alternate="B", occupancy=0.6),
    )
    assert found.label == ("A:THR1",) and found.letter == ("T",)


def test_insertion_codes_are_residues_of_their_own(tmp_path: Path) -> None:
    lines = [atom_line(1, "CA", "GLY", (4 * n, 0, 0), element="C", insertion=i) for n, i in enumerate(" AB")]
    assert written(tmp_path, *lines).label == ("A:GLY1", "A:GLY1A", "A:GLY1B")


def test_missing_atoms_are_counted_and_gaps_marked(files: Path, tmp_path: Path) -> None:
    lines = (files / "receptor.pdb").read_text(encoding="utf-8").splitlines(keepends=True)
    gone = [line for line in lines if line[22:26].strip() != "5"]  # the fifth residue
    cut = [line for line in gone if not (line[17:20] == "TRP" and line[12:16].strip() in ("CZ2", "CZ3", "CH2"))]
    found = written(tmp_path, *cut)
    assert found.sequences == ["GASDXHRKFYWC"]
    assert dict(zip(found.label, found.missing.tolist(), strict=True))["A:TRP11"] == 3


def test_waters_ions_and_cofactors(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        atom_line(1, "CA", "ALA", (0, 0, 0), element="C"),
        atom_line(2, "O", "HOH", (1.4, 0, 0), element="O", number=2, record="HETATM"),
        atom_line(3, "ZN", "ZN", (0, 2, 0), element="ZN", number=3, record="HETATM"),
        atom_line(4, "C1", "GOL", (9, 0, 0), element="C", number=4, record="HETATM"),
        atom_line(5, "O1", "GOL", (10.4, 0, 0), element="O", number=4, record="HETATM"),
        atom_line(6, "H1", "GOL", (9, 1, 0), element="H", number=4, record="HETATM"),
    )
    assert found.kind[1:].tolist() == [WATER, ION, COFACTOR]
    assert found.bonds.tolist() == [[3, 4]], "waters and ions are bonded to nothing"


def test_disulphide_bridges_are_bonds(tmp_path: Path) -> None:
    found = written(tmp_path, *(atom_line(n, "SG", "CYS", (2.05 * n, 0, 0), element="S", number=n) for n in (1, 9)))
    assert found.bonds.tolist() == []
    found = written(tmp_path, *(atom_line(n, "SG", "CYS", (2.05 * n, 0, 0), element="S", number=9 * n) for n in (1, 2)))
    assert found.bonds.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("none.pdb", None, "unreadable_file"),
        ("a.xyz", b"1\n", "unknown_format"),
        ("a.pdb", b"", "unreadable_file"),
        ("a.pdb", b"\n", "no_atoms"),
        ("h.pdb", atom_line(1, "H", "ALA", (0, 0, 0), element="H").encode(), "no_atoms"),
        ("cut.pdb.gz", gzip.compress(b"ATOM" * 1000, mtime=0)[:40], "unreadable_file"),
    ],
)
def test_files_that_give_no_structure_say_why(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    found = structure(str(tmp_path / name))
    assert isinstance(found, Refusal) and found.reason == reason and name in found.message


def test_raw_files_of_the_protein_data_bank(unzipped: Unzip, shared_data: Path) -> None:
    """DNA, RNA, metals, glycans, several models, alternate locations: each is read, none with an atom twice."""
    index = pd.read_csv(shared_data / "structures" / "raw_pdb_index.csv", keep_default_na=False)
    paths = {path.stem: path for path in unzipped("raw_pdb", None).rglob("*.pdb")}
    assert set(paths) == set(index["pdb_id"]) and len(paths) == 14
    for name, path in paths.items():
        found = made(path)
        polymer = found.kind[found.residue] <= POLYMER_LAST
        assert polymer.sum() > 400, name
        nearest = np.linalg.norm(found.xyz[found.bonds[:, 0]] - found.xyz[found.bonds[:, 1]], axis=1)
        assert nearest.min() > 0.9 and nearest.max() < 3.1, name
        assert len(np.unique(found.xyz.round(3), axis=0)) == len(found), name
    kinds = {name: set(made(path).kind.tolist()) for name, path in paths.items()}
    assert NUCLEOTIDE in kinds["5ddr"] and ION in kinds["1vfy"] and MODIFIED in kinds["1xdn"]
    assert COFACTOR in kinds["2q8q"], "heme"
    zinc = [label for label in made(paths["1rmd"]).label if "ZN" in label]
    assert len(zinc) == 4


def test_full_proteins(unzipped: Unzip) -> None:
    paths = list(unzipped("full_proteins_12", None).rglob("*.pdb"))
    assert len(paths) == 12
    for path in paths:
        found = made(path)
        assert 50 <= sum(len(s.replace("X", "")) for s in found.sequences) < 200
        assert found.missing.sum() < 20


def test_known_formats() -> None:
    assert set(STRUCTURE_FILES) == {".pdb", ".ent", ".pdbqt", ".cif", ".mmcif"}


def test_atoms_that_only_a_lesser_location_has_are_filled_in(tmp_path: Path) -> None:
    """The lesser location is modelled further out than the one that counts; nothing of another residue comes in."""
    atoms = [
        ("CA", " ", 1.0), ("CG", "A", 0.3), ("CD", "A", 0.3), ("CE", "A", 0.3), ("CE", "B", 0.7), ("NZ", "A", 0.3),
        ("NZ", "B", 0.7), ("OX", "C", 0.1), ("OX", "D", 0.2),
    ]  # fmt: skip
    lines = [
        atom_line(n, name, "LYS", (2 * n, 0, 0), element=name[0], alternate=letter, occupancy=share)
        for n, (name, letter, share) in enumerate(atoms)
    ]
    other = [
        atom_line(20, "CA", "SER", (40, 0, 0), element="C", number=2, alternate="A", occupancy=0.4),
        atom_line(21, "OG", "SER", (42, 0, 0), element="O", number=2, alternate="A", occupancy=0.4),
        atom_line(22, "CA", "ALA", (44, 0, 0), element="C", number=2, alternate="B", occupancy=0.6),
        atom_line(23, "CB", "ALA", (46, 0, 0), element="C", number=2, alternate="B", occupancy=0.6),
    ]
    found = written(tmp_path, *lines, *other)
    assert (found.xyz[:, 0] / 2).tolist() == [0, 1, 2, 4, 6, 8, 22, 23]
    assert found.label == ("A:LYS1", "A:ALA2")


SERINE, ARGININE = ("N", "CA", "C", "O", "CB", "OG"), ("N", "CA", "C", "O", "CB", "CG", "CD", "NE", "CZ", "NH1", "NH2")


def letters(names: tuple[str, ...], residue: str, letter: str, share: float, at: float, number: int = 1) -> list[str]:
    return [
        atom_line(
            n, name, residue, (2 * n, at, 0), element=name[0], alternate=letter, occupancy=share, number=number
        )
        for n, name in enumerate(names)
    ]  # fmt: skip


def test_a_larger_residue_is_not_the_one_that_is_occupied_most(tmp_path: Path) -> None:
    small, large = letters(SERINE, "SER", "A", 0.6, 0), letters(ARGININE, "ARG", "B", 0.4, 1)
    for lines in (small + large, large + small):
        found = written(tmp_path, *lines)
        assert found.label == ("A:SER1",) and len(found) == 6
    # what both have decides: a side chain that is hardly there does not count against its residue
    faint = letters(ARGININE[:5], "ARG", "B", 0.55, 1) + letters(ARGININE[5:], "ARG", "B", 0.1, 2)
    found = written(tmp_path, *letters(SERINE, "SER", "A", 0.45, 0), *faint)
    assert found.label == ("A:ARG1",) and len(found) == 11


@pytest.mark.parametrize("backbone", ["SER", "THR"])
def test_a_backbone_without_letters_belongs_to_the_residue_that_counts(backbone: str, tmp_path: Path) -> None:
    lines = [
        *letters(("N", "CA", "C", "O"), backbone, " ", 1.0, 0),
        *letters(("CB", "OG"), "SER", "A", 0.3, 3),
        *letters(("CB", "OG1", "CG2"), "THR", "B", 0.7, 6),
    ]
    found = written(tmp_path, *lines)
    assert found.label == ("A:THR1",) and found.letter == ("T",) and found.missing.tolist() == [0]
    assert found.xyz[:, 1].tolist() == [0, 0, 0, 0, 6, 6, 6]
    other = "THR" if backbone == "SER" else "SER"
    twice = written(tmp_path, *letters(("N", "CA", "C", "O"), other, " ", 1.0, 0), *lines)
    assert len(twice) == 7, "a backbone that is written for both is one"


def test_what_only_shares_a_number_in_a_file_without_chains_is_no_alternate_location(tmp_path: Path) -> None:
    lines = [
        *letters(SERINE, "SER", " ", 1.0, 0)[:3],
        *letters(("O", "CB", "OG"), "SER", "A", 0.3, 10),
        *letters(("O", "CB", "OG"), "SER", "B", 0.7, 20),
        *letters(("O",), "HOH", "A", 0.9, 30),
        *letters(("O",), "HOH", "C", 0.1, 31),
        *letters(("S", "O"), "SO4", "A", 1.0, 40),
    ]
    blank = [f"{line[:21]} {line[22:]}" for line in lines]
    for text in (blank, blank[:9] + letters(SERINE, "SER", " ", 1.0, 90, number=2) + blank[9:]):
        found = written(tmp_path, *text)
        mine = found.xyz[found.xyz[:, 1] < 90, 1]
        assert mine.tolist() == [0, 0, 0, 20, 20, 20, 30, 40, 40]


def test_atoms_that_are_called_alike_are_all_kept(tmp_path: Path) -> None:
    """Some programs call every atom of a ligand by its element."""
    plain = [atom_line(n, "C", "LIG", (1.5 * n, 0, 0), element="C", alternate="A") for n in range(6)]
    assert len(written(tmp_path, *plain)) == 6
    both = [atom_line(n, "C", "LIG", (1.5 * n, 5, 0), element="C", alternate="B", occupancy=0.2) for n in range(6)]
    common = [atom_line(n, "C", "LIG", (1.5 * n, -2, 0), element="C") for n in range(3)]
    found = written(tmp_path, *common, *plain, *both)
    assert sorted(found.xyz[:, 1].tolist()) == [-2] * 3 + [0] * 6


def test_an_atom_without_a_letter_beside_one_with_is_one_atom(tmp_path: Path) -> None:
    lines = [
        atom_line(1, "OG", "SER", (0, 0, 0), element="O", occupancy=0.6),
        atom_line(2, "OG", "SER", (1, 0, 0), element="O", alternate="B", occupancy=0.4),
        atom_line(3, "O", "HOH", (9, 0, 0), element="O", number=2, alternate="A", occupancy=0.5),
        atom_line(4, "O", "HOH", (9.5, 0, 0), element="O", number=2, alternate="B", occupancy=0.5),
    ]
    assert written(tmp_path, *lines).xyz[:, 0].tolist() == [1, 9], "the letter's, then the first"


def mmcif_by_labels(*atoms: str) -> str:
    items = "group_PDB type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id Cartn_x Cartn_y"
    names = [f"_atom_site.{item}" for item in [*items.split(), "Cartn_z"]]
    return "\n".join(["data_T", "loop_", *names, *atoms, "#", ""])


def test_mmcif_without_the_authors_numbers(tmp_path: Path) -> None:
    """Waters and ligands have no label number: each is a residue of its own, told by its atoms coming again."""
    path = tmp_path / "a.cif"
    path.write_text(
        mmcif_by_labels(
            "ATOM C CA . GLY A 1 0 0 0",
            "ATOM C CA . ALA A 2 3.8 0 0",
            *(f"HETATM O O . HOH C . {10 + 3 * n} 0 0" for n in range(3)),
            "HETATM C C1 . EDO D . 30 0 0",
            "HETATM O O1 A EDO D . 31.4 0 0",
            "HETATM O O1 B EDO D . 31.4 1 0",
            "HETATM C C1 . EDO E . 40 0 0",
            "HETATM O O1 . EDO E . 41.4 0 0",
        ),
        encoding="utf-8",
    )
    found = made(path)
    kinds = found.kind.tolist()
    assert kinds.count(WATER) == 3 and kinds.count(COFACTOR) == 2 and len(kinds) == 7
    assert found.label[:2] == ("A:GLY1", "A:ALA2") and len(set(found.label)) == 7 and len(found) == 9
    assert found.sequences == ["GXA"], "two residues that no bond joins"


@pytest.mark.parametrize(
    ("waters", "places"),
    [
        ([("A", 0), ("A", 10), ("B", 0.5), ("B", 10.5)], [0, 10]),
        ([("A", 0), ("A", 10), ("B", 10.5), ("B", 0.5)], [0, 10]),
        ([("A", 0), ("B", 0.5), ("A", 10), ("B", 10.5)], [0, 10]),
        ([(".", 0), ("A", 10), ("B", 10.5), (".", 20)], [0, 10, 20]),
        ([("A", 0), ("B", 0.5), (".", 10), ("A", 20), ("B", 20.5)], [0, 10, 20]),
        ([("A", 0), ("B", 20)], [0, 20]),  # two waters, each beside a location of something else
        ([("A", 0), (".", 3), (".", 6)], [0, 3, 6]),
        ([("A", 0), ("B", 0.5), ("C", 1.0), ("A", 5)], [0, 5]),
    ],
    ids=str,
)
def test_waters_without_numbers_are_told_apart_by_their_letters_and_places(
    waters: list[tuple[str, float]], places: list[float], tmp_path: Path
) -> None:
    path = tmp_path / "a.cif"
    atoms = [f"HETATM O O {letter} HOH C . {at} 0 0" for letter, at in waters]
    path.write_text(mmcif_by_labels("ATOM C CA . GLY A 1 90 0 0", *atoms), encoding="utf-8")
    found = made(path)
    assert found.xyz[1:, 0].tolist() == places and found.kind.tolist()[1:] == [WATER] * len(places)


def test_a_ligand_without_numbers_may_have_its_locations_far_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.cif"
    atoms = [
        f"HETATM C C{n} {letter} LIG D . {n + shift} 0 0" for letter, shift in (("A", 0), ("B", 9)) for n in (1, 2)
    ]
    path.write_text(mmcif_by_labels(*atoms), encoding="utf-8")
    assert made(path).xyz[:, 0].tolist() == [1, 2]


def test_mmcif_takes_a_label_where_the_authors_item_is_blank(tmp_path: Path) -> None:
    text = mmcif_by_labels("ATOM C CA . GLY A 1 0 0 0", "ATOM C CA . ALA A 2 3.8 0 0")
    text = text.replace("_atom_site.label_alt_id", "_atom_site.auth_seq_id").replace("CA . ALA", "CA 77 ALA")
    path = tmp_path / "a.cif"
    path.write_text(text, encoding="utf-8")
    assert made(path).label == ("A:GLY1", "A:ALA77")


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither pipes nor devices among its files")
def test_what_is_no_file_is_refused_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.pdb")
    with (tmp_path / "b.pdb").open("wb") as file:
        file.truncate(5 << 30)
    for path in ("/dev/zero", tmp_path / "a.pdb", tmp_path / "b.pdb", "x" * 5000 + ".pdb"):
        found, poses = structure(str(path)), list(read_poses(str(path), [0]))
        assert isinstance(found, Refusal) and found.reason == "unreadable_file", path
        assert isinstance(poses[0], Refusal) and poses[0].reason == "unreadable_file", path


def test_a_structure_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pdb.gz").write_bytes(gzip.compress(b"ATOM\n" * 20_000))
    monkeypatch.setattr(structures, "MOST", 50_000)
    found = structure(str(tmp_path / "a.pdb.gz"))
    assert isinstance(found, Refusal) and "unpacks to over 50,000 bytes" in found.message
