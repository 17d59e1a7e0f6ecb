"""From the facts to a picture: which cards are the two ends of a cable, which routes somebody added, what rules say."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_interface

from netlab.model import Facts, Link, Query, Rule, Stack
from netlab.picture.values import Card, Chain, End, Node, Picture, Shown, Way

FORWARD = "net.ipv4.ip_forward"
HOOKS = ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")


def queries(nodes: Iterable[str]) -> frozenset[Query]:
    """What a picture of these namespaces and the lab host is made from."""
    about = {Query("namespaces"), Query("iptables", "", "filter"), Query("iptables", "", "nat")}
    for node in ("", *nodes):
        about |= {Query("stack", node), Query("listeners", node), Query("sysctl", node, FORWARD)}
    return frozenset(about)


def picture(facts: Facts, nodes: Iterable[str], around: Collection[str] = ()) -> Picture:
    """The picture of the lab host and of those ``nodes`` that exist; ``around`` names those that are no containers.

    A half-made namespace (a plain file under /run/netns) is none.
    """
    live = facts.namespaces().live
    there = [name for name in sorted(set(nodes), key=natural) if name in live]
    stacks = {name: facts.stack(name) for name in ("", *there)}
    cables = _cables(stacks)
    made = {name: _node(facts, name, stack, cables) for name, stack in stacks.items()}
    return Picture(
        made[""],
        tuple(made[name] for name in there if name not in around),
        tuple(made[name] for name in there if name in around),
        tuple(_chains(facts)),
    )


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts container2 before container10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split("([0-9]+)", name)]


def _node(facts: Facts, name: str, stack: Stack, cables: dict[End, End]) -> Node:
    addresses: dict[str, list[str]] = {}
    for each in stack.addresses:
        if not _made_up(each.cidr):
            addresses.setdefault(each.dev, []).append(each.cidr)
    cards = [
        Card(
            link.name,
            link.kind,
            link.up,
            tuple(addresses.get(link.name, ())),
            link.master,
            cables.get(End(name, link.name)),
        )
        for link in sorted(stack.links.values(), key=lambda link: link.index)
    ]
    ways = (Way(each.destination, each.via, each.dev) for each in stack.routes if each.protocol != "kernel")
    ports = {_port(each.address, each.port) for each in facts.listeners(name)}
    forwards = facts.sysctl(name, FORWARD).get(FORWARD) == "1"
    return Node(name or "host", tuple(cards), tuple(ways), forwards, tuple(sorted(ports, key=natural)))


def _made_up(cidr: str) -> bool:
    """An IPv6 address that says nothing: link-local, made from a random MAC, or loopback's own."""
    address = ip_interface(cidr)
    return address.version == 6 and (address.is_link_local or address.is_loopback)


def _port(address: str, port: int) -> str:
    return (
        str(port) if address in ("0.0.0.0", "::") else f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    )


def _cables(stacks: dict[str, Stack]) -> dict[End, End]:
    """Both ends of each veth pair, by either.

    Two ends name each other's index, and so may strangers do: an index counts only within its namespace. What ip says
    of the other end's namespace decides. Where it is too old to say, the first that fits is taken: after the lab host's
    own, whose numbers are looked up.
    """
    ends = [(End(node, link.name), link) for node, stack in stacks.items() for link in stack.links.values()]
    veths = {end: link for end, link in ends if link.kind == "veth"}
    by_index: dict[tuple[int, int], list[End]] = {}
    for end, link in veths.items():
        by_index.setdefault((link.index, link.peer_index), []).append(end)
    found: dict[End, End] = {}
    for near, link in veths.items():
        here = End(near.node, link.peer_name)
        others = [here] if here in veths else [] if link.peer_name else by_index.get((link.peer_index, link.index), [])
        far = next((each for each in others if each not in found and _paired(near, link, each, veths[each])), None)
        if near not in found and far is not None:
            found[near], found[far] = far, near
    return found


def _paired(near: End, link: Link, far: End, other: Link) -> bool:
    """Is each where the other says?"""
    if near.node == far.node:
        return (link.peer_name, other.peer_name) == (far.card, near.card)
    return link.peer_netns in ("", far.node) and other.peer_netns in ("", near.node)


def _chains(facts: Facts) -> Iterator[Chain]:
    """FORWARD, and nat's chains in a packet's order; those of two rarer hooks only where they have rules."""
    for table, names in (("filter", ("FORWARD",)), ("nat", HOOKS)):
        shown = facts.table("", table)
        for name in names:
            rules = tuple(_shown(each) for each in shown.rules if each.chain == name)
            if rules or name not in ("INPUT", "OUTPUT"):
                yield Chain(table, name, shown.policies.get(name, "ACCEPT"), rules)


_ORDER = ("-s", "-d", "-i", "-o", "-p")
"""How iptables-save orders what it prints first."""


def _shown(rule: Rule) -> Shown:
    """Both from the canonical form, so that the same rule looks the same whoever wrote it."""
    plain = [group for group in rule.match if group[0] in _ORDER]
    others = [group for group in rule.match if group[0] not in _ORDER]
    loaded = tuple(words[2:] if words[:2] in (("-m", "tcp"), ("-m", "udp")) else words for words in others)
    groups = [*sorted(plain, key=lambda group: _ORDER.index(group[0])), *loaded]
    words = [word for group in groups for word in group]
    return Shown(" ".join(words), _short(words) or " ".join(words))


def _short(words: list[str]) -> str:
    """The two rules that make Docker's network, as a person says them; "" for every other."""
    said = dict(zip(words[::2], words[1::2], strict=False))
    match said:
        case {"-p": protocol, "--dport": port, "-j": "DNAT", "--to-destination": target, **rest} if len(rest) == 0:
            return f"DNAT {protocol} {port} to {target}"
        case {"-s": source, "-o": card, "-j": "MASQUERADE", **rest} if len(rest) == 0:
            return f"MASQUERADE {source} by {card}"
        case _:
            return ""
