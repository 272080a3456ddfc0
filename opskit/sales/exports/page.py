"""The report as one HTML file that needs nothing else: no script, no request, pictures inside."""

import struct
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from hashlib import sha256
from html import escape
from itertools import accumulate
from pathlib import Path

from opskit.sales.exports.document import Cell, Document, Figure, Heading, Kind, Table
from opskit.sales.exports.showing import clean, number, width
from opskit.wording import Locale, say

_LANGUAGES: dict[Locale, str] = {"zh_Hans": "zh-Hans", "en_US": "en"}
_MOST_ROWS = 200  # of a table: nobody scrolls further on a phone
_LONGEST, _END = 96, 24  # width of a cell's text, and how much of that is its end: names differ there
_SHORT = 16  # width of a text that stays in one line
_LONG_FIGURE = 11  # characters that fit a tile of half a phone
_ACROSS = 4  # tiles side by side, where there is room for that
_PNG = b"\x89PNG\r\n\x1a\n"
_SIZE = 16  # where width and height stand in a PNG file (W3C PNG, 11.2.1 IHDR)


def page(document: Document) -> bytes:
    """A whole HTML document in UTF-8. The same document gives the same bytes; ValueError for a picture that is no PNG.

    The Content-Security-Policy inside allows the one style sheet, by its hash, and pictures as ``data:``: even what
    slipped through the escaping could neither run nor call out.
    """
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    title = _text(document.title)
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="{_LANGUAGES[document.locale]}">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        '<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">',
        '<link rel="icon" href="data:,">',
        f"<title>{title}</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
        "<main>",
        "<header>",
        f"<h1>{title}</h1>",
        *(f"<p>{_text(line)}</p>" for line in document.lines),
        "</header>",
        *_figures(document),
        *_findings(document),
        *_pictures(document),
        *(line for place, table in enumerate(document.tables, 1) for line in _table(table, place, document.locale)),
        *_quality(document),
        "</main>",
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(lines).encode()


@cache
def _policy(style: str) -> str:
    allowed = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"


def _text(text: str) -> str:
    """Any text as HTML that shows it: nothing in it is markup."""
    return escape(clean(text))


def _figures(document: Document) -> Iterator[str]:
    if document.figures:
        yield f'<section aria-label="{say(document.locale, "exports.figures")}">'
        yield f'<dl class="{_grid(document.figures)}">'
        yield from map(_figure, document.figures)
        yield "</dl>\n</section>"


def _grid(figures: tuple[Figure, ...]) -> str:
    """Four tiles side by side where that leaves no gap behind them and all values are short, otherwise three."""
    short = all(len(figure.value) <= _LONG_FIGURE for figure in figures)
    return "figures four" if short and len(figures) % _ACROSS == 0 else "figures"


def _figure(figure: Figure) -> str:
    size = ' class="long"' if len(figure.value) > _LONG_FIGURE else ""
    note = f'<dd class="note">{_text(figure.note)}</dd>' if figure.note else ""
    return f'<div{size}><dt>{_text(figure.label)}</dt><dd class="value">{_text(figure.value)}</dd>{note}</div>'


def _findings(document: Document) -> Iterator[str]:
    if document.findings:
        yield f"<section>\n<h2>{say(document.locale, 'exports.findings')}</h2>\n<ol>"
        for finding in document.findings:
            yield f"<li>{_text(finding)}</li>"
        yield "</ol>\n</section>"


def _pictures(document: Document) -> Iterator[str]:
    if document.pictures:
        yield f'<section class="pictures" aria-label="{say(document.locale, "exports.pictures")}">'
        for alternative, picture in document.pictures:
            if not picture.startswith(_PNG):
                raise ValueError("a picture is no PNG")
            width, height = struct.unpack_from(">II", picture, _SIZE)
            data = b64encode(picture).decode()
            yield (
                f'<figure><img alt="{_text(alternative)}" width="{width}" height="{height}"'
                f' src="data:image/png;base64,{data}"></figure>'
            )
        yield "</section>"


def _table(table: Table, place: int, locale: Locale) -> Iterator[str]:
    name = f"table-{place}"
    yield f'<section>\n<h2 id="{name}">{_text(table.title)}</h2>'
    notes = [_text(table.note)] if table.note else []
    if len(table.rows) > _MOST_ROWS:
        notes.append(say(locale, "exports.rows_shown", shown=f"{_MOST_ROWS:,}", count=f"{len(table.rows):,}"))
    if notes:
        yield f'<p class="note">{"<br>".join(notes)}</p>'
    # a box that scrolls must be within reach of a keyboard, and say what it is (WCAG 2.1.1, 4.1.2)
    yield f'<div class="box" role="region" aria-labelledby="{name}" tabindex="0">\n<table>\n<thead>'
    heads = (f'<th scope="col" class="{_look(heading.kind)}">{_text(heading.text)}</th>' for heading in table.headings)
    yield f"<tr>{''.join(heads)}</tr>\n</thead>\n<tbody>"
    for row in table.rows[:_MOST_ROWS]:
        cells = zip(table.headings, row, strict=True)
        yield f"<tr>{''.join(_cell(heading, cell, first=not at) for at, (heading, cell) in enumerate(cells))}</tr>"
    if not table.rows:
        yield f'<tr><td class="nothing" colspan="{len(table.headings)}">{say(locale, "exports.no_rows")}</td></tr>'
    yield "</tbody>\n</table>\n</div>\n</section>"


def _look(kind: Kind) -> str:
    return kind if kind in ("text", "date") else "number"


def _cell(heading: Heading, cell: Cell, *, first: bool) -> str:
    look = _look(heading.kind)
    match cell:
        case str() if shown := _shortened(" ".join(clean(cell).split())):
            text, look = escape(shown), "text" if width(shown) <= _SHORT else "text wrapped"
        case None | str():
            text, look = "–", f"{look} nothing"
        case date():
            text = cell.isoformat()
        case _:
            text = number(Decimal(cell), heading.kind)
            look = f"{look} less" if text.startswith("-") else look
    opening, closing = ('th scope="row"', "th") if first else ("td", "td")
    return f'<{opening} class="{look}">{text}</{closing}>'


def _shortened(text: str) -> str:
    """A long text as its beginning and end."""
    if width(text[: _LONGEST + 1]) <= _LONGEST:
        return text
    head = bisect_right(list(accumulate(map(width, text[:_LONGEST]))), _LONGEST - _END - 1)
    tail = bisect_right(list(accumulate(map(width, reversed(text[-_END:])))), _END)
    return f"{text[:head].rstrip()}…{text[len(text) - tail :].lstrip()}"


def _quality(document: Document) -> Iterator[str]:
    if document.quality:
        heading = say(document.locale, "exports.quality")
        yield f"<footer>\n<h2>{heading}</h2>\n<p>{_text(document.quality)}</p>\n</footer>"
