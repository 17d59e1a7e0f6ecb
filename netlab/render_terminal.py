"""A terminal: colours, lines that fit, and a display that lives while a walk runs. The only importer of rich.

Nothing foreign reaches rich as anything but a ``Text``: markup, emoji codes and highlighting are off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from netlab.render_lines import Line, cells, crop, spell

NARROW = 16
"""Columns that prose should have at least: with less, the terminal itself breaks the line."""

View = Callable[[int, int], Sequence[Line]]
"""The living lines for so many columns and rows."""


class Terminal:
    """Writes lines to a terminal with rich; ``plain`` keeps to ASCII symbols."""

    def __init__(self, stream: TextIO, *, plain: bool) -> None:
        self._stream, self._plain = stream, plain
        self._console = Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False)

    @property
    def interactive(self) -> bool:
        return self._console.is_interactive

    def show(self, lines: Sequence[Line]) -> None:
        """Lines that stay. A living display moves down below them."""
        if lines:
            text = Text("\n", end="").join(part for each in lines for part in self._fitted(each))
            self._console.print(text, soft_wrap=True)

    @contextmanager
    def live(self, view: View) -> Iterator[None]:
        """Redraws ``view`` below all that is shown until the block is left, however it is left; then it is gone."""

        def picture() -> Text:
            columns, rows = self._console.size
            lines = [self._text(crop(each, columns)) for each in view(columns, rows)]
            return Text("\n", no_wrap=True, overflow="crop").join(lines)

        with Live(
            console=self._console,
            get_renderable=picture,
            refresh_per_second=12,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        ):
            yield

    def _fitted(self, whole: Line) -> list[Text]:
        """Prose in lines that fit, hanging under its first one. A command stays one line, for whoever copies it."""
        text, width, hang = self._text(whole), self._console.width, whole.hang
        if hang is None or width - hang < NARROW or cells(text.plain) <= width:
            return [text]
        head, body = text.divide([_characters(text.plain, hang)])
        first, *further = body.wrap(self._console, width - hang, overflow="fold", no_wrap=False)
        return [head + first, *(Text(" " * hang) + each for each in further)]

    def _text(self, whole: Line) -> Text:
        text = Text(end="", no_wrap=True, overflow="crop")
        for part, style in whole.spans:
            text.append(spell(part, self._stream, plain=self._plain), style)
        return text


def _characters(text: str, columns: int) -> int:
    """How many characters fill ``columns``."""
    return next((count for count in range(len(text)) if cells(text[:count]) >= columns), len(text))
