"""Nearest pictures: a copy that was recompressed or lightened is near, others are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from molgraph.rooms.imaging.prepare import prepare
from molgraph.rooms.imaging.room import ROOM
from molgraph.rooms.imaging.similarity import THUMBNAIL, Nearest, diverse


def test_a_copy_is_near(shared_data: Path, tmp_path: Path) -> None:
    with np.load(shared_data / "imaging" / "pneumoniamnist.npz") as file:
        pixels = file["test_images"][:40]
    first = Image.fromarray(pixels[0])
    first.resize((224, 224), Image.Resampling.BILINEAR).save(tmp_path / "copy.jpg", quality=60)
    Image.fromarray((pixels[1] * 0.8 + 20).astype(np.uint8)).save(tmp_path / "light.png")
    known = prepare(
        [f"{shared_data / 'imaging' / 'pneumoniamnist.npz'}#test_images/{at}" for at in range(40)], [THUMBNAIL]
    )
    asked = prepare([str(tmp_path / "copy.jpg"), str(tmp_path / "light.png")], [THUMBNAIL])
    index = Nearest(known.parts)
    position, similarity = index.nearest(asked.parts)
    assert position.tolist() == [0, 1] and (similarity > ROOM.likeness.near).all()
    assert (index.leave_one_out() < ROOM.likeness.near).all()
    whole = index.similarity(asked.parts)
    assert whole.shape == (2, 40) and np.array_equal(whole.max(1), similarity)
    alone = np.concatenate([index.similarity(asked.parts.gather(torch.tensor([at]))) for at in range(2)])
    assert np.array_equal(whole, alone), "a similarity does not depend on its batch"


def test_diverse_keeps_the_first_and_no_copy(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    base = random.random((5, 20, 20))
    np.savez(tmp_path / "set.npz", images=np.concatenate([base, base[:1] * 0.9 + 0.05]))
    parts = prepare([f"{tmp_path / 'set.npz'}#images/{at}" for at in range(6)], [THUMBNAIL]).parts
    picked = diverse(parts, 5)
    assert picked[0] == 0 and sorted(picked) == [0, 1, 2, 3, 4]
    assert diverse(parts, 0) == [] and len(diverse(parts, 99)) == 6


def test_nothing_known_is_near_to_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", images=np.random.default_rng(0).random((2, 9, 9)))
    parts = prepare([f"{tmp_path / 'set.npz'}#images/{at}" for at in range(2)], [THUMBNAIL]).parts
    none = parts.gather(torch.zeros(0, dtype=torch.int64))
    assert Nearest(none).nearest(parts)[0].tolist() == [-1, -1]
    assert len(Nearest(parts).nearest(none)[0]) == 0
