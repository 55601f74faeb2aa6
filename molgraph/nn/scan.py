"""Recurrent cells along many sequences at once, one step for all that are long enough, and for all directions.

Rows stand in the order of time: first row 0 of every sequence, the longest sequence first, then row 1 of those that
have one, ... so a step reads and writes one slice. torch's own path for packed sequences gives the same numbers, but
its gradient on a CPU writes all rows anew at every step, which for 32 kinases takes 20 times as long.

Shapes: W ways (directions, each with weights of its own), M rows, H hidden units; `sizes` says how many rows each step
has.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def rnn(gates: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return h [W, M, H] with h_t = tanh(gates_t + weight h_(t-1) + bias).

    Shapes: gates [W, M, H], what each row adds; weight [W, H, H], bias [W, H].
    """
    result: Tensor = _RNN.apply(gates + bias.unsqueeze(1), weight, sizes)  # type: ignore[no-untyped-call]
    return result


def lstm(gates: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return h [W, M, H] of long short-term memory.

    Shapes: gates [W, M, 4 H] in the order i, f, g, o; weight [W, 4 H, H], bias [W, 4 H].

    See: Hochreiter & Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735; in the form of torch.nn.LSTM.
    """
    result: Tensor = _LSTM.apply(gates + bias.unsqueeze(1), weight, sizes)  # type: ignore[no-untyped-call]
    return result


def gru(gates: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return h [W, M, H] of gated recurrent units.

    Shapes: gates [W, M, 3 H] in the order r, z, n; weight [W, 3 H, H], bias [W, 3 H].

    See: Cho et al. 2014, arXiv 1406.1078; in the form of torch.nn.GRU.
    """
    result: Tensor = _GRU.apply(gates, weight, bias, sizes)  # type: ignore[no-untyped-call]
    return result


def _slices(sizes: Sequence[int]) -> list[slice]:
    return [slice(begin, end) for begin, end in pairwise(accumulate(sizes, initial=0))]


def _before(values: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return for each row that of the step before it, zeros for the first step."""
    counts = torch.tensor(sizes)
    rows = torch.arange(sizes[0], values.shape[1]) - counts[:-1].repeat_interleave(counts[1:])
    return torch.cat([_zeros(values, sizes[0], values.shape[2]), values.index_select(1, rows)], 1)


def _zeros(like: Tensor, rows: int, width: int) -> Tensor:
    return like.new_zeros(len(like), rows, width)


class _RNN(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, weight: Tensor, sizes: Sequence[int]) -> Tensor:
        out = torch.empty_like(gates)
        back = weight.transpose(1, 2).contiguous()
        h = _zeros(gates, sizes[0], weight.shape[2])
        for here, size in zip(_slices(sizes), sizes, strict=True):
            h = torch.tanh(torch.baddbmm(gates[:, here], h[:, :size], back), out=out[:, here])
        ctx.save_for_backward(weight, out)
        ctx.sizes = sizes
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, Tensor, None]:
        weight, out = ctx.saved_tensors
        slope = 1 - out * out
        change = torch.empty_like(out)
        carry = _zeros(out, ctx.sizes[0], out.shape[2])
        for here in reversed(_slices(ctx.sizes)):
            mine = carry[:, : here.stop - here.start]
            step = torch.mul(mine.add_(given[:, here]), slope[:, here], out=change[:, here])
            mine.copy_(step @ weight)
        return change, change.transpose(1, 2) @ _before(out, ctx.sizes), None


class _LSTM(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, weight: Tensor, sizes: Sequence[int]) -> Tensor:
        hidden = weight.shape[2]
        act = torch.empty_like(gates)
        out, memory = (_zeros(gates, gates.shape[1], hidden) for _ in range(2))
        back = weight.transpose(1, 2).contiguous()
        h = c = _zeros(gates, sizes[0], hidden)
        for here, size in zip(_slices(sizes), sizes, strict=True):
            total = torch.baddbmm(gates[:, here], h[:, :size], back)
            now = torch.sigmoid(total, out=act[:, here])
            torch.tanh(total[..., 2 * hidden : 3 * hidden], out=now[..., 2 * hidden : 3 * hidden])
            i, f, g, o = now.chunk(4, 2)
            c = torch.addcmul(f * c[:, :size], i, g, out=memory[:, here])
            h = torch.mul(o, c.tanh(), out=out[:, here])
        ctx.save_for_backward(weight, out, act, memory)
        ctx.sizes = sizes
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, Tensor, None]:
        weight, out, act, memory = ctx.saved_tensors
        hidden = out.shape[2]
        i, f, g, o = act.chunk(4, 2)
        tanh = memory.tanh()
        by_memory = torch.stack([g * i * (1 - i), _before(memory, ctx.sizes) * f * (1 - f), i * (1 - g * g)], 2)
        by_out, through = tanh * o * (1 - o), o * (1 - tanh * tanh)
        change = torch.empty_like(act)
        carry, carried = (_zeros(out, ctx.sizes[0], hidden) for _ in range(2))
        for here in reversed(_slices(ctx.sizes)):
            size = here.stop - here.start
            dh, dc, step = carry[:, :size].add_(given[:, here]), carried[:, :size], change[:, here]
            dc.addcmul_(dh, through[:, here])
            torch.mul(dc.unsqueeze(2), by_memory[:, here], out=step[..., : 3 * hidden].unflatten(2, (3, hidden)))
            torch.mul(dh, by_out[:, here], out=step[..., 3 * hidden :])
            dc.mul_(f[:, here])
            dh.copy_(step @ weight)
        return change, change.transpose(1, 2) @ _before(out, ctx.sizes), None


class _GRU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
        hidden = weight.shape[2]
        act = _zeros(gates, gates.shape[1], 2 * hidden)
        out, new, old = (_zeros(gates, gates.shape[1], hidden) for _ in range(3))
        back, base = weight.transpose(1, 2).contiguous(), bias.unsqueeze(1)
        h = _zeros(gates, sizes[0], hidden)
        for here, size in zip(_slices(sizes), sizes, strict=True):
            gate, h = gates[:, here], h[:, :size]
            mixed = torch.baddbmm(base, h, back)
            reset, update = torch.sigmoid(gate[..., : 2 * hidden] + mixed[..., : 2 * hidden], out=act[:, here]).chunk(
                2, 2
            )
            mine = old[:, here].copy_(mixed[..., 2 * hidden :])
            n = torch.tanh(torch.addcmul(gate[..., 2 * hidden :], reset, mine), out=new[:, here])
            h = torch.lerp(n, h, update, out=out[:, here])
        ctx.save_for_backward(weight, out, act, new, old)
        ctx.sizes = sizes
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        weight, out, act, new, old = ctx.saved_tensors
        r, z = act.chunk(2, 2)
        before = _before(out, ctx.sizes)
        by_new = (1 - z) * (1 - new * new)
        by_h = torch.stack([by_new * old * r * (1 - r), (before - new) * z * (1 - z), by_new * r], 2)
        back, change = torch.empty_like(out), torch.empty_like(by_h)
        carry = _zeros(out, ctx.sizes[0], out.shape[2])
        for here in reversed(_slices(ctx.sizes)):
            mine = carry[:, : here.stop - here.start]
            total = torch.add(mine, given[:, here], out=back[:, here])
            step = torch.mul(total.unsqueeze(2), by_h[:, here], out=change[:, here])
            torch.mul(total, z[:, here], out=mine).baddbmm_(step.flatten(2), weight)
        to_weight = change.flatten(2)
        to_gates = torch.cat([to_weight[..., : 2 * out.shape[2]], back * by_new], 2)
        return to_gates, to_weight.transpose(1, 2) @ before, to_weight.sum(1), None
