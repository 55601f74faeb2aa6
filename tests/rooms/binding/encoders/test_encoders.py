"""What every encoder of complexes promises: the frame, the order of atoms and batch mates do not matter."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pockets import Made, Unzip, atom_line, beside, embedded, places
from rdkit import Chem
from safetensors.torch import load, save
from torch import Tensor

from molgraph import registry
from molgraph.data.dataset import Dataset, Input
from molgraph.data.packed import Packed
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.kinds.number import Number
from molgraph.model.model import Model
from molgraph.rooms.binding.encoders.encoder import Complexes
from molgraph.rooms.binding.pose import Pose
from molgraph.rooms.binding.prepare import prepare
from molgraph.rooms.binding.residues import ION, LIGAND, WATER

NAMES = [n for n in registry.own_models() if n.startswith("binding/") and registry.model(n).family == "network"]
LIGANDS = ("CC(=O)Nc1ccc(O)cc1", "C", "C[N+](C)(C)CC(=O)[O-]", "FC(F)(F)c1ccc(C2CC2)cc1Br", "[Na+]")
TINY: dict[str, Any] = {"hidden": 16, "depth": 3}


@pytest.fixture(scope="module")
def parts(complex_made: Made, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Return five ligands, two of them one atom, beside a peptide with a water and a zinc."""
    folder = tmp_path_factory.mktemp("complexes")
    centre = places(complex_made.ligand).mean(axis=0)
    water = atom_line(900, "O", "HOH", centre + np.array([0, 4.1, 0]), number=900, element="O", record="HETATM")
    zinc = atom_line(901, "ZN", "ZN", centre + np.array([0, -4.2, 0]), number=901, element="ZN", record="HETATM")
    (folder / "r.pdb").write_text(complex_made.pdb.replace("END\n", water + zinc), encoding="utf-8")
    for number, smiles in enumerate(LIGANDS):
        block = Chem.MolToMolBlock(beside(complex_made.peptide, embedded(Chem.MolFromSmiles(smiles))))
        (folder / f"{number}.sdf").write_text(block, encoding="utf-8")
    texts = [Pose(str(folder / "r.pdb"), str(folder / f"{number}.sdf")).text for number in range(len(LIGANDS))]
    made = prepare(texts, ("complex",))
    assert not made.rejects, made.rejects
    return made.parts


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def dataset(parts: Packed, index: list[int] | None = None) -> Dataset:
    at = torch.arange(len(parts)) if index is None else torch.tensor(index)
    n = len(at)
    return Dataset({"complex": Input(parts, at)}, Targets.none(n), np.arange(1, n + 1), tuple(map(str, range(n))))


def made(name: str, parts: Packed, seed: int = 0, **settings: Any) -> Model:
    """Return a small model in float64, adapted to all parts, in evaluation mode."""
    torch.manual_seed(seed)
    encoder = registry.model(name)(parts.schema, **TINY, **settings)
    encoder.adapt(dataset(parts))
    return Model(encoder, Number(("a", "b")), pooling=encoder.pooling, hidden=16).double().eval()


def predicted(model: Model, parts: Packed) -> Tensor:
    with torch.no_grad():
        return model(dataset(parts).batch(torch.arange(len(parts))))


def turned(parts: Packed, seed: int) -> Packed:
    """Return the same complexes, each turned and shifted in its own way."""
    draw = np.random.default_rng(seed)
    xyz = parts.values["xyz"].double().clone()
    for begin, end in zip(parts.offsets["atom"][:-1].tolist(), parts.offsets["atom"][1:].tolist(), strict=True):
        turn = np.linalg.qr(draw.normal(size=(3, 3)))[0]
        turn *= np.sign(np.linalg.det(turn))
        xyz[begin:end] = xyz[begin:end] @ torch.from_numpy(turn) + torch.from_numpy(draw.uniform(-20, 20, 3))
    return replace(parts, values={**parts.values, "xyz": xyz.float()})


