"""The endpoints of TDC's ADMET group: their rows with the official folds, alone and together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
import torch

from molgraph import config, datasets
from molgraph import split as splits
from molgraph.config import RunSettings, Value
from molgraph.data.dataset import Dataset
from molgraph.split import IDENTITY, Split
from molgraph.workflows.plan import Plan, grouping, plan


@dataclass(frozen=True)
class Endpoint:
    """Describe one endpoint: how a column of predictions is called, what it means, how a table calls it, and what the
    issue aims at.

    `log`: trained as the decadic logarithm. Metric, kind and licence stand in the card of the data set.
    """

    column: str
    meaning: str
    title: str
    unit: str = ""
    aim: float | None = None
    log: bool = False


ENDPOINTS = {  # small ones first
    "hia_hou": Endpoint("HIA_p", "probability of absorption in the human intestine", "HIA"),
    "bioavailability_ma": Endpoint(
        "Bioavailability_p", "probability of an oral bioavailability of 20 % or more", "bioavailability"
    ),
    "herg": Endpoint("hERG_p", "probability of blocking the hERG channel", "hERG", aim=0.86),
    "half_life_obach": Endpoint(
        "Half_life_log_h",
        "log10 of the half-life in humans after intravenous dosing, in hours",
        "half-life",
        aim=0.50,
        log=True,
    ),
    "caco2_wang": Endpoint(
        "Caco2_log_cm_s", "log10 of the permeability of Caco-2 cells, in cm/s", "Caco2", "log10(cm/s)", aim=0.29
    ),
    "pgp_broccatelli": Endpoint("Pgp_p", "probability of inhibiting P-glycoprotein", "Pgp"),
    "bbb_martins": Endpoint("BBB_p", "probability of passing the blood-brain barrier", "BBB", aim=0.90),
    "lipophilicity_astrazeneca": Endpoint(
        "LogD_7_4", "log10 of the octanol/water distribution at pH 7.4", "Lipophilicity", "log units", aim=0.50
    ),
    "ames": Endpoint("Ames_p", "probability of being mutagenic in the Ames test", "AMES", aim=0.86),
    "solubility_aqsoldb": Endpoint(
        "Solubility_log_mol_L", "log10 of the solubility in water, in mol/L", "AqSolDB", "log10(mol/L)", aim=0.78
    ),
    "cyp2c9_veith": Endpoint("CYP2C9_p", "probability of inhibiting CYP2C9", "CYP2C9", aim=0.78),
    "cyp2d6_veith": Endpoint("CYP2D6_p", "probability of inhibiting CYP2D6", "CYP2D6", aim=0.72),
}
# One network for all of them, chosen by the loss on validation rows of a draw that no cell uses (seed 7, 18 epochs):
# with RDKit descriptors 0.401, without 0.368; and with dropout in the head 0.377, everywhere 0.360 in twice the time.
MULTI: dict[str, Value] = {"model": "molecule/dmpnn", "train": {"epochs": 30, "batch_size": 128, "device": "cpu"}}
SHARES = (0.875, 0.125, 0.0)  # of train_val: what trains and what stops the training, as TDC's benchmark group draws it


def metric(name: str) -> str:
    """Return the metric by which the board ranks an endpoint."""
    return str(datasets.card(name).metric)


def kind(name: str) -> str:
    """Return the kind of an endpoint's task."""
    return str(datasets.card(name).targets[0].kind)


@cache
def rows(name: str) -> pd.DataFrame:
    """Return the rows of an endpoint: `id`, `smiles`, `split`, and the value in the column of its predictions."""
    frame, endpoint = datasets.load(name), ENDPOINTS[name]
    values = frame["Y"].astype(float)
    return pd.DataFrame(
        {
            "id": [called(str(text)) for text in frame["id"]] if "id" in frame else "",
            "smiles": frame["smiles"],
            "split": frame["split"],
            endpoint.column: np.log10(values) if endpoint.log else values,
        }
    )


def called(text: str) -> str:
    """Return what a person calls a molecule of TDC: names as they are, numbers as PubChem's.

    >>> called("Acitretin.mol"), called("6603725.0"), called("CHEMBL405")
    ('Acitretin', 'CID 6603725', 'CHEMBL405')
    """
    plain = text.removesuffix(".mol").strip()
    return f"CID {plain.removesuffix('.0')}" if plain.removesuffix(".0").isdigit() else plain


def run_of(names: Sequence[str], model: dict[str, Value]) -> RunSettings:
    """Return the run of a model on some endpoints: the official test rows, no comparator.

    What leaks is dropped by `planned`. The guard would also refuse descriptors that order all training rows as a class
    does, and a small set has such: no molecule of HIA with a quaternary nitrogen is absorbed.
    """
    kinds = {ENDPOINTS[name].column: kind(name) for name in names}
    given = {"targets": list(kinds), "task": kinds, "split": "column:split", "comparator": "none", "leaks": "report"}
    return config.settings({**given, **model})


def planned(names: Sequence[str], runs: Sequence[RunSettings]) -> Plan:
    """Read the rows with the features of all runs.

    Training rows that are the same molecule as a test row (InChIKey of the standardised parent, of any of the
    endpoints) leave the training: the plan's leaks count them. Rows of one molecule in one fold are merged: the mean
    of its numbers, the majority of its labels.
    """
    made = plan(runs[0], pd.concat([rows(name) for name in names], ignore_index=True), also=runs[1:])
    known = made.rows.data
    cut = splits.drop(made.split, splits.check(made.split, known.groups[IDENTITY]))
    return replace(made, split=cut, rows=replace(made.rows, data=weighted(known)))


def drawn(made: Plan, seed: int) -> Split:
    """Return the folds of a seed: of train_val, whole scaffolds in an order drawn by it; half of what does not train
    stops the training, half calibrates.

    See: Huang et al. 2021, doi 10.48550/arXiv.2102.09548 (five such draws, one for each run)
    """
    cut = made.split
    rest = np.sort(np.concatenate([cut.train, cut.valid, cut.calibration]))
    groups = grouping(made)[rest]
    found = splits.split(len(rest), method="group_random", groups=groups, fractions=SHARES, seed=seed)
    return Split(rest[found.train], rest[found.valid], rest[found.calibration], cut.test)


def weighted(data: Dataset) -> Dataset:
    """Weigh each value by the number of its endpoint's to the power of -1/2, 1 in the mean: 13,000 values of one would
    drown 600 of another.

    See: square root sampling of tasks, Stickland & Murray 2019, doi 10.48550/arXiv.1902.02671 (section 4.1)
    """
    observed = data.targets.observed
    each = observed.sum(dim=0).clamp(min=1).double().rsqrt()
    mean = (each * observed).sum() / observed.sum()
    weight = (each / mean).to(torch.float32).expand(observed.shape).clone()
    return replace(data, targets=replace(data.targets, weight=weight))
