"""Docking a library: poses and reasons, stopped and taken up again, refused in a sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from molgraph.errors import ConfigError, DataError
from molgraph.rooms.molecule.read import read
from molgraph.workflows.dock import Counts, dock_file

sys.path.insert(0, str(Path(__file__).parents[1] / "rooms" / "binding"))

from pockets import LIGAND, SEQUENCE, Made, beside, embedded
from rdkit import Chem

Words = tuple[Path, Path, str, Path]
LIBRARY = {
    "phenol": "Oc1ccccc1",
    "fails": "CCBr",
    "typo": "C1CC",
    "hangs": "CCCl",
    "acetate": "CC(=O)[O-].[Na+]",
    "ether": "COC",
}


@pytest.fixture(scope="module")
def pocket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pocket")
    peptide = embedded(Chem.MolFromSequence(SEQUENCE))
    made = Made(peptide, beside(peptide, embedded(Chem.MolFromSmiles(LIGAND))))
    (folder / "receptor.pdb").write_text(made.pdb, encoding="utf-8")
    (folder / "ligand.sdf").write_text(made.sdf, encoding="utf-8")
    return folder


@pytest.fixture
def words(pocket: Path, tmp_path: Path, standin: Path) -> Words:
    """Return the library, the receptor, the place and the file to write."""
    library = tmp_path / "library.csv"
    pd.DataFrame({"smiles": list(LIBRARY.values()), "name": list(LIBRARY)}).to_csv(library, index=False)
    return library, pocket / "receptor.pdb", str(pocket / "ligand.sdf"), tmp_path / "poses.sdf"


def given(log: Path) -> list[str]:
    return [line.split()[0] for line in log.read_text(encoding="utf-8").splitlines()]


def test_every_ligand_has_a_pose_or_a_reason(words: Words) -> None:
    out = words[3]
    counts = dock_file(*words, poses=2, limit=2, cores=1)
    assert counts == Counts(6, 6, {"failed": 1, "invalid_smiles": 1, "timeout": 1})
    (table,) = read(out)
    frame = table.frame
    assert frame["id"].tolist() == ["phenol", "phenol", "acetate", "acetate", "ether", "ether"]
    assert frame["_Name"].tolist() == frame["id"].tolist()
    assert frame["library_row"].tolist() == ["1", "1", "5", "5", "6", "6"]
    assert frame["pose"].tolist() == ["1", "2"] * 3 and set(frame["program"]) == {"smina"}
    assert frame["score"].tolist() == ["-7.25", "-6.25"] * 3
    assert frame["smiles"].tolist()[::2] == ["Oc1ccccc1", "CC(=O)[O-]", "COC"]
    rejects = pd.read_csv(out.with_name("poses_rejects.csv"))
    assert rejects["row"].tolist() == [2, 3, 4] and rejects["text"].tolist() == ["CCBr", "C1CC", "CCCl"]
    assert "out of memory" in rejects["message"][0]
    with pytest.raises(DataError, match="row 1 'CCBr'"):  # the rejects can be tried again
        dock_file(out.with_name("poses_rejects.csv"), *words[1:3], out.with_name("again.sdf"), column="text", limit=1)
    left = {path.name for path in out.parent.iterdir()}
    assert left == {"library.csv", "poses.sdf", "poses_rejects.csv", "programs", "standin.log"}


def test_a_stopped_call_goes_on(
    words: Words,
    standin: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from molgraph.workflows import dock

    out, asked = words[3], dock._docked

    def stops(docking: object, row: dock.Row) -> object:
        if row.number == 5:
            raise KeyboardInterrupt
        return asked(docking, row)  # type: ignore[arg-type]

    monkeypatch.setattr(dock, "_docked", stops)
    with pytest.raises(KeyboardInterrupt):
        dock_file(*words, limit=1)
    parts = out.with_name("poses.sdf.parts")
    assert len(list(parts.iterdir())) == 1 + 4 and not out.exists()
    assert given(standin) == ["CHO", "BrCH", "CClH"]
    monkeypatch.setattr(dock, "_docked", asked)
    with pytest.raises(ConfigError, match="another exhaustiveness"):
        dock_file(*words, limit=1, exhaustiveness=9)
    counts = dock_file(*words, limit=1)
    assert counts == Counts(6, 3, {"failed": 1, "invalid_smiles": 1, "timeout": 1})
    assert given(standin)[3:] == ["CHO", "CHO"], "what was finished is not docked again"
    assert "going on after 4 ligands" in capsys.readouterr().err
    assert not parts.exists()


def test_a_row_that_changed_meanwhile_is_docked_anew(words: Words, standin: Path) -> None:
    library, out = words[0], words[3]
    dock_file(*words, top=1)
    parts = out.with_name("poses.sdf.parts")
    whole = out.read_bytes()
    out.unlink()
    library.write_text("smiles,name\nCCO,phenol\n", encoding="utf-8")
    dock_file(*words, top=1)
    assert out.read_bytes() != whole and len(given(standin)) == 2 and not parts.exists()


def test_the_first_rows_of_a_top_are_docked(words: Words, standin: Path) -> None:
    assert dock_file(*words, top=2) == Counts(2, 1, {"failed": 1})
    assert given(standin) == ["CHO", "BrCH"]


def test_nothing_docked_is_an_error_and_leaves_nothing(words: Words) -> None:
    words[0].write_text("smiles\nCCBr\nC1CC\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"no ligand could be docked; row 1 'CCBr'.*out of memory"):
        dock_file(*words)
    assert not words[3].exists() and not words[3].with_name("poses.sdf.parts").exists()


def test_what_cannot_be_done_is_said_before_anything_runs(words: Words, standin: Path) -> None:
    library, protein, around, out = words
    for wrong in ({"top": 0}, {"poses": 0}, {"exhaustiveness": 0}, {"seed": 0}, {"limit": 0.0}):
        with pytest.raises(ConfigError, match=f"--{next(iter(wrong))} 0: give 1 or more"):
            dock_file(*words, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"written as \.sdf"):
        dock_file(library, protein, around, out.with_suffix(".csv"))
    with pytest.raises(DataError, match="no such file"):
        dock_file(library.with_name("nowhere.csv"), protein, around, out)
    out.write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="there already"):
        dock_file(*words)
    assert not standin.exists()


def test_parts_hold_reasons_as_json(words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    from molgraph.workflows import dock

    monkeypatch.setattr(dock, "_finish", lambda parts, done, out, docking: done)
    done = dock_file(*words, top=2)
    reason = json.loads(done[1].read_text(encoding="utf-8"))  # type: ignore[index]
    assert (reason["row"], reason["reason"]) == (2, "failed")
