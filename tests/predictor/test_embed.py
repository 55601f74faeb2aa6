"""Vectors of the encoder: what the head takes, a row for each row, and enough for a linear model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import Ridge

from molgraph.errors import ConfigError
from molgraph.predictor import Panel, Predictor
from molgraph.predictor.network import Network

Made = tuple[Any, Predictor]


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns=["status", "message"])


def test_a_row_has_its_vector_or_its_reason(network: Made) -> None:
    found = network[1].embed(["CCCCCF", "nonsense", "c1ccccc1O", "", "FCCCCC"])
    assert found["status"].tolist()[0:3:2] == ["ok", "ok"] and found["status"][1] == "invalid_smiles"
    vectors = numbers(found)
    assert list(vectors.columns) == [f"member_{m}_vector_{at}" for m in (0, 1) for at in range(16)]
    assert vectors.isna().all(axis=1).tolist() == [False, True, False, True, False]
    assert found["message"][0] == "" and found["message"][1]
    assert np.array_equal(vectors.loc[0], vectors.loc[4]), "one compound, one vector"
    assert not np.array_equal(vectors.iloc[0, :16], vectors.iloc[0, 16:]), "members are kept apart"


def test_the_head_makes_the_estimates_of_it(network: Made, series: pd.DataFrame) -> None:
    predictor = network[1]
    smiles = series["smiles"].head(20)
    vectors = numbers(predictor.embed(smiles)).to_numpy()
    ready = predictor.inputs.prepare(next(iter(predictor.read(smiles))))
    things, index = ready.things()
    for number, member in enumerate(predictor.members):
        assert isinstance(member, Network)
        mine = torch.tensor(vectors[:, 16 * number : 16 * (number + 1)])
        with torch.no_grad():
            made = member.task.predict(member.model.cpu().eval().head(mine)).double().numpy()
        np.testing.assert_allclose(made, member.estimate(things)[index], rtol=1e-5, atol=1e-6)


def test_a_linear_model_on_it_works(network: Made, series: pd.DataFrame) -> None:
    vectors = numbers(network[1].embed(series[["smiles"]]))
    known, held = np.arange(len(series)) < 80, np.arange(len(series)) >= 80
    fitted = Ridge().fit(vectors[known], series["pAct"][known])
    errors = series["pAct"][held] - fitted.predict(vectors[held])
    assert float((errors**2).mean()) < float(((series["pAct"][held] - series["pAct"][known].mean()) ** 2).mean())


def test_the_rows_of_a_table_keep_their_index(network: Made) -> None:
    frame = pd.DataFrame({"smiles": ["CCO", "C"]}, index=["a", "b"])
    assert network[1].embed(frame).index.tolist() == ["a", "b"]


def test_a_pair_has_the_vector_that_both_are_joined_in(pair: Made, pairs: pd.DataFrame) -> None:
    made = pair[1]
    found = numbers(made.embed(pairs.head(6)))
    member = made.members[0]
    assert isinstance(member, Network)
    assert found.shape == (6, member.model.encoder.dim) and "vector_0" in found
    assert not found.isna().any(axis=None)
    given = {"target": pairs["sequence"][0]}
    alone = numbers(made.embed(pairs[["smiles"]].head(1), given=given))
    np.testing.assert_allclose(alone.to_numpy(), found.head(1).to_numpy(), rtol=1e-5, atol=1e-6)


def test_nothing_to_read_gives_no_vector(network: Made) -> None:
    found = network[1].embed(["nonsense"])
    assert numbers(found).shape == (1, 32) and numbers(found).isna().all(axis=None)


def test_what_makes_no_vectors_says_so(network: Made, forest: Made) -> None:
    with pytest.raises(ConfigError, match="trees make no vectors"):
        forest[1].embed(["CCO"])
    with pytest.raises(ConfigError, match="no vectors in common; embed with each"):
        Panel([network[1], network[1]]).embed(["CCO"])
