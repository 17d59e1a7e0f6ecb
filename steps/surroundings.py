"""What stands around the lab host in a sandbox: its uplink, VMware's router, the post's Windows PC, the internet."""

from collections.abc import Iterator

from netlab.model import Operation, Uplink
from netlab.operations import address, bridge, namespace, port, route, sysctl, up, veth

from .lab import Lab

NODES = ("router", "client", "internet")
"""The nodes that are network namespaces of the sandbox, beside the lab host."""

UPLINK, INTERNET = "uplink", "internet"
"""The parameters that name the lab host's own card, and an address beyond its gateway."""


def on_host(uplink: Uplink) -> dict[str, str]:
    """The parameters on a real machine. Its network is its own affair: nothing stands around it that we made."""
    return {"uplink": uplink.card, "host_address": uplink.address, "router": uplink.gateway, "network": ""}


def operations(lab: Lab) -> Iterator[Operation]:
    """One network with the lab host, the router and the client on it; behind the router, the internet.

    Nobody out there has a route to the lab's subnet: what leaves with a container's address really gets no answer.
    """
    for node in NODES:
        yield namespace(node)
    # The network is a switch inside the router, as VMware's is.
    yield bridge("lan", "router")
    yield address(f"{lab.router}/{lab.network_prefix}", "lan", "router")
    yield veth(lab.uplink, "lan0", "router")
    yield veth("lan1", "eth0", "client", "router")
    yield veth("wan", "eth0", "internet", "router")
    for card in ("lan0", "lan1"):
        yield port(card, "lan", "router")
    for card in ("lan", "lan0", "lan1", "wan", "lo"):
        yield up(card, "router")
    yield address(f"{lab.client}/{lab.network_prefix}", "eth0", "client")
    yield address(f"{lab.internet}/24", "eth0", "internet")
    yield address(f"{lab.internet_gateway}/24", "wan", "router")
    for node in ("client", "internet"):
        yield up("eth0", node)
        yield up("lo", node)
    yield up("lo")
    yield address(f"{lab.host_address}/{lab.network_prefix}", lab.uplink)
    yield up(lab.uplink)
    yield route("default", lab.uplink, via=lab.router)
    yield route(lab.network, "eth0", via=lab.internet_gateway, netns="internet")
    yield sysctl("net.ipv4.ip_forward", "1", "router")
