#!/usr/bin/env python
"""Ask the model that ships about molecules that other laboratories measured, and that are in none of the twelve sets.

    python benchmarks/admet/outside.py     judge it, keep the figures in results/admet/outside.json, write the table

The sets are found through the variable MOLGRAPH_DATA. Nobody tuned, chose or calibrated anything on them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from endpoints import ENDPOINTS, rows

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

from ledger import Ledger  # noqa: E402
from table import replace_block  # noqa: E402

from molgraph.data.files import atomic  # noqa: E402
from molgraph.kinds import Number, YesNo  # noqa: E402
from molgraph.metrics import score  # noqa: E402
from molgraph.predictor import Predictor, Scorer  # noqa: E402

FEWEST = 20  # rows of which a score says anything


@dataclass(frozen=True)
class Outside:
    """Name a set of another laboratory, and the column of predictions that is asked; `says` is what it measured.

    `same`: it is the same question. Else only the order of the estimates is judged.
    """

    at: str
    column: str
    says: str
    smiles: str = "Drug"
    value: str = "Y"
    same: bool = True


SETS = (
    Outside("tdc_admet_more/herg_karim.csv.gz", "hERG_p", "hERG block of half or more at 10 uM (Karim et al. 2021)"),
    Outside("molecules/bbbp.csv", "BBB_p", "brain penetration (MoleculeNet's BBBP)", "smiles", "p_np"),
    Outside("molecules/esol_delaney.csv", "Solubility_log_mol_L", "log solubility (Delaney 2004)", "smiles", "logp"),
    Outside("tdc_admet_more/pampa_ncats.csv.gz", "Caco2_log_cm_s", "PAMPA, permeable or not (NCATS)", same=False),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge, keep the figures and write the table."""
    folder = HERE.parent / "results" / "admet"
    predictor = Predictor.load("admet")
    known = set(identities(predictor, pd.concat([rows(name) for name in ENDPOINTS])["smiles"].tolist()))
    found = [judged(predictor, each, known) for each in SETS]
    with atomic(folder / "outside.json") as file:
        file.write((json.dumps(found, indent=1) + "\n").encode())
    replace_block(HERE.parent / "README.md", "admet-outside", table(Ledger(folder)))
    return 0


def identities(predictor: Scorer, smiles: list[str]) -> list[str]:
    """Return what each molecule is, "" where it cannot be read."""
    (table,) = predictor.read(smiles, block=len(smiles))
    keys = predictor.inputs.prepare(table).keys()
    said = dict(zip(filter(None, keys), predictor.room.likeness.identity([key for key in keys if key]), strict=True))
    return [said.get(key, "") for key in keys]


def judged(predictor: Scorer, asked: Outside, known: set[str]) -> dict[str, Any]:
    """Return the figures of one set: of all molecules, of those in the domain of the endpoint and of those outside."""
    frame = pd.read_csv(Path(os.environ["MOLGRAPH_DATA"]) / asked.at)
    frame = frame.assign(thing=identities(predictor, frame[asked.smiles].tolist()))
    new = frame[(frame["thing"] != "") & ~frame["thing"].isin(known)]
    new = new.groupby("thing").filter(lambda same: same[asked.value].nunique() == 1).drop_duplicates("thing")
    found: dict[str, Any] = {"set": asked.says, "column": asked.column, "rows": len(frame), "new": len(new)}
    if len(new) < FEWEST:
        return found
    said = predictor.predict(new[[asked.smiles]].reset_index(drop=True))
    truth, inside = new[asked.value].to_numpy(np.float64), said[f"{asked.column}_in_domain"].to_numpy(bool)
    for name, some in (("all", np.ones(len(new), bool)), ("inside", inside), ("outside", ~inside)):
        if some.sum() >= FEWEST:
            found[name] = figures(asked, said[some].reset_index(drop=True), truth[some])
    return found


def figures(asked: Outside, said: pd.DataFrame, truth: np.ndarray) -> dict[str, Any]:
    """Return scores and coverage of one column over some rows."""
    mine, column = said[asked.column].to_numpy(np.float64), asked.column
    found: dict[str, Any] = {"n": len(truth)}
    if column.endswith("_p") or not asked.same:
        area = score(YesNo.family, truth, mine, metrics=["auroc"], bootstrap=500)["auroc"]
        found |= {"positive": float(truth.mean()), "auroc": [area.value, area.low, area.high]}
    if not asked.same:
        return found
    if column.endswith("_p"):
        sets = said[f"{column}_set90"].to_numpy(object)
        hit = np.where(truth == 1, np.isin(sets, ("yes", "undecided")), np.isin(sets, ("no", "undecided")))
        found |= {"mean": float(mine.mean()), "decided": float(np.isin(sets, ("yes", "no")).mean())}
        found["covered"] = {str(label): float(hit[truth == label].mean()) for label in (0, 1)}
        return found
    low, high = (said[f"{column}_{end}90"].to_numpy(np.float64) for end in ("lo", "hi"))
    r2 = score(Number.family, truth, mine, metrics=["r2"], bootstrap=500)["r2"]
    found |= {"mae": float(np.abs(mine - truth).mean()), "bias": float((mine - truth).mean())}
    found |= {"r2": [r2.value, r2.low, r2.high], "width": float((high - low).mean())}
    return found | {"covered": float(((low <= truth) & (truth <= high)).mean())}


def table(ledger: Ledger) -> str:
    """Return the figures as Markdown, "" where there are none."""
    path = ledger.folder / "outside.json"
    if not path.exists():
        return ""
    lines = ["| measured elsewhere | column | molecules | how well | level | what 90 % covers |", "|---" * 6 + "|"]
    for each in json.loads(path.read_text(encoding="utf-8")):
        if "all" not in each:
            lines.append(
                f"| {each['set']} | {each['column']} | {each['new']} of {each['rows']:,} are new | too few | | |"
            )
        for name, title in (("all", ""), ("inside", "... in the domain"), ("outside", "... outside of it")):
            if name in each:
                head = title or each["set"]
                column = each["column"] if not title else ""
                lines.append(f"| {head} | {column} | {each[name]['n']:,} | {' | '.join(_words(each[name]))} |")
    return "\n".join(lines)


def _words(found: dict[str, Any]) -> tuple[str, str, str]:
    """Say how well it ranks or fits, how far off it is as a whole, and how often its sets or intervals hold."""
    if "r2" in found:
        value, low, high = found["r2"]
        held = f"{round(100 * found['covered'])} %, intervals of {found['width']:.1f}"
        return f"R2 {value:.2f} ({low:.2f} to {high:.2f})", f"bias {found['bias']:+.2f}, MAE {found['mae']:.2f}", held
    value, low, high = found["auroc"]
    ranks, share = f"AUROC {value:.3f} ({low:.3f} to {high:.3f})", f"{round(100 * found['positive'])} % positive"
    if "mean" not in found:
        return ranks, share, "another question: the order alone is judged"
    covered = (
        f"{round(100 * found['covered']['1'])} % of positives, {round(100 * found['covered']['0'])} % of negatives"
    )
    return (
        ranks,
        f"mean probability {found['mean']:.2f}, {share}",
        f"{covered}; decides {round(100 * found['decided'])} %",
    )


if __name__ == "__main__":
    sys.exit(main())
