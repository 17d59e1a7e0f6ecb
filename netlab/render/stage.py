"""A terminal on which text flows, as in a shell, above a few lines at the bottom that are drawn in place.

Nothing is ever erased but the bottom: what leaves the screen goes to the terminal's own scrollback, whole, where a
learner finds it again, also when netlab is gone. (The alternate screen would take all of it along.)
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from netlab.render.lines import Line, cells, crop
from netlab.render.terminal import Terminal

_AT_ONCE, _DONE = "\x1b[?2026h", "\x1b[?2026l"
"""Around what a terminal should show as one picture; who does not know this, ignores it."""
_BELOW, _REST = "\x1b[J", "\x1b[K"
_NEWLINE = "\n"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"


class Stage:
    """Writes to ``stream``, the terminal ``fd``. All rows are counted from 0, at the top."""

    def __init__(self, terminal: Terminal, stream: TextIO, size: tuple[int, int] | None = None) -> None:
        self._terminal, self._stream, self._size = terminal, stream, size
        self._row = 0
        self._bottom: list[str] = []
        self._held: list[str] | None = None
        self.unread = 0
        """Rows that were shown since the last ``read``."""

    @property
    def columns(self) -> int:
        return self._measure()[0]

    @property
    def rows(self) -> int:
        return self._measure()[1]

    def _measure(self) -> tuple[int, int]:
        """Columns and rows: of the terminal itself, whatever COLUMNS and LINES say."""
        if self._size is not None:
            return self._size
        columns, rows = os.get_terminal_size(self._stream.fileno())
        return columns or 80, rows or 24

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Begin on an empty screen, and leave the cursor below all that was shown."""
        self._row = self.rows
        self.fresh()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # the terminal is gone
                self._write(self._left)

    def leave(self) -> None:
        """Let somebody else have the terminal for a while; then ``again``. For a signal's handler: the stream may be in
        the midst of something, and is passed by."""
        with contextlib.suppress(OSError):
            os.write(self._stream.fileno(), self._left.encode())

    @property
    def _left(self) -> str:
        """What takes the bottom away and gives the cursor back, below all that was shown."""
        return f"{_at(self._row)}{_BELOW}{_SHOW}"

    def read(self) -> None:
        """All that is there has been read: a key was pressed."""
        self.unread = 0

    def fresh(self) -> None:
        """Go on at the top of the screen; what stands on it moves up and out, into the scrollback."""
        last = self.rows - 1
        used = min(self._row, last + 1)
        # At the beginning all rows are somebody else's: nothing is erased, everything moves out.
        gone = "" if used > last else f"{_at(used)}{_BELOW}"
        self._write(f"{_HIDE}{gone}{_at(last)}{_NEWLINE * used}")
        self._row, self._bottom, self.unread = 0, [], 0

    def again(self, lines: Sequence[Line]) -> None:
        """The terminal has another size. ``lines`` are what was shown: at least what stood on the screen is written
        anew, and what has no room there any more moves into the scrollback."""
        columns, rows = self._measure()
        kept, used = list[Line](), 0
        for each in reversed(lines):
            used += height(self._terminal.spelled(each), columns)
            if used >= rows and len(kept) >= self._row:
                break
            kept.append(each)
        self._write(f"{_HIDE}{_at(0)}{_BELOW}")
        self._row, self._bottom = 0, []
        unread, self.unread = self.unread, 0
        self.show(kept[::-1])
        if not unread:
            self.read()

    def fitting(self, lines: Sequence[Line], *, whole: bool = False) -> int:
        """How many of ``lines`` may follow before something unread moves out; with ``whole``, on a screen of their own.

        One at least does, however small the screen is.
        """
        columns, rows = self._measure()
        room = max(rows - len(self._bottom or [""]), 1) - (0 if whole else self.unread)
        for count, each in enumerate(lines):
            room -= height(self._terminal.spelled(each), columns)
            if room < 0:
                return max(count, 0 if self.unread and not whole else 1)
        return len(lines)

    def show(self, lines: Iterable[Line]) -> None:
        """Let lines flow in, above what stands at the bottom."""
        columns, rows = self._measure()
        written, used = list[str](), 0
        for each in lines:
            written.append(f"{self._terminal.painted(each)}\r\n")
            used += height(self._terminal.spelled(each), columns)
        if not written:
            return
        kept, self._bottom = self._bottom, []
        text = f"{_at(self._row)}{_BELOW}{''.join(written)}"
        self._row = min(self._row + used, rows - 1)
        self.unread += used
        self._write(f"{text}{self._placed(kept, rows)}")

    def bottom(self, lines: Sequence[Line]) -> None:
        """What stands in the last rows from now on, each line cut off where the screen ends."""
        columns, rows = self._measure()
        drawn = [self._terminal.painted(crop(self._terminal.spelled(each), columns)) for each in lines[-rows + 1 :]]
        if drawn != self._bottom:
            self._write(self._placed(drawn, rows))

    def _placed(self, drawn: list[str], rows: int) -> str:
        """What puts ``drawn`` at the bottom, in the place of what is there, and moves the text up where it has to."""
        first = rows - len(drawn)
        up = max(self._row - first, 0)
        if up or not drawn:
            gone = f"{_at(self._row)}{_BELOW}" if self._row < rows else ""
        else:
            gone = "".join(f"{_at(row)}{_REST}" for row in range(rows - len(self._bottom), first))
        moved = f"{_at(rows - 1)}{_NEWLINE * up}" if up else ""
        self._row, self._bottom = self._row - up, drawn
        return gone + moved + "".join(f"{_at(first + number)}{each}{_REST}" for number, each in enumerate(drawn))

    @contextlib.contextmanager
    def picture(self) -> Iterator[None]:
        """What is drawn in the block reaches the terminal as one picture: nobody sees it half."""
        self._held = []
        try:
            yield
        finally:
            held, self._held = self._held, None
            self._write("".join(held))

    def _write(self, text: str) -> None:
        if self._held is not None:
            self._held.append(text)
        elif text:
            self._stream.write(f"{_AT_ONCE}{text}{_DONE}")
            self._stream.flush()


def _at(row: int) -> str:
    return f"\x1b[{row + 1};1H"


def height(whole: Line, columns: int) -> int:
    """The rows that a line takes: a terminal breaks it where the next character does not fit."""
    rows, used = 1, 0
    for character in whole.text:
        size = cells(character)
        if used + size > columns:
            rows, used = rows + 1, 0
        used += size
    return rows
