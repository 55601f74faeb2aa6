"""Models that cannot be explained are named so; what is explained is a target of the model."""

from __future__ import annotations

import pandas as pd
import pytest

from molgraph import config
from molgraph.errors import ConfigError
from molgraph.explain import Explainer
from molgraph.predictor import Predictor
from molgraph.workflows.train import train_folder


@pytest.fixture(scope="module")
def molecules(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Return a model of molecules, which have no maps yet."""
    folder = tmp_path_factory.mktemp("molecules")
    rows = [("C" * n + "O", (7 * n) % 11) for n in range(1, 25)]
    pd.DataFrame(rows, columns=["smiles", "y"]).to_csv(folder / "rows.csv", index=False)
    given = {"data": str(folder / "rows.csv"), "targets": ["y"], "model": "molecule/feedforward", "split": "random"}
    given |= {"comparator": "none", "train": {"epochs": 1}, "head": {"hidden": 8}}
    train_folder(config.settings(given), folder / "model")
    return Predictor.load(folder / "model")


def test_a_room_without_pictures_is_refused(molecules: Predictor) -> None:
    with pytest.raises(ConfigError, match="'molecule/feedforward' cannot be explained yet; networks that"):
        Explainer(molecules)


@pytest.mark.parametrize(
    ("target", "method", "said"),
    [("z", "gradcam", "the model has no target 'z'"), (None, "gradcamp", "unknown method 'gradcamp'.*gradcam")],
)
def test_words_that_mean_nothing_are_refused(molecules: Predictor, target: str, method: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Explainer(molecules, target, method)
