"""The page of a comparison: who is best, who is tied with it, and every fold."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from molgraph.data.files import atomic
from molgraph.metrics import METRICS, Pair, Ranking
from molgraph.metrics.repeated import EFFECTS
from molgraph.metrics.scores import IN_UNITS
from molgraph.report import plots
from molgraph.report.plots import Scale, line, short, svg, text, with_units
from molgraph.report.report import page

WIDTH, NAMES, ROW = 640, 236, 28
MOST = 12  # pairs that a plot shows; of more models only the pairs with the best


@dataclass(frozen=True)
class Compared:
    """Hold one target: the ranking, the folds' scores by model, and `scores`, by metric those of each ranked model."""

    target: str
    ranking: Ranking
    folds: Mapping[str, tuple[float, ...]]
    scores: Mapping[str, tuple[tuple[float, ...], ...]]
    units: str = ""

    @property
    def label(self) -> str:
        way = "higher" if METRICS[self.ranking.metric].higher_is_better else "lower"
        return f"{self.called}, {way} is better"

    @property
    def called(self) -> str:
        """Name the metric, an error with its unit."""
        metric = self.ranking.metric
        return with_units(METRICS[metric].label, self.units if metric in IN_UNITS else "")


@dataclass(frozen=True)
class ComparisonPage:
    """Hold all that the page says."""

    title: str
    lead: str
    targets: tuple[Compared, ...]
    figures: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def render_comparison(contents: ComparisonPage) -> str:
    """Return the page as text; equal contents give equal text."""
    return page("compare.html", report=contents, strip=strip, forest=forest, mean=mean, plots=plots, effects=EFFECTS)


def write_comparison_report(path: Path, contents: ComparisonPage) -> None:
    """Write the page: one file that needs nothing else.

    Raises: ResourceError for a full disk or a missing permission.
    """
    written = render_comparison(contents)
    with atomic(path, "w") as file:
        file.write(written)


def mean(values: tuple[float, ...]) -> str:
    """Write the mean of folds with their standard deviation.

    >>> mean((0.5, 0.6, 0.7)), mean(())
    ('0.600 ± 0.100', 'none')
    """
    if not values:
        return "none"
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{short(statistics.fmean(values))} ± {short(spread)}"


def strip(shown: Compared) -> Markup:
    """Draw the score of every fold of every model, and the means; models tied with the best in its colour."""
    ranking = shown.ranking
    height = ROW * len(ranking.names) + 44
    values = [value for scores in shown.folds.values() for value in scores]
    x = _scale(min(values), max(values))
    parts = _axis(x, height, shown.label)
    for k, name in enumerate(ranking.names):
        y = ROW * k + 18
        kind = "other" if k and ranking.pair(ranking.names[0], name).differs else "model"
        parts.append(text(NAMES - 10, y + 4, _cut(name), "end", "" if k else "strong"))
        parts += [
            f'<circle cx="{x(value)}" cy="{y + 5 * (at % 3 - 1)}" r="2.5" class="dot {kind}"/>'
            for at, value in enumerate(shown.folds[name])
        ]
        middle = x(ranking.means[k])
        parts.append(line(middle, y - 10, middle, y + 10, f"whisker {kind}"))
    return svg(WIDTH, height, f"{shown.target}: scores of every fold", parts)


def forest(shown: Compared) -> Markup:
    """Draw the difference of every pair with its interval, and the line of no difference."""
    ranking = shown.ranking
    pairs = list(ranking.pairs)
    if len(pairs) > MOST:
        pairs = [pair for pair in pairs if ranking.names[0] in (pair.first, pair.second)]
    height = ROW * len(pairs) + 44
    ends = [end for pair in pairs for end in (pair.low, pair.high, 0.0)]
    x = _scale(min(ends), max(ends))
    parts = _axis(x, height, f"difference in {shown.called}, simultaneous 95 % interval")
    parts.append(line(x(0), 4, x(0), height - 40, "equal"))
    for k, pair in enumerate(pairs):
        y, kind = ROW * k + 18, "model" if pair.differs else "other"
        parts.append(text(NAMES - 10, y - 2, _cut(pair.first), "end"))
        parts.append(text(NAMES - 10, y + 11, f"less {_cut(pair.second)}", "end"))
        parts.append(line(x(pair.low), y, x(pair.high), y, f"whisker {kind}"))
        parts.append(f'<circle cx="{x(pair.difference)}" cy="{y}" r="4.5" class="{kind}">{_said(pair)}</circle>')
    return svg(WIDTH, height, f"{shown.target}: differences of pairs", parts)


def _said(pair: Pair) -> Markup:
    word = "differ" if pair.differs else "statistically tied"
    return Markup("<title>{} and {}: {}, p {}</title>").format(pair.first, pair.second, word, f"{pair.p:.2g}")


def _scale(low: float, high: float) -> Scale:
    pad = (high - low or abs(low) or 1.0) * 0.08
    return Scale(low - pad, high + pad, NAMES, WIDTH - 16)


def _axis(x: Scale, height: int, label: str) -> list[str]:
    bottom, parts = height - 40, []
    for value, tick in x.ticks(6):
        parts += [line(x(value), 4, x(value), bottom, "grid"), text(x(value), bottom + 16, tick)]
    return [*parts, text((x.start + x.end) / 2, bottom + 34, label, kind="label")]


def _cut(name: str) -> str:
    return name if len(name) <= 34 else f"{name[:33]}…"
