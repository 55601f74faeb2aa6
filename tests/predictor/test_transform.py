"""Skewed targets are learnt on their logarithm, and come back in the user's units."""

import re

import numpy as np
import pandas as pd
import pytest

from molgraph.data.targets import ABOVE, EXACT
from molgraph.errors import ConfigError, DataError
from molgraph.kinds import restore
from molgraph.predictor import Panel, Predictor
from molgraph.predictor.duplicates import merged
from molgraph.predictor.targets import rank_targets
from molgraph.workflows.evaluate import evaluate_file

TREES = {"model": "molecule/forest", "encoder": {"rounds": 15, "depth": 3}, "comparator": "none"}
NETWORK = {"model": "molecule/feedforward", "encoder": {"hidden": 16}, "train": {"epochs": 3}, "variance": True}
MODELS = {"trees": TREES, "network": NETWORK}


@pytest.fixture(scope="module")
def skewed(series):
    """Return ligands with a clearance of 0.01 to 700, and its decadic logarithm."""
    logs = (series["pAct"] - series["pAct"].mean()) * 1.6 + 0.3
    clearance = np.clip(10**logs, 0.01, 700).round(4)
    return series.assign(clearance=clearance, plain=[repr(v) for v in np.log10(clearance)])


@pytest.fixture(scope="module")
def pairs(skewed, predictor_of):
    """Return, by kind of model, one of the clearance and one of its logarithm, which a chemist would have made."""
    return {
        name: (
            predictor_of(skewed, targets=["clearance"], **settings),
            predictor_of(skewed, targets=["plain"], transform="none", **settings),
        )
        for name, settings in MODELS.items()
    }


def test_what_is_found_on_training_rows_is_said(skewed, plan_of):
    made = plan_of(skewed, targets=["clearance"])
    assert made.task.of("clearance").on_logarithm
    values, _, _ = made.rows.data.targets.arrays("clearance")
    np.testing.assert_allclose(10**values, skewed["clearance"])
    note = next(note for note in made.notes if "learnt on log10" in note)
    assert note.startswith("clearance: skewed values over ") and 'transform = "none"' in note


CASES = {
    "a zero": (lambda v: np.where(np.arange(len(v)) == 3, 0, v), "clearance", r"1 are 0 or below \(row 4: 0\)"),
    "a negative": (lambda v: np.where(np.arange(len(v)) == 3, -2.5, v), "clearance", r"row 4: -2\.5"),
    "a percentage": (lambda v: np.clip(v, 0, 100), "inhibition %", "called as a percentage"),
    "a logarithm by name": (lambda v: v, "logCL", "called as a logarithm already"),
    "one power of ten": (lambda v: v ** (1 / 6), "clearance", None),
    "evenly spread": (lambda v: np.linspace(0.1, 100, len(v)), "clearance", None),
    "a p-value": (lambda v: 6 + np.log10(v), "pIC50", None),
}


@pytest.mark.parametrize("case", CASES)
def test_what_has_no_use_for_a_logarithm_is_learnt_as_it_stands(case, skewed, plan_of):
    change, name, why = CASES[case]
    made = plan_of(skewed.assign(**{name: change(skewed["clearance"].to_numpy())}), targets=[name])
    assert not made.task.of(name).on_logarithm
    said = [note for note in made.notes if "skewed" in note]
    assert (len(said) == 1 and re.search(why, said[0])) if why else not said


def capped(values, share, sign):
    """Return values as cells, so large a share of them known only to lie above, or below, one value."""
    end = np.quantile(values, 1 - share if sign == ">" else share)
    return [f"{sign}{end:.4g}" if (v > end if sign == ">" else v < end) else f"{v:.4g}" for v in values]


@pytest.mark.parametrize(("sign", "share"), [(">", 0.15), (">", 0.45), ("<", 0.15), ("<", 0.3)])
def test_bounds_do_not_hide_a_skewed_target(sign, share, skewed, plan_of):
    cells = capped(skewed["clearance"].to_numpy(), share, sign)
    made = plan_of(skewed.assign(clearance=cells), targets=["clearance"])
    _, _, bound = made.rows.data.subset(made.split.train).targets.arrays("clearance")
    (note,) = (note for note in made.notes if "learnt on log10" in note)
    assert made.task.of("clearance").on_logarithm and note.startswith("clearance: skewed values over ")
    assert f"{(bound != EXACT).sum()} of {len(bound)} of them bounds, counted at their bound" in note


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_an_even_target_with_bounds_is_learnt_as_it_stands_and_that_is_said(share, skewed, plan_of):
    # another seed than that of the split, which would hold out the largest
    cells = capped(np.random.default_rng(7).permutation(np.linspace(0.1, 100, len(skewed))), share, ">")
    cells[:6] = ["0.1"] * 6  # it spans decades
    made = plan_of(skewed.assign(y=cells), targets=["y"])
    assert not made.task.of("y").on_logarithm
    said = [note for note in made.notes if "not clearly skewed: learnt as they stand" in note]
    assert len(said) == 1 and "of them bounds, counted at their bound" in said[0]
    assert 'transform = "log" says otherwise' in said[0]


