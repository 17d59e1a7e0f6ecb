"""The tutorial typed by hand, up to each of its lines: recognised, finished by `apply`, and taken back by `undo`."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.kernel.runner import Netlab
from tests.kernel.tutorial import STEPS, TUTORIAL, Line, operations, until

pytestmark = pytest.mark.kernel

MEASURED = False

SERVER = "python3 -m http.server"


def typed(lab: Netlab, lines: Iterable[Line]) -> None:
    """Type the lines as the post has them; a server goes to the background, and is waited for."""
    script = []
    for line in lines:
        if SERVER in line.typed:
            container = line.typed.split()[3]
            script.append(f"{line.typed} >/dev/null 2>&1 &")
            script.append(f"until ip netns exec {container} ss -ltn | grep -q :80; do sleep 0.02; done")
        else:
            script.append(line.typed)
    lab.type(*script)


def stop_servers(lab: Netlab) -> None:
    """What a person has started, a person stops."""
    lab.type(
        "pkill -f '^[^ ]*python3 -m http.server 80$'",
        "while pgrep -f 'http.server 80$' >/dev/null; do sleep 0.02; done",
    )


def states(held: Iterable[str]) -> dict[str, str]:
    """What `status` has to say when these operations hold."""
    held = set(held)
    found = {}
    for step in STEPS:
        mine = set(operations(step))
        found[step] = "done" if mine <= held else "partial" if mine & held else "todo"
    return found


UP_TO = ["nothing", *(line.typed for line in TUTORIAL)]
PREFIXES = [pytest.param(count, id=f"{count}: {typed}") for count, typed in enumerate(UP_TO)]


@pytest.mark.parametrize("count", PREFIXES)
def test_every_prefix(lab: Netlab, count: int) -> None:
    lines = TUTORIAL[:count]
    # All that is left to do; but servers take their time to start, and most prefixes do not concern them.
    last = "nat" if count % 8 and lines[-1].step not in ("web", "publish") else "publish"
    held = [line.operation for line in lines if line.operation]
    typed(lab, lines)
    assert lab.states() == states(held)

    applied = lab.apply("--until", last)
    assert sorted(applied.ran) == sorted(each for each in operations(*until(last)) if each not in held)

    if any(SERVER in line.typed for line in lines):
        stop_servers(lab)
    lab.undo()


BY_HAND = "iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"
ONE_BY_ONE: dict[str, tuple[str, list[str]]] = {
    "nat, publish": ("", ["nat", "publish"]),
    "publish, nat": ("", ["publish", "nat"]),
    "nat, all the rest": ("", ["nat", ""]),
    "typed nat, publish": (BY_HAND, ["nat", "publish"]),
    "publish, typed nat": (BY_HAND, ["publish", "nat"]),
    "typed nat, all the rest": (BY_HAND, ["nat", ""]),
}
"""What is typed before `apply`, and the steps that are taken back, "" for all."""


@pytest.mark.parametrize("case", ONE_BY_ONE)
def test_what_two_steps_share_goes_with_the_last_of_them(lab: Netlab, case: str) -> None:
    """iptables-nft's table is there for the first rule, whichever that was, and has no use after the last."""
    typed, steps = ONE_BY_ONE[case]
    lab.apply("--until", "bridge")
    lab.type(typed)
    lab.apply()
    for step in steps:
        lab.undo(*(("--from", step) if step else ()))
    kept = lab.type("! [ -x /usr/sbin/nft ] || nft list tables")
    lab.undo()
    assert kept == ""


def test_who_has_got_a_new_cable_is_reached_at_once(lab: Netlab) -> None:
    """The lab host and the other container knew its old card, and would send there for half a minute and more."""
    lab.apply()
    lab.type("ip netns pids container2 | xargs kill; ip netns del container2", "ip link del veth2 2>/dev/null || :")
    planned = [command for step in lab.json("plan")["steps"] for command in step["commands"]]
    repaired = lab("apply", "--json")
    ran = [each["command"] for each in repaired.events if each["event"] == "ran"]
    assert ran == planned
    flushed = ["ip netns exec container1 ip neigh flush dev eth1", "ip neigh flush dev br0"]
    assert [each for each in ran if "neigh" in each] == flushed
    assert {each["ok"] for each in repaired.proofs} == {True}
    assert repaired.events[-1]["seconds"] < 15
    assert [each for each in lab("apply", "--json").events if each["event"] == "ran"] == []
    lab.undo()
