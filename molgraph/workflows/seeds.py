"""The same training from several seeds: a model folder for each, and what the seeds make of the scores together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from molgraph import registry
from molgraph.config import RunSettings
from molgraph.data.files import alone, atomic
from molgraph.errors import ConfigError
from molgraph.metrics.figures import figure, figures
from molgraph.predictor import Predictor, load
from molgraph.predictor.card import labels, tested, units
from molgraph.predictor.checkpoint import unfinished
from molgraph.predictor.training import Training
from molgraph.workflows.plan import Plan, plan
from molgraph.workflows.show import say
from molgraph.workflows.train import train_folder

PAGE, FIGURES = "seeds.md", "seeds.json"


class Seed(NamedTuple):
    """Hold the model of a seed, and the records that tested it."""

    seed: int
    predictor: Predictor
    tested: tuple[int, ...]

    @property
    def judged(self) -> dict[str, Any]:
        return self.predictor.recipe.metrics


@dataclass(frozen=True)
class Spread:
    """Hold a score from each of several seeds (None: it has none there), by the names of model and method to beat."""

    values: Mapping[str, Sequence[float | None]]

    def to_json(self) -> dict[str, Any]:
        """Return mean, standard deviation (of a sample: n - 1) and all values, as JSON values."""
        return {name: {**dict(zip(("mean", "sd"), _mean(each), strict=True)), "each": list(each)}
                for name, each in self.values.items()}  # fmt: skip

    def text(self, name: str) -> str:
        """Write "0.62, sd 0.03 (0.60, 0.61, 0.66)"."""
        values = self.values[name]
        known, (mean, spread) = [value for value in values if value is not None], _mean(values)
        if mean is None:
            return "none"
        first, *each = figures(mean, *known)
        rest = iter(each)
        every = ", ".join("none" if value is None else next(rest) for value in values)
        return f"{first}, sd {'none' if spread is None else figure(spread, 2)} ({every})"


def _mean(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    mean = float(np.mean(known)) if known else None
    return mean, float(np.std(known, ddof=1)) if len(known) > 1 else None


def train_seeds(
    run: RunSettings,
    out: Path | None,
    *,
    dry_run: bool = False,
    overwrite: bool = False,
    tensorboard: bool = False,
    source: Any = None,
) -> list[Predictor]:
    """Train once from each of `seeds` into `seed-S/`, as `seed = S` alone would, and write what they make together.

    A seed that is finished is kept, one that was stopped goes on.

    Raises: as `train_folder`; ConfigError for seeds that are none, and where a folder holds another model.
    """
    _check(run)
    each = {seed: replace(run, seed=seed, seeds=[]) for seed in run.seeds}
    if dry_run or out is None:
        train_folder(next(iter(each.values())), None, dry_run=True, source=source)
        return []
    found: list[Seed] = []
    with alone(out):
        for seed, one in each.items():
            folder, planned = out / f"seed-{seed}", plan(one, source, workers=0)
            kept = None if overwrite else _finished(planned, folder)
            say(f"\nseed {seed}" + (" is finished" if kept else ""))
            made = kept or train_folder(one, folder, overwrite=overwrite, tensorboard=tensorboard, planned=planned)
            assert made is not None  # only a dry run returns nothing
            found.append(Seed(seed, made, tuple(planned.rows.data.rows[planned.split.test].tolist())))
        _write(out, found)
    return [each.predictor for each in found]


def _check(run: RunSettings) -> None:
    if len(set(run.seeds)) < len(run.seeds) or len(run.seeds) < 2 or min(run.seeds) < 0:
        raise ConfigError(f"seeds = {run.seeds}: give at least two different ones, from 0 on, as 0,1,2.")
    if registry.model(run.model).opener != registry.PREDICTOR:
        raise ConfigError(f"seeds = {run.seeds}: '{run.model}' trains from one seed a command; give it as --seed.")


def _finished(made: Plan, folder: Path) -> Predictor | None:
    """Return the model that a folder holds, None where its training has not come to its end.

    Raises: ConfigError where it was trained by other settings or on other data.
    """
    if not (folder / "recipe.json").exists() or unfinished(folder):
        return None
    kept = load([folder])
    digest = Training(made.run, made.task, made.rows.data, made.split, None, made.start).digest
    if not isinstance(kept, Predictor) or kept.facts.get("digest") != digest:
        raise ConfigError(
            f"{folder}: holds a model of other settings or other data. Use another --out, or --overwrite to start anew."
        )
    return kept


def spreads(found: Sequence[Seed]) -> dict[str, dict[str, Spread]]:
    """Return the scores of the model and of the method named first beside it, by target and metric."""
    rival, made = found[0].judged["comparator_name"], dict[str, dict[str, Spread]]()
    for target, metrics in found[0].judged["model"].items():
        made[target] = {}
        for metric in metrics:
            others = [each.judged["others"].get(rival, {}).get(target, {}).get(metric, {}) for each in found]
            values = {"model": [each.judged["model"][target][metric]["value"] for each in found]}
            values[rival] = [each.get("value") for each in others]
            made[target][metric] = Spread(values)
    return made


def sentence(found: Sequence[Seed]) -> str:
    """Say what the seeds have in common, and so what their spread is of."""
    split = found[0].predictor.facts["split"]
    if len({each.tested for each in found}) > 1:
        return (
            f"Each seed draws its own split ({split}) and is tested by other rows: the spread is of these and of what "
            "training draws, together."
        )
    return (
        f"The same rows test every seed (split {split}): the spread is of what training draws and not of which rows "
        "test, of which the interval of each model's own scores is."
    )


def _write(out: Path, found: Sequence[Seed]) -> None:
    """Write `seeds.json` and `seeds.md`, and say the same."""
    made, said, seeds = spreads(found), sentence(found), [each.seed for each in found]
    scores = {target: {name: spread.to_json() for name, spread in each.items()} for target, each in made.items()}
    with atomic(out / FIGURES) as file:
        file.write(json.dumps({"seeds": seeds, "split": said, "scores": scores}, indent=1, ensure_ascii=False).encode())
    with atomic(out / PAGE) as file:
        file.write("\n".join(_page(found, made)).encode())
    for line in (*_shown(found, made), f"  {said}"):
        say(line)
    folders = " ".join(str(out / f"seed-{seed}") for seed in seeds)
    say(f"\nscores of all seeds: {out / PAGE}; as one model, their mean: --model {folders}")


def _shown(found: Sequence[Seed], made: Mapping[str, Mapping[str, Spread]]) -> Iterator[str]:
    rival = found[0].judged["comparator_name"]
    for target, each in made.items():
        yield f"\n{target}: mean over {len(found)} seeds, standard deviation (sd), and each seed"
        yield f"  {'':20}{'model':46}  {rival}"
        for metric, label in _labels(found, target).items():
            yield f"  {label:20}{each[metric].text('model'):46}  {each[metric].text(rival)}"


def _labels(found: Sequence[Seed], target: str) -> dict[str, str]:
    judged = found[0].judged
    return labels(judged["model"][target], judged["shown"][target])


def _page(found: Sequence[Seed], made: Mapping[str, Mapping[str, Spread]]) -> Iterator[str]:
    first, rival = found[0], found[0].judged["comparator_name"]
    yield f"# {', '.join(made)} by {first.predictor.recipe.run.model}, seeds {', '.join(str(s.seed) for s in found)}"
    for target, each in made.items():
        unit = units(first.predictor.recipe).get(target)
        yield from (
            "",
            f"## {target}{f' ({unit})' if unit else ''}, {tested(first.judged['model'][target])} test rows",
            "",
        )
        yield from (f"| metric | model: mean, standard deviation (each seed) | {rival} |", "|---|---|---|")
        for metric, label in _labels(found, target).items():
            yield f"| {label} | {each[metric].text('model')} | {each[metric].text(rival)} |"
    yield from ("", sentence(found), "", "The model of each seed, with its own card, stands in `seed-S`.", "")
