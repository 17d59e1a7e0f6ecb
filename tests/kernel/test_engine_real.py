"""The walks as on a real host, where nobody knows what was there at first: what netlab did not do stays as it was."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import pytest

from tests.kernel.oldtools import NO_NFT, OLD, unused
from tests.kernel.runner import Event, Netlab
from tests.kernel.tutorial import OPERATIONS, operations, until

pytestmark = pytest.mark.kernel

MEASURED = False

WALKS = """
import json, sys
from pathlib import Path
from netlab import course, engine, parameters
from netlab.events import as_json
from netlab.host import Host
from netlab.journal import Journal
from netlab.services import Services

folder, *walks = sys.argv[1:]
loaded = course.load(course.default_folder())
chapters = {each.name: each for each in loaded.chapters(parameters.lab(loaded.lab_type, {}))}
for walk in walks:
    host, journal = Host(Services(Path(folder, "services"))), Journal(Path(folder, "journal"))
    steps = loaded.graph.since(None) if walk == "undo" else loaded.graph.until(walk)
    some = [chapters[name] for name in steps]
    if walk == "undo":
        events = engine.undo(steps, engine.to_take_back(some, journal, None), host, journal)
    else:
        events = engine.apply(some, host, journal)
    print(json.dumps([as_json(event) for event in events]))
"""


def walk(lab: Netlab, *walks: str) -> list[list[Event]]:
    """Walks in the sandbox, each to a step or "undo", without the facts that the sandbox started with: their events."""
    folder = lab.home / "own"
    folder.mkdir(exist_ok=True)
    said = lab("exec", "host", "--", sys.executable, "-P", "-c", WALKS, folder, *walks).out
    return [json.loads(line) for line in said.splitlines()]


def ran(events: list[Event]) -> list[str]:
    """The operations whose commands ran."""
    return sorted({each["operation"] for each in events if each["event"] == "ran"})


# What is there beforehand, what of the course holds by it, and what takes it away again.
BEFOREHAND: dict[str, tuple[Sequence[str], list[str], str]] = {
    "forwarding is on": (
        ["sysctl -q net.ipv4.ip_forward=1"],
        ["sysctl net.ipv4.ip_forward = 1"],
        "sysctl -q net.ipv4.ip_forward=0",
    ),
    "forwarding is on for one card": (
        ["sysctl -q net.ipv4.conf.ens33.forwarding=1"],
        [],
        "sysctl -q net.ipv4.conf.ens33.forwarding=0",
    ),
    "an equal rule": (
        ["iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"],
        ["rule nat POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"],
        unused("nat"),
    ),
    "an equal rule, and others around it": (
        [
            "iptables -t nat -A POSTROUTING -p tcp -j ACCEPT",
            "iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE",
            "iptables -t nat -A POSTROUTING -p udp -j ACCEPT",
        ],
        ["rule nat POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"],
        unused("nat"),
    ),
    "other rules in the same chain": (
        ["iptables -t nat -A POSTROUTING -p tcp -j ACCEPT"],
        [],
        unused("nat"),
    ),
    "the policy is DROP": (["iptables -P FORWARD DROP"], [], unused("filter")),
    "the policy was set to ACCEPT": (["iptables -P FORWARD ACCEPT"], [], unused("filter")),
    "an empty table": (["nft add table ip nat"], [], unused("nat")),
    "a container of that name": (
        ["ip netns add container1"],
        ["network namespace container1"],
        "ip netns del container1",
    ),
    "a bridge of that name, with an address and a port": (
        [
            "ip link add br0 type bridge",
            "ip addr add 10.9.9.1/24 dev br0",
            "ip link set br0 up",
            "ip link add other type veth peer name another",
            "ip link set other master br0",
        ],
        ["bridge br0", "br0 up"],
        "ip link del br0; ip link del other",
    ),
    "nothing": ([], [], "true"),
}


@pytest.mark.parametrize(("typed", "held", "back"), BEFOREHAND.values(), ids=BEFOREHAND)
def test_what_was_there_before_is_there_after(lab: Netlab, typed: Sequence[str], held: list[str], back: str) -> None:
    if OLD and any(each.startswith("nft ") for each in typed):
        pytest.skip(NO_NFT)
    lab.type(*typed)
    before = lab.snapshot("beforehand")
    applied, again, undone, nothing = walk(lab, "nat", "nat", "undo", "undo")
    opened = ["policy ACCEPT on FORWARD of filter"] if "iptables -P FORWARD DROP" in typed else []
    assert ran(applied) == sorted([each for each in operations(*until("nat")) if each not in held] + opened)
    assert undone[-1]["event"] == "ended"
    assert (ran(again), ran(nothing)) == ([], [])
    assert lab.differences(before) == []
    lab.type(back)


def test_the_whole_course(lab: Netlab) -> None:
    applied, undone = walk(lab, "publish", "undo")
    assert len(ran(applied)) == len(OPERATIONS) - len(operations("loopback", "nat"))
    gone = {each["operation"] for each in undone if each["event"] == "gone"}
    assert gone >= {"veth1 a port of br0", "address 172.168.1.11/24 on eth1 in container1"}


def test_a_stranger_adds_an_equal_rule_meanwhile(lab: Netlab) -> None:
    """One of the two is ours and one is not: exactly one goes."""
    walk(lab, "nat")
    lab.type("iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE")
    walk(lab, "undo")
    assert lab.type("iptables -t nat -S POSTROUTING | grep -c MASQUERADE") == "1\n"
    lab.type(unused("nat"))


def test_a_strangers_thing_in_a_container_of_ours_goes_with_it(lab: Netlab) -> None:
    walk(lab, "addresses")
    lab.type("ip -n container1 link add x type bridge", "ip addr add 10.9.9.9/32 dev veth1")
    walk(lab, "undo")


def test_what_is_gone_already_is_no_error(lab: Netlab) -> None:
    walk(lab, "nat")
    lab.type("ip link del veth1", "ip netns del container2", "ip link del br0", "iptables -t nat -F")
    walk(lab, "undo")
    assert json.loads((lab.home / "own/journal").read_text().splitlines()[-1])["undone"][-1] == "namespaces"
