"""All that packets have to pass on this machine: iptables' chains, those of its other backend, nftables' own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from netlab.facts import parse_table
from netlab.machine import Machine
from netlab.model import Command, Facts, Runner, Table
from netlab.preflight import iptables, nftables
from netlab.preflight.chains import Chains
from netlab.preflight.finding import Finding, finding

_CHAINS: Final = {"prerouting": ("nat", "PREROUTING"), "forward": ("filter", "FORWARD"), "input": ("filter", "INPUT")}


@dataclass(frozen=True, slots=True)
class Hook:
    """One set of chains that a packet is led through, from ``start``. ``tool`` is what changes it: "iptables", …."""

    tool: str
    start: str
    policy: Literal["accept", "drop"]
    chains: Chains
    base: nftables.Base | None = None
    """Set for nftables' own: accepting a packet there, or in iptables, does not save it from the other."""


@dataclass(frozen=True, slots=True)
class Filters:
    """``backend`` is what `iptables` is here ("nft", "legacy", ""); ``legacy`` are tables of iptables-legacy beside."""

    backend: str
    facts: Facts
    own: tuple[nftables.Base, ...]
    legacy: dict[str, Table]
    unread: tuple[str, ...] = ()
    """What could not be read, in words."""

    @property
    def beside(self) -> tuple[str, ...]:
        """Rules of the other backend: what to call them, and how many there are in which table."""
        if self.backend == "nft":
            counts = {name: _count(table) for name, table in self.legacy.items()}
        else:
            bases = [base for base in self.own if _is_iptables(base)]
            counts = {base.table: sum(map(len, base.chains.values())) + (base.policy == "drop") for base in bases}
        return tuple(f"{count} in {name}" for name, count in sorted(counts.items()) if count)

    def at(self, hook: Literal["prerouting", "forward", "input"]) -> Iterator[Hook]:
        """What is asked at a hook."""
        name, start = _CHAINS[hook]
        tables = [("iptables", self.facts.table("", name))]
        tables += [("iptables-legacy", self.legacy[name])] if name in self.legacy else []
        for tool, table in tables:
            policy: Literal["accept", "drop"] = "drop" if table.policies.get(start) == "DROP" else "accept"
            yield Hook(tool, start, policy, iptables.chains(table))
        for base in self.own:
            seen = self.backend == "nft" and _is_iptables(base) and base.table in ("filter", "nat")
            if base.hook == hook and not seen:
                yield Hook("nft", base.name, base.policy, base.chains, base)

    def chains(self) -> frozenset[str]:
        """The names of iptables' chains."""
        tables = (*(self.facts.table("", name) for name in ("filter", "nat")), *self.legacy.values())
        return frozenset(chain for table in tables for chain in table.policies)

    def tables(self) -> frozenset[str]:
        """The names of nftables' tables."""
        return frozenset(base.table for base in self.own)


def _is_iptables(base: nftables.Base) -> bool:
    return base.family == "ip" and base.name in nftables.IPTABLES


def _count(table: Table) -> int:
    """Its rules, and its policies other than ACCEPT."""
    return len(table.rules) + sum(policy not in ("ACCEPT", "-") for policy in table.policies.values())


def look(run: Runner, here: Machine, backend: str, facts: Facts) -> Filters:
    """Read what facts do not hold. iptables-legacy makes its tables by reading: only those that are there are read."""
    names = (here.text("/proc/net/ip_tables_names") or "").split() if backend == "nft" else []
    saves = [Command(("iptables-legacy-save", "-t", name)) for name in names]
    listed, *saved = run([Command(("nft", "-j", "list", "ruleset")), *saves])
    legacy = {
        name: parse_table(result.stdout, name) for name, result in zip(names, saved, strict=True) if result.code == 0
    }
    unread = [f"iptables-legacy's table {name}" for name in names if name not in legacy]
    # Without nft there may be rules of nftables all the same; but who would have put them there?
    unread += ["nftables' own rules"] if listed.code not in (0, 127) else []
    own = nftables.bases(listed.stdout) if listed.code == 0 else []
    return Filters(backend, facts, tuple(own), legacy, tuple(unread))


def split(filters: Filters, words: str) -> Iterator[Finding]:
    """Rules on both sides: each packet meets both, and each tool shows one."""
    name, other = "iptables backend", "legacy" if filters.backend == "nft" else "nft"
    if filters.unread:
        yield finding(name, "warning", f"{words}; {' and '.join(filters.unread)} cannot be read, and packets meet them")
    if filters.beside:
        show = "iptables-legacy-save" if filters.backend == "nft" else "nft list ruleset"
        counts = ", ".join(filters.beside)
        detail = f"netlab uses {words}; iptables-{other} has rules beside it ({counts}), which packets meet as well"
        yield finding(name, "warning", detail, f"{show} shows them")
    if not filters.unread and not filters.beside:
        yield finding(name, "ok" if filters.backend else "warning", words)
