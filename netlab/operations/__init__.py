"""One small file per kind of operation; here is the table of them, and the names that a step uses.

A step writes ``rule("nat", "POSTROUTING", "-s", lab.subnet, …)``; the journal writes kinds and fields, and ``load``
makes the operation again when the course that it came from is long gone.
"""

from __future__ import annotations

from typing import Any

from netlab.model import Operation
from netlab.operations.address import Address
from netlab.operations.iptables import Policy, Rule
from netlab.operations.link import Bridge, Port, Up, Veth
from netlab.operations.namespace import Namespace
from netlab.operations.route import Route
from netlab.operations.service import Service
from netlab.operations.sysctl import Sysctl

address = Address
bridge = Bridge
namespace = Namespace
policy = Policy
port = Port
route = Route
service = Service
sysctl = Sysctl
up = Up
veth = Veth

KINDS: dict[str, type[Operation]] = {
    each.kind: each for each in (Address, Bridge, Namespace, Policy, Port, Route, Rule, Service, Sysctl, Up, Veth)
}


def rule(table: str, chain: str, *spec: str, netns: str = "") -> Rule:
    """The rule that ``iptables -t TABLE -A CHAIN SPEC…`` adds, in ``netns`` or on the lab host."""
    return Rule(table, chain, spec, netns)


def dump(operation: Operation) -> dict[str, Any]:
    """An operation as JSON holds it: {"kind": "address", "cidr": …}."""
    return {"kind": operation.kind, **vars(operation)}


def load(record: dict[str, Any]) -> Operation:
    """The operation that ``dump`` wrote. Raises KeyError or TypeError for an unknown kind or field."""
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in record.items() if key != "kind"}
    return KINDS[record["kind"]](**fields)
