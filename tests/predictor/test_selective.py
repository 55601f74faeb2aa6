import copy

import numpy as np
import pytest

from molgraph import config
from molgraph.errors import ConfigError
from molgraph.predictor.selective import SELECTIVITY, Selective
from molgraph.predictor.targets import prepared, protein_slot
from molgraph.workflows.plan import plan
from molgraph.workflows.train import train_rows

LIGANDS = ["CCO", "c1ccccc1C(=O)NC1CC1", "xx"]


@pytest.fixture(scope="module")
def paired(pairs_table):
    raw = {
        "targets": ["pKd"],
        "split": "random",
        "comparator": "none",
        "inputs": {
            "drug": {"encoder": "molecule/feedforward", "column": "smiles", "hidden": 8, "descriptors": False},
            "target": {"encoder": "protein/feedforward", "column": "sequence", "hidden": 8},
        },
        "head": {"hidden": 8},
        "train": {"epochs": 2},
    }
    return train_rows(plan(config.settings(raw), pairs_table))


@pytest.fixture
def sequences(pairs_table):
    return pairs_table.drop_duplicates("target_id").set_index("target_id")["sequence"]


def test_a_panel_names_what_to_avoid(trained):
    made = Selective(trained[1], ["active"])
    found = made.predict(LIGANDS)
    assert made.numbers[-1] == SELECTIVITY and made.on == "pAct"
    good = found["status"] == "ok"
    expected = found["pAct"][good].astype(float) - found["active"][good].astype(float)
    np.testing.assert_allclose(found[SELECTIVITY][good].astype(float), expected, rtol=1e-5)
    assert np.isnan(found[SELECTIVITY].astype(float)[2])
    assert made.digest == trained[1].digest


def test_what_cannot_be_avoided_is_said(trained):
    with pytest.raises(ConfigError, match=r"no target 'actve'.*did you mean 'active'"):
        Selective(trained[1], ["actve"])
    with pytest.raises(ConfigError, match="none is left"):
        Selective(trained[1], list(trained[1].numbers))


def test_pairs_avoid_the_proteins_of_a_file(paired, sequences, tmp_path):
    on, *off = sequences.index
    fasta = tmp_path / "off.fasta"
    fasta.write_text("".join(f">{name}\n{sequences[name]}\n" for name in off), encoding="utf-8")
    scorer = copy.copy(paired).give({"target": sequences[on]})
    found = Selective(scorer, [str(fasta)]).predict(LIGANDS)
    each = [copy.copy(paired).give({"target": sequences[name]}).predict(LIGANDS)["pKd"].astype(float) for name in off]
    mine = copy.copy(paired).give({"target": sequences[on]}).predict(LIGANDS)["pKd"].astype(float)
    np.testing.assert_allclose(found[SELECTIVITY].astype(float), mine - np.max(each, axis=0), rtol=1e-4, atol=1e-5)
    assert prepared(paired, protein_slot(paired), [sequences[on]], [on]).names == (on,)


def test_the_target_itself_is_not_avoided(paired, sequences, tmp_path):
    on, *off = sequences.index
    scorer = copy.copy(paired).give({"target": sequences[on]})
    found = []
    for names in ([on, *off], off, [on]):
        fasta = tmp_path / f"{len(names)}.fasta"
        fasta.write_text("".join(f">{name}\n{sequences[name]}\n" for name in names), encoding="utf-8")
        found.append(Selective(scorer, [str(fasta)]))
    both, without = (made.predict(LIGANDS)[SELECTIVITY].astype(float) for made in found[:2])
    np.testing.assert_allclose(both, without, rtol=1e-5, atol=1e-6)
    with pytest.raises(ConfigError, match="nothing to avoid"):
        found[2].predict(LIGANDS)


def test_pairs_want_one_file(paired, sequences):
    scorer = copy.copy(paired).give({"target": sequences.iloc[0]})
    with pytest.raises(ConfigError, match="one file of proteins"):
        Selective(scorer, ["EGFR"])


def test_it_can_be_copied(trained):
    made = Selective(trained[1], ["active"])
    assert copy.copy(made).numbers == made.numbers
