"""Let containers reach the world behind the host's address."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import rule
from netlab.proofs import ping, seen

from ..lab import Lab

needs = ("forwarding",)


def operations(lab: Lab) -> Iterator[Operation]:
    """The masquerade rule."""
    yield rule("nat", "POSTROUTING", "-s", lab.subnet, "-o", lab.uplink, "-j", "MASQUERADE")


def proofs(lab: Lab) -> Iterator[Proof]:
    """Internet and router answer, for the request leaves with the lab host's address."""
    first = lab.containers[0]
    for target in (lab.internet, lab.router):
        yield ping(first.name, target)
        yield seen(lab.uplink, ping(first.name, target), source=lab.host_address)
