"""Explain the predictions of a file: where the model looked, over each scan, and whether that can be believed."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from molgraph.data.files import atomic, os_errors
from molgraph.data.interrupts import rearm
from molgraph.data.room import Shown
from molgraph.data.stream import STDIN, name_of
from molgraph.data.table import MEMORY, Table, nonempty
from molgraph.data.write import open_writer
from molgraph.errors import ConfigError, DataError, Reject, did_you_mean
from molgraph.explain import Explainer
from molgraph.predictor import Predictor
from molgraph.predictor.scored import beside
from molgraph.report import Looked, write_explained_page
from molgraph.report.explained import MOST, PAGE
from molgraph.workflows import show
from molgraph.workflows.explain_page import explained_page, looked

ROWS, MAPS, CHECKS = "explained.csv", "attributions.npz", "checks.json"
TOP = 10
LEFT = "only the first {} rows are explained; ask for more with --top"
BLANK = {  # what stands beside each prediction
    "explained": "",
    "method": "",
    "file": "",
    "correlation_with_random_weights": np.nan,
    "deletion": np.nan,
    "deletion_in_random_order": np.nan,
    "pointing": np.nan,
    "mask_share": np.nan,
}


@dataclass(frozen=True)
class Explained:
    """Hold what was done: rows read, rows explained, and the means of the checks (None where there is none)."""

    rows: int
    explained: int
    checks: dict[str, float | None]
    pictures: tuple[Path, ...]


def explain_file(
    source: Any,
    model: str | Path,
    out: Path,
    *,
    column: str | None = None,
    target: str | None = None,
    method: str = "gradcam",
    top: int = TOP,
    mask: str | None = None,
) -> Explained:
    """Explain the first `top` rows of a file that can be predicted; write a line for every row.

    Written are an overlay for each explained row, of volumes also the attributions in the scan's own space,
    `explained.csv`, `attributions.npz` (as the model saw the scans), `checks.json` and the page
    `explain.html`. `mask` names a column of masks to score where the model looked.

    Raises: ConfigError where the model cannot be explained or a setting means nothing; DataError for a missing column.
    """
    if top < 1:
        raise ConfigError(f"--top {top}: give 1 or more.")
    explainer = Explainer(Predictor.load(model), target, method)
    with os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    is_path = isinstance(source, str | os.PathLike)
    name = name_of(source) if is_path else MEMORY
    folder = Path(source).parent if is_path and str(source) != STDIN else Path()
    desk = _Desk(explainer, out, top, mask, folder)
    tables = nonempty(explainer.predictor.read(source, column), name)
    with open_writer(out / ROWS) as writer, tqdm(unit=" rows", desc="explaining", ascii=True, delay=show.DELAY) as bar:
        for table in tables:
            writer.write(desk.take(table, bar))
    return desk.finish(name)


class _Desk:
    """Take in tables, explain their first rows and remember what was found."""

    def __init__(self, explainer: Explainer, out: Path, top: int, mask: str | None, folder: Path) -> None:
        self.explainer, self.out, self.top, self.mask, self.folder = explainer, out, top, mask, folder
        self.rows = 0
        self.lines: list[dict[str, Any]] = []
        self.maps: dict[str, Any] = {}
        self.looked: list[Looked] = []

    def take(self, table: Table, bar: Any) -> pd.DataFrame:
        """Return a block's rows with their predictions and explanations beside them."""
        if self.mask and self.mask not in table.frame:
            raise DataError(f"{table.origin}: no column '{self.mask}'{did_you_mean(self.mask, table.frame.columns)}")
        ready = self.explainer.predictor.inputs.prepare(table)
        scored = self.explainer.predictor.score(table, ready)
        things, index = ready.things()
        lines = []
        for at, thing in enumerate(index.tolist()):
            line: dict[str, Any] = dict(BLANK)
            if thing >= 0 and len(self.lines) >= self.top:
                scored.frame.loc[at, "message"] = LEFT.format(self.top)
            elif thing >= 0:
                found = self._line(things, thing, scored.keys[at], int(table.rows[at]), self._mask(table, at))
                if isinstance(found, Reject):
                    scored.frame.loc[at, ["status", "message"]] = [found.reason, found.message]
                else:
                    line, shown = found
                    self.lines.append(line)
                    if len(self.looked) < MOST:
                        self.looked.append(looked(self.explainer, table, at, scored.frame.iloc[at], line, shown))
                bar.update()
                rearm()
            lines.append(line)
        self.rows += len(table)
        ours = pd.concat([scored.frame, pd.DataFrame(lines, columns=list(BLANK))], axis="columns")
        return beside(dataclasses.replace(table, frame=table.given), dataclasses.replace(scored, frame=ours))

    def _mask(self, table: Table, at: int) -> str:
        """Return the paths of a row's masks, which count from the table's folder."""
        cell = str(table.frame[self.mask].iloc[at]).strip() if self.mask else ""
        return ";".join(str((self.folder / name.strip()).resolve()) for name in cell.split(";") if name.strip())

    def _line(self, things: Any, thing: int, key: str, row: int, mask: str) -> tuple[dict[str, Any], Shown] | Reject:
        """Explain one row, write what shows it and return its line and that."""
        explainer = self.explainer
        found = explainer.explain(things, thing)
        shown = explainer.show(key, explainer.feature, found.maps, self.out / f"row-{row}", mask)
        if isinstance(shown, Reject):
            return shown
        self.maps[f"row_{row}"] = found.maps
        line = {
            "explained": f"{explainer.target}={found.answer}" if found.answer else explainer.target,
            "method": explainer.method,
            "file": ";".join(shown.files),
            "correlation_with_random_weights": found.checks.correlation,
            "deletion": found.checks.deletion,
            "deletion_in_random_order": found.checks.shuffled,
            "pointing": shown.pointing,
            "mask_share": shown.share if shown.pointing == shown.pointing else np.nan,  # of masks that mark something
        }
        return line, shown

    def finish(self, name: str) -> Explained:
        """Write the maps and the means of the checks, and say what was found."""
        with atomic(self.out / MAPS) as file:
            np.savez_compressed(file, allow_pickle=False, **self.maps)
        numbers = [key for key, blank in BLANK.items() if blank != ""]
        means = {key: _mean([line[key] for line in self.lines]) for key in numbers}
        told = {"rows": self.rows, "explained": len(self.lines), "method": self.explainer.method}
        with atomic(self.out / CHECKS, "w") as file:
            file.write(json.dumps({**told, "target": self.explainer.target, "means": means}, indent=1))
        show.say(f"{name}: {len(self.lines)} of {self.rows} rows explained, written to {self.out}")
        said = [*sentences(means), *self._of_whole()]
        for sentence in said:
            show.say(f"  {sentence}")
        page = explained_page(self.explainer, Path(name).name, self.rows, self.looked, len(self.lines), said)
        write_explained_page(self.out / PAGE, page)
        show.say(f"open {self.out / PAGE}")
        files = [file for line in self.lines for file in line["file"].split(";") if file.endswith(".png")]
        return Explained(self.rows, len(self.lines), means, tuple(self.out / file for file in files))

    def _of_whole(self) -> list[str]:
        """Say how much of the estimate the networks are that are explained, where other members answer too."""
        share, name = self.explainer.share, self.explainer.predictor.recipe.run.model
        if share > 1 - 1e-9:
            return []
        return [f"of '{name}' the network alone looks anywhere and is explained; it weighs {share:.2f} in the estimate"]


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if value == value]  # NaN differs from itself
    return float(np.mean(known)) if known else None


def sentences(means: dict[str, float | None]) -> list[str]:
    """Say what the checks mean."""
    said = []
    random = means["correlation_with_random_weights"]
    if random is not None:
        said.append(f"rank correlation with the map of random weights: {random:.2f} (near 0: it shows what was learnt)")
    gone, order = means["deletion"], means["deletion_in_random_order"]
    if gone is not None and order is not None:
        less = "falls faster" if gone < order else "does not fall faster: the map did not find what counts"
        said.append(f"mean estimate while pixels go: {gone:.3g}, in random order {order:.3g} (it {less})")
    hit, share = means["pointing"], means["mask_share"]
    if hit is not None and share is not None:
        said.append(f"the highest point lies in the mask in {hit:.0%} of the rows; the masks fill {share:.2%}")
    return said
