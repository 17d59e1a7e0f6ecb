"""Lay a cable from each container to the lab host."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import veth
from netlab.proofs import shows

from ..lab import Lab

needs = ("namespaces",)


def operations(lab: Lab) -> Iterator[Operation]:
    """A veth pair for each container, its inner end made inside."""
    for container in lab.containers:
        yield veth(container.veth, container.interface, container.name)


def proofs(lab: Lab) -> Iterator[Proof]:
    """The first container has its card, and the other end is on the lab host."""
    first = lab.containers[0]
    yield shows(first.name, veth=(first.interface, first.veth))
