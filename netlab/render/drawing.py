"""The drawing of a lab: containers above, the lab host with its bridge, what stands around below.

The wire from the bridge down to the uplink is the way of a packet that a container sends into the world. It begins
where the bridge has an address, and each thing that decides over the packet is a gate on it, open or cut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from netlab.picture import Card, Picture
from netlab.render.around import draw_around
from netlab.render.canvas import Canvas
from netlab.render.columns import Layout, cable, layouts
from netlab.render.gates import Gate, also, gates, uplink_row
from netlab.render.lines import Line, cells, line
from netlab.render.listing import listing
from netlab.render.rows import FRAME, MARK, NEW, Marks, Piece, Row, few, frame, width, write

OPEN, CUT = "green", "bold red"
SPINE, FARTHEST = 16, 28
"""The wire's first and last possible column: the names of the gates stand left of it, and it leads to a box below."""


def drawing(
    whole: Picture,
    *,
    since: Picture | None = None,
    columns: int = 80,
    legend: str = "and double lines: new",
    everything: bool = False,
) -> list[Line]:
    """The lab in at most ``columns`` columns, as a plain list where it does not fit.

    What ``since`` does not have is marked with "+" and double lines, which ``legend`` explains behind a "+".
    ``everything`` adds the list of the containers, which shows each of them also where the drawing takes many together.
    """
    marks = Marks.between(since, whole)
    sheet = _Sheet.of(whole, marks, columns)
    lines = sheet.lines() if sheet is not None else []
    if not lines or max(cells(each.text) for each in lines) > columns:
        lines = listing(whole, marks)
    elif everything:
        lines += [line(), *listing(whole, marks)]
    return [*lines, line((f"{MARK} ", NEW), (legend, "dim"))] if marks.new else lines


