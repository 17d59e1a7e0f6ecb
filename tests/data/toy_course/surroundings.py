"""Nothing stands around the toy but its own loopback."""

from collections.abc import Iterator

from netlab.model import Operation
from netlab.operations import up

from .lab import Lab

NODES = ()


def operations(lab: Lab) -> Iterator[Operation]:
    """The loopback."""
    yield up("lo")
