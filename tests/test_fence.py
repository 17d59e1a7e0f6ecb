"""What a proof may send on a real machine, as a table: to the lab by its own card, to the gateway, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from netlab.fence import Fence
from netlab.model import Chapter, Proof
from netlab.operations import address
from netlab.proofs import HOST, fetch, ping, seen, shows

GATEWAY, LAB, AWAY = "10.0.0.1", "172.168.1.11", "114.114.114.114"

FENCE = Fence.around(
    [
        Chapter("addresses", "", (), (address("172.168.1.11/24", dev="eth1", netns="container1"),), ()),
        Chapter("gateway", "", (), (address("172.168.1.1/24", dev="br0"), address("10.7.0.1/30", dev="br1")), ()),
    ],
    absent={"client", "internet"},
    reached={GATEWAY},
)

NOT_THERE = "there is no node {!r} around a real machine: try it from another one".format
BEYOND = "{0} is neither this machine nor its gateway; --internet {0} allows it".format

# fmt: off
LEFT_OUT: dict[str, tuple[Proof, str]] = {
    "to the lab": (ping(HOST, LAB), ""),
    "to the lab's other network": (ping(HOST, "10.7.0.2"), ""),
    "beside that network": (ping(HOST, "10.7.0.4"), BEYOND("10.7.0.4")),
    "to the gateway": (ping("container1", GATEWAY), ""),
    "beside the gateway": (ping("container1", "10.0.0.2"), BEYOND("10.0.0.2")),
    "to the world": (ping("container1", AWAY), BEYOND(AWAY)),
    "to its web server": (fetch("container1", "http://10.0.0.2:80/"), BEYOND("10.0.0.2")),
    "from who is not there": (fetch("client", "http://10.0.0.1:80/"), NOT_THERE("client")),
    "seen on its way, from who is not there": (seen("eth0", ping("internet", GATEWAY)), NOT_THERE("internet")),
    "seen on its way to the world": (seen("eth0", ping("container1", AWAY)), BEYOND(AWAY)),
    "looked at by who is not there": (shows("internet", has=("lo",)), NOT_THERE("internet")),
    "looked at on the lab host": (shows(HOST, has=("lo",)), ""),
}
# fmt: on


@pytest.mark.parametrize(("proof", "why"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_left_out(proof: Proof, why: str) -> None:
    assert FENCE.left_out(proof) == why


# fmt: off
HELD: dict[str, tuple[list[tuple[str, str]], Mapping[str, str], bool]] = {
    "the bridge leads there": ([(HOST, LAB)], {LAB: "br0"}, False),
    "it is the lab host's own": ([(HOST, "172.168.1.1")], {"172.168.1.1": "lo"}, False),
    "the uplink leads there": ([(HOST, LAB)], {LAB: "eth0"}, True),
    "the lab's other card leads there": ([(HOST, LAB)], {LAB: "br1"}, True),
    "a card called as the container's leads there": ([(HOST, LAB)], {LAB: "eth1"}, True),
    "no card leads there": ([(HOST, LAB)], {}, True),
    "one of two": ([(HOST, GATEWAY), (HOST, LAB)], {GATEWAY: "eth0", LAB: "eth0"}, True),
    "it is not the lab's": ([(HOST, GATEWAY)], {GATEWAY: "eth0"}, False),
    "it is a name": ([(HOST, "localhost")], {}, False),
    "a container sends": ([("container1", LAB)], {LAB: "eth0"}, False),
    "nobody sends": ([], {}, False),
}
# fmt: on


@pytest.mark.parametrize(("sends", "leads", "held"), HELD.values(), ids=HELD)
def test_what_is_held_back(sends: list[tuple[str, str]], leads: Mapping[str, str], held: bool) -> None:
    assert FENCE.holds_back(sends, lambda target: leads.get(target, "")) is held
