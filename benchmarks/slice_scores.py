"""Scores of slices beside those of patients, and the tables of them in README.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from table import replace_block

from molgraph.errors import DataError
from molgraph.kinds import YesNo
from molgraph.metrics import score

METRICS = ("auroc", "accuracy")
HEAD = (
    *("cohort", "network", "split", "AUROC of slices", "AUROC of patients"),
    *("accuracy of slices", "accuracy of patients", "gap (AUROC)"),
)
DATE = len("-2026-11-24.json")  # what ends the name of a file of results


def levels(
    truth: NDArray[Any], estimate: NDArray[np.float64], patient: NDArray[Any], at: NDArray[np.int64]
) -> dict[str, Any]:
    """Score the slices `at` by their estimates, their patients by the mean; `gap` is what slices promise more."""
    names, of = np.unique(patient[at], return_inverse=True)
    positive = [float(truth[patient == name].any()) for name in names]  # also by slices that are not asked here
    mean = np.bincount(of, estimate) / np.bincount(of)
    slices = score(YesNo.family, truth[at], estimate, metrics=METRICS, groups=of)
    patients = score(YesNo.family, positive, mean, metrics=METRICS)
    ends = {name: (slices[name].value, patients[name].value) for name in METRICS}
    gap = {name: None if one is None or other is None else one - other for name, (one, other) in ends.items()}
    return {
        "slices": {name: made.to_json() for name, made in slices.items()},
        "patients": {name: made.to_json() for name, made in patients.items()},
        "gap": gap,
    }


def table(cohorts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the scores of cohorts as Markdown, with who was left out."""
    lines = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    for cohort, found in cohorts.items():
        networks = {name: splits for name, splits in found.items() if isinstance(splits, dict)}
        for network, splits in networks.items():
            made = {split: scores for split, scores in splits.items() if isinstance(scores, dict)}
            lines += [f"| {' | '.join([cohort, network, split, *_cells(scores)])} |" for split, scores in made.items()]
    return "\n".join([*lines, *filter(None, map(_left_out, cohorts, cohorts.values()))])


def _cells(made: Mapping[str, Any]) -> list[str]:
    gap = made["gap"]["auroc"]
    scores = [_cell(made[level][metric]) for metric in METRICS for level in ("slices", "patients")]
    return [*scores, "none" if gap is None else f"{gap:+.3f}"]


def _cell(made: Mapping[str, Any]) -> str:
    if made["value"] is None:
        return f"none ({made['reason']})"
    return f"{made['value']:.3f}" + (f" ({made['low']:.3f} to {made['high']:.3f})" if made["low"] is not None else "")


def _left_out(cohort: str, found: Mapping[str, Any]) -> str:
    """Say who was left out of a cohort, by name; "" where nobody was (or nobody asked, in results of before)."""
    rejects = found.get("rejects", [])
    named = [f"{each['patient'] or 'nobody'} ({each['reason']})" for each in rejects]
    more = f" and {len(named) - 8} more" if len(named) > 8 else ""
    return f"\n{cohort}: {len(named)} left out: {', '.join(named[:8])}{more}." if named else ""


def write(results: Path, readme: Path) -> None:
    """Write the tables of the newest results of each name into the page.

    Raises: DataError where there is none, or one is damaged.
    """
    newest = {file.name[:-DATE]: file for file in sorted(results.glob("slices-*.json"), key=lambda f: f.name[-DATE:])}
    if not newest:
        raise DataError(f"{results}: holds no slices-*.json; run the benchmark before.")
    replace_block(readme, "slices", "\n\n".join(_section(file) for _, file in sorted(newest.items())))


def _section(file: Path) -> str:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        about, cohorts = found["about"], found["cohorts"]
        sizes = [f"{name} {c['slices']} of {c['patients']} ({c['positive']:.1%} yes)" for name, c in cohorts.items()]
        made = f"{about['date']}, {about['size']} pixels, {about['epochs']} epochs"
        return f"**{file.name[len('slices-') : -DATE]}** ({made}). Slices of patients: {'; '.join(sizes)}.\n\n" + table(
            cohorts
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file}: is no result of this benchmark ({error!r}).") from error
