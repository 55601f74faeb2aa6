"""A table of patients: every file that holds a table, one row each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from molgraph.data.table import BLOCK, Table, read_tables
from molgraph.errors import ConfigError

# The usual names of columns whose equal cells are one patient, or one place, and of the row's own name.
BELONGS = {"patient": ("patient", "patient_id", "patientid", "subject", "subject_id", "person_id", "mrn", "record_id")}
SUBGROUPS = {"site": ("site", "hospital", "center", "centre"), "sex": ("sex", "gender")}
IDS = ("id", "pid", "row_id", "stay_id", "visit_id", "icustay_id", *BELONGS["patient"])


def read(source: str | os.PathLike[str] | Any, column: str | None = None, *, block: int = BLOCK) -> Iterator[Table]:
    """Stream a table of patients; its fields are several columns, so none is `column`.

    Raises: ConfigError where one is named; as `read_tables`.
    """
    if column:
        raise ConfigError(f"patients are read from several columns: name them by --fields A,B, not by -s {column}.")
    return read_tables(source, block=block)
