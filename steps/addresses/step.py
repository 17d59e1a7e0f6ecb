"""Give each container an address, and switch both ends of its cable on."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import address, up
from netlab.proofs import shows

from ..lab import Lab

needs = ("veth",)


def operations(lab: Lab) -> Iterator[Operation]:
    """Each container's address; both ends of each pair up."""
    for container in lab.containers:
        yield address(lab.cidr(container), container.interface, container.name)
        yield up(container.interface, container.name)
    for container in lab.containers:
        yield up(container.veth)


def proofs(lab: Lab) -> Iterator[Proof]:
    """The first container shows its address, and its card is up."""
    first = lab.containers[0]
    yield shows(first.name, has=(first.interface, lab.cidr(first)), up=(first.interface,))
