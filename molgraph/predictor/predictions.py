"""Predictions and models as a notebook shows them: with structure pictures."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import pandas as pd

from molgraph.errors import many
from molgraph.predictor.card import FACTS, interval
from molgraph.predictor.recipe import Recipe

PICTURES = 20  # rows a notebook shows with pictures
CELL = 'style="text-align:left;vertical-align:middle;padding:2px 8px"'


class Predictions(pd.DataFrame):
    """Be a DataFrame that draws its first rows in a notebook."""

    _metadata = ["_draw", "_column"]  # noqa: RUF012 - pandas reads this name

    _draw: Callable[..., str] | None = None
    _column: str = ""

    @property
    def _constructor(self) -> Callable[..., Predictions]:
        return Predictions

    @classmethod
    def of(cls, frame: pd.DataFrame, column: str, draw: Callable[..., str]) -> Predictions:
        """Return the frame with what is needed to draw the molecules of its column."""
        made = cls(frame)
        made._draw, made._column = draw, column
        return made

    def _repr_html_(self) -> str:
        if self._draw is None or self._column not in self.columns:
            plain = pd.DataFrame(self)._repr_html_()  # type: ignore[operator]
            return str(plain)
        others = [c for c in self.columns if c != self._column]
        head = "".join(f"<th {CELL}>{escape(str(c))}</th>" for c in (self._column, *others))
        body = "".join(self._row(row, others) for _, row in self.head(PICTURES).iterrows())
        more = f"<p>{many(len(self), 'row')}, the first {PICTURES} drawn</p>" if len(self) > PICTURES else ""
        return f"<table><tr>{head}</tr>{body}</table>{more}"

    def _row(self, row: pd.Series[Any], others: list[str]) -> str:
        assert self._draw is not None
        picture = self._draw(str(row[self._column]), width=160, height=110)
        cells = "".join(f"<td {CELL}>{escape(_short(row[c]))}</td>" for c in others)
        return f"<tr><td {CELL}>{picture}<br>{escape(str(row[self._column]))}</td>{cells}</tr>"


def _short(value: Any) -> str:
    if value is None or value is pd.NA or value != value:  # NaN differs from itself
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4g}" if abs(value) < 1e6 else f"{value:.12g}"  # of large numbers the last digits may count


def recipe_html(recipe: Recipe) -> str:
    """Return a model's facts and test scores as a small table."""
    names = ", ".join(recipe.task["names"])
    rows = [(key, str(recipe.facts[key])) for key in FACTS if recipe.facts.get(key) not in (None, {}, [])]
    for target, scores in recipe.metrics.get("model", {}).items():
        main = recipe.metrics["main"][target]
        rows.append((f"{target}: test {main}", interval(scores[main])))
        rows += [("", verdict["sentence"]) for verdict in recipe.metrics["verdicts"][target].values()]
    lines = "".join(f"<tr><td {CELL}>{escape(k)}</td><td {CELL}>{escape(v)}</td></tr>" for k, v in rows)
    return f"<b>{escape(names)} by {escape(recipe.run.model)}</b><table>{lines}</table>"
