"""What is written in a node of a drawing: rows of words, each with a mark when it is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netlab.picture import Card, Element, Node, Picture, Way, elements
from netlab.render.canvas import Canvas
from netlab.render.lines import Span, cells, clean

NEW, FRAME = "bold green", "dim"
MARK = "+"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a row; before them is a mark where they are new, and a blank otherwise."""

    text: str
    style: str = ""
    new: bool = False

    @property
    def spans(self) -> tuple[Span, Span]:
        mark = (MARK, NEW) if self.new else (" ", "")
        return mark, (clean(self.text), NEW if self.new else self.style)


Row = tuple[Piece, ...]


def spans(row: Row) -> list[Span]:
    """The row's words one after the other, a blank and a place for the mark between them."""
    found: list[Span] = []
    for piece in row:
        found += [(" ", ""), *piece.spans] if found else [*piece.spans]
    return found


def width(row: Row) -> int:
    """The columns that ``spans`` take."""
    return sum(cells(text) for text, _ in spans(row))


@dataclass(frozen=True, slots=True)
class Marks:
    """What is new: the elements of a picture that an earlier one has not."""

    new: frozenset[Element] = frozenset()

    @classmethod
    def between(cls, since: Picture | None, now: Picture) -> Marks:
        return cls(elements(now) - elements(since) if since is not None else frozenset())

    def has(self, *element: str) -> bool:
        return element in self.new

    def title(self, node: Node) -> Piece:
        return Piece(node.name, "bold", self.has("node", node.name))

    def card(self, node: str, card: Card) -> Row:
        """A card's name, what it is if that is rare, and its addresses, or that it is down."""
        own = (("card", node, card.name), ("up", node, card.name), ("port", node, card.name, card.master))
        pieces = [Piece(card.name, "", any(each in self.new for each in own))]
        if not card.up:
            pieces.append(Piece("down", "yellow"))
        pieces += [Piece(each, "cyan", self.has("address", node, card.name, each)) for each in card.addresses]
        if card.up and not card.addresses and not card.master:  # a bridge's port needs none
            pieces.append(Piece("no address", "dim"))
        return tuple(pieces)

    def about(self, node: Node) -> list[Row]:
        """What is to be said of a node beside its cards: who listens, whether it forwards, its routes."""
        rows = self.listens(node)
        if node.forwards:
            rows.append((Piece("ip_forward = 1", "", self.has("forwards", node.name)),))
        for way in sorted(node.ways, key=lambda way: way.destination == "default"):
            rows.append((self.way(node, way),))
        return rows

    def listens(self, node: Node) -> list[Row]:
        new = any(self.has("listens", node.name, each) for each in node.ports)
        return [(Piece(f"listens on tcp {', '.join(node.ports)}", "", new),)] if node.ports else []

    def way(self, node: Node, way: Way) -> Piece:
        """A route, without its card where the gateway already says which one that is."""
        text = f"{way.destination} via {way.via}" if way.via else str(way)
        return Piece(text, "", self.has("way", node.name, str(way)))

    def loopback(self, node: Node) -> list[Row]:
        return [self.card(node.name, each) for each in node.cards if each.kind == "loopback"]


def few(rows: Sequence[Row], most: int = 4) -> list[Row]:
    """``rows``, or of many only the first and how many more there are."""
    if len(rows) <= most:
        return [*rows]
    return [*rows[: most - 1], (Piece(f"and {len(rows) - most + 1} more", "dim"),)]


def write(canvas: Canvas, x: int, y: int, row: Row) -> int:
    """Put a row on a canvas; returns the column after it."""
    for text, style in spans(row):
        x = canvas.write(x, y, text, style)
    return x


def frame(canvas: Canvas, left: int, top: int, right: int, bottom: int, title: Piece) -> None:
    """A node's box with its name in the upper line, double where the node is new."""
    style = NEW if title.new else FRAME
    canvas.box(left, top, right - left + 1, bottom - top + 1, double=title.new, style=style)
    canvas.write(write(canvas, left + 2, top, (title,)), top, " ")
