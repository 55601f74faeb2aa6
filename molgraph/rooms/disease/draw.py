"""A record as a small picture: its first fields in words, as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

LINE = 14  # pixels
LETTER = 6.5  # pixels of a letter of this size, about


def draw(key: str, *, width: int = 240, height: int = 160, highlight: Mapping[int, float] | None = None) -> str:
    """Write the fields of a record below each other, as many as there is room for; how many more there are is said.

    A record has no place to colour: `highlight` changes nothing.
    """
    lines, room = key.split("; "), max((height - 6) // LINE, 1)
    if len(lines) > room:
        lines = [*lines[: room - 1], f"and {len(lines) - room + 1} more"]
    most = max(int((width - 8) / LETTER), 4)
    texts = [line if len(line) <= most else f"{line[: most - 1]}…" for line in lines]
    body = "".join(f'<text x="4" y="{LINE * (at + 1)}">{escape(text)}</text>' for at, text in enumerate(texts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="sans-serif" font-size="11" fill="#666">{body}</svg>'
    )
