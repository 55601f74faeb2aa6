"""Layers over ragged sequences: rows end to end with offsets in, rows end to end out, no row of padding computed twice.

No layer lets one sequence see another, so what a sequence gives depends on nothing but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence

from molgraph.data.packed import owners, spans, starts
from molgraph.errors import ConfigError, did_you_mean
from molgraph.nn.dropout import Dropout, dropout
from molgraph.nn.scan import gru, lstm, rnn

Scan = Callable[[Tensor, Tensor, Tensor, Sequence[int]], Tensor]
CELLS: dict[str, tuple[Callable[..., nn.RNNBase], Scan]] = {
    "rnn": (nn.RNN, rnn),
    "lstm": (nn.LSTM, lstm),
    "gru": (nn.GRU, gru),
}
State = tuple[Tensor, ...]  # of a recurrent network: (h,), of an LSTM (h, c), each [depth, n, hidden]


def places(offsets: Tensor) -> Tensor:
    """Return for each row its place within its sequence, from 0: int64 [M]."""
    return torch.arange(int(offsets[-1]), device=offsets.device) - offsets[:-1].repeat_interleave(offsets.diff())


def rows_of(values: Tensor, codes: Tensor | None) -> Tensor:
    """Return the rows that codes stand for, or the values as they are where there are no codes."""
    return values if codes is None else F.embedding(codes, values)


def _inverse(permutation: Tensor) -> Tensor:
    return torch.empty_like(permutation).index_copy_(0, permutation, torch.arange(len(permutation)).to(permutation))


def first_rows(offsets: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Return which rows are among the first `most` of their sequence, and the offsets of those that are left."""
    return (places(offsets) < most).nonzero().squeeze(1), starts(offsets.diff().clamp(max=most))


def buckets(offsets: Tensor, budget: int) -> list[Tensor]:
    """Group sequences of like length, so that each group padded to its longest has at most `budget` rows.

    A sequence longer than that is a group of its own.
    """
    lengths = offsets.diff()
    order = torch.argsort(lengths, stable=True)
    groups: list[list[int]] = []
    for part, length in zip(order.tolist(), lengths[order].tolist(), strict=True):
        if not groups or (len(groups[-1]) + 1) * length > budget:
            groups.append([])
        groups[-1].append(part)
    return [torch.tensor(group, device=offsets.device) for group in groups]


