"""A terminal: colours, lines that fit, and a display that lives while a walk runs. The only importer of rich.

Nothing foreign reaches rich as anything but a ``Text``: markup, emoji codes and highlighting are off.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from netlab import signals
from netlab.render.lines import Line, cells, crop, fitting, spell

NARROW = 16
"""Columns that prose should have at least: with less, the terminal itself breaks the line."""

PAUSE = 1 / 12
"""Seconds between two pictures of what lives."""

View = Callable[[int, int], Sequence[Line]]
"""The living lines for so many columns and rows."""


class Terminal:
    """Writes lines to a terminal with rich; ``plain`` keeps to ASCII symbols."""

    def __init__(self, stream: TextIO, *, plain: bool) -> None:
        self._stream, self._plain = stream, plain
        self._drawing = threading.RLock()
        self._console = Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False)

    @property
    def interactive(self) -> bool:
        return self._console.is_interactive

    @property
    def columns(self) -> int:
        return self._console.width

    def show(self, lines: Sequence[Line]) -> None:
        """Lines that stay. A living display moves down below them."""
        if lines:
            text = Text("\n", end="").join(part for each in lines for part in self._fitted(each))
            with self._drawing:
                self._console.print(text, soft_wrap=True)

    def painted(self, whole: Line) -> str:
        """The line with its colours, as it is to be written, for who puts it in its place himself."""
        with self._console.capture() as captured:
            self._console.print(self._text(whole), soft_wrap=True, end="")
        return captured.get()

    def spelled(self, whole: Line) -> Line:
        """The line in characters that the terminal can show."""
        return Line(tuple((spell(text, self._stream, plain=self._plain), style) for text, style in whole.spans))

    @contextmanager
    def live(self, view: View) -> Iterator[None]:
        """Redraws ``view`` below all that is shown until the block is left, however it is left; then it is gone.

        rich's own thread may draw a picture of another height between the measuring and the writing of what stays, and
        leave a piece of the old one: ours takes turns with ``show``.
        """

        def picture() -> Text:
            columns, rows = self._console.size
            lines = [self._text(crop(each, columns)) for each in view(columns, rows)]
            return Text("\n", no_wrap=True, overflow="crop").join(lines)

        live = Live(
            console=self._console,
            get_renderable=picture,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        over = threading.Event()

        def redraw() -> None:
            with suppress(OSError):  # the terminal is gone: whoever writes a line will say so
                while not over.wait(PAUSE):
                    with self._drawing:
                        live.refresh()

        thread = threading.Thread(target=redraw, name="progress", daemon=True)
        with live:
            try:
                signals.start(thread)
                yield
            finally:
                over.set()
                if thread.is_alive():  # else a signal came first
                    thread.join()

    def _fitted(self, whole: Line) -> list[Text]:
        """Prose in lines that fit, hanging under its first one. A command stays one line, for whoever copies it."""
        text, width, hang = self._text(whole), self._console.width, whole.hang
        if hang is None or width - hang < NARROW or cells(text.plain) <= width:
            return [text]
        head, body = text.divide([fitting(text.plain, hang)])
        first, *further = body.wrap(self._console, width - hang, overflow="fold", no_wrap=False)
        return [head + first, *(Text(" " * hang) + each for each in further)]

    def _text(self, whole: Line) -> Text:
        text = Text(end="", no_wrap=True, overflow="crop")
        for part, style in whole.spans:
            text.append(spell(part, self._stream, plain=self._plain), style)
        return text
