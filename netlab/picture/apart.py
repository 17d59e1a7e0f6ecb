"""A picture taken apart, so that two can be compared; and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from netlab.picture.values import Card, Picture

Element = tuple[str, ...]
"""One thing of a picture: ("node", name), ("card", node, name), ("up", node, name), ("address", node, card, cidr),
("port", node, card, bridge), ("cable", node, card, node, card), ("way", node, words), ("forwards", node),
("listens", node, port), ("policy", table, chain, policy), ("rule", table, chain, words)."""


def elements(whole: Picture) -> frozenset[Element]:
    """All that a picture shows, each thing by itself."""
    return frozenset(_elements(whole))


def _elements(whole: Picture) -> Iterator[Element]:
    for node in whole.nodes:
        yield ("node", node.name)
        for card in node.cards:
            yield from _of_card(node.name, card)
        yield from (("way", node.name, str(way)) for way in node.ways)
        yield from (("listens", node.name, port) for port in node.ports)
        if node.forwards:
            yield ("forwards", node.name)
    for chain in whole.chains:
        yield ("policy", chain.table, chain.name, chain.policy)
        yield from (("rule", chain.table, chain.name, rule.words) for rule in chain.rules)


def _of_card(node: str, card: Card) -> Iterator[Element]:
    yield ("card", node, card.name)
    yield from (("address", node, card.name, each) for each in card.addresses)
    if card.up:
        yield ("up", node, card.name)
    if card.master:
        yield ("port", node, card.name, card.master)
    if card.far is not None:
        yield ("cable", node, card.name, card.far.node, card.far.card)


def picture_json(whole: Picture) -> dict[str, object]:
    """The picture as JSON holds it; the lab host is "host" here too where a cable ends."""
    shape = asdict(whole)
    for node in (shape["host"], *shape["containers"], *shape["around"]):
        for card in node["cards"]:
            if card["far"] is not None:
                card["far"]["node"] = card["far"]["node"] or "host"
    return shape
