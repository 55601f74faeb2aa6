"""What the records of a patient say together, counted by hand; and parts that are one patient at several moments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from molgraph.data.cells import Cells
from molgraph.data.dataset import Input
from molgraph.data.fields import Field, Fields
from molgraph.data.records import Records, Timeline
from molgraph.data.room import Prepared
from molgraph.data.table import Table, read_tables
from molgraph.errors import ConfigError
from molgraph.rooms.disease import history
from molgraph.rooms.disease.prepare import RECORD, VISITS
from molgraph.rooms.disease.room import with_fields
from molgraph.rooms.disease.similarity import Nearest

LINE = Timeline("who", "visits.csv", "when", at="at")
FIELDS = Fields(
    (
        Field("sex", "yes_no"),
        Field("x", "number", over_time=True),
        Field("ward", "category", categories=("icu", "home"), over_time=True),
    ),
    {},
    LINE,
)
VISITS_OF = pd.DataFrame(
    {
        "who": ["a", "a", "a", "b"],
        "when": ["0", "1", "3", "2"],
        "x": ["1", "", "7", "4"],
        "ward": ["home", "icu", "", "icu"],
    }
)
ROWS = pd.DataFrame(
    {"who": ["a", "a", "a", "b", "a"], "at": ["0", "1", "4", "2.5", "1"], "sex": ["1", "1", "1", "", "1"]}
)
NAN = float("nan")


def table(frame: pd.DataFrame) -> Table:
    (found,) = read_tables(frame)
    return found


def prepared(
    visits: pd.DataFrame = VISITS_OF, rows: pd.DataFrame = ROWS, needs: tuple[str, ...] = (RECORD,)
) -> Prepared:
    seen = Records.of(LINE, table(visits)).seen_by(table(rows))
    return with_fields(FIELDS).reading.prepare(Cells({"sex": rows["sex"].tolist()}, seen), needs)


def test_last_mean_slope_count_and_age() -> None:
    made = prepared()
    #     sex at   x: last mean slope n age   ward: icu home, shares, n age
    expected = [
        [1, 0, 1, 1, NAN, 1, 0, 0, 1, 0, 1, 1, 0],
        [1, 1, 1, 1, NAN, 1, 1, 1, 0, 0.5, 0.5, 2, 0],
        [1, 4, 7, 4, 2, 2, 1, 1, 0, 0.5, 0.5, 2, 3],
        [NAN, 2.5, 4, 4, NAN, 1, 0.5, 1, 0, 1, 0, 1, 0.5],
    ]
    assert made.parts.values[RECORD].numpy() == pytest.approx(np.array(expected, dtype=np.float32), nan_ok=True)
    assert made.index.tolist() == [0, 1, 2, 3, 1]
    assert made.keys[2] == "who = a; at = 4; sex = yes; x = 7; ward = icu; 3 records"
    assert made.parts.schema == {RECORD: [13]} and FIELDS.line is LINE


def test_each_number_has_a_name() -> None:
    assert list(with_fields(FIELDS).reading.called[RECORD]) == [
        "'sex'",
        "'at'",
        *(f"'x' ({word})" for word in ("last", "mean", "slope", "times known", "since last known")),
        *(f"'ward={ward}' ({word})" for word in ("last", "mean") for ward in ("icu", "home")),
        "'ward' (times known)",
        "'ward' (since last known)",
    ]


def test_the_width_is_there_without_rows() -> None:
    assert with_fields(FIELDS).reading.prepare(Cells({}), (RECORD, VISITS)).parts.values[RECORD].shape == (0, 13)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = prepared().parts.values[RECORD]
    monkeypatch.setattr(history, "ROWS", 2)
    assert torch.equal(prepared().parts.values[RECORD].nan_to_num(-1), whole.nan_to_num(-1))


def test_a_changed_future_changes_nothing() -> None:
    later = VISITS_OF.copy()
    later.loc[2, ["x", "ward"]] = ["999", "home"]
    more = pd.concat([later, pd.DataFrame({"who": ["a"], "when": ["3.9"], "x": ["5"], "ward": ["icu"]})])
    early = ROWS[ROWS["at"].astype(float) < 3]
    before, after = prepared(rows=early, needs=(RECORD, VISITS)), prepared(more, early, needs=(RECORD, VISITS))
    assert before.keys == after.keys
    every = torch.arange(len(before.parts))
    for name in (RECORD, VISITS, "time"):
        one, two = (made.parts.gather(every).values[name].nan_to_num(-1) for made in (before, after))
        assert torch.equal(one, two)


def test_visits_are_stored_once_and_each_part_has_its_own_in_a_batch() -> None:
    parts = prepared(needs=(RECORD, VISITS)).parts
    assert parts.values[VISITS].shape == (4, 3) and parts.schema[VISITS] == [3]
    batch = parts.gather(torch.tensor([1, 3, 2]))
    assert batch.offsets[VISITS].tolist() == [0, 2, 3, 6]
    assert batch.values["time"].tolist() == [0.0, 1.0, 2.0, 0.0, 1.0, 3.0]
    assert batch.values[VISITS][:, 0].nan_to_num(-1).tolist() == [1.0, -1.0, 4.0, 1.0, -1.0, 7.0]
    again = batch.gather(torch.tensor([2]))
    assert again.values["time"].tolist() == [0.0, 1.0, 3.0] and again.offsets[VISITS].tolist() == [0, 3]


def test_rows_know_whose_they_are_and_until_when() -> None:
    made = prepared()
    given = Input(made.parts, torch.tensor([0, 2, -1, 3]))
    assert given.until is not None and given.until.nan_to_num(-1).tolist() == [0.0, 4.0, -1.0, 2.5]
    assert given.whose is not None and given.whose.tolist() == [0, 0, -1, 1]


def test_the_moments_of_a_patient_are_no_neighbours_of_each_other() -> None:
    parts = prepared().parts
    near, apart = Nearest(parts), Nearest(parts).similarity(parts)
    assert near.leave_one_out()[:3] == pytest.approx(apart[:3, 3])


def test_why_a_row_tells_nothing() -> None:
    rows = pd.DataFrame({"who": ["c", "c", "a", "a"], "at": ["1", "1", "-1", "?"], "sex": ["", "1", "", "1"]})
    made = prepared(rows=rows)
    assert {at: reject.message for at, reject in made.rejects.items()} == {
        0: "no record of who 'c' in the table given",
        2: "no record of who 'a' was known by -1",
        3: "'at' is blank",
    }
    assert made.said == {1: "scored without records: no record of who 'c' in the table given"}


def test_a_cell_that_cannot_be_read_is_unknown_and_said_to_whom_it_concerns() -> None:
    visits = VISITS_OF.copy()
    visits.loc[2, "x"] = "seven"
    made = prepared(visits)
    assert made.parts.values[RECORD][2, 2] == 1.0
    assert list(made.said) == [2] and made.said[2].startswith("row 3 of the table given: x = 'seven'")


def test_visits_need_records() -> None:
    with pytest.raises(ConfigError, match="reads visits: name them"):
        with_fields(Fields(FIELDS.of_rows, {})).reading.prepare(Cells({"sex": ["1"]}), (VISITS,))
