"""A network that was taught to see a bright square, and pictures of squares whose place is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from molgraph.data.packed import PART, pack
from molgraph.explain.subject import Subject
from molgraph.kinds import YesNo
from molgraph.model.model import Model
from molgraph.rooms.imaging.encoders.cnn import CNN
from molgraph.rooms.imaging.view import LARGEST, View

SIDE, SQUARE = 24, 8


@dataclass(frozen=True)
class Taught:
    """Hold the network, pictures as it sees them [N, 1, Y, X] and where their squares are, bool [N, Y, X]."""

    subject: Subject
    pictures: Tensor
    squares: np.ndarray


def drawn(count: int, seed: int) -> tuple[Tensor, Tensor, np.ndarray]:
    """Return noise in bytes, with a bright square in every second picture; labels; where the squares are."""
    random = np.random.default_rng(seed)
    made = random.normal(90, 15, (count, 1, SIDE, SIDE))
    squares = np.zeros((count, SIDE, SIDE), dtype=bool)
    for square in squares[::2]:
        y, x = random.integers(0, SIDE - SQUARE, 2)
        square[y : y + SQUARE, x : x + SQUARE] = True
    made[:, 0] += 90 * squares
    return torch.from_numpy(made.clip(0, 255).astype(np.uint8)), torch.arange(count).remainder(2) == 0, squares


@pytest.fixture(scope="session")
def taught() -> Taught:
    """Return a small network after 60 steps on 96 pictures, and 20 others with a square."""
    torch.manual_seed(0)
    view = View((SIDE, SIDE))
    encoder = CNN({view.name: [1, SIDE, SIDE, LARGEST]}, hidden=32, depth=2, size=SIDE, dropout=0.0)
    model = Model(encoder, YesNo(("square",), positive=(1.0,)), hidden=16)
    stored, labels, _ = drawn(96, 0)
    encoder.harmony.learn([stored])
    subject = Subject(model, 0, True, seen_by(encoder, stored[:1] * 0)[0])
    adam = torch.optim.Adam(model.parameters(), 3e-3)
    seen = seen_by(encoder, stored)
    for _ in range(60):
        adam.zero_grad()
        score = subject.score(subject.vectors(seen)[:, None])
        F.binary_cross_entropy_with_logits(score, labels.float()).backward()
        adam.step()
    model.eval()
    others, _, squares = drawn(40, 1)
    return Taught(subject, seen_by(encoder, others[::2]), squares[::2])


def seen_by(encoder: CNN, stored: Tensor) -> Tensor:
    """Return pictures in bytes as the encoder sees them."""
    name = encoder.view.name
    fields = {name: (name, stored), "thumbnail": (PART, torch.zeros(len(stored), 1))}
    parts = pack(fields, {name: torch.ones(len(stored), dtype=torch.int64)}, {}, len(stored))
    return encoder.eval().pictures(parts)
