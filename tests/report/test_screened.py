"""From a real screen to its page: real model, real molecules, what the page says against what was measured."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from molgraph.data.targets import ABOVE, BELOW
from molgraph.errors import ConfigError
from molgraph.predictor import Predictor, load
from molgraph.predictor.folder import share
from molgraph.report import screen_report, write_screen_report
from molgraph.screen import ScreenResult, screen

FAR = ["CC(C)(C)O", "C1CCCCC1", "OCC(O)CO"]


@pytest.fixture(scope="module")
def screened(
    model: tuple[Path, Predictor], ligands: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> ScreenResult:
    near = ligands.head(40)[["smiles", "id"]]
    far = pd.DataFrame({"smiles": [*FAR, "not_a_smiles", ""], "id": ["a", "b", "c", "d", "e"]})
    out = tmp_path_factory.mktemp("screen") / "out"
    facts = {"date": "2026-01-02"}
    library = pd.concat([near, far])
    return screen(library, [model[0]], out, workers=1, shard_rows=16, top=30, facts=facts, report=write_screen_report)


def test_the_page_counts_every_row(screened: ScreenResult, model: tuple[Path, Predictor]) -> None:
    report = screen_report(screened, load([model[0]]))
    assert report.title == "table in memory, ranked by pAct" and report.facts["date"] == "2026-01-02"
    assert report.lead.startswith("43 of 45 molecules scored; the best 30 are below")
    assert {status: n for status, n, _ in report.rejected} == {"invalid_smiles": 1, "empty": 1}
    assert report.facts["split"] == "scaffold" and report.quality[0].target == "pAct"
    assert sum(report.distributions[0].histogram.inside) + sum(report.distributions[0].histogram.outside) == 43


def test_the_neighbour_is_the_one_the_scores_name(screened: ScreenResult, model: tuple[Path, Predictor]) -> None:
    report, predictor = screen_report(screened, model[1]), model[1]
    assert report.table is not None and predictor.domain is not None
    for row, (_, scored) in zip(report.table.rows, screened.top.iterrows(), strict=True):
        near = row.neighbour
        assert near is not None and near.id == scored["nn_id"]
        assert near.similarity == pytest.approx(scored["nn_similarity"])
        at = predictor.domain.ids.index(near.id)
        assert near.key == predictor.domain.key(at)
        assert near.measured[0] == pytest.approx(float(predictor.domain.values[at, 0]))
        assert row.own == (scored["id"],) and row.in_domain == scored["in_domain"]
        assert row.values[0] == (scored["pAct"], scored["pAct_lo90"], scored["pAct_hi90"])


def test_the_page_says_how_it_ranks(screened: ScreenResult, model: tuple[Path, Predictor]) -> None:
    report = screen_report(screened, model[1])
    by = screened.ranking.by
    assert report.notes[0] == (
        f"Rows are ranked by {by}, highest first, those in domain before all others; "
        "equal values keep the order of the library."
    )
    assert report.distributions[0].cutoff == float(screened.top[screened.names[by]].iloc[-1])
    every = replace(screened, summary=replace(screened.summary, statuses={"ok": len(screened.top)}))
    assert screen_report(every, model[1]).distributions[0].cutoff is None, "beyond the last there is nothing"


def test_the_page_is_the_same_when_it_is_made_again(screened: ScreenResult, model: tuple[Path, Predictor]) -> None:
    path = screened.out / "report.html"
    first = path.read_bytes()
    write_screen_report(screened, load([model[0]]))
    assert path.read_bytes() == first and b"CHEMBL" not in first and b"<svg" not in first.split(b"<script")[1]


def test_a_finished_screen_gives_its_page_again(model: tuple[Path, Predictor], tmp_path: Path) -> None:
    library = tmp_path / "library.csv"
    library.write_text("smiles,code,note\nCCO,007,\nCCN,008,b\nc1ccccc1O,,nan\n", encoding="utf-8")
    out = tmp_path / "out"
    screen(library, [model[0]], out, workers=1, report=write_screen_report)
    first = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    write_screen_report(screen(library, [model[0]], out, workers=1, resume=True), load([model[0]]))
    assert (out / "report.html").read_bytes() == first


def test_two_models_are_told_apart(model: tuple[Path, Predictor], tmp_path: Path) -> None:
    both = load([model[0], model[0]])
    result = screen(["CCO"], [model[0], model[0]], tmp_path / "out", workers=1)
    report = screen_report(result, both)
    assert "model 1" in report.facts and "model 2" in report.facts and len(report.quality) == 2


def test_a_model_without_training_rows_says_so(model: tuple[Path, Predictor], tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    share(model[0], shared)
    result = screen(["CCO", "CCN"], [shared], tmp_path / "out", workers=1, report=write_screen_report)
    report = screen_report(result, load([shared]))
    assert report.table is not None and report.table.rows[0].neighbour is None
    assert any("shared without its training molecules" in note for note in report.notes)
    assert "domain" not in report.lead


def test_a_bound_is_no_measurement(ligands: pd.DataFrame, tmp_path: Path) -> None:
    from molgraph.workflows.notebook import train

    cells = ligands["pAct"].tolist()
    cells[:3] = [f"<{cells[0]}", f">{cells[1]}", cells[2]]
    out = tmp_path / "model"
    # Each row stands for itself and none is held out, so that the three are their own neighbours.
    predictor = train(
        ligands.assign(pAct=cells, fold=["train"] * 140 + ["valid"] * 30 + ["test"] * 30), "pAct", out=out,
        split="column:fold", duplicates="keep", leaks="report", train={"epochs": 1}, comparator="none",
    )  # fmt: skip
    assert predictor.domain is not None
    assert predictor.domain.bound[:3, 0].tolist() == [BELOW, ABOVE, 0]
    result = screen(ligands[["smiles", "id"]].head(3), [out], tmp_path / "screen", workers=1)
    report = screen_report(result, predictor)
    assert report.table is not None
    near = {row.own[0]: row.neighbour for row in report.table.rows}
    for at, bound in enumerate(("<", ">", "")):
        found = near[ligands["id"][at]]
        assert found is not None and found.id == predictor.domain.ids[at]
        assert found.bounds == (bound,) and found.measured[0] == pytest.approx(float(ligands["pAct"][at]))
    assert any("a bound (<, >) has none" in note for note in report.notes)


def test_a_target_shows_the_nearest_thing_in_which_it_was_measured(ligands: pd.DataFrame, tmp_path: Path) -> None:
    from molgraph.workflows.notebook import train

    blank = [value if at % 2 else "" for at, value in enumerate(ligands["pAct"])]
    own = {"fold": ["train"] * 140 + ["valid"] * 30 + ["test"] * 30}
    predictor = train(
        ligands.assign(half=blank, **own), ["pAct", "half"], out=tmp_path / "model", split="column:fold",
        leaks="report", train={"epochs": 1}, comparator="none",
    )  # fmt: skip
    result = screen(ligands[["smiles", "id"]].head(2), [tmp_path / "model"], tmp_path / "screen", workers=1)
    report = screen_report(result, predictor)
    assert report.table is not None and predictor.domain is not None
    near = {row.own[0]: row.neighbour for row in report.table.rows}
    first, second = (near[ligands["id"][at]] for at in (0, 1))
    assert second is not None and second.others == ("", "") and second.measured[0] == second.measured[1]
    assert first is not None and first.others[0] == "" and first.measured[0] == pytest.approx(float(ligands["pAct"][0]))
    name, similarity = first.others[1].split(", similarity ")
    at = predictor.domain.ids.index(name)
    assert first.measured[1] == pytest.approx(predictor.domain.values[at, 1]) and 0 < float(similarity) < 1
    top = result.top.set_index("id").loc[ligands["id"][0]]
    assert (top["half_nn"], top["nn_smiles"]) == (pytest.approx(first.measured[1]), first.key)
    write_screen_report(result, predictor)
    page = (tmp_path / "screen" / "report.html").read_text(encoding="utf-8")
    assert f'"others":["","{first.others[1]}"]' in page


def test_the_models_of_a_panel_that_know_no_domain_are_named(model: tuple[Path, Predictor], tmp_path: Path) -> None:
    share(model[0], tmp_path / "shared")
    folders = [model[0], tmp_path / "shared"]
    result = screen(["CCO", "CCN"], folders, tmp_path / "out", workers=1, domain="only")
    notes = screen_report(result, load(folders)).notes
    (said,) = (note for note in notes if "without its training molecules" in note)
    assert said.startswith("Model 2 (molecule/dmpnn) was shared") and "of the other models" in said
    assert any("is in domain when its similarity" in note for note in notes)
    with pytest.raises(ConfigError, match="domain 'only': what lies in the domain is not known"):
        screen(["CCO"], [tmp_path / "shared"], tmp_path / "none", workers=1, domain="only")


def test_a_model_that_was_not_shared_is_not_called_so(model: tuple[Path, Predictor], tmp_path: Path) -> None:
    result = screen(["CCO"], [model[0]], tmp_path / "out", workers=1)
    bare = Predictor(model[1].recipe, model[1].members, None)
    notes = " ".join(screen_report(result, bare).notes)
    assert "The model lacks its training molecules: nearest neighbours and domain are not known." in notes


def test_a_column_of_distinct_words_names_the_rows(model: tuple[Path, Predictor], tmp_path: Path) -> None:
    library = pd.DataFrame({"smiles": ["CCO", "CCN"], "batch": ["a", "a"], "code": ["7", "8"], "pAct": ["5", "6"]})
    named = screen_report(screen(library, [model[0]], tmp_path / "a", workers=1), model[1])
    assert named.table is not None and named.table.own == ("code", "batch", "pAct")
    alike = screen_report(screen(library.drop(columns="code"), [model[0]], tmp_path / "b", workers=1), model[1])
    assert alike.table is not None and alike.table.own == ("", "batch", "pAct")
    assert sorted(row.own for row in alike.table.rows) == [("", "a", "5"), ("", "a", "6")]
