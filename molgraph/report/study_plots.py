"""Pictures of a study as SVG, in the style of the other pages; colours come from the style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from molgraph.report.plots import LABEL, LETTER, MARGIN, Scale, axes, fitted, line, short, svg, text
from molgraph.report.study_contents import Attempted, Axis, Objective, StudyPage

WIDTH, HEIGHT = 560, 300
SHOWN = 8  # axes of the parallel coordinates, most important first
LARGEST = 10  # bars of importances
LEFT, STEP = 70, 140  # place of the first of the parallel axes, and from one to the next
UNITS = (("hours", 3600), ("minutes", 60), ("seconds", 1))
INSIDE = 0.9  # share of the scores that a plot shows; the rest, far off, is drawn at its edge


def shown(value: Any) -> str:
    """Write a setting.

    >>> shown(0.000123456), shown(3), shown(None)
    ('0.000123', '3', '')
    """
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def last(trial: Attempted) -> float | None:
    """Return a trial's score: its value, or the last one it reported before it was pruned."""
    return trial.values[0] if trial.values else trial.curve[-1][1] if trial.curve else None


def history(page: StudyPage) -> Markup:
    """Draw the score of every trial, and the best so far."""
    scored = [(t, value) for t in page.trials if (value := last(t)) is not None]
    most = max((t.number for t in page.trials), default=1)
    x = Scale(0, most, 56, WIDTH - 12)
    y = _upright(page.objectives[0], [value for _, value in scored])
    parts = axes(x, y, "trial", page.objectives[0].label, x_ticks=max(min(8, most), 1))  # there is no trial 0.2
    best: float | None = None
    steps: list[str] = []
    for trial, value in scored:
        if trial.values and (best is None or _better(page.objectives[0], value, best)):
            steps += [] if best is None else [f"{x(trial.number)},{y(best)}"]
            best = value
            steps.append(f"{x(trial.number)},{y(best)}")
    if best is not None:
        steps.append(f"{x.end},{y(best)}")
        parts.append(f'<polyline points="{" ".join(steps)}" class="sofar"/>')
    parts += [_dot(x(t.number), y(value), t, page) for t, value in scored]
    return svg(WIDTH, HEIGHT, "History of the study", parts)


def curves(page: StudyPage) -> Markup:
    """Draw the score of every trial epoch by epoch."""
    drawn = [t for t in page.trials if len(t.curve) > 1]
    if not drawn:
        return Markup()
    x = Scale(min(t.curve[0][0] for t in drawn), max(t.curve[-1][0] for t in drawn), 56, WIDTH - 12)
    y = _upright(page.objectives[0], [value for t in drawn for _, value in t.curve])
    parts = axes(x, y, page.step, page.objectives[0].label, max(1, min(8, int(x.high - x.low))))
    for trial in sorted(drawn, key=lambda t: t.number == page.best):
        points = " ".join(f"{x(step)},{y(value)}" for step, value in trial.curve)
        parts.append(f'<polyline points="{points}" class="curve faint {_kind(trial, page)}">{_title(trial)}</polyline>')
    return svg(WIDTH, HEIGHT, "Learning curves", parts)


def importances(page: StudyPage) -> Markup:
    """Draw how much the settings that matter most set the best tenth of the trials apart from the others."""
    largest = dict(list(page.importances.items())[:LARGEST])
    height = 24 * len(largest) + 40
    most = max(largest.values()) or 1.0
    x = Scale(0, most, max(LETTER * len(name) for name in largest) + 16, WIDTH - 60)
    label = "share in what sets the best tenth of the trials apart (PED-ANOVA)"
    parts: list[str] = [text(MARGIN, 14, fitted(label, WIDTH - 2 * MARGIN), "start", "label")]
    for k, (name, share) in enumerate(largest.items()):
        top = 26 + 24 * k
        parts.append(text(x.start - 8, top + 13, name, "end"))
        parts.append(f'<rect x="{x.start}" y="{top}" width="{x(share) - x.start:.1f}" height="16" class="inside"/>')
        parts.append(text(x(share) + 6, top + 13, f"{100 * share:.0f} %", "start"))
    return svg(WIDTH, height, "Importance of the settings", parts)


def unshown(page: StudyPage) -> str:
    """Say how many settings have no bar, and what share they have together."""
    rest = list(page.importances.values())[LARGEST:]
    return f" {len(rest)} others have {100 * sum(rest):.0f} % together." if rest else ""


