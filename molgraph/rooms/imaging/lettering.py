"""Text drawn into pixels, found by what strokes of letters have in common; which letters they are is not read.

A line of text is a row of marks of one height, near each other, in one even ink with sharp edges, that has many strokes
side by side. Constants were chosen on chest X-rays, brain slices and drawn lines; `benchmarks/lettering.py` measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from molgraph.rooms.imaging.burned import Region
from molgraph.rooms.imaging.scan import ScanError

STROKE = 9  # pixels: what is thinner than this stands out; thicker ones do in a picture of half the size
LOW, HIGH = 6, 34  # pixels of the height of a letter; higher ones are lower in a picture of half the size
WIDE = 6  # heights: letters that touch are one mark
LEAST = 3  # marks in a line, and how often its height at least it is long:
LONG = 2.2
FAINTEST, STEP, STEPS = 0.05, 1.6, 7  # thresholds go down from half the strongest contrast, as ink of many is searched
# Strokes side by side, least edge of one pixel and most deviation of ink, both over the contrast, and most deviation of
# heights over their median: what has many strokes may have softer edges.
RULES = ((4.5, 0.4, 0.15, 0.25), (8.0, 0.25, 0.2, 0.15))
STRAY = 0.1  # ink beside the letters over theirs; noise has much
_ROWS = 0.6  # of a line's rows, those with most strokes: few have any above and below small letters
_NAMED, _MARGIN = 3, 3  # places in a message at most, and pixels around them


@dataclass(frozen=True)
class Marks:
    """Hold connected spots that stand out of a picture: where each begins and ends across and along a line."""

    labels: NDArray[np.int32]
    numbers: NDArray[np.int64]
    top: NDArray[np.int64]
    bottom: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    @property
    def heights(self) -> NDArray[np.int64]:
        """Return the height of each."""
        return self.bottom - self.top

    def like_letters(self, area: NDArray[np.int64]) -> Marks:
        """Return those that have the size and shape of a letter, or of several that touch."""
        high, wide = self.heights, self.end - self.begin
        fits = (high >= LOW) & (high <= HIGH) & (wide <= WIDE * high) & (area >= high)
        return self.some(np.flatnonzero(fits & (area <= 0.85 * high * wide + 2 * high)))

    def some(self, index: NDArray[Any]) -> Marks:
        """Return some of them."""
        rest = (getattr(self, name)[index] for name in ("numbers", "top", "bottom", "begin", "end"))
        return Marks(self.labels, *rest)

    def turned(self) -> Marks:
        """Return them as they are where a line runs downwards."""
        return Marks(self.labels.T, self.numbers, self.begin, self.end, self.top, self.bottom)


def lettering(pixels: NDArray[Any], *, colour: bool) -> list[Region]:
    """Return places that look like lines of text, upright or turned by 90 degrees; the largest first.

    Shapes: [Y, X], or [Y, X, colours] where `colour`
    """
    found: set[Region] = set()
    for plane in _planes(np.nan_to_num(pixels.astype(np.float32)), colour):
        for picture, scale in _smaller(plane):
            for sign in (1, -1):
                boxes = _lines(np.float32(sign) * picture)
                found |= {Region(*(scale * int(edge) for edge in box)) for box in boxes}
    return _united(found)


def refuse_lettering(frames: NDArray[Any], where: str, *, colour: bool) -> None:
    """Refuse pictures in which something looks like text.

    Shapes: [F, Y, X], or [F, Y, X, colours] where `colour`
    Raises: ScanError that names the places, and what to do.
    """
    rows, columns = frames.shape[1:3]
    for number, frame in enumerate(frames, 1):
        if places := lettering(frame, colour=colour):
            named = f"frame {number}, at " if len(frames) > 1 else ""
            boxes = " ".join(f"--blank {','.join(map(str, _wider(one, rows, columns)))}" for one in places[:_NAMED])
            more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
            first = places[0]
            raise ScanError(
                "burned_in_text",
                f"{where}: shows what looks like text ({named}x {first.x}, y {first.y}, width {first.width}, height "
                f"{first.height}). Look at it; paint over with {boxes}{more}, or say --inspected.",
            )


def _wider(place: Region, rows: int, columns: int) -> Region:
    """Return a place with a margin: the strokes of letters are found, not the shades around them."""
    x, y = max(0, place.x - _MARGIN), max(0, place.y - _MARGIN)
    right, bottom = place.x + place.width + _MARGIN, place.y + place.height + _MARGIN
    return Region(x, y, min(columns, right) - x, min(rows, bottom) - y)


def _planes(pixels: NDArray[np.float32], colour: bool) -> Iterator[NDArray[np.float32]]:
    """Yield brightness, colourfulness and opacity."""
    if not colour:
        yield pixels
        return
    shades = pixels[..., :3] if pixels.shape[-1] > 2 else pixels[..., :1]
    yield from (shades.mean(-1), shades.max(-1) - shades.min(-1))
    if pixels.shape[-1] in (2, 4):
        yield pixels[..., -1]


def _smaller(plane: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Yield a picture, half of it, a quarter and so on, in units of the range that most of its values have."""
    low, high = np.percentile(plane, (1, 99))
    whole = float(np.ptp(plane))
    if not whole:
        return
    picture, scale = plane / np.float32(max(high - low, whole / 10)), 1
    while min(picture.shape) > LOW and max(picture.shape) > LEAST * LOW:
        yield picture, scale
        rows, columns = (size // 2 for size in picture.shape)
        picture = picture[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).mean((1, 3))
        scale *= 2


def _lines(picture: NDArray[np.float32]) -> Iterator[tuple[int, int, int, int]]:
    """Yield x, y, width and height of lines that are brighter than what is around them."""
    # See: https://doi.org/10.1007/978-3-662-05088-0 chapter 4 (top-hat: what an opening removes)
    stands_out = picture - ndimage.grey_opening(picture, size=(STROKE, STROKE))
    threshold = float(stands_out.max()) / 2
    for _ in range(STEPS):
        if threshold < FAINTEST:
            return
        marks, area = _marks(stands_out > threshold)
        for turned in (False, True):
            seen = marks.turned() if turned else marks
            values = (stands_out.T, picture.T) if turned else (stands_out, picture)
            for line in _rows(seen.like_letters(area)):
                if _is_text(line, *values):
                    y, x = int(line.top.min()), int(line.begin.min())
                    high, wide = int(line.bottom.max()) - y, int(line.end.max()) - x
                    yield (y, x, high, wide) if turned else (x, y, wide, high)
        threshold /= STEP


def _marks(mask: NDArray[np.bool_]) -> tuple[Marks, NDArray[np.int64]]:
    """Return the spots of a mask, and the pixels of each."""
    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    edges = [(y.start, y.stop, x.start, x.stop) for y, x in ndimage.find_objects(labels)]
    edge = np.array(edges, dtype=np.int64).reshape(-1, 4).T
    area = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return Marks(labels, np.arange(1, count + 1), *edge), area


def _rows(marks: Marks) -> Iterator[Marks]:
    """Yield marks that stand in a row: of about one height, on one line, near each other."""
    count = len(marks.numbers)
    if count < LEAST:
        return
    middle = (marks.top + marks.bottom) / 2
    ends, begins = (cKDTree(np.column_stack([along, middle])) for along in (marks.end, marks.begin))
    near = ends.sparse_distance_matrix(begins, HIGH, p=np.inf, output_type="coo_matrix")
    a, b = near.row, near.col
    small, large = np.minimum(marks.heights[a], marks.heights[b]), np.maximum(marks.heights[a], marks.heights[b])
    gap = marks.begin[b] - marks.end[a]
    off = np.minimum(np.abs(marks.bottom[a] - marks.bottom[b]), np.abs(marks.top[a] - marks.top[b]))
    linked = (a != b) & (large <= 1.6 * small) & (gap >= -1) & (gap <= large) & (off <= 0.2 * large + 0.5)
    graph = coo_matrix((np.ones(linked.sum()), (a[linked], b[linked])), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    for one in np.flatnonzero(np.bincount(group) >= LEAST):
        line = marks.some(np.flatnonzero(group == one))
        if line.end.max() - line.begin.min() >= LONG * np.median(line.heights):
            yield line


def _is_text(line: Marks, stands_out: NDArray[np.float32], picture: NDArray[np.float32]) -> bool:
    """Say whether a row of marks has the strokes, the edges and the even ink of text."""
    ragged = float(line.heights.std() / np.median(line.heights))
    if ragged > max(rule[-1] for rule in RULES):
        return False
    top, begin = int(line.top.min()), int(line.begin.min())
    at = (slice(top, int(line.bottom.max())), slice(begin, int(line.end.max())))
    labels, shown, outstanding = line.labels[at], picture[at], stands_out[at]
    ink = np.isin(labels, line.numbers)
    if np.count_nonzero(labels) > (1 + STRAY) * np.count_nonzero(ink):
        return False
    starts = ink & ~np.pad(ink, ((0, 0), (1, 0)))[:, :-1]
    most = np.sort(starts.sum(1))[::-1][: max(3, int(_ROWS * len(starts)))]
    brightest = ndimage.maximum(shown, labels, line.numbers)
    contrast = float(np.median(ndimage.maximum(outstanding, labels, line.numbers)))
    edges = np.abs(np.diff(shown, axis=1))[starts[:, 1:]]
    sharp = float(np.median(edges)) / contrast if edges.size else 0.0
    uneven = float(np.std(brightest)) / contrast
    return any(
        most.mean() >= strokes and sharp >= edge and uneven <= shades and ragged <= heights
        for strokes, edge, shades, heights in RULES
    )


def _united(found: set[Region]) -> list[Region]:
    """Return places, those as one that lie near each other: words of a line, or a line at several thresholds."""
    kept: list[Region] = []
    for one in sorted(found):
        place = one
        while near := next((other for other in kept if _near(place, other)), None):
            kept.remove(near)
            x, y = min(place.x, near.x), min(place.y, near.y)
            right, bottom = (max(place[i] + place[i + 2], near[i] + near[i + 2]) for i in (0, 1))
            place = Region(x, y, right - x, bottom - y)
        kept.append(place)
    return sorted(kept, key=lambda place: (-place.width * place.height, place))


def _near(a: Region, b: Region) -> bool:
    room = min(*a[2:], *b[2:])  # about the height of a letter
    return all(min(a[i] + a[i + 2], b[i] + b[i + 2]) + room > max(a[i], b[i]) for i in (0, 1))
