"""What stands around the lab host: below it the node at its uplink, and right of that one all others."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from netlab.picture import Card, Node, Picture
from netlab.render.canvas import Canvas
from netlab.render.rows import FRAME, Marks, Piece, Row, frame, width, write

GUTTER = 4


def draw_around(canvas: Canvas, whole: Picture, marks: Marks, uplink: Card | None, spine: int, top: int) -> None:
    """Below row ``top``, where the uplink's wire leaves the lab host in column ``spine``."""
    near = whole.node(uplink.far.node) if uplink is not None and uplink.far is not None else None
    near = near if near in whole.around else None
    others = [each for each in whole.around if each is not near]
    rows = [_rows(marks, each) for each in others]
    places = _places([len(each) for each in rows], top + 1)
    left = 0
    if near is not None:
        left = _draw_near(canvas, marks, near, [*zip(others, rows, places, strict=True)], spine, top) + GUTTER
    texts = [width(row) + 2 for each in rows for _, row in each] + [width((marks.title(each),)) + 4 for each in others]
    for each, shown, y in zip(others, rows, places, strict=True):
        frame(canvas, left, y - 1, left + max(texts), y + len(shown), marks.title(each))
        for place, (_, row) in enumerate(shown, y):
            write(canvas, left + 1, place, row)


def _draw_near(canvas: Canvas, marks: Marks, near: Node, others: Sequence[Placed], spine: int, top: int) -> int:
    """The node at the uplink, with its wires to the others on its right; returns its last column."""
    mine = _rows(marks, near)
    wires = [
        (_row_of(mine, own), y + _row_of(shown, card), card.up and own.up)
        for other, shown, y in others
        for card in other.cards
        if card.far is not None and card.far.node == near.name and (own := near.card(card.far.card)) is not None
    ]
    heads = _facing(len(mine), [(row, y) for row, y, _ in wires], top + 2)
    right = max(spine + 2, *(width(row) + 2 for _, row in mine), width((marks.title(near),)) + 4)
    bottom = 1 + max(*heads.values(), *(y + len(shown) - 1 for _, shown, y in others))
    frame(canvas, 0, top + 1, right, bottom, marks.title(near))
    canvas.down(spine, top, top + 1)
    for place, (_, words) in enumerate(mine):
        write(canvas, 1, heads[place], words)
    for row, y, up in wires:
        _wire(canvas, right, heads[row], y, up=up)
    return right


Named = tuple[str, Row]
"""A card's name ("" for another row), and what is written of it."""


Placed = tuple[Node, list[Named], int]
"""A node, its rows, and where the first of them goes."""


def _rows(marks: Marks, node: Node) -> list[Named]:
    """Its cards without loopback, and without a bridge's ports that are up; then what else there is to say."""
    shown = [each for each in node.cards if each.kind != "loopback" and not (each.master and each.up)]
    rows: list[Named] = [(each.name, marks.card(node.name, each)) for each in shown]
    return [*rows, *(("", row) for row in marks.about(node))] or [("", (Piece("no card", "dim"),))]


def _row_of(rows: list[Named], card: Card) -> int:
    """The row where a card's wire ends: a port's at its bridge."""
    names = [name for name, _ in rows]
    return next((names.index(each) for each in (card.name, card.master) if each in names), 0)


def _places(heights: list[int], top: int) -> list[int]:
    """The first row of each of the boxes, which share their lines."""
    places, y = [], top
    for each in heights:
        places.append(y + 1)
        y += each + 1
    return places


def _facing(count: int, wires: list[tuple[int, int]], top: int) -> dict[int, int]:
    """Where each of a box's rows goes: opposite the other end of its wire where it can, the others in the gaps."""
    heads: dict[int, int] = {}
    for row, y in wires:
        if row not in heads and y not in heads.values():
            heads[row] = y
    taken = set(heads.values())
    free = (y for y in itertools.count(top) if y not in taken)
    return {row: heads[row] if row in heads else next(free) for row in range(count)}


def _wire(canvas: Canvas, x: int, y: int, to: int, *, up: bool) -> None:
    """From a box's right line to that of the box beside it."""
    style = "green" if up else FRAME
    if y == to:
        canvas.across(y, x, x + GUTTER, dotted=not up, style=style)
        return
    middle = x + GUTTER // 2
    canvas.across(y, x, middle, dotted=not up, style=style)
    canvas.down(middle, min(y, to), max(y, to), dotted=not up, style=style)
    canvas.across(to, middle, x + GUTTER, dotted=not up, style=style)
