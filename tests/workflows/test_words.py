"""What was measured is shown in the words of the user's file, and rows and units as what they are, wherever a person
reads it."""

import json

import pandas as pd
import pytest

import molgraph
from molgraph.predictor import load
from molgraph.predictor.targets import COLUMNS
from molgraph.report.screened import PAGE, screen_report, write_screen_report
from molgraph.screen import screen
from molgraph.workflows import show
from molgraph.workflows.evaluate import evaluate_file
from molgraph.workflows.predict import predict_file
from molgraph.workflows.targets import targets_of

CAP = 7.5
FOREST = {
    "model": "molecule/forest",
    "encoder": {"rounds": 8, "depth": 3},
    "comparator": "none",
    "split": "random",
    "fractions": [0.5, 0.35, 0.15],
}


@pytest.fixture(scope="module")
def ligands(chembl_table):
    frame = chembl_table.iloc[::7].head(120).reset_index(drop=True)
    high = frame["pAct"] > frame["pAct"].median()
    words = {
        "outcome": high.map({True: "Active", False: "Inactive"}),
        "sign": high.map({True: "1", False: "-1"}),
        "tox": high.map({True: "Toxic", False: "Non-toxic"}),
        "plain": high.astype(int).astype(str),
        "pot": [f">{CAP}" if value > CAP else f"{value:.2f}" for value in frame["pAct"]],
    }
    return frame[["smiles"]].assign(**words)


@pytest.fixture(scope="module")
def model(ligands, tmp_path_factory):
    out = tmp_path_factory.mktemp("words") / "m"
    molgraph.train(ligands, ["outcome", "sign", "tox", "plain", "pot"], out=out, units={"pot": "pK"}, **FOREST)
    return out


def test_the_nearest_measured_is_in_the_words_of_the_file(model, ligands):
    found = molgraph.load(model).predict(ligands[["smiles"]])
    for name in ("outcome", "sign", "tox"):
        assert found[f"{name}_nn"].tolist() == ligands[name].tolist(), "each row was measured itself"
    assert found["plain_nn"].tolist() == ligands["plain"].astype(float).tolist()
    assert set(found["outcome_set90"].dropna()) <= {"yes", "no", "undecided", "unlike either"}


def test_the_card_counts_the_classes_by_their_words(model):
    card = (model / "card.md").read_text(encoding="utf-8")
    for yes, no in (("Active", "Inactive"), ("1", "-1"), ("Toxic", "Non-toxic")):
        assert f"of those that are {yes}" in card and f"of those that are {no}" in card
        assert f"always saying the share of {yes} of the training rows" in card
    covered = molgraph.load(model).recipe.metrics["coverage"]
    assert covered["outcome"]["said"] == {"Inactive": "no", "Active": "yes"}
    assert list(covered["outcome"]["counts"]) == ["Inactive", "Active"]
    assert list(covered["plain"]["counts"]) == ["0", "1"]


def test_the_card_says_units_positive_class_and_which_rows(model):
    card = (model / "card.md").read_text(encoding="utf-8")
    assert "## outcome (probability of Active), " in card and "## sign (probability of 1), " in card
    assert "## pot (-log10(M)), " in card and "## plain, " in card
    assert "note: outcome is taken as binary, 'Active' positive and 'Inactive' negative; --task says otherwise." in card
    assert "note: sign: '1' is the positive class, '-1' the negative; --positive sign:-1 turns them." in card
    scores = molgraph.load(model).recipe.metrics["model"]["pot"]
    exact, every = scores["rmse"]["n"], scores["ci"]["n"]
    assert exact < every and f" of the {exact} exact test rows lie in their 90 % intervals." in card
    mean = molgraph.load(model).judged.recipe.simple["constant"]["pot"]
    assert f"always saying the mean of the exact training rows, {mean:.3g})" in card


