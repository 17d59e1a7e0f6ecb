"""Let the lab host pass on packets that are not for itself."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import policy, sysctl
from netlab.proofs import ping, seen

from ..lab import Lab

needs = ("routes",)


def operations(lab: Lab) -> Iterator[Operation]:
    """Forwarding on, and the FORWARD chain open."""
    yield sysctl("net.ipv4.ip_forward", "1")
    yield policy("filter", "FORWARD", "ACCEPT")


def proofs(lab: Lab) -> Iterator[Proof]:
    """A container's request leaves by the uplink, though nobody out there can answer it yet."""
    yield seen(lab.uplink, ping(lab.containers[0].name, lab.router))
