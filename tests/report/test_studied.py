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
from molgraph.report.study_plots import LARGEST, LETTER, edge, history

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


@pytest.mark.parametrize("most", [1, 3, 60])
def test_trials_are_counted_in_whole_numbers(page: StudyPage, most: int):
    drawn = str(history(replace(page, trials=(trial(0, 1.0), trial(most, 0.8)))))
    ticks = re.findall(r'text-anchor="middle">([^<]*)</text>', drawn)
    assert ticks[0] == "0" and len(ticks) > 1 and all(tick.isdigit() for tick in ticks)


def test_only_the_largest_importances_have_bars_and_the_rest_is_counted(page: StudyPage):
    share = {f"molecule/attentivefp.setting{k}": 0.5 ** (k + 1) for k in range(14)}
    text = render_study(replace(page, importances=share, within="Among the 9 completed trials."))
    drawn = text.partition('aria-label="Importance of the settings"')[2].partition("</svg>")[0]
    assert drawn.count("<rect") == LARGEST and "setting9<" in drawn and "setting10<" not in drawn
    assert "Among the 9 completed trials. 4 others have 0 % together." in text
    start = float(re.search(r'<rect x="([0-9.]+)"', drawn)[1])  # type: ignore[index]
    assert start > LETTER * len("molecule/attentivefp.setting0")  # no name is cut off


def test_the_line_of_a_front_turns_once_in_what_it_shows(page: StudyPage):
    objectives = (Objective("RMSE"), Objective("latency"), Objective("AUROC", higher_is_better=True))
    values = [(1.0, 9.0, 0.5), (2.0, 5.0, 0.6), (3.0, 7.0, 0.9), (4.0, 1.0, 0.7)]  # the third: beaten but for its AUROC
    trials = [trial(n, 1.0, values=each) for n, each in enumerate(values)]
    many = replace(page, objectives=objectives, trials=tuple(trials), front=(0, 1, 2, 3), best=0)
    assert [t.number for t in edge(many, trials, 1)] == [3, 1, 0]
    assert [t.number for t in edge(many, trials, 2)] == [2, 1, 0]
    assert 'aria-label="RMSE against AUROC"' in render_study(many)


def test_the_table_has_no_columns_of_blanks(page: StudyPage):
    text = render_study(replace(page, axes=(*page.axes, Axis("molecule/gat.heads", ("1", "2")))))
    assert '<th scope="col">train.lr</th>' in text and '<th scope="col">molecule/gat.heads</th>' not in text


def test_long_names_of_choices_stand_below_each_other_and_few_decades_have_ticks(page: StudyPage):
    names = tuple(f"molecule/attentivefp{k}" for k in range(6))
    trials = tuple(trial(n, 1.0 + n, settings={"model": names[n], "train.lr": 1e-3 * (1 + n / 10)}) for n in range(6))
    text = render_study(replace(page, trials=trials, axes=(Axis("model", names), Axis("train.lr", log=True)), front=()))
    model, lr = (
        text.partition(f'aria-label="Score by {name}"')[2].partition("</svg>")[0] for name in ("model", "train.lr")
    )
    heights = re.findall(r'<text x="[0-9.]+" y="([0-9.]+)" text-anchor="end">molecule', model)
    assert len(set(heights)) == 6 and 'text-anchor="middle">0.001<' in lr and 'text-anchor="middle">0.0015<' in lr


def test_a_setting_that_never_changed_has_no_picture(page: StudyPage):
    same = tuple(replace(t, settings={**t.settings, "encoder.depth": 3}) for t in page.trials)
    text = render_study(replace(page, trials=same, axes=(*page.axes, Axis("encoder.depth"))))
    assert 'aria-label="Score by train.lr"' in text and 'aria-label="Score by encoder.depth"' not in text


def test_a_table_of_scores_goes_below_its_picture_where_both_do_not_fit(page: StudyPage):
    text = render_study(page)
    assert re.search(r'<div class="fit">\s*<svg', text) and ".fit { display: flex; flex-wrap: wrap;" in text
