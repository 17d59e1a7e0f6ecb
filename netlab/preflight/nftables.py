"""nftables' own rules, as ``nft -j list ruleset`` prints them, as chains that a packet can be led through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from netlab.preflight.chains import Action, Answer, Chains, Line, Packet, every, named, negated, within

IPTABLES: Final = frozenset({"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"})
"""The names that iptables-nft gives the chains which `iptables-save` shows."""

_ENDS: Final[dict[str, Action]] = {
    "accept": "accept",
    "drop": "drop",
    "reject": "drop",
    "dnat": "nat",
    "redirect": "nat",
    "return": "return",
    "jump": "jump",
    "goto": "goto",
}


@dataclass(frozen=True, slots=True)
class Base:
    """A chain that the kernel asks: where it hangs, its policy, and all the chains of its table."""

    family: str
    table: str
    name: str
    hook: str
    policy: Literal["accept", "drop"]
    chains: Chains

    def __str__(self) -> str:
        return f"{self.family} {self.table} {self.name}"


def bases(text: str) -> list[Base]:
    """The base chains that IPv4 packets meet; [] where it cannot be read (an nft without JSON, or not as root)."""
    try:
        entries = json.loads(text)["nftables"]
    except (ValueError, KeyError, TypeError):
        return []
    heads = [entry["chain"] for entry in entries if "chain" in entry and entry["chain"]["family"] in ("ip", "inet")]
    found: dict[tuple[str, str], dict[str, tuple[Line, ...]]] = {}
    for entry in entries:
        if "rule" in entry:
            rule = entry["rule"]
            lines = found.setdefault((rule["family"], rule["table"]), {})
            lines[rule["chain"]] = (*lines.get(rule["chain"], ()), *_lines(rule))
    return [
        Base(
            *(head["family"], head["table"], head["name"], head["hook"]),
            "drop" if head.get("policy") == "drop" else "accept",
            found.get((head["family"], head["table"]), {}),
        )
        for head in heads
        if "hook" in head
    ]


def _lines(rule: dict[str, Any]) -> Iterator[Line]:
    """One line for a rule; a verdict map gives one for each of its elements."""
    asks: list[Callable[[Packet], Answer]] = []
    for statement in rule["expr"]:
        for name, inner in statement.items():
            if name == "match":
                asks.append(_asks(inner))
            elif name == "xt" and inner.get("type") != "target":
                asks.append(lambda packet: None)
            elif name == "vmap" and isinstance(inner["data"], dict):
                for value, verdict in inner["data"]["set"]:
                    match = {"left": inner["key"], "op": "==", "right": value}
                    yield from (_line(rule, [*asks, _asks(match)], *each) for each in verdict.items())
            elif name in _ENDS:
                yield _line(rule, asks, name, inner)


def _line(rule: dict[str, Any], asks: Sequence[Callable[[Packet], Answer]], name: str, inner: Any) -> Line:
    to = inner["target"] if name in ("jump", "goto") else ""
    text = f"{rule['family']} {rule['table']} {rule['chain']}: {' '.join(filter(None, (name, to)))}"
    conditions = tuple(asks)

    def meets(packet: Packet) -> Answer:
        return every([ask(packet) for ask in conditions])

    return Line(text, rule["chain"], meets, _ENDS.get(name, "next"), to)


def _asks(match: dict[str, Any]) -> Callable[[Packet], Answer]:
    left, right = match["left"], match["right"]
    turned = match["op"] == "!="

    def ask(packet: Packet) -> Answer:
        answer = _answer(left, right, packet) if match["op"] in ("==", "!=", "in") else None
        return negated(answer) if turned else answer

    return ask


def _answer(left: Any, right: Any, packet: Packet) -> Answer:
    match left:
        case {"meta": {"key": "iifname" | "iif"}}:
            return _any(right, lambda value: named(packet.comes_in, str(value), "*"))
        case {"meta": {"key": "oifname" | "oif"}}:
            return _any(right, lambda value: named(packet.goes_out, str(value), "*"))
        case {"meta": {"key": "l4proto"}}:
            return _any(right, lambda value: value == packet.protocol)
        case {"meta": {"key": "nfproto"}}:
            return _any(right, lambda value: value == "ipv4")
        case {"ct": {"key": "state" | "status"}}:
            return _any(right, lambda value: value in packet.states)
        case {"fib": {"result": "type", "flags": ["daddr"]}}:
            return _any(right, lambda value: packet.local if value == "local" else None)
        case {"payload": {"protocol": "ip", "field": "saddr"}}:
            return _any(right, lambda value: _address(packet.source, value))
        case {"payload": {"protocol": "ip", "field": "daddr"}}:
            return _any(right, lambda value: _address(packet.target, value))
        case {"payload": {"protocol": "ip", "field": "protocol"}}:
            return _any(right, lambda value: value == packet.protocol)
        case {"payload": {"protocol": "ip6" | "icmpv6"}}:
            return False
        case {"payload": {"protocol": "tcp" | "udp" | "icmp" as protocol}} if protocol != packet.protocol:
            return False
        case {"payload": {"protocol": "tcp", "field": "dport"}}:
            return _any(right, lambda value: _port(packet.port, value))
        case {"payload": {"protocol": "icmp", "field": "type"}} if "established" not in packet.states:
            return _any(right, lambda value: value == "echo-request")
        case _:
            return None


def _any(right: Any, ask: Callable[[Any], Answer]) -> Answer:
    """One value, or any of a list or a set; a set that has a name ("@…") is not looked up."""
    answers = [None if isinstance(each, str) and each.startswith("@") else ask(each) for each in _each(right)]
    return True if True in answers else None if None in answers else False


def _each(right: Any) -> Iterator[Any]:
    if isinstance(right, dict) and "set" in right:
        right = right["set"]
    yield from right if isinstance(right, list) else [right]


def _address(address: str, value: Any) -> Answer:
    match value:
        case {"prefix": {"addr": first, "len": length}}:
            return within(address, f"{first}/{length}")
        case str():
            return within(address, value)
        case _:
            return None


def _port(port: int, value: Any) -> Answer:
    match value:
        case {"range": [int(low), int(high)]}:
            return low <= port <= high
        case int():
            return port == value
        case _:
            return None
