"""The door to DeepChem, with the real DeepChem where it is installed."""

from __future__ import annotations

import ast
import random
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem
from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles

from molgraph import datasets
from molgraph.data.dataset import Dataset, Input
from molgraph.data.packed import Packed
from molgraph.data.table import Table
from molgraph.data.targets import ABOVE, EXACT, Targets
from molgraph.errors import ConfigError, DataError, ResourceError
from molgraph.rooms.molecule import molnet

needs_deepchem = pytest.mark.skipif(find_spec("deepchem") is None, reason="DeepChem is not installed")
SMILES = ["CCO", "c1ccccc1", "CC(=O)O", "C1CCCCC1O"]


class Atoms:
    """Predict the number of heavy atoms and of rings; nothing for what is no molecule."""

    targets = ("atoms", "rings")

    def score(self, table: Table) -> Any:
        molecules = [Chem.MolFromSmiles(text) for text in table.texts]
        frame = pd.DataFrame(
            {
                "status": ["ok" if m else "invalid_smiles" for m in molecules],
                "atoms": [m.GetNumHeavyAtoms() if m else None for m in molecules],
                "rings": [m.GetRingInfo().NumRings() if m else None for m in molecules],
            }
        )
        return SimpleNamespace(frame=frame)


@pytest.fixture(scope="session")
def dc() -> Any:
    return molnet._deepchem()


@needs_deepchem
def test_a_table_goes_to_deepchem_and_comes_back_as_it_was() -> None:
    table = pd.DataFrame({"smiles": SMILES, "a": [1.0, np.nan, 3.5, -2.0], "b": [np.nan, np.nan, 0.0, 1.0]})
    there = molnet.to_deepchem(table, ["a", "b"])
    np.testing.assert_array_equal(there.w, [[1, 0], [0, 0], [1, 1], [1, 1]])
    assert np.isfinite(there.y).all()
    assert list(there.ids) == SMILES
    pd.testing.assert_frame_equal(molnet.from_deepchem(there, tasks=["a", "b"]), table)


@needs_deepchem
def test_text_cells_with_blanks_are_read_as_a_file_has_them() -> None:
    table = pd.DataFrame({"Drug": SMILES, "y": ["1.5", "", " ", "-2"]})
    there = molnet.to_deepchem(table, ["y"], column="Drug")
    assert there.y[:, 0].tolist() == [1.5, 0.0, 0.0, -2.0]
    assert there.w[:, 0].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_what_is_no_number_or_no_column_is_told_with_its_place() -> None:
    table = pd.DataFrame({"smiles": SMILES, "y": ["1", "2", ">10", "3"]})
    with pytest.raises(DataError, match="row 3: '>10' in column 'y' is no number"):
        molnet.to_deepchem(table, ["y"])
    with pytest.raises(DataError, match=r"no column 'Y'.*Known: smiles, y"):
        molnet.to_deepchem(table, ["Y"])


@needs_deepchem
def test_weights_that_say_more_than_measured_or_not_are_kept(dc: Any) -> None:
    given = dc.data.NumpyDataset(X=np.zeros(4), y=np.arange(4.0), w=np.array([1, 0, 2.5, 0.5]), ids=SMILES)
    table = molnet.from_deepchem(given)
    assert list(table.columns) == ["smiles", "task_0", "task_0_weight"]
    np.testing.assert_array_equal(table["task_0"], [0, np.nan, 2, 3])
    again = molnet.to_deepchem(table, ["task_0"])
    np.testing.assert_array_equal(again.w[:, 0], [1, 0, 2.5, 0.5])


@needs_deepchem
def test_a_transformed_dataset_comes_back_in_its_own_unit(dc: Any) -> None:
    values = np.array([[312.437], [1.0], [-7.5], [20.0]])
    given = dc.data.NumpyDataset(X=np.zeros((4, 1)), y=values, ids=SMILES)
    scaled = dc.trans.NormalizationTransformer(transform_y=True, dataset=given)
    table = molnet.from_deepchem(scaled.transform(given), transformers=[scaled], tasks=["y"])
    np.testing.assert_allclose(table["y"], values[:, 0], rtol=1e-6)


