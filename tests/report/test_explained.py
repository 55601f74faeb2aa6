"""The page of an explanation: what it says in plain words, harmless whatever the texts, small whatever the number."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from molgraph.data.room import Noun
from molgraph.report.explained import Check, ExplainedPage, Looked, checks, write_explained_page

NAN = float("nan")
HOSTILE = "</script><img src=x onerror=\"alert('x')\">"
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
LOOKED = Looked(
    row=3,
    text="scans/a.dcm",
    own=(("label", "1"),),
    explained="pneumonia",
    estimate="0.931",
    interval="90 % set: yes",
    inside=False,
    pictures=(DOT, DOT),
    where="Most at the centre of the picture.",
    checks=(Check("weights", "Another map.", True), Check("deletion", "Not found.", False)),
    files=("row-3.png",),
)
PAGE = ExplainedPage(
    "a.csv", "1 of 2 scans explained.", "pneumonia", (LOOKED,), noun=Noun("scan", "scans"), notes=("No proof.",)
)


def written(folder: Path, contents: ExplainedPage) -> str:
    write_explained_page(folder / "explain.html", contents)
    return (folder / "explain.html").read_text(encoding="utf-8")


def test_the_page_says_what_was_found(tmp_path: Path) -> None:
    text = written(tmp_path, PAGE)
    said = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    for words in (
        "Scan by scan", "row 3 label: 1", "scans/a.dcm", "0.931 pneumonia, 90 % set: yes", "out of domain",
        "Most at the centre", "weights Another map.", "deletion Not found.", "row-3.png", "No proof.",
    ):  # fmt: skip
        assert words in said, words
    assert "more scans" not in said and text.count(f'src="data:image/png;base64,{DOT}"') == 2
    assert 'class="flag in">weights' in text and 'class="flag out">deletion' in text
    assert "950 more scans were explained" in written(tmp_path, replace(PAGE, more=950))


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(tmp_path: Path) -> None:
    bad = replace(LOOKED, text=HOSTILE, own=((HOSTILE, HOSTILE),), estimate=HOSTILE, where=HOSTILE, inside=None)
    text = written(tmp_path, replace(PAGE, title=HOSTILE, target=HOSTILE, things=(bad,), sentences=(HOSTILE,)))
    assert "script-src &#39;none&#39;" in text and "<script" not in text
    assert len(re.findall("<img", text)) == 2 and not re.search(r"<[^>]+ onerror", text)
    assert set(re.findall(r'href="([^"]*)"', text)) == {"row-3.png"} and "http" not in text.split("</style>")[1]


@pytest.mark.parametrize(
    ("numbers", "good"),
    [
        ((0.2, 0.3, 0.8, NAN, NAN), [True, True]),
        ((0.7, 0.8, 0.3, 1.0, 0.1), [False, False, True]),
        ((NAN, 0.8, 0.8, 0.0, 0.25), [None, False, False]),
        ((-0.6, 0.1, 0.8, NAN, NAN), [False, True]),
    ],
)
def test_checks_in_plain_words(numbers: tuple[float, ...], good: list[bool | None]) -> None:
    names = (
        "correlation_with_random_weights", "deletion", "deletion_in_random_order", "pointing", "mask_share",
    )  # fmt: skip
    found = checks(dict(zip(names, numbers, strict=True)))
    assert [check.good for check in found] == good
    if len(found) == 3:
        assert f"{'inside' if found[2].good else 'outside'} the mask" in found[2].said
