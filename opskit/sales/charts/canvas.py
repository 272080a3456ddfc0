"""A sheet of SVG, 750 units wide: what is drawn on it is a string at the end. All text goes through ``glyphs``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from opskit.sales.charts import colours, glyphs

WIDTH = 750.0
MARGIN = 28.0
BODY, SMALL = 26.0, 23.0
_TITLE = 36.0
_FATNESS = 0.028  # of the font size: the outline that makes text bold, for there is one weight in the font
_HALO = 8.0
_LEGEND_LINE, _SWATCH, _SWATCH_GAP, _ENTRY_GAP = 36.0, 34.0, 10.0, 30.0

type Point = tuple[float, float]
type Anchor = Literal["start", "middle", "end"]
type Look = Literal["line", "dashes", "box", "ring"]


@dataclass(slots=True)
class Canvas:
    """Elements in the order in which they cover each other; y grows downwards."""

    elements: list[str] = field(default_factory=list)

    def box(self, x: float, y: float, width: float, height: float, colour: str, *, round_by: float = 0) -> None:
        """A filled rectangle."""
        corner = f' rx="{_n(round_by)}"' if round_by else ""
        self.elements.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"{corner} fill="{colour}"/>'
        )

    def path(self, points: Iterable[Point], colour: str, *, width: float = 2, dashes: str = "") -> None:
        """A line through points."""
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.elements.append(
            f'<path d="{_d(points)}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"'
            f' stroke-linejoin="round" stroke-linecap="round"{dashed}/>'
        )

    def area(self, points: Iterable[Point], colour: str, *, opacity: float = 1) -> None:
        """A filled shape."""
        seen = f' fill-opacity="{_n(opacity)}"' if opacity < 1 else ""
        self.elements.append(f'<path d="{_d(points)}Z" fill="{colour}"{seen}/>')

    def dot(self, at: Point, radius: float, colour: str) -> None:
        """A filled circle."""
        self.elements.append(f'<circle cx="{_n(at[0])}" cy="{_n(at[1])}" r="{_n(radius)}" fill="{colour}"/>')

    def ring(self, at: Point, radius: float, colour: str) -> None:
        """A circle that lets through what it surrounds."""
        self.elements.append(
            f'<circle cx="{_n(at[0])}" cy="{_n(at[1])}" r="{_n(radius)}" fill="none"'
            f' stroke="{colour}" stroke-width="4"/>'
        )

    def text(
        self,
        at: Point,
        text: str,
        *,
        size: float = BODY,
        colour: str = colours.INK,
        anchor: Anchor = "start",
        bold: bool = False,
        halo: bool = False,
    ) -> None:
        """One line of text, as ``glyphs.shown`` or ``glyphs.fitted`` gave it; ``at`` is on its baseline."""
        look = f' text-anchor="{anchor}"' if anchor != "start" else ""
        if halo:
            self._text(
                at, text, size, f'{look} fill="{colours.PAPER}" stroke="{colours.PAPER}" stroke-width="{_n(_HALO)}"'
            )
        if bold:
            look += f' stroke="{colour}" stroke-width="{_n(size * _FATNESS)}"'
        self._text(at, text, size, f'{look} fill="{colour}"')

    def _text(self, at: Point, text: str, size: float, look: str) -> None:
        x, y = map(_n, at)
        self.elements.append(f'<text x="{x}" y="{y}" font-size="{_n(size)}"{look}>{escape(text)}</text>')

    def heading(self, title: str, note: str) -> float:
        """Title and note at the top; where they end."""
        room = WIDTH - 2 * MARGIN
        self.text((MARGIN, 62), glyphs.fitted(glyphs.shown(title), _TITLE, room), size=_TITLE, bold=True)
        if not note:
            return 84
        self.text((MARGIN, 102), glyphs.fitted(glyphs.shown(note), SMALL, room), size=SMALL, colour=colours.FAINT_INK)
        return 124

    def legend(self, top: float, entries: Sequence[tuple[Look, str, str]]) -> float:
        """Look, colour and words of what is drawn, in as many lines as that takes; where they end."""
        x, y = MARGIN, top
        for look, colour, words in entries:
            text = glyphs.fitted(glyphs.shown(words), SMALL, WIDTH - 2 * MARGIN - _SWATCH - _SWATCH_GAP)
            wide = _SWATCH + _SWATCH_GAP + glyphs.width(text, SMALL)
            if x > MARGIN and x + wide > WIDTH - MARGIN:
                x, y = MARGIN, y + _LEGEND_LINE
            self._swatch(look, colour, x, y + _LEGEND_LINE / 2)
            self.text((x + _SWATCH + _SWATCH_GAP, y + 26), text, size=SMALL, colour=colours.FAINT_INK)
            x += wide + _ENTRY_GAP
        return y + _LEGEND_LINE if entries else y

    def _swatch(self, look: Look, colour: str, x: float, y: float) -> None:
        match look:
            case "box":
                self.box(x, y - 9, _SWATCH, 18, colour, round_by=3)
            case "ring":
                self.ring((x + _SWATCH / 2, y), 9, colour)
            case _:
                self.path([(x, y), (x + _SWATCH, y)], colour, width=4, dashes="9 8" if look == "dashes" else "")

    def svg(self, height: float) -> str:
        """The sheet, cut off at ``height``."""
        size = f'width="{_n(WIDTH)}" height="{_n(height)}" viewBox="0 0 {_n(WIDTH)} {_n(height)}"'
        paper = f'<rect width="{_n(WIDTH)}" height="{_n(height)}" fill="{colours.PAPER}"/>'
        font = f'font-family="{glyphs.FAMILY}"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>{paper}{"".join(self.elements)}</svg>'


def _n(number: float) -> str:
    """A coordinate: two places are finer than any screen."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _d(points: Iterable[Point]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
