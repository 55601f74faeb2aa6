"""A small SVG picture of a protein: its residues as a strip of colours, broken into lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from math import ceil

from molgraph.rooms.protein.residues import Refusal, as_written

# Colours that the colour-blind tell apart (Okabe and Ito), https://doi.org/10.1038/nmeth.1618
KINDS = {
    "acid": ("DE", "#d55e00"),
    "base": ("KRHO", "#0072b2"),
    "polar": ("STNQ", "#56b4e9"),
    "aromatic": ("FWY", "#cc79a7"),
    "aliphatic": ("AVLIMJ", "#e69f00"),
    "special": ("GPCU", "#009e73"),
}
OTHER = "#bbb"
COLOUR = {letter: colour for letters, colour in KINDS.values() for letter in letters}
RAISES, LOWERS = "#e67300", "#3373cc"
MOST_CELLS = 900  # more cannot be made out in a small picture
LETTERS_UP_TO = 60  # residues, so that letters fit


def draw(key: str, *, width: int = 240, height: int = 160, highlight: Mapping[int, float] | None = None) -> str:
    """Draw a protein as an SVG of a few kilobytes, without a background.

    Each cell is one residue, of a long protein the most frequent kind of several. `highlight` maps residues (from 0)
    to weights: orange is above 0, blue below, full colour is the largest of them, and all other residues are pale.
    Where there is no sequence to draw, the picture says so.
    """
    if isinstance(as_written(key), Refusal):
        body = (
            f'<text x="8" y="{height // 2}">no sequence</text><text x="8" y="{height // 2 + 14}">{_short(key)}</text>'
        )
    else:
        body = _strip(key, width, height, highlight or {})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="sans-serif" font-size="11" fill="#666">{body}</svg>'
    )


def _short(key: str) -> str:
    return escape(key if len(key) <= 24 else f"{key[:23]}…")


def _strip(key: str, width: int, height: int, highlight: Mapping[int, float]) -> str:
    each = ceil(len(key) / MOST_CELLS)
    cells = [key[at : at + each] for at in range(0, len(key), each)]
    side = _side(len(cells), width, height - 20)
    columns = max(int(width // side), 1)
    styles = _highlighted(key, each, highlight) if highlight else [_kind(cell) for cell in cells]
    shapes = [_row(styles[at : at + columns], side, 18 + row * side) for row, at in _rows(len(cells), columns)]
    if len(key) <= LETTERS_UP_TO:
        shapes += [_letters(key[at : at + columns], side, 18 + row * side) for row, at in _rows(len(key), columns)]
    title = f"{len(key):,} residue{'s' if len(key) > 1 else ''}" + (f", {each} to a cell" if each > 1 else "")
    return f'<text x="2" y="12">{title}</text>{"".join(shapes)}'


def _side(cells: int, width: int, height: int) -> float:
    """Return the largest side, at most 16, of squares that all fit."""
    side = 16.0
    while side > 1 and ceil(cells / (width // side)) * side > height:
        side -= 0.5
    return side


def _rows(cells: int, columns: int) -> list[tuple[int, int]]:
    return list(enumerate(range(0, cells, columns)))


def _kind(cell: str) -> str:
    colours = [COLOUR.get(letter, OTHER) for letter in cell]
    return f'fill="{max(dict.fromkeys(colours), key=colours.count)}"'


def _highlighted(key: str, each: int, highlight: Mapping[int, float]) -> list[str]:
    largest = max(abs(weight) for weight in highlight.values()) or 1
    found = []
    for at in range(0, len(key), each):
        weight = max((highlight.get(i, 0.0) for i in range(at, min(at + each, len(key)))), key=abs) / largest
        colour = RAISES if weight > 0 else LOWERS
        found.append(f'fill="{colour}" fill-opacity="{abs(weight):.2g}"' if weight else 'fill="#eee"')
    return found


def _row(styles: Sequence[str], side: float, top: float) -> str:
    """Draw one line of cells, neighbours of one style as one shape."""
    shapes, left = [], 0
    for style, run in groupby(styles):
        count = len(list(run))
        shapes.append(
            f'<rect x="{left * side:g}" y="{top:g}" width="{count * side:g}" height="{side - 0.5:g}" {style}/>'
        )
        left += count
    return "".join(shapes)


def _letters(letters: str, side: float, top: float) -> str:
    places = " ".join(f"{(at + 0.25) * side:g}" for at in range(len(letters)))
    return f'<text fill="#000" font-size="{side * 0.7:g}" x="{places}" y="{top + side * 0.75:g}">{letters}</text>'
