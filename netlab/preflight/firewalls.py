"""Who else writes rules on this machine, and what that means for ours.

Told by what is readable everywhere: names of processes, chains and tables. No service manager is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from netlab.machine import Machine
from netlab.preflight.cures import Cures
from netlab.preflight.filters import Filters
from netlab.preflight.finding import Finding, finding
from netlab.views import Level


@dataclass(frozen=True, slots=True)
class Firewall:
    """One that we know: its processes (as /proc/PID/comm has them), its iptables chains, its nftables tables.

    ``does`` is what it will do to the lab's rules. ``lets`` are its own commands for letting a card's packets pass.
    """

    name: str
    processes: tuple[str, ...]
    chains: re.Pattern[str]
    tables: tuple[str, ...]
    level: Level
    does: str
    lets: tuple[str, ...] = ()


FIREWALLS: Final = (
    Firewall(
        "firewalld",
        ("firewalld",),
        re.compile(r"(INPUT|FORWARD|OUTPUT|PREROUTING|POSTROUTING)_direct|FORWARD_(IN|OUT)_ZONES|(IN|FWD[IO]?)_\w+"),
        ("firewalld",),
        "warning",
        "a reload (firewall-cmd --reload) or restart takes the lab's rules away",
        ("firewall-cmd --zone=trusted --add-interface={card}",),
    ),
    Firewall(
        "ufw",
        (),
        re.compile(r"ufw-.+"),
        (),
        "warning",
        "`ufw reload` sets FORWARD's policy back; ports that the lab publishes pass by its rules, open to anybody",
        ("ufw route allow in on {card}", "ufw route allow out on {card}"),
    ),
    Firewall(
        "Docker",
        ("dockerd",),
        re.compile(r"DOCKER(-.+)?"),
        (),
        "warning",
        "whenever it starts, it sets FORWARD's policy to DROP, and leaves the lab's rules alone",
    ),
    Firewall(
        "libvirt",
        ("libvirtd", "virtnetworkd"),
        re.compile(r"LIBVIRT_\w+"),
        ("libvirt_network",),
        "ok",
        "its rules are about its own bridges, and it leaves the lab's alone",
    ),
)

_AFTER: Final = "; `netlab --host status` then says drifted, and `apply` repairs it"


def active(here: Machine, filters: Filters) -> list[tuple[Firewall, str]]:
    """Those that are at work, and how that shows."""
    running, chains, tables = _processes(here), filters.chains(), filters.tables()
    found = []
    for each in FIREWALLS:
        shows = [f"{name} is running" for name in each.processes if name in running]
        shows += [f"chain {name}" for name in sorted(chains) if each.chains.fullmatch(name)][:1]
        shows += [f"nftables table {name}" for name in each.tables if name in tables]
        if shows:
            found.append((each, shows[0]))
    return found


def _processes(here: Machine) -> frozenset[str]:
    try:
        pids = [path.name for path in here.path("/proc").iterdir() if path.name.isdecimal()]
    except OSError:
        return frozenset()
    return frozenset(here.text(f"/proc/{pid}/comm") or "" for pid in pids)


def findings(here: Machine, filters: Filters) -> Iterator[Finding]:
    """What each that is at work will do to the lab's rules."""
    for each, shows in active(here, filters):
        after = _AFTER if each.level == "warning" else ""
        yield finding(each.name, each.level, f"at work ({shows}): {each.does}{after}")


def owner(chain: str, table: str, known: list[tuple[Firewall, str]]) -> Firewall | None:
    """Whose a chain or a table of nftables is."""
    for each, _ in known:
        if each.chains.fullmatch(chain) or table in each.tables:
            return each
    # firewalld until 0.9 ends the built-in chains with a REJECT of its own
    ends = chain in ("FORWARD", "INPUT") and not table
    return next((each for each, _ in known if each.name == "firewalld"), None) if ends else None


def lets(cures: Cures, firewall: Firewall, card: str) -> str:
    """Its own commands for letting the packets of a card pass."""
    return cures.root(*(each.format(card=card) for each in firewall.lets))
