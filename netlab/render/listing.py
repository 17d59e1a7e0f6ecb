"""The lab as an indented list: for a terminal that is too narrow for a drawing, and for all of many containers."""

from __future__ import annotations

from collections.abc import Iterator

from netlab.picture import Card, Node, Picture
from netlab.render.lines import Line, line
from netlab.render.rows import Marks, Piece, Row, spans


def listing(whole: Picture, marks: Marks) -> list[Line]:
    """Each node with its cards, where their cables lead, and what else there is to say; with the lab host its rules."""
    lines: list[Line] = []
    for node in (*whole.containers, whole.host, *whole.around):
        lines += [_line(0, (marks.title(node),)), *(_line(2, row) for row in _rows(node, marks))]
        lines += _chains(whole, marks) if node is whole.host else []
    return lines


def _chains(whole: Picture, marks: Marks) -> Iterator[Line]:
    for chain in whole.chains:
        rules = [Piece(each.words, "", marks.has("rule", chain.table, chain.name, each.words)) for each in chain.rules]
        name = Piece(f"{chain.table} {chain.name}", "dim")
        policy = Piece(chain.policy, "", marks.has("policy", chain.table, chain.name, chain.policy))
        yield _line(2, (name, policy) if chain.table == "filter" or rules else (name, Piece("no rule", "dim")))
        yield from (_line(4, (rule,)) for rule in rules)


def _line(indent: int, row: Row) -> Line:
    return line(" " * indent, *spans(row), hang=indent + 4)


def _rows(node: Node, marks: Marks) -> list[Row]:
    cards: list[Row] = [marks.card(node.name, each) + _more(node, each, marks) for each in node.cards]
    return [*cards, *marks.about(node)]


def _more(node: Node, card: Card, marks: Marks) -> Row:
    pieces: list[Piece] = []
    if card.kind not in ("", "veth", "loopback"):
        pieces.append(Piece(card.kind, "dim"))
    if card.master:
        pieces.append(Piece(f"port of {card.master}", "dim", marks.has("port", node.name, card.name, card.master)))
    if card.far is not None:
        pieces.append(Piece(f"to {card.far.card} of {card.far.node or 'host'}", "dim"))
    return tuple(pieces)
