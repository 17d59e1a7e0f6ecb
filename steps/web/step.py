"""Start a web server in each container: something to publish."""

from collections.abc import Iterator

from netlab.model import Operation, Proof
from netlab.operations import service
from netlab.proofs import HOST, fetch

from ..lab import Lab

needs = ("gateway",)


def operations(lab: Lab) -> Iterator[Operation]:
    """The real ``python3 -m http.server`` in each container, with one page that names it."""
    for container in lab.containers:
        server = ("python3", "-m", "http.server", str(lab.web_port))
        page = f"<!doctype html>\n<title>{container.name}</title>\n<h1>Hello from {container.name}</h1>\n"
        yield service(container.name, server, lab.web_port, lab.url(container), page)


def proofs(lab: Lab) -> Iterator[Proof]:
    """The lab host fetches each container's page."""
    for container in lab.containers:
        yield fetch(HOST, lab.url(container))
