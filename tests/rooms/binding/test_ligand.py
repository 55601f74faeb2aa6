"""Poses out of SDF, MOL2, PDB and PDBQT: the same ligand whatever the format, or the reason for none."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from pockets import LIGAND, Made, Unzip, atom_line, moved, places
from rdkit import Chem
from rdkit.Chem import AllChem
from rdkit.Geometry import Point3D

from molgraph.errors import DataError
from molgraph.rooms.binding.ligand import Ligand, ligand, pose_starts, read_poses
from molgraph.rooms.molecule.standardise import Refusal

MOL2 = """@<TRIPOS>MOLECULE
acetate
 7 6 1 0 0
SMALL
NO_CHARGES

@<TRIPOS>ATOM
 1 C1 0.000 0.000 0.100 C.3 1 ACT 0.0
 2 C2 1.500 0.000 0.000 C.2 1 ACT 0.0
 3 O1 2.100 1.100 0.000 O.co2 1 ACT 0.0
 4 O2 2.100 -1.100 0.000 O.co2 1 ACT 0.0
 5 H1 -0.400 1.000 0.000 H 1 ACT 0.0
 6 H2 -0.400 -0.500 0.900 H 1 ACT 0.0
 7 H3 -0.400 -0.500 -0.900 H 1 ACT 0.0
@<TRIPOS>BOND
 1 1 2 1
 2 2 3 ar
 3 2 4 ar
 4 1 5 1
 5 1 6 1
 6 1 7 1