@needs_deepchem
def test_a_dataset_without_smiles_or_with_wrong_names_is_refused(dc: Any) -> None:
    with pytest.raises(DataError, match="no SMILES"):
        molnet.from_deepchem(dc.data.NumpyDataset(X=np.zeros((2, 3)), y=np.zeros(2)))
    with pytest.raises(DataError, match="2 task names for 1 columns"):
        molnet.from_deepchem(dc.data.NumpyDataset(X=np.zeros(4), y=np.zeros(4), ids=SMILES), tasks=["a", "b"])


def dataset(index: list[int], bound: list[int]) -> Dataset:
    rows = len(index)
    targets = Targets.of(["y"], torch.tensor([[1.0], [float("nan")], [3.0], [4.0]])[:rows])
    return Dataset(
        {"molecule": Input(Packed({}, {}, {}, {}, 3), torch.tensor(index), ("CCO", "CC", "C"))},
        Targets(
            targets.names,
            targets.values,
            targets.observed,
            torch.tensor(bound, dtype=torch.int8).reshape(-1, 1),
            targets.weight,
        ),
        np.arange(1, rows + 1),
        tuple(map(str, range(rows))),
    )


@needs_deepchem
def test_a_dataset_of_ours_goes_out_and_a_bound_is_not_taken_for_a_value() -> None:
    there = molnet.to_deepchem(dataset([0, 1, 0, 2], [EXACT, EXACT, EXACT, ABOVE]))
    assert list(there.ids) == ["CCO", "CC", "CCO", "C"]
    assert there.w[:, 0].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert there.y[:, 0].tolist() == [1.0, 0.0, 3.0, 0.0]


def test_a_dataset_with_a_row_without_molecule_is_refused() -> None:
    with pytest.raises(DataError, match="row 2: there is no molecule"):
        molnet.to_deepchem(dataset([0, -1, 1, 2], [EXACT] * 4))


@needs_deepchem
def test_a_deepchem_featurizer_makes_x(dc: Any) -> None:
    table = pd.DataFrame({"smiles": SMILES, "y": range(4)})
    there = molnet.to_deepchem(table, ["y"], featurizer=dc.feat.CircularFingerprint(size=64))
    assert there.X.shape == (4, 64)
    with pytest.raises(DataError, match="row 2: DeepChem's CircularFingerprint refuses 'not_a_smiles'"):
        molnet.to_deepchem(
            pd.DataFrame({"smiles": ["CCO", "not_a_smiles"]}), featurizer=dc.feat.CircularFingerprint(size=64)
        )


@needs_deepchem
def test_our_predictor_is_a_deepchem_model_with_the_same_numbers(dc: Any) -> None:
    model = molnet.as_deepchem_model(Atoms())
    assert isinstance(model, dc.models.Model)
    assert model.get_num_tasks() == 2
    table = pd.DataFrame({"smiles": SMILES, "atoms": [3.0, 6.0, 5.0, 7.0], "rings": [0.0, 1.0, 0.0, 1.0]})
    there = molnet.to_deepchem(table, ["atoms", "rings"])
    np.testing.assert_array_equal(model.predict(there), [[3, 0], [6, 1], [4, 0], [7, 1]])
    scores = model.evaluate(there, [dc.metrics.Metric(dc.metrics.mae_score)], per_task_metrics=True)
    assert scores[1]["mae_score"] == [0.25, 0.0]
    with pytest.raises(ConfigError, match="trained already"):
        model.fit(there)


@needs_deepchem
def test_a_row_that_cannot_be_scored_is_nan_in_deepchem_too() -> None:
    there = molnet.to_deepchem(pd.DataFrame({"smiles": ["CCO", "not_a_smiles"]}))
    found = molnet.as_deepchem_model(Atoms()).predict(there)
    np.testing.assert_array_equal(found, [[3, 0], [np.nan, np.nan]])


@needs_deepchem
@pytest.mark.parametrize("name", molnet.SPLITTERS)
def test_every_splitter_gives_each_row_once_and_the_same_again(name: str, chembl: pd.DataFrame) -> None:
    smiles = chembl["smiles"].tolist()[::5]
    split = molnet.splitter(name)
    folds = split(smiles, (0.7, 0.1, 0.2), 3)
    assert sorted(np.concatenate(folds).tolist()) == list(range(len(smiles)))
    assert abs(len(folds[0]) - 0.7 * len(smiles)) <= 0.05 * len(smiles)
    again = molnet.splitter(f"deepchem:{name}")(smiles, (0.7, 0.1, 0.2), 3)
    for fold, same in zip(folds, again, strict=True):
        np.testing.assert_array_equal(fold, same)