def test_a_logarithm_with_bounds_needs_no_word_on_its_scale(skewed, plan_of):
    made = plan_of(skewed.assign(pIC50=capped(skewed["pAct"].to_numpy(), 0.4, ">")), targets=["pIC50"])
    assert not made.task.of("pIC50").on_logarithm and not any("counted at their bound" in note for note in made.notes)


def test_rows_that_do_not_train_have_no_say(skewed, plan_of):
    fold = ["train"] * 80 + ["valid"] * 15 + ["test"] * 15
    even = np.where(np.array(fold) == "train", 5 + np.arange(110) % 7, skewed["clearance"])
    assert not plan_of(skewed.assign(y=even, fold=fold), targets=["y"], split="column:fold").task.of("y").on_logarithm
    wild = np.where(np.array(fold) == "train", skewed["clearance"], 5)
    assert plan_of(skewed.assign(y=wild, fold=fold), targets=["y"], split="column:fold").task.of("y").on_logarithm


def test_a_person_decides_for_all_or_for_each(skewed, plan_of):
    frame = skewed.assign(IC50=skewed["clearance"])
    two = ["clearance", "pAct"]
    assert not plan_of(frame, targets=two, transform="none").task.of("clearance").on_logarithm
    made = plan_of(frame, targets=two, transform={"pAct": "log"})
    assert made.task.of("pAct").on_logarithm and made.task.of("clearance").on_logarithm  # the other is left to the data
    made = plan_of(frame, targets=two, transform={"clearance": "none"})
    assert not made.task.of("clearance").on_logarithm and not made.task.of("pAct").on_logarithm
    with pytest.raises(ConfigError, match="transform names the target 'clearence'; did you mean 'clearance'"):
        plan_of(frame, targets=two, transform={"clearence": "log"})
    with pytest.raises(ConfigError, match="transform = 'ln' is not known"):
        plan_of(frame, targets=two, transform="ln")
    with pytest.raises(ConfigError, match=r"'pIC50' is a logarithm already"):
        plan_of(frame, targets=["IC50"], units={"IC50": "uM"}, transform="log")
    with pytest.raises(ConfigError, match="'active' is no number"):
        plan_of(frame, targets=["active"], task="binary", transform={"active": "log"})
    with pytest.raises(DataError, match=r'row 1: clearance is 0, and has no logarithm \(1 such rows\).*"none"'):
        plan_of(frame.assign(clearance=[0, *frame["clearance"][1:]]), targets=["clearance"], transform="log")


@pytest.mark.parametrize("name", MODELS)
def test_it_is_the_model_of_the_logarithms_in_the_units_of_the_file(name, pairs, skewed):
    natural, logs = pairs[name]
    mine, theirs = (each.predict(skewed[["smiles"]]) for each in (natural, logs))
    for end in ("", "_lo90", "_hi90"):
        np.testing.assert_allclose(mine[f"clearance{end}"], 10.0 ** theirs[f"plain{end}"], rtol=1e-4)
    np.testing.assert_allclose(mine["clearance_nn"], 10.0 ** theirs["plain_nn"], rtol=1e-5)
    value, low, high = (mine[f"clearance{end}"] for end in ("", "_lo90", "_hi90"))
    assert (low > 0).all()
    np.testing.assert_allclose(high / value, value / low, rtol=1e-4)
    if name == "network":
        above, below = (10.0 ** (theirs["plain"] + sign * theirs["plain_std"]) for sign in (1, -1))
        np.testing.assert_allclose(mine["clearance_std"], (above - below) / 2, rtol=1e-3)
    scores, expected = (each.recipe.metrics for each in (natural, logs))
    assert scores["model"]["clearance"]["rmse"]["value"] == pytest.approx(expected["model"]["plain"]["rmse"]["value"])
    assert scores["coverage"]["clearance"]["value"] == expected["coverage"]["plain"]["value"]
    units = scores["natural"]["clearance"]
    assert set(units) == {"model", *scores["others"]} and units["model"]["rmse"]["value"] > 0
    assert expected["natural"] == {}