"""


def made(record: str, path: str = "a.sdf", template: str = "") -> Ligand:
    found = ligand(record, path, template)
    assert isinstance(found, Ligand), found
    return found


def refused(record: str, path: str = "a.sdf", template: str = "") -> Refusal:
    found = ligand(record, path, template)
    assert isinstance(found, Refusal), found
    return found


def pdb_of(given: Made, hydrogens: bool = True) -> str:
    return Chem.MolToPDBBlock(given.ligand if hydrogens else Chem.RemoveHs(given.ligand), flavor=2)


def drawn(text: str) -> Chem.Mol:
    mol = Chem.MolFromSmiles(text)
    mol.AddConformer(Chem.Conformer(mol.GetNumAtoms()))
    return mol


def test_atoms_stand_in_the_order_of_the_smiles(complex_made: Made) -> None:
    found = made(complex_made.sdf)
    assert found.smiles == Chem.CanonSmiles(LIGAND)
    again = Chem.MolFromSmiles(found.smiles)
    assert again.GetNumAtoms() == len(found.xyz)
    for bond in again.GetBonds():
        length = np.linalg.norm(found.xyz[bond.GetBeginAtomIdx()] - found.xyz[bond.GetEndAtomIdx()])
        assert 1.2 < length < 1.6


def test_the_order_of_atoms_in_the_file_does_not_matter(complex_made: Made) -> None:
    order = np.random.default_rng(0).permutation(complex_made.ligand.GetNumAtoms()).tolist()
    other = made(Chem.MolToMolBlock(Chem.RenumberAtoms(complex_made.ligand, order)))
    mine = made(complex_made.sdf)
    assert other.smiles == mine.smiles
    # the carbons of the ring beside each other may change places: the molecule is symmetric
    np.testing.assert_allclose(np.sort(other.xyz, axis=0), np.sort(mine.xyz, axis=0), atol=1e-4)


@pytest.mark.parametrize("hydrogens", [True, False])
@pytest.mark.parametrize("suffix", [".pdb", ".pdbqt", ".ent"])
def test_bond_orders_come_from_the_template(complex_made: Made, hydrogens: bool, suffix: str) -> None:
    text = pdb_of(complex_made, hydrogens)
    if suffix == ".pdbqt":
        text = "\n".join(line[:77] + line[77:78] for line in text.splitlines())
    found = made(text, f"a{suffix}", LIGAND)
    mine = made(complex_made.sdf)
    assert found.smiles == mine.smiles
    np.testing.assert_allclose(np.sort(found.xyz, axis=0), np.sort(mine.xyz, axis=0), atol=2e-3)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "no_bond_orders"),
        ("nonsense", "invalid_smiles"),
        ("CC(=O)Nc1ccccc1", "template_mismatch"),
        ("CC(=O)Nc1cccc(O)c1", "template_mismatch"),
    ],
)
def test_a_template_that_does_not_fit_is_refused(complex_made: Made, template: str, reason: str) -> None:
    assert refused(pdb_of(complex_made), "a.pdb", template).reason == reason


def test_a_pdb_without_atoms_is_refused() -> None:
    assert refused("END\n", "a.pdb", "CCO").reason == "no_atoms"
    far = "".join(atom_line(n, "C1", "LIG", (9 * n, 0, 0), element="C") for n in (1, 2))
    assert refused(far, "a.pdb", "CC").reason == "template_mismatch"


def test_mol2() -> None:
    found = made(MOL2, "a.mol2")
    assert found.smiles == "CC(=O)O" and found.xyz.shape == (4, 3)


def test_charges_are_neutralised() -> None:
    block = Chem.MolToMolBlock(embedded("[NH3+]CC(=O)[O-]"))
    assert made(block).smiles == "NCC(=O)O"


def test_stereo_is_that_of_the_coordinates() -> None:
    mol = embedded("C[C@H](N)C(=O)O")
    mirrored = moved(mol, places(mol) * [-1, 1, 1])
    one, other = made(Chem.MolToMolBlock(mol)), made(Chem.MolToMolBlock(mirrored))
    assert one.smiles != other.smiles
    assert Chem.CanonSmiles(one.smiles, useChiral=0) == Chem.CanonSmiles(other.smiles, useChiral=0)


def embedded(smiles: str) -> Chem.Mol:
    from pockets import embedded as with_places

    return with_places(Chem.MolFromSmiles(smiles))


def test_what_a_substructure_search_asks_is_left_out(complex_made: Made) -> None:
    """Some programs write into every bond whether it is in a ring, and hydrogens into groups of atoms."""
    lines = Chem.MolToMolBlock(complex_made.ligand, kekulize=False).splitlines()
    atoms, bonds = int(lines[3][:3]), int(lines[3][3:6])
    first = 4 + atoms
    asked = [f"{line[:9]}  0  0  {1 + (n % 2)}" for n, line in enumerate(lines[first : first + bonds])]
    groups = ["M  STY  1   1 DAT", "M  SAL   1  1   1", "M  SED   1 [#6&h3]"]
    block = "\n".join([*lines[:first], *asked, *groups, "M  END"])
    assert made(block).smiles == Chem.CanonSmiles(LIGAND)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")), "flat"),
        (Chem.MolToMolBlock(drawn("CCO")), "no_coordinates"),
        ("nonsense", "invalid_molblock"),
        ("", "invalid_molblock"),
        (Chem.MolToMolBlock(Chem.MolFromSmiles("")), "no_atoms"),
    ],
)
def test_records_that_are_no_pose_say_why(block: str, reason: str) -> None:
    assert refused(block).reason == reason


def test_a_drawing_is_no_pose(complex_made: Made) -> None:
    flat = moved(complex_made.ligand, places(complex_made.ligand) * [1, 1, 0])
    assert refused(Chem.MolToMolBlock(flat)).reason == "flat"
    tilted = moved(complex_made.ligand, places(complex_made.ligand) * [1, 1, 0] + [0, 0, 12.5])
    assert made(Chem.MolToMolBlock(tilted)).smiles == Chem.CanonSmiles(LIGAND)


def test_a_coordinate_that_is_no_number_is_refused(complex_made: Made) -> None:
    lines = complex_made.sdf.splitlines()
    lines[4] = "       nan" + lines[4][10:]
    assert refused("\n".join(lines)).reason in ("no_coordinates", "invalid_molblock")


def test_poses_are_found_by_number(complex_made: Made, tmp_path: Path) -> None:
    names = [f"pose {n}" for n in range(1, 6)]
    records = []
    for name in names:
        complex_made.ligand.SetProp("_Name", name)
        records.append(complex_made.sdf.replace("M  END\n", f"M  END\n>  <n>\n{name}\n\n"))
    complex_made.ligand.ClearProp("_Name")
    files = {
        "a.sdf": "".join(records),
        "blank.sdf": "".join(records) + "\n\n",
        "open.sdf": "".join(records).removesuffix("$$$$\n"),
        "a.mol2": "# made by hand\n" + "".join(MOL2.replace("acetate", name) for name in names),
        "a.pdb": "".join(f"MODEL {n}\nREMARK {name}\nENDMDL\n" for n, name in enumerate(names)),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="\n")
        packed = tmp_path / f"{name}.gz"
        packed.write_bytes(gzip.compress(text.encode()))
        for where in (path, packed):
            assert len(pose_starts(str(where))) == 6, where
            found = list(read_poses(str(where), [4, 2, 2]))
            assert ["pose 2" in str(r) for r in found] == [True, True, False] and "pose 4" in str(found[2])
            assert sum("pose" in str(r) and "pose 3" in str(r) for r in found) == 0


def test_a_number_is_asked_for_where_there_are_several(complex_made: Made, tmp_path: Path) -> None:
    path = tmp_path / "a.sdf"
    path.write_text(complex_made.sdf * 2, encoding="utf-8")
    zero, third = read_poses(str(path), [0, 3])
    assert isinstance(zero, Refusal) and zero.reason == "ambiguous_pose" and "2 poses" in zero.message
    assert isinstance(third, Refusal) and third.reason == "no_such_pose"
    path.write_text(complex_made.sdf, encoding="utf-8")
    assert [isinstance(r, str) for r in read_poses(str(path), [0, 1])] == [True, True]


def test_files_that_cannot_be_read_refuse_every_pose(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("1", encoding="utf-8")
    (tmp_path / "a.sdf.zst").write_bytes(b"")
    (tmp_path / "cut.sdf.gz").write_bytes(gzip.compress(b"x" * 9999)[:30])
    for name in ("none.sdf", "a.xyz", "a.sdf.zst", "cut.sdf.gz"):
        found = list(read_poses(str(tmp_path / name), [1, 2]))
        assert [r.reason for r in found if isinstance(r, Refusal)] == ["unreadable_file"] * 2
        assert name in found[0].message
    with pytest.raises(DataError, match="no format of poses"):
        pose_starts("a.xyz")


def test_the_poses_of_dud_e(unzipped: Unzip) -> None:
    folder = unzipped("dude_inha", None) / "inha"
    assert len(pose_starts(str(folder / "actives_final.mol2.gz"))) - 1 == 71
    path = str(folder / "decoys_final.mol2.gz")
    assert len(pose_starts(path)) - 1 == 2318
    assert all(isinstance(ligand(str(r), path), Ligand) for r in read_poses(path, [1, 700, 2318]))


def lines_of(smiles: str, at: float = 0.0, letter: str = " ", share: float = 1.0, number: int = 900) -> str:
    """Write the heavy atoms of a molecule as PDB records, at a distance along z."""
    mol = Chem.RemoveHs(embedded(smiles))
    return "".join(
        atom_line(
            n, f"{atom.GetSymbol()}{n}", "LIG", (x, y, z + at), number=number, alternate=letter, occupancy=share,
            element=atom.GetSymbol(), record="HETATM",
        )
        for n, (atom, (x, y, z)) in enumerate(zip(mol.GetAtoms(), places(mol), strict=True), start=1)
    )  # fmt: skip


WATERS = "".join(
    atom_line(n, "O", "HOH", (30 + 4 * n, 0, 0), number=n, element="O", record="HETATM") for n in range(1, 3)
)


def test_of_alternate_locations_of_a_ligand_the_one_occupied_most_is_read() -> None:
    lesser, greater = lines_of("NC(=O)c1ccccc1", 0.0, "A", 0.4), lines_of("NC(=O)c1ccccc1", 0.7, "B", 0.6)
    interleaved = [line for pair in zip(lesser.splitlines(), greater.splitlines(), strict=True) for line in pair]
    mine = made(lines_of("NC(=O)c1ccccc1", 0.7), "a.pdb", "NC(=O)c1ccccc1")
    for text in (lesser + greater, "\n".join(interleaved)):
        found = made(text, "a.pdb", "NC(=O)c1ccccc1")
        assert found.smiles == "NC(=O)c1ccccc1" and len(found.xyz) == 9
        np.testing.assert_allclose(found.xyz, mine.xyz, atol=1e-3)


@pytest.mark.parametrize(
    ("extra", "template"),
    [
        (WATERS, "NC(=O)c1ccccc1"),
        ("", "NC(=O)c1ccccc1.Cl"),
        ("", "[Na+].NC(=O)c1ccccc1.O"),
        (WATERS, "NC(=O)c1ccccc1.O.O"),
        (WATERS + lines_of("CCO", 60, number=901), "NC(=O)c1ccccc1.O=C(O)C(F)(F)F"),
    ],
)
def test_waters_and_salts_are_no_part_of_the_ligand(extra: str, template: str) -> None:
    found = made(extra + lines_of("NC(=O)c1ccccc1"), "a.pdb", template)
    assert found.smiles == "NC(=O)c1ccccc1"
    assert found.numbers.min() == 1 + extra.count("HETATM"), "atoms are counted as in the file"


def test_two_copies_of_a_ligand_are_ambiguous() -> None:
    text = lines_of("NC(=O)c1ccccc1") + lines_of("NC(=O)c1ccccc1", 30, number=901)
    assert refused(text, "a.pdb", "NC(=O)c1ccccc1").reason == "ambiguous_pose"
    assert refused(text, "a.pdb", "NC(=O)c1ccccc1.OC(=O)c1ccccc1").reason == "ambiguous_pose"
    mixed = lines_of("NC(=O)c1ccccc1") + lines_of("FC1CC(Cl)NC1", 30, number=901)
    assert "2 parts that are in" in refused(mixed, "a.pdb", "NC(=O)c1ccccc1.FC1CC(Cl)NC1").message


ACID = "CC(C(=O)O)c1ccc(F)cc1"


@pytest.mark.parametrize(
    "template",
    [
        "CC(C(=O)[O-])c1ccc(F)cc1.C[NH2+]CC(O)C(O)C(O)C(O)CO",  # meglumine has more heavy atoms
        "CC(C(=O)O)c1ccc(F)cc1.Cc1ccc(cc1)S(=O)(=O)O",
        "CC(C(=O)O)c1ccc(F)cc1.OC(=O)c1cc2ccccc2c(Cc2c(O)c(cc3ccccc23)C(O)=O)c1O",  # pamoate has twice as many
        "CC(C(=O)O[Na])c1ccc(F)cc1",
        "CC(C(=O)O[Ca]OC(=O)C(C)c1ccc(F)cc1)c1ccc(F)cc1",
        "CC(C(=O)[O-])c1ccc(F)cc1.C1CCCCC1[NH2+]C1CCCCC1",
        "CC(C(=O)[O-])c1ccc(F)cc1.CCCC[N+](CCCC)(CCCC)CCCC",
        "CC(C(=O)[O-])c1ccc(F)cc1.[K+].O.O.CCO",
        "C[C@@H](C(=O)O)c1ccc(F)cc1.C[C@H](C(=O)O)c1ccc(F)cc1",  # a racemate as two
        "CC(C(=O)O)c1ccc(F)cc1.CC(C)(C)CC(C)(C)c1ccc(OCCOCCO)cc1",  # a surfactant that no list knows
        "[H]OC(=O)C([H])(C)c1ccc(F)cc1.NC(N)=N",
    ],
)
@pytest.mark.parametrize("beside", [False, True])
def test_the_ligand_is_found_beside_any_counter_ion_of_its_smiles(template: str, beside: bool) -> None:
    text = lines_of(ACID)
    if beside:  # the ion as well, and sodium so near to the acid that its distance is that of a bond
        x, y, z = (float(text.splitlines()[3][at : at + 8]) for at in (30, 38, 46))
        text += atom_line(90, "NA", "NA", (x, y, z + 2.3), number=950, element="NA", record="HETATM")
        text += lines_of("Cc1ccc(cc1)S(=O)(=O)O", 60, number=901)
    found = made(text, "a.pdb", template)
    assert Chem.CanonSmiles(found.smiles, useChiral=0) == Chem.CanonSmiles(ACID) and len(found.xyz) == 12


@pytest.mark.parametrize(
    ("held", "template", "reason"),
    [
        ("CC(=O)O", f"{ACID}.CC(=O)O", "template_mismatch"),  # only the ion is there: it is not scored as the drug
        ("Cc1ccc(cc1)S(=O)(=O)O", f"{ACID}.Cc1ccc(cc1)S(=O)(=O)O", "template_mismatch"),
        ("C1CCCCC1", "C1CCCCC1.c1ccccc1", "template_mismatch"),
        ("CCN", "[Pt+2].[Cl-].[Cl-].CCN", "organometallic"),
        ("OCC(O)CO", "OCC(O)CO", ""),  # what is listed, asked for alone, is the ligand
        ("CC(=O)O", "CC(=O)O[Na]", ""),
    ],
)
def test_a_counter_ion_is_the_ligand_only_where_it_is_asked_for(held: str, template: str, reason: str) -> None:
    found = ligand(lines_of(held), "a.pdb", template)
    assert (found.reason if isinstance(found, Refusal) else "") == reason
    assert reason or found.smiles == Chem.CanonSmiles(held)


def placed(*smiles: str) -> Chem.Mol:
    """Return molecules side by side, 9 angstrom apart, as one record would hold them."""
    whole = Chem.Mol()
    for number, text in enumerate(smiles):
        mol = Chem.AddHs(Chem.MolFromSmiles(text))
        AllChem.EmbedMolecule(mol, randomSeed=7)
        xyz = mol.GetConformer().GetPositions() + np.array([9.0 * number, 1.0, 2.0])
        for at, place in enumerate(xyz.tolist()):
            mol.GetConformer().SetAtomPosition(at, Point3D(*place))
        whole = Chem.CombineMols(whole, mol) if whole.GetNumAtoms() else mol
    return whole


@pytest.mark.parametrize(
    ("beside", "left"),
    [(["O", "O"], "water (2)"), (["[Cl-]"], "hydrogen chloride"), (["OC(=O)C(F)(F)F"], "trifluoroacetic acid")],
)
@pytest.mark.parametrize("first", [True, False])
def test_waters_and_counter_ions_within_a_record_are_no_part_of_the_ligand(
    beside: list[str], left: str, first: bool
) -> None:
    drug = "CCOc1ccccc1C(N)=O"
    alone = ligand(Chem.MolToMolBlock(placed(drug)), "a.sdf")
    parts = [drug, *beside] if first else [*beside, drug]
    mol = placed(*parts)
    found = ligand(Chem.MolToMolBlock(mol), "a.sdf")
    assert isinstance(found, Ligand) and isinstance(alone, Ligand)
    assert found.smiles == alone.smiles and alone.said == ""
    assert found.said == f"the ligand is {found.smiles}; left out {left}"
    where = mol.GetConformer().GetPositions()
    assert found.xyz == pytest.approx(where[found.numbers - 1], abs=1e-4), "numbers are those of the record"
    moved = found.xyz - found.xyz.mean(axis=0)
    assert moved == pytest.approx(alone.xyz - alone.xyz.mean(axis=0), abs=1e-3)


def test_two_molecules_in_a_record_are_refused() -> None:
    for parts in (("CCOc1ccccc1C(N)=O", "NCCc1ccccc1F"), ("NCCc1ccccc1F", "NCCc1ccccc1F")):
        found = ligand(Chem.MolToMolBlock(placed(*parts)), "a.sdf")
        assert isinstance(found, Refusal)
        assert found.reason == "ambiguous_pose" and "2 molecules" in found.message
    assert isinstance(ligand(Chem.MolToMolBlock(placed("CC(=O)O", "O")), "a.sdf"), Ligand), "acetate of a crystal"
