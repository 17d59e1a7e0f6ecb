"""Give the lab host an address of its own."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import address
from netlab.proofs import HOST, ping

from ..lab import Lab

needs = ()


def operations(lab: Lab) -> Iterator[Operation]:
    """The address, on the card."""
    yield address(f"{lab.address}/32", lab.card)


def proofs(lab: Lab) -> Iterator[Proof]:
    """The lab host reaches it."""
    yield ping(HOST, lab.address)
