"""From the folds of a comparison to the contents of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from molgraph import split as splits
from molgraph.kinds import NAMED
from molgraph.metrics import METRICS
from molgraph.metrics.repeated import NORMAL, TESTS
from molgraph.metrics.scores import IN_UNITS
from molgraph.predictor.inputs import of_pairs, slots
from molgraph.report.compared import Compared, ComparisonPage
from molgraph.report.plots import with_units
from molgraph.workflows.natural import unit_of_errors

if TYPE_CHECKING:
    from molgraph.workflows.compare_result import Comparison

SHARED = (
    "Folds of a repeated cross-validation share training rows, so their scores are not independent, and a test that "
    "takes them for independent finds differences where there are none."
)
CORRECTED = {
    "tukey": "Intervals and p values are corrected for that (Nadeau and Bengio 2003: variance times 1/n + test rows / "
    "training rows). Cohen's d counts a difference in its standard deviations over folds, pooled over all pairs.",
    "wilcoxon": "The p values and intervals of Wilcoxon's test are not corrected for that. A median difference is that "
    "of Hodges and Lehmann; the share of folds won is that on which the first of a pair is better.",
}


def comparison_page(found: Comparison) -> ComparisonPage:
    """Return the page of a comparison."""
    made, request = found.made, found.request
    return ComparisonPage(
        title=f"{len(found.runs)} models on {', '.join(made.rows.kinds)}",
        lead=f"{made.rows.origin}: {request.repeats} times {request.folds} folds by {made.run.split}, alike for all.",
        figures=(
            (f"{len(made.rows.data):,}", f"rows, each tested {_when(made.run.split)}"),
            (str(len(found.cells)), "trainings"),
        ),
        targets=tuple(_compared(found, target) for target in found.rankings),
        notes=(*_notes(found), *found.notes),
        facts={
            "data": made.rows.origin,
            "rows read": f"{made.rows.read:,}",
            "rows used": f"{len(made.rows.data):,}",
            "split": made.run.split,
            "test": request.test,
            "seed": str(made.run.seed),
            "hours": f"{sum(cell.seconds for cell in found.cells.values()) / 3600:.2f}",
        },
    )


def _when(split: str) -> str:
    cold = splits.named(split)[0].method == splits.COLD_ALL
    return "where all its inputs are new" if cold else "once in every repeat"


def _compared(found: Comparison, target: str) -> Compared:
    ranking, run = found.rankings[target], found.made.run
    unit = unit_of_errors(found.made, [target])
    family = NAMED[found.made.rows.kinds[target]].family
    columns = dict.fromkeys((ranking.metric, *family.shown(of_pairs(slots(run)), first=run.metrics)))
    return Compared(
        target,
        ranking,
        {name: _values(found, target, ranking.metric, name) for name in ranking.names},
        {
            with_units(METRICS[metric].label, unit if metric in IN_UNITS else ""): tuple(
                _values(found, target, metric, name) for name in ranking.names
            )
            for metric in columns
        },
        unit,
    )


def _values(found: Comparison, target: str, metric: str, name: str) -> tuple[float, ...]:
    """Return a model's scores of the folds that are ranked and have one."""
    values = (found.value(folds, target, metric, name) for folds in found.counted[target])
    return tuple(value for value in values if value is not None)


def _notes(found: Comparison) -> list[str]:
    request = found.request
    notes = [
        f"{TESTS[request.test]}. Models whose difference has p of 0.05 or more are called statistically tied: "
        "that is not proof that they are equal, only that these rows cannot tell them apart.",
        f"{SHARED} {CORRECTED[request.test]}",
        "The protocol follows Ash et al. 2025 (doi 10.1021/acs.jcim.5c01609), who do not correct; whether a difference "
        "matters in practice is for the reader to say: see its interval.",
    ]
    for target, ranking in found.rankings.items():
        if ranking.normal is not None and ranking.normal < NORMAL and request.test == "tukey":
            notes.append(
                f"{target}: the scores are not normally distributed (Shapiro-Wilk p {ranking.normal:.1g}); "
                "see whether --test wilcoxon agrees."
            )
    return notes
