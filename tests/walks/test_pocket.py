"""A chemist with crystal structures, a receptor and docked poses: train, predict, screen."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from walk import done, molgraph, no_leftovers, refused

from molgraph import config
from molgraph.rooms.binding.room import ROOM
from molgraph.workflows.plan import plan

COMPLEXES = 60
TINY = tuple(
    word
    for setting in ("train.epochs=2", "encoder.hidden=16", "encoder.depth=2", "head.hidden=16", "comparator=none")
    for word in ("--set", setting)
)


@pytest.fixture(scope="module")
def bench(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a table of crystal complexes and XIAP with its docked actives."""
    folder = tmp_path_factory.mktemp("bench")
    for name in ("pdbbind_mini", "dude_xiap"):
        with zipfile.ZipFile(shared_data / "structures" / f"{name}.zip") as archive:
            archive.extractall(folder)
    index = pd.read_csv(shared_data / "structures" / "pdbbind_mini_index.csv").head(COMPLEXES)
    table = pd.DataFrame(
        {
            "id": index["pdb_id"],
            "protein": [f"{i}/{i}_pocket.pdb" for i in index["pdb_id"]],
            "ligand": [f"{i}/{i}_ligand.sdf" for i in index["pdb_id"]],
            "dG": [f"{-1.3643 * pk:.3f}" for pk in index["pK"]],
        }
    )
    table.loc[3, "ligand"] = "nowhere.sdf"
    table.to_csv(folder / "complexes.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def model(bench: Path) -> Path:
    folder = bench / "model"
    table = bench / "complexes.csv"
    shown = done(
        "train", table, "--model", "binding/interaction", "--target", "dG", "--units", "dG:kcal/mol", *TINY,
        "--out", folder,
    )  # fmt: skip
    assert "pK_dG" in shown.shown and f"{COMPLEXES} rows, {COMPLEXES - 1} used" in shown.shown
    return folder


@pytest.mark.parametrize("split", ["family", "scaffold"])
def test_groups_stay_on_one_side(bench: Path, split: str) -> None:
    run = {"model": "binding/interaction", "targets": ["dG"], "units": {"dG": "kcal/mol"}, "split": split}
    made = plan(config.settings({**run, "comparator": "none"}), bench / "complexes.csv")
    (given,) = made.rows.data.inputs.values()
    groups = ROOM.likeness.groupers[split]([given.key_of(row) for row in range(len(made.rows.data))])
    folds = [set(groups[getattr(made.split, fold)].tolist()) for fold in ("train", "valid", "calibration", "test")]
    assert len(made.rows.data) == COMPLEXES - 1 and all(folds)
    assert sum(map(len, folds)) == len(set.union(*folds)), "a group stands in two folds"


def test_a_row_that_cannot_be_read_says_why(model: Path) -> None:
    rejects = pd.read_csv(model / "rejects.csv")
    assert rejects["row"].tolist() == [4] and "nowhere.sdf" in rejects["message"][0]


def test_a_table_is_predicted_row_by_row(model: Path, bench: Path) -> None:
    done("predict", bench / "complexes.csv", "--model", model, "-o", bench / "out.csv")
    out = pd.read_csv(bench / "out.csv", keep_default_na=False)
    assert len(out) == COMPLEXES and out["id"].tolist() == pd.read_csv(bench / "complexes.csv")["id"].tolist()
    assert (out["status"] != "ok").sum() == 1 and out["status"][3] == "unreadable_file" and out["pK_dG"][3] == ""


def test_docked_poses_are_screened_also_packed_and_in_two_calls(model: Path, bench: Path) -> None:
    poses, receptor = bench / "xiap" / "actives_docked.sdf", bench / "xiap" / "receptor_rdkit.pdb"
    packed = bench / "poses.sdf.gz"
    packed.write_bytes(gzip.compress(poses.read_bytes()))
    for library, folder in ((poses, "whole"), (packed, "parts")):
        words = ["screen", library, "--protein", receptor, "--model", model, "--out", bench / folder, "--workers", "1"]
        if folder == "parts":
            done(*words, "--shard", "1/2")
            words.append("--resume")
        done(*words)
        no_leftovers(bench / folder)
    whole, parts = (pd.read_csv(bench / folder / "top.csv") for folder in ("whole", "parts"))
    assert len(whole) == 100 and whole.loc[whole["in_domain"], "pK_dG"].is_monotonic_decreasing
    assert whole["pK_dG"].tolist() == parts["pK_dG"].tolist() and whole["row"].tolist() == parts["row"].tolist()
    assert {"contacts", "clashes", "buried", "mw"} <= set(whole.columns)
    report = (bench / "whole" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in report and "no structure" not in report


def test_molecules_without_poses(model: Path, bench: Path) -> None:
    """A chemist gives a library where poses are wanted: the way to them is said."""
    (bench / "library.csv").write_text("smiles,id\nCCO,a\n", encoding="utf-8")
    (bench / "library.smi").write_text("CCO a\n", encoding="utf-8")
    receptor = bench / "xiap" / "receptor_rdkit.pdb"
    for name in ("library.csv", "library.smi"):
        outcome = molgraph("screen", bench / name, "--protein", receptor, "--model", model, "--out", bench / "unplaced")
        refused(outcome, 3, name, "dock them first (`molgraph dock`, or elsewhere)")


def test_poses_without_their_protein(model: Path, bench: Path) -> None:
    poses = bench / "xiap" / "actives_docked.sdf"
    outcome = molgraph("predict", poses, "--model", model, "-o", bench / "none.csv")
    refused(outcome, 3, "actives_docked.sdf", "--protein")
    assert not (bench / "none.csv").exists()
