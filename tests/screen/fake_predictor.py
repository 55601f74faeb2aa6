"""A predictor with a room that needs no chemistry and no torch: the worker processes of the tests load it by name."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from molgraph.data.endable import step
from molgraph.data.table import Table

DIES, SLOW, MEMORY = "die-here", 0.02, "too-much"
HANGS, BREAKS = "hangs", "breaks"


def read(source: Any, column: str | None = None, *, block: int = 4096) -> Iterator[Table]:
    frame = source if isinstance(source, pd.DataFrame) else None
    chunks = (
        (frame[i : i + block] for i in range(0, len(frame), block))
        if frame is not None
        else pd.read_csv(source, dtype=str, keep_default_na=False, chunksize=block)
    )
    start = 1
    for chunk in chunks:
        yield Table(
            chunk.reset_index(drop=True), column or "smiles", np.arange(start, start + len(chunk)), {}, str(source)
        )
        start += len(chunk)


def columns_of(keys: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {"weight": [float(len(k)) for k in keys], "alerts": ["long" if len(k) > 8 else "" for k in keys]}
    )[list(names)]


def prepare(texts: Sequence[str], needs: Sequence[str], standardise: bool = True, workers: int = 1) -> Any:
    keys = tuple(dict.fromkeys(texts))
    return SimpleNamespace(parts=keys, keys=keys, index=np.array([keys.index(t) for t in texts]), rejects={})


ROOM = SimpleNamespace(
    name="fake",
    reading=SimpleNamespace(columns=("smiles",), read=read, prepare=prepare, again=lambda keys, rows: list(keys)),
    likeness=SimpleNamespace(
        features=("text",),
        diverse=lambda parts, count: list(range(0, len(parts), max(1, len(parts) // count)))[:count],
    ),
    face=SimpleNamespace(
        draw=lambda key: f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><title>{len(key)}</title></svg>",
        columns_of=columns_of,
        properties=("weight", "alerts"),
    ),
)


class Predictor:
    """Score a text by its digest; `bad` texts are rejected, texts with an `o` are out of domain."""

    room = ROOM
    inputs = SimpleNamespace(slots=())

    def __init__(self, folders: Sequence[str | Path]) -> None:
        self.folders = [str(f) for f in folders]
        self.targets = tuple(Path(f).name for f in self.folders)
        self.versions = {"fake": "1.0"}
        self.numbers = self.targets
        self.domain: Any = "some"
        self.digest = hashlib.sha256("|".join(self.folders).encode()).hexdigest()
        self.facts: dict[str, Any] = {"name": self.targets[0], "model": "fake"}

    @property
    def predictors(self) -> list[Predictor]:
        return [self]

    def read(self, source: Any, column: str | None = None, *, block: int = 4096) -> Iterator[Table]:
        return ROOM.reading.read(source, column, block=block)

    def give(self, given: dict[str, str], join: Sequence[str] = ()) -> Predictor:
        return self

    def score(self, table: Table) -> Any:
        texts = list(table.frame[table.column])
        if DIES in texts:
            os._exit(9)
        if MEMORY in texts:
            raise MemoryError
        if HANGS in texts:
            step("looking for ever")
            sum(range(10**12))  # one native call, which gives Python no turn
        if BREAKS in texts:
            os.abort()
        if "slow" in self.folders[0]:
            time.sleep(SLOW)
        bad = np.array([t.startswith("bad") or at in table.broken for at, t in enumerate(texts)])
        columns: dict[str, Any] = {}
        for target in self.targets:
            digests = [hashlib.sha256(f"{target}{t}".encode()).hexdigest() for t in texts]
            values = np.array([int(digest[:6], 16) % 1000 / 100 for digest in digests])
            values[bad] = np.nan
            columns |= {target: values, f"{target}_std": values * 0 + 0.5}
            columns |= {f"{target}_lo90": values - 1, f"{target}_hi90": values + 1}
        blank = np.where(bad, None, 1)
        columns["nn_id"] = [None if b else f"train-{len(t)}" for t, b in zip(texts, bad, strict=True)]
        columns["nn_similarity"] = np.where(bad, np.nan, 0.5)
        columns["in_domain"] = [None if b is None else "o" not in t for t, b in zip(texts, blank, strict=True)]
        columns["status"] = ["invalid_smiles" if b else "ok" for b in bad]
        columns["message"] = ["cannot be read" if b else "" for b in bad]
        for at, reject in table.broken.items():
            columns["status"][at], columns["message"][at] = reject.reason, reject.message
        keys = ["" if b else t for t, b in zip(texts, bad, strict=True)]
        return SimpleNamespace(frame=pd.DataFrame(columns), keys=keys)


def load(folders: Sequence[str | Path]) -> Predictor:
    return Predictor(folders)
