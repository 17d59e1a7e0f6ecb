"""What a new sandbox starts with: known sysctls, the course's surroundings, and a record of it all for undo."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from netlab import engine, reading, snapshot
from netlab.errors import NetlabError
from netlab.host import Host
from netlab.model import Command, Operation
from netlab.operations import namespace
from netlab.services import Services

_SETTINGS = ("rp_filter", "arp_ignore", "arp_announce", "arp_filter", "proxy_arp", "route_localnet", "accept_local")

KNOWN = (
    # A new namespace copies the machine's IPv4 settings: on a Docker host it would forward from the start.
    "net.ipv4.ip_forward=0",
    *(f"net.ipv4.conf.{where}.{name}=0" for where in ("all", "default") for name in _SETTINGS),
    # Where br_netfilter is loaded, frames that only cross the bridge would go through iptables as well.
    *(f"net.bridge.bridge-nf-call-{tool}=0" for tool in ("iptables", "ip6tables", "arptables")),
)
"""The sysctls of every stack of a new sandbox, whatever the machine's are; one that the kernel has not is left out."""


def furnish(folder: Path, nodes: Sequence[str], around: Sequence[Operation]) -> dict[str, Any]:
    """Inside a new sandbox: build the surroundings, and return the facts and the normal form that it starts with.

    ``nodes`` are namespaces, and ``around`` what is in them. Raises NetlabError where they do not come about.
    """
    with closing(Host(Services(folder / "services"))) as host:
        return _furnished(host, nodes, around)


def _furnished(host: Host, nodes: Sequence[str], around: Sequence[Operation]) -> dict[str, Any]:
    _perform(host, [command for node in nodes for command in namespace(node).apply(reading.NOWHERE)])
    _perform(host, [Command(("sysctl", "-e", "-q", "-w", *KNOWN), node or None) for node in ("", *nodes)])
    facts = engine.facts_for(host, around)
    _perform(host, [command for each in around if not each.holds(facts) for command in each.apply(facts)])
    host.forget()
    facts = engine.facts_for(host, around)
    wrong = [str(each) for each in around if not each.holds(facts)]
    if wrong:
        raise NetlabError("the sandbox's surroundings could not be built", details=wrong)
    normal = snapshot.take(host.run, nodes)
    sysctls = {node: normal[node or snapshot.HOST].get("sysctl", {}) for node in ("", *nodes)}
    stacks = {node: facts.stack(node) for node in ("", *nodes)}
    return {"normal": normal, "first": reading.first_record(stacks, sysctls)}


def _perform(host: Host, commands: Sequence[Command]) -> None:
    for _ in host.perform(commands):
        pass
