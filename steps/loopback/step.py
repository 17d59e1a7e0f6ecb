"""Switch on each container's loopback, so that it can reach itself."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import up
from netlab.proofs import ping

from ..lab import Lab

needs = ("addresses",)


def operations(lab: Lab) -> Iterator[Operation]:
    """``lo`` up in each container."""
    for container in lab.containers:
        yield up("lo", container.name)


def proofs(lab: Lab) -> Iterator[Proof]:
    """The first container pings its own address."""
    first = lab.containers[0]
    yield ping(first.name, first.address)