@needs_deepchem
def test_no_scaffold_stands_on_two_sides_of_deepchems_scaffold_split(chembl: pd.DataFrame) -> None:
    smiles = chembl["smiles"].tolist()[::5]
    sides = [{MurckoScaffoldSmiles(smiles[i]) for i in fold} for fold in molnet.splitter("ScaffoldSplitter")(smiles)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]


@needs_deepchem
def test_a_random_split_depends_on_its_seed_and_leaves_the_global_dice_alone() -> None:
    split = molnet.splitter("RandomSplitter")
    smiles = ["C" * n for n in range(1, 101)]
    random.seed(7)
    np.random.seed(7)
    expected = (random.random(), np.random.random())
    random.seed(7)
    np.random.seed(7)
    one, two = split(smiles, (0.8, 0.1, 0.1), 1), split(smiles, (0.8, 0.1, 0.1), 2)
    assert (random.random(), np.random.random()) == expected
    assert one[2].tolist() != two[2].tolist()


@needs_deepchem
def test_deepchem_says_nothing_on_our_output(capfd: pytest.CaptureFixture[str]) -> None:
    molnet.splitter("FingerprintSplitter")(["C" * n for n in range(1, 31)])
    assert capfd.readouterr() == ("", "")


def test_a_splitter_refuses_what_it_cannot_split() -> None:
    split = molnet.splitter("ScaffoldSplitter")
    with pytest.raises(DataError, match="row 2: 'not_a_smiles' is no valid SMILES"):
        split(["CCO", "not_a_smiles"])
    with pytest.raises(DataError, match="row 1: '' is no valid SMILES"):
        split([""])
    with pytest.raises(ConfigError, match="add up to 1"):
        split(SMILES, (0.8, 0.1, 0.2), 0)
    with pytest.raises(ConfigError, match=r"unknown DeepChem splitter 'ScafoldSplitter'; did you mean 'ScaffoldSpl"):
        molnet.splitter("deepchem:ScafoldSplitter")


@needs_deepchem
def test_moleculenet_is_read_by_deepchems_own_loader_as_our_card_says(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLGRAPH_CACHE", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    shutil.copyfile(
        shared_data / "molecules" / "esol_delaney_full.csv", tmp_path / "datasets" / "delaney-processed.csv"
    )
    table = molnet.load("esol")
    ours = datasets.load("esol", download=False)
    task = "measured log solubility in mols per litre"
    assert list(table.columns) == ["smiles", task]
    assert table["smiles"].str.strip().tolist() == ours["smiles"].tolist()
    np.testing.assert_allclose(table[task], ours["logS"], rtol=0, atol=1e-12)


@needs_deepchem
def test_a_loader_that_cannot_reach_its_file_is_a_resource_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dc: Any
) -> None:
    def unreachable(*args: object, **more: object) -> None:
        raise OSError("name resolution failed")

    monkeypatch.setenv("MOLGRAPH_CACHE", str(tmp_path))
    monkeypatch.setattr(dc.utils.data_utils, "urlretrieve", unreachable)
    with pytest.raises(ResourceError, match=r"cannot load 'tox21' \(name resolution failed\)"):
        molnet.load("tox21")
    with pytest.raises(ConfigError, match=r"unknown MoleculeNet set 'essol'; did you mean 'esol'\?"):
        molnet.load("essol")


def test_without_deepchem_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deepchem", None)
    molnet._deepchem.cache_clear()
    with pytest.raises(ConfigError, match=r"DeepChem cannot be imported.*Python 3\.11"):
        molnet.splitter("RandomSplitter")(SMILES)
    molnet._deepchem.cache_clear()


def test_deepchem_is_imported_at_this_door_only_and_not_before_it_is_asked_for() -> None:
    package = Path(molnet.__file__).parents[2]
    for file in package.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [n.name for n in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] == "deepchem" for name in names):
                assert file.name == "molnet.py"
                assert node not in tree.body
