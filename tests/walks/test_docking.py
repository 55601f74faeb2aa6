"""A chemist docks the best of a screen and rescores the poses; Ctrl-C in between."""

from __future__ import annotations

import os
import signal
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from walk import LIMIT, done, molgraph, no_leftovers, refused, start, wait_until

SMILES = ("Oc1ccccc1", "CCO", "CC(=O)[O-]", "CCN", "COC", "CCCC", "CCBr")


@pytest.fixture
def words(shared_data: Path, standin: Path, tmp_path: Path) -> tuple[object, ...]:
    with zipfile.ZipFile(shared_data / "structures" / "dude_xiap.zip") as archive:
        archive.extractall(tmp_path)
    pd.DataFrame({"rank": range(1, 8), "smiles": SMILES}).to_csv(tmp_path / "top.csv", index=False)
    crystal = next((tmp_path / "xiap").glob("crystal_ligand.*"))
    receptor = tmp_path / "xiap" / "receptor_rdkit.pdb"
    return ("dock", tmp_path / "top.csv", "--protein", receptor, "--around", crystal, "--size", 26, "--out")


def test_docked_poses_are_rescored(words: tuple[object, ...], shared_data: Path, tmp_path: Path) -> None:
    poses = tmp_path / "poses.sdf"
    said = done(*words, poses, "--top", 7, "--limit", 60).err
    assert "6 of 7 ligands docked with smina" in said and "1 failed" in said
    with zipfile.ZipFile(shared_data / "structures" / "pdbbind_mini.zip") as archive:
        archive.extractall(tmp_path)
    index = pd.read_csv(shared_data / "structures" / "pdbbind_mini_index.csv").head(40)
    names = index["pdb_id"]
    table = {"protein": [f"{i}/{i}_pocket.pdb" for i in names], "ligand": [f"{i}/{i}_ligand.sdf" for i in names]}
    pd.DataFrame({**table, "pK": index["pK"]}).to_csv(tmp_path / "complexes.csv", index=False)
    model = tmp_path / "model"
    done("train", tmp_path / "complexes.csv", "--model", "binding/forest", "--target", "pK", "--set",
         "comparator=none", "--set", "encoder.rounds=20", "--out", model)  # fmt: skip
    done("screen", poses, "--protein", words[3], "--model", model, "--out", tmp_path / "ranked", "--workers", 1)
    top = pd.read_csv(tmp_path / "ranked" / "top.csv")
    assert len(top) == 6 and set(top["library_row"]) == {1, 2, 3, 4, 5, 6}
    assert {"pK", "score", "program", "contacts"} <= set(top.columns)


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_a_stopped_docking_goes_on(words: tuple[object, ...], standin: Path, tmp_path: Path,
                                   monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("STANDIN_SECONDS", "1")
    poses = tmp_path / "poses.sdf"
    parts = tmp_path / "poses.sdf.parts"
    process = start(*words, poses)
    wait_until(process, lambda: len(list(parts.glob("*.sdf"))) >= 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130 and "Traceback" not in out + err, err
    assert "the same command goes on from there" in err and not poses.exists()
    finished = len(list(parts.glob("*.sdf")))
    begun = len(standin.read_text(encoding="utf-8").splitlines())
    monkeypatch.setenv("STANDIN_SECONDS", "0")
    assert f"going on after {finished} ligands" in done(*words, poses).err
    assert len(standin.read_text(encoding="utf-8").splitlines()) == begun + len(SMILES) - finished
    assert poses.read_text(encoding="utf-8").count("$$$$") == 6
    no_leftovers(tmp_path)


def test_without_a_program_nothing_else_is_asked(
    words: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refused(molgraph(*words, tmp_path / "poses.sdf"), 2, "smina", "gnina", "vina", "https://")
    assert not list(tmp_path.glob("poses*"))
