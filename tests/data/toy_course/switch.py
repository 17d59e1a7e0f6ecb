"""A switch of toys."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import bridge, up
from netlab.proofs import HOST, shows

from .lab import Lab

needs = ()


def operations(lab: Lab) -> Iterator[Operation]:
    """The switch, on."""
    yield bridge(lab.switch)
    yield up(lab.switch)


def proofs(lab: Lab) -> Iterator[Proof]:
    """It is there."""
    yield shows(HOST, has=(lab.switch,), up=(lab.switch,))
