"""Give the bridge an address: the containers' gateway."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import address
from netlab.proofs import HOST, ping

from ..lab import Lab

needs = ("bridge",)


def operations(lab: Lab) -> Iterator[Operation]:
    """The gateway's address on the bridge."""
    yield address(lab.gateway_cidr, lab.bridge)


def proofs(lab: Lab) -> Iterator[Proof]:
    """Container and lab host reach each other."""
    first = lab.containers[0]
    yield ping(HOST, first.address)
    yield ping(first.name, lab.gateway)
