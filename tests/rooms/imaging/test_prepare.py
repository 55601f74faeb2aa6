"""Texts to parts: each text one part or one reason, the same for any number of workers, from the disk a second time."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from PIL import Image

from molgraph.errors import ConfigError
from molgraph.rooms.imaging import made
from molgraph.rooms.imaging.groups import picture
from molgraph.rooms.imaging.identity import identity, pictures
from molgraph.rooms.imaging.prepare import prepare
from molgraph.rooms.imaging.similarity import THUMBNAIL
from molgraph.rooms.imaging.source import digest_of
from molgraph.rooms.imaging.view import View

VIEW = View((16, 16)).name


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of pictures, good and bad, with a cache of its own."""
    monkeypatch.setenv("MOLGRAPH_CACHE", str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        Image.fromarray(random.integers(0, 256, (20, 24), dtype=np.uint8)).save(tmp_path / f"{name}.png")
    Image.open(tmp_path / "a.png").save(tmp_path / "a_again.tif")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:150])
    (tmp_path / "none.png").write_bytes(b"")
    (tmp_path / "words.png").write_text("no picture", encoding="utf-8")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "black.png")
    Image.fromarray(random.integers(0, 256, (20, 24), dtype=np.uint16)).save(tmp_path / "deep.png")
    np.savez(tmp_path / "set.npz", images=random.random((3, 20, 24)), five=np.ones((2, 3, 4, 5, 6)))
    return tmp_path


def test_every_text_is_a_part_or_a_reason(folder: Path) -> None:
    reasons = {
        **{"cut.png": "truncated", "none.png": "empty", "words.png": "not_an_image", "black.png": "uniform"},
        **{"gone.png": "no_such_file", "set.npz#five": "too_many_dimensions", "set.npz#images/3": "no_such_member"},
    }
    good = ["a.png", "set.npz#images/2", "b.png;c.png", "a.png", "deep.png"]
    texts = [
        *(str(folder / name) for name in reasons),
        "",
        *(";".join(str(folder / n) for n in g.split(";")) for g in good),
    ]
    ready = prepare(texts, [VIEW, THUMBNAIL])
    assert [ready.rejects[at].reason for at in range(len(reasons) + 1)] == [*reasons.values(), "empty"]
    assert (ready.index >= 0).tolist() == [False] * (len(reasons) + 1) + [True] * len(good)
    assert len(ready.rejects) + int((ready.index >= 0).sum()) == len(texts)
    assert ready.index[8] == ready.index[11], "the same text is one part"
    assert ready.parts.offsets[VIEW].diff().tolist() == [1, 1, 2, 1], "two scans of one row are a bag"
    assert ready.parts.values[VIEW].dtype == torch.uint8 and ready.parts.values[VIEW].shape == (5, 1, 16, 16)


def test_a_key_is_known_without_its_files(folder: Path) -> None:
    ready = prepare([str(folder / name) for name in ("a.png", "a_again.tif", "b.png")], [])
    for name in ("a.png", "a_again.tif", "b.png"):
        (folder / name).unlink()
    one, again, other = identity(ready.keys)
    assert one == again != other and one == digest_of(ready.keys[0])
    assert picture(ready.keys).tolist() == [0, 0, 1]


def test_the_order_of_several_scans_does_not_count_and_that_of_sequences_does(folder: Path) -> None:
    a, b, c, again = (str(folder / name) for name in ("a.png", "b.png", "c.png", "a_again.tif"))
    keys = prepare([f"{a};{b}", f"{b};{again}", a, f"{a}|{b}", f"{b}|{a}", f"{c};{b}"], []).keys
    for file in (a, b, c, again):
        Path(file).unlink()
    names = identity(keys)
    assert names[0] == names[1] and len(set(names)) == 5
    assert pictures(keys)[0] == pictures(keys)[3] == set(digest_of(keys[0]).split(";"))
    assert picture([keys[2], keys[0], keys[5]]).tolist() == [0, 0, 0], "what hangs together is one group"
    assert picture([keys[2], keys[5]]).tolist() == [0, 1]


def test_a_key_may_be_given_as_a_text(folder: Path) -> None:
    first = prepare([str(folder / "a.png")], [VIEW])
    second = prepare(first.keys, [VIEW])
    assert second.keys == first.keys
    bag = prepare([f"{folder / 'a.png'};{folder / 'b.png'}"], []).keys
    assert prepare(bag, []).keys == bag
    assert torch.equal(second.parts.values[VIEW], first.parts.values[VIEW])


def test_large_files_are_decoded_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "KEPT", 1)
    text, key = str(folder / "a.png"), ""
    for _ in range(2):
        ready = prepare([text], [VIEW])
        assert key in ("", ready.keys[0])
        key = ready.keys[0]
        monkeypatch.setattr(made, "files_of", lambda text: pytest.fail("decoded again"))
    monkeypatch.undo()
    monkeypatch.setenv("MOLGRAPH_CACHE", str(folder / "cache"))
    monkeypatch.setattr(made, "KEPT", 1)
    for kept in (folder / "cache").rglob("*.npz"):
        kept.write_bytes(kept.read_bytes()[:200])
    assert prepare([text], [VIEW]).keys == (key,), "what is damaged is made again"
    Image.fromarray(np.eye(20, dtype=np.uint8) * 255).save(text)
    assert prepare([text], [VIEW]).keys != (key,), "other bytes are another scan"


def test_other_voxels_beside_the_same_header_are_another_scan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "KEPT", 1)
    keys = []
    for seed in range(2):
        voxels = np.random.default_rng(seed).random((4, 4, 4)).astype(np.float32)
        nib.save(nib.Nifti1Pair(voxels, np.eye(4)), folder / "pair.hdr")
        keys += prepare([str(folder / "pair.hdr")], [VIEW]).keys
    assert keys[0] != keys[1]


def test_a_sheared_scan_says_how_it_was_read_also_from_the_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "KEPT", 0)
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[1, 2] = 1.0
    nib.save(nib.Nifti1Image(np.random.default_rng(0).random((6, 7, 5)), affine), folder / "tilted.nii")
    texts = [str(folder / "tilted.nii"), str(folder / "a.png")]
    first = prepare(texts, [VIEW])
    monkeypatch.setattr(made, "_seen", None)
    second = prepare(texts, [VIEW])
    assert first.said == second.said and list(first.said) == [0]
    assert first.said[0].startswith("slices are shifted against each other by 26.6 degrees")


def test_any_number_of_workers_gives_the_same(folder: Path) -> None:
    random = np.random.default_rng(1)
    np.savez(folder / "many.npz", images=random.integers(0, 256, (300, 8, 8), dtype=np.uint8))
    texts = [f"{folder / 'many.npz'}#images/{at}" for at in range(301)]
    one, two = (prepare(texts, [VIEW, THUMBNAIL], workers=workers) for workers in (1, 2))
    assert one.keys == two.keys and one.rejects == two.rejects and list(one.rejects) == [300]
    assert all(torch.equal(one.parts.values[name], two.parts.values[name]) for name in one.parts.values)


def test_an_unknown_feature_is_refused() -> None:
    with pytest.raises(ConfigError, match="pixels/CxYxX"):
        prepare(["a.png"], ["graph"])