def test_an_evaluation_says_which_rows_and_units(model, ligands, tmp_path, capsys):
    (found,) = evaluate_file(ligands, [model / "split"], out=tmp_path).values()
    said, page = capsys.readouterr().err, (tmp_path / "report-split.html").read_text(encoding="utf-8")
    fresh = found["unseen"]["model"]["pot"]
    assert fresh["rmse"]["n"] < fresh["ci"]["n"]
    for text, rows in ((said, "rows not seen"), (page, "rows not trained on")):
        assert f"of the {fresh['rmse']['n']} exact {rows} lie in their 90 % intervals." in text
    assert f"no calibration error: {fresh['rmse']['n']} exact rows, and at least 50 are needed" in said
    assert "pot (-log10(M)), all 120 rows" in said and "(-log10(M)) wide on average" in said
    bounds = int((ligands["pot"].str.startswith(">")).sum())
    assert f"Of {bounds} further rows only a bound was measured" in page
    assert (
        "RMSE (-log10(M))" in page and "pot: one unit higher is ten times as potent: 7 is 100 nM, 8 is 10 nM." in page
    )


def test_a_glance_names_units(model, capsys):
    predict_file(["CCO"], [model], None)
    said = capsys.readouterr().out
    assert "pot (-log10(M))" in said and "outcome (probability of Active)" in said


def test_what_was_measured_is_written_beside_what_is_judged(model, ligands, tmp_path):
    evaluate_file(ligands.head(40), [model], out=tmp_path)
    scores = pd.read_csv(tmp_path / "scores-m.csv", dtype=str)
    assert scores["outcome_measured"].tolist() == ligands["outcome"].head(40).tolist()
    assert scores["sign_measured"].tolist() == ligands["sign"].head(40).tolist()
    assert scores["plain_measured"].astype(float).tolist() == ligands["plain"].head(40).astype(float).tolist()


def test_a_file_in_other_words_for_yes_and_no_is_judged_alike(model, ligands):
    other = ligands[["smiles"]].assign(outcome=ligands["plain"])
    (mine,), (theirs,) = (evaluate_file(each, [model]).values() for each in (ligands[["smiles", "outcome"]], other))
    assert mine["model"]["outcome"] == theirs["model"]["outcome"]


def test_known_actives_are_called_so(model, ligands, capsys):
    active = ligands["smiles"][ligands["outcome"] == "Active"].iloc[0]
    found = targets_of([active], model, active=7).set_index("target")
    assert found.loc["outcome", "measured"] == found.loc["outcome", "known_measured"] == "Active"
    assert found.loc["sign", "known_measured"] == "1" and found.loc["tox", "known_measured"] == "Toxic"
    assert found.loc["plain", "known_measured"] == "1"
    assert found["unit"].to_dict() == {
        "outcome": "probability of Active", "sign": "probability of 1", "tox": "probability of Toxic", "plain": "",
        "pot": "-log10(M)",
    }  # fmt: skip
    show.targets(found.reset_index()[list(COLUMNS)])
    assert "measured Active" in (said := capsys.readouterr().out)
    assert "value: " in said and "outcome probability of Active" in said and "pot -log10(M)" in said


def test_the_page_of_a_screen_says_the_word(model, ligands, tmp_path):
    result = screen(
        ligands[["smiles"]].head(10), [model], tmp_path / "s", workers=1, by="outcome", report=write_screen_report
    )
    report = screen_report(result, load([model]))
    assert report.table is not None
    for row in report.table.rows:
        measured = ligands.set_index("smiles").loc[ligands["smiles"].iloc[row.row - 1]]
        said = dict(zip([t.name for t in report.table.targets], row.neighbour.words, strict=True))
        assert said == {
            "outcome": measured["outcome"],
            "sign": measured["sign"],
            "tox": measured["tox"],
            "plain": "",
            "pot": "",
        }
    shown = json.dumps(list(report.table.rows[0].neighbour.words), separators=(",", ":"))
    assert f'"words":{shown}' in (tmp_path / "s" / PAGE).read_text(encoding="utf-8")
