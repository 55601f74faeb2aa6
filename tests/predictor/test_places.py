"""A model says the same of targets wherever they lie: training on offset + unit * y is training on y."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from molgraph.data.write import open_writer
from molgraph.predictor import Predictor
from molgraph.workflows.evaluate import evaluate_file

CASES = [("trees", 1e7, 0.01), ("network", 1e12, 1.0), ("trees, spread", -3e8, 0.5), ("network", 0.0, 1e-12)]
MODELS = {
    "trees": {"model": "molecule/forest", "encoder": {"rounds": 15, "depth": 3}},
    "network": {"model": "molecule/feedforward", "encoder": {"hidden": 16}, "train": {"epochs": 3}},
    "trees, spread": {"model": "molecule/forest", "encoder": {"rounds": 15, "depth": 3}, "variance": True},
}


@pytest.fixture(scope="module")
def plain(series, predictor_of):
    return {name: predictor_of(series, **settings) for name, settings in MODELS.items()}


def moved(series: pd.DataFrame, offset: float, unit: float) -> pd.DataFrame:
    return series.assign(pAct=[repr(offset + unit * value) for value in series["pAct"]])


@pytest.mark.parametrize(("name", "offset", "unit"), CASES)
def test_predictions_intervals_and_scores_move_with_the_targets(name, offset, unit, series, plain, predictor_of):
    found = predictor_of(moved(series, offset, unit), **MODELS[name])
    mine, theirs = (each.predict(series[["smiles"]]) for each in (found, plain[name]))
    for column in ("pAct", "pAct_lo90", "pAct_hi90"):
        back = (mine[column].to_numpy(np.float64) - offset) / unit
        np.testing.assert_allclose(back, theirs[column].to_numpy(np.float64), atol=2e-3)
    assert mine["nn_id"].tolist() == theirs["nn_id"].tolist()
    np.testing.assert_allclose((mine["pAct_nn"].astype(float) - offset) / unit, theirs["pAct_nn"], atol=2e-3)
    scores, plainly = (each.recipe.metrics for each in (found, plain[name]))
    for method in ("model", "comparator"):
        for metric, factor in (("rmse", unit), ("mae", unit), ("r2", 1), ("spearman", 1)):
            score, expected = (each[method]["pAct"][metric] for each in (scores, plainly))
            assert score["value"] == pytest.approx(factor * expected["value"], rel=5e-3, abs=2e-3 * factor)
    covered, expected = (each["coverage"]["pAct"]["value"] for each in (scores, plainly))
    assert covered == pytest.approx(expected, abs=0.1)


@pytest.fixture(scope="module")
def far(series, predictor_of, tmp_path_factory):
    """Return the folder of a model of values near 1e7 that differ by a hundredth, and its table."""
    table, folder = moved(series, 1e7, 0.01), tmp_path_factory.mktemp("far")
    predictor_of(table, **MODELS["trees"]).save(folder)
    return folder, table


def test_every_format_holds_the_digits_that_count(far, series, tmp_path):
    folder, table = far
    predictions = Predictor.load(folder).predict(table[["smiles"]])
    expected = predictions["pAct"].to_numpy()
    assert expected.dtype == np.float64 and len(np.unique(expected)) > 20
    for suffix in ("csv", "tsv", "xlsx", "parquet", "sdf"):
        out = tmp_path / f"out.{suffix}"
        with open_writer(out, column="smiles") as writer:
            writer.write(predictions)
        if suffix == "sdf":
            lines = out.read_text(encoding="utf-8").splitlines()
            found = [float(lines[at + 1]) for at, line in enumerate(lines) if line.startswith(">  <pAct>")]
        elif suffix == "xlsx":
            found = pd.read_excel(out)["pAct"]
        elif suffix == "parquet":
            found = pq.read_table(out)["pAct"].to_numpy()
        else:
            found = pd.read_csv(out, sep="\t" if suffix == "tsv" else ",")["pAct"]
        np.testing.assert_allclose(np.asarray(found, np.float64), expected, rtol=0, atol=1e-6)


def test_measured_values_neighbours_and_json_keep_them_too(far, tmp_path):
    folder, table = far
    table.to_csv(tmp_path / "in.csv", index=False)
    found = evaluate_file(tmp_path / "in.csv", [folder], out=tmp_path / "out")[str(folder)]
    written = pd.read_csv(next((tmp_path / "out").glob("scores-*.csv")))
    np.testing.assert_allclose(written["pAct_measured"], table["pAct"].astype(float), rtol=0, atol=1e-7)
    assert found["others"]["nearest neighbour"]["pAct"]["rmse"]["value"] < 0.02
    assert 0 < found["model"]["pAct"]["rmse"]["value"] < 0.02
    again = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))[str(folder)]
    assert again["model"]["pAct"]["rmse"] == found["model"]["pAct"]["rmse"]
    values = Predictor.load(folder).domain.values[:, 0]
    assert set(values.tolist()) <= set(table["pAct"].astype(float))


def test_a_notebook_shows_them(far):
    folder, table = far
    page = Predictor.load(folder).predict(table["smiles"].tolist()[:2])._repr_html_()
    assert "10000000.0" in page


def test_an_ordinary_target_is_written_with_seven_digits(plain):
    found = plain["trees"].predict(["CCO"])
    assert found["pAct"].dtype == np.float32 and found["pAct_lo90"].dtype == np.float32
