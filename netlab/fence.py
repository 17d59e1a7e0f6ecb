"""What may be sent on a real machine: nothing beyond its gateway, and nothing to the lab where no card leads there.

The lab's subnet may be somebody's: what the lab host sends there, while the subnet's route is not on the lab's card,
would leave by the uplink. In a sandbox nobody is out there, and nothing is held back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_interface

from netlab.model import Chapter, Proof
from netlab.operations import address
from netlab.proofs import HOST

NOT_SENT = "no route to the lab: not sent"


@dataclass(frozen=True, slots=True)
class Fence:
    """``absent`` are the course's nodes that a real machine has not, ``reached`` the addresses that may be asked."""

    absent: frozenset[str]
    reached: frozenset[str]
    labs: tuple[tuple[IPv4Network, str], ...]
    """The lab's own networks, each with the card that has to lead there."""

    @classmethod
    def around(cls, chapters: Iterable[Chapter], *, absent: Iterable[str], reached: Iterable[str]) -> Fence:
        """The lab's networks are those of the addresses that its steps put on the lab host's own cards."""
        operations = (each for chapter in chapters for each in chapter.operations)
        own = (each for each in operations if isinstance(each, address) and not each.netns)
        labs = tuple((IPv4Network(ip_interface(each.cidr).network), each.dev) for each in own)
        return cls(frozenset(absent), frozenset(reached), labs)

    def left_out(self, proof: Proof) -> str:
        """Why this proof is not run on a real machine; "" when it may be."""
        nodes = [node for node, _ in proof.sends] + [each.netns or HOST for each in proof.probe.commands]
        for node in nodes:
            if node in self.absent:
                return f"there is no node {node!r} around a real machine: try it from another one"
        for _, target in proof.sends:
            if target not in self.reached and not self._cards(target):
                return f"{target} is neither this machine nor its gateway; --internet {target} allows it"
        return ""

    def holds_back(self, sends: Iterable[tuple[str, str]], leads: Callable[[str], str]) -> bool:
        """Would any of it leave by another card than the lab's? ``leads`` tells by which card the lab host sends."""
        return any(
            node == HOST and bool(cards := self._cards(target)) and leads(target) not in {*cards, "lo"}
            for node, target in sends
        )

    def _cards(self, target: str) -> set[str]:
        try:
            asked = IPv4Address(target)
        except ValueError:  # a name: who knows where that is
            return set()
        return {card for network, card in self.labs if asked in network}
