"""The report of a screen: from its result and its predictor to the contents of the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from molgraph.kinds.column import set_text, sets
from molgraph.predictor import Panel, Predictor
from molgraph.predictor.card import refitted, units
from molgraph.predictor.doubts import doubts
from molgraph.predictor.neighbours import SIGNS, Neighbours
from molgraph.report.contents import Distribution, Neighbour, Quality, Ranked, Report, Row, Target
from molgraph.report.model import model_facts
from molgraph.report.plots import short, with_units
from molgraph.report.quality import quality_of
from molgraph.report.report import write_report
from molgraph.screen import DESIRABILITY, ScreenResult
from molgraph.screen.merge import flags, within
from molgraph.screen.shard import ADDED

PAGE = "report.html"
NAMES = ("_name", "name", "id", "compound", "compound_id", "compound id", "molecule", "title")


def write_screen_report(result: ScreenResult, predictor: Predictor | Panel) -> None:
    """Write `report.html` beside the scores of a finished screen."""
    write_report(result.out / PAGE, screen_report(result, predictor), predictor.room.face.draw)


def screen_report(result: ScreenResult, predictor: Predictor | Panel) -> Report:
    """Return the contents of a screen's page."""
    summary, manifest, noun = result.summary, result.manifest, predictor.inputs.noun
    facts = dict(manifest.facts)
    library = manifest.library["name"]
    targets = tuple(_target(name, predictor, result.top[result.names[name]]) for name in result.ranking.targets)
    return Report(
        title=facts.pop("title", f"{library}, ranked by {result.ranking.by}"),
        lead=f"{summary.scored:,} of {summary.rows:,} {noun.many} scored; the best {len(result.top):,} are below"
        f"{_far(result)}.",
        figures=_figures(result, noun.many),
        quality=_quality(predictor),
        distributions=tuple(_distribution(target, result) for target in targets),
        table=_ranked(result, predictor, targets) if len(result.top) else None,
        rejected=tuple((status, n, summary.messages.get(status, "")) for status, n in summary.rejected.items()),
        facts={**facts, **_run_facts(result), **model_facts(predictor.predictors), **_versions(manifest.versions)},
        notes=_notes(result, predictor, targets),
        noun=noun,
        domain=summary.in_domain is not None,
    )


def _target(name: str, predictor: Predictor | Panel, values: pd.Series) -> Target:
    unit = units(*(p.recipe for p in predictor.predictors)).get(name, "")
    chance = next((p.task.of(name).chance for p in predictor.predictors if name in p.targets), True)
    known = values.dropna().to_numpy(np.float64)
    spread = float(np.ptp(known)) if len(known) else 0.0
    decimals = 2 if spread == 0 else max(0, 2 - math.floor(math.log10(spread)))
    decades = any(p.task.of(name).on_logarithm for p in predictor.predictors if name in p.targets)
    return Target(name, unit, chance, decimals, decades)


def _far(result: ScreenResult) -> str:
    """Say how many of the ranked rows are guesses."""
    if result.summary.in_domain is None or result.top.empty:
        return ""
    far = int((~within(result.top, result.names, result.ranking)).sum())
    return (
        f", {far:,} of them out of the model's domain: treat those as guesses" if far else ", all in the model's domain"
    )


def _figures(result: ScreenResult, things: str) -> tuple[tuple[str, str], ...]:
    summary = result.summary
    figures = [(f"{summary.rows:,}", f"{things} read"), (f"{summary.scored:,}", "scored")]
    if summary.rejected:
        figures.append((f"{sum(summary.rejected.values()):,}", "without a score"))
    if summary.in_domain is not None:
        figures.append((f"{summary.in_domain:,}", "in the model's domain"))
    best, where = result.top, ""
    if summary.in_domain:
        best, where = best[within(best, result.names, result.ranking)], " in domain"
    if len(best):
        value = float(best[result.names[result.ranking.by]].iloc[0])
        figures.append((short(value), f"best {result.ranking.by}{where}"))
    return tuple(figures)


def _quality(predictor: Predictor | Panel) -> tuple[Quality, ...]:
    return tuple(each for p in predictor.predictors for each in quality_of(p))


def _distribution(target: Target, result: ScreenResult) -> Distribution:
    ranked = result.top[result.names[target.name]].tolist() if target.name == result.ranking.by else []
    below = len(ranked) < result.summary.statuses.get("ok", 0)  # with every row ranked there is nothing beyond the last
    cutoff = float(ranked[-1]) if ranked and below else None
    return Distribution(target.name, result.summary.histograms[target.name], target.units, cutoff)


