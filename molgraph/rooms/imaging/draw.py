"""A small picture of a scan, as SVG."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molgraph.rooms.imaging.intensity import AUTO, normalise
from molgraph.rooms.imaging.scan import Scan, ScanError
from molgraph.rooms.imaging.source import load, names_of
from molgraph.rooms.imaging.view import eight_bits, resized

SIDE = 128  # pixels of the longer side of what is embedded: a page holds hundreds of them


def draw(key: str, *, width: int = 240, height: int = 160, highlight: Mapping[int, float] | None = None) -> str:
    """Draw the scan of a key, of a volume its middle slice, as an SVG with a PNG inside.

    A picture has no atoms to colour: `highlight` changes nothing. Where there is no file to draw, the picture says so.
    """
    try:
        scans = load(key)
        body = _picture(_slice(scans[0], key), width, height - 14) + _note(_told(scans), 4, height - 3)
    except ScanError:
        body = _note("no picture", 8, height // 2) + _note(_short(key), 8, height // 2 + 14)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="sans-serif" font-size="11" fill="#666">{body}</svg>'
    )


def _slice(scan: Scan, key: str) -> NDArray[np.uint8]:
    """Return the middle slice as it is looked at, grey [Y, X] or colour [Y, X, 3]."""
    depth = scan.voxels.shape[1]
    middle = normalise(scan, AUTO, key).voxels[:, depth // 2]
    shown = middle if len(middle) == 3 and not scan.modality else middle[:1]
    if scan.affine is not None and depth > 1:  # RAS+: the front and the patient's right belong up and left
        shown = shown[:, ::-1, ::-1]
    size = max(shown.shape[1:])
    if size > SIDE:
        shown = resized(shown, tuple(max(round(side * SIDE / size), 1) for side in shown.shape[1:]))
    return eight_bits(shown)[0] if len(shown) == 1 else eight_bits(np.moveaxis(shown, 0, -1))


def _picture(pixels: NDArray[np.uint8], width: int, height: int) -> str:
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    wide, high = pixels.shape[1] * scale, pixels.shape[0] * scale
    return (
        f'<image x="{(width - wide) / 2:g}" y="{(height - high) / 2:g}" width="{wide:g}" height="{high:g}" '
        f'href="data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"/>'
    )


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return grey [Y, X] or colour [Y, X, 3] pixels as a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", optimize=True)
    return file.getvalue()


def _told(scans: list[Scan]) -> str:
    scan = scans[0]
    size = " x ".join(map(str, scan.voxels.shape[:0:-1] if scan.voxels.shape[1] > 1 else scan.voxels.shape[:1:-1]))
    more = f", {len(scans)} scans" if len(scans) > 1 else ""
    return " ".join(filter(None, (scan.modality, size))) + more


def _short(key: str) -> str:
    first = next((name for scan in names_of(key) for name in scan), key)
    return Path(first).name[-40:]


def _note(text: str, x: int, y: int) -> str:
    return f'<text x="{x}" y="{y}">{escape(text)}</text>'
