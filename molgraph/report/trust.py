"""What acting on a model brings and for whom, from an assessment to the sections of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from molgraph.metrics import METRICS
from molgraph.predictor.card import bounded, natural_units, tested
from molgraph.predictor.decided import lines
from molgraph.report.contents import Estimate, Group, Trust


def trust(assessment: Mapping[str, Any]) -> tuple[Trust, ...]:
    """Return one section per target of which `predictor.assess` found decisions, levels or subgroups."""
    judged = assessment.get("unseen", assessment)  # on rows of the training a model looks better than it is
    apart = " not trained on" if "unseen" in assessment else ""
    found = (_of_target(judged, assessment.get("subgroups", ()), target, apart) for target in assessment["model"])
    return tuple(each for each in found if each.sentences or each.groups)


def _of_target(judged: Mapping[str, Any], groups: Sequence[Mapping[str, Any]], target: str, apart: str) -> Trust:
    scores = judged.get("model", {}).get(target)  # none where an earlier version judged
    rows = tested(scores) if scores else judged["rows"]
    decision = judged.get("decisions", {}).get(target) or {}
    curve = decision.get("net_benefit")
    mine = [line for line in groups if line["target"] == target]
    said = [line for line in lines(judged, target) if line != natural_units(judged, target)]  # stands beside the scores
    return Trust(
        target,
        f"{rows:,} rows{apart}",
        tuple(f"{line[0].upper()}{line[1:]}." for line in said),
        tuple(zip(*(curve[name] for name in COLUMNS), strict=True)) if curve else (),
        decision["threshold"]["value"] if decision else None,
        tuple(METRICS[name].label if name in METRICS else name for name in mine[0]["scores"]) if mine else (),
        tuple(map(_group, mine)),
        bool(scores) and bounded(scores),
    )


COLUMNS = ("thresholds", "model", "low", "high", "every")


def _group(line: Mapping[str, Any]) -> Group:
    scores = (Estimate(s["value"], s["low"], s["high"], s["reason"] or "") for s in line["scores"].values())
    column = f"{line['column']} (quartiles)" if line["cut"] == "quartiles" else line["column"]
    return Group(column, line["group"], line["n"], line["prevalence"], tuple(scores))
