"""Turns what iptables-save and nft print into lines that stay the same until somebody changes a rule.

Pure: text in, sections of a snapshot out. Counters, handles and ages are masked; the order of rules within a chain is
kept, for it is the order in which they are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CHAIN_COUNTERS = re.compile(r" \[\d+:\d+\]$")
_NFT_COUNTERS = (
    (re.compile(r"(counter )?packets \d+ bytes \d+"), r"\1"),
    (re.compile(r" used \d+ \S*bytes"), ""),  # a quota's
    (re.compile(r" expires \S+?(?=[ ,]|$)"), ""),
    (re.compile(r"\blast (used \S+( ago)?|never)"), "last"),
    (re.compile(r" # handle \d+"), ""),
)


def iptables(text: str, *, legacy: bool) -> dict[str, list[str]]:
    """iptables-save → table: chains with their policies (``:INPUT ACCEPT``), then the rules, chain by chain.

    A legacy table that is registered but empty, with its policies at ACCEPT, counts as absent: merely reading it
    with iptables-legacy registers it, and no command can unregister it. With nft an empty table is there because
    somebody made it, and can be deleted.
    """
    tables: dict[str, list[str]] = {}
    current: list[str] = []
    for line in map(str.rstrip, text.splitlines()):
        if line.startswith("*"):
            current = tables.setdefault(line[1:], [])
        elif line.startswith(":"):
            current.append(_CHAIN_COUNTERS.sub("", line))
        elif line.startswith("-"):
            current.append(line)
    tables = {name: sorted(lines, key=_chain_first) for name, lines in tables.items()}
    return {name: lines for name, lines in tables.items() if not (legacy and all(map(_untouched, lines)))}


def _chain_first(line: str) -> tuple[bool, str]:
    """Chains by name, then rules by chain: in which order chains were made means nothing."""
    return (False, line) if line.startswith(":") else (True, line.split()[1])


def _untouched(line: str) -> bool:
    return line.startswith(":") and line.endswith(" ACCEPT")


def nft(text: str) -> dict[str, list[str]]:
    """``nft list ruleset`` → ``ip nat``: ``chain POSTROUTING`` and ``chain POSTROUTING: RULE``, block by block.

    An empty table is the one line ``(table)``.
    """
    tables: dict[str, list[tuple[str, str]]] = {}
    table: list[tuple[str, str]] = []
    path: list[str] = []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("#"):
            continue  # a warning of nft's own
        if line == "}":
            path = path[:-1]
        elif line.endswith("{"):
            path.append(line[:-1].strip())
            if len(path) == 1:
                table = tables.setdefault(path[0].removeprefix("table "), [("", "(table)")])
            else:
                table.append((_block(path), ""))
        elif path and (said := _without_counters(line)):
            table.append((_block(path), said))
    # A stable sort: blocks by name, the lines of each as they were.
    return {name: list(_said(sorted(rows, key=lambda row: row[0]))) for name, rows in tables.items()}


def _block(path: list[str]) -> str:
    return " / ".join(path[1:])


def _without_counters(line: str) -> str:
    for pattern, instead in _NFT_COUNTERS:
        line = pattern.sub(instead, line)
    return " ".join(line.split())


def _said(rows: list[tuple[str, str]]) -> Iterator[str]:
    """Rows as lines; a set that fills by packets or empties by time is said without its elements."""
    passing = {block for block, line in rows if line.startswith("flags ") and re.search(r"\b(dynamic|timeout)\b", line)}
    in_elements = ""
    for block, line in rows:
        if block in passing and (line.startswith("elements =") or in_elements == block):
            in_elements = "" if line.endswith("}") else block
        elif line:
            yield f"{block}: {line}" if block else line
        elif block:
            yield block
