"""A sheet of cells to draw on: boxes and wires that join where they meet, and words over them.

A cell of a wire knows in which directions it goes on, and its character follows from that: nobody draws a corner.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from netlab.render.lines import Line, cells, clean

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8

_SINGLE = " ╵╷│╴╯╮┤╶╰╭├─┴┬┼"
_DOUBLE = " ║║║═╝╗╣═╚╔╠═╩╦╬"
_ACROSS = " ╵╷│═╛╕╡═╘╒╞═╧╤╪"
_UPRIGHT = " ║║║╴╜╖╢╶╙╓╟─╨╥╫"
_SHAPES = {(False, False): _SINGLE, (True, True): _DOUBLE, (True, False): _ACROSS, (False, True): _UPRIGHT}
"""By whether it is double across and double upright; in each, by the sum of the directions."""

_DOTTED = {"│": "┊", "─": "┄", "║": "┊", "═": "┄"}


@dataclass(slots=True)
class _Cell:
    """A piece of wire."""

    arms: int = 0
    across: bool = False
    upright: bool = False
    dotted: bool = False
    style: str = ""

    @property
    def character(self) -> str:
        shape = _SHAPES[self.across, self.upright][self.arms]
        return _DOTTED.get(shape, shape) if self.dotted else shape


class Canvas:
    """Columns count from 0 at the left, rows from 0 at the top. What is drawn later joins; words cover."""

    def __init__(self) -> None:
        self._wires: dict[tuple[int, int], _Cell] = {}
        self._words: dict[tuple[int, int], tuple[str, str]] = {}

    def across(
        self, y: int, left: int, right: int, *, double: bool = False, dotted: bool = False, style: str = ""
    ) -> None:
        """A wire from ``left`` to ``right``, which both join it from their side only."""
        for x in range(left, right + 1):
            arms = (LEFT if x > left else 0) | (RIGHT if x < right else 0)
            cell = self._join(x, y, arms, dotted=dotted, style=style)
            cell.across = cell.across or double

    def down(
        self, x: int, top: int, bottom: int, *, double: bool = False, dotted: bool = False, style: str = ""
    ) -> None:
        """A wire from ``top`` to ``bottom``, which both join it from their side only."""
        for y in range(top, bottom + 1):
            arms = (UP if y > top else 0) | (DOWN if y < bottom else 0)
            cell = self._join(x, y, arms, dotted=dotted, style=style)
            cell.upright = cell.upright or double

    def _join(self, x: int, y: int, arms: int, *, dotted: bool, style: str) -> _Cell:
        cell = self._wires.setdefault((x, y), _Cell(dotted=dotted))
        cell.arms |= arms
        cell.dotted = cell.dotted and dotted
        cell.style = style or cell.style
        return cell

    def box(self, x: int, y: int, width: int, height: int, *, double: bool = False, style: str = "") -> None:
        """A frame, ``width`` and ``height`` including its lines."""
        right, bottom = x + width - 1, y + height - 1
        for edge in (y, bottom):
            self.across(edge, x, right, double=double, style=style)
        for edge in (x, right):
            self.down(edge, y, bottom, double=double, style=style)

    def write(self, x: int, y: int, text: str, style: str = "") -> int:
        """Words from column ``x`` on, control characters spelled out; returns the column after them."""
        for character in clean(text):
            taken = cells(character)
            if taken:
                self._words[x, y] = (character, style)
                self._words.update({(x + more, y): ("", style) for more in range(1, taken)})
            elif (x - 1, y) in self._words:  # it combines with the one before
                before, _ = self._words[x - 1, y]
                self._words[x - 1, y] = (before + character, style)
            x += taken
        return x

    def lines(self) -> list[Line]:
        """The sheet, row by row, no blanks at the ends of lines."""
        taken = self._wires.keys() | self._words.keys()
        return [
            self._line(y, max((x for x, row in taken if row == y), default=-1))
            for y in range(1 + max((y for _, y in taken), default=-1))
        ]

    def _line(self, y: int, last: int) -> Line:
        row = [self._at(x, y) for x in range(last + 1)]
        spans = ((style, "".join(text for text, _ in some)) for style, some in groupby(row, key=lambda cell: cell[1]))
        return Line(tuple((text, style) for style, text in spans))

    def _at(self, x: int, y: int) -> tuple[str, str]:
        if (x, y) in self._words:
            return self._words[x, y]
        cell = self._wires.get((x, y))
        return (cell.character, cell.style) if cell is not None else (" ", "")
