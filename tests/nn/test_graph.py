from __future__ import annotations

import pandas as pd
import pytest
import torch
from torch import Tensor

from molgraph.data.packed import Packed
from molgraph.nn.graph import Graph, Kinds, Sums, code_keys, return_probabilities, scramble, surroundings
from molgraph.rooms.molecule.prepare import prepare


def graph_of(parts: Packed) -> Graph:
    return Graph.of(parts.values["ends"], parts.offsets["atom"], parts.offsets["bond"])


@pytest.fixture(scope="module")
def parts(chembl_table: pd.DataFrame) -> Packed:
    """Return 64 measured ligands with a lone atom among them."""
    return prepare(["C", *chembl_table["smiles"][::16], "[Na+]"], ("graph",), standardise=False).parts


def test_edges_and_their_reverse(parts: Packed) -> None:
    graph = graph_of(parts)
    each = torch.arange(len(graph.source))
    assert torch.equal(graph.source[each ^ 1], graph.target)
    bond = int(parts.offsets["bond"][2])
    shift = parts.offsets["atom"][2]
    assert graph.edge_index[:, 2 * bond].tolist() == (parts.values["ends"][bond] + shift).tolist()
    assert torch.equal(graph.part[graph.source], graph.part[graph.target])
    assert len(graph.part) == graph.nodes == len(parts.values["atom"])


def test_incoming_sums_the_edges_that_end_at_a_node(parts: Packed) -> None:
    graph = graph_of(parts)
    x = torch.randn(len(graph.source), 3, dtype=torch.float64)
    expected = torch.zeros(graph.nodes, 3, dtype=torch.float64).index_add(0, graph.target, x)
    torch.testing.assert_close(graph.incoming()(x), expected)


def test_onward_leaves_the_way_back_out(parts: Packed) -> None:
    graph = graph_of(parts)
    x = torch.randn(len(graph.source), 3, dtype=torch.float64)
    edges = torch.arange(len(x))
    everything = torch.zeros(graph.nodes, 3, dtype=torch.float64).index_add(0, graph.target, x)
    expected = everything[graph.source] - x[edges ^ 1]
    onward = graph.onward(graph.incoming(), edges)
    torch.testing.assert_close(onward(x), expected)
    torch.testing.assert_close(graph.onward(graph.incoming(), edges[5:99:3])(x), expected[5:99:3])


def test_sums_and_their_gradient() -> None:
    sums = Sums(torch.tensor([2, 0, 2, 2, 1]), torch.tensor([0, 2, 2, 5]))
    x = torch.arange(8.0, dtype=torch.float64).view(4, 2).requires_grad_()
    assert sums(x).tolist() == [[4.0, 6.0], [0.0, 0.0], [10.0, 13.0]]
    assert sums.take(torch.tensor([2, 0]))(x).tolist() == [[10.0, 13.0], [4.0, 6.0]]
    assert sums.renamed(torch.tensor([3, 3, 0, 1]))(x).tolist()[0] == [6.0, 8.0]
    assert torch.autograd.gradcheck(sums, x)


def test_sums_over_nothing() -> None:
    none = torch.zeros(0, dtype=torch.int64)
    x = torch.zeros(0, 3, requires_grad=True)
    result = Sums(none, torch.zeros(5, dtype=torch.int64))(x)
    result.sum().backward()
    assert result.tolist() == [[0.0] * 3] * 4
    assert x.grad is not None and x.grad.shape == (0, 3)


def test_kinds() -> None:
    kinds = Kinds.alike(torch.tensor([7, -2, 7, 5, -2]))
    assert kinds.first.tolist() == [1, 3, 0]
    assert kinds.of.tolist() == [2, 0, 2, 1, 0]
    assert Kinds.alike(torch.zeros(0, dtype=torch.int64)).first.tolist() == []
    assert Kinds.all_different(torch.zeros(3)).of.tolist() == [0, 1, 2]


def test_scramble_is_one_to_one_and_spreads() -> None:
    keys = scramble(torch.arange(100_000))
    assert len(keys.unique()) == 100_000
    assert len(scramble(torch.cat([keys, ~keys])).unique()) == 200_000
    ones = torch.stack([(keys >> bit) & 1 for bit in range(64)]).double().mean(1)
    assert float((ones - 0.5).abs().max()) < 0.01


def test_code_keys_tell_rows_apart(parts: Packed) -> None:
    atom = parts.values["atom"]
    assert len(code_keys(atom).unique()) == len(atom.unique(dim=0))


def refined(parts: Packed, graph: Graph, depth: int) -> tuple[list[list[object]], list[object]]:
    """Return the surroundings of edges and nodes written out in full: the truth that keys stand for."""
    atom = [tuple(row) for row in parts.values["atom"].tolist()]
    bond = [tuple(row) for row in parts.values["bond"].tolist()]
    source, target = graph.source.tolist(), graph.target.tolist()
    into: list[list[int]] = [[] for _ in range(graph.nodes)]
    for edge, node in enumerate(target):
        into[node].append(edge)
    first = [(atom[source[e]], bond[e // 2]) for e in range(len(source))]
    levels: list[list[object]] = [list(first)]
    for _ in range(depth - 1):
        seen = [hash(s) for s in levels[-1]]
        levels.append(
            [(first[e], tuple(sorted(seen[u] for u in into[source[e]] if u != e ^ 1))) for e in range(len(source))]
        )
    return levels, [(atom[n], tuple(sorted(hash(levels[-1][e]) for e in into[n]))) for n in range(graph.nodes)]


def same_partition(keys: Tensor, truth: list[object]) -> bool:
    pairs = set(zip(keys.tolist(), truth, strict=True))
    return len(pairs) == len(set(keys.tolist())) == len(set(truth))


def test_keys_are_equal_exactly_where_the_surroundings_are(parts: Packed) -> None:
    graph = graph_of(parts)
    edges, nodes = surroundings(graph, code_keys(parts.values["atom"]), code_keys(parts.values["bond"]), 5)
    truth, at_nodes = refined(parts, graph, 5)
    for keys, level in zip(edges, truth, strict=True):
        assert same_partition(keys, level)
    assert same_partition(nodes, at_nodes)
    assert len(edges[1].unique()) < len(edges[1]) / 10, "a series of ligands repeats itself"


def test_return_probabilities_are_those_of_a_random_walk(parts: Packed) -> None:
    graph = graph_of(parts.gather(torch.tensor([0, 3, 30, 65])))
    chances = return_probabilities(graph, 4, torch.float64)
    walk = torch.zeros(graph.nodes, graph.nodes, dtype=torch.float64)
    walk[graph.source, graph.target] = 1
    walk = walk / walk.sum(1, keepdim=True).clamp(min=1)
    expected = torch.stack([torch.matrix_power(walk, k + 1).diagonal() for k in range(4)], 1)
    torch.testing.assert_close(chances, expected)
    assert chances[0].tolist() == [0.0] * 4, "a lone atom has no bond to walk along"
