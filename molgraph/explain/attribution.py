"""Attributions: how much each pixel speaks for an estimate, by three methods."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from molgraph.explain.subject import Subject, together

STEPS = 32  # of the path from black to the picture
WINDOWS = {2: 8, 3: 4}  # by dimensions: a window is this part of a side, and moves by half of itself

Attribute = Callable[[Subject, Tensor], Tensor]


def gradcam(subject: Subject, pictures: Tensor) -> Tensor:
    """Weigh the encoder's last maps by their mean gradients and keep what speaks for the estimate.

    Shapes: pictures of one part [M, C, (Z,) Y, X] to [M, (Z,) Y, X].

    See: Selvaraju et al. 2017, doi 10.1109/ICCV.2017.74
    """
    with torch.no_grad():
        maps = torch.cat([subject.encoder.maps(some) for some in pictures.split(together(pictures[0]))])
    maps.requires_grad_()
    with torch.enable_grad():
        score = subject.score(subject.encoder.vectors(maps)[None]).sum()
    (slope,) = torch.autograd.grad(score, maps)
    weights = slope.flatten(2).mean(2).view(*slope.shape[:2], *(1,) * (slope.ndim - 2))
    found = (weights * maps.detach()).sum(1, keepdim=True).relu()
    mode = "bilinear" if pictures.ndim == 4 else "trilinear"
    return F.interpolate(found, pictures.shape[2:], mode=mode, align_corners=False)[:, 0]


def integrated(subject: Subject, pictures: Tensor) -> Tensor:
    """Integrate the gradients on the straight path from black to the pictures; they add up to the change.

    Not from mean grey, which is 0: to norms over groups a picture times any number is the same picture.

    Shapes: as of `gradcam`.

    See: Sundararajan, Taly and Yan 2017, arXiv 1703.01365; Captum, arXiv 2009.07896
    """
    from captum.attr import IntegratedGradients  # here: it takes a second

    def score(parts: Tensor) -> Tensor:
        return subject.score(subject.vectors(parts.flatten(0, 1)).unflatten(0, parts.shape[:2]))

    found: Tensor = IntegratedGradients(score).attribute(
        pictures[None],
        baselines=subject.black.expand_as(pictures)[None],
        n_steps=STEPS,
        internal_batch_size=together(pictures),
    )
    return found[0].sum(1).detach().to(pictures.dtype)


@torch.no_grad()
def occlusion(subject: Subject, pictures: Tensor) -> Tensor:
    """Cover each place of each picture in turn with the mean grey of training, 0, and take how much the score falls.

    Shapes: as of `gradcam`.

    See: Zeiler and Fergus 2014, doi 10.1007/978-3-319-10590-1_53; Captum, arXiv 2009.07896
    """
    from captum.attr import Occlusion  # here: it takes a second

    still = subject.vectors(pictures)
    part = WINDOWS[pictures.ndim - 2]
    window = tuple(max(side // part, 1) for side in pictures.shape[2:])
    stride = tuple(max(side // 2, 1) for side in window)
    channels = pictures.shape[1]
    found = []
    for at in range(len(pictures)):

        def score(some: Tensor, at: int = at) -> Tensor:  # the other pictures of the part stay as they are
            vectors = still.expand(len(some), *still.shape).clone()
            vectors[:, at] = subject.vectors(some)
            return subject.score(vectors)

        each: Tensor = Occlusion(score).attribute(
            pictures[at : at + 1],
            sliding_window_shapes=(channels, *window),
            strides=(channels, *stride),
            baselines=0,
            perturbations_per_eval=together(pictures[0]),
        )
        found.append(each[0, 0])  # the same for every channel: they are covered together
    return torch.stack(found).to(pictures.dtype)


METHODS: dict[str, Attribute] = {"gradcam": gradcam, "integrated": integrated, "occlusion": occlusion}
