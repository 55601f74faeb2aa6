from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from molgraph.data.dataset import Batch
from molgraph.data.packed import Packed
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.nn.codes import one_hot
from molgraph.rooms.molecule.encoders.dmpnn import DMPNN
from molgraph.rooms.molecule.prepare import prepare


@pytest.fixture(scope="module")
def parts(chembl_table: pd.DataFrame) -> Packed:
    return prepare(["C", *chembl_table["smiles"][::16], "[Na+]"], ("graph",), standardise=False).parts


def batch(parts: Packed) -> Batch:
    return Batch({"molecule": parts}, {"molecule": torch.arange(len(parts))}, Targets.none(len(parts)))


def made(parts: Packed, **settings: Any) -> DMPNN:
    torch.manual_seed(0)
    return DMPNN(parts.schema, **{"hidden": 20, **settings}).double()


def by_the_paper(encoder: DMPNN, parts: Packed) -> Tensor:
    """Compute Yang 2019, equations 1 and 3 to 7, molecule by molecule and edge by edge, on one-hots."""
    weight = {name: p.detach() for name, p in encoder.named_parameters()}
    w_i = torch.cat([weight["W_i_atom.weight"], weight["W_i_bond.weight"]])
    w_o = torch.cat([weight["W_o_atom.weight"], weight["W_o.weight"].T])
    zero = torch.zeros(encoder.dim, dtype=torch.float64)
    result = []
    for p in range(len(parts)):
        one = parts.gather(torch.tensor([p]))
        x = one_hot(one.values["atom"], parts.schema["atom"]).double()
        e = one_hot(one.values["bond"], parts.schema["bond"]).double()
        ends = one.values["ends"].tolist()
        bond = {(v, w): k for k, (v, w) in enumerate(ends)} | {(w, v): k for k, (v, w) in enumerate(ends)}
        before = {
            (v, w): torch.cat([x[v], e[k]]) @ w_i + weight.get("W_i_atom.bias", zero) for (v, w), k in bond.items()
        }
        h = {edge: encoder.tau(value) for edge, value in before.items()}
        for _ in range(encoder.depth - 1):
            m = {(v, w): sum((h[u, t] for u, t in bond if t == v and u != w), zero) for v, w in bond}
            h = {
                edge: encoder.tau(before[edge] + m[edge] @ weight["W_h.weight"].T + weight.get("W_h.bias", zero))
                for edge in bond
            }
        for v in range(len(x)):
            m_v = sum((h[u, t] for u, t in bond if t == v), zero)
            result.append(encoder.tau(torch.cat([x[v], m_v]) @ w_o + weight["W_o_atom.bias"]))
    return torch.stack(result)


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize(
    "settings", [{}, {"bias": True, "activation": "elu"}, {"depth": 1}, {"depth": 5, "activation": "tanh"}], ids=str
)
def test_it_computes_the_equations_of_the_paper(parts: Packed, settings: dict[str, Any], share: bool) -> None:
    encoder = made(parts, **settings)
    encoder.share = share
    some = parts.gather(torch.tensor([0, 1, 20, 40, 65]))
    torch.testing.assert_close(encoder(batch(some)).values, by_the_paper(encoder, some), rtol=1e-10, atol=1e-12)


def test_sharing_changes_neither_features_nor_gradients(parts: Packed) -> None:
    results = []
    for share in (True, False):
        encoder = made(parts, bias=True)
        encoder.share = share
        values = encoder(batch(parts)).values
        (values * torch.arange(values.numel()).view_as(values).sin()).sum().backward()
        results.append([values.detach(), *(p.grad for p in encoder.parameters())])
    for shared, apart in zip(*results, strict=True):
        torch.testing.assert_close(shared, apart, rtol=1e-9, atol=1e-10)


def test_sharing_saves_most_of_the_work(parts: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = made(parts)
    rows = []
    linear = F.linear
    monkeypatch.setattr(F, "linear", lambda x, *rest: rows.append(len(x)) or linear(x, *rest))
    for encoder.share in (True, False):
        encoder(batch(parts))
    shared, apart = sum(rows[:3]), sum(rows[3:])
    assert len(rows) == 6 and shared < apart / 5


def test_dropout_treats_edges_apart(parts: Packed) -> None:
    encoder = made(parts, dropout=0.5).train()
    twice = prepare(["c1ccccc1"], ("graph",)).parts  # six atoms alike
    values = encoder(batch(twice)).values
    assert len(np.unique(values.detach().numpy(), axis=0)) == 6
    assert not torch.equal(encoder(batch(twice)).values, values)
    encoder.eval()
    quiet = encoder(batch(twice)).values
    assert len(np.unique(quiet.detach().numpy(), axis=0)) == 1


def test_without_sharing_every_atom_has_its_own_gradient(parts: Packed) -> None:
    encoder = made(parts).eval()
    encoder.share = False
    embedded = []
    encoder.W_i_atom.register_forward_hook(lambda _m, _i, out: embedded.append(out))
    benzene = prepare(["c1ccccc1"], ("graph",)).parts
    encoder(batch(benzene)).values[0].sum().backward()
    assert embedded[0].shape == (6, encoder.dim)


def test_an_unknown_activation_is_refused(parts: Packed) -> None:
    with pytest.raises(ConfigError, match="did you mean 'relu'"):
        made(parts, activation="rely")
