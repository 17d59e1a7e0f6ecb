"""The words of a picture: stacks with their cards and cables, and the chains that a packet passes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class End:
    """One end of a cable: a card and the node that it is in, "" for the lab host."""

    node: str
    card: str


@dataclass(frozen=True, slots=True)
class Card:
    """A link with its addresses, without those that the kernel makes up for IPv6. ``far`` is a veth's other end."""

    name: str
    kind: str
    up: bool
    addresses: tuple[str, ...] = ()
    master: str = ""
    far: End | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A route that somebody added: those that come with an address are no element of the picture."""

    destination: str
    via: str = ""
    dev: str = ""

    def __str__(self) -> str:
        pairs = (("via", self.via), ("dev", self.dev))
        return " ".join((self.destination, *(f"{word} {value}" for word, value in pairs if value)))


@dataclass(frozen=True, slots=True)
class Node:
    """One network stack. ``ports`` are TCP ports that somebody listens on, "80" or "127.0.0.1:80"."""

    name: str
    cards: tuple[Card, ...] = ()
    ways: tuple[Way, ...] = ()
    forwards: bool = False
    ports: tuple[str, ...] = ()

    def card(self, name: str) -> Card | None:
        return next((each for each in self.cards if each.name == name), None)

    @property
    def default(self) -> Way | None:
        return next((each for each in self.ways if each.destination == "default"), None)


@dataclass(frozen=True, slots=True)
class Shown:
    """A rule as ``words`` for iptables, and in ``short`` as a drawing has room for."""

    words: str
    short: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of the lab host's iptables that packets pass on their way."""

    table: str
    name: str
    policy: str = "ACCEPT"
    rules: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """The lab host, the containers, what stands around, and the lab host's chains in a packet's order."""

    host: Node
    containers: tuple[Node, ...] = ()
    around: tuple[Node, ...] = ()
    chains: tuple[Chain, ...] = ()

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (self.host, *self.containers, *self.around)

    def node(self, name: str) -> Node | None:
        """The node of that name, "" for the lab host."""
        return self.host if not name else next((each for each in self.nodes[1:] if each.name == name), None)

    def uplink(self) -> Card | None:
        """The lab host's way out: the card with a cable to what stands around it, else the default route's."""
        names = {each.name for each in self.around}
        out = [each for each in self.host.cards if each.far is not None and each.far.node in names]
        way = self.host.default
        by_route = self.host.card(way.dev) if way is not None else None
        return by_route if by_route is not None and (by_route in out or not out) else next(iter(out), None)


NOTHING = Picture(Node("host"))
"""The picture where there is no lab."""
