from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from molgraph.report.contents import Estimate, Quality
from molgraph.report.studied import render_study, write_study_report
from molgraph.report.study_contents import Attempted, Axis, Objective, StudyPage

NASTY = "</svg><script>alert(1)</script>"


def trial(number: int, score: float, **changes: object) -> Attempted:
    given = Attempted(
        number,
        "complete",
        (score, 1.0 / score),
        {"train.lr": 10.0 ** -(number % 3 + 1), "encoder.hidden": 16 * (number % 2 + 1)},
        tuple((epoch, score + 1 / epoch) for epoch in range(1, 6)),
        10.0 * number,
        10.0 * number + 8,
        "one" if number % 2 else "other",
    )
    return replace(given, **changes)  # type: ignore[arg-type]


@pytest.fixture
def page() -> StudyPage:
    trials = [trial(n, 2.0 - n / 10) for n in range(6)]
    trials += [trial(6, 3.0, state="pruned", values=(), why=NASTY), trial(7, 9.0, state="failed", values=(), curve=())]
    return StudyPage(
        title="Tuning",
        lead="Nothing",
        objectives=(Objective("RMSE"), Objective("size")),
        trials=tuple(trials),
        axes=(Axis("train.lr", log=True), Axis("encoder.hidden", ("16", "32"))),
        best=5,
        importances={"train.lr": 0.75, "encoder.hidden": 0.25},
        front=(4, 5),
        quality=(Quality("a", 9, ("m", "n"), {"RMSE": (Estimate(1.0, 0.5, 2.0), Estimate(2.0))}, "RMSE", ("Good.",)),),
        notes=(NASTY,),
        facts={"budget": "8 trials"},
    )


def test_the_page_needs_nothing_else_and_runs_no_script(page: StudyPage, tmp_path: Path):
    write_study_report(tmp_path / "study.html", page)
    text = (tmp_path / "study.html").read_text(encoding="utf-8")
    assert text == render_study(page)
    assert not re.search(r"https?://(?!www\.w3\.org)", text) and "<script" not in text
    assert "script-src 'none'" in html.unescape(text) and NASTY not in text and "style=" not in text
    HTMLParser().feed(text)


@pytest.mark.parametrize(
    "label",
    ["History of the study", "Learning curves", "Importance of the settings", "Settings of all trials and their scores",
     "Score by train.lr", "Score by encoder.hidden", "RMSE against size", "When the trials ran"],
)  # fmt: skip
def test_every_picture_is_there(page: StudyPage, label: str):
    assert f'aria-label="{label}"' in render_study(page)


def test_pictures_show_what_there_is(page: StudyPage):
    text = render_study(page)
    assert text.count('class="curve faint best"') == text.count('class="curve best"') == 1
    assert "worker 2" in text and "worker 3" not in text
    assert [t.number for t in page.ranked] == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("many", [0, 1])
def test_a_study_of_next_to_nothing_has_a_page(page: StudyPage, many: int):
    few = replace(page, trials=tuple(trial(n, 1.0, curve=()) for n in range(many)), best=0, importances={}, front=())
    assert "History of the study" in render_study(few)
