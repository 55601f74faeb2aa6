from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from molgraph.data.cells import Cells
from molgraph.data.dataset import ABSENT, Input
from molgraph.errors import CheckpointError
from molgraph.predictor import domain as domains
from molgraph.predictor.domain import Domain
from molgraph.predictor.inputs import INPUT
from molgraph.predictor.ready import unlabelled
from molgraph.rooms.molecule.room import ROOM
from molgraph.rooms.protein.groups import THRESHOLD
from molgraph.rooms.protein.room import ROOM as PROTEIN

ROOMS = {INPUT: ROOM}
BOTH = {"drug": ROOM, "target": PROTEIN}


@pytest.fixture(scope="module")
def domain(series, plan_of):
    kinds = {"pAct": "regression", "active": "binary"}
    return Domain.learn(ROOMS, plan_of(series, targets=list(kinds), task=kinds).rows.data)


def things_of(smiles):
    ready = ROOM.reading.prepare(Cells.of(smiles), ("fingerprint",))
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
    prepared = ROOM.reading.prepare(Cells.of(asked), ("fingerprint",))
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


def test_texts_of_an_earlier_version_are_read(domain, tmp_path):
    domain.save(tmp_path / "domain.npz")
    with np.load(tmp_path / "domain.npz") as file:
        found = {name: array for name, array in dict(file).items() if "_length" not in name}
    (side,) = domain.sides.values()
    texts = {"ids": domain.ids, "keys_0": side.keys, "names_0": side.names}
    np.savez(tmp_path / "domain.npz", **found | {name: np.array(each, dtype=np.str_) for name, each in texts.items()})
    again = Domain.load(ROOMS, tmp_path / "domain.npz")
    assert again.ids == domain.ids and next(iter(again.sides.values())).keys == side.keys


def test_saved_and_loaded_it_is_equal_to_the_bit(domain, tmp_path):
    domain.save(tmp_path / "domain.npz")
    again = Domain.load(ROOMS, tmp_path / "domain.npz")
    mine, theirs = domain.sides[INPUT], again.sides[INPUT]
    assert (theirs.keys, again.ids, theirs.threshold) == (mine.keys, domain.ids, mine.threshold)
    assert torch.equal(theirs.prints.values["fingerprint"], mine.prints.values["fingerprint"])
    for name in ("index", "values", "bound"):
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


# --- several inputs --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def paired(pairs_table, plan_of, pair_settings):
    """Return the domain of 60 pairs, 6 of them without a protein and 4 without a ligand, and the data of all 80."""
    frame = pairs_table.copy()
    frame.loc[frame.index[10:16], "sequence"] = ""
    frame.loc[frame.index[20:24], "smiles"] = ""
    inputs = {name: {**section, "optional": True} for name, section in pair_settings["inputs"].items()}
    data = plan_of(frame, **{**pair_settings, "inputs": inputs, "duplicates": "keep"}).rows.data
    return Domain.learn(BOTH, data.subset(np.arange(60))), data


def by_hand(domain, data):
    """Return the similarity of each row of `data` to each training row, one pair of texts after the other."""
    similar = {}
    for name, room in BOTH.items():
        side, given = domain.sides[name], data.inputs[name]
        mine, theirs = (
            room.reading.prepare(Cells.of(keys), (room.likeness.fingerprint,), standardise=False)
            for keys in (given.keys, side.keys)
        )
        similar[name] = room.likeness.index(theirs.parts).similarity(mine.parts)
    out = np.zeros((len(data), len(domain.ids)), dtype=np.float64)
    for row in range(len(data)):
        for known in range(len(domain.ids)):
            product = 1.0
            for at, name in enumerate(BOTH):
                ours, other = int(data.inputs[name].index[row]), int(domain.index[known, at])
                both = ours != ABSENT and other != ABSENT
                lacking = 1.0 if other == ABSENT else float(domains.ALMOST)
                product *= float(similar[name][ours, other]) if both else lacking * (ours == ABSENT)
            out[row, known] = product
    return out


@pytest.mark.parametrize("cells", [domains.CELLS, 30], ids=["at once", "in blocks"])
def test_the_nearest_row_is_that_of_the_greatest_product(paired, monkeypatch, cells):
    monkeypatch.setattr(domains, "CELLS", cells)
    domain, data = paired
    near, expected = domain.nearest(data), by_hand(domain, data)
    np.testing.assert_allclose(near.similarity, expected.max(axis=1), atol=1e-6)
    np.testing.assert_allclose(expected[np.arange(len(data)), near.rows], expected.max(axis=1), atol=1e-6)
    assert (near.similarity[:60] == 1).all()
    assert [domain.ids[row] for row in near.rows[:60]] == list(data.ids[:60])


def test_each_side_has_its_own_nearest_and_its_own_border(paired):
    domain, data = paired
    near = domain.nearest(data)
    inside = np.ones(len(data), dtype=bool)
    for name, side in domain.sides.items():
        given = data.inputs[name]
        best = side.room.likeness.index(side.prints).similarity(given.parts).max(axis=1)
        at = given.index.numpy()
        wanted = np.where(at == ABSENT, np.nan, best[at])
        np.testing.assert_allclose(near.sides[name], wanted, atol=1e-6)
        inside &= (wanted >= side.threshold) | (at == ABSENT)
    assert near.inside.tolist() == inside.tolist()


