"""Send everything else that a container has to say to its gateway."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import route
from netlab.proofs import ping

from ..lab import Lab

needs = ("gateway",)


def operations(lab: Lab) -> Iterator[Operation]:
    """The subnet's route on the lab host, and each container's default route."""
    # The kernel adds the subnet's route by itself, with the bridge's address.
    yield route(lab.subnet, lab.bridge, if_missing=True)
    for container in lab.containers:
        yield route("default", container.interface, via=lab.gateway, netns=container.name)


def proofs(lab: Lab) -> Iterator[Proof]:
    """A container reaches an address outside its subnet: the lab host's own card."""
    yield ping(lab.containers[0].name, lab.host_address)
