"""Small pictures of numbers as SVG; colours and fonts come from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from molgraph.metrics.figures import figure, figures
from molgraph.report.contents import Distribution, Estimate, Parity, Quality, Trust
from molgraph.screen.summary import nice_step

POINTS = 1500  # a parity plot with more would be a blot
LETTER = 6.8  # at most so wide, on average, is a letter of 12 pixels in any of the page's fonts
BOLD = 7.5  # and of a bold one
MARGIN = 8  # pixels that a plot has beside its axes, at least
LABEL = 7.4  # and of a label, which has 13


@dataclass(frozen=True)
class Scale:
    """Map values between `low` and `high` to places between `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Return at most about `most` round values with their labels."""
        if not self.high > self.low:
            return [(self.low, short(self.low))]
        step = nice_step((self.high - self.low) / most)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        values = [k * step for k in range(first, last + 1)]
        apart = math.ceil(math.log10(max(map(abs, values), default=0) / step or 1)) + 1  # digits that tell ticks apart
        plain = decimals <= 6 and (apart > 4 or max(map(abs, values), default=0) < 1e7)
        return [(v, f"{v:,.{decimals}f}" if plain else f"{v:.{max(apart, 3)}g}") for v in values]


@dataclass(frozen=True)
class Decades(Scale):
    """Map values above 0 by their logarithm."""

    def __call__(self, value: float) -> float:
        low, high = math.log10(self.low), math.log10(self.high)
        return Scale(low, high, self.start, self.end)(math.log10(max(value, self.low)))

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Return powers of ten, at most about `most`."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        step = max(1, math.ceil((last - first + 1) / most))
        return [(10.0**k, f"{10.0**k:,.0f}" if 0 <= k < 7 else f"{10.0**k:g}") for k in range(first, last + 1, step)]


def short(value: float) -> str:
    """Write a number with three significant digits, zeros at its end included.

    >>> short(0.5), short(12.345), short(1234.5)
    ('0.500', '12.3', '1230')
    """
    return figure(value, zeros=True)


def text(x: float, y: float, words: object, anchor: str = "middle", kind: str = "") -> Markup:
    """Return words at a place, whatever stands in them."""
    chosen = Markup(' class="{}"').format(kind) if kind else ""
    return Markup('<text x="{}" y="{}" text-anchor="{}"{}>{}</text>').format(x, y, anchor, chosen, words)


def fitted(words: str, room: float, letter: float = LABEL) -> str:
    """Return words that fit into so many pixels: of longer ones the middle is left out.

    >>> fitted("rmse", 100), fitted("molecule/attentivefp.dropout", 100)
    ('rmse', 'molecul…opout')
    """
    most = max(int(room / letter), 5)
    return (
        words if len(words) <= most else f"{words[: most // 2 + 1]}…{words[len(words) - (most - most // 2 - 1) + 1 :]}"
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a line of a kind that the style sheet knows."""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{kind}"/>'


def svg(width: int, height: int, label: str, parts: Sequence[str]) -> Markup:
    """Return a picture with its label for those who do not see it."""
    head = f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">'
    return Markup(f"{head}{''.join(parts)}</svg>")


def axes(x: Scale, y: Scale, x_label: str, y_label: str, x_ticks: int = 8, y_ticks: int = 4) -> list[str]:
    """Return both axes with round ticks, the horizontal one with words below, the vertical one with words above."""
    bottom = y.start
    parts: list[str] = []
    for value, tick in y.ticks(y_ticks):
        parts += [line(x.start, y(value), x.end, y(value), "grid"), text(x.start - 6, y(value) + 4, tick, "end")]
    for value, tick in x.ticks(x_ticks) if x_ticks else ():
        parts += [line(x(value), bottom, x(value), bottom + 4, "tick"), text(x(value), bottom + 17, tick)]
    parts.append(line(x.start, bottom, x.end, bottom, "axis"))
    room = x.end - x.start + 2 * MARGIN
    parts.append(text((x.start + x.end) / 2, bottom + 36, fitted(x_label, room), kind="label"))
    parts.append(text(x.start - 6, y.end - 12, fitted(y_label, room), "start", kind="label"))
    return parts


def histogram(shown: Distribution, counted: str) -> Markup:
    """Draw stacked bars of what is `counted`, in the domain below, out of it above, and where the ranked rows begin."""
    width, height = 640, 250
    counts = shown.histogram
    totals = [a + b for a, b in zip(counts.inside, counts.outside, strict=True)]
    x = (Decades if counts.decades else Scale)(counts.edges[0], counts.edges[-1], 56, width - 12)
    room = 1.0 if shown.cutoff is None else 1.1  # its words stand above the bars
    y = Scale(0, room * max(*totals, 1), height - 48, 30)
    parts = axes(x, y, with_units(shown.target, shown.units), counted)
    for left, right, inside, total in zip(counts.edges[:-1], counts.edges[1:], counts.inside, totals, strict=True):
        a, wide = x(left) + 0.5, max(x(right) - x(left) - 1, 0.5)
        for low, high, kind in ((0, inside, "inside"), (inside, total, "outside")):
            if high > low:
                place = f'x="{a:.1f}" y="{y(high)}" width="{wide:.1f}" height="{y(low) - y(high):.1f}"'
                ends = " to ".join(figures(left, right, zeros=True))
                said = f"<title>{ends}: {high - low:,}</title>"
                parts.append(f'<rect {place} class="{kind}">{said}</rect>')
    if shown.cutoff is not None:
        at = x(shown.cutoff)
        side, shift = ("end", -5) if at > width / 2 else ("start", 5)
        parts.append(line(at, y.start, at, 22, "cutoff"))
        parts.append(text(at + shift, 28, f"last ranked: {short(shown.cutoff)}", side, "mark"))
    return svg(width, height, f"Distribution of {shown.target}", parts)


def whiskers(methods: Sequence[str], estimates: Sequence[Estimate], label: str) -> Markup:
    """Draw one score per method as a dot on its 95 % interval."""
    width, row, names = 600, 26, 286
    height = row * len(methods) + 44
    known = [v for e in estimates for v in (e.value, e.low, e.high) if v is not None]
    if not known:
        return Markup()
    pad = (max(known) - min(known) or abs(known[0]) or 1.0) * 0.08
    x = Scale(min(known) - pad, max(known) + pad, names, width - 16)
    bottom = height - 40
    parts: list[str] = []
    for value, tick in x.ticks(6):
        parts += [line(x(value), 4, x(value), bottom, "grid"), text(x(value), bottom + 16, tick)]
    parts.append(text(x.end, bottom + 34, fitted(label, x.end), "end", "label"))  # the whole width is its own
    for k, (method, each) in enumerate(zip(methods, estimates, strict=True)):
        kind, y = ("model" if k == 0 else "other"), row * k + 18
        name = fitted(method, names - 10, LETTER if k else BOLD)
        parts.append(text(names - 10, y + 4, name, "end", "" if k else "strong"))
        if each.low is not None and each.high is not None:
            parts.append(line(x(each.low), y, x(each.high), y, f"whisker {kind}"))
        if each.value is not None:
            parts.append(f'<circle cx="{x(each.value)}" cy="{y}" r="4.5" class="{kind}"/>')
    return svg(width, height, label, parts)


def parity(shown: Parity) -> Markup:
    """Draw predicted against measured values with their intervals and the line where both are equal."""
    side = 460
    least = 0.0 if shown.decades else -math.inf
    both = enumerate(zip(shown.measured, shown.predicted, strict=True))
    rows = [k for k, (m, p) in both if m == m and p == p and min(m, p) > least]
    if not rows:
        return Markup()
    rows = rows[:: math.ceil(len(rows) / POINTS)]
    values = [v for k in rows for v in (shown.measured[k], shown.predicted[k])]
    scale = Decades if shown.decades else Scale
    pad = (max(values) - min(values) or 1.0) * 0.05
    low, high = (min(values) / 1.5, max(values) * 1.5) if shown.decades else (min(values) - pad, max(values) + pad)
    x, y = scale(low, high, 56, side - 12), scale(low, high, side - 48, 30)
    label = with_units(shown.target, shown.units)
    parts = axes(x, y, f"measured {label}", f"predicted {label}", 7, 7)
    parts.append(line(x(low), y(low), x(high), y(high), "equal"))
    for k in rows:
        if shown.low[k] == shown.low[k]:
            at = x(shown.measured[k])
            parts.append(line(at, y(shown.low[k]), at, y(shown.high[k]), "interval"))
    for k in rows:
        kind = "inside" if shown.in_domain[k] else "outside"
        parts.append(f'<circle cx="{x(shown.measured[k])}" cy="{y(shown.predicted[k])}" r="3" class="dot {kind}"/>')
    return svg(side, side, f"Predicted against measured {shown.target}", parts)


def calibration(shown: Quality) -> Markup:
    """Draw what came true against what was said: a model that knows how far off it is lies on the dashed line."""
    side = 320
    x, y = Scale(0, 1, 56, side - 12), Scale(0, 1, side - 48, 30)
    words = ("predicted probability", "share of hits") if shown.classes else ("level of the interval", "share inside")
    parts = [*axes(x, y, *words, 5, 5), line(x(0), y(0), x(1), y(1), "equal")]
    points = [f"{x(said)},{y(seen)}" for said, seen, _ in shown.curve]
    parts.append(f'<polyline points="{" ".join(points)}" class="sofar"/>')
    for said, seen, rows in shown.curve:
        title = f"<title>{said:.2f} said, {seen:.2f} came true, {rows:,} rows</title>"
        parts.append(f'<circle cx="{x(said)}" cy="{y(seen)}" r="4" class="model">{title}</circle>')
    return svg(side, side, f"Calibration of {shown.target}", parts)


def decision(shown: Trust) -> Markup:
    """Draw net benefit by threshold: of the model in its 95 % interval, of acting on all rows, on none (0)."""
    width, height = 560, 320
    top = max(max(model, high or model, all_) for _, model, _, high, all_ in shown.curve)
    low = -0.15 * top if top > 0 else -0.05  # what costs more is not worth a look
    every = [(at, all_) for at, *_, all_ in shown.curve if all_ >= low]
    x, y = Scale(0, 1, 56, width - 12), Scale(low, max(top, 0.05), height - 48, 30)
    parts = [*axes(x, y, "threshold probability", "net benefit", 10, 5), line(x(0), y(0), x(1), y(0), "equal")]
    known = [(at, a, b) for at, _, a, b, _ in shown.curve if a is not None and b is not None]
    ends = [f"{x(at)},{y(b)}" for at, _, b in known] + [f"{x(at)},{y(a)}" for at, a, _ in reversed(known)]
    parts.append(f'<polygon points="{" ".join(ends)}" class="band"/>')
    for kind, values in (("outside", every), ("best", [(at, model) for at, model, *_ in shown.curve])):
        points = " ".join(f"{x(at)},{y(value)}" for at, value in values)
        parts.append(f'<polyline points="{points}" class="curve {kind}"/>')
    if shown.threshold is not None and 0 <= shown.threshold <= 1:
        at = x(shown.threshold)
        side, shift = ("end", -5) if at > width / 2 else ("start", 5)
        parts.append(line(at, y.start, at, 22, "cutoff"))
        parts.append(text(at + shift, 28, f"chosen: {short(shown.threshold)}", side, "mark"))
    return svg(width, height, f"Decision curve of {shown.target}", parts)


def by_similarity(shown: Parity) -> list[tuple[str, int, float, float | None]]:
    """Return per bin of similarity to the training set: its name, rows, mean absolute error, share in the interval.

    A row belongs to the bin [k/10, (k+1)/10); the last bin also has the similarity 1.
    """
    bins: dict[int, list[int]] = {}
    for k, (near, m, p) in enumerate(zip(shown.similarity, shown.measured, shown.predicted, strict=True)):
        if near == near and m == m and p == p:
            bins.setdefault(min(int(near * 10 + 1e-6), 9), []).append(k)
    found = []
    for number, rows in sorted(bins.items()):
        error = sum(abs(shown.measured[k] - shown.predicted[k]) for k in rows) / len(rows)
        with_interval = [k for k in rows if shown.low[k] == shown.low[k]]
        hits = sum(shown.low[k] <= shown.measured[k] <= shown.high[k] for k in with_interval)
        share = hits / len(with_interval) if with_interval else None
        found.append((f"{number / 10:.1f} to {(number + 1) / 10:.1f}", len(rows), error, share))
    return found


def with_units(name: str, units: str) -> str:
    """Return `name (units)`, or the name alone."""
    return f"{name} ({units})" if units else name
