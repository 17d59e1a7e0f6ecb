"""Lines as values: what is drawn, before it is known whether a terminal, a pipe or a test will show it.

Whatever becomes a ``Line`` has lost its control characters, so that no name of a card can move the cursor.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

Span = tuple[str, str]
"""A text and its style in rich's words, "" for none."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_ASCII = str.maketrans(
    {
        "✓": "+", "✗": "x", "◐": "~", "○": "-", "·": ".", "—": "-", "…": "...", "→": "->",
        "├": "|", "└": "`", "│": "|", "─": "-", "━": "=", "’": "'", "“": '"', "”": '"',
        **dict.fromkeys("╭╮╰╯┬┴┼┤", "+"), **dict.fromkeys("╵╷", "|"), **dict.fromkeys("╴╶┄", "-"), "┊": ":",
        "═": "=", **dict.fromkeys("║╔╗╚╝╠╣╦╩╬╒╓╕╖╘╙╛╜╞╟╡╢╤╥╧╨╪╫", "#"), "╳": "X", "▲": "^", "▼": "v",
        "↑": "^", "↓": "v", "▸": ">",
    }
)  # fmt: skip


MOST, FEW = 10, 4
"""Of more than ``MOST`` things beneath a step, only a ``FEW`` are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of spans. ``hang`` is None for what must not be broken (a command), else the indentation in cells of the
    further lines when a terminal is too narrow for it."""

    spans: tuple[Span, ...] = ()
    hang: int | None = None

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.spans)


Block = tuple[Line, ...]
"""The lines of one thing."""


def line(*parts: str | Span, hang: int | None = None) -> Line:
    """A line from plain texts and (text, style) pairs, control characters spelled out."""
    spans = (part if isinstance(part, tuple) else (part, "") for part in parts)
    return Line(tuple((clean(text), style) for text, style in spans if text), hang)


def clean(text: str) -> str:
    """``text`` with everything that would steer a terminal (or the direction of writing) spelled out."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def cells(text: str) -> int:
    """The columns that ``text`` takes on a terminal: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, width: int) -> str:
    """``text``, cleaned, filled with blanks to ``width`` columns."""
    text = clean(text)
    return text + " " * (width - cells(text))


def widest(texts: Iterable[str]) -> int:
    """The columns that the widest of ``texts`` takes once it is cleaned, 0 when there is none."""
    return max((cells(clean(text)) for text in texts), default=0)


def crop(whole: Line, width: int) -> Line:
    """``whole`` in at most ``width`` columns, with "…" where something was cut off."""
    if cells(whole.text) <= width:
        return whole
    room, kept = max(width - 1, 0), list[Span]()
    for text, style in whole.spans:
        fits = text[: fitting(text, room)]
        kept.append((fits, style))
        room -= cells(fits)
        if fits != text:
            break
    return Line((*kept, ("…"[:width], kept[-1][1])))


def fitting(text: str, columns: int) -> int:
    """How many of ``text``'s characters fit into so many columns."""
    return next((count for count in range(len(text)) if cells(text[: count + 1]) > columns), len(text))


def first(blocks: Sequence[Block], *, everything: bool) -> Sequence[Block]:
    """``blocks``, or of many only the first few and how many more there are."""
    if everything or len(blocks) <= MOST:
        return blocks
    return [*blocks[:FEW], (line((f"    … and {len(blocks) - FEW} more", "dim")),)]


def several(number: int, noun: str) -> str:
    """One or more of them: "1 step", "2 steps"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """As a person reads it: "0.06 s", "12.3 s", "2 min 05 s"."""
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    return f"{round(seconds) // 60} min {round(seconds) % 60:02} s"


def is_plain(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Must ``stream`` be spared symbols? So when its encoding lacks them, or the locale is C.

    In the C locale Python writes UTF-8 all the same, and may set LC_CTYPE=C.UTF-8 itself (PEP 538): then LANG decides.
    """
    if not (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf"):
        return True
    ctype = environ.get("LC_CTYPE", "")
    wanted = environ.get("LC_ALL") or (ctype if ctype != "C.UTF-8" else "") or environ.get("LANG")
    return wanted in ("C", "POSIX")


def spell(text: str, stream: TextIO, *, plain: bool) -> str:
    """``text`` as ``stream`` can take it: ASCII for our symbols when ``plain``, what it cannot encode spelled out."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    if text.isascii():
        return text
    return (text.translate(_ASCII) if plain else text).encode(encoding, "backslashreplace").decode(encoding)


class Plain:
    """Writes lines to a pipe or a file: no style, no control character, at once."""

    def __init__(self, stream: TextIO, *, plain: bool) -> None:
        self._stream, self._plain = stream, plain

    def show(self, lines: Sequence[Line]) -> None:
        if lines:
            text = "".join(f"{each.text.rstrip()}\n" for each in lines)
            self._stream.write(spell(text, self._stream, plain=self._plain))
            self._stream.flush()
