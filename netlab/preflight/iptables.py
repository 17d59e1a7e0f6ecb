"""iptables' tables as chains that a packet can be led through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from netlab.model import Rule, Table
from netlab.preflight.chains import Action, Answer, Chains, Line, Packet, every, named, negated, within
from netlab.rules.options import MATCHES, PLAIN, TARGETS, Options

_ENDS: Final[dict[str, Action]] = {
    "ACCEPT": "accept",
    "DROP": "drop",
    "REJECT": "drop",
    "DNAT": "nat",
    "REDIRECT": "nat",
    "RETURN": "return",
}


@dataclass(frozen=True, slots=True)
class Word:
    """One option of a rule with its values, and "!" before it."""

    name: str
    values: tuple[str, ...] = ()
    negated: bool = False


def chains(table: Table) -> Chains:
    """The rules of a table by chain, in order."""
    found: dict[str, list[Line]] = {name: [] for name in table.policies}
    for rule in table.rules:
        found.setdefault(rule.chain, []).append(_line(rule, table))
    return {name: tuple(lines) for name, lines in found.items()}


def options(rule: Sequence[tuple[str, ...]], flag: str, name: str) -> dict[str, str]:
    """The options of a canonical rule's module (flag "-m") or target ("-j") by name, as far as they take a word."""
    for group in rule:
        if group[:2] == (flag, name):
            words = _words(group[2:], _arities({"-m": MATCHES, "-j": TARGETS}[flag].get(name, {})))
            return {word.name: word.values[0] for word in words or () if word.values and not word.negated}
    return {}


def _line(rule: Rule, table: Table) -> Line:
    asks: list[Callable[[Packet], Answer]] = []
    action: Action = "next"
    to = ""
    for group in rule.match:
        if group[0] in ("-j", "-g"):
            own = group[1] in table.policies
            action = ("jump" if group[0] == "-j" else "goto") if own else _ENDS.get(group[1], "next")
            to = group[1] if own else ""
        else:
            asks.append(_asks(group))

    def meets(packet: Packet) -> Answer:
        return every([ask(packet) for ask in asks])

    return Line(rule.text, rule.chain, meets, action, to)


def _asks(group: tuple[str, ...]) -> Callable[[Packet], Answer]:
    module = group[1] if group[0] == "-m" else ""
    arities = {"--physdev-is-bridged": 0} if module == "physdev" else _arities(MATCHES.get(module, {}))
    words = _words(group[2:], arities) if module else _words(group, _arities(PLAIN))
    if words is None or module == "limit":
        return lambda packet: None
    return lambda packet: every([_answer(word, packet) for word in words])


def _arities(known: Options) -> dict[str, int]:
    """By canonical name, how many words follow (--syn stands for --tcp-flags, and is written with its two words)."""
    return {name: max(each.arity for each in known.values() if each.name == name) for name in _names(known)}


def _names(known: Options) -> set[str]:
    return {each.name for each in known.values()}


def _words(group: tuple[str, ...], arities: Mapping[str, int]) -> list[Word] | None:
    """Options with their values; None where one is not known."""
    found = []
    while group:
        no = group[0] == "!"
        name, rest = group[no : no + 1], group[no + 1 :]
        if not name or name[0] not in arities:
            return None
        count = arities[name[0]]
        found.append(Word(name[0], rest[:count], no))
        group = rest[count:]
    return found


def _answer(word: Word, packet: Packet) -> Answer:
    ask = _ANSWERS.get(word.name)
    answer = ask(packet, word.values) if ask is not None else None
    return negated(answer) if word.negated else answer


def _protocol(packet: Packet, values: tuple[str, ...]) -> Answer:
    return values[0] in (packet.protocol, "all")


def _port(packet: Packet, values: tuple[str, ...]) -> Answer:
    """``80``, ``80:90``, ``80,443``."""
    for part in values[0].split(","):
        low, colon, high = part.partition(":")
        if not (low or "0").isdecimal() or not (high or "0").isdecimal():
            return None
        last = int(high or "65535") if colon else int(low)
        if int(low or "0") <= packet.port <= last:
            return True
    return False


def _states(packet: Packet, values: tuple[str, ...]) -> Answer:
    return any(state.lower() in packet.states for state in values[0].split(","))


def _type(packet: Packet, values: tuple[str, ...]) -> Answer:
    return packet.local if values[0] == "LOCAL" else None


def _ping(packet: Packet, values: tuple[str, ...]) -> Answer:
    """All our ICMP packets are pings; answers to them are known by their state."""
    return None if "established" in packet.states else values[0].partition("/")[0] == "8"


_ANSWERS: Final[dict[str, Callable[[Packet, tuple[str, ...]], Answer]]] = {
    "-s": lambda packet, values: within(packet.source, values[0]),
    "-d": lambda packet, values: within(packet.target, values[0]),
    "-i": lambda packet, values: named(packet.comes_in, values[0], "+"),
    "-o": lambda packet, values: named(packet.goes_out, values[0], "+"),
    "-p": _protocol,
    "-f": lambda packet, values: False,
    "--dport": _port,
    "--dports": _port,
    "--ctstate": _states,
    "--state": _states,
    "--dst-type": _type,
    "--icmp-type": _ping,
    "--comment": lambda packet, values: True,
    "--physdev-is-bridged": lambda packet, values: packet.bridged,
}
