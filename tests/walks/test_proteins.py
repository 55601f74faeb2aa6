"""Proteins through the commands that were made for molecules: train, predict, evaluate, from tables and FASTA."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from walk import done, molgraph, no_leftovers, refused

from molgraph import config
from molgraph.rooms.protein.groups import family
from molgraph.rooms.protein.properties import properties
from molgraph.rooms.protein.residues import STANDARD
from molgraph.workflows.plan import plan

FAMILIES, EACH = 24, 4
TINY = tuple(
    word
    for setting in ("train.epochs=2", "encoder.hidden=8", "head.hidden=16", "comparator=none")
    for word in ("--set", setting)
)


@pytest.fixture(scope="module")
def proteins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 96 made-up proteins of 24 families, with their mean hydropathy, and rows that are no proteins."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(FAMILIES):
        first = random.choice(list(STANDARD), size=int(random.integers(40, 120)))
        for member in range(EACH):
            changed = np.where(
                random.random(len(first)) < 0.05 * member, random.choice(list(STANDARD), len(first)), first
            )
            changed[-1] = STANDARD[member]  # so that no two are the same
            rows.append((f"p{number}_{member}", "".join(changed)))
    frame = pd.DataFrame(rows, columns=["id", "target_sequence"])
    frame["gravy"] = properties(frame["target_sequence"].tolist(), ["gravy"])["gravy"].astype(float).round(4)
    bad = pd.DataFrame({"id": ["empty", "odd"], "target_sequence": ["", "MKT#AY"], "gravy": [0.0, 0.0]})
    path = tmp_path_factory.mktemp("proteins") / "proteins.csv"
    pd.concat([frame, bad]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def model(proteins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "gru"
    done("train", proteins, "--model", "protein/gru", "--target", "gravy", *TINY, "--out", folder)
    return folder


def test_families_stay_on_one_side(proteins: Path) -> None:
    made = plan(config.settings({"model": "protein/gru", "targets": ["gravy"], "comparator": "none"}), proteins)
    (given,) = made.rows.data.inputs.values()
    groups = family([given.key_of(row) for row in range(len(made.rows.data))])
    assert len(set(groups.tolist())) == FAMILIES
    folds = [getattr(made.split, fold) for fold in ("train", "valid", "calibration", "test")]
    seen = [set(groups[fold].tolist()) for fold in folds]
    assert all(seen) and sum(map(len, seen)) == FAMILIES


def test_what_is_no_protein_is_left_out_and_said(model: Path) -> None:
    rejects = pd.read_csv(model / "rejects.csv")
    assert rejects["reason"].tolist() == ["empty", "invalid_sequence"]
    assert "'#' at place 4" in rejects["message"][1]
    no_leftovers(model)


def test_one_row_out_per_row_in(model: Path, proteins: Path, tmp_path: Path) -> None:
    out = tmp_path / "predicted.csv"
    done("predict", proteins, "--model", model, "--out", out)
    given, found = pd.read_csv(proteins), pd.read_csv(out)
    assert found["id"].tolist() == given["id"].tolist()
    assert found["status"].tolist() == ["ok"] * (FAMILIES * EACH) + ["empty", "invalid_sequence"]
    assert found["gravy_predicted"].notna().sum() == FAMILIES * EACH
    assert found["nn_id"][0].startswith("p0_") or found["nn_similarity"][0] < 0.5


def test_fasta_in(model: Path, proteins: Path, tmp_path: Path) -> None:
    table, fasta = pd.read_csv(proteins), tmp_path / "some.fasta"
    first = table["target_sequence"][0]
    fasta.write_text(f">one of them\n{first[:30].lower()}\n{first[30:]}*\n>none\n>odd\nM#\n", encoding="utf-8")
    for source, out in ((fasta, "fasta.csv"), (proteins, "table.csv")):
        done("predict", source, "--model", model, "--out", tmp_path / out)
    found, same = pd.read_csv(tmp_path / "fasta.csv"), pd.read_csv(tmp_path / "table.csv")
    assert found["status"].tolist() == ["ok", "empty", "invalid_sequence"]
    assert found["description"][0] == "of them"
    assert found["gravy"][0] == pytest.approx(same["gravy_predicted"][0], abs=1e-6)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("cnn", "encoder.filters=4"),
        ("transformer", "encoder.window=8"),
        ("graphdta", "encoder.length=50"),
        ("forest", "encoder.rounds=20"),
        ("linear", "encoder.penalty=20.0"),
    ],
)
def test_the_other_encoders(name: str, setting: str, proteins: Path, tmp_path: Path) -> None:
    tiny = ("--set", "train.epochs=1", "--set", "comparator=none", "--set", setting)
    done("train", proteins, "--model", f"protein/{name}", "--target", "gravy", *tiny, "--out", tmp_path / name)
    done("predict", proteins, "--model", tmp_path / name, "--out", tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["gravy_predicted"].notna().sum() == FAMILIES * EACH


def test_vectors_out_of_parquet(proteins: Path, tmp_path: Path) -> None:
    """A vector per protein, as a language model gives: here the first numbers of its composition."""
    frame = pd.read_csv(proteins).head(FAMILIES * EACH)
    shares = [[round(text.count(letter) / len(text), 4) for letter in STANDARD] for text in frame["target_sequence"]]
    frame.drop(columns="target_sequence").assign(embedding=shares).to_parquet(tmp_path / "vectors.parquet")
    tiny = ("--set", "train.epochs=2", "--set", "encoder.hidden=8", "--set", "head.hidden=8", "--split", "random")
    forest = ("--set", "comparator=protein/forest")
    folder = tmp_path / "model"
    done(
        "train",
        tmp_path / "vectors.parquet",
        "--model",
        "protein/embedding",
        "--target",
        "gravy",
        *tiny,
        *forest,
        "--out",
        folder,
    )
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["comparator_name"] == "protein/forest"
    done("predict", tmp_path / "vectors.parquet", "--model", folder, "--out", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")
    assert (found["status"] == "ok").all() and found["nn_similarity"].between(0, 1).all()


def test_vectors_out_of_a_file_beside_the_table(proteins: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(proteins).head(FAMILIES * EACH)
    shares = {
        name: np.array([text.count(letter) / len(text) for letter in STANDARD])
        for name, text in zip(frame["id"], frame["target_sequence"], strict=True)
        if name != "p3_0"
    }
    np.savez(tmp_path / "vectors.npz", **shares)
    words = ("--set", f"encoder.file={json.dumps(str(tmp_path / 'vectors.npz'))}", "--set", "train.epochs=2")
    done(
        *("train", proteins, "--model", "protein/embedding", "-s", "id", "--target", "gravy", "--split", "random"),
        *(*words, "--set", "encoder.hidden=8", "--out", tmp_path / "model"),
    )
    done("predict", proteins, "--model", tmp_path / "model", "--out", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv").set_index("id")
    assert found.index[found["status"] != "ok"].tolist() == ["p3_0", "empty", "odd"]
    assert set(found["status"]) == {"ok", "unknown_protein"}
    (tmp_path / "none.csv").write_text("id\nP00533\nP00519\n", encoding="utf-8")
    done("predict", tmp_path / "none.csv", "--model", tmp_path / "model", "--out", tmp_path / "none_out.csv")
    assert pd.read_csv(tmp_path / "none_out.csv")["status"].tolist() == ["unknown_protein"] * 2


def test_a_molecule_read_as_its_smiles(data: Path, tmp_path: Path) -> None:
    tiny = ("--set", "train.epochs=2", "--set", "encoder.hidden=8", "--set", "comparator=none")
    done("train", data, "--model", "molecule/smiles_gru", "--target", "pAct", *tiny, "--out", tmp_path / "model")
    done("predict", data, "--model", tmp_path / "model", "--out", tmp_path / "out.csv")
    assert (pd.read_csv(tmp_path / "out.csv")["status"] == "ok").all()


def test_a_wrong_setting_is_named(proteins: Path, tmp_path: Path) -> None:
    outcome = molgraph(
        *("train", proteins, "--model", "protein/gru", "--target", "gravy", "--set", "encoder.hiden=8"),
        *("--out", tmp_path / "model"),
    )
    refused(outcome, 2, "encoder.hiden", "hidden")
