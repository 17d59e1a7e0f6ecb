"""What stands on the wire between the bridge and the uplink: what decides over a packet, and what else the host has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netlab.picture import Card, Chain, Node, Picture, Way
from netlab.render.columns import cable
from netlab.render.rows import Marks, Piece, Row, few


@dataclass(frozen=True, slots=True)
class Gate:
    """One row on the wire: its name to the left, ``sign`` upon the wire ("" leaves it whole), the rest to the right."""

    name: str
    row: Row
    sign: str = ""

    @property
    def cut(self) -> bool:
        return self.sign == "╳"


def gates(whole: Picture, marks: Marks, uplink: Card | None, others: Sequence[Row]) -> list[Gate]:
    """What decides over a packet between the bridge and the uplink, in its order; then what else the host has."""
    on = whole.host.forwards
    said = "1" if on else "0, so nothing is passed on"
    found = [Gate("ip_forward", (Piece(said, "", marks.has("forwards", "host")),), "" if on else "╳")]
    for chain in whole.chains:
        found += _chain(chain, marks)
    found += [Gate("" if place else "also", row) for place, row in enumerate(others)]
    return found if uplink is not None else [*found, Gate("uplink", (Piece("none", "yellow"),), "╳")]


def uplink_row(host: Node, marks: Marks, uplink: Card) -> Row:
    """What stands in the lab host's lower edge: the card, its addresses, and the default route."""
    way = _default(host, uplink)
    last = marks.way(host, way) if way is not None else Piece("no default route", "yellow")
    return (*marks.card("host", uplink), last)


def _chain(chain: Chain, marks: Marks) -> list[Gate]:
    rows: list[Row] = [
        (Piece(each.short, "", marks.has("rule", chain.table, chain.name, each.words)),) for each in chain.rules
    ]
    sign = {"PREROUTING": "▲", "POSTROUTING": "▼"}.get(chain.name, "") if rows else ""
    if chain.table == "filter":
        accepts = chain.policy == "ACCEPT" or any(each.words.endswith("-j ACCEPT") for each in chain.rules)
        sign = "" if accepts else "╳"
        rows.insert(0, (Piece(chain.policy, "", marks.has("policy", chain.table, chain.name, chain.policy)),))
    rows = few(rows) or [(Piece("no rule", "dim"),)]
    return [
        Gate("" if place else chain.name, row, sign if place == 0 or chain.table == "nat" else "")
        for place, row in enumerate(rows)
    ]


def _default(host: Node, uplink: Card) -> Way | None:
    return next((each for each in host.ways if each.destination == "default" and each.dev == uplink.name), None)


def also(whole: Picture, marks: Marks, uplink: Card | None, bridges: Sequence[Card]) -> list[Row]:
    """What the lab host has beside the way: other cards and routes, and who listens on it."""
    wired = [ends[1] for ends in (cable(whole, each) for each in whole.containers) if ends is not None]
    rows: list[Row] = []
    for card in whole.host.cards:
        quiet = card.kind == "loopback" and card.up and card.addresses == ("127.0.0.1/8",)
        if card == uplink or card in bridges or quiet or (card in wired and not card.addresses):
            continue
        if card.master and card.master in [each.name for each in bridges] and card not in wired:
            continue  # named in its bridge
        what = (Piece(card.kind, "dim"),) if card.kind not in ("", "veth", "loopback") else ()
        rows.append(marks.card("host", card) + what)
    for way in whole.host.ways:
        if uplink is None or way != _default(whole.host, uplink):
            rows.append((marks.way(whole.host, way),))
    return [*rows, *marks.listens(whole.host)]
