"""What stands around the lab host: below it the node at its uplink, and right of that one all others."""

from __future__ import annotations

from netlab.picture import Card, Node, Picture
from netlab.render.canvas import Canvas
from netlab.render.rows import FRAME, Marks, Piece, Row, frame, width, write

GUTTER = 4


def draw_around(canvas: Canvas, whole: Picture, marks: Marks, uplink: Card | None, spine: int, top: int) -> None:
    """Below row ``top``, where the uplink's wire leaves the lab host in column ``spine``."""
    near = whole.node(uplink.far.node) if uplink is not None and uplink.far is not None else None
    others = [each for each in whole.around if each is not near]
    x = 0
    rows = {each.name: _rows(marks, each) for each in others}
    places = _places([len(rows[each.name]) for each in others], top + 1)
    heads: dict[int, int] = {}
    if near is not None and near in whole.around:
        mine = _rows(marks, near)
        wires = [
            (_row_of(near, mine, own), places[place] + _row_of(other, rows[other.name], card), card.up and own.up)
            for place, other in enumerate(others)
            for card in other.cards
            if card.far is not None and card.far.node == near.name
            for own in [near.card(card.far.card)]
            if own is not None
        ]
        heads = _facing(len(mine), [(row, y) for row, y, _ in wires], top + 2)
        x = max(spine + 3, max((width(row) for _, row in mine), default=0) + 3, width((marks.title(near),)) + 4)
        end = max([*places[-1:], *heads.values(), top + 2][-1:] + [*heads.values()] + [_end(places, rows, others)])
        frame(canvas, 0, top + 1, x - 1, end + 1, marks.title(near))
        canvas.down(spine, top, top + 1, style="green" if uplink is not None and uplink.up else FRAME)
        for place, (_, row) in enumerate(mine):
            write(canvas, 1, heads[place], row)
        for row, y, up in wires:
            _wire(canvas, x - 1, heads[row], y, up=up)
        x += GUTTER - 1
    _stack(canvas, marks, others, rows, places, x)


Named = tuple[str, Row]
"""A card's name ("" for another row), and what is written of it."""


def _rows(marks: Marks, node: Node) -> list[Named]:
    """Its cards without loopback, and without a bridge's ports that are up; then what else there is to say."""
    shown = [each for each in node.cards if each.kind != "loopback" and not (each.master and each.up)]
    rows: list[Named] = [(each.name, marks.card(node.name, each)) for each in shown]
    return [*rows, *(("", row) for row in marks.about(node))] or [("", (Piece("no card", "dim"),))]


def _row_of(node: Node, rows: list[Named], card: Card) -> int:
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


def _end(places: list[int], rows: dict[str, list[Named]], others: list[Node]) -> int:
    return places[-1] + len(rows[others[-1].name]) - 1 if others else 0


def _facing(count: int, wires: list[tuple[int, int]], top: int) -> dict[int, int]:
    """Where each of a box's rows goes: opposite the other end of its wire where it can, the others in the gaps."""
    heads: dict[int, int] = {}
    for row, y in wires:
        if row not in heads and y not in heads.values():
            heads[row] = y
    free = (y for y in range(top, top + count + len(wires) + max((y for _, y in wires), default=0)) if y not in heads.values())
    for row in range(count):
        if row not in heads:
            heads[row] = next(free)
    return heads


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


def _stack(canvas: Canvas, marks: Marks, others: list[Node], rows: dict[str, list[Named]], places: list[int], x: int) -> None:
    texts = [width(row) for each in others for _, row in rows[each.name]] + [width((marks.title(each),)) + 2 for each in others]
    right = x + max(texts, default=0) + 2
    for each, y in zip(others, places, strict=True):
        frame(canvas, x, y - 1, right, y + len(rows[each.name]), marks.title(each))
        for place, (_, row) in enumerate(rows[each.name], y):
            write(canvas, x + 1, place, row)