def _ranked(result: ScreenResult, predictor: Predictor | Panel, targets: tuple[Target, ...]) -> Ranked:
    top, names = result.top, result.names
    extra = tuple(name for name in predictor.room.face.properties if name in names)
    own = _own(result, predictor)
    cells = {name: _cells(top[names[name]]) for name in names if names[name] in top and name != "input"}
    neighbours = _neighbours(result, predictor, targets)
    blank = [None] * len(top)
    inside = within(top, names, result.ranking).tolist() if flags(names, result.ranking) else blank
    apart = [cells.get(f"{t.name}_in_domain", blank) for t in targets]
    doubts = [cells.get("message", blank), [_open(text) for text in cells.get("doubt", blank)]]
    said = [_sets(t.name, predictor, cells, len(top)) for t in targets]
    intervals = [[cells[t.name], *(cells.get(f"{t.name}_{end}", blank) for end in ("lo90", "hi90"))] for t in targets]
    rows = tuple(
        Row(
            rank=cells["rank"][at],
            row=cells["row"][at],
            key=cells["standard"][at],
            text="" if ADDED in names else None,
            own=tuple(str(top[name].iloc[at]) if name else "" for name in own),
            values=tuple((value[at], low[at], high[at]) for value, low, high in intervals),
            in_domain=inside[at],
            neighbour=neighbours[at],
            extra=tuple(cells[name][at] for name in extra),
            diverse=cells["diverse"][at],
            desirability=cells.get(DESIRABILITY, blank)[at],
            sets=tuple(words[at] for words in said),
            far=tuple(own[at] is False for own in apart),
            doubt=". ".join(filter(None, (each[at] for each in doubts))),
        )
        for at in range(len(top))
    )
    return Ranked(targets, own, extra, rows, predictor.room.face.alerts)


def _open(doubt: str | None) -> str:
    """Return what a doubt says beside the message of the row: the targets that are undecided."""
    return next((part for part in (doubt or "").split("; ") if part.startswith("undecided")), "")


def _sets(column: str, predictor: Predictor | Panel, cells: Mapping[str, list[Any]], rows: int) -> list[str]:
    """Return the sets of the target that a column of numbers belongs to, in words."""
    each = (p.task.of(name) for p in predictor.predictors for name in p.targets)
    owner = next((kind for kind in each if column in kind.ranked_by), None)
    columns = sets(owner.described(cells)) if owner is not None else []
    return [", ".join(filter(None, (set_text(c, cells[c.name][at]) for c in columns))) for at in range(rows)]


def _own(result: ScreenResult, predictor: Predictor | Panel) -> tuple[str, ...]:
    """Name the user's columns, the one that names the rows first, "" where none does; the page draws the input column
    instead."""
    ours = {*result.names.values(), result.names["input"]}
    own = [name for name in result.top.columns if name not in ours]
    usual = [name for known in NAMES for name in own if name.lower() == known]
    telling = (name for name in own if name not in predictor.targets and _tells(result.top[name]))
    name = [*usual, *telling, ""][0]
    return (name, *(other for other in own if other != name))


def _tells(column: pd.Series) -> bool:
    """Tell whether no two rows have the same word."""
    words = [str(cell) for cell in column if str(cell)]
    return 0 < len(words) == len(set(words))


def _cells(column: pd.Series) -> list[Any]:
    """Return plain Python values, None where blank."""
    return [None if pd.isna(value) else value for value in column.astype(object).tolist()]


def _neighbours(
    result: ScreenResult, predictor: Predictor | Panel, targets: Sequence[Target]
) -> list[Neighbour | None]:
    """Find the nearest measured thing of each ranked row again, to draw it and to say what was measured."""
    keys = [str(key) for key in result.top[result.names["standard"]]]
    found = predictor.nearest(keys, result.top) if keys else None
    return [_neighbour(found, at, targets) if found else None for at in range(len(keys))]


def _neighbour(found: Neighbours, at: int, targets: Sequence[Target]) -> Neighbour:
    model = int(found.best[at])
    domain, near = found.domain(model), found.near[model]
    row = int(near.rows[at])
    measured = zip(*(_measured(found, at, (model, row), t.name) for t in targets), strict=True)
    return Neighbour(domain.ids[row], domain.key(row), float(near.similarity[at]), *measured)


def _measured(found: Neighbours, at: int, nearest: tuple[int, int], target: str) -> tuple[float | None, str, str, str]:
    """Return what was measured of a target nearest to a row, the sign of a bound, of what, if not of `nearest`, and
    how the data calls a class."""
    known = found.measured.get(target)
    if known is None or known.rows[at] < 0:
        return None, "", "", ""
    model, row = int(known.model[at]), int(known.rows[at])
    task, domain = found.models[model].task, found.domain(model)
    column = task.column(target)
    other = "" if (model, row) == nearest else f"{domain.ids[row]}, similarity {known.similarity[at]:.2f}"
    kind, kept = task.of(target), domain.values[row, column]
    called = kind.words[int(kept)] if kind.words else ""
    return float(kind.out_of(kept)), SIGNS[int(domain.bound[row, column])], other, called


