"""Lead ports of the lab host into the containers."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import rule
from netlab.proofs import HOST, fetch, refused

from ..lab import Lab

needs = ("web", "forwarding")


def operations(lab: Lab) -> Iterator[Operation]:
    """A DNAT rule for each published port."""
    for container in lab.containers:
        target = f"{container.address}:{lab.web_port}"
        match = ("-p", "tcp", "--dport", str(container.port))
        yield rule("nat", "PREROUTING", *match, "-j", "DNAT", "--to-destination", target)


def proofs(lab: Lab) -> Iterator[Proof]:
    """The client outside reaches each container; the lab host itself is still refused."""
    for container in lab.containers:
        yield fetch("client", f"http://{lab.host_address}:{container.port}/")
    # The lab host's own packets ask nat OUTPUT, which is empty, and come back in over lo, where nat is not asked again.
    yield refused(HOST, f"http://{lab.host_address}:{lab.containers[0].port}/")