def test_a_saved_model_says_the_same_and_its_card_names_both_scales(pairs, tmp_path):
    model, _ = pairs["trees"]
    model.save(tmp_path)
    again = Predictor.load(tmp_path)
    pd.testing.assert_frame_equal(again.predict(["CCO", "c1ccccc1O"]), model.predict(["CCO", "c1ccccc1O"]))
    assert "clearance is learnt on log10, and so are its scores and widths; in the units of the file: " in (
        tmp_path / "card.md"
    ).read_text(encoding="utf-8")


def test_targets_ask_in_the_units_of_the_file(pairs, skewed):
    natural, logs = pairs["trees"]
    table = next(natural.read(skewed["smiles"].tolist()[:3]))
    mine, theirs = rank_targets(natural, table, active=5.0), rank_targets(logs, table, active=np.log10(5.0))
    np.testing.assert_allclose(mine["probability"], theirs["probability"])
    for column in ("value", "lo90", "hi90", "known_value"):
        np.testing.assert_allclose(mine[column], 10.0 ** theirs[column], rtol=1e-4)
    assert (rank_targets(natural, table, active=0.0)["probability"] > 0.9).all()


def test_evaluate_judges_in_both_scales_and_leaves_out_what_has_no_logarithm(pairs, skewed, tmp_path):
    pairs["trees"][0].save(tmp_path)
    frame = skewed[["smiles", "clearance"]].copy()
    frame.loc[5, "clearance"] = 0
    frame.to_csv(tmp_path / "in.csv", index=False)
    found = evaluate_file(tmp_path / "in.csv", [tmp_path], out=tmp_path / "out")[str(tmp_path)]
    assert found["model"]["clearance"]["rmse"]["n"] == len(frame) - 1
    assert found["natural"]["clearance"]["nearest neighbour"]["mae"]["n"] == len(frame) - 1
    written = pd.read_csv(next((tmp_path / "out").glob("scores-*.csv")))
    np.testing.assert_allclose(written["clearance_measured"], frame["clearance"].drop(index=5), rtol=1e-6)
    assert (found["rows_read"], found["rows"], found["left_out"]) == (len(frame), len(frame) - 1, {"invalid_target": 1})
    (reject,) = pd.read_csv(tmp_path / "out" / "rejects.csv").to_dict("records")
    assert (reject["row"], reject["text"]) == (6, frame["smiles"][5]) and "0 has none" in reject["message"]


def test_repeats_become_a_geometric_mean_and_bounds_stay_bounds(skewed, plan_of):
    again = skewed.iloc[[0, 0]].assign(clearance=[1.0, 100.0])
    bound = skewed.iloc[[1]].assign(clearance=[">10"])
    frame = pd.concat([again, bound, skewed.iloc[2:]], ignore_index=True)
    made = plan_of(frame, targets=["clearance"])
    rows = merged(made.rows.data, made.task.of_column, "mean")
    values, _, bounds = rows.targets.arrays("clearance")
    assert values[0] == pytest.approx(1.0) and bounds[0] == EXACT  # log10 of 10
    assert values[1] == pytest.approx(1.0) and bounds[1] == ABOVE


def test_a_start_and_a_panel_must_mean_the_same(pairs, skewed, plan_of, predictor_of, tmp_path):
    natural, _ = pairs["network"]
    natural.save(tmp_path)
    settings = {**NETWORK, "targets": ["clearance"], "init": str(tmp_path)}
    few = skewed.iloc[:40].assign(clearance=np.linspace(5, 9, 40))  # alone they would not ask for a logarithm
    assert plan_of(few, **settings).task.of("clearance").on_logarithm
    with pytest.raises(ConfigError, match=r'trained on clearance by its logarithm, .*set transform = "log"'):
        plan_of(few, **settings, transform="none")
    other = predictor_of(skewed, **{**NETWORK, "targets": ["clearance"], "transform": "none"})
    with pytest.raises(ConfigError, match="one model learnt 'clearance' on its logarithm and another did not"):
        Panel([natural, other])
    both = Panel([natural, natural]).predict(skewed[["smiles"]])
    np.testing.assert_allclose(both["clearance"], natural.predict(skewed[["smiles"]])["clearance"], rtol=1e-5)


def test_tasks_of_earlier_versions_are_no_logarithms():
    task = restore({"kind": "regression", "names": ["y"], "mean": [1.0], "std": [2.0]})
    assert not task.of("y").on_logarithm