def mirrored(parts: Packed) -> Packed:
    return replace(parts, values={**parts.values, "xyz": parts.values["xyz"] * torch.tensor([-1.0, 1.0, 1.0])})


def renumbered(parts: Packed, seed: int) -> Packed:
    """Return the same complexes with atoms in another order inside ligand and pocket, and bonds in another order."""
    draw = torch.Generator().manual_seed(seed)
    values = {key: value.clone() for key, value in parts.values.items()}
    for part in range(len(parts)):
        atoms = slice(*parts.offsets["atom"][part : part + 2].tolist())
        bonds = slice(*parts.offsets["bond"][part : part + 2].tolist())
        count = atoms.stop - atoms.start
        ligand = int((parts.values["atom"][atoms, -1] == LIGAND).sum())
        pocket = ligand + torch.randperm(count - ligand, generator=draw)
        order = torch.cat([torch.randperm(ligand, generator=draw), pocket])
        for key in ("atom", "xyz", "near"):
            values[key][atoms] = parts.values[key][atoms][order]
        ends = torch.argsort(order)[parts.values["ends"][bonds].long()]
        values["ends"][bonds] = ends[torch.randperm(len(ends), generator=draw)].flip(1).int()
    return replace(parts, values=values)


def test_shapes(name: str, parts: Packed) -> None:
    model = made(name, parts)
    features = model.encoder(dataset(parts).batch(torch.arange(len(parts))))
    ligand = parts.values["atom"][:, -1] == LIGAND
    if model.encoder.pooled:
        assert features.offsets is None and features.values.shape == (len(parts), TINY["hidden"])
    else:
        assert features.values.shape == (int(ligand.sum()), TINY["hidden"])
        assert features.offsets is not None and features.offsets.diff().tolist() == [11, 1, 8, 14, 1]
    assert predicted(model, parts).shape == (len(parts), 2) and predicted(model, parts).isfinite().all()
    assert model.encoder.needs == ("complex",)


@pytest.mark.parametrize("seed", range(3))
def test_turning_and_shifting_changes_nothing(name: str, parts: Packed, seed: int) -> None:
    model = made(name, parts)
    torch.testing.assert_close(predicted(model, turned(parts, seed)), predicted(model, parts), rtol=1e-4, atol=1e-6)


def test_a_mirror_image_is_another_complex_to_voxels_only(parts: Packed) -> None:
    for name in NAMES:
        model = made(name, parts)
        same = torch.allclose(predicted(model, mirrored(parts)), predicted(model, parts), rtol=1e-4)
        assert same is (name != "binding/cnn3d"), "distances know no hand, a grid does"


def test_the_order_of_atoms_and_bonds_does_not_matter(name: str, parts: Packed) -> None:
    model = made(name, parts)
    for seed in range(2):
        torch.testing.assert_close(
            predicted(model, renumbered(parts, seed)), predicted(model, parts), rtol=1e-7, atol=1e-9
        )


def test_a_row_alone_is_predicted_as_in_a_batch(name: str, parts: Packed) -> None:
    model = made(name, parts)
    together = predicted(model, parts)
    alone = torch.cat([predicted(model, parts.gather(torch.tensor([i]))) for i in range(len(parts))])
    torch.testing.assert_close(alone, together, rtol=1e-9, atol=1e-11)
    assert len(torch.unique(together[:, 0])) == len(parts), "different complexes have different predictions"


def test_gradient_reaches_every_parameter(name: str, parts: Packed) -> None:
    model = made(name, parts, waters=True).train()
    raw = model(dataset(parts).batch(torch.arange(len(parts))))
    (raw * torch.linspace(-1, 2, raw.numel(), dtype=raw.dtype).view_as(raw)).sum().backward()
    dead = [
        k for k, p in model.named_parameters() if p.grad is None or not bool(p.grad.isfinite().all() and p.grad.any())
    ]
    assert dead == []


