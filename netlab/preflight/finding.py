"""One thing that was looked at, and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass

from netlab.views import Level


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``ok`` is False only for what the lab cannot do with or without; ``cure`` is "" for none."""

    name: str
    ok: bool
    level: Level
    detail: str
    cure: str = ""


def finding(name: str, level: Level, detail: str, cure: str = "") -> Finding:
    """``missing`` and ``conflict`` are what stops a lab; a warning deserves a word."""
    return Finding(name, level not in ("missing", "conflict"), level, detail, cure)
