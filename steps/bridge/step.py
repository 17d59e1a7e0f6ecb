"""Plug the cables into a switch in software."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import bridge, port, up
from netlab.proofs import HOST, ping, shows

from ..lab import Lab

needs = ("addresses",)


def operations(lab: Lab) -> Iterator[Operation]:
    """The bridge, up, with each pair's outer end as a port."""
    yield bridge(lab.bridge)
    yield up(lab.bridge)
    for container in lab.containers:
        yield port(container.veth, lab.bridge)


def proofs(lab: Lab) -> Iterator[Proof]:
    """The containers reach each other."""
    first, *others = lab.containers
    if others:
        yield ping(first.name, others[0].address)
    else:  # a single container has nobody to talk to: then the switch itself is looked at
        yield shows(HOST, has=(lab.bridge,), up=(lab.bridge,))
