"""From which probability on a row is called positive, as the validation rows taught for one target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from molgraph.errors import CheckpointError
from molgraph.metrics.decisions import cut_off


@dataclass(frozen=True)
class Threshold:
    """Hold the threshold, how it was chosen and on how many rows; where there is none, `reason` says why."""

    value: float | None
    chosen: str
    n: int
    reason: str | None = None

    @classmethod
    def fit(cls, estimate: ArrayLike, truth: ArrayLike, observed: ArrayLike, specificity: float = 0.0) -> Self:
        """Choose on validation rows: by Youden's J, or the lowest of at least this specificity.

        Shapes: all [n].
        Raises: ConfigError for a specificity outside 0 to 1.
        """
        rows = np.asarray(observed, dtype=bool)
        labels, given = np.asarray(truth, dtype=np.float64)[rows], np.asarray(estimate, dtype=np.float64)[rows]
        chosen = f"specificity of at least {specificity:g}" if specificity else "Youden's J"
        value = cut_off(labels, given, specificity)
        why = f"the {len(labels)} validation rows have one class" if len(labels) else "there were no validation rows"
        return cls(value, chosen, len(labels), None if value is not None else why)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """Rebuild what `to_json` wrote.

        Raises: CheckpointError where something is missing or of the wrong type.
        """
        try:
            value = None if found["value"] is None else float(found["value"])
            return cls(value, str(found["chosen"]), int(found["n"]), found["reason"])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"the threshold in the model folder is damaged: {error!r}") from error


UNKNOWN = Threshold(None, "", 0, "the model was trained by a version that chose none")
