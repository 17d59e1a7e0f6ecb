"""Policy routing: rules by which another table is asked before the main one, which holds the lab's routes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from netlab.model import Command, Runner
from netlab.preflight.cures import Cures
from netlab.preflight.finding import Finding, finding
from netlab.preflight.wants import Wants

_LINE: Final = re.compile(r"(?P<priority>[0-9]+):\s+(?P<words>.*\S)")
"""One rule, as ``ip -4 rule`` prints it (iproute2 4.11 as well): ``32766:	from all lookup main``."""

_HARMLESS: Final = re.compile(r"from all lookup (local|\[l3mdev-table\])")


def findings(run: Runner, wants: Wants, cures: Cures) -> Iterator[Finding]:
    """Is the main table the first that is asked for each wanted network?"""
    [listed] = run([Command(("ip", "-4", "rule"))])
    rules = [line.groupdict() for line in map(_LINE.match, listed.stdout.splitlines()) if line]
    for network in (each.network for each in wants.networks):
        before = list(_before_main(rules, network))
        if before:
            others = ", ".join(f"{rule['priority']}: {rule['words']}" for rule in before[:3])
            words = f"rules come before the main table, and may send {network} another way: {others}"
            first = min(int(rule["priority"]) for rule in before) - 1
            cure = cures.root(f"ip rule add to {network} lookup main priority {max(first, 1)}")
            yield finding("policy routing", "warning", words, cure)
        else:
            yield finding("policy routing", "ok", f"the main table is asked first for {network}")


def _before_main(rules: list[dict[str, str]], network: IPv4Network) -> Iterator[dict[str, str]]:
    """The rules in front of the one that leads to the lab's routes."""
    for rule in rules:
        words = rule["words"]
        if words.startswith(("from all lookup main", f"from all to {network} lookup main")):
            return
        if not _HARMLESS.fullmatch(words):
            yield rule
