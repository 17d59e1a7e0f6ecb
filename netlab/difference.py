"""What changed in a node's network, in the tools' own words: the lines that a person would have compared.

Pure. ``commands`` says what to run, once before and once after; ``difference`` compares what was printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from netlab.model import Command, Result

EVERYWHERE: tuple[tuple[str, ...], ...] = (("ip", "addr"), ("ip", "route"), ("sysctl", "net.ipv4.ip_forward"))
"""What is looked at in each node."""

HOST: tuple[tuple[str, ...], ...] = (
    ("ip", "netns", "list"),
    *EVERYWHERE,
    ("iptables", "-w", "-t", "nat", "-S"),
    ("iptables", "-w", "-t", "filter", "-S"),
)
"""What is looked at on the lab host. In a container iptables-legacy would make its tables only to show them."""

Said = Mapping[Command, str]
"""What each command printed."""


@dataclass(frozen=True, slots=True)
class Change:
    """A line that a tool prints no more (``sign`` is "-") or only now ("+"); ``command`` is the one to see it with."""

    node: str
    command: str
    sign: str
    text: str

    def __str__(self) -> str:
        return f"{self.sign} {self.text}"


def commands(nodes: Iterable[str]) -> list[Command]:
    """What to run on the lab host and in ``nodes``, also in those that do not exist yet."""
    here = [Command(argv) for argv in HOST]
    return here + [Command(argv, node) for node in nodes for argv in EVERYWHERE]


def said(asked: Sequence[Command], results: Sequence[Result]) -> dict[Command, str]:
    """What was printed, by command; nothing by one that failed: its node or its program is not there."""
    return {each: result.stdout if result.code == 0 else "" for each, result in zip(asked, results, strict=True)}


def difference(before: Said, after: Said) -> list[Change]:
    """The lines that are gone and those that are new, in the order of ``after``'s commands.

    What changes by itself is no difference, and neither is the order of namespaces.
    """
    changes: list[Change] = []
    for command in after:
        old, new = (normal(command, text) for text in (before.get(command, ""), after[command]))
        where, shown = command.netns or "host", str(Command(command.argv))
        for tag, left, left_end, right, right_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag != "equal":
                changes += [Change(where, shown, "-", each) for each in old[left:left_end]]
                changes += [Change(where, shown, "+", each) for each in new[right:right_end]]
    return changes


_BY_ITSELF = re.compile(
    r"valid_lft \S+ preferred_lft \S+|expires \S+|\bage \S+|\(id: \d+\)"
    r"|\blinkdown\b|\bdead\b|\bstate [A-Z]+\b|\bqdisc \S+|\bqlen \d+|\btentative\b|\bdadfailed\b"
)
_CARD = re.compile(r"\d+: ([^ ]+): (.*)")
_OTHER_END = re.compile(r"@if\d+$")


def normal(command: Command, text: str) -> list[str]:
    """What a tool printed, without what changes by itself and what a machine numbers at random.

    ``ip addr``: a card is one line with its addresses' lines after it, each with the card's name at the end as ip puts
    it. Numbers of cards, lifetimes, queues, MAC addresses and IPv6 addresses made from them go.
    """
    lines = [_BY_ITSELF.sub("", line).rstrip() for line in text.split("\n")]
    if command.argv[:2] == ("ip", "addr"):
        return list(_addresses(lines))
    if command.argv == HOST[0]:  # ip lists names in the order of their folder
        lines.sort()
    return [" ".join(line.split()) for line in lines if line.strip()]


def _addresses(lines: Iterable[str]) -> Iterable[str]:
    card = ""
    for line in lines:
        words = line.split()
        if match := _CARD.match(line):
            card = _OTHER_END.sub("", match[1])
            yield f"{card}: {' '.join(_steady(match[2]).split())}"
        elif words[:1] == ["inet"] or (words[:1] == ["inet6"] and "link" not in words):
            yield " ".join(words if words[-1] == card else [*words, card])


def _steady(text: str) -> str:
    """A card's first line without flags that say what the other end does, and without its group."""
    flags, separator, rest = text.partition("> ")
    kept = [each for each in flags.lstrip("<").split(",") if each not in ("LOWER_UP", "NO-CARRIER", "M-DOWN")]
    return f"<{','.join(kept)}{separator}{re.sub(r'group [^ ]+ *', '', rest)}"
