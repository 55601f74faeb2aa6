"""What was measured nearest to a row: of the row itself, of each target apart, with signs and names as they were."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from molgraph.data.cells import Cells, column_texts
from molgraph.data.dataset import ABSENT, Dataset, Input
from molgraph.data.targets import Targets
from molgraph.kinds import make
from molgraph.predictor.domain import Domain
from molgraph.predictor.inputs import INPUT
from molgraph.predictor.neighbours import measured_text, neighbours
from molgraph.predictor.ready import unlabelled
from molgraph.rooms.molecule.room import ROOM
from molgraph.rooms.protein.room import ROOM as PROTEIN

SMILES = ["CCO", "CCN", "c1ccccc1O", "c1ccccc1N", "CC(=O)Oc1ccccc1C(=O)O"]


def input_of(texts, room=ROOM):
    ready = room.reading.prepare(Cells.of(texts), (room.likeness.fingerprint,))
    return Input(ready.parts, torch.from_numpy(ready.index), ready.keys)


def things_of(texts):
    return unlabelled({INPUT: input_of(texts)}, len(texts))


def model_of(frame, kinds, smiles=SMILES, classes=None, bound=None):
    """Return what knows these rows: `frame` has a column per target."""
    values = torch.tensor(np.array(frame, dtype=np.float64).T)
    bounds = None if bound is None else torch.tensor(np.array(bound, dtype=np.int8).T)
    ids = tuple(f"m{at}" for at in range(len(smiles)))
    data = Dataset({INPUT: input_of(smiles)}, Targets.of(list(kinds), values, bounds), np.arange(len(smiles)), ids)
    return SimpleNamespace(domain=Domain.learn({INPUT: ROOM}, data), task=make(kinds, classes or {}))


def columns(models, texts):
    return pd.DataFrame(neighbours(models, things_of(texts)).columns())


def test_a_measured_row_shows_its_own_measurement_as_the_user_wrote_it():
    model = model_of([[7.05, 6.5, 0.1, 1e-9, 16777216]], {"y": "regression"})
    found = columns([model], SMILES)
    assert found["nn_id"].tolist() == ["m0", "m1", "m2", "m3", "m4"]
    assert found["nn_smiles"].tolist() == list(ROOM.reading.prepare(Cells.of(SMILES), ("fingerprint",)).keys)
    assert found["nn_similarity"].tolist() == [1.0] * 5
    assert column_texts(found["y_nn"]) == ["7.05", "6.5", "0.1", "1e-09", "1.677722e+07"]
    assert found["y_nn"].dtype.kind == "f", "a spreadsheet can sort numbers"
    assert "y_nn_similarity" not in found


@pytest.mark.parametrize(
    ("one", "other"), [("C[C@H](N)O", "C[C@@H](N)O"), ("CCCCCCCCCCCCCC", "CCCCCCCCCCCCCCC"), ("C/C=C/C", "C/C=C\\C")]
)
def test_of_two_with_the_same_fingerprint_each_is_its_own_neighbour(one, other):
    model = model_of([[1.0, 2.0]], {"y": "regression"}, smiles=[one, other])
    found = columns([model], [other, one])
    assert found["nn_id"].tolist() == ["m1", "m0"] and found["y_nn"].tolist() == [2.0, 1.0]


def test_each_target_has_the_nearest_row_in_which_it_was_measured():
    nan = np.nan
    values = {"a": [1.0, nan, 3.0, nan, nan], "b": [nan, 20.0, nan, 40.0, nan]}
    model = model_of(list(values.values()), dict.fromkeys(values, "regression"))
    asked = ["CCO", "CCN", "c1ccccc1O", "c1ccccc1N", "CCCO"]
    found = columns([model], asked)
    assert found["nn_id"].tolist()[:4] == ["m0", "m1", "m2", "m3"]
    prints = ROOM.reading.prepare(Cells.of([*SMILES, *asked]), ("fingerprint",))
    similar = ROOM.likeness.index(prints.parts).similarity(prints.parts)[prints.index[5:]][:, :5]
    for name, measured in values.items():
        known = np.where(np.isnan(measured), -1, similar)
        assert found[f"{name}_nn"].tolist() == [measured[at] for at in known.argmax(axis=1)]
        np.testing.assert_allclose(found[f"{name}_nn_similarity"], known.max(axis=1))


def test_a_target_that_nobody_measured_is_blank():
    model = model_of([[1.0] * 5, [np.nan] * 5], {"a": "regression", "b": "regression"})
    found = columns([model], ["CCO", "CCC"])
    assert found["b_nn"].isna().all() and found["b_nn_similarity"].isna().all() and found["a_nn"].tolist() == [1, 1]


def test_a_bound_keeps_its_sign_and_a_class_its_name():
    bound = [[0, 1, -1, 0, 0], [0] * 5, [0] * 5]
    kinds = {"y": "regression", "hit": "binary", "grade": "multiclass"}
    values = [[5, 10, 2.5, 0.30000001192092896, 7], [0, 1, 1, 0, 1], [2, 0, 1, 1, 0]]
    model = model_of(values, kinds, classes={"grade": ("low", "mid", "high")}, bound=bound)
    found = columns([model], SMILES)
    assert found["y_nn"].tolist() == ["5", ">10", "<2.5", "0.3", "7"]  # text, whichever rows are asked about
    assert found["hit_nn"].tolist() == [0, 1, 1, 0, 1]
    assert found["grade_nn"].tolist() == ["high", "low", "mid", "mid", "low"]
    assert columns([model], ["CCO"])["y_nn"].tolist() == ["5"]
    assert measured_text(model, "y", 1) == ">10"


def test_a_computed_number_is_not_written_in_full():
    model = model_of([[-np.log10(90e-9), 1 / 3, 1, 2, 3]], {"y": "regression"})
    for row, value in ((0, 7.0457575), (1, 1 / 3)):
        text = measured_text(model, "y", row)
        assert float(text) == pytest.approx(value, abs=1e-6) and len(text) <= 10


def test_of_several_models_the_nearest_of_those_that_have_the_target_counts():
    one = model_of([[1.0, 2.0]], {"a": "regression"}, smiles=SMILES[:2])
    other = model_of([[30.0, 40.0], [5.0, 6.0]], {"a": "regression", "b": "regression"}, smiles=SMILES[2:4])
    mute = SimpleNamespace(domain=None, task=one.task)
    found = columns([mute, one, other], ["CCO", "c1ccccc1N"])
    assert found["nn_id"].tolist() == ["m0", "m1"] and found["nn_smiles"].tolist() == ["CCO", "Nc1ccccc1"]
    assert found["a_nn"].tolist() == [1.0, 40.0]
    assert found["b_nn"].tolist()[1] == 6.0 and found["b_nn"].notna().all()
    assert neighbours([mute], things_of(["CCO"])) is None


def test_of_a_pair_the_neighbour_is_the_row_of_both():
    drugs, proteins = input_of(SMILES[:2]), input_of(["MKTAYIAKQRQISFVKSHF", "GIVEQCCTSICSLYQLENYCN"], PROTEIN)
    index = {"drug": [0, 0, 1, ABSENT], "target": [0, 1, 0, 1]}
    both = {"drug": drugs, "target": proteins}
    inputs = {n: Input(g.parts, torch.tensor(index[n]), g.keys) for n, g in both.items()}
    targets = Targets.of(["pKd"], torch.tensor([[5.0], [6.0], [float("nan")], [8.0]]))
    rows = Dataset(inputs, targets, np.arange(4), ("a", "b", "c", "d"))
    domain = Domain.learn({"drug": ROOM, "target": PROTEIN}, rows)
    model = SimpleNamespace(domain=domain, task=make({"pKd": "regression"}, {}))
    found = pd.DataFrame(neighbours([model], rows).columns())
    assert found["nn_id"].tolist() == ["a", "b", "c", "d"]
    assert found["nn_smiles"].tolist() == ["CCO", "CCO", "CCN", ""]
    assert found["pKd_nn"].tolist()[:2] == [5.0, 6.0] and found["pKd_nn"][2] == 5.0 and found["pKd_nn"][3] == 8.0


def test_what_is_the_same_thing_is_found_however_it_is_written():
    model = model_of([[1.0, 2.0]], {"y": "regression"}, smiles=["CC(O)=O", "CCO"])
    assert model.domain.same(things_of(["OCC", "CCC", "CC(=O)O"])) == [[1], [], [0]]
    assert model.domain.seen(things_of(["OCC", "CCC"])).tolist() == [True, False]


def sparse(smiles, a, b):
    """Return what knows rows of two targets, each measured where it is not NaN."""
    return model_of([a, b], dict.fromkeys("ab", "regression"), smiles=smiles)


ACIDS, AMINES = (
    ["CC(=O)O", "CCC(=O)O", "CCCC(=O)O", "CCCCC(=O)O"],
    ["c1ccncc1", "Cc1ccncc1", "CCc1ccncc1", "Cc1ccncc1C"],
)


def test_a_target_knows_its_own_domain_where_it_was_measured_on_other_rows():
    nan = np.nan
    model = sparse([*ACIDS, *AMINES], [1, 2, 3, 4, nan, nan, nan, nan], [nan, nan, nan, nan, 5, 6, 7, 8])
    found = columns([model], [ACIDS[1], AMINES[1], "CCCCCC(=O)O", "FC(F)(F)S"])
    assert found["a_in_domain"].tolist() == [True, False, True, False]
    assert found["b_in_domain"].tolist() == [False, True, False, False]
    assert found["in_domain"].tolist() == [False] * 4, "all targets are asked, and no molecule is near to both"
    for name, known in (("a", ACIDS), ("b", AMINES)):
        prints = ROOM.reading.prepare(Cells.of(known), ("fingerprint",)).parts
        limit = np.quantile(ROOM.likeness.index(prints).leave_one_out(), 0.05)
        assert model.domain.thresholds["ab".index(name)] == pytest.approx(limit)
    assert found["doubt"][0].startswith("outside the domain of b (nearest 0.")
    assert found["doubt"][3] == (
        "contains F, S, which no training molecule does; "
        "outside the domain of the training data: nearest measured molecule 0.00"
    )


def test_targets_measured_on_the_same_rows_have_one_domain_and_say_nothing_apart():
    model = sparse(ACIDS, [1, 2, 3, 4], [5, 6, 7, 8])
    assert model.domain.thresholds is None
    found = columns([model], [ACIDS[0], AMINES[0]])
    assert "a_in_domain" not in found and found["in_domain"].tolist() == [True, False]
    assert found["doubt"][0] == "" and "training data: nearest measured molecule 0." in found["doubt"][1]


def test_of_several_models_all_that_have_a_target_must_know_the_thing():
    one, other = sparse(ACIDS, [1, 2, 3, 4], [np.nan] * 4), sparse(AMINES, [1, 2, 3, 4], [5, 6, 7, 8])
    found = columns([one, other], [ACIDS[1], AMINES[1]])
    assert found["a_in_domain"].tolist() == [False, False] and found["in_domain"].tolist() == [False, False]


@pytest.mark.parametrize(
    ("smiles", "strange"),
    [
        ("N[Pt](N)(Cl)Cl", "Cl, N, Pt"),
        ("CC(=O)O", ""),
        ("C[Si](C)(C)C", "Si"),
        ("c1c[se]cc1", "Se"),
        ("CCCCCCCCC(C)C(=O)[O-].[Na+]", ""),
    ],
)
def test_an_element_that_no_training_molecule_has_is_out_of_domain_and_said(smiles, strange):
    found = columns([model_of([[1.0, 2, 3, 4]], {"y": "regression"}, smiles=ACIDS)], [smiles]).iloc[0]
    said = f"contains {strange}, which no training molecule does"
    assert found["doubt"].startswith(said) if strange else "contains" not in found["doubt"]
    assert not (strange and found["in_domain"])


def test_thresholds_and_elements_survive_on_disk(tmp_path):
    nan = np.nan
    domain = sparse([*ACIDS, *AMINES], [1, 2, 3, 4, nan, nan, nan, nan], [nan, nan, nan, nan, 5, 6, 7, 8]).domain
    domain.save(tmp_path / "domain.npz")
    again = Domain.load({INPUT: ROOM}, tmp_path / "domain.npz")
    assert again.thresholds.tolist() == domain.thresholds.tolist()
    assert again.sides[INPUT].made_of == frozenset("CNO")
    with np.load(tmp_path / "domain.npz") as file:
        earlier = {name: each for name, each in dict(file).items() if name not in ("thresholds", "made_of_0")}
    np.savez(tmp_path / "domain.npz", **earlier)
    old = Domain.load({INPUT: ROOM}, tmp_path / "domain.npz")
    near = old.nearest(things_of([ACIDS[1], "N[Pt](N)(Cl)Cl"]))
    assert near.inside.tolist() == [True, False] and near.strange == ("", ""), "an earlier version says what it said"
