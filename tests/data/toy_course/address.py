"""An address on the switch of toys."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import address
from netlab.proofs import HOST, ping

from .lab import Lab

needs = ("switch",)


def operations(lab: Lab) -> Iterator[Operation]:
    """The address."""
    yield address(lab.address, lab.switch)


def proofs(lab: Lab) -> Iterator[Proof]:
    """It answers."""
    yield ping(HOST, lab.address.partition("/")[0])
