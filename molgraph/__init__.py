"""molgraph: molecules, medical images and patient records in one graph-learning framework.

>>> import molgraph  # doctest: +SKIP
>>> model = molgraph.train(table, target="pIC50")  # doctest: +SKIP
>>> model.predict(["CCO", "c1ccccc1O"])  # doctest: +SKIP
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from molgraph.workflows.estimator import MolgraphClassifier as MolgraphClassifier
    from molgraph.workflows.estimator import MolgraphRegressor as MolgraphRegressor
    from molgraph.workflows.notebook import load as load
    from molgraph.workflows.notebook import train as train

# Threads that wait for work should sleep, not spin: where other programs share the cores, spinning makes the many small
# steps of a network 2 to 10 times slower. Read by OpenMP when torch is first imported; a value of the user's stands.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

_PUBLIC = {
    "train": "molgraph.workflows.notebook",
    "load": "molgraph.workflows.notebook",
    "MolgraphRegressor": "molgraph.workflows.estimator",
    "MolgraphClassifier": "molgraph.workflows.estimator",
}

__all__ = ["MolgraphClassifier", "MolgraphRegressor", "load", "train"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: torch takes seconds, `--help` should not."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'molgraph' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_PUBLIC]
