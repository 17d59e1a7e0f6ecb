"""Links: a veth pair, a bridge, a port of a bridge, and a link that is up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from netlab import spelling
from netlab.model import Command, Facts, Json, Link, Operation, Query, Thing


def _stack(netns: str) -> Query:
    return Query("stack", netns)


def _in(netns: str) -> str:
    return f" in {netns}" if netns else ""


def _around(netns: str) -> frozenset[Thing]:
    """The namespace as what everything in it lives in; the lab host's own stack outlives us."""
    return frozenset({("netns", netns)}) if netns else frozenset()


@dataclass(frozen=True)
class Veth(Operation):
    """A pair of virtual cards: ``name`` in ``netns`` ("" is the lab host) and its ``peer`` in ``peer_netns``.

    The peer is made inside its namespace at once: moving it there afterwards is 40 times slower, strands the pair when
    cut short, and by name it could take away a real card.
    """

    kind: ClassVar[str] = "veth"
    name: str
    peer: str
    peer_netns: str
    netns: str = ""

    def __post_init__(self) -> None:
        spelling.card(self.name, self.peer)
        spelling.stack(self.netns)
        spelling.node(self.peer_netns)

    def __str__(self) -> str:
        return f"veth pair {self.name}{_in(self.netns)} and {self.peer}{_in(self.peer_netns)}"

    @property
    def makes(self) -> frozenset[Thing]:
        return frozenset({("link", self.netns, self.name), ("link", self.peer_netns, self.peer)})

    @property
    def within(self) -> frozenset[Thing]:
        # Not the peer's namespace: its end takes the pair away too, but later, when the kernel gets round to it.
        return _around(self.netns)

    def queries(self) -> frozenset[Query]:
        return frozenset({Query("namespaces"), _stack(self.netns), _stack(self.peer_netns)})

    def holds(self, facts: Facts) -> bool:
        near = facts.stack(self.netns).links.get(self.name)
        if near is None or near.kind != "veth":
            return False
        far = facts.stack(self.peer_netns).links.get(self.peer)
        return far is not None and near.peer_netns in ("", self.peer_netns) and _paired(near, far)

    def identity(self, facts: Facts) -> str:
        near = facts.stack(self.netns).links.get(self.name)
        far = facts.stack(self.peer_netns).links.get(self.peer)
        # An index is not given twice. Where the near end has another name by now, the far one knows it still.
        index = near.index if near is not None else far.peer_index if far is not None else 0
        return str(index or "")

    def _unmoved(self, facts: Facts) -> bool:
        """Both ends are ours and here, as after the first of the tutorial's two commands."""
        links = facts.stack(self.netns).links
        near, far = links.get(self.name), links.get(self.peer)
        return near is not None and far is not None and near.kind == far.kind == "veth" and near.peer_name == self.peer

    def found(self, facts: Facts) -> str:
        near = facts.stack(self.netns).links.get(self.name)
        far = facts.stack(self.peer_netns).links.get(self.peer)
        if self._unmoved(facts):
            return (
                f"{self.peer} is still{_in(self.netns) or ' on the lab host'}, the step wants it in {self.peer_netns}"
            )
        for link, netns in ((near, self.netns), (far, self.peer_netns)):
            if link is not None:
                what = f"a {link.kind}" if link.kind else "a real card"
                return f"{link.name}{_in(netns)} is there already: {what}, but not this pair's"
        return ""

    def blocked(self, facts: Facts) -> bool:
        return bool(self.found(facts)) and not self._unmoved(facts)

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        where = self.netns or None
        if self._unmoved(facts):
            return (Command(("ip", "link", "set", self.peer, "netns", self.peer_netns), where),)
        argv = ("ip", "link", "add", self.name, "type", "veth", "peer", "name", self.peer, "netns", self.peer_netns)
        return (Command(argv, where),)

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        # Either end takes the pair with it.
        return next(((each,) for each in self._ends(facts, lambda link: link.kind == "veth")), ())

    def clear(self, facts: Facts) -> tuple[Command, ...]:
        near = facts.stack(self.netns).links.get(self.name)
        if self._unmoved(facts) or (near is not None and near.kind == "veth"):
            return self.undo(facts, None)
        return tuple(self._ends(facts, lambda link: bool(link.kind)))

    def _ends(self, facts: Facts, wanted: Callable[[Link], bool]) -> Iterator[Command]:
        """Deletes, for each end that is there and wanted. A real card (no kind) is never deleted, whatever its name."""
        for netns, name in ((self.netns, self.name), (self.peer_netns, self.peer)):
            link = facts.stack(netns).links.get(name)
            if link is not None and wanted(link):
                yield Command(("ip", "link", "del", name), netns or None)


def _paired(near: Link, far: Link) -> bool:
    """Two ends of one pair name each other's index; in one namespace, each other's name."""
    if far.kind != "veth":
        return False
    by_index = (near.peer_index, far.peer_index) == (far.index, near.index)
    return by_index or (near.peer_name, far.peer_name) == (far.name, near.name)


