"""The containers of a drawing, side by side: each a column, and of many alike a few and one for all the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from netlab.picture import Card, Node, Picture
from netlab.render.rows import Marks, Piece, Row, width


@dataclass(frozen=True, slots=True)
class Column:
    """One container, or several: what is written in its box, and its cable to the lab host ("" for none)."""

    title: Piece
    rows: tuple[Row, ...]
    label: Row = ()
    bridge: str = ""
    up: bool = False
    new_cable: bool = False
    new_port: bool = False

    def width(self, pad: int) -> int:
        """Columns of its box, lines included, with so many blanks at the end of its longest row."""
        return max(width((self.title,)) + 5, *(width(row) + 2 + pad for row in self.rows), width(self.label) + 4)


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns and the first and last cell of each one's box."""

    columns: tuple[Column, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()

    @property
    def right(self) -> int:
        """One past the last cell."""
        return self.edges[-1][1] + 1 if self.edges else 0

    @property
    def high(self) -> int:
        """The rows of the highest box, without its lines."""
        return max((len(each.rows) for each in self.columns), default=0)

    @property
    def placed(self) -> list[tuple[Column, int, int, int]]:
        """Each column with its first cell, the one in its middle (where its cable is), and its last."""
        return [
            (each, left, (left + right) // 2, right)
            for each, (left, right) in zip(self.columns, self.edges, strict=True)
        ]


def layouts(whole: Picture, marks: Marks, room: int) -> Iterator[Layout]:
    """All that fit into so many cells, those with the most columns first, and of these the roomy ones.

    None has fewer than two columns for several containers.
    """
    every = _ordered(whole)
    for count in range(min(len(every), room // 8), min(len(every), 2) - 1, -1):
        columns = _columns(whole, marks, every, count)
        for pad, gap in ((1, 3), (1, 2), (0, 1)):
            widths = [each.width(pad) for each in columns]
            starts = list(accumulate((wide + gap for wide in widths), initial=0))
            made = Layout(tuple(columns), tuple((x, x + wide - 1) for x, wide in zip(starts, widths, strict=False)))
            if made.right <= room:
                yield made


def cable(whole: Picture, node: Node) -> tuple[Card, Card] | None:
    """A container's first card with a cable to the lab host, and the card at the other end."""
    for each in node.cards:
        if each.far is not None and not each.far.node:
            far = whole.host.card(each.far.card)
            if far is not None:
                return each, far
    return None


def _bridge(whole: Picture, node: Node) -> str:
    ends = cable(whole, node)
    return ends[1].master if ends is not None else ""


def _ordered(whole: Picture) -> list[Node]:
    """The containers in their order, but those on one bridge side by side."""
    bridges = [_bridge(whole, each) for each in whole.containers]
    order = sorted(range(len(bridges)), key=lambda place: bridges.index(bridges[place]) if bridges[place] else place)
    return [whole.containers[place] for place in order]


def _columns(whole: Picture, marks: Marks, every: list[Node], count: int) -> list[Column]:
    if count >= len(every):
        return [_column(whole, marks, each) for each in every]
    shapes = {each.name: _shape(whole, marks, each) for each in every}
    common = Counter(shapes.values()).most_common(1)[0][0]
    firsts = {shape: name for name, shape in reversed(shapes.items())}
    odd = [name for shape, name in firsts.items() if shape != common][: count - 2]
    usual = [name for name, shape in shapes.items() if shape == common][: count - 1 - len(odd)]
    shown = [each for each in every if each.name in (*odd, *usual)]
    rest = [each for each in every if each not in shown]
    model = next(each for each in shown if shapes[each.name] == common)
    unlike = [each.name for each in rest if shapes[each.name] != common]
    return [*(_column(whole, marks, each) for each in shown), _rest(whole, marks, rest, model, unlike)]


def _column(whole: Picture, marks: Marks, node: Node) -> Column:
    ends = cable(whole, node)
    wired = ends[0] if ends is not None else None
    rows = [*marks.loopback(node), *marks.about(node)]
    for each in node.cards:
        if each is not wired and each.kind != "loopback":
            rows += [marks.card(node.name, each), *_other_end(each)]
    if wired is not None:
        rows.append(marks.card(node.name, wired))
    title = marks.title(node)
    if ends is None:
        return Column(title, tuple(rows))
    near, far = ends
    port = marks.has("port", "host", far.name, far.master)
    new = marks.has("card", "host", far.name)
    name = Piece(far.name, "", new or marks.has("up", "host", far.name))
    label = (name,) if far.up else (name, Piece("down", "yellow"))
    cabled = marks.has("cable", node.name, near.name, "", far.name)
    return Column(title, tuple(rows), label, far.master, near.up and far.up, cabled, port)


def _other_end(card: Card) -> list[Row]:
    """In a row of its own, for a box is narrow, what a card is that has no wire in the drawing."""
    if card.far is not None:
        return [(Piece(f"  to {card.far.card} of {card.far.node or 'host'}", "dim"),)]
    return [(Piece(f"  {card.kind}", "dim"),)] if card.kind not in ("", "veth") else []


def _rest(whole: Picture, marks: Marks, rest: Sequence[Node], model: Node, unlike: Sequence[str]) -> Column:
    """All others in one box, with a cable such as its model has; those that are not like it are only named."""
    like = _column(whole, marks, model)
    title = Piece(f"{len(rest)} more", "bold", all(marks.has("node", each.name) for each in rest))
    alike = [each for each in rest if each.name not in unlike]
    rows: list[Row] = []
    if alike:
        rows += [(Piece(each),) for each in _from_to([each.name for each in alike])]
        rows.append((Piece(f"like {model.name}", "dim"),))
    if unlike:
        others = unlike[0] if len(unlike) == 1 else f"{len(unlike)} others"
        rows.append((Piece(f"and {others}" if alike else others, "yellow"),))
    ends = [pair for pair in (cable(whole, each) for each in alike) if pair is not None]
    if not ends or not like.label:
        return Column(title, tuple(rows))
    name = like.label[0]
    words = " ".join(_from_to([far.name for _, far in ends]))
    label = (Piece(words, name.style, name.new), *like.label[1:])
    return Column(title, tuple(rows), label, like.bridge, like.up, like.new_cable, like.new_port)


def _from_to(names: list[str]) -> list[str]:
    return [names[0], f"to {names[-1]}"] if len(names) > 1 else names


def _shape(whole: Picture, marks: Marks, node: Node) -> tuple[object, ...]:
    """What two containers have in common that differ only in names and numbers."""
    cards = tuple((each.kind, each.up, len(each.addresses), bool(each.far)) for each in node.cards)
    ways = tuple((each.destination == "default", each.via) for each in node.ways)
    ends = cable(whole, node)
    far = (ends[1].master, ends[1].up) if ends is not None else None
    new = sum(each[1] == node.name for each in marks.new)
    return cards, ways, far, node.forwards, node.ports, new
