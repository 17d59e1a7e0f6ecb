"""The ports that the lab publishes: whether somebody has them already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from netlab.model import Facts, Stack
from netlab.preflight.chains import Line, Packet, walk
from netlab.preflight.cures import Cures
from netlab.preflight.filters import Hook
from netlab.preflight.finding import Finding, finding
from netlab.preflight.subnets import uplink
from netlab.preflight.wants import Published, Wants
from netlab.views import Level


def findings(wants: Wants, facts: Facts, hooks: Sequence[Hook], cures: Cures) -> Iterator[Finding]:
    """Each published port: who has it, or that nobody has any. ``hooks`` is what nat does on the way in."""
    cards, own = _cards(wants, facts), _own(wants, facts)
    all_own = frozenset[str]().union(*own.values())
    foreign = list(_without(hooks, all_own))
    found, taken = [], {one.port for one in facts.listeners("")} | {one.port for one in wants.published}
    for each in wants.published:
        # No rule of another port of the lab ever takes this one's packets: a thousand of them need not be asked.
        some = list(_without(hooks, all_own - own[each.port])) if own[each.port] else foreign
        # Where its rule stands, a server that came later is hidden already, and nothing new is done to it.
        served = [] if own[each.port] else _listeners(each, facts)
        trouble = [*_rules(each.port, cards, some, own[each.port]), *served]
        if trouble:
            near = (port for port in range(each.port + 1, min(each.port + 100, 65_536)) if port not in taken)
            free = next((port for port in near if not list(_rules(port, cards, foreign, frozenset()))), 0)
            taken.add(free)
            cure = cures.other(each.port, free, "port") if free else _NONE
            found += [finding(f"port {each.port}", level, words, cure) for level, words in trouble]
    yield from found
    if not found and wants.published:
        ports = ", ".join(str(each.port) for each in wants.published[:4])
        more = " …" if len(wants.published) > 4 else ""
        yield finding("ports", "ok", f"nobody listens on {ports}{more}, and no rule sends them elsewhere")


_NONE: Final = "the next hundred ports are taken too: clear this one"


def _own(wants: Wants, facts: Facts) -> dict[int, frozenset[str]]:
    """By port, the rules that are just what the lab wants, as iptables-save prints them."""
    there: dict[tuple[object, ...], set[str]] = {}
    for rule in facts.table("", "nat").rules:
        there.setdefault((rule.chain, rule.match), set()).add(rule.text)
    return {each.port: frozenset(there.get((each.rule.chain, each.match), ())) for each in wants.published}


def _without(hooks: Sequence[Hook], rules: frozenset[str]) -> Iterator[Hook]:
    for hook in hooks:
        lines = tuple(line for line in hook.chains.get(hook.start, ()) if line.text not in rules)
        yield replace(hook, chains={**hook.chains, hook.start: lines})


def _cards(wants: Wants, facts: Facts) -> list[tuple[str, str]]:
    """The real cards that clients come in by, with their addresses: the uplink first."""
    stack, first = facts.stack(""), uplink(wants, facts)
    real = [name for name, link in stack.links.items() if not link.kind and name != first]
    return [(name, address) for name in filter(None, (first, *real)) for address in _addresses(stack, name)]


def _addresses(stack: Stack, card: str) -> list[str]:
    """The card's IPv4 addresses; [""], which is not known, where it has none."""
    found = [each.cidr.partition("/")[0] for each in stack.addresses if each.dev == card]
    return [address for address in found if ":" not in address] or [""]


def _rules(
    port: int, cards: Sequence[tuple[str, str]], hooks: Sequence[Hook], ours: frozenset[str]
) -> Iterator[tuple[Level, str]]:
    """The first rule that takes the port's packets, if it is none of ``ours``."""
    taken: list[tuple[str, Line, bool]] = []
    for card, address in cards:
        packet = Packet(comes_in=card, target=address, port=port, local=True)
        for hook in hooks:
            verdict = walk(hook.chains, hook.start, packet)
            if verdict.action == "nat" and verdict.line is not None and verdict.line.text not in ours:
                taken.append((card, verdict.line, verdict.sure))
    for card, line, sure in sorted(taken, key=lambda each: not each[2])[:1]:
        words = "a rule sends it elsewhere" if sure else "a rule may send it elsewhere"
        yield "conflict" if sure else "warning", f"{words} when it comes in by {card}: {line.text}"


def _listeners(port: Published, facts: Facts) -> Iterator[tuple[Level, str]]:
    """A server of the machine on the port: for clients outside, the lab's rule would hide it."""
    for each in sorted(facts.listeners(""), key=lambda each: each.address):
        address = ip_address(each.address)
        reached = address.version == 4 or address.is_unspecified  # "::" takes IPv4 clients as well
        if each.port == port.port and reached and not address.is_loopback:
            served = f"this machine serves it already, at {each.address}"
            yield "conflict", f"{served}: clients outside would reach the lab instead"
            return
