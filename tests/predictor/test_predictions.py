import pandas as pd

from molgraph.predictor.predictions import PICTURES, Predictions, recipe_html


def test_predictions_are_drawn(trained):
    found = trained[1].predict(pd.DataFrame({"smiles": ["CCO", "c1ccccc1"], "id": ["a", "b"]}))
    page = found._repr_html_()
    assert page.count("<svg") == 2
    assert "CCO" in page and f"{found['pAct'][0]:.4g}" in page
    assert "nan" not in page.lower().replace("nanm", "")


def test_the_users_text_is_escaped(trained):
    bad = "<script>alert(1)</script>"
    page = trained[1].predict(pd.DataFrame({"smiles": [bad, "CC"], "id": [bad, "x"], bad: ["1", "2"]}))._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_only_the_first_rows_are_drawn(trained):
    found = trained[1].predict(["C" * n for n in range(1, PICTURES + 4)])
    page = found._repr_html_()
    assert page.count("<svg") == PICTURES
    assert f"{PICTURES + 3} rows, the first {PICTURES} drawn" in page


def test_a_part_of_the_rows_is_drawn_and_a_part_of_the_columns_is_plain(trained):
    found = trained[1].predict(["CCO", "CC", "CCC"])
    some = found[found["status"] == "ok"].head(2)
    assert isinstance(some, Predictions)
    assert some._repr_html_().count("<svg") == 2
    assert "<svg" not in found[["pAct", "status"]]._repr_html_()
    assert "<svg" not in Predictions({"a": [1]})._repr_html_()


def test_it_is_a_data_frame_like_any_other(trained, tmp_path):
    found = trained[1].predict(["CCO", "xx"])
    assert isinstance(found, pd.DataFrame)
    assert found["pAct"].mean() == found["pAct"][0]
    found.to_csv(tmp_path / "x.csv", index=False)
    assert pd.read_csv(tmp_path / "x.csv")["status"].tolist() == ["ok", "invalid_smiles"]


def test_a_model_shows_its_facts_and_scores(trained):
    predictor = trained[1]
    page = predictor._repr_html_()
    assert page == recipe_html(predictor.recipe)
    assert page.startswith(f"<b>pAct, active, level by {predictor.recipe.run.model}</b>")
    assert "pAct: test rmse" in page
    assert repr(predictor) == (
        f"<Predictor of pAct, active, level by {predictor.recipe.run.model}, {len(predictor.members)} members>"
    )
