"""Recurrent cells along many sequences at once, one step for all that are long enough.

Rows stand in the order of time: first row 0 of every sequence, the longest sequence first, then row 1 of those that
have one, ... so a step reads and writes one slice. torch's own path for packed sequences gives the same numbers, but
its gradient on a CPU writes all rows anew at every step: 90 times slower for 32 kinases.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def rnn(gates: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return h [M, H] with h_t = tanh(gates_t + W h_(t-1) + b).

    Shapes: gates [M, H], what each row adds; weight [H, H], bias [H]; `sizes` says how many rows each step has.
    """
    result: Tensor = _RNN.apply(gates + bias, weight, sizes)  # type: ignore[no-untyped-call]
    return result


def lstm(gates: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return h [M, H] of long short-term memory.

    Shapes: gates [M, 4 H] in the order i, f, g, o; weight [4 H, H], bias [4 H].

    See: Hochreiter & Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735; in the form of torch.nn.LSTM.
    """
    result: Tensor = _LSTM.apply(gates + bias, weight, sizes)  # type: ignore[no-untyped-call]
    return result


def gru(gates: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return h [M, H] of gated recurrent units.

    Shapes: gates [M, 3 H] in the order r, z, n; weight [3 H, H], bias [3 H].

    See: Cho et al. 2014, arXiv 1406.1078; in the form of torch.nn.GRU.
    """
    result: Tensor = _GRU.apply(gates, weight, bias, sizes)  # type: ignore[no-untyped-call]
    return result


def _slices(sizes: Sequence[int]) -> list[slice]:
    ends = list(accumulate(sizes, initial=0))
    return [slice(begin, end) for begin, end in pairwise(ends)]


def _before(values: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return for each row that of the step before it, zeros for the first step."""
    counts = torch.tensor(sizes)
    shift = counts[:-1].repeat_interleave(counts[1:])
    rows = torch.arange(sizes[0], len(values)) - shift
    return torch.cat([values.new_zeros(sizes[0], values.shape[1]), values.index_select(0, rows)])


class _RNN(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, weight: Tensor, sizes: Sequence[int]) -> Tensor:
        out = torch.empty_like(gates)
        back = weight.t().contiguous()
        h = gates.new_zeros(sizes[0], weight.shape[1])
        for here in _slices(sizes):
            gate = gates[here]
            h = torch.tanh(torch.addmm(gate, h[: len(gate)], back), out=out[here])
        ctx.save_for_backward(weight, out)
        ctx.sizes = sizes
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, Tensor, None]:
        weight, out = ctx.saved_tensors
        slope = 1 - out * out
        change = torch.empty_like(out)
        carry = out.new_zeros(ctx.sizes[0], out.shape[1])
        for here in reversed(_slices(ctx.sizes)):
            mine = carry[: here.stop - here.start]
            step = torch.mul(mine.add_(given[here]), slope[here], out=change[here])
            torch.mm(step, weight, out=mine)
        return change, change.t() @ _before(out, ctx.sizes), None


class _LSTM(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, weight: Tensor, sizes: Sequence[int]) -> Tensor:
        hidden = weight.shape[1]
        act = torch.empty_like(gates)
        out, memory = gates.new_empty(len(gates), hidden), gates.new_empty(len(gates), hidden)
        back = weight.t().contiguous()
        h = c = gates.new_zeros(sizes[0], hidden)
        for here in _slices(sizes):
            gate = gates[here]
            total = torch.addmm(gate, h[: len(gate)], back)
            now = torch.sigmoid(total, out=act[here])
            torch.tanh(total[:, 2 * hidden : 3 * hidden], out=now[:, 2 * hidden : 3 * hidden])
            i, f, g, o = now.chunk(4, 1)
            c = torch.addcmul(f * c[: len(gate)], i, g, out=memory[here])
            h = torch.mul(o, c.tanh(), out=out[here])
        ctx.save_for_backward(weight, out, act, memory)
        ctx.sizes = sizes
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, Tensor, None]:
        weight, out, act, memory = ctx.saved_tensors
        hidden = out.shape[1]
        i, f, g, o = act.chunk(4, 1)
        tanh = memory.tanh()
        by_memory = torch.stack([g * i * (1 - i), _before(memory, ctx.sizes) * f * (1 - f), i * (1 - g * g)], 1)
        by_out, through = tanh * o * (1 - o), o * (1 - tanh * tanh)
        forget = f.contiguous()
        change = torch.empty_like(act)
        carry, carried = (out.new_zeros(ctx.sizes[0], hidden) for _ in range(2))
        for here in reversed(_slices(ctx.sizes)):
            size = here.stop - here.start
            dh, dc, step = carry[:size].add_(given[here]), carried[:size], change[here]
            dc.addcmul_(dh, through[here])
            torch.mul(dc.unsqueeze(1), by_memory[here], out=step[:, : 3 * hidden].unflatten(1, (3, hidden)))
            torch.mul(dh, by_out[here], out=step[:, 3 * hidden :])
            dc.mul_(forget[here])
            torch.mm(step, weight, out=dh)
        return change, change.t() @ _before(out, ctx.sizes), None


class _GRU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
        hidden = weight.shape[1]
        act = gates.new_empty(len(gates), 2 * hidden)
        out, new, old = (gates.new_empty(len(gates), hidden) for _ in range(3))
        back = weight.t().contiguous()
        h = gates.new_zeros(sizes[0], hidden)
        for here in _slices(sizes):
            gate = gates[here]
            h = h[: len(gate)]
            mixed = torch.addmm(bias, h, back)
            reset, update = torch.sigmoid(gate[:, : 2 * hidden] + mixed[:, : 2 * hidden], out=act[here]).chunk(2, 1)
            old[here] = mixed[:, 2 * hidden :]
            n = torch.tanh(torch.addcmul(gate[:, 2 * hidden :], reset, old[here]), out=new[here])
            h = torch.lerp(n, h, update, out=out[here])
        ctx.save_for_backward(weight, out, act, new, old)
        ctx.sizes = sizes
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        weight, out, act, new, old = ctx.saved_tensors
        r, z = act.chunk(2, 1)
        before = _before(out, ctx.sizes)
        by_new = (1 - z) * (1 - new * new)
        by_h = torch.stack([by_new * old * r * (1 - r), (before - new) * z * (1 - z), by_new * r], 1)
        keep = z.contiguous()
        back, change = torch.empty_like(out), torch.empty_like(by_h)
        carry = out.new_zeros(ctx.sizes[0], out.shape[1])
        for here in reversed(_slices(ctx.sizes)):
            mine = carry[: here.stop - here.start]
            total = torch.add(mine, given[here], out=back[here])
            step = torch.mul(total.unsqueeze(1), by_h[here], out=change[here])
            torch.mul(total, keep[here], out=mine).addmm_(step.flatten(1), weight)
        to_weight = change.flatten(1)
        to_gates = torch.cat([to_weight[:, : 2 * out.shape[1]], back * by_new], 1)
        return to_gates, to_weight.t() @ before, to_weight.sum(0), None
