"""What a run leaves open is settled from the data; columns that say what belongs together become groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from molgraph.config import RunSettings
from molgraph.data.room import Room
from molgraph.data.table import Table
from molgraph.errors import DataError
from molgraph.predictor.auto import groups_of, settled
from molgraph.rooms.imaging.room import ROOM as IMAGING
from molgraph.rooms.molecule.room import ROOM as MOLECULE


def table(columns: dict[str, list[str]], split: str = "", targets: tuple[str, ...] = ()) -> Table:
    frame = pd.DataFrame(columns, dtype=object)
    return Table(frame, frame.columns[0], np.arange(1, len(frame) + 1), {}, "it", split, targets)


def of(given: Table, room: Room) -> list[tuple[Room, list[str]]]:
    return [(room, given.texts)]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "0", "", "1"], "binary"),
        (["yes", "No", "n/a"], "binary"),
        (["1"] * 10 + ["maybe"], "binary"),
        (["1", "0", "2", "3"], "regression"),
        (["1.5", ">3", "-"], "regression"),
        (["mild", "severe", "1"], "multiclass"),
        (["tumour", "none", "none"], "multiclass"),
        (["positive", "none", "positive"], "multiclass"),
        (["yes", "no", "None"], "binary"),
        (["1", "1", "None"], "binary"),
        (["1.5", "2.5", "None"], "regression"),
        (["-1", "1"] * 5, "binary"),
        (["2", "1"] * 5, "binary"),
        (["2", "1"], "regression"),
        (["5", "6"] * 20, "regression"),
        (["toxic", "non-toxic", ""], "binary"),
        (["A", "B"], "multiclass"),
    ],
    ids=str,
)
def test_a_target_is_what_its_cells_are(cells: list[str], kind: str) -> None:
    given = table({"scan": cells, "y": cells})
    assert settled(RunSettings(targets=["y"]), given, IMAGING).task == kind
    of_molecules = "binary" if kind == "binary" else "regression"
    assert settled(RunSettings(targets=["y"]), given, MOLECULE).task == of_molecules
    assert settled(RunSettings(targets=["y"], units={"y": "nM"}), given, MOLECULE).task == "regression"
    assert settled(RunSettings(targets=["y"], task="multiclass"), given, IMAGING).task == "multiclass"


def test_several_targets_of_several_kinds() -> None:
    given = table({"scan": ["a", "b"], "y": ["1", "0"], "age": ["61", "70"]})
    assert settled(RunSettings(targets=["y", "age"]), given, IMAGING).task == {"y": "binary", "age": "regression"}


def test_a_source_brings_its_labels_and_folds() -> None:
    given = table({"scan": ["a", "b"], "label": ["3", "7"], "split": ["train", "test"]}, "split", ("label",))
    found = settled(RunSettings(), given, IMAGING)
    assert (found.targets, found.task, found.split) == (["label"], "multiclass", "column:split")
    assert settled(RunSettings(split="random"), given, IMAGING).split == "random"
    assert settled(RunSettings(), table({"scan": ["a"]}), IMAGING).split == "patient"


def test_patients_and_studies_are_found_by_name() -> None:
    given = table(
        {"scan": ["a", "b", "c", "d"], "Patient ID": ["p", "q", "", "p"], "study_uid": ["1", "2", "2", "n/a"]}
    )
    found, _ = groups_of(given, RunSettings(), of(given, IMAGING))
    assert {name: labels.tolist() for name, labels in found.items()} == {"patient": [0, 1, 2, 0], "study": [0, 1, 1, 2]}
    assert groups_of(given, RunSettings(), of(given, MOLECULE)) == ({}, ())
    assert "patient" not in groups_of(given, RunSettings(targets=["Patient ID"]), of(given, IMAGING))[0]


def test_any_column_may_be_a_group() -> None:
    given = table({"smiles": ["C", "CC"], "site": ["x", "x"]})
    assert groups_of(given, RunSettings(split="group:site"), of(given, MOLECULE))[0]["site"].tolist() == [0, 0]
    with pytest.raises(DataError, match="did you mean 'site'"):
        groups_of(given, RunSettings(split="group:sites"), of(given, MOLECULE))
