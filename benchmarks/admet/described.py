"""What goes beside the model that ships, for a person: its card, and whose data it was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from endpoints import ENDPOINTS, kind
from ledger import Ledger
from outside import table
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors

from molgraph import datasets
from molgraph.kinds import YesNo
from molgraph.metrics.coverage import too_few
from molgraph.predictor import Predictor
from molgraph.predictor.card import card
from molgraph.predictor.simple import CONSTANT, EQUATION

LIMITS = """## Limits

- The test rows have scaffolds of their own, but they come out of the same sets as the training rows. What another
  laboratory measures with another protocol or another threshold is another question: see "Other laboratories" above.
- Outside the domain of an endpoint (`T_in_domain` is false) its interval or set promises nothing. Nearest are the
  training molecules only: the official test molecules did not train, so they are no neighbours.
- The official test molecules did calibrate its intervals and sets: `evaluate` on them finds those better than they are.
  What is said above of their coverage was measured crosswise, each half by the other.
- "yes" and "no" of `T_set90` are the labels that calibration did not rule out; "undecided" is no half-way value. An
  endpoint whose sets are mostly undecided is to be ranked by, not decided by.
- The labels are those of the sets, with their thresholds and their mistakes: repeated measurements of one molecule
  disagree in several of them.
- A column that is "not better" above than the nearest measured molecule, the simplest guess or the equation is to be
  left alone: use what it is not better than.
