"""The command that ranks targets: a molecule or a file in, a list in the terminal or a file out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import molgraph
from molgraph.cli import main
from molgraph.errors import ConfigError, DataError
from molgraph.predictor import Predictor
from molgraph.workflows.targets import is_text, targets_of

INPUTS = {
    "drug": {"column": "smiles", "encoder": "molecule/gin", "hidden": 8, "depth": 1},
    "target": {"column": "sequence", "encoder": "protein/feedforward", "hidden": 8},
}
TINY = {"head": {"hidden": 8}, "train": {"epochs": 1}, "comparator": "none", "split": "random", "refit": "no"}


@pytest.fixture(scope="module")
def pair_model(pairs_table, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("model") / "pair"
    molgraph.train(pairs_table, "pKd", out=out, inputs=INPUTS, fractions=[0.5, 0.3, 0.2], **TINY)
    return out


@pytest.fixture(scope="module")
def one_input(pairs_table, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("model") / "one"
    small = {"model": "molecule/gin", "encoder": {"hidden": 8, "depth": 1}}
    molgraph.train(pairs_table, "pKd", out=out, fractions=[0.5, 0.3, 0.2], **small, **TINY)
    return out


def test_a_smiles_in_the_terminal(pair_model, capsys):
    assert main(["targets", "CCO", "--model", str(pair_model), "--active", "7", "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "CCO (row 1)" and lines[1].split()[:3] == ["target", "measured", "chance"]
    assert [line.split()[0] for line in lines[2:]] == ["1", "2"]
    assert all("%" in line and "similarity" in line and " out " in line for line in lines[2:])


def test_a_measured_pair_in_the_terminal_says_what_was_measured(pair_model, pairs, capsys):
    domain = Predictor.load(pair_model).domain
    smiles, name = domain.key(0), domain.sides["target"].name(int(domain.index[0, 1]))
    assert main(["targets", smiles, "--model", str(pair_model), "--active", "1"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    written = pairs.set_index(["smiles", "target_id"])["pKd"]
    (line,) = (line for line in lines if line[1] == name)
    assert float(line[2]) == pytest.approx(domain.values[0, 0], abs=0.005) and domain.values[0, 0] in written.to_numpy()
    assert line[3] == "known" and all("%" in each[2] for each in lines if each[2].endswith("%"))


def test_a_bad_smiles_in_the_terminal(pair_model, capsys):
    assert main(["targets", "xx", "--model", str(pair_model), "--active", "7"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("  invalid_smiles: ")


def test_a_file_in_and_a_file_out(pair_model, pairs, tmp_path, capsys):
    pairs.head(3).rename(columns={"smiles": "mol_x"}).to_csv(tmp_path / "in.csv", index=False)
    words = ["targets", str(tmp_path / "in.csv"), "-s", "mol_x", "--model", str(pair_model), "--active", "7"]
    assert main([*words, "-o", str(tmp_path / "out.csv")]) == 0
    assert "12 lines written" in capsys.readouterr().err
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["row"].tolist() == [row for row in (1, 2, 3) for _ in range(4)]
    assert found["query"].tolist() == [text for text in pairs["smiles"].head(3) for _ in range(4)]


def test_blocks_say_what_the_whole_says(pair_model, nci, monkeypatch):
    asked = nci[:7]
    whole = targets_of(asked, pair_model, active=7.0)
    monkeypatch.setattr("molgraph.workflows.targets.BLOCK", 2)
    blocks = targets_of(asked, pair_model, active=7.0)
    assert blocks["row"].tolist() == whole["row"].tolist()
    assert blocks["known_id"].tolist() == whole["known_id"].tolist()
    assert blocks["value"].to_numpy(float) == pytest.approx(whole["value"].to_numpy(float), abs=1e-5)


def test_a_molecule_longer_than_the_name_of_a_file(pair_model):
    found = targets_of("C" * 400, pair_model, active=7.0)
    assert (found["status"] == "ok").all() and len(found) == 4


def test_what_is_a_molecule_and_what_a_file(tmp_path):
    (tmp_path / "some.smi").write_text("CCO\n", encoding="utf-8")
    assert [is_text(s) for s in ("CCO", "[Na+].[Cl-]", "-", str(tmp_path / "some.smi"), ["CCO"])] == [
        True, True, False, False, False
    ]  # fmt: skip
    for name in ("none.smi", "none.csv.gz", "none.sdf"):
        with pytest.raises(DataError, match=f"{name}: no such file"):
            is_text(str(tmp_path / name))


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["nothing.csv", "--active", "7"], 3, "nothing.csv: no such file"),
        (["CCO"], 2, "--active"),
        (["CCO", "--active", "7", "--top", "0"], 2, "--top 0: give 1 or more"),
        (["CCO", "--active", "7", "--proteins", "nothing.fasta"], 3, "nothing.fasta: no such file"),
    ],
    ids=str,
)
def test_wrong_words(pair_model, words, code, says, capsys):
    assert main(["targets", *words, "--model", str(pair_model)]) == code
    assert says in capsys.readouterr().err


def test_a_model_without_a_protein_refuses_proteins(one_input, tmp_path, capsys):
    (tmp_path / "library.csv").write_text("smiles\nCCO\n", encoding="utf-8")
    words = ["predict", str(tmp_path / "library.csv"), "--model", str(one_input), "-o", str(tmp_path / "o.csv")]
    assert main([*words, "--protein", "MKT"]) == 2
    assert "no input 'protein' to give" in capsys.readouterr().err
    (tmp_path / "some.fasta").write_text(">a\nMKT\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="this one has 1 input"):
        targets_of("CCO", one_input, active=7.0, proteins=tmp_path / "some.fasta")
    assert targets_of("CCO", one_input, active=7.0)["target"].tolist() == ["pKd"]