def test_far_in_one_input_is_far(paired, pair):
    domain, _ = paired
    known = domain.sides["drug"].keys[0], domain.sides["target"].keys[0]
    far = "[Pt](Cl)(Cl)(N)N", "WWWWWWWWWWWWWWWWWWWW"
    frame = [{"smiles": drug, "sequence": target} for drug in (known[0], far[0]) for target in (known[1], far[1])]
    things = pair[1].inputs.prepare(next(pair[1].read(pd.DataFrame(frame)))).things()[0]
    assert domain.nearest(things).inside.tolist() == [True, False, False, False]


def test_a_row_that_lacks_an_input_is_judged_by_the_others(paired):
    domain, data = paired
    whole = replace(domain, index=domain.index[:10])  # these rows have both
    lacking = data.subset(np.arange(10, 16))
    near, drugs = whole.nearest(lacking), whole.sides["drug"]
    best = drugs.index.similarity(drugs.prints)[:, whole.index[:, 0]].max(axis=1)
    at = [drugs.keys.index(lacking.inputs["drug"].key_of(row)) for row in range(len(lacking))]
    np.testing.assert_allclose(near.similarity, best[at], atol=1e-6)
    assert (near.similarity > 0).all() and np.isnan(near.sides["target"]).all()


def test_no_protein_of_another_family_is_inside():
    """Of proteins without relatives the 5 % quantile is next to none, and any word in common would do."""
    random = np.random.default_rng(0)
    alone = ["".join(random.choice(list("ACDEFGHIKLMNPQRSTVWY"), 300)) for _ in range(8)]
    made = PROTEIN.reading.prepare(Cells.of(alone), (PROTEIN.likeness.fingerprint,))
    side = domains.Side.learn(PROTEIN, Input(made.parts, torch.arange(8), made.keys))
    assert side.threshold == PROTEIN.likeness.related == THRESHOLD
    low = {**side.arrays(), "threshold": np.array(1e-7)}  # as an earlier version wrote it
    assert domains.Side.of(PROTEIN, low).threshold == THRESHOLD


def test_names_and_keys_of_all_inputs(paired, pairs):
    domain, _ = paired
    assert set(domain.sides["target"].names) == set(pairs["target_id"])
    assert set(domain.sides["drug"].names) <= set(pairs["drug_id"])
    side = domain.sides["target"]
    sequence = dict(zip(pairs["target_id"], pairs["sequence"], strict=True))
    assert [sequence[name] for name in side.names] == list(side.keys)
    assert domain.key(20) == "" and domain.key(0) == domain.sides["drug"].keys[domain.index[0, 0]]
    unnamed = replace(side, names=())
    assert [unnamed.name(at) for at in range(len(side.keys))] == list(side.keys)


def test_pairs_are_seen_only_as_pairs(paired):
    domain, data = paired
    assert domain.seen(data.subset(np.arange(60))).all()
    new = data.subset(np.arange(60, 80))
    assert not domain.seen(new).any()  # every ligand and every protein is known, no pair is


def test_a_domain_of_pairs_is_saved_to_the_bit(paired, tmp_path):
    domain, data = paired
    domain.save(tmp_path / "domain.npz")
    again = Domain.load(BOTH, tmp_path / "domain.npz")
    assert again.ids == domain.ids
    for name, side in domain.sides.items():
        theirs = again.sides[name]
        assert (theirs.keys, theirs.names, theirs.threshold) == (side.keys, side.names, side.threshold)
        assert theirs.prints.level == side.prints.level
        for mine, other in ((side.prints.values, theirs.prints.values), (side.prints.offsets, theirs.prints.offsets)):
            assert list(mine) == list(other) and all(torch.equal(mine[n], other[n]) for n in mine)
    for name in ("index", "values", "bound"):
        assert getattr(again, name).tobytes() == getattr(domain, name).tobytes()
    mine, theirs = domain.nearest(data), again.nearest(data)
    assert mine.rows.tobytes() == theirs.rows.tobytes() and mine.similarity.tobytes() == theirs.similarity.tobytes()


def test_nothing_asked_is_nothing_found(paired):
    domain, data = paired
    near = domain.nearest(data.subset(np.arange(0)))
    assert len(near.rows) == len(near.similarity) == len(near.inside) == 0


def test_an_input_that_no_training_row_has(pairs, plan_of, pair_settings):
    inputs = {name: {**section, "optional": True} for name, section in pair_settings["inputs"].items()}
    data = plan_of(pairs, **{**pair_settings, "inputs": inputs}).rows.data
    blank = replace(data.inputs["target"], index=torch.full((len(data),), ABSENT))
    domain = Domain.learn(BOTH, replace(data, inputs={**data.inputs, "target": blank}))
    near = domain.nearest(data)
    assert (near.similarity == 0).all() and not near.inside.any()
