import numpy as np
import pandas as pd
import pytest

from molgraph.errors import ConfigError, DataError
from molgraph.predictor.weighing import taught

FOREST = {"model": "molecule/forest", "encoder": {"rounds": 15, "depth": 3}}


@pytest.fixture(scope="module")
def table(series: pd.DataFrame) -> pd.DataFrame:
    """Deal 60 ligands to folds in a column, with weights from 1 to 3 and a mask."""
    frame = series.head(60)[["smiles", "pAct", "active"]].copy()
    frame["fold"] = np.resize(["train", "train", "valid", "train", "test", "train", "calibration"], 60)
    frame["trust"] = 1 + np.arange(60) % 3
    frame["kept"] = (np.arange(60) % 4 > 0).astype(int)
    return frame


def by_fold(plan_of, frame, **settings):
    return plan_of(frame, split="column:fold", **settings)


def train(training_of, made):
    found = training_of(made)
    list(found.epochs())
    return found


def test_the_mean_weight_of_a_target_is_1_and_their_shares_stay(plan_of, training_of, table):
    made = by_fold(plan_of, table, weight="trust")
    weight = training_of(made).train.targets.weight[:, 0].numpy()
    rows = made.rows.data.rows[made.split.train]
    np.testing.assert_allclose(weight.mean(), 1, rtol=1e-6)
    np.testing.assert_allclose(weight / weight[0], table["trust"].iloc[rows - 1] / table["trust"].iloc[rows[0] - 1])
    (said,) = (note for note in made.notes if "trust" in note)
    assert said == (
        "pAct: rows that train weigh by 'trust' (1 to 3, median 2); repeats of one thing weigh as their sum."
    )
    assert "Test scores, intervals and thresholds count every row alike, whatever it weighs." in made.notes
    both = by_fold(plan_of, table, targets=["pAct", "active"], weight="trust")
    assert any(note.startswith("pAct, active: rows that train weigh by 'trust'") for note in both.notes)


@pytest.mark.parametrize("settings", [{}, FOREST])
def test_weights_that_are_alike_change_no_bit(plan_of, training_of, table, settings):
    frame = pd.concat([table, table.iloc[:6].assign(pAct=5.0)], ignore_index=True).assign(same=0.25)
    found = [train(training_of, by_fold(plan_of, frame, **settings, **w)) for w in ({}, {"weight": "same"})]
    first, second = (each.members[0].estimate(each.data) for each in found)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("settings", [{}, FOREST])
def test_heavy_rows_pull(plan_of, training_of, table, settings):
    high = table["pAct"] > table["pAct"].median()
    frame = table.assign(heavy=np.where(high, 1.0, 0.001))
    plain, pulled = (
        train(training_of, by_fold(plan_of, frame, **settings, **w)) for w in ({}, {"weight": {"pAct": "heavy"}})
    )
    rows = [each.members[0].estimate(each.data).mean() for each in (plain, pulled)]
    assert rows[1] > rows[0]


@pytest.mark.parametrize("settings", [{}, FOREST])
def test_a_weight_of_0_is_as_if_the_row_were_not_there(plan_of, training_of, table, settings):
    gone = (table["kept"] == 0) & (table["fold"] == "train")
    muted = by_fold(plan_of, table.assign(kept=(~gone).astype(int)), weight="kept", **settings)
    without = by_fold(plan_of, table[~gone], **settings)
    first, second = (train(training_of, made) for made in (muted, without))
    test = first.data.subset(muted.split.test)
    np.testing.assert_array_equal(first.members[0].estimate(test), second.members[0].estimate(test))
    lost = [reject for reject in muted.rejects if reject.reason == "weight_zero"]
    assert [reject.row for reject in lost] == [1 + at for at in np.flatnonzero(gone)]
    assert lost[0].message == "its weight ('kept') is 0: it does not train"
    assert muted.facts["train"] == without.facts["train"]
    assert any(f"; {gone.sum()} rows of weight 0 do not train" in note for note in muted.notes)
    again = first.again()
    assert len(again.train) == len(table) - gone.sum()


