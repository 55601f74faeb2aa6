"""What the guard finds, drops and refuses."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from molgraph import config
from molgraph.data.cells import Cells
from molgraph.errors import DataError
from molgraph.predictor.inputs import slots
from molgraph.predictor.leaks import guard, same_order
from molgraph.rooms.molecule.groups import scaffold
from molgraph.rooms.molecule.room import ROOM
from molgraph.split import IDENTITY, Split
from molgraph.workflows.plan import plan

RESORCINOL = "CCCCCCCCCCCCCCCCCCCCc1cc(O)cc(O)c1"


def made_of(frame, **settings):
    return plan(config.settings({"targets": ["pAct"], "comparator": "none", **settings}), frame)


def folds(ligands, test, train=70):
    """Return a table whose last rows test, after `train` rows that train and some that validate."""
    fold = ["train"] * train + ["valid"] * (len(ligands) - train) + ["test"] * len(test)
    return pd.concat([ligands, test], ignore_index=True).assign(fold=fold)


@pytest.fixture
def ligands(chembl):
    return chembl.iloc[::10].head(100).reset_index(drop=True)


# --- molecules over folds --------------------------------------------------------------------------------------------


def test_near_duplicates_are_what_the_fingerprints_say(ligands):
    longer = pd.DataFrame({"smiles": [RESORCINOL, "C" + RESORCINOL], "name": ["a", "b"], "pAct": [5.0, 5.1]})
    table = folds(pd.concat([longer.head(1), ligands], ignore_index=True), longer.tail(1))
    made = made_of(table, split="column:fold")
    data = made.rows.data
    prints = data.inputs["input"].parts
    train, test = (data.inputs["input"].index[fold] for fold in (made.split.train, made.split.test))
    similarity = ROOM.likeness.index(prints.gather(train)).similarity(prints.gather(test))
    assert similarity.max() >= 0.95
    assert (made.leaks.near.rows, made.leaks.near.of, made.leaks.near.limit) == (1, 1, 0.95)
    assert "1 of 1 test rows have a near duplicate in the training set (similarity 0.95 or more)" in made.leaks.sentence


def test_the_limit_is_the_rooms(ligands, monkeypatch):
    table = folds(ligands.head(90), ligands.tail(10))
    found = {}
    for limit in (0.5, 0.8, None):
        monkeypatch.setattr(
            "molgraph.rooms.molecule.room.ROOM",
            dataclasses.replace(ROOM, likeness=dataclasses.replace(ROOM.likeness, near=limit)),
        )
        found[limit] = made_of(table, split="column:fold").leaks.near
    assert found[None] is None and found[0.5].rows > found[0.8].rows
    data = made_of(table, split="column:fold").rows.data
    keys = [data.inputs["input"].key_of(i) for i in range(100)]
    parts = ROOM.reading.prepare(Cells.of(keys), ("fingerprint",)).parts
    near = ROOM.likeness.index(parts.gather(np_rows(0, 70))).nearest(parts.gather(np_rows(90, 100)))[1]
    assert found[0.5].rows == int((near >= 0.5).sum())


def np_rows(start, stop):
    import torch

    return torch.arange(start, stop)


def test_scaffolds_on_both_sides_are_counted_where_the_split_does_not_part_them(ligands):
    made = made_of(ligands, split="random")
    data = made.rows.data
    groups = scaffold([data.inputs["input"].key_of(i) for i in range(len(data))])
    both = np.isin(groups[made.split.test], groups[made.split.train])
    assert made.leaks.shared["scaffold"].rows == both.sum() > 0
    assert f"{both.sum()} of {len(both)} test rows share a scaffold with a training row" in made.leaks.sentence
    assert made_of(ligands, split="scaffold").leaks.shared == {}


def test_the_same_thing_is_no_near_duplicate(ligands):
    table = folds(ligands, ligands.head(3))
    left_in = made_of(table, split="column:fold", leaks="report").leaks
    assert left_in.across[IDENTITY] == (3, 1) and left_in.near.rows == 0
    assert "the test score flatters" in left_in.sentence
    left_out = made_of(table, split="column:fold").leaks
    assert "3 rows also stand in a later fold (first: row 1) and were left out of the training" in left_out.sentence


def test_things_that_disagree_over_folds_are_conflicts(ligands):
    again = ligands.head(4).assign(pAct=[*(ligands["pAct"].head(3) + 1), ligands["pAct"][3]])
    made = made_of(folds(ligands, again), split="column:fold")
    assert made.leaks.conflicts == {"pAct": 3}
    assert "pAct" not in made.leaks.sentence, "that is no leak"
    assert "pAct: 3 molecules with different measurements in different rows." in made.notes


def test_a_clean_split_says_so_and_all_is_plain_json(ligands):
    found = made_of(ligands, split="scaffold").leaks
    assert found.sentence == "none found: no test row is in the training set nor near it (similarity 0.95 or more)"
    assert json.loads(json.dumps(found.to_json(), allow_nan=False)) == found.to_json()


# --- groups of the data ----------------------------------------------------------------------------------------------


def grouped(made, patients, rule):
    data = dataclasses.replace(made.rows.data, groups={**made.rows.data.groups, "patient": patients})
    none = np.zeros(0, dtype=np.int64)
    cut = Split(np.arange(60), np.arange(60, 80), none, np.arange(80, 100))
    return guard(cut, data, slots(made.run), rule=rule, origin="scans.csv")


def test_rows_of_a_patient_who_is_tested_leave_the_training(ligands):
    made = made_of(ligands, split="random")
    patients = np.arange(100)
    patients[[3, 4, 70]] = 90
    cut, found = grouped(made, patients, "drop")
    assert found.across == {"patient": (3, int(made.rows.data.rows[3]))}
    assert {3, 4}.isdisjoint(cut.train) and 70 not in cut.valid and len(cut.test) == 20
    assert found.notes == [
        "3 rows share a patient with a later fold (first: row 4); they were left out of the training."
    ]
    kept, _ = grouped(made, patients, "report")
    assert len(kept.train) == 60
    with pytest.raises(DataError, match=r"scans\.csv: 3 rows share a patient with a later fold"):
        grouped(made, patients, "refuse")


# --- pairs -----------------------------------------------------------------------------------------------------------

INPUTS = {
    "drug": {"column": "smiles", "encoder": "molecule/gin"},
    "target": {"column": "sequence", "encoder": "protein/cnn"},
}


def test_a_pair_is_near_where_one_row_is_near_in_both(pairs):
    base = pairs[pairs["target_id"] == "kinA"].reset_index(drop=True)
    one = base.iloc[[0]].assign(smiles=RESORCINOL, drug_id="a", fold="train")
    near = one.assign(smiles="C" + RESORCINOL, fold="test")
    far = near.assign(sequence=pairs.loc[pairs["target_id"] == "ubi", "sequence"].iloc[0])
    base = base.assign(fold=["train"] * 12 + ["valid"] * 8)
    elsewhere = far.assign(smiles=base["smiles"][19], fold="train")  # the protein of `far`, with another molecule
    table = pd.concat([base, one, near, far, elsewhere], ignore_index=True)
    made = made_of(table, targets=["pKd"], inputs=INPUTS, split="column:fold")
    assert (made.leaks.near.rows, made.leaks.near.of) == (1, 2)


def test_a_target_read_as_an_input_from_a_joined_file_is_refused(pairs, tmp_path):
    named = pairs.drop(columns="sequence").assign(row=[f"r{i}" for i in range(len(pairs))])
    more = pd.DataFrame({"id": named["row"], "sequence": 10 ** (9 - named["pKd"])})  # nM: a vector of one number
    more.to_csv(tmp_path / "more.csv", index=False)
    inputs = {**INPUTS, "target": {"column": "sequence", "encoder": "protein/embedding"}}
    settings = {"targets": ["pKd"], "inputs": inputs, "split": "random", "join": [f"{tmp_path / 'more.csv'}:row"]}
    with pytest.raises(DataError, match="target 'pKd' is given away by 'embedding' of column 'sequence'") as refused:
        made_of(named, **settings)
    assert "Leave that input (or the setting that adds it) out, or train all the same" in str(refused.value)
    found = made_of(named, **settings, leaks="report")
    assert found.leaks.columns == {"pKd": ["'embedding' of column 'sequence'"]}
    assert any("is given away" in note for note in found.notes)


# --- columns ---------------------------------------------------------------------------------------------------------


def test_a_descriptor_as_target_is_refused_for_a_model_that_sees_it(ligands):
    from rdkit import Chem
    from rdkit.Chem import Crippen

    ligands["logP"] = [Crippen.MolLogP(Chem.MolFromSmiles(s)) for s in ligands["smiles"]]
    for values, task in ((-2 * ligands["logP"] + 1, "regression"), ((ligands["logP"] > 4).astype(int), "binary")):
        table = ligands.assign(leak=values)
        with pytest.raises(DataError, match=r"'leak' is given away by number [0-9]+ of 'descriptors'"):
            made_of(table, targets=["leak"], task=task, model="molecule/forest", split="random")
        assert made_of(table, targets=["leak"], task=task, split="random").leaks.columns == {}  # a graph sees no logP


def test_a_copy_is_found_under_any_monotone_transform():
    values = np.random.default_rng(0).normal(size=60)
    table = np.stack([values, np.exp(-values), values.round(1), values > 0.2, np.ones(60), values[::-1]], axis=1)
    assert same_order(table, values) == [0, 1, 2, 3]
    assert same_order(values[:, None], (values > 0.5).astype(float)) == [0]


def test_what_may_be_chance_is_no_copy():
    assert same_order(np.arange(6.0)[:, None], np.arange(6.0)) == []  # 2 / 6! = 0.003
    rare = np.zeros(100)
    rare[-1] = 1  # the one positive has the largest number: 1 in 100
    assert same_order(np.arange(100.0)[:, None], rare) == []
    assert same_order(np.zeros((0, 3)), np.zeros(0)) == []


def test_a_number_that_only_one_class_has_is_no_copy():
    absorbed = np.array([0.0] * 60 + [1.0] * 340)
    group = np.where(np.arange(400) >= 150, 1.0, 0.0)  # a group of atoms that no row of class 0 has, and not all of 1
    assert same_order(group[:, None], absorbed) == []


def test_the_chance_is_that_of_all_orders():
    """Of all 120 orders of five rows, the share that puts no pair of these ties out of order, by counting."""
    from itertools import permutations
    from math import exp

    from molgraph.predictor.leaks import _log_chance

    a, b = np.array([1, 1, 2, 2, 3]), np.array([5, 5, 5, 6, 7])
    hits = [p for p in permutations(range(5)) if (np.diff(b[list(p)][np.lexsort((b[list(p)], a))]) >= 0).all()]
    assert exp(_log_chance(a, b)) == pytest.approx(len(hits) / 120)


def test_values_merged_of_several_rows_do_not_hide_a_copy(ligands):
    from rdkit import Chem
    from rdkit.Chem import Descriptors

    ligands["w"] = [Descriptors.MolWt(Chem.MolFromSmiles(s)) for s in ligands["smiles"]]
    twice = ligands.head(5).assign(w=lambda f: f["w"] + 40)
    with pytest.raises(DataError, match="given away"):
        made_of(pd.concat([ligands, twice], ignore_index=True), targets=["w"], model="molecule/forest", split="random")
    whole = pd.concat([ligands] * 2, ignore_index=True)  # every row twice, and the copies agree
    with pytest.raises(DataError, match="given away"):
        made_of(whole, targets=["w"], model="molecule/forest", split="random")
