"""From an assessment to its page."""

from pathlib import Path

import pandas as pd

from molgraph.predictor import Predictor
from molgraph.predictor.assess import NEIGHBOUR, assess, neighbour_estimates
from molgraph.predictor.rows import read_rows
from molgraph.report import evaluation_report, write_evaluation_report


def test_an_evaluation_shows_measured_beside_predicted(
    model: tuple[Path, Predictor], ligands: pd.DataFrame, tmp_path: Path
) -> None:
    predictor = model[1]
    source = pd.concat([ligands.head(30), pd.DataFrame({"smiles": ["nonsense"], "id": ["x"], "pAct": ["5"]})])
    data = read_rows(source, predictor.recipe.run, predictor.inputs).data
    scores = predictor.columns_of(data)
    assert predictor.domain is not None
    found = assess(predictor, data, {NEIGHBOUR: neighbour_estimates(predictor.domain, predictor.task, data)})
    found["seen_in_training"] = 7
    report = evaluation_report(predictor, data, scores, found, title="Check", facts={"date": "2026-01-02"})
    assert report.lead == "30 measured molecules judged. 7 of them stood in the training set: their scores flatter."
    (parity,) = report.parity
    assert [round(m, 2) for m in parity.measured] == [float(t) for t in ligands["pAct"].head(30)]
    assert list(parity.predicted) == scores["pAct"].astype(float).tolist()
    assert [(status, n) for status, n, _ in report.rejected] == [("invalid_smiles", 1)]
    assert report.quality[0].methods[1] == NEIGHBOUR and report.table is None
    write_evaluation_report(tmp_path / "e.html", predictor, data, scores, found, title="Check")
    text = (tmp_path / "e.html").read_text(encoding="utf-8")
    assert text.count("<circle") >= 30 and "<script" not in text