def _run_facts(result: ScreenResult) -> dict[str, str]:
    library, ranking = result.manifest.library, result.ranking
    direction = ranking.directions.get(ranking.by)
    facts = {"library": library["name"]}
    if library["sha256"]:
        facts["library sha256"] = library["sha256"]
    facts["ranked by"] = f"{ranking.by}{', lowest first' if direction == 'min' else ', highest first'}"
    return facts


def _versions(versions: Mapping[str, str]) -> dict[str, str]:
    return {"versions": ", ".join(f"{name} {version}" for name, version in versions.items())}


def _notes(result: ScreenResult, predictor: Predictor | Panel, targets: Sequence[Target]) -> tuple[str, ...]:
    one, many = predictor.inputs.noun
    notes = [
        f"{_order(result, predictor)}; equal values keep the order of the library.",
        f"The bar is the 90 % interval, calibrated on measured {many} that the model was not trained on; "
        f"all bars of a target share one scale, and the dark tick is the measured value of the nearest {one}; "
        f"a bound (<, >) has none. The interval is a promise for {many} like the training set, and none out of domain.",
        *_set_notes(predictor, targets),
        *doubts(predictor.predictors),
    ]
    notes += _domain_notes(predictor)
    if any(refitted(p.facts) for p in predictor.predictors):
        notes.append(
            f"How good a model is was measured on {many} that it had not seen; then it was trained again on all the "
            f"measured {many}, and that model scored these."
        )
    if len(predictor.predictors) > 1:
        notes.append("Several models score a shared target together; the interval then averages theirs.")
    if result.ranking.weighed:
        scaled = "; ".join(
            f"{with_units(goal['target'], '')} {'down' if goal['direction'] == 'min' else 'up'} from "
            f"{short(goal['high' if goal['direction'] == 'min' else 'low'])} (0) to "
            f"{short(goal['low' if goal['direction'] == 'min' else 'high'])} (1), {goal['source']}"
            for goal in result.summary.goals
        )
        notes.append(
            f"Desirability is the geometric mean of each target's share of its way: {scaled} "
            "(Derringer and Suich 1980, doi:10.1080/00224065.1980.11980968)."
        )
    notes.append(f"The diverse pick is a small set of ranked {many} in domain, as different as can be from each other.")
    if predictor.room.face.alerts:
        notes.append(
            "Alerts mark substructures that often cause trouble in assays or as drugs; they are hints, not verdicts."
        )
    return tuple(notes)


def _order(result: ScreenResult, predictor: Predictor | Panel) -> str:
    """Say by what rows are ranked, and what their domain has to do with it."""
    ranking = result.ranking
    best = "lowest" if ranking.directions.get(ranking.by) == "min" else "highest"
    said = f"Rows are ranked by {ranking.by}, {best} first"
    if all(p.domain is None for p in predictor.predictors) or ranking.domain == "any":
        return said
    return f"{said}, {'those in domain before all others' if ranking.domain == 'first' else 'those in domain alone'}"


def _set_notes(predictor: Predictor | Panel, targets: Sequence[Target]) -> Iterator[str]:
    """Say what a set means, where there are some."""
    if any(target.chance for target in targets):
        many = predictor.inputs.noun.many
        yield (
            f"A 90 % set holds the right answer for at least 90 % of the {many} of each class, as far as they are like "
            "those that calibrated it. Undecided: both answers are possible; unlike either: neither is. A yes is not a "
            "yes with a probability of 90 %: the probability is the number."
        )


def _domain_notes(predictor: Predictor | Panel) -> Iterator[str]:
    """Say from where on a thing is in domain, and which models do not know their domain."""
    one, many = predictor.inputs.noun
    models = predictor.predictors
    sides = [side for p in models if p.domain is not None for side in p.domain.sides.items()]
    if sides:
        several = len(predictor.inputs.slots) > 1
        apart = [p.domain for p in models if p.domain is not None and p.domain.thresholds is not None]
        if apart:
            yield (
                "Targets that were measured on different rows have domains of their own, each with the similarity that "
                f"95 % of its training {many} reach among themselves; a row is in domain when it is so for all targets "
                "that decide its rank."
            )
        least = [f"{side.threshold:.2f}{f' ({name})' if several else ''}" for name, side in sides]
        yield (
            f"A {one} is in domain when its similarity to the nearest training {one} is at least "
            f"{' and '.join(least)}, as it is for 95 % of the training {many} among themselves."
        )
    for number, each in enumerate(models, start=1):
        if each.domain is not None:
            continue
        name = f"Model {number} ({each.recipe.run.model})" if len(models) > 1 else "The model"
        why = "was shared without" if each.facts.get("shared") else "lacks"
        rest = "those shown are of the other models" if sides else "are not known"
        yield f"{name} {why} its training {many}: nearest neighbours and domain {rest}."
