"""Attributions point at what was planted, of pictures and of one picture among others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from molgraph import registry
from molgraph.explain import METHODS
from molgraph.explain.attribution import integrated
from molgraph.explain.subject import Subject
from molgraph.kinds import Number
from molgraph.metrics import pointing
from molgraph.model.model import Model
from molgraph.rooms.imaging.view import LARGEST, View


def test_the_network_has_learnt_what_is_to_be_found(taught: Any) -> None:
    with torch.no_grad():
        assert (taught.subject.estimate(taught.subject.vectors(taught.pictures)[:, None]) > 0.5).all()


@pytest.mark.parametrize("method", METHODS)
def test_most_of_them_point_into_the_square(taught: Any, method: str) -> None:
    """By chance 11 % would, as the square fills a ninth of the picture."""
    maps = [METHODS[method](taught.subject, picture[None])[0].numpy() for picture in taught.pictures]
    assert maps[0].shape == taught.squares[0].shape
    hits = np.mean([pointing(found, square) for found, square in zip(maps, taught.squares, strict=True)])
    assert taught.squares.mean() < 0.12
    assert hits >= (0.6 if method == "gradcam" else 0.9)  # the maps of Grad-CAM are of 6 x 6 pixels


@pytest.mark.parametrize("method", METHODS)
def test_of_several_pictures_of_a_part_the_one_with_the_square_is_found(taught: Any, method: str) -> None:
    black = taught.subject.black
    maps = METHODS[method](taught.subject, torch.stack([black, taught.pictures[0], black]))
    assert maps.shape == (3, *taught.squares[0].shape)
    assert int(maps.amax((1, 2)).argmax()) == 1


def test_integrated_gradients_add_up_to_the_change(taught: Any) -> None:
    with torch.no_grad():
        both = torch.stack([taught.pictures[0], taught.subject.black])
        there, black = taught.subject.score(taught.subject.vectors(both)[:, None])
    total = float(integrated(taught.subject, taught.pictures[:1]).sum())
    assert total == pytest.approx(float(there - black), rel=0.05)


@pytest.mark.parametrize(("dims", "name"), [(2, "resnet18"), (2, "densenet121"), (2, "resnet_gn"), (3, "cnn")])
def test_every_encoder_of_scans_can_be_explained(dims: int, name: str) -> None:
    """Also where activations are written in place, and for volumes."""
    view = View((8,) * dims)
    encoder = registry.model(f"imaging/{name}")({view.name: [1, *view.shape, LARGEST]}, size=8, dims=dims)
    model = Model(encoder, Number(("y",), (0.0,), (1.0,)), hidden=8).eval()
    pictures = torch.randn(1, 1, *view.shape)
    subject = Subject(model, 0, False, torch.zeros(1, *view.shape))
    for method, attribute in METHODS.items():
        found = attribute(subject, pictures)
        assert found.shape == pictures.shape[1:] and bool(found.isfinite().all())
        assert method == "gradcam" or bool(found.any())