def test_repeats_of_a_thing_add_up_and_make_a_weighted_mean(plan_of, table):
    frame = pd.concat([table.iloc[[0, 0]].assign(pAct=[4.0, 7.0], trust=[1, 2]), table.iloc[1:]], ignore_index=True)
    made = by_fold(plan_of, frame, weight="trust", duplicates="mean")
    train = taught(made.rows.data, made.split.train, made.task.of_column, "mean")
    assert train.targets.values[0, 0] == pytest.approx((4 + 2 * 7) / 3)
    one = np.flatnonzero(train.rows == 5)[0]  # a row of weight 1
    assert table["trust"].iloc[3] == 1 and train.targets.weight[0, 0] / train.targets.weight[one, 0] == pytest.approx(3)
    light = by_fold(plan_of, frame.assign(trust=[0, *frame["trust"].iloc[1:]]), weight="trust")
    train = taught(light.rows.data, light.split.train, light.task.of_column, "mean")
    assert train.targets.values[0, 0] == 7, "what has no weight is not in the mean"


def test_each_target_has_its_own(plan_of, training_of, table):
    frame = table.assign(only=[0, *[2.0] * 59])
    made = by_fold(plan_of, frame, targets=["pAct", "active"], weight={"active": "only"})
    train = training_of(made).train.targets
    assert train.observed[0].tolist() == [True, False] and (train.weight[train.observed] == 1).all()
    assert not [reject for reject in made.rejects if reject.reason == "weight_zero"], "it trains the other target"


def test_classes_weigh_alike_by_their_rows_weights(plan_of, training_of, table):
    frame = table.assign(heavy=np.where(table["active"] == 1, 4.0, 1.0))
    made = by_fold(plan_of, frame, targets=["active"], weight="heavy", balance=True)
    found = training_of(made)
    ones = found.train.targets.values[:, 0] == 1
    by_class = [float(found.train.targets.weight[mine, 0].sum()) for mine in (~ones, ones)]
    assert found.task.positive[0] * by_class[1] == pytest.approx(by_class[0])


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("-1", r"row 4: the weight '-1' in column 'trust' is below 0"),
        ("inf", r"row 4: the weight 'inf' in column 'trust' is not finite"),
        ("nan", "is not finite"),
        ("high", "the weight 'high' in column 'trust' is no number"),
        (">2", "is no plain number"),
        ("", "the weight '' in column 'trust' is blank"),
    ],
)
def test_a_cell_that_is_no_weight_is_refused_by_its_row(plan_of, table, cell, says):
    cells = table["trust"].astype(str).tolist()
    with pytest.raises(DataError, match=says):
        by_fold(plan_of, table.assign(trust=[*cells[:3], cell, *cells[4:]]), weight="trust")


def test_decimal_commas_and_cells_of_rows_without_a_value_are_fine(plan_of, table):
    frame = table.assign(trust=["x", *["0,5"] * 30, *["1,25"] * 29], pAct=["", *table["pAct"].astype(str).iloc[1:]])
    assert len(by_fold(plan_of, frame, weight="trust").rows.data) == 59


@pytest.mark.parametrize(
    ("weight", "error", "says"),
    [
        ("trsut", DataError, "no column 'trsut' of weights; did you mean 'trust'"),
        ({"pact": "trust"}, ConfigError, "a weight is given for 'pact', which is no target; did you mean 'pAct'"),
        ("pAct", ConfigError, "is a target or an input"),
        ("smiles", ConfigError, "is a target or an input"),
        ("zero", DataError, "'zero' is 0 in every row of pAct"),
    ],
)
def test_columns_that_are_none_are_refused(plan_of, table, weight, error, says):
    with pytest.raises(error, match=says):
        by_fold(plan_of, table.assign(zero=0), weight=weight)
