"""What stands in the lab's way on this machine itself, before anything changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any, Final

from netlab.machine import Machine
from netlab.model import Chapter, Facts, Operation, Query, Runner
from netlab.preflight import filters, firewalls, forward, names, needs, ports, routing, settings, subnets
from netlab.preflight.cures import Cures
from netlab.preflight.finding import Finding, finding
from netlab.preflight.wants import Wants

_QUERIES: Final = settings.QUERIES | {
    Query("namespaces"),
    Query("stack"),
    Query("listeners"),
    Query("iptables", "", "filter"),
    Query("iptables", "", "nat"),
}


def host_queries(chapters: Sequence[Chapter]) -> frozenset[Query]:
    """All that ``examine_host`` asks ``facts``."""
    asked = (each.queries() for chapter in chapters for each in chapter.operations)
    return _QUERIES.union(*asked)


def examine_host(
    run: Runner,
    here: Machine,
    chapters: Sequence[Chapter],
    facts: Facts,
    ours: Set[Operation],
    parameters: Mapping[str, Any] = MappingProxyType({}),
) -> list[Finding]:
    """All that ``chapters`` need of this machine and meet on it, in the order in which a person would see to it.

    ``facts`` answer ``host_queries(chapters)``; ``ours`` are the operations that are on record as netlab's, or adopted:
    what they made is no finding. ``parameters`` are the course's, as JSON holds them: cures name them by their keys.
    What only root may see is looked at only as root.
    """
    backend, words = needs.backend(run, here)
    first = [_root(here), needs.python(here), *needs.tools(here, backend)]
    kernel = list(needs.features(here, backend))
    if here.uid != 0:
        return [*first, finding("iptables backend", "ok" if backend else "warning", words), *kernel]
    wants, cures = Wants(chapters), Cures(here, parameters)
    seen = filters.look(run, here, backend, facts)
    known = firewalls.active(here, seen)
    return [
        *first,
        *filters.split(seen, words),
        *kernel,
        *subnets.uplinks(wants, facts, cures),
        *names.findings(wants, facts, ours, cures),
        *subnets.findings(wants, facts, cures),
        *routing.findings(run, wants, cures),
        *ports.findings(wants, facts, list(seen.at("prerouting")), cures),
        *firewalls.findings(here, seen),
        *forward.findings(wants, facts, seen, known, cures, bridged=settings.bridged(facts)),
        *settings.findings(wants, facts, cures),
    ]


def _root(here: Machine) -> Finding:
    if here.uid == 0:
        return finding("root", "ok", "netlab runs as root")
    return finding("root", "missing", "only root may change this machine's own network", "sudo netlab --host …")