def parallel(page: StudyPage) -> Markup:
    """Draw every finished trial as a line through its settings to its score, better ones stronger."""
    done = list(reversed(page.ranked))
    shown_axes = page.axes[:SHOWN]
    width, top, bottom = STEP * (len(shown_axes) + 1) + 60, 54, 284
    columns = [_place(axis, done, bottom, top) for axis in shown_axes]
    score = _upright(page.objectives[0], [t.values[0] for t in done], bottom, top)
    parts: list[str] = []
    for at, trial in enumerate(done):
        places = [place(trial.settings.get(axis.name)) for axis, place in zip(shown_axes, columns, strict=True)]
        points = [(LEFT + STEP * k, y) for k, y in enumerate(places) if y is not None]
        points.append((LEFT + STEP * len(columns), score(trial.values[0])))
        strength = 0.12 + 0.7 * (at / max(len(done) - 1, 1)) ** 2
        path = " ".join(f"{px},{py}" for px, py in points)
        parts.append(
            f'<polyline points="{path}" class="curve {_kind(trial, page)}" stroke-opacity="{strength:.2f}">'
            f"{_title(trial)}</polyline>"
        )
    for k, (axis, place) in enumerate(zip(shown_axes, columns, strict=True)):
        parts += _column(LEFT + STEP * k, top, bottom, axis.name, place.ticks)
    ticks = [(score(v), label) for v, label in score.ticks(5)]
    parts += _column(LEFT + STEP * len(columns), top, bottom, page.objectives[0].label, ticks)
    return svg(width, 314, "Settings of all trials and their scores", parts)


def by_setting(page: StudyPage, axis: Axis) -> Markup:
    """Draw the score against one setting; nothing where the trials do not differ in it."""
    width, height = 300, 220
    done = [t for t in page.trials if last(t) is not None and axis.name in t.settings]
    if len({str(t.settings[axis.name]) for t in done}) < 2:
        return Markup()
    y = _upright(page.objectives[0], [s for t in done if (s := last(t)) is not None], height - 40, 30)
    if LETTER * sum(len(choice) + 2 for choice in axis.choices) > width - 56:
        return _by_choice(page, axis, done)
    place = _place(axis, done, 44, width - 20)
    parts = axes(Scale(0, 1, 44, width - 20), y, axis.name, "", x_ticks=0)
    for at, label in place.ticks:
        parts += [line(at, y.start, at, y.start + 4, "tick"), text(at, y.start + 16, label)]
    for trial in done:
        score, where = last(trial), place(trial.settings[axis.name])
        if score is not None and where is not None:
            parts.append(_dot(where, y(score), trial, page))
    return svg(width, height, f"Score by {axis.name}", parts)


def _by_choice(page: StudyPage, axis: Axis, done: Sequence[Attempted]) -> Markup:
    """Draw the score against a setting whose choices have long names, one below the other."""
    width, bottom = 300, 20 * len(axis.choices) + 30
    name = LETTER * max(map(len, axis.choices)) + 8
    place = _place(axis, done, bottom, 26)
    x = _upright(page.objectives[0], [s for t in done if (s := last(t)) is not None], name, width - 16)
    parts: list[str] = [text(width / 2, 14, fitted(axis.name, width - 2 * MARGIN), kind="label")]
    for value, tick in x.ticks(3):
        parts += [line(x(value), 22, x(value), bottom, "grid"), text(x(value), bottom + 16, tick)]
    parts += [text(name - 6, at + 4, label, "end") for at, label in place.ticks]
    for trial in done:
        score, where = last(trial), place(trial.settings[axis.name])
        if score is not None and where is not None:
            parts.append(_dot(x(score), where, trial, page))
    return svg(width, bottom + 24, f"Score by {axis.name}", parts)


def pareto(page: StudyPage, second: int) -> Markup:
    """Draw two objectives against each other, and the front."""
    one, other = page.objectives[0], page.objectives[second]
    done = [t for t in page.trials if t.values]
    x = _span([t.values[second] for t in done], 56, WIDTH - 12)
    y = _upright(one, [t.values[0] for t in done])
    front = [t for t in done if t.number in page.front]
    points = " ".join(f"{x(t.values[second])},{y(t.values[0])}" for t in edge(page, front, second))
    parts = axes(x, y, other.label, one.label, 6)
    parts.append(f'<polyline points="{points}" class="sofar"/>')
    parts += [_dot(x(t.values[second]), y(t.values[0]), t, page) for t in done]
    parts += [text(x(t.values[second]) + 7, y(t.values[0]) - 6, t.number, "start", "mark") for t in front]
    return svg(WIDTH, HEIGHT, f"{one.label} against {other.label}", parts)


def edge(page: StudyPage, trials: Sequence[Attempted], second: int) -> list[Attempted]:
    """Return the trials that no other beats in the first objective and this one, from the best in this one on."""
    one, other = page.objectives[0], page.objectives[second]
    signs = -1 if one.higher_is_better else 1, -1 if other.higher_is_better else 1
    found: list[Attempted] = []
    for trial in sorted(trials, key=lambda t: (signs[1] * t.values[second], signs[0] * t.values[0])):
        if not found or _better(one, trial.values[0], found[-1].values[0]):
            found.append(trial)
    return found


