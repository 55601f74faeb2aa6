"""Pairs of a ligand and a protein through the commands: train, predict, screen, evaluate, rank targets."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from walk import LIMIT, done, molgraph, no_leftovers, refused, start, wait_until

INPUTS = "smiles:molecule/gin,sequence:protein/feedforward"
TINY = tuple(
    word
    for setting in (
        *("train.epochs=2", "head.hidden=8", "comparator=none", "fractions=[0.5,0.3,0.2]"),
        *("inputs.smiles.hidden=8", "inputs.smiles.depth=1", "inputs.sequence.hidden=8"),
    )
    for word in ("--set", setting)
)


@pytest.fixture(scope="module")
def table(pairs_table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the pairs as a file, with three rows that cannot be read."""
    odd = pairs_table.head(3).copy()
    odd["sequence"], odd["smiles"] = ["M#", "", odd["sequence"].iloc[2]], [*odd["smiles"].iloc[:2], "xx"]
    path = tmp_path_factory.mktemp("pairs") / "pairs.csv"
    pd.concat([pairs_table, odd]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def pair_model(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "pair"
    done("train", table, "--inputs", INPUTS, "--target", "pKd", "--split", "random", *TINY, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def fasta(pairs_table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("protein") / "ins.fasta"
    sequence = pairs_table.set_index("target_id")["sequence"]["ins"].iloc[0]
    path.write_text(f">ins of man\n{sequence}\n", encoding="utf-8")
    return path


def test_what_is_no_pair_is_left_out_and_said(pair_model: Path) -> None:
    rejects = pd.read_csv(pair_model / "rejects.csv")
    assert rejects["row"].tolist() == [81, 82, 83]
    assert rejects["reason"].tolist() == ["invalid_sequence", "empty", "invalid_smiles"]
    assert [text.partition(":")[0] for text in rejects["message"]] == ["sequence", "sequence", "smiles"]
    recipe = json.loads((pair_model / "recipe.json").read_text(encoding="utf-8"))
    assert recipe["columns"] == {"smiles": "smiles", "sequence": "sequence"}
    no_leftovers(pair_model)


def test_one_row_out_per_pair_in(pair_model: Path, table: Path, tmp_path: Path) -> None:
    done("predict", table, "--model", pair_model, "-o", tmp_path / "out.csv")
    given, found = pd.read_csv(table), pd.read_csv(tmp_path / "out.csv")
    assert found["smiles"].tolist() == given["smiles"].tolist()
    assert found["status"].tolist() == ["ok"] * 80 + ["invalid_sequence", "empty", "invalid_smiles"]
    assert found["pKd_predicted"].isna().tolist() == [False] * 80 + [True] * 3
    assert found["message"][80].startswith("sequence: character '#' at place 2")
    assert {"nn_similarity", "nn_similarity_smiles", "nn_similarity_sequence", "in_domain"} <= set(found)


def test_one_protein_for_a_library(pair_model: Path, table: Path, fasta: Path, tmp_path: Path) -> None:
    pairs = pd.read_csv(table).head(80)
    mine = pairs[pairs["target_id"] == "ins"]
    mine[["smiles", "drug_id"]].to_csv(tmp_path / "library.csv", index=False)
    mine.to_csv(tmp_path / "mine.csv", index=False)
    done("predict", tmp_path / "mine.csv", "--model", pair_model, "-o", tmp_path / "by-column.csv")
    by_column = pd.read_csv(tmp_path / "by-column.csv")["pKd_predicted"]
    sequence = mine["sequence"].iloc[0]
    for number, words in enumerate((("--protein", fasta), ("--protein", sequence), ("--given", f"sequence={fasta}"))):
        out = tmp_path / f"{number}.csv"
        done("predict", tmp_path / "library.csv", "--model", pair_model, *words, "-o", out)
        assert pd.read_csv(out)["pKd"].tolist() == by_column.tolist()
    alone = molgraph("predict", tmp_path / "library.csv", "--model", pair_model, "-o", tmp_path / "no.csv")
    refused(alone, 3, "no column 'sequence' for the input 'sequence'", "--given sequence=X")
    assert not (tmp_path / "no.csv").exists()


@pytest.fixture(scope="module")
def library(nci: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "library.csv"
    pd.DataFrame({"smiles": nci[:2500], "number": range(2500)}).to_csv(path, index=False)
    return path


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_a_killed_screen_against_one_protein_goes_on_to_the_same_bytes(
    pair_model: Path, library: Path, fasta: Path, tmp_path: Path
) -> None:
    words = ("screen", library, "--model", pair_model, "--protein", fasta, "--top", 20)
    done(*words, "--out", tmp_path / "whole", "--workers", 2)
    killed = tmp_path / "killed"
    process = start(*words, "--out", killed, "--workers", 1)
    wait_until(process, lambda: any(killed.glob("shards/*.parquet")))
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=LIMIT)
    done(*words, "--out", killed, "--workers", 2, "--resume")
    for name in ("scores.parquet", "top.csv"):
        assert (killed / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert pq.read_metadata(killed / "scores.parquet").num_rows == 2500
    assert (killed / "report.html").exists()
    no_leftovers(killed)


def test_a_screen_against_another_protein_is_another_screen(
    pair_model: Path, fasta: Path, table: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.fasta"
    shutil.copyfile(fasta, mine)
    pd.read_csv(table).head(5)[["smiles"]].to_csv(tmp_path / "few.csv", index=False)
    words = ("screen", tmp_path / "few.csv", "--model", pair_model, "--protein", mine, "--out", tmp_path / "out")
    done(*words, "--workers", 1)
    done(*words, "--workers", 1, "--resume")
    mine.write_text(">other\nMKTAYIAKQR\n", encoding="utf-8")
    refused(molgraph(*words, "--workers", 1, "--resume"), 2, "holds another screen", "given")


def test_a_screen_of_pairs(pair_model: Path, table: Path, tmp_path: Path) -> None:
    said = done("screen", table, "--model", pair_model, "--out", tmp_path, "--workers", 1, "--top", 10).err
    assert "83 rows, 80 scored" in said
    top = pd.read_csv(tmp_path / "top.csv")
    assert len(top) == 10 and {"sequence", "nn_similarity_sequence"} <= set(top)
    done("predict", table, "--model", pair_model, "-o", tmp_path / "out.csv")
    scores = pd.read_parquet(tmp_path / "scores.parquet")["pKd_predicted"].to_numpy(float)
    assert scores == pytest.approx(pd.read_csv(tmp_path / "out.csv")["pKd_predicted"].to_numpy(), abs=1e-5, nan_ok=True)


def test_a_library_against_a_protein_known_by_its_vector(table: Path, tmp_path: Path) -> None:
    """The neighbours on the page are those of the scores: the protein is looked up by name there as well."""
    pairs = pd.read_csv(table).head(80)
    names = pairs["target_id"].unique()
    vectors = tmp_path / "vectors.npz"
    np.savez(vectors, **{name: np.eye(len(names), 8)[at] for at, name in enumerate(names)})
    inputs = "smiles:molecule/feedforward,target_id:protein/embedding"
    tiny = [f"inputs.target_id.file={json.dumps(str(vectors))}", "train.epochs=1", "comparator=none"]
    words = [word for setting in tiny for word in ("--set", setting)]
    pairs.to_csv(tmp_path / "pairs.csv", index=False)
    done(
        *("train", tmp_path / "pairs.csv", "--inputs", inputs, "--target", "pKd", "--split", "random", *words),
        *("--out", tmp_path / "model"),
    )
    pairs[["smiles", "drug_id"]].head(12).to_csv(tmp_path / "library.csv", index=False)
    given = ("--given", f"target_id={names[0]}", "--workers", 1)
    done("screen", tmp_path / "library.csv", "--model", tmp_path / "model", *given, "--out", tmp_path / "out")
    top = pd.read_csv(tmp_path / "out" / "top.csv")
    assert (top["status"] == "ok").all() and (top["nn_similarity_target_id"] == 1).all()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert top["nn_id"][0] in page and f">{names[0]}<" in page


def test_pairs_are_judged(pair_model: Path, table: Path, tmp_path: Path) -> None:
    renamed = pd.read_csv(table).rename(columns={"smiles": "Structure"})
    renamed.to_csv(tmp_path / "other.csv", index=False)
    words = ("evaluate", tmp_path / "other.csv", "--model", pair_model, "-s", "Structure", "--out", tmp_path / "eval")
    said = done(*words).err
    assert "83 rows read, 80 judged, 80 of them seen in training" in said and "nearest neighbour" not in said
    assert {p.name for p in (tmp_path / "eval").iterdir()} == {
        *("metrics.json", "rejects.csv", "scores-pair.csv", "report-pair.html")
    }


def test_the_targets_of_a_ligand(pair_model: Path, table: Path, tmp_path: Path) -> None:
    ligand = pd.read_csv(table)["smiles"][0]
    shown = done("targets", ligand, "--model", pair_model, "--active", 7).out
    assert all(name in shown for name in ("kinA", "kinB", "ins", "ubi", "nearest known active"))
    done("targets", table, "--model", pair_model, "--active", 7, "--top", 2, "-o", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["row"].nunique() == 83 and (found["status"] == "ok").sum() == 2 * 82
    refused(molgraph("targets", ligand, "--model", pair_model), 2, "--active")


def test_trees_and_each_input_alone_are_the_methods_to_beat(table: Path, tmp_path: Path) -> None:
    """With hardly any rounds: by --set they are those of the model, so the model is made of trees here."""
    inputs = "smiles:molecule/forest,sequence:protein/forest"
    words = ("--model", "fusion/forest", "--set", "encoder.rounds=5", "--split", "random", "--target", "pKd")
    done("train", table, "--inputs", inputs, *words, "--out", tmp_path / "m")
    metrics = json.loads((tmp_path / "m" / "metrics.json").read_text(encoding="utf-8"))
    alone = ["smiles alone (molecule/forest)", "sequence alone (protein/forest)"]
    assert list(metrics["others"]) == [*alone, "nearest neighbour"]
    card = (tmp_path / "m" / "card.md").read_text(encoding="utf-8")
    assert "fusion/forest" in card and alone[0] in card


def test_a_linear_model_of_both_inputs(table: Path, tmp_path: Path) -> None:
    words = ("--split", "random", "--target", "pKd", "--set", "comparator=fusion/linear", "--set", "refit=no")
    inputs = "smiles:molecule/linear,sequence:protein/linear"
    done("train", table, "--inputs", inputs, "--model", "fusion/linear", *words, "--out", tmp_path / "m")
    done("predict", table, "--model", tmp_path / "m", "-o", tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["pKd_predicted"].notna().sum() == 80
    metrics = json.loads((tmp_path / "m" / "metrics.json").read_text(encoding="utf-8"))
    assert list(metrics["others"]) == ["nearest neighbour"], "it is itself the method to beat"
    mixed = "smiles:molecule/linear,sequence:protein/forest"
    found = molgraph("train", table, "--inputs", mixed, "--model", "fusion/linear", *words, "--out", tmp_path / "n")
    refused(found, 2, "joins what linear models see", "'protein/forest' is none of them", "trees by fusion/forest")
