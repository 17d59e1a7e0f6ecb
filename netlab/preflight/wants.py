"""What a course wants of the machine itself, read from its operations: networks, ports, names and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from netlab.model import Chapter, Operation
from netlab.operations.address import Address
from netlab.operations.iptables import Policy, Rule
from netlab.operations.sysctl import Sysctl
from netlab.preflight.iptables import options
from netlab.rules import canonical

Match = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Network:
    """A network that the machine gets a foot in: its card, its address there, and the containers in it."""

    network: IPv4Network
    card: str
    gateway: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """A port of the machine that a rule leads to ``target`` ("172.168.1.11") and its ``target_port``."""

    port: int
    target: str
    target_port: int
    rule: Rule
    match: Match
    """Its canonical form."""


class Wants:
    """All of it, for these chapters."""

    def __init__(self, chapters: Sequence[Chapter]) -> None:
        self.operations: tuple[Operation, ...] = tuple(each for chapter in chapters for each in chapter.operations)

    @cached_property
    def makers(self) -> tuple[Operation, ...]:
        """The operations that make something with a name."""
        return tuple(each for each in self.operations if each.makes)

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        addresses = [each for each in self.operations if isinstance(each, Address)]
        inner = [str(IPv4Interface(each.cidr).ip) for each in addresses if each.netns]
        found = []
        for each in addresses:
            if not each.netns:
                own = IPv4Interface(each.cidr)
                members = tuple(address for address in inner if IPv4Address(address) in own.network)
                found.append(Network(own.network, each.dev, str(own.ip), members))
        return tuple(found)

    @cached_property
    def _rules(self) -> tuple[tuple[Rule, Match], ...]:
        rules = (each for each in self.operations if isinstance(each, Rule) and not each.netns)
        return tuple((each, canonical(each.spec)) for each in rules)

    @cached_property
    def published(self) -> tuple[Published, ...]:
        """Rules of nat PREROUTING that lead one TCP port elsewhere."""
        found = []
        for rule, match in self._rules:
            port = options(match, "-m", "tcp").get("--dport", "")
            target = options(match, "-j", "DNAT").get("--to-destination", "")
            if (rule.table, rule.chain) == ("nat", "PREROUTING") and port.isdecimal() and target:
                address, _, to = target.partition(":")
                found.append(Published(int(port), address, int(to) if to.isdecimal() else int(port), rule, match))
        return tuple(found)

    @cached_property
    def uplinks(self) -> tuple[str, ...]:
        """The cards that rules let packets leave by."""
        words = [word for _, match in self._rules for word in match if word[0] == "-o"]
        return tuple(dict.fromkeys(word[1] for word in words))

    @cached_property
    def forwards(self) -> bool:
        """Do packets have to pass through the machine?"""
        return any(isinstance(each, Sysctl) and each.key == "net.ipv4.ip_forward" for each in self.operations)

    @cached_property
    def policies(self) -> Mapping[tuple[str, str], Policy]:
        """The operations that set a chain's policy, by table and chain."""
        policies = (each for each in self.operations if isinstance(each, Policy) and not each.netns)
        return {(each.table, each.chain): each for each in policies}
