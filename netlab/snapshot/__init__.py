"""The normal form of a lab host: what undo, tests and people compare to see that nothing but the lab changed.

Covered, in the lab host's own stack and in each network namespace: links, addresses, all routing tables and rules,
permanent neighbours, both iptables backends and nftables, every sysctl under ``net.``, listening sockets, and the names
of the namespaces. What changes by itself is masked, in `normal_stack` and `normal_rules`, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from netlab.errors import CommandFailed, UsageError
from netlab.model import Command, Result, Runner
from netlab.snapshot import links as normal_links
from netlab.snapshot import rules as normal_rules
from netlab.snapshot import stack as normal_stack
from netlab.snapshot.compare import Comparison, Difference, compare
from netlab.snapshot.script import HOST_SCRIPT, SCRIPT

__all__ = ["HOST", "Comparison", "Difference", "Snapshot", "compare", "dump", "load", "take"]

Snapshot = dict[str, Any]
"""``{"host": {section: …}, "container1": {section: …}, "/format": 1}``.

A section is a list of lines, or a mapping of names to a value or to lines. A section that could not be read (nft on a
machine without it) is not there. No namespace's name holds a slash.
"""

HOST: Final = "host"
_FORMAT: Final = "/format"
_VERSION: Final = 1

_NEEDED: Final = ("link", "address", "route")
_NAMESPACE: Final = ("6e736673", "9fa0")
"""statfs(2): nsfs, and until kernel 3.19 (so on CentOS 7) proc."""


def take(run: Runner, namespaces: Sequence[str]) -> Snapshot:
    """The lab host and its ``namespaces`` as they are now, by one call of ``run`` with one command for each stack.

    A namespace that is not there, or that is only a file (a torn ``ip netns add``), has no part in the snapshot.
    Raises ``CommandFailed`` when what every machine can tell cannot be read.
    """
    # The last word, $0 in there, says to whoever runs many at once that this one looks into /run/netns.
    commands = [
        Command(("sh", "-c", HOST_SCRIPT, "netns")),
        *(Command(("sh", "-c", SCRIPT), name) for name in namespaces),
    ]
    host, *others = run(commands)
    answers = {HOST: _needed("the lab host", host)}
    living = _namespaces(answers[HOST])
    for name, result in zip(namespaces, others, strict=True):
        if living.get(name) == "live":
            answers[_key(name)] = _needed(name, result)
    cards = {stack: normal_links.links(said["link"], said.get("hardware", "")) for stack, said in answers.items()}
    ends = normal_links.other_ends(cards, _ids(answers[HOST]), HOST)
    snapshot: Snapshot = {stack: _sections(said, cards[stack], stack, ends) for stack, said in answers.items()}
    snapshot[HOST]["namespace"] = living
    snapshot[_FORMAT] = _VERSION
    return snapshot


def dump(snapshot: Snapshot) -> str:
    """The snapshot as JSON: sorted, one line a value, the same text for the same state."""
    return json.dumps(snapshot, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def load(text: str) -> Snapshot:
    """What ``dump`` wrote. Raises ``UsageError`` for anything else, and for a snapshot of a newer netlab."""
    try:
        snapshot = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not a snapshot: {error}", hint="write one with: netlab snapshot --json > FILE") from None
    if not isinstance(snapshot, dict) or not isinstance(snapshot.get(HOST), dict):
        raise UsageError("not a snapshot of netlab", hint="write one with: netlab snapshot --json > FILE")
    if snapshot.get(_FORMAT) != _VERSION:
        raise UsageError(f"a snapshot in format {snapshot.get(_FORMAT)!r}, and this netlab knows format {_VERSION}")
    return snapshot


def _key(netns: str) -> str:
    """A namespace that somebody called "host" is not the lab host."""
    return netns if netns != HOST else f"netns/{netns}"


def _needed(stack: str, result: Result) -> dict[str, str]:
    """What was answered, by section; a section whose command failed or is not on this machine is left out."""
    answers = {}
    for part in result.stdout.split("\x1e")[1:]:
        name, _, rest = part.partition("\n")
        text, _, code = rest.rpartition("\x1f")
        # One of many that may not be read, as always in /proc/sys, is no failure: grep then says 2, and stat 1.
        if code == "0" or (name, code) in (("sysctl", "2"), ("hardware", "2"), ("namespace", "1")):
            answers[name] = text
    lacking = [name for name in _NEEDED if name not in answers]
    if lacking:
        details = result.stderr.strip().splitlines()
        raise CommandFailed(f"{stack}: cannot be read: {', '.join(lacking)}", details=details)
    return answers


def _namespaces(answers: Mapping[str, str]) -> dict[str, str]:
    """Names under /run/netns: "live", or "torn" where a plain file stands that no namespace is mounted on."""
    found = {}
    for line in answers.get("namespace", "").splitlines():
        kind, _, path = line.partition(" ")
        found[path.rpartition("/")[2]] = "live" if kind in _NAMESPACE else "torn"
    for name in answers.get("name", "").splitlines():
        found.setdefault(name, "torn")
    return dict(sorted(found.items()))


def _ids(answers: Mapping[str, str]) -> dict[str, str]:
    """``container1 (id: 1)``: ``container1`` and ``#1`` both mean it, for iproute2 4.11 prints ``link-netnsid 1``."""
    lines = [line.split() for line in answers.get("id", "").splitlines()]
    named = [(words[0], words[2].rstrip(")")) for words in lines if len(words) == 3 and words[1] == "(id:"]
    return {said: _key(name) for name, number in named for said in (name, f"#{number}")}


def _sections(
    said: Mapping[str, str], cards: list[normal_links.Link], stack: str, ends: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    def words(card: normal_links.Link) -> str:
        other = ends.get((stack, card.name)) or (f"@{card.other}" if card.other else "")
        return f"{other} {card.words}".strip()

    sections: dict[str, Any] = {
        "link": {card.name: words(card) for card in sorted(cards, key=lambda card: card.name)},
        "link details": {card.name: card.details for card in sorted(cards, key=lambda card: card.name)},
        "address": normal_stack.addresses(said["address"], cards),
        "neighbour": normal_stack.neighbours(said["address"]),
        "route": normal_stack.routes(said["route"], cards) + normal_stack.routes(said.get("route6", ""), cards),
        "rule": normal_stack.rules(said["route"])
        + [f"-6 {rule}" for rule in normal_stack.rules(said.get("route6", ""))],
    }
    if "listener" in said:
        sections["listener"] = normal_stack.listeners(said["listener"])
    if "sysctl" in said:
        sections["sysctl"] = normal_stack.sysctls(said["sysctl"])
    for name in ("iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy"):
        if name in said:
            sections[name] = normal_rules.iptables(said[name], legacy=name.endswith("legacy"))
    if "nft" in said:
        sections["nft"] = normal_rules.nft(said["nft"])
    return sections