def timeline(page: StudyPage) -> Markup:
    """Draw when every trial ran, a row per worker."""
    workers = list(dict.fromkeys(t.worker for t in page.trials))
    end = max((t.ended for t in page.trials), default=1.0) or 1.0
    unit, size = next((unit, size) for unit, size in UNITS if end >= 2 * size or size == 1)
    height = 26 * len(workers) + 60
    x = Scale(0, end / size, 130, 820)
    bottom = height - 44
    parts: list[str] = []
    for value, tick in x.ticks(8):
        parts += [line(x(value), 4, x(value), bottom, "grid"), text(x(value), bottom + 16, tick)]
    parts.append(text((x.start + x.end) / 2, bottom + 36, unit, kind="label"))
    for k, worker in enumerate(workers):
        parts.append(text(x.start - 8, 26 * k + 22, f"worker {k + 1}", "end"))
        for trial in (t for t in page.trials if t.worker == worker):
            left = x(trial.began / size)
            wide = max(x(trial.ended / size) - left - 1, 1.0)
            parts.append(
                f'<rect x="{left}" y="{26 * k + 9}" width="{wide:.1f}" height="18" class="{_kind(trial, page)}">'
                f"{_title(trial)}</rect>"
            )
    return svg(840, height, "When the trials ran", parts)


def _better(objective: Objective, one: float, other: float) -> bool:
    return one > other if objective.higher_is_better else one < other


def _span(values: Sequence[float], start: float, end: float) -> Scale:
    low, high = min(values, default=0.0), max(values, default=1.0)
    pad = (high - low or abs(high) or 1.0) * 0.05
    return Scale(low - pad, high + pad, start, end)


def _upright(objective: Objective, values: Sequence[float], bottom: float = HEIGHT - 48, top: float = 30) -> Scale:
    """Return the scale of the scores; the worst of them, which may be far off, are cut off."""
    known = sorted((v for v in values if math.isfinite(v)), reverse=objective.higher_is_better)
    return _span(known[: max(2, math.ceil(INSIDE * len(known)))], bottom, top)


def _kind(trial: Attempted, page: StudyPage) -> str:
    return "best" if trial.number == page.best else "inside" if trial.values else "outside"


def _title(trial: Attempted) -> Markup:
    settings = ", ".join(f"{name} {shown(value)}" for name, value in trial.settings.items())
    values = ", ".join(short(v) for v in trial.values) or trial.state
    why = f" ({trial.why})" if trial.why else ""
    return Markup("<title>trial {}: {}{}; {}</title>").format(trial.number, values, why, settings)


def _dot(x: float, y: float, trial: Attempted, page: StudyPage) -> str:
    kind = _kind(trial, page)
    return f'<circle cx="{x}" cy="{y}" r="{5 if kind == "best" else 3.5}" class="dot {kind}">{_title(trial)}</circle>'


def _column(at: float, top: float, bottom: float, name: str, ticks: Sequence[tuple[float, str]]) -> list[str]:
    section, dot, key = name.rpartition(".")
    parts = [line(at, top, at, bottom, "axis"), text(at, top - 14, fitted(key, STEP - MARGIN, LABEL), kind="label")]
    parts.append(text(at, top - 30, fitted(section + dot, STEP - MARGIN, LETTER)))
    for y, label in ticks:
        parts += [line(at - 4, y, at, y, "tick"), text(at + 6, y + 4, label, "start", "halo")]
    return parts


@dataclass(frozen=True)
class _Places:
    """Map the values of one setting to places: choices evenly, numbers by their (logarithmic) size."""

    axis: Axis
    scale: Scale

    def __call__(self, value: Any) -> float | None:
        if value is None:
            return None
        if self.axis.choices:
            return self.scale(self.axis.choices.index(str(value)) if str(value) in self.axis.choices else -1)
        return self.scale(math.log10(value) if self.axis.log else float(value))

    @property
    def ticks(self) -> list[tuple[float, str]]:
        if self.axis.choices:
            return [(self.scale(k), choice) for k, choice in enumerate(self.axis.choices)]
        if self.axis.log:
            powers = range(math.ceil(self.scale.low), math.floor(self.scale.high) + 1)
            if len(powers) > 1:
                return [(self.scale(p), f"{10.0**p:g}") for p in powers]
            low, wide = self.scale.low, self.scale.high - self.scale.low
            ends = [low + share * wide for share in (0.1, 0.9)]
            return [(self.scale(v), f"{10**v:,.0f}" if v >= 2 else f"{10**v:.2g}") for v in ends]
        return [(self.scale(v), label) for v, label in self.scale.ticks(4)]


def _place(axis: Axis, trials: Sequence[Attempted], start: float, end: float) -> _Places:
    if axis.choices:
        return _Places(axis, Scale(-0.5, len(axis.choices) - 0.5, start, end))
    values = [float(t.settings[axis.name]) for t in trials if axis.name in t.settings]
    return _Places(axis, _span([math.log10(v) for v in values] if axis.log else values, start, end))
