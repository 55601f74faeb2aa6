"""What is known, counted and said of a model that started from the weights of another."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import molgraph
from molgraph import config
from molgraph.errors import ConfigError, DataError
from molgraph.workflows.evaluate import evaluate_file
from molgraph.workflows.plan import plan
from molgraph.workflows.share import share_folder

TINY = {
    "encoder": {"hidden": 16, "depth": 2},
    "head": {"hidden": 16},
    "train": {"epochs": 1},
    "comparator": "none",
    "split": "column:fold",
}


@pytest.fixture(scope="module")
def ligands(chembl_table):
    frame = chembl_table.iloc[::4].head(240).reset_index(drop=True)
    return frame.assign(fold=["train"] * 120 + ["valid"] * 60 + ["test"] * 60)


@pytest.fixture(scope="module")
def base(ligands, tmp_path_factory):
    """Return a model of 30 rows that another tests, and 50 of its own."""
    out = tmp_path_factory.mktemp("base") / "base"
    rows = pd.concat([ligands.iloc[180:210], ligands.iloc[:50]]).assign(fold=["train"] * 60 + ["test"] * 20)
    molgraph.train(rows, "pAct", out=out, **TINY)
    return out


@pytest.fixture(scope="module")
def tuned(ligands, base, tmp_path_factory):
    out = tmp_path_factory.mktemp("tuned") / "tuned"
    molgraph.train(ligands.iloc[50:], "pAct", init=str(base), out=out, **TINY)
    return out


def planned(frame, start, **settings):
    return plan(config.settings({**TINY, "targets": ["pAct"], "init": str(start), **settings}), frame)


def known(base, ligands):
    return set(np.flatnonzero(molgraph.load(base).known.seen(plan_data(ligands))))


def plan_data(frame):
    return plan(config.settings({**TINY, "targets": ["pAct"]}), frame).rows.data


def test_test_rows_of_the_start_are_dropped_reported_or_refused(ligands, base):
    salts = ligands.assign(smiles="Cl." + ligands["smiles"])  # another text of the same compounds
    seen = known(base, ligands)
    tested = [at for at in seen if at >= 180]
    assert 20 <= len(tested) <= 30
    for frame in (ligands, salts):
        made = planned(frame, base)
        assert set(made.split.test) == set(range(180, 240)) - seen
        assert (made.leaks.start.rows, made.leaks.start.of) == (len(tested), 60)
        said = f"{len(tested)} of 60 test rows stood in the training of the start and were left out"
        assert said in made.leaks.sentence and "none found" not in made.leaks.sentence
    left = planned(ligands, base, leaks="report")
    assert len(left.split.test) == 60
    assert f"{len(tested)} of 60 test rows stood in the training of the start and were left in" in left.leaks.sentence
    with pytest.raises(DataError, match=r"held-out rows stood in the training of the start \(first: row 181\)"):
        planned(ligands, base, leaks="refuse")
    assert json.loads(json.dumps(left.leaks.to_json()))["start"]["rows"] == len(tested)


def test_calibration_and_validation_rows_of_the_start_leave_too(ligands, base):
    other = ligands.assign(fold=["valid"] * 60 + ["train"] * 120 + ["test"] * 60)
    seen = known(base, other)
    made = planned(other, base)
    assert seen.isdisjoint(made.split.valid) and seen.isdisjoint(made.split.calibration)
    assert any("held-out rows stood in the training of the start; they were left out" in note for note in made.notes)


def test_near_duplicates_and_scaffolds_of_the_start_count(ligands, base):
    longer = "CCCCCCCCCCCCCCCCCCCCc1cc(O)cc(O)c1"
    alone = ligands.iloc[180:].assign(fold=["train"] * 40 + ["valid"] * 10 + ["test"] * 10)
    first = alone.head(1).assign(smiles=longer, fold="train")
    near = alone.head(1).assign(smiles="C" + longer, fold="test")
    start = base.parent / "near"
    rows = ligands.head(60).assign(fold=["train"] * 50 + ["test"] * 10)
    molgraph.train(pd.concat([rows, first]), "pAct", out=start, **TINY)
    frame = pd.concat([alone, near], ignore_index=True)
    before, made = plan(config.settings({**TINY, "targets": ["pAct"]}), frame), planned(frame, start)
    assert made.leaks.near.rows == before.leaks.near.rows + 1
    parted = planned(frame, start, split="scaffold")  # the split keeps its own scaffolds apart, and none of the start's
    assert "scaffold" in parted.leaks.shared


def test_a_start_without_rows_is_never_clean(ligands, base, tmp_path):
    share_folder(base, tmp_path / "given")
    made = planned(ligands, tmp_path / "given")
    gap = "the start 'given' was shared without its training rows"
    why = f"whether test rows were trained on before cannot be known: {gap}"
    assert "none found:" not in made.leaks.sentence and why in made.leaks.sentence
    assert f"W{why[1:]}." in made.notes


def test_the_chain_of_starts_is_kept(ligands, base, tuned, tmp_path):
    kept = molgraph.load(tuned)
    assert len(kept.starts) == 1 and kept.recipe.start["name"] == "base"
    rows = ligands.iloc[100:].assign(fold=["test"] * 25 + ["train"] * 115)
    molgraph.train(rows, "pAct", init=str(tuned), out=tmp_path / "third", **TINY)
    third = molgraph.load(tmp_path / "third")
    assert len(third.starts) == 2
    (found,) = evaluate_file(ligands.iloc[:50], [tmp_path / "third"]).values()  # rows of the first model alone
    seen = molgraph.load(base).known.seen(plan_data(ligands))[:50].sum()
    assert found["seen_in_training"] == seen > 0
    share_folder(tmp_path / "third", tmp_path / "given")
    assert not list((tmp_path / "given").glob("start-*"))
    (blind,) = evaluate_file(ligands.iloc[:50], [tmp_path / "given"]).values()
    assert blind["seen_in_training"] is None


def test_fine_tuning_is_compared_with_the_start_as_it_was(ligands, base, tuned):
    metrics = molgraph.load(tuned).recipe.metrics
    test = planned(ligands.iloc[50:], base).split.test
    rows = ligands.iloc[50:].iloc[test]
    said = molgraph.load(base).predict(rows[["smiles"]])["pAct"].to_numpy(dtype=float)
    rmse = float(np.sqrt(np.mean((said - rows["pAct"].to_numpy(dtype=float)) ** 2)))
    found = metrics["others"]["'base' as it was"]["pAct"]["rmse"]
    assert found["value"] == pytest.approx(rmse, rel=1e-4) and found["n"] == len(rows)
    assert "('base' as it was)" in metrics["verdicts"]["pAct"]["'base' as it was"]["sentence"]


def test_the_card_names_the_start_and_what_starts_anew(ligands, base, tuned, tmp_path):
    card = (tuned / "card.md").read_text(encoding="utf-8")
    assert f"- started from: base (sha256 {molgraph.load(base).digest[:12]})" in card and "start anew" not in card
    frame = ligands.iloc[50:].assign(more=lambda f: f["pAct"] * 2)
    molgraph.train(frame, ["pAct", "more"], init=str(base), out=tmp_path / "two", **TINY)
    two = molgraph.load(tmp_path / "two")
    fresh = two.recipe.start["anew"]
    assert fresh and all(not name.startswith("encoder.") for name in fresh)
    text = (tmp_path / "two" / "card.md").read_text(encoding="utf-8")
    assert "weights that did not fit and start anew: " in text and "of a start" not in text
    assert set(two.recipe.metrics["others"]["'base' as it was"]) == {"pAct"}, "it knew no other target"


def test_a_model_of_an_earlier_version_says_that_its_start_is_not_known(ligands, tuned):
    old = molgraph.load(tuned)
    old.recipe.start, old.starts = {}, ()
    assert old.known.gaps == ("an earlier version kept nothing of what its start 'base' was trained on",)


def test_where_the_start_knew_every_test_row_nothing_is_judged(ligands, base, tmp_path, capsys):
    rows = ligands.iloc[sorted(known(base, ligands))]
    rows = rows.assign(fold=["train"] * 30 + ["valid"] * 10 + ["test"] * (len(rows) - 40))
    molgraph.train(rows, "pAct", init=str(base), out=tmp_path / "same", **TINY)
    kept = molgraph.load(tmp_path / "same")
    assert kept.facts["test"] == 0 and kept.recipe.metrics["rows"] == 0
    assert "No test row is left, so nothing is judged." in capsys.readouterr().err
    assert np.isfinite(kept.predict(["CCO"])["pAct"].to_numpy(dtype=float)).all()


def test_what_is_frozen_is_said_and_has_the_weights_of_the_start(base, ligands, tmp_path):
    start = molgraph.load(base)
    frozen = {**TINY, "train": {"epochs": 1, "freeze": ["encoder"], "layer_decay": 0.8}}
    made = molgraph.train(ligands.iloc[50:], "pAct", init=str(base), out=tmp_path / "m", **frozen)
    theirs, mine = (each.members[0].model.state_dict() for each in (start, made))
    same = {name for name in mine if np.array_equal(mine[name], theirs[name])}
    assert {name for name in mine if name.startswith("encoder.")} <= same
    assert not any(name in same for name in mine if name.startswith("head.") and name.endswith("weight"))
    count = sum(weight.numel() for weight in made.members[0].model.encoder.parameters())
    said = f"frozen are {count:,} of the encoder's {count:,} weights (all of it)."
    assert said in made.facts["notes"] and said in (tmp_path / "m" / "card.md").read_text(encoding="utf-8")
    again = molgraph.load(tmp_path / "m")
    assert (again.recipe.run.train.freeze, again.recipe.run.train.layer_decay) == (["encoder"], 0.8)


def test_what_cannot_be_frozen_is_refused(base, ligands):
    part = {"epochs": 1, "freeze": ["W_h"]}
    notes = planned(ligands, base, train=part).facts["notes"]
    assert any(re.search(r"frozen are 256 of the encoder's [\d,]+ weights \(W_h\)\.$", note) for note in notes)
    notes = plan(config.settings({**TINY, "targets": ["pAct"], "train": part}), ligands).facts["notes"]
    assert any("They are as drawn: no --init gives others." in note for note in notes)
    with pytest.raises(ConfigError, match=r"the encoder has no part 'W_hh'; did you mean 'W_h'"):
        planned(ligands, base, train={"freeze": ["W_hh"]})
    trees = {**TINY, "targets": ["pAct"], "model": "molecule/forest", "encoder": {}, "train": part}
    with pytest.raises(ConfigError, match="'molecule/forest' is no network"):
        plan(config.settings(trees), ligands)
