"""From the finished cells of the ADMET group to scores beside the board's, aims reached, and the table in README.md."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from cells import TOGETHER, TUNED, digest
from endpoints import ENDPOINTS, kind, metric, rows
from ledger import Cell, Ledger
from numpy.typing import NDArray
from table import replace_block

from molgraph.errors import DataError
from molgraph.kinds import NAMED
from molgraph.metrics import score
from molgraph.metrics.scores import METRICS

SEEDS = range(5)
REFUSED = 0.01  # the greatest share of test rows that one contestant may refuse where others read them
DRAWS = 500
ENSEMBLE, TUNED_ENSEMBLE, ALL = "ensemble", "tuned ensemble", " of all seeds"
PARTS = {ENSEMBLE: ("graph", "forest"), TUNED_ENSEMBLE: ("tuned", "forest")}
MEANS = {f"{each}{ALL}": each for each in PARTS}
SHIPPED = "admet"  # what `ship.py` says of the same rows
MODELS = ("graph", "forest", "tuned", *PARTS, *MEANS, "multi", SHIPPED)
FRONT = {
    ENSEMBLE: "default",
    TUNED_ENSEMBLE: "tuned",
    f"{TUNED_ENSEMBLE}{ALL}": "tuned, ten models",
    SHIPPED: "`admet`",
}
BOARD = {"chemprop_rdkit": "Chemprop-RDKit", "chemprop": "Chemprop", "attentivefp": "AttentiveFP"}
Floats = NDArray[np.float64]
Found = dict[str, dict[str, dict[str, Any]]]  # by endpoint and contestant: what `scored` says


def write(ledger: Ledger, page: Path, front: Path) -> None:
    """Score what is finished and write the tables into the page of the benchmarks, the short one into the front."""
    found = finished(ledger)
    replace_block(page, "admet", tables(ledger, found))
    replace_block(front, "admet", short(found))


def finished(ledger: Ledger) -> Found:
    """Return the scores of every endpoint that has a finished cell."""
    found = {name: scored(ledger, name) for name in ENDPOINTS}
    return {name: scores for name, scores in found.items() if scores}


def short(found: Found) -> str:
    """Return the table of the front page: official test rows, and what our models and the board's make of them."""
    lines = [
        f"| | rows | {' | '.join(FRONT.values())} | Chemprop-RDKit | best audited |",
        "|---" * (4 + len(FRONT)) + "|",
    ]
    for name, scores in found.items():
        endpoint, theirs = ENDPOINTS[name], board()[name]
        head = ", ".join(filter(None, (endpoint.title, METRICS[metric(name)].label, endpoint.unit)))
        cells = [f"{scores[each]['mean']:.3f}" if each in scores else "" for each in FRONT]
        if TUNED_ENSEMBLE in scores:
            low, high = (scores[TUNED_ENSEMBLE][end] for end in ("low", "high"))
            cells[list(FRONT).index(TUNED_ENSEMBLE)] += f" ({low:.3f} to {high:.3f})"
        cells.append(f"{theirs['chemprop_rdkit']:.3f}" if "chemprop_rdkit" in theirs else "")
        cells.append(f"{theirs['audited']['score']:.3f}")
        official, tested = int((rows(name)["split"] == "test").sum()), max(each["rows"] for each in scores.values())
        counted = f"{tested:,}" if tested == official else f"{tested:,} of {official:,}"
        lines.append(f"| {head} | {counted} | {' | '.join(cells)} |")
    return "\n".join(lines)


def tables(ledger: Ledger, found: Found) -> str:
    """Return the scores, the board beside them, and what of the aims is reached, as Markdown."""
    if not found:
        return "No endpoint is finished yet."
    parts = [_ours(found), _beside(found), "\n".join([*_aims(found), *_together(found)]), _left_out(ledger, found)]
    return "\n\n".join(parts)


