from dataclasses import replace

import numpy as np
import pytest
import torch
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from molgraph.data.dataset import Input
from molgraph.errors import CheckpointError
from molgraph.molecule.room import ROOM
from molgraph.predictor.domain import Domain
from molgraph.predictor.inputs import INPUT, unlabelled

ROOMS = {INPUT: ROOM}


@pytest.fixture(scope="module")
def domain(series, plan_of):
    kinds = {"pAct": "regression", "active": "binary"}
    return Domain.learn(ROOMS, plan_of(series, targets=list(kinds), task=kinds).rows.data)


def things_of(smiles):
    ready = ROOM.prepare(smiles, ("fingerprint",))
    return unlabelled({INPUT: Input(ready.parts, torch.arange(len(ready.parts)), ready.keys)}, len(ready.parts))


def keys_of(domain):
    return [domain.key(row) for row in range(len(domain.ids))]


def rdkit_similarities(smiles, others):
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    theirs = [make.GetFingerprint(Chem.MolFromSmiles(s)) for s in others]
    return [
        np.array(DataStructs.BulkTanimotoSimilarity(make.GetFingerprint(Chem.MolFromSmiles(s)), theirs)) for s in smiles
    ]


def test_the_threshold_is_what_95_percent_of_the_training_ligands_reach(domain):
    near = []
    for at, row in enumerate(rdkit_similarities(keys_of(domain), keys_of(domain))):
        row[at] = -1
        near.append(row.max())
    assert domain.sides[INPUT].threshold == pytest.approx(np.quantile(near, 0.05), abs=1e-6)
    assert 0 < domain.sides[INPUT].threshold < 1


def test_the_nearest_is_rdkits_nearest(domain, nci):
    asked = nci[:40]
    prepared = ROOM.prepare(asked, ("fingerprint",))
    near = domain.nearest(things_of(asked))
    at, similarity = near.rows, near.similarity
    expected = rdkit_similarities(prepared.keys, keys_of(domain))
    np.testing.assert_allclose(similarity, [row.max() for row in expected], atol=1e-6)
    np.testing.assert_allclose([row[i] for i, row in zip(at, expected, strict=True)], similarity, atol=1e-6)


def test_a_training_ligand_is_its_own_neighbour_under_the_users_name(domain, series):
    near = domain.nearest(things_of(series["smiles"].tolist()[:5]))
    at, similarity = near.rows, near.similarity
    assert near.inside.all() and list(near.sides) == [INPUT]
    assert similarity.tolist() == [1.0] * 5
    assert [domain.ids[i] for i in at] == series["name"].tolist()[:5]
    np.testing.assert_allclose(domain.values[at, 0], series["pAct"].to_numpy()[:5], rtol=1e-6)
    assert domain.values[at, 1].tolist() == series["active"].tolist()[:5]


def test_what_was_not_measured_stays_unknown(series, plan_of):
    frame = series.assign(pAct=[None if i == 3 else v for i, v in enumerate(series["pAct"])])
    kinds = {"pAct": "regression", "active": "binary"}
    learned = Domain.learn(ROOMS, plan_of(frame, targets=list(kinds), task=kinds).rows.data)
    assert np.isnan(learned.values[3]).tolist() == [True, False]


def test_one_training_molecule_makes_a_domain(series, plan_of):
    data = plan_of(series).rows.data.subset(np.array([0]))
    alone = Domain.learn(ROOMS, data)
    assert alone.sides[INPUT].threshold == 1  # nothing says how far is near: only the molecule itself is inside
    near = alone.nearest(things_of(["CCO", series["smiles"][0]]))
    assert near.rows.tolist() == [0, 0] and near.inside.tolist() == [False, True]


def test_saved_and_loaded_it_is_equal_to_the_bit(domain, tmp_path):
    domain.save(tmp_path / "domain.npz")
    again = Domain.load(ROOMS, tmp_path / "domain.npz")
    mine, theirs = domain.sides[INPUT], again.sides[INPUT]
    assert (theirs.keys, again.ids, theirs.threshold) == (mine.keys, domain.ids, mine.threshold)
    assert torch.equal(theirs.prints.values["fingerprint"], mine.prints.values["fingerprint"])
    for name in ("index", "values"):
        assert getattr(again, name).tobytes() == getattr(domain, name).tobytes()
        assert getattr(again, name).dtype == getattr(domain, name).dtype


def test_names_of_any_script_survive(domain, tmp_path):
    named = replace(domain, ids=("Ωmega", "", *domain.ids[2:]))
    named.save(tmp_path / "domain.npz")
    assert Domain.load(ROOMS, tmp_path / "domain.npz").ids[:2] == ("Ωmega", "")


@pytest.mark.parametrize("damage", ["empty", "half", "flipped", "text", "pickle", "other"])
def test_a_damaged_file_is_told(domain, tmp_path, damage):
    path = tmp_path / "domain.npz"
    domain.save(path)
    whole = path.read_bytes()
    middle = len(whole) // 3
    changed = {
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "flipped": whole[:middle] + bytes(b ^ 255 for b in whole[middle : middle + 50]) + whole[middle + 50 :],
        "text": b"not a zip file",
    }
    if damage == "pickle":
        np.savez(path, prints_0=np.array([{"a": 1}], dtype=object), index=[], ids=[], values=[])
    elif damage == "other":
        np.savez(path, index=domain.index)
    else:
        path.write_bytes(changed[damage])
    with pytest.raises(CheckpointError, match="domain file is damaged"):
        Domain.load(ROOMS, path)