def test_saved_weights_give_bit_equal_predictions(name: str, parts: Packed) -> None:
    model = made(name, parts)
    other = made(name, parts.gather(torch.tensor([0, 2])), seed=1)
    assert not torch.equal(predicted(other, parts), predicted(model, parts))
    other.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(predicted(other, parts), predicted(model, parts))


@pytest.mark.parametrize(("setting", "kind"), [("waters", WATER), ("metals", ION)])
def test_waters_and_metals_are_seen_when_asked_for(name: str, parts: Packed, setting: str, kind: int) -> None:
    there = parts.values["atom"][:, -1] == kind
    assert int(there.sum()) == len(parts)
    off, on = (made(name, parts, **{setting: chosen}) for chosen in (False, True))
    shifted = replace(parts, values={**parts.values, "xyz": parts.values["xyz"] + there.unsqueeze(1) * 0.3})
    assert torch.equal(predicted(off, shifted), predicted(off, parts))
    assert not torch.allclose(predicted(on, shifted), predicted(on, parts))


def test_the_pocket_matters(name: str, parts: Packed) -> None:
    model = made(name, parts)
    ligand = (parts.values["atom"][:, -1] == LIGAND).unsqueeze(1)
    pulled = parts.values["xyz"] + torch.where(ligand, 1.0, 0.0) * torch.tensor([0.8, 0.0, 0.0])
    moved = replace(parts, values={**parts.values, "xyz": pulled})
    assert not torch.allclose(predicted(model, moved)[0], predicted(model, parts)[0], rtol=1e-5)


def test_a_ligand_without_a_neighbour_has_a_prediction(name: str, parts: Packed) -> None:
    """With the smallest cutoff nothing but the ligand is left of some complexes."""
    model = made(name, parts, cutoff=0.5)
    assert predicted(model, parts).isfinite().all()
    model.train()
    assert model(dataset(parts.gather(torch.tensor([1]))).batch(torch.tensor([0]))).isfinite().all()


def test_a_complex_of_many_rows_is_encoded_once(name: str, parts: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made(name, parts)
    seen: list[int] = []
    encode: Callable[[Complexes], Tensor] = model.encoder.encode
    monkeypatch.setattr(model.encoder, "encode", lambda given: seen.append(len(given.offsets) - 1) or encode(given))
    with torch.no_grad():
        raw = model(dataset(parts, [2, 0, 2]).batch(torch.arange(3)))
    assert seen == [2] and torch.equal(raw[0], raw[2])


def test_the_signature_is_the_schema_of_its_settings(name: str) -> None:
    made = registry.model(name)
    _, given, *tunable = inspect.signature(made.__init__).parameters.values()
    assert given.name == "schema" and given.default is given.empty
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in tunable)
    assert set(made.space) <= {p.name for p in tunable}


def test_every_corner_of_the_search_space_can_be_built(name: str, parts: Packed) -> None:
    made = registry.model(name)
    for key, values in made.space.items():
        for value in values if isinstance(values, list) else (values["low"], values["high"]):
            assert made(parts.schema, **{key: value}).dim > 0


@pytest.mark.parametrize(
    "wrong",
    [{"hidden": 0}, {"depth": 0}, {"dropout": 1.0}, {"dropout": -0.1}, {"cutoff": 0.0}, {"cutoff": 8.1}],
    ids=str,
)
def test_values_out_of_range_are_refused(name: str, parts: Packed, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        registry.model(name)(parts.schema, **wrong)


def test_real_complexes_turn(unzipped: Unzip, name: str) -> None:
    """Crystal complexes, in single precision as they are trained."""
    folder: Path = unzipped("pdbbind_mini", None)
    names = [path.name for path in sorted(folder.iterdir())][:12]
    poses = [Pose(str(folder / n / f"{n}_pocket.pdb"), str(folder / n / f"{n}_ligand.sdf")).text for n in names]
    real = prepare(poses, ("complex",)).parts
    model = made(name, real).float()
    before, after = predicted(model, real), predicted(model, turned(real, 5))
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4 * float(before.abs().mean()))
