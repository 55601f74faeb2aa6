"""Write a report as one HTML file that needs nothing else: no network, no font, no library."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from molgraph.data.files import atomic
from molgraph.data.room import Noun
from molgraph.metrics.figures import figures
from molgraph.report import plots
from molgraph.report.contents import Estimate, Neighbour, Ranked, Report, Row, Target

FEW = 3  # columns that are shown whole; of more, first an overview

Draw = Callable[[str], str]


def write_report(path: Path, report: Report, draw: Draw) -> None:
    """Write the page; `draw` turns a key into an SVG picture, which the page shows as an image, never as markup.

    Raises: ResourceError for a full disk or a missing permission.
    """
    text = render(report, draw)
    with atomic(path, "w") as file:
        file.write(text)


def render(report: Report, draw: Draw) -> str:
    """Return the page as text; equal contents give equal text."""
    script = _file("page.js")
    return page(
        "page.html",
        scripts=_hash(script),
        report=report,
        plots=plots,
        script=Markup(script) if report.table else None,
        data=embedded(_data(report.table, report.noun, draw)) if report.table else None,
    )


def page(name: str, *, scripts: str = "'none'", **contents: Any) -> str:
    """Return a page from a template of this folder in the style of all pages; `scripts` says which may run."""
    style = _file("page.css")
    policy = f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {scripts}"
    return _environment().get_template(name).render(style=Markup(style), policy=policy, few=FEW, **contents)


def embedded(data: Any) -> Markup:
    """Return JSON that is safe inside a `<script>` element, whatever the texts in it.

    >>> embedded({"name": "</script><b>"})
    Markup('{"name":"\\\\u003c/script\\\\u003e\\\\u003cb\\\\u003e"}')
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _data(table: Ranked, noun: Noun, draw: Draw) -> dict[str, Any]:
    """Return what the page's script shows; every picture is in it once."""
    places: dict[str, int] = {}
    rows = [_row(row, places, table.targets) for row in table.rows]
    return {
        "targets": [
            {"name": t.name, "units": t.units, "decimals": t.decimals, "meaning": t.meaning, "decades": t.decades}
            for t in table.targets
        ],
        "own": list(table.own),
        "extra": list(table.extra),
        "alerts": [name in table.alerts for name in table.extra],
        "noun": noun.one,
        "few": FEW,
        "rows": rows,
        "pictures": [draw(key) for key in places],
    }


def _row(row: Row, places: dict[str, int], targets: Sequence[Target]) -> dict[str, Any]:
    return {
        "rank": row.rank,
        "row": row.row,
        "key": row.key if row.text is None else row.text,
        "picture": places.setdefault(row.key, len(places)),
        "own": list(row.own),
        "values": [[rounded(v) for v in each] for each in row.values],
        "natural": [t.natural(value) for t, (value, *_) in zip(targets, row.values, strict=True)],
        "sets": list(row.sets),
        "inside": row.in_domain,
        "near": _neighbour(row.neighbour, places, targets) if row.neighbour else None,
        "extra": [v if isinstance(v, str) else rounded(v) for v in row.extra],
        "diverse": row.diverse,
        "wanted": rounded(row.desirability),
        "far": list(row.far),
        "doubt": row.doubt,
    }


def _neighbour(near: Neighbour, places: dict[str, int], targets: Sequence[Target]) -> dict[str, Any]:
    return {
        "id": near.id,
        "picture": places.setdefault(near.key, len(places)) if near.key else None,
        "similarity": rounded(near.similarity),
        "measured": [rounded(v) for v in near.measured],
        "natural": [
            t.natural(value, bound) for t, value, bound in zip(targets, near.measured, near.bounds, strict=True)
        ],
        "bounds": list(near.bounds),
        "others": list(near.others),
        "words": list(near.words),
    }


def rounded(value: float | None) -> float | None:
    """Keep six significant digits of a number that is one, of a large one also what stands behind them.

    >>> rounded(1 / 3), rounded(10000005.48), rounded(float("nan"))
    (0.333333, 10000005.48, None)
    """
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}" if abs(value) < 1e6 else f"{value:.15g}")


def estimate(each: Estimate) -> str:
    """Write a score with its interval, or why there is none."""
    if each.value is None:
        return each.reason or "no score"
    if each.low is None or each.high is None:  # not asked for, or there is none
        return plots.short(each.value) + (f" ({each.reason})" if each.reason else "")
    value, low, high = figures(each.value, each.low, each.high, zeros=True)
    return f"{value} ({low} to {high})"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _file(name: str) -> str:
    return files("molgraph.report").joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_file), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(estimate=estimate, thousands="{:,}".format, short=plots.short)
    return environment
