"""What a packet meets in chains of rules, iptables' or nftables': let through, dropped or sent elsewhere, and by which.

A rule's condition may be one that cannot be known from here (a mark, a set, a rate): then the answer is unsure, not a
guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

Answer = bool | None
"""Does a packet meet a condition? None: that cannot be known."""

Ends = Literal["accept", "drop", "nat"]
Action = Ends | Literal["jump", "goto", "return", "next"]


@dataclass(frozen=True, slots=True)
class Packet:
    """What is known of a packet: "" is what is not. ``states`` are conntrack's, in small letters ("new", "dnat")."""

    comes_in: str = ""
    goes_out: str = ""
    source: str = ""
    target: str = ""
    protocol: str = "tcp"
    port: int = 0
    states: frozenset[str] = frozenset({"new"})
    local: bool = False
    """Its target is this machine itself."""
    bridged: bool = False
    """It passes from one port of a bridge to another, and meets iptables only for br_netfilter's sake."""


@dataclass(frozen=True, slots=True)
class Line:
    """One rule, as it is asked and in words; ``chain`` is where it stands, ``to`` where a jump leads."""

    text: str
    chain: str
    meets: Callable[[Packet], Answer] = field(compare=False)
    action: Action
    to: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a packet. ``line`` is the rule that says so, None for the policy; ``sure`` is False where it
    depends on what cannot be known."""

    action: Ends
    line: Line | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True)
class _Hit:
    action: Ends
    line: Line
    sure: bool


Chains = Mapping[str, tuple[Line, ...]]


def walk(chains: Chains, start: str, packet: Packet, policy: Literal["accept", "drop"] = "accept") -> Verdict:
    """Lead ``packet`` through ``chains`` from ``start``: the first rule that surely decides, else the policy."""
    doubts: list[_Hit] = []
    final = Verdict(policy)
    for hit in _hits(chains, start, packet, sure=True, depth=0):
        if hit.sure:
            final = Verdict(hit.action, hit.line)
            break
        doubts.append(hit)
    if final.action == "accept":
        worse = next((hit for hit in doubts if hit.action != "accept"), None)
        return Verdict(worse.action, worse.line, sure=False) if worse is not None else final
    return Verdict(final.action, final.line, sure=not any(hit.action == "accept" for hit in doubts))


def _hits(chains: Chains, name: str, packet: Packet, *, sure: bool, depth: int) -> Iterator[_Hit]:
    """The rules that decide, in order; those after the first sure one are never met."""
    if depth > 16:  # the kernel refuses chains that lead back into themselves
        return
    for line in chains.get(name, ()):
        answer = line.meets(packet)
        if answer is False or line.action == "next":
            continue
        certain = sure and answer is True
        if line.action == "jump" or line.action == "goto":
            yield from _hits(chains, line.to, packet, sure=certain, depth=depth + 1)
        elif line.action != "return":
            yield _Hit(line.action, line, certain)
        if line.action != "jump":
            if answer is True:
                return
            sure = sure and line.action not in ("goto", "return")  # the rest is met only where this one did not match


# --- conditions ------------------------------------------------------------------------------------------------------


def every(answers: list[Answer]) -> Answer:
    """All of them: one no is enough, and one that cannot be known leaves all of it open."""
    return False if False in answers else None if None in answers else True


def negated(answer: Answer) -> Answer:
    """The other way round; what cannot be known stays so."""
    return None if answer is None else not answer


def within(address: str, network: str) -> Answer:
    """Is an address ("" is not known) in a network, "10.0.0.0/8"?"""
    try:
        wanted = IPv4Network(network, strict=False)
        return True if wanted.prefixlen == 0 else None if not address else IPv4Address(address) in wanted
    except ValueError:
        return None


def named(card: str, pattern: str, wildcard: str) -> Answer:
    """Is a card ("" is not known) the one named? A pattern that ends in ``wildcard`` takes all that begin so."""
    if pattern.endswith(wildcard):
        start = pattern[: -len(wildcard)]
        return True if not start else card.startswith(start) if card else None
    return card == pattern if card else None
