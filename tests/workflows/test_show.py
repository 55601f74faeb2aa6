"""What the terminal says of intervals and sets, where they are and where they are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from molgraph.predictor.card import interval
from molgraph.predictor.targets import COLUMNS
from molgraph.workflows import show


def line(**known: object) -> dict[str, object]:
    usual = {"row": 1, "query": "CCO", "rank": 1, "target": "kinase", "measured": "", "probability": 0.62, "value": 7.1}
    blank = {"lo90": np.nan, "hi90": np.nan, "set90": None, "in_domain": True, "known_similarity": np.nan}
    return dict.fromkeys(COLUMNS) | usual | blank | {"status": "ok", "message": ""} | known


def test_a_number_has_ends_a_yes_or_no_a_word_and_neither_is_called_none(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line(lo90=6.2, hi90=8.0), line(rank=2, target="toxic", set90="undecided"), line(rank=3, target="bare")]
    show.targets(pd.DataFrame(lines, columns=list(COLUMNS)))
    said = capsys.readouterr().out.splitlines()
    assert "6.20 to 8.00" in said[2] and "undecided" in said[3] and "no interval" in said[4]
    assert all(text.endswith("none is known") for text in said[2:]) and "nan" not in " ".join(said).lower()
    heads = said[1].index("90 % (or set)")
    assert said[2].index("6.20") == said[3].index("undecided") == said[4].index("no interval") == heads


def test_a_score_without_an_interval_says_why_unless_none_was_asked_for() -> None:
    score = {"value": 0.62, "low": None, "high": None, "reason": None}
    assert interval(score) == "0.62"
    assert interval(score | {"reason": "no interval: too few rows"}) == "0.62 (no interval: too few rows)"
    assert interval(score | {"low": 0.5, "high": 0.7}) == "0.62 (0.5 to 0.7)"
