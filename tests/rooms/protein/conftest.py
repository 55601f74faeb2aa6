"""Real kinases, and texts that are no proteins or odd ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

# The first residues of human insulin's A chain, ubiquitin and others; short, and with no two alike.
INSULIN_A = "GIVEQCCTSICSLYQLENYCN"
UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"


@pytest.fixture(scope="session")
def kinases(shared_data: Path) -> pd.DataFrame:
    """Return the 442 Davis targets: columns target_id, sequence."""
    return pd.read_csv(shared_data / "dti" / "davis_targets.csv.gz")


@pytest.fixture(scope="session")
def alignment(shared_data: Path, kinases: pd.DataFrame) -> tuple[list[str], NDArray[np.float64]]:
    """Return the distinct kinases and their Smith-Waterman scores, divided by those with themselves."""
    scores = np.loadtxt(shared_data / "dti" / "davis_target_similarity_SW.txt.gz")
    first = kinases.drop_duplicates("sequence").index.to_numpy()
    scores = scores[np.ix_(first, first)]
    return list(kinases.sequence[first]), scores / np.sqrt(np.outer(np.diag(scores), np.diag(scores)))
