"""Give each container a network stack of its own."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import namespace
from netlab.proofs import shows

from ..lab import Lab

needs = ()


def operations(lab: Lab) -> Iterator[Operation]:
    """A network namespace for each container."""
    for container in lab.containers:
        yield namespace(container.name)


def proofs(lab: Lab) -> Iterator[Proof]:
    """The first container answers, with a ``lo`` of its own and nothing of the lab host."""
    # Right after this step there is only `lo`, down; later steps change that, and a proof must stay true.
    yield shows(lab.containers[0].name, has=("lo",), lacks=(lab.uplink, lab.host_address))