@dataclass(frozen=True)
class Bridge(Operation):
    """A bridge, a switch in software: ``ip link add NAME type bridge``."""

    kind: ClassVar[str] = "bridge"
    name: str
    netns: str = ""

    def __post_init__(self) -> None:
        spelling.card(self.name)
        spelling.stack(self.netns)

    def __str__(self) -> str:
        return f"bridge {self.name}{_in(self.netns)}"

    @property
    def makes(self) -> frozenset[Thing]:
        return frozenset({("link", self.netns, self.name)})

    @property
    def within(self) -> frozenset[Thing]:
        return _around(self.netns)

    def queries(self) -> frozenset[Query]:
        return frozenset({_stack(self.netns)})

    def holds(self, facts: Facts) -> bool:
        link = facts.stack(self.netns).links.get(self.name)
        return link is not None and link.kind == "bridge"

    def identity(self, facts: Facts) -> str:
        link = facts.stack(self.netns).links.get(self.name)
        return str(link.index) if link is not None else ""

    def found(self, facts: Facts) -> str:
        link = facts.stack(self.netns).links.get(self.name)
        if link is None or link.kind == "bridge":
            return ""
        return f"{self.name}{_in(self.netns)} is there already: {f'a {link.kind}' if link.kind else 'a real card'}"

    def blocked(self, facts: Facts) -> bool:
        return bool(self.found(facts))

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        return (Command(("ip", "link", "add", self.name, "type", "bridge"), self.netns or None),)

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        return (self._delete(),) if self.holds(facts) else ()

    def clear(self, facts: Facts) -> tuple[Command, ...]:
        link = facts.stack(self.netns).links.get(self.name)
        virtual = link is not None and bool(link.kind)  # a real card is never deleted, whatever its name
        return (self._delete(),) if virtual and self.found(facts) else ()

    def _delete(self) -> Command:
        return Command(("ip", "link", "del", self.name), self.netns or None)


@dataclass(frozen=True)
class Port(Operation):
    """``dev`` is plugged into ``bridge``: ``ip link set DEV master BRIDGE``. Undo plugs it back where it was."""

    kind: ClassVar[str] = "port"
    dev: str
    bridge: str
    netns: str = ""

    def __post_init__(self) -> None:
        spelling.card(self.dev, self.bridge)
        spelling.stack(self.netns)

    def __str__(self) -> str:
        return f"{self.dev}{_in(self.netns)} a port of {self.bridge}"

    @property
    def within(self) -> frozenset[Thing]:
        return frozenset({("link", self.netns, self.dev), ("link", self.netns, self.bridge)}) | _around(self.netns)

    def queries(self) -> frozenset[Query]:
        return frozenset({_stack(self.netns)})

    def _master(self, facts: Facts) -> str:
        link = facts.stack(self.netns).links.get(self.dev)
        return link.master if link is not None else ""

    def holds(self, facts: Facts) -> bool:
        return self._master(facts) == self.bridge

    def found(self, facts: Facts) -> str:
        master = self._master(facts)
        return f"{self.dev}{_in(self.netns)} is a port of {master}" if master not in ("", self.bridge) else ""

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        return (Command(("ip", "link", "set", self.dev, "master", self.bridge), self.netns or None),)

    def before(self, facts: Facts) -> Json:
        return self._master(facts)

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        links = facts.stack(self.netns).links
        if self.dev not in links or links[self.dev].master == before:
            return ()
        back = ("master", str(before)) if before and before in links else ("nomaster",)
        return (Command(("ip", "link", "set", self.dev, *back), self.netns or None),)


@dataclass(frozen=True)
class Up(Operation):
    """``dev`` is up: ``ip link set DEV up``. The kernel then gives ``lo`` its addresses, and undo takes them back."""

    kind: ClassVar[str] = "up"
    dev: str
    netns: str = ""

    def __post_init__(self) -> None:
        spelling.card(self.dev)
        spelling.stack(self.netns)

    def __str__(self) -> str:
        return f"{self.dev}{_in(self.netns)} up"

    @property
    def within(self) -> frozenset[Thing]:
        return frozenset({("link", self.netns, self.dev)}) | _around(self.netns)

    def queries(self) -> frozenset[Query]:
        return frozenset({_stack(self.netns)})

    def holds(self, facts: Facts) -> bool:
        link = facts.stack(self.netns).links.get(self.dev)
        return link is not None and link.up

    def found(self, facts: Facts) -> str:
        return f"{self.dev}{_in(self.netns)} is down" if self.dev in facts.stack(self.netns).links else ""

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        return (Command(("ip", "link", "set", self.dev, "up"), self.netns or None),)

    def before(self, facts: Facts) -> Json:
        return {"up": self.holds(facts), "addresses": self._addresses(facts)}

    def _addresses(self, facts: Facts) -> list[str]:
        return [each.cidr for each in facts.stack(self.netns).addresses if each.dev == self.dev]

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        link = facts.stack(self.netns).links.get(self.dev)
        if link is None or before["up"]:
            return ()
        where = self.netns or None
        down = (Command(("ip", "link", "set", self.dev, "down"), where),) if link.up else ()
        if link.kind != "loopback":
            return down
        # `ip link set lo down` leaves 127.0.0.1/8, which a fresh namespace has not; ::1/128 goes by itself.
        left = [cidr for cidr in self._addresses(facts) if cidr not in before["addresses"] and ":" not in cidr]
        return (*down, *(Command(("ip", "addr", "del", cidr, "dev", self.dev), where) for cidr in left))
