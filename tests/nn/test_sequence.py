from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from molgraph.errors import ConfigError
from molgraph.nn.sequence import (
    CELLS,
    Blocks,
    Convolutions,
    Recurrent,
    Transformer,
    Words,
    buckets,
    first_rows,
    places,
    to_padded,
    to_ragged,
)

OFFSETS = torch.tensor([0, 3, 4, 4, 11, 30])  # sequences of 3, 1, 0, 7 and 19 rows
CODES = torch.randint(0, 6, (30,), generator=torch.Generator().manual_seed(0))
TABLE = torch.randn(6, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
LAYERS = {
    **{cell: lambda cell=cell: Recurrent(cell, 8, 5, bidirectional=True, depth=2) for cell in CELLS},
    "convolutions": lambda: Convolutions(8, [5, 6, 7], 4),
    "narrow convolutions": lambda: Convolutions(8, [5], 1),
    "wide convolutions": lambda: Convolutions(8, [5, 6], 25),
    "transformer": lambda: Transformer(8, depth=2, heads=2, window=3),
    "wide transformer": lambda: Transformer(8, depth=1, heads=2, window=64),
}


@pytest.fixture(params=LAYERS)
def layer(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    made: nn.Module = LAYERS[request.param]()
    for parameter in made.parameters():  # what starts as zeros is not tested as zeros
        nn.init.normal_(parameter, std=0.3)
    return made.double().eval()


def test_places_and_first_rows() -> None:
    assert places(OFFSETS).tolist() == [0, 1, 2, 0, *range(7), *range(19)]
    rows, offsets = first_rows(OFFSETS, 2)
    assert rows.tolist() == [0, 1, 3, 4, 5, 11, 12]
    assert offsets.tolist() == [0, 2, 3, 3, 5, 7]


def test_buckets_hold_sequences_of_like_length() -> None:
    lengths = torch.tensor([500, 20, 35_000, 480, 22, 510, 0])
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    found = [bucket.tolist() for bucket in buckets(offsets, 1600)]
    assert found == [[6, 1, 4], [3, 0, 5], [2]]
    assert [int(lengths[b].max()) * len(b) for b in buckets(offsets, 1600)] == [66, 1530, 35_000]


def test_padded_and_back() -> None:
    values = TABLE[CODES]
    padded, real = to_padded(values, OFFSETS)
    assert padded.shape == (5, 19, 8) and real.sum(1).tolist() == [3, 1, 0, 7, 19]
    assert torch.equal(padded[3, :7], values[4:11]) and not padded[3, 7:].any()
    assert torch.equal(to_ragged(padded, real), values)
    some, real = to_padded(values, OFFSETS, torch.tensor([3, 0]))
    assert some.shape == (2, 7, 8) and torch.equal(to_ragged(some, real), torch.cat([values[4:11], values[:3]]))


def test_the_rest_of_the_batch_does_not_matter(layer: nn.Module) -> None:
    together = layer(TABLE[CODES], OFFSETS)
    assert together.shape == (30, layer.dim)
    for begin, end in pairwise(OFFSETS.tolist()):
        if end > begin:
            alone = layer(TABLE[CODES[begin:end]], torch.tensor([0, end - begin]))
            torch.testing.assert_close(together[begin:end], alone, rtol=0, atol=1e-12)


def test_letters_are_rows_of_their_table(layer: nn.Module) -> None:
    """Six letters of eight numbers; convolutions take another way where letters are fewer than numbers."""

    def with_gradient(values: Tensor, codes: Tensor | None) -> tuple[Tensor, Tensor]:
        table = values.clone().requires_grad_()
        out = layer(table if codes is not None else table[CODES], OFFSETS, codes)
        (gradient,) = torch.autograd.grad((out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum(), table)
        return out, gradient

    by_rows, by_letters = with_gradient(TABLE, None), with_gradient(TABLE, CODES)
    torch.testing.assert_close(by_letters[0], by_rows[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(by_letters[1], by_rows[1], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("depth", [1, 2])
def test_a_stream_gives_what_a_batch_gives(cell: str, depth: int) -> None:
    torch.manual_seed(0)
    layer = Recurrent(cell, 8, 5, depth=depth).double()
    rows = TABLE[CODES][4:11]
    state = layer.initial(2)
    for row, expected in zip(rows, layer(rows, torch.tensor([0, 7])), strict=True):
        state, found = layer.step(state, torch.stack([row, -row]))
        torch.testing.assert_close(found[0], expected, rtol=0, atol=1e-14)


def test_what_runs_backwards_cannot_follow_a_stream() -> None:
    layer = Recurrent("gru", 8, 5, bidirectional=True)
    with pytest.raises(ConfigError, match="bidirectional"):
        layer.step(layer.initial(1), torch.zeros(1, 8))


def test_dropout_between_recurrent_layers() -> None:
    layer = Recurrent("gru", 8, 5, depth=2, dropout=0.5).double()
    assert not torch.equal(layer(TABLE[CODES], OFFSETS), layer(TABLE[CODES], OFFSETS))
    layer.eval()
    assert torch.equal(layer(TABLE[CODES], OFFSETS), layer(TABLE[CODES], OFFSETS))


def test_convolutions_are_those_of_torch() -> None:
    torch.manual_seed(0)
    layer = Convolutions(8, [5, 6], 4).double()
    x = TABLE[CODES][11:30].T.unsqueeze(0)
    first = F.conv1d(F.pad(x, (1, 2)), layer.first.weight, layer.first.bias).relu()
    second = layer.others[0](F.pad(first, (1, 2))).relu()
    torch.testing.assert_close(layer(TABLE[CODES], OFFSETS)[11:30], second[0].T, rtol=0, atol=1e-13)


def test_words_are_a_linear_layer_on_letters_side_by_side() -> None:
    torch.manual_seed(0)
    words = Words(8, 5, 4).double()
    rows, offsets = words(TABLE, OFFSETS, CODES)
    assert offsets.tolist() == [0, 1, 2, 2, 4, 9]
    for part, (begin, end) in enumerate(pairwise(OFFSETS.tolist())):
        letters = F.pad(TABLE[CODES[begin:end]], (0, 0, 0, -(end - begin) % 4))
        expected = letters.view(-1, 32) @ words.weight.flatten(0, 1)
        torch.testing.assert_close(rows[offsets[part] : offsets[part + 1]], expected, rtol=0, atol=1e-13)


def test_convolutions_over_more_letters_than_numbers() -> None:
    torch.manual_seed(0)
    layer, table = Convolutions(4, [5, 6], 3).double(), TABLE[:, :4]
    torch.testing.assert_close(layer(table, OFFSETS, CODES), layer(table[CODES], OFFSETS), rtol=0, atol=1e-13)


def test_attention_within_a_window_is_plain_attention() -> None:
    """A window that holds the sequence sees all of it, so the layer must agree with a dense one."""
    torch.manual_seed(0)
    wide = Transformer(8, depth=1, heads=2, window=20).double()
    (layer,) = wide.layers
    x = TABLE[CODES][11:30]
    normed = layer.before(x)
    q, k, v = (t.unflatten(1, (2, 4)).transpose(0, 1) for t in layer.mix(normed).chunk(3, 1))
    nn.init.normal_(layer.nearness)
    apart = torch.arange(19) - torch.arange(19).unsqueeze(1) + 40
    mixed = torch.softmax(q @ k.transpose(1, 2) / 2 + layer.nearness[:, apart], 2) @ v
    x = x + layer.out(mixed.transpose(0, 1).flatten(1))
    expected = wide.norm(x + layer.wide(layer.between(x)))
    torch.testing.assert_close(wide(TABLE[CODES], OFFSETS)[11:30], expected, rtol=0, atol=1e-12)


def test_blocks_do_not_reach_over_the_end_of_a_sequence() -> None:
    blocks = Blocks.of(OFFSETS, 5)
    assert blocks.around.tolist() == [
        [8, 0, 8],
        [8, 1, 8],
        [8, 2, 3],
        [2, 3, 8],
        [8, 4, 5],
        [4, 5, 6],
        [5, 6, 7],
        [6, 7, 8],
    ]
    assert blocks.real.sum(1).tolist() == [3, 1, 5, 2, 5, 5, 5, 4, 0]
    values = TABLE[CODES]
    assert torch.equal(blocks.cut(values).flatten(0, 1)[blocks.at], values)


def test_titin_beside_short_ones_needs_little_memory() -> None:
    """Padded to the longest, these would be 3.5 million rows, and titin's attention 1.2 thousand million scores."""
    lengths = torch.tensor([35_000, *[50] * 99])
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    codes = torch.randint(0, 6, (int(offsets[-1]),))
    for layer in (Convolutions(8, [4, 4], 8), Transformer(8, depth=1, heads=2, window=16), Recurrent("rnn", 8, 4)):
        with torch.no_grad():
            assert layer(TABLE.float(), offsets, codes).shape[0] == len(codes)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Recurrent("grue", 4, 4), "did you mean 'gru'"),
        (lambda: Convolutions(4, [4], 0), "kernel = 0"),
        (lambda: Words(4, 4, 0), "stride = 0"),
        (lambda: Transformer(10, depth=1, heads=4, window=4), "heads = 4"),
        (lambda: Transformer(8, depth=1, heads=4, window=0), "window = 0"),
    ],
)
def test_values_out_of_range_are_refused(make: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()  # type: ignore[operator]
