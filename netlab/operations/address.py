"""An address on a card: compared as a value, with its prefix length."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_interface
from typing import ClassVar

from netlab import spelling
from netlab.model import Command, Facts, Json, Operation, Query, Thing


@dataclass(frozen=True)
class Address(Operation):
    """``ip addr add CIDR dev DEV``; ``cidr`` is the address with its prefix length, "172.168.1.11/24"."""

    kind: ClassVar[str] = "address"
    cidr: str
    dev: str
    netns: str = ""

    def __post_init__(self) -> None:
        spelling.cidr(self.cidr)
        spelling.card(self.dev)
        spelling.stack(self.netns)

    def __str__(self) -> str:
        return f"address {self.cidr} on {self.dev}{f' in {self.netns}' if self.netns else ''}"

    @property
    def within(self) -> frozenset[Thing]:
        around = frozenset({("netns", self.netns)}) if self.netns else frozenset()
        return frozenset({("link", self.netns, self.dev)}) | around

    def queries(self) -> frozenset[Query]:
        return frozenset({Query("stack", self.netns)})

    def _on_dev(self, facts: Facts) -> list[str]:
        return [each.cidr for each in facts.stack(self.netns).addresses if each.dev == self.dev]

    def _misfits(self, facts: Facts) -> list[str]:
        """The same address on the card with another prefix length: what a slip of the hand leaves."""
        wanted = ip_interface(self.cidr)
        on_dev = (ip_interface(cidr) for cidr in self._on_dev(facts))
        return [str(each) for each in on_dev if each.ip == wanted.ip and each != wanted]

    def holds(self, facts: Facts) -> bool:
        return ip_interface(self.cidr) in (ip_interface(cidr) for cidr in self._on_dev(facts))

    def found(self, facts: Facts) -> str:
        misfits = self._misfits(facts)
        if misfits:
            return f"{self.dev} has {misfits[0]}, the step wants /{ip_interface(self.cidr).network.prefixlen}"
        return ""

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        return (Command(("ip", "addr", "add", self.cidr, "dev", self.dev), self.netns or None),)

    def renew(self) -> tuple[Command, ...]:
        # For half a minute and more it would send to the card that has gone.
        return (Command(("ip", "neigh", "flush", "dev", self.dev), self.netns or None),)

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        return (self._delete(self.cidr),) if self.holds(facts) else ()

    def clear(self, facts: Facts) -> tuple[Command, ...]:
        return tuple(self._delete(cidr) for cidr in self._misfits(facts))

    def _delete(self, cidr: str) -> Command:
        return Command(("ip", "addr", "del", cidr, "dev", self.dev), self.netns or None)
