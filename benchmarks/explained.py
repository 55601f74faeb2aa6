#!/usr/bin/env python
"""Make docs/explained.png and the table beside it: where a network looked on chest X-rays, by three methods.

    python benchmarks/explained.py --out runs/explained

Trains `imaging/cnn` on the official training pictures of PneumoniaMNIST (fetched where it is not on this machine), or
goes on where that was stopped, explains the first six test pictures with pneumonia and prints the means of the checks.
The figure shows the first two.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from molgraph import datasets
from molgraph.config import settings
from molgraph.workflows.explain import Explained, explain_file
from molgraph.workflows.train import train_folder

FIGURE = Path(__file__).resolve().parent.parent / "docs" / "explained.png"
METHODS = {"gradcam": "Grad-CAM", "integrated": "integrated gradients", "occlusion": "occlusion"}
ASKED, SHOWN = 6, 2  # pictures explained, and shown
SIDE, GAP, HEAD = 186, 10, 30  # pixels


def main() -> None:
    """Train, explain, draw."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--out", type=Path, required=True, help="folder for the model and the explanations")
    words.add_argument("--epochs", type=int, default=15)
    words.add_argument("--figure", type=Path, default=FIGURE)
    arguments = words.parse_args()
    source, model = datasets.path("pneumoniamnist"), arguments.out / "model"
    if not (model / "recipe.json").exists():
        run = {"data": str(source), "model": "imaging/cnn", "train": {"epochs": arguments.epochs}}
        train_folder(settings(run), model)
    with np.load(source, allow_pickle=False) as stored:
        sick = np.flatnonzero(stored["test_labels"].ravel() == 1)[:ASKED]
        plain = [Image.fromarray(stored["test_images"][at]) for at in sick[:SHOWN]]
    rows = pd.DataFrame({"scan": [f"{source.resolve()}#test_images/{at}" for at in sick]})
    found = {name: explain_file(rows, model, arguments.out / name, method=name, top=ASKED) for name in METHODS}
    columns = {"chest X-ray": plain}
    for name, label in METHODS.items():
        overlays = map(Image.open, found[name].pictures[:SHOWN])
        columns[label] = [over.resize(plain[0].size, Image.Resampling.NEAREST) for over in overlays]  # pixel by pixel
    figure(columns).save(arguments.figure, optimize=True)
    print(f"{arguments.figure}\n{table(found)}")


def table(found: dict[str, Explained]) -> str:
    """Return the means of the checks, as docs/explaining.md has them."""
    lines = ["| | rank correlation | deletion | in random order |", "|---|---|---|---|"]
    for name, each in found.items():
        means = [
            each.checks[key] for key in ("correlation_with_random_weights", "deletion", "deletion_in_random_order")
        ]
        cells = [
            "none" if mean is None else f"{mean:.{places}f}" for mean, places in zip(means, (2, 3, 3), strict=True)
        ]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def figure(columns: dict[str, list[Image.Image]]) -> Image.Image:
    """Return pictures in columns under their names."""
    rows = max(map(len, columns.values()))
    size = (len(columns) * (SIDE + GAP) - GAP, HEAD + rows * (SIDE + GAP) - GAP)
    made = Image.new("RGB", size, "white")
    words, font = ImageDraw.Draw(made), ImageFont.load_default(15)
    for across, (name, pictures) in enumerate(columns.items()):
        left = across * (SIDE + GAP)
        words.text((left + SIDE / 2, HEAD / 2), name, fill="#1b1f24", anchor="mm", font=font)
        for down, picture in enumerate(pictures):
            large = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            made.paste(large, (left, HEAD + down * (SIDE + GAP)))
    return made


if __name__ == "__main__":
    main()