def to_padded(values: Tensor, offsets: Tensor, parts: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return sequences (all, or some `parts`) as [n, longest, D], zeros behind, and which rows are real, [n, longest].

    Shapes: values [M, D], offsets int64 [P + 1].
    """
    if parts is not None:
        rows, offsets = spans(offsets, parts)
        values = values.index_select(0, rows)
    lengths = offsets.diff()
    longest = int(lengths.max()) if len(lengths) else 0
    real = torch.arange(longest, device=lengths.device) < lengths.unsqueeze(1)
    padded = values.new_zeros(len(lengths) * longest, *values.shape[1:])
    padded = padded.index_copy(0, real.flatten().nonzero().squeeze(1), values)
    return padded.unflatten(0, (len(lengths), longest)), real


def to_ragged(padded: Tensor, real: Tensor) -> Tensor:
    """Return the real rows of [n, longest, D] end to end: [M, D]."""
    return padded.flatten(0, 1).index_select(0, real.flatten().nonzero().squeeze(1))


class Recurrent(nn.Module):
    """Run a recurrent network (`rnn`, `lstm` or `gru`) along each sequence, both ways where `bidirectional`.

    Step t is computed for all sequences that are longer than t and for no other, so padding costs nothing. One that
    runs one way is causal: `initial` and `step` give row by row what `forward` gives at once.

    Shapes: values [M, inputs] and offsets int64 [P + 1] to [M, dim]; with `codes` (int64 [M]) row m is
    values[codes[m]].

    Raises: ConfigError for an unknown kind of cell.
    See: Elman 1990, doi 10.1207/s15516709cog1402_1; Hochreiter & Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735;
    Cho et al. 2014, arXiv 1406.1078.
    """

    def __init__(
        self, cell: str, inputs: int, hidden: int, *, depth: int = 1, bidirectional: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ConfigError(f"unknown recurrent cell '{cell}'{did_you_mean(cell, CELLS)}")
        made, self.scan = CELLS[cell]
        between = dropout if depth > 1 else 0.0
        self.cells = made(inputs, hidden, depth, dropout=between, bidirectional=bidirectional)
        self.dim = 2 * hidden if bidirectional else hidden

    def forward(self, values: Tensor, offsets: Tensor, codes: Tensor | None = None) -> Tensor:
        if not int(offsets[-1]):
            return values.new_zeros(0, self.dim)
        place = places(offsets)
        sizes = torch.bincount(place)
        rank = torch.argsort(torch.argsort(offsets.diff(), descending=True, stable=True))
        slots = [starts(sizes)[place] + rank[owners(offsets)]]
        if values.device.type != "cpu" or not torch.is_grad_enabled():  # torch's own path is faster there
            packed, _ = self.cells(PackedSequence(rows_of(values, codes)[_inverse(slots[0])], sizes.cpu()))
            result: Tensor = packed.data.index_select(0, slots[0])
            return result
        if self.cells.bidirectional:
            from_end = offsets.diff().repeat_interleave(offsets.diff()) - 1 - place
            slots.append(starts(sizes)[from_end] + rank[owners(offsets)])
        with torch.autocast("cpu", enabled=False):
            return self._layers(values, codes, slots, sizes.tolist())

    def _layers(self, values: Tensor, codes: Tensor | None, slots: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
        """Run all layers; `slots` says for each direction where a row stands in the order of time."""
        layers = list(zip(*[iter(self.cells.all_weights)] * len(slots), strict=True))
        for at, weights in enumerate(layers):
            inward, onward, bias, other = (list(each) for each in zip(*weights, strict=True))
            gates = []
            for way, slot in enumerate(slots):
                rows = _inverse(slot) if codes is None else codes.index_select(0, _inverse(slot))
                gates.append(F.linear(values.to(bias[way].dtype), inward[way], bias[way]).index_select(0, rows))
            found = self.scan(torch.stack(gates), torch.stack(onward), torch.stack(other), sizes)
            values = torch.cat([way.index_select(0, slot) for way, slot in zip(found, slots, strict=True)], 1)
            values, codes = dropout(values, self.cells.dropout if at + 1 < len(layers) else 0.0, self.training), None
        return values

    def initial(self, n: int) -> State:
        """Return the state of n streams before their first row."""
        weight = next(self.cells.parameters())
        zeros = weight.new_zeros(self.cells.num_layers, n, self.cells.hidden_size)
        return (zeros, zeros) if isinstance(self.cells, nn.LSTM) else (zeros,)

    def step(self, state: State, x: Tensor) -> tuple[State, Tensor]:
        """Read one more row of each of n streams: x [n, inputs] to the next state and [n, dim].

        Raises: ConfigError where the network also runs backwards, and so must see the end first.
        """
        if self.cells.bidirectional:
            raise ConfigError("a bidirectional network reads a sequence from its end too and cannot follow a stream.")
        lstm = isinstance(self.cells, nn.LSTM)
        y, new = self.cells(x.unsqueeze(0), state if lstm else state[0])
        return (new if lstm else (new,)), y.squeeze(0)


class Words(nn.Module):
    """Join every `stride` letters of a sequence to one row: a linear layer on what they become, side by side.

    At the end of a sequence letters may be missing; they add nothing.

    Shapes: a table [letters, inputs], offsets int64 [P + 1] and codes int64 [M] to [M', dim] and the offsets of those.

    Raises: ConfigError for a stride below 1.
    """

    def __init__(self, inputs: int, dim: int, stride: int) -> None:
        super().__init__()
        if stride < 1:
            raise ConfigError(f"stride = {stride} is out of range: it must be at least 1.")
        self.stride = stride
        bound = (stride * inputs) ** -0.5  # as nn.Linear starts
        self.weight = nn.Parameter(torch.empty(stride, inputs, dim).uniform_(-bound, bound))

    def forward(self, table: Tensor, offsets: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        place = places(offsets)
        shorter = starts((offsets.diff() + self.stride - 1) // self.stride)
        word = shorter.index_select(0, owners(offsets)) + place // self.stride
        tables = (table @ self.weight).flatten(0, 1)  # [stride * letters, dim]
        rows = F.embedding(place % self.stride * len(table) + codes, tables)
        return rows.new_zeros(int(shorter[-1]), rows.shape[1]).index_add(0, word, rows), shorter


class Convolutions(nn.Module):
    """Convolve each sequence, with zeros around it, `len(widths)` times, each followed by a ReLU.

    All sequences lie end to end with kernel - 1 zeros between them, so one convolution serves them all and none reaches
    its neighbour. Where rows are letters, and fewer than the width of what they become, the first convolution runs over
    one-hot letters with weights that already hold that table: the same sums in a fraction of the multiplications.

    Shapes: values [M, inputs] and offsets int64 [P + 1] to [M, widths[-1]]; with `codes` (int64 [M]) row m is
    values[codes[m]].

    Raises: ConfigError for a kernel below 1.
    """

    def __init__(self, inputs: int, widths: Sequence[int], kernel: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        if kernel < 1:
            raise ConfigError(f"kernel = {kernel} is out of range: it must be at least 1.")
        self.kernel, self.dim = kernel, widths[-1]
        self.first = nn.Conv1d(inputs, widths[0], kernel)
        self.others = nn.ModuleList(nn.Conv1d(a, b, kernel) for a, b in pairwise(widths))
        self.dropout = Dropout(dropout)

    def forward(self, values: Tensor, offsets: Tensor, codes: Tensor | None = None) -> Tensor:
        weight = self.first.weight
        if codes is not None and len(values) < values.shape[1]:
            weight = torch.einsum("ac,fck->fak", values, weight)
            values = F.one_hot(codes, len(values)).to(values.dtype)
        else:
            values = rows_of(values, codes)
        gap = self.kernel - 1
        at = torch.arange(len(values), device=offsets.device) + owners(offsets) * gap
        x = values.new_zeros(values.shape[1], len(values) + (len(offsets) - 1) * gap).index_copy(1, at, values.T)
        real = x.new_zeros(x.shape[1]).index_fill_(0, at, 1.0)
        x = F.conv1d(self._surrounded(x.unsqueeze(0)), weight, self.first.bias)  # [1, channels, L]
        x = self.dropout(x.relu() * real)
        for layer in self.others:
            x = self.dropout(layer(self._surrounded(x)).relu() * real)
        found: Tensor = x.squeeze(0).index_select(1, at).T
        return found

    def _surrounded(self, x: Tensor) -> Tensor:
        gap = self.kernel - 1
        return F.pad(x, (gap // 2, gap - gap // 2))


class Transformer(nn.Module):
    """Let each row attend to the rows around it, `depth` times: a transformer whose cost grows with the length only.

    A sequence is cut into blocks of `window` rows; the rows of a block attend to their own block and to the one before
    and after it, so 35,000 residues need 35,000 x 3 `window` scores and not 35,000 squared. A learnt bias per head
    says how far one row is from another, so no other position is needed.

    Shapes: values [M, dim] and offsets int64 [P + 1] to [M, dim]; with `codes` (int64 [M]) row m is values[codes[m]].

    See: Vaswani et al. 2017, arXiv 1706.03762; Xiong et al. 2020, arXiv 2002.04745 (norm first); Beltagy et al. 2020,
    arXiv 2004.05150 (windows); Raffel et al. 2020, arXiv 1910.10683 (bias by distance).

    Raises: ConfigError where heads do not divide dim, or window is below 1.
    """

    def __init__(self, dim: int, *, depth: int, heads: int, window: int, dropout: float = 0.0) -> None:
        super().__init__()
        if heads < 1 or dim % heads:
            raise ConfigError(f"hidden = {dim} cannot be shared out to heads = {heads}; choose a multiple.")
        if window < 1:
            raise ConfigError(f"window = {window} is out of range: it must be at least 1.")
        self.dim, self.window = dim, window
        self.layers = nn.ModuleList(_Layer(dim, heads, window, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(self, values: Tensor, offsets: Tensor, codes: Tensor | None = None) -> Tensor:
        blocks = Blocks.of(offsets, self.window)
        x = rows_of(values, codes)
        for layer in self.layers:
            x = layer(x, blocks)
        normed: Tensor = self.norm(x)
        return normed


class Blocks:
    """Cut ragged sequences into blocks of `window` rows, none of them shared by two sequences.

    Shapes: `at` int64 [M], the slot of each row; `around` int64 [K, 3], the block before, itself, the block after, K
    where there is none; `real` bool [K + 1, window].
    """

    def __init__(self, at: Tensor, around: Tensor, real: Tensor) -> None:
        self.at, self.around, self.real = at, around, real

    @classmethod
    def of(cls, offsets: Tensor, window: int) -> Blocks:
        """Cut sequences into blocks."""
        count = (offsets.diff() + window - 1) // window
        begin = starts(count)
        at = begin.index_select(0, owners(offsets)) * window + places(offsets)
        total = int(begin[-1])
        each, part = torch.arange(total, device=at.device), owners(begin)
        before = torch.where(each > begin[part], each - 1, total)
        after = torch.where(each + 1 < begin[part + 1], each + 1, total)
        real = torch.zeros((total + 1) * window, dtype=torch.bool, device=at.device).index_fill_(0, at, True)
        return cls(at, torch.stack([before, each, after], 1), real.view(-1, window))

    def cut(self, values: Tensor) -> Tensor:
        """Return rows [M, D] as blocks [K + 1, window, D], zeros where there is no row; the last block is empty."""
        count, window = self.real.shape
        return values.new_zeros(count * window, values.shape[1]).index_copy(0, self.at, values).view(count, window, -1)


class _Layer(nn.Module):
    """Attend, then transform each row; both are added to what came in."""

    def __init__(self, dim: int, heads: int, window: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.before, self.between = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.mix, self.out = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim)
        self.wide = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.nearness = nn.Parameter(torch.zeros(heads, 4 * window))  # by distance + 2 * window
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, blocks: Blocks) -> Tensor:
        x = x + self.dropout(self.out(self._attend(self.before(x), blocks)))
        transformed: Tensor = x + self.dropout(self.wide(self.between(x)))
        return transformed

    def _attend(self, x: Tensor, blocks: Blocks) -> Tensor:
        count, window = len(blocks.around), self.window
        q, k, v = (t.unflatten(2, (self.heads, -1)).transpose(1, 2) for t in blocks.cut(self.mix(x)).chunk(3, 2))
        near = blocks.around.flatten()
        k, v = (t.index_select(0, near).unflatten(0, (count, 3)).transpose(1, 2).flatten(2, 3) for t in (k, v))
        step = torch.arange(3 * window, device=x.device)
        distance = step - window - step[:window].unsqueeze(1) + 2 * window
        hidden = ~blocks.real.index_select(0, near).view(count, 1, 1, -1)
        score = (q[:count] @ k.transpose(2, 3)) * q.shape[-1] ** -0.5 + self.nearness[:, distance]
        weight = score.masked_fill(hidden, -torch.inf).softmax(3)  # a row sees itself at least; [K, heads, w, 3 w]
        found: Tensor = (weight @ v).transpose(1, 2).flatten(2).flatten(0, 1)
        return found.index_select(0, blocks.at)
