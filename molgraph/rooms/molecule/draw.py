"""A small SVG picture of a molecule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from itertools import groupby
from xml.etree.ElementTree import Element, fromstring

from rdkit import Chem, rdBase
from rdkit.Chem import Mol
from rdkit.Chem.Draw import rdMolDraw2D

from molgraph.rooms.molecule.hard import within
from molgraph.rooms.molecule.layout import laid_out

RAISES, LOWERS = (0.90, 0.45, 0.05), (0.20, 0.45, 0.80)  # orange and blue: the colour-blind tell them apart
MOST_ATOMS = 200  # more cannot be made out in a small picture, and take seconds to lay out
INK = "#000000"


def draw(key: str, *, width: int = 240, height: int = 160, highlight: Mapping[int, float] | None = None) -> str:
    """Draw a molecule as an SVG of about two kilobytes, without a background.

    `highlight` maps atom numbers to weights: orange is above 0, blue below, and full colour is the largest of
    them. Where there is no molecule to draw, the picture says so.
    """
    body = within(_body, key, width, height, highlight or {}, instead=_note("takes too long to draw", key, height))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' fill="none" stroke="{_colour(INK)}" stroke-linejoin="round" font-family="sans-serif">{body}</svg>'
    )


def _body(key: str, width: int, height: int, highlight: Mapping[int, float]) -> str:
    """Return the shapes of a picture."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(key)
        if molecule is None or not molecule.GetNumAtoms():
            return _note("no structure", key, height)
        if molecule.GetNumAtoms() > MOST_ATOMS:
            return _note(f"{molecule.GetNumAtoms()} atoms, too many to draw", key, height)
        return _shapes(fromstring(_picture(molecule, width, height, highlight)))


def picture(key: str, *, width: int = 360, height: int = 240) -> bytes:
    """Draw a molecule as a PNG on white, for spreadsheets; nothing where there is no molecule to draw."""
    return within(_png, key, width, height, instead=b"") if key else b""


def _png(key: str, width: int, height: int) -> bytes:
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(key)
        if molecule is None or not 0 < molecule.GetNumAtoms() <= MOST_ATOMS:
            return b""
        canvas = rdMolDraw2D.MolDraw2DCairo(width, height)
        canvas.drawOptions().fixedBondLength = 42  # an upper limit: ethanol should not fill the picture
        rdMolDraw2D.PrepareAndDrawMolecule(canvas, laid_out(molecule))
        canvas.FinishDrawing()
        return bytes(canvas.GetDrawingText())


def _picture(molecule: Mol, width: int, height: int, highlight: Mapping[int, float]) -> str:
    canvas = rdMolDraw2D.MolDraw2DSVG(width, height, -1, -1, True)  # True: letters as text, not as outlines
    options = canvas.drawOptions()
    options.clearBackground = False
    options.singleColourBonds = True
    options.bondLineWidth = 1
    options.fixedBondLength = 28  # an upper limit: ethanol should not fill the picture
    options.minFontSize, options.maxFontSize = 9, 13
    largest = max((abs(weight) for weight in highlight.values()), default=0) or 1
    colours = {int(atom): _tint(weight / largest) for atom, weight in highlight.items() if weight}
    rdMolDraw2D.PrepareAndDrawMolecule(
        canvas, laid_out(molecule), highlightAtoms=list(colours), highlightAtomColors=colours, highlightBonds=[]
    )
    canvas.FinishDrawing()
    return str(canvas.GetDrawingText())


def _tint(strength: float) -> tuple[float, float, float]:
    """Mix a full colour with white."""
    red, green, blue = (1 - abs(strength) * (1 - part) for part in (RAISES if strength > 0 else LOWERS))
    return red, green, blue


def _shapes(picture: Element) -> str:
    """Write RDKit's shapes again, in their order, neighbours of one style as one element and without the rest."""
    styled = [(child.tag.rpartition("}")[2], _style(child), child) for child in picture]
    return "".join(
        _WRITERS[tag](style, [child for *_, child in run])
        for (tag, style), run in groupby(styled, key=lambda shape: shape[:2])
        if tag in _WRITERS
    )


def _style(shape: Element) -> tuple[tuple[str, str], ...]:
    """Return the style of a shape as the attributes that differ from those of the whole picture."""
    given = dict(pair.split(":", 1) for pair in shape.get("style", "").strip("; ").split(";") if ":" in pair)
    usual = {"fill": "none", "stroke": INK, "stroke-width": "1.0px", "stroke-dasharray": "none", "font-size": ""}
    return tuple(
        (name, _colour(given[name].removesuffix("px")))
        for name, value in usual.items()
        if given.get(name, value) != value
    )


def _colour(value: str) -> str:
    """Shorten a colour: #FF0000 is #F00."""
    return re.sub(r"^#(.)\1(.)\2(.)\3$", r"#\1\2\3", value)


def _at(shape: Element, *names: str) -> str:
    return _attributes((name, shape.get(name, "0").removesuffix(".0")) for name in names)


def _attributes(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f' {name}="{value}"' for name, value in pairs)


def _lines(style: Iterable[tuple[str, str]], shapes: list[Element]) -> str:
    points = " ".join(shape.get("d", "") for shape in shapes)
    short = re.sub(r"\s*([A-Z])\s*", r"\1", points.replace(",", " ")).replace(".0", "")
    return f'<path{_attributes(style)} d="{short}"/>'


def _ellipses(style: Iterable[tuple[str, str]], shapes: list[Element]) -> str:
    return "".join(f"<ellipse{_at(shape, 'cx', 'cy', 'rx', 'ry')}{_attributes(style)}/>" for shape in shapes)


def _letters(style: Iterable[tuple[str, str]], shapes: list[Element]) -> str:
    written = "".join(f"<text{_at(shape, 'x', 'y')}>{escape(shape.text or '')}</text>" for shape in shapes)
    return f"<g{_attributes(style)}>{written}</g>"


_WRITERS = {"path": _lines, "ellipse": _ellipses, "text": _letters}


def _note(message: str, key: str, height: int) -> str:
    shown = key if len(key) <= 24 else f"{key[:23]}…"
    middle = height // 2
    return (
        '<g font-size="11" fill="#666" stroke="none">'
        f'<text x="8" y="{middle}">{escape(message)}</text><text x="8" y="{middle + 14}">{escape(shown)}</text></g>'
    )
