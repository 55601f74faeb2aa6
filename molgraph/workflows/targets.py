"""Rank the targets of molecules, from the command line or from Python."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from molgraph.data.stream import name_of
from molgraph.data.table import is_file, nonempty
from molgraph.data.write import open_writer
from molgraph.errors import ConfigError, many
from molgraph.predictor import Predictor
from molgraph.predictor.doubts import doubts
from molgraph.predictor.targets import Proteins, rank_targets, read_proteins
from molgraph.workflows.show import say

BLOCK = 256  # molecules asked at once: each is compared with every training row and every protein


def targets_of(
    source: Any,
    folder: str | Path,
    *,
    column: str | None = None,
    active: float | None = None,
    proteins: str | Path | None = None,
    top: int = 10,
    output: Path | None = None,
) -> pd.DataFrame:
    """Rank the targets of molecules (a SMILES, a file, a list) and return one line per molecule and target.

    Raises: as `predictor.targets.rank_targets`; DataError where the molecules or proteins cannot be read.
    """
    if top < 1:
        raise ConfigError(f"--top {top}: give 1 or more.")
    predictor = Predictor.load(folder)
    chosen = read_proteins(predictor, proteins) if proteins is not None else None
    found = pd.concat(list(_ranked(predictor, source, column, active, chosen, top)), ignore_index=True)
    if output is not None:
        with open_writer(output) as writer:
            writer.write(found)
        say(f"{many(len(found), 'line')} written to {output}")
    for why in doubts([predictor]):
        say(f"note: {why}")
    return found


def _ranked(
    predictor: Predictor, source: Any, column: str | None, active: float | None, chosen: Proteins | None, top: int
) -> Iterator[pd.DataFrame]:
    given = [source] if is_text(source) else source
    alone = is_text(source) or not isinstance(source, str | Path)
    name = f"the {predictor.room.noun.many} given" if alone else name_of(source)
    for table in nonempty(predictor.read(given, column, block=BLOCK), name):
        yield rank_targets(predictor, table, active=active, proteins=chosen, top=top)


def is_text(source: Any) -> bool:
    """Tell whether the words of a command are a molecule and not a file.

    Raises: DataError for what is called as a file and is not there.
    """
    return isinstance(source, str) and source != "-" and not is_file(source)
