import numpy as np
import pandas as pd
import pytest

from molgraph.errors import ConfigError
from molgraph.predictor import Panel, Predictor, load
from molgraph.predictor.inputs import INPUT
from molgraph.predictor.neighbours import neighbours
from molgraph.workflows.train import train_rows

LIGANDS = ["CCO", "c1ccccc1C(=O)NC1CC1", "O=S(=O)(Nc1cccs1)c2ccccc2"]


@pytest.fixture(scope="module")
def panel(network, forest):
    return Panel([network[1], forest[1]])


def things_of(predictor, smiles=LIGANDS):
    return predictor.inputs.prepare(next(predictor.read(smiles))).things()[0]


def test_a_shared_target_is_the_mean_and_its_spread(panel, network, forest):
    things = things_of(panel)
    both = [p.columns_of(things) for p in (network[1], forest[1])]
    found = panel.columns_of(things)
    for name in ("pAct", "active", "level_p_low"):
        single = np.stack([f[name].to_numpy(dtype=float) for f in both])
        np.testing.assert_allclose(found[name].to_numpy(dtype=float), single.mean(axis=0), rtol=1e-5)
    single = np.stack([f["pAct"].to_numpy(dtype=float) for f in both])
    np.testing.assert_allclose(found["pAct_std"].to_numpy(dtype=float), single.std(axis=0, ddof=1), rtol=1e-4)
    half = np.mean([p.intervals["pAct"].limits[0] for p in panel.predictors])
    np.testing.assert_allclose(found["pAct_hi90"] - found["pAct"], half, rtol=1e-4)
    np.testing.assert_allclose(found["pAct"] - found["pAct_lo90"], half, rtol=1e-4)
    assert list(found) == list(both[0])


def test_half_widths_in_predicted_deviations_are_averaged_as_each_was_calibrated(series, plan_of):
    models = [train_rows(plan_of(series, variance=True, ensemble=2, seed=seed)) for seed in (0, 1)]
    panel = Panel(models)
    things = things_of(panel)
    found, each = panel.columns_of(things), [p.columns_of(things) for p in models]
    for end in ("pAct_lo90", "pAct_hi90"):
        wide = np.mean([(one[end] - one["pAct"]).to_numpy(dtype=float) for one in each], axis=0)
        np.testing.assert_allclose((found[end] - found["pAct"]).to_numpy(dtype=float), wide, rtol=1e-4)
    between = np.std([one["pAct"].to_numpy(dtype=float) for one in each], axis=0, ddof=1)
    within = np.mean([one["pAct_std"].to_numpy(dtype=float) for one in each], axis=0)
    np.testing.assert_allclose(found["pAct_std"].to_numpy(dtype=float), np.hypot(within, between), rtol=1e-4)


def test_targets_of_one_model_stand_beside_the_others(network, series, plan_of):
    frame = series.assign(other=-series["pAct"])
    own = train_rows(plan_of(frame, targets=["other", "pAct"]))
    panel = Panel([network[1], own])
    assert panel.targets == ("pAct", "active", "level", "other")
    things = things_of(panel)
    found, alone = panel.columns_of(things), own.columns_of(things)
    np.testing.assert_array_equal(found["other"], alone["other"])
    assert found["other_std"].isna().all()  # one member has no spread
    assert panel.numbers == ("pAct", "active", "level_p_high", "level_p_low", "level_p_mid", "other")


def test_the_panel_of_a_folder_twice_is_that_model_without_spread(network, tmp_path):
    network[1].save(tmp_path)
    panel = load([tmp_path, tmp_path])
    assert isinstance(panel, Panel)
    twice, once = panel.columns_of(things_of(panel)), network[1].columns_of(things_of(panel))
    np.testing.assert_array_equal(twice["pAct"], once["pAct"])
    assert (twice["pAct_std"] == 0).all()
    assert panel.digest != network[1].digest
    assert load([tmp_path, tmp_path]).digest == panel.digest


def test_inside_is_inside_of_all_and_nearest_of_any(series, plan_of):
    halves = [train_rows(plan_of(half)) for half in (series.head(55), series.tail(55))]
    panel = Panel(halves)
    things = things_of(panel, series["smiles"].tolist()[::10])
    found = panel.columns_of(things)
    single = [p.columns_of(things) for p in halves]
    near = np.stack([s["nn_similarity"].to_numpy(dtype=float) for s in single])
    np.testing.assert_allclose(found["nn_similarity"].to_numpy(dtype=float), near.max(axis=0))
    assert found["nn_id"].tolist() == [single[b]["nn_id"][i] for i, b in enumerate(near.argmax(axis=0))]
    assert found["in_domain"].tolist() == [
        bool(a and b) for a, b in zip(*(s["in_domain"] for s in single), strict=True)
    ]


def test_a_model_shared_without_its_rows_leaves_the_neighbours_to_the_others(network, forest):
    mute = Predictor(network[1].recipe, network[1].members, None)
    panel = Panel([mute, forest[1]])
    things = things_of(panel)
    expected = pd.DataFrame(neighbours([forest[1]], things).columns())
    pd.testing.assert_frame_equal(panel.columns_of(things)[list(expected)], expected)
    assert "nn_id" not in Panel([mute, mute]).columns_of(things)


def test_facts_of_all_members(panel, network, forest):
    assert panel.facts["model"] == "molecule/dmpnn + molecule/forest"
    assert panel.facts["members"] == [network[1].facts, forest[1].facts]
    assert set(panel.inputs.needs[INPUT]) == {*network[1].inputs.needs[INPUT], *forest[1].inputs.needs[INPUT]}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"task": "binary", "targets": ["active"]}, None),
        ({"task": "regression", "targets": ["active"]}, "mean different things by 'active'"),
        ({"standardize": False}, "one model standardises its molecules and another does not"),
    ],
    ids=str,
)
def test_models_that_do_not_fit_together_are_refused(network, series, plan_of, settings, says):
    other = train_rows(plan_of(series, **settings))
    if says is None:
        assert Panel([network[1], other]).targets == network[1].targets
        return
    with pytest.raises(ConfigError, match=says):
        Panel([network[1], other])


def test_other_units_and_other_classes_are_refused(network, series, plan_of):
    frame = series.assign(Act=10 ** (9 - series["pAct"])).drop(columns="pAct")
    molar = train_rows(plan_of(frame, targets=["Act"], units={"Act": "nM"}))
    assert molar.targets == ("pAct",)
    with pytest.raises(ConfigError, match="mean different things by 'pAct'"):
        Panel([network[1], molar])
    renamed = series.assign(level=series["level"].str.upper())
    classes = train_rows(plan_of(renamed, targets=["level"], task="multiclass"))
    with pytest.raises(ConfigError, match="mean different things by 'level'"):
        Panel([network[1], classes])