@dataclass(frozen=True, slots=True)
class Box:
    """A bridge and the first and last column of its box."""

    card: Card
    left: int
    right: int

    @property
    def middle(self) -> int:
        return (self.left + self.right) // 2

    @property
    def routed(self) -> bool:
        """Does what its ports send to its address reach the lab host's own stack?"""
        return self.card.up and bool(self.card.addresses)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Everything that is drawn, and where: columns of the wire, the lab host's right edge, and its title."""

    whole: Picture
    marks: Marks
    layout: Layout
    uplink: Card | None
    bridges: tuple[Box, ...]
    gates: tuple[Gate, ...]
    spine: int
    width: int
    title: int

    @classmethod
    def of(cls, whole: Picture, marks: Marks, room: int) -> _Sheet | None:
        """The one that shows the most containers; None where not even a few of them fit."""
        sheets = (cls._with(place, whole, marks, room) for place in layouts(whole, marks, room))
        return next((each for each in sheets if each.width <= room and each.distinct), None)

    @classmethod
    def _with(cls, place: Layout, whole: Picture, marks: Marks, room: int) -> _Sheet:
        uplink = whole.uplink()
        bridges = _bridges(whole, marks, place)
        others = few(also(whole, marks, uplink, [each.card for each in bridges]))
        rows = gates(whole, marks, uplink, others)
        edge = uplink_row(whole.host, marks, uplink) if uplink is not None else ()
        text = max(width(edge) - width(edge[:1]) // 2, *(width(each.row) + 2 for each in rows))
        spine = max(SPINE, min(bridges[0].middle, room - text - 3, FARTHEST)) if bridges else SPINE
        if bridges and bridges[0].left >= spine:  # no room for the way out below it: it reaches further
            bridges = (replace(bridges[0], left=spine - 2), *bridges[1:])
        labels = [(x - width(each.label) // 2, width(each.label)) for each, _, x, _ in place.placed if each.label]
        title = 2 if not labels or labels[0][0] > 8 else sum(labels[-1]) + 2
        wide = max(place.right, spine + text + 3, title + 8, *(each.right + 4 for each in bridges))
        return cls(whole, marks, place, uplink, bridges, tuple(rows), spine, wide, title)

    @property
    def distinct(self) -> bool:
        """Does each bridge have a place of its own?"""
        return all(before.right < after.left for before, after in pairwise(self.bridges))

    def lines(self) -> list[Line]:
        canvas = Canvas()
        top = self._containers(canvas)
        base = self._switches(canvas, top)
        bottom = base + len(self.gates)
        canvas.box(0, top, self.width, bottom - top + 1, style=FRAME)
        self._way_out(canvas, base, bottom)
        draw_around(canvas, self.whole, self.marks, self.uplink, self.spine, bottom)
        return canvas.lines()

    def _containers(self, canvas: Canvas) -> int:
        """The containers and their cables; returns the row of the lab host's upper edge."""
        high = self.layout.high
        top = high + 3 if self.layout.columns else 0
        for each, left, middle, right in self.layout.placed:
            frame(canvas, left, 0, right, high + 1, each.title)
            for y, row in enumerate(each.rows, 1 + high - len(each.rows)):
                write(canvas, left + 1, y, row)
            if each.label:
                style = NEW if each.new_cable else OPEN if each.up else ""
                canvas.down(middle, high + 1, top, double=each.new_cable, dotted=not each.up, style=style)
                canvas.write(write(canvas, middle - width(each.label) // 2, top, each.label), top, " ")
        canvas.write(write(canvas, self.title, top, (Piece("host", "bold"),)), top, " ")
        return top

    def _switches(self, canvas: Canvas, top: int) -> int:
        """The bridges, with wires from their ports and to the way out; returns the row of the first gate."""
        if not self.bridges:
            return top + 1
        for each in self.bridges:
            new = self.marks.has("card", "host", each.card.name)
            style = NEW if new else OPEN if each.card.up else FRAME
            canvas.box(each.left, top + 1, each.right - each.left + 1, 3, double=new, style=style)
            write(canvas, each.left + 1, top + 2, _bridge_row(self.whole, self.marks, each.card))
            for column, _, x, _ in self.layout.placed:
                if column.bridge == each.card.name:
                    style = NEW if column.new_port else OPEN if column.up and each.card.up else ""
                    canvas.down(x, top, top + 1, double=column.new_port, style=style)
        base = top + 4
        others = [each.middle for each in self.bridges[1:] if each.routed]
        if not others:
            return base
        canvas.across(base, min(self.spine, *others), max(self.spine, *others), style=OPEN)
        for x in (*others, *([self.spine] if self.bridges[0].routed else [])):
            canvas.down(x, base - 1, base, style=OPEN)
        return base + 1

    def _way_out(self, canvas: Canvas, base: int, bottom: int) -> None:
        """The wire and what is on it, green as far down as a packet of a container comes."""
        flows = attached = any(each.routed for each in self.bridges)
        for y, each in enumerate(self.gates, base):
            if (y > base or attached) and each.name != "uplink":
                canvas.down(self.spine, y - 1, y, style=OPEN if flows else FRAME)
            if each.sign:
                canvas.write(self.spine, y, each.sign, CUT if each.cut else OPEN if flows else FRAME)
            flows = flows and not each.cut
            canvas.write(self.spine - 2 - cells(each.name), y, each.name, FRAME)
            write(canvas, self.spine + 2, y, each.row)
        if self.uplink is not None:
            flows = flows and self.uplink.up
            canvas.down(self.spine, bottom - 1, bottom, style=OPEN if flows else FRAME)
            row = uplink_row(self.whole.host, self.marks, self.uplink)
            canvas.write(write(canvas, self.spine - width(row[:1]) // 2, bottom, row), bottom, " ")


def _bridge_row(whole: Picture, marks: Marks, card: Card) -> Row:
    """Its name and addresses, and the ports that have no cable to a container."""
    cabled = {ends[1].name for ends in (cable(whole, each) for each in whole.containers) if ends is not None}
    ports = [each for each in whole.host.cards if each.master == card.name and each.name not in cabled]
    return marks.card("host", card) + tuple(Piece(f"and {each.name}", "dim") for each in ports)


def _bridges(whole: Picture, marks: Marks, place: Layout) -> tuple[Box, ...]:
    """The bridges that have columns, or else the first there is."""
    found: list[Box] = []
    every = [each for each in whole.host.cards if each.kind == "bridge"]
    for card in every:
        text = width(_bridge_row(whole, marks, card)) + 3
        ports = [edges for column, edges in zip(place.columns, place.edges, strict=True) if column.bridge == card.name]
        if ports:
            left, right = ports[0][0] + 3, ports[-1][1] - 3
            least = left + text if found else max(left + text, SPINE + 3)
            found.append(Box(card, left, max(right, least)))
    if not found and every:
        text = width(_bridge_row(whole, marks, every[0])) + 3
        found = [Box(every[0], 3, max(3 + text, place.right - 4, 2 * SPINE - 3))]
    return tuple(sorted(found, key=lambda each: each.left))
