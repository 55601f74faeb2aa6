from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from molgraph.errors import ConfigError
from molgraph.kinds import make
from molgraph.predictor.rows import LOG_MOLAR
from molgraph.workflows.natural import logarithms, unit_of, unit_of_errors, with_units


def model(**units: str) -> Any:
    predictor = SimpleNamespace(recipe=SimpleNamespace(units=units), targets=tuple(units))
    return SimpleNamespace(predictors=[predictor])


def test_logarithms_are_told_by_training_or_by_name() -> None:
    made = model(pIC50=LOG_MOLAR, pK_dG=LOG_MOLAR, pKi="", pKa="", pH="", logP="", paff=LOG_MOLAR)
    assert logarithms(made) == {"pIC50": "IC50", "pK_dG": "K_dG", "pKi": "Ki", "paff": "aff"}


def test_ends_of_an_interval_change_places() -> None:
    columns = {"pIC50": [9.0], "pIC50_std": [0.1], "pIC50_lo90": [8.0], "pIC50_hi90": [10.0], "status": ["ok"]}
    frame = with_units(pd.DataFrame(columns), {"pIC50": "IC50"}, "nM")
    assert list(frame) == [*list(columns)[:4], "IC50_nM", "IC50_nM_lo90", "IC50_nM_hi90", "status"]
    assert frame.iloc[0, 4:7].tolist() == pytest.approx([1.0, 0.1, 10.0])
    blank = with_units(pd.DataFrame({"pKi": np.array([np.nan], np.float32), "status": ["empty"]}), {"pKi": "Ki"}, "uM")
    assert blank["Ki_uM"].isna().all()


def test_units_that_cannot_be() -> None:
    assert unit_of("µM", model(pKi="")) == "uM"
    with pytest.raises(ConfigError, match="--as nm: no unit of concentrations; did you mean 'nM'"):
        unit_of("nm", model(pKi=""))
    with pytest.raises(ConfigError, match="no target of the model is the negative logarithm"):
        unit_of("nM", model(logP="log units"))


def test_errors_are_in_the_unit_of_the_targets_where_that_is_one():
    task = make({"CL": "regression", "pKi": "regression", "pIC50": "regression"}, log=["CL"])
    units = {"pKi": "-log10(M)", "pIC50": "-log10(M)"}
    made = SimpleNamespace(task=task, rows=SimpleNamespace(units=units))
    assert unit_of_errors(made, ["CL"]) == "log10 of CL"
    assert unit_of_errors(made, ["pKi", "pIC50"]) == "-log10(M)"
    assert unit_of_errors(made, ["CL", "pKi"]) == ""
