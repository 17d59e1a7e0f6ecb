"""`netlab goto` from any state: whatever was there, the lab is then as it is when one comes there from nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kernel.runner import Netlab
from tests.kernel.tutorial import NEEDS, STEPS, TUTORIAL, until

pytestmark = pytest.mark.kernel

MEASURED = False

PLACES = {
    "before the first": ("namespaces",),
    "after bridge": ("bridge", "--after"),
    "before nat": ("nat",),
    "after publish": ("publish", "--after"),
}

RULES = re.compile(r"host: (iptables(-legacy)?|nft) ")
"""What a hand typed and holds is left alone: a policy that was set to what it was, and of `nat` where only `publish` is
wanted. The states say which rules there are."""

HAND = tuple(
    each.typed
    for each in TUTORIAL
    if each.step not in ("web", "loopback", "publish") and not each.typed.startswith("route ")
)
"""Typed by hand up to `nat`, as the tutorial has it; without the route that the kernel has added already."""

STATES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "nothing": ((), ()),
    "half a step": (("--until", "veth"), ("ip link set veth1 up", "ip link add br0 type bridge")),
    "all of it": ((), ("true",)),
    "typed by hand": ((), HAND),
    "half typed": ((), (*HAND[:3], "ip link set veth1 up")),
    "drifted": (("--until", "nat"), ("ip link del br0", "ip link del veth1", "sysctl -qw net.ipv4.ip_forward=0")),
    "wrongly typed": (
        ("--until", "veth"),
        (
            "ip netns exec container1 ip addr add 172.168.1.11/16 dev eth1",
            "ip link add br0 type veth peer name other",
        ),
    ),
    "wrong at the bottom": (
        ("--until", "namespaces"),
        ("ip link add veth1 type bridge", "ip link add veth2 type veth peer name other"),
    ),
    "wrong above": (
        ("--until", "bridge"),
        ("ip addr add 172.168.1.1/16 dev br0", "ip netns exec container1 ip route add default dev eth1"),
    ),
}
"""What is applied, and what is typed after it."""


def reach(lab: Netlab, state: str) -> None:
    applied, typed = STATES[state]
    if applied or state == "all of it":
        lab.apply(*applied)
    lab.type(*typed)


@pytest.fixture(scope="module")
def references(shared: Netlab) -> dict[str, tuple[Path, Path]]:
    """What each place looks like when one comes there from nothing; and with `loopback` from before."""
    found = {}
    for number, (name, words) in enumerate(PLACES.items()):
        shared("goto", *words)
        bare = shared.snapshot(f"bare-{number}")
        shared.undo()
        shared.apply("--until", "loopback")
        shared("goto", *words)
        found[name] = bare, shared.snapshot(f"loopback-{number}")
        shared.undo()
    return found


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("place", PLACES)
def test_the_place_is_the_same_from_everywhere(
    lab: Netlab, references: dict[str, tuple[Path, Path]], place: str, state: str
) -> None:
    words = PLACES[place]
    step, after = words[0], len(words) > 1
    reach(lab, state)
    lab("goto", *words)

    needed = [each for each in until(step) if after or each != step]
    states = lab.states()
    assert {each for each in needed if states[each] != "done"} == set()
    beyond = STEPS[STEPS.index(step) + after :]
    assert {each: states[each] for each in beyond} == dict.fromkeys(beyond, "todo")
    kept = state == "all of it" and "loopback" not in beyond
    assert [each for each in lab.differences(references[place][kept]) if not RULES.match(each)] == []
    if needed:
        lab("prove")

    assert [each for each in lab("goto", *words, "--json").events if each["event"] == "ran"] == []
    lab.undo()


def test_what_stands_besides_stands_afterwards(lab: Netlab) -> None:
    """Something wrong far down takes all that was built on it away; what stood and was not beyond comes back."""
    lab.apply("--until", "loopback")
    lab.type("ip link del veth1", "ip link add veth1 type bridge")
    lab("goto", "nat")
    states = lab.states()
    assert [each for each in STEPS if states[each] == "done"] == [*STEPS[: STEPS.index("nat")]]
    assert "loopback" not in NEEDS["nat"]
    lab.undo()


def test_a_sandbox_made_on_the_way_ends_with_undo(netlab: Netlab) -> None:
    netlab("goto", "veth")
    assert "as it was when `goto` made it" in netlab("undo").err
    assert netlab.left() == []


def test_an_unknown_step_makes_nothing(netlab: Netlab) -> None:
    assert "there is no step 'nett'" in netlab("goto", "nett", code=2).err
    assert netlab.left() == []
