"""Poses out of tables and files: every row or record once, with a text that names all that is needed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from pockets import LIGAND, Made, Unzip

from molgraph.data.table import Table
from molgraph.errors import DataError
from molgraph.rooms.binding.prepare import prepare
from molgraph.rooms.binding.read import read


def all_of(source: object, column: str | None = None, **options: object) -> tuple[pd.DataFrame, list[str]]:
    tables: list[Table] = list(read(source, column, **options))
    return pd.concat([t.frame for t in tables], ignore_index=True), [text for t in tables for text in t.texts]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
@pytest.mark.parametrize("block", [1, 2, 4096])
def test_paths_count_from_the_table(files: Path, suffix: str, block: int) -> None:
    frame = pd.DataFrame({"id": ["a", "b", "c"], "Protein": ["receptor.pdb"] * 3, "ligand": ["ligand.sdf"] * 3})
    frame.loc[2, "ligand"] = str(files / "ligand.sdf")
    path = files / f"rows.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep={"tsv": "\t", "csv": ","}[suffix])
    cells, texts = all_of(path, block=block)
    assert texts == [f"{files / 'receptor.pdb'}|{files / 'ligand.sdf'}|0|"] * 3
    assert cells["id"].tolist() == ["a", "b", "c"] and cells["Protein"].tolist() == ["receptor.pdb"] * 3
    assert cells["complex"].tolist() == texts
    assert len(prepare(texts, ("complex",)).parts) == 1


def test_pose_numbers_and_templates(files: Path) -> None:
    frame = pd.DataFrame(
        {"receptor": ["r.pdb"] * 3, "ligand": ["l.pdb", "", "m.sdf"], "pose": ["2", "1", "x"], "smiles": ["C", "", "N"]}
    )
    _, texts = all_of(frame)
    assert texts == ["r.pdb|l.pdb|2|C", "r.pdb||1|", "r.pdb|m.sdf|x|N"]
    reasons = {at: r.reason for at, r in prepare(texts, ("complex",)).rejects.items()}
    assert reasons == {0: "unreadable_file", 1: "no_ligand", 2: "invalid_pose"}


def test_one_protein_for_all_rows(files: Path) -> None:
    frame = pd.DataFrame({"docked": ["ligand.sdf"]})
    path = files / "rows.csv"
    frame.to_csv(path, index=False)
    _, texts = all_of(path, "docked", protein=files / "receptor.pdb")
    assert texts == [f"{files / 'receptor.pdb'}|{files / 'ligand.sdf'}|0|"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("one.fasta", ">a\nMKTAYIAK\n", "'.fasta' is no structure format"),
        ("page.pdb", "<html><body>404</body></html>\n", "page.pdb"),
        (
            "own.pdb",
            "HETATM    1  C1  LIG A   1       0.000   0.000   0.000  1.00  0.00           C\n",
            "is it the ligand",
        ),
    ],
)
def test_a_receptor_for_all_rows_is_looked_at_first(files: Path, name: str, text: str, says: str) -> None:
    (files / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=f"--protein: .*{says}"):
        next(iter(read(files / "ligand.sdf", protein=files / name)))


def test_texts_are_read_again(files: Path) -> None:
    texts = [f"{files / 'receptor.pdb'}|{files / 'ligand.sdf'}|0|{LIGAND}"]
    assert all_of(texts)[1] == texts
    assert all_of(pd.DataFrame({"complex": texts, "ligand": ["other"]}))[1] == texts
    assert all_of(pd.DataFrame({"complex": texts}), "complex")[1] == texts
    named = pd.DataFrame({"protein": ["a"], "ligand": ["b"]})
    assert all_of(named, "complex")[1] == ["a|b|0|"], "a model trained on a table remembers its column"


def test_an_sdf_keeps_its_tags(files: Path, complex_made: Made) -> None:
    tagged = complex_made.sdf.replace("M  END\n", "M  END\n>  <score>\n-7.5\n\n")
    broken = "bad\n\n\nnonsense\nM  END\n$$$$\n"
    path = files / "poses.sdf"
    path.write_text(tagged + broken + tagged, encoding="utf-8")
    tables = list(read(path, protein=files / "receptor.pdb", block=2))
    assert [len(t) for t in tables] == [2, 1]
    assert [text.split("|")[2] for t in tables for text in t.texts] == ["1", "2", "3"]
    assert tables[0].frame["score"].tolist() == ["-7.5", ""] and list(tables[0].broken) == [1]
    made = prepare([text for t in tables for text in t.texts], ("complex",))
    assert made.index.tolist() == [0, -1, 1] and made.rejects[1].reason == "invalid_molblock"


def test_mol2_poses(unzipped: Unzip) -> None:
    folder = unzipped("dude_inha", None) / "inha"
    cells, texts = all_of(folder / "actives_final.mol2.gz", protein=folder / "receptor.pdb", block=30)
    assert len(texts) == 71 and texts[70].endswith("actives_final.mol2.gz|71|")
    assert cells["_Name"].str.startswith("CHEMBL").all()


def test_poses_need_a_protein(files: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--protein"):
        list(read(files / "ligand.sdf"))
    with pytest.raises(DataError, match="no such file"):
        list(read(files / "ligand.sdf", protein=tmp_path / "none.pdb"))
    with pytest.raises(DataError, match="no column is called protein"):
        list(read(pd.DataFrame({"ligand": ["a.sdf"]})))
    with pytest.raises(DataError, match="no column is called ligand"):
        list(read(pd.DataFrame({"protein": ["a.pdb"]})))
    with pytest.raises(DataError, match="give a path"):
        list(read(7))


def test_poses_in_pdbqt(files: Path, complex_made: Made) -> None:
    shutil.copy(files / "receptor.pdb", files / "poses.pdbqt")
    text = (files / "poses.pdbqt").read_text(encoding="utf-8")
    (files / "poses.pdbqt").write_text(f"MODEL 1\n{text}ENDMDL\nMODEL 2\n{text}ENDMDL\n", encoding="utf-8")
    _, texts = all_of(files / "poses.pdbqt", protein=files / "receptor.pdb")
    assert [text.split("|")[2] for text in texts] == ["1", "2"]
    assert {r.reason for r in prepare(texts, ("complex",)).rejects.values()} == {"no_bond_orders"}
