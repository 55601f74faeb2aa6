import dataclasses
import re

import numpy as np
import pytest

from molgraph.kinds import YesNo
from molgraph.metrics.decisions import net_benefit
from molgraph.metrics.levels import levels
from molgraph.predictor.decided import decided
from molgraph.predictor.decided import lines as lines_of
from molgraph.predictor.threshold import Threshold
from molgraph.report import plots
from molgraph.report.contents import Report
from molgraph.report.report import render
from molgraph.report.trust import trust

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 2, 60).astype(float)
ESTIMATE = np.clip(0.3 + 0.3 * TRUTH + RANDOM.normal(0, 0.2, 60), 0.01, 0.99)
PATIENT = np.arange(60) // 2


@pytest.fixture(scope="module")
def assessment():
    made = decided(
        Threshold(0.45, "Youden's J", 20), TRUTH, ESTIMATE, np.ones(60, bool), {"patient": PATIENT}, bootstrap=50
    )
    both = levels(YesNo.family, TRUTH, ESTIMATE, PATIENT, bootstrap=50)
    score = {"value": 0.8, "low": 0.7, "high": 0.9, "reason": None, "n": 50}
    none = {"value": None, "low": None, "high": None, "reason": "too few", "n": 4}
    head = {"target": "ill", "column": "age", "cut": "quartiles", "n": 50, "prevalence": 0.5, "metric": "auroc"}
    return {
        "rows": 60,
        "model": {"ill": {}, "dose": {}},
        "decisions": {"ill": made},
        "levels": {"ill": {"patient": {name: each.to_json() for name, each in both.items()}}, "dose": {}},
        "subgroups": [
            {**head, "group": "<40", "scores": {"auroc": score, "sensitivity": none}},
            {**head, "group": "60", "scores": {"auroc": score, "sensitivity": score}},
        ],
    }


def test_a_section_says_threshold_levels_and_subgroups(assessment):
    (section,) = trust(assessment)  # nothing is known of the dose
    assert section.target == "ill" and section.where == "60 rows" and section.threshold == 0.45
    assert section.sentences[0].startswith("Threshold 0.45 (Youden's J, 20 validation rows): sensitivity 0.")
    assert any("by patient" in sentence for sentence in section.sentences)
    assert section.labels == ("AUROC", "sensitivity") and [g.name for g in section.groups] == ["<40", "60"]
    assert section.groups[0].column == "age (quartiles)" and section.groups[0].scores[1].reason == "too few"
    assert len(section.curve) == 99


def test_rows_of_the_training_are_left_aside(assessment):
    fresh = {"rows": 12, "decisions": {}, "levels": {}}
    (section,) = trust({**assessment, "unseen": fresh})
    assert section.where == "12 rows not trained on" and section.sentences == () and section.curve == ()


def test_an_older_assessment_has_no_section():
    assert trust({"rows": 9, "model": {"ill": {}}}) == ()


def test_the_page_has_the_curve_and_the_table(assessment):
    page = render(Report("Check", "", trust=trust(assessment)), lambda key: "")
    assert 'class="band"' in page and "chosen: 0.450" in page
    assert "&lt;40" in page and "<td>too few</td>" in page and "0.800 (0.700 to 0.900)" in page


def test_a_number_has_no_prevalence_and_is_not_acted_on(assessment):
    lines = [{**line, "prevalence": None} for line in assessment["subgroups"]]
    said = "ill is learnt on log10, and so are its scores and widths; in the units of the file: model: rmse 2 (1 to 3)"
    natural = {"ill": {"model": {"rmse": {"value": 2.0, "low": 1.0, "high": 3.0, "reason": None}}}}
    plain = {"rows": 60, "model": {"ill": {}}, "subgroups": lines, "natural": natural}
    assert lines_of(plain, "ill") == [said]
    (section,) = trust(plain)
    assert section.sentences == (), "it stands beside the scores"
    page = render(Report("Check", "", trust=(section,)), lambda key: "")
    assert "How good it is for whom" in page and "acting" not in page and "prevalence" not in page


def test_the_curve_of_acting_on_all_ends_where_it_costs(assessment):
    (section,) = trust(assessment)
    drawn = str(plots.decision(section))
    every, model = (re.findall(rf'points="([^"]*)" class="curve {kind}"', drawn)[0] for kind in ("outside", "best"))
    share = TRUTH.mean()
    top = max(h for *_, h, _ in section.curve)
    kept = [at for at, *_, each in section.curve if each >= -0.15 * max(top, share)]
    assert len(every.split()) == len(kept) < 99 == len(model.split())
    curve = net_benefit(TRUTH, ESTIMATE, bootstrap=0)
    bare = dataclasses.replace(
        section, threshold=None, curve=tuple((a, m, None, None, e) for a, m, _, _, e in section.curve)
    )
    assert curve.model == pytest.approx([m for _, m, *_ in section.curve], abs=1e-6)
    assert "chosen" not in str(plots.decision(bare)) and 'points="" class="band"' in str(plots.decision(bare))
