from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from molgraph.config import RunSettings
from molgraph.errors import CheckpointError, DataError
from molgraph.predictor.training import Training
from molgraph.tune.rows import Visible
from molgraph.workflows.plan import Plan, plan
from molgraph.workflows.tune import _visible


def texts(visible: Visible) -> set[str]:
    return {key for given in visible.data.inputs.values() for key in given.keys}


def test_neither_test_nor_calibration_rows_are_in_what_a_study_sees(made: Plan, rows: Visible):
    data = made.rows.data
    (given,) = data.inputs.values()
    hidden = [*made.split.test, *made.split.calibration]
    assert len(hidden) and len(rows.data) + len(hidden) == len(data)
    assert not texts(rows) & {given.key_of(i) for i in hidden}  # not even as a part that no row uses
    assert not {data.rows[i] for i in hidden} & set(rows.data.rows.tolist())
    assert rows.data.rejects == ()


def test_training_on_what_is_seen_is_training_as_planned(made: Plan, rows: Visible):
    whole = Training(made.run, made.task, made.rows.data, made.split)
    (fold,) = rows.folds
    seen = Training(made.run, made.task, rows.data, rows.split(fold))
    losses = [[(e.train_loss, e.valid_loss) for _, e in each.epochs()] for each in (whole, seen)]
    assert losses[0] == losses[1]


def test_a_file_holds_all_of_it(rows: Visible, tmp_path: Path):
    rows.save(tmp_path / "rows.safetensors")
    again = Visible.load(tmp_path / "rows.safetensors")
    assert again.digest == rows.digest and (again.kinds, again.classes) == (rows.kinds, rows.classes)
    batches = [each.data.batch(torch.arange(9)) for each in (rows, again)]
    for name, parts in batches[0].parts.items():
        other = batches[1].parts[name]
        assert parts.schema == other.schema and parts.level == other.level
        for key, value in parts.values.items():
            assert torch.equal(value, other.values[key])
    (tmp_path / "rows.safetensors").write_bytes((tmp_path / "rows.safetensors").read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="damaged"):
        Visible.load(tmp_path / "rows.safetensors")


def test_folds_score_every_row_once_and_keep_scaffolds_together(made: Plan):
    visible = _visible(made, 4)
    scored = np.concatenate([fold.score for fold in visible.folds])
    assert sorted(scored.tolist()) == list(range(len(visible.data)))
    (given,) = visible.data.inputs.values()
    from molgraph.rooms.molecule.groups import scaffold

    groups = scaffold([given.key_of(i) for i in range(len(visible.data))])
    for fold in visible.folds:
        assert not set(groups[fold.score]) & set(groups[np.concatenate([fold.train, fold.stop])])
        assert len(fold.train) + len(fold.stop) + len(fold.score) == len(visible.data)


def test_without_validation_rows_there_is_nothing_to_choose_by(run: RunSettings, series: pd.DataFrame):
    from dataclasses import replace

    made = plan(replace(run, fractions=[0.9, 0.0, 0.1]), series)
    with pytest.raises(DataError, match="no validation rows to choose by"):
        _visible(made, 1)
