"""Fields: declared or told by cells, read, and asked of another table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from molgraph.data.fields import Field, Fields, told_by
from molgraph.errors import ConfigError, DataError

FRAME = pd.DataFrame(
    {
        "age": ["63", "71", "", "58"] * 3,
        "sex": ["f", "m", "m", "f"] * 3,
        "smoker": ["yes", "no", "no", ""] * 3,
        "pain": ["none", "mild", "severe", "none"] * 3,
        "chol (mg/dL)": ["233", "286.5", "1.9e2", "n.d."] * 3,
        "note": [f"seen on day {at}" for at in range(12)],
        "ward": ["A"] * 12,
        "death": ["0", "1", "0", "1"] * 3,
    }
)


def settled(**said: object) -> Fields:
    return Fields.settle(said, FRAME, {"death"}, "patients.csv")


def test_columns_say_what_they_are_and_why_they_are_none() -> None:
    fields = settled()
    assert {field.name: field.kind for field in fields.each} == {
        "age": "number",
        "sex": "category",
        "smoker": "yes_no",
        "pain": "category",
        "chol (mg/dL)": "number",
    }
    assert fields.each[3].categories == ("mild", "none", "severe")  # `none` among words is one of them
    assert fields.each[4].unit == "mg/dL"
    assert fields.left_out == {
        "note": "holds 12 different texts in 12 rows",
        "ward": "says 'A' in every row",
    }


def test_what_is_settled_reads_back_from_a_run_file() -> None:
    fields = settled()
    assert Fields.of(fields.to_toml()).each == fields.each


def test_only_those_declared_are_fields() -> None:
    fields = settled(age={"kind": "number", "low": 0, "high": 120, "unit": "years"}, sex="auto")
    assert [field.name for field in fields.each] == ["age", "sex"]
    assert fields.each[0].words == "0 to 120 years"
    assert [field.name for field in settled(note="ignore", ward="ignore", sex="ignore").each][:2] == ["age", "smoker"]


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"agee": "auto"}, DataError, "no column 'agee' for a field; did you mean 'age'"),
        ({"note": "auto"}, DataError, "the field 'note' holds 12 different texts"),
        ({"age": "numbr"}, ConfigError, "unknown kind 'numbr'; did you mean 'number'"),
        ({"age": {"kind": "number", "lowest": 1}}, ConfigError, "unknown key 'fields.age.lowest'"),
        ({"age": {"kind": "number", "low": "0"}}, ConfigError, "fields.age.low = '0' has the wrong type"),
        ({"pain": "grade"}, ConfigError, "fields.pain: `categories`"),
        ({"age": {"kind": "number", "categories": ["a"]}}, ConfigError, "fields.age: `categories`"),
        ({"age": 3}, ConfigError, "fields.age: write a kind"),
        ({"pain": {"kind": "category", "categories": [[-1], "II"]}}, ConfigError, "`categories` are a list of words"),
        ({"pain": {"kind": "category", "categories": "abc"}}, ConfigError, "`categories` are a list of words"),
        ({"age": {"kind": "number", "unit": [1]}}, ConfigError, "`unit` is one"),
        ({"age": {"kind": "number", "over_time": 5}}, ConfigError, "`over_time` true or false"),
    ],
)
def test_what_cannot_be_is_refused_by_name(said: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        settled(**said)


def test_cells_become_numbers_and_blank_ones_stay_unknown() -> None:
    number, bad = Field("chol", "number").read(["233", " 1,000.5 ", "n.d.", "", "high", "<5"])
    assert number[:2, 0].tolist() == [233.0, 1000.5] and np.isnan(number[2:4, 0]).all()
    assert str(bad[4]).startswith("chol = 'high' is not a number") and bad[4].reason == "unreadable_field"
    yes_no, bad = Field("smoker", "yes_no").read(["Yes", "0", "-", "maybe"])
    assert yes_no[:2, 0].tolist() == [1.0, 0.0] and list(bad) == [3]
    category, bad = Field("sex", "category", categories=("f", "m")).read(["M", "f", "", "x"])
    assert category[:2].tolist() == [[0.0, 1.0], [1.0, 0.0]] and np.isnan(category[2]).all()
    assert str(bad[3]) == "sex = 'x' is none of those in training: f, m" and bad[3].reason == "unknown_category"
    grade, _ = Field("pain", "grade", categories=("none", "mild", "severe")).read(["none", "severe", "na"])
    assert grade[:2, 0].tolist() == [0.0, 2.0] and np.isnan(grade[2, 0])


def test_an_implausible_number_is_refused() -> None:
    _, bad = Field("age", "number", low=0, high=120).read(["63", "630", "-1"])
    assert {at: why.reason for at, why in bad.items()} == {1: "implausible", 2: "implausible"}
    assert str(bad[1]) == "age = 630 lies outside of 0 to 120"


def test_columns_are_found_in_another_table() -> None:
    fields = settled(**{"age": "auto", "chol (mg/dL)": "auto"})
    assert fields.transfer(["x", "Age", "CHOL (mg/dL)"], "new.csv") == {"age": "Age", "chol (mg/dL)": "CHOL (mg/dL)"}
    assert fields.transfer(["age", "chol"], "new.csv")["chol (mg/dL)"] == "chol"
    assert Fields.of({"chol": {"kind": "number", "unit": "mg/dL"}}).transfer(["chol [mg/dL]"], "n") == {
        "chol": "chol [mg/dL]"
    }


def test_a_missing_column_and_another_unit_are_refused_by_name() -> None:
    fields = settled(**{"age": "auto", "chol (mg/dL)": "auto"})
    with pytest.raises(DataError, match=r"new.csv: no column 'age', which the model reads; did you mean 'aeg'"):
        fields.transfer(["aeg", "chol (mg/dL)"], "new.csv")
    with pytest.raises(DataError, match=r"'chol \(mmol/L\)' is in mmol/L, and the model learnt it in mg/dL"):
        fields.transfer(["age", "chol (mmol/L)"], "new.csv")


def test_a_column_of_numbers_and_a_stray_word_is_one_of_numbers() -> None:
    told = told_by("x", [*map(str, range(20)), "high"])
    assert isinstance(told, Field) and told.kind == "number"
    assert told_by("x", ["", "na"]) == "holds nothing"
