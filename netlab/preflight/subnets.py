"""The lab's networks and its way out: whether the machine has something in the same place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, ip_interface
from itertools import islice
from typing import Final

from netlab.model import Facts, Route, Stack
from netlab.preflight.cures import Cures
from netlab.preflight.finding import Finding, finding
from netlab.preflight.wants import Wants

_BLOCKS: Final = ("10.168.0.0/16", "192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/8")
"""Private networks (RFC 1918) to propose from, those that fewest use first."""


def findings(wants: Wants, facts: Facts, cures: Cures) -> Iterator[Finding]:
    """Each wanted network: what overlaps it, or that nothing does."""
    stack = facts.stack("")
    for each in wants.networks:
        used = list(_used(stack, each.card))
        proposal = _free(each.network, [network for network, _ in used])
        cure = cures.other(str(each.network), proposal, "subnet") if proposal else "give the lab another subnet"
        name, found = f"network {each.network}", [words for network, words in used if network.overlaps(each.network)]
        yield from (finding(name, "conflict", words, cure) for words in found)
        if not found and each.network.is_global:
            words = "public address space: while the lab stands, this machine cannot reach the real hosts there"
            yield finding(name, "warning", words, cure)
        elif not found:
            yield finding(name, "ok", "no address and no route of this machine overlaps it")


def _used(stack: Stack, card: str) -> Iterator[tuple[IPv4Network, str]]:
    """The networks that the machine uses elsewhere than on ``card``, with words for each."""
    named = set()
    for address in stack.addresses:
        interface = ip_interface(address.cidr)
        if interface.version == 4 and address.dev != card:
            network = IPv4Network(str(interface.network))
            named.add((str(network), address.dev))
            yield network, f"{address.dev} has {address.cidr}"
    for route in stack.routes:
        if (route.destination, route.dev) not in named and route.dev != card and not _everywhere(route):
            yield IPv4Network(route.destination), _route(route)


def _everywhere(route: Route) -> bool:
    """The default route, also in the two halves that a VPN makes of it: any network that we add is nearer."""
    return route.destination == "default" or IPv4Network(route.destination).prefixlen <= 1


def _route(route: Route) -> str:
    via = f" via {route.via}" if route.via else ""
    return f"the route to {route.destination} goes{via}{f' by {route.dev}' if route.dev else ' another way'}"


def _free(wanted: IPv4Network, used: Sequence[IPv4Network]) -> str:
    """A private network of the same size that nothing here overlaps; "" when none is found at once."""
    blocks = (IPv4Network(block) for block in _BLOCKS)
    fitting = (
        each
        for block in blocks
        if block.prefixlen <= wanted.prefixlen
        for each in islice(block.subnets(new_prefix=wanted.prefixlen), 1, 4096)
    )
    return next((str(each) for each in fitting if not any(each.overlaps(other) for other in used)), "")


def gateway(stack: Stack) -> Route | None:
    """The default route."""
    return next((each for each in stack.routes if each.destination == "default" and each.dev), None)


def uplink(wants: Wants, facts: Facts) -> str:
    """The card that containers leave by: the course's, else that of the default route; "" for none."""
    route = gateway(facts.stack(""))
    return next(iter(wants.uplinks), route.dev if route is not None else "")


def uplinks(wants: Wants, facts: Facts, cures: Cures) -> Iterator[Finding]:
    """Is the way out there?"""
    stack = facts.stack("")
    route = gateway(stack)
    for card in wants.uplinks:
        link = stack.links.get(card)
        if link is None:
            cure = cures.other(card, route.dev, "uplink") if route is not None else "give the lab an uplink (--set)"
            yield finding(f"uplink {card}", "missing", f"this machine has no {card}", cure)
        elif not link.up:
            yield finding(f"uplink {card}", "warning", f"{card} is down", cures.root(f"ip link set {card} up"))
        elif route is None or route.dev != card:
            goes = f"the default route goes by {route.dev}" if route is not None else "there is no default route"
            yield finding(f"uplink {card}", "warning", f"{goes}: what containers send beyond {card}'s network is lost")
        else:
            yield finding(f"uplink {card}", "ok", f"the default route goes by it, via {route.via or 'no gateway'}")
