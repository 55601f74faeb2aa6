"""Records become parts: distinct ones once, unknown cells kept unknown, unreadable ones refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from molgraph.data.cells import Cells
from molgraph.data.fields import Field, Fields
from molgraph.data.packed import Packed
from molgraph.errors import ConfigError
from molgraph.rooms.disease.prepare import RECORD
from molgraph.rooms.disease.room import ROOM, with_fields

FIELDS = Fields(
    (Field("age", "number", unit="years"), Field("sex", "category", categories=("f", "m")), Field("smoker", "yes_no")),
    {},
)
CELLS = Cells(
    {"age": ["63", "71", "63.0", "", "old"], "sex": ["f", "m", "F", "", "x"], "smoker": ["no", "", "0", "", "1"]}
)


def record(parts: Packed) -> list[list[float]]:
    values: list[list[float]] = np.nan_to_num(parts.values[RECORD].numpy(), nan=-9).tolist()
    return values


def test_records_are_stored_once_and_said_in_words() -> None:
    made = with_fields(FIELDS).reading.prepare(CELLS, (RECORD,))
    assert made.index.tolist() == [0, 1, 0, -1, -1]
    assert made.keys == ("age = 63 years; sex = f; smoker = no", "age = 71 years; sex = m")
    assert record(made.parts) == [[63.0, 1.0, 0.0, 0.0], [71.0, 0.0, 1.0, -9.0]]
    assert made.parts.schema == {RECORD: [4]}


def test_a_row_that_cannot_be_read_says_every_fault() -> None:
    rejects = with_fields(FIELDS).reading.prepare(CELLS, (RECORD,)).rejects
    assert (rejects[3].reason, rejects[3].message) == ("empty", "no field is known")
    assert rejects[4].reason == "unreadable_field" and rejects[4].row == 5
    assert "age = 'old'" in rejects[4].message and "sex = 'x' is none of those" in rejects[4].message


def test_an_unknown_feature_is_refused() -> None:
    with pytest.raises(ConfigError, match="patients have no feature 'records'; did you mean 'record'"):
        with_fields(FIELDS).reading.prepare(CELLS, ("records",))


def test_no_rows_have_the_width_of_the_fields() -> None:
    assert with_fields(FIELDS).reading.prepare(Cells({}), (RECORD,)).parts.values[RECORD].shape == (0, 4)


def test_parts_are_made_again_of_the_columns_of_their_rows() -> None:
    import pandas as pd

    room = with_fields(FIELDS)
    frame = pd.DataFrame({**CELLS.columns, "other": range(5)}).iloc[[1, 0]]
    again = room.reading.prepare(room.reading.again(["", ""], frame), (RECORD,))
    assert record(again.parts) == [[71.0, 0.0, 1.0, -9.0], [63.0, 1.0, 0.0, 0.0]]
    assert ROOM.reading.fields is None