- For ranking and for asking which experiment to do first. Not for clinical use.
"""
WORTH = """A probability is that of the training set's labels, whose share of positives stands beside it: where your
molecules are positive more rarely, it is too high. The width of an interval stands beside the range that holds the
middle 90 % of the training values: an interval as wide as that says nothing. How often 90 % intervals and sets hold
was measured on the test rows, each half of them calibrated by the other half and the rest.
"""
ELSEWHERE = """Molecules that are in none of the twelve sets, on which nothing was tuned, chosen or calibrated. Where
another laboratory draws the line elsewhere, the order of the estimates survives better than their level: the
probabilities are too high or too low as a whole, and sets hold less often than they say.
"""
METALS = frozenset(
    "Li Be Na Mg Al K Ca Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge Zr Nb Mo Pd Ag Cd In Sn Sb Te Hf W Re Pt Au Hg Pb Bi".split()  # noqa: SIM905
)


def described(predictor: Predictor, names: Sequence[str], ledger: Ledger) -> str:
    """Return the card: facts and scores as of any model, then what its answers are worth and where they are not."""
    parts = ["\n".join(worth(predictor, names)), "\n".join(unchecked(predictor)), "\n".join(sources(names)), LIMITS]
    beyond = table(ledger)
    if beyond:
        parts.insert(1, f"## Other laboratories\n\n{ELSEWHERE}\n{beyond}")
    return "\n\n".join([card(predictor.recipe).rstrip(), *parts])


def worth(predictor: Predictor, names: Sequence[str]) -> Iterator[str]:
    """Yield a table of what trained and what calibrated each endpoint, and what its answers are worth."""
    assert predictor.domain is not None
    yield "## What trained it, and what its answers are worth"
    yield f"\n{WORTH}"
    yield (
        "| column | trained on | calibrated on | what 90 % says | beside the nearest measured molecule "
        "| the simplest guess | an equation of descriptors |"
    )
    yield "|---" * 7 + "|"
    metrics = predictor.recipe.metrics
    verdicts, simplest = metrics["verdicts"], metrics["simple"]["verdicts"]
    for name in names:
        column = ENDPOINTS[name].column
        values = predictor.domain.values[:, predictor.targets.index(column)]
        values = values[~np.isnan(values)]
        of_kind = _of_class if kind(name) == YesNo.word else _of_number
        trained, calibrated, says = of_kind(predictor, column, values)
        (verdict,) = verdicts[column].values()
        plain = " | ".join(simplest[column][each]["verdict"] for each in (CONSTANT, EQUATION))
        yield f"| {column} | {trained} | {calibrated} | {says} | {verdict['verdict']} | {plain} |"


def _of_class(predictor: Predictor, column: str, values: Any) -> tuple[str, str, str]:
    interval, covered = predictor.intervals[column], predictor.recipe.metrics["coverage"][column]
    calibrated = f"{interval.counts[1]:,} positive, {interval.counts[0]:,} negative"
    decided = covered["decided"] or 0.0
    says = f"decides {round(100 * decided)} % of the test rows"
    if decided < 0.5:
        says += ": too few to decide by"
    return f"{len(values):,} molecules, {round(100 * values.mean())} % positive", calibrated, says


def _of_number(predictor: Predictor, column: str, values: Any) -> tuple[str, str, str]:
    interval = predictor.intervals[column]
    width, (low, high) = 2 * (interval.limits[0] or 0.0), np.round(np.quantile(values, [0.05, 0.95]), 1) + 0.0
    share = width / (high - low)
    says = f"an interval of {width:.1f} log units, {round(100 * share)} % of the range" + (
        ": that says little" if share > 0.5 else ""
    )
    covered = predictor.recipe.metrics["coverage"][column]
    if too_few(covered):
        says += f"; holds {round(100 * covered['value'])} %: too narrow"
    return f"{len(values):,} molecules, {low:.1f} to {high:.1f}", f"{interval.n:,}", says


def unchecked(predictor: Predictor) -> Iterator[str]:
    """Yield what the model was not checked on, with how many such molecules trained it."""
    assert predictor.domain is not None
    (side,) = predictor.domain.sides.values()
    with rdBase.BlockLogs():
        molecules = [Chem.MolFromSmiles(key) for key in side.keys]
    ring = Chem.MolFromSmarts("[r12,r13,r14,r15,r16,r17,r18,r19,r20,r21,r22,r23,r24]")
    amide = Chem.MolFromSmarts("[NX3][CX4][CX3](=O)[NX3][CX4][CX3](=O)[NX3,OX2]")
    kinds = {
        "metals (salts of one, complexes, organometallics)": lambda m: any(
            a.GetSymbol() in METALS for a in m.GetAtoms()
        ),
        "macrocycles (a ring of 12 atoms or more)": lambda m: m.HasSubstructMatch(ring),
        "peptides (two amide bonds between amino acids or more)": lambda m: m.HasSubstructMatch(amide),
        "molecules above 700 g/mol": lambda m: Descriptors.MolWt(m) > 700,
    }
    yield "## What it was not checked on"
    yield ""
    yield f"Of {len(molecules):,} training molecules, few are:\n"
    for what, belongs in kinds.items():
        yield f"- {what}: {sum(map(belongs, molecules)):,}"
    yield (
        "\nSalts and mixtures: the parent is scored, whatever form is taken. Other laboratories' "
        "half-lives, bioavailabilities, Caco-2 rates, Ames tests, logD and CYP assays: no independent set was at hand."
    )


def sources(names: Sequence[str]) -> list[str]:
    """Return what each column means, where its data come from and under which licence, as Markdown."""
    lines = ["## Columns and data", "", "| column | what it is | task | data | rows | licence | source |"]
    lines.append("|---" * 7 + "|")
    for name in names:
        found = datasets.card(name)
        cells = (ENDPOINTS[name].column, ENDPOINTS[name].meaning, kind(name), name, found.rows, found.licence)
        lines.append(f"| {' | '.join(map(str, cells))} | {found.citation} |")
    return lines


def attribution(names: Sequence[str]) -> str:
    """Return whose data ship inside the model.

    Raises: ValueError where a licence does not let them be given on.
    """
    closed = [name for name in names if not datasets.card(name).licence.startswith("CC BY 4.0")]
    if closed:
        raise ValueError(f"the licence of {', '.join(closed)} does not allow that their rows ship")
    return "\n".join([ATTRIBUTION, *sources(names), ""])


ATTRIBUTION = """# Attribution

`domain.npz` holds training molecules of the model `admet` (standardised SMILES, fingerprints) and what was measured of
them, adapted from the data sets below as Therapeutics Data Commons (TDC, Huang et al. 2021,
doi:10.48550/arXiv.2102.09548) gives them on under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/). Changed:
molecules were standardised, measurements of one molecule merged (mean, or majority of labels), half-lives taken as
their decadic logarithm, molecules that the benchmark group tests left out. The terms of the original sources, cited in
each line, remain. Nobody named here endorses molgraph.
"""
