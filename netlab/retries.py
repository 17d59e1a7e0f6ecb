"""What time heals: the one table of messages after which a command is tried again. Pure; host.py does the waiting.

Messages differ between versions, so each row is a pattern that old and new tools' words match; the tests hold captured
outputs of both. Whatever is not here is reported at once: a wrong argument does not become right by waiting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from netlab.model import Result


@dataclass(frozen=True, slots=True)
class Passing:
    """``text`` on stderr of ``tool`` (a pattern for its name) passes by itself within ``seconds``."""

    tool: str
    text: str
    seconds: float


TABLE = (
    # Exit code 4 alone does not tell: iptables uses it for a chain still in use as well, which no waiting heals.
    Passing(r"ip6?tables(-restore)?", r"[Aa]nother app is currently holding the xtables lock", 30.0),
    Passing(r"ip6?tables(-restore)?", r"Resource temporarily unavailable", 5.0),
    Passing(r"ip6?tables(-restore)?", r"(CHAIN_(ADD|DEL)|TABLE_FLUSH) failed.*\(Device or resource busy\)", 1.0),
    # A veth that has just been made can still be busy when it is plugged in or moved.
    Passing(r"ip", r"RTNETLINK answers: Device or resource busy", 1.0),
    Passing(r"ip", r"Cannot remove namespace file .*Device or resource busy", 2.0),
    Passing(r"ip|ss|nft", r"Dump was interrupted|Interrupted system call", 2.0),
    Passing(r".*", r"Resource temporarily unavailable|No buffer space available|Cannot allocate memory", 2.0),
)


def heals(tool: str, result: Result) -> Passing | None:
    """The row that says for how long to try again, or None when ``result`` is final."""
    if result.code == 0:
        return None
    rows = (row for row in TABLE if re.fullmatch(row.tool, tool) and re.search(row.text, result.stderr))
    return next(rows, None)
