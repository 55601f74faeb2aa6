import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from molgraph.errors import DataError
from molgraph.kinds import YesNo
from molgraph.predictor.subgroups import _scores, columns_by, groups_of_column, subgroups, table


@pytest.fixture(scope="module")
def judged(trained):
    made, predictor = trained
    data, count = made.rows.data, len(made.rows.data)
    site = np.where(np.arange(count) < 4, "C", np.where(np.arange(count) % 2 == 0, "A", "B"))
    frame = pd.DataFrame({"site": site, "age": np.arange(count).astype(str)})
    return data, frame, subgroups(predictor, data, frame, ["site", "age"], bootstrap=20)


def test_words_are_groups_and_blank_cells_are_one_more():
    cut, found = groups_of_column(pd.Series(["M", "F", " F", "n/a", ""]))
    assert cut == "values" and {name: rows.tolist() for name, rows in found.items()} == {
        "F": [False, True, True, False, False],
        "M": [True, False, False, False, False],
        "not given": [False, False, False, True, True],
    }


def test_many_numbers_are_cut_at_quartiles_and_few_are_not():
    cut, found = groups_of_column(pd.Series(["", *map(str, range(1, 14))]))
    assert cut == "quartiles" and list(found) == ["1 to 4", ">4 to 7", ">7 to 10", ">10 to 13", "not given"]
    assert [int(rows.sum()) for rows in found.values()] == [4, 3, 3, 3, 1]
    assert list(groups_of_column(pd.Series(["10", "9", "1.5"]))[1]) == ["1.5", "9", "10"]


def test_what_is_rare_among_many_words_is_put_together():
    words = [f"w{at:02}" for at in range(30) for _ in range(3 if at < 20 else 1)]
    _, found = groups_of_column(pd.Series(words))
    assert len(found) == 21 and int(found["10 others"].sum()) == 10


def test_scores_are_those_of_the_rows_of_a_group(trained, judged):
    data, frame, lines = judged
    predictor = trained[1]
    line = next(each for each in lines if (each["target"], each["group"]) == ("active", "A"))
    truth, observed, _ = data.targets.arrays("active")
    rows = observed & (frame["site"] == "A").to_numpy()
    estimate = predictor.estimate(data)[0][:, 1]
    assert line["n"] == rows.sum() and line["prevalence"] == pytest.approx(truth[rows].mean())
    assert line["scores"]["auroc"]["value"] == pytest.approx(roc_auc_score(truth[rows], estimate[rows]))
    called = estimate[rows].astype(float) >= predictor.thresholds["active"].value
    assert line["scores"]["sensitivity"]["value"] == pytest.approx(called[truth[rows] == 1].mean())
    assert line["scores"]["specificity"]["value"] == pytest.approx((~called[truth[rows] == 0]).mean())


def test_a_small_group_has_no_numbers(judged):
    few = [each for each in judged[2] if each["group"] == "C"]
    assert {each["target"] for each in few} == {"pAct", "active", "level"}
    assert all(s["value"] is None and s["reason"] == "too few" for each in few for s in each["scores"].values())


def test_numbers_have_their_error(judged):
    line = next(each for each in judged[2] if (each["target"], each["group"]) == ("pAct", "B"))
    assert line["metric"] == "rmse" and line["prevalence"] is None
    assert line["scores"]["rmse"]["low"] < line["scores"]["rmse"]["value"] < line["scores"]["rmse"]["high"]


def test_the_table_is_flat_and_says_what_is_missing(judged):
    flat = table(judged[2])
    assert len(flat) == len(judged[2]) and flat.columns[-1] == "note"
    few = flat[(flat["group"] == "C") & (flat["target"] == "active")].iloc[0]
    assert few["note"] == "auroc: too few; sensitivity: too few; specificity: too few" and np.isnan(few["auroc"])
    assert set(flat.loc[flat["column"] == "age", "cut"]) == {"quartiles"}


def test_a_column_that_is_missing_is_named(trained):
    frame = pd.DataFrame({"site": ["A"]})
    assert columns_by(trained[1], frame, ["site"]) == ["site"]
    assert columns_by(trained[1], frame, []) == []  # the room of molecules has no usual ones
    with pytest.raises(DataError, match=r"--by cite: no column 'cite'.*site"):
        columns_by(trained[1], frame, ["cite"])


def test_patients_are_counted_where_rows_belong_together():
    truth, patient = np.repeat([0.0, 1.0], 20), np.r_[np.arange(20), np.repeat([20, 21], 10)]
    given = (truth, np.linspace(0.1, 0.9, 40), 0.5)
    found = _scores(YesNo(("y",)), *given, {"bootstrap": 20, "seed": 0, "groups": patient})
    assert found["specificity"]["value"] == 1.0 and found["sensitivity"]["reason"] == "too few"  # two patients
    found = _scores(YesNo(("y",)), *given, {"bootstrap": 20, "seed": 0, "groups": None})
    assert found["sensitivity"]["value"] == 1.0 and found["sensitivity"]["n"] == 20
