"""What stands around the lab host in a sandbox before the first step; here nothing but its own loopback."""

from collections.abc import Iterator

from netlab.model import Operation
from netlab.operations import up

from .lab import Lab

NODES = ()
"""Nodes that are network namespaces of the sandbox, beside the lab host and what the steps make."""


def operations(lab: Lab) -> Iterator[Operation]:
    """The loopback, switched on."""
    yield up("lo")