def estimates(ledger: Ledger, name: str, model: str) -> dict[int, tuple[NDArray[np.int64], Floats]]:
    """Return by seed the test rows of an endpoint, as positions in its file, and what a contestant says of them.

    Raises: DataError where a tuned network was trained with other settings than `tuned.toml` has now.
    """
    if model in PARTS:
        both = [estimates(ledger, name, part) for part in PARTS[model]]
        return {s: (both[0][s][0], (both[0][s][1] + both[1][s][1]) / 2) for s in both[0] if s in both[1]}
    if model in MEANS:
        each = estimates(ledger, name, MEANS[model])
        if not all(seed in each for seed in SEEDS):
            return {}
        return {0: (each[0][0], np.mean([each[seed][1] for seed in SEEDS], axis=0))}
    data = TOGETHER if model in ("multi", SHIPPED) else name
    start = sum(len(rows(other)) for other in list(ENDPOINTS)[: list(ENDPOINTS).index(name)]) if data == TOGETHER else 0
    made: dict[int, tuple[NDArray[np.int64], Floats]] = {}
    for seed in SEEDS:
        if ledger.has(Cell(data, model, seed)):
            entry = ledger.read(Cell(data, model, seed))
            if model == "tuned" and entry.made["settings"] != digest(model):
                path = ledger.path(Cell(name, model, seed))
                raise DataError(f"{path}: trained with other settings than {TUNED.name} has; delete it, fill it again")
            at = np.array(entry.rows) - 1 - start
            mine = (at >= 0) & (at < len(rows(name)))
            if mine.any():  # a model of some endpoints, made to try it, says nothing of the others
                made[seed] = at[mine], np.array(entry.estimates, dtype=np.float64)[mine, 0]
    return made


def scored(ledger: Ledger, name: str) -> dict[str, dict[str, Any]]:
    """Return for each contestant with a finished seed `{mean, sd, low, high, seeds, rows}` by the board's metric.

    All are scored on the same rows: the official test rows as they stand, but for the few that one of them refuses to
    read. The interval is that of these rows, drawn for all seeds together; the deviation is between seeds.

    Raises: DataError where a contestant was asked about other rows than the others.
    """
    truth, asked = rows(name)[ENDPOINTS[name].column].to_numpy(np.float64), metric(name)
    found: dict[str, dict[str, Any]] = {}
    each_model = {model: made for model in MODELS if (made := list(estimates(ledger, name, model).values()))}
    common = shared(name, {model: [at for at, _ in made] for model, made in each_model.items()})
    for model, made in each_model.items():
        several = np.stack([told[np.isin(at, common)] for at, told in made], axis=1)
        measured = np.repeat(truth[common, None], len(made), axis=1)
        whole = score(NAMED[kind(name)].family, measured, several, metrics=[asked], bootstrap=DRAWS)[asked]
        each = [_plain(name, measured[:, at], several[:, at]) for at in range(len(made))]
        sd = float(np.std(each, ddof=1)) if len(each) > 1 else None
        found[model] = {"mean": whole.value, "sd": sd, "low": whole.low, "high": whole.high, "seeds": len(each)}
        found[model]["rows"] = len(common)
    return found


def shared(name: str, asked: dict[str, list[NDArray[np.int64]]]) -> NDArray[np.int64]:
    """Return the test rows that all contestants read, as positions in the file.

    Raises: DataError where one of them lacks more than it can have refused to read: it was asked about other rows.
    """
    every = {at for several in asked.values() for rows_ in several for at in rows_.tolist()}
    for model, several in asked.items():
        if any(len(every) - len(rows_) > REFUSED * len(every) for rows_ in several):
            raise DataError(f"{name}: {model} was asked about other test rows than the others; fill its cells again")
    common = every.intersection(*(rows_.tolist() for several in asked.values() for rows_ in several))
    return np.array(sorted(common), dtype=np.int64)


def _plain(name: str, truth: Floats, estimate: Floats) -> float:
    value = score(NAMED[kind(name)].family, truth, estimate, metrics=[metric(name)], bootstrap=0)[metric(name)].value
    return float("nan") if value is None else value


