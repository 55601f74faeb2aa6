"""The page of `molgraph explain`: from what was predicted and found of each row to the words of `explain.html`."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from molgraph.data.room import Shown
from molgraph.data.table import Table
from molgraph.explain import Explainer
from molgraph.kinds.column import named, set_text, sets
from molgraph.metrics.figures import figures
from molgraph.predictor import Predictor
from molgraph.predictor.card import units
from molgraph.report import ExplainedPage, Looked
from molgraph.report.explained import checks
from molgraph.report.meaning import natural
from molgraph.report.model import model_facts
from molgraph.report.plots import short, with_units
from molgraph.report.quality import quality_of

METHODS = {
    "gradcam": "Grad-CAM weighs the network's last maps by their gradients: quick, coarse, and only what speaks for "
    "the estimate (Selvaraju 2017, doi:10.1109/ICCV.2017.74).",
    "integrated": "Integrated gradients follow the estimate from a black picture: every pixel, for and against "
    "(Sundararajan 2017, arXiv:1703.01365).",
    "occlusion": "Occlusion covers each place with mean grey and takes how far the estimate falls (Zeiler 2014, "
    "doi:10.1007/978-3-319-10590-1_53).",
}
NOTES = (
    "A map says on which places the estimate of this network depends. It proves no finding and shows none that the "
    "network overlooked; a right estimate may come from a wrong place.",
    "Colour is relative to the strongest place of the same row: it cannot be compared between rows. Left and right are "
    "those of the picture, not of the patient.",
    "The check of weights compares a map with that of the same network with random weights (Adebayo 2018, "
    "arXiv:1810.03292); from a rank correlation of 0.5 on, half way between another map and the same, it counts as the "
    "same.",
    "The check of deletion greys out places, the yellow ones first, against a random order (Petsiuk 2018, "
    "arXiv:1806.07421). Greyed pictures are like none of the training, so only the two orders can be compared.",
    "Out of domain neither the interval nor the map can be relied on.",
    "The pictures here are small, of volumes one slice; those in the folder are whole. Not for clinical use.",
)
OWN = 3  # of the user's other cells, what a line has room for


def looked(
    explainer: Explainer, table: Table, at: int, scored: pd.Series, line: Mapping[str, Any], shown: Shown
) -> Looked:
    """Return what the page says of one explained row; `scored` are its predictions, `line` its explanation."""
    own = [c for c in table.given.columns if c != table.column and str(table.frame[c].iloc[at]).strip()]
    estimate, interval = _estimate(explainer.predictor, explainer.target, scored)
    inside = scored.get("in_domain")
    return Looked(
        row=int(table.rows[at]),
        text=table.in_their_words(table.texts[at]),
        own=tuple((str(name), str(table.frame[name].iloc[at])) for name in own[:OWN]),
        explained=line["explained"],
        estimate=estimate,
        interval=interval,
        inside=None if inside is None or pd.isna(inside) else bool(inside),
        pictures=tuple(base64.b64encode(picture).decode() for picture in shown.pictures),
        where=shown.where,
        checks=checks(line),
        files=shown.files,
    )


def _estimate(predictor: Predictor, target: str, scored: pd.Series) -> tuple[str, str]:
    """Return an estimate and its interval in words."""
    kind, interval, value = predictor.task.of(target), predictor.intervals[target], scored[target]
    columns = kind.described(scored.index)
    words = [set_text(column, scored[column.name]) for column in sets(columns)]
    ends = [float(scored[each]) for each in (named(columns, "low"), named(columns, "high")) if each]
    chance = named(columns, "probability", of=str(value))
    if chance:
        said, shown = f"{value}, {short(float(scored[chance]))}", []
    else:
        number, *shown = figures(float(value), *(end for end in ends if not math.isnan(end)), zeros=True)
        unit = units(predictor.recipe).get(target, "")
        bench = "" if kind.answers else natural(float(value), target, unit)
        said = with_units(number, ", ".join(filter(None, [unit, bench])))
    within = f"90 % interval {' to '.join(shown)}" if len(shown) == 2 else ""
    return said, ", ".join(filter(None, [within, *words])) or f"no {interval.what}: {interval.reason}"


def explained_page(
    explainer: Explainer, name: str, rows: int, things: Sequence[Looked], explained: int, sentences: Sequence[str]
) -> ExplainedPage:
    """Return the contents of the page; `things` are the first of those `explained`, `sentences` say what all show."""
    predictor, noun = explainer.predictor, explainer.predictor.inputs.noun
    run = predictor.recipe.run
    below = f"; the first {len(things):,} are below" if explained > len(things) else ""
    return ExplainedPage(
        title=f"{name}: where {run.model} looked",
        lead=f"{explained:,} of {rows:,} {noun.many} explained by {explainer.method}{below}.",
        target=explainer.target,
        things=tuple(things),
        more=explained - len(things),
        noun=noun,
        figures=_passed(things),
        sentences=tuple(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences),
        quality=tuple(q for q in quality_of(predictor) if q.target == explainer.target),
        notes=(METHODS[explainer.method], *NOTES),
        facts={"data": name, "method": explainer.method, "target": explainer.target, **model_facts([predictor])},
    )


def _passed(things: Sequence[Looked]) -> tuple[tuple[str, str], ...]:
    """Count for each check the maps that pass it, of those of which it says something."""
    found: dict[str, list[bool]] = {}
    for check in (check for each in things for check in each.checks if check.good is not None):
        found.setdefault(check.name, []).append(bool(check.good))
    return tuple((f"{sum(held)} of {len(held)}", f"pass the check of {name}") for name, held in found.items())
