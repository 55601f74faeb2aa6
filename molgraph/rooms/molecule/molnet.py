"""The one door to DeepChem, both ways: its datasets in, our tables and models out, its splitters by name."""

from __future__ import annotations

import logging
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol
from urllib.error import URLError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.dataset import ABSENT, Dataset
from molgraph.data.shelf import cache_folder
from molgraph.data.table import Table
from molgraph.data.targets import EXACT
from molgraph.errors import ConfigError, DataError, ResourceError, did_you_mean

PREFIX = "deepchem:"
SPLITTERS = (
    "ButinaSplitter",
    "FingerprintSplitter",
    "IndexSplitter",
    "MaxMinSplitter",
    "MolecularWeightSplitter",
    "RandomSplitter",
    "ScaffoldSplitter",
)
# Our names for the sets, where DeepChem has another (deepchem.molnet.load_*).
LOADERS = {
    "bace": "bace_classification",
    "esol": "delaney",
    "freesolv": "sampl",
    "lipophilicity": "lipo",
}
WEIGHT = "_weight"

Rows = NDArray[np.int64]


class Scorer(Protocol):
    """Score the rows of a table: what a model must do to be offered to DeepChem."""

    @property
    def targets(self) -> tuple[str, ...]: ...

    def score(self, table: Table) -> Any: ...


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what DeepChem and RDKit say about things that are not the user's business, and keep their dice.

    DeepChem reports every optional library it misses, seeds the global generators and calls RDKit functions
    that print a deprecation for each molecule.
    """
    from rdkit import rdBase

    logger = logging.getLogger("deepchem")
    level, dice, numbers = logger.level, random.getstate(), np.random.get_state()
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), rdBase.BlockLogs():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        random.setstate(dice)
        np.random.set_state(numbers)


@cache
def _deepchem() -> Any:
    """Import DeepChem, which takes about 10 s.

    Raises: ConfigError where it is not installed.
    """
    try:
        with _quiet():
            import deepchem
    except ImportError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise ConfigError(
            f"DeepChem cannot be imported ({error}). It is installed with molgraph on Python 3.11 (this is {version}): "
            "use that, or do without its splitters, loaders and models."
        ) from error
    return deepchem


def from_deepchem(
    dataset: Any, *, tasks: Sequence[str] = (), transformers: Sequence[Any] = (), column: str = "smiles"
) -> pd.DataFrame:
    """Return a DeepChem dataset as a table: its ids in `column`, then one column per task.

    What has weight 0 was not measured and is NaN. Where other weights than 0 and 1 occur they follow as
    `<task>_weight`. `transformers` are those the dataset has been through (DeepChem's loaders return them) and
    are undone, so that values are in their own unit; `tasks` names the columns of a dataset that has no names.

    Raises: DataError where the ids are no texts or the names do not fit the values.
    """
    ids = list(dataset.ids)
    if not all(isinstance(text, str) for text in ids):
        raise DataError("the ids of the DeepChem dataset are no SMILES: load it with ids, or put the SMILES there.")
    with _quiet():
        values = np.asarray(_deepchem().trans.undo_transforms(dataset.y, list(transformers)), dtype=float)
    values = values.reshape(len(ids), -1)
    weights = np.broadcast_to(np.asarray(dataset.w, dtype=float).reshape(len(ids), -1), values.shape)
    names = list(tasks) or [n if isinstance(n, str) else f"task_{n}" for n in dataset.get_task_names()]
    if len(names) != values.shape[1]:
        raise DataError(f"{len(names)} task names for {values.shape[1]} columns of values in the DeepChem dataset.")
    table = {column: ids} | dict(zip(names, np.where(weights == 0, np.nan, values).T, strict=True))
    if not np.isin(weights, (0, 1)).all():
        table |= {name + WEIGHT: weight for name, weight in zip(names, weights.T, strict=True)}
    return pd.DataFrame(table)


def to_deepchem(
    data: pd.DataFrame | Dataset, targets: Sequence[str] = (), *, column: str = "smiles", featurizer: Any = None
) -> Any:
    """Return a table, or a dataset with one input, as a DeepChem NumpyDataset; not measured is weight 0.

    The ids are the SMILES and so is X, unless a DeepChem `featurizer` makes something else of them. DeepChem
    knows no bounds: a censored value (`>10`) of a dataset has weight 0 there. `<target>_weight` columns, as
    `from_deepchem` makes them, are used.

    Raises: DataError for a column that is missing, a cell that is no number or a molecule that the featurizer
    refuses, with its row.
    """
    smiles, values, weights = _of_dataset(data) if isinstance(data, Dataset) else _of_frame(data, targets, column)
    observed = ~np.isnan(values) & (weights != 0)
    with _quiet():
        dc = _deepchem()
        features: Any = np.array(smiles, dtype=object)
        if featurizer is not None:
            features = featurizer.featurize(smiles)
            for row, made in enumerate(features, start=1):
                if np.size(made) == 0:
                    raise DataError(f"row {row}: DeepChem's {type(featurizer).__name__} refuses '{smiles[row - 1]}'.")
        return dc.data.NumpyDataset(
            features, np.where(observed, values, 0.0), np.where(observed, weights, 0.0), np.array(smiles, dtype=object)
        )


def _of_frame(
    frame: pd.DataFrame, targets: Sequence[str], column: str
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return the SMILES, values [N, T] with NaN for blank, and weights [N, T] of a table."""
    for name in (column, *targets):
        if name not in frame:
            raise DataError(f"the table has no column '{name}'{did_you_mean(name, map(str, frame.columns))}")
    values = np.full((len(frame), len(targets)), np.nan)
    weights = np.ones_like(values)
    for at, name in enumerate(targets):
        values[:, at] = _numbers(frame[name])
        if name + WEIGHT in frame:
            weights[:, at] = _numbers(frame[name + WEIGHT])
    return [str(text) for text in frame[column]], values, weights


def _numbers(cells: pd.Series[Any]) -> NDArray[np.float64]:
    """Return cells as numbers, NaN for blank."""
    found = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
    blank = cells.isna().to_numpy() | (cells.astype(str).str.strip() == "").to_numpy()
    if len(wrong := np.flatnonzero(np.isnan(found) & ~blank)):
        raise DataError(f"row {wrong[0] + 1}: '{cells.iloc[wrong[0]]}' in column '{cells.name}' is no number.")
    return found


def _of_dataset(data: Dataset) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return the SMILES, values [N, T] with NaN for what is not measured exactly, and weights [N, T] of a dataset."""
    if len(data.inputs) != 1:
        raise DataError(f"DeepChem takes one input, this dataset has {', '.join(data.inputs)}.")
    (given,) = data.inputs.values()
    if rows := data.rows[(given.index == ABSENT).cpu().numpy()].tolist():
        raise DataError(f"row {rows[0]}: there is no molecule.")
    targets = data.targets.to("cpu")
    exact = targets.observed & (targets.bound == EXACT)
    values = np.where(exact.numpy(), targets.values.numpy(), np.nan)
    return [given.key_of(row) for row in range(len(data))], values, targets.weight.numpy().astype(float)


def as_deepchem_model(predictor: Scorer) -> Any:
    """Return a DeepChem model that gives our predictor's numbers, so that DeepChem's metrics can judge it.

    It reads the SMILES from the ids of a dataset, whatever X holds. `predict` gives one row per row and one
    column per target, NaN where a row cannot be scored; it is trained already, so `fit` refuses.
    """
    with _quiet():
        dc = _deepchem()

    class Molgraph(dc.models.Model):  # type: ignore[misc, name-defined]
        """Offer a molgraph predictor as a DeepChem model."""

        def predict(self, dataset: Any, transformers: Sequence[Any] = ()) -> NDArray[np.float64]:
            # Our numbers are in the unit of the data: there is nothing to undo, whatever the dataset went through.
            return self.predict_on_batch(dataset.ids)

        def predict_on_batch(self, X: Any) -> NDArray[np.float64]:
            frame = pd.DataFrame({"smiles": [str(text) for text in X]}, dtype=object)
            table = Table(frame, "smiles", np.arange(1, len(frame) + 1), {}, "the DeepChem dataset")
            scored = predictor.score(table).frame
            return np.asarray(scored[list(predictor.targets)].to_numpy(dtype=float))

        def fit(self, dataset: Any) -> None:
            raise ConfigError("this model is trained already: train with molgraph.train, then offer it to DeepChem.")

        def get_num_tasks(self) -> int:
            return len(predictor.targets)

    return Molgraph(predictor)


def load(name: str) -> pd.DataFrame:
    """Return a MoleculeNet set as DeepChem's own loader reads it, downloaded into our cache where it is not there.

    Names are ours (`esol`) or DeepChem's (`delaney`). Sets that have a card are loaded faster and without
    DeepChem by `molgraph.datasets.load`.

    Raises: ConfigError for an unknown name; ResourceError where the download fails.
    """
    with _quiet():
        dc = _deepchem()
        known = {loader.removeprefix("load_") for loader in dir(dc.molnet) if loader.startswith("load_")}
        if (loader := LOADERS.get(name, name)) not in known:
            raise ConfigError(f"unknown MoleculeNet set '{name}'{did_you_mean(name, known | LOADERS.keys())}")
        folder = cache_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tasks, (dataset,), transformers = getattr(dc.molnet, f"load_{loader}")(
                featurizer=dc.feat.DummyFeaturizer(),
                splitter=None,
                transformers=[],
                reload=False,
                data_dir=str(folder),
                save_dir=str(folder),
            )
        except (URLError, OSError) as error:
            raise ResourceError(
                f"DeepChem cannot load '{name}' ({error}): check the connection, or put its file into {folder}."
            ) from error
        return from_deepchem(dataset, tasks=tasks, transformers=transformers)


def splitter(name: str) -> Callable[[Sequence[str], Sequence[float], int], tuple[Rows, Rows, Rows]]:
    """Return a DeepChem splitter as a function `(smiles, fractions, seed) -> (train, valid, test)` of row numbers.

    The name is DeepChem's, with or without `deepchem:` before it.

    Raises: ConfigError for an unknown name; the function raises DataError for an invalid SMILES (DeepChem would
    drop it or stop) and ConfigError for fractions that are not three and do not add up to 1.
    """
    plain = name.removeprefix(PREFIX)
    if plain not in SPLITTERS:
        raise ConfigError(f"unknown DeepChem splitter '{plain}'{did_you_mean(plain, SPLITTERS)}")

    def split(
        smiles: Sequence[str], fractions: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0
    ) -> tuple[Rows, Rows, Rows]:
        if len(fractions) != 3 or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
            raise ConfigError(f"fractions must be three that add up to 1 (train, valid, test), not {tuple(fractions)}")
        _check(smiles)
        train, valid, test = fractions
        with _quiet():
            data = to_deepchem(pd.DataFrame({"smiles": list(smiles)}))
            made = getattr(_deepchem().splits, plain)()
            parts = made.split(data, frac_train=train, frac_valid=valid, frac_test=test, seed=seed)
        rows = tuple(np.sort(np.asarray(part, dtype=np.int64)) for part in parts)
        if sorted(np.concatenate(rows).tolist()) != list(range(len(smiles))):
            raise DataError(f"DeepChem's {plain} lost or repeated rows of {len(smiles)}: use another splitter.")
        return rows[0], rows[1], rows[2]

    return split


def _check(smiles: Sequence[str]) -> None:
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        for row, text in enumerate(smiles, start=1):
            if not text or Chem.MolFromSmiles(text) is None:
                raise DataError(f"row {row}: '{text}' is no valid SMILES; DeepChem cannot split it.")