def better(name: str, one: float, other: float) -> bool:
    """Tell whether a score is at least as good as another."""
    return one >= other if METRICS[metric(name)].higher_is_better else one <= other


@cache
def board() -> dict[str, dict[str, Any]]:
    """Return the board's figures by endpoint."""
    return tomllib.loads((Path(__file__).with_name("board.toml")).read_text(encoding="utf-8"))


def _ours(found: Found) -> str:
    models = [model for model in MODELS if any(model in scores for scores in found.values())]
    lines = [f"| endpoint | metric | {' | '.join(models)} |", "|---" * (2 + len(models)) + "|"]
    for name, scores in found.items():
        known = METRICS[metric(name)]
        asked = f"{known.label} ({'higher' if known.higher_is_better else 'lower'} is better)"
        lines.append(f"| {name} | {asked} | {' | '.join(_cell(scores.get(model)) for model in models)} |")
    return "\n".join(lines)


def _cell(found: dict[str, Any] | None) -> str:
    if found is None or found["mean"] is None:
        return ""
    sd = "" if found["sd"] is None else f" ± {found['sd']:.3f}"
    few = f", {found['seeds']} seeds" if 1 < found["seeds"] < len(SEEDS) else ""
    return f"{found['mean']:.3f}{sd} ({found['low']:.3f} to {found['high']:.3f}{few})"


def _beside(found: Found) -> str:
    head = ["endpoint", *PARTS, "best on the board", "best audited", *BOARD.values(), "aim"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, scores in found.items():
        theirs, aim = board()[name], ENDPOINTS[name].aim
        named = [f"{theirs[key]['score']:.3f} {theirs[key]['by']}".strip() for key in ("best", "audited")]
        others = [f"{theirs[key]:.3f}" if key in theirs else "" for key in BOARD]
        mine = [f"{scores[each]['mean']:.3f}" if each in scores else "" for each in PARTS]
        lines.append(f"| {' | '.join([name, *mine, *named, *others, '' if aim is None else f'{aim:.2f}'])} |")
    return "\n".join(lines)


def _aims(found: Found) -> list[str]:
    aimed = [name for name, endpoint in ENDPOINTS.items() if endpoint.aim is not None]
    lines = []
    for model in (*PARTS, *MEANS):
        there = [name for name in aimed if model in found.get(name, {})]
        if there:
            hit = [n for n in there if better(n, found[n][model]["mean"], float(ENDPOINTS[n].aim or 0))]
            missed, open_ = [n for n in there if n not in hit], [n for n in aimed if n not in there]
            words = [("reached", hit), ("missed", missed), ("not finished", open_)]
            lines.append(
                f"- Aims, {model}: " + "; ".join(f"{word} {', '.join(n) or 'none'}" for word, n in words) + "."
            )
    return lines


def _together(found: Found) -> list[str]:
    there = [name for name, scores in found.items() if "multi" in scores and "graph" in scores]
    if not there:
        return []
    won = [name for name in there if better(name, found[name]["multi"]["mean"], found[name]["graph"]["mean"])]
    return [f"- One network for all endpoints is at least as good as one for each on {len(won)} of {len(there)}."]


def _left_out(ledger: Ledger, found: Found) -> str:
    """Say which molecules left the training, and which test rows could not be read."""
    said: list[str] = []
    for name in (*found, TOGETHER):
        first = next((c for c in ledger.finished() if c.data == name), None)
        if first is None:
            continue
        entry = ledger.read(first)
        names: Sequence[str] = list(ENDPOINTS) if name == TOGETHER else [name]
        unread = sum(int((rows(each)["split"] == "test").sum()) for each in names) - len(entry.rows)
        unscored = f", {unread} test rows cannot be read" if unread else ""
        said.append(f"{name}: {entry.split.partition('; ')[2]}{unscored}")
    return "Leaks. " + "; ".join(said) + "."
