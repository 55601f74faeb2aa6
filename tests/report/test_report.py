"""The page: whole, self-contained, harmless whatever the texts in it, equal for equal contents."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from molgraph.data.room import Noun
from molgraph.report import (
    Distribution,
    Estimate,
    Neighbour,
    Parity,
    Quality,
    Ranked,
    Report,
    Row,
    Target,
    write_report,
)
from molgraph.report.report import estimate, render
from molgraph.screen import Histogram

HOSTILE = "</script><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">&amp;'\u2028"
NAN = float("nan")


def draw(key: str) -> str:
    return f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 3 2'><desc>{len(key)}</desc></svg>"


def row(rank: int, **changes: Any) -> Row:
    near = Neighbour("CHEMBL1", "CCO", 0.51, (6.1,), ("",))
    usual = Row(
        rank,
        10 * rank,
        "C" * rank,
        (f"name {rank}",),
        ((9.0 - rank, 8.0 - rank, 10.0 - rank),),
        True,
        near,
        (46.07, ""),
    )
    return replace(usual, **changes)


def report(rows: tuple[Row, ...] = (row(1), row(2, in_domain=False, extra=(None, "nitro"))), **changes: Any) -> Report:
    usual = Report(
        "Library, ranked by pAct",
        "3 of 4 molecules scored.",
        figures=(("4", "molecules read"),),
        quality=(
            Quality(
                "pAct",
                204,
                ("molecule/dmpnn (this model)", "molecule/forest"),
                {
                    "RMSE": (Estimate(0.62, 0.55, 0.7), Estimate(0.66, 0.58, 0.75)),
                    "R2": (Estimate(None, reason="one row"),) * 2,
                },
                "RMSE",
                ("The model is not better.",),
                "Of 204, 88 %.",
            ),
        ),
        distributions=(Distribution("pAct", Histogram([6.0, 7.0, 8.0], [3, 1], [0, 5]), "-log10(M)", 7.5),),
        parity=(
            Parity(
                "pAct",
                (6.0, 7.0, NAN),
                (6.5, 7.0, 5.0),
                (6.1, NAN, 4.0),
                (7.0, NAN, 6.0),
                (0.5, 1.0, 0.2),
                (True, False, True),
            ),
        ),
        table=Ranked((Target("pAct", "-log10(M)"),), ("id",), ("mw", "brenk"), rows, ("brenk",)),
        rejected=(("invalid_smiles", 1, "row 4"),),
        facts={"date": "2026-01-02", "seed": "0"},
        notes=("Bars are intervals.",),
    )
    return replace(usual, **changes)


class Page(HTMLParser):
    """Collect the elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def data_of(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_page_needs_nothing_from_elsewhere() -> None:
    text = render(report(), draw)
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {"link", "iframe", "object", "base", "embed"}
    assert not [attributes for _, attributes in page.tags if {"src", "href", "style"} & attributes.keys()]
    assert not re.search(r"(?<!xmlns=['\"])https?://(?!www\.w3\.org/2000/svg)", text)
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_the_policy_allows_exactly_the_page_s_own_style_and_script() -> None:
    text = render(report(), draw)
    (policy,) = (a["content"] for t, a in Page(text).tags if a.get("http-equiv") == "Content-Security-Policy")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert style and script and policy
    for inside in (style[1], script[1]):
        assert base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode() in policy
    assert policy.startswith("default-src 'none'; img-src data:;") and "unsafe" not in policy


def test_every_section_says_what_it_was_given() -> None:
    said = " ".join(" ".join(Page(render(report(), draw)).texts).split())
    for words in (
        "Library, ranked by pAct", "3 of 4 molecules scored.", "molecules read", "204 held-out rows", "molecule/forest",
        "0.620 (0.550 to 0.700)", "one row", "The model is not better.", "Of 204, 88 %.", "last ranked: 7.50",
        "pAct (-log10(M))", "invalid_smiles", "Bars are intervals.", "2026-01-02", "0.5 to 0.6", "0.9 to 1.0",
    ):  # fmt: skip
        assert words in said, words


def test_of_many_columns_an_overview_comes_first_and_the_rest_is_folded() -> None:
    usual = report()
    judged = [replace(usual.quality[0], target=f"t{i}", verdicts=("better than trees",)) for i in range(4)]
    spread = [replace(usual.distributions[0], target=f"t{i}") for i in range(4)]
    usual = replace(usual, quality=tuple(judged), distributions=tuple(spread), parity=usual.parity * 4)
    page = Page(render(usual, draw))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("details") == 3 and tags.index("table") < tags.index("details") < tags.index("article")
    said = " ".join(" ".join(page.texts).split())
    assert said.index("t3 204 RMSE 0.620 (0.550 to 0.700) better than trees") < said.index("All scores of each column")
    assert "details" not in [tag for tag, _ in Page(render(report(), draw)).tags]


def test_where_no_domain_is_known_none_is_shown() -> None:
    text = render(report(domain=False), draw)
    assert '<label hidden><input type="checkbox" id="inside">' in text and "out of domain: unlike" not in text


def test_sections_that_are_not_given_are_left_out() -> None:
    text = render(Report("Bare", "Nothing."), draw)
    assert "<section" not in text and "<script" not in text and "<h1>Bare</h1>" in text


def test_a_picture_is_stored_once_and_a_missing_number_is_null() -> None:
    twice = (row(1), row(2, key="C", values=((NAN, None, None),)), row(3, key="CCO", neighbour=None))
    data = data_of(render(report(twice), draw))
    assert len(data["pictures"]) == 2
    assert [r["picture"] for r in data["rows"]] == [0, 0, 1] and data["rows"][0]["near"]["picture"] == 1
    assert data["rows"][1]["values"] == [[None, None, None]] and data["rows"][2]["near"] is None


def test_equal_contents_give_equal_bytes(tmp_path: Path) -> None:
    write_report(tmp_path / "a.html", report(), draw)
    write_report(tmp_path / "b.html", report(), draw)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def hostile() -> Report:
    near = Neighbour(HOSTILE, "C", 0.5, (1.0,), ("",))
    bad = row(1, key=HOSTILE, own=(HOSTILE,), neighbour=near, extra=(1.0, HOSTILE))
    usual = report()
    return replace(
        report((bad,)),
        title=HOSTILE,
        lead=HOSTILE,
        figures=((HOSTILE, HOSTILE),),
        quality=(
            replace(
                usual.quality[0], target=HOSTILE, methods=(HOSTILE, HOSTILE), sentences=(HOSTILE,), coverage=HOSTILE
            ),
        ),
        distributions=(replace(usual.distributions[0], target=HOSTILE, units=HOSTILE),),
        parity=(replace(usual.parity[0], target=HOSTILE, units=HOSTILE),),
        table=Ranked((Target(HOSTILE, HOSTILE),), (HOSTILE,), (HOSTILE, "brenk"), (bad,), ("brenk",)),
        rejected=((HOSTILE, 1, HOSTILE),),
        facts={HOSTILE: HOSTILE},
        notes=(HOSTILE,),
    )


def test_hostile_texts_stay_texts() -> None:
    text = render(hostile(), lambda key: f"<svg onload='alert(1)'>{HOSTILE}</svg>")
    page = Page(text)
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    data = data_of(text)
    assert data["rows"][0]["key"] == HOSTILE and data["targets"][0]["name"] == HOSTILE


def dom(path: Path, folder: Path) -> str:
    """Return the page as a browser has it after its script ran."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium here to open the page with")
    quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    quiet += ["--disable-component-update", "--disable-sync", "--no-sandbox", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run(
        [browser, "--headless", *quiet, "--dump-dom", path.as_uri()], capture_output=True, timeout=120, check=False
    )
    return done.stdout.decode("utf-8")


def test_a_browser_runs_the_page_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, hostile(), draw)
    text = dom(path, tmp_path)
    page = Page(text)
    assert "<title>broken" not in text
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == 2 and all(str(image["src"]).startswith("data:image/svg+xml") for image in images)
    assert [tag for tag, _ in page.tags].count("script") == 2


def test_a_browser_shows_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, report(tuple(row(k) for k in range(1, 31))), draw)
    said = " ".join(Page(dom(path, tmp_path)).texts)
    assert "1 to 25 of 30" in said and "name 25" in said and "out of domain" in said
    assert "7.00 to 9.00" in " ".join(said.split()) and "similarity 0.51" in said and "measured 6.10" in said


def test_a_browser_shows_a_bound_as_a_bound_and_draws_no_tick_for_it(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    exact = row(1).neighbour
    assert exact is not None
    below, above = (replace(exact, measured=(value,), bounds=(bound,)) for value, bound in ((0.154, "<"), (10.0, ">")))
    rows = (row(1), row(2, neighbour=below), row(3, neighbour=above))
    write_report(path, report(rows), draw)
    data = data_of(path.read_text(encoding="utf-8"))
    assert [each["near"]["bounds"] for each in data["rows"]] == [[""], ["<"], [">"]]
    shown = dom(path, tmp_path).split('id="table"')[1].split("</tr>")[1:4]
    for text, said, ticks in zip(shown, ("measured 6.10", "measured <0.154", "measured >10"), (1, 0, 0), strict=True):
        assert [words for words in Page(text).texts if words.startswith("measured")] == [said]
        assert text.count('class="near"') == ticks


def test_the_page_says_the_room_s_words(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert ' hidden><input type="checkbox" id="clean"' not in render(report(), draw)
    table = Ranked((Target("pneumonia"),), ("",), ("modality",), (row(1, own=("",), extra=("CR",)),))
    scans = report(table=table, noun=Noun("scan", "scans"))
    pixels = "<svg xmlns='http://www.w3.org/2000/svg'><image href=''/></svg>"
    write_report(path, scans, lambda key: pixels)
    assert ">scans</text>" in path.read_text(encoding="utf-8")
    text = dom(path, tmp_path)
    assert ">scan</button>" in text and ">properties</button>" in text and ">row 10<" in text
    assert "<dt>modality</dt><dd>CR</dd>" in text and "flag alert" not in text.split("<table")[1]
    assert 'class="picture pixels"' in text and ' hidden=""><input type="checkbox" id="clean"' in text


def test_a_score_without_an_interval_says_why_unless_none_was_asked_for() -> None:
    assert estimate(Estimate(0.62, 0.5, 0.7)) == "0.620 (0.500 to 0.700)" and estimate(Estimate(0.62)) == "0.620"
    assert estimate(Estimate(0.62, reason="no interval: too few rows")) == "0.620 (no interval: too few rows)"
    assert estimate(Estimate(None, reason="one row")) == "one row" and estimate(Estimate(None)) == "no score"


def test_units_and_plain_words_stand_beside_every_value(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, report((row(1),)), draw)
    text = path.read_text(encoding="utf-8")
    assert "one unit higher is ten times as potent: 7 is 100 nM, 8 is 10 nM." in text
    (data,) = data_of(text)["rows"]
    assert data["near"]["natural"][0] == "790 nM" and data["natural"][0].endswith("M")
    shown = Page(dom(path, tmp_path).split('id="table"')[1]).texts
    assert "790 nM" in shown and any(words.endswith(data["natural"][0]) for words in shown)
